//! The `azure:` block: of the blueprint, and of its modules, which inherit it.

use super::environment::ENVIRONMENT;
use super::evaluator::Evaluator;
use super::messages;
use super::messages::MISSING_FIELD;
use super::messages::WRONG_TYPE;
use super::modules::MODULE_AZURE;
use super::source::At;
use super::traps;
use crate::catalog::kinds::resource_group;
use crate::diag::{Code, Diagnostic};
use crate::ident::{meant_region, normalize_location};
use crate::value::token::{Token, has_token};
use serde_json::{Map, Value};

/// The `azure:` block, evaluated.
#[derive(Debug, Clone, Default)]
pub(crate) struct Azure {
    pub(crate) subscription: String,
    pub(crate) tenant: String,
    pub(crate) location: Option<String>,
    pub(crate) resource_group: Option<String>,
    pub(crate) tags: Map<String, Value>,
    pub(crate) register_providers: bool,
    /// Preview features to register besides those that follow: `Microsoft.ContainerService/WindowsPreview`.
    pub(crate) features: Vec<String>,
    /// Resource providers to register besides those that follow.
    pub(crate) providers: Vec<String>,
}

pub(super) const SUBSCRIPTION: Code = Code {
    name: "subscription",
    why: "A subscription is named by its id, a GUID, and not by its name.",
    remedy: "`az account show --query id` prints it; or take it from the environment.",
    example: "subscription: ${env.AZURE_SUBSCRIPTION_ID}",
};

pub(super) const REGION: Code = Code {
    name: "region",
    why: "The location is not a region of Azure, but nearly one.",
    remedy: "Write the region's name as `az account list-locations` prints it.",
    example: "location: westeurope",
};

pub(super) const FEATURE: Code = Code {
    name: "feature",
    why: "A preview feature is named by its provider and its name, a resource provider by its namespace.",
    remedy: "Write them as `az feature list` and `az provider list` print them.",
    example: "features: [Microsoft.ContainerService/WindowsPreview]",
};

/// What the block of the blueprint may say.
const FIELDS: &[&str] = &[
    "subscription",
    "tenant",
    "location",
    "resourceGroup",
    "tags",
    "registerProviders",
    "features",
    "providers",
];

/// What the block of a module may say.
pub(super) const OF_MODULE: &[&str] = &["location", "resourceGroup", "tags"];

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

impl Evaluator<'_> {
    /// Evaluates the block of the blueprint.
    pub(super) fn azure_block(&self) -> Azure {
        let empty = Map::new();
        let block = self.block_fields(FIELDS).unwrap_or(&empty);
        let inputs = self.shared.inputs;
        let chosen = inputs.chosen.as_ref().and_then(|chosen| chosen.subscription.as_ref());
        // A variable that is not set says nothing, where the environment says it.
        let unset = |raw: &Value| chosen.is_some() && self.is_unset_variable(raw);
        self.evaluate_block(block, FIELDS, &|field| {
            field == "subscription" && (inputs.subscription.is_some() || block.get(field).is_some_and(unset))
        });
        let text = |field: &'static str| self.block_text(field);
        let subscription = match (&inputs.subscription, chosen) {
            (Some(given), _) => given.clone(),
            (None, Some(chosen)) => {
                if let Some(text) = text("subscription").filter(|text| !text.eq_ignore_ascii_case(chosen)) {
                    self.tell_other_subscription(&text, chosen);
                }
                chosen.clone()
            }
            (None, None) => match text("subscription") {
                Some(text) => {
                    if uuid::Uuid::try_parse(&text).is_err() {
                        self.tell(
                            Diagnostic::error(
                                &SUBSCRIPTION,
                                format!("`{text}` is not the id of a subscription"),
                            )
                            .at(self.locate("azure.subscription", At::Value))
                            .help("a subscription id is a GUID; `az account show --query id` prints it"),
                        );
                    }
                    text
                }
                None => {
                    if !block.contains_key("subscription") {
                        self.tell(
                            Diagnostic::error(&MISSING_FIELD, "`azure` needs `subscription`")
                                .at(self.locate("azure", At::Key).or_else(|| self.locate("", At::Value)))
                                .help("add `subscription: ${env.AZURE_SUBSCRIPTION_ID}` under `azure:`"),
                        );
                    }
                    NOBODY.to_owned()
                }
            },
        };
        let tenant = text("tenant").unwrap_or_else(|| {
            let known = self.shared.inputs.caller.as_ref().and_then(|caller| caller.tenant_id.clone());
            known.unwrap_or_else(|| Token::Caller { claim: "tenantId".into() }.encode())
        });
        let location = text("location").map(|location| normalize_location(&location));
        self.check_region(location.as_deref(), "azure.location");
        let tags = self.tags(self.azure.borrow().get("tags"), "azure.tags");
        let resource_group = text("resourceGroup");
        let good = self.check_group(resource_group.as_deref(), "azure.resourceGroup");
        let resource_group = resource_group.filter(|_| good);
        if !good {
            self.spoil("resourceGroup");
        }
        self.settle(Azure {
            subscription,
            tenant,
            location,
            resource_group,
            tags,
            register_providers: block.get("registerProviders") != Some(&Value::Bool(false)),
            features: self.names("features", 2, "Microsoft.ContainerService/WindowsPreview"),
            providers: self.names("providers", 1, "Microsoft.ContainerService"),
        })
    }

    /// Whether this is `${env.NAME}` alone, and there is no such variable.
    fn is_unset_variable(&self, raw: &Value) -> bool {
        let inside = raw.as_str().and_then(|text| text.trim().strip_prefix("${")?.strip_suffix('}'));
        let name = inside.and_then(|inside| inside.trim().strip_prefix("env."));
        name.is_some_and(|name| self.shared.inputs.environment.get(name).is_none_or(String::is_empty))
    }

    /// A list of names that have so many parts.
    fn names(&self, field: &'static str, parts: usize, example: &str) -> Vec<String> {
        let known = self.azure.borrow().get(field).cloned();
        let items = match known {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, format!("`azure.{field}` must be a list of names"))
                        .at(self.locate(&format!("azure.{field}"), At::Value))
                        .help(format!("write `{field}: [{example}]`")),
                );
                return Vec::new();
            }
        };
        let is_name = |name: &str| {
            let plain = |part: &str| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            };
            name.split('/').count() == parts
                && name.split('/').all(plain)
                && name.split('/').next().is_some_and(|namespace| namespace.contains('.'))
        };
        let mut names = Vec::new();
        for (at, item) in items.iter().enumerate() {
            match item.as_str() {
                Some(name) if is_name(name) => names.push(name.to_owned()),
                _ => self.tell(
                    Diagnostic::error(
                        &FEATURE,
                        format!("{item} is not one of the names that `azure.{field}` takes"),
                    )
                    .at(self.locate(&format!("azure.{field}[{at}]"), At::Value))
                    .help(format!("write a name such as `{example}`")),
                ),
            }
        }
        names
    }

    /// Tells that the blueprint is for another subscription than its environment.
    fn tell_other_subscription(&self, text: &str, chosen: &str) {
        let Some(environment) = &self.shared.inputs.chosen else { return };
        let (name, file) = (&environment.name, environment.file().unwrap_or_default());
        self.tell(
            Diagnostic::error(
                &ENVIRONMENT,
                format!(
                    "the environment `{name}` is for the subscription `{chosen}`, and `azure.subscription` is `{text}`"
                ),
            )
            .at(self.locate("azure.subscription", At::Value))
            .help(format!(
                "correct the variable or the parameter that it comes from, or `subscription` in {file}; a blueprint whose environments say it needs no `azure.subscription`"
            )),
        );
    }

    /// Evaluates the block of a module: over what it inherits comes what its file says, and over that what `call` says,
    /// the `azure:` of the entry that includes it, already evaluated.
    pub(super) fn azure_of_module(
        &self,
        inherited: &Azure,
        call: Option<&Value>,
        path: &str,
        caller: &Evaluator<'_>,
    ) -> Azure {
        let empty = Map::new();
        let block = self.block_fields(OF_MODULE).unwrap_or(&empty);
        let said = |field: &str| call.and_then(|call| call.get(field)).filter(|value| !value.is_null());
        self.inherit(inherited);
        self.evaluate_block(block, OF_MODULE, &|field| field != "tags" && said(field).is_some());
        let mut azure = inherited.clone();
        azure.tags.extend(self.tags(block.get("tags").and(self.azure.borrow().get("tags")), "azure.tags"));
        azure.tags.extend(caller.tags(said("tags"), &format!("{path}.azure.tags")));
        for (field, slot) in [("location", &mut azure.location), ("resourceGroup", &mut azure.resource_group)]
        {
            let (own, place) = match said(field) {
                Some(Value::String(text)) if !text.is_empty() => (Some(text.clone()), None),
                Some(_) => {
                    caller.tell(
                        Diagnostic::error(&WRONG_TYPE, format!("`azure.{field}` must be a text"))
                            .at(caller.locate(&format!("{path}.azure.{field}"), At::Value))
                            .help("write it as a text"),
                    );
                    (None, None)
                }
                None => match block.contains_key(field) {
                    true => (self.block_text(field), Some(format!("azure.{field}"))),
                    false => (None, None),
                },
            };
            if field == "location" {
                match &place {
                    Some(place) => self.check_region(own.as_deref(), place),
                    None => caller.check_region(own.as_deref(), &format!("{path}.azure.{field}")),
                }
            }
            if field == "resourceGroup" && own.is_some() {
                let good = match place {
                    Some(place) => self.check_group(own.as_deref(), &place),
                    None => caller.check_group(own.as_deref(), &format!("{path}.azure.{field}")),
                };
                if !good {
                    self.spoil("resourceGroup");
                }
            }
            let own = match field {
                "location" => own.map(|location| normalize_location(&location)),
                _ => own,
            };
            *slot = own.or_else(|| slot.take());
        }
        self.settle(azure)
    }

    fn inherit(&self, azure: &Azure) {
        let mut known = self.azure.borrow_mut();
        known.insert("subscription", azure.subscription.clone().into());
        known.insert("tenant", azure.tenant.clone().into());
        let texts = [("location", &azure.location), ("resourceGroup", &azure.resource_group)];
        known.extend(texts.into_iter().filter_map(|(field, text)| Some((field, text.clone()?.into()))));
        known.insert("tags", Value::Object(azure.tags.clone()));
    }

    fn settle(&self, azure: Azure) -> Azure {
        self.inherit(&azure);
        self.settled.get_or_init(|| azure).clone()
    }

    /// The block, when there is one; what it may not say is told.
    fn block_fields(&self, fields: &[&str]) -> Option<&Map<String, Value>> {
        let block = match self.root.get("azure") {
            Some(Value::Object(block)) => block,
            None | Some(Value::Null) => return None,
            Some(_) => {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, "`azure` must be a mapping")
                        .at(self.locate("azure", At::Value))
                        .help("write `azure: { subscription: …, location: westeurope, resourceGroup: … }`"),
                );
                return None;
            }
        };
        for name in block.keys().filter(|name| !fields.contains(&name.as_str())) {
            if FIELDS.contains(&name.as_str()) {
                self.tell(
                    Diagnostic::error(&MODULE_AZURE, format!("a module cannot say `azure.{name}`"))
                        .at(self.locate(&format!("azure.{name}"), At::Key))
                        .help("remove it: a module has the subscription and the tenant of its blueprint"),
                );
                continue;
            }
            let known = fields.join("`, `");
            let message = format!("unknown field `{name}`, expected one of `{known}`");
            self.tell(messages::shape(self.source, "azure", "", &message, &[]));
        }
        Some(block)
    }

    fn evaluate_block(
        &self,
        block: &Map<String, Value>,
        fields: &[&'static str],
        is_given: &dyn Fn(&str) -> bool,
    ) {
        for &field in fields {
            let Some(raw) = block.get(field).filter(|_| !is_given(field)) else { continue };
            match self.try_evaluate(raw, &format!("azure.{field}")) {
                Some(value) => {
                    self.azure.borrow_mut().insert(field, value);
                }
                None => self.broken.borrow_mut().push(field),
            }
        }
    }

    /// A field that is written and has no value, by a mistake that is told: what asks for it is not told again.
    fn spoil(&self, field: &'static str) {
        self.azure.borrow_mut().remove(field);
        self.broken.borrow_mut().push(field);
    }

    fn block_text(&self, field: &'static str) -> Option<String> {
        let known = self.azure.borrow().get(field).cloned();
        match known {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            None | Some(Value::Null) => None,
            Some(other) => {
                let message = format!("`azure.{field}` must be a text, not `{other}`");
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, message)
                        .at(self.locate(&format!("azure.{field}"), At::Value))
                        .help("write it as a text"),
                );
                self.spoil(field);
                None
            }
        }
    }

    /// A region that is nearly one: Azure would say so only when the first resource is made.
    pub(super) fn check_region(&self, location: Option<&str>, path: &str) {
        if let Some((text, meant)) = location.and_then(|text| Some((text, meant_region(text)?)))
            && !has_token(text)
        {
            self.tell(
                Diagnostic::error(&REGION, format!("`{text}` is not a region of Azure"))
                    .at(self.locate(path, At::Value))
                    .help(format!("did you mean `{meant}`?")),
            );
        }
    }

    /// The group's name becomes part of every id: it is checked before anything is made of it.
    pub(super) fn check_group(&self, name: Option<&str>, path: &str) -> bool {
        if let Some(name) = name
            && let Some(problem) = resource_group::name_problem(name)
        {
            let mut diagnostic = Diagnostic::error(problem.code, problem.message);
            diagnostic.help = problem.help;
            self.tell(diagnostic.at(self.locate(path, At::Value)));
            return false;
        }
        true
    }

    /// Whether what is at a path is an expression, so that nothing in its place means that it failed.
    fn failed_at(&self, path: &str) -> bool {
        let written = crate::value::get_path(&self.source.tree, path).and_then(Value::as_str);
        written.is_some_and(super::expression::is_expression)
    }

    /// Tags are texts; numbers and truth values are written as such.
    pub(super) fn tags(&self, tags: Option<&Value>, path: &str) -> Map<String, Value> {
        let mut all = Map::new();
        match tags {
            None | Some(Value::Null) => {}
            Some(Value::Object(tags)) => {
                for (key, value) in tags {
                    let text = match value {
                        Value::String(text) => text.clone(),
                        // An expression that has no value was told where it was evaluated.
                        Value::Null if self.failed_at(&format!("{path}.{key}")) => continue,
                        Value::Number(_) | Value::Bool(_) => {
                            if let Some(problem) =
                                traps::altered(self.source, &format!("{path}.{key}"), value)
                            {
                                self.tell(problem);
                            }
                            value.to_string()
                        }
                        _ => {
                            self.tell(
                                Diagnostic::error(&WRONG_TYPE, format!("the tag `{key}` must be a text"))
                                    .at(self.locate(&format!("{path}.{key}"), At::Value))
                                    .help("a tag is a name and a text, such as `team: platform`"),
                            );
                            continue;
                        }
                    };
                    all.insert(key.clone(), text.into());
                }
            }
            Some(_) => self.tell(
                Diagnostic::error(&WRONG_TYPE, "`tags` must be a mapping of names to texts")
                    .at(self.locate(path, At::Value))
                    .help("write `tags: { team: platform }`"),
            ),
        }
        all
    }
}
