//! `tests/invalid/*.md`: wrong blueprints, and beside each what `berth validate` says of it.
//!
//! A case is a heading `## …`, a block `yaml` with the blueprint and a block `text` with the report. The heading in lower
//! case, its spaces as `-`, is the name of the file that berth is given. A line `# validate with: …` in the blueprint
//! gives further arguments. A block `yaml escaped` is for what no Markdown file holds: it may have `\xff` for a byte,
//! `\u{2028}` for a character and `\\` for a backslash. Anything else between the blocks is for readers.

use super::{Berth, root};
use berth::host::files::write_atomic;
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// A wrong blueprint, and what is said of it.
pub struct Case {
    file: PathBuf,
    /// The line of the heading, from 1.
    line: usize,
    heading: String,
    /// The name of the blueprint's file, without `.yaml`.
    pub name: String,
    /// The blueprint; not always text.
    pub blueprint: Vec<u8>,
    /// What berth says of it.
    pub said: String,
    /// The first line of the report in the file and the one after its last, from 0.
    lines: (usize, usize),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.strip_prefix(root()).unwrap_or(&self.file);
        write!(f, "{}:{}: {}", file.display(), self.line, self.heading)
    }
}

impl Case {
    /// What `berth validate` says about the blueprint now.
    #[track_caller]
    pub fn validate(&self, berth: &Berth) -> String {
        let file = format!("{}.yaml", self.name);
        berth.write(&file, &self.blueprint);
        let text = String::from_utf8_lossy(&self.blueprint).into_owned();
        let more = text.lines().find_map(|line| line.strip_prefix("# validate with: ")).unwrap_or_default();
        let ended = berth.run(["validate", &file].into_iter().chain(more.split_whitespace())).exits(1);
        assert_eq!(ended.stdout, "", "{self}");
        ended.stderr
    }

    /// The diagnostics of a report, code and text: each begins with its code, alone at the beginning of a line.
    #[track_caller]
    pub fn diagnostics<'a>(&self, report: &'a str) -> Vec<(&'a str, String)> {
        let mut found: Vec<(&str, String)> = Vec::new();
        for line in report.lines() {
            let of_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            match found.last_mut() {
                _ if !line.is_empty() && line.chars().all(of_code) => found.push((line, String::new())),
                Some((_, text)) => {
                    text.push_str(line);
                    text.push('\n');
                }
                None => panic!("{self}: this belongs to no diagnostic: {line}"),
            }
        }
        found
    }
}

/// Every case, by file and in its order.
pub fn cases() -> Vec<Case> {
    let files = std::fs::read_dir(root().join("tests/invalid")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        assert!(file.extension().is_some_and(|end| end == "md"), "{} is not a file of cases", file.display());
        let text = std::fs::read_to_string(&file).unwrap();
        all.extend(read(&file, &text));
    }
    let mut names = HashSet::new();
    for case in &all {
        assert!(names.insert(&case.name), "{case}: another case has the name `{}`", case.name);
    }
    all
}

/// The cases of one file.
pub fn read(file: &Path, text: &str) -> Vec<Case> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut cases: Vec<Case> = Vec::new();
    let mut blocks = 0;
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        at += 1;
        let here = format!("{}:{at}", file.display());
        if let Some(heading) = line.strip_prefix("## ") {
            assert!(cases.is_empty() || blocks == 2, "{here}: the case before has no blueprint or no report");
            let name = heading.to_ascii_lowercase().replace(' ', "-");
            let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            assert!(is_name, "{here}: letters, digits and spaces make a heading: `{heading}`");
            let (file, heading) = (file.to_owned(), heading.to_owned());
            let case = Case {
                file,
                line: at,
                heading,
                name,
                blueprint: Vec::new(),
                said: String::new(),
                lines: (0, 0),
            };
            cases.push(case);
            blocks = 0;
        } else if let Some(kind) = line.strip_prefix("```") {
            let first = at;
            let end = lines[first..].iter().position(|line| *line == "```");
            let end = first + end.unwrap_or_else(|| panic!("{here}: this block has no end"));
            let block: String = lines[first..end].iter().flat_map(|line| [line, "\n"]).collect();
            let case = cases.last_mut().unwrap_or_else(|| panic!("{here}: a block before any heading"));
            match (kind, blocks) {
                ("yaml", 0) => case.blueprint = block.into_bytes(),
                ("yaml escaped", 0) => case.blueprint = unescaped(&block, &here),
                ("text", 1) => (case.said, case.lines) = (block, (first, end)),
                _ => panic!("{here}: a case is a block `yaml` and a block `text`, and this is neither"),
            }
            blocks += 1;
            at = end + 1;
        }
    }
    assert!(blocks == 2, "{}: the last case has no blueprint or no report", file.display());
    cases
}

fn unescaped(text: &str, here: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend(plain.as_bytes());
        let hex =
            |digits: &str| u32::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{here}: `{digits}`"));
        rest = if let Some(after) = escape.strip_prefix('\\') {
            bytes.push(b'\\');
            after
        } else if let Some(after) = escape.strip_prefix('x') {
            bytes.push(u8::try_from(hex(&after[..2])).unwrap());
            &after[2..]
        } else {
            let (digits, after) =
                escape.strip_prefix("u{").and_then(|rest| rest.split_once('}')).unwrap_or_else(|| {
                    panic!("{here}: `\\\\`, `\\xff` and `\\u{{2028}}` are the escapes that there are")
                });
            let c = char::from_u32(hex(digits)).unwrap_or_else(|| panic!("{here}: `{digits}`"));
            bytes.extend(c.to_string().as_bytes());
            after
        };
    }
    bytes.extend(rest.as_bytes());
    bytes
}

/// Writes other reports into the files of their cases.
pub fn write(changed: &[(&Case, String)]) {
    // From the end of a file to its beginning, so that the lines of the others stay where they are.
    for (case, said) in changed.iter().rev() {
        let text = std::fs::read_to_string(&case.file).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        let (first, end) = case.lines;
        let before = lines[..first].iter().flat_map(|line| [line, "\n"]).collect::<String>();
        let after = lines[end..].join("\n");
        write_atomic(&case.file, (before + said + &after).as_bytes()).unwrap();
    }
}
