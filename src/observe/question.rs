//! What is to be read, and how it may be asked for.

use super::connections_version;
use crate::catalog::{Listing, ResourceType, SoftDeletion, resource_type};
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::state::{Approval, Desired, Provisioning};
use serde_json::Value;

/// One thing to read.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) id: &'a ArmId,
    pub(super) api_version: &'a str,
    pub(super) listing: Listing,
    /// Whether the ledger has it: then its absence from a list is looked into.
    pub(super) owned: bool,
    /// Where a soft-deleted one would be found.
    pub(super) deleted: Option<Deleted>,
    pub(super) connection: Option<Connection>,
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

/// The connection on a target that an endpoint caused: it has no id of its own before the endpoint exists.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) endpoint: ArmId,
    pub(super) target: ArmId,
    pub(super) api_version: String,
}

/// Everything that is wanted, then what is owned besides.
pub(super) fn questions<'a>(desired: Option<&'a Desired>, ledger: &'a Ledger) -> Vec<Question<'a>> {
    let mut questions = Vec::with_capacity(desired.map_or(ledger.resources.len(), |d| d.resources.len()));
    for resource in desired.iter().flat_map(|desired| &desired.resources) {
        let connection = match &resource.operation {
            Provisioning::Approval(Approval { endpoint, target, .. }) => {
                let (Some(endpoint), Some(target)) = (endpoint.clone(), target.clone()) else { continue };
                let api_version = connections_version(&target, desired);
                Some(Connection { endpoint, target, api_version })
            }
            _ => None,
        };
        questions.push(Question {
            id: &resource.id,
            api_version: resource.kind.api_version,
            listing: resource.kind.listing,
            owned: ledger.resources.contains_key(&resource.id),
            deleted: Deleted::of(resource.kind, &resource.id, &resource.body),
            connection,
        });
    }
    for (id, owned) in &ledger.resources {
        if desired.is_none_or(|desired| !desired.by_id.contains_key(id)) {
            questions.push(Question {
                id,
                api_version: &owned.api_version,
                listing: resource_type(&owned.arm_type).map_or(Listing::None, |kind| kind.listing),
                owned: true,
                deleted: resource_type(&owned.arm_type)
                    .and_then(|kind| Deleted::of(kind, id, &owned.applied)),
                connection: None,
            });
        }
    }
    questions
}
