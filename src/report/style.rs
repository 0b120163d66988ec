//! How a report looks: width, colour, characters. And lines that are measured before they are painted.

use super::text::{self, disarmed, width};

/// How a report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are used. No meaning depends on them.
    pub color: bool,
    /// Whether characters beyond ASCII are used for arrows, marks and frames.
    pub unicode: bool,
    /// How many columns a line may have.
    pub width: usize,
    /// Whether sentences are broken to fit: not in a pipe, where a program or an editor has lines of its own.
    pub folds: bool,
}

impl Style {
    /// Without colour, with Unicode marks.
    pub const fn plain(width: usize) -> Self {
        Style { color: false, unicode: true, width, folds: true }
    }

    /// With colour and Unicode marks.
    pub const fn colored(width: usize) -> Self {
        Style { color: true, unicode: true, width, folds: true }
    }

    /// The same, with sentences in one line.
    #[must_use]
    pub const fn unfolded(self) -> Self {
        Style { folds: false, ..self }
    }

    /// A text in lines that leave `taken` columns free.
    pub(crate) fn fold(&self, text: &str, taken: usize) -> Vec<String> {
        match self.folds {
            true => text::wrap(text, self.width.saturating_sub(taken).max(20)),
            false => text.split('\n').map(str::to_owned).collect(),
        }
    }

    pub(crate) const fn arrow(&self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    pub(crate) const fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// The text in the colour of its tone.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        match tone.code() {
            Some(code) if self.color && !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}

impl Default for Style {
    fn default() -> Self {
        Style::plain(80)
    }
}

/// What a piece of text is, from which its colour follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary.
    Plain,
    /// Names and headings.
    Strong,
    /// What may be skipped.
    Dim,
    /// What comes into being, and what went well.
    Good,
    /// What changes.
    Change,
    /// What is lost, and what went wrong.
    Bad,
    /// What is only taken note of.
    Note,
}

impl Tone {
    const fn code(self) -> Option<&'static str> {
        match self {
            Tone::Plain => None,
            Tone::Strong => Some("1"),
            Tone::Dim => Some("2"),
            Tone::Good => Some("32"),
            Tone::Change => Some("33"),
            Tone::Bad => Some("31"),
            Tone::Note => Some("36"),
        }
    }
}

/// A line made of pieces; its width is known before any colour is in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Vec<(Tone, String)>);

impl Line {
    pub(crate) fn indented(columns: usize) -> Self {
        Line::default().add(Tone::Plain, " ".repeat(columns))
    }

    pub(crate) fn add(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push((tone, text.into()));
        self
    }

    pub(crate) fn plain(self, text: impl Into<String>) -> Self {
        self.add(Tone::Plain, text)
    }

    /// Spaces up to a column.
    pub(crate) fn pad_to(self, column: usize) -> Self {
        let missing = column.saturating_sub(self.width());
        self.plain(" ".repeat(missing))
    }

    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| width(text)).sum()
    }
}

/// Lines of a report as they come about.
pub(crate) struct Page<'s> {
    pub(crate) style: &'s Style,
    text: String,
}

impl<'s> Page<'s> {
    pub(crate) fn new(style: &'s Style) -> Self {
        Page { style, text: String::new() }
    }

    pub(crate) fn line(&mut self, line: Line) {
        let used = line.0.iter().rposition(|(_, text)| !text.trim().is_empty()).map_or(0, |at| at + 1);
        for (at, (tone, text)) in line.0[..used].iter().enumerate() {
            let text = if at + 1 == used { text.trim_end() } else { text };
            self.text.push_str(&self.style.paint(*tone, text));
        }
        self.text.push('\n');
    }

    /// An empty line, unless there is one already.
    pub(crate) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A text over as many lines as it needs, broken between words.
    pub(crate) fn paragraph(&mut self, indent: usize, tone: Tone, text: &str) {
        self.hanging(Line::indented(indent), tone, text);
    }

    /// A text that starts after `head` and goes on below its own beginning.
    pub(crate) fn hanging(&mut self, head: Line, tone: Tone, text: &str) {
        let column = head.width();
        let mut head = Some(head);
        for part in self.style.fold(text, column) {
            let line = head.take().unwrap_or_else(|| Line::indented(column));
            self.line(line.add(tone, part));
        }
    }

    /// Lines that are painted already.
    pub(crate) fn append(&mut self, lines: &str) {
        self.text.push_str(lines);
    }

    pub(crate) fn finish(self) -> String {
        // A line that was broken may begin with what stood in the middle of another.
        match self.text.contains("::") {
            true => self.text.split_inclusive('\n').map(disarmed).collect(),
            false => self.text,
        }
    }
}
