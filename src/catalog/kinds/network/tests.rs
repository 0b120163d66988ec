//! A virtual network, expanded.

use crate::catalog::kinds::testing::{changes, codes, expand, reference, wants};
use serde_json::json;

#[test]
fn a_subnet_says_what_it_uses_and_lets_go_of_what_it_drops() {
    let fields = json!({
        "addressSpace": ["10.0.0.0/16"],
        "subnets": { "a": {
            "prefix": "10.0.0.0/24", "networkSecurityGroup": reference("networkSecurityGroups.n"),
            "privateLinkServiceNetworkPolicies": false, "serviceEndpoints": ["Microsoft.Storage"],
        } },
    });
    let (drafts, problems) = expand("networks", "hub", fields);
    assert_eq!(problems, []);
    assert_eq!(
        drafts[1].created()["properties"],
        json!({
            "addressPrefix": "10.0.0.0/24", "serviceEndpoints": [{ "service": "Microsoft.Storage" }],
            "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Disabled",
            "networkSecurityGroup": { "id": wants("networkSecurityGroups.n", "id") },
        })
    );
}

#[test]
fn what_azure_answers_is_no_change() {
    let (drafts, _) = expand("networks", "hub", json!({ "addressSpace": ["10.0.0.0/16"] }));
    let live = json!({ "location": "westeurope", "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": [{ "name": "foreign" }],
        "enableDdosProtection": false, "virtualNetworkPeerings": [{ "name": "foreign" }],
    } });
    assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
}

#[test]
fn refuses_what_azure_refuses() {
    let network = |more: serde_json::Value| {
        let mut fields = json!({ "addressSpace": ["10.0.0.0/16"] });
        crate::catalog::merge_over(&mut fields, &more);
        codes(expand("networks", "hub", fields))
    };
    let subnet = |more: serde_json::Value| {
        let mut fields = json!({ "prefix": "10.0.0.0/24" });
        crate::catalog::merge_over(&mut fields, &more);
        network(json!({ "subnets": { "a": fields } }))
    };
    for (more, code) in [
        (json!({ "addressSpace": ["10.0.0.0/16", "10.0.1.0/24"] }), "network-overlap"),
        (json!({ "addressSpace": ["10.0.0.1/16"] }), "cidr"),
        (json!({ "dnsServers": ["dns"] }), "dns-server"),
        (json!({ "flowTimeoutMinutes": 3 }), "flow-timeout"),
        (
            json!({ "subnets": { "a": { "prefix": "10.0.0.0/24" }, "b": { "prefix": "10.0.0.128/25" } } }),
            "subnet-overlap",
        ),
    ] {
        assert_eq!(network(more.clone()), [code], "{more}");
    }
    for (more, code) in [
        (json!({ "prefix": "10.1.0.0/24" }), "subnet-range"),
        (json!({ "prefix": "10.0.0.0/30" }), "subnet-size"),
        (json!({ "name": "AzureBastionSubnet", "prefix": "10.0.0.0/27" }), "subnet-size"),
        (json!({ "prefix": "10.0.0.4/24" }), "cidr"),
        (json!({ "serviceEndpoints": ["Microsoft.Storag"] }), "subnet-service"),
        (json!({ "delegation": "managedClusters" }), "subnet-service"),
        (json!({ "privateEndpointNetworkPolicies": "On" }), "shape"),
    ] {
        assert_eq!(subnet(more.clone()), [code], "{more}");
    }
}
