//! What can be reached by private link: group ids, zones and host names per target type.

use crate::core::behaviour::{Answer, Behaviour, ok_list};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, list, put_back, text};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};

/// `{target}/privateLinkResources`.
#[derive(Debug)]
pub(crate) struct LinkResources;

/// One way into a target.
#[derive(Debug)]
pub(crate) struct LinkGroup {
    pub(crate) kind: &'static str,
    pub(crate) group: &'static str,
    /// The private zone; `{region}` stands for the target's location.
    pub(crate) zone: &'static str,
    /// The public suffix of the host name that the zone shadows.
    suffix: &'static str,
}

const fn row(kind: &'static str, group: &'static str, zone: &'static str, suffix: &'static str) -> LinkGroup {
    LinkGroup { kind, group, zone, suffix }
}

const GROUPS: &[LinkGroup] = &[
    row("microsoft.keyvault/vaults", "vault", "privatelink.vaultcore.azure.net", "vault.azure.net"),
    row(
        "microsoft.keyvault/managedhsms",
        "managedhsm",
        "privatelink.managedhsm.azure.net",
        "managedhsm.azure.net",
    ),
    row(
        "microsoft.storage/storageaccounts",
        "blob",
        "privatelink.blob.core.windows.net",
        "blob.core.windows.net",
    ),
    row(
        "microsoft.storage/storageaccounts",
        "table",
        "privatelink.table.core.windows.net",
        "table.core.windows.net",
    ),
    row(
        "microsoft.storage/storageaccounts",
        "queue",
        "privatelink.queue.core.windows.net",
        "queue.core.windows.net",
    ),
    row(
        "microsoft.storage/storageaccounts",
        "file",
        "privatelink.file.core.windows.net",
        "file.core.windows.net",
    ),
    row(
        "microsoft.storage/storageaccounts",
        "web",
        "privatelink.web.core.windows.net",
        "web.core.windows.net",
    ),
    row(
        "microsoft.storage/storageaccounts",
        "dfs",
        "privatelink.dfs.core.windows.net",
        "dfs.core.windows.net",
    ),
    row("microsoft.containerregistry/registries", "registry", "privatelink.azurecr.io", "azurecr.io"),
    row(
        "microsoft.containerservice/managedclusters",
        "management",
        "privatelink.{region}.azmk8s.io",
        "{region}.azmk8s.io",
    ),
    row("microsoft.sql/servers", "sqlServer", "privatelink.database.windows.net", "database.windows.net"),
    row("microsoft.web/sites", "sites", "privatelink.azurewebsites.net", "azurewebsites.net"),
    row("microsoft.web/staticsites", "staticSites", "privatelink.azurestaticapps.net", "azurestaticapps.net"),
    row(
        "microsoft.dbforpostgresql/flexibleservers",
        "postgresqlServer",
        "privatelink.postgres.database.azure.com",
        "postgres.database.azure.com",
    ),
    row(
        "microsoft.dbformysql/flexibleservers",
        "mysqlServer",
        "privatelink.mysql.database.azure.com",
        "mysql.database.azure.com",
    ),
    row(
        "microsoft.documentdb/databaseaccounts",
        "Sql",
        "privatelink.documents.azure.com",
        "documents.azure.com",
    ),
    row(
        "microsoft.documentdb/databaseaccounts",
        "MongoDB",
        "privatelink.mongo.cosmos.azure.com",
        "mongo.cosmos.azure.com",
    ),
    row(
        "microsoft.cache/redis",
        "redisCache",
        "privatelink.redis.cache.windows.net",
        "redis.cache.windows.net",
    ),
    row(
        "microsoft.cache/redisenterprise",
        "redisEnterprise",
        "privatelink.redis.azure.net",
        "redis.azure.net",
    ),
    row(
        "microsoft.servicebus/namespaces",
        "namespace",
        "privatelink.servicebus.windows.net",
        "servicebus.windows.net",
    ),
    row(
        "microsoft.eventhub/namespaces",
        "namespace",
        "privatelink.servicebus.windows.net",
        "servicebus.windows.net",
    ),
    row(
        "microsoft.relay/namespaces",
        "namespace",
        "privatelink.servicebus.windows.net",
        "servicebus.windows.net",
    ),
    row("microsoft.eventgrid/topics", "topic", "privatelink.eventgrid.azure.net", "eventgrid.azure.net"),
    row("microsoft.eventgrid/domains", "domain", "privatelink.eventgrid.azure.net", "eventgrid.azure.net"),
    row(
        "microsoft.appconfiguration/configurationstores",
        "configurationStores",
        "privatelink.azconfig.io",
        "azconfig.io",
    ),
    row(
        "microsoft.cognitiveservices/accounts",
        "account",
        "privatelink.cognitiveservices.azure.com",
        "cognitiveservices.azure.com",
    ),
    row(
        "microsoft.search/searchservices",
        "searchService",
        "privatelink.search.windows.net",
        "search.windows.net",
    ),
    row(
        "microsoft.insights/privatelinkscopes",
        "azuremonitor",
        "privatelink.monitor.azure.com",
        "monitor.azure.com",
    ),
    row(
        "microsoft.monitor/accounts",
        "prometheusMetrics",
        "privatelink.{region}.prometheus.monitor.azure.com",
        "{region}.prometheus.monitor.azure.com",
    ),
    row("microsoft.dashboard/grafana", "grafana", "privatelink.grafana.azure.com", "grafana.azure.com"),
    row(
        "microsoft.signalrservice/signalr",
        "signalr",
        "privatelink.service.signalr.net",
        "service.signalr.net",
    ),
    row(
        "microsoft.datafactory/factories",
        "dataFactory",
        "privatelink.datafactory.azure.net",
        "datafactory.azure.net",
    ),
    row(
        "microsoft.app/managedenvironments",
        "managedEnvironments",
        "privatelink.{region}.azurecontainerapps.io",
        "{region}.azurecontainerapps.io",
    ),
    row("microsoft.apimanagement/service", "Gateway", "privatelink.azure-api.net", "azure-api.net"),
];

/// The ways into a target of this type; empty when the simulator knows none.
pub(crate) fn groups(kind: &str) -> impl Iterator<Item = &'static LinkGroup> {
    GROUPS.iter().filter(move |g| g.kind == kind)
}

/// The public host names behind a group of a target.
pub(crate) fn host_names(target: &Resource, group: &str) -> Vec<String> {
    let Some(link) = groups(&target.kind).find(|g| g.group.eq_ignore_ascii_case(group)) else {
        return Vec::new();
    };
    let name = crate::core::path::last(&target.id).to_ascii_lowercase();
    let location = target.location();
    let suffix = link.suffix.replace("{region}", location);
    match target.kind.as_str() {
        "microsoft.containerregistry/registries" => {
            vec![format!("{name}.{location}.data.{suffix}"), format!("{name}.{suffix}")]
        }
        "microsoft.web/sites" => vec![format!("{name}.{suffix}"), format!("{name}.scm.{suffix}")],
        "microsoft.containerservice/managedclusters" => {
            let host = text(&target.body, "properties.privateFQDN")
                .or_else(|| text(&target.body, "properties.fqdn"));
            host.map(str::to_owned).into_iter().collect()
        }
        _ => vec![format!("{name}.{suffix}")],
    }
}

/// The record that a zone holds for a host, when the zone shadows the host's suffix.
pub(crate) fn record_name(zone: &str, host: &str) -> Option<String> {
    let zone = zone.to_ascii_lowercase();
    let by_table = GROUPS.iter().filter(|g| g.zone == zone).map(|g| g.suffix);
    let by_name = zone.strip_prefix("privatelink.");
    let name = by_table.chain(by_name).find_map(|suffix| host.strip_suffix(suffix)?.strip_suffix('.'))?;
    Some(name.to_owned())
}

/// Adds `properties.privateEndpointConnections` to the view of a target that has some.
pub(crate) fn with_connections(world: &World, resource: &Resource, own: Option<Value>) -> Option<Value> {
    let collection = format!("{}/privateendpointconnections", resource.key());
    let connections: Vec<Value> = world
        .state
        .resources
        .members(&collection)
        .map(|(_, r)| {
            let mut body = r.body.members();
            if resource.kind == "microsoft.keyvault/vaults" {
                body.retain(|name, _| matches!(name.as_str(), "id" | "etag" | "properties"));
            }
            Value::Object(body)
        })
        .collect();
    const LIST: &str = "properties.privateEndpointConnections";
    let has_some =
        || resource.body.may_have("privateEndpointConnections") && !list(&resource.body, LIST).is_empty();
    if connections.is_empty() && !has_some() {
        return own;
    }
    let mut body: Object = match own {
        Some(Value::Object(body)) => body,
        _ => resource.body.members(),
    };
    put_back(&mut body, LIST, connections);
    Some(Value::Object(body))
}

impl Behaviour for LinkResources {
    fn put(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        Err(Failure::new(405, "MethodNotAllowed", format!("'{}' cannot be written.", call.type_name)))
    }

    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        let owner = call.path.owner()?;
        let location = world.state.resources.get(&owner.key)?.location().to_owned();
        let kind = owner.kind();
        let items = groups(&kind).map(|g| {
            json!({
                "id": format!("{}/privateLinkResources/{}", owner.id, g.group),
                "name": g.group,
                "type": call.type_name,
                "properties": {
                    "groupId": g.group,
                    "requiredMembers": members(&kind, g.group),
                    "requiredZoneNames": [g.zone.replace("{region}", &location)],
                },
            })
        });
        Some(ok_list(items.collect()))
    }
}

/// The members of a group that addresses can be given to.
pub(crate) fn members(kind: &str, group: &str) -> Vec<String> {
    let names: &[&str] = match kind {
        "microsoft.keyvault/vaults" | "microsoft.keyvault/managedhsms" => &["default"],
        "microsoft.containerregistry/registries" => &["registry", "registry_data_westeurope"],
        _ => return vec![group.to_owned()],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}
