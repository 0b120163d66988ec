//! Forgetting: a ledger stops owning resources, and Azure stays as it is.

use crate::ident::{Address, ArmId};
use crate::ledger::Record;
use crate::ledger::store::{self, Store};

/// What came of forgetting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgotten {
    /// These are owned no longer.
    Done(Vec<(Address, ArmId)>),
    /// Nothing was done: the ledger has none of these addresses.
    Unknown(Vec<String>),
}

/// Stops owning resources, by address. What an earlier run left under way stays known, unless it is one of them.
///
/// # Errors
/// When the ledger is in use, or cannot be read or written.
pub async fn forget(store: &dyn Store, addresses: &[String]) -> Result<Forgotten, store::Error> {
    store.lock().await?;
    let forgotten = forget_locked(store, addresses).await;
    store.unlock().await;
    forgotten
}

async fn forget_locked(store: &dyn Store, addresses: &[String]) -> Result<Forgotten, store::Error> {
    let loaded = store.load().await?;
    let resources = loaded.ledger.iter().flat_map(|ledger| &ledger.resources);
    let owned: Vec<(Address, ArmId)> =
        resources.map(|(id, owned)| (owned.address.clone(), id.clone())).collect();
    let unknown: Vec<String> = addresses
        .iter()
        .filter(|address| !owned.iter().any(|(known, _)| known.as_str() == address.as_str()))
        .cloned()
        .collect();
    let Some(mut ledger) = loaded.ledger.filter(|_| unknown.is_empty()) else {
        return Ok(Forgotten::Unknown(unknown));
    };
    let gone: Vec<(Address, ArmId)> =
        owned.into_iter().filter(|(address, _)| addresses.iter().any(|a| a == address.as_str())).collect();
    let is_gone = |id: &ArmId| gone.iter().any(|(_, other)| other == id);
    if loaded.in_flight.iter().all(|step| is_gone(&step.id)) {
        for (_, id) in &gone {
            ledger.disown(id, true);
        }
        ledger.advance();
        store.save(&ledger).await?;
    } else {
        // The journal tells what is under way, and stays: a saved ledger would be the end of it.
        let gone = gone.iter().map(|(_, id)| Record::Gone { id: id.clone(), released: true });
        let records: Vec<Record> = gone.collect();
        store.append_all(&records).await?;
    }
    Ok(Forgotten::Done(gone))
}
