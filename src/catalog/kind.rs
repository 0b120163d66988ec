//! A section of the blueprint.

use super::ResourceType;
use super::draft::Members;
use super::entry::{EntryCx, Problem};
use crate::diag::{Code, did_you_mean};
use crate::ident::segments;
use crate::value::read;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A section of the blueprint as its file writes it: typed.
pub trait EntryKind {
    /// The section's name (`networks`).
    const SECTION: &'static str;
    /// What one entry is called, in lower case (`network`).
    const TITLE: &'static str;
    /// The ARM type of an entry's main resource, by which `${section.key}` is a resource.
    const ARM_TYPE: &'static str;
    /// One paragraph for documentation.
    const ABOUT: &'static str;
    /// A blueprint fragment (entries of the section, YAML) that works by itself; run by the suite of every kind.
    const EXAMPLE: &'static str;
    /// The descriptors of the types that its entries make, by which what is owned is known without a blueprint.
    const TYPES: &'static [&'static ResourceType];
    /// The parts of an entry that are resources of their own and take [`Nested::WORDS`].
    const NESTED: &'static [Nested] = &[];
    /// The lists that others can add to, and which `exclusive` can name; `tags` goes without saying.
    const MERGED: &'static [Merged] = &[];
    /// Whether its entries read what is there and make nothing.
    const READS: bool = false;
    /// The diagnostics that its entries can cause, a list for each file that raises some.
    const CODES: &'static [&'static [&'static Code]] = &[];
    /// The fields of an entry, unknown ones denied. The fields of [`super::Common`] are taken out before.
    type Spec: DeserializeOwned + JsonSchema;

    /// Expands one entry: pushes drafts, reports problems.
    fn expand(spec: Self::Spec, cx: &mut EntryCx<'_>);
}

/// A part of an entry that is a resource of its own, such as a subnet. Its draft's [`super::Draft::origin`] is the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nested {
    /// Dotted path from the entry, `*` for any key: `subnets.*`.
    pub path: &'static str,
    /// Whether the kind itself reads `properties` there.
    pub reads_properties: bool,
}

impl Nested {
    /// What can be written in every nested resource, as in an entry.
    pub const WORDS: &'static [&'static str] =
        &["forEach", "when", "dependsOn", "protect", "timeout", "exclusive", "ignore", "properties"];

    /// The parts at a path.
    pub const fn at(path: &'static str) -> Self {
        Nested { path, reads_properties: false }
    }

    /// Of a kind that reads `properties` there itself.
    pub const fn reads_properties(self) -> Self {
        Nested { reads_properties: true, ..self }
    }

    /// Whether a dotted path from the entry is one of the parts.
    pub fn is_at(&self, path: &str) -> bool {
        let mut path = segments(path);
        self.path.split('.').all(|step| path.next().is_some_and(|name| step == "*" || step == name))
            && path.next().is_none()
    }
}

/// A list of an entry, or of a [`Nested`] part of one, that others can add to.
#[derive(Debug, Clone, Copy)]
pub struct Merged {
    /// The part, as in [`Nested::path`]; empty for the entry itself.
    pub within: &'static str,
    /// The dotted path of the field in the blueprint, from there: `accessPolicies`.
    pub name: &'static str,
    /// What it is in Azure.
    pub members: Members,
}

impl Merged {
    /// A list in the body of the entry's main resource, at a dotted path.
    pub const fn list(name: &'static str, path: &'static str) -> Self {
        Merged { within: "", name, members: Members::At(path) }
    }

    /// A list in the body of a resource that is made beside the main one, by the last word of its address.
    pub const fn beside(name: &'static str, beside: &'static str, path: &'static str) -> Self {
        Merged { within: "", name, members: Members::Beside(beside, path) }
    }

    /// The same of a part of the entry.
    pub const fn within(self, part: &'static str) -> Self {
        Merged { within: part, ..self }
    }
}

/// A section of the blueprint, its types erased.
pub struct Kind {
    /// See [`EntryKind::SECTION`].
    pub section: &'static str,
    /// See [`EntryKind::TITLE`].
    pub title: &'static str,
    /// See [`EntryKind::ARM_TYPE`].
    pub arm_type: &'static str,
    /// See [`EntryKind::ABOUT`].
    pub about: &'static str,
    /// See [`EntryKind::EXAMPLE`].
    pub example: &'static str,
    /// See [`EntryKind::TYPES`].
    pub types: &'static [&'static ResourceType],
    /// See [`EntryKind::NESTED`].
    pub nested: &'static [Nested],
    /// See [`EntryKind::MERGED`].
    pub merged: &'static [Merged],
    /// See [`EntryKind::READS`].
    pub reads: bool,
    /// See [`EntryKind::CODES`].
    pub codes: &'static [&'static [&'static Code]],
    /// Deserialises an entry's fields and expands it.
    pub expand: fn(Value, &mut EntryCx<'_>),
    /// The JSON Schema of the fields.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Kind {
    /// Erases the types of a kind.
    pub const fn of<K: EntryKind>() -> Self {
        Kind {
            section: K::SECTION,
            title: K::TITLE,
            arm_type: K::ARM_TYPE,
            about: K::ABOUT,
            example: K::EXAMPLE,
            types: K::TYPES,
            nested: K::NESTED,
            merged: K::MERGED,
            reads: K::READS,
            codes: K::CODES,
            expand: expand::<K>,
            schema: |generator| generator.subschema_for::<K::Spec>(),
        }
    }
}

/// Reads the fields of an entry and lets its kind expand them.
///
/// serde stops at the first mistake; so what is wrong is told, taken out, and the rest is read again.
fn expand<K: EntryKind>(mut fields: Value, cx: &mut EntryCx<'_>) {
    let mut removed: Vec<String> = Vec::new();
    let mut only_unknown = true;
    // Every round takes something out; the bound is for the reader.
    for _ in 0..64 {
        let error = match read::<K::Spec>(&fields) {
            Ok(spec) if only_unknown => return K::expand(spec, cx),
            // With a field taken out that has a meaning, further complaints could be wrong.
            Ok(_) => return,
            Err(error) => error,
        };
        let (path, message) = (error.path(), error.message);
        let named = message.split('`').nth(1).unwrap_or_default();
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let taken = |name: &String| {
            // Taken out, or misspelt: then it was told already.
            let last = name.rsplit('.').next().unwrap_or_default();
            *name == below(named) || *name == below(last) && did_you_mean(last, [named]).is_some()
        };
        if message.starts_with("missing field") && removed.iter().any(taken) {
            return;
        }
        cx.problem(Problem::shape(path.clone(), message.clone()));
        let culprit = match message.starts_with("unknown field") {
            true if path == named || path.ends_with(&format!(".{named}")) => path.clone(),
            true => below(named),
            false => {
                only_unknown = false;
                path.clone()
            }
        };
        if message.starts_with("missing field") || !take_out(&mut fields, &culprit) {
            return;
        }
        removed.push(culprit);
    }
}

/// Takes the member at a dotted path out. An element of a list stays: the places of those behind it would move.
fn take_out(value: &mut Value, path: &str) -> bool {
    let Value::Object(members) = value else { return false };
    if members.shift_remove(path).is_some() {
        return true;
    }
    // A key may hold dots itself: the longest that fits is meant.
    let key = members
        .keys()
        .filter(|key| path.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with(['.', '['])))
        .max_by_key(|key| key.len())
        .cloned();
    let Some(key) = key else { return false };
    let rest = &path[key.len()..];
    match (members.get_mut(&key), rest.strip_prefix('.')) {
        (Some(member), Some(rest)) => take_out(member, rest),
        (Some(Value::Array(items)), None) => {
            let Some((index, rest)) = rest[1..].split_once(']') else { return false };
            let item = index.parse().ok().and_then(|index: usize| items.get_mut(index));
            match (item, rest.strip_prefix('.')) {
                (Some(item), Some(rest)) => take_out(item, rest),
                _ => false,
            }
        }
        _ => false,
    }
}
