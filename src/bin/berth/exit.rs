//! How berth ends: one list for every command.

use std::process::ExitCode;

/// The exit codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to change.
    Done = 0,
    /// Something went wrong; nothing, or nothing more, was done.
    Error = 1,
    /// Changes are planned, or drift was found.
    Changes = 2,
    /// Applied in part.
    Partial = 3,
    /// Blocked: by protection, a conflict, a policy, a stale plan or another run.
    Blocked = 4,
    /// The person asked to stop.
    Interrupted = 130,
}

/// For `--help`.
pub const HELP: &str = "\
Exit codes:
  0    done, or nothing to change
  1    error
  2    changes are planned, or drift was found
  3    applied in part
  4    blocked by protection, a conflict, a policy, a stale plan, or another run
  130  interrupted";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
