//! Policies: rules of an organisation, written in Rego, over a plan as JSON.
//!
//! A policy is a Rego module with rules named `deny`, `violation` or `warn` (or `deny_…` and so on, as conftest has
//! them). Each holds messages: texts, or objects with `msg` and, if they want, `address`. Nothing here reads files or
//! the network, and rules cannot either; a time limit ends those that do not end.
//!
//! Rego is named in this room only.

mod engine;
mod finding;

pub use engine::{Error, Policies, PolicyFile};
pub use finding::{Finding, Verdict};
