//! The quickstart, as a newcomer runs it: from nothing to a cluster and back.

use crate::support::Berth;
use serde_json::{Value, json};

fn ids(export: &[Value]) -> Vec<String> {
    export.iter().map(|resource| resource["id"].as_str().unwrap().to_owned()).collect()
}

/// The one id that ends so.
#[track_caller]
fn id_of(berth: &Berth, end: &str) -> String {
    let ids = ids(&berth.export());
    let found: Vec<&String> = ids.iter().filter(|id| id.ends_with(end)).collect();
    assert_eq!(found.len(), 1, "{end} in {ids:#?}");
    found[0].clone()
}

fn steps(plan: &Value) -> Vec<(String, String)> {
    let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
    let steps = plan["steps"].as_array().unwrap().iter();
    let steps = steps.map(|step| (text(step, "action"), text(step, "address")));
    steps.filter(|(action, _)| action != "no-op").collect()
}

#[test]
fn apply_creates_everything_and_then_nothing_is_left_to_do() {
    let berth = Berth::quickstart();
    berth.apply(&[]).exits(0).says(&["Done.", "issuer = \"https://", "+ created    clusters.aks "]);
    let owned = berth.ledger()["resources"].as_object().unwrap().clone();
    assert!(owned.len() >= 25, "{} resources", owned.len());
    let made: Vec<String> = ids(&berth.export()).iter().map(|id| id.to_lowercase()).collect();
    for id in owned.keys() {
        assert!(made.contains(&id.to_lowercase()), "{id} is in the ledger and not in Azure");
    }
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.drift(&[]).exits(0).says(&["No drift."]);
    let before = berth.export();
    berth.apply(&[]).exits(0).says(&["No changes."]);
    assert_eq!(berth.export(), before, "an apply with nothing to do does nothing");
}

#[test]
fn a_plan_on_an_empty_subscription_is_known_but_for_what_azure_invents() {
    let berth = Berth::quickstart();
    let plan = berth.plan(&["--format", "json"]).exits(2).json();
    for (action, address) in steps(&plan) {
        let wanted = match address.split('.').next_back() {
            _ if address.starts_with("providers.") || address.starts_with("features.") => "register",
            Some("connection") => "approve",
            _ => "create",
        };
        assert_eq!(action, wanted, "{address}");
    }
    let mut unknown = Vec::new();
    let mut secret = Vec::new();
    for step in plan["steps"].as_array().unwrap() {
        let address = step["address"].as_str().unwrap();
        let paths = |name: &str| step[name].as_array().unwrap().clone();
        unknown.extend(paths("unknown").iter().map(|path| format!("{address}: {}", path.as_str().unwrap())));
        secret.extend(paths("secret").iter().map(|path| format!("{address}: {}", path.as_str().unwrap())));
    }
    unknown.sort();
    // Principals and the issuer: nobody but Azure can make those up.
    let wanted = [
        "identities.app.federatedCredentials.spboot: properties.issuer",
        "roleAssignments.appVaultReader: properties.principalId",
        "roleAssignments.controlPlaneNetwork: properties.principalId",
        "roleAssignments.metrics: properties.principalId",
        "roleAssignments.vaultReader: properties.principalId",
    ];
    assert_eq!(unknown, wanted);
    let wanted = [
        "clusters.aks: properties.windowsProfile.adminPassword",
        "keyVaults.secrets.secrets.windowsPassword: properties.value",
    ];
    assert_eq!(secret, wanted);
    for (name, known) in [("fqdn", false), ("issuer", false), ("vault", false)] {
        assert_eq!(plan["outputs"][name]["known"], json!(known), "{name}");
    }
    let run = berth.plan(&[]).exits(2).says(&["addressSpace = { addressPrefixes: [\"10.20.0.0/16\"] }"]);
    let shown = run.stdout.matches("(known after apply)").count();
    // A role assignment is told in words, with the address of who is given the role.
    let in_words = unknown.iter().filter(|path| path.starts_with("roleAssignments.")).count();
    assert!(shown >= unknown.len() - in_words, "{shown} are shown");
    assert!(run.stdout.contains("for identities.controlPlane on"), "{}", run.stdout);
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(berth.export(), [] as [Value; 0], "a plan makes nothing");
}

#[test]
fn a_change_from_outside_is_drift_and_apply_mends_it() {
    let berth = Berth::quickstart();
    berth.apply(&[]).exits(0).says(&["Done."]);
    let network = id_of(&berth, "/virtualNetworks/vnet-shop");
    let server = berth.sim_serve();
    let tags =
        json!({ "tags": { "team": "somebody else", "environment": "dev", "berth-blueprint": "shop" } });
    server.write("PATCH", &network, "2024-05-01", Some(&tags));
    let (status, mut pool) = {
        let id = format!("{}/agentPools/linux", cluster(&network));
        server.send("GET", &format!("{id}?api-version=2025-05-01"), None)
    };
    assert_eq!(status, 200);
    pool["properties"]["maxCount"] = json!(9);
    server.write("PUT", &format!("{}/agentPools/linux", cluster(&network)), "2025-05-01", Some(&pool));
    server.stop();

    berth.drift(&[]).exits(2).says(&["networks.hub", "team", "platform", "somebody else", "maxCount", "9"]);
    let drift = berth.drift(&["--format", "json"]).exits(2).json();
    let field = |address: &str| {
        let all = drift["drifted"].as_array().unwrap();
        let found = all.iter().find(|drift| drift["address"] == address);
        found.unwrap_or_else(|| panic!("{address} is not in {drift:#}"))["fields"].clone()
    };
    assert_eq!(drift["drifted"].as_array().unwrap().len(), 2, "{drift:#}");
    let expected = json!([{ "path": "tags.team", "severity": "low", "expected": "platform", "actual": "somebody else" }]);
    assert_eq!(field("networks.hub"), expected);
    let expected =
        json!([{ "path": "properties.maxCount", "severity": "medium", "expected": 5, "actual": 9 }]);
    assert_eq!(field("clusters.aks.nodePools.linux"), expected);
    let markdown = berth.drift(&["--format", "markdown"]).exits(2).says(&[
        "networks.hub",
        "tags.team",
        "platform",
        "somebody else",
    ]);
    assert!(markdown.stdout.lines().any(|line| line.starts_with('|') || line.starts_with('#')));

    let plan = berth.plan(&["--format", "json"]).exits(2).json();
    let mut planned = steps(&plan);
    planned.sort();
    let update = |address: &str| ("update".to_owned(), address.to_owned());
    assert_eq!(planned, [update("clusters.aks.nodePools.linux"), update("networks.hub")]);
    berth.apply(&[]).exits(0).says(&["~ updated    networks.hub"]);
    berth.drift(&[]).exits(0).says(&["No drift."]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
}

fn cluster(network: &str) -> String {
    let group = network.split("/providers/").next().unwrap();
    format!("{group}/providers/Microsoft.ContainerService/managedClusters/aks-shop")
}

#[test]
fn what_vanished_is_drift_and_is_made_again() {
    let berth = Berth::quickstart();
    berth.apply(&[]).exits(0).says(&["Done."]);
    let endpoint = id_of(&berth, "/privateEndpoints/pe-vault-by-hand");
    let server = berth.sim_serve();
    server.write("DELETE", &endpoint, "2024-05-01", None);
    server.stop();
    let drift = berth.drift(&["--format", "json"]).exits(2).json();
    let drifted = drift["drifted"].as_array().unwrap();
    assert_eq!(drifted.len(), 1, "{drift:#}");
    assert_eq!(drifted[0]["address"], "privateEndpoints.vaultByHand");
    assert_eq!(drifted[0]["kind"], "missing");
    berth.apply(&[]).exits(0).says(&["+ created    privateEndpoints.vaultByHand", "✓ approved"]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.drift(&[]).exits(0).says(&["No drift."]);
}

#[test]
fn an_entry_that_goes_is_deleted_and_nothing_else_is() {
    let berth = Berth::quickstart();
    berth.apply(&[]).exits(0).says(&["Done."]);
    let before = ids(&berth.export());
    berth.edit("      winpl: { os: Windows, osSku: Windows2022, count: 1, vmSize: Standard_D4s_v5 }\n", "");
    let plan = berth.plan(&["--format", "json"]).exits(2).json();
    assert_eq!(steps(&plan), [("delete".to_owned(), "clusters.aks.nodePools.winpl".to_owned())]);
    berth.apply(&[]).exits(0).says(&["- deleted    clusters.aks.nodePools.winpl"]);
    let after = ids(&berth.export());
    let gone: Vec<&String> = before.iter().filter(|id| !after.contains(id)).collect();
    assert_eq!(gone.len(), 1, "{gone:#?}");
    assert!(gone[0].ends_with("/agentPools/winpl"));
    assert_eq!(after.len(), before.len() - 1);
    berth.plan(&[]).exits(0).says(&["No changes."]);
}

#[test]
fn destroy_leaves_nothing_and_apply_brings_it_back() {
    let berth = Berth::quickstart();
    berth.apply(&[]).exits(0).says(&["Done."]);
    let first = ids(&berth.export());
    berth.destroy(&[]).exits(0).says(&["- deleted    clusters.aks"]);
    assert_eq!(berth.export(), [] as [Value; 0]);
    assert_eq!(berth.ledger()["resources"], json!({}));
    // Azure keeps a deleted vault's name; berth takes the vault back instead of making another.
    let plan = berth.plan(&["--format", "json"]).exits(2).json();
    assert!(steps(&plan).contains(&("recover".to_owned(), "keyVaults.secrets".to_owned())), "{plan:#}");
    berth.apply(&[]).exits(0).says(&["keyVaults.secrets", "Done."]);
    assert_eq!(ids(&berth.export()), first);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.destroy(&[]).exits(0).says(&["Done."]);
    assert_eq!(berth.export(), [] as [Value; 0]);
    berth.destroy(&[]).exits(0).says(&["Nothing to destroy. shop owns nothing."]);
}

#[test]
fn outputs_are_kept_for_those_who_ask_later() {
    let berth = Berth::quickstart();
    berth.apply(&[]).exits(0).says(&["Outputs"]);
    let run = berth.run(["output", "blueprint.yaml", "vault", "--sim"]).exits(0);
    assert!(run.stdout.starts_with("https://kv-shop-") && run.stdout.ends_with(".vault.azure.net/\n"));
    let all = berth.run(["output", "blueprint.yaml", "--sim", "--format", "json"]).exits(0).json();
    assert_eq!(all.as_object().unwrap().keys().collect::<Vec<_>>(), ["fqdn", "issuer", "vault"]);
    berth
        .run(["output", "blueprint.yaml", "vualt", "--sim"])
        .exits(1)
        .complains(&["there are: fqdn, issuer, vault"]);
}

#[test]
fn an_apply_that_nobody_can_agree_to_does_nothing() {
    let berth = Berth::quickstart();
    berth
        .run(["apply", "blueprint.yaml", "--sim"])
        .exits(1)
        .complains(&["cannot ask for confirmation", "--auto-approve"]);
    assert_eq!(berth.export(), [] as [Value; 0]);
}
