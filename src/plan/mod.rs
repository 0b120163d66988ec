//! The plan: pure decisions from what is wanted, what was asked for last, and what is there.
//!
//! [`plan`] and [`plan_destroy`] compare and decide; [`check`] knows only what must hold of any plan and looks for
//! what does not. A [`Plan`] is immutable, ordered, and detailed enough that applying it decides nothing.

mod approvals;
mod check;
mod compile;
mod critical_path;
mod decide;
mod detail;
mod duplicates;
mod guard;
mod impact;
mod keeps_one;
mod kept;
mod left_alone;
mod model;
mod moves;
mod once_connected;
mod ownership;
mod preflight;
mod program;
mod purge;
mod removal;
mod revert;
mod saved;
mod scarce;
mod schedule;
mod target;
mod unanswered;

pub use check::check;
pub use compile::compile;
pub use decide::plan;
pub use detail::{Detail, details};
pub use duplicates::as_found;
pub use left_alone::added;
pub use model::{
    Adoption, Conflict, Counts, Disruption, Impact, LeftOut, OutputValue, Plan, Reason, Step, VERSION,
};
pub use preflight::{judge, queries};
pub use program::{
    Approve, Delete, Guard, Holding, Mode, Program, Put, Register, Requests, Seen, SeenOwner, Unit, Work,
};
pub use purge::{purge, soft_delete_conflicts};
pub use removal::{foreign_children, plan_destroy};
pub use revert::{is_field, revert};
pub use saved::{
    PlanTarget, SAVED_VERSION, SaveInput, Saved, SavedEnvironment, SavedError, SavedFile, StaleInput,
    is_saved,
};
pub use target::restrict;
