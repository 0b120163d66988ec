//! What comes from outside the blueprint.

use super::source::Source;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant (Entra directory), a GUID, when known.
    pub tenant_id: Option<String>,
    /// The caller's object id, a GUID, when known.
    pub object_id: Option<String>,
}

/// What to do about an environment variable or a secret parameter that nobody gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// It is an error, with the place that wants it.
    #[default]
    Refuse,
    /// A made-up value takes its place: for rehearsals and for checks that send nothing.
    MakeUp,
}

/// Everything that a blueprint may take from outside.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Parameters from `-p`.
    pub parameters: BTreeMap<String, Value>,
    /// Values files: mappings of parameters, in the order in which they were given.
    pub values: Vec<Arc<Source>>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The signed-in caller, when known.
    pub caller: Option<Caller>,
    /// Replaces the blueprint's subscription (the simulator's own).
    pub subscription: Option<String>,
    /// What to do about what is missing.
    pub missing: Missing,
}
