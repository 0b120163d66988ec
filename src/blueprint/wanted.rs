//! The fields of an entry that take references, and what each of them was given.

use super::entry_schema::{Definitions, schema_of};
use crate::catalog::{Kind, Wants};
use serde_json::{Map, Value};

/// A field of an entry that takes a reference, and what it was given.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Dotted path from the entry.
    pub(super) path: String,
    /// The text, with its tokens.
    pub(super) text: String,
    pub(super) wants: &'static Wants,
}

/// The fields of an entry that take references.
pub(super) fn wanted(kind: &Kind, fields: &Map<String, Value>) -> Vec<Wanted> {
    let schema = schema_of(kind);
    let mut found: Vec<Wanted> = Vec::new();
    members(&schema.0, &schema.1, fields, "", None, &mut found);
    found
}

fn members(
    schema: &Value,
    definitions: &Definitions,
    fields: &Map<String, Value>,
    path: &str,
    wants: Option<&'static Wants>,
    found: &mut Vec<Wanted>,
) {
    let own = schema["properties"].as_object();
    for (name, value) in fields {
        let field = own.and_then(|own| own.get(name)).or_else(|| schema.get("additionalProperties"));
        let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let Some(field) = field {
            collect(field, definitions, value, &below, wants, found);
        }
    }
}

fn collect(
    schema: &Value,
    definitions: &Definitions,
    value: &Value,
    path: &str,
    wants: Option<&'static Wants>,
    found: &mut Vec<Wanted>,
) {
    let wants = schema["x-wants"].as_str().and_then(Wants::of).or(wants);
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        match (name, value, wants) {
            ("Reference", Value::String(text), Some(wants)) => {
                if !found.iter().any(|other| other.path == path) {
                    found.push(Wanted { path: path.to_owned(), text: text.clone(), wants });
                }
            }
            _ => {
                if let Some(target) = definitions.get(name) {
                    collect(target, definitions, value, path, wants, found);
                }
            }
        }
        return;
    }
    for several in ["anyOf", "allOf", "oneOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            collect(one, definitions, value, path, wants, found);
        }
    }
    match value {
        Value::Object(fields) => members(schema, definitions, fields, path, wants, found),
        Value::Array(items) if schema["items"].is_object() => {
            for (at, item) in items.iter().enumerate() {
                collect(&schema["items"], definitions, item, &format!("{path}[{at}]"), wants, found);
            }
        }
        _ => {}
    }
}
