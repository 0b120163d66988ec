//! Typed values out of JSON, with the place of what does not fit.
//!
//! One deserializer, and not a wrapper around another one: every type is compiled once.

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, map};
use std::fmt;

/// A value that does not fit the type that was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What serde says of it, in the words that it has for JSON.
    pub message: String,
    /// The way to the value, the innermost step first.
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
}

/// Reads a type out of a value.
///
/// # Errors
/// The first member that does not fit, with its place.
pub fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, Misfit> {
    T::deserialize(Input::Value(value))
}

impl Misfit {
    /// The dotted path of the value (`nodePools.system.taints[1]`); empty for the whole.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.steps.iter().rev() {
            match step {
                Step::Member(name) if path.is_empty() => path.push_str(name),
                Step::Member(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Step::Item(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    fn below(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Misfit { message: message.to_string(), steps: Vec::new() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("invalid type: {}, expected {expected}", InJson(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("invalid value: {}, expected {expected}", InJson(found)))
    }
}

/// What was found, in the words of JSON.
struct InJson<'a>(Unexpected<'a>);

impl fmt::Display for InJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Unit => f.write_str("null"),
            Unexpected::Float(number) => write!(f, "floating point `{}`", Value::from(number)),
            other => other.fmt(f),
        }
    }
}

/// What is read: a value, or the name of a member.
#[derive(Clone, Copy)]
enum Input<'de> {
    Value(&'de Value),
    Name(&'de str),
}

impl<'de> Input<'de> {
    /// What serde calls it.
    fn unexpected(self) -> Unexpected<'de> {
        let value = match self {
            Input::Value(value) => value,
            Input::Name(name) => return Unexpected::Str(name),
        };
        match value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => Unexpected::Unsigned(number),
                (_, Some(number), _) => Unexpected::Signed(number),
                (.., number) => Unexpected::Float(number.unwrap_or(f64::NAN)),
            },
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        }
    }
}

impl<'de> Deserializer<'de> for Input<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let value = match self {
            Input::Value(value) => value,
            Input::Name(name) => return visitor.visit_borrowed_str(name),
        };
        match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => {
                let mut left = Items { items: items.iter(), at: 0 };
                let value = visitor.visit_seq(&mut left)?;
                match left.items.len() {
                    0 => Ok(value),
                    _ => Err(Misfit::invalid_length(items.len(), &"fewer elements in array")),
                }
            }
            Value::Object(members) => mapping(members, visitor),
        }
    }

    /// A list is not a structure, although serde could read one so: nobody writes a part as a list of its values.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self {
            Input::Value(Value::Object(members)) => mapping(members, visitor),
            other => Err(Misfit::invalid_type(other.unexpected(), &visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Input::Value(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self {
            Input::Name(name) => visitor.visit_enum(Variant { name, content: None }),
            Input::Value(Value::String(name)) => visitor.visit_enum(Variant { name, content: None }),
            Input::Value(Value::Object(members)) if members.len() == 1 => {
                let (name, content) =
                    members.iter().next().unwrap_or_else(|| unreachable!("it has one member"));
                visitor.visit_enum(Variant { name, content: Some(content) })
            }
            Input::Value(Value::Object(_)) => {
                Err(Misfit::invalid_value(Unexpected::Map, &"map with a single key"))
            }
            other => Err(Misfit::invalid_type(other.unexpected(), &"string or map")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

fn mapping<'de, V: Visitor<'de>>(members: &'de Map<String, Value>, visitor: V) -> Result<V::Value, Misfit> {
    let mut left = Members::of(members);
    let value = visitor.visit_map(&mut left)?;
    match left.members.len() {
        0 => Ok(value),
        _ => Err(Misfit::invalid_length(members.len(), &"fewer elements in map")),
    }
}

struct Items<'de> {
    items: std::slice::Iter<'de, Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for &mut Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let at = self.at;
        self.at += 1;
        seed.deserialize(Input::Value(item)).map(Some).map_err(|misfit| misfit.below(Step::Item(at)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Members<'de> {
    members: map::Iter<'de>,
    /// The member whose name was read last.
    at: Option<(&'de str, &'de Value)>,
}

impl<'de> Members<'de> {
    fn of(members: &'de Map<String, Value>) -> Self {
        Members { members: members.iter(), at: None }
    }
}

impl<'de> MapAccess<'de> for &mut Members<'de> {
    type Error = Misfit;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some((name, value)) = self.members.next() else { return Ok(None) };
        self.at = Some((name, value));
        seed.deserialize(Input::Name(name))
            .map(Some)
            .map_err(|misfit| misfit.below(Step::Member(name.clone())))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let Some((name, value)) = self.at.take() else {
            return Err(Misfit::custom("value is missing"));
        };
        seed.deserialize(Input::Value(value)).map_err(|misfit| misfit.below(Step::Member(name.to_owned())))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

/// A variant of an enumeration: its name, or a mapping of its name to what is in it.
struct Variant<'de> {
    name: &'de str,
    content: Option<&'de Value>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Misfit> {
        let name: serde::de::value::BorrowedStrDeserializer<'de, Misfit> =
            serde::de::value::BorrowedStrDeserializer::new(self.name);
        seed.deserialize(name.into_deserializer()).map(|variant| (variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.content {
            None | Some(Value::Null) => Ok(()),
            Some(other) => Err(Misfit::invalid_type(Input::Value(other).unexpected(), &"unit")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        let content =
            self.content.ok_or_else(|| Misfit::invalid_type(Unexpected::UnitVariant, &"newtype variant"))?;
        seed.deserialize(Input::Value(content))
            .map_err(|misfit| misfit.below(Step::Member(self.name.to_owned())))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.content_of("tuple variant", Value::is_array, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.content_of("struct variant", Value::is_object, visitor)
    }
}

impl<'de> Variant<'de> {
    fn content_of<V: Visitor<'de>>(
        self,
        expected: &'static str,
        fits: fn(&Value) -> bool,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let step = Step::Member(self.name.to_owned());
        match self.content {
            Some(content) if fits(content) => {
                Input::Value(content).deserialize_any(visitor).map_err(|misfit| misfit.below(step))
            }
            Some(other) => Err(Misfit::invalid_type(Input::Value(other).unexpected(), &expected)),
            None => Err(Misfit::invalid_type(Unexpected::UnitVariant, &expected)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Pool {
        name: String,
        #[serde(default)]
        count: Option<u32>,
        #[serde(default)]
        mode: Option<Mode>,
        #[serde(default)]
        labels: BTreeMap<Label, String>,
        #[serde(default)]
        inner: Vec<Pool>,
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    struct Label(String);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Mode {
        System,
        Every(u8),
    }

    #[test]
    fn reads_what_fits_as_serde_json_does() {
        for value in [
            json!({ "name": "a", "count": 3, "mode": "system", "labels": { "x": "y" } }),
            json!({ "name": "a", "count": null, "mode": { "every": 2 }, "inner": [{ "name": "b" }] }),
        ] {
            let read: Pool = read(&value).unwrap();
            assert_eq!(read, serde_json::from_value::<Pool>(value).unwrap());
        }
        assert_eq!(
            read::<Value>(&json!([1, -1, 1.5, null, { "a": true }])).unwrap(),
            json!([1, -1, 1.5, null, { "a": true }])
        );
    }

    #[test]
    fn what_does_not_fit_has_its_place_and_the_words_of_serde_json() {
        for (value, path) in [
            (json!({ "name": 1 }), "name"),
            (json!({ "name": null }), "name"),
            (json!({ "name": 1.0 }), "name"),
            (json!({ "name": "a", "count": -1 }), "count"),
            (json!({ "name": "a", "count": 1.5 }), "count"),
            (json!({ "name": "a", "mode": "other" }), "mode"),
            (json!({ "name": "a", "mode": "every" }), "mode"),
            (json!({ "name": "a", "mode": { "every": "x" } }), "mode.every"),
            (json!({ "name": "a", "mode": { "system": 1 } }), "mode"),
            (json!({ "name": "a", "mode": {} }), "mode"),
            (json!({ "name": "a", "mode": [] }), "mode"),
            (json!({ "name": "a", "labels": { "x.y": 1 } }), "labels.x.y"),
            (json!({ "name": "a", "inner": [{ "name": "b" }, { "name": [] }] }), "inner[1].name"),
            (json!({ "name": "a", "inner": [{ "nam": "b" }] }), "inner[0].nam"),
            (json!({ "name": "a", "inner": [{}] }), "inner[0]"),
            (json!({ "name": "a", "inner": {} }), "inner"),
            (json!("a"), ""),
        ] {
            let misfit = read::<Pool>(&value).unwrap_err();
            assert_eq!(misfit.path(), path, "{value}");
            assert_eq!(misfit.message, serde_json::from_value::<Pool>(value).unwrap_err().to_string());
        }
    }

    #[test]
    fn a_list_is_not_a_structure() {
        let misfit = read::<Pool>(&json!(["a", 3])).unwrap_err();
        assert_eq!(misfit.message, "invalid type: sequence, expected struct Pool");
    }
}
