//! A plan for programs: types from which the JSON Schema of `docs/schema/plan-v1.json` is made.
//!
//! `docs/reference/plan-json.md` explains the members. A member is added freely; `formatVersion` goes up when one
//! changes its meaning or goes away.

use super::json::Hidden;
use crate::change::{Action, Grant};
use crate::diag::Place;
use crate::ident::{Address, ArmId, Header};
use crate::plan::{Conflict, Counts, Detail, Disruption, Impact, LeftOut, OutputValue, Plan, Reason};
use crate::policy::Finding;
use crate::private_link::NotOurs;
use crate::value::{ChangeKind, LeftAlone, token};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Version of the form.
pub const FORMAT_VERSION: u32 = 1;

/// What a plan as JSON was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It compares the blueprint with Azure.
    Plan,
    /// Azure was not asked: every step is as in an empty subscription.
    Validate,
}

/// A plan as JSON.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "berth plan")]
pub struct PlanDocument {
    /// Always `berth-plan`.
    pub format: String,
    /// The version of this form: 1.
    pub format_version: u32,
    /// Whether Azure was asked.
    pub stage: Stage,
    /// The blueprint's name.
    pub blueprint: String,
    /// The environment's name; absent when the run has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What the run is for and where it works; absent when Azure was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// The ledger's serial that the plan was made for.
    pub ledger_serial: u64,
    /// Whether it deletes everything.
    pub destroy: bool,
    /// How many steps of each action there are.
    pub counts: Counts,
    /// How long the whole plan usually takes, in milliseconds.
    pub expected_ms: u64,
    /// The addresses of the steps that make it take so long, each waiting for the one before.
    pub critical_path: Vec<Address>,
    /// Every resource, in an order that respects every dependency.
    pub steps: Vec<StepDocument>,
    /// The outputs, by name.
    pub outputs: BTreeMap<String, OutputDocument>,
    /// What is in the way of applying it.
    pub conflicts: Vec<Conflict>,
    /// What would change too, and is left alone because of `--target`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What may go wrong, as far as Azure tells before the first write.
    pub warnings: Vec<Conflict>,
    /// Private endpoint connections on targets of the blueprint that no rule of it names; they stay as they are.
    pub not_ours: Vec<NotOurs>,
    /// What differs from the blueprint, or was added by others, and stays. A value that is not known or secret is null.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_alone: Vec<LeftAlone>,
    /// What the policies of `--policy` say; absent when there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
}

/// A resource and what is done to it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepDocument {
    /// What the blueprint calls it.
    pub address: Address,
    /// What a person calls its type, such as `key vault`; null for a resource that only the ledger knows.
    pub kind: Option<String>,
    /// Its ARM type.
    #[serde(rename = "type")]
    pub arm_type: String,
    /// Its ARM id.
    pub id: ArmId,
    /// Its location, when it has one.
    pub location: Option<String>,
    /// Where its entry is; null for what berth adds by itself.
    pub place: Option<Place>,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// How much it disturbs.
    pub impact: Impact,
    /// What a disruptive step disturbs; null for others.
    pub disruption: Option<Disruption>,
    /// How long a run waits at most until what it makes elsewhere is as it says, in minutes; null when it does not wait.
    pub awaits: Option<u64>,
    /// What a role assignment lets somebody do; null for others.
    pub grants: Option<Grant>,
    /// Whether it is protected: applying then needs its address to be allowed by name.
    pub protected: bool,
    /// Whether it is purged, where Azure would keep it soft-deleted after the delete.
    pub purged: bool,
    /// The addresses of the steps that come first.
    pub after: Vec<Address>,
    /// How long it usually takes, in milliseconds.
    pub expected_ms: u64,
    /// What changes, field by field.
    pub changes: Vec<ChangeDocument>,
    /// The body that is asked for, also when nothing is to be done. Null stands for what is unknown or secret, and for
    /// the whole when the resource is not wanted.
    pub desired: Value,
    /// The fields of the live body that the blueprint manages; null when the resource is not there.
    pub live: Value,
    /// Paths whose values are known after apply.
    pub unknown: Vec<String>,
    /// Paths whose values are secret.
    pub secret: Vec<String>,
}

/// A field that changes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeDocument {
    /// Where: `properties.agentPoolProfiles[system].count`.
    pub path: String,
    /// What happens to it.
    pub kind: ChangeKind,
    /// What is there; null when nothing is.
    pub before: Value,
    /// What will be there; null when nothing will be, and for what is unknown or secret.
    pub after: Value,
    /// Whether the field cannot be changed in place.
    pub forces_replace: bool,
    /// Whether nobody asked for it and it goes because the list it is in is the blueprint's alone (`exclusive`).
    pub foreign: bool,
    /// Whether the values are secret, and therefore null.
    pub sensitive: bool,
}

/// An output.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutputDocument {
    /// Its value; null when it is unknown or secret.
    pub value: Value,
    /// Whether it is known before apply.
    pub known: bool,
    /// Whether it is secret.
    pub secret: bool,
}

/// A plan for programs. `details` are in the plan's order, and may be missing; so may places.
pub fn document(
    plan: &Plan,
    stage: Stage,
    details: &[Detail],
    places: &HashMap<Address, Place>,
) -> PlanDocument {
    let steps = plan.steps.iter().enumerate().map(|(at, step)| {
        let nothing = Detail { wanted: step.desired.clone(), ..Detail::default() };
        let detail = details.get(at).unwrap_or(&nothing);
        let mut hidden = Hidden::default();
        let desired = hidden.hide("", &detail.wanted);
        let live = hidden.hide("", &detail.live);
        let changes = step.changes.iter().map(|change| {
            let path = token::display_text(&change.path);
            let mut own = Hidden::default();
            let (before, after) =
                (own.hide(&change.path, &change.before), own.hide(&change.path, &change.after));
            let sensitive = !own.secret.is_empty() || detail.literal.contains(&path);
            hidden.add(own);
            let show = |value: Value| if sensitive && value.is_string() { Value::Null } else { value };
            ChangeDocument {
                path,
                kind: change.kind,
                before: show(before),
                after: show(after),
                forces_replace: change.forces_replace,
                foreign: change.foreign,
                sensitive,
            }
        });
        StepDocument {
            address: step.address.clone(),
            kind: detail.kind.clone(),
            arm_type: step.arm_type.clone(),
            id: step.id.clone(),
            location: detail.location.as_deref().map(token::display_text),
            place: places.get(&step.address).cloned(),
            action: step.action,
            reason: step.reason.clone(),
            impact: step.impact,
            disruption: step.disruption.clone(),
            awaits: step.awaits,
            grants: step.grants.clone(),
            protected: step.protected,
            purged: step.purge.is_some(),
            after: step.after.iter().filter_map(|&at| Some(plan.steps.get(at)?.address.clone())).collect(),
            expected_ms: step.expected_ms,
            changes: changes.collect(),
            desired,
            live,
            unknown: hidden.unknown,
            secret: hidden.secret,
        }
    });
    let (path, expected_ms) = plan.critical_path();
    PlanDocument {
        format: "berth-plan".to_owned(),
        format_version: FORMAT_VERSION,
        stage,
        blueprint: plan.blueprint.clone(),
        environment: plan.environment.clone(),
        header: plan.header.clone(),
        ledger_serial: plan.ledger_serial,
        destroy: plan.destroy,
        counts: plan.counts(),
        expected_ms,
        critical_path: path.iter().map(|&at| plan.steps[at].address.clone()).collect(),
        steps: steps.collect(),
        outputs: outputs(&plan.outputs),
        conflicts: plan.conflicts.clone(),
        left_out: plan.left_out.clone(),
        warnings: plan.warnings.clone(),
        not_ours: plan.not_ours.clone(),
        left_alone: left_alone(&plan.left_alone),
        findings: None,
    }
}

/// What is left alone, without what nobody may see.
pub(super) fn left_alone(all: &[LeftAlone]) -> Vec<LeftAlone> {
    let shown = |one: &LeftAlone| LeftAlone {
        path: token::display_text(&one.path),
        blueprint: Hidden::default().hide("", &one.blueprint),
        azure: Hidden::default().hide("", &one.azure),
        ..one.clone()
    };
    all.iter().map(shown).collect()
}

/// Outputs by name; a secret one has no value.
pub(super) fn outputs(outputs: &BTreeMap<String, OutputValue>) -> BTreeMap<String, OutputDocument> {
    let shown = outputs.iter().map(|(name, output)| {
        let mut hidden = Hidden::default();
        let value = hidden.hide("", &output.value);
        let secret = output.secret || !hidden.secret.is_empty();
        let value = if secret { Value::Null } else { value };
        (name.clone(), OutputDocument { value, known: hidden.unknown.is_empty(), secret })
    });
    shown.collect()
}

/// The JSON Schema of a plan as JSON, draft 2020-12.
pub fn schema() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<PlanDocument>().to_value();
    // Types of Rust's own say nothing to a reader of JSON.
    schema["$id"] = "https://github.com/berth-aks/berth/docs/schema/plan-v1.json".into();
    if let Some(version) = schema.pointer_mut("/properties/formatVersion") {
        version["const"] = FORMAT_VERSION.into();
    }
    if let Some(format) = schema.pointer_mut("/properties/format") {
        format["const"] = "berth-plan".into();
    }
    schema
}
