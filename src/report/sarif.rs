//! Drift, what is in the way of a plan and what failed in a run, as SARIF 2.1.0, which code hosts show beside the lines of a
//! blueprint.
//!
//! Members are those of <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>: a result a drift, its
//! physical location the entry that asked for the resource, its logical location the address.

use super::fit::{Entry, Showing, dropped, fit, fit_by_rank};
use super::json::changed_by;
use super::junit::sentence;
use super::markdown::field_lines;
use super::text::{escape, escape_lines};
use crate::change::{Outcome, Summary};
use crate::diag::Place;
use crate::drift::{Drift, DriftKind, DriftReport, Severity};
use crate::ident::{Address, Owner};
use crate::plan::{Conflict, Plan};
use crate::policy::{Finding, Verdict};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

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
    let rules = json!([
        rule(DriftKind::Changed, "A resource is not as it was asked for"),
        rule(DriftKind::Missing, "A resource is gone"),
        rule(DriftKind::Added, "Somebody else made a resource where the blueprint wants none"),
    ]);
    let mut shown = run("berth-drift", &owner, rules, results);
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

/// A file with one run.
fn run(category: &str, owner: &Owner, rules: Value, results: Vec<Value>) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "berth",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://github.com/berth-aks/berth",
                "rules": rules,
            }},
            "automationDetails": { "id": format!("{category}/{}", encoded(&owner.to_string())) },
            "results": results,
        }],
    })
}

/// What is in the way of a plan, what may go wrong with it, and what policies say of it.
pub fn plan(plan: &Plan, findings: &[Finding], places: &HashMap<Address, Place>) -> Value {
    let owner = Owner::new(plan.blueprint.clone()).within(plan.environment.clone());
    let told = |level: &'static str, id: &'static str, conflict: &Conflict| Told {
        rule: id.to_owned(),
        level,
        text: conflict.message.clone(),
        help: format!("; {}", conflict.help),
        address: Some(conflict.address.to_string()),
        place: places.get(&conflict.address),
    };
    let conflicts = plan.conflicts.iter().map(|conflict| told("error", "plan-in-the-way", conflict));
    let warnings = plan.warnings.iter().map(|warning| told("warning", "plan-may-fail", warning));
    let by_policies = findings.iter().map(|finding| Told {
        rule: finding.rule.clone(),
        level: if finding.verdict == Verdict::Deny { "error" } else { "warning" },
        text: finding.message.clone(),
        help: String::new(),
        address: finding.address.clone(),
        place: finding.place.as_ref(),
    });
    told_run("berth-plan", &owner, conflicts.chain(warnings).chain(by_policies))
}

/// What failed in a run.
pub fn applied(owner: &Owner, summary: &Summary, places: &HashMap<Address, Place>) -> Value {
    let failed = summary.steps.iter().filter_map(|step| {
        let Outcome::Failed { message, help, code } = &step.outcome else { return None };
        let help = help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
        Some(Told {
            rule: code.clone().unwrap_or_else(|| "apply-failed".to_owned()),
            level: "error",
            text: format!("{} {}: {message}", step.action.word(), step.address),
            help,
            address: Some(step.address.to_string()),
            place: places.get(&step.address),
        })
    });
    told_run("berth-apply", owner, failed)
}

/// Something that is told of a resource.
struct Told<'a> {
    rule: String,
    level: &'static str,
    text: String,
    /// What to do about it, which goes first where there is no room.
    help: String,
    address: Option<String>,
    place: Option<&'a Place>,
}

fn told_run<'a>(category: &str, owner: &Owner, all: impl Iterator<Item = Told<'a>>) -> Value {
    let all: Vec<Told<'_>> = all.collect();
    let sizes: Vec<Entry> = all
        .iter()
        .map(|told| Entry {
            rank: u8::from(told.level != "error"),
            short: told.text.len() * 2 + 1_200,
            detail: told.help.len() * 2,
        })
        .collect();
    let (mut fitted, showing) = fit_by_rank(&sizes, BUDGET);
    let (number, mut rules, mut results) = (all.len(), BTreeSet::new(), Vec::new());
    for (told, showing) in all.into_iter().zip(showing) {
        if showing == Showing::Dropped || results.len() >= RESULTS {
            continue;
        }
        let text = match showing {
            Showing::Whole => escape_lines(&format!("{}{}", told.text, told.help)),
            _ => escape_lines(&told.text),
        };
        let mut location = json!({});
        if let Some(address) = &told.address {
            location["logicalLocations"] =
                json!([{ "fullyQualifiedName": escape(address), "kind": "resource" }]);
        }
        if let Some(place) = told.place {
            location["physicalLocation"] = physical(place);
        }
        let address = told.address.unwrap_or_default();
        let mut result = json!({
            "ruleId": told.rule, "level": told.level, "message": { "text": text },
            "partialFingerprints": { "resource/v1": format!("{}|{}", told.rule, address.to_lowercase()) },
        });
        if location != json!({}) {
            result["locations"] = json!([location]);
        }
        results.push(result);
        rules.insert(told.rule);
    }
    fitted.shown = results.len();
    fitted.detailed = fitted.detailed.min(fitted.shown);
    let told_dropped = dropped(fitted, number);
    let rules: Vec<Value> = rules.into_iter().map(|id| json!({ "id": id })).collect();
    let mut shown = run(category, owner, rules.into(), results);
    if let Some(dropped) = told_dropped {
        shown["runs"][0]["properties"] = json!({ "dropped": dropped });
    }
    shown
}

fn physical(place: &Place) -> Value {
    json!({
        "artifactLocation": { "uri": encoded(&place.file.replace('\\', "/")) },
        "region": { "startLine": place.line, "startColumn": place.column },
    })
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
        location["physicalLocation"] = physical(place);
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
    fn what_is_in_the_way_and_what_failed_are_results_with_their_lines() {
        let mut planned = sample::plan();
        let step = planned.steps[0].clone();
        let help = "take it over with `--adopt`".to_owned();
        let (address, id) = (step.address.clone(), step.id);
        planned.conflicts.push(Conflict { address, id, message: "it is there".into(), help });
        let place = Place { file: "shop.yaml".into(), line: 12, column: 3 };
        let places = HashMap::from([(step.address.clone(), place.clone())]);
        let denial = Finding {
            verdict: Verdict::Deny,
            rule: "berth.tags.deny".into(),
            message: "no team \u{1b}[31m".into(),
            address: None,
            place: Some(place),
        };
        let shown = plan(&planned, &[denial], &places);
        let results = shown["runs"][0]["results"].as_array().unwrap();
        let lines: Vec<&Value> = results
            .iter()
            .map(|one| &one["locations"][0]["physicalLocation"]["region"]["startLine"])
            .collect();
        assert!(lines.len() >= 2 && lines.contains(&&json!(12)), "{shown}");
        assert!(!shown.to_string().contains("\\u001b"), "{shown}");
        let failed =
            Outcome::Failed { message: "taken".into(), help: None, code: Some("VaultAlreadyExists".into()) };
        let step = crate::change::StepResult {
            address: step.address,
            action: crate::change::Action::Create,
            outcome: failed,
            deleted: false,
            elapsed_ms: 1,
            retries: 0,
            waited_ms: 0,
        };
        let summary = Summary { steps: vec![step], ..Summary::default() };
        let shown = applied(&Owner::new("shop".to_owned()), &summary, &places);
        assert_eq!(shown["runs"][0]["results"][0]["ruleId"], "VaultAlreadyExists");
        assert_eq!(shown["runs"][0]["results"][0]["level"], "error");
    }

    #[test]
    fn a_large_plan_drops_help_and_no_result() {
        let mut planned = sample::plan();
        let step = planned.steps[0].clone();
        let conflict = |at: usize| Conflict {
            address: Address::new(format!("networks.n{at}")),
            id: step.id.clone(),
            message: "it may go wrong".into(),
            help: "x".repeat(9_000),
        };
        planned.warnings = (0..1_000).map(conflict).collect();
        planned.conflicts = vec![Conflict { message: "it is in the way".into(), ..conflict(1_000) }];
        let shown = plan(&planned, &[], &HashMap::new());
        assert!(shown.to_string().len() <= BUDGET, "{}", shown.to_string().len());
        assert_eq!(shown["runs"][0]["results"].as_array().unwrap().len(), 1_001);
        let dropped = shown["runs"][0]["properties"]["dropped"].as_str().unwrap();
        assert!(dropped.starts_with("the details of "), "{dropped}");
        let first = shown["runs"][0]["results"][0]["message"]["text"].as_str().unwrap();
        assert!(first.len() > 9_000, "what is in the way keeps its help");
    }

    #[test]
    fn no_drift_is_no_result() {
        let mut report = sample::drift();
        report.drifted.clear();
        assert_eq!(drift(&report, &HashMap::new())["runs"][0]["results"], json!([]));
    }
}
