//! The YAML that nearly every blueprint is written in, read in one pass.
//!
//! Mappings and lists in lines, `{ }` and `[ ]`, words, numbers and texts in quotes on one line, comments. Whatever is
//! not certainly one of these is left to the YAML library, which takes ten times as long: anchors, tags, texts of several
//! lines, escapes, tabs, documents, and every mistake. So this reads nothing otherwise than the library, and says nothing
//! of what is wrong; a test compares the two.

use serde_json::{Map, Value};

/// How deep values stand in each other here. The library goes on to 128.
const DEEPEST: usize = 64;
/// The longest name of a member, in bytes. The library takes 1,024 characters.
const LONGEST_KEY: usize = 256;

/// What a text says, when all of it is of the simple kind.
pub(super) fn tree(text: &str) -> Option<Value> {
    if text.bytes().any(|byte| matches!(byte, b'\t' | b'\r')) {
        return None;
    }
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, members: Vec::new(), items: Vec::new() };
    let column = reader.next_line()?;
    let value = reader.block(column, 0)?;
    // What is less far in than the first line belongs to nothing.
    (reader.at == text.len()).then_some(value)
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// Members of mappings that are not at their end, the innermost last.
    members: Vec<(String, Value)>,
    /// The same of lists.
    items: Vec<Value>,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Whether what follows so many bytes on is white, or the end.
    fn is_white_at(&self, ahead: usize) -> bool {
        matches!(self.bytes.get(self.at + ahead), None | Some(b' ' | b'\n'))
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// From the start of a line to the next one that says something: its column. `None` where documents begin or end, and
    /// for directives.
    fn next_line(&mut self) -> Option<usize> {
        loop {
            let start = self.at;
            self.skip_spaces();
            let column = self.at - start;
            match self.peek() {
                None => return Some(0),
                Some(b'\n') => self.at += 1,
                Some(b'#') => self.skip_comment(),
                Some(b'-' | b'.' | b'%') if column == 0 && !self.bytes[self.at..].starts_with(b"- ") => {
                    return None;
                }
                Some(_) => return Some(column),
            }
        }
    }

    /// From a `#` to the start of the next line.
    fn skip_comment(&mut self) {
        while let Some(byte) = self.peek() {
            self.at += 1;
            if byte == b'\n' {
                return;
            }
        }
    }

    /// Behind a value: nothing else may stand in its line. Answers with the column of the next line that says something.
    fn end_line(&mut self) -> Option<usize> {
        let start = self.at;
        self.skip_spaces();
        match self.peek() {
            None => Some(0),
            Some(b'\n') => {
                self.at += 1;
                self.next_line()
            }
            Some(b'#') if self.at > start => {
                self.skip_comment();
                self.next_line()
            }
            Some(_) => None,
        }
    }

    fn ended(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Whether an item of a list begins here.
    fn is_item(&self) -> bool {
        self.peek() == Some(b'-') && self.is_white_at(1)
    }

    /// What begins in this column, to its end; then stands at what says something next.
    fn block(&mut self, column: usize, depth: usize) -> Option<Value> {
        if depth > DEEPEST || self.ended() {
            return None;
        }
        if self.is_item() { self.list(column, depth) } else { self.mapping(column, depth) }
    }

    fn mapping(&mut self, column: usize, depth: usize) -> Option<Value> {
        let start = self.members.len();
        loop {
            let name = self.key()?;
            let before = self.at;
            self.skip_spaces();
            let next = match self.peek() {
                None | Some(b'\n' | b'#') => self.below(before, column, true, depth)?,
                Some(_) => (self.inline(depth)?, self.end_line()?),
            };
            self.members.push((name, next.0));
            match next.1 {
                _ if self.ended() => break,
                next if next == column && !self.is_item() => {}
                next if next < column => break,
                _ => return None,
            }
        }
        self.take_members(start)
    }

    fn list(&mut self, column: usize, depth: usize) -> Option<Value> {
        let start = self.items.len();
        loop {
            self.at += 1;
            let dash = self.at;
            self.skip_spaces();
            let own = column + 1 + (self.at - dash);
            let next = match self.peek() {
                None | Some(b'\n' | b'#') => self.below(dash, column, false, depth)?,
                Some(_) if self.is_item() || self.is_key() => {
                    let value = self.block(own, depth + 1)?;
                    (value, self.column())
                }
                Some(_) => (self.inline(depth)?, self.end_line()?),
            };
            self.items.push(next.0);
            match next.1 {
                _ if self.ended() => break,
                next if next == column && self.is_item() => {}
                // What follows in the same column belongs to the mapping that the list is in.
                next if next <= column => break,
                _ => return None,
            }
        }
        Some(Value::Array(self.items.drain(start..).collect()))
    }

    /// The column of what comes next, which is the first of its line.
    fn column(&self) -> usize {
        self.at - self.text[..self.at].rfind('\n').map_or(0, |at| at + 1)
    }

    /// What stands below a name or a dash that ends at `end`, and the column of what follows. The items of a list may stand
    /// in the column of the name that they belong to.
    fn below(&mut self, end: usize, column: usize, named: bool, depth: usize) -> Option<(Value, usize)> {
        self.at = end;
        let next = self.end_line()?;
        if self.ended() || !(next > column || named && next == column && self.is_item()) {
            return Some((Value::Null, next));
        }
        let value = self.block(next, depth + 1)?;
        Some((value, if self.ended() { 0 } else { self.column() }))
    }

    /// Whether a name and its colon stand here.
    fn is_key(&mut self) -> bool {
        let at = self.at;
        let is = self.key().is_some();
        self.at = at;
        is
    }

    /// A name that is certainly a text, with its colon and what has to follow that.
    fn key(&mut self) -> Option<String> {
        let start = self.at;
        let name = match self.peek()? {
            b'"' | b'\'' => self.quoted()?,
            byte if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'/') => {
                let is_of =
                    |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-');
                let length = self.bytes[start..].iter().take_while(|byte| is_of(byte)).count();
                self.at += length;
                let name = &self.text[start..self.at];
                is_text(name).then_some(name)?
            }
            _ => return None,
        };
        (self.peek() == Some(b':') && self.is_white_at(1) && self.at - start <= LONGEST_KEY).then(|| {
            self.at += 1;
            name.to_owned()
        })
    }

    /// A text in quotes on one line, with nothing in it that stands for something else.
    fn quoted(&mut self) -> Option<&'t str> {
        let quote = self.peek()?;
        let start = self.at + 1;
        let length =
            self.bytes[start..].iter().position(|&byte| byte == quote || matches!(byte, b'\n' | b'\\'))?;
        let end = start + length;
        let doubled = quote == b'\'' && self.bytes.get(end + 1) == Some(&quote);
        // A backslash means something in double quotes only; the general reader sorts that out.
        if self.bytes[end] != quote || doubled {
            return None;
        }
        self.at = end + 1;
        Some(&self.text[start..end])
    }

    /// A value that begins behind a name or a dash, in the same line.
    fn inline(&mut self, depth: usize) -> Option<Value> {
        match self.peek()? {
            b'{' | b'[' => self.flow(depth + 1),
            b'"' | b'\'' => Some(self.quoted()?.into()),
            _ => self.word(false),
        }
    }

    /// A text without quotes, up to the end of its line, or in brackets up to what ends it there.
    fn word(&mut self, in_brackets: bool) -> Option<Value> {
        let start = self.at;
        let first = self.peek()?;
        let begins = first.is_ascii_alphanumeric()
            || first >= 0x80
            || matches!(first, b'_' | b'/' | b'.' | b'~' | b'+' | b'(')
            || first == b'$' && !in_brackets
            || first == b'-' && self.bytes.get(start + 1).is_some_and(u8::is_ascii_alphanumeric);
        if !begins {
            return None;
        }
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => break,
                b'#' if self.bytes[self.at - 1] == b' ' => break,
                b':' if self.is_white_at(1) => return None,
                b':' if in_brackets
                    && self.bytes.get(self.at + 1).is_some_and(|next| b",[]{}?".contains(next)) =>
                {
                    return None;
                }
                b',' | b']' | b'}' if in_brackets => break,
                b'[' | b'{' | b'?' if in_brackets => return None,
                _ => self.at += 1,
            }
        }
        // A comment has its space before it.
        let word = self.text[start..self.at].trim_end_matches(' ');
        self.at = start + word.len();
        scalar(word)
    }

    /// From one thing in brackets to the next, over lines and comments.
    fn skip_white(&mut self) -> Option<()> {
        loop {
            match self.peek()? {
                b' ' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    // Documents begin and end in brackets too.
                    if matches!(self.peek(), Some(b'-' | b'.' | b'%')) {
                        return None;
                    }
                }
                b'#' if matches!(self.bytes[self.at - 1], b' ' | b'\n') => self.skip_comment(),
                _ => return Some(()),
            }
        }
    }

    /// A mapping or list in brackets.
    fn flow(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        let is_mapping = self.peek()? == b'{';
        let end = if is_mapping { b'}' } else { b']' };
        let (members, items) = (self.members.len(), self.items.len());
        self.at += 1;
        loop {
            self.skip_white()?;
            if self.peek()? == end {
                self.at += 1;
                break;
            }
            let mut name = None;
            if is_mapping {
                name = Some(self.key()?);
                self.skip_white()?;
            }
            let value = match self.peek()? {
                b'{' | b'[' => self.flow(depth + 1)?,
                b'"' | b'\'' => self.quoted()?.into(),
                _ => self.word(true)?,
            };
            match name {
                Some(name) => self.members.push((name, value)),
                None => self.items.push(value),
            }
            self.skip_white()?;
            match self.peek()? {
                b',' => self.at += 1,
                byte if byte == end => {}
                _ => return None,
            }
        }
        match is_mapping {
            true => self.take_members(members),
            false => Some(Value::Array(self.items.drain(items..).collect())),
        }
    }

    /// The members from there on; none of two names that are the same.
    fn take_members(&mut self, start: usize) -> Option<Value> {
        let mut members = Map::with_capacity(self.members.len() - start);
        for (name, value) in self.members.drain(start..) {
            if members.insert(name, value).is_some() {
                return None;
            }
        }
        Some(Value::Object(members))
    }
}

/// Whether a word that begins with a letter, `_` or `/` is a text, and neither a truth value nor nothing.
fn is_text(word: &str) -> bool {
    !["true", "false", "null"].iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// What a word means.
fn scalar(word: &str) -> Option<Value> {
    let first = *word.as_bytes().first()?;
    if first.is_ascii_alphabetic() || matches!(first, b'_' | b'/' | b'(' | b'$') || first >= 0x80 {
        return match word {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => is_text(word).then(|| word.into()),
        };
    }
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (word.len() == 1 || first != b'0') && word.len() <= 18 {
        return word.parse::<u64>().ok().map(Value::from);
    }
    // No number has one of these.
    if word.bytes().any(|byte| matches!(byte, b'/' | b' ' | b'$' | b'{')) {
        return Some(word.into());
    }
    // As an item: alone in its line, `...` would be the end of a document.
    match super::yaml::library(&format!("- {word}")).ok()? {
        Value::Array(mut items) if items.len() == 1 => items.pop(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is read here is what the library reads; whether it was.
    fn agrees(text: &str) -> bool {
        let found = tree(text);
        if let Some(found) = &found {
            let expected = super::super::yaml::library(text);
            assert_eq!(expected.as_ref().ok(), Some(found), "{text}");
        }
        found.is_some()
    }

    #[test]
    fn what_is_simple_is_read_as_the_library_reads_it() {
        for text in [
            "a: 1",
            "# c\n\na:   x y  # c\nb:\n  c: 'it is'\n  d: \"${x}\"  \n\n  # c\ne: [1, -2, 0x1F, 1.5, 1e3, 012, ~, null, true, a b]\n",
            "a:\n- b\n- c: 1\n  d: 2\n-   e: {}\n- - f\n  - g\nh:\n",
            "a: # c\n  - b # c\n  # c\n  - # c\n    c: 1\n  -\n",
            "a: { b: c, d: [e, { f: g }], h: \"i, j\", } # c\nk: [\n  l,  # c\n  m\n  , n\n]\n",
            "a: ${b.c}-d\ne: http://x/y?z=1#f\n/f: x#y\n\"g h\": {i.j: k}\n",
            "a: ...\nb: -x\nc: +1\nd: .5\ne: 10.0.0.0/16\nf: 1.10\ng: 18446744073709551615\nh: (x)\ni: 1 2\n",
            "  a: 1\n  b: 2\n",
            "- a\n- b\n",
            "a: ü\nb: [ä ö, é]\n",
            "a:\nb: null\nc:\n  d:\n",
        ] {
            assert!(agrees(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_certain_is_left_to_the_library() {
        for text in [
            "",
            "# c",
            "a",
            "a: b: c",
            "a: b:",
            "a:\tb",
            "a: b\r\n",
            "a: b\n c",
            "a: 'b\n  c'",
            "a: 'it''s'",
            "a: \"\\n\"",
            "a: |\n  b",
            "a: &x b",
            "a: *x",
            "a: !x b",
            "? a",
            "---\na: b",
            "a: b\n---\nc: d",
            "a: b\n...\n",
            "%YAML 1.2\n---\na: b",
            "a: b\na: c",
            "{a: b}",
            "a: {b}",
            "a: {b: }",
            "a: [b: c]",
            "a: [b\n  c]",
            "a: [b",
            "a: {b: c}}",
            "a: {\"b\":1}",
            "a: [,]",
            "a: - b",
            "a: b\n- c",
            "a: 1\n  b: 2",
            "a:\n  b: 1\n c: 2",
            "true: 1",
            "1: 2",
            "<<: x",
            "a: @b",
            "a: {b: ${c}}",
            "a: 'b' c",
            "a: [b]c",
            "a : b",
            "a: {b: [}",
            "a: TRUE",
            "a: x\n  # c\n  y",
            "- a: 1\n  - b",
            "a: [x\n---\n]",
            "a:b",
            "- a\nb: c",
        ] {
            assert_eq!(tree(text), None, "{text}");
        }
        let deep = |unit: &str, depth: usize| format!("a: {}", unit.repeat(depth));
        for text in [deep("[", 100_000), deep("{a: ", 100_000), format!("{}b", "- ".repeat(100_000))] {
            assert_eq!(tree(&text), None);
        }
    }

    proptest! {
        /// Whatever lines of such pieces say, and however wrong they are.
        #[test]
        fn no_text_is_read_otherwise(lines in prop::collection::vec((0usize..5, prop::collection::vec(0usize..PIECES.len(), 1..5)), 1..7)) {
            let text: String = lines
                .iter()
                .map(|(indent, pieces)| {
                    let line: String = pieces.iter().map(|&at| PIECES[at]).collect();
                    format!("{}{line}\n", " ".repeat(*indent))
                })
                .collect();
            agrees(&text);
        }
    }

    const PIECES: &[&str] = &[
        "a: ",
        "b: ",
        "c:",
        "- ",
        "-",
        "a",
        "b c",
        "1",
        "01",
        "1.5",
        "-2",
        "0x1",
        "~",
        "null",
        "yes",
        "true",
        "'q'",
        "\"q\"",
        "'",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ",",
        ": ",
        ":",
        " # c",
        "#",
        "${x}",
        "http://x",
        "...",
        "---",
        "|",
        ">",
        "&x ",
        "*x",
        "!t ",
        "? ",
        "%",
        "@",
        "`",
        "\\",
        "ü",
        " ",
        "  ",
        "{ a: b }",
        "[1, x]",
        "{ a: [b, { c: d }] }",
        ".inf",
        "+1",
        "1e3",
        "x#y",
        "'a': ",
        "\"b\": ",
    ];
}
