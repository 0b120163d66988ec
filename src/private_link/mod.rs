//! Whose the connections on a target are, and which of them may be approved: a pure matcher.
//!
//! A target names its connections itself, so they are told apart by `properties.privateEndpoint.id`. A connection
//! without one, or with another endpoint's, is somebody else's and is never touched.

mod decision;
mod rules;

pub use decision::{Decision, Verb, approval};
pub use rules::{Connection, Found, Rules, Verdict};

use crate::ident::ArmId;
use serde_json::Value;

/// Where the body of a connection, or of an endpoint's own connection, has its status.
pub const STATUS: &str = "/properties/privateLinkServiceConnectionState/status";

/// The status of a connection: `Pending`, `Approved`, `Rejected`, `Disconnected`, or a state between them.
pub fn status(connection: &Value) -> Option<&str> {
    connection.pointer(STATUS)?.as_str()
}

/// The connections among a target's that `endpoint` caused. Those that lie on another target are left out.
pub fn caused_by<'c>(
    endpoint: &'c ArmId,
    target: &'c ArmId,
    connections: &'c [Value],
) -> impl Iterator<Item = Connection> + 'c {
    connections
        .iter()
        .filter_map(Connection::read)
        .filter(|connection| connection.endpoint.as_ref() == Some(endpoint) && connection.is_on(target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn vault() -> ArmId {
        ArmId::resource_group("s", "g").provider("Microsoft.KeyVault/vaults", &["k"])
    }

    fn endpoint(name: &str) -> ArmId {
        ArmId::resource_group("s", "g").provider("Microsoft.Network/privateEndpoints", &[name])
    }

    fn connection(name: &str, from: Option<&str>, status: &str) -> Value {
        json!({
            "id": format!("{}/privateEndpointConnections/{name}", vault()),
            "properties": {
                "privateEndpoint": from.map(|id| json!({ "id": id })),
                "privateLinkServiceConnectionState": { "status": status, "description": null, "actionsRequired": "None" },
                "provisioningState": "Succeeded",
            },
        })
    }

    fn found(ours: &ArmId, connections: &[Value]) -> Vec<String> {
        caused_by(ours, &vault(), connections).map(|connection| connection.id.name().to_owned()).collect()
    }

    #[test]
    fn only_the_endpoints_own_connections_are_found() {
        let ours = endpoint("vault");
        let folded = ours.as_str().to_uppercase();
        let connections = [
            connection("a", None, "Pending"),
            connection("b", Some(endpoint("vault2").as_str()), "Pending"),
            connection("c", Some(&folded), "Pending"),
            connection("d", Some(ours.as_str()), "Rejected"),
        ];
        assert_eq!(found(&ours, &connections), ["c", "d"]);
        assert!(found(&ours, &connections[..2]).is_empty());
    }

    #[test]
    fn a_connection_that_a_list_places_elsewhere_is_not_touched() {
        let ours = endpoint("vault");
        for id in [
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/other/privateEndpointConnections/c",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k/secrets/c",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k/privateEndpointConnections/c/more/d",
        ] {
            let mut elsewhere = connection("c", Some(ours.as_str()), "Pending");
            elsewhere["id"] = id.into();
            assert!(found(&ours, &[elsewhere]).is_empty(), "{id}");
        }
    }

    proptest! {
        #[test]
        fn a_foreign_connection_is_never_ours(names in prop::collection::vec("[a-z]{1,6}", 0..8), ours in "[a-z]{1,6}") {
            let connections: Vec<Value> = names
                .iter()
                .map(|name| connection(name, Some(endpoint(name).as_str()), "Pending"))
                .collect();
            let found = found(&endpoint(&ours), &connections);
            prop_assert_eq!(found.is_empty(), !names.contains(&ours));
        }
    }
}
