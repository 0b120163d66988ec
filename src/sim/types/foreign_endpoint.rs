//! Private endpoints of somebody else: in subscriptions that are not the simulator's own, and of whose resources it knows
//! nothing but these. They ask for connections to targets here, and their owner may do no more than ask.

use super::connection;
use super::private_endpoint::REQUESTER;
use crate::core::behaviour::Answer;
use crate::core::error::Failure;
use crate::core::json::{Object, list, object, set, text};
use crate::core::path::last;
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::{Method, Request, Response};
use serde_json::{Value, json};

const KIND: &str = "microsoft.network/privateendpoints";
const MANUAL: &str = "properties.manualPrivateLinkServiceConnections";

/// What an endpoint asks for.
pub(crate) struct Asking<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// What its connection is called.
    pub(crate) name: &'a str,
    /// The target's id.
    pub(crate) target: &'a str,
    /// The group of the target.
    pub(crate) group: &'a str,
    /// What the target's owner reads.
    pub(crate) message: &'a str,
    /// Who shows what becomes of it, when Microsoft made the endpoint: a key.
    pub(crate) requester: Option<&'a str>,
}

/// Whether a path of another subscription is answered: such an endpoint is made, or is there.
pub(crate) fn is_known(world: &World, method: Method, subscription: &str, name: &str, key: &str) -> bool {
    let made = method == Method::Put && uuid::Uuid::try_parse(subscription).is_ok() && !name.is_empty();
    made || world.state.resources.contains(key)
}

/// Makes, or removes, an endpoint of another subscription. Reading it is answered as for any other.
pub(crate) fn dispatch(world: &mut World, request: &Request, path: &str, key: &str) -> Answer {
    match request.method {
        Method::Put => put(world, request, path),
        Method::Delete => {
            world.remove_tree(key);
            Ok(Response::new(200, ""))
        }
        _ => Ok(world.answer(200, key)),
    }
}

fn put(world: &mut World, request: &Request, path: &str) -> Answer {
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| Failure::bad("InvalidRequestContent", "The request content was invalid."))?;
    let body = object(body);
    let at = |name: &str| list(&body, &format!("properties.{name}")).first().cloned();
    let Some(element) = at("manualPrivateLinkServiceConnections") else {
        let target = at("privateLinkServiceConnections");
        let target = target.as_ref().and_then(|c| c.pointer("/properties/privateLinkServiceId")?.as_str());
        let message = format!(
            "The client has permission to perform action 'Microsoft.Network/privateEndpoints/write' on scope '{path}'; \
             however, it does not have permission to perform action 'PrivateEndpointConnectionsApproval/action' on the \
             linked scope(s) '{}' or the linked scope(s) are invalid.",
            target.unwrap_or_default()
        );
        return Err(Failure::new(403, "LinkedAuthorizationFailed", message));
    };
    let of = |pointer: &str| element.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let target = of("/properties/privateLinkServiceId");
    if !world.state.resources.contains(&target.to_ascii_lowercase()) {
        let message = format!("PrivateLinkServiceId Invalid private link service id {target}.");
        return Err(Failure::bad("InvalidPrivateLinkServiceId", message));
    }
    let name = match of("/name") {
        name if name.is_empty() => last(path).to_owned(),
        name => name,
    };
    let (group, message) = (of("/properties/groupIds/0"), of("/properties/requestMessage"));
    let asking =
        Asking { id: path, name: &name, target: &target, group: &group, message: &message, requester: None };
    ask(world, &asking);
    Ok(world.answer(201, &path.to_ascii_lowercase()))
}

/// Makes an endpoint that asks for a connection, which waits on its target.
pub(crate) fn ask(world: &mut World, asking: &Asking<'_>) {
    let Asking { id, name, target, group, message, requester } = asking;
    let key = id.to_ascii_lowercase();
    world.enter_generation(&key);
    let mut body: Object = object(json!({
        "id": id, "name": last(id), "type": "Microsoft.Network/privateEndpoints", "location": "westeurope",
        "properties": {"provisioningState": "Succeeded"},
    }));
    let groups = if group.is_empty() { json!([]) } else { json!([group]) };
    set(
        &mut body,
        MANUAL,
        json!([{
            "name": name,
            "id": format!("{id}/manualPrivateLinkServiceConnections/{name}"),
            "properties": {
                "provisioningState": "Succeeded",
                "privateLinkServiceId": target,
                "groupIds": groups,
                "requestMessage": message,
                "privateLinkServiceConnectionState":
                    {"status": "Pending", "description": "Awaiting Approval", "actionsRequired": "None"},
            },
        }]),
    );
    let mut endpoint = Resource::new(id, KIND, body);
    if let Some(requester) = requester {
        endpoint.hidden.insert(REQUESTER.into(), json!(requester));
    }
    world.state.resources.insert(endpoint);
    // What was shown of it before says nothing of this.
    if let Some(requester) = requester {
        world.state.resources.edit(requester);
    }
    let target = target.to_ascii_lowercase();
    if let Some(kind) = world.state.resources.get(&target).map(|r| r.kind.clone()) {
        let own = connection::name_for(world, &kind, &target, id, name);
        connection::make(world, &target, id, &own, "Pending", message);
    }
}

/// The target's decision, for who made a managed endpoint.
pub(crate) fn status(world: &World, endpoint: &str) -> Option<String> {
    let endpoint = world.state.resources.get(endpoint)?;
    let first = list(&endpoint.body, MANUAL).first()?;
    let status = first.pointer("/properties/privateLinkServiceConnectionState/status")?.as_str()?;
    Some(status.to_owned())
}

/// What an endpoint said when it asked.
pub(crate) fn message(world: &World, endpoint: &str) -> Option<String> {
    let endpoint = world.state.resources.get(endpoint)?;
    let first = list(&endpoint.body, MANUAL).first()?;
    Some(text(first.as_object()?, "properties.requestMessage").unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use crate::host::transport::Method;
    use crate::testing::Bench;
    use serde_json::{Value, json};

    const OTHER: &str = "/subscriptions/22222222-0000-4000-8000-000000000002/resourceGroups/net/providers/\
                         Microsoft.Network/privateEndpoints/pe";
    const STATUS: &str = "/properties/privateLinkServiceConnectionState/status";

    fn asks(target: &str) -> Value {
        json!({"properties": {"manualPrivateLinkServiceConnections": [{"name": "pe", "properties": {
            "privateLinkServiceId": target, "groupIds": ["g"], "requestMessage": "please",
        }}]}})
    }

    fn decides(status: &str, description: &str) -> Value {
        let state = json!({"status": status, "description": description});
        json!({"properties": {"privateLinkServiceConnectionState": state}})
    }

    /// A target of a type, and the connection that somebody else has on it.
    async fn asked(bench: &Bench, arm_type: &str) -> (String, String) {
        let target = Bench::rid(&format!("{arm_type}/t"));
        let body = json!({"id": target, "name": "t", "type": arm_type, "location": "westeurope",
            "properties": {"provisioningState": "Succeeded"}});
        bench.sim.load(vec![body]).unwrap();
        assert_eq!(bench.put(OTHER, asks(&target)).await.status, 201);
        let list = bench.get(&format!("{target}/privateEndpointConnections")).await;
        assert_eq!(list.at(&format!("/value/0{STATUS}")), "Pending");
        assert_eq!(list.at("/value/0/properties/privateEndpoint/id"), OTHER);
        let connection = list.at("/value/0/id").as_str().unwrap().to_owned();
        (target, connection)
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_else_only_asks_and_hears_of_the_decision_by_itself() {
        let bench = Bench::new().await;
        let (_, connection) = asked(&bench, "Microsoft.KeyVault/vaults").await;
        bench.put(&connection, decides("Approved", "d")).await;
        let endpoint = bench.get(OTHER).await;
        let endpoint =
            if endpoint.body.to_string().contains("Approved") { endpoint } else { bench.get(OTHER).await };
        let own = format!("/properties/manualPrivateLinkServiceConnections/0{STATUS}");
        assert_eq!(endpoint.at(&own), "Approved");
        bench.delete(OTHER).await;
        assert_eq!(bench.get(&connection).await.status, 404);
        // Who may not approve cannot ask to be approved at once.
        let mut automatic = asks(&Bench::rid("Microsoft.KeyVault/vaults/t"));
        let connections = automatic["properties"].as_object_mut().unwrap();
        let list = connections.remove("manualPrivateLinkServiceConnections").unwrap();
        connections.insert("privateLinkServiceConnections".into(), list);
        let refused = bench.put(OTHER, automatic).await;
        assert_eq!((refused.status, refused.code()), (403, "LinkedAuthorizationFailed"));
        let nowhere = asks(&Bench::rid("Microsoft.KeyVault/vaults/none"));
        assert_eq!(bench.put(OTHER, nowhere).await.code(), "InvalidPrivateLinkServiceId");
    }

    #[tokio::test(start_paused = true)]
    async fn each_type_demands_its_method_and_body() {
        for (arm_type, method, body, expected) in [
            ("Microsoft.Storage/storageAccounts", Method::Put, decides("Approved", "d"), (200, "")),
            (
                "Microsoft.Storage/storageAccounts",
                Method::Patch,
                decides("Approved", "d"),
                (405, "MethodNotAllowed"),
            ),
            (
                "Microsoft.Batch/batchAccounts",
                Method::Put,
                decides("Approved", "d"),
                (405, "MethodNotAllowed"),
            ),
            ("Microsoft.Batch/batchAccounts", Method::Patch, decides("Approved", "d"), (202, "")),
            ("Microsoft.Dashboard/grafana", Method::Put, decides("Approved", "d"), (201, "")),
            (
                "Microsoft.Sql/servers",
                Method::Put,
                decides("Approved", ""),
                (400, "InvalidPrivateEndpointConnection"),
            ),
            ("Microsoft.Sql/servers", Method::Put, decides("Approved", "d"), (202, "")),
            (
                "Microsoft.ApiManagement/service",
                Method::Put,
                decides("Approved", "d"),
                (400, "InvalidPrivateEndpointConnection"),
            ),
        ] {
            let bench = Bench::new().await;
            let (_, connection) = asked(&bench, arm_type).await;
            let seen = bench.send(method, &connection, Some(body), &[]).await;
            assert_eq!((seen.status, seen.code()), expected, "{arm_type} {method:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_decided_is_not_decided_again_everywhere() {
        let bench = Bench::new().await;
        let (_, connection) = asked(&bench, "Microsoft.Storage/storageAccounts").await;
        assert_eq!(bench.put(&connection, decides("Approved", "d")).await.status, 200);
        let again = bench.put(&connection, decides("Approved", "d")).await;
        assert_eq!((again.status, again.code()), (400, "InvalidValuesForRequestParameters"));
        assert_eq!(bench.put(&connection, decides("Rejected", "d")).await.status, 200);
    }
}
