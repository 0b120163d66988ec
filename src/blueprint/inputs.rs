//! What comes from outside the blueprint.

use serde_json::Value;
use std::collections::BTreeMap;

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant (Entra directory), a GUID.
    pub tenant_id: String,
    /// The caller's object id, a GUID.
    pub object_id: String,
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
    /// Parameters from values files and `-p`, later ones already over earlier ones.
    pub parameters: BTreeMap<String, Value>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The signed-in caller, when known.
    pub caller: Option<Caller>,
    /// Replaces the blueprint's subscription (the simulator's own).
    pub subscription: Option<String>,
    /// What to do about what is missing.
    pub missing: Missing,
}
