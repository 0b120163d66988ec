//! The doorway: what every text passes on its way to a terminal, a log or a file.
//!
//! Reports escape what is foreign where they show it. This is the last net behind them, for what they did not foresee:
//! secrets and berth's own tokens are taken out, characters that steer a terminal or hide themselves become visible, and
//! no line commands the build server that reads the log.

use super::text::{disarmed, is_unsafe};
use crate::value::redact::Redactor;
use std::io::{self, Write};

/// The text as it may be seen; `color` says whether it may hold colours.
pub fn guarded(text: &str, redactor: &Redactor, color: bool) -> String {
    let text = redactor.text(text);
    let visible = visible(&text, color);
    match visible.contains("##") || visible.contains("::") {
        true => visible.split_inclusive('\n').map(disarmed).collect(),
        false => visible,
    }
}

/// With every character shown that could do more than be shown, but line breaks, tabs and colours.
fn visible(text: &str, color: bool) -> String {
    let is_bad = |c: char| is_unsafe(c) && c != '\n' && c != '\t';
    if !text.contains(is_bad) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(is_bad) {
        safe.push_str(&rest[..at]);
        let here = &rest[at..];
        let c = here.chars().next().unwrap_or_default();
        let paint = if color { painted(here) } else { 0 };
        match paint {
            // Another way to break a line.
            _ if here.starts_with("\r\n") => rest = &here[1..],
            0 => {
                safe.extend(c.escape_unicode());
                rest = &here[c.len_utf8()..];
            }
            kept => {
                safe.push_str(&here[..kept]);
                rest = &here[kept..];
            }
        }
    }
    safe.push_str(rest);
    safe
}

/// How long the colour is that the text begins with; 0 when it begins with none.
fn painted(text: &str) -> usize {
    let Some(inner) = text.strip_prefix("\x1b[") else { return 0 };
    let end = inner.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(inner.len());
    if inner[end..].starts_with('m') { 2 + end + 1 } else { 0 }
}

/// A writer through which only guarded text goes: whole lines, so that what is written in parts is seen.
pub struct Guarded<W: Write> {
    redactor: Redactor,
    color: bool,
    inner: W,
    /// What is written and has no line break yet.
    line: Vec<u8>,
}

impl<W: Write> Guarded<W> {
    /// Writes to `inner`.
    pub fn new(inner: W, redactor: &Redactor, color: bool) -> Self {
        Guarded { redactor: redactor.clone(), color, inner, line: Vec::new() }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(bytes);
        self.inner.write_all(guarded(&text, &self.redactor, self.color).as_bytes())
    }
}

impl<W: Write> Write for Guarded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if let Some(end) = self.line.iter().rposition(|byte| *byte == b'\n') {
            let rest = self.line.split_off(end + 1);
            let lines = std::mem::replace(&mut self.line, rest);
            self.put(&lines)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.line);
        if !rest.is_empty() {
            self.put(&rest)?;
        }
        self.inner.flush()
    }
}

impl<W: Write> Drop for Guarded<W> {
    fn drop(&mut self) {
        // What cannot be written any more is lost, as with every writer.
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_gets_through_and_twice_is_as_once() {
        let redactor = Redactor::new();
        redactor.learn("hunter2-and-more");
        for (text, out) in [
            ("a hunter2-and-more b\n", "a (secret) b\n"),
            (
                "\x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07",
                "\x1b[31mred\x1b[0m \\u{1b}[2J\\u{1b}]0;title\\u{7}",
            ),
            ("x ##vso[task.setvariable]y\n  ##[error]z", "x ##\\vso[task.setvariable]y\n  ##\\[error]z"),
            ("a\n  ::error::x\n::1 is ::/0", "a\n  \\::error::x\n::1 is ::/0"),
            (
                "abc\u{202e}def\u{200b}\u{feff}\u{61c}\r\nx\ry",
                "abc\\u{202e}def\\u{200b}\\u{feff}\\u{61c}\nx\\u{d}y",
            ),
        ] {
            assert_eq!(guarded(text, &redactor, true), out);
            assert_eq!(guarded(out, &redactor, true), out);
        }
        assert_eq!(guarded("\x1b[31mred", &redactor, false), "\\u{1b}[31mred");
    }

    #[test]
    fn what_is_written_in_parts_is_seen_as_a_whole() {
        let redactor = Redactor::new();
        redactor.learn("hunter2-and-more");
        let mut out = Vec::new();
        let mut writer = Guarded::new(&mut out, &redactor, false);
        for part in ["it is hunt", "er2-and", "-more\n#", "#vso[x]\nand hunter2-and-more"] {
            writer.write_all(part.as_bytes()).unwrap();
        }
        drop(writer);
        assert_eq!(String::from_utf8(out).unwrap(), "it is (secret)\n##\\vso[x]\nand (secret)");
    }
}
