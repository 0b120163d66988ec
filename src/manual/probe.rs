//! Where a field of an entry goes in ARM's body, found by expanding an entry with one value and with another.

use super::fields::FieldDoc;
use crate::catalog::{Common, Draft, EntryCx, Kind, ResourceType};
use crate::ident::Address;
use crate::value::token::{Token, has_token};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Where a field goes.
#[derive(Debug, Clone)]
pub struct InArm {
    /// The type of the resource.
    pub kind: &'static ResourceType,
    /// The path in its body, with `[]` for the elements of an array.
    pub path: String,
}

/// More places than this say that the field is a switch for several things: none of them is its name.
const MOST: usize = 4;
/// What an entry says of how it is handled: none of it is in a body.
const HANDLING: [&str; 9] =
    ["forEach", "when", "dependsOn", "protect", "timeout", "adopt", "exclusive", "ignore", "properties"];
/// How many pairs of values are tried.
const PAIRS: usize = 6;

/// Where a field goes in ARM's bodies; nothing when it is not there by itself, or when no entry could be made
/// up that has it.
pub fn field_in_arm(kind: &Kind, field: &FieldDoc) -> Vec<InArm> {
    if kind.arm_type.is_empty() || HANDLING.contains(&field.path.as_str()) {
        return Vec::new();
    }
    let values = values(&field.schema);
    for base in entries(kind) {
        let made = |value: &Value| expand(kind, &put(base.clone(), &field.path, value.clone()));
        // Values come in pairs of the same form: the first pair that can be told apart counts.
        for pair in values.chunks(2).take(PAIRS) {
            let [one, other] = pair else { continue };
            let found = differences(&made(one), &made(other));
            if !found.is_empty() {
                return if found.len() > MOST { Vec::new() } else { found };
            }
        }
    }
    Vec::new()
}

/// The entries of the kind's own example, references and secrets as expressions give them.
fn entries(kind: &Kind) -> Vec<Value> {
    let example = crate::blueprint::parse_value(kind.example).unwrap_or(Value::Null);
    let all = example[kind.section].as_object().cloned().unwrap_or_default();
    all.into_iter().take(2).map(|(_, entry)| evaluated(entry)).collect()
}

fn evaluated(value: Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            Some(inner) if inner.starts_with("param.") => {
                Token::Secret { name: inner["param.".len()..].to_owned() }.encode().into()
            }
            Some(inner) if inner.starts_with("azure.") => "westeurope".into(),
            Some(inner) if !inner.contains('(') => {
                Token::Reference { path: inner.to_owned(), facet: String::new() }.encode().into()
            }
            _ if text.contains("${") => text.split("${").next().unwrap_or_default().to_owned().into(),
            _ => text.into(),
        },
        Value::Array(items) => items.into_iter().map(evaluated).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, evaluated(member))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// Values that the field could have, different ones.
fn values(schema: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    let mut types: Vec<&str> = Vec::new();
    let mut alternatives = vec![schema];
    while let Some(schema) = alternatives.pop() {
        for name in ["anyOf", "oneOf"] {
            alternatives.extend(schema[name].as_array().into_iter().flatten());
        }
        all.extend(schema["enum"].as_array().into_iter().flatten().filter(|value| !value.is_null()).cloned());
        all.extend(schema.get("const").cloned());
        match &schema["type"] {
            Value::String(one) => types.push(one),
            Value::Array(some) => types.extend(some.iter().filter_map(Value::as_str)),
            _ => {}
        }
        if schema["$ref"].as_str().is_some_and(|path| path.ends_with("/Reference")) {
            types.push("string");
        }
    }
    if !all.is_empty() {
        // An odd one out is tried beside the first.
        if all.len() % 2 == 1 {
            all.push(all[0].clone());
        }
        return all;
    }
    for name in types {
        match name {
            "boolean" => all.extend([json!(true), json!(false)]),
            "integer" | "number" => {
                let least = schema["minimum"].as_i64().unwrap_or(0);
                all.extend([8, 16, 30, 50, 1, 2].map(|n: i64| json!(n.max(least))));
            }
            "string" => {
                let reference =
                    |path: &str| Token::Reference { path: path.to_owned(), facet: String::new() }.encode();
                if schema["x-name"] != "Reference" {
                    all.extend(
                        ["one", "two", "1h", "2h", "10.0.0.0/16", "10.1.0.0/16", "2027-01-01", "2028-01-01"]
                            .map(Value::from),
                    );
                }
                for text in [reference("networks.a"), reference("networks.b")] {
                    all.push(text.into());
                }
            }
            "array" => {
                let item = values(&schema["items"]);
                if schema["items"]["type"].is_string() || schema["items"]["$ref"].is_string() {
                    let item = match item.is_empty() {
                        true => values(&json!({ "type": "string", "x-name": "Reference" })),
                        false => item,
                    };
                    all.extend(item.into_iter().map(|value| json!([value])));
                }
            }
            _ => {}
        }
    }
    all
}

/// The entry with a value at a path; what is missing on the way is made.
fn put(entry: Value, path: &str, value: Value) -> Value {
    let Some((part, rest)) = path.split_once('.').or(Some((path, ""))).filter(|(part, _)| !part.is_empty())
    else {
        return value;
    };
    let mut members = match entry {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let key = match part.trim_end_matches("[]") {
        "KEY" => members.keys().next().cloned().unwrap_or_else(|| "sample".to_owned()),
        name => name.to_owned(),
    };
    let old = members.get(&key).cloned().unwrap_or_default();
    let new = match (part.ends_with("[]"), old) {
        (true, Value::Array(mut items)) if !items.is_empty() => {
            items[0] = put(items[0].take(), rest, value);
            Value::Array(items)
        }
        (true, _) => json!([put(Value::Null, rest, value)]),
        (false, old) => put(old, rest, value),
    };
    members.insert(key, new);
    Value::Object(members)
}

fn expand(kind: &Kind, entry: &Value) -> Vec<Draft> {
    let mut fields = entry.as_object().cloned().unwrap_or_default();
    let mut text = |name: &str, or: &str| {
        fields
            .shift_remove(name)
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_else(|| or.to_owned())
    };
    let common = Common {
        name: text("name", "sample"),
        subscription: "sub".into(),
        tenant: "tenant".into(),
        resource_group: text("resourceGroup", "rg"),
        location: text("location", "westeurope"),
        tags: fields.shift_remove("tags").and_then(|tags| tags.as_object().cloned()).unwrap_or_default(),
        ..Common::default()
    };
    for name in HANDLING {
        fields.shift_remove(name);
    }
    let address = Address::new(kind.section).child("sample");
    let mut cx = EntryCx {
        address,
        key: "sample",
        common,
        types: &|_| None,
        ids: &|_| None,
        drafts: Vec::new(),
        problems: Vec::new(),
    };
    (kind.expand)(Value::Object(fields), &mut cx);
    cx.drafts
}

/// The paths at which two expansions are not the same.
fn differences(one: &[Draft], other: &[Draft]) -> Vec<InArm> {
    let mut found: Vec<InArm> = Vec::new();
    for a in one {
        let Some(b) = other.iter().find(|b| b.address == a.address) else { continue };
        let mut paths = BTreeSet::new();
        differ(&a.body, &b.body, String::new(), &mut paths);
        for path in paths {
            let is_known = |known: &InArm| known.path == path && known.kind.arm_type == a.kind.arm_type;
            if !found.iter().any(is_known) {
                found.push(InArm { kind: a.kind, path });
            }
        }
    }
    found
}

fn differ(one: &Value, other: &Value, at: String, paths: &mut BTreeSet<String>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys()) {
                // A key that is a reference stands for any key.
                let shown = if has_token(name) { "*" } else { name };
                let below = if at.is_empty() { shown.to_owned() } else { format!("{at}.{shown}") };
                let null = &Value::Null;
                differ(a.get(name).unwrap_or(null), b.get(name).unwrap_or(null), below, paths);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() && a.iter().any(Value::is_object) => {
            for (a, b) in a.iter().zip(b) {
                differ(a, b, format!("{at}[]"), paths);
            }
        }
        _ if one != other => {
            paths.insert(at);
        }
        _ => {}
    }
}
