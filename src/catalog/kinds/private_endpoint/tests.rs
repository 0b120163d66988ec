//! A private endpoint, expanded.

use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};
use crate::catalog::{Approval, Draft, Provisioning};
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/sub/resourceGroups/rg/providers";
const NONE: [&str; 0] = [];

fn fields(more: Value) -> Value {
    let mut fields = json!({
        "target": reference("keyVaults.secrets"),
        "subnet": reference("networks.hub.subnets.endpoints"),
    });
    crate::catalog::merge_over(&mut fields, &more);
    fields
}

fn addresses(drafts: &[Draft]) -> Vec<&str> {
    drafts.iter().map(|draft| draft.address.as_str()).collect()
}

#[test]
fn an_entry_is_endpoint_zone_link_zone_group_and_approval() {
    let (drafts, problems) =
        expand("privateEndpoints", "vault", fields(json!({ "dns": "auto", "tags": { "team": "a" } })));
    assert_eq!(problems, []);
    let [endpoint, zone, link, group, approval] = &drafts[..] else { panic!("{drafts:#?}") };
    assert_eq!(
        addresses(&drafts),
        [
            "privateEndpoints.vault",
            "privateDns.privatelink.vaultcore.azure.net",
            "privateDns.privatelink.vaultcore.azure.net.links.hub",
            "privateEndpoints.vault.dns",
            "privateEndpoints.vault.connection",
        ]
    );
    assert_eq!(id(endpoint), format!("{GROUP}/Microsoft.Network/privateEndpoints/vault"));
    assert_eq!(
        endpoint.body,
        json!({ "location": "westeurope", "tags": { "team": "a" }, "properties": {
            "subnet": { "id": wants("networks.hub.subnets.endpoints", "id") },
            "privateLinkServiceConnections": [{
                "name": "vault",
                "properties": { "privateLinkServiceId": wants("keyVaults.secrets", "id"), "groupIds": ["vault"] },
            }],
        } })
    );
    let zone_id = format!("{GROUP}/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net");
    assert_eq!((id(zone), zone.shared), (zone_id.as_str(), true));
    assert_eq!(zone.body, json!({ "location": "global", "tags": { "team": "a" } }));
    let zone_id = wants("privateDns.privatelink.vaultcore.azure.net", "id");
    assert_eq!(id(link), format!("{zone_id}/virtualNetworkLinks/link-hub"));
    assert!(link.shared);
    assert_eq!(
        link.body["properties"],
        json!({ "virtualNetwork": { "id": wants("networks.hub", "id") }, "registrationEnabled": false })
    );
    assert_eq!(id(group), format!("{}/privateDnsZoneGroups/default", id(endpoint)));
    assert_eq!(
        group.body,
        json!({ "properties": { "privateDnsZoneConfigs": [{
            "name": "privatelink-vaultcore-azure-net", "properties": { "privateDnsZoneId": zone_id },
        }] } })
    );
    assert_eq!(group.depends_on, ["privateDns.privatelink.vaultcore.azure.net"]);
    assert_eq!(id(approval), format!("{}/privateLinkServiceConnections/vault", id(endpoint)));
    assert_eq!(
        approval.operation,
        Provisioning::Approval(Box::new(Approval {
            endpoints: vec![id(endpoint).to_owned()],
            target: wants("keyVaults.secrets", "id"),
            description: "Approved by berth for privateEndpoints.vault".to_owned(),
            own: true,
            ..Approval::default()
        }))
    );
}

#[test]
fn a_manual_connection_is_asked_for() {
    let more = json!({ "manual": true, "requestMessage": "please", "dns": "none", "customNicName": "nic" });
    let (drafts, problems) = expand("privateEndpoints", "vault", fields(more));
    assert_eq!(problems, []);
    assert_eq!(addresses(&drafts), ["privateEndpoints.vault", "privateEndpoints.vault.connection"]);
    let properties = &drafts[0].body["properties"];
    assert_eq!(properties.get("privateLinkServiceConnections"), None);
    assert_eq!(
        properties["manualPrivateLinkServiceConnections"][0]["properties"]["requestMessage"],
        "please"
    );
    assert_eq!(properties["customNetworkInterfaceName"], "nic");
    assert_eq!(id(&drafts[1]), format!("{}/manualPrivateLinkServiceConnections/vault", id(&drafts[0])));
    let (drafts, _) = expand("privateEndpoints", "vault", fields(json!({ "approve": false, "dns": "none" })));
    assert_eq!(addresses(&drafts), ["privateEndpoints.vault"]);
}

#[test]
fn literal_ids_do_as_well_as_references() {
    let subnet = format!("{GROUP}/Microsoft.Network/virtualNetworks/Hub/subnets/pe");
    let storage = format!("{GROUP}/Microsoft.Storage/storageAccounts/shop");
    let more = json!({ "target": storage, "subnet": subnet, "group": "FILE" });
    let (drafts, problems) = expand("privateEndpoints", "files", fields(more));
    assert_eq!(problems, []);
    let connection = &drafts[0].body["properties"]["privateLinkServiceConnections"][0];
    assert_eq!(connection["properties"]["groupIds"], json!(["file"]));
    let link = &drafts[2];
    assert!(id(link).contains("/virtualNetworkLinks/link-Hub-"));
    assert_eq!(
        link.body["properties"]["virtualNetwork"]["id"],
        format!("{GROUP}/Microsoft.Network/virtualNetworks/Hub")
    );
}

#[test]
fn zones_can_be_given() {
    let zone = format!("{GROUP}/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net");
    let more = json!({ "dns": [zone, reference("resources.own_zone")], "approve": false });
    let (drafts, problems) = expand("privateEndpoints", "vault", fields(more));
    assert_eq!(problems, []);
    assert_eq!(addresses(&drafts), ["privateEndpoints.vault", "privateEndpoints.vault.dns"]);
    assert_eq!(
        drafts[1].body["properties"]["privateDnsZoneConfigs"],
        json!([
            { "name": "privatelink-vaultcore-azure-net", "properties": { "privateDnsZoneId": zone } },
            { "name": "own_zone", "properties": { "privateDnsZoneId": wants("resources.own_zone", "id") } },
        ])
    );
}

#[test]
fn a_zone_may_be_named_after_its_region() {
    let target = format!("{GROUP}/Microsoft.ContainerService/managedClusters/aks");
    let more = json!({ "target": target, "location": "West Europe" });
    let (drafts, problems) = expand("privateEndpoints", "api", fields(more));
    assert_eq!(problems, []);
    assert_eq!(drafts[1].address.as_str(), "privateDns.privatelink.westeurope.azmk8s.io");
}

#[test]
fn zones_are_those_of_the_cloud_that_the_endpoint_lies_in() {
    let vault = format!("{GROUP}/Microsoft.KeyVault/vaults/kv");
    for (location, zone) in [
        ("China North 3", "privatelink.vaultcore.azure.cn"),
        ("usgovvirginia", "privatelink.vaultcore.usgovcloudapi.net"),
        ("westeurope", "privatelink.vaultcore.azure.net"),
    ] {
        let more = json!({ "target": vault, "location": location });
        let (drafts, problems) = expand("privateEndpoints", "vault", fields(more));
        assert_eq!(problems, [], "{location}");
        assert_eq!(drafts[1].address.as_str(), format!("privateDns.{zone}"));
    }
    // What the cloud does not have, or no source tells, is asked for.
    let grafana = format!("{GROUP}/Microsoft.Dashboard/grafana/g");
    let more = json!({ "target": grafana, "location": "chinanorth3" });
    assert_eq!(codes(expand("privateEndpoints", "g", fields(more))), ["private-endpoint-dns"]);
}

#[test]
fn addresses_can_be_fixed() {
    let more = json!({
        "ipConfigurations": { "main": { "address": "10.20.16.5", "member": "default" } },
        "applicationSecurityGroups": [reference("resources.asg")],
    });
    let (drafts, _) = expand("privateEndpoints", "vault", fields(more));
    let properties = &drafts[0].body["properties"];
    assert_eq!(
        properties["ipConfigurations"],
        json!([{ "name": "main", "properties": {
            "groupId": "vault", "memberName": "default", "privateIPAddress": "10.20.16.5",
        } }])
    );
    assert_eq!(properties["applicationSecurityGroups"], json!([{ "id": wants("resources.asg", "id") }]));
}

fn live(manual: bool) -> Value {
    let connection = json!({
        "name": "vault", "etag": "W/\"1\"", "type": "Microsoft.Network/privateEndpoints/privateLinkServiceConnections",
        "id": format!("{GROUP}/Microsoft.Network/privateEndpoints/vault/privateLinkServiceConnections/vault"),
        "properties": {
            "provisioningState": "Succeeded", "groupIds": ["vault"],
            "privateLinkServiceId": format!("{GROUP}/microsoft.keyvault/Vaults/kv"),
            "privateLinkServiceConnectionState": {
                "status": "Approved", "description": "Auto-Approved", "actionsRequired": "None",
            },
        },
    });
    let (automatic, manual) =
        if manual { (json!([]), json!([connection])) } else { (json!([connection]), json!([])) };
    json!({
        "name": "vault", "id": format!("{GROUP}/Microsoft.Network/privateEndpoints/vault"), "etag": "W/\"1\"",
        "type": "Microsoft.Network/privateEndpoints", "location": "westeurope",
        "properties": {
            "provisioningState": "Succeeded", "resourceGuid": "g",
            "privateLinkServiceConnections": automatic, "manualPrivateLinkServiceConnections": manual,
            "customNetworkInterfaceName": "", "ipConfigurations": [],
            "subnet": { "id": format!("{GROUP}/Microsoft.Network/virtualNetworks/hub/subnets/pe") },
            "networkInterfaces": [{ "id": "n" }],
            "customDnsConfigs": [{ "fqdn": "kv.vault.azure.net", "ipAddresses": ["10.0.0.4"] }],
        },
    })
}

#[test]
fn what_azure_answers_is_no_change_and_a_new_target_replaces() {
    let with = |more: Value| {
        let mut all = fields(json!({
            "target": format!("{GROUP}/Microsoft.KeyVault/vaults/kv"),
            "subnet": format!("{GROUP}/Microsoft.Network/virtualNetworks/hub/subnets/pe"),
        }));
        crate::catalog::merge_over(&mut all, &more);
        expand("privateEndpoints", "vault", all).0
    };
    let drafts = with(json!({ "requestMessage": "hello" }));
    assert_eq!(changes(&drafts[0], &live(false)), NONE);
    let other = json!({ "target": format!("{GROUP}/Microsoft.KeyVault/vaults/other") });
    assert_eq!(
        changes(&with(other)[0], &live(false)),
        ["properties.privateLinkServiceConnections[vault].properties.privateLinkServiceId!"]
    );
    assert_eq!(
        changes(&with(json!({ "manual": true }))[0], &live(false)),
        ["properties.manualPrivateLinkServiceConnections[vault]!"]
    );
    assert_eq!(changes(&with(json!({ "manual": true }))[0], &live(true)), NONE);

    let [_, zone, link, group, approval] = &drafts[..] else { panic!("{drafts:#?}") };
    let mut group = group.clone();
    // What linking puts in place of the reference.
    group.body["properties"]["privateDnsZoneConfigs"][0]["properties"]["privateDnsZoneId"] = id(zone).into();
    let group = &group;
    let live_zone = json!({
        "location": "global", "etag": "x",
        "properties": { "numberOfRecordSets": 1, "maxNumberOfRecordSets": 25000, "provisioningState": "Succeeded" },
    });
    assert_eq!(changes(zone, &live_zone), NONE);
    let live_link = |network: &str| {
        json!({ "location": "global", "properties": {
        "virtualNetwork": { "id": format!("{GROUP}/Microsoft.Network/virtualNetworks/{network}") },
        "registrationEnabled": false, "resolutionPolicy": "Default", "virtualNetworkLinkState": "Completed",
    } })
    };
    assert_eq!(changes(link, &live_link("HUB")), NONE);
    assert_eq!(changes(link, &live_link("other")), ["properties.virtualNetwork.id!"]);
    let live_group = |zone: &str| {
        json!({ "properties": { "privateDnsZoneConfigs": [{
        "name": "privatelink-vaultcore-azure-net", "id": "x", "etag": "W/\"1\"",
        "properties": {
            "privateDnsZoneId": format!("{GROUP}/Microsoft.Network/privateDnsZones/{zone}"),
            "recordSets": [{ "recordType": "A", "ttl": 10 }],
        },
    }] } })
    };
    assert_eq!(changes(group, &live_group("PrivateLink.vaultcore.azure.net")), NONE);
    assert_eq!(changes(group, &live_group("other")).len(), 1);
    assert!(changes(group, &live_group("other"))[0].ends_with('!'));
    let state =
        |status: &str| json!({ "properties": { "privateLinkServiceConnectionState": { "status": status } } });
    assert_eq!(changes(approval, &state("Approved")), NONE);
    assert_eq!(changes(approval, &state("Pending")).len(), 1);
}

#[test]
fn says_what_cannot_be() {
    let alias = "pls.0c2e8f9b-0000-0000-0000-000000000000.westeurope.azure.privatelinkservice";
    let instance = format!("{GROUP}/Microsoft.Sql/managedInstances/mi");
    for (more, expected) in [
        (json!({ "target": "vault" }), vec!["private-endpoint-target"]),
        (json!({ "target": alias }), vec!["private-endpoint-alias"]),
        (json!({ "target": alias, "manual": true }), vec![]),
        (json!({ "target": instance }), vec!["private-endpoint-dns"]),
        (json!({ "target": reference("resources.registry") }), vec!["private-endpoint-group"]),
        (json!({ "target": reference("resources.registry"), "group": "registry" }), vec![]),
        (json!({ "target": reference("resources.x"), "group": "x" }), vec!["private-endpoint-dns"]),
        (json!({ "target": reference("resources.x"), "group": "x", "dns": "none" }), vec![]),
        (json!({ "group": "valut", "dns": "none" }), vec!["private-endpoint-group"]),
        (json!({ "subnet": "pe" }), vec!["private-endpoint-subnet"]),
        (
            json!({ "subnet": format!("{GROUP}/Microsoft.Network/virtualNetworks/hub") }),
            vec!["private-endpoint-subnet"],
        ),
        (json!({ "subnet": reference("resources.subnet") }), vec!["private-endpoint-network"]),
        (json!({ "subnet": reference("resources.subnet"), "dns": "none" }), vec![]),
        (json!({ "requestMessage": "x".repeat(141) }), vec!["private-endpoint-message"]),
        (json!({ "dns": ["zone"] }), vec!["private-endpoint-zone"]),
        (json!({ "dns": "automatic" }), vec!["shape"]),
        (json!({ "name": "pe-" }), vec!["private-endpoint-name"]),
    ] {
        assert_eq!(codes(expand("privateEndpoints", "vault", fields(more.clone()))), expected, "{more}");
    }
}

#[test]
fn two_endpoints_ask_for_the_same_zone_and_link() {
    let zones = |key: &str| {
        let drafts = expand("privateEndpoints", key, fields(json!({}))).0;
        drafts.iter().filter(|draft| draft.shared).map(|draft| id(draft).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(zones("one"), zones("two"));
    assert_eq!(zones("one").len(), 2);
}
