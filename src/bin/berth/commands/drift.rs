//! `berth drift`

use super::{Ahead, close, leave, load, report};
use crate::cli::{Format, Global};
use crate::connect;
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::ops;
use berth::report::{html, human, json, markdown};
use std::path::Path;

/// Reports what somebody else changed.
pub fn run(global: &Global, terminal: &Terminal, path: &Path, format: Format) -> Exit {
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
        let exit = match ops::drift(&session, &blueprint.desired).await {
            Ok(drift) => {
                drop(session);
                terminal.print(&match format {
                    Format::Human => human::drift(&drift, &terminal.out),
                    Format::Json => json::to_text(&json::drift(&drift)),
                    Format::Markdown => markdown::drift(&drift),
                    Format::Html => html::drift(&drift),
                });
                if drift.drifted.is_empty() { Exit::Done } else { Exit::Changes }
            }
            Err(error) => report(terminal, &error),
        };
        leave(blueprint);
        close(terminal, connection, exit)
    })
}
