//! Members of Azure's error bodies, whatever the case of their names.

use serde_json::Value;

/// A member in any case.
pub(super) fn member<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    let object = node.as_object()?;
    object.get(name).or_else(|| object.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}

/// A member in any case that is a text and not empty.
pub(super) fn text<'a>(node: &'a Value, name: &str) -> Option<&'a str> {
    member(node, name)?.as_str().filter(|t| !t.is_empty())
}
