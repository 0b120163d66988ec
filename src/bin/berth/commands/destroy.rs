//! `berth destroy`

use super::{apply, close, report};
use crate::cli::Global;
use crate::connect;
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::approve::Allowances;
use berth::ops::{self, Planned};
use std::path::Path;

/// What the person asked for.
pub struct Wish {
    /// Do not ask.
    pub auto_approve: bool,
    /// May be deleted although protected.
    pub allow_delete: Vec<String>,
    /// Only these addresses.
    pub target: Vec<String>,
}

/// Deletes everything that the blueprint owns. What that is the ledger says: the blueprint may have mistakes, or be
/// gone, as long as somebody knows its name.
pub fn run(
    global: &Global,
    terminal: &Terminal,
    path: Option<&Path>,
    name: Option<String>,
    wish: Wish,
) -> Exit {
    let name = match (name, path) {
        (Some(name), _) => name,
        (None, Some(path)) => match named(path) {
            Ok(name) => name,
            Err(message) => return terminal.fail(&message),
        },
        (None, None) => return terminal.fail("no blueprint\nhelp: name its file, or give `--name NAME`"),
    };
    connect::run(global, async {
        let inputs = match settings::inputs(global) {
            Ok(inputs) => inputs,
            Err(message) => return terminal.fail(&message),
        };
        let connection = match connect::connect(global, &inputs).await {
            Ok(connection) => connection,
            Err(message) => return terminal.fail(&message),
        };
        let listener = connection.listener(global, terminal);
        let mut session = match connection.session(global, &name, listener) {
            Ok(session) => session,
            Err(error) => return report(terminal, &error.into()),
        };
        session.targets = wish.target;
        let allowances = Allowances { replace: Vec::new(), delete: wish.allow_delete };
        let mut refused = None;
        let agree = |planned: &Planned, allowed: bool| {
            let (auto_approve, question) = (wish.auto_approve, "Delete all of this?");
            let asking = apply::Asking { allowed, auto_approve, question };
            apply::agree(terminal, None, planned, &asking, None, &mut refused)
        };
        let exit = match ops::destroy(&session, &name, &allowances, agree).await {
            Ok(Some(applied)) => apply::finish(terminal, &applied),
            Ok(None) => refused.unwrap_or(Exit::Error),
            Err(error) => report(terminal, &error),
        };
        drop(session);
        close(terminal, connection, exit)
    })
}

/// The name that a blueprint gives itself, whatever else is wrong with it.
fn named(path: &Path) -> Result<String, String> {
    let help = "help: `berth destroy --name NAME` needs no blueprint; NAME is what it called itself";
    let bytes = settings::read(path).map_err(|message| format!("{message}\n{help}"))?;
    ops::blueprint_name(&bytes).ok_or_else(|| {
        format!("{}: no line `blueprint: NAME` tells whose ledger this is about\n{help}", path.display())
    })
}
