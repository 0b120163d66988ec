//! The ledger: what Azure cannot tell. Which resources a blueprint owns, what it last asked for, in what order they
//! depend on each other, and salted digests of what is never returned. Azure is the state; this is only a memory.

mod model;

pub use model::{Ledger, Owned, VERSION, migrate};
