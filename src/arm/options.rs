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
            correlation_id: Uuid::new_v4().to_string(),
            trace: None,
        }
    }
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
