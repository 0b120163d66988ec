//! The body of a resource: text until somebody looks into it.

use super::json::Object;
use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use std::cell::OnceCell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A JSON object that is kept as the text it came as, as the members it was made of, or as both.
///
/// Most of what a file holds is only ever shown: its text is sent as it is, and takes a fifth of the memory. A change
/// drops the text, which is made anew when it is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    text: OnceCell<Arc<RawValue>>,
    members: OnceCell<Object>,
}

/// What a text that is sent keeps.
struct Shown(Arc<RawValue>);

impl AsRef<[u8]> for Shown {
    fn as_ref(&self) -> &[u8] {
        self.0.get().as_bytes()
    }
}

impl Body {
    fn raw(&self) -> &Arc<RawValue> {
        self.text.get_or_init(|| to_raw_value(&**self).expect("an object is JSON").into())
    }

    /// The members, to be composed into something else. A body that nobody looked into stays text.
    pub(crate) fn members(&self) -> Object {
        match (self.members.get(), self.text.get()) {
            (None, Some(text)) => serde_json::from_str(text.get()).unwrap_or_default(),
            _ => (**self).clone(),
        }
    }

    /// Whether a member of this name may be in it, at any depth. The text is enough to tell that none is, unless a letter
    /// may stand in it by its number.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        match (self.members.get(), self.text.get()) {
            (None, Some(text)) => text.get().contains(name) || text.get().contains("\\u"),
            _ => true,
        }
    }

    /// The body as JSON.
    pub(crate) fn text(&self) -> Bytes {
        Bytes::from_owner(Shown(self.raw().clone()))
    }
}

impl From<Object> for Body {
    fn from(members: Object) -> Self {
        Body { text: OnceCell::new(), members: OnceCell::from(members) }
    }
}

impl Deref for Body {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.members.get_or_init(|| {
            // The text was checked when it was read, or was written from members.
            let text = self.text.get();
            text.and_then(|text| serde_json::from_str(text.get()).ok()).unwrap_or_default()
        })
    }
}

impl DerefMut for Body {
    fn deref_mut(&mut self) -> &mut Object {
        let _ = **self;
        self.text.take();
        self.members.get_mut().expect("the members were just made")
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text.get() {
            Some(raw) => raw.serialize(serializer),
            None => (**self).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return Err(D::Error::custom("the body of a resource must be a mapping"));
        }
        Ok(Body { text: OnceCell::from(Arc::from(raw)), members: OnceCell::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_is_shown_as_it_was_read_until_it_changes() {
        let mut body: Body = serde_json::from_str(r#"{"b": 1, "a": {}}"#).unwrap();
        assert_eq!(body.text(), r#"{"b": 1, "a": {}}"#);
        assert_eq!(body.get("b"), Some(&json!(1)));
        assert_eq!(body.text(), r#"{"b": 1, "a": {}}"#);
        body.insert("b".to_owned(), json!(2));
        assert_eq!(body.text(), r#"{"b":2,"a":{}}"#);
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"b":2,"a":{}}"#);
        body.clear();
        assert_eq!(serde_json::to_value(&body).unwrap(), json!({}));
    }

    #[test]
    fn what_is_no_mapping_is_refused_where_it_is_read() {
        for text in ["[]", "1", "null", "{\"a\":}", "{"] {
            assert!(serde_json::from_str::<Body>(text).is_err(), "{text}");
        }
    }
}
