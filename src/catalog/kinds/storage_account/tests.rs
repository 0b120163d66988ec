use crate::catalog::kinds::testing::{changes, codes, expand, id};
use serde_json::json;

#[test]
fn a_new_account_is_safer_than_azure_by_itself() {
    let fields = json!({ "name": "stlogs", "publicAccess": false, "containers": { "audit": {} } });
    let (drafts, problems) = expand("storageAccounts", "logs", fields);
    assert_eq!(problems, []);
    let created = drafts[0].created();
    assert_eq!(created["properties"]["minimumTlsVersion"], "TLS1_2");
    assert_eq!(created["properties"]["publicNetworkAccess"], "Disabled");
    assert!(id(&drafts[1]).ends_with("/storageAccounts/stlogs/blobServices/default/containers/audit"));
}

#[test]
fn what_azure_answers_is_no_change_and_what_is_left_out_stays() {
    let fields = json!({ "name": "stlogs", "networkRules": { "ips": ["203.0.113.7/32"] } });
    let (drafts, _) = expand("storageAccounts", "logs", fields);
    let live = json!({
        "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS", "tier": "Standard" },
        "properties": {
            "minimumTlsVersion": "TLS1_0", "allowBlobPublicAccess": true, "accessTier": "Hot",
            "networkAcls": {
                "bypass": "AzureServices", "defaultAction": "Deny", "virtualNetworkRules": [], "ipv6Rules": [],
                "ipRules": [{ "value": "203.0.113.7", "action": "Allow" }],
            },
        },
    });
    assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
}

#[test]
fn refuses_what_azure_refuses() {
    for (fields, code) in [
        (json!({ "name": "st-logs" }), "storage-account-name"),
        (json!({ "name": "stlogs", "containers": { "A": {} } }), "storage-container-name"),
        (json!({ "name": "stlogs", "containers": { "a--b": {} } }), "storage-container-name"),
        (
            json!({ "name": "stlogs", "containers": { "abc": { "publicAccess": "Blob" } } }),
            "storage-account-access",
        ),
        (
            json!({ "name": "stlogs", "networkRules": { "ips": ["203.0.113.0/31"] } }),
            "storage-account-access",
        ),
        (
            json!({ "name": "stlogs", "publicAccess": false, "networkRules": { "ips": ["203.0.113.7"] } }),
            "storage-account-access",
        ),
        (json!({ "name": "stlogs", "shares": { "A": {} } }), "storage-container-name"),
        (json!({ "name": "stlogs", "tables": { "a-b": {} } }), "storage-container-name"),
        (json!({ "name": "stlogs", "shares": { "abc": { "protocol": "NFS" } } }), "storage-account-data"),
        (json!({ "name": "stlogs", "kind": "FileStorage", "queues": { "abc": {} } }), "storage-account-data"),
        (
            json!({ "name": "stlogs", "blobs": { "restoreDays": 7, "deletedDays": 7 } }),
            "storage-account-data",
        ),
        (json!({ "name": "stlogs", "blobs": { "deletedDays": 0 } }), "out-of-range"),
        (json!({ "name": "stlogs", "lifecycle": { "old": {} } }), "storage-account-data"),
    ] {
        assert_eq!(codes(expand("storageAccounts", "logs", fields.clone())), [code], "{fields}");
    }
}
