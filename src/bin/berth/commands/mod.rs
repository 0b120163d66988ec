//! One file a command; what they share.

mod apply;
mod destroy;
mod drift;
mod graph;
mod ledger;
mod output;
mod plan;
mod sim;
mod validate;

use crate::cli::{Cli, Command, Global};
use crate::connect::{self, Connection, with_hint};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::blueprint::{Blueprint, Inputs, Source};
use berth::ops::{self, Session};
use berth::report::human;
use clap::CommandFactory;
use std::path::Path;

/// Carries out a command.
pub fn run(cli: Cli) -> Exit {
    let Cli { command, global } = cli;
    let terminal = Terminal::new(&global);
    match command {
        Command::Validate { blueprint } => validate::run(&global, &terminal, &blueprint),
        Command::Graph { blueprint, format } => graph::run(&global, &terminal, &blueprint, format),
        Command::Plan { blueprint, format, adopt } => {
            plan::run(&global, &terminal, &blueprint, format, adopt)
        }
        Command::Apply { blueprint, auto_approve, adopt, allow_replace, allow_delete } => {
            let wish = apply::Wish { auto_approve, adopt, allow_replace, allow_delete };
            apply::run(&global, &terminal, &blueprint, wish)
        }
        Command::Destroy { blueprint, auto_approve, allow_delete } => {
            destroy::run(&global, &terminal, &blueprint, auto_approve, allow_delete)
        }
        Command::Drift { blueprint, format } => drift::run(&global, &terminal, &blueprint, format),
        Command::Output { blueprint, name, format } => {
            output::run(&global, &terminal, &blueprint, name.as_deref(), format)
        }
        Command::Ledger { command } => ledger::run(&global, &terminal, command),
        Command::Sim { command } => sim::run(&terminal, command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "berth", &mut script);
            terminal.print(&String::from_utf8_lossy(&script));
            Exit::Done
        }
    }
}

/// A blueprint whose text is read while something else, such as connecting, goes on.
struct Ahead(std::thread::JoinHandle<Result<Result<Source, ops::Error>, String>>);

impl Ahead {
    fn read(path: &Path) -> Self {
        let path = path.to_owned();
        Ahead(std::thread::spawn(move || {
            let bytes = settings::read(&path)?;
            Ok(ops::parse(&path.display().to_string(), &bytes))
        }))
    }
}

/// Connects, reads the blueprint, and does what a command does with the two.
fn with_session(
    global: &Global,
    terminal: &Terminal,
    path: &Path,
    act: impl AsyncFnOnce(&Blueprint, Session) -> Exit,
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
        let listener = connection.listener(global, terminal);
        let session = match connection.session(global, &blueprint.desired.blueprint, listener) {
            Ok(session) => session,
            Err(error) => return report(terminal, &error.into()),
        };
        let exit = act(&blueprint, session).await;
        leave(blueprint);
        close(terminal, connection, exit)
    })
}

/// Reads a blueprint for a connection; shows its warnings, or everything that is wrong with it.
fn load(
    global: &Global,
    terminal: &Terminal,
    blueprint: Ahead,
    connection: Option<&Connection>,
    prepare: impl FnOnce(&mut Inputs),
) -> Result<Blueprint, Exit> {
    let mut inputs = settings::inputs(global).map_err(|message| terminal.fail(&message))?;
    if let Some(connection) = connection {
        connection.fill(&mut inputs);
    }
    prepare(&mut inputs);
    let source = blueprint.0.join().expect("reading a text does not panic");
    let source = source.map_err(|message| terminal.fail(&message))?;
    match source.and_then(|source| ops::validate_source(&source, &inputs)) {
        Ok(blueprint) => {
            if !blueprint.warnings.is_empty() {
                terminal.say(human::diagnostics(&blueprint.warnings, &terminal.err).trim_end());
            }
            Ok(blueprint)
        }
        Err(error) => Err(report(terminal, &error)),
    }
}

/// Shows why a use case could not be carried out.
fn report(terminal: &Terminal, error: &ops::Error) -> Exit {
    match error {
        ops::Error::Blueprint(problems) => {
            let text = human::diagnostics(problems, &terminal.err);
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
            Exit::Error
        }
        ops::Error::Blocked(blocked) => {
            let mut message = String::from("the plan may not be applied as it is; nothing was done");
            for block in blocked {
                message
                    .push_str(&format!("\n  {}: {}\n    help: {}", block.address, block.message, block.help));
            }
            terminal.fail(&message);
            Exit::Blocked
        }
        ops::Error::Ledger(inner) => {
            terminal.fail(&with_hint(error, error.hint()));
            match inner.kind {
                berth::ledger::store::ErrorKind::Locked(_) => Exit::Blocked,
                _ => Exit::Error,
            }
        }
        _ => terminal.fail(&with_hint(error, error.hint())),
    }
}

/// Leaves a value to the end of the process, which is near: the system takes memory back at once, not piece by piece.
fn leave<T>(value: T) {
    std::mem::forget(value);
}

/// Ends a command that used a connection: what the simulator holds is written down.
fn close(terminal: &Terminal, connection: Connection, exit: Exit) -> Exit {
    match connection.close() {
        Ok(()) => {
            leave(connection);
            exit
        }
        Err(message) => terminal.fail(&message),
    }
}
