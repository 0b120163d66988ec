//! What a blueprint says of who may connect to a resource.

use crate::catalog::Reference;
use crate::value::parse_duration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use std::borrow::Cow;
use std::time::Duration;

/// Who may connect to a resource through a private endpoint.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The resource that is connected to.
    #[schemars(extend("x-wants" = "target"))]
    pub(super) target: Reference,
    /// A resource of the blueprint that connects through an endpoint of Microsoft's, such as an origin of a Front Door.
    /// Its endpoint is in a subscription of Microsoft's, so it is recognised by its request message, which berth writes
    /// and which cannot be guessed.
    #[schemars(extend("x-wants" = "requester"))]
    pub(super) from: Option<Reference>,
    /// Private endpoints that may connect: ARM ids, or entries of the blueprint.
    #[serde(default)]
    #[schemars(extend("x-wants" = "private endpoint"))]
    pub(super) endpoints: Vec<Reference>,
    /// Subscriptions whose private endpoints may connect.
    #[serde(default)]
    pub(super) subscriptions: Vec<String>,
    /// Narrows to this group of the target, such as `vault` or `blob`. A target that does not tell the groups of its
    /// connections gets none approved.
    pub(super) group: Option<String>,
    /// Narrows to what the request says; `*` stands for any characters. Without `from`, `endpoints` and `subscriptions` it
    /// is a text that two teams agreed on: exact, at least 20 characters, with `atMost`; everybody who knows it may
    /// connect.
    pub(super) message: Option<String>,
    /// How many connections may be approved by this entry, with those that are already. When more ask, none is.
    #[schemars(range(min = 1))]
    pub(super) at_most: Option<usize>,
    /// How long to wait for a connection that is not there yet, such as `30m`; not at all when absent.
    pub(super) wait: Option<Wait>,
    /// What happens to connections that wait and that no rule of the blueprint names: `leave` (the default), or `reject`.
    /// What is approved already is left alone in any case.
    #[serde(default)]
    pub(super) otherwise: Otherwise,
    /// The API version in which the target shows its connections, for a type that berth does not know.
    pub(super) api_version: Option<String>,
}

/// What happens to what no rule names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Otherwise {
    /// It stays as it is, and is listed.
    #[default]
    Leave,
    /// It is rejected when it waits.
    Reject,
}

/// A duration as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub(super) Duration);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = "a duration such as `30m` or `1h30m`";
        let invalid = || de::Error::invalid_value(de::Unexpected::Str(&text), &expected);
        parse_duration(&text).map(Wait).ok_or_else(invalid)
    }
}

impl JsonSchema for Wait {
    fn schema_name() -> Cow<'static, str> {
        "Wait".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration such as `90s`, `30m` or `1h30m`.",
            "type": "string",
            "pattern": "^([0-9]+[smh])+$",
        })
    }
}
