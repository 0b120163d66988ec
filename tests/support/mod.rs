//! The harness: [`Berth`] runs the binary in a folder of its own, [`Server`] is a simulator behind HTTP, [`Azure`]
//! one behind HTTPS with a directory to sign in to, and [`Rehearsal`] runs the library against a simulator in this process.

mod azure;
mod azurite;
mod berth;
mod buckets;
pub mod estate;
pub mod generate;
pub mod hostile;
pub mod invalid;
mod meanwhile;
mod rehearsal;
mod server;
pub mod stores;
#[allow(dead_code, reason = "the conformance suite uses the rest")]
pub mod witness;

pub use azure::{APPLICATION, Azure, SECRET, application};
pub use azurite::Azurite;
pub use berth::{Berth, Ended, Run, quickstart, regen, root, until};
pub use buckets::Store as ObjectStore;
pub use meanwhile::Meanwhile;
pub use rehearsal::Rehearsal;
pub use server::{Server, always};
