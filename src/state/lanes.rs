//! What may not be worked on by two steps at once.

use super::Provisioning;
use crate::catalog::{Lane, ResourceType};
use crate::ident::ArmId;
use crate::value::at_pointer;
use serde_json::Value;

/// The ids that may not be worked on by two steps at once while this resource is.
pub fn lanes(kind: &ResourceType, id: &ArmId, operation: &Provisioning, body: &Value) -> Vec<ArmId> {
    // A target takes one change of its connections at a time.
    let target = match operation {
        Provisioning::Approval(approval) => approval.target.clone(),
        _ => None,
    };
    let mut found: Vec<ArmId> = kind
        .lanes
        .iter()
        .filter_map(|lane| match lane {
            Lane::Free => None,
            Lane::Ancestor(arm_type) => id.ancestor_of_type(arm_type),
            Lane::Of(pointer, arm_type) => {
                ArmId::parse(at_pointer(body, pointer)?.as_str()?).ok()?.ancestor_of_type(arm_type)
            }
        })
        .chain(target)
        .collect();
    found.sort();
    found.dedup();
    found
}
