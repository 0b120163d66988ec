//! One layout for a YAML file: two spaces a level, one space where spaces are, one empty line at most. Comments stay.
//!
//! The text is laid out line by line, and then read again: a layout that would say something else is refused. So what the
//! lines cannot tell (YAML has many forms) is never guessed.

use super::source::Source;
use crate::diag::Diagnostic;

/// How deep a level is below the one around it.
const STEP: usize = 2;

/// Lays a file out.
///
/// # Errors
/// Why the file cannot be read; or that it cannot be laid out without saying something else, with the line where the
/// two part.
pub fn layout(name: &str, text: &str) -> Result<String, Unlaid> {
    let before =
        Source::parse(name, text.as_bytes()).map_err(|problem| Unlaid::Unreadable(Box::new(problem)))?;
    let text = before.file.text.clone();
    let laid = Layout::default().of(&text);
    // As texts: the order of keys counts.
    let as_text = |source: &Source| source.tree.to_string();
    let same = Source::parse(name, laid.as_bytes()).is_ok_and(|after| as_text(&after) == as_text(&before));
    if same { Ok(laid) } else { Err(Unlaid::Unsafe) }
}

/// Why a file cannot be laid out.
#[derive(Debug)]
pub enum Unlaid {
    /// It cannot be read.
    Unreadable(Box<Diagnostic>),
    /// It uses a form of YAML that a layout might change the meaning of.
    Unsafe,
}

/// A mapping or a list that is open, and where its lines begin.
#[derive(Debug, Clone, Copy)]
struct Level {
    was: usize,
    is: usize,
    list: bool,
}

/// What the line before left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    /// A plain text, which goes on in deeper lines.
    Plain {
        was: usize,
        is: usize,
    },
    /// A text in quotes, or brackets that are not closed: how far its lines move.
    Inside {
        by: isize,
    },
    /// `|` or `>`: below a line that began there, with the place of its first line once that is known.
    Block {
        below: usize,
        is: usize,
        first: Option<usize>,
    },
}

/// What a scan along a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Scan {
    brackets: usize,
    quote: Option<char>,
}

impl Scan {
    fn is_open(self) -> bool {
        self.brackets > 0 || self.quote.is_some()
    }

    /// Goes along a text; answers where a comment begins.
    fn along(&mut self, text: &str) -> Option<usize> {
        let mut before = ' ';
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match (self.quote, c) {
                (Some('"'), '\\') => {
                    chars.next();
                }
                (Some('\''), '\'') if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                    chars.next();
                }
                (Some(quote), c) if c == quote => self.quote = None,
                (Some(_), _) => {}
                (None, '#') if before.is_whitespace() => return Some(at),
                (None, '"' | '\'') if begins(before) => self.quote = Some(c),
                (None, '{' | '[') if self.brackets > 0 || before.is_whitespace() => self.brackets += 1,
                (None, '}' | ']') if self.brackets > 0 => self.brackets -= 1,
                (None, _) => {}
            }
            before = c;
        }
        None
    }
}

/// Whether a value can begin behind this character.
fn begins(before: char) -> bool {
    before.is_whitespace() || matches!(before, '{' | '[' | ',' | ':')
}

struct Layout {
    out: String,
    levels: Vec<Level>,
    open: Open,
    scan: Scan,
    /// Comments and empty lines that belong to the line that follows.
    waiting: Vec<(usize, String)>,
    empty: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Layout {
            out: String::new(),
            levels: Vec::new(),
            open: Open::Nothing,
            scan: Scan::default(),
            waiting: Vec::new(),
            empty: false,
        }
    }
}

impl Layout {
    fn of(mut self, text: &str) -> String {
        for line in text.lines() {
            self.line(line);
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.comments(waiting, 0);
        while self.out.ends_with("\n\n") && !matches!(self.open, Open::Block { .. }) {
            self.out.pop();
        }
        self.out
    }

    fn line(&mut self, line: &str) {
        let was = line.len() - line.trim_start_matches(' ').len();
        let rest = line[was..].trim_end();
        if let Open::Block { below, is, first } = self.open {
            if rest.is_empty() {
                // Part of the text, unless that ends here.
                self.waiting.push((usize::MAX, String::new()));
                return;
            }
            if was > below || first.is_none() && was > 0 && self.levels.is_empty() {
                let first = first.unwrap_or(was);
                for _ in std::mem::take(&mut self.waiting) {
                    self.out.push('\n');
                }
                self.open = Open::Block { below, is, first: Some(first) };
                let moved = (is + was).saturating_sub(first);
                self.push(moved, &line[was..]);
                return;
            }
            self.open = Open::Nothing;
            let empty = !std::mem::take(&mut self.waiting).is_empty();
            self.empty |= empty;
        }
        if let Open::Inside { by } = self.open {
            if rest.is_empty() {
                self.out.push('\n');
                return;
            }
            let quoted = self.scan.quote.is_some();
            self.scan.along(rest);
            let moved = usize::try_from(was as isize + by).unwrap_or(0);
            // Within quotes the end of a line may be a backslash before a space.
            self.push(moved, if quoted { line[was..].trim_end_matches('\r') } else { rest });
            if !self.scan.is_open() {
                self.open = Open::Nothing;
            }
            return;
        }
        if rest.is_empty() {
            match self.waiting.is_empty() {
                true => self.empty = true,
                false => self.waiting.push((usize::MAX, String::new())),
            }
            return;
        }
        if rest.starts_with('#') {
            self.waiting.push((was, rest.to_owned()));
            return;
        }
        if let Open::Plain { was: above, is } = self.open
            && was > above
        {
            self.flush(is + STEP);
            self.push(is + STEP, rest);
            return;
        }
        self.open = Open::Nothing;
        if was == 0 && matches!(rest, "---" | "...") || rest.starts_with('%') {
            self.levels.clear();
            self.flush(0);
            self.push(0, rest);
            return;
        }
        let is = self.level(was, rest == "-" || rest.starts_with("- "));
        self.flush(is);
        let (content, at) = self.dashes(was, is, rest);
        self.content(was, is, &content, at);
    }

    /// Where a line that begins there is now.
    fn level(&mut self, was: usize, list: bool) -> usize {
        while self.levels.last().is_some_and(|level| level.was > was) {
            self.levels.pop();
        }
        if !list && self.levels.last().is_some_and(|level| level.was == was && level.list) {
            self.levels.pop();
        }
        match self.levels.last() {
            Some(level) if level.was == was && level.list == list => return level.is,
            Some(level) => self.levels.push(Level { was, is: level.is + STEP, list }),
            None => self.levels.push(Level { was, is: 0, list }),
        }
        self.levels.last().map_or(0, |level| level.is)
    }

    /// Takes the dashes off a line, and opens a level for what is behind each.
    fn dashes<'l>(&mut self, was: usize, is: usize, rest: &'l str) -> (String, (usize, usize, &'l str)) {
        let (mut was, mut is, mut rest, mut dashes) = (was, is, rest, String::new());
        while rest == "-" || rest.starts_with("- ") {
            let behind = rest[1..].trim_start_matches(' ');
            if behind.is_empty() {
                return ("-".to_owned(), (was, is, ""));
            }
            was += rest.len() - behind.len();
            is += STEP;
            dashes.push_str("- ");
            rest = behind;
            let list = rest == "-" || rest.starts_with("- ");
            self.levels.push(Level { was, is, list });
        }
        (dashes, (was, is, rest))
    }

    /// A key with its value, or a value alone.
    fn content(
        &mut self,
        line_was: usize,
        line_is: usize,
        dashes: &str,
        (was, is, rest): (usize, usize, &str),
    ) {
        self.scan = Scan::default();
        let comment = self.scan.along(rest);
        let (told, comment) = match comment {
            Some(at) => (rest[..at].trim_end(), Some(&rest[at..])),
            None => (rest, None),
        };
        let (key, value) = match key_of(told) {
            Some(end) => (&told[..end], told[end + 1..].trim_start()),
            None => ("", told),
        };
        let laid = match self.scan.is_open() {
            true => value.to_owned(),
            false => flow(value),
        };
        let mut line = dashes.to_owned();
        if !key.is_empty() {
            line.push_str(key.trim_end());
            line.push(':');
            if !laid.is_empty() {
                line.push(' ');
            }
        }
        line.push_str(&laid);
        if let Some(comment) = comment {
            if !line.is_empty() {
                line.push_str("  ");
            }
            line.push_str(comment);
        }
        self.push(line_is, line.trim_end());
        let header = value.split_whitespace().last().unwrap_or_default();
        let is_block = header.starts_with(['|', '>']) && header[1..].chars().all(|c| matches!(c, '+' | '-'));
        self.open = if self.scan.is_open() {
            Open::Inside { by: line_is as isize - line_was as isize }
        } else if is_block {
            Open::Block { below: if key.is_empty() { line_was } else { was }, is: is + STEP, first: None }
        } else if value.is_empty() || value.starts_with(['{', '[', '"', '\'', '&', '!', '*']) {
            Open::Nothing
        } else {
            Open::Plain { was, is }
        };
    }

    /// The comments before a line.
    fn flush(&mut self, is: usize) {
        let waiting = std::mem::take(&mut self.waiting);
        self.comments(waiting, is);
        if std::mem::take(&mut self.empty) {
            self.blank();
        }
    }

    fn comments(&mut self, waiting: Vec<(usize, String)>, is: usize) {
        if !waiting.is_empty() && std::mem::take(&mut self.empty) {
            self.blank();
        }
        for (was, text) in waiting {
            match was {
                usize::MAX => self.blank(),
                _ => self.push(is, &text),
            }
        }
    }

    /// An empty line, where there is none yet.
    fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn push(&mut self, is: usize, text: &str) {
        for _ in 0..is {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.out.push('\n');
    }
}

/// Where the colon behind the key of a line is.
fn key_of(text: &str) -> Option<usize> {
    if text.starts_with(['{', '[', '?', '|', '>', '&', '*', '!']) {
        return None;
    }
    let mut quote = None;
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') => {
                chars.next();
            }
            (Some('\''), '\'') if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if at == 0 => quote = Some(c),
            (None, ':') if chars.peek().is_none_or(|(_, next)| *next == ' ') => return Some(at),
            (None, '#') if before == ' ' => return None,
            (None, _) => {}
        }
        before = c;
    }
    None
}

/// A value in one line, with the spaces of brackets put right: `{ a: 1, b: [x, y] }`.
fn flow(value: &str) -> String {
    if !value.starts_with(['{', '[']) {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len() + 8);
    let (mut quote, mut stack, mut before) = (None, Vec::new(), ' ');
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        if let Some(open) = quote {
            out.push(c);
            match c {
                '\\' if open == '"' => out.extend(chars.next()),
                '\'' if open == '\'' && chars.peek() == Some(&'\'') => out.extend(chars.next()),
                c if c == open => quote = None,
                _ => {}
            }
            before = c;
            continue;
        }
        match c {
            '"' | '\'' if begins(before) => {
                quote = Some(c);
                out.push(c);
            }
            '{' | '[' => {
                stack.push(c);
                out.push(c);
                let closes = if c == '{' { '}' } else { ']' };
                while chars.next_if(|next| next.is_whitespace()).is_some() {}
                if c == '{' && chars.peek() != Some(&closes) {
                    out.push(' ');
                }
            }
            '}' | ']' => {
                stack.pop();
                trim_end(&mut out);
                if c == '}' && !out.ends_with('{') {
                    out.push(' ');
                }
                out.push(c);
            }
            ',' if !stack.is_empty() => {
                trim_end(&mut out);
                out.push(',');
                while chars.next_if(|next| next.is_whitespace()).is_some() {}
                if !chars.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    out.push(' ');
                }
            }
            ':' if !stack.is_empty() && chars.peek().is_some_and(|next| next.is_whitespace()) => {
                trim_end(&mut out);
                out.push_str(": ");
                while chars.next_if(|next| next.is_whitespace()).is_some() {}
            }
            c => out.push(c),
        }
        before = c;
    }
    out
}

fn trim_end(out: &mut String) {
    while out.ends_with(' ') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(text: &str) -> String {
        layout("b.yaml", text).unwrap_or_else(|why| panic!("{why:?}\n{text}"))
    }

    #[test]
    fn lines_spaces_and_levels_are_put_right_and_comments_stay() {
        let text = "\n\n# What it is.\nblueprint:   shop   # its name\n\n\nazure:\n    location: westeurope\n    # The group.\n    \
                    resourceGroup: rg-shop\nnetworks: {hub: {addressSpace: [ 10.20.0.0/16,10.21.0.0/16 ]}}\nlist:\n- a\n-   b: 1\n    c: 'x: { y'\n# The end.\n";
        assert_eq!(
            laid(text),
            "# What it is.\nblueprint: shop  # its name\n\nazure:\n  location: westeurope\n  # The group.\n  \
             resourceGroup: rg-shop\nnetworks: { hub: { addressSpace: [10.20.0.0/16, 10.21.0.0/16] } }\nlist:\n  - a\n  - b: 1\n    c: 'x: { y'\n# The end.\n"
        );
    }

    #[test]
    fn texts_of_several_lines_keep_their_lines() {
        let text = "a:\n    b: |\n          one\n            two\n\n          three\n    c: >-\n        folded\n        text\n    d: some\n      \
                    plain text\n    e: \"in\n      quotes\"\n    f: {\n      x: 1,\n      y: 2 }\ng: 1\n";
        assert_eq!(
            laid(text),
            "a:\n  b: |\n    one\n      two\n\n    three\n  c: >-\n    folded\n    text\n  d: some\n    \
             plain text\n  e: \"in\n    quotes\"\n  f: {\n    x: 1,\n    y: 2 }\ng: 1\n"
        );
    }

    #[test]
    fn a_layout_is_its_own_layout_and_says_the_same() {
        for text in [
            "a: 1\n",
            "a:\n- - 1\n  - 2\n- - 3\n",
            "a:\n  - b:\n      - c\n    d: e\n  -\n    f: g\n",
            "\"quoted: key\": { a: 'it''s', b: \"x \\\" y\" }\n",
            "a: http://x.example/y#z\nb: '#no comment'\nc: x#y # a comment\n",
            "a: &anchor\n  b: 1\nc: *anchor\n",
            "a: {}\nb: []\nc: { d: {}, e: [[1, 2], []] }\n",
            "a: \"${x['y']}\"\nb: ${param.x}\nc: \"{ not flow }\"\n",
            "---\na: 1\n...\n",
            "a: # nothing\n  b: 1\n",
            "a:\n\n  # first\n\n  b: 1\n\n\n\n  # last\n",
            "a: |2\n   one\n  two\n",
        ] {
            match layout("b.yaml", text) {
                Ok(first) => assert_eq!(laid(&first), first, "{text}"),
                Err(why) => assert!(matches!(why, Unlaid::Unsafe) && text.contains("|2"), "{why:?}: {text}"),
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(matches!(layout("b.yaml", "a: [\n"), Err(Unlaid::Unreadable(_))));
    }
}
