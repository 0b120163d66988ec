//! Plans for some addresses only, and destroying what no valid blueprint tells of any more.

use crate::support::Berth;
use serde_json::Value;

const BLUEPRINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { name: vnet-shop, addressSpace: [10.0.0.0/16], subnets: { pe: { prefix: 10.0.0.0/24 } } }
identities:
  app: { name: id-shop-app }
keyVaults:
  v: { name: kv-shop-7, protect: false }
privateEndpoints:
  ours: { target: '${keyVaults.v}', subnet: '${networks.hub.subnets.pe}', dns: none }
";

/// The addresses that the ledger has.
fn owned(berth: &Berth) -> Vec<String> {
    let ledger = berth.ledger();
    let mut all: Vec<String> = match ledger["resources"].as_object() {
        Some(all) => all.values().filter_map(|owned| owned["address"].as_str().map(str::to_owned)).collect(),
        None => Vec::new(),
    };
    all.sort();
    all
}

#[test]
fn a_target_is_made_with_what_it_needs_and_the_rest_later() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let plan = berth.plan(&["--target", "networks.hub"]).exits(2);
    plan.says(&["networks.hub.subnets.pe", "Left out by --target: 5 changes", "+ privateEndpoints.ours"]);
    berth.apply(&["--target", "networks.hub", "--target", "identities.app"]).exits(0).says(&["Done."]);
    assert_eq!(owned(&berth), ["identities.app", "networks.hub", "networks.hub.subnets.pe", "resourceGroup"]);
    berth.plan(&["--target", "networks.hub"]).exits(0).says(&["No changes at the targets", "keyVaults.v"]);
    let json = berth.plan(&["--target", "networks", "--format", "json"]).exits(0).json();
    let left: Vec<&Value> = json["leftOut"].as_array().unwrap().iter().map(|left| &left["address"]).collect();
    assert_eq!(left, ["providers.Microsoft.KeyVault", "keyVaults.v", "privateEndpoints.ours"]);
    berth.apply(&[]).exits(0).says(&["Done. 3 steps"]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.drift(&[]).exits(0);
    // Deleting a vault takes what stands on it first, and leaves the rest alone.
    berth
        .destroy(&["--target", "keyVaults.v"])
        .exits(0)
        .says(&["privateEndpoints.ours", "Left out by --target"]);
    assert_eq!(owned(&berth), ["identities.app", "networks.hub", "networks.hub.subnets.pe", "resourceGroup"]);
    berth.destroy(&[]).exits(0).says(&["Done."]);
    assert_eq!(berth.export(), [] as [Value; 0]);
}

#[test]
fn an_unknown_target_is_told_with_what_is_meant() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let told = berth.plan(&["--target", "keyVault.v"]).exits(1);
    told.complains(&["there is nothing at `keyVault.v`", "did you mean `keyVaults.v`?"]);
}

#[test]
fn destroying_needs_no_more_than_the_name() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0).says(&["Done."]);
    // Mistakes in the blueprint do not keep what it made alive.
    berth.edit("networks:\n  hub:", "netwrks:\n  hub:");
    berth.destroy(&["--target", "privateEndpoints.ours"]).exits(0).says(&["Done."]);
    berth.write("blueprint.yaml", b"blueprint: shop\nazure: [\n");
    berth.destroy(&["--target", "keyVaults.v"]).exits(0).says(&["Done."]);
    std::fs::remove_file(berth.path("blueprint.yaml")).unwrap();
    berth
        .destroy(&[])
        .exits(1)
        .complains(&["there is no such file", "give `--name NAME` instead of the file"]);
    let gone = berth.run(["destroy", "--name", "shop", "--sim", "--auto-approve"]);
    gone.exits(0).says(&["Done."]);
    assert_eq!(berth.export(), [] as [Value; 0]);
}

#[test]
fn a_run_with_nothing_to_do_says_so_once() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0).says(&["Done."]);
    let again = berth.apply(&[]).exits(0).says(&["No changes."]);
    assert!(!again.stderr.contains("step") && !again.stderr.contains("finished"), "{again:?}");
}

#[test]
fn the_limits_of_a_real_subscription_can_be_rehearsed() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&["--limits", "azure"]).exits(0).says(&["Done."]);
}
