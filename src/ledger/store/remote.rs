//! A ledger in an object store.
//!
//! ```text
//! NAME/ledger.json                  the ledger, how much of the journal is in it, and who may write it
//! NAME/journal/GENERATION/NUMBER    records, in the order of their numbers; each object is written once
//! NAME/history/SERIAL.json          earlier versions of the ledger
//! NAME/lock.json                    who is at work
//! ```
//!
//! Every write is conditional, and that is the fence: whoever takes a lock over from a dead holder first writes a *seal*
//! where that holder's next piece of journal would go, and marks `ledger.json` with its own generation. Should the holder
//! not be dead after all, its next write fails, before anything is sent to Azure. No clock has a part in that.

use super::holder::Holder;
use super::lease::{self, Asked, Held, Renewed};
use super::objects::{ObjectError, Objects, Version, When};
use super::{Error, ErrorKind, Loaded, Past, Store, Taken};
use crate::host::Clock;
use crate::ledger::journal::{Record, checked, checksum, fold, line, parse};
use crate::ledger::model::{Ledger, migrate};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The version of `ledger.json` and of the journal's objects.
const FORM: u32 = 1;

/// How often something is read again because somebody wrote meanwhile.
const RACES: usize = 8;

/// How many journal objects are read at once.
const READS: usize = 16;

/// How many seals are remembered; older ones are deleted.
const SEALS: usize = 64;

/// Where a piece of journal is: generation and number.
type Place = (u64, u64);

/// `ledger.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    version: u32,
    /// The generation of the lock that may write this.
    fence: u64,
    /// The last piece of journal that is in the ledger.
    folded: Place,
    /// Where the journals of dead holders were sealed.
    seals: Vec<Place>,
    /// The ledger, in a form of its own.
    ledger: Option<Value>,
}

/// The first line of a piece of journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Piece {
    version: u32,
    generation: u64,
    number: u64,
    /// How many records follow.
    records: usize,
    run: String,
    /// Who put an end to this journal; then no records follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed_by: Option<Holder>,
}

/// What is known of the objects of this ledger.
#[derive(Default)]
struct Known {
    generation: u64,
    /// The number of the last piece of journal that this run wrote.
    number: u64,
    /// `ledger.json` as it was last read or written.
    head: Option<(Head, Version)>,
}

/// Keeps a ledger in an object store.
pub struct RemoteStore {
    objects: Arc<dyn Objects>,
    name: String,
    clock: Clock,
    holder: Holder,
    lease: Duration,
    held: Arc<tokio::sync::Mutex<Option<Held>>>,
    known: tokio::sync::Mutex<Known>,
    /// Who took the lock away.
    lost: watch::Sender<Option<String>>,
    heart: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for RemoteStore {
    fn drop(&mut self) {
        self.stop_heart();
    }
}

impl RemoteStore {
    /// The ledger of a blueprint; `lease` is how long its lock holds without being renewed ([`super::LEASE`]).
    pub fn new(
        objects: Arc<dyn Objects>,
        blueprint: &str,
        clock: Clock,
        holder: Holder,
        lease: Duration,
    ) -> Self {
        RemoteStore {
            objects,
            name: blueprint.to_owned(),
            clock,
            holder,
            lease,
            held: Arc::default(),
            known: tokio::sync::Mutex::default(),
            lost: watch::Sender::new(None),
            heart: Mutex::default(),
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/{rest}", self.name)
    }

    fn piece(&self, (generation, number): Place) -> String {
        self.path(&format!("journal/{generation:010}/{number:010}"))
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error { place: self.place(), kind }
    }

    fn failed(&self, error: ObjectError) -> Error {
        self.error(ErrorKind::Remote(error))
    }

    fn damaged(&self, path: &str, why: &dyn std::fmt::Display) -> Error {
        let place = format!("{}/{path}", self.objects.place());
        Error { place, kind: ErrorKind::Damaged(why.to_string()) }
    }

    fn stop_heart(&self) {
        if let Some(heart) = self.heart.lock().unwrap_or_else(PoisonError::into_inner).take() {
            heart.abort();
        }
    }

    /// Fails once the lock is lost.
    fn check(&self) -> Result<(), Error> {
        let lost = self.lost.borrow().clone();
        lost.map_or(Ok(()), |who| Err(self.error(ErrorKind::Lost(who))))
    }

    /// The lock was lost: to whom is in the lock, unless they are gone already.
    async fn taken_over(&self) -> Error {
        let holder = lease::look(&self.objects, &self.path("lock.json"), &self.holder).await;
        let who =
            holder.ok().flatten().map(|(holder, _)| holder).filter(|other| other.run != self.holder.run);
        let who = lease::taken_by(who);
        self.lost.send_replace(Some(who.clone()));
        self.error(ErrorKind::Lost(who))
    }

    async fn head(&self) -> Result<Option<(Head, Version)>, Error> {
        let path = self.path("ledger.json");
        let Some(object) = self.objects.get(&path).await.map_err(|error| self.failed(error))? else {
            return Ok(None);
        };
        #[derive(Deserialize)]
        struct Form {
            version: u32,
        }
        let damaged = |why: String| self.damaged(&path, &why);
        let form: Form = serde_json::from_slice(&object.bytes)
            .map_err(|error| damaged(format!("it is not a ledger: {error}")))?;
        if form.version > FORM {
            let version = form.version;
            return Err(damaged(format!(
                "it has form {version} and this berth writes form {FORM}: use the newer berth that wrote it"
            )));
        }
        let head = serde_json::from_slice(&object.bytes)
            .map_err(|error| damaged(format!("it is damaged: {error}")))?;
        Ok(Some((head, object.version)))
    }

    fn ledger_of(&self, head: &Head) -> Result<Option<Ledger>, Error> {
        let Some(value) = &head.ledger else { return Ok(None) };
        let text = value.to_string();
        migrate(text.as_bytes()).map(Some).map_err(|why| self.damaged(&self.path("ledger.json"), &why))
    }

    /// The pieces of journal that there are, in order.
    async fn pieces(&self) -> Result<Vec<Place>, Error> {
        let paths = self.objects.list(&self.path("journal")).await.map_err(|error| self.failed(error))?;
        let place = |path: &String| {
            let mut parts = path.rsplit('/');
            let number = parts.next()?.parse().ok()?;
            Some((parts.next()?.parse().ok()?, number))
        };
        let mut pieces: Vec<Place> = paths.iter().filter_map(place).collect();
        pieces.sort_unstable();
        Ok(pieces)
    }

    /// Reads everything once; `None` when somebody wrote meanwhile.
    async fn read(&self) -> Result<Option<Loaded>, Error> {
        let head = self.head().await?;
        let folded = head.as_ref().map_or((0, 0), |(head, _)| head.folded);
        let pieces: Vec<Place> = self.pieces().await?.into_iter().filter(|place| *place > folded).collect();
        let mut last = folded;
        for &(generation, number) in &pieces {
            let expected = if generation == last.0 { last.1 + 1 } else { 1 };
            if number != expected {
                // Perhaps a run that ended just now took it away: then the ledger has changed.
                if self.head().await?.map(|(head, _)| head.folded).unwrap_or_default() != folded {
                    return Ok(None);
                }
                let path = self.piece((generation, expected));
                return Err(
                    self.damaged(&path, &"this piece of the journal is missing, and later ones are there")
                );
            }
            last = (generation, number);
        }
        let places = pieces.clone();
        let read: Option<Vec<Vec<Record>>> = futures::stream::iter(pieces)
            .map(|place| self.records(place))
            .buffered(READS)
            .try_collect::<Vec<Option<Vec<Record>>>>()
            .await?
            .into_iter()
            .collect();
        let Some(records) = read else { return Ok(None) };
        // Whose record stands where: a record that cannot be of this ledger is named by its piece.
        let lengths: Vec<usize> = records.iter().map(Vec::len).collect();
        let records: Vec<Record> = records.into_iter().flatten().collect();
        let mut ledger = match &head {
            Some((head, _)) => self.ledger_of(head)?,
            None => None,
        };
        let in_flight = match &mut ledger {
            Some(ledger) => fold(ledger, records).map_err(|(at, why)| {
                let mut before = 0;
                let piece = lengths.iter().position(|length| {
                    before += length;
                    at < before
                });
                let path = piece.map_or_else(|| self.path("journal"), |piece| self.piece(places[piece]));
                self.damaged(&path, &format!("a record of this piece of the journal {why}"))
            })?,
            None if records.is_empty() => Vec::new(),
            None => {
                let why = "it is missing, and a journal that belongs to it is there";
                return Err(self.damaged(&self.path("ledger.json"), &why));
            }
        };
        let mut known = self.known.lock().await;
        known.head = head;
        Ok(Some(Loaded { ledger, in_flight }))
    }

    /// The records of a piece of journal; `None` when it is gone.
    async fn records(&self, place: Place) -> Result<Option<Vec<Record>>, Error> {
        let path = self.piece(place);
        let Some(object) = self.objects.get(&path).await.map_err(|error| self.failed(error))? else {
            return Ok(None);
        };
        let damaged = |why: &str| self.damaged(&path, &why);
        let end = object.bytes.iter().position(|&byte| byte == b'\n').unwrap_or(object.bytes.len());
        let head: Piece = std::str::from_utf8(&object.bytes[..end])
            .ok()
            .and_then(checked)
            .and_then(|json| serde_json::from_str(json).ok())
            .ok_or_else(|| damaged("the first line of this piece of the journal is damaged"))?;
        if head.version > FORM {
            return Err(damaged("this piece of the journal was written by a newer berth: use that one"));
        }
        if (head.generation, head.number) != place {
            return Err(damaged("this piece of the journal is not the one that its name says"));
        }
        // An object is written whole or not at all: nothing in it may be torn.
        let rest = object.bytes.get(end + 1..).unwrap_or_default();
        let records = parse(rest).map_err(|number| {
            damaged(&format!("line {} of this piece of the journal is damaged", number + 1))
        })?;
        if records.len() != head.records {
            return Err(damaged("this piece of the journal is cut off"));
        }
        Ok(Some(records))
    }

    fn text(&self, place: Place, sealed_by: Option<Holder>, records: &[Record]) -> Bytes {
        let (generation, number) = place;
        let (run, count) = (self.holder.run.clone(), records.len());
        let piece = Piece { version: FORM, generation, number, records: count, run, sealed_by };
        let json = serde_json::to_string(&piece).expect("a head serialises");
        let mut text = format!("{} {json}\n", checksum(&json));
        text.extend(records.iter().map(line));
        text.into()
    }

    /// Makes sure that nobody who lost the lock can write any more, and that the ledger knows who may.
    async fn fence(&self, held: &mut Held) -> Result<(), Error> {
        let mut seals = Vec::new();
        for generation in held.unsealed() {
            for _ in 0..RACES {
                let folded = self.head().await?.map_or((0, 0), |(head, _)| head.folded);
                let pieces = self.pieces().await?;
                let last = pieces.iter().chain([&folded]).filter(|place| place.0 == generation).max();
                let place = (generation, last.map_or(0, |place| place.1) + 1);
                let text = self.text(place, Some(self.holder.clone()), &[]);
                match self.objects.put(&self.piece(place), text, When::Absent).await {
                    Ok(_) => {
                        seals.push(place);
                        break;
                    }
                    Err(ObjectError::Conflict) => {}
                    Err(error) => return Err(self.failed(error)),
                }
            }
        }
        if held.unsealed().is_empty() {
            return Ok(());
        }
        for _ in 0..RACES {
            let (mut head, when) = match self.head().await? {
                Some((head, version)) => (head, When::Is(version)),
                None => {
                    let head = Head { version: FORM, fence: 0, folded: (0, 0), seals: vec![], ledger: None };
                    (head, When::Absent)
                }
            };
            head.fence = held.generation();
            head.seals.extend(seals.iter().copied());
            let excess = head.seals.len().saturating_sub(SEALS);
            head.seals.drain(..excess);
            match self.objects.put(&self.path("ledger.json"), json(&head), when).await {
                Ok(_) => {
                    return match held.sealed().await.map_err(|error| self.failed(error))? {
                        Renewed::Ours => Ok(()),
                        Renewed::Lost(_) => Err(self.taken_over().await),
                    };
                }
                Err(ObjectError::Conflict) => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Err(self.failed(ObjectError::Other("the ledger changes all the time".to_owned())))
    }

    /// Deletes the journal that is in the ledger, and versions that are too old. The next run can do it as well.
    async fn tidy(&self, head: &Head) -> Result<(), ObjectError> {
        for place in self.pieces().await.unwrap_or_default() {
            // A seal stays: whoever lost the lock may still run into it.
            if place <= head.folded && !head.seals.contains(&place) {
                self.objects.delete(&self.piece(place)).await?;
            }
        }
        let history = self.objects.list(&self.path("history")).await?;
        let excess = history.len().saturating_sub(super::HISTORY);
        for path in &history[..excess] {
            self.objects.delete(path).await?;
        }
        Ok(())
    }
}

fn json(head: &Head) -> Bytes {
    let mut text = serde_json::to_vec_pretty(head).expect("a ledger serialises");
    text.push(b'\n');
    text.into()
}

#[async_trait]
impl Store for RemoteStore {
    async fn load(&self) -> Result<Loaded, Error> {
        for _ in 0..RACES {
            if let Some(loaded) = self.read().await? {
                return Ok(loaded);
            }
        }
        Err(self.failed(ObjectError::Other("it changes all the time".to_owned())))
    }

    async fn lock(&self) -> Result<Taken, Error> {
        let path = self.path("lock.json");
        let mut holder = self.holder.clone();
        holder.since = self.clock.now();
        let asked = lease::ask(&self.objects, &path, &holder, self.lease).await;
        let (mut held, from) = match asked.map_err(|error| self.failed(error))? {
            Asked::Taken(held, from) => (*held, from),
            Asked::Busy(holder, left) => {
                let left = left.as_secs() + 1;
                let who = format!("{holder}; should that run be dead, its lock ends within {left} s");
                return Err(self.error(ErrorKind::Locked(who)));
            }
        };
        self.lost.send_replace(None);
        self.fence(&mut held).await?;
        *self.known.lock().await = Known { generation: held.generation(), ..Known::default() };
        *self.held.lock().await = Some(held);
        let (held, clock, lease, lost) =
            (self.held.clone(), self.clock.clone(), self.lease, self.lost.clone());
        let heart = tokio::spawn(async move {
            let who = lease::keep(held, clock, lease).await;
            lost.send_replace(Some(who));
        });
        *self.heart.lock().unwrap_or_else(PoisonError::into_inner) = Some(heart);
        Ok(Taken { from: from.map(|holder| holder.to_string()) })
    }

    async fn unlock(&self) {
        self.stop_heart();
        if let Some(held) = self.held.lock().await.take()
            && let Err(error) = held.release().await
        {
            tracing::warn!("the lock of the ledger could not be given back, and will end by itself: {error}");
        }
    }

    async fn append(&self, record: &Record) -> Result<(), Error> {
        self.append_all(std::slice::from_ref(record)).await
    }

    async fn append_all(&self, records: &[Record]) -> Result<(), Error> {
        self.check()?;
        let mut known = self.known.lock().await;
        let place = (known.generation, known.number + 1);
        let text = self.text(place, None, records);
        match self.objects.put(&self.piece(place), text, When::Absent).await {
            Ok(_) => {
                known.number += 1;
                Ok(())
            }
            Err(ObjectError::Conflict) => Err(self.taken_over().await),
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn save(&self, ledger: &Ledger) -> Result<(), Error> {
        self.check()?;
        let mut known = self.known.lock().await;
        if known.head.is_none() {
            known.head = self.head().await?;
        }
        let path = self.path("ledger.json");
        let value = serde_json::to_value(ledger)
            .map_err(|error| self.damaged(&path, &format!("it cannot be written: {error}")))?;
        for _ in 0..RACES {
            let old = known.head.as_ref().and_then(|(old, _)| old.ledger.as_ref());
            let before = old.and_then(|old| old.get("serial")?.as_u64());
            ledger.follows(before).map_err(|why| self.damaged(&path, &why))?;
            if let Some(text) = old.filter(|_| before != Some(ledger.serial)) {
                let serial = before.unwrap_or_default();
                let kept = self.path(&format!("history/{serial:010}.json"));
                let put = self.objects.put(&kept, text.to_string().into(), When::Always).await;
                put.map_err(|error| self.failed(error))?;
            }
            let (seals, when) = match &known.head {
                Some((head, version)) => (head.seals.clone(), When::Is(version.clone())),
                None => (Vec::new(), When::Absent),
            };
            let folded = match known.number {
                // Everything that was there when this run began, of whatever generation.
                0 => (known.generation.saturating_sub(1), u64::MAX >> 11),
                number => (known.generation, number),
            };
            let head =
                Head { version: FORM, fence: known.generation, folded, seals, ledger: Some(value.clone()) };
            match self.objects.put(&path, json(&head), when).await {
                Ok(version) => {
                    if let Err(error) = self.tidy(&head).await {
                        tracing::warn!("old pieces of the ledger could not be deleted: {error}");
                    }
                    known.head = Some((head, version));
                    return Ok(());
                }
                Err(ObjectError::Conflict) => {}
                Err(error) => return Err(self.failed(error)),
            }
            // Somebody deleted it, or wrote it: only whoever has the lock now may do that.
            known.head = self.head().await?;
            if known.head.as_ref().is_some_and(|(head, _)| head.fence > known.generation) {
                return Err(self.taken_over().await);
            }
            let mut held = self.held.lock().await;
            if let Some(held) = held.as_mut()
                && let Renewed::Lost(holder) = held.renew().await.map_err(|error| self.failed(error))?
            {
                return Err(self.error(ErrorKind::Lost(lease::taken_by(holder))));
            }
        }
        Err(self.failed(ObjectError::Other("the ledger changes all the time".to_owned())))
    }

    async fn lost(&self) -> Error {
        let mut lost = self.lost.subscribe();
        // The sender lives in `self`, so the wait can only end by the condition.
        let who = lost.wait_for(Option::is_some).await.ok().and_then(|who| who.clone());
        self.error(ErrorKind::Lost(who.unwrap_or_default()))
    }

    async fn holder(&self) -> Result<Option<String>, Error> {
        let found = lease::look(&self.objects, &self.path("lock.json"), &self.holder).await;
        Ok(found.map_err(|error| self.failed(error))?.map(|(holder, dead)| match dead {
            true => format!("{holder}, which is dead: the next run takes its lock"),
            false => holder.to_string(),
        }))
    }

    async fn history(&self) -> Result<Vec<Past>, Error> {
        let paths = self.objects.list(&self.path("history")).await.map_err(|error| self.failed(error))?;
        let mut versions: Vec<Past> = Vec::new();
        for path in paths {
            let name = path.rsplit('/').next().and_then(|name| name.strip_suffix(".json"));
            let Some(serial) = name.and_then(|name| name.parse().ok()) else { continue };
            if let Some(object) = self.objects.get(&path).await.map_err(|error| self.failed(error))? {
                let ledger = migrate(&object.bytes).map_err(|why| self.damaged(&path, &why))?;
                versions.push(Past { serial, replaced: object.modified, ledger });
            }
        }
        versions.reverse();
        Ok(versions)
    }

    fn place(&self) -> String {
        format!("{}/{}", self.objects.place(), self.name)
    }
}
