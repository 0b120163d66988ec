//! berth's integration tests: one binary, a module per topic, the harness in `tests/support`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may as well panic")]

#[path = "../support/mod.rs"]
mod support;

mod approve;
mod blueprints;
mod book;
mod clusters;
mod engine;
mod errors;
mod examples;
mod fault_scripts;
mod faults;
mod governance;
mod interrupt;
mod kinds;
mod ledgers;
mod manual;
mod networks;
mod policies;
mod properties;
mod quickstart;
mod reading;
mod reports;
mod robustness;
mod rooms;
mod saved;
mod scenarios;
mod schedule;
mod signing_in;
mod target;
