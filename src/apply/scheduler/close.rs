//! The end of a run: the ledger is saved, and every step has an outcome.

use super::{Applied, Run, State, millis};
use crate::change::{Action, Outcome, StepResult, Summary};
use crate::ledger::{Ledger, store};
use crate::plan::OutputValue;
use crate::value::token;
use std::collections::BTreeMap;
use std::time::Duration;

impl Run<'_> {
    /// Whether the old resource of a replaced step is cleared away, or was about to be.
    fn clearing_began(&self, step: usize) -> bool {
        let mut clearing = (0..self.states.len()).filter(|&at| self.unit(at).step == step && self.clears(at));
        clearing.any(|at| match &self.states[at] {
            State::Waiting | State::Ended(Outcome::Skipped { .. } | Outcome::NotStarted) => false,
            State::Running { .. } | State::Ended(_) => true,
        })
    }

    /// Saves the ledger, unless that failed before, and tells how everything ended.
    pub(super) async fn close(
        mut self,
        elapsed: Duration,
        before: &Ledger,
        mut broken: Option<store::Error>,
    ) -> Applied {
        for at in 0..self.plan.steps.len() {
            if self.results[at].is_some()
                || self.action(at) == Action::NoOp
                || self.plan.steps[at].told_elsewhere
            {
                continue;
            }
            let step = &self.plan.steps[at];
            let outcome = match self.states[at] {
                State::Running { .. } => Outcome::Unfinished,
                // Its old resource is gone, or going: the next run makes the new one.
                _ if self.clearing_began(at) => Outcome::Unfinished,
                _ => Outcome::NotStarted,
            };
            self.results[at] = Some(StepResult {
                address: step.address.clone(),
                action: self.action(at),
                outcome,
                deleted: self.action(at) == Action::Replace && self.cleared(at) && !self.made(at),
                elapsed_ms: 0,
                retries: 0,
                waited_ms: 0,
            });
        }
        // What went with its parent may have gone after its own step was told.
        for at in 0..self.plan.steps.len() {
            let deleted = self.action(at) == Action::Replace && self.cleared(at) && !self.made(at);
            if let Some(result) = self.results[at].as_mut().filter(|result| result.outcome != Outcome::Done) {
                result.deleted = deleted;
            }
        }
        self.refresh_unchanged();
        let outputs: BTreeMap<String, OutputValue> = self
            .plan
            .program
            .outputs
            .iter()
            .map(|output| {
                let value = self.resolved(&output.value);
                (output.name.clone(), OutputValue { value, secret: output.secret })
            })
            .collect();
        self.ledger.outputs = outputs
            .iter()
            .filter(|(_, output)| !output.secret && !token::any(&output.value, &|_| true))
            .map(|(name, output)| (name.clone(), output.value.clone()))
            .collect();
        let unfinished = self.results.iter().flatten().any(|result| result.outcome == Outcome::Unfinished);
        let changed = self.ledger != *before;
        if changed {
            self.ledger.advance();
        }
        // What is still under way stays in the journal, for the next run to follow.
        if !unfinished && broken.is_none() && (changed || !self.plan.is_empty()) {
            broken = self.engine.store.save(&self.ledger).await.err();
        }
        let summary = Summary {
            version: crate::event::VERSION,
            steps: self.results.into_iter().flatten().collect(),
            elapsed_ms: millis(elapsed),
            interrupted: self.engine.interrupt.count() > 0,
        };
        Applied { ledger: self.ledger, summary, outputs, broken }
    }
}
