//! Reports for machines. The forms are stable: a member is added freely, and `version` goes up when one changes its
//! meaning or goes away.
//!
//! What is not known until apply, and what is secret, is `null`; `unknown` and `secret` beside it list the paths of
//! those values, so that `null` never has two meanings.

use super::document::{self, PlanDocument};
use super::fit::{Fit, fit};
use super::text::is_unsafe;
use crate::change::Summary;
use crate::diag::{Diagnostics, Place};
use crate::drift::{ChangedBy, Drift, DriftKind, DriftReport, Who};
use crate::plan::OutputValue;
use crate::private_link::{Found, Rule, judge};
use crate::value::token::{self, Piece, Token};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Version of the JSON forms of this module.
pub const VERSION: u32 = 1;

/// A plan; `docs/reference/plan-json.md` explains it.
pub fn plan(document: &PlanDocument) -> Value {
    serde_json::to_value(document).expect("a plan is JSON")
}

/// Outputs by name: `{ "value": …, "known": true, "secret": false }`; a secret one has no value.
pub fn outputs(outputs: &BTreeMap<String, OutputValue>) -> Value {
    serde_json::to_value(document::outputs(outputs)).expect("outputs are JSON")
}

/// Private endpoint connections, and what the rules say of each: `approve`, `approved`, `refused`, `not-named`, or why it is
/// held back.
///
/// ```json
/// {
///   "format": "berth-connections", "version": 1,
///   "targets": [{ "target": "/subscriptions/…", "exists": true, "problem": null, "connections": [{
///     "id": "/subscriptions/…", "endpoint": "/subscriptions/…", "status": "Pending", "description": "please",
///     "groups": ["vault"], "verdict": "approve"
///   }] }]
/// }
/// ```
pub fn connections(found: &[Found], rules: &[Rule]) -> Value {
    let targets = found.iter().map(|found| {
        let verdicts = judge(&found.target, rules, &found.connections);
        let connections = found.connections.iter().zip(verdicts).map(|(connection, verdict)| {
            let mut shown = json!(connection);
            shown["verdict"] = json!(verdict);
            shown
        });
        let connections: Vec<Value> = connections.collect();
        json!({
            "target": found.target,
            "exists": found.exists,
            "problem": found.problem,
            "connections": connections,
        })
    });
    let targets: Vec<Value> = targets.collect();
    json!({ "format": "berth-connections", "version": VERSION, "targets": targets })
}

/// A drift report.
///
/// ```json
/// {
///   "format": "berth-drift", "version": 1, "blueprint": "shop", "environment": "prod", "checked": 31,
///   "severities": { "critical": 0, "high": 0, "medium": 0, "low": 1 },
///   "kinds": { "changed": 1, "missing": 0, "added": 0 },
///   "header": { "blueprint": "shop", "environment": "prod", "azure": "public", "subscription": "…", … },
///   "drifted": [{
///     "address": "networks.hub", "id": "/subscriptions/…", "type": "Microsoft.Network/virtualNetworks",
///     "kind": "changed", "severity": "low",
///     "fields": [{ "path": "tags.team", "severity": "low", "expected": "platform", "actual": null }],
///     "changedBy": [{
///       "fields": ["tags.team"], "actor": { "kind": "person", "name": "ada@example.com" }, "client": "Azure Portal",
///       "time": "2026-01-01T10:00:00Z", "operation": "Microsoft.Network/virtualNetworks/write",
///       "correlationId": "…", "source": "resource-graph", "own": false
///     }],
///     "unknown": [], "secret": []
///   }],
///   "notOurs": [{
///     "address": "keyVaults.secrets", "id": "/subscriptions/…", "endpoint": "/subscriptions/…", "status": "Pending",
///     "description": "please"
///   }],
///   "leftAlone": [{ "address": "keyVaults.secrets", "path": "accessPolicies[…]", "reason": "added", "blueprint": null, "azure": null }]
/// }
/// ```
///
/// `severity` is `critical`, `high`, `medium` or `low`; `severities` counts the resources of each. `kind` is `changed`, `missing` or `added`. `changedBy` has an entry for each change that explains fields of it, or the
/// whole when `fields` is empty; one that is not known has `unknown`, the reason, and no actor.
/// The counts are always whole. When the rest would be too large, `dropped` says how many `resources` are not listed, and of
/// how many the `details` are left out; the least grave are dropped first.
/// `docs/schema/drift-v1.json` is the JSON Schema.
pub fn drift(report: &DriftReport) -> Value {
    let order: Vec<&Drift> = report.drifted.iter().collect();
    let mut drifted: Vec<Value> = order.iter().map(|drift| drifted_resource(drift)).collect();
    let mut fitted = fitting(&drifted);
    if fitted.detailed < drifted.len() {
        // What has no room is the least grave.
        drifted = report.worst_first().into_iter().map(drifted_resource).collect();
        fitted = fitting(&drifted);
        drifted.truncate(fitted.shown);
        for value in drifted.iter_mut().skip(fitted.detailed) {
            if let Value::Object(members) = value {
                ["fields", "changedBy", "unknown", "secret"].iter().for_each(|name| {
                    members.shift_remove(*name);
                });
            }
        }
    }
    let not_ours = report.not_ours.iter().enumerate().map(|(at, connection)| {
        let mut shown = json!(connection);
        if let Some(by) = report.not_ours_by.get(at) {
            shown["changedBy"] = who(by);
        }
        shown
    });
    let not_ours: Vec<Value> = not_ours.collect();
    let mut shown = json!({
        "format": "berth-drift",
        "version": VERSION,
        "blueprint": report.blueprint,
        "checked": report.checked,
        "severities": severities(report),
        "kinds": kinds(report),
        "drifted": drifted,
        "notOurs": not_ours,
        "waived": report.waived,
        "leftAlone": document::left_alone(&report.left_alone),
    });
    let all = report.drifted.len();
    if fitted.detailed < all {
        shown["dropped"] =
            json!({ "resources": all - fitted.shown, "details": fitted.shown - fitted.detailed });
    }
    if let Some(environment) = &report.environment {
        shown["environment"] = json!(environment);
    }
    if let Some(header) = &report.header {
        shown["header"] = json!(header);
    }
    shown
}

/// How large the part of a report may be that is about what drifted.
const BUDGET: usize = 10_000_000;

fn fitting(drifted: &[Value]) -> Fit {
    let sizes: Vec<(usize, usize)> = drifted
        .iter()
        .map(|value| {
            // Indented, a value takes about half as much again.
            let size = |value: &Value| value.to_string().len() * 3 / 2;
            let detail = size(&value["fields"]) + size(&value["changedBy"]);
            (size(value).saturating_sub(detail), detail)
        })
        .collect();
    fit(&sizes, BUDGET)
}

fn drifted_resource(drift: &Drift) -> Value {
    let mut hidden = Hidden::default();
    let fields: Vec<Value> = drift
        .fields
        .iter()
        .map(|field| {
            json!({
                "path": token::display_text(&field.path),
                "severity": field.severity,
                "expected": hidden.hide(&field.path, &field.expected),
                "actual": hidden.hide(&field.path, &field.actual),
            })
        })
        .collect();
    json!({
        "address": drift.address,
        "id": drift.id,
        "type": drift.arm_type,
        "kind": drift.kind,
        "severity": drift.severity,
        "fields": fields,
        "changedBy": changed_by(drift),
        "unknown": hidden.unknown,
        "secret": hidden.secret,
    })
}

/// How many drifted in each way.
fn kinds(report: &DriftReport) -> Value {
    json!({
        "changed": report.count(DriftKind::Changed),
        "missing": report.count(DriftKind::Missing),
        "added": report.count(DriftKind::Added),
    })
}

/// How many drifted of each severity.
fn severities(report: &DriftReport) -> Map<String, Value> {
    report
        .by_severity()
        .into_iter()
        .map(|(severity, count)| (severity.word().to_owned(), json!(count)))
        .collect()
}

/// Who made a drift.
pub(super) fn changed_by(drift: &Drift) -> Vec<Value> {
    let one = |by: &ChangedBy| {
        let fields: Vec<String> = by.fields.iter().map(|path| token::display_text(path)).collect();
        let mut shown = json!({ "fields": fields });
        if let (Value::Object(shown), Value::Object(who)) = (&mut shown, who(&by.who)) {
            shown.extend(who);
        }
        shown
    };
    drift.changed_by.iter().map(one).collect()
}

fn who(who: &Who) -> Value {
    match who {
        Who::Known(known) => json!({
            "actor": known.actor,
            "client": known.client,
            "time": known.time,
            "operation": known.operation,
            "correlationId": known.correlation_id,
            "source": known.source,
            "own": known.own,
        }),
        Who::Unknown(reason) => json!({ "unknown": reason }),
    }
}

/// How a run ended.
///
/// ```json
/// {
///   "format": "berth-summary", "version": 1, "complete": false, "interrupted": false, "elapsedMs": 734000,
///   "steps": [{
///     "address": "clusters.aks", "action": "create", "result": "failed", "message": "…", "code": "SkuNotAvailable",
///     "elapsedMs": 12000, "retries": 1, "waitedMs": 0
///   }],
///   "outputs": { … }
/// }
/// ```
///
/// `result` is `done`, `failed` (with `message`, `code`), `skipped` (with `because_of`), `not-started` or `unfinished`.
pub fn summary(summary: &Summary, values: &BTreeMap<String, OutputValue>) -> Value {
    json!({
        "format": "berth-summary",
        "version": VERSION,
        "complete": summary.is_complete(),
        "interrupted": summary.interrupted,
        "elapsedMs": summary.elapsed_ms,
        "steps": summary.steps,
        "outputs": outputs(values),
    })
}

/// What is wrong with files, for programs.
///
/// ```json
/// {
///   "format": "berth-diagnostics", "version": 1, "valid": false,
///   "files": [{
///     "file": "shop.yaml", "valid": false,
///     "diagnostics": [{
///       "code": "unknown-field", "severity": "error", "message": "…", "help": "…",
///       "place": { "file": "shop.yaml", "line": 3, "column": 5 }
///     }]
///   }]
/// }
/// ```
///
/// A file that is valid has the number of its `resources`, and only warnings.
pub fn diagnostics(files: &[(String, Option<usize>, Diagnostics)]) -> Value {
    let shown = files.iter().map(|(file, resources, found)| {
        let found = found.iter().map(|one| {
            json!({
                "code": one.code.name,
                "severity": one.severity,
                "message": one.message,
                "help": one.help,
                "place": one.span.as_ref().map(Place::from),
            })
        });
        let mut shown = json!({
            "file": file,
            "valid": resources.is_some(),
            "diagnostics": found.collect::<Vec<_>>(),
        });
        if let Some(resources) = resources {
            shown["resources"] = (*resources).into();
        }
        shown
    });
    json!({
        "format": "berth-diagnostics",
        "version": VERSION,
        "valid": files.iter().all(|(_, resources, _)| resources.is_some()),
        "files": shown.collect::<Vec<_>>(),
    })
}

/// The text of a JSON value, indented, in which no character does anything to a terminal.
pub fn to_text(value: &Value) -> String {
    let mut text = escaped(&format!("{value:#}"));
    text.push('\n');
    text
}

/// The text of a JSON value on one line, in which no character does anything to a terminal.
pub fn to_line(value: &Value) -> String {
    let mut text = escaped(&value.to_string());
    text.push('\n');
    text
}

/// JSON text with control and direction characters as `\u` escapes. Beyond white space they occur in texts only.
pub(crate) fn escaped(json: &str) -> String {
    let is_bad = |c: char| is_unsafe(c) && c != '\n';
    // In JSON they are in texts only, where the escape is the same text.
    let json = match json.contains("##") {
        true => {
            let mut safe = String::with_capacity(json.len() + 16);
            let mut rest = json;
            while let Some(at) = rest.find("##") {
                safe.push_str(&rest[..at]);
                safe.push_str("\\u0023");
                rest = &rest[at + 1..];
            }
            Cow::Owned(safe + rest)
        }
        false => Cow::Borrowed(json),
    };
    if !json.contains(is_bad) {
        return json.into_owned();
    }
    let mut safe = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        if is_bad(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Where the values are that a report does not hold.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    pub(super) unknown: Vec<String>,
    pub(super) secret: Vec<String>,
}

impl Hidden {
    /// The value with `null` for everything that holds a token; where it stood is noted.
    pub(super) fn hide(&mut self, path: &str, value: &Value) -> Value {
        match value {
            Value::String(text) if token::has_token(text) => {
                let pieces = token::pieces(text);
                let secret = pieces.iter().any(|piece| matches!(piece, Piece::Token(Token::Secret { .. })));
                self.note(path, secret);
                Value::Null
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.hide(&format!("{path}[{index}]"), item))
                .collect(),
            Value::Object(members) => {
                let mut shown = Map::new();
                for (name, member) in members {
                    let name = self.name(name);
                    let path = below(path, &name);
                    let member = self.hide(&path, member);
                    shown.insert(name, member);
                }
                Value::Object(shown)
            }
            other => other.clone(),
        }
    }

    /// Takes over what another one hid.
    pub(super) fn add(&mut self, other: Hidden) {
        for (paths, more) in [(&mut self.unknown, other.unknown), (&mut self.secret, other.secret)] {
            for path in more {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
    }

    fn note(&mut self, path: &str, secret: bool) {
        let path = token::display_text(path);
        let paths = if secret { &mut self.secret } else { &mut self.unknown };
        if !paths.contains(&path) {
            paths.push(path);
        }
    }

    /// A member's name; one that is not known yet says where it will come from, so that no two are the same.
    fn name(&self, name: &str) -> String {
        token::substitute_text(name, &mut |token| {
            Some(Value::String(match token {
                Token::Output { address, pointer } => format!("(known after apply: {address}#{pointer})"),
                other => other.to_string(),
            }))
        })
    }
}

/// The path of a member, as changes write it.
fn below(path: &str, name: &str) -> String {
    match (path, name.contains(['.', '/', ' '])) {
        (path, true) => format!("{path}[\"{name}\"]"),
        ("", false) => name.to_owned(),
        (path, false) => format!("{path}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn shown(plan: &crate::plan::Plan) -> Value {
        self::plan(&document::document(plan, document::Stage::Plan, &[], &Default::default()))
    }

    #[test]
    fn a_plan_holds_no_tokens() {
        let value = shown(&sample::plan());
        let text = to_text(&value);
        assert!(!token::has_token(&text) && !text.contains("hunter2") && !text.contains('\u{1b}'));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        let step = |address: &str| {
            value["steps"].as_array().unwrap().iter().find(|step| step["address"] == address).unwrap()
        };
        let cluster = step("clusters.aks");
        assert_eq!(cluster["secret"], json!(["properties.windowsProfile.adminPassword"]));
        assert_eq!(cluster["desired"]["properties"]["windowsProfile"]["adminPassword"], Value::Null);
        assert_eq!(cluster["after"], json!(["networks.hub"]));
        assert_eq!(
            step("roleAssignments.vaultReader")["unknown"],
            json!(["properties.principalId", "properties.description"])
        );
        assert_eq!(
            value["outputs"],
            json!({
                "issuer": { "value": null, "known": false, "secret": false },
                "kubeletPassword": { "value": null, "known": true, "secret": true },
                "vault": { "value": "https://kv-shop-x7k2p9.vault.azure.net/", "known": true, "secret": false },
            })
        );
    }

    #[test]
    fn a_small_plan_has_this_form() {
        let mut plan = sample::plan();
        plan.steps.retain(|step| step.address.as_str() == "clusters.blue");
        insta::assert_snapshot!(to_text(&shown(&plan)));
    }

    #[test]
    fn drift_and_summary_have_this_form() {
        insta::assert_snapshot!(to_text(&drift(&sample::drift())));
        insta::assert_snapshot!(to_text(&summary(&sample::summary(), &BTreeMap::new())));
    }

    #[test]
    fn names_that_are_not_known_yet_stay_apart() {
        let mut hidden = Hidden::default();
        let body =
            json!({ sample::unknown("a.b", "/id"): {}, sample::unknown("a.c", "/id"): sample::secret() });
        let shown = hidden.hide("x", &body);
        assert_eq!(
            shown,
            json!({ "(known after apply: a.b#/id)": {}, "(known after apply: a.c#/id)": null })
        );
        assert_eq!(hidden.secret, ["x[\"(known after apply: a.c#/id)\"]"]);
    }
}
