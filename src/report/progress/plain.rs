//! Progress as lines.

use crate::change::{Action, Outcome};
use crate::event::{Event, EventKind, Listener};
use crate::report::style::{Style, Tone};
use crate::report::text::{about, count, duration, escape, escape_lines, help_line, width};
use crate::report::words::{doing, done, mark, tone};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Writes a line when a step starts, waits or ends: `[ 3/27] + clusters.aks created in 8m02s`.
pub struct Plain {
    style: Style,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    tally: Tally,
}

/// How far a run is.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) ended: usize,
    pub(super) steps: usize,
    started_ms: u64,
}

impl Tally {
    pub(super) fn take(&mut self, event: &Event) {
        match event.kind {
            EventKind::RunStarted { steps } => {
                *self = Tally { ended: 0, steps, started_ms: event.at_ms };
            }
            EventKind::StepFinished { .. } => self.ended += 1,
            _ => {}
        }
    }

    /// `[ 3/27] `, as wide at the end as at the beginning.
    pub(super) fn prefix(&self) -> String {
        let steps = self.steps.max(self.ended);
        format!("[{:>columns$}/{steps}] ", self.ended, columns = steps.to_string().len())
    }

    /// The time since the run started, by the event's own clock.
    pub(super) fn elapsed(&self, event: &Event) -> String {
        duration(event.at_ms.saturating_sub(self.started_ms))
    }
}

impl Plain {
    /// Writes to `out`. What cannot be written is lost: no run stops because nobody reads of it.
    pub fn new(out: Box<dyn Write + Send>, style: Style) -> Self {
        Plain { style, state: Mutex::new(State { out, tally: Tally::default() }) }
    }
}

impl Listener for Plain {
    fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tally.take(event);
        if let Some(line) = line(event, &state.tally, &self.style) {
            let _ = writeln!(state.out, "{line}");
            let _ = state.out.flush();
        }
    }
}

/// What an event is worth in a log.
fn line(event: &Event, tally: &Tally, style: &Style) -> Option<String> {
    let prefix = style.paint(Tone::Dim, &tally.prefix());
    Some(match &event.kind {
        // Reading is quick: its end is enough.
        EventKind::Reading { done, total } if done == total => format!("Read {}", count(*total, "resource")),
        EventKind::Reading { .. } => return None,
        // Nothing to do is said by the plan.
        EventKind::RunStarted { steps: 0 } => return None,
        EventKind::RunFinished { .. } if tally.steps == 0 && tally.ended == 0 => return None,
        EventKind::RunStarted { steps } => format!("Taking {}", count(*steps, "step")),
        EventKind::StepStarted { address, action, expected_ms, .. } => {
            let expected = if *expected_ms >= 60_000 {
                format!(", usually {}", about(*expected_ms))
            } else {
                String::new()
            };
            format!(
                "{prefix}{} {} {}{expected}",
                marked(*action, style),
                escape(address.as_str()),
                doing(*action)
            )
        }
        EventKind::StepWaiting { address, reason, attempt, wait_ms } => {
            format!(
                "{prefix}{} {} waits {} after attempt {attempt}: {}",
                style.paint(Tone::Change, "."),
                escape(address.as_str()),
                if *wait_ms < 1000 { duration(*wait_ms) } else { about(*wait_ms) },
                escape(reason)
            )
        }
        EventKind::StepFinished { address, action, outcome, elapsed_ms } => {
            format!("{prefix}{}", finished(address.as_str(), *action, outcome, *elapsed_ms, style))
        }
        EventKind::LockTaken { from } => lock_taken(from),
        EventKind::Interrupted { at_once } => stopping(*at_once).to_owned(),
        EventKind::RunFinished { .. } => format!("{prefix}finished in {}", tally.elapsed(event)),
    })
}

/// Whose lock this run has now.
pub(super) fn lock_taken(from: &str) -> String {
    format!("Took the ledger's lock from a run that died: {}.", escape(from))
}

/// What an interrupt does.
pub(super) const fn stopping(at_once: bool) -> &'static str {
    if at_once {
        "Stopping at once: what is under way goes on in Azure; the next run takes it up."
    } else {
        "Stopping: nothing new starts, what is under way ends. Once more stops at once."
    }
}

fn marked(action: Action, style: &Style) -> String {
    style.paint(tone(action), mark(action, style))
}

/// How a step ended: one line, and those of the message when it failed.
pub(super) fn finished(
    address: &str,
    action: Action,
    outcome: &Outcome,
    elapsed_ms: u64,
    style: &Style,
) -> String {
    let address = escape(address);
    let after = duration(elapsed_ms);
    match outcome {
        Outcome::Done => format!("{} {address} {} in {after}", marked(action, style), done(action)),
        Outcome::Failed { message, help, .. } => {
            let mut text = format!(
                "{} {address} {} after {after}",
                style.paint(Tone::Bad, "!"),
                style.paint(Tone::Bad, &format!("failed to {}", action.word()))
            );
            let said = std::iter::once(message.clone()).chain(help_line(help.as_deref()));
            for said in said {
                for line in style.fold(&escape_lines(&said), 10) {
                    text.push_str("\n          ");
                    text.push_str(&line);
                }
            }
            text
        }
        Outcome::Skipped { because_of } => {
            format!(
                "{} {address} skipped: needs {}",
                style.paint(Tone::Change, "!"),
                escape(because_of.as_str())
            )
        }
        Outcome::NotStarted => format!("{} {address} not started", style.paint(Tone::Change, "!")),
        Outcome::Unfinished => format!("{} {address} still under way", style.paint(Tone::Change, "!")),
    }
}

/// A line no wider than the terminal.
pub(super) fn fitted(text: String, style: &Style) -> String {
    if width(&text) <= style.width {
        return text;
    }
    let mut short = String::new();
    let room = style.width.saturating_sub(width(style.ellipsis()));
    for c in text.chars() {
        if width(&short) + width(c.encode_utf8(&mut [0; 4])) > room {
            break;
        }
        short.push(c);
    }
    short + style.ellipsis()
}

#[cfg(test)]
pub(in crate::report) mod tests {
    use super::*;
    use crate::ident::Address;
    use std::sync::Arc;

    /// Bytes that can be read while somebody writes them.
    #[derive(Clone, Default)]
    pub(in crate::report) struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Buffer {
        pub(in crate::report) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A short run in which everything happens.
    pub(in crate::report) fn story() -> Vec<Event> {
        let address = Address::new;
        let finished = |name: &str, action, outcome, elapsed_ms| EventKind::StepFinished {
            address: address(name.to_owned()),
            action,
            outcome,
            elapsed_ms,
        };
        let started = |name: &str, action, expected_ms| EventKind::StepStarted {
            address: address(name.to_owned()),
            action,
            expected_ms,
            left_ms: expected_ms,
        };
        let failed = Outcome::Failed {
            message: "Azure refused: quota is exhausted in westeurope for the family of Standard_D4s_v5.\nAsk for \u{1b}[31mmore.".into(),
            help: None,
            code: Some("QuotaExceeded".into()),
        };
        [
            (0, EventKind::Reading { done: 1, total: 2 }),
            (5, EventKind::Reading { done: 2, total: 2 }),
            (10, EventKind::RunStarted { steps: 12 }),
            (10, started("networks.hub", Action::Update, 4_000)),
            (3_220, finished("networks.hub", Action::Update, Outcome::Done, 3_210)),
            (3_220, started("clusters.aks", Action::Create, 480_000)),
            (
                4_000,
                EventKind::StepWaiting {
                    address: address("clusters.aks".to_owned()),
                    reason: "another operation is in progress\u{7}".into(),
                    attempt: 1,
                    wait_ms: 30_000,
                },
            ),
            (500_000, finished("clusters.aks", Action::Create, Outcome::Done, 482_000)),
            (500_000, started("clusters.aks.nodePools.winpl", Action::Create, 180_000)),
            (512_000, EventKind::Interrupted { at_once: false }),
            (512_000, finished("clusters.aks.nodePools.winpl", Action::Create, failed, 12_000)),
            (
                512_000,
                finished(
                    "workloads.win",
                    Action::Create,
                    Outcome::Skipped { because_of: address("clusters.aks.nodePools.winpl".to_owned()) },
                    0,
                ),
            ),
            (512_000, finished("clusters.old", Action::Delete, Outcome::NotStarted, 0)),
            (512_010, EventKind::RunFinished { elapsed_ms: 512_000 }),
        ]
        .into_iter()
        .enumerate()
        .map(|(at, (at_ms, kind))| Event { number: at as u64 + 1, at_ms, kind })
        .collect()
    }

    #[test]
    fn a_run_reads_as_a_log() {
        let buffer = Buffer::default();
        let listener = Plain::new(Box::new(buffer.clone()), Style::plain(80));
        story().iter().for_each(|event| listener.event(event));
        insta::assert_snapshot!(buffer.text());
    }

    #[test]
    fn a_fitted_line_says_that_it_was_cut() {
        assert_eq!(fitted("abcdef".into(), &Style::plain(5)), "abcd…");
        assert_eq!(fitted("abcde".into(), &Style::plain(5)), "abcde");
    }
}
