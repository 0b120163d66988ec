//! A ledger in a folder: `NAME.json`, while a run goes on `NAME.journal`, and `NAME.lock`.

use super::{Error, ErrorKind, Loaded, Store};
use crate::host::files::{read_if_exists, write_atomic};
use crate::ledger::journal::{Record, fold, line, parse};
use crate::ledger::model::{Ledger, migrate};
use async_trait::async_trait;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Keeps a ledger in files. The lock is the operating system's and goes with the process.
#[derive(Debug)]
pub struct FileStore {
    ledger: PathBuf,
    journal: PathBuf,
    lock: PathBuf,
    /// Whether records wait for the disk.
    durable: bool,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    journal: Option<File>,
    lock: Option<File>,
}

impl FileStore {
    /// The ledger of a blueprint in a folder.
    pub fn new(folder: &Path, blueprint: &str) -> Self {
        let file = |extension: &str| folder.join(format!("{blueprint}.{extension}"));
        FileStore {
            ledger: file("json"),
            journal: file("journal"),
            lock: file("lock"),
            durable: true,
            open: Mutex::default(),
        }
    }

    /// The same for a rehearsal: its journal outlives the process and not a loss of power, which takes the simulator's
    /// state too. The disk is not waited for.
    pub fn rehearsed(folder: &Path, blueprint: &str) -> Self {
        FileStore { durable: false, ..Self::new(folder, blueprint) }
    }

    fn error(&self, path: &Path, kind: ErrorKind) -> Error {
        Error { place: path.display().to_string(), kind }
    }

    fn folder(&self) -> Result<(), Error> {
        let folder = self.ledger.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| self.error(folder, ErrorKind::Write(error)))
    }

    fn append_now(&self, records: &[Record]) -> std::io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.journal.is_none() {
            let mut file = OpenOptions::new().create(true).append(true).read(true).open(&self.journal)?;
            // What was torn off by a kill is cut away, so that the next line starts on a line of its own.
            let bytes = std::fs::read(&self.journal)?;
            let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            if whole < bytes.len() {
                if parse(&bytes[whole..]).is_ok_and(|records| !records.is_empty()) {
                    file.write_all(b"\n")?;
                } else {
                    file.set_len(whole as u64)?;
                    file.seek(std::io::SeekFrom::End(0))?;
                }
            }
            open.journal = Some(file);
        }
        match &mut open.journal {
            Some(file) => {
                let lines: String = records.iter().map(line).collect();
                file.write_all(lines.as_bytes())?;
                if self.durable { file.sync_data() } else { Ok(()) }
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Store for FileStore {
    async fn load(&self) -> Result<Loaded, Error> {
        let read =
            |path: &Path| read_if_exists(path).map_err(|error| self.error(path, ErrorKind::Read(error)));
        let mut ledger = match read(&self.ledger)? {
            Some(bytes) => {
                Some(migrate(&bytes).map_err(|why| self.error(&self.ledger, ErrorKind::Damaged(why)))?)
            }
            None => None,
        };
        let mut in_flight = Vec::new();
        if let Some(bytes) = read(&self.journal)?
            && !bytes.is_empty()
        {
            let records = parse(&bytes).map_err(|number| {
                let why = format!("line {number} of the journal is damaged, and more follows");
                self.error(&self.journal, ErrorKind::Damaged(why))
            })?;
            if let Some(ledger) = &mut ledger {
                in_flight = fold(ledger, records);
            } else if !records.is_empty() {
                // The first save comes before the first record, so this ledger was removed by hand.
                let why = "its ledger file is missing".to_owned();
                return Err(self.error(&self.journal, ErrorKind::Damaged(why)));
            }
        }
        Ok(Loaded { ledger, in_flight })
    }

    async fn lock(&self) -> Result<(), Error> {
        self.folder()?;
        let write = |error| self.error(&self.lock, ErrorKind::Write(error));
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&self.lock)
            .map_err(write)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(write)?;
                let _ = write!(file, "process {}", std::process::id());
                self.open.lock().unwrap_or_else(PoisonError::into_inner).lock = Some(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => {
                let holder = std::fs::read_to_string(&self.lock).unwrap_or_default();
                let holder = if holder.is_empty() { "another run".to_owned() } else { holder };
                Err(self.error(&self.ledger, ErrorKind::Locked(holder)))
            }
            Err(TryLockError::Error(error)) => Err(write(error)),
        }
    }

    async fn unlock(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.lock = None;
        open.journal = None;
    }

    async fn append(&self, record: &Record) -> Result<(), Error> {
        self.append_all(std::slice::from_ref(record)).await
    }

    async fn append_all(&self, records: &[Record]) -> Result<(), Error> {
        self.append_now(records).map_err(|error| self.error(&self.journal, ErrorKind::Write(error)))
    }

    async fn save(&self, ledger: &Ledger) -> Result<(), Error> {
        let write = |path: &Path, error| self.error(path, ErrorKind::Write(error));
        let bytes = serde_json::to_vec_pretty(ledger)
            .map_err(|error| write(&self.ledger, std::io::Error::other(error)))?;
        write_atomic(&self.ledger, &bytes).map_err(|error| write(&self.ledger, error))?;
        // Were the process killed here, the journal would be folded in once more, which changes nothing.
        self.open.lock().unwrap_or_else(PoisonError::into_inner).journal = None;
        match std::fs::remove_file(&self.journal) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(write(&self.journal, error)),
            _ => Ok(()),
        }
    }

    fn place(&self) -> String {
        self.ledger.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Action;
    use crate::ident::{Address, ArmId};

    #[tokio::test]
    async fn keeps_ledger_and_journal_and_survives_a_torn_tail() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path(), "shop");
        assert_eq!(store.load().await.unwrap().ledger, None);
        store.lock().await.unwrap();
        store.save(&Ledger::new("shop", "salt")).await.unwrap();
        let intent = |name: &str| Record::Intent {
            address: Address::new(name),
            id: ArmId::resource_group("s", name),
            action: Action::Create,
            owned: None,
        };
        store.append(&intent("a")).await.unwrap();
        store.unlock().await;
        let journal = folder.path().join("shop.journal");
        let mut bytes = std::fs::read(&journal).unwrap();
        bytes.extend_from_slice(b"0000 {\"torn");
        write_atomic(&journal, &bytes).unwrap();
        let again = FileStore::new(folder.path(), "shop");
        assert_eq!(again.load().await.unwrap().in_flight.len(), 1);
        again.append(&intent("b")).await.unwrap();
        assert_eq!(again.load().await.unwrap().in_flight.len(), 2);
        let ledger = again.load().await.unwrap().ledger.unwrap();
        again.save(&ledger).await.unwrap();
        assert_eq!(again.load().await.unwrap().in_flight, []);
    }

    #[tokio::test]
    async fn only_one_run_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (FileStore::new(folder.path(), "shop"), FileStore::new(folder.path(), "shop"));
        first.lock().await.unwrap();
        assert!(matches!(second.lock().await.unwrap_err().kind, ErrorKind::Locked(_)));
        first.unlock().await;
        second.lock().await.unwrap();
    }

    #[tokio::test]
    async fn a_damaged_ledger_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.json");
        write_atomic(&path, b"{ not json").unwrap();
        let error = FileStore::new(folder.path(), "shop").load().await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Damaged(_)));
        assert_eq!(std::fs::read(&path).unwrap(), b"{ not json");
    }
}
