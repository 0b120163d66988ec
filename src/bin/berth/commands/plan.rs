//! `berth plan`

use super::policy::{self, Judge};
use super::{Loaded, Whose, leave, of_blueprint, report, reports, session, with_connection, with_session};
use crate::cli::{Format, Global, Owner, PlanArgs, ReportFile, ReportFormat};
use crate::exit::Exit;
use crate::terminal::{Terminal, redactor, unwritable};
use berth::approve::Allowances;
use berth::blueprint::places;
use berth::diag::Failure;
use berth::ops::{self, Planned};
use berth::plan::{Adoption, Plan};
use berth::policy::Finding;
use berth::report::ci::{Issue, Level};
use berth::report::{
    Host, Places, Stage, Style, document, gitlab, html, human, json, junit, markdown, sarif,
};
use std::path::Path;

/// Shows what would be done.
pub fn run(global: &Global, terminal: &Terminal, args: &PlanArgs) -> Exit {
    if let Err(failure) = reports::check(&args.reports, "a plan", REPORTS) {
        return terminal.fail(&failure);
    }
    let files = args.reports.iter().map(|report| report.file.as_path());
    let terminal = &terminal.aside(files.chain(args.out.as_deref()));
    let global = &match of_blueprint(global, terminal, &args.blueprint) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    if args.destroy {
        return destruction(global, terminal, args);
    }
    let judge = match Judge::read(&args.policies, global) {
        Ok(judge) => judge,
        Err(failure) => return terminal.fail(&failure),
    };
    with_session(global, terminal, &args.blueprint, async |blueprint, mut session| {
        args.extent.limit(&mut session);
        let adoption = adoption(args.adopt);
        match ops::plan(&session, &blueprint.desired, adoption).await {
            Ok(planned) => {
                drop(session);
                let held = planned.plan.is_held();
                let nothing = planned.plan.is_empty() && planned.plan.conflicts.is_empty();
                let form = Form::of(args);
                let exit = match show(terminal, Some(blueprint), &planned, form, judge.as_ref()) {
                    Exit::Done => save(global, terminal, blueprint, &planned, args),
                    other => other,
                };
                leave(planned);
                match exit {
                    Exit::Done if !nothing => Exit::Changes,
                    Exit::Done if held => Exit::Blocked,
                    exit => exit,
                }
            }
            Err(error) => report(terminal, &error),
        }
    })
}

/// Shows what `berth destroy` would delete.
fn destruction(global: &Global, terminal: &Terminal, args: &PlanArgs) -> Exit {
    let owner = Owner { blueprint: Some(args.blueprint.clone()), name: None };
    let whose = match Whose::read(global, terminal, owner) {
        Ok(whose) => whose,
        Err(exit) => return exit,
    };
    let (global, name) = (&whose.global, &whose.owner.blueprint);
    let subscription = whose.subscription();
    with_connection(global, terminal, async |connection, inputs| {
        let existing = whose.existing(terminal, &inputs)?;
        let mut session = session(global, terminal, connection, &whose.owner)?;
        session.estate.subscription = subscription;
        args.extent.limit(&mut session);
        Ok(match ops::plan_destroy(&session, name, &existing).await {
            Ok(planned) => {
                let form = Form::of(args);
                let nothing = planned.plan.is_empty() && planned.plan.conflicts.is_empty();
                match show(terminal, None, &planned, form, None) {
                    Exit::Done if !nothing => Exit::Changes,
                    exit => exit,
                }
            }
            Err(error) => report(terminal, &error),
        })
    })
}

/// What `--adopt` says.
pub fn adoption(adopt: bool) -> Adoption {
    if adopt { Adoption::Allowed } else { Adoption::Refused }
}

/// Saves a plan where the person wants it, if at all.
fn save(
    global: &Global,
    terminal: &Terminal,
    blueprint: &Loaded,
    planned: &Planned,
    args: &PlanArgs,
) -> Exit {
    let Some(path) = &args.out else { return Exit::Done };
    let allowances = Allowances { replace: args.allow_replace.clone(), delete: args.allow_delete.clone() };
    save_to(path, global, terminal, blueprint, planned, adoption(args.adopt), &allowances)
}

/// Saves a plan in a file.
pub fn save_to(
    path: &Path,
    global: &Global,
    terminal: &Terminal,
    blueprint: &Loaded,
    planned: &Planned,
    adoption: Adoption,
    allowances: &Allowances,
) -> Exit {
    let saved = ops::save(
        planned,
        &blueprint.desired,
        &blueprint.source,
        &blueprint.inputs,
        blueprint.setting(global),
        adoption,
        allowances,
    );
    let text = match saved {
        Ok(saved) => saved.to_text(),
        Err(error) => {
            let exit = terminal.fail(&Failure::of(&error, Some(error.hint())));
            return if let berth::plan::SavedError::InTheWay(_) = error { Exit::Blocked } else { exit };
        }
    };
    if redactor().is_leaked_by(&text) {
        return terminal.fail(&Failure::new(
            "the plan would hold a secret, and was not saved",
            "declare a parameter with `secret: true` and give its value from outside; no name and no URL may hold it",
        ));
    }
    if path.as_os_str() == "-" {
        terminal.print_own(&text);
        return Exit::Done;
    }
    if let Err(error) = berth::host::files::write_private_output(path, text.as_bytes()) {
        return terminal.fail(&unwritable(path, &error, "--out"));
    }
    let path = path.display();
    terminal.say(&format!("Saved the plan to {path}: `berth apply {path}` carries it out."));
    Exit::Done
}

/// The forms in which there is a report of a plan.
const REPORTS: &[ReportFormat] = &[
    ReportFormat::Json,
    ReportFormat::Markdown,
    ReportFormat::MarkdownAzureRepos,
    ReportFormat::MarkdownGitLab,
    ReportFormat::MarkdownSummary,
    ReportFormat::Html,
    ReportFormat::Junit,
    ReportFormat::Sarif,
    ReportFormat::GitLab,
    ReportFormat::Text,
];

/// How a plan is shown.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// On standard output.
    pub format: Format,
    /// One line a resource.
    pub summary: bool,
    /// And on the page of the run, where there is a build server.
    pub on_page: bool,
    /// And in these files.
    pub files: &'a [ReportFile],
}

impl<'a> Form<'a> {
    /// As `berth plan` was asked to show it.
    fn of(args: &'a PlanArgs) -> Self {
        Form { format: args.format, summary: args.summary, on_page: true, files: &args.reports }
    }
}

/// Shows a plan, what is in its way, what policies say of it, and what an earlier run left.
///
/// [`Exit::Done`] unless a policy denies it or cannot be evaluated.
pub fn show(
    terminal: &Terminal,
    blueprint: Option<&Loaded>,
    planned: &Planned,
    form: Form<'_>,
    judge: Option<&Judge>,
) -> Exit {
    let (plan, format) = (&planned.plan, form.format);
    let mut shown = None;
    let in_json = |file: &ReportFile| file.format == ReportFormat::Json;
    if matches!(format, Format::Json | Format::JsonLine) || judge.is_some() || form.files.iter().any(in_json)
    {
        shown = blueprint.map(|blueprint| blueprint.document(planned));
    }
    let mut findings: Option<Vec<Finding>> = None;
    if let (Some(judge), Some(shown)) = (judge, &mut shown) {
        match judge.findings(shown) {
            Ok(found) => {
                findings = Some(found.clone());
                shown.findings = Some(found);
            }
            Err(failure) => return terminal.fail(&failure),
        }
    }
    let places = in_the_way(blueprint, plan);
    terminal.print(&match (format, &shown) {
        (Format::Json, Some(shown)) => json::to_text(&json::plan(shown)),
        (Format::Json, None) => json::to_text(&json::plan(&document(plan, Stage::Plan, &[], &Places::new()))),
        (Format::JsonLine, Some(shown)) => json::to_line(&json::plan(shown)),
        (Format::JsonLine, None) => {
            json::to_line(&json::plan(&document(plan, Stage::Plan, &[], &Places::new())))
        }
        (Format::Human, _) if form.summary => human::plan_summary(plan, &places, &terminal.out),
        (Format::Human, _) => human::plan(plan, &places, &terminal.out),
        (Format::Markdown, _) => markdown::plan(plan),
        (Format::Html, _) => html::plan(plan),
    });
    for step in &planned.in_flight {
        let (action, address) = (step.action.word(), &step.address);
        terminal
            .say(&format!("note: an earlier run began to {action} {address}; `berth apply` goes on with it"));
    }
    if form.on_page {
        terminal.summary(|| markdown::plan_for(plan, findings.as_deref(), Host::Summary));
    }
    let found = findings.as_deref().unwrap_or_default();
    issues(terminal, blueprint, planned, found);
    let written = reports::write(terminal, form.files, |format| match (format, &shown) {
        (ReportFormat::Json, Some(shown)) => json::to_text(&json::plan(shown)),
        (ReportFormat::Json, None) => {
            json::to_text(&json::plan(&document(plan, Stage::Plan, &[], &Places::new())))
        }
        (ReportFormat::Html, _) => html::plan(plan),
        (ReportFormat::Junit, _) => junit::plan(plan, found),
        (ReportFormat::Sarif, _) => json::to_text(&sarif::plan(plan, found, &places)),
        (ReportFormat::GitLab, _) => json::to_text(&gitlab::plan(plan)),
        (ReportFormat::Text, _) => human::plan(plan, &places, &Style::plain(100)),
        (format, _) => markdown::plan_for(plan, findings.as_deref(), format.host()),
    });
    if let Err(failure) = written {
        return terminal.fail(&failure);
    }
    let Some(findings) = findings else { return Exit::Done };
    match format {
        Format::Human => terminal.print(&human::findings(&findings, &terminal.out)),
        Format::Markdown => terminal.print(&markdown::findings(&findings)),
        Format::Html => terminal.say(human::findings(&findings, &terminal.err).trim_end()),
        Format::Json | Format::JsonLine => {}
    }
    let exit = policy::verdict(&findings);
    if exit == Exit::Blocked {
        terminal.fail(&Failure::bare("a policy denies this plan; nothing was done"));
    }
    exit
}

/// Where the entries are that something is in the way of.
fn in_the_way(blueprint: Option<&Loaded>, plan: &Plan) -> Places {
    let told = plan.conflicts.iter().chain(&plan.warnings);
    blueprint
        .map(|blueprint| places(&blueprint.source, told.map(|conflict| &conflict.address)))
        .unwrap_or_default()
}

/// Shows the build server what is in the way of a plan, what may go wrong, and what policies say of it.
fn issues(terminal: &Terminal, blueprint: Option<&Loaded>, planned: &Planned, findings: &[Finding]) {
    if terminal.ci.is_none() {
        return;
    }
    let plan = &planned.plan;
    let places = in_the_way(blueprint, plan);
    let place = |address| places.get(address).cloned();
    for (level, conflicts) in [(Level::Error, &plan.conflicts), (Level::Warning, &plan.warnings)] {
        for conflict in conflicts {
            let message = format!("{}: {}; {}", conflict.address, conflict.message, conflict.help);
            terminal.issue(Issue::new(level, message).at(place(&conflict.address)));
        }
    }
    findings.iter().for_each(|finding| terminal.issue(policy::issue(finding)));
}
