//! `berth plan`

use super::{leave, report, with_session};
use crate::cli::{Format, Global};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::ops::{self, Planned};
use berth::plan::Adoption;
use berth::report::{html, human, json, markdown};
use std::path::Path;

/// Shows what would be done.
pub fn run(
    global: &Global,
    terminal: &Terminal,
    path: &Path,
    format: Format,
    adopt: bool,
    target: Vec<String>,
) -> Exit {
    with_session(global, terminal, path, async |blueprint, mut session| {
        session.targets = target;
        let adoption = adoption(adopt);
        match ops::plan(&session, &blueprint.desired, adoption).await {
            Ok(planned) => {
                drop(session);
                show(terminal, &planned, format);
                let nothing = planned.plan.is_empty() && planned.plan.conflicts.is_empty();
                leave(planned);
                if nothing { Exit::Done } else { Exit::Changes }
            }
            Err(error) => report(terminal, &error),
        }
    })
}

/// What `--adopt` says.
pub fn adoption(adopt: bool) -> Adoption {
    if adopt { Adoption::Allowed } else { Adoption::Refused }
}

/// Shows a plan, what is in its way, and what an earlier run left.
pub fn show(terminal: &Terminal, planned: &Planned, format: Format) {
    let plan = &planned.plan;
    terminal.print(&match format {
        Format::Human => human::plan(plan, &terminal.out),
        Format::Json => json::to_text(&json::plan(plan)),
        Format::Markdown => markdown::plan(plan),
        Format::Html => html::plan(plan),
    });
    for step in &planned.in_flight {
        let (action, address) = (step.action.word(), &step.address);
        terminal
            .say(&format!("note: an earlier run began to {action} {address}; `berth apply` goes on with it"));
    }
}
