//! A web app, expanded.

use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};
use serde_json::{Value, json};

const NONE: [&str; 0] = [];

fn fields(more: Value) -> Value {
    let mut fields = json!({ "name": "app-shop", "plan": reference("appServicePlans.web") });
    crate::catalog::merge_over(&mut fields, &more);
    fields
}

#[test]
fn an_app_is_closed_in_its_first_request() {
    let rule = json!({ "priority": 100, "frontDoor": reference("frontDoors.edge") });
    let more = json!({
        "publicAccess": false, "config": { "runtime": "NODE|22-lts" }, "accessRestrictions": { "edge": rule },
        "appSettings": { "B": "2", "A": "1" }, "identities": ["system", reference("identities.app")],
    });
    let (drafts, problems) = expand("webApps", "shop", fields(more));
    assert_eq!(problems, []);
    let [site, config, settings] = &drafts[..] else { panic!("{drafts:#?}") };
    assert!(id(config).ends_with("/Microsoft.Web/sites/app-shop/config/web"));
    let created = site.created();
    assert_eq!(created["properties"]["publicNetworkAccess"], "Disabled");
    assert_eq!(created["properties"]["httpsOnly"], true);
    let rules = &created["properties"]["siteConfig"]["ipSecurityRestrictions"];
    assert_eq!(rules[0]["headers"]["x-azure-fdid"][0], wants("frontDoors.edge", "frontDoorId"));
    assert_eq!(*rules, config.body["properties"]["ipSecurityRestrictions"]);
    let own = json!([{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }]);
    assert_eq!(created["properties"]["siteConfig"]["appSettings"], own);
    // The site itself never shows them.
    assert_eq!(site.body["properties"]["siteConfig"], Value::Null);
    assert_eq!(settings.body["properties"], json!({ "A": "1", "B": "2" }));
    let live =
        json!({ "location": "West Europe", "properties": { "A": "1", "B": "3", "WEBSITE_X": "theirs" } });
    assert_eq!(changes(settings, &live), ["properties.B"]);
    assert_eq!(site.body["identity"]["type"], "SystemAssigned, UserAssigned");
    assert!(site.body["identity"]["userAssignedIdentities"][wants("identities.app", "id")].is_object());
}

#[test]
fn what_azure_answers_is_no_change_and_what_others_do_is() {
    let rule = json!({ "priority": 100, "ip": "203.0.113.7" });
    let more = json!({ "config": { "alwaysOn": true }, "accessRestrictions": { "office": rule } });
    let (drafts, _) = expand("webApps", "shop", fields(more));
    let all = json!({ "ipAddress": "Any", "action": "Deny", "priority": 2_147_483_647, "name": "Deny all" });
    let own = json!({ "ipAddress": "203.0.113.7/32", "action": "Allow", "tag": "Default", "priority": 100, "name": "office" });
    let mut live = json!({ "location": "West Europe", "properties": {
        "alwaysOn": true, "publishingUsername": "$app-shop", "ipSecurityRestrictions": [own, all],
    } });
    assert_eq!(changes(&drafts[1], &live), NONE);
    live["properties"]["ipSecurityRestrictions"][0]["ipAddress"] = json!("0.0.0.0/0");
    assert_eq!(changes(&drafts[1], &live).len(), 1);
}

#[test]
fn refuses_what_azure_refuses() {
    for (more, code) in [
        (json!({ "name": "a_b" }), "web-app-name"),
        (json!({ "slots": { "production": {} } }), "web-app-name"),
        (json!({ "config": { "minTls": "2.0" } }), "web-app-tls"),
        (json!({ "config": { "defaultAccess": "Deny" } }), "web-app-access"),
        (json!({ "accessRestrictions": { "a": { "priority": 1 } } }), "web-app-access"),
        (json!({ "accessRestrictions": { "a": { "priority": 1, "ip": "10.0.0.0/33" } } }), "web-app-access"),
        (json!({ "accessRestrictions": { "a": { "priority": 0, "ip": "10.0.0.0/24" } } }), "out-of-range"),
        (
            json!({ "slots": { "blue": { "accessRestrictions": { "a": { "priority": 1, "ip": "1.2.3.4", "serviceTag": "x" } } } } }),
            "web-app-access",
        ),
    ] {
        assert_eq!(codes(expand("webApps", "shop", fields(more.clone()))), [code], "{more}");
    }
}
