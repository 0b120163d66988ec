//! What lies above resources: tenants, subscriptions, locations, resource groups and lists of everything.

use super::error::Failure;
use super::json::text;
use super::path::{Query, ResourcePath, cut, last};
use super::router::normal_location;
use super::types::{self, Answer, provider, resource_group};
use super::world::World;
use crate::host::transport::{Method, Request, Response};
use serde_json::{Value, json};

/// Regions, short and long; other names are refused.
pub(crate) const LOCATIONS: &[(&str, &str)] = &[
    ("australiacentral", "Australia Central"),
    ("australiaeast", "Australia East"),
    ("australiasoutheast", "Australia Southeast"),
    ("austriaeast", "Austria East"),
    ("belgiumcentral", "Belgium Central"),
    ("brazilsouth", "Brazil South"),
    ("canadacentral", "Canada Central"),
    ("canadaeast", "Canada East"),
    ("centralindia", "Central India"),
    ("centralus", "Central US"),
    ("centraluseuap", "Central US EUAP"),
    ("chilecentral", "Chile Central"),
    ("eastasia", "East Asia"),
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("eastus2euap", "East US 2 EUAP"),
    ("francecentral", "France Central"),
    ("francesouth", "France South"),
    ("germanynorth", "Germany North"),
    ("germanywestcentral", "Germany West Central"),
    ("indonesiacentral", "Indonesia Central"),
    ("israelcentral", "Israel Central"),
    ("italynorth", "Italy North"),
    ("japaneast", "Japan East"),
    ("japanwest", "Japan West"),
    ("koreacentral", "Korea Central"),
    ("koreasouth", "Korea South"),
    ("malaysiawest", "Malaysia West"),
    ("mexicocentral", "Mexico Central"),
    ("newzealandnorth", "New Zealand North"),
    ("northcentralus", "North Central US"),
    ("northeurope", "North Europe"),
    ("norwayeast", "Norway East"),
    ("norwaywest", "Norway West"),
    ("polandcentral", "Poland Central"),
    ("qatarcentral", "Qatar Central"),
    ("southafricanorth", "South Africa North"),
    ("southafricawest", "South Africa West"),
    ("southcentralus", "South Central US"),
    ("southeastasia", "Southeast Asia"),
    ("southindia", "South India"),
    ("spaincentral", "Spain Central"),
    ("swedencentral", "Sweden Central"),
    ("switzerlandnorth", "Switzerland North"),
    ("switzerlandwest", "Switzerland West"),
    ("uaecentral", "UAE Central"),
    ("uaenorth", "UAE North"),
    ("uksouth", "UK South"),
    ("ukwest", "UK West"),
    ("westcentralus", "West Central US"),
    ("westeurope", "West Europe"),
    ("westindia", "West India"),
    ("westus", "West US"),
    ("westus2", "West US 2"),
    ("westus3", "West US 3"),
];

/// A location as people write it.
pub(crate) fn display_name(location: &str) -> &str {
    let short = normal_location(location);
    LOCATIONS.iter().find(|(name, _)| *name == short).map_or(location, |(_, long)| long)
}

/// Whether this is a region in its short form, or `global`.
pub(crate) fn is_location(name: &str) -> bool {
    name == "global" || LOCATIONS.iter().any(|(short, _)| *short == name)
}

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
        ["subscriptions"] => return Some(Ok(ok(&json!({"value": [describe(world)]})))),
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
                return Some(Err(super::router::group_not_found(last(cut(path, 1)))));
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
        ) => types::cluster::versions(at, what)?,
        (Method::Get, ["subscriptions", _, "providers", "microsoft.compute", "locations", at, "usages"]) => {
            types::preflight::usages(world, at)
        }
        (Method::Get, [.., "providers", "microsoft.authorization", "permissions"]) => {
            types::preflight::permissions()
        }
        _ => return None,
    };
    Some(answer)
}

fn describe(world: &World) -> Value {
    let (id, tenant) = (&world.state.subscription, &world.state.tenant);
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
    let wanted = |field: &str| quoted(&filter, field);
    let (kind, group) = (wanted("resourceType"), wanted("resourceGroup"));
    let (name, place) = (wanted("name"), wanted("location").map(|l| normal_location(&l)));
    let mut value = Vec::new();
    for (key, resource) in world.state.resources.below(scope) {
        let Some(path) = ResourcePath::parse(key) else { continue };
        // The connections of a vault show a location, and are listed as little as those of others.
        let tracked = !resource.location().is_empty()
            && !super::types::is_proxy(&resource.kind)
            && path.scope == super::path::group_of(key).unwrap_or_default();
        let in_group = |g: &String| last(&path.scope).eq_ignore_ascii_case(g);
        if !tracked
            || kind.as_ref().is_some_and(|k| !k.eq_ignore_ascii_case(&resource.kind))
            || group.as_ref().is_some_and(|g| !in_group(g))
            || name.as_ref().is_some_and(|n| !n.eq_ignore_ascii_case(last(key)))
            || place.as_ref().is_some_and(|l| l != resource.location())
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
    }
    ok(&json!({"value": value}))
}

/// The text that a filter compares a field with (`field eq 'text'`).
pub(crate) fn quoted(filter: &str, field: &str) -> Option<String> {
    let lower = filter.to_ascii_lowercase();
    let mark = format!("{} eq '", field.to_ascii_lowercase());
    let whole = |at: &usize| !lower[..*at].ends_with(|c: char| c.is_ascii_alphanumeric());
    let at = lower.match_indices(&mark).map(|(at, _)| at).find(whole)?;
    let rest = &filter[at + mark.len()..];
    let mut out = String::new();
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.peek() == Some(&'\'') => {
                chars.next();
                out.push('\'');
            }
            '\'' => return Some(out),
            other => out.push(other),
        }
    }
    None
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

    #[test]
    fn filters_are_read_with_doubled_quotes() {
        let filter = "resourceGroup eq 'x' and roleName eq 'Bob''s role'";
        assert_eq!(quoted(filter, "roleName").as_deref(), Some("Bob's role"));
        assert_eq!(quoted(filter, "resourcegroup").as_deref(), Some("x"));
        assert_eq!(quoted(filter, "name"), None);
    }
}
