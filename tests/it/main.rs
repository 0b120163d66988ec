//! berth's integration tests: one binary, a module per topic, the harness in `tests/support`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may as well panic")]

#[path = "../support/mod.rs"]
mod support;

mod blueprints;
mod clusters;
mod book;
mod errors;
mod faults;
mod governance;
mod interrupt;
mod kinds;
mod manual;
mod networks;
mod policies;
mod quickstart;
mod reading;
mod rooms;
mod signing_in;
mod saved;
