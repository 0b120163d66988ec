use super::types::TRAFFIC;
use crate::catalog::kinds::testing::{changes, codes, expand, reference};
use serde_json::{Value, json};

fn fields(more: Value) -> Value {
    let mut fields = json!({
        "subnet": reference("networks.hub.subnets.gateway"), "publicIp": reference("publicIps.gateway"),
        "wafPolicy": reference("wafPolicies.gateway"),
    });
    crate::catalog::merge_over(&mut fields, &more);
    fields
}

fn traffic() -> Value {
    json!({
        "listeners": { "web": {} }, "backends": { "shop": { "addresses": ["10.20.0.10", "shop.example.com"] } },
        "rules": { "web": { "priority": 100, "listener": "web", "backend": "shop" } },
    })
}

#[test]
fn what_an_ingress_controller_writes_is_left_alone() {
    let (drafts, problems) =
        expand("applicationGateways", "shop", fields(json!({ "ingressController": true })));
    assert_eq!(problems, []);
    let created = drafts[0].created();
    assert_eq!(created["properties"]["requestRoutingRules"][0]["properties"]["priority"], 19_500);
    let mut live = created;
    for list in TRAFFIC {
        live["properties"][list] = json!([{ "name": "pool-default-shop-80", "properties": {} }]);
    }
    live["properties"]["urlPathMaps"] = json!([{ "name": "url-1" }]);
    live["tags"] = json!({ "managed-by-k8s-ingress": "1.8" });
    assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    live["properties"]["firewallPolicy"]["id"] = json!("/others");
    assert_eq!(changes(&drafts[0], &live), ["properties.firewallPolicy.id"]);
}

#[test]
fn rules_lead_from_listeners_to_servers() {
    let (drafts, problems) = expand("applicationGateways", "shop", fields(traffic()));
    assert_eq!(problems, []);
    let properties = &drafts[0].body["properties"];
    assert_eq!(properties["frontendPorts"][0]["properties"]["port"], 80);
    assert_eq!(
        properties["backendAddressPools"][0]["properties"]["backendAddresses"],
        json!([{ "ipAddress": "10.20.0.10" }, { "fqdn": "shop.example.com" }])
    );
    let rule = &properties["requestRoutingRules"][0]["properties"];
    assert!(
        rule["httpListener"]["id"].as_str().unwrap().ends_with("/applicationGateways/shop/httpListeners/web")
    );
}

#[test]
fn refuses_what_azure_refuses() {
    let with = |more: Value| {
        let mut all = traffic();
        crate::catalog::merge_over(&mut all, &more);
        fields(all)
    };
    for (fields, code) in [
        (with(json!({ "name": "-a" })), "application-gateway-name"),
        (fields(json!({})), "application-gateway-traffic"),
        (with(json!({ "ingressController": true })), "application-gateway-traffic"),
        (with(json!({ "listeners": { "web": { "protocol": "Https" } } })), "application-gateway-traffic"),
        (with(json!({ "listeners": { "web": { "private": true } } })), "application-gateway-traffic"),
        (with(json!({ "rules": { "web": { "backend": "shopp" } } })), "unknown-part"),
        (with(json!({ "capacity": 2, "autoscale": { "min": 2, "max": 4 } })), "application-gateway-scale"),
        (with(json!({ "capacity": 0 })), "out-of-range"),
    ] {
        let found = codes(expand("applicationGateways", "shop", fields.clone()));
        assert_eq!(found.first(), Some(&code), "{fields}: {found:?}");
    }
}
