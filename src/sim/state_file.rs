//! The simulator's state on disk: one versioned JSON file, written whole.

use crate::core::world::State;
use crate::host::{Timestamp, files};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
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
    /// Another process is at work with the file.
    #[error(
        "simulator state {path} is in use by {holder}: \
         wait for it or stop it; `berth sim serve` is reached with `--endpoint` instead of `--sim`"
    )]
    InUse {
        /// The state file.
        path: PathBuf,
        /// Who has it.
        holder: String,
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
    /// Held open: the lock goes with the process.
    lock: Option<File>,
}

impl StateFile {
    pub(crate) fn new(path: &Path) -> Self {
        StateFile { path: path.to_owned(), cost: Duration::ZERO, written: None, lock: None }
    }

    /// Takes the file for this process: two writers would undo each other's work.
    pub(crate) fn lock(&mut self) -> Result<(), Error> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let open = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            if std::fs::metadata(&self.path).is_ok_and(|found| !found.is_file()) {
                return Err(std::io::Error::other("it is a device, a pipe or a folder, and no file"));
            }
            let mut options = OpenOptions::new();
            files::open_own(&path, options.create(true).truncate(false).read(true).write(true))
        };
        let mut file = open().map_err(|source| self.file("lock", source))?;
        match file.try_lock() {
            Ok(()) => {
                let noted = file.set_len(0).and_then(|()| write!(file, "process {}", std::process::id()));
                noted.map_err(|source| self.file("lock", source))?;
                self.lock = Some(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => {
                let holder = files::read_if_exists(&path).ok().flatten().unwrap_or_default();
                let holder = String::from_utf8_lossy(&holder).into_owned();
                let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
                Err(Error::InUse { path: self.path.clone(), holder })
            }
            Err(TryLockError::Error(source)) => Err(self.file("lock", source)),
        }
    }

    /// Reads the state and the time it was written at; `None` when there is no file.
    pub(crate) fn read(&self) -> Result<Option<(State, Timestamp)>, Error> {
        let bytes = files::read_if_exists(&self.path).map_err(|source| self.file("read", source))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let corrupt =
            |e: serde_json::Error| Error::Corrupt { path: self.path.clone(), reason: e.to_string() };
        let newer = |found| Error::Newer { path: self.path.clone(), found };
        // As a text that is checked once: its strings are not checked again one by one.
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| Error::Corrupt { path: self.path.clone(), reason: error.to_string() })?;
        match serde_json::from_str::<Saved>(text) {
            Ok(saved) if saved.version > u64::from(VERSION) => Err(newer(saved.version)),
            Ok(saved) => Ok(Some((saved.state, saved.time))),
            // What a newer version wrote need not look like this one's.
            Err(error) => match serde_json::from_str::<Head>(text) {
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
