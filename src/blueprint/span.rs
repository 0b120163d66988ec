//! How far a token of a YAML text reaches from a place in it.

use crate::diag::{SourceFile, Span};
use std::sync::Arc;

/// The span at which serde_yaml saw a mistake.
pub(super) fn span_of(file: &Arc<SourceFile>, place: &serde_yaml::Location) -> Span {
    let line = place.line().saturating_sub(1);
    let start: usize = file.text.split_inclusive('\n').take(line).map(str::len).sum();
    let within = file.text[start..].lines().next().unwrap_or_default();
    let offset =
        within.char_indices().nth(place.column().saturating_sub(1)).map_or(within.len(), |(at, _)| at);
    span_at(file, start + offset, 0)
}

/// The span of the token that starts at a byte offset; `length` 0 is as long as the text there.
pub(super) fn span_at(file: &Arc<SourceFile>, offset: usize, length: usize) -> Span {
    let text = &file.text;
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let rest = text[offset..].lines().next().unwrap_or_default();
    let length = match length {
        0 => token_length(rest, is_flow(&text[start..offset])).max(1),
        given => given,
    };
    Span {
        file: file.clone(),
        line: text[..offset].matches('\n').count() + 1,
        column: text[start..offset].chars().count() + 1,
        offset,
        length,
    }
}

/// Whether a `{` or `[` of this line is still open where the text ends.
pub(super) fn is_flow(before: &str) -> bool {
    let count = |these: [char; 2]| before.matches(these).count();
    count(['{', '[']) > count(['}', ']'])
}

/// How many bytes of a line belong to the scalar or key that starts it.
pub(super) fn token_length(rest: &str, flow: bool) -> usize {
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        _ => {
            let end = rest.find(": ").or_else(|| rest.strip_suffix(':').map(str::len)).unwrap_or(rest.len());
            let end = rest[..end].find(" #").unwrap_or(end);
            let end = rest[..end].find([',', '}', ']']).filter(|_| flow).unwrap_or(end);
            rest[..end].trim_end_matches([' ', ',', '}', ']']).len()
        }
    }
}
