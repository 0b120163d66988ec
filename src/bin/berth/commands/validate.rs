//! `berth validate`

use super::policy::Judge;
use super::{leave, load, of_blueprint};
use crate::cli::{Global, Policies};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::blueprint::places;
use berth::ops;
use berth::report::{Stage, document};
use std::path::Path;

/// Checks a blueprint without asking Azure anything.
pub fn run(global: &Global, terminal: &Terminal, path: &Path, policies: &Policies) -> Exit {
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
