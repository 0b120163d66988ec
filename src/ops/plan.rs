//! Planning: read everything, decide.

use super::{Error, Session};
use crate::ledger::{InFlight, Ledger};
use crate::observe::{self, observe};
use crate::plan::{self, Adoption, Plan, check};
use crate::state::{Desired, Observation, Observed, owner_of};
use crate::value::secret::Secrets;

/// A plan with everything it was made from.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The ledger it was made for.
    pub ledger: Ledger,
    /// What was there.
    pub observed: Observed,
    /// What an earlier run left under way.
    pub in_flight: Vec<InFlight>,
    /// The blueprint's secrets, and those that the ledger adds.
    pub secrets: Secrets,
}

/// Plans what is to be done so that Azure is as the blueprint asks.
///
/// # Errors
/// When the ledger or Azure cannot be read.
pub async fn plan(session: &Session, desired: &Desired, adoption: Adoption) -> Result<Planned, Error> {
    let (mut ledger, in_flight) = session.ledger(&desired.owner(), Some(desired)).await?;
    let desired = &*desired.with_messages(&ledger.salt);
    let reading = session.reading();
    let observed = observe(&session.engine.client, Some(desired), &ledger, session.reads, &reading);
    let (observed, header) = futures::join!(observed, session.header(&ledger));
    let observed = observed?;
    settle_move(&mut ledger, &observed);
    let desired = &*plan::as_found(desired, &ledger, &observed, adoption);
    let plan = plan::plan(desired, &ledger, &observed, adoption);
    sound(&plan)?;
    let mut plan = session.settle(plan, desired, &ledger, &observed)?;
    plan.header = header;
    preflight(session, &mut plan, desired, &observed).await;
    Ok(Planned { plan, ledger, observed, in_flight, secrets: desired.secrets.clone() })
}

/// Forgets the tags of former owners that nothing in the ledger carries any more: the move is over.
fn settle_move(ledger: &mut Ledger, observed: &Observed) {
    let mut before = std::mem::take(&mut ledger.formerly);
    before.retain(|tag| {
        ledger.resources.keys().any(|id| match observed.get(id) {
            Some(Observation::Present { body, .. }) => owner_of(body) == Some(tag),
            Some(Observation::SoftDeleted { owner, .. }) => owner.as_ref() == Some(tag),
            // It may carry it.
            Some(Observation::Unreadable { .. }) => true,
            Some(Observation::Absent) | None => false,
        })
    });
    ledger.formerly = before;
}

/// Asks what can be known before the first write, and adds to the plan what is in the way and what may go wrong.
pub(super) async fn preflight(session: &Session, plan: &mut Plan, desired: &Desired, observed: &Observed) {
    let queries = plan::queries(plan, desired, observed);
    if queries.is_empty() {
        return;
    }
    let answers = observe::preflight(&session.engine.client, queries, session.reads).await;
    let (conflicts, warnings) = plan::judge(plan, desired, observed, &answers);
    plan.conflicts.extend(conflicts);
    plan.warnings.extend(warnings);
}

/// Refuses a plan in which something does not hold that must hold of every plan.
pub(super) fn sound(plan: &Plan) -> Result<(), Error> {
    let findings = check(plan);
    if findings.is_empty() { Ok(()) } else { Err(Error::Unsound(findings)) }
}
