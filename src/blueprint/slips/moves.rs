//! Lines that are indented otherwise in a copy of the text, and where a key may stand.

use super::super::indentation::mappings;
use super::super::sections::meant;
use super::super::{schema, span::span_at};
use super::rows::{Row, around, below, rows};
use crate::diag::{Code, Diagnostic, SourceFile, Span};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

pub(in crate::blueprint) const INDENTATION: Code = Code {
    name: "indentation",
    why: "A line is indented too little or too much, so that YAML takes it for a part of something else than its field is known in.",
    remedy: "Indent it as the message says; spaces, not tabs, and as many as the lines beside it have.",
    example: "network:\n  plugin: azure\n  mode: overlay",
};

/// Which mappings of free keys a key is believed to belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FreeKeys {
    /// None: it has to be a known field.
    None,
    /// Those whose values are mappings of known fields: everything fits below `tags:`.
    OfMappings,
    /// All.
    All,
}

/// Whether a key may be in the mapping at a path.
pub(super) fn belongs<'p>(path: impl Iterator<Item = &'p str>, key: &str, believed: FreeKeys) -> bool {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    let schema = SCHEMA.get_or_init(schema::schema);
    let none = Map::new();
    let definitions = schema["definitions"].as_object().or(schema["$defs"].as_object()).unwrap_or(&none);
    let mut level = Vec::new();
    mappings(schema, definitions, 0, &mut level);
    for step in path {
        let mut next = Vec::new();
        for mapping in &level {
            let member = mapping["properties"].get(step).or_else(|| mapping.get("additionalProperties"));
            if let Some(member) = member {
                mappings(member, definitions, 0, &mut next);
            }
        }
        level = next;
    }
    level.iter().any(|mapping| {
        let free = &mapping["additionalProperties"];
        let mut inner = Vec::new();
        mappings(free, definitions, 0, &mut inner);
        let is_believed = match believed {
            FreeKeys::None => false,
            FreeKeys::OfMappings => !inner.is_empty(),
            FreeKeys::All => free.is_object(),
        };
        mapping["properties"].get(key).is_some() || is_believed
    })
}

/// Lines that are indented otherwise in the copy.
#[derive(Debug, Clone)]
pub(super) struct Move {
    /// The first line, and the one behind the last.
    pub(super) lines: std::ops::Range<usize>,
    pub(super) from: usize,
    pub(super) to: usize,
    /// What the first line is moved into; none is the blueprint itself.
    pub(super) parent: Option<String>,
    /// The keys that are moved with it, besides what is below it.
    pub(super) beside: Vec<String>,
}

impl Move {
    /// The text with the lines where they belong.
    pub(super) fn apply(&self, rows: &[Row<'_>], text: &str) -> String {
        let mut new = String::with_capacity(text.len() + 64);
        for (at, row) in rows.iter().enumerate() {
            let end = rows.get(at + 1).map_or(text.len(), |next| next.start);
            let line = &text[row.start..end];
            if self.lines.contains(&at) && !row.text.trim().is_empty() {
                let indent = (row.indent + self.to).saturating_sub(self.from);
                new.push_str(&" ".repeat(indent));
                new.push_str(line.trim_start_matches(' '));
            } else {
                new.push_str(line);
            }
        }
        new
    }

    /// A place of the copy as a place of the file.
    pub(super) fn place_back(&self, span: &mut Span, file: &Arc<SourceFile>, rows: &[Row<'_>]) {
        let line = span.line - 1;
        let begin = span.file.text[..span.offset].rfind('\n').map_or(0, |at| at + 1);
        let Some(row) = rows.get(line) else { return };
        let mut within = span.offset - begin;
        if self.lines.contains(&line) {
            within = (within + self.from).saturating_sub(self.to);
            span.column = (span.column + self.from).saturating_sub(self.to).max(1);
        }
        span.offset = (row.start + within).min(file.text.len());
        span.file = file.clone();
    }
}

/// The moves that could put a line right.
pub(super) fn moves(rows: &[Row<'_>], text: &str, at: usize) -> Vec<Move> {
    let row = rows[at];
    let Some((key, _)) = row.key.filter(|_| row.counts) else { return Vec::new() };
    let Some(before) = (0..at).rev().find(|&above| rows[above].counts) else { return Vec::new() };
    let mut indents: BTreeSet<usize> =
        around(rows, before).iter().map(|(above, _)| rows[*above].indent).collect();
    indents.extend([0, rows[before].indent]);
    if rows[before].key.is_some_and(|(_, value)| !value) {
        indents.insert(rows[before].indent + 2);
        // As deep as what is below it already.
        if let Some(below) =
            rows[at + 1..].iter().find(|row| row.counts).filter(|next| next.indent > rows[before].indent)
        {
            indents.insert(below.indent);
        }
    }
    indents.remove(&row.indent);
    let below = |from: usize| below(rows, from);
    // A name that is nearly that of a section which is missing is misspelt, rather than a key of somebody's choice.
    let is_there = |section: &str| {
        rows.iter().any(|row| row.indent == 0 && row.key.is_some_and(|(key, _)| key == section))
    };
    let misspelt = row.indent == 0 && meant(key).is_some_and(|section| !is_there(section));
    let mut found = Vec::new();
    for to in indents {
        let mut ends = vec![(at + 1, Vec::new()), (below(at), Vec::new())];
        let mut beside = Vec::new();
        while let (Some(&(end, _)), true) = (ends.last(), beside.len() < 5) {
            let Some((next, _)) = rows
                .get(end)
                .filter(|next| next.counts && next.indent == row.indent)
                .and_then(|next| next.key)
            else {
                break;
            };
            beside.push(next.to_owned());
            ends.push((below(end), beside.clone()));
        }
        ends.dedup_by_key(|(end, _)| *end);
        for (end, beside) in ends {
            let one = Move { lines: at..end, from: row.indent, to, parent: None, beside };
            let copy = one.apply(rows, text);
            let copied = super::rows::rows(&copy);
            let path = around(&copied, at);
            let parent = path.last().map(|(above, key)| (*above, (*key).to_owned()));
            let empty =
                parent.as_ref().is_some_and(|(above, _)| !copied[above + 1..at].iter().any(|row| row.counts));
            let believed = match (misspelt, empty) {
                (true, _) => FreeKeys::None,
                (false, true) => FreeKeys::All,
                (false, false) => FreeKeys::OfMappings,
            };
            if belongs(path.iter().map(|(_, key)| *key), key, believed) {
                found.push(Move { parent: parent.map(|(_, key)| key), ..one });
            }
        }
    }
    found
}

pub(super) fn told(file: &Arc<SourceFile>, one: &Move) -> Diagnostic {
    let rows = rows(&file.text);
    let row = rows[one.lines.start];
    let key = row.key.map_or("", |(key, _)| key);
    let levels: BTreeSet<usize> =
        around(&rows, one.lines.start).iter().map(|(at, _)| rows[*at].indent).collect();
    let spaces = |count: usize| match count {
        0 => "no space".to_owned(),
        1 => "1 space".to_owned(),
        more => format!("{more} spaces"),
    };
    let belongs = match &one.parent {
        Some(parent) => format!("it belongs below `{parent}:`"),
        None => "it is a section of the blueprint".to_owned(),
    };
    let aligned = one.from.is_multiple_of(2) || levels.contains(&one.from);
    let message = match one.to > one.from {
        _ if !aligned => format!("`{key}` is indented with {}, and {belongs}", spaces(one.from)),
        true => format!("`{key}` is a level too high: {belongs}"),
        false => format!("`{key}` is a level too deep: {belongs}"),
    };
    let beside = match one.beside.as_slice() {
        [] => "it".to_owned(),
        [other] => format!("it and `{other}`"),
        [.., last] => format!("it and what follows, up to `{last}`,"),
    };
    let help = match one.to {
        0 => format!("indent {beside} with no spaces"),
        to => format!("indent {beside} with {}", spaces(to)),
    };
    Diagnostic::error(&INDENTATION, message)
        .at(Some(span_at(file, row.start + row.indent, key.len().max(1))))
        .help(help)
}
