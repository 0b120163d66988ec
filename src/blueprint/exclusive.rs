//! `exclusive`: which lists of an entry, or of a part of one, are the blueprint's alone.

use super::evaluator::Evaluator;
use super::messages::WRONG_TYPE;
use super::source::At;
use crate::catalog::{Draft, Exclusive, Kind, Members};
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::ident::Address;
use crate::value::get_path;
use serde_json::{Map, Value};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// `true`: every list.
    Every,
    /// These, by their names.
    Lists(Vec<String>),
}

pub(super) const EXCLUSIVE_LIST: Code = Code {
    name: "exclusive-list",
    why: "`exclusive` names a list that others cannot add to, or something that is not a list. `berth explain SECTION` \
         shows the lists.",
    remedy: "Name the lists of this entry or part by the fields of the blueprint, or write `true` for all of them.",
    example: "exclusive: [accessPolicies, tags]",
};

impl Evaluator<'_> {
    /// Takes `exclusive` out of evaluated fields; `path` is that of the entry or part.
    pub(super) fn take_exclusive(&self, path: &str, fields: &mut Map<String, Value>) -> Option<Asked> {
        match fields.shift_remove("exclusive")? {
            Value::Null | Value::Bool(false) => None,
            Value::Bool(true) => Some(Asked::Every),
            Value::Array(names) if names.iter().all(Value::is_string) => {
                Some(Asked::Lists(names.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
            }
            _ => {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, "`exclusive` must be true, or a list of names")
                        .at(self.locate(&format!("{path}.exclusive"), At::Value))
                        .help("write `exclusive: [tags]`, or `exclusive: true` for every list"),
                );
                None
            }
        }
    }

    /// Lets `exclusive` hold for the draft that the entry (`within` is empty) or the part became.
    pub(super) fn apply_exclusive(
        &self,
        kind: &Kind,
        within: &str,
        path: &str,
        asked: &Asked,
        draft: &mut Draft,
    ) {
        let rules = draft.kind.compiled();
        let known = known_lists(kind, within, draft);
        let wrong = |at: Option<usize>, message: String, help: String| {
            let at = at.map(|at| format!("[{at}]")).unwrap_or_default();
            let place = self.locate(&format!("{path}.exclusive{at}"), At::Value);
            self.tell(Diagnostic::error(&EXCLUSIVE_LIST, message).at(place).help(help));
        };
        match asked {
            Asked::Every if known.is_empty() => {
                let message = "nothing here is a list that others can add to";
                wrong(None, message.to_owned(), "remove `exclusive`".to_owned());
            }
            Asked::Every => draft.exclusive = known,
            Asked::Lists(names) => {
                for (at, name) in names.iter().enumerate() {
                    // One word may name several lists.
                    let mut found: Vec<_> = known.iter().filter(|list| list.name == *name).cloned().collect();
                    // A list that only `properties:` asks for.
                    if found.is_empty() && name.contains('.') && rules.merges(name) {
                        found.push(Exclusive { name: name.clone(), members: Members::AtName });
                    }
                    match found.is_empty() {
                        false => draft.exclusive.extend(found),
                        true => {
                            let names: Vec<&str> = known.iter().map(|list| list.name.as_str()).collect();
                            let help = match did_you_mean(name, names.iter().copied()) {
                                Some(near) => format!("did you mean `{near}`?"),
                                None if names.is_empty() => "remove `exclusive`".to_owned(),
                                None => format!("known here are: {}", names.join(", ")),
                            };
                            let message = format!("`{name}` is not a list that others can add to");
                            wrong(Some(at), message, help);
                        }
                    }
                }
            }
        }
    }
}

/// Gives lists in the body of a resource beside the one that they were written for to that resource.
pub(super) fn settle_beside(drafts: &mut [Draft]) {
    let mut moved: Vec<(Address, bool, Exclusive)> = Vec::new();
    for draft in drafts.iter_mut() {
        let own = draft.address.clone();
        let mut take = |lists: &mut Vec<Exclusive>, alone: bool| {
            lists.retain(|list| {
                let Members::Beside(word, path) = list.members else { return true };
                let list = Exclusive { name: list.name.clone(), members: Members::At(path) };
                moved.push((own.child(word), alone, list));
                false
            });
        };
        take(&mut draft.exclusive, true);
        take(&mut draft.lists, false);
    }
    for (address, alone, list) in moved {
        let Some(draft) = drafts.iter_mut().find(|draft| draft.address == address) else { continue };
        if alone {
            draft.exclusive.push(list);
        } else {
            draft.lists.push(list);
        }
    }
}

/// The lists of a draft that others can add to: of the entry (`within` is empty), or of a part of it.
fn known_lists(kind: &Kind, within: &str, draft: &Draft) -> Vec<Exclusive> {
    let rules = draft.kind.compiled();
    // One section may make resources of several types, each with the list at a path of its own.
    // And what is said on creation only is somebody else's from then on.
    let given = |path: &str| get_path(&draft.initial, path).is_some();
    let has = |members: Members| !matches!(members, Members::At(path) if !rules.merges(path) || given(path));
    let listed = kind.merged.iter().filter(|merged| merged.within == within && has(merged.members));
    let mut known: Vec<Exclusive> =
        listed.map(|merged| Exclusive { name: merged.name.to_owned(), members: merged.members }).collect();
    if known.is_empty() {
        // Lists without names of their own have Azure's.
        let own = draft.kind.rules.iter().map(|rule| rule.path());
        let own = own.filter(|path| !path.contains(['[', '*']) && rules.merges(path) && !given(path));
        known.extend(own.map(|path| Exclusive { name: path.to_owned(), members: Members::AtName }));
    }
    if draft.kind.tags {
        known.push(Exclusive { name: "tags".to_owned(), members: Members::AtName });
    }
    known
}

/// Notes of each draft of an entry which of its lists others can add to.
pub(super) fn note_lists(kind: &Kind, address: &str, drafts: &mut [Draft]) {
    for draft in drafts {
        let within = match draft.address.as_str().strip_prefix(address) {
            Some("") => "",
            Some(rest) if rest.strip_prefix('.') == Some(draft.origin.as_str()) => {
                match kind.nested.iter().find(|nested| nested.is_at(&draft.origin)) {
                    Some(nested) => nested.path,
                    None => continue,
                }
            }
            _ => continue,
        };
        draft.lists = known_lists(kind, within, draft);
    }
}
