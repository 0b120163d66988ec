//! What is collected, from what, and where it goes: collection rules with endpoints and associations, diagnostic settings.

pub mod diagnostic_setting;
pub mod endpoint;
pub mod rule;
mod sources;

pub(super) use rule::{container_insights, prometheus};

use super::naming::NameRule;
use crate::catalog::{DeleteMode, Draft, ResourceType, Severity, Turn, Weight};
use crate::diag::Code;
use crate::ident::Address;
use crate::value::Rule;
use serde_json::json;

/// The API version of rules, endpoints and associations.
const API_VERSION: &str = "2023-03-11";

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&COLLECTION_NAME];

const COLLECTION_NAME: Code = Code {
    name: "collection-name",
    why: "The name cannot be that of a collection rule, a collection endpoint or an association.",
    remedy: "Use letters, digits, `-`, and in rules `_` and `.` too.",
    example: "name: dcr-containers",
};

/// Names of rules and associations.
const RULE_NAME: NameRule = NameRule {
    code: &COLLECTION_NAME,
    what: "a collection rule or an association",
    min: 1,
    max: 64,
    first: |c| c.is_ascii_alphanumeric(),
    inner: |c| c.is_ascii_alphanumeric() || "-_.".contains(c),
    last: |c| c.is_ascii_alphanumeric() || c == '_',
    says: "1 to 64 letters, digits, `-`, `_` and `.`, a letter or digit at the start and none of `-.` at the end",
};

/// Names of endpoints.
const ENDPOINT_NAME: NameRule = NameRule {
    code: &COLLECTION_NAME,
    what: "a collection endpoint",
    min: 3,
    max: 44,
    first: |c| c.is_ascii_alphanumeric(),
    inner: |c| c.is_ascii_alphanumeric() || c == '-',
    last: |c| c.is_ascii_alphanumeric(),
    says: "3 to 44 letters, digits and `-`, a letter or digit at both ends",
};

/// What joins a rule or an endpoint to what is collected from.
pub static ASSOCIATION: ResourceType = ResourceType {
    severity: &[Weight::new(
        "properties",
        Turn::Any,
        Severity::High,
        "something else is collected, or it goes elsewhere",
    )],
    // A rule cannot go while it is associated.
    delete: DeleteMode::Always,
    tags: false,
    rules: &[Rule::at("properties.description").default("null"), Rule::at("properties.metadata").read_only()],
    ..ResourceType::new(
        "Microsoft.Insights/dataCollectionRuleAssociations",
        API_VERSION,
        "collection association",
    )
};

/// The association of a rule with a resource. Texts are ids, or tokens of ids.
pub(super) fn association(address: Address, target: &str, name: &str, rule: &str) -> Draft {
    let id = format!("{}/providers/{}/{name}", target.trim_end_matches('/'), ASSOCIATION.arm_type);
    Draft::new(address, id, &ASSOCIATION, json!({ "properties": { "dataCollectionRuleId": rule } }))
}

/// A name that is made of others, no longer than Azure takes it, and with no `-` or `.` at its end.
pub(super) fn shortened(name: &str, longest: usize) -> String {
    let cut: String = name.chars().take(longest).collect();
    cut.trim_end_matches(['-', '.', '_']).to_owned()
}
