//! Applying: take the ledger, finish what an earlier run began, plan, carry out.

use super::{Error, Planned, Session};
use crate::apply::{self, Applied};
use crate::approve::{Allowances, approve, blocks};
use crate::event::EventKind;
use crate::ident::Owner;
use crate::ledger::InFlight;
use crate::plan::Adoption;
use crate::state::Desired;

/// Takes the ledger for this run and waits for what an earlier one left under way, then plans.
///
/// The ledger stays locked until the session's store is dropped or unlocked.
pub(super) async fn take(session: &Session, owner: &Owner, desired: Option<&Desired>) -> Result<(), Error> {
    let engine = &session.engine;
    let taken = engine.store.lock().await?;
    let tell = |kind| {
        engine.listener.event(&crate::event::Event { number: 0, at_ms: engine.clock.now().0, kind });
    };
    if let Some(from) = taken.from {
        tell(EventKind::LockTaken { from });
    }
    // Nothing of another run's is waited for, or even asked about.
    let resumed = match session.ledger(owner, desired).await {
        Ok(_) => resume(session).await,
        Err(error) => Err(error),
    };
    if resumed.is_err() {
        engine.store.unlock().await;
    }
    resumed
}

/// Waits for what an earlier run left under way.
async fn resume(session: &Session) -> Result<(), Error> {
    let engine = &session.engine;
    let loaded = engine.store.load().await?;
    if !loaded.in_flight.is_empty() {
        let tell = |step: &InFlight| {
            let kind = EventKind::StepStarted {
                address: step.address.clone(),
                action: step.action,
                expected_ms: 0,
                left_ms: 0,
            };
            engine.listener.event(&crate::event::Event { number: 0, at_ms: engine.clock.now().0, kind });
        };
        let ledger = loaded.ledger.as_ref();
        apply::resume(&engine.client, &engine.clock, ledger, &loaded.in_flight, &tell).await?;
    }
    Ok(())
}

/// Plans, asks `agree` about the plan, and carries it out.
///
/// `agree` sees the plan before anything is written, and whether it may be applied at all; it may say no, and then
/// nothing is done and `None` comes back.
///
/// # Errors
/// When the ledger is taken or cannot be used, Azure cannot be read, or something in the plan is not allowed.
/// Steps that fail are in the summary.
pub async fn apply(
    session: &Session,
    desired: &Desired,
    adoption: Adoption,
    allowances: &Allowances,
    agree: impl FnOnce(&Planned, bool) -> bool,
) -> Result<Option<Applied>, Error> {
    take(session, &desired.owner(), Some(desired)).await?;
    let applied = match super::plan(session, desired, adoption).await {
        Ok(planned) => carry_out(session, planned, allowances, agree).await,
        Err(error) => Err(error),
    };
    session.engine.store.unlock().await;
    applied
}

/// Waits for what an earlier run left under way and writes down what came of it. Nothing new is begun.
///
/// Returns what was waited for.
///
/// # Errors
/// When the ledger is taken or cannot be used, or Azure cannot be read.
pub async fn finish_earlier(session: &Session, desired: &Desired) -> Result<Vec<InFlight>, Error> {
    take(session, &desired.owner(), Some(desired)).await?;
    let finished = match super::plan(session, desired, Adoption::Refused).await {
        Ok(Planned { in_flight, .. }) if in_flight.is_empty() => Ok(in_flight),
        Ok(Planned { in_flight, ledger, .. }) => match session.engine.store.save(&ledger).await {
            Ok(()) => Ok(in_flight),
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error),
    };
    session.engine.store.unlock().await;
    finished
}

/// Asks about a plan and carries it out. The ledger is taken.
pub(super) async fn carry_out(
    session: &Session,
    mut planned: Planned,
    allowances: &Allowances,
    agree: impl FnOnce(&Planned, bool) -> bool,
) -> Result<Option<Applied>, Error> {
    // It was waited for, and the plan has seen what came of it.
    let resumed = !std::mem::take(&mut planned.in_flight).is_empty();
    let allowed = blocks(&planned.plan, allowances).is_empty();
    let agreed = agree(&planned, allowed);
    let Planned { plan, ledger, observed, secrets, .. } = planned;
    let plan = approve(plan, allowances).map_err(Error::Blocked)?;
    if !agreed {
        return Ok(None);
    }
    // Until now Ctrl-C ends the process, as everywhere; from now on it ends the run.
    session.engine.interrupt.listen();
    if resumed {
        // Even when nothing is left to do: else the journal would tell of it for ever.
        session.engine.store.save(&ledger).await?;
    }
    Ok(Some(apply::apply(&session.engine, &plan, &secrets, ledger, observed).await?))
}
