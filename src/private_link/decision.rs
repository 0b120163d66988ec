//! The request that decides on a connection: its verb and its body, type by type.

use super::Connection;
use crate::ident::ArmId;
use serde_json::{Value, json};

/// The method that a target takes a decision by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A PUT of the connection.
    Put,
    /// A PATCH of the connection.
    Patch,
}

/// What approves a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// How it is sent.
    pub verb: Verb,
    /// The smallest body that its type takes: Azure refuses read-only members that are sent back to it.
    pub body: Value,
}

/// What a type needs in the body besides the state.
struct Exception {
    /// The type of the target.
    target: &'static str,
    /// Members of the connection itself that are sent back as they were read.
    members: &'static [&'static str],
    /// Members of its `properties` that are sent back as they were read.
    properties: &'static [&'static str],
    /// Whether the description is read-only.
    silent: bool,
}

/// Sources: the examples of Azure's REST specifications, and the request models of its client libraries.
const EXCEPTIONS: &[Exception] = &[
    // Recorded: the tag that was read is sent back, so that what somebody else decided meanwhile is not overruled.
    Exception { target: "Microsoft.KeyVault/vaults", members: &["etag"], properties: &[], silent: false },
    Exception {
        target: "Microsoft.KeyVault/managedHSMs",
        members: &["etag"],
        properties: &[],
        silent: false,
    },
    Exception { target: "Microsoft.ApiManagement/service", members: &["id"], properties: &[], silent: false },
    Exception {
        target: "Microsoft.Network/privateLinkServices",
        members: &["name"],
        properties: &[],
        silent: false,
    },
    Exception {
        target: "Microsoft.Network/applicationGateways",
        members: &["name"],
        properties: &[],
        silent: false,
    },
    Exception {
        target: "Microsoft.EventHub/namespaces",
        members: &[],
        properties: &["privateEndpoint"],
        silent: false,
    },
    Exception {
        target: "Microsoft.ServiceBus/namespaces",
        members: &[],
        properties: &["privateEndpoint"],
        silent: false,
    },
    Exception {
        target: "Microsoft.Relay/namespaces",
        members: &[],
        properties: &["privateEndpoint"],
        silent: false,
    },
    Exception {
        target: "Microsoft.RecoveryServices/vaults",
        members: &["eTag", "location"],
        properties: &["privateEndpoint", "groupIds"],
        silent: false,
    },
    Exception {
        target: "Microsoft.DataFactory/factories",
        members: &[],
        properties: &["privateEndpoint"],
        silent: false,
    },
    Exception {
        target: "Microsoft.NotificationHubs/namespaces",
        members: &[],
        properties: &[],
        silent: true,
    },
];

/// What approves `connection` on `target`.
pub fn approval(target: &ArmId, connection: &Connection, description: &str) -> Decision {
    decision(target, connection, "Approved", description)
}

/// What rejects `connection` on `target`.
pub fn rejection(target: &ArmId, connection: &Connection, description: &str) -> Decision {
    decision(target, connection, "Rejected", description)
}

fn decision(target: &ArmId, connection: &Connection, status: &str, description: &str) -> Decision {
    let target = target.resource_type();
    let exception = EXCEPTIONS.iter().find(|known| known.target.eq_ignore_ascii_case(&target));
    let mut state = json!({ "status": status });
    if exception.is_none_or(|exception| !exception.silent) {
        state["description"] = description.into();
    }
    let mut body = json!({ "properties": { "privateLinkServiceConnectionState": state } });
    let read =
        |from: Option<&Value>, member: &str| from?.get(member).filter(|value| !value.is_null()).cloned();
    if let Some(exception) = exception {
        for &member in exception.members {
            let value = match member {
                "id" => Some(connection.id.as_str().into()),
                "name" => Some(connection.id.name().into()),
                _ => read(Some(&connection.body), member),
            };
            value.into_iter().for_each(|value| body[member] = value);
        }
        for &member in exception.properties {
            let value = match member {
                // Of the endpoint only its id is writable.
                "privateEndpoint" => connection.endpoint.as_ref().map(|id| json!({ "id": id })),
                _ => read(connection.body.get("properties"), member),
            };
            value.into_iter().for_each(|value| body["properties"][member] = value);
        }
    }
    let patch = target.eq_ignore_ascii_case("Microsoft.Batch/batchAccounts");
    Decision { verb: if patch { Verb::Patch } else { Verb::Put }, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(target_type: &str) -> Decision {
        let target = ArmId::resource_group("s", "g").provider(target_type, &["t"]);
        let endpoint =
            ArmId::resource_group("s", "g").provider("Microsoft.Network/privateEndpoints", &["pe"]);
        let connection = Connection::read(&json!({
            "id": format!("{target}/privateEndpointConnections/c"),
            "name": "c",
            "etag": "t",
            "location": "westeurope",
            "properties": {
                "privateEndpoint": { "id": endpoint, "resourceGroup": "g" },
                "groupIds": ["vault"],
                "provisioningState": "Succeeded",
                "privateLinkServiceConnectionState": {
                    "status": "Pending", "description": null, "actionsRequired": "None",
                },
            },
        }))
        .unwrap();
        approval(&target, &connection, "by berth")
    }

    #[test]
    fn only_the_state_is_sent() {
        let state = json!({ "properties": { "privateLinkServiceConnectionState": {
            "status": "Approved", "description": "by berth",
        } } });
        for plain in
            ["Microsoft.Search/searchServices", "Microsoft.Storage/storageAccounts", "Microsoft.Web/sites"]
        {
            assert_eq!(sent(plain), Decision { verb: Verb::Put, body: state.clone() }, "{plain}");
        }
        assert_eq!(sent("Microsoft.Batch/batchAccounts"), Decision { verb: Verb::Patch, body: state });
    }

    #[test]
    fn types_get_what_they_ask_for_besides() {
        let at = |target: &str, pointer: &str| sent(target).body.pointer(pointer).cloned();
        assert_eq!(at("Microsoft.KeyVault/vaults", "/etag"), Some("t".into()));
        assert!(at("Microsoft.ApiManagement/service", "/id").is_some());
        assert_eq!(at("Microsoft.Network/privateLinkServices", "/name"), Some("c".into()));
        assert!(at("Microsoft.EventHub/namespaces", "/properties/privateEndpoint/id").is_some());
        assert_eq!(at("Microsoft.EventHub/namespaces", "/properties/privateEndpoint/resourceGroup"), None);
        assert_eq!(at("Microsoft.RecoveryServices/vaults", "/properties/groupIds/0"), Some("vault".into()));
        let description = "/properties/privateLinkServiceConnectionState/description";
        assert_eq!(at("Microsoft.NotificationHubs/namespaces", description), None);
    }
}
