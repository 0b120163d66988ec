//! What a file says of a parameter, and whether a value is as it says.

use super::source::parse_value;
use super::traps::remedy_for;
use crate::diag::did_you_mean;
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The types that a parameter may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Type {
    String,
    Int,
    Bool,
    List,
    Map,
}

/// A parameter as the blueprint declares it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Declaration {
    /// What its value is: `string` when absent.
    #[serde(rename = "type", default = "text")]
    pub(super) kind: Type,
    /// The value when none is passed. A parameter without a default must be given a value.
    #[serde(default)]
    pub(super) default: Option<Value>,
    /// The values that it may have.
    #[serde(default)]
    allowed: Option<Vec<Value>>,
    /// A regular expression that the whole text matches.
    #[serde(default)]
    pattern: Option<String>,
    /// The smallest number; of texts, lists and mappings the least length.
    #[serde(default)]
    min: Option<i64>,
    /// The greatest number; of texts, lists and mappings the greatest length.
    #[serde(default)]
    max: Option<i64>,
    /// Whether its value is shown nowhere.
    #[serde(default)]
    pub(super) secret: bool,
    /// The environment variable that gives it a value.
    #[serde(default)]
    pub(super) env: Option<String>,
    /// What it is for; shown when its value is refused.
    #[serde(default)]
    description: Option<String>,
}

fn text() -> Type {
    Type::String
}

/// What is wrong, and what to do.
pub(super) type Fault = (String, String);

/// The checks of a declaration, ready for use.
pub(super) struct Checks {
    pattern: Option<Regex>,
}

impl Declaration {
    /// The checks; the field that makes no sense, what is wrong with it, and the remedy.
    pub(super) fn checks(&self) -> Result<Checks, (&'static str, String, &'static str)> {
        if self.kind == Type::Bool && (self.min.is_some() || self.max.is_some()) {
            let field = if self.min.is_some() { "min" } else { "max" };
            return Err((field, format!("`{field}` means nothing for `type: bool`"), "remove it"));
        }
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            return Err(("min", format!("no value is at least {min} and at most {max}"), "exchange the two"));
        }
        let allowed = self.allowed.iter().flatten();
        if self.kind == Type::String
            && let Some(number) = allowed.into_iter().find(|value| value.is_f64())
        {
            let message =
                format!("YAML reads one of these as the number {number}, and the parameter is a text");
            return Err(("allowed", message, "put them in quotes"));
        }
        let pattern = match &self.pattern {
            Some(_) if self.kind != Type::String => {
                return Err((
                    "pattern",
                    "`pattern` is for texts".to_owned(),
                    "remove it, or write `type: string`",
                ));
            }
            Some(pattern) => match Regex::new(&format!("^(?:{pattern})$")) {
                Ok(pattern) => Some(pattern),
                Err(_) => {
                    return Err((
                        "pattern",
                        format!("`{pattern}` is not a regular expression"),
                        "write it as the crate `regex` reads it: `[a-z][a-z0-9-]*`; there is no looking ahead or back",
                    ));
                }
            },
            None => None,
        };
        Ok(Checks { pattern })
    }
}

impl Checks {
    /// A value as the declaration wants it, read from a text where it came as one.
    pub(super) fn value(&self, name: &str, declaration: &Declaration, value: Value) -> Result<Value, Fault> {
        let value = typed(name, declaration, value)?;
        let shown = || match declaration.secret {
            true => "the value it has".to_owned(),
            false => format!("`{}`", shortened(&plain(&value))),
        };
        // The remedy may tell what the parameter is for.
        let help = |help: String| match &declaration.description {
            Some(description) => format!("{help} ({})", description.trim().trim_end_matches('.')),
            None => help,
        };
        if let Some(allowed) = &declaration.allowed
            && !allowed.iter().any(|allowed| *allowed == value || plain(allowed) == plain(&value))
        {
            let list: Vec<String> = allowed.iter().map(plain).collect();
            let near = match declaration.secret {
                true => None,
                false => did_you_mean(&plain(&value), list.iter().map(String::as_str)),
            };
            let remedy = match near {
                Some(near) => format!("did you mean `{near}`? Allowed are: {}", list.join(", ")),
                None if declaration.secret => help("give one of those that the declaration lists".to_owned()),
                None => format!("allowed are: {}", list.join(", ")),
            };
            return Err((format!("the parameter `{name}` may not be {}", shown()), remedy));
        }
        if let (Some(pattern), Some(text)) = (&self.pattern, value.as_str())
            && !pattern.is_match(text)
        {
            let wanted = declaration.pattern.as_deref().unwrap_or_default();
            let message = format!("the parameter `{name}` does not match its pattern: {}", shown());
            return Err((message, help(format!("give a text that matches `{wanted}` as a whole"))));
        }
        let (size, of) = match &value {
            Value::String(text) => (text.chars().count() as i64, "characters"),
            Value::Array(items) => (items.len() as i64, "elements"),
            Value::Object(members) => (members.len() as i64, "members"),
            Value::Number(number) => (number.as_i64().unwrap_or(i64::MAX), ""),
            _ => return Ok(value),
        };
        let bound = match (declaration.min, declaration.max) {
            (Some(min), _) if size < min => format!("at least {min}"),
            (_, Some(max)) if size > max => format!("at most {max}"),
            _ => return Ok(value),
        };
        Err(match of {
            "" => (format!("the parameter `{name}` is {}", shown()), help(format!("give {bound}"))),
            of => (format!("the parameter `{name}` has {size} {of}"), help(format!("give {bound} {of}"))),
        })
    }
}

fn typed(name: &str, declaration: &Declaration, value: Value) -> Result<Value, Fault> {
    // What comes from a command line or the environment is text: it is read as what the declaration says.
    let value = match (&value, declaration.kind) {
        (Value::String(text), Type::Int | Type::Bool | Type::List | Type::Map) => {
            parse_value(text).unwrap_or_else(|_| value.clone())
        }
        // `1.30` is the number 1.3 here, and would be another text.
        (Value::Number(number), Type::String) if number.is_f64() => {
            let message = match declaration.secret {
                true => {
                    format!("the parameter `{name}` is to be a text, and YAML reads its value as a number")
                }
                false => format!(
                    "the parameter `{name}` is to be a text, and YAML reads it as the number {number}"
                ),
            };
            return Err((message, "put it in quotes".to_owned()));
        }
        (Value::Number(_) | Value::Bool(_), Type::String) => Value::String(plain(&value)),
        _ => value,
    };
    let (fits, wanted) = match declaration.kind {
        Type::String => (value.is_string(), "a text"),
        Type::Int => (value.is_i64() || value.is_u64(), "a whole number"),
        Type::Bool => (value.is_boolean(), "true or false"),
        Type::List => (value.is_array(), "a list"),
        Type::Map => (value.is_object(), "a mapping"),
    };
    if fits {
        return Ok(value);
    }
    let shown = match declaration.secret {
        true => "its value".to_owned(),
        false => format!("`{}`", shortened(&plain(&value))),
    };
    let serde = match declaration.kind {
        Type::Bool => "a boolean",
        Type::Int => "i64",
        _ => "",
    };
    let remedy =
        value.as_str().filter(|_| !declaration.secret).and_then(|text| remedy_for(text, "string", serde));
    Err((
        format!("the parameter `{name}` is to be {wanted}, and {shown} is not"),
        remedy.unwrap_or_else(|| format!("give {wanted}")),
    ))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(declaration: Value, value: Value) -> Result<Value, Fault> {
        let declaration: Declaration = serde_json::from_value(declaration).unwrap();
        declaration.checks().unwrap_or_else(|_| panic!()).value("p", &declaration, value)
    }

    #[test]
    fn values_are_checked_against_bounds_and_patterns() {
        for (declaration, value, expected) in [
            (json!({ "pattern": "[a-z]+" }), json!("abc"), Ok(json!("abc"))),
            (json!({ "pattern": "a|b" }), json!("ab"), Err("does not match its pattern: `ab`")),
            (json!({ "min": 3 }), json!("äö"), Err("has 2 characters")),
            (json!({ "type": "int", "min": 1, "max": 5 }), json!("5"), Ok(json!(5))),
            (json!({ "type": "int", "max": 5 }), json!(6), Err("is `6`")),
            (json!({ "type": "int", "max": 5 }), json!(18446744073709551615u64), Err("is `1844")),
            (json!({ "type": "list", "min": 1 }), json!([]), Err("has 0 elements")),
            (json!({ "type": "map", "max": 1 }), json!("{ a: 1, b: 2 }"), Err("has 2 members")),
            (json!({ "allowed": [1, 2] }), json!("1"), Ok(json!("1"))),
            (json!({ "type": "bool" }), json!("yes"), Err("is to be true or false")),
            (json!({}), json!(1.3), Err("YAML reads it as the number 1.3")),
            (json!({ "secret": true }), json!(1.3), Err("YAML reads its value as a number")),
            (json!({}), json!(7), Ok(json!("7"))),
            (json!({ "secret": true, "pattern": "x" }), json!("hunter2"), Err("pattern: the value it has")),
        ] {
            match (check(declaration, value), expected) {
                (Ok(value), Ok(expected)) => assert_eq!(value, expected),
                (Err((message, _)), Err(part)) => assert!(message.contains(part), "{message}"),
                (found, expected) => panic!("{found:?} and not {expected:?}"),
            }
        }
    }

    #[test]
    fn declarations_that_make_no_sense_are_refused() {
        for (declaration, field) in [
            (json!({ "type": "bool", "max": 1 }), "max"),
            (json!({ "min": 2, "max": 1 }), "min"),
            (json!({ "allowed": ["1.29", 1.3] }), "allowed"),
            (json!({ "type": "int", "pattern": "1" }), "pattern"),
            (json!({ "pattern": "(" }), "pattern"),
        ] {
            let declaration: Declaration = serde_json::from_value(declaration).unwrap();
            assert_eq!(declaration.checks().err().map(|(field, ..)| field), Some(field));
        }
    }
}
