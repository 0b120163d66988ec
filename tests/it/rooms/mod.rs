//! The rooms of `src/` use each other as `docs/concepts/architecture.md` says, and no test is forgotten.

mod circles;

use crate::support::root;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Uses = BTreeMap<String, BTreeSet<String>>;

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// A source text without comments, texts and what is compiled for tests only.
fn product(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        if line.trim() == "#[cfg(test)]" {
            // The item it is about: a line, or a block that ends where it began.
            let indent = line.len() - line.trim_start().len();
            let item = lines.next().unwrap_or_default();
            if item.trim_end().ends_with('{') {
                let end = format!("{}}}", " ".repeat(indent));
                for line in lines.by_ref() {
                    if line == end {
                        break;
                    }
                }
            }
            continue;
        }
        kept.push_str(line.split(" // ").next().unwrap_or_default());
        kept.push('\n');
    }
    kept
}

/// The room of a path such as `arm::transport`.
fn first(path: &str) -> &str {
    path.split("::").next().unwrap_or_default()
}

/// The paths that come directly after `crate::` in a text, two modules deep: also those of `crate::{a, b::c}`.
fn mentioned(text: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        let path = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'));
        let path: String = path.collect();
        let is_module = |part: &&str| part.starts_with(|c: char| c.is_lowercase());
        path.split("::").take(2).take_while(is_module).collect::<Vec<_>>().join("::")
    };
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$')) {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut item = true;
        for (at, c) in group.char_indices() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => item = true,
                c if item && !c.is_whitespace() => {
                    found.insert(name(&group[at..]));
                    item = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn rooms() -> BTreeSet<String> {
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let room = |line: &str| {
        let modules = line.strip_prefix("pub mod ").and_then(|line| line.strip_suffix(';'));
        modules.map(str::to_owned).or_else(|| crate_of(line))
    };
    library.lines().filter_map(room).collect()
}

/// The room of a line `pub use berth_sim as sim;`: a crate of its own. Without `pub` the library keeps it to itself.
fn crate_of(line: &str) -> Option<String> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let (package, name) = line.strip_prefix("use berth_")?.strip_suffix(';')?.split_once(" as ")?;
    (package == name).then(|| name.to_owned())
}

/// The crates of the workspace that a crate depends on, as its manifest says: the compiler lets it use no other.
fn depends_on(room: &str) -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(root().join("src").join(room).join("Cargo.toml")).unwrap();
    let (_, dependencies) = manifest.split_once("\n[dependencies]\n").unwrap();
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();
    let named = dependencies.lines().filter_map(|line| line.strip_prefix("berth-")?.split(['.', ' ']).next());
    named.map(str::to_owned).collect()
}

/// Which room uses which, as the sources say.
fn found() -> Uses {
    let rooms = rooms();
    let mut uses = Uses::new();
    for room in &rooms {
        if root().join("src").join(room).join("Cargo.toml").exists() {
            uses.insert(room.clone(), depends_on(room));
            continue;
        }
        let used = uses.entry(room.clone()).or_default();
        for file in rust_files(&root().join("src").join(room)) {
            let below = file.strip_prefix(root()).unwrap();
            if below.components().any(|part| part.as_os_str() == "tests") || is_for_tests(&file) {
                continue;
            }
            let mentioned = mentioned(&product(&std::fs::read_to_string(&file).unwrap()));
            used.extend(
                mentioned.into_iter().filter(|path| first(path) != room && rooms.contains(first(path))),
            );
        }
    }
    uses
}

/// Whether the module a file is was declared under `#[cfg(test)]`.
fn is_for_tests(file: &Path) -> bool {
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let parent = file.with_file_name("mod.rs");
    let Ok(text) = std::fs::read_to_string(parent) else { return false };
    let declared = |visibility: &str| text.contains(&format!("#[cfg(test)]\n{visibility}mod {stem};"));
    ["", "pub(crate) ", "pub "].into_iter().any(declared)
}

/// Which room may use which, as the table in the documentation says; `arm::transport` is a part of a room.
fn allowed() -> Uses {
    let path = root().join("docs/concepts/architecture.md");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (_, rest) = text.split_once("## Who may use whom").expect("the page has the section");
    let section = rest.split("\n## ").next().unwrap_or_default();
    let names =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut uses = Uses::new();
    for line in section.lines().filter(|line| line.trim_start().starts_with('|')) {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').collect();
        let [rooms, may] = cells[..] else { panic!("this row has not two cells: {line}") };
        for room in names(rooms) {
            uses.entry(first(&room).to_owned()).or_default().extend(names(may));
        }
    }
    uses
}

#[test]
fn rooms_use_only_what_the_architecture_allows() {
    let (found, allowed) = (found(), allowed());
    let mut wrong = Vec::new();
    for (room, used) in &found {
        let Some(may) = allowed.get(room) else {
            wrong.push(format!("`{room}` is not in the table; it uses {used:?}"));
            continue;
        };
        let is_allowed = |path: &String| {
            may.contains(path)
                || may.contains(first(path))
                || may.iter().any(|may| path.starts_with(&format!("{may}::")))
        };
        let is_used = |path: &&String| used.iter().any(|used| first(used) == first(path));
        let unused = may.iter().filter(|path| !is_used(path));
        wrong.extend(unused.map(|may| format!("`{room}` does not use `{may}`, which the table allows")));
        let forbidden = used.iter().filter(|path| !is_allowed(path));
        wrong.extend(forbidden.map(|used| format!("`{room}` uses `{used}`, which the table does not allow")));
    }
    let rooms = rooms();
    for (room, may) in &allowed {
        for name in std::iter::once(room).chain(may).filter(|name| !rooms.contains(first(name))) {
            wrong.push(format!("`{name}` is in the table and is not a room"));
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "docs/concepts/architecture.md and src/ disagree:\n{}", wrong.join("\n"));
}

/// Inside the simulator's crate the compiler holds nothing.
#[test]
fn the_simulators_core_names_no_type_and_its_types_no_front_door() {
    let layers: [(&str, &[&str]); 3] = [
        ("core", &["core", "host"]),
        ("types", &["core", "host", "types"]),
        ("front", &["core", "front", "host", "jwt", "state_file", "types"]),
    ];
    let mut wrong = Vec::new();
    for (layer, may) in layers {
        for file in rust_files(&root().join("src/sim").join(layer)) {
            let text = product(&std::fs::read_to_string(&file).unwrap());
            let named = mentioned(&text);
            let named = named.iter().map(|path| first(path)).filter(|module| !module.is_empty());
            wrong.extend(
                named.filter(|module| !may.contains(module)).map(|m| format!("{}: {m}", file.display())),
            );
            // `super` alone stays within the layer.
            if text.contains("super::super") {
                wrong.push(format!("{}: super::super", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "a layer of the simulator names one above it:\n{}", wrong.join("\n"));
}

/// What went wrong and what to do about it are two fields ([`berth::diag::Failure`], or an enum with a `hint`) from where
/// an error arises to where it is shown. The simulator is for others to use, and has no helps.
#[test]
fn errors_are_types_and_keep_their_help_apart() {
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("src")) {
        let below = file.strip_prefix(root().join("src")).unwrap().to_owned();
        if below.starts_with("sim") || is_for_tests(&file) {
            continue;
        }
        let text = product(&std::fs::read_to_string(&file).unwrap());
        if text.contains("\\nhelp: ") {
            wrong.push(format!("{}: a help within a message", below.display()));
        }
        let returned = text.match_indices("Result<").map(|(at, start)| arguments(&text[at + start.len()..]));
        wrong.extend(
            returned
                .filter(|arguments| {
                    arguments.len() > 1 && arguments.last().is_some_and(|error| error == "String")
                })
                .map(|arguments| format!("{}: Result<{}>", below.display(), arguments.join(", "))),
        );
    }
    assert!(wrong.is_empty(), "use `diag::Failure`, or an error of the room:\n{}", wrong.join("\n"));
}

/// The arguments of a generic type, from behind its `<`: `Vec<(A, B)>, C> …` has two.
fn arguments(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if depth == 0 => break,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        all.last_mut().unwrap().push(c);
    }
    all.into_iter().map(|argument| argument.trim().to_owned()).collect()
}

#[test]
fn what_is_read_of_a_source_is_what_the_product_uses() {
    let text = "use crate::diag::{Diagnostic, Span};\nuse crate::{ident, value::{self, token}, host};\n// crate::arm\n\
                fn f() { crate::graph::Dag::new(1); }\n#[cfg(test)]\nmod tests {\n    use crate::sim::Simulator;\n}\n";
    let found: Vec<String> = mentioned(&product(text)).into_iter().collect();
    assert_eq!(found, ["diag", "graph", "host", "ident", "value"]);
    let text = "use crate::arm::transport::{Method, Request};\nfn f() { crate::ident::ArmId::parse(x); my_crate::no::f() }\n";
    let found: Vec<String> = mentioned(&product(text)).into_iter().collect();
    assert_eq!(found, ["arm::transport", "ident"]);
    assert_eq!(arguments("Vec<(A, B)>, String> {"), ["Vec<(A, B)>", "String"]);
    assert_eq!(arguments("Result<A, B>, String>>);"), ["Result<A, B>", "String"]);
}

#[test]
fn no_module_of_the_tests_is_forgotten() {
    let tests = root().join("tests/it");
    for file in rust_files(&tests).into_iter().filter(|file| *file != tests.join("main.rs")) {
        // A folder is the module of its name, and lists its own.
        let module = if file.ends_with("mod.rs") { file.parent().unwrap() } else { &file };
        let parent = module.parent().unwrap();
        let list = parent.join(if parent == tests { "main.rs" } else { "mod.rs" });
        let stem = module.file_stem().unwrap().to_str().unwrap();
        assert!(
            std::fs::read_to_string(&list).unwrap().contains(&format!("\nmod {stem};\n")),
            "{} has no `mod {stem};`",
            list.display()
        );
    }
}
