//! What is there.

use crate::ident::ArmId;
use serde_json::Value;
use std::collections::HashMap;

/// What reading a resource found.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// It is there.
    Present {
        /// Its body.
        body: Value,
        /// Its ETag, when its type has one.
        etag: Option<String>,
    },
    /// It is not there.
    Absent,
    /// A vault of this name waits, soft-deleted, in this subscription.
    SoftDeleted {
        /// Whether it may not be purged before its retention ends.
        kept: bool,
        /// What its tag says of whose it was.
        owner: Option<String>,
    },
    /// Azure refused to show it, so nothing is known of it.
    Unreadable {
        /// What was asked, and what Azure said.
        message: String,
        /// What to do about it.
        help: String,
    },
}

impl Observation {
    /// The body, when it is there.
    pub fn body(&self) -> Option<&Value> {
        match self {
            Observation::Present { body, .. } => Some(body),
            _ => None,
        }
    }
}

/// What is there, by id. An id that was not read is not in it.
pub type Observed = HashMap<ArmId, Observation>;
