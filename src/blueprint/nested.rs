//! What a part of an entry may say that is a resource of its own, as an entry does: `when`, `dependsOn`, `protect`,
//! `timeout`, `properties` of a subnet or a node pool.

use super::evaluator::Evaluator;
use super::exclusive::Asked;
use super::ignore::Given;
use super::messages::WRONG_TYPE;
use super::source::At;
use crate::catalog::{Arrival, Draft, Kind, Nested, merge_over};
use crate::diag::Diagnostic;
use crate::ident::{above, segments};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::time::Duration;

/// What an entry, or a part of one, says of how it is handled.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) depends_on: Vec<String>,
    pub(super) protect: Option<bool>,
    pub(super) timeout: Option<Duration>,
    pub(super) properties: Option<Value>,
    pub(super) exclusive: Option<Asked>,
    pub(super) ignore: Vec<Given>,
}

/// The words of a part.
#[derive(Debug)]
pub(super) struct Part {
    /// Dotted path from the entry.
    path: String,
    words: Words,
}

impl Part {
    /// What of it is to be left alone.
    pub(super) fn ignore(&self) -> &[Given] {
        &self.words.ignore
    }
}

impl Evaluator<'_> {
    /// The fields of an entry without the parts that are switched off, before anything else in those is evaluated;
    /// and the paths of those, from the entry. A mistake is told and poisons.
    pub(super) fn without_off<'r>(
        &self,
        kind: &Kind,
        entry: &str,
        raw: &'r Value,
    ) -> (Cow<'r, Value>, Vec<String>) {
        let mut decided = Vec::new();
        for nested in kind.nested {
            for path in parts(raw, nested) {
                let when = get(raw, &path).and_then(|part| part.get("when"));
                if let Some(when) = when {
                    let place = format!("{entry}.{path}");
                    let on = || self.is_on(when, &format!("{place}.when"));
                    let on = match self.each_of_part(&place) {
                        Some(each) => self.with_each(Some(each), on),
                        None => on(),
                    };
                    decided.push((on, path));
                }
            }
        }
        if decided.is_empty() {
            return (Cow::Borrowed(raw), Vec::new());
        }
        let mut raw = raw.clone();
        let mut off = Vec::new();
        for (on, path) in decided {
            match on {
                Some(false) => {
                    take_out(&mut raw, &path);
                    off.push(path);
                }
                Some(true) => take_out(&mut raw, &format!("{path}.when")),
                // With this mistake the entry comes to nothing; what else is in the part may not be meant.
                None => take_out(&mut raw, &path),
            }
        }
        (Cow::Owned(raw), off)
    }

    /// Whether a `when` is true; `None` after a mistake, which is told and poisons.
    pub(super) fn is_on(&self, when: &Value, path: &str) -> Option<bool> {
        let before = self.poisoned.replace(false);
        let on = match self.evaluate(when, path) {
            Value::Bool(on) => Some(on),
            Value::Null if self.poisoned.get() => None,
            _ => {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, "`when` must be true or false")
                        .at(self.locate(path, At::Value))
                        .help("compare: `when: ${param.environment == 'prod'}`"),
                );
                None
            }
        };
        self.poisoned.set(before || on.is_none());
        on
    }

    /// Takes the words of parts out of evaluated fields. Parts that came in whole out of an expression may still say
    /// `when`; what is off is added to `off`.
    pub(super) fn take_parts(
        &self,
        kind: &Kind,
        entry: &str,
        fields: &mut Map<String, Value>,
        off: &mut Vec<String>,
    ) -> Vec<Part> {
        let mut found = Vec::new();
        if !kind.nested.iter().any(|nested| fields.contains_key(first(nested.path))) {
            return found;
        }
        let mut whole = Value::Object(std::mem::take(fields));
        for nested in kind.nested {
            for path in parts(&whole, nested) {
                let place = format!("{entry}.{path}");
                let Some(Value::Object(members)) = get_mut(&mut whole, &path) else { continue };
                if let Some(when) = members.remove("when")
                    && self.is_on(&when, &format!("{place}.when")) == Some(false)
                {
                    take_out(&mut whole, &path);
                    off.push(path);
                    continue;
                }
                let mut words = self.words(&place, members);
                words.exclusive = self.take_exclusive(&place, members);
                words.ignore = self.take_ignore(&place, &path, members);
                if !nested.reads_properties {
                    words.properties = members.remove("properties");
                }
                if !words.is_empty() {
                    found.push(Part { path, words });
                }
            }
        }
        if let Value::Object(whole) = whole {
            *fields = whole;
        }
        found
    }

    /// Lets the words of parts hold for the drafts that the parts became.
    pub(super) fn apply_parts(
        &self,
        kind: &Kind,
        entry: &str,
        address: &str,
        parts: Vec<Part>,
        drafts: &mut [Draft],
    ) {
        for Part { path, words } in parts {
            let own = format!("{address}.{path}");
            let mut arrives = false;
            for draft in drafts.iter_mut().filter(|draft| draft.origin == path) {
                draft.protect = words.protect.or(draft.protect);
                draft.timeout = words.timeout.or(draft.timeout);
                draft.depends_on.extend(words.depends_on.iter().cloned());
                arrives |= draft.arrival == Arrival::WithParent;
                if draft.address.as_str() == own
                    && let Some(over) = &words.properties
                    && let Some(body) = draft.body.as_object_mut()
                {
                    merge_over(body.entry("properties").or_insert(Value::Null), over);
                }
                if draft.address.as_str() == own
                    && let Some(asked) = &words.exclusive
                    && let Some(nested) = kind.nested.iter().find(|nested| nested.is_at(&path))
                {
                    self.apply_exclusive(kind, nested.path, &format!("{entry}.{path}"), asked, draft);
                }
            }
            // What comes into being in its parent's create cannot wait by itself.
            if arrives && let Some(parent) = drafts.iter_mut().find(|draft| draft.address.as_str() == address)
            {
                let outside = |needed: &&String| !super::written::is_within(needed, address);
                parent.depends_on.extend(words.depends_on.iter().filter(outside).cloned());
            }
        }
    }
}

impl Words {
    fn is_empty(&self) -> bool {
        self.depends_on.is_empty()
            && self.protect.is_none()
            && self.timeout.is_none()
            && self.properties.is_none()
            && self.exclusive.is_none()
            && self.ignore.is_empty()
    }
}

fn first(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

/// The paths of the mappings that are such a part.
fn parts(fields: &Value, nested: &Nested) -> Vec<String> {
    let mut found = vec![(String::new(), fields)];
    for step in nested.path.split('.') {
        let mut next = Vec::new();
        for (path, value) in found {
            let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            match step {
                "*" => {
                    let members = value.as_object().into_iter().flatten();
                    next.extend(members.map(|(key, member)| (join(key), member)));
                }
                name => next.extend(value.get(name).map(|member| (join(name), member))),
            }
        }
        found = next;
    }
    // A key with a dot in it is told by its kind; its path would lead elsewhere.
    let depth = nested.path.split('.').count();
    found.retain(|(path, value)| value.is_object() && segments(path).count() == depth);
    found.into_iter().map(|(path, _)| path).collect()
}

fn get<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    segments(path).try_fold(value, |value, name| value.get(name))
}

fn get_mut<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    segments(path).try_fold(value, |value, name| value.get_mut(name))
}

fn take_out(value: &mut Value, path: &str) {
    let (above, name) = above(path).unwrap_or(("", path));
    let above = if above.is_empty() { Some(value) } else { get_mut(value, above) };
    if let Some(Value::Object(members)) = above {
        members.shift_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use crate::blueprint::tests::{addresses, needs, read};
    use crate::catalog::registry;
    use serde_json::json;
    use std::time::Duration;

    const HUB: &str = "\
parameters:
  gpu: { type: bool, default: false }
networks:
  hub:
    protect: true
    addressSpace: [10.0.0.0/8]
    subnets:
      nodes: { prefix: 10.0.0.0/20, timeout: 3m, protect: false, properties: { sharingScope: Tenant } }
      gpu: { prefix: \"${param.gpu.unheardOf}\", when: \"${param.gpu}\" }
      late: { prefix: 10.0.16.0/20, dependsOn: [identities.app] }
identities:
  app:
    federatedCredentials:
      boot: { issuer: \"https://x\", subject: s, dependsOn: networks.hub.subnets.nodes }
";

    #[test]
    fn words_hold_for_the_part_alone() {
        let blueprint = read(&[("b.yaml", HUB)]).unwrap();
        assert_eq!(
            addresses(&blueprint),
            [
                "networks.hub",
                "networks.hub.subnets.nodes",
                "networks.hub.subnets.late",
                "identities.app",
                "identities.app.federatedCredentials.boot"
            ]
        );
        let desired = &blueprint.desired;
        let find = |address: &str| &desired.resources[desired.by_address[address]];
        let nodes = find("networks.hub.subnets.nodes");
        assert_eq!((nodes.protect, nodes.timeout), (false, Duration::from_secs(180)));
        assert_eq!(nodes.body["properties"]["sharingScope"], json!("Tenant"));
        assert!(find("networks.hub.subnets.late").protect);
        assert!(needs(&blueprint, "networks.hub.subnets.late", "identities.app"));
        assert!(!needs(&blueprint, "networks.hub.subnets.nodes", "identities.app"));
        assert!(needs(&blueprint, "identities.app.federatedCredentials.boot", "networks.hub.subnets.nodes"));
    }

    #[test]
    fn what_is_switched_off_is_named() {
        let text = format!("{HUB}outputs:\n  x: ${{networks.hub.subnets.gpu.id}}\n");
        let problems = read(&[("b.yaml", &text)]).unwrap_err();
        assert_eq!(problems, ["b.yaml:18:6 `networks.hub.subnets.gpu` is switched off by its `when`"]);
        // It is not an obstacle to those that wait for it.
        let text = text.replace("outputs:\n  x: ${networks.hub.subnets.gpu.id}", "");
        read(&[("b.yaml", &text.replace("hub.subnets.nodes }", "hub.subnets.gpu }"))]).unwrap();
    }

    #[test]
    fn mistakes_have_their_places() {
        for (from, to, told) in [
            ("timeout: 3m", "timeout: soon", "b.yaml:10:46 `soon` is not a duration"),
            ("protect: false", "protect: 1", "b.yaml:10:59 `protect` must be true or false"),
            ("when: \"${param.gpu}\"", "when: 3", "b.yaml:11:54 `when` must be true or false"),
            ("dependsOn: [identities.app]", "dependOn: x", "b.yaml:12:37 unknown field `dependOn`"),
            ("[identities.app]", "{ a: b }", "b.yaml:12:37 `dependsOn` must be a list of addresses"),
        ] {
            assert_eq!(read(&[("b.yaml", &HUB.replace(from, to))]).unwrap_err(), [told], "{to}");
        }
    }

    #[test]
    fn a_parent_waits_for_what_its_pools_wait_for() {
        let text = "\
clusters:
  aks:
    nodePools:
      system: { mode: System, count: 1, vmSize: Standard_D4s_v5 }
      work: { count: 1, vmSize: Standard_D4s_v5, dependsOn: [identities.app, clusters.aks.nodePools.system] }
      off: { when: false, count: 1, vmSize: Standard_D4s_v5 }
identities: { app: {} }
";
        let blueprint = read(&[("b.yaml", text)]).unwrap();
        assert!(needs(&blueprint, "clusters.aks", "identities.app"));
        assert!(needs(&blueprint, "clusters.aks.nodePools.work", "clusters.aks.nodePools.system"));
        let cluster = &blueprint.desired.resources[blueprint.desired.by_address["clusters.aks"]];
        assert_eq!(cluster.body["properties"]["agentPoolProfiles"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn parts_are_resources_of_their_kind() {
        for kind in registry() {
            for nested in kind.nested {
                assert!(nested.is_at(&nested.path.replace('*', "x")), "{}", kind.section);
                assert!(!nested.is_at(&format!("{}.y", nested.path)), "{}", kind.section);
            }
        }
    }
}
