//! The critical path that a plan prints is the one that its run takes.
//!
//! Random programs (chains, lanes, both halves of replacements, two subscriptions) are run against an Azure that takes
//! exactly as long as the plan expects, in virtual time, and lets through what ARM's documented limits let through. What
//! made the run as long as it was is read off the requests alone, without the planner's schedule.

use crate::engine::Dice;
use async_trait::async_trait;
use berth::apply::{Engine, apply};
use berth::approve::{Allowances, approve};
use berth::arm::transport::{Method, Request, Response, Transport, TransportError};
use berth::arm::{self, Client, StaticToken};
use berth::catalog::resource_type;
use berth::change::Action;
use berth::event::NullListener;
use berth::host::{Clock, Interrupt};
use berth::ident::{Address, ArmId};
use berth::ledger::Ledger;
use berth::ledger::store::MemoryStore;
use berth::plan::{Delete, Guard, Impact, Mode, Plan, Program, Put, Reason, Step, Unit, VERSION, Work};
use berth::state::Observed;
use berth::value::secret::Secrets;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TYPE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
const SUBSCRIPTIONS: [&str; 2] =
    ["5ab5c819-0000-4000-8000-000000000001", "5ab5c819-0000-4000-8000-000000000002"];

/// When a unit's request was sent and answered, in milliseconds from the start of the run.
type Span = (u64, u64);

/// An Azure whose answers take exactly as long as the plan expects.
struct Punctual {
    clock: Clock,
    started: Duration,
    /// By method and path: the unit, and how long it takes.
    units: HashMap<(Method, String), (usize, u64)>,
    seen: Mutex<BTreeMap<usize, Span>>,
}

impl Punctual {
    fn elapsed(&self) -> u64 {
        self.clock.elapsed().saturating_sub(self.started).as_millis() as u64
    }
}

#[async_trait]
impl Transport for Punctual {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.path_and_query().split('?').next().unwrap_or_default().to_owned();
        let body = json!({ "id": path, "properties": { "provisioningState": "Succeeded" } });
        let mut response = Response::new(200, body.to_string());
        // Said once: from then on the client reckons what is left, as the plan does.
        if path.ends_with("/said") {
            response.headers.set("x-ms-ratelimit-remaining-subscription-writes", "200");
            response.headers.set("x-ms-ratelimit-remaining-subscription-deletes", "200");
            return Ok(response);
        }
        let (unit, takes) = self.units[&(request.method, path)];
        let begin = self.elapsed();
        self.clock.sleep(Duration::from_millis(takes)).await;
        let before = self.seen.lock().unwrap().insert(unit, (begin, self.elapsed()));
        assert_eq!(before, None, "a unit sends one request");
        Ok(response)
    }
}

fn unit(step: usize, id: &ArmId, work: Work, expected_ms: u64) -> Unit {
    Unit {
        step,
        clears: false,
        id: id.clone(),
        work,
        after: Vec::new(),
        lanes: Vec::new(),
        expected_ms,
        timeout: Duration::from_secs(1_000_000),
        fresh: false,
        record: None,
    }
}

fn step(at: usize, id: &ArmId, action: Action) -> Step {
    Step {
        address: Address::new(format!("identities.i{at}")),
        id: id.clone(),
        arm_type: TYPE.to_owned(),
        action,
        reason: Reason::AsWanted,
        changes: Vec::new(),
        desired: Value::Null,
        impact: Impact::None,
        disruption: None,
        awaits: None,
        grants: None,
        protected: false,
        moved_from: None,
        told_elsewhere: false,
        dates: Vec::new(),
        kept_back: Vec::new(),
        purge: None,
        after: Vec::new(),
        expected_ms: 0,
    }
}

/// A random plan of so many steps with its program.
fn plan(dice: &mut Dice, count: usize, chained: bool) -> Plan {
    let kind = resource_type(TYPE).unwrap();
    let put = || {
        Work::Put(Put {
            mode: Mode::Create,
            guard: Guard::Unneeded,
            seen_owner: None,
            kind,
            body: Arc::new(json!({})),
            initial: Arc::new(json!({})),
            changes: Vec::new(),
            unseen: false,
            kept_back: Vec::new(),
            awaited: false,
            named_there: Vec::new(),
            query: &[],
        })
    };
    let delete = || {
        Work::Delete(Delete {
            api_version: kind.api_version.to_owned(),
            query: &[],
            purge: None,
            seen_owner: None,
            expected: None,
        })
    };
    let lanes: Vec<ArmId> = (0..1 + dice.below(4))
        .map(|lane| ArmId::resource_group(SUBSCRIPTIONS[0], &format!("lane-{lane}")))
        .collect();
    let (mut steps, mut units) = (Vec::new(), Vec::new());
    for at in 0..count {
        let subscription = SUBSCRIPTIONS[usize::from(dice.one_in(4))];
        let id = ArmId::resource_group(subscription, "rg").provider(TYPE, &[&format!("i{at}")]);
        // Odd lengths, so that two things seldom end at once.
        let takes = 500 + dice.below(90_000) as u64;
        let (action, work, takes) = match dice.below(12) {
            0 => (Action::NoOp, Work::Idle, 0),
            1 | 2 => (Action::Delete, delete(), takes),
            _ => (Action::Create, put(), takes),
        };
        let mut own = unit(at, &id, work, takes);
        if chained {
            (0..dice.below(3)).filter(|_| at > 0).for_each(|_| own.after.push(dice.below(at)));
            own.after.sort_unstable();
            own.after.dedup();
        }
        if takes > 0 {
            own.lanes = lanes.iter().filter(|_| chained && dice.one_in(5)).cloned().collect();
        }
        steps.push(step(at, &id, action));
        units.push(own);
    }
    // Some are replaced: a unit behind all the others clears the old resource away first.
    for at in 0..count {
        if steps[at].action == Action::Create && dice.one_in(6) {
            steps[at].action = Action::Replace;
            let mut clears = unit(at, &units[at].id, delete(), 300 + dice.below(9_000) as u64);
            clears.clears = true;
            clears.lanes = units[at].lanes.clone();
            let clearing = units.len();
            units[at].after.push(clearing);
            units.push(clears);
        }
    }
    Plan {
        version: VERSION,
        blueprint: "random".to_owned(),
        environment: None,
        header: None,
        ledger_serial: 0,
        destroy: false,
        steps,
        outputs: BTreeMap::new(),
        conflicts: Vec::new(),
        warnings: Vec::new(),
        targets: Vec::new(),
        reverts: Vec::new(),
        left_out: Vec::new(),
        left_alone: Vec::new(),
        not_ours: Vec::new(),
        program: Program { units, ..Program::default() },
    }
}

/// Runs a plan. When each unit that sends something began and ended.
async fn run(plan: &Plan) -> BTreeMap<usize, Span> {
    let clock = Clock::start(1.0);
    let method =
        |unit: &Unit| if matches!(unit.work, Work::Delete(_)) { Method::Delete } else { Method::Put };
    let units = plan.program.units.iter().enumerate().filter(|(_, unit)| unit.work.sends());
    let units = units.map(|(at, unit)| ((method(unit), unit.id.to_string()), (at, unit.expected_ms)));
    let azure = Arc::new(Punctual {
        clock: clock.clone(),
        started: clock.elapsed(),
        units: units.collect(),
        seen: Mutex::default(),
    });
    let options = arm::Options { max_in_flight: 100_000, ..arm::Options::default() };
    let token = Arc::new(StaticToken::new("nothing"));
    let client = Client::new(azure.clone(), token, clock.clone(), options);
    for subscription in SUBSCRIPTIONS {
        let said = format!("/subscriptions/{subscription}/said");
        client.put(&said, "1", &json!({}), &arm::Conditions::none()).await.unwrap();
        client.delete(&said, "1", &[]).await.unwrap();
    }
    let engine = Engine {
        client,
        clock,
        store: Arc::new(MemoryStore::new()),
        listener: Arc::new(NullListener),
        interrupt: Interrupt::new(),
        parallelism: 100_000,
    };
    let approved = approve(plan.clone(), &Allowances::default()).unwrap();
    let ledger = Ledger::new("random", "salt");
    let applied = apply(&engine, &approved, &Secrets::default(), ledger, Observed::default()).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    azure.seen.lock().unwrap().clone()
}

/// Every unit before a unit that sends something, through those that send nothing.
fn needs(units: &[Unit], at: usize) -> Vec<usize> {
    let through = |&need: &usize| match units[need].work.sends() {
        true => vec![need],
        false => needs(units, need),
    };
    units[at].after.iter().flat_map(through).collect()
}

/// The units that made a run as long as it was: each began at the moment at which the one before ended, which it needs
/// or whose lane it had to wait for.
fn path_taken(units: &[Unit], spans: &BTreeMap<usize, Span>) -> Vec<usize> {
    let mut path = Vec::new();
    let mut now = spans.iter().max_by_key(|(_, (_, end))| *end).map(|(&at, _)| at);
    while let Some(at) = now {
        path.push(at);
        let begin = spans[&at].0;
        let shares = |other: &usize| units[at].lanes.iter().any(|lane| units[*other].lanes.contains(lane));
        let needed = needs(units, at);
        now = spans
            .iter()
            .filter(|(other, (_, end))| *end == begin && (needed.contains(other) || shares(other)))
            .map(|(&other, _)| other)
            .next();
        assert!(now.is_some() || begin == 0, "unit {at} waited until {begin} ms, and for nothing");
    }
    path.reverse();
    path
}

fn story(plan: &Plan, spans: &BTreeMap<usize, Span>) -> String {
    let line = |(at, unit): (usize, &Unit)| {
        let lanes: Vec<&str> = unit.lanes.iter().map(ArmId::name).collect();
        format!("{at}: {:?} {:?} after {:?} in {lanes:?}\n", unit.expected_ms, spans.get(&at), unit.after)
    };
    plan.program.units.iter().enumerate().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn a_plan_prints_the_path_that_its_run_takes() {
    let (mut chains, mut lanes, mut replaced) = (0, 0, 0);
    for seed in 0..120 {
        let mut dice = Dice::new(seed);
        let count = 1 + dice.below(60);
        let plan = plan(&mut dice, count, true);
        let spans = run(&plan).await;
        let units = &plan.program.units;
        let (path, total) = plan.program.critical_path();
        let end = spans.values().map(|(_, end)| *end).max().unwrap_or(0);
        assert_eq!(total, end, "seed {seed}: path {path:?}\n{}", story(&plan, &spans));
        assert_eq!(path, path_taken(units, &spans), "seed {seed}\n{}", story(&plan, &spans));
        // What is printed are the steps of the program's path, each once.
        let mut told = BTreeSet::new();
        let steps = path.iter().map(|&at| units[at].step).filter(|&step| told.insert(step)).collect();
        assert_eq!(plan.critical_path(), (steps, total));
        chains += usize::from(path.len() > 2);
        lanes += usize::from(path.windows(2).any(|pair| !needs(units, pair[1]).contains(&pair[0])));
        replaced += usize::from(path.iter().any(|&at| units[at].clears));
    }
    assert!(
        chains > 40 && lanes > 20 && replaced > 20,
        "{chains} chains, {lanes} lanes, {replaced} replaced"
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_expects_the_limits_that_its_run_meets() {
    for seed in 0..4 {
        let mut dice = Dice::new(seed);
        let count = 400 + dice.below(400);
        let plan = plan(&mut dice, count, seed % 2 == 1);
        let spans = run(&plan).await;
        let (_, total) = plan.program.critical_path();
        let end = spans.values().map(|(_, end)| *end).max().unwrap_or(0);
        assert!(total.abs_diff(end) <= 200, "seed {seed}: {total} expected, {end} taken");
    }
}
