//! Two listeners of one run.

use crate::event::{Event, Listener};
use std::sync::Arc;

/// Tells two listeners of every event.
pub struct Tee(Arc<dyn Listener>, Arc<dyn Listener>);

impl Tee {
    /// Tells the first and then the second.
    pub fn new(first: Arc<dyn Listener>, second: Arc<dyn Listener>) -> Self {
        Tee(first, second)
    }
}

impl Listener for Tee {
    fn event(&self, event: &Event) {
        self.0.event(event);
        self.1.event(event);
    }
}
