//! The terminal: the one doorway to standard output and standard error.

use crate::ci::Ci;
use crate::cli::{Global, When};
use crate::exit::Exit;
use berth::diag::Failure;
use berth::event::Listener;
use berth::report::ci::Issue;
use berth::report::progress::Tee;
use berth::report::{Guarded, Style, guarded, human};
use berth::value::redact::Redactor;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

/// The secrets that this process knows.
static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::new);

/// Whether a result could not be written.
static UNWRITTEN: AtomicBool = AtomicBool::new(false);

/// The exit of a run, all of whose results have to have been written.
pub fn written(exit: Exit) -> Exit {
    match exit {
        Exit::Done | Exit::Changes if UNWRITTEN.load(Ordering::Relaxed) => Exit::Error,
        exit => exit,
    }
}

/// Says that a result cannot be written, once: the others have the same reason, and the exit code tells of them.
pub fn unwritten(what: &str, error: &std::io::Error) {
    if !UNWRITTEN.swap(true, Ordering::Relaxed) {
        for (label, text) in [
            ("error", format!("{what} cannot be written: {error}")),
            ("help", "check the disk or the pipe that it goes to".to_owned()),
        ] {
            let line = format!("{label}: {}\n", berth::report::escape_lines(&text));
            let _ = std::io::stderr().write_all(guarded(&line, redactor(), false).as_bytes());
        }
    }
}

/// What takes the secrets of this process out of everything that leaves it.
pub fn redactor() -> &'static Redactor {
    &REDACTOR
}

/// Standard error, for those who write lines to it by themselves.
pub fn stderr(color: bool) -> Guarded<std::io::Stderr> {
    Guarded::new(std::io::stderr(), redactor(), color)
}

/// Standard output, for those who write lines to it by themselves.
pub fn stdout() -> Guarded<std::io::Stdout> {
    Guarded::new(std::io::stdout(), redactor(), false)
}

/// What a panic says goes the way of everything else.
pub fn guard_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        let mut text = format!("berth has a defect: {panic}\n");
        if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
            text.push_str(&format!("{backtrace}\n"));
        }
        let _ = std::io::stderr().write_all(guarded(&text, redactor(), false).as_bytes());
    }));
}

/// Shows help, or what is wrong with the arguments. Values of parameters among them may be secrets.
pub fn print_usage(error: &clap::Error) {
    if !error.use_stderr() {
        match error.print().and_then(|()| std::io::stdout().flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                unwritten("standard output", &error)
            }
            _ => {}
        }
        return;
    }
    let arguments: Vec<String> =
        std::env::args_os().filter_map(|argument| argument.into_string().ok()).collect();
    for (before, argument) in arguments.iter().zip(arguments.iter().skip(1)) {
        let given = if ["-p", "--param"].contains(&before.as_str()) {
            Some(argument.as_str())
        } else {
            argument.strip_prefix("-p").or_else(|| argument.strip_prefix("--param="))
        };
        if let Some((_, value)) = given.and_then(|given| given.split_once('=')) {
            redactor().learn(value);
        }
    }
    let color = std::io::stderr().is_terminal();
    let text = if color { error.render().ansi().to_string() } else { error.render().to_string() };
    let _ = std::io::stderr().write_all(guarded(&text, redactor(), color).as_bytes());
}

/// A file that a flag names and that cannot be written.
pub fn unwritable(path: &Path, error: &std::io::Error, flag: &str) -> Failure {
    let message = format!("{}: {error}", path.display());
    Failure::new(message, format!("name a file that can be written with `{flag}`"))
}

/// What is known of the terminal, and what the person asked for.
#[derive(Clone)]
pub struct Terminal {
    /// How reports on standard output look.
    pub out: Style,
    /// How messages on standard error look.
    pub err: Style,
    /// Whether a person can answer.
    pub interactive: bool,
    /// Whether standard error can show bars.
    pub bars: bool,
    /// Whether nothing but results and errors is said.
    pub quiet: bool,
    /// The build server that reads the log.
    pub ci: Option<Arc<Ci>>,
    /// Who listens to the run besides: its trace.
    beside: Option<Arc<dyn Listener>>,
    /// Whether results go to standard error, because standard output is a file that was asked for (`-`).
    aside: bool,
}

impl Terminal {
    /// Looks at standard output and error.
    pub fn new(global: &Global) -> Self {
        let environment = crate::settings::environment();
        let unwanted = environment.get("NO_COLOR").is_some_and(|value| !value.is_empty())
            || environment.get("TERM").is_some_and(|term| term == "dumb");
        let style = |is_terminal: bool, stream_width: Option<u16>| {
            let color = match global.color {
                When::Always => true,
                When::Never => false,
                When::Auto => is_terminal && !unwanted,
            };
            let columns = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
            let width = columns.or(stream_width.map(usize::from)).unwrap_or(80).clamp(40, 140);
            let style = if color { Style::colored(width) } else { Style::plain(width) };
            if is_terminal || columns.is_some() { style } else { style.unfolded() }
        };
        let (stdout, stderr) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let width = terminal_size::terminal_size().map(|(width, _)| width.0);
        let ci = crate::settings::ci(global.ci).map(Arc::new);
        Terminal {
            out: style(stdout, width),
            err: style(stderr, width),
            interactive: std::io::stdin().is_terminal() && stderr,
            bars: stderr && !global.no_progress && !global.quiet && ci.is_none(),
            quiet: global.quiet,
            ci,
            beside: None,
            aside: false,
        }
    }

    /// The same terminal, of a run that somebody else listens to as well.
    #[cfg(feature = "otlp")]
    pub fn beside(self, listener: Option<Arc<dyn Listener>>) -> Self {
        Terminal { beside: listener, ..self }
    }

    /// A listener of the run, and whoever listens besides.
    pub fn listening(&self, listener: Arc<dyn Listener>) -> Arc<dyn Listener> {
        match &self.beside {
            Some(beside) => Arc::new(Tee::new(listener, beside.clone())),
            None => listener,
        }
    }

    /// The same terminal, with results on standard error when one of these files is standard output (`-`).
    pub fn aside<'p>(&self, files: impl IntoIterator<Item = &'p Path>) -> Self {
        let aside = files.into_iter().any(|path| path.as_os_str() == "-");
        Terminal { aside, ..self.clone() }
    }

    /// Writes a result.
    pub fn print(&self, text: &str) {
        if self.aside {
            return self.tell(text);
        }
        self.write(guarded(text, redactor(), self.out.color).as_bytes());
    }

    /// Writes to standard output. A closed reader (`| head`) is ignored; a full disk is an error.
    fn write(&self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                drop(out);
                unwritten("standard output", &error);
            }
            _ => {}
        }
    }

    /// Writes a result that holds nothing of a blueprint and nothing of Azure's, as it is.
    pub fn print_own(&self, text: &str) {
        self.write(text.as_bytes());
    }

    /// Writes lines beside the results that are said even when nothing else is.
    pub fn tell(&self, text: &str) {
        let _ = std::io::stderr().write_all(guarded(text, redactor(), self.err.color).as_bytes());
    }

    /// Writes a report to a file.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn write_report(&self, path: &Path, text: &str) -> std::io::Result<()> {
        if path.as_os_str() == "-" {
            self.write(guarded(text, redactor(), false).as_bytes());
            return Ok(());
        }
        berth::host::files::write_output(path, guarded(text, redactor(), false).as_bytes())
    }

    /// Says something beside the results.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.tell(&format!("{text}\n"));
        }
    }

    /// Says what went wrong.
    pub fn fail(&self, failure: &Failure) -> Exit {
        self.tell(&human::failure(failure, &self.err));
        self.issue(failure.into());
        Exit::Error
    }

    /// Shows the build server what is wrong, where there is one.
    pub fn issue(&self, issue: Issue) {
        if let Some(ci) = &self.ci {
            ci.issue(issue);
        }
    }

    /// Puts a Markdown text on the page of the run, where there is a build server.
    pub fn summary(&self, markdown: impl FnOnce() -> String) {
        let written = self.ci.as_ref().map_or(Ok(()), |ci| ci.summary(&markdown()));
        if let Err(failure) = written {
            // The page of the run is a courtesy: the run goes on without it.
            self.say(&format!("note: {failure}"));
        }
    }

    /// Asks a question that only `yes` answers with yes.
    pub fn ask(&self, question: &str) -> bool {
        self.tell(&format!("{} Type `yes` to continue: ", berth::report::escape_lines(question)));
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        matches!(std::io::stdin().read_line(&mut answer), Ok(read) if read > 0) && answer.trim() == "yes"
    }
}
