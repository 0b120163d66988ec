//! Reports for a person at a terminal.

mod diagnostics;
mod drift;
mod plan;
mod summary;
pub(crate) mod value;

pub use diagnostics::diagnostics;
pub use drift::drift;
pub use plan::plan;
pub use summary::summary;
