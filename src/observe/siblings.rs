//! What stands beside something that is not there, and may have what only one of them can have: the same role under
//! another name, a range, the one zone group of an endpoint.

use super::children::collection;
use crate::arm::{Client, Error, ErrorKind};
use crate::catalog::{Listing, Scarce};
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::state::{Desired, DesiredResource, Named, Observation, Observed, Provisioning};
use crate::value::lookup;
use crate::value::token::{self, Token};
use futures::StreamExt;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Adds to what was observed what stands beside each resource that is to be made: from the body of its parent, where that
/// shows it, or from a list. Beside nothing stands nothing: a first run asks for none.
///
/// # Errors
/// A list that cannot be read, but for one that the caller may not see: then Azure says it when the create is refused.
pub(super) async fn add(
    client: &Client,
    desired: &Desired,
    ledger: &Ledger,
    at_once: usize,
    observed: &mut Observed,
) -> Result<(), Error> {
    let (mut found, mut lists) = (Vec::new(), BTreeMap::new());
    for resource in
        desired.resources.iter().filter(|resource| may_have_a_duplicate(desired, resource, observed))
    {
        let Some(parent) = resource.id.parent() else { continue };
        let shown = observed.get(&parent).and_then(Observation::body);
        match shown.filter(|_| resource.kind.listing.in_parent().is_some()) {
            Some(body) => {
                found.extend(resource.kind.listing.shown(resource.kind, &parent, body).map(Cow::into_owned))
            }
            // What the ledger has of it under another name was read, and says enough.
            None if is_owned_elsewhere(ledger, resource) => {}
            None => {
                let path = collection(&resource.id);
                let at_scope = resource.kind.listing == Listing::Scope;
                let key = (path.to_ascii_lowercase(), resource.kind.api_version);
                lists.insert(key, (path, at_scope));
            }
        }
    }
    let lists = lists.into_iter().map(|((_, version), (path, at_scope))| async move {
        let query: &[(&str, &str)] = if at_scope { &[("$filter", "atScope()")] } else { &[] };
        match client.list(&path, version, query).await {
            Err(error) if error.is_absence() || matches!(error.kind, ErrorKind::Denied(_)) => Ok(Vec::new()),
            other => other,
        }
    });
    let mut lists = futures::stream::iter(lists).buffer_unordered(at_once);
    while let Some(list) = lists.next().await {
        found.extend(list?);
    }
    super::children::note(found, observed);
    Ok(())
}

fn may_have_a_duplicate(desired: &Desired, resource: &DesiredResource, observed: &Observed) -> bool {
    let absent = |id: &ArmId| matches!(observed.get(id), Some(Observation::Absent));
    resource.operation == Provisioning::Resource
        && !resource.kind.scarce.is_empty()
        && absent(&resource.id)
        && !resource.id.ancestors().any(|id| absent(&id))
        && !resource
            .kind
            .scarce
            .iter()
            .all(|scarce| names_what_is_not_there(desired, resource, *scarce, observed))
}

/// Whether what it would share with another is not there yet, so that no other can have it.
fn names_what_is_not_there(
    desired: &Desired,
    resource: &DesiredResource,
    scarce: Scarce,
    observed: &Observed,
) -> bool {
    let pointers = match scarce {
        Scarce::Same(pointers) => pointers,
        // What leaves its address to Azure is in nobody's way.
        Scarce::Addresses { list, .. } => {
            return resource.body.pointer(list).and_then(Value::as_array).is_none_or(Vec::is_empty);
        }
        Scarce::Ranges(_) | Scarce::Place { .. } => return false,
    };
    let is_absent = |token: &Token| {
        let Token::Output { address, .. } = token else { return false };
        let at = desired.by_address.get(address);
        at.is_none_or(|&at| observed.get(&desired.resources[at].id).and_then(Observation::body).is_none())
    };
    pointers
        .iter()
        .any(|pointer| lookup(&resource.body, pointer).is_some_and(|value| token::any(value, &is_absent)))
}

fn is_owned_elsewhere(ledger: &Ledger, resource: &DesiredResource) -> bool {
    resource.named == Named::Content
        && ledger.resources.values().any(|owned| {
            owned.address == resource.address && owned.arm_type.eq_ignore_ascii_case(resource.kind.arm_type)
        })
}
