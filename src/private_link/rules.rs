//! Connections as a person looks at them, and the rules that say which may be approved.

use crate::ident::ArmId;
use serde::Serialize;
use serde_json::Value;

/// A connection on a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Its id.
    pub id: ArmId,
    /// The private endpoint that caused it; `None` when the target does not say.
    pub endpoint: Option<ArmId>,
    /// `Pending`, `Approved`, `Rejected`, `Disconnected`, or a state between them such as `Approving`.
    pub status: String,
    /// What was said when it was asked for, or decided on.
    pub description: String,
    /// The groups of the target that it is for, where the target says.
    pub groups: Vec<String>,
    /// The connection as it was read.
    #[serde(skip)]
    pub body: Value,
}

impl Connection {
    /// Reads a connection from a target's list; `None` when it has no id or no state.
    pub fn read(body: &Value) -> Option<Self> {
        let state = body.pointer("/properties/privateLinkServiceConnectionState")?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let groups = body.pointer("/properties/groupIds").and_then(Value::as_array);
        let group = body.pointer("/properties/groupId");
        Some(Connection {
            id: ArmId::parse(body.get("id")?.as_str()?).ok()?,
            endpoint: body
                .pointer("/properties/privateEndpoint/id")
                .and_then(Value::as_str)
                .and_then(|id| ArmId::parse(id).ok()),
            status: state.get("status")?.as_str()?.to_owned(),
            description: text(state.get("description")),
            groups: groups
                .into_iter()
                .flatten()
                .chain(group)
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            body: body.clone(),
        })
    }

    /// Whether it lies on a target: a list may name any id, and a decision is sent to the id.
    pub fn is_on(&self, target: &ArmId) -> bool {
        let last = self.id.resource_type();
        self.id.parent().as_ref() == Some(target)
            && last
                .rsplit('/')
                .next()
                .is_some_and(|last| last.eq_ignore_ascii_case("privateEndpointConnections"))
    }
}

/// What was found on a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The target.
    pub target: ArmId,
    /// Whether it is there.
    pub exists: bool,
    /// Its connections, in Azure's order.
    pub connections: Vec<Connection>,
}

/// Which connections may be approved. Nothing else is, however long it has been pending.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// Those of these endpoints (first) on these targets (second), and no other.
    pub pairs: Vec<(ArmId, ArmId)>,
    /// Those of these endpoints on any target that is looked at.
    pub endpoints: Vec<ArmId>,
    /// These, named one by one by a person.
    pub connections: Vec<ArmId>,
}

/// What the rules say of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It waits, and a rule names it.
    Approve,
    /// A rule names it, and it is approved already.
    Approved,
    /// A rule names it, but its state does not let it be approved by that rule.
    Refused,
    /// No rule names it.
    NotNamed,
}

impl Rules {
    /// What they say of a connection on a target.
    ///
    /// A rejection is somebody's decision: only a person who names that very connection overrules it. A disconnected
    /// one has lost its endpoint and can only be removed.
    pub fn verdict(&self, target: &ArmId, connection: &Connection) -> Verdict {
        let by_id = self.connections.contains(&connection.id);
        let by_endpoint = connection.endpoint.as_ref().is_some_and(|endpoint| {
            self.endpoints.contains(endpoint)
                || self.pairs.iter().any(|(from, to)| from == endpoint && to == target)
        });
        match connection.status.as_str() {
            _ if !by_id && !by_endpoint => Verdict::NotNamed,
            "Approved" => Verdict::Approved,
            "Pending" | "Approving" => Verdict::Approve,
            "Rejected" if by_id => Verdict::Approve,
            _ => Verdict::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vault(name: &str) -> ArmId {
        ArmId::resource_group("s", "g").provider("Microsoft.KeyVault/vaults", &[name])
    }

    fn endpoint(name: &str) -> ArmId {
        ArmId::resource_group("s", "g").provider("Microsoft.Network/privateEndpoints", &[name])
    }

    fn connection(name: &str, from: Option<&str>, status: &str) -> Connection {
        Connection::read(&json!({
            "id": format!("{}/privateEndpointConnections/{name}", vault("k")),
            "properties": {
                "privateEndpoint": from.map(|name| json!({ "id": endpoint(name).as_str().to_uppercase() })),
                "privateLinkServiceConnectionState": { "status": status },
            },
        }))
        .unwrap()
    }

    #[test]
    fn only_what_a_rule_names_is_approved() {
        let rules = Rules { pairs: vec![(endpoint("ours"), vault("K"))], ..Rules::default() };
        let verdict =
            |from: Option<&str>, status: &str| rules.verdict(&vault("k"), &connection("c", from, status));
        assert_eq!(verdict(Some("ours"), "Pending"), Verdict::Approve);
        assert_eq!(verdict(Some("ours"), "Approving"), Verdict::Approve);
        assert_eq!(verdict(Some("ours"), "Approved"), Verdict::Approved);
        assert_eq!(verdict(Some("ours"), "Rejected"), Verdict::Refused);
        assert_eq!(verdict(Some("ours"), "Disconnected"), Verdict::Refused);
        assert_eq!(verdict(Some("ours2"), "Pending"), Verdict::NotNamed);
        assert_eq!(verdict(None, "Pending"), Verdict::NotNamed);
        // The pair is for that target only.
        assert_eq!(
            rules.verdict(&vault("other"), &connection("c", Some("ours"), "Pending")),
            Verdict::NotNamed
        );
    }

    #[test]
    fn naming_a_connection_overrules_a_rejection_but_no_disconnection() {
        let id = connection("C", None, "Pending").id;
        let rules = Rules { connections: vec![id], endpoints: vec![endpoint("ours")], ..Rules::default() };
        let verdict =
            |name: &str, from, status: &str| rules.verdict(&vault("k"), &connection(name, from, status));
        assert_eq!(verdict("c", None, "Pending"), Verdict::Approve);
        assert_eq!(verdict("c", None, "Rejected"), Verdict::Approve);
        assert_eq!(verdict("c", None, "Disconnected"), Verdict::Refused);
        assert_eq!(verdict("d", None, "Pending"), Verdict::NotNamed);
        assert_eq!(verdict("d", Some("ours"), "Pending"), Verdict::Approve);
        assert_eq!(verdict("d", Some("ours"), "Rejected"), Verdict::Refused);
    }
}
