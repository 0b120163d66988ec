//! Killed at each write of the ledger and its journal, and at any other time.

use crate::truth::{Case, uninterrupted};
use crate::world::{End, kill_at, start};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How many cases run at once; each is a berth and a server.
const AT_ONCE: usize = 3;

/// Far beyond the last moment of a run.
const FAR: u64 = 5_000;

/// Runs a verb that aborts at a moment; whether it did.
fn dies(case: &Case, verb: &str, moment: u64) -> bool {
    let mut command = case.world.command(&case.berth, verb, &["--auto-approve"]);
    command.env("BERTH_CRASH_AT", moment.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().unwrap();
    assert!(status.success() || status.code().is_none(), "{verb} with moment {moment}: {status}");
    status.code().is_none()
}

/// Both an apply and a destroy die at the moment with this number. Whether either had that many.
fn dies_at_moment(moment: u64) -> bool {
    let case = Case::new(format!("moment {moment}"));
    let apply = dies(&case, "apply", moment);
    case.converges();
    let destroy = dies(&case, "destroy", moment);
    case.is_taken_down();
    apply || destroy
}

/// Runs cases 1, 2, … until one says that there are no more.
fn each(case: impl Fn(u64) -> bool + Sync) -> u64 {
    uninterrupted();
    let (next, over) = (AtomicU64::new(1), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    if !case(next.fetch_add(1, Ordering::Relaxed)) {
                        over.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    next.into_inner() - 1
}

#[test]
fn dying_at_a_few_moments_loses_nothing() {
    let moments = [1, 3, 6, 14, 45, 90, 104];
    each(|number| {
        let moment = moments.get(number as usize - 1);
        if let Some(&moment) = moment {
            assert!(dies_at_moment(moment), "no run has {moment} moments any more");
        }
        moment.is_some()
    });
}

#[test]
#[ignore = "takes minutes: `.ci/run crash`"]
#[expect(clippy::print_stdout, reason = "the stage `crash` tells what was tried")]
fn dying_at_any_moment_loses_nothing() {
    let moments = each(|moment| moment < FAR && dies_at_moment(moment));
    assert!((100..FAR).contains(&moments), "{moments} moments are not those of a quickstart");
    println!("deaths at chosen moments: {moments}, each healed by one run");
}

/// Numbers that are spread evenly and always the same. Source: the finaliser of SplitMix64, by Sebastiano Vigna.
fn spread(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Kills a verb at a request, or a moment after it, that the number chooses.
fn is_killed(case: &Case, verb: &str, number: u64, requests: u64) {
    let dice = spread(number);
    // Half of them before Azure's answer arrives, half up to a few requests later.
    let later = if dice & 1 == 0 { Duration::ZERO } else { Duration::from_micros((dice >> 1) % 30_000 + 1) };
    let watched = case.world.watch((dice >> 20) % requests + 1);
    let run = start(case.world.command(&case.berth, verb, &["--auto-approve"]));
    let end = kill_at(run, &watched, later);
    assert!(matches!(end, End::Killed | End::Over(Some(0))), "{verb} {number}: {end:?}");
}

fn is_killed_at_random(number: u64) {
    let case = Case::new(format!("random instant {number}"));
    let undisturbed = uninterrupted();
    is_killed(&case, "apply", 2 * number, undisturbed.apply);
    case.converges();
    is_killed(&case, "destroy", 2 * number + 1, undisturbed.destroy);
    case.is_taken_down();
}

#[test]
fn being_killed_at_a_few_instants_loses_nothing() {
    each(|number| {
        is_killed_at_random(1_000 + number);
        number < 3
    });
}

#[test]
#[ignore = "takes minutes: `.ci/run crash`"]
#[expect(clippy::print_stdout, reason = "the stage `crash` tells what was tried")]
fn being_killed_at_any_instant_loses_nothing() {
    let cases = each(|number| {
        is_killed_at_random(number);
        number < 200
    });
    assert!(cases >= 200);
    println!("kills at random instants: {cases}, each healed by one run");
}
