//! From desired, ledger and observed to a plan.

use super::approvals::{self, Coming, Told};
use super::duplicates;
use super::guard;
use super::impact::{disruption, expected_ms, lost};
use super::left_alone;
use super::model::{Adoption, Conflict, Impact, OutputValue, Plan, Reason, Step, VERSION};
use super::moves;
use super::ownership::{self, Standing, Tags};
use super::program::Program;
use super::removal::{self, Removals};
use super::unanswered;
use crate::catalog::{Arrival, UpdateMode};
use crate::change::Action;
use crate::graph::Dag;
use crate::ident::{Address, ArmId, Owner};
use crate::ledger::{Ledger, Owned};
use crate::state::{
    Approval, Desired, DesiredResource, Named, OWNER_TAG, Observation, Observed, Provisioning, owner_of,
};
use crate::value::token::{self, Token};
use crate::value::{Change, ChangeKind, Comparison, Flag, Rule, diff, foreign, without, without_ignored};
use crate::value::{at_pointer, digest, get_path, is_secret, lookup, named_there, shown_secrets};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Decides what is to be done so that Azure is as the blueprint asks.
///
/// Everything in `observed` was read; what was not read counts as absent.
pub fn plan(desired: &Desired, ledger: &Ledger, observed: &Observed, adoption: Adoption) -> Plan {
    let order = desired.graph.order().expect("a linked blueprint has no cycles");
    let tags = Tags::new(&desired.owner(), ledger);
    let mut planner = Planner {
        desired,
        ledger,
        tags: &tags,
        observed,
        adoption,
        actions: vec![Action::NoOp; desired.resources.len()],
        unknown: vec![false; desired.resources.len()],
        duplicates: duplicates::in_the_way(desired, ledger, observed),
        conflicts: Vec::new(),
        warnings: Vec::new(),
    };
    let mut steps: Vec<Option<Step>> = vec![None; desired.resources.len()];
    for &at in &order {
        let step = planner.step(at);
        planner.actions[at] = step.action;
        steps[at] = Some(step);
    }
    let steps: Vec<Step> = steps.into_iter().flatten().collect();
    let mut removals = removal::no_longer_wanted(desired, &tags, ledger, observed);
    let replaced = |at: usize| planner.actions[at] == Action::Replace;
    let (theirs, owned) = removal::foreign(desired, &tags, ledger, observed, &replaced);
    removals.steps.extend(theirs);
    let outputs = desired
        .outputs
        .iter()
        .map(|output| {
            let value = planner.resolved(&output.value).into_owned();
            (output.name.clone(), OutputValue { value, secret: output.secret })
        })
        .collect();
    let stays =
        |at: usize| !matches!(planner.actions[at], Action::Create | Action::Replace | Action::Recover);
    let mut left_alone = left_alone::left_alone(desired, observed, &planner.actions, &|body| {
        planner.resolved(body).into_owned()
    });
    left_alone.extend(left_alone::added(desired, ledger, observed, &stays));
    let (mut conflicts, mut warnings) = (planner.conflicts, planner.warnings);
    conflicts.extend(unanswered::conflicts(desired, observed, &planner.actions));
    conflicts.extend(owned);
    conflicts.extend(removals.unreadable(observed));
    conflicts.extend(guard::conflicts(desired, observed, &steps));
    conflicts.extend(guard::conflicts(desired, observed, &removals.steps));
    let (mut steps, _) = order_steps(steps, &desired.graph, removals, desired);
    // Before steps are paired: what is replaced under another name is deleted too.
    warnings.extend(ownership::guard(&mut steps, &tags, ledger, observed));
    moves::pair(&mut steps, desired);
    Plan {
        version: VERSION,
        blueprint: desired.blueprint.clone(),
        environment: desired.environment.clone(),
        header: None,
        ledger_serial: ledger.serial,
        destroy: false,
        steps,
        outputs,
        conflicts,
        targets: Vec::new(),
        reverts: Vec::new(),
        left_out: Vec::new(),
        warnings,
        not_ours: approvals::not_ours(desired, observed),
        left_alone,
        program: Program::default(),
    }
}

/// Puts the steps of the blueprint and the removals into one order, with their edges.
fn order_steps(
    mut steps: Vec<Step>,
    graph: &Dag,
    removals: Removals,
    desired: &Desired,
) -> (Vec<Step>, Vec<usize>) {
    let wanted = steps.len();
    steps.extend(removals.steps);
    let mut all = Dag::new(steps.len());
    let lets_go = |at: usize| takes_away_only(&steps[at]);
    for at in 0..wanted {
        let needs = graph.dependencies(at).iter().copied();
        // What only takes something away makes nothing ready for others.
        needs.filter(|&need| !lets_go(need)).for_each(|need| all.need(at, need));
    }
    // It follows those that use it and change as well: a cluster leaves the gateway before its subnet does.
    for at in (0..wanted).filter(|&at| lets_go(at)) {
        let users = graph.all_dependants(at).into_iter().filter(|&user| steps[user].action == Action::Update);
        let needs = all.all_dependants(at);
        users.filter(|user| !needs.contains(user)).for_each(|user| all.need(at, user));
    }
    // What was locked until now is changed after its lock is gone.
    for at in wanted..steps.len() {
        if guard::is_guard(&steps[at].arm_type) && steps[at].action == Action::Delete {
            let locked = |step: &Step| {
                step.action != Action::NoOp && guard::guards(&steps[at].id, &steps[at].arm_type, &step.id)
            };
            (0..wanted).filter(|&step| locked(&steps[step])).for_each(|step| all.need(step, at));
        }
    }
    for (node, dependency) in removals.edges {
        all.need(wanted + node, wanted + dependency);
    }
    // What used a resource lets go of it before it is deleted.
    for (node, user) in removals.after_users {
        if let Some(&user) = desired.by_id.get(&user) {
            all.need(wanted + node, user);
        }
    }
    sort(steps, &all)
}

/// Whether a step changes a resource only by taking something out of it.
fn takes_away_only(step: &Step) -> bool {
    step.action == Action::Update
        && !step.changes.is_empty()
        && step.changes.iter().all(|change| {
            matches!(change.kind, ChangeKind::Remove | ChangeKind::Reset) && is_nothing(&change.after)
        })
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Sorts steps topologically and writes their edges into them.
pub(super) fn sort(steps: Vec<Step>, graph: &Dag) -> (Vec<Step>, Vec<usize>) {
    let order = graph.order().unwrap_or_else(|_| (0..steps.len()).collect());
    let mut position = vec![0; steps.len()];
    order.iter().enumerate().for_each(|(to, &from)| position[from] = to);
    let mut slots: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    let sorted = order
        .iter()
        .filter_map(|&from| {
            let mut step = slots[from].take()?;
            step.after = graph.dependencies(from).iter().map(|&dependency| position[dependency]).collect();
            step.after.sort_unstable();
            Some(step)
        })
        .collect();
    (sorted, position)
}

struct Planner<'a> {
    desired: &'a Desired,
    ledger: &'a Ledger,
    tags: &'a Tags<'a>,
    observed: &'a Observed,
    adoption: Adoption,
    /// What was decided so far, by position.
    actions: Vec<Action>,
    /// Which resources cannot be read, or need one that cannot, by position.
    unknown: Vec<bool>,
    /// What cannot be made, because somebody else made it under another name.
    duplicates: BTreeMap<ArmId, Conflict>,
    conflicts: Vec<Conflict>,
    warnings: Vec<Conflict>,
}

/// A decision about one resource.
struct Decision {
    action: Action,
    reason: Reason,
    changes: Vec<Change>,
}

impl Decision {
    fn of(action: Action, reason: Reason) -> Self {
        Decision { action, reason, changes: Vec::new() }
    }
}

impl Planner<'_> {
    fn step(&mut self, at: usize) -> Step {
        let desired = self.desired;
        let resource = &desired.resources[at];
        let wanted = self.resolved(&resource.body);
        let decision = match &resource.operation {
            _ if self.is_unknown(at) => Decision::of(Action::NoOp, Reason::Blocked),
            Provisioning::Resource => self.decide(resource, &wanted),
            Provisioning::Registration => self.registration(resource, &wanted),
            Provisioning::Approval(approval) => self.approval(resource, approval),
            Provisioning::Existing => self.existing(at, resource),
        };
        let disruption = match decision.action {
            Action::Update => disruption(resource, &decision.changes, desired, self.observed),
            Action::Replace => lost(resource, &decision.changes),
            _ => None,
        };
        let impact = match decision.action {
            Action::Replace | Action::Delete => Impact::Destructive,
            Action::Update if disruption.is_some() => Impact::Disruptive,
            Action::Update => Impact::InPlace,
            _ => Impact::None,
        };
        let idle = decision.action == Action::NoOp;
        let arrives = match decision.reason {
            Reason::ArrivesWithParent { .. } => true,
            Reason::ParentReplaced { .. } => resource.arrival == Arrival::WithParent,
            _ => false,
        };
        let expected = expected_ms(resource.kind, decision.action, &decision.changes, disruption.as_ref());
        Step {
            address: resource.address.clone(),
            id: resource.id.clone(),
            arm_type: resource.kind.arm_type.to_owned(),
            action: decision.action,
            reason: decision.reason,
            changes: decision.changes,
            // What only its parent's create carries is told at the addresses of its own.
            desired: match decision.action {
                _ if idle => Value::Null,
                Action::Create | Action::Replace => {
                    let whole = resource.for_creation(&wanted);
                    without(&whole, resource.kind.compiled(), Flag::CreateOnly)
                }
                _ => without(&wanted, resource.kind.compiled(), Flag::CreateOnly),
            },
            impact,
            disruption,
            awaits: (resource.awaited && !idle).then(|| resource.timeout.as_secs().div_ceil(60)),
            grants: match decision.action {
                Action::NoOp => None,
                _ => resource.kind.grants.and_then(|grants| grants(&resource.id, &resource.body)),
            },
            moved_from: None,
            told_elsewhere: false,
            dates: dates(resource.kind.rules),
            kept_back: Vec::new(),
            purge: None,
            protected: decision.action == Action::Replace && resource.protect,
            after: Vec::new(),
            expected_ms: if arrives { 0 } else { expected },
        }
    }

    /// Whether nothing is known of a resource: Azure refuses to show it, which is in the way, or something that it needs.
    fn is_unknown(&mut self, at: usize) -> bool {
        let resource = &self.desired.resources[at];
        let conflict = self
            .observed
            .get(&resource.id)
            .and_then(|seen| unreadable(&resource.address, &resource.id, seen));
        let needs = self.desired.graph.dependencies(at).iter().any(|&needed| self.unknown[needed]);
        self.unknown[at] = conflict.is_some() || needs;
        self.conflicts.extend(conflict);
        self.unknown[at]
    }

    fn decide(&mut self, resource: &DesiredResource, wanted: &Value) -> Decision {
        let parent_at = resource.id.ancestors().find_map(|id| self.desired.by_id.get(&id).copied());
        let parent_action = parent_at.map(|at| self.actions[at]);
        let parent_address = || parent_at.map(|at| self.desired.resources[at].address.clone());
        let renewed = matches!(parent_action, Some(Action::Create | Action::Replace | Action::Recover));
        let live = match self.observed.get(&resource.id) {
            Some(Observation::Present { body, .. }) => body,
            Some(Observation::SoftDeleted { owner, .. }) => {
                return match self.foreign_deleted(resource, owner.as_deref()) {
                    None => Decision::of(Action::Recover, Reason::SoftDeleted),
                    Some(conflict) => {
                        self.conflicts.push(conflict);
                        Decision::of(Action::NoOp, Reason::Blocked)
                    }
                };
            }
            Some(Observation::Absent | Observation::Unreadable { .. }) | None => {
                // What goes along with its parent is gone before its successor comes.
                let stays = !matches!(parent_action, Some(Action::Replace));
                if let Some(conflict) = self.duplicates.remove(&resource.id).filter(|_| stays) {
                    self.conflicts.push(conflict);
                    return Decision::of(Action::NoOp, Reason::Blocked);
                }
                let reason = match parent_address() {
                    Some(parent) if resource.arrival == Arrival::WithParent && renewed => {
                        Reason::ArrivesWithParent { parent }
                    }
                    _ => Reason::Missing,
                };
                return Decision::of(Action::Create, reason);
            }
        };
        // Between a parent and its child there may be what Azure makes by itself: the blob service of an account.
        let goes_along = |at: usize| {
            let parent = &self.desired.resources[at];
            let below = resource.kind.arm_type.strip_prefix(parent.kind.arm_type);
            resource.id.parent().as_ref() == Some(&parent.id)
                || below.is_some_and(|rest| rest.starts_with('/'))
        };
        if let (Some(Action::Replace), Some(parent)) = (parent_action, parent_address())
            && parent_at.is_some_and(goes_along)
        {
            return Decision::of(Action::Replace, Reason::ParentReplaced { parent });
        }
        // A create that was begun and never confirmed left nothing, or something with the tag: without it, it is not ours.
        let bare = resource.kind.tags && owner_of(live).is_none();
        let owned = self.ledger.resources.get(&resource.id);
        let owned = owned.filter(|owned| !bare || owner_of(&owned.applied).is_some());
        if let Some(conflict) = self.foreign(resource, live, owned.is_some()) {
            self.conflicts.push(conflict);
            return Decision::of(Action::NoOp, Reason::Blocked);
        }
        if bare && owned.is_some() {
            self.warnings.push(Conflict {
                address: resource.address.clone(),
                id: resource.id.clone(),
                message: format!(
                    "it does not carry the tag `{OWNER_TAG}`: somebody took the tag away, or made it anew; this plan writes the tag again"
                ),
                help: "look at whose it is before you apply; if it is not this blueprint's any more, `berth ledger forget` it and take it out".to_owned(),
            });
        }
        let mut changes = self.compare(resource, wanted, live, owned);
        if owned.is_none() && !self.is_ours(resource, live) {
            return self.take_over(resource, changes);
        }
        let lost = self.lost(resource, live);
        let kept_elsewhere = changes.is_empty() && !lost.is_empty();
        changes.extend(lost);
        let stepped = self.out_of_step(resource, wanted, live);
        let out_of_step = changes.is_empty() && !stepped.is_empty();
        changes.extend(stepped);
        let (standing, made_with) = self.standing_on_replaced(resource, wanted, live, owned);
        changes.extend(standing);
        let forced: Vec<String> = changes
            .iter()
            .filter(|change| {
                change.forces_replace
                    || resource.kind.update == UpdateMode::Never && change.kind != ChangeKind::Release
            })
            .map(|change| change.path.clone())
            .collect();
        let cut =
            resource.kind.connection_states(live).into_iter().find(|(_, status)| *status == "Disconnected");
        if let Some((path, status)) = &cut {
            changes.push(Change {
                path: path.clone(),
                kind: ChangeKind::Set,
                before: (*status).into(),
                after: "Approved".into(),
                forces_replace: true,
                foreign: false,
            });
        }
        let pending = self.not_compliant(resource, live);
        let (action, reason) = match owned {
            _ if cut.is_some() => (Action::Replace, Reason::Disconnected),
            _ if !forced.is_empty() => (Action::Replace, Reason::Immutable { paths: forced }),
            _ if made_with.is_some() => (Action::Replace, made_with.unwrap_or(Reason::AsWanted)),
            _ if kept_elsewhere => (Action::Update, Reason::KeepsNoMore),
            _ if out_of_step => (Action::Update, Reason::OutOfStep),
            _ if changes.is_empty() && failed(live).is_some() => {
                let state = failed(live).unwrap_or_default().to_owned();
                (Action::Update, Reason::FailedProvisioning { state })
            }
            None if changes.is_empty() => (Action::Adopt, Reason::NotInLedger),
            Some(_) if !changes.is_empty() && only_released(&changes) => (Action::Release, Reason::Differs),
            None => (Action::Update, Reason::NotInLedger),
            Some(_) if !changes.is_empty() => (Action::Update, Reason::Differs),
            Some(_) if pending.is_some() => {
                (Action::Update, Reason::NotCompliantYet { why: pending.unwrap_or_default() })
            }
            Some(owned) if owned.address != resource.address => {
                (Action::NoOp, Reason::Renamed { from: owned.address.clone() })
            }
            Some(_) => (Action::NoOp, Reason::AsWanted),
        };
        if matches!(action, Action::Update | Action::Replace)
            && let Some((message, help)) =
                resource.kind.obstacle.and_then(|obstacle| obstacle(live, wanted, action == Action::Replace))
        {
            let (address, id) = (resource.address.clone(), resource.id.clone());
            self.conflicts.push(Conflict { address, id, message, help });
            return Decision::of(Action::NoOp, Reason::Blocked);
        }
        Decision { action, reason, changes }
    }

    /// What a resource writes elsewhere by itself and is gone or changed there, as changes that sending it again makes. What
    /// another resource wrote in its place stays: the two would take turns for ever.
    fn lost(&mut self, resource: &DesiredResource, live: &Value) -> Vec<Change> {
        let there = |id: &ArmId| match self.observed.get(id)? {
            Observation::Present { body, .. } => Some(Some(body)),
            Observation::Absent => Some(None),
            Observation::SoftDeleted { .. } | Observation::Unreadable { .. } => None,
        };
        let mut changes = Vec::new();
        for lost in resource.kind.lost(&resource.id, live, there) {
            if let Some(other) = &lost.by {
                self.warnings.push(Conflict {
                    address: resource.address.clone(),
                    id: resource.id.clone(),
                    message: format!(
                        "{} is now written by `{other}`, and says {} in place of {}",
                        lost.kept.id, lost.there, lost.kept.says
                    ),
                    help: format!(
                        "two endpoints with one name in one zone overwrite each other: give `{other}` or this one a zone of its own, or `dns: none`"
                    ),
                });
                continue;
            }
            changes.push(Change {
                path: lost.kept.path,
                kind: ChangeKind::Set,
                before: lost.there,
                after: lost.kept.says,
                forces_replace: false,
                foreign: false,
            });
        }
        changes
    }

    /// How a resource that joins two others is brought back in step with them, as changes; also when the other side changes
    /// in this plan. What sending it again does not mend is a warning.
    fn out_of_step(&mut self, resource: &DesiredResource, wanted: &Value, live: &Value) -> Vec<Change> {
        let mut changes = Vec::new();
        for word in resource.kind.in_step {
            let follows = word.follows.is_some_and(|follows| self.follows(wanted, follows));
            let says = match word.wrong(live) {
                Some(says) if word.mends(says) => says,
                _ if follows => word.mended.first().copied().unwrap_or_default(),
                Some(says) => {
                    // The other side is brought in step by its own step.
                    let other = resource.kind.in_step.iter().find_map(|word| word.follows);
                    let is_ours = |(pointer, _): (&str, &str)| self.named(wanted, pointer).is_some();
                    if word.follows.is_none() || !other.is_some_and(is_ours) {
                        self.warnings.push(Conflict {
                            address: resource.address.clone(),
                            id: resource.id.clone(),
                            message: format!(
                                "{} is {says}, and sending it again does not change that",
                                word.path
                            ),
                            help: word.help.to_owned(),
                        });
                    }
                    continue;
                }
                None => continue,
            };
            changes.push(Change {
                path: word.path.to_owned(),
                kind: ChangeKind::Set,
                before: says.into(),
                after: word.good.into(),
                forces_replace: false,
                foreign: false,
            });
        }
        changes
    }

    /// The position of the resource of the blueprint that a body names.
    fn named(&self, wanted: &Value, pointer: &str) -> Option<usize> {
        let id = ArmId::parse(at_pointer(wanted, pointer)?.as_str()?).ok()?;
        self.desired.by_id.get(&id).copied()
    }

    /// Whether the resource that a body names is changed in this plan at a path.
    fn follows(&self, wanted: &Value, (pointer, path): (&str, &str)) -> bool {
        let Some(at) = self.named(wanted, pointer).filter(|&at| self.actions[at] == Action::Update) else {
            return false;
        };
        let other = &self.desired.resources[at];
        let live = self.observed.get(&other.id).and_then(Observation::body);
        let sorted = |body: &Value| {
            let items = get_path(body, path).and_then(Value::as_array).cloned().unwrap_or_default();
            let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
            texts.sort();
            texts
        };
        live.is_some_and(|live| get_path(&other.body, path).is_some() && sorted(live) != sorted(&other.body))
    }

    /// Whether what the ledger does not know is the blueprint's all the same: by its tag, or its parent's.
    fn is_ours(&self, resource: &DesiredResource, live: &Value) -> bool {
        if resource.named == Named::Found {
            return false;
        }
        let is_own = |body: &Value| self.tags.standing(owner_of(body), true, false) == Standing::Ours;
        match resource.kind.tags {
            true => is_own(live),
            false => self.parent_with_tag(resource).is_some_and(|id| {
                self.ledger.resources.contains_key(&id)
                    || self.observed.get(&id).and_then(Observation::body).is_some_and(is_own)
            }),
        }
    }

    /// The nearest thing of the blueprint above a resource that has a tag.
    fn parent_with_tag(&self, resource: &DesiredResource) -> Option<ArmId> {
        resource.id.ancestors().find(|id| {
            let parent = self.desired.by_id.get(id).map(|&at| &self.desired.resources[at]);
            parent.is_some_and(|parent| parent.kind.tags && parent.operation == Provisioning::Resource)
        })
    }

    /// Takes over what somebody else made: its tag is written, and nothing else. What differs is left to the next plan, in
    /// which a person sees it.
    fn take_over(&mut self, resource: &DesiredResource, changes: Vec<Change>) -> Decision {
        let tag = format!("tags.{OWNER_TAG}");
        let (tags, others): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| change.path == tag || change.path == "tags");
        let tags: Vec<Change> = tags
            .into_iter()
            .map(|change| match change.path == tag {
                true => change,
                // There were none at all.
                false => {
                    Change { path: tag.clone(), before: Value::Null, after: self.tags.own().into(), ..change }
                }
            })
            .collect();
        if !others.is_empty() {
            let paths: Vec<&str> = others.iter().map(|change| change.path.as_str()).take(6).collect();
            let more = others.len().saturating_sub(paths.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.warnings.push(Conflict {
                address: resource.address.clone(),
                id: resource.id.clone(),
                message: format!("it is taken over as it is, and differs from the blueprint in {}{more}", paths.join(", ")),
                help: "the next plan shows what bringing it to the blueprint would change; correct the blueprint where it is not meant".to_owned(),
            });
        }
        let action = if tags.is_empty() { Action::Adopt } else { Action::Update };
        Decision { action, reason: Reason::TakenOver, changes: tags }
    }

    /// Fields that cannot be changed in place and name something that is replaced: Azure does not let that go while
    /// this one uses it, so this one goes and comes back too. Also what is replaced and was named when this one was
    /// made, in a field that Azure does not show.
    fn standing_on_replaced(
        &self,
        resource: &DesiredResource,
        wanted: &Value,
        live: &Value,
        owned: Option<&Owned>,
    ) -> (Vec<Change>, Option<Reason>) {
        let at = self.desired.by_id.get(&resource.id).copied().unwrap_or_default();
        let replaced: Vec<&DesiredResource> = self
            .desired
            .graph
            .dependencies(at)
            .iter()
            .filter(|&&needed| self.actions[needed] == Action::Replace)
            .map(|&needed| &self.desired.resources[needed])
            .collect();
        if replaced.is_empty() {
            return (Vec::new(), None);
        }
        let mut marked = wanted.clone();
        mark(&mut marked, &replaced);
        let is_mark = |token: &Token| matches!(token, Token::Output { pointer, .. } if pointer == "/id");
        let found: Vec<Change> = self
            .compare(resource, &marked, live, owned)
            .into_iter()
            .filter(|change| change.forces_replace && token::any(&change.after, &is_mark))
            .collect();
        let rules = resource.kind.compiled();
        let carried = token::any(&marked, &is_mark)
            && !token::any(&without(&marked, rules, Flag::CreateOnly), &is_mark);
        let dependency = || replaced[0].address.clone();
        let made_with =
            (carried && found.is_empty()).then(|| Reason::DependencyReplaced { dependency: dependency() });
        (found, made_with)
    }

    /// Why what a resource makes elsewhere is not as it says, when the blueprint waits for it. Where Azure tells that in
    /// another place and said nothing, there is nothing to wait for.
    fn not_compliant(&self, resource: &DesiredResource, live: &Value) -> Option<String> {
        if !resource.awaited {
            return None;
        }
        match resource.kind.judged {
            Some(judged) => {
                let verdict = self.observed.get(&(judged.id)(&resource.id)).and_then(Observation::body)?;
                judged.amiss(&resource.id, verdict)
            }
            None => resource.kind.amiss.and_then(|amiss| amiss(live)),
        }
    }

    fn compare(
        &self,
        resource: &DesiredResource,
        wanted: &Value,
        live: &Value,
        owned: Option<&Owned>,
    ) -> Vec<Change> {
        let rules = resource.kind.compiled();
        let shown: HashMap<String, Value> = shown_secrets(wanted, live, rules).into_iter().collect();
        let replaced =
            owned.and_then(|owned| resource.kind.replaced_outside(owned.version.as_deref(), Some(live)));
        let secret_changed = |path: &str, value: &Value| {
            // Nothing is known of what an adopted resource was given: it is left as it is.
            let Some(owned) = owned else { return false };
            if replaced == Some(path) {
                return true;
            }
            // What no run has sent yet is new.
            let Some(last) = owned.digests.get(&*resource.path_as_written(path)) else { return true };
            let is_other = |value| *last != digest(value, &self.desired.secrets, &self.ledger.salt);
            is_other(value) || shown.get(path).is_some_and(is_other)
        };
        let mut applied = owned.map(|owned| without_ignored(&owned.applied, &resource.ignore));
        if let Some(applied) = applied.as_mut().filter(|_| rules.has_alike()) {
            named_there(applied.to_mut(), live, None, rules, resource.id.as_str());
        }
        let comparison = Comparison { rules, applied: applied.as_deref(), secret_changed: &secret_changed };
        let mut changes = diff(wanted, live, &comparison);
        // A secret that had a value before is changed, any other is new.
        for change in changes.iter_mut().filter(|change| change.before.is_null() && is_secret(&change.after))
        {
            let written = resource.path_as_written(&change.path);
            if owned.is_some_and(|owned| owned.digests.contains_key(&*written)) {
                change.before = Token::Secret { name: String::new() }.encode().into();
            }
        }
        // What berth itself chose for a new one is nobody else's.
        let ours = resource.for_creation(wanted);
        let theirs = foreign(&ours, live, rules, &resource.exclusive_lists());
        let known = |change: &Change| {
            changes.iter().any(|known| known.path == change.path)
                || resource.ignore.iter().any(|path| path.covers(&change.path))
        };
        let theirs: Vec<Change> = theirs.into_iter().filter(|change| !known(change)).collect();
        changes.extend(theirs);
        changes.retain(|change| !self.is_own_child(resource, change));
        changes
    }

    /// Whether a change takes out of a resource's body what is a resource of its own in the blueprint: a subnet that stood
    /// in the body of its network.
    fn is_own_child(&self, resource: &DesiredResource, change: &Change) -> bool {
        let list = change.path.strip_prefix("properties.").and_then(|path| path.strip_suffix(']'));
        let list = list.and_then(|path| path.split_once('[')).map(|(list, _)| list);
        let name = change.before.get("name").and_then(Value::as_str);
        let (ChangeKind::Remove, Some(list), Some(name)) = (change.kind, list, name) else { return false };
        self.desired.by_id.contains_key(&resource.id.child(list, name))
    }

    /// Why a resource that is there may not be taken over, or not be changed any more, if so.
    fn foreign(&self, resource: &DesiredResource, live: &Value, owned: bool) -> Option<Conflict> {
        let address = &resource.address;
        let may_adopt = owned || resource.adopt || self.adoption == Adoption::Allowed;
        let adopt = "to take it over, run with `--adopt` or write `adopt: true` in its entry; `berth plan --adopt` shows what that would change; if it is not meant, choose another `name:`";
        let tag = owner_of(live).filter(|_| resource.kind.tags);
        let standing = match self.tags.standing(tag, resource.kind.tags, owned) {
            Standing::Silent => match self.tags.standing_of_whole(&resource.id, self.ledger, self.observed) {
                Some(Standing::Theirs(owner)) => Standing::Theirs(owner),
                _ => Standing::Silent,
            },
            own => own,
        };
        let (message, help) = match standing {
            Standing::Ours | Standing::Formerly(_) => return None,
            Standing::Theirs(owner) if owned => (
                format!("it belongs to {} now, which took it over", whose(&owner)),
                format!("take `{address}` out of this blueprint: it is then forgotten here, and stays"),
            ),
            Standing::Theirs(owner) => (
                format!("it belongs to {}", whose(&owner)),
                format!(
                    "choose another `name:` here; or take it out of `{owner}`, remove its tag `{OWNER_TAG}`, and run with `--adopt`"
                ),
            ),
            Standing::Bare if may_adopt => return None,
            Standing::Bare => ("it exists already and no blueprint owns it".to_owned(), adopt.to_owned()),
            // What has no tag belongs to whom its parent belongs.
            Standing::Silent if may_adopt || self.parent_with_tag(resource).is_some() => return None,
            Standing::Silent => (
                "it exists already, and has no tag that would say whose it is".to_owned(),
                format!("if it is this blueprint's, as when its ledger was lost, or {adopt}"),
            ),
        };
        Some(Conflict { address: address.clone(), id: resource.id.clone(), message, help })
    }

    /// Why a soft-deleted resource that holds a name may not be brought back, if so.
    fn foreign_deleted(&self, resource: &DesiredResource, tag: Option<&str>) -> Option<Conflict> {
        let owned = self.ledger.resources.contains_key(&resource.id);
        let who = match self.tags.standing(tag, resource.kind.tags, owned) {
            Standing::Ours | Standing::Formerly(_) | Standing::Silent => return None,
            Standing::Bare if owned || resource.adopt || self.adoption == Adoption::Allowed => return None,
            Standing::Bare => "no blueprint".to_owned(),
            Standing::Theirs(owner) => whose(&owner),
        };
        Some(Conflict {
            address: resource.address.clone(),
            id: resource.id.clone(),
            message: format!(
                "a soft-deleted one that belongs to {who} holds its name, and bringing it back would bring back what is in it"
            ),
            help: "choose another `name:`, or have its owner purge it".to_owned(),
        })
    }

    fn registration(&self, resource: &DesiredResource, wanted: &Value) -> Decision {
        let done = self
            .observed
            .get(&resource.id)
            .and_then(Observation::body)
            .is_some_and(|live| self.compare(resource, wanted, live, None).is_empty());
        match done {
            true => Decision::of(Action::NoOp, Reason::AsWanted),
            false => Decision::of(Action::Register, Reason::NotRegistered),
        }
    }

    /// What is only read has to be there. What the ledger has of it is from before it was only read.
    fn existing(&mut self, at: usize, resource: &DesiredResource) -> Decision {
        let is_there = self.observed.get(&resource.id).and_then(Observation::body).is_some();
        if !is_there {
            // Nothing can be said of what needs it.
            self.unknown[at] = true;
            let kind = resource.kind;
            let known = crate::catalog::registry().iter().find(|section| section.arm_type == kind.arm_type);
            let or = match known {
                Some(section) => format!(", or give it an entry of `{}` to have it made", section.section),
                None => String::new(),
            };
            self.conflicts.push(Conflict {
                address: resource.address.clone(),
                id: resource.id.clone(),
                message: format!("there is no such {}, and `existing` only reads", kind.title),
                help: format!("correct its name, group or subscription, have its owner make it{or}"),
            });
            return Decision::of(Action::NoOp, Reason::Blocked);
        }
        match self.ledger.resources.contains_key(&resource.id) {
            true => Decision::of(Action::Forget, Reason::NowExisting { entry: resource.address.clone() }),
            false => Decision::of(Action::NoOp, Reason::Read),
        }
    }

    fn approval(&mut self, resource: &DesiredResource, approval: &Approval) -> Decision {
        let at = |id: Option<&ArmId>| id.and_then(|id| self.desired.by_id.get(id)).copied();
        let made = |at: usize| matches!(self.actions[at], Action::Create | Action::Replace | Action::Recover);
        if let Some(at) = at(approval.endpoint.as_ref()).filter(|&at| made(at)) {
            let manual =
                self.desired.resources[at].body.pointer("/properties/manualPrivateLinkServiceConnections");
            let manual = manual.and_then(Value::as_array).is_some_and(|list| !list.is_empty());
            // Of a target that the blueprint does not make, Azure was asked.
            let foreign = approval.target.as_ref().filter(|target| !self.desired.by_id.contains_key(target));
            if let Some(target) = foreign
                && matches!(self.observed.get(&resource.id), Some(Observation::Absent))
            {
                self.conflicts.push(Conflict {
                    address: resource.address.clone(),
                    id: resource.id.clone(),
                    message: format!("its target is not there: {target}"),
                    help: "correct the `target`, or take the entry out until the target exists".to_owned(),
                });
                return Decision::of(Action::NoOp, Reason::Blocked);
            }
            return match manual {
                true => Decision::of(Action::Approve, Reason::WillBePending),
                false => Decision::of(Action::NoOp, Reason::ApprovesItself),
            };
        }
        let coming = Coming {
            target: at(approval.target.as_ref()).is_some_and(made),
            requester: at(approval.requester.as_ref().map(|requester| &requester.id))
                .is_some_and(|at| made(at) || self.actions[at] == Action::Update),
        };
        let (action, reason, changes, told) =
            approvals::decide(self.desired, self.observed, resource, approval, coming);
        for told in told {
            match told {
                Told::Warning(warning) => self.warnings.push(warning),
                Told::InTheWay(conflict) => {
                    self.conflicts.push(conflict);
                    return Decision::of(Action::NoOp, Reason::Blocked);
                }
            }
        }
        Decision { action, reason, changes }
    }

    /// A body with the outputs put in that are known now: those of resources that are there and stay.
    fn resolved<'v>(&self, body: &'v Value) -> Cow<'v, Value> {
        if !token::any(body, &|token| matches!(token, Token::Output { .. })) {
            return Cow::Borrowed(body);
        }
        let mut body = body.clone();
        token::substitute(&mut body, &mut |token| {
            let Token::Output { address, pointer } = token else { return None };
            let &at = self.desired.by_address.get(address)?;
            if matches!(self.actions[at], Action::Create | Action::Replace | Action::Recover) {
                return None;
            }
            let live = self.observed.get(&self.desired.resources[at].id)?.body()?;
            lookup(live, pointer).filter(|value| !value.is_null()).cloned()
        });
        Cow::Owned(body)
    }
}

/// The fields that are points in time in seconds since 1970, which people read as dates.
fn dates(rules: &[Rule]) -> Vec<String> {
    rules.iter().filter(|rule| rule.says(Flag::Instant)).map(|rule| rule.path().to_owned()).collect()
}

/// An owner in a sentence.
fn whose(tag: &str) -> String {
    match Owner::parse(tag) {
        Some(Owner { blueprint, environment: Some(environment) }) => {
            format!("the environment `{environment}` of the blueprint `{blueprint}`")
        }
        _ => format!("the blueprint `{tag}`"),
    }
}

/// What is in the way when Azure refuses to show a resource.
pub(super) fn unreadable(address: &Address, id: &ArmId, seen: &Observation) -> Option<Conflict> {
    let Observation::Unreadable { message, help } = seen else { return None };
    Some(Conflict {
        address: address.clone(),
        id: id.clone(),
        message: format!("it cannot be read: {message}"),
        help: help.clone(),
    })
}

/// Whether nothing is to be sent for these changes.
fn only_released(changes: &[Change]) -> bool {
    changes.iter().all(|change| change.kind == ChangeKind::Release)
}

/// The state of a resource whose last create or update did not work; sending it again repairs it.
fn failed(live: &Value) -> Option<&str> {
    let state = at_pointer(live, "/properties/provisioningState").and_then(Value::as_str);
    state.filter(|state| matches!(*state, "Failed" | "Canceled"))
}

/// Puts a token in place of every id of, or below, a replaced resource.
fn mark(value: &mut Value, replaced: &[&DesiredResource]) {
    match value {
        Value::String(text) if text.starts_with('/') => {
            let folded = text.to_ascii_lowercase();
            let below = |resource: &&&DesiredResource| {
                folded
                    .strip_prefix(&resource.id.as_str().to_ascii_lowercase())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if let Some(resource) = replaced.iter().find(below) {
                *text = Token::Output { address: resource.address.clone(), pointer: "/id".into() }.encode();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mark(item, replaced)),
        Value::Object(members) => members.values_mut().for_each(|member| mark(member, replaced)),
        _ => {}
    }
}
