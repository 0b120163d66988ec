//! Private endpoint connections, seen from their target.

use super::private_endpoint;
use crate::core::behaviour::{Answer, Behaviour, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, object, set, text};
use crate::core::locations::display_name;
use crate::core::operation::{Act, Operation, Style, Work};
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::Response;
use serde_json::{Value, json};

/// `{target}/privateEndpointConnections`.
#[derive(Debug)]
pub(crate) struct Connection;

const STATUS: &str = "properties.privateLinkServiceConnectionState.status";

/// The connection of an endpoint to a target; it comes into being with the endpoint's operation.
pub(crate) fn make(
    world: &mut World,
    target: &str,
    endpoint: &str,
    name: &str,
    status: &str,
    description: &str,
) {
    let Some(to) = world.state.resources.get(target) else { return };
    let (target_id, kind, location) = (to.id.clone(), to.kind.clone(), to.location().to_owned());
    let type_name = text(&to.body, "type").unwrap_or(&kind).to_owned();
    let id = format!("{target_id}/privateEndpointConnections/{name}");
    let ready = if kind.starts_with("microsoft.sql/") { "Ready" } else { "Succeeded" };
    let mut body = object(json!({
        "id": id, "name": name, "type": format!("{type_name}/privateEndpointConnections"),
    }));
    if kind.starts_with("microsoft.keyvault/") {
        body.insert("location".into(), json!(location));
        body.insert("etag".into(), json!(vault_etag(world, &id)));
    }
    let slow = kind.starts_with("microsoft.web/");
    let required =
        if kind == "microsoft.storage/storageaccounts" { "actionRequired" } else { "actionsRequired" };
    body.insert(
        "properties".into(),
        json!({
            "provisioningState": ready,
            "privateEndpoint": {"id": endpoint},
            "privateLinkServiceConnectionState": {"status": status, "description": description, required: "None"},
        }),
    );
    if kind.starts_with("microsoft.sql/") {
        set(&mut body, "properties.groupIds", json!(["sqlServer"]));
        if description == "Auto-Approved" {
            set(&mut body, "properties.privateLinkServiceConnectionState.description", "Auto-approved");
        }
    }
    if slow {
        // A site shows its location as people write it, and the endpoint's address once that may be used.
        body.insert("location".into(), json!(display_name(&location)));
        let pending = status == "Pending";
        set(&mut body, "properties.provisioningState", if pending { "Pending" } else { "Succeeded" });
        set(
            &mut body,
            "properties.ipAddresses",
            if pending { json!([]) } else { addresses(world, endpoint) },
        );
    }
    world.state.resources.insert(Resource::new(&id, &format!("{kind}/privateendpointconnections"), body));
}

/// The addresses of an endpoint in its subnet.
fn addresses(world: &World, endpoint: &str) -> Value {
    let found = world.state.resources.get(&endpoint.to_ascii_lowercase());
    let configs = found.and_then(|r| crate::core::json::at(&r.body, "properties.customDnsConfigs"));
    let first = configs.and_then(|c| c.pointer("/0/ipAddresses")).cloned();
    first.unwrap_or_else(|| json!([]))
}

fn vault_etag(world: &mut World, id: &str) -> String {
    let serial = world.next_serial();
    world.uuid(&id.to_ascii_lowercase(), &format!("etag {serial}")).replace('-', "")
}

/// The name that the target gives to a connection.
pub(crate) fn name_for(world: &World, kind: &str, target: &str, endpoint: &str, connection: &str) -> String {
    let (guid, name) = (world.uuid(&endpoint.to_ascii_lowercase(), "connection"), last(endpoint));
    match kind.split('/').next().unwrap_or_default() {
        "microsoft.storage" => format!("{}.{guid}", last(target)),
        "microsoft.sql" => format!("{name}-{guid}"),
        "microsoft.web" => format!("{connection}-{guid}"),
        "microsoft.keyvault" => connection.to_owned(),
        _ => format!("{name}.{guid}"),
    }
}

fn endpoint_of(body: &Object) -> String {
    text(body, "properties.privateEndpoint.id").unwrap_or_default().to_ascii_lowercase()
}

/// Says on the endpoint what the target has decided.
fn tell_endpoint(world: &mut World, connection: &Object) {
    let state = |m: &str| {
        let path = format!("properties.privateLinkServiceConnectionState.{m}");
        text(connection, &path).unwrap_or_default().to_owned()
    };
    private_endpoint::decide(world, &endpoint_of(connection), &state("status"), &state("description"));
}

impl Behaviour for Connection {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let Some(existing) = world.state.resources.get(key) else { return Err(call.not_found()) };
        let was = text(&existing.body, STATUS).unwrap_or_default().to_owned();
        let mut body = existing.body.clone();
        let Some(wanted) = text(&call.body, STATUS).map(str::to_owned) else {
            let message = "The property 'privateLinkServiceConnectionState.status' is required.";
            return Err(Failure::bad("BadRequest", message));
        };
        let description = text(&call.body, "properties.privateLinkServiceConnectionState.description");
        let description = description.unwrap_or_default().to_owned();
        let kind = cut(&call.kind, 1).to_owned();
        if kind.starts_with("microsoft.sql/") && description.is_empty() {
            let message = "The description of a private endpoint connection is required.";
            return Err(Failure::bad("InvalidPrivateEndpointConnection", message));
        }
        let allowed = match was.as_str() {
            "Pending" => wanted == "Approved" || wanted == "Rejected" || wanted == "Pending",
            "Approved" => wanted == "Rejected" || wanted == "Approved",
            "Rejected" => wanted == "Approved" || wanted == "Rejected",
            _ => false,
        };
        if !allowed {
            let message =
                format!("A private endpoint connection cannot go from state '{was}' to '{wanted}'.");
            return Err(Failure::bad("BadRequest", message));
        }
        set(&mut body, STATUS, wanted.clone());
        set(&mut body, "properties.privateLinkServiceConnectionState.description", description);
        let vault = kind.starts_with("microsoft.keyvault/");
        let site = kind.starts_with("microsoft.web/");
        if site {
            set(&mut body, STATUS, if wanted == "Rejected" { "Rejecting" } else { "Approving" });
            set(&mut body, "properties.provisioningState", "Pending");
        }
        if vault {
            body.insert("etag".into(), json!(vault_etag(world, &call.id)));
            set(&mut body, "properties.provisioningState", "Updating");
        }
        stored_and_new(world, call, Resource::new(&call.id, &call.kind, body.clone()));
        if site {
            let act = if wanted == "Rejected" { Act::Stop } else { Act::Start };
            let operation = world.start(call, Work::on(Style::Site, act, key));
            let mut response = world.answer(202, key);
            world.follow(call, &operation, &mut response);
            return Ok(response);
        }
        if !vault {
            tell_endpoint(world, &body);
            return Ok(world.answer(200, key));
        }
        let operation = world.start(call, Work::on(Style::Silent, Act::Update, key));
        let mut response = world.answer(200, key);
        let version = call.query.get("api-version").unwrap_or_default();
        let url = format!("{}{}?api-version={version}&kv-operation={}", call.origin, call.id, operation.id);
        response.headers.set("azure-asyncoperation", url);
        Ok(response)
    }

    /// Only reached for what is missing and for the operation URL of a vault's connection.
    fn get(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let running = world.running_on(&call.path.key).map(|o| o.due);
        if !world.state.resources.contains(&call.path.key) {
            return Err(call.not_found());
        }
        if let Some(due) = running
            && world.now.jumps()
        {
            world.now.reach(due);
        }
        let status = if running.is_some() { "InProgress" } else { "Succeeded" };
        Ok(Response::new(200, json!({"status": status}).to_string()))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        if operation.act == Act::Delete {
            return crate::core::behaviour::settle_or_remove(world, operation);
        }
        if operation.style == Style::Site {
            return decided(world, operation);
        }
        let etag = vault_etag(world, &operation.target_id);
        let Some(connection) = world.state.resources.edit(&operation.target) else { return };
        set(&mut connection.body, "properties.provisioningState", "Succeeded");
        connection.body.insert("etag".into(), json!(etag));
        let body = connection.body.clone();
        tell_endpoint(world, &body);
    }

    /// SQL takes its time, and says so in words of its own.
    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        if !call.kind.starts_with("microsoft.sql/") {
            world.remove_tree(key);
            world.deleted(key);
            return Ok(Response::new(200, ""));
        }
        let operation = world.start(call, Work::on(Style::Sql, Act::Delete, key));
        let body = json!({"operation": "DropPrivateEndpointConnection", "startTime": world.time()});
        let mut response = Response::new(202, body.to_string());
        world.follow(call, &operation, &mut response);
        Ok(response)
    }

    /// The endpoint of a connection that is gone is disconnected for good.
    fn removed(&self, world: &mut World, resource: &Resource) {
        let endpoint = endpoint_of(&resource.body);
        private_endpoint::decide(world, &endpoint, "Disconnected", "Deleted by the owner of the target");
    }
}

/// Ends the decision of a site about a connection.
fn decided(world: &mut World, operation: &Operation) {
    let Some(connection) = world.state.resources.get(&operation.target) else { return };
    let mut body = connection.body.clone();
    let approved = operation.act == Act::Start;
    set(&mut body, STATUS, if approved { "Approved" } else { "Rejected" });
    set(&mut body, "properties.provisioningState", "Succeeded");
    tell_endpoint(world, &body);
    let shown = if approved { addresses(world, &endpoint_of(&body)) } else { json!([]) };
    set(&mut body, "properties.ipAddresses", shown);
    if let Some(connection) = world.state.resources.edit(&operation.target) {
        connection.body = body;
    }
}

/// The connection that an endpoint has to a target.
pub(crate) fn find(world: &World, target: &str, endpoint: &str) -> Option<String> {
    let collection = format!("{target}/privateendpointconnections");
    let mut members = world.state.resources.members(&collection);
    members.find(|(_, r)| endpoint_of(&r.body) == endpoint).map(|(k, _)| k.to_owned())
}

/// Splits the connections out of a target that was loaded with them inline.
pub(crate) fn split(world: &mut World, key: &str) {
    let Some(resource) = world.state.resources.edit(key) else { return };
    let kind = format!("{}/privateendpointconnections", resource.kind);
    for connection in
        crate::core::json::take_list(&mut resource.body, "properties.privateEndpointConnections")
    {
        let Some(id) = connection.get("id").and_then(Value::as_str) else { continue };
        if !world.state.resources.contains(&id.to_ascii_lowercase()) {
            let mut body = connection.as_object().cloned().unwrap_or_default();
            crate::core::json::set_default(&mut body, "name", last(id));
            world.state.resources.insert(Resource::new(id, &kind, body));
        }
    }
}
