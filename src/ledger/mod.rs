//! The ledger: what Azure cannot tell. Which resources a blueprint owns, what it last asked for, in what order they
//! depend on each other, and salted digests of what is never returned. Azure is the state; this is only a memory.
//!
//! A [`store::Store`] keeps the ledger and, while a run goes on, its [`journal`]: what is about to be done, what Azure
//! accepted, how it ended. Reading folds the journal into the ledger, so a run that was killed loses nothing.

pub mod journal;
mod model;
pub mod store;
mod unusable;

pub use journal::{InFlight, Record, SentAs};
pub use model::{Estate, HIGHEST_SERIAL, Ledger, Mismatch, Owned, VERSION, migrate};
pub use unusable::{Misfit, Stray, Unusable};
