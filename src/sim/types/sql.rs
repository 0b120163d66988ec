//! Azure SQL: servers, databases, administrators, and who may reach them.

use super::data::{SUBNET, is_disabled, server, serves, small};
use super::defaults::{Asked, Defaults, Ends, Made, quick};
use super::generic::Generic;
use crate::core::behaviour::{Answer, Behaviour};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, object, remove, set, set_default, text};
use crate::core::operation::{Act, Operation};
use crate::core::path::cut;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.Sql/servers`, which makes its administrator along with it.
#[derive(Debug)]
pub(crate) struct SqlServer;

const SQL: &str = "microsoft.sql/servers";

pub(super) const KNOWN: &[Defaults] = &[
    quick(SQL, fill_sql).refuses(check_sql).takes(Ends::Followed(202, 0), 120),
    quick("microsoft.sql/servers/databases", fill_database)
        .refuses(check_database)
        .takes(Ends::Followed(202, 0), 90),
    quick("microsoft.sql/servers/elasticpools", fill_pool)
        .refuses(check_pool)
        .stays(pool_is_used)
        .takes(Ends::Followed(202, 0), 60),
    quick("microsoft.sql/servers/databases/backupshorttermretentionpolicies", |_, body| {
        set_default(body, "properties.retentionDays", 7);
        set_default(body, "properties.diffBackupIntervalInHours", 12);
    })
    .refuses(check_short_retention)
    .takes(Ends::Followed(202, 0), 5),
    quick("microsoft.sql/servers/databases/backuplongtermretentionpolicies", |_, body| {
        for member in ["weeklyRetention", "monthlyRetention", "yearlyRetention"] {
            set_default(body, &format!("properties.{member}"), "PT0S");
        }
        set_default(body, "properties.weekOfYear", 0);
    })
    .refuses(only_default)
    .takes(Ends::Followed(202, 0), 5),
    quick("microsoft.sql/servers/auditingsettings", fill_auditing)
        .refuses(check_auditing)
        .takes(Ends::Followed(202, 0), 10),
    quick("microsoft.sql/servers/failovergroups", fill_group)
        .refuses(check_group)
        .takes(Ends::Followed(202, 0), 120),
    quick("microsoft.sql/servers/administrators", |_, _| {})
        .refuses(check_admin)
        .takes(Ends::Followed(202, 0), 10),
    quick("microsoft.sql/servers/azureadonlyauthentications", |_, _| {}).takes(Ends::Followed(202, 0), 10),
    quick("microsoft.sql/servers/firewallrules", |_, _| {}).refuses(check_firewall_rule),
    quick("microsoft.sql/servers/virtualnetworkrules", |_, body| set(body, "properties.state", "Ready"))
        .refuses(check_network_rule)
        .takes(Ends::Followed(202, 0), 15),
];

fn check_sql(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    asked.named(1..=63, small, |c| small(c) || c == '-', "InvalidServerName")?;
    asked.alone_in_the_world(SQL, "NameAlreadyExists")?;
    asked.keeps("properties.administratorLogin", "InvalidParameterValue")?;
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled", "SecuredByPerimeter"])?;
    asked.one_of("properties.minimalTlsVersion", &["None", "1.0", "1.1", "1.2", "1.3"])?;
    if asked.before.is_some() {
        return Ok(());
    }
    let only = at(body, "properties.administrators.azureADOnlyAuthentication") == Some(&json!(true));
    let login = text(body, "properties.administratorLogin");
    let password = text(body, "properties.administratorLoginPassword").unwrap_or_default();
    if login.is_none() && !only {
        let message = "The server needs an administrator login, or Entra-only authentication.";
        return Err(Failure::bad("InvalidParameterValue", message));
    }
    let kinds: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_digit(),
        |c| !c.is_ascii_alphanumeric(),
    ];
    let strong = password.len() >= 8 && kinds.iter().filter(|kind| password.contains(**kind)).count() >= 3;
    if login.is_some() && !strong {
        let message = "Password validation failed. The password does not meet policy requirements because it is not complex enough.";
        return Err(Failure::bad("PasswordNotComplex", message));
    }
    Ok(())
}

fn fill_sql(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, name } = made;
    if let Some(before) = world.state.resources.get(key) {
        // Heard on creation only.
        if let Some(admins) = at(&before.body, "properties.administrators") {
            set(body, "properties.administrators", admins.clone());
        }
        if let Some(login) = at(&before.body, "properties.administratorLogin") {
            set(body, "properties.administratorLogin", login.clone());
        }
    }
    set_default(body, "properties.administratorLogin", format!("CloudSA{}", &world.token(key, "login")[..8]));
    set_default(body, "properties.fullyQualifiedDomainName", format!("{name}.database.windows.net"));
    set_default(body, "properties.state", "Ready");
    set_default(body, "properties.version", "12.0");
    set_default(body, "properties.minimalTlsVersion", "1.2");
    set_default(body, "properties.publicNetworkAccess", "Enabled");
    set_default(body, "properties.restrictOutboundNetworkAccess", "Disabled");
    set_default(body, "properties.privateEndpointConnections", json!([]));
    body.insert("kind".into(), json!("v12.0"));
}

impl Behaviour for SqlServer {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let new = !world.state.resources.contains(key);
        let answer = Generic.put(world, call)?;
        let admins = call.properties().get("administrators").and_then(Value::as_object).cloned();
        if let Some(mut admins) = admins.filter(|_| new) {
            let only = remove(&mut admins, "azureADOnlyAuthentication").unwrap_or(json!(false));
            // What a principal is stands with the server only.
            remove(&mut admins, "principalType");
            let id = call.id.clone();
            for (kind, name, properties) in [
                ("administrators", "ActiveDirectory", Value::Object(admins)),
                ("azureADOnlyAuthentications", "Default", json!({"azureADOnlyAuthentication": only})),
            ] {
                let place = format!("{id}/{kind}/{name}");
                let body = object(json!({
                    "id": place, "name": name, "type": format!("Microsoft.Sql/servers/{kind}"), "properties": properties,
                }));
                let own = format!("{SQL}/{}", kind.to_ascii_lowercase());
                world.state.resources.insert(Resource::new(&place, &own, body));
            }
        }
        Ok(answer)
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        Generic.patch(world, call)
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        Generic.delete(world, call)
    }

    fn duration(&self, kind: &str, act: Act, body: &Object) -> Duration {
        Generic.duration(kind, act, body)
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        Generic.complete(world, operation);
    }
}

fn check_admin(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.needs("properties.login")?;
    asked.needs("properties.sid")?;
    match text(asked.body, "properties.sid").map(uuid::Uuid::try_parse) {
        Some(Ok(_)) => Ok(()),
        _ => Err(Failure::bad("InvalidParameterValue", "The sid of the administrator is not a GUID.")),
    }
}

fn check_database(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.keeps("properties.collation", "InvalidParameterValue")?;
    asked.one_of("properties.requestedBackupStorageRedundancy", &["Local", "Zone", "Geo", "GeoZone"])?;
    let sku = text(asked.body, "sku.name").unwrap_or("GP_Gen5");
    let known = ["Basic", "S", "P", "GP_", "BC_", "HS_", "Standard", "Premium", "Free", "ElasticPool"];
    // With family and capacity beside it a tier is a name as well.
    let tiers = ["GP", "BC", "HS"];
    if !known.iter().any(|start| sku.starts_with(start)) && !tiers.contains(&sku) {
        let message = format!("The service objective '{sku}' is not valid.");
        return Err(Failure::bad("InvalidSkuName", message));
    }
    if let Some(pool) = text(asked.body, "properties.elasticPoolId") {
        let own = pool.to_ascii_lowercase().starts_with(&format!("{}/elasticpools/", cut(asked.key, 2)));
        if !own || !asked.world.state.resources.contains(&pool.to_ascii_lowercase()) {
            return Err(Failure::bad(
                "ElasticPoolNotFound",
                format!("The elastic pool '{pool}' was not found on the server."),
            ));
        }
    }
    let serverless = sku.contains("_S_");
    if !serverless && at(asked.body, "properties.autoPauseDelay").is_some_and(|d| d != -1) {
        return Err(Failure::bad("InvalidParameterValue", "Only a serverless database pauses by itself."));
    }
    Ok(())
}

fn fill_database(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, .. } = made;
    let pooled = at(body, "properties.elasticPoolId").is_some_and(|pool| !pool.is_null());
    set_default(body, "sku.name", if pooled { "ElasticPool" } else { "GP_Gen5" });
    let sku = text(body, "sku.name").unwrap_or_default().to_owned();
    let tier = match &sku[..1] {
        "G" => "GeneralPurpose",
        "H" => "Hyperscale",
        "S" => "Standard",
        "P" => "Premium",
        _ => "Basic",
    };
    set(body, "sku.tier", tier);
    set_default(body, "sku.capacity", if sku == "S0" { 10 } else { 2 });
    if sku.contains("Gen5") {
        set(body, "sku.family", "Gen5");
    }
    let sku = body.get("sku").cloned().unwrap_or_default();
    set(body, "properties.currentSku", sku);
    set(
        body,
        "properties.currentServiceObjectiveName",
        text(body, "sku.name").unwrap_or_default().to_owned(),
    );
    set_default(body, "properties.collation", "SQL_Latin1_General_CP1_CI_AS");
    set_default(body, "properties.maxSizeBytes", 34_359_738_368_i64);
    set_default(body, "properties.zoneRedundant", false);
    set_default(body, "properties.requestedBackupStorageRedundancy", "Geo");
    set_default(body, "properties.readScale", "Disabled");
    set(body, "properties.status", "Online");
    set(body, "properties.databaseId", world.uuid(key, "database"));
    set_default(body, "properties.creationDate", world.time());
    body.insert("kind".into(), json!("v12.0,user,vcore"));
}

fn check_firewall_rule(asked: &Asked<'_>) -> Result<(), Failure> {
    if server(asked).is_some_and(|server| is_disabled(&server.body)) {
        let message = "Unable to create or modify firewall rules when public network interface for the server is disabled.";
        return Err(Failure::bad("DenyPublicEndpointEnabled", message));
    }
    let address = |path: &str| text(asked.body, path).and_then(|t| t.parse::<std::net::Ipv4Addr>().ok());
    match (address("properties.startIpAddress"), address("properties.endIpAddress")) {
        (Some(from), Some(to)) if from <= to => Ok(()),
        _ => Err(Failure::bad("InvalidParameterValue", "The firewall rule has no valid range of addresses.")),
    }
}

fn check_network_rule(asked: &Asked<'_>) -> Result<(), Failure> {
    if server(asked).is_some_and(|server| is_disabled(&server.body)) {
        let message = "Unable to create virtual network rules when public network interface for the server is disabled.";
        return Err(Failure::bad("DenyPublicEndpointEnabled", message));
    }
    let id = text(asked.body, "properties.virtualNetworkSubnetId").unwrap_or_default();
    let subnet = asked.refers(id, SUBNET, "VirtualNetworkRuleBadRequest")?;
    let ignores = at(asked.body, "properties.ignoreMissingVnetServiceEndpoint") == Some(&json!(true));
    if !ignores && !serves(subnet, "microsoft.sql") {
        let message = format!("The subnet '{id}' does not have the service endpoint Microsoft.Sql.");
        return Err(Failure::bad("VirtualNetworkRuleBadRequest", message));
    }
    Ok(())
}

fn only_default(asked: &Asked<'_>) -> Result<(), Failure> {
    match asked.name.eq_ignore_ascii_case("default") {
        true => Ok(()),
        false => Err(Failure::bad("InvalidParameterValue", "The name of the policy is 'default'.")),
    }
}

fn check_short_retention(asked: &Asked<'_>) -> Result<(), Failure> {
    only_default(asked)?;
    let days = at(asked.body, "properties.retentionDays").and_then(Value::as_u64);
    let hours = at(asked.body, "properties.diffBackupIntervalInHours").and_then(Value::as_u64);
    if days.is_some_and(|days| !(1..=35).contains(&days))
        || hours.is_some_and(|hours| hours != 12 && hours != 24)
    {
        return Err(Failure::bad(
            "InvalidBackupRetentionPeriod",
            "The retention is 1 to 35 days, and the interval 12 or 24 hours.",
        ));
    }
    Ok(())
}

fn check_pool(asked: &Asked<'_>) -> Result<(), Failure> {
    let sku = text(asked.body, "sku.name").unwrap_or("GP_Gen5");
    let known = ["BasicPool", "StandardPool", "PremiumPool", "GP_", "BC_", "HS_"];
    if !known.iter().any(|start| sku.starts_with(start)) {
        return Err(Failure::bad(
            "InvalidSkuName",
            format!("The service objective '{sku}' is not one of a pool."),
        ));
    }
    Ok(())
}

fn fill_pool(made: &Made<'_>, body: &mut Object) {
    set_default(body, "sku.name", "GP_Gen5");
    let name = text(body, "sku.name").unwrap_or_default();
    let tiers = [
        ("GP", "GeneralPurpose"),
        ("BC", "BusinessCritical"),
        ("HS", "Hyperscale"),
        ("Premium", "Premium"),
        ("Basic", "Basic"),
    ];
    let tier = tiers.iter().find(|(start, _)| name.starts_with(start)).map_or("Standard", |(_, tier)| tier);
    set(body, "sku.tier", tier);
    set_default(body, "sku.capacity", 2);
    set_default(body, "properties.maxSizeBytes", 34_359_738_368_i64);
    set_default(body, "properties.perDatabaseSettings.minCapacity", 0);
    let all = at(body, "sku.capacity").cloned().unwrap_or(json!(2));
    set_default(body, "properties.perDatabaseSettings.maxCapacity", all);
    set_default(body, "properties.zoneRedundant", false);
    set_default(body, "properties.creationDate", made.world.time());
    set(body, "properties.state", "Ready");
    body.insert("kind".into(), json!("vcore,pool"));
}

fn pool_is_used(world: &World, pool: &Resource) -> Result<(), Failure> {
    let databases = format!("{}/databases", cut(&pool.key(), 2));
    let used = world.state.resources.members(&databases).any(|(_, database)| {
        text(&database.body, "properties.elasticPoolId").is_some_and(|id| id.eq_ignore_ascii_case(&pool.id))
    });
    match used {
        true => Err(Failure::new(409, "ElasticPoolNotEmpty", "The elastic pool has databases in it.")),
        false => Ok(()),
    }
}

fn check_auditing(asked: &Asked<'_>) -> Result<(), Failure> {
    only_default(asked)?;
    asked.needs("properties.state")?;
    asked.one_of("properties.state", &["Enabled", "Disabled"])?;
    let on = text(asked.body, "properties.state").is_some_and(|state| state.eq_ignore_ascii_case("Enabled"));
    let monitor = at(asked.body, "properties.isAzureMonitorTargetEnabled") == Some(&json!(true));
    if on && !monitor && text(asked.body, "properties.storageEndpoint").is_none() {
        let message =
            "Either storageEndpoint or isAzureMonitorTargetEnabled is required when the state is Enabled.";
        return Err(Failure::bad("DataSecurityInvalidUserSuppliedParameter", message));
    }
    Ok(())
}

fn fill_auditing(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.retentionDays", 0);
    set_default(body, "properties.isStorageSecondaryKeyInUse", false);
    set_default(body, "properties.isAzureMonitorTargetEnabled", false);
    set_default(body, "properties.isManagedIdentityInUse", false);
    let groups = [
        "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
        "FAILED_DATABASE_AUTHENTICATION_GROUP",
        "BATCH_COMPLETED_GROUP",
    ];
    set_default(body, "properties.auditActionsAndGroups", json!(groups));
}

fn check_group(asked: &Asked<'_>) -> Result<(), Failure> {
    let partners = |body: &Object| -> Vec<String> {
        let all = list(body, "properties.partnerServers").iter();
        all.filter_map(|one| one.get("id")?.as_str()).map(str::to_ascii_lowercase).collect()
    };
    if asked.before.is_some_and(|before| partners(before) != partners(asked.body)) {
        let message = "The partner servers of a failover group cannot be changed.";
        return Err(Failure::bad("InvalidParameterValue", message));
    }
    let partner = list(asked.body, "properties.partnerServers").first();
    let partner = partner.and_then(|one| one.get("id")?.as_str()).unwrap_or_default();
    let found = asked.refers(partner, SQL, "FailoverGroupPartnerServerNotFound")?;
    let home = server(asked).map(Resource::location).unwrap_or_default();
    if found.key() == cut(asked.key, 2) || found.location() == home {
        let message = "The partner server of a failover group is in another region.";
        return Err(Failure::bad("FailoverGroupPartnerServerInvalid", message));
    }
    for database in list(asked.body, "properties.databases").iter().filter_map(Value::as_str) {
        asked.refers(database, "microsoft.sql/servers/databases", "DatabaseNotFound")?;
    }
    let policy = text(asked.body, "properties.readWriteEndpoint.failoverPolicy").unwrap_or_default();
    let minutes = at(asked.body, "properties.readWriteEndpoint.failoverWithDataLossGracePeriodMinutes");
    let minutes = minutes.and_then(Value::as_u64);
    if policy == "Automatic" && minutes.is_none_or(|minutes| minutes < 60)
        || policy == "Manual" && minutes.is_some()
    {
        let message =
            "An automatic failover has a grace period of 60 minutes or more, and a manual one has none.";
        return Err(Failure::bad("FailoverGroupInvalidGracePeriod", message));
    }
    Ok(())
}

fn fill_group(made: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.readOnlyEndpoint.failoverPolicy", "Disabled");
    set(body, "properties.replicationRole", "Primary");
    set(body, "properties.replicationState", "CATCH_UP");
    let shown: Vec<Value> = list(body, "properties.partnerServers")
        .iter()
        .cloned()
        .map(|mut partner| {
            let id = partner["id"].as_str().unwrap_or_default().to_ascii_lowercase();
            let place = made.world.state.resources.get(&id).map(Resource::location).unwrap_or_default();
            partner["location"] = json!(place);
            partner["replicationRole"] = json!("Secondary");
            partner
        })
        .collect();
    set(body, "properties.partnerServers", shown);
}
