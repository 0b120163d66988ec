//! A key vault, expanded.

use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};
use serde_json::{Value, json};

const NONE: [&str; 0] = [];

#[test]
fn a_vault_goes_by_roles_and_says_so() {
    let (drafts, problems) = expand(
        "keyVaults",
        "secrets",
        json!({ "name": "kv-shop", "publicAccess": false, "purgeProtection": true, "tags": { "team": "a" } }),
    );
    assert_eq!(problems, []);
    assert_eq!(
        id(&drafts[0]),
        "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-shop"
    );
    assert_eq!(
        drafts[0].created(),
        json!({ "location": "westeurope", "tags": { "team": "a" }, "properties": {
            "tenantId": "tenant",
            "sku": { "family": "A", "name": "standard" },
            "enableRbacAuthorization": true,
            "enablePurgeProtection": true,
            "publicNetworkAccess": "Disabled",
        } })
    );
    let (drafts, _) = expand("keyVaults", "vault", json!({ "purgeProtection": false, "sku": "premium" }));
    assert_eq!(drafts[0].created()["properties"].get("enablePurgeProtection"), None);
    assert_eq!(drafts[0].created()["properties"]["sku"]["name"], "premium");
}

#[test]
fn access_policies_and_rules() {
    let (drafts, problems) = expand(
        "keyVaults",
        "old",
        json!({
            "authorization": "accessPolicies",
            "accessPolicies": { "app": { "principal": reference("identities.app"), "secrets": ["get"] } },
            "networkRules": { "ips": ["1.2.3.4"], "subnets": [reference("networks.hub.subnets.nodes")] },
        }),
    );
    assert_eq!(problems, []);
    let created = drafts[0].created();
    let properties = &created["properties"];
    assert_eq!(properties["enableRbacAuthorization"], false);
    assert_eq!(
        properties["accessPolicies"],
        json!([{
            "tenantId": "tenant",
            "objectId": wants("identities.app", "principalId"),
            "permissions": { "secrets": ["get"], "keys": [], "certificates": [], "storage": [] },
        }])
    );
    assert_eq!(
        properties["networkAcls"],
        json!({
            "bypass": "AzureServices", "defaultAction": "Deny",
            "ipRules": [{ "value": "1.2.3.4" }],
            "virtualNetworkRules": [{ "id": wants("networks.hub.subnets.nodes", "id") }],
        })
    );
    // Azure asks for the list in this mode, even when there is nothing in it.
    let (drafts, _) = expand("keyVaults", "old", json!({ "authorization": "accessPolicies" }));
    assert_eq!(drafts[0].created()["properties"]["accessPolicies"], json!([]));
}

fn live(properties: Value) -> Value {
    let mut body = json!({
        "id": "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/vault",
        "name": "vault", "type": "Microsoft.KeyVault/vaults", "location": "westeurope", "tags": {},
        "systemData": { "createdAt": "2001-02-03T04:05:06Z" },
        "properties": {
            "sku": { "family": "A", "name": "Standard" }, "tenantId": "tenant", "accessPolicies": [],
            "enabledForDeployment": false, "enableSoftDelete": true, "softDeleteRetentionInDays": 90,
            "vaultUri": "https://vault.vault.azure.net/", "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled",
            "privateEndpointConnections": [{ "id": "x", "properties": {} }],
        },
    });
    crate::catalog::merge_over(&mut body["properties"], &properties);
    body
}

#[test]
fn what_azure_answers_is_no_change() {
    let rbac = live(json!({ "enableRbacAuthorization": true }));
    for fields in [
        json!({}),
        json!({ "publicAccess": true, "softDeleteRetentionDays": 90, "enabledForDiskEncryption": false }),
    ] {
        let (drafts, problems) = expand("keyVaults", "vault", fields);
        assert_eq!(problems, []);
        assert_eq!(changes(&drafts[0], &rbac), NONE);
    }
    let principal = "2f826ae1-0000-0000-0000-000000000001";
    let subnet =
        "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub/subnets/Nodes";
    let (drafts, _) = expand(
        "keyVaults",
        "vault",
        json!({
            "authorization": "accessPolicies",
            "accessPolicies": { "app": { "principal": principal, "secrets": ["get", "list"] } },
            "networkRules": { "ips": ["1.2.3.4"], "subnets": [subnet] },
        }),
    );
    let mut answer = live(json!({
        "accessPolicies": [
            { "tenantId": "tenant", "objectId": "somebody else", "permissions": { "keys": ["all"] } },
            { "tenantId": "tenant", "objectId": principal, "permissions": { "secrets": ["List", "Get"] } },
        ],
        "networkAcls": {
            "bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [{ "value": "1.2.3.4/32" }],
            "virtualNetworkRules": [{ "id": subnet.to_lowercase(), "ignoreMissingVnetServiceEndpoint": false }],
        },
    }));
    assert_eq!(changes(&drafts[0], &answer), NONE);
    answer["properties"]["accessPolicies"][1]["permissions"]["keys"] = json!(["get"]);
    answer["properties"]["networkAcls"]["ipRules"] =
        json!([{ "value": "1.2.3.4/32" }, { "value": "9.9.9.9/32" }]);
    assert_eq!(changes(&drafts[0], &answer).len(), 2, "more than was asked for is open");
}

#[test]
fn what_cannot_change_replaces() {
    let (drafts, _) = expand("keyVaults", "vault", json!({ "softDeleteRetentionDays": 7 }));
    let found = changes(&drafts[0], &live(json!({ "enableRbacAuthorization": true })));
    assert_eq!(found, ["properties.softDeleteRetentionInDays!"]);
    // A vault that goes by access policies stays so until the blueprint says otherwise.
    let (drafts, _) = expand("keyVaults", "vault", json!({}));
    assert_eq!(changes(&drafts[0], &live(json!({}))), NONE);
    let (drafts, _) = expand("keyVaults", "vault", json!({ "authorization": "rbac" }));
    assert_eq!(changes(&drafts[0], &live(json!({}))), ["properties.enableRbacAuthorization"]);
}

#[test]
fn refuses_what_azure_refuses() {
    for (fields, code) in [
        (json!({ "name": "kv" }), "key-vault-name"),
        (json!({ "name": "kv--shop" }), "key-vault-name"),
        (json!({ "name": "1kv" }), "key-vault-name"),
        (json!({ "name": "kv-shop-" }), "key-vault-name"),
        (json!({ "name": "kv_shop" }), "key-vault-name"),
        (json!({ "softDeleteRetentionDays": 5 }), "key-vault-retention"),
        (
            json!({ "accessPolicies": { "a": { "principal": reference("identities.app") } } }),
            "key-vault-policies-unused",
        ),
        (
            json!({ "authorization": "accessPolicies", "accessPolicies": { "a": { "principal": "me" } } }),
            "key-vault-principal",
        ),
        (json!({ "networkRules": { "ips": ["10.0.0.0/33"] } }), "key-vault-ip"),
        (json!({ "publicAccess": false, "networkRules": { "ips": ["1.2.3.4"] } }), "key-vault-rules-unused"),
    ] {
        assert_eq!(codes(expand("keyVaults", "vault", fields.clone())), [code], "{fields}");
    }
}

#[test]
fn a_misspelt_permission_is_put_right() {
    let policy = json!({ "principal": reference("identities.app"), "keys": ["Get", "wrapkeys"] });
    let fields = json!({ "authorization": "accessPolicies", "accessPolicies": { "a": policy } });
    let (_, problems) = expand("keyVaults", "vault", fields);
    assert_eq!(problems[0].path, "accessPolicies.a.keys[1]");
    assert_eq!(problems[0].help.as_deref(), Some("did you mean `wrapKey`?"));
}
