//! Drift in figures, for monitoring: Prometheus' text form, as its node exporter reads it from a file.

use super::text::escape;
use super::words::shown_type;
use crate::drift::DriftReport;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many types have a series of their own: what is beyond is counted as `other`.
const MOST: usize = 500;

/// A drift report as metrics. A figure is there also when it is zero, so that an alert can end.
pub fn drift(report: &DriftReport) -> String {
    let (blueprint, environment) =
        (label(&report.blueprint), label(report.environment.as_deref().unwrap_or_default()));
    let own = format!("blueprint=\"{blueprint}\",environment=\"{environment}\"");
    let mut out = String::new();
    let mut metric = |name: &str, about: &str, lines: Vec<(String, usize)>| {
        let _ = writeln!(out, "# HELP {name} {about}\n# TYPE {name} gauge");
        for (labels, value) in lines {
            let comma = if labels.is_empty() { "" } else { "," };
            let _ = writeln!(out, "{name}{{{own}{comma}{labels}}} {value}");
        }
    };
    metric(
        "berth_drift_checked_resources",
        "Resources of the blueprint that were compared.",
        vec![(String::new(), report.checked)],
    );
    let severities = report.by_severity().into_iter();
    let lines = severities.map(|(severity, number)| (format!("severity=\"{}\"", severity.word()), number));
    metric("berth_drift_severity_resources", "Resources that drifted, by severity.", lines.collect());
    let mut kinds: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for drift in &report.drifted {
        let mut kind = label(shown_type(&drift.arm_type));
        if kinds.len() >= MOST && !kinds.contains_key(&(kind.clone(), drift.severity.word())) {
            kind = "other".to_owned();
        }
        *kinds.entry((kind, drift.severity.word())).or_default() += 1;
    }
    let lines = kinds
        .into_iter()
        .map(|((kind, severity), number)| (format!("kind=\"{kind}\",severity=\"{severity}\""), number));
    metric("berth_drift_resources", "Resources that drifted, by type and severity.", lines.collect());
    let mut actors: BTreeMap<&str, usize> = BTreeMap::new();
    for by in report.drifted.iter().flat_map(|drift| &drift.changed_by) {
        *actors.entry(by.who.kind().words()).or_default() += 1;
    }
    let lines = actors.into_iter().map(|(kind, number)| (format!("actor=\"{kind}\""), number));
    metric("berth_drift_changes", "Changes that explain drift, by what made them.", lines.collect());
    out
}

/// A text as the value of a label, not longer than anybody needs.
fn label(text: &str) -> String {
    let short: String = text.chars().take(200).collect();
    escape(&short).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn drift_is_figures_by_kind_and_severity() {
        let text = drift(&sample::drift());
        for line in [
            "berth_drift_checked_resources{blueprint=\"shop\",environment=\"\"} 31",
            "berth_drift_severity_resources{blueprint=\"shop\",environment=\"\",severity=\"low\"} 0",
            "berth_drift_resources{blueprint=\"shop\",environment=\"\",kind=\"Network/virtualNetworks\",severity=\"high\"} 1",
            "berth_drift_changes{blueprint=\"shop\",environment=\"\",actor=\"policy\"} 1",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} is not in\n{text}");
        }
    }
}
