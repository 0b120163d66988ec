//! Reports as one HTML page that needs nothing else: no script, no font, no network.

use super::human::value::{Shown, is_secret};
use super::left_alone;
use super::markdown::step_lines;
use super::markup::{header, not_ours, text};
use super::names::Names;
use super::style::Style;
use super::text::{about, count};
use super::words::{ACTIONS, allowance, counted, disturbed, longest, mark, totals, why};
use crate::change::Action;
use crate::drift::DriftReport;
use crate::plan::Plan;
use std::fmt::Write;

const STYLE: Style = Style::plain(100);

const CSS: &str = "\
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; --change: #9a6700; --note: #0969da }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #f85149; --change: #d29922; --note: #58a6ff } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } code, pre, summary { font-family: ui-monospace, monospace; font-size: .9em }
details, .step { border-top: 1px solid var(--line); padding: .35rem 0 } summary { cursor: pointer }
.step { padding-left: 1rem; font-family: ui-monospace, monospace; font-size: .9em }
pre { margin: .3rem 0 .3rem 1.2rem; overflow-x: auto } .dim { opacity: .65 } .totals { font-weight: 600 }
.good { color: var(--good) } .bad { color: var(--bad) } .change { color: var(--change) } .note { color: var(--note) }
td { padding: .1rem 1rem .1rem 0; vertical-align: top; font-family: ui-monospace, monospace; font-size: .9em }
body { overflow-wrap: anywhere } pre { white-space: pre-wrap } td:first-child { overflow-wrap: normal; white-space: nowrap }
.filter label { margin-right: 1rem; white-space: nowrap }
@media (max-width: 40rem) { body { margin: 1rem auto } td { display: block; white-space: normal } pre { margin-left: .4rem } }
@media print { .filter { display: none } details::details-content { content-visibility: visible; block-size: auto } }
";

/// A plan.
pub fn plan(plan: &Plan) -> String {
    let verb = if plan.destroy { "Plan to destroy" } else { "Plan for" };
    let title = format!("{verb} {}", plan.blueprint);
    let mut body = header(plan.header.as_ref());
    let all = match plan.is_empty() && plan.conflicts.is_empty() {
        true if plan.destroy => "Nothing to destroy".to_owned(),
        true if plan.is_held() => "No changes that berth may make".to_owned(),
        true => format!("No changes. Azure matches the blueprint ({})", count(plan.steps.len(), "resource")),
        false => totals(&plan.counts()),
    };
    let _ = writeln!(body, "<p class=\"totals\">{}.</p>", text(&all));
    for flag in plan.changes().filter_map(allowance) {
        let _ = writeln!(body, "<p class=\"bad\">Protected: needs <code>{}</code></p>", text(&flag));
    }
    for conflict in &plan.conflicts {
        let (address, message) = (text(conflict.address.as_str()), text(&conflict.message));
        let help = text(&conflict.help);
        let _ = writeln!(body, "<p class=\"bad\">In the way: <code>{address}</code>: {message}; {help}</p>");
    }
    for warning in &plan.warnings {
        let (address, message) = (text(warning.address.as_str()), text(&warning.message));
        let help = text(&warning.help);
        let _ =
            writeln!(body, "<p class=\"change\">May go wrong: <code>{address}</code>: {message}; {help}</p>");
    }
    for step in plan.changes() {
        for line in disturbed(step) {
            let address = text(step.address.as_str());
            let line = text(line.trim_start_matches("! "));
            let _ = writeln!(body, "<p class=\"change\">Disturbs: <code>{address}</code>: {line}</p>");
        }
    }
    let (path, ms) = plan.critical_path();
    if ms >= 60_000 {
        let longest = longest(plan, &path).map(|longest| format!(" Longest: {}.", text(&longest)));
        let _ = writeln!(
            body,
            "<p class=\"dim\">Usually takes about {}.{}</p>",
            about(ms),
            longest.unwrap_or_default()
        );
    }
    filter(&mut body, plan);
    let names = Names::of(plan);
    for step in plan.changes() {
        let expected = if step.expected_ms >= 60_000 {
            format!(" usually {}", about(step.expected_ms))
        } else {
            String::new()
        };
        let why = why(step).map(|why| format!(" ({why})")).unwrap_or_default();
        let head = format!(
            "<span class=\"{}\">{} {}</span> <b>{}</b> <span class=\"dim\">{}{}{}</span>",
            class(step.action),
            mark(step.action, &STYLE),
            step.action.word(),
            text(step.address.as_str()),
            text(&step.arm_type),
            text(&why),
            expected
        );
        // What changes is seen at once; what is made is asked for by the blueprint as a whole.
        let open = if step.changes.is_empty() { "" } else { " open" };
        entry(&mut body, &head, step_lines(step, &names).as_deref(), step.action, open);
    }
    if !plan.outputs.is_empty() {
        let shown = Shown { base: None, names: None, style: &STYLE };
        body.push_str("<h2>Outputs</h2>\n<table>\n");
        for (name, output) in &plan.outputs {
            let secret = output.secret || is_secret(&output.value);
            let value = if secret { "(secret)".to_owned() } else { shown.inline(&output.value) };
            let _ = writeln!(body, "<tr><td>{}</td><td>{}</td></tr>", text(name), text(&value));
        }
        body.push_str("</table>\n");
    }
    not_ours(&mut body, &plan.not_ours, &[]);
    left_alone::html(&mut body, &plan.left_alone, &text);
    page(&title, &body)
}

/// A drift report, with filters and a picture of what it reaches.
pub fn drift(report: &DriftReport) -> String {
    super::drift_page::page(report)
}

/// A box for each action that there is; without its tick, what it does is hidden.
fn filter(body: &mut String, plan: &Plan) {
    let counts = plan.counts();
    let actions = || {
        let all = ACTIONS.into_iter().filter(|action| *action != Action::NoOp);
        all.map(|action| (action.word(), counted(&counts, action))).filter(|(_, count)| *count > 0)
    };
    if actions().count() < 2 {
        return;
    }
    body.push_str("<style>");
    for (word, _) in actions() {
        let _ = writeln!(body, "body:has(#show-{word}:not(:checked)) .is-{word} {{ display: none }}");
    }
    body.push_str("</style>\n<p class=\"filter\">Show: ");
    for (word, count) in actions() {
        let _ = write!(
            body,
            "<label><input type=\"checkbox\" id=\"show-{word}\" checked> {word} ({count})</label>"
        );
    }
    body.push_str("</p>\n");
}

/// A line with something to unfold, or without.
fn entry(body: &mut String, head: &str, lines: Option<&str>, action: Action, open: &str) {
    let word = action.word();
    let Some(lines) = lines else {
        let _ = writeln!(body, "<div class=\"step is-{word}\">{head}</div>");
        return;
    };
    let _ = write!(body, "<details class=\"is-{word}\"{open}><summary>{head}</summary><pre>");
    for line in lines.lines() {
        let class = match line.as_bytes().first() {
            Some(b'+') => "good",
            Some(b'-') => "bad",
            _ => "dim",
        };
        let _ = writeln!(body, "<span class=\"{class}\">{}</span>", text(line));
    }
    body.push_str("</pre></details>\n");
}

fn page(title: &str, body: &str) -> String {
    let title = text(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{CSS}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
    )
}

const fn class(action: Action) -> &'static str {
    match action {
        Action::Create | Action::Recover | Action::Approve => "good",
        Action::Update => "change",
        Action::Replace | Action::Delete => "bad",
        Action::Reject => "bad",
        Action::Adopt | Action::Register | Action::Release | Action::Forget | Action::NoOp => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Address;
    use crate::report::sample;

    #[test]
    fn a_small_plan_is_a_page() {
        let mut small = sample::plan();
        small.steps.retain(|step| ["resourceGroup", "clusters.old"].contains(&step.address.as_str()));
        insta::assert_snapshot!(plan(&small));
    }

    #[test]
    fn a_page_holds_no_secret_and_nobody_elses_markup() {
        let mut hostile = sample::plan();
        hostile.blueprint = "<script>".into();
        hostile.steps[6].address = Address::new("<img onerror=x>");
        let page = plan(&hostile) + &drift(&DriftReport { blueprint: "<b>".into(), ..sample::drift() });
        let own = format!("<script>{}</script>", crate::report::drift_page::SCRIPT);
        assert!(page.contains(&own));
        let page = page.replace(&own, "");
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("hunter2"));
        assert!(page.contains("asked for"));
    }
}
