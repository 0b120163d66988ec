//! Replacements under another id: what a blueprint renames, or moves to another group or parent.
//!
//! For Azure these are two resources, one that comes and one that goes. For a person they are one of the blueprint, under
//! one address: one line, that says what its name was.

use super::impact::lost;
use super::model::{Impact, Reason, Step};
use crate::change::Action;
use crate::ident::{Address, ArmId};
use crate::state::Desired;
use crate::value::{Change, ChangeKind};
use serde_json::Value;
use std::collections::HashMap;

/// Makes one replacement of a create and a delete of the same address and type.
pub(super) fn pair(steps: &mut [Step], desired: &Desired) {
    let comes = |step: &Step| {
        step.action == Action::Create
            && matches!(step.reason, Reason::Missing | Reason::ArrivesWithParent { .. })
    };
    let goes = |step: &Step| {
        step.action == Action::Delete
            && matches!(step.reason, Reason::NoLongerWanted | Reason::GoesWithParent { .. })
    };
    let coming: HashMap<Address, usize> =
        (0..steps.len()).filter(|&at| comes(&steps[at])).map(|at| (steps[at].address.clone(), at)).collect();
    if coming.is_empty() {
        return;
    }
    for old in 0..steps.len() {
        let Some(&new) = coming.get(&steps[old].address).filter(|_| goes(&steps[old])) else { continue };
        if !steps[old].arm_type.eq_ignore_ascii_case(&steps[new].arm_type) {
            continue;
        }
        let (from, protected) = (steps[old].id.clone(), steps[old].protected);
        (steps[old].told_elsewhere, steps[old].protected) = (true, false);
        let stateful = desired.by_id.get(&steps[new].id).is_some_and(|&at| desired.resources[at].protect);
        let step = &mut steps[new];
        let along = match (&step.reason, &steps_parent(&step.id, &from)) {
            (Reason::ArrivesWithParent { parent }, true) => Some(parent.clone()),
            _ => None,
        };
        step.action = Action::Replace;
        step.changes = changes(&from, &step.id);
        step.reason = match along {
            Some(parent) => Reason::ParentReplaced { parent },
            None => {
                // What goes with a parent is told of the parent.
                let resource = desired.by_id.get(&step.id).map(|&at| &desired.resources[at]);
                step.disruption = resource.and_then(|resource| lost(resource, &step.changes));
                Reason::Moved { from: from.clone() }
            }
        };
        step.impact = Impact::Destructive;
        step.protected = protected || stateful;
        step.moved_from = Some(from);
    }
}

/// Whether two ids differ in their parents only.
fn steps_parent(new: &ArmId, old: &ArmId) -> bool {
    new.name().eq_ignore_ascii_case(old.name()) && new.parent() != old.parent()
}

/// In what two ids differ, in words of a body.
fn changes(from: &ArmId, to: &ArmId) -> Vec<Change> {
    let mut found = Vec::new();
    let mut compare = |path: &str, before: &str, after: &str| {
        if !before.eq_ignore_ascii_case(after) {
            found.push(Change {
                path: path.to_owned(),
                kind: ChangeKind::Set,
                before: Value::from(before),
                after: Value::from(after),
                forces_replace: true,
                foreign: false,
            });
        }
    };
    compare("name", from.name(), to.name());
    compare("resourceGroup", from.group().unwrap_or_default(), to.group().unwrap_or_default());
    let parent = |id: &ArmId| id.parent().map(|id| id.name().to_owned()).unwrap_or_default();
    if from.resource_type().matches('/').count() > 1 {
        compare("parent", &parent(from), &parent(to));
    }
    if from.group().is_none() && to.group().is_none() {
        compare("scope", from.as_str(), to.as_str());
    }
    found
}
