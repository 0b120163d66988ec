//! Texts as a search sees them: without what only lays them out, and with their escapes undone.

use std::ops::Range;

/// A text as a search sees it, and where in the text each byte comes from.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    spans: Vec<Range<usize>>,
}

impl View {
    /// Where in the text a range of the view comes from.
    pub(super) fn origin(&self, range: Range<usize>) -> Option<Range<usize>> {
        let last = range.end.checked_sub(1)?;
        Some(self.spans.get(range.start)?.start..self.spans.get(last)?.end)
    }
}

/// The views of a text: as it is, and with escapes undone once, twice and so on while there are any.
pub(super) fn views(text: &[u8]) -> Vec<View> {
    let mut first = View { bytes: Vec::with_capacity(text.len()), spans: Vec::with_capacity(text.len()) };
    fold(text, &mut |byte, span| {
        first.bytes.push(byte);
        first.spans.push(span);
    });
    let mut all = vec![first];
    while let Some(last) = all.last().filter(|last| all.len() <= DEPTH && is_escaped(&last.bytes)) {
        let mut next = View { bytes: Vec::new(), spans: Vec::new() };
        undo(&last.bytes, &mut |byte, span| {
            next.bytes.push(byte);
            next.spans.extend(last.origin(span));
        });
        if next.bytes == last.bytes {
            break;
        }
        all.push(next);
    }
    all
}

/// The bytes of [`views`], which is all that a first look needs.
pub(super) fn layers(text: &[u8]) -> Vec<Vec<u8>> {
    let mut first = Vec::with_capacity(text.len());
    fold(text, &mut |byte, _| first.push(byte));
    let mut all = vec![first];
    while let Some(last) = all.last().filter(|last| all.len() <= DEPTH && is_escaped(last)) {
        let mut next = Vec::with_capacity(last.len());
        undo(last, &mut |byte, _| next.push(byte));
        if next == *last {
            break;
        }
        all.push(next);
    }
    all
}

fn is_escaped(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, b'\\' | b'%' | b'&'))
}

/// How many times escapes are undone: JSON in JSON in a URL is three.
const DEPTH: usize = 4;

/// The text without white space, colours and lines that boxes are drawn of: how a secret is broken over lines does not
/// matter.
fn fold(text: &[u8], emit: &mut impl FnMut(u8, Range<usize>)) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            0x1b if text.get(at + 1) == Some(&b'[') => {
                at += colour(&text[at..]);
                continue;
            }
            b' ' | b'\n' | b'\r' | b'\t' | 0x0b | 0x0c => {}
            0xc2 if text.get(at + 1) == Some(&0xa0) => at += 1,
            0xe2 if matches!(text.get(at + 1), Some(0x94 | 0x95)) => at += 2,
            byte => emit(byte, at..at + 1),
        }
        at += 1;
    }
}

/// How long the escape sequence is that the text begins with.
fn colour(text: &[u8]) -> usize {
    text.iter().skip(2).position(|byte| (0x40..=0x7e).contains(byte)).map_or(2, |end| end + 3)
}

/// The escape sequences in a text.
pub(super) fn colours(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("\x1b[").filter_map(|(at, _)| text.get(at..at + colour(&text.as_bytes()[at..])))
}

/// The text with one layer of escapes undone: `\n`, `\"`, `\u0041`, `\u{41}`, `\x41`, `%41`, `&quot;`, `&#65;`.
fn undo(text: &[u8], emit: &mut impl FnMut(u8, Range<usize>)) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at + 1..];
        let found = match byte {
            b'\\' => backslash(rest),
            b'%' => hex(rest, 2).map(|byte| (Undone::Byte(byte as u8), 2)),
            b'&' => entity(rest),
            _ => None,
        };
        let (what, more) = found.unwrap_or((Undone::Byte(byte), 0));
        let span = at..at + 1 + more;
        match what {
            Undone::Byte(byte) if byte.is_ascii_whitespace() => {}
            Undone::Byte(byte) => emit(byte, span),
            Undone::Char(c) => {
                let c = char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER);
                if !c.is_whitespace() {
                    c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| emit(byte, span.clone()));
                }
            }
        }
        at += 1 + more;
    }
}

enum Undone {
    Byte(u8),
    Char(u32),
}

fn hex(text: &[u8], digits: usize) -> Option<u32> {
    let digits = text.get(..digits).filter(|text| text.iter().all(u8::is_ascii_hexdigit))?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// What follows a backslash, and how many bytes that is.
fn backslash(rest: &[u8]) -> Option<(Undone, usize)> {
    Some(match rest.first()? {
        b'n' => (Undone::Char(10), 1),
        b'r' => (Undone::Char(13), 1),
        b't' => (Undone::Char(9), 1),
        b'b' => (Undone::Char(8), 1),
        b'f' => (Undone::Char(12), 1),
        b'x' => (Undone::Char(hex(&rest[1..], 2)?), 3),
        b'u' if rest.get(1) == Some(&b'{') => {
            let end = rest.iter().take(10).position(|byte| *byte == b'}')?;
            (Undone::Char(hex(&rest[2..], end - 2)?), end + 1)
        }
        b'u' => {
            let high = hex(&rest[1..], 4)?;
            let low = rest.get(5..7).filter(|next| *next == b"\\u").and_then(|_| hex(&rest[7..], 4));
            match (high, low) {
                (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
                    (Undone::Char(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 11)
                }
                _ => (Undone::Char(high), 5),
            }
        }
        other if other.is_ascii_punctuation() => (Undone::Byte(*other), 1),
        _ => return None,
    })
}

/// What an entity of HTML or XML stands for, and how many bytes follow its `&`.
fn entity(rest: &[u8]) -> Option<(Undone, usize)> {
    let end = rest.iter().take(12).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&rest[..end]).ok()?;
    let c = match name {
        "amp" => 38,
        "lt" => 60,
        "gt" => 62,
        "quot" => 34,
        "apos" => 39,
        "nbsp" => 32,
        _ => {
            let number = name.strip_prefix('#')?;
            match number.strip_prefix(['x', 'X']) {
                Some(number) => u32::from_str_radix(number, 16).ok()?,
                None => number.parse().ok()?,
            }
        }
    };
    Some((Undone::Char(c), end + 1))
}
