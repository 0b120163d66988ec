//! `berth validate`

use super::{Ahead, leave, load};
use crate::cli::Global;
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::blueprint::Missing;
use std::path::Path;

/// Checks a blueprint without asking Azure anything.
pub fn run(global: &Global, terminal: &Terminal, path: &Path) -> Exit {
    match load(global, terminal, Ahead::read(path), None, |inputs| inputs.missing = Missing::MakeUp) {
        Ok(blueprint) => {
            let count = blueprint.desired.resources.len();
            terminal.print(&format!("{} is valid: {count} resources.\n", path.display()));
            leave(blueprint);
            Exit::Done
        }
        Err(exit) => exit,
    }
}
