//! Destroying: everything that the ledger has, in reverse order.

use super::apply::{carry_out, take};
use super::plan::{preflight, sound};
use super::{Error, Planned, Session};
use crate::apply::Applied;
use crate::approve::Allowances;
use crate::ident::{Address, ArmId, Owner};
use crate::ledger::Ledger;
use crate::observe::{observe, tagged};
use crate::plan;
use crate::state::Desired;
use crate::value::secret::Secrets;

/// Plans the removal of everything that the ledger has, but for what the blueprint only reads (`existing`, from
/// [`Desired::existing`]) and what that needs.
///
/// # Errors
/// When the ledger or Azure cannot be read.
pub async fn plan_destroy(
    session: &Session,
    blueprint: &str,
    existing: &[(Address, ArmId)],
) -> Result<Planned, Error> {
    let owner = session.owner(blueprint);
    let (ledger, in_flight) = session.ledger(&owner, None).await?;
    if ledger.resources.is_empty() && in_flight.is_empty() {
        if ledger.is_new() {
            return Err(Error::empty_ledger(session, &owner));
        }
        // It was destroyed before; or its ledger was emptied, and what it had is still there.
        refuse_strays(session, &owner, &ledger, existing).await?;
    }
    let reading = session.reading();
    let observed = observe(&session.engine.client, None, &ledger, session.reads, &reading);
    let (observed, header) = futures::join!(observed, session.header(&ledger));
    let observed = observed?;
    let nothing = Desired {
        blueprint: owner.blueprint.clone(),
        environment: owner.environment.clone(),
        ..Desired::default()
    };
    let plan = plan::plan_destroy(&owner, existing, &ledger, &observed);
    sound(&plan)?;
    let mut plan = session.settle(plan, &nothing, &ledger, &observed)?;
    plan.header = header;
    preflight(session, &mut plan, &nothing, &observed).await;
    Ok(Planned { plan, ledger, observed, in_flight, secrets: Secrets::default() })
}

/// Fails when something carries the owner's tag that an empty ledger does not have, in the groups that it was in. What
/// `existing` reads, and what the ledger gave away, has the tag on it too.
///
/// # Errors
/// What was found; or when the groups cannot be read.
pub(super) async fn refuse_strays(
    session: &Session,
    owner: &Owner,
    ledger: &Ledger,
    existing: &[(Address, ArmId)],
) -> Result<(), Error> {
    let groups = ledger.estate.as_ref().map(|estate| &estate.groups[..]).unwrap_or_default();
    let mut found = tagged(&session.engine.client, groups, &owner.to_string(), session.reads).await?;
    found.retain(|id| {
        !ledger.released.contains(id)
            && !existing.iter().any(|(_, read)| read == id || read.ancestors().any(|above| above == *id))
    });
    match found.is_empty() {
        true => Ok(()),
        false => Err(Error::Strays { place: session.engine.store.place(), owner: owner.to_string(), found }),
    }
}

/// Plans the removal of everything, asks `agree` about the plan, and carries it out.
///
/// # Errors
/// As [`super::apply`].
pub async fn destroy(
    session: &Session,
    blueprint: &str,
    existing: &[(Address, ArmId)],
    allowances: &Allowances,
    agree: impl FnOnce(&Planned, bool) -> bool,
) -> Result<Option<Applied>, Error> {
    take(session, &session.owner(blueprint), None).await?;
    let applied = match plan_destroy(session, blueprint, existing).await {
        Ok(planned) => carry_out(session, planned, allowances, agree).await,
        Err(error) => Err(error),
    };
    session.engine.store.unlock().await;
    applied
}
