//! Issues, no more of them than a build server shows.

use crate::diag::{Diagnostic, Failure, Place, Severity};
use crate::report::text::count;

/// How bad an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The step fails by it.
    Error,
    /// Worth knowing.
    Warning,
}

/// Something to show beside a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub level: Level,
    /// What it is, and what to do about it.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// The code of a diagnostic, the rule of a policy, Azure's own word.
    pub code: Option<String>,
}

impl Issue {
    /// An issue without a place.
    pub fn new(level: Level, message: impl Into<String>) -> Self {
        Issue { level, message: message.into(), place: None, code: None }
    }

    /// With a place.
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// With a code.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

impl From<&Diagnostic> for Issue {
    fn from(diagnostic: &Diagnostic) -> Self {
        let level = match diagnostic.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        };
        let help = diagnostic.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        Issue::new(level, format!("{}{help}", diagnostic.message))
            .at(diagnostic.span.as_ref().map(Place::from))
            .code(diagnostic.code.name)
    }
}

impl From<&Failure> for Issue {
    fn from(failure: &Failure) -> Self {
        let help = failure.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
        let issue = Issue::new(Level::Error, format!("{}{help}", failure.message));
        failure.code.iter().fold(issue, |issue, code| issue.code(code))
    }
}

/// How many issues of a level Azure Pipelines and GitHub show for a step.
const MOST: usize = 10;

/// Lets issues pass up to the number that is shown; the last place is kept for how many there are more.
#[derive(Debug, Default)]
pub struct Issues {
    errors: Tally,
    warnings: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    shown: usize,
    /// The one that takes the last place, if it is alone.
    last: Option<Issue>,
    more: usize,
}

impl Issues {
    /// Takes an issue; returns it when it is shown now.
    pub fn take(&mut self, issue: Issue) -> Option<Issue> {
        let tally = match issue.level {
            Level::Error => &mut self.errors,
            Level::Warning => &mut self.warnings,
        };
        if tally.shown + 1 < MOST {
            tally.shown += 1;
            return Some(issue);
        }
        tally.more += 1;
        tally.last.get_or_insert(issue);
        None
    }

    /// What is left to show at the end: the last issue of a level, or how many there are more.
    pub fn rest(&mut self) -> Vec<Issue> {
        let rest = |tally: &mut Tally, level, noun| match std::mem::take(&mut tally.more) {
            0 => None,
            1 => tally.last.take(),
            more => Some(Issue::new(level, format!("{} more: the log has all of them", count(more, noun)))),
        };
        let errors = rest(&mut self.errors, Level::Error, "error");
        let warnings = rest(&mut self.warnings, Level::Warning, "warning");
        errors.into_iter().chain(warnings).collect()
    }

    /// Whether there was a warning.
    pub fn has_warnings(&self) -> bool {
        self.warnings.shown > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(errors: usize, warnings: usize) -> (usize, Vec<String>) {
        let mut issues = Issues::default();
        let all =
            std::iter::repeat_n(Level::Error, errors).chain(std::iter::repeat_n(Level::Warning, warnings));
        let now = all.filter_map(|level| issues.take(Issue::new(level, "it"))).count();
        (now, issues.rest().into_iter().map(|issue| issue.message).collect())
    }

    #[test]
    fn ten_of_a_level_are_shown_and_the_rest_is_counted() {
        assert_eq!(shown(3, 9), (12, vec![]));
        assert_eq!(shown(10, 0), (9, vec!["it".into()]));
        assert_eq!(
            shown(11, 1000),
            (
                18,
                vec![
                    "2 errors more: the log has all of them".into(),
                    "991 warnings more: the log has all of them".into()
                ]
            )
        );
    }
}
