//! Going on where a run that died left off: what Azure still works on is followed to its end.

use crate::arm::{Client, Error, ErrorKind, Operation};
use crate::host::Clock;
use crate::ledger::{InFlight, Ledger};
use crate::value::is_at_work;
use std::time::Duration;

/// How long resuming may wait in all: longer than any operation takes.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// How often a resource is looked at whose operation is not known.
const POLL_INTERVAL: Duration = Duration::from_secs(15);

/// Waits until nothing that an earlier run began is under way any more; what came of it is read afterwards.
///
/// An operation that Azure accepted is polled. A run that died before Azure's answer reached it left none: then the
/// resource itself tells whether Azure is at work on it. `tell` is called with each step that is waited for.
///
/// # Errors
/// When Azure cannot be reached. An operation that failed is not an error here: the plan that follows sees its traces.
pub async fn resume(
    client: &Client,
    clock: &Clock,
    ledger: Option<&Ledger>,
    in_flight: &[InFlight],
    tell: &(dyn Fn(&InFlight) + Sync),
) -> Result<(), Error> {
    let ends = clock.elapsed() + LONGEST;
    let waits = in_flight.iter().map(|step| async move {
        let operation =
            step.operation.clone().and_then(|json| serde_json::from_value::<Operation>(json).ok());
        let owned = ledger.and_then(|ledger| ledger.resources.get(&step.id));
        let version = operation
            .as_ref()
            .map(|operation| operation.api_version.clone())
            .or_else(|| owned.map(|owned| owned.api_version.clone()));
        let waited = match operation {
            Some(operation) => {
                tell(step);
                client.wait(&operation, |_| {}, LONGEST).await.map(|_| ())
            }
            None => Ok(()),
        };
        // An operation that does not answer, or has moved with its endpoint, says nothing of the resource.
        let waited = match (waited, version) {
            (Err(error), _) if is_unreachable(&error) => Err(error),
            (_, Some(version)) => settle(client, clock, step, &version, ends, tell).await,
            (_, None) => Ok(()),
        };
        match waited {
            Err(error) if is_unreachable(&error) => Err(error),
            _ => Ok(()),
        }
    });
    futures::future::try_join_all(waits).await.map(|_| ())
}

fn is_unreachable(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Connection | ErrorKind::AuthenticationFailed)
}

/// Looks at a resource until Azure is done with it, it is not there, or the time is up.
async fn settle(
    client: &Client,
    clock: &Clock,
    step: &InFlight,
    api_version: &str,
    ends: Duration,
    tell: &(dyn Fn(&InFlight) + Sync),
) -> Result<(), Error> {
    let mut told = false;
    while let Some(live) = client.get(step.id.as_str(), api_version).await? {
        if !is_at_work(&live.body) || clock.elapsed() > ends {
            break;
        }
        if !told {
            tell(step);
            told = true;
        }
        clock.sleep(POLL_INTERVAL).await;
    }
    Ok(())
}
