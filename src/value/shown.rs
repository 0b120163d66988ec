//! Secrets in fields that Azure shows, and in names, where none may be.

use super::diff::{is_secret, member};
use super::path::{Segment, Trail};
use super::rules::{Flag, Node, Rules, key_of};
use super::token;
use serde_json::Value;
use std::collections::HashMap;

/// What Azure shows in the fields that were given a secret, by path: to be compared by digest, and never shown.
///
/// Left out are fields that Azure shows nothing in, or a mask, and those in which it may write the same in another way.
/// A list without names has one entry, with all that was given as a secret in it, as digests have.
pub fn shown_secrets(desired: &Value, live: &Value, rules: &Rules) -> Vec<(String, Value)> {
    let mut walk = Walk { trail: Trail::default(), found: Vec::new() };
    walk.look(desired, live, rules.root());
    walk.found
}

/// The paths of lists whose elements are told apart by a text that holds a secret.
pub fn secret_names(body: &Value, rules: &Rules) -> Vec<String> {
    let mut found = Vec::new();
    names(body, rules.root(), &mut Vec::new(), &mut found);
    found
}

struct Walk<'a> {
    trail: Trail<'a>,
    found: Vec<(String, Value)>,
}

impl<'a> Walk<'a> {
    fn within(&mut self, segment: Segment<'a>, step: impl FnOnce(&mut Self)) {
        self.trail.push(segment);
        step(self);
        self.trail.pop();
    }

    fn look(&mut self, desired: &'a Value, live: &'a Value, node: &Node) {
        if !is_readable(node) {
            return;
        }
        match (desired, live) {
            (desired, live) if is_secret(desired) && is_told(live) && is_exact(node) => {
                self.found.push((self.trail.to_string(), live.clone()));
            }
            (Value::Object(wanted), Value::Object(present)) => {
                for (name, wanted) in wanted {
                    if let Some(live) = member(present, name, node) {
                        self.within(Segment::Member(name), |walk| walk.look(wanted, live, node.member(name)));
                    }
                }
            }
            (Value::Array(wanted), Value::Array(present)) => match node.key {
                Some(key) => {
                    let by_key: HashMap<String, &Value> =
                        present.iter().filter_map(|item| Some((key_of(item, key)?, item))).collect();
                    for wanted in wanted {
                        let Some(name) = key_of(wanted, key) else { continue };
                        let Some(live) = by_key.get(&name).copied() else { continue };
                        self.within(Segment::Key(name), |walk| walk.look(wanted, live, node.element()));
                    }
                }
                None => {
                    let mut seen = Vec::new();
                    if aligned(desired, live, node, &mut seen) && !seen.is_empty() {
                        self.found.push((self.trail.to_string(), Value::Array(seen)));
                    }
                }
            },
            _ => {}
        }
    }
}

/// Gathers what is shown for every secret of a list; false when something of it is not shown, or may have moved.
fn aligned(desired: &Value, live: &Value, node: &Node, seen: &mut Vec<Value>) -> bool {
    match (desired, live) {
        _ if node.is(Flag::ReadOnly) || node.is(Flag::CreateOnly) => true,
        // What cannot be read is in the digest of the list too.
        (desired, _) if node.is(Flag::WriteOnly) => desired.is_null(),
        (desired, live) if is_secret(desired) => {
            seen.push(live.clone());
            is_told(live) && is_exact(node)
        }
        (Value::Array(wanted), Value::Array(present)) => {
            let holds = || token::any(desired, &|token| matches!(token, token::Token::Secret { .. }));
            let fits = wanted.len() == present.len() && !node.is(Flag::Set) && node.key.is_none();
            (fits || !holds())
                && wanted
                    .iter()
                    .zip(present)
                    .all(|(wanted, live)| aligned(wanted, live, node.element(), seen))
        }
        (Value::Object(wanted), Value::Object(present)) => wanted.iter().all(|(name, wanted)| {
            let live = member(present, name, node).unwrap_or(&Value::Null);
            aligned(wanted, live, node.member(name), seen)
        }),
        (desired, _) => !token::any(desired, &|token| matches!(token, token::Token::Secret { .. })),
    }
}

fn is_readable(node: &Node) -> bool {
    ![Flag::WriteOnly, Flag::ReadOnly, Flag::CreateOnly].iter().any(|flag| node.is(*flag))
}

/// Whether a field is the same only when it is written the same.
fn is_exact(node: &Node) -> bool {
    use Flag::{Base64, Cidr, Duration, FoldCase, Guid, Location, Quantity, VersionAlias};
    ![Base64, Cidr, Duration, FoldCase, Guid, Location, Quantity, VersionAlias]
        .iter()
        .any(|flag| node.is(*flag))
}

/// Whether a value says something: services put nothing, stars or a word in brackets where a secret is.
fn is_told(live: &Value) -> bool {
    match live {
        Value::Null | Value::Array(_) | Value::Object(_) => false,
        Value::String(text) => {
            let text = text.trim();
            let bracketed = [('<', '>'), ('(', ')'), ('[', ']')]
                .iter()
                .any(|(open, close)| text.starts_with(*open) && text.ends_with(*close));
            text.contains(char::is_alphanumeric)
                && !bracketed
                && !["***", "•••", "xxxx", "XXXX"].iter().any(|mask| text.contains(mask))
                && !["hidden", "redacted", "masked", "removed"].contains(&text.to_ascii_lowercase().as_str())
        }
        _ => true,
    }
}

/// The trail as a dotted path, each name as a person may see it.
fn path_of(trail: &[&str]) -> String {
    trail.iter().map(|name| token::display_text(name)).collect::<Vec<_>>().join(".")
}

fn names<'b>(body: &'b Value, node: &Node, trail: &mut Vec<&'b str>, found: &mut Vec<String>) {
    match body {
        Value::Object(members) => {
            for (name, value) in members {
                if token::has_token(name) && is_secret(&Value::String(name.clone())) {
                    let at = path_of(trail);
                    if !found.contains(&at) {
                        found.push(at);
                    }
                }
                if value.is_object() || value.is_array() {
                    trail.push(name);
                    names(value, node.member(name), trail, found);
                    trail.pop();
                }
            }
        }
        Value::Array(items) => {
            let named = |item: &Value| {
                node.key.is_some_and(|key| {
                    let parts = || key.split('+').map(|part| part.split('.'));
                    parts().any(|mut part| {
                        part.try_fold(item, |value, name| value.get(name)).is_some_and(is_secret)
                    })
                })
            };
            if items.iter().any(named) {
                found.push(path_of(trail));
            }
            items.iter().for_each(|item| names(item, node.element(), trail, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Rule, token::Token};
    use super::*;
    use serde_json::json;

    fn secret() -> String {
        Token::Secret { name: "s".into() }.encode()
    }

    #[test]
    fn what_is_shown_for_a_secret_is_found_with_its_path() {
        static RULES: &[Rule] = &[
            Rule::at("properties.hidden").write_only(),
            Rule::at("properties.pools").keyed("name"),
            Rule::at("properties.where").location(),
        ];
        let rules = Rules::new(RULES);
        let s = secret();
        let desired = json!({ "properties": {
            "hidden": s, "plain": "x", "text": format!("a-{s}"), "where": s, "none": s, "masked": s, "angled": s,
            "pools": [{ "name": "a", "key": s }, { "name": "b", "key": s }],
            "list": [{ "v": s }, { "v": "x" }], "longer": [s],
        } });
        let live = json!({ "properties": {
            "hidden": "H", "plain": "y", "text": "T", "where": "W", "masked": "ab***", "angled": "<hidden>",
            "pools": [{ "name": "B", "key": "KB" }, { "name": "a", "key": null }],
            "list": [{ "v": "L" }, { "v": "z" }], "longer": ["1", "2"],
        } });
        let found = shown_secrets(&desired, &live, &rules);
        let found: Vec<(&str, &Value)> = found.iter().map(|(path, value)| (path.as_str(), value)).collect();
        assert_eq!(
            found,
            [
                ("properties.text", &json!("T")),
                ("properties.pools[b].key", &json!("KB")),
                ("properties.list", &json!(["L"])),
            ]
        );
    }

    #[test]
    fn a_secret_is_no_name() {
        static RULES: &[Rule] = &[Rule::at("properties.pools").keyed("name")];
        let body =
            json!({ "properties": { "pools": [{ "name": secret() }], "other": [{ "name": secret() }] } });
        assert_eq!(secret_names(&body, &Rules::new(RULES)), ["properties.pools"]);
    }
}
