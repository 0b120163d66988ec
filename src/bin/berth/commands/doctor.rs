//! `berth doctor`

use super::{Loaded, load, of_blueprint, with_session};
use crate::cli::{Global, OutputFormat};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::blueprint::retirements;
use berth::change::Action;
use berth::host::{Clock, Timestamp};
use berth::ops::{self, Session};
use berth::plan::{Adoption, Conflict};
use berth::report::{human, json};
use serde_json::{Value, json};
use std::path::Path;

/// What is asked for.
pub struct Asked {
    /// How far to look ahead: a day.
    pub until: Option<String>,
    /// Whether Azure is left alone.
    pub offline: bool,
    /// How to show it.
    pub format: OutputFormat,
}

/// How far retirements are looked for when nothing else is asked for, in milliseconds.
const AHEAD: u64 = 90 * 24 * 3600 * 1000;

/// What is wrong with the set-up, besides retirements.
#[derive(Default)]
struct Found {
    /// Lines on what is well.
    well: Vec<String>,
    /// What is in the way of a run, and what may go wrong.
    conflicts: Vec<Conflict>,
    /// Why nothing more could be looked at.
    broken: bool,
}

/// Looks at a blueprint, and at what it needs to be applied.
pub fn run(global: &Global, terminal: &Terminal, path: &Path, asked: &Asked) -> Exit {
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    let until = asked.until.clone().unwrap_or_else(|| {
        let today = crate::runtime::real(async { Clock::start(1.0).now() });
        Timestamp(today.0 + AHEAD).to_string().chars().take(10).collect()
    });
    if asked.offline {
        return match load(global, terminal, path) {
            Ok(blueprint) => show(terminal, &blueprint, &until, Found::default(), asked.format),
            Err(exit) => exit,
        };
    }
    with_session(global, terminal, path, async |blueprint, session| {
        let found = look(terminal, blueprint, &session).await;
        drop(session);
        show(terminal, blueprint, &until, found, asked.format)
    })
}

/// Makes a plan and throws it away: what is in its way, or may go wrong, is what is wrong with the set-up.
async fn look(terminal: &Terminal, blueprint: &Loaded, session: &Session) -> Found {
    let mut found = Found::default();
    match ops::plan(session, &blueprint.desired, Adoption::Refused).await {
        Ok(planned) => {
            let plan = planned.plan;
            let header = plan.header.as_ref();
            if let Some(who) = header.and_then(|header| header.caller.as_ref()) {
                found.well.push(format!("Signed in     {who}"));
            }
            if let Some(header) = header {
                found.well.push(format!("Ledger        {}", header.ledger));
            }
            let registers = plan.changes().filter(|step| step.action == Action::Register).count();
            found.well.push(match registers {
                0 => "Registered    every provider and feature that the blueprint needs".to_owned(),
                more => format!("Registered    not yet: {more}, which `berth apply` registers"),
            });
            found.conflicts = plan.conflicts.into_iter().chain(plan.warnings).collect();
        }
        Err(error) => {
            super::report(terminal, &error);
            found.broken = true;
        }
    }
    found
}

fn show(terminal: &Terminal, blueprint: &Loaded, until: &str, found: Found, format: OutputFormat) -> Exit {
    let retiring = retirements(&blueprint.source, &blueprint.desired, until);
    let clean = retiring.is_empty() && found.conflicts.is_empty() && !found.broken;
    if format == OutputFormat::Json {
        let rows = retiring.iter().map(|one| {
            let place = one.span.as_ref().map(berth::diag::Place::from);
            json!({ "message": one.message, "help": one.help, "place": place })
        });
        let conflicts = found.conflicts.iter().map(
            |one| json!({ "address": one.address, "id": one.id, "message": one.message, "help": one.help }),
        );
        terminal.print(&json::to_text(&json!({
            "format": "berth-doctor",
            "version": 1,
            "until": until,
            "clean": clean,
            "retirements": rows.collect::<Vec<Value>>(),
            "problems": conflicts.collect::<Vec<Value>>(),
        })));
    } else {
        for line in &found.well {
            terminal.print(&format!("{}\n", berth::report::escape_lines(line)));
        }
        if !retiring.is_empty() {
            terminal.print(&human::diagnostics(&retiring, &terminal.out));
        }
        for one in &found.conflicts {
            let text = format!("{}: {}\n  help: {}", one.address, one.message, one.help);
            terminal.print(&format!("{}\n", berth::report::escape_lines(&text)));
        }
        if clean {
            let path = blueprint.source.file.name.as_str();
            let path = berth::report::escape_lines(path);
            terminal.print(&format!(
                "{path}: nothing is wrong, and Azure retires nothing in it until {until}.\n"
            ));
        }
    }
    match (clean, found.broken) {
        (true, _) => Exit::Done,
        (false, true) => Exit::Error,
        (false, false) => Exit::Changes,
    }
}
