//! Drift: what somebody else changed since berth last wrote it.
//!
//! Expected is what the ledger says was asked for; actual is what is there. The comparison is the plan's own
//! ([`crate::value::diff`]), so what is no difference there is none here.

mod detect;
mod model;

pub use detect::detect;
pub use model::{Drift, DriftKind, DriftReport, FieldDrift};
