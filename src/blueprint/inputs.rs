//! What comes from outside the blueprint.

use super::environment::Environment;
use super::source::Source;
use crate::value::redact::Redactor;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Who is signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// Everything that a blueprint may take from outside. Printed for debugging it shows names and no values, which may be
/// secret.
#[derive(Clone, Default)]
pub struct Inputs {
    /// Parameters from `-p`.
    pub parameters: BTreeMap<String, Value>,
    /// Values files: mappings of parameters, in the order in which they were given.
    pub values: Vec<Arc<Source>>,
    /// The variables of the process's environment.
    pub environment: BTreeMap<String, String>,
    /// The blueprint's environment that the run is for.
    pub chosen: Option<Arc<Environment>>,
    /// The signed-in caller. `None` means that nobody has signed in yet: then a claim is taken for known later. A claim
    /// that a caller lacks never comes.
    pub caller: Option<Caller>,
    /// Replaces the blueprint's subscription (the simulator's own).
    pub subscription: Option<String>,
    /// What to do about what is missing.
    pub missing: Missing,
    /// Learns every secret as soon as it is read.
    pub redactor: Redactor,
    /// Learns which environment variables were read; not those that gave secrets.
    pub read: Arc<Mutex<BTreeSet<String>>>,
}

impl std::fmt::Debug for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inputs")
            .field("parameters", &self.parameters.keys())
            .field("values", &self.values.iter().map(|file| &file.file.name).collect::<Vec<_>>())
            .field("environment", &self.environment.keys())
            .field("chosen", &self.chosen.as_ref().map(|chosen| &chosen.name))
            .field("caller", &self.caller)
            .field("subscription", &self.subscription)
            .field("missing", &self.missing)
            .finish()
    }
}

impl Inputs {
    /// Whether what the caller's token does not say will not be known later either.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.caller.is_some() && self.missing == Missing::Refuse
    }

    /// An environment variable, noted as read.
    pub(crate) fn variable(&self, name: &str) -> Option<&String> {
        let value = self.environment.get(name)?;
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Some(value)
    }

    /// The environment variables that evaluation read, without those that gave secrets.
    pub fn environment_read(&self) -> BTreeMap<String, String> {
        let names = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().filter_map(|name| Some((name.clone(), self.environment.get(name)?.clone()))).collect()
    }

    /// The files that give parameters values, later over earlier: what the environment says, then those of `--values`.
    pub(crate) fn files(&self) -> impl DoubleEndedIterator<Item = &Arc<Source>> {
        let chosen = self.chosen.as_ref().and_then(|chosen| chosen.values.as_ref());
        chosen.into_iter().chain(&self.values)
    }

    /// Every parameter that is given, by `-p` or else by values files.
    pub fn given(&self) -> BTreeMap<String, Value> {
        let names = self.files().filter_map(|file| file.tree.as_object()).flat_map(|file| file.keys());
        let values = names.filter_map(|name| Some((name.clone(), self.of_values(name)?)));
        values.chain(self.parameters.clone()).collect()
    }

    /// The value of a parameter from values files: mappings are merged, later over earlier; everything else is
    /// replaced.
    pub(crate) fn of_values(&self, name: &str) -> Option<Value> {
        let mut found: Option<Value> = None;
        for value in self.files().filter_map(|file| file.tree.get(name)) {
            match &mut found {
                Some(under) => merge(under, value),
                None => found = Some(value.clone()),
            }
        }
        found
    }
}

fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(members), Value::Object(over)) => {
            for (name, over) in over {
                match members.get_mut(name) {
                    Some(member) => merge(member, over),
                    None => {
                        members.insert(name.clone(), over.clone());
                    }
                }
            }
        }
        (under, over) => *under = over.clone(),
    }
}
