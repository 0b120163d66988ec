//! Private endpoint connections for a person.

use crate::drift::Who;
use crate::ident::ArmId;
use crate::private_link::{Found, NotOurs, Rule, Verdict, judge};
use crate::report::style::{Line, Page, Style, Tone};
use crate::report::text::escape;
use crate::report::words::told;

/// Renders what was found on targets, and what the rules say of it.
pub fn connections(found: &[Found], rules: &[Rule], style: &Style) -> String {
    let mut page = Page::new(style);
    if found.is_empty() {
        page.line(
            Line::default().plain("No private endpoint of the blueprint has a connection to look after."),
        );
    }
    for (at, found) in found.iter().enumerate() {
        if at > 0 {
            page.gap();
        }
        // Ids are on one line, however long, so that they can be copied.
        page.line(Line::default().add(Tone::Strong, escape(found.target.as_str())));
        if let Some(problem) = &found.problem {
            page.paragraph(2, Tone::Bad, &escape(problem));
        } else if found.connections.is_empty() {
            let text = if found.exists { "no private endpoint connections" } else { "is not there" };
            page.line(Line::indented(2).add(Tone::Dim, text));
        }
        let verdicts = judge(&found.target, rules, &found.connections);
        for (connection, verdict) in found.connections.iter().zip(verdicts) {
            let tone = match connection.status.as_str() {
                "Approved" => Tone::Good,
                "Pending" | "Approving" => Tone::Change,
                _ => Tone::Bad,
            };
            let mut head = Line::indented(2)
                .add(tone, escape(&connection.status))
                .pad_to(16)
                .plain(escape(connection.id.name()));
            if let Some(words) = words(verdict, &connection.status) {
                head = head.add(Tone::Dim, format!("  ({words})"));
            }
            page.line(head);
            let from = connection.endpoint.as_ref().map_or("unknown", |endpoint| endpoint.as_str());
            page.line(Line::indented(4).add(Tone::Dim, "from ").plain(escape(from)));
            if !connection.groups.is_empty() {
                page.line(
                    Line::indented(4).add(Tone::Dim, "for ").plain(escape(&connection.groups.join(", "))),
                );
            }
            if !connection.description.is_empty() {
                page.line(Line::indented(4).add(Tone::Dim, "says ").plain(escape(&connection.description)));
            }
        }
    }
    page.finish()
}

/// Connections that no rule of the blueprint names, each on two lines.
pub(super) fn not_ours(page: &mut Page<'_>, connections: &[NotOurs], by: &[Who]) {
    if connections.is_empty() {
        return;
    }
    page.gap();
    let rest = "no rule names these connections, and they stay as they are";
    page.hanging(Line::default().add(Tone::Change, "Not ours: "), Tone::Plain, rest);
    for (at, connection) in connections.iter().enumerate() {
        let tone = if connection.status == "Approved" { Tone::Bad } else { Tone::Change };
        let on = match &connection.address {
            Some(address) => escape(address.as_str()).into_owned(),
            None => connection.id.parent().map_or_else(String::new, |id| escape(id.as_str()).into_owned()),
        };
        let head = Line::indented(2).add(tone, escape(&connection.status)).pad_to(16);
        page.line(head.plain(escape(connection.id.name())).add(Tone::Dim, " on ").plain(on));
        let from = connection.endpoint.as_ref().map_or("unknown", ArmId::as_str);
        page.line(Line::indented(6).add(Tone::Dim, "from ").plain(escape(from)));
        if !connection.description.is_empty() {
            page.line(Line::indented(6).add(Tone::Dim, "says ").plain(escape(&connection.description)));
        }
        if let Some(who) = by.get(at) {
            for line in page.style.fold(&escape(&told("made by", who)), 6) {
                page.line(Line::indented(6).add(Tone::Note, line));
            }
        }
    }
}

fn words(verdict: Verdict, status: &str) -> Option<&'static str> {
    match (verdict, status) {
        (Verdict::Approve, _) => Some("named: may be approved"),
        (Verdict::Approved, _) => Some("named"),
        (Verdict::Refused, "Rejected") => Some("named, but rejected: `--id` overrules that"),
        (Verdict::Refused, _) => Some("named, but it has lost its endpoint: remove it"),
        (Verdict::TooMany, _) => Some("named, but more ask than may be approved: none is"),
        (Verdict::Contradictory, _) => Some("named, but listed twice with different contents"),
        (Verdict::UnknownGroup, _) => Some("named, but the target does not tell its group"),
        (Verdict::OtherGroup, _) => Some("named, but for another group"),
        (Verdict::OtherMessage, _) => Some("named, but the request says something else"),
        (Verdict::NotNamed, "Pending") => Some("no rule names it: it stays pending"),
        (Verdict::NotNamed, _) => None,
    }
}
