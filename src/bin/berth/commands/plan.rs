//! `berth plan`

use super::{Ahead, close, leave, load, report};
use crate::cli::{Format, Global};
use crate::connect;
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::ops::{self, Planned};
use berth::plan::Adoption;
use berth::report::{html, human, json, markdown};
use std::path::Path;

/// Shows what would be done.
pub fn run(global: &Global, terminal: &Terminal, path: &Path, format: Format, adopt: bool) -> Exit {
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
        let listener = connection.listener(global, terminal);
        let session = connection.session(global, &blueprint.desired.blueprint, listener);
        let adoption = adoption(adopt);
        let exit = match ops::plan(&session, &blueprint.desired, adoption).await {
            Ok(planned) => {
                drop(session);
                show(terminal, &planned, format);
                let nothing = planned.plan.is_empty() && planned.plan.conflicts.is_empty();
                leave(planned);
                if nothing { Exit::Done } else { Exit::Changes }
            }
            Err(error) => report(terminal, &error),
        };
        leave(blueprint);
        close(terminal, connection, exit)
    })
}

/// What `--adopt` says.
pub fn adoption(adopt: bool) -> Adoption {
    if adopt { Adoption::Allowed } else { Adoption::Refused }
}

/// Shows a plan, what is in its way, and what an earlier run left.
pub fn show(terminal: &Terminal, planned: &Planned, format: Format) {
    let plan = &planned.plan;
    terminal.print(&match format {
        Format::Human => human::plan(plan, &terminal.out),
        Format::Json => json::to_text(&json::plan(plan)),
        Format::Markdown => markdown::plan(plan),
        Format::Html => html::plan(plan),
    });
    for step in &planned.in_flight {
        let (action, address) = (step.action.word(), &step.address);
        terminal
            .say(&format!("note: an earlier run began to {action} {address}; `berth apply` goes on with it"));
    }
}
