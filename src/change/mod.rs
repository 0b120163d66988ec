//! What is done to a resource, and how it ended: the words that plans, ledgers, events and reports share.

mod action;
mod grant;
mod outcome;

pub use action::{Action, DeleteMode};
pub use grant::Grant;
pub use outcome::{Outcome, StepResult, Summary};
