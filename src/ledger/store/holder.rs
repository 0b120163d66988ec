//! Who works with a ledger.

use crate::host::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who holds a ledger's lock, as others are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// The user's name on that machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The machine.
    pub host: String,
    /// The process on that machine.
    pub process: u32,
    /// The run: differs between any two.
    pub run: String,
    /// The pipeline's run, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Since when it holds the lock.
    #[serde(default)]
    pub since: Timestamp,
}

impl Holder {
    /// This process, as a run of its own.
    pub fn this(host: impl Into<String>, user: Option<String>, job: Option<String>) -> Self {
        let run = uuid::Uuid::new_v4().simple().to_string();
        let run = run[..8].to_owned();
        let process = std::process::id();
        Holder { user, host: host.into(), process, run, job, since: Timestamp::default() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user} on ")?;
        }
        write!(f, "{} (process {}, run {}", self.host, self.process, self.run)?;
        if let Some(job) = &self.job {
            write!(f, ", {job}")?;
        }
        write!(f, ") since {}", self.since)
    }
}
