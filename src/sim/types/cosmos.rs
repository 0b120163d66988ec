//! Cosmos DB accounts, databases and containers.

use super::data::{bad, small};
use super::defaults::{Asked, Defaults, Ends, Made, quick};
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, set, set_default, text};
use crate::core::locations::display_name;
use serde_json::{Value, json};

const COSMOS: &str = "microsoft.documentdb/databaseaccounts";

pub(super) const KNOWN: &[Defaults] = &[
    quick(COSMOS, fill_cosmos).refuses(check_cosmos).plain().takes(Ends::Followed(200, 0), 300),
    quick("microsoft.documentdb/databaseaccounts/sqldatabases", |_, _| {})
        .refuses(check_cosmos_child)
        .plain()
        .takes(Ends::Followed(202, 0), 15),
    quick("microsoft.documentdb/databaseaccounts/sqldatabases/containers", |_, _| {})
        .refuses(check_cosmos_container)
        .plain()
        .takes(Ends::Followed(202, 0), 15),
];

fn check_cosmos(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    asked.named(3..=44, small, |c| small(c) || c == '-', "BadRequest")?;
    asked.alone_in_the_world(COSMOS, "AccountNameAlreadyInUse")?;
    asked.keeps("kind", "BadRequest")?;
    asked.keeps("properties.enableFreeTier", "BadRequest")?;
    asked.keeps("properties.capabilities", "BadRequest")?;
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled", "SecuredByPerimeter"])?;
    let locations = list(body, "properties.locations");
    if locations.is_empty() || at(body, "properties.databaseAccountOfferType") != Some(&json!("Standard")) {
        return Err(bad("locations and databaseAccountOfferType are required."));
    }
    let mut order: Vec<u64> =
        locations.iter().filter_map(|l| l.get("failoverPriority").and_then(Value::as_u64)).collect();
    order.sort_unstable();
    if !order.iter().enumerate().all(|(at, priority)| *priority == at as u64)
        || order.len() != locations.len()
    {
        return Err(bad("The failover priorities of the locations are 0 and up, each once."));
    }
    if let Some(before) = asked.before {
        let places = |body: &Object| -> Vec<(String, Option<Value>)> {
            let all = list(body, "properties.locations").iter();
            let place = |l: &Value| {
                l["locationName"].as_str().unwrap_or_default().replace(' ', "").to_ascii_lowercase()
            };
            all.map(|l| (place(l), l.get("failoverPriority").cloned())).collect()
        };
        let other =
            ["properties.publicNetworkAccess", "properties.disableLocalAuth", "properties.consistencyPolicy"];
        let changed = other.iter().any(|path| at(before, path) != at(body, path) && at(body, path).is_some());
        if places(before) != places(body) && changed {
            return Err(bad("Locations and other properties are changed in separate requests."));
        }
    }
    Ok(())
}

fn fill_cosmos(made: &Made<'_>, body: &mut Object) {
    let name = &made.name;
    body.entry("kind").or_insert(json!("GlobalDocumentDB"));
    set_default(body, "properties.documentEndpoint", format!("https://{name}.documents.azure.com:443/"));
    set_default(body, "properties.publicNetworkAccess", "Enabled");
    set_default(body, "properties.disableLocalAuth", false);
    set_default(body, "properties.minimalTlsVersion", "Tls12");
    set_default(body, "properties.enableAutomaticFailover", false);
    set_default(body, "properties.enableMultipleWriteLocations", false);
    set_default(body, "properties.enableFreeTier", false);
    set_default(body, "properties.capabilities", json!([]));
    set_default(body, "properties.ipRules", json!([]));
    set_default(body, "properties.virtualNetworkRules", json!([]));
    set_default(body, "properties.isVirtualNetworkFilterEnabled", false);
    set_default(body, "properties.consistencyPolicy.defaultConsistencyLevel", "Session");
    set_default(body, "properties.consistencyPolicy.maxIntervalInSeconds", 5);
    set_default(body, "properties.consistencyPolicy.maxStalenessPrefix", 100);
    set_default(
        body,
        "properties.backupPolicy",
        json!({"type": "Periodic", "periodicModeProperties": {
            "backupIntervalInMinutes": 240, "backupRetentionIntervalInHours": 8, "backupStorageRedundancy": "Geo",
        }}),
    );
    let shown: Vec<Value> = list(body, "properties.locations")
        .iter()
        .cloned()
        .map(|mut one| {
            let place = display_name(one["locationName"].as_str().unwrap_or_default()).to_owned();
            one["id"] = json!(format!("{name}-{}", place.replace(' ', "").to_ascii_lowercase()));
            one["locationName"] = json!(place);
            one["provisioningState"] = json!("Succeeded");
            if one.get("isZoneRedundant").is_none() {
                one["isZoneRedundant"] = json!(false);
            }
            one
        })
        .collect();
    for member in ["locations", "readLocations", "writeLocations"] {
        set(body, &format!("properties.{member}"), shown.clone());
    }
    let place = display_name(text(body, "location").unwrap_or_default()).to_owned();
    set(body, "location", place);
}

fn check_cosmos_child(asked: &Asked<'_>) -> Result<(), Failure> {
    match text(asked.body, "properties.resource.id") {
        Some(id) if id == asked.name => Ok(()),
        _ => Err(bad("The id of the resource is not the name in the request.")),
    }
}

fn check_cosmos_container(asked: &Asked<'_>) -> Result<(), Failure> {
    check_cosmos_child(asked)?;
    if list(asked.body, "properties.resource.partitionKey.paths").is_empty() {
        return Err(bad("The container has no partition key."));
    }
    asked.keeps("properties.resource.partitionKey", "BadRequest")
}
