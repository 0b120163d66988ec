//! The lines of a text that may not be YAML: how far each is indented, and which key it begins with.

/// In larger files slips are not looked for: each try reads the whole file.
pub(super) const LARGEST: usize = 128 * 1024;
/// In a blueprint of more files neither.
pub(super) const FILES: usize = 20;

#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'t> {
    /// Where it begins, in bytes.
    pub(super) start: usize,
    pub(super) text: &'t str,
    /// How many spaces are before what it says.
    pub(super) indent: usize,
    /// The key that it begins with, and whether something is behind the colon.
    pub(super) key: Option<(&'t str, bool)>,
    /// Whether it says anything of its own: no comment, no part of a text in lines or of a bracket that is open.
    pub(super) counts: bool,
}

pub(super) fn rows(text: &str) -> Vec<Row<'_>> {
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
pub(super) fn key_of(plain: &str) -> Option<(&str, bool)> {
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
pub(super) fn around<'t>(rows: &[Row<'t>], at: usize) -> Vec<(usize, &'t str)> {
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

/// The line behind what is below a line.
pub(super) fn below(rows: &[Row<'_>], from: usize) -> usize {
    let end = rows[from + 1..].iter().position(|next| next.counts && next.indent <= rows[from].indent);
    end.map_or(rows.len(), |end| from + 1 + end)
}
