//! Random graphs with random replacements, and random refusals at any request: nothing is deleted whose successor's needs
//! failed, what is reported is what happened in the simulator, and the next runs make everything good.

use super::blueprint::{Entry, Fresh, entries, renewed, text};
use super::{Dice, number};
use crate::support::Rehearsal;
use async_trait::async_trait;
use berth::apply::Applied;
use berth::approve::Allowances;
use berth::arm::transport::{Method, Request, Response, Transport, TransportError, path_and_query};
use berth::arm::{self, Client, StaticToken};
use berth::change::{Action, Outcome, StepResult};
use berth::ident::ArmId;
use berth::ops;
use berth::plan::{Adoption, Plan, Step};
use berth::sim::{Effect, Fault, Simulator};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Writes down every write, with what came of it.
struct Recorder {
    simulator: Simulator,
    log: Mutex<Vec<(Method, String, u16)>>,
}

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = path_and_query(&request.url).split('?').next().unwrap_or_default().to_ascii_lowercase();
        let method = request.method;
        let answer = self.simulator.send(request).await;
        if !method.is_read() {
            let status = answer.as_ref().map_or(0, |response| response.status);
            self.log.lock().unwrap().push((method, path, status));
        }
        answer
    }
}

impl Recorder {
    /// Whether such a request was sent for a resource since the last time the log was emptied.
    fn sent(&self, id: &ArmId, methods: &[Method]) -> bool {
        let id = id.as_str().to_ascii_lowercase();
        self.log.lock().unwrap().iter().any(|(method, path, _)| *path == id && methods.contains(method))
    }
}

#[test]
fn nothing_goes_whose_successor_cannot_come_and_reports_say_what_happened() {
    let seeds: Vec<u64> = match number("BERTH_REPLACED_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("BERTH_REPLACED_CASES").unwrap_or(150)).collect(),
    };
    let (next, seen) = (std::sync::atomic::AtomicUsize::new(0), Mutex::new(Seen::default()));
    let play = || {
        while let Some(&seed) = seeds.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
            let played = std::panic::AssertUnwindSafe(|| runtime.unwrap().block_on(case(seed, &seen)));
            if let Err(panic) = std::panic::catch_unwind(played) {
                let words = panic.downcast_ref::<String>().map_or("", String::as_str);
                panic!("play it again with BERTH_REPLACED_SEED={seed}\n{words}");
            }
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(play))));
    let seen = seen.into_inner().unwrap();
    // The cases are about what they are meant to be about.
    if seeds.len() >= 100 {
        assert!(seen.replaced > 100 && seen.failed > 50 && seen.spared > 10 && seen.cleared > 3, "{seen:?}");
    }
}

/// How often what is looked for came up.
#[derive(Debug, Default)]
struct Seen {
    replaced: usize,
    failed: usize,
    /// Replacements that did not begin because a need failed.
    spared: usize,
    /// What was deleted and not made again.
    cleared: usize,
}

async fn case(seed: u64, seen: &Mutex<Seen>) {
    let mut dice = Dice::new(seed);
    let before = entries(&mut dice);
    let after = renewed(&before, &mut dice);
    let mut rehearsal = Rehearsal::new();
    let recorder = Arc::new(Recorder { simulator: rehearsal.simulator.clone(), log: Mutex::default() });
    let engine = &mut rehearsal.session.engine;
    let token = Arc::new(StaticToken::new("simulator"));
    engine.client = Client::new(recorder.clone(), token, engine.clock.clone(), arm::Options::default());
    rehearsal.apply(&text(&before, "one")).await;
    let desired = rehearsal.desired(&text(&after.entries, "two"));
    let planned = ops::plan(&rehearsal.session, &desired, Adoption::Refused).await.unwrap();
    if !planned.plan.conflicts.is_empty() {
        // What Azure could not do is in the way of the plan: there is nothing to refuse.
        return;
    }
    refuse(&rehearsal, &after, &mut dice);
    for runs in 0.. {
        assert!(runs < 12, "it does not come to rest");
        recorder.log.lock().unwrap().clear();
        let present = ids(&rehearsal);
        let Some((plan, applied)) = run(&rehearsal, &desired, &before).await else { continue };
        check(&plan, &applied, &after, &present, &rehearsal, &recorder, seen);
        if applied.summary.is_complete() {
            let planned = ops::plan(&rehearsal.session, &desired, Adoption::Refused).await;
            if planned.is_ok_and(|planned| planned.plan.is_empty()) {
                break;
            }
        }
    }
}

/// One run with everything allowed, and what it had planned; nothing when it was not begun.
async fn run(
    rehearsal: &Rehearsal,
    desired: &berth::state::Desired,
    before: &[Entry],
) -> Option<(Plan, Applied)> {
    let mut all: Vec<String> = before.iter().map(Entry::address).collect();
    all.extend(desired.resources.iter().map(|resource| resource.address.to_string()));
    let allowances = Allowances { replace: all.clone(), delete: all };
    let mut plan = None;
    let applied = ops::apply(&rehearsal.session, desired, Adoption::Refused, &allowances, |planned, _| {
        plan = Some(planned.plan.clone());
        true
    })
    .await;
    Some((plan?, applied.ok()??))
}

/// Azure refuses something, somewhere, once or for good.
fn refuse(rehearsal: &Rehearsal, after: &Fresh, dice: &mut Dice) {
    for _ in 0..1 + dice.below(3) {
        let method =
            *dice.pick(&[Method::Put, Method::Put, Method::Put, Method::Delete, Method::Get, Method::Patch]);
        let (status, code) = *dice.pick(&[
            (403, "AuthorizationFailed"),
            (403, "RequestDisallowedByPolicy"),
            (400, "InvalidParameter"),
            (409, "Conflict"),
            (500, "InternalServerError"),
        ]);
        let effect = match method == Method::Put && dice.one_in(4) {
            true => Effect::FailOperation {
                code: "InternalError".into(),
                message: "scripted".into(),
                after: None,
            },
            false => {
                Effect::Answer { status, code: code.into(), message: "scripted".into(), retry_after: None }
            }
        };
        let suffix = match dice.one_in(5) {
            true => String::new(),
            false => format!("/{}", dice.pick(&after.names)),
        };
        let fault = Fault::once(method, suffix, effect).times(1 + dice.below(4) as u32);
        rehearsal.simulator.fail_next(fault.skip(dice.below(3) as u32));
    }
}

fn ids(rehearsal: &Rehearsal) -> BTreeSet<String> {
    let all = rehearsal.simulator.export();
    all.iter().filter_map(|one| Some(one.get("id")?.as_str()?.to_ascii_lowercase())).collect()
}

/// Compares a run's report with the simulator.
fn check(
    plan: &Plan,
    applied: &Applied,
    after: &Fresh,
    before: &BTreeSet<String>,
    rehearsal: &Rehearsal,
    recorder: &Recorder,
    seen: &Mutex<Seen>,
) {
    let live = ids(rehearsal);
    let there = |id: &ArmId| live.contains(&id.as_str().to_ascii_lowercase());
    let was_there = |id: &ArmId| before.contains(&id.as_str().to_ascii_lowercase());
    let states: BTreeMap<String, String> = rehearsal
        .simulator
        .export()
        .iter()
        .filter_map(|one| {
            let state = one.pointer("/properties/provisioningState").and_then(Value::as_str);
            Some((one.get("id")?.as_str()?.to_ascii_lowercase(), state.unwrap_or("Succeeded").to_owned()))
        })
        .collect();
    let steps: Vec<&Step> = plan.steps.iter().filter(|step| step.action != Action::NoOp).collect();
    let results = &applied.summary.steps;
    let mut counted = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for result in results {
        let Some(step) =
            steps.iter().find(|step| step.address == result.address && step.action == result.action)
        else {
            panic!("{} {:?} is in no plan", result.address, result.action);
        };
        let ResultOf { done, begun } = ResultOf::of(result);
        let tell =
            || format!("{} {:?}: {:?} deleted {}", step.address, step.action, result.outcome, result.deleted);
        counted.failed += usize::from(matches!(result.outcome, Outcome::Failed { .. }));
        if !begun {
            let writes: &[Method] = match step.action {
                Action::Delete => &[Method::Delete],
                Action::Create | Action::Update | Action::Recover => &[Method::Put, Method::Patch],
                Action::Replace => &[Method::Put, Method::Patch, Method::Delete],
                _ => &[],
            };
            let cleared = step.action == Action::Replace && result.deleted;
            // Somebody else's step may be about the same resource: one that stands in comes and goes.
            let alone = steps.iter().filter(|other| other.id == step.id).count() == 1;
            assert!(cleared || !alone || !recorder.sent(&step.id, writes), "{} was begun", tell());
        }
        match step.action {
            Action::Create | Action::Update | Action::Recover if done => {
                // What stands in goes again.
                let goes = steps.iter().any(|other| other.id == step.id && other.action == Action::Delete);
                assert!(goes || there(&step.id), "{} is not there", tell());
                let state = states.get(&step.id.as_str().to_ascii_lowercase());
                assert!(goes || state.is_none_or(|state| state == "Succeeded"), "{} is {state:?}", tell());
            }
            Action::Delete if done => assert!(!there(&step.id), "{} is there", tell()),
            Action::Replace => {
                counted.replaced += 1;
                let old = step.moved_from.as_ref().unwrap_or(&step.id);
                if done {
                    assert!(there(&step.id) && !result.deleted, "{} is not there", tell());
                    assert!(
                        step.moved_from.is_none() || !there(old) || goes_later(results, &steps, old),
                        "{}",
                        tell()
                    );
                } else if result.deleted {
                    counted.cleared += 1;
                    assert!(!there(old), "{} is there", tell());
                } else {
                    let kept = there(old) || there(&step.id) || !was_there(old);
                    assert!(kept, "{} went and nobody says so: {results:#?}", tell());
                }
                let went = recorder.sent(old, &[Method::Delete]);
                // What was made anew is there for those who need it, also where its predecessor stays.
                let is_there = |result: &StepResult| {
                    let of = |step: &&&Step| step.address == result.address && step.action == result.action;
                    steps.iter().find(of).is_some_and(|step| step.moved_from.is_some() && there(&step.id))
                };
                let failed = needs_failed(step, results, after, &is_there);
                counted.spared += usize::from(failed && !went);
                assert!(!(failed && went), "{} was deleted although a need failed: {:#?}", tell(), results);
            }
            _ => {}
        }
    }
    // The ledger has what is there.
    for (id, owned) in &applied.ledger.resources {
        let told = results
            .iter()
            .any(|result| result.address == owned.address && !matches!(result.outcome, Outcome::Done));
        assert!(there(id) || told || is_elsewhere(id), "the ledger has {id}, which is not there");
    }
}

/// What is in no list of the simulator: registrations and connections.
fn is_elsewhere(id: &ArmId) -> bool {
    let id = id.as_str().to_ascii_lowercase();
    !id.contains("/resourcegroups/")
        || id.contains("privateendpointconnections")
        || id.ends_with("/connection")
}

/// Whether the removal of an old resource is a step of its own that did not end.
fn goes_later(results: &[StepResult], steps: &[&Step], old: &ArmId) -> bool {
    let own = steps.iter().filter(|step| step.id == *old && step.action == Action::Delete);
    own.into_iter().any(|step| {
        let result =
            results.iter().find(|result| result.address == step.address && result.action == step.action);
        result.is_none_or(|result| !matches!(result.outcome, Outcome::Done))
    })
}

struct ResultOf {
    done: bool,
    begun: bool,
}

impl ResultOf {
    fn of(result: &StepResult) -> Self {
        ResultOf {
            done: matches!(result.outcome, Outcome::Done),
            begun: !matches!(result.outcome, Outcome::Skipped { .. } | Outcome::NotStarted),
        }
    }
}

/// Whether something that the entry behind a step needs, or a part of that, was to be made and was not.
fn needs_failed(
    step: &Step,
    results: &[StepResult],
    after: &Fresh,
    is_there: &dyn Fn(&StepResult) -> bool,
) -> bool {
    let Some(entry) = after.entries.iter().find(|entry| entry.address() == step.address.as_str()) else {
        return false;
    };
    let mut needs: Vec<&String> = entry.needs.iter().collect();
    let mut at = 0;
    while let Some(need) = needs.get(at).copied() {
        let of = after.entries.iter().find(|entry| entry.address() == *need);
        for further in of.iter().flat_map(|entry| &entry.needs) {
            if !needs.contains(&further) {
                needs.push(further);
            }
        }
        at += 1;
    }
    let is_of = |address: &str| needs.iter().any(|need| address == need.as_str());
    results.iter().any(|result| {
        let makes = matches!(result.action, Action::Create | Action::Update | Action::Replace);
        makes
            && is_of(result.address.as_str())
            && !matches!(result.outcome, Outcome::Done)
            && !(result.action == Action::Replace && is_there(result))
    })
}
