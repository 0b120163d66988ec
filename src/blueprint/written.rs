//! Paths: one as the file has it, which does not write the keys of instances, and one below another.

use crate::ident::segments;
use serde_json::Value;
use std::borrow::Cow;

/// A segment and the key in brackets behind it.
pub(super) fn split_index(segment: &str) -> (&str, Option<&str>) {
    match segment.split_once('[') {
        Some((name, rest)) => (name, rest.strip_suffix(']')),
        None => (segment, None),
    }
}

/// A path as the file has it: without the keys of instances, which a file does not write.
pub(super) fn as_written<'p>(tree: &Value, path: &'p str) -> Cow<'p, str> {
    if !path.contains(['[', '-']) {
        return Cow::Borrowed(path);
    }
    let mut at = Some(tree);
    let mut written = String::with_capacity(path.len());
    for segment in segments(path) {
        let found = at.and_then(|value| value.get(segment));
        let (name, found) = match found {
            Some(found) => (segment, Some(found)),
            None => instance(at, segment).map_or_else(
                || {
                    let (name, index) = split_index(segment);
                    let list = at.and_then(|value| value.get(name));
                    let item = index.and_then(|index| list?.get(index.parse::<usize>().ok()?));
                    (segment, item)
                },
                |(name, part)| (name, Some(part)),
            ),
        };
        if !written.is_empty() {
            written.push('.');
        }
        written.push_str(name);
        at = found;
    }
    Cow::Owned(written)
}

/// The part with `forEach` that a segment is an instance of.
fn instance<'v, 's>(at: Option<&'v Value>, segment: &'s str) -> Option<(&'s str, &'v Value)> {
    let members = at?.as_object()?;
    let mut ends: Vec<usize> = segment.match_indices(['[', '-']).map(|(at, _)| at).collect();
    ends.reverse();
    ends.into_iter().find_map(|end| {
        let part = members.get(&segment[..end])?;
        part.get("forEach")?;
        Some((&segment[..end], part))
    })
}

/// Whether a path is another or lies below it.
pub(super) fn is_within(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
