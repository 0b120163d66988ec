//! A blueprint from its text, and what is wrong with it in as few words as its mistakes need.

use super::Blueprint;
use super::inputs::Inputs;
use super::resolve::load_plainly;
use super::source::Source;
use super::{conceal, slips, traps};
use crate::diag::{Diagnostic, Diagnostics};
use crate::state::Desired;
use serde_json::Value;

/// Reads the text of a blueprint, or of a module.
///
/// # Errors
/// Those of [`Source::parse`], with the slip that explains what YAML minds, here and in the files that it includes.
pub fn parse(name: impl Into<String>, bytes: &[u8]) -> Result<Source, Diagnostic> {
    Source::explained(name.into(), bytes, slips::in_text)
}

/// Reads a blueprint: parameters in, references linked, problems all told at once.
///
/// # Errors
/// Every problem that was found, warnings among them, when at least one is an error.
pub fn load(source: &Source, inputs: &Inputs) -> Result<Blueprint, Diagnostics> {
    load_slipping(source, inputs, slips::SLIPS)
}

/// What a blueprint would ask for if its file said something else; `None` when it would be invalid, and
/// then no error is reported.
pub fn probe(source: &Source, tree: Value, inputs: &Inputs) -> Option<Desired> {
    load_plainly(&source.saying(tree), inputs).ok().map(|blueprint| blueprint.desired)
}

/// [`load`], which puts so many slips of indentation right to tell what is wrong besides.
fn load_slipping(source: &Source, inputs: &Inputs, slips: usize) -> Result<Blueprint, Diagnostics> {
    load_plainly(source, inputs).map_err(|problems| {
        let slipped = slips.checked_sub(1).and_then(|left| {
            slips::in_blueprint(source, inputs, &problems, &|repaired| {
                load_slipping(repaired, inputs, left).err()
            })
        });
        slipped.unwrap_or_else(|| {
            conceal::learn(source, &inputs.redactor);
            let mut problems = slips::without_consequences(source, inputs, &problems).unwrap_or(problems);
            traps::explain(&mut problems);
            problems
        })
    })
}
