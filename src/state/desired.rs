//! What a blueprint asks for, linked: every id known, every reference resolved or an output of a known resource.

use crate::catalog::{Arrival, Exclusive, Members, ResourceType};
use crate::graph::Dag;
use crate::ident::{Address, ArmId, Owner};
use crate::private_link::{Policy, Rule, Who};
use crate::value::secret::{Secret, Secrets};
use crate::value::{FieldPath, NamedThere, beneath};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The tag that says whose a resource is: its value is an [`Owner`].
pub const OWNER_TAG: &str = "berth-blueprint";

/// How a resource is brought about.
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

/// Private-endpoint connections on a target that are to be approved or rejected.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// The target; `None` while its id is not known.
    pub target: Option<ArmId>,
    /// Who may connect, and what is done; `None` while an id in it is not known.
    pub policy: Option<Policy>,
    /// The endpoint of the blueprint whose connection it is, when it comes from an entry of `privateEndpoints`.
    pub endpoint: Option<ArmId>,
    /// The resource of the blueprint that asks through an endpoint of Microsoft's.
    pub requester: Option<Requester>,
    /// The API version of the target's connections, when the blueprint says.
    pub api_version: Option<String>,
}

/// Who chose the name of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// The blueprint.
    Blueprint,
    /// berth, out of what the resource is: the same thing under another name is as good.
    Content,
    /// Somebody else, who made it: it was found under this name.
    Found,
}

/// A resource that asks for a connection through an endpoint of Microsoft's.
#[derive(Debug, Clone, PartialEq)]
pub struct Requester {
    /// The resource.
    pub id: ArmId,
    /// What its message is called among the secrets.
    pub message: String,
    /// Whose message it is: the resource, or what several share that ask through one endpoint.
    pub seed: String,
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
    /// Whether a run waits until it complies: see [`ResourceType::amiss`].
    pub awaited: bool,
    /// Its lists that are the blueprint's alone.
    pub exclusive: Vec<Exclusive>,
    /// Its lists that others may add to.
    pub shared: Vec<Exclusive>,
    /// What of a new one is set and left alone afterwards; its values are in [`DesiredResource::initial`].
    pub ignore: Vec<FieldPath>,
    /// Who chose its name.
    pub named: Named,
    /// The parts of its body that keep the names that they have in Azure; the body has those names.
    pub named_there: Vec<NamedThere>,
    /// What the blueprint itself says of its protection, which holds for what is foreign below it too.
    pub explicit_protect: Option<bool>,
}

impl Desired {
    /// The rules that say who may connect to a target, wherever in the blueprint they stand.
    pub fn rules_on(&self, target: &ArmId) -> Vec<Rule> {
        let approvals = self.resources.iter().filter_map(|resource| match &resource.operation {
            Provisioning::Approval(approval) if approval.target.as_ref() == Some(target) => {
                approval.policy.as_ref()
            }
            _ => None,
        });
        approvals.map(|policy| policy.rule.clone()).collect()
    }

    /// The rules of every target, wherever in the blueprint they stand.
    pub fn rules(&self) -> HashMap<&ArmId, Vec<Rule>> {
        let mut rules: HashMap<&ArmId, Vec<Rule>> = HashMap::new();
        for resource in &self.resources {
            let Provisioning::Approval(approval) = &resource.operation else { continue };
            if let (Some(target), Some(policy)) = (&approval.target, &approval.policy) {
                rules.entry(target).or_default().push(policy.rule.clone());
            }
        }
        rules
    }

    /// The same with what the requesters of `approvals` say to the owners of their targets, when there are any: texts that
    /// nobody can guess who has not read the ledger, and that stay the same as long as the ledger does.
    pub fn with_messages(&self, salt: &str) -> Cow<'_, Self> {
        let asks = |resource: &DesiredResource| matches!(&resource.operation, Provisioning::Approval(approval) if approval.requester.is_some());
        if !self.resources.iter().any(asks) {
            return Cow::Borrowed(self);
        }
        let mut settled = self.clone();
        for resource in &mut settled.resources {
            let Provisioning::Approval(approval) = &mut resource.operation else { continue };
            let Some(requester) = &approval.requester else { continue };
            let text = request_message(salt, &requester.seed, approval.target.as_ref());
            settled.secrets.insert(requester.message.clone(), Secret::new(text.clone()));
            if let Some(policy) = &mut approval.policy {
                policy.rule.who.push(Who::Text(text));
            }
        }
        Cow::Owned(settled)
    }
}

/// What a requester says to the owner of a target: 128 bits that follow from the ledger's salt.
fn request_message(salt: &str, seed: &str, target: Option<&ArmId>) -> String {
    let mut hasher = Sha256::new();
    for part in [salt, "request message", seed, target.map_or("", ArmId::as_str)] {
        hasher.update(part.to_ascii_lowercase().as_bytes());
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("berth {digits}")
}

impl DesiredResource {
    /// Moves what is left alone after the creation ([`DesiredResource::ignore`]) out of what is asked for later.
    pub fn give_away(&mut self) {
        for path in &self.ignore {
            let body = Arc::make_mut(&mut self.body);
            let owner = owner_of(body).map(str::to_owned);
            if let Some(value) = path.take(body) {
                path.put(Arc::make_mut(&mut self.initial), value);
            }
            // Whose a resource is is never given away.
            let tag = FieldPath::new(["tags", OWNER_TAG]);
            if let Some(owner) = owner.filter(|_| owner_of(body).is_none()) {
                tag.put(body, owner.into());
                tag.take(Arc::make_mut(&mut self.initial));
            }
        }
    }

    /// What a create asks for: a body, and beneath it what the blueprint leaves out.
    pub fn for_creation<'v>(&self, body: &'v Value) -> Cow<'v, Value> {
        beneath(&self.initial, body)
    }

    /// What was asked for, with the names that the blueprint has for the parts of it.
    pub fn as_written(&self, body: Arc<Value>) -> Arc<Value> {
        if self.named_there.is_empty() {
            return body;
        }
        let mut written = Arc::unwrap_or_clone(body);
        self.named_there.iter().rev().for_each(|part| part.undo(&mut written, self.id.as_str()));
        Arc::new(written)
    }

    /// The path of a field in the body with the blueprint's names.
    pub fn path_as_written<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let written = self.named_there.iter().rev().find_map(|part| part.path_before(path));
        written.map_or(Cow::Borrowed(path), Cow::Owned)
    }

    /// The paths in its body of lists that are the blueprint's alone, each once: several words of a blueprint may name one
    /// list.
    pub fn exclusive_lists(&self) -> Vec<&str> {
        once(self.exclusive.iter().filter_map(path_of))
    }

    /// The paths in its body of lists that others may add to, each once.
    pub fn shared_lists(&self) -> Vec<&str> {
        let alone = self.exclusive_lists();
        once(self.shared.iter().filter_map(path_of).filter(|path| !alone.contains(path)))
    }

    /// The types of what may stand below it only when the blueprint asks for it, with what the blueprint calls them.
    pub fn exclusive_children(&self) -> impl Iterator<Item = (&str, &'static ResourceType)> {
        self.exclusive.iter().flat_map(children_of)
    }

    /// The types of what others may make below it, with what the blueprint calls them.
    pub fn shared_children(&self) -> impl Iterator<Item = (&str, &'static ResourceType)> {
        self.shared.iter().flat_map(children_of)
    }
}

/// The same paths, each at its first place only.
fn once<'p>(paths: impl Iterator<Item = &'p str>) -> Vec<&'p str> {
    let mut found: Vec<&str> = Vec::new();
    for path in paths {
        if !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

fn path_of(list: &Exclusive) -> Option<&str> {
    match list.members {
        Members::At(path) => Some(path),
        Members::AtName => Some(list.name.as_str()),
        Members::Beside(..) | Members::Children(_) => None,
    }
}

fn children_of(list: &Exclusive) -> impl Iterator<Item = (&str, &'static ResourceType)> {
    let types = if let Members::Children(types) = list.members { types } else { &[] };
    types.iter().map(|kind| (list.name.as_str(), *kind))
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
    /// The environment's name, when the run has one.
    pub environment: Option<String>,
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

impl Desired {
    /// What the blueprint only reads: the entry, and the id of what it reads.
    pub fn existing(&self) -> Vec<(Address, ArmId)> {
        let read = self.resources.iter().filter(|one| one.operation == Provisioning::Existing);
        read.map(|one| (one.address.clone(), one.id.clone())).collect()
    }

    /// Whose the resources are: the value of their tag.
    pub fn owner(&self) -> Owner {
        Owner::new(self.blueprint.clone()).within(self.environment.clone())
    }
}

/// What a live body's tag says of whose it is.
pub fn owner_of(live: &Value) -> Option<&str> {
    owner_in(live.get("tags")?)
}

/// The same of the tags alone.
pub fn owner_in(tags: &Value) -> Option<&str> {
    let tags = tags.as_object()?;
    tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(OWNER_TAG)).and_then(|(_, owner)| owner.as_str())
}
