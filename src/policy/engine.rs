//! Rego, read and evaluated.

use super::finding::{Finding, Places, Verdict};
use regorus::utils::limits::ExecutionTimerConfig;
use serde_json::Value;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

/// How long the rules of one package may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file of policies: Rego, or JSON that Rego sees as `data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its path as the person would write it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Why policies could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file is not what its name says.
    #[error("{place}: {message}")]
    Syntax {
        /// File, line and column.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// Nothing in the files could ever say anything.
    #[error("no rule named `deny`, `violation` or `warn` is in {files}")]
    Empty {
        /// The files.
        files: String,
    },
    /// A rule failed while it was evaluated.
    #[error("the rules of `{package}` could not be evaluated: {message}")]
    Evaluation {
        /// The package.
        package: String,
        /// What the interpreter says.
        message: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Error::Syntax { .. } => {
                "correct the file; docs/guides/policies.md shows what a policy looks like"
            }
            Error::Empty { .. } => {
                "write `deny contains msg if { … }` in a package, and name the folder that holds it"
            }
            Error::Evaluation { message, .. } if is_out_of_time(message) => {
                "ten seconds for the rules of a package are a fixed limit: correct the rule, split the package, or compute \
                 the costly part outside and give it as JSON data"
            }
            Error::Evaluation { .. } => "correct the rule: a policy may not contradict itself",
        }
    }
}

/// Policies, read.
#[derive(Debug, Clone)]
pub struct Policies {
    engine: regorus::Engine,
    packages: BTreeSet<String>,
    files: Vec<String>,
}

impl Policies {
    /// Reads policies. A module may be written in Rego v1 or in the dialect before it.
    ///
    /// # Errors
    /// The first file that cannot be read, with its line.
    pub fn parse(files: &[PolicyFile]) -> Result<Self, Error> {
        let mut engine = regorus::Engine::new();
        let check_interval = NonZeroU32::new(1024).unwrap_or(NonZeroU32::MIN);
        engine.set_execution_timer_config(ExecutionTimerConfig { limit: PATIENCE, check_interval });
        let mut packages = BTreeSet::new();
        for PolicyFile { name, text } in files {
            if name.ends_with(".json") {
                let data = regorus::Value::from_json_str(text).map_err(|error| Error::Syntax {
                    place: name.clone(),
                    message: format!("it is not JSON: {error}"),
                })?;
                engine.add_data(data).map_err(|error| Error::Syntax {
                    place: name.clone(),
                    message: format!(
                        "its data is not an object, or contradicts that of another file: {error}"
                    ),
                })?;
                continue;
            }
            engine.set_rego_v0(is_older(text));
            let package = engine
                .add_policy(name.clone(), text.clone())
                .map_err(|error| syntax(name, &format!("{error:#}")))?;
            packages.insert(package);
        }
        Ok(Policies { engine, packages, files: files.iter().map(|file| file.name.clone()).collect() })
    }

    /// What the policies say of a plan as JSON: denials first, then warnings, each in the order of rules and messages.
    ///
    /// # Errors
    /// When a rule cannot be evaluated, or no file has a rule that could say anything.
    pub fn evaluate(&self, input: &Value) -> Result<Vec<Finding>, Error> {
        let mut engine = self.engine.clone();
        engine.set_input(regorus::Value::from(input.clone()));
        let places = Places::of(input);
        let mut findings = BTreeSet::new();
        let mut rules = 0;
        for package in &self.packages {
            let failed = |message: String| Error::Evaluation { package: plain(package).to_owned(), message };
            let results =
                engine.eval_query(package.clone(), false).map_err(|error| failed(one_line(&error)))?;
            let Some(value) = results.result.first().and_then(|result| result.expressions.first()) else {
                continue;
            };
            let value = value.value.to_json_str().map_err(|error| failed(one_line(&error)))?;
            let value: Value = serde_json::from_str(&value).map_err(|error| failed(error.to_string()))?;
            for (name, said) in value.as_object().into_iter().flatten() {
                let Some(verdict) = verdict_of(name) else { continue };
                rules += 1;
                let rule = format!("{}.{name}", plain(package));
                collect(verdict, &rule, said, &places, &mut findings);
            }
        }
        if rules == 0 {
            return Err(Error::Empty { files: self.files.join(", ") });
        }
        Ok(findings.into_iter().collect())
    }
}

/// Whether the interpreter stopped for the time that rules took.
fn is_out_of_time(message: &str) -> bool {
    message.contains("time limit")
}

/// Whether a module is written in the dialect before Rego v1: without that dialect's words, a rule of v1 has no body.
fn is_older(text: &str) -> bool {
    let code = |line: &str| line.split('#').next().unwrap_or_default().to_owned();
    let is_new = |line: &str| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
            .any(|word| matches!(word, "if" | "contains" | "rego.v1"))
    };
    let has_rules = text.lines().any(|line| code(line).contains('{'));
    has_rules && !text.lines().any(|line| is_new(&code(line)) && !line.contains("contains("))
}

/// A package as its author wrote it.
fn plain(package: &str) -> &str {
    package.strip_prefix("data.").unwrap_or(package)
}

/// What a rule of this name decides.
fn verdict_of(name: &str) -> Option<Verdict> {
    let is =
        |word: &str| name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    match name {
        _ if is("deny") || is("violation") => Some(Verdict::Deny),
        _ if is("warn") => Some(Verdict::Warn),
        _ => None,
    }
}

fn collect(verdict: Verdict, rule: &str, said: &Value, places: &Places, findings: &mut BTreeSet<Finding>) {
    let mut add = |message: String, address: Option<String>| {
        let address = address.or_else(|| places.mentioned(&message));
        let place = address.as_deref().and_then(|address| places.get(address));
        findings.insert(Finding { verdict, rule: rule.to_owned(), message, address, place });
    };
    match said {
        Value::Array(items) => items.iter().for_each(|item| collect(verdict, rule, item, places, findings)),
        Value::String(text) => add(text.clone(), None),
        Value::Bool(true) => add("this rule holds".to_owned(), None),
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
            let message = text("msg").or_else(|| text("message"));
            add(message.unwrap_or_else(|| said.to_string()), text("address"));
        }
        Value::Null | Value::Bool(false) => {}
        Value::Number(_) => add(said.to_string(), None),
    }
}

/// The interpreter draws the line with an arrow below it; only where and what are taken from it.
fn syntax(name: &str, error: &str) -> Error {
    let place = error.lines().find_map(|line| line.trim().strip_prefix("--> "));
    let message = error.lines().rev().find_map(|line| line.trim().strip_prefix("error: "));
    Error::Syntax {
        place: place.unwrap_or(name).to_owned(),
        message: message.map_or_else(|| error.trim().replace('\n', " "), str::to_owned),
    }
}

fn one_line(error: &dyn std::fmt::Display) -> String {
    let text = format!("{error:#}");
    let place = text.lines().find_map(|line| line.trim().strip_prefix("--> "));
    let message = text.lines().rev().find_map(|line| line.trim().strip_prefix("error: "));
    match (place, message) {
        (Some(place), Some(message)) => format!("{place}: {message}"),
        _ => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policies(text: &str) -> Result<Policies, Error> {
        Policies::parse(&[PolicyFile { name: "p/a.rego".into(), text: text.into() }])
    }

    fn said(text: &str) -> Vec<(String, String, Option<String>, Option<usize>)> {
        let input = json!({ "steps": [
            { "address": "keyVaults.a", "place": { "file": "b.yaml", "line": 7, "column": 3 } },
            { "address": "keyVaults.a.secrets.b" },
        ] });
        let findings = policies(text).unwrap().evaluate(&input).unwrap();
        findings
            .into_iter()
            .map(|f| (f.rule, f.message, f.address, f.place.map(|place| place.line)))
            .collect()
    }

    #[test]
    fn rules_that_run_too_long_meet_a_fixed_limit() {
        let text = "package berth.x\ndeny contains msg if {\n  some a in numbers.range(1, 2000)\n  some b in numbers.range(1, 2000)\n  a + b == 0\n  msg := \"x\"\n}\n";
        let mut policies = policies(text).unwrap();
        let check_interval = NonZeroU32::MIN;
        let limit = Duration::from_millis(1);
        policies.engine.set_execution_timer_config(ExecutionTimerConfig { limit, check_interval });
        let error = policies.evaluate(&json!({})).unwrap_err();
        assert!(error.hint().contains("a fixed limit"), "{error}: {}", error.hint());
        assert!(error.hint().contains("compute"), "{}", error.hint());
    }

    #[test]
    fn messages_are_texts_or_objects_and_addresses_are_found() {
        let found = said(
            "package berth.x\n\
             deny contains msg if { some s in input.steps; s.address == \"keyVaults.a\"; msg := sprintf(\"%s is bad.\", [s.address]) }\n\
             warn_late contains {\"msg\": \"late\", \"address\": \"keyVaults.a.secrets.b\"} if { true }\n\
             allow := true\n",
        );
        let a = Some("keyVaults.a".to_owned());
        let b = Some("keyVaults.a.secrets.b".to_owned());
        assert_eq!(
            found,
            [
                ("berth.x.deny".to_owned(), "keyVaults.a is bad.".to_owned(), a, Some(7)),
                ("berth.x.warn_late".to_owned(), "late".to_owned(), b, None),
            ]
        );
    }

    #[test]
    fn the_older_dialect_is_read_too() {
        let found = said(
            "package main\nviolation[{\"msg\": m}] { input.steps[_].address == \"keyVaults.a\"; m := \"no\" }\n",
        );
        assert_eq!(found, [("main.violation".to_owned(), "no".to_owned(), None, None)]);
    }

    #[test]
    fn mistakes_name_file_and_line() {
        let error = policies("package a\n\ndeny contains msg if {\n  msg := (\n}\n").unwrap_err();
        assert!(error.to_string().starts_with("p/a.rego:4:"), "{error}");
        let silent = policies("package a\nallow := true\n").unwrap();
        let error = silent.evaluate(&json!({})).unwrap_err();
        assert_eq!(error.to_string(), "no rule named `deny`, `violation` or `warn` is in p/a.rego");
        let error = Policies::parse(&[PolicyFile { name: "d.json".into(), text: "{".into() }]).unwrap_err();
        assert!(error.to_string().starts_with("d.json: it is not JSON"), "{error}");
    }

    #[test]
    fn a_rule_that_contradicts_itself_is_an_error() {
        let text = "package a\nx := 1 if { true }\nx := 2 if { true }\ndeny contains \"m\" if { x == 1 }\n";
        let error = policies(text).unwrap().evaluate(&json!({})).unwrap_err();
        assert!(matches!(&error, Error::Evaluation { package, .. } if package == "a"), "{error}");
    }

    #[test]
    fn json_files_are_data() {
        let file = |name: &str, text: &str| PolicyFile { name: name.into(), text: text.into() };
        let files = [
            file("r.json", "{\"regions\": [\"westeurope\"]}"),
            file("r.rego", "package r\ndeny contains \"far\" if { not input.at in data.regions }\n"),
        ];
        let policies = Policies::parse(&files).unwrap();
        assert_eq!(policies.evaluate(&json!({ "at": "westeurope" })).unwrap(), []);
        assert_eq!(policies.evaluate(&json!({ "at": "eastus" })).unwrap().len(), 1);
    }
}
