//! The JSON Schema of a blueprint, from the types that read one.

use super::declaration::Declaration;
use super::entry_schema::generator;
use super::existing::READ_WORDS;
use crate::catalog::{Kind, Nested, registry};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

/// The blueprint: its name, parameters, where it goes, and the sections of what it asks for.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the derived schema only")]
struct Head {
    /// The name of the blueprint: small letters, digits and `-`. The ledger has it, and the ownership tag.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,62}$"), example = &"shop")]
    blueprint: Value,
    /// What comes from outside: `--param`, `--values`, the environment. Used as `${param.NAME}`.
    parameters: Option<IndexMap<String, Option<Declaration>>>,
    /// Where everything goes, unless an entry says otherwise.
    azure: Option<Azure>,
    /// Further files with parameters of their own, whose entries become `module.NAME.SECTION.KEY`.
    modules: Option<IndexMap<String, Module>>,
    /// Values that `berth output` shows: a value, or `value` with `secret` and `description`.
    outputs: Option<IndexMap<String, Output>>,
}

/// Where everything goes, unless an entry says otherwise.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the derived schema only")]
struct Azure {
    /// The subscription's id, a GUID.
    #[schemars(example = &"${env.AZURE_SUBSCRIPTION_ID}")]
    subscription: Option<String>,
    /// The tenant's id; that of the caller when absent.
    tenant: Option<String>,
    /// The Azure region of entries that say none.
    #[schemars(example = &"westeurope")]
    location: Option<String>,
    /// The resource group of entries that say none.
    #[schemars(example = &"rg-shop-dev")]
    resource_group: Option<String>,
    /// Tags of everything that has tags.
    tags: Option<IndexMap<String, Value>>,
    /// Whether berth registers the resource providers that the blueprint needs; it does when this is absent.
    #[serde(default = "yes")]
    register_providers: bool,
    /// Preview features to register, besides those that follow from the fields.
    features: Option<Vec<String>>,
    /// Resource providers to register, besides those that follow from the resources.
    providers: Option<Vec<String>>,
}

fn yes() -> bool {
    true
}

/// What a module may say of where its entries go.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the derived schema only")]
struct AzureOfModule {
    /// The Azure region of its entries.
    location: Option<String>,
    /// The resource group of its entries.
    resource_group: Option<String>,
    /// Tags, over those of the blueprint.
    tags: Option<IndexMap<String, Value>>,
}

/// A further file, with parameters of its own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the derived schema only")]
struct Module {
    /// The file, from the folder of the file that names it.
    #[schemars(example = &"./spoke.yaml")]
    include: String,
    /// The values of its parameters.
    parameters: Option<IndexMap<String, Value>>,
    /// Where its entries go, when that is not where those of the blueprint go.
    azure: Option<AzureOfModule>,
    /// One module for each element of a list or member of a mapping, as `each.key` and `each.value`.
    for_each: Option<ForEach>,
    /// Whether it is there at all.
    when: Option<bool>,
    /// What is to be there before its entries, as addresses.
    depends_on: Option<Addresses>,
    /// Whether its entries may be deleted or replaced only when a person names them.
    protect: Option<bool>,
    /// How long to wait for an operation on one of its entries, such as `90s`, `30m` or `2h`.
    #[schemars(regex(pattern = r"^([0-9]+[smhd])+$"), example = &"30m")]
    timeout: Option<String>,
}

/// The elements: texts, or a mapping of keys to values.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the derived schema only")]
enum ForEach {
    List(Vec<Value>),
    Map(IndexMap<String, Value>),
}

/// Addresses of entries.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the derived schema only")]
enum Addresses {
    Many(Vec<String>),
    One(String),
}

/// A value, or more about it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the derived schema only")]
enum Output {
    Long(LongOutput),
    Value(Value),
}

/// An output with more about it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by the derived schema only")]
struct LongOutput {
    /// The value.
    value: Value,
    /// Whether it is shown only when it is asked for by name.
    secret: Option<bool>,
    /// What it is.
    description: Option<String>,
}

/// What every entry of every section may say.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the derived schema only")]
struct Every {
    /// The name in Azure; the entry's key when absent.
    name: Option<NameText>,
    /// The Azure region, when it is not that of `azure:`.
    #[schemars(example = &"westeurope")]
    location: Option<String>,
    /// The resource group, when it is not that of `azure:`.
    resource_group: Option<String>,
    /// The subscription, when it is not that of `azure:`: a hub, or a zone that several share. The caller needs rights in both.
    #[schemars(example = &"${env.HUB_SUBSCRIPTION_ID}")]
    subscription: Option<String>,
    /// Tags, over those of `azure:`.
    tags: Option<IndexMap<String, Value>>,
    /// One entry for each element of a list or member of a mapping, as `each.key` and `each.value`.
    for_each: Option<ForEach>,
    /// Whether the entry is there at all.
    #[schemars(example = &"${param.environment == 'prod'}")]
    when: Option<bool>,
    /// What is to be there before it, as addresses, for what no reference says.
    #[schemars(example = ["clusters.aks"])]
    depends_on: Option<Addresses>,
    /// Whether it may be deleted or replaced only when a person names it; what holds data is so when this is absent.
    protect: Option<bool>,
    /// How long to wait for an operation on it, such as `90s`, `30m` or `2h`.
    #[schemars(regex(pattern = r"^([0-9]+[smhd])+$"), example = &"30m")]
    timeout: Option<String>,
    /// Whether berth takes it over when it exists and carries no owner's tag.
    adopt: Option<bool>,
    /// The lists and mappings of which what others added is taken away, such as `[tags]`; `true` for all of them. What
    /// they can be is on the kind's page.
    exclusive: Option<ExclusiveText>,
    /// Fields that are set when it is made and left alone afterwards, for what an autoscaler, a controller or a policy
    /// changes: paths of fields from here, or Azure's own as a plan shows them.
    #[schemars(example = ["tags.costCenter"])]
    ignore: Option<Addresses>,
    /// Members of the ARM resource's `properties` that have no field, merged over what the other fields say; `null` takes one
    /// away.
    properties: Option<Map<String, Value>>,
}

/// Every list, or some by their names.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the derived schema only")]
enum ExclusiveText {
    Every(bool),
    Lists(Vec<String>),
}

/// A text; digits alone need no quotes.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the derived schema only")]
enum NameText {
    Text(String),
    Digits(u64),
}

/// The fields that every entry has; those of one that only reads are fewer.
pub fn common_fields(kind: &Kind) -> Value {
    let schema = generator().into_root_schema_for::<Every>().to_value();
    let mut fields = schema["properties"].clone();
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|name, _| is_common(kind, name));
    }
    fields
}

/// Whether entries of a kind have a field of those that every entry has.
fn is_common(kind: &Kind, name: &str) -> bool {
    !kind.reads || READ_WORDS.contains(&name)
}

/// Adds fields to what is at a path below a schema, `*` for any key.
fn add_words(
    schema: &mut Value,
    path: &[&str],
    words: &Map<String, Value>,
    definitions: &mut Map<String, Value>,
) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()).map(str::to_owned) {
        if let Some(mut target) = definitions.get(&name).cloned() {
            add_words(&mut target, path, words, definitions);
            definitions.insert(name, target);
        }
        return;
    }
    for several in ["anyOf", "allOf", "oneOf"] {
        for one in schema.get_mut(several).and_then(Value::as_array_mut).into_iter().flatten() {
            add_words(one, path, words, definitions);
        }
    }
    match path.split_first() {
        None => {
            if let Some(own) = schema.get_mut("properties").and_then(Value::as_object_mut) {
                for (word, meaning) in words {
                    own.entry(word).or_insert_with(|| meaning.clone());
                }
            }
        }
        Some((&"*", rest)) => {
            if let Some(any) = schema.get_mut("additionalProperties").filter(|any| any.is_object()) {
                add_words(any, rest, words, definitions);
            }
        }
        Some((name, rest)) => {
            if let Some(member) = schema.get_mut("properties").and_then(|members| members.get_mut(*name)) {
                add_words(member, rest, words, definitions);
            }
        }
    }
}

/// The JSON Schema of a blueprint, draft-07, which editors understand: every kind, every field, its description, and
/// room for `${…}` wherever an expression may be.
pub fn schema() -> Value {
    let mut generator = generator();
    let mut root = generator.root_schema_for::<Head>().to_value();
    let mut every = generator.root_schema_for::<Every>().to_value();
    // What the keys of entries may be.
    let keys = json!({
        "pattern": "^[a-z][A-Za-z0-9_]*$",
        "description": "The key of an entry: a small letter, then letters, digits and `_`.",
    });
    for kind in registry() {
        let entry = (kind.schema)(&mut generator).to_value();
        root["properties"][kind.section] = json!({
            "title": kind.section,
            "description": kind.about,
            "type": ["object", "null"],
            "propertyNames": keys.clone(),
            "additionalProperties": entry,
        });
    }
    let mut definitions = generator.take_definitions(true);
    // Each kind's `Spec` gets the section's name, and the fields that every entry has.
    let mut names = Vec::new();
    for kind in registry() {
        let entry = &mut root["properties"][kind.section]["additionalProperties"];
        let Some(old) = entry["$ref"].as_str().and_then(|path| path.rsplit('/').next()).map(str::to_owned)
        else {
            continue;
        };
        let Some(mut spec) = definitions.remove(&old) else { continue };
        if !spec["properties"].is_object() {
            spec["properties"] = json!({});
        }
        if let (Some(own), Some(shared)) =
            (spec["properties"].as_object_mut(), every["properties"].as_object_mut())
        {
            let mut fields = shared.clone();
            fields.retain(|name, _| is_common(kind, name));
            fields.extend(std::mem::take(own));
            *own = fields;
        }
        for nested in kind.nested {
            // `forEach` has mappings of its own, below.
            let skipped = |word: &str| word == "forEach" || nested.reads_properties && word == "properties";
            let words = Nested::WORDS.iter().filter(|word| !skipped(word));
            let words: Map<String, Value> = words
                .filter_map(|word| Some(((*word).to_owned(), every["properties"].get(word)?.clone())))
                .collect();
            let parts: Vec<&str> = nested.path.split('.').collect();
            add_words(&mut spec, &parts, &words, &mut definitions);
        }
        let for_each = every["properties"].get("forEach").cloned().unwrap_or_default();
        let for_each = Map::from_iter([("forEach".to_owned(), for_each)]);
        for map in super::part_maps::maps(kind).iter() {
            add_words(&mut spec, &map.members(), &for_each, &mut definitions);
        }
        // An entry without a field may be written as nothing at all.
        *entry = match spec["required"].is_array() {
            true => json!({ "$ref": format!("#/definitions/{}", kind.section) }),
            false => {
                json!({ "anyOf": [{ "$ref": format!("#/definitions/{}", kind.section) }, { "type": "null" }] })
            }
        };
        names.push((kind.section, spec));
    }
    if let Some(own) = root.get("definitions").and_then(Value::as_object) {
        definitions.extend(own.clone());
    }
    for schema in [&mut root, &mut every] {
        if let Some(members) = schema.as_object_mut() {
            members.shift_remove("definitions");
        }
    }
    // A parameter's declaration has no expressions, nor has the name.
    const LITERAL: &[&str] = &["Declaration", "Type"];
    for (name, schema) in &mut definitions {
        if !LITERAL.contains(&name.as_str()) {
            with_expressions(schema);
        }
    }
    for (name, mut spec) in names {
        inner_with_expressions(&mut spec);
        definitions.insert(name.to_owned(), spec);
    }
    definitions.insert(
        "expression".to_owned(),
        json!({ "type": "string", "pattern": r"\$\{", "description": "An expression: `${…}`." }),
    );
    definitions.sort_keys();
    root["title"] = "berth blueprint".into();
    root["$id"] = "https://github.com/berth-aks/berth/docs/schema/v1.json".into();
    root["properties"]["blueprint"]["type"] = "string".into();
    root["properties"]["blueprint"]["pattern"] = "^[a-z][a-z0-9-]{0,62}$".into();
    // The file of a module has none.
    if let Some(members) = root.as_object_mut() {
        members.shift_remove("required");
    }
    root["definitions"] = Value::Object(definitions);
    root
}

/// Allows an expression instead of every value that a schema describes, itself included.
fn with_expressions(schema: &mut Value) {
    inner_with_expressions(schema);
    let Some(members) = schema.as_object_mut() else { return };
    if takes_any_text(members) {
        return;
    }
    let expression = json!({ "$ref": "#/definitions/expression" });
    if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
        choices.push(expression);
        return;
    }
    if members.contains_key("$ref") {
        // Every definition has room for an expression already.
        return;
    }
    // What tells about the value stays outside, where editors look for it.
    let mut outside = Map::new();
    for name in ["title", "description", "default", "examples"] {
        if let Some(value) = members.shift_remove(name) {
            outside.insert(name.to_owned(), value);
        }
    }
    let inside = Value::Object(std::mem::take(members));
    outside.insert("anyOf".to_owned(), json!([inside, expression]));
    *members = outside;
}

/// The same for everything below.
fn inner_with_expressions(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    for (name, member) in members.iter_mut() {
        match (name.as_str(), member) {
            ("properties", Value::Object(fields)) => fields.values_mut().for_each(with_expressions),
            ("additionalProperties" | "items", below) => with_expressions(below),
            // The value itself is one of these: only what is below them.
            ("anyOf" | "oneOf" | "allOf", Value::Array(choices)) => {
                choices.iter_mut().for_each(inner_with_expressions);
            }
            _ => {}
        }
    }
}

/// Whether any text is allowed already: then an expression is.
fn takes_any_text(schema: &Map<String, Value>) -> bool {
    let constrained = ["enum", "const", "pattern", "format", "maxLength", "minLength"];
    let text = match schema.get("type") {
        Some(Value::String(only)) => only == "string",
        Some(Value::Array(some)) => some.iter().any(|one| one == "string"),
        _ => !["anyOf", "oneOf", "allOf", "$ref"].iter().any(|name| schema.contains_key(*name)),
    };
    text && !constrained.iter().any(|name| schema.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every description that a schema needs: each field of each definition.
    fn undescribed(at: &str, schema: &Value, found: &mut Vec<String>) {
        let Some(members) = schema.as_object() else { return };
        for (name, field) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = format!("{at}.{name}");
            if field["description"].as_str().is_none_or(str::is_empty) && field["$ref"].as_str().is_none() {
                found.push(path.clone());
            }
            undescribed(&path, field, found);
        }
        for choices in ["anyOf", "oneOf"] {
            for choice in members.get(choices).and_then(Value::as_array).into_iter().flatten() {
                undescribed(at, choice, found);
            }
        }
    }

    #[test]
    fn every_field_says_what_it_is() {
        let schema = schema();
        let mut found = Vec::new();
        for (name, definition) in schema["definitions"].as_object().unwrap() {
            if name != "Sysctls" {
                undescribed(name, definition, &mut found);
            }
        }
        assert_eq!(found, [] as [&str; 0]);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(root: &Value, value: &Value) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(to)) = members.get("$ref") {
                        assert!(root.pointer(&to[1..]).is_some(), "{to}");
                    }
                    members.values().for_each(|member| walk(root, member));
                }
                Value::Array(items) => items.iter().for_each(|item| walk(root, item)),
                _ => {}
            }
        }
        let schema = schema();
        walk(&schema, &schema);
    }
}
