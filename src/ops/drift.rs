//! Drift: read everything that is owned, compare with what was asked for.

use super::destroy::refuse_strays;
use super::who;
use super::{Error, Session};
use crate::catalog::resource_type;
use crate::drift::{self, Drift, DriftKind, DriftReport, Shown, Watched};
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::observe::{add_children, approvals, existing, observe};
use crate::plan::{Adoption, added, as_found, foreign_children};
use crate::state::{Desired, DesiredResource, Observation, Observed, Provisioning};
use crate::value::FieldPath;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// Reports changes that were made outside berth.
///
/// # Errors
/// When the ledger or Azure cannot be read.
pub async fn drift(session: &Session, desired: &Desired) -> Result<DriftReport, Error> {
    let (ledger, _) = session.ledger(&desired.owner(), Some(desired)).await?;
    if ledger.resources.is_empty() {
        // Nothing owned is nothing drifted, and would look as if all were well.
        if !desired.resources.is_empty() {
            return Err(Error::empty_ledger(session, &desired.owner()));
        }
        refuse_strays(session, &desired.owner(), &ledger, &desired.existing()).await?;
    }
    let reading = session.reading();
    let observed = observe(&session.engine.client, None, &ledger, session.reads, &reading);
    let (observed, header) = futures::join!(observed, session.header(&ledger));
    let mut observed = observed?;
    add_children(&session.engine.client, desired, session.reads, &mut observed).await?;
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
    let desired = &*as_found(desired, &ledger, &observed, Adoption::Refused);
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
    let exclusive = |id: &ArmId| {
        let wanted = desired.by_id.get(id).map(|&at| desired.resources[at].exclusive_lists());
        wanted.unwrap_or_default()
    };
    let live = |id: &_| observed.get(id).and_then(Observation::body);
    let ignored =
        |id: &ArmId| desired.by_id.get(id).map_or(&[] as &[FieldPath], |&at| &desired.resources[at].ignore);
    let mut report = drift::detect(&ledger, live, kind, |id| approved.contains(id), ignored, exclusive);
    report.header = header;
    let there = |id: &ArmId| match observed.get(id)? {
        Observation::Present { body, .. } => Some(Some(body)),
        Observation::Absent => Some(None),
        Observation::SoftDeleted { .. } | Observation::Unreadable { .. } => None,
    };
    let all = ledger.resources.keys().filter_map(|id| Some(kind(id)?.kept(live(id)?))).flatten();
    let all: Vec<_> = all.collect();
    let kept = ledger.resources.iter().filter_map(|(id, owned)| {
        let mut lost = kind(id)?.lost(id, live(id)?, there);
        // Two endpoints of the blueprint with one name write one record: it is as one of them wrote it.
        lost.retain(|lost| !all.iter().any(|kept| kept.id == lost.kept.id && kept.says == lost.there));
        Some((owned.address.clone(), id.clone(), owned.arm_type.clone(), lost))
    });
    drift::lost(&mut report, kept);
    report.left_alone = added(desired, &ledger, &observed, &|_| true);
    drift::added(&mut report, foreign_children(desired, &ledger, &observed));
    add_connections(session, desired, &ledger, &observed, &mut report).await?;
    decided_on_targets(&observed, &mut report);
    add_existing(session, desired, &ledger, &mut report).await?;
    drift::weigh(&mut report, kind);
    who::attribute(session, &mut report).await;
    Ok(report)
}

/// Finds, for each connection of an endpoint that is not as it should be, the connection on its target: that is what
/// somebody wrote to.
fn decided_on_targets(observed: &Observed, report: &mut DriftReport) {
    let is_open = |field: &&mut drift::FieldDrift| {
        field.subject.is_none() && field.path.ends_with("privateLinkServiceConnectionState.status")
    };
    for drift in &mut report.drifted {
        let own = drift.id.clone();
        for field in drift.fields.iter_mut().filter(is_open) {
            let lists = observed.values().filter_map(|seen| {
                seen.body()?.pointer("/properties/privateEndpointConnections")?.as_array()
            });
            let found = lists.flatten().find(|connection| {
                let endpoint = connection.pointer("/properties/privateEndpoint/id").and_then(Value::as_str);
                endpoint.and_then(|id| ArmId::parse(id).ok()).is_some_and(|id| id == own)
            });
            let id = found.and_then(|connection| connection.get("id")?.as_str());
            field.subject = id.and_then(|id| ArmId::parse(id).ok());
        }
    }
}

/// Adds what the blueprint only reads and is not there any more. What its owner changed in it is not drift.
async fn add_existing(
    session: &Session,
    desired: &Desired,
    ledger: &Ledger,
    report: &mut DriftReport,
) -> Result<(), Error> {
    let observed = existing(&session.engine.client, desired, session.reads).await?;
    for resource in desired.resources.iter().filter(|one| one.operation == Provisioning::Existing) {
        match observed.get(&resource.id) {
            Some(Observation::Unreadable { message, help }) => {
                let (address, message, help) = (resource.address.clone(), message.clone(), help.clone());
                return Err(Error::Unreadable { address, message, help });
            }
            Some(Observation::Present { .. }) => {}
            // What the ledger still has was looked at with the rest.
            _ if ledger.resources.contains_key(&resource.id) => {}
            _ => {
                let (address, id) = (resource.address.clone(), resource.id.clone());
                let missing = DriftKind::Missing;
                report.drifted.push(Drift::new(address, id, resource.kind.arm_type, missing, Vec::new()));
            }
        }
    }
    report.drifted.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(())
}

/// Adds what the targets of approvals show.
async fn add_connections(
    session: &Session,
    desired: &Desired,
    ledger: &Ledger,
    owned: &Observed,
    report: &mut DriftReport,
) -> Result<(), Error> {
    let desired = &*desired.with_messages(&ledger.salt);
    let observed = approvals(&session.engine.client, desired, session.reads).await?;
    let rules = desired.rules();
    let of = |resource: &'_ DesiredResource| match &resource.operation {
        Provisioning::Approval(approval) => approval.target.clone(),
        _ => None,
    };
    let targets: Vec<Option<ArmId>> = desired.resources.iter().map(of).collect();
    let (mut watched, mut shown) = (Vec::new(), BTreeMap::new());
    for (id, seen) in owned {
        let listed =
            seen.body().and_then(|body| body.pointer("/properties/privateEndpointConnections")?.as_array());
        if let Some(listed) = listed {
            shown.insert(id, listed.as_slice());
        }
    }
    for (resource, target) in desired.resources.iter().zip(&targets) {
        let (Provisioning::Approval(approval), Some(target)) = (&resource.operation, target) else {
            continue;
        };
        let Some(policy) = &approval.policy else { continue };
        let seen = observed.get(&resource.id);
        if let Some(Observation::Unreadable { message, help }) = seen {
            let (address, message, help) = (resource.address.clone(), message.clone(), help.clone());
            return Err(Error::Unreadable { address, message, help });
        }
        let listed = seen.and_then(|seen| seen.body()?.get("value")?.as_array()).map(Vec::as_slice);
        // The list of a target tells more than its body.
        if let Some(listed) = listed {
            shown.insert(target, listed);
        }
        watched.push(Watched {
            address: &resource.address,
            id: &resource.id,
            arm_type: resource.kind.arm_type,
            target,
            policy,
            rules: rules.get(target).map_or(&[], Vec::as_slice),
            own: approval.endpoint.is_some(),
            connections: listed,
        });
    }
    let address = |id: &ArmId| desired.by_id.get(id).map(|&at| &desired.resources[at].address);
    let shown: Vec<Shown<'_>> = shown
        .into_iter()
        .map(|(target, connections)| Shown {
            address: address(target),
            target,
            rules: rules.get(target).map_or(&[], Vec::as_slice),
            connections,
        })
        .collect();
    let (drifted, strangers) = drift::connections(&watched, &shown, |id| desired.by_id.contains_key(id));
    report.drifted.extend(drifted);
    report.drifted.sort_by(|a, b| a.address.cmp(&b.address));
    report.not_ours = strangers;
    Ok(())
}
