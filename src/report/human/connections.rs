//! Private endpoint connections for a person.

use crate::private_link::{Found, Rules, Verdict};
use crate::report::style::{Line, Page, Style, Tone};
use crate::report::text::escape;

/// Renders what was found on targets, and what the rules say of it.
pub fn connections(found: &[Found], rules: &Rules, style: &Style) -> String {
    let mut page = Page::new(style);
    if found.is_empty() {
        page.line(Line::default().plain("No private endpoint of the blueprint has a connection to look after."));
    }
    for (at, found) in found.iter().enumerate() {
        if at > 0 {
            page.gap();
        }
        // Ids stand on one line, however long, so that they can be copied.
        page.line(Line::default().add(Tone::Strong, escape(found.target.as_str())));
        if found.connections.is_empty() {
            let text = if found.exists { "no private endpoint connections" } else { "is not there" };
            page.line(Line::indented(2).add(Tone::Dim, text));
        }
        for connection in &found.connections {
            let verdict = rules.verdict(&found.target, connection);
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
                page.line(Line::indented(4).add(Tone::Dim, "for ").plain(escape(&connection.groups.join(", "))));
            }
            if !connection.description.is_empty() {
                page.line(Line::indented(4).add(Tone::Dim, "says ").plain(escape(&connection.description)));
            }
        }
    }
    page.finish()
}

fn words(verdict: Verdict, status: &str) -> Option<&'static str> {
    match (verdict, status) {
        (Verdict::Approve, _) => Some("named: may be approved"),
        (Verdict::Approved, _) => Some("named"),
        (Verdict::Refused, "Rejected") => Some("named, but rejected: `--id` overrules that"),
        (Verdict::Refused, _) => Some("named, but it has lost its endpoint: remove it"),
        (Verdict::NotNamed, "Pending") => Some("no rule names it: it stays pending"),
        (Verdict::NotNamed, _) => None,
    }
}
