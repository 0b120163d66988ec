//! Which texts a build server may be asked to mask.
//!
//! A mask takes its text out of every line that follows, wherever it is there. The mask of a secret whose value is
//! `true`, `1` or `westeurope` makes a log unreadable and, because it is gone where everybody expects it, tells the secret.

/// The shortest text that is masked.
const SHORTEST: usize = 8;
/// From this length on a text is not a word, whatever it is made of.
const LONG: usize = 24;

/// Whether a text is long and unlike ordinary text, so that its mask hides nothing else.
///
/// Words, numbers, dates, versions and addresses are ordinary: a text that is masked has at least eight characters, and
/// at least two of small letters, capitals and digits. A text of 24 characters or more needs eight different
/// ones.
pub fn is_maskable(text: &str) -> bool {
    let text = text.trim();
    let length = text.chars().count();
    if length < SHORTEST || text.contains(char::is_control) {
        return false;
    }
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    if length >= LONG {
        return different.len() >= 8;
    }
    let has = |is: fn(char) -> bool| usize::from(text.chars().any(is));
    let kinds = has(char::is_lowercase) + has(char::is_uppercase) + has(char::is_numeric);
    // `Production` and `Standard`: a capital at the beginning makes no secret of a word.
    let is_word = text.chars().skip(1).all(|c| c.is_lowercase());
    kinds >= 2 && different.len() >= 5 && !is_word
}

/// What is masked of a secret: all of it, when it is one line, else those of its words that are maskable by themselves. The
/// first and the last line of a PEM block are in every such block.
pub fn masks(secret: &str) -> Vec<&str> {
    let whole = secret.trim();
    if !whole.contains(['\n', '\r']) {
        return if is_maskable(whole) { vec![whole] } else { vec![] };
    }
    let lines = whole.split(['\n', '\r']).map(str::trim).filter(|line| !line.starts_with("-----"));
    let words = lines.flat_map(str::split_whitespace).map(|word| word.trim_matches(['"', '\'', ',']));
    let mut found: Vec<&str> = words.filter(|word| is_maskable(word)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_never_masked() {
        for ordinary in [
            "",
            "1",
            "true",
            "null",
            "{",
            "}",
            "[],",
            "\"a\": 1",
            "Enabled",
            "disabled",
            "password",
            "Production",
            "westeurope",
            "12345678",
            "2026-11-26",
            "10.20.0.0/16",
            "1.33.4",
            "--------",
            "aaaaaaaa1",
            "resource",
            "the value",
            "=========================",
            "Succeeded\nSucceeded",
        ] {
            assert!(!is_maskable(ordinary), "{ordinary}");
        }
        for secret in
            ["hunter2-and-more", "Pa55word!", "a1b2c3d4e5", "correct horse battery staple", "x9F~kQ2p"]
        {
            assert!(is_maskable(secret), "{secret}");
        }
    }

    #[test]
    fn of_several_lines_only_those_are_masked_that_are_secret_alone() {
        let json = "{\n  \"enabled\": true,\n  \"count\": 1,\n  \"key\": \"x9F~kQ2p-77\"\n}";
        assert_eq!(masks(json), ["x9F~kQ2p-77"]);
        assert_eq!(masks("Pa55word!"), ["Pa55word!"]);
        assert_eq!(masks("true"), [] as [&str; 0]);
    }
}
