//! An environment of a blueprint: `environments/NAME.yaml` beside it says with what values, where, and with which ledger
//! a run for it works.
//!
//! The file is data and holds no expressions: what a run is for must be known before anything is evaluated. Its name is
//! the environment's.

use super::includes::normal;
use super::messages::{self, WRONG_TYPE};
use super::source::{At, Source};
use super::yaml::EMPTY;
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::ident::is_name;
use crate::value::read;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder beside the blueprint in which its environments are.
pub const FOLDER: &str = "environments";

pub(super) const ENVIRONMENT: Code = Code {
    name: "environment",
    why: "The file of an environment holds something that cannot be, or the blueprint says something else than its environment.",
    remedy: "Correct the field that the message names. The file has no expressions: ids are written out.",
    example: "subscription: 5ab5c819-0000-4000-8000-000000000001",
};

pub(super) const ENVIRONMENT_NAME: Code = Code {
    name: "environment-name",
    why: "The name of an environment becomes a file name, part of its ledger's name and part of the ownership tag, so it is short and plain.",
    remedy: "Use at most 63 small letters, digits and `-`, a letter first.",
    example: "berth plan blueprint.yaml -e prod",
};

pub(super) const UNKNOWN_ENVIRONMENT: Code = Code {
    name: "unknown-environment",
    why: "An environment is a file `environments/NAME.yaml` beside the blueprint, and there is none of this name, or there are two.",
    remedy: "Name one of those that the message lists, or write the file; it may be empty.",
    example: "berth plan blueprint.yaml -e prod",
};

/// How the files of environments end.
const ENDS: [&str; 2] = ["yaml", "yml"];

/// What an environment's file says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Form {
    /// What it is for, for people.
    description: Option<String>,
    /// The subscription's id, a GUID. The blueprint need not say one then, and may say no other.
    subscription: Option<String>,
    /// The tenant's id, a GUID. Who is signed in must be of it.
    tenant: Option<String>,
    /// The Azure cloud.
    cloud: Option<CloudName>,
    /// Where the ledger is: a folder, from the folder of this file, or the URL of an object store.
    ledger: Option<String>,
    /// Files and folders of Rego policies, from the folder of this file.
    policies: Vec<String>,
    /// Values of parameters, as in a file of `--values`; those and `-p` come over them.
    values: Option<Map<String, Value>>,
}

/// An Azure cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum CloudName {
    Public,
    Usgov,
    China,
}

impl CloudName {
    const fn as_str(self) -> &'static str {
        match self {
            CloudName::Public => "public",
            CloudName::Usgov => "usgov",
            CloudName::China => "china",
        }
    }
}

/// An environment of a blueprint.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The subscription, when the file says one.
    pub subscription: Option<String>,
    /// The tenant, when the file says one.
    pub tenant: Option<String>,
    /// The cloud, when the file says one.
    pub cloud: Option<String>,
    /// Where its ledger is, when the file says so: a URL, or a folder as it is seen from the working folder.
    pub ledger: Option<String>,
    /// Where its policies are, as it is seen from the working folder.
    pub policies: Vec<PathBuf>,
    /// What it gives parameters.
    pub values: Option<Arc<Source>>,
    /// The file; nothing when only the name is known.
    source: Option<Arc<Source>>,
}

impl Environment {
    /// An environment of which only the name is known: its file is elsewhere, or gone.
    pub fn named(name: impl Into<String>) -> Self {
        Environment {
            name: name.into(),
            subscription: None,
            tenant: None,
            cloud: None,
            ledger: None,
            policies: Vec::new(),
            values: None,
            source: None,
        }
    }

    /// That a run is for something else than this environment.
    pub fn other(&self, what: &'static str, own: &str, run: &str, help: &str) -> Diagnostic {
        let message =
            format!("the environment `{}` is for the {what} `{own}`, and this run is for `{run}`", self.name);
        Diagnostic::error(&ENVIRONMENT, message).at(self.place(what)).help(help)
    }

    /// The file from which it was read.
    pub fn file(&self) -> Option<&str> {
        self.source.as_ref().map(|source| source.file.name.as_str())
    }

    /// Where its file says something.
    pub fn place(&self, field: &str) -> Option<Span> {
        self.source.as_ref()?.locate(field, At::Value)
    }

    /// Checks a name before it becomes a path.
    ///
    /// # Errors
    /// That it cannot be one.
    fn check_name(name: &str) -> Result<(), Diagnostic> {
        match is_name(name) {
            true => Ok(()),
            false => Err(Diagnostic::error(
                &ENVIRONMENT_NAME,
                format!("`{}` cannot be the name of an environment", name.escape_debug()),
            )
            .help("an environment is called by small letters, digits and `-`, a letter first, such as `-e prod`")),
        }
    }

    /// The files that may hold an environment of this name, beside a blueprint.
    fn candidates(blueprint: &Path, name: &str) -> [PathBuf; 2] {
        ENDS.map(|end| folder(blueprint).join(format!("{name}.{end}")))
    }

    /// The names of the environments whose files are among these.
    fn names<'a>(files: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let name = |file: &'a str| {
            let (stem, end) = file.rsplit_once('.')?;
            (ENDS.contains(&end) && is_name(stem)).then(|| stem.to_owned())
        };
        let mut names: Vec<String> = files.into_iter().filter_map(name).collect();
        names.sort();
        names.dedup();
        names
    }

    /// That there is no environment of this name; `known` are those that there are.
    fn unknown(blueprint: &Path, name: &str, known: &[String]) -> Diagnostic {
        let folder = folder(blueprint);
        let help = match (did_you_mean(name, known.iter().map(String::as_str)), known) {
            (_, []) => format!(
                "write {}; it may be empty: `values`, `subscription`, `ledger` and `policies` are what it can say",
                folder.join(format!("{name}.yaml")).display()
            ),
            (Some(near), known) => format!("did you mean `{near}`? There are: {}", known.join(", ")),
            (None, known) => format!("there are: {}", known.join(", ")),
        };
        let message = format!("there is no environment `{name}` in {}", folder.display());
        Diagnostic::error(&UNKNOWN_ENVIRONMENT, message).help(help)
    }

    /// That two files say what one environment is.
    fn twice(blueprint: &Path, name: &str) -> Diagnostic {
        let [one, other] = Self::candidates(blueprint, name);
        let message = format!("{} and {} are both the environment `{name}`", one.display(), other.display());
        Diagnostic::error(&UNKNOWN_ENVIRONMENT, message).help("remove one of them")
    }

    /// The same, for a name that a person gives.
    ///
    /// # Errors
    /// That it cannot be one.
    pub fn without_file(name: &str) -> Result<Self, Diagnostics> {
        Self::check_name(name)?;
        Ok(Self::named(name))
    }

    /// Finds the environment of this name beside a blueprint and reads it. `read` gives the bytes of a file, nothing when
    /// it is not there; `list` gives the names of the files in a folder.
    ///
    /// # Errors
    /// That the name cannot be one, that there is no such environment, or everything that is wrong with its file.
    pub fn find(
        blueprint: &Path,
        name: &str,
        read: impl Fn(&Path) -> std::io::Result<Option<Vec<u8>>>,
        list: impl Fn(&Path) -> Vec<String>,
    ) -> Result<Self, Diagnostics> {
        Self::check_name(name)?;
        let mut found = Vec::new();
        for path in Self::candidates(blueprint, name) {
            match read(&path) {
                Ok(Some(bytes)) => found.push((path, bytes)),
                Ok(None) => {}
                Err(why) => {
                    let message = format!("{}: {why}", path.display());
                    return Err(Diagnostic::error(&UNKNOWN_ENVIRONMENT, message)
                        .help("check the file and its permissions")
                        .into());
                }
            }
        }
        match &found[..] {
            [(path, bytes)] => Self::parse(name, path, bytes),
            [] => Err(Self::unknown(blueprint, name, &Self::beside(blueprint, list)).into()),
            _ => Err(Self::twice(blueprint, name).into()),
        }
    }

    /// The names of the environments that are beside a blueprint.
    pub fn beside(blueprint: &Path, list: impl Fn(&Path) -> Vec<String>) -> Vec<String> {
        Self::names(list(&folder(blueprint)).iter().map(String::as_str))
    }

    /// Reads the file of an environment. No line of it is ever shown: its values may be secret.
    ///
    /// # Errors
    /// Everything that is wrong with it, with its place.
    pub fn parse(name: &str, path: &Path, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let file = path.display().to_string();
        let source = match Source::parse(file, bytes) {
            Ok(source) => source.without_excerpts(),
            // An environment may be nothing but a name.
            Err(problem) if *problem.code == EMPTY => return Ok(Self::named(name)),
            Err(problem) => return Err(problem.without_excerpt().into()),
        };
        if !source.tree.is_object() {
            return Err(Diagnostic::error(&WRONG_TYPE, "an environment is a mapping")
                .at(source.locate("", At::Value))
                .help("write `values:`, `subscription:`, `ledger:` or `policies:`")
                .into());
        }
        if source.tree.get("values").is_some_and(|values| !values.is_object() && !values.is_null()) {
            // What is there instead may be a secret.
            return Err(Diagnostic::error(&WRONG_TYPE, "`values` must be a mapping of parameters to values")
                .at(source.locate("values", At::Value))
                .help("write `values: { name: value }`")
                .into());
        }
        let form: Form = match read(&source.tree) {
            Ok(form) => form,
            Err(error) => {
                return Err(messages::shape(&source, "", &error.path(), &error.message, &[]).into());
            }
        };
        let mut problems = Diagnostics::new();
        for (field, what, text) in
            [("subscription", "a subscription", &form.subscription), ("tenant", "a tenant", &form.tenant)]
        {
            if let Some(text) = text.as_ref().filter(|text| uuid::Uuid::try_parse(text).is_err()) {
                let help = match text.contains("${") {
                    true => "an environment's file has no expressions: write the id, a GUID",
                    false => "write the id, a GUID; `az account show` prints both",
                };
                problems.push(
                    Diagnostic::error(&ENVIRONMENT, format!("`{text}` is not the id of {what}"))
                        .at(source.locate(field, At::Value))
                        .help(help),
                );
            }
        }
        let paths = form.ledger.iter().map(|path| ("ledger".to_owned(), path));
        let policies = form.policies.iter().enumerate().map(|(at, path)| (format!("policies[{at}]"), path));
        for (field, _) in paths.chain(policies).filter(|(_, path)| path.trim().is_empty()) {
            problems.push(
                Diagnostic::error(&ENVIRONMENT, "this names nothing")
                    .at(source.locate(&field, At::Value))
                    .help("write a path, or remove it"),
            );
        }
        if problems.has_errors() {
            return Err(problems);
        }
        let beside = path.parent().unwrap_or(Path::new(""));
        let source = Arc::new(source);
        Ok(Environment {
            name: name.to_owned(),
            subscription: form.subscription,
            tenant: form.tenant,
            cloud: form.cloud.map(|cloud| cloud.as_str().to_owned()),
            ledger: form.ledger.map(|ledger| match ledger.contains(':') {
                true => ledger,
                false => from(beside, &ledger).display().to_string(),
            }),
            policies: form.policies.iter().map(|policy| from(beside, policy)).collect(),
            values: form.values.map(|_| Arc::new(Source::part(&source, "values"))),
            source: Some(source),
        })
    }
}

/// The folder of a blueprint's environments.
fn folder(blueprint: &Path) -> PathBuf {
    blueprint.parent().unwrap_or(Path::new("")).join(FOLDER)
}

/// A path that a file in a folder says, as it is seen from the working folder.
fn from(folder: &Path, path: &str) -> PathBuf {
    match normal(&folder.join(path)) {
        nowhere if nowhere.as_os_str().is_empty() => PathBuf::from("."),
        path => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Environment, Vec<String>> {
        let parsed = Environment::parse("prod", Path::new("live/environments/prod.yaml"), text.as_bytes());
        parsed.map_err(|problems| {
            let told = |d: &Diagnostic| {
                format!("{} {} ({})", d.span.as_ref().unwrap(), d.message, d.help.as_ref().unwrap())
            };
            problems.iter().map(told).collect()
        })
    }

    #[test]
    fn an_environment_says_where_and_with_what() {
        let text = "\
description: what customers use
subscription: 5ab5c819-0000-4000-8000-000000000001
tenant: 7e9a9700-0000-4000-8000-000000000002
cloud: china
ledger: ../ledgers
policies: [strict.rego, ../../policies]
values:
  size: 3
  zones: [1, 2]
";
        let found = parse(text).unwrap();
        assert_eq!(found.name, "prod");
        assert_eq!(found.subscription.as_deref(), Some("5ab5c819-0000-4000-8000-000000000001"));
        assert_eq!((found.cloud.as_deref(), found.ledger.as_deref()), (Some("china"), Some("live/ledgers")));
        let policies: Vec<_> = found.policies.iter().map(|path| path.display().to_string()).collect();
        assert_eq!(policies, ["live/environments/strict.rego", "policies"]);
        let values = found.values.as_ref().unwrap();
        assert_eq!(values.tree["zones"], serde_json::json!([1, 2]));
        assert_eq!(
            values.locate("zones[1]", At::Value).unwrap().to_string(),
            "live/environments/prod.yaml:9:14"
        );
        assert_eq!(found.place("ledger").unwrap().line, 5);
        // It may be nothing but a name.
        for text in ["", "# later\n", "description: x\n", "values:\n", "values: {}\n"] {
            let found = parse(text).unwrap();
            assert_eq!((found.name.as_str(), &found.subscription), ("prod", &None), "{text}");
        }
        for (ledger, place) in [
            ("azblob://account/container", "azblob://account/container"),
            ("memory:", "memory:"),
            ("/a/b", "/a/b"),
            (".", "live/environments"),
            ("../..", "."),
        ] {
            assert_eq!(parse(&format!("ledger: '{ledger}'\n")).unwrap().ledger.as_deref(), Some(place));
        }
    }

    #[test]
    fn every_mistake_has_its_place() {
        let at = "live/environments/prod.yaml";
        for (text, told) in [
            (
                "subscripton: x\n",
                vec![format!("{at}:1:1 unknown field `subscripton` (did you mean `subscription`?)")],
            ),
            (
                "subscription: prod\ntenant: ${env.T}\n",
                vec![
                    format!(
                        "{at}:1:15 `prod` is not the id of a subscription (write the id, a GUID; `az account show` prints both)"
                    ),
                    format!(
                        "{at}:2:9 `${{env.T}}` is not the id of a tenant (an environment's file has no expressions: write the id, a GUID)"
                    ),
                ],
            ),
            (
                "cloud: chna\n",
                vec![format!(
                    "{at}:1:8 `chna` is not possible here (did you mean `china`? Possible are: public, usgov, china)"
                )],
            ),
            (
                "ledger: 5\n",
                vec![format!("{at}:1:9 expected a text, found the number `5` (put it in quotes: \"5\")")],
            ),
            (
                "policies: x\n",
                vec![format!("{at}:1:11 expected a list, found the text \"x\" (put it in brackets: [x])")],
            ),
            (
                "ledger: ' '\npolicies: [a, '']\n",
                vec![
                    format!("{at}:1:9 this names nothing (write a path, or remove it)"),
                    format!("{at}:2:15 this names nothing (write a path, or remove it)"),
                ],
            ),
            (
                "values: hush\n",
                vec![format!(
                    "{at}:1:9 `values` must be a mapping of parameters to values (write `values: {{ name: value }}`)"
                )],
            ),
            (
                "- a\n",
                vec![format!(
                    "{at}:1:1 an environment is a mapping (write `values:`, `subscription:`, `ledger:` or `policies:`)"
                )],
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), told, "{text}");
        }
        // Values may be secret: no line is shown.
        for text in ["values: { password: hush }\ncloud: x\n", "values: { password: hush }\na: [\n"] {
            let problems = Environment::parse("p", Path::new("p.yaml"), text.as_bytes()).unwrap_err();
            assert!(!format!("{problems:?}").contains("hush"), "{problems:?}");
        }
    }

    #[test]
    fn names_are_checked_and_unknown_ones_are_told() {
        for name in ["../prod", "Prod", "", "prod/x", "a.b", "prod\n"] {
            let problem = Environment::check_name(name).unwrap_err();
            assert!(problem.message.contains("cannot be the name"), "{name:?}");
        }
        let files = ["prod.yaml", "dev.yml", "prod.yml", "README.md", "Upper.yaml", "x.yaml.bak", ".yaml"];
        let known = Environment::names(files);
        assert_eq!(known, ["dev", "prod"]);
        let told = |name: &str, known: &[String]| {
            let problem = Environment::unknown(Path::new("live/shop.yaml"), name, known);
            format!("{} ({})", problem.message, problem.help.unwrap())
        };
        assert_eq!(
            told("prd", &known),
            "there is no environment `prd` in live/environments (did you mean `prod`? There are: dev, prod)"
        );
        assert_eq!(
            told("x", &known),
            "there is no environment `x` in live/environments (there are: dev, prod)"
        );
        assert!(told("x", &[]).contains("write live/environments/x.yaml; it may be empty"));
    }
}
