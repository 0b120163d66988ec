//! What references are to, and where they are.

use super::entry::{Entry, EntryState};
use super::link::Linker;
use super::source::At;
use super::written::is_within;
use crate::catalog::{Provisioning, resource_type};
use crate::diag::{Code, Diagnostic, Span, did_you_mean};
use crate::ident::{Address, Parts, segments};
use crate::value::token::Token;
use serde_json::Value;

/// What a reference turned out to be.
pub(super) enum Referent {
    /// A value that follows from the blueprint, and whose resource it is.
    Known(Value, usize),
    /// A value that Azure makes.
    Output(usize, String),
}

pub(super) const REFERENCE: Code = Code {
    name: "reference",
    why: "An expression names an entry, a part of one or an output that the blueprint does not have.",
    remedy: "Take one of the names that the message offers; `berth graph` shows all addresses.",
    example: "identity: ${identities.controlPlane}",
};

impl Linker<'_> {
    /// The node whose address starts a dotted path, and what remains of the path.
    pub(super) fn target<'p>(&self, path: &'p str) -> Option<(usize, &'p str)> {
        let mut end = path.len();
        loop {
            if let Some(&at) = self.by_address.get(&path[..end]) {
                return Some((at, path[end..].trim_start_matches('.')));
            }
            let above = path[..end].rfind('.')?;
            // What another file gave may be followed by the key of an instance: `module.x.outputs.network.subnets.zone['1']`.
            let instance = format!("{}[{}]", &path[..above], &path[above + 1..end]);
            if let Some(&at) = self.by_address.get(instance.as_str()) {
                return Some((at, path[end..].trim_start_matches('.')));
            }
            end = above;
        }
    }

    /// `Err(None)` is a mistake that is told elsewhere.
    pub(super) fn refer(&self, at: usize, path: &str, facet: &str) -> Result<Referent, Option<Diagnostic>> {
        let fault = |message: String, help: String| {
            Some(Diagnostic::error(&REFERENCE, message).at(self.place(at, Some(path))).help(help))
        };
        let switched_off = |name: &str| {
            fault(
                format!("`{name}` is switched off by its `when`"),
                "give this entry the same `when`, or choose: `${… if param.x else …}`".to_owned(),
            )
        };
        if let Some(entry) = self.nodes.get(at).and_then(|node| node.entry)
            && let Some(refused) = self.refused.get(&entry)
            && refused.contains(&Token::Reference { path: path.to_owned(), facet: String::new() }.encode())
        {
            return Err(None);
        }
        let Some((target, rest)) = self.target(path) else {
            let name = Parts::of(path).entry;
            let off = self.entries.iter().any(|entry| entry.path == name && entry.state == EntryState::Off);
            // What failed was told where it failed.
            return Err(if off { switched_off(name) } else { None });
        };
        let node = &self.nodes[target];
        let id = || node.id.clone().map(|id| id.to_string()).unwrap_or_default();
        let known = |text: String| Ok(Referent::Known(Value::String(text), target));
        let wanted = match (rest, facet) {
            ("", "" | "id") | ("id", "" | "id") => return known(id()),
            // A resource may be named by its id; what is wanted is the resource's all the same.
            ("" | "id", facet) => facet.to_owned(),
            (rest, "") => rest.to_owned(),
            // What a field wants of a resource may be written out: `${identities.app.principalId}` for a principal.
            (rest, facet) if rest == facet || rest.ends_with(&format!(".{facet}")) => rest.to_owned(),
            (rest, facet) => format!("{rest}.{facet}"),
        };
        let name_of = |id: String| id.rsplit('/').next().unwrap_or_default().to_owned();
        match wanted.as_str() {
            "name" => return known(name_of(id())),
            "type" => return known(node.draft.kind.arm_type.to_owned()),
            // Of what is only read, they are in its id.
            "resourceGroup" | "subscription" if node.draft.operation == Provisioning::Existing => {
                let part = node.id.as_ref().and_then(|id| match wanted.as_str() {
                    "resourceGroup" => id.group(),
                    _ => id.subscription(),
                });
                return known(part.unwrap_or_default().to_owned());
            }
            _ => {}
        }
        let facets = node.draft.kind.facets;
        let find = |name: &str| facets.iter().find(|f| f.name == name);
        let found = find(&wanted).or_else(|| match facet {
            // A field that wants an id takes an output that is one: `${clusters.aks.kubeletIdentity}`.
            "" => find(&format!("{rest}.id")),
            "id" => find(rest),
            _ => None,
        });
        if let Some(facet) = found {
            if let Some(given) = node.lacking.get(facet.name) {
                let (message, help) = given.lacking(&node.draft.address, facet.name);
                return Err(fault(message, help));
            }
            if let Some(value) = node.known.get(facet.name) {
                return Ok(Referent::Known(value.clone(), target));
            }
            return Ok(Referent::Output(target, facet.pointer.to_owned()));
        }
        if node.draft.kind.open {
            // What the section of this type calls an output is one of an entry of `resources` as well.
            let own = resource_type(node.draft.kind.arm_type).map_or(&[][..], |kind| kind.facets);
            if let Some(facet) = own.iter().find(|own| own.name == wanted) {
                return Ok(Referent::Output(target, facet.pointer.to_owned()));
            }
            // Who acts for a resource of any type is in the same place; and an id or a URL that was written out is one already.
            let written = match wanted.as_str() {
                _ if facet == "versionedUri" && rest.ends_with("UriWithVersion") => rest,
                "principalId" => "identity.principalId",
                _ if facet == "id" && rest.to_ascii_lowercase().ends_with("id") => rest,
                wanted => wanted,
            };
            if let Some(pointer) = answered(written) {
                return Ok(Referent::Output(target, pointer));
            }
        }
        // A field of the blueprint itself.
        if facet.is_empty()
            && let Some(entry) = node.entry.map(|entry| &self.entries[entry])
            && let Some(below) = path.strip_prefix(&format!("{}.", entry.path))
            && let Some(value) = member(&entry.evaluated, below)
            && !value.is_object()
        {
            return Ok(Referent::Known(value.clone(), target));
        }
        let is_off = |entry: &Entry<'_>| entry.off.iter().any(|off| is_within(path, off));
        if let Some(entry) = node.entry.map(|entry| &self.entries[entry]).filter(|entry| is_off(entry)) {
            let off = entry.off.iter().find(|off| is_within(path, off)).map_or(path, String::as_str);
            return Err(switched_off(off));
        }
        let address = &node.draft.address;
        let children = self.children(address);
        let names = || {
            ["id", "name"]
                .into_iter()
                .chain(facets.iter().map(|f| f.name))
                .chain(children.iter().map(String::as_str))
        };
        let help = match did_you_mean(rest, names()) {
            Some(near) => format!("did you mean `{address}.{near}`?"),
            None if node.draft.kind.open => {
                format!(
                    "`{address}` has what Azure answers with, such as `{address}.properties.provisioningState`"
                )
            }
            None => format!("`{address}` has: {}", names().collect::<Vec<_>>().join(", ")),
        };
        let shown = if rest.is_empty() { facet } else { rest };
        Err(fault(format!("`{address}` has no `{shown}`"), help))
    }

    /// What is below an address, without the address.
    fn children(&self, address: &Address) -> Vec<String> {
        let prefix = format!("{address}.");
        let mut children: Vec<String> = self
            .by_address
            .keys()
            .filter_map(|other| other.as_str().strip_prefix(&prefix).map(str::to_owned))
            .collect();
        children.sort();
        children
    }

    /// Whether two nodes come from different instances of one entry.
    pub(super) fn same_entry(&self, a_node: usize, b_node: usize) -> bool {
        let place = |at: usize| {
            let entry = &self.entries[self.nodes[at].entry?];
            Some((&entry.source.file.name, &entry.place))
        };
        let (a, b) = (place(a_node), place(b_node));
        let different = self.nodes[a_node].entry != self.nodes[b_node].entry;
        different && a.is_some() && a == b
    }

    /// The place of a field of a node's entry; of the entry when it does not have the field.
    pub(super) fn field_place(&self, at: usize, field: &str) -> Option<Span> {
        let entry = &self.entries[self.nodes.get(at)?.entry?];
        entry.source.locate(&format!("{}.{field}", entry.place), At::Value)
    }

    /// Whether something is wrong with the entry of a node already, or one of its references was refused: what follows from
    /// that is not told.
    pub(super) fn is_mistaken(&self, at: usize) -> bool {
        let entry = self.nodes.get(at).and_then(|node| node.entry);
        entry.is_some_and(|entry| self.entries[entry].mistaken || self.refused.contains_key(&entry))
    }

    /// The place of a node in the source; of the field that mentions `reference`, when that is asked for.
    pub(super) fn place(&self, at: usize, reference: Option<&str>) -> Option<Span> {
        let node = self.nodes.get(at)?;
        let entry = &self.entries[node.entry?];
        if let Some(found) = reference.and_then(|reference| entry.mention(reference)) {
            return entry.source.locate(&found, At::Value);
        }
        let origin = &node.draft.origin;
        let path = if origin.is_empty() { entry.place.clone() } else { format!("{}.{origin}", entry.place) };
        entry.source.locate(&path, At::Key)
    }
}

impl Entry<'_> {
    /// Where it mentions `reference`, else where it begins.
    pub(super) fn mentioning(&self, reference: &str) -> Option<Span> {
        match self.mention(reference) {
            Some(path) => self.source.locate(&path, At::Value),
            None => self.source.locate(&self.place, At::Key),
        }
    }

    /// The path of the field that mentions `reference`.
    fn mention(&self, reference: &str) -> Option<String> {
        let raw = crate::value::get_path(&self.source.tree, &self.place)?;
        let local = reference.strip_prefix(&self.prefix).unwrap_or(reference);
        // With `forEach` the key is written in another way than it is in the address.
        let parts = Parts::of(local);
        let key = parts.key.split('[').next().unwrap_or_default();
        let short = format!("{}.{key}", parts.section);
        mention(raw, local, &self.place).or_else(|| mention(raw, &short, &self.place))
    }
}

/// The JSON pointer of a dotted path in what Azure answers, if it begins with a member that resources have.
fn answered(path: &str) -> Option<String> {
    const MEMBERS: &[&str] = &[
        "etag",
        "extendedLocation",
        "identity",
        "kind",
        "location",
        "managedBy",
        "plan",
        "properties",
        "sku",
        "systemData",
        "tags",
        "zones",
    ];
    let first = path.split(['.', '[']).next().unwrap_or_default();
    if !MEMBERS.contains(&first) || path.contains(['/', '~']) {
        return None;
    }
    let mut pointer = String::new();
    for part in path.split('.') {
        let (name, indices) = part.split_once('[').map_or((part, None), |(name, rest)| (name, Some(rest)));
        pointer.push('/');
        pointer.push_str(name);
        for index in indices.into_iter().flat_map(|rest| rest.trim_end_matches(']').split("][")) {
            pointer.push('/');
            pointer.push_str(index);
        }
    }
    Some(pointer)
}

/// The member of an evaluated entry at a dotted path; an element of a list is `[0]`.
pub(super) fn member<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    segments(path).try_fold(value, |value, part| {
        // The instance of a part that has `forEach` is a member of this name.
        if let Some(found) = value.get(part) {
            return Some(found);
        }
        let (name, index) = match part.split_once('[') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(']')?)),
            None => (part, None),
        };
        let found = value.get(name)?;
        match index {
            Some(index) => found.get(index.parse::<usize>().ok()?),
            None => Some(found),
        }
    })
}

/// The dotted path of the first text below a value that mentions a reference.
fn mention(value: &Value, reference: &str, path: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains(reference).then(|| path.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| mention(item, reference, &format!("{path}[{at}]")))
        }
        Value::Object(members) => {
            members.iter().find_map(|(key, member)| mention(member, reference, &format!("{path}.{key}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_answers_are_pointers() {
        for (path, pointer) in [
            ("properties.loginServer", Some("/properties/loginServer")),
            ("identity.principalId", Some("/identity/principalId")),
            ("properties.hosts[0]", Some("/properties/hosts/0")),
            ("properties.a[0][1].b", Some("/properties/a/0/1/b")),
            ("zones[0]", Some("/zones/0")),
            ("location", Some("/location")),
            ("loginServer", None),
            ("body.properties", None),
            ("properties.a/b", None),
        ] {
            assert_eq!(answered(path).as_deref(), pointer, "{path}");
        }
    }
}
