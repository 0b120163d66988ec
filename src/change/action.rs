//! What is done to a resource.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It does not exist and will.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted and created anew.
    Replace,
    /// It is deleted.
    Delete,
    /// A pending private-endpoint connection is approved.
    Approve,
    /// Pending private-endpoint connections that nobody named are rejected.
    Reject,
    /// It exists already and is taken into the ledger as it is.
    Adopt,
    /// A soft-deleted vault is brought back.
    Recover,
    /// A provider or preview feature is registered.
    Register,
    /// Fields that the blueprint dropped and that have no way back stay as they are, unmanaged from now on.
    Release,
    /// It is taken out of the ledger and left alone.
    Forget,
    /// Nothing.
    NoOp,
}

impl Action {
    /// The word for it in sentences and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Delete => "delete",
            Action::Approve => "approve",
            Action::Reject => "reject",
            Action::Adopt => "adopt",
            Action::Recover => "recover",
            Action::Register => "register",
            Action::Release => "release",
            Action::Forget => "forget",
            Action::NoOp => "no-op",
        }
    }
}

/// How a resource is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeleteMode {
    /// A DELETE of its own, unless its parent is deleted in the same run and takes it along.
    Own,
    /// A DELETE of its own, always, before what it hangs on (role assignments, endpoints).
    Always,
    /// ARM cannot delete it; it goes with its parent. Dropped from a blueprint it is only forgotten.
    WithParent,
    /// It is never removed (provider and feature registrations).
    Never,
}
