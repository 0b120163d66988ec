//! What a blueprint gives away stays: what moves to `existing`, what goes from an entry of its own into the body of its
//! parent and back.

use crate::support::Berth;
use serde_json::Value;

const HEAD: &str = "\
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }
";

const MADE: &str = "\
networks:
  hub:
    name: vnet-shop
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { name: snet-nodes, prefix: 10.20.0.0/20 }
      endpoints: { name: snet-endpoints, prefix: 10.20.16.0/26 }
identities:
  control: { name: id-shop }
keyVaults:
  main: { name: kv-shop-7d1e, publicAccess: false, protect: false }
privateEndpoints:
  vault: { name: pe-vault, target: '${keyVaults.main}', subnet: '${networks.hub.subnets.endpoints}', dns: auto }
roleAssignments:
  reader: { principal: '${identities.control}', role: Key Vault Secrets User, scope: '${keyVaults.main}' }
";

/// Only the endpoint is spoken of: its subnet, its target and its zone are what it needs.
const GIVEN: &str = "\
existing:
  door: { type: Microsoft.Network/privateEndpoints, name: pe-vault }
identities:
  control: { name: id-shop }
";

const KEPT: &[&str] = &[
    "pe-vault",
    "snet-endpoints",
    "vnet-shop",
    "kv-shop-7d1e",
    "privatelink.vaultcore.azure.net",
    "link-hub",
    "rg-shop",
];

fn names(berth: &Berth) -> Vec<String> {
    let name = |one: &Value| one["name"].as_str().map(str::to_owned);
    berth.export().iter().filter_map(name).collect()
}

fn made() -> Berth {
    let berth = Berth::new().blueprint(&format!("{HEAD}{MADE}"));
    berth.apply(&[]).exits(0);
    berth
}

fn stays(berth: &Berth, kept: &[&str]) {
    let there = names(berth);
    for name in kept {
        assert!(there.iter().any(|one| one == name), "{name} is gone: {there:?}");
    }
}

#[test]
fn what_is_given_away_stays_with_all_that_it_needs_also_when_the_move_was_never_applied() {
    let berth = made();
    berth.write("blueprint.yaml", format!("{HEAD}{GIVEN}").as_bytes());
    let told = ["existing.door only reads it now; it stays", "existing.door needs it; it stays"];
    berth.plan(&[]).exits(2).says(&told);
    berth.run(["plan", "blueprint.yaml", "--sim", "--destroy"]).exits(2).says(&told);
    berth.destroy(&[]).exits(0);
    stays(&berth, KEPT);
    let there = names(&berth);
    assert!(!there.iter().any(|name| name == "id-shop" || name == "snet-nodes"), "{there:?}");
    let roles = berth.export();
    let is_role = |one: &Value| one["type"].as_str().is_some_and(|kind| kind.ends_with("/roleAssignments"));
    assert!(!roles.iter().any(is_role), "a role that the blueprint no longer gives is taken back");
}

#[test]
fn a_move_that_is_applied_deletes_nothing_and_a_destroy_afterwards_neither() {
    let berth = made();
    berth.write("blueprint.yaml", format!("{HEAD}{GIVEN}").as_bytes());
    berth.apply(&[]).exits(0);
    stays(&berth, KEPT);
    berth.plan(&[]).exits(0);
    berth.destroy(&[]).exits(0);
    stays(&berth, KEPT);
}

#[test]
fn a_blueprint_with_mistakes_that_reads_something_is_not_destroyed() {
    let berth = made();
    let faulty = format!("{HEAD}{GIVEN}").replace("name: id-shop", "nome: id-shop");
    berth.write("blueprint.yaml", faulty.as_bytes());
    berth.destroy(&[]).exits(1).complains(&["nothing was deleted", "`nome`"]);
    stays(&berth, KEPT);
    // One that reads nothing goes by its ledger.
    let faulty = format!("{HEAD}{MADE}").replace("name: id-shop", "nome: id-shop");
    berth.write("blueprint.yaml", faulty.as_bytes());
    berth.destroy(&[]).exits(0);
}

/// The same network, group and rules by raw types: what had entries of its own stands in bodies.
const RAW: &str = "\
resources:
  hub:
    type: Microsoft.Network/virtualNetworks
    apiVersion: '2025-05-01'
    name: vnet-shop
    body:
      location: westeurope
      properties:
        addressSpace: { addressPrefixes: [10.20.0.0/16] }
        subnets:
          - { name: snet-nodes, properties: { addressPrefix: 10.20.0.0/20 } }
          - { name: snet-endpoints, properties: { addressPrefix: 10.20.16.0/26 } }
  groups:
    type: Microsoft.Network/networkSecurityGroups
    apiVersion: '2025-05-01'
    name: nsg-shop
    body:
      location: westeurope
      properties:
        securityRules:
          - name: web
            properties:
              { priority: 100, direction: Inbound, access: Allow, protocol: Tcp, sourceAddressPrefix: Internet,
                sourcePortRange: '*', destinationAddressPrefix: VirtualNetwork, destinationPortRange: '443' }
";

const BY_KINDS: &str = "\
networks:
  hub:
    name: vnet-shop
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { name: snet-nodes, prefix: 10.20.0.0/20 }
      endpoints: { name: snet-endpoints, prefix: 10.20.16.0/26 }
networkSecurityGroups:
  groups:
    name: nsg-shop
    rules:
      web: { priority: 100, direction: Inbound, access: Allow, protocol: Tcp, from: Internet, to: VirtualNetwork, ports: 443 }
";

/// What is there of the network and the rules, without what every write changes.
fn network(berth: &Berth) -> (Vec<String>, Vec<String>) {
    let all = berth.export();
    let of = |name: &str| all.iter().find(|one| one["name"] == name).cloned().unwrap_or_default();
    let list = |body: &Value, list: &str| -> Vec<String> {
        let mut all: Vec<String> = body["properties"][list]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["name"].as_str().map(str::to_owned))
            .collect();
        all.sort();
        all
    };
    (list(&of("vnet-shop"), "subnets"), list(&of("nsg-shop"), "securityRules"))
}

#[test]
fn what_goes_from_an_entry_of_its_own_into_the_body_of_its_parent_or_back_is_not_taken_away() {
    for (before, after) in [(BY_KINDS, RAW), (RAW, BY_KINDS)] {
        let berth = Berth::new().blueprint(&format!("{HEAD}{before}"));
        berth.apply(&[]).exits(0);
        let there = network(&berth);
        assert_eq!(there.0, ["snet-endpoints", "snet-nodes"]);
        assert_eq!(there.1, ["web"]);
        berth.write("blueprint.yaml", format!("{HEAD}{after}").as_bytes());
        let plan = berth.plan(&[]).exits_with_one_of(&[0, 2]).stdout;
        for word in ["to delete", "to replace", "subnets[", "securityRules["] {
            assert!(!plan.contains(word), "{word}: {plan}");
        }
        berth.apply(&[]).exits(0);
        assert_eq!(network(&berth), there);
        berth.plan(&[]).exits(0);
        berth.drift(&[]).exits(0);
        berth.destroy(&[]).exits(0);
    }
}

#[test]
fn node_pools_of_a_cluster_that_becomes_a_raw_type_stay() {
    let cluster = "\
clusters:
  aks:
    name: aks-shop
    protect: false
    nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 }, work: { count: 1, vmSize: Standard_D4s_v5 } }
";
    let raw = "\
resources:
  aks:
    type: Microsoft.ContainerService/managedClusters
    apiVersion: '2026-02-01'
    name: aks-shop
    body:
      location: westeurope
      identity: { type: SystemAssigned }
      properties:
        dnsPrefix: aks-shop
        agentPoolProfiles:
          - { name: system, mode: System, count: 1, vmSize: Standard_D4s_v5 }
          - { name: work, mode: User, count: 1, vmSize: Standard_D4s_v5 }
";
    let berth = Berth::new().blueprint(&format!("{HEAD}{cluster}"));
    berth.apply(&[]).exits(0);
    berth.write("blueprint.yaml", format!("{HEAD}{raw}").as_bytes());
    let plan = berth.plan(&[]).exits(2).says(&["resources.aks has it in its body now; it stays"]).stdout;
    assert!(!plan.contains("to delete"), "{plan}");
    berth.apply(&[]).exits(0);
    let pools = berth
        .export()
        .iter()
        .filter(|one| one["type"].as_str().is_some_and(|t| t.ends_with("/agentPools")))
        .count();
    assert_eq!(pools, 2);
    berth.plan(&[]).exits(0);
}
