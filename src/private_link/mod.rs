//! Whose the connections on a target are, and which of them may be approved: a pure matcher.
//!
//! A target names its connections itself, so they are told apart by `properties.privateEndpoint.id`, which Azure writes, or
//! by a request message that nobody can guess. What no [`Rule`] names is somebody else's and is never touched.

mod decision;
#[cfg(test)]
mod hostile;
mod rules;
mod text;

pub use decision::{Decision, Verb, approval, rejection};
pub use rules::{
    AGREED_LENGTH, Connection, Found, NotOurs, Policy, Rule, Task, Verdict, Who, judge, not_ours,
};

use serde_json::Value;

/// Where the body of a connection, or of an endpoint's own connection, has its status.
pub const STATUS: &str = "/properties/privateLinkServiceConnectionState/status";

/// The status of a connection: `Pending`, `Approved`, `Rejected`, `Disconnected`, or a state between them.
pub fn status(connection: &Value) -> Option<&str> {
    connection.pointer(STATUS)?.as_str()
}
