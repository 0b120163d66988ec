//! Waiting for what a resource makes elsewhere, as a cluster that becomes what its Git repository says.

use super::failure::{Failure, Stop};
use super::worker::Worker;
use serde_json::Value;
use std::time::Duration;

/// How long between looks: it is minutes that such things take.
const POLL_INTERVAL: Duration = Duration::from_secs(15);

impl Worker {
    /// Looks at the resource until it complies, or `ends` has come; its body then.
    pub(super) async fn comply(
        &self,
        api_version: &str,
        amiss: fn(&Value) -> Option<String>,
        ends: Duration,
    ) -> Result<Option<Value>, Stop> {
        self.watching();
        loop {
            let Some(live) = self.client.get(self.id.as_str(), api_version).await? else {
                return Err(Failure::bare("it is gone, while its compliance was waited for").into());
            };
            let Some(why) = amiss(&live.body) else { return Ok(Some(live.body)) };
            if self.clock.elapsed() + POLL_INTERVAL > ends {
                return Err(Failure::new(
                    format!(
                        "Azure has it, and within {} minutes it did not become compliant: {why}",
                        self.timeout.as_secs().div_ceil(60)
                    ),
                    "once that is put right, run again: only the wait is left; or raise the entry's `timeout`",
                )
                .into());
            }
            self.clock.sleep(POLL_INTERVAL).await;
        }
    }
}
