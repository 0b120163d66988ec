//! A plan in a file: everything that is needed to carry it out later, elsewhere, and to see that it still holds.
//!
//! The file holds the blueprint's text, the plan, and what the plan stands on; it holds no secret. Applying it plans
//! anew from what is there then, and refuses when [`Saved::moved`] or [`Saved::replanned`] finds a difference: so what
//! is carried out is what was shown.

use super::detail::{Detail, rules_of};
use super::model::Plan;
use crate::ident::Address;
use crate::ledger::Ledger;
use crate::state::Desired;
use crate::value::moved;
use crate::value::secret::{Secret, Secrets};
use crate::value::token;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The version of the form that this program writes.
pub const SAVED_VERSION: u32 = 1;

/// What tells a saved plan from other files.
const FORMAT: &str = "berth-saved-plan";

/// A file of the blueprint, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedFile {
    /// The path as the person gave it.
    pub name: String,
    /// The text.
    pub text: String,
}

/// With whom and as whom a plan was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanTarget {
    /// `public`, `usgov` or `china`; `simulator`; or `endpoint` for one that was named.
    pub target: String,
    /// The subscription of the blueprint.
    pub subscription: String,
    /// The tenant of the caller, when known.
    pub tenant: Option<String>,
}

/// What the environment's file said that a plan was made for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedEnvironment {
    /// Its name.
    pub name: String,
    /// The subscription.
    pub subscription: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
    /// The cloud.
    pub cloud: Option<String>,
    /// Where its ledger is.
    pub ledger: Option<String>,
    /// What it gave parameters, without secret ones.
    pub values: BTreeMap<String, Value>,
}

/// A saved plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Saved {
    format: String,
    format_version: u32,
    /// The berth that made it.
    pub berth: String,
    /// The blueprint: its own file first.
    pub files: Vec<SavedFile>,
    /// Where it is to be applied.
    pub setting: PlanTarget,
    /// The environment that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<SavedEnvironment>,
    /// The parameters that were given, by `-p` or in values files, without secret ones.
    pub parameters: BTreeMap<String, Value>,
    /// The environment variables that the blueprint reads, without those of secret parameters.
    pub environment: BTreeMap<String, String>,
    /// What the digests in this file are salted with.
    salt: String,
    /// Salted digests of the secret parameters, by name.
    secrets: BTreeMap<String, String>,
    /// Whether resources that nobody owned may be taken over.
    pub adopt: bool,
    /// Addresses that may be replaced.
    pub allow_replace: Vec<String>,
    /// Addresses that may be deleted.
    pub allow_delete: Vec<String>,
    /// The ledger's serial.
    ledger_serial: u64,
    /// The salted digest of the ledger; nothing when there was none.
    ledger_digest: Option<String>,
    /// The plan.
    pub plan: Plan,
    /// What was known of each step, in the plan's order.
    details: Vec<Detail>,
}

/// What a saved plan is made from.
#[derive(Debug)]
pub struct SaveInput<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its details.
    pub details: Vec<Detail>,
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The secret parameters.
    pub secrets: &'a Secrets,
    /// The blueprint's files.
    pub files: Vec<SavedFile>,
    /// With whom it was made.
    pub setting: PlanTarget,
    /// The environment that it is for.
    pub chosen: Option<SavedEnvironment>,
    /// Parameters that were given; secret ones are left out.
    pub parameters: BTreeMap<String, Value>,
    /// Environment variables that the blueprint reads.
    pub environment: BTreeMap<String, String>,
    /// Whether resources that nobody owned may be taken over.
    pub adopt: bool,
    /// Addresses that may be replaced.
    pub allow_replace: Vec<String>,
    /// Addresses that may be deleted.
    pub allow_delete: Vec<String>,
    /// A text that differs between saved plans.
    pub salt: String,
}

/// Why a plan cannot be saved, or a saved one cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    /// The blueprint's text holds a secret, and the file would too.
    #[error("the plan cannot be saved: the blueprint's text holds {what}, and the file would too")]
    Secret {
        /// Which secret, never its value.
        what: String,
    },
    /// Something is in the way of applying it.
    #[error("the plan cannot be saved: {0}")]
    InTheWay(String),
    /// It is of a newer berth.
    #[error("this plan has format version {found}, and this berth reads version {SAVED_VERSION}")]
    Newer {
        /// Its version.
        found: u64,
    },
    /// It is damaged.
    #[error("this saved plan is damaged: {0}")]
    Damaged(String),
}

impl SavedError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            SavedError::Secret { .. } => {
                "declare a parameter with `secret: true` and `env:`, without a default, and give the value from outside"
            }
            SavedError::InTheWay(_) => "see what `berth plan` says is in the way",
            SavedError::Newer { .. } => "apply it with the berth that made it, or plan again with this one",
            SavedError::Damaged(_) => "plan again with `berth plan --out`; a plan file is not for editing",
        }
        .to_owned()
    }
}

/// One thing that is not as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleInput {
    /// What: an address, `the blueprint`, `the ledger` …
    pub what: String,
    /// Which of its fields, when it is one.
    pub field: Option<String>,
    /// As it was.
    pub was: String,
    /// As it is now.
    pub now: String,
}

impl StaleInput {
    /// Something that moved as a whole.
    pub fn new(what: impl Into<String>, was: impl Into<String>, now: impl Into<String>) -> Self {
        StaleInput { what: what.into(), field: None, was: was.into(), now: now.into() }
    }
}

/// Whether a file is a saved plan, of whatever version.
pub fn is_saved(bytes: &[u8]) -> bool {
    // Blueprints are seldom JSON, and then large ones are not read twice for nothing.
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    let head = &bytes[start.min(bytes.len())..bytes.len().min(start + 200)];
    head.first() == Some(&b'{') && head.windows(FORMAT.len()).any(|window| window == FORMAT.as_bytes())
}

impl Saved {
    /// Puts a plan and what it stands on together.
    ///
    /// # Errors
    /// When the blueprint's text holds a secret.
    pub fn new(making: SaveInput<'_>) -> Result<Self, SavedError> {
        let SaveInput { plan, details, ledger, secrets, salt, .. } = making;
        for (step, detail) in plan.steps.iter().zip(&details) {
            if let Some(path) = detail.literal.first() {
                return Err(SavedError::Secret { what: format!("the value of {} {path}", step.address) });
            }
        }
        let mut plan = plan.clone();
        for output in plan.outputs.values_mut().filter(|output| output.secret) {
            output.value = Value::Null;
        }
        let is_secret = |name: &String| secrets.get(name).is_some();
        let mut chosen = making.chosen;
        if let Some(chosen) = &mut chosen {
            chosen.values.retain(|name, _| !is_secret(name));
        }
        let saved = Saved {
            format: FORMAT.to_owned(),
            format_version: SAVED_VERSION,
            berth: env!("CARGO_PKG_VERSION").to_owned(),
            files: making.files,
            setting: making.setting,
            chosen,
            parameters: making.parameters.into_iter().filter(|(name, _)| !is_secret(name)).collect(),
            environment: making.environment,
            secrets: secrets.iter().map(|(name, value)| (name.to_owned(), value.digest(&salt))).collect(),
            adopt: making.adopt,
            allow_replace: making.allow_replace,
            allow_delete: making.allow_delete,
            ledger_serial: ledger.serial,
            ledger_digest: digest(ledger, &salt),
            plan,
            details,
            salt,
        };
        let text = saved.to_text();
        for (name, secret) in secrets.iter() {
            // A shorter one is in every text, and is not a secret.
            let is_in = |value: &str| value.len() >= 4 && text.contains(value);
            let quoted = Value::from(secret.expose()).to_string();
            let literal = Secret::is_literal_name(name);
            if literal || is_in(secret.expose()) || is_in(quoted.trim_matches('"')) {
                let what = match literal {
                    true => format!("the value of {name}"),
                    false => format!("the value of the secret parameter `{name}`"),
                };
                return Err(SavedError::Secret { what });
            }
        }
        Ok(saved)
    }

    /// What was known of each step, in the plan's order.
    pub fn details(&self) -> &[Detail] {
        &self.details
    }

    /// Reads a saved plan.
    ///
    /// # Errors
    /// When it is of a newer berth, or damaged.
    pub fn parse(bytes: &[u8]) -> Result<Self, SavedError> {
        let damaged = |error: serde_json::Error| SavedError::Damaged(error.to_string());
        let tree: Value = serde_json::from_slice(bytes).map_err(damaged)?;
        match tree.get("formatVersion").and_then(Value::as_u64) {
            Some(version) if version == u64::from(SAVED_VERSION) => {}
            Some(found) if found > u64::from(SAVED_VERSION) => return Err(SavedError::Newer { found }),
            _ => return Err(SavedError::Damaged("it does not say its format version".to_owned())),
        }
        let saved: Saved = serde_json::from_value(tree).map_err(damaged)?;
        if saved.files.is_empty() || saved.details.len() != saved.plan.steps.len() {
            return Err(SavedError::Damaged("parts of it are missing".to_owned()));
        }
        if saved.plan.environment.as_ref() != saved.chosen.as_ref().map(|chosen| &chosen.name) {
            return Err(SavedError::Damaged("it names two environments".to_owned()));
        }
        Ok(saved)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a plan is JSON");
        text.push('\n');
        text
    }

    /// What moved of the setting and of the secrets, before anything is read.
    pub fn moved_setting(&self, setting: &PlanTarget, secrets: &Secrets) -> Vec<StaleInput> {
        let mut found = Vec::new();
        let mut compare = |what: &str, was: &str, now: &str| {
            if !was.eq_ignore_ascii_case(now) {
                found.push(StaleInput::new(what, was, now));
            }
        };
        compare("the cloud", &self.setting.target, &setting.target);
        compare("the subscription", &self.setting.subscription, &setting.subscription);
        if let (Some(was), Some(now)) = (&self.setting.tenant, &setting.tenant) {
            compare("the tenant", was, now);
        }
        for (name, was) in &self.secrets {
            if secrets.get(name).is_none_or(|secret| secret.digest(&self.salt) != *was) {
                let what = format!("the secret parameter `{name}`");
                found.push(StaleInput::new(what, "the value that the plan was made with", "another value"));
            }
        }
        found
    }

    /// What moved of the ledger.
    pub fn moved_ledger(&self, ledger: &Ledger) -> Option<StaleInput> {
        if self.ledger_serial != ledger.serial {
            let serial = |serial: u64| format!("serial {serial}");
            return Some(StaleInput::new("the ledger", serial(self.ledger_serial), serial(ledger.serial)));
        }
        (self.ledger_digest != digest(ledger, &self.salt)).then(|| {
            let text = |digest: bool| if digest { "there, with other contents" } else { "missing" };
            StaleInput::new(
                "the ledger",
                text(self.ledger_digest.is_some()).replace(", with other contents", ""),
                text(!ledger.resources.is_empty() || ledger.serial > 0),
            )
        })
    }

    /// What moved of the live resources: the fields that the blueprint manages.
    pub fn moved(&self, plan: &Plan, details: &[Detail], desired: &Desired) -> Vec<StaleInput> {
        let now: BTreeMap<&Address, &Detail> =
            plan.steps.iter().map(|step| &step.address).zip(details).collect();
        let mut found = Vec::new();
        for (step, was) in self.plan.steps.iter().zip(&self.details) {
            let Some(now) = now.get(&step.address) else { continue };
            let there = |live: &Value| if live.is_null() { "not there" } else { "there" };
            if was.live.is_null() != now.live.is_null() {
                found.push(StaleInput::new(step.address.as_str(), there(&was.live), there(&now.live)));
                continue;
            }
            let rules = rules_of(desired.by_id.get(&step.id).map(|&at| &desired.resources[at]));
            found.extend(moved(&was.live, &now.live, rules).into_iter().map(|change| StaleInput {
                what: step.address.to_string(),
                field: Some(token::display_text(&change.path)),
                was: shown(&change.before),
                now: shown(&change.after),
            }));
        }
        found
    }

    /// What is planned otherwise now, though nothing was seen to move: another berth, or another caller.
    pub fn replanned(&self, plan: &Plan) -> Vec<StaleInput> {
        let by_address = |plan: &Plan| -> BTreeMap<Address, usize> {
            plan.steps.iter().enumerate().map(|(at, step)| (step.address.clone(), at)).collect()
        };
        let (was, now) = (by_address(&self.plan), by_address(plan));
        let mut found = Vec::new();
        for address in was.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
            let before = was.get(address).map(|&at| &self.plan.steps[at]);
            let after = now.get(address).map(|&at| &plan.steps[at]);
            let (Some(before), Some(after)) = (before, after) else {
                let word = |there: bool| if there { "in the plan" } else { "not in the plan" };
                found.push(StaleInput::new(address.as_str(), word(before.is_some()), word(after.is_some())));
                continue;
            };
            let same = (&before.id, before.action, &before.reason, &before.changes, &before.desired)
                == (&after.id, after.action, &after.reason, &after.changes, &after.desired)
                && before.protected == after.protected;
            if same {
                continue;
            }
            if before.action != after.action {
                found.push(StaleInput::new(address.as_str(), before.action.word(), after.action.word()));
                continue;
            }
            let rules = rules_of(None);
            let fields = moved(&before.desired, &after.desired, rules);
            let empty = fields.is_empty();
            found.extend(fields.into_iter().map(|change| StaleInput {
                what: address.to_string(),
                field: Some(token::display_text(&change.path)),
                was: format!("to become {}", shown(&change.before)),
                now: format!("to become {}", shown(&change.after)),
            }));
            if empty {
                found.push(StaleInput::new(address.as_str(), "planned in one way", "planned in another way"));
            }
        }
        found
    }
}

/// The salted digest of a ledger; nothing for one that was never written.
fn digest(ledger: &Ledger, salt: &str) -> Option<String> {
    if ledger.serial == 0 && ledger.resources.is_empty() {
        return None;
    }
    let text = serde_json::to_string(ledger).expect("a ledger is JSON");
    Some(Secret::new(text).digest(salt))
}

/// A value in a sentence.
fn shown(value: &Value) -> String {
    let value = token::display(value);
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}
