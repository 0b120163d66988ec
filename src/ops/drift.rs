//! Drift: read everything that is owned, compare with what was asked for.

use super::{Error, Session};
use crate::catalog::resource_type;
use crate::drift::{self, DriftReport};
use crate::ident::ArmId;
use crate::observe::observe;
use crate::state::{Desired, Observation, Provisioning};
use std::collections::HashSet;

/// Reports what somebody else changed.
///
/// # Errors
/// When the ledger or Azure cannot be read.
pub async fn drift(session: &Session, desired: &Desired) -> Result<DriftReport, Error> {
    let (ledger, _) = session.ledger(&desired.blueprint, Some(&desired.subscription)).await?;
    if ledger.resources.is_empty() && !desired.resources.is_empty() {
        // Nothing owned is nothing drifted, and would look as if all were well.
        return Err(Error::EmptyLedger {
            place: session.engine.store.place(),
            blueprint: desired.blueprint.clone(),
        });
    }
    let reading = session.reading();
    let observed = observe(&session.engine.client, None, &ledger, session.reads, &reading).await?;
    if let Some((address, message, help)) =
        ledger.resources.iter().find_map(|(id, owned)| match observed.get(id) {
            Some(Observation::Unreadable { message, help }) => Some((&owned.address, message, help)),
            _ => None,
        })
    {
        // A report without it would call it missing, or steady: neither is known.
        return Err(Error::Unreadable {
            address: address.clone(),
            message: message.clone(),
            help: help.clone(),
        });
    }
    let kind = |id: &ArmId| {
        let wanted = desired.by_id.get(id).map(|&at| desired.resources[at].kind);
        wanted.or_else(|| resource_type(&ledger.resources.get(id)?.arm_type))
    };
    let approved: HashSet<ArmId> = desired
        .resources
        .iter()
        .filter_map(|resource| match &resource.operation {
            Provisioning::Approval(approval) => approval.endpoint.clone(),
            _ => None,
        })
        .collect();
    let live = |id: &_| observed.get(id).and_then(Observation::body);
    Ok(drift::detect(&ledger, live, kind, |id| approved.contains(id)))
}
