//! The terminal: the one doorway to standard output and standard error.

use crate::cli::{Global, When};
use crate::exit::Exit;
use berth::report::Style;
use std::io::{IsTerminal, Write};

/// What is known of the terminal, and what the person asked for.
#[derive(Debug, Clone)]
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
            if color { Style::colored(width) } else { Style::plain(width) }
        };
        let (stdout, stderr) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let width = terminal_size::terminal_size().map(|(width, _)| width.0);
        Terminal {
            out: style(stdout, width),
            err: style(stderr, width),
            interactive: std::io::stdin().is_terminal() && stderr,
            bars: stderr && !global.no_progress && !global.quiet,
            quiet: global.quiet,
        }
    }

    /// Writes a result.
    pub fn print(&self, text: &str) {
        // A reader that went away (`| head`) is no error of ours.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }

    /// Says something beside the results.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Says what went wrong.
    pub fn fail(&self, message: &str) -> Exit {
        let (red, off) = if self.err.color { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(std::io::stderr(), "{red}error:{off} {}", berth::report::escape_lines(message));
        Exit::Error
    }

    /// Asks a question that only `yes` answers with yes.
    pub fn ask(&self, question: &str) -> bool {
        let _ = write!(std::io::stderr(), "{question} Only `yes` is taken for yes: ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        matches!(std::io::stdin().read_line(&mut answer), Ok(read) if read > 0) && answer.trim() == "yes"
    }
}
