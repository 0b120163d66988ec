//! `berth ledger`

use super::{Ahead, load};
use crate::cli::{Global, LedgerCommand, OutputFormat};
use crate::connect;
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::blueprint::Missing;
use berth::ledger::store::{FileStore, Store};
use std::path::PathBuf;

/// Looks at a ledger.
pub fn run(global: &Global, terminal: &Terminal, command: LedgerCommand) -> Exit {
    let LedgerCommand::Show { blueprint: path, format } = command;
    connect::run(global, async {
        let blueprint =
            match load(global, terminal, Ahead::read(&path), None, |inputs| inputs.missing = Missing::MakeUp)
            {
                Ok(blueprint) => blueprint,
                Err(exit) => return exit,
            };
        let store = store(global, &blueprint.desired.blueprint);
        let loaded = match store.load().await {
            Ok(loaded) => loaded,
            Err(error) => return terminal.fail(&connect::with_hint(&error, Some(error.hint()))),
        };
        let Some(ledger) = loaded.ledger else {
            terminal.say(&format!("There is no ledger at {} yet.", store.place()));
            return Exit::Done;
        };
        match format {
            OutputFormat::Json => match serde_json::to_value(&ledger) {
                Ok(value) => terminal.print(&berth::report::json::to_text(&value)),
                Err(error) => return terminal.fail(&error.to_string()),
            },
            OutputFormat::Human => {
                let mut text = format!("{} owns {} resources:\n", ledger.blueprint, ledger.resources.len());
                for (id, owned) in &ledger.resources {
                    text.push_str(&format!("  {}\n    {id}\n", owned.address));
                }
                for step in &loaded.in_flight {
                    text.push_str(&format!(
                        "under way when a run died: {} {}\n",
                        step.action.word(),
                        step.address
                    ));
                }
                terminal.print(&text);
            }
        }
        Exit::Done
    })
}

/// Where the ledger of a blueprint is.
pub fn store(global: &Global, blueprint: &str) -> FileStore {
    match &global.sim {
        Some(path) => FileStore::new(&PathBuf::from(format!("{}.ledgers", path.display())), blueprint),
        None => FileStore::new(&global.ledger, blueprint),
    }
}
