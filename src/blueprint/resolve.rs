//! From a source to drafts: the blueprint's own head, every entry evaluated, every kind asked.

use super::Blueprint;
use super::expression::{self, Fault, Scope};
use super::inputs::{Inputs, Missing};
use super::link;
use super::messages;
use super::parameters::{self, Parameter, Parameters};
use super::source::{At, Source};
use crate::catalog::kinds::resource_group;
use crate::catalog::{Common, Draft, EntryCx, Kind, registry};
use crate::diag::{Diagnostic, Diagnostics, Severity, did_you_mean};
use crate::ident::{Address, is_logical_name, normalize_location};
use crate::value::token::Token;
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

/// Reads a blueprint: parameters in, references linked, problems all told at once.
///
/// # Errors
/// Every problem that was found, warnings among them, when at least one is an error.
pub fn load(source: &Source, inputs: &Inputs) -> Result<Blueprint, Diagnostics> {
    let mut problems = Diagnostics::new();
    let Some(root) = source.tree.as_object() else {
        return Err(Diagnostic::error("shape", "a blueprint is a mapping of sections")
            .at(source.locate("", At::Value))
            .help("start with `blueprint: NAME`; `blueprints/quickstart.yaml` is an example")
            .into());
    };
    check_head(source, root, &mut problems);
    let parameters = parameters::resolve(source, inputs, &mut problems);
    let world = World {
        source,
        root,
        inputs,
        parameters,
        poisoned: Cell::new(false),
        broken: RefCell::new(Vec::new()),
        azure: RefCell::new(HashMap::new()),
        identities: RefCell::new(HashMap::new()),
    };
    let azure = world.azure_block(&mut problems);
    let mut entries = Vec::new();
    for kind in registry() {
        world.section(kind, &azure, &mut entries, &mut problems);
    }
    let outputs = world.outputs(&mut problems);
    let blueprint = root.get("blueprint").and_then(Value::as_str).unwrap_or_default().to_owned();
    let linked = link::link(
        source,
        link::Unlinked { blueprint, azure, entries, outputs, secrets: world.parameters.secrets },
        &mut problems,
    );
    problems.sort();
    match linked {
        Some(desired) if !problems.has_errors() => Ok(Blueprint { desired, warnings: problems }),
        _ => Err(problems),
    }
}

/// The sections that are not entries.
const HEAD: &[&str] = &["blueprint", "parameters", "azure", "outputs"];

fn check_head(source: &Source, root: &Map<String, Value>, problems: &mut Diagnostics) {
    let sections = || HEAD.iter().copied().chain(registry().iter().map(|kind| kind.section));
    for name in root.keys() {
        if !sections().any(|section| section == name) {
            let help = match did_you_mean(name, sections()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the sections are: {}", sections().collect::<Vec<_>>().join(", ")),
            };
            problems.push(
                Diagnostic::error("unknown-section", format!("there is no section `{name}`"))
                    .at(source.locate(name, At::Key))
                    .help(help),
            );
        }
    }
    let name_rule =
        "a name of small letters, digits and `-`, starting with a letter, such as `blueprint: shop`";
    match root.get("blueprint") {
        None => problems.push(
            Diagnostic::error("missing-field", "the blueprint has no name")
                .at(source.locate("", At::Value))
                .help(format!("add {name_rule}")),
        ),
        Some(Value::String(name)) if is_blueprint_name(name) => {}
        Some(_) => problems.push(
            Diagnostic::error("blueprint-name", "this cannot be the name of a blueprint")
                .at(source.locate("blueprint", At::Value))
                .help(format!("write {name_rule}")),
        ),
    }
}

/// The ledger is a file of this name, and a tag has it as its value.
fn is_blueprint_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The `azure:` block, evaluated.
#[derive(Debug, Clone, Default)]
pub(crate) struct Azure {
    pub(crate) subscription: String,
    pub(crate) tenant: String,
    pub(crate) location: Option<String>,
    pub(crate) resource_group: Option<String>,
    pub(crate) tags: Map<String, Value>,
    pub(crate) register_providers: bool,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryState {
    /// It has drafts.
    Expanded,
    /// Its `when` is false.
    Off,
    /// It has mistakes, which are told.
    Failed,
}

/// One entry, expanded.
pub(crate) struct Entry {
    pub(crate) state: EntryState,
    pub(crate) path: String,
    pub(crate) evaluated: Value,
    pub(crate) drafts: Vec<Draft>,
}

/// One output, evaluated but not linked.
pub(crate) struct RawOutput {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) secret: bool,
}

struct World<'a> {
    source: &'a Source,
    root: &'a Map<String, Value>,
    inputs: &'a Inputs,
    parameters: Parameters,
    /// Whether an expression had no value since this was last asked.
    poisoned: Cell<bool>,
    /// Fields of the `azure:` block that are written and have no value because of a mistake told elsewhere.
    broken: RefCell<Vec<&'static str>>,
    /// Fields of the `azure:` block as they become known.
    azure: RefCell<HashMap<&'static str, Value>>,
    /// `name`, `location` and `resourceGroup` of entries that others asked for; `None` while one is being found.
    identities: RefCell<HashMap<String, Option<Value>>>,
}

impl World<'_> {
    fn evaluate(&self, value: &Value, path: &str, problems: &mut Diagnostics) -> Value {
        match value {
            Value::String(text) if expression::is_expression(text) => {
                match expression::evaluate(text, self) {
                    Ok(value) => value,
                    Err(fault) => {
                        self.poisoned.set(true);
                        if !fault.follows {
                            problems.push(
                                Diagnostic::error("expression", fault.message)
                                    .at(self.source.locate(path, At::Value))
                                    .help(fault.help),
                            );
                        }
                        Value::Null
                    }
                }
            }
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.evaluate(item, &format!("{path}[{at}]"), problems))
                    .collect(),
            ),
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, member)| match member {
                        Value::String(text) if !expression::is_expression(text) => {
                            (key.clone(), member.clone())
                        }
                        Value::String(_) | Value::Array(_) | Value::Object(_) => {
                            (key.clone(), self.evaluate(member, &format!("{path}.{key}"), problems))
                        }
                        _ => (key.clone(), member.clone()),
                    })
                    .collect(),
            ),
            _ => value.clone(),
        }
    }

    fn azure_block(&self, problems: &mut Diagnostics) -> Azure {
        const FIELDS: &[&str] =
            &["subscription", "tenant", "location", "resourceGroup", "tags", "registerProviders"];
        let empty = Map::new();
        let block = match self.root.get("azure") {
            Some(Value::Object(block)) => block,
            None | Some(Value::Null) => &empty,
            Some(_) => {
                problems.push(
                    Diagnostic::error("wrong-type", "`azure` must be a mapping")
                        .at(self.source.locate("azure", At::Value))
                        .help("write `azure: { subscription: …, location: westeurope, resourceGroup: … }`"),
                );
                &empty
            }
        };
        for name in block.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
            let known = FIELDS.join("`, `");
            let message = format!("unknown field `{name}`, expected one of `{known}`");
            problems.push(messages::shape(self.source, "azure", "", &message));
        }
        for field in FIELDS {
            let Some(raw) = block.get(*field) else { continue };
            if *field == "subscription" && self.inputs.subscription.is_some() {
                continue;
            }
            let value = self.evaluate(raw, &format!("azure.{field}"), problems);
            if self.poisoned.take() {
                self.broken.borrow_mut().push(field);
                continue;
            }
            self.azure.borrow_mut().insert(field, value);
        }
        let text = |field: &str, problems: &mut Diagnostics| {
            let known = self.azure.borrow().get(field).cloned();
            match known {
                Some(Value::String(text)) if !text.is_empty() => Some(text),
                None | Some(Value::Null) => None,
                Some(other) => {
                    problems.push(
                        Diagnostic::error(
                            "wrong-type",
                            format!("`azure.{field}` must be a text, not `{other}`"),
                        )
                        .at(self.source.locate(&format!("azure.{field}"), At::Value))
                        .help("write it as a text"),
                    );
                    None
                }
            }
        };
        let subscription = match &self.inputs.subscription {
            Some(given) => given.clone(),
            None => match text("subscription", problems) {
                Some(text) => {
                    let known = uuid::Uuid::try_parse(&text).is_ok();
                    if !known {
                        problems.push(
                            Diagnostic::error("subscription", format!("`{text}` is no subscription id"))
                                .at(self.source.locate("azure.subscription", At::Value))
                                .help("a subscription id is a GUID; `az account show --query id` prints it"),
                        );
                    }
                    text
                }
                None => {
                    if !block.contains_key("subscription") {
                        problems.push(
                            Diagnostic::error("missing-field", "`azure` needs `subscription`")
                                .at(self
                                    .source
                                    .locate("azure", At::Key)
                                    .or_else(|| self.source.locate("", At::Value)))
                                .help("add `subscription: ${env.AZURE_SUBSCRIPTION_ID}` under `azure:`"),
                        );
                    }
                    "00000000-0000-0000-0000-000000000000".to_owned()
                }
            },
        };
        self.azure.borrow_mut().insert("subscription", subscription.clone().into());
        let tenant = text("tenant", problems).unwrap_or_else(|| {
            let known = self.inputs.caller.as_ref().and_then(|caller| caller.tenant_id.clone());
            known.unwrap_or_else(|| Token::Caller { claim: "tenantId".into() }.encode())
        });
        self.azure.borrow_mut().insert("tenant", tenant.clone().into());
        let location = text("location", problems).map(|location| normalize_location(&location));
        if let Some(location) = &location {
            self.azure.borrow_mut().insert("location", location.clone().into());
        }
        let tags = self.tags(self.azure.borrow().get("tags"), "azure.tags", problems);
        let resource_group = text("resourceGroup", problems);
        self.check_group(resource_group.as_deref(), "azure.resourceGroup", problems);
        Azure {
            subscription,
            tenant,
            location,
            resource_group,
            tags,
            register_providers: block.get("registerProviders") != Some(&Value::Bool(false)),
        }
    }

    /// The group's name becomes part of every id: it is checked before anything is made of it.
    fn check_group(&self, name: Option<&str>, path: &str, problems: &mut Diagnostics) {
        if let Some(name) = name
            && let Some(problem) = resource_group::name_problem(name)
        {
            let mut diagnostic = Diagnostic::error(problem.code, problem.message);
            diagnostic.help = problem.help;
            problems.push(diagnostic.at(self.source.locate(path, At::Value)));
        }
    }

    /// Tags are texts; numbers and truth values are written as such.
    fn tags(&self, tags: Option<&Value>, path: &str, problems: &mut Diagnostics) -> Map<String, Value> {
        let mut all = Map::new();
        match tags {
            None | Some(Value::Null) => {}
            Some(Value::Object(tags)) => {
                for (key, value) in tags {
                    let text = match value {
                        Value::String(text) => text.clone(),
                        Value::Number(_) | Value::Bool(_) => value.to_string(),
                        _ => {
                            problems.push(
                                Diagnostic::error("wrong-type", format!("the tag `{key}` must be a text"))
                                    .at(self.source.locate(&format!("{path}.{key}"), At::Value))
                                    .help("a tag is a name and a text, such as `team: platform`"),
                            );
                            continue;
                        }
                    };
                    all.insert(key.clone(), text.into());
                }
            }
            Some(_) => problems.push(
                Diagnostic::error("wrong-type", "`tags` must be a mapping of names to texts")
                    .at(self.source.locate(path, At::Value))
                    .help("write `tags: { team: platform }`"),
            ),
        }
        all
    }

    fn section(&self, kind: &Kind, azure: &Azure, entries: &mut Vec<Entry>, problems: &mut Diagnostics) {
        let section = match self.root.get(kind.section) {
            None | Some(Value::Null) => return,
            Some(Value::Object(section)) => section,
            Some(_) => {
                problems.push(
                    Diagnostic::error(
                        "wrong-type",
                        format!("`{}` must be a mapping of keys to entries", kind.section),
                    )
                    .at(self.source.locate(kind.section, At::Value))
                    .help("write the key of an entry, a colon, and its fields below"),
                );
                return;
            }
        };
        for (key, raw) in section {
            let path = format!("{}.{key}", kind.section);
            if !is_logical_name(key) {
                problems.push(
                    Diagnostic::error("entry-key", format!("`{key}` cannot be the key of an entry"))
                        .at(self.source.locate(&path, At::Key))
                        .help("a key is a small letter, then letters, digits and `_`; the Azure name goes into `name:`"),
                );
                continue;
            }
            let raw = match raw {
                Value::Null => &Value::Object(Map::new()),
                Value::Object(_) => raw,
                _ => {
                    problems.push(
                        Diagnostic::error("wrong-type", "an entry is a mapping of fields")
                            .at(self.source.locate(&path, At::Value))
                            .help("write the fields below the key, indented: `name: …`"),
                    );
                    continue;
                }
            };
            if let Some(entry) = self.entry(kind, key, &path, raw, azure, problems) {
                entries.push(entry);
            }
        }
    }

    fn entry(
        &self,
        kind: &Kind,
        key: &str,
        path: &str,
        raw: &Value,
        azure: &Azure,
        problems: &mut Diagnostics,
    ) -> Option<Entry> {
        let before = problems.len();
        self.poisoned.set(false);
        let failed = |drafts| {
            Some(Entry { path: path.to_owned(), evaluated: Value::Null, drafts, state: EntryState::Failed })
        };
        if let Some(when) = raw.get("when") {
            match self.evaluate(when, &format!("{path}.when"), problems) {
                Value::Bool(true) => {}
                Value::Bool(false) => {
                    let state = EntryState::Off;
                    return Some(Entry {
                        path: path.to_owned(),
                        evaluated: Value::Null,
                        drafts: Vec::new(),
                        state,
                    });
                }
                Value::Null if self.poisoned.get() => return failed(Vec::new()),
                _ => {
                    problems.push(
                        Diagnostic::error("wrong-type", "`when` must be true or false")
                            .at(self.source.locate(&format!("{path}.when"), At::Value))
                            .help("compare: `when: ${param.environment == 'prod'}`"),
                    );
                    return failed(Vec::new());
                }
            }
        }
        let evaluated = self.evaluate(raw, path, problems);
        let mut fields = evaluated.as_object().cloned().unwrap_or_default();
        let common = self.common(key, path, &mut fields, azure, problems);
        // A field whose expression has no value would only raise a second complaint.
        if problems.len() > before || self.poisoned.take() {
            return failed(Vec::new());
        }
        let mut cx =
            EntryCx { address: Address::new(path), key, common, drafts: Vec::new(), problems: Vec::new() };
        (kind.expand)(Value::Object(fields), &mut cx);
        for problem in cx.problems {
            if problem.code == "shape" {
                problems.push(messages::shape(self.source, path, &problem.path, &problem.message));
                continue;
            }
            let place =
                if problem.path.is_empty() { path.to_owned() } else { format!("{path}.{}", problem.path) };
            let at = if problem.path.is_empty() { At::Key } else { At::Value };
            problems.push(Diagnostic {
                code: problem.code,
                severity: if problem.warning { Severity::Warning } else { Severity::Error },
                message: problem.message,
                span: self.source.locate(&place, at),
                help: problem.help,
            });
        }
        let state = if cx.drafts.is_empty() { EntryState::Failed } else { EntryState::Expanded };
        Some(Entry { path: path.to_owned(), evaluated, drafts: cx.drafts, state })
    }

    fn common(
        &self,
        key: &str,
        path: &str,
        fields: &mut Map<String, Value>,
        azure: &Azure,
        problems: &mut Diagnostics,
    ) -> Common {
        let mut text = |field: &str, problems: &mut Diagnostics| match fields.remove(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(Value::Number(number)) if field == "name" => Some(number.to_string()),
            Some(_) => {
                problems.push(
                    Diagnostic::error("wrong-type", format!("`{field}` must be a text"))
                        .at(self.source.locate(&format!("{path}.{field}"), At::Value))
                        .help("write it as a text"),
                );
                None
            }
        };
        let name = text("name", problems).unwrap_or_else(|| key.to_owned());
        let location =
            text("location", problems).map(|l| normalize_location(&l)).or_else(|| azure.location.clone());
        let own_group = text("resourceGroup", problems);
        self.check_group(own_group.as_deref(), &format!("{path}.resourceGroup"), problems);
        let group = own_group.or_else(|| azure.resource_group.clone());
        let timeout = text("timeout", problems).and_then(|text| {
            let timeout = parse_duration(&text);
            if timeout.is_none() {
                problems.push(
                    Diagnostic::error("wrong-value", format!("`{text}` is no duration"))
                        .at(self.source.locate(&format!("{path}.timeout"), At::Value))
                        .help("write a number with its unit: `90s`, `30m`, `2h`"),
                );
            }
            timeout
        });
        fields.remove("when");
        let mut tags = azure.tags.clone();
        let own = fields.remove("tags");
        tags.extend(self.tags(own.as_ref(), &format!("{path}.tags"), problems));
        let protect = match fields.remove("protect") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(protect)) => Some(protect),
            Some(_) => {
                problems.push(
                    Diagnostic::error("wrong-type", "`protect` must be true or false")
                        .at(self.source.locate(&format!("{path}.protect"), At::Value))
                        .help("write `protect: true` or `protect: false`"),
                );
                None
            }
        };
        let depends_on = match fields.remove("dependsOn") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => {
                items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            Some(Value::String(one)) => vec![one],
            Some(_) => {
                problems.push(
                    Diagnostic::error("wrong-type", "`dependsOn` must be a list of addresses")
                        .at(self.source.locate(&format!("{path}.dependsOn"), At::Value))
                        .help("write `dependsOn: [clusters.aks]`"),
                );
                Vec::new()
            }
        };
        let broken = |field| self.broken.borrow().contains(&field);
        if group.is_none() && !broken("resourceGroup") {
            problems.push(
                Diagnostic::error("missing-field", "no resource group is said for this entry")
                    .at(self.source.locate(path, At::Key))
                    .help("add `resourceGroup: …` under `azure:`, or here"),
            );
        }
        if location.is_none() && !broken("location") {
            problems.push(
                Diagnostic::error("missing-field", "no location is said for this entry")
                    .at(self.source.locate(path, At::Key))
                    .help("add `location: westeurope` under `azure:`, or `location:` here"),
            );
        }
        Common {
            name,
            subscription: azure.subscription.clone(),
            tenant: azure.tenant.clone(),
            resource_group: group.unwrap_or_default(),
            location: location.unwrap_or_default(),
            tags,
            protect,
            timeout,
            depends_on,
            properties: fields.remove("properties"),
        }
    }

    fn outputs(&self, problems: &mut Diagnostics) -> Vec<RawOutput> {
        let outputs = match self.root.get("outputs") {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Object(outputs)) => outputs,
            Some(_) => {
                problems.push(
                    Diagnostic::error("wrong-type", "`outputs` must be a mapping of names to values")
                        .at(self.source.locate("outputs", At::Value))
                        .help("write `outputs: { issuer: \"${clusters.aks.oidcIssuerUrl}\" }`"),
                );
                return Vec::new();
            }
        };
        let mut all = Vec::new();
        for (name, raw) in outputs {
            let path = format!("outputs.{name}");
            let (raw, path, secret) = match raw.as_object().and_then(|long| Some((long.get("value")?, long)))
            {
                Some((value, long)) => {
                    (value, format!("{path}.value"), long.get("secret") == Some(&Value::Bool(true)))
                }
                None => (raw, path, false),
            };
            let value = self.evaluate(raw, &path, problems);
            if self.poisoned.take() {
                continue;
            }
            let holds_secret =
                crate::value::token::any(&value, &|token| matches!(token, Token::Secret { .. }));
            all.push(RawOutput { name: name.clone(), value, secret: secret || holds_secret });
        }
        all
    }

    /// A field by which others know an entry before anything else of it is evaluated.
    fn identity(&self, section: &str, key: &str, field: &str) -> Result<Value, Fault> {
        let path = format!("{section}.{key}.{field}");
        match self.identities.borrow().get(&path) {
            Some(Some(known)) => return Ok(known.clone()),
            Some(None) => {
                return Err(Fault::new(
                    format!("the value of `{path}` needs itself"),
                    "break the circle: write one of the names without an expression",
                ));
            }
            None => {}
        }
        self.identities.borrow_mut().insert(path.clone(), None);
        let raw =
            self.root.get(section).and_then(|section| section.get(key)).and_then(|entry| entry.get(field));
        let value = match raw {
            Some(Value::String(text)) => expression::evaluate(text, self)?,
            Some(other) => other.clone(),
            None if field == "name" => Value::String(key.to_owned()),
            None => self.azure.borrow().get(field).cloned().unwrap_or(Value::Null),
        };
        self.identities.borrow_mut().insert(path, Some(value.clone()));
        Ok(value)
    }
}

impl Scope for World<'_> {
    fn lookup(&self, path: &[&str]) -> Result<Value, Fault> {
        let within = |value: &Value, rest: &[&str]| {
            rest.iter().enumerate().try_fold(value.clone(), |value, (at, name)| match value.get(name) {
                Some(found) => Ok(found.clone()),
                None => {
                    let keys: Vec<&str> =
                        value.as_object().map(|m| m.keys().map(String::as_str).collect()).unwrap_or_default();
                    let whole = path[..path.len() - rest.len() + at].join(".");
                    Err(Fault::unknown(&format!("member of `{whole}` named"), name, keys.into_iter()))
                }
            })
        };
        match path {
            ["param", name, rest @ ..] => match self.parameters.values.get(*name) {
                Some(Parameter::Plain(value)) => within(value, rest),
                Some(Parameter::Secret) => Ok(Token::Secret { name: (*name).to_owned() }.encode().into()),
                None if self.parameters.broken.iter().any(|broken| broken == name) => Err(Fault::follows()),
                None => {
                    Err(Fault::unknown("parameter", name, self.parameters.values.keys().map(String::as_str)))
                }
            },
            ["env", name] => match self.inputs.environment.get(*name) {
                Some(value) => Ok(value.clone().into()),
                None if self.inputs.missing == Missing::MakeUp => Ok(match *name {
                    "AZURE_SUBSCRIPTION_ID" | "AZURE_TENANT_ID" => {
                        "00000000-0000-0000-0000-000000000000".into()
                    }
                    other => format!("made-up-{}", other.to_lowercase()).into(),
                }),
                None => Err(Fault::new(
                    format!("the environment variable {name} is not set"),
                    format!("set {name}, or rehearse with `--sim`, which needs no environment"),
                )),
            },
            ["azure", name, rest @ ..] => match self.azure.borrow().get(*name) {
                Some(value) => within(value, rest),
                None => {
                    let known = ["subscription", "tenant", "location", "resourceGroup", "tags"];
                    Err(match known.contains(name) {
                        true if self.broken.borrow().contains(name) => Fault::follows(),
                        true => Fault::new(
                            format!("`azure.{name}` is not said, or is said by way of itself"),
                            format!("add `{name}:` under `azure:`"),
                        ),
                        false => Fault::unknown("field of `azure` named", name, known.into_iter()),
                    })
                }
            },
            ["caller", claim @ ("tenantId" | "objectId")] => {
                let caller = self.inputs.caller.as_ref();
                let known = caller.and_then(|caller| match *claim {
                    "tenantId" => caller.tenant_id.clone(),
                    _ => caller.object_id.clone(),
                });
                Ok(known.unwrap_or_else(|| Token::Caller { claim: (*claim).to_owned() }.encode()).into())
            }
            ["caller", claim, ..] => {
                Err(Fault::unknown("claim of the caller named", claim, ["tenantId", "objectId"].into_iter()))
            }
            ["blueprint"] => Ok(self.root.get("blueprint").cloned().unwrap_or(Value::Null)),
            [section, key, rest @ ..] if registry().iter().any(|kind| kind.section == *section) => {
                let entries = self.root.get(*section).and_then(Value::as_object);
                if entries.is_none_or(|entries| !entries.contains_key(*key)) {
                    let keys: Vec<&str> =
                        entries.map(|e| e.keys().map(String::as_str).collect()).unwrap_or_default();
                    return Err(Fault::unknown(
                        &format!("entry in `{section}` named"),
                        key,
                        keys.into_iter(),
                    ));
                }
                if let [field @ ("name" | "location" | "resourceGroup")] = rest {
                    return self.identity(section, key, field);
                }
                Ok(Token::Reference { path: path.join("."), facet: String::new() }.encode().into())
            }
            [name, ..] => {
                let roots = ["param", "env", "azure", "caller", "blueprint"];
                let known: Vec<&str> =
                    roots.into_iter().chain(registry().iter().map(|kind| kind.section)).collect();
                Err(if known.contains(name) {
                    Fault::new(format!("`{name}` alone is no value"), format!("say which: `{name}.…`"))
                } else {
                    Fault::unknown("section or value", name, known.into_iter())
                })
            }
            [] => Err(Fault::new("an expression is empty", "write what it stands for")),
        }
    }
}

/// A duration as people write it: `90s`, `30m`, `2h`, `1h30m`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut seconds = 0u64;
    let mut number = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => number.push(c),
            's' | 'm' | 'h' => {
                let unit = match c {
                    's' => 1,
                    'm' => 60,
                    _ => 3600,
                };
                seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
                number.clear();
            }
            _ => return None,
        }
    }
    (number.is_empty() && seconds > 0).then(|| Duration::from_secs(seconds))
}
