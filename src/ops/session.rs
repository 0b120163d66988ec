//! What every use case that talks to Azure needs.

use super::Error;
use crate::apply::Engine;
use crate::arm::{self, Client};
use crate::blueprint::Caller;
use crate::event::{Event, EventKind, Listener};
use crate::ident::{Address, ArmId, Header, Owner};
use crate::ledger::{Estate, InFlight, Ledger};
use crate::plan::{self, Plan};
use crate::state::{Desired, DesiredResource, Observed, Provisioning};
use serde_json::Value;

/// The API version of subscriptions.
const SUBSCRIPTIONS: &str = "2022-12-01";

/// A session with Azure and a ledger.
#[derive(Clone)]
pub struct Session {
    /// Client, clock, ledger store, listener, interrupt, parallelism.
    pub engine: Engine,
    /// How many reads at once.
    pub reads: usize,
    /// The addresses that plans are for; everything when there are none.
    pub targets: Vec<String>,
    /// The addresses, and fields of addresses, that plans set back and nothing else; none for ordinary plans.
    pub reverts: Vec<String>,
    /// Whether what Azure would keep, soft-deleted, is purged.
    pub purge: bool,
    /// The environment's name, when the run has one.
    pub environment: Option<String>,
    /// What the run is for, as far as it is known before the ledger is read; plans and reports open with it. Without it
    /// none is made.
    pub header: Option<Header>,
    /// Where this run works. The subscription is that of the environment, when it says one; a blueprint has its own.
    pub estate: Estate,
    /// Whether a ledger that was written for something else is taken over all the same.
    pub move_ledger: bool,
}

impl Session {
    /// Whose ledger a run for a blueprint of this name works with.
    pub(super) fn owner(&self, blueprint: &str) -> Owner {
        Owner::new(blueprint).within(self.environment.clone())
    }

    /// Reads the ledger; a new one when there is none. `desired` is what the blueprint asks for, when that is known.
    ///
    /// # Errors
    /// When it cannot be read, or is the ledger of something else than this run is for.
    pub(super) async fn ledger(
        &self,
        owner: &Owner,
        desired: Option<&Desired>,
    ) -> Result<(Ledger, Vec<InFlight>), Error> {
        let loaded = self.engine.store.load().await?;
        // What requesters say to the owners of their targets follows from it: nobody may guess it.
        let fresh = || Ledger::of(owner, uuid::Uuid::new_v4().simple().to_string());
        let mut ledger = loaded.ledger.unwrap_or_else(fresh);
        let subscription =
            desired.map(|desired| desired.subscription.clone()).filter(|text| !text.is_empty());
        let subscription = subscription.or_else(|| self.estate.subscription.clone());
        let estate = Estate { subscription, ..self.estate.clone() };
        if !self.move_ledger {
            expect(&ledger, owner, &estate, &self.engine.store.place())?;
        }
        ledger.move_to(owner);
        let wanted: Option<Vec<&ArmId>> = desired.map(|desired| {
            let owned = |resource: &&DesiredResource| resource.operation == Provisioning::Resource;
            desired.resources.iter().filter(owned).map(|resource| &resource.id).collect()
        });
        ledger.note(&estate, wanted.as_deref());
        Ok((ledger, loaded.in_flight))
    }

    /// What plans and reports of this run open with.
    pub(super) async fn header(&self, ledger: &Ledger) -> Option<Header> {
        let mut header = self.header.clone()?;
        header.subscription = ledger.estate.as_ref().and_then(|estate| estate.subscription.clone());
        if let Some(id) = &header.subscription {
            // Who may not read the subscription sees its id.
            let found = self.engine.client.get(&format!("/subscriptions/{id}"), SUBSCRIPTIONS).await;
            let name = found
                .ok()
                .flatten()
                .and_then(|found| Some(found.body.get("displayName")?.as_str()?.to_owned()));
            header.subscription_name = name;
        }
        Some(header)
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
        let unknown = |unknown: Vec<String>| Error::UnknownTargets(suggest(&unknown, &known));
        let plan = plan::restrict(plan, &self.targets).map_err(unknown)?;
        let mut plan = plan::revert(plan, &self.reverts).map_err(unknown)?;
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

/// Refuses the ledger of something else than a run is for.
///
/// # Errors
/// What differs.
pub fn expect(ledger: &Ledger, owner: &Owner, estate: &Estate, place: &str) -> Result<(), Error> {
    let mismatches = ledger.mismatches(owner, estate);
    match mismatches.is_empty() {
        true => Ok(()),
        false => Err(Error::OtherLedger { place: place.to_owned(), mismatches }),
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

/// Who is signed in, in words; `None` when no sign-in was needed, or the token does not say.
pub async fn signed_in(client: &Client) -> Option<String> {
    let caller = client.caller().await.ok().flatten()?;
    match (caller.user_name, caller.app_id, caller.object_id) {
        (Some(user), ..) => Some(user),
        (None, Some(app), Some(object)) => Some(format!("application {app} (object {object})")),
        (None, Some(app), None) => Some(format!("application {app}")),
        (None, None, object) => object.map(|object| format!("object {object}")),
    }
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
    let found = client.get(&format!("/subscriptions/{subscription}"), SUBSCRIPTIONS).await?;
    let tenant = found.and_then(|s| s.body.get("tenantId").and_then(Value::as_str).map(str::to_owned));
    Ok(tenant.map(|tenant| Caller { tenant_id: Some(tenant), object_id: None }))
}
