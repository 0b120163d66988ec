//! Drift: what somebody else changed since berth last wrote it.
//!
//! Expected is what the ledger says was asked for; actual is what is there. The comparison is the plan's own
//! ([`crate::value::diff`]), so what is not a difference there is none here.
//!
//! Who changed it is [`attribute`]'s: a function of the report and of what Azure said of the past. Decision 0018 has the
//! sources and their order.

mod attribution;
mod connections;
mod detect;
mod history;
mod model;
mod waivers;

pub use crate::catalog::Severity;
pub use attribution::{Actor, ActorKind, Attribution, ChangedBy, Source, Who};
pub use connections::{Shown, Watched, connections};
pub use detect::{added, detect, lost, weigh};
pub use history::{Evidence, GraphChange, LogEvent, attribute, subjects, unexplained};
pub use model::{Drift, DriftKind, DriftReport, FieldDrift};
pub use waivers::{Waived, Waiver, WaiverState, Waivers, is_day, waive};
