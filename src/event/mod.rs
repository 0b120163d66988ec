//! What the engine says while it works: numbered, serialisable, complete enough for every listener.

use crate::change::{Action, Outcome};
use crate::ident::Address;
use serde::Serialize;

/// Version of the event form; goes up when a member changes its meaning.
pub const VERSION: u32 = 1;

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
        expected_ms: u64,
        /// How long it and the longest that waits for it usually take together, in milliseconds.
        left_ms: u64,
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
pub struct NullListener;

impl Listener for NullListener {
    fn event(&self, _: &Event) {}
}
