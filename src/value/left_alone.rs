//! What a run sees and leaves as it is.

use crate::ident::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why something is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeftAloneReason {
    /// The blueprint gives the field away (`ignore`), and it differs.
    Ignored,
    /// The same of a resource that is made now: the field is set once.
    SetOnce,
    /// Somebody else added it, to a list that is not the blueprint's alone (`exclusive`).
    Added,
}

/// Something on a resource that the blueprint does not have in that way, and that stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftAlone {
    /// The resource.
    pub address: Address,
    /// Where in its body; of a resource of its own below it the list and the name, as in `nodePools[extra]`.
    pub path: String,
    /// Why it stays.
    pub reason: LeftAloneReason,
    /// What the blueprint says; null when it says nothing.
    pub blueprint: Value,
    /// What is there; null when it is not there yet, and for what somebody else added.
    pub azure: Value,
}
