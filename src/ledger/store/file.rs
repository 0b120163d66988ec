//! A ledger in a folder: `NAME.json`, while a run goes on `NAME.journal`, and `NAME.lock`; earlier versions in
//! `NAME.history`.

use super::holder::Holder;
use super::{Error, ErrorKind, Loaded, Past, Store, Taken};
use crate::host::files::{close_to_others, open_own, read_if_exists, write_atomic};
use crate::host::{Timestamp, crash};
use crate::ledger::journal::{Record, fold, line, parse};
use crate::ledger::model::{Ledger, migrate};
use async_trait::async_trait;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

/// Keeps a ledger in files. The lock is the operating system's and goes with the process.
///
/// Should the files be deleted while a run goes on, they are written anew: what the run knows is not lost.
#[derive(Debug)]
pub struct FileStore {
    ledger: PathBuf,
    journal: PathBuf,
    lock: PathBuf,
    /// Whether records wait for the disk.
    durable: bool,
    history: PathBuf,
    holder: Holder,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    journal: Option<File>,
    lock: Option<File>,
    /// The ledger as this process saved it last, and what went to the journal since: to write them anew.
    saved: Option<Vec<u8>>,
    appended: Vec<u8>,
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
            history: file("history"),
            holder: Holder::this("this machine", None, None),
            open: Mutex::default(),
        }
    }

    /// The same for a rehearsal: its journal outlives the process and not a loss of power, which takes the simulator's
    /// state too. The disk is not waited for.
    pub fn rehearsed(folder: &Path, blueprint: &str) -> Self {
        FileStore { durable: false, ..Self::new(folder, blueprint) }
    }

    /// With this as what others are told about the lock.
    #[must_use]
    pub fn held_by(self, holder: Holder) -> Self {
        FileStore { holder, ..self }
    }

    fn error(&self, path: &Path, kind: ErrorKind) -> Error {
        Error { place: path.display().to_string(), kind }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self) -> Result<(), Error> {
        let folder = self.ledger.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| self.error(folder, ErrorKind::Write(error)))
    }

    /// Opens the journal to append to it.
    fn journal(&self) -> io::Result<File> {
        let mut file = open_own(&self.journal, OpenOptions::new().create(true).append(true).read(true))?;
        close_to_others(&file)?;
        // What was torn off by a kill is cut away, so that the next line starts on a line of its own.
        let bytes = read_if_exists(&self.journal)?.unwrap_or_default();
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            if parse(&bytes[whole..]).is_ok_and(|records| !records.is_empty()) {
                file.write_all(b"\n")?;
            } else {
                file.set_len(whole as u64)?;
                file.seek(io::SeekFrom::End(0))?;
            }
        }
        Ok(file)
    }

    fn append_now(&self, records: &[Record]) -> io::Result<()> {
        let mut guard = self.open();
        let open = &mut *guard;
        if let Some(saved) = &open.saved
            && !self.journal.exists()
        {
            // Before the first record there is none. Otherwise somebody deleted it, perhaps the ledger too: everything
            // that was in them goes to the disk again.
            if !self.ledger.exists() {
                write_atomic(&self.ledger, saved)?;
            }
            if !open.appended.is_empty() {
                write_atomic(&self.journal, &open.appended)?;
            }
            open.journal = None;
        }
        let mut file = match open.journal.take() {
            Some(file) => file,
            None => self.journal()?,
        };
        let lines: String = records.iter().map(line).collect();
        crash::moment();
        // After an error the journal is not open any more: whoever opens it cuts off what was written in part.
        if crash::armed() {
            tear(&mut file, &lines)?;
        } else {
            file.write_all(lines.as_bytes())?;
        }
        if self.durable {
            file.sync_data()?;
        }
        crash::moment();
        open.appended.extend_from_slice(lines.as_bytes());
        open.journal = Some(file);
        Ok(())
    }

    /// The serial of the ledger that is there, if any can be read.
    fn serial(&self) -> io::Result<Option<u64>> {
        Ok(read_if_exists(&self.ledger)?.and_then(|bytes| serial_of(&bytes)))
    }

    /// Keeps the version that is about to be replaced, and of the earlier ones the latest.
    fn keep(&self, serial: u64) -> io::Result<()> {
        let Some(bytes) = read_if_exists(&self.ledger)? else { return Ok(()) };
        let Some(old) = serial_of(&bytes).filter(|old| *old != serial) else { return Ok(()) };
        write_atomic(&self.history.join(format!("{old:010}.json")), &bytes)?;
        let versions = self.versions()?;
        for path in &versions[..versions.len().saturating_sub(super::HISTORY)] {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }

    /// The files of earlier versions, the oldest first.
    fn versions(&self) -> io::Result<Vec<PathBuf>> {
        let mut versions = Vec::new();
        match std::fs::read_dir(&self.history) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(entries) => {
                for entry in entries {
                    let path = entry?.path();
                    if path.extension().is_some_and(|extension| extension == "json") {
                        versions.push(path);
                    }
                }
            }
        }
        versions.sort();
        Ok(versions)
    }

    /// Who wrote the lock file: a holder, or for an older berth its process.
    fn written(&self) -> Option<String> {
        let bytes = read_if_exists(&self.lock).ok().flatten()?;
        let text = String::from_utf8(bytes).ok().filter(|text| !text.trim().is_empty())?;
        Some(serde_json::from_str::<Holder>(&text).map_or(text, |holder| holder.to_string()))
    }
}

/// The serial in the text of a ledger, whatever else is in it.
fn serial_of(bytes: &[u8]) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Head {
        serial: u64,
    }
    serde_json::from_slice::<Head>(bytes).ok().map(|head| head.serial)
}

/// How often a lock that nobody has written his name to is tried again.
const GIVING_BACK: usize = 50;

#[async_trait]
impl Store for FileStore {
    async fn load(&self) -> Result<Loaded, Error> {
        let read =
            |path: &Path| read_if_exists(path).map_err(|error| self.error(path, ErrorKind::Read(error)));
        let mut ledger = match read(&self.ledger)? {
            Some(bytes) => Some(
                migrate(&bytes)
                    .map_err(|why| self.error(&self.ledger, ErrorKind::Damaged(why.to_string())))?,
            ),
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
                in_flight = fold(ledger, records).map_err(|(at, why)| {
                    let why = format!("line {} of the journal {why}", at + 1);
                    self.error(&self.journal, ErrorKind::Damaged(why))
                })?;
            } else if !records.is_empty() {
                // The first save comes before the first record, so this ledger was removed by hand.
                let why = "its ledger file is missing".to_owned();
                return Err(self.error(&self.journal, ErrorKind::Damaged(why)));
            }
        }
        Ok(Loaded { ledger, in_flight })
    }

    async fn lock(&self) -> Result<Taken, Error> {
        self.folder()?;
        let write = |error| self.error(&self.lock, ErrorKind::Write(error));
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = open_own(&self.lock, &mut options).map_err(write)?;
        let mut taken = file.try_lock();
        for _ in 0..GIVING_BACK {
            // Whoever gives it back empties the file a moment before the lock is free; so does a child that was just
            // made, until it becomes another program.
            if !matches!(taken, Err(TryLockError::WouldBlock)) || self.written().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            taken = file.try_lock();
        }
        match taken {
            Ok(()) => {
                // Whoever gives the lock back empties the file.
                let from = self.written();
                crash::moment();
                file.set_len(0).map_err(write)?;
                let mut holder = self.holder.clone();
                holder.since = now();
                let _ = serde_json::to_writer(&mut file, &holder);
                let _ = file.flush();
                *self.open() = Open { lock: Some(file), ..Open::default() };
                Ok(Taken { from })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = self.written().unwrap_or_else(|| "another run".to_owned());
                Err(self.error(&self.ledger, ErrorKind::Locked(holder)))
            }
            Err(TryLockError::Error(error)) => Err(write(error)),
        }
    }

    async fn unlock(&self) {
        let lock = std::mem::take(&mut *self.open()).lock;
        if let Some(file) = lock {
            crash::moment();
            let _ = file.set_len(0);
        }
    }

    async fn append(&self, record: &Record) -> Result<(), Error> {
        self.append_all(std::slice::from_ref(record)).await
    }

    async fn append_all(&self, records: &[Record]) -> Result<(), Error> {
        stubborn(|| self.append_now(records))
            .map_err(|error| self.error(&self.journal, ErrorKind::Write(error)))
    }

    async fn save(&self, ledger: &Ledger) -> Result<(), Error> {
        let write = |path: &Path, error| self.error(path, ErrorKind::Write(error));
        let bytes = serde_json::to_vec_pretty(ledger)
            .map_err(|error| write(&self.ledger, std::io::Error::other(error)))?;
        let before = self.serial().map_err(|error| write(&self.ledger, error))?;
        ledger
            .follows(before)
            .map_err(|why| self.error(&self.ledger, ErrorKind::Damaged(why.to_string())))?;
        crash::moment();
        stubborn(|| self.keep(ledger.serial)).map_err(|error| write(&self.history, error))?;
        crash::moment();
        stubborn(|| write_atomic(&self.ledger, &bytes)).map_err(|error| write(&self.ledger, error))?;
        crash::moment();
        // Were the process killed here, the journal would be folded in once more, which changes nothing.
        let mut open = self.open();
        open.journal = None;
        open.appended.clear();
        open.saved = Some(bytes);
        drop(open);
        match std::fs::remove_file(&self.journal) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(write(&self.journal, error));
            }
            _ => {}
        }
        crash::moment();
        Ok(())
    }

    async fn holder(&self) -> Result<Option<String>, Error> {
        let Ok(file) = open_own(&self.lock, OpenOptions::new().read(true)) else { return Ok(None) };
        Ok(match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(self.written().unwrap_or_else(|| "another run".to_owned())),
            _ => self.written().map(|who| format!("{who}, which is dead: the next run takes its lock")),
        })
    }

    async fn history(&self) -> Result<Vec<Past>, Error> {
        let failed = |error| self.error(&self.history, ErrorKind::Read(error));
        let mut versions = Vec::new();
        for path in self.versions().map_err(failed)? {
            let bytes = read_if_exists(&path).map_err(failed)?.unwrap_or_default();
            let ledger =
                migrate(&bytes).map_err(|why| self.error(&path, ErrorKind::Damaged(why.to_string())))?;
            let modified = std::fs::metadata(&path).and_then(|meta| meta.modified()).map_err(failed)?;
            let replaced = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
            versions.push(Past { serial: ledger.serial, replaced: Timestamp(replaced), ledger });
        }
        versions.reverse();
        Ok(versions)
    }

    fn place(&self) -> String {
        self.ledger.display().to_string()
    }
}

/// Does something that makes the folders it needs, again if somebody deletes them meanwhile: that takes moments.
fn stubborn(mut act: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    const TRIES: usize = 200;
    for _ in 1..TRIES {
        match act() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::thread::yield_now(),
            other => return other,
        }
    }
    act()
}

/// Writes each line in two halves, with a moment to die between them.
fn tear(file: &mut File, lines: &str) -> io::Result<()> {
    for line in lines.as_bytes().split_inclusive(|&byte| byte == b'\n') {
        let (half, rest) = line.split_at(line.len() / 2);
        file.write_all(half)?;
        crash::moment();
        file.write_all(rest)?;
    }
    Ok(())
}

/// The machine's time, for people to read: since when a lock is held.
fn now() -> Timestamp {
    crate::host::Clock::start(1.0).now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Action;
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
            sent_as: None,
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
