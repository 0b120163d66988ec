//! `modules:`: further files at work, each with parameters, an `azure:` block and outputs of its own.

use super::azure::OF_MODULE;
use super::each::Each;
use super::entry::{ENTRY_KEY, Entry, EntryState};
use super::evaluator::{Defaults, Evaluator};
use super::expression::{self, Fault};
use super::includes::Include;
use super::messages::MISSING_FIELD;
use super::messages::UNKNOWN_FIELD;
use super::messages::WRONG_TYPE;
use super::parameters::{self, Given};
use super::sections::check_sections;
use super::source::At;
use crate::catalog::SHAPE;
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::ident::is_logical_name;
use crate::value::parse_duration;
use serde_json::{Map, Value};
use std::rc::Rc;

/// What an entry of `modules` may say.
const FIELDS: &[&str] =
    &["include", "parameters", "azure", "forEach", "when", "dependsOn", "protect", "adopt", "timeout"];

/// More modules than this in one blueprint are a mistake: they multiply when modules hold modules.
const MOST: usize = 2_000;

/// What is known of a module.
pub(super) enum Module<'a> {
    /// It is being made.
    Busy,
    /// It has a mistake, which is told.
    Failed,
    /// Its `when` is false.
    Off,
    /// This is it.
    Ready(Rc<Evaluator<'a>>),
}

pub(super) const MODULE_AZURE: Code = Code {
    name: "module-azure",
    why: "A module has the subscription and the tenant of the blueprint that includes it; it can say only where in them its entries go.",
    remedy: "Leave `location`, `resourceGroup` and `tags` and remove the rest.",
    example: "azure: { location: westeurope }",
};

pub(super) const INCLUDE: Code = Code {
    name: "include",
    why: "The file of a module cannot be read, is not a blueprint, or includes itself. A path is meant from the folder of the file that includes it, and is a plain text: berth reads all files before it computes anything.",
    remedy: "Write the path of a file with `parameters:`, sections and `outputs:`.",
    example: "modules: { spoke: { include: ./spoke.yaml } }",
};

pub(super) const MODULE_EARLY: Code = Code {
    name: "module-early",
    why: "The `azure:` block is evaluated before any module, because modules inherit it.",
    remedy: "Write the value, or use a parameter.",
    example: "azure: { resourceGroup: \"rg-${param.environment}\" }",
};

pub(super) const MODULES: Code = Code {
    name: "modules",
    why: "Modules can hold modules, and `forEach` multiplies them; beyond a few thousand it is a mistake, as is a file that includes itself.",
    remedy: "Let `forEach` make fewer, or take the circle of includes out.",
    example: "modules: { spoke: { include: ./spoke.yaml } }",
};

impl<'a> Evaluator<'a> {
    /// The entries of `modules`.
    pub(super) fn declared_modules(&self) -> Option<&'a Map<String, Value>> {
        self.root.get("modules").and_then(Value::as_object)
    }

    /// Makes every module, and what is in it.
    pub(super) fn run_modules(&self, entries: &mut Vec<Entry<'a>>) {
        match self.root.get("modules") {
            None | Some(Value::Null) => return,
            Some(Value::Object(_)) => {}
            Some(_) => {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, "`modules` must be a mapping of names to modules")
                        .at(self.locate("modules", At::Value))
                        .help("write `modules: { spoke: { include: ./spoke.yaml } }`"),
                );
                return;
            }
        }
        for (name, raw) in self.declared_modules().into_iter().flatten() {
            let path = format!("modules.{name}");
            if !is_logical_name(name) {
                self.tell(
                    Diagnostic::error(&ENTRY_KEY, format!("`{name}` cannot be the name of a module"))
                        .at(self.locate(&path, At::Key))
                        .help("a name is a small letter, then letters, digits and `_`"),
                );
                continue;
            }
            let stand_in = |state| {
                Entry::without(format!("{}module.{name}", self.prefix), path.clone(), self.source, state)
            };
            let Some(fields) = raw.as_object() else {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, "a module is a mapping of fields")
                        .at(self.locate(&path, At::Value))
                        .help("write the fields below its name: `include: ./spoke.yaml`"),
                );
                entries.push(stand_in(EntryState::Failed));
                continue;
            };
            self.check_fields(fields, &path);
            let instances: Vec<Option<Rc<Each>>> = match fields.get("forEach") {
                None => vec![None],
                Some(for_each) => match self.instances(&path, for_each) {
                    Ok(all) => all.iter().cloned().map(Some).collect(),
                    Err(_) => {
                        entries.push(stand_in(EntryState::Failed));
                        continue;
                    }
                },
            };
            if instances.is_empty() {
                entries.push(stand_in(EntryState::Off));
            }
            for each in instances {
                // It was told.
                if self.shared.modules.get() > MOST {
                    return;
                }
                match self.module(name, each) {
                    Ok(Some(module)) => module.run(entries),
                    Ok(None) => entries.push(stand_in(EntryState::Off)),
                    Err(fault) => {
                        entries.push(stand_in(EntryState::Failed));
                        if !fault.follows {
                            self.tell_fault(fault, self.locate(&path, At::Key));
                        }
                    }
                }
            }
        }
    }

    fn check_fields(&self, fields: &Map<String, Value>, path: &str) {
        for field in fields.keys().filter(|field| !FIELDS.contains(&field.as_str())) {
            let help = match did_you_mean(field, FIELDS.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if ["source", "path", "file"].contains(&field.as_str()) => {
                    "the file of a module is behind `include:`".to_owned()
                }
                None => format!("a module has: {}", FIELDS.join(", ")),
            };
            self.tell(
                Diagnostic::error(&UNKNOWN_FIELD, format!("unknown field `{field}`"))
                    .at(self.locate(&format!("{path}.{field}"), At::Key))
                    .help(help),
            );
        }
    }

    /// One instance of a module, made when it is first asked for; `None` when it is switched off.
    pub(super) fn module(
        &self,
        name: &str,
        each: Option<Rc<Each>>,
    ) -> Result<Option<Rc<Evaluator<'a>>>, Fault> {
        let key = match &each {
            Some(each) => format!("{name}[{}]", each.key),
            None => name.to_owned(),
        };
        match self.modules.borrow().get(&key) {
            Some(Module::Ready(module)) => return Ok(Some(module.clone())),
            Some(Module::Off) => return Ok(None),
            Some(Module::Failed) => return Err(Fault::follows()),
            Some(Module::Busy) => {
                return Err(Fault::new(
                    format!("what `module.{key}` is given needs an output of `module.{key}`"),
                    "break the circle: give it a value that does not come out of it",
                ));
            }
            None => {}
        }
        self.modules.borrow_mut().insert(key.clone(), Module::Busy);
        let before = self.poisoned.replace(false);
        let found = self.with_each(each, || self.make(name, &key));
        self.poisoned.set(before);
        let (state, answer) = match found {
            Some(Made::Evaluator(module)) => (Module::Ready(module.clone()), Ok(Some(module))),
            Some(Made::Off) => (Module::Off, Ok(None)),
            None => (Module::Failed, Err(Fault::follows())),
        };
        self.modules.borrow_mut().insert(key, state);
        answer
    }

    fn make(&self, name: &str, key: &str) -> Option<Made<'a>> {
        let path = format!("modules.{name}");
        let call = self.declared_modules()?.get(name)?.as_object()?;
        if let Some(when) = call.get("when") {
            match self.try_evaluate(when, &format!("{path}.when"))? {
                Value::Bool(true) => {}
                Value::Bool(false) => return Some(Made::Off),
                _ => {
                    self.tell(
                        Diagnostic::error(&WRONG_TYPE, "`when` must be true or false")
                            .at(self.locate(&format!("{path}.when"), At::Value))
                            .help("compare: `when: ${param.environment == 'prod'}`"),
                    );
                    return None;
                }
            }
        }
        let made = self.shared.modules.get() + 1;
        self.shared.modules.set(made);
        if made > MOST {
            if made == MOST + 1 {
                self.tell(
                    Diagnostic::error(&MODULES, format!("there are more than {MOST} modules"))
                        .at(self.locate(&path, At::Key))
                        .help("this limit is fixed: modules in modules multiply, so let `forEach` make fewer, or make several blueprints"),
                );
            }
            return None;
        }
        let Some(inherited) = self.settled.get() else {
            self.tell(
                Diagnostic::error(&MODULE_EARLY, "the `azure:` block cannot use an output of a module")
                    .at(self.locate("azure", At::Key))
                    .help("modules inherit this block: write the value, or use a parameter"),
            );
            return None;
        };
        // All are looked at, so that the mistakes of all are told.
        let given = self.given(call, &path);
        let azure = match call.get("azure") {
            None | Some(Value::Null) => Some(None),
            Some(block) => self.call_block(block, &path).map(Some),
        };
        let defaults = self.module_defaults(call, &path);
        let source = self.included(call, &path)?;
        let Some(root) = source.tree.as_object() else {
            self.tell(
                Diagnostic::error(&SHAPE, "the file of a module is a mapping of sections")
                    .at(source.locate("", At::Value))
                    .help("write `parameters:`, sections such as `networks:`, and `outputs:`"),
            );
            return None;
        };
        let (given, azure, defaults) = (given?, azure?, defaults?);
        let prefix = format!("{}module.{key}.", self.prefix);
        let given = Given::Module { caller: self, path: &path, values: given, prefix: &prefix };
        let parameters = parameters::resolve(source, self.shared, &given);
        let mut module = Evaluator::new(self.shared, source, root, prefix, parameters);
        module.defaults = defaults;
        check_sections(&module);
        module.azure_of_module(inherited, azure.as_ref(), &path, self);
        Some(Made::Evaluator(Rc::new(module)))
    }

    /// The file behind `include:`.
    fn included(&self, call: &Map<String, Value>, path: &str) -> Option<&'a super::Source> {
        let place = format!("{path}.include");
        let wrong = |code, message: String, help: String| {
            let at = if call.contains_key("include") { At::Value } else { At::Key };
            let place = if call.contains_key("include") { &place } else { path };
            self.tell(Diagnostic::error(code, message).at(self.locate(place, at)).help(help));
            None
        };
        let Some(include) = call.get("include") else {
            return wrong(
                &MISSING_FIELD,
                "a module needs `include`".to_owned(),
                "add `include: ./spoke.yaml`, the file that the module is made of".to_owned(),
            );
        };
        let text = match include.as_str() {
            Some(text) if expression::is_expression(text) => {
                return wrong(
                    &INCLUDE,
                    "what a module includes cannot be computed".to_owned(),
                    "write the path; to choose between two files, write two modules with `when`".to_owned(),
                );
            }
            Some(text) if !text.is_empty() => text,
            _ => {
                return wrong(
                    &INCLUDE,
                    "`include` must be the path of a file".to_owned(),
                    "write `include: ./spoke.yaml`, meant from the folder of this file".to_owned(),
                );
            }
        };
        match self.source.includes.get(text) {
            Some(Include::File(source)) => Some(source),
            Some(Include::Unreadable(diagnostic)) => {
                self.tell((**diagnostic).clone());
                None
            }
            Some(Include::Missing { message, help }) => wrong(&INCLUDE, message.clone(), help.clone()),
            None => wrong(
                &INCLUDE,
                format!("`{text}` was not read"),
                "a blueprint that is given as a text alone cannot include files".to_owned(),
            ),
        }
    }

    fn given(&self, call: &Map<String, Value>, path: &str) -> Option<Map<String, Value>> {
        let place = format!("{path}.parameters");
        match call.get("parameters") {
            None | Some(Value::Null) => Some(Map::new()),
            Some(given @ Value::Object(_)) => match self.try_evaluate(given, &place)? {
                Value::Object(given) => Some(given),
                _ => None,
            },
            Some(_) => {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, "`parameters` must be a mapping of names to values")
                        .at(self.locate(&place, At::Value))
                        .help("write `parameters: { region: westeurope }`"),
                );
                None
            }
        }
    }

    fn call_block(&self, block: &Value, path: &str) -> Option<Value> {
        let place = format!("{path}.azure");
        let Some(members) = block.as_object() else {
            self.tell(
                Diagnostic::error(&WRONG_TYPE, "`azure` must be a mapping")
                    .at(self.locate(&place, At::Value))
                    .help("write `azure: { location: northeurope, resourceGroup: rg-spoke-eu }`"),
            );
            return None;
        };
        let mut good = true;
        for field in members.keys().filter(|field| !OF_MODULE.contains(&field.as_str())) {
            good = false;
            let help = match did_you_mean(field, OF_MODULE.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("a module can have its own {}", OF_MODULE.join(", ")),
            };
            self.tell(
                Diagnostic::error(&MODULE_AZURE, format!("a module cannot have its own `azure.{field}`"))
                    .at(self.locate(&format!("{place}.{field}"), At::Key))
                    .help(help),
            );
        }
        let block = self.try_evaluate(block, &place)?;
        good.then_some(block)
    }

    fn module_defaults(&self, call: &Map<String, Value>, path: &str) -> Option<Defaults> {
        let mut defaults = self.defaults.clone();
        for field in ["protect", "adopt", "timeout", "dependsOn"] {
            let Some(raw) = call.get(field).filter(|raw| !raw.is_null()) else { continue };
            let place = format!("{path}.{field}");
            let value = self.try_evaluate(raw, &place)?;
            let help = match (field, &value) {
                ("protect", Value::Bool(protect)) => {
                    defaults.protect = Some(*protect);
                    continue;
                }
                ("adopt", Value::Bool(adopt)) => {
                    defaults.adopt = *adopt;
                    continue;
                }
                ("timeout", Value::String(text)) if parse_duration(text).is_some() => {
                    defaults.timeout = parse_duration(text);
                    continue;
                }
                ("dependsOn", value) => match self.addresses(value) {
                    Some(addresses) => {
                        defaults.depends_on.extend(addresses);
                        continue;
                    }
                    None => "write `dependsOn: [clusters.aks]`",
                },
                ("protect", _) => "write `protect: true` or `protect: false`",
                ("adopt", _) => "write `adopt: true` or `adopt: false`",
                _ => "write a number with its unit: `90s`, `30m`, `2h`",
            };
            self.tell(
                Diagnostic::error(&WRONG_TYPE, format!("this cannot be the `{field}` of a module"))
                    .at(self.locate(&place, At::Value))
                    .help(help),
            );
            return None;
        }
        Some(defaults)
    }
}

impl Evaluator<'_> {
    /// The resource groups of the modules, and of those in them.
    pub(super) fn groups(&self) -> Vec<Group> {
        let mut groups = Vec::new();
        // In the order of names, so that the result is the same every time.
        let modules = self.modules.borrow();
        let mut names: Vec<&String> = modules.keys().collect();
        names.sort();
        for name in names {
            let Some(Module::Ready(module)) = modules.get(name) else { continue };
            if let Some(azure) = module.settled.get()
                && let (Some(name), Some(location)) = (&azure.resource_group, &azure.location)
            {
                groups.push(Group {
                    prefix: module.prefix.clone(),
                    name: name.clone(),
                    location: location.clone(),
                    tags: azure.tags.clone(),
                });
            }
            groups.extend(module.groups());
        }
        groups
    }
}

/// The resource group of a file.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// What is before addresses in the file.
    pub(crate) prefix: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) tags: Map<String, Value>,
}

enum Made<'a> {
    Evaluator(Rc<Evaluator<'a>>),
    Off,
}
