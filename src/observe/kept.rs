//! What resources wrote elsewhere by themselves: the records of a zone group in a zone. Which those are their own bodies
//! tell, so they are asked for after these.

use super::question::Question;
use crate::catalog::{Listing, resource_type};
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::state::{Desired, Observation, Observed};
use std::collections::BTreeMap;

/// What the resources of a blueprint and its ledger keep elsewhere and has not been read, with the API version in which it is.
pub(super) fn unread(
    desired: Option<&Desired>,
    ledger: &Ledger,
    observed: &Observed,
) -> BTreeMap<ArmId, &'static str> {
    let wanted = desired.iter().flat_map(|desired| &desired.resources);
    let wanted = wanted.map(|resource| (&resource.id, Some(resource.kind)));
    let owned = ledger.resources.iter().map(|(id, owned)| (id, resource_type(&owned.arm_type)));
    let mut kept = BTreeMap::new();
    for (id, kind) in wanted.chain(owned) {
        let (Some(keeps), Some(body)) =
            (kind.and_then(|kind| kind.keeps), observed.get(id).and_then(Observation::body))
        else {
            continue;
        };
        let unread = (keeps.kept)(body).into_iter().filter(|kept| !observed.contains_key(&kept.id));
        kept.extend(unread.map(|kept| (kept.id, keeps.api_version)));
    }
    kept
}

/// The same as questions: a list for several in one place.
pub(super) fn questions<'a>(unread: &'a BTreeMap<ArmId, &'static str>) -> Vec<Question<'a>> {
    let question = |(id, api_version): (&'a ArmId, &&'static str)| Question {
        id,
        api_version,
        listing: Listing::Collection,
        kind: None,
        owned: false,
        deleted: None,
        connections: None,
    };
    unread.iter().map(question).collect()
}
