//! How long an apply takes in simulated time: beside what no schedule can beat, and beside what the scheduler of other
//! tools takes, first come, first served by ten workers.
//!
//! Both figures to compare with are computed here, by functions that share nothing with berth's own scheduler, from the
//! program of the plan (what needs what, what goes one at a time) and from how long each step took when no limit was in
//! force.

use crate::{estate, session};
use berth::approve::Allowances;
use berth::blueprint::{Caller, Inputs, Missing};
use berth::diag::Failure;
use berth::host::Clock;
use berth::ledger::store::MemoryStore;
use berth::ops::{self, Planned};
use berth::plan::{Adoption, Guard, Mode, Work};
use berth::sim::{self, Simulator, Throttling, Time};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

/// The burst and the rate per second of a subscription's reads, writes and deletes, as ARM documents them.
const LIMITS: [(u64, f64); 3] = [(250, 25.0), (200, 10.0), (200, 10.0)];

/// How many workers a first-come scheduler has: the default of Terraform.
const WORKERS: usize = 10;

/// One blueprint, applied to an empty subscription.
pub struct Played {
    /// What it is called.
    pub name: String,
    /// How many steps it has.
    pub steps: usize,
    /// Milliseconds that the apply took within the limits.
    pub makespan: u64,
    /// Milliseconds below which no schedule can get.
    pub bound: u64,
    /// Milliseconds that ten workers take, first come, first served, without any limit.
    pub first_come: u64,
    /// Milliseconds that the plan said before.
    pub estimate: u64,
    /// Requests of all kinds, a step.
    pub requests: f64,
}

/// The blueprints that are played.
pub fn blueprints() -> std::io::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for name in ["quickstart", "private-cluster", "multi-region"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("blueprints").join(format!("{name}.yaml"));
        all.push((name.to_owned(), std::fs::read_to_string(path)?));
    }
    all.push(("50 clusters, dns: auto".to_owned(), estate::fleet(50, "auto")));
    for size in [1_000, 10_000] {
        all.push((format!("{size} resources"), estate::blueprint(size)));
    }
    Ok(all)
}

/// Applies a blueprint twice: without limits, to learn how long each step takes, and within those of a subscription.
pub async fn play(name: &str, text: &str) -> Result<Played, String> {
    let free = apply(text, Throttling::Lenient).await?;
    let ran = apply(text, Throttling::Azure).await?;
    let jobs = free.jobs;
    let requests = ran.requests as f64 / ran.steps.max(1) as f64;
    Ok(Played {
        name: name.to_owned(),
        steps: ran.steps,
        makespan: ran.makespan,
        bound: bound(&jobs),
        first_come: first_come(&jobs, WORKERS),
        estimate: ran.estimate,
        requests,
    })
}

/// Whether a piece of work reads, writes, deletes for certain: what comes with its parent, or is approved by itself, may
/// need no request.
fn certain(work: &Work) -> [bool; 3] {
    match work {
        Work::Put(put) => [put.guard == Guard::Read, put.mode == Mode::Create, false],
        Work::Register(_) => [false, true, false],
        Work::Delete(_) => [false, false, true],
        Work::Idle | Work::Record | Work::Forget | Work::Watch { .. } | Work::Approve(_) => [false; 3],
    }
}

struct Ran {
    jobs: Vec<Job>,
    steps: usize,
    makespan: u64,
    estimate: u64,
    requests: u64,
}

async fn apply(text: &str, throttling: Throttling) -> Result<Ran, String> {
    let clock = Clock::start(1.0);
    let options = sim::Options { time: Time::Host(clock.clone()), throttling, ..sim::Options::default() };
    let simulator = Simulator::new(options);
    let session = session(&simulator, &clock, Arc::new(MemoryStore::new()));
    let inputs = Inputs {
        caller: Some(Caller {
            tenant_id: Some(simulator.tenant()),
            object_id: Some(sim::CALLER_OBJECT_ID.to_owned()),
        }),
        subscription: Some(simulator.subscription()),
        missing: Missing::MakeUp,
        ..Inputs::default()
    };
    // As if it lay among the shipped ones, beside what those include.
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("blueprints/blueprint.yaml");
    let source = ops::parse(&place.to_string_lossy(), text.as_bytes()).map_err(|error| error.to_string())?;
    let source = source.with_includes(&|path| std::fs::read(path).map_err(|error| Failure::of(&error, None)));
    let blueprint = ops::validate_source(&source, &inputs).map_err(|error| error.to_string())?;
    let mut planned = None;
    let keep = |plan: &Planned, _: bool| {
        planned = Some(plan.plan.clone());
        true
    };
    let allowances = Allowances::default();
    let applied = ops::apply(&session, &blueprint.desired, Adoption::Refused, &allowances, keep).await;
    let applied = applied.map_err(|error| error.to_string())?.ok_or("it was not applied")?;
    if !applied.summary.is_complete() {
        return Err("a step failed".to_owned());
    }
    let plan = planned.ok_or("there is no plan")?;
    let took: HashMap<&str, u64> =
        applied.summary.steps.iter().map(|step| (step.address.as_str(), step.elapsed_ms)).collect();
    let jobs = plan.program.units.iter().map(|unit| Job {
        time: took.get(plan.steps[unit.step].address.as_str()).copied().unwrap_or(0),
        after: unit.after.clone(),
        lanes: unit.lanes.iter().map(|lane| lane.as_str().to_ascii_lowercase()).collect(),
        asks: certain(&unit.work),
    });
    Ok(Ran {
        jobs: jobs.collect(),
        steps: applied.summary.steps.len(),
        makespan: applied.summary.elapsed_ms,
        estimate: plan.critical_path().1,
        requests: simulator.counters().requests.values().sum(),
    })
}

/// A step as both functions see it.
pub struct Job {
    /// Milliseconds that it takes.
    time: u64,
    /// What must be done before.
    after: Vec<usize>,
    /// What it is alone in.
    lanes: Vec<String>,
    /// Whether it reads, writes, deletes.
    asks: [bool; 3],
}

/// Who waits for each.
fn users(jobs: &[Job]) -> Vec<Vec<usize>> {
    let mut users = vec![Vec::new(); jobs.len()];
    for (at, job) in jobs.iter().enumerate() {
        job.after.iter().for_each(|&need| users[need].push(at));
    }
    users
}

/// What no schedule can beat: the longest chain; the work of each lane, and of each budget, that cannot begin before a
/// moment, with what must follow it.
fn bound(jobs: &[Job]) -> u64 {
    let users = users(jobs);
    let mut open: Vec<usize> = jobs.iter().map(|job| job.after.len()).collect();
    let mut order: Vec<usize> = (0..jobs.len()).filter(|&at| open[at] == 0).collect();
    let mut heads = vec![0; jobs.len()];
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        next += 1;
        for &user in &users[at] {
            heads[user] = heads[user].max(heads[at] + jobs[at].time);
            open[user] -= 1;
            if open[user] == 0 {
                order.push(user);
            }
        }
    }
    let mut tails = vec![0; jobs.len()];
    for &at in order.iter().rev() {
        tails[at] = users[at].iter().map(|&user| jobs[user].time + tails[user]).max().unwrap_or(0);
    }
    let mut best = (0..jobs.len()).map(|at| heads[at] + jobs[at].time).max().unwrap_or(0);
    let mut lanes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, job) in jobs.iter().enumerate() {
        job.lanes.iter().for_each(|lane| lanes.entry(lane).or_default().push(at));
    }
    // Of all that cannot begin before a moment, the last to end has at least the shortest tail behind it.
    for mut members in lanes.into_values() {
        members.sort_by_key(|&at| Reverse(heads[at]));
        let (mut work, mut tail) = (0, u64::MAX);
        for at in members {
            work += jobs[at].time;
            tail = tail.min(tails[at]);
            best = best.max(heads[at] + work + tail);
        }
    }
    for (class, (burst, rate)) in LIMITS.into_iter().enumerate() {
        let mut members: Vec<usize> = (0..jobs.len()).filter(|&at| jobs[at].asks[class]).collect();
        members.sort_by_key(|&at| Reverse(heads[at]));
        let mut tail = u64::MAX;
        for (sent, at) in members.into_iter().enumerate() {
            tail = tail.min(jobs[at].time + tails[at]);
            let late = (sent as u64 + 1).saturating_sub(burst) as f64 / rate;
            best = best.max(heads[at] + (late * 1000.0) as u64 + tail);
        }
    }
    best
}

/// How long so many workers take who take what became ready first, and stay with it until it is done. A worker whose
/// step is not alone in its lane waits there.
fn first_come(jobs: &[Job], workers: usize) -> u64 {
    let users = users(jobs);
    let mut open: Vec<usize> = jobs.iter().map(|job| job.after.len()).collect();
    let mut ready: VecDeque<usize> = (0..jobs.len()).filter(|&at| open[at] == 0).collect();
    let mut waiting: Vec<usize> = Vec::new();
    let mut taken: HashSet<&str> = HashSet::new();
    let mut ends: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let (mut now, mut idle) = (0, workers);
    loop {
        while idle > 0
            && let Some(at) = ready.pop_front()
        {
            idle -= 1;
            waiting.push(at);
        }
        waiting.retain(|&at| {
            let lanes = || jobs[at].lanes.iter().map(String::as_str);
            if lanes().any(|lane| taken.contains(lane)) {
                return true;
            }
            taken.extend(lanes());
            ends.push(Reverse((now + jobs[at].time, at)));
            false
        });
        let Some(Reverse((end, at))) = ends.pop() else { return now };
        now = end;
        idle += 1;
        for lane in &jobs[at].lanes {
            taken.remove(lane.as_str());
        }
        for &user in &users[at] {
            open[user] -= 1;
            if open[user] == 0 {
                ready.push_back(user);
            }
        }
    }
}
