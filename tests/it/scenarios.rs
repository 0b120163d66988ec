//! Days on which a plan has to be believed: each told end to end, with what the terminal showed as a snapshot.

use crate::support::{Berth, Ended, root};
use serde_json::{Value, json};

/// The shop, applied.
fn shop() -> Berth {
    let berth = Berth::new().blueprint(&blueprint());
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth
}

fn blueprint() -> String {
    std::fs::read_to_string(root().join("tests/scenarios/shop.yaml")).unwrap()
}

/// Compares what was shown with `tests/scenarios/NAME.snap`.
fn snapshot(name: &str, shown: &[&Ended]) {
    let shown: Vec<String> = shown.iter().map(|ended| format!("{}{}", ended.stdout, ended.stderr)).collect();
    insta::with_settings!({ snapshot_path => "../scenarios", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, shown.join("\n--------\n"));
    });
}

/// Changes resources in Azure, behind berth's back: those whose ids end like this.
fn meanwhile(berth: &Berth, end: &str, change: impl Fn(&mut Value)) {
    let mut found = berth.export();
    found.retain(|resource| resource["id"].as_str().unwrap().ends_with(end));
    assert!(!found.is_empty(), "nothing ends in {end}");
    found.iter_mut().for_each(change);
    berth.write("changed.json", json!(found).to_string().as_bytes());
    berth.run(["sim", "load", "changed.json"]).exits(0).complains(&["Loaded 1"]);
}

/// The ids of all that is there.
fn ids(berth: &Berth) -> Vec<String> {
    let mut ids: Vec<String> =
        berth.export().iter().map(|resource| resource["id"].as_str().unwrap().to_ascii_lowercase()).collect();
    ids.sort();
    ids
}

/// What a plan does, by address.
fn actions(plan: &Value) -> Vec<(String, String)> {
    let steps = plan["steps"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    steps.filter(|s| s["action"] != "no-op").map(|s| (text(&s["address"]), text(&s["action"]))).collect()
}

fn lose_the_ledger(berth: &Berth) {
    std::fs::remove_file(berth.path(".berth/sim.json.ledgers/shop.json")).unwrap();
}

#[test]
fn a_lost_ledger_is_found_again_without_a_write() {
    let berth = shop();
    let before = berth.export();
    lose_the_ledger(&berth);
    let plan = berth.plan(&[]).exits(2);
    snapshot("lost-ledger", &[&plan]);
    let json = berth.plan(&["--format", "json"]).exits(2).json();
    assert!(actions(&json).iter().all(|(_, action)| action == "adopt"), "{:?}", actions(&json));
    // What carries no tag is found too.
    for address in
        ["roleAssignments.controlPlaneNetwork", "clusters.aks.nodePools.apps", "networks.hub.subnets.nodes"]
    {
        assert!(actions(&json).iter().any(|(other, _)| other == address), "{address} is not adopted");
    }
    berth.apply(&[]).exits(0).says(&["Done."]);
    assert_eq!(berth.export(), before, "adopting wrote something");
    berth.plan(&[]).exits(0).says(&["No changes."]);
}

#[test]
fn a_stale_plan_is_refused_and_names_what_moved() {
    let berth = shop();
    berth.edit("team: platform", "team: shop");
    let saved = berth.plan(&["--out", "shop.plan"]).exits(2);
    meanwhile(&berth, "/virtualNetworks/vnet-shop", |network| {
        network["properties"]["flowTimeoutInMinutes"] = json!(20);
    });
    let refused = berth.run(["apply", "shop.plan", "--sim", "--auto-approve"]).exits(4);
    snapshot("stale-plan", &[&saved, &refused]);
}

#[test]
fn what_another_blueprint_owns_is_in_the_way() {
    let berth = Berth::new().blueprint(&blueprint().replace("blueprint: shop", "blueprint: platform"));
    berth.apply(&[]).exits(0).says(&["Done."]);
    let before = berth.export();
    let other = Berth::new().blueprint(&blueprint());
    other.write("theirs.json", json!(before).to_string().as_bytes());
    other.run(["sim", "load", "theirs.json"]).exits(0).complains(&["Loaded"]);
    // Not even with the flag: it is for what belongs to nobody.
    let refused = other.apply(&["--adopt"]).exits(4);
    snapshot("foreign-owner", &[&refused]);
    assert_eq!(ids(&other), ids(&berth));
}

#[test]
fn what_belongs_to_nobody_is_adopted_when_it_is_allowed() {
    let berth = shop();
    lose_the_ledger(&berth);
    meanwhile(&berth, "/userAssignedIdentities/id-shop", |identity| {
        identity["tags"] = json!({ "team": "platform" })
    });
    let refused = berth.apply(&[]).exits(4);
    snapshot("nobodys", &[&refused]);
    berth.edit("{ name: id-shop }", "{ name: id-shop, adopt: true }");
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
}

#[test]
fn what_another_blueprint_took_over_is_neither_changed_nor_deleted() {
    let berth = shop();
    meanwhile(&berth, "/userAssignedIdentities/id-shop", |identity| {
        identity["tags"]["berth-blueprint"] = json!("platform");
    });
    let changed = berth.plan(&[]).exits(2);
    berth.apply(&[]).exits(4).complains(&["identities.controlPlane"]);
    let destroyed = berth.destroy(&["--allow-delete", "keyVaults.secrets", "--allow-delete", "clusters.aks"]);
    // Neither it nor the group that it is in goes.
    destroyed.exits(3).says(&[
        "» identities.controlPlane userAssignedIdentities belongs to the blueprint platform now; it stays",
        "the resource group holds 1 resource(s) that berth did not make",
    ]);
    assert!(ids(&berth).iter().any(|id| id.ends_with("/userassignedidentities/id-shop")));
    snapshot("taken-over", &[&changed]);
}

#[test]
fn a_soft_deleted_vault_is_recovered() {
    let berth = shop();
    berth
        .destroy(&["--allow-delete", "keyVaults.secrets", "--allow-delete", "clusters.aks"])
        .exits(0)
        .says(&["Done."]);
    let plan = berth.plan(&[]).exits(2);
    snapshot("soft-deleted-vault", &[&plan]);
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
}

#[test]
fn a_renamed_key_is_the_same_resource() {
    let berth = shop();
    let before = ids(&berth);
    berth.edit("identities.controlPlane", "identities.cluster");
    berth.edit("  controlPlane: {", "  cluster: {");
    let plan = berth.plan(&[]).exits(0);
    let applied = berth.apply(&[]).exits(0);
    snapshot("renamed-key", &[&plan, &applied]);
    assert_eq!(ids(&berth), before);
    let ledger = berth.ledger();
    assert!(
        ledger.to_string().contains("identities.cluster")
            && !ledger.to_string().contains("identities.controlPlane")
    );
}

#[test]
fn a_removed_field_is_reset_or_released_and_the_plan_says_which() {
    let berth = shop();
    berth.edit("    flowTimeoutMinutes: 10\n", "");
    berth.edit("azure, serviceCidr", "azure, policy: azure, serviceCidr");
    berth.edit("team: platform", "cost: shop");
    berth.edit("    kubernetesVersion: \"1.32\"\n", "");
    // Azure takes the bounds away by itself: that is told too.
    berth.edit("autoscale: { min: 1, max: 5 }", "count: 1");
    let plan = berth.plan(&[]).exits(2);
    snapshot("removed-field", &[&plan]);
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
}

#[test]
fn the_count_of_an_autoscaled_pool_is_the_autoscalers() {
    let berth = shop();
    meanwhile(&berth, "/agentPools/apps", |pool| pool["properties"]["count"] = json!(4));
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.drift(&[]).exits(0).says(&["No drift."]);
    berth.edit("max: 5", "max: 8");
    let plan = berth.plan(&[]).exits(2);
    snapshot("autoscaled-pool", &[&plan]);
    berth.apply(&[]).exits(0).says(&["Done."]);
    let pool =
        berth.export().into_iter().find(|r| r["id"].as_str().unwrap().ends_with("/agentPools/apps")).unwrap();
    assert_eq!((&pool["properties"]["count"], &pool["properties"]["maxCount"]), (&json!(4), &json!(8)));
}

#[test]
fn a_patch_version_is_as_asked_and_a_new_minor_says_what_it_cycles() {
    let berth = shop();
    let cluster = |berth: &Berth| {
        let all = berth.export();
        all.into_iter().find(|r| r["id"].as_str().unwrap().ends_with("/managedClusters/aks-shop")).unwrap()
    };
    let exact = cluster(&berth)["properties"]["currentKubernetesVersion"].as_str().unwrap().to_owned();
    assert!(exact.starts_with("1.32.") && exact.len() > "1.32.".len(), "{exact}");
    meanwhile(&berth, "/managedClusters/aks-shop", |cluster| {
        cluster["properties"]["kubernetesVersion"] =
            cluster["properties"]["currentKubernetesVersion"].clone();
    });
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.edit("\"1.32\"", "\"1.33\"");
    let plan = berth.plan(&[]).exits(2);
    snapshot("patch-version", &[&plan]);
    let json = berth.plan(&["--format", "json"]).exits(2).json();
    let step = |address: &str| {
        json["steps"].as_array().unwrap().iter().find(|step| step["address"] == address).unwrap().clone()
    };
    let pool = step("clusters.aks.nodePools.apps");
    assert_eq!(pool["impact"], "disruptive");
    assert_eq!(pool["disruption"]["cycles"], json!(["clusters.aks.nodePools.apps"]));
    assert_eq!(pool["disruption"]["drained"], true);
    assert_eq!(step("clusters.aks")["disruption"]["cycles"], json!([]));
    assert!(json["expectedMs"].as_u64().unwrap() >= 20 * 60_000, "{}", json["expectedMs"]);
    assert_eq!(json["criticalPath"][0], "clusters.aks");
}

#[test]
fn a_new_network_of_the_pods_names_every_pool() {
    let berth = shop();
    berth.edit("plugin: azure,", "plugin: azure, mode: overlay,");
    let plan = berth.plan(&[]).exits(2);
    snapshot("pod-network", &[&plan]);
}

#[test]
fn protection_names_the_flag_that_allows_it() {
    let berth = shop();
    berth.edit("serviceCidr: 10.30.0.0/16", "serviceCidr: 10.31.0.0/16");
    berth.edit("dnsServiceIp: 10.30.0.10", "dnsServiceIp: 10.31.0.10");
    let before = berth.export();
    let refused = berth.apply(&[]).exits(4);
    snapshot("protected", &[&refused]);
    assert_eq!(berth.export(), before);
    berth.apply(&["--allow-replace", "clusters.aks"]).exits(0).says(&["Done."]);
}

#[test]
fn a_rejected_connection_is_drift_and_stays_rejected_until_a_person_names_it() {
    let berth = shop();
    let status = |status: &'static str| {
        move |body: &mut Value| {
            body["properties"]["privateLinkServiceConnectionState"]["status"] = json!(status);
        }
    };
    meanwhile(&berth, "/privateEndpointConnections/pe-vault", status("Rejected"));
    meanwhile(&berth, "/privateEndpoints/pe-vault", |endpoint| {
        let connection = &mut endpoint["properties"]["manualPrivateLinkServiceConnections"][0];
        status("Rejected")(connection);
    });
    let drift = berth.drift(&[]).exits(2);
    let plan = berth.plan(&[]).exits(4);
    snapshot("rejected-connection", &[&drift, &plan]);
    // The owner's decision stands, whatever is applied.
    berth.apply(&[]).exits(4);
    berth.drift(&[]).exits(2);
    let connection =
        ids(&berth).into_iter().find(|id| id.ends_with("/privateendpointconnections/pe-vault")).unwrap();
    berth
        .run(["approve", "run", "--sim", "--id", &connection, "--auto-approve"])
        .exits(0)
        .says(&["Approved"]);
    berth.plan(&[]).exits(0);
    berth.drift(&[]).exits(0).says(&["No drift."]);
}

#[test]
fn a_connection_that_was_cut_off_is_drift_and_its_endpoint_is_made_anew() {
    let berth = shop();
    let connection =
        ids(&berth).into_iter().find(|id| id.ends_with("/privateendpointconnections/pe-vault")).unwrap();
    let server = berth.sim_serve();
    let (status, _) = server.send("DELETE", &format!("{connection}?api-version=2024-11-01"), None);
    assert!((200..300).contains(&status), "{status}");
    drop(server);
    let drift = berth.drift(&[]).exits(2);
    let plan = berth.plan(&[]).exits(2);
    snapshot("cut-off-connection", &[&drift, &plan]);
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.drift(&[]).exits(0).says(&["No drift."]);
}

#[test]
fn what_would_fail_midway_is_known_before_the_first_write() {
    let berth = Berth::new().blueprint(&blueprint());
    let group = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-other";
    let theirs = json!([
        { "id": group, "name": "rg-other", "type": "Microsoft.Resources/resourceGroups", "location": "westeurope",
          "properties": { "provisioningState": "Succeeded" } },
        { "id": format!("{group}/providers/Microsoft.KeyVault/vaults/kv-shop-7d1e"), "name": "kv-shop-7d1e",
          "type": "Microsoft.KeyVault/vaults", "location": "westeurope", "properties": { "vaultUri": "https://x/" } },
    ]);
    berth.write("theirs.json", theirs.to_string().as_bytes());
    berth.run(["sim", "load", "theirs.json"]).exits(0).complains(&["Loaded 2"]);
    berth.edit("{ min: 1, max: 5 }", "{ min: 90, max: 100 }");
    let before = berth.export();
    let refused = berth.apply(&[]).exits(4);
    snapshot("preflight", &[&refused]);
    assert_eq!(berth.export(), before, "nothing may be written");
}

#[test]
fn a_lock_that_somebody_set_is_in_the_way_before_anything_is_deleted() {
    let berth = shop();
    let vault = ids(&berth).into_iter().find(|id| id.ends_with("/vaults/kv-shop-7d1e")).unwrap();
    let lock = json!([{
        "id": format!("{vault}/providers/Microsoft.Authorization/locks/keep"), "name": "keep",
        "type": "Microsoft.Authorization/locks", "properties": { "level": "CanNotDelete", "notes": "audit 2026" },
    }]);
    berth.write("lock.json", lock.to_string().as_bytes());
    berth.run(["sim", "load", "lock.json"]).exits(0).complains(&["Loaded 1"]);
    let before = berth.export();
    let refused =
        berth.destroy(&["--allow-delete", "keyVaults.secrets", "--allow-delete", "clusters.aks"]).exits(4);
    snapshot("foreign-lock", &[&refused]);
    assert_eq!(berth.export(), before);
}

#[test]
fn what_others_add_stays_until_a_list_is_the_blueprints_alone() {
    let berth = shop();
    meanwhile(&berth, "/virtualNetworks/vnet-shop", |network| network["tags"]["cost"] = json!("7"));
    let network = ids(&berth).into_iter().find(|id| id.ends_with("/virtualnetworks/vnet-shop")).unwrap();
    let subnet = |name: &str, prefix: &str| {
        json!({ "id": format!("{network}/subnets/{name}"), "name": name,
                "type": "Microsoft.Network/virtualNetworks/subnets",
                "properties": { "addressPrefix": prefix, "provisioningState": "Succeeded" } })
    };
    let theirs = json!([subnet("batch", "10.20.32.0/24"), subnet("old", "10.20.33.0/24")]);
    berth.write("theirs.json", theirs.to_string().as_bytes());
    berth.run(["sim", "load", "theirs.json"]).exits(0).complains(&["Loaded 2"]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.drift(&[]).exits(0).says(&["No drift."]);

    berth.edit(
        "    flowTimeoutMinutes: 10\n",
        "    flowTimeoutMinutes: 10\n    exclusive: [subnets, tags]\n    protect: true\n",
    );
    let plan = berth.plan(&[]).exits(2);
    let refused = berth.apply(&["--allow-delete", "networks.hub.subnets[old]"]).exits(4);
    snapshot("exclusive", &[&plan, &refused]);
    berth.edit("    protect: true\n", "");
    berth.apply(&[]).exits(0).says(&["Done.", "networks.hub.subnets[batch]"]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    assert!(!ids(&berth).iter().any(|id| id.ends_with("/subnets/batch") || id.ends_with("/subnets/old")));
    assert!(!json!(berth.export()).to_string().contains("\"cost\""));
}
