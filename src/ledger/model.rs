//! The ledger as data: its form, its version, its migrations.

use crate::change::DeleteMode;
use crate::ident::{Address, ArmId};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version that this program writes.
pub const VERSION: u32 = 2;

/// The highest serial that a ledger may have: JSON numbers above it are not exact everywhere, and none can be reached.
const HIGHEST_SERIAL: u64 = 1 << 53;

/// What one blueprint owns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ledger {
    /// The version of this form.
    pub version: u32,
    /// The blueprint's name.
    pub blueprint: String,
    /// Where its resources are; unknown in a ledger that an older berth wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estate: Option<Estate>,
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

/// Where the resources of a ledger are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Estate {
    /// `public`, `usgov` or `china`; `simulator`; or the address of an endpoint.
    pub cloud: String,
    /// The tenant of the caller, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The subscription of the blueprint; absent when it is not known, as when something is destroyed by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
}

/// What a ledger was written for, and what a run is for, where they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What differs: `blueprint`, `cloud`, `tenant`, `subscription`.
    pub what: &'static str,
    /// What the ledger says.
    pub ledger: String,
    /// What this run says.
    pub run: String,
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
            estate: None,
            serial: 0,
            salt: salt.into(),
            resources: IndexMap::new(),
            outputs: BTreeMap::new(),
        }
    }
}

impl Ledger {
    /// What makes this the ledger of something else than what a run is for.
    pub fn mismatches(&self, blueprint: &str, run: &Estate) -> Vec<Mismatch> {
        let mut found = Vec::new();
        let mut compare = |what, ledger: Option<&str>, run: Option<&str>| {
            if let (Some(ledger), Some(run)) = (ledger, run)
                && !ledger.eq_ignore_ascii_case(run)
            {
                found.push(Mismatch { what, ledger: ledger.to_owned(), run: run.to_owned() });
            }
        };
        compare("blueprint", Some(&self.blueprint), Some(blueprint));
        let own = self.estate.as_ref();
        compare("cloud", own.map(|own| own.cloud.as_str()), Some(&run.cloud));
        compare("tenant", own.and_then(|own| own.tenant.as_deref()), run.tenant.as_deref());
        compare("subscription", own.and_then(|own| own.subscription.as_deref()), run.subscription.as_deref());
        found
    }

    /// Notes what a run is for; what it does not know stays as it was.
    pub fn note(&mut self, run: &Estate) {
        let before = self.estate.take();
        let known = |part: fn(&Estate) -> &Option<String>| {
            part(run).clone().or_else(|| part(before.as_ref()?).clone())
        };
        self.estate = Some(Estate {
            cloud: run.cloud.clone(),
            tenant: known(|estate| &estate.tenant),
            subscription: known(|estate| &estate.subscription),
        });
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
        Ok(ledger) if ledger.serial > HIGHEST_SERIAL => {
            return Err(format!("it is damaged: its serial {} was never reached by counting", ledger.serial));
        }
        // Version 1 did not say where its resources are.
        Ok(ledger) if ledger.version == 1 && ledger.estate.is_none() => {
            return Ok(Ledger { version: VERSION, ..ledger });
        }
        Ok(ledger) if ledger.version == VERSION => return Ok(ledger),
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let head: Head = serde_json::from_str(text).map_err(|error| format!("it is not a ledger: {error}"))?;
    match head.version {
        1 | VERSION => Err(format!("it is damaged: {damage}")),
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
    fn a_ledger_knows_whose_it_is() {
        let estate = |cloud: &str, tenant: Option<&str>, subscription: Option<&str>| Estate {
            cloud: cloud.into(),
            tenant: tenant.map(str::to_owned),
            subscription: subscription.map(str::to_owned),
        };
        let own = estate("public", Some("T"), Some("S"));
        let mut ledger = Ledger::new("shop", "salt");
        let differ = |ledger: &Ledger, name: &str, run: &Estate| -> Vec<&'static str> {
            ledger.mismatches(name, run).into_iter().map(|mismatch| mismatch.what).collect()
        };
        // One that an older berth wrote knows its name only.
        assert!(differ(&ledger, "shop", &own).is_empty());
        assert_eq!(differ(&ledger, "other", &own), ["blueprint"]);
        ledger.note(&own);
        for (name, run, wanted) in [
            ("shop", own.clone(), &[][..]),
            ("shop", estate("public", Some("t"), Some("s")), &[]),
            ("shop", estate("public", None, None), &[]),
            ("shop", estate("simulator", Some("t"), Some("s")), &["cloud"]),
            ("shop", estate("public", Some("u"), Some("s")), &["tenant"]),
            ("shop", estate("public", Some("t"), Some("r")), &["subscription"]),
            ("dev", estate("china", Some("u"), Some("r")), &["blueprint", "cloud", "tenant", "subscription"]),
        ] {
            assert_eq!(differ(&ledger, name, &run), wanted, "{name} {run:?}");
        }
        ledger.note(&estate("public", None, None));
        assert_eq!(ledger.estate, Some(own));
    }

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
        assert!(migrate(br#"{"version":3}"#).unwrap_err().contains("newer berth"));
        let edited = |from: &str, to: &str| {
            migrate(String::from_utf8(text.clone()).unwrap().replacen(from, to, 1).as_bytes()).map(drop)
        };
        assert_eq!(edited("\"version\":2", "\"version\":1"), Ok(()));
        for (from, to) in [
            ("\"serial\":0", "\"serial\":18446744073709551615"),
            ("\"serial\":0", "\"serial\":9007199254740993"),
            ("\"serial\":0", "\"serial\":-1"),
            ("/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourceGroups/.."),
            ("/subscriptions/s/resourceGroups/g", "g"),
            ("/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourceGroups/g\\\\x"),
        ] {
            assert!(edited(from, to).unwrap_err().contains("damaged"), "{to}");
        }
        assert!(migrate(b"{").unwrap_err().contains("not a ledger"));
        assert!(migrate(&text[..text.len() - 1]).is_err());
    }
}
