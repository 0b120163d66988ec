//! What a plan sees and leaves as it is: fields that the blueprint gives away (`ignore`), and what others added.

use crate::catalog::SpokenOf;
use crate::change::Action;
use crate::ident::{Address, ArmId};
use crate::ledger::Ledger;
use crate::state::{Desired, DesiredResource, Observation, Observed};
use crate::value::{Comparison, LeftAlone, LeftAloneReason, Rules, diff, foreign, get_path};
use serde_json::Value;

/// What differs from the blueprint and stays. `resolved` puts the outputs in that are known.
pub(super) fn left_alone(
    desired: &Desired,
    observed: &Observed,
    actions: &[Action],
    resolved: &dyn Fn(&Value) -> Value,
) -> Vec<LeftAlone> {
    let mut found = Vec::new();
    for (resource, action) in desired.resources.iter().zip(actions) {
        if resource.ignore.is_empty() {
            continue;
        }
        let given_away = resolved(&given_away(resource));
        let live = observed.get(&resource.id).and_then(Observation::body);
        match (action, live) {
            (Action::Create | Action::Replace | Action::Recover, _) => {
                let set = resource.ignore.iter().filter_map(|path| Some((path, path.get(&given_away)?)));
                found.extend(set.map(|(path, value)| LeftAlone {
                    address: resource.address.clone(),
                    path: path.to_string(),
                    reason: LeftAloneReason::SetOnce,
                    blueprint: value.clone(),
                    azure: Value::Null,
                }));
            }
            (_, Some(live)) => {
                let rules = resource.kind.compiled();
                let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| false };
                found.extend(diff(&given_away, live, &comparison).into_iter().map(|change| LeftAlone {
                    address: resource.address.clone(),
                    path: change.path,
                    reason: LeftAloneReason::Ignored,
                    blueprint: change.after,
                    azure: change.before,
                }));
            }
            (_, None) => {}
        }
    }
    found
}

/// What others added to lists that are not the blueprint's alone, and made below its resources.
///
/// `stays` says of a resource, by position, whether it is there and stays.
pub fn added(
    desired: &Desired,
    ledger: &Ledger,
    observed: &Observed,
    stays: &dyn Fn(usize) -> bool,
) -> Vec<LeftAlone> {
    let note = |address: &Address, path: String| LeftAlone {
        address: address.clone(),
        path,
        reason: LeftAloneReason::Added,
        blueprint: Value::Null,
        azure: Value::Null,
    };
    let mut found = Vec::new();
    for (at, resource) in desired.resources.iter().enumerate() {
        let Some(live) = observed.get(&resource.id).and_then(Observation::body).filter(|_| stays(at)) else {
            continue;
        };
        let rules = resource.kind.compiled();
        let ours = resource.for_creation(&resource.body);
        // What was written by an earlier version of the blueprint is on its way out.
        let applied = ledger.resources.get(&resource.id).map(|owned| &owned.applied);
        let is_ours = |path: &str| applied.is_some_and(|applied| has(applied, path, rules));
        let mut lists = resource.shared_lists();
        lists.retain(|path| !is_label(path));
        let theirs = foreign(&ours, live, rules, &lists);
        let ignored = |path: &str| resource.ignore.iter().any(|ignored| ignored.covers(path));
        let theirs = theirs.into_iter().filter(|change| !ignored(&change.path) && !is_ours(&change.path));
        found.extend(theirs.map(|change| note(&resource.address, change.path)));
        for path in resource.kind.watched {
            let is_there = get_path(live, path).and_then(Value::as_array).is_some_and(|all| !all.is_empty());
            let asked = get_path(&ours, path).is_some_and(|asked| !asked.is_null());
            if is_there && !asked && !ignored(path) && !is_ours(path) {
                found.push(note(&resource.address, (*path).to_owned()));
            }
        }
    }
    found.extend(strangers(desired, ledger, observed, stays, &note));
    found.sort_by(|a, b| (&a.address, &a.path).cmp(&(&b.address, &b.path)));
    found
}

/// Resources below the blueprint's that nobody here asked for.
fn strangers(
    desired: &Desired,
    ledger: &Ledger,
    observed: &Observed,
    stays: &dyn Fn(usize) -> bool,
    note: &dyn Fn(&Address, String) -> LeftAlone,
) -> Vec<LeftAlone> {
    let mut found = Vec::new();
    let mut types: Vec<SpokenOf> = Vec::new();
    for spoken_of in desired.resources.iter().filter_map(|resource| resource.kind.spoken_of) {
        if !types.contains(&spoken_of) {
            types.push(spoken_of);
        }
    }
    for (id, seen) in observed {
        let Some(body) = seen.body() else { continue };
        if desired.by_id.contains_key(id) || ledger.resources.contains_key(id) {
            continue;
        }
        let about = spoken_of(desired, &types, id, body).filter(|(at, _)| stays(*at));
        found
            .extend(about.map(|(at, called)| {
                note(&desired.resources[at].address, format!("{called}[{}]", id.name()))
            }));
        let above = id.ancestors().filter_map(|above| desired.by_id.get(&above)).copied();
        for at in above.filter(|&at| stays(at)) {
            let parent = &desired.resources[at];
            let arm_type = id.resource_type();
            let list = parent
                .shared_children()
                .find(|(_, kind)| kind.arm_type.eq_ignore_ascii_case(&arm_type) && !kind.is_azures_own(body));
            if let Some((list, _)) = list {
                found.push(note(&parent.address, format!("{list}[{}]", id.name())));
            }
        }
    }
    found
}

/// The resource that one of another type says something about, by position, and what such are called.
fn spoken_of(
    desired: &Desired,
    types: &[SpokenOf],
    id: &ArmId,
    body: &Value,
) -> Option<(usize, &'static str)> {
    let arm_type = id.resource_type();
    let spoken_of = types.iter().find(|one| one.arm_type.eq_ignore_ascii_case(&arm_type))?;
    let about = ArmId::parse(body.pointer(spoken_of.about)?.as_str()?).ok()?;
    Some((*desired.by_id.get(&about)?, spoken_of.called))
}

/// Tags and labels are others' to write as they like.
fn is_label(path: &str) -> bool {
    matches!(path.rsplit('.').next(), Some("tags" | "nodeLabels"))
}

/// Whether what was asked for last has what stands at a path of a change.
fn has(applied: &Value, path: &str, rules: &Rules) -> bool {
    let list = path.rfind('[').filter(|_| path.ends_with(']')).map(|at| (&path[..at], &path[at..]));
    match list {
        Some((list, _)) => {
            let theirs = foreign(&Value::Null, applied, rules, &[list]);
            theirs.iter().any(|change| change.path == path)
        }
        None => get_path(applied, path).is_some_and(|value| !value.is_null()),
    }
}

/// What a blueprint says of the fields that it gives away.
fn given_away(resource: &DesiredResource) -> Value {
    let mut body = Value::Object(Default::default());
    for path in &resource.ignore {
        if let Some(value) = path.get(&resource.initial) {
            path.put(&mut body, value.clone());
        }
    }
    body
}
