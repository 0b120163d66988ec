//! References say what they are: whether what a field was given is of a type that the field wants.
//!
//! Which fields take references, and what they want, is in the schema of the kind (`x-wants`); no field has a rule of its
//! own. What the kind has reported at a place already is not reported again.

use super::link::Linker;
use super::refer::member;
use super::source::At;
use super::wanted::Wanted;
use crate::catalog::{Facet, Wants, resource_type};
use crate::diag::{Code, Diagnostic, Diagnostics, Severity, did_you_mean};
use crate::ident::ArmId;
use crate::value::token::{self, Token};
use serde_json::Value;

pub(super) const REFERENCE_KIND: Code = Code {
    name: "reference-kind",
    why: "A field that wants a resource of one type was given another: a network where a subnet is wanted, a name where an \
          id is, or the entry itself.",
    remedy: "Refer to an entry, or a part of one, of the type that the message names, or write the id of one.",
    example: "subnet: ${networks.hub.subnets.nodes}",
};

/// What is wrong, and what to write instead.
type Wrong = (String, String);

impl Linker<'_> {
    /// Reports references to what a field cannot take, and texts that are no id of it. Texts with a reference in them are
    /// looked at when ids are known (`whole`).
    pub(super) fn check_wanted(&mut self, whole: bool, problems: &mut Diagnostics) {
        for (at, entry) in self.entries.iter().enumerate() {
            for wanted in &entry.wanted {
                let token = Token::exactly(&wanted.text);
                if (token.is_none() && token::has_token(&wanted.text)) != whole {
                    continue;
                }
                let wrong = match (whole, token) {
                    (true, _) => self.wrong_whole(at, wanted),
                    (false, Some(Token::Reference { path, .. })) => {
                        self.wrong_reference(at, wanted, &path, 0)
                    }
                    (false, Some(_)) => None,
                    (false, None) => self.wrong_text(wanted, &wanted.text),
                };
                let Some((message, help)) = wrong else { continue };
                let place = format!("{}.{}", entry.place, wanted.path);
                let span = entry.source.locate(&place, At::Value);
                self.refused.insert((at, wanted.text.clone()));
                let same = |other: &Diagnostic| {
                    other.severity == Severity::Error
                        && matches!((&other.span, &span), (Some(a), Some(b))
                            if a.file.name == b.file.name && a.offset == b.offset)
                };
                if !problems.iter().any(same) {
                    problems.push(Diagnostic::error(&REFERENCE_KIND, message).at(span).help(help));
                }
            }
        }
    }

    /// What is wrong with a reference that is the whole value.
    fn wrong_reference(&self, entry: usize, wanted: &Wanted, path: &str, depth: usize) -> Option<Wrong> {
        let Wanted { wants, .. } = wanted;
        // What is not there is told where references are linked.
        let (target, rest) = self.target(path)?;
        let node = &self.nodes[target];
        let field = field_of(&wanted.path);
        let what =
            |title: &str| format!("`{path}` is {}, and `{field}` wants {}", article(title), wants.what);
        let title = node.draft.kind.title;
        if rest.is_empty() || rest == "id" {
            if self.is_itself(entry, target, &wanted.path) {
                return Some((
                    format!("`{path}` is this entry itself, and `{field}` wants {}", wants.what),
                    self.instead(wants, path),
                ));
            }
            let acts = |facet: &Facet| facet.name == wants.facet;
            let good = match wants.facet {
                "id" => wants.takes(node.draft.kind.arm_type),
                _ => {
                    let kind = node.draft.kind;
                    // What a type gives that berth does not make is not known.
                    let own = if kind.open { resource_type(kind.arm_type) } else { Some(kind) };
                    wants.takes(kind.arm_type) && own.is_none_or(|own| own.facets.iter().any(acts))
                }
            };
            return (!good).then(|| (what(title), self.instead(wants, path)));
        }
        let facets = node.draft.kind.facets;
        let find = |name: &str| facets.iter().find(|facet| facet.name == name);
        if wants.facet != "id" {
            let good = rest == wants.facet
                || rest.ends_with(&format!(".{}", wants.facet))
                || find(&format!("{rest}.{}", wants.facet)).is_some()
                || node.draft.kind.open;
            let facet = find(rest)?;
            return (!good).then(|| (what(facet.about), self.instead(wants, path)));
        }
        if let Some(facet) = find(&format!("{rest}.id")).or_else(|| find(rest)) {
            let (pointer, identity) =
                (facet.pointer.to_ascii_lowercase(), "Microsoft.ManagedIdentity/userAssignedIdentities");
            let is_id =
                pointer.ends_with("/id") || pointer.ends_with("resourceid") || pointer.ends_with("gatewayid");
            let good = is_id
                && match pointer.contains("identity") {
                    true => wants.takes(identity),
                    false => {
                        wants.types.is_empty()
                            || pointer.ends_with("gatewayid") && wants.word == "application gateway"
                    }
                };
            return (!good).then(|| (what(facet.about), self.instead(wants, path)));
        }
        // A field of the blueprint itself, which may be a reference or an id in its turn.
        let entry_of = node.entry.map(|entry| &self.entries[entry])?;
        let below = path.strip_prefix(&format!("{}.", entry_of.path))?;
        let value = member(&entry_of.evaluated, below)?;
        match value {
            Value::String(text) if depth < 8 => match Token::exactly(text) {
                Some(Token::Reference { path, .. }) => self.wrong_reference(entry, wanted, &path, depth + 1),
                Some(_) => None,
                None if token::has_token(text) => None,
                None => self.wrong_text(wanted, text),
            },
            Value::String(_) => None,
            _ => Some((what("a value that is not text"), self.instead(wants, path))),
        }
    }

    /// What is wrong with a text without references.
    fn wrong_text(&self, wanted: &Wanted, text: &str) -> Option<Wrong> {
        let Wanted { wants, path, .. } = wanted;
        // Words, GUIDs and aliases are looked at by the kind, unless only one type has such an output.
        if wants.words.contains(&text) || wants.facet != "id" && wants.types.is_empty() {
            return None;
        }
        if wants.facet == "versionedUri" {
            let wrong = || (format!("`{text}` is not {}", wants.what), self.instead(wants, text));
            return (!text.starts_with("https://")).then(wrong);
        }
        if wants.facet != "id" {
            let wrong = || (format!("`{text}` is not the id of {}", wants.what), self.instead(wants, text));
            return uuid::Uuid::try_parse(text).is_err().then(wrong);
        }
        match ArmId::parse(text) {
            Ok(id) => self.wrong_id(wants, path, &id),
            Err(_) if wants.types.is_empty() => None,
            Err(_) => Some((format!("`{text}` is not the id of {}", wants.what), self.instead(wants, text))),
        }
    }

    fn wrong_id(&self, wants: &Wants, path: &str, id: &ArmId) -> Option<Wrong> {
        (!wants.takes_id(id)).then(|| {
            (
                format!(
                    "this is the id of a `{}`, and `{}` wants {}",
                    id.resource_type(),
                    field_of(path),
                    wants.what
                ),
                self.instead(wants, id.name()),
            )
        })
    }

    /// What is wrong with a text that has references in it.
    fn wrong_whole(&self, entry: usize, wanted: &Wanted) -> Option<Wrong> {
        let Wanted { wants, .. } = wanted;
        if wants.facet != "id" && wants.types.is_empty() {
            return None;
        }
        let mut known = true;
        let text = token::substitute_text(&wanted.text, &mut |token| {
            let Token::Reference { path, facet } = token else {
                known = false;
                return None;
            };
            match self.refer(self.entry_node(entry), path, facet) {
                Ok(super::refer::Referent::Known(value, _)) => Some(value),
                _ => {
                    known = false;
                    None
                }
            }
        });
        if !known {
            return None;
        }
        self.wrong_text(wanted, &text)
    }

    fn entry_node(&self, entry: usize) -> usize {
        self.nodes.iter().position(|node| node.entry == Some(entry)).unwrap_or(usize::MAX)
    }

    /// Whether a resource is the one that a field belongs to.
    fn is_itself(&self, entry: usize, target: usize, path: &str) -> bool {
        let node = &self.nodes[target];
        if node.entry != Some(entry) {
            return false;
        }
        let parts = self.nodes.iter().filter(|node| node.entry == Some(entry));
        let owner = parts
            .map(|node| node.draft.origin.as_str())
            .filter(|origin| super::written::is_within(path, origin))
            .max_by_key(|origin| origin.len())
            .unwrap_or_default();
        node.draft.origin == owner
    }

    /// What to write: one that the blueprint has, near to what was written, or how one is written at all.
    fn instead(&self, wants: &Wants, near: &str) -> String {
        let fits = |address: &str| {
            self.by_address.get(address).map(|&at| &self.nodes[at].draft).is_some_and(|draft| {
                match wants.facet {
                    "id" => !wants.types.is_empty() && wants.takes(draft.kind.arm_type),
                    facet => draft.kind.facets.iter().any(|known| known.name == facet),
                }
            })
        };
        let mut fitting: Vec<&str> =
            self.by_address.keys().map(|address| address.as_str()).filter(|address| fits(address)).collect();
        fitting.sort_unstable();
        let name = |address: &str| address.rsplit('.').next().unwrap_or_default().to_owned();
        let last = name(near);
        let below = fitting.iter().find(|address| super::written::is_within(address, near));
        let same = fitting.iter().find(|address| name(address) == last);
        let alike =
            did_you_mean(&last, fitting.iter().map(|address| address.rsplit('.').next().unwrap_or_default()));
        let alike = alike.and_then(|near| fitting.iter().find(|address| name(address) == near));
        let id = match wants.facet {
            "id" => "the id of one",
            "versionedUri" => "the URL of one with its version",
            _ if wants.types.is_empty() => "an object id",
            _ => "the GUID of one",
        };
        match below.or(same).or(alike) {
            Some(address) => format!("did you mean `${{{}}}`?", as_expression(address)),
            None => match fitting.first() {
                Some(first) => format!("write a reference such as `${{{}}}`, or {id}", as_expression(first)),
                None => format!("write a reference such as `{}`, or {id}", wants.example),
            },
        }
    }
}

/// An address as an expression names it.
fn as_expression(address: &str) -> String {
    match address.split_once('[') {
        Some(_) => address.replace('[', "['").replace(']', "']"),
        None => address.to_owned(),
    }
}

/// The field that a path leads to, without numbers.
fn field_of(path: &str) -> &str {
    let path = path.split('[').next().unwrap_or(path);
    path.rsplit('.').next().unwrap_or(path)
}

fn article(title: &str) -> String {
    let first = title.split(' ').next().unwrap_or_default();
    match first {
        "a" | "an" | "the" | "its" | "whether" | "how" => title.to_owned(),
        _ if title.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) => format!("an {title}"),
        _ => format!("a {title}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::entry_schema::{Definitions, entry_schema};
    use crate::catalog::registry;
    use serde_json::Map;

    /// Every field of a schema that takes a reference, and what it wants.
    fn fields<'s>(
        schema: &'s Value,
        definitions: &'s Definitions,
        path: &str,
        wants: Option<&'s str>,
        depth: usize,
        found: &mut Vec<(String, Option<&'s str>)>,
    ) {
        if depth > 14 {
            return;
        }
        let wants = schema["x-wants"].as_str().or(wants);
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            match name {
                "Reference" => found.push((path.to_owned(), wants)),
                _ => fields(&definitions[name], definitions, path, wants, depth + 1, found),
            }
        }
        for several in ["anyOf", "allOf", "oneOf"] {
            for one in schema[several].as_array().into_iter().flatten() {
                fields(one, definitions, path, wants, depth + 1, found);
            }
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            fields(member, definitions, &format!("{path}.{name}"), None, depth + 1, found);
        }
        for (inner, step) in [("additionalProperties", "*"), ("items", "[]")] {
            if schema[inner].is_object() {
                fields(&schema[inner], definitions, &format!("{path}.{step}"), wants, depth + 1, found);
            }
        }
    }

    /// One entry of each section, by which references of every kind can be tried in every field.
    const ESTATE: &str = include_str!("../../tests/support/references.yaml");

    /// Puts a value at the path of a schema; answers the path in the blueprint.
    fn put(value: &mut Value, path: &[&str], new: &str, place: &str) -> String {
        let Some((step, rest)) = path.split_first() else {
            *value = new.into();
            return place.to_owned();
        };
        if *step == "[]" {
            let mut items = vec![Value::Null];
            let place = put(&mut items[0], rest, new, &format!("{place}[0]"));
            *value = Value::Array(items);
            return place;
        }
        if !value.is_object() {
            *value = Value::Object(Map::new());
        }
        let members = value.as_object_mut().unwrap();
        let key = match *step {
            "*" => members.keys().next().cloned().unwrap_or_else(|| "one".to_owned()),
            name => name.to_owned(),
        };
        put(members.entry(key.clone()).or_insert(Value::Null), rest, new, &format!("{place}.{key}"))
    }

    fn problems(tree: &Value, place: &str) -> Vec<(bool, String)> {
        let text = serde_json::to_string_pretty(tree).unwrap();
        let source = crate::blueprint::Source::parse("b.yaml", text.as_bytes()).unwrap();
        let line = source.locate(place, At::Value).unwrap().line;
        let told = match crate::blueprint::load(&source, &crate::blueprint::Inputs::default()) {
            Ok(_) => return Vec::new(),
            Err(told) => told,
        };
        let errors = told.iter().filter(|one| one.severity == Severity::Error);
        errors
            .map(|one| (one.span.as_ref().is_some_and(|span| span.line == line), one.message.clone()))
            .collect()
    }

    #[test]
    fn a_reference_of_the_wrong_kind_is_one_error_at_its_place_in_every_field() {
        const ALL: &[(&str, &str)] = &[
            ("${resourceGroups.other}", "Microsoft.Resources/resourceGroups"),
            ("${networks.hub}", "Microsoft.Network/virtualNetworks"),
            ("${networks.hub.subnets.nodes}", "Microsoft.Network/virtualNetworks/subnets"),
            ("${networkSecurityGroups.web.id}", "Microsoft.Network/networkSecurityGroups"),
            ("${routeTables.nodes}", "Microsoft.Network/routeTables"),
            ("${natGateways.out}", "Microsoft.Network/natGateways"),
            ("${publicIps.out}", "Microsoft.Network/publicIPAddresses"),
            ("${privateDnsZones.web}", "Microsoft.Network/privateDnsZones"),
            ("${identities.app}", "Microsoft.ManagedIdentity/userAssignedIdentities"),
            ("${identities.app.clientId}", ""),
            ("${keyVaults.secrets}", "Microsoft.KeyVault/vaults"),
            ("${keyVaults.secrets.secrets.one}", "Microsoft.KeyVault/vaults/secrets"),
            ("${keyVaults.secrets.keys.etcd}", "Microsoft.KeyVault/vaults/keys"),
            ("${clusters.aks}", "Microsoft.ContainerService/managedClusters"),
            ("${clusters.aks.nodePools.system}", "Microsoft.ContainerService/managedClusters/agentPools"),
            ("${clusters.aks.oidcIssuerUrl}", ""),
            ("${logWorkspaces.logs}", "Microsoft.OperationalInsights/workspaces"),
            ("${resources.registry}", "Microsoft.ContainerRegistry/registries"),
            ("${networks.hub.id}/x", ""),
            ("nodes", ""),
            (
                "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Web/sites/s",
                "Microsoft.Web/sites",
            ),
        ];
        let estate = crate::blueprint::Source::parse("b.yaml", ESTATE.as_bytes()).unwrap().tree;
        let mut wrong = Vec::new();
        let mut tried = 0;
        for kind in registry() {
            let schema = entry_schema(kind);
            let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
            let mut found = Vec::new();
            fields(&schema, &definitions, "", None, 0, &mut found);
            let (key, _) = estate[kind.section].as_object().unwrap().iter().next().unwrap();
            for (path, wants) in found {
                let wants = Wants::of(wants.unwrap()).unwrap();
                let steps: Vec<&str> =
                    [kind.section, key].into_iter().chain(path.split('.').skip(1)).collect();
                for (text, arm_type) in ALL {
                    let literal = !text.starts_with('$');
                    // What any resource will do for, and what the kind itself reads, is not judged by type.
                    let any =
                        wants.types.is_empty() && (!arm_type.is_empty() || literal || text.ends_with("/x"));
                    if any || wants.types.iter().any(|wanted| wanted == arm_type) {
                        continue;
                    }
                    let mut tree = estate.clone();
                    let place = put(&mut tree, &steps, text, "");
                    let place = place.trim_start_matches('.');
                    let told = problems(&tree, place);
                    tried += 1;
                    let here = told.iter().filter(|(here, _)| *here).count();
                    if here != 1 {
                        wrong.push(format!("{place}: {text}: {told:?}"));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
        assert!(tried > 500, "{tried}");
    }

    #[test]
    fn every_field_that_takes_a_reference_says_what_it_wants() {
        let mut unsaid = Vec::new();
        let mut all = 0;
        for kind in registry() {
            let schema = entry_schema(kind);
            let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
            let mut found = Vec::new();
            fields(&schema, &definitions, kind.section, None, 0, &mut found);
            all += found.len();
            unsaid.extend(
                found
                    .into_iter()
                    .filter(|(_, wants)| wants.and_then(Wants::of).is_none())
                    .map(|(path, _)| path),
            );
        }
        assert_eq!(unsaid, [] as [&str; 0]);
        assert!(all > 50, "{all}");
    }
}
