//! `berth drift --accept` and `berth drift --revert`

use super::plan::{Form, save_to, show};
use super::{of_blueprint, report, with_session};
use crate::cli::{Format, Global, Settle};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::{Terminal, redactor};
use berth::approve::Allowances;
use berth::blueprint::Source;
use berth::diag::Failure;
use berth::host::files;
use berth::ops::{self, Accepted};
use berth::plan::{Adoption, is_field};
use berth::value::token;
use serde_json::Value;
use std::path::Path;

/// Writes what is there now into the blueprint.
pub fn accept(global: &Global, terminal: &Terminal, path: &Path, asked: &[String]) -> Exit {
    if path.as_os_str() == "-" {
        return terminal.fail(&Failure::new(
            "`--accept` writes into the blueprint's file, and standard input is not a file",
            "name the file of the blueprint",
        ));
    }
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    with_session(global, terminal, path, async |blueprint, session| {
        let drifted = match ops::drift(&session, &blueprint.desired).await {
            Ok(report) => report,
            Err(error) => return report(terminal, &error),
        };
        let mut source = blueprint.source.clone();
        let mut desired = blueprint.desired.clone();
        let (mut told, mut settled) = (Vec::new(), Vec::new());
        for asked in asked {
            let (drift, fields) = match ops::drift_named(&drifted, asked) {
                Ok(found) => found,
                Err(failure) => return terminal.fail(&failure),
            };
            // What is gone, or was made by others, has no field: accepting it is refused with the way on.
            let whole = berth::drift::FieldDrift::new("", Value::Null, Value::Null);
            let fields = if fields.is_empty() { vec![&whole] } else { fields };
            for field in fields {
                let accepted = ops::accept(&source, &blueprint.inputs, &desired, drift, field);
                let accepted = match accepted {
                    Ok(accepted) => accepted,
                    Err(failure) => return terminal.fail(&failure),
                };
                let name = source.file.name.clone();
                let next = Source::parse(name, accepted.text.as_bytes());
                let next = match next {
                    Ok(next) => next.with_included_files(&settings::open_include),
                    Err(problem) => return report(terminal, &ops::Error::Blueprint(problem.into())),
                };
                desired = match ops::validate_source(&next, &blueprint.inputs) {
                    Ok(blueprint) => blueprint.desired,
                    Err(error) => return report(terminal, &error),
                };
                source = next;
                told.push(line(drift.address.as_str(), &field.path, &accepted));
                settled.push((drift.address.clone(), field.path.clone()));
            }
        }
        // The plan has the last word: what is accepted is nothing that it would change.
        let planned = match ops::plan(&session, &desired, Adoption::Refused).await {
            Ok(planned) => planned,
            Err(error) => return report(terminal, &error),
        };
        for (address, path) in &settled {
            let changes = planned.plan.steps.iter().filter(|step| step.address == *address);
            let mut changes = changes.flat_map(|step| &step.changes);
            if let Some(change) = changes.find(|change| is_field(&change.path, path)) {
                return terminal.fail(&Failure::new(
                    format!(
                        "the blueprint was not written: the plan would still change {} of `{address}`",
                        change.path
                    ),
                    "write it by hand, or set it back with `--revert`",
                ));
            }
        }
        match write(path, &blueprint.source, &source) {
            Ok(()) => {
                terminal.print(&told.concat());
                Exit::Done
            }
            Err(failure) => terminal.fail(&failure),
        }
    })
}

fn line(address: &str, path: &str, accepted: &Accepted) -> String {
    let shown = |value: &Option<Value>| match value {
        Some(value) => token::display(value).to_string(),
        None => "nothing".to_owned(),
    };
    let place = accepted.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    format!("{place}{address} {path}: {} is now {}\n", shown(&accepted.was), shown(&accepted.now))
}

/// Writes the text in place of the one that was read, if that is still there.
fn write(path: &Path, read: &Source, now: &Source) -> Result<(), Failure> {
    let bytes = settings::read(path)?;
    let mark = "\u{feff}".as_bytes();
    let (lead, text) = match bytes.strip_prefix(mark) {
        Some(text) => (mark, text),
        None => (&[][..], &bytes[..]),
    };
    if text != read.file.text.as_bytes() {
        return Err(Failure::new(
            format!("{}: somebody changed the file meanwhile, and it was not written", path.display()),
            "try again",
        ));
    }
    if redactor().is_leaked_by(&now.file.text) && !redactor().is_leaked_by(&read.file.text) {
        return Err(Failure::new(
            format!("{}: the file would hold a secret, and was not written", path.display()),
            "give the secret by a parameter with `secret: true`",
        ));
    }
    let text = [lead, now.file.text.as_bytes()].concat();
    files::write_output(path, &text).map_err(|error| {
        let message = format!("{}: the file cannot be written: {error}", path.display());
        Failure::new(message, "check its permissions")
    })
}

/// Plans to set back what was named, and nothing else.
pub fn revert(global: &Global, terminal: &Terminal, path: &Path, format: Format, args: &Settle) -> Exit {
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    with_session(global, terminal, path, async |blueprint, mut session| {
        session.reverts.clone_from(&args.revert);
        match ops::plan(&session, &blueprint.desired, Adoption::Refused).await {
            Ok(planned) => {
                let nothing = planned.plan.is_empty() && planned.plan.conflicts.is_empty();
                let form = Form { format, summary: false, on_page: true, files: &[] };
                let exit = show(terminal, Some(blueprint), &planned, form, None);
                if exit != Exit::Done {
                    return exit;
                }
                let saved = args.out.as_ref().map(|out| {
                    let allowances =
                        Allowances { replace: args.allow_replace.clone(), delete: args.allow_delete.clone() };
                    save_to(out, global, terminal, blueprint, &planned, Adoption::Refused, &allowances)
                });
                match saved.unwrap_or(Exit::Done) {
                    Exit::Done if !nothing => Exit::Changes,
                    exit => exit,
                }
            }
            Err(error) => report(terminal, &error),
        }
    })
}
