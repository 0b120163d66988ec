//! Drift that somebody accepts for a while: it is not drift until its day, and is always told.

use super::model::{Drift, DriftKind, DriftReport};
use crate::ident::Address;
use serde::{Deserialize, Serialize};

/// A drift that is accepted until a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The resource, by its address.
    pub address: Address,
    /// The field, as reports show it (`tags.team`), or what is around it; `*` is everything about the resource, also that it
    /// is gone or was added.
    pub field: String,
    /// The last day on which it holds: `2026-03-31`.
    pub until: String,
    /// Why.
    pub reason: String,
}

/// A file of waivers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waivers {
    /// The waivers.
    pub waivers: Vec<Waiver>,
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverState {
    /// It covers a drift.
    Used,
    /// What it is about has not drifted.
    Unused,
    /// Its day has passed: what it covered is drift again.
    Expired,
}

/// A waiver, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waived {
    /// The waiver.
    pub waiver: Waiver,
    /// What became of it.
    pub state: WaiverState,
    /// The paths of the fields that it covers now, or `*` for the whole resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
}

/// Whether a text is a day as `2026-03-31`.
pub fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, length: usize| {
        (text.len() == length && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Takes what waivers cover out of the drift, and lists every waiver with what became of it. `today` is written as they are.
pub fn waive(report: &mut DriftReport, waivers: &[Waiver], today: &str) {
    for waiver in waivers {
        let mut covers = Vec::new();
        // Days of this form sort as texts.
        let holds = waiver.until.as_str() >= today;
        for drift in report.drifted.iter_mut().filter(|drift| drift.address == waiver.address) {
            covers.extend(covered(drift, &waiver.field, holds));
        }
        let state = match (holds, covers.is_empty()) {
            (false, _) => WaiverState::Expired,
            (true, true) => WaiverState::Unused,
            (true, false) => WaiverState::Used,
        };
        report.waived.push(Waived { waiver: waiver.clone(), state, covers });
    }
    report
        .drifted
        .retain(|drift| !(drift.waived || drift.kind == DriftKind::Changed && drift.fields.is_empty()));
    for drift in &mut report.drifted {
        if let Some(gravest) = drift.fields.iter().map(|field| field.severity).max() {
            drift.severity = gravest;
        }
    }
}

/// The paths that a waiver is about, taken out of the drift when it holds.
fn covered(drift: &mut Drift, field: &str, holds: bool) -> Vec<String> {
    if field == "*" {
        drift.waived = holds;
        return vec!["*".to_owned()];
    }
    let is_meant = |path: &str| {
        let (path, field) = (plain(path), plain(field));
        path == field || path.strip_prefix(&*field).is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    let paths: Vec<String> =
        drift.fields.iter().filter(|own| is_meant(&own.path)).map(|own| own.path.clone()).collect();
    if holds {
        drift.fields.retain(|own| !is_meant(&own.path));
        for by in &mut drift.changed_by {
            by.fields.retain(|path| !is_meant(path));
        }
        if !drift.fields.is_empty() {
            drift.changed_by.retain(|by| !by.fields.is_empty());
        }
    }
    paths
}

fn plain(path: &str) -> String {
    let path = path.to_lowercase();
    path.strip_prefix("properties.").unwrap_or(&path).replace("[\"", ".").replace("\"]", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{FieldDrift, Severity};
    use crate::ident::ArmId;
    use serde_json::json;

    fn report() -> DriftReport {
        let drift = |name: &str, kind, fields: &[&str]| {
            let severity = |path: &str| if path.starts_with("tags") { Severity::Low } else { Severity::High };
            let field = |path: &&str| FieldDrift {
                severity: severity(path),
                ..FieldDrift::new(*path, json!(1), json!(2))
            };
            let fields = fields.iter().map(field).collect();
            let severity = Severity::High;
            Drift {
                severity,
                ..Drift::new(Address::new(name), ArmId::resource_group("s", name), "t", kind, fields)
            }
        };
        DriftReport {
            drifted: vec![
                drift("a", DriftKind::Changed, &["properties.size", "tags[\"team\"]"]),
                drift("b", DriftKind::Missing, &[]),
            ],
            ..DriftReport::default()
        }
    }

    fn waiver(address: &str, field: &str, until: &str) -> Waiver {
        Waiver {
            address: Address::new(address),
            field: field.into(),
            until: until.into(),
            reason: "r".into(),
        }
    }

    #[test]
    fn a_waiver_covers_until_its_day_and_is_told_after() {
        for (waivers, left, state) in [
            (vec![waiver("a", "size", "2026-01-02")], vec![("a", 1), ("b", 0)], WaiverState::Used),
            (vec![waiver("a", "Properties.Size", "2026-01-02")], vec![("a", 1), ("b", 0)], WaiverState::Used),
            (vec![waiver("a", "tags", "2026-12-31")], vec![("a", 1), ("b", 0)], WaiverState::Used),
            (vec![waiver("a", "*", "2026-12-31")], vec![("b", 0)], WaiverState::Used),
            (vec![waiver("b", "*", "2026-12-31")], vec![("a", 2)], WaiverState::Used),
            (vec![waiver("a", "siz", "2026-12-31")], vec![("a", 2), ("b", 0)], WaiverState::Unused),
            (vec![waiver("a", "size", "2026-01-01")], vec![("a", 2), ("b", 0)], WaiverState::Expired),
            (vec![waiver("b", "*", "2025-12-31")], vec![("a", 2), ("b", 0)], WaiverState::Expired),
        ] {
            let mut report = report();
            waive(&mut report, &waivers, "2026-01-02");
            let found: Vec<(&str, usize)> =
                report.drifted.iter().map(|drift| (drift.address.as_str(), drift.fields.len())).collect();
            assert_eq!((found, report.waived[0].state), (left, state), "{waivers:?}");
        }
    }

    #[test]
    fn what_is_left_is_as_grave_as_its_gravest_field() {
        let mut report = report();
        waive(&mut report, &[waiver("a", "size", "2026-12-31")], "2026-01-01");
        assert_eq!(report.drifted[0].severity, Severity::Low);
    }

    #[test]
    fn days_are_days() {
        for (text, expected) in [
            ("2026-02-28", true),
            ("2026-02-29", false),
            ("2028-02-29", true),
            ("2026-13-01", false),
            ("2026-1-1", false),
            ("tomorrow", false),
            ("2026-04-31", false),
        ] {
            assert_eq!(is_day(text), expected, "{text}");
        }
    }
}
