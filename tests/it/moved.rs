//! A renamed key with the same Azure id is the same resource: it is known under its new address, and Azure hears nothing.

use crate::support::Rehearsal;
use std::collections::BTreeMap;

/// Everything that can hang on a key: children, dependants, role assignments, endpoints with connections, modules,
/// `forEach`.
const BEFORE: &str = "
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }
networks:
  hub:
    name: vnet-shop
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { name: snet-nodes, prefix: 10.20.0.0/20 }
      endpoints: { name: snet-endpoints, prefix: 10.20.16.0/26 }
identities:
  control: { name: id-shop }
  teams: { forEach: { red: a, blue: b }, name: 'id-${each.value}' }
keyVaults:
  main: { name: kv-shop-7d1e, publicAccess: false, secrets: { key: { name: key, value: '${param.key}' } } }
clusters:
  aks:
    name: aks-shop
    identity: ${identities.control}
    subnet: ${networks.hub.subnets.nodes}
    dependsOn: [roleAssignments.network]
    nodePools:
      system: { mode: System, count: 1 }
roleAssignments:
  network: { principal: '${identities.control}', role: Network Contributor, scope: '${networks.hub.subnets.nodes}' }
privateEndpoints:
  vault: { name: pe-vault, target: '${keyVaults.main}', subnet: '${networks.hub.subnets.endpoints}', dns: none }
parameters: { key: { type: string, secret: true, default: first } }
";

/// What is renamed: all the keys.
const RENAMES: &[(&str, &str)] = &[
    ("  hub:", "  core:"),
    ("networks.hub", "networks.core"),
    ("      nodes: {", "      workers: {"),
    ("subnets.nodes", "subnets.workers"),
    ("  control: {", "  plane: {"),
    ("identities.control", "identities.plane"),
    ("{ red: a, blue: b }", "{ crimson: a, navy: b }"),
    ("  main: {", "  vault: {"),
    ("keyVaults.main", "keyVaults.vault"),
    ("  aks:", "  prod:"),
    ("  network: {", "  subnet: {"),
    ("roleAssignments.network", "roleAssignments.subnet"),
    ("  vault: { name: pe-vault", "  door: { name: pe-vault"),
];

fn after() -> String {
    RENAMES.iter().fold(BEFORE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

fn writes(rehearsal: &Rehearsal) -> u64 {
    let requests = rehearsal.simulator.counters().requests;
    ["PUT", "PATCH", "DELETE", "POST"].iter().filter_map(|method| requests.get(*method)).sum()
}

/// The address of each id in the ledger.
async fn owned(rehearsal: &Rehearsal) -> BTreeMap<String, String> {
    let ledger = rehearsal.ledger().await;
    let all = ledger["resources"].as_object().unwrap().iter();
    all.map(|(id, owned)| (id.to_lowercase(), owned["address"].as_str().unwrap().to_owned())).collect()
}

/// Applies both, and nothing may be written in between.
async fn renamed(before: &str, after: &str) -> (Rehearsal, BTreeMap<String, String>) {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(before).await;
    let (sent, ids) = (writes(&rehearsal), owned(&rehearsal).await);
    let plan = rehearsal.plan(after).await.plan;
    assert!(plan.is_empty(), "{:#?}", plan.changes().collect::<Vec<_>>());
    rehearsal.apply(after).await;
    assert_eq!(writes(&rehearsal), sent, "something was written");
    let now = owned(&rehearsal).await;
    assert_eq!(now.keys().collect::<Vec<_>>(), ids.keys().collect::<Vec<_>>());
    // Lost ledger or not: the next run knows the new addresses only.
    assert!(rehearsal.plan(after).await.plan.is_empty());
    (rehearsal, now)
}

#[tokio::test(start_paused = true)]
async fn keys_of_entries_children_and_instances_can_change() {
    let (rehearsal, now) = renamed(BEFORE, &after()).await;
    let addresses: Vec<&String> = now.values().collect();
    for gone in ["networks.hub", "subnets.nodes", "control", "[red]", "main", "clusters.aks", ".network", "Endpoints.vault"] {
        assert!(!addresses.iter().any(|address| address.contains(gone)), "{gone}: {addresses:?}");
    }
    for there in [
        "networks.core",
        "networks.core.subnets.workers",
        "identities.teams[navy]",
        "keyVaults.vault.secrets.key",
        "clusters.prod.nodePools.system",
        "roleAssignments.subnet",
        "privateEndpoints.door",
    ] {
        assert!(addresses.iter().any(|address| *address == there), "{there}: {addresses:?}");
    }
    // What is dropped from now on goes under its new address.
    let fewer = after().replace("  teams: { forEach: { crimson: a, navy: b }", "  teams: { forEach: { crimson: a }");
    let plan = rehearsal.plan(&fewer).await.plan;
    let gone: Vec<&str> = plan.changes().map(|step| step.address.as_str()).collect();
    assert_eq!(gone, ["identities.teams[navy]"]);
}

#[tokio::test(start_paused = true)]
async fn modules_and_what_moves_into_one_stay_what_they_are() {
    let head = "blueprint: shop\nazure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }\n\
                networks: { hub: { name: vnet-hub, addressSpace: [10.80.0.0/16] } }\n";
    let spoke = |key: &str, instances: &str| {
        let each = format!("{{ {instances} }}");
        format!(
            "{head}modules:\n  {key}:\n    include: ./modules/spoke.yaml\n    forEach: {each}\n    parameters: {{ name: '${{each.value}}', \
             range: 10.81.0.0/16, hub: '${{networks.hub}}', firewall: 10.80.0.4, open: [] }}\n"
        )
    };
    let (_, now) = renamed(&spoke("spoke", "a: shop"), &spoke("branch", "b: shop")).await;
    let inside = now.values().filter(|address| address.starts_with("module.")).count();
    assert!(inside > 2, "{now:?}");
    assert!(now.values().all(|address| !address.contains("spoke[") && !address.contains("[a]")), "{now:?}");

    // Between an entry and an instance of one.
    let plain = format!("{head}identities:\n  one: {{ name: id-a }}\n");
    let each = format!("{head}identities:\n  all: {{ forEach: [a], name: 'id-${{each.value}}' }}\n");
    renamed(&plain, &each).await;
    renamed(&each, &plain).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_and_a_field_can_change_at_once() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(BEFORE).await;
    let text = after().replace("10.20.16.0/26 }", "10.20.16.0/26, serviceEndpoints: [Microsoft.KeyVault] }");
    let plan = rehearsal.plan(&text).await.plan;
    let steps: Vec<String> =
        plan.changes().map(|step| format!("{} {:?}", step.address, step.action)).collect();
    assert_eq!(steps, ["networks.core.subnets.endpoints Update"]);
    rehearsal.apply(&text).await;
    assert!(owned(&rehearsal).await.values().all(|address| !address.contains("networks.hub")));
}

#[tokio::test(start_paused = true)]
async fn two_keys_can_change_places() {
    let both = |a: &str, b: &str| {
        format!("blueprint: shop\nazure: {{ subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }}\nidentities:\n  {a}: {{ name: id-one }}\n  {b}: {{ name: id-two }}\n")
    };
    let (_, now) = renamed(&both("first", "second"), &both("second", "first")).await;
    let of = |end: &str| now.iter().find(|(id, _)| id.ends_with(end)).map(|(_, address)| address.as_str());
    assert_eq!((of("/id-one"), of("/id-two")), (Some("identities.second"), Some("identities.first")));
}
