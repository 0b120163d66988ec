//! A drift report for a person.

use super::connections::not_ours;
use super::value::Shown;
use crate::drift::{Drift, DriftKind, DriftReport, FieldDrift, Severity};
use crate::report::fit::{dropped, fit};
use crate::report::header;
use crate::report::left_alone;
use crate::report::names::dated_field;
use crate::report::style::{Line, Page, Style, Tone};
use crate::report::text::{count, escape};
use crate::report::waivers;
use crate::report::words::{blamed, shown_type};
use serde_json::Value;

/// How much a terminal is given: nobody reads more there.
const BUDGET: usize = 256 * 1024;

/// Renders a drift report: what is not as it was asked for, field by field.
pub fn drift(report: &DriftReport, style: &Style) -> String {
    let mut page = Page::new(style);
    let checked = count(report.checked, "resource");
    header::human(&mut page, report.header.as_ref());
    if report.drifted.is_empty() {
        let rest = format!(" {checked} of {} checked.", escape(&report.blueprint));
        page.line(Line::default().add(Tone::Good, "No drift.").plain(rest));
        not_ours(&mut page, &report.not_ours, &report.not_ours_by);
        left_alone::human(&mut page, &report.left_alone);
        waivers::human(&mut page, report);
        return page.finish();
    }
    page.line(Line::default().plain("Drift of ").add(Tone::Strong, escape(&report.blueprint)));
    let parts: Vec<(String, String)> = report.drifted.iter().map(|drift| part(drift, style)).collect();
    let sizes: Vec<(usize, usize)> = parts.iter().map(|(head, detail)| (head.len(), detail.len())).collect();
    let all = fit(&sizes, BUDGET);
    // When there is room for some only, the gravest are shown.
    let order: Vec<usize> = match all.detailed == parts.len() {
        true => (0..parts.len()).collect(),
        false => {
            let mut order: Vec<usize> = (0..parts.len()).collect();
            order.sort_by_key(|&at| std::cmp::Reverse(report.drifted[at].severity));
            order
        }
    };
    let sizes: Vec<(usize, usize)> = order.iter().map(|&at| sizes[at]).collect();
    let fitted = fit(&sizes, BUDGET);
    for (shown, &at) in order.iter().take(fitted.shown).enumerate() {
        page.gap();
        page.append(&parts[at].0);
        if shown < fitted.detailed {
            page.append(&parts[at].1);
        }
    }
    if let Some(dropped) = dropped(fitted, parts.len()) {
        page.gap();
        let text = format!("{dropped}; `--report json=FILE` has more");
        page.hanging(Line::indented(2), Tone::Change, &text);
    }
    not_ours(&mut page, &report.not_ours, &report.not_ours_by);
    left_alone::human(&mut page, &report.left_alone);
    waivers::human(&mut page, report);
    page.gap();
    let of = |kind| report.drifted.iter().filter(|drift| drift.kind == kind).count();
    let kinds = [
        (of(DriftKind::Changed), "changed"),
        (of(DriftKind::Missing), "missing"),
        (of(DriftKind::Added), "added"),
    ];
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let text = format!("{} of {checked}.", kinds.join(", "));
    page.line(Line::default().add(Tone::Strong, "Drift: ").plain(text));
    let some = report.by_severity().into_iter().filter(|(_, number)| *number > 0);
    let some: Vec<String> = some.map(|(severity, number)| format!("{number} {}", severity.word())).collect();
    page.line(Line::default().add(Tone::Strong, "Severity: ").plain(format!("{}.", some.join(", "))));
    page.finish()
}

/// A drift: its two lines, and what is told below them.
fn part(drift: &Drift, style: &Style) -> (String, String) {
    let mut page = Page::new(style);
    let (mark, tone, word) = match drift.kind {
        DriftKind::Changed => ("~", Tone::Change, "changed"),
        DriftKind::Missing => ("-", Tone::Bad, "missing"),
        DriftKind::Added => ("+", Tone::Note, "added by others"),
    };
    let head = Line::indented(2).add(tone, mark).plain(" ").add(Tone::Strong, escape(drift.address.as_str()));
    let grave = if drift.severity >= Severity::High { Tone::Bad } else { Tone::Dim };
    let head = head.plain("  ").add(tone, word).add(grave, format!("  {}", drift.severity.word()));
    let typed = head.clone().add(Tone::Dim, format!("  {}", escape(shown_type(&drift.arm_type))));
    page.line(if typed.width() <= style.width { typed } else { head });
    // The whole id on one line, however long, so that it can be copied.
    page.line(Line::indented(6).add(Tone::Dim, escape(drift.id.as_str())));
    let head = page.finish();
    let mut page = Page::new(style);
    let shown = Shown { base: Some(&drift.id), names: None, style };
    drift.fields.iter().for_each(|field| self::field(&mut page, &shown, field));
    for (about, text) in blamed(drift) {
        let text = about.map_or(text.clone(), |about| format!("{about}: {text}"));
        for line in style.fold(&text, 6) {
            page.line(Line::indented(6).add(Tone::Note, line));
        }
    }
    (head, page.finish())
}

fn field(page: &mut Page<'_>, shown: &Shown<'_>, field: &FieldDrift) {
    let field = &*dated_field(field);
    let path = shown.path(&field.path);
    let actual = if field.actual.is_null() { "nothing".to_owned() } else { shown.inline(&field.actual) };
    let expected =
        if field.expected.is_null() { "nothing".to_owned() } else { shown.inline(&field.expected) };
    let line = Line::indented(6)
        .plain(format!("{path}: "))
        .add(Tone::Dim, "expected ")
        .add(Tone::Good, expected)
        .add(Tone::Dim, ", found ")
        .add(Tone::Bad, actual);
    if line.width() <= page.style.width {
        return page.line(line);
    }
    page.line(Line::indented(6).plain(format!("{path}:")));
    shown.long(page, Line::indented(8).add(Tone::Dim, "expected ").add(Tone::Good, ""), &field.expected);
    let head = Line::indented(8).add(Tone::Dim, "found    ");
    match &field.actual {
        Value::Null => page.line(head.add(Tone::Bad, "nothing")),
        actual => shown.long(page, head, actual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn says_what_was_expected_and_what_is_there() {
        insta::assert_snapshot!(drift(&sample::drift(), &Style::default()));
    }

    #[test]
    fn no_drift_is_one_line() {
        let report = DriftReport { drifted: vec![], not_ours: vec![], waived: vec![], ..sample::drift() };
        insta::assert_snapshot!(drift(&report, &Style::default()), @"No drift. 31 resources of shop checked.");
    }
}
