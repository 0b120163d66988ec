//! What a plan or a drift report sees and leaves as it is.

use super::human::value::Shown;
use super::style::{Line, Page, Style, Tone};
use super::text::escape;
use crate::value::{LeftAlone, LeftAloneReason};
use std::fmt::Write;

const STYLE: Style = Style::plain(usize::MAX);

/// The groups in which it is told, each with a sentence about all of them.
const GROUPS: [(&[LeftAloneReason], &str, &str); 2] = [
    (
        &[LeftAloneReason::Ignored, LeftAloneReason::SetOnce],
        "Left alone",
        "the blueprint gives these fields away (`ignore`)",
    ),
    (
        &[LeftAloneReason::Added],
        "Added by others",
        "the blueprint does not have these, and they stay; `exclusive` would take them away",
    ),
];

fn of<'a>(all: &'a [LeftAlone], reasons: &'a [LeftAloneReason]) -> Vec<&'a LeftAlone> {
    all.iter().filter(|one| reasons.contains(&one.reason)).collect()
}

/// The path as a plan shows it, and what is to be said of the values.
fn words(one: &LeftAlone) -> (String, String) {
    let shown = Shown { base: None, names: None, style: &STYLE };
    let path = shown.path(&one.path);
    let words = match one.reason {
        LeftAloneReason::Ignored if one.azure.is_null() => {
            format!("is not set (the blueprint has {})", shown.inline(&one.blueprint))
        }
        LeftAloneReason::Ignored => {
            format!("is {} (the blueprint has {})", shown.inline(&one.azure), shown.inline(&one.blueprint))
        }
        LeftAloneReason::SetOnce => {
            format!("is set to {} now, and left alone then", shown.inline(&one.blueprint))
        }
        LeftAloneReason::Added => String::new(),
    };
    (path, words)
}

/// For a person.
pub(super) fn human(page: &mut Page<'_>, all: &[LeftAlone]) {
    for (reasons, title, about) in GROUPS {
        let found = of(all, reasons);
        if found.is_empty() {
            continue;
        }
        page.gap();
        page.hanging(Line::default().add(Tone::Change, format!("{title}: ")), Tone::Plain, about);
        for one in found {
            let (path, words) = self::words(one);
            let head =
                Line::indented(2).add(Tone::Strong, escape(one.address.as_str())).plain("  ").plain(path);
            page.line(if words.is_empty() { head } else { head.plain(" ").add(Tone::Dim, words) });
        }
    }
}

/// As Markdown; `code` and `html` write what others chose.
pub(super) fn markdown(
    text: &mut String,
    all: &[LeftAlone],
    code: &dyn Fn(&str) -> String,
    html: &dyn Fn(&str) -> String,
) {
    for (reasons, title, about) in GROUPS {
        let found = of(all, reasons);
        if found.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n**{title}:** {about}.\n");
        for one in found {
            let (path, words) = self::words(one);
            let _ = writeln!(text, "- {} {} {}", code(one.address.as_str()), code(&path), html(&words));
        }
    }
}

/// As a part of a page; `text` writes what others chose.
pub(super) fn html(body: &mut String, all: &[LeftAlone], text: &dyn Fn(&str) -> String) {
    for (reasons, title, about) in GROUPS {
        let found = of(all, reasons);
        if found.is_empty() {
            continue;
        }
        let _ = writeln!(body, "<h2>{title}</h2>\n<p>{}.</p>\n<table>", text(about));
        for one in found {
            let (path, words) = self::words(one);
            let cells = [one.address.as_str(), &path, &words].map(|cell| format!("<td>{}</td>", text(cell)));
            let _ = writeln!(body, "<tr>{}</tr>", cells.concat());
        }
        body.push_str("</table>\n");
    }
}
