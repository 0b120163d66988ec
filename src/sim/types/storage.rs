//! Storage accounts and what is in them.

use super::data::{SUBNET, serves, small};
use super::defaults::{Asked, Defaults, Ends, Made, quick};
use super::generic::Generic;
use crate::core::behaviour::{Answer, Behaviour, ok};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, object, set, set_default, text};
use crate::core::path::cut;
use crate::core::world::World;
use crate::host::transport::Response;
use serde_json::{Value, json};

const STORAGE: &str = "microsoft.storage/storageaccounts";

pub(super) const KNOWN: &[Defaults] = &[
    quick(STORAGE, fill_storage).refuses(check_storage).plain().takes(Ends::ByLocation, 20),
    quick("microsoft.storage/storageaccounts/blobservices", fill_blobs).refuses(check_blobs).plain(),
    quick("microsoft.storage/storageaccounts/managementpolicies", |made, body| {
        set(body, "properties.lastModifiedTime", made.world.time());
    })
    .refuses(check_lifecycle)
    .plain(),
    quick("microsoft.storage/storageaccounts/fileservices/shares", fill_share).refuses(check_share),
    quick("microsoft.storage/storageaccounts/queueservices/queues", |_, _| {}).refuses(check_queue).plain(),
    quick("microsoft.storage/storageaccounts/tableservices/tables", |made, body| {
        set(body, "properties.tableName", made.name.clone());
    })
    .refuses(check_table)
    .plain(),
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

/// How the blobs of an account are kept, which every account says.
#[derive(Debug)]
pub(crate) struct BlobService;

impl Behaviour for BlobService {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        Generic.put(world, call)
    }

    /// What nobody has written yet.
    fn get(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let account = world.state.resources.get(cut(&call.path.key, 2));
        let name = call.path.name();
        let Some(account) = account.filter(|_| name.eq_ignore_ascii_case("default")) else {
            return Err(call.not_found());
        };
        let mut body = object(json!({"id": call.id, "name": name, "type": call.type_name}));
        let sku = account.body.get("sku").cloned().unwrap_or_default();
        body.insert("sku".into(), sku);
        set(&mut body, "properties.cors", json!({"corsRules": []}));
        set(
            &mut body,
            "properties.deleteRetentionPolicy",
            json!({"enabled": false, "allowPermanentDelete": false}),
        );
        ok(&Value::Object(body))
    }

    fn delete(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        Err(Failure::new(405, "MethodNotAllowed", format!("'{}' cannot be deleted.", call.id)))
    }
}

/// A queue or a table, whose deletion answers with 204 also when there was one.
#[derive(Debug)]
pub(crate) struct Part;

impl Behaviour for Part {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        Generic.put(world, call)
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        Generic.patch(world, call)
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        world.remove_tree(&call.path.key);
        world.deleted(&call.path.key);
        Ok(Response::new(204, ""))
    }
}

fn invalid(member: &str) -> Failure {
    let message = format!("Values for request parameters are invalid: {member}.");
    Failure::bad("InvalidValuesForRequestParameters", message)
}

fn check_blobs(asked: &Asked<'_>) -> Result<(), Failure> {
    let on = |path: &str| at(asked.body, &format!("properties.{path}")) == Some(&json!(true));
    let days = |path: &str| at(asked.body, &format!("properties.{path}.days")).and_then(Value::as_u64);
    for policy in ["deleteRetentionPolicy", "containerDeleteRetentionPolicy"] {
        if on(&format!("{policy}.enabled")) && !days(policy).is_some_and(|days| (1..=365).contains(&days)) {
            return Err(invalid(policy));
        }
    }
    let kept = days("deleteRetentionPolicy").filter(|_| on("deleteRetentionPolicy.enabled"));
    let back = days("restorePolicy").filter(|_| on("restorePolicy.enabled"));
    let possible = on("isVersioningEnabled") && on("changeFeed.enabled");
    if back.is_some_and(|back| !possible || kept.is_none_or(|kept| back >= kept)) {
        let message =
            "Restore policy needs versioning, the change feed, and a delete retention that is longer.";
        return Err(Failure::new(409, "FeatureDependencyNotSatisfied", message));
    }
    Ok(())
}

fn fill_blobs(made: &Made<'_>, body: &mut Object) {
    let account = made.world.state.resources.get(cut(made.key, 2));
    if let Some(sku) = account.and_then(|account| account.body.get("sku")) {
        set(body, "sku", sku.clone());
    }
    set_default(body, "properties.cors", json!({"corsRules": []}));
    set_default(body, "properties.deleteRetentionPolicy.enabled", false);
    set_default(body, "properties.deleteRetentionPolicy.allowPermanentDelete", false);
}

fn check_lifecycle(asked: &Asked<'_>) -> Result<(), Failure> {
    let rules = list(asked.body, "properties.policy.rules");
    if !asked.name.eq_ignore_ascii_case("default") || rules.is_empty() {
        return Err(invalid("policy.rules"));
    }
    for rule in rules {
        let of = |pointer: &str| rule.pointer(pointer).and_then(Value::as_object);
        let acts = ["baseBlob", "snapshot", "version"]
            .iter()
            .any(|on| of(&format!("/definition/actions/{on}")).is_some_and(|actions| !actions.is_empty()));
        let named = rule.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
        if !acts || !named || rule.get("type").and_then(Value::as_str) != Some("Lifecycle") {
            return Err(invalid("policy.rules"));
        }
    }
    Ok(())
}

/// The kind of the account that something of a service is in.
fn account_kind<'w>(asked: &Asked<'w>) -> &'w str {
    let account = asked.world.state.resources.get(cut(asked.key, 4));
    account.and_then(|account| text(&account.body, "kind")).unwrap_or("StorageV2")
}

fn check_share(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.named(3..=63, small, |c| small(c) || c == '-', "InvalidResourceName")?;
    asked.keeps("properties.enabledProtocols", "InvalidXmlNodeValue")?;
    let nfs = text(asked.body, "properties.enabledProtocols").is_some_and(|p| p.eq_ignore_ascii_case("NFS"));
    if nfs && account_kind(asked) != "FileStorage" {
        return Err(invalid("enabledProtocols"));
    }
    let quota = at(asked.body, "properties.shareQuota").and_then(Value::as_u64).unwrap_or(5120);
    if !(1..=102_400).contains(&quota) {
        return Err(invalid("shareQuota"));
    }
    Ok(())
}

fn fill_share(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.shareQuota", 5120);
    set_default(body, "properties.enabledProtocols", "SMB");
    set_default(body, "properties.accessTier", "TransactionOptimized");
    set_default(body, "properties.leaseStatus", "Unlocked");
    set_default(body, "properties.leaseState", "Available");
}

fn check_queue(asked: &Asked<'_>) -> Result<(), Failure> {
    if account_kind(asked) == "FileStorage" {
        return Err(Failure::bad("FeatureNotSupportedForAccount", "Queue is not supported for the account."));
    }
    asked.named(3..=63, small, |c| small(c) || c == '-', "InvalidResourceName")
}

fn check_table(asked: &Asked<'_>) -> Result<(), Failure> {
    if account_kind(asked) == "FileStorage" {
        return Err(Failure::bad("FeatureNotSupportedForAccount", "Table is not supported for the account."));
    }
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    asked.named(3..=63, alphanumeric, alphanumeric, "InvalidResourceName")
}
