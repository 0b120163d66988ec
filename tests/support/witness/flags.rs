//! What Azure alone says of a resource: its read-only properties.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The read-only properties of the types that the facts describe, read when they are needed.
#[derive(Debug)]
pub struct Flags {
    folder: PathBuf,
    known: BTreeMap<String, Vec<Property>>,
}

/// A property: the steps to it, of which `[]` is each element and `*` each key.
#[derive(Debug)]
struct Property {
    steps: Vec<String>,
    /// What Azure says and nobody sends.
    read_only: bool,
    kind: String,
}

impl Flags {
    /// Those of the facts.
    pub fn of(facts: &Path) -> Self {
        Flags { folder: facts.join("flags"), known: BTreeMap::new() }
    }

    /// Whether there are any of a type.
    pub fn has(&mut self, arm_type: &str, api_version: &str) -> bool {
        !self.properties(arm_type, api_version).is_empty()
    }

    fn properties(&mut self, arm_type: &str, api_version: &str) -> &[Property] {
        let name = format!("{}@{api_version}.tsv", arm_type.replace('/', "_"));
        let folder = &self.folder;
        self.known.entry(name.to_ascii_lowercase()).or_insert_with(|| {
            let files = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
            let file = files
                .map(|file| file.unwrap().path())
                .find(|path| path.file_name().is_some_and(|known| known.eq_ignore_ascii_case(&name)));
            let text = file.map(|path| std::fs::read_to_string(path).unwrap()).unwrap_or_default();
            text.lines().filter_map(Property::read).collect()
        })
    }

    /// The read-only properties that a body has.
    pub fn sent(&mut self, arm_type: &str, api_version: &str, body: &Value) -> Vec<String> {
        let properties = self.properties(arm_type, api_version);
        let found = outermost(properties).filter(|property| has(body, &property.steps));
        found.map(|property| property.steps.join(".").replace(".[]", "[]")).collect()
    }

    /// Adds every read-only property that Azure could answer and this body lacks.
    pub fn complete(&mut self, arm_type: &str, api_version: &str, body: &mut Value) {
        let properties = self.properties(arm_type, api_version);
        for property in outermost(properties) {
            let value = property.value(properties);
            put(body, &property.steps, &value);
        }
    }
}

impl Property {
    fn read(line: &str) -> Option<Self> {
        let mut columns = line.split('\t');
        let (path, flags, kind) = (columns.next()?, columns.next()?, columns.next()?);
        let steps = path.replace("[]", ".[]");
        let read_only = flags.contains('O') && !["id", "name", "type", "apiVersion"].contains(&path);
        Some(Property {
            steps: steps.split('.').map(str::to_owned).collect(),
            read_only,
            kind: kind.to_owned(),
        })
    }

    /// Something that Azure could say.
    fn value(&self, all: &[Property]) -> Value {
        let below = |within: &[String]| -> Value {
            let mut members = Map::new();
            for one in all {
                if let [step] = &one.steps[within.len().min(one.steps.len())..]
                    && one.steps.starts_with(within)
                    && !matches!(step.as_str(), "[]" | "*")
                {
                    members.insert(step.clone(), one.value(all));
                }
            }
            Value::Object(members)
        };
        match self.kind.as_str() {
            "int" => json!(7),
            "bool" => json!(true),
            "obj" => below(&self.steps),
            "[obj]" => {
                let mut within = self.steps.clone();
                within.push("[]".to_owned());
                json!([below(&within)])
            }
            "[str]" => json!(["azure-says"]),
            kind if kind.starts_with("map") => json!({ "azure": "says" }),
            kind if kind.starts_with("[[") => json!([]),
            kind if kind.contains("Succeeded") => json!("Succeeded"),
            kind if kind.contains('|') => json!(kind.split('|').next()),
            kind if kind.contains("{8}-") => json!("6f1f5a7c-6f7a-4dc1-9d38-3f8f4c1a0001"),
            _ => json!("azure-says"),
        }
    }
}

/// The read-only properties that are not below another one.
fn outermost(all: &[Property]) -> impl Iterator<Item = &Property> {
    let read_only = || all.iter().filter(|property| property.read_only);
    let is_below = move |one: &Property| {
        read_only().any(|above| above.steps.len() < one.steps.len() && one.steps.starts_with(&above.steps))
    };
    all.iter().filter(move |property| property.read_only && !is_below(property))
}

fn has(body: &Value, steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return true };
    match (body, step.as_str()) {
        (Value::Array(items), "[]") => items.iter().any(|item| has(item, rest)),
        (Value::Object(members), "*") => members.values().any(|member| has(member, rest)),
        (Value::Object(members), name) => members.get(name).is_some_and(|member| has(member, rest)),
        _ => false,
    }
}

/// Puts a value wherever what it is in exists and has none.
fn put(body: &mut Value, steps: &[String], value: &Value) {
    match (body, steps) {
        (Value::Array(items), [step, rest @ ..]) if step == "[]" => {
            items.iter_mut().for_each(|item| put(item, rest, value));
        }
        (Value::Object(members), [step, rest @ ..]) if step == "*" => {
            members.values_mut().for_each(|member| put(member, rest, value));
        }
        (Value::Object(members), [name]) if members.get(name).is_none_or(Value::is_null) => {
            members.insert(name.clone(), value.clone());
        }
        (Value::Object(members), [name, rest @ ..]) if !rest.is_empty() => {
            if let Some(member) = members.get_mut(name) {
                put(member, rest, value);
            }
        }
        _ => {}
    }
}
