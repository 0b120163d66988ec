//! `berth apply` of a saved plan.

use super::apply::{Asking, agree, finish};
use super::policy::Judge;
use super::{PendingSource, report, with_session_of};
use crate::cli::{ApplyArgs, Global};
use crate::connect::with_hint;
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::ops::{self, Planned};
use berth::plan::{Saved, StaleInput};
use std::path::Path;

/// Carries out a saved plan, if nothing has moved since.
pub fn apply(
    global: &Global,
    terminal: &Terminal,
    path: &Path,
    bytes: &[u8],
    wish: &ApplyArgs,
    judge: Option<&Judge>,
) -> Exit {
    let saved = match Saved::parse(bytes) {
        Ok(saved) => saved,
        Err(error) => {
            return terminal.fail(&with_hint(&format!("{}: {error}", path.display()), Some(error.hint())));
        }
    };
    if wish.adopt && !saved.adopt {
        return terminal.fail(
            "the saved plan was made without `--adopt`\nhelp: plan again with `berth plan --adopt --out`",
        );
    }
    if !wish.extent.target.is_empty() || wish.extent.purge {
        let flag = if wish.extent.purge { "--purge" } else { "--target" };
        return terminal.fail(&format!(
            "a saved plan is carried out as it is\nhelp: leave out `{flag}`, or plan again with it"
        ));
    }
    let found = moved_files(&saved);
    let ahead = PendingSource::saved(&saved);
    let prepare = |source: &_, inputs: &mut _| ops::saved_inputs(&saved, source, inputs);
    with_session_of(global, terminal, ahead, prepare, async |blueprint, mut session| {
        session.targets.clone_from(&saved.plan.targets);
        session.purge = saved.plan.steps.iter().any(|step| step.purge.is_some());
        let mut refused = None;
        let agree = |planned: &Planned, allowed: bool| {
            let asking = Asking { allowed, auto_approve: true, question: "" };
            agree(terminal, Some(blueprint), planned, &asking, judge, &mut refused)
        };
        let setting = blueprint.setting(global);
        let (desired, allowances) = (&blueprint.desired, &wish.allowances());
        match ops::apply_saved(&session, &saved, desired, &setting, found, allowances, agree).await {
            Ok(Some(applied)) => {
                drop(session);
                finish(terminal, applied)
            }
            Ok(None) => refused.unwrap_or(Exit::Error),
            Err(error) => report(terminal, &error),
        }
    })
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
