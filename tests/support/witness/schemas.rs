//! The official schemas of what is sent, and what of a body they do not accept.

use berth::arm::transport::Method;
use berth::ident::ArmId;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The official schemas, read when they are needed.
#[derive(Debug)]
pub struct Schemas {
    folder: PathBuf,
    known: BTreeMap<(String, String), Option<Schema>>,
}

/// The schema of a type.
#[derive(Debug)]
struct Schema {
    document: Value,
    validator: jsonschema::Validator,
}

impl Schemas {
    /// Those of the facts.
    pub fn of(facts: &Path) -> Self {
        Schemas { folder: facts.join("schemas"), known: BTreeMap::new() }
    }

    /// How many there were for what was checked.
    pub fn len(&self) -> usize {
        self.known.values().flatten().count()
    }

    /// What is wrong with a body that is sent to a resource.
    pub fn faults(&mut self, method: Method, id: &ArmId, api_version: &str, body: &Value) -> Vec<String> {
        let arm_type = id.resource_type();
        let key = (arm_type.to_ascii_lowercase(), api_version.to_owned());
        if !self.known.contains_key(&key) {
            let schema = find(&self.folder.join(api_version), &arm_type).map(Schema::new);
            self.known.insert(key.clone(), schema);
        }
        let Some(schema) = &self.known[&key] else { return vec!["there is no schema".to_owned()] };
        // Templates name what a request has in its address.
        let mut body = body.clone();
        body["name"] = id.name().into();
        body["apiVersion"] = api_version.into();
        if let Some(written) = schema.document.pointer("/properties/type/enum/0") {
            body["type"] = written.clone();
        }
        let in_part = method == Method::Patch;
        if in_part {
            // A member that goes.
            without_nulls(&mut body);
        }
        let errors = |body: &Value| -> Vec<String> {
            let errors = schema.validator.iter_errors(body);
            let told = errors.map(|error| {
                let note = if is_recased(&error) { RECASED } else { "" };
                format!("{}: {error}{note}", error.instance_path())
            });
            told.filter(|finding| !in_part || !finding.ends_with("is a required property")).collect()
        };
        let mut findings = errors(&body);
        if let (false, Some(parent)) = (findings.is_empty(), id.parent()) {
            // In a template the name of a part goes from the whole on, and some schemas tell parts apart by it.
            body["name"] = format!("{}/{}", parent.name(), id.name()).into();
            let again = errors(&body);
            if again.len() < findings.len() {
                findings = again;
            }
        }
        unknown(&schema.document, &schema.document, &body, "", &mut findings);
        findings
    }
}

impl Schema {
    fn new(document: Value) -> Self {
        let validator = jsonschema::draft4::new(&document).unwrap_or_else(|error| panic!("{error}"));
        Schema { document, validator }
    }
}

/// How a finding ends that is about a word in another case than the schema's, which Azure takes.
pub const RECASED: &str = " (but for the case)";

fn is_recased(error: &jsonschema::ValidationError<'_>) -> bool {
    let jsonschema::error::ValidationErrorKind::Enum { options } = error.kind() else { return false };
    let word = error.instance().as_str();
    let options = options.as_array().into_iter().flatten().filter_map(Value::as_str);
    word.is_some_and(|word| options.into_iter().any(|option| option.eq_ignore_ascii_case(word)))
}

fn without_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, value| !value.is_null());
        members.values_mut().for_each(without_nulls);
    }
}

fn read(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The schema of a type in the files of a version, with the definitions it refers to.
fn find(folder: &Path, arm_type: &str) -> Option<Value> {
    for entry in std::fs::read_dir(folder).ok()? {
        let mut file = read(&entry.unwrap().path());
        let groups = file.as_object()?.iter().filter(|(name, _)| name.ends_with("esourceDefinitions"));
        let found = groups.filter_map(|(_, group)| group.as_object()).flat_map(Map::values).find(|schema| {
            let written = schema.pointer("/properties/type/enum/0").and_then(Value::as_str);
            written.is_some_and(|written| written.eq_ignore_ascii_case(arm_type))
        });
        let mut schema = match found {
            Some(schema) => schema.clone(),
            // Of extension types the schemas have the definitions only.
            None => match extension(&file, arm_type) {
                Some(schema) => schema,
                None => continue,
            },
        };
        schema["definitions"] = file["definitions"].take();
        schema["$schema"] = "http://json-schema.org/draft-04/schema#".into();
        without_expressions(&mut schema);
        return Some(schema);
    }
    None
}

/// Puts together the schema of a type of `Microsoft.KubernetesConfiguration`.
fn extension(file: &Value, arm_type: &str) -> Option<Value> {
    let name = match arm_type.to_ascii_lowercase().as_str() {
        "microsoft.kubernetesconfiguration/extensions" => "ExtensionProperties",
        "microsoft.kubernetesconfiguration/fluxconfigurations" => "FluxConfigurationProperties",
        _ => return None,
    };
    file["definitions"].get(name)?;
    let text = json!({"type": "string"});
    let mut schema = json!({
        "type": "object",
        "properties": {"name": text, "type": text, "apiVersion": text},
        "required": ["properties"],
    });
    for (member, of) in [("properties", name), ("identity", "Identity"), ("plan", "Plan")] {
        if file["definitions"].get(of).is_some() {
            schema["properties"][member] = json!({"$ref": format!("#/definitions/{of}")});
        }
    }
    Some(schema)
}

/// Takes template expressions out: bodies have none, and without them a complaint names its place.
fn without_expressions(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(choices)) = members.get_mut("oneOf") {
                choices.retain(|choice| {
                    let target = choice.get("$ref").and_then(Value::as_str);
                    !target.is_some_and(|target| target.ends_with("definitions.json#/definitions/expression"))
                });
                if choices.len() == 1 {
                    let only = choices.remove(0);
                    *schema = only;
                    return without_expressions(schema);
                }
            }
            members.values_mut().for_each(without_expressions);
        }
        Value::Array(items) => items.iter_mut().for_each(without_expressions),
        _ => {}
    }
}

/// Lists what a body has and the schema does not know: read-only members, which schemas of requests leave out, and
/// members that do not exist.
fn unknown(root: &Value, schema: &Value, body: &Value, path: &str, findings: &mut Vec<String>) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return unknown(
            root,
            target.unwrap_or_else(|| panic!("{schema} leads nowhere")),
            body,
            path,
            findings,
        );
    }
    match body {
        Value::Object(members) => {
            let mut known = Map::new();
            let mut open = schema.get("properties").is_none() && schema.get("allOf").is_none();
            let mut parts = vec![schema];
            while let Some(part) = parts.pop() {
                if let Some(target) = part.get("$ref").and_then(Value::as_str) {
                    parts.extend(target.strip_prefix('#').and_then(|pointer| root.pointer(pointer)));
                }
                for list in ["allOf", "oneOf", "anyOf"] {
                    parts.extend(part.get(list).and_then(Value::as_array).into_iter().flatten());
                }
                if let Some(properties) = part.get("properties").and_then(Value::as_object) {
                    known.extend(properties.clone());
                }
                open |= part.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
            }
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (known.get(name), schema.get("additionalProperties")) {
                    (Some(schema), _) => unknown(root, schema, value, &path, findings),
                    (None, Some(more)) if more.is_object() => unknown(root, more, value, &path, findings),
                    (None, _) if open => {}
                    _ => findings.push(format!("{path} is not in the schema")),
                }
            }
        }
        Value::Array(items) => {
            let Some(of) = schema.get("items") else { return };
            for item in items {
                unknown(root, of, item, &format!("{path}[]"), findings);
            }
        }
        _ => {}
    }
}
