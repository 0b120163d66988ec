//! What must be true after a crash and one further run.

use crate::support::{Berth, Ended, Run};
use crate::world::World;
use berth::ledger::store::{FileStore, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

/// A folder with the quickstart and an Azure to put it on.
pub struct Case {
    pub world: World,
    pub berth: Berth,
    name: String,
}

impl Case {
    /// One on an empty subscription; `name` is told when something does not hold.
    pub fn new(name: String) -> Self {
        Case { world: World::new(), berth: Berth::quickstart(), name }
    }

    /// Runs a verb to its end, which must be good.
    #[track_caller]
    pub fn run(&self, verb: &str, more: &[&str]) -> Ended {
        let output = self.world.command(&self.berth, verb, more).output().unwrap();
        Run::of(&[&self.name, verb], output).exits(0)
    }

    /// One further apply converges, nothing was made twice, and the ledger is what it would have been anyway.
    #[track_caller]
    pub fn converges(&self) {
        self.run("apply", &["--auto-approve"]);
        self.is_whole();
        assert_eq!(ledger_of(&self.berth), uninterrupted().ledger, "{}", self.name);
    }

    /// A plan finds nothing to do, and nothing was made twice.
    #[track_caller]
    pub fn is_whole(&self) {
        self.run("plan", &[]).says(&["No changes."]);
        let counters = self.world.counters();
        let twice: BTreeMap<_, _> = counters.creates.iter().filter(|(_, times)| **times != 1).collect();
        assert!(twice.is_empty(), "{}: made more than once: {twice:?}", self.name);
        // No record is left that tells of something under way.
        assert_eq!(loaded(&self.berth).1, 0, "{}", self.name);
    }

    /// One further destroy leaves nothing, neither in Azure nor in the ledger.
    #[track_caller]
    pub fn is_taken_down(&self) {
        self.run("destroy", &["--auto-approve"]);
        assert_eq!(self.world.simulator.export(), [] as [Value; 0], "{}", self.name);
        let (ledger, in_flight) = loaded(&self.berth);
        assert_eq!((&ledger["resources"], in_flight), (&json!({}), 0), "{}", self.name);
    }
}

/// The ledger of a folder and how much is under way.
fn loaded(berth: &Berth) -> (Value, usize) {
    load(&berth.path(".berth/ledgers"))
}

/// The ledger in a folder and how much is under way.
pub fn load(folder: &Path) -> (Value, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let loaded = runtime.block_on(FileStore::new(folder, "shop").load()).unwrap();
    (serde_json::to_value(loaded.ledger.unwrap()).unwrap(), loaded.in_flight.len())
}

/// The ledger without what differs between any two runs: the salt and what is salted with it, and how often it was written.
pub fn ledger_of(berth: &Berth) -> Value {
    let mut ledger = loaded(berth).0;
    ledger["salt"] = Value::Null;
    ledger["serial"] = Value::Null;
    let resources = ledger["resources"].as_object_mut().unwrap();
    for owned in resources.values_mut() {
        let digests = owned["digests"].as_object_mut().unwrap();
        digests.values_mut().for_each(|digest| *digest = Value::Null);
    }
    // In order of ids: the order in which things were made is another one after a crash.
    resources.sort_keys();
    ledger
}

/// A run that nobody disturbed.
pub struct Undisturbed {
    /// The ledger after its apply.
    pub ledger: Value,
    /// How many requests its apply made.
    pub apply: u64,
    /// How many requests its destroy made.
    pub destroy: u64,
}

/// The run that the others are compared with.
pub fn uninterrupted() -> &'static Undisturbed {
    static RUN: OnceLock<Undisturbed> = OnceLock::new();
    RUN.get_or_init(|| {
        let case = Case::new("without a crash".to_owned());
        let requests = || case.world.counters().requests.values().sum::<u64>();
        case.run("apply", &["--auto-approve"]);
        let apply = requests();
        case.is_whole();
        let ledger = ledger_of(&case.berth);
        let before = requests();
        case.is_taken_down();
        Undisturbed { ledger, apply, destroy: requests() - before }
    })
}
