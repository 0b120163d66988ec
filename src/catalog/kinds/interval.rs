//! A length of time in a blueprint, with an error message that says what to write.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// A length of time as people write it: `90s`, `2m`, `1h30m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    text: String,
    seconds: i32,
}

impl Interval {
    /// As it was written, which is also how Go programs read it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// In seconds.
    pub fn seconds(&self) -> i32 {
        self.seconds
    }

    /// In whole minutes, rounded up.
    pub fn minutes(&self) -> i32 {
        (self.seconds + 59) / 60
    }

    /// As ISO 8601 writes it and Azure answers: `PT5M`, `PT1H30M`, `P1D`.
    pub fn iso(&self) -> String {
        let (days, rest) = (self.seconds / 86_400, self.seconds % 86_400);
        let mut text = "P".to_owned();
        if days > 0 {
            text.push_str(&format!("{days}D"));
        }
        let parts = [(rest / 3600, 'H'), (rest % 3600 / 60, 'M'), (rest % 60, 'S')];
        if rest > 0 || days == 0 {
            text.push('T');
        }
        for (number, unit) in parts {
            if number > 0 || unit == 'S' && self.seconds == 0 {
                text.push_str(&format!("{number}{unit}"));
            }
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut seconds = 0i32;
        let mut digits = String::new();
        for c in text.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            let unit = match c {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86_400,
                _ => return None,
            };
            let number: i32 = std::mem::take(&mut digits).parse().ok()?;
            seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        }
        (digits.is_empty() && !text.is_empty()).then(|| Interval { text: text.to_owned(), seconds })
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Interval;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time with its unit, such as `90s`, `2m` or `1h30m`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Interval, E> {
                let unlike = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
                Interval::parse(text).ok_or_else(unlike)
            }
        }

        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for Interval {
    fn schema_name() -> Cow<'static, str> {
        "Interval".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time with its unit, such as `90s`, `2m` or `1h30m`.",
            "pattern": r"^([0-9]+[smhd])+$|\$\{",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn azure_writes_intervals_in_its_own_way() {
        for (text, iso) in [
            ("1m", "PT1M"),
            ("90s", "PT1M30S"),
            ("60m", "PT1H"),
            ("1h30m", "PT1H30M"),
            ("24h", "P1D"),
            ("36h", "P1DT12H"),
            ("0s", "PT0S"),
        ] {
            assert_eq!(Interval::parse(text).unwrap().iso(), iso, "{text}");
        }
    }

    #[test]
    fn intervals_have_units() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("2m", Some(120)),
            ("1h30m", Some(5400)),
            ("2", None),
            ("", None),
            ("m", None),
        ] {
            assert_eq!(Interval::parse(text).map(|i| i.seconds()), seconds, "{text}");
        }
        let error = serde_json::from_value::<Interval>(json!(2)).unwrap_err().to_string();
        assert_eq!(
            error,
            "invalid type: integer `2`, expected a length of time with its unit, such as `90s`, `2m` or `1h30m`"
        );
    }
}
