//! What others put into a list that a blueprint wants for itself.

use super::diff::{Change, ChangeKind, is_empty, member};
use super::path::{Segment, Trail};
use super::rules::{NOTHING, Rules, key_of};
use super::same::covers;
use serde_json::{Map, Value};

/// How the names of tags begin that the portal and services set for themselves; they stay.
const HIDDEN: &str = "hidden-";

/// What is in the lists and maps of `live` at these dotted paths and not in `desired`: changes that take it away, or
/// switch it off where members of a map say themselves that they are off.
///
/// Only what [`Rules::merges`] is a list that others can add to; other paths say nothing.
pub fn foreign(desired: &Value, live: &Value, rules: &Rules, paths: &[&str]) -> Vec<Change> {
    paths.iter().flat_map(|path| foreign_at(desired, live, rules, path)).collect()
}

fn foreign_at(desired: &Value, live: &Value, rules: &Rules, path: &str) -> Vec<Change> {
    let mut node = rules.root();
    let (mut desired, mut live) = (Some(desired), live);
    let mut trail = Trail::default();
    for name in path.split('.') {
        let Some(there) = live.as_object().and_then(|members| member(members, name, node)) else {
            return Vec::new();
        };
        desired =
            desired.and_then(|desired| desired.as_object()).and_then(|members| member(members, name, node));
        live = there;
        node = node.member(name);
        trail.push(Segment::Member(name));
    }
    let change = |trail: &Trail<'_>, kind, before: &Value, after| Change {
        path: trail.to_string(),
        kind,
        before: before.clone(),
        after,
        forces_replace: false,
        foreign: true,
    };
    let mut found = Vec::new();
    match live {
        Value::Array(items) => {
            let Some(key) = node.key else { return found };
            let wanted = desired.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for item in items {
                let Some(name) = key_of(item, key) else { continue };
                if node.is_azures(item)
                    || wanted.iter().any(|wanted| key_of(wanted, key).as_ref() == Some(&name))
                {
                    continue;
                }
                trail.push(Segment::Key(name));
                found.push(change(&trail, ChangeKind::Remove, item, Value::Null));
                trail.pop();
            }
        }
        Value::Object(members) if node.is_map() => {
            let none = Map::new();
            let wanted = desired.and_then(Value::as_object).unwrap_or(&none);
            for (name, value) in members {
                let theirs = path == "tags" && name.to_ascii_lowercase().starts_with(HIDDEN);
                if theirs || value.is_null() || member(wanted, name, node).is_some() {
                    continue;
                }
                let below = node.member(name);
                trail.push(Segment::Member(name));
                match &below.default {
                    Some(default) if covers(default, value, below, &NOTHING) => {}
                    Some(default) => found.push(change(&trail, ChangeKind::Reset, value, default.clone())),
                    None if is_empty(value) && path != "tags" => {}
                    None => found.push(change(&trail, ChangeKind::Remove, value, Value::Null)),
                }
                trail.pop();
            }
        }
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{Comparison, Rule, diff, merge};
    use super::*;
    use serde_json::json;

    fn rules() -> Rules {
        Rules::new(&[
            Rule::at("properties.policies").keyed("tenant+object"),
            Rule::at("properties.addons").map(),
            Rule::at("properties.addons.*").default(r#"{"enabled":false}"#),
            Rule::at("properties.ranges").set(),
        ])
    }

    #[test]
    fn only_what_is_foreign_goes_and_a_second_look_finds_nothing() {
        let rules = rules();
        let live = json!({
            "tags": { "Team": "a", "theirs": "b", "empty": "", "hidden-link:/x": "Resource" },
            "properties": {
                "policies": [{ "tenant": "t", "object": "OURS" }, { "tenant": "t", "object": "theirs", "may": 1 }],
                "addons": { "Policy": { "enabled": true }, "off": { "enabled": false }, "ours": { "enabled": true } },
                "ranges": ["x"],
            },
        });
        let desired = json!({
            "tags": { "team": "a" },
            "properties": { "policies": [{ "tenant": "T", "object": "ours" }], "addons": { "Ours": { "enabled": true } } },
        });
        let paths =
            ["tags", "properties.policies", "properties.addons", "properties.ranges", "properties.none"];
        let changes = foreign(&desired, &live, &rules, &paths);
        let told: Vec<(&str, ChangeKind)> = changes.iter().map(|c| (c.path.as_str(), c.kind)).collect();
        let expected = [
            ("tags.theirs", ChangeKind::Remove),
            ("tags.empty", ChangeKind::Remove),
            ("properties.policies[t,theirs]", ChangeKind::Remove),
            ("properties.addons.Policy", ChangeKind::Reset),
        ];
        assert_eq!(told, expected);
        let merged = merge(&live, &desired, &rules, &changes);
        assert_eq!(foreign(&desired, &merged, &rules, &paths), []);
        assert_eq!(merged["tags"], json!({ "Team": "a", "hidden-link:/x": "Resource" }));
        let comparison = Comparison { rules: &rules, applied: None, secret_changed: &|_, _| false };
        assert_eq!(diff(&desired, &merged, &comparison), []);
    }

    #[test]
    fn a_list_that_the_blueprint_leaves_out_is_emptied() {
        let live = json!({ "properties": { "policies": [{ "tenant": "t", "object": "o" }] } });
        let changes = foreign(&json!({}), &live, &rules(), &["properties.policies"]);
        assert_eq!(merge(&live, &json!({}), &rules(), &changes)["properties"]["policies"], json!([]));
    }
}
