//! The progress of a run in a group of the log, with percents.

use super::system::System;
use crate::event::{Event, EventKind, Listener};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Opens a group when a run starts, says after each step how far it is, and closes the group at the end.
pub struct Grouped {
    system: System,
    inner: Arc<dyn Listener>,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    steps: usize,
    ended: usize,
    percent: usize,
    /// When the newest event was, while a group is open.
    open: Option<u64>,
}

impl Grouped {
    /// Writes commands to `out`, around the lines that `inner` writes.
    pub fn new(system: System, inner: Arc<dyn Listener>, out: Box<dyn Write + Send>) -> Self {
        let state = State { out, steps: 0, ended: 0, percent: 0, open: None };
        Grouped { system, inner, state: Mutex::new(state) }
    }
}

impl State {
    fn write(&mut self, text: &str) {
        // No run stops because nobody reads of it.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn close(&mut self, system: System) {
        if let Some(at_ms) = self.open.take() {
            self.write(&system.close_group(at_ms));
        }
    }
}

impl Listener for Grouped {
    fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let EventKind::RunStarted { steps } = event.kind
            && steps > 0
        {
            (state.steps, state.ended, state.percent) = (steps, 0, 0);
            state.open = Some(event.at_ms);
            state.write(&self.system.open_group("Steps", event.at_ms));
        }
        self.inner.event(event);
        if let Some(newest) = &mut state.open {
            *newest = event.at_ms;
        }
        match event.kind {
            EventKind::StepFinished { .. } => {
                state.ended += 1;
                let percent = state.ended * 100 / state.steps.max(state.ended);
                if percent != state.percent {
                    state.percent = percent;
                    let title = format!("{} of {} steps", state.ended, state.steps.max(state.ended));
                    if let Some(command) = self.system.progress(percent, &title) {
                        state.write(&command);
                    }
                }
            }
            EventKind::RunFinished { .. } => state.close(self.system),
            _ => {}
        }
    }
}

impl Drop for Grouped {
    fn drop(&mut self) {
        // A run that lost its ledger ends without saying so.
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.close(self.system);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NullListener;
    use crate::report::progress::tests::{Buffer, story};

    #[test]
    fn a_run_is_a_group_with_percents() {
        for (system, text) in [
            (
                System::AzureDevops,
                "##[group]Steps\n\
                 ##vso[task.setprogress value=8;]1 of 12 steps\n\
                 ##vso[task.setprogress value=16;]2 of 12 steps\n\
                 ##vso[task.setprogress value=25;]3 of 12 steps\n\
                 ##vso[task.setprogress value=33;]4 of 12 steps\n\
                 ##vso[task.setprogress value=41;]5 of 12 steps\n\
                 ##[endgroup]\n",
            ),
            (System::Github, "::group::Steps\n::endgroup::\n"),
            (
                System::Gitlab,
                "\x1b[0Ksection_start:0:berth_apply\r\x1b[0KSteps\n\x1b[0Ksection_end:512:berth_apply\r\x1b[0K\n",
            ),
        ] {
            let buffer = Buffer::default();
            let listener = Grouped::new(system, Arc::new(NullListener), Box::new(buffer.clone()));
            story().iter().for_each(|event| listener.event(event));
            drop(listener);
            assert_eq!(buffer.text(), text);
        }
    }

    #[test]
    fn a_group_is_closed_by_a_run_that_breaks_off() {
        let buffer = Buffer::default();
        let listener = Grouped::new(System::Github, Arc::new(NullListener), Box::new(buffer.clone()));
        story().iter().take(5).for_each(|event| listener.event(event));
        drop(listener);
        assert_eq!(buffer.text(), "::group::Steps\n::endgroup::\n");
    }
}
