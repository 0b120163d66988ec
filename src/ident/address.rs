//! What a person calls a resource.

use super::arm_id::is_invisible;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// No address is longer, in bytes.
const LONGEST: usize = 4096;

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

    /// The text as it is written in a command line: quoted where a shell would make something else of it.
    pub fn argument(&self) -> Cow<'_, str> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        match self.0.chars().all(plain) {
            true => Cow::Borrowed(self.as_str()),
            false => Cow::Owned(format!("'{}'", self.0.replace('\'', "'\\''"))),
        }
    }

    /// Whether this could be the address of something: names with dots between them, keys of `forEach` in brackets.
    ///
    /// Addresses of blueprints always are; a file may hold any text.
    pub fn is_well_formed(&self) -> bool {
        let (mut depth, mut previous) = (0usize, '.');
        for c in self.0.chars() {
            let fits = match (c, depth) {
                _ if is_invisible(c) => false,
                ('[', _) => {
                    depth += 1;
                    depth > 1 || !matches!(previous, '.' | '[')
                }
                (']', 0) => false,
                (']', _) => {
                    depth -= 1;
                    true
                }
                ('.', 0) => previous != '.',
                // What is in brackets is a text of the blueprint's author.
                (_, 1..) => true,
                (c, 0) => !c.is_whitespace() && !"/\\\"'`$&|;<>(){}".contains(c),
            };
            if !fits {
                return false;
            }
            previous = c;
        }
        depth == 0 && previous != '.' && self.0.len() <= LONGEST
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

/// An address taken apart: `module.spoke[eu].networks.hub.subnets.nodes` is something below the entry `networks.hub`
/// of the module `module.spoke[eu]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The modules in which the entry stands; empty in the blueprint itself.
    pub module: &'a str,
    /// Everything up to the key of the entry.
    pub entry: &'a str,
    /// The section (`networks`).
    pub section: &'a str,
    /// The key of the entry, with that of `forEach`: `hub`, `hub[eu]`.
    pub key: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes an address, or a dotted path that begins with one, apart.
    pub fn of(path: &'a str) -> Self {
        let mut start = 0;
        while path[start..].starts_with("module.") {
            let name = start + "module.".len();
            let end = name + segment(&path[name..]);
            if end >= path.len() {
                return Parts { module: path, entry: path, section: "", key: "" };
            }
            start = end + 1;
        }
        let section_end = start + segment(&path[start..]);
        let key = (section_end + 1).min(path.len());
        let end = key + segment(&path[key..]);
        Parts {
            module: path[..start].trim_end_matches('.'),
            entry: &path[..end],
            section: &path[start..section_end],
            key: &path[key..end],
        }
    }
}

/// The length of the segment that starts a path; dots in brackets belong to it.
fn segment(path: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in path.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => return at,
            _ => {}
        }
    }
    path.len()
}

/// The segments of a dotted path; dots in brackets belong to theirs.
pub fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let path = rest?;
        let end = segment(path);
        rest = path.get(end + 1..);
        Some(&path[..end])
    })
}

/// A dotted path without its last segment, and that segment; `None` when there is only one.
pub fn above(path: &str) -> Option<(&str, &str)> {
    let last = segments(path).last()?;
    let above = path.len().checked_sub(last.len() + 1)?;
    Some((&path[..above], last))
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
    fn an_address_knows_its_entry_and_its_modules() {
        for (path, module, entry, section, key) in [
            ("networks.hub.subnets.nodes", "", "networks.hub", "networks", "hub"),
            ("networks.hub[10.0].id", "", "networks.hub[10.0]", "networks", "hub[10.0]"),
            (
                "module.a.module.b[x.y].clusters.aks[z].id",
                "module.a.module.b[x.y]",
                "module.a.module.b[x.y].clusters.aks[z]",
                "clusters",
                "aks[z]",
            ),
            ("module.a", "module.a", "module.a", "", ""),
            ("networks", "", "networks", "networks", ""),
        ] {
            assert_eq!(Parts::of(path), Parts { module, entry, section, key }, "{path}");
        }
    }

    #[test]
    fn segments_keep_their_brackets() {
        assert_eq!(segments("a.b[c.d].e").collect::<Vec<_>>(), ["a", "b[c.d]", "e"]);
        assert_eq!(above("a.b[c.d]"), Some(("a", "b[c.d]")));
        assert_eq!(above("a"), None);
    }

    #[test]
    fn what_is_no_address_is_told_from_one() {
        for (text, good) in [
            ("resourceGroup", true),
            ("clusters.aks.nodePools.winpl", true),
            ("module.a.module.b[x.y].clusters.aks[it's / \"z\"].id", true),
            ("providers.Microsoft.Network", true),
            ("privateDns.privatelink.vaultcore.azure.net", true),
            ("zones.z.records[@]", true),
            ("", false),
            (".", false),
            ("..", false),
            ("networks..hub", false),
            (".networks", false),
            ("networks.", false),
            ("networks.[x]", false),
            ("networks.hub[x", false),
            ("networks.hub]x[", false),
            ("../networks", false),
            ("networks.hub; rm -rf", false),
            ("networks.hub\n", false),
            ("networks.hub[\u{202e}]", false),
            ("networks\u{200b}.hub", false),
        ] {
            assert_eq!(Address::new(text).is_well_formed(), good, "{text:?}");
        }
        assert!(!Address::new("a".repeat(5000)).is_well_formed());
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
