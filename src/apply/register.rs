//! Registering a provider namespace or a preview feature.

use super::failure::{Failure, Stop};
use super::worker::Worker;
use crate::plan::Register;
use crate::value::{Comparison, diff};
use serde_json::Value;
use std::time::Duration;

/// How long berth waits between two reads of a registration.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// The API version in which a provider is registered again.
const PROVIDERS: &str = "2025-04-01";

impl Worker {
    pub(super) async fn register(&self, register: &Register) -> Result<Option<Value>, Stop> {
        let version = register.kind.api_version;
        self.client.post(&format!("{}/register", self.id), version, None).await?;
        self.watching();
        let started = self.clock.elapsed();
        loop {
            let live = self.client.get(self.id.as_str(), version).await?;
            if let Some(live) = live
                && is_registered(register, &live.body)
            {
                if let Some(provider) = &register.provider {
                    self.client.post(&format!("{provider}/register"), PROVIDERS, None).await?;
                }
                return Ok(Some(live.body));
            }
            if self.clock.elapsed().saturating_sub(started) > self.timeout {
                return Err(Stop::Failed(Failure::new(
                    format!(
                        "registering {} did not end within {} minutes",
                        self.id.name(),
                        self.timeout.as_secs() / 60
                    ),
                    "a feature may need Microsoft's approval; run again once it says Registered",
                )));
            }
            self.clock.sleep(POLL_INTERVAL).await;
        }
    }
}

fn is_registered(register: &Register, live: &Value) -> bool {
    let rules = register.kind.compiled();
    let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| false };
    diff(&register.wanted, live, &comparison).is_empty()
}
