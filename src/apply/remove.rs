//! Deleting a resource, and purging what Azure keeps of it.

use super::failure::{Failure, Stop};
use super::worker::Worker;
use crate::arm::{Error, Started};
use crate::ident::ArmId;
use crate::plan::{Delete, SeenOwner};
use crate::state::{OWNER_TAG, owner_of};
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;

impl Worker {
    pub(super) async fn delete(&self, delete: &Delete, left: Duration) -> Result<(), Stop> {
        if let Some(expected) = &delete.expected
            && !self.holds_only(expected).await?
        {
            return Ok(());
        }
        if let Some(seen) = &delete.seen_owner
            && let Some(found) = self.client.get(self.id.as_str(), &delete.api_version).await?
        {
            self.still(&found.body, seen)?;
        }
        let started = self.client.delete(self.id.as_str(), &delete.api_version, delete.query).await?;
        if let Started::Running(operation) = started {
            self.accepted(&operation);
            self.client.wait(&operation, |_| {}, left).await?;
        }
        match &delete.purge {
            Some(path) => self.purge(path, &delete.api_version, left).await,
            None => Ok(()),
        }
    }

    /// Fails when the owner's tag of something is not what the plan saw.
    pub(super) fn still(&self, live: &Value, seen: &SeenOwner) -> Result<(), Stop> {
        let now = owner_of(live);
        let says = match now {
            _ if now == seen.tag.as_deref() => return Ok(()),
            Some(now) => format!("its tag `{OWNER_TAG}` says `{now}` now"),
            None => format!("it carries no tag `{OWNER_TAG}` any more, as when somebody has made it anew"),
        };
        Err(Stop::Failed(Failure::new(
            format!("{} has changed hands since the plan was made: {says}", self.id),
            "look at it, then plan again",
        )))
    }

    /// Whether a resource group is there; an error when anything is in it that berth did not make.
    async fn holds_only(&self, expected: &HashSet<ArmId>) -> Result<bool, Stop> {
        let inside = match self.client.list(&format!("{}/resources", self.id), "2025-04-01", &[]).await {
            Err(error) if error.is_absence() => return Ok(false),
            other => other?,
        };
        let foreign: Vec<&str> = inside
            .iter()
            .filter_map(|resource| resource.get("id").and_then(Value::as_str))
            .filter(|id| ArmId::parse(id).map_or(true, |id| !expected.contains(&id)))
            .collect();
        if foreign.is_empty() {
            return Ok(true);
        }
        let (number, list) = (foreign.len(), foreign.join("\n  "));
        Err(Stop::Failed(Failure::new(
            format!("the resource group holds {number} resource(s) that berth did not make:\n  {list}"),
            "move or delete them, then run this again",
        )))
    }

    /// Has a soft-deleted resource deleted for good.
    ///
    /// For some time after the delete Azure may not find it among the deleted yet, or refuse the purge in the very words
    /// in which it refuses one of what has purge protection; so a few refusals are no answer.
    async fn purge(&self, path: &str, version: &str, left: Duration) -> Result<(), Stop> {
        const ATTEMPTS: u32 = 4;
        const BETWEEN: Duration = Duration::from_secs(5);
        for attempt in 1.. {
            match self.client.post(&format!("{path}/purge"), version, None).await {
                Ok(Started::Running(operation)) => {
                    self.client.wait(&operation, |_| {}, left).await?;
                    return Ok(());
                }
                Ok(Started::Done(_)) => return Ok(()),
                Err(error) if error.is_absence() && attempt == ATTEMPTS => return Ok(()),
                Err(error) if attempt < ATTEMPTS && is_not_yet(&error) => self.clock.sleep(BETWEEN).await,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Whether a purge is refused as Azure also refuses one that comes too early (MethodNotAllowed, or not found).
fn is_not_yet(error: &Error) -> bool {
    error.is_absence() || error.code.as_deref() == Some("MethodNotAllowed")
}
