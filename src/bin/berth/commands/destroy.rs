//! `berth destroy`

use super::{apply, report, with_session};
use crate::cli::Global;
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::approve::Allowances;
use berth::ops::{self, Planned};
use std::path::Path;

/// Deletes everything that the blueprint owns.
pub fn run(
    global: &Global,
    terminal: &Terminal,
    path: &Path,
    auto_approve: bool,
    allow_delete: Vec<String>,
) -> Exit {
    with_session(global, terminal, path, async |blueprint, session| {
        let allowances = Allowances { replace: Vec::new(), delete: allow_delete };
        let mut refused = None;
        let agree = |planned: &Planned, allowed: bool| {
            let asking = apply::Asking { allowed, auto_approve, question: "Delete all of this?" };
            apply::agree(terminal, blueprint, planned, &asking, None, &mut refused)
        };
        match ops::destroy(&session, &blueprint.desired.blueprint, &allowances, agree).await {
            Ok(Some(applied)) => {
                drop(session);
                apply::finish(terminal, &applied)
            }
            Ok(None) => refused.unwrap_or(Exit::Error),
            Err(error) => report(terminal, &error),
        }
    })
}
