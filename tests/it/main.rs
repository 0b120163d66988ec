//! berth's integration tests: one binary, a module per topic, the harness in `tests/support`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may as well panic")]

#[path = "../support/mod.rs"]
mod support;

mod absence;
mod approvals;
mod approve;
mod blueprints;
mod book;
mod browser;
mod canaries;
mod canary_fields;
mod ci;
mod clusters;
mod critical_path;
mod detours;
mod doctor;
mod drops;
mod engine;
mod environments;
mod errors;
mod estates;
mod examples;
mod exclusive;
mod fault_scripts;
mod faults;
mod files;
mod fixed;
mod governance;
mod guides;
mod help;
mod hostile;
mod ignore;
mod interrupt;
mod kinds;
mod ledgers;
mod limits;
mod manual;
mod mistakes;
mod moved;
mod names;
mod networks;
mod others;
mod pipelines;
mod policies;
mod private_link;
mod program;
mod properties;
mod purge;
mod quickstart;
mod reading;
mod references;
mod reports;
mod reviews;
mod robustness;
mod rooms;
mod saved;
mod scenarios;
mod schedule;
mod secrets;
mod signing_in;
mod subscriptions;
mod surroundings;
mod target;
mod who;
