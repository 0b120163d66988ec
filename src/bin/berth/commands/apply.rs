//! `berth apply`

use super::policy::Judge;
use super::{Loaded, PendingSource, of_blueprint, plan, report, reports, saved, with_session_of};
use crate::ci;
use crate::cli::{ApplyArgs, Format, Global, OutputFormat, ReportFile, ReportFormat};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::{self, Terminal};
use berth::apply::Applied;
use berth::blueprint::places;
use berth::change::{Outcome, Summary};
use berth::diag::Failure;
use berth::ident::{Header, Owner};
use berth::ops::{self, Planned, Session};
use berth::report::ci::{Issue, Level};
use berth::report::{Places, Style, human, json, junit, progress, sarif};
use std::sync::Arc;

/// Brings Azure to what the blueprint says, or carries out a saved plan.
pub fn run(global: &Global, terminal: &Terminal, args: &ApplyArgs) -> Exit {
    if let Err(failure) = reports::check(&args.reports, "the end of a run", REPORTS) {
        return terminal.fail(&failure);
    }
    let terminal = &terminal.aside(args.reports.iter().map(|report| report.file.as_path()));
    let path = args.blueprint.as_path();
    let bytes = match settings::read(path) {
        Ok(bytes) => bytes,
        Err(failure) => return terminal.fail(&failure),
    };
    if berth::plan::is_saved(&bytes) {
        return saved::apply(global, terminal, path, &bytes, args);
    }
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    let judge = match Judge::read(&args.policies, global) {
        Ok(judge) => judge,
        Err(failure) => return terminal.fail(&failure),
    };
    let ahead = PendingSource::of(path, bytes);
    with_session_of(
        global,
        terminal,
        ahead,
        |_, _| Ok(()),
        async |blueprint, mut session| {
            args.extent.limit(&mut session);
            listen(terminal, &mut session, args.format);
            let (mut refused, mut held) = (None, false);
            let agree = |planned: &Planned, allowed: bool| {
                held = planned.plan.is_held();
                let (auto_approve, question) = (args.auto_approve, "Apply this plan");
                let asking = Asking { allowed, auto_approve, question, format: args.format };
                agree(terminal, Some(blueprint), planned, &asking, judge.as_ref(), &mut refused)
            };
            let adoption = plan::adoption(args.adopt);
            match ops::apply(&session, &blueprint.desired, adoption, &args.allowances(), agree).await {
                Ok(Some(applied)) => {
                    drop(session);
                    match finish(terminal, applied, Some(blueprint), &args.ending()) {
                        // Everything else is done, and what the blueprint asks for is not.
                        Exit::Done if held => Exit::Blocked,
                        exit => exit,
                    }
                }
                Ok(None) => refused.unwrap_or(Exit::Error),
                Err(error) => report(terminal, &error),
            }
        },
    )
}

/// How to ask.
pub struct Asking {
    /// Whether the plan may be applied at all.
    pub allowed: bool,
    /// Whether the answer was given already.
    pub auto_approve: bool,
    /// What to ask, without the question mark.
    pub question: &'static str,
    /// How the plan is shown.
    pub format: OutputFormat,
}

/// Has a run tell what it does as lines of JSON on standard output, when that is asked for.
pub fn listen(terminal: &Terminal, session: &mut Session, format: OutputFormat) {
    if format == OutputFormat::Json {
        let lines = Arc::new(progress::Jsonl::new(Box::new(terminal::stdout())));
        let redacted = Arc::new(progress::Redacted::new(lines, terminal::redactor()));
        session.engine.listener = terminal.listening(redacted);
    }
}

/// Shows the plan and asks, unless a policy denies it, nothing is to be done, or the answer was given already.
pub fn agree(
    terminal: &Terminal,
    blueprint: Option<&Loaded>,
    planned: &Planned,
    asking: &Asking,
    judge: Option<&Judge>,
    refused: &mut Option<Exit>,
) -> bool {
    let format = if asking.format == OutputFormat::Json { Format::JsonLine } else { Format::Human };
    let form = plan::Form { format, summary: false, on_page: false, files: &[] };
    let shown = plan::show(terminal, blueprint, planned, form, judge);
    if shown != Exit::Done {
        *refused = Some(shown);
        return false;
    }
    if asking.auto_approve || planned.plan.is_empty() || !asking.allowed {
        return true;
    }
    if !terminal.interactive {
        terminal.fail(&Failure::new(
            "cannot ask for confirmation: there is no terminal to ask on",
            "run again with `--auto-approve`",
        ));
        *refused = Some(Exit::Error);
        return false;
    }
    let place = planned.plan.header.as_ref().map(Header::in_words);
    let question =
        place.map_or(format!("{}?", asking.question), |place| format!("{}: {place}?", asking.question));
    let yes = terminal.ask(&question);
    if !yes {
        terminal.say("Nothing was done.");
        *refused = Some(Exit::Done);
    }
    yes
}

/// The forms in which there is a report of how a run ended.
const REPORTS: &[ReportFormat] = &[
    ReportFormat::Json,
    ReportFormat::Markdown,
    ReportFormat::MarkdownAzureRepos,
    ReportFormat::MarkdownGitLab,
    ReportFormat::MarkdownSummary,
    ReportFormat::Junit,
    ReportFormat::Sarif,
    ReportFormat::Text,
];

/// How the end of a run is shown.
pub struct Ending<'a> {
    /// On standard output.
    pub format: OutputFormat,
    /// Whether secret outputs are handed on as well.
    pub secret_outputs: bool,
    /// And in these files.
    pub files: &'a [ReportFile],
}

impl ApplyArgs {
    /// How the end of the run is shown.
    pub fn ending(&self) -> Ending<'_> {
        Ending { format: self.format, secret_outputs: self.secret_outputs, files: &self.reports }
    }
}

/// Shows how a run ended, to a person and to the build server.
pub fn finish(
    terminal: &Terminal,
    applied: Applied,
    blueprint: Option<&Loaded>,
    ending: &Ending<'_>,
) -> Exit {
    let Ending { format, secret_outputs, files } = *ending;
    let summary = &applied.summary;
    let silent = summary.steps.is_empty() && !summary.interrupted;
    if format == OutputFormat::Json {
        terminal.print(&json::to_line(&json::summary(summary, &applied.outputs)));
    }
    let failed = summary.steps.iter().filter(|step| matches!(step.outcome, Outcome::Failed { .. }));
    let places = blueprint
        .map(|blueprint| places(&blueprint.source, failed.map(|step| &step.address)))
        .unwrap_or_default();
    let (name, environment) = (&applied.ledger.blueprint, applied.ledger.environment.clone());
    let owner = Owner::new(name.clone()).within(environment);
    let written = reports::write(terminal, files, |format| match format {
        ReportFormat::Json => json::to_text(&json::summary(summary, &applied.outputs)),
        ReportFormat::Junit => junit::applied(&owner.to_string(), summary),
        ReportFormat::Sarif => json::to_text(&sarif::applied(&owner, summary, &places)),
        ReportFormat::Text => human::summary(summary, &applied.outputs, &places, &Style::plain(100)),
        _ => berth::report::ci::applied(&owner.to_string(), None, summary),
    });
    if !silent {
        if format == OutputFormat::Human {
            // The plan is above it.
            terminal
                .print(&format!("\n{}", human::summary(summary, &applied.outputs, &places, &terminal.out)));
        }
        failures(terminal, summary, &places);
        terminal.summary(|| berth::report::ci::applied(&owner.to_string(), None, summary));
    }
    if let Err(failure) = written {
        return terminal.fail(&failure);
    }
    // What a run in part leaves is not a basis for what comes after it.
    if summary.is_complete()
        && applied.broken.is_none()
        && let Some(blueprint) = blueprint
        && let Err(failure) = hand_on(terminal, &applied, blueprint, secret_outputs)
    {
        return terminal.fail(&failure);
    }
    let some = summary.steps.iter().any(|step| step.outcome == Outcome::Done || step.deleted);
    if let Some(error) = applied.broken {
        return match report(terminal, &error.into()) {
            Exit::Error if some => Exit::Partial,
            exit => exit,
        };
    }
    // When there was nothing to do the plan has said so, and shown the outputs.
    if silent || summary.is_complete() {
        return Exit::Done;
    }
    if summary.interrupted {
        return Exit::Interrupted;
    }
    if some { Exit::Partial } else { Exit::Error }
}

/// Shows the build server what failed, beside the lines of the blueprint.
fn failures(terminal: &Terminal, summary: &Summary, places: &Places) {
    if terminal.ci.is_none() {
        return;
    }
    for step in &summary.steps {
        let Outcome::Failed { message, help, code } = &step.outcome else { continue };
        let help = help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
        let message = format!("{} {}: {message}{help}", step.action.word(), step.address);
        let place = places.get(&step.address).cloned();
        let issue = Issue::new(Level::Error, message).at(place);
        terminal.issue(code.iter().fold(issue, |issue, code| issue.code(code)));
    }
}

/// Sets the outputs as variables, where there is a build server.
///
/// # Errors
/// When the server's file cannot be written.
fn hand_on(terminal: &Terminal, applied: &Applied, blueprint: &Loaded, secrets: bool) -> Result<(), Failure> {
    let Some(server) = &terminal.ci else { return Ok(()) };
    let secrets = secrets.then_some(&blueprint.desired.secrets);
    let (handed, kept) = ci::handed(&applied.outputs, secrets);
    if !kept.is_empty() {
        let names = kept.join(", ");
        terminal.say(&format!("note: secret outputs are not handed on: {names} (`--secret-outputs` does)"));
    }
    for (name, why) in server.set(&handed)? {
        terminal.say(&format!("note: output {name} is not handed on: {why}"));
    }
    Ok(())
}
