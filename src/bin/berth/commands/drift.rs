//! `berth drift`

use super::{Loaded, of_blueprint, report, with_session};
use crate::cli::{Format, Global, ReportFile, ReportFormat};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::blueprint::places;
use berth::diag::Failure;
use berth::drift::{DriftKind, DriftReport};
use berth::ops;
use berth::report::ci::{Issue, Level};
use berth::report::{html, human, json, junit, markdown, sarif};
use std::path::Path;

/// Reports what somebody else changed.
pub fn run(
    global: &Global,
    terminal: &Terminal,
    path: &Path,
    format: Format,
    reports: &[ReportFile],
) -> Exit {
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
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
                terminal.summary(|| markdown::drift(&drift));
                issues(terminal, blueprint, &drift);
                if let Err(failure) = write(terminal, reports, blueprint, &drift) {
                    return terminal.fail(&failure);
                }
                if drift.drifted.is_empty() { Exit::Done } else { Exit::Changes }
            }
            Err(error) => report(terminal, &error),
        }
    })
}

/// Writes the reports that were asked for.
fn write(
    terminal: &Terminal,
    reports: &[ReportFile],
    blueprint: &Loaded,
    drift: &DriftReport,
) -> Result<(), Failure> {
    for report in reports {
        let text = match report.format {
            ReportFormat::Json => json::to_text(&json::drift(drift)),
            ReportFormat::Markdown => markdown::drift(drift),
            ReportFormat::Html => html::drift(drift),
            ReportFormat::Junit => junit::drift(drift),
            ReportFormat::Sarif => {
                let places = places(&blueprint.source, drift.drifted.iter().map(|drift| &drift.address));
                json::to_text(&sarif::drift(drift, &places))
            }
        };
        terminal.write_report(&report.file, &text).map_err(|error| {
            let message = format!("cannot write the report to {}: {error}", report.file.display());
            Failure::new(message, "name a file that can be written with `--report FORMAT=FILE`")
        })?;
    }
    Ok(())
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
