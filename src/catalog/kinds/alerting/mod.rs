//! What alerts of every sort have: how grave they are, how often they look, whom they tell.

pub mod action_group;
pub mod log_alert;
pub mod metric_alert;
pub mod prometheus_rules;

use super::interval::Interval;
use super::naming::NameRule;
use super::scope::scope_id;
use crate::catalog::{EntryCx, Named, Problem, Reference};
use crate::diag::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&MONITOR_NAME, &ALERT_TIMES, &ALERT_DIMENSION];

const MONITOR_NAME: Code = Code {
    name: "monitor-name",
    why: "Names of alerts, action groups and diagnostic settings have 1 to 260 characters, and Azure refuses some of them.",
    remedy: "Take the characters out that the message names.",
    example: "name: node-not-ready",
};

/// A name of 1 to 260 characters, each of which passes `inner`; `says` is the rule in words.
pub(super) const fn name_rule(what: &'static str, inner: fn(char) -> bool, says: &'static str) -> NameRule {
    let visible: fn(char) -> bool = |c| c != ' ' && !c.is_control();
    NameRule {
        code: &MONITOR_NAME,
        what,
        min: 1,
        max: 260,
        first: visible,
        inner,
        last: |c| c != ' ' && c != '.',
        says,
    }
}

/// How grave an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum AlertSeverity {
    /// Severity 0.
    Critical,
    /// Severity 1.
    Error,
    /// Severity 2.
    Warning,
    /// Severity 3.
    Informational,
    /// Severity 4.
    Verbose,
}

impl AlertSeverity {
    /// Azure's number.
    pub(super) fn number(self) -> Value {
        Value::from(self as u8)
    }
}

/// How a value is compared with the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// It is the threshold.
    Equals,
    /// It is above the threshold.
    GreaterThan,
    /// It is the threshold or above.
    GreaterThanOrEqual,
    /// It is below the threshold.
    LessThan,
    /// It is the threshold or below.
    LessThanOrEqual,
}

/// What is made of the values of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Aggregation {
    /// Their mean.
    Average,
    /// How many there are.
    Count,
    /// The lowest.
    Minimum,
    /// The highest.
    Maximum,
    /// Their sum.
    Total,
}

/// Which values of a dimension count; each of them is watched by itself.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DimensionSpec {
    /// These, or `\"*\"` for each that there is.
    #[serde(default)]
    include: Vec<String>,
    /// All but these.
    #[serde(default)]
    exclude: Vec<String>,
}

const ALERT_DIMENSION: Code = Code {
    name: "alert-dimension",
    why: "Of a dimension an alert watches the values that are named, or all but those that are named.",
    remedy: "Write `include` or `exclude`, with at least one value.",
    example: "dimensions: { node: { include: [\"*\"] } }",
};

/// The dimensions as Azure has them.
pub(super) fn dimensions(all: &Named<DimensionSpec>, path: &str, cx: &mut EntryCx<'_>) -> Value {
    let one = |(name, dimension): (&String, &DimensionSpec)| {
        if dimension.include.is_empty() == dimension.exclude.is_empty() {
            let message = format!("`{name}` names no values, or values to look at and values to leave out");
            cx.problem(
                Problem::error(&ALERT_DIMENSION, format!("{path}.{name}"), message)
                    .help("write `include: [\"*\"]`, or the values, or `exclude:` with those to leave out"),
            );
        }
        let (operator, values) = match dimension.include.is_empty() {
            false => ("Include", &dimension.include),
            true => ("Exclude", &dimension.exclude),
        };
        json!({ "name": name, "operator": operator, "values": values })
    };
    all.iter().map(one).collect()
}

/// The scopes of what an alert watches; what cannot be one is reported.
pub(super) fn scopes(targets: &[Reference], cx: &mut EntryCx<'_>) -> Vec<String> {
    let scope = |(at, target)| scope_id(Some(target), &format!("targets[{at}]"), cx);
    targets.iter().enumerate().filter_map(scope).collect()
}

/// A length of time as Azure writes it: that of the blueprint, or `or`.
pub(super) fn iso_or(span: Option<&Interval>, or: &str) -> Value {
    span.map_or_else(|| or.into(), |span| span.iso().into())
}

const ALERT_TIMES: Code = Code {
    name: "alert-times",
    why: "Azure looks at metrics and logs in fixed steps, and over a window that is no shorter than the step.",
    remedy: "Write one of the lengths that the message lists.",
    example: "every: 5m",
};

/// Reports a length of time that Azure does not offer, in minutes.
pub(super) fn offered(span: Option<&Interval>, minutes: &[i32], path: &str, cx: &mut EntryCx<'_>) {
    let Some(span) = span else { return };
    if minutes.iter().any(|offered| offered * 60 == span.seconds()) {
        return;
    }
    let shown = |minutes: &i32| match minutes {
        1440.. if minutes % 1440 == 0 => format!("`{}d`", minutes / 1440),
        60.. if minutes % 60 == 0 => format!("`{}h`", minutes / 60),
        _ => format!("`{minutes}m`"),
    };
    let all: Vec<String> = minutes.iter().map(shown).collect();
    let message = format!("`{path}` cannot be `{}`", span.text());
    cx.problem(Problem::error(&ALERT_TIMES, path, message).help(format!("write one of {}", all.join(", "))));
}

/// Reports a window that is shorter than the step between two looks.
pub(super) fn spans(every: i32, over: i32, cx: &mut EntryCx<'_>) {
    if over < every {
        let message =
            "the window is shorter than the time between two looks, so some of it is never looked at";
        cx.problem(
            Problem::error(&ALERT_TIMES, "over", message).help("make `over` as long as `every`, or longer"),
        );
    }
}

/// The action groups as most alerts have them.
pub(super) fn actions(groups: &[Reference]) -> Value {
    groups.iter().map(|group| json!({ "actionGroupId": group.id() })).collect()
}
