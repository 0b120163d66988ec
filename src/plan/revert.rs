//! A plan that sets back what somebody else changed, and does nothing else.

use super::model::{LeftOut, Plan, Reason, Step};
use super::target::{closure, only};
use crate::change::Action;
use crate::value::{Change, is_secret};

/// Restricts a plan to the addresses that `asked` names, each with a field or as a whole. Of a resource with a field nothing
/// else changes; what it needs is made where it is missing, and left as it is where it only differs.
///
/// # Errors
/// What is no address of the plan.
pub fn revert(mut plan: Plan, asked: &[String]) -> Result<Plan, Vec<String>> {
    if asked.is_empty() {
        return Ok(plan);
    }
    let mut fields: Vec<Option<Vec<String>>> = vec![None; plan.steps.len()];
    let mut unknown = Vec::new();
    for asked in asked {
        let rest = |step: &Step| asked.strip_prefix(step.address.as_str()).map(str::to_owned);
        let within = |step: &Step| rest(step).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        let found = plan.steps.iter().enumerate().filter_map(|(at, step)| Some((at, within(step)?)));
        let Some((at, rest)) = found.min_by_key(|(_, rest)| rest.len()) else {
            unknown.push(asked.clone());
            continue;
        };
        let field = rest.trim_start_matches('.').to_owned();
        fields[at].get_or_insert_default().push(field);
    }
    if !unknown.is_empty() {
        return Err(unknown);
    }
    for (step, fields) in plan.steps.iter_mut().zip(&fields) {
        let whole = fields.as_ref().is_none_or(|fields| fields.iter().any(String::is_empty));
        if let Some(fields) = fields
            && !whole
            && matches!(step.action, Action::Update | Action::Replace)
        {
            narrow(step, fields);
        }
    }
    let is_asked: Vec<_> = plan
        .steps
        .iter()
        .zip(&fields)
        .filter(|(_, fields)| fields.is_some())
        .map(|(step, _)| step.address.clone())
        .collect();
    let kept = closure(&plan, &|step| is_asked.contains(&step.address));
    let mut plan = only(plan, &kept);
    for step in plan.steps.iter_mut().filter(|step| !is_asked.contains(&step.address)) {
        if step.action == Action::Update {
            plan.left_out.push(LeftOut { address: step.address.clone(), action: step.action });
            rest(step);
        }
    }
    plan.reverts = asked.to_vec();
    Ok(plan)
}

/// Leaves nothing to do of a step.
fn rest(step: &mut Step) {
    (step.action, step.reason) = (Action::NoOp, Reason::AsWanted);
    (step.disruption, step.grants, step.awaits) = (None, None, None);
    step.changes.clear();
    step.kept_back.clear();
    step.impact = super::Impact::None;
}

/// Leaves of a step what changes these fields.
fn narrow(step: &mut Step, fields: &[String]) {
    // A secret is sent with everything else, or not at all: nobody knows the one that is there.
    let is_meant = |change: &Change| {
        is_secret(&change.after) || fields.iter().any(|field| is_field(&change.path, field))
    };
    let (meant, kept_back): (Vec<Change>, Vec<Change>) =
        std::mem::take(&mut step.changes).into_iter().partition(is_meant);
    if !meant.iter().any(|change| fields.iter().any(|field| is_field(&change.path, field))) {
        rest(step);
        return;
    }
    if step.action == Action::Replace && !meant.iter().any(|change| change.forces_replace) {
        (step.action, step.reason) = (Action::Update, Reason::Differs);
    }
    // What is replaced is made anew as a whole.
    match step.action {
        Action::Replace => step.changes = [meant, kept_back].concat(),
        _ => (step.changes, step.kept_back) = (meant, kept_back),
    }
}

/// Whether a path, as reports show it, is the field that a person wrote, or lies below it: `tags.a.b` is `tags["a.b"]`, and
/// `properties.` may be left out.
pub fn is_field(path: &str, asked: &str) -> bool {
    let plain = |path: &str| {
        let path = path.to_lowercase();
        path.strip_prefix("properties.").unwrap_or(&path).replace("[\"", ".").replace("\"]", "")
    };
    let (path, asked) = (plain(path), plain(asked));
    path == asked || path.strip_prefix(&*asked).is_some_and(|rest| rest.starts_with(['.', '[']))
}
