//! `berth approve`

use super::{PendingSource, report, session, with_connection};
use crate::cli::{ApproveCommand, Connections, Global, OutputFormat};
use crate::connect::with_hint;
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::ops::{self, Approvals, Session};
use berth::private_link::{Connection, Found, Verdict};
use berth::report::{human, json};
use berth::state::Desired;

/// Looks after private endpoint connections.
pub fn run(global: &Global, terminal: &Terminal, command: ApproveCommand) -> Exit {
    let connections = match &command {
        ApproveCommand::List { connections, .. } | ApproveCommand::Run { connections, .. } => connections,
    };
    with_found(global, terminal, connections, async |work| match &command {
        ApproveCommand::List { format, .. } => list(terminal, &work, *format),
        ApproveCommand::Run { description, auto_approve, .. } => {
            approve(terminal, &work, description, *auto_approve).await
        }
    })
}

/// What was asked for, and what was found.
struct Work<'a> {
    session: Session,
    desired: Option<&'a Desired>,
    approvals: Approvals,
    found: Vec<Found>,
    version: Option<&'a str>,
}

impl Work<'_> {
    /// The connections of which the rules say this, each with its target.
    fn with(&self, verdict: Verdict) -> Vec<(&Found, &Connection)> {
        let all = self.found.iter().flat_map(|found| found.connections.iter().map(move |c| (found, c)));
        all.filter(|(found, c)| self.approvals.rules.verdict(&found.target, c) == verdict).collect()
    }
}

/// Connects, reads the blueprint if there is one, and the connections of the targets.
fn with_found(
    global: &Global,
    terminal: &Terminal,
    wanted: &Connections,
    act: impl AsyncFnOnce(Work<'_>) -> Exit,
) -> Exit {
    let ahead = wanted.blueprint.as_deref().map(PendingSource::read);
    with_connection(global, terminal, async |connection, inputs| {
        let blueprint = ahead.map(|ahead| ahead.load(terminal, inputs, |_, _| Ok(()))).transpose()?;
        let desired = blueprint.as_ref().map(|blueprint| &blueprint.desired);
        let read = Approvals::read(desired, &wanted.targets, &wanted.endpoint_ids, &wanted.ids);
        let approvals = read.map_err(|message| terminal.fail(&message))?;
        // No ledger is read or written: connections that are approved here are nobody's possession.
        let name = desired.map_or("approve", |desired| desired.blueprint.as_str());
        let session = session(global, terminal, connection, name)?;
        let version = wanted.api_version.as_deref();
        Ok(match ops::connections(&session, desired, &approvals.targets, version).await {
            Ok(found) => act(Work { session, desired, approvals, found, version }).await,
            Err(error) => report(terminal, &error),
        })
    })
}

fn list(terminal: &Terminal, work: &Work<'_>, format: OutputFormat) -> Exit {
    terminal.print(&match format {
        OutputFormat::Human => human::connections(&work.found, &work.approvals.rules, &terminal.out),
        OutputFormat::Json => json::to_text(&json::connections(&work.found, &work.approvals.rules)),
    });
    if work.with(Verdict::Approve).is_empty() { Exit::Done } else { Exit::Changes }
}

async fn approve(terminal: &Terminal, work: &Work<'_>, description: &str, auto_approve: bool) -> Exit {
    let unmatched: Vec<_> = work.approvals.unmatched(&work.found).map(|id| format!("\n  {id}")).collect();
    if !unmatched.is_empty() {
        return terminal.fail(&format!(
            "there is no connection of this id, or from this endpoint; nothing was done{}\n\
             help: `berth approve list TARGET` shows the connections that there are",
            unmatched.concat()
        ));
    }
    let wanted = work.with(Verdict::Approve);
    if !wanted.is_empty() {
        terminal.print(&human::connections(&work.found, &work.approvals.rules, &terminal.out));
        if !auto_approve {
            if !terminal.interactive {
                return terminal.fail(
                    "nobody can be asked, as there is no terminal; nothing was done\n\
                     help: look at what `berth approve list` shows, then pass `--auto-approve`",
                );
            }
            if !terminal.ask("Approve what the rules name?") {
                terminal.say("Nothing was done.");
                return Exit::Error;
            }
        }
    }
    let mut done = 0;
    let mut failed = 0;
    for (found, connection) in wanted {
        let approved = ops::approve_connection(
            &work.session,
            work.desired,
            &found.target,
            connection,
            description,
            work.version,
        );
        match approved.await {
            Ok(()) => {
                done += 1;
                terminal.print(&format!("Approved {}\n", connection.id));
            }
            Err(failure) => {
                failed += 1;
                let message = format!("{}: {}", connection.id, failure.message);
                terminal.fail(&with_hint(&message, failure.help));
            }
        }
    }
    let refused = work.with(Verdict::Refused);
    for (_, connection) in &refused {
        let help = match connection.status.as_str() {
            "Rejected" => "who owns the target rejected it; `--id` with its id approves it all the same",
            _ => "its endpoint is gone: remove the connection, and make the endpoint anew",
        };
        let status = connection.status.to_lowercase();
        terminal.fail(&format!("{} is {status} and stays so\nhelp: {help}", connection.id));
    }
    match (done, failed, refused.len()) {
        (0, 0, 0) => {
            terminal.print("Nothing to approve.\n");
            Exit::Done
        }
        (_, 0, 0) => Exit::Done,
        (0, 0, _) => Exit::Blocked,
        (0, ..) => Exit::Error,
        _ => Exit::Partial,
    }
}
