//! What is secret by its shape, whether anybody has said so or not.

use super::MASK;
use crate::value::token::{self, Token};
use regex::Regex;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// The secrets of connection strings, of signed URLs and of headers: the first group is the secret.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    // Word boundaries are those of ASCII: for others the engine goes the slow way as soon as a text has one letter that is
    // not ASCII, which every plan has.
    let end = r#"[^&;,\s"'<>\\`]"#;
    let alternatives = [
        // In a query or a form; what stands before may be escaped for JSON, HTML or a URL.
        format!(
            r#"(?:^|[?&;\s"']|u0026|%26|%3f)(?:sig|client_secret|access_token|refresh_token|client_assertion|subscription-key)=({end}{{4,}})"#
        ),
        format!(
            r"(?-u:\b)(?:AccountKey|SharedAccessKey|SharedAccessSignature|SharedSecretValue|ApiKey)=({end}{{4,}})"
        ),
        format!(r"(?-u:\b)(?:password|pwd)=({end}+);"),
        format!(r";\s*(?:password|pwd)=({end}+)"),
        r"(?-u:\b)(?:bearer|basic)\s+([A-Za-z0-9._~+/-]{20,}=*)".to_owned(),
        // A JSON web token.
        r"(?-u:\b)(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*)".to_owned(),
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.)*?-----END [A-Z ]*PRIVATE KEY-----)".to_owned(),
    ];
    Regex::new(&format!("(?i){}", alternatives.join("|"))).expect("the pattern is fixed")
});

/// Where a text holds something that is secret by its shape.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = user_infos(text);
    if text.contains('=') || text.contains("eyJ") || text.contains("-----") || text.contains([' ', '\t']) {
        for captures in NAMED.captures_iter(text) {
            found.extend(captures.iter().skip(1).flatten().map(|group| group.range()));
        }
    }
    // What stands for a value, an expression or a token, is none.
    found.retain(|range| {
        !text[range.clone()].contains("${") && !text[range.clone()].contains(token::is_reserved)
    });
    found
}

/// The passwords in `scheme://user:password@host`, and the whole of `https://token@host`.
pub(super) fn user_infos(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = &text[start..];
        let is_end = |c: char| c.is_whitespace() || c.is_control() || "/?#\"'<>`\\".contains(c);
        let authority = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        let Some(end) = authority.rfind('@') else { continue };
        let web = text[..at].to_ascii_lowercase().ends_with("http")
            || text[..at].to_ascii_lowercase().ends_with("https");
        match authority[..end].find(':') {
            Some(colon) if colon + 1 < end => found.push(start + colon + 1..start + end),
            // Who signs in to a web server by a name alone signs in by a token.
            None if web && end > 0 => found.push(start..start + end),
            _ => {}
        }
    }
    found
}

/// The passwords of the URLs in a text, as they are written and as they are meant.
pub(super) fn passwords(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for range in user_infos(text) {
        let written = &text[range];
        if written.contains(['(', '\u{FDD0}']) {
            continue;
        }
        all.push(written.to_owned());
        let meant = decoded(written);
        if meant != written {
            all.push(meant);
        }
    }
    all
}

/// The parts of a secret that are secret by themselves.
pub(super) fn parts(secret: &str) -> Vec<String> {
    let mut all = passwords(secret);
    for range in find(secret) {
        let part = &secret[range];
        all.push(part.to_owned());
        all.push(decoded(part));
    }
    let lines = secret.lines().map(str::trim);
    if secret.trim().contains('\n') {
        all.extend(lines.filter(|line| line.len() >= 16 && !line.starts_with("-----")).map(str::to_owned));
    }
    // A secret is often read from a file, with the line break at its end.
    all.push(secret.trim().to_owned());
    all
}

/// With `%41` as what it means.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(meant) => {
                plain.push(meant);
                at += 3;
            }
            None => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

/// The text with berth's own tokens as what they stand for, also those that something cut off.
pub(super) fn tokens(text: &str) -> Cow<'_, str> {
    if !text.contains(token::is_reserved) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(token::is_reserved) {
        clean.push_str(&rest[..at]);
        let here = &rest[at..];
        let first = here.chars().next().map_or(1, char::len_utf8);
        let end = here[first..].find(['\u{FDD1}', '\u{FDD0}', '\n', '"', '`', '\'']).map(|end| first + end);
        let whole =
            end.and_then(|end| here[end..].starts_with('\u{FDD1}').then_some(end + '\u{FDD1}'.len_utf8()));
        match whole.and_then(|end| Some((Token::exactly(&here[..end])?, end))) {
            Some((token, end)) => {
                clean.push_str(&token.to_string());
                rest = &here[end..];
            }
            None if here[first..].starts_with("Sec") => {
                clean.push_str(MASK);
                // What is not part of a name is somebody else's text, such as the end of a JSON string.
                let of_name = |c: char| token::is_reserved(c) || c.is_alphanumeric() || "._-[]".contains(c);
                let end = here[first..].find(|c| !of_name(c)).map_or(here.len(), |end| first + end);
                rest = &here[end..];
            }
            None => rest = &here[first..],
        }
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}
