//! What the engine says while it works: numbered, serialisable, complete enough for every listener.

use crate::ident::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the event form; goes up when a member changes its meaning.
pub const VERSION: u32 = 1;

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It does not exist and will.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted and created anew.
    Replace,
    /// It is deleted.
    Delete,
    /// A pending private-endpoint connection is approved.
    Approve,
    /// It exists already and is taken into the ledger as it is.
    Adopt,
    /// A soft-deleted vault is brought back.
    Recover,
    /// A provider or preview feature is registered.
    Register,
    /// It is taken out of the ledger and left alone.
    Forget,
    /// Nothing.
    NoOp,
}

impl Action {
    /// The word for it in sentences and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Delete => "delete",
            Action::Approve => "approve",
            Action::Adopt => "adopt",
            Action::Recover => "recover",
            Action::Register => "register",
            Action::Forget => "forget",
            Action::NoOp => "no-op",
        }
    }
}

/// How a resource is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeleteMode {
    /// A DELETE of its own, unless its parent is deleted in the same run and takes it along.
    Own,
    /// A DELETE of its own, always, before what it hangs on (role assignments, endpoints).
    Always,
    /// ARM cannot delete it; it goes with its parent. Dropped from a blueprint it is only forgotten.
    WithParent,
    /// It is never removed (provider and feature registrations).
    Never,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Outcome {
    /// As planned.
    Done,
    /// It did not work.
    Failed {
        /// What was attempted, what Azure said, what to do next: a few lines.
        message: String,
        /// Azure's error code, when there was one.
        code: Option<String>,
    },
    /// Not tried, because something it needs failed.
    Skipped {
        /// What failed.
        because_of: Address,
    },
    /// Not tried, because the person asked to stop.
    NotStarted,
    /// Under way when the run stopped; the next run takes it up.
    Unfinished,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// Live resources are being read.
    Reading {
        /// How many have been read.
        done: usize,
        /// How many there are.
        total: usize,
    },
    /// A run of steps begins.
    RunStarted {
        /// How many steps will be taken.
        steps: usize,
    },
    /// A step begins.
    StepStarted {
        /// The resource.
        address: Address,
        /// What is done to it.
        action: Action,
        /// How long it usually takes, in milliseconds.
        usual_ms: u64,
    },
    /// A step waits for something that can pass: another operation, propagation, throttling.
    StepWaiting {
        /// The resource.
        address: Address,
        /// What for, in a few words.
        reason: String,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// How long until the next attempt, in milliseconds.
        wait_ms: u64,
    },
    /// A step ended.
    StepFinished {
        /// The resource.
        address: Address,
        /// What was done to it.
        action: Action,
        /// How it ended.
        outcome: Outcome,
        /// How long it took, in milliseconds of the engine's clock.
        elapsed_ms: u64,
    },
    /// The ledger's lock was taken from a run that died.
    LockTaken {
        /// Whose it was.
        from: String,
    },
    /// The person asked to stop.
    Interrupted {
        /// Whether even what is in flight is not waited for.
        at_once: bool,
    },
    /// A run of steps ended.
    RunFinished {
        /// How long it took, in milliseconds of the engine's clock.
        elapsed_ms: u64,
    },
}

/// An event with its number and time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// From 1, without gaps within a run.
    pub number: u64,
    /// Milliseconds since 1970 on the engine's clock.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Takes events as they happen. Listeners must not block.
pub trait Listener: Send + Sync {
    /// Takes one event.
    fn event(&self, event: &Event);
}

/// Takes events and does nothing with them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silence;

impl Listener for Silence {
    fn event(&self, _: &Event) {}
}

/// How one step of a run ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepResult {
    /// The resource.
    pub address: Address,
    /// What was to be done to it.
    pub action: Action,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took, in milliseconds of the engine's clock.
    pub elapsed_ms: u64,
    /// How often it was tried again, and for how long it waited in all, in milliseconds.
    pub retries: u32,
    /// See `retries`.
    pub waited_ms: u64,
}

/// How a run ended: done, failed, not started.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The version of this form.
    pub version: u32,
    /// Every step that was to be taken, in the order of the plan.
    pub steps: Vec<StepResult>,
    /// How long the run took, in milliseconds of the engine's clock.
    pub elapsed_ms: u64,
    /// Whether the person asked to stop.
    pub interrupted: bool,
}

impl Summary {
    /// Whether every step was done.
    pub fn is_complete(&self) -> bool {
        self.steps.iter().all(|step| step.outcome == Outcome::Done)
    }
}
