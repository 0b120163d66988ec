//! The crash suite: berth dies at every moment that matters, and one further run sets everything right.
//!
//! A few cases of each kind run with `cargo test`; all of them with `.ci/run crash`, which takes minutes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may as well panic")]

#[allow(dead_code, unused_imports, reason = "the harness serves other suites too")]
#[path = "../support/mod.rs"]
mod support;

#[cfg(unix)]
mod agent;
#[cfg(unix)]
mod disk;
#[cfg(unix)]
mod instants;
mod journal;
#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod truth;
#[cfg(unix)]
mod world;
