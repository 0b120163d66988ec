//! A plan as a program: what applying does, unit by unit.
//!
//! Planning compiles it, applying runs it and decides nothing about Azure. A [`Unit`] is one piece of work on one
//! resource, with all that it takes: the body (outputs and secrets in it as tokens), how it is written, what must be
//! done before, what no other unit may work on at the same time, and what the ledger holds afterwards. A replacement
//! is two units: one that clears the old resource away, and one that makes the new one.

use crate::catalog::ResourceType;
use crate::ident::{Address, ArmId};
use crate::private_link::Policy;
use crate::state::Output;
use crate::value::{Change, NamedThere};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// Everything that applying a plan does.
///
/// The first units are those of the steps, each at the position of its step; those that clear a replaced resource away
/// follow, unless its old id differs: then the removal has a step, and the unit at its position belongs to the replacement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    /// The units.
    pub units: Vec<Unit>,
    /// The outputs of the blueprint; tokens in them have a value once the units are done.
    pub outputs: Vec<Output>,
    /// The resources whose outputs stand in bodies and outputs as tokens.
    pub sources: HashMap<Address, ArmId>,
}

/// One piece of work on one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The step it belongs to: a position in [`super::Plan::steps`].
    pub step: usize,
    /// Whether it clears the old resource of a replacement away; the other unit of its step makes the new one.
    pub clears: bool,
    /// The resource it works on.
    pub id: ArmId,
    /// What is done.
    pub work: Work,
    /// The units (by position) that must be done before.
    pub after: Vec<usize>,
    /// What no other unit may work on at the same time.
    pub lanes: Vec<ArmId>,
    /// How long it is expected to take, in milliseconds.
    pub expected_ms: u64,
    /// How long it may take.
    pub timeout: Duration,
    /// Whether it needs something that the same plan makes, which Azure may not know everywhere at once.
    pub fresh: bool,
    /// What the ledger holds once it is done; `None` for what the ledger does not hold.
    pub record: Option<Arc<Holding>>,
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Nothing is sent.
    Idle,
    /// Nothing is written; the resource is watched until Azure is no longer at work on it.
    Watch {
        /// In which API version it is read.
        api_version: &'static str,
    },
    /// Nothing is sent; the resource is written into the ledger as it is asked for.
    Record,
    /// Nothing is sent; the resource is taken out of the ledger.
    Forget,
    /// A resource is brought to what is asked for.
    Put(Put),
    /// A resource is deleted, and perhaps purged.
    Delete(Delete),
    /// A provider namespace or preview feature is registered.
    Register(Register),
    /// A private-endpoint connection is approved.
    Approve(Approve),
}

/// How a resource is brought to what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is not there: a PUT makes it.
    Create,
    /// Its parent's create brings it: what differs then is written.
    Arrive,
    /// It is there: it is read, and what differs is written.
    Update,
    /// It is there and its last create or update failed: a PUT of all of it repairs it.
    Repair,
    /// It is soft-deleted: it is recovered, and then what differs is written.
    Recover,
}

/// How a create is kept from overwriting what appeared since the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Nothing can have appeared: the same plan makes what it is a part of.
    Unneeded,
    /// The PUT says `If-None-Match: *`.
    IfNoneMatch,
    /// It is read just before: the operation knows no condition.
    Read,
}

/// A resource and what is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// How.
    pub mode: Mode,
    /// How a create is kept from overwriting.
    pub guard: Guard,
    /// The owner's tag that it carried when the plan was made. What carries another one by the time of the write has
    /// changed hands, and is left alone. `None` when it was not there, or its type has no tags.
    pub seen_owner: Option<SeenOwner>,
    /// Its type.
    pub kind: &'static ResourceType,
    /// What is asked for.
    pub body: Arc<Value>,
    /// What a create says besides, beneath the body.
    pub initial: Arc<Value>,
    /// What changes, when it is there.
    pub changes: Vec<Change>,
    /// Whether a value is sent that Azure does not show, although nothing that it shows differs.
    pub unseen: bool,
    /// The paths of what stays as it is then, although the body says otherwise.
    pub kept_back: Vec<String>,
    /// Whether it has ended only once it complies: see [`ResourceType::amiss`].
    pub awaited: bool,
    /// The parts of the body that keep the names that they have in Azure, which are not the blueprint's.
    pub named_there: Vec<NamedThere>,
    /// What a change in place says besides its API version.
    pub query: &'static [(&'static str, &'static str)],
}

/// A resource that is deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// In which API version.
    pub api_version: String,
    /// What the request says besides: see [`ResourceType::delete_query`].
    pub query: &'static [(&'static str, &'static str)],
    /// Where it is purged once it is deleted: a path.
    pub purge: Option<String>,
    /// What is looked at just before: the owner's tag that the plan saw, of what can carry one. What carries another one by
    /// then, or none any more, has changed hands or was made anew by somebody else. `None` as in [`Put`].
    pub seen_owner: Option<SeenOwner>,
    /// For a resource group: what may still be in it, because the same plan deletes it. `None` for everything else.
    pub expected: Option<Arc<HashSet<ArmId>>>,
}

/// The owner's tag that a plan saw on something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenOwner {
    /// The tag's value; `None` when there was none.
    pub tag: Option<String>,
}

/// A registration.
#[derive(Debug, Clone, PartialEq)]
pub struct Register {
    /// Its type.
    pub kind: &'static ResourceType,
    /// What its body says once it is registered.
    pub wanted: Arc<Value>,
    /// The provider that is registered again afterwards, so that a feature takes effect.
    pub provider: Option<ArmId>,
}

/// A decision on the connections of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Approve {
    /// The target that they are on; `None` while its id is not known.
    pub target: Option<ArmId>,
    /// In which API version the target shows its connections.
    pub api_version: String,
    /// Who is named, and what is done; `None` while an id in it is not known.
    pub policy: Option<Policy>,
    /// The connections that the plan shows.
    pub seen: Vec<Seen>,
    /// Whether the plan says that it waits for connections which it does not show.
    pub awaits: bool,
    /// The endpoint of the blueprint whose connection it is, when it is one: it is asked too.
    pub endpoint: Option<ArmId>,
    /// Whether Azure is to approve it by itself: then it is approved only if the endpoint says that it waits.
    pub expected_by_itself: bool,
}

/// A connection that a plan shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: ArmId,
    /// The endpoint that was behind it.
    pub endpoint: Option<ArmId>,
    /// What its owner had decided by then.
    pub status: String,
}

/// What the ledger holds of a resource, but for values that are known only once it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    /// What the blueprint calls it.
    pub address: Address,
    /// Its type.
    pub kind: &'static ResourceType,
    /// What is asked for, outputs and secrets as tokens.
    pub body: Arc<Value>,
    /// What it depends on, by id.
    pub depends_on: Vec<ArmId>,
    /// Whether it may be deleted only when named.
    pub protect: bool,
    /// What may not be changed by two operations at once while it is.
    pub lanes: Vec<ArmId>,
}

impl Work {
    /// Whether a request is sent for it.
    pub fn sends(&self) -> bool {
        !matches!(self, Work::Idle | Work::Record | Work::Forget)
    }

    /// What its first requests count for.
    pub fn first_requests(&self) -> Requests {
        let (reads, writes, deletes) = match self {
            Work::Idle | Work::Record | Work::Forget => (false, false, false),
            Work::Watch { .. } => (true, false, false),
            Work::Delete(delete) => (delete.expected.is_some() || delete.seen_owner.is_some(), false, true),
            Work::Put(put) => (put.mode != Mode::Create || put.guard == Guard::Read, true, false),
            Work::Approve(_) => (true, true, false),
            Work::Register(_) => (false, true, false),
        };
        Requests { reads, writes, deletes }
    }
}

/// What the first requests of a piece of work count for among ARM's limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// It reads.
    pub reads: bool,
    /// It writes.
    pub writes: bool,
    /// It deletes.
    pub deletes: bool,
}

impl Program {
    /// What goes first: for each unit how long it is expected to be, in milliseconds, from its start to the end of all
    /// that hangs on it, what has to wait behind it in its lanes included.
    pub fn priorities(&self) -> Vec<u64> {
        super::schedule::priorities(&self.units)
    }

    /// The units (by position) that make the program as long as it is, each waiting for the one before; and how long
    /// they are expected to take together, in milliseconds.
    ///
    /// A unit waits for what it needs, for its turn in each of its lanes, and until the limits of its subscription let
    /// its first requests through. The order is that of [`Program::priorities`], in which applying keeps them.
    pub fn critical_path(&self) -> (Vec<usize>, u64) {
        super::schedule::critical_path(&self.units)
    }
}
