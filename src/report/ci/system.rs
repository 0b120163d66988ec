//! The build servers, and how each of them is spoken to.

use super::issues::{Issue, Level};
use crate::report::text::{escape, escape_lines};
use std::collections::BTreeMap;

/// Who reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Azure Pipelines.
    AzureDevops,
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
}

/// How a step ended, for systems that ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// It worked, and somebody should look.
    WithIssues,
    /// It did not work.
    Failed,
}

/// How long the message of an issue may be: the agents of Azure Pipelines and GitHub cut at 4096.
const LONGEST_MESSAGE: usize = 4000;

impl System {
    /// The system whose agent set this environment.
    pub fn detect(environment: &BTreeMap<String, String>) -> Option<Self> {
        let says = |name: &str| environment.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        [("TF_BUILD", System::AzureDevops), ("GITHUB_ACTIONS", System::Github), ("GITLAB_CI", System::Gitlab)]
            .into_iter()
            .find_map(|(name, system)| says(name).then_some(system))
    }

    /// Shows an issue beside its line. GitLab has no command for that: its log holds the issue as text.
    pub fn issue(self, issue: &Issue) -> Option<String> {
        let message = escape_lines(&shortened(&issue.message));
        let place = issue.place.as_ref();
        let (file, line, column) = (
            place.map(|place| escape(&place.file).into_owned()),
            place.map(|place| place.line.to_string()),
            place.map(|place| place.column.to_string()),
        );
        let code = issue.code.as_deref().map(|code| escape(code).into_owned());
        let level = match issue.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        match self {
            System::AzureDevops => {
                let properties = [
                    ("type", Some(level.to_owned())),
                    ("sourcepath", file),
                    ("linenumber", line),
                    ("columnnumber", column),
                    ("code", code),
                ];
                Some(azure("task.logissue", &properties, &message))
            }
            System::Github => {
                let properties = [("file", file), ("line", line), ("col", column), ("title", code)];
                Some(github(level, &properties, &message))
            }
            System::Gitlab => None,
        }
    }

    /// Opens a group in the log; `at_ms` is the time.
    pub fn open_group(self, title: &str, at_ms: u64) -> String {
        let title = escape(title);
        match self {
            System::AzureDevops => format!("##[group]{title}\n"),
            System::Github => github("group", &[], &title),
            System::Gitlab => {
                format!("\x1b[0Ksection_start:{}:{GITLAB_SECTION}\r\x1b[0K{title}\n", at_ms / 1000)
            }
        }
    }

    /// Closes the group that is open.
    pub fn close_group(self, at_ms: u64) -> String {
        match self {
            System::AzureDevops => "##[endgroup]\n".to_owned(),
            System::Github => github("endgroup", &[], ""),
            System::Gitlab => format!("\x1b[0Ksection_end:{}:{GITLAB_SECTION}\r\x1b[0K\n", at_ms / 1000),
        }
    }

    /// Shows how far the step is.
    pub fn progress(self, percent: usize, title: &str) -> Option<String> {
        let value = percent.min(100).to_string();
        (self == System::AzureDevops)
            .then(|| azure("task.setprogress", &[("value", Some(value))], &escape(title)))
    }

    /// Asks for a text to be masked in what is logged from now on. Only for what [`super::is_maskable`] allows.
    pub fn mask(self, text: &str) -> Option<String> {
        match self {
            System::AzureDevops => Some(azure("task.setsecret", &[], text)),
            System::Github => Some(github("add-mask", &[], text)),
            System::Gitlab => None,
        }
    }

    /// Sets a variable for later steps and, by the name of the step, for later jobs. A secret must be one line. Systems
    /// that read variables from a file have no command.
    pub fn variable(self, name: &str, value: &str, secret: bool) -> Option<String> {
        let secret = secret.then(|| "true".to_owned());
        let properties = [
            ("variable", Some(name.to_owned())),
            ("issecret", secret),
            ("isoutput", Some("true".to_owned())),
        ];
        (self == System::AzureDevops).then(|| azure("task.setvariable", &properties, value))
    }

    /// Shows a Markdown file on the page of the run; its path is absolute.
    pub fn upload_summary(self, path: &str) -> Option<String> {
        (self == System::AzureDevops).then(|| azure("task.uploadsummary", &[], path))
    }

    /// Says how the step ended, where the exit code alone does not say it.
    pub fn complete(self, finished: Finished) -> Option<String> {
        let result = match finished {
            Finished::WithIssues => "SucceededWithIssues",
            Finished::Failed => "Failed",
        };
        (self == System::AzureDevops)
            .then(|| azure("task.complete", &[("result", Some(result.to_owned()))], ""))
    }
}

/// The name of the one section that berth opens.
const GITLAB_SECTION: &str = "berth_apply";

/// A text that an agent shows to its end.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// `##vso[COMMAND name=value;…]DATA`, escaped as the agent unescapes it.
fn azure(command: &str, properties: &[(&str, Option<String>)], data: &str) -> String {
    let data = data.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A");
    let properties: String = properties
        .iter()
        .filter_map(|(name, value)| {
            let value = value.as_ref()?.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A");
            Some(format!("{name}={};", value.replace(';', "%3B").replace(']', "%5D")))
        })
        .collect();
    let space = if properties.is_empty() { "" } else { " " };
    format!("##vso[{command}{space}{properties}]{data}\n")
}

/// `::COMMAND name=value,…::DATA`, escaped as the runner unescapes it.
fn github(command: &str, properties: &[(&str, Option<String>)], data: &str) -> String {
    let escaped = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let properties: Vec<String> = properties
        .iter()
        .filter_map(|(name, value)| {
            let value = escaped(value.as_ref()?).replace(':', "%3A").replace(',', "%2C");
            Some(format!("{name}={value}"))
        })
        .collect();
    let space = if properties.is_empty() { "" } else { " " };
    format!("::{command}{space}{}::{}\n", properties.join(","), escaped(data))
}
