//! What is to be read, and how it may be asked for.

use crate::catalog::{Listing, ResourceType, SoftDeletion, resource_type};
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::state::{Desired, Provisioning};
use serde_json::Value;

/// One thing to read.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) id: &'a ArmId,
    pub(super) api_version: &'a str,
    pub(super) listing: Listing,
    /// Its type, when the catalog has it.
    pub(super) kind: Option<&'static ResourceType>,
    /// Whether the ledger has it: then its absence from a list is looked into.
    pub(super) owned: bool,
    /// Where a soft-deleted one would be found.
    pub(super) deleted: Option<Deleted>,
    pub(super) connections: Option<Connections>,
}

/// Where a soft-deleted resource would be found.
#[derive(Debug)]
pub(super) struct Deleted {
    pub(super) path: String,
    pub(super) deletion: &'static SoftDeletion,
}

impl Deleted {
    fn of(kind: &'static ResourceType, id: &ArmId, body: &Value) -> Option<Self> {
        let deletion = kind.soft_deleted.as_ref()?;
        Some(Deleted { path: deletion.path_of(id, body), deletion })
    }
}

/// The connections of a target. They have no ids that could be known beforehand.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) target: ArmId,
    pub(super) api_version: String,
    /// The endpoint whose connection is meant above all.
    pub(super) endpoint: Option<ArmId>,
}

impl Connections {
    fn of(operation: &Provisioning) -> Option<Self> {
        let Provisioning::Approval(approval) = operation else { return None };
        let (target, api_version) = (approval.target.clone()?, approval.api_version.clone()?);
        Some(Connections { target, api_version, endpoint: approval.endpoint.clone() })
    }
}

/// What the approvals of a blueprint are about. Of its own endpoints these tell by themselves.
pub(super) fn approvals(desired: &Desired) -> Vec<Question<'_>> {
    let approvals = desired.resources.iter().filter_map(|resource| {
        let connections = Connections::of(&resource.operation).filter(|asked| asked.endpoint.is_none())?;
        Some(Question {
            id: &resource.id,
            api_version: resource.kind.api_version,
            listing: Listing::None,
            kind: Some(resource.kind),
            owned: false,
            deleted: None,
            connections: Some(connections),
        })
    });
    approvals.collect()
}

/// What a blueprint only reads.
pub(super) fn existing(desired: &Desired) -> Vec<Question<'_>> {
    let existing = desired.resources.iter().filter(|one| one.operation == Provisioning::Existing);
    existing
        .map(|resource| Question {
            id: &resource.id,
            api_version: resource.kind.api_version,
            listing: Listing::None,
            kind: Some(resource.kind),
            owned: false,
            deleted: None,
            connections: None,
        })
        .collect()
}

/// Everything that is wanted, then what is owned besides.
pub(super) fn questions<'a>(desired: Option<&'a Desired>, ledger: &'a Ledger) -> Vec<Question<'a>> {
    let mut questions = Vec::with_capacity(desired.map_or(ledger.resources.len(), |d| d.resources.len()));
    for resource in desired.iter().flat_map(|desired| &desired.resources) {
        let connections = Connections::of(&resource.operation);
        if connections.is_none() && matches!(resource.operation, Provisioning::Approval(_)) {
            continue;
        }
        questions.push(Question {
            id: &resource.id,
            api_version: resource.kind.api_version,
            listing: resource.kind.listing,
            kind: Some(resource.kind),
            owned: ledger.resources.contains_key(&resource.id),
            deleted: Deleted::of(resource.kind, &resource.id, &resource.body),
            connections,
        });
    }
    for (id, owned) in &ledger.resources {
        if desired.is_none_or(|desired| !desired.by_id.contains_key(id)) {
            let kind = resource_type(&owned.arm_type);
            questions.push(Question {
                id,
                api_version: &owned.api_version,
                listing: kind.map_or(Listing::None, |kind| kind.listing),
                kind,
                owned: true,
                deleted: kind.and_then(|kind| Deleted::of(kind, id, &owned.applied)),
                connections: None,
            });
        }
    }
    questions
}
