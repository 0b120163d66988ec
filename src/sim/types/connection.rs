//! Private endpoint connections, seen from their target.

use super::connection_rules::{Answering, Deciding, Verb, deciding};
use super::private_endpoint;
use crate::core::behaviour::{Answer, Behaviour, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, object, object_at, set, text};
use crate::core::locations::display_name;
use crate::core::operation::{Act, Operation, Progress, Style, Work};
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::Timestamp;
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
    // A connection that waits has not been approved, whatever word its type has for an end.
    let ready = match deciding(&kind).rest {
        "Approved" => status,
        ready => ready,
    };
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
    if ready.is_empty() {
        object_at(&mut body, "properties").shift_remove("provisioningState");
    }
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
    let made = match kind.split('/').next().unwrap_or_default() {
        "microsoft.storage" => format!("{}.{guid}", last(target)),
        "microsoft.sql" => format!("{name}-{guid}"),
        "microsoft.web" => format!("{connection}-{guid}"),
        "microsoft.keyvault" => connection.to_owned(),
        _ => format!("{name}.{guid}"),
    };
    // A name is taken once: the same one from elsewhere gets another beside it.
    let key =
        format!("{}/privateendpointconnections/{}", target.to_ascii_lowercase(), made.to_ascii_lowercase());
    let another = world
        .state
        .resources
        .get(&key)
        .is_some_and(|c| endpoint_of(&c.body) != endpoint.to_ascii_lowercase());
    if another { format!("{made}-{}", &guid[..8]) } else { made }
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

/// Where a target keeps a decision that it has not carried out yet.
const DECISION: &str = "decision";

/// What a decision asks for, checked.
struct Wanted {
    status: String,
    description: String,
}

fn check(call: &Call<'_>, kind: &str, rules: &Deciding, was: &str) -> Result<Wanted, Failure> {
    let Some(status) = text(&call.body, STATUS).map(str::to_owned) else {
        let message = "The property 'privateLinkServiceConnectionState.status' is required.";
        return Err(Failure::bad("BadRequest", message));
    };
    let description = text(&call.body, "properties.privateLinkServiceConnectionState.description");
    let description = description.unwrap_or_default().to_owned();
    if let Some(missing) =
        rules.demands.iter().find(|path| text(&call.body, path).unwrap_or_default().is_empty())
    {
        let message = match missing.ends_with("description") {
            true => "The description of a private endpoint connection is required.".to_owned(),
            false => format!("The request is missing the required property '{missing}'."),
        };
        return Err(Failure::bad("InvalidPrivateEndpointConnection", message));
    }
    let allowed = match (kind, was) {
        // Storage takes no second approval: it calls the status itself invalid.
        ("microsoft.storage/storageaccounts", was) if was == status => {
            let message =
                "Values for request parameters are invalid: privateLinkServiceConnectionState.status.";
            return Err(Failure::bad("InvalidValuesForRequestParameters", message));
        }
        ("microsoft.documentdb/databaseaccounts", "Rejected") if status == "Approved" => {
            let message = "Approving rejected private endpoint connections is not supported.";
            return Err(Failure::bad("BadRequest", message));
        }
        ("microsoft.sql/servers", was) if was != "Pending" && was != status => {
            let message = "The private endpoint connection status is not pending.";
            return Err(Failure::bad("PrivateEndpointConnectionStatusNotPending", message));
        }
        (_, "Pending") => status == "Approved" || status == "Rejected" || status == "Pending",
        (_, "Approved") => status == "Rejected" || status == "Approved",
        (_, "Rejected") => status == "Approved" || status == "Rejected",
        _ => false,
    };
    match allowed {
        true => Ok(Wanted { status, description }),
        false => {
            let message =
                format!("A private endpoint connection cannot go from state '{was}' to '{status}'.");
            Err(Failure::bad("BadRequest", message))
        }
    }
}

fn decide(world: &mut World, call: &Call<'_>) -> Answer {
    let key = &call.path.key;
    let Some(existing) = world.state.resources.get(key) else { return Err(call.not_found()) };
    let was = text(&existing.body, STATUS).unwrap_or_default().to_owned();
    let mut body = existing.body.members();
    let kind = cut(&call.kind, 1).to_owned();
    let rules = deciding(&kind);
    let (tag, sent) = (text(&body, "etag"), text(&call.body, "etag"));
    if kind.starts_with("microsoft.keyvault/") && sent.is_some_and(|sent| tag.is_some_and(|tag| tag != sent))
    {
        let message = "The ETag of the private endpoint connection is another one by now.";
        return Err(Failure::new(412, "PreconditionFailed", message));
    }
    let Wanted { status: wanted, description } = check(call, &kind, &rules, &was)?;
    let later = matches!(rules.answering, Answering::Later(_) | Answering::Quietly);
    let vault = kind == "microsoft.keyvault/vaults";
    let site = kind.starts_with("microsoft.web/");
    if later {
        set(&mut body, "properties.provisioningState", "Updating");
    } else {
        set(&mut body, STATUS, wanted.clone());
        set(&mut body, "properties.privateLinkServiceConnectionState.description", description.clone());
    }
    if site {
        set(&mut body, STATUS, if wanted == "Rejected" { "Rejecting" } else { "Approving" });
        set(&mut body, "properties.provisioningState", "Pending");
    }
    if vault {
        body.insert("etag".into(), json!(vault_etag(world, &call.id)));
        set(&mut body, "properties.provisioningState", "Updating");
    }
    let mut resource = Resource::new(&call.id, &call.kind, body.clone());
    if later {
        resource.hidden.insert(DECISION.into(), json!({"status": wanted, "description": description}));
    }
    stored_and_new(world, call, resource);
    if let Answering::Later(status) = rules.answering {
        let style = if kind == "microsoft.sql/servers" { Style::Sql } else { Style::Provider };
        let operation = world.start(call, Work::on(style, Act::Update, key));
        let mut response = world.answer(status, key);
        world.follow(call, &operation, &mut response);
        return Ok(response);
    }
    if rules.answering == Answering::Quietly {
        world.start(call, Work::on(Style::Silent, Act::Update, key));
        return Ok(world.answer(202, key));
    }
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

fn refuse_method(call: &Call<'_>) -> Failure {
    let method = format!("{:?}", call.method).to_uppercase();
    let message = format!("The requested resource '{}' does not support http method '{method}'.", call.id);
    Failure::new(405, "MethodNotAllowed", message)
}

/// When what runs on a connection of this endpoint ends, so that who looks at the endpoint sees it.
pub(crate) fn due_for(world: &World, endpoint: &str) -> Option<Timestamp> {
    let running = world.running.iter().filter_map(|(due, id)| Some((due, world.state.operations.get(id)?)));
    let mut own = running.filter(|(_, operation)| {
        let connection = world.state.resources.get(&operation.target);
        connection.is_some_and(|c| {
            c.kind.ends_with("/privateendpointconnections") && endpoint_of(&c.body) == endpoint
        })
    });
    own.next().map(|(due, _)| *due)
}

impl Behaviour for Connection {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        match deciding(cut(&call.kind, 1)).verb {
            Verb::Put => decide(world, call),
            Verb::Patch => Err(refuse_method(call)),
        }
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        match deciding(cut(&call.kind, 1)).verb {
            Verb::Patch => decide(world, call),
            Verb::Put => Err(refuse_method(call)),
        }
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
        if carry_out(world, operation) {
            return;
        }
        let etag = vault_etag(world, &operation.target_id);
        let Some(connection) = world.state.resources.edit(&operation.target) else { return };
        set(&mut connection.body, "properties.provisioningState", "Succeeded");
        connection.body.insert("etag".into(), json!(etag));
        let body = connection.body.members();
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

/// Carries out a decision that was put off; whether there was one.
fn carry_out(world: &mut World, operation: &Operation) -> bool {
    let Some(connection) = world.state.resources.edit(&operation.target) else { return false };
    let Some(decision) = connection.hidden.shift_remove(DECISION) else { return false };
    let rest = deciding(cut(&connection.kind, 1)).rest;
    let failed = matches!(operation.progress, Progress::Failed(..));
    if !failed {
        set(
            &mut connection.body,
            "properties.privateLinkServiceConnectionState.status",
            decision["status"].clone(),
        );
        let description = "properties.privateLinkServiceConnectionState.description";
        set(&mut connection.body, description, decision["description"].clone());
    }
    match rest {
        "" => drop(object_at(&mut connection.body, "properties").shift_remove("provisioningState")),
        _ if failed => set(&mut connection.body, "properties.provisioningState", "Failed"),
        rest => set(&mut connection.body, "properties.provisioningState", rest),
    }
    let body = connection.body.members();
    if !failed {
        tell_endpoint(world, &body);
    }
    true
}

/// Ends the decision of a site about a connection.
fn decided(world: &mut World, operation: &Operation) {
    let Some(connection) = world.state.resources.get(&operation.target) else { return };
    let mut body = connection.body.members();
    let approved = operation.act == Act::Start;
    set(&mut body, STATUS, if approved { "Approved" } else { "Rejected" });
    set(&mut body, "properties.provisioningState", "Succeeded");
    tell_endpoint(world, &body);
    let shown = if approved { addresses(world, &endpoint_of(&body)) } else { json!([]) };
    set(&mut body, "properties.ipAddresses", shown);
    if let Some(connection) = world.state.resources.edit(&operation.target) {
        connection.body = body.into();
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
