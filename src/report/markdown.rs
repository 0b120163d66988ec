//! Reports for a comment on a pull request: a table to read, details to unfold.

use super::fit::{dropped, fit};
use super::human::value::{Shown, is_secret, secret_words};
use super::left_alone;
use super::names::{Names, dated, dated_field};
use super::style::Style;
use super::text::{about, count, escape};
use super::waivers;
use super::words::{
    allowance, blamed, body_with_name, disturbed, longest, mark, named_in_words, registered, shown_type,
    totals, why,
};
use crate::change::Action;
use crate::drift::{Drift, DriftKind, DriftReport, Who};
use crate::ident::Header;
use crate::plan::{Conflict, Plan, Step};
use crate::policy::{Finding, Verdict};
use crate::private_link::NotOurs;
use crate::value::{Change, ChangeKind};
use serde_json::Value;
use std::fmt::Write;

/// Where a comment or a summary is to be shown: each has a limit, beyond which it is refused or dropped as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Host {
    /// A comment on GitHub: 65,536 characters.
    #[default]
    GitHub,
    /// A comment in Azure Repos: 150,000 characters.
    AzureRepos,
    /// A note on GitLab: 1,000,000 characters.
    GitLab,
    /// A comment in Bitbucket: 32,768 characters, and no HTML.
    Bitbucket,
    /// The summary of a run: 1,024 KiB on GitHub; Azure Pipelines takes as much.
    Summary,
}

impl Host {
    /// Every host.
    pub const ALL: [Host; 5] = [Host::GitHub, Host::AzureRepos, Host::GitLab, Host::Bitbucket, Host::Summary];

    /// How many bytes there may be. A character is a byte at least, so that this is below every limit.
    pub const fn limit(self) -> usize {
        match self {
            Host::GitHub => 65_000,
            Host::AzureRepos => 140_000,
            Host::GitLab => 990_000,
            Host::Bitbucket => 32_000,
            Host::Summary => 1_000_000,
        }
    }

    /// Whether elements of HTML are shown as such.
    const fn has_html(self) -> bool {
        !matches!(self, Host::Bitbucket)
    }
}

/// How wide the lines of a diff block are.
const STYLE: Style = Style::plain(100);

/// What `--target` left alone.
fn left_out(text: &mut String, plan: &Plan, room: usize) {
    if !plan.left_out.is_empty() {
        let names: Vec<String> = plan.left_out.iter().map(|left| code(left.address.as_str())).collect();
        let _ = writeln!(text, "> **Left out by `--target`:** {}\n", joined(&names, ", ", room));
    }
}

/// As many of these as there is room for, one behind the other, and how many more there are.
fn joined(all: &[String], between: &str, room: usize) -> String {
    let sizes: Vec<(usize, usize)> = all.iter().map(|one| (one.len() + between.len(), 0)).collect();
    let shown = fit(&sizes, room).shown;
    let mut text = all[..shown].join(between);
    if shown < all.len() {
        let _ = write!(text, "{between}and {} more", all.len() - shown);
    }
    text
}

/// As many of these lines as there is room for, and how many more there are.
fn lines_within(text: &mut String, lines: &[String], room: usize) {
    let sizes: Vec<(usize, usize)> = lines.iter().map(|line| (line.len(), 0)).collect();
    let shown = fit(&sizes, room).shown;
    lines[..shown].iter().for_each(|line| text.push_str(line));
    if shown < lines.len() {
        let _ = writeln!(text, "> and {} more: there is no room for them here\n", lines.len() - shown);
    }
}

/// What a report opens with, as a table; `before` comes in front of one that is there.
fn header(header: Option<&Header>, before: &str) -> String {
    let Some(header) = header else { return String::new() };
    let mut text = format!("{before}| | |\n|---|---|\n");
    for (name, value) in header.rows() {
        let _ = writeln!(text, "| {name} | {} |", code(&value));
    }
    text.push('\n');
    text
}

/// A plan for a comment on GitHub.
pub fn plan(plan: &Plan) -> String {
    plan_for(plan, None, Host::default())
}

/// A plan for a comment or a summary, within the limit of the place; and what policies say of it, if any were asked.
pub fn plan_for(plan: &Plan, found: Option<&[Finding]>, host: Host) -> String {
    let mut text = planned(plan, found, host);
    if let Some(found) = found {
        text.push_str(&policies(found, host.limit() / 8));
    }
    match host.has_html() {
        true => text,
        false => without_html(&text),
    }
}

fn planned(plan: &Plan, found: Option<&[Finding]>, host: Host) -> String {
    let name = code(&plan.blueprint);
    let part = host.limit() / 8;
    let mut text = String::new();
    if plan.is_empty() && plan.conflicts.is_empty() {
        let resources = count(plan.steps.len(), "resource");
        let _ = match plan.destroy {
            true => writeln!(text, "### berth: nothing to destroy for {name}"),
            false if !plan.left_out.is_empty() => {
                writeln!(text, "### berth: no changes at the targets of {name}")
            }
            false if plan.is_held() => {
                writeln!(text, "### berth: no changes that berth may make for {name}\n")
            }
            false => writeln!(
                text,
                "### berth: no changes for {name}\n\nAzure matches the blueprint ({resources})."
            ),
        };
        text.push_str(&header(plan.header.as_ref(), "\n"));
        left_out(&mut text, plan, part);
        lines_within(&mut text, &warnings(plan), part * 2);
        text.push_str(&others(plan, part * 2));
        return text;
    }
    let what = if plan.destroy { "plan to destroy" } else { "plan for" };
    let _ = writeln!(text, "### berth: {what} {name}\n");
    text.push_str(&header(plan.header.as_ref(), ""));
    let _ = writeln!(text, "**{}**\n", totals(&plan.counts()));
    let flags: Vec<String> = plan.changes().filter_map(allowance).map(|flag| code(&flag)).collect();
    if !flags.is_empty() {
        let _ = writeln!(
            text,
            "> **{} lost by this plan.** To allow it, apply with {}.\n",
            if flags.len() == 1 {
                "A protected resource is".to_owned()
            } else {
                format!("{} protected resources are", flags.len())
            },
            joined(&flags, " ", part)
        );
    }
    let in_the_way: Vec<String> = plan
        .conflicts
        .iter()
        .map(|conflict| {
            let (address, message) = (code(conflict.address.as_str()), html(&conflict.message));
            format!("> **In the way:** {address}: {message}; {}\n\n", html(&conflict.help))
        })
        .collect();
    lines_within(&mut text, &in_the_way, part);
    left_out(&mut text, plan, part / 2);
    lines_within(&mut text, &warnings(plan), part);
    let steps: Vec<&Step> = plan.changes().filter(|step| step.action != Action::Register).collect();
    let mut table = String::from("| | Resource | Type | Why |\n|---|---|---|---|\n");
    let names: Vec<String> = plan
        .changes()
        .filter(|step| step.action == Action::Register)
        .map(|step| code(&registered(&step.id)))
        .collect();
    if !names.is_empty() {
        let _ = writeln!(
            table,
            "| {} register | {} | | |",
            code(mark(Action::Register, &STYLE)),
            joined(&names, " ", part / 2)
        );
    }
    let disturbs: Vec<String> = steps
        .iter()
        .filter(|step| !disturbed(step).is_empty())
        .map(|step| {
            let lines: Vec<String> =
                disturbed(step).iter().map(|line| html(line.trim_start_matches("! "))).collect();
            format!(
                "> **{}:** {}: {}\n\n",
                if step.disruption.is_some() { "Disturbs" } else { "Reaches far" },
                code(step.address.as_str()),
                lines.join("; ")
            )
        })
        .collect();
    let mut below = String::from("\n");
    lines_within(&mut below, &disturbs, part);
    let (path, ms) = plan.critical_path();
    if ms >= 60_000 {
        let longest = longest(plan, &path).map(|longest| format!(" Longest: {}.", html(&longest)));
        let _ = writeln!(below, "Usually takes about {}.{}\n", about(ms), longest.unwrap_or_default());
    }
    let mut tail = String::new();
    if !plan.outputs.is_empty() {
        let shown = Shown { base: None, names: None, style: &STYLE };
        let rows: Vec<String> = plan
            .outputs
            .iter()
            .map(|(name, output)| {
                let secret = output.secret || is_secret(&output.value);
                let value = if secret { "(secret)".to_owned() } else { shown.inline(&output.value) };
                format!("| {} | {} |\n", code(name), code(&value))
            })
            .collect();
        if rows.iter().map(String::len).sum::<usize>() <= part {
            tail.push_str("| Output | Value |\n|---|---|\n");
            rows.iter().for_each(|row| tail.push_str(row));
        } else {
            let _ = writeln!(tail, "{}: there is no room to list them.", count(rows.len(), "output"));
        }
    }
    tail.push_str(&others(plan, part));
    let rows: Vec<String> = steps.iter().map(|step| step_row(step)).collect();
    let names = Names::of(plan);
    let blocks: Vec<String> = steps
        .iter()
        .map(|step| {
            step_lines(step, &names).map(|lines| block(&step_title(step), &lines)).unwrap_or_default()
        })
        .collect();
    let sizes: Vec<(usize, usize)> =
        rows.iter().zip(&blocks).map(|(row, block)| (row.len(), block.len())).collect();
    let judged = if found.is_some() { part } else { 0 };
    let used = text.len() + table.len() + below.len() + tail.len() + judged + 400;
    let fitted = fit(&sizes, host.limit().saturating_sub(used));
    text.push_str(&table);
    rows.iter().take(fitted.shown).for_each(|row| text.push_str(row));
    text.push_str(&below);
    blocks.iter().take(fitted.detailed).for_each(|block| text.push_str(block));
    if let Some(dropped) = dropped(fitted, rows.len()) {
        let _ = writeln!(text, "_To stay within the limit of this place, {dropped}._\n");
    }
    text + &tail
}

fn step_row(step: &Step) -> String {
    format!(
        "| {} {} | {} | {} | {} |\n",
        code(mark(step.action, &STYLE)),
        step.action.word(),
        code(step.address.as_str()),
        html(shown_type(&step.arm_type)),
        html(&why(step).unwrap_or_default())
    )
}

/// What is there besides and stays as it is; how many, where there is no room to list them.
fn others(plan: &Plan, room: usize) -> String {
    let mut text = String::new();
    not_ours(&mut text, &plan.not_ours, &[]);
    left_alone::markdown(&mut text, &plan.left_alone, &code, &html);
    match text.len() > room {
        true => no_room(plan.not_ours.len(), plan.left_alone.len()),
        false => text,
    }
}

fn no_room(connections: usize, fields: usize) -> String {
    format!(
        "\n**Not ours:** {} that no rule names, and {} that the blueprint leaves alone; there is no room to list them.\n",
        count(connections, "connection"),
        count(fields, "field")
    )
}

/// A drift report for a comment on GitHub.
pub fn drift(report: &DriftReport) -> String {
    drift_for(report, Host::default())
}

/// A drift report for a comment or a summary, within the limit of the place.
pub fn drift_for(report: &DriftReport, host: Host) -> String {
    let text = composed(report, host);
    match host.has_html() {
        true => text,
        false => without_html(&text),
    }
}

fn composed(report: &DriftReport, host: Host) -> String {
    let mut text = String::new();
    let name = code(&report.blueprint);
    let checked = count(report.checked, "resource");
    let head = header(report.header.as_ref(), "");
    let mut strangers = String::new();
    not_ours(&mut strangers, &report.not_ours, &report.not_ours_by);
    left_alone::markdown(&mut strangers, &report.left_alone, &code, &html);
    // Connections of others are a list too, and there may be any number.
    if strangers.len() > host.limit() / 4 {
        strangers = no_room(report.not_ours.len(), report.left_alone.len());
    }
    if report.drifted.is_empty() {
        let _ = writeln!(text, "### berth: no drift of {name}\n\n{head}{checked} checked.{}", waived(report));
        return text + &strangers;
    }
    let number = report.drifted.len();
    let _ = writeln!(
        text,
        "### berth: drift of {name}\n\n{head}**{number} of {checked} drifted**: {}\n",
        severities(report)
    );
    let table = "| | Severity | Resource | Type | Fields | By |\n|---|---|---|---|---|---|\n";
    let all = report.worst_first();
    let rows: Vec<String> = all.iter().map(|drift| table_row(drift)).collect();
    let blocks: Vec<String> = all.iter().map(|drift| drift_block(drift)).collect();
    let sizes: Vec<(usize, usize)> =
        rows.iter().zip(&blocks).map(|(row, block)| (row.len(), block.len())).collect();
    let room =
        host.limit().saturating_sub(text.len() + table.len() + strangers.len() + waived(report).len() + 400);
    let fitted = fit(&sizes, room);
    if fitted.shown > 0 {
        text.push_str(table);
    }
    rows.iter().take(fitted.shown).for_each(|row| text.push_str(row));
    text.push('\n');
    blocks.iter().take(fitted.detailed).for_each(|block| text.push_str(block));
    if let Some(dropped) = dropped(fitted, all.len()) {
        let _ = writeln!(text, "_To stay within the limit of this place, {dropped}._\n");
    }
    text.push_str(&waived(report));
    text + &strangers
}

/// `1 critical, 2 high`.
pub(crate) fn severities(report: &DriftReport) -> String {
    let some = report.by_severity().into_iter().filter(|(_, number)| *number > 0);
    some.map(|(severity, number)| format!("{number} {}", severity.word())).collect::<Vec<_>>().join(", ")
}

fn waived(report: &DriftReport) -> String {
    let text = waivers::markdown(report, &code, &html);
    // A file may hold any number of them.
    match text.len() > 8_000 {
        true => format!("\n**Waivers:** {}; there is no room to list them.\n", report.waived.len()),
        false => text,
    }
}

fn table_row(drift: &Drift) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {} |\n",
        kind_word(drift.kind),
        drift.severity.word(),
        code(drift.address.as_str()),
        html(shown_type(&drift.arm_type)),
        if drift.fields.is_empty() { String::new() } else { drift.fields.len().to_string() },
        html(&actors(drift).join(", "))
    )
}

fn drift_block(drift: &Drift) -> String {
    if drift.fields.is_empty() && drift.changed_by.is_empty() {
        return String::new();
    }
    let about = if drift.fields.is_empty() { "" } else { ": asked for (-) and found (+)" };
    block(&format!("{} {}{about}", kind_word(drift.kind), code(drift.address.as_str())), &field_lines(drift))
}

/// The same without elements of HTML: what folds becomes a heading, and code is plain.
fn without_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if line == open => fence = None,
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                if line == "</details>" {
                    continue;
                }
                let line = line.replace("<details><summary>", "**").replace("</summary>", "**");
                let line = line.replace("<code>", "").replace("</code>", "");
                out.push_str(&line);
                out.push('\n');
                continue;
            }
            Some(_) => {}
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// What may go wrong.
fn warnings(plan: &Plan) -> Vec<String> {
    let one = |warning: &Conflict| {
        let (address, message) = (code(warning.address.as_str()), html(&warning.message));
        format!("> **May go wrong:** {address}: {message}; {}\n\n", html(&warning.help))
    };
    plan.warnings.iter().map(one).collect()
}

/// Connections that no rule of the blueprint names.
fn not_ours(text: &mut String, connections: &[NotOurs], by: &[Who]) {
    if connections.is_empty() {
        return;
    }
    text.push_str("\n**Not ours:** no rule names these connections, and they stay as they are.\n\n");
    text.push_str("| | Connection | From | Says |");
    text.push_str(if by.is_empty() { "\n|---|---|---|---|\n" } else { " By |\n|---|---|---|---|---|\n" });
    for (at, connection) in connections.iter().enumerate() {
        let from = connection.endpoint.as_ref().map_or("unknown", |id| id.as_str());
        let (status, id) = (html(&connection.status), code(connection.id.as_str()));
        let by = by.get(at).map(|who| format!(" {} |", html(&who.in_words()))).unwrap_or_default();
        let _ =
            writeln!(text, "| {status} | {id} | {} | {} |{by}", code(from), html(&connection.description));
    }
}

/// What policies say, where there is no plan.
pub fn findings(findings: &[Finding]) -> String {
    policies(findings, Host::default().limit())
}

/// What policies say, as a section that follows a plan.
fn policies(findings: &[Finding], room: usize) -> String {
    let mut text = String::from("\n### Policies\n\n");
    if findings.is_empty() {
        text.push_str("Nothing to say.\n");
    }
    let mut lines: Vec<(Verdict, String)> = Vec::new();
    for finding in findings {
        let word = match finding.verdict {
            Verdict::Deny => "denied",
            Verdict::Warn => "warning",
        };
        let address = finding.address.as_ref().map(|address| format!(" {}", code(address)));
        let place = finding.place.as_ref().map(|place| format!(" ({})", code(&place.to_string())));
        let line = format!(
            "- **{word}**{}{}: {} ({})\n",
            address.unwrap_or_default(),
            place.unwrap_or_default(),
            code(&finding.message),
            code(&finding.rule),
        );
        lines.push((finding.verdict, line));
    }
    // What is denied is dropped last.
    let mut order: Vec<String> = Vec::with_capacity(lines.len());
    let denied = lines.iter().filter(|(verdict, _)| *verdict == Verdict::Deny);
    let all: usize = lines.iter().map(|(_, line)| line.len()).sum();
    if all <= room.saturating_sub(120) {
        order.extend(lines.into_iter().map(|(_, line)| line));
    } else {
        order.extend(denied.map(|(_, line)| line.clone()));
        order.extend(
            lines.iter().filter(|(verdict, _)| *verdict != Verdict::Deny).map(|(_, line)| line.clone()),
        );
    }
    lines_within(&mut text, &order, room.saturating_sub(120));
    text
}

/// What drifted as lines of a diff.
pub(crate) fn field_lines(drift: &Drift) -> String {
    let shown = Shown { base: Some(&drift.id), names: None, style: &STYLE };
    let mut lines = vec![format!("  {}", escape(drift.id.as_str()))];
    for field in &drift.fields {
        let field = &*dated_field(field);
        let path = shown.path(&field.path);
        if !field.expected.is_null() {
            lines.push(format!("- {path} = {}", shown.inline(&field.expected)));
        }
        if !field.actual.is_null() {
            lines.push(format!("+ {path} = {}", shown.inline(&field.actual)));
        }
    }
    for (about, text) in blamed(drift) {
        lines.push(match about {
            Some(about) => format!("# {about}: {text}"),
            None => format!("# {text}"),
        });
    }
    lines.join("\n")
}

/// Who made a drift, by name only.
pub(crate) fn actors(drift: &Drift) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for by in &drift.changed_by {
        let name = by.who.actor().map_or_else(|| "not known".to_owned(), ToString::to_string);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

pub(crate) const fn kind_word(kind: DriftKind) -> &'static str {
    match kind {
        DriftKind::Changed => "changed",
        DriftKind::Missing => "missing",
        DriftKind::Added => "added",
    }
}

fn step_title(step: &Step) -> String {
    let expected = if step.expected_ms >= 60_000 {
        format!(", usually {}", about(step.expected_ms))
    } else {
        String::new()
    };
    format!("{} {}{expected}", step.action.word(), code(step.address.as_str()))
}

/// What a step changes as lines of a diff, when there is anything to unfold.
pub(crate) fn step_lines(step: &Step, names: &Names<'_>) -> Option<String> {
    let step = &*dated(step);
    let shown = Shown { base: Some(&step.id), names: Some(names), style: &STYLE };
    match step.action {
        Action::Create | Action::Recover if !step.desired.is_null() => {
            Some(prefixed("+ ", &shown.body_text(&body_with_name(step))))
        }
        Action::Delete => named_in_words(step).map(|name| prefixed("- ", &name)),
        _ if step.changes.is_empty() => None,
        _ => Some(
            step.changes.iter().map(|change| change_lines(&shown, change)).collect::<Vec<_>>().join("\n"),
        ),
    }
}

fn change_lines(shown: &Shown<'_>, change: &Change) -> String {
    let path = shown.path(&change.path);
    let note = match change.kind {
        _ if change.forces_replace => "  # forces replacement",
        _ if change.foreign => "  # not in the blueprint: exclusive",
        ChangeKind::Reset => "  # dropped: default again",
        ChangeKind::Release => "  # dropped: left as it is",
        ChangeKind::Set | ChangeKind::Remove => "",
    };
    if change.kind == ChangeKind::Release {
        return format!("  {path} = {}{note}", shown.inline(&change.before));
    }
    if is_secret(&change.after) {
        return format!("+ {path} = {}{note}", secret_words(change));
    }
    let mut lines = Vec::new();
    if !change.before.is_null() {
        lines.push(format!("- {path} = {}", shown.inline(&change.before)));
    }
    if change.kind != ChangeKind::Remove {
        match &change.after {
            Value::Object(_) if change.before.is_null() => {
                lines.push(format!("+ {path}{note}"));
                lines.push(prefixed("+   ", &shown.body_text(&change.after)));
            }
            after => lines.push(format!("+ {path} = {}{note}", shown.inline(after))),
        }
    } else if let Some(last) = lines.last_mut() {
        last.push_str(note);
    }
    lines.join("\n")
}

fn prefixed(prefix: &str, lines: &str) -> String {
    lines.lines().map(|line| format!("{prefix}{line}")).collect::<Vec<_>>().join("\n")
}

/// A block to unfold.
fn block(title: &str, lines: &str) -> String {
    // A fence is longer than any run of backticks inside it.
    let longest = lines.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("<details><summary>{title}</summary>\n\n{fence}diff\n{lines}\n{fence}\n\n</details>\n\n")
}

/// A text as code, wherever it is: backticks and pipes in it do no harm.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", html(text))
}

/// A text in which nothing is Markdown or HTML.
pub(super) fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            '&' | '<' | '>' | '"' | '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '@' | '#' | '$' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Address;
    use crate::report::sample;
    use serde_json::json;

    #[test]
    fn a_plan_is_a_table_and_details() {
        insta::assert_snapshot!(plan(&sample::plan()));
    }

    #[test]
    fn drift_is_a_table_and_details() {
        insta::assert_snapshot!(drift(&sample::drift()));
    }

    #[test]
    fn nothing_breaks_out_of_its_place() {
        let mut hostile = sample::plan();
        hostile.steps.retain(|step| step.address.as_str() == "networks.hub.subnets.endpoints");
        hostile.steps[0].address = Address::new("a|b`c</summary><script>");
        hostile.steps[0].desired = json!({ "x": "````\n```\n</details>" });
        let text = plan(&hostile);
        assert!(!text.contains("<script>") && !text.contains("a|b"), "{text}");
        assert!(text.contains("`````diff"), "{text}");
        assert!(text.lines().all(|line| line != "```"), "{text}");
    }

    #[test]
    fn a_plan_stays_within_the_limit_of_every_place() {
        let mut long = sample::plan();
        let step = long.steps[8].clone();
        let conflict = |at: usize| Conflict {
            address: step.address.clone(),
            id: step.id.clone(),
            message: format!("something `{at}` | is in the way").repeat(4),
            help: "take it away".into(),
        };
        long.conflicts = (0..3_000).map(conflict).collect();
        long.warnings = (0..3_000).map(conflict).collect();
        long.steps.extend(std::iter::repeat_n(step.clone(), 5_000));
        let finding = Finding {
            verdict: Verdict::Warn,
            rule: "berth.tags".into(),
            message: "no team".repeat(30),
            address: Some("networks.hub".into()),
            place: None,
        };
        let mut found = vec![finding.clone(); 3_000];
        found.push(Finding { verdict: Verdict::Deny, message: "denied at the end".into(), ..finding });
        for host in Host::ALL {
            let text = plan_for(&long, Some(&found), host);
            let of = text.chars().count();
            assert!(text.len() <= host.limit(), "{host:?}: {}", text.len());
            assert!(of > host.limit() / 3, "{host:?}: {of}");
            assert!(text.contains(&totals(&long.counts())), "{host:?}: counts are never dropped");
            assert!(
                text.contains("To stay within the limit of this place") && text.contains("denied at the end"),
                "{host:?}"
            );
            assert!(text.contains("In the way:") && text.contains("more: there is no room"), "{host:?}");
            assert!(host.has_html() || !text.contains("<code>"), "{host:?}");
        }
        let short = plan_for(&sample::plan(), None, Host::Bitbucket);
        assert!(!short.contains("<details>") && !short.contains("no room"), "{short}");
    }
}
