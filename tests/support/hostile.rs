//! Foreign text as an attacker writes it, and what it must not do to those who read it: a corpus for every report and for
//! everything that leaves the process.

use serde_json::Value;

/// What somebody else may have called something.
pub const CORPUS: &[&str] = &[
    "##vso[task.setvariable variable=x]y",
    "##VSO[task.complete result=Failed;]",
    "a\n##vso[task.logissue type=error]x",
    "a\r##vso[task.setvariable variable=x]y",
    "##teamcity[buildStatus status='SUCCESS']",
    "x ##TeamCity[setParameter name='a']",
    "##[error]x",
    "x\n##[group]y",
    "##[command]rm",
    "::error::x",
    "\n::set-output name=x::y",
    "  ::add-mask::x",
    "::stop-commands::token",
    "\r\n::warning file=a,line=1::x",
    "#\u{200b}#vso[x]",
    "###vso[x]",
    "####[section]x",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\",
    "\u{1b}P+q\u{1b}\\",
    "\u{9b}31mred",
    "\u{90}x\u{9c}",
    "a\u{8}\u{8}b",
    "a\u{7f}\u{0}b",
    "\u{202e}txt.exe",
    "\u{2066}a\u{2069}",
    "a\u{200b}\u{200d}\u{2060}b",
    "\u{feff}a\u{61c}",
    "a\u{2028}b\u{2029}c",
    "\u{e0041}\u{e0042}",
    "a\u{3164}\u{115f}\u{ad}b",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</summary></details><script>",
    "</code><b>x</b>",
    "</pre></body><iframe src=x>",
    "--><script>",
    "]]><script>",
    "]]></failure></testcase>",
    "&lt;script&gt;&#60;script&#62;",
    "\"><svg onload=x>",
    "' onmouseover='x",
    "[click](http://evil.example)",
    "![x](http://evil.example/x.png)",
    "[x]: http://evil.example",
    "<http://evil.example>",
    "a|b|c",
    "a\n| x | y | z | w |",
    "`x` ``y`` ```z```",
    "````\n# x",
    "\n```\n<script>\n```diff",
    "~~~\nx",
    "# heading\n- item",
    "**bold** _it_ ~~no~~",
    "@everyone #1 :smile:",
    "$x^2$ \\(y\\)",
    "\\\\ \\` \\n",
    "{{7*7}} ${x} %s %n",
    "\"; node [label=x] \"",
    "x\"]; n1-->n2; click n1 \"javascript:x\"",
    "\u{fdd0}Sec\u{fdd2}x",
];

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people, or a log.
    Plain,
    /// One JSON value, or one a line.
    Json,
    /// As GitHub and Azure DevOps render it.
    Markdown,
    /// A page.
    Html,
    /// JUnit's.
    Xml,
}

/// Whether a character does more than stand where it is: it steers a terminal, turns the direction of writing, or is not
/// seen. Told here once more, as a witness.
fn is_unsafe(c: char) -> bool {
    let hidden = ['\u{ad}', '\u{34f}', '\u{61c}', '\u{115f}', '\u{1160}', '\u{3164}', '\u{feff}', '\u{ffa0}'];
    let ranges = [
        ('\u{0}', '\u{1f}'),
        ('\u{7f}', '\u{9f}'),
        ('\u{17b4}', '\u{17b5}'),
        ('\u{180b}', '\u{180e}'),
        ('\u{200b}', '\u{200f}'),
        ('\u{2028}', '\u{202e}'),
        ('\u{2060}', '\u{206f}'),
        ('\u{fff9}', '\u{fffb}'),
        ('\u{e0000}', '\u{e007f}'),
    ];
    hidden.contains(&c) || ranges.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// What is outside of fences.
fn prose(markdown: &str) -> String {
    let mut fence: Option<String> = None;
    let mut kept = String::new();
    for line in markdown.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if ticks.len() >= open.len() && line == ticks => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    if fence.is_some() {
        kept.push_str("`an open fence");
    }
    kept
}

/// What a text does to those who read it; nothing when it is harmless.
pub fn harm(form: Form, text: &str) -> Option<String> {
    if let Some(c) = text.chars().find(|&c| is_unsafe(c) && c != '\n') {
        return Some(format!("holds {c:?}"));
    }
    for line in text.lines() {
        let lower = line.trim_start().to_ascii_lowercase();
        if lower.contains("##vso[") || lower.contains("##[") {
            return Some(format!("commands Azure Pipelines: {line}"));
        }
        if lower.contains("##teamcity[") {
            return Some(format!("commands TeamCity: {line}"));
        }
        let github = lower
            .strip_prefix("::")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains("::"));
        if github {
            return Some(format!("commands GitHub Actions: {line}"));
        }
    }
    let active = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let tags = ["<script", "<img", "<svg", "<iframe", "</body><", "<b>x", "<http"];
        tags.iter().find(|tag| lower.contains(**tag)).map(|tag| format!("has {tag}"))
    };
    match form {
        Form::Plain => None,
        Form::Json => {
            let broken = |text: &str| serde_json::from_str::<Value>(text).err();
            let lines = text.lines().filter_map(broken).next();
            broken(text).filter(|_| lines.is_some()).map(|error| format!("is not JSON: {error}"))
        }
        Form::Html => active(&text.replace("<b>", "<i>")),
        Form::Xml => active(text).or_else(|| text.contains("]]>").then(|| "has ]]>".to_owned())),
        Form::Markdown => {
            let prose = prose(text);
            let raw = ["](http", "![", "`", "**bold", "~~no", "@everyone", "\n# ", "$x^"];
            let found = raw.iter().find(|raw| prose.contains(**raw)).map(|raw| format!("has {raw:?}"));
            // Every row of a table has as many cells as its first.
            let bars = |line: &str| line.starts_with('|').then(|| line.matches('|').count());
            let mut pairs = prose.lines().zip(prose.lines().skip(1));
            let broken = pairs.find(|(row, next)| bars(row).zip(bars(next)).is_some_and(|(a, b)| a != b));
            let broken = broken.map(|(_, row)| format!("has a broken table: {row}"));
            active(&prose).or(found).or(broken)
        }
    }
}
