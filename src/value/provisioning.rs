//! What `properties.provisioningState` says: whether Azure is at work on a resource, and how its last work ended.

use serde_json::Value;

/// Whether Azure is at work on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// It is at work.
    Moving,
    /// It is done, and all is well.
    Succeeded,
    /// It is done, and did not succeed.
    Failed,
    /// It was stopped.
    Cancelled,
}

/// The states that are known, in any case. Providers invent others of their own: see [`Rest::of`].
const STATES: &[(&str, Rest)] = &[
    ("Succeeded", Rest::Succeeded),
    // SQL's private endpoint connections.
    ("Ready", Rest::Succeeded),
    ("Completed", Rest::Succeeded),
    // Digital Twins says of a connection here what others say in its status.
    ("Approved", Rest::Succeeded),
    ("Rejected", Rest::Succeeded),
    ("Failed", Rest::Failed),
    ("Canceled", Rest::Cancelled),
    ("Cancelled", Rest::Cancelled),
    ("Accepted", Rest::Moving),
    ("Creating", Rest::Moving),
    ("Deleting", Rest::Moving),
    ("InProgress", Rest::Moving),
    ("Migrating", Rest::Moving),
    ("Pending", Rest::Moving),
    ("Provisioning", Rest::Moving),
    ("Running", Rest::Moving),
    ("Scaling", Rest::Moving),
    ("Starting", Rest::Moving),
    ("Stopping", Rest::Moving),
    ("Updating", Rest::Moving),
    ("Upgrading", Rest::Moving),
];

impl Rest {
    /// What a state says; everything unknown moves.
    pub fn of(state: &str) -> Self {
        Rest::known(state).unwrap_or(Rest::Moving)
    }

    /// What a state says, when it is one that berth knows.
    pub fn known(state: &str) -> Option<Self> {
        STATES.iter().find(|(name, _)| name.eq_ignore_ascii_case(state)).map(|(_, rest)| *rest)
    }
}

/// `properties.provisioningState` of a resource.
pub fn provisioning_state(body: &Value) -> Option<&str> {
    body.get("properties")?.get("provisioningState")?.as_str().filter(|state| !state.is_empty())
}

/// Whether a body says in a word that berth knows that Azure is at work on the resource.
pub fn is_at_work(body: &Value) -> bool {
    provisioning_state(body).and_then(Rest::known) == Some(Rest::Moving)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn states_are_known_in_any_case_and_unknown_ones_move() {
        for (state, rest, at_work) in [
            ("succeeded", Rest::Succeeded, false),
            ("Ready", Rest::Succeeded, false),
            ("FAILED", Rest::Failed, false),
            ("Cancelled", Rest::Cancelled, false),
            ("Updating", Rest::Moving, true),
            ("deleting", Rest::Moving, true),
            ("Bewildered", Rest::Moving, false),
        ] {
            assert_eq!(Rest::of(state), rest, "{state}");
            let body = json!({ "properties": { "provisioningState": state } });
            assert_eq!(is_at_work(&body), at_work, "{state}");
        }
        assert!(!is_at_work(&json!({})));
    }
}
