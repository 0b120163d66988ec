//! `--report`: results in files, for build servers, code hosts and other people.

use crate::cli::{ReportFile, ReportFormat};
use crate::terminal::Terminal;
use berth::diag::Failure;
use clap::ValueEnum;

/// Refuses a form in which there is no report of this.
///
/// # Errors
/// When one of the reports has such a form.
pub fn check(reports: &[ReportFile], of: &str, known: &[ReportFormat]) -> Result<(), Failure> {
    let name = |format: &ReportFormat| {
        format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    };
    match reports.iter().find(|report| !known.contains(&report.format)) {
        None => Ok(()),
        Some(report) => {
            let names: Vec<String> = known.iter().map(name).collect();
            Err(Failure::new(
                format!("there is no report of {of} in the form `{}`", name(&report.format)),
                format!("write one of {}", names.join(", ")),
            ))
        }
    }
}

/// Writes the reports that were asked for.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    terminal: &Terminal,
    reports: &[ReportFile],
    text: impl Fn(ReportFormat) -> String,
) -> Result<(), Failure> {
    for report in reports {
        terminal.write_report(&report.file, &text(report.format)).map_err(|error| {
            let message = format!("cannot write the report to {}: {error}", report.file.display());
            Failure::new(message, "name a file that can be written with `--report FORMAT=FILE`")
        })?;
    }
    Ok(())
}
