//! Going on where a run that died left off: the operations that Azure accepted are followed to their end.

use crate::arm::{Client, Error, ErrorKind, Operation};
use crate::ledger::InFlight;
use std::time::Duration;

/// Waits until nothing that an earlier run began is under way any more; what came of it is read afterwards.
///
/// `tell` is called with the address of each operation that is waited for.
///
/// # Errors
/// When Azure cannot be reached. An operation that failed is no error here: the plan that follows sees its traces.
pub async fn resume(
    client: &Client,
    in_flight: &[InFlight],
    tell: &(dyn Fn(&InFlight) + Sync),
) -> Result<(), Error> {
    let waits = in_flight.iter().filter_map(|step| {
        let operation: Operation = serde_json::from_value(step.operation.clone()?).ok()?;
        Some(async move {
            tell(step);
            match client.wait(&operation, |_| {}, Duration::from_secs(2 * 3600)).await {
                Err(error)
                    if matches!(error.kind, ErrorKind::Connection | ErrorKind::AuthenticationFailed) =>
                {
                    Err(error)
                }
                _ => Ok(()),
            }
        })
    });
    futures::future::try_join_all(waits).await.map(|_| ())
}
