//! What stands behind a diagnostic: a code that never changes its meaning, and the text of the reference.

/// A kind of mistake. Its text stands beside the code that raises it; `berth explain NAME` and the reference show it.
#[derive(PartialEq, Eq)]
pub struct Code {
    /// The code, as berth prints it above the message: `unknown-field`. It never changes its meaning.
    pub name: &'static str,
    /// What it is about, and why berth minds.
    pub why: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// What is right: a piece of a blueprint, or a command; empty when there is nothing to show.
    pub example: &'static str,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Code {
    /// A code without a text, for tests of what comes after it.
    #[cfg(test)]
    pub(crate) const fn named(name: &'static str) -> Self {
        Code { name, why: "", remedy: "", example: "" }
    }

    /// Whether the example is a command line, and no piece of a blueprint.
    pub fn is_command(&self) -> bool {
        let first = self.example.split_whitespace().next().unwrap_or_default();
        ["az", "base64", "berth", "iconv"].contains(&first)
    }
}
