//! The forms in which results are shown.

use berth::diag::Failure;
use berth::report::Host;
use clap::ValueEnum;
use std::path::PathBuf;

/// How to show a plan or drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// For programs that read lines.
    #[value(skip)]
    JsonLine,
    /// For pull requests.
    Markdown,
    /// For browsers.
    Html,
}

/// A form in which drift, a plan or the end of a run is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For programs.
    Json,
    /// For a comment on GitHub.
    Markdown,
    /// For a comment in Azure Repos.
    #[value(name = "markdown-azure-repos")]
    MarkdownAzureRepos,
    /// For a comment on GitLab.
    #[value(name = "markdown-gitlab")]
    MarkdownGitLab,
    /// For a comment in Bitbucket.
    MarkdownBitbucket,
    /// For the summary of a run, on GitHub or in Azure Pipelines.
    MarkdownSummary,
    /// For browsers.
    Html,
    /// For build servers, as tests.
    Junit,
    /// For code hosts, beside the lines of the blueprint.
    Sarif,
    /// For the widget of a merge request on GitLab (`artifacts:reports:terraform`).
    #[value(name = "gitlab")]
    GitLab,
    /// For Prometheus, as its node exporter reads figures from a file.
    Prometheus,
    /// For a webhook of Teams, as an Adaptive Card.
    Card,
    /// For people, as on the terminal.
    Text,
}

impl ReportFormat {
    /// The place that shows it, whose limit it keeps to.
    pub const fn host(self) -> Host {
        match self {
            ReportFormat::MarkdownAzureRepos => Host::AzureRepos,
            ReportFormat::MarkdownGitLab => Host::GitLab,
            ReportFormat::MarkdownBitbucket => Host::Bitbucket,
            ReportFormat::MarkdownSummary => Host::Summary,
            _ => Host::GitHub,
        }
    }
}

/// A report and the file it is written to: `junit=drift.xml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// The form.
    pub format: ReportFormat,
    /// The file.
    pub file: PathBuf,
}

impl std::str::FromStr for ReportFile {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let formats = || {
            let names = ReportFormat::value_variants()
                .iter()
                .filter_map(|f| Some(f.to_possible_value()?.get_name().to_owned()));
            names.collect::<Vec<_>>().join(", ")
        };
        let (format, file) = text.split_once('=').unwrap_or((text, ""));
        match ReportFormat::from_str(format, false) {
            Err(_) => {
                Err(Failure::bare(format!("unknown report format `{format}`; there are {}", formats())))
            }
            Ok(_) if file.is_empty() => {
                Err(Failure::bare(format!("it needs a file, such as `{format}=report.{format}`")))
            }
            Ok(format) => Ok(ReportFile { format, file: PathBuf::from(file) }),
        }
    }
}

/// How to show a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz.
    Dot,
    /// For Mermaid, as Markdown viewers draw it.
    Mermaid,
    /// For browsers, as a page with what is done, how long it takes and what makes it so long.
    Html,
    /// For programs, with the same.
    Json,
}

/// How to show outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// How to show the outputs of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputsFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// For a shell: `eval "$(berth output FILE --format env)"`.
    Env,
    /// Commands that set variables of the step, on standard output.
    AzureDevops,
    /// Lines for the file that GITHUB_OUTPUT names; written to it, when the environment does.
    Github,
}
