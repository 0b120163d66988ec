//! Every blueprint that is shipped: brought up, found as it should be, changed behind berth's back, mended, taken down.

use crate::support::{Berth, root};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The blueprints that somebody would apply; what is in folders below is for them to include.
fn shipped() -> Vec<PathBuf> {
    let files = std::fs::read_dir(root().join("blueprints")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files
}

/// Gives a tag that the blueprint sets another value, on every resource that carries it. How many those were.
fn change_tags(berth: &Berth) -> usize {
    let mut resources = berth.export();
    let tagged = resources.iter_mut().filter(|resource| resource["tags"]["berth-blueprint"].is_string());
    let mut changed = 0;
    for resource in tagged {
        let tag = resource["tags"]
            .get_mut("team")
            .unwrap_or_else(|| panic!("a shipped blueprint sets the tag team"));
        *tag = json!("somebody-else");
        changed += 1;
    }
    berth.write("changed.json", Value::Array(resources).to_string().as_bytes());
    berth.run(["sim", "load", "changed.json"]).exits(0);
    changed
}

#[test]
fn every_blueprint_goes_all_the_way() {
    let mut names = Vec::new();
    for path in shipped() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // Beside it lies what it includes.
        let berth = Berth::new().beside(&path);
        berth.run(["validate", "blueprint.yaml", "--sim"]).exits(0);
        berth.apply(&[]).exits(0).says(&["Done."]);
        berth.plan(&[]).exits(0).says(&["No changes."]);
        berth.drift(&[]).exits(0).says(&["No drift."]);
        let changed = change_tags(&berth);
        assert!(changed > 0, "{name} makes nothing that has tags");
        let drift = berth.drift(&["--format", "json"]).exits(2).json();
        assert!(drift.to_string().contains("somebody-else"), "{name}: {drift}");
        berth.apply(&[]).exits(0);
        berth.drift(&[]).exits(0);
        berth.plan(&[]).exits(0).says(&["No changes."]);
        berth.destroy(&[]).exits(0);
        assert_eq!(berth.export(), Vec::<Value>::new(), "{name} leaves something behind");
        names.push(name);
    }
    assert!(names.len() >= 8, "{names:?}");
}
