//! Going on where a run that died left off: what Azure still works on is followed to its end.

use crate::arm::{Client, Error, ErrorKind, Operation};
use crate::host::Clock;
use crate::ledger::{InFlight, Ledger};
use serde_json::Value;
use std::time::Duration;

/// Longer than any operation takes.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// How often a resource is looked at whose operation is not known.
const POLL_INTERVAL: Duration = Duration::from_secs(15);

/// Waits until nothing that an earlier run began is under way any more; what came of it is read afterwards.
///
/// An operation that Azure accepted is polled. A run that died before Azure's answer reached it left none: then the
/// resource itself tells whether Azure is at work on it. `tell` is called with each step that is waited for.
///
/// # Errors
/// When Azure cannot be reached. An operation that failed is no error here: the plan that follows sees its traces.
pub async fn resume(
    client: &Client,
    clock: &Clock,
    ledger: Option<&Ledger>,
    in_flight: &[InFlight],
    tell: &(dyn Fn(&InFlight) + Sync),
) -> Result<(), Error> {
    let waits = in_flight.iter().map(|step| async move {
        let operation =
            step.operation.clone().and_then(|json| serde_json::from_value::<Operation>(json).ok());
        let waited = match operation {
            Some(operation) => {
                tell(step);
                client.wait(&operation, |_| {}, LONGEST).await.map(|_| ())
            }
            None => match ledger.and_then(|ledger| ledger.resources.get(&step.id)) {
                Some(owned) => settle(client, clock, step, &owned.api_version, tell).await,
                None => Ok(()),
            },
        };
        match waited {
            Err(error) if matches!(error.kind, ErrorKind::Connection | ErrorKind::AuthenticationFailed) => {
                Err(error)
            }
            _ => Ok(()),
        }
    });
    futures::future::try_join_all(waits).await.map(|_| ())
}

/// Looks at a resource until Azure is done with it, or it is not there.
async fn settle(
    client: &Client,
    clock: &Clock,
    step: &InFlight,
    api_version: &str,
    tell: &(dyn Fn(&InFlight) + Sync),
) -> Result<(), Error> {
    let began = clock.elapsed();
    let mut told = false;
    while let Some(live) = client.get(step.id.as_str(), api_version).await? {
        if !is_under_way(&live.body) || clock.elapsed().saturating_sub(began) > LONGEST {
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

/// Whether a body says that Azure is at work on the resource. A state of which nothing is known is not waited for: it
/// may never change.
fn is_under_way(body: &Value) -> bool {
    let state = body.pointer("/properties/provisioningState").and_then(Value::as_str);
    state.is_some_and(|state| {
        [
            "Creating",
            "Updating",
            "Deleting",
            "Accepted",
            "Provisioning",
            "Running",
            "InProgress",
            "Upgrading",
            "Scaling",
        ]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(state))
    })
}
