//! Events as lines of JSON.

use crate::event::{self, Event, Listener};
use crate::report::json::escaped;
use serde::Serialize;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Writes `{"version":1,"number":…,"at_ms":…,"event":"step-started",…}` for every event, one a line.
pub struct Jsonl(Mutex<Box<dyn Write + Send>>);

#[derive(Serialize)]
struct Versioned<'e> {
    version: u32,
    #[serde(flatten)]
    event: &'e Event,
}

impl Jsonl {
    /// Writes to `out`. What cannot be written is lost: no run stops because nobody reads of it.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Jsonl(Mutex::new(out))
    }
}

impl Listener for Jsonl {
    fn event(&self, event: &Event) {
        let Ok(line) = serde_json::to_string(&Versioned { version: event::VERSION, event }) else { return };
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(out, "{}", escaped(&line));
        let _ = out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::progress::plain::tests::{Buffer, story};

    #[test]
    fn every_event_is_a_line() {
        let buffer = Buffer::default();
        let listener = Jsonl::new(Box::new(buffer.clone()));
        story().iter().for_each(|event| listener.event(event));
        let text = buffer.text();
        assert_eq!(text.lines().count(), story().len());
        insta::assert_snapshot!(text.lines().nth(4).unwrap(), @r#"{"version":1,"number":5,"at_ms":3220,"event":"step-finished","address":"networks.hub","action":"update","outcome":{"result":"done"},"elapsedMs":3210}"#);
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["version"], 1);
        }
    }
}
