//! A recorded request, sent to the simulator, is answered as Azure answered it.

use crate::compare::{Difference, Finding, compare, glob, mask};
use crate::facts::{self, Answer, Exchange, Recording};
use crate::stage::Stage;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is not played, with the reason.
const NOT_PLAYED: &[(&str, &str)] = &[];

/// What is knowingly different: recording, place, reason. `*` stands for anything.
const KNOWN: &[(&str, &str, &str)] = &[];

#[tokio::test(start_paused = true)]
async fn the_simulator_answers_as_azure_did() {
    let Some(dir) = facts::dir("recorded_requests") else { return };
    let (mut played, mut all, mut fields, mut newer) = (0, 0, 0, 0);
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, text) in Recording::all(&dir) {
        if let Some((_, reason)) = NOT_PLAYED.iter().find(|(not, _)| *not == name) {
            let count = Recording::parse(&name, &text).exchanges.len();
            println!("recorded_requests: {count} exchanges of {name} are not played: {reason}");
            all += count;
            continue;
        }
        let mut stage = Stage::set(&name, &text).await;
        for (at, exchange) in stage.recording.exchanges.clone().into_iter().enumerate() {
            let answer = stage.play(&exchange).await;
            all += 1;
            played += 1;
            fields += leaves(&exchange.answer.body);
            for finding in differences(&exchange, &answer) {
                if finding.difference == Difference::Extra {
                    // The simulator has one body for every API version, with what the newest of them shows.
                    newer += 1;
                    continue;
                }
                let known = KNOWN
                    .iter()
                    .position(|(recording, path, _)| glob(recording, &name) && glob(path, &finding.path));
                match known {
                    Some(known) => drop(used.insert(known)),
                    None => wrong.push(format!("{name} #{at} {}: {finding}", exchange.ask())),
                }
            }
        }
    }
    for (at, (recording, path, _)) in KNOWN.iter().enumerate() {
        if !used.contains(&at) {
            wrong.push(format!("listed as known, and no longer so: {recording}: {path}"));
        }
    }
    println!(
        "recorded_requests: {played} of {all} exchanges, {fields} fields ({newer} more are those of newer API versions); \
         {} kinds of known differences",
        KNOWN.len()
    );
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(played * 100 >= all * 95, "only {played} of {all} exchanges were played");
}

/// Everything in which two answers differ: status, operation headers, body.
fn differences(exchange: &Exchange, ours: &Answer) -> Vec<Finding> {
    let azure = &exchange.answer;
    let mut findings = compare(&azure.body, &ours.body);
    let mut found = |path: &str, azure: Value, ours: Value| {
        let path = path.to_owned();
        findings.push(Finding { path, difference: Difference::Value, azure, ours });
    };
    if azure.status != ours.status {
        found("(status)", json!(azure.status), json!(ours.status));
    }
    for name in ["azure-asyncoperation", "location", "retry-after"] {
        let shown = |answer: &Answer| {
            answer.headers.get(name).map(|value| match name {
                "retry-after" => "seconds".to_owned(),
                _ => place(value),
            })
        };
        if shown(azure) != shown(ours) {
            found(&format!("({name})"), json!(shown(azure)), json!(shown(ours)));
        }
    }
    findings
}

/// An operation's address without what tells operations apart.
fn place(url: &str) -> String {
    let path = berth::arm::transport::path_and_query(url).split('?').next().unwrap_or_default();
    let folded = mask(path).to_ascii_lowercase();
    match folded.rsplit_once('/') {
        Some((start, last)) if folded.contains("operation") && last != "<guid>" => format!("{start}/<guid>"),
        _ => folded,
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(leaves).sum(),
        Value::Array(items) => items.iter().map(leaves).sum(),
        _ => 1,
    }
}
