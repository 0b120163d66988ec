//! Reports for a person at a terminal.

mod connections;
mod diagnostics;
mod drift;
mod failure;
mod plan;
mod policy;
mod summary;
pub(crate) mod value;

pub use connections::connections;
pub use diagnostics::diagnostics;
pub use drift::drift;
pub use failure::failure;
pub use plan::{plan, plan_summary};
pub use policy::findings;
pub use summary::summary;
