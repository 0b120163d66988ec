//! What a resource lets somebody do, in words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may do what on what: what a role assignment says by GUIDs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The role: its name, or its GUID when it is nobody's built-in one.
    pub role: String,
    /// Who gets it: an address of the blueprint, or an object id with what it is.
    pub principal: String,
    /// On what.
    pub scope: String,
    /// Why it reaches far, if it does: a sentence without its full stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<String>,
}

impl Grant {
    /// In one line.
    pub fn words(&self) -> String {
        format!("{} for {} on {}", self.role, self.principal, self.scope)
    }
}
