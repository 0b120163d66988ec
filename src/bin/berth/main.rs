//! berth on the command line: reads arguments, wires the library together, shows what comes back.

mod ci;
mod cli;
mod commands;
mod connect;
mod exit;
mod runtime;
mod settings;
mod terminal;
#[cfg(feature = "otlp")]
mod traces;

use std::process::ExitCode;

/// Planning allocates much and frees little; this allocator is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    terminal::guard_panics();
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = !error.use_stderr();
            // A closed stdout is ignored: `berth --help | head` must not fail.
            terminal::print_usage(&error);
            // Two means "changes are planned": a wrong word on the command line is an error like others.
            return terminal::written(if asked { exit::Exit::Done } else { exit::Exit::Error }).into();
        }
    };
    settings::learn_environment();
    settings::log(cli.global.verbose, terminal::Terminal::new(&cli.global).err.color);
    settings::crash();
    commands::run(cli).into()
}
