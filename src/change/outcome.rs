//! How a step, and a run of steps, ended.

use super::Action;
use crate::ident::Address;
use serde::{Deserialize, Serialize};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Outcome {
    /// As planned.
    Done,
    /// It did not work.
    Failed {
        /// What was attempted and what Azure said: a few lines.
        message: String,
        /// What to do next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        help: Option<String>,
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
    /// Whether the old resource of a replacement was deleted and no new one made. The next run makes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
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
