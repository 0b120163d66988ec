//! The blueprint: from YAML text to a linked set of desired resources, and every mistake in it with its place.
//!
//! * `source` reads YAML and finds the place of any path in it;
//! * `inputs` and `parameters` are what comes from outside: parameters, environment, the caller;
//! * `expression` evaluates `${…}`; what another entry gives becomes a token;
//! * `resolve` evaluates every entry and lets its kind expand it into drafts;
//! * `link` turns drafts into [`Desired`]: ids, references, dependencies, cycles.
//!
//! Nothing here does I/O: the text comes in, diagnostics or [`Desired`] come out.

mod expression;
mod functions;
mod inputs;
mod link;
mod messages;
mod parameters;
mod resolve;
mod side_file;
mod source;

pub use inputs::{Caller, Inputs, Missing};
pub use resolve::load;
pub use side_file::side_file;
pub use source::{Source, parse_value};

use crate::plan::Desired;

/// A blueprint that was read without errors.
#[derive(Debug)]
pub struct Blueprint {
    /// What it asks for.
    pub desired: Desired,
    /// Warnings.
    pub warnings: crate::diag::Diagnostics,
}
