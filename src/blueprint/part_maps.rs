//! The mappings of parts that the entries of a kind have, read off the kind's schema.

use super::entry_schema::entry_schema;
use crate::catalog::Kind;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A mapping whose keys people choose, and whose values are mappings of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartMap {
    /// The steps from the entry, `*` for any key: `nodePools`.
    pub(super) path: Vec<String>,
    /// Whether its members have a `name`.
    pub(super) named: bool,
    /// Whether its members are resources of their own.
    pub(super) resources: bool,
}

/// How deep mappings are looked for: deeper ones are ARM's own.
const DEPTH: usize = 12;

/// The mappings of parts that the entries of a kind have.
pub(super) fn maps(kind: &Kind) -> Arc<[PartMap]> {
    static KNOWN: RwLock<BTreeMap<&'static str, Arc<[PartMap]>>> = RwLock::new(BTreeMap::new());
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(kind.section).cloned();
    known.unwrap_or_else(|| {
        let schema = entry_schema(kind);
        let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
        let mut found = Vec::new();
        find_maps(&schema, &definitions, &mut Vec::new(), &mut found);
        for map in &mut found {
            let path = format!("{}.x", map.path.join(".").replace('*', "x"));
            map.resources = kind.nested.iter().any(|nested| nested.is_at(&path));
        }
        let found: Arc<[PartMap]> = found.into();
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(kind.section, found.clone());
        found
    })
}

fn find_maps(
    schema: &Value,
    definitions: &Map<String, Value>,
    path: &mut Vec<String>,
    found: &mut Vec<PartMap>,
) {
    if path.len() > DEPTH {
        return;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        if let Some(target) = definitions.get(name) {
            find_maps(target, definitions, path, found);
        }
        return;
    }
    for several in ["anyOf", "allOf", "oneOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            find_maps(one, definitions, path, found);
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        path.push(name.clone());
        find_maps(member, definitions, path, found);
        path.pop();
    }
    let members = &schema["additionalProperties"];
    if !path.is_empty()
        && let Some(fields) = fields_of(members, definitions, 0)
    {
        let map = PartMap { path: path.clone(), named: fields.contains_key("name"), resources: false };
        if !found.contains(&map) {
            found.push(map);
        }
        path.push("*".to_owned());
        find_maps(members, definitions, path, found);
        path.pop();
    }
}

/// The fields of what a schema describes, when it is a mapping of fields.
fn fields_of<'s>(
    schema: &'s Value,
    definitions: &'s Map<String, Value>,
    depth: usize,
) -> Option<&'s Map<String, Value>> {
    if depth > DEPTH {
        return None;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return fields_of(definitions.get(name)?, definitions, depth + 1);
    }
    schema["properties"].as_object().or_else(|| {
        ["anyOf", "allOf", "oneOf"]
            .into_iter()
            .filter_map(|several| schema[several].as_array())
            .flatten()
            .find_map(|one| fields_of(one, definitions, depth + 1))
    })
}
