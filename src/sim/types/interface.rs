//! Network interfaces: those that people make, and those that private endpoints make for themselves.

use super::endpoint_interface::endpoint;
use super::network_item::NetworkItem;
use crate::core::behaviour::{Answer, Behaviour, ok};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{list, text};
use crate::core::operation::Act;
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.Network/networkInterfaces`. One of a private endpoint is in no store: it is what the endpoint says.
#[derive(Debug)]
pub(crate) struct Interface;

/// The interface of an endpoint, as Azure shows it.
fn shown(endpoint: &Resource) -> Option<Value> {
    let id = list(&endpoint.body, "properties.networkInterfaces").first()?.get("id")?.as_str()?;
    let address = endpoint.hidden.get("address").and_then(Value::as_str).unwrap_or_default();
    let subnet = text(&endpoint.body, "properties.subnet.id").unwrap_or_default();
    let state = endpoint.state().unwrap_or("Succeeded");
    let configuration = json!({
        "name": "privateEndpointIpConfig", "id": format!("{id}/ipConfigurations/privateEndpointIpConfig"),
        "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
        "properties": {
            "provisioningState": state, "privateIPAddress": address, "privateIPAllocationMode": "Dynamic",
            "subnet": { "id": subnet }, "primary": true, "privateIPAddressVersion": "IPv4",
        },
    });
    Some(json!({
        "id": id, "name": last(id), "type": "Microsoft.Network/networkInterfaces", "location": endpoint.location(),
        "properties": {
            "provisioningState": state, "ipConfigurations": [configuration], "dnsSettings": { "dnsServers": [] },
            "enableAcceleratedNetworking": false, "enableIPForwarding": false, "hostedWorkloads": [],
            "privateEndpoint": { "id": endpoint.id }, "nicType": "Standard", "tapConfigurations": [],
        },
    }))
}

impl Behaviour for Interface {
    fn duration(&self, kind: &str, act: Act, body: &crate::core::json::Object) -> Duration {
        NetworkItem.duration(kind, act, body)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        if let Some(endpoint) = endpoint(world, &call.path.key) {
            let message = format!(
                "The network interface {} is attached to the private endpoint {} and cannot be modified.",
                call.id, endpoint.id
            );
            return Err(Failure::bad("CannotModifyNicAttachedToPrivateEndpoint", message));
        }
        NetworkItem.put(world, call)
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        NetworkItem.delete(world, call)
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        NetworkItem.removed(world, resource);
    }

    fn get(&self, world: &mut World, call: &Call<'_>) -> Answer {
        match endpoint(world, &call.path.key).and_then(shown) {
            Some(body) => ok(&body),
            None => Err(call.not_found()),
        }
    }

    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        let scope = cut(&call.path.key, 1);
        let scope = scope.find("/providers/").map_or(scope, |at| &scope[..at]);
        let mut value: Vec<Value> = Vec::new();
        for (_, resource) in world.state.resources.below(scope) {
            match resource.kind.as_str() {
                "microsoft.network/networkinterfaces" => value.push(Value::Object(resource.body.members())),
                "microsoft.network/privateendpoints" => value.extend(shown(resource)),
                _ => {}
            }
        }
        Some(crate::core::behaviour::ok_list(value))
    }
}
