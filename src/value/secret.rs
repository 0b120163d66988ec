//! Secrets: values that cannot be printed.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// A secret text. It has no `Display`, its `Debug` shows nothing, and it does not serialise.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// What a secret goes by that stands openly in a body; no parameter has such a name.
    pub fn literal_name(address: &str, path: &str) -> String {
        format!("{address} {path}")
    }

    /// Whether a name is one of [`Secret::literal_name`].
    pub fn is_literal_name(name: &str) -> bool {
        name.contains(' ')
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A digest that tells whether the secret has changed, and nothing else: SHA-256 of salt and text, in hex.
    pub fn digest(&self, salt: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(salt.as_bytes());
        hasher.update([0]);
        hasher.update(self.0.as_bytes());
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The secret parameters of a run, by name.
#[derive(Debug, Clone, Default)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// Adds one.
    pub fn insert(&mut self, name: impl Into<String>, secret: Secret) {
        self.0.insert(name.into(), secret);
    }

    /// One by its name.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// Every secret with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, secret)| (name.as_str(), secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nothing_and_digests_with_salt() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(secret.digest("a"), Secret::new("hunter2").digest("a"));
        assert_ne!(secret.digest("a"), secret.digest("b"));
    }
}
