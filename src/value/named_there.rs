//! What the parts of a body are called where they are there already.
//!
//! A list of parts that have names is told apart by them, and most names are berth's own choice: those of an endpoint's
//! connection, of a gateway's ports. Somebody else chose others. A part that says the same under another name is the same
//! part, so it keeps the name that it has: to ask for it under a second name is refused, or replaces what works.

use super::diff::is_empty;
use super::path::{Segment, Trail, get_path};
use super::rules::{Alike, Node, Rules};
use super::same::{covers, same_member};
use serde_json::{Map, Value};

/// One part of a body that has another name where it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedThere {
    /// The list that it stands in: `properties`, `probes`.
    list: Vec<String>,
    /// The list that it stands in there, which for a few parts is another one.
    there: Vec<String>,
    /// Its name in the body.
    from: String,
    /// Its name there.
    to: String,
}

impl NamedThere {
    /// Calls the part by its name there, and changes what refers to it by an id below `id`.
    pub fn apply(&self, body: &mut Value, id: &str) {
        rename(body, (&self.list, &self.from), (&self.there, &self.to), id);
    }

    /// The other way round.
    pub fn undo(&self, body: &mut Value, id: &str) {
        rename(body, (&self.there, &self.to), (&self.list, &self.from), id);
    }

    /// Its name there, when it is the part of a list (`probes`) with this name in the body.
    pub fn name_of(&self, list: &str, name: &str) -> Option<&str> {
        let is_it = self.list.last().is_some_and(|own| own == list) && self.from.eq_ignore_ascii_case(name);
        is_it.then_some(&*self.to)
    }

    /// Whether the body has the part under the name before, and none under that which it has there.
    pub fn fits(&self, body: &Value) -> bool {
        let has = |list: &[String], name: &str| {
            let list =
                list.iter().try_fold(body, |value, member| value.get(member)).and_then(Value::as_array);
            list.is_some_and(|list| has(list, name))
        };
        has(&self.list, &self.from) && !has(&self.there, &self.to)
    }

    /// The path of a change as it is in the body that has its own names.
    pub fn path_before(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(&*self.path(&self.there, &self.to))?;
        Some(format!("{}{rest}", self.path(&self.list, &self.from)))
    }

    fn path(&self, list: &[String], name: &str) -> String {
        let mut trail = Trail::default();
        list.iter().for_each(|member| trail.push(Segment::Member(member)));
        trail.push(Segment::Key(name.to_ascii_lowercase()));
        trail.to_string()
    }
}

/// The parts of a body that are there under other names than it has for them; `body` has those names afterwards.
///
/// A name that `before` has, which is what was asked for last time, was asked for on purpose: it is not taken for another
/// one's, and changing it in the blueprint renames the part. `id` is that of the resource.
pub fn named_there(
    body: &mut Value,
    live: &Value,
    before: Option<&Value>,
    rules: &Rules,
    id: &str,
) -> Vec<NamedThere> {
    let mut found = Vec::new();
    if !rules.has_alike() {
        return found;
    }
    // Each finding settles one part for good.
    while let Some(next) = next(body, live, before, rules.root(), &mut Vec::new()) {
        next.apply(body, id);
        found.push(next);
    }
    found
}

fn next(
    body: &Value,
    live: &Value,
    before: Option<&Value>,
    node: &Node,
    trail: &mut Vec<String>,
) -> Option<NamedThere> {
    let (wanted, there) = (body.as_object()?, live.as_object()?);
    let before = before.and_then(Value::as_object);
    for (name, value) in wanted {
        let below = node.member(name);
        trail.push(name.clone());
        let found = match (value, below.alike) {
            (Value::Array(items), Some(alike)) => {
                let lists = [Some(name.as_str()), below.twin].into_iter().flatten();
                let found = lists.filter_map(|list| {
                    let live = there.get(list).and_then(Value::as_array)?;
                    let before = before.and_then(|before| before.get(list)).and_then(Value::as_array);
                    let (from, to) = pair(items, live, before, below, alike, list == name)?;
                    let mut there = trail.clone();
                    there.pop();
                    there.push(list.to_owned());
                    Some(NamedThere { list: trail.clone(), there, from, to })
                });
                let own = there.get(name).and_then(Value::as_array);
                // One that stands where it is looked for is not looked for elsewhere.
                found
                    .into_iter()
                    .find(|found| found.there == found.list || !own.is_some_and(|own| has(own, &found.from)))
            }
            (Value::Object(_), _) => {
                let before = before.and_then(|before| before.get(name));
                there.get(name).and_then(|there| next(value, there, before, below, trail))
            }
            _ => None,
        };
        trail.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The first part of `wanted` that is not in a list by its name, and is under another one: both names.
fn pair(
    wanted: &[Value],
    live: &[Value],
    before: Option<&Vec<Value>>,
    node: &Node,
    alike: Alike,
    same_list: bool,
) -> Option<(String, String)> {
    let missing = |item: &&Value| named(item).is_some_and(|own| !same_list || !has(live, own));
    wanted.iter().filter(missing).find_map(|item| {
        let free = |there: &&Value| {
            let Some(own) = named(there) else { return false };
            let asked_for = before.is_some_and(|before| has(before, own));
            let taken = same_list && has(wanted, own);
            !asked_for && !taken && !node.is_azures(there) && is_alike(item, there, node, alike)
        };
        let there = live.iter().find(free)?;
        Some((named(item)?.to_owned(), named(there)?.to_owned()))
    })
}

/// Whether two parts say the same, whatever they are called.
fn is_alike(wanted: &Value, there: &Value, node: &Node, alike: Alike) -> bool {
    let element = node.element();
    match alike {
        Alike::InAll => {
            let mut wanted = wanted.clone();
            let members = wanted.as_object_mut();
            let says = members.map(|members| {
                members.shift_remove("name");
                members.values().any(|value| !is_empty(value))
            });
            says == Some(true) && covers(&wanted, there, element, node)
        }
        Alike::In(paths) => {
            let said = |value, path| get_path(value, path).filter(|value| !is_empty(value));
            let mut says = false;
            paths.iter().all(|path| {
                let node = path.split('.').fold(element, |node, name| node.member(name));
                let (wanted, there) = (said(wanted, path), said(there, path));
                says |= wanted.is_some();
                match (wanted, there) {
                    (None, None) => true,
                    (Some(wanted), Some(there)) => same_member(wanted, there, node),
                    _ => false,
                }
            }) && says
        }
    }
}

fn named(item: &Value) -> Option<&str> {
    item.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())
}

fn has(items: &[Value], name: &str) -> bool {
    items.iter().filter_map(named).any(|own| own.eq_ignore_ascii_case(name))
}

fn rename(body: &mut Value, from: (&[String], &str), to: (&[String], &str), id: &str) {
    let Some(list) = list_at(body, from.0) else { return };
    let Some(at) =
        list.iter().position(|item| named(item).is_some_and(|own| own.eq_ignore_ascii_case(from.1)))
    else {
        return;
    };
    list[at]["name"] = to.1.into();
    if from.0 != to.0 {
        let item = list.remove(at);
        let rest = list.is_empty();
        let Some((last, above)) = from.0.split_last() else { return };
        let Some(object) = object_at(body, above) else { return };
        if rest {
            object.shift_remove(last);
        }
        let Some(last) = to.0.last() else { return };
        if let Value::Array(items) = object.entry(last.clone()).or_insert_with(|| Value::Array(Vec::new())) {
            items.push(item);
        }
    }
    let (Some(old), Some(new)) = (from.0.last(), to.0.last()) else { return };
    refer(body, &format!("{id}/{old}/{}", from.1), &format!("{id}/{new}/{}", to.1));
}

/// Puts an id in place of another one wherever it stands.
fn refer(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.eq_ignore_ascii_case(from) => *text = to.to_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, from, to)),
        Value::Object(members) => members.values_mut().for_each(|member| refer(member, from, to)),
        _ => {}
    }
}

fn object_at<'v>(body: &'v mut Value, way: &[String]) -> Option<&'v mut Map<String, Value>> {
    way.iter().try_fold(body, |value, name| value.get_mut(name))?.as_object_mut()
}

fn list_at<'v>(body: &'v mut Value, way: &[String]) -> Option<&'v mut Vec<Value>> {
    way.iter().try_fold(body, |value, name| value.get_mut(name))?.as_array_mut()
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::*;
    use serde_json::json;

    fn rules() -> Rules {
        Rules::new(&[
            Rule::at("properties.auto")
                .keyed("name")
                .alike_in(&["properties.target", "properties.groups"])
                .or_in("manual"),
            Rule::at("properties.auto[].properties.target").fold_case(),
            Rule::at("properties.auto[].properties.groups").set().fold_case(),
            Rule::at("properties.manual")
                .keyed("name")
                .alike_in(&["properties.target", "properties.groups"])
                .or_in("auto"),
            Rule::at("properties.ports").keyed("name").alike_in(&["properties.port"]),
            Rule::at("properties.listeners").keyed("name").alike(),
            Rule::at("properties.rules").keyed("name").alike().azures("priority", "9"),
            Rule::at("properties.plain").keyed("name"),
        ])
    }

    fn part(name: &str, properties: Value) -> Value {
        json!({ "name": name, "properties": properties })
    }

    fn settled(mut wanted: Value, live: Value, before: Option<Value>) -> (Value, Value) {
        let was = wanted.clone();
        let found = named_there(&mut wanted, &live, before.as_ref(), &rules(), "/gw");
        let mut back = wanted.clone();
        found.iter().rev().for_each(|one| one.undo(&mut back, "/gw"));
        assert_eq!(back, was, "undoing it all gives the body that was written");
        (wanted["properties"].clone(), json!(found.len()))
    }

    #[test]
    fn a_part_keeps_the_name_that_it_has_there() {
        let conn = |name: &str, target: &str| part(name, json!({ "target": target, "groups": ["vault"] }));
        for (wanted, live, before, expected) in [
            // Another name, another case, another list.
            (
                json!({ "auto": [conn("pe", "/t")] }),
                json!({ "auto": [conn("by-hand", "/T")] }),
                json!({}),
                json!({ "auto": [conn("by-hand", "/t")] }),
            ),
            (
                json!({ "auto": [conn("pe", "/t")] }),
                json!({ "manual": [conn("pe", "/t")], "auto": [] }),
                json!({}),
                json!({ "manual": [conn("pe", "/t")] }),
            ),
            // To another target it is another one, and so it is when the blueprint asked for the other list before.
            (
                json!({ "auto": [conn("pe", "/t")] }),
                json!({ "auto": [conn("by-hand", "/other")] }),
                json!({}),
                json!({ "auto": [conn("pe", "/t")] }),
            ),
            (
                json!({ "auto": [conn("pe", "/t")] }),
                json!({ "manual": [conn("pe", "/t")] }),
                json!({ "manual": [conn("pe", "/t")] }),
                json!({ "auto": [conn("pe", "/t")] }),
            ),
            // What refers to a part follows it, and so is found in its turn.
            (
                json!({ "listeners": [part("web", json!({ "port": { "id": "/gw/ports/port-80" } }))], "ports": [part("port-80", json!({ "port": 80 }))] }),
                json!({ "listeners": [part("l1", json!({ "port": { "id": "/gw/ports/http" }, "more": 1 }))], "ports": [part("http", json!({ "port": 80 }))] }),
                json!({}),
                json!({ "listeners": [part("l1", json!({ "port": { "id": "/gw/ports/http" } }))], "ports": [part("http", json!({ "port": 80 }))] }),
            ),
            // A rename in the blueprint is one; what is Azure's own, says nothing or is wanted by its name is nobody else's.
            (
                json!({ "rules": [part("b", json!({ "x": 1 }))] }),
                json!({ "rules": [part("a", json!({ "x": 1 }))] }),
                json!({ "rules": [part("a", json!({ "x": 1 }))] }),
                json!({ "rules": [part("b", json!({ "x": 1 }))] }),
            ),
            (
                json!({ "rules": [part("b", json!({ "x": 1 })), part("c", json!({}))] }),
                json!({ "rules": [{ "name": "all", "priority": 9, "properties": { "x": 1 } }, part("c", json!({ "x": 1 }))] }),
                json!({}),
                json!({ "rules": [part("b", json!({ "x": 1 })), part("c", json!({}))] }),
            ),
            // Of two that say the same each is one.
            (
                json!({ "rules": [part("a", json!({ "x": 1 })), part("b", json!({ "x": 1 }))] }),
                json!({ "rules": [part("c", json!({ "x": 1 })), part("d", json!({ "x": 1 }))] }),
                json!({}),
                json!({ "rules": [part("c", json!({ "x": 1 })), part("d", json!({ "x": 1 }))] }),
            ),
            (
                json!({ "plain": [part("a", json!({ "x": 1 }))] }),
                json!({ "plain": [part("b", json!({ "x": 1 }))] }),
                json!({}),
                json!({ "plain": [part("a", json!({ "x": 1 }))] }),
            ),
        ] {
            let whole = |properties: &Value| json!({ "properties": properties });
            let (found, _) = settled(whole(&wanted), whole(&live), Some(whole(&before)));
            assert_eq!(found, expected, "{wanted} beside {live}");
        }
    }

    #[test]
    fn paths_are_told_as_the_body_had_them() {
        let mut wanted = json!({ "properties": { "ports": [part("Port-80", json!({ "port": 80 }))] } });
        let live = json!({ "properties": { "ports": [part("HTTP", json!({ "port": 80 }))] } });
        let found = named_there(&mut wanted, &live, None, &rules(), "/gw");
        let path = found[0].path_before("properties.ports[http].properties.secret");
        assert_eq!(path.as_deref(), Some("properties.ports[port-80].properties.secret"));
        assert_eq!(found[0].path_before("properties.ports[other]"), None);
    }
}
