//! A field of a body by the names of the members that lead to it.

use super::path::{Segment, Trail};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// The way to a member of a body through objects. Names hold any character, and compare without case as Azure's do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// The path of these names.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        FieldPath(names.into_iter().map(Into::into).collect())
    }

    /// The path that a person wrote with dots, when it leads to something in `body`. A name may hold dots itself: the
    /// longest one that fits counts.
    pub fn find(text: &str, body: &Value) -> Option<Self> {
        let mut names = Vec::new();
        find(text, body, &mut names).then_some(FieldPath(names))
    }

    /// The names, outermost first.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The value there.
    pub fn get<'v>(&self, body: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(body, |value, name| member(value.as_object()?, name))
    }

    /// Takes the value there out, and the objects above it that it leaves empty.
    pub fn take(&self, body: &mut Value) -> Option<Value> {
        take(&self.0, body)
    }

    /// Puts a value there, making objects on the way.
    pub fn put(&self, body: &mut Value, new: Value) {
        let mut at = body;
        for name in &self.0 {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            let Value::Object(members) = at else { return };
            let known = members.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned();
            at = members.entry(known.unwrap_or_else(|| name.clone())).or_insert(Value::Null);
        }
        *at = new;
    }

    /// Whether the path of a [`super::Change`] is this one or leads below it.
    pub fn covers(&self, change: &str) -> bool {
        let own = self.to_string();
        let Some(head) = change.get(..own.len()) else { return false };
        let rest = &change[own.len()..];
        head.eq_ignore_ascii_case(&own) && (rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut trail = Trail::default();
        self.0.iter().for_each(|name| trail.push(Segment::Member(name)));
        trail.fmt(f)
    }
}

/// A body without what a blueprint gives away.
pub fn without_ignored<'v>(body: &'v Value, ignored: &[FieldPath]) -> Cow<'v, Value> {
    if !ignored.iter().any(|path| path.get(body).is_some()) {
        return Cow::Borrowed(body);
    }
    let mut body = body.clone();
    ignored.iter().for_each(|path| {
        path.take(&mut body);
    });
    Cow::Owned(body)
}

fn member<'v>(members: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    let folded = || members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    members.get(name).or_else(folded)
}

fn find(text: &str, value: &Value, names: &mut Vec<String>) -> bool {
    let Value::Object(members) = value else { return false };
    let fits = |key: &&String| {
        let head = text.get(..key.len()).is_some_and(|head| head.eq_ignore_ascii_case(key));
        head && matches!(text.as_bytes().get(key.len()), None | Some(b'.'))
    };
    let mut keys: Vec<&String> = members.keys().filter(fits).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
    for key in keys {
        names.push(key.clone());
        match text.get(key.len() + 1..) {
            None => return true,
            Some(rest) if find(rest, &members[key], names) => return true,
            Some(_) => {
                names.pop();
            }
        }
    }
    false
}

fn take(names: &[String], value: &mut Value) -> Option<Value> {
    let Value::Object(members) = value else { return None };
    let (name, rest) = names.split_first()?;
    let key = members.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()?;
    if rest.is_empty() {
        return members.shift_remove(&key);
    }
    let below = members.get_mut(&key)?;
    let taken = take(rest, below)?;
    if below.as_object().is_some_and(Map::is_empty) {
        members.shift_remove(&key);
    }
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_is_found_taken_and_put_back() {
        let body = json!({ "tags": { "a.b": 1, "a": { "b": 2 } }, "properties": { "Count": 3 } });
        for (text, value) in [("tags.a.b", json!(1)), ("properties.count", json!(3))] {
            let path = FieldPath::find(text, &body).unwrap();
            let mut rest = body.clone();
            assert_eq!(path.get(&body), Some(&value), "{text}");
            assert_eq!(path.take(&mut rest), Some(value.clone()), "{text}");
            assert_eq!(path.get(&rest), None, "{text}");
            path.put(&mut rest, value);
            assert_eq!(rest, body, "{text}");
        }
        assert_eq!(FieldPath::find("properties.coun", &body), None);
        assert_eq!(FieldPath::find("properties.count.x", &body), None);
    }

    #[test]
    fn a_path_covers_what_is_below_it() {
        let path = FieldPath::new(["properties", "rules"]);
        for (change, covered) in [
            ("properties.rules", true),
            ("properties.Rules[a].x", true),
            ("properties.rules.x", true),
            ("properties.ruleset", false),
            ("properties", false),
        ] {
            assert_eq!(path.covers(change), covered, "{change}");
        }
        assert!(FieldPath::new(["tags", "a.b"]).covers("tags[\"a.b\"]"));
    }
}
