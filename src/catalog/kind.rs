//! A section of the blueprint, and the registry of all of them.

use super::entry::{EntryCx, Problem};
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
    /// The fields of an entry, unknown ones denied. The fields of [`super::Common`] are taken out before.
    type Spec: DeserializeOwned + JsonSchema;

    /// Expands one entry: pushes drafts, reports problems.
    fn expand(spec: Self::Spec, cx: &mut EntryCx<'_>);
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
            expand: |fields, cx| match serde_path_to_error::deserialize::<_, K::Spec>(fields) {
                Ok(spec) => K::expand(spec, cx),
                Err(error) => {
                    let path = error.path().to_string();
                    let path = if path == "." { String::new() } else { path };
                    cx.problem(Problem::shape(path, error.inner().to_string()));
                }
            },
            schema: |generator| generator.subschema_for::<K::Spec>(),
        }
    }
}

/// Every section, in the order in which documentation lists them.
pub fn registry() -> &'static [Kind] {
    super::kinds::KINDS
}
