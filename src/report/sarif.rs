//! Drift as SARIF 2.1.0, which code hosts show beside the lines of a blueprint.
//!
//! Members are those of <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>: a result a drift, its
//! physical location the entry that asked for the resource, its logical location the address.

use super::json::changed_by;
use super::junit::sentence;
use super::markdown::field_lines;
use crate::diag::Place;
use crate::drift::{Drift, DriftKind, DriftReport, Severity};
use crate::ident::{Address, Owner};
use serde_json::{Value, json};
use std::collections::HashMap;

/// A drift report. A resource that the blueprint no longer mentions has no place in a file.
pub fn drift(report: &DriftReport, places: &HashMap<Address, Place>) -> Value {
    let owner = Owner::new(report.blueprint.clone()).within(report.environment.clone());
    let results: Vec<Value> = report.drifted.iter().map(|drift| result(drift, places)).collect();
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
    if let Some(header) = &report.header {
        shown["runs"][0]["properties"] = json!({ "header": header });
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

fn result(drift: &Drift, places: &HashMap<Address, Place>) -> Value {
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
        "message": { "text": format!("{}\n{}", sentence(drift), field_lines(drift)) },
        "locations": [location],
        // The same drift of the same resource is the same finding in every run.
        "partialFingerprints": { "resource/v1": format!("{}|{}", rule_id(drift.kind), drift.id.as_str().to_lowercase()) },
    });
    shown["properties"] = json!({ "severity": drift.severity, "changedBy": changed_by(drift) });
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
