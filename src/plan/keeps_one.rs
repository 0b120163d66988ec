//! Roles that at least one of a kind has at any time: the System pool of a cluster.
//!
//! What comes is there before the last one goes. When the only one is replaced under its own name, another one stands in
//! for it: it is made first, is noted in the ledger so that a run that dies leaves nothing behind, and goes at the end.

use super::decide::sort;
use super::model::{Conflict, Impact, Plan, Reason, Step};
use crate::catalog::{Arrival, KeepsOne, resource_type};
use crate::change::Action;
use crate::graph::Dag;
use crate::ident::{Address, ArmId};
use crate::state::{Desired, Observation, Observed};
use crate::value::at_pointer;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The steps below one parent that have to do with a role which one of them has to keep, and that nobody else keeps.
#[derive(Debug)]
pub(super) struct Roles {
    word: KeepsOne,
    parent: ArmId,
    /// Those that have it and are replaced in place.
    pub(super) replaced: Vec<usize>,
    /// Those of `replaced` whose successor has it.
    pub(super) again: Vec<usize>,
    /// Those that have it, and go or give it up.
    pub(super) leaving: Vec<usize>,
    /// Those that have it afterwards and have not yet.
    pub(super) coming: Vec<usize>,
}

impl Roles {
    /// That Azure would refuse to let go of the last one.
    pub(super) fn last(&self, step: &Step, steps: &[Step]) -> Conflict {
        let parent = steps.iter().find(|step| step.id == self.parent);
        let parent = parent.map_or_else(|| self.parent.name().to_owned(), |step| step.address.to_string());
        let what = self.word.what;
        Conflict {
            address: step.address.clone(),
            id: step.id.clone(),
            message: format!("it is the only {what} of `{parent}`, and Azure keeps at least one"),
            help: format!(
                "give the {what} another key: the new one is then made first, and the old one goes afterwards"
            ),
        }
    }
}

/// The roles of which somebody has to see that one stays.
pub(super) fn roles(steps: &[Step], desired: &Desired, observed: &Observed) -> Vec<Roles> {
    let body = |id: &ArmId| observed.get(id).and_then(Observation::body);
    let mut groups: BTreeMap<(ArmId, String), Vec<usize>> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        let word = resource_type(&step.arm_type).and_then(|kind| kind.keeps_one);
        if let (Some(_), Some(parent)) = (word, step.id.parent()) {
            groups.entry((parent, step.arm_type.to_ascii_lowercase())).or_default().push(at);
        }
    }
    let actions: HashMap<&ArmId, Action> = match groups.is_empty() {
        true => HashMap::new(),
        false => steps.iter().rev().map(|step| (&step.id, step.action)).collect(),
    };
    let mut found = Vec::new();
    for ((parent, arm_type), members) in groups {
        let Some(word) = resource_type(&arm_type).and_then(|kind| kind.keeps_one) else { continue };
        // What goes or comes with its parent is the parent's matter.
        let above = actions.get(&parent).copied();
        let stays =
            !matches!(above, Some(Action::Create | Action::Replace | Action::Delete | Action::Recover));
        let Some(live) = body(&parent).filter(|_| stays) else { continue };
        let has = |body: &Value, pointer: &str| {
            at_pointer(body, pointer)
                .and_then(Value::as_str)
                .is_some_and(|text| text.eq_ignore_ascii_case(word.value))
        };
        let listed = at_pointer(live, word.listed.0).and_then(Value::as_array).into_iter().flatten();
        let ours = |name: &str| members.iter().any(|&at| steps[at].id.name().eq_ignore_ascii_case(name));
        let foreign = listed
            .filter(|element| has(element, word.listed.1))
            .any(|element| element.get("name").and_then(Value::as_str).is_some_and(|name| !ours(name)));
        if foreign {
            continue;
        }
        let mut roles = Roles {
            word,
            parent,
            replaced: Vec::new(),
            again: Vec::new(),
            leaving: Vec::new(),
            coming: Vec::new(),
        };
        let mut keeps = false;
        for at in members {
            let step = &steps[at];
            let had = body(&step.id).is_some_and(|body| has(body, word.pointer));
            let wanted = desired.by_id.get(&step.id).map(|&at| &desired.resources[at]);
            let has = wanted.map(|resource| has(&resource.for_creation(&resource.body), word.pointer));
            // A blueprint that leaves it out leaves it as it is.
            let has = match wanted.is_some_and(|resource| resource.body.pointer(word.pointer).is_none()) {
                true if step.action != Action::Replace && step.action != Action::Create => Some(had),
                _ => has,
            };
            let stands_in = matches!(step.reason, Reason::StandsIn { .. });
            match (step.action, had, has.unwrap_or(had) || stands_in) {
                (Action::Delete, ..) if stands_in => {}
                (Action::Delete, true, _) => roles.leaving.push(at),
                (Action::Delete | Action::Forget, _, _) => {}
                (Action::Replace, true, again) => {
                    roles.replaced.push(at);
                    roles.again.extend(again.then_some(at));
                }
                (Action::Update, true, false) => roles.leaving.push(at),
                (_, true, _) => keeps = true,
                (Action::Create | Action::Replace | Action::Update, false, true) => roles.coming.push(at),
                _ => {}
            }
        }
        let goes = !roles.replaced.is_empty() || !roles.leaving.is_empty();
        if goes && !keeps {
            found.push(roles);
        }
    }
    found
}

/// Adds what stands in for the only one of a role while that is replaced under its own name.
pub(super) fn stand_ins(plan: &mut Plan, desired: &Desired, observed: &Observed) {
    let mut added: Vec<(usize, Step, Step)> = Vec::new();
    for roles in roles(&plan.steps, desired, observed) {
        let [at] = roles.replaced[..] else { continue };
        if !(roles.coming.is_empty() && roles.leaving.is_empty()) {
            continue;
        }
        let step = &plan.steps[at];
        // What has no create of its own cannot be made beside it.
        let Some(resource) = desired.by_id.get(&step.id).map(|&at| &desired.resources[at]) else { continue };
        let own = matches!(resource.arrival, Arrival::Own | Arrival::WithParent);
        let Some(id) = name_of(&roles, step, observed).filter(|_| own) else { continue };
        let reason = Reason::StandsIn { replaced: step.address.clone() };
        let address = Address::new(format!("{}.standIn", step.address));
        let kind = resource.kind;
        let made = Step {
            address: address.clone(),
            id: id.clone(),
            action: Action::Create,
            reason: reason.clone(),
            changes: Vec::new(),
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
            expected_ms: kind.expected.as_millis() as u64,
            ..step.clone()
        };
        let gone = Step {
            action: Action::Delete,
            desired: Value::Null,
            impact: Impact::Destructive,
            expected_ms: kind.expected_delete.as_millis() as u64,
            ..made.clone()
        };
        added.push((at, made, gone));
    }
    if added.is_empty() {
        return;
    }
    let mut steps = std::mem::take(&mut plan.steps);
    let mut edges: Vec<Vec<usize>> = steps.iter().map(|step| step.after.clone()).collect();
    for (at, made, gone) in added {
        edges.push(edges[at].clone());
        edges[at].push(steps.len());
        edges.push(vec![at, steps.len()]);
        steps.extend([made, gone]);
    }
    let mut dag = Dag::new(steps.len());
    for (at, needs) in edges.iter().enumerate() {
        needs.iter().for_each(|&need| dag.need(at, need));
    }
    plan.steps = sort(steps, &dag).0;
}

/// The id of what stands in: the name of the other with something behind it, which nothing has yet.
fn name_of(roles: &Roles, step: &Step, observed: &Observed) -> Option<ArmId> {
    let parent = &roles.parent;
    let listed = observed.get(parent).and_then(Observation::body)?.pointer(roles.word.listed.0);
    let names: Vec<String> = listed
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|element| Some(element.get("name")?.as_str()?.to_ascii_lowercase()))
        .collect();
    let collection = step.arm_type.rsplit('/').next()?;
    let own = step.id.name();
    ["tmp", "tmp2", "tmp3"].into_iter().find_map(|end| {
        let room = roles.word.longest_name.checked_sub(end.len())?;
        let name = format!("{}{end}", own.chars().take(room).collect::<String>());
        let is_free = !names.contains(&name.to_ascii_lowercase());
        is_free.then(|| parent.child(collection, &name))
    })
}
