//! The ARM simulator: what Azure Resource Manager would answer, without Azure.
//!
//! It speaks the wire and nothing else: a request goes in, a response comes out, either in process (the
//! [`Simulator`] is a [`Transport`](crate::host::transport::Transport)) or over HTTP ([`serve`]). It shares no
//! model with berth, so that it can disagree: it is a witness of what ARM does, not of what berth believes ARM does.
//!
//! ```text
//! Request ─▶ router ─▶ types/<kind> ─▶ store          faults bend an answer, clock says when
//!               │            │                        an operation is due, state_file remembers
//!               ▼            ▼
//!           operation ◀── long-running work, completed before each request
//! ```
//!
//! Invariants:
//!
//! * Everything made up (GUIDs, addresses, host names) follows from the resource id and how often it was created;
//!   nothing is random.
//! * A body in the store is what `GET` answers. Secrets are not in it: of a secret value only a digest is kept.
//! * What exists in two views (subnets, node pools, private endpoint connections) is stored once, as the child.
//! * The state's lock is never held across an await.

mod core;
mod directory;
mod fault_script;
mod front;
mod jwt;
mod serve;
mod simulator;
mod state_file;
mod tls;
mod types;

#[cfg(test)]
mod testing;

pub use berth_host as host;
pub use core::api_versions::newest_api_version;
pub use core::clock::Time;
pub use core::faults::{Effect, Fault};
pub use core::options::{CALLER_OBJECT_ID, HistoryDelay, Options, SUBSCRIPTION, TENANT, Throttling};
pub use core::world::{Counters, PrincipalKind};
pub use directory::SignIn;
pub use fault_script::FaultScript;
pub use serve::{Recorder, Serving, serve};
pub use simulator::Simulator;
pub use state_file::Error;
pub use tls::Tls;

/// Whether the body of a request is one that its ARM type takes: `None` for types whose fields the simulator does not know.
///
/// # Errors
/// A field that the type does not have, or a value that a field cannot hold, in words.
pub fn check_fields(arm_type: &str, body: &serde_json::Value) -> Option<Result<(), String>> {
    let empty = serde_json::Map::new();
    types::fields::wrong_body(arm_type, body.as_object().unwrap_or(&empty))
}

#[cfg(doctest)]
#[doc = include_str!("README.md")]
struct Readme;
