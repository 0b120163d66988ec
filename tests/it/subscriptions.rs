//! A hub in one subscription and a spoke in another, from one blueprint: its whole life on the simulator.

use crate::support::Berth;
use serde_json::Value;

const HUB: &str = "9b1d7a6e-0000-4000-8000-0000000000aa";

const TEXT: &str = "\
blueprint: shop
azure:
  subscription: ${env.AZURE_SUBSCRIPTION_ID}
  location: westeurope
  resourceGroup: rg-spoke
  features: [Microsoft.ContainerService/WindowsPreview]
resourceGroups:
  hub: { name: rg-hub, subscription: 9b1d7a6e-0000-4000-8000-0000000000aa }
networks:
  hub:
    resourceGroup: ${resourceGroups.hub}
    addressSpace: [10.0.0.0/16]
    subnets: { firewall: { prefix: 10.0.0.0/24 } }
    peerings: { spoke: { network: \"${networks.spoke}\" } }
  spoke:
    addressSpace: [10.1.0.0/16]
    subnets: { nodes: { prefix: 10.1.0.0/20 }, endpoints: { prefix: 10.1.16.0/24 } }
logWorkspaces:
  logs: { subscription: 9b1d7a6e-0000-4000-8000-0000000000aa, resourceGroup: rg-hub }
keyVaults:
  secrets: { name: kv-shop-a1b2c3, subscription: 9b1d7a6e-0000-4000-8000-0000000000aa, protect: false, publicAccess: false }
privateDnsZones:
  vault:
    name: privatelink.vaultcore.azure.net
    resourceGroup: ${resourceGroups.hub}
    links: { spoke: { network: \"${networks.spoke}\" } }
identities:
  app: {}
clusters:
  aks:
    protect: false
    subnet: ${networks.spoke.subnets.nodes}
    addons: { monitoring: { workspace: \"${logWorkspaces.logs}\" } }
    nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } }
privateEndpoints:
  vault:
    target: ${keyVaults.secrets}
    subnet: ${networks.spoke.subnets.endpoints}
    dns: [\"${privateDnsZones.vault}\"]
roleAssignments:
  reader: { principal: \"${identities.app}\", role: Reader, scope: \"${keyVaults.secrets}\" }
";

fn ids(berth: &Berth) -> Vec<String> {
    let all = berth.export();
    all.iter().filter_map(|one| one.get("id").and_then(Value::as_str)).map(str::to_owned).collect()
}

#[test]
fn a_hub_and_a_spoke_in_two_subscriptions_live_from_one_blueprint() {
    let berth = Berth::new().blueprint(TEXT);
    let plan = berth.plan(&[]).exits(2).stdout;
    assert!(plan.contains("networks.hub"), "{plan}");
    berth.apply(&[]).exits(0);
    let hub = |id: &&String| id.to_ascii_lowercase().starts_with(&format!("/subscriptions/{HUB}/"));
    let all = ids(&berth);
    for end in [
        "/virtualNetworks/hub",
        "/workspaces/logs",
        "/vaults/kv-shop-a1b2c3",
        "/resourceGroups/rg-hub",
        "/resourceGroups/rg-spoke",
    ] {
        assert!(all.iter().filter(hub).any(|id| id.ends_with(end)), "{end}: {all:#?}");
    }
    for end in [
        "/virtualNetworks/spoke",
        "/managedClusters/aks",
        "/privateEndpoints/vault",
        "/resourceGroups/rg-spoke",
    ] {
        assert!(all.iter().any(|id| !hub(&id) && id.ends_with(end)), "{end}: {all:#?}");
    }
    let plan = berth.plan(&[]).exits(0).stdout;
    assert!(plan.contains("No changes."), "{plan}");
    berth.drift(&[]).exits(0);
    // A change over there is an update over there.
    berth.edit("logs: { ", "logs: { retentionDays: 60, ");
    berth.apply(&[]).exits(0);
    berth.plan(&[]).exits(0);
    berth.destroy(&["--allow-delete", "logWorkspaces.logs"]).exits(0);
    let left: Vec<String> = ids(&berth).into_iter().filter(|id| !id.contains("/roleDefinitions/")).collect();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn the_subscription_of_azure_written_again_is_the_same() {
    let text = TEXT.replace("  app: {}", "  app: { subscription: \"${env.AZURE_SUBSCRIPTION_ID}\" }");
    let berth = Berth::new().blueprint(&text);
    let shown = berth.plan(&["--format", "json"]).exits(2).json().to_string();
    assert!(!shown.contains("00000000-0000-0000-0000-000000000000"), "{shown}");
}

#[test]
fn what_is_no_subscription_or_feature_is_an_error_at_its_place() {
    let wrong = TEXT
        .replace("Microsoft.ContainerService/WindowsPreview", "WindowsPreview")
        .replace("  app: {}", "  app: { subscription: prod }");
    Berth::new().blueprint(&wrong).validate().exits(1).complains(&[
        "blueprint.yaml:6:14",
        "write a name such as `Microsoft.ContainerService/WindowsPreview`",
        "`prod` is not the id of a subscription",
        "2 errors",
    ]);
}
