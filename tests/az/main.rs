//! The unmodified Azure CLI against `berth sim serve --tls`: what az makes, berth takes over; what berth makes, az shows.
//!
//! `BERTH_AZ` names an az; without it every test says that it skips, and passes. `.ci/run az` makes a virtual environment
//! with one when there is none. A command of az takes seconds, most of them to start Python, so one test tells one story.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test says what it skips, and fails loudly"
)]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "other suites use what this one does not")]
mod support;

mod adopting;
mod approvals;
mod clusters;
mod governance;
mod networks;
mod session;
mod showing;
