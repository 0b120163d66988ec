//! `berth apply`

use super::policy::Judge;
use super::{Loaded, PendingSource, of_blueprint, plan, report, saved, with_session_of};
use crate::cli::{ApplyArgs, Format, Global};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::apply::Applied;
use berth::change::Outcome;
use berth::diag::Failure;
use berth::ident::Header;
use berth::ops::{self, Planned};
use berth::report::human;

/// Brings Azure to what the blueprint says, or carries out a saved plan.
pub fn run(global: &Global, terminal: &Terminal, wish: &ApplyArgs) -> Exit {
    let path = wish.blueprint.as_path();
    let bytes = match settings::read(path) {
        Ok(bytes) => bytes,
        Err(failure) => return terminal.fail(&failure),
    };
    if berth::plan::is_saved(&bytes) {
        return saved::apply(global, terminal, path, &bytes, wish);
    }
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    let judge = match Judge::read(&wish.policies, global) {
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
            wish.extent.limit(&mut session);
            let (mut refused, mut held) = (None, false);
            let agree = |planned: &Planned, allowed: bool| {
                held = planned.plan.is_held();
                let asking = Asking { allowed, auto_approve: wish.auto_approve, question: "Apply this plan" };
                agree(terminal, Some(blueprint), planned, &asking, judge.as_ref(), &mut refused)
            };
            let adoption = plan::adoption(wish.adopt);
            match ops::apply(&session, &blueprint.desired, adoption, &wish.allowances(), agree).await {
                Ok(Some(applied)) => {
                    drop(session);
                    match finish(terminal, applied) {
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
    let shown = plan::show(terminal, blueprint, planned, Format::Human, judge);
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

/// Shows how a run ended.
pub fn finish(terminal: &Terminal, applied: Applied) -> Exit {
    let summary = &applied.summary;
    let silent = summary.steps.is_empty() && !summary.interrupted;
    if !silent {
        terminal.print(&human::summary(summary, &applied.outputs, &terminal.out));
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
