//! What must hold of any plan, known to nobody else: a second pair of eyes on the planner.

use super::model::{Plan, Reason};
use crate::change::Action;
use crate::ident::Address;
use std::collections::HashSet;

/// Lists what does not hold; an empty list is a sound plan.
///
/// A finding is a defect of berth, never of a blueprint.
pub fn check(plan: &Plan) -> Vec<String> {
    let mut findings = Vec::new();
    let deleted: HashSet<&Address> =
        plan.steps.iter().filter(|step| step.action == Action::Delete).map(|step| &step.address).collect();
    for (at, step) in plan.steps.iter().enumerate() {
        let address = &step.address;
        let mut find = |text: &str| findings.push(format!("{address}: {text}"));
        if step.after.iter().any(|&before| before >= at) {
            find("it stands before something that it needs");
        }
        match step.action {
            Action::Create | Action::Register | Action::Approve | Action::Reject | Action::Recover
                if step.desired.is_null() =>
            {
                find("it is to be made and nothing is asked for");
            }
            Action::Update
                if step.changes.is_empty()
                    && !matches!(
                        step.reason,
                        Reason::FailedProvisioning { .. } | Reason::NotCompliantYet { .. }
                    ) =>
            {
                find("it is to be updated and nothing differs");
            }
            Action::NoOp | Action::Delete if !step.changes.is_empty() => {
                find("it has changes that no unit makes")
            }
            Action::Replace
                if !matches!(
                    step.reason,
                    Reason::Immutable { .. }
                        | Reason::ParentReplaced { .. }
                        | Reason::Moved { .. }
                        | Reason::DependencyReplaced { .. }
                        | Reason::Disconnected
                ) =>
            {
                find("it is to be replaced and nothing forces it");
            }
            _ => {}
        }
        if plan.destroy && !matches!(step.action, Action::Delete | Action::Forget) {
            find("it is not removed although everything is");
        }
        if let Reason::GoesWithParent { parent } = &step.reason
            && !deleted.contains(parent)
        {
            find("it is to go with a parent that stays");
        }
    }
    findings
}
