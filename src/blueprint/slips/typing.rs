//! What is missing in a line because of which a text is not YAML: a colon, a quote, a bracket; a tab or a dash that is too much.

use super::super::span::span_at;
use super::super::yaml;
use super::rows::{LARGEST, Row, around, key_of, rows};
use crate::diag::{Diagnostic, SourceFile};
use std::sync::Arc;

/// Whether a key is a field that is known below others; the outermost comes first.
pub(super) type Known<'k> = &'k dyn Fn(&[&str], &str) -> bool;

/// The lines in which the cause of an error of YAML may be, the likeliest first, and the line that YAML names. None when
/// the error says its cause itself.
pub(super) fn suspects(
    rows: &[Row<'_>],
    file: &SourceFile,
    error: &Diagnostic,
) -> Option<(Vec<usize>, usize)> {
    let line = error.span.as_ref()?.line - 1;
    let vague =
        error.help.as_ref().is_some_and(|help| help.starts_with(yaml::VAGUE) || help.starts_with(yaml::TABS));
    if file.text.len() > LARGEST || !vague {
        return None;
    }
    let before = |at: usize| {
        (0..at).rev().find(|&above| {
            !rows[above].text.trim().is_empty() && !rows[above].text.trim_start().starts_with('#')
        })
    };
    let mut near = vec![line.min(rows.len().checked_sub(1)?)];
    while let (Some(above), true) = (before(*near.last()?), near.len() < 3) {
        near.push(above);
    }
    Some((near, line))
}

/// What is wrong in one of the suspected lines, or in one above them that opens a quote. `known` decides which names are
/// repeated.
pub(super) fn in_lines(
    file: &Arc<SourceFile>,
    rows: &[Row<'_>],
    (near, noticed): (&[usize], usize),
    known: Known<'_>,
) -> Option<Diagnostic> {
    // A quote swallows lines until the next one: it may be far above.
    let odd = |row: &Row<'_>| ['"', '\''].iter().any(|quote| row.text.matches(*quote).count() % 2 == 1);
    let far = (0..near[0]).filter(|&at| odd(&rows[at])).take(10);
    near.iter().copied().chain(far).find_map(|at| in_line(file, rows, at, noticed, known))
}

/// What is wrong with a text that is not YAML and of which no field is known.
pub(in crate::blueprint) fn in_text(file: &Arc<SourceFile>, error: &Diagnostic) -> Option<Diagnostic> {
    let rows = rows(&file.text);
    let (near, noticed) = suspects(&rows, file, error)?;
    in_lines(file, &rows, (&near, noticed), &|_, _| false)
}

/// A colon, quote or bracket that is missing in a line, a tab, a dash.
fn in_line(
    file: &Arc<SourceFile>,
    rows: &[Row<'_>],
    at: usize,
    noticed: usize,
    known: Known<'_>,
) -> Option<Diagnostic> {
    let row = rows[at];
    let plain = row.text.trim_start();
    let lead = row.text.len() - plain.len();
    let end = plain.trim_end().len();
    // Whether the text is YAML at least up to the line where it failed, with another text in place of this line.
    let parses_with = |line: &str| {
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
        let path: Vec<&str> = path.iter().copied().chain(below).collect();
        known(&path, key)
    };
    if word(bare)
        && bare.starts_with(|c: char| c.is_ascii_alphabetic())
        && parses_with(&format!("{}:", row.text.trim_end()))
    {
        let (message, help) = match known(None, bare) {
            true => (format!("`{bare}` has no colon"), format!("write `{bare}:`")),
            false => ("this line has no colon".to_owned(), "write a colon behind the name".to_owned()),
        };
        return say(lead, bare.len(), message, help);
    }
    if let Some(rest) = plain.strip_prefix("- ").filter(|rest| key_of(rest).is_some())
        && parses_with(&format!("{}{rest}", &row.text[..lead]))
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
        && parses_with(&format!("{}{key}: {rest}", &row.text[..lead]))
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
                && parses_with(&format!("{}{}{quote}{}", &row.text[..lead], &plain[..cut], &plain[cut..]))
            {
                let help = format!("close it with `{quote}`");
                return say(lead + open, 1, "the quote that begins here is not closed".to_owned(), help);
            }
        }
    }
    if let Some(comma) = plain.find(",,").or_else(|| plain.find(", ,"))
        && parses_with(&row.text.replacen(&plain[comma..=comma + plain[comma + 1..].find(',')? + 1], ",", 1))
    {
        let message = "an element is missing between two commas".to_owned();
        return say(lead + comma, 1, message, "remove one of the commas".to_owned());
    }
    if let Some((at, key, end)) = colon_in_flow(plain)
        && parses_with(&format!("{}{}x{}", &row.text[..lead], &plain[..at], &plain[end..]))
    {
        let message = format!("the value of `{key}` has a `: ` in it");
        let help = "put the value in quotes".to_owned();
        return say(lead + at, end - at, message, help);
    }
    if let Some((open, close)) = unclosed(plain)
        && parses_with(&format!("{}{}", row.text.trim_end(), &close))
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
        && parses_with(&format!("{}{key}: x", &row.text[..lead]))
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
