//! What `berth explain` answers.

use super::codes::{code, codes};
use super::fields::{FieldDoc, fields};
use super::probe::field_in_arm;
use super::topics::TOPICS;
use crate::catalog::{Kind, registry};
use crate::diag::{Code, Failure, did_you_mean};
use std::fmt::Write;

/// Explains a kind (`clusters`), a field of it (`clusters.network.plugin`), a code (`unknown-field`); without a subject,
/// lists the kinds.
///
/// # Errors
/// That there is no such thing, and what was probably meant.
pub fn explain(subject: Option<&str>) -> Result<String, Failure> {
    let Some(subject) = subject else { return Ok(list()) };
    let subject = subject.trim().trim_start_matches("berth::");
    let (section, path) = subject.split_once('.').unwrap_or((subject, ""));
    let kinds = || registry().iter();
    let same = |kind: &&Kind| {
        let singular = kind.title.replace(' ', "");
        kind.section.eq_ignore_ascii_case(section) || singular.eq_ignore_ascii_case(section)
    };
    if let Some(kind) = kinds().find(same) {
        return match path {
            "" => Ok(of_kind(kind)),
            path => of_field(kind, path),
        };
    }
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name.eq_ignore_ascii_case(section)) {
        return topic.explain(path);
    }
    if let Some(code) = code(subject) {
        return Ok(of_code(code));
    }
    let all = codes();
    let known = kinds().map(|kind| kind.section).chain(TOPICS.iter().map(|topic| topic.name));
    let known = known.chain(all.iter().map(|code| code.name));
    let help = match did_you_mean(section, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "`berth explain` lists the kinds; codes are above the messages of `berth validate`".to_owned()
        }
    };
    Err(Failure::new(format!("there is no kind and no diagnostic `{subject}`"), help))
}

fn list() -> String {
    let width = registry().iter().map(|kind| kind.section.len()).max().unwrap_or(0);
    let mut out = "The sections of a blueprint:\n\n".to_owned();
    for kind in registry() {
        let first = kind.about.split_inclusive(". ").next().unwrap_or_default().trim().trim_end_matches('.');
        let _ = writeln!(out, "  {:width$}  {first}", kind.section);
    }
    out.push_str("\nAnd of what they are made:\n\n");
    for topic in TOPICS {
        let _ = writeln!(out, "  {:width$}  {}", topic.name, topic.title);
    }
    out.push_str(
        "\n`berth explain KIND` tells more, `berth explain KIND.FIELD` of one field, `berth explain CODE` of a \
         diagnostic.\n",
    );
    out
}

fn of_code(code: &Code) -> String {
    let mut out = format!("{}\n\n{}\n\nWhat to do: {}\n", code.name, code.why, code.remedy);
    if !code.example.is_empty() {
        let _ = write!(out, "\nFor example:\n\n{}", indented(code.example));
    }
    out
}

fn of_kind(kind: &Kind) -> String {
    let mut out = format!("{}: {}\n\n{}\n", kind.section, kind.title, kind.about);
    if !kind.types.is_empty() {
        out.push_str("\nIn Azure:\n");
        for made in kind.types {
            let _ = writeln!(out, "  {} ({}): {}", made.arm_type, made.api_version, made.title);
        }
    }
    let all = fields(kind);
    out.push_str("\nFields:\n");
    let top = |field: &&FieldDoc| !field.path.contains(['.', '[']) && !field.common;
    for field in all.iter().filter(top) {
        line(&mut out, field);
    }
    out.push_str("\nFields of every entry:\n");
    for field in all.iter().filter(|field| field.common) {
        line(&mut out, field);
    }
    let lists = exclusive_lists(kind);
    if !lists.is_empty() {
        out.push_str("\nLists that others can add to, and that `exclusive` can name:\n");
        for (place, names) in lists {
            let place = if place.is_empty() { "the entry" } else { place };
            let _ = writeln!(out, "  {place}: {}", names.join(", "));
        }
    }
    for made in kind.types.iter().filter(|made| !made.facets.is_empty()) {
        // The first type is the entry's own; the others are those of its parts.
        let of = if made.arm_type == kind.arm_type { kind.title } else { made.title };
        let _ = writeln!(out, "\nOutputs of a {of}, besides `id` and `name`:");
        for output in made.facets {
            let _ = writeln!(out, "  {}  {}", output.name, output.about);
        }
    }
    let _ = write!(out, "\nFor example:\n\n{}", indented(kind.example));
    out
}

/// What `exclusive` can name, by the part of an entry in which it is written; `KEY` stands for any key.
pub(super) fn exclusive_lists(kind: &Kind) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut lists: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    let main = kind.types.iter().find(|made| made.arm_type == kind.arm_type);
    for merged in kind.merged {
        match lists.iter_mut().find(|(within, _)| *within == merged.within) {
            Some((_, names)) if names.contains(&merged.name) => {}
            Some((_, names)) => names.push(merged.name),
            None => lists.push((merged.within, vec![merged.name])),
        }
    }
    if main.is_some_and(|main| main.tags) {
        match lists.iter_mut().find(|(within, _)| within.is_empty()) {
            Some((_, names)) => names.push("tags"),
            None => lists.insert(0, ("", vec!["tags"])),
        }
    }
    lists
}

fn line(out: &mut String, field: &FieldDoc) {
    let needed = if field.required { ", required" } else { "" };
    let _ = writeln!(out, "  {}  ({}{needed})", field.path, field.holds);
    if !field.about.is_empty() {
        let _ = writeln!(out, "      {}", field.about);
    }
}

/// Whether a written path names a field: a `KEY` and a `[]` may be left out, be a real key, or an index.
fn is_path(written: &str, path: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        text.split('.').map(|part| part.split('[').next().unwrap_or_default().to_lowercase()).collect()
    };
    fn fits(written: &[String], path: &[String]) -> bool {
        match (written, path) {
            ([], []) => true,
            (written, [key, rest @ ..]) if key == "key" => {
                fits(written, rest) || written.split_first().is_some_and(|(_, written)| fits(written, rest))
            }
            ([a, written @ ..], [b, rest @ ..]) => a == b && fits(written, rest),
            _ => false,
        }
    }
    fits(&parts(written), &parts(path))
}

fn of_field(kind: &Kind, path: &str) -> Result<String, Failure> {
    let all = fields(kind);
    let exact = all.iter().find(|field| field.path.eq_ignore_ascii_case(path));
    let Some(field) = exact.or_else(|| all.iter().find(|field| is_path(path, &field.path))) else {
        let outputs = kind.types.iter().flat_map(|made| made.facets);
        if let Some(output) = outputs.clone().find(|output| output.name == path) {
            return Ok(format!(
                "{}.KEY.{}\n\n{}\n\nAzure makes this value: use it as `${{{}.KEY.{}}}`.\n",
                kind.section, output.name, output.about, kind.section, output.name
            ));
        }
        let help = nearest(path, &all, kind);
        return Err(Failure::new(format!("`{}` has no field `{path}`", kind.section), help));
    };
    let mut out = format!("{}.{}\n\n", kind.section, field.path);
    if !field.about.is_empty() {
        let _ = writeln!(out, "{}\n", field.about);
    }
    let _ = writeln!(out, "  holds     {}", field.holds);
    if field.required {
        out.push_str("  required\n");
    }
    if let Some(default) = &field.default {
        let _ = writeln!(out, "  default   {default}");
    }
    for example in &field.examples {
        let _ = writeln!(out, "  example   {example}");
    }
    for arm in field_in_arm(kind, field) {
        let _ = writeln!(out, "  in ARM    {} of {} ({})", arm.path, arm.kind.arm_type, arm.kind.api_version);
        for told in arm.kind.compiled().told(&arm.path) {
            let _ = writeln!(out, "            {told}");
        }
    }
    let start = format!("{}.", field.path);
    let list = format!("{}[]", field.path);
    let inside: Vec<&FieldDoc> = all
        .iter()
        .filter(|other| {
            let rest = other
                .path
                .strip_prefix(&start)
                .or_else(|| other.path.strip_prefix(&list).map(|rest| rest.trim_start_matches('.')));
            rest.is_some_and(|rest| !rest.trim_start_matches("KEY.").contains(['.', '[']))
        })
        .collect();
    if !inside.is_empty() {
        out.push_str("\nFields in it:\n");
        for field in inside {
            line(&mut out, field);
        }
    }
    let used: Vec<&str> =
        kind.example.lines().filter(|line| line.contains(&format!("{}:", last(&field.path)))).collect();
    if let Some(used) = used.first() {
        let _ = write!(out, "\nFor example:\n\n{}", indented(used));
    }
    Ok(out)
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]")
}

/// What was probably meant: the field whose own name is near, the deepest that fits what is before.
fn nearest(path: &str, all: &[FieldDoc], kind: &Kind) -> String {
    let (before, name) = path.rsplit_once('.').unwrap_or(("", path));
    let beside = |field: &&FieldDoc| match field.path.rsplit_once('.') {
        Some((parent, _)) => is_path(before, parent),
        None => before.is_empty(),
    };
    let names = all.iter().filter(beside).map(|field| last(&field.path));
    if let Some(near) = did_you_mean(name, names) {
        let dot = if before.is_empty() { "" } else { "." };
        return format!("did you mean `{}.{before}{dot}{near}`?", kind.section);
    }
    if let Some(same) = all.iter().find(|field| last(&field.path).eq_ignore_ascii_case(name)) {
        return format!("did you mean `{}.{}`?", kind.section, same.path);
    }
    format!("`berth explain {}` lists its fields", kind.section)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_with_and_without_its_keys() {
        for path in
            ["nodePools.KEY.vmSize", "nodePools.system.vmSize", "nodePools.vmSize", "nodepools.vmsize"]
        {
            let text = explain(Some(&format!("clusters.{path}"))).unwrap();
            assert!(text.starts_with("clusters.nodePools.KEY.vmSize\n"), "{text}");
        }
        let text = explain(Some("natGateways.sku")).unwrap();
        assert!(text.contains("sku.name of Microsoft.Network/natGateways"), "{text}");
        assert!(text.contains("never changes"), "{text}");
    }

    #[test]
    fn what_is_not_there_says_what_is_near() {
        for (wrong, near) in [
            ("cluster.nodePool", "clusters.nodePools"),
            ("clusterz", "`clusters`"),
            ("unknown-feld", "`unknown-field`"),
            ("clusters.nodePools.vmSiz", "clusters.nodePools.vmSize"),
            ("clusters.vmSize", "clusters.nodePools.KEY.vmSize"),
        ] {
            let told = explain(Some(wrong)).unwrap_err();
            assert!(told.help.as_ref().is_some_and(|help| help.contains(near)), "{wrong}: {told:?}");
        }
    }

    #[test]
    fn every_kind_can_be_explained_and_every_field_says_what_it_is() {
        for kind in registry() {
            assert!(explain(Some(kind.section)).unwrap().contains(kind.about));
            let all = fields(kind);
            for field in &all {
                assert!(is_path(&field.path, &field.path), "{}", field.path);
            }
            assert!((kind.reads || all.len() >= 10) && all.len() < 1500, "{}: {}", kind.section, all.len());
        }
    }
}
