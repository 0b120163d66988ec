//! Bytes in, text out, or why they are not text that YAML could be read from: what is refused here would cost the YAML
//! parser minutes or gigabytes, or be told without a place.

use super::span::span_at;
use super::yaml::YAML;
use crate::diag::{Code, Diagnostic, SourceFile};
use crate::value::token;
use std::sync::Arc;

/// The largest file that is read, in bytes: some hundred thousand entries. The YAML parser takes up to a hundred times
/// as much memory.
const LARGEST: usize = 16 * 1024 * 1024;

/// How deep brackets, or the `-` of a line, may be nested. The parser's own limit is 128, and it takes a time that
/// grows with the square of the depth.
const DEEPEST: usize = 1_000;

pub(super) const NOT_UTF8: Code = Code {
    name: "not-utf8",
    why: "The file is not UTF-8 text: another encoding, or no text at all.",
    remedy: "Save it as UTF-8.",
    example: "iconv -f utf-16 -t utf-8 old.yaml > blueprint.yaml",
};

pub(super) const TOO_LARGE: Code = Code {
    name: "too-large",
    why: "A file has up to 16 MiB: that is some hundred thousand entries, and more than people review.",
    remedy: "Put its entries into several files, and include them as modules; or let `forEach` make them.",
    example: "modules: { spoke: { include: ./spoke.yaml } }",
};

/// The text of a file.
///
/// # Errors
/// When it is too large, no UTF-8, or has characters or a depth that could not be read.
pub(super) fn decode(name: String, bytes: &[u8]) -> Result<Arc<SourceFile>, Diagnostic> {
    let file = |text: String| Arc::new(SourceFile { name: name.clone(), text });
    if bytes.len() > LARGEST {
        let head = String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).into_owned();
        let mib = |bytes: usize| bytes as f64 / 1_048_576.0;
        let large =
            format!("the file has {:.1} MiB, and berth reads up to {}", mib(bytes.len()), mib(LARGEST));
        return Err(Diagnostic::error(&TOO_LARGE, large)
            .at(Some(span_at(&file(head), 0, 1)))
            .help("this limit is fixed: put its entries into several files, and include them as `modules`"));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Diagnostic::error(&NOT_UTF8, "the file is UTF-16, and not UTF-8")
            .at(Some(span_at(&file(String::new()), 0, 1)))
            .help("save it as UTF-8: `iconv -f utf-16 -t utf-8` does it"));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            let file = file(String::from_utf8_lossy(bytes).into_owned());
            return Err(Diagnostic::error(&NOT_UTF8, "the file is not UTF-8 text")
                .at(Some(span_at(&file, error.valid_up_to(), 1)))
                .help("save it as UTF-8"));
        }
    };
    let file = file(text);
    let tell =
        |diagnostic: Diagnostic, at: usize, length: usize| diagnostic.at(Some(span_at(&file, at, length)));
    if let Some((at, bad)) = file.text.char_indices().find(|&(at, c)| is_refused(&file.text, at, c)) {
        return Err(tell(unreadable(bad), at, bad.len_utf8()));
    }
    if let Some(at) = too_deep(&file.text) {
        let deep = Diagnostic::error(&YAML, format!("more than {DEEPEST} lists and mappings in each other"));
        return Err(tell(deep, at, 1).help("this limit is fixed: nest less, for example by parameters or modules; a bracket that belongs to a text goes in quotes"));
    }
    Ok(file)
}

/// Whether YAML, or berth, refuses a character; or YAML ends a line with it and nobody else does.
fn is_refused(text: &str, at: usize, c: char) -> bool {
    match c {
        '\t' | '\n' | ' '..='~' => false,
        '\r' => text.as_bytes().get(at + 1) != Some(&b'\n'),
        '\u{a0}'..='\u{fefe}' => matches!(c, '\u{2028}' | '\u{2029}') || token::is_reserved(c),
        _ => c < '\u{a0}' || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}') || token::is_reserved(c),
    }
}

pub(super) const CONTROL_CHARACTER: Code = Code {
    name: "control-character",
    why: "YAML allows no control characters, and takes some that cannot be seen for the end of a line. They come with files that are not text, and with what was pasted.",
    remedy: "Remove the character at the place; save a file that is UTF-16 as UTF-8.",
    example: "iconv -f utf-16 -t utf-8 old.yaml > blueprint.yaml",
};

pub(super) const RESERVED_CHARACTER: Code = Code {
    name: "reserved-character",
    why: "The file holds a character that Unicode keeps for programs and that berth uses to mark secrets and values that are not known yet.",
    remedy: "Remove the character; it cannot be seen and came with something that was pasted.",
    example: "",
};

fn unreadable(c: char) -> Diagnostic {
    if token::is_reserved(c) {
        return Diagnostic::error(&RESERVED_CHARACTER, "a Unicode noncharacter that berth keeps for itself")
            .help("remove the character");
    }
    let number = format!("U+{:04X}", u32::from(c));
    let told = |message: String, help: &str| Diagnostic::error(&CONTROL_CHARACTER, message).help(help);
    match c {
        '\0' => told(
            "a character with the number 0, which no text has".to_owned(),
            "save the file as UTF-8 text; a file that is UTF-16, or no text at all, has such characters",
        ),
        '\r' => told(
            "a line that ends with a carriage return alone".to_owned(),
            "end lines with a line feed, as every editor does that is set to LF or CRLF",
        ),
        '\u{85}' | '\u{2028}' | '\u{2029}' => told(
            format!("the character {number}, which YAML takes for the end of a line"),
            "remove it: it cannot be seen and came with something that was pasted",
        ),
        '\u{feff}' => told(
            "a byte order mark (U+FEFF) that is not at the beginning".to_owned(),
            "remove it: it cannot be seen and came with a file that was put behind another",
        ),
        _ => told(
            format!("the control character {number}, which YAML does not allow"),
            "remove it, or write it as an escape in a text in double quotes: \"\\x07\"",
        ),
    }
}

/// Where lists and mappings are nested deeper than they can be read.
///
/// Brackets count where a value can begin, so those in a text do not, even if they are never closed; and a line that
/// begins with a key counts from the beginning.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut start) = (0usize, 0);
    for line in text.split_inclusive('\n') {
        let plain = line.trim_start();
        let key = plain.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        if key > 0 && plain[key..].starts_with(':') {
            depth = 0;
        }
        // Whether a value can begin here, what is read being an anchor or a tag before it, and how many `- ` began the line.
        let (mut begins, mut word, mut dashes) = (true, false, 0usize);
        for (at, byte) in line.bytes().enumerate() {
            match byte {
                b'[' | b'{' if begins => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                b'-' | b'?' if begins && line.as_bytes().get(at + 1) == Some(&b' ') => dashes += 1,
                _ => {}
            }
            if depth.max(dashes) > DEEPEST {
                return Some(start + at);
            }
            (begins, word) = match byte {
                b'[' | b'{' | b',' | b':' => (true, false),
                b' ' | b'\t' => (begins, false),
                b'-' | b'?' => (begins, word),
                b'&' | b'!' if begins => (true, true),
                _ => (begins && word, word),
            };
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &[u8]) -> (&'static str, String, String) {
        let told = decode("b.yaml".to_owned(), text).unwrap_err();
        (told.code.name, told.span.unwrap().to_string(), told.message + "; " + &told.help.unwrap())
    }

    #[test]
    fn what_is_no_text_has_a_place_and_a_remedy() {
        for (bytes, code, place, says) in [
            (&b"\xff\xfea\0:\0"[..], "not-utf8", "b.yaml:1:1", "iconv"),
            (b"a: 1\nb: \xc3\xa4\xff", "not-utf8", "b.yaml:2:5", "UTF-8"),
            (b"\xef\xbb\xbfa: \xff", "not-utf8", "b.yaml:1:4", "UTF-8"),
            (b"a\0b\0", "control-character", "b.yaml:1:2", "UTF-16"),
            (b"a: 1\rb: 2\r", "control-character", "b.yaml:1:5", "LF or CRLF"),
            (b"a: \x07", "control-character", "b.yaml:1:4", "U+0007"),
            (b"a: \x7f", "control-character", "b.yaml:1:4", "U+007F"),
            ("a: 1\n\u{feff}b: 2\n".as_bytes(), "control-character", "b.yaml:2:1", "byte order mark"),
            ("# a\u{2028}b\n".as_bytes(), "control-character", "b.yaml:1:4", "U+2028"),
            ("a: \u{85}".as_bytes(), "control-character", "b.yaml:1:4", "U+0085"),
            ("a: \u{FDD0}\n".as_bytes(), "reserved-character", "b.yaml:1:4", "remove"),
        ] {
            let (found, at, told) = refused(bytes);
            assert_eq!((found, at.as_str()), (code, place), "{told}");
            assert!(told.contains(says), "{told}");
        }
        for text in ["a: 1\r\nb: ü😀\u{fffd}\u{a0}\t", "\u{feff}a: 1"] {
            decode(String::new(), text.as_bytes()).unwrap();
        }
    }

    #[test]
    fn depth_is_known_before_it_costs() {
        for unit in ["[", "{a: ", "- ", "? ", "[ &a ", "[!b ", "&x [", "{\n", "[[],", "- [", "[a,"] {
            let text = format!("x:\n {}", unit.repeat(200_000));
            let (code, _, told) = refused(text.as_bytes());
            assert!(code == "yaml" && told.contains("more than 1000"), "{unit}: {told}");
        }
        for text in [
            format!("x: |\n{}", "  some words [ in a { text\n".repeat(5_000)),
            format!("x: {}\n", "-".repeat(5_000)),
            format!("x: [{}]\n", "{ a: [1] }, ".repeat(5_000)),
            format!("x: {}\n", "why? - ".repeat(5_000)),
            "- [1]\n".repeat(5_000),
        ] {
            decode(String::new(), text.as_bytes()).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_at_once() {
        let (code, place, told) = refused(&vec![b'#'; 50_000_000]);
        assert_eq!((code, place.as_str()), ("too-large", "b.yaml:1:1"));
        assert!(told.contains("47.7 MiB") && told.contains("modules"), "{told}");
    }
}
