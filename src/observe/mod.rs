//! Reading what is there: everything at once, never one after another, and with lists where those say as much.
//!
//! ```text
//! question ─▶ widest list of its type ─▶ list of its siblings ─▶ GET ─▶ GET among the soft-deleted
//! ```
//!
//! A question goes to the right only as far as it must: `reader` takes rounds, each of which sends all that it can.
//! A list is taken when it spares requests ([`LISTED`], [`WIDE`]); which lists a type has is a word of its descriptor
//! ([`Listing`](crate::catalog::Listing)). What a list shows is there. What it does not show is gone only if the list
//! is of a group or a parent and the ledger does not say otherwise: lists of a subscription leave out what the caller
//! may not see, and lists may lag behind writes. A list that is refused is none, and its questions are asked singly.

mod children;
mod judged;
mod kept;
mod preflight;
mod question;
mod reader;
mod siblings;
mod spoken_of;
mod tagged;

pub use preflight::preflight;
pub use tagged::tagged;

use crate::arm::{Client, Error, ErrorKind};
use crate::catalog;
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::state::{Desired, Observed};
use serde_json::Value;

/// From how many siblings on one list is read for them.
pub const LISTED: usize = 3;
/// From how many collections on one list of the whole subscription is read for them.
pub const WIDE: usize = 5;

/// Reads everything that the blueprint wants and everything that the ledger has; and what stands below resources whose
/// children are the blueprint's alone.
///
/// `progress` is told how many of how many have been read.
///
/// # Errors
/// A read that did not work, but for refusals of single resources: those are [`crate::state::Observation::Unreadable`]. A resource that
/// is not there is no error, nor is a list that is refused.
pub async fn observe(
    client: &Client,
    desired: Option<&Desired>,
    ledger: &Ledger,
    at_once: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Observed, Error> {
    let at_once = at_once.max(1);
    let reader = reader::Reader::new(client, question::questions(desired, ledger));
    let (mut observed, listed) =
        futures::try_join!(reader.read(at_once, progress), children::listed(client, desired, at_once))?;
    if let Some(desired) = desired {
        children::add(desired, listed, &mut observed);
        siblings::add(client, desired, ledger, at_once, &mut observed).await?;
        spoken_of::add(client, desired, at_once, &mut observed).await?;
        judged::add(client, desired, at_once, &mut observed).await?;
    }
    let kept = kept::unread(desired, ledger, &observed);
    if !kept.is_empty() {
        let reader = reader::Reader::new(client, kept::questions(&kept));
        match reader.read(at_once, &|_, _| {}).await {
            // The zone may be another team's: then nothing is known of what is in it.
            Err(error) if matches!(error.kind, ErrorKind::Denied(_)) => {}
            found => observed.extend(found?),
        }
    }
    Ok(observed)
}

/// Adds what stands below resources whose children are the blueprint's alone, asked for or not.
///
/// # Errors
/// A list that cannot be read: without it nothing would be said of what somebody else made there.
pub async fn add_children(
    client: &Client,
    desired: &Desired,
    at_once: usize,
    observed: &mut Observed,
) -> Result<(), Error> {
    let listed = children::listed(client, Some(desired), at_once.max(1)).await?;
    children::add(desired, listed, observed);
    spoken_of::add(client, desired, at_once.max(1), observed).await
}

/// Reads the connections of the targets that a blueprint's approvals are about, and nothing else.
///
/// # Errors
/// As [`observe`].
pub async fn approvals(client: &Client, desired: &Desired, at_once: usize) -> Result<Observed, Error> {
    let questions = question::approvals(desired);
    reader::Reader::new(client, questions).read(at_once.max(1), &|_, _| {}).await
}

/// Reads what a blueprint only reads, and nothing else.
///
/// # Errors
/// As [`observe`].
pub async fn existing(client: &Client, desired: &Desired, at_once: usize) -> Result<Observed, Error> {
    reader::Reader::new(client, question::existing(desired)).read(at_once.max(1), &|_, _| {}).await
}

/// The API version in which the connections of a target are read, when it is known.
pub(crate) fn connections_version(target: &ArmId, desired: Option<&Desired>) -> Option<String> {
    let own = || {
        let desired = desired?;
        desired.by_id.get(target).map(|&at| desired.resources[at].kind.api_version)
    };
    catalog::connections_version(target, own())
}

/// The connections of a target; `None` when the target is not there.
///
/// # Errors
/// When the list cannot be read. That it is not there although the target is, is an error too: nothing is known then.
pub(crate) async fn connections(
    client: &Client,
    target: &ArmId,
    version: &str,
) -> Result<Option<Vec<Value>>, Error> {
    let path = format!("{target}/privateEndpointConnections");
    let refusal = match client.list(&path, version, &[]).await {
        Err(error) if error.is_absence() => error,
        other => return other.map(Some),
    };
    // Some types have no such list, and show their connections in their own bodies.
    let Some(target) = client.get(target.as_str(), version).await? else { return Ok(None) };
    match target.body.pointer(CONNECTIONS).and_then(Value::as_array) {
        Some(shown) => Ok(Some(shown.clone())),
        None => Err(refusal),
    }
}

/// Where a target shows its connections in its own body.
const CONNECTIONS: &str = "/properties/privateEndpointConnections";
