//! References say what they are: whether what a field was given is of a type that the field wants.
//!
//! Which fields take references, and what they want, is in the schema of the kind (`x-wants`); no field has a rule of its
//! own. What the kind has reported at a place already is not reported again.

use super::link::{ARM_ID, Linker};
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
                let has_token = token::has_token(&wanted.text);
                let secret = has_token
                    && token::any(&Value::String(wanted.text.clone()), &|token| {
                        matches!(token, Token::Secret { .. })
                    });
                if (token.is_none() && has_token && !secret) != whole {
                    continue;
                }
                let wrong = match (whole, &token) {
                    (true, _) => self.wrong_whole(at, wanted),
                    (false, Some(Token::Reference { path, .. })) => self.wrong_reference(at, wanted, path, 0),
                    (false, Some(_)) => None,
                    (false, None) => self.wrong_text(wanted, &wanted.text),
                };
                let wrong = if secret { Some(self.wrong_secret(wanted)) } else { wrong };
                let Some((message, help)) = wrong else { continue };
                let place = format!("{}.{}", entry.place, wanted.path);
                let span = entry.source.locate(&place, At::Value);
                self.refused.entry(at).or_default().insert(wanted.text.clone());
                let same = |other: &Diagnostic| {
                    other.severity == Severity::Error
                        && matches!((&other.span, &span), (Some(a), Some(b))
                            if a.file.name == b.file.name && a.offset == b.offset)
                };
                let told = Diagnostic::error(&REFERENCE_KIND, message).at(span.clone()).help(help);
                // An id that is put together fails where ids are found, and there the field is not known.
                let entry_place = entry.source.locate(&entry.place, At::Key);
                let of_id = |other: &Diagnostic| {
                    whole
                        && other.code.name == ARM_ID.name
                        && matches!((&other.span, &entry_place), (Some(a), Some(b))
                            if a.file.name == b.file.name && a.offset == b.offset)
                };
                if let Some(other) = problems.iter_mut().find(|other| of_id(other)) {
                    *other = told;
                } else if !problems.iter().any(same) {
                    problems.push(told);
                } else if token.is_some() {
                    // What a kind says of a reference of another type than it wants follows from this.
                    problems.iter_mut().filter(|other| same(other)).for_each(|other| *other = told.clone());
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
        // An output that the blueprint does not ask for is told as such, before anything that follows from it.
        let output = match rest {
            "" | "id" if wants.facet != "id" => wants.facet.to_owned(),
            rest => rest.to_owned(),
        };
        let lacks = [output.clone(), format!("{output}.{}", wants.facet)]
            .iter()
            .find_map(|name| node.lacking.get_key_value(name.as_str()));
        if let Some((name, given)) = lacks
            && !self.is_itself(entry, target, &wanted.path)
        {
            return Some(given.lacking(&node.draft.address, name));
        }
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
        // What every resource has is neither an id nor an output of one.
        if let Some(own) = ["name", "type"].into_iter().find(|own| *own == rest && find(own).is_none()) {
            let of = format!("the {own} of {}", article(title));
            return Some((what(&of), self.instead(wants, path)));
        }
        if wants.facet != "id" {
            let good = rest == wants.facet
                || rest.ends_with(&format!(".{}", wants.facet))
                || find(&format!("{rest}.{}", wants.facet)).is_some()
                || node.draft.kind.open;
            let facet = find(rest)?;
            return (!good).then(|| (what(facet.about), self.instead(wants, path)));
        }
        if let Some(facet) = find(&format!("{rest}.id")).or_else(|| find(rest)) {
            let good = facet.gives.is_some_and(|arm_type| wants.takes(arm_type));
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

    /// What is wrong with a text that holds a secret: ids are in ledgers, plans and Azure's logs.
    fn wrong_secret(&self, wanted: &Wanted) -> Wrong {
        let Wanted { wants, path, .. } = wanted;
        (
            format!("`{}` wants {}, and a secret cannot name one", field_of(path), wants.what),
            "use a parameter without `secret: true`, or write a reference".to_owned(),
        )
    }

    /// What is wrong with a text without references.
    fn wrong_text(&self, wanted: &Wanted, text: &str) -> Option<Wrong> {
        let Wanted { wants, path, .. } = wanted;
        // Words, GUIDs and aliases are looked at by the kind, unless only one type has such an output.
        if wants.words.contains(&text) {
            return None;
        }
        if wants.facet != "id" && wants.types.is_empty() {
            let wrong = || (format!("`{text}` is not {}", wants.what), self.instead(wants, text));
            let principal = wants.facet == "principalId" && uuid::Uuid::try_parse(text).is_err();
            return (principal || text.starts_with('/')).then(wrong);
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
            // What begins like an id was meant as one.
            Err(error) if wants.types.is_empty() && text.starts_with('/') => {
                Some((error.to_string(), self.instead(wants, text)))
            }
            Err(_) if wants.types.is_empty() => None,
            Err(_) => {
                let near = text.trim_end_matches('}');
                Some((format!("`{text}` is not the id of {}", wants.what), self.instead(wants, near)))
            }
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
