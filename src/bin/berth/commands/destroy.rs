//! `berth destroy`

use super::{Whose, apply, report, session, with_connection};
use crate::cli::{DestroyArgs, Global, OutputFormat};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::approve::Allowances;
use berth::ops::{self, Planned};

/// Deletes everything that the blueprint owns. What that is the ledger says: the blueprint may have mistakes, or be
/// gone, as long as somebody knows its name. What a blueprint that is there only reads stays, with what that needs.
pub fn run(global: &Global, terminal: &Terminal, args: DestroyArgs) -> Exit {
    let whose = match Whose::read(global, terminal, args.owner) {
        Ok(whose) => whose,
        Err(exit) => return exit,
    };
    let (global, name) = (&whose.global, &whose.owner.blueprint);
    let subscription = whose.subscription();
    with_connection(global, terminal, async |connection, inputs| {
        let existing = whose.existing(terminal, &inputs)?;
        let mut session = session(global, terminal, connection, &whose.owner)?;
        session.estate.subscription = subscription;
        args.extent.limit(&mut session);
        let allowances = Allowances { replace: Vec::new(), delete: args.allow_delete };
        let mut refused = None;
        let agree = |planned: &Planned, allowed: bool| {
            let (auto_approve, question) = (args.auto_approve, "Delete all of this");
            let asking = apply::Asking { allowed, auto_approve, question, format: OutputFormat::Human };
            apply::agree(terminal, None, planned, &asking, None, &mut refused)
        };
        Ok(match ops::destroy(&session, name, &existing, &allowances, agree).await {
            Ok(Some(applied)) => {
                let ending = apply::Ending { format: OutputFormat::Human, secret_outputs: false, files: &[] };
                apply::finish(terminal, applied, None, &ending)
            }
            Ok(None) => refused.unwrap_or(Exit::Error),
            Err(error) => report(terminal, &error),
        })
    })
}
