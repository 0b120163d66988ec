//! Parameters: declared in the blueprint, given from outside.

use super::inputs::{Inputs, Missing};
use super::source::{At, Source, parse_value};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::value::secret::{Secret, Secrets};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The types that a parameter may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    String,
    Int,
    Bool,
    List,
    Map,
}

/// A parameter as the blueprint declares it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Declaration {
    #[serde(rename = "type", default = "text")]
    kind: Type,
    #[serde(default)]
    default: Option<Value>,
    #[serde(default)]
    allowed: Option<Vec<Value>>,
    #[serde(default)]
    secret: bool,
    #[serde(default)]
    env: Option<String>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

fn text() -> Type {
    Type::String
}

/// A parameter with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameter {
    /// An ordinary one.
    Plain(Value),
    /// A secret one: the value is in [`Secrets`] under the parameter's name.
    Secret,
}

/// The parameters of a run.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    pub(crate) values: BTreeMap<String, Parameter>,
    pub(crate) secrets: Secrets,
    /// Those that are declared and have no value because of a mistake already reported.
    pub(crate) broken: Vec<String>,
}

/// Gives every declared parameter its value: `-p` and values files, then its environment variable, then its default.
pub(crate) fn resolve(source: &Source, inputs: &Inputs, problems: &mut Diagnostics) -> Parameters {
    let mut parameters = Parameters::default();
    let declared = match source.tree.get("parameters") {
        None | Some(Value::Null) => None,
        Some(Value::Object(declared)) => Some(declared),
        Some(_) => {
            problems.push(
                Diagnostic::error("shape", "`parameters` must be a mapping of names to declarations")
                    .at(source.locate("parameters", At::Value))
                    .help("write `parameters: { environment: { type: string, default: dev } }`"),
            );
            None
        }
    };
    for (name, declaration) in declared.into_iter().flatten() {
        let path = format!("parameters.{name}");
        match serde_path_to_error::deserialize::<_, Declaration>(declaration.clone()) {
            Ok(declaration) => match value_of(name, &declaration, inputs) {
                Ok(value) if declaration.secret => {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    parameters.secrets.insert(name.clone(), Secret::new(text));
                    parameters.values.insert(name.clone(), Parameter::Secret);
                }
                Ok(value) => {
                    parameters.values.insert(name.clone(), Parameter::Plain(value));
                }
                Err((message, help)) => {
                    parameters.broken.push(name.clone());
                    let place = source.locate(&path, At::Key);
                    problems.push(Diagnostic::error("parameter", message).at(place).help(help));
                }
            },
            Err(error) => {
                parameters.broken.push(name.clone());
                problems.push(super::messages::shape(
                    source,
                    &path,
                    &error.path().to_string(),
                    &error.inner().to_string(),
                ));
            }
        }
    }
    for name in inputs.parameters.keys() {
        if !parameters.values.contains_key(name) && !parameters.broken.contains(name) {
            let known = parameters.values.keys().map(String::as_str);
            let help = match did_you_mean(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it under `parameters:`, or do not give it: `{name}`"),
            };
            problems.push(
                Diagnostic::error("unknown-parameter", format!("the blueprint has no parameter `{name}`"))
                    .at(source.locate("parameters", At::Key).or_else(|| source.locate("blueprint", At::Key)))
                    .help(help),
            );
        }
    }
    parameters
}

type Fault = (String, String);

fn value_of(name: &str, declaration: &Declaration, inputs: &Inputs) -> Result<Value, Fault> {
    let given = inputs.parameters.get(name).cloned();
    let from_env = || {
        let variable = declaration.env.as_ref()?;
        inputs.environment.get(variable).map(|text| Value::String(text.clone()))
    };
    let value = match given.or_else(from_env).or_else(|| declaration.default.clone()) {
        Some(value) => value,
        None if declaration.secret && inputs.missing == Missing::MakeUp => made_up(name),
        None if inputs.missing == Missing::MakeUp && declaration.env.is_some() => match declaration.kind {
            Type::String => Value::String(format!("made-up-{}", name.to_lowercase())),
            Type::Int => 1.into(),
            Type::Bool => false.into(),
            Type::List => Value::Array(Vec::new()),
            Type::Map => Value::Object(serde_json::Map::new()),
        },
        None => {
            let help = match &declaration.env {
                Some(variable) => {
                    format!("set the environment variable {variable}, or pass `-p {name}=VALUE`")
                }
                None => format!("pass `-p {name}=VALUE`, put it into a values file, or declare a `default`"),
            };
            return Err((format!("the parameter `{name}` has no value"), help));
        }
    };
    let value = typed(name, declaration, value)?;
    if let Some(allowed) = &declaration.allowed
        && !allowed.contains(&value)
    {
        let shown =
            if declaration.secret { "the value it has".to_owned() } else { format!("`{}`", plain(&value)) };
        let list: Vec<String> = allowed.iter().map(plain).collect();
        let near = match declaration.secret {
            true => None,
            false => did_you_mean(&plain(&value), list.iter().map(String::as_str)),
        };
        let help = match near {
            Some(near) => format!("did you mean `{near}`? Allowed are: {}", list.join(", ")),
            None => format!("allowed are: {}", list.join(", ")),
        };
        return Err((format!("the parameter `{name}` may not be {shown}"), help));
    }
    Ok(value)
}

/// A secret for a rehearsal: the same every time, and good enough for Azure's rules on passwords.
fn made_up(name: &str) -> Value {
    Value::String(format!(
        "Made-up-{}-0!",
        Secret::new(name).digest("rehearsal").get(..12).unwrap_or_default()
    ))
}

fn typed(name: &str, declaration: &Declaration, value: Value) -> Result<Value, Fault> {
    // What comes from a command line or the environment is text: it is read as what the declaration says.
    let value = match (&value, declaration.kind) {
        (Value::String(text), Type::Int | Type::Bool | Type::List | Type::Map) => {
            parse_value(text).unwrap_or_else(|_| value.clone())
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
    let shown = if declaration.secret { "its value".to_owned() } else { format!("`{}`", plain(&value)) };
    Err((format!("the parameter `{name}` is to be {wanted}, and {shown} is not"), format!("give {wanted}")))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(text: &str, inputs: &Inputs) -> (Parameters, Vec<String>) {
        let source = Source::parse("b.yaml", text.as_bytes()).unwrap();
        let mut problems = Diagnostics::new();
        let parameters = resolve(&source, inputs, &mut problems);
        let messages = problems
            .iter()
            .map(|d| format!("{} {} ({})", d.span.as_ref().unwrap(), d.message, d.help.as_ref().unwrap()))
            .collect();
        (parameters, messages)
    }

    const TEXT: &str = "\
parameters:
  environment: { type: string, allowed: [dev, prod], default: dev }
  count: { type: int, default: 2 }
  password: { type: string, secret: true, env: PASSWORD }
";

    #[test]
    fn the_command_line_wins_over_the_environment_and_that_over_the_default() {
        let mut inputs = Inputs::default();
        inputs.environment.insert("PASSWORD".into(), "hunter2".into());
        inputs.parameters.insert("count".into(), json!("3"));
        let (parameters, problems) = run(TEXT, &inputs);
        assert_eq!(problems, [] as [&str; 0]);
        assert_eq!(parameters.values["environment"], Parameter::Plain(json!("dev")));
        assert_eq!(parameters.values["count"], Parameter::Plain(json!(3)));
        assert_eq!(parameters.values["password"], Parameter::Secret);
        assert_eq!(parameters.secrets.get("password").unwrap().expose(), "hunter2");
    }

    #[test]
    fn every_mistake_is_told_and_secrets_are_not() {
        let mut inputs = Inputs::default();
        inputs.parameters.insert("environment".into(), json!("prd"));
        inputs.parameters.insert("count".into(), json!("many"));
        inputs.parameters.insert("enviroment".into(), json!("x"));
        let (_, problems) = run(TEXT, &inputs);
        assert_eq!(
            problems,
            [
                "b.yaml:2:3 the parameter `environment` may not be `prd` (did you mean `prod`? Allowed are: dev, prod)",
                "b.yaml:3:3 the parameter `count` is to be a whole number, and `many` is not (give a whole number)",
                "b.yaml:4:3 the parameter `password` has no value (set the environment variable PASSWORD, or pass `-p password=VALUE`)",
                "b.yaml:1:1 the blueprint has no parameter `enviroment` (declare it under `parameters:`, or do not give it: `enviroment`)",
            ]
        );
    }

    #[test]
    fn a_rehearsal_makes_up_what_is_missing() {
        let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
        let (parameters, problems) = run(TEXT, &inputs);
        assert_eq!(problems, [] as [&str; 0]);
        assert!(parameters.secrets.get("password").unwrap().expose().len() > 14);
    }
}
