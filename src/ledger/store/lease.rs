//! The lock of a remote ledger: an object that its holder renews, written on condition only.
//!
//! `lock.json` is never deleted, so that its generation only goes up. Whether its holder is alive is judged by the
//! store's own clock alone: how long ago the object was written, against an object written just now. No two machines'
//! clocks are compared.

use super::holder::Holder;
use super::objects::{ObjectError, Objects, Version, When};
use crate::host::Clock;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How long a lock holds without being renewed.
pub const LEASE: Duration = Duration::from_secs(60);

/// Stores tell times in whole seconds.
const GRAIN: Duration = Duration::from_secs(2);

/// How often a lock is tried again when somebody else writes to it at the same moment.
const RACES: usize = 8;

/// The lock as it is written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    version: u32,
    /// Goes up by one whenever somebody takes the lock.
    generation: u64,
    /// The journals of the generations up to this one can be written to no more.
    sealed: u64,
    /// Who has it; nobody when absent.
    holder: Option<Holder>,
    /// How long it holds without being renewed, in milliseconds.
    lease_ms: u64,
    /// How often it was renewed: makes every content differ.
    renewals: u64,
}

/// A lock that this process holds.
pub(super) struct Held {
    objects: Arc<dyn Objects>,
    path: String,
    lock: Lock,
    version: Version,
}

/// What came of asking for a lock.
pub(super) enum Asked {
    /// It is ours; the dead holder it was taken from, if any.
    Taken(Box<Held>, Option<Holder>),
    /// Somebody else has it: who, and how long it still holds should they be dead.
    Busy(Holder, Duration),
}

/// What came of renewing a lock.
pub(super) enum Renewed {
    /// It still is ours.
    Ours,
    /// Somebody else took it.
    Lost(Option<Holder>),
}

/// Asks for the lock at `path`.
pub(super) async fn ask(
    objects: &Arc<dyn Objects>,
    path: &str,
    holder: &Holder,
    lease: Duration,
) -> Result<Asked, ObjectError> {
    for _ in 0..RACES {
        let found = objects.get(path).await?;
        let mut from = None;
        let mut next = Lock {
            version: 1,
            generation: 1,
            sealed: 0,
            holder: Some(holder.clone()),
            lease_ms: lease.as_millis() as u64,
            renewals: 0,
        };
        let when = match &found {
            None => When::Absent,
            Some(object) => {
                let lock = parse(&object.bytes)?;
                if let Some(other) = lock.holder {
                    let age = now(objects, path, holder).await?.since(object.modified);
                    let holds = Duration::from_millis(lock.lease_ms) + GRAIN;
                    if age <= holds {
                        return Ok(Asked::Busy(other, holds - age));
                    }
                    from = Some(other);
                }
                next.generation = lock.generation + 1;
                next.sealed = lock.sealed;
                When::Is(object.version.clone())
            }
        };
        match objects.put(path, bytes(&next), when).await {
            Ok(version) => {
                let held = Held { objects: objects.clone(), path: path.to_owned(), lock: next, version };
                return Ok(Asked::Taken(Box::new(held), from));
            }
            Err(ObjectError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(ObjectError::Other("many runs ask for its lock at once".to_owned()))
}

/// Who has the lock now, and whether their lease is out.
pub(super) async fn look(
    objects: &Arc<dyn Objects>,
    path: &str,
    asking: &Holder,
) -> Result<Option<(Holder, bool)>, ObjectError> {
    let Some(object) = objects.get(path).await? else { return Ok(None) };
    let lock = parse(&object.bytes)?;
    let Some(holder) = lock.holder else { return Ok(None) };
    let age = now(objects, path, asking).await?.since(object.modified);
    Ok(Some((holder, age > Duration::from_millis(lock.lease_ms) + GRAIN)))
}

fn parse(bytes: &[u8]) -> Result<Lock, ObjectError> {
    serde_json::from_slice(bytes).map_err(|error| {
        ObjectError::Other(format!(
            "its lock.json is damaged ({error}): delete that object if no other run is at work"
        ))
    })
}

fn bytes(lock: &Lock) -> Bytes {
    serde_json::to_vec(lock).expect("a lock serialises").into()
}

/// The time by the store's clock: that of an object written now.
async fn now(
    objects: &Arc<dyn Objects>,
    path: &str,
    asking: &Holder,
) -> Result<crate::host::Timestamp, ObjectError> {
    let probe = format!("{path}.{}", asking.run);
    objects.put(&probe, Bytes::from_static(b"what time is it?"), When::Always).await?;
    let written = objects.get(&probe).await?;
    objects.delete(&probe).await?;
    Ok(written.map(|object| object.modified).unwrap_or_default())
}

impl Held {
    pub(super) const fn generation(&self) -> u64 {
        self.lock.generation
    }

    /// The generations before ours whose journals may still be written to by somebody who lost the lock.
    pub(super) fn unsealed(&self) -> std::ops::Range<u64> {
        self.lock.sealed + 1..self.lock.generation
    }

    /// Writes down that the journals of all earlier generations are sealed.
    pub(super) async fn sealed(&mut self) -> Result<Renewed, ObjectError> {
        self.lock.sealed = self.lock.generation - 1;
        self.renew().await
    }

    /// Makes the lock hold for another lease.
    pub(super) async fn renew(&mut self) -> Result<Renewed, ObjectError> {
        self.lock.renewals += 1;
        self.write().await
    }

    /// Gives the lock back.
    pub(super) async fn release(mut self) -> Result<(), ObjectError> {
        self.lock.holder = None;
        self.lock.sealed = self.lock.generation;
        self.write().await.map(|_| ())
    }

    async fn write(&mut self) -> Result<Renewed, ObjectError> {
        for _ in 0..RACES {
            let when = When::Is(self.version.clone());
            match self.objects.put(&self.path, bytes(&self.lock), when).await {
                Ok(version) => {
                    self.version = version;
                    return Ok(Renewed::Ours);
                }
                Err(ObjectError::Conflict) => {}
                Err(error) => return Err(error),
            }
            match self.objects.get(&self.path).await? {
                Some(object) => {
                    let found = parse(&object.bytes)?;
                    let run = |lock: &Lock| lock.holder.as_ref().map(|holder| holder.run.clone());
                    let other = run(&found).is_some() && run(&found) != run(&self.lock);
                    if found.generation != self.lock.generation || other && self.lock.holder.is_some() {
                        return Ok(Renewed::Lost(found.holder));
                    }
                    // Ours, from a renewal that was cut off after it was sent.
                    self.version = object.version;
                }
                None => match self.objects.put(&self.path, bytes(&self.lock), When::Absent).await {
                    Ok(version) => {
                        // Somebody deleted it, and nobody took it since.
                        self.version = version;
                        return Ok(Renewed::Ours);
                    }
                    Err(ObjectError::Conflict) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        Err(ObjectError::Other("its lock cannot be renewed: it changes all the time".to_owned()))
    }
}

/// Renews a lock four times a lease until it is lost; tells who has it then.
pub(super) async fn keep(
    held: Arc<tokio::sync::Mutex<Option<Held>>>,
    clock: Clock,
    lease: Duration,
) -> String {
    loop {
        clock.sleep(lease / 4).await;
        let mut guard = held.lock().await;
        let Some(held) = guard.as_mut() else { return std::future::pending().await };
        match held.renew().await {
            Ok(Renewed::Ours) => {}
            Ok(Renewed::Lost(holder)) => return taken_by(holder),
            // Perhaps the next one gets through. Should it not, the journal cannot be written either.
            Err(error) => tracing::warn!("the lock of the ledger could not be renewed: {error}"),
        }
    }
}

pub(super) fn taken_by(holder: Option<Holder>) -> String {
    holder.map_or_else(|| "another run, which is over".to_owned(), |holder| holder.to_string())
}
