//! `berth fmt`

use crate::exit::Exit;
use crate::settings;
use crate::terminal::{Terminal, unwritable};
use berth::blueprint::{Unlaid, layout};
use berth::diag::Failure;
use berth::report::human;
use std::path::{Path, PathBuf};

/// What became of a file.
enum Laid {
    As(String),
    AsBefore,
}

/// Gives files the layout that blueprints have, or says which of them have another.
pub fn run(terminal: &Terminal, paths: &[PathBuf], check: bool) -> Exit {
    let (mut failed, mut others) = (false, 0);
    for path in paths {
        match one(terminal, path) {
            Err(Exit::Done) | Ok(Laid::AsBefore) => {}
            Err(_) => failed = true,
            Ok(Laid::As(text)) => {
                let is_stdin = path.as_os_str() == "-";
                others += 1;
                if check {
                    terminal.print(&format!("{}\n", path.display()));
                } else if is_stdin {
                    terminal.print_own(&text);
                } else if let Err(error) = berth::host::files::write_output(path, text.as_bytes()) {
                    terminal.fail(&unwritable(path, &error, "the file"));
                    failed = true;
                } else {
                    terminal.say(&format!("laid out {}", path.display()));
                }
            }
        }
    }
    if check && others > 0 {
        let files = if others == 1 { "1 file has".to_owned() } else { format!("{others} files have") };
        terminal.say(&format!("{files} another layout: run `berth fmt` with the same files"));
    }
    match (failed, check && others > 0) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Done,
    }
}

fn one(terminal: &Terminal, path: &Path) -> Result<Laid, Exit> {
    let bytes = settings::read(path).map_err(|failure| terminal.fail(&failure))?;
    let text = String::from_utf8_lossy(&bytes);
    match layout(&path.display().to_string(), &text) {
        Ok(laid) if laid.as_bytes() == bytes && path.as_os_str() != "-" => Ok(Laid::AsBefore),
        Ok(laid) => Ok(Laid::As(laid)),
        Err(Unlaid::Unreadable(problem)) => {
            terminal.tell(&human::diagnostics(&(*problem).into(), &terminal.err));
            Err(Exit::Error)
        }
        Err(Unlaid::Unsafe) => Err(terminal.fail(&Failure::new(
            format!("{}: a layout could change what this file says", path.display()),
            "lay it out by hand: it uses a form of YAML such as `? key`, an indentation after `|`, or a lone bracket in a text",
        ))),
    }
}
