//! `berth apply` of a saved plan.

use super::apply::{self, Asking, agree, finish};
use super::plan::Form;
use super::policy::Judge;
use super::{PendingSource, report, with_session_of};
use crate::cli::{ApplyArgs, Format, Global};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::blueprint::places;
use berth::diag::Failure;
use berth::ops::{self, Planned};
use berth::plan::{Saved, StaleInput};
use berth::report::{Stage, document, html, human, json, markdown};
use std::path::Path;

/// Carries out a saved plan, if nothing has moved since.
pub fn apply(global: &Global, terminal: &Terminal, path: &Path, bytes: &[u8], args: &ApplyArgs) -> Exit {
    let saved = match Saved::parse(bytes) {
        Ok(saved) => saved,
        Err(error) => {
            return terminal.fail(&Failure::new(format!("{}: {error}", path.display()), error.hint()));
        }
    };
    if args.adopt && !saved.adopt {
        return terminal.fail(&Failure::new(
            "the saved plan was made without `--adopt`",
            "plan again with `berth plan --adopt --out`",
        ));
    }
    if !args.extent.target.is_empty() || args.extent.purge {
        let flag = if args.extent.purge { "--purge" } else { "--target" };
        return terminal.fail(&Failure::new(
            format!("`{flag}` cannot be given with a saved plan, which is carried out as it is"),
            format!("leave out `{flag}`, or plan again with it"),
        ));
    }
    let mut found = moved_files(&saved);
    let global = &match environment(global, &saved, &mut found) {
        Ok(global) => global,
        Err(error) => return report(terminal, &error),
    };
    let judge = match Judge::read(&args.policies, global) {
        Ok(judge) => judge,
        Err(message) => return terminal.fail(&message),
    };
    let ahead = PendingSource::saved(&saved);
    let prepare = |source: &_, inputs: &mut _| ops::saved_inputs(&saved, source, inputs);
    with_session_of(global, terminal, ahead, prepare, async |blueprint, mut session| {
        apply::listen(terminal, &mut session, args.format);
        session.targets.clone_from(&saved.plan.targets);
        session.reverts.clone_from(&saved.plan.reverts);
        session.purge = saved.plan.steps.iter().any(|step| step.purge.is_some());
        let mut refused = None;
        let agree = |planned: &Planned, allowed: bool| {
            let (auto_approve, question) = (args.auto_approve, "Apply this saved plan");
            let asking = Asking { allowed, auto_approve, question, format: args.format };
            agree(terminal, Some(blueprint), planned, &asking, judge.as_ref(), &mut refused)
        };
        let setting = blueprint.setting(global);
        let (desired, allowances) = (&blueprint.desired, &args.allowances());
        match ops::apply_saved(&session, &saved, desired, &setting, found, allowances, agree).await {
            Ok(Some(applied)) => {
                drop(session);
                finish(terminal, applied, Some(blueprint), &args.ending())
            }
            Ok(None) => refused.unwrap_or(Exit::Error),
            Err(error) => report(terminal, &error),
        }
    })
}

/// Shows a saved plan as it was written. Nothing is asked of Azure.
pub fn show(terminal: &Terminal, path: &Path, form: Form<'_>) -> Exit {
    let bytes = match settings::read(path) {
        Ok(bytes) => bytes,
        Err(failure) => return terminal.fail(&failure),
    };
    if !berth::plan::is_saved(&bytes) {
        return terminal.fail(&Failure::new(
            format!("{}: this is not a saved plan", path.display()),
            "`berth plan BLUEPRINT --out FILE` writes one; `berth plan BLUEPRINT` shows one of a blueprint",
        ));
    }
    let saved = match Saved::parse(&bytes) {
        Ok(saved) => saved,
        Err(error) => {
            return terminal.fail(&Failure::new(format!("{}: {error}", path.display()), error.hint()));
        }
    };
    let plan = &saved.plan;
    let places = ops::saved_source(&saved)
        .map(|source| places(&source, plan.steps.iter().map(|step| &step.address)))
        .unwrap_or_default();
    terminal.print(&match form.format {
        Format::Human if form.summary => human::plan_summary(plan, &places, &terminal.out),
        Format::Human => human::plan(plan, &places, &terminal.out),
        Format::Json | Format::JsonLine => {
            json::to_text(&json::plan(&document(plan, Stage::Plan, saved.details(), &places)))
        }
        Format::Markdown => markdown::plan(plan),
        Format::Html => html::plan(plan),
    });
    Exit::Done
}

/// The options of a run, for the environment that the plan was made for. Its file need not be here; when it is, it must say
/// what it said then.
fn environment(global: &Global, saved: &Saved, found: &mut Vec<StaleInput>) -> Result<Global, ops::Error> {
    let name = saved.chosen.as_ref().map(|chosen| &chosen.name);
    if global.environment.is_some() && global.environment.as_ref() != name {
        let word = |name: Option<&String>| name.map_or("none".to_owned(), |name| format!("`{name}`"));
        let moved = StaleInput::new("the environment", word(name), word(global.environment.as_ref()));
        return Err(ops::Error::Stale(vec![moved]));
    }
    let Some(chosen) = &saved.chosen else { return Ok(global.clone()) };
    let blueprint = Path::new(&saved.files[0].name);
    if !settings::environments_beside(blueprint).contains(&chosen.name) {
        return settings::within(global, ops::saved_environment(chosen)).map_err(ops::Error::Blueprint);
    }
    let named = Global { environment: Some(chosen.name.clone()), ..global.clone() };
    let global = settings::with_environment(&named, blueprint).map_err(ops::Error::Blueprint)?;
    found.extend(global.chosen.iter().flat_map(|now| ops::moved_environment(chosen, now)));
    match found.iter().any(|moved| moved.field.is_some()) {
        // What it says now is not even connected with.
        true => Err(ops::Error::Stale(std::mem::take(found))),
        false => Ok(global),
    }
}

/// Files of the blueprint that are here and are not as they were. One that is not here has not moved: a plan may be
/// carried out where its blueprint never was.
fn moved_files(saved: &Saved) -> Vec<StaleInput> {
    let mut found = Vec::new();
    for file in &saved.files {
        let Ok(Some(now)) = berth::host::files::read_if_exists(Path::new(&file.name)) else { continue };
        let now = String::from_utf8_lossy(&now);
        let now = now.strip_prefix('\u{feff}').unwrap_or(&now);
        if now == file.text {
            continue;
        }
        // The first line that differs says where to look; what it says may be long, or a secret by mistake.
        let same = now.lines().zip(file.text.lines()).take_while(|(now, was)| now == was).count();
        let line = format!("differing from line {} on", same + 1);
        found.push(StaleInput::new(format!("the blueprint {}", file.name), "as the plan holds it", line));
    }
    found
}
