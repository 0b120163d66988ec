//! The simulator's state on disk: one versioned JSON file, written whole.

use super::world::State;
use crate::host::{Timestamp, files};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The version this program writes and the newest it reads.
const VERSION: u32 = 1;

/// A write that took less is made for every request.
const CHEAP: Duration = Duration::from_millis(5);

/// Why the simulator's state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("simulator state {path}: cannot {act} it")]
    File {
        /// The state file.
        path: PathBuf,
        /// What was attempted.
        act: &'static str,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file is not a simulator's state.
    #[error(
        "simulator state {path} cannot be understood ({reason}); it was left as it is: \
         move it away to start afresh, or restore a copy"
    )]
    Corrupt {
        /// The state file.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// The file was written by a newer version of this program.
    #[error(
        "simulator state {path} has version {found}, newer than this program's {VERSION}: \
         use the newer program, or move the file away to start afresh"
    )]
    Newer {
        /// The state file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// A resource to be loaded has no id.
    #[error("a resource to be loaded into the simulator has no id: {resource}")]
    NoId {
        /// The beginning of the resource.
        resource: String,
    },
}

#[derive(Deserialize)]
struct Head {
    version: u64,
}

#[derive(Deserialize)]
struct Saved {
    version: u64,
    time: Timestamp,
    state: State,
}

#[derive(Serialize)]
struct Saving<'s> {
    version: u32,
    time: Timestamp,
    state: &'s State,
}

/// The file and how dear the last write was.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    cost: Duration,
    written: Option<Instant>,
}

impl StateFile {
    pub(crate) fn new(path: &Path) -> Self {
        StateFile { path: path.to_owned(), cost: Duration::ZERO, written: None }
    }

    /// Reads the state and the time it was written at; `None` when there is no file.
    pub(crate) fn read(&self) -> Result<Option<(State, Timestamp)>, Error> {
        let bytes = files::read_if_exists(&self.path).map_err(|source| self.file("read", source))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let corrupt =
            |e: serde_json::Error| Error::Corrupt { path: self.path.clone(), reason: e.to_string() };
        let newer = |found| Error::Newer { path: self.path.clone(), found };
        match serde_json::from_slice::<Saved>(&bytes) {
            Ok(saved) if saved.version > u64::from(VERSION) => Err(newer(saved.version)),
            Ok(saved) => Ok(Some((saved.state, saved.time))),
            // What a newer version wrote need not look like this one's.
            Err(error) => match serde_json::from_slice::<Head>(&bytes) {
                Ok(head) if head.version > u64::from(VERSION) => Err(newer(head.version)),
                _ => Err(corrupt(error)),
            },
        }
    }

    /// Whether a write now would be cheap for its frequency.
    #[expect(clippy::disallowed_methods, reason = "the cost of a write is real even where time is virtual")]
    pub(crate) fn affordable(&self) -> bool {
        let rested = |at: Instant| Instant::now().duration_since(at) >= self.cost * 20;
        self.cost < CHEAP || self.written.is_none_or(rested)
    }

    #[expect(clippy::disallowed_methods, reason = "the cost of a write is real even where time is virtual")]
    pub(crate) fn write(&mut self, state: &State, time: Timestamp) -> Result<(), Error> {
        let began = Instant::now();
        let saving = Saving { version: VERSION, time, state };
        let bytes = serde_json::to_vec(&saving).map_err(|e| self.file("write", e.into()))?;
        files::write_atomic(&self.path, &bytes).map_err(|source| self.file("write", source))?;
        let ended = Instant::now();
        self.cost = ended.duration_since(began);
        self.written = Some(ended);
        Ok(())
    }

    fn file(&self, act: &'static str, source: std::io::Error) -> Error {
        Error::File { path: self.path.clone(), act, source }
    }
}
