//! `plan --out` and `apply PLAN`: what was shown is what is done, or nothing is.

use crate::support::{Berth, root};
use serde_json::{Value, json};

const PLAN: &str = "shop.plan";

/// The quickstart, planned and saved.
fn planned() -> Berth {
    let berth = Berth::quickstart();
    berth
        .plan(&["--out", PLAN])
        .exits(2)
        .complains(&["Saved the plan to shop.plan: `berth apply shop.plan`"]);
    berth
}

fn apply(berth: &Berth) -> crate::support::Run {
    berth.run(["apply", PLAN, "--sim", "--auto-approve"])
}

/// The quickstart, applied; then its network has another tag, and that is planned and saved.
fn changed() -> Berth {
    let berth = Berth::quickstart();
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth.edit("team: platform", "team: shop");
    berth.plan(&["--out", PLAN]).exits(2).complains(&["Saved the plan"]);
    berth
}

/// Changes something in Azure.
fn meanwhile(berth: &Berth, end: &str, change: impl FnOnce(&mut Value)) {
    let all = berth.export();
    let mut found = all.into_iter().find(|resource| resource["id"].as_str().unwrap().ends_with(end)).unwrap();
    change(&mut found);
    berth.write("changed.json", json!([found]).to_string().as_bytes());
    berth.run(["sim", "load", "changed.json"]).exits(0).complains(&["Loaded 1"]);
}

#[test]
fn a_saved_plan_is_carried_out_and_then_nothing_is_left() {
    let berth = planned();
    apply(&berth).exits(0).says(&["Done.", "+ created    clusters.aks "]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    let again = apply(&berth).exits(4);
    again.complains(&["the saved plan no longer holds; nothing was done", "the ledger: was serial 0, is"]);
}

#[test]
fn a_plan_is_applied_where_its_blueprint_never_was() {
    let berth = changed();
    let text = berth.read(PLAN);
    let blueprint = berth.read("blueprint.yaml");
    std::fs::remove_file(berth.path("blueprint.yaml")).unwrap();
    apply(&berth).exits(0).says(&["~ updated    networks.hub"]);
    berth.write("blueprint.yaml", blueprint.as_bytes());
    berth.plan(&[]).exits(0).says(&["No changes."]);
    // No secret and none of its made-up stand-ins is in the file.
    assert!(!text.contains("Made-up-"), "a secret is in the plan");
}

#[test]
fn a_plan_is_refused_when_the_blueprint_moved() {
    let berth = changed();
    berth.edit("team: shop", "team: other");
    let refused = apply(&berth).exits(4);
    refused
        .complains(&["the blueprint blueprint.yaml: was as the plan holds it, is differing from line 15 on"]);
}

#[test]
fn a_plan_is_refused_when_a_managed_field_moved_and_not_for_others() {
    let berth = changed();
    // Nobody's business: a tag that the blueprint does not have.
    meanwhile(&berth, "/virtualNetworks/vnet-shop", |network| network["tags"]["cost"] = json!("7"));
    let before = berth.export();
    meanwhile(&berth, "/virtualNetworks/vnet-shop", |network| network["tags"]["team"] = json!("them"));
    let refused = apply(&berth).exits(4);
    refused.complains(&["networks.hub tags.team: was `platform`, is `them`", "help: plan again"]);
    meanwhile(&berth, "/virtualNetworks/vnet-shop", |network| network["tags"]["team"] = json!("platform"));
    assert_eq!(berth.export(), before, "a plan that is refused writes nothing");
    apply(&berth).exits(0).says(&["~ updated    networks.hub"]);
    let kept = berth.export();
    let network = kept.iter().find(|r| r["id"].as_str().unwrap().ends_with("/vnet-shop")).unwrap();
    assert_eq!((&network["tags"]["cost"], &network["tags"]["team"]), (&json!("7"), &json!("shop")));
}

#[test]
fn a_plan_is_refused_when_a_resource_vanished() {
    let berth = changed();
    let server = berth.sim_serve();
    let end = "/privateEndpoints/pe-vault-by-hand";
    let ids = berth.ledger()["resources"].as_object().unwrap().clone();
    let endpoint = ids.keys().find(|id| id.to_lowercase().ends_with(&end.to_lowercase())).unwrap();
    server.write("DELETE", endpoint, "2024-05-01", None);
    server.stop();
    apply(&berth).exits(4).complains(&["privateEndpoints.vaultByHand: was there, is not there"]);
}

#[test]
fn secrets_are_given_again_and_must_be_the_same() {
    let berth = Berth::quickstart();
    let secret = "Canary-value-1!";
    let with = |args: &[&str], password: &str| {
        let mut command = berth.command(args.iter().copied());
        command.env("WINDOWS_ADMIN_PASSWORD", password);
        crate::support::Run::of(args, command.output().unwrap())
    };
    with(&["plan", "blueprint.yaml", "--sim", "--out", PLAN], secret).exits(2).complains(&["Saved"]);
    assert!(!berth.read(PLAN).contains(secret));
    let refused = with(&["apply", PLAN, "--sim", "--auto-approve"], "Another-value-2!").exits(4);
    refused.complains(&["the secret parameter `adminPassword`: was the value that the plan was made with"]);
    let refused = berth.run(["apply", PLAN, "--sim", "-p", "environment=prod"]).exits(1);
    refused.complains(&["the plan has settled the parameter `environment`"]);
    berth
        .run(["apply", PLAN, "--sim", "--auto-approve", "-p", &format!("adminPassword={secret}")])
        .exits(0)
        .says(&["Done."]);
}

#[test]
fn parameters_travel_with_the_plan() {
    let berth = Berth::quickstart();
    berth.plan(&["--out", PLAN, "-p", "environment=prod"]).exits(2).complains(&["Saved"]);
    apply(&berth).exits(0).says(&["Done."]);
    let made = berth.export();
    assert!(made.iter().any(|made| made["id"].as_str().unwrap().ends_with("/resourceGroups/rg-shop-prod")));
}

#[test]
fn a_blueprint_that_holds_its_secret_is_not_saved() {
    let berth = Berth::quickstart();
    berth.edit("env: WINDOWS_ADMIN_PASSWORD", "default: In-the-text-1!");
    let refused = berth.plan(&["--out", PLAN]).exits(1);
    refused.complains(&["the blueprint's text holds the value of the secret parameter `adminPassword`"]);
    assert!(!berth.path(PLAN).exists());
}

#[test]
fn protection_is_allowed_with_the_plan_or_with_the_apply() {
    for (at_plan, at_apply, code) in [(true, false, 0), (false, true, 0), (false, false, 4)] {
        let berth = Berth::quickstart();
        berth.edit(
            "logs: { name: log-shop, retentionDays: 30, protect: false }",
            "logs: { name: log-shop }\n  old: { name: log-old, protect: true }",
        );
        berth.apply(&[]).exits(0).says(&["Done."]);
        berth.edit("\n  old: { name: log-old, protect: true }", "");
        let allow = ["--allow-delete", "logWorkspaces.old"];
        let more = |wanted: bool| if wanted { &allow[..] } else { &[] };
        berth.plan(&[&["--out", PLAN], more(at_plan)].concat()).exits(2).complains(&["Saved"]);
        let args = [&["apply", PLAN, "--sim", "--auto-approve"], more(at_apply)].concat();
        let _ = berth.run(args).exits(code);
    }
}

#[test]
fn a_plan_of_another_version_or_another_cloud_is_refused() {
    let berth = planned();
    let text = berth.read(PLAN);
    let mut newer: Value = serde_json::from_str(&text).unwrap();
    newer["formatVersion"] = json!(2);
    berth.write(PLAN, newer.to_string().as_bytes());
    apply(&berth).exits(1).complains(&["format version 2, and this berth reads version 1", "plan again"]);
    berth.write(PLAN, &text.as_bytes()[..text.len() / 2]);
    apply(&berth).exits(1).complains(&["this saved plan is damaged"]);
    let mut other: Value = serde_json::from_str(&text).unwrap();
    other["setting"]["target"] = json!("public");
    berth.write(PLAN, other.to_string().as_bytes());
    apply(&berth).exits(4).complains(&["the cloud: was public, is simulator"]);
    // What was tampered with is not what would be planned.
    let mut other: Value = serde_json::from_str(&text).unwrap();
    other["plan"]["steps"][0]["action"] = json!("no-op");
    berth.write(PLAN, other.to_string().as_bytes());
    apply(&berth).exits(4).complains(&["was no-op, is "]);
    assert_eq!(berth.export(), [] as [Value; 0]);
}

/// The schema as it is committed, which is the one that the types give. `INSTA_UPDATE=always` writes it anew, as it
/// does snapshots.
#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
fn schema() -> Value {
    let path = root().join("docs/schema/plan-v1.json");
    let made = berth::report::json::to_text(&berth::report::schema());
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        berth::host::files::write_atomic(&path, made.as_bytes()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), made, "run with INSTA_UPDATE=always to write it anew");
    serde_json::from_str(&made).unwrap()
}

#[test]
fn every_plan_as_json_is_as_its_schema_says() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let valid = |plan: &Value| {
        let problems: Vec<String> =
            validator.iter_errors(plan).map(|e| format!("{} at {}", e, e.instance_path())).collect();
        assert_eq!(problems, [] as [&str; 0]);
    };
    let berth = Berth::quickstart();
    valid(&berth.plan(&["--format", "json"]).exits(2).json());
    berth.apply(&[]).exits(0).says(&["Done."]);
    let idle = berth.plan(&["--format", "json"]).exits(0).json();
    valid(&idle);
    let step = |plan: &Value, address: &str| {
        plan["steps"].as_array().unwrap().iter().find(|s| s["address"] == address).unwrap().clone()
    };
    let network = step(&idle, "networks.hub");
    assert_eq!(network["place"], json!({ "file": "blueprint.yaml", "line": 18, "column": 3 }));
    assert_eq!((&network["kind"], &network["location"]), (&json!("virtual network"), &json!("westeurope")));
    assert_eq!(network["live"]["tags"], network["desired"]["tags"]);
    assert_eq!(network["live"]["etag"], Value::Null);
    berth.edit("team: platform", "team: shop");
    berth.edit("retentionDays: 30", "retentionDays: 60");
    valid(&berth.plan(&["--format", "json"]).exits(2).json());
}

#[test]
fn a_plan_holds_modules_and_values_and_is_applied_where_they_never_were() {
    let spokes = root().join("blueprints/spokes.yaml");
    let berth = Berth::new().beside(&spokes);
    berth.write(
        "values.yaml",
        b"spokes:\n  shop: { range: 10.91.0.0/16, location: westeurope, open: [] }\n\
          \x20 web: { range: 10.90.0.0/16, location: westeurope, open: [443] }\n",
    );
    let values = ["--values", "values.yaml", "--out", PLAN];
    berth.plan(&values).exits(2).complains(&["Saved the plan"]);
    let given = berth.run(["apply", PLAN, "--sim", "--auto-approve", "--values", "values.yaml"]);
    given.exits(0).says(&["+ created    module.spoke[web].networks.spoke.subnets.public"]);
    berth.plan(&values).exits(0).says(&["No changes."]);

    let elsewhere = Berth::new();
    elsewhere.write(PLAN, berth.read(PLAN).as_bytes());
    let moved = elsewhere.run(["apply", PLAN, "--sim", "--auto-approve"]).exits(4);
    moved.complains(&["the ledger: was"]);

    berth.write("modules/spoke.yaml", format!("{}\n", berth.read("modules/spoke.yaml")).as_bytes());
    apply(&berth).exits(4).complains(&["the blueprint modules/spoke.yaml: was as the plan holds it"]);
    berth.write("values.yaml", b"spokes: {}\n");
    let other = berth.run(["apply", PLAN, "--sim", "--values", "values.yaml"]).exits(1);
    other.complains(&["the plan has settled the parameter `spokes`"]);

    std::fs::remove_file(berth.path("modules/spoke.yaml")).unwrap();
    std::fs::remove_file(berth.path("blueprint.yaml")).unwrap();
    apply(&berth).exits(0);
}

#[test]
fn a_plan_is_drawn_with_what_it_does() {
    let berth = Berth::quickstart();
    let drawn = |file: &str| berth.run(["graph", file, "--format", "json"]).exits(0).json();
    // Of a blueprint everything is to be made.
    let blueprint = drawn("blueprint.yaml");
    let nodes = blueprint["nodes"].as_array().unwrap().clone();
    let is_made = |node: &&Value| node["address"].as_str().unwrap().starts_with("clusters.");
    assert!(nodes.iter().filter(is_made).all(|node| node["action"] == "create"), "{blueprint:#}");
    let path = blueprint["criticalPath"].as_array().unwrap();
    assert!(path.iter().any(|address| address.as_str().unwrap().starts_with("clusters.")), "{blueprint:#}");
    berth.apply(&[]).exits(0);
    berth.plan(&["--out=p.json"]).exits(0);
    let plan = drawn("p.json");
    assert_eq!(plan["nodes"].as_array().unwrap().len(), nodes.len());
    assert!(plan["nodes"].as_array().unwrap().iter().all(|node| node["action"] == "no-op"), "{plan:#}");
    assert_eq!(plan["expectedMs"], 0);
    berth.run(["graph", "p.json", "--format", "html"]).exits(0).says(&["<svg", "Graph of"]);
    berth.run(["graph", "p.json"]).exits(1).complains(&["is drawn as `html` or `json`"]);
}
