//! `berth output`

use super::{Whose, report};
use crate::cli::{Global, OutputFormat, Owner};
use crate::connect;
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::blueprint::Missing;
use berth::diag::Failure;
use berth::ops;
use serde_json::Value;
use std::path::Path;

/// Shows the outputs of the last apply, from the ledger.
pub fn run(
    global: &Global,
    terminal: &Terminal,
    path: &Path,
    name: Option<&str>,
    format: OutputFormat,
) -> Exit {
    let owner = Owner { blueprint: Some(path.to_owned()), name: None };
    let whose = match Whose::read(global, terminal, owner) {
        Ok(whose) => whose,
        Err(exit) => return exit,
    };
    let global = &whose.global;
    connect::run(global, async {
        let store = match connect::ledger(global, &whose.owner) {
            Ok(store) => store,
            Err(failure) => return terminal.fail(&failure),
        };
        let outputs = match store.load().await {
            Ok(loaded) => match loaded.ledger {
                Some(ledger) => {
                    if let Err(error) = whose.expect(&ledger, &store.place()) {
                        return report(terminal, &error);
                    }
                    let is_empty = ledger.resources.is_empty() && loaded.in_flight.is_empty();
                    if is_empty
                        && whose.desired(Missing::MakeUp).is_none_or(|all| !all.desired.resources.is_empty())
                    {
                        let (place, owner) = (store.place(), whose.owner.to_string());
                        return report(terminal, &ops::Error::EmptyLedger { place, owner });
                    }
                    ledger.outputs
                }
                None => {
                    return terminal.fail(&Failure::new(
                        format!("no outputs: the ledger {} does not exist", store.place()),
                        "check `--ledger`, `-e` and the blueprint's name; `berth apply` writes the outputs",
                    ));
                }
            },
            Err(error) => return terminal.fail(&Failure::of(&error, Some(error.hint()))),
        };
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match (name, format) {
            (Some(name), _) => match outputs.get(name) {
                Some(value) if format == OutputFormat::Json => {
                    terminal.print(&berth::report::json::to_line(value))
                }
                Some(value) => terminal.print(&format!("{}\n", plain(value))),
                None => {
                    let known: Vec<&str> = outputs.keys().map(String::as_str).collect();
                    let help = match known.is_empty() {
                        true => "`berth apply` makes the outputs; secret ones are never kept".to_owned(),
                        false => format!("there are: {}", known.join(", ")),
                    };
                    return terminal.fail(&Failure::new(format!("there is no output `{name}`"), help));
                }
            },
            (None, OutputFormat::Json) => {
                let all = Value::Object(outputs.into_iter().collect());
                terminal.print(&berth::report::json::to_text(&all));
            }
            (None, OutputFormat::Human) => {
                for (name, value) in &outputs {
                    terminal.print(&format!("{name} = {}\n", plain(value)));
                }
            }
        }
        Exit::Done
    })
}
