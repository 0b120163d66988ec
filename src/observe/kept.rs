//! What resources wrote elsewhere by themselves: the records of a zone group in a zone. Which those are their own bodies
//! tell, so they are read after these.

use super::question::Question;
use super::reader::Reader;
use crate::arm::{Client, Error, ErrorKind};
use crate::catalog::{Listing, resource_type};
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::state::{Desired, Observation, Observed};
use std::collections::BTreeMap;

/// Adds to what was observed what the resources of a blueprint and its ledger keep elsewhere.
///
/// # Errors
/// A read that did not work. One that Azure refuses is none: the zone may be another team's, and then nothing is known of
/// what is in it.
pub(super) async fn add(
    client: &Client,
    desired: Option<&Desired>,
    ledger: &Ledger,
    at_once: usize,
    observed: &mut Observed,
) -> Result<(), Error> {
    let wanted = desired.iter().flat_map(|desired| &desired.resources);
    let wanted = wanted.map(|resource| (&resource.id, Some(resource.kind)));
    let owned = ledger.resources.iter().map(|(id, owned)| (id, resource_type(&owned.arm_type)));
    let mut kept: BTreeMap<ArmId, &str> = BTreeMap::new();
    for (id, kind) in wanted.chain(owned) {
        let (Some(keeps), Some(body)) =
            (kind.and_then(|kind| kind.keeps), observed.get(id).and_then(Observation::body))
        else {
            continue;
        };
        let unread = (keeps.kept)(body).into_iter().filter(|kept| !observed.contains_key(&kept.id));
        kept.extend(unread.map(|kept| (kept.id, keeps.api_version)));
    }
    let question = |(id, api_version)| Question {
        id,
        api_version,
        listing: Listing::Collection,
        kind: None,
        owned: false,
        deleted: None,
        connections: None,
    };
    let questions: Vec<Question<'_>> =
        kept.iter().map(|(id, api_version)| question((id, *api_version))).collect();
    if questions.is_empty() {
        return Ok(());
    }
    match Reader::new(client, questions).read(at_once, &|_, _| {}).await {
        Err(error) if matches!(error.kind, ErrorKind::Denied(_)) => Ok(()),
        found => {
            observed.extend(found?);
            Ok(())
        }
    }
}
