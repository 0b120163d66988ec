//! Dotted paths into bodies.

use serde_json::{Map, Value};

/// The value at a dotted path (`properties.dnsPrefix`).
pub fn get_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, part| value.get(part))
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
    fn paths_read_and_write() {
        let mut body = json!({ "a": { "b": 1 } });
        assert_eq!(get_path(&body, "a.b"), Some(&json!(1)));
        assert_eq!(get_path(&body, "a.c"), None);
        set_path(&mut body, "a.c.d", json!(2));
        assert_eq!(body, json!({ "a": { "b": 1, "c": { "d": 2 } } }));
        assert_eq!(pointer_of("a.b/c"), "/a/b~1c");
    }
}
