//! The loop that owns a run. `units` says what there is to schedule, `tasks` what a step sends, `close` how it ends.

mod close;
mod tasks;
mod units;

use super::worker::{Ended, Failure, Message, Worker, nothing};
use crate::approve::Approved;
use crate::arm::{Client, OperationClass};
use crate::catalog::Provisioning;
use crate::change::{Action, Outcome, StepResult, Summary};
use crate::event::{Event, EventKind, Listener};
use crate::graph::Dag;
use crate::host::{Clock, Interrupt};
use crate::ident::{Address, ArmId};
use crate::ledger::store::{self, Store};
use crate::ledger::{Ledger, Record, SentAs};
use crate::plan::{OutputValue, Plan, Reason, Step};
use crate::state::{Desired, Observed};
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};
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
    /// The person's wish to stop.
    pub interrupt: Interrupt,
    /// How many steps at once.
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

/// Carries out a plan.
///
/// The ledger must be locked. Whatever happens, what is known is on the disk when this returns, as far as it can be
/// written.
///
/// # Errors
/// When the ledger cannot be written before anything is done. Steps that fail are in the summary.
pub async fn apply(
    engine: &Engine,
    plan: &Approved<Plan>,
    desired: &Desired,
    ledger: Ledger,
    observed: Observed,
) -> Result<Applied, store::Error> {
    let plan = plan.get();
    if !plan.is_empty() {
        // The ledger is on the disk before the journal that belongs to it.
        engine.store.save(&ledger).await?;
    }
    let before = ledger.clone();
    let mut run = Run::new(engine, plan, desired, ledger, observed);
    run.emit(EventKind::RunStarted { steps: plan.changes().count() });
    let broken = run.go().await.err();
    let elapsed = engine.clock.elapsed().saturating_sub(run.started);
    run.emit(EventKind::RunFinished { elapsed_ms: millis(elapsed) });
    Ok(run.close(elapsed, &before, broken).await)
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq)]
enum State {
    Waiting,
    Running { since: Duration },
    Ended(Outcome),
}

struct Run<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    desired: &'a Desired,
    ledger: Ledger,
    /// What is there by now, by id.
    live: Observed,
    /// What is scheduled: every step, by its position, and behind them one unit for each replaced step that takes the
    /// old resource away, so that what stands on another goes before it and comes back after it.
    units: Vec<usize>,
    dag: Dag,
    weight: Vec<u64>,
    states: Vec<State>,
    results: Vec<Option<StepResult>>,
    /// How many dependencies of each step are not done.
    open: Vec<usize>,
    ready: BinaryHeap<(u64, std::cmp::Reverse<usize>)>,
    /// Ready steps by the lane that was taken when they were looked at.
    parked: HashMap<ArmId, Vec<usize>>,
    lanes: HashSet<ArmId>,
    /// The lanes that each running step holds.
    held: HashMap<usize, Vec<ArmId>>,
    /// Steps that turned out to need another action than planned: a connection that did not approve itself.
    raised: HashMap<usize, Action>,
    /// Everything that the plan deletes.
    deleted: OnceLock<Arc<HashSet<ArmId>>>,
    /// Records of this moment, which go to the disk together before anything else is sent or waited for.
    unwritten: Vec<Record>,
    events: u64,
    started: Duration,
}

impl<'a> Run<'a> {
    fn new(engine: &'a Engine, plan: &'a Plan, desired: &'a Desired, ledger: Ledger, live: Observed) -> Self {
        let steps = plan.steps.len();
        let (units, dag) = units::units(plan, &ledger);
        let weight = dag.remaining(|unit| if unit < steps { plan.steps[unit].expected_ms + 1 } else { 1 });
        Run {
            engine,
            plan,
            desired,
            ledger,
            live,
            weight,
            states: vec![State::Waiting; units.len()],
            results: vec![None; steps],
            open: (0..units.len()).map(|at| dag.dependencies(at).len()).collect(),
            dag,
            units,
            ready: BinaryHeap::new(),
            parked: HashMap::new(),
            lanes: HashSet::new(),
            held: HashMap::new(),
            raised: HashMap::new(),
            deleted: OnceLock::new(),
            unwritten: Vec::new(),
            events: 0,
            started: engine.clock.elapsed(),
        }
    }

    fn step(&self, unit: usize) -> &'a Step {
        &self.plan.steps[self.units[unit]]
    }

    /// Whether a unit takes the old resource of a replaced step away.
    fn clears(&self, unit: usize) -> bool {
        unit >= self.plan.steps.len()
    }

    /// What a step does, which is what the plan says but for [`Run::raised`].
    fn action(&self, unit: usize) -> Action {
        let at = self.units[unit];
        self.raised.get(&at).copied().unwrap_or(self.plan.steps[at].action)
    }

    fn emit(&mut self, kind: EventKind) {
        self.events += 1;
        let event = Event { number: self.events, at_ms: self.engine.clock.now().0, kind };
        self.engine.listener.event(&event);
    }

    async fn go(&mut self) -> Result<(), store::Error> {
        let (sender, mut messages) = mpsc::unbounded_channel();
        let mut workers: JoinSet<Ended> = JoinSet::new();
        for at in 0..self.units.len() {
            if self.open[at] == 0 {
                self.ready.push((self.weight[at], std::cmp::Reverse(at)));
            }
        }
        let mut stopping = 0;
        loop {
            let mut starting = Vec::new();
            let mut pause = None;
            while stopping == 0 && workers.len() + starting.len() < self.engine.parallelism {
                let Some((_, std::cmp::Reverse(at))) = self.ready.pop() else { break };
                pause = self.pause_before(at, starting.len());
                if pause.is_some() {
                    self.ready.push((self.weight[at], std::cmp::Reverse(at)));
                    break;
                }
                starting.extend(self.start(at, &sender));
            }
            // What a worker is about to do is on the disk before it does it.
            if let Err(error) = self.flush().await {
                // Of these nobody knows, and none of them is begun.
                starting.iter().for_each(|worker| self.states[worker.at] = State::Waiting);
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
                // Whoever lost the ledger does not go on with anything.
                error = self.engine.store.lost() => return Err(error),
                () = self.engine.interrupt.raised(stopping + 1), if stopping < 2 => {
                    stopping += 1;
                    self.emit(EventKind::Interrupted { at_once: stopping > 1 });
                    if stopping > 1 {
                        break;
                    }
                }
            }
            // Others that are as far at the same moment share one way to the disk.
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

    /// How long to hold a step back because Azure has no room for its first request, `starting` others being on
    /// their way. What is started waits in line for its turn; what is held back gives way to what is more urgent.
    fn pause_before(&self, at: usize, starting: usize) -> Option<Duration> {
        let step = self.step(at);
        let action = self.action(at);
        if matches!(action, Action::NoOp | Action::Forget | Action::Adopt) {
            return None;
        }
        let class = match action {
            Action::Delete => OperationClass::Deletes,
            _ if self.clears(at) => OperationClass::Deletes,
            _ => OperationClass::Writes,
        };
        let subscription = step.id.subscription().unwrap_or_default();
        let room =
            |class| self.engine.client.headroom(subscription, class).free_in(starting as u32 + 1, class);
        let pause = room(class).max(room(OperationClass::Reads));
        (!pause.is_zero()).then_some(pause)
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
            let records = std::mem::take(&mut self.unwritten);
            self.engine.store.append_all(&records).await?;
        }
        Ok(())
    }

    /// Begins a step. `None` when it is over at once, or has to wait for a lane.
    fn start(&mut self, at: usize, sender: &mpsc::UnboundedSender<Message>) -> Option<Worker> {
        let step = self.step(at);
        let clears = self.clears(at);
        if clears && matches!(&step.reason, Reason::ParentReplaced { .. }) && self.goes_along(step) {
            self.over(at, Outcome::Done, Duration::ZERO, 0, Duration::ZERO);
            return None;
        }
        if step.reason == Reason::ApprovesItself && self.stays_pending(step) {
            self.raised.insert(self.units[at], Action::Approve);
        }
        let action = self.action(at);
        if let Some(outcome) = self.without_request(step, action) {
            if action != Action::NoOp {
                self.emit_started(at);
            }
            self.over(at, outcome, Duration::ZERO, 0, Duration::ZERO);
            return None;
        }
        let lanes = self.lanes_of(step);
        if let Some(taken) = lanes.iter().find(|lane| self.lanes.contains(lane)) {
            self.parked.entry(taken.clone()).or_default().push(at);
            return None;
        }
        let task = if clears { Ok((self.clearing(step), None)) } else { self.task(step) };
        let (task, owned) = match task {
            Ok(task) => task,
            Err(failure) => {
                self.emit_started(at);
                let outcome = Outcome::Failed { message: failure.message, code: failure.code };
                self.over(at, outcome, Duration::ZERO, 0, Duration::ZERO);
                return None;
            }
        };
        let (client, request_id) = self.engine.client.announced();
        let correlation_id = client.correlation_id().to_owned();
        let intent = Record::Intent {
            address: step.address.clone(),
            id: step.id.clone(),
            action,
            owned: owned.map(Box::new),
            sent_as: Some(SentAs { request_id, correlation_id }),
        };
        self.unwritten.push(intent);
        self.lanes.extend(lanes.iter().cloned());
        self.held.insert(at, lanes);
        self.states[at] = State::Running { since: self.engine.clock.elapsed() };
        self.emit_started(at);
        Some(Worker {
            at,
            client,
            clock: self.engine.clock.clone(),
            messages: sender.clone(),
            action: if clears { Action::Delete } else { action },
            id: step.id.clone(),
            task,
            timeout: self.resource(step).map_or(Duration::from_secs(5400), |resource| resource.timeout),
        })
    }

    fn emit_started(&mut self, at: usize) {
        let step = self.step(at);
        // What was cleared away first was told of then.
        if !self.clears(at) && step.action == Action::Replace {
            return;
        }
        let (address, action, expected_ms) = (step.address.clone(), self.action(at), step.expected_ms);
        self.emit(EventKind::StepStarted { address, action, expected_ms });
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Accepted { step, operation } => {
                let id = self.step(step).id.clone();
                self.unwritten.push(Record::Accepted { id, operation });
            }
            Message::Waiting { step, reason, attempt, wait } => {
                let address = self.step(step).address.clone();
                self.emit(EventKind::StepWaiting { address, reason, attempt, wait_ms: millis(wait) });
            }
        }
    }

    fn end(&mut self, ended: Ended) {
        let at = ended.step;
        let step = self.step(at);
        let clears = self.clears(at);
        let since = match self.states[at] {
            State::Running { since } => since,
            _ => self.engine.clock.elapsed(),
        };
        let elapsed = self.engine.clock.elapsed().saturating_sub(since);
        for lane in self.held.remove(&at).unwrap_or_default() {
            self.lanes.remove(&lane);
            for parked in self.parked.remove(&lane).unwrap_or_default() {
                self.ready.push((self.weight[parked], std::cmp::Reverse(parked)));
            }
        }
        let outcome = match ended.result {
            Ok(body) => {
                if clears {
                    self.live.insert(step.id.clone(), crate::state::Observation::Absent);
                } else if let Some(body) = body {
                    let present = crate::state::Observation::Present { body, etag: None };
                    self.live.insert(step.id.clone(), present);
                }
                match step.action {
                    _ if clears => {}
                    Action::Delete => self.gone(&step.id),
                    _ => self.done(step),
                }
                Outcome::Done
            }
            Err(Failure { message, code }) => {
                self.unwritten.push(Record::Failed { id: step.id.clone() });
                // What was begun may be there: it stays owned, and the next plan reads how far it came.
                if step.action != Action::Delete
                    && let Some(resource) = self.resource(step)
                    && resource.operation == Provisioning::Resource
                {
                    let owned = self.owned(resource, nothing());
                    self.ledger.resources.entry(step.id.clone()).or_insert(owned);
                }
                Outcome::Failed { message, code }
            }
        };
        self.over(at, outcome, elapsed, ended.retries, ended.waited);
    }

    /// Writes down that a resource is owned as asked.
    fn done(&mut self, step: &Step) {
        let owned = match self.resource(step) {
            Some(resource) if resource.operation == Provisioning::Resource => {
                Some(self.owned(resource, self.resolved(&resource.body)))
            }
            _ => None,
        };
        let record = Record::Done { id: step.id.clone(), owned: owned.clone().map(Box::new) };
        self.unwritten.push(record);
        if let Some(owned) = owned {
            self.ledger.resources.insert(step.id.clone(), owned);
        }
    }

    /// Writes down that a resource is owned no longer.
    fn gone(&mut self, id: &ArmId) {
        self.unwritten.push(Record::Gone { id: id.clone() });
        self.ledger.resources.shift_remove(id);
    }

    /// Ends a step, and lets go what waited for it.
    fn over(&mut self, at: usize, outcome: Outcome, elapsed: Duration, retries: u32, waited: Duration) {
        let step = self.step(at);
        let (address, action) = (step.address.clone(), self.action(at));
        self.states[at] = State::Ended(outcome.clone());
        let half = self.clears(at) && outcome == Outcome::Done;
        let told = self.results[self.units[at]].is_some();
        if action != Action::NoOp && !half && !told {
            self.results[self.units[at]] = Some(StepResult {
                address: address.clone(),
                action,
                outcome: outcome.clone(),
                elapsed_ms: millis(elapsed),
                retries,
                waited_ms: millis(waited),
            });
            let elapsed_ms = millis(elapsed);
            self.emit(EventKind::StepFinished {
                address: address.clone(),
                action,
                outcome: outcome.clone(),
                elapsed_ms,
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
        self.over(at, Outcome::Skipped { because_of }, Duration::ZERO, 0, Duration::ZERO);
    }
}
