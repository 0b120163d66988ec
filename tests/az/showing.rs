//! What berth makes, az shows.

use crate::session::{Session, has, names, text};
use crate::support::quickstart;
use serde_json::json;

#[test]
fn what_berth_makes_az_shows() {
    let Some(session) = Session::start("what_berth_makes_az_shows") else { return };
    session.berth.write("blueprint.yaml", quickstart().as_bytes());
    let _ = session.run(&["apply", "blueprint.yaml", "--auto-approve"]).exits(0);
    let group = "--resource-group rg-shop-dev";

    has(&session.az("group show --name rg-shop-dev"), &[("/tags/team", json!("platform"))]);
    let identity = session.az(&format!("identity show {group} --name id-shop-control-plane"));
    let cluster = session.az(&format!("aks show {group} --name aks-shop"));
    has(
        &cluster,
        &[
            ("/provisioningState", json!("Succeeded")),
            ("/powerState/code", json!("Running")),
            ("/disableLocalAccounts", json!(true)),
            ("/addonProfiles/azurepolicy/enabled", json!(true)),
            ("/windowsProfile/adminUsername", json!("azureuser")),
        ],
    );
    let pools = session.az(&format!("aks nodepool list {group} --cluster-name aks-shop"));
    assert_eq!(names(&pools), ["linux", "system", "winpl"]);
    let network = session.az(&format!("network vnet show {group} --name vnet-shop"));
    has(&network, &[("/addressSpace/addressPrefixes", json!(["10.20.0.0/16"]))]);

    let vaults = session.az(&format!("keyvault list {group}"));
    let name = text(&vaults, "/0/name");
    let vault = session.az(&format!("keyvault show --name {name}"));
    has(
        &vault,
        &[
            ("/properties/publicNetworkAccess", json!("Disabled")),
            ("/properties/enableRbacAuthorization", json!(true)),
        ],
    );
    let endpoint = session.az(&format!("network private-endpoint show {group} --name pe-vault-by-hand"));
    let status = "/manualPrivateLinkServiceConnections/0/privateLinkServiceConnectionState/status";
    has(&endpoint, &[(status, json!("Approved"))]);
    let connections =
        session.az(&format!("network private-endpoint-connection list --id {}", text(&vault, "/id")));
    assert_eq!(connections.as_array().unwrap().len(), 2, "{connections:#}");
    let zone = "privatelink.vaultcore.azure.net";
    has(
        &session
            .az(&format!("network private-dns record-set a show {group} --zone-name {zone} --name {name}")),
        &[("/aRecords/0/ipv4Address", endpoint_address(&session, group))],
    );
    let principal = text(&identity, "/principalId");
    let assigned = session.az(&format!("role assignment list --all --assignee {principal}"));
    let mut roles: Vec<&str> =
        assigned.as_array().unwrap().iter().map(|found| text(found, "/roleDefinitionName")).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["Network Contributor"]);

    // Who is signed in to az need not sign in again.
    session.run_as_az(&["plan", "blueprint.yaml"]).exits(0).says(&["No changes."]);
    // ARM's index has the resources, and not their parts.
    let listed = session.az(&format!("resource list {group}"));
    assert!(names(&listed).contains(&"aks-shop"), "{listed:#}");
    assert!(!listed.to_string().contains("privateEndpointConnections"), "{listed:#}");

    // Whoever changes something with az is found out by berth.
    session.az(&format!("aks nodepool scale {group} --cluster-name aks-shop --name system --node-count 4"));
    session.run(&["drift", "blueprint.yaml"]).exits(2).says(&["count"]);
}

/// The address that the endpoint of the vault got.
fn endpoint_address(session: &Session, group: &str) -> serde_json::Value {
    let endpoint = session.az(&format!("network private-endpoint show {group} --name pe-vault"));
    json!(text(&endpoint, "/customDnsConfigs/0/ipAddresses/0"))
}
