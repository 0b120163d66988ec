//! Why a unit did not work.

use crate::arm::Error;
use crate::change::Outcome;
pub use crate::diag::Failure;

impl Failure {
    /// With the error of the attempt before, so that a timeout says what it waited for.
    pub(super) fn after(mut self, last: Option<String>) -> Self {
        if let Some(last) = last {
            self.message = format!("{}\nthe attempt before that: {last}", self.message);
        }
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { message: error.to_string(), help: error.hint(), code: error.code.clone() }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        let Failure { message, help, code } = failure;
        Outcome::Failed { message, help, code }
    }
}

/// Why an attempt ended.
#[derive(Debug)]
pub enum Stop {
    /// Azure's error: the attempt may be repeated.
    Error(Error),
    /// A repetition cannot help.
    Failed(Failure),
    /// What was to be made is somebody else's by now: nothing was sent.
    Refused(Failure),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failed(failure)
    }
}
