//! One request on a resource, and the refusals that concern what it is about.

use super::error::Failure;
use super::faults::Bent;
use super::json::{Object, text};
use super::path::{Query, ResourcePath, group_of, last};
use super::store::Store;
use crate::host::transport::{Method, Request};
use serde_json::{Value, json};

/// A request on a resource, a collection or an action, taken apart.
#[derive(Debug)]
pub(crate) struct Call<'r> {
    pub(crate) request: &'r Request,
    pub(crate) method: Method,
    /// Scheme and host that the client used.
    pub(crate) origin: &'r str,
    pub(crate) path: ResourcePath,
    pub(crate) query: Query<'r>,
    /// The body without nulls.
    pub(crate) body: Object,
    /// The body as sent.
    pub(crate) raw: Object,
    pub(crate) bent: Bent,
    /// The type in lower case.
    pub(crate) kind: String,
    /// The id as the provider spells it.
    pub(crate) id: String,
    /// The type as the provider spells it.
    pub(crate) type_name: String,
}

impl Call<'_> {
    /// The members that every body starts with.
    pub(crate) fn envelope(&self) -> Object {
        let mut body = Object::new();
        body.insert("id".into(), json!(self.id));
        body.insert("name".into(), json!(self.path.name()));
        body.insert("type".into(), json!(self.type_name));
        body
    }

    /// The same, with location and tags as sent.
    pub(crate) fn tracked_envelope(&self) -> Object {
        let mut body = self.envelope();
        body.insert("location".into(), self.body.get("location").cloned().unwrap_or_default());
        if let Some(tags) = self.body.get("tags") {
            body.insert("tags".into(), tags.clone());
        }
        body
    }

    /// `properties` of the body; empty when there are none.
    pub(crate) fn properties(&self) -> Object {
        self.body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// Honours `If-Match` and `If-None-Match` against what is stored.
    pub(crate) fn check_etag(&self, store: &Store) -> Result<(), Failure> {
        let stored = store.get(&self.path.key);
        let tag = stored.and_then(|r| {
            ["etag", "eTag", "properties.eTag"].into_iter().find_map(|path| text(&r.body, path))
        });
        let plain = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
        let refused = match (self.request.headers.get("if-match"), self.request.headers.get("if-none-match"))
        {
            (Some("*"), _) => stored.is_none() && self.method != Method::Delete,
            (Some(wanted), _) => match (stored, tag) {
                (None, _) => self.method != Method::Delete,
                (Some(_), Some(tag)) => plain(tag) != plain(wanted),
                (Some(_), None) => false,
            },
            (None, Some("*")) => stored.is_some() && tag.is_some(),
            _ => false,
        };
        if refused {
            let message = "The condition set in the request was not met: the entity tag does not match.";
            return Err(Failure::new(412, "PreconditionFailed", message));
        }
        Ok(())
    }

    /// The usual 404 for what the call is about.
    pub(crate) fn not_found(&self) -> Failure {
        not_found(&self.path.id)
    }
}

/// The 404 of ARM for a resource.
pub(crate) fn not_found(id: &str) -> Failure {
    let path = ResourcePath::parse(id);
    let group = group_of(id).map(last);
    let named = path.map_or_else(
        || id.to_owned(),
        |p| {
            let mut named = format!("{}/{}", p.namespace, p.types.join("/"));
            for name in &p.names {
                named.push('/');
                named.push_str(name);
            }
            named
        },
    );
    let place = group.map_or_else(String::new, |g| format!(" under resource group '{g}'"));
    let help = "For more details please go to https://aka.ms/ARMResourceNotFoundFix";
    Failure::new(404, "ResourceNotFound", format!("The Resource '{named}'{place} was not found. {help}"))
}

/// Parses a JSON object; a byte-order mark is forgiven.
pub(crate) fn parse_body(bytes: &[u8]) -> Result<Object, Failure> {
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(invalid_content("the body is not an object")),
        Err(error) => Err(invalid_content(&error.to_string())),
    }
}

fn invalid_content(reason: &str) -> Failure {
    let message = format!("The request content was invalid and could not be deserialized: '{reason}'.");
    Failure::bad("InvalidRequestContent", message)
}

/// The 404 for a resource group.
pub(crate) fn group_not_found(name: &str) -> Failure {
    Failure::new(404, "ResourceGroupNotFound", format!("Resource group '{name}' could not be found."))
}

/// The 409 for a resource group that is going away.
pub(crate) fn group_being_deleted(name: &str) -> Failure {
    let message =
        format!("The resource group '{name}' is in deprovisioning state and cannot perform this operation.");
    Failure::new(409, "ResourceGroupBeingDeleted", message).passing()
}
