//! How the client behaves.

use super::cloud::Cloud;
use super::retry::RetryOptions;
use super::trace::Trace;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How the client behaves.
#[derive(Clone)]
pub struct Options {
    /// Where ARM listens (`https://management.azure.com`).
    pub endpoint: String,
    /// The scope of the tokens to send.
    pub scope: String,
    /// How many requests may be under way at once.
    pub max_in_flight: usize,
    /// How stubbornly requests are repeated.
    pub retry: RetryOptions,
    /// How many pages a list may have: one that is longer is an error.
    pub max_pages: usize,
    /// How long to wait between looks at an operation when Azure does not say.
    pub poll_default: Duration,
    /// What the client calls itself.
    pub user_agent: String,
    /// The id that groups all calls of one run in the activity log; a UUID.
    pub correlation_id: String,
    /// Told of every exchange.
    pub trace: Option<Arc<dyn Trace>>,
}

impl Default for Options {
    fn default() -> Self {
        let cloud = Cloud::Public;
        Options {
            endpoint: cloud.endpoint().to_owned(),
            scope: cloud.scope().to_owned(),
            max_in_flight: 32,
            retry: RetryOptions::default(),
            // More than any list of ARM has.
            max_pages: 10_000,
            poll_default: Duration::from_secs(10),
            user_agent: concat!("berth/", env!("CARGO_PKG_VERSION")).to_owned(),
            correlation_id: run_id().to_string(),
            trace: None,
        }
    }
}

/// The end of every run's id.
const MARK: [u8; 4] = *b"bRth";

/// A new id of a run. Azure keeps it with every write, and its end tells later that the write was a run of berth.
fn run_id() -> Uuid {
    let mut bytes = *Uuid::new_v4().as_bytes();
    bytes[12..].copy_from_slice(&MARK);
    Uuid::from_bytes(bytes)
}

/// Whether a correlation id is that of a run of berth. Anybody can send such an id: it says where a change seems to come
/// from, and never who made it.
pub fn is_run(correlation_id: &str) -> bool {
    Uuid::try_parse(correlation_id).is_ok_and(|id| id.as_bytes().ends_with(&MARK))
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("endpoint", &self.endpoint)
            .field("max_in_flight", &self.max_in_flight)
            .field("correlation_id", &self.correlation_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_told_by_their_ids() {
        let (one, other) = (Options::default().correlation_id, Options::default().correlation_id);
        assert!(one != other && is_run(&one) && is_run(&other.to_uppercase()));
        assert!(!is_run(&Uuid::nil().to_string()) && !is_run("62527468") && !is_run(""));
    }
}
