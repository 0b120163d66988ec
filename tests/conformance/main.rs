//! Conformance: berth and its simulator against what Azure was seen to do, and against what Azure publishes.
//!
//! The facts are not part of the project. `BERTH_AZURE_FACTS` names a directory with `recorded/` (exchanges with
//! Azure, one JSON file each) and `schemas/` (the official ARM schemas); without it every test says that it skips,
//! and passes. With it nothing is skipped in silence: what is not covered stands in a table with the reason.
//!
//! * [`adoption`]: what another client made is taken over by its tags alone;
//! * [`connections`]: decisions on connections are sent and answered as each type's specification says;
//! * [`fields`]: of types without a schema, the simulator knows every field that the official samples have;
//! * [`recorded_requests`]: the simulator answers a recorded request as Azure did;
//! * [`recorded_responses`]: what Azure answers is as the request asked, so that the plan is empty;
//! * [`requests`]: what berth sends is an operation of Azure's, and a body that its schemas accept;
//! * [`polling`]: the client follows recorded operations to where they ended;
//! * [`samples`]: Azure's own examples are taken, answered as they ask, and planned once;
//! * [`stored`]: the simulator keeps what Azure showed to the letter.
//!
//! `cargo test --test conformance -- FOLDER` plays the recordings of any folder instead, and reports for each how far the
//! simulator answered as Azure did.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test says what it covered, and fails loudly"
)]

#[allow(dead_code, reason = "the integration tests use the rest")]
#[path = "../support/witness/mod.rs"]
mod witness;

mod adoption;
mod compare;
mod connections;
mod facts;
mod fields;
mod polling;
mod recorded_requests;
mod recorded_responses;
mod requests;
mod samples;
mod session;
mod stage;
mod stored;

use futures::FutureExt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;

type Suite = (&'static str, fn() -> Pin<Box<dyn Future<Output = ()>>>);

macro_rules! suites {
    ($($module:ident::$test:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($test)), || Box::pin($module::$test()))),*]
    };
}

/// Every test. The compiler says when one is missing: then nothing uses it. [`stage::no_test_hides`] holds the rest.
const SUITES: &[Suite] = suites![
    adoption::what_another_client_made_is_taken_over_by_its_tags_alone,
    compare::patterns_and_masks,
    connections::every_type_is_decided_on_as_its_specification_says,
    fields::every_type_refuses_a_field_that_it_does_not_have,
    fields::official_samples_hold_only_fields_that_the_simulator_takes,
    polling::an_aborted_creation_is_cancelled,
    polling::operations_end_where_they_ended,
    recorded_requests::the_simulator_answers_as_azure_did,
    recorded_responses::a_blueprint_that_asks_for_the_same_plans_nothing,
    recorded_responses::what_was_asked_for_and_granted_is_no_change,
    samples::examples_apply_as_entries_and_plan_nothing_afterwards,
    samples::examples_are_taken_and_answered_as_they_ask,
    requests::every_request_is_an_operation_of_azures,
    requests::planted_faults_are_found,
    stage::no_test_hides,
    stage::what_an_id_stands_on,
    stored::what_is_loaded_is_exported_and_read_as_it_was,
];

/// Time is virtual, as in every test.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(future)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(folder) = arguments.iter().map(Path::new).find(|path| path.is_dir()) {
        return block_on(report(folder));
    }
    if arguments.iter().any(|word| word == "--list") {
        SUITES.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let ignored = arguments.iter().any(|word| word == "--ignored");
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let running: Vec<_> = SUITES
            .iter()
            .filter(|(name, _)| !ignored && wanted(name))
            .map(|&(name, suite)| {
                scope.spawn(move || {
                    let ended = catch_unwind(AssertUnwindSafe(|| block_on(suite()))).is_ok();
                    println!("test {name} ... {}", if ended { "ok" } else { "FAILED" });
                    (!ended).then_some(name)
                })
            })
            .collect();
        running.into_iter().filter_map(|one| one.join().unwrap_or(None)).collect()
    });
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays the recordings of a folder, and says how far each was answered alike; at least 95 of a hundred fields have to be.
async fn report(folder: &Path) -> ExitCode {
    let recordings = facts::Recording::within(folder);
    let (mut alike, mut fields, mut played, mut all) = (0, 0, 0, 0);
    for (name, text) in &recordings {
        // A file that is no recording, or a stage that cannot be set, is one that does not agree.
        let ended = FutureExt::catch_unwind(AssertUnwindSafe(recorded_requests::play(name, text))).await;
        let Ok(agreement) = ended else {
            println!("{name}: cannot be played");
            all += 1;
            continue;
        };
        println!("{agreement}");
        alike += agreement.alike;
        fields += agreement.fields;
        played += agreement.played;
        all += agreement.all;
    }
    let share = recorded_requests::share(alike, fields);
    println!(
        "{} recordings: {played} of {all} exchanges, {alike} of {fields} fields alike ({share} %)",
        recordings.len()
    );
    let enough = share >= 95 && recorded_requests::share(played, all) >= 95 && !recordings.is_empty();
    if enough { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
