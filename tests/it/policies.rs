//! `--policy`: what the policies of `policies/` deny, and that a denied plan writes nothing.

use crate::support::{Berth, Ended, root};
use serde_json::{Value, json};

/// A folder with a blueprint of `tests/policies` and the policies as they are shipped.
fn with(name: &str) -> Berth {
    let berth = Berth::new();
    for entry in std::fs::read_dir(root().join("policies")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        berth.write(&format!("policies/{name}"), &std::fs::read(&path).unwrap());
    }
    let text = std::fs::read_to_string(root().join(format!("tests/policies/{name}.yaml"))).unwrap();
    berth.blueprint(&text)
}

/// Compares with `tests/policies/NAME.snap`.
fn snapshot(name: &str, ended: &Ended) {
    insta::with_settings!({ snapshot_path => "../policies", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, format!("{}{}", ended.stdout, ended.stderr));
    });
}

#[test]
fn each_policy_denies_what_it_is_for_and_names_address_and_line() {
    for name in ["public-vault", "open-cluster", "untainted-windows", "far-region"] {
        let berth = with(name);
        let denied = berth.run(["validate", "blueprint.yaml", "--policy", "policies"]).exits(4);
        snapshot(name, &denied);
        assert!(denied.stdout.contains("  blueprint.yaml:"), "{denied:?}");
        let plan = berth.plan(&["--policy", "policies", "--out", "p.plan"]).exits(4);
        assert!(plan.complains(&["a policy denies this plan"]).stdout.contains("1 denied"));
        assert!(!berth.path("p.plan").exists(), "a plan that is denied is not saved");
        berth.apply(&["--policy", "policies"]).exits(4).complains(&["nothing was done"]);
        assert_eq!(berth.export(), [] as [Value; 0], "a plan that is denied writes nothing");
    }
}

#[test]
fn a_blueprint_that_keeps_to_the_policies_passes_everywhere() {
    let berth = with("fine");
    let said = berth.run(["validate", "blueprint.yaml", "--policy", "policies"]).exits(0);
    said.says(&["Policies: nothing to say.", "is valid"]);
    berth.apply(&["--policy", "policies"]).exits(0).says(&["Done."]);
    berth.plan(&["--policy", "policies"]).exits(0).says(&["No changes.", "Policies: nothing to say."]);
    // What stays as it is, is judged too.
    berth.edit("publicAccess: false", "publicAccess: true");
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth.plan(&["--policy", "policies"]).exits(4).says(&["No changes.", "keyVaults.secrets"]);
}

#[test]
fn findings_are_in_the_json_and_in_the_markdown() {
    let berth = with("public-vault");
    berth.write(
        "more/warn.rego",
        b"package more\nwarn contains msg if { some s in input.steps; s.action == \"create\"; \
          s.kind == \"key vault\"; msg := sprintf(\"%s is new\", [s.address]) }\n",
    );
    let both = ["--policy", "policies/vaults.rego", "--policy", "more"];
    let plan = berth.plan(&[&both[..], &["--format", "json"]].concat()).exits(4).json();
    let place = json!({ "file": "blueprint.yaml", "line": 17, "column": 3 });
    let message =
        "the vault keyVaults.secrets can be reached from public networks: set `publicAccess: false`";
    let expected = json!([
        { "verdict": "deny", "rule": "berth.vaults.deny", "message": message,
          "address": "keyVaults.secrets", "place": place },
        { "verdict": "warn", "rule": "more.warn", "message": "keyVaults.secrets is new",
          "address": "keyVaults.secrets", "place": place },
    ]);
    assert_eq!(plan["findings"], expected);
    let markdown = berth.plan(&[&both[..], &["--format", "markdown"]].concat()).exits(4);
    markdown.says(&[
        "### Policies",
        "- **denied** <code>keyVaults.secrets</code> (<code>blueprint.yaml:17:3</code>)",
    ]);
    // A warning alone stands in nobody's way.
    berth.plan(&["--policy", "more"]).exits(2).says(&["0 denied, 1 warning."]);
}

#[test]
fn a_policy_with_a_mistake_is_named_with_its_line() {
    let berth = with("fine");
    berth.write("broken.rego", b"package broken\n\ndeny contains msg if {\n  msg := (\n}\n");
    let validate = |path: &str| berth.run(["validate", "blueprint.yaml", "--policy", path]).exits(1);
    validate("broken.rego").complains(&["broken.rego:4:", "help: correct the file"]);
    validate("nowhere").complains(&["nowhere: No such file", "help: name a file or a folder"]);
    berth.write("empty/notes.txt", b"");
    validate("empty").complains(&["this folder holds no policies"]);
    berth.write("mute.rego", b"package mute\nallow := true\n");
    validate("mute.rego").complains(&["no rule named `deny`, `violation` or `warn`"]);
}
