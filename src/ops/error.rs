//! Why a use case could not be carried out.

use crate::approve::Blocked;
use crate::diag::Diagnostics;
use crate::plan::Moved;
use crate::{apply, arm, ledger};

/// Why a use case could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The blueprint has mistakes.
    #[error("the blueprint has mistakes")]
    Blueprint(Diagnostics),
    /// Azure could not be asked, or said no.
    #[error("{0}")]
    Arm(#[from] arm::Error),
    /// The ledger could not be read or written.
    #[error("{0}")]
    Ledger(#[from] ledger::store::Error),
    /// The plan may not be applied as it is.
    #[error("the plan may not be applied as it is")]
    Blocked(Vec<Blocked>),
    /// What a saved plan stands on has moved.
    #[error("the saved plan no longer holds; nothing was done")]
    Stale(Vec<Moved>),
    /// The planner made a plan that cannot be: a defect of berth.
    #[error("berth made an unsound plan and will not apply it: {}", .0.join("; "))]
    Unsound(Vec<String>),
}

impl From<apply::Error> for Error {
    fn from(error: apply::Error) -> Self {
        match error {
            apply::Error::Ledger(error) => Error::Ledger(error),
        }
    }
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Arm(error) => error.hint(),
            Error::Ledger(error) => Some(error.hint()),
            Error::Unsound(_) => Some("please report this, with the plan".to_owned()),
            Error::Stale(_) => {
                Some("plan again with `berth plan --out`, and look at what has changed".to_owned())
            }
            Error::Blueprint(_) | Error::Blocked(_) => None,
        }
    }
}
