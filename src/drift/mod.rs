//! Drift: what somebody else changed since berth last wrote it.
//!
//! Expected is what the ledger says was asked for; actual is what is there. The comparison is the plan's own
//! ([`crate::value::diff`]), so what is no difference there is none here.

mod connections;
mod detect;
mod model;

pub use connections::{Shown, Watched, connections};
pub use detect::detect;
pub use model::{Drift, DriftKind, DriftReport, FieldDrift};
