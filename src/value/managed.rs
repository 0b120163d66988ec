//! The part of a live body that a blueprint manages, and what moved in it.

use super::diff::{Change, Comparison, diff, is_autoscaling, is_secret, member};
use super::path::{Segment, Trail};
use super::rules::{Flag, Node, Rules, key_of};
use super::token::{self, Token};
use serde_json::{Map, Value};

/// The fields of `live` that one of `mentions` mentions: what is asked for now, what was asked for last time.
///
/// Left out are fields that are write-only, read-only, compared on create only, secret, or Azure's own to choose.
/// `None` when nothing of it is there.
pub fn managed(mentions: &[&Value], live: &Value, rules: &Rules) -> Option<Value> {
    project(mentions, live, rules.root())
}

fn project(mentions: &[&Value], live: &Value, node: &Node) -> Option<Value> {
    let hidden = [Flag::ReadOnly, Flag::CreateOnly, Flag::WriteOnly].iter().any(|flag| node.is(*flag));
    if hidden || live.is_null() || mentions.iter().any(|mention| is_secret(mention)) {
        return None;
    }
    match live {
        Value::Object(present) => {
            let objects: Vec<&Map<String, Value>> = mentions.iter().filter_map(|m| m.as_object()).collect();
            let autoscaling = mentions.iter().any(|mention| is_autoscaling(mention));
            let mut shown = Map::new();
            for name in objects.iter().flat_map(|object| object.keys()) {
                let below = node.member(name);
                if shown.contains_key(name) || below.is(Flag::Autoscaled) && autoscaling {
                    continue;
                }
                let Some(found) = member(present, name, node) else { continue };
                let wanted: Vec<&Value> =
                    objects.iter().filter_map(|object| member(object, name, node)).collect();
                if let Some(value) = project(&wanted, found, below) {
                    shown.insert(name.clone(), value);
                }
            }
            Some(Value::Object(shown))
        }
        Value::Array(present) => {
            let elements = || mentions.iter().filter_map(|mention| mention.as_array()).flatten();
            let below = node.element();
            let shown = present.iter().filter_map(|item| {
                let wanted: Vec<&Value> = match node.key {
                    Some(key) => {
                        let name = key_of(item, key);
                        elements().filter(|element| key_of(element, key) == name).collect()
                    }
                    // Nothing tells the elements apart: each shows what any of them mentions.
                    None => elements().collect(),
                };
                // A foreign element of an array that is a map is nobody's business here.
                if wanted.is_empty() && node.key.is_some() { None } else { project(&wanted, item, below) }
            });
            Some(Value::Array(shown.collect()))
        }
        leaf => Some(leaf.clone()),
    }
}

/// What moved between two managed parts of one body: `before` is as it was, `after` as it is now.
pub fn moved(was: &Value, now: &Value, rules: &Rules) -> Vec<Change> {
    let never = |_: &str, _: &Value| false;
    let comparison = Comparison { rules, applied: None, secret_changed: &never };
    let swapped = |change: Change| Change { before: change.after, after: change.before, ..change };
    let mut found: Vec<Change> = diff(was, now, &comparison).into_iter().map(swapped).collect();
    // What was not there before is seen the other way round only.
    for change in diff(now, was, &comparison) {
        if !found.iter().any(|known| known.path == change.path) {
            found.push(change);
        }
    }
    found
}

/// Puts a secret's token in place of every text in a write-only field that stands there as it is; the paths of those.
pub fn conceal(body: &mut Value, rules: &Rules) -> Vec<String> {
    let mut found = Vec::new();
    hide(body, rules.root(), &mut Vec::new(), &mut found);
    found
}

fn hide(body: &mut Value, node: &Node, trail: &mut Vec<String>, found: &mut Vec<String>) {
    match body {
        Value::String(text) if node.is(Flag::WriteOnly) && !text.is_empty() && !token::has_token(text) => {
            found.push(path(trail));
            *text = Token::Secret { name: String::new() }.encode();
        }
        Value::Object(members) => {
            for (name, value) in members {
                trail.push(name.clone());
                hide(value, node.member(name), trail, found);
                trail.pop();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, node.element(), trail, found)),
        _ => {}
    }
}

fn path(names: &[String]) -> String {
    let mut trail = Trail::default();
    names.iter().for_each(|name| trail.push(Segment::Member(name)));
    trail.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::*;
    use serde_json::json;

    fn rules() -> Rules {
        Rules::new(&[
            Rule::at("properties.pools").keyed("name"),
            Rule::at("properties.pools[].count").autoscaled(),
            Rule::at("properties.ranges").set(),
            Rule::at("properties.password").write_only(),
        ])
    }

    #[test]
    fn only_what_is_mentioned_is_managed() {
        let wanted = json!({ "location": "westeurope", "tags": { "team": "a" }, "properties": {
            "pools": [{ "name": "x", "enableAutoScaling": true, "count": 1, "size": "S" }],
            "ranges": ["b", "a"], "password": "p",
        } });
        let applied = json!({ "properties": { "old": 1 } });
        let live = json!({
            "id": "/x", "location": "westeurope", "tags": { "Team": "b", "cost": "7" }, "etag": "1",
            "properties": {
                "pools": [{ "name": "other", "size": "L" }, { "name": "X", "count": 4, "size": "S", "power": {} }],
                "ranges": ["a"], "password": "never", "old": 2, "provisioningState": "Succeeded",
                "enableAutoScaling": null,
            },
        });
        let shown = managed(&[&wanted, &applied], &live, &rules()).unwrap();
        let expected = json!({ "location": "westeurope", "tags": { "team": "b" }, "properties": {
            "pools": [{ "name": "X", "size": "S" }], "ranges": ["a"], "old": 2,
        } });
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_moved_is_told_both_ways_and_order_is_no_move() {
        let was = json!({ "tags": { "a": "1" }, "properties": { "ranges": ["a", "b"], "old": 1 } });
        let same = json!({ "tags": { "a": "1" }, "properties": { "ranges": ["b", "a"], "old": 1 } });
        assert_eq!(moved(&was, &same, &rules()), []);
        let now = json!({ "tags": { "a": "2" }, "properties": { "ranges": ["a", "b"], "new": 3 } });
        let found: Vec<(String, Value, Value)> =
            moved(&was, &now, &rules()).into_iter().map(|c| (c.path, c.before, c.after)).collect();
        let expected = [
            ("tags.a".to_owned(), json!("1"), json!("2")),
            ("properties.old".to_owned(), json!(1), Value::Null),
            ("properties.new".to_owned(), Value::Null, json!(3)),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_text_in_a_write_only_field_is_concealed() {
        let mut body = json!({ "properties": { "password": "hunter2", "old": "x" } });
        assert_eq!(conceal(&mut body, &rules()), ["properties.password"]);
        assert!(!body.to_string().contains("hunter2") && body["properties"]["old"] == "x");
    }
}
