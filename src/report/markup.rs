//! What every HTML page has: text in which nothing is HTML, the header, and connections that no rule names.

use super::text::escape;
use crate::drift::Who;
use crate::ident::Header;
use crate::private_link::NotOurs;
use std::fmt::Write;

/// A text in which nothing is HTML.
pub(super) fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// What a report opens with.
pub(super) fn header(header: Option<&Header>) -> String {
    let rows = header.map(Header::rows).unwrap_or_default();
    let row = |(name, value): &(&str, String)| format!("<tr><td>{name}</td><td>{}</td></tr>\n", text(value));
    match rows.is_empty() {
        true => String::new(),
        false => format!("<table>\n{}</table>\n", rows.iter().map(row).collect::<String>()),
    }
}

/// Connections that no rule of the blueprint names.
pub(super) fn not_ours(body: &mut String, connections: &[NotOurs], by: &[Who]) {
    if connections.is_empty() {
        return;
    }
    body.push_str(
        "<h2>Not ours</h2>\n<p>No rule names these connections, and they stay as they are.</p>\n<table>\n",
    );
    for (at, connection) in connections.iter().enumerate() {
        let from = connection.endpoint.as_ref().map_or("unknown", |id| id.as_str());
        let by = by.get(at).map(Who::in_words);
        let cells = [&connection.status, connection.id.as_str(), from, &connection.description];
        let cells = cells.into_iter().chain(by.as_deref());
        let cells: String = cells.map(|cell| format!("<td>{}</td>", text(cell))).collect();
        let _ = writeln!(body, "<tr>{cells}</tr>");
    }
    body.push_str("</table>\n");
}
