//! `--policy`: policies from files and folders, and what they say.

use crate::cli::{Global, Policies};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::diag::Failure;
use berth::policy::{self, Finding, PolicyFile, Verdict};
use berth::report::ci::{Issue, Level};
use berth::report::{PlanDocument, human, json};
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// Policies, read.
pub struct Judge(policy::Policies);

impl Judge {
    /// Reads the policies that the environment and `--policy` name; nothing when neither does.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn read(policies: &Policies, global: &Global) -> Result<Option<Self>, Failure> {
        let chosen = global.chosen.iter().flat_map(|chosen| &chosen.policies);
        let named: Vec<&PathBuf> = chosen.chain(&policies.paths).collect();
        if named.is_empty() {
            return Ok(None);
        }
        let mut paths = Vec::new();
        for path in named {
            let before = paths.len();
            collect(path, &mut paths)?;
            if paths.len() == before {
                let path = path.display();
                return Err(Failure::new(
                    format!("{path}: this folder holds no policies"),
                    "name a folder with `.rego` files",
                ));
            }
        }
        let mut files = Vec::new();
        for path in paths {
            let name = path.display().to_string();
            let text = String::from_utf8(settings::read(&path)?)
                .map_err(|_| Failure::new(format!("{name}: it is not UTF-8 text"), "save it as UTF-8"))?;
            files.push(PolicyFile { name, text });
        }
        policy::Policies::parse(&files).map(|policies| Some(Judge(policies))).map_err(explain)
    }

    /// What the policies say of a plan.
    ///
    /// # Errors
    /// When a rule cannot be evaluated.
    pub fn findings(&self, plan: &PlanDocument) -> Result<Vec<Finding>, Failure> {
        let (policies, plan) = (self.0.clone(), json::plan(plan));
        let limit = settings::policy_memory()?;
        let (sender, done) = std::sync::mpsc::channel();
        let before = resident().unwrap_or_default();
        // The interpreter has no limit of memory: a thread that goes beyond it ends with the process, which ends here.
        std::thread::spawn(move || sender.send(policies.evaluate(&plan)));
        loop {
            match done.recv_timeout(Duration::from_millis(20)) {
                Ok(findings) => return findings.map_err(explain),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::new(
                        "the policies could not be evaluated",
                        "please report this, with the policies",
                    ));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if resident().is_some_and(|now| now.saturating_sub(before) > limit) {
                return Err(Failure::new(
                    format!("a policy takes more than {} MiB of memory", limit >> 20),
                    "correct the rule, or raise the limit with BERTH_POLICY_MIB",
                ));
            }
        }
    }

    /// Shows findings; the exit is [`Exit::Blocked`] when one denies.
    pub fn show(&self, terminal: &Terminal, findings: &[Finding]) -> Exit {
        terminal.print(&human::findings(findings, &terminal.out));
        findings.iter().for_each(|finding| terminal.issue(issue(finding)));
        verdict(findings)
    }
}

/// A finding for a build server.
pub fn issue(finding: &Finding) -> Issue {
    let level = match finding.verdict {
        Verdict::Deny => Level::Error,
        Verdict::Warn => Level::Warning,
    };
    let address = finding.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
    let issue = Issue::new(level, format!("{address}{}", finding.message));
    issue.at(finding.place.clone()).code(&finding.rule)
}

/// How much memory this process has, in bytes; `None` where the system does not say.
pub(super) fn resident() -> Option<u64> {
    // In kibibytes: the size of a page differs between machines.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

/// How a run ends by findings alone.
pub fn verdict(findings: &[Finding]) -> Exit {
    let denied = findings.iter().any(|finding| finding.verdict == Verdict::Deny);
    if denied { Exit::Blocked } else { Exit::Done }
}

fn explain(error: policy::Error) -> Failure {
    Failure::new(error.to_string(), error.hint())
}

/// The policy files at a path, sorted: itself, or those below it; tests of policies are left out.
fn collect(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let fail = |error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(message, "name a file or a folder of policies with `--policy`")
    };
    if !std::fs::metadata(path).map_err(fail)?.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let mut below = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        below.push(entry.map_err(fail)?.path());
    }
    below.sort();
    for path in below {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_policy = (name.ends_with(".rego") && !name.ends_with("_test.rego")) || name.ends_with(".json");
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() || is_policy {
            collect(&path, found)?;
        }
    }
    Ok(())
}
