//! `berth approve`

use super::{PendingSource, of_blueprint, report, session, with_connection};
use crate::cli::{ApproveCommand, Connections, Deciding, Global, OutputFormat};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::diag::Failure;
use berth::ident;
use berth::ops::{self, Approvals, Session, Verb, Wishes};
use berth::private_link::{Connection, Found, Verdict, Who, judge};
use berth::report::{human, json};
use berth::state::Desired;
use std::borrow::Cow;
use std::time::Duration;

/// Looks after private endpoint connections.
pub fn run(global: &Global, terminal: &Terminal, command: ApproveCommand) -> Exit {
    let (deciding, verb, description) = match &command {
        ApproveCommand::List { connections } => {
            return with_found(global, terminal, connections, async |work| {
                list(terminal, &work, connections.format)
            });
        }
        ApproveCommand::Run { deciding, description } => (deciding, Verb::Approve, description.as_str()),
        ApproveCommand::Reject { deciding, description } => (deciding, Verb::Reject, description.as_str()),
        ApproveCommand::Remove { deciding } => (deciding, Verb::Remove, ""),
    };
    with_found(global, terminal, &deciding.connections, async |work| {
        decide(terminal, &work, verb, deciding, description).await
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
    /// Every connection with its target, and what the rules say of it.
    fn judged(&self) -> Vec<(&Found, &Connection, Verdict)> {
        let of = |found| judged(&self.approvals, found);
        self.found.iter().flat_map(of).collect()
    }

    /// Whether the rules name a connection by its own id.
    fn by_id(&self, connection: &Connection) -> bool {
        let named = |who: &Who| matches!(who, Who::Connection(id) if *id == connection.id);
        self.approvals.rules.iter().flat_map(|rule| &rule.who).any(named)
    }

    /// What a command does to a connection, if anything.
    fn is_for(&self, verb: Verb, connection: &Connection, verdict: Verdict) -> bool {
        match verb {
            Verb::Approve => verdict == Verdict::Approve,
            Verb::Reject if self.by_id(connection) => {
                !matches!(connection.status.as_str(), "Rejected" | "Disconnected")
            }
            Verb::Reject => verdict == Verdict::Approve && connection.status == "Pending",
            Verb::Remove => self.by_id(connection),
        }
    }

    /// How many connections wait, whosever they are, besides these.
    fn pending(&self, besides: &[&Connection]) -> usize {
        let all = self.found.iter().flat_map(|found| &found.connections);
        all.filter(|c| c.waits() && !besides.iter().any(|done| done.id == c.id)).count()
    }
}

fn judged<'f>(approvals: &Approvals, found: &'f Found) -> Vec<(&'f Found, &'f Connection, Verdict)> {
    let verdicts = judge(&found.target, &approvals.rules, &found.connections);
    found.connections.iter().zip(verdicts).map(|(connection, verdict)| (found, connection, verdict)).collect()
}

/// Connects, reads the blueprint if there is one, and the connections of the targets.
fn with_found(
    global: &Global,
    terminal: &Terminal,
    wanted: &Connections,
    act: impl AsyncFnOnce(Work<'_>) -> Exit,
) -> Exit {
    let global = &match (&wanted.blueprint, &global.environment) {
        (Some(path), _) => match of_blueprint(global, terminal, path) {
            Ok(global) => global,
            Err(exit) => return exit,
        },
        (None, None) => global.clone(),
        (None, Some(_)) => {
            return terminal.fail(&Failure::new(
                "`--environment` is for a blueprint, and none is named",
                "add `--blueprint FILE`, or leave it out",
            ));
        }
    };
    let ahead = wanted.blueprint.as_deref().map(PendingSource::read);
    with_connection(global, terminal, async |connection, inputs| {
        let chosen = global.chosen.as_ref().and_then(|chosen| chosen.subscription.clone());
        let own = inputs.subscription.clone().or(chosen);
        let own = own.or_else(|| inputs.environment.get("AZURE_SUBSCRIPTION_ID").cloned());
        let blueprint = ahead.map(|ahead| ahead.load(terminal, inputs, |_, _| Ok(()))).transpose()?;
        let desired = blueprint.as_ref().map(|blueprint| &blueprint.desired);
        // No ledger is written: connections that are approved here are nobody's possession.
        let owner = desired.map_or_else(|| ident::Owner::new("approve"), Desired::owner);
        let session = session(global, terminal, connection, &owner)?;
        let desired = match desired {
            Some(desired) => {
                let settled = ops::with_messages(&session, desired).await;
                Some(Cow::<Desired>::Owned(settled.map_err(|error| report(terminal, &error))?))
            }
            None => None,
        };
        let desired = desired.as_deref();
        let wishes = Wishes {
            targets: &wanted.targets,
            endpoints: &wanted.endpoints,
            subscriptions: &wanted.subscriptions,
            ids: &wanted.ids,
            group: wanted.group.as_deref(),
            message: wanted.message.as_deref(),
            at_most: wanted.at_most,
            any: wanted.any,
            resource_group: wanted.resource_group.as_deref(),
            subscription: wanted
                .subscription
                .as_deref()
                .or_else(|| own.as_deref().filter(|_| wanted.resource_group.is_some())),
        };
        let read = Approvals::read(desired, &wishes);
        let approvals =
            read.map_err(|error| terminal.fail(&Failure::new(error.to_string(), error.help.clone())))?;
        let version = wanted.api_version.as_deref();
        let come = |found: &[Found]| {
            approvals.unmatched(found).next().is_none()
                && found
                    .iter()
                    .flat_map(|found| judged(&approvals, found))
                    .any(|(_, _, verdict)| verdict.is_named())
        };
        let wait = wanted.wait.unwrap_or(Duration::ZERO);
        let found = ops::awaited_connections(&session, desired, &approvals, version, wait, come).await;
        Ok(match found {
            Ok(found) => act(Work { session, desired, approvals, found, version }).await,
            Err(error) => report(terminal, &error),
        })
    })
}

/// What of the targets is not known, as an error; whether there was any.
fn unknown(terminal: &Terminal, work: &Work<'_>) -> bool {
    let mut any = false;
    for found in &work.found {
        let message = match &found.problem {
            Some(problem) => format!("{}: {problem}", found.target),
            None if !found.exists => format!("{} is not there", found.target),
            None => continue,
        };
        any = true;
        let help = "check the id; nothing is known of its connections";
        terminal.fail(&Failure::new(message, help));
    }
    any
}

fn list(terminal: &Terminal, work: &Work<'_>, format: OutputFormat) -> Exit {
    terminal.print(&match format {
        OutputFormat::Human => human::connections(&work.found, &work.approvals.rules, &terminal.out),
        OutputFormat::Json => json::to_text(&json::connections(&work.found, &work.approvals.rules)),
    });
    match unknown(terminal, work) {
        true => Exit::Error,
        false if work.pending(&[]) > 0 => Exit::Changes,
        false => Exit::Done,
    }
}

/// What became of a connection, as one line.
struct Audit<'a> {
    verb: Verb,
    found: &'a Found,
    connection: &'a Connection,
    rule: &'a str,
}

impl Audit<'_> {
    fn tell(&self, terminal: &Terminal, format: OutputFormat, outcome: &str, message: Option<&str>) {
        let Audit { verb, found, connection, rule } = self;
        let from = connection.endpoint.as_ref().map_or("unknown", |id| id.as_str());
        terminal.print(&match format {
            OutputFormat::Human => {
                let head = match outcome {
                    "done" => format!("{} {}", verb.done(), connection.id),
                    "planned" => format!("Would {} {}", verb.word(), connection.id),
                    _ => format!("Could not {} {}", verb.word(), connection.id),
                };
                let line = format!("{head}, from {from}, says {:?}, named by {rule}", connection.description);
                format!("{}\n", berth::report::escape_lines(&line))
            }
            OutputFormat::Json => json::to_line(&serde_json::json!({
                "format": "berth-approval",
                "version": 1,
                "decision": verb,
                "outcome": outcome,
                "target": found.target,
                "connection": connection.id,
                "endpoint": connection.endpoint,
                "status": connection.status,
                "says": connection.description,
                "rule": rule,
                "message": message,
            })),
        });
    }
}

async fn decide(
    terminal: &Terminal,
    work: &Work<'_>,
    verb: Verb,
    deciding: &Deciding,
    description: &str,
) -> Exit {
    let format = deciding.connections.format;
    if unknown(terminal, work) {
        return Exit::Error;
    }
    let unmatched: Vec<_> = work.approvals.unmatched(&work.found).map(|id| format!("\n  {id}")).collect();
    if !unmatched.is_empty() {
        let message = format!(
            "there is no connection of this id, or from this endpoint; nothing was done{}",
            unmatched.concat()
        );
        let help =
            "`berth approve list TARGET` shows the connections that there are; `--wait 10m` waits for one";
        return terminal.fail(&Failure::new(message, help));
    }
    if verb == Verb::Remove && deciding.connections.ids.is_empty() {
        let help = "write `--id` with the id of the connection, which `berth approve list` shows";
        return terminal.fail(&Failure::new("connections are removed one by one", help));
    }
    let judged = work.judged();
    let wanted: Vec<_> = judged.iter().filter(|(_, c, verdict)| work.is_for(verb, c, *verdict)).collect();
    if !wanted.is_empty() && format == OutputFormat::Human {
        terminal.print(&human::connections(&work.found, &work.approvals.rules, &terminal.out));
    }
    if !wanted.is_empty() && !deciding.dry_run && !deciding.auto_approve {
        if !terminal.interactive {
            let help = "look at what `berth approve list` shows, then pass `--auto-approve`";
            let message = "cannot ask for confirmation: there is no terminal to ask on; nothing was done";
            return terminal.fail(&Failure::new(message, help));
        }
        let question = match verb {
            Verb::Approve => "Approve what the rules name?",
            Verb::Reject => "Reject what the rules name?",
            Verb::Remove => "Remove these connections for good?",
        };
        if !terminal.ask(question) {
            terminal.say("Nothing was done.");
            return Exit::Error;
        }
    }
    let (mut done, mut failed) = (Vec::new(), 0);
    for (found, connection, _) in &wanted {
        let rule = work.approvals.label(&found.target, connection);
        let audit = Audit { verb, found, connection, rule };
        if deciding.dry_run {
            audit.tell(terminal, format, "planned", None);
            continue;
        }
        let place = (&found.target, *connection);
        let decided =
            ops::decide(&work.session, work.desired, &work.approvals, verb, place, description, work.version);
        match decided.await {
            Ok(()) => {
                done.push(*connection);
                audit.tell(terminal, format, "done", None);
            }
            Err(failure) => {
                failed += 1;
                audit.tell(terminal, format, "failed", Some(&failure.message));
                let message = format!("{}: {}", connection.id, failure.message);
                terminal.fail(&Failure { message, ..failure });
            }
        }
    }
    let refused = match verb {
        Verb::Approve => tell_refused(terminal, &judged),
        Verb::Reject | Verb::Remove => 0,
    };
    if wanted.is_empty() && refused == 0 && format == OutputFormat::Human {
        terminal.print(&format!("Nothing to {}.\n", verb.word()));
    }
    match (done.len(), failed, refused) {
        (0, 0, 1..) => Exit::Blocked,
        (0, 1.., _) => Exit::Error,
        (1.., 1.., _) | (1.., 0, 1..) => Exit::Partial,
        _ if work.pending(&done) > 0 => Exit::Changes,
        _ => Exit::Done,
    }
}

/// Says of what the rules name, and may not be approved, why. How many there are.
fn tell_refused(terminal: &Terminal, judged: &[(&Found, &Connection, Verdict)]) -> usize {
    let mut number = 0;
    for (_, connection, verdict) in judged {
        let (why, help) = match verdict {
            Verdict::Refused if connection.status == "Rejected" => (
                "is rejected and stays so",
                "who owns the target rejected it; `--id` with its id approves it all the same",
            ),
            Verdict::Refused => (
                "has lost its endpoint and stays so",
                "`berth approve remove --id` takes it off the target; have the endpoint made anew",
            ),
            Verdict::TooMany => (
                "was not approved: more ask than `--at-most` lets in",
                "name the right ones with `--id`, or raise the limit",
            ),
            Verdict::Contradictory => (
                "was not approved: the target lists it twice, with different contents",
                "look at the target; `--id` approves it when it is clear whose it is",
            ),
            Verdict::UnknownGroup => (
                "was not approved: the target does not tell its group",
                "leave `--group` out, or name the connection with `--id`",
            ),
            _ => continue,
        };
        number += 1;
        terminal.fail(&Failure::new(format!("{} {why}", connection.id), help));
    }
    number
}
