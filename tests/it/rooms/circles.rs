//! Files that import each other in a circle are one file in several: each circle of more than two stands in the decision
//! record with its reason, and none but those is there.

use super::{is_for_tests, product, rust_files};
use crate::support::root;
use std::collections::{BTreeMap, BTreeSet};

/// The decision record that defends circles.
const RECORD: &str = "docs/decisions/0017-models-profiles-circles.md";

/// A module's path from the root of its crate, the crate's folder first.
type Module = Vec<String>;

/// A `use` declaration, or a path in the text.
struct Import {
    /// Whether the module passes it on (`pub use`).
    passed_on: bool,
    path: Vec<String>,
    name: String,
}

/// The paths of a `use` tree.
fn expand(tree: &str, before: &[String], passed_on: bool, found: &mut Vec<Import>) {
    let segments = |text: &str| -> Vec<String> {
        let own = text.split("::").map(str::trim).filter(|segment| !segment.is_empty());
        before.iter().cloned().chain(own.map(str::to_owned)).collect()
    };
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let (text, alias) = tree.split_once(" as ").map_or((tree, None), |(text, alias)| (text, Some(alias)));
        let mut path = segments(text);
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if let Some(last) = path.last() {
            let name = alias.map_or_else(|| last.clone(), |alias| alias.trim().to_owned());
            found.push(Import { passed_on, path, name });
        }
        return;
    };
    let before = segments(&tree[..open]);
    let inner = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[start..at].trim().is_empty() {
                    expand(&inner[start..at], &before, passed_on, found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// What a source imports, and what it names by a path.
fn imports(text: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let bare = line.trim_start();
        let visible = bare.strip_prefix("pub").map(|after| match after.strip_prefix('(') {
            Some(scope) => scope.split_once(')').map_or("", |(_, after)| after),
            None => after,
        });
        let Some(first) = visible.unwrap_or(bare).trim_start().strip_prefix("use ") else {
            // A module's own visibility is not an import.
            rest.push_str(line.split("pub(in ").next().unwrap_or_default());
            rest.push_str(
                line.split_once("pub(in ").and_then(|(_, rest)| rest.split_once(')')).map_or("", |r| r.1),
            );
            rest.push('\n');
            continue;
        };
        let mut tree = first.to_owned();
        while !tree.contains(';') {
            let Some(line) = lines.next() else { break };
            tree.push_str(line);
        }
        let tree = tree.split(';').next().unwrap_or_default().to_owned();
        expand(&tree, &[], visible.is_some(), &mut found);
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$';
    // Between quotes there is nothing but text.
    let code: String = rest.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    for word in code.split(|c| !is_part(c)).filter(|word| word.contains("::")) {
        let path: Vec<String> =
            word.split("::").take_while(|part| !part.is_empty()).map(str::to_owned).collect();
        if path.len() > 1 && path[0].starts_with(|c: char| c.is_lowercase()) {
            found.push(Import { passed_on: false, name: String::new(), path });
        }
    }
    found
}

/// The modules of the workspace, each with what it imports.
fn modules() -> BTreeMap<Module, Vec<Import>> {
    let src = root().join("src");
    let mut all = BTreeMap::new();
    for file in rust_files(&src) {
        let below = file.strip_prefix(&src).unwrap().with_extension("");
        let mut module: Module =
            below.components().map(|part| part.as_os_str().to_str().unwrap().to_owned()).collect();
        if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
            module.pop();
        }
        if !module.iter().any(|part| part == "tests") && !is_for_tests(&file) {
            all.insert(module, imports(&product(&std::fs::read_to_string(&file).unwrap())));
        }
    }
    all
}

/// Where the crate of a module begins.
fn crate_root(module: &[String]) -> Module {
    let names: Vec<&str> = module.iter().map(String::as_str).collect();
    match names[..] {
        ["sim" | "host" | "models", ..] => module[..1].to_vec(),
        ["bin", "berth", ..] => module[..2].to_vec(),
        _ => Vec::new(),
    }
}

/// The module in whose file a path ends.
fn resolve(
    modules: &BTreeMap<Module, Vec<Import>>,
    from: &[String],
    path: &[String],
    depth: usize,
) -> Option<Module> {
    let (mut at, mut rest) = match path.first()?.as_str() {
        "crate" => (crate_root(from), &path[1..]),
        "self" => (from.to_vec(), &path[1..]),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            (from[..from.len().checked_sub(ups)?].to_vec(), &path[ups..])
        }
        child => {
            let below: Module = from.iter().cloned().chain([child.to_owned()]).collect();
            (modules.contains_key(&below).then(|| from.to_vec())?, path)
        }
    };
    while let Some(next) = rest.first() {
        let below: Module = at.iter().cloned().chain([next.clone()]).collect();
        if modules.contains_key(&below) {
            (at, rest) = (below, &rest[1..]);
            continue;
        }
        // What a module passes on is the file that it has it from.
        let passed = modules.get(&at)?.iter().find(|import| import.passed_on && import.name == *next);
        if let Some(passed) = passed.filter(|_| depth < 8) {
            let path: Vec<String> = passed.path.iter().cloned().chain(rest[1..].iter().cloned()).collect();
            return resolve(modules, &at, &path, depth + 1);
        }
        break;
    }
    Some(at)
}

/// The circles of more than two modules: each module of one reaches each other.
fn circles() -> BTreeSet<BTreeSet<String>> {
    let modules = modules();
    let mut reaches: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, imports) in &modules {
        let used = imports.iter().filter(|import| !import.passed_on);
        let used = used.filter_map(|import| resolve(&modules, module, &import.path, 0));
        reaches.insert(module, used.filter(|used| used != module && modules.contains_key(used)).collect());
    }
    let from = |start: &Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start.clone()]);
        while let Some(next) = open.pop() {
            open.extend(reaches[&next].iter().filter(|used| seen.insert((*used).clone())).cloned());
        }
        seen
    };
    let all: BTreeMap<&Module, BTreeSet<Module>> =
        modules.keys().map(|module| (module, from(module))).collect();
    let circle = |module: &Module| -> BTreeSet<String> {
        let both = all[module].iter().filter(|other| all[*other].contains(module));
        both.map(|other| other.join("/")).collect()
    };
    modules.keys().map(circle).filter(|circle| circle.len() > 2).collect()
}

/// Whether a row has all files of a circle: one by one, or as `folder/*`.
fn covers(row: &BTreeSet<String>, circle: &BTreeSet<String>) -> bool {
    circle.iter().all(|file| {
        let folder = |entry: &String| entry.strip_suffix('*').is_some_and(|folder| file.starts_with(folder));
        row.contains(file) || row.iter().any(folder)
    })
}

/// The circles that the record has: a row each, every file or folder between backticks.
fn defended() -> BTreeSet<BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join(RECORD)).unwrap();
    let (_, section) = text.split_once("## Circles between files").expect("the record has the section");
    let rows =
        section.split("\n## ").next().unwrap_or_default().lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let files = row.split('|').nth(1).unwrap_or_default();
        files.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    })
    .collect()
}

#[test]
fn every_circle_between_files_is_defended() {
    let (found, defended) = (circles(), defended());
    let tell = |circles: Vec<&BTreeSet<String>>| -> String {
        let line =
            |circle: &&BTreeSet<String>| circle.iter().map(|file| format!("`{file}` ")).collect::<String>();
        circles.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let new = tell(found.iter().filter(|circle| !defended.iter().any(|row| covers(row, circle))).collect());
    let gone = tell(defended.iter().filter(|row| !found.iter().any(|circle| covers(row, circle))).collect());
    assert!(new.is_empty() && gone.is_empty(), "not in {RECORD}:\n{new}\nin it, and there is none:\n{gone}");
}

#[test]
fn what_a_source_imports_is_read_as_the_compiler_reads_it() {
    let text = "use super::{a::{self, B}, c as d};\npub use e::F;\npub(in crate::g) fn h() { crate::i::J::k(\"l::m\"); n::o(); }\n";
    let found: Vec<String> = imports(text)
        .iter()
        .map(|import| format!("{}{}", import.path.join("::"), if import.passed_on { " +" } else { "" }))
        .collect();
    assert_eq!(found, ["super::a", "super::a::B", "super::c", "e::F +", "crate::i::J::k", "n::o"]);
}
