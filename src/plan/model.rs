//! A plan as data.

use super::program::Program;
use crate::change::{Action, Grant};
use crate::ident::{Address, ArmId, Header};
use crate::private_link::NotOurs;
use crate::value::{Change, LeftAlone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Version of the plan's form.
pub const VERSION: u32 = 1;

/// Why a step has its action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Reason {
    /// It is in the blueprint and not in Azure.
    Missing,
    /// It comes with its parent's create.
    ArrivesWithParent {
        /// The parent.
        parent: Address,
    },
    /// It differs from the blueprint.
    Differs,
    /// A field that cannot be changed in place differs.
    Immutable {
        /// The fields that force it.
        paths: Vec<String>,
    },
    /// What it hangs on is replaced.
    ParentReplaced {
        /// The parent.
        parent: Address,
    },
    /// It is owned and no longer in the blueprint.
    NoLongerWanted,
    /// It is not in the blueprint, which has the list that it stands in for itself (`exclusive`).
    Foreign {
        /// The resource that has the list.
        parent: Address,
        /// The list, as the blueprint calls it.
        list: String,
    },
    /// It is deleted because everything is.
    Destroy,
    /// It goes with its parent.
    GoesWithParent {
        /// The parent.
        parent: Address,
    },
    /// It is there and was not in the ledger.
    NotInLedger,
    /// Its last create or update failed, and nothing else differs: it is sent again.
    FailedProvisioning {
        /// What Azure says of it: `Failed`, `Canceled`.
        state: String,
    },
    /// It is as wanted, the blueprint waits for what it makes elsewhere, and that is not there yet. Nothing is sent.
    NotCompliantYet {
        /// What Azure says of it.
        why: String,
    },
    /// What it writes elsewhere by itself is gone or changed there: it is sent again, and Azure writes that again.
    KeepsNoMore,
    /// What it stands between changed on the other side: it is sent again, and Azure takes that over.
    OutOfStep,
    /// Something that it was made with, and that cannot be changed in it, is replaced.
    DependencyReplaced {
        /// What is replaced.
        dependency: Address,
    },
    /// It stands in for the only one of its kind while that is replaced, and goes afterwards.
    StandsIn {
        /// What is replaced.
        replaced: Address,
    },
    /// Azure takes it only once a connection is approved: it follows the approvals.
    OnceConnected {
        /// The approvals.
        approvals: Vec<Address>,
    },
    /// Its name, group or parent changed: in Azure it is another resource.
    Moved {
        /// The id of the old one.
        from: ArmId,
    },
    /// Somebody else made it, and it is taken over: its tag is written, and nothing else.
    TakenOver,
    /// The connection waits for approval.
    Pending,
    /// The connection will wait for approval once its endpoint exists.
    WillBePending,
    /// Nobody that the rule names has asked yet, and berth waits for it.
    Awaited {
        /// How long at most, in minutes.
        minutes: u64,
    },
    /// Nobody that the rule names has asked yet.
    NotAskedYet,
    /// Connections wait that no rule of the blueprint names.
    NotNamed,
    /// The connection was rejected on the target, which stands until a person names that connection.
    Rejected,
    /// Its connection was cut off at the other end, and such a one never connects again.
    Disconnected,
    /// The connection will be approved by Azure as soon as its endpoint exists.
    ApprovesItself,
    /// The namespace or feature is not registered.
    NotRegistered,
    /// A soft-deleted one holds the name.
    SoftDeleted,
    /// Its entry was renamed; the resource is the same.
    Renamed {
        /// The old address.
        from: Address,
    },
    /// Its tag says that another blueprint, or another environment of this one, owns it now: it is left alone.
    OwnedByAnother {
        /// The other, as the tag says it: `shop`, `shop/prod`.
        owner: String,
    },
    /// It may not be touched, and a conflict says why.
    Blocked,
    /// It is gone already.
    AlreadyGone,
    /// ARM has no way to delete it.
    CannotBeDeleted,
    /// It is there and belongs to others: it is only read.
    Read,
    /// An entry of `existing` only reads it now: it stays, and berth forgets that it was its own.
    NowExisting {
        /// The entry.
        entry: Address,
    },
    /// What an entry of `existing` reads needs it: it stays, and berth forgets that it was its own.
    NeededByExisting {
        /// The entry.
        entry: Address,
    },
    /// The body of its parent asks for it now: it stays, and the ledger has it there.
    NowInParent {
        /// The parent.
        parent: Address,
    },
    /// It is as it should be.
    AsWanted,
}

/// How much a step disturbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// Nothing is disturbed.
    None,
    /// Changed in place.
    InPlace,
    /// Changed in place, and what runs on it notices: nodes are cycled, connections break.
    Disruptive,
    /// Deleted, or deleted and made anew.
    Destructive,
}

/// What a disruptive step disturbs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disruption {
    /// What happens, sentences without their full stops.
    pub what: Vec<String>,
    /// The fields whose changes bring it about: paths.
    pub fields: Vec<String>,
    /// The addresses of those whose nodes are replaced or restarted.
    pub cycles: Vec<Address>,
    /// Whether every node that goes is cordoned and drained before; false also when Azure does not promise it.
    pub drained: bool,
}

/// What to do with a resource that exists, is wanted, and belongs to nobody that berth knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// It is taken over.
    Allowed,
    /// It is in the way, and the plan says so.
    Refused,
}

/// One resource and what is done to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The resource.
    pub address: Address,
    /// Its id.
    pub id: ArmId,
    /// Its ARM type.
    #[serde(rename = "type")]
    pub arm_type: String,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What changes, field by field; for a create every field that is asked for is in `desired`.
    pub changes: Vec<Change>,
    /// What is asked for, tokens in place of what is unknown or secret; null for a delete.
    pub desired: Value,
    /// How much it disturbs.
    pub impact: Impact,
    /// What it disturbs, when it is disruptive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruption: Option<Disruption>,
    /// How long a run waits at most until what it makes elsewhere is as it says, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<u64>,
    /// What it lets somebody do, or takes away again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Grant>,
    /// What differs too and stays as it is, because the plan reverts another field of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_back: Vec<Change>,
    /// Whether it is protected: applying then needs the person to allow this address by name.
    pub protected: bool,
    /// For a replacement under another id (a rename, another group): the id of the old resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<ArmId>,
    /// For the removal of what such a replacement replaces: it is told with that one, and not by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_elsewhere: bool,
    /// The fields that are points in time in seconds since 1970, by their paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<String>,
    /// Where it is to be purged once it is deleted, when Azure would keep it otherwise: a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purge: Option<String>,
    /// The steps (by position) that must be done before.
    pub after: Vec<usize>,
    /// How long it usually takes, in milliseconds.
    pub expected_ms: u64,
}

/// An output of the blueprint as far as the plan knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputValue {
    /// Its value, tokens in place of what is unknown or secret.
    pub value: Value,
    /// Whether it is never shown.
    pub secret: bool,
}

/// Why a plan cannot be applied as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The resource.
    pub address: Address,
    /// Its id.
    pub id: ArmId,
    /// What is in the way.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// What will be done, in an order that respects every dependency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The version of this form.
    pub version: u32,
    /// The blueprint's name.
    pub blueprint: String,
    /// The environment's name, when the run has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What the run is for and where it works, when that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// The ledger's serial that it was made for.
    pub ledger_serial: u64,
    /// Whether it deletes everything.
    pub destroy: bool,
    /// Every resource, also those with nothing to do.
    pub steps: Vec<Step>,
    /// The outputs.
    pub outputs: BTreeMap<String, OutputValue>,
    /// What is in the way of applying it.
    pub conflicts: Vec<Conflict>,
    /// What may go wrong, as far as it can be known before the first write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Conflict>,
    /// The addresses that it is restricted to, with what they need; everything when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The addresses, and fields of addresses, that it sets back and nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reverts: Vec<String>,
    /// What would change too, and is left alone because no target needs it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Connections on targets of the blueprint that no rule of it names. They stay as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_ours: Vec<NotOurs>,
    /// What differs from the blueprint, or was added by others, and stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_alone: Vec<LeftAlone>,
    /// What applying it does; empty until it is compiled, and in a plan that was read from a file.
    #[serde(skip)]
    pub program: Program,
}

/// A change that a plan for some addresses only leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// The resource.
    pub address: Address,
    /// What a plan for everything would do to it.
    pub action: Action,
}

/// How many steps of each kind a plan has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Creates.
    pub create: usize,
    /// Updates.
    pub update: usize,
    /// Replaces.
    pub replace: usize,
    /// Deletes.
    pub delete: usize,
    /// Approvals.
    pub approve: usize,
    /// Rejections.
    #[serde(default)]
    pub reject: usize,
    /// Adoptions.
    pub adopt: usize,
    /// Recoveries.
    pub recover: usize,
    /// Registrations.
    pub register: usize,
    /// Resources of which fields are only let go: they stay as they are.
    #[serde(default)]
    pub release: usize,
    /// What is forgotten.
    pub forget: usize,
    /// What may not be touched, as conflicts say.
    #[serde(default)]
    pub blocked: usize,
    /// What stays as it is.
    pub unchanged: usize,
}

impl Plan {
    /// The steps that do something.
    pub fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action != Action::NoOp && !step.told_elsewhere)
    }

    /// Whether somebody else's decision is in the way of what the blueprint asks for: a rejected connection.
    pub fn is_held(&self) -> bool {
        self.steps.iter().any(|step| step.reason == Reason::Rejected)
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none()
    }

    /// Counts the steps.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let told = |step: &&Step| {
            !matches!(step.reason, Reason::ApprovesItself | Reason::Read) && !step.told_elsewhere
        };
        for step in self.steps.iter().filter(told) {
            *match step.action {
                _ if matches!(step.reason, Reason::Blocked | Reason::Rejected) => &mut counts.blocked,
                Action::Create => &mut counts.create,
                Action::Update => &mut counts.update,
                Action::Replace => &mut counts.replace,
                Action::Delete => &mut counts.delete,
                Action::Approve => &mut counts.approve,
                Action::Reject => &mut counts.reject,
                Action::Adopt => &mut counts.adopt,
                Action::Recover => &mut counts.recover,
                Action::Register => &mut counts.register,
                Action::Release => &mut counts.release,
                Action::Forget => &mut counts.forget,
                Action::NoOp => &mut counts.unchanged,
            } += 1;
        }
        counts
    }
}
