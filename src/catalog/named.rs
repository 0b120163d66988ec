//! Parts of an entry by their names, in the order in which the blueprint has them.

use indexmap::IndexSet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A mapping of names to parts: what `{ one: …, two: … }` is in a blueprint.
///
/// Names and parts are apart, so that looking up a name is compiled once and not for each of some eighty kinds of parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T> {
    names: IndexSet<String>,
    parts: Vec<T>,
}

impl<T> Named<T> {
    /// None.
    pub fn new() -> Self {
        Named { names: IndexSet::new(), parts: Vec::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The part of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.names.get_index_of(name).map(|at| &self.parts[at])
    }

    /// Whether there is a part of a name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The names, in order.
    pub fn keys(&self) -> indexmap::set::Iter<'_, String> {
        self.names.iter()
    }

    /// The parts, in order.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.parts.iter()
    }

    /// Names and parts, in order.
    pub fn iter(&self) -> Iter<'_, T> {
        self.names.iter().zip(&self.parts)
    }

    /// Adds a part; one of the same name gives way.
    pub fn insert(&mut self, name: String, part: T) {
        let (at, is_new) = self.names.insert_full(name);
        match is_new {
            true => self.parts.push(part),
            false => self.parts[at] = part,
        }
    }
}

/// Names and parts.
pub type Iter<'a, T> = std::iter::Zip<indexmap::set::Iter<'a, String>, std::slice::Iter<'a, T>>;

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, T> IntoIterator for &'a Named<T> {
    type Item = (&'a String, &'a T);
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> IntoIterator for Named<T> {
    type Item = (String, T);
    type IntoIter = std::iter::Zip<indexmap::set::IntoIter<String>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.names.into_iter().zip(self.parts)
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(all: I) -> Self {
        let mut named = Named::new();
        all.into_iter().for_each(|(name, part)| named.insert(name, part));
        named
    }
}

impl<T, const N: usize> From<[(String, T); N]> for Named<T> {
    fn from(all: [(String, T); N]) -> Self {
        all.into_iter().collect()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Parts<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Named<T>, A::Error> {
                let mut named = Named::new();
                while let Some(name) = members.next_key()? {
                    named.insert(name, members.next_value()?);
                }
                Ok(named)
            }
        }

        deserializer.deserialize_map(Parts(PhantomData))
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(self.len()))?;
        for (name, part) in self {
            members.serialize_entry(name, part)?;
        }
        members.end()
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Map_of_{}", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Map<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        of_parts(generator.subschema_for::<T>())
    }
}

/// The schema of a mapping whose parts have this one.
fn of_parts(part: Schema) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": part })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::read;
    use serde_json::json;

    #[test]
    fn parts_keep_their_order_and_are_found_by_name() {
        let named: Named<u8> = read(&json!({ "b": 1, "a": 2 })).unwrap();
        assert_eq!(named.iter().collect::<Vec<_>>(), [(&"b".to_owned(), &1), (&"a".to_owned(), &2)]);
        assert_eq!((named.get("a"), named.get("c"), named.len()), (Some(&2), None, 2));
        assert_eq!(json!(named), json!({ "b": 1, "a": 2 }));
        let again: Named<u8> =
            [("b".to_owned(), 1), ("a".to_owned(), 0), ("a".to_owned(), 2)].into_iter().collect();
        assert_eq!(again, named);
        assert_eq!(named.into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn what_is_no_mapping_is_refused_in_serdes_words() {
        let misfit = read::<Named<u8>>(&json!({ "a": "x" })).unwrap_err();
        assert_eq!(
            (misfit.path(), misfit.message),
            ("a".to_owned(), "invalid type: string \"x\", expected u8".to_owned())
        );
        assert_eq!(
            read::<Named<u8>>(&json!([])).unwrap_err().message,
            "invalid type: sequence, expected a map"
        );
    }
}
