//! A network security group, expanded.

use crate::catalog::kinds::testing::{changes, codes, expand};
use crate::catalog::{Draft, Problem};
use crate::value::merge;
use serde_json::{Value, json};

fn rule(more: Value) -> Value {
    let mut rule = json!({ "priority": 100, "direction": "Inbound", "access": "Allow" });
    crate::catalog::merge_over(&mut rule, &more);
    rule
}

fn group(rules: Value) -> (Vec<Draft>, Vec<Problem>) {
    expand("networkSecurityGroups", "nodes", json!({ "rules": rules }))
}

#[test]
fn one_stands_in_the_singular_and_several_in_the_plural() {
    let (drafts, problems) = group(json!({
        "web": rule(json!({ "protocol": "Tcp", "from": "Internet", "to": ["10.0.0.0/24", "10.1.0.4"], "ports": [443, "80-81"] })),
    }));
    assert_eq!(problems, []);
    assert_eq!(
        drafts[0].body["properties"]["securityRules"],
        json!([{ "name": "web", "properties": {
            "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
            "sourcePortRange": "*", "destinationPortRanges": ["443", "80-81"],
            "sourceAddressPrefix": "Internet", "destinationAddressPrefixes": ["10.0.0.0/24", "10.1.0.4"],
        } }])
    );
}

fn live() -> Value {
    let rule = |name: &str, prefixes: Value| {
        json!({ "name": name, "id": format!("x/{name}"), "etag": "e", "type": "t", "properties": {
            "provisioningState": "Succeeded", "priority": 100, "direction": "Inbound", "access": "Allow",
            "protocol": "*", "sourcePortRange": "*", "sourcePortRanges": [], "destinationPortRange": "*",
            "destinationPortRanges": [], "sourceAddressPrefixes": prefixes, "destinationAddressPrefix": "*",
            "destinationAddressPrefixes": [],
        } })
    };
    json!({ "location": "westeurope", "properties": {
        "defaultSecurityRules": [{ "name": "AllowVnetInBound" }],
        "securityRules": [rule("theirs", json!(["1.1.1.1"])), rule("Mine", json!(["10.2.0.0/24", "10.1.0.4/32"]))],
    } })
}

#[test]
fn what_azure_answers_is_no_change_and_the_rules_of_others_stay() {
    let (drafts, _) = group(json!({ "mine": rule(json!({ "from": ["10.1.0.4", "10.2.0.0/24"] })) }));
    assert_eq!(changes(&drafts[0], &live()), [] as [&str; 0]);
    let (drafts, _) = group(json!({ "mine": rule(json!({ "from": "Internet" })) }));
    assert_eq!(
        changes(&drafts[0], &live()),
        ["properties.securityRules[mine].properties.sourceAddressPrefix"]
    );
    let merged = merge(&live(), &drafts[0].body, drafts[0].kind.compiled(), &[]);
    let rules = merged["properties"]["securityRules"].as_array().unwrap();
    assert_eq!(rules.len(), 2, "{merged}");
    assert_eq!(rules[1]["properties"]["sourceAddressPrefix"], "Internet");
    assert_eq!(rules[1]["properties"].get("sourceAddressPrefixes"), None, "not both");
    assert_eq!(merged["properties"].get("defaultSecurityRules"), None);
}

#[test]
fn refuses_what_azure_refuses() {
    for (more, code) in [
        (json!({ "priority": 99 }), "security-rule-priority"),
        (json!({ "priority": 4097 }), "security-rule-priority"),
        (json!({ "ports": "http" }), "security-rule-ports"),
        (json!({ "ports": "90-80" }), "security-rule-ports"),
        (json!({ "ports": [80, "*"] }), "security-rule-ports"),
        (json!({ "ports": 70000 }), "security-rule-ports"),
        (json!({ "from": "10.0.0.0/33" }), "security-rule-address"),
        (json!({ "from": ["10.0.0.0/24", "Internet"] }), "security-rule-address"),
        (json!({ "from": [] }), "security-rule-address"),
        (json!({ "from": "*", "fromGroups": ["/subscriptions/s/resourceGroups/g"] }), "security-rule-groups"),
        (json!({ "to": "Internt" }), "service-tag"),
        (json!({ "description": "x".repeat(141) }), "security-rule-description"),
        (json!({ "direction": "In" }), "shape"),
    ] {
        assert_eq!(codes(group(json!({ "r": rule(more.clone()) }))), [code], "{more}");
    }
    for fine in ["Storage.WestEurope", "virtualnetwork", "SomethingNew", "*", "10.0.0.4"] {
        assert_eq!(codes(group(json!({ "r": rule(json!({ "from": fine })) }))), [] as [&str; 0], "{fine}");
    }
    assert_eq!(codes(group(json!({ "-": rule(json!({})) }))), ["security-rule-name"]);
    let same = json!({ "a": rule(json!({})), "b": rule(json!({})) });
    assert_eq!(codes(group(same)), ["security-rule-priority"]);
    let two = json!({ "a": rule(json!({})), "b": rule(json!({ "direction": "Outbound" })) });
    assert_eq!(codes(group(two)), [] as [&str; 0]);
}
