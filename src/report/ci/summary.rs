//! What an apply did, for the page of a run.

use crate::change::{Outcome, Summary};
use crate::ident::Header;
use crate::report::markdown::{code, html};
use crate::report::style::Style;
use crate::report::text::{count, duration};
use crate::report::words::{done, mark};
use std::fmt::Write;

/// How much of a page is used: more would hide what others wrote there.
const BUDGET: usize = 60_000;

/// A run as Markdown: what it did, what failed and why, what was not tried. Details stop at a budget, counts do not.
pub fn applied(blueprint: &str, header: Option<&Header>, summary: &Summary) -> String {
    let name = code(blueprint);
    let of = |is: fn(&Outcome) -> bool| summary.steps.iter().filter(|step| is(&step.outcome)).count();
    let made = of(|outcome| *outcome == Outcome::Done);
    let failed = of(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let rest = summary.steps.len() - made - failed;
    let title = match (summary.steps.is_empty(), summary.is_complete(), summary.interrupted) {
        (true, _, _) => format!("nothing to do for {name}"),
        (_, true, _) => format!("applied {name}"),
        (_, _, true) => format!("interrupted while applying {name}"),
        _ => format!("applied {name} in part"),
    };
    let mut text = format!("### berth: {title}\n\n");
    if let Some(header) = header {
        text.push_str("| | |\n|---|---|\n");
        for (name, value) in header.rows() {
            let _ = writeln!(text, "| {name} | {} |", code(&value));
        }
        text.push('\n');
    }
    let mut totals = vec![format!("{} done", count(made, "step"))];
    if failed > 0 {
        totals.push(format!("{failed} failed"));
    }
    if rest > 0 {
        totals.push(format!("{rest} not done"));
    }
    let _ = writeln!(text, "**{}** in {}.\n", totals.join(", "), duration(summary.elapsed_ms));
    let mut left = 0;
    let mut add = |text: &mut String, line: String| match text.len() + line.len() < BUDGET {
        true => text.push_str(&line),
        false => left += 1,
    };
    for step in &summary.steps {
        let Outcome::Failed { message, help, code: word } = &step.outcome else { continue };
        let address = code(step.address.as_str());
        let word = word.as_ref().map(|word| format!(" ({})", code(word))).unwrap_or_default();
        let help = help.as_ref().map(|help| format!("<br>{}", lines(help))).unwrap_or_default();
        let line =
            format!("> **Failed** to {} {address}{word}: {}{help}\n\n", step.action.word(), lines(message));
        add(&mut text, line);
    }
    if !summary.steps.is_empty() {
        add(&mut text, "| | Step | Resource | Time |\n|---|---|---|---|\n".to_owned());
    }
    for step in &summary.steps {
        let word = match &step.outcome {
            Outcome::Done => done(step.action).to_owned(),
            Outcome::Failed { .. } => format!("failed to {}", step.action.word()),
            Outcome::Skipped { because_of } => format!("skipped: needs {}", code(because_of.as_str())),
            Outcome::NotStarted => "not started".to_owned(),
            Outcome::Unfinished => "still under way".to_owned(),
        };
        let line = format!(
            "| {} | {word} | {} | {} |\n",
            code(mark(step.action, &Style::plain(80))),
            code(step.address.as_str()),
            duration(step.elapsed_ms)
        );
        add(&mut text, line);
    }
    if left > 0 {
        let _ = writeln!(text, "\n{} more: the log has all of them.", count(left, "line"));
    }
    text
}

/// A text of several lines, in one line of Markdown.
fn lines(text: &str) -> String {
    text.lines().map(|line| html(line.trim())).collect::<Vec<_>>().join("<br>")
}
