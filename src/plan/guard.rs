//! Locks: what they forbid, and that they come last and go first.

use super::model::{Conflict, Step};
use crate::catalog::{Guard, guard_of};
use crate::change::Action;
use crate::ident::ArmId;
use crate::state::{Desired, DesiredResource, Observation, Observed};
use serde_json::Value;

/// Whether an id is at or below what a guard stands on.
pub(super) fn guards(guard: &ArmId, arm_type: &str, id: &ArmId) -> bool {
    let (guard, id) = (guard.as_str().to_ascii_lowercase(), id.as_str().to_ascii_lowercase());
    let Some(end) = guard.rfind(&format!("/providers/{}/", arm_type.to_ascii_lowercase())) else {
        return false;
    };
    id.strip_prefix(&guard[..end]).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a type of resource is one that guards others.
pub(super) fn is_guard(arm_type: &str) -> bool {
    guard_of(arm_type).is_some()
}

/// Steps that a guard of the blueprint, which is there and stays, would have Azure refuse.
pub(super) fn conflicts(desired: &Desired, observed: &Observed, steps: &[Step]) -> Vec<Conflict> {
    let standing = desired.resources.iter().filter_map(|resource| {
        let guard = resource.kind.guard.as_ref()?;
        match observed.get(&resource.id) {
            Some(Observation::Present { body, .. }) => Some((resource, guard, body)),
            _ => None,
        }
    });
    standing
        .flat_map(|(resource, guard, live)| {
            steps.iter().filter_map(move |step| conflict(resource, guard, live, step))
        })
        .collect()
}

fn conflict(resource: &DesiredResource, guard: &Guard, live: &Value, step: &Step) -> Option<Conflict> {
    if is_guard(&step.arm_type) || !guards(&resource.id, resource.kind.arm_type, &step.id) {
        return None;
    }
    let level = live.pointer(guard.level).and_then(Value::as_str).unwrap_or_default();
    let what = match step.action {
        Action::Delete => "deleting it",
        Action::Replace => "replacing it",
        Action::Create | Action::Recover if level.eq_ignore_ascii_case(guard.no_writes) => "making it",
        Action::Update | Action::Approve | Action::Reject if level.eq_ignore_ascii_case(guard.no_writes) => {
            "changing it"
        }
        _ => return None,
    };
    Some(Conflict {
        address: step.address.clone(),
        id: step.id.clone(),
        message: format!("the lock `{}` ({level}) forbids {what}", resource.address),
        help: format!("take `{}` out of the blueprint, apply, and put it back", resource.address),
    })
}
