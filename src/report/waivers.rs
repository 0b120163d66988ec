//! Waivers in reports: what they cover, what covers nothing, and whose day has passed.

use super::style::{Line, Page, Tone};
use super::text::escape;
use crate::drift::{DriftReport, Waived, WaiverState};
use crate::value::token;
use std::fmt::Write;

/// The groups in which waivers are told, those that need somebody first.
const GROUPS: [(WaiverState, &str, &str); 3] = [
    (WaiverState::Expired, "Expired waivers", "their day has passed: what they covered is drift again"),
    (WaiverState::Used, "Waived", "this is accepted until its day, and counts as no drift"),
    (WaiverState::Unused, "Unused waivers", "what they are about has not drifted"),
];

fn of(report: &DriftReport, state: WaiverState) -> impl Iterator<Item = &Waived> {
    report.waived.iter().filter(move |waived| waived.state == state)
}

/// `tags.team until 2026-03-31: the reason`.
fn words(waived: &Waived) -> String {
    let waiver = &waived.waiver;
    let field =
        if waiver.field == "*" { "everything".to_owned() } else { token::display_text(&waiver.field) };
    format!("{field} until {}: {}", waiver.until, waiver.reason)
}

/// For a person.
pub(super) fn human(page: &mut Page<'_>, report: &DriftReport) {
    for (state, title, about) in GROUPS {
        let mut found = of(report, state).peekable();
        if found.peek().is_none() {
            continue;
        }
        let tone = if state == WaiverState::Expired { Tone::Bad } else { Tone::Note };
        page.gap();
        page.hanging(Line::default().add(tone, format!("{title}: ")), Tone::Plain, about);
        for waived in found {
            let head =
                Line::indented(2).add(Tone::Strong, escape(waived.waiver.address.as_str())).plain("  ");
            page.line(head.plain(escape(&words(waived))));
        }
    }
}

/// As Markdown; `code` and `html` write what others chose.
pub(super) fn markdown(
    report: &DriftReport,
    code: &dyn Fn(&str) -> String,
    html: &dyn Fn(&str) -> String,
) -> String {
    let mut text = String::new();
    for (state, title, about) in GROUPS {
        let mut found = of(report, state).peekable();
        if found.peek().is_some() {
            let _ = writeln!(text, "\n**{title}:** {about}.\n");
        }
        for waived in found {
            let _ = writeln!(text, "- {}: {}", code(waived.waiver.address.as_str()), html(&words(waived)));
        }
    }
    text
}

/// As HTML; `safe` writes what others chose.
pub(super) fn html(report: &DriftReport, safe: &dyn Fn(&str) -> String) -> String {
    let mut text = String::new();
    for (state, title, about) in GROUPS {
        let rows: String = of(report, state)
            .map(|waived| {
                let address = safe(waived.waiver.address.as_str());
                format!("<tr><td><b>{address}</b></td><td>{}</td></tr>\n", safe(&words(waived)))
            })
            .collect();
        if !rows.is_empty() {
            let _ = write!(text, "<h2>{title}</h2>\n<p class=\"dim\">{about}</p>\n<table>\n{rows}</table>\n");
        }
    }
    text
}
