//! `berth drift`

use super::{report, with_session};
use crate::cli::{Format, Global};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::ops;
use berth::report::{html, human, json, markdown};
use std::path::Path;

/// Reports what somebody else changed.
pub fn run(global: &Global, terminal: &Terminal, path: &Path, format: Format) -> Exit {
    with_session(global, terminal, path, async |blueprint, session| {
        match ops::drift(&session, &blueprint.desired).await {
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
        }
    })
}
