//! Pieces of bodies that many types have: switches, identities, lists of references.

use crate::catalog::{EntryCx, Given, Problem, Reference};
use crate::diag::{Code, did_you_mean};
use crate::value::token::{display_text, has_token};
use serde_json::{Map, Value, json};

/// The members that somebody said.
pub(super) fn members<const N: usize>(all: [(&str, Option<Value>); N]) -> Value {
    let said = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(said.collect())
}

/// `Enabled` or `Disabled`.
pub(super) fn switch(on: bool) -> Value {
    Value::from(if on { "Enabled" } else { "Disabled" })
}

/// What a resource with `identities` needs for a `principalId`.
pub(super) static SYSTEM_IDENTITY: Given = Given {
    pointer: "/identity/type",
    holds: "SystemAssigned",
    by_default: false,
    unless: None,
    why: "it has no system-assigned identity",
    remedy: "add `system` to its `identities`, or name an entry of `identities` instead",
};

/// What a resource that has an identity of its own until it is told of another needs for a `principalId`.
pub(super) static OTHER_IDENTITY: Given = Given {
    pointer: "/identity/type",
    holds: "SystemAssigned",
    by_default: false,
    unless: None,
    why: "with `identity` it has no system-assigned one",
    remedy: "refer to the entry of `identities` that its `identity` names",
};

/// The identities with which a resource acts: `system` for one of its own, others by their ids. `None` when there are
/// none; `both` is how the provider writes that there are of both kinds.
pub(super) fn identity(identities: &[Reference], both: &str) -> Option<Value> {
    let system = identities.iter().any(|identity| identity.0 == "system");
    let users: Map<String, Value> = identities
        .iter()
        .filter(|identity| identity.0 != "system")
        .map(|identity| (identity.id(), json!({})))
        .collect();
    let word = match (system, users.is_empty()) {
        (false, true) => return None,
        (true, true) => "SystemAssigned",
        (false, false) => "UserAssigned",
        (true, false) => both,
    };
    let mut body = json!({ "type": word });
    if !users.is_empty() {
        body["userAssignedIdentities"] = Value::Object(users);
    }
    Some(body)
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&UNKNOWN_PART, &OUT_OF_RANGE];

const UNKNOWN_PART: Code = Code {
    name: "unknown-part",
    why: "A part of an entry names another part of the same entry by its key, and the entry has none of that key.",
    remedy: "Write one of the keys that the message lists.",
    example: "routes: { all: { endpoint: shop, originGroup: web } }",
};

const OUT_OF_RANGE: Code = Code {
    name: "out-of-range",
    why: "Azure takes the number only within the limits that the message names.",
    remedy: "Write a number within them, or leave the field out for Azure's default.",
    example: "frontDoors: { edge: { responseTimeoutSeconds: 60 } }",
};

/// Reports a key that names none of an entry's parts.
pub(super) fn known_part<'k>(
    named: &str,
    all: impl Iterator<Item = &'k String> + Clone,
    path: &str,
    what: &str,
    cx: &mut EntryCx<'_>,
) {
    if all.clone().any(|key| key == named) {
        return;
    }
    let help = match did_you_mean(named, all.clone().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let keys: Vec<&str> = all.map(String::as_str).collect();
            if keys.is_empty() {
                format!("add {what} first")
            } else {
                format!("write one of {}", keys.join(", "))
            }
        }
    };
    let message = format!("the entry has no {what} `{}`", display_text(named));
    cx.problem(Problem::error(&UNKNOWN_PART, path, message).help(help));
}

/// Reports a number outside of what Azure takes.
pub(super) fn within(
    number: Option<i64>,
    limits: std::ops::RangeInclusive<i64>,
    path: &str,
    cx: &mut EntryCx<'_>,
) {
    let Some(number) = number.filter(|number| !limits.contains(number)) else { return };
    let field = path.rsplit('.').next().unwrap_or(path);
    let message = format!("`{field}` cannot be {number}");
    let help = format!("write {} to {}", limits.start(), limits.end());
    cx.problem(Problem::error(&OUT_OF_RANGE, path, message).help(help));
}

/// Whether a text is known before apply and is not one of these, without regard to case.
pub(super) fn is_none_of(text: &str, known: &[&str]) -> bool {
    !has_token(text) && !known.iter().any(|known| known.eq_ignore_ascii_case(text))
}
