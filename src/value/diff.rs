//! The one structural comparison: what the blueprint asks for, against what is there.
//!
//! Only what the desired body mentions is compared. Absent, null, `""`, `[]` and `{}` are one thing, in both
//! directions; ids compare without case wherever they stand; everything else that is equal in Azure's eyes is said
//! by the [`Rules`] of the type.

use super::path::{Segment, Trail, member_of};
use super::rules::{Flag, NOTHING, Node, Rules, key_of};
use super::same::{covers, same, same_list};
use super::token;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What a change does to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The field gets a value.
    Set,
    /// A member or element that the blueprint used to have is taken away.
    Remove,
    /// The blueprint dropped the field: it goes back to the service's default.
    Reset,
    /// The blueprint dropped the field and no default is known: it stays as it is, and is nobody's from now on.
    Release,
}

/// One field that is not as asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Where: `properties.agentPoolProfiles[system].count`.
    pub path: String,
    /// What happens to it.
    pub kind: ChangeKind,
    /// What is there; null when nothing is.
    pub before: Value,
    /// What will be there; null when nothing will be. May hold tokens.
    pub after: Value,
    /// Whether the field cannot be changed in place.
    pub forces_replace: bool,
    /// Whether nobody asked for it and it goes because the list it stands in is the blueprint's alone (`exclusive`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
}

/// What a comparison needs besides the two bodies.
pub struct Comparison<'a> {
    /// The rules of the type.
    pub rules: &'a Rules,
    /// What was asked for last time, for fields that the blueprint has dropped since.
    pub applied: Option<&'a Value>,
    /// Whether the write-only or secret field at this path has another value than the one last sent.
    pub secret_changed: &'a dyn Fn(&str, &Value) -> bool,
}

/// Lists the fields of `live` that are not as `desired`, in the order of `desired`.
pub fn diff(desired: &Value, live: &Value, comparison: &Comparison<'_>) -> Vec<Change> {
    let mut walk =
        Walk { comparison, trail: Trail::default(), changes: Vec::new(), immutable: 0, hushed: false };
    walk.compare(desired, Some(live), comparison.rules.root());
    if let Some(applied) = comparison.applied {
        walk.dropped(applied, Some(desired), Some(live), comparison.rules.root());
    }
    walk.changes
}

struct Walk<'a, 'c> {
    comparison: &'c Comparison<'c>,
    trail: Trail<'a>,
    changes: Vec<Change>,
    /// How many of the nodes above are immutable.
    immutable: usize,
    /// Whether what is there was given as a secret, and is not to be shown.
    hushed: bool,
}

impl<'a> Walk<'a, '_> {
    fn report(&mut self, kind: ChangeKind, before: Option<&Value>, after: Value, node: &Node) {
        let lasts =
            node.lasting.as_ref().is_some_and(|last| before.is_some_and(|b| same(last, Some(b), node)));
        let off_course =
            !token::any(&after, &|_| true) && !node.takes(before.unwrap_or(&Value::Null), &after);
        let set_already = node.is(Flag::SetOnce) && before.is_some_and(|before| !is_empty(before));
        self.changes.push(Change {
            path: self.trail.to_string(),
            kind,
            before: before.filter(|_| !self.hushed).cloned().unwrap_or(Value::Null),
            after,
            forces_replace: (self.immutable > 0 || lasts || off_course || set_already)
                && kind != ChangeKind::Release,
            foreign: false,
        });
    }

    fn within(&mut self, segment: Segment<'a>, node: &Node, step: impl FnOnce(&mut Self)) {
        self.within_of(segment, node, None, step);
    }

    /// As [`Walk::within`], for a member of an object whose live members may lift what holds for it.
    fn within_of(
        &mut self,
        segment: Segment<'a>,
        node: &Node,
        live: Option<&Map<String, Value>>,
        step: impl FnOnce(&mut Self),
    ) {
        let lifted = node
            .unless
            .is_some_and(|switch| live.and_then(|live| live.get(switch)) == Some(&Value::Bool(true)));
        let fixed = usize::from(node.is(Flag::Immutable) && !lifted);
        self.trail.push(segment);
        self.immutable += fixed;
        step(self);
        self.immutable -= fixed;
        self.trail.pop();
    }

    fn compare(&mut self, desired: &'a Value, live: Option<&'a Value>, node: &Node) {
        if desired.is_null() || node.is(Flag::ReadOnly) || node.is(Flag::CreateOnly) {
            return;
        }
        if node.is(Flag::WriteOnly) || is_secret(desired) {
            if (self.comparison.secret_changed)(&self.trail.to_string(), desired) {
                self.report(ChangeKind::Set, None, desired.clone(), node);
            }
            return;
        }
        match desired {
            Value::Object(wanted) => {
                let present = live.and_then(Value::as_object);
                if live.is_some_and(|live| !live.is_object() && !is_empty(live)) {
                    return self.report(ChangeKind::Set, live, desired.clone(), node);
                }
                let siblings = present;
                for (name, wanted) in wanted {
                    let below = node.member(name);
                    let present = present.and_then(|present| member(present, name, node));
                    if below.is(Flag::Autoscaled) && present.is_some() && is_autoscaling(desired) {
                        continue;
                    }
                    if node.is(Flag::Map)
                        && present.is_none()
                        && wanted.as_object().is_some_and(Map::is_empty)
                    {
                        // The key alone says something: an identity by its id, a kustomization without settings.
                        self.within(Segment::Member(name), below, |walk| {
                            walk.report(ChangeKind::Set, None, wanted.clone(), below);
                        });
                        continue;
                    }
                    self.within_of(Segment::Member(name), below, siblings, |walk| {
                        walk.compare(wanted, present, below);
                    });
                }
            }
            Value::Array(wanted) => self.compare_array(wanted, desired, live, node),
            _ => {
                if !same(desired, live, node) {
                    self.report(ChangeKind::Set, live, desired.clone(), node);
                }
            }
        }
    }

    fn compare_array(&mut self, wanted: &'a [Value], desired: &Value, live: Option<&'a Value>, node: &Node) {
        let present = live.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let element = node.element();
        if let Some(key) = node.key {
            let mut by_key: HashMap<String, &'a Value> = HashMap::with_capacity(present.len());
            by_key.extend(present.iter().filter_map(|item| Some((key_of(item, key)?, item))));
            for (index, wanted) in wanted.iter().enumerate() {
                let key = key_of(wanted, key);
                let found = key.as_ref().and_then(|key| by_key.get(key)).copied();
                let segment = key.map_or(Segment::Index(index), Segment::Key);
                self.within(segment, element, |walk| match found {
                    Some(found) => walk.compare(wanted, Some(found), element),
                    None => {
                        walk.report(ChangeKind::Set, None, wanted.clone(), element);
                        walk.note(wanted, element);
                    }
                });
            }
            return;
        }
        // Elements that nothing tells apart have no paths: the secrets among them are told by the list's own.
        let mut secrets = Vec::new();
        secrets_of(desired, node, &mut secrets);
        let secret = !secrets.is_empty();
        if secret && (self.comparison.secret_changed)(&self.trail.to_string(), &Value::Array(secrets)) {
            return self.report(ChangeKind::Set, None, desired.clone(), node);
        }
        let equal = same_list(wanted, present, node);
        if !equal {
            let is_default = live.is_none() && node.default.as_ref() == Some(desired);
            if !is_default {
                // Azure may show what was given as a secret.
                let before = live.filter(|_| !secret);
                self.report(ChangeKind::Set, before, desired.clone(), node);
            }
        }
    }

    /// Tells of the secrets in what is new as a whole, so that a later change of one is seen.
    fn note(&mut self, desired: &'a Value, node: &Node) {
        if node.is(Flag::ReadOnly) || node.is(Flag::CreateOnly) {
            return;
        }
        match desired {
            _ if node.is(Flag::WriteOnly) || is_secret(desired) => {
                (self.comparison.secret_changed)(&self.trail.to_string(), desired);
            }
            Value::Object(members) => {
                for (name, value) in members {
                    let below = node.member(name);
                    self.within(Segment::Member(name), below, |walk| walk.note(value, below));
                }
            }
            Value::Array(items) => match node.key {
                Some(key) => {
                    for (index, item) in items.iter().enumerate() {
                        let segment = key_of(item, key).map_or(Segment::Index(index), Segment::Key);
                        self.within(segment, node.element(), |walk| walk.note(item, node.element()));
                    }
                }
                None => {
                    let mut secrets = Vec::new();
                    secrets_of(desired, node, &mut secrets);
                    if !secrets.is_empty() {
                        (self.comparison.secret_changed)(&self.trail.to_string(), &Value::Array(secrets));
                    }
                }
            },
            _ => {}
        }
    }

    /// Reports what was applied last time and is no longer asked for, but still there.
    fn dropped(&mut self, applied: &'a Value, desired: Option<&Value>, live: Option<&'a Value>, node: &Node) {
        let hushed = self.hushed;
        self.hushed |= !matches!((applied, desired), (Value::Object(_), Some(_))) && holds_secret(applied);
        self.dropped_from(applied, desired, live, node);
        self.hushed = hushed;
    }

    fn dropped_from(
        &mut self,
        applied: &'a Value,
        desired: Option<&Value>,
        live: Option<&'a Value>,
        node: &Node,
    ) {
        let hidden = [Flag::ReadOnly, Flag::CreateOnly, Flag::WriteOnly];
        if live.is_none_or(is_empty) || is_empty(applied) || hidden.iter().any(|flag| node.is(*flag)) {
            return;
        }
        match (applied, desired) {
            (Value::Object(_), None) if node.is(Flag::Whole) && node.default.is_some() => {
                let default = node.default.clone().unwrap_or_default();
                if !live.is_some_and(|live| covers(&default, live, node, &NOTHING)) {
                    self.report(ChangeKind::Reset, live, default, node);
                }
            }
            (Value::Object(_), None) if node.is(Flag::Whole) => {
                self.report(ChangeKind::Remove, live, Value::Null, node);
            }
            (Value::Object(before), None) if node.has_members() && !node.is(Flag::Map) => {
                // A whole group was dropped: its members have rules of their own.
                self.dropped_members(before, None, live, node);
            }
            (Value::Object(before), Some(Value::Object(after))) => {
                self.dropped_members(before, Some(after), live, node);
            }
            (Value::Object(before), None) if node.is(Flag::Map) => {
                self.dropped_members(before, Some(&Map::new()), live, node);
            }
            (Value::Array(before), after) if node.key.is_some() => {
                let key = node.key.unwrap_or_default();
                let find = |items: Option<&'a Value>, wanted: &str| {
                    items?.as_array()?.iter().find(|item| key_of(item, key).as_deref() == Some(wanted))
                };
                for element in before {
                    let Some(name) = key_of(element, key) else { continue };
                    let Some(found) = find(live, &name) else { continue };
                    let kept = after.and_then(Value::as_array).and_then(|items| {
                        items.iter().find(|item| key_of(item, key).as_ref() == Some(&name))
                    });
                    let below = node.element();
                    self.within(Segment::Key(name), below, |walk| match kept {
                        Some(kept) => walk.dropped(element, Some(kept), Some(found), below),
                        None => walk.report(ChangeKind::Remove, Some(found), Value::Null, below),
                    });
                }
            }
            (Value::Array(before), Some(after))
                if node.is(Flag::Set) && node.is(Flag::AtLeast) && !is_empty(after) =>
            {
                // Azure adds to the list: what is ours in it goes when the blueprint drops it.
                let has = |list: Option<&Value>, item: &Value| {
                    let list = list.and_then(Value::as_array);
                    list.is_some_and(|list| {
                        list.iter().any(|other| covers(item, other, node.element(), node))
                    })
                };
                let gone = |item: &&Value| !has(Some(after), item) && has(live, item);
                if before.iter().any(|item| gone(&item))
                    && !self.changes.iter().any(|c| c.path == self.trail.to_string())
                {
                    self.report(ChangeKind::Set, live, after.clone(), node);
                }
            }
            // A list says what it says, also when it is empty: that was compared.
            (_, Some(Value::Array(_))) => {}
            (_, Some(after)) if !is_empty(after) => {}
            _ => match &node.default {
                // Azure takes it away by itself when it is not sent.
                Some(Value::Null) => self.report(ChangeKind::Remove, live, Value::Null, node),
                Some(default) if is_default(default, live, node) => {}
                Some(default) => self.report(ChangeKind::Reset, live, default.clone(), node),
                None => self.report(ChangeKind::Release, live, Value::Null, node),
            },
        }
    }

    fn dropped_members(
        &mut self,
        before: &'a Map<String, Value>,
        after: Option<&Map<String, Value>>,
        live: Option<&'a Value>,
        node: &Node,
    ) {
        let Some(live) = live.and_then(Value::as_object) else { return };
        for (name, value) in before {
            let kept = after.and_then(|after| member(after, name, node));
            let present = member(live, name, node);
            let below = node.member(name);
            let hushed = self.hushed;
            self.hushed |= kept.is_none() && holds_secret(value);
            self.within_of(Segment::Member(name), below, Some(live), |walk| {
                if (node.is(Flag::Map) || node.is(Flag::Whole)) && kept.is_none() {
                    let Some(present) = present.filter(|present| !present.is_null()) else { return };
                    match &below.default {
                        // Some maps keep what is omitted: there the member itself says that it is off.
                        Some(default) if covers(default, present, below, &NOTHING) => {}
                        Some(default) => {
                            walk.report(ChangeKind::Reset, Some(present), default.clone(), below)
                        }
                        None => walk.report(ChangeKind::Remove, Some(present), Value::Null, below),
                    }
                } else {
                    walk.dropped(value, kept, present, below);
                }
            });
            self.hushed = hushed;
        }
    }
}

/// A member by its name; in a map of data, in any case.
pub(crate) fn member<'v>(members: &'v Map<String, Value>, name: &str, node: &Node) -> Option<&'v Value> {
    member_of(members, name).or_else(|| {
        // Only where keys are data (tags, addons, identities by id) does Azure re-case them.
        let fold = node.is(Flag::Map) || node.is(Flag::FoldCase) || name.starts_with('/');
        if !fold {
            return None;
        }
        members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

/// Whether nothing is said by this value.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Whether a body has autoscaling on.
pub(crate) fn is_autoscaling(body: &Value) -> bool {
    body.get("enableAutoScaling") == Some(&Value::Bool(true))
}

/// Whether the live version is a higher one than the wanted, as far as the wanted one says.
pub(crate) fn is_newer(live: &str, wanted: &str) -> bool {
    let parts = |text: &str| text.split('.').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<_>>>();
    match (parts(live), parts(wanted)) {
        (Some(live), Some(wanted)) => live.iter().take(wanted.len()).gt(wanted.iter()),
        _ => false,
    }
}

pub(crate) fn is_secret(value: &Value) -> bool {
    matches!(value, Value::String(text) if token::has_token(text)
        && token::any(value, &|token| matches!(token, token::Token::Secret { .. })))
}

/// Whether what is there is what the service takes by itself. A default of null is none: Azure takes such a field away
/// on its own.
fn is_default(default: &Value, live: Option<&Value>, node: &Node) -> bool {
    match (default, live) {
        (Value::Null, _) => true,
        (default, live) if is_empty(default) => live.is_none_or(is_empty),
        (default @ (Value::Object(_) | Value::Array(_)), Some(live)) => covers(default, live, node, node),
        (default, live) => same(default, live, node),
    }
}

/// Whether a secret stands anywhere in a body.
fn holds_secret(value: &Value) -> bool {
    token::any(value, &|token| matches!(token, token::Token::Secret { .. }))
}

/// The secrets in a value, in the order in which they stand there.
fn secrets_of(value: &Value, node: &Node, found: &mut Vec<Value>) {
    match value {
        _ if node.is(Flag::ReadOnly) || node.is(Flag::CreateOnly) || is_empty(value) => {}
        _ if node.is(Flag::WriteOnly) || is_secret(value) => found.push(value.clone()),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| secrets_of(value, node.member(name), found));
        }
        Value::Array(items) => items.iter().for_each(|item| secrets_of(item, node.element(), found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::token::Token;
    use super::*;
    use serde_json::json;

    const RULES: &[Rule] = &[
        Rule::at("properties.sku").fold_case(),
        Rule::at("properties.dnsPrefix").immutable(),
        Rule::at("properties.profile").immutable(),
        Rule::at("properties.zones").set(),
        Rule::at("properties.ranges").set().cidr(),
        Rule::at("properties.pools").keyed("name"),
        Rule::at("properties.version").version_alias(),
        Rule::at("properties.password").write_only(),
        Rule::at("properties.idle").default("4"),
        Rule::at("properties.addons").map(),
        Rule::at("properties.first").create_only(),
        Rule::at("properties.count").autoscaled(),
        Rule::at("properties.release").version_alias().at_least(),
        Rule::at("properties.issuer").lasting("true"),
        Rule::at("properties.plugin").lasting("\"azure\"").fold_case(),
        Rule::at("properties.ref").whole(),
        Rule::at("properties.whole").whole(),
        Rule::at("properties.whole.a").default("0"),
        Rule::at("properties.features").map(),
        Rule::at("properties.features.*").default("{\"enabled\":false}"),
        Rule::at("properties.features.*.enabled").default("false"),
        Rule::at("properties.hosts").set().at_least(),
        Rule::at("properties.key").whole().default("{\"enabled\":false}"),
        Rule::at("properties.once").set_once(),
        Rule::at("properties.policy")
            .fold_case()
            .default("\"none\"")
            .steps(&[("none", "*"), ("azure|calico", "cilium")]),
        Rule::at("properties.private").immutable().unless("integrated"),
        Rule::at("properties.allowed").set().cidr().default("[]"),
    ];

    fn changes(desired: Value, live: Value, applied: Option<Value>) -> Vec<(String, ChangeKind, bool)> {
        let rules = Rules::new(RULES);
        let comparison =
            Comparison { rules: &rules, applied: applied.as_ref(), secret_changed: &|_, _| false };
        diff(&desired, &live, &comparison)
            .into_iter()
            .map(|change| (change.path, change.kind, change.forces_replace))
            .collect()
    }

    #[test]
    fn lists_that_azure_adds_to_lose_what_was_ours() {
        let hosts = |list: &[&str]| json!({ "properties": { "hosts": list } });
        let live = hosts(&["10.0.0.0/8", "a", "b"]);
        assert_eq!(changes(hosts(&["b", "a"]), live.clone(), Some(hosts(&["a", "b"]))), []);
        let set = vec![("properties.hosts".to_owned(), ChangeKind::Set, false)];
        assert_eq!(changes(hosts(&["a"]), live.clone(), Some(hosts(&["a", "b"]))), set);
        assert_eq!(changes(hosts(&["a", "c"]), live, Some(hosts(&["a", "b"]))), set);
    }

    #[test]
    fn a_dropped_list_goes_back_to_none() {
        let ranges = |value: Value| json!({ "properties": { "allowed": value } });
        let ours = ranges(json!(["10.0.0.0/8"]));
        let reset = vec![("properties.allowed".to_owned(), ChangeKind::Reset, false)];
        assert_eq!(changes(json!({}), ours.clone(), Some(ours.clone())), reset);
        let set = vec![("properties.allowed".to_owned(), ChangeKind::Set, false)];
        assert_eq!(changes(ranges(json!([])), ours.clone(), Some(ours.clone())), set);
        assert_eq!(changes(json!({}), ranges(json!([])), Some(ours.clone())), []);
        assert_eq!(changes(json!({}), json!({}), Some(ours)), []);
    }

    #[test]
    fn a_secret_in_a_list_is_told_by_its_digest_and_never_shown() {
        let secret = Token::Secret { name: "s".into() }.encode();
        let rules = Rules::new(RULES);
        let keys = |key: &str| json!({ "properties": { "keys": [{ "data": key, "n": 1 }], "more": key } });
        let wanted = keys(&secret);
        let seen = std::cell::RefCell::new(Vec::new());
        for (live, applied, moved, expected) in [
            (keys("shown"), Some(&wanted), false, vec![]),
            (keys("shown"), Some(&wanted), true, vec!["properties.keys", "properties.more"]),
            (
                json!({ "properties": { "keys": [{ "data": "shown", "n": 2 }] } }),
                None,
                false,
                vec!["properties.keys"],
            ),
        ] {
            let changed = |path: &str, _: &Value| {
                seen.borrow_mut().push(path.to_owned());
                moved
            };
            let found =
                diff(&wanted, &live, &Comparison { rules: &rules, applied, secret_changed: &changed });
            assert_eq!(found.iter().map(|c| c.path.as_str()).collect::<Vec<_>>(), expected);
            assert!(found.iter().all(|change| change.before.is_null()), "{found:?}");
        }
        assert_eq!(seen.borrow()[..2], ["properties.keys", "properties.more"]);
        // Nor is it shown when the blueprint drops it.
        let comparison = Comparison { rules: &rules, applied: Some(&wanted), secret_changed: &|_, _| false };
        let found = diff(&json!({}), &keys("shown"), &comparison);
        assert_eq!(
            found.iter().map(|c| c.path.as_str()).collect::<Vec<_>>(),
            ["properties.keys", "properties.more"]
        );
        assert!(found.iter().all(|change| change.before.is_null()), "{found:?}");
    }

    #[test]
    fn the_secrets_of_a_new_element_are_noted() {
        let secret = Token::Secret { name: "s".into() }.encode();
        let rules = Rules::new(RULES);
        let seen = std::cell::RefCell::new(Vec::new());
        let note = |path: &str, _: &Value| {
            seen.borrow_mut().push(path.to_owned());
            false
        };
        let wanted = json!({ "properties": { "pools": [{ "name": "a", "key": secret, "keys": [secret] }] } });
        diff(&wanted, &Value::Null, &Comparison { rules: &rules, applied: None, secret_changed: &note });
        assert_eq!(*seen.borrow(), ["properties.pools[a].key", "properties.pools[a].keys"]);
    }

    #[test]
    fn a_dropped_group_with_a_default_goes_back_to_it() {
        let key = |value: Value| json!({ "properties": { "key": value } });
        let on = key(json!({ "enabled": true, "id": "k" }));
        let reset = vec![("properties.key".to_owned(), ChangeKind::Reset, false)];
        assert_eq!(changes(json!({}), on.clone(), Some(on.clone())), reset);
        assert_eq!(changes(json!({}), key(json!({ "enabled": false })), Some(on)), []);
    }

    #[test]
    fn some_changes_are_made_in_place_and_others_not() {
        let properties = |value: Value| json!({ "properties": value });
        for (wanted, live, replaces) in [
            (json!({ "once": "a" }), json!({}), false),
            (json!({ "once": "a" }), json!({ "once": "b" }), true),
            (json!({ "policy": "azure" }), json!({}), false),
            (json!({ "policy": "calico" }), json!({ "policy": "None" }), false),
            (json!({ "policy": "cilium" }), json!({ "policy": "Calico" }), false),
            (json!({ "policy": "calico" }), json!({ "policy": "azure" }), true),
            (json!({ "policy": "none" }), json!({ "policy": "azure" }), true),
            (json!({ "private": true }), json!({ "private": false }), true),
            (json!({ "private": true }), json!({ "private": false, "integrated": true }), false),
        ] {
            let found = changes(properties(wanted.clone()), properties(live.clone()), None);
            assert_eq!(found.iter().map(|c| c.2).collect::<Vec<_>>(), [replaces], "{wanted} over {live}");
        }
    }

    #[test]
    fn what_means_the_same_is_no_change() {
        for (desired, live) in [
            (json!({ "location": "West Europe" }), json!({ "location": "westeurope" })),
            (json!({ "sku": "Standard" }), json!({ "sku": "standard" })),
            (json!({ "zones": ["1", "2"] }), json!({ "zones": ["2", "1"] })),
            (json!({ "ranges": ["1.2.3.4"] }), json!({ "ranges": ["1.2.3.4/32"] })),
            (
                json!({ "pools": [{ "name": "a", "count": 1 }] }),
                json!({ "pools": [{ "name": "b" }, { "name": "A", "count": 1.0, "x": 1 }] }),
            ),
            (json!({ "version": "1.33" }), json!({ "version": "1.33.4" })),
            (json!({ "version": "" }), json!({ "version": "1.33.4" })),
            (json!({ "password": "x" }), json!({})),
            (json!({ "idle": 4 }), json!({})),
            (json!({ "taints": [], "x": {}, "y": null, "z": "" }), json!({})),
            (json!({ "id": "/Subscriptions/A" }), json!({ "id": "/subscriptions/a" })),
            (
                json!({ "addons": { "omsAgent": { "enabled": true } } }),
                json!({ "addons": { "omsagent": { "enabled": true, "c": 1 } } }),
            ),
            (json!({ "first": 1 }), json!({ "first": 2 })),
            (json!({ "rotation": "true" }), json!({ "rotation": true })),
            (
                json!({ "enableAutoScaling": true, "count": 1 }),
                json!({ "enableAutoScaling": true, "count": 4 }),
            ),
            (json!({ "release": "1.33" }), json!({ "release": "1.34.1" })),
            (json!({ "release": "1.33.9" }), json!({ "release": "1.33.10" })),
            (json!({ "features": { "x": { "enabled": false } } }), json!({})),
        ] {
            let wrap = |body: Value| {
                if body.get("location").is_some() { body } else { json!({ "properties": body }) }
            };
            assert_eq!(changes(wrap(desired.clone()), wrap(live), None), [], "{desired}");
        }
    }

    #[test]
    fn what_differs_is_named() {
        for (desired, live, path, replace) in [
            (json!({ "sku": "Premium" }), json!({ "sku": "standard" }), "properties.sku", false),
            (json!({ "dnsPrefix": "a" }), json!({ "dnsPrefix": "b" }), "properties.dnsPrefix", true),
            (
                json!({ "profile": { "x": 1 } }),
                json!({ "profile": { "x": 2 } }),
                "properties.profile.x",
                true,
            ),
            (json!({ "zones": ["1", "1"] }), json!({ "zones": ["1", "2"] }), "properties.zones", false),
            (
                json!({ "pools": [{ "name": "a", "count": 1 }] }),
                json!({ "pools": [{ "name": "a", "count": 2 }] }),
                "properties.pools[a].count",
                false,
            ),
            (json!({ "pools": [{ "name": "a" }] }), json!({ "pools": [] }), "properties.pools[a]", false),
            (json!({ "version": "1.3" }), json!({ "version": "1.33.4" }), "properties.version", false),
            (json!({ "idle": 5 }), json!({}), "properties.idle", false),
            (json!({ "flag": false }), json!({ "flag": true }), "properties.flag", false),
            (
                json!({ "enableAutoScaling": false, "count": 1 }),
                json!({ "count": 4, "enableAutoScaling": false }),
                "properties.count",
                false,
            ),
            (json!({ "release": "1.34" }), json!({ "release": "1.33.4" }), "properties.release", false),
            (json!({ "release": "1.33.4" }), json!({ "release": "1.33.3" }), "properties.release", false),
            (json!({ "issuer": false }), json!({ "issuer": true }), "properties.issuer", true),
            (json!({ "issuer": true }), json!({ "issuer": false }), "properties.issuer", false),
            (json!({ "plugin": "kubenet" }), json!({ "plugin": "Azure" }), "properties.plugin", true),
            (
                json!({ "addons": { "a": {} } }),
                json!({ "addons": { "b": {} } }),
                "properties.addons.a",
                false,
            ),
        ] {
            let found = changes(json!({ "properties": desired }), json!({ "properties": live }), None);
            assert_eq!(found, [(path.to_owned(), ChangeKind::Set, replace)]);
        }
    }

    #[test]
    fn members_that_exclude_each_other_or_must_be_switched_off_are_dropped_that_way() {
        let found = changes(
            json!({ "properties": { "ref": { "tag": "v1" } } }),
            json!({ "properties": { "ref": { "branch": "main", "tag": null },
                                    "whole": { "a": 1 },
                                    "features": { "X": { "enabled": true }, "y": { "enabled": false, "c": 1 } } } }),
            Some(json!({ "properties": { "ref": { "branch": "main" }, "whole": { "a": 1 },
                                         "features": { "x": { "enabled": true }, "y": { "enabled": true } } } })),
        );
        assert_eq!(
            found,
            [
                ("properties.ref.tag".to_owned(), ChangeKind::Set, false),
                ("properties.ref.branch".to_owned(), ChangeKind::Remove, false),
                ("properties.whole".to_owned(), ChangeKind::Remove, false),
                ("properties.features.x".to_owned(), ChangeKind::Reset, false),
            ]
        );
    }

    #[test]
    fn what_was_dropped_is_removed_reset_or_released() {
        let found = changes(
            json!({ "tags": { "a": "1" }, "properties": { "pools": [] } }),
            json!({ "tags": { "a": "1", "B": "2", "foreign": "3" },
                    "properties": { "idle": 9, "sku": "x", "pools": [{ "name": "p" }, { "name": "foreign" }] } }),
            Some(json!({ "tags": { "a": "1", "b": "2" },
                         "properties": { "idle": 9, "sku": "x", "pools": [{ "name": "p" }] } })),
        );
        assert_eq!(
            found,
            [
                ("tags.b".to_owned(), ChangeKind::Remove, false),
                ("properties.idle".to_owned(), ChangeKind::Reset, false),
                ("properties.sku".to_owned(), ChangeKind::Release, false),
                ("properties.pools[p]".to_owned(), ChangeKind::Remove, false),
            ]
        );
    }
}
