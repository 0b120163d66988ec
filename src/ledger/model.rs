//! The ledger as data: its form, its version, its migrations.

use crate::change::DeleteMode;
use crate::ident::{Address, ArmId};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version that this program writes.
pub const VERSION: u32 = 1;

/// What one blueprint owns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ledger {
    /// The version of this form.
    pub version: u32,
    /// The blueprint's name.
    pub blueprint: String,
    /// Goes up by one with every change.
    pub serial: u64,
    /// What the digests are salted with; made once.
    pub salt: String,
    /// The resources, by id, in the order in which they were made.
    pub resources: IndexMap<ArmId, Owned>,
    /// The outputs of the last run, without secret ones.
    #[serde(default)]
    pub outputs: BTreeMap<String, Value>,
}

/// One resource that a blueprint owns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owned {
    /// What the blueprint called it.
    pub address: Address,
    /// Its ARM type.
    #[serde(rename = "type")]
    pub arm_type: String,
    /// The API version it was last written with.
    pub api_version: String,
    /// What was last asked for; secrets stand in it as tokens.
    pub applied: Value,
    /// What it depends on, by id.
    #[serde(default)]
    pub depends_on: Vec<ArmId>,
    /// Salted digests of write-only values, by path.
    #[serde(default)]
    pub digests: BTreeMap<String, String>,
    /// Whether it may be deleted only when named.
    #[serde(default)]
    pub protect: bool,
    /// How it is removed.
    pub delete: DeleteMode,
    /// What may not be changed by two operations at once while it is: ids.
    #[serde(default)]
    pub lanes: Vec<ArmId>,
}

impl Ledger {
    /// An empty ledger for a blueprint.
    pub fn new(blueprint: impl Into<String>, salt: impl Into<String>) -> Self {
        Ledger {
            version: VERSION,
            blueprint: blueprint.into(),
            serial: 0,
            salt: salt.into(),
            resources: IndexMap::new(),
            outputs: BTreeMap::new(),
        }
    }
}

/// Reads a ledger of this version or an older one.
///
/// # Errors
/// When the text is no ledger, or one of a newer berth.
pub fn migrate(bytes: &[u8]) -> Result<Ledger, String> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    // As a text that is checked once: its strings are not checked again one by one.
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not a ledger: {error}"))?;
    // Nearly always it is of this version: it is read once.
    let damage = match serde_json::from_str::<Ledger>(text) {
        Ok(ledger) if ledger.version == VERSION => return Ok(ledger),
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let head: Head = serde_json::from_str(text).map_err(|error| format!("it is not a ledger: {error}"))?;
    match head.version {
        VERSION => Err(format!("it is damaged: {damage}")),
        newer if newer > VERSION => Err(format!(
            "it has version {newer} and this berth writes version {VERSION}: use the newer berth that wrote it"
        )),
        other => Err(format!("version {other} was never written by any berth")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        let mut ledger = Ledger::new("shop", "salt");
        ledger.resources.insert(
            ArmId::resource_group("s", "g"),
            Owned {
                address: Address::new("resourceGroup"),
                arm_type: "Microsoft.Resources/resourceGroups".into(),
                api_version: "2025-04-01".into(),
                applied: json!({ "location": "westeurope" }),
                depends_on: vec![],
                digests: BTreeMap::new(),
                protect: false,
                delete: DeleteMode::Always,
                lanes: vec![],
            },
        );
        let text = serde_json::to_vec(&ledger).unwrap();
        assert_eq!(migrate(&text), Ok(ledger));
        assert!(migrate(br#"{"version":2}"#).unwrap_err().contains("newer berth"));
        assert!(migrate(b"{").unwrap_err().contains("not a ledger"));
        assert!(migrate(&text[..text.len() - 1]).is_err());
    }
}
