//! Conformance: berth and its simulator against what Azure was seen to do, and against what Azure publishes.
//!
//! The facts are not part of the project. `BERTH_AZURE_FACTS` names a directory with `recorded/` (exchanges with
//! Azure, one JSON file each) and `schemas/` (the official ARM schemas); without it every test says that it skips,
//! and passes. With it nothing is skipped in silence: what is not covered stands in a table with the reason.
//!
//! * [`connections`]: decisions on connections are sent and answered as each type's specification says;
//! * [`fields`]: of types without a schema, the simulator knows every field that the official samples have;
//! * [`recorded_requests`]: the simulator answers a recorded request as Azure did;
//! * [`recorded_responses`]: what Azure answers is as the request asked, so that the plan is empty;
//! * [`schemas`]: what berth sends is what Azure's schemas accept;
//! * [`polling`]: the client follows recorded operations to where they ended;
//! * [`stored`]: the simulator keeps what Azure showed to the letter.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test says what it covered, and fails loudly"
)]

mod compare;
mod connections;
mod facts;
mod fields;
mod polling;
mod recorded_requests;
mod recorded_responses;
mod schemas;
mod session;
mod stage;
mod stored;
