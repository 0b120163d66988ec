//! Diagnostics with the lines they are about.

use crate::diag::{Diagnostic, Diagnostics, Severity, Span};
use crate::report::style::{Line, Page, Style, Tone};
use crate::report::text::{commands, count, escape, escape_lines, is_unsafe};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Renders every diagnostic with its place, its line and its remedy, and how many there are.
pub fn diagnostics(diagnostics: &Diagnostics, style: &Style) -> String {
    let characters = if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let styles = if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(style.width)
        .with_wrap_lines(false)
        .with_links(false)
        .tab_width(4);

    let mut text = String::new();
    let (shown, left) = shown(diagnostics);
    for diagnostic in shown {
        let shown = Shown::new(diagnostic, style);
        // Only writing can fail here, and a String takes everything.
        let _ = handler.render_report(&mut text, &shown);
        text.push('\n');
    }
    let mut page = Page::new(style);
    page.append(&text);
    if left > 0 {
        page.line(Line::default().plain(format!("… and {left} more")));
    }
    page.line(total(diagnostics));
    page.finish()
}

/// `2 errors, 1 warning`.
fn total(diagnostics: &Diagnostics) -> Line {
    let number = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (number(Severity::Error), number(Severity::Warning));
    match (errors, warnings) {
        (0, 0) => Line::default().add(Tone::Good, "nothing is wrong"),
        (errors, 0) => Line::default().add(Tone::Bad, count(errors, "error")),
        (0, warnings) => Line::default().add(Tone::Change, count(warnings, "warning")),
        (errors, warnings) => Line::default()
            .add(Tone::Bad, count(errors, "error"))
            .plain(", ")
            .add(Tone::Change, count(warnings, "warning")),
    }
}

/// So many are read, if any: mend them, and the others come up.
const MOST: usize = 100;

/// Those that are shown, errors before warnings where there are too many, and how many are left out.
fn shown(diagnostics: &Diagnostics) -> (Vec<&Diagnostic>, usize) {
    let mut all: Vec<(usize, &Diagnostic)> = diagnostics.iter().enumerate().collect();
    let left = all.len().saturating_sub(MOST);
    if left > 0 {
        all.sort_by_key(|(_, diagnostic)| diagnostic.severity);
        all.truncate(MOST);
        all.sort_by_key(|(at, _)| *at);
    }
    (all.into_iter().map(|(_, diagnostic)| diagnostic).collect(), left)
}

/// The lines around a place, and no more than this many bytes before and behind it: what shows them goes through all it
/// is given. The number of the first line counts from 0.
fn around(span: &Span) -> (Range<usize>, usize) {
    const LINES: usize = 3;
    const BYTES: usize = 10_000;
    let text = &span.file.text;
    let offset = span.offset.min(text.len());
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let from = boundary(offset.saturating_sub(BYTES));
    let before = &text[from..boundary(offset)];
    // The line itself, and those before it.
    let start = before.rmatch_indices('\n').nth(LINES).map_or(from, |(at, _)| from + at + 1);
    let to = boundary((offset + span.length.min(BYTES) + BYTES).min(text.len()));
    let end = text[boundary(offset)..to]
        .match_indices('\n')
        .nth(LINES)
        .map_or(to, |(at, _)| boundary(offset) + at + 1);
    let lines = text[start..boundary(offset)].matches('\n').count();
    (start..end, span.line.saturating_sub(1).saturating_sub(lines))
}

/// The text with what is far from the offset in its lines left out, and the offset in that.
fn narrow(text: &str, offset: usize) -> (String, usize) {
    const WIDEST: usize = 240;
    const BEFORE: usize = 60;
    const SHOWN: usize = 160;
    let (mut shown, mut found) = (String::new(), None);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        let boundary = |mut at: usize| {
            while !line.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let within =
            offset.checked_sub(start).filter(|&at| at < line.len() || start + line.len() == text.len());
        let from = match bare.len() > WIDEST {
            true => boundary(within.unwrap_or(0).min(bare.len()).saturating_sub(BEFORE)),
            false => 0,
        };
        let to = if bare.len() > WIDEST { boundary((from + SHOWN).min(bare.len())) } else { bare.len() };
        if from > 0 {
            shown.push('…');
        }
        found = found.or(within.map(|at| shown.len() + at.min(line.len()) - from));
        shown.push_str(&line[from..to]);
        if to < bare.len() {
            shown.push('…');
        }
        shown.push_str(&line[bare.len()..]);
        start += line.len();
    }
    let found = found.unwrap_or(shown.len()).min(shown.len());
    (shown, found)
}

/// The text with unsafe characters replaced by others of as many bytes, so that offsets stay true.
fn same_length(text: &str) -> Cow<'_, str> {
    // A line break of old moves a terminal to the start of its line.
    let lone = text.contains('\r') && text.replace("\r\n", "").contains('\r');
    let is_bad = |c: char| is_unsafe(c) && !matches!(c, '\n' | '\t') && (c != '\r' || lone);
    let text = match text.contains("##") {
        true => Cow::Owned(without_commands(text)),
        false => Cow::Borrowed(text),
    };
    if !text.contains(is_bad) {
        return text;
    }
    let replacement = |c: char| match (is_bad(c), c.len_utf8()) {
        (false, _) => c,
        (true, 1) => '?',
        (true, 2) => '¿',
        (true, 3) => '\u{FFFD}',
        (true, _) => '\u{1F5F7}',
    };
    Cow::Owned(text.chars().map(replacement).collect())
}

/// The text with the brackets of commands to a build server exchanged for others.
fn without_commands(text: &str) -> String {
    let mut safe = text.to_owned();
    for bracket in commands(text) {
        safe.replace_range(bracket..=bracket, "(");
    }
    safe
}

/// A diagnostic as miette wants it.
#[derive(Debug)]
struct Shown<'d> {
    diagnostic: &'d Diagnostic,
    message: String,
    help: Option<String>,
    excerpt: Option<Excerpt>,
}

/// The text that a label points into, and the place as berth counts it (miette counts columns in bytes).
#[derive(Debug)]
struct Excerpt {
    name: String,
    /// The lines around it.
    text: String,
    /// Which line of the file the first of those is, from 0.
    first: usize,
    line: usize,
    column: usize,
    label: SourceSpan,
}

impl<'d> Shown<'d> {
    fn new(diagnostic: &'d Diagnostic, style: &Style) -> Self {
        let excerpt = diagnostic.span.as_ref().map(|span| {
            let (range, first) = around(span);
            let text = same_length(&span.file.text[range.clone()]);
            let (text, offset) = narrow(&text, span.offset.saturating_sub(range.start));
            let label = underlined(offset, span.length, &text);
            Excerpt {
                name: escape(&span.file.name).into_owned(),
                text,
                first,
                line: span.line,
                column: span.column,
                label,
            }
        });
        Shown {
            diagnostic,
            message: style.fold(&escape_lines(&diagnostic.message), 6).join("\n"),
            help: diagnostic.help.as_deref().map(|help| style.fold(&escape_lines(help), 10).join("\n")),
            excerpt,
        }
    }
}

/// What is underlined: of a span over several lines the first, and never beyond the text.
fn underlined(offset: usize, length: usize, text: &str) -> SourceSpan {
    let mut start = offset.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line = text[start..].split(['\n', '\r']).next().unwrap_or_default();
    let mut end = start + length.max(1).min(line.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    (start, end - start).into()
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code.name))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = self.excerpt.as_ref()?.label;
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(Some("here".to_owned()), label))))
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.text.read_span(span, before, after)?;
        let (line, column) = match (before, *span == self.label) {
            (0, true) => (self.line.saturating_sub(1), self.column.saturating_sub(1)),
            _ => (found.line() + self.first, found.column()),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            found.data(),
            *found.span(),
            line,
            column,
            found.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Code, SourceFile};
    use std::sync::Arc;

    const TEXT: &str = "blueprint: shop\nclusters:\n  aks:\n    # größe: schön\n    tags: { \"größe\": 1, nam: x }\n\tsize: 3\n    evil: \u{1b}[31m\n";

    fn at(needle: &str, length: usize) -> Option<Span> {
        let offset = TEXT.find(needle).unwrap();
        let before = &TEXT[..offset];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let file = Arc::new(SourceFile { name: "shop.yaml".into(), text: TEXT.into() });
        Some(Span { file, line, column, offset, length })
    }

    fn sample() -> Diagnostics {
        let mut all = Diagnostics::new();
        all.push(
            Diagnostic::error(const { &Code::named("unknown-field") }, "`nam` is not a field of `tags`")
                .at(at("nam:", 3))
                .help("did you mean `name`?"),
        );
        all.push(
            Diagnostic::error(const { &Code::named("syntax") }, "a tab cannot indent YAML")
                .at(at("\tsize", 1))
                .help("use spaces"),
        );
        let mut warning = Diagnostic::error(
            const { &Code::named("odd-text") },
            "`evil` holds \u{1b}[31m, which does nothing",
        )
        .at(at("evil", 400));
        warning.severity = Severity::Warning;
        all.push(warning);
        all.push(
            Diagnostic::error(
                const { &Code::named("no-subscription") },
                "the blueprint names no subscription, and neither does the environment that berth runs in",
            )
            .help("set `azure.subscription`, or AZURE_SUBSCRIPTION_ID"),
        );
        all
    }

    #[test]
    fn every_diagnostic_shows_its_place_line_and_remedy() {
        insta::assert_snapshot!(diagnostics(&sample(), &Style::plain(80)));
    }

    #[test]
    fn columns_count_characters_and_nothing_escapes() {
        let text = diagnostics(&sample(), &Style::plain(80));
        let span = at("nam:", 3).unwrap();
        assert!(text.contains(&span.to_string()), "{text}");
        assert!(!text.contains('\u{1b}'));
        assert!(diagnostics(&sample(), &Style::colored(80)).contains("\u{1b}[31m"));
        let ascii = diagnostics(&sample(), &Style { unicode: false, ..Style::plain(80) });
        assert!(ascii.contains(",-[shop.yaml:5:"), "{ascii}");
    }

    #[test]
    fn of_long_lines_only_the_place_is_shown() {
        let line = format!("{}bad: ü{}", "ä, ".repeat(5_000), "x".repeat(100_000));
        let file = Arc::new(SourceFile { name: "a.yaml".into(), text: format!("{line}\n{line}\nc: 1\n") });
        let offset = line.len() + 1 + line.find("bad").unwrap();
        let span = Span { file, line: 2, column: 15_001, offset, length: 3 };
        let text = diagnostics(
            &Diagnostic::error(const { &Code::named("x") }, "y").at(Some(span)).into(),
            &Style::plain(80),
        );
        assert!(text.contains("a.yaml:2:15001") && text.len() < 2_000, "{text}");
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().position(|line| line.contains("bad:")).unwrap();
        let column = |line: &str, needle: &str| line[..line.find(needle).unwrap()].chars().count();
        assert_eq!(column(lines[at], "bad:"), column(lines[at + 1], "─"), "{text}");
    }

    #[test]
    fn a_place_beyond_the_end_is_no_harm() {
        let file = Arc::new(SourceFile { name: "a.yaml".into(), text: "größe".into() });
        for (offset, length) in [(0, 99), (3, 1), (5, 1), (7, 1), (99, 5)] {
            let span = Span { file: file.clone(), line: 1, column: 1, offset, length };
            let text = diagnostics(
                &Diagnostic::error(const { &Code::named("x") }, "y").at(Some(span)).into(),
                &Style::plain(80),
            );
            assert!(text.contains("a.yaml:1:1") && !text.contains("Failed to read"), "{offset}: {text}");
        }
        let empty = Arc::new(SourceFile { name: "a.yaml".into(), text: String::new() });
        let span = Span { file: empty, line: 1, column: 1, offset: 0, length: 1 };
        assert!(
            diagnostics(
                &Diagnostic::error(const { &Code::named("x") }, "y").at(Some(span)).into(),
                &Style::plain(80)
            )
            .contains("a.yaml:1:1")
        );
    }
}
