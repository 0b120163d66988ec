//! What an entry expands to, before references are linked.

use super::ResourceType;
use crate::diag::Code;
use crate::ident::Address;
use crate::value::{FieldPath, set_path};
use serde_json::Value;
use std::time::Duration;

/// The id of a draft. Texts may hold tokens (a role assignment's scope is another resource).
#[derive(Debug, Clone)]
pub enum DraftId {
    /// The id itself.
    Text(String),
    /// `{scope}/providers/{type}/{GUID}`, the GUID being a UUIDv5 of the seeds, in lower case, joined by `|`.
    ///
    /// A seed that is known only after apply counts as where it comes from (resource id and pointer), so the name is
    /// known beforehand and stays the same.
    Guid {
        /// The id it hangs on.
        scope: String,
        /// The texts that make the name.
        seeds: Vec<String>,
    },
}

/// How the engine brings about what a draft describes.
#[derive(Debug, Clone, PartialEq)]
pub enum Provisioning {
    /// An ARM resource: GET, PUT or PATCH, DELETE at its id.
    Resource,
    /// A provider namespace or preview feature that must be registered: GET, POST `…/register`, never removed.
    Registration,
    /// Private-endpoint connections on a target that are to be approved or rejected.
    Approval(Box<Approval>),
    /// Something that is there and belongs to others: it is read, and never written or deleted.
    Existing,
}

/// Who may connect to a target, as an entry says it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Approval {
    /// The target's id (with tokens, until linked).
    pub target: String,
    /// The private endpoints that may, by their ids (with tokens, until linked).
    pub endpoints: Vec<String>,
    /// The subscriptions whose private endpoints may.
    pub subscriptions: Vec<String>,
    /// The text that two teams agreed on; who says it may.
    pub agreed: Option<String>,
    /// A resource of the blueprint (a token, until linked) that asks through an endpoint of Microsoft's.
    pub requester: Option<String>,
    /// Whether the endpoint is the entry's own: it is asked too, and comes with the same plan.
    pub own: bool,
    /// Narrows to a group of the target.
    pub group: Option<String>,
    /// Narrows to what the request says.
    pub message: Option<String>,
    /// How many connections may be approved.
    pub at_most: Option<usize>,
    /// How long a connection is waited for.
    pub wait: Option<Duration>,
    /// The API version of the target's connections, for a type that berth does not know.
    pub api_version: Option<String>,
    /// Whether it is about what no rule names, which is rejected.
    pub rejects: bool,
    /// The text shown on the target.
    pub description: String,
}

/// How a resource comes into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrival {
    /// By a PUT of its own.
    #[default]
    Own,
    /// In the body of its parent's create; only later changes are its own (node pools of a new cluster).
    WithParent,
}

/// Something that only one resource of a blueprint is or has: the zone of a name, the link of a zone to a network.
///
/// A shared draft whose first claim another draft has too is that other one, under its own address as well. Of drafts
/// that are not shared, a second one with the same claim is a mistake, when the claim has words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed, a text that may hold tokens; compared without case.
    pub text: String,
    /// What is said of two such claims; `None` when there may be two.
    pub refusal: Option<Refusal>,
}

/// What is said when two resources claim what only one can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The code of the diagnostic.
    pub code: &'static Code,
    /// What the two do: `link the same network to the same zone`.
    pub what: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

/// A list of a resource that is the blueprint's alone: what others add to it is taken away.
#[derive(Debug, Clone)]
pub struct Exclusive {
    /// What the blueprint calls it: `accessPolicies`, `subnets`.
    pub name: String,
    /// What it is in Azure.
    pub members: Members,
}

/// What a list that others can add to is in Azure.
#[derive(Debug, Clone, Copy)]
pub enum Members {
    /// Elements or members of the resource's own body, at a dotted path.
    At(&'static str),
    /// The same, at the path that is its name.
    AtName,
    /// Elements of the body of a resource beside it, whose address is its own with this word behind it, at a dotted path.
    Beside(&'static str, &'static str),
    /// Resources of their own below it, of these types.
    Children(&'static [&'static ResourceType]),
}

/// One ARM resource as an entry asks for it. Texts may hold tokens.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What a person calls it.
    pub address: Address,
    /// Its id.
    pub id: DraftId,
    /// Its type.
    pub kind: &'static ResourceType,
    /// What is asked for.
    pub body: Value,
    /// What a create says besides, because the blueprint leaves it out: berth's own choice for a new resource, neither
    /// compared nor sent once it is there. See [`Draft::initially`].
    pub initial: Value,
    /// What it needs besides what its body mentions and what its id hangs on: addresses or references.
    pub depends_on: Vec<String>,
    /// How it is brought about.
    pub operation: Provisioning,
    /// How it comes into being.
    pub arrival: Arrival,
    /// Whether several entries may ask for the same id (a shared DNS zone); the first one's body counts.
    pub shared: bool,
    /// What only one resource may be or have; see [`Claim`].
    pub claims: Vec<Claim>,
    /// Whether it may be deleted or replaced only when named; `None` is as its type says.
    pub protect: Option<bool>,
    /// Whether one that exists and belongs to nobody is taken over without being asked about.
    pub adopt: bool,
    /// Whether the blueprint leaves its name to berth: the same thing under another name is as good.
    pub any_name: bool,
    /// How long an operation on it may take; `None` is as its type says.
    pub timeout: Option<Duration>,
    /// Whether a run waits until it complies: see [`ResourceType::amiss`].
    pub awaited: bool,
    /// Outputs that follow from the blueprint, by their names, though the body does not ask for them.
    pub known: Vec<(&'static str, String)>,
    /// Its lists that are the blueprint's alone.
    pub exclusive: Vec<Exclusive>,
    /// Its lists that others can add to, whether they may or not.
    pub lists: Vec<Exclusive>,
    /// What of its body is said on creation and left alone afterwards, because the blueprint gives it away.
    pub ignore: Vec<FieldPath>,
    /// Dotted path from the entry to the part of the blueprint that asks for it (`subnets.nodes`), for messages.
    pub origin: String,
}

impl Draft {
    /// A draft of an ordinary resource.
    pub fn new(address: Address, id: impl Into<String>, kind: &'static ResourceType, body: Value) -> Self {
        Draft {
            address,
            id: DraftId::Text(id.into()),
            kind,
            body,
            initial: Value::Null,
            depends_on: Vec::new(),
            operation: Provisioning::Resource,
            arrival: Arrival::Own,
            shared: false,
            claims: Vec::new(),
            protect: None,
            adopt: false,
            any_name: false,
            timeout: None,
            awaited: false,
            known: Vec::new(),
            exclusive: Vec::new(),
            lists: Vec::new(),
            ignore: Vec::new(),
            origin: String::new(),
        }
    }

    /// Waited for until it complies, when that is said.
    pub fn awaited(mut self, awaited: bool) -> Self {
        self.awaited = awaited;
        self
    }

    /// With a place in the blueprint.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = origin.into();
        self
    }

    /// As something whose name the blueprint leaves to berth, if `unsaid`.
    pub fn any_name(mut self, unsaid: bool) -> Self {
        self.any_name = unsaid;
        self
    }

    /// With one more thing it needs.
    pub fn needs(mut self, address: impl Into<String>) -> Self {
        self.depends_on.push(address.into());
        self
    }

    /// With the member at a dotted path of the body said on creation only: the blueprint leaves it out, so it never plans
    /// a change of what exists.
    pub fn initially(mut self, path: &str) -> Self {
        let mut value = None;
        take(&mut self.body, path, &mut value);
        if let Some(value) = value {
            set_path(&mut self.initial, path, value);
        }
        self
    }

    /// What a create asks for.
    pub(crate) fn created(&self) -> Value {
        crate::value::beneath(&self.initial, &self.body).into_owned()
    }

    /// The same of every path whose choice the blueprint leaves out.
    pub fn initially_if(self, unsaid: &[(&str, bool)]) -> Self {
        let paths = unsaid.iter().filter(|(_, unsaid)| *unsaid).map(|(path, _)| *path);
        paths.fold(self, Draft::initially)
    }

    /// With an output that follows from the blueprint.
    pub fn knows(mut self, facet: &'static str, value: impl Into<String>) -> Self {
        self.known.push((facet, value.into()));
        self
    }

    /// As something that several entries may ask for.
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// With something that only one resource is or has.
    pub fn claims(mut self, text: impl Into<String>, refusal: Option<Refusal>) -> Self {
        self.claims.push(Claim { text: text.into(), refusal });
        self
    }
}

/// Takes the member at a dotted path out of a value, and the objects above it that it leaves empty.
fn take(value: &mut Value, path: &str, taken: &mut Option<Value>) {
    let Value::Object(members) = value else { return };
    let Some((name, rest)) = path.split_once('.') else {
        *taken = members.shift_remove(path);
        return;
    };
    let Some(member) = members.get_mut(name) else { return };
    take(member, rest, taken);
    if taken.is_some() && member.as_object().is_some_and(serde_json::Map::is_empty) {
        members.shift_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_blueprint_leaves_out_is_said_on_creation_only() {
        let body =
            json!({ "properties": { "a": { "b": 1 }, "c": 2 }, "identity": { "type": "SystemAssigned" } });
        let kind = &crate::catalog::kinds::registration::PROVIDER;
        let draft = Draft::new(Address::new("things.one"), "/id", kind, body);
        let draft = draft.initially("properties.a.b").initially("identity").initially("properties.d");
        assert_eq!(draft.body, json!({ "properties": { "c": 2 } }));
        assert_eq!(
            draft.initial,
            json!({ "properties": { "a": { "b": 1 } }, "identity": { "type": "SystemAssigned" } })
        );
    }
}
