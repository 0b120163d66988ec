//! What stands at the path of a [`super::Change`], to be replaced.

use super::path::{Segment, Trail};
use super::rules::{Node, Rules, key_of};
use serde_json::Value;

/// Puts another value where a path of a [`super::Change`] leads, or takes away what is there; whether there was such a place.
///
/// Only the last step of the path may be missing, and only in an object.
pub fn put_at(body: &mut Value, rules: &Rules, path: &str, new: Option<&Value>) -> bool {
    put(body, rules.root(), "", path, new)
}

fn put(value: &mut Value, node: &Node, trail: &str, path: &str, new: Option<&Value>) -> bool {
    let step = |segment: Segment<'_>| {
        let is_first = trail.is_empty();
        let mut own = Trail::default();
        // A first member is written without its dot.
        if !is_first {
            own.push(Segment::Index(0));
        }
        own.push(segment);
        let own = own.to_string();
        format!("{trail}{}", if is_first { &own } else { &own["[0]".len()..] })
    };
    let leads =
        |to: &str| path.strip_prefix(to).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    match value {
        Value::Object(members) => {
            let found = members.keys().map(|name| (name.clone(), step(Segment::Member(name))));
            let mut found: Vec<(String, String)> = found.filter(|(_, to)| leads(to)).collect();
            found.sort_by_key(|(_, to)| std::cmp::Reverse(to.len()));
            for (name, to) in found {
                if to == path {
                    match new {
                        Some(new) => members.insert(name, new.clone()),
                        None => members.shift_remove(&name),
                    };
                    return true;
                }
                let below = node.member(&name);
                if members.get_mut(&name).is_some_and(|value| put(value, below, &to, path, new)) {
                    return true;
                }
            }
            // A member that is not there yet.
            let Some(new) = new else { return false };
            let rest = match trail.is_empty() {
                true => Some(path),
                false => path.strip_prefix(trail),
            };
            let name = rest.map(|rest| rest.trim_start_matches('.'));
            let quoted = name.and_then(|name| name.strip_prefix("[\"")?.strip_suffix("\"]"));
            let Some(name) = quoted.or(name).filter(|name| step(Segment::Member(name)) == path) else {
                return false;
            };
            members.insert(name.to_owned(), new.clone());
            true
        }
        Value::Array(items) => {
            let at = items.iter().enumerate().find_map(|(at, item)| {
                let key = node.key.and_then(|key| key_of(item, key));
                let to = step(key.map_or(Segment::Index(at), Segment::Key));
                leads(&to).then_some((at, to))
            });
            let Some((at, to)) = at else { return false };
            match (to == path, new) {
                (true, Some(new)) => items[at] = new.clone(),
                (true, None) => {
                    items.remove(at);
                }
                (false, _) => return put(&mut items[at], node.element(), &to, path, new),
            }
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Comparison, Rule, diff};
    use serde_json::json;

    #[test]
    fn what_every_change_says_is_put_back() {
        let rules = Rules::new(&[Rule::at("properties.rules").keyed("name"), Rule::at("tags").map()]);
        let wanted = json!({
            "location": "we", "tags": { "team": "a", "a.b": "1", "x/y": "2", "gone": "3" },
            "properties": { "size": 1, "list": [1, 2], "deep": { "er": true }, "rules": [{ "name": "In", "port": 1 }] },
        });
        let live = json!({
            "location": "ne", "tags": { "team": "b", "a.b": "9", "x/y": "8" },
            "properties": { "size": 2, "list": [1], "deep": {}, "rules": [{ "name": "in", "port": 2 }] },
        });
        let comparison = Comparison { rules: &rules, applied: None, secret_changed: &|_, _| false };
        let changes = diff(&wanted, &live, &comparison);
        assert_eq!(changes.len(), 9, "{changes:#?}");
        let mut body = wanted.clone();
        for change in &changes {
            let new = Some(&change.before).filter(|before| !before.is_null());
            assert!(put_at(&mut body, &rules, &change.path, new), "{}", change.path);
        }
        assert_eq!(diff(&body, &live, &comparison), []);
        for change in &changes {
            assert!(put_at(&mut body, &rules, &change.path, Some(&change.after)), "{}", change.path);
        }
        assert_eq!(body, wanted);
        for path in ["properties.none.deeper", "properties.rules[out].port", "nothing[\"", ""] {
            assert!(!put_at(&mut body, &rules, path, None), "{path}");
        }
    }
}
