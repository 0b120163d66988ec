//! What every use case that talks to Azure needs.

use super::Error;
use crate::apply::Engine;
use crate::arm::{self, Client};
use crate::blueprint::Caller;
use crate::event::{Event, EventKind, Listener};
use crate::ident::Address;
use crate::ledger::{Estate, InFlight, Ledger};
use crate::plan::{self, Plan};
use crate::state::{Desired, Observed};
use serde_json::Value;

/// A session with Azure and a ledger.
#[derive(Clone)]
pub struct Session {
    /// Client, clock, ledger store, listener, interrupt, parallelism.
    pub engine: Engine,
    /// How many reads at once.
    pub reads: usize,
    /// The addresses that plans are for; everything when there are none.
    pub targets: Vec<String>,
    /// Whether what Azure would keep, soft-deleted, is purged.
    pub purge: bool,
    /// Where this run works; the subscription is the blueprint's.
    pub estate: Estate,
    /// Whether a ledger that was written for something else is taken over all the same.
    pub move_ledger: bool,
}

impl Session {
    /// Reads the ledger; a new one when there is none. `subscription` is the blueprint's, when it is known.
    ///
    /// # Errors
    /// When it cannot be read, or is the ledger of something else than this run is for.
    pub(super) async fn ledger(
        &self,
        blueprint: &str,
        subscription: Option<&str>,
    ) -> Result<(Ledger, Vec<InFlight>), Error> {
        let loaded = self.engine.store.load().await?;
        // The salt only has to differ between ledgers; it is no secret.
        let fresh = || Ledger::new(blueprint, uuid::Uuid::new_v4().simple().to_string());
        let mut ledger = loaded.ledger.unwrap_or_else(fresh);
        let subscription = subscription.filter(|text| !text.is_empty()).map(str::to_owned);
        let estate = Estate { subscription, ..self.estate.clone() };
        let mismatches = ledger.mismatches(blueprint, &estate);
        if !mismatches.is_empty() && !self.move_ledger {
            return Err(Error::OtherLedger { place: self.engine.store.place(), mismatches });
        }
        ledger.blueprint = blueprint.to_owned();
        if !ledger.resources.is_empty() || ledger.serial == 0 {
            ledger.note(&estate);
        }
        Ok((ledger, loaded.in_flight))
    }

    /// A plan as this session is to have it (purging or not, for the targets only), compiled.
    pub(super) fn settle(
        &self,
        mut plan: Plan,
        desired: &Desired,
        ledger: &Ledger,
        observed: &Observed,
    ) -> Result<Plan, Error> {
        if self.purge {
            plan::purge(&mut plan, ledger, observed);
        }
        plan::soft_delete_conflicts(&mut plan, observed);
        let known: Vec<Address> = plan.steps.iter().map(|step| step.address.clone()).collect();
        let mut plan = plan::restrict(plan, &self.targets)
            .map_err(|unknown| Error::UnknownTargets(suggest(&unknown, &known)))?;
        plan::compile(&mut plan, desired, ledger, observed);
        Ok(plan)
    }

    /// A listener for reads that speaks to the session's.
    pub(super) fn reading(&self) -> impl Fn(usize, usize) + Sync + use<> {
        let engine = self.engine.clone();
        move |done, total| {
            let event =
                Event { number: 0, at_ms: engine.clock.now().0, kind: EventKind::Reading { done, total } };
            let listener: &dyn Listener = &*engine.listener;
            listener.event(&event);
        }
    }
}

/// Each unknown address with the known one, or the beginning of one, that is likely meant.
fn suggest(unknown: &[String], known: &[Address]) -> Vec<(String, Option<String>)> {
    let mut all: Vec<&str> = Vec::new();
    for address in known {
        let text = address.as_str();
        all.extend(text.match_indices('.').map(|(at, _)| &text[..at]));
        all.push(text);
    }
    let near = |wrong: &String| crate::diag::did_you_mean(wrong, all.iter().copied()).map(str::to_owned);
    unknown.iter().map(|wrong| (wrong.clone(), near(wrong))).collect()
}

/// Who is signed in: from the token, or for want of claims the tenant from the subscription.
///
/// # Errors
/// When nobody can sign in, or the subscription cannot be read.
pub async fn caller(client: &Client, subscription: Option<&str>) -> Result<Option<Caller>, arm::Error> {
    if let Some(caller) = client.caller().await?
        && caller.tenant_id.is_some()
    {
        return Ok(Some(Caller { tenant_id: caller.tenant_id, object_id: caller.object_id }));
    }
    let Some(subscription) = subscription else { return Ok(None) };
    let found = client.get(&format!("/subscriptions/{subscription}"), "2022-12-01").await?;
    let tenant = found.and_then(|s| s.body.get("tenantId").and_then(Value::as_str).map(str::to_owned));
    Ok(tenant.map(|tenant| Caller { tenant_id: Some(tenant), object_id: None }))
}
