//! `forEach` in a part of an entry: one node pool, subnet, record or rule that stands for several.
//!
//! A part is a member of a mapping whose keys people choose. Which fields are such mappings follows from the schema of
//! the kind. Before an entry is evaluated, each part with `forEach` gives way to its instances. Parts that are resources
//! of their own are called as instances of entries are, `clusters.aks.nodePools.zone[1]`, so that their addresses are
//! stable; in other mappings the key is what Azure sees, and an instance is `web-1`.

use super::each::Each;
use super::evaluator::Evaluator;
use super::expression::Fault;
use super::part_maps::{PartMap, maps};
use super::written::split_index;
use crate::catalog::Kind;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

impl PartMap {
    fn is_at(&self, path: &[&str]) -> bool {
        self.path.len() == path.len()
            && self.path.iter().zip(path).all(|(step, name)| step == "*" || step == name)
    }

    /// The path of its members, `*` for any key.
    pub(super) fn members(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).chain(["*"]).collect()
    }

    /// The key of an instance.
    fn key(&self, key: &str, each: &Each) -> String {
        match self.resources {
            true => format!("{key}[{}]", each.key),
            false => format!("{key}-{}", each.key),
        }
    }
}

/// Parts of the entry at work that `forEach` made.
#[derive(Debug, Default)]
pub(super) struct Instances {
    /// What `each` is in them, by their paths in the file.
    each: BTreeMap<String, Rc<Each>>,
}

impl Evaluator<'_> {
    /// What `each` is in the part at a path of the file, when `forEach` made the part.
    pub(super) fn each_of_part(&self, path: &str) -> Option<Rc<Each>> {
        self.parts.borrow().each.get(path).cloned()
    }

    /// The fields of an entry with the instances of its parts, and the paths of parts of which there is none.
    /// `entry` is the path in the file, `id` that of this instance of the entry.
    pub(super) fn with_instances<'r>(
        &self,
        kind: &Kind,
        entry: &str,
        id: &str,
        raw: &'r Value,
    ) -> (Cow<'r, Value>, Vec<String>) {
        self.parts.borrow_mut().each.clear();
        if !has_for_each(raw) {
            return (Cow::Borrowed(raw), Vec::new());
        }
        let mut walk = Walk { maps: maps(kind), entry, id, off: Vec::new() };
        let Some(members) = raw.as_object() else { return (Cow::Borrowed(raw), Vec::new()) };
        let fields = members.iter().map(|(name, member)| match name.as_str() {
            "forEach" => (name.clone(), member.clone()),
            _ => (name.clone(), self.expand_parts(&mut walk, &[name], member)),
        });
        let raw = Value::Object(fields.collect());
        (Cow::Owned(raw), walk.off)
    }

    fn expand_parts(&self, walk: &mut Walk<'_>, path: &[&str], value: &Value) -> Value {
        let Value::Object(members) = value else { return value.clone() };
        let map = walk.maps.iter().find(|map| map.is_at(path)).cloned();
        let mut expanded = Map::new();
        for (key, member) in members {
            let below: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
            let (Some(map), Some(for_each)) = (&map, member.get("forEach")) else {
                expanded.insert(key.clone(), self.expand_parts(walk, &below, member));
                continue;
            };
            let place = below.join(".");
            let (id, place) = (format!("{}.{place}", walk.id), format!("{}.{place}", walk.entry));
            let outer = self.each.borrow().clone();
            match self.part_instances(&id, &place, outer, for_each) {
                Ok(all) if all.is_empty() => walk.off.push(below.join(".")),
                Ok(all) => {
                    for each in all.iter() {
                        let key = map.key(key, each);
                        let path: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
                        let here = format!("{}.{}", walk.entry, path.join("."));
                        self.parts.borrow_mut().each.insert(here, each.clone());
                        let member = part_of(member, map, below[below.len() - 1], each);
                        let member =
                            self.with_each(Some(each.clone()), || self.expand_parts(walk, &path, &member));
                        expanded.insert(key, member);
                    }
                }
                Err(fault) => {
                    self.poisoned.set(true);
                    self.tell_fault(
                        fault,
                        self.locate(&format!("{place}.forEach"), super::source::At::Value),
                    );
                }
            }
        }
        Value::Object(expanded)
    }

    /// The addresses that a path below an entry means, from the entry; one, unless `[*]` is in it.
    pub(super) fn part_paths(
        &self,
        kind: &Kind,
        place: &str,
        id: &str,
        raw: &Value,
        each: Option<&Rc<Each>>,
        path: &[&str],
    ) -> Result<PartPaths, Fault> {
        let plain = || PartPaths::One(path.join("."));
        if path.is_empty() || !has_for_each(raw) {
            return Ok(plain());
        }
        let maps = maps(kind);
        let mut open = vec![Open { at: raw, each: each.cloned(), found: String::new(), steps: Vec::new() }];
        let mut many = false;
        let mut rest = path.iter().copied().peekable();
        while let Some(segment) = rest.next() {
            let (name, index) = split_index(segment);
            let mut next = Vec::new();
            let mut key = index;
            let mut taken = false;
            for step in open {
                // What is not written there is an output, or told as unknown where references are linked.
                let part = step.at.get(name).unwrap_or(&Value::Null);
                let map =
                    maps.iter().find(|map| map.is_at(&step.steps)).filter(|_| part.get("forEach").is_some());
                let (Some(map), Some(for_each)) = (map, part.get("forEach")) else {
                    next.push(step.go(segment, name, part));
                    continue;
                };
                if key.is_none() {
                    key = rest.peek().copied();
                    taken = true;
                }
                let id = format!("{id}.{}", join(&step.found, name));
                let here = format!("{place}.{}", join(&step.found, name));
                let all = self.part_instances(&id, &here, step.each.clone(), for_each)?;
                let keys = || all.iter().map(|each| each.key.as_str());
                let chosen: Vec<Rc<Each>> = match key {
                    Some("*") => {
                        many = true;
                        all.iter().cloned().collect()
                    }
                    Some(key) => {
                        let one = all.iter().find(|each| each.key == key).cloned();
                        let unknown = || match taken {
                            true => several(&here, &all),
                            false => Fault::unknown(&format!("`{here}` with the key"), key, keys()),
                        };
                        vec![one.ok_or_else(unknown)?]
                    }
                    None => return Err(several(&here, &all)),
                };
                for each in chosen {
                    let mut step = step.go(&map.key(name, &each), name, part);
                    step.each = Some(each);
                    next.push(step);
                }
            }
            if taken {
                rest.next();
            }
            open = next;
        }
        let mut found = open.into_iter().map(|step| step.found);
        Ok(match many {
            true => PartPaths::Many(found.collect()),
            false => found.next().map_or_else(plain, PartPaths::One),
        })
    }
}

fn several(shown: &str, all: &[Rc<Each>]) -> Fault {
    let example = all.first().map_or("KEY", |each| each.key.as_str());
    Fault::new(
        format!("`{shown}` stands for {} parts: it has `forEach`", all.len()),
        format!("say which: `{shown}['{example}']`; or all of them: `{shown}[*]`"),
    )
}

/// What a path below an entry means.
pub(super) enum PartPaths {
    One(String),
    Many(Vec<String>),
}

struct Walk<'w> {
    maps: Arc<[PartMap]>,
    entry: &'w str,
    id: &'w str,
    off: Vec<String>,
}

/// Where a path below an entry has led so far.
struct Open<'r> {
    at: &'r Value,
    each: Option<Rc<Each>>,
    /// The path so far, with the keys of instances.
    found: String,
    /// The same as the file has it.
    steps: Vec<&'r str>,
}

impl<'r> Open<'r> {
    fn go(&self, segment: &str, name: &'r str, at: &'r Value) -> Self {
        let found = join(&self.found, segment);
        let steps = self.steps.iter().copied().chain([name]).collect();
        Open { at, each: self.each.clone(), found, steps }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// One instance of a part, not yet evaluated. Without a `name` of its own it is called after both keys.
fn part_of(part: &Value, map: &PartMap, key: &str, each: &Each) -> Value {
    let mut part = part.clone();
    if let Some(members) = part.as_object_mut() {
        members.shift_remove("forEach");
        if map.named && !members.contains_key("name") {
            members.insert("name".to_owned(), format!("{key}-{}", each.key).into());
        }
    }
    part
}

/// Whether a part of an entry, at any depth, has `forEach`.
fn has_for_each(entry: &Value) -> bool {
    fn within(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.contains_key("forEach") || members.values().any(within),
            _ => false,
        }
    }
    entry.as_object().is_some_and(|members| members.values().any(within))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::tests::{addresses, needs, read};
    use crate::catalog::registry;
    use serde_json::json;

    const POOLS: &str = "\
parameters:
  zones: { type: list, default: ['1', '2'] }
clusters:
  aks:
    nodePools:
      system: { mode: System, count: 1, vmSize: Standard_D4s_v5 }
      zone: { forEach: \"${param.zones}\", name: \"zone${each.key}\", count: 1, vmSize: Standard_D4s_v5, zones: [\"${each.key}\"], when: \"${each.key != '2'}\" }
identities:
  app:
    federatedCredentials:
      sa: { forEach: [shop, pay], issuer: \"https://x\", serviceAccount: \"${each.key}/web\" }
networkSecurityGroups:
  web:
    rules:
      in: { forEach: { http: 80, https: 443 }, priority: \"${each.value + 100}\", direction: Inbound, access: Allow, protocol: Tcp, ports: [\"${each.value}\"] }
outputs:
  one: ${identities.app.federatedCredentials.sa['pay'].id}
  all: ${identities.app.federatedCredentials.sa[*].name}
  rule: ${networkSecurityGroups.web.rules.in['http'].priority}
";

    #[test]
    fn a_part_with_for_each_is_several_with_stable_addresses() {
        let blueprint = read(&[("b.yaml", POOLS)]).unwrap();
        let all = addresses(&blueprint);
        assert_eq!(
            all,
            [
                "networkSecurityGroups.web",
                "identities.app",
                "identities.app.federatedCredentials.sa[shop]",
                "identities.app.federatedCredentials.sa[pay]",
                "clusters.aks",
                "clusters.aks.nodePools.system",
                "clusters.aks.nodePools.zone[1]"
            ]
        );
        let desired = &blueprint.desired;
        let find = |address: &str| &desired.resources[desired.by_address[address]];
        assert!(find("clusters.aks.nodePools.zone[1]").id.as_str().ends_with("/agentPools/zone1"));
        let credential = find("identities.app.federatedCredentials.sa[pay]");
        assert!(credential.id.as_str().ends_with("/federatedIdentityCredentials/sa-pay"));
        assert_eq!(credential.body["properties"]["subject"], json!("system:serviceaccount:pay:web"));
        let rules = find("networkSecurityGroups.web").body["properties"]["securityRules"].clone();
        assert_eq!((&rules[0]["name"], &rules[1]["name"]), (&json!("in-http"), &json!("in-https")));
        let outputs: Vec<&Value> = desired.outputs.iter().map(|output| &output.value).collect();
        assert_eq!(outputs[0], &json!(credential.id.as_str()));
        assert_eq!(outputs[1], &json!(["sa-shop", "sa-pay"]));
        assert_eq!(outputs[2], &json!(180));
        // An order, or a key more, touches no other address.
        let more = read(&[("b.yaml", &POOLS.replace("[shop, pay]", "[new, pay, shop]"))]).unwrap();
        assert!(addresses(&more).contains(&"identities.app.federatedCredentials.sa[pay]"));
    }

    #[test]
    fn parts_of_instances_see_both_each() {
        let text = "\
networks:
  spoke:
    forEach: { eu: 1, us: 2 }
    name: vnet-${each.key}
    addressSpace: [\"10.${each.value}.0.0/16\"]
    subnets:
      app:
        forEach: { web: 0, db: 1 }
        prefix: 10.${each.parent.value}.${each.value}.0/24
        dependsOn: [identities.all]
identities: { all: {} }
locks:
  one: { scope: \"${networks.spoke['us'].subnets.app['db']}\" }
";
        let blueprint = read(&[("b.yaml", text)]).unwrap();
        let desired = &blueprint.desired;
        let subnet = &desired.resources[desired.by_address["networks.spoke[us].subnets.app[db]"]];
        assert_eq!(subnet.body["properties"]["addressPrefix"], json!("10.2.1.0/24"));
        assert!(subnet.id.as_str().ends_with("vnet-us/subnets/app-db"));
        assert!(needs(&blueprint, "locks.one", "networks.spoke[us].subnets.app[db]"));
        assert!(needs(&blueprint, "networks.spoke[eu].subnets.app[web]", "identities.all"));
    }

    #[test]
    fn mistakes_in_instances_are_told_once_at_their_place() {
        let mut found = Vec::new();
        for (from, to, told) in [
            (
                "count: 1, vmSize: Standard_D4s_v5, zones",
                "count: x, vmSize: Standard_D4s_v5, zones",
                "b.yaml:9:74 expected a whole number, found the text \"x\"",
            ),
            ("[shop, pay], issuer", "[shop, shop], issuer", "b.yaml:13:29 `shop` is in this list twice"),
            (
                "sa['pay'].id",
                "sa.id",
                "b.yaml:19:8 `identities.app.federatedCredentials.sa` stands for 2 parts: it has `forEach`",
            ),
            (
                "sa['pay'].id",
                "sa['pax'].id",
                "b.yaml:19:8 `identities.app.federatedCredentials.sa` stands for 2 parts: it has `forEach`",
            ),
            (
                "nodePools:\n",
                "nodePools:\n      forEach: [a]\n",
                "b.yaml:8:7 expected a mapping, found a list",
            ),
        ] {
            assert!(POOLS.contains(from), "{from}");
            found.push((read(&[("b.yaml", &POOLS.replace(from, to))]).unwrap_err(), vec![told]));
        }
        let (found, told): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        assert_eq!(found, told);
    }

    #[test]
    fn the_maps_of_a_kind_are_those_with_keys_of_peoples_choice() {
        let paths = |section: &str| -> Vec<String> {
            let kind = registry().iter().find(|kind| kind.section == section).unwrap();
            maps(kind).iter().map(|map| map.path.join(".")).collect()
        };
        assert_eq!(paths("networks"), ["subnets", "peerings"]);
        assert!(paths("clusters").contains(&"addons.flux.configurations.*.kustomizations".to_owned()));
        assert!(!paths("clusters").contains(&"maintenance".to_owned()));
        for kind in registry() {
            for map in maps(kind).iter() {
                let nested = map.members().join(".");
                let resources = kind.nested.iter().any(|nested_at| nested_at.path == nested);
                assert_eq!(map.resources, resources, "{} {nested}", kind.section);
                // An instance is told apart by its name, or Azure names it by a GUID that follows from its key or body.
                let by_guid = matches!((kind.section, &*nested), ("cosmosAccounts" | "grafana", "access.*"));
                assert!(!map.resources || map.named || by_guid, "{} {nested}", kind.section);
            }
        }
    }
}
