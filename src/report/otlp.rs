//! A run as a trace, in the JSON form of OTLP (<https://opentelemetry.io/docs/specs/otlp/>): a span for the run, and one for
//! each step. What goes into a span are addresses, actions, times, Azure's error codes and how a step ended; no body, no
//! message of Azure's and no value of the blueprint.
//!
//! A pipeline that sets `TRACEPARENT` (<https://www.w3.org/TR/trace-context/>) finds the run within its own trace.

use crate::change::{Action, Outcome};
use crate::event::{Event, EventKind, Listener};
use crate::ident::Address;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many spans are kept: what a run has beyond that is counted on its own span.
const MOST: usize = 10_000;

/// Where a run stands in a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The trace: 32 hexadecimal digits.
    trace: String,
    /// The span that the run is within, if any: 16 hexadecimal digits.
    parent: Option<String>,
}

impl Context {
    /// A trace of its own, with these bytes as its id.
    pub fn new(id: [u8; 16]) -> Self {
        Context { trace: hex(&id), parent: None }
    }

    /// What `TRACEPARENT` says. `None` when that is no trace, or one that nobody records.
    pub fn parse(text: &str) -> Option<Option<Self>> {
        let is_hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let parts: Vec<&str> = text.trim().split('-').collect();
        let [version, trace, parent, flags, ..] = parts[..] else { return None };
        let is_known = is_hex(version, 2) && version != "ff" && (version != "00" || parts.len() == 4);
        let is_set = |id: &str| id.bytes().any(|byte| byte != b'0');
        if !is_known || !is_hex(trace, 32) || !is_hex(parent, 16) || !is_hex(flags, 2) {
            return None;
        }
        if !is_set(trace) || !is_set(parent) {
            return None;
        }
        let sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
        Some(sampled.then(|| Context { trace: trace.to_owned(), parent: Some(parent.to_owned()) }))
    }

    /// The id of a span of this run. The same trace, parent and name make the same id.
    fn span(&self, name: &str) -> String {
        let parent = self.parent.as_deref().unwrap_or_default();
        let digest = Sha256::digest(format!("{}|{parent}|{name}", self.trace));
        hex(&digest[..8])
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Makes a trace of the events of a run.
pub struct Traced {
    context: Context,
    /// What the run is called: `berth apply`.
    name: String,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    first: Option<u64>,
    last: u64,
    open: HashMap<Address, Open>,
    spans: Vec<Value>,
    dropped: usize,
    failed: usize,
    interrupted: bool,
}

struct Open {
    since: u64,
    waits: Vec<Value>,
}

impl Traced {
    /// Nothing has happened yet.
    pub fn new(context: Context, name: impl Into<String>) -> Self {
        Traced { context, name: name.into(), kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request that hands the trace over. `None` when nothing happened. `exit` is the exit code of the program.
    pub fn request(&self, version: &str, exit: u8) -> Option<Value> {
        let kept = self.kept();
        let first = kept.first?;
        let mut root = json!({
            "traceId": self.context.trace,
            "spanId": self.context.span(&self.name),
            "name": self.name,
            "kind": 1,
            "startTimeUnixNano": nanoseconds(first),
            "endTimeUnixNano": nanoseconds(kept.last),
            "attributes": attributes([
                ("berth.exit_code", json!({ "intValue": exit.to_string() })),
                ("berth.interrupted", json!({ "boolValue": kept.interrupted })),
                ("berth.steps_failed", json!({ "intValue": kept.failed.to_string() })),
            ]),
            "droppedEventsCount": 0,
            // 1 is an error that people look for; 2 says that there are changes.
            "status": { "code": if kept.failed > 0 || matches!(exit, 1 | 3) { 2 } else { 1 } },
        });
        if let Some(parent) = &self.context.parent {
            root["parentSpanId"] = parent.as_str().into();
        }
        if kept.dropped > 0 {
            let dropped = json!({ "intValue": kept.dropped.to_string() });
            let more = attributes([("berth.spans_dropped", dropped)]);
            if let (Some(all), Value::Array(more)) = (root["attributes"].as_array_mut(), more) {
                all.extend(more);
            }
        }
        let mut spans = vec![root];
        spans.extend(kept.spans.iter().cloned());
        Some(json!({ "resourceSpans": [{
            "resource": { "attributes": attributes([
                ("service.name", json!({ "stringValue": "berth" })),
                ("service.version", json!({ "stringValue": version })),
            ]) },
            "scopeSpans": [{ "scope": { "name": "berth", "version": version }, "spans": spans }],
        }] }))
    }

    fn finished(&self, kept: &mut Kept, at: u64, address: &Address, action: Action, outcome: &Outcome) {
        let open = kept.open.remove(address).unwrap_or(Open { since: at, waits: Vec::new() });
        let failed = matches!(outcome, Outcome::Failed { .. });
        kept.failed += usize::from(failed);
        if kept.spans.len() >= MOST {
            kept.dropped += 1;
            return;
        }
        let (word, code) = match outcome {
            Outcome::Done => ("done", None),
            Outcome::Failed { code, .. } => ("failed", code.as_deref()),
            Outcome::Skipped { .. } => ("skipped", None),
            Outcome::NotStarted => ("not-started", None),
            Outcome::Unfinished => ("unfinished", None),
        };
        let text = |text: &str| json!({ "stringValue": text });
        let mut told = vec![
            ("berth.address", text(address.as_str())),
            ("berth.action", text(action.word())),
            ("berth.outcome", text(word)),
        ];
        told.extend(code.map(|code| ("error.type", text(code))));
        kept.spans.push(json!({
            "traceId": self.context.trace,
            "spanId": self.context.span(&format!("{} {}", kept.spans.len(), address)),
            "parentSpanId": self.context.span(&self.name),
            "name": format!("{} {address}", action.word()),
            // A client: Azure is asked.
            "kind": 3,
            "startTimeUnixNano": nanoseconds(open.since),
            "endTimeUnixNano": nanoseconds(at),
            "attributes": attributes(told),
            "events": open.waits,
            "status": { "code": match outcome {
                Outcome::Done => 1,
                Outcome::Failed { .. } => 2,
                _ => 0,
            } },
        }));
    }
}

impl Listener for Traced {
    fn event(&self, event: &Event) {
        let mut kept = self.kept();
        kept.first.get_or_insert(event.at_ms);
        kept.last = kept.last.max(event.at_ms);
        match &event.kind {
            EventKind::StepStarted { address, .. } => {
                kept.open.insert(address.clone(), Open { since: event.at_ms, waits: Vec::new() });
            }
            // The reason is Azure's words: how long, and how often, is enough.
            EventKind::StepWaiting { address, attempt, wait_ms, .. } => {
                let wait = json!({
                    "timeUnixNano": nanoseconds(event.at_ms),
                    "name": "waiting",
                    "attributes": attributes([
                        ("berth.attempt", json!({ "intValue": attempt.to_string() })),
                        ("berth.wait_ms", json!({ "intValue": wait_ms.to_string() })),
                    ]),
                });
                if let Some(open) = kept.open.get_mut(address).filter(|open| open.waits.len() < 100) {
                    open.waits.push(wait);
                }
            }
            EventKind::StepFinished { address, action, outcome, .. } => {
                self.finished(&mut kept, event.at_ms, address, *action, outcome);
            }
            EventKind::Interrupted { .. } => kept.interrupted = true,
            EventKind::Reading { .. }
            | EventKind::RunStarted { .. }
            | EventKind::LockTaken { .. }
            | EventKind::RunFinished { .. } => {}
        }
    }
}

fn attributes<'k>(all: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    all.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// OTLP writes 64-bit numbers as texts.
fn nanoseconds(milliseconds: u64) -> String {
    (u128::from(milliseconds) * 1_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::progress::tests::story;

    #[test]
    fn a_parent_is_read_and_what_is_none_is_not() {
        let known = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = Context::parse(known).unwrap().unwrap();
        assert_eq!(context.trace, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.parent.as_deref(), Some("00f067aa0ba902b7"));
        assert_eq!(Context::parse(&known.replace("-01", "-00")), Some(None), "nobody records it");
        for wrong in [
            "",
            "nonsense",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(Context::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_run_is_a_span_with_a_span_a_step_and_holds_no_words_of_azures() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let traced = Traced::new(Context::parse(parent).unwrap().unwrap(), "berth apply");
        assert_eq!(traced.request("1.0", 0), None, "nothing happened");
        story().iter().for_each(|event| traced.event(event));
        let request = traced.request("1.0", 3).unwrap();
        let spans = request.pointer("/resourceSpans/0/scopeSpans/0/spans").unwrap().as_array().unwrap();
        let finished = story().iter().filter(|e| matches!(e.kind, EventKind::StepFinished { .. })).count();
        assert_eq!(spans.len(), finished + 1);
        assert_eq!(spans[0]["parentSpanId"], "00f067aa0ba902b7");
        assert!(spans.iter().all(|span| span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736"));
        assert!(spans[1..].iter().all(|span| span["parentSpanId"] == spans[0]["spanId"]));
        let mut ids: Vec<&str> = spans.iter().map(|span| span["spanId"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), spans.len());
        let text = request.to_string();
        for event in story() {
            if let EventKind::StepFinished { outcome: Outcome::Failed { message, .. }, .. } = event.kind {
                assert!(!text.contains(&message), "{text}");
            }
        }
    }
}
