//! Drift as SARIF 2.1.0, which code hosts show beside the lines of a blueprint.
//!
//! Members are those of <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>: a result a drift, its
//! physical location the entry that asked for the resource, its logical location the address.

use super::fit::{dropped, fit};
use super::json::changed_by;
use super::junit::sentence;
use super::markdown::field_lines;
use crate::diag::Place;
use crate::drift::{Drift, DriftKind, DriftReport, Severity};
use crate::ident::{Address, Owner};
use serde_json::{Value, json};
use std::collections::HashMap;

/// How large a file may be: code hosts take 10 MB, compressed.
const BUDGET: usize = 9_000_000;
/// How many results GitHub takes of a run.
const RESULTS: usize = 25_000;

/// A drift report. A resource that the blueprint no longer mentions has no place in a file.
pub fn drift(report: &DriftReport, places: &HashMap<Address, Place>) -> Value {
    let owner = Owner::new(report.blueprint.clone()).within(report.environment.clone());
    let all = report.worst_first();
    let sizes: Vec<(usize, usize)> =
        all.iter().map(|drift| (sentence(drift).len() + 1_200, field_lines(drift).len() * 2)).collect();
    let mut fitted = fit(&sizes, BUDGET);
    fitted.shown = fitted.shown.min(RESULTS);
    fitted.detailed = fitted.detailed.min(fitted.shown);
    let mut kept: Vec<(usize, &&Drift)> = all.iter().take(fitted.shown).enumerate().collect();
    kept.sort_by(|a, b| a.1.address.cmp(&b.1.address));
    let results: Vec<Value> =
        kept.into_iter().map(|(at, drift)| result(drift, places, at < fitted.detailed)).collect();
    let mut shown = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "berth",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://github.com/berth-aks/berth",
                "rules": [
                    rule(DriftKind::Changed, "A resource is not as it was asked for"),
                    rule(DriftKind::Missing, "A resource is gone"),
                    rule(DriftKind::Added, "Somebody else made a resource where the blueprint wants none"),
                ],
            }},
            "automationDetails": { "id": format!("berth-drift/{}", encoded(&owner.to_string())) },
            "results": results,
        }],
    });
    let severities: serde_json::Map<String, Value> = report
        .by_severity()
        .into_iter()
        .map(|(severity, number)| (severity.word().to_owned(), json!(number)))
        .collect();
    shown["runs"][0]["properties"] =
        json!({ "checked": report.checked, "drifted": all.len(), "severities": severities });
    if let Some(header) = &report.header {
        shown["runs"][0]["properties"]["header"] = json!(header);
    }
    if let Some(dropped) = dropped(fitted, all.len()) {
        shown["runs"][0]["properties"]["dropped"] = json!(dropped);
    }
    shown
}

const fn rule_id(kind: DriftKind) -> &'static str {
    match kind {
        DriftKind::Changed => "drift-changed",
        DriftKind::Missing => "drift-missing",
        DriftKind::Added => "drift-added",
    }
}

fn rule(kind: DriftKind, about: &str) -> Value {
    json!({
        "id": rule_id(kind),
        "shortDescription": { "text": about },
        "help": { "text": "`berth apply` brings the resource back to what the blueprint says; or let the blueprint say what is there" },
        "defaultConfiguration": { "level": "warning" },
    })
}

fn result(drift: &Drift, places: &HashMap<Address, Place>, detailed: bool) -> Value {
    let mut location = json!({
        "logicalLocations": [{ "fullyQualifiedName": drift.address, "kind": "resource" }],
    });
    if let Some(place) = places.get(&drift.address) {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": encoded(&place.file.replace('\\', "/")) },
            "region": { "startLine": place.line, "startColumn": place.column },
        });
    }
    let mut shown = json!({
        "ruleId": rule_id(drift.kind),
        "level": match drift.severity {
            Severity::Critical | Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low => "note",
        },
        "message": { "text": match detailed {
            true => format!("{}\n{}", sentence(drift), field_lines(drift)),
            false => sentence(drift),
        } },
        "locations": [location],
        // The same drift of the same resource is the same finding in every run.
        "partialFingerprints": { "resource/v1": format!("{}|{}", rule_id(drift.kind), drift.id.as_str().to_lowercase()) },
    });
    shown["properties"] = json!({ "severity": drift.severity });
    if detailed {
        shown["properties"]["changedBy"] = json!(changed_by(drift));
    }
    shown
}

/// A path as a URI reference: what means something in one is written as `%XX`.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().fold(String::new(), |mut out, byte| {
        match plain(byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json::to_text, sample};

    #[test]
    fn a_drift_is_a_result_with_its_line() {
        let place = Place { file: "blue prints\\shop.yaml".into(), line: 12, column: 3 };
        let places = HashMap::from([(Address::new("networks.hub"), place)]);
        let text = to_text(&drift(&sample::drift(), &places)).replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn no_drift_is_no_result() {
        let mut report = sample::drift();
        report.drifted.clear();
        assert_eq!(drift(&report, &HashMap::new())["runs"][0]["results"], json!([]));
    }
}
