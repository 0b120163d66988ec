//! The words and marks for actions and reasons, the same in every report.

use super::style::{Style, Tone};
use super::text::{about, count, escape};
use crate::change::Action;
use crate::drift::{ChangedBy, Drift, DriftKind, Who};
use crate::ident::ArmId;
use crate::plan::{Plan, Reason, Step};
use crate::value::token;
use serde_json::{Map, Value};

/// One column that says what is done.
pub(crate) const fn mark(action: Action, style: &Style) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Update => "~",
        Action::Replace if style.unicode => "±",
        Action::Replace => "%",
        Action::Delete => "-",
        Action::Approve if style.unicode => "✓",
        Action::Approve => "*",
        Action::Reject if style.unicode => "✗",
        Action::Reject => "!",
        Action::Adopt => ">",
        Action::Recover => "<",
        Action::Register => "^",
        Action::Release if style.unicode => "○",
        Action::Release => "o",
        Action::Forget if style.unicode => "»",
        Action::Forget => "x",
        Action::NoOp => "=",
    }
}

pub(crate) const fn tone(action: Action) -> Tone {
    match action {
        Action::Create | Action::Recover | Action::Approve => Tone::Good,
        Action::Update => Tone::Change,
        Action::Replace | Action::Delete | Action::Reject => Tone::Bad,
        Action::Adopt | Action::Register | Action::Release | Action::Forget => Tone::Note,
        Action::NoOp => Tone::Dim,
    }
}

/// What is being done: `creating`.
pub(crate) const fn doing(action: Action) -> &'static str {
    match action {
        Action::Create => "creating",
        Action::Update => "updating",
        Action::Replace => "replacing",
        Action::Delete => "deleting",
        Action::Approve => "approving",
        Action::Reject => "rejecting",
        Action::Adopt => "adopting",
        Action::Recover => "recovering",
        Action::Register => "registering",
        Action::Release => "releasing",
        Action::Forget => "forgetting",
        Action::NoOp => "leaving",
    }
}

/// What was done: `created`.
pub(crate) const fn done(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Approve => "approved",
        Action::Reject => "rejected",
        Action::Adopt => "adopted",
        Action::Recover => "recovered",
        Action::Register => "registered",
        Action::Release => "released",
        Action::Forget => "forgotten",
        Action::NoOp => "unchanged",
    }
}

/// Every action, in the order in which totals are told.
pub(crate) const ACTIONS: [Action; 12] = [
    Action::Create,
    Action::Update,
    Action::Replace,
    Action::Delete,
    Action::Approve,
    Action::Reject,
    Action::Adopt,
    Action::Recover,
    Action::Register,
    Action::Release,
    Action::Forget,
    Action::NoOp,
];

/// How many steps of an action a plan counts.
pub(crate) const fn counted(counts: &crate::plan::Counts, action: Action) -> usize {
    match action {
        Action::Create => counts.create,
        Action::Update => counts.update,
        Action::Replace => counts.replace,
        Action::Delete => counts.delete,
        Action::Approve => counts.approve,
        Action::Reject => counts.reject,
        Action::Adopt => counts.adopt,
        Action::Recover => counts.recover,
        Action::Register => counts.register,
        Action::Release => counts.release,
        Action::Forget => counts.forget,
        Action::NoOp => counts.unchanged,
    }
}

/// `3 to create, 1 to update, 31 unchanged`, or nothing.
pub(crate) fn totals(counts: &crate::plan::Counts) -> String {
    let some = ACTIONS.iter().filter_map(|&action| match (counted(counts, action), action) {
        (0, _) => None,
        (number, Action::NoOp) => Some(format!("{number} unchanged")),
        (number, _) => Some(format!("{number} to {}", action.word())),
    });
    let blocked = (counts.blocked > 0).then(|| format!("{} blocked", counts.blocked));
    some.chain(blocked).collect::<Vec<_>>().join(", ")
}

/// Why a step is taken, when its action does not say it already.
pub(crate) fn why(step: &Step) -> Option<String> {
    let grant = step.grants.as_ref().map(|grant| escape(&grant.words()).into_owned());
    let waits = step.awaits.map(|minutes| {
        let then = if matches!(step.reason, Reason::NotCompliantYet { .. }) { "" } else { "then " };
        format!("{then}waits until it is compliant, at most {minutes} min")
    });
    let told: Vec<String> = [grant, reason(step), waits].into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// The reason of a step in words, when it says more than the step itself.
fn reason(step: &Step) -> Option<String> {
    let text = match &step.reason {
        Reason::Missing
        | Reason::Differs
        | Reason::Destroy
        | Reason::NotRegistered
        | Reason::ApprovesItself
        | Reason::Read
        | Reason::AsWanted => return None,
        Reason::ArrivesWithParent { parent } => format!("arrives with {parent}"),
        Reason::Immutable { paths } if paths.is_empty() => "cannot be changed in place".to_owned(),
        Reason::Immutable { paths } => {
            let paths: Vec<&str> = paths.iter().map(|path| shown_path(path)).collect();
            format!("forced by {}", paths.join(", "))
        }
        Reason::ParentReplaced { parent } => format!("{parent} is replaced"),
        Reason::NoLongerWanted => "no longer in the blueprint".to_owned(),
        Reason::Foreign { parent, list } => {
            format!("not in the blueprint, and `exclusive` of {parent} names {list}")
        }
        Reason::GoesWithParent { parent } => format!("goes with {parent}"),
        Reason::TakenOver if step.action == Action::Adopt => return None,
        Reason::TakenOver => "created outside berth; only its tag is written".to_owned(),
        Reason::NotInLedger if step.action == Action::Adopt => return None,
        Reason::NotInLedger => "exists already and is taken over".to_owned(),
        Reason::FailedProvisioning { state } => {
            format!("its last create or update ended as {state}: it is sent again")
        }
        Reason::NotCompliantYet { why } => {
            format!("nothing is sent; it is not compliant yet: {}", escape(why))
        }
        Reason::KeepsNoMore => "what it keeps elsewhere is gone or changed: it is sent again".to_owned(),
        Reason::OutOfStep => "the other side has changed: it is sent again to take that over".to_owned(),
        Reason::DependencyReplaced { dependency } => {
            format!("it was made with {dependency}, which is replaced")
        }
        Reason::OnceConnected { approvals } => {
            let approvals: Vec<&str> = approvals.iter().map(|address| address.as_str()).collect();
            format!("Azure takes this only after {}", approvals.join(", "))
        }
        Reason::Moved { .. } => return None,
        Reason::StandsIn { replaced } if step.action == Action::Delete => {
            format!("not needed any more once {replaced} is replaced")
        }
        Reason::StandsIn { replaced } => format!("takes over while {replaced} is replaced"),
        Reason::Pending => "waits for approval".to_owned(),
        Reason::Awaited { minutes } => {
            format!("has not asked yet: waits up to {} for it", count(*minutes as usize, "minute"))
        }
        Reason::NotAskedYet => "has not asked yet".to_owned(),
        Reason::NotNamed => "no rule names who asks".to_owned(),
        Reason::Blocked => "may not be touched".to_owned(),
        Reason::Rejected => "was rejected on the target".to_owned(),
        Reason::Disconnected => "its connection was cut off on the target, for good".to_owned(),
        Reason::OwnedByAnother { owner } => format!("belongs to the blueprint {owner} now; it stays"),
        Reason::WillBePending => "will wait for approval once its endpoint exists".to_owned(),
        Reason::SoftDeleted if step.action == Action::Recover => {
            "a soft-deleted one holds the name: it comes back, with what was in it".to_owned()
        }
        Reason::SoftDeleted => "a soft-deleted one holds the name".to_owned(),
        Reason::Renamed { from } => format!("renamed from {from}"),
        Reason::AlreadyGone => "is gone already".to_owned(),
        Reason::NowExisting { entry } => format!("{entry} only reads it now; it stays"),
        Reason::NeededByExisting { entry } => format!("{entry} needs it; it stays"),
        Reason::NowInParent { parent } => format!("{parent} has it in its body now; it stays"),
        Reason::CannotBeDeleted => "ARM cannot delete it; it stays".to_owned(),
    };
    Some(escape(&text).into_owned())
}

/// Who changed something, a line each: what it is about when there are several, and who.
pub(crate) fn blamed(drift: &Drift) -> Vec<(Option<String>, String)> {
    let several = drift.changed_by.len() > 1;
    let verb = match drift.kind {
        DriftKind::Changed => "changed by",
        DriftKind::Missing => "deleted by",
        DriftKind::Added => "made by",
    };
    let line = |by: &ChangedBy| {
        let fields: Vec<String> =
            by.fields.iter().map(|path| token::display_text(shown_path(path))).collect();
        let about = (several && !fields.is_empty()).then(|| escape(&fields.join(", ")).into_owned());
        (about, escape(&told(verb, &by.who)).into_owned())
    };
    drift.changed_by.iter().map(line).collect()
}

/// `changed by ada@example.com with Azure Portal at …`, or that it is not known.
pub(crate) fn told(verb: &str, who: &Who) -> String {
    match who {
        Who::Known(_) => format!("{verb} {}", who.in_words()),
        Who::Unknown(reason) => format!("who did it is not known: {reason}"),
    }
}

/// A path without the `properties.` that nearly all of them begin with.
pub(crate) fn shown_path(path: &str) -> &str {
    path.strip_prefix("properties.").filter(|rest| !rest.is_empty()).unwrap_or(path)
}

/// An ARM type as it is said: without the `Microsoft.` that nearly all of them begin with.
pub(crate) fn shown_type(arm_type: &str) -> &str {
    arm_type.strip_prefix("Microsoft.").unwrap_or(arm_type)
}

/// The namespace, or `namespace/feature`, that a registration registers.
pub(crate) fn registered(id: &ArmId) -> String {
    let text = id.as_str();
    let feature = text.rfind("/features/").and_then(|at| {
        let (before, name) = (&text[..at], &text[at + "/features/".len()..]);
        Some(format!("{}/{name}", before.rsplit('/').next()?))
    });
    escape(&feature.unwrap_or_else(|| id.name().to_owned())).into_owned()
}

/// That a role reaches far, marked with `!`, when the step gives it.
fn reaches(step: &Step) -> Option<String> {
    let reach = step.grants.as_ref()?.reach.as_ref().filter(|_| step.action != Action::Delete)?;
    Some(format!("! {reach}"))
}

/// What a step disturbs, or gives far and wide, a line each, marked with `!`.
pub(crate) fn disturbed(step: &Step) -> Vec<String> {
    let Some(disruption) = &step.disruption else { return reaches(step).into_iter().collect() };
    let mut lines: Vec<String> = disruption.what.iter().map(|what| format!("! {what}")).collect();
    let names: Vec<&str> = disruption.cycles.iter().map(crate::ident::Address::as_str).collect();
    match (&names[..], disruption.drained) {
        ([], _) => {}
        ([own], true) if *own == step.address.as_str() => {
            lines.push("! each node is cordoned and drained before it goes".to_owned());
        }
        ([own], false) if *own == step.address.as_str() => {
            lines.push("! nodes are not drained: what runs on them stops".to_owned());
        }
        (names, true) => lines.push(format!("! node pools, drained node by node: {}", names.join(", "))),
        (names, false) => {
            lines.push(format!("! node pools, without a promise to drain them: {}", names.join(", ")));
        }
    }
    lines
}

/// Entries that were renamed and whose resource stays as it is: from and to.
pub(crate) fn renamed(plan: &Plan) -> Vec<(&str, &str)> {
    let idle = plan.steps.iter().filter(|step| step.action == Action::NoOp);
    idle.filter_map(|step| match &step.reason {
        Reason::Renamed { from } => Some((from.as_str(), step.address.as_str())),
        _ => None,
    })
    .collect()
}

/// The steps that make a plan as long as it is, told when there are several.
pub(crate) fn longest(plan: &Plan, path: &[usize]) -> Option<String> {
    // What takes seconds only makes the line longer.
    let long: Vec<&Step> =
        path.iter().filter_map(|&at| plan.steps.get(at)).filter(|step| step.expected_ms >= 30_000).collect();
    let told = long.iter().map(|step| format!("{} ({})", step.address, about(step.expected_ms)));
    (long.len() > 1).then(|| told.collect::<Vec<_>>().join(", then "))
}

/// The flag that lets a protected step go ahead.
pub(crate) fn allowance(step: &Step) -> Option<String> {
    let destructive = step.impact == crate::plan::Impact::Destructive;
    let flag = if step.action == Action::Replace { "--allow-replace" } else { "--allow-delete" };
    (step.protected && destructive).then(|| format!("{flag} {}", step.address.argument()))
}

/// What Azure calls a resource and which group it is in, each where the address does not say so: label and value.
///
/// The names of role assignments and their like are made up by berth and say nothing.
pub(crate) fn naming(step: &Step) -> Vec<(&'static str, &str)> {
    let (id, mut said) = (&step.id, Vec::new());
    let name = id.name();
    let made_up = uuid::Uuid::try_parse(name).is_ok();
    if !made_up && !ends_with_key(step.address.as_str(), name) {
        said.push(("name", name));
    }
    if id.group().is_some() && id.parent() == id.group_id() {
        said.extend(id.group().map(|group| ("resourceGroup", group)));
    }
    said
}

/// Whether the last key of an address is this name; a key with dots in it is in brackets.
fn ends_with_key(address: &str, name: &str) -> bool {
    let rest = address.trim_end_matches("\"]").strip_suffix(name);
    rest.is_some_and(|rest| rest.ends_with(['.', '"']))
}

/// What a create asks for, below what Azure calls it.
pub(crate) fn body_with_name(step: &Step) -> Value {
    let mut all: Map<String, Value> =
        naming(step).into_iter().map(|(label, value)| (label.to_owned(), Value::from(value))).collect();
    match &without_granted(step) {
        Value::Object(body) => all.extend(body.iter().map(|(name, value)| (name.clone(), value.clone()))),
        Value::Null => {}
        other => {
            all.insert("value".to_owned(), other.clone());
        }
    }
    Value::Object(all)
}

/// What is asked for, without the GUIDs that are said in words above it.
fn without_granted(step: &Step) -> Value {
    let mut desired = step.desired.clone();
    if step.grants.is_some()
        && let Some(properties) = desired.get_mut("properties").and_then(Value::as_object_mut)
    {
        for said in ["roleDefinitionId", "principalId", "principalType"] {
            properties.shift_remove(said);
        }
        if properties.is_empty()
            && let Some(body) = desired.as_object_mut()
        {
            body.shift_remove("properties");
        }
    }
    desired
}

/// What Azure calls a resource, in words: `vnet-shop in rg-shop`. A name that berth made up says nothing.
pub(crate) fn named_in_words(step: &Step) -> Option<String> {
    let id = &step.id;
    let name = Some(id.name()).filter(|name| uuid::Uuid::try_parse(name).is_err()).map(escape);
    let group = id.group().filter(|_| id.parent() == id.group_id()).map(escape);
    match (name, group) {
        (Some(name), Some(group)) => Some(format!("{name} in {group}")),
        (Some(name), None) => Some(name.into_owned()),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrations_are_told_by_namespace_and_feature() {
        let id = |text| ArmId::parse(text).unwrap();
        assert_eq!(registered(&id("/subscriptions/s/providers/Microsoft.KeyVault")), "Microsoft.KeyVault");
        assert_eq!(
            registered(&id(
                "/subscriptions/s/providers/Microsoft.Features/providers/Microsoft.ContainerService/features/Preview"
            )),
            "Microsoft.ContainerService/Preview"
        );
    }
}
