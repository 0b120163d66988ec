//! `berth console`

use super::{leave, load, of_blueprint};
use crate::cli::Global;
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::ops;
use serde_json::Value;
use std::io::BufRead;
use std::path::Path;

/// Reads expressions, a line each, and prints what they are worth.
pub fn run(global: &Global, terminal: &Terminal, path: &Path) -> Exit {
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    let blueprint = match load(global, terminal, path) {
        Ok(blueprint) => blueprint,
        Err(exit) => return exit,
    };
    if terminal.interactive {
        terminal.say("Write an expression, such as `azure.location` or `uniqueString(azure.resourceGroup)`; end with Ctrl-D.");
    }
    let mut ended = Exit::Done;
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match ops::evaluate(&blueprint.source, &blueprint.inputs, line) {
            Ok(Value::String(text)) => terminal.print(&format!("{text}\n")),
            Ok(value) => terminal.print(&berth::report::json::to_text(&value)),
            Err(failure) => ended = terminal.fail(&failure),
        }
    }
    leave(blueprint);
    ended
}
