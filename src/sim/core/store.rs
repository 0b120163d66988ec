//! The resources, by id.

use super::body::Body;
use super::json::Object;
use super::path::cut;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// One resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Resource {
    /// The id as the provider spells it.
    pub(crate) id: String,
    /// The type in lower case.
    pub(crate) kind: String,
    /// What `GET` answers, except what the type composes from children.
    pub(crate) body: Body,
    /// What the provider knows and never shows.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub(crate) hidden: Object,
    /// What was composed of the body and the children and last served; dropped with every change.
    #[serde(skip)]
    pub(crate) rendered: Option<Bytes>,
}

impl Resource {
    /// A resource whose body starts with its id, name and type.
    pub(crate) fn new(id: &str, kind: &str, body: Object) -> Self {
        Resource {
            id: id.to_owned(),
            kind: kind.to_ascii_lowercase(),
            body: body.into(),
            hidden: Object::new(),
            rendered: None,
        }
    }

    /// The key in the store.
    pub(crate) fn key(&self) -> String {
        self.id.to_ascii_lowercase()
    }

    /// `properties.provisioningState`, when there is one.
    pub(crate) fn state(&self) -> Option<&str> {
        super::json::text(&self.body, "properties.provisioningState")
    }

    /// The location.
    pub(crate) fn location(&self) -> &str {
        self.body.get("location").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Resources by lower-cased id, so that what lies below an id is one range; and their keys by type, so that nobody who asks
/// for one type walks through all.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Store {
    resources: BTreeMap<Arc<str>, Resource>,
    #[serde(skip)]
    kinds: HashMap<String, BTreeSet<Arc<str>>>,
}

impl<'de> Deserialize<'de> for Store {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let resources = BTreeMap::deserialize(deserializer)?;
        let mut store = Store { resources, kinds: HashMap::new() };
        for (key, resource) in &store.resources {
            index(&mut store.kinds, &resource.kind).insert(key.clone());
        }
        Ok(store)
    }
}

/// The keys of the resources of a type.
fn index<'k>(kinds: &'k mut HashMap<String, BTreeSet<Arc<str>>>, kind: &str) -> &'k mut BTreeSet<Arc<str>> {
    if !kinds.contains_key(kind) {
        kinds.insert(kind.to_owned(), BTreeSet::new());
    }
    kinds.get_mut(kind).expect("it is there, or was just put there")
}

impl Store {
    pub(crate) fn get(&self, key: &str) -> Option<&Resource> {
        self.resources.get(key)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.resources.contains_key(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.resources.len()
    }

    /// The resource, to be read only; its cached rendering may be set.
    pub(crate) fn cached(&mut self, key: &str) -> Option<&mut Resource> {
        self.resources.get_mut(key)
    }

    /// The resource, to be changed: its rendering and its parent's are dropped.
    pub(crate) fn edit(&mut self, key: &str) -> Option<&mut Resource> {
        self.stale(cut(key, 2));
        let resource = self.resources.get_mut(key)?;
        resource.rendered = None;
        Some(resource)
    }

    /// Drops the rendering of a resource whose view is composed of others.
    pub(crate) fn stale(&mut self, key: &str) {
        if let Some(resource) = self.resources.get_mut(key) {
            resource.rendered = None;
        }
    }

    pub(crate) fn insert(&mut self, resource: Resource) {
        let key: Arc<str> = resource.key().into();
        self.stale(cut(&key, 2));
        let kind = resource.kind.clone();
        let before = self.resources.insert(key.clone(), resource);
        if let Some(before) = before.filter(|before| before.kind != kind) {
            index(&mut self.kinds, &before.kind).remove(&key);
        }
        index(&mut self.kinds, &kind).insert(key);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Resource> {
        self.stale(cut(key, 2));
        let removed = self.resources.remove(key)?;
        index(&mut self.kinds, &removed.kind).remove(key);
        Some(removed)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Resource)> {
        self.resources.iter().map(|(k, r)| (&**k, r))
    }

    /// The resources of a type, in small letters.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&str, &Resource)> {
        self.of_kind_behind(kind, "")
    }

    /// The resources of a type that come behind a key.
    pub(crate) fn of_kind_behind(&self, kind: &str, after: &str) -> impl Iterator<Item = (&str, &Resource)> {
        let keys = self.kinds.get(kind).into_iter();
        let behind = (Bound::Excluded(after.to_owned()), Bound::Unbounded);
        let behind = keys
            .flat_map(move |keys| keys.range::<str, _>((behind.0.as_ref().map(String::as_str), behind.1)));
        behind.filter_map(|key| Some((&**key, self.resources.get(key)?)))
    }

    /// Everything below a key, the key itself left out.
    pub(crate) fn below(&self, key: &str) -> impl Iterator<Item = (&str, &Resource)> {
        self.below_behind(key, "")
    }

    /// What lies below a key and comes behind another.
    pub(crate) fn below_behind(&self, key: &str, after: &str) -> impl Iterator<Item = (&str, &Resource)> {
        let prefix = format!("{key}/");
        // The prefix itself is not a key: ids do not end with a slash.
        let from = if prefix.as_str() > after { &prefix } else { after };
        self.resources
            .range::<str, _>((Bound::Excluded(from), Bound::Unbounded))
            .take_while(move |(k, _)| k.starts_with(&prefix))
            .map(|(k, r)| (&**k, r))
    }

    /// The members of a collection (`…/virtualNetworks/v/subnets`), not what lies below them.
    pub(crate) fn members(&self, collection: &str) -> impl Iterator<Item = (&str, &Resource)> {
        self.members_behind(collection, "")
    }

    /// The members of a collection that come behind a key.
    pub(crate) fn members_behind(
        &self,
        collection: &str,
        after: &str,
    ) -> impl Iterator<Item = (&str, &Resource)> {
        let skip = collection.len() + 1;
        self.below_behind(collection, after).filter(move |(k, _)| !k[skip..].contains('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_direct_and_below_is_not() {
        let mut store = Store::default();
        for id in ["/a/X", "/a/x/b/1", "/a/x/b/2", "/a/x/b/2/c/3", "/a/xy"] {
            store.insert(Resource::new(id, "T", Object::new()));
        }
        assert_eq!(store.members("/a/x/b").count(), 2);
        assert_eq!(store.below("/a/x").count(), 3);
        assert_eq!(store.members("/a").count(), 2);
        assert_eq!(
            store.below_behind("/a/x", "/a/x/b/2").map(|(key, _)| key).collect::<Vec<_>>(),
            ["/a/x/b/2/c/3"]
        );
        assert_eq!(store.members_behind("/a/x/b", "/a/x/b/1").count(), 1);
        assert_eq!(
            store.of_kind_behind("t", "/a/x/b/2").map(|(key, _)| key).collect::<Vec<_>>(),
            ["/a/x/b/2/c/3", "/a/xy"]
        );
        store.insert(Resource::new("/a/x/b/1", "U", Object::new()));
        store.remove("/a/xy");
        let read: Store = serde_json::from_value(serde_json::to_value(&store).unwrap()).unwrap();
        for store in [&store, &read] {
            let kinds = |kind: &str| store.of_kind(kind).map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
            assert_eq!((kinds("t").len(), kinds("u")), (3, vec!["/a/x/b/1".to_owned()]));
        }
    }
}
