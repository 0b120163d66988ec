//! The descriptor of an ARM type.

use super::soft_deletion::SoftDeletion;
use super::{AlsoNeeds, CrossCheck, Judged, Weight};
use crate::change::{DeleteMode, Grant};
use crate::ident::{Address, ArmId};
use crate::value::token::has_token;
use crate::value::{Rule, Rules, at_pointer, lookup};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// How an existing resource is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateMode {
    /// PUT of the live body with what is wanted merged over it.
    Put,
    /// PATCH with the members that differ.
    Patch,
    /// Never: every change replaces.
    Never,
}

/// What may not be changed by two operations at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Nothing: any number at once.
    Free,
    /// The resource itself or the nearest above it of this ARM type.
    Ancestor(&'static str),
    /// The nearest of an ARM type (second) above the id that is at a JSON pointer (first) in the body.
    Of(&'static str, &'static str),
}

/// Which list says of each resource of a type all that a GET of it says, so that many are read with one request.
///
/// A list that leaves members out of its items (web apps, of which only a GET says the settings) is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// None: each is read by itself.
    None,
    /// That of its siblings: the id without its name.
    Collection,
    /// That of its siblings, or that of everything of the type in the subscription
    /// (`/subscriptions/{subscription}/providers/{type}`).
    Subscription,
    /// The same for what hangs on any resource: the siblings are listed with `$filter=atScope()`.
    Scope,
    /// The parent's body, which holds them in full at this JSON pointer; without the parent, that of its siblings.
    Parent(&'static str),
    /// The same, but for their envelope: an element is the `properties` of one, with its `name` among them.
    ParentProfiles(&'static str),
}

impl Listing {
    /// Where the parent's body shows them, when it does.
    pub fn in_parent(self) -> Option<&'static str> {
        match self {
            Listing::Parent(pointer) | Listing::ParentProfiles(pointer) => Some(pointer),
            Listing::None | Listing::Collection | Listing::Subscription | Listing::Scope => None,
        }
    }

    /// What the parent's body shows of its children of a type, each as its own `GET` would.
    pub fn shown<'b>(
        self,
        kind: &ResourceType,
        parent: &ArmId,
        body: &'b Value,
    ) -> impl Iterator<Item = Cow<'b, Value>> {
        let items = self.in_parent().and_then(|pointer| at_pointer(body, pointer)).and_then(Value::as_array);
        let leaf = kind.arm_type.rsplit('/').next().unwrap_or_default();
        let (parent, arm_type) = (parent.clone(), kind.arm_type);
        items.into_iter().flatten().filter_map(move |item| {
            if self != Listing::ParentProfiles(self.in_parent()?) {
                return Some(Cow::Borrowed(item));
            }
            let mut properties = item.as_object()?.clone();
            let name = properties.shift_remove("name")?;
            let id = parent.child(leaf, name.as_str()?);
            Some(Cow::Owned(json!({ "id": id, "name": name, "type": arm_type, "properties": properties })))
        })
    }
}

/// Resources of another type that say something about this one, wherever they are: the exemptions of a policy assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpokenOf {
    /// Their type, an extension of scopes.
    pub arm_type: &'static str,
    /// The API version in which they are listed.
    pub api_version: &'static str,
    /// Where one says about which resource: a JSON pointer.
    pub about: &'static str,
    /// What they are called in reports: `exemptions`.
    pub called: &'static str,
}

/// What can be asked before the first write about a resource that is to be made, so that a run does not fail midway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preflight {
    /// Whether the name, of which there is one in the world, is free: a POST of name and type to
    /// `/subscriptions/{subscription}/providers/{path}`.
    Name {
        /// `Microsoft.KeyVault/checkNameAvailability`.
        path: &'static str,
        /// The API version of the question.
        api_version: &'static str,
    },
    /// Whether the region has the machines, in those zones, and the subscription's cores suffice. All are JSON pointers into
    /// the body.
    Machines {
        /// The size of the machines: `Standard_D4s_v5`.
        size: &'static str,
        /// The zones that they are in.
        zones: &'static str,
        /// How many machines.
        count: &'static str,
        /// How many at least, where the number is not fixed.
        at_least: &'static str,
        /// What says that they are Spot machines, which have a quota of their own.
        priority: &'static str,
        /// How many more there are for a while, as a number or a share, when this changes.
        surge: (&'static str, &'static str),
    },
    /// Whether the region offers this version of Kubernetes. JSON pointers into the body.
    Version {
        /// The version: `1.34`.
        version: &'static str,
        /// How long it is supported: `AKSLongTermSupport`.
        support: &'static str,
    },
    /// Whether the caller may do this where the resource is to be: `Microsoft.Authorization/locks/write`.
    Permission(&'static str),
}

/// A value that a resource gives to others: `${clusters.aks.oidcIssuerUrl}`.
#[derive(Debug, Clone, Copy)]
pub struct Facet {
    /// The dotted name in an expression, below the resource's address.
    pub name: &'static str,
    /// Where it is in the resource's body: a JSON pointer.
    pub pointer: &'static str,
    /// What it is, for documentation.
    pub about: &'static str,
    /// What has to be asked for, so that there is such a value; `None` when every resource of the type has one.
    pub given: Option<&'static Given>,
    /// The ARM type of the resource whose id it is; `None` when it is not an id.
    pub gives: Option<&'static str>,
}

impl Facet {
    /// A facet that every resource of the type has.
    pub const fn new(name: &'static str, pointer: &'static str, about: &'static str) -> Self {
        Facet { name, pointer, about, given: None, gives: None }
    }

    /// One that a resource has only when this is asked for.
    pub const fn given(self, given: &'static Given) -> Self {
        Facet { given: Some(given), ..self }
    }

    /// One that is the id of a resource of this ARM type.
    pub const fn gives(self, arm_type: &'static str) -> Self {
        Facet { gives: Some(arm_type), ..self }
    }
}

/// What a resource has to be asked for, so that it has a value to give to others.
#[derive(Debug)]
pub struct Given {
    /// Where it is in the body: a JSON pointer.
    pub pointer: &'static str,
    /// What is there: a switch (`true`), or a text that is within the one there, in any case.
    pub holds: &'static str,
    /// Whether it is asked for where nothing is said.
    pub by_default: bool,
    /// A pointer and a text with which Azure decides by itself.
    pub unless: Option<(&'static str, &'static str)>,
    /// Why a resource does not have the value, in words: `it has no system-assigned identity`.
    pub why: &'static str,
    /// What to write.
    pub remedy: &'static str,
}

impl Given {
    /// What to tell of a resource that lacks an output: the message, and what to write.
    pub fn lacking(&self, resource: &Address, output: &str) -> (String, String) {
        (format!("`{resource}` has no `{output}`: {}", self.why), self.remedy.to_owned())
    }

    /// Whether a body asks for it. What is not known yet counts as asked for.
    pub fn is_met(&self, body: &Value) -> bool {
        let holds = |pointer: &str, text: &str| match lookup(body, pointer) {
            Some(Value::Bool(on)) => on.to_string() == text,
            Some(Value::String(there)) => {
                has_token(there) || there.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
            }
            _ => false,
        };
        self.by_default && lookup(body, self.pointer).is_none_or(Value::is_null)
            || holds(self.pointer, self.holds)
            || self.unless.is_some_and(|(pointer, text)| holds(pointer, text))
    }
}

/// A place in a body that names a part of another resource: the frontend of a gateway that an endpoint connects to.
#[derive(Debug, Clone, Copy)]
pub struct NamesPart {
    /// Where the id of the other resource stands: a JSON pointer.
    pub of: &'static str,
    /// Where the name of the part stands: a JSON pointer.
    pub at: &'static str,
    /// The list of the other resource that the part is in.
    pub list: &'static str,
}

/// What a lock does to everything at and below the scope that it is on. Nothing there can be deleted.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    /// Where the level is in its body: a JSON pointer.
    pub level: &'static str,
    /// The level under which nothing can be made or changed either.
    pub no_writes: &'static str,
}

/// What only one resource of a type below the same parent can have at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scarce {
    /// IP ranges, at JSON pointers to a text or a list of texts: no two overlap.
    Ranges(&'static [&'static str]),
    /// Values at JSON pointers: no two have all of them the same, in any case.
    Same(&'static [&'static str]),
    /// Fixed addresses in a subnet: no two of one subnet have the same.
    Addresses {
        /// A JSON pointer to the list whose elements may have one.
        list: &'static str,
        /// A JSON pointer to the address in an element.
        address: &'static str,
        /// A JSON pointer to the id of the subnet.
        subnet: &'static str,
    },
    /// Its place: there is one of the type at most.
    Place {
        /// What to do when somebody else has made the one.
        help: &'static str,
    },
}

/// Ranges of a resource that lie within ranges of its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// JSON pointers to its own: texts or lists of texts.
    pub own: &'static [&'static str],
    /// A JSON pointer to the parent's: a list of texts.
    pub parent: &'static str,
}

/// What a resource writes elsewhere by itself and keeps there: the records of a zone group in a zone.
#[derive(Debug, Clone, Copy)]
pub struct Keeps {
    /// The API version in which it is read.
    pub api_version: &'static str,
    /// What the body of the keeper says that it wrote.
    pub kept: fn(&Value) -> Vec<Kept>,
    /// What a body of it says, in the form of [`Kept::says`].
    pub says: fn(&Value) -> Value,
    /// Who else wrote a body of it, when that tells: then it is not the keeper's to write again.
    pub other_writer: fn(&ArmId, &Value) -> Option<String>,
}

/// The state that a resource between two others (a peering) reports of them.
#[derive(Debug, Clone, Copy)]
pub struct InStep {
    /// Where it says so: a dotted path to a text.
    pub path: &'static str,
    /// What it says when all is well.
    pub good: &'static str,
    /// What it says when it is out of step, in Azure's words.
    pub bad: &'static [&'static str],
    /// Which of those sending it again mends.
    pub mended: &'static [&'static str],
    /// What such a PUT says besides.
    pub query: &'static [(&'static str, &'static str)],
    /// What puts it out of step: the other resource (a JSON pointer to its id) and a dotted path in that one's body.
    pub follows: Option<(&'static str, &'static str)>,
    /// What to do about what sending it again does not mend.
    pub help: &'static str,
}

impl InStep {
    /// What a body says, when that is out of step.
    pub fn wrong<'v>(&self, body: &'v Value) -> Option<&'v str> {
        let says = crate::value::get_path(body, self.path)?.as_str()?;
        self.bad.iter().any(|bad| bad.eq_ignore_ascii_case(says)).then_some(says)
    }

    /// Whether sending it again mends what it says.
    pub fn mends(&self, says: &str) -> bool {
        self.mended.iter().any(|mended| mended.eq_ignore_ascii_case(says))
    }
}

/// One thing that a resource wrote elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its id.
    pub id: ArmId,
    /// Where the keeper's body tells of it: a path.
    pub path: String,
    /// What it should say.
    pub says: Value,
}

/// Something kept that is gone, or says something else.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    /// What was kept.
    pub kept: Kept,
    /// What it says; null when it is gone.
    pub there: Value,
    /// Who else wrote it, when its body tells.
    pub by: Option<String>,
}

/// A role that at least one of its kind below the same parent has at any time, or Azure refuses to let go of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepsOne {
    /// A JSON pointer to the text that says the role.
    pub pointer: &'static str,
    /// The role: `System`.
    pub value: &'static str,
    /// Where the parent lists all of them, and the pointer to the role in an element of that.
    pub listed: (&'static str, &'static str),
    /// What a person calls one: `System pool`.
    pub what: &'static str,
    /// How many characters a name has at most.
    pub longest_name: usize,
}

/// Says of a live body and a wanted one why Azure would refuse to lead from one to the other, and the way on.
/// It is asked about a change in place, and about a replacement under the same name (`replaces`).
pub type Obstacle = fn(live: &Value, wanted: &Value, replaces: bool) -> Option<(String, String)>;

/// What berth knows of an ARM type.
#[derive(Debug)]
pub struct ResourceType {
    /// The full type, `Microsoft.Network/virtualNetworks/subnets`.
    pub arm_type: &'static str,
    /// The API version that berth speaks to it.
    pub api_version: &'static str,
    /// What a person calls one, in lower case: `virtual network`.
    pub title: &'static str,
    /// What its fields mean.
    pub rules: &'static [Rule],
    /// How grave it is when somebody else changes a field, where that differs from most.
    pub severity: &'static [Weight],
    /// How it is changed.
    pub update: UpdateMode,
    /// Whether its PUT honours `If-None-Match: *` (Azure's operations of the type say so).
    pub conditional: bool,
    /// What only one of its kind below the same parent can have at a time: then an old one goes before a new one comes.
    pub scarce: &'static [Scarce],
    /// Where it names a part of another resource by the part's name alone.
    pub names_part: &'static [NamesPart],
    /// The ranges that its own have to lie in.
    pub within: Option<Within>,
    /// What at least one below the same parent has to be.
    pub keeps_one: Option<KeepsOne>,
    /// How it is removed.
    pub delete: DeleteMode,
    /// What it says until a private endpoint of it is approved, because Azure takes anything else only afterwards: dotted paths,
    /// and values as JSON text. A step after the approval brings it to what is asked for.
    pub at_first: &'static [(&'static str, &'static str)],
    /// What a DELETE says besides: names and values of its query.
    pub delete_query: &'static [(&'static str, &'static str)],
    /// What else may not happen at the same time.
    pub lanes: &'static [Lane],
    /// Whether losing it loses data: then it is deleted or replaced only when a person names it.
    pub stateful: bool,
    /// Whether it carries tags, and so an ownership tag.
    pub tags: bool,
    /// How Azure keeps one that was deleted, when its type has that.
    pub soft_deleted: Option<SoftDeletion>,
    /// Where many are read at once.
    pub listing: Listing,
    /// Whether it locks what is at and below its scope: then it is made last and goes first.
    pub guard: Option<Guard>,
    /// Where its connections to other people's resources are: JSON pointers to arrays whose elements say
    /// `properties.privateLinkServiceConnectionState.status`. One that is `Disconnected` never connects again, and Azure
    /// takes no change of the resource any more; it has to be made anew.
    pub connections: &'static [&'static str],
    /// Where it says something to the owner of a target that Microsoft's endpoint asks for in its name: a dotted path.
    /// `approvals` recognise it by what it says there.
    pub request_message: Option<&'static str>,
    /// Which of them ask through one endpoint, and so say the same; each through its own when absent.
    pub shared_request: Option<SharedRequest>,
    /// What tells one that Azure made and keeps by itself: JSON pointers into the body, to `true` or a text.
    pub azure_managed: &'static [&'static str],
    /// The state that it reports of the resources that it joins.
    pub in_step: &'static [InStep],
    /// What Azure makes along with it, in the same group, and deletes after it: JSON pointers to lists of ids in its body.
    pub brings: &'static [&'static str],
    /// What it writes elsewhere by itself, and is watched there.
    pub keeps: Option<Keeps>,
    /// What is asked before the first write, when one is to be made.
    pub preflight: &'static [Preflight],
    /// What it gives to others, besides `id` and `name`.
    pub facets: &'static [Facet],
    /// Whether any path of what Azure answers is such a value, because berth does not know which there are.
    pub open: bool,
    /// What must hold between it and other resources of the blueprint.
    pub cross_check: Option<CrossCheck>,
    /// What it needs although no reference says so: a subnet that it names by text.
    pub also_needs: Option<AlsoNeeds>,
    /// Which changes and replacements under its own name Azure refuses as they are, and what to do first.
    pub obstacle: Option<Obstacle>,
    /// Lists in its body that others may fill, and that are told of when the blueprint says nothing of them: dotted paths.
    pub watched: &'static [&'static str],
    /// Where Azure reports which version of a write-only value it has (a JSON pointer), and where that value is (a dotted
    /// path). Another version than was written is another value.
    pub version: Option<(&'static str, &'static str)>,
    /// Resources of others, at its scope or below, that say something about it.
    pub spoken_of: Option<SpokenOf>,
    /// What a replacement takes away from those who use it: a sentence without its full stop.
    pub lost: Option<&'static str>,
    /// What it allows a principal to do, in words: for role assignments and their like, which do nothing else.
    pub grants: Option<fn(&ArmId, &Value) -> Option<Grant>>,
    /// Why what it makes elsewhere is not as it says, where Azure tells that apart from having taken it; `None` when it is.
    pub amiss: Option<fn(&Value) -> Option<String>>,
    /// Where Azure tells that in another place than its body: then `amiss` is not asked.
    pub judged: Option<&'static Judged>,
    /// How long a create usually takes; for progress and the critical path.
    pub expected: Duration,
    /// How long a change in place usually takes that disturbs nothing.
    pub expected_update: Duration,
    /// How long a delete usually takes.
    pub expected_delete: Duration,
    /// How long berth waits for an operation on it.
    pub timeout: Duration,
}

/// Descriptors are constants: two of one type and version are the same.
impl PartialEq for ResourceType {
    fn eq(&self, other: &Self) -> bool {
        self.arm_type == other.arm_type && self.api_version == other.api_version
    }
}

/// Requesters that ask through one endpoint of Microsoft's: whoever asks first asks for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedRequest {
    /// The type above them in which they share it.
    pub within: &'static str,
    /// Dotted paths of what has to be the same; the first is the id of the target.
    pub by: &'static [&'static str],
}

impl ResourceType {
    /// Which version of its write-only value a body reports.
    pub fn version_in(&self, body: Option<&Value>) -> Option<String> {
        let (pointer, _) = self.version?;
        at_pointer(body?, pointer)?.as_str().map(str::to_owned)
    }

    /// The path of the write-only value that somebody else replaced since `version` was written, if Azure reports another.
    pub fn replaced_outside(&self, version: Option<&str>, body: Option<&Value>) -> Option<&'static str> {
        let (pointer, path) = self.version?;
        let now = at_pointer(body?, pointer)?.as_str()?;
        version.is_some_and(|version| !version.eq_ignore_ascii_case(now)).then_some(path)
    }

    /// A type with the defaults of most: PUT to change, DELETE of its own, no lane, tags, read one by one.
    pub const fn new(arm_type: &'static str, api_version: &'static str, title: &'static str) -> Self {
        ResourceType {
            arm_type,
            api_version,
            title,
            rules: &[],
            severity: &[],
            update: UpdateMode::Put,
            conditional: false,
            scarce: &[],
            names_part: &[],
            within: None,
            keeps_one: None,
            delete: DeleteMode::Own,
            at_first: &[],
            delete_query: &[],
            lanes: &[],
            stateful: false,
            tags: true,
            soft_deleted: None,
            listing: Listing::None,
            guard: None,
            connections: &[],
            request_message: None,
            shared_request: None,
            azure_managed: &[],
            in_step: &[],
            brings: &[],
            keeps: None,
            preflight: &[],
            facets: &[],
            open: false,
            cross_check: None,
            also_needs: None,
            obstacle: None,
            lost: None,
            grants: None,
            amiss: None,
            judged: None,
            watched: &[],
            version: None,
            spoken_of: None,
            expected: Duration::from_secs(5),
            expected_update: Duration::from_secs(5),
            expected_delete: Duration::from_secs(5),
            timeout: Duration::from_secs(30 * 60),
        }
    }

    /// The rules, compiled once for each type.
    pub fn compiled(&'static self) -> &'static Rules {
        // Descriptors are built at compile time, where a cell with a destructor is not allowed.
        static COMPILED: RwLock<BTreeMap<usize, &'static Rules>> = RwLock::new(BTreeMap::new());
        let key = std::ptr::from_ref(self) as usize;
        let known = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        known.unwrap_or_else(|| {
            let mut all = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
            all.entry(key).or_insert_with(|| Box::leak(Box::new(Rules::new(self.rules))))
        })
    }

    /// The path and the status of each connection in a body of this type.
    pub fn connection_states<'v>(&self, body: &'v Value) -> Vec<(String, &'v str)> {
        let lists = self
            .connections
            .iter()
            .filter_map(|pointer| Some((pointer, at_pointer(body, pointer)?.as_array()?)));
        let states = lists.flat_map(|(pointer, list)| {
            list.iter().filter_map(move |connection| {
                let status =
                    connection.pointer("/properties/privateLinkServiceConnectionState/status")?.as_str()?;
                let name = connection.get("name").and_then(Value::as_str).unwrap_or_default();
                let list = pointer.trim_start_matches('/').replace('/', ".");
                Some((format!("{list}[{name}].properties.privateLinkServiceConnectionState.status"), status))
            })
        });
        states.collect()
    }

    /// What a resource of this type wrote elsewhere by itself.
    pub fn kept(&self, body: &Value) -> Vec<Kept> {
        self.keeps.map_or_else(Vec::new, |keeps| (keeps.kept)(body))
    }

    /// What of that is gone or says something else. `there` answers with what was read: `None` when nothing is known, and
    /// no body when it is gone.
    pub fn lost<'v>(
        &self,
        id: &ArmId,
        body: &Value,
        there: impl Fn(&ArmId) -> Option<Option<&'v Value>>,
    ) -> Vec<Lost> {
        let Some(keeps) = self.keeps else { return Vec::new() };
        let one = |kept: Kept| {
            let found = there(&kept.id)?;
            let says = found.map_or(Value::Null, keeps.says);
            let by = found.and_then(|found| (keeps.other_writer)(id, found));
            (says != kept.says).then_some(Lost { kept, there: says, by })
        };
        (keeps.kept)(body).into_iter().filter_map(one).collect()
    }

    /// Whether a body is of one that Azure made and keeps by itself, so that nobody deletes it.
    pub fn is_azures_own(&self, body: &Value) -> bool {
        self.azure_managed.iter().any(|pointer| match at_pointer(body, pointer) {
            Some(Value::Bool(on)) => *on,
            Some(Value::String(text)) => !text.is_empty(),
            _ => false,
        })
    }

    /// The provider namespace (`Microsoft.Network`).
    pub fn namespace(&self) -> &'static str {
        self.arm_type.split('/').next().unwrap_or_default()
    }
}
