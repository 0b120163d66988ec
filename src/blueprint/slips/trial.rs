//! Moves tried in copies of a text: the one after which the least is wrong is the slip.

use super::super::inputs::{Inputs, Missing};
use super::super::resolve;
use super::super::source::Source;
use super::moves::{Move, moves};
use super::rows::{below, rows};
use crate::diag::{Diagnostic, Severity, SourceFile};
use std::sync::Arc;

/// How many tries there are for one slip.
const TRIES: usize = 80;

/// An error of a copy: its code, its line and what it says.
pub(super) type Fault = (&'static str, usize, String);

/// Errors about a key in the wrong place.
pub(super) const STRUCTURE: &[&str] = &["unknown-field", "unknown-section", "wrong-type"];
/// Errors that a right place does not cause.
const SHAPE: &[&str] = &[
    "unknown-field",
    "unknown-section",
    "wrong-type",
    "missing-field",
    "entry-key",
    "unknown-value",
    "wrong-value",
];

/// The errors of a text: of what is not YAML they are not known.
pub(super) fn faults(file: &SourceFile, text: &str, source: Option<&Source>) -> Option<Vec<Fault>> {
    let mut copy = Source::plain(&file.name, text).ok()?;
    if let Some(source) = source {
        copy.includes = source.includes.clone();
    }
    let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
    let Err(told) = resolve::load_plainly(&copy, &inputs) else { return Some(Vec::new()) };
    let errors = told.iter().filter(|one| one.severity == Severity::Error);
    let line = |one: &Diagnostic| {
        one.span.as_ref().filter(|span| Arc::ptr_eq(&span.file, &copy.file)).map_or(0, |span| span.line)
    };
    Some(errors.map(|one| (one.code.name, line(one), one.message.clone())).collect())
}

/// Whether a move explains what was wrong: something in its lines stood where it does not belong, and now nothing does
/// that did not before. Nothing is known of `before` when the text was no YAML.
fn explains(one: &Move, end: usize, before: Option<&[Fault]>, after: &[Fault]) -> bool {
    let within = |(_, line, _): &&Fault| (one.lines.start + 1..=end.max(one.lines.end)).contains(line);
    let Some(before) = before else {
        return !after.iter().filter(within).any(|(code, ..)| SHAPE.contains(code));
    };
    let gone = before.iter().filter(|fault| !after.contains(fault));
    let appeared = after.iter().filter(|fault| !before.contains(fault));
    gone.filter(within).any(|(code, ..)| STRUCTURE.contains(code))
        && !appeared.into_iter().any(|(code, ..)| SHAPE.contains(code))
        && after.len() < before.len()
}

/// The move after which the least is wrong.
pub(super) fn best(
    file: &SourceFile,
    source: Option<&Source>,
    culprits: &[usize],
    before: Option<&[Fault]>,
) -> Option<(Move, String)> {
    let text = &file.text;
    let rows = rows(text);
    let mut tries = 0;
    let mut best: Option<((usize, bool, usize), Move, String)> = None;
    for &at in culprits {
        for one in moves(&rows, text, at) {
            tries += 1;
            if tries > TRIES {
                break;
            }
            let copy = one.apply(&rows, text);
            let Some(after) = faults(file, &copy, source) else { continue };
            if !explains(&one, below(&rows, at), before, &after) {
                continue;
            }
            let rank = (after.len(), one.to % 2 != 0, one.lines.len());
            if best.as_ref().is_none_or(|(other, ..)| rank < *other) {
                best = Some((rank, one, copy));
            }
        }
    }
    best.map(|(_, one, copy)| (one, copy))
}
