//! Networks, vaults, private endpoints and their connections.

use crate::session::{Session, has, names, text};
use berth::sim::CALLER_OBJECT_ID;
use serde_json::json;

#[test]
fn connects_to_a_vault() {
    let Some(session) = Session::start("connects_to_a_vault") else { return };
    session.az("group create --name rg --location westeurope");
    session.register(&["Microsoft.Network", "Microsoft.KeyVault"]);
    let network = session
        .az("network vnet create --resource-group rg --name vnet --address-prefixes 10.20.0.0/16 \
         --subnet-name nodes --subnet-prefixes 10.20.0.0/22");
    has(&network, &[("/newVNet/subnets/0/addressPrefix", json!("10.20.0.0/22"))]);
    let subnet = session
        .az("network vnet subnet create --resource-group rg --vnet-name vnet --name endpoints \
         --address-prefixes 10.20.8.0/24");
    has(&subnet, &[("/provisioningState", json!("Succeeded"))]);
    let refused = session.az_fails(
        1,
        "network vnet subnet create --resource-group rg --vnet-name vnet --name again \
         --address-prefixes 10.20.8.0/25",
    );
    assert!(refused.contains("NetcfgSubnetRangesOverlap"), "{refused}");

    // Without RBAC az gives the signed-in application a policy of its own, whose object id it asks of Graph.
    let vault = session
        .az("keyvault create --resource-group rg --name kv-az-tests --enable-rbac-authorization false");
    has(&vault, &[("/properties/accessPolicies/0/objectId", json!(CALLER_OBJECT_ID))]);
    let target = text(&vault, "/id").to_owned();
    let somebody = "0e0e0e0e-0000-4000-8000-00000000000a";
    session.az(&format!(
        "keyvault set-policy --name kv-az-tests --object-id {somebody} --secret-permissions get list"
    ));
    let shown = session.az("keyvault show --name kv-az-tests");
    has(
        &shown,
        &[
            ("/properties/accessPolicies/1/objectId", json!(somebody)),
            ("/properties/vaultUri", json!("https://kv-az-tests.vault.azure.net/")),
        ],
    );
    assert_eq!(shown.pointer("/properties/accessPolicies/2"), None);

    let zone = "privatelink.vaultcore.azure.net";
    session.az(&format!("network private-dns zone create --resource-group rg --name {zone}"));
    let link = format!("--resource-group rg --zone-name {zone} --name hub");
    session.az(&format!(
        "network private-dns link vnet create {link} --virtual-network vnet --registration-enabled false"
    ));
    has(
        &session.az(&format!("network private-dns link vnet show {link}")),
        &[("/virtualNetworkLinkState", json!("Completed")), ("/registrationEnabled", json!(false))],
    );

    let create = format!(
        "network private-endpoint create --resource-group rg --vnet-name vnet --subnet endpoints \
         --private-connection-resource-id {target} --group-id vault --location westeurope"
    );
    let endpoint = session.az(&format!("{create} --name auto --connection-name auto"));
    let state = "/privateLinkServiceConnections/0/privateLinkServiceConnectionState/status";
    has(&endpoint, &[(state, json!("Approved"))]);
    for name in ["wanted", "unwanted"] {
        let asked = session.az(&format!(
            "{create} --name {name} --connection-name {name} --manual-request true --request-message please"
        ));
        let state = "/manualPrivateLinkServiceConnections/0/privateLinkServiceConnectionState/status";
        has(&asked, &[(state, json!("Pending"))]);
    }
    session.az(&format!(
        "network private-endpoint dns-zone-group create --resource-group rg --endpoint-name auto \
         --name default --private-dns-zone {zone} --zone-name vault"
    ));
    let record = format!("network private-dns record-set a show -g rg --zone-name {zone} -n kv-az-tests");
    has(&session.az(&record), &[("/aRecords/0/ipv4Address", json!("10.20.8.4"))]);

    let list = format!("network private-endpoint-connection list --id {target}");
    let listed = session.az(&list);
    let of = |endpoint: &str| {
        let mut all = listed.as_array().unwrap().iter();
        let end = format!("/privateEndpoints/{endpoint}");
        let found = all.find(|c| text(c, "/properties/privateEndpoint/id").ends_with(&end));
        text(found.unwrap_or_else(|| panic!("{listed:#}")), "/id").to_owned()
    };
    let status = "/properties/privateLinkServiceConnectionState/status";
    let connection = |verb: &str, id: &str, more: &str| {
        session.az(&format!("network private-endpoint-connection {verb} --id {id} {more}"))
    };
    let (wanted, unwanted) = (of("wanted"), of("unwanted"));
    has(&connection("show", &wanted, ""), &[(status, json!("Pending"))]);
    has(&connection("approve", &wanted, "--description welcome"), &[(status, json!("Approved"))]);
    has(&connection("reject", &unwanted, "--description no"), &[(status, json!("Rejected"))]);
    has(&connection("show", &unwanted, ""), &[(status, json!("Rejected"))]);
    connection("delete", &unwanted, "--yes");
    assert_eq!(session.az(&list).as_array().unwrap().len(), 2);
    let endpoint = session.az("network private-endpoint show --resource-group rg --name unwanted");
    let state = "/manualPrivateLinkServiceConnections/0/privateLinkServiceConnectionState/status";
    has(&endpoint, &[(state, json!("Disconnected"))]);
    let all = session.az("network private-endpoint list --resource-group rg");
    assert_eq!(names(&all), ["auto", "unwanted", "wanted"]);
}
