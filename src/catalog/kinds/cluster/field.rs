//! Field types of a cluster's blueprint, each with an error message that says what to write.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// `true`, `false`, or the settings of something that is on.
#[derive(Debug, Clone, PartialEq)]
pub enum Toggle<T> {
    /// Switched off, explicitly.
    Off,
    /// Switched on, with these settings.
    On(T),
}

impl<T> Toggle<T> {
    /// The settings, when it is on.
    pub fn on(&self) -> Option<&T> {
        match self {
            Toggle::Off => None,
            Toggle::On(settings) => Some(settings),
        }
    }
}

/// Settings that may themselves say `enabled: false`.
pub trait Settings: Default {
    /// Whether they say that it is on.
    fn enabled(&self) -> bool {
        true
    }
}

impl<'de, T: Settings + Deserialize<'de>> Deserialize<'de> for Toggle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Settings + Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Toggle<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a map of settings")
            }

            fn visit_bool<E>(self, on: bool) -> Result<Self::Value, E> {
                Ok(if on { Toggle::On(T::default()) } else { Toggle::Off })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let settings = T::deserialize(MapAccessDeserializer::new(map))?;
                Ok(if settings.enabled() { Toggle::On(settings) } else { Toggle::Off })
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Toggle<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrSwitch", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "boolean" }, generator.subschema_for::<T>()] })
    }
}

/// A Kubernetes version. YAML reads `1.30` without quotes as the number 1.3, so only a text is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Version(pub String);

impl Version {
    /// Major and minor number, when the text has the shape of a version.
    pub fn minor(&self) -> Option<(u32, u32)> {
        let mut parts = self.0.split('.').map(|part| part.parse::<u32>().ok());
        let minor = (parts.next()??, parts.next()??);
        match (parts.next(), parts.next()) {
            (None | Some(Some(_)), None) => Some(minor),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quoted;

        impl Visitor<'_> for Quoted {
            type Value = Version;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Kubernetes version in quotes, such as `\"1.33\"`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Version, E> {
                Ok(Version(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Quoted)
    }
}

/// A text that people also write as a number: a zone, a surge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NumberOrText(pub String);

impl<'de> Deserialize<'de> for NumberOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = NumberOrText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a text")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<NumberOrText, E> {
                Ok(NumberOrText(number.to_string()))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<NumberOrText, E> {
                Ok(NumberOrText(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for NumberOrText {
    fn schema_name() -> Cow<'static, str> {
        "NumberOrText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"] })
    }
}

/// The request model's value for one of ours, and `None` for one that was not given; the generated enums take words that
/// are newer than they are.
///
/// # Panics
/// When the model cannot hold the value. A field that is left out instead would be a plan that does something else than
/// the blueprint says.
pub fn as_model<T: DeserializeOwned>(value: &impl Serialize) -> Option<T> {
    let value = serde_json::to_value(value).expect("a field of a blueprint serialises");
    serde_json::from_value(value.clone())
        .unwrap_or_else(|error| panic!("the request model cannot hold {value}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_are_texts() {
        let error = serde_json::from_value::<Version>(json!(1.3)).unwrap_err().to_string();
        assert!(error.ends_with("expected a Kubernetes version in quotes, such as `\"1.33\"`"), "{error}");
        for (text, minor) in [
            ("1.33", Some((1, 33))),
            ("1.33.4", Some((1, 33))),
            ("1", None),
            ("1.33.4.5", None),
            ("v1.33", None),
            ("1.33.", None),
        ] {
            assert_eq!(Version(text.into()).minor(), minor, "{text}");
        }
    }
}
