//! The blueprint: from YAML text to a linked set of desired resources, and every mistake in it with its place.
//!
//! * `layout` gives a file the one layout that it can have;
//! * `text` and `yaml` read YAML, `source` is a file that was read, `place` finds the place of any path in it, `includes` the files of modules;
//! * `inputs`, `parameters` and `declaration` are what comes from outside: parameters, environment variables, the caller;
//!   `environment` is one of the blueprint's own environments, `environments/NAME.yaml`;
//! * `expression` evaluates `${…}`, with `chain` and `functions`; what another entry gives becomes a token;
//! * `evaluator` is one file at work: its names (`lookup`), `azure:` block, `forEach` (`each`), `outputs`, and `modules`,
//!   which are further worlds;
//! * `resolve` and `entries` evaluate every entry, with its `parts` and `nested` resources, and let its kind expand it into
//!   drafts;
//! * `existing` is what is known of entries that only read before they are expanded;
//! * `edit` writes one value into the text, and leaves everything else of it as it is;
//! * `schema` is the JSON Schema of all this, for editors and documentation;
//! * `wants` reports references to what a field cannot take;
//! * `link` and `refer` turn drafts into [`Desired`]: ids, references, dependencies, cycles.
//!
//! Nothing here does I/O: the text comes in, diagnostics or [`Desired`] come out.

mod azure;
mod chain;
mod codes;
mod conceal;
mod declaration;
mod each;
mod edit;
mod entries;
mod entry;
mod entry_schema;
mod environment;
mod evaluator;
mod exclusive;
mod existing;
mod expression;
mod functions;
mod ignore;
mod includes;
mod indentation;
mod inputs;
mod layout;
mod link;
mod load;
mod lookup;
mod messages;
mod modules;
mod nested;
mod outputs;
mod parameters;
mod part_maps;
mod parts;
mod place;
mod places;
mod refer;
mod resolve;
mod retirements;
mod schema;
mod sections;
mod side_file;
mod simple;
mod slips;
mod source;
mod span;
#[cfg(test)]
mod tests;
mod text;
mod traps;
mod wanted;
mod wants;
mod written;
mod yaml;

pub use codes::codes;
pub use edit::{NodePath, NodeStep, edited, looks_computed, node_place};
pub use entry_schema::entry_schema;
pub use environment::Environment;
pub use functions::functions;
pub use includes::{Open, Opened, Read};
pub use inputs::{Caller, Inputs, Missing};
pub use layout::{Unlaid, layout};
pub use load::{load, parse, probe};
pub use places::places;

pub use retirements::retirements;
pub use schema::{common_fields, schema};
pub use side_file::{SideFile, located_side_file, side_file};
pub use source::{Source, parse_value};
pub use yaml::EMPTY;

use crate::state::Desired;

/// A blueprint that was read without errors.
#[derive(Debug)]
pub struct Blueprint {
    /// What it asks for.
    pub desired: Desired,
    /// Warnings.
    pub warnings: crate::diag::Diagnostics,
}
