//! Every diagnostic that a blueprint can cause: what the rooms that raise them say, in one list.

use crate::diag::Code;
use crate::{blueprint, catalog};

/// Every code, by name.
pub fn codes() -> Vec<&'static Code> {
    let mut all: Vec<&Code> = blueprint::codes().chain(catalog::codes()).collect();
    all.sort_by_key(|code| code.name);
    all
}

/// The code of this name.
pub fn code(name: &str) -> Option<&'static Code> {
    codes().into_iter().find(|code| code.name == name)
}
