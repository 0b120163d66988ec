//! A plan for a person.

use super::connections::not_ours;
use super::value::{Shown, is_secret, member_name, secret_words, value_tone};
use crate::change::Action;
use crate::ident::Address;
use crate::plan::{Conflict, OutputValue, Plan, Reason, Step};
use crate::report::left_alone;
use crate::report::names::{Names, dated};
use crate::report::style::{Line, Page, Style, Tone};
use crate::report::text::{about, count, escape, width};
use crate::report::words::{
    ACTIONS, allowance, body_with_name, disturbed, longest, mark, named_in_words, registered, renamed,
    shown_type, tone, totals, why,
};
use crate::report::{Places, header};
use crate::value::{Change, ChangeKind};
use serde_json::Value;
use std::collections::BTreeMap;

/// How far a column of paths may push its values to the right.
const PATHS: usize = 34;

/// Renders a plan: what is done to what and why, field by field, and the totals.
///
/// `places` are those of the entries that something is in the way of.
pub fn plan(plan: &Plan, places: &Places, style: &Style) -> String {
    let mut page = Page::new(style);
    let name = escape(&plan.blueprint).into_owned();
    header::human(&mut page, plan.header.as_ref());
    if plan.is_empty() && plan.conflicts.is_empty() {
        page.line(nothing_to_do(plan, &name));
        left_out(&mut page, plan);
        renames(&mut page, plan);
        outputs(&mut page, &plan.outputs, "Outputs");
        conflicts(&mut page, plan, places);
        not_ours(&mut page, &plan.not_ours, &[]);
        left_alone::human(&mut page, &plan.left_alone);
        return page.finish();
    }
    heading(&mut page, plan, name);
    registrations(&mut page, plan);
    if plan.destroy {
        deletions(&mut page, plan);
    } else {
        let (mut roomy, names) = (true, Names::of(plan));
        for step in plan.changes().filter(|step| step.action != Action::Register) {
            roomy = self::step(&mut page, &dated(step), &names, roomy);
        }
    }
    renames(&mut page, plan);
    outputs(&mut page, &plan.outputs, "Outputs");
    conflicts(&mut page, plan, places);
    not_ours(&mut page, &plan.not_ours, &[]);
    left_alone::human(&mut page, &plan.left_alone);
    left_out(&mut page, plan);
    footer(&mut page, plan);
    page.finish()
}

/// Renders a plan in one line a resource: what is done to it, its name in Azure and its group, and why.
pub fn plan_summary(plan: &Plan, places: &Places, style: &Style) -> String {
    let mut page = Page::new(style);
    let name = escape(&plan.blueprint).into_owned();
    header::human(&mut page, plan.header.as_ref());
    if plan.is_empty() && plan.conflicts.is_empty() {
        page.line(nothing_to_do(plan, &name));
    } else {
        heading(&mut page, plan, name);
        registrations(&mut page, plan);
        let steps = || plan.changes().filter(|step| step.action != Action::Register);
        let column = steps().map(|step| width(step.address.as_str())).max().unwrap_or(0).min(44) + 4;
        for step in steps() {
            let mut line = title(style, step).pad_to(column);
            if let Some(name) = named_in_words(step) {
                line = line.plain("  ").plain(name);
            }
            if let Some(why) = why(step) {
                line = line.add(Tone::Note, format!("  ({why})"));
            }
            page.line(line);
            protection(&mut page, step);
            disturbances(&mut page, step);
        }
    }
    renames(&mut page, plan);
    conflicts(&mut page, plan, places);
    left_out(&mut page, plan);
    if !plan.is_empty() {
        footer(&mut page, plan);
    }
    page.finish()
}

/// An address, and the line of the blueprint that it is in.
pub(super) fn named(indent: usize, address: &Address, places: &Places) -> Line {
    let line = Line::indented(indent).add(Tone::Strong, escape(address.as_str()));
    match places.get(address) {
        Some(place) => line.add(Tone::Dim, format!("  ({})", escape(&place.to_string()))),
        None => line,
    }
}

/// What is in the way of applying the plan.
fn conflicts(page: &mut Page<'_>, plan: &Plan, places: &Places) {
    for (tone, title, found) in [
        (Tone::Change, "May go wrong", &plan.warnings),
        (Tone::Bad, "In the way of this plan", &plan.conflicts),
    ] {
        if found.is_empty() {
            continue;
        }
        page.gap();
        page.line(Line::default().add(tone, title));
        // What is the same of several is said once, below the last of them.
        for (at, conflict) in found.iter().enumerate() {
            page.line(named(2, &conflict.address, places));
            page.line(Line::indented(6).add(Tone::Dim, escape(conflict.id.as_str())));
            let same = |next: &Conflict| next.message == conflict.message && next.help == conflict.help;
            if found.get(at + 1).is_some_and(same) {
                continue;
            }
            page.paragraph(6, Tone::Plain, &escape(&conflict.message));
            page.hanging(Line::indented(6).plain("help: "), Tone::Plain, &escape(&conflict.help));
        }
    }
}

/// Entries that only have another key: nothing is done in Azure for them.
fn renames(page: &mut Page<'_>, plan: &Plan) {
    let renamed = renamed(plan);
    if renamed.is_empty() {
        return;
    }
    page.gap();
    page.line(
        Line::default().plain(
            "Renamed in the blueprint: nothing happens in Azure, and the ledger takes the new address",
        ),
    );
    for (from, to) in renamed {
        let arrow = page.style.arrow();
        page.line(Line::indented(2).plain(escape(from)).plain(format!(" {arrow} ")).plain(escape(to)));
    }
}

/// What `--target` left alone, which a plan for everything would change.
fn left_out(page: &mut Page<'_>, plan: &Plan) {
    if plan.left_out.is_empty() {
        return;
    }
    page.gap();
    let told = format!("Left out by --target: {}", count(plan.left_out.len(), "change"));
    page.line(Line::default().add(Tone::Change, told));
    for left in &plan.left_out {
        let line = Line::indented(2).add(tone(left.action), mark(left.action, page.style));
        page.line(line.plain(" ").plain(escape(left.address.as_str())));
    }
}

fn nothing_to_do(plan: &Plan, name: &str) -> Line {
    let told = count(plan.steps.len(), "resource");
    if !plan.left_out.is_empty() {
        return Line::default().add(Tone::Good, "No changes").plain(format!(" at the targets ({told})."));
    }
    if plan.destroy {
        return Line::default()
            .add(Tone::Good, "Nothing to destroy.")
            .plain(format!(" {name} owns nothing."));
    }
    if plan.is_held() {
        let text = " Somebody else decided against what the blueprint asks for, see below.";
        return Line::default().add(Tone::Change, "No changes that berth may make.").plain(text);
    }
    Line::default().add(Tone::Good, "No changes.").plain(format!(" Azure matches the blueprint ({told})."))
}

/// The blueprint's name, and what the marks mean that occur.
fn heading(page: &mut Page<'_>, plan: &Plan, name: String) {
    let verb = if plan.destroy { "Plan to destroy " } else { "Plan for " };
    page.line(Line::default().plain(verb).add(Tone::Strong, name));
    let counts = plan.counts();
    let used: Vec<Action> = ACTIONS
        .into_iter()
        .filter(|&action| action != Action::NoOp && crate::report::words::counted(&counts, action) > 0)
        .collect();
    let mut legend = Line::default();
    for action in used {
        let entry = format!("{} {}", mark(action, page.style), action.word());
        if legend.width() + 3 + width(&entry) > page.style.width {
            page.line(std::mem::take(&mut legend));
        }
        legend = if legend.width() > 0 { legend.plain("   ") } else { legend };
        legend =
            legend.add(tone(action), mark(action, page.style)).add(Tone::Dim, format!(" {}", action.word()));
    }
    page.line(legend);
    page.gap();
}

/// All registrations, on as few lines as hold them.
fn registrations(page: &mut Page<'_>, plan: &Plan) {
    let names: Vec<String> = plan
        .changes()
        .filter(|step| step.action == Action::Register)
        .map(|step| registered(&step.id))
        .collect();
    if !names.is_empty() {
        let what = if names.len() == 1 { "provider " } else { "providers " };
        let mark = mark(Action::Register, page.style);
        let head =
            Line::default().plain("  ").add(tone(Action::Register), mark).add(Tone::Dim, format!(" {what}"));
        page.hanging(head, Tone::Plain, &names.join(", "));
        page.gap();
    }
}

/// One line a deletion: nobody reads the fields of what goes.
fn deletions(page: &mut Page<'_>, plan: &Plan) {
    let steps: Vec<&Step> = plan.changes().filter(|step| step.action != Action::Register).collect();
    let column = steps.iter().map(|step| width(step.address.as_str())).max().unwrap_or(0).min(44) + 4;
    for step in steps {
        let head = title(page.style, step).pad_to(column).plain("  ");
        let mut line = head.clone().add(Tone::Dim, escape(shown_type(&step.arm_type)));
        if line.width() > page.style.width || why(step).is_some() {
            let last = step.arm_type.rsplit('/').next().unwrap_or_default();
            line = head.add(Tone::Dim, escape(last));
        }
        let mut below = None;
        if let Some(name) = named_in_words(step) {
            let longer = line.clone().add(Tone::Dim, format!("  {name}"));
            if longer.width() <= page.style.width {
                line = longer;
            } else {
                below = Some(Line::indented(6).add(Tone::Dim, name));
            }
        }
        if let Some(why) = why(step) {
            let longer = line.clone().add(Tone::Dim, format!(", {why}"));
            if longer.width() <= page.style.width {
                line = longer;
            } else {
                page.line(line);
                line = Line::indented(6).add(Tone::Dim, why);
            }
        }
        page.line(line);
        if let Some(below) = below {
            page.line(below);
        }
        protection(page, step);
    }
    page.gap();
}

fn title(style: &Style, step: &Step) -> Line {
    let tone = tone(step.action);
    Line::indented(2)
        .add(tone, mark(step.action, style))
        .plain(" ")
        .add(Tone::Strong, escape(step.address.as_str()))
}

/// One step; whether it took more than its line.
fn step(page: &mut Page<'_>, step: &Step, names: &Names<'_>, roomy: bool) -> bool {
    let shown = Shown { base: Some(&step.id), names: Some(names), style: page.style };
    let mut body = Page::new(page.style);
    protection(&mut body, step);
    disturbances(&mut body, step);
    match step.action {
        Action::Create | Action::Recover if !step.desired.is_null() => {
            shown.body(&mut body, 6, &body_with_name(step))
        }
        Action::Delete => {
            if let Some(name) = named_in_words(step) {
                body.line(Line::indented(6).add(Tone::Dim, name));
            }
        }
        Action::Forget | Action::NoOp | Action::Register => {}
        Action::Approve | Action::Reject if !step.changes.is_empty() => {
            changes(&mut body, &shown, &step.changes);
        }
        Action::Approve if !matches!(step.reason, Reason::Awaited { .. }) => {
            body.line(Line::indented(6).add(Tone::Dim, "connection = ").plain(connection(&shown, step)));
        }
        Action::Approve | Action::Reject => {}
        _ => changes(&mut body, &shown, &step.changes),
    }
    let body = body.finish();
    if roomy || !body.is_empty() {
        page.gap();
    }

    // The type gives way to the reason, and the reason to nothing.
    let why = why(step).map(|why| format!("({why})"));
    let last = step.arm_type.rsplit('/').next().unwrap_or_default();
    let typed = |arm_type: &str| title(page.style, step).plain("  ").add(Tone::Dim, escape(arm_type));
    let with_reason = |line: Line| match &why {
        Some(why) => line.plain("  ").add(Tone::Note, why.as_str()),
        None => line,
    };
    let choices = [with_reason(typed(shown_type(&step.arm_type))), with_reason(typed(last))];
    match choices.into_iter().find(|line| line.width() <= page.style.width) {
        Some(line) => page.line(line),
        None => {
            let line = typed(last);
            page.line(if line.width() > page.style.width { title(page.style, step) } else { line });
            if let Some(why) = &why {
                page.paragraph(6, Tone::Note, why);
            }
        }
    }
    page.append(&body);
    !body.is_empty()
}

/// The connection without what its name repeats.
fn connection(shown: &Shown<'_>, step: &Step) -> String {
    let target = step.id.parent().map(|id| id.as_str().to_owned()).unwrap_or_default();
    let room = shown.style.width.saturating_sub(19);
    let long = format!("{} on {}", escape(step.id.name()), shown.inline(&Value::String(target.clone())));
    if width(&long) <= room { long } else { shown.inline(&Value::String(step.id.as_str().to_owned())) }
}

/// What a step disturbs, or lets somebody do that reaches far.
fn disturbances(page: &mut Page<'_>, step: &Step) {
    for text in disturbed(step) {
        let text = text.trim_start_matches("! ");
        page.hanging(Line::indented(6).add(Tone::Change, "! "), Tone::Change, &escape(text));
    }
}

fn protection(page: &mut Page<'_>, step: &Step) {
    if step.purge.is_some() {
        page.paragraph(6, Tone::Bad, "purged: its name is free at once, and what is in it is gone for good");
    }
    if let Some(flag) = allowance(step) {
        page.paragraph(6, Tone::Bad, &format!("protected: needs {}", escape(&flag)));
    }
}

/// The changes of a step, paths in one column.
fn changes(page: &mut Page<'_>, shown: &Shown<'_>, changes: &[Change]) {
    let column = changes
        .iter()
        .map(|change| width(&shown.path(&change.path)) + 2)
        .filter(|&columns| columns <= PATHS)
        .max()
        .unwrap_or(0);
    for change in changes {
        self::change(page, shown, change, column);
    }
}

/// What a change means beyond its two values.
fn note(change: &Change) -> Option<&'static str> {
    match change.kind {
        _ if change.forces_replace => Some("forces replacement"),
        _ if change.foreign => Some("not in the blueprint: exclusive"),
        ChangeKind::Set | ChangeKind::Remove => None,
        ChangeKind::Reset => Some("dropped: default again"),
        ChangeKind::Release => Some("dropped: left as it is"),
    }
}

fn change(page: &mut Page<'_>, shown: &Shown<'_>, change: &Change, column: usize) {
    let style = page.style;
    let label = shown.path(&change.path);
    let note = note(change).map(|note| format!("# {note}"));
    let head = || Line::indented(6).plain(format!("{label}:")).plain(" ");
    let line = |column: usize| {
        let head = head().pad_to(6 + column);
        let arrow = format!(" {} ", style.arrow());
        match change.kind {
            ChangeKind::Set if is_secret(&change.after) => head.add(Tone::Dim, secret_words(change)),
            ChangeKind::Set if change.before.is_null() => {
                let head = head.add(Tone::Dim, format!("(none){arrow}"));
                head.add(value_tone(&change.after), shown.inline(&change.after))
            }
            ChangeKind::Set | ChangeKind::Reset => {
                let head = head.plain(shown.inline(&change.before)).add(Tone::Dim, arrow);
                head.add(value_tone(&change.after), shown.inline(&change.after))
            }
            ChangeKind::Remove => {
                head.plain(shown.inline(&change.before)).add(Tone::Dim, arrow).add(Tone::Bad, "removed")
            }
            ChangeKind::Release => head.plain(shown.inline(&change.before)),
        }
    };
    let noted = |line: Line| match &note {
        Some(note) => line.plain("  ").add(note_tone(change), note.as_str()),
        None => line,
    };
    if let Some(line) =
        [column, 0].map(|column| noted(line(column))).into_iter().find(|line| line.width() <= style.width)
    {
        return page.line(line);
    }
    page.line(noted(Line::indented(6).plain(format!("{label}:"))));
    if let (Value::Array(before), Value::Array(after)) = (&change.before, &change.after)
        && elements(page, shown, before, after)
    {
        return;
    }
    if let (true, Value::Object(_) | Value::Array(_)) = (change.before.is_null(), &change.after) {
        return shown.body(page, 8, &change.after);
    }
    let mark = |text, tone| Line::indented(8).add(tone, text);
    match change.kind {
        ChangeKind::Release => shown.long(page, mark("= ", Tone::Dim), &change.before),
        _ => {
            if !change.before.is_null() {
                shown.long(page, mark("- ", Tone::Bad), &change.before);
            }
            if change.kind != ChangeKind::Remove {
                shown.long(page, mark("+ ", Tone::Good), &change.after);
            }
        }
    }
}

fn note_tone(change: &Change) -> Tone {
    if change.forces_replace { Tone::Bad } else { Tone::Dim }
}

/// The elements that go and come, when that says it all.
fn elements(page: &mut Page<'_>, shown: &Shown<'_>, before: &[Value], after: &[Value]) -> bool {
    let mut gone: Vec<&Value> = before.iter().collect();
    let mut new = Vec::new();
    for item in after {
        match gone.iter().position(|other| *other == item) {
            Some(at) => {
                gone.remove(at);
            }
            None => new.push(item),
        }
    }
    let kept = before.len() - gone.len();
    if gone.is_empty() && new.is_empty() {
        return false;
    }
    gone.into_iter().for_each(|item| shown.long(page, Line::indented(8).add(Tone::Bad, "- "), item));
    new.into_iter().for_each(|item| shown.long(page, Line::indented(8).add(Tone::Good, "+ "), item));
    if kept > 0 {
        page.line(Line::indented(10).add(Tone::Dim, format!("({kept} unchanged)")));
    }
    true
}

/// The outputs, one a line.
pub(super) fn outputs(page: &mut Page<'_>, outputs: &BTreeMap<String, OutputValue>, title: &str) {
    if outputs.is_empty() {
        return;
    }
    page.gap();
    page.line(Line::default().add(Tone::Strong, title));
    let column = outputs.keys().map(|name| width(name)).max().unwrap_or(0).min(PATHS);
    let shown = Shown { base: None, names: None, style: page.style };
    for (name, output) in outputs {
        let name = member_name(name);
        let head = Line::indented(2).plain(name).pad_to(2 + column).add(Tone::Dim, " = ");
        if output.secret || is_secret(&output.value) {
            page.line(head.add(Tone::Dim, "(secret)"));
            continue;
        }
        // People copy it: it is neither folded nor cut.
        page.line(head.add(value_tone(&output.value), shown.inline(&output.value)));
    }
}

fn footer(page: &mut Page<'_>, plan: &Plan) {
    page.gap();
    let text = format!("{}.", totals(&plan.counts()));
    page.hanging(Line::default().add(Tone::Strong, "Plan: "), Tone::Plain, &text);
    if plan.counts().adopt > 0 {
        let text = "Adopting writes nothing to Azure: what exists joins the ledger.";
        page.paragraph(0, Tone::Dim, text);
    }
    let (path, ms) = plan.critical_path();
    if ms >= 60_000 {
        page.line(Line::default().add(Tone::Dim, format!("Usually takes about {}.", about(ms))));
        if let Some(longest) = longest(plan, &path) {
            page.hanging(Line::default().add(Tone::Dim, "Longest: "), Tone::Dim, &escape(&longest));
        }
    }
    let in_place = |step: &&Step| step.action == Action::Update && step.disruption.is_some();
    let disruptive = plan.changes().filter(in_place).count();
    if disruptive > 0 {
        let text = match disruptive {
            1 => "1 change in place disturbs what runs (see ! above).".to_owned(),
            more => format!("{more} changes in place disturb what runs (see ! above)."),
        };
        page.paragraph(0, Tone::Change, &text);
    }
    let flags: Vec<String> = plan.changes().filter_map(allowance).collect();
    if !flags.is_empty() {
        let (what, are) = match flags.len() {
            1 => ("1 protected resource".to_owned(), "is"),
            more => (format!("{more} protected resources"), "are"),
        };
        let verb = if plan.destroy { "destroy" } else { "apply" };
        let text = format!("{what} {are} lost by this plan. To allow it, {verb} with:");
        page.paragraph(0, Tone::Bad, &text);
        for flag in flags {
            page.line(Line::indented(2).plain(escape(&flag)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{sample, text};

    #[test]
    fn every_action_reads_well_in_80_columns() {
        insta::assert_snapshot!(plan(&sample::plan(), &Places::new(), &Style::plain(80)));
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let colored = plan(&sample::plan(), &Places::new(), &Style::colored(80));
        insta::assert_snapshot!(colored.replace('\u{1b}', "␛"));
        assert_eq!(sample::without_color(&colored), plan(&sample::plan(), &Places::new(), &Style::plain(80)));
    }

    #[test]
    fn ascii_terminals_get_ascii() {
        let text = plan(&sample::plan(), &Places::new(), &Style { unicode: false, ..Style::plain(80) });
        assert!(text.is_ascii(), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_asked_unless_a_name_is() {
        for columns in [60, 80, 100, 120, 200] {
            for line in plan(&sample::plan(), &Places::new(), &Style::plain(columns)).lines() {
                let unbreakable = line.split_whitespace().any(|word| text::width(word) > columns / 2);
                assert!(text::width(line) <= columns || unbreakable, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn a_plan_without_changes_is_one_line() {
        insta::assert_snapshot!(
            plan(&sample::unchanged(), &Places::new(), &Style::default()),
            @"No changes. Azure matches the blueprint (2 resources)."
        );
    }

    #[test]
    fn a_destroy_plan_is_compact() {
        insta::assert_snapshot!(plan(&sample::destroy(), &Places::new(), &Style::default()));
    }
}
