//! `berth validate`

use super::policy::Judge;
use super::{PendingSource, leave, load, of_blueprint, report};
use crate::cli::{Global, OutputFormat, Policies};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::blueprint::{Inputs, Missing, places};
use berth::diag::{Diagnostics, Failure};
use berth::ops;
use berth::report::{Stage, document, json};
use std::path::{Path, PathBuf};

/// Checks blueprints without asking Azure anything.
pub fn run(
    global: &Global,
    terminal: &Terminal,
    paths: &[PathBuf],
    format: OutputFormat,
    policies: &Policies,
) -> Exit {
    if format == OutputFormat::Json {
        if !policies.paths.is_empty() {
            return terminal.fail(&Failure::new(
                "`--policy` and `--format json` cannot be given together",
                "leave one out; `berth plan --format json` shows what policies say",
            ));
        }
        return as_json(global, terminal, paths);
    }
    let mut ended = Exit::Done;
    for path in paths {
        // The first that fails says how all of them ended.
        match one(global, terminal, path, policies) {
            Exit::Done => {}
            exit if ended == Exit::Done => ended = exit,
            _ => {}
        }
    }
    ended
}

fn as_json(global: &Global, terminal: &Terminal, paths: &[PathBuf]) -> Exit {
    let mut files = Vec::new();
    for path in paths {
        match diagnose(global, terminal, path) {
            Ok((resources, found)) => files.push((path.display().to_string(), resources, found)),
            Err(exit) => return exit,
        }
    }
    terminal.print(&json::to_text(&json::diagnostics(&files)));
    if files.iter().all(|(_, resources, _)| resources.is_some()) { Exit::Done } else { Exit::Error }
}

/// How many resources a blueprint has, if it is valid, and what is to be said of it.
fn diagnose(global: &Global, terminal: &Terminal, path: &Path) -> Result<(Option<usize>, Diagnostics), Exit> {
    let fail = |failure: Failure| terminal.fail(&failure);
    let global = &of_blueprint(global, terminal, path)?;
    let inputs = Inputs { missing: Missing::MakeUp, ..settings::inputs(global).map_err(fail)? };
    let bytes = settings::read(path).map_err(fail)?;
    let checked =
        PendingSource::parse(path, &bytes).and_then(|source| ops::validate_source(&source, &inputs));
    match checked {
        Ok(blueprint) => Ok((Some(blueprint.desired.resources.len()), blueprint.warnings)),
        Err(ops::Error::Blueprint(problems)) => Ok((None, problems)),
        Err(error) => Err(report(terminal, &error)),
    }
}

fn one(global: &Global, terminal: &Terminal, path: &Path, policies: &Policies) -> Exit {
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    let judge = match Judge::read(policies, global) {
        Ok(judge) => judge,
        Err(failure) => return terminal.fail(&failure),
    };
    match load(global, terminal, path) {
        Ok(blueprint) => {
            let count = blueprint.desired.resources.len();
            let mut exit = Exit::Done;
            if let Some(judge) = judge {
                let (plan, details) = ops::plan_offline(&blueprint.desired);
                let places = places(&blueprint.source, plan.steps.iter().map(|step| &step.address));
                let findings = match judge.findings(&document(&plan, Stage::Validate, &details, &places)) {
                    Ok(findings) => findings,
                    Err(failure) => return terminal.fail(&failure),
                };
                exit = judge.show(terminal, &findings);
            }
            if exit == Exit::Done {
                terminal.print(&format!("{} is valid: {count} resources.\n", path.display()));
            }
            leave(blueprint);
            exit
        }
        Err(exit) => exit,
    }
}
