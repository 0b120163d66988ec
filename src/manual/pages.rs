//! The pages of the reference that follow from the code.

use super::about::exclusive_lists;
use super::codes::codes;
use super::fields::{FieldDoc, fields};
use super::probe::field_in_arm;
use crate::catalog::{COMMON_SEVERITY, Kind, Turn, Weight};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The file of a kind's page: `networks.md`.
pub fn page_name(kind: &Kind) -> String {
    format!("{}.md", kind.section)
}

/// A kind's page of the reference, as Markdown.
pub fn page(kind: &Kind) -> String {
    let mut out = format!("# `{}`\n\n{}\n", kind.section, kind.about);
    out.push_str("\nMade from the code by `just regen`; do not edit.\n");
    if !kind.types.is_empty() {
        out.push_str("\n## In Azure\n\n| resource | ARM type | API version | to be made takes about |\n|---|---|---|---|\n");
        for made in kind.types {
            let seconds = made.expected.as_secs();
            let expected =
                if seconds < 90 { format!("{seconds} s") } else { format!("{} min", seconds / 60) };
            let held = if made.stateful { ", protected" } else { "" };
            let _ = writeln!(
                out,
                "| {}{held} | `{}` | `{}` | {expected} |",
                made.title, made.arm_type, made.api_version
            );
        }
        if kind.types.iter().any(|made| made.stateful) {
            out.push_str("\nWhat is protected is deleted or replaced only when a person names it, unless the entry says `protect: false`.\n");
        }
    }
    let _ = write!(out, "\n## Example\n\n```yaml\n{}```\n", kind.example);
    let all = fields(kind);
    out.push_str("\n## Fields\n\n| field | holds | what it is |\n|---|---|---|\n");
    for field in all.iter().filter(|field| !field.common) {
        row(&mut out, kind, field);
    }
    out.push_str("\n## Fields of every entry\n\n| field | holds | what it is |\n|---|---|---|\n");
    for field in all.iter().filter(|field| field.common) {
        row(&mut out, kind, field);
    }
    out.push_str(&exclusive(kind));
    out.push_str(&severities(kind));
    let outputs: Vec<_> =
        kind.types.iter().flat_map(|made| made.facets.iter().map(move |facet| (made.title, facet))).collect();
    if !outputs.is_empty() {
        out.push_str("\n## Outputs\n\nBesides `id`, `name`, `type`, `location` and `resourceGroup`.\n\n| output | of | what it is |\n|---|---|---|\n");
        for (title, output) in outputs {
            let _ = writeln!(out, "| `{}` | {title} | {} |", output.name, cell(output.about));
        }
    }
    out
}

/// What `exclusive` can name, as a section of its own.
fn exclusive(kind: &Kind) -> String {
    let lists = exclusive_lists(kind);
    if lists.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "\n## Lists that others can add to\n\nWhat others add stays, unless `exclusive` names the list; `exclusive: true` \
         names all of one place.\n\n| in | `exclusive` can name |\n|---|---|\n",
    );
    for (place, names) in lists {
        let place = if place.is_empty() { "the entry".to_owned() } else { format!("`{place}`") };
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(out, "| {place} | {} |", names.join(", "));
    }
    out
}

/// How grave drift of a kind is, as a section of its own.
fn severities(kind: &Kind) -> String {
    if kind.types.iter().all(|made| made.severity.is_empty()) {
        return String::new();
    }
    let mut out = String::from(
        "\n## Severity of drift\n\nWhat is not listed is `medium`; what holds for every kind is in \
         [drift](../drift.md).\n\n| of | field | change | severity | what it means |\n|---|---|---|---|---|\n",
    );
    for made in kind.types {
        for weight in made.severity {
            out.push_str(&weight_row(made.title, weight));
        }
    }
    out
}

fn weight_row(title: &str, weight: &Weight) -> String {
    let turn = match weight.turn {
        Turn::Any => "any".to_owned(),
        Turn::To("[]") => "to an empty list".to_owned(),
        Turn::To(value) => format!("to `{value}`"),
        Turn::Grows => "something is added".to_owned(),
        Turn::Where(_) => "one that does this".to_owned(),
    };
    let severity = weight.severity.word();
    format!("| {title} | `{}` | {turn} | {severity} | {} |\n", weight.path, cell(weight.about))
}

/// The page on how grave drift is, as Markdown.
pub fn drift_page() -> String {
    let mut out = String::from(
        "# Severity of drift\n\nMade from the code by `just regen`; do not edit.\n\nEach field that drifted has a \
         severity: `critical`, `high`, `medium` or `low`. A resource has that of its gravest field. One that is gone is \
         `high`, or `critical` when its loss loses data; one that somebody made where `exclusive` wants none is `medium`.\n\n\
         | severity | when |\n|---|---|\n\
         | `critical` | something was opened to the internet or to everybody, or data may be lost |\n\
         | `high` | access, routes or protection changed, or something is gone |\n\
         | `medium` | anything else that may work differently |\n\
         | `low` | words: tags, descriptions |\n\n\
         This holds for every type; the pages of the kinds say what holds for theirs. Of several the gravest counts.\n\n\
         | of | field | change | severity | what it means |\n|---|---|---|---|---|\n",
    );
    COMMON_SEVERITY.iter().for_each(|weight| out.push_str(&weight_row("all", weight)));
    out
}

fn row(out: &mut String, kind: &Kind, field: &FieldDoc) {
    let mut about = vec![cell(&field.about)];
    if field.required {
        about.push("**Required.**".to_owned());
    }
    if let Some(default) = &field.default {
        about.push(format!("Default `{}`.", cell(default)));
    }
    if !field.common {
        for arm in field_in_arm(kind, field) {
            let told = arm.kind.compiled().told(&arm.path);
            let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) };
            about.push(format!("ARM: `{}`{}.", arm.path, cell(&told)));
        }
    }
    let _ = writeln!(out, "| `{}` | {} | {} |", field.path, cell(&field.holds), about.join(" "));
}

/// A text that cannot leave its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ").trim().to_owned()
}

/// The page of every diagnostic, as Markdown. `reports` are what berth says of a mistake, by code.
pub fn code_page(reports: &BTreeMap<String, String>) -> String {
    let mut out = "# Diagnostics\n\nWhat `berth validate` says of a blueprint, by code; `berth explain CODE` shows the same. \
                   Made from the code by `just regen`; do not edit.\n"
        .to_owned();
    for code in codes() {
        let _ = write!(out, "\n## {}\n\n{}\n", code.name, code.why);
        if let Some(report) = reports.get(code.name) {
            let _ = write!(out, "\n```text\n{report}\n```\n");
        }
        let _ = write!(out, "\nWhat to do: {}\n", code.remedy);
        if !code.example.is_empty() {
            let language = if code.is_command() { "sh" } else { "yaml" };
            let _ = write!(out, "\n```{language}\n{}\n```\n", code.example.trim_end());
        }
    }
    out
}
