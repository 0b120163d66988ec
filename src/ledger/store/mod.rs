//! Where ledgers are kept: a port, a file store, and one in memory for tests and for simulators without a file.

mod file;
mod memory;

pub use file::FileStore;
pub use memory::MemoryStore;

use super::journal::{InFlight, Record};
use super::model::Ledger;
use async_trait::async_trait;

/// A ledger as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The ledger, the journal of the last run folded in; `None` when there was neither.
    pub ledger: Option<Ledger>,
    /// What the last run left under way.
    pub in_flight: Vec<InFlight>,
}

/// Why a ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the ledger {place}: {kind}")]
pub struct Error {
    /// Where the ledger is.
    pub place: String,
    /// What went wrong.
    pub kind: ErrorKind,
}

/// What went wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum ErrorKind {
    /// It is there and cannot be understood.
    #[error("cannot be used: {0}")]
    Damaged(String),
    /// It could not be read.
    #[error("cannot be read: {0}")]
    Read(std::io::Error),
    /// It could not be written.
    #[error("cannot be written: {0}")]
    Write(std::io::Error),
    /// Somebody else is at work with it.
    #[error("is in use by {0}")]
    Locked(String),
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match &self.kind {
            ErrorKind::Damaged(_) => format!(
                "restore {} from a copy, or move it aside: berth then adopts what carries this blueprint's tag",
                self.place
            ),
            ErrorKind::Read(_) | ErrorKind::Write(_) => {
                "check that the folder exists, is writable and has room, or name another with `--ledger`"
                    .to_owned()
            }
            ErrorKind::Locked(_) => {
                "wait for the other run to end; its lock goes with its process".to_owned()
            }
        }
    }
}

/// Keeps one blueprint's ledger.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads the ledger and folds the journal into it.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    async fn load(&self) -> Result<Loaded, Error>;

    /// Takes the ledger for this process, until [`Store::unlock`] or the end of the process.
    ///
    /// # Errors
    /// When another process has it.
    async fn lock(&self) -> Result<(), Error>;

    /// Gives the lock back.
    async fn unlock(&self);

    /// Appends a record to the journal; when it returns, the record is on the disk.
    ///
    /// # Errors
    /// When it cannot be written; then nothing may be sent.
    async fn append(&self, record: &Record) -> Result<(), Error>;

    /// Appends records in their order; when it returns, all of them are on the disk.
    ///
    /// Going to the disk once for all of them is much faster; one that is torn loses itself and what follows.
    ///
    /// # Errors
    /// When one cannot be written; then nothing may be sent.
    async fn append_all(&self, records: &[Record]) -> Result<(), Error> {
        for record in records {
            self.append(record).await?;
        }
        Ok(())
    }

    /// Writes the ledger and empties the journal that it now contains.
    ///
    /// # Errors
    /// When it cannot be written; ledger and journal are then as before.
    async fn save(&self, ledger: &Ledger) -> Result<(), Error>;

    /// Where it is, for messages.
    fn place(&self) -> String;
}
