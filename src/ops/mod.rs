//! Use cases: one function a verb, the only place where rooms are wired together.
//!
//! What comes from outside (transport, store, clock, listener) is the caller's; results are data, and showing them is
//! the caller's too.

mod accept;
mod apply;
mod connections;
mod console;
mod destroy;
mod drift;
mod error;
mod forget;
mod plan;
mod revealed;
mod saved;
mod sealed;
mod session;
mod surroundings;
mod validate;
mod who;

pub use accept::{Accepted, accept, drift_named};
pub use apply::{apply, finish_earlier};
pub use connections::{
    Approvals, Unclear, Verb, Wishes, awaited_connections, connections, decide, with_messages,
};
pub use console::evaluate;
pub use destroy::{destroy, plan_destroy};
pub use drift::drift;
pub use error::Error;
pub use forget::{Forgotten, forget};
pub use plan::{Planned, plan};
pub use revealed::revealed;
pub use saved::{
    apply_saved, moved_environment, plan_offline, save, saved_environment, saved_inputs, saved_source,
};
pub use sealed::sealed;
pub use session::{Session, caller, expect, signed_in};
pub use surroundings::{Credentials, kubeconfig, manifests};
pub use validate::{blueprint_name, blueprint_subscription, graph, parse, validate, validate_source};
