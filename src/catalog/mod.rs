//! What berth knows of Azure's resource types and of the sections of a blueprint, as data and pure functions.
//!
//! A [`Kind`] is a section of the blueprint (`networks`, `clusters`): a typed `Spec` and a function that expands one
//! entry into the [`Draft`]s of one or more ARM resources. A [`ResourceType`] describes an ARM type: version, field
//! semantics, how it is created, changed and deleted, what it gives to others. Kinds build bodies and never send them.
//!
//! Adding a kind is one file or folder in `kinds/` and one line in its registry; everything else (validation, plan, apply,
//! drift) follows from the descriptors. When a descriptor lacks a word, the word is added for everyone.

mod body;
mod calendar;
mod cross_check;
mod draft;
mod entry;
mod held;
mod judged;
mod kind;
pub mod kinds;
mod named;
mod registry;
mod resource_type;
pub(crate) mod severity;
mod soft_deletion;
mod surroundings;
mod wants;

pub use crate::change::DeleteMode;
pub use body::{merge_over, model};
pub use calendar::retiring;
pub use cross_check::{
    AlsoNeeds, CheckContext, CrossCheck, LinkedResource, LinkedResources, covers, principal_of,
};
pub use draft::{Approval, Arrival, Claim, Draft, DraftId, Exclusive, Members, Provisioning, Refusal};
pub use entry::{Common, EntryCx, Problem, Reference, SHAPE};
pub use held::{HELD_TWICE, Held, held};
pub use judged::{Judged, Verdict};
pub use kind::{EntryKind, Kind, Merged, Nested};
pub use kinds::private_link::{connection_types, connections_version};
pub use named::Named;
pub use registry::{codes, registry, resource_type};
pub use resource_type::{
    Facet, Given, Guard, InStep, Keeps, KeepsOne, Kept, Lane, Listing, Lost, NamesPart, Obstacle, Preflight,
    ResourceType, Scarce, SharedRequest, SpokenOf, UpdateMode, Within,
};
pub use severity::{COMMON as COMMON_SEVERITY, Severity, Turn, Weight, severity, severity_of_loss};
pub use soft_deletion::SoftDeletion;
pub use surroundings::{
    CLIENT_ID, PodIdentity, SECRETS_PROVIDER, Surrounding, TENANT_ID, pod_identities, service_account,
    surrounding,
};
pub use wants::Wants;

/// How an ARM type guards others, if it does; for what no blueprint mentions any more.
pub fn guard_of(arm_type: &str) -> Option<Guard> {
    let lock = &kinds::lock::LOCK;
    lock.guard.filter(|_| lock.arm_type.eq_ignore_ascii_case(arm_type))
}
