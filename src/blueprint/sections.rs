//! Which sections a blueprint may have, and what to say of others.

use super::evaluator::Evaluator;
use super::source::{At, HEAD};
use crate::catalog::registry;
use crate::diag::{Code, Diagnostic, did_you_mean};
use serde_json::{Map, Value};

pub(super) const UNKNOWN_SECTION: Code = Code {
    name: "unknown-section",
    why: "The blueprint has no such section.",
    remedy: "Take the one that the message offers; `berth explain` lists all. Other ARM types go under `resources:`.",
    example: "networks: { hub: { … } }",
};

/// Tells of sections that there are not.
pub(super) fn check_sections(evaluator: &Evaluator<'_>) {
    for name in evaluator.root.keys() {
        if !sections().any(|section| section == name) {
            let help = match did_you_mean(name, sections()) {
                _ if ["include", "includes", "module"].contains(&name.as_str()) => {
                    "write `modules: { spoke: { include: ./spoke.yaml } }`".to_owned()
                }
                Some(near) => format!("did you mean `{near}`?"),
                None if !owners(name).is_empty() => {
                    format!(
                        "it is a field of the entries of {}: indent it below one",
                        owners(name).join(" or ")
                    )
                }
                None => format!("the sections are: {}", sections().collect::<Vec<_>>().join(", ")),
            };
            evaluator.tell(
                Diagnostic::error(&UNKNOWN_SECTION, format!("there is no section `{name}`"))
                    .at(evaluator.locate(name, At::Key))
                    .help(help),
            );
        }
    }
}

/// Every section that a blueprint may have.
fn sections() -> impl Iterator<Item = &'static str> {
    HEAD.iter().copied().chain(registry().iter().map(|kind| kind.section))
}

/// The section that a name was meant to be, when it is none and nearly one.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    if sections().any(|section| section == name) { None } else { did_you_mean(name, sections()) }
}

/// Whether a section is missing because its name is misspelt, which [`check_sections`] reports.
pub(super) fn is_misspelt(root: &Map<String, Value>, section: &str) -> bool {
    root.keys().any(|name| meant(name) == Some(section))
}

/// The sections that are written, or could be, whose entries have a field of this name; none when there are many.
fn owners(field: &str) -> Vec<String> {
    let owners = registry().iter().filter(|kind| super::indentation::is_field_of(kind, field));
    let owners: Vec<String> = owners.map(|kind| format!("`{}`", kind.section)).collect();
    if owners.len() > 2 { Vec::new() } else { owners }
}
