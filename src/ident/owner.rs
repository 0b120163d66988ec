//! Whose a resource, or a ledger, is.

use std::fmt;

/// A blueprint, in one of its environments when the run has one.
///
/// Its text is the value of the ownership tag: `shop`, or `shop/prod`. Neither name can have a `/`, so no blueprint can
/// pass for the environment of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The blueprint's name.
    pub blueprint: String,
    /// The environment's name, when the run has one.
    pub environment: Option<String>,
}

impl Owner {
    /// An owner without an environment.
    pub fn new(blueprint: impl Into<String>) -> Self {
        Owner { blueprint: blueprint.into(), environment: None }
    }

    /// The same blueprint in this environment.
    #[must_use]
    pub fn within(self, environment: Option<String>) -> Self {
        Owner { environment, ..self }
    }

    /// What files and folders of the ledger are called: `shop`, or `shop.prod`. No name has a `.`.
    pub fn file_stem(&self) -> String {
        match &self.environment {
            None => self.blueprint.clone(),
            Some(environment) => format!("{}.{environment}", self.blueprint),
        }
    }

    /// How people are told of it: `shop`, or `shop, environment prod`.
    pub fn in_words(&self) -> String {
        match &self.environment {
            None => self.blueprint.clone(),
            Some(environment) => format!("{}, environment {environment}", self.blueprint),
        }
    }

    /// Reads the value of a tag, or what berth says of an owner; `None` for what names no owner.
    pub fn parse(text: &str) -> Option<Self> {
        let (blueprint, environment) = match text.split_once('/') {
            None => (text, None),
            Some((blueprint, environment)) => (blueprint, Some(environment)),
        };
        let all = [blueprint].into_iter().chain(environment);
        all.clone()
            .all(is_name)
            .then(|| Owner { blueprint: blueprint.to_owned(), environment: environment.map(str::to_owned) })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.blueprint)?;
        self.environment.iter().try_for_each(|environment| write!(f, "/{environment}"))
    }
}

/// Whether a text may be the name of a blueprint or of an environment: `[a-z][a-z0-9-]{0,62}`.
///
/// Files, folders, objects and the value of a tag are called by it.
pub fn is_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_owners_share_a_tag_or_a_file() {
        let owner = |blueprint: &str, environment: Option<&str>| {
            Owner::new(blueprint).within(environment.map(str::to_owned))
        };
        let mut all = Vec::new();
        for blueprint in ["shop", "shop-prod", "prod", "json", "lock"] {
            all.extend(
                [None, Some("prod"), Some("shop"), Some("json"), Some("journal")]
                    .map(|e| owner(blueprint, e)),
            );
        }
        for (at, one) in all.iter().enumerate() {
            assert_eq!(Owner::parse(&one.to_string()).as_ref(), Some(one));
            for other in &all[at + 1..] {
                assert_ne!(one.to_string(), other.to_string());
                // Also with what a store puts behind it.
                for (a, b) in [(".json", ".json"), (".json", ".journal"), (".history", ".json"), ("/", "/")] {
                    assert_ne!(format!("{}{a}", one.file_stem()), format!("{}{b}", other.file_stem()));
                }
            }
        }
    }

    #[test]
    fn names_are_checked_before_they_become_paths() {
        for (text, good) in [
            ("shop", true),
            ("s", true),
            ("shop-2", true),
            ("", false),
            ("2shop", false),
            ("Shop", false),
            ("shop.prod", false),
            ("shop/prod", false),
            ("../shop", false),
            ("shop\\x", false),
            ("shöp", false),
            ("shop\n", false),
        ] {
            assert_eq!(is_name(text), good, "{text:?}");
        }
        assert!(!is_name(&"a".repeat(64)));
        for text in ["", "/", "shop/", "/prod", "shop/prod/x", "Shop", "a b"] {
            assert_eq!(Owner::parse(text), None, "{text:?}");
        }
        // The largest tag is far below Azure's 256 characters.
        let longest = Owner::new("a".repeat(63)).within(Some("b".repeat(63)));
        assert!(longest.to_string().len() <= 256);
    }
}
