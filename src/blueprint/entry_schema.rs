//! The JSON Schema of the entries of one kind.

use crate::catalog::Kind;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The schema of a section's entries by their own types, without room for expressions: for documentation.
/// What is shared is under `definitions`.
pub fn entry_schema(kind: &Kind) -> Value {
    let mut generator = generator();
    let root = (kind.schema)(&mut generator).to_value();
    let definitions = generator.take_definitions(false);
    let mut entry = match root["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        Some(name) => definitions.get(name).cloned().unwrap_or_default(),
        None => root,
    };
    entry["definitions"] = Value::Object(definitions);
    entry
}

/// What is shared in a schema.
pub(super) type Definitions = Map<String, Value>;
/// A schema, and what is shared in it.
pub(super) type Known = Arc<(Value, Definitions)>;

/// The schema of a kind's entries, and what is shared in it.
pub(super) fn schema_of(kind: &Kind) -> Known {
    static KNOWN: RwLock<BTreeMap<&'static str, Known>> = RwLock::new(BTreeMap::new());
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(kind.section).cloned();
    known.unwrap_or_else(|| {
        let schema = entry_schema(kind);
        let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
        let known = Arc::new((schema, definitions));
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(kind.section, known.clone());
        known
    })
}

pub(super) fn generator() -> SchemaGenerator {
    SchemaSettings::draft07().into_generator()
}
