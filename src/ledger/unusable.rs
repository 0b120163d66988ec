//! Why a ledger or a record of its journal cannot be used.

use super::model::{HIGHEST_SERIAL, VERSION};
use crate::ident::ArmId;
use thiserror::Error;

/// Why a text cannot be read as a ledger, or a ledger not be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unusable {
    /// It is something else.
    #[error("it is not a ledger: {0}")]
    NotALedger(String),
    /// It is a ledger, and was changed or cut.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A newer berth wrote it.
    #[error("it has version {0} and this berth writes version {VERSION}: use the newer berth that wrote it")]
    Newer(u32),
    /// No berth wrote this version.
    #[error("version {0} was never written by any berth")]
    Unknown(u32),
    /// A later one was written meanwhile.
    #[error(
        "its serial would go back from {before} to {serial}: somebody wrote it while this run was at work"
    )]
    Backwards {
        /// The serial of what is there.
        before: u64,
        /// The serial of what was to be written.
        serial: u64,
    },
    /// It was written as often as its serial can count.
    #[error("its serial has reached {HIGHEST_SERIAL}, and none comes after it")]
    Exhausted,
}

/// Why an entry cannot be in a ledger: no berth writes it there. What it says follows the entry's name and "which".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Misfit {
    /// It is in a subscription that the ledger does not list.
    #[error("is in the subscription `{found}`, and the ledger is of `{own}`")]
    Subscription {
        /// The entry's.
        found: String,
        /// The ledger's.
        own: String,
    },
    /// Its address cannot be one.
    #[error("has the address `{}`, and that is not an address", .0.escape_debug())]
    Address(String),
    /// Its type contradicts its id.
    #[error("has the type `{}`, and its id is of another", .0.escape_debug())]
    Type(String),
    /// Its API version cannot be one.
    #[error("has the API version `{}`, and that is not one", .0.escape_debug())]
    ApiVersion(String),
}

/// Why a record of a journal cannot be of a ledger. What it says follows the record's place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Stray {
    /// It was written for another one.
    #[error("is of another ledger, one of `{}`", .0.escape_debug())]
    Other(String),
    /// It has an entry that does not fit.
    #[error("names {id}, which {why}")]
    Entry {
        /// The resource.
        id: ArmId,
        /// What is wrong with it.
        why: Misfit,
    },
}
