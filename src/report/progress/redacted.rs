//! Events without secrets, for a listener that does not write to what it was given.

use crate::change::Outcome;
use crate::event::{Event, EventKind, Listener};
use crate::value::redact::Redactor;
use std::sync::Arc;

/// Takes secrets out of events before another listener gets them.
pub struct Redacted {
    inner: Arc<dyn Listener>,
    redactor: Redactor,
}

impl Redacted {
    /// Tells `inner` of every event, without what `redactor` knows.
    pub fn new(inner: Arc<dyn Listener>, redactor: &Redactor) -> Self {
        Redacted { inner, redactor: redactor.clone() }
    }

    fn clean(&self, text: &mut String) {
        if self.redactor.is_secret(text) {
            *text = self.redactor.text(text).into_owned();
        }
    }
}

impl Listener for Redacted {
    fn event(&self, event: &Event) {
        let mut event = event.clone();
        match &mut event.kind {
            EventKind::StepWaiting { reason, .. } => self.clean(reason),
            EventKind::StepFinished { outcome: Outcome::Failed { message, help, .. }, .. } => {
                self.clean(message);
                help.iter_mut().for_each(|help| self.clean(help));
            }
            EventKind::LockTaken { from } => self.clean(from),
            _ => {}
        }
        self.inner.event(&event);
    }
}
