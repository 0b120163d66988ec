//! Azure's rules for names, checked before anything is sent.

use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;

/// What the names of a resource type look like.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameRule {
    /// The code of the problem.
    pub code: &'static Code,
    /// What is named, with its article: `a key vault`.
    pub what: &'static str,
    /// The least number of characters.
    pub min: usize,
    /// The greatest number of characters.
    pub max: usize,
    /// Whether a name may start with it.
    pub first: fn(char) -> bool,
    /// Whether a name may contain it.
    pub inner: fn(char) -> bool,
    /// Whether a name may end with it.
    pub last: fn(char) -> bool,
    /// The rule in words, for the remedy: `3 to 24 letters …`.
    pub says: &'static str,
}

/// Whether a name of small letters and digits may contain it.
pub(super) fn small(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

impl NameRule {
    /// Whether a name obeys; one with a token in it is not judged.
    pub fn allows(&self, name: &str) -> bool {
        has_token(name)
            || (self.min..=self.max).contains(&name.chars().count())
                && name.starts_with(self.first)
                && name.ends_with(self.last)
                && name.chars().all(self.inner)
    }

    /// Reports a name that does not obey.
    pub fn check(&self, name: &str, path: &str, cx: &mut EntryCx<'_>) {
        if let Some(problem) = self.problem(name, path) {
            cx.problem(problem);
        }
    }

    /// What is wrong with a name, if anything.
    pub fn problem(&self, name: &str, path: &str) -> Option<Problem> {
        let message = format!("`{name}` cannot be the name of {}", self.what);
        let problem = Problem::error(self.code, path, message).help(format!("use {}", self.says));
        (!self.allows(name)).then_some(problem)
    }
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&NETWORK_RESOURCE_NAME];

const NETWORK_RESOURCE_NAME: Code = Code {
    name: "network-resource-name",
    why: "Most network resources share one rule for names.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`, the first a letter or digit, the last not `.` or `-`.",
    example: "",
};

/// Names of resources of `Microsoft.Network`.
pub(super) const NETWORK: NameRule = NameRule {
    code: &NETWORK_RESOURCE_NAME,
    what: "a network resource",
    min: 1,
    max: 80,
    first: alphanumeric,
    inner: |c| word(c) || c == '.' || c == '-',
    last: word,
    says: "1 to 80 letters, digits, `_`, `.` and `-`, the first a letter or digit, the last not `.` or `-`",
};

/// A letter or digit of ASCII.
pub(super) fn alphanumeric(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// A letter, digit or underscore of ASCII.
pub(super) fn word(c: char) -> bool {
    alphanumeric(c) || c == '_'
}

/// The candidate that `text` was probably meant to be, as a remedy.
pub(super) fn did_you_mean<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let text = text.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&text, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::reference;

    #[test]
    fn names_obey_length_and_characters() {
        for (name, good) in [
            ("a", true),
            ("vnet-1.x_", true),
            ("", false),
            ("-a", false),
            ("a-", false),
            ("a b", false),
            ("ä", false),
        ] {
            assert_eq!(NETWORK.allows(name), good, "{name}");
        }
        assert!(NETWORK.allows(&"a".repeat(80)));
        assert!(!NETWORK.allows(&"a".repeat(81)));
        assert!(NETWORK.allows(&reference("networks.hub")), "what is not known yet is not judged");
    }

    #[test]
    fn a_near_miss_is_named_and_a_far_one_is_not() {
        let all = ["Key Vault Secrets User", "Reader"];
        let found = did_you_mean("key vault secret user", all);
        assert_eq!(found.as_deref(), Some("did you mean `Key Vault Secrets User`?"));
        assert_eq!(did_you_mean("xyz", all), None);
    }
}
