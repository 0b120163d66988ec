//! The suite of every kind: its example works, a second plan is empty, nothing stays behind, no secret gets out.

use crate::support::{Berth, Rehearsal};
use berth::catalog::{Kind, registry, resource_type};
use berth::change::Action;

/// What stands before an example.
const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
";

fn example(kind: &Kind) -> String {
    format!("{HEAD}{}", kind.example)
}

#[tokio::test(start_paused = true)]
async fn every_example_is_made_stays_as_it_is_and_goes() {
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let text = example(kind);
        let rehearsal = Rehearsal::new();
        let applied = rehearsal.apply(&text).await;
        assert!(!applied.ledger.resources.is_empty(), "{}", kind.section);
        let drift = rehearsal.drift(&text).await;
        assert!(drift.drifted.is_empty(), "{}: {drift:#?}", kind.section);
        for (id, times) in rehearsal.simulator.counters().creates {
            assert_eq!(times, 1, "{}: {id} was created {times} times", kind.section);
        }
        rehearsal.destroy(&text).await;
        assert_eq!(rehearsal.simulator.export(), [] as [serde_json::Value; 0], "{}", kind.section);
        assert_eq!(rehearsal.ledger().await["resources"], serde_json::json!({}), "{}", kind.section);
        // What was there before can be made again, soft-deleted or not.
        rehearsal.apply(&text).await;
    }
}

/// A ledger outlives its blueprint: what it lists is deleted by what is known of the type alone.
#[test]
fn every_type_that_a_kind_makes_is_known_without_the_blueprint() {
    let rehearsal = Rehearsal::new();
    let estate = include_str!("../support/references.yaml").to_owned();
    for text in registry().iter().filter(|kind| !kind.reads).map(example).chain([estate]) {
        for resource in &rehearsal.desired(&text).resources {
            let arm_type = resource.kind.arm_type;
            assert!(
                resource.kind.open || resource_type(arm_type).is_some(),
                "{} {arm_type}",
                resource.address
            );
        }
    }
}

#[test]
fn every_example_can_be_drawn_and_planned_by_the_binary() {
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let berth = Berth::new().blueprint(&example(kind));
        berth.validate().exits(0).says(&["is valid"]);
        berth.plan(&[]).exits(2).says(&["Plan for example"]);
        berth.run(["graph", "blueprint.yaml"]).exits(0).says(&["digraph"]);
        berth.run(["graph", "blueprint.yaml", "--format", "mermaid"]).exits(0);
    }
}

/// For each kind a change that cannot be made in place: the section, what stands in the example, what then, and
/// the address that is replaced. `""` in place of a text adds the second one at the end.
const REPLACES: &[(&str, &str, &str, &str)] = &[
    ("resourceGroups", "location: northeurope", "location: uksouth", "resourceGroups.dns"),
    ("networks", "addressSpace:", "location: northeurope\n    addressSpace:", "networks.hub"),
    (
        "identities",
        "name: id-shop-deploy",
        "name: id-shop-deploy\n    location: northeurope",
        "identities.deploy",
    ),
    (
        "keyVaults",
        "purgeProtection: true",
        "purgeProtection: true\n    softDeleteRetentionDays: 30",
        "keyVaults.secrets",
    ),
    ("clusters", "name: aks-shop", "name: aks-shop\n    dnsPrefix: another", "clusters.aks"),
    (
        "clusters",
        "winpl: { os: Windows,",
        "winpl: { os: Windows, vmSize: Standard_D8s_v5,",
        "clusters.aks.nodePools.winpl",
    ),
    (
        "privateEndpoints",
        "name: pe-shop-vault",
        "name: pe-shop-vault\n    customNicName: nic-shop",
        "privateEndpoints.vault",
    ),
    ("publicIps", "zones: ['1', '2', '3']", "zones: ['1']", "publicIps.egress"),
    ("natGateways", "zones: ['1']\n    idle", "zones: ['2']\n    idle", "natGateways.egress"),
    (
        "policyAssignments",
        "policy: podSecurityBaseline",
        "policy: podSecurityRestricted",
        "policyAssignments.podSecurity",
    ),
    ("logWorkspaces", "name: log-shop", "name: log-shop\n    location: northeurope", "logWorkspaces.logs"),
    (
        "resources",
        "apiVersion: '2025-11-01'",
        "apiVersion: '2025-11-01'\n    immutable: [properties.adminUserEnabled]",
        "",
    ),
];

#[tokio::test(start_paused = true)]
async fn a_change_that_azure_refuses_in_place_plans_a_replacement() {
    for (section, from, to, address) in REPLACES {
        let kind = registry().iter().find(|kind| kind.section == *section).unwrap();
        let text = example(kind);
        assert!(text.contains(from), "the example of {section} has no {from:?}");
        let (before, after, address) = match *address {
            // The generic kind says itself what is immutable.
            "" => {
                let before = text.replace(from, to);
                let after = before.replace("adminUserEnabled: false", "adminUserEnabled: true");
                (before, after, "resources.registry")
            }
            address => (text.clone(), text.replace(from, to), address),
        };
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&before).await;
        let plan = rehearsal.plan(&after).await.plan;
        let step = plan.steps.iter().find(|step| step.address.as_str() == address).unwrap();
        assert_eq!(step.action, Action::Replace, "{address}: {:?} {:#?}", step.action, step.changes);
        assert!(step.changes.iter().any(|change| change.forces_replace), "{address}: {:#?}", step.changes);
    }
}

/// Azure takes an App Service plan along with its last app, unless the request says that it must not.
#[tokio::test(start_paused = true)]
async fn the_last_app_goes_and_its_plan_stays() {
    let plans = format!("{HEAD}appServicePlans: {{ web: {{ name: asp-last, sku: S1 }} }}\n");
    let apps = "webApps: { shop: { name: app-last-1, plan: '${appServicePlans.web}', config: { runtime: NODE|22-lts } } }\n";
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&format!("{plans}{apps}")).await;
    rehearsal.apply(&plans).await;
    let left: Vec<_> = rehearsal.simulator.export().iter().map(|one| one["name"].clone()).collect();
    assert!(left.contains(&"asp-last".into()) && !left.contains(&"app-last-1".into()), "{left:?}");
    // The same for a plan and an app that go together.
    rehearsal.apply(&format!("{plans}{apps}")).await;
    rehearsal.destroy(&format!("{plans}{apps}")).await;
}
