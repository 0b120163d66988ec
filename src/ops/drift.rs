//! Drift: read everything that is owned, compare with what was asked for.

use super::{Error, Session};
use crate::drift::{self, DriftReport};
use crate::observe::observe;
use crate::plan::{Desired, Observation};

/// Reports what somebody else changed.
///
/// # Errors
/// When the ledger or Azure cannot be read.
pub async fn drift(session: &Session, desired: &Desired) -> Result<DriftReport, Error> {
    let (ledger, _) = session.ledger(&desired.blueprint).await?;
    let reading = session.reading();
    let observed = observe(&session.engine.client, None, &ledger, session.reads, &reading).await?;
    let kind = |id: &_| desired.by_id.get(id).map(|&at| desired.resources[at].kind);
    let live = |id: &_| observed.get(id).and_then(Observation::body);
    Ok(drift::detect(&ledger, live, kind))
}
