//! The harness: [`Berth`] runs the binary in a folder of its own, [`Server`] is a simulator behind HTTP, and
//! [`Rehearsal`] runs the library against a simulator in this process.

mod azurite;
mod berth;
mod rehearsal;
mod server;
pub mod stores;

pub use azurite::Azurite;
pub use berth::{Berth, Run, quickstart, root, until};
pub use rehearsal::Rehearsal;
pub use server::Server;
