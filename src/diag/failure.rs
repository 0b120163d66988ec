//! What went wrong when there is no line of a blueprint to point at.

use std::fmt;

/// What went wrong, and what to do about it: two texts from where it arises to where it is shown.
///
/// Rooms whose callers act on the kind of error have an enum of their own with a `hint`; [`Failure::of`] makes one of
/// these of it when it is shown. It displays as its message alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was attempted, on what, and why it did not work. A sentence without its full stop; more lines may follow.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Azure's error code, when Azure refused.
    pub code: Option<String>,
}

impl Failure {
    /// A failure with its remedy.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Failure { message: message.into(), help: Some(help.into()), code: None }
    }

    /// A failure whose message says all there is to say.
    pub fn bare(message: impl Into<String>) -> Self {
        Failure { message: message.into(), help: None, code: None }
    }

    /// An error of another type, with what that type says to do about it.
    pub fn of(error: &dyn fmt::Display, help: Option<String>) -> Self {
        Failure { message: error.to_string(), help, code: None }
    }

    /// With this remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
