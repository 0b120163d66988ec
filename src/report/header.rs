//! What plans and reports open with: what the run is for, and where it works.

use super::style::{Line, Page, Tone};
use super::text::escape;
use crate::ident::Header;

/// For a person: a line a fact, and a free line.
pub(super) fn human(page: &mut Page<'_>, header: Option<&Header>) {
    let rows = header.map(Header::rows).unwrap_or_default();
    let column = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default() + 2;
    for (name, text) in &rows {
        let head = Line::default().add(Tone::Dim, *name).pad_to(column);
        let tone = if *name == "Blueprint" { Tone::Strong } else { Tone::Plain };
        page.line(head.add(tone, escape(text)));
    }
    if !rows.is_empty() {
        page.gap();
    }
}
