//! Dying on purpose, for tests: the process ends at a chosen one of the moments at which dying is most awkward.
//!
//! Those moments are around every write of the ledger and its journal, and in the middle of a record. A process that
//! nobody armed goes through them at the price of reading one number.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many moments are left, the last of them the one to die at; nobody is armed at zero.
static LEFT: AtomicU64 = AtomicU64::new(0);

/// From now on the process dies at the moment with this number, counted from one; at none with zero.
pub fn arm(at: u64) {
    LEFT.store(at, Ordering::Relaxed);
}

/// Whether somebody armed this process and it has not died yet.
pub fn armed() -> bool {
    LEFT.load(Ordering::Relaxed) > 0
}

/// One of the moments. The process ends as if it was killed: nothing is dropped, flushed or unlocked.
pub fn moment() {
    if armed() && LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
        std::process::abort();
    }
}
