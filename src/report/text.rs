//! Texts: how wide they are, how they break, how long a duration is, and what may not be in them.

use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Whether a character could do more than be shown: control characters and those that turn the
/// direction of writing or are not seen.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
        || matches!(c, '\u{AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}')
        || matches!(c, '\u{180B}'..='\u{180F}' | '\u{3164}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}')
        || matches!(c, '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// A text that takes one line and does nothing to a terminal, nor to a build server that reads it in a log.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return disarmed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unsafe(c) => safe.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => safe.push(c),
        }
    }
    Cow::Owned(disarmed(&safe).into_owned())
}

/// A line that commands no build server: Azure Pipelines obeys `##vso[…]` and `##[…]` wherever they are, TeamCity
/// `##teamcity[…]`, GitHub Actions a line that begins with `::name::`. A backslash takes the command apart and can be seen.
pub(crate) fn disarmed(line: &str) -> Cow<'_, str> {
    let mut line = Cow::Borrowed(line);
    for bracket in commands(&line).into_iter().rev() {
        let name = line[..bracket].trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
        line.to_mut().insert(name, '\\');
    }
    let bare = line.trim_start();
    let is_command = bare
        .strip_prefix("::")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains("::"));
    if is_command {
        let at = line.len() - bare.len();
        line.to_mut().insert(at, '\\');
    }
    line
}

/// Where the brackets of commands such as `##vso[` and `##[` are in a text: after two signs and a name, or none.
pub(crate) fn commands(text: &str) -> Vec<usize> {
    if !text.contains("##") {
        return Vec::new();
    }
    let is_command =
        |at: &usize| text[..*at].trim_end_matches(|c: char| c.is_ascii_alphabetic()).ends_with("##");
    text.match_indices('[').map(|(at, _)| at).filter(is_command).collect()
}

/// A text of several lines that does nothing to a terminal but break its lines.
pub fn escape_lines(text: &str) -> String {
    text.lines().map(|line| escape(&line.replace('\t', "    ")).into_owned()).collect::<Vec<_>>().join("\n")
}

/// How a remedy is told, wherever a person reads it.
pub(crate) fn help_line(help: Option<&str>) -> Option<String> {
    help.map(|help| format!("help: {help}"))
}

/// The words of a line. What is between two backticks is one word: people copy it.
fn words(line: &str) -> Vec<&str> {
    let (mut words, mut start) = (Vec::new(), 0);
    let quotes: Vec<usize> = line.match_indices('`').map(|(at, _)| at).collect();
    let quoted = |at: usize| quotes.chunks_exact(2).any(|pair| pair[0] < at && at < pair[1]);
    for (at, _) in line.match_indices(' ') {
        if !quoted(at) {
            words.push(&line[start..at]);
            start = at + 1;
        }
    }
    words.push(&line[start..]);
    words
}

/// Lines no wider than `columns`, broken between words where that is possible. Line breaks of the text stay, and a
/// line that goes on keeps the indentation that it began with. What people copy is not broken: words as ids are, and
/// commands between backticks.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let bare = line.trim_start_matches(' ');
        let indent = (line.len() - bare.len()).min(columns / 2);
        let mut current = " ".repeat(indent);
        let mut empty = true;
        for word in words(bare) {
            if !empty && width(&current) + 1 + width(word) > columns {
                lines.push(std::mem::replace(&mut current, " ".repeat(indent)));
                empty = true;
            }
            if !empty {
                current.push(' ');
            }
            current.push_str(word);
            empty = false;
        }
        lines.push(current);
    }
    lines
}

/// Pieces no wider than `columns`, broken anywhere.
pub(crate) fn chop(text: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let wide = width(c.encode_utf8(&mut [0; 4]));
        if used + wide > columns.max(1) && used > 0 {
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(last) = pieces.last_mut() {
            last.push(c);
        }
    }
    pieces
}

/// `one thing`, `2 things`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A duration for people: `350ms`, `12.3s`, `8m02s`, `1h05m`.
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds}ms"),
        1..60 => format!("{seconds}.{}s", milliseconds % 1000 / 100),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A rough duration: `8s`, `12m`, `1h05m`.
pub(crate) fn about(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1000);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", (seconds + 30) / 60),
        _ => duration(milliseconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (ms, text) in [
            (0, "0ms"),
            (350, "350ms"),
            (12_345, "12.3s"),
            (59_999, "59.9s"),
            (482_000, "8m02s"),
            (3_905_000, "1h05m"),
        ] {
            assert_eq!(duration(ms), text);
        }
        assert_eq!(about(90_000), "2m");
    }

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        assert_eq!(escape("a\u{1b}[2Jb\u{202e}c\u{9b}\n"), r"a\u{1b}[2Jb\u{202e}c\u{9b}\n");
        assert!(matches!(escape("schön →"), Cow::Borrowed(_)));
        assert_eq!(escape_lines("a\tb\r\n  c\u{7}"), "a    b\n  c\\u{7}");
    }

    #[test]
    fn wraps_between_words_and_keeps_long_ones_whole() {
        assert_eq!(wrap("one two three\n  four five", 9), ["one two", "three", "  four", "  five"]);
        assert_eq!(wrap("a-very-long-word b", 5), ["a-very-long-word", "b"]);
        assert_eq!(wrap("run `az role list` now", 9), ["run", "`az role list`", "now"]);
        assert_eq!(wrap("a `lone one two", 8), ["a `lone", "one two"]);
        assert_eq!(chop("abcdef", 4), ["abcd", "ef"]);
    }
}
