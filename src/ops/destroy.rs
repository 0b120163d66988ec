//! Destroying: everything that the ledger has, in reverse order.

use super::apply::{carry_out, take};
use super::plan::{preflight, sound};
use super::{Error, Planned, Session};
use crate::apply::Applied;
use crate::approve::Allowances;
use crate::observe::observe;
use crate::plan;
use crate::state::Desired;
use crate::value::secret::Secrets;

/// Plans the removal of everything that the ledger has.
///
/// # Errors
/// When the ledger or Azure cannot be read.
pub async fn plan_destroy(session: &Session, blueprint: &str) -> Result<Planned, Error> {
    let (ledger, in_flight) = session.ledger(blueprint, None).await?;
    if ledger.serial == 0 && ledger.resources.is_empty() && in_flight.is_empty() {
        return Err(Error::EmptyLedger {
            place: session.engine.store.place(),
            blueprint: blueprint.to_owned(),
        });
    }
    let reading = session.reading();
    let observed = observe(&session.engine.client, None, &ledger, session.reads, &reading).await?;
    let nothing = Desired { blueprint: blueprint.to_owned(), ..Desired::default() };
    let plan = plan::plan_destroy(&ledger, &observed);
    sound(&plan)?;
    let mut plan = session.settle(plan, &nothing, &ledger, &observed)?;
    preflight(session, &mut plan, &nothing, &observed).await;
    Ok(Planned { plan, ledger, observed, in_flight, secrets: Secrets::default() })
}

/// Plans the removal of everything, asks `agree` about the plan, and carries it out.
///
/// # Errors
/// As [`super::apply`].
pub async fn destroy(
    session: &Session,
    blueprint: &str,
    allowances: &Allowances,
    agree: impl FnOnce(&Planned, bool) -> bool,
) -> Result<Option<Applied>, Error> {
    take(session, blueprint, None).await?;
    let applied = match plan_destroy(session, blueprint).await {
        Ok(planned) => carry_out(session, planned, allowances, agree).await,
        Err(error) => Err(error),
    };
    session.engine.store.unlock().await;
    applied
}
