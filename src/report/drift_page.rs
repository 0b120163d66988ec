//! A drift report as one page: no file beside it, no network, and readable without its script.
//!
//! The script filters and nothing else. A content security policy in the page lets in that script, by its digest, and
//! nothing that a name or a tag could bring along.

use super::fit::{dropped, fit};
use super::human::value::Shown;
use super::left_alone;
use super::markdown::kind_word;
use super::markup::{header, not_ours, text};
use super::names::dated_field;
use super::picture;
use super::style::Style;
use super::text::count;
use super::waivers;
use super::words::{shown_path, shown_type, told};
use crate::drift::{ActorKind, Drift, DriftKind, DriftReport, FieldDrift, Severity, Who};
use crate::value::token;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;

/// How large the page may be.
pub(super) const BUDGET: usize = 4_000_000;
/// How many entries are open when the page is.
const OPEN: usize = 50;
/// What is in an entry that has no room for its details.
const LEFT_OUT: &str = "<p class=\"dim\">Its details are left out.</p>\n";
const END: &str = "</details>\n";
const STYLE: Style = Style::plain(100);

const CSS: &str = include_str!("drift_page.css");
pub(super) const SCRIPT: &str = include_str!("drift_page.js");

/// The page of a drift report.
pub(super) fn page(report: &DriftReport) -> String {
    let title = format!("Drift of {}", report.blueprint);
    let mut body = String::new();
    let _ = write!(
        body,
        "<a class=\"skip\" href=\"#list\">To the list</a>\n<header>\n<h1>{}</h1>\n{}</header>\n<main>\n",
        text(&title),
        header(report.header.as_ref())
    );
    body.push_str(&counts(report));
    let all = report.worst_first();
    if !all.is_empty() {
        body.push_str(&filters(&all));
    }
    let picture = picture::drawn(report);
    let mut tail = String::new();
    if let Some(picture) = &picture {
        tail.push_str(picture);
    }
    let mut rest = String::new();
    not_ours(&mut rest, &report.not_ours, &report.not_ours_by);
    left_alone::html(&mut rest, &report.left_alone, &text);
    // Lists of others may be of any length.
    if rest.len() > BUDGET / 4 {
        rest = "<p class=\"note\">What others added is not listed: this page has no room for it.</p>\n"
            .to_owned();
    }
    tail.push_str(&rest);
    tail.push_str(&waivers::html(report, &text));
    tail.push_str(&steady(report));
    let entries: Vec<(String, String)> = all.iter().enumerate().map(|(at, drift)| entry(at, drift)).collect();
    let sizes: Vec<(usize, usize)> = entries
        .iter()
        .map(|(head, detail)| (head.len() + LEFT_OUT.len() + END.len(), detail.len()))
        .collect();
    let used = body.len() + tail.len() + CSS.len() + SCRIPT.len() + 2_000;
    let fitted = fit(&sizes, BUDGET.saturating_sub(used));
    if !all.is_empty() {
        body.push_str("<section id=\"list\" aria-label=\"What drifted\">\n");
    }
    for (at, (head, detail)) in entries.iter().take(fitted.shown).enumerate() {
        body.push_str(head);
        body.push_str(if at < fitted.detailed { detail } else { LEFT_OUT });
        body.push_str(END);
    }
    if !all.is_empty() {
        body.push_str("</section>\n");
    }
    if let Some(dropped) = dropped(fitted, all.len()) {
        let _ = writeln!(
            body,
            "<p class=\"note\" role=\"note\">To keep this page small, {}.</p>",
            text(&dropped)
        );
    }
    body.push_str(&tail);
    body.push_str("</main>\n<footer class=\"dim\">Made by berth. Lines with − were asked for, lines with + were found.</footer>\n");
    shell(&title, &body, Some(SCRIPT))
}

/// A page around a body. A content security policy lets in the script, by its digest, and nothing that a name could bring
/// along.
pub(super) fn shell(title: &str, body: &str, script: Option<&str>) -> String {
    let digest = script.map(|script| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script))));
    let digest = digest.unwrap_or_else(|| "'none'".to_owned());
    let script = script.map(|script| format!("<script>{script}</script>\n")).unwrap_or_default();
    let title = text(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         img-src data:; script-src {digest}\">\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{CSS}</style>\n</head>\n<body>\n{body}{script}</body>\n</html>\n"
    )
}

/// The figures at the top.
fn counts(report: &DriftReport) -> String {
    let checked = count(report.checked, "resource");
    let mut out = String::from("<section class=\"counts\" aria-label=\"Counts\">\n");
    if report.drifted.is_empty() {
        let _ = writeln!(out, "<p class=\"totals calm\">No drift. {} checked.</p>", text(&checked));
    } else {
        let _ = writeln!(
            out,
            "<p class=\"totals\"><b>{}</b> of {} drifted</p>\n<ul class=\"cards\">",
            report.drifted.len(),
            text(&checked)
        );
        for (severity, number) in report.by_severity() {
            let _ = writeln!(
                out,
                "<li class=\"card {0}{2}\"><b>{1}</b> {0}</li>",
                severity.word(),
                number,
                if number == 0 { " none" } else { "" }
            );
        }
        for kind in [DriftKind::Changed, DriftKind::Missing, DriftKind::Added] {
            let number = report.count(kind);
            let none = if number == 0 { " none" } else { "" };
            let _ = writeln!(out, "<li class=\"card{none}\"><b>{number}</b> {}</li>", kind_word(kind));
        }
        out.push_str("</ul>\n");
        let reached = report.reached().into_iter().filter(|reached| *reached).count();
        if reached > 0 {
            let _ = writeln!(
                out,
                "<p class=\"dim\">{} what drifted.</p>",
                if reached == 1 {
                    "1 resource needs".to_owned()
                } else {
                    format!("{reached} resources need")
                }
            );
        }
    }
    out.push_str("</section>\n");
    out
}

/// The filters, which only the script shows: without it they would do nothing.
fn filters(all: &[&Drift]) -> String {
    let option =
        |value: &str, shown: &str| format!("<option value=\"{}\">{}</option>", text(value), text(shown));
    let select = |id: &str, label: &str, options: &str| {
        format!(
            "<label>{label} <select id=\"{id}\"><option value=\"\">all</option>{options}</select></label>\n"
        )
    };
    let kinds: String = [DriftKind::Changed, DriftKind::Missing, DriftKind::Added]
        .into_iter()
        .filter(|kind| all.iter().any(|drift| drift.kind == *kind))
        .map(|kind| option(kind_word(kind), kind_word(kind)))
        .collect();
    let severities: String = Severity::ALL
        .into_iter()
        .filter(|severity| all.iter().any(|drift| drift.severity == *severity))
        .map(|severity| option(severity.word(), severity.word()))
        .collect();
    let actors = all.iter().flat_map(|drift| &drift.changed_by).map(|by| &by.who);
    let names: BTreeSet<(ActorKind, String)> = actors.map(|who| (who.kind(), name(who))).collect();
    // A list of thousands helps nobody to choose.
    let actors: String = names.iter().take(200).map(|(_, name)| option(name, name)).collect();
    format!(
        "<form id=\"filters\" hidden aria-label=\"Filter\">\n{}{}{}<label>Since <input type=\"date\" id=\"f-time\"></label>\n\
         <label>Text <input type=\"search\" id=\"f-text\" placeholder=\"press /\"></label>\n\
         <button type=\"reset\">All</button>\n<output id=\"f-count\" aria-live=\"polite\"></output>\n</form>\n",
        select("f-kind", "Kind", &kinds),
        select("f-severity", "Severity", &severities),
        select("f-actor", "By", &actors),
    )
}

fn name(who: &Who) -> String {
    who.actor().map_or_else(|| "not known".to_owned(), ToString::to_string)
}

/// Who and when, for the filters.
fn data(drift: &Drift) -> (String, String) {
    let actors: BTreeSet<String> = drift.changed_by.iter().map(|by| name(&by.who)).collect();
    let times = drift.changed_by.iter().filter_map(|by| match &by.who {
        Who::Known(known) => Some(known.time.as_str()),
        Who::Unknown(_) => None,
    });
    let newest = times.max().unwrap_or_default().chars().take(10).collect();
    (actors.into_iter().collect::<Vec<_>>().join(" ; "), newest)
}

/// An entry as far as its line, and what unfolds.
fn entry(at: usize, drift: &Drift) -> (String, String) {
    let mark = match drift.kind {
        DriftKind::Changed => "~",
        DriftKind::Missing => "−",
        DriftKind::Added => "+",
    };
    let who: BTreeSet<String> = drift.changed_by.iter().map(|by| name(&by.who)).collect();
    let who: Vec<String> = who.into_iter().collect();
    let open = if at < OPEN { " open" } else { "" };
    let (actors, newest) = data(drift);
    let head = format!(
        "<details class=\"drift {0}\" id=\"d{at}\" data-kind=\"{1}\" data-severity=\"{0}\" data-actor=\"{5}\" \
         data-time=\"{6}\"{open}>\n<summary><span class=\"badge {0}\">{0}</span> \
         <span class=\"kind\">{mark} {1}</span> <b class=\"address\">{2}</b> \
         <span class=\"type dim\">{3}</span> <span class=\"who\">{4}</span></summary>\n",
        drift.severity.word(),
        kind_word(drift.kind),
        text(drift.address.as_str()),
        text(shown_type(&drift.arm_type)),
        text(&who.join(", ")),
        text(&actors),
        text(&newest)
    );
    let mut detail = format!("<p class=\"id dim\">{}</p>\n", text(drift.id.as_str()));
    if !drift.fields.is_empty() {
        detail.push_str("<div class=\"scroll\"><table class=\"fields\"><thead><tr><th>field</th><th>severity</th><th>asked for and found</th></tr></thead><tbody>\n");
        for field in &drift.fields {
            detail.push_str(&row(drift, field));
        }
        detail.push_str("</tbody></table></div>\n");
    }
    let verb = match drift.kind {
        DriftKind::Changed => "Changed by",
        DriftKind::Missing => "Deleted by",
        DriftKind::Added => "Made by",
    };
    if !drift.changed_by.is_empty() {
        detail.push_str("<ul class=\"by\">\n");
    }
    for by in &drift.changed_by {
        let fields: Vec<String> =
            by.fields.iter().map(|path| token::display_text(shown_path(path))).collect();
        let about = match fields.is_empty() || drift.changed_by.len() == 1 {
            true => String::new(),
            false => format!("<code>{}</code>: ", text(&fields.join(", "))),
        };
        let more = match &by.who {
            Who::Known(known) => format!(
                " <span class=\"dim\">{}{}</span>",
                text(&known.operation),
                known
                    .correlation_id
                    .as_ref()
                    .map(|id| format!(", correlation {}", text(id)))
                    .unwrap_or_default()
            ),
            Who::Unknown(_) => String::new(),
        };
        let _ = writeln!(
            detail,
            "<li><span class=\"actor\">{}</span> {about}{}{more}</li>",
            text(by.who.kind().words()),
            text(&told(verb, &by.who))
        );
    }
    if !drift.changed_by.is_empty() {
        detail.push_str("</ul>\n");
    }
    (head, detail)
}

fn row(drift: &Drift, field: &FieldDrift) -> String {
    let field = &*dated_field(field);
    let shown = Shown { base: Some(&drift.id), names: None, style: &STYLE };
    let line = |class: &str, mark: &str, value: &serde_json::Value| match value.is_null() {
        true => format!("<div class=\"{class}\">{mark} <i>nothing</i></div>"),
        false => format!("<div class=\"{class}\">{mark} {}</div>", text(&shown.inline(value))),
    };
    format!(
        "<tr><td>{}</td><td><span class=\"badge {1}\">{1}</span></td><td>{2}{3}</td></tr>\n",
        text(&shown.path(&field.path)),
        field.severity.word(),
        line("minus", "−", &field.expected),
        line("plus", "+", &field.actual)
    )
}

/// What is as it was asked for, as many names as help.
fn steady(report: &DriftReport) -> String {
    const MOST: usize = 500;
    if report.steady.is_empty() {
        return String::new();
    }
    let names: Vec<String> = report
        .steady
        .iter()
        .take(MOST)
        .map(|address| format!("<li>{}</li>", text(address.as_str())))
        .collect();
    let more = report.steady.len().saturating_sub(MOST);
    let more = if more > 0 { format!("<p class=\"dim\">and {more} more</p>") } else { String::new() };
    format!(
        "<section><details class=\"steady\"><summary>{} as asked for</summary><ul>{}</ul>{more}</details></section>\n",
        text(&count(report.steady.len(), "resource")),
        names.join("")
    )
}
