//! What a person calls a resource.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The address of a resource or entry, such as `clusters.aks.nodePools.winpl`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Address(Arc<str>);

impl Address {
    /// An address from its text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Address(text.into())
    }

    /// The address one step further down: `self.segment`.
    pub fn child(&self, segment: &str) -> Self {
        let mut text = String::with_capacity(self.0.len() + 1 + segment.len());
        text.push_str(&self.0);
        text.push('.');
        text.push_str(segment);
        Address(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `other` or lies below it.
    pub fn is_within(&self, other: &str) -> bool {
        self.0.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::borrow::Borrow<str> for Address {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Whether a text may be the key of an entry: `[a-z][A-Za-z0-9_]*`.
pub fn is_logical_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_is_by_whole_segments() {
        let pool = Address::new("clusters.aks.nodePools.winpl");
        assert!(pool.is_within("clusters.aks"));
        assert!(pool.is_within("clusters.aks.nodePools.winpl"));
        assert!(!pool.is_within("clusters.ak"));
    }

    #[test]
    fn logical_names_start_with_a_small_letter() {
        for (text, good) in
            [("aks", true), ("a_1B", true), ("Aks", false), ("1a", false), ("", false), ("a-b", false)]
        {
            assert_eq!(is_logical_name(text), good, "{text}");
        }
    }
}
