//! What Azure adds to the bodies of the commonest types that have no behaviour of their own.

use crate::core::json::{Object, set, set_default, text};
use crate::core::operation::{USUAL, seconds};
use crate::core::world::World;
use serde_json::json;
use std::time::Duration;

/// A resource whose body is being completed.
pub(crate) struct Made<'w> {
    pub(crate) world: &'w World,
    pub(crate) key: &'w str,
    /// Its name in lower case.
    pub(crate) name: String,
}

/// What is known of a type.
#[derive(Clone, Copy)]
pub(crate) struct Defaults {
    /// The type in lower case.
    kind: &'static str,
    /// What Azure adds.
    pub(crate) fill: fn(&Made<'_>, &mut Object),
    /// Whether a creation takes its time; Azure then tells its end by a location only.
    pub(crate) slow: bool,
    /// How long its operations take.
    pub(crate) takes: Duration,
}

const fn quick(kind: &'static str, fill: fn(&Made<'_>, &mut Object)) -> Defaults {
    Defaults { kind, fill, slow: false, takes: USUAL }
}

const KNOWN: &[Defaults] = &[
    quick("microsoft.operationalinsights/workspaces", workspace),
    quick("microsoft.containerregistry/registries", registry),
    quick("microsoft.sql/servers", sql_server),
    Defaults {
        slow: true,
        takes: seconds(20),
        ..quick("microsoft.storage/storageaccounts", storage_account)
    },
    quick("microsoft.web/sites", web_site),
    quick("microsoft.cdn/profiles/afdendpoints", cdn_endpoint),
    quick("microsoft.cdn/profiles", cdn_profile),
];

/// What is known of a type, in lower case; nothing is added to others.
pub(crate) fn of(kind: &str) -> Defaults {
    KNOWN.iter().find(|known| known.kind == kind).copied().unwrap_or(quick("", |_, _| {}))
}

fn workspace(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, .. } = made;
    set_default(body, "properties.customerId", world.uuid(key, "customer"));
    let sku = text(body, "properties.sku.name").unwrap_or_default();
    if sku.is_empty() || sku.eq_ignore_ascii_case("standalone") {
        set(body, "properties.sku.name", "PerGB2018");
    }
    set_default(body, "properties.retentionInDays", 30);
    set_default(body, "properties.publicNetworkAccessForIngestion", "Enabled");
    set_default(body, "properties.publicNetworkAccessForQuery", "Enabled");
    set_default(body, "properties.workspaceCapping.dailyQuotaGb", -1.0);
    set_default(body, "properties.workspaceCapping.dataIngestionStatus", "RespectQuota");
    let features = json!({
        "legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": true,
    });
    for (name, value) in features.as_object().into_iter().flatten() {
        set_default(body, &format!("properties.features.{name}"), value.clone());
    }
    let now = world.time();
    let stored = world.state.resources.get(key);
    let created = stored.and_then(|r| text(&r.body, "properties.createdDate")).unwrap_or(&now).to_owned();
    set(body, "properties.sku.lastSkuUpdate", created.clone());
    set(body, "properties.workspaceCapping.quotaNextResetTime", created.clone());
    set(body, "properties.createdDate", created);
    set(body, "properties.modifiedDate", now.clone());
    let tag = world.uuid(key, &format!("etag {now}"));
    body.insert("etag".into(), json!(format!("\"{tag}\"")));
}

fn registry(made: &Made<'_>, body: &mut Object) {
    let Made { name, .. } = made;
    set_default(body, "properties.loginServer", format!("{name}.azurecr.io"));
    set_default(body, "properties.adminUserEnabled", false);
    set_default(body, "properties.publicNetworkAccess", "Enabled");
}

fn sql_server(made: &Made<'_>, body: &mut Object) {
    let Made { name, .. } = made;
    set_default(body, "properties.fullyQualifiedDomainName", format!("{name}.database.windows.net"));
    set_default(body, "properties.state", "Ready");
    set_default(body, "properties.publicNetworkAccess", "Enabled");
}

fn storage_account(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, name, .. } = made;
    set_default(
        body,
        "properties.primaryEndpoints",
        json!({
            "blob": format!("https://{name}.blob.core.windows.net/"),
            "table": format!("https://{name}.table.core.windows.net/"),
            "queue": format!("https://{name}.queue.core.windows.net/"),
            "file": format!("https://{name}.file.core.windows.net/"),
            "dfs": format!("https://{name}.dfs.core.windows.net/"),
        }),
    );
    let now = world.time();
    let stored = world.state.resources.get(key);
    let created = stored.and_then(|r| text(&r.body, "properties.creationTime")).unwrap_or(&now).to_owned();
    let service = json!({"keyType": "Account", "enabled": true, "lastEnabledTime": created});
    let encryption =
        json!({"services": {"file": service, "blob": service}, "keySource": "Microsoft.Storage"});
    let rules = json!({
        "ipv6Rules": [], "bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [],
        "defaultAction": "Allow",
    });
    let tier = text(body, "sku.name").and_then(|sku| sku.split('_').next()).unwrap_or("Standard").to_owned();
    set(body, "sku.tier", tier);
    set_default(body, "properties.keyCreationTime", json!({"key1": created, "key2": created}));
    set_default(body, "properties.allowCrossTenantReplication", false);
    set_default(body, "properties.minimumTlsVersion", "TLS1_0");
    set_default(body, "properties.allowBlobPublicAccess", false);
    set_default(body, "properties.networkAcls", rules);
    set_default(body, "properties.encryption", encryption);
    set_default(body, "properties.accessTier", "Hot");
    set_default(body, "properties.creationTime", created);
    let location = text(body, "location").unwrap_or_default().to_owned();
    set_default(body, "properties.primaryLocation", location);
    set_default(body, "properties.statusOfPrimary", "available");
    set_default(body, "properties.supportsHttpsTrafficOnly", true);
    set_default(body, "properties.privateEndpointConnections", json!([]));
    set_default(body, "tags", json!({}));
}

fn web_site(made: &Made<'_>, body: &mut Object) {
    let Made { name, .. } = made;
    set_default(body, "properties.defaultHostName", format!("{name}.azurewebsites.net"));
    set_default(body, "properties.state", "Running");
    set_default(body, "properties.enabled", true);
}

fn cdn_endpoint(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, name, .. } = made;
    let host = format!("{name}-{}.z01.azurefd.net", world.token(key, "host"));
    set_default(body, "properties.hostName", host);
}

fn cdn_profile(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, .. } = made;
    set_default(body, "properties.resourceState", "Active");
    set_default(body, "properties.frontDoorId", world.uuid(key, "front door"));
}
