//! berth on the command line: reads arguments, wires the library together, shows what comes back.

mod cli;
mod commands;
mod connect;
mod exit;
mod runtime;
mod settings;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    settings::log(cli.global.verbose);
    commands::run(cli).into()
}
