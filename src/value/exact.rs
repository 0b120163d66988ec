//! JSON read into as much memory as it takes.
//!
//! A map that grows while it is read ends with room for more than it has. An estate's bodies are read once, and thousands
//! of them stay: members are gathered first, and their map is made for as many as there are.

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use std::fmt;

/// What a text of JSON says; as `serde_json::from_str` reads it.
///
/// # Errors
/// When it is not JSON.
pub(crate) fn from_json(text: &str) -> serde_json::Result<Value> {
    let (members, items) = (RefCell::default(), RefCell::default());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Exact { members: &members, items: &items }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Reads a value. What belongs to mappings and lists that are not at their end stands on two stacks.
#[derive(Clone, Copy)]
struct Exact<'s> {
    members: &'s RefCell<Vec<(String, Value)>>,
    items: &'s RefCell<Vec<Value>>,
}

impl<'de> DeserializeSeed<'de> for Exact<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Exact<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let start = self.items.borrow().len();
        while let Some(item) = items.next_element_seed(self)? {
            self.items.borrow_mut().push(item);
        }
        let list = self.items.borrow_mut().drain(start..).collect();
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let start = self.members.borrow().len();
        while let Some(name) = entries.next_key::<String>()? {
            let member = entries.next_value_seed(self)?;
            self.members.borrow_mut().push((name, member));
        }
        let mut gathered = self.members.borrow_mut();
        let mut members = Map::with_capacity(gathered.len() - start);
        for (name, member) in gathered.drain(start..) {
            members.insert(name, member);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_reads_what_serde_json_reads() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for text in [
            r#"{"a": [1, -2, 3.5, 1e400, {"b": null, "a": true}], "c": "\ud83d\ude00\u0041", "a": 7}"#,
            "[]",
            "{}",
            "18446744073709551615",
            "-9223372036854775808",
            "1e2",
            "-0",
            " null ",
            "\"x\"",
            "[1,]",
            "{\"a\"}",
            "nul",
            "",
            "[1] 2",
            "\"\u{1}\"",
            "{\"a\": {\"b\": [}}",
            &deep(100),
            &deep(200),
        ] {
            let expected: Result<Value, _> = serde_json::from_str(text);
            let found = from_json(text);
            assert_eq!(found.ok(), expected.ok(), "{text}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[a-c]{0,2}", inner), 0..9)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_read_back(value in value()) {
            prop_assert_eq!(from_json(&value.to_string()).unwrap(), serde_json::from_str::<Value>(&value.to_string()).unwrap());
        }
    }
}
