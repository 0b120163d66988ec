//! The plan: pure decisions from what is wanted, what was asked for last, and what is there.
//!
//! [`plan`] and [`plan_destroy`] compare and decide; [`check`] knows only what must hold of any plan and looks for
//! what does not. A [`Plan`] is immutable, ordered, and detailed enough that applying it decides nothing.

mod check;
mod decide;
mod desired;
mod detail;
mod guard;
mod impact;
mod lanes;
mod model;
mod preflight;
mod purge;
mod removal;
mod resolve;
mod saved;
mod target;

pub use check::check;
pub use decide::{Adoption, plan};
pub use desired::{Desired, OWNER_TAG, Output, Resource};
pub use detail::{Detail, details};
pub use lanes::lanes;
pub use model::{
    Conflict, Counts, Disruption, Impact, LeftOut, Observation, Observed, OutputValue, Plan, Reason, Step,
    VERSION,
};
pub use preflight::{Answers, Query, judge, queries};
pub use purge::{deleted_path, purge, twins};
pub use removal::plan_destroy;
pub use resolve::{lookup, secret_digests};
pub use saved::{Making, Moved, SAVED_VERSION, Saved, SavedError, SavedFile, Setting, is_saved};
pub use target::restrict;
