//! Which connection on a target an endpoint caused, and whether it may be approved: a pure matcher.
//!
//! A target names its connections itself, so they are told apart by `properties.privateEndpoint.id`. A connection
//! without one, or with another endpoint's, is somebody else's and is never touched.

mod rules;

pub use rules::{Connection, Found, Rules, Verdict};

use crate::ident::ArmId;
use serde_json::Value;

/// The connection that an endpoint caused.
#[derive(Debug, Clone, PartialEq)]
pub struct Caused {
    /// The connection's id.
    pub id: ArmId,
    /// `Pending`, `Approved`, `Rejected`, `Disconnected`, or a state between them such as `Approving`.
    pub status: String,
    /// The connection as it was read.
    pub body: Value,
}

/// Finds the connection among a target's that `endpoint` caused.
pub fn caused_by(endpoint: &ArmId, connections: &[Value]) -> Option<Caused> {
    connections.iter().find_map(|connection| {
        let from = connection.pointer("/properties/privateEndpoint/id")?.as_str()?;
        if ArmId::parse(from).ok()? != *endpoint {
            return None;
        }
        let id = ArmId::parse(connection.get("id")?.as_str()?).ok()?;
        let status = connection.pointer("/properties/privateLinkServiceConnectionState/status")?.as_str()?;
        Some(Caused { id, status: status.to_owned(), body: connection.clone() })
    })
}

/// The body that approves a connection: what was read, approved, without nulls and read-only members.
pub fn approval(connection: &Caused, description: &str) -> Value {
    let mut properties = connection.body.get("properties").cloned().unwrap_or_default();
    if let Value::Object(members) = &mut properties {
        members.retain(|name, member| !member.is_null() && name != "provisioningState");
        let state =
            members.entry("privateLinkServiceConnectionState").or_insert_with(|| serde_json::json!({}));
        if let Value::Object(state) = state {
            state.retain(|name, member| !member.is_null() && !name.starts_with("action"));
            state.insert("status".into(), "Approved".into());
            state.insert("description".into(), description.into());
        }
    }
    serde_json::json!({ "properties": properties })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const VAULT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k";

    fn endpoint(name: &str) -> ArmId {
        ArmId::resource_group("s", "g").provider("Microsoft.Network/privateEndpoints", &[name])
    }

    fn connection(name: &str, from: Option<&str>, status: &str) -> Value {
        json!({
            "id": format!("{VAULT}/privateEndpointConnections/{name}"),
            "properties": {
                "privateEndpoint": from.map(|id| json!({ "id": id })),
                "privateLinkServiceConnectionState": { "status": status, "description": null, "actionsRequired": "None" },
                "provisioningState": "Succeeded",
            },
        })
    }

    #[test]
    fn only_the_endpoints_own_connection_is_found() {
        let ours = endpoint("vault");
        let folded = ours.as_str().to_uppercase();
        let connections = [
            connection("a", None, "Pending"),
            connection("b", Some(endpoint("vault2").as_str()), "Pending"),
            connection("c", Some(&folded), "Pending"),
        ];
        assert_eq!(caused_by(&ours, &connections).unwrap().id.name(), "c");
        assert_eq!(caused_by(&ours, &connections[..2]), None);
    }

    #[test]
    fn approving_keeps_the_rest_and_drops_nulls() {
        let connections = [connection("c", Some(endpoint("vault").as_str()), "Pending")];
        let caused = caused_by(&endpoint("vault"), &connections).unwrap();
        assert_eq!(
            approval(&caused, "by berth"),
            json!({ "properties": {
                "privateEndpoint": { "id": endpoint("vault").as_str() },
                "privateLinkServiceConnectionState": { "status": "Approved", "description": "by berth" },
            } })
        );
    }

    proptest! {
        #[test]
        fn a_foreign_connection_is_never_ours(names in prop::collection::vec("[a-z]{1,6}", 0..8), ours in "[a-z]{1,6}") {
            let connections: Vec<Value> = names
                .iter()
                .map(|name| connection(name, Some(endpoint(name).as_str()), "Pending"))
                .collect();
            let found = caused_by(&endpoint(&ours), &connections);
            prop_assert_eq!(found.is_some(), names.contains(&ours));
        }
    }
}
