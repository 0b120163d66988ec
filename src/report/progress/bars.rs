//! Progress as bars that are redrawn.

use super::plain::{Tally, finished, fitted, lock_taken, stopping};
use crate::change::Action;
use crate::event::{Event, EventKind, Listener};
use crate::ident::Address;
use crate::report::style::Style;
use crate::report::text::{about, duration, escape};
use crate::report::words::{doing, mark};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The engine's clock, in milliseconds since 1970. It is asked on other threads too.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How often a second the terminal is redrawn, at most.
const HERTZ: u8 = 10;
/// How many running resources have a line; the others are counted.
const LINES: usize = 12;

/// The draw target for a terminal: standard error, redrawn ten times a second at most.
pub fn target() -> ProgressDrawTarget {
    ProgressDrawTarget::stderr_with_hz(HERTZ)
}

/// Draws a line a running resource and a bar for the whole; finished steps are printed above and stay.
///
/// A target that is not a terminal shows nothing at all: that is what [`Plain`](super::Plain) is for.
/// Nothing is left of the bars when the run ends, or when this is dropped.
pub struct Bars {
    style: Style,
    now: Now,
    bars: MultiProgress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tally: Tally,
    total: Option<ProgressBar>,
    running: Vec<Running>,
}

impl State {
    /// What is behind the bar at the bottom: how long the longest of what is left usually takes, and how many have no
    /// line.
    fn rest(&self, hidden: usize, now: u64) -> String {
        let of = |running: &Running| running.left_ms.saturating_sub(now.saturating_sub(running.since_ms));
        let left = self.running.iter().map(of).max().unwrap_or(0);
        let left = if left >= 60_000 { format!(", about {} left", about(left)) } else { String::new() };
        let more = if hidden > 0 { format!("  and {hidden} more") } else { String::new() };
        format!("{left}{more}")
    }
}

struct Running {
    address: Address,
    action: Action,
    since_ms: u64,
    expected_ms: u64,
    /// How long it and what waits for it usually take.
    left_ms: u64,
    /// What for, and until when.
    waits: Option<(String, u64)>,
    /// None for those that have no line.
    bar: Option<ProgressBar>,
}

impl Bars {
    /// Draws on `target`; elapsed times are by `now`.
    pub fn new(target: ProgressDrawTarget, style: Style, now: Now) -> Self {
        let bars = MultiProgress::with_draw_target(target);
        Bars { style, now, bars, state: Mutex::new(State::default()) }
    }

    /// Redraws every so often on a thread of its own, until the last reference to this is gone.
    pub fn keep_ticking(self: &Arc<Self>, every: Duration) {
        let bars = Arc::downgrade(self);
        std::thread::spawn(move || {
            loop {
                std::thread::park_timeout(every);
                match bars.upgrade() {
                    Some(bars) => bars.tick(),
                    None => return,
                }
            }
        });
    }

    /// Redraws, so that elapsed times move.
    pub fn tick(&self) {
        let mut state = self.state();
        let now = (self.now)();
        for running in &mut state.running {
            if running.waits.as_ref().is_some_and(|(_, until_ms)| *until_ms <= now) {
                running.waits = None;
                running.bar.iter().for_each(|bar| bar.set_message(running.message()));
            }
        }
        let hidden = state.running.iter().filter(|running| running.bar.is_none()).count();
        let rest = state.rest(hidden, now);
        if !state.running.is_empty() {
            state.total.iter().for_each(|total| total.set_message(rest.clone()));
        }
        state.running.iter().filter_map(|running| running.bar.as_ref()).for_each(ProgressBar::tick);
        state.total.iter().for_each(ProgressBar::tick);
    }

    /// Runs `print` while no bar is on the screen, for a question or a message between.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bars.suspend(print)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self, text: &str) {
        let _ = self.bars.println(text);
    }

    /// The bar at the bottom.
    fn total(&self, len: usize, what: &str, since_ms: u64) -> ProgressBar {
        let marks = if self.style.unicode { "━╸─" } else { "=> " };
        let columns = self.style.width.saturating_sub(40).clamp(10, 40);
        let color = if self.style.color { ".green" } else { "" };
        let template = format!("{what} [{{bar:{columns}{color}}}] {{pos}}/{{len}}  {{clock}}{{msg}}");
        let style = ProgressStyle::with_template(&template).expect("the template is fixed but for a number");
        let bar = ProgressBar::hidden();
        bar.set_length(len as u64);
        bar.set_style(style.progress_chars(marks).with_key("clock", self.clock(since_ms)));
        self.bars.add(bar)
    }

    /// Writes the time since an instant of the engine's clock, whenever the bar is drawn.
    fn clock(
        &self,
        since_ms: u64,
    ) -> impl Fn(&ProgressState, &mut dyn fmt::Write) + Send + Sync + Clone + 'static {
        let now = self.now.clone();
        move |_: &ProgressState, out: &mut dyn fmt::Write| {
            let elapsed = now().saturating_sub(since_ms);
            // Whole seconds: tenths would only flicker.
            let text = if elapsed < 60_000 { format!("{}s", elapsed / 1000) } else { duration(elapsed) };
            let _ = out.write_str(&text);
        }
    }

    /// Gives a line to those that run longest, and says how many have none.
    fn arrange(&self, state: &mut State) {
        let Some(total) = &state.total else { return };
        let drawn = state.running.iter().filter(|running| running.bar.is_some()).count();
        for running in state.running.iter_mut().filter(|r| r.bar.is_none()).take(LINES.saturating_sub(drawn))
        {
            let frames: &[&str] = if self.style.unicode {
                &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "]
            } else {
                &["|", "/", "-", "\\", " "]
            };
            let spinner = if self.style.color { "{spinner:.cyan}" } else { "{spinner}" };
            let template = format!("{spinner} {{prefix}}  {{clock}}{{wide_msg}}");
            let style = ProgressStyle::with_template(&template).expect("the template is fixed");
            let bar = ProgressBar::hidden();
            bar.set_style(style.tick_strings(frames).with_key("clock", self.clock(running.since_ms)));
            bar.set_prefix(running.title(&self.style));
            bar.set_message(running.message());
            running.bar = Some(self.bars.insert_before(total, bar));
        }
        let hidden = state.running.iter().filter(|running| running.bar.is_none()).count();
        total.set_message(state.rest(hidden, (self.now)()));
        total.set_position(state.tally.ended as u64);
    }

    /// Takes everything off the screen.
    fn clear(&self, state: &mut State) {
        for running in state.running.drain(..) {
            running.bar.iter().for_each(ProgressBar::finish_and_clear);
        }
        state.total.take().iter().for_each(ProgressBar::finish_and_clear);
        let _ = self.bars.clear();
    }
}

impl Running {
    fn title(&self, style: &Style) -> String {
        let text =
            format!("{} {} {}", mark(self.action, style), escape(self.address.as_str()), doing(self.action));
        fitted(text, &Style { width: style.width.saturating_sub(28), ..*style })
    }

    fn message(&self) -> String {
        match &self.waits {
            Some((reason, _)) => format!(", waits: {reason}"),
            None if self.expected_ms >= 10_000 => format!(" of about {}", about(self.expected_ms)),
            None => String::new(),
        }
    }
}

impl Listener for Bars {
    fn event(&self, event: &Event) {
        let mut state = self.state();
        let state = &mut *state;
        state.tally.take(event);
        match &event.kind {
            EventKind::Reading { done, total } => {
                let bar = state.total.get_or_insert_with(|| self.total(*total, "Reading", event.at_ms));
                bar.set_length(*total as u64);
                bar.set_position(*done as u64);
                if done == total {
                    self.clear(state);
                }
            }
            EventKind::RunStarted { steps } => {
                self.clear(state);
                state.total = Some(self.total(*steps, "Applying", event.at_ms));
                self.arrange(state);
            }
            EventKind::StepStarted { address, action, expected_ms, left_ms } => {
                state.running.push(Running {
                    address: address.clone(),
                    action: *action,
                    since_ms: event.at_ms,
                    expected_ms: *expected_ms,
                    left_ms: *left_ms,
                    waits: None,
                    bar: None,
                });
                self.arrange(state);
            }
            EventKind::StepWaiting { address, reason, wait_ms, .. } => {
                let until_ms = event.at_ms.saturating_add(*wait_ms);
                for running in state.running.iter_mut().filter(|running| running.address == *address) {
                    running.waits = Some((escape(reason).into_owned(), until_ms));
                    running.bar.iter().for_each(|bar| bar.set_message(running.message()));
                }
            }
            EventKind::StepFinished { address, action, outcome, elapsed_ms } => {
                if let Some(at) = state.running.iter().position(|running| running.address == *address)
                    && let Some(bar) = state.running.remove(at).bar
                {
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                self.print(&finished(address.as_str(), *action, outcome, *elapsed_ms, &self.style));
                self.arrange(state);
            }
            EventKind::LockTaken { from } => self.print(&lock_taken(from)),
            EventKind::Interrupted { at_once } => self.print(stopping(*at_once)),
            EventKind::RunFinished { .. } => self.clear(state),
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let mut state = std::mem::take(&mut *self.state());
        self.clear(&mut state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::progress::plain::tests::story;
    use indicatif::TermLike;
    use std::io;
    use std::sync::atomic::{AtomicU64, Ordering};

    const COLUMNS: usize = 80;

    /// A terminal that breaks long lines as real ones do: only when a character comes after the last column.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<Cells>>);

    #[derive(Debug, Default)]
    struct Cells {
        rows: Vec<Vec<char>>,
        row: usize,
        column: usize,
    }

    impl Cells {
        fn line(&mut self) -> &mut Vec<char> {
            if self.rows.len() <= self.row {
                self.rows.resize(self.row + 1, Vec::new());
            }
            &mut self.rows[self.row]
        }

        fn put(&mut self, c: char) {
            match c {
                '\r' => self.column = 0,
                '\n' => (self.row, self.column) = (self.row + 1, 0),
                c => {
                    if self.column == COLUMNS {
                        (self.row, self.column) = (self.row + 1, 0);
                    }
                    let column = self.column;
                    let line = self.line();
                    line.resize(line.len().max(column + 1), ' ');
                    line[column] = c;
                    self.column += 1;
                }
            }
        }
    }

    impl Screen {
        fn text(&self) -> String {
            let cells = self.0.lock().unwrap();
            let lines: Vec<String> = cells.rows.iter().map(|row| row.iter().collect::<String>()).collect();
            lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n").trim_end().to_owned()
        }

        fn with(&self, change: impl FnOnce(&mut Cells)) -> io::Result<()> {
            change(&mut self.0.lock().unwrap());
            Ok(())
        }

        fn move_by(&self, rows: isize) -> io::Result<()> {
            self.with(|cells| {
                cells.row = cells.row.saturating_add_signed(rows);
                cells.column = cells.column.min(COLUMNS - 1);
            })
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            COLUMNS as u16
        }
        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            self.move_by(-(n as isize))
        }
        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.move_by(n as isize)
        }
        fn move_cursor_right(&self, n: usize) -> io::Result<()> {
            self.with(|cells| cells.column += n)
        }
        fn move_cursor_left(&self, n: usize) -> io::Result<()> {
            self.with(|cells| cells.column -= n)
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)?;
            self.write_str("\n")
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.with(|cells| text.chars().for_each(|c| cells.put(c)))
        }
        fn clear_line(&self) -> io::Result<()> {
            self.with(|cells| {
                cells.line().clear();
                cells.column = 0;
            })
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn bars(screen: &Screen) -> (Bars, Arc<AtomicU64>) {
        let time = Arc::new(AtomicU64::new(0));
        let now: Now = {
            let time = time.clone();
            Arc::new(move || time.load(Ordering::SeqCst))
        };
        (Bars::new(ProgressDrawTarget::term_like(Box::new(screen.clone())), Style::plain(80), now), time)
    }

    #[test]
    fn running_steps_are_drawn_by_the_engines_clock() {
        let screen = Screen::default();
        let (bars, time) = bars(&screen);
        for event in story().iter().take(7) {
            time.store(event.at_ms, Ordering::SeqCst);
            bars.event(event);
        }
        insta::assert_snapshot!(screen.text());
        time.store(3_220 + 245_000, Ordering::SeqCst);
        bars.tick();
        insta::assert_snapshot!(screen.text());
    }

    #[test]
    fn nothing_but_finished_lines_is_left() {
        let screen = Screen::default();
        let (bars, time) = bars(&screen);
        for event in story() {
            time.store(event.at_ms, Ordering::SeqCst);
            bars.event(&event);
        }
        insta::assert_snapshot!(screen.text());
    }

    #[test]
    fn only_so_many_steps_have_a_line() {
        let screen = Screen::default();
        let (bars, _) = bars(&screen);
        let started = |at: usize| EventKind::StepStarted {
            address: Address::new(format!("networks.n{at}")),
            action: Action::Create,
            expected_ms: 0,
            left_ms: 0,
        };
        bars.event(&Event { number: 1, at_ms: 0, kind: EventKind::RunStarted { steps: 20 } });
        (0..15).for_each(|at| bars.event(&Event { number: 2, at_ms: 0, kind: started(at) }));
        bars.tick();
        assert_eq!(screen.text().matches("networks.n").count(), LINES, "{}", screen.text());
        assert!(screen.text().ends_with("and 3 more"), "{}", screen.text());
        drop(bars);
        assert_eq!(screen.text(), "");
    }

    #[test]
    fn a_hidden_target_and_a_ticking_thread_do_no_harm() {
        let bars = Arc::new(Bars::new(ProgressDrawTarget::hidden(), Style::plain(80), Arc::new(|| 0)));
        bars.keep_ticking(Duration::from_millis(1));
        story().iter().for_each(|event| bars.event(event));
        assert_eq!(bars.suspend(|| 1), 1);
    }
}
