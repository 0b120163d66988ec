//! Names that are misspelt, and what followed from them.

use super::super::conceal;
use super::super::includes::{Include, Includes};
use super::super::inputs::Inputs;
use super::super::resolve;
use super::super::source::Source;
use super::rows::{FILES, LARGEST};
use crate::diag::{Diagnostics, Severity, SourceFile, Span};
use std::sync::Arc;

/// Names of one file that are misspelt: where, how long, and what is meant.
type Renames<'p> = Vec<(usize, usize, &'p str)>;

/// What is wrong with a blueprint besides names that are misspelt: the consequences of those are left out.
///
/// The names are put right in copies of the files that they are in. What is not wrong with those followed from them.
pub(in crate::blueprint) fn without_consequences(
    source: &Source,
    inputs: &Inputs,
    problems: &Diagnostics,
) -> Option<Diagnostics> {
    let mut files: Vec<(Arc<SourceFile>, Renames<'_>)> = Vec::new();
    for one in problems.iter().filter(|one| RENAMED.contains(&one.code.name)) {
        let span = one.span.as_ref()?;
        let (wrong, right) = (quoted(&one.message)?, one.help.as_deref().and_then(meant_name));
        let at = span.file.text.get(span.offset..)?.find(wrong).filter(|at| *at <= 1);
        let (Some(at), Some(right)) = (at, right) else { continue };
        let rename = (span.offset + at, wrong.len(), right);
        match files.iter_mut().find(|(file, _)| Arc::ptr_eq(file, &span.file)) {
            // Each instance of a module tells of it.
            Some((_, renames)) if renames.contains(&rename) => {}
            Some((_, renames)) => renames.push(rename),
            None => files.push((span.file.clone(), vec![rename])),
        }
    }
    let errors = |all: &Diagnostics| all.iter().filter(|one| one.severity == Severity::Error).count();
    let count: usize = files.iter().map(|(_, renames)| renames.len()).sum();
    // When every error is a misspelt name, none follows from another.
    if count == 0
        || errors(problems) <= count
        || source.all().len() > FILES
        || files.iter().any(|(file, _)| file.text.len() > LARGEST)
    {
        return None;
    }
    files.iter_mut().for_each(|(_, renames)| renames.sort_unstable());
    let mut copies = Vec::new();
    let repaired = repaired(source, &files, &mut copies)?;
    conceal::learn(&repaired, &inputs.redactor);
    let mut rest = match resolve::load_plainly(&repaired, inputs) {
        Ok(blueprint) => blueprint.warnings,
        Err(rest) => rest,
    };
    if errors(&rest) + count > errors(problems) {
        return None;
    }
    for span in rest.iter_mut().filter_map(|one| one.span.as_mut()) {
        if let Some((_, at)) = copies.iter().find(|(copy, _)| Arc::ptr_eq(copy, &span.file)) {
            let (file, renames) = &files[*at];
            place_back(span, file, renames);
        }
    }
    let named = problems.iter().filter(|one| {
        let Some(span) = one.span.as_ref().filter(|_| RENAMED.contains(&one.code.name)) else { return false };
        let of_file = files.iter().find(|(file, _)| Arc::ptr_eq(file, &span.file));
        let begins = |(at, ..): &(usize, usize, &str)| (span.offset..span.offset + 2).contains(at);
        of_file.is_some_and(|(_, renames)| renames.iter().any(begins))
    });
    named.for_each(|one| rest.push(one.clone()));
    rest.sort();
    Some(rest)
}

/// A file, and what it includes, with the names put right; in `copies` go the files that were changed, and which of `files`
/// each is.
fn repaired(
    source: &Source,
    files: &[(Arc<SourceFile>, Renames<'_>)],
    copies: &mut Vec<(Arc<SourceFile>, usize)>,
) -> Option<Source> {
    let at = files.iter().position(|(file, _)| Arc::ptr_eq(file, &source.file));
    let mut changed = match at {
        Some(at) => {
            let mut text = source.file.text.clone();
            for (start, length, right) in files[at].1.iter().rev() {
                text.replace_range(*start..*start + length, right);
            }
            let copy = Source::plain(&source.file.name, &text).ok()?;
            copies.push((copy.file.clone(), at));
            copy
        }
        None => source.clone(),
    };
    changed.includes = Includes::new();
    for (name, include) in &source.includes {
        let include = match include {
            Include::File(inner) => Include::File(Arc::new(repaired(inner, files, copies)?)),
            other => other.clone(),
        };
        changed.includes.insert(name.clone(), include);
    }
    Some(changed)
}

/// The errors that a name is misspelt.
const RENAMED: &[&str] = &["unknown-field", "unknown-section"];

/// The name that a help offers.
fn meant_name(help: &str) -> Option<&str> {
    let offer = help
        .strip_prefix("did you mean ")
        .or_else(|| help.strip_prefix("write ").filter(|rest| rest.ends_with(", which is missing here")))?;
    quoted(offer).filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// The first text between backticks.
fn quoted(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}

/// A place of a copy with other names as a place of the file.
fn place_back(span: &mut Span, file: &Arc<SourceFile>, renames: &[(usize, usize, &str)]) {
    let start =
        span.file.text.get(..span.offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let (mut moved, mut in_line) = (0_isize, 0_isize);
    for (at, length, right) in renames {
        let longer = right.len() as isize - *length as isize;
        let begins = (*at as isize + moved) as usize;
        if begins < span.offset {
            moved += longer;
            if begins >= start {
                in_line += longer;
            }
        } else if begins == span.offset {
            span.length = *length;
        }
    }
    span.offset = span.offset.saturating_add_signed(-moved).min(file.text.len());
    span.column = span.column.saturating_add_signed(-in_line).max(1);
    span.file = file.clone();
}
