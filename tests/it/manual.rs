//! What berth tells of itself: the JSON Schema, explain, init, and the pages that are made from the code.

use crate::support::{Berth, invalid, regen, root};
use berth::blueprint::{parse_value, schema};
use berth::catalog::registry;
use berth::host::files::write_atomic;
use berth::manual::{TEMPLATES, code_page, codes, explain, page, page_name};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn yaml(folder: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files
}

/// Compares a generated file with what it has to be, or writes it (`just regen`).
#[track_caller]
fn is_current(path: &str, wanted: &str) {
    let file = root().join(path);
    if regen() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        write_atomic(&file, wanted.as_bytes()).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "{path} is not what the code says: run `just regen`");
}

/// For each code the shortest of what berth says about a blueprint in `tests/invalid`.
fn reports() -> BTreeMap<String, String> {
    let mut shortest: BTreeMap<String, String> = BTreeMap::new();
    for case in invalid::cases() {
        for (code, text) in case.diagnostics(&case.said) {
            // The line that counts them all comes last.
            let lines = text.lines().filter(|line| line.is_empty() || line.starts_with(' '));
            let text = lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned();
            let known = shortest.entry(code.to_owned()).or_insert_with(|| text.clone());
            if text.len() < known.len() {
                *known = text;
            }
        }
    }
    shortest
}

/// The guides in the order in which people need them; others come behind.
const GUIDES: [&str; 19] = [
    "first-blueprint",
    "simulator",
    "signing-in",
    "reading-a-plan",
    "saved-plans",
    "shared-ledger",
    "environments",
    "modules-and-foreach",
    "clusters",
    "windows-pools",
    "gitops",
    "networks-and-guardrails",
    "private-everything",
    "approving-connections",
    "policies",
    "pipelines",
    "drift-on-a-schedule",
    "coming-from",
    "leaving-berth",
];

/// The table of contents of the book: every page below `docs`.
fn summary() -> String {
    let pages = |folder: &str| -> Vec<(String, String)> {
        let entries = std::fs::read_dir(root().join("docs").join(folder)).unwrap();
        let mut pages: Vec<(String, String)> = entries
            .filter_map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name()?.to_str()?.strip_suffix(".md")?.to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                Some((name, text.lines().next()?.strip_prefix("# ")?.to_owned()))
            })
            .collect();
        pages.sort();
        pages
    };
    let mut text = String::from("# Summary\n\n[berth](README.md)\n");
    let mut part = |title: &str, folder: &str, indent: &str, pages: &[(String, String)]| {
        if !title.is_empty() {
            text.push_str(&format!("\n# {title}\n\n"));
        }
        for (name, title) in pages {
            text.push_str(&format!("{indent}- [{title}]({folder}/{name}.md)\n"));
        }
    };
    let mut guides = pages("guides");
    guides.sort_by_key(|(name, _)| GUIDES.iter().position(|guide| guide == name).unwrap_or(GUIDES.len()));
    part("Guides", "guides", "", &guides);
    part("Concepts", "concepts", "", &pages("concepts"));
    part("Reference", "reference", "", &pages("reference"));
    part("Kinds", "reference/kinds", "", &pages("reference/kinds"));
    part("Decisions", "decisions", "", &pages("decisions"));
    text
}

#[test]
fn generated_files_are_current() {
    is_current("docs/schema/v1.json", &berth::report::json::to_text(&schema()));
    is_current("docs/reference/diagnostics.md", &code_page(&reports()));
    is_current("docs/reference/drift.md", &berth::manual::drift_page());
    is_current("docs/SUMMARY.md", &summary());
    for topic in berth::manual::TOPICS {
        is_current(&format!("docs/reference/{}.md", topic.name), &berth::manual::topic_page(topic));
    }
    for kind in registry() {
        is_current(&format!("docs/reference/kinds/{}", page_name(kind)), &page(kind));
    }
    let pages = std::fs::read_dir(root().join("docs/reference/kinds")).unwrap().count();
    assert_eq!(pages, registry().len(), "docs/reference/kinds has a page of a kind that there is not");
}

#[test]
fn shipped_blueprints_and_examples_are_valid_by_the_schema() {
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    let check = |name: &str, text: &str| {
        let value = parse_value(text).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error:.300}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    };
    for path in yaml("blueprints").into_iter().chain(yaml("blueprints/modules")).chain(yaml("tests/clusters"))
    {
        check(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
    }
    for kind in registry() {
        check(kind.section, &format!("blueprint: example\nazure: {{ location: x }}\n{}", kind.example));
    }
}

#[test]
fn the_schema_refuses_what_it_can_know_to_be_wrong() {
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    let mut refused = 0;
    for case in invalid::cases() {
        let Ok(text) = std::str::from_utf8(&case.blueprint) else { continue };
        let Ok(value) = parse_value(text) else { continue };
        let is_refused = !validator.is_valid(&value);
        refused += usize::from(is_refused);
        let first = case.said.lines().next().unwrap_or_default();
        if ["unknown-section", "blueprint-name", "entry-key"].contains(&first) && value.is_object() {
            assert!(is_refused, "{case}");
        }
    }
    assert!(refused >= 30, "{refused}");
}

/// The names of the `Code` constants in a folder of sources.
fn constants(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            constants(&path, names);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let named = text.split(": Code = Code {").skip(1).filter_map(|rest| rest.split('"').nth(1));
        names.extend(named.map(str::to_owned));
    }
}

#[test]
fn every_code_is_in_the_reference_once_and_says_enough() {
    let mut constants_in_sources = Vec::new();
    constants(&root().join("src"), &mut constants_in_sources);
    constants_in_sources.sort();
    let all = codes();
    let names: Vec<&str> = all.iter().map(|code| code.name).collect();
    assert_eq!(names, constants_in_sources, "a list of `CODES` misses a constant, or names one twice");
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two codes have one name");
    for code in &all {
        assert!(code.why.len() > 20 && code.remedy.len() > 5, "{} says too little", code.name);
    }
}

#[test]
fn kinds_fields_and_codes_are_explained() {
    let berth = Berth::new();
    berth.run(["explain"]).exits(0).says(&["clusters", "keyVaults"]);
    berth.run(["explain", "clusters"]).exits(0).says(&["kubernetesVersion", "For example"]);
    berth
        .run(["explain", "clusters.nodePools.system.vmSize"])
        .exits(0)
        .says(&["clusters.nodePools.KEY.vmSize"]);
    berth.run(["explain", "windows-pool-name"]).exits(0).says(&["What to do"]);
    berth.run(["explain", "clusters.netwrk"]).exits(1).complains(&["did you mean `clusters.network`?"]);
    assert!(explain(None).unwrap().len() > 300);
}

#[test]
fn the_schema_can_be_printed() {
    let printed: Value = Berth::new().run(["schema"]).exits(0).json();
    assert_eq!(printed, schema());
}

#[test]
fn a_template_is_written_once_and_works() {
    let shipped: Vec<String> = yaml("blueprints")
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
    names.sort_unstable();
    assert_eq!(names, shipped, "src/manual/templates.rs lists what is in blueprints/");
    let berth = Berth::new();
    for name in names {
        assert!(berth.run(["init", "--list"]).exits(0).stdout.contains(name));
        berth.run(["init", "new", "--template", name]).exits(0).says(&["What to do next", "--sim"]);
        let file = format!("new/{name}.yaml");
        berth.run(["validate", &file, "--sim"]).exits(0);
        let before = berth.read(&file);
        assert!(before.starts_with("# yaml-language-server: $schema=./berth.schema.json\n"), "{before}");
        assert_eq!(berth.read("new/berth.schema.json"), berth::report::json::to_text(&schema()));
        berth.run(["init", "new", "--template", name]).exits(1).complains(&["exists already"]);
        assert_eq!(berth.read(&file), before);
    }
    berth
        .run(["init", "other", "--template", "quikstart"])
        .exits(1)
        .complains(&["did you mean `quickstart`?"]);
    assert!(!berth.path("other").exists());
}
