//! What a remote ledger needs of an object store: whole objects, conditional writes, listings. A port, with one
//! implementation over the `object_store` crate and one in memory.

use crate::host::{Clock, Timestamp, crash};
use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Which content of an object: what a conditional write is conditional on.
pub type Version = UpdateVersion;

/// An object as it was read.
#[derive(Debug, Clone)]
pub struct Object {
    /// What is in it.
    pub bytes: Bytes,
    /// Which content that is.
    pub version: Version,
    /// When it was written, by the store's own clock.
    pub modified: Timestamp,
}

/// When an object may be written.
#[derive(Debug, Clone)]
pub enum When {
    /// Whatever is there.
    Always,
    /// When there is none.
    Absent,
    /// When it is still this one.
    Is(Version),
}

/// Why an object could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The condition of a write does not hold: somebody else wrote.
    #[error("somebody else wrote to it")]
    Conflict,
    /// The store knows nobody by this sign-in, or does not let them.
    #[error("access is denied: {0}")]
    Denied(String),
    /// The container or bucket does not exist.
    #[error("the container or bucket does not exist: {0}")]
    NoContainer(String),
    /// The store did not answer, or answered with something else.
    #[error("{0}")]
    Other(String),
}

/// An object store, as a ledger uses it. Reads and listings see every write that ended before they began.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Reads an object; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be asked.
    async fn get(&self, path: &str) -> Result<Option<Object>, ObjectError>;

    /// Writes an object in one piece. Writing again what is there already is not a conflict: an answer may get lost.
    ///
    /// # Errors
    /// [`ObjectError::Conflict`] when the condition does not hold; others when the store cannot be asked, and then
    /// the object may have been written or not.
    async fn put(&self, path: &str, bytes: Bytes, when: When) -> Result<Version, ObjectError>;

    /// The paths of the objects below a folder, in order.
    ///
    /// # Errors
    /// When the store cannot be asked.
    async fn list(&self, folder: &str) -> Result<Vec<String>, ObjectError>;

    /// Deletes an object, if there is one.
    ///
    /// # Errors
    /// When the store cannot be asked.
    async fn delete(&self, path: &str) -> Result<(), ObjectError>;

    /// Where it is, as a URL without a slash at its end.
    fn place(&self) -> &str;
}

/// A bucket or container of a cloud.
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    place: String,
}

impl Bucket {
    /// A store, and its URL for messages.
    pub fn new(store: Arc<dyn ObjectStore>, place: impl Into<String>) -> Self {
        Bucket { store, place: place.into() }
    }
}

/// The store's words without its own name and the URL, which the message around it has.
fn said(error: StoreError) -> ObjectError {
    let text = match &error {
        StoreError::Generic { source, .. }
        | StoreError::NotFound { source, .. }
        | StoreError::Unauthenticated { source, .. }
        | StoreError::PermissionDenied { source, .. } => innermost(&**source),
        other => other.to_string(),
    };
    match error {
        StoreError::AlreadyExists { .. } | StoreError::Precondition { .. } => ObjectError::Conflict,
        StoreError::Unauthenticated { .. } | StoreError::PermissionDenied { .. } => ObjectError::Denied(text),
        StoreError::NotFound { .. } => ObjectError::NoContainer(text),
        _ if text.contains("ContainerNotFound") || text.contains("NoSuchBucket") => {
            ObjectError::NoContainer(text)
        }
        _ => ObjectError::Other(text),
    }
}

/// An error with its causes, each once, on one line.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(600).collect()
}

#[async_trait]
impl Objects for Bucket {
    async fn get(&self, path: &str) -> Result<Option<Object>, ObjectError> {
        let result = match self.store.get(&Path::from(path)).await {
            Ok(result) => result,
            Err(error @ StoreError::NotFound { .. }) => {
                let error = said(error);
                let text = error.to_string();
                return match text.contains("ContainerNotFound") || text.contains("NoSuchBucket") {
                    true => Err(error),
                    false => Ok(None),
                };
            }
            Err(error) => return Err(said(error)),
        };
        let meta = result.meta.clone();
        let modified = u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or_default();
        let version = Version { e_tag: meta.e_tag, version: meta.version };
        let bytes = result.bytes().await.map_err(said)?;
        Ok(Some(Object { bytes, version, modified: Timestamp(modified) }))
    }

    async fn put(&self, path: &str, bytes: Bytes, when: When) -> Result<Version, ObjectError> {
        let mode = match when {
            When::Always => PutMode::Overwrite,
            When::Absent => PutMode::Create,
            When::Is(version) => PutMode::Update(version),
        };
        let options = PutOptions { mode, ..PutOptions::default() };
        crash::moment();
        let put = self.store.put_opts(&Path::from(path), bytes.clone().into(), options).await.map_err(said);
        crash::moment();
        match put {
            Ok(written) => Ok(written.into()),
            // A repeated request meets what the first one wrote when only its answer got lost.
            Err(ObjectError::Conflict) => match self.get(path).await? {
                Some(object) if object.bytes == bytes => Ok(object.version),
                _ => Err(ObjectError::Conflict),
            },
            Err(error) => Err(error),
        }
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, ObjectError> {
        let listing = self.store.list(Some(&Path::from(folder)));
        let mut paths: Vec<String> =
            listing.map_ok(|meta| meta.location.to_string()).try_collect().await.map_err(said)?;
        paths.sort();
        Ok(paths)
    }

    async fn delete(&self, path: &str) -> Result<(), ObjectError> {
        crash::moment();
        match self.store.delete(&Path::from(path)).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(said(error)),
        }
    }

    fn place(&self) -> &str {
        &self.place
    }
}

/// Objects in memory; clones share them. Their times are a clock's, so that tests can move them.
#[derive(Clone)]
pub struct MemoryObjects {
    clock: Clock,
    objects: Arc<Mutex<Contents>>,
}

#[derive(Default)]
struct Contents {
    writes: u64,
    objects: BTreeMap<String, Object>,
}

impl MemoryObjects {
    /// An empty store.
    pub fn new(clock: Clock) -> Self {
        MemoryObjects { clock, objects: Arc::default() }
    }

    fn contents(&self) -> std::sync::MutexGuard<'_, Contents> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn get(&self, path: &str) -> Result<Option<Object>, ObjectError> {
        Ok(self.contents().objects.get(path).cloned())
    }

    async fn put(&self, path: &str, bytes: Bytes, when: When) -> Result<Version, ObjectError> {
        let mut contents = self.contents();
        let there = contents.objects.get(path);
        let holds = match &when {
            When::Always => true,
            When::Absent => there.is_none(),
            When::Is(version) => there.is_some_and(|object| object.version == *version),
        };
        match there {
            Some(object) if !holds && object.bytes == bytes => return Ok(object.version.clone()),
            _ if !holds => return Err(ObjectError::Conflict),
            _ => {}
        }
        contents.writes += 1;
        let version = Version { e_tag: Some(contents.writes.to_string()), version: None };
        let object = Object { bytes, version: version.clone(), modified: self.clock.now() };
        contents.objects.insert(path.to_owned(), object);
        Ok(version)
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, ObjectError> {
        let folder = format!("{folder}/");
        Ok(self.contents().objects.keys().filter(|path| path.starts_with(&folder)).cloned().collect())
    }

    async fn delete(&self, path: &str) -> Result<(), ObjectError> {
        self.contents().objects.remove(path);
        Ok(())
    }

    fn place(&self) -> &str {
        "memory:"
    }
}
