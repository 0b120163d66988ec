//! Putting what is wanted over what is there, so that nothing that someone else owns is lost.

use super::diff::{Change, ChangeKind, is_autoscaling, is_empty, is_newer, member};
use super::rules::{Flag, Node, Rules, key_of};
use serde_json::{Map, Value};

/// The body of an update: `live` without its read-only fields, with everything that `desired` mentions put over it,
/// and the removals and resets of `changes` carried out.
///
/// Keyed arrays merge by key; other arrays are taken from `desired` whole.
pub fn merge(live: &Value, desired: &Value, rules: &Rules, changes: &[Change]) -> Value {
    let mut body = live.clone();
    strip_read_only(&mut body, rules);
    drop_create_only(&mut body, rules.root());
    let dropped: Vec<&Change> =
        changes.iter().filter(|c| matches!(c.kind, ChangeKind::Remove | ChangeKind::Reset)).collect();
    if !dropped.is_empty() {
        remove(&mut body, rules.root(), "", &dropped);
    }
    put_over(&mut body, desired, rules.root());
    withhold(&mut body, rules.root(), "", changes);
    body
}

/// Takes away what is sent only when it changes, and does not.
fn withhold(body: &mut Value, node: &Node, path: &str, changes: &[Change]) {
    let Value::Object(members) = body else { return };
    members.retain(|name, _| {
        !node.member(name).is(Flag::OnChange)
            || changes.iter().any(|change| change.kind == ChangeKind::Set && change.path == join(path, name))
    });
    for (name, value) in members {
        let below = node.member(name);
        if below.has_members() {
            withhold(value, below, &join(path, name), changes);
        }
    }
}

/// Takes away what Azure returns and does not accept.
pub fn strip_read_only(body: &mut Value, rules: &Rules) {
    strip(body, rules.root());
}

/// A copy of a body without the members that a flag marks; how a write-only field is kept out of a record.
pub fn without(body: &Value, rules: &Rules, flag: Flag) -> Value {
    let mut copy = body.clone();
    retain(&mut copy, rules.root(), &|node| !node.is(flag));
    copy
}

fn strip(body: &mut Value, node: &Node) {
    match body {
        Value::Object(members) => {
            if node.is(Flag::Reference) && members.contains_key("id") {
                members.retain(|name, _| name == "id");
            }
            members.retain(|name, value| {
                // Azure shows what nobody set as null, and its schemas accept no null.
                !value.is_null()
                    // Wherever they stand, these are Azure's own: arrays of sub-resources carry them too.
                    && !matches!(name.as_str(), "etag" | "eTag" | "provisioningState" | "systemData")
                    && !node.member(name).is(Flag::ReadOnly)
            });
            for (name, value) in members {
                strip(value, node.member(name));
            }
        }
        Value::Array(items) => {
            // What Azure puts into a list by itself it puts there again.
            items.retain(|item| !node.is_azures(item));
            items.iter_mut().for_each(|item| strip(item, node.element()));
        }
        _ => {}
    }
}

fn drop_create_only(body: &mut Value, node: &Node) {
    retain(body, node, &|node| !node.is(Flag::CreateOnly));
}

fn retain(body: &mut Value, node: &Node, keep: &dyn Fn(&Node) -> bool) {
    match body {
        Value::Object(members) => {
            members.retain(|name, _| keep(node.member(name)));
            for (name, value) in members {
                retain(value, node.member(name), keep);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| retain(item, node.element(), keep)),
        _ => {}
    }
}

fn put_over(body: &mut Value, desired: &Value, node: &Node) {
    match (body, desired) {
        (_, Value::Null) => {}
        (Value::Object(members), Value::Object(wanted)) if !node.is(Flag::Whole) => {
            for (name, value) in wanted {
                let below = node.member(name);
                if below.is(Flag::ReadOnly) || below.is(Flag::CreateOnly) {
                    continue;
                }
                if below.is(Flag::Autoscaled) && autoscale(members, name, desired) {
                    continue;
                }
                let wanted = value;
                // The case that Azure uses is kept: two keys that differ only by case are refused.
                let known = match members.get(name) {
                    Some(_) => Some(name.clone()),
                    None => member(members, name, node)
                        .and_then(|_| members.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()),
                };
                match known {
                    Some(key) => put_over(members.entry(key).or_insert(Value::Null), wanted, below),
                    None => {
                        members.insert(name.clone(), wanted.clone());
                    }
                }
            }
        }
        (Value::Array(items), Value::Array(wanted)) if node.key.is_some() => {
            let key = node.key.unwrap_or_default();
            for wanted in wanted {
                let name = key_of(wanted, key);
                match items.iter_mut().find(|item| name.is_some() && key_of(item, key) == name) {
                    Some(item) => put_over(item, wanted, node.element()),
                    None => items.push(wanted.clone()),
                }
            }
        }
        (Value::String(live), Value::String(wanted)) if node.is(Flag::AtLeast) && is_newer(live, wanted) => {}
        (body, desired) => {
            if !(is_empty(desired) && is_empty(body)) {
                *body = desired.clone();
            }
        }
    }
}

/// Settles a value that the autoscaler moves; whether the live one stands.
fn autoscale(members: &mut Map<String, Value>, name: &str, desired: &Value) -> bool {
    if !is_autoscaling(desired) {
        // Bounds that are left behind are refused.
        members.retain(|name, _| !matches!(name.as_str(), "minCount" | "maxCount"));
        return false;
    }
    let Some(live) = members.get(name).and_then(Value::as_i64) else { return false };
    let bound = |name: &str| desired.get(name).and_then(Value::as_i64);
    let live = live.min(bound("maxCount").unwrap_or(live));
    members.insert(name.to_owned(), live.max(bound("minCount").unwrap_or(live)).into());
    true
}

fn remove(body: &mut Value, node: &Node, path: &str, dropped: &[&Change]) {
    let at = |path: &str| dropped.iter().find(|change| change.path == path);
    match body {
        Value::Object(members) => {
            let old = std::mem::take(members);
            for (name, mut value) in old {
                let here = join(path, &name);
                // The path names the key as the blueprint wrote it; in a map Azure may have re-cased it.
                let change = at(&here).or_else(|| {
                    (node.is(Flag::Map))
                        .then(|| dropped.iter().find(|change| change.path.eq_ignore_ascii_case(&here)))
                        .flatten()
                });
                match change {
                    // Azure's schemas accept no null: what has none is left out.
                    Some(Change { kind: ChangeKind::Reset, after, .. }) if !after.is_null() => {
                        members.insert(name, after.clone());
                    }
                    Some(_) => {}
                    None => {
                        remove(&mut value, node.member(&name), &here, dropped);
                        members.insert(name, value);
                    }
                }
            }
        }
        Value::Array(items) => {
            if let Some(key) = node.key {
                let here = |item: &Value| {
                    key_of(item, key).map(|name| format!("{path}[{}]", name.replace('\u{1f}', ",")))
                };
                items.retain(|item| here(item).is_none_or(|path| at(&path).is_none()));
                for item in items {
                    if let Some(path) = here(item) {
                        remove(item, node.element(), &path, dropped);
                    }
                }
            }
        }
        _ => {}
    }
}

fn join(path: &str, name: &str) -> String {
    if name.contains(['.', '/', ' ']) {
        format!("{path}[\"{name}\"]")
    } else if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// The members of `to` that are not the same in `from`, for a PATCH.
pub(crate) fn changed_members(from: &Value, to: &Value) -> Value {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let mut changed = Map::new();
            for (name, value) in to {
                match from.get(name) {
                    Some(old) if old == value => {}
                    Some(old @ Value::Object(_)) if value.is_object() => {
                        changed.insert(name.clone(), changed_members(old, value));
                    }
                    _ => {
                        changed.insert(name.clone(), value.clone());
                    }
                }
            }
            Value::Object(changed)
        }
        _ => to.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Comparison, Rule, diff};
    use super::*;
    use serde_json::json;

    const RULES: &[Rule] = &[
        Rule::at("properties.subnets").keyed("name"),
        Rule::at("properties.fqdn").read_only(),
        Rule::at("properties.pools").create_only(),
        Rule::at("properties.idle").default("4"),
        Rule::at("properties.window.from").on_change(),
    ];

    #[test]
    fn what_azure_refuses_to_hear_again_is_sent_when_it_changes() {
        let rules = Rules::new(RULES);
        let body =
            |from: &str, hours: u32| json!({ "properties": { "window": { "from": from, "hours": hours } } });
        for (wanted, sent) in [
            (body("2026-01-01", 8), json!({ "properties": { "window": { "hours": 8 } } })),
            (body("2027-01-01", 4), body("2027-01-01", 4)),
        ] {
            let live = body("2026-01-01", 4);
            let comparison = Comparison { rules: &rules, applied: None, secret_changed: &|_, _| false };
            let changes = diff(&wanted, &live, &comparison);
            assert_eq!(merge(&live, &wanted, &rules, &changes), sent);
        }
    }

    #[test]
    fn foreign_things_survive_and_dropped_ones_go() {
        let rules = Rules::new(RULES);
        let live = json!({
            "id": "/x", "etag": "W/1", "tags": { "Team": "a", "theirs": "b", "old": "c" },
            "properties": {
                "provisioningState": "Succeeded", "fqdn": "f", "idle": 9, "pools": [1],
                "subnets": [
                    { "name": "theirs", "etag": "W/2", "properties": { "prefix": "x" } },
                    { "name": "ours", "properties": { "prefix": "y", "nsg": { "id": "/n" } } },
                ],
            },
        });
        let desired = json!({
            "tags": { "team": "z" },
            "properties": { "subnets": [{ "name": "ours", "properties": { "prefix": "w" } }], "pools": [2] },
        });
        let applied = json!({ "tags": { "team": "a", "old": "c" }, "properties": { "idle": 9 } });
        let comparison = Comparison { rules: &rules, applied: Some(&applied), secret_changed: &|_, _| false };
        let changes = diff(&desired, &live, &comparison);
        assert_eq!(
            merge(&live, &desired, &rules, &changes),
            json!({
                "tags": { "Team": "z", "theirs": "b" },
                "properties": {
                    "idle": 4,
                    "subnets": [
                        { "name": "theirs", "properties": { "prefix": "x" } },
                        { "name": "ours", "properties": { "prefix": "w", "nsg": { "id": "/n" } } },
                    ],
                },
            })
        );
    }

    #[test]
    fn merging_what_is_there_already_changes_nothing_more() {
        let rules = Rules::new(RULES);
        let live = json!({ "properties": { "subnets": [{ "name": "a", "properties": { "p": 1 } }] } });
        let desired = json!({ "properties": { "subnets": [{ "name": "A", "properties": { "p": 2 } }] } });
        let once = merge(&live, &desired, &rules, &[]);
        assert_eq!(merge(&once, &desired, &rules, &[]), once);
    }

    #[test]
    fn what_azure_moves_is_kept_and_what_excludes_is_replaced() {
        let rules = Rules::new(&[
            Rule::at("count").autoscaled(),
            Rule::at("version").version_alias().at_least(),
            Rule::at("ref").whole(),
        ]);
        let live = json!({ "enableAutoScaling": true, "count": 4, "minCount": 1, "maxCount": 5,
                           "version": "1.34.2", "ref": { "branch": "main", "tag": null } });
        for (desired, expected) in [
            (
                json!({ "enableAutoScaling": true, "count": 1, "minCount": 1, "maxCount": 3,
                        "version": "1.33", "ref": { "tag": "v1" } }),
                json!({ "enableAutoScaling": true, "count": 3, "minCount": 1, "maxCount": 3,
                        "version": "1.34.2", "ref": { "tag": "v1" } }),
            ),
            (
                json!({ "enableAutoScaling": false, "count": 2, "version": "1.35" }),
                json!({ "enableAutoScaling": false, "count": 2, "version": "1.35",
                        "ref": { "branch": "main" } }),
            ),
        ] {
            assert_eq!(merge(&live, &desired, &rules, &[]), expected);
        }
    }

    #[test]
    fn a_patch_holds_only_what_changed() {
        let from = json!({ "properties": { "a": 1, "b": { "c": 1, "d": 2 } }, "tags": { "x": "1" } });
        let to = json!({ "properties": { "a": 1, "b": { "c": 2, "d": 2 } }, "tags": { "x": "1" } });
        assert_eq!(changed_members(&from, &to), json!({ "properties": { "b": { "c": 2 } } }));
    }
}
