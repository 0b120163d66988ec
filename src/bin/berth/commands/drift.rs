//! `berth drift`

use super::{Loaded, of_blueprint, report, reports, with_session};
use crate::cli::{Format, Global, ReportFile, ReportFormat};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::blueprint::{located_side_file, places};
use berth::diag::{Diagnostics, Failure};
use berth::drift::{self, DriftKind, DriftReport, Waivers, is_day};
use berth::ops;
use berth::report::ci::{Issue, Level};
use berth::report::{Host, Style, card, gitlab, html, human, json, junit, markdown, metrics, sarif};
use std::path::Path;

/// Reports changes that were made outside berth.
pub fn run(
    global: &Global,
    terminal: &Terminal,
    path: &Path,
    format: Format,
    files: &[ReportFile],
    waivers: Option<&Path>,
) -> Exit {
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    let terminal = &terminal.aside(files.iter().map(|report| report.file.as_path()));
    with_session(global, terminal, path, async |blueprint, session| {
        match ops::drift(&session, &blueprint.desired).await {
            Ok(mut drift) => {
                let today: String = session.engine.clock.now().to_string().chars().take(10).collect();
                drop(session);
                if let Some(path) = waivers
                    && let Err(exit) = waive(terminal, path, blueprint, &mut drift, &today)
                {
                    return exit;
                }
                terminal.print(&match format {
                    Format::Human => human::drift(&drift, &terminal.out),
                    Format::Json | Format::JsonLine => json::to_text(&json::drift(&drift)),
                    Format::Markdown => markdown::drift(&drift),
                    Format::Html => html::drift(&drift),
                });
                terminal.summary(|| markdown::drift_for(&drift, Host::Summary));
                issues(terminal, blueprint, &drift);
                if let Err(failure) = write(terminal, files, blueprint, &drift) {
                    return terminal.fail(&failure);
                }
                if drift.drifted.is_empty() { Exit::Done } else { Exit::Changes }
            }
            Err(error) => report(terminal, &error),
        }
    })
}

/// Takes what a file of waivers covers out of the report.
fn waive(
    terminal: &Terminal,
    path: &Path,
    blueprint: &Loaded,
    report: &mut DriftReport,
    today: &str,
) -> Result<(), Exit> {
    let bytes = settings::read(path).map_err(|message| terminal.fail(&message))?;
    let told = |problems: Diagnostics| super::report(terminal, &ops::Error::Blueprint(problems));
    let name = path.display().to_string();
    let (file, places) = located_side_file::<Waivers>(&name, &bytes).map_err(told)?;
    let mut problems = Diagnostics::default();
    for (at, waiver) in file.waivers.iter().enumerate() {
        let known = blueprint.desired.resources.iter().any(|resource| resource.address == waiver.address)
            || report.steady.contains(&waiver.address)
            || report.drifted.iter().any(|drift| drift.address == waiver.address);
        if !known {
            let message = format!("`{}` is not in the blueprint, nor in its ledger", waiver.address);
            let help = "take an address from the report, or delete the waiver";
            problems.push(places.wrong(&format!("waivers[{at}].address"), message, help));
        }
        if !is_day(&waiver.until) {
            let message = format!("`{}` is not a day", waiver.until);
            problems.push(places.wrong(&format!("waivers[{at}].until"), message, "write it as `2026-03-31`"));
        }
        for (field, text) in [("reason", &waiver.reason), ("field", &waiver.field)] {
            if text.trim().is_empty() {
                let message = format!("`{field}` is empty");
                let help = "say why it is accepted, and which field: `*` is everything";
                problems.push(places.wrong(&format!("waivers[{at}].{field}"), message, help));
            }
        }
    }
    if !problems.is_empty() {
        return Err(told(problems));
    }
    drift::waive(report, &file.waivers, today);
    Ok(())
}

/// Writes the reports that were asked for.
fn write(
    terminal: &Terminal,
    files: &[ReportFile],
    blueprint: &Loaded,
    drift: &DriftReport,
) -> Result<(), Failure> {
    reports::write(terminal, files, |format| match format {
        ReportFormat::Json => json::to_text(&json::drift(drift)),
        ReportFormat::Markdown
        | ReportFormat::MarkdownAzureRepos
        | ReportFormat::MarkdownGitLab
        | ReportFormat::MarkdownBitbucket
        | ReportFormat::MarkdownSummary => markdown::drift_for(drift, format.host()),
        ReportFormat::GitLab => json::to_text(&gitlab::drift(drift)),
        ReportFormat::Prometheus => metrics::drift(drift),
        ReportFormat::Card => json::to_line(&card::drift(drift)),
        ReportFormat::Text => human::drift(drift, &Style::plain(100)),
        ReportFormat::Html => html::drift(drift),
        ReportFormat::Junit => junit::drift(drift),
        ReportFormat::Sarif => {
            let places = places(&blueprint.source, drift.drifted.iter().map(|drift| &drift.address));
            json::to_text(&sarif::drift(drift, &places))
        }
    })
}

/// Shows the build server what drifted, beside the lines of the blueprint.
fn issues(terminal: &Terminal, blueprint: &Loaded, drift: &DriftReport) {
    if terminal.ci.is_none() {
        return;
    }
    let places = places(&blueprint.source, drift.drifted.iter().map(|drift| &drift.address));
    for drift in &drift.drifted {
        let what = match drift.kind {
            DriftKind::Missing => "it is gone".to_owned(),
            DriftKind::Added => "somebody else made it, and the blueprint wants none there".to_owned(),
            DriftKind::Changed => {
                let paths: Vec<&str> = drift.fields.iter().map(|field| field.path.as_str()).collect();
                format!("somebody else changed {}", paths.join(", "))
            }
        };
        let issue = Issue::new(Level::Warning, format!("{}: {what}", drift.address));
        terminal.issue(issue.at(places.get(&drift.address).cloned()).code("drift"));
    }
}
