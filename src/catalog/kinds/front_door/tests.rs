//! A Front Door, expanded.

use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};
use serde_json::{Value, json};

fn fields(more: Value) -> Value {
    let mut fields = json!({
        "sku": "Premium", "endpoints": { "shop": {} }, "originGroups": { "web": {} },
        "origins": { "shop": { "hostName": "shop.example.com", "privateLink": { "target": reference("webApps.shop") } } },
        "routes": { "all": {} },
    });
    crate::catalog::merge_over(&mut fields, &more);
    fields
}

#[test]
fn an_origin_asks_for_its_target_and_its_route_waits_for_it() {
    let (drafts, problems) = expand("frontDoors", "edge", fields(json!({})));
    assert_eq!(problems, []);
    let of = |address: &str| drafts.iter().find(|draft| draft.address.as_str() == address).unwrap();
    let origin = of("frontDoors.edge.origins.shop");
    assert!(id(origin).ends_with("/Microsoft.Cdn/profiles/edge/originGroups/web/origins/shop"));
    let link = &origin.body["properties"]["sharedPrivateLinkResource"];
    assert_eq!(link["privateLink"]["id"], wants("webApps.shop", "id"));
    assert_eq!((&link["groupId"], &link["privateLinkLocation"]), (&json!("sites"), &json!("westeurope")));
    assert_eq!(origin.body["properties"]["enforceCertificateNameCheck"], true);
    assert!(of("frontDoors.edge.routes.all").depends_on.contains(&"frontDoors.edge.origins.shop".to_owned()));
    assert!(origin.kind.request_message.is_some());
}

#[test]
fn what_azure_answers_is_no_change() {
    let (drafts, _) = expand("frontDoors", "edge", fields(json!({})));
    let route = drafts.last().unwrap();
    let group = "/subscriptions/SUB/resourcegroups/rg/providers/microsoft.cdn/profiles/edge/origingroups/web";
    let live = json!({ "properties": {
        "originGroup": { "id": group }, "patternsToMatch": ["/*"], "supportedProtocols": ["Https", "Http"],
        "forwardingProtocol": "HttpsOnly", "httpsRedirect": "Enabled", "linkToDefaultDomain": "Enabled",
        "enabledState": "Enabled", "ruleSets": [], "customDomains": [], "deploymentStatus": "NotStarted",
    } });
    assert_eq!(changes(route, &live), [] as [&str; 0]);
}

#[test]
fn conditions_and_actions_get_the_word_for_their_form() {
    let rule = json!({
        "order": 1,
        "conditions": [{ "name": "UrlPath", "parameters": { "operator": "BeginsWith", "matchValues": ["a"] } }],
        "actions": [{ "name": "UrlRedirect", "parameters": { "redirectType": "Found" } }],
    });
    let more = json!({ "ruleSets": { "r": { "rules": { "one": rule } } } });
    let (drafts, problems) = expand("frontDoors", "edge", fields(more));
    assert_eq!(problems, []);
    let rule = drafts.iter().find(|draft| draft.address.as_str().ends_with(".rules.one")).unwrap();
    let properties = &rule.body["properties"];
    assert_eq!(
        properties["conditions"][0]["parameters"]["typeName"],
        "DeliveryRuleUrlPathMatchConditionParameters"
    );
    assert_eq!(properties["actions"][0]["parameters"]["typeName"], "DeliveryRuleUrlRedirectActionParameters");
}

#[test]
fn refuses_what_azure_refuses() {
    let public = json!({ "hostName": "a.example.com" });
    for (more, code) in [
        (json!({ "name": "a_b" }), "front-door-name"),
        (json!({ "endpoints": { "shop": { "name": "a" } } }), "front-door-name"),
        (json!({ "ruleSets": { "a-b": {} } }), "front-door-name"),
        (json!({ "sku": "Standard" }), "front-door-private-link"),
        (json!({ "origins": { "shop": { "checkCertificate": false } } }), "front-door-private-link"),
        (json!({ "origins": { "other": public } }), "front-door-private-link"),
        (json!({ "origins": { "shop": { "enabled": false } } }), "front-door-origins"),
        (
            json!({ "originGroups": { "second": {} }, "routes": { "all": { "originGroup": "web" } } }),
            "front-door-origins",
        ),
        (json!({ "routes": { "all": { "originGroup": "wed" } } }), "unknown-part"),
        (json!({ "routes": { "all": { "protocols": ["Https"] } } }), "front-door-route"),
        (json!({ "routes": { "all": { "defaultDomain": false } } }), "front-door-route"),
        (
            json!({ "securityPolicies": { "w": { "policy": reference("wafPolicies.w") } } }),
            "front-door-guarded",
        ),
        (json!({ "responseTimeoutSeconds": 5 }), "out-of-range"),
    ] {
        let found = codes(expand("frontDoors", "edge", fields(more.clone())));
        assert_eq!(found.first(), Some(&code), "{more}: {found:?}");
    }
}
