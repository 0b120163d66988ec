//! What lies above resources: tenants, subscriptions, locations, resource groups and lists of everything.

use super::{history, preflight, provider};
use crate::core::behaviour::Answer;
use crate::core::call::group_not_found;
use crate::core::error::Failure;
use crate::core::filter::{has_part, has_tag};
use crate::core::json::text;
use crate::core::locations::{LOCATIONS, normal_location};
use crate::core::path::quoted;
use crate::core::path::{Query, ResourcePath, cut, last};
use crate::core::world::World;
use crate::host::transport::{Method, Request, Response};
use crate::types::{cluster, foreign_endpoint, machines, resource_group, table};
use serde_json::{Value, json};

fn ok(body: &Value) -> Response {
    Response::new(200, body.to_string())
}

/// What `/metadata/endpoints` answers: this host for everything that is simulated, Azure's names for the rest.
///
/// From `2022-09-01` on ARM describes one cloud; before, it gave a list.
pub(crate) fn endpoints(origin: &str, version: &str) -> Response {
    let base = format!("{origin}/");
    let cloud = json!({
        "name": "Simulated",
        "portal": "https://portal.azure.com",
        "resourceManager": base,
        "authentication": {
            "loginEndpoint": origin,
            "audiences": [base, origin],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graph": format!("{origin}/graph/"),
        "graphAudience": format!("{origin}/graph/"),
        "microsoftGraphResourceId": format!("{origin}/graph/"),
        "sqlManagement": base,
        "batch": "https://batch.core.windows.net/",
        "gallery": "https://gallery.azure.com/",
        "media": "https://rest.media.azure.net",
        "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/main/arm-compute/quickstart-templates/aliases.json",
        "suffixes": {
            "keyVaultDns": "vault.azure.net",
            "acrLoginServer": "azurecr.io",
            "storage": "core.windows.net",
            "sqlServerHostname": "database.windows.net",
            "mhsmDns": "managedhsm.azure.net",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
        },
    });
    ok(&if version >= "2022-09-01" { cloud } else { json!([cloud]) })
}

/// Answers what is above resources; `None` when the path is a resource's.
pub(crate) fn dispatch(
    world: &mut World,
    request: &Request,
    origin: &str,
    path: &str,
    key: &str,
    query: &Query<'_>,
) -> Option<Answer> {
    let segments: Vec<&str> = key.split('/').skip(1).collect();
    match segments[..] {
        ["tenants"] => {
            let tenant = &world.state.tenant;
            let item =
                json!({"id": format!("/tenants/{tenant}"), "tenantId": tenant, "displayName": "Simulated"});
            return Some(Ok(ok(&json!({"value": [item]}))));
        }
        ["subscriptions"] => return Some(Ok(ok(&json!({"value": describe_all(world)})))),
        [
            "subscriptions",
            id,
            "resourcegroups",
            _,
            "providers",
            "microsoft.network",
            "privateendpoints",
            name,
        ] if !id.eq_ignore_ascii_case(&world.state.subscription)
            && foreign_endpoint::is_known(world, request.method, id, name, key) =>
        {
            return Some(foreign_endpoint::dispatch(world, request, path, key));
        }
        ["subscriptions", id, ..] if !id.eq_ignore_ascii_case(&world.state.subscription) => {
            let id = path.split('/').nth(2).unwrap_or_default();
            let message = format!("The subscription '{id}' could not be found.");
            return Some(Err(Failure::new(404, "SubscriptionNotFound", message)));
        }
        _ => {}
    }
    let answer = match (request.method, &segments[..]) {
        (Method::Get, ["subscriptions", _]) => Ok(ok(&describe(world))),
        (Method::Get, ["subscriptions", _, "locations"]) => {
            let value: Vec<Value> =
                LOCATIONS.iter().map(|(name, long)| location(world, name, long)).collect();
            Ok(ok(&json!({"value": value})))
        }
        (Method::Get, ["subscriptions", _, "resourcegroups"]) => {
            Ok(resource_group::list(world, request, origin))
        }
        (_, ["subscriptions", _, "resourcegroups", _]) => {
            resource_group::dispatch(world, request, origin, path, key, query)
        }
        (Method::Get, ["subscriptions", _, "resources"]) => Ok(resources(world, cut(key, 1), query)),
        (Method::Get, ["subscriptions", _, "resourcegroups", _, "resources"]) => {
            if !world.state.resources.contains(cut(key, 1)) {
                return Some(Err(group_not_found(last(cut(path, 1)))));
            }
            Ok(resources(world, cut(key, 1), query))
        }
        (Method::Get, ["subscriptions", _, "providers"]) => Ok(provider::list(world)),
        (Method::Get, ["subscriptions", _, "providers", _]) => provider::get(world, last(path)),
        (Method::Post, ["subscriptions", _, "providers", _, "register"]) => {
            provider::register(world, last(cut(path, 1)))
        }
        (Method::Post, ["subscriptions", _, "providers", _, "unregister"]) => {
            provider::unregister(world, last(cut(path, 1)))
        }
        (_, ["subscriptions", _, "providers", "microsoft.features", ..]) => {
            provider::features(world, request.method, path, &segments)
        }
        (
            Method::Get,
            ["subscriptions", _, "providers", "microsoft.containerservice", "locations", at, what],
        ) => cluster::versions(at, what)?,
        (Method::Get, ["subscriptions", _, "providers", "microsoft.compute", "locations", at, "usages"]) => {
            machines::usages(world, at)
        }
        (Method::Get, ["subscriptions", _, "providers", "microsoft.compute", "skus"]) => {
            machines::skus(&query.get("$filter").unwrap_or_default())
        }
        (
            Method::Get,
            ["subscriptions", _, "providers", "microsoft.insights", "eventtypes", "management", "values"],
        ) => history::log(world, origin, path, query),
        (Method::Get, [.., "providers", "microsoft.authorization", "permissions"]) => {
            preflight::permissions()
        }
        _ => return None,
    };
    Some(answer)
}

fn describe_all(world: &World) -> Vec<Value> {
    let others = world.state.others.values().map(|other| describe_one(world, &other.id));
    std::iter::once(describe(world)).chain(others).collect()
}

fn describe(world: &World) -> Value {
    describe_one(world, &world.state.subscription)
}

fn describe_one(world: &World, id: &str) -> Value {
    let tenant = &world.state.tenant;
    json!({
        "id": format!("/subscriptions/{id}"),
        "subscriptionId": id,
        "tenantId": tenant,
        "displayName": "Simulated subscription",
        "state": "Enabled",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "quotaId": "Simulated", "spendingLimit": "Off"},
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    })
}

fn location(world: &World, name: &str, long: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{}/locations/{name}", world.state.subscription),
        "name": name,
        "type": "Region",
        "displayName": long,
        "regionalDisplayName": long,
        "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
    })
}

/// Tracked resources below a scope, in the short form of ARM's index.
fn resources(world: &World, scope: &str, query: &Query<'_>) -> Response {
    let filter = query.get("$filter").unwrap_or_default();
    let most = query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(usize::MAX);
    let wanted = |field: &str| quoted(&filter, field);
    let (kind, group) = (wanted("resourceType"), wanted("resourceGroup"));
    let (name, place) = (wanted("name"), wanted("location").map(|l| normal_location(&l)));
    let mut value = Vec::new();
    for (key, resource) in world.state.resources.below(scope) {
        let Some(path) = ResourcePath::parse(key) else { continue };
        // The connections of a vault show a location, and are listed as little as those of others.
        let tracked = !resource.location().is_empty()
            && !table::is_proxy(&resource.kind)
            && path.scope == crate::core::path::group_of(key).unwrap_or_default();
        let in_group = |g: &String| last(&path.scope).eq_ignore_ascii_case(g);
        if !tracked
            || kind.as_ref().is_some_and(|k| !k.eq_ignore_ascii_case(&resource.kind))
            || group.as_ref().is_some_and(|g| !in_group(g))
            || name.as_ref().is_some_and(|n| !n.eq_ignore_ascii_case(last(key)))
            || place.as_ref().is_some_and(|l| l != resource.location())
            || !has_tag(&filter, resource.body.get("tags"))
            || !has_part(&filter, last(key))
        {
            continue;
        }
        let mut item = serde_json::Map::new();
        for member in ["id", "name", "type", "kind", "location", "tags", "sku", "identity", "managedBy"] {
            if let Some(found) = resource.body.get(member) {
                item.insert(member.to_owned(), found.clone());
            }
        }
        if let Some(state) = text(&resource.body, "properties.provisioningState") {
            item.insert("provisioningState".to_owned(), json!(state));
        }
        value.push(Value::Object(item));
        if value.len() == most {
            break;
        }
    }
    ok(&json!({"value": value}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[tokio::test(start_paused = true)]
    async fn the_index_lists_resources_and_not_their_parts() {
        let bench = Bench::new().await;
        let vault = Bench::rid("Microsoft.KeyVault/vaults/kv");
        let connection = format!("{vault}/privateEndpointConnections/pe");
        let loaded = [("Microsoft.KeyVault/vaults", &vault), ("", &connection)].map(|(kind, id)| {
            json!({"id": id, "name": last(id), "type": kind, "location": "westeurope", "properties": {}})
        });
        bench.sim.load(loaded.to_vec()).unwrap();
        let listed = bench.get("/resources").await;
        assert_eq!(listed.at("/value").as_array().map(Vec::len), Some(1), "{}", listed.body);
        assert_eq!(listed.at("/value/0/id"), &json!(vault));
    }
}
