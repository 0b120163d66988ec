//! What a blueprint asks for, linked: every id known, every reference resolved or an output of a known resource.

use crate::catalog::{Arrival, Exclusive, Members, ResourceType};
use crate::graph::Dag;
use crate::ident::{Address, ArmId};
use crate::value::beneath;
use crate::value::secret::Secrets;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The tag that says which blueprint owns a resource.
pub const OWNER_TAG: &str = "berth-blueprint";

/// How a resource is brought about.
#[derive(Debug, Clone, PartialEq)]
pub enum Provisioning {
    /// An ARM resource: GET, PUT or PATCH, DELETE at its id.
    Resource,
    /// A provider namespace or preview feature that must be registered: GET, POST `…/register`, never removed.
    Registration,
    /// A private-endpoint connection that is to be approved.
    Approval(Approval),
}

/// A private-endpoint connection on a target, caused by an endpoint, that is to be approved.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// The endpoint; `None` while its id is not known.
    pub endpoint: Option<ArmId>,
    /// The target; `None` while its id is not known.
    pub target: Option<ArmId>,
    /// The text shown on the target.
    pub description: String,
}

/// One resource that the blueprint asks for.
#[derive(Debug, Clone)]
pub struct DesiredResource {
    /// What a person calls it.
    pub address: Address,
    /// Its id.
    pub id: ArmId,
    /// Its type.
    pub kind: &'static ResourceType,
    /// What is asked for; tokens in it are outputs, secrets and claims of the caller.
    pub body: Arc<Value>,
    /// What a create says besides: choices for a new resource that the blueprint leaves out.
    pub initial: Arc<Value>,
    /// How it is brought about.
    pub operation: Provisioning,
    /// How it comes into being.
    pub arrival: Arrival,
    /// Whether it may be deleted or replaced only when named.
    pub protect: bool,
    /// Whether it is taken over when it exists and belongs to nobody, without `--adopt`.
    pub adopt: bool,
    /// How long an operation on it may take.
    pub timeout: Duration,
    /// Its lists that are the blueprint's alone.
    pub exclusive: Vec<Exclusive>,
    /// What the blueprint itself says of its protection, which holds for what is foreign below it too.
    pub explicit_protect: Option<bool>,
}

impl DesiredResource {
    /// What a create asks for: a body, and beneath it what the blueprint leaves out.
    pub fn for_creation<'v>(&self, body: &'v Value) -> Cow<'v, Value> {
        beneath(&self.initial, body)
    }

    /// The paths in its body of lists that are the blueprint's alone.
    pub fn exclusive_lists(&self) -> Vec<&str> {
        let path = |list: &'_ Exclusive| match list.members {
            Members::At(path) => Some(path),
            Members::AtName | Members::Children(_) => None,
        };
        let by_name = |list: &'_ Exclusive| matches!(list.members, Members::AtName);
        let lists = self.exclusive.iter();
        lists.filter_map(|list| path(list).or(by_name(list).then_some(list.name.as_str()))).collect()
    }

    /// The types of what may stand below it only when the blueprint asks for it, with what the blueprint calls them.
    pub fn exclusive_children(&self) -> impl Iterator<Item = (&str, &'static ResourceType)> {
        self.exclusive.iter().flat_map(|list| {
            let types = if let Members::Children(types) = list.members { types } else { &[] };
            types.iter().map(|kind| (list.name.as_str(), *kind))
        })
    }
}

/// An output of the blueprint.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its value, with tokens.
    pub value: Value,
    /// Whether it is never shown.
    pub secret: bool,
}

/// Everything that a blueprint asks for.
#[derive(Debug, Clone, Default)]
pub struct Desired {
    /// The blueprint's name.
    pub blueprint: String,
    /// The subscription.
    pub subscription: String,
    /// The resources; positions are the nodes of `graph`.
    pub resources: Vec<DesiredResource>,
    /// What needs what.
    pub graph: Dag,
    /// The outputs, in the order of the blueprint.
    pub outputs: Vec<Output>,
    /// The secret parameters.
    pub secrets: Secrets,
    /// Positions by address.
    pub by_address: HashMap<Address, usize>,
    /// Positions by id.
    pub by_id: HashMap<ArmId, usize>,
}

/// The blueprint that a live body's tag names as its owner.
pub fn owner_of(live: &Value) -> Option<&str> {
    let tags = live.get("tags")?.as_object()?;
    tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(OWNER_TAG)).and_then(|(_, owner)| owner.as_str())
}
