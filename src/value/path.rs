//! Dotted paths into bodies.

use serde_json::{Map, Value};

/// The value at a dotted path (`properties.dnsPrefix`).
pub fn get_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, part| value.get(part))
}

/// The member of a name. In a small mapping looking at each name is quicker than hashing the one that is sought.
pub(crate) fn member_of<'v>(members: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    const SMALL: usize = 8;
    match members.len() <= SMALL {
        true => members.iter().find(|(key, _)| *key == name).map(|(_, value)| value),
        false => members.get(name),
    }
}

/// The value at a JSON pointer (RFC 6901), as [`Value::pointer`] finds it; nothing is allocated for a pointer without escapes.
pub fn at_pointer<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    if pointer.contains('~') {
        return value.pointer(pointer);
    }
    if pointer.is_empty() {
        return Some(value);
    }
    pointer.strip_prefix('/')?.split('/').try_fold(value, |value, part| match value {
        Value::Object(members) => member_of(members, part),
        Value::Array(items) => items.get(index(part)?),
        _ => None,
    })
}

/// The position that a part of a pointer names: no sign, and no zero before other digits.
fn index(part: &str) -> Option<usize> {
    let plain = !part.starts_with('+') && (part.len() == 1 || !part.starts_with('0'));
    plain.then(|| part.parse().ok()).flatten()
}

/// Sets the value at a dotted path, making objects on the way.
pub fn set_path(value: &mut Value, path: &str, new: Value) {
    let mut at = value;
    for part in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(members) = at else { return };
        at = members.entry(part).or_insert(Value::Null);
    }
    *at = new;
}

/// The JSON pointer of a dotted path.
pub fn pointer_of(path: &str) -> String {
    path.split('.')
        .fold(String::new(), |pointer, part| pointer + "/" + &part.replace('~', "~0").replace('/', "~1"))
}

/// Where a walk stands: segments that become text only when something is to be said.
#[derive(Debug, Default)]
pub(crate) struct Trail<'a>(Vec<Segment<'a>>);

#[derive(Debug)]
pub(crate) enum Segment<'a> {
    Member(&'a str),
    Index(usize),
    Key(String),
}

impl<'a> Trail<'a> {
    pub(crate) fn push(&mut self, segment: Segment<'a>) {
        self.0.push(segment);
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }
}

impl std::fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Member(name) if name.contains(['.', '/', ' ']) => write!(f, "[\"{name}\"]")?,
                Segment::Member(name) if at == 0 => f.write_str(name)?,
                Segment::Member(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => write!(f, "[{}]", key.replace('\u{1f}', ","))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pointer_leads_where_it_leads_elsewhere() {
        let value = json!({ "a": { "b/c": [10, { "": 1 }], "d~e": 2, "0": 3 }, "": { "": 4 } });
        for pointer in [
            "",
            "/",
            "//",
            "/a",
            "/a/",
            "/a/b~1c",
            "/a/b~1c/0",
            "/a/b~1c/1/",
            "/a/b~1c/00",
            "/a/b~1c/+1",
            "/a/b~1c/-",
            "/a/b~1c/2",
            "/a/0",
            "/a/d~0e",
            "a",
            "/a/0/b",
        ] {
            assert_eq!(at_pointer(&value, pointer), value.pointer(pointer), "{pointer}");
        }
        let list = json!([[1, 2], 3]);
        for pointer in ["/0/1", "/1", "/0", "/01", "/+0", "/2", "/", "/0/"] {
            assert_eq!(at_pointer(&list, pointer), list.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn paths_read_and_write() {
        let mut body = json!({ "a": { "b": 1 } });
        assert_eq!(get_path(&body, "a.b"), Some(&json!(1)));
        assert_eq!(get_path(&body, "a.c"), None);
        set_path(&mut body, "a.c.d", json!(2));
        assert_eq!(body, json!({ "a": { "b": 1, "c": { "d": 2 } } }));
        assert_eq!(pointer_of("a.b/c"), "/a/b~1c");
    }
}
