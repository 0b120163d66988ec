//! What others say about resources of the blueprint, in resources of their own that stand anywhere below its scope: the
//! exemptions of a policy assignment.

use crate::arm::{Client, Error, ErrorKind};
use crate::catalog::SpokenOf;
use crate::state::{Desired, Observation, Observed};
use futures::StreamExt;
use std::collections::BTreeMap;

/// Adds them to what was observed, with one list a scope. About what is not there nobody says anything.
///
/// # Errors
/// A list that cannot be read, but for one that the caller may not see.
pub(super) async fn add(
    client: &Client,
    desired: &Desired,
    at_once: usize,
    observed: &mut Observed,
) -> Result<(), Error> {
    let mut lists: BTreeMap<String, (String, SpokenOf)> = BTreeMap::new();
    for resource in &desired.resources {
        let Some(spoken_of) = resource.kind.spoken_of else { continue };
        if observed.get(&resource.id).and_then(Observation::body).is_none() {
            continue;
        }
        let id = resource.id.as_str();
        let Some(end) = id.to_ascii_lowercase().rfind("/providers/") else { continue };
        let path = format!("{}/providers/{}", &id[..end], spoken_of.arm_type);
        lists.insert(path.to_ascii_lowercase(), (path, spoken_of));
    }
    let lists = lists.into_values().map(|(path, spoken_of)| async move {
        match client.list(&path, spoken_of.api_version, &[]).await {
            Err(error) if error.is_absence() || matches!(error.kind, ErrorKind::Denied(_)) => Ok(Vec::new()),
            other => other,
        }
    });
    let mut lists = futures::stream::iter(lists).buffer_unordered(at_once);
    let mut found = Vec::new();
    while let Some(list) = lists.next().await {
        found.extend(list?);
    }
    super::children::note(found, observed);
    Ok(())
}
