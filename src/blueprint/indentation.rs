//! A field that is one level too high or too deep: where it belongs.

use super::entry_schema::schema_of;
use super::messages::COMMON;
use crate::catalog::Kind;
use crate::ident::segments;
use serde_json::{Map, Value};

/// What a schema says of the fields of a mapping: the mappings that the value may be.
pub(super) fn mappings<'s>(
    schema: &'s Value,
    definitions: &'s Map<String, Value>,
    depth: usize,
    found: &mut Vec<&'s Value>,
) {
    if depth > 8 {
        return;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        if let Some(target) = definitions.get(name) {
            mappings(target, definitions, depth + 1, found);
        }
        return;
    }
    for several in ["anyOf", "allOf", "oneOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            mappings(one, definitions, depth + 1, found);
        }
    }
    if schema["properties"].is_object() || schema["additionalProperties"].is_object() {
        found.push(schema);
    }
}

/// The remedy for a field that is unknown where it is and known one level deeper or higher. `above` is the path of
/// the mapping that it is in, from the entry; `entry` is the entry's key.
pub(super) fn remedy(kind: &Kind, entry: &str, above: &str, field: &str) -> Option<String> {
    let known = schema_of(kind);
    let (schema, definitions) = (&known.0, &known.1);
    let mut levels = vec![vec![schema]];
    for step in segments(above).filter(|step| !step.is_empty()) {
        let name = step.split('[').next().unwrap_or(step);
        let mut next = Vec::new();
        for mapping in levels.last().into_iter().flatten() {
            let member = mapping["properties"].get(name).or_else(|| mapping.get("additionalProperties"));
            if let Some(member) = member {
                mappings(member, definitions, 0, &mut next);
            }
        }
        levels.push(next);
    }
    let has = |mapping: &&Value| mapping["properties"].get(field).is_some();
    let mut deeper = Vec::new();
    for mapping in levels.last()? {
        for (name, member) in mapping["properties"].as_object().into_iter().flatten() {
            let mut inner = Vec::new();
            mappings(member, definitions, 0, &mut inner);
            if inner.iter().any(has) {
                deeper.push(format!("`{name}:`"));
            }
        }
    }
    // Many places have a field of a common name, and none of them is meant.
    if (1..=2).contains(&deeper.len()) {
        return Some(format!("indent it below {}", deeper.join(" or ")));
    }
    let higher = levels.len().checked_sub(2)?;
    let is_there = levels[higher].iter().any(has) || higher == 0 && COMMON.contains(&field);
    let parent = match higher {
        0 => entry,
        _ => segments(above).nth(higher - 1)?,
    };
    is_there.then(|| format!("indent it one level less: it is a field of `{parent}`"))
}

/// The sections whose entries have a field of this name, which is where a section belongs.
pub(super) fn is_field_of(kind: &Kind, field: &str) -> bool {
    schema_of(kind).0["properties"].get(field).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::registry;

    #[test]
    fn a_field_at_the_wrong_level_is_sent_where_it_belongs() {
        let clusters = registry().iter().find(|kind| kind.section == "clusters").unwrap();
        for (above, field, told) in [
            ("", "dnsServiceIp", Some("indent it below `network:`")),
            ("", "azurePolicy", Some("indent it below `addons:`")),
            ("network", "subnet", Some("indent it one level less: it is a field of `aks`")),
            ("network", "tags", Some("indent it one level less: it is a field of `aks`")),
            ("addons.flux", "azurePolicy", Some("indent it one level less: it is a field of `addons`")),
            ("", "unheardOf", None),
        ] {
            assert_eq!(remedy(clusters, "aks", above, field).as_deref(), told, "{above} {field}");
        }
    }
}
