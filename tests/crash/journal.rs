//! A journal whose end, or middle, is not what was written: what is believed is what was written, up to a point, or
//! nothing is believed and berth says so.

use berth::change::{Action, DeleteMode};
use berth::ident::{Address, ArmId};
use berth::ledger::store::{ErrorKind, FileStore, Loaded, Store};
use berth::ledger::{Ledger, Owned, Record};
use serde_json::json;
use std::path::PathBuf;
use tempfile::TempDir;

fn id(name: &str) -> ArmId {
    ArmId::resource_group("s", name)
}

fn owned(name: &str, round: u32) -> Option<Box<Owned>> {
    Some(Box::new(Owned {
        address: Address::new(name),
        arm_type: "Microsoft.Resources/resourceGroups".into(),
        api_version: "1".into(),
        applied: json!({ "tags": { "round": round, "umlaut": "ä" } }),
        depends_on: vec![],
        digests: Default::default(),
        version: None,
        protect: false,
        delete: DeleteMode::Own,
        lanes: vec![],
    }))
}

fn intent(name: &str) -> Record {
    let (address, id) = (Address::new(name), id(name));
    Record::Intent { address, id, action: Action::Create, owned: owned(name, 1), sent_as: None }
}

/// A record of every sort, and each of them once the last.
fn histories() -> Vec<Vec<Record>> {
    let all = [
        intent("a"),
        Record::Accepted { id: id("a"), operation: json!({ "poll": 1 }) },
        intent("b"),
        Record::Done { id: id("a"), owned: owned("a", 2) },
        Record::Failed { id: id("b") },
        intent("a"),
        Record::Gone { id: id("a"), released: false },
    ];
    (1..=all.len()).map(|length| all[..length].to_vec()).collect()
}

struct Journal {
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Journal {
    /// A ledger with these records in its journal.
    fn of(records: &[Record]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let journal = Journal { folder: TempDir::new().unwrap(), runtime };
        let store = journal.store();
        journal.runtime.block_on(async {
            store.lock().await.unwrap();
            store.save(&Ledger::new("shop", "salt")).await.unwrap();
            store.append_all(records).await.unwrap();
        });
        journal
    }

    fn store(&self) -> FileStore {
        FileStore::rehearsed(self.folder.path(), "shop")
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("shop.journal")
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }

    /// What is believed when the journal has these bytes; `None` when nothing is.
    #[expect(clippy::disallowed_methods, reason = "the disk need not be waited for, ten thousand times")]
    fn believed(&self, bytes: &[u8]) -> Option<Loaded> {
        std::fs::write(self.path(), bytes).unwrap();
        match self.runtime.block_on(self.store().load()) {
            Ok(loaded) => Some(loaded),
            Err(error) => {
                assert!(matches!(error.kind, ErrorKind::Damaged(_)), "{error}");
                let text = error.to_string();
                assert!(text.contains("shop.journal") && text.contains("is damaged"), "{text}");
                assert!(error.hint().contains("move it aside"), "{}", error.hint());
                assert_eq!(self.bytes(), bytes, "what is refused stays as it is");
                None
            }
        }
    }
}

/// What may be believed of a journal whose last record is damaged: everything, or everything but that record.
fn truths(records: &[Record]) -> [Loaded; 2] {
    [records, &records[..records.len() - 1]].map(|records| {
        let journal = Journal::of(records);
        journal.runtime.block_on(journal.store().load()).unwrap()
    })
}

#[test]
#[expect(clippy::print_stdout, reason = "the stage `attacks` tells what was tried")]
fn a_journal_that_is_cut_off_in_its_last_record_is_taken_up() {
    let mut torn = 0;
    for records in histories() {
        let (journal, [whole, without]) = (Journal::of(&records), truths(&records));
        let bytes = journal.bytes();
        let last = bytes[..bytes.len() - 1].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        for cut in last..=bytes.len() {
            // Only its line end may be missing from a record that counts.
            let truth = if cut + 1 >= bytes.len() { &whole } else { &without };
            assert_eq!(journal.believed(&bytes[..cut]).as_ref(), Some(truth), "cut at {cut}");
            // What is appended then is read as well, and so is everything before it.
            let store = journal.store();
            let loaded = journal.runtime.block_on(async {
                store.append(&intent("later")).await.unwrap();
                store.load().await.unwrap()
            });
            assert_eq!(loaded.in_flight.len(), truth.in_flight.len() + 1, "cut at {cut}");
            assert!(loaded.ledger.unwrap().resources.contains_key(&id("later")), "cut at {cut}");
            torn += 1;
        }
    }
    println!("attacks: {torn} torn journals: taken up");
}

#[test]
#[expect(clippy::print_stdout, reason = "the stage `attacks` tells what was tried")]
fn a_last_record_with_any_byte_bent_is_never_believed() {
    let mut bent_journals = 0;
    for records in histories() {
        let (journal, truths) = (Journal::of(&records), truths(&records));
        let bytes = journal.bytes();
        let last = bytes[..bytes.len() - 1].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        for at in last..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 1 << (at % 8);
            if let Some(loaded) = journal.believed(&bent) {
                assert!(truths.contains(&loaded), "at {at}: {loaded:?}");
            }
            bent_journals += 1;
        }
    }
    println!("attacks: {bent_journals} bent last records: none believed");
}

#[test]
#[expect(clippy::print_stdout, reason = "the stage `attacks` tells what was tried")]
fn damage_in_the_middle_is_refused() {
    let records = histories().pop().unwrap();
    let journal = Journal::of(&records);
    let bytes = journal.bytes();
    let last = bytes[..bytes.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    for at in 0..last {
        let mut bent = bytes.clone();
        bent[at] ^= 0x04;
        assert_eq!(journal.believed(&bent), None, "bent at {at}");
        if at % 9 > 0 {
            continue;
        }
        // A hole: what a disk gives back that lost a block.
        let mut hole = bytes.clone();
        hole[at..last].fill(0);
        assert_eq!(journal.believed(&hole), None, "a hole from {at}");
        let cut = [&bytes[..at], &bytes[at + 1..]].concat();
        assert_eq!(journal.believed(&cut), None, "without the byte at {at}");
    }
    println!("attacks: {last} journals damaged in the middle: refused");
}
