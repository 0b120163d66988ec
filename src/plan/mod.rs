//! The plan: pure decisions from what is wanted, what was asked for last, and what is there.
//!
//! [`plan`] compares and decides; [`check`] knows only what must hold of any plan and looks for what does not. A
//! [`Plan`] is immutable, ordered, and detailed enough that applying it decides nothing.

mod desired;
mod model;

pub use desired::{Desired, Output, Resource};
pub use model::{Counts, Impact, Observation, Observed, OutputValue, Plan, Reason, Step, VERSION};
