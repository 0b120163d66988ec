//! Drift: what somebody else changed since berth last wrote it.
//!
//! Expected is what the ledger says was asked for; actual is what is there. It uses the same comparison as the plan.

mod model;

pub use model::{Drift, DriftKind, DriftReport, FieldDrift};
