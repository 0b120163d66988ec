//! An attack on every report: texts that would command a build server, steer a terminal, hide themselves or break out of
//! their place, put where a name, a tag, a message or an id is.

#[path = "../../tests/support/hostile.rs"]
mod corpus;

use super::graph::GraphNode;
use super::progress::{Jsonl, Plain};
use super::sample;
use super::{
    Host, Stage, Style, card, ci, document, graph, html, human, json, junit, markdown, metrics, sarif,
};
use crate::change::{Action, Outcome};
use crate::diag::{Code, Diagnostic, Diagnostics, Place, SourceFile, Span};
use crate::drift::{Drift, DriftReport, Who};
use crate::event::{Event, EventKind, Listener};
use crate::graph::Dag;
use crate::ident::{Address, ArmId};
use crate::plan::{OutputValue, Plan};
use crate::policy::{Finding, Verdict};
use crate::private_link::{Connection, Found};
pub(super) use corpus::CORPUS;
use corpus::{Form, harm};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::{Arc, Mutex};

pub(super) fn with(text: &str, payload: &str) -> String {
    format!("{payload}{text}{payload}")
}

/// A value with the payload in every text of it that may be any text.
fn poisoned<T: serde::Serialize + serde::de::DeserializeOwned>(clean: &T, payload: &str) -> T {
    fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
        let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
        match value {
            Value::String(_) => found.push(at.to_owned()),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, item)| leaves(item, &format!("{at}/{n}"), found));
            }
            Value::Object(members) => members
                .iter()
                .for_each(|(name, member)| leaves(member, &format!("{at}/{}", escaped(name)), found)),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(clean).unwrap();
    let mut found = Vec::new();
    leaves(&value, "", &mut found);
    for at in found {
        let Some(leaf) = value.pointer_mut(&at) else { continue };
        let before = leaf.clone();
        // Ids keep their beginning, by which they are known.
        let text = before.as_str().unwrap_or_default();
        *leaf = if text.starts_with('/') { format!("{text}{payload}") } else { with(text, payload) }.into();
        if T::deserialize(&value).is_err()
            && let Some(leaf) = value.pointer_mut(&at)
        {
            *leaf = before;
        }
    }
    serde_json::from_value(value).unwrap()
}

fn bodies(plan: &mut Plan, payload: &str) {
    for step in &mut plan.steps {
        if let Value::Object(members) = &mut step.desired {
            members.insert(payload.to_owned(), json!({ payload: [payload, { payload: payload }] }));
        }
        for change in &mut step.changes {
            change.path = format!("tags[\"{payload}\"].{payload}");
            change.before = json!({ payload: payload });
            change.after = json!([payload]);
        }
    }
    plan.outputs
        .insert(payload.to_owned(), OutputValue { value: json!({ payload: payload }), secret: false });
}

fn hostile_plan(payload: &str) -> Plan {
    let mut plan = poisoned(&sample::plan(), payload);
    bodies(&mut plan, payload);
    plan
}

/// Names of people and programs are what somebody else called them.
fn blame(who: &mut Who, payload: &str) {
    match who {
        Who::Known(known) => {
            known.actor.name = with("ada", payload);
            known.actor.id = Some(with("1", payload));
            known.client = Some(with("Portal", payload));
            known.time = with("2026", payload);
            known.operation = with("X/write", payload);
            known.correlation_id = Some(with("c", payload));
        }
        Who::Unknown(reason) => *reason = with("refused", payload),
    }
}

fn hostile_drift(payload: &str) -> DriftReport {
    let mut report = sample::drift();
    report.blueprint = with("shop", payload);
    for connection in &mut report.not_ours {
        connection.status = with("Pending", payload);
        connection.description = with("please", payload);
    }
    report.not_ours_by.iter_mut().for_each(|who| blame(who, payload));
    for waived in &mut report.waived {
        let waiver = &mut waived.waiver;
        waiver.address = Address::new(with("w", payload));
        (waiver.field, waiver.reason) = (with("tags", payload), with("why", payload));
        waived.covers = vec![with("tags", payload)];
    }
    report.steady = vec![Address::new(with("a", payload))];
    for drift in &mut report.drifted {
        let Drift { address, id, arm_type, fields, changed_by, .. } = drift;
        for by in changed_by {
            by.fields.iter_mut().for_each(|path| *path = format!("tags[\"{payload}\"].{payload}"));
            blame(&mut by.who, payload);
        }
        *address = Address::new(with("b", payload));
        *arm_type = with("Microsoft.X/y", payload);
        if let Ok(other) = ArmId::parse(&format!("{id}{payload}")) {
            *id = other;
        }
        for field in fields {
            field.path = format!("tags[\"{payload}\"].{payload}");
            field.expected = json!({ payload: payload });
            field.actual = json!([payload]);
        }
    }
    report
}

fn hostile_problems(payload: &str) -> Diagnostics {
    let text = format!("blueprint: {payload}\nother: {payload}\n");
    let file = Arc::new(SourceFile { name: with("b.yaml", payload), text });
    let span = Span { file, line: 1, column: 12, offset: 11, length: 4 };
    Diagnostic::error(const { &Code::named("shape") }, with("wrong", payload))
        .at(Some(span))
        .help(with("do", payload))
        .into()
}

fn hostile_findings(payload: &str) -> Vec<Finding> {
    let place = Place { file: with("b.yaml", payload), line: 1, column: 1 };
    vec![Finding {
        verdict: Verdict::Deny,
        rule: with("berth.deny", payload),
        message: with("no", payload),
        address: Some(with("a.b", payload)),
        place: Some(place),
    }]
}

fn hostile_connections(payload: &str) -> Vec<Found> {
    let target = ArmId::resource_group("s", "g").provider("Microsoft.KeyVault/vaults", &["k"]);
    let id = ArmId::parse(&format!("{target}/privateEndpointConnections/{payload}"));
    let connection = Connection {
        id: id.unwrap_or_else(|_| target.clone()),
        endpoint: None,
        status: with("Pending", payload),
        description: with("please", payload),
        groups: vec![with("vault", payload)],
        body: Value::Null,
    };
    vec![Found { target, exists: true, problem: Some(payload.to_owned()), connections: vec![connection] }]
}

pub(super) fn hostile_events(payload: &str) -> Vec<Event> {
    let address = || Address::new(with("a", payload));
    let failed = Outcome::Failed {
        message: with("Azure refused", payload),
        help: Some(with("try", payload)),
        code: Some(with("Code", payload)),
    };
    let finished = |outcome| EventKind::StepFinished {
        address: address(),
        action: Action::Create,
        outcome,
        elapsed_ms: 1,
    };
    [
        EventKind::RunStarted { steps: 3 },
        EventKind::LockTaken { from: with("somebody", payload) },
        EventKind::StepStarted {
            address: address(),
            action: Action::Create,
            expected_ms: 90_000,
            left_ms: 90_000,
        },
        EventKind::StepWaiting { address: address(), reason: with("busy", payload), attempt: 1, wait_ms: 1 },
        finished(failed),
        finished(Outcome::Skipped { because_of: address() }),
        EventKind::RunFinished { elapsed_ms: 1 },
    ]
    .into_iter()
    .zip(1..)
    .map(|(kind, number)| Event { number, at_ms: number, kind })
    .collect()
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn told(events: &[Event], listener: impl FnOnce(Box<dyn Write + Send>) -> Box<dyn Listener>) -> String {
    let buffer = Buffer::default();
    let listener = listener(Box::new(buffer.clone()));
    events.iter().for_each(|event| listener.event(event));
    String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
}

fn handed(payload: &str) -> String {
    let output = ci::Handed::new("x", &json!(payload), false);
    ci::outputs(ci::OutputSyntax::Shell, &[output], "").text
}

/// Every sink, with what it makes of a payload.
fn sinks(payload: &str) -> Vec<(&'static str, Form, String)> {
    use Form::{Html, Json, Markdown, Plain as Text, Xml};
    let style = &Style::plain(80);
    let plan = &hostile_plan(payload);
    let drift = &hostile_drift(payload);
    let mut summary = sample::summary();
    for step in &mut summary.steps {
        step.address = Address::new(with("a", payload));
        if let Outcome::Failed { message, help, code } = &mut step.outcome {
            (*message, *help, *code) =
                (with("no", payload), Some(with("do", payload)), Some(with("Code", payload)));
        }
    }
    let summary = &summary;
    let outputs = &BTreeMap::from([(
        payload.to_owned(),
        OutputValue { value: json!({ payload: payload }), secret: false },
    )]);
    let problems = &hostile_problems(payload);
    let findings = &hostile_findings(payload);
    let (found, rules) = (&hostile_connections(payload), &[]);
    let events = &hostile_events(payload);
    let place = || Place { file: with("b.yaml", payload), line: 1, column: 1 };
    let places: HashMap<Address, Place> =
        drift.drifted.iter().map(|drift| (drift.address.clone(), place())).collect();
    let nodes = &[
        GraphNode::new(Address::new(with("a.b", payload)), with("network", payload)),
        GraphNode::new(Address::new(with("a.c", payload)), ""),
    ];
    let mut edges = Dag::new(2);
    edges.need(0, 1);
    vec![
        ("plan for people", Text, human::plan(plan, &crate::report::Places::new(), style)),
        ("plan in JSON", Json, json::to_text(&json::plan(&document(plan, Stage::Plan, &[], &places)))),
        ("plan in Markdown", Markdown, markdown::plan(plan)),
        ("plan in HTML", Html, html::plan(plan)),
        ("drift for people", Text, human::drift(drift, style)),
        ("drift in JSON", Json, json::to_text(&json::drift(drift))),
        ("drift in Markdown", Markdown, markdown::drift(drift)),
        (
            "drift in HTML",
            Html,
            html::drift(drift)
                .replace(super::drift_page::SCRIPT, "")
                .replace("<script></script>", "")
                .replace("<link rel=\"icon\" href=\"data:,\">", "")
                .replace("<meta http-equiv", "<meta"),
        ),
        ("drift in JUnit", Xml, junit::drift(drift)),
        ("drift as metrics", Text, metrics::drift(drift)),
        ("drift as a card", Json, json::to_text(&card::drift(drift))),
        ("drift in Markdown without HTML", Markdown, markdown::drift_for(drift, Host::Bitbucket)),
        ("drift in SARIF", Json, json::to_text(&sarif::drift(drift, &places))),
        ("summary for people", Text, human::summary(summary, outputs, &crate::report::Places::new(), style)),
        ("summary in JSON", Json, json::to_text(&json::summary(summary, outputs))),
        ("outputs in JSON", Json, json::to_text(&json::outputs(outputs))),
        ("diagnostics", Text, human::diagnostics(problems, style)),
        ("policies for people", Text, human::findings(findings, style)),
        ("policies in Markdown", Markdown, markdown::plan_for(plan, Some(findings), Host::Summary)),
        ("connections for people", Text, human::connections(found, rules, style)),
        ("connections in JSON", Json, json::to_text(&json::connections(found, rules))),
        ("progress in lines", Text, told(events, |out| Box::new(Plain::new(out, *style)))),
        ("progress in JSON lines", Json, told(events, |out| Box::new(Jsonl::new(out)))),
        ("graph for Graphviz", Text, graph::dot(nodes, &edges)),
        ("graph in Mermaid", Text, graph::mermaid(nodes, &edges)),
        ("outputs for a shell", Text, handed(payload)),
        ("a run in Markdown", Markdown, ci::applied(payload, None, summary)),
        ("errors", Text, super::escape_lines(&with("it failed", payload))),
        ("terminal", Text, super::guarded(&with("it failed", payload), &Default::default(), false)),
    ]
}

#[test]
fn foreign_text_commands_nobody_in_any_report() {
    let mut harms = Vec::new();
    for payload in CORPUS {
        let all = sinks(payload);
        assert_eq!(all.len(), 29);
        for (name, form, text) in all {
            harms.extend(harm(form, &text).map(|harm| format!("{name} of {payload:?} {harm}")));
        }
    }
    assert!(harms.is_empty(), "{} harms:\n{}", harms.len(), harms.join("\n"));
}

#[test]
fn what_is_harmless_once_is_the_same_twice() {
    for payload in CORPUS {
        for text in [payload.to_string(), with("x", payload)] {
            let once = super::text::escape(&text).into_owned();
            assert_eq!(super::text::escape(&once), once);
            let once = super::guarded(&text, &Default::default(), false);
            assert_eq!(super::guarded(&once, &Default::default(), false), once);
        }
    }
}
