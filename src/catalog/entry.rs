//! What a kind sees of the entry it expands.

use super::draft::Draft;
use crate::diag::Code;
use crate::ident::{Address, ArmId};
use crate::value::token::Token;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// A field that takes a resource of the blueprint (`${networks.hub.subnets.nodes}`) or a literal ARM id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Reference(pub String);

impl Reference {
    /// The text that becomes the resource's id.
    pub fn id(&self) -> String {
        self.facet("id")
    }

    /// The text that becomes a facet of the resource (`principalId`).
    pub fn facet(&self, facet: &str) -> String {
        Token::want(&self.0, facet)
    }

    /// The dotted path that was written, when it is a reference into the blueprint.
    pub fn path(&self) -> Option<String> {
        match Token::exactly(&self.0) {
            Some(Token::Reference { path, .. }) => Some(path),
            _ => None,
        }
    }

    /// The id, when it was written as a literal.
    pub fn literal_id(&self) -> Option<ArmId> {
        ArmId::parse(&self.0).ok()
    }
}

/// What every entry of every kind has, with expressions evaluated.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// The Azure name; the key when the entry does not say.
    pub name: String,
    /// The subscription that the entry goes to.
    pub subscription: String,
    /// Whether that is another than the blueprint's.
    pub elsewhere: bool,
    /// The tenant: a known GUID, or the caller's as a token.
    pub tenant: String,
    /// The resource group's name.
    pub resource_group: String,
    /// The location.
    pub location: String,
    /// The tags, those of the blueprint and of the entry together.
    pub tags: Map<String, Value>,
    /// `protect:`, when the entry says.
    pub protect: Option<bool>,
    /// `adopt:`, whether what exists and belongs to nobody is taken over.
    pub adopt: bool,
    /// `timeout:`, when the entry says.
    pub timeout: Option<Duration>,
    /// `dependsOn:`, as addresses.
    pub depends_on: Vec<String>,
    /// `properties:`, merged over the main resource's `properties`.
    pub properties: Option<Value>,
}

/// Something wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of mistake it is.
    pub code: &'static Code,
    /// Dotted path from the entry to the field; empty is the entry itself.
    pub path: String,
    /// What is wrong, a sentence without its full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Whether it is only a warning.
    pub warning: bool,
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&SHAPE];

/// The code of a field that could not be read.
pub const SHAPE: Code = Code {
    name: "shape",
    why: "The file, or a part of it, has another form than is wanted here: a list in place of a mapping, for example.",
    remedy: "Write it as the message says.",
    example: "networks: { hub: { addressSpace: [10.20.0.0/16] } }",
};

impl Problem {
    /// An error.
    pub fn error(code: &'static Code, path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { code, path: path.into(), message: message.into(), help: None, warning: false }
    }

    /// A warning.
    pub fn warning(code: &'static Code, path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { warning: true, ..Problem::error(code, path, message) }
    }

    /// A field that could not be read: serde's own words, to be put into better ones where the source is known.
    pub(crate) fn shape(path: String, message: String) -> Self {
        Problem::error(&SHAPE, path, message)
    }

    /// With a remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The entry being expanded, and where its drafts and problems go.
pub struct EntryCx<'a> {
    /// `section.key`.
    pub address: Address,
    /// The key of the entry.
    pub key: &'a str,
    /// What every entry has.
    pub common: Common,
    /// The ARM type that an entry of `resources` or `existing` says, by its address.
    pub types: &'a dyn Fn(&str) -> Option<String>,
    /// The id of an entry of `existing`, by its address, when it is known offline.
    pub ids: &'a dyn Fn(&str) -> Option<ArmId>,
    /// The drafts so far.
    pub drafts: Vec<Draft>,
    /// The problems so far.
    pub problems: Vec<Problem>,
}

impl EntryCx<'_> {
    /// The entry's resource group.
    pub fn group(&self) -> ArmId {
        ArmId::resource_group(&self.common.subscription, &self.common.resource_group)
    }

    /// The id of a resource of a type in the entry's group.
    pub fn id(&self, arm_type: &str, names: &[&str]) -> ArmId {
        self.group().provider(arm_type, names)
    }

    /// A body with `location`, `tags` (when there are any) and `properties`.
    pub fn tracked(&self, properties: Value) -> Value {
        let mut body = Map::new();
        body.insert("location".into(), self.common.location.clone().into());
        if !self.common.tags.is_empty() {
            body.insert("tags".into(), Value::Object(self.common.tags.clone()));
        }
        body.insert("properties".into(), properties);
        Value::Object(body)
    }

    /// Adds the entry's main resource: protection, timeout, `dependsOn` and `properties:` of the entry apply to it.
    pub fn main(&mut self, mut draft: Draft) {
        draft.protect = draft.protect.or(self.common.protect);
        draft.adopt |= self.common.adopt;
        draft.timeout = draft.timeout.or(self.common.timeout);
        draft.depends_on.extend(self.common.depends_on.iter().cloned());
        if let (Some(over), Some(body)) = (&self.common.properties, draft.body.as_object_mut()) {
            super::body::merge_over(body.entry("properties").or_insert(Value::Null), over);
        }
        self.drafts.push(draft);
    }

    /// Adds a further resource of the entry: protection and `dependsOn` of the entry apply to it.
    pub fn also(&mut self, mut draft: Draft) {
        draft.protect = draft.protect.or(self.common.protect);
        draft.adopt |= self.common.adopt;
        draft.timeout = draft.timeout.or(self.common.timeout);
        if !draft.shared {
            draft.depends_on.extend(self.common.depends_on.iter().cloned());
        }
        self.drafts.push(draft);
    }

    /// Reports something wrong with the entry.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}
