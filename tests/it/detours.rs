//! What has to stay while it is replaced, and what has to be left before it goes: by a detour, in the order that Azure
//! allows, and without harm when something on the way is refused.

use crate::support::Rehearsal;
use berth::arm::transport::Method;
use berth::change::{Action, Outcome, Summary};
use berth::plan::Adoption;
use berth::sim::{Effect, Fault};

fn pools(text: &str) -> String {
    format!(
        "blueprint: detour\nazure: {{ subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-d }}\n\
         clusters:\n  aks:\n    protect: false\n    nodePools:\n{text}      work: {{ count: 1, vmSize: Standard_D4s_v5 }}\n"
    )
}

const SMALL: &str = "      system: { mode: System, count: 2, vmSize: Standard_D4s_v5 }\n";
const LARGE: &str = "      system: { mode: System, count: 2, vmSize: Standard_D8s_v5 }\n";

fn refused() -> Effect {
    Effect::Answer { status: 403, code: "Forbidden".into(), message: "scripted".into(), retry_after: None }
}

/// The pools that are there: name and size.
fn there(rehearsal: &Rehearsal) -> Vec<(String, String)> {
    let all = rehearsal.simulator.export();
    let pools = all.iter().filter(|resource| resource["id"].as_str().unwrap().contains("/agentPools/"));
    let mut found: Vec<(String, String)> = pools
        .map(|pool| {
            let name = pool["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            (name, pool["properties"]["vmSize"].as_str().unwrap().to_owned())
        })
        .collect();
    found.sort();
    found
}

fn sizes(found: &[(String, String)]) -> Vec<(&str, &str)> {
    found.iter().map(|(name, size)| (name.as_str(), size.as_str())).collect()
}

fn order(summary: &Summary) -> Vec<(&str, Action)> {
    summary.steps.iter().map(|step| (step.address.as_str(), step.action)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_only_system_pool_is_replaced_by_way_of_another_one() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&pools(SMALL)).await;
    let summary = rehearsal.apply(&pools(LARGE)).await.summary;
    let stand_in = "clusters.aks.nodePools.system.standIn";
    assert_eq!(
        order(&summary),
        [
            (stand_in, Action::Create),
            ("clusters.aks.nodePools.system", Action::Replace),
            (stand_in, Action::Delete)
        ]
    );
    let found = there(&rehearsal);
    assert_eq!(sizes(&found), [("system", "Standard_D8s_v5"), ("work", "Standard_D4s_v5")]);
    assert!(!rehearsal.ledger().await.to_string().contains("standIn"));
}

#[tokio::test(start_paused = true)]
async fn a_detour_that_is_refused_anywhere_leaves_a_system_pool_and_the_next_run_ends_it() {
    for (method, path) in [
        (Method::Put, "/systemtmp"),
        (Method::Delete, "/agentPools/system"),
        (Method::Put, "/agentPools/system"),
        (Method::Delete, "/systemtmp"),
    ] {
        let what = format!("{method:?} {path}");
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&pools(SMALL)).await;
        rehearsal.simulator.fail_next(Fault::once(method, path, refused()));
        let summary = rehearsal.try_apply(&pools(LARGE), Adoption::Refused).await.unwrap().summary;
        assert!(!summary.is_complete(), "{what}");
        let found = there(&rehearsal);
        assert!(found.iter().any(|(name, _)| name.starts_with("system")), "{what}: {found:?}");
        if path == "/systemtmp" && method == Method::Put {
            assert!(sizes(&found).contains(&("system", "Standard_D4s_v5")), "{what}: {found:?}");
        }
        let replaced = summary.steps.iter().find(|step| step.address.as_str().ends_with(".system")).unwrap();
        assert_eq!(replaced.deleted, what.starts_with("Put /agentPools"), "{what}");
        // The next run ends what was begun.
        rehearsal.apply(&pools(LARGE)).await;
        let found = there(&rehearsal);
        assert_eq!(sizes(&found), [("system", "Standard_D8s_v5"), ("work", "Standard_D4s_v5")], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_system_pool_under_another_key_comes_before_the_old_one_goes() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&pools(SMALL)).await;
    let summary = rehearsal.apply(&pools(&LARGE.replace("system:", "main:"))).await.summary;
    assert_eq!(
        order(&summary),
        [("clusters.aks.nodePools.main", Action::Create), ("clusters.aks.nodePools.system", Action::Delete)]
    );
    // A refused successor leaves it alone.
    rehearsal.simulator.fail_next(Fault::once(Method::Put, "/agentPools/third", refused()));
    let text = pools(&LARGE.replace("system:", "third:"));
    let summary = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap().summary;
    assert!(matches!(summary.steps[1].outcome, Outcome::Skipped { .. }), "{summary:#?}");
    assert!(there(&rehearsal).iter().any(|(name, _)| name == "main"));
}

#[tokio::test(start_paused = true)]
async fn of_several_system_pools_one_is_replaced_after_the_other() {
    let two = |size: &str| {
        let one = SMALL.replace("Standard_D4s_v5", size);
        pools(&format!("{one}{}", one.replace("system:", "second:")))
    };
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&two("Standard_D4s_v5")).await;
    let summary = rehearsal.apply(&two("Standard_D8s_v5")).await.summary;
    assert!(summary.steps.iter().all(|step| step.action == Action::Replace), "{summary:#?}");
}

const NAT: &str = "\
blueprint: nat
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-n }
publicIps: { nat: { name: pip-nat, when: true } }
natGateways: { nat: { when: true, publicIps: ['${publicIps.nat}'] } }
networks: { hub: { addressSpace: [10.20.0.0/16], subnets: { nodes: { prefix: 10.20.0.0/20, natGateway: '${natGateways.nat}' } } } }
identities: { plane: {} }
roleAssignments: { net: { principal: '${identities.plane}', role: Network Contributor, scope: '${networks.hub.subnets.nodes}' } }
clusters:
  aks:
    protect: false
    identity: ${identities.plane}
    subnet: ${networks.hub.subnets.nodes}
    network: { mode: overlay, outboundType: userAssignedNATGateway }
    nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } }
";

#[tokio::test(start_paused = true)]
async fn a_cluster_leaves_a_gateway_before_its_subnet_does_and_comes_to_one_after_it() {
    let balanced = NAT
        .replace("when: true", "when: false")
        .replace(", natGateway: '${natGateways.nat}'", "")
        .replace("userAssignedNATGateway", "loadBalancer, loadBalancer: { managedIps: 2 }");
    let rehearsal = Rehearsal::new();
    rehearsal.apply(NAT).await;
    let back = rehearsal.apply(&balanced).await.summary;
    assert_eq!(
        order(&back),
        [
            ("clusters.aks", Action::Update),
            ("networks.hub.subnets.nodes", Action::Update),
            ("natGateways.nat", Action::Delete),
            ("publicIps.nat", Action::Delete),
        ]
    );
    // A cluster that does not leave keeps its way out.
    let forth = rehearsal.apply(NAT).await.summary;
    assert_eq!(
        order(&forth),
        [
            ("publicIps.nat", Action::Create),
            ("natGateways.nat", Action::Create),
            ("networks.hub.subnets.nodes", Action::Update),
            ("clusters.aks", Action::Update),
        ]
    );
    rehearsal.simulator.fail_next(Fault::once(Method::Put, "/managedClusters/aks", refused()));
    let summary = rehearsal.try_apply(&balanced, Adoption::Refused).await.unwrap().summary;
    assert!(!summary.is_complete());
    let gateway = |r: &serde_json::Value| r["id"].as_str().unwrap().ends_with("/natGateways/nat");
    assert!(rehearsal.simulator.export().iter().any(gateway));
}

#[tokio::test(start_paused = true)]
async fn pools_do_not_move_to_another_network_than_their_cluster() {
    let text = NAT
        .replace(", natGateway: '${natGateways.nat}'", "")
        .replace("userAssignedNATGateway", "loadBalancer");
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text).await;
    let moved = text.replace("hub: { addressSpace", "hub: { name: other, addressSpace");
    let plan = rehearsal.plan(&moved).await.plan;
    let conflict =
        plan.conflicts.iter().find(|one| one.address.as_str().ends_with("nodePools.system")).unwrap();
    assert!(conflict.help.contains("another `name:`"), "{conflict:?}");
    // With a cluster of another name, all of it moves.
    let whole = moved.replace("    protect: false\n", "    protect: false\n    name: aks-other\n");
    let plan = rehearsal.plan(&whole).await.plan;
    assert_eq!(plan.conflicts, []);
}
