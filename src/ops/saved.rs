//! Saved plans: made by one run, carried out by another, perhaps elsewhere.

use super::apply::carry_out;
use super::{Error, Planned, Session};
use crate::apply::Applied;
use crate::approve::Allowances;
use crate::blueprint::{Inputs, Source};
use crate::plan::{
    Adoption, Detail, Plan, PlanTarget, SaveInput, Saved, SavedError, SavedFile, StaleInput, details,
};
use crate::state::{Desired, Observed};
use crate::{ledger::Ledger, plan};
use serde_json::Value;
use std::path::Path;

impl Planned {
    /// What is known of each step, in the plan's order.
    pub fn details(&self, desired: &Desired) -> Vec<Detail> {
        details(&self.plan, desired, &self.ledger, &self.observed)
    }
}

/// The plan of a blueprint for a subscription in which nothing is yet, with its details: what can be judged offline.
pub fn plan_offline(desired: &Desired) -> (Plan, Vec<Detail>) {
    let (ledger, nothing) = (Ledger::of(&desired.owner(), ""), Observed::new());
    let mut plan = plan::plan(desired, &ledger, &nothing, Adoption::Allowed);
    plan::compile(&mut plan, desired, &ledger, &nothing);
    let details = details(&plan, desired, &ledger, &nothing);
    (plan, details)
}

/// Puts a plan together with what it stands on.
///
/// # Errors
/// When the blueprint's text holds a secret, or something is in the way of applying the plan at all.
pub fn save(
    planned: &Planned,
    desired: &Desired,
    source: &Source,
    inputs: &Inputs,
    setting: PlanTarget,
    adoption: Adoption,
    allowances: &Allowances,
) -> Result<Saved, SavedError> {
    if let Some(conflict) = planned.plan.conflicts.first() {
        return Err(SavedError::InTheWay(format!("{}: {}", conflict.address, conflict.message)));
    }
    if let Some(step) = planned.in_flight.first() {
        return Err(SavedError::InTheWay(format!(
            "an earlier run left {} under way; `berth apply` with the blueprint finishes it",
            step.address
        )));
    }
    Saved::new(SaveInput {
        plan: &planned.plan,
        details: planned.details(desired),
        ledger: &planned.ledger,
        secrets: &desired.secrets,
        files: files(source),
        setting,
        parameters: inputs.given(),
        environment: inputs.environment_read(),
        adopt: adoption == Adoption::Allowed,
        allow_replace: allowances.replace.clone(),
        allow_delete: allowances.delete.clone(),
        salt: uuid::Uuid::new_v4().simple().to_string(),
    })
}

/// The texts of a blueprint: its own, then those of its modules.
fn files(source: &Source) -> Vec<SavedFile> {
    let mut files = source.files();
    // The sort is stable: the others stay in the order of their names.
    files.sort_by_key(|file| file.name != source.file.name);
    files.iter().map(|file| SavedFile { name: file.name.clone(), text: file.text.clone() }).collect()
}

/// The blueprint of a saved plan, with the files that it includes.
///
/// # Errors
/// When a text in it is no YAML.
pub fn saved_source(saved: &Saved) -> Result<Source, Error> {
    let file = &saved.files[0];
    let read = |path: &Path| {
        let found = saved.files.iter().find(|file| Path::new(&file.name) == path);
        found.map(|file| file.text.clone().into_bytes()).ok_or_else(|| {
            format!("{}: the plan does not hold it\nhelp: plan again with `berth plan --out`", path.display())
        })
    };
    Ok(super::parse(&file.name, file.text.as_bytes())?.with_includes(&read))
}

/// The inputs with which the blueprint of a saved plan is read: its own, and the secrets of now.
///
/// # Errors
/// A sentence, when a parameter is given that the plan has settled.
pub fn saved_inputs(saved: &Saved, source: &Source, inputs: &mut Inputs) -> Result<(), String> {
    let declared = source.tree.get("parameters");
    let is_secret =
        |name: &str| declared.and_then(|d| d.get(name)?.get("secret")) == Some(&Value::Bool(true));
    for (name, value) in inputs.given() {
        if !is_secret(&name) && saved.parameters.get(&name) != Some(&value) {
            return Err(format!(
                "the plan has settled the parameter `{name}`; only secret ones are given again\n\
                 help: leave it out, or plan again with it"
            ));
        }
    }
    inputs.parameters.extend(saved.parameters.clone());
    inputs.environment.extend(saved.environment.clone());
    Ok(())
}

/// Carries out a saved plan, if nothing that it stands on has moved.
///
/// `found` is what the caller saw to have moved already: the blueprint's file, say. `allowances` add to those of the
/// plan. Nothing is asked: `agree` sees the plan, and may still say no.
///
/// # Errors
/// [`Error::Stale`] with everything that moved; else as [`super::apply`].
pub async fn apply_saved(
    session: &Session,
    saved: &Saved,
    desired: &Desired,
    setting: &PlanTarget,
    mut found: Vec<StaleInput>,
    allowances: &Allowances,
    agree: impl FnOnce(&Planned, bool) -> bool,
) -> Result<Option<Applied>, Error> {
    found.extend(saved.moved_setting(setting, &desired.secrets));
    if !found.is_empty() {
        return Err(Error::Stale(found));
    }
    let store = session.engine.store.clone();
    store.lock().await?;
    let applied = locked(session, saved, desired, allowances, agree).await;
    store.unlock().await;
    applied
}

async fn locked(
    session: &Session,
    saved: &Saved,
    desired: &Desired,
    allowances: &Allowances,
    agree: impl FnOnce(&Planned, bool) -> bool,
) -> Result<Option<Applied>, Error> {
    let (ledger, in_flight) = session.ledger(&desired.owner(), Some(desired)).await?;
    let mut found: Vec<StaleInput> = in_flight
        .iter()
        .map(|step| StaleInput::new(step.address.as_str(), "at rest", "left under way by an earlier run"))
        .collect();
    found.extend(saved.moved_ledger(&ledger));
    if !found.is_empty() {
        return Err(Error::Stale(found));
    }
    let adoption = if saved.adopt { Adoption::Allowed } else { Adoption::Refused };
    let planned = super::plan(session, desired, adoption).await?;
    let mut found = saved.moved(&planned.plan, &planned.details(desired), desired);
    if found.is_empty() {
        found = saved.replanned(&planned.plan);
    }
    if !found.is_empty() {
        return Err(Error::Stale(found));
    }
    let allowances = Allowances {
        replace: [&saved.allow_replace[..], &allowances.replace].concat(),
        delete: [&saved.allow_delete[..], &allowances.delete].concat(),
    };
    carry_out(session, planned, &allowances, agree).await
}
