//! Parameters: declared in a file, given from outside or by the module's entry.

use super::declaration::{Declaration, Fault, Type};
use super::evaluator::{Evaluator, Shared};
use super::inputs::{Inputs, Missing};
use super::source::{At, Source};
use crate::catalog::SHAPE;
use crate::diag::{Code, Diagnostic, Span, did_you_mean};
use crate::value::read;
use crate::value::secret::Secret;
use crate::value::token;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A parameter with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameter {
    /// An ordinary one.
    Plain(Value),
    /// A secret one: the value is in [`crate::value::secret::Secrets`] under the parameter's address.
    Secret,
}

/// The parameters of a file.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    pub(crate) values: BTreeMap<String, Parameter>,
    /// Those that are declared and have no value because of a mistake already reported.
    pub(crate) broken: Vec<String>,
}

/// Where values come from.
pub(super) enum Given<'w, 'a> {
    /// From the command line, values files and the environment: the parameters of the blueprint.
    Outside,
    /// From the entry that includes the file.
    Module {
        /// The file with that entry.
        caller: &'w Evaluator<'a>,
        /// Where the entry is.
        path: &'w str,
        /// What it gives, evaluated.
        values: Map<String, Value>,
        /// What is before addresses in the module.
        prefix: &'w str,
    },
}

/// Where one value came from.
enum Origin {
    CommandLine,
    Environment,
    Default,
    MadeUp,
    Call,
    File(Arc<Source>),
}

/// Gives every declared parameter its value.
///
/// The first of these counts: `-p`, values files, its environment variable, its default; in a module what its entry
/// says, its environment variable, its default.
pub(super) fn resolve(source: &Source, shared: &Shared<'_>, given: &Given<'_, '_>) -> Parameters {
    let resolver = Resolver { source, shared, given };
    let mut parameters = Parameters::default();
    let declared = match source.tree.get("parameters") {
        None | Some(Value::Null) => None,
        Some(Value::Object(declared)) => Some(declared),
        Some(_) => {
            resolver.tell(
                Diagnostic::error(&SHAPE, "`parameters` must be a mapping of names to declarations")
                    .at(source.locate("parameters", At::Value))
                    .help("write `parameters: { environment: { type: string, default: dev } }`"),
            );
            None
        }
    };
    for (name, raw) in declared.into_iter().flatten() {
        match resolver.one(name, raw) {
            Some(parameter) => {
                parameters.values.insert(name.clone(), parameter);
            }
            None => parameters.broken.push(name.clone()),
        }
    }
    resolver.tell_unknown(&parameters);
    parameters
}

struct Resolver<'r, 'w, 'a> {
    source: &'r Source,
    shared: &'r Shared<'r>,
    given: &'r Given<'w, 'a>,
}

pub(super) const PARAMETER: Code = Code {
    name: "parameter",
    why: "A parameter has no value, or one that is not as its declaration says.",
    remedy: "Give it with `--param`, in a `--values` file or in the variable that `env` names, or write a `default`.",
    example: "berth plan blueprint.yaml --param environment=prod",
};

pub(super) const PARAMETER_DECLARATION: Code = Code {
    name: "parameter-declaration",
    why: "A declaration under `parameters:` contradicts itself: a default that is not allowed, an invalid pattern, bounds that do not apply to the type.",
    remedy: "Mend the field that the message names.",
    example: "parameters: { environment: { type: string, allowed: [dev, prod], default: dev } }",
};

pub(super) const UNKNOWN_PARAMETER: Code = Code {
    name: "unknown-parameter",
    why: "A value was given for a parameter that is not declared.",
    remedy: "Mend its spelling, or declare it under `parameters:`.",
    example: "parameters: { environment: { default: dev } }",
};

impl Resolver<'_, '_, '_> {
    fn tell(&self, diagnostic: Diagnostic) {
        match self.given {
            Given::Outside => self.shared.problems.borrow_mut().push(diagnostic),
            Given::Module { caller, .. } => caller.tell(diagnostic),
        }
    }

    fn one(&self, name: &str, raw: &Value) -> Option<Parameter> {
        let path = format!("parameters.{name}");
        if raw.get("secret") == Some(&Value::Bool(true)) {
            self.learn(name, raw);
        }
        let declaration = match read::<Declaration>(raw) {
            Ok(declaration) => declaration,
            Err(error) => {
                self.tell(super::messages::shape(self.source, &path, &error.path(), &error.message, &[]));
                return None;
            }
        };
        let checks = match declaration.checks() {
            Ok(checks) => checks,
            Err((field, message, help)) => {
                let span = self.source.locate(&format!("{path}.{field}"), At::Value);
                self.tell(Diagnostic::error(&PARAMETER_DECLARATION, message).at(span).help(help));
                return None;
            }
        };
        let tell = |(message, help): Fault, span: Option<Span>| {
            self.tell(Diagnostic::error(&PARAMETER, message).at(span).help(help));
        };
        let declared = || self.source.locate(&path, At::Key);
        let Some((value, origin)) = self.value(name, &declaration) else {
            // It was given under a name that is misspelt, which is reported.
            if self.is_given_as_another(name) {
                return None;
            }
            let help = match (self.given, &declaration.env) {
                (Given::Module { .. }, _) => format!("add `parameters: {{ {name}: … }}` here"),
                (_, Some(variable)) => {
                    format!("set the environment variable {variable}, or pass `-p {name}=VALUE`")
                }
                _ => format!("pass `-p {name}=VALUE`, put it into a values file, or declare a `default`"),
            };
            let (message, span) = match self.given {
                Given::Outside => (format!("the parameter `{name}` has no value"), declared()),
                Given::Module { caller, path, .. } => {
                    (format!("the module's parameter `{name}` has no value"), caller.locate(path, At::Key))
                }
            };
            tell((message, help), span);
            return None;
        };
        // What is known only later cannot be looked at, and is passed on.
        if value.as_str().is_some_and(token::has_token) {
            return Some(Parameter::Plain(value));
        }
        let of_default = || self.source.locate(&format!("{path}.default"), At::Value);
        if !matches!(origin, Origin::Default)
            && let Some(default) = &declaration.default
            && let Err(fault) = checks.value(name, &declaration, default.clone())
        {
            tell(fault, of_default());
        }
        let value = match checks.value(name, &declaration, value) {
            Ok(value) => value,
            Err(fault) => {
                let span = match (&origin, self.given) {
                    (Origin::Default, _) => of_default(),
                    (Origin::File(file), _) => file.locate(name, At::Value),
                    (Origin::Call, Given::Module { caller, path, .. }) => {
                        caller.locate(&format!("{path}.parameters.{name}"), At::Value)
                    }
                    _ => declared(),
                };
                tell(fault, span);
                return None;
            }
        };
        if !declaration.secret {
            return Some(Parameter::Plain(value));
        }
        self.shared.inputs.redactor.learn_value(&value);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.shared.inputs.redactor.learn(&text);
        let address = match self.given {
            Given::Outside => name.to_owned(),
            Given::Module { prefix, .. } => format!("{prefix}{name}"),
        };
        self.shared.secrets.borrow_mut().insert(address, Secret::new(text));
        Some(Parameter::Secret)
    }

    /// Learns everything that is given for a secret parameter, before anything can be wrong with it: also what something
    /// else takes the place of.
    fn learn(&self, name: &str, raw: &Value) {
        let inputs = self.shared.inputs;
        let learn = |value: &Value| inputs.redactor.learn_value(value);
        match self.given {
            Given::Outside => {
                inputs.parameters.get(name).into_iter().for_each(learn);
                inputs.files().filter_map(|file| file.tree.get(name)).for_each(learn);
            }
            Given::Module { values, .. } => values.get(name).into_iter().for_each(learn),
        }
        let variable = raw.get("env").and_then(Value::as_str);
        if let Some(text) = variable.and_then(|variable| inputs.environment.get(variable)) {
            inputs.redactor.learn(text);
        }
        raw.get("default").into_iter().for_each(learn);
        raw.get("allowed").and_then(Value::as_array).into_iter().flatten().for_each(learn);
    }

    /// Whether a value was given under a name that is not declared and nearly this one.
    fn is_given_as_another(&self, name: &str) -> bool {
        let declared = || self.source.tree.get("parameters").and_then(Value::as_object).into_iter().flatten();
        let is_declared = |given: &str| declared().any(|(name, _)| name == given);
        let meant = |given: &str| {
            !is_declared(given)
                && did_you_mean(given, declared().map(|(name, _)| name.as_str())) == Some(name)
        };
        let inputs = self.shared.inputs;
        match self.given {
            Given::Outside => {
                let of_files =
                    inputs.files().filter_map(|file| file.tree.as_object()).flat_map(|file| file.keys());
                inputs.parameters.keys().chain(of_files).any(|given| meant(given))
            }
            Given::Module { values, .. } => values.keys().any(|given| meant(given)),
        }
    }

    fn value(&self, name: &str, declaration: &Declaration) -> Option<(Value, Origin)> {
        let inputs = self.shared.inputs;
        let given = match self.given {
            Given::Outside => match inputs.parameters.get(name) {
                Some(value) => Some((value.clone(), Origin::CommandLine)),
                None => from_files(name, inputs),
            },
            Given::Module { values, .. } => {
                values.get(name).filter(|value| !value.is_null()).map(|value| (value.clone(), Origin::Call))
            }
        };
        let from_env = || {
            let name = declaration.env.as_ref()?;
            let text = match declaration.secret {
                true => inputs.environment.get(name)?,
                false => inputs.variable(name)?,
            };
            Some((Value::String(text.clone()), Origin::Environment))
        };
        let default = || Some((declaration.default.clone()?, Origin::Default));
        let made_up = || match inputs.missing {
            Missing::MakeUp if declaration.secret => Some((made_up(name), Origin::MadeUp)),
            Missing::MakeUp if declaration.env.is_some() => {
                let value = match declaration.kind {
                    Type::String => Value::String(format!("made-up-{}", name.to_lowercase())),
                    Type::Int => 1.into(),
                    Type::Bool => false.into(),
                    Type::List => Value::Array(Vec::new()),
                    Type::Map => Value::Object(Map::new()),
                };
                Some((value, Origin::MadeUp))
            }
            _ => None,
        };
        given.or_else(from_env).or_else(default).or_else(made_up)
    }

    fn tell_unknown(&self, parameters: &Parameters) {
        let is_known =
            |name: &str| parameters.values.contains_key(name) || parameters.broken.iter().any(|b| b == name);
        let known = || {
            parameters.values.keys().map(String::as_str).chain(parameters.broken.iter().map(String::as_str))
        };
        let tell = |name: &str, of: &str, span: Option<Span>| {
            let help = match did_you_mean(name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it under `parameters:`, or do not give it: `{name}`"),
            };
            let message = format!("{of} has no parameter `{name}`");
            self.tell(Diagnostic::error(&UNKNOWN_PARAMETER, message).at(span).help(help));
        };
        match self.given {
            Given::Outside => {
                let inputs = self.shared.inputs;
                for name in inputs.parameters.keys().filter(|name| !is_known(name)) {
                    let span = self.source.locate("parameters", At::Key);
                    let span = span.or_else(|| self.source.locate("blueprint", At::Key));
                    tell(name, "the blueprint", span);
                }
                for file in inputs.files() {
                    for name in file.tree.as_object().into_iter().flat_map(Map::keys) {
                        if !is_known(name) {
                            tell(name, "the blueprint", file.locate(name, At::Key));
                        }
                    }
                }
            }
            Given::Module { caller, path, values, .. } => {
                for name in values.keys().filter(|name| !is_known(name)) {
                    let span = caller.locate(&format!("{path}.parameters.{name}"), At::Key);
                    tell(name, "the module", span);
                }
            }
        }
    }
}

/// The value of a parameter from values files, and the last of them that has it.
fn from_files(name: &str, inputs: &Inputs) -> Option<(Value, Origin)> {
    let last = inputs.files().rfind(|file| file.tree.get(name).is_some())?;
    Some((inputs.of_values(name)?, Origin::File(last.clone())))
}

/// A secret for a rehearsal: the same every time, and good enough for Azure's rules on passwords.
fn made_up(name: &str) -> Value {
    Value::String(format!(
        "Made-up-{}-0!",
        Secret::new(name).digest("rehearsal").get(..12).unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::secret::Secrets;
    use serde_json::json;

    fn run(text: &str, inputs: &Inputs) -> (Parameters, Secrets, Vec<String>) {
        let source = Source::parse("b.yaml", text.as_bytes()).unwrap();
        let shared = Shared::new(inputs, "b".into());
        let parameters = resolve(&source, &shared, &Given::Outside);
        let problems = shared.problems.take();
        let messages = problems
            .iter()
            .map(|d| format!("{} {} ({})", d.span.as_ref().unwrap(), d.message, d.help.as_ref().unwrap()))
            .collect();
        (parameters, shared.secrets.take(), messages)
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
        let (parameters, secrets, problems) = run(TEXT, &inputs);
        assert_eq!(problems, [] as [&str; 0]);
        assert_eq!(parameters.values["environment"], Parameter::Plain(json!("dev")));
        assert_eq!(parameters.values["count"], Parameter::Plain(json!(3)));
        assert_eq!(parameters.values["password"], Parameter::Secret);
        assert_eq!(secrets.get("password").unwrap().expose(), "hunter2");
    }

    #[test]
    fn every_mistake_is_told_and_secrets_are_not() {
        let mut inputs = Inputs::default();
        inputs.parameters.insert("environment".into(), json!("prd"));
        inputs.parameters.insert("count".into(), json!("many"));
        inputs.parameters.insert("enviroment".into(), json!("x"));
        let (_, _, problems) = run(TEXT, &inputs);
        assert_eq!(
            problems,
            [
                "b.yaml:2:3 the parameter `environment` may not be `prd` (did you mean `prod`? Allowed are: dev, prod)",
                "b.yaml:3:3 the parameter `count` is to be a whole number, and `many` is not (give a whole number)",
                "b.yaml:4:3 the parameter `password` has no value (set the environment variable PASSWORD, or pass `-p password=VALUE`)",
                "b.yaml:1:1 the blueprint has no parameter `enviroment` (did you mean `environment`?)",
            ]
        );
    }

    #[test]
    fn a_rehearsal_makes_up_what_is_missing() {
        let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
        let (_, secrets, problems) = run(TEXT, &inputs);
        assert_eq!(problems, [] as [&str; 0]);
        assert!(secrets.get("password").unwrap().expose().len() > 14);
    }

    fn file(name: &str, text: &str) -> Arc<Source> {
        Arc::new(Source::parse(name, text.as_bytes()).unwrap())
    }

    #[test]
    fn later_files_are_merged_over_earlier_ones() {
        let declared = "parameters: { sizes: { type: map }, zones: { type: list }, n: { type: int } }";
        let mut inputs = Inputs {
            values: vec![
                file(
                    "a.yaml",
                    "sizes: { small: { cpu: 1, disk: 10 }, big: { cpu: 8 } }\nzones: [1, 2]\nn: 1\n",
                ),
                file("b.yaml", "sizes: { small: { cpu: 2 } }\nzones: [3]\nn: 2\n"),
            ],
            ..Inputs::default()
        };
        inputs.parameters.insert("n".into(), json!("3"));
        let (parameters, _, problems) = run(declared, &inputs);
        assert_eq!(problems, [] as [&str; 0]);
        let plain = |name: &str| match &parameters.values[name] {
            Parameter::Plain(value) => value.clone(),
            Parameter::Secret => panic!(),
        };
        assert_eq!(plain("sizes"), json!({ "small": { "cpu": 2, "disk": 10 }, "big": { "cpu": 8 } }));
        assert_eq!(plain("zones"), json!([3]));
        assert_eq!(plain("n"), json!(3));
    }

    #[test]
    fn mistakes_in_values_files_have_their_place() {
        let declared = "parameters: { n: { type: int }, m: { type: int, default: x } }";
        let inputs = Inputs { values: vec![file("dev.yaml", "n: many\nnn: 1\nm: 2\n")], ..Inputs::default() };
        let (_, _, problems) = run(declared, &inputs);
        let places: Vec<&str> = problems.iter().map(|p| p.split(" (").next().unwrap()).collect();
        assert_eq!(
            places,
            [
                "dev.yaml:1:4 the parameter `n` is to be a whole number, and `many` is not",
                "b.yaml:1:58 the parameter `m` is to be a whole number, and `x` is not",
                "dev.yaml:2:1 the blueprint has no parameter `nn`",
            ]
        );
    }
}
