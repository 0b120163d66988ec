//! What holds of every ledger store, and object stores that fail on purpose.

use async_trait::async_trait;
use berth::change::{Action, DeleteMode};
use berth::host::Clock;
use berth::ident::{Address, ArmId};
use berth::ledger::store::objects::{MemoryObjects, Object, ObjectError, Objects, Version, When};
use berth::ledger::store::{ErrorKind, HISTORY, Store};
use berth::ledger::{Ledger, Owned, Record};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The id of a resource group.
pub fn id(name: &str) -> ArmId {
    ArmId::resource_group("00000000-0000-0000-0000-000000000001", name)
}

/// A resource that a ledger owns.
pub fn owned(name: &str) -> Owned {
    Owned {
        address: Address::new(name),
        arm_type: "Microsoft.Resources/resourceGroups".into(),
        api_version: "2025-04-01".into(),
        applied: serde_json::json!({ "location": "westeurope", "tags": { "ö": "\"quoted\"\n" } }),
        depends_on: vec![],
        digests: Default::default(),
        version: None,
        protect: false,
        delete: DeleteMode::Own,
        lanes: vec![],
    }
}

/// A step that is about to begin.
pub fn intent(name: &str) -> Record {
    let owned = Some(Box::new(owned(name)));
    Record::Intent { address: Address::new(name), id: id(name), action: Action::Create, owned, sent_as: None }
}

/// A step that is done.
pub fn done(name: &str) -> Record {
    Record::Done { id: id(name), owned: Some(Box::new(owned(name))) }
}

/// A ledger with this serial and these resources.
pub fn ledger(serial: u64, names: &[&str]) -> Ledger {
    let mut ledger = Ledger::new("shop", "salt");
    ledger.serial = serial;
    ledger.resources.extend(names.iter().map(|name| (id(name), owned(name))));
    ledger
}

async fn names(store: &dyn Store) -> (Vec<String>, Vec<String>) {
    let loaded = store.load().await.unwrap();
    let ledger = loaded.ledger.unwrap();
    (
        ledger.resources.keys().map(|id| id.name().to_owned()).collect(),
        loaded.in_flight.iter().map(|step| step.id.name().to_owned()).collect(),
    )
}

/// What holds of every store. `open` opens the same empty ledger, each time as another process would.
pub async fn contract(open: &dyn Fn() -> Arc<dyn Store>) {
    let (first, second) = (open(), open());
    let nothing = first.load().await.unwrap();
    assert_eq!(
        (nothing.ledger, nothing.in_flight.len()),
        (None, 0),
        "nothing is there, and that is not an error"
    );
    assert_eq!(first.history().await.unwrap(), []);
    assert_eq!(first.holder().await.unwrap(), None);

    // One at a time, and the other is told who.
    assert_eq!(first.lock().await.unwrap().from, None);
    let refused = second.lock().await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::Locked(_)), "{refused}");
    assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
    assert!(second.holder().await.unwrap().unwrap().contains(&format!("process {}", std::process::id())));
    first.unlock().await;
    assert_eq!(second.lock().await.unwrap().from, None, "it was given back");
    second.unlock().await;
    assert_eq!(second.holder().await.unwrap(), None);

    // Whoever reads sees every record that was written, before it is saved and after.
    first.lock().await.unwrap();
    first.save(&ledger(1, &["kept"])).await.unwrap();
    first.append_all(&[intent("a"), intent("b")]).await.unwrap();
    assert_eq!(
        names(&*second).await,
        (vec!["kept".into(), "a".into(), "b".into()], vec!["a".into(), "b".into()])
    );
    first.append(&Record::Accepted { id: id("b"), operation: serde_json::json!({ "u": 1 }) }).await.unwrap();
    first.append_all(&[done("a"), Record::Gone { id: id("kept"), released: false }]).await.unwrap();
    assert_eq!(names(&*second).await, (vec!["a".into(), "b".into()], vec!["b".into()]));
    first.unlock().await;

    // The next run finds it, goes on in the same journal, and saves.
    second.lock().await.unwrap();
    let loaded = second.load().await.unwrap();
    assert_eq!(loaded.in_flight[0].operation, Some(serde_json::json!({ "u": 1 })));
    second.append(&intent("c")).await.unwrap();
    assert_eq!(names(&*first).await.1, ["b", "c"]);
    second.save(&ledger(2, &["b", "c"])).await.unwrap();
    assert_eq!(names(&*first).await, (vec!["b".into(), "c".into()], vec![]));
    second.append(&done("d")).await.unwrap();
    second.save(&ledger(3, &["b", "d"])).await.unwrap();
    second.unlock().await;
    assert_eq!(
        open().load().await.unwrap().ledger,
        Some(ledger(3, &["b", "d"])),
        "nothing is bent on the way"
    );

    // What was replaced is kept for a while.
    let history = first.history().await.unwrap();
    assert_eq!(history.iter().map(|past| past.serial).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(history[0].ledger, ledger(2, &["b", "c"]));
    first.lock().await.unwrap();
    first.load().await.unwrap();
    for serial in 4..4 + HISTORY as u64 {
        first.save(&ledger(serial, &[])).await.unwrap();
        first.save(&ledger(serial, &["again"])).await.unwrap();
    }
    first.unlock().await;
    let history = first.history().await.unwrap();
    let last = 3 + HISTORY as u64;
    assert_eq!(
        history.iter().map(|past| past.serial).collect::<Vec<_>>(),
        (3..last).rev().collect::<Vec<_>>()
    );
}

/// Objects in memory whose network can be cut, and where one write can go wrong.
pub struct Faulty {
    inner: MemoryObjects,
    down: AtomicBool,
    writes: AtomicUsize,
    fails: Option<(usize, Fault)>,
}

/// How a write goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not arrive.
    Before,
    /// It arrives, and nobody hears of it.
    After,
}

impl Faulty {
    /// A way to these objects of its own.
    pub fn new(inner: &MemoryObjects) -> Arc<Self> {
        Self::failing(inner, None)
    }

    /// One whose write of this number, from 0, goes wrong; then nothing gets through any more.
    pub fn failing(inner: &MemoryObjects, fails: Option<(usize, Fault)>) -> Arc<Self> {
        let (down, writes) = (AtomicBool::new(false), AtomicUsize::new(0));
        Arc::new(Faulty { inner: inner.clone(), down, writes, fails })
    }

    /// Cuts the network, or mends it.
    pub fn cut(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn up(&self) -> Result<(), ObjectError> {
        match self.down.load(Ordering::SeqCst) {
            true => Err(ObjectError::Other("connection refused".to_owned())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Objects for Faulty {
    async fn get(&self, path: &str) -> Result<Option<Object>, ObjectError> {
        self.up()?;
        self.inner.get(path).await
    }

    async fn put(&self, path: &str, bytes: Bytes, when: When) -> Result<Version, ObjectError> {
        self.up()?;
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        let fault = self.fails.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        if fault.is_some() {
            self.cut(true);
        }
        if fault == Some(Fault::Before) {
            return Err(ObjectError::Other("connection reset".to_owned()));
        }
        let written = self.inner.put(path, bytes, when).await;
        if fault == Some(Fault::After) {
            return Err(ObjectError::Other("the answer got lost".to_owned()));
        }
        written
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, ObjectError> {
        self.up()?;
        self.inner.list(folder).await
    }

    async fn delete(&self, path: &str) -> Result<(), ObjectError> {
        self.up()?;
        self.inner.delete(path).await
    }

    fn place(&self) -> &str {
        "memory:"
    }
}

/// Objects in memory, their time the test's.
pub fn objects() -> (MemoryObjects, Clock) {
    let clock = Clock::start(1.0);
    (MemoryObjects::new(clock.clone()), clock)
}
