//! Cosmos DB accounts, databases and containers.

use super::data::{bad, small};
use super::defaults::{Asked, Defaults, Ends, Made, quick};
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, set, set_default, text};
use crate::core::locations::display_name;
use crate::core::path::cut;
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
    quick("microsoft.documentdb/databaseaccounts/sqldatabases/throughputsettings", |_, _| {})
        .refuses(check_units)
        .plain()
        .takes(Ends::Followed(202, 0), 10),
    quick("microsoft.documentdb/databaseaccounts/sqldatabases/containers/throughputsettings", |_, _| {})
        .refuses(check_units)
        .plain()
        .takes(Ends::Followed(202, 0), 10),
    quick("microsoft.documentdb/databaseaccounts/sqlroleassignments", |_, _| {})
        .refuses(check_role)
        .plain()
        .takes(Ends::Followed(202, 0), 10),
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
    let policy = text(body, "properties.backupPolicy.type").unwrap_or("Periodic");
    asked.one_of("properties.backupPolicy.type", &["Periodic", "Continuous"])?;
    asked.one_of(
        "properties.backupPolicy.continuousModeProperties.tier",
        &["Continuous7Days", "Continuous30Days"],
    )?;
    let was = asked.before.and_then(|before| text(before, "properties.backupPolicy.type"));
    if was == Some("Continuous") && policy != "Continuous" {
        return Err(bad("An account cannot be moved from continuous backups to periodic ones."));
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
    if text(body, "properties.backupPolicy.type") == Some("Periodic") {
        set_default(body, "properties.backupPolicy.periodicModeProperties.backupIntervalInMinutes", 240);
        set_default(body, "properties.backupPolicy.periodicModeProperties.backupRetentionIntervalInHours", 8);
        set_default(body, "properties.backupPolicy.periodicModeProperties.backupStorageRedundancy", "Geo");
    }
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

/// Request units are manual or scale by themselves, and what they are they stay.
fn check_units(asked: &Asked<'_>) -> Result<(), Failure> {
    if !asked.name.eq_ignore_ascii_case("default") {
        return Err(bad("The name of the throughput settings is 'default'."));
    }
    let number =
        |body: &Object, path: &str| at(body, &format!("properties.resource.{path}")).and_then(Value::as_u64);
    let (manual, most) =
        (number(asked.body, "throughput"), number(asked.body, "autoscaleSettings.maxThroughput"));
    match (manual, most) {
        (Some(units), None) if units >= 400 && units % 100 == 0 => {}
        (None, Some(most)) if most >= 1000 && most % 1000 == 0 => {}
        _ => {
            return Err(bad(
                "The throughput is 400 and up in hundreds, or the most of it 1000 and up in thousands.",
            ));
        }
    }
    let was = asked.before.map(|before| number(before, "throughput").is_some());
    if was.is_some_and(|was| was != manual.is_some()) {
        return Err(bad("Throughput is moved between manual and autoscale by an action of its own."));
    }
    Ok(())
}

fn check_role(asked: &Asked<'_>) -> Result<(), Failure> {
    for needed in ["roleDefinitionId", "principalId", "scope"] {
        asked.needs(&format!("properties.{needed}"))?;
    }
    asked.keeps("properties.principalId", "BadRequest")?;
    let account = cut(asked.key, 2);
    let within = |path: &str| {
        let id = text(asked.body, path).unwrap_or_default().to_ascii_lowercase();
        id == account || id.starts_with(&format!("{account}/"))
    };
    if uuid::Uuid::try_parse(asked.name).is_err()
        || !within("properties.roleDefinitionId")
        || !within("properties.scope")
    {
        return Err(bad("The role assignment has a GUID for a name, and a role and a scope of its account."));
    }
    Ok(())
}
