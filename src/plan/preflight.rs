//! What can be known before the first write: which questions a plan raises, and what their answers mean for it.
//!
//! A plan that writes nothing raises none. A question that is not answered (who asks may not know) means nothing.

mod cores;
mod regions;
mod sizes;
mod versions;

use super::guard;
use super::model::{Conflict, Plan, Step};
use crate::catalog::{Preflight, ResourceType, resource_type};
use crate::change::Action;
use crate::ident::{Address, ArmId, normalize_location};
use crate::state::{Answers, Desired, Observation, Observed, Query};
use cores::{Machines, Need, is_at};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The questions that a plan raises.
pub fn queries(plan: &Plan, desired: &Desired, observed: &Observed) -> BTreeSet<Query> {
    let mut queries = BTreeSet::new();
    for step in plan.changes().filter(|step| writes(step.action)) {
        let Some(subscription) = step.id.subscription() else { continue };
        queries.insert(Query::Locks { subscription: subscription.to_owned() });
    }
    queries.extend(foreign_groups(plan, desired, observed).map(|(_, group)| group_query(&group)));
    for (step, kind) in written(plan) {
        for preflight in kind.preflight.iter().filter(|preflight| asks(step, preflight)) {
            queries.extend(questions(step, kind, preflight, desired, observed));
        }
    }
    queries.extend(regions::queries(plan, observed));
    queries
}

/// What the answers mean: what is in the way, and what may go wrong.
pub fn judge(
    plan: &Plan,
    desired: &Desired,
    observed: &Observed,
    answers: &Answers,
) -> (Vec<Conflict>, Vec<Conflict>) {
    let (mut conflicts, mut warnings) = (locked(plan, desired, answers), Vec::new());
    for (step, group) in foreign_groups(plan, desired, observed) {
        if answers.get(&group_query(&group)).is_some_and(Value::is_null) {
            conflicts.push(without_group(step, group.name()));
        }
    }
    let mut needs: BTreeMap<Query, Vec<Need>> = BTreeMap::new();
    let mut refused: BTreeMap<(Query, &str), Vec<&Step>> = BTreeMap::new();
    for (step, kind) in written(plan) {
        for preflight in kind.preflight.iter().filter(|preflight| asks(step, preflight)) {
            for query in questions(step, kind, preflight, desired, observed) {
                let Some(answer) = answers.get(&query) else { continue };
                match (preflight, &query) {
                    (Preflight::Name { .. }, _) => conflicts.extend(taken(step, kind, answer)),
                    (Preflight::Permission(action), _) if !may(answer, action) => {
                        refused.entry((query, action)).or_default().push(step);
                    }
                    (Preflight::Permission(_), _) => {}
                    (Preflight::Version { version, support }, Query::Versions { location, .. }) => {
                        conflicts.extend(versions::missing(step, version, support, location, answer));
                    }
                    (Preflight::Machines { size, zones, .. }, Query::Sizes { location, .. }) => {
                        conflicts.extend(sizes::missing(step, size, zones, location, answer));
                    }
                    (Preflight::Machines { .. }, Query::Usages { subscription, location }) => {
                        let sizes =
                            Query::Sizes { subscription: subscription.clone(), location: location.clone() };
                        let machines = Machines { preflight, sizes: answers.get(&sizes) };
                        let before = observed.get(&step.id).and_then(Observation::body);
                        let need = machines.need(step, before);
                        needs.entry(query).or_default().extend(need);
                    }
                    (Preflight::Version { .. } | Preflight::Machines { .. }, _) => {}
                }
            }
        }
    }
    conflicts.extend(regions::missing(plan, observed, answers));
    warnings.extend(refused.iter().map(|((query, action), steps)| unpermitted(query, action, steps)));
    for (query, needs) in &needs {
        if let (Query::Usages { location, .. }, Some(usages)) = (query, answers.get(query)) {
            warnings.extend(cores::short(location, needs, usages));
        }
    }
    (conflicts, warnings)
}

fn writes(action: Action) -> bool {
    !matches!(action, Action::NoOp | Action::Adopt | Action::Release | Action::Forget | Action::Register)
}

/// The steps that write what is asked for, with its type.
fn written(plan: &Plan) -> impl Iterator<Item = (&Step, &'static ResourceType)> {
    let writes = |step: &&Step| matches!(step.action, Action::Create | Action::Replace | Action::Update);
    plan.changes().filter(writes).filter_map(|step| Some((step, resource_type(&step.arm_type)?)))
}

/// Whether a step raises a question. What stays as it is was answered when it was made.
fn asks(step: &Step, preflight: &Preflight) -> bool {
    let changes = |pointers: &[&str]| {
        step.changes.iter().any(|change| pointers.iter().any(|pointer| is_at(&change.path, pointer)))
    };
    match (step.action, preflight) {
        (Action::Create, _) => true,
        // One that is made anew where it was has its name already.
        (Action::Replace, Preflight::Name { .. } | Preflight::Permission(_)) => step.moved_from.is_some(),
        (Action::Replace, _) => true,
        (Action::Update, Preflight::Version { version, .. }) => changes(&[version]),
        (Action::Update, Preflight::Machines { count, at_least, surge, .. }) => {
            changes(&[count, at_least, surge.1])
        }
        _ => false,
    }
}

/// The steps that make something in a resource group which is not the blueprint's, with that group. What is below
/// something else that is made goes with that.
fn foreign_groups<'p>(
    plan: &'p Plan,
    desired: &'p Desired,
    observed: &'p Observed,
) -> impl Iterator<Item = (&'p Step, ArmId)> {
    let creates = |id: &ArmId| plan.steps.iter().any(|step| step.id == *id && step.action == Action::Create);
    plan.changes().filter(|step| step.action == Action::Create).filter_map(move |step| {
        let group = step.id.group_id()?;
        // A cluster makes the group of its nodes by itself.
        let of_nodes = |name: &str| {
            name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("MC_"))
                || desired.resources.iter().any(|resource| {
                    let written = resource.body.pointer("/properties/nodeResourceGroup");
                    written.and_then(Value::as_str).is_some_and(|written| written.eq_ignore_ascii_case(name))
                })
        };
        let foreign = group != step.id
            && !desired.by_id.contains_key(&group)
            && !matches!(observed.get(&group), Some(Observation::Present { .. }))
            && !step.id.parent().is_some_and(|above| creates(&above))
            && !of_nodes(group.name());
        foreign.then_some((step, group))
    })
}

fn group_query(group: &ArmId) -> Query {
    Query::Group { id: group.as_str().to_owned() }
}

fn without_group(step: &Step, group: &str) -> Conflict {
    Conflict {
        address: step.address.clone(),
        id: step.id.clone(),
        message: format!("the resource group `{group}` does not exist, and the blueprint does not make it"),
        help: format!(
            "declare it with `resourceGroups: {{ main: {{ name: {group} }} }}` and write `resourceGroup: \"${{resourceGroups.main}}\"`, or name one that exists"
        ),
    }
}

fn questions(
    step: &Step,
    kind: &ResourceType,
    preflight: &Preflight,
    desired: &Desired,
    observed: &Observed,
) -> Vec<Query> {
    let Some(subscription) = step.id.subscription().map(str::to_owned) else { return Vec::new() };
    let location = || {
        // What has no location of its own is where the thing above it is.
        let above = step.id.ancestors().filter_map(|id| desired.by_id.get(&id));
        let above = above.map(|&at| &*desired.resources[at].body);
        let mut bodies = std::iter::once(&step.desired).chain(above);
        bodies.find_map(|body| body.get("location")?.as_str()).map(normalize_location)
    };
    match preflight {
        Preflight::Name { path, api_version } => vec![Query::Name {
            path: format!("/subscriptions/{subscription}/providers/{path}"),
            api_version: (*api_version).to_owned(),
            name: step.id.name().to_owned(),
            arm_type: kind.arm_type.to_owned(),
        }],
        Preflight::Machines { .. } => {
            let Some(location) = location() else { return Vec::new() };
            let sizes = Query::Sizes { subscription: subscription.clone(), location: location.clone() };
            vec![sizes, Query::Usages { subscription, location }]
        }
        Preflight::Version { version, .. } => match (location(), step.desired.pointer(version)) {
            (Some(location), Some(_)) => vec![Query::Versions { subscription, location }],
            _ => Vec::new(),
        },
        Preflight::Permission(_) => {
            // Where it is to be is often made by this plan too: the group that is there, or the subscription.
            let group = step.id.group().map(|group| ArmId::resource_group(&subscription, group));
            let stands = |id: &ArmId| {
                !matches!(observed.get(id), Some(Observation::Absent))
                    && (observed.contains_key(id) || !desired.by_id.contains_key(id))
            };
            let scope = group.filter(stands).map(|id| id.as_str().to_owned());
            let scope = scope.unwrap_or_else(|| format!("/subscriptions/{subscription}"));
            vec![Query::Permissions { scope }]
        }
    }
}

/// A name that somebody else has.
fn taken(step: &Step, kind: &ResourceType, answer: &Value) -> Option<Conflict> {
    if answer.get("nameAvailable").and_then(Value::as_bool) != Some(false) {
        return None;
    }
    let (title, name) = (kind.title, step.id.name());
    let invalid = answer.get("reason").and_then(Value::as_str).is_some_and(|why| why != "AlreadyExists");
    let said = answer.get("message").and_then(Value::as_str).unwrap_or_default().trim_end_matches('.');
    let (message, help) = match invalid {
        true => (
            format!("Azure does not take `{name}` as the name of a {title}: {said}"),
            "choose another `name:`".to_owned(),
        ),
        false => (
            format!("the name `{name}` is taken: there is one {title} of a name in all of Azure"),
            format!(
                "choose another `name:`, for instance with `${{uniqueString(azure.subscription)}}` in it; if a deleted {title} of yours in another resource group holds the name, recover it there, or purge it"
            ),
        ),
    };
    Some(Conflict { address: step.address.clone(), id: step.id.clone(), message, help })
}

/// Whether a list of permissions allows an action.
fn may(permissions: &Value, action: &str) -> bool {
    let says = |permission: &Value, list: &str| {
        let patterns = permission.get(list).and_then(Value::as_array).into_iter().flatten();
        patterns.filter_map(Value::as_str).any(|pattern| fits(pattern, action))
    };
    let mut permissions = permissions.as_array().into_iter().flatten();
    permissions.any(|permission| says(permission, "actions") && !says(permission, "notActions"))
}

/// Whether an action is one that a pattern with `*` means, without case.
fn fits(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = action.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn unpermitted(query: &Query, action: &str, steps: &[&Step]) -> Conflict {
    let scope = if let Query::Permissions { scope } = query { scope.as_str() } else { "" };
    let others = match steps.len() {
        1 => String::new(),
        more => format!(", and {} more", more - 1),
    };
    Conflict {
        address: steps[0].address.clone(),
        id: steps[0].id.clone(),
        message: format!(
            "you may not do `{action}` on {scope}, so Azure will refuse {}{others}",
            steps[0].address
        ),
        help: "ask for Owner, User Access Administrator or Role Based Access Control Administrator there; if you have such a role further down, go on"
            .to_owned(),
    }
}

/// The steps that a lock forbids which is not part of the blueprint.
fn locked(plan: &Plan, desired: &Desired, answers: &Answers) -> Vec<Conflict> {
    let lists = answers.iter().filter(|(query, _)| matches!(query, Query::Locks { .. }));
    let locks = lists.flat_map(|(_, list)| list.as_array().into_iter().flatten());
    let known = |id: &ArmId| {
        // One that the blueprint has is judged with it; one that it had goes first.
        desired.by_id.contains_key(id)
            || plan.steps.iter().any(|step| step.id == *id && step.action == Action::Delete)
    };
    let mut conflicts = Vec::new();
    let mut told: BTreeSet<(Address, String)> = BTreeSet::new();
    for lock in locks {
        let text = |pointer: &str| lock.pointer(pointer).and_then(Value::as_str);
        let (Some(id), Some(level)) =
            (text("/id").and_then(|id| ArmId::parse(id).ok()), text("/properties/level"))
        else {
            continue;
        };
        if known(&id) {
            continue;
        }
        let lower = id.as_str().to_ascii_lowercase();
        let Some(end) = lower.rfind("/providers/microsoft.authorization/locks/") else { continue };
        let scope = &lower[..end];
        let read_only = level.eq_ignore_ascii_case("ReadOnly");
        for step in plan.changes().filter(|step| !guard::is_guard(&step.arm_type)) {
            let own = step.id.as_str().to_ascii_lowercase();
            let within = |inner: &str, outer: &str| {
                inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let what = match step.action {
                Action::Delete if within(&own, scope) || within(scope, &own) => "deleting it",
                Action::Replace if within(&own, scope) || within(scope, &own) => "replacing it",
                Action::Create | Action::Recover if read_only && within(&own, scope) => "making it",
                Action::Update | Action::Approve | Action::Reject if read_only && within(&own, scope) => {
                    "changing it"
                }
                _ => continue,
            };
            if !told.insert((step.address.clone(), lower.clone())) {
                continue;
            }
            let notes = text("/properties/notes").map(|notes| format!(" (its note: {notes})"));
            conflicts.push(Conflict {
                address: step.address.clone(),
                id: step.id.clone(),
                message: format!(
                    "the lock `{}` ({level}) on {} forbids {what}",
                    id.name(),
                    &id.as_str()[..end]
                ),
                help: format!(
                    "ask who set it{}, or remove it: az lock delete --ids {}",
                    notes.unwrap_or_default(),
                    id.as_str()
                ),
            });
        }
    }
    conflicts
}

#[cfg(test)]
mod tests;
