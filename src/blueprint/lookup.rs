//! What names in expressions stand for.

use super::each::Each;
use super::evaluator::Evaluator;
use super::existing::EXISTING;
use super::expression::{self, Fault, Scope};
use super::inputs::Missing;
use super::parameters::Parameter;
use super::parts::PartPaths;
use super::sections::is_misspelt;
use super::written::split_index;
use crate::catalog::{Kind, registry};
use crate::value::token::{self, Token};
use serde_json::Value;
use std::rc::Rc;

/// The first segments that are no sections.
const ROOTS: &[&str] = &["param", "each", "env", "environment", "azure", "caller", "blueprint", "module"];

impl Scope for Evaluator<'_> {
    fn lookup(&self, path: &[&str]) -> Result<Value, Fault> {
        match path {
            ["param", name, rest @ ..] => match self.parameters.values.get(*name) {
                Some(Parameter::Plain(value)) => within(value, path, rest),
                Some(Parameter::Secret) => {
                    let name = format!("{}{name}", self.prefix);
                    Ok(Token::Secret { name }.encode().into())
                }
                None if self.parameters.broken.iter().any(|broken| broken == name) => Err(Fault::follows()),
                None => {
                    Err(Fault::unknown("parameter", name, self.parameters.values.keys().map(String::as_str)))
                }
            },
            ["each", rest @ ..] => self.each_value(path, rest),
            ["env", name] => self.variable(name),
            ["azure", name, rest @ ..] => match self.azure.borrow().get(*name) {
                Some(value) => within(value, path, rest),
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
                let caller = self.shared.inputs.caller.as_ref();
                let known = caller.and_then(|caller| match *claim {
                    "tenantId" => caller.tenant_id.clone(),
                    _ => caller.object_id.clone(),
                });
                match known {
                    Some(known) => Ok(known.into()),
                    None if self.shared.inputs.is_signed_in() => Err(Fault::new(
                        format!(
                            "`caller.{claim}` is not known: the token of who is signed in does not say it"
                        ),
                        "write the id itself, or take it from a parameter",
                    )),
                    None => Ok(Token::Caller { claim: (*claim).to_owned() }.encode().into()),
                }
            }
            ["caller", claim, ..] => {
                Err(Fault::unknown("claim of the caller named", claim, ["tenantId", "objectId"].into_iter()))
            }
            ["blueprint"] => Ok(self.shared.blueprint.clone().into()),
            ["environment", "name"] => match &self.shared.inputs.chosen {
                Some(chosen) => Ok(chosen.name.clone().into()),
                None => Err(Fault::new(
                    "this run has no environment",
                    "say which with `-e NAME`: it is a file `environments/NAME.yaml` beside the blueprint",
                )),
            },
            ["environment", other, ..] => {
                Err(Fault::unknown("member of `environment` named", other, ["name"].into_iter()))
            }
            ["module", name, rest @ ..] => self.module_value(path, name, rest),
            [section, key, rest @ ..] if is_section(section) => self.entry_value(path, section, key, rest),
            [name, ..] => {
                let known: Vec<&str> =
                    ROOTS.iter().copied().chain(registry().iter().map(|kind| kind.section)).collect();
                Err(if known.contains(name) {
                    Fault::new(format!("`{name}` alone is not a value"), format!("say which: `{name}.…`"))
                } else {
                    let fault = Fault::unknown("section or value", name, known.into_iter());
                    match *name {
                        "var" | "variables" | "parameters" | "params" => {
                            Fault { help: "did you mean `param`?".to_owned(), ..fault }
                        }
                        name if name.starts_with("azurerm_") || name == "data" => Fault {
                            help: "refer to an entry of the blueprint by section and key, such as \
                                   `${networks.hub.subnets.nodes}`; what others made is an entry of `existing`"
                                .to_owned(),
                            ..fault
                        },
                        _ => fault,
                    }
                })
            }
            [] => Err(Fault::new("an expression is empty", "write what it stands for")),
        }
    }

    fn holds_entries(&self, root: &str) -> bool {
        root == "module" || is_section(root)
    }
}

impl Evaluator<'_> {
    fn each_value(&self, path: &[&str], rest: &[&str]) -> Result<Value, Fault> {
        let borrowed = self.each.borrow();
        let Some(each) = borrowed.clone() else {
            return Err(Fault::new(
                "`each` has a value only in an entry, or a part of one, with `forEach`",
                "add `forEach:` to the entry or the part, or use a parameter",
            ));
        };
        match rest {
            ["parent", rest @ ..] if each.parent.is_some() => {
                let parent = each.parent.clone();
                drop(borrowed);
                self.with_each(parent, || self.each_value(path, rest))
            }
            ["key"] => Ok(each.key.clone().into()),
            ["value", rest @ ..] => within(&each.value, path, rest),
            [] => Err(Fault::new("`each` alone is not a value", "say `each.key` or `each.value`")),
            [other, ..] => Err(Fault::unknown("member of `each` named", other, ["key", "value"].into_iter())),
        }
    }

    fn variable(&self, name: &str) -> Result<Value, Fault> {
        if !self.prefix.is_empty() {
            return Err(Fault::new(
                "`env` is for the blueprint's own file: a module reads no environment",
                format!(
                    "give the module a parameter: `parameters: {{ … }}` where it is included, `${{env.{name}}}` there"
                ),
            ));
        }
        match self.shared.inputs.variable(name) {
            Some(value) => Ok(value.clone().into()),
            None if self.shared.inputs.missing == Missing::MakeUp => Ok(match name {
                "AZURE_SUBSCRIPTION_ID" | "AZURE_TENANT_ID" => "00000000-0000-0000-0000-000000000000".into(),
                other => format!("made-up-{}", other.to_lowercase()).into(),
            }),
            None => Err(Fault::new(
                format!("the environment variable {name} is not set"),
                format!("set {name}, or rehearse with `--sim`, which needs no environment"),
            )),
        }
    }

    fn entry_value(&self, path: &[&str], section: &str, key: &str, rest: &[&str]) -> Result<Value, Fault> {
        let entries = self.root.get(section).and_then(Value::as_object);
        let (name, index) = split_index(key);
        let Some(raw) = entries.and_then(|entries| entries.get(name)) else {
            if entries.is_none() && is_misspelt(self.root, section) {
                return Err(Fault::follows());
            }
            let keys: Vec<&str> =
                entries.map(|entries| entries.keys().map(String::as_str).collect()).unwrap_or_default();
            return Err(Fault::unknown(&format!("entry in `{section}` named"), name, keys.into_iter()));
        };
        let place = format!("{section}.{name}");
        let which = self.which(&place, &place, raw, index)?;
        let one = |each: Option<&Rc<Each>>| {
            let known = (section == EXISTING).then(|| self.existing(name, each)).flatten();
            if let [field @ ("name" | "location" | "resourceGroup")] = rest {
                if section != EXISTING {
                    return self.identity(section, name, each, field);
                }
                if known.is_some()
                    && let Some(value) = self.existing_identity(name, each, field)
                {
                    return Ok(value);
                }
            }
            let own = match each {
                Some(each) => format!("{place}[{}]", each.key),
                None => place.clone(),
            };
            // The id written out is the resource: a field takes from it what it wants.
            let below = match &path[2..] {
                [below @ .., "id"] => below,
                below => below,
            };
            let reference = |below: &str| {
                let path = match below {
                    "" => format!("{}{own}", self.prefix),
                    below => format!("{}{own}.{below}", self.prefix),
                };
                Value::from(Token::Reference { path, facet: String::new() }.encode())
            };
            Ok(match kind_of(section) {
                Some(kind) => match self.part_paths(kind, &place, &own, raw, each, below)? {
                    PartPaths::One(below) => reference(&below),
                    PartPaths::Many(all) => all.iter().map(|below| reference(below)).collect(),
                },
                None => reference(&below.join(".")),
            })
        };
        match which {
            Which::Single => one(None),
            Which::One(each) => one(Some(&each)),
            Which::All(all) => {
                let when = raw.get("when");
                let mut values = Vec::new();
                for each in all.iter() {
                    // What is switched off is not among them.
                    let on = match when {
                        Some(when) => self.with_each(Some(each.clone()), || {
                            self.try_evaluate(when, &format!("{place}.when")).ok_or_else(Fault::follows)
                        })?,
                        None => Value::Bool(true),
                    };
                    if on == Value::Bool(true) {
                        values.push(one(Some(each))?);
                    }
                }
                Ok(Value::Array(values))
            }
        }
    }

    fn module_value(&self, path: &[&str], name: &str, rest: &[&str]) -> Result<Value, Fault> {
        let modules = self.declared_modules();
        let (name, index) = split_index(name);
        let Some(raw) = modules.and_then(|modules| modules.get(name)) else {
            let names: Vec<&str> =
                modules.map(|modules| modules.keys().map(String::as_str).collect()).unwrap_or_default();
            return Err(Fault::unknown("module named", name, names.into_iter()));
        };
        let shown = format!("module.{name}");
        let ["outputs", output, rest @ ..] = rest else {
            return Err(Fault::new(
                format!("`{}` is not a value", path.join(".")),
                format!("what a module gives are its outputs: `{shown}.outputs.…`"),
            ));
        };
        let value = |each: Option<Rc<Each>>| -> Result<Option<Value>, Fault> {
            let Some(module) = self.module(name, each)? else { return Ok(None) };
            let (output, element) = split_index(output);
            let found = module.output(output)?;
            if found.secret {
                self.shared.saw_secret.set(true);
            }
            let mut below: Vec<String> = rest.iter().map(|&segment| segment.to_owned()).collect();
            if let Some(element) = element {
                below.insert(0, format!("[{element}]"));
            }
            let below: Vec<&str> = below.iter().map(String::as_str).collect();
            within(&found.value, path, &below).map(Some)
        };
        let off = |shown: String| {
            Fault::new(
                format!("`{shown}` is switched off by its `when`"),
                "give this entry the same `when`, or choose: `${… if param.x else …}`",
            )
        };
        match self.which(&format!("modules.{name}"), &shown, raw, index)? {
            Which::Single => value(None)?.ok_or_else(|| off(shown)),
            Which::One(each) => {
                let shown = format!("{shown}[{}]", each.key);
                value(Some(each))?.ok_or_else(|| off(shown))
            }
            Which::All(all) => {
                let mut values = Vec::new();
                for each in all.iter() {
                    values.extend(value(Some(each.clone()))?);
                }
                Ok(Value::Array(values))
            }
        }
    }

    /// Which instances a name means: `shown` is that name, without a key.
    fn which(&self, place: &str, shown: &str, raw: &Value, index: Option<&str>) -> Result<Which, Fault> {
        match (raw.get("forEach"), index) {
            (None, None) => Ok(Which::Single),
            (None, Some(_)) => Err(Fault::new(
                format!("`{shown}` is a single one: it has no `forEach`"),
                format!("write `{shown}` without brackets"),
            )),
            (Some(for_each), None) => {
                let all = self.instances(place, for_each)?;
                let example = all.first().map_or("KEY", |each| each.key.as_str());
                Err(Fault::new(
                    format!("`{shown}` stands for {} entries: it has `forEach`", all.len()),
                    format!("say which: `{shown}['{example}']`; or all of them: `{shown}[*]`"),
                ))
            }
            (Some(for_each), Some("*")) => Ok(Which::All(self.instances(place, for_each)?)),
            (Some(for_each), Some(key)) => {
                let all = self.instances(place, for_each)?;
                match all.iter().find(|each| each.key == key) {
                    Some(each) => Ok(Which::One(each.clone())),
                    None => Err(Fault::unknown(
                        &format!("`{shown}` with the key"),
                        key,
                        all.iter().map(|each| each.key.as_str()),
                    )),
                }
            }
        }
    }

    /// A field by which others know an entry before anything else of it is evaluated.
    fn identity(
        &self,
        section: &str,
        key: &str,
        each: Option<&Rc<Each>>,
        field: &str,
    ) -> Result<Value, Fault> {
        let path = match each {
            Some(each) => format!("{section}.{key}[{}].{field}", each.key),
            None => format!("{section}.{key}.{field}"),
        };
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
        let value = match (raw, each) {
            (Some(Value::String(text)), _) => {
                self.with_each(each.cloned(), || expression::evaluate(text, self))?
            }
            (Some(other), _) => other.clone(),
            (None, Some(each)) if field == "name" => Value::String(format!("{key}-{}", each.key)),
            (None, None) if field == "name" => Value::String(key.to_owned()),
            (None, _) => self.azure.borrow().get(field).cloned().unwrap_or(Value::Null),
        };
        self.identities.borrow_mut().insert(path, Some(value.clone()));
        Ok(value)
    }
}

enum Which {
    Single,
    One(Rc<Each>),
    All(Rc<[Rc<Each>]>),
}

fn kind_of(section: &str) -> Option<&'static Kind> {
    registry().iter().find(|kind| kind.section == section)
}

fn is_section(name: &str) -> bool {
    kind_of(name).is_some()
}

/// What is below a value; `rest` is the end of `path`. Below a reference is a longer reference.
fn within(value: &Value, path: &[&str], rest: &[&str]) -> Result<Value, Fault> {
    let Some((first, more)) = rest.split_first() else { return Ok(value.clone()) };
    if let Value::String(text) = value
        && let Some(Token::Reference { path, facet }) = Token::exactly(text)
        && facet.is_empty()
    {
        let path = format!("{path}.{}", rest.join("."));
        return Ok(Token::Reference { path, facet }.encode().into());
    }
    let (name, element) = split_index(first);
    let found = match name {
        "" => Some(value),
        name => value.get(name),
    };
    let found = match (found, element) {
        (Some(list), Some(element)) => list.get(element).or_else(|| list.get(element.parse::<usize>().ok()?)),
        (found, _) => found,
    };
    match found {
        Some(found) => within(found, path, more),
        None => {
            let whole = path[..path.len().saturating_sub(rest.len())].join(".");
            if value.as_str().is_some_and(token::has_token) {
                return Err(Fault::new(
                    format!("`{whole}` is known only after apply, or secret: nothing can be taken out of it"),
                    "pass such a value on as it is",
                ));
            }
            let keys: Vec<&str> =
                value.as_object().map(|m| m.keys().map(String::as_str).collect()).unwrap_or_default();
            Err(Fault::unknown(&format!("member of `{whole}` named"), first, keys.into_iter()))
        }
    }
}
