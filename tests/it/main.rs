//! berth's integration tests: one binary, a module per topic, the harness in `tests/support`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may as well panic")]

#[path = "../support/mod.rs"]
mod support;

mod errors;
mod faults;
mod interrupt;
mod kinds;
mod ledgers;
mod quickstart;
mod rooms;
