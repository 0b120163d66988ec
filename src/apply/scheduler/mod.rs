//! The loop that owns a run of a program. `ledger` says what it leaves behind, `close` how it ends.

mod close;
mod ledger;

use super::worker::{Ended, Message, Worker};
use crate::approve::Approved;
use crate::arm::{Client, OperationClass};
use crate::change::{Action, Outcome, StepResult, Summary};
use crate::event::{Event, EventKind, Listener};
use crate::graph::Dag;
use crate::host::{Clock, Interrupt};
use crate::ident::{Address, ArmId};
use crate::ledger::store::{self, Store};
use crate::ledger::{Ledger, Record, SentAs};
use crate::plan::{OutputValue, Plan, Step, Unit, Work};
use crate::state::{Observation, Observed};
use crate::value::secret::Secrets;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What a run needs from outside.
#[derive(Clone)]
pub struct Engine {
    /// Speaks ARM.
    pub client: Client,
    /// Tells time.
    pub clock: Clock,
    /// Keeps the ledger and the journal.
    pub store: Arc<dyn Store>,
    /// Hears what happens.
    pub listener: Arc<dyn Listener>,
    /// The person's request to stop.
    pub interrupt: Interrupt,
    /// How many steps may be asking at once: between their beginning and Azure's acceptance. Operations that Azure works
    /// on do not count. The requests in flight, their looks included, are bounded by [`crate::arm::Options`].
    pub parallelism: usize,
}

/// What came of a run.
#[derive(Debug)]
pub struct Applied {
    /// The ledger afterwards, as it was saved.
    pub ledger: Ledger,
    /// How every step ended.
    pub summary: Summary,
    /// The outputs, as far as they are known.
    pub outputs: BTreeMap<String, OutputValue>,
    /// Why the run ended early, or its ledger was not saved: it could not be written, or was taken by another run.
    /// Nothing more was begun then, and what is under way or done the next run finds.
    pub broken: Option<store::Error>,
}

/// Runs the program of a plan.
///
/// The ledger must be locked. Whatever happens, what is known is on the disk when this returns, as far as it can be
/// written.
///
/// # Errors
/// When the ledger cannot be written before anything is done. Steps that fail are in the summary.
pub async fn apply(
    engine: &Engine,
    plan: &Approved<Plan>,
    secrets: &Secrets,
    ledger: Ledger,
    observed: Observed,
) -> Result<Applied, store::Error> {
    let plan = plan.get();
    if !plan.is_empty() {
        // The ledger is on the disk before the journal that belongs to it.
        engine.store.save(&ledger).await?;
    }
    let before = ledger.clone();
    let mut run = Run::new(engine, plan, secrets, ledger, observed);
    run.emit(EventKind::RunStarted { steps: plan.changes().count() });
    let broken = run.go().await.err();
    let elapsed = engine.clock.elapsed().saturating_sub(run.started);
    run.emit(EventKind::RunFinished { elapsed_ms: millis(elapsed) });
    Ok(run.close(elapsed, &before, broken).await)
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

/// Where a unit stands.
#[derive(Debug, Clone, PartialEq)]
enum State {
    Waiting,
    Running { since: Duration },
    Ended(Outcome),
}

struct Run<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    /// The secret parameters, whose values go into bodies and nowhere else.
    secrets: &'a Secrets,
    ledger: Ledger,
    /// What is there by now, by id.
    live: Observed,
    dag: Dag,
    weight: Vec<u64>,
    states: Vec<State>,
    /// How each step ended.
    results: Vec<Option<StepResult>>,
    /// What the first unit of a replacement took, by its step.
    halves: HashMap<usize, Spent>,
    /// How many dependencies of each unit are not done.
    open: Vec<usize>,
    ready: BinaryHeap<(u64, std::cmp::Reverse<usize>)>,
    /// Ready units by the lane that was taken when they were looked at.
    parked: HashMap<ArmId, BinaryHeap<(u64, std::cmp::Reverse<usize>)>>,
    lanes: HashSet<ArmId>,
    /// The lanes that each running unit holds.
    held: HashMap<usize, Vec<ArmId>>,
    /// Units whose first request is on its way: what [`Engine::parallelism`] bounds.
    asking: HashSet<usize>,
    /// How many of those ask for each class of requests, by subscription in small letters.
    asked: HashMap<(String, OperationClass), u32>,
    /// Units of which Azure accepted a write.
    accepted: HashSet<usize>,
    /// Steps whose connection did not approve itself, as the plan expected: they approve it.
    raised: HashSet<usize>,
    /// Steps whose beginning was told.
    announced: HashSet<usize>,
    /// Records of this moment, which go to the disk together before anything else is sent or waited for.
    unwritten: Vec<Record>,
    /// Whether the journal says whose it is.
    journalled: bool,
    events: u64,
    started: Duration,
}

impl<'a> Run<'a> {
    fn new(engine: &'a Engine, plan: &'a Plan, secrets: &'a Secrets, ledger: Ledger, live: Observed) -> Self {
        let units = &plan.program.units;
        let mut dag = Dag::new(units.len());
        for (at, unit) in units.iter().enumerate() {
            unit.after.iter().for_each(|&before| dag.need(at, before));
        }
        Run {
            engine,
            plan,
            secrets,
            ledger,
            live,
            weight: plan.program.priorities(),
            states: vec![State::Waiting; units.len()],
            results: vec![None; plan.steps.len()],
            halves: HashMap::new(),
            open: (0..units.len()).map(|at| dag.dependencies(at).len()).collect(),
            dag,
            ready: BinaryHeap::new(),
            parked: HashMap::new(),
            lanes: HashSet::new(),
            held: HashMap::new(),
            asking: HashSet::new(),
            asked: HashMap::new(),
            accepted: HashSet::new(),
            raised: HashSet::new(),
            announced: HashSet::new(),
            unwritten: Vec::new(),
            journalled: false,
            events: 0,
            started: engine.clock.elapsed(),
        }
    }

    fn unit(&self, at: usize) -> &'a Unit {
        &self.plan.program.units[at]
    }

    fn step(&self, at: usize) -> &'a Step {
        &self.plan.steps[self.unit(at).step]
    }

    /// Whether a unit clears the old resource of a replaced step away.
    fn clears(&self, at: usize) -> bool {
        self.unit(at).clears
    }

    /// The other unit of a replaced step.
    fn other_half(&self, at: usize) -> Option<usize> {
        let step = self.unit(at).step;
        (0..self.states.len()).find(|&other| other != at && self.unit(other).step == step)
    }

    /// What the step of a unit does: what the plan says, but for [`Run::raised`].
    fn action(&self, at: usize) -> Action {
        match self.raised.contains(&self.unit(at).step) {
            true => Action::Approve,
            false => self.step(at).action,
        }
    }

    fn emit(&mut self, kind: EventKind) {
        self.events += 1;
        let event = Event { number: self.events, at_ms: self.engine.clock.now().0, kind };
        self.engine.listener.event(&event);
    }

    async fn go(&mut self) -> Result<(), store::Error> {
        let (sender, mut messages) = mpsc::unbounded_channel();
        let mut workers: JoinSet<Ended> = JoinSet::new();
        for at in 0..self.states.len() {
            if self.open[at] == 0 {
                self.ready.push((self.weight[at], std::cmp::Reverse(at)));
            }
        }
        let mut stopping = 0;
        loop {
            let mut starting = Vec::new();
            let mut pause = None;
            while stopping == 0 && self.asking.len() < self.engine.parallelism.max(1) {
                let Some((_, std::cmp::Reverse(at))) = self.ready.pop() else { break };
                pause = if self.waits_for_lane(at) { None } else { self.pause_before(at) };
                if pause.is_some() {
                    self.ready.push((self.weight[at], std::cmp::Reverse(at)));
                    break;
                }
                starting.extend(self.start(at, &sender));
            }
            // What a worker is about to do is on the disk before it does it.
            if let Err(error) = self.flush().await {
                // The journal does not have these, so none of them is begun.
                starting.iter().for_each(|worker| self.states[worker.unit] = State::Waiting);
                return Err(error);
            }
            for worker in starting {
                workers.spawn(worker.run());
            }
            if workers.is_empty() && (stopping > 0 || self.ready.is_empty()) {
                break;
            }
            tokio::select! {
                Some(message) = messages.recv() => self.hear(message),
                Some(ended) = workers.join_next() => self.join(ended, &mut messages),
                () = self.engine.clock.sleep(pause.unwrap_or_default()), if pause.is_some() => {}
                // The ledger lock was lost: stop the run.
                error = self.engine.store.lost() => return Err(error),
                () = self.engine.interrupt.raised(stopping + 1), if stopping < 2 => {
                    stopping += 1;
                    self.emit(EventKind::Interrupted { at_once: stopping > 1 });
                    if stopping > 1 {
                        break;
                    }
                }
            }
            // Let other ready messages in first, so that their records share one fsync.
            tokio::task::yield_now().await;
            while let Ok(message) = messages.try_recv() {
                self.hear(message);
            }
            while let Some(ended) = workers.try_join_next() {
                self.join(ended, &mut messages);
            }
        }
        self.flush().await?;
        workers.shutdown().await;
        Ok(())
    }

    /// Whether another unit has one of its lanes. Until that one ends, no limit holds it back: others may go first.
    fn waits_for_lane(&self, at: usize) -> bool {
        self.unit(at).lanes.iter().any(|lane| self.lanes.contains(lane))
    }

    /// How long to hold a step back because Azure has no room for its first requests. What is started waits in line for
    /// its turn; what is held back gives way to what is more urgent.
    fn pause_before(&self, at: usize) -> Option<Duration> {
        let unit = self.unit(at);
        let subscription = subscription_of(unit);
        let pause = asks(&unit.work).map(|class| {
            let headroom = self.engine.client.headroom(&subscription, class);
            let asking = self.asked.get(&(subscription.clone(), class)).copied().unwrap_or(0);
            // Those whose request has its token are counted by the budget already.
            let to_come = asking.saturating_sub(headroom.claimed);
            headroom.free_in(to_come + 1, class)
        });
        pause.max().filter(|pause| !pause.is_zero())
    }

    /// Notes that the first requests of a unit are to come.
    fn asks_now(&mut self, at: usize) {
        if self.asking.insert(at) {
            let subscription = subscription_of(self.unit(at));
            for class in asks(&self.unit(at).work) {
                *self.asked.entry((subscription.clone(), class)).or_default() += 1;
            }
        }
    }

    /// Notes that the first requests of a unit are made.
    fn has_asked(&mut self, at: usize) {
        if self.asking.remove(&at) {
            let subscription = subscription_of(self.unit(at));
            for class in asks(&self.unit(at).work) {
                if let Some(asking) = self.asked.get_mut(&(subscription.clone(), class)) {
                    *asking = asking.saturating_sub(1);
                }
            }
        }
    }

    fn join(
        &mut self,
        ended: Result<Ended, tokio::task::JoinError>,
        messages: &mut mpsc::UnboundedReceiver<Message>,
    ) {
        // Its messages came before its end.
        while let Ok(message) = messages.try_recv() {
            self.hear(message);
        }
        // A worker that panicked is a defect: the whole run stops with it.
        self.end(ended.expect("a worker does not panic"));
    }

    /// Writes down what is not on the disk yet.
    async fn flush(&mut self) -> Result<(), store::Error> {
        if !self.unwritten.is_empty() {
            let mut records = std::mem::take(&mut self.unwritten);
            if !std::mem::replace(&mut self.journalled, true) {
                records.insert(0, Record::of(&self.ledger));
            }
            self.engine.store.append_all(&records).await?;
        }
        Ok(())
    }

    /// Begins a unit. `None` when it is over at once, or has to wait for a lane.
    fn start(&mut self, at: usize, sender: &mpsc::UnboundedSender<Message>) -> Option<Worker> {
        let unit = self.unit(at);
        match &unit.work {
            Work::Idle => {
                self.over(at, Outcome::Done, Spent::default());
                return None;
            }
            Work::Forget | Work::Record => {
                self.emit_started(at);
                match unit.work {
                    Work::Forget => self.forgotten(at),
                    _ => self.done(at),
                }
                self.over(at, Outcome::Done, Spent::default());
                return None;
            }
            Work::Approve(approve) if approve.expected_by_itself => {
                if !self.stays_pending(approve) {
                    self.over(at, Outcome::Done, Spent::default());
                    return None;
                }
                self.raised.insert(unit.step);
            }
            _ => {}
        }
        if let Some(taken) = unit.lanes.iter().find(|lane| self.lanes.contains(lane)) {
            self.parked.entry(taken.clone()).or_default().push((self.weight[at], std::cmp::Reverse(at)));
            // Another may have the lanes that this one leaves free.
            unit.lanes.iter().for_each(|lane| self.offer(lane));
            return None;
        }
        let (work, owned) = match self.ready(at) {
            Ok(ready) => ready,
            Err(failure) => {
                self.emit_started(at);
                self.over(at, failure.into(), Spent::default());
                return None;
            }
        };
        let (client, request_id) = self.engine.client.announced();
        let correlation_id = client.correlation_id().to_owned();
        let intent = Record::Intent {
            address: self.step(at).address.clone(),
            id: unit.id.clone(),
            action: self.action(at),
            owned: owned.map(Box::new),
            sent_as: Some(SentAs { request_id, correlation_id }),
        };
        self.unwritten.push(intent);
        self.lanes.extend(unit.lanes.iter().cloned());
        self.held.insert(at, unit.lanes.clone());
        self.asks_now(at);
        self.states[at] = State::Running { since: self.engine.clock.elapsed() };
        self.emit_started(at);
        Some(Worker {
            unit: at,
            client,
            clock: self.engine.clock.clone(),
            messages: sender.clone(),
            id: unit.id.clone(),
            work,
            timeout: unit.timeout,
            fresh: unit.fresh,
        })
    }

    /// Offers a lane, if it is free, to the most urgent of those that wait for it.
    fn offer(&mut self, lane: &ArmId) {
        if !self.lanes.contains(lane) {
            self.ready.extend(self.parked.get_mut(lane).and_then(BinaryHeap::pop));
        }
    }

    fn emit_started(&mut self, at: usize) {
        let step = self.step(at);
        // A replacement is announced once, whichever half comes first.
        if !self.announced.insert(self.unit(at).step) {
            return;
        }
        let (address, action, expected_ms) = (step.address.clone(), self.action(at), step.expected_ms);
        let left_ms = self.weight[at].max(expected_ms);
        self.emit(EventKind::StepStarted { address, action, expected_ms, left_ms });
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Watching { unit } => self.has_asked(unit),
            Message::Accepted { unit, operation } => {
                self.has_asked(unit);
                self.accepted.insert(unit);
                let id = self.unit(unit).id.clone();
                self.unwritten.push(Record::Accepted { id, operation });
            }
            Message::Waiting { unit, reason, attempt, wait } => {
                self.has_asked(unit);
                let address = self.step(unit).address.clone();
                self.emit(EventKind::StepWaiting { address, reason, attempt, wait_ms: millis(wait) });
            }
        }
    }

    fn end(&mut self, ended: Ended) {
        let at = ended.unit;
        self.has_asked(at);
        let unit = self.unit(at);
        let since = match self.states[at] {
            State::Running { since } => since,
            _ => self.engine.clock.elapsed(),
        };
        let elapsed = self.engine.clock.elapsed().saturating_sub(since);
        for lane in self.held.remove(&at).unwrap_or_default() {
            self.lanes.remove(&lane);
            self.offer(&lane);
        }
        let outcome = match ended.result {
            Ok(body) => {
                if let Some(body) = body {
                    self.live.insert(unit.id.clone(), Observation::Present { body, etag: None });
                }
                match &unit.work {
                    Work::Delete(_) if self.clears(at) && unit.id == self.step(at).id => {
                        self.live.insert(unit.id.clone(), Observation::Absent);
                    }
                    Work::Delete(_) => {
                        self.live.insert(unit.id.clone(), Observation::Absent);
                        self.gone(&unit.id);
                    }
                    _ => self.done(at),
                }
                Outcome::Done
            }
            Err(failure) => {
                match ended.refused && !self.accepted.contains(&at) {
                    // Azure made nothing: what somebody else makes under this id later is not ours.
                    true => self.gone(&unit.id),
                    false => self.failed(at),
                }
                failure.into()
            }
        };
        self.over(at, outcome, Spent { elapsed, retries: ended.retries, waited: ended.waited });
    }

    /// Ends a unit, and releases what waited for it.
    fn over(&mut self, at: usize, outcome: Outcome, spent: Spent) {
        let (address, action) = (self.step(at).address.clone(), self.action(at));
        let step = self.unit(at).step;
        self.states[at] = State::Ended(outcome.clone());
        let replaces = action == Action::Replace;
        let other = if replaces { self.other_half(at) } else { None };
        let over = |other: usize| matches!(self.states[other], State::Ended(_));
        // Who clears may be skipped while the new resource is still being made: what is told waits for that.
        let half = match &outcome {
            Outcome::Done => other.is_some_and(|other| !over(other)),
            Outcome::Skipped { .. } => self.clears(at) && other.is_some_and(|other| !over(other)),
            _ => false,
        };
        let told_as = match (&outcome, other.map(|other| &self.states[other])) {
            (Outcome::Done, Some(State::Ended(Outcome::Skipped { because_of }))) if !self.clears(at) => {
                stays(&self.unit(other.unwrap_or(at)).id, because_of)
            }
            (Outcome::Done, Some(State::Ended(ended))) if *ended != Outcome::Done => ended.clone(),
            (Outcome::Skipped { because_of }, Some(State::Ended(Outcome::Done))) if self.clears(at) => {
                stays(&self.unit(at).id, because_of)
            }
            _ => outcome.clone(),
        };
        // What stays as it is has a result only when waiting for it failed.
        let told = action != Action::NoOp || matches!(outcome, Outcome::Failed { .. });
        // A replacement takes as long as its two halves.
        let spent = spent.and(self.halves.remove(&step));
        if half {
            self.halves.insert(step, spent);
        }
        if told && !half && self.results[step].is_none() {
            self.results[step] = Some(StepResult {
                address: address.clone(),
                action,
                outcome: told_as.clone(),
                deleted: replaces && outcome != Outcome::Done && self.cleared(step) && !self.made(step),
                elapsed_ms: millis(spent.elapsed),
                retries: spent.retries,
                waited_ms: millis(spent.waited),
            });
            self.emit(EventKind::StepFinished {
                address: address.clone(),
                action,
                outcome: told_as,
                elapsed_ms: millis(spent.elapsed),
            });
        }
        let dependants: Vec<usize> = self.dag.dependants(at).to_vec();
        for dependant in dependants {
            if self.states[dependant] != State::Waiting {
                continue;
            }
            match &outcome {
                Outcome::Done => {
                    self.open[dependant] -= 1;
                    if self.open[dependant] == 0 {
                        self.ready.push((self.weight[dependant], std::cmp::Reverse(dependant)));
                    }
                }
                Outcome::Skipped { because_of } => self.skip(dependant, because_of.clone()),
                _ => self.skip(dependant, address.clone()),
            }
        }
    }

    fn skip(&mut self, at: usize, because_of: Address) {
        self.over(at, Outcome::Skipped { because_of }, Spent::default());
    }

    /// Whether the old resource of a replaced step was cleared away, or its parent took it along.
    fn cleared(&self, step: usize) -> bool {
        (0..self.states.len()).find(|&at| self.unit(at).step == step && self.clears(at)).is_some_and(|at| {
            match &self.unit(at).work {
                Work::Delete(_) => self.states[at] == State::Ended(Outcome::Done),
                // It went with its parent, or stays with it.
                _ => self.unit(at).id.ancestors().any(|id| self.live.get(&id) == Some(&Observation::Absent)),
            }
        })
    }

    /// Whether the new resource of a replaced step is there.
    fn made(&self, step: usize) -> bool {
        self.states[step] == State::Ended(Outcome::Done)
    }
}

/// What became of a replacement whose new resource is there while something still needs the old one.
fn stays(old: &ArmId, because_of: &Address) -> Outcome {
    Outcome::Failed {
        message: format!("it was made anew; {old} stays, because `{because_of}` was not done"),
        help: Some("apply again: what stays goes as soon as nothing needs it".to_owned()),
        code: None,
    }
}

/// The subscription of a unit, in small letters.
fn subscription_of(unit: &Unit) -> String {
    unit.id.subscription().unwrap_or_default().to_ascii_lowercase()
}

/// What the first requests of a piece of work count for.
fn asks(work: &Work) -> impl Iterator<Item = OperationClass> {
    let asked = work.first_requests();
    let classes = [
        (asked.reads, OperationClass::Reads),
        (asked.writes, OperationClass::Writes),
        (asked.deletes, OperationClass::Deletes),
    ];
    classes.into_iter().filter_map(|(asked, class)| asked.then_some(class))
}

/// What a unit took.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    elapsed: Duration,
    retries: u32,
    waited: Duration,
}

impl Spent {
    /// Together with what another unit of the same step took.
    fn and(self, other: Option<Spent>) -> Self {
        let Some(other) = other else { return self };
        Spent {
            elapsed: self.elapsed + other.elapsed,
            retries: self.retries + other.retries,
            waited: self.waited + other.waited,
        }
    }
}
