//! What a policy found.

use crate::diag::Place;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The plan may not be applied.
    Deny,
    /// Worth knowing.
    Warn,
}

/// One thing that a policy says of a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it means.
    pub verdict: Verdict,
    /// The rule, with its package: `berth.vaults.deny`.
    pub rule: String,
    /// What it says.
    pub message: String,
    /// The resource that it says it of, when it says it of one.
    pub address: Option<String>,
    /// Where the entry of that resource stands.
    pub place: Option<Place>,
}

/// The addresses of a plan with their places.
pub(super) struct Places(BTreeMap<String, Option<Place>>);

impl Places {
    /// Those of a plan as JSON.
    pub(super) fn of(input: &Value) -> Self {
        let steps = input.get("steps").and_then(Value::as_array).into_iter().flatten();
        let place = |step: &Value| serde_json::from_value(step.get("place")?.clone()).ok();
        let known = steps.filter_map(|step| Some((step.get("address")?.as_str()?.to_owned(), place(step))));
        Places(known.collect())
    }

    /// The place of an address.
    pub(super) fn get(&self, address: &str) -> Option<Place> {
        self.0.get(address).cloned().flatten()
    }

    /// The longest address that a message mentions as a word.
    pub(super) fn mentioned(&self, message: &str) -> Option<String> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let mentions = |address: &&String| {
            message.match_indices(address.as_str()).any(|(at, found)| {
                let before = message[..at].chars().next_back();
                let mut after = message[at + found.len()..].chars();
                let next = after.next();
                let goes_on = match next {
                    // A full stop ends a sentence, or goes on with a longer address.
                    Some('.') => after.next().is_some_and(is_part),
                    other => other.is_some_and(|c| is_part(c) || c == '['),
                };
                !goes_on && !before.is_some_and(|c| is_part(c) || c == '.')
            })
        };
        self.0.keys().filter(mentions).max_by_key(|address| address.len()).cloned()
    }
}
