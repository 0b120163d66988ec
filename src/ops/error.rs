//! Why a use case could not be carried out.

use super::Session;
use crate::approve::Blocked;
use crate::diag::Diagnostics;
use crate::ident::{Address, ArmId, Owner};
use crate::ledger::Mismatch;
use crate::plan::StaleInput;
use crate::{arm, ledger};

/// Why a use case could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The blueprint has mistakes.
    #[error("the blueprint has mistakes")]
    Blueprint(Diagnostics),
    /// Azure could not be asked, or said no.
    #[error("{0}")]
    Arm(#[from] arm::Error),
    /// Azure refused to show a resource that the report is about.
    #[error("`{address}` cannot be read: {message}")]
    Unreadable {
        /// The resource.
        address: Address,
        /// What was asked, and what Azure said.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// The ledger was written for something else than this run is for.
    #[error("the ledger {place} is not the one of this run: {}", listed(mismatches))]
    OtherLedger {
        /// Where the ledger is.
        place: String,
        /// What differs.
        mismatches: Vec<Mismatch>,
    },
    /// There is no ledger, so nothing is known of what the blueprint owns.
    #[error("the ledger {place} holds nothing of `{owner}`")]
    EmptyLedger {
        /// Where the ledger would be.
        place: String,
        /// The blueprint, with its environment.
        owner: String,
    },
    /// The ledger has nothing, and something says by its tag that it is the blueprint's.
    #[error("the ledger {place} holds nothing, and {} the tag of `{owner}`{}", carrying(found), ids(found))]
    Strays {
        /// Where the ledger is.
        place: String,
        /// The blueprint, with its environment.
        owner: String,
        /// What carries the tag.
        found: Vec<ArmId>,
    },
    /// The ledger could not be read or written.
    #[error("{0}")]
    Ledger(#[from] ledger::store::Error),
    /// The plan may not be applied as it is.
    #[error("the plan may not be applied as it is")]
    Blocked(Vec<Blocked>),
    /// An input of a saved plan has changed.
    #[error("the saved plan no longer holds; nothing was done")]
    Stale(Vec<StaleInput>),
    /// Targets that are not addresses, each with the one that is likely meant.
    #[error("there is nothing at {}", .0.iter().map(|(wrong, _)| format!("`{wrong}`")).collect::<Vec<_>>().join(", "))]
    UnknownTargets(Vec<(String, Option<String>)>),
    /// What surrounds a cluster cannot be told.
    #[error("{message}")]
    Surroundings {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// The planner made a plan that cannot be: a defect of berth.
    #[error("berth made an unsound plan and will not apply it: {}", .0.join("; "))]
    Unsound(Vec<String>),
}

impl Error {
    pub(super) fn empty_ledger(session: &Session, owner: &Owner) -> Self {
        Error::EmptyLedger { place: session.engine.store.place(), owner: owner.to_string() }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Arm(error) => error.hint(),
            Error::Ledger(error) => Some(error.hint()),
            Error::OtherLedger { .. } => Some(
                "check `--ledger`, `-e`, the blueprint's name, the subscription and who is signed in; if the blueprint moved on \
                 purpose, `--move-ledger` takes this ledger over"
                    .to_owned(),
            ),
            Error::EmptyLedger { .. } => Some(
                "check `--ledger`, `-e` and the blueprint's name; if the ledger is lost, `berth apply` writes a new one and \
                 adopts what carries the blueprint's tag"
                    .to_owned(),
            ),
            Error::Strays { .. } => Some(
                "`berth apply` takes what the blueprint names back into the ledger, and what it does not name is deleted \
                 by hand; if that is another ledger's, check `--ledger` and `-e`"
                    .to_owned(),
            ),
            Error::Unreadable { help, .. } | Error::Surroundings { help, .. } => Some(help.clone()),
            Error::Unsound(_) => Some("please report this, with the plan".to_owned()),
            Error::Stale(_) => {
                Some("plan again with `berth plan --out`, and look at what has changed".to_owned())
            }
            Error::UnknownTargets(unknown) => Some(
                unknown
                    .iter()
                    .find_map(|(_, near)| near.as_ref().map(|near| format!("did you mean `{near}`?")))
                    .unwrap_or_else(|| "`berth plan` and `berth ledger show` list the addresses".to_owned()),
            ),
            Error::Blueprint(_) | Error::Blocked(_) => None,
        }
    }
}

fn listed(mismatches: &[Mismatch]) -> String {
    mismatches.iter().map(Mismatch::to_string).collect::<Vec<_>>().join("; ")
}

fn carrying(found: &[ArmId]) -> String {
    if found.len() == 1 {
        "1 resource carries".to_owned()
    } else {
        format!("{} resources carry", found.len())
    }
}

/// Some ids, a line each.
fn ids(found: &[ArmId]) -> String {
    const SHOWN: usize = 10;
    let mut lines: Vec<String> = found.iter().take(SHOWN).map(|id| format!("\n  {id}")).collect();
    if found.len() > SHOWN {
        lines.push(format!("\n  and {} more", found.len() - SHOWN));
    }
    lines.concat()
}
