//! Resources that come from outside, as `GET` shows them.

use crate::core::json::text;
use crate::core::path::{ResourcePath, group_of, last};
use crate::core::store::Resource;
use crate::core::world::{PrincipalKind, Registration, World};
use crate::host::Timestamp;
use crate::state_file::Error;
use crate::types::{connection, resource_group, table};
use serde_json::Value;

/// Puts resources into the store as they are.
pub(crate) fn load(world: &mut World, resources: Vec<Value>) -> Result<(), Error> {
    let mut parsed = Vec::new();
    for value in resources {
        let Value::Object(body) = value else { return Err(no_id(&value)) };
        let Some(id) = text(&body, "id").map(str::to_owned) else { return Err(no_id(&Value::Object(body))) };
        let kind = match ResourcePath::parse(&id) {
            Some(path) if path.is_resource() => path.kind(),
            _ if group_of(&id).is_some_and(|g| g.len() == id.len()) => resource_group::KIND.to_owned(),
            _ => return Err(no_id(&Value::Object(body))),
        };
        parsed.push(Resource::new(&id, &kind, body));
    }
    let mut keys = Vec::new();
    for resource in parsed {
        let key = resource.key();
        if let Some(group) = group_of(&resource.id)
            && !world.state.resources.contains(&group.to_ascii_lowercase())
            // What lies in a subscription of somebody else's has its group there.
            && group.to_ascii_lowercase().starts_with(&format!("/subscriptions/{}/", world.state.subscription.to_ascii_lowercase()))
            && resource.kind != resource_group::KIND
        {
            resource_group::make(world, last(group), resource.location(), "", None);
        }
        for path in ["properties.principalId", "identity.principalId"] {
            if let Some(principal) = text(&resource.body, path) {
                let kind = match text(&resource.body, "properties.principalType") {
                    Some("User") => PrincipalKind::User,
                    Some("Group") => PrincipalKind::Group,
                    _ => PrincipalKind::ServicePrincipal,
                };
                world.add_principal(principal, kind, Timestamp(0));
            }
        }
        if let Some(path) = ResourcePath::parse(&key) {
            world.state.providers.insert(path.namespace, Registration::Registered);
        }
        world.state.resources.insert(resource);
        keys.push(key);
    }
    // Networks first: endpoints and pools join their subnets.
    keys.sort_by_key(|key| !key.contains("/virtualnetworks/"));
    for key in keys {
        let Some(kind) = world.state.resources.get(&key).map(|r| r.kind.clone()) else { continue };
        connection::split(world, &key);
        table::behaviour(&kind).loaded(world, &key);
    }
    Ok(())
}

fn no_id(value: &Value) -> Error {
    Error::NoId { resource: value.to_string().chars().take(120).collect() }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    #[tokio::test(start_paused = true)]
    async fn lists_of_parts_keep_their_order() {
        let bench = Bench::new().await;
        let cluster = Bench::rid("Microsoft.ContainerService/managedClusters/aks");
        let network = Bench::rid("Microsoft.Network/virtualNetworks/vnet");
        let account = Bench::rid("Microsoft.Storage/storageAccounts/acct");
        let subnet = |name: &str, prefix: &str| {
            json!({"name": name, "id": format!("{network}/subnets/{name}"), "type": "Microsoft.Network/virtualNetworks/subnets",
                "properties": {"addressPrefix": prefix, "provisioningState": "Succeeded"}})
        };
        let pool = |name: &str| {
            json!({"name": name, "count": 1, "vmSize": "Standard_D4s_v5", "mode": "System",
                "type": "VirtualMachineScaleSets", "provisioningState": "Succeeded"})
        };
        let connection = format!("{account}/privateEndpointConnections/c");
        let loaded = [
            json!({"id": network, "name": "vnet", "type": "Microsoft.Network/virtualNetworks", "location": "westeurope",
                "properties": {"subnets": [subnet("nodes", "10.0.0.0/24"), subnet("a", "10.0.1.0/24")],
                    "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "virtualNetworkPeerings": []}}),
            json!({"id": cluster, "name": "aks", "type": "Microsoft.ContainerService/ManagedClusters",
                "location": "westeurope",
                "properties": {"agentPoolProfiles": [pool("system"), pool("apps")], "provisioningState": "Succeeded"}}),
            json!({"id": account, "name": "acct", "type": "Microsoft.Storage/storageAccounts", "location": "westeurope",
                "properties": {"privateEndpointConnections": [{"id": connection, "name": "c",
                    "type": "Microsoft.Storage/storageAccounts/privateEndpointConnections",
                    "properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}],
                    "provisioningState": "Succeeded"}}),
        ];
        bench.sim.load(loaded.to_vec()).unwrap();
        let exported = bench.sim.export();
        for body in &loaded {
            let found = exported.iter().find(|found| found["id"] == body["id"]).unwrap();
            assert_eq!(found.to_string(), body.to_string());
        }
        // What comes later stands behind; what goes is gone.
        bench
            .make(&format!("{network}/subnets/b"), json!({"properties": {"addressPrefix": "10.0.2.0/24"}}))
            .await;
        let seen = bench.get(&network).await;
        let names: Vec<&Value> =
            seen.at("/properties/subnets").as_array().unwrap().iter().map(|s| &s["name"]).collect();
        assert_eq!(names, ["nodes", "a", "b"]);
        bench.delete(&connection).await;
        assert_eq!(bench.get(&account).await.at("/properties/privateEndpointConnections"), &json!([]));
    }
}
