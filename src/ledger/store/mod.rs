//! Where ledgers are kept: a port; a store in files, one in the object stores of clouds, and one in memory for tests.

mod credential;
mod file;
mod holder;
mod lease;
mod location;
mod memory;
pub mod objects;
mod remote;

pub use file::FileStore;
pub use holder::Holder;
pub use lease::LEASE;
pub use location::{Access, Location, NotALocation};
pub use memory::MemoryStore;
pub use remote::RemoteStore;

/// How many earlier versions of a ledger are kept.
pub const HISTORY: usize = 20;

use super::journal::{InFlight, Record};
use super::model::Ledger;
use crate::host::Timestamp;
use async_trait::async_trait;
use objects::ObjectError;

/// A ledger as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The ledger, the journal of the last run folded in; `None` when there was neither.
    pub ledger: Option<Ledger>,
    /// What the last run left under way.
    pub in_flight: Vec<InFlight>,
}

/// A lock that was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Who had it and died without giving it back.
    pub from: Option<String>,
}

/// An earlier version of a ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Its serial.
    pub serial: u64,
    /// When the next version took its place.
    pub replaced: Timestamp,
    /// What it was.
    pub ledger: Ledger,
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
    /// Its object store could not be read or written.
    #[error("cannot be reached: {0}")]
    Remote(ObjectError),
    /// Somebody else is at work with it.
    #[error("is in use by {0}")]
    Locked(String),
    /// Somebody else took it while this run was at work.
    #[error("was taken over by {0}: nothing more was begun")]
    Lost(String),
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
            ErrorKind::Remote(ObjectError::Denied(_)) => {
                "reading and writing its objects must be allowed: in Azure that is the role `Storage Blob Data \
                 Contributor` on the container, for whoever berth is signed in as (`--auth`)"
                    .to_owned()
            }
            ErrorKind::Remote(ObjectError::NoContainer(_)) => {
                "create the container or bucket, or correct `--ledger`: berth does not create it".to_owned()
            }
            ErrorKind::Remote(_) => {
                "check `--ledger` and the network, then run again: what was begun is in the journal, and the next \
                 run goes on with it"
                    .to_owned()
            }
            ErrorKind::Locked(_) => {
                "wait for the other run to end; the lock of a run that is dead ends by itself".to_owned()
            }
            ErrorKind::Lost(_) => {
                "wait for that run to end, then run again: it goes on with what this one began".to_owned()
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
    /// A run that died keeps nobody out for longer than [`LEASE`] after its last sign of life; whose lock was taken
    /// from it is in what comes back. Who is alive is never put out.
    ///
    /// # Errors
    /// When another process has it.
    async fn lock(&self) -> Result<Taken, Error>;

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

    /// Ends when somebody else has taken the lock, with the error to stop with. A lock that goes with its process
    /// cannot be lost.
    async fn lost(&self) -> Error {
        std::future::pending().await
    }

    /// Who has the lock now.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn holder(&self) -> Result<Option<String>, Error> {
        Ok(None)
    }

    /// Earlier versions of the ledger, at most [`HISTORY`], the latest first.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn history(&self) -> Result<Vec<Past>, Error> {
        Ok(Vec::new())
    }

    /// Where it is, for messages.
    fn place(&self) -> String;
}
