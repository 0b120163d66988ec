//! The fields of a kind, read from its JSON Schema.

use crate::blueprint::{common_fields, entry_schema};
use crate::catalog::Kind;
use serde_json::{Map, Value, json};

/// What berth knows of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDoc {
    /// Its path below the entry: `KEY` stands for any key, `[]` for the elements of a list.
    pub path: String,
    /// What it is, in one paragraph.
    pub about: String,
    /// What may be written, in words: `text`, `list of references`, ``one of `a`, `b` ``.
    pub holds: String,
    /// Whether it must be said.
    pub required: bool,
    /// The value when it is not said, as JSON.
    pub default: Option<String>,
    /// Examples, as JSON.
    pub examples: Vec<String>,
    /// Whether every entry of every kind has it.
    pub common: bool,
    /// Its resolved schema.
    pub(super) schema: Value,
}

/// How deep fields are told: deeper ones are ARM's own.
const DEPTH: usize = 9;

/// Every field of a kind, those of every kind last.
pub fn fields(kind: &Kind) -> Vec<FieldDoc> {
    let schema = entry_schema(kind);
    let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
    let mut found = Vec::new();
    below(&schema, "", &definitions, &mut found, 0);
    let common = common_fields(kind);
    for (name, field) in common.as_object().into_iter().flatten() {
        let mut shown = Vec::new();
        field_doc(name, field, false, &definitions, &mut shown, DEPTH);
        found.extend(shown.into_iter().map(|field| FieldDoc { common: true, ..field }));
    }
    found
}

/// The fields of what is at the head of a blueprint: of `azure` itself, of one of its `parameters`.
pub(super) fn of_head(section: &str) -> Vec<FieldDoc> {
    let schema = crate::blueprint::schema();
    let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
    let mut found = Vec::new();
    let block = resolve(&schema["properties"][section], &definitions);
    below(&block, "", &definitions, &mut found, DEPTH - 4);
    for field in &mut found {
        field.path = field.path.trim_start_matches("KEY.").to_owned();
    }
    found.retain(|field| !field.path.is_empty() && field.path != "KEY" && !field.path.contains(['.', '[']));
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|field| seen.insert(field.path.clone()));
    found
}

fn below(
    schema: &Value,
    path: &str,
    definitions: &Map<String, Value>,
    found: &mut Vec<FieldDoc>,
    depth: usize,
) {
    if depth > DEPTH {
        return;
    }
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let required = schema["required"].as_array();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let needed = required.is_some_and(|all| all.iter().any(|one| one == name));
        field_doc(&at(name), field, needed, definitions, found, depth);
    }
    if schema["additionalProperties"].is_object() {
        let inside = resolve(&schema["additionalProperties"], definitions);
        below(&inside, &at("KEY"), definitions, found, depth + 1);
    }
    if schema["items"].is_object() {
        let inside = resolve(&schema["items"], definitions);
        below(&inside, &format!("{path}[]"), definitions, found, depth + 1);
    }
    for choice in choices(schema) {
        below(&resolve(choice, definitions), path, definitions, found, depth + 1);
    }
}

fn field_doc(
    path: &str,
    field: &Value,
    required: bool,
    definitions: &Map<String, Value>,
    found: &mut Vec<FieldDoc>,
    depth: usize,
) {
    let schema = resolve(field, definitions);
    let text = |value: &Value| serde_json::to_string(value).unwrap_or_default();
    let default = schema.get("default").filter(|value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    });
    found.push(FieldDoc {
        path: path.to_owned(),
        about: schema["description"].as_str().unwrap_or_default().replace('\n', " "),
        holds: holds(&schema, definitions),
        required,
        default: default.map(text),
        examples: schema["examples"].as_array().into_iter().flatten().map(text).collect(),
        common: false,
        schema: schema.clone(),
    });
    below(&schema, path, definitions, found, depth + 1);
}

/// The alternatives of a schema, null aside.
fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
    let all = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten();
    all.filter(|choice| choice["type"] != "null")
}

/// A schema with its references followed; what is beside a reference wins.
pub(super) fn resolve(schema: &Value, definitions: &Map<String, Value>) -> Value {
    let mut schema = schema.clone();
    for _ in 0..8 {
        let only = {
            let mut all = choices(&schema);
            match (all.next(), all.next()) {
                (Some(only), None) => Some(only.clone()),
                _ => None,
            }
        };
        let inner = match (schema["$ref"].as_str(), only) {
            (Some(path), _) => {
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                let mut inner = definitions.get(&name).cloned().unwrap_or(json!({}));
                inner["x-name"] = name.into();
                inner
            }
            (None, Some(only)) => only,
            (None, None) => break,
        };
        let Value::Object(outer) = schema else { break };
        let mut merged = inner;
        for (name, value) in outer {
            if !["$ref", "anyOf", "oneOf", "allOf"].contains(&name.as_str()) {
                merged[name] = value;
            }
        }
        schema = merged;
    }
    schema
}

/// What may be written, in words.
fn holds(schema: &Value, definitions: &Map<String, Value>) -> String {
    if schema["x-name"] == "Reference" {
        return "reference".to_owned();
    }
    let shown = |value: &Value| match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    };
    let words = |values: Vec<String>| match values.as_slice() {
        [one] => one.clone(),
        _ => format!("one of {}", values.join(", ")),
    };
    if let Some(values) = schema["enum"].as_array() {
        return words(values.iter().filter(|value| !value.is_null()).map(shown).collect());
    }
    if let Some(value) = schema.get("const") {
        return shown(value);
    }
    let mut all: Vec<String> = Vec::new();
    let mut constants = Vec::new();
    for choice in choices(schema) {
        let choice = resolve(choice, definitions);
        match (choice.get("const"), choice["enum"].as_array()) {
            (Some(value), _) => constants.push(shown(value)),
            (None, Some(values)) => constants.extend(values.iter().map(shown)),
            (None, None) => all.push(holds(&choice, definitions)),
        }
    }
    if !constants.is_empty() {
        all.insert(0, words(constants));
    }
    if !all.is_empty() {
        all.dedup();
        return all.join(", or ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(some) => some.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect(),
        _ => Vec::new(),
    };
    let plain = types.iter().map(|one| match *one {
        "string" => "text".to_owned(),
        "integer" => match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
            (Some(least), Some(most)) if most < 1e6 && least > 0.0 => {
                format!("whole number, {least} to {most}")
            }
            _ => "whole number".to_owned(),
        },
        "number" => "number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => match schema["items"].is_object() {
            true => {
                let of = holds(&resolve(&schema["items"], definitions), definitions);
                format!("list of {}", plural(&of))
            }
            false => "list".to_owned(),
        },
        _ => match schema["additionalProperties"].is_object() {
            true => {
                let of = holds(&resolve(&schema["additionalProperties"], definitions), definitions);
                format!("mapping of keys to {}", plural(&of))
            }
            false => "mapping".to_owned(),
        },
    });
    match plain.collect::<Vec<_>>().join(" or ") {
        nothing if nothing.is_empty() => "any value".to_owned(),
        some => some,
    }
}

fn plural(words: &str) -> String {
    match words {
        "text" | "reference" | "mapping" | "whole number" | "number" | "list" | "any value" => {
            format!("{words}s")
        }
        other => other.to_owned(),
    }
}
