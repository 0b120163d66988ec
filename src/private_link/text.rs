//! Patterns of request messages.

/// Whether a text fits a pattern as a whole; `*` stands for any characters, also none, and everything else for itself.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    // Without a star the pattern is the text.
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        // The earliest place leaves the most room for what follows.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything_between() {
        for (pattern, text, expected) in [
            ("ticket OPS-*", "ticket OPS-12", true),
            ("ticket OPS-*", "Ticket OPS-12", false),
            ("ticket OPS-*", "a ticket OPS-12", false),
            ("*OPS*12", "x OPS 3 12", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a**b", "ab", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
