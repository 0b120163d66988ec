//! Management locks: `Microsoft.Authorization/locks`
//! (<https://learn.microsoft.com/azure/templates/microsoft.authorization/locks>).
//!
//! A lock holds for everything at and below its scope, whoever made it. So it is made after all of that, and goes before
//! any of that goes.

use super::scope::scope_id;
use crate::catalog::{
    DeleteMode, Draft, EntryCx, EntryKind, Guard, Preflight, Problem, Reference, ResourceType, Severity,
    Turn, Weight,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::has_token;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// A management lock.
pub struct Lock;

/// A management lock.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// What is locked, with everything below it: a resource of the blueprint, `resourceGroup` (the default),
    /// `subscription`, or an ARM id.
    #[schemars(extend("x-wants" = "scope"))]
    scope: Option<Reference>,
    /// `CanNotDelete`, or `ReadOnly`, under which nothing can be changed either: no credentials listed, no cluster started
    /// or stopped, no private endpoint approved. A new lock is `CanNotDelete` when absent.
    level: Option<Level>,
    /// Why it is locked, in at most 512 characters, for people whose change the lock refuses.
    notes: Option<String>,
}

/// What a lock forbids.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
pub enum Level {
    /// Deleting.
    #[default]
    CanNotDelete,
    /// Deleting and changing.
    ReadOnly,
}

const ARM_TYPE: &str = "Microsoft.Authorization/locks";

/// A lock.
pub static LOCK: ResourceType = ResourceType {
    severity: &[Weight::new(
        "properties.level",
        Turn::Any,
        Severity::High,
        "what is locked can be written or deleted",
    )],
    delete: DeleteMode::Always,
    tags: false,
    guard: Some(Guard { level: "/properties/level", no_writes: "ReadOnly" }),
    rules: &[
        Rule::at("properties.level").fold_case(),
        Rule::at("properties.owners").read_only(),
        Rule::at("properties.notes").default("null"),
    ],
    preflight: &[Preflight::Permission("Microsoft.Authorization/locks/write")],
    expected: Duration::from_secs(5),
    ..ResourceType::new(ARM_TYPE, "2020-05-01", "management lock")
};

const LOCK_NAME: Code = Code {
    name: "lock-name",
    why: "The name of a lock cannot be that.",
    remedy: "Use at most 90 characters, without those that Azure refuses.",
    example: "locks: { keep: { … } }",
};

const LOCK_NOTES: Code = Code {
    name: "lock-notes",
    why: "The notes of a lock have a limit.",
    remedy: "Use at most 512 characters.",
    example: "notes: ask platform@example.com",
};

impl EntryKind for Lock {
    const SECTION: &'static str = "locks";
    const TITLE: &'static str = "management lock";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const TYPES: &'static [&'static ResourceType] = &[&LOCK];
    const ABOUT: &'static str = "A management lock: what is at or below its scope cannot be deleted (or changed). It is \
        made last and goes first. What a lock forbids cannot be planned while the lock is there: take the lock out, apply, and \
        put it back.";
    const EXAMPLE: &'static str = "\
identities:
  app: { name: id-shop-app }
locks:
  keep:
    name: lock-shop
    scope: resourceGroup
    level: CanNotDelete
    notes: Ask the platform team first.
";
    const CODES: &'static [&'static [&'static Code]] = &[&[&LOCK_NAME, &LOCK_NOTES]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        let bad = |c: char| c.is_control() || "<>%&:\\?/".contains(c);
        let fine =
            (1..=90).contains(&name.chars().count()) && !name.contains(bad) && !name.ends_with(['.', ' ']);
        if !fine && !has_token(&name) {
            cx.problem(
                Problem::error(&LOCK_NAME, "name", format!("`{name}` cannot be the name of a lock"))
                    .help("use at most 90 characters, none of `<>%&:\\?/`, and no `.` or space at the end"),
            );
        }
        let length = spec.notes.as_deref().map_or(0, |notes| notes.chars().count());
        if length > 512 {
            cx.problem(
                Problem::error(
                    &LOCK_NOTES,
                    "notes",
                    format!("notes have at most 512 characters, these {length}"),
                )
                .help("shorten them"),
            );
        }
        let Some(scope) = scope_id(spec.scope.as_ref(), "scope", cx) else { return };
        let mut properties = json!({ "level": spec.level.unwrap_or_default() });
        if let Some(notes) = spec.notes {
            properties["notes"] = notes.into();
        }
        let id = format!("{}/providers/{ARM_TYPE}/{name}", scope.trim_end_matches('/'));
        let draft = Draft::new(cx.address.clone(), id, &LOCK, json!({ "properties": properties }));
        cx.main(draft.initially_if(&[("properties.level", spec.level.is_none())]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};

    #[test]
    fn a_lock_stands_on_its_scope() {
        let (drafts, problems) = expand("locks", "keep", json!({ "level": "ReadOnly", "notes": "n" }));
        assert_eq!(problems, []);
        let end = "providers/Microsoft.Authorization/locks/keep";
        assert_eq!(id(&drafts[0]), format!("/subscriptions/sub/resourceGroups/rg/{end}"));
        assert_eq!(drafts[0].created(), json!({ "properties": { "level": "ReadOnly", "notes": "n" } }));
        let live = json!({ "name": "keep", "properties": { "level": "readonly", "notes": "n" } });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        let (drafts, _) = expand("locks", "keep", json!({ "scope": reference("keyVaults.v") }));
        assert_eq!(id(&drafts[0]), format!("{}/{end}", wants("keyVaults.v", "id")));
    }

    #[test]
    fn says_what_cannot_be() {
        for (fields, code) in [
            (json!({ "name": "a/b" }), "lock-name"),
            (json!({ "notes": "x".repeat(513) }), "lock-notes"),
            (json!({ "level": "Frozen" }), "shape"),
            (json!({ "scope": "vault" }), "scope"),
        ] {
            assert_eq!(codes(expand("locks", "keep", fields.clone())), [code], "{fields}");
        }
    }
}
