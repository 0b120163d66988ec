//! A ledger in memory.

use super::{Error, ErrorKind, Loaded, Store, Taken};
use crate::ledger::journal::{Record, fold};
use crate::ledger::model::Ledger;
use async_trait::async_trait;
use std::sync::{Mutex, PoisonError};

/// Keeps a ledger as long as the process lives.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<(Option<Ledger>, Vec<Record>)>);

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn damaged(&self, why: &dyn std::fmt::Display) -> Error {
        Error { place: self.place(), kind: ErrorKind::Damaged(why.to_string()) }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self) -> Result<Loaded, Error> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut ledger, records) = guard.clone();
        let in_flight = match (&mut ledger, records) {
            (Some(ledger), records) => fold(ledger, records).map_err(|(_, why)| self.damaged(&why))?,
            (None, _) => Vec::new(),
        };
        Ok(Loaded { ledger, in_flight })
    }

    async fn lock(&self) -> Result<Taken, Error> {
        Ok(Taken::default())
    }

    async fn unlock(&self) {}

    async fn append(&self, record: &Record) -> Result<(), Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.push(record.clone());
        Ok(())
    }

    async fn save(&self, ledger: &Ledger) -> Result<(), Error> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.follows(guard.0.as_ref().map(|old| old.serial)).map_err(|why| self.damaged(&why))?;
        *guard = (Some(ledger.clone()), Vec::new());
        Ok(())
    }

    fn place(&self) -> String {
        "in memory".to_owned()
    }
}
