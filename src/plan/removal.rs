//! Deleting: what is owned and no longer wanted, or everything.
//!
//! The order comes from the ledger's own edges, so that it holds for things that no blueprint mentions any more.

use super::decide::{sort, unreadable};
use super::guard;
use super::kept::{self, Kept};
use super::model::{Conflict, Impact, Plan, Reason, Step, VERSION};
use super::ownership::{self, Standing, Tags};
use crate::catalog::{ResourceType, resource_type};
use crate::change::{Action, DeleteMode, Grant};
use crate::graph::Dag;
use crate::ident::{Address, ArmId, Owner};
use crate::ledger::{Ledger, Owned};
use crate::state::{Desired, DesiredResource, Observation, Observed, owner_of};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Removals with their edges, by position among themselves.
pub(super) struct Removals {
    pub(super) steps: Vec<Step>,
    /// The first is done after the second.
    pub(super) edges: Vec<(usize, usize)>,
    /// The first is done after the step of this resource, which used to depend on it and stays.
    pub(super) after_users: Vec<(usize, ArmId)>,
}

impl Removals {
    /// What is in the way of removing what Azure refuses to show.
    pub(super) fn unreadable(&self, observed: &Observed) -> Vec<Conflict> {
        let conflict = |step: &Step| unreadable(&step.address, &step.id, observed.get(&step.id)?);
        self.steps.iter().filter(|step| step.action == Action::Delete).filter_map(conflict).collect()
    }
}

/// What the ledger has and the blueprint has not.
pub(super) fn no_longer_wanted(
    desired: &Desired,
    tags: &Tags<'_>,
    ledger: &Ledger,
    observed: &Observed,
) -> Removals {
    let gone: Vec<(&ArmId, &Owned)> =
        ledger.resources.iter().filter(|(id, _)| !desired.by_id.contains_key(*id)).collect();
    let mut kept = kept::released(&desired.existing(), ledger);
    kept.extend(kept::now_in_parent(desired, ledger));
    removals(&gone, &kept, tags, ledger, observed, &Reason::NoLongerWanted)
}

/// What stands below a resource of the blueprint that has such children for itself, and that nobody here asked for; and
/// what of it belongs to another blueprint, which is in the way. What is below something that is `replaced` goes with it.
pub(super) fn foreign(
    desired: &Desired,
    tags: &Tags<'_>,
    ledger: &Ledger,
    observed: &Observed,
    replaced: &dyn Fn(usize) -> bool,
) -> (Vec<Step>, Vec<Conflict>) {
    let (mut steps, mut conflicts) = (Vec::new(), Vec::new());
    let parents = desired.resources.iter().enumerate();
    for (_, parent) in parents.filter(|(at, parent)| !parent.exclusive.is_empty() && !replaced(*at)) {
        for (list, kind) in parent.exclusive_children() {
            for (id, body) in unasked(parent, kind, desired, ledger, observed) {
                let address = foreign_address(parent, list, id);
                if let Standing::Theirs(owner) = tags.standing(owner_of(body), kind.tags, false) {
                    conflicts.push(Conflict {
                        address,
                        id: id.clone(),
                        message: format!(
                            "it belongs to `{owner}`, and `{}` has `{list}` for itself",
                            parent.address
                        ),
                        help: format!(
                            "take `{list}` out of `exclusive` of `{}`, or it out of `{owner}`",
                            parent.address
                        ),
                    });
                    continue;
                }
                steps.push(Step {
                    address,
                    id: id.clone(),
                    arm_type: kind.arm_type.to_owned(),
                    action: Action::Delete,
                    reason: Reason::Foreign { parent: parent.address.clone(), list: list.to_owned() },
                    changes: Vec::new(),
                    desired: Value::Null,
                    impact: Impact::Destructive,
                    disruption: None,
                    awaits: None,
                    grants: None,
                    protected: parent.explicit_protect.unwrap_or(kind.stateful),
                    after: Vec::new(),
                    expected_ms: kind.expected_delete.as_millis() as u64,
                    moved_from: None,
                    told_elsewhere: false,
                    dates: Vec::new(),
                    kept_back: Vec::new(),
                    purge: None,
                });
            }
        }
    }
    (steps, conflicts)
}

/// What of a type stands below a resource, and neither the blueprint nor the ledger has; sorted by id.
fn unasked<'o>(
    parent: &DesiredResource,
    kind: &ResourceType,
    desired: &Desired,
    ledger: &Ledger,
    observed: &'o Observed,
) -> Vec<(&'o ArmId, &'o Value)> {
    let mut found: Vec<(&ArmId, &Value)> = observed
        .iter()
        .filter_map(|(id, seen)| Some((id, seen.body()?)))
        .filter(|(id, body)| {
            id.is_of_type(kind.arm_type)
                && id.ancestors().any(|above| above == parent.id)
                && !desired.by_id.contains_key(*id)
                && !ledger.resources.contains_key(*id)
                && !kind.is_azures_own(body)
        })
        .collect();
    found.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
    found
}

/// What plans and reports call a child that nobody asked for.
fn foreign_address(parent: &DesiredResource, list: &str, id: &ArmId) -> Address {
    Address::new(format!("{}.{list}[{}]", parent.address, id.name()))
}

/// What somebody else made below resources whose children are the blueprint's alone: address, id and type.
pub fn foreign_children(
    desired: &Desired,
    ledger: &Ledger,
    observed: &Observed,
) -> Vec<(Address, ArmId, String)> {
    let mut found = Vec::new();
    for parent in desired.resources.iter().filter(|parent| !parent.exclusive.is_empty()) {
        for (list, kind) in parent.exclusive_children() {
            let unasked = unasked(parent, kind, desired, ledger, observed).into_iter();
            found
                .extend(unasked.map(|(id, _)| {
                    (foreign_address(parent, list, id), id.clone(), kind.arm_type.to_owned())
                }));
        }
    }
    found
}

/// Decides how to delete everything that the ledger has and that is still the owner's.
///
/// `existing` has what the blueprint only reads, with the entries that do: none of that is deleted, nor what it needs.
pub fn plan_destroy(
    owner: &Owner,
    existing: &[(Address, ArmId)],
    ledger: &Ledger,
    observed: &Observed,
) -> Plan {
    let tags = Tags::new(owner, ledger);
    let all: Vec<(&ArmId, &Owned)> = ledger.resources.iter().collect();
    let kept = kept::released(existing, ledger);
    let removals = removals(&all, &kept, &tags, ledger, observed, &Reason::Destroy);
    let mut graph = Dag::new(removals.steps.len());
    removals.edges.iter().for_each(|&(node, dependency)| graph.need(node, dependency));
    let conflicts = removals.unreadable(observed);
    let (mut steps, _) = sort(removals.steps, &graph);
    let warnings = ownership::guard(&mut steps, &tags, ledger, observed);
    Plan {
        version: VERSION,
        blueprint: owner.blueprint.clone(),
        environment: owner.environment.clone(),
        header: None,
        ledger_serial: ledger.serial,
        destroy: true,
        steps,
        outputs: BTreeMap::new(),
        conflicts,
        targets: Vec::new(),
        reverts: Vec::new(),
        left_out: Vec::new(),
        not_ours: Vec::new(),
        left_alone: Vec::new(),
        program: Default::default(),
        warnings,
    }
}

/// The same grant, with the address of whom it is for when that is a resource of the ledger: of that Azure knows a GUID.
fn by_address(grant: Grant, ledger: &Ledger, observed: &Observed) -> Grant {
    let Some(guid) = grant.principal.rsplit(' ').next().filter(|text| uuid::Uuid::try_parse(text).is_ok())
    else {
        return grant;
    };
    let found = ledger.resources.iter().find_map(|(id, owned)| {
        let body = observed.get(id).and_then(Observation::body)?;
        let facets = resource_type(&owned.arm_type)?.facets.iter();
        let mut acting = facets.filter(|facet| facet.name.ends_with("principalId"));
        let facet = acting.find(|facet| body.pointer(facet.pointer).and_then(Value::as_str) == Some(guid))?;
        let part = facet.name.strip_suffix("principalId").unwrap_or_default().trim_end_matches('.');
        Some(match part {
            "" => owned.address.to_string(),
            part => format!("{}.{part}", owned.address),
        })
    });
    match found {
        Some(principal) => Grant { principal, ..grant },
        None => grant,
    }
}

fn removals(
    gone: &[(&ArmId, &Owned)],
    kept: &Kept,
    tags: &Tags<'_>,
    ledger: &Ledger,
    observed: &Observed,
    why: &Reason,
) -> Removals {
    let at: HashMap<&ArmId, usize> = gone.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    // What takes a resource along when it goes: the topmost one of those it hangs on that is really deleted.
    let carrier = |id: &ArmId, owned: &Owned| -> Option<usize> {
        if matches!(owned.delete, DeleteMode::Always | DeleteMode::Never) || kept.contains_key(id) {
            return None;
        }
        id.ancestors()
            .filter_map(|id| at.get(&id).copied())
            .filter(|&at| !kept.contains_key(gone[at].0))
            .filter(|&at| gone[at].0.resource_type() != "Microsoft.Resources/resourceGroups")
            .filter(|&at| matches!(gone[at].1.delete, DeleteMode::Own | DeleteMode::Always))
            .last()
    };
    let carriers = {
        let needs: Vec<Vec<usize>> = gone
            .iter()
            .map(|(id, owned)| {
                owned
                    .depends_on
                    .iter()
                    .cloned()
                    .chain(id.ancestors())
                    .filter_map(|id| at.get(&id).copied())
                    .collect()
            })
            .collect();
        let mut uses = Dag::new(gone.len());
        for (user, needs) in needs.iter().enumerate() {
            needs.iter().for_each(|&need| uses.need(user, need));
        }
        let mut users: HashMap<usize, HashSet<usize>> = HashMap::new();
        let mut found = Vec::with_capacity(gone.len());
        for (child, (id, owned)) in gone.iter().enumerate() {
            // What uses something that itself uses the carrier cannot wait for the carrier: it goes before both.
            let tangled = |carrier: usize, users: &mut HashMap<usize, HashSet<usize>>| {
                let users = users.entry(carrier).or_insert_with(|| uses.all_dependants(carrier));
                let within = |other: usize| gone[other].0.ancestors().any(|above| above == *gone[carrier].0);
                needs[child].iter().any(|&need| need != carrier && !within(need) && users.contains(&need))
            };
            let carried = carrier(id, owned)
                .filter(|&carrier| owned.delete == DeleteMode::WithParent || !tangled(carrier, &mut users));
            found.push(carried);
        }
        found
    };
    let steps = gone
        .iter()
        .zip(&carriers)
        .map(|((id, owned), carrier)| {
            let present = matches!(
                observed.get(*id),
                // What cannot be read may be there: it is not forgotten.
                Some(Observation::Present { .. } | Observation::Unreadable { .. })
            );
            let live = observed.get(*id).and_then(Observation::body);
            let standing = live.map(|live| tags.standing_of(id, owned, live, ledger, observed));
            let (action, reason) = match (standing, carrier, owned.delete) {
                (Some(Standing::Theirs(owner)), ..) => (Action::Forget, Reason::OwnedByAnother { owner }),
                _ if kept.contains_key(*id) => (Action::Forget, kept[*id].clone()),
                _ if !present => (Action::Forget, Reason::AlreadyGone),
                (_, Some(parent), _) => {
                    (Action::Delete, Reason::GoesWithParent { parent: gone[*parent].1.address.clone() })
                }
                (_, None, DeleteMode::Own | DeleteMode::Always) => (Action::Delete, why.clone()),
                (_, None, DeleteMode::WithParent | DeleteMode::Never) => {
                    (Action::Forget, Reason::CannotBeDeleted)
                }
            };
            Step {
                address: owned.address.clone(),
                id: (*id).clone(),
                arm_type: owned.arm_type.clone(),
                action,
                reason,
                changes: Vec::new(),
                desired: Value::Null,
                impact: if action == Action::Delete { Impact::Destructive } else { Impact::None },
                disruption: None,
                awaits: None,
                grants: resource_type(&owned.arm_type)
                    .and_then(|kind| kind.grants?(id, &owned.applied))
                    .map(|grant| by_address(grant, ledger, observed)),
                moved_from: None,
                told_elsewhere: false,
                dates: Vec::new(),
                kept_back: Vec::new(),
                purge: None,
                protected: action == Action::Delete && owned.protect,
                after: Vec::new(),
                expected_ms: match (action, carrier, resource_type(&owned.arm_type)) {
                    (Action::Delete, None, Some(kind)) => kind.expected_delete.as_millis() as u64,
                    _ => 0,
                },
            }
        })
        .collect();
    let mut edges = Vec::new();
    let mut after_users = Vec::new();
    for (user, (id, owned)) in gone.iter().enumerate() {
        if let Some(carrier) = carriers[user] {
            edges.push((user, carrier));
        }
        let user_or_carrier = carriers[user].unwrap_or(user);
        let needs = owned.depends_on.iter().cloned().chain(id.ancestors());
        for needed in needs.filter_map(|id| at.get(&id).copied()) {
            // What carries the needed one away must wait for its users too.
            let needed_or_carrier = carriers[needed].unwrap_or(needed);
            if needed_or_carrier != user_or_carrier {
                edges.push((needed_or_carrier, user_or_carrier));
            }
        }
    }
    // A lock goes before anything that it locks, whatever was there when it was made.
    for (lock, (id, owned)) in gone.iter().enumerate().filter(|(_, (_, o))| guard::is_guard(&o.arm_type)) {
        let locked = |(_, (other, it)): &(usize, &(&ArmId, &Owned))| {
            !guard::is_guard(&it.arm_type) && guard::guards(id, &owned.arm_type, other)
        };
        edges.extend(gone.iter().enumerate().filter(locked).map(|(other, _)| (other, lock)));
    }
    for (id, owned) in ledger.resources.iter().filter(|(id, _)| !at.contains_key(id)) {
        for needed in owned.depends_on.iter().filter_map(|id| at.get(id).copied()) {
            after_users.push((carriers[needed].unwrap_or(needed), id.clone()));
        }
    }
    Removals { steps, edges, after_users }
}
