//! Accepting a drift: what somebody set in Azure is written into the blueprint, where the value is.
//!
//! Nothing here knows how a kind makes a body. A value of the entry is exchanged, the blueprint is evaluated again, and
//! it is the right one when the body of that resource then says what is there, and nothing else has changed. So what is
//! accepted is exact, for every kind and every field.

use crate::blueprint::{
    Inputs, NodePath, NodeStep, Source, edited, entry_schema, looks_computed, node_place, probe,
};
use crate::catalog::registry;
use crate::diag::{Failure, Place, did_you_mean};
use crate::drift::{Drift, DriftKind, DriftReport, FieldDrift};
use crate::ident::segments;
use crate::plan::is_field;
use crate::state::{Desired, DesiredResource};
use crate::value::token;
use crate::value::{Comparison, diff, put_at};
use serde_json::Value;
use std::collections::BTreeSet;

/// A drift that a blueprint takes up.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The whole text of the blueprint's file, with the value in it.
    pub text: String,
    /// Where the value is.
    pub place: Option<Place>,
    /// What was written there, as the file has it; `None` when nothing was.
    pub was: Option<Value>,
    /// What is written there now; `None` when it was taken out.
    pub now: Option<Value>,
}

/// How many evaluations of a blueprint of one resource a search may take; a larger blueprint has fewer.
const EFFORT: usize = 60_000;

/// The drift that a person names as `ADDRESS.FIELD`, the field as reports show it. Without a field it is all of the
/// resource.
///
/// # Errors
/// When nothing there has drifted.
pub fn drift_named<'r>(
    report: &'r DriftReport,
    asked: &str,
) -> Result<(&'r Drift, Vec<&'r FieldDrift>), Failure> {
    let within = |drift: &&Drift| {
        let rest = asked.strip_prefix(drift.address.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let found = report.drifted.iter().filter(within).max_by_key(|drift| drift.address.as_str().len());
    let Some(drift) = found else {
        let steady = report.steady.iter().any(|address| {
            asked
                .strip_prefix(address.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        let names = report.drifted.iter().map(|drift| drift.address.as_str());
        let help = match did_you_mean(asked, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`berth drift` without this option shows what has drifted".to_owned(),
        };
        let message = match steady {
            true => format!("`{asked}` has not drifted"),
            false => format!("nothing at `{asked}` has drifted"),
        };
        return Err(Failure::new(message, help));
    };
    let field = asked[drift.address.as_str().len()..].trim_start_matches('.');
    let fields: Vec<&FieldDrift> =
        drift.fields.iter().filter(|own| field.is_empty() || is_field(&own.path, field)).collect();
    if fields.is_empty() && !field.is_empty() {
        let paths: Vec<&str> = drift.fields.iter().map(|field| field.path.as_str()).collect();
        let help = match paths.is_empty() {
            true => format!("leave the field out: `{}`", drift.address),
            false => format!("what has drifted there is: {}", paths.join(", ")),
        };
        return Err(Failure::new(format!("`{field}` of `{}` has not drifted", drift.address), help));
    }
    Ok((drift, fields))
}

/// Writes what is there now into the text of the blueprint, for one field.
///
/// # Errors
/// When the blueprint does not say it by one value of its own file, with where it is and what to do.
pub fn accept(
    source: &Source,
    inputs: &Inputs,
    desired: &Desired,
    drift: &Drift,
    field: &FieldDrift,
) -> Result<Accepted, Failure> {
    let address = drift.address.as_str();
    let shown = format!("`{address}` {}", field.path);
    let place =
        |way: &[NodeStep]| node_place(source, way).map(|place| format!("{place}: ")).unwrap_or_default();
    let entry = entry_of(source, address);
    if drift.kind != DriftKind::Changed {
        let (what, help) = match drift.kind {
            DriftKind::Missing => (
                format!("{}`{address}` is gone, so there is no value to write", place(&entry)),
                "to accept it, delete the entry: the next apply forgets it".to_owned(),
            ),
            _ => (
                format!("`{address}` was made by somebody else, and the blueprint has no entry for it"),
                "to accept it, write an entry for it, and apply with `--adopt`".to_owned(),
            ),
        };
        return Err(Failure::new(what, help));
    }
    let is_secret = |value: &Value| token::any(value, &|token| matches!(token, token::Token::Secret { .. }));
    if is_secret(&field.expected) || is_secret(&field.actual) {
        return Err(Failure::new(
            format!("{shown} is secret: what is there now is not known, and is never written into a file"),
            "give the secret's parameter its new value, or set the old one again with `--revert`",
        ));
    }
    let Some(resource) = desired.resources.iter().find(|resource| resource.address == drift.address) else {
        return Err(Failure::new(
            format!("`{address}` is no longer in the blueprint"),
            "`berth plan` says what becomes of it",
        ));
    };
    if field.subject.is_some() {
        return Err(Failure::new(
            format!("{shown} was decided by the owner of the target, and is not a value of the blueprint"),
            "ask the owner of the target, or accept it for a while with a waiver",
        ));
    }
    if let Some(module) = address.strip_prefix("module.") {
        let name = module.split(['.', '[']).next().unwrap_or_default();
        let call = [NodeStep::Key("modules".into()), NodeStep::Key(name.into())];
        return Err(Failure::new(
            format!("{}{shown} comes from a module, which others may include as well", place(&call)),
            "change the module, or give it an input of its own for this",
        ));
    }
    if address.contains('[') {
        return Err(Failure::new(
            format!(
                "{}{shown} comes from an entry with `forEach`: what it says holds for all its instances",
                place(&entry)
            ),
            "let the value depend on `each.key` or `each.value`, by hand",
        ));
    }
    let search = Search { source, inputs, desired, resource, field };
    search.run(&entry).map_err(|refusal| match refusal {
        Refusal::Computed(way, text) => Failure::new(
            format!("{}{shown} is computed there: `{text}`", place(&way)),
            "change what it is computed from, or write the value itself in its place",
        ),
        Refusal::Shared(way, others) => Failure::new(
            format!("{}{shown} comes from a value that is used elsewhere too: {others}", place(&way)),
            "write the value in the entry itself, where it differs",
        ),
        Refusal::Layout(way) => Failure::new(
            format!(
                "{}{shown} is written there in a way that berth does not edit: an alias, or several lines",
                place(&way)
            ),
            format!("write it by hand: {}", told(&field.actual)),
        ),
        Refusal::NotFound => Failure::new(
            format!("{}no single value of the entry makes {shown} what it is now", place(&entry)),
            format!("write it by hand so that it is {}, or set it back with `--revert`", told(&field.actual)),
        ),
    })
}

fn told(value: &Value) -> String {
    if value.is_null() { "not there".to_owned() } else { format!("`{value}`") }
}

enum Refusal {
    Computed(NodePath, String),
    Shared(NodePath, String),
    Layout(NodePath),
    NotFound,
}

/// The longest way along an address that the file has.
fn entry_of(source: &Source, address: &str) -> NodePath {
    let mut way = NodePath::new();
    let mut at = &source.tree;
    for name in segments(address) {
        let name = name.split('[').next().unwrap_or_default();
        let Some(below) = at.get(name) else { break };
        way.push(NodeStep::Key(name.to_owned()));
        at = below;
    }
    way
}

struct Search<'a> {
    source: &'a Source,
    inputs: &'a Inputs,
    desired: &'a Desired,
    resource: &'a DesiredResource,
    field: &'a FieldDrift,
}

/// What another value does to what is asked for.
enum Effect {
    /// Just what is there.
    Exact,
    /// That, and more.
    More(String),
    /// Something else, or nothing that can be.
    Other,
}

impl Search<'_> {
    fn run(&self, entry: &[NodeStep]) -> Result<Accepted, Refusal> {
        let mut left = (EFFORT / self.desired.resources.len().max(1)).clamp(12, 600);
        let mut refusal = None;
        for (way, old) in self.candidates(entry) {
            for new in self.forms(&old) {
                if left == 0 {
                    return Err(refusal.unwrap_or(Refusal::NotFound));
                }
                left -= 1;
                match self.effect(&way, new.as_ref()) {
                    Effect::Exact if looks_computed(&old) => {
                        let text = old.as_str().unwrap_or_default().to_owned();
                        return Err(Refusal::Computed(way, text));
                    }
                    Effect::Exact => return self.write(way, Some(old), new),
                    Effect::More(others) => {
                        refusal.get_or_insert(Refusal::Shared(way.clone(), others));
                    }
                    Effect::Other => {}
                }
            }
        }
        if refusal.is_none() {
            for way in self.unwritten(entry) {
                for new in self.forms(&Value::Null).into_iter().flatten() {
                    if left == 0 {
                        return Err(Refusal::NotFound);
                    }
                    left -= 1;
                    if let Effect::Exact = self.effect(&way, Some(&new)) {
                        return self.write(way, None, Some(new));
                    }
                }
            }
        }
        Err(refusal.unwrap_or(Refusal::NotFound))
    }

    fn write(&self, way: NodePath, was: Option<Value>, now: Option<Value>) -> Result<Accepted, Refusal> {
        match edited(self.source, &way, now.as_ref()) {
            Some(text) => {
                let place = node_place(self.source, &way);
                Ok(Accepted { text, place, was, now })
            }
            None => Err(Refusal::Layout(way)),
        }
    }

    /// The values from which the field may come, the likeliest first: those of the entry, of what is around it, and what
    /// all entries share.
    fn candidates(&self, entry: &[NodeStep]) -> Vec<(NodePath, Value)> {
        let mut found: Vec<(NodePath, Value)> = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut roots: Vec<NodePath> =
            (2..=entry.len()).rev().map(|length| entry[..length].to_vec()).collect();
        roots.push(vec![NodeStep::Key("azure".into())]);
        for root in roots {
            let Some(value) = at(&self.source.tree, &root) else { continue };
            leaves(value, &mut root.clone(), &mut |way, value| {
                if seen.insert(format!("{way:?}")) {
                    found.push((way.to_vec(), value.clone()));
                }
            });
        }
        let expected = &self.field.expected;
        let likeness = |value: &Value| match (value, expected) {
            (value, expected) if value == expected => 0,
            (Value::Array(a), Value::Array(_)) if !a.is_empty() => 1,
            (Value::String(a), Value::String(b)) if a.eq_ignore_ascii_case(b) => 0,
            (value, _) if value.to_string().trim_matches('"') == expected.to_string().trim_matches('"') => 1,
            (value, _) if looks_computed(value) => 2,
            (Value::Array(_), _) | (_, Value::Array(_)) => 4,
            _ => 3,
        };
        // The sort is stable: the nearest of those that are alike stays first.
        found.sort_by_key(|(_, value)| likeness(value));
        found
    }

    /// What may be written for what is there: as Azure says it, and as blueprints say such things. `None` is nothing at all.
    fn forms(&self, old: &Value) -> Vec<Option<Value>> {
        let actual = &self.field.actual;
        let mut forms: Vec<Option<Value>> = Vec::new();
        match actual {
            Value::Null => forms.push(None),
            Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
                if old.is_array() {
                    forms.push(Some(actual.clone()));
                } else if let [one] = &items[..] {
                    forms.push(Some(one.clone()));
                }
            }
            Value::Object(_) | Value::Array(_) => {}
            actual if !old.is_array() => {
                forms.push(Some(actual.clone()));
                if let Value::String(text) = actual {
                    forms.extend(words(text).into_iter().map(|word| Some(word.into())));
                    forms.extend(text.parse::<i64>().ok().map(|number| Some(number.into())));
                }
                if let Value::Number(number) = actual {
                    forms.push(Some(number.to_string().into()));
                }
            }
            _ => {}
        }
        match old {
            Value::Bool(old) => forms.push(Some((!old).into())),
            Value::Null => forms.extend([Some(true.into()), Some(false.into())]),
            Value::String(old) => {
                // What it says in other words may be kept in what is around it: `port: 80`, `prefix/24`.
                if let (Value::String(expected), Value::String(actual)) = (&self.field.expected, actual)
                    && let Some(lead) = old.strip_suffix(expected.as_str())
                {
                    forms.push(Some(format!("{lead}{actual}").into()));
                }
            }
            _ => {}
        }
        forms.retain(|form| form.as_ref() != Some(old));
        let mut known = Vec::new();
        forms.retain(|form| {
            !known.contains(form) && {
                known.push(form.clone());
                true
            }
        });
        // Nobody's text is evaluated.
        forms.into_iter().map(|form| form.map(escaped)).collect()
    }

    /// Members that the entry could have and does not: from its schema.
    fn unwritten(&self, entry: &[NodeStep]) -> Vec<NodePath> {
        let Some(NodeStep::Key(section)) = entry.first() else { return Vec::new() };
        let Some(kind) = registry().iter().find(|kind| kind.section == section) else { return Vec::new() };
        let schema = entry_schema(kind);
        let Some(value) = at(&self.source.tree, entry) else { return Vec::new() };
        let mut found = Vec::new();
        let mut schema_of_entry = &schema;
        // A part of an entry has a schema of its own, somewhere below.
        for step in entry.iter().skip(2) {
            let NodeStep::Key(name) = step else { return found };
            schema_of_entry = member_schema(&schema, schema_of_entry, name);
        }
        absent(&schema, schema_of_entry, value, &mut entry.to_vec(), &mut found, 3);
        // What others added to a mapping of the entry has a name of its own.
        let path = &self.field.path;
        let own = path.strip_suffix("\"]").and_then(|path| path.rsplit_once("[\"")).map(|(_, name)| name);
        let own = own.unwrap_or_else(|| path.rsplit('.').next().unwrap_or_default());
        for (name, _) in value.as_object().into_iter().flatten().filter(|(_, value)| value.is_object()) {
            let member = [NodeStep::Key(name.clone()), NodeStep::Key(own.to_owned())];
            found.push([entry, &member].concat());
        }
        // The field's own name is the likeliest.
        let tail = self.field.path.rsplit(['.', ']']).next().unwrap_or_default().to_lowercase();
        found.sort_by_key(|way| match way.last() {
            Some(NodeStep::Key(name)) => usize::from(!tail.contains(&name.to_lowercase())),
            _ => 2,
        });
        found
    }

    fn effect(&self, way: &[NodeStep], new: Option<&Value>) -> Effect {
        let Some(tree) = changed(&self.source.tree, way, new) else { return Effect::Other };
        let Some(now) = probe(self.source, tree, self.inputs) else { return Effect::Other };
        let Some(own) = now.resources.iter().find(|resource| resource.address == self.resource.address)
        else {
            return Effect::Other;
        };
        if own.id != self.resource.id {
            return Effect::Other;
        }
        let rules = self.resource.kind.compiled();
        let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| false };
        let path = &self.field.path;
        let mut there = (*self.resource.body).clone();
        let actual = Some(&self.field.actual).filter(|actual| !actual.is_null());
        if !put_at(&mut there, rules, path, actual) {
            return Effect::Other;
        }
        let is_at = |change: &crate::value::Change| {
            change
                .path
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let differs = [diff(&own.body, &there, &comparison), diff(&there, &own.body, &comparison)].concat();
        if differs.iter().any(is_at) || own.body == self.resource.body {
            return Effect::Other;
        }
        let mut more: Vec<String> =
            differs.iter().map(|change| format!("{} {}", own.address, change.path)).collect();
        for resource in &self.desired.resources {
            if resource.address == self.resource.address {
                continue;
            }
            let other = now.by_id.get(&resource.id).map(|&at| &now.resources[at]);
            if other.is_none_or(|other| {
                other.body != resource.body
                    || other.initial != resource.initial
                    || other.operation != resource.operation
            }) {
                more.push(resource.address.to_string());
            }
        }
        if now.resources.len() != self.desired.resources.len() {
            return Effect::Other;
        }
        if now.outputs != self.desired.outputs {
            more.push("outputs".to_owned());
        }
        more.sort();
        more.dedup();
        match more.is_empty() {
            true => Effect::Exact,
            false => {
                let rest = more.len().saturating_sub(3);
                more.truncate(3);
                let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                Effect::More(format!("{}{rest}", more.join(", ")))
            }
        }
    }
}

fn at<'v>(tree: &'v Value, way: &[NodeStep]) -> Option<&'v Value> {
    way.iter().try_fold(tree, |value, step| match step {
        NodeStep::Key(key) => value.get(key),
        NodeStep::Item(at) => value.get(at),
    })
}

fn changed(tree: &Value, way: &[NodeStep], new: Option<&Value>) -> Option<Value> {
    let (last, above) = way.split_last()?;
    let mut tree = tree.clone();
    let around = above.iter().try_fold(&mut tree, |value, step| match step {
        NodeStep::Key(key) => value.get_mut(key),
        NodeStep::Item(at) => value.get_mut(at),
    })?;
    match (last, around, new) {
        (NodeStep::Key(key), Value::Object(members), Some(new)) => {
            members.insert(key.clone(), new.clone());
        }
        (NodeStep::Key(key), Value::Object(members), None) => {
            members.shift_remove(key)?;
        }
        (NodeStep::Item(at), Value::Array(items), Some(new)) => *items.get_mut(*at)? = new.clone(),
        (NodeStep::Item(at), Value::Array(items), None) if *at < items.len() => {
            items.remove(*at);
        }
        _ => return None,
    }
    Some(tree)
}

/// Every value below a node that is no mapping; a list of simple values counts as one, and each of them too.
fn leaves(value: &Value, way: &mut NodePath, each: &mut dyn FnMut(&[NodeStep], &Value)) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                way.push(NodeStep::Key(name.clone()));
                leaves(value, way, each);
                way.pop();
            }
        }
        Value::Array(items) => {
            if items.iter().all(|item| !item.is_object() && !item.is_array()) {
                each(way, value);
            }
            for (at, item) in items.iter().enumerate() {
                way.push(NodeStep::Item(at));
                leaves(item, way, each);
                way.pop();
            }
        }
        Value::Null => {}
        value => each(way, value),
    }
}

/// The schema that a reference leads to.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let all = schema["allOf"].as_array().and_then(|all| all.first());
    match (name, all) {
        (Some(name), _) => root["definitions"].get(name).unwrap_or(schema),
        (None, Some(first)) if schema.get("properties").is_none() => resolved(root, first),
        _ => schema,
    }
}

fn member_schema<'s>(root: &'s Value, schema: &'s Value, name: &str) -> &'s Value {
    let schema = resolved(root, schema);
    let alternatives = ["anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    let own = std::iter::once(schema).chain(alternatives.map(|schema| resolved(root, schema)));
    let found = own.filter_map(|schema| {
        schema["properties"]
            .get(name)
            .or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()))
    });
    found.map(|schema| resolved(root, schema)).next().unwrap_or(&Value::Null)
}

/// The members that a schema names and a mapping does not have, with those of mappings below it that are there.
fn absent(
    root: &Value,
    schema: &Value,
    value: &Value,
    way: &mut NodePath,
    found: &mut Vec<NodePath>,
    depth: usize,
) {
    let (Value::Object(members), Some(depth)) = (value, depth.checked_sub(1)) else { return };
    let schema = resolved(root, schema);
    let alternatives = ["anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    let all: Vec<&Value> =
        std::iter::once(schema).chain(alternatives.map(|schema| resolved(root, schema))).collect();
    for names in all.iter().filter_map(|schema| schema["properties"].as_object()) {
        for name in names.keys().filter(|name| !members.contains_key(*name)) {
            way.push(NodeStep::Key(name.clone()));
            found.push(way.clone());
            way.pop();
        }
    }
    for (name, value) in members.iter().filter(|(_, value)| value.is_object()) {
        way.push(NodeStep::Key(name.clone()));
        absent(root, member_schema(root, schema, name), value, way, found, depth);
        way.pop();
    }
}

/// How blueprints say what Azure says in its own way.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![text.to_lowercase()];
    let mut chars = text.chars();
    if let Some(first) = chars.next() {
        words.push(first.to_lowercase().chain(chars).collect());
    }
    // `PT4M` is `4m`, `P30D` is `30d`.
    let time = text.strip_prefix("PT").or_else(|| text.strip_prefix('P'));
    if let Some(time) = time {
        let (number, unit) = time.split_at(time.len().saturating_sub(1).min(time.len()));
        if time.is_ascii() && number.parse::<u64>().is_ok() && matches!(unit, "D" | "H" | "M" | "S") {
            words.push(format!("{number}{}", unit.to_lowercase()));
        }
    }
    words.retain(|word| word != text);
    words
}

fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => text.replace("${", "$${").into(),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        other => other,
    }
}
