//! `forEach`: one entry, or a part of one, that stands for several.

use super::evaluator::Evaluator;
use super::expression::Fault;
use super::source::At;
use crate::diag::{Code, Diagnostic};
use crate::value::token;
use serde_json::Value;
use std::rc::Rc;

/// More instances than this of one entry are a mistake.
const MOST: usize = 50_000;

/// More instances than this of all entries and modules of a blueprint are a mistake.
const MOST_IN_ALL: usize = 100_000;

/// What an instance is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Each {
    /// `each.key`, by which the instance is known: in `clusters.aks[westeurope]` it is `westeurope`.
    pub(super) key: String,
    /// `each.value`; the key when a list was given.
    pub(super) value: Value,
    /// `each.parent`: what `each` is around a part that has `forEach` itself.
    pub(super) parent: Option<Rc<Each>>,
}

/// What is known of the instances of an entry.
#[derive(Debug, Clone)]
pub(super) enum Instances {
    /// They are being found.
    Busy,
    /// They cannot be found because of a mistake, which is told.
    Failed,
    /// All of them, in the order of the blueprint.
    All(Rc<[Rc<Each>]>),
}

pub(super) const FOR_EACH: Code = Code {
    name: "for-each",
    why: "`forEach` takes a list of texts or a mapping with plain keys, known before anything is made: each element becomes an entry of its own.",
    remedy: "Give a list, a mapping, or a parameter that is one; `keyBy` makes a mapping of a list of mappings.",
    example: "forEach: [westeurope, northeurope]",
};

impl Evaluator<'_> {
    /// The instances of the entry at a path with this `forEach`.
    pub(super) fn instances(&self, path: &str, for_each: &Value) -> Result<Rc<[Rc<Each>]>, Fault> {
        self.part_instances(path, path, None, for_each)
    }

    /// The instances of a part of an entry: `path` says which, with the keys of what is around it, `place` is where it
    /// is in the file, and `outer` what `each` is there.
    pub(super) fn part_instances(
        &self,
        path: &str,
        place: &str,
        outer: Option<Rc<Each>>,
        for_each: &Value,
    ) -> Result<Rc<[Rc<Each>]>, Fault> {
        match self.instances.borrow().get(path) {
            Some(Instances::All(all)) => return Ok(all.clone()),
            Some(Instances::Failed) => return Err(Fault::follows()),
            Some(Instances::Busy) => {
                return Err(Fault::new(
                    format!("the `forEach` of `{path}` needs itself"),
                    "break the circle: let it depend on parameters only",
                ));
            }
            None => {}
        }
        self.instances.borrow_mut().insert(path.to_owned(), Instances::Busy);
        let place = format!("{place}.forEach");
        let found = self.with_each(outer.clone(), || {
            let value = self.try_evaluate(for_each, &place)?;
            match all_of(value, outer.as_ref()) {
                Ok(all) => {
                    // Entries in modules in modules multiply.
                    let made = self.shared.instances.get() + all.len();
                    self.shared.instances.set(made);
                    if made > MOST_IN_ALL {
                        let message =
                            format!("all `forEach` together make more than {MOST_IN_ALL} instances");
                        let span = self.locate(&place, At::Value);
                        self.tell(
                            Diagnostic::error(&FOR_EACH, message)
                                .at(span)
                                .help("this limit is fixed: spread them over several blueprints"),
                        );
                        return None;
                    }
                    Some(all)
                }
                Err((at, message, help)) => {
                    let span = self.locate(&format!("{place}{at}"), At::Value);
                    self.tell(Diagnostic::error(&FOR_EACH, message).at(span).help(help));
                    None
                }
            }
        });
        let known = found.clone().map_or(Instances::Failed, Instances::All);
        self.instances.borrow_mut().insert(path.to_owned(), known);
        found.ok_or_else(Fault::follows)
    }
}

/// Where below `forEach`, what is wrong, and what to write instead.
type Wrong = (String, String, &'static str);

fn all_of(value: Value, outer: Option<&Rc<Each>>) -> Result<Rc<[Rc<Each>]>, Wrong> {
    let mut all: Vec<Rc<Each>> = Vec::new();
    let (pairs, is_list): (Vec<(Option<String>, Value)>, bool) = match value {
        Value::Object(members) => (members.into_iter().map(|(k, v)| (Some(k), v)).collect(), false),
        Value::Array(items) => (items.into_iter().map(|item| (scalar(&item), item)).collect(), true),
        Value::String(text) if token::has_token(&text) => return Err(unknown(String::new())),
        _ => {
            return Err((
                String::new(),
                "`forEach` is neither a list nor a mapping".to_owned(),
                "write `forEach: [westeurope, northeurope]`, or a mapping of keys to values",
            ));
        }
    };
    if pairs.len() > MOST {
        let message = format!("`forEach` makes {} of this, and {MOST} is the most", pairs.len());
        return Err((String::new(), message, "this limit is fixed: spread them over several blueprints"));
    }
    let mut seen = std::collections::HashSet::new();
    for (at, (key, value)) in pairs.into_iter().enumerate() {
        let place =
            if is_list { format!("[{at}]") } else { format!(".{}", key.as_deref().unwrap_or_default()) };
        let Some(key) = key else {
            if value.is_number() {
                let message = format!("YAML reads this element as the number {value}, which cannot be a key");
                return Err((place, message, "put it in quotes"));
            }
            return Err((
                place,
                "an element of this list has no key of its own".to_owned(),
                "give a mapping of keys to values, or make one: `${keyBy(param.regions, 'name')}`",
            ));
        };
        if token::has_token(&key) {
            return Err(unknown(place));
        }
        if !is_key(&key) {
            return Err((
                place,
                format!("`{key}` cannot be a key of `forEach`"),
                "a key is letters, digits, `-`, `_` and `.`, at most 80: use a mapping, and put the rest into its values",
            ));
        }
        if !seen.insert(key.clone()) {
            return Err((
                place,
                format!("`{key}` is in this list twice"),
                "each element makes one entry: remove one",
            ));
        }
        all.push(Rc::new(Each { key, value, parent: outer.cloned() }));
    }
    Ok(all.into())
}

fn unknown(place: String) -> Wrong {
    (
        place,
        "how many there are, and their keys, must be known before apply".to_owned(),
        "keys cannot be secret or made by Azure; such values may be in the values of a mapping",
    )
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        // A number with a point is not read as it is written: `1.10` is 1.1.
        Value::Number(number) if number.is_f64() => None,
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether a text can be in an address in brackets, on a command line without quotes.
fn is_key(text: &str) -> bool {
    (1..=80).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_and_mappings_have_keys() {
        let keys = |value: Value| -> Vec<(String, Value)> {
            all_of(value, None).unwrap().iter().map(|each| (each.key.clone(), each.value.clone())).collect()
        };
        assert_eq!(keys(json!(["b", 1])), [("b".to_owned(), json!("b")), ("1".to_owned(), json!(1))]);
        assert_eq!(keys(json!({ "eu": { "a": 1 } })), [("eu".to_owned(), json!({ "a": 1 }))]);
        assert_eq!(keys(json!([])), []);
    }

    #[test]
    fn what_has_no_key_is_refused() {
        for (value, place, part) in [
            (json!(null), "", "neither a list nor"),
            (json!([{ "name": "a" }]), "[0]", "no key of its own"),
            (json!(["a", "b", "a"]), "[2]", "twice"),
            (json!(["a b"]), "[0]", "cannot be a key"),
            (json!({ "": 1 }), ".", "cannot be a key"),
            (json!(["x".repeat(81)]), "[0]", "cannot be a key"),
        ] {
            let (at, message, _) = all_of(value, None).unwrap_err();
            assert_eq!(at, place);
            assert!(message.contains(part), "{message}");
        }
    }
}
