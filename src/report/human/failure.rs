//! What went wrong, as the last thing that a command says.

use crate::diag::Failure;
use crate::report::style::Style;
use crate::report::text::{escape_lines, help_line};

/// The message after `error:`, and what to do about it on a line of its own.
pub fn failure(failure: &Failure, style: &Style) -> String {
    let (red, off) = if style.color { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let mut text = format!("{red}error:{off} {}\n", escape_lines(&failure.message));
    if let Some(help) = help_line(failure.help.as_deref()) {
        text.push_str(&escape_lines(&help));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_its_own_line_whatever_the_texts_hold() {
        let style = Style::plain(80);
        let text = failure(&Failure::new("a\x1b[2J\nb", "do c"), &style);
        assert_eq!(text, "error: a\\u{1b}[2J\nb\nhelp: do c\n");
        assert_eq!(failure(&Failure::bare("a"), &style), "error: a\n");
        assert!(failure(&Failure::bare("a"), &Style::colored(80)).starts_with("\x1b[1;31merror:\x1b[0m a"));
    }
}
