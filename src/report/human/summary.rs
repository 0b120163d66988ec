//! What an apply did, for a person.

use super::plan::outputs;
use crate::change::{Outcome, StepResult, Summary};
use crate::ident::Address;
use crate::plan::OutputValue;
use crate::report::Places;
use crate::report::style::{Line, Page, Style, Tone};
use crate::report::text::{duration, escape, escape_lines, help_line, width};
use crate::report::words::{done, mark, tone};
use std::collections::BTreeMap;

/// Renders how a run ended: what was made and in how long, what failed and why, what was not tried, what to do next.
///
/// `places` are those of the entries that failed.
pub fn summary(
    summary: &Summary,
    values: &BTreeMap<String, OutputValue>,
    places: &Places,
    style: &Style,
) -> String {
    let mut page = Page::new(style);
    table(&mut page, summary);
    failures(&mut page, summary, places);
    skipped(&mut page, summary);
    deleted(&mut page, summary);
    list(&mut page, summary, "Under way when the run stopped", &Outcome::Unfinished);
    list(&mut page, summary, "Not started", &Outcome::NotStarted);
    if summary.is_complete() {
        outputs(&mut page, values, "Outputs");
    }
    totals(&mut page, summary);
    page.finish()
}

fn with<'s>(
    summary: &'s Summary,
    which: impl Fn(&Outcome) -> bool + 's,
) -> impl Iterator<Item = &'s StepResult> {
    summary.steps.iter().filter(move |step| which(&step.outcome))
}

/// What was done: action, address, time, and how often it had to be tried again.
fn table(page: &mut Page<'_>, summary: &Summary) {
    let steps: Vec<&StepResult> = with(summary, |outcome| *outcome == Outcome::Done).collect();
    let words = steps.iter().map(|step| width(done(step.action))).max().unwrap_or(0);
    let names = steps.iter().map(|step| width(step.address.as_str())).max().unwrap_or(0);
    let column = (4 + words + 1 + names).min(page.style.width.saturating_sub(10));
    for step in steps {
        let mut line = Line::indented(2)
            .add(tone(step.action), mark(step.action, page.style))
            .add(Tone::Dim, format!(" {}", done(step.action)))
            .pad_to(4 + words + 1)
            .plain(escape(step.address.as_str()));
        if line.width() > column {
            // A long address has its line to itself; the times stay below each other.
            page.line(std::mem::take(&mut line));
        }
        line = line.pad_to(column).plain(format!("  {:>7}", duration(step.elapsed_ms)));
        let Some(retries) = retries(step) else {
            page.line(line);
            continue;
        };
        let longer = line.clone().add(Tone::Dim, format!("  {retries}"));
        if longer.width() <= page.style.width {
            page.line(longer);
        } else {
            page.line(line);
            page.line(Line::indented(4 + words + 1).add(Tone::Dim, retries));
        }
    }
}

/// `2 retries, waited 40.0s`.
fn retries(step: &StepResult) -> Option<String> {
    let number = match step.retries {
        0 => return None,
        1 => "1 retry".to_owned(),
        more => format!("{more} retries"),
    };
    Some(if step.waited_ms > 0 { format!("{number}, waited {}", duration(step.waited_ms)) } else { number })
}

fn failures(page: &mut Page<'_>, summary: &Summary, places: &Places) {
    for step in &summary.steps {
        let Outcome::Failed { message, help, code } = &step.outcome else { continue };
        page.gap();
        let mut line = Line::default()
            .add(Tone::Bad, "Failed")
            .plain(format!(" to {} ", step.action.word()))
            .add(Tone::Strong, escape(step.address.as_str()))
            .add(Tone::Dim, format!(" after {}", duration(step.elapsed_ms)));
        if let Some(retries) = retries(step) {
            line = line.add(Tone::Dim, format!(" ({retries})"));
        }
        page.line(line);
        if let Some(place) = places.get(&step.address) {
            page.line(Line::indented(4).add(Tone::Dim, format!("at {}", escape(&place.to_string()))));
        }
        // The code is Azure's own word to search for; most messages hold it already.
        if let Some(code) = code.as_ref().filter(|code| !message.contains(code.as_str())) {
            page.line(Line::indented(4).add(Tone::Bad, escape(code)));
        }
        page.paragraph(4, Tone::Plain, &escape_lines(message));
        if let Some(help) = help_line(help.as_deref()) {
            page.paragraph(4, Tone::Plain, &escape_lines(&help));
        }
    }
}

fn skipped(page: &mut Page<'_>, summary: &Summary) {
    let mut causes: Vec<(&Address, Vec<&Address>)> = Vec::new();
    for step in &summary.steps {
        let Outcome::Skipped { because_of } = &step.outcome else { continue };
        match causes.iter_mut().find(|(cause, _)| *cause == because_of) {
            Some((_, skipped)) => skipped.push(&step.address),
            None => causes.push((because_of, vec![&step.address])),
        }
    }
    for (cause, skipped) in causes {
        page.gap();
        let cause = escape(cause.as_str()).into_owned();
        page.line(
            Line::default()
                .add(Tone::Change, "Skipped")
                .plain(", because they need ")
                .add(Tone::Strong, cause),
        );
        names(page, skipped.into_iter());
    }
}

/// Old resources of replacements that are gone, while no new one was made.
fn deleted(page: &mut Page<'_>, summary: &Summary) {
    let deleted: Vec<&Address> =
        summary.steps.iter().filter(|step| step.deleted).map(|step| &step.address).collect();
    if !deleted.is_empty() {
        page.gap();
        page.line(
            Line::default()
                .add(Tone::Bad, "Deleted, not made again")
                .plain(": the next run makes what the blueprint asks for"),
        );
        names(page, deleted.into_iter());
    }
}

fn list(page: &mut Page<'_>, summary: &Summary, title: &str, outcome: &Outcome) {
    let steps: Vec<&Address> = with(summary, |other| other == outcome).map(|step| &step.address).collect();
    if !steps.is_empty() {
        page.gap();
        page.line(Line::default().add(Tone::Change, title));
        names(page, steps.into_iter());
    }
}

fn names<'a>(page: &mut Page<'_>, names: impl Iterator<Item = &'a Address>) {
    for name in names {
        page.line(Line::indented(4).plain(escape(name.as_str())));
    }
}

/// `; 12 retries in 3 steps, waited 2m10s`; nothing when there were none.
fn reattempts(summary: &Summary) -> String {
    let retried: Vec<&StepResult> = summary.steps.iter().filter(|step| step.retries > 0).collect();
    let times: u32 = retried.iter().map(|step| step.retries).sum();
    let waited: u64 = retried.iter().map(|step| step.waited_ms).sum();
    match (times, retried.len()) {
        (0, _) => String::new(),
        (1, _) => format!("; 1 retry, waited {}", duration(waited)),
        (_, 1) => format!("; {times} retries in 1 step, waited {}", duration(waited)),
        (_, steps) => format!("; {times} retries in {steps} steps, waited {}", duration(waited)),
    }
}

fn totals(page: &mut Page<'_>, summary: &Summary) {
    let count = |which: fn(&Outcome) -> bool| with(summary, which).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let unfinished = count(|outcome| *outcome == Outcome::Unfinished);
    let parts = [
        (count(|outcome| *outcome == Outcome::Done), "done"),
        (failed, "failed"),
        (count(|outcome| matches!(outcome, Outcome::Skipped { .. })), "skipped"),
        (unfinished, "under way"),
        (count(|outcome| *outcome == Outcome::NotStarted), "not started"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    page.gap();
    let elapsed = duration(summary.elapsed_ms);
    if summary.steps.is_empty() {
        return page.line(Line::default().add(Tone::Good, "Nothing to do."));
    }
    let again = reattempts(summary);
    if summary.is_complete() {
        let text =
            format!(" {} in {elapsed}{again}.", super::super::text::count(summary.steps.len(), "step"));
        return page.line(Line::default().add(Tone::Good, "Done.").plain(text));
    }
    let (tone, word) = match (summary.interrupted, failed) {
        (true, _) => (Tone::Change, "Interrupted:"),
        _ => (Tone::Bad, "Applied in part:"),
    };
    let head = Line::default().add(tone, word).plain(" ");
    page.hanging(head, Tone::Plain, &format!("{} in {elapsed}{again}.", told.join(", ")));
    let next = match (failed, unfinished) {
        (0, 0) => "run the same command again to do the rest; what is done stays done.",
        (0, _) => {
            "run the same command again: it takes up what is under way and does the rest; what is done stays done."
        }
        (_, 0) => "mend what failed, then run the same command again; what is done stays done.",
        _ => {
            "mend what failed, then run the same command again: it takes up what is under way; what is done \
             stays done."
        }
    };
    page.hanging(Line::default().add(Tone::Note, "Next: "), Tone::Plain, next);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn failures_are_told_with_what_they_stopped() {
        insta::assert_snapshot!(summary(
            &sample::summary(),
            &sample::outputs(),
            &Places::new(),
            &Style::default()
        ));
    }

    #[test]
    fn a_complete_run_ends_with_its_outputs() {
        insta::assert_snapshot!(summary(
            &sample::complete(),
            &sample::outputs(),
            &Places::new(),
            &Style::default()
        ));
    }
}
