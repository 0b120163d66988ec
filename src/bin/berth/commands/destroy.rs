//! `berth destroy`

use super::{Ahead, apply, close, load, report};
use crate::cli::Global;
use crate::connect;
use crate::exit::Exit;
use crate::settings;
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
    let ahead = Ahead::read(path);
    connect::run(global, async {
        let inputs = match settings::inputs(global) {
            Ok(inputs) => inputs,
            Err(message) => return terminal.fail(&message),
        };
        let connection = match connect::connect(global, &inputs).await {
            Ok(connection) => connection,
            Err(message) => return terminal.fail(&message),
        };
        let blueprint = match load(global, terminal, ahead, Some(&connection), |_| {}) {
            Ok(blueprint) => blueprint,
            Err(exit) => return exit,
        };
        let name = &blueprint.desired.blueprint;
        let session = connection.session(global, name, connection.listener(global, terminal));
        let allowances = Allowances { replace: Vec::new(), delete: allow_delete };
        let mut refused = None;
        let agree = |planned: &Planned| {
            apply::agree(terminal, planned, auto_approve, "Delete all of this?", &mut refused)
        };
        let exit = match ops::destroy(&session, name, &allowances, agree).await {
            Ok(Some(applied)) => {
                drop(session);
                apply::finish(terminal, &applied)
            }
            Ok(None) => refused.unwrap_or(Exit::Error),
            Err(error) => report(terminal, &error),
        };
        close(terminal, connection, exit)
    })
}
