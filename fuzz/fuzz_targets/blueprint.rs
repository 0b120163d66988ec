//! Any bytes as a blueprint: read, linked, or refused with a place; never a panic, never for long.
#![no_main]

use berth::blueprint::{Inputs, Missing, Source, load};
use berth::diag::Failure;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = Source::parse("blueprint.yaml", bytes) else { return };
    // What it includes is itself, under another name.
    let read = |path: &Path| match path.to_str() {
        Some("m.yaml") => Ok(bytes.to_vec()),
        _ => Err(Failure::new("there is no such file", "check the path")),
    };
    let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
    if let Err(problems) = load(&source.with_includes(&read), &inputs) {
        assert!(problems.has_errors());
        for problem in problems.iter() {
            assert!(problem.help.is_some(), "{problem:?} has no remedy");
        }
    }
});
