//! Saved plans: made by one run, carried out by another, perhaps elsewhere.

use super::apply::carry_out;
use super::{Error, Planned, Session};
use crate::apply::Applied;
use crate::approve::Allowances;
use crate::blueprint::{Environment, Inputs, Source};
use crate::diag::Failure;
use crate::plan::{
    Adoption, Detail, Plan, PlanTarget, SaveInput, Saved, SavedEnvironment, SavedError, SavedFile,
    StaleInput, details,
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

/// Puts a plan together with its inputs.
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
            "an earlier run left {} under way; `berth ledger resume` finishes it",
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
        chosen: inputs.chosen.as_deref().map(kept),
        parameters: inputs.given(),
        environment: inputs.environment_read(),
        adopt: adoption == Adoption::Allowed,
        allow_replace: allowances.replace.clone(),
        allow_delete: allowances.delete.clone(),
        salt: uuid::Uuid::new_v4().simple().to_string(),
    })
}

/// What a plan keeps of an environment.
fn kept(chosen: &Environment) -> SavedEnvironment {
    let values = chosen.values.iter().filter_map(|values| values.tree.as_object()).flatten();
    SavedEnvironment {
        name: chosen.name.clone(),
        subscription: chosen.subscription.clone(),
        tenant: chosen.tenant.clone(),
        cloud: chosen.cloud.clone(),
        ledger: chosen.ledger.clone(),
        values: values.map(|(name, value)| (name.clone(), value.clone())).collect(),
    }
}

/// The environment of a saved plan, where its file is not at hand.
pub fn saved_environment(saved: &SavedEnvironment) -> Environment {
    let mut environment = Environment::named(saved.name.clone());
    environment.subscription.clone_from(&saved.subscription);
    environment.tenant.clone_from(&saved.tenant);
    environment.cloud.clone_from(&saved.cloud);
    environment.ledger.clone_from(&saved.ledger);
    environment
}

/// What an environment's file says otherwise than when the plan was made.
pub fn moved_environment(saved: &SavedEnvironment, now: &Environment) -> Vec<StaleInput> {
    let now = kept(now);
    let fields = [
        ("subscription", &saved.subscription, &now.subscription),
        ("tenant", &saved.tenant, &now.tenant),
        ("cloud", &saved.cloud, &now.cloud),
        ("ledger", &saved.ledger, &now.ledger),
    ];
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    // A value that was not kept is secret, and has a digest of its own; a parameter that came since may be.
    let values = saved.values.iter().filter(|(name, value)| now.values.get(*name) != Some(value));
    let values = values.map(|(name, value)| StaleInput {
        what: format!("the environment `{}`", saved.name),
        field: Some(format!("values.{name}")),
        was: format!("`{}`", shown(value)),
        now: now.values.get(name).map_or("not set".to_owned(), |value| format!("`{}`", shown(value))),
    });
    let moved = fields.into_iter().filter(|(_, was, now)| was != now);
    let fields = moved.map(|(field, was, now)| StaleInput {
        what: format!("the environment `{}`", saved.name),
        field: Some(field.to_owned()),
        was: word(was),
        now: word(now),
    });
    fields.chain(values).collect()
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
/// When a text in it is not YAML.
pub fn saved_source(saved: &Saved) -> Result<Source, Error> {
    let file = &saved.files[0];
    let read = |path: &Path| {
        let found = saved.files.iter().find(|file| Path::new(&file.name) == path);
        found.map(|file| file.text.clone().into_bytes()).ok_or_else(|| {
            let message = format!("{}: the saved plan does not contain this file", path.display());
            Failure::new(message, "plan again with `berth plan --out`")
        })
    };
    Ok(super::parse(&file.name, file.text.as_bytes())?.with_includes(&read))
}

/// The inputs with which the blueprint of a saved plan is read: its own, and the secrets of now.
///
/// # Errors
/// When a parameter is given that the plan has settled.
pub fn saved_inputs(saved: &Saved, source: &Source, inputs: &mut Inputs) -> Result<(), Failure> {
    let declared = source.tree.get("parameters");
    let is_secret =
        |name: &str| declared.and_then(|d| d.get(name)?.get("secret")) == Some(&Value::Bool(true));
    // What the environment's file says was compared with what it said: a flag may have come over it.
    let (all, flags) = (inputs.given(), Inputs { chosen: None, ..inputs.clone() }.given());
    for (name, value) in flags {
        let settled = saved.parameters.get(&name);
        if !is_secret(&name) && settled != Some(&value) && settled != all.get(&name) {
            return Err(Failure::new(
                format!("the plan has settled the parameter `{name}`, and now it is given another value"),
                "leave it out (only secret parameters are given again), or plan again with it",
            ));
        }
    }
    inputs.parameters.extend(saved.parameters.clone());
    inputs.environment.extend(saved.environment.clone());
    Ok(())
}

/// Carries out a saved plan, if none of its inputs has changed.
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

/// A value in a sentence: a text without quotes, anything else as JSON.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
