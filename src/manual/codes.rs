//! Every diagnostic that a blueprint can cause, with what stands behind it.

use super::{clusters, language, resources};

/// A diagnostic: its stable code, and what `berth explain CODE` tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code, as berth prints it above the message. It never changes its meaning.
    pub code: &'static str,
    /// What it is about, and why berth minds.
    pub why: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// What is right: a piece of a blueprint, or a command.
    pub example: &'static str,
}

impl Code {
    /// Whether the example is a command line, and no piece of a blueprint.
    pub fn is_command(&self) -> bool {
        self.example
            .split_whitespace()
            .next()
            .is_some_and(|word| ["az", "base64", "berth", "iconv"].contains(&word))
    }
}

/// Every code, by name.
pub fn codes() -> Vec<&'static Code> {
    let mut all: Vec<&Code> =
        [language::CODES, clusters::CODES, resources::CODES].into_iter().flatten().collect();
    all.sort_by_key(|code| code.code);
    all
}

/// The code of this name.
pub fn code(name: &str) -> Option<&'static Code> {
    codes().into_iter().find(|code| code.code == name)
}

/// A code with its text: why, what to do, and an example.
pub(super) const fn told(
    code: &'static str,
    why: &'static str,
    mend: &'static str,
    example: &'static str,
) -> Code {
    Code { code, why, mend, example }
}
