//! `berth apply`

use super::{plan, report, with_session};
use crate::cli::{Format, Global};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::apply::Applied;
use berth::approve::Allowances;
use berth::event::Outcome;
use berth::ops::{self, Planned};
use berth::report::human;
use std::path::Path;

/// What the person asked for.
pub struct Wish {
    /// Do not ask.
    pub auto_approve: bool,
    /// Take over what nobody owns.
    pub adopt: bool,
    /// May be replaced.
    pub allow_replace: Vec<String>,
    /// May be deleted.
    pub allow_delete: Vec<String>,
    /// Only these addresses.
    pub target: Vec<String>,
}

/// Brings Azure to what the blueprint says.
pub fn run(global: &Global, terminal: &Terminal, path: &Path, wish: Wish) -> Exit {
    with_session(global, terminal, path, async |blueprint, mut session| {
        session.targets = wish.target;
        let allowances = Allowances { replace: wish.allow_replace, delete: wish.allow_delete };
        let mut refused = None;
        let agree = |planned: &Planned, allowed: bool| {
            agree(terminal, planned, allowed, wish.auto_approve, "Apply this plan?", &mut refused)
        };
        let adoption = plan::adoption(wish.adopt);
        match ops::apply(&session, &blueprint.desired, adoption, &allowances, agree).await {
            Ok(Some(applied)) => {
                drop(session);
                finish(terminal, &applied)
            }
            Ok(None) => refused.unwrap_or(Exit::Error),
            Err(error) => report(terminal, &error),
        }
    })
}

/// Shows the plan and asks, unless nothing is to be done or the answer was given already.
pub fn agree(
    terminal: &Terminal,
    planned: &Planned,
    allowed: bool,
    auto_approve: bool,
    question: &str,
    refused: &mut Option<Exit>,
) -> bool {
    plan::show(terminal, planned, Format::Human);
    if auto_approve || planned.plan.is_empty() || !allowed {
        return true;
    }
    if !terminal.interactive {
        terminal.fail("nobody is here to say yes\nhelp: run again with `--auto-approve`");
        *refused = Some(Exit::Error);
        return false;
    }
    let yes = terminal.ask(question);
    if !yes {
        terminal.say("Nothing was done.");
        *refused = Some(Exit::Done);
    }
    yes
}

/// Shows how a run ended.
pub fn finish(terminal: &Terminal, applied: &Applied) -> Exit {
    let summary = &applied.summary;
    if summary.steps.is_empty() && !summary.interrupted {
        // The plan has said so, and shown the outputs.
        return Exit::Done;
    }
    terminal.print(&human::summary(summary, &applied.outputs, &terminal.out));
    if summary.is_complete() {
        return Exit::Done;
    }
    if summary.interrupted {
        return Exit::Interrupted;
    }
    match summary.steps.iter().any(|step| step.outcome == Outcome::Done) {
        true => Exit::Partial,
        false => Exit::Error,
    }
}
