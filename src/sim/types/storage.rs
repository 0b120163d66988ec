//! Storage accounts and what is in them.

use super::data::{SUBNET, serves, small};
use super::defaults::{Asked, Defaults, Ends, Made, quick};
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, set, set_default, text};
use crate::core::path::cut;
use serde_json::{Value, json};

const STORAGE: &str = "microsoft.storage/storageaccounts";

pub(super) const KNOWN: &[Defaults] = &[
    quick(STORAGE, fill_storage).refuses(check_storage).plain().takes(Ends::ByLocation, 20),
    quick("microsoft.storage/storageaccounts/blobservices/containers", fill_container)
        .refuses(check_container),
];

fn check_storage(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    asked.named(3..=24, small, small, "AccountNameInvalid")?;
    asked.alone_in_the_world(STORAGE, "StorageAccountAlreadyTaken")?;
    asked.one_of("kind", &["Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"])?;
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled", "SecuredByPerimeter"])?;
    asked.one_of("properties.minimumTlsVersion", &["TLS1_0", "TLS1_1", "TLS1_2"])?;
    asked.keeps("properties.isHnsEnabled", "AccountPropertyCannotBeUpdated")?;
    asked.keeps("kind", "AccountPropertyCannotBeUpdated")?;
    for rule in list(body, "properties.networkAcls.ipRules") {
        let value = rule.get("value").and_then(Value::as_str).unwrap_or_default();
        let one = value.parse::<std::net::IpAddr>().is_ok();
        if value.ends_with("/32")
            || value.ends_with("/31")
            || !one && crate::core::cidr::Cidr::parse(value).is_none()
        {
            let message = format!("Values for request parameters are invalid: networkAcls.ipRule[{value}].");
            return Err(Failure::bad("InvalidValuesForRequestParameters", message));
        }
    }
    for rule in list(body, "properties.networkAcls.virtualNetworkRules") {
        let id = rule.get("id").and_then(Value::as_str).unwrap_or_default();
        let subnet = asked.refers(id, SUBNET, "NetworkAclsValidationFailure")?;
        if !serves(subnet, "microsoft.storage") {
            let message = format!("The subnet '{id}' does not have the service endpoint Microsoft.Storage.");
            return Err(Failure::bad("NetworkAclsValidationFailure", message));
        }
    }
    Ok(())
}

fn fill_storage(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, name } = made;
    let hosts = ["blob", "table", "queue", "file", "dfs", "web"];
    let endpoints: Object = hosts
        .iter()
        .map(|h| ((*h).to_owned(), json!(format!("https://{name}.{h}.core.windows.net/"))))
        .collect();
    set_default(body, "properties.primaryEndpoints", Value::Object(endpoints));
    let now = world.time();
    let stored = world.state.resources.get(key);
    let created = stored.and_then(|r| text(&r.body, "properties.creationTime")).unwrap_or(&now).to_owned();
    let service = json!({"keyType": "Account", "enabled": true, "lastEnabledTime": created});
    let rules = json!({
        "ipv6Rules": [], "bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow",
    });
    let tier = text(body, "sku.name").and_then(|sku| sku.split('_').next()).unwrap_or("Standard").to_owned();
    set(body, "sku.tier", tier);
    set_default(body, "properties.keyCreationTime", json!({"key1": created, "key2": created}));
    set_default(body, "properties.allowCrossTenantReplication", false);
    set_default(body, "properties.minimumTlsVersion", "TLS1_0");
    set_default(body, "properties.allowBlobPublicAccess", false);
    set_default(body, "properties.networkAcls", rules);
    set_default(body, "properties.encryption.services", json!({"file": service, "blob": service}));
    set_default(body, "properties.encryption.keySource", "Microsoft.Storage");
    set_default(body, "properties.accessTier", "Hot");
    set_default(body, "properties.creationTime", created);
    let location = text(body, "location").unwrap_or_default().to_owned();
    set_default(body, "properties.primaryLocation", location);
    set_default(body, "properties.statusOfPrimary", "available");
    set_default(body, "properties.supportsHttpsTrafficOnly", true);
    set_default(body, "properties.privateEndpointConnections", json!([]));
    set_default(body, "tags", json!({}));
}

fn check_container(asked: &Asked<'_>) -> Result<(), Failure> {
    if asked.name != "$web" && asked.name != "$root" {
        asked.named(3..=63, small, |c| small(c) || c == '-', "ContainerNameInvalid")?;
    }
    let account = asked.world.state.resources.get(cut(asked.key, 4));
    let open = text(asked.body, "properties.publicAccess")
        .is_some_and(|access| !access.eq_ignore_ascii_case("None"));
    let allowed = account.and_then(|a| at(&a.body, "properties.allowBlobPublicAccess")) == Some(&json!(true));
    if open && !allowed {
        let message = "Public access is not permitted on this storage account.";
        return Err(Failure::new(409, "PublicAccessNotPermitted", message));
    }
    Ok(())
}

fn fill_container(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.publicAccess", "None");
    set_default(body, "properties.leaseStatus", "Unlocked");
    set_default(body, "properties.leaseState", "Available");
    set_default(body, "properties.hasImmutabilityPolicy", false);
    set_default(body, "properties.hasLegalHold", false);
}
