//! From the steps of a plan to its program.

use super::approvals;
use super::keeps_one::{self, Roles};
use super::model::{Conflict, Plan, Reason, Step};
use super::once_connected;
use super::program::{
    Approve, Delete, Guard, Holding, Mode, Program, Put, Register, Seen, SeenOwner, Unit, Work,
};
use super::scarce;
use crate::catalog::{Arrival, ResourceType, resource_type};
use crate::change::{Action, DeleteMode};
use crate::graph::Dag;
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::private_link::Connection;
use crate::state::{
    Approval, Desired, DesiredResource, OWNER_TAG, Observation, Observed, Provisioning, lanes, owner_of,
};
use crate::value::token::{self, Token};
use crate::value::{Change, ChangeKind, get_path, is_at_work, is_secret, set_path};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How long an operation may take of which the blueprint says nothing: that of a resource it no longer mentions.
const TIMEOUT: Duration = Duration::from_secs(90 * 60);

/// Compiles the steps of a plan into its program.
///
/// Whatever changes the steps (purging, targets) comes before.
pub fn compile(plan: &mut Plan, desired: &Desired, ledger: &Ledger, observed: &Observed) {
    keeps_one::stand_ins(plan, desired, observed);
    once_connected::put_off(plan, desired, observed);
    let compiler = Compiler::new(&plan.steps, desired, ledger, observed);
    let mut program =
        Program { units: compiler.units(), outputs: desired.outputs.clone(), ..Program::default() };
    let conflicts = compiler.order(&mut program.units);
    watch_what_is_needed(&mut program.units, &plan.steps);
    let mut source = |value: &Value| {
        token::for_each(value, &mut |token| {
            let Token::Output { address, .. } = token else { return };
            if let Some(&at) = desired.by_address.get(address) {
                program.sources.insert(address.clone(), desired.resources[at].id.clone());
            }
        });
    };
    program.outputs.iter().for_each(|output| source(&output.value));
    // What is set once may be an output too.
    for unit in &program.units {
        if let Work::Put(put) = &unit.work {
            source(&put.initial);
        }
    }
    program.units.iter().filter_map(|unit| unit.record.as_ref()).for_each(|record| source(&record.body));
    plan.program = program;
    plan.conflicts.extend(conflicts);
}

/// The order of steps alone, for a plan of which no blueprint is at hand.
pub(super) fn outline(steps: &[Step]) -> Vec<Unit> {
    let (desired, ledger) = (Desired::default(), Ledger::new("", ""));
    let observed = Observed::new();
    let compiler = Compiler::new(steps, &desired, &ledger, &observed);
    let mut units = compiler.units();
    for (unit, step) in units.iter_mut().zip(steps) {
        let idle = matches!(step.action, Action::NoOp | Action::Forget | Action::Adopt | Action::Release);
        unit.expected_ms = if idle { 0 } else { step.expected_ms };
    }
    units.truncate(steps.len());
    units
}

struct Compiler<'a> {
    steps: &'a [Step],
    desired: &'a Desired,
    ledger: &'a Ledger,
    observed: &'a Observed,
    by_id: HashMap<&'a ArmId, usize>,
}

impl<'a> Compiler<'a> {
    fn new(steps: &'a [Step], desired: &'a Desired, ledger: &'a Ledger, observed: &'a Observed) -> Self {
        // Of two steps on one resource the first one makes it.
        let by_id = steps.iter().enumerate().rev().map(|(at, step)| (&step.id, at)).collect();
        Compiler { steps, desired, ledger, observed, by_id }
    }

    /// The unit of each step, and behind them those that clear replaced resources away; without their order.
    fn units(&self) -> Vec<Unit> {
        let deleted = self.steps.iter().filter(|step| step.action == Action::Delete);
        let gone =
            |step: &Step| -> Vec<ArmId> { [step.id.clone()].into_iter().chain(self.brought(step)).collect() };
        let deleted: Arc<HashSet<ArmId>> = Arc::new(deleted.flat_map(gone).collect());
        let mut units: Vec<Unit> =
            self.steps.iter().enumerate().map(|(at, step)| self.unit(at, step, &deleted)).collect();
        let in_place = |step: &Step| step.action == Action::Replace && step.moved_from.is_none();
        for (at, step) in self.steps.iter().enumerate().filter(|(_, step)| in_place(step)) {
            let unit = self.clear(at, step);
            units[at].expected_ms = step.expected_ms.saturating_sub(unit.expected_ms);
            units.push(unit);
        }
        units
    }

    /// What Azure made along with the resource of a step, and deletes after it.
    fn brought(&self, step: &Step) -> Vec<ArmId> {
        let (Some(kind), Some(body)) =
            (resource_type(&step.arm_type), self.observed.get(&step.id).and_then(Observation::body))
        else {
            return Vec::new();
        };
        let lists = kind.brings.iter().filter_map(|pointer| body.pointer(pointer)?.as_array());
        lists.flatten().filter_map(|item| ArmId::parse(item.get("id")?.as_str()?).ok()).collect()
    }

    /// The step that the unit of a step is told with.
    fn told_with(&self, at: usize) -> usize {
        let step = &self.steps[at];
        let successor = || {
            self.steps.iter().position(|other| {
                other.moved_from.as_ref() == Some(&step.id) && other.address == step.address
            })
        };
        if step.told_elsewhere { successor().unwrap_or(at) } else { at }
    }

    fn resource(&self, step: &Step) -> Option<&DesiredResource> {
        let id = match &step.reason {
            // What stands in is asked for as what it stands in for.
            Reason::StandsIn { replaced } => self.desired.by_address.get(replaced),
            _ => self.desired.by_id.get(&step.id),
        };
        id.map(|&at| &self.desired.resources[at])
    }

    fn unit(&self, at: usize, step: &Step, deleted: &Arc<HashSet<ArmId>>) -> Unit {
        let resource = self.resource(step);
        let (work, sends) = match self.work(step, resource, deleted) {
            work if work.sends() => (work, true),
            work => (work, false),
        };
        let arrives = matches!(&work, Work::Put(put) if put.mode == Mode::Arrive);
        let awaits = matches!(step.reason, Reason::Awaited { .. });
        let own = || match (step.action, resource) {
            (Action::Delete, _) | (_, None) => {
                self.ledger.resources.get(&step.id).map(|owned| owned.lanes.clone()).unwrap_or_else(|| {
                    let kind = resource_type(&step.arm_type);
                    kind.map_or_else(Vec::new, |kind| {
                        lanes(kind, &step.id, &Provisioning::Resource, &Value::Null)
                    })
                })
            }
            (_, Some(resource)) => self.lanes(resource),
        };
        Unit {
            step: self.told_with(at),
            clears: step.told_elsewhere,
            id: step.id.clone(),
            // What came with its parent is only looked at; and who waits for others keeps nobody waiting.
            lanes: if sends && !arrives && !awaits { own() } else { Vec::new() },
            fresh: self.needs_fresh(step),
            expected_ms: if sends { step.expected_ms } else { 0 },
            timeout: resource.map_or(TIMEOUT, |resource| resource.timeout),
            record: resource.and_then(|resource| self.holding(step, resource)),
            after: step.after.iter().copied().filter(|&before| before < at).collect(),
            work,
        }
    }

    /// Whether a step needs something that the plan makes, other than its group and its provider.
    fn needs_fresh(&self, step: &Step) -> bool {
        step.after.iter().filter_map(|&need| self.steps.get(need)).any(|need| {
            matches!(need.action, Action::Create | Action::Replace | Action::Recover)
                && !need.arm_type.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups")
        })
    }

    fn lanes(&self, resource: &DesiredResource) -> Vec<ArmId> {
        lanes(resource.kind, &resource.id, &resource.operation, &resource.for_creation(&resource.body))
    }

    fn work(&self, step: &Step, resource: Option<&DesiredResource>, deleted: &Arc<HashSet<ArmId>>) -> Work {
        match (step.action, resource) {
            (Action::Forget, _) => Work::Forget,
            (Action::Delete, _) if matches!(step.reason, Reason::GoesWithParent { .. }) => Work::Forget,
            (Action::Delete, _) => {
                let group = step.id.resource_type() == "Microsoft.Resources/resourceGroups";
                // The list of a group lags behind: what the same plan deleted may still be in it.
                let expected = group.then(|| deleted.clone());
                Work::Delete(Delete {
                    api_version: self.known_version(step),
                    query: delete_query(&step.arm_type),
                    purge: step.purge.clone(),
                    seen_owner: self.seen_on(step),
                    expected,
                })
            }
            // A run that lost its ledger may have begun it a moment ago: it is not there before it is at rest.
            (Action::Adopt, Some(resource))
                if resource.operation == Provisioning::Resource && self.is_at_work(&step.id) =>
            {
                Work::Watch { api_version: resource.kind.api_version }
            }
            (Action::Adopt | Action::Release, _) => Work::Record,
            (_, None) => Work::Idle,
            (action, Some(resource)) => match &resource.operation {
                Provisioning::Approval(approval) => self.approve(step, resource, approval),
                // What uses it waits until somebody else's work on it has ended.
                Provisioning::Resource | Provisioning::Existing
                    if action == Action::NoOp && self.is_at_work(&step.id) =>
                {
                    Work::Watch { api_version: resource.kind.api_version }
                }
                _ if action == Action::NoOp => Work::Idle,
                // It is never written.
                Provisioning::Existing => Work::Idle,
                Provisioning::Registration => Work::Register(register(resource)),
                Provisioning::Resource => Work::Put(self.put(step, resource)),
            },
        }
    }

    fn approve(&self, step: &Step, resource: &DesiredResource, approval: &Approval) -> Work {
        let expected_by_itself = step.reason == Reason::ApprovesItself;
        if !matches!(step.action, Action::Approve | Action::Reject) && !expected_by_itself {
            return Work::Idle;
        }
        let look = approvals::look(self.desired, self.observed, resource, approval);
        let seen = |connection: &Connection| Seen {
            id: connection.id.clone(),
            endpoint: connection.endpoint.clone(),
            status: connection.status.clone(),
        };
        Work::Approve(Approve {
            target: approval.target.clone(),
            api_version: approval.api_version.clone().unwrap_or_default(),
            policy: approval.policy.clone(),
            seen: look.iter().flat_map(|look| &look.decided).map(seen).collect(),
            awaits: approval.endpoint.is_some() || matches!(step.reason, Reason::Awaited { .. }),
            endpoint: approval.endpoint.clone(),
            expected_by_itself,
        })
    }

    /// The API version in which what is there is deleted.
    fn known_version(&self, step: &Step) -> String {
        let owned = || Some(self.ledger.resources.get(&step.id)?.api_version.clone());
        let wanted = || Some(self.resource(step)?.kind.api_version.to_owned());
        // What others made is in no ledger.
        let foreign = || {
            let mut children = self.desired.resources.iter().flat_map(DesiredResource::exclusive_children);
            let kind = children.find(|(_, kind)| kind.arm_type.eq_ignore_ascii_case(&step.arm_type))?.1;
            Some(kind.api_version.to_owned())
        };
        let known = || resource_type(&step.arm_type).map(|kind| kind.api_version.to_owned());
        owned().or_else(wanted).or_else(foreign).or_else(known).unwrap_or_default()
    }

    /// The removal of what a replaced step replaces.
    fn clear(&self, at: usize, step: &Step) -> Unit {
        let resource = self.resource(step);
        let taken_along = matches!(&step.reason, Reason::ParentReplaced { .. })
            && resource.is_some_and(|resource| resource.kind.delete != DeleteMode::Always);
        let kind: Option<&ResourceType> =
            resource.map(|resource| resource.kind).or_else(|| resource_type(&step.arm_type));
        let expected = kind.map_or(0, |kind| kind.expected_delete.as_millis() as u64);
        let held = self.ledger.resources.get(&step.id).map(|owned| owned.lanes.clone());
        let work = match taken_along {
            true => Work::Idle,
            false => Work::Delete(Delete {
                api_version: self.known_version(step),
                query: delete_query(&step.arm_type),
                purge: step.purge.clone(),
                seen_owner: self.seen_on(step),
                expected: None,
            }),
        };
        Unit {
            step: at,
            clears: true,
            id: step.id.clone(),
            lanes: match taken_along {
                true => Vec::new(),
                false => {
                    held.unwrap_or_else(|| resource.map_or_else(Vec::new, |resource| self.lanes(resource)))
                }
            },
            fresh: false,
            expected_ms: if taken_along { 0 } else { expected.min(step.expected_ms) },
            timeout: resource.map_or(TIMEOUT, |resource| resource.timeout),
            record: None,
            after: Vec::new(),
            work,
        }
    }

    fn put(&self, step: &Step, resource: &DesiredResource) -> Put {
        let arrives = match step.reason {
            Reason::ArrivesWithParent { .. } => true,
            Reason::ParentReplaced { .. } => resource.arrival == Arrival::WithParent,
            _ => false,
        };
        let mode = match (step.action, &step.reason) {
            (Action::Recover, _) => Mode::Recover,
            _ if arrives => Mode::Arrive,
            // What was below a recovered resource comes back with it.
            (Action::Create, _) if self.recovers_above(resource) => Mode::Update,
            (Action::Create | Action::Replace, _) => Mode::Create,
            (_, Reason::FailedProvisioning { .. } | Reason::KeepsNoMore | Reason::OutOfStep) => Mode::Repair,
            _ => Mode::Update,
        };
        let unseen = |change: &Change| {
            change.kind == ChangeKind::Set && (change.before.is_null() || is_secret(&change.before))
        };
        Put {
            mode,
            guard: self.guard(step, resource, mode),
            seen_owner: self.seen_on(step),
            kind: resource.kind,
            body: before_connected(step, resource.kind, asked(step, resource)),
            initial: resource.initial.clone(),
            changes: step.changes.clone(),
            unseen: step.changes.iter().any(unseen),
            kept_back: step.kept_back.iter().map(|change| change.path.clone()).collect(),
            awaited: step.awaits.is_some(),
            named_there: resource.named_there.clone(),
            query: in_step_query(resource.kind, &step.changes),
        }
    }

    fn is_at_work(&self, id: &ArmId) -> bool {
        self.observed.get(id).and_then(Observation::body).is_some_and(is_at_work)
    }

    fn recovers_above(&self, resource: &DesiredResource) -> bool {
        let step = |id: ArmId| self.by_id.get(&id).map(|&at| &self.steps[at]);
        resource.id.ancestors().filter_map(step).any(|step| step.action == Action::Recover)
    }

    /// Nothing can have appeared below what the same plan creates, but for a group: others fill that as soon as it is
    /// there. What is replaced may be made again by others (a policy, another tool) as soon as it is cleared away; of what
    /// ARM cannot delete there is always one.
    fn guard(&self, step: &Step, resource: &DesiredResource, mode: Mode) -> Guard {
        let made = |id: &ArmId| {
            let step = self.by_id.get(id).map(|&at| &self.steps[at]);
            step.is_some_and(|step| matches!(step.action, Action::Create | Action::Replace))
                && !id.is_of_type("Microsoft.Resources/resourceGroups")
        };
        let stays = matches!(resource.kind.delete, DeleteMode::WithParent | DeleteMode::Never);
        match mode {
            _ if mode != Mode::Create => Guard::Unneeded,
            _ if step.action == Action::Replace && stays => Guard::Unneeded,
            _ if resource.id.parent().is_some_and(|parent| made(&parent)) => Guard::Unneeded,
            _ if resource.kind.conditional => Guard::IfNoneMatch,
            _ => Guard::Read,
        }
    }

    /// The owner's tag on the resource of a step, when that is there and can carry one.
    fn seen_on(&self, step: &Step) -> Option<SeenOwner> {
        let tag = owner_of(self.observed.get(&step.id)?.body()?).map(str::to_owned);
        let tagged = match self.resource(step) {
            Some(resource) => resource.kind.tags,
            None => resource_type(&step.arm_type).is_some_and(|kind| kind.tags),
        };
        (tagged || tag.is_some()).then_some(SeenOwner { tag })
    }

    /// What the ledger says was asked for, once the step is done: what a step keeps back was asked for before.
    fn held(&self, step: &Step, resource: &DesiredResource) -> Arc<Value> {
        match self.ledger.resources.get(&step.id) {
            Some(owned) if !step.kept_back.is_empty() => Arc::new(owned.applied.clone()),
            _ => resource.as_written(asked(step, resource)),
        }
    }

    fn holding(&self, step: &Step, resource: &DesiredResource) -> Option<Arc<Holding>> {
        if resource.operation != Provisioning::Resource {
            return None;
        }
        let at = self.desired.by_id.get(&resource.id).copied().unwrap_or_default();
        let stands_in = matches!(step.reason, Reason::StandsIn { .. });
        let needed = self.desired.graph.dependencies(at).iter().map(|&at| &self.desired.resources[at]);
        Some(Arc::new(Holding {
            address: if stands_in { step.address.clone() } else { resource.address.clone() },
            kind: resource.kind,
            body: self.held(step, resource),
            depends_on: needed
                .filter(|needed| needed.operation == Provisioning::Resource)
                .map(|needed| needed.id.clone())
                .collect(),
            protect: resource.protect,
            lanes: self.lanes(resource),
        }))
    }

    /// Draws the edges that clearing away brings.
    ///
    /// What is replaced is cleared after everything that was on it, and after everything that its successor needs: a need
    /// that fails leaves the old resource alone. The same holds for what stands on a replaced resource and so has to
    /// go with it: it is cleared only when the needs of both successors are met.
    fn order(&self, units: &mut [Unit]) -> Vec<Conflict> {
        let steps = self.steps.len();
        let clearing: HashMap<usize, usize> =
            (steps..units.len()).map(|unit| (units[unit].step, unit)).collect();
        let mut dag = Dag::new(units.len());
        for (at, unit) in units.iter().enumerate() {
            let removes = matches!(unit.work, Work::Delete(_) | Work::Forget);
            for &before in &unit.after {
                // What is removed waits until what used it has let go, not until that is made anew.
                let before = clearing.get(&before).filter(|_| removes).copied().unwrap_or(before);
                dag.need(at, before);
            }
        }
        for (&at, &unit) in &clearing {
            dag.need(at, unit);
            for before in &self.steps[at].after {
                if let Some(&other) = clearing.get(before) {
                    dag.need(other, unit);
                }
            }
        }
        // What is deleted for good and used something that is replaced goes before that is cleared away.
        let replaced: HashMap<&ArmId, usize> =
            clearing.iter().map(|(&at, &unit)| (&self.steps[at].id, unit)).collect();
        for (at, step) in self.steps.iter().enumerate().filter(|(_, step)| step.action == Action::Delete) {
            let owned = self.ledger.resources.get(&step.id);
            for id in owned.map(|owned| owned.depends_on.as_slice()).unwrap_or_default() {
                if let Some(&unit) = replaced.get(id) {
                    dag.need(unit, at);
                }
            }
        }
        // What stood in for something goes when that is there again.
        for (at, step) in self.steps.iter().enumerate() {
            if matches!(step.reason, Reason::StandsIn { .. }) {
                step.after.iter().for_each(|&before| dag.need(at, before));
            }
        }
        let mut conflicts = self.take_turns(&mut dag, units, &clearing);
        for (at, unit) in (0..steps).filter_map(|at| Some((at, *clearing.get(&at)?))) {
            self.after_needs(&mut dag, unit, at);
        }
        self.successors_first(&mut dag, units);
        conflicts.extend(self.left_outside(&mut dag));
        conflicts.extend(self.keep_one(&mut dag, &clearing));
        for (at, unit) in units.iter_mut().enumerate() {
            unit.after = dag.dependencies(at).to_vec();
            unit.after.sort_unstable();
        }
        conflicts
    }

    /// Has `unit`, which takes something away, wait for everything that the successor of that (the step `at`) needs.
    fn after_needs(&self, dag: &mut Dag, unit: usize, at: usize) {
        let later = dag.all_dependants(unit);
        let mut seen = HashSet::new();
        let mut needs = self.steps[at].after.clone();
        while let Some(need) = needs.pop() {
            if need == unit || !seen.insert(need) {
                continue;
            }
            match later.contains(&need) {
                // It comes after this is taken away: what it needs itself can be met before.
                true => needs.extend(&self.steps[need].after),
                false => dag.need(unit, need),
            }
        }
    }

    /// Puts old and new of what excludes each other in order; what cannot be put in order is in the way.
    fn take_turns(&self, dag: &mut Dag, units: &[Unit], clearing: &HashMap<usize, usize>) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let live = |step: &Step| self.observed.get(&step.id).and_then(Observation::body);
        let gives_way = |step: &Step| matches!(step.action, Action::Delete | Action::Update);
        let comes = |step: &Step| matches!(step.action, Action::Create | Action::Update | Action::Replace);
        let mut leaving: HashMap<(Option<ArmId>, String), Vec<usize>> = HashMap::new();
        let key = |step: &Step| (step.id.parent(), step.arm_type.to_ascii_lowercase());
        for (at, step) in self.steps.iter().enumerate().filter(|(_, step)| gives_way(step)) {
            if live(step).is_some() && !matches!(units[at].work, Work::Idle) {
                leaving.entry(key(step)).or_default().push(at);
            }
        }
        let mut going: HashMap<(Option<ArmId>, String), Vec<usize>> = HashMap::new();
        for &at in clearing.keys().filter(|&&at| live(&self.steps[at]).is_some()) {
            going.entry(key(&self.steps[at])).or_default().push(at);
        }
        going.values_mut().for_each(|list| list.sort_unstable());
        for (at, step) in self.steps.iter().enumerate().filter(|(_, step)| comes(step)) {
            let Some(resource) = self.resource(step).filter(|resource| !resource.kind.scarce.is_empty())
            else {
                continue;
            };
            // What is replaced gives up what it has when it is cleared away, and not when its successor is there.
            for &old in going.get(&key(step)).into_iter().flatten().filter(|&&old| old != at) {
                let there = live(&self.steps[old]).unwrap_or(&Value::Null);
                if !scarce::exclude(resource.kind.scarce, there, &resource.for_creation(&resource.body)) {
                    continue;
                }
                let cleared = clearing[&old];
                if dag.all_dependants(at).contains(&cleared) {
                    conflicts.push(in_each_others_way(step, &self.steps[old]));
                    continue;
                }
                dag.need(at, cleared);
                // Nothing goes before it is certain that both successors can come; of two that change places one goes first.
                let Some(&own) = clearing.get(&at) else { continue };
                self.after_needs(dag, own, old);
                if !dag.all_dependants(own).contains(&cleared) {
                    dag.need(own, cleared);
                }
            }
            for &old in leaving.get(&key(step)).into_iter().flatten().filter(|&&old| old != at) {
                let there = live(&self.steps[old]).unwrap_or(&Value::Null);
                if !scarce::exclude(resource.kind.scarce, there, &resource.for_creation(&resource.body)) {
                    continue;
                }
                match dag.all_dependants(at).contains(&old) {
                    true => conflicts.push(in_each_others_way(step, &self.steps[old])),
                    false => {
                        dag.need(at, old);
                        if self.steps[old].action == Action::Delete {
                            self.after_needs(dag, old, at);
                        }
                    }
                }
            }
        }
        conflicts
    }

    /// An old resource under another id stays until its successor is there, unless the two exclude each other.
    fn successors_first(&self, dag: &mut Dag, units: &[Unit]) {
        for at in (0..self.steps.len()).filter(|&at| self.steps[at].told_elsewhere) {
            let new = units[at].step;
            if new != at && !dag.all_dependants(at).contains(&new) {
                dag.need(at, new);
            }
        }
    }

    /// Has one of a kind stay that at least one has to be of: what comes is there before the last one goes.
    fn keep_one(&self, dag: &mut Dag, clearing: &HashMap<usize, usize>) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        for roles in keeps_one::roles(self.steps, self.desired, self.observed) {
            conflicts.extend(self.keep_one_of(&roles, dag, clearing));
        }
        conflicts
    }

    fn keep_one_of(
        &self,
        roles: &Roles,
        dag: &mut Dag,
        clearing: &HashMap<usize, usize>,
    ) -> Option<Conflict> {
        // What goes, and by which unit.
        let going = roles.replaced.iter().map(|at| (*at, clearing.get(at).copied()));
        let going: Vec<(usize, usize)> = going
            .filter_map(|(at, unit)| Some((at, unit?)))
            .chain(roles.leaving.iter().map(|&at| (at, at)))
            .collect();
        let made = roles.replaced.iter().copied().filter(|at| roles.again.contains(at));
        let mut sequence: Vec<(usize, usize)> = Vec::new();
        for &(at, unit) in &going {
            let is_leaving = roles.leaving.contains(&at);
            // What is there by then: what comes, what was replaced before, and for what leaves for good all of it.
            let before: Vec<usize> = match is_leaving {
                true => roles.coming.iter().copied().chain(made.clone()).collect(),
                false if !roles.coming.is_empty() => roles.coming.clone(),
                false if !roles.leaving.is_empty() => Vec::new(),
                false => sequence.last().map(|&(earlier, _)| vec![earlier]).unwrap_or_default(),
            };
            sequence.push((at, unit));
            for need in before.into_iter().filter(|&need| need != at) {
                if need == unit || dag.all_dependants(unit).contains(&need) {
                    return Some(roles.last(&self.steps[at], self.steps));
                }
                dag.need(unit, need);
            }
        }
        let remains = !roles.coming.is_empty() || !roles.again.is_empty();
        let last = going.last().map(|&(at, _)| at);
        let alone = roles.replaced.len() == 1 && roles.coming.is_empty() && roles.leaving.is_empty();
        last.filter(|_| !remains || alone).map(|at| roles.last(&self.steps[at], self.steps))
    }

    /// Ranges that a parent gives up while something below it still has them.
    fn left_outside(&self, dag: &mut Dag) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let within = match self.resource(step) {
                Some(resource) => resource.kind.within,
                None => resource_type(&step.arm_type).and_then(|kind| kind.within),
            };
            let parent = step.id.parent().and_then(|id| self.by_id.get(&id).copied());
            let (Some(within), Some(parent)) = (within, parent) else { continue };
            let above = &self.steps[parent];
            let (Some(live), Some(wanted)) = (
                self.observed.get(&step.id).and_then(Observation::body),
                self.resource(above).filter(|_| above.action == Action::Update),
            ) else {
                continue;
            };
            if scarce::outside(&within, live, &wanted.body).is_empty() {
                continue;
            }
            match step.action {
                Action::Delete if !dag.all_dependants(parent).contains(&at) => dag.need(parent, at),
                _ => conflicts.push(Conflict {
                    address: above.address.clone(),
                    id: above.id.clone(),
                    message: format!("it gives up the range that `{}` still has", step.address),
                    help: format!(
                        "go in three runs: let `{}` have the old and the new ranges; then move `{}`; then drop the old ranges",
                        above.address, step.address
                    ),
                }),
            }
        }
        conflicts
    }
}

fn in_each_others_way(new: &Step, old: &Step) -> Conflict {
    Conflict {
        address: new.address.clone(),
        id: new.id.clone(),
        message: format!("it takes what `{}` has now, which that can give up only afterwards", old.address),
        help: format!(
            "go in two runs: first give `{}` something that is free, then what it is to have; or take what has to let go \
             out of the blueprint for one run",
            new.address
        ),
    }
}

/// Of those that stay as they are, has only those watched that something else waits for.
fn watch_what_is_needed(units: &mut [Unit], steps: &[Step]) {
    let mut needed = vec![false; units.len()];
    let writes = |unit: &Unit| unit.work.sends() && !matches!(unit.work, Work::Watch { .. });
    let mut stack: Vec<usize> = (0..units.len()).filter(|&at| writes(&units[at])).collect();
    while let Some(at) = stack.pop() {
        for &need in &units[at].after {
            if !std::mem::replace(&mut needed[need], true) {
                stack.push(need);
            }
        }
    }
    for (unit, needed) in units.iter_mut().zip(needed) {
        let stays = steps.get(unit.step).is_some_and(|step| step.action == Action::NoOp);
        if !needed && stays && matches!(unit.work, Work::Watch { .. }) {
            unit.work = Work::Idle;
        }
    }
}

/// What a step asks for: all of the blueprint's, but of what is taken over only the tag.
fn asked(step: &Step, resource: &DesiredResource) -> Arc<Value> {
    if step.reason != Reason::TakenOver {
        return resource.body.clone();
    }
    let owner = owner_of(&resource.body).map(|owner| json!({ "tags": { OWNER_TAG: owner } }));
    Arc::new(owner.unwrap_or_else(|| json!({})))
}

/// The body of a change in place, without what Azure takes only once somebody is connected when a later step says that.
fn before_connected(step: &Step, kind: &ResourceType, mut body: Arc<Value>) -> Arc<Value> {
    for (path, _) in kind.at_first.iter().filter(|_| step.action == Action::Update) {
        let said = get_path(&step.desired, path)
            .filter(|said| get_path(&body, path).is_some_and(|own| own != *said));
        if let Some(said) = said.cloned() {
            set_path(Arc::make_mut(&mut body), path, said);
        }
    }
    body
}

fn register(resource: &DesiredResource) -> Register {
    // A feature takes effect once its provider is registered again.
    let feature = resource.id.as_str().contains("/providers/Microsoft.Features/");
    let provider = || {
        let subscription = resource.id.subscription()?;
        ArmId::parse(&format!("/subscriptions/{subscription}/providers/{}", resource.id.namespace())).ok()
    };
    Register {
        kind: resource.kind,
        wanted: resource.body.clone(),
        provider: if feature { provider() } else { None },
    }
}

/// What a PUT says that brings a resource back in step with another one.
fn in_step_query(kind: &ResourceType, changes: &[Change]) -> &'static [(&'static str, &'static str)] {
    let mends = kind.in_step.iter().find(|word| changes.iter().any(|change| change.path == word.path));
    mends.map_or(&[], |word| word.query)
}

/// What a DELETE of a type says besides.
fn delete_query(arm_type: &str) -> &'static [(&'static str, &'static str)] {
    resource_type(arm_type).map_or(&[], |kind| kind.delete_query)
}
