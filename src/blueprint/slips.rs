//! Slips of the hand: a line one level too high or too deep, a colon, bracket or quote that is missing.
//!
//! YAML notices such a slip one line late, and a blueprint that is still YAML has all its consequences as mistakes. So the
//! likely slips are put right in a copy of the text, one at a time, and the one after which the least is wrong is the
//! one that is reported. What is wrong with the copy besides is reported as well, at the places of the file.

use super::includes::{Include, Includes};
use super::indentation::mappings;
use super::inputs::{Inputs, Missing};
use super::sections::meant;
use super::source::Source;
use super::span::span_at;
use super::{conceal, resolve, schema, yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Severity, SourceFile, Span};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

pub(super) const INDENTATION: Code = Code {
    name: "indentation",
    why: "A line is indented too little or too much, so that YAML takes it for a part of something else than its field is known in.",
    remedy: "Indent it as the message says; spaces, not tabs, and as many as the lines beside it have.",
    example: "network:\n  plugin: azure\n  mode: overlay",
};

/// In larger files slips are not looked for: each try reads the whole file.
const LARGEST: usize = 128 * 1024;
/// How many tries there are for one slip.
const TRIES: usize = 80;
/// In a blueprint with more mistakes, or more files, slips are not looked for.
const MISTAKES: usize = 60;
const FILES: usize = 20;
/// How many slips are put right in one file.
pub(super) const SLIPS: usize = 4;

/// A line of the text.
#[derive(Debug, Clone, Copy)]
struct Row<'t> {
    /// Where it begins, in bytes.
    start: usize,
    text: &'t str,
    /// How many spaces are before what it says.
    indent: usize,
    /// The key that it begins with, and whether something is behind the colon.
    key: Option<(&'t str, bool)>,
    /// Whether it says anything of its own: no comment, no part of a text in lines or of a bracket that is open.
    counts: bool,
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let (mut start, mut open, mut lines_of) = (0, 0_i32, None::<usize>);
    for text in text.split_inclusive('\n') {
        let line = text.trim_end_matches(['\n', '\r']);
        let plain = line.trim_start_matches(' ');
        let indent = line.len() - plain.len();
        if !plain.is_empty() && lines_of.is_some_and(|of| indent <= of) {
            lines_of = None;
        }
        let counts = !plain.is_empty() && !plain.starts_with('#') && open == 0 && lines_of.is_none();
        let key = if counts { key_of(plain) } else { None };
        if lines_of.is_none() {
            let (opens, closes) = brackets(plain);
            open = (open + opens - closes).max(0);
            // A bracket that is never closed would swallow the rest; a line with a key at its place ends it.
            let ends = plain.split(" #").next().unwrap_or_default().trim_end();
            if counts && (ends.ends_with(['|', '>']) || ends.ends_with("|-") || ends.ends_with(">-")) {
                lines_of = Some(indent);
            }
        }
        rows.push(Row { start, text: line, indent, key, counts });
        start += text.len();
    }
    rows
}

/// The key that a line begins with.
fn key_of(plain: &str) -> Option<(&str, bool)> {
    let end = plain.find(':')?;
    let (key, rest) = (&plain[..end], &plain[end + 1..]);
    let bare = key.trim_matches(['"', '\'']);
    let is_key = !bare.is_empty() && bare.chars().all(|c| c.is_alphanumeric() || "_-./[]".contains(c));
    let value = rest.split(" #").next().unwrap_or_default().trim();
    (is_key && (rest.is_empty() || rest.starts_with(' '))).then_some((bare, !value.is_empty()))
}

/// How many brackets a line opens and closes, outside of quotes and comments.
fn brackets(line: &str) -> (i32, i32) {
    let (mut opens, mut closes, mut quote) = (0, 0, None);
    let mut before = ' ';
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if " [{,:(".contains(before) => quote = Some(c),
            (None, '#') if before == ' ' => break,
            (None, '[' | '{') => opens += 1,
            (None, ']' | '}') => closes += 1,
            _ => {}
        }
        before = c;
    }
    (opens, closes)
}

/// The keys around a line, the outermost first, by indentation alone.
fn around<'t>(rows: &[Row<'t>], at: usize) -> Vec<(usize, &'t str)> {
    let mut found = Vec::new();
    let mut indent = rows[at].indent;
    for (above, row) in rows[..at].iter().enumerate().rev() {
        if let (true, Some((key, _))) = (row.counts && row.indent < indent, row.key) {
            found.push((above, key));
            indent = row.indent;
        }
    }
    found.reverse();
    found
}

/// Which mappings of free keys a key is believed to belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FreeKeys {
    /// None: it has to be a known field.
    None,
    /// Those whose values are mappings of known fields: everything fits below `tags:`.
    OfMappings,
    /// All.
    All,
}

/// Whether a key may be in the mapping at a path.
fn belongs<'p>(path: impl Iterator<Item = &'p str>, key: &str, believed: FreeKeys) -> bool {
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
struct Move {
    /// The first line, and the one behind the last.
    lines: std::ops::Range<usize>,
    from: usize,
    to: usize,
    /// What the first line is moved into; none is the blueprint itself.
    parent: Option<String>,
    /// The keys that are moved with it, besides what is below it.
    beside: Vec<String>,
}

impl Move {
    /// The text with the lines where they belong.
    fn apply(&self, rows: &[Row<'_>], text: &str) -> String {
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
    fn place_back(&self, span: &mut Span, file: &Arc<SourceFile>, rows: &[Row<'_>]) {
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
fn moves(rows: &[Row<'_>], text: &str, at: usize) -> Vec<Move> {
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
            let copied = self::rows(&copy);
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

/// An error of a copy: its code, its line and what it says.
type Fault = (&'static str, usize, String);

/// Errors about a key in the wrong place.
const STRUCTURE: &[&str] = &["unknown-field", "unknown-section", "wrong-type"];
/// Errors that a right place does not cause.
const SHAPE: &[&str] = &[
    "unknown-field",
    "unknown-section",
    "wrong-type",
    "missing-field",
    "entry-key",
    "unknown-value",
    "wrong-value",
];

/// The errors of a text: of what is not YAML they are not known.
fn faults(file: &SourceFile, text: &str, source: Option<&Source>) -> Option<Vec<Fault>> {
    let mut copy = Source::plain(&file.name, text).ok()?;
    if let Some(source) = source {
        copy.includes = source.includes.clone();
    }
    let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
    let Err(told) = resolve::load_plainly(&copy, &inputs) else { return Some(Vec::new()) };
    let errors = told.iter().filter(|one| one.severity == Severity::Error);
    let line = |one: &Diagnostic| {
        one.span.as_ref().filter(|span| Arc::ptr_eq(&span.file, &copy.file)).map_or(0, |span| span.line)
    };
    Some(errors.map(|one| (one.code.name, line(one), one.message.clone())).collect())
}

/// Whether a move explains what was wrong: something in its lines stood where it does not belong, and now nothing does
/// that did not before. Nothing is known of `before` when the text was no YAML.
fn explains(one: &Move, end: usize, before: Option<&[Fault]>, after: &[Fault]) -> bool {
    let within = |(_, line, _): &&Fault| (one.lines.start + 1..=end.max(one.lines.end)).contains(line);
    let Some(before) = before else {
        return !after.iter().filter(within).any(|(code, ..)| SHAPE.contains(code));
    };
    let gone = before.iter().filter(|fault| !after.contains(fault));
    let appeared = after.iter().filter(|fault| !before.contains(fault));
    gone.filter(within).any(|(code, ..)| STRUCTURE.contains(code))
        && !appeared.into_iter().any(|(code, ..)| SHAPE.contains(code))
        && after.len() < before.len()
}

/// The move after which the least is wrong.
fn best(
    file: &SourceFile,
    source: Option<&Source>,
    culprits: &[usize],
    before: Option<&[Fault]>,
) -> Option<(Move, String)> {
    let text = &file.text;
    let rows = rows(text);
    let mut tries = 0;
    let mut best: Option<((usize, bool, usize), Move, String)> = None;
    for &at in culprits {
        for one in moves(&rows, text, at) {
            tries += 1;
            if tries > TRIES {
                break;
            }
            let copy = one.apply(&rows, text);
            let Some(after) = faults(file, &copy, source) else { continue };
            if !explains(&one, below(&rows, at), before, &after) {
                continue;
            }
            let rank = (after.len(), one.to % 2 != 0, one.lines.len());
            if best.as_ref().is_none_or(|(other, ..)| rank < *other) {
                best = Some((rank, one, copy));
            }
        }
    }
    best.map(|(_, one, copy)| (one, copy))
}

/// The line behind what is below a line.
fn below(rows: &[Row<'_>], from: usize) -> usize {
    let end = rows[from + 1..].iter().position(|next| next.counts && next.indent <= rows[from].indent);
    end.map_or(rows.len(), |end| from + 1 + end)
}

fn told(file: &Arc<SourceFile>, one: &Move) -> Diagnostic {
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

/// What is wrong with a text that is not YAML, when a slip explains it.
pub(super) fn in_text(file: &Arc<SourceFile>, error: &Diagnostic) -> Option<Diagnostic> {
    let line = error.span.as_ref()?.line - 1;
    // What has a cause of its own says it already.
    let vague =
        error.help.as_ref().is_some_and(|help| help.starts_with(yaml::VAGUE) || help.starts_with(yaml::TABS));
    if file.text.len() > LARGEST || !vague {
        return None;
    }
    let rows = rows(&file.text);
    let before = |at: usize| {
        (0..at).rev().find(|&above| {
            !rows[above].text.trim().is_empty() && !rows[above].text.trim_start().starts_with('#')
        })
    };
    let mut near = vec![line.min(rows.len().checked_sub(1)?)];
    while let (Some(above), true) = (before(*near.last()?), near.len() < 3) {
        near.push(above);
    }
    // A quote swallows lines until the next one: it may be far above.
    let odd = |row: &Row<'_>| ['"', '\''].iter().any(|quote| row.text.matches(*quote).count() % 2 == 1);
    let far = (0..near[0]).filter(|&at| odd(&rows[at])).take(10);
    if let Some(found) = near.iter().copied().chain(far).find_map(|at| typing(file, &rows, at, line)) {
        return Some(found);
    }
    let row = rows[near[0]];
    let outer = (0..near[0]).rev().find(|&above| rows[above].counts && rows[above].indent < row.indent);
    near.extend(outer);
    let (found, _) = best(file, None, &near, None)?;
    Some(told(file, &found))
}

/// A colon, quote or bracket that is missing in a line, a tab, a dash.
fn typing(file: &Arc<SourceFile>, rows: &[Row<'_>], at: usize, noticed: usize) -> Option<Diagnostic> {
    let row = rows[at];
    let plain = row.text.trim_start();
    let lead = row.text.len() - plain.len();
    let end = plain.trim_end().len();
    // Whether YAML has nothing against this line, and those up to where it minded, with another text in its place.
    let mended = |line: &str| {
        let text = &file.text;
        let next = rows.get(at + 1).map_or(text.len(), |next| next.start);
        let copy = format!("{}{line}\n{}", &text[..row.start], &text[next..]);
        match yaml::failing_line(&copy) {
            None => true,
            Some(fails) => fails > noticed.max(at) + 1,
        }
    };
    let say = |offset: usize, length: usize, message: String, help: String| {
        let span = span_at(file, row.start + offset, length);
        Some(Diagnostic::error(&yaml::YAML, message).at(Some(span)).help(help))
    };
    if row.text[..lead].contains('\t') {
        let help = "replace the tab with spaces, as many as the lines beside it have".to_owned();
        return say(0, lead, "a tab indents this line, and YAML takes spaces".to_owned(), help);
    }
    let word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    let bare = plain.trim_end();
    // What is not a known name may be a part of a value, which may be a secret: it is not repeated.
    let path: Vec<&str> = around(rows, at).iter().map(|(_, key)| *key).collect();
    let known = |below: Option<&str>, key: &str| {
        belongs(path.iter().copied().chain(below), key, FreeKeys::OfMappings)
    };
    if word(bare)
        && bare.starts_with(|c: char| c.is_ascii_alphabetic())
        && mended(&format!("{}:", row.text.trim_end()))
    {
        let (message, help) = match known(None, bare) {
            true => (format!("`{bare}` has no colon"), format!("write `{bare}:`")),
            false => ("this line has no colon".to_owned(), "write a colon behind the name".to_owned()),
        };
        return say(lead, bare.len(), message, help);
    }
    if let Some(rest) = plain.strip_prefix("- ").filter(|rest| key_of(rest).is_some())
        && mended(&format!("{}{rest}", &row.text[..lead]))
    {
        let help = "remove the `- `".to_owned();
        return say(
            lead,
            1,
            "`- ` begins an item of a list, and the lines beside it are not a list".to_owned(),
            help,
        );
    }
    if let Some((key, rest)) = plain.split_once(':')
        && word(key)
        && !rest.is_empty()
        && !rest.starts_with([' ', '/'])
        && mended(&format!("{}{key}: {rest}", &row.text[..lead]))
    {
        let help = format!("write `{key}: …`, with a space");
        return say(lead, key.len() + 1, format!("no space follows the colon of `{key}`"), help);
    }
    for quote in ['"', '\''] {
        let places: Vec<usize> = plain.match_indices(quote).map(|(at, _)| at).collect();
        let opens = |at: usize| plain[..at].ends_with([' ', '[', '{', ',']);
        if places.len().is_multiple_of(2) {
            continue;
        }
        let Some(&open) = places.iter().rev().find(|&&at| opens(at)) else { continue };
        let tail = plain[..end].trim_end_matches([' ', '}', ']', ',']).len();
        for cut in [end, tail] {
            if cut > open
                && mended(&format!("{}{}{quote}{}", &row.text[..lead], &plain[..cut], &plain[cut..]))
            {
                let help = format!("close it with `{quote}`");
                return say(lead + open, 1, "the quote that begins here is not closed".to_owned(), help);
            }
        }
    }
    if let Some(comma) = plain.find(",,").or_else(|| plain.find(", ,"))
        && mended(&row.text.replacen(&plain[comma..=comma + plain[comma + 1..].find(',')? + 1], ",", 1))
    {
        let message = "an element is missing between two commas".to_owned();
        return say(lead + comma, 1, message, "remove one of the commas".to_owned());
    }
    if let Some((at, key, end)) = colon_in_flow(plain)
        && mended(&format!("{}{}x{}", &row.text[..lead], &plain[..at], &plain[end..]))
    {
        let message = format!("the value of `{key}` has a `: ` in it");
        let help = "put the value in quotes".to_owned();
        return say(lead + at, end - at, message, help);
    }
    if let Some((open, close)) = unclosed(plain)
        && mended(&format!("{}{}", row.text.trim_end(), &close))
    {
        let bracket = &plain[open..=open];
        let last = close.chars().last().unwrap_or(']');
        let help = format!("close it with `{last}`");
        return say(lead + open, 1, format!("the `{bracket}` that begins here is not closed"), help);
    }
    let (key, rest) = plain.split_once(": ")?;
    let (second, _) = rest.split_once(": ")?;
    if word(key)
        && !rest.trim_start().starts_with(['"', '\'', '{', '['])
        && mended(&format!("{}{key}: x", &row.text[..lead]))
    {
        let help = match word(second) && known(Some(key), second) {
            true => format!(
                "write `{key}: {{ {second}: … }}`, or `{second}:` on a line of its own, indented below `{key}:`"
            ),
            false => "put the value in quotes".to_owned(),
        };
        return say(
            lead + key.len() + 2,
            second.len(),
            format!("the value of `{key}` has a `: ` in it"),
            help,
        );
    }
    None
}

/// A value within `{ }` that has a `: ` in it: where it begins, its key, and where it ends.
fn colon_in_flow(line: &str) -> Option<(usize, &str, usize)> {
    let mut from = 0;
    while let Some(at) = line[from..].find(": ").map(|at| from + at) {
        from = at + 2;
        let key_from = line[..at].rfind(['{', ',', ' ']).map_or(0, |before| before + 1);
        let value = &line[from..];
        let end = value.find([',', '}', ']']).unwrap_or(value.len());
        let key = &line[key_from..at];
        let plain = !value.starts_with(['"', '\'', '{', '[', '$']);
        if line[..at].contains('{') && !key.is_empty() && plain && value[..end].contains(": ") {
            return Some((from, key, from + end));
        }
    }
    None
}

/// Where the first bracket is that a line does not close, and what would close them all.
fn unclosed(line: &str) -> Option<(usize, String)> {
    let (mut open, mut quote, mut before) = (Vec::new(), None, ' ');
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if " [{,:(".contains(before) => quote = Some(c),
            (None, '[') => open.push((at, ']')),
            (None, '{') => open.push((at, '}')),
            (None, ']' | '}') => {
                open.pop();
            }
            _ => {}
        }
        before = c;
    }
    let (first, _) = *open.first()?;
    Some((first, open.iter().rev().map(|(_, close)| *close).collect()))
}

/// What is wrong with a blueprint, when slips of indentation explain some of it: the slips, and what is wrong besides.
pub(super) fn in_blueprint(
    source: &Source,
    inputs: &Inputs,
    problems: &Diagnostics,
    left: usize,
) -> Option<Diagnostics> {
    let file = &source.file;
    let structural = |one: &&Diagnostic| STRUCTURE.contains(&one.code.name) && is_in(one, file);
    // A blueprint of many modules is read for long, and one of many mistakes has other causes.
    if file.text.len() > LARGEST
        || problems.len() > MISTAKES
        || source.all().len() > FILES
        || !problems.iter().any(|one| structural(&one))
    {
        return None;
    }
    let rows = rows(&file.text);
    let mut culprits = Vec::new();
    for one in problems.iter().filter(structural).chain(problems.iter().filter(|one| is_in(one, file))) {
        let Some(span) = &one.span else { continue };
        let line = span.line - 1;
        let parent = rows.get(line).and_then(|_| around(&rows, line).last().map(|(at, _)| *at));
        for at in [Some(line), parent].into_iter().flatten() {
            if !culprits.contains(&at) && culprits.len() < 8 {
                culprits.push(at);
            }
        }
    }
    let before = faults(file, &file.text, Some(source))?;
    let (found, copy) = best(file, Some(source), &culprits, Some(&before))?;
    let mut repaired = Source::plain(&file.name, &copy).ok()?;
    repaired.includes = source.includes.clone();
    conceal::learn(&repaired, &inputs.redactor);
    let mut rest = match resolve::load_slipping(&repaired, inputs, left) {
        Ok(_) => Diagnostics::default(),
        Err(rest) => rest,
    };
    for one in rest.iter_mut() {
        if let Some(span) = one.span.as_mut().filter(|span| Arc::ptr_eq(&span.file, &repaired.file)) {
            found.place_back(span, file, &rows);
        }
    }
    rest.push(told(file, &found));
    rest.sort();
    Some(rest)
}

/// Names of one file that are misspelt: where, how long, and what is meant.
type Renames<'p> = Vec<(usize, usize, &'p str)>;

/// What is wrong with a blueprint besides names that are misspelt: the consequences of those are left out.
///
/// The names are put right in copies of the files that they are in. What is not wrong with those followed from them.
pub(super) fn without_consequences(
    source: &Source,
    inputs: &Inputs,
    problems: &Diagnostics,
) -> Option<Diagnostics> {
    let mut files: Vec<(Arc<SourceFile>, Renames<'_>)> = Vec::new();
    for one in problems.iter().filter(|one| RENAMED.contains(&one.code.name)) {
        let span = one.span.as_ref()?;
        let (wrong, right) = (quoted(&one.message)?, one.help.as_deref().and_then(meant_name));
        let at = span.file.text.get(span.offset..)?.find(wrong).filter(|at| *at <= 1);
        let (Some(at), Some(right)) = (at, right) else { continue };
        let rename = (span.offset + at, wrong.len(), right);
        match files.iter_mut().find(|(file, _)| Arc::ptr_eq(file, &span.file)) {
            // Each instance of a module tells of it.
            Some((_, renames)) if renames.contains(&rename) => {}
            Some((_, renames)) => renames.push(rename),
            None => files.push((span.file.clone(), vec![rename])),
        }
    }
    let errors = |all: &Diagnostics| all.iter().filter(|one| one.severity == Severity::Error).count();
    let count: usize = files.iter().map(|(_, renames)| renames.len()).sum();
    // With nothing else wrong there is no consequence.
    if count == 0
        || errors(problems) <= count
        || source.all().len() > FILES
        || files.iter().any(|(file, _)| file.text.len() > LARGEST)
    {
        return None;
    }
    files.iter_mut().for_each(|(_, renames)| renames.sort_unstable());
    let mut copies = Vec::new();
    let repaired = repaired(source, &files, &mut copies)?;
    conceal::learn(&repaired, &inputs.redactor);
    let mut rest = match resolve::load_plainly(&repaired, inputs) {
        Ok(blueprint) => blueprint.warnings,
        Err(rest) => rest,
    };
    if errors(&rest) + count > errors(problems) {
        return None;
    }
    for span in rest.iter_mut().filter_map(|one| one.span.as_mut()) {
        if let Some((_, at)) = copies.iter().find(|(copy, _)| Arc::ptr_eq(copy, &span.file)) {
            let (file, renames) = &files[*at];
            place_back(span, file, renames);
        }
    }
    let named = problems.iter().filter(|one| {
        let Some(span) = one.span.as_ref().filter(|_| RENAMED.contains(&one.code.name)) else { return false };
        let of_file = files.iter().find(|(file, _)| Arc::ptr_eq(file, &span.file));
        let begins = |(at, ..): &(usize, usize, &str)| (span.offset..span.offset + 2).contains(at);
        of_file.is_some_and(|(_, renames)| renames.iter().any(begins))
    });
    named.for_each(|one| rest.push(one.clone()));
    rest.sort();
    Some(rest)
}

/// A file, and what it includes, with the names put right; in `copies` go the files that were changed, and which of `files`
/// each is.
fn repaired(
    source: &Source,
    files: &[(Arc<SourceFile>, Renames<'_>)],
    copies: &mut Vec<(Arc<SourceFile>, usize)>,
) -> Option<Source> {
    let at = files.iter().position(|(file, _)| Arc::ptr_eq(file, &source.file));
    let mut changed = match at {
        Some(at) => {
            let mut text = source.file.text.clone();
            for (start, length, right) in files[at].1.iter().rev() {
                text.replace_range(*start..*start + length, right);
            }
            let copy = Source::plain(&source.file.name, &text).ok()?;
            copies.push((copy.file.clone(), at));
            copy
        }
        None => source.clone(),
    };
    changed.includes = Includes::new();
    for (name, include) in &source.includes {
        let include = match include {
            Include::File(inner) => Include::File(Arc::new(repaired(inner, files, copies)?)),
            other => other.clone(),
        };
        changed.includes.insert(name.clone(), include);
    }
    Some(changed)
}

/// The errors that a name is misspelt.
const RENAMED: &[&str] = &["unknown-field", "unknown-section"];

/// The name that a help offers.
fn meant_name(help: &str) -> Option<&str> {
    let offer = help
        .strip_prefix("did you mean ")
        .or_else(|| help.strip_prefix("write ").filter(|rest| rest.ends_with(", which is missing here")))?;
    quoted(offer).filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// The first text between backticks.
fn quoted(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}

/// A place of a copy with other names as a place of the file.
fn place_back(span: &mut Span, file: &Arc<SourceFile>, renames: &[(usize, usize, &str)]) {
    let start =
        span.file.text.get(..span.offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let (mut moved, mut in_line) = (0_isize, 0_isize);
    for (at, length, right) in renames {
        let longer = right.len() as isize - *length as isize;
        let begins = (*at as isize + moved) as usize;
        if begins < span.offset {
            moved += longer;
            if begins >= start {
                in_line += longer;
            }
        } else if begins == span.offset {
            span.length = *length;
        }
    }
    span.offset = span.offset.saturating_add_signed(-moved).min(file.text.len());
    span.column = span.column.saturating_add_signed(-in_line).max(1);
    span.file = file.clone();
}

fn is_in(one: &Diagnostic, file: &Arc<SourceFile>) -> bool {
    one.span.as_ref().is_some_and(|span| Arc::ptr_eq(&span.file, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg }
keyVaults:
  vault:
    name: kv-shop-a1
    networkRules:
      bypass: None
    secrets:
      one: { value: \"${param.s}\" }
parameters:
  s: { type: string, secret: true, default: hunter22 }
";

    fn told(text: &str) -> Vec<String> {
        let source = match Source::parse("b.yaml", text.as_bytes()) {
            Ok(source) => source,
            Err(told) => return vec![format!("{} {}", told.span.unwrap(), told.message)],
        };
        match resolve::load(&source, &Inputs::default()) {
            Ok(_) => Vec::new(),
            Err(told) => {
                told.iter().map(|one| format!("{} {}", one.span.as_ref().unwrap(), one.message)).collect()
            }
        }
    }

    #[test]
    fn every_line_a_level_too_high_or_too_deep_is_one_error_at_that_line() {
        assert_eq!(told(TEXT), [] as [&str; 0]);
        for (line, key) in [(4, "vault"), (6, "networkRules"), (7, "bypass"), (9, "one"), (11, "s")] {
            let mut lines: Vec<String> = TEXT.lines().map(str::to_owned).collect();
            let row = &mut lines[line - 1];
            *row = row[2..].to_owned();
            let told = told(&lines.join("\n"));
            let column = lines[line - 1].len() - lines[line - 1].trim_start().len() + 1;
            let place = format!("b.yaml:{line}:{column} `{key}` is a level too high: it belongs below");
            assert!(told.len() == 1 && told[0].starts_with(&place), "{line}: {told:?}");
        }
    }

    #[test]
    fn what_is_no_slip_is_not_explained_as_one() {
        for (from, to) in [
            ("bypass: None", "bypas: None"),
            ("networkRules:", "netRules:"),
            ("keyVaults:", "keyVault:"),
            ("name: kv-shop-a1", "nam: kv-shop-a1"),
            ("  vault:", "  Vault:"),
        ] {
            let told = told(&TEXT.replacen(from, to, 1));
            assert!(
                !told.iter().any(|line| line.contains("too high") || line.contains("too deep")),
                "{told:?}"
            );
        }
    }

    #[test]
    fn what_follows_from_a_misspelt_name_is_not_told() {
        const CLUSTER: &str = "\
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: { nodes: { prefix: 10.20.0.0/20 }, other: { prefix: 10.20.16.0/24 } }
clusters:
  aks:
    subnet: ${networks.hub.subnets.nodes}
    nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } }
outputs:
  other: ${networks.hub.subnets.other}
";
        assert_eq!(told(CLUSTER), [] as [&str; 0]);
        for (from, to, place, name) in [
            ("nodePools:", "nodePolls:", "10:5", "nodePolls"),
            ("nodePools:", "agentPoolProfiles:", "10:5", "agentPoolProfiles"),
            ("    subnets:", "    subnts:", "6:5", "subnts"),
            ("subnets:", "\"subnts\":", "6:5", "subnts"),
            ("mode: System", "mod: System", "10:28", "mod"),
            ("addressSpace:", "adressSpace:", "5:5", "adressSpace"),
        ] {
            let told = told(&CLUSTER.replacen(from, to, 1));
            assert_eq!(told, [format!("b.yaml:{place} unknown field `{name}`")], "{to}");
        }
        // What is wrong besides is told, at its place in the file.
        let two = CLUSTER.replacen("subnets: { nodes", "subnts: { nodes", 1).replacen(
            "10.20.16.0/24",
            "10.1.0.0/24",
            1,
        );
        let told = told(&two);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].starts_with("b.yaml:6:65 "), "{told:?}");
    }

    #[test]
    fn values_of_a_file_that_is_no_yaml_are_not_repeated() {
        for (from, to) in [
            ("      bypass: None", "      bypass: hunter22: x"),
            ("    name: kv-shop-a1", "    hunter22"),
            ("    name: kv-shop-a1", "    name:hunter22"),
            ("    name: kv-shop-a1", "    name: \"hunter22"),
        ] {
            let error = Source::parse("b.yaml", TEXT.replacen(from, to, 1).as_bytes()).unwrap_err();
            let told = format!(
                "{} {:?} {:?}",
                error.message,
                error.help,
                error.span.map(|span| span.file.text.clone())
            );
            assert!(!told.contains("hunter22"), "{told}");
        }
    }
}
