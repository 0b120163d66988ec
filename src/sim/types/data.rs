//! Where data is kept: SQL servers, storage accounts, container registries, Cosmos DB accounts and Managed Redis.

use super::defaults::{Asked, Defaults, Ends, Made, quick};
use super::generic::Generic;
use crate::core::behaviour::{Answer, Behaviour};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, object, remove, set, set_default, text};
use crate::core::locations::display_name;
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
const REGISTRY: &str = "microsoft.containerregistry/registries";
const STORAGE: &str = "microsoft.storage/storageaccounts";
const COSMOS: &str = "microsoft.documentdb/databaseaccounts";
const REDIS: &str = "microsoft.cache/redisenterprise";
const SUBNET: &str = "microsoft.network/virtualnetworks/subnets";

pub(super) const KNOWN: &[Defaults] = &[
    quick(SQL, fill_sql).refuses(check_sql).takes(Ends::Followed(202, 0), 120),
    quick("microsoft.sql/servers/databases", fill_database)
        .refuses(check_database)
        .takes(Ends::Followed(202, 0), 90),
    quick("microsoft.sql/servers/administrators", |_, _| {})
        .refuses(check_admin)
        .takes(Ends::Followed(202, 0), 10),
    quick("microsoft.sql/servers/azureadonlyauthentications", |_, _| {}).takes(Ends::Followed(202, 0), 10),
    quick("microsoft.sql/servers/firewallrules", |_, _| {}).refuses(check_firewall_rule),
    quick("microsoft.sql/servers/virtualnetworkrules", |_, body| set(body, "properties.state", "Ready"))
        .refuses(check_network_rule)
        .takes(Ends::Followed(202, 0), 15),
    quick(REGISTRY, fill_registry).refuses(check_registry).takes(Ends::Followed(201, 0), 15),
    quick("microsoft.containerregistry/registries/replications", fill_replication)
        .refuses(check_replication)
        .takes(Ends::Followed(201, 1), 60),
    quick(STORAGE, fill_storage).refuses(check_storage).plain().takes(Ends::ByLocation, 20),
    quick("microsoft.storage/storageaccounts/blobservices/containers", fill_container)
        .refuses(check_container),
    quick(COSMOS, fill_cosmos).refuses(check_cosmos).plain().takes(Ends::Followed(200, 0), 300),
    quick("microsoft.documentdb/databaseaccounts/sqldatabases", |_, _| {})
        .refuses(check_cosmos_child)
        .plain()
        .takes(Ends::Followed(202, 0), 15),
    quick("microsoft.documentdb/databaseaccounts/sqldatabases/containers", |_, _| {})
        .refuses(check_cosmos_container)
        .plain()
        .takes(Ends::Followed(202, 0), 15),
    quick(REDIS, fill_redis).refuses(check_redis).takes(Ends::Followed(201, 0), 600),
    quick("microsoft.cache/redisenterprise/databases", fill_redis_database)
        .refuses(check_redis_database)
        .takes(Ends::Followed(201, 0), 120),
];

fn bad(message: impl Into<String>) -> Failure {
    Failure::bad("BadRequest", message)
}

fn small(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn is_disabled(body: &Object) -> bool {
    text(body, "properties.publicNetworkAccess").is_some_and(|access| access.eq_ignore_ascii_case("Disabled"))
}

/// Whether a subnet has the endpoint of a service.
fn serves(subnet: &Resource, service: &str) -> bool {
    let services = list(&subnet.body, "properties.serviceEndpoints").iter();
    services.filter_map(|s| s.get("service")?.as_str()).any(|s| s.to_ascii_lowercase().starts_with(service))
}

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

/// The server that something is below.
fn server<'w>(asked: &Asked<'w>) -> Option<&'w Resource> {
    asked.world.state.resources.get(cut(asked.key, 2))
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
    let serverless = sku.contains("_S_");
    if !serverless && at(asked.body, "properties.autoPauseDelay").is_some_and(|d| d != -1) {
        return Err(Failure::bad("InvalidParameterValue", "Only a serverless database pauses by itself."));
    }
    Ok(())
}

fn fill_database(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, .. } = made;
    set_default(body, "sku.name", "GP_Gen5");
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

fn check_registry(asked: &Asked<'_>) -> Result<(), Failure> {
    let (body, alnum) = (asked.body, |c: char| c.is_ascii_alphanumeric());
    asked.named(5..=50, alnum, alnum, "InvalidRegistryName")?;
    asked.alone_in_the_world(REGISTRY, "AlreadyInUse")?;
    asked.needs("sku.name")?;
    asked.one_of("sku.name", &["Basic", "Standard", "Premium"])?;
    asked.keeps("properties.zoneRedundancy", "ZoneRedundancyCannotBeChanged")?;
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled"])?;
    let premium = text(body, "sku.name").is_some_and(|sku| sku.eq_ignore_ascii_case("Premium"));
    let disabled = |path: &str| text(body, path).is_some_and(|t| t.eq_ignore_ascii_case("disabled"));
    let enabled = |path: &str| text(body, path).is_some_and(|t| t.eq_ignore_ascii_case("enabled"));
    let only_premium = is_disabled(body)
        || enabled("properties.zoneRedundancy")
        || at(body, "properties.dataEndpointEnabled") == Some(&json!(true))
        || at(body, "properties.networkRuleSet").is_some()
        || enabled("properties.policies.retentionPolicy.status")
        || disabled("properties.policies.exportPolicy.status");
    if !premium && only_premium {
        let message = "The operation is not supported for the SKU of the registry. Upgrade it to Premium.";
        return Err(Failure::bad("NotSupportedForSku", message));
    }
    if disabled("properties.policies.exportPolicy.status") && !is_disabled(body) {
        let message = "The export policy can be disabled only while public network access is disabled.";
        return Err(Failure::bad("ExportPolicyStatusInvalid", message));
    }
    let copies = asked.world.state.resources.members(&format!("{}/replications", asked.key)).next().is_some();
    if !premium && copies {
        return Err(bad("A registry with replications cannot be downgraded."));
    }
    Ok(())
}

fn fill_registry(made: &Made<'_>, body: &mut Object) {
    let Made { name, world, key } = made;
    let tier = text(body, "sku.name").unwrap_or_default().to_owned();
    set(body, "sku.tier", tier.clone());
    set_default(body, "properties.loginServer", format!("{name}.azurecr.io"));
    set_default(body, "properties.creationDate", world.time());
    set_default(body, "properties.adminUserEnabled", false);
    set_default(body, "properties.anonymousPullEnabled", false);
    set_default(body, "properties.publicNetworkAccess", "Enabled");
    set_default(body, "properties.networkRuleBypassOptions", "AzureServices");
    set_default(body, "properties.zoneRedundancy", "Disabled");
    set_default(body, "properties.dataEndpointEnabled", false);
    set_default(body, "properties.dataEndpointHostNames", json!([]));
    set_default(body, "properties.roleAssignmentMode", "LegacyRegistryPermissions");
    set_default(body, "properties.encryption.status", "disabled");
    set_default(body, "properties.privateEndpointConnections", json!([]));
    let _ = key;
    if tier.eq_ignore_ascii_case("Premium") {
        set_default(body, "properties.policies.quarantinePolicy.status", "disabled");
        set_default(body, "properties.policies.trustPolicy", json!({"type": "Notary", "status": "disabled"}));
        set_default(body, "properties.policies.retentionPolicy.days", 7);
        set_default(body, "properties.policies.retentionPolicy.status", "disabled");
        set_default(body, "properties.policies.exportPolicy.status", "enabled");
        set_default(body, "properties.networkRuleSet.defaultAction", "Allow");
        let rules: Vec<Value> = list(body, "properties.networkRuleSet.ipRules")
            .iter()
            .cloned()
            .map(|mut rule| {
                if let Some(alone) = rule["value"].as_str().and_then(|v| v.strip_suffix("/32")) {
                    rule["value"] = json!(alone);
                }
                rule
            })
            .collect();
        set(body, "properties.networkRuleSet.ipRules", rules);
    }
}

fn check_replication(asked: &Asked<'_>) -> Result<(), Failure> {
    let sku = server(asked).and_then(|registry| text(&registry.body, "sku.name")).unwrap_or_default();
    if !sku.eq_ignore_ascii_case("Premium") {
        return Err(Failure::bad(
            "NotSupportedForSku",
            "Replications are supported only by Premium registries.",
        ));
    }
    let home = server(asked).map(Resource::location).unwrap_or_default();
    if text(asked.body, "location").is_some_and(|place| place.eq_ignore_ascii_case(home)) {
        return Err(bad("The replication is in the home region of the registry."));
    }
    asked.keeps("properties.zoneRedundancy", "ZoneRedundancyCannotBeChanged")
}

fn fill_replication(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.regionEndpointEnabled", true);
    set_default(body, "properties.zoneRedundancy", "Disabled");
    set(body, "properties.status", json!({"displayStatus": "Ready"}));
}

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

fn check_redis(asked: &Asked<'_>) -> Result<(), Failure> {
    let alnum = |c: char| c.is_ascii_alphanumeric();
    asked.named(1..=60, alnum, |c| c.is_ascii_alphanumeric() || c == '-', "BadRequest")?;
    asked.alone_in_the_world(REDIS, "NameNotAvailable")?;
    asked.needs("sku.name")?;
    let sku = text(asked.body, "sku.name").unwrap_or_default();
    let managed = ["Balanced_B", "MemoryOptimized_M", "ComputeOptimized_X", "FlashOptimized_A"];
    let managed = managed.iter().any(|start| sku.starts_with(start));
    if !managed && !sku.starts_with("Enterprise") {
        return Err(bad(format!("The SKU '{sku}' is not supported.")));
    }
    if managed && at(asked.body, "sku.capacity").is_some() {
        return Err(bad("A SKU of Azure Managed Redis has no capacity."));
    }
    if managed {
        asked.needs("properties.publicNetworkAccess")?;
    }
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled"])?;
    asked.keeps("properties.highAvailability", "BadRequest")
}

fn fill_redis(made: &Made<'_>, body: &mut Object) {
    let place = text(body, "location").unwrap_or_default().to_owned();
    set_default(body, "properties.hostName", format!("{}.{place}.redis.azure.net", made.name));
    set_default(body, "properties.highAvailability", "Enabled");
    set_default(body, "properties.minimumTlsVersion", "1.2");
    set_default(body, "properties.redundancyMode", "ZR");
    set(body, "properties.resourceState", "Running");
    set(body, "kind", "v2");
}

fn check_redis_database(asked: &Asked<'_>) -> Result<(), Failure> {
    if !asked.name.eq_ignore_ascii_case("default") {
        return Err(bad("The name of the database is 'default'."));
    }
    for fixed in ["clusteringPolicy", "modules", "port"] {
        asked.keeps(&format!("properties.{fixed}"), "BadRequest")?;
    }
    asked.one_of("properties.clusteringPolicy", &["OSSCluster", "EnterpriseCluster", "NoCluster"])
}

fn fill_redis_database(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.clientProtocol", "Encrypted");
    set_default(body, "properties.port", 10_000);
    set_default(body, "properties.clusteringPolicy", "OSSCluster");
    set_default(body, "properties.evictionPolicy", "VolatileLRU");
    set_default(body, "properties.accessKeysAuthentication", "Disabled");
    set_default(body, "properties.deferUpgrade", "NotDeferred");
    set(body, "properties.resourceState", "Running");
    set_default(body, "properties.redisVersion", "7.4");
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    async fn bench() -> Bench {
        let bench = Bench::new().await;
        for namespace in ["Sql", "Storage", "ContainerRegistry", "DocumentDB", "Cache"] {
            bench.post(&format!("/providers/Microsoft.{namespace}/register")).await;
            bench.get(&format!("/providers/Microsoft.{namespace}")).await;
        }
        bench
    }

    #[tokio::test(start_paused = true)]
    async fn a_sql_server_hears_of_its_entra_administrator_once() {
        let bench = bench().await;
        let id = Bench::rid("Microsoft.Sql/servers/sql-1");
        let admin = |login: &str| json!({"login": login, "sid": crate::TENANT, "tenantId": crate::TENANT, "azureADOnlyAuthentication": true});
        let body =
            |login: &str| json!({"location": "westeurope", "properties": {"administrators": admin(login)}});
        let made = bench.make(&id, body("first")).await;
        assert!(made["properties"]["administratorLogin"].as_str().unwrap().starts_with("CloudSA"));
        assert_eq!(bench.make(&id, body("second")).await["properties"]["administrators"]["login"], "first");
        let own = bench.get(&format!("{id}/administrators/ActiveDirectory")).await;
        assert_eq!(own.at("/properties/login"), "first");
        let only = bench.get(&format!("{id}/azureADOnlyAuthentications/Default")).await;
        assert_eq!(only.at("/properties/azureADOnlyAuthentication"), &json!(true));
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_what_azure_refuses() {
        let bench = bench().await;
        let at = |kind: &str, name: &str| Bench::rid(&format!("Microsoft.{kind}/{name}"));
        let place = |more: Value| {
            let mut body = json!({"location": "westeurope"});
            for (name, value) in more.as_object().unwrap() {
                body[name] = value.clone();
            }
            body
        };
        let login =
            |password: &str| json!({"administratorLogin": "a", "administratorLoginPassword": password});
        let closed = json!({"publicNetworkAccess": "Disabled"});
        let zone = json!({"locations": [{"locationName": "westeurope", "failoverPriority": 1}], "databaseAccountOfferType": "Standard"});
        for (path, body, code) in [
            (at("Sql/servers", "sql-1"), json!({"properties": {}}), "InvalidParameterValue"),
            (at("Sql/servers", "sql-1"), json!({"properties": login("short")}), "PasswordNotComplex"),
            (
                at("ContainerRegistry/registries", "crshop"),
                json!({"sku": {"name": "Basic"}, "properties": closed}),
                "NotSupportedForSku",
            ),
            (
                at("Storage/storageAccounts", "St"),
                json!({"kind": "StorageV2", "sku": {"name": "Standard_LRS"}}),
                "AccountNameInvalid",
            ),
            (at("DocumentDB/databaseAccounts", "cosmos"), json!({"properties": zone}), "BadRequest"),
            (
                at("Cache/redisEnterprise", "redis"),
                json!({"sku": {"name": "Balanced_B5"}}),
                "MissingRequiredProperty",
            ),
        ] {
            let seen = bench.put(&path, place(body.clone())).await;
            assert_eq!((seen.status, seen.code()), (400, code), "{path} {body}");
        }
        let id = at("Sql/servers", "sql-2");
        let mut server = login("Passw0rd!x");
        server["publicNetworkAccess"] = json!("Disabled");
        bench.make(&id, place(json!({"properties": server}))).await;
        let rule = json!({"properties": {"startIpAddress": "1.2.3.4", "endIpAddress": "1.2.3.4"}});
        assert_eq!(
            bench.put(&format!("{id}/firewallRules/a"), rule).await.code(),
            "DenyPublicEndpointEnabled"
        );
    }
}
