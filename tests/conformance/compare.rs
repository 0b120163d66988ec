//! Comparing an answer of the simulator with one of Azure.

use crate::witness::glob;
use serde_json::Value;
use std::fmt;

/// How an answer is not as Azure's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Azure has it, the simulator not.
    Missing,
    /// The simulator has it, Azure not.
    Extra,
    /// It has another JSON type.
    Type,
    /// It has another value.
    Value,
}

/// A place where an answer is not as Azure's.
#[derive(Debug)]
pub struct Finding {
    pub path: String,
    pub difference: Difference,
    pub azure: Value,
    pub ours: Value,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |value: &Value| value.to_string().chars().take(160).collect::<String>();
        let difference = format!("{:?}", self.difference).to_lowercase();
        write!(f, "{} {difference}: azure {}, ours {}", self.path, short(&self.azure), short(&self.ours))
    }
}

/// Members whose values depend on identity, time or the region's state of the art: only their types are compared.
const VOLATILE: &[&str] = &[
    "etag",
    "systemData.*",
    "*.nodeImageVersion",
    "*.currentKubernetesVersion",
    "*.currentOrchestratorVersion",
    "*.fqdn",
    "*.privateFQDN",
    "*.azurePortalFQDN",
    "*.issuerURL",
    "*.resourceUID",
    "*.sourceSyncedCommitId",
    "*.etag",
    "*.eTag",
    "*.ipAddress",
    "*.createdBy",
    "*.updatedBy",
    "error.message",
    "message",
];

/// Compares two bodies, or two parts of them.
pub fn compare(azure: &Value, ours: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    walk("", azure, ours, &mut findings);
    findings
}

fn walk(path: &str, azure: &Value, ours: &Value, findings: &mut Vec<Finding>) {
    let mut report = |difference, azure: &Value, ours: &Value| {
        findings.push(Finding {
            path: path.to_owned(),
            difference,
            azure: azure.clone(),
            ours: ours.clone(),
        });
    };
    match (azure, ours) {
        (Value::Object(theirs), Value::Object(mine)) => {
            for (name, azure) in theirs {
                let path = join(path, name);
                match mine.get(name).or_else(|| folded(mine, name)) {
                    Some(ours) => walk(&path, azure, ours, findings),
                    None => findings.push(Finding {
                        path,
                        difference: Difference::Missing,
                        azure: azure.clone(),
                        ours: Value::Null,
                    }),
                }
            }
            for (name, ours) in mine {
                if !theirs.contains_key(name) && folded(theirs, name).is_none() {
                    let path = join(path, name);
                    let (azure, ours) = (Value::Null, ours.clone());
                    findings.push(Finding { path, difference: Difference::Extra, azure, ours });
                }
            }
        }
        (Value::Array(theirs), Value::Array(mine)) => {
            if theirs.iter().all(|v| !v.is_object()) {
                if masked(azure) != masked(ours) && !is_volatile(path) {
                    report(Difference::Value, azure, ours);
                }
                return;
            }
            if theirs.len() != mine.len() {
                report(Difference::Value, azure, ours);
            }
            for (index, azure) in theirs.iter().enumerate() {
                let name = azure.get("name").and_then(Value::as_str);
                let same = |item: &&Value| item.get("name").and_then(Value::as_str) == name;
                let found = match name {
                    Some(_) => mine.iter().find(same).or(mine.get(index)),
                    None => mine.get(index),
                };
                let path = format!("{path}[{}]", name.map_or(index.to_string(), str::to_owned));
                if let Some(found) = found {
                    walk(&path, azure, found, findings);
                }
            }
        }
        (azure, ours) if kind(azure) != kind(ours) => report(Difference::Type, azure, ours),
        (azure, ours) => {
            let equal = match (azure, ours) {
                (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
                _ => masked(azure) == masked(ours),
            };
            if !equal && !is_volatile(path) {
                report(Difference::Value, azure, ours);
            }
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn folded<'v>(members: &'v serde_json::Map<String, Value>, name: &str) -> Option<&'v Value> {
    // Ids as keys are re-cased at will.
    let mut all = members.iter().filter(|_| name.starts_with('/'));
    all.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_volatile(path: &str) -> bool {
    VOLATILE.iter().any(|pattern| glob(pattern, path))
}

/// Text with what depends on identity and time replaced: GUIDs by `<guid>`, instants by `<time>`.
fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask(text)),
        Value::Array(items) => Value::Array(items.iter().map(masked).collect()),
        other => other.clone(),
    }
}

/// See [`masked`].
pub fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = [("gggggggg-gggg-gggg-gggg-gggggggggggg", "<guid>"), ("dddd-dd-ddTdd:dd:dd", "<time>")]
            .into_iter()
            .find(|(shape, _)| has_shape(rest, shape.as_bytes()));
        match length {
            Some((shape, word)) => {
                out.push_str(word);
                at += shape.len();
                if word == "<time>" {
                    at +=
                        bytes[at..].iter().take_while(|b| b.is_ascii_digit() || b".:+Z".contains(b)).count();
                }
            }
            None => {
                let width = text[at..].chars().next().map_or(1, char::len_utf8);
                out.push_str(&text[at..at + width]);
                at += width;
            }
        }
    }
    out
}

fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    text.len() >= shape.len()
        && shape.iter().zip(text).all(|(shape, byte)| match shape {
            b'g' => byte.is_ascii_hexdigit(),
            b'd' => byte.is_ascii_digit(),
            exact => byte == exact,
        })
}

pub async fn patterns_and_masks() {
    assert!(glob("a.*.c", "a.b.b.c") && glob("*", "") && !glob("a.*", "b.a."));
    assert_eq!(
        mask("x-7beaa366-1388-41e1-a1c4-50e8dcf9dba6/2022-03-08T04:22:18.6732562+00:00!"),
        "x-<guid>/<time>!"
    );
}
