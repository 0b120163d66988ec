//! What carries an owner's tag, whatever a ledger knows of it.

use crate::arm::{Client, Error};
use crate::ident::ArmId;
use crate::state::owner_of;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

/// The API version of resource groups and of the list of what is in one.
const VERSION: &str = "2025-04-01";

/// The groups, and what is in them, that carry the tag of an owner.
///
/// # Errors
/// When a group cannot be read; one that is not there is no error.
pub async fn tagged(
    client: &Client,
    groups: &[ArmId],
    owner: &str,
    at_once: usize,
) -> Result<Vec<ArmId>, Error> {
    let one = |group: ArmId| async move {
        let Some(found) = client.get(group.as_str(), VERSION).await? else {
            return Ok::<_, Error>(Vec::new());
        };
        let inside = match client.list(&format!("{group}/resources"), VERSION, &[]).await {
            Err(error) if error.is_absence() => Vec::new(),
            other => other?,
        };
        let is_own = |body: &Value| owner_of(body) == Some(owner);
        let id = |item: &Value| ArmId::parse(item.get("id")?.as_str()?).ok();
        let mut carrying: Vec<ArmId> = inside.iter().filter(|item| is_own(item)).filter_map(id).collect();
        if is_own(&found.body) {
            carrying.insert(0, group);
        }
        Ok(carrying)
    };
    let all = futures::stream::iter(groups.iter().cloned().map(one)).buffered(at_once.max(1));
    Ok(all.try_collect::<Vec<Vec<ArmId>>>().await?.concat())
}
