//! What Azure showed is kept by the simulator to the letter: loaded, exported, and read.

use crate::compare::compare;
use crate::facts::{self, Recording};
use crate::stage::SUBSCRIPTION;
use berth::arm::transport::{Method, Request, Transport};
use berth::sim::{Options, Simulator};
use serde_json::Value;
use std::collections::BTreeMap;

/// Every body of a resource at rest that a recording shows, by id in lower case; the last one of each.
fn shown(dir: &std::path::Path) -> BTreeMap<String, Value> {
    let mut bodies = BTreeMap::new();
    for (name, text) in Recording::all(dir) {
        for exchange in Recording::parse(&name, &text).exchanges {
            let body = exchange.answer.body;
            let is_resource = body["id"].is_string() && body["type"].is_string();
            if let (true, 200..300, Some(id)) = (is_resource, exchange.answer.status, body["id"].as_str()) {
                bodies.insert(id.to_ascii_lowercase(), body.clone());
            }
        }
    }
    bodies
}

/// Says where two bodies differ; the order of members counts.
fn differ(wrong: &mut Vec<String>, at: &str, azure: &Value, ours: &Value) {
    let findings = compare(azure, ours);
    wrong.extend(findings.iter().map(|finding| format!("{at}: {finding}")));
    let (azure, ours) = (azure.to_string(), ours.to_string());
    if findings.is_empty() && azure != ours {
        wrong.push(format!("{at}: in another order: {azure}\n{ours}"));
    }
}

pub async fn what_is_loaded_is_exported_and_read_as_it_was() {
    let Some(dir) = facts::dir("stored") else { return };
    let bodies = shown(&dir);
    let options = || Options { subscription: SUBSCRIPTION.to_owned(), ..Options::default() };
    let (mut kept, mut wrong) = (0, Vec::new());
    for (id, body) in &bodies {
        let simulator = Simulator::new(options());
        simulator.load(vec![body.clone()]).unwrap_or_else(|error| panic!("{id}: {error}"));
        let exported = simulator.export();
        let found = exported.iter().find(|found| found["id"] == body["id"]);
        let found = found.unwrap_or_else(|| panic!("{id} is gone"));
        differ(&mut wrong, &format!("{id}: exported"), body, found);
        let again = Simulator::new(options());
        again.load(exported.clone()).unwrap();
        if again.export() != exported {
            wrong.push(format!("{id}: another round changes it"));
        }
        let path = body["id"].as_str().unwrap();
        let version = berth::sim::newest_api_version(path).unwrap_or("2025-04-01");
        let url = format!("https://management.azure.com{path}?api-version={version}");
        let read = simulator.send(Request::new(Method::Get, url)).await.unwrap();
        let read: Value = serde_json::from_slice(&read.body).unwrap_or_default();
        differ(&mut wrong, &format!("{id}: read"), body, &read);
        kept += 1;
    }
    println!("stored: {kept} of {} recorded bodies loaded, exported and read to the letter", bodies.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(kept >= 30, "{kept}");
}
