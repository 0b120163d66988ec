//! A plan for some addresses only, with all that they need.

use super::model::{LeftOut, Plan, Reason, Step};
use crate::change::Action;
use std::collections::HashSet;

/// Restricts a plan to what lies at or below `targets`, with what that needs: for a create or a change its
/// dependencies, for a delete what stands on it, and whatever is taken along. Changes of the rest are in
/// [`Plan::left_out`]. Nothing is restricted when there are no targets.
///
/// # Errors
/// The targets that are no address of the plan.
pub fn restrict(plan: Plan, targets: &[String]) -> Result<Plan, Vec<String>> {
    if targets.is_empty() {
        return Ok(plan);
    }
    let hit = |step: &Step, target: &String| step.address.is_within(target);
    let unknown: Vec<String> =
        targets.iter().filter(|target| !plan.steps.iter().any(|step| hit(step, target))).cloned().collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let kept = closure(&plan, &|step| targets.iter().any(|target| hit(step, target)));
    let mut plan = only(plan, &kept);
    plan.targets = targets.to_vec();
    Ok(plan)
}

/// A plan with these of its steps, and what the others would change in [`Plan::left_out`].
pub(super) fn only(mut plan: Plan, kept: &[bool]) -> Plan {
    let mut position = vec![None; plan.steps.len()];
    kept.iter().enumerate().filter(|(_, kept)| **kept).enumerate().for_each(|(to, (from, _))| {
        position[from] = Some(to);
    });
    let (mut steps, mut left_out) = (Vec::new(), Vec::new());
    for (step, kept) in plan.steps.into_iter().zip(kept) {
        if *kept {
            let after = step.after.iter().filter_map(|&before| position[before]).collect();
            steps.push(Step { after, ..step });
        } else if step.action != Action::NoOp {
            left_out.push(LeftOut { address: step.address, action: step.action });
        }
    }
    plan.steps = steps;
    plan.left_out.extend(left_out);
    let addresses: HashSet<_> = plan.steps.iter().map(|step| &step.address).collect();
    plan.conflicts.retain(|conflict| addresses.contains(&conflict.address));
    plan.warnings.retain(|warning| addresses.contains(&warning.address));
    plan
}

/// Which steps are kept, by position.
pub(super) fn closure(plan: &Plan, hit: &dyn Fn(&Step) -> bool) -> Vec<bool> {
    let mut kept: Vec<bool> = plan.steps.iter().map(hit).collect();
    loop {
        let before = kept.iter().filter(|kept| **kept).count();
        // Steps come after what they need, so one way back finds all of it.
        for at in (0..plan.steps.len()).rev().filter(|&at| kept[at]).collect::<Vec<_>>() {
            let mut stack = vec![at];
            while let Some(at) = stack.pop() {
                for &need in &plan.steps[at].after {
                    if !std::mem::replace(&mut kept[need], true) {
                        stack.push(need);
                    }
                }
            }
        }
        // What happens to others by a step that is kept is told, and written down, with it.
        for at in 0..plan.steps.len() {
            let step = &plan.steps[at];
            let along = match &step.reason {
                Reason::ArrivesWithParent { parent }
                | Reason::GoesWithParent { parent }
                | Reason::ParentReplaced { parent } => {
                    plan.steps.iter().zip(&kept).any(|(other, kept)| *kept && other.address == *parent)
                }
                // It stands on something that is replaced, so it has to go meanwhile.
                Reason::Immutable { .. } | Reason::DependencyReplaced { .. } => {
                    step.after.iter().any(|&need| kept[need] && plan.steps[need].action == Action::Replace)
                }
                _ => false,
            };
            kept[at] |= along;
        }
        if kept.iter().filter(|kept| **kept).count() == before {
            return kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{Address, ArmId};
    use crate::plan::{Impact, VERSION};
    use serde_json::Value;

    /// A plan of `(address, action, reason, after)`.
    fn plan(steps: &[(&str, Action, Reason, &[usize])]) -> Plan {
        let steps = steps.iter().map(|(address, action, reason, after)| Step {
            address: Address::new(*address),
            id: ArmId::resource_group("s", address),
            arm_type: "T/t".into(),
            action: *action,
            reason: reason.clone(),
            changes: vec![],
            desired: Value::Null,
            impact: Impact::None,
            disruption: None,
            awaits: None,
            grants: None,
            moved_from: None,
            told_elsewhere: false,
            dates: Vec::new(),
            kept_back: Vec::new(),
            purge: None,
            protected: false,
            after: after.to_vec(),
            expected_ms: 0,
        });
        Plan {
            version: VERSION,
            blueprint: "shop".into(),
            environment: None,
            header: None,
            ledger_serial: 0,
            destroy: false,
            steps: steps.collect(),
            outputs: Default::default(),
            conflicts: vec![],
            warnings: Vec::new(),
            targets: Vec::new(),
            reverts: Vec::new(),
            left_out: vec![],
            not_ours: Vec::new(),
            left_alone: Vec::new(),
            program: Default::default(),
        }
    }

    fn kept(plan: Plan, targets: &[&str]) -> Result<(Vec<String>, Vec<String>), Vec<String>> {
        let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let plan = restrict(plan, &targets)?;
        assert!(plan.steps.iter().enumerate().all(|(at, step)| step.after.iter().all(|&before| before < at)));
        let names = |addresses: Vec<&Address>| addresses.into_iter().map(ToString::to_string).collect();
        Ok((
            names(plan.steps.iter().map(|step| &step.address).collect()),
            names(plan.left_out.iter().map(|left| &left.address).collect()),
        ))
    }

    #[test]
    fn what_a_target_needs_comes_along_and_the_rest_is_told() {
        use Action::{Create, NoOp};
        let hub = || Reason::ArrivesWithParent { parent: Address::new("networks.hub") };
        let all = || {
            plan(&[
                ("resourceGroup", Create, Reason::Missing, &[]),
                ("networks.hub", Create, Reason::Missing, &[0]),
                ("networks.hub.subnets.a", Create, hub(), &[1]),
                ("keyVaults.v", Create, Reason::Missing, &[0]),
                ("identities.i", NoOp, Reason::AsWanted, &[0]),
                ("privateEndpoints.p", Create, Reason::Missing, &[2, 3]),
            ])
        };
        let (steps, left) = kept(all(), &["networks.hub"]).unwrap();
        assert_eq!(steps, ["resourceGroup", "networks.hub", "networks.hub.subnets.a"]);
        assert_eq!(left, ["keyVaults.v", "privateEndpoints.p"]);
        assert_eq!(kept(all(), &["privateEndpoints"]).unwrap().0.len(), 5);
        assert_eq!(kept(all(), &["networks.hu", "keyVaults.v"]).unwrap_err(), ["networks.hu"]);
        assert_eq!(kept(all(), &[]).unwrap().0.len(), 6);
    }

    #[test]
    fn what_is_replaced_with_a_target_comes_along() {
        use Action::{NoOp, Replace};
        let immutable = || Reason::Immutable { paths: vec!["x".into()] };
        let parent = |name: &str| Reason::ParentReplaced { parent: Address::new(name) };
        let all = plan(&[
            ("keyVaults.v", Replace, immutable(), &[]),
            ("keyVaults.v.secrets.s", Replace, parent("keyVaults.v"), &[0]),
            ("privateEndpoints.p", Replace, immutable(), &[0]),
            ("identities.i", NoOp, Reason::AsWanted, &[]),
        ]);
        assert_eq!(kept(all, &["keyVaults.v"]).unwrap().0.len(), 3);
    }
}
