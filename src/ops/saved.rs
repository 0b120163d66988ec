//! Saved plans: made by one run, carried out by another, perhaps elsewhere.

use super::apply::carry_out;
use super::{Error, Planned, Session};
use crate::apply::Applied;
use crate::approve::Allowances;
use crate::blueprint::{Inputs, Source};
use crate::plan::{
    Adoption, Desired, Detail, Making, Moved, Plan, Saved, SavedError, SavedFile, Setting, details,
};
use crate::{ledger::Ledger, plan};
use serde_json::Value;
use std::collections::BTreeMap;

impl Planned {
    /// What is known of each step, in the plan's order.
    pub fn details(&self, desired: &Desired) -> Vec<Detail> {
        details(&self.plan, desired, &self.ledger, &self.observed)
    }
}

/// The plan of a blueprint for a subscription in which nothing is yet, with its details: what can be judged offline.
pub fn plan_offline(desired: &Desired) -> (Plan, Vec<Detail>) {
    let (ledger, nothing) = (Ledger::new(desired.blueprint.clone(), ""), plan::Observed::new());
    let plan = plan::plan(desired, &ledger, &nothing, Adoption::Allowed);
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
    setting: Setting,
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
    Saved::new(Making {
        plan: &planned.plan,
        details: planned.details(desired),
        ledger: &planned.ledger,
        secrets: &desired.secrets,
        files: vec![SavedFile { name: source.file.name.clone(), text: source.file.text.clone() }],
        setting,
        parameters: inputs.parameters.clone(),
        environment: environment(source, &inputs.environment),
        adopt: adoption == Adoption::Allowed,
        allow_replace: allowances.replace.clone(),
        allow_delete: allowances.delete.clone(),
        salt: uuid::Uuid::new_v4().simple().to_string(),
    })
}

/// The environment variables that a blueprint reads: those of expressions and of parameters, without those of secret
/// parameters.
fn environment(source: &Source, environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let text = source.file.text.as_str();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names: Vec<&str> = Vec::new();
    for start in ["env.", "env['", "env[\""] {
        for (at, _) in text.match_indices(start) {
            if !text[..at].ends_with(is_name) {
                names.extend(text[at + start.len()..].split(|c| !is_name(c)).next());
            }
        }
    }
    let mut secret: Vec<&str> = Vec::new();
    for declared in
        source.tree.get("parameters").and_then(Value::as_object).into_iter().flat_map(|p| p.values())
    {
        let Some(name) = declared.get("env").and_then(Value::as_str) else { continue };
        let list = if declared.get("secret") == Some(&Value::Bool(true)) { &mut secret } else { &mut names };
        list.push(name);
    }
    names.retain(|name| !secret.contains(name));
    let known = names.into_iter().filter_map(|name| Some((name.to_owned(), environment.get(name)?.clone())));
    known.collect()
}

/// The inputs with which the blueprint of a saved plan is read: its own, and the secrets of now.
///
/// # Errors
/// A sentence, when a parameter is given that the plan has settled.
pub fn saved_inputs(saved: &Saved, source: &Source, inputs: &mut Inputs) -> Result<(), String> {
    let declared = source.tree.get("parameters");
    let is_secret =
        |name: &str| declared.and_then(|d| d.get(name)?.get("secret")) == Some(&Value::Bool(true));
    for (name, value) in &inputs.parameters {
        if !is_secret(name) && saved.parameters.get(name) != Some(value) {
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
    setting: &Setting,
    mut found: Vec<Moved>,
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
    let (ledger, in_flight) = session.ledger(&desired.blueprint).await?;
    let mut found: Vec<Moved> = in_flight
        .iter()
        .map(|step| Moved::new(step.address.as_str(), "at rest", "left under way by an earlier run"))
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
    carry_out(session, desired, planned, &allowances, agree).await
}
