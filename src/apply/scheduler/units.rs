//! What is scheduled, in which order, and what must not be done at the same time.

use crate::change::Action;
use crate::graph::Dag;
use crate::ledger::Ledger;
use crate::plan::Plan;
use std::collections::HashMap;

/// The units of a plan with their order.
pub(super) fn units(plan: &Plan, ledger: &Ledger) -> (Vec<usize>, Dag) {
    let steps = plan.steps.len();
    let mut units: Vec<usize> = (0..steps).collect();
    let mut clearing = HashMap::new();
    for (at, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.action == Action::Replace) {
        clearing.insert(&step.id, (units.len(), at));
        units.push(at);
    }
    let mut dag = Dag::new(units.len());
    for (at, step) in plan.steps.iter().enumerate() {
        step.after.iter().for_each(|&before| dag.need(at, before));
    }
    for &(unit, at) in clearing.values() {
        dag.need(at, unit);
        for &before in &plan.steps[at].after {
            if let Some(&(other, _)) = clearing.get(&plan.steps[before].id) {
                dag.need(other, unit);
            }
        }
    }
    // What is deleted for good and used something that is replaced goes before that is cleared away.
    for (at, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.action == Action::Delete) {
        let used =
            ledger.resources.get(&step.id).map(|owned| owned.depends_on.as_slice()).unwrap_or_default();
        for id in used {
            if let Some(&(unit, _)) = clearing.get(id) {
                dag.need(unit, at);
            }
        }
    }
    (units, dag)
}
