//! What the build server is told when berth runs in a pipeline: commands on standard error, and files that it reads.
//!
//! Results stay what they are: nothing of this is on standard output.

use crate::exit::Exit;
use crate::terminal::redactor;
use berth::diag::{Failure, Place};
use berth::event::Listener;
use berth::plan::OutputValue;
use berth::report::ci::{Finished, Grouped, Handed, Issue, Issues, OutputSyntax, System, outputs};
use berth::report::guarded;
use berth::value::secret::Secrets;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What GitHub takes for the summaries of a step; it drops all of them when there is more.
const MOST_SUMMARY: u64 = 1024 * 1024;

/// Where the agent wants things, as its environment says.
#[derive(Debug, Default)]
pub struct Places {
    /// The folder that paths in issues start from: the one with the sources.
    pub root: Option<PathBuf>,
    /// A folder for files that the agent reads, and removes after the job.
    pub temporary: PathBuf,
    /// GitHub's file for outputs.
    pub outputs: Option<PathBuf>,
    /// GitHub's file for the summary.
    pub summary: Option<PathBuf>,
}

/// The build server.
#[derive(Debug)]
pub struct Ci {
    system: System,
    places: Places,
    issues: Mutex<Issues>,
}

impl Ci {
    /// One that listens.
    pub fn new(system: System, places: Places) -> Self {
        Ci { system, places, issues: Mutex::default() }
    }

    /// Whether outputs have a place to go to.
    pub fn has_outputs(&self) -> bool {
        self.system == System::AzureDevops || self.places.outputs.is_some()
    }

    /// Shows an issue, if the server still has room for it.
    pub fn issue(&self, mut issue: Issue) {
        issue.message = guarded(&issue.message, redactor(), false);
        issue.place = issue.place.map(|place| Place { file: self.below_root(&place.file), ..place });
        if let Some(issue) = self.issues().take(issue) {
            self.show(&issue);
        }
    }

    fn issues(&self) -> std::sync::MutexGuard<'_, Issues> {
        self.issues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, issue: &Issue) {
        if let Some(command) = self.system.issue(issue) {
            write(&command);
        }
    }

    /// A path as the server knows the file.
    fn below_root(&self, file: &str) -> String {
        let relative = || {
            let root = self.places.root.as_ref()?;
            let here = std::env::current_dir().ok()?;
            let mut path = PathBuf::new();
            for part in here.join(file).components() {
                match part {
                    Component::ParentDir => {
                        path.pop();
                    }
                    Component::CurDir => {}
                    part => path.push(part),
                }
            }
            let below = path.strip_prefix(root).ok()?;
            Some(below.to_str()?.replace('\\', "/"))
        };
        relative().unwrap_or_else(|| file.to_owned())
    }

    /// The progress of a run, in a group of the log.
    pub fn grouped(&self, inner: Arc<dyn Listener>) -> Arc<dyn Listener> {
        Arc::new(Grouped::new(self.system, inner, Box::new(std::io::stderr())))
    }

    /// Puts a Markdown text on the page of the run.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn summary(&self, markdown: &str) -> Result<(), Failure> {
        let text = guarded(markdown, redactor(), false);
        let fail = |path: &Path, error: std::io::Error| {
            Failure::bare(format!("the summary cannot be written to {}: {error}", path.display()))
        };
        match (self.system, &self.places.summary) {
            (System::AzureDevops, _) => {
                let name = format!("berth-summary-{}.md", uuid::Uuid::new_v4());
                let path = self.places.temporary.join(name);
                berth::host::files::write_output(&path, text.as_bytes())
                    .map_err(|error| fail(&path, error))?;
                write(&self.system.upload_summary(&path.to_string_lossy()).unwrap_or_default());
            }
            (System::Github, Some(path)) => {
                let there = std::fs::metadata(path).map_or(0, |file| file.len());
                if there + text.len() as u64 + 1 > MOST_SUMMARY {
                    return Err(Failure::bare(
                        "the summary has no room for this: GitHub takes 1024 KiB a step",
                    ));
                }
                let text = format!("{text}\n");
                berth::host::files::append(path, text.as_bytes()).map_err(|error| fail(path, error))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Sets outputs as variables of the step; the names of those that it could not, with the reason.
    ///
    /// # Errors
    /// When the server's file cannot be written.
    pub fn set(&self, handed: &[Handed]) -> Result<Vec<(String, &'static str)>, Failure> {
        let (syntax, file) = match (self.system, &self.places.outputs) {
            (System::AzureDevops, _) => (OutputSyntax::AzureDevops, None),
            (System::Github, Some(path)) => (OutputSyntax::GithubFile, Some(path)),
            _ => return Ok(Vec::new()),
        };
        let written = outputs(syntax, handed, &delimiter());
        write(&written.masks);
        match file {
            None => write(&written.text),
            Some(path) => berth::host::files::append(path, written.text.as_bytes()).map_err(|error| {
                let message = format!("outputs cannot be written to {}: {error}", path.display());
                Failure::new(message, "let GITHUB_OUTPUT name a file that can be written")
            })?,
        }
        Ok(written.left)
    }

    /// Says what there was no room for, and how the step ended.
    pub fn close(&self, exit: Exit) {
        let (rest, warned) = {
            let mut issues = self.issues();
            (issues.rest(), issues.has_warnings())
        };
        rest.iter().for_each(|issue| self.show(issue));
        let finished = match exit {
            Exit::Error | Exit::Partial | Exit::Blocked => Some(Finished::Failed),
            Exit::Done | Exit::Changes if warned => Some(Finished::WithIssues),
            // A run that was told to stop is the agent's to judge.
            Exit::Done | Exit::Changes | Exit::Interrupted => None,
        };
        write(&finished.and_then(|finished| self.system.complete(finished)).unwrap_or_default());
    }
}

/// What ends a value in a file of GitHub's: nobody can foresee it.
pub fn delimiter() -> String {
    format!("berth-{}", uuid::Uuid::new_v4())
}

/// Writes commands as they are.
pub fn write(commands: &str) {
    // Nothing stops because nobody reads it.
    let _ = std::io::stderr().write_all(commands.as_bytes());
}

/// The outputs of a run that can be handed on, and the names of the secret ones that were not asked for.
pub fn handed(
    outputs: &BTreeMap<String, OutputValue>,
    secrets: Option<&Secrets>,
) -> (Vec<Handed>, Vec<String>) {
    let (mut handed, mut kept) = (Vec::new(), Vec::new());
    for (name, output) in outputs {
        let Some(value) = berth::ops::revealed(&output.value, secrets) else {
            if output.secret {
                kept.push(name.clone());
            }
            continue;
        };
        // A value may hold a secret without having been made from it.
        let secret = output.secret || redactor().is_leaked_by(&value.to_string());
        match secret && secrets.is_none() {
            true => kept.push(name.clone()),
            false => handed.push(Handed::new(name, &value, secret)),
        }
    }
    (handed, kept)
}
