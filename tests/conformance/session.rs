//! A session that a suite listens to.

use berth::apply::Engine;
use berth::arm::transport::Transport;
use berth::arm::{Client, Options, StaticToken};
use berth::event::NullListener;
use berth::host::{Clock, Interrupt};
use berth::ledger::Estate;
use berth::ledger::store::MemoryStore;
use berth::ops::Session;
use std::sync::Arc;

/// A session over a transport, its ledger in memory.
pub fn session(transport: Arc<dyn Transport>, clock: Clock) -> Session {
    let client = Client::new(transport, Arc::new(StaticToken::new("t")), clock.clone(), Options::default());
    Session {
        engine: Engine {
            client,
            clock,
            store: Arc::new(MemoryStore::new()),
            listener: Arc::new(NullListener),
            interrupt: Interrupt::new(),
            parallelism: 64,
        },
        reads: 64,
        targets: Vec::new(),
        reverts: Vec::new(),
        purge: false,
        environment: None,
        header: None,
        estate: Estate { cloud: "simulator".to_owned(), ..Estate::default() },
        move_ledger: false,
    }
}
