//! The loop that owns a run.

use super::worker::{Ended, Failure, Message, Put, Task, Worker, approve_task, has_unseen, nothing};
use crate::approve::Approved;
use crate::arm::Client;
use crate::catalog::{Arrival, Lane, Operation};
use crate::event::{Action, DeleteMode, Event, EventKind, Listener, Outcome, StepResult, Summary};
use crate::graph::Dag;
use crate::host::{Clock, Interrupt};
use crate::ident::{Address, ArmId};
use crate::ledger::store::{self, Store};
use crate::ledger::{Ledger, Owned, Record};
use crate::observe::connections_version;
use crate::plan::{Desired, Observed, OutputValue, Plan, Reason, Resource, Step, lookup, secret_digests};
use crate::value::ChangeKind;
use crate::value::token::{self, Token};
use serde_json::Value;
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
}

/// Why a run could not be carried on. What was done is in the journal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger could not be written; nothing more was begun.
    #[error(transparent)]
    Ledger(#[from] store::Error),
}

/// Carries out a plan.
///
/// The ledger must be locked. Whatever happens, what is known is on the disk when this returns.
///
/// # Errors
/// When the ledger cannot be written. Steps that fail are in the summary.
pub async fn apply(
    engine: &Engine,
    plan: &Approved<Plan>,
    desired: &Desired,
    ledger: Ledger,
    observed: Observed,
) -> Result<Applied, Error> {
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
    if let Some(error) = broken {
        return Err(error);
    }
    run.close(elapsed, &before).await
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
        let (units, dag) = units(plan, &ledger);
        let weight = dag.remaining(|unit| if unit < steps { plan.steps[unit].usual_ms + 1 } else { 1 });
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

    fn emit(&mut self, kind: EventKind) {
        self.events += 1;
        let event = Event { number: self.events, at_ms: self.engine.clock.now().0, kind };
        self.engine.listener.event(&event);
    }

    async fn go(&mut self) -> Result<(), Error> {
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
            while stopping == 0 && workers.len() + starting.len() < self.engine.parallelism {
                let Some((_, std::cmp::Reverse(at))) = self.ready.pop() else { break };
                starting.extend(self.start(at, &sender));
            }
            // What a worker is about to do is on the disk before it does it.
            self.flush().await?;
            for worker in starting {
                workers.spawn(worker.run());
            }
            if workers.is_empty() && (stopping > 0 || self.ready.is_empty()) {
                break;
            }
            tokio::select! {
                Some(message) = messages.recv() => self.hear(message),
                Some(ended) = workers.join_next() => self.join(ended, &mut messages),
                // Whoever lost the ledger does not go on with anything.
                error = self.engine.store.lost() => return Err(error.into()),
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
    async fn flush(&mut self) -> Result<(), Error> {
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
        if let Some(outcome) = self.without_request(step) {
            if step.action != Action::NoOp {
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
        let intent = Record::Intent {
            address: step.address.clone(),
            id: step.id.clone(),
            action: step.action,
            owned: owned.map(Box::new),
        };
        self.unwritten.push(intent);
        self.lanes.extend(lanes.iter().cloned());
        self.held.insert(at, lanes);
        self.states[at] = State::Running { since: self.engine.clock.elapsed() };
        self.emit_started(at);
        Some(Worker {
            at,
            client: self.engine.client.clone(),
            clock: self.engine.clock.clone(),
            messages: sender.clone(),
            action: if clears { Action::Delete } else { step.action },
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
        let (address, action, usual_ms) = (step.address.clone(), step.action, step.usual_ms);
        self.emit(EventKind::StepStarted { address, action, usual_ms });
    }

    /// Steps that send nothing: what stays, what is forgotten or adopted, what goes with its parent.
    fn without_request(&mut self, step: &Step) -> Option<Outcome> {
        let released = |step: &Step| step.changes.iter().all(|change| change.kind == ChangeKind::Release);
        match step.action {
            Action::NoOp => Some(Outcome::Done),
            Action::Forget => {
                self.gone(&step.id);
                Some(Outcome::Done)
            }
            Action::Delete if matches!(step.reason, Reason::GoesWithParent { .. }) => {
                self.gone(&step.id);
                Some(Outcome::Done)
            }
            Action::Adopt => {
                self.done(step);
                Some(Outcome::Done)
            }
            Action::Update if released(step) => {
                self.done(step);
                Some(Outcome::Done)
            }
            _ => None,
        }
    }

    /// The removal of what a replaced step replaces.
    fn clearing(&self, step: &Step) -> Task {
        let known = self.ledger.resources.get(&step.id).map(|owned| owned.api_version.clone());
        let api_version =
            known.or_else(|| self.resource(step).map(|resource| resource.kind.api_version.to_owned()));
        Task::Delete { api_version: api_version.unwrap_or_default(), expected: None }
    }

    /// Whether a resource is taken along when its parent is deleted.
    fn goes_along(&self, step: &Step) -> bool {
        self.resource(step).is_some_and(|resource| resource.kind.delete != DeleteMode::Always)
    }

    fn resource(&self, step: &Step) -> Option<&'a Resource> {
        self.desired.by_id.get(&step.id).map(|&at| &self.desired.resources[at])
    }

    fn lanes_of(&self, step: &Step) -> Vec<ArmId> {
        // What came with its parent is only looked at.
        if matches!(step.reason, Reason::ArrivesWithParent { .. }) {
            return Vec::new();
        }
        match (step.action, self.resource(step)) {
            (Action::Delete, _) | (_, None) => {
                self.ledger.resources.get(&step.id).map(|owned| owned.lanes.clone()).unwrap_or_default()
            }
            (_, Some(resource)) => lanes(resource, &self.resolved(&resource.body)),
        }
    }

    /// The step in the words of the wire, and what the ledger will hold for it.
    fn task(&self, step: &Step) -> Result<(Task, Option<Owned>), Failure> {
        if step.action == Action::Delete {
            let owned = self.ledger.resources.get(&step.id);
            let api_version = owned.map(|owned| owned.api_version.clone()).unwrap_or_default();
            let group = step.id.resource_type() == "Microsoft.Resources/resourceGroups";
            let expected = group.then(|| {
                // The listing lags behind: what this run deleted may still be in it.
                let deleted = || self.plan.steps.iter().filter(|step| step.action == Action::Delete);
                self.deleted.get_or_init(|| Arc::new(deleted().map(|step| step.id.clone()).collect())).clone()
            });
            return Ok((Task::Delete { api_version, expected }, None));
        }
        let defect = |text: &str| Failure { message: format!("{text}: a defect of berth"), code: None };
        let resource = self.resource(step).ok_or_else(|| defect("the step has no resource"))?;
        match &resource.operation {
            Operation::Registration => {
                let (api_version, wanted) = (resource.kind.api_version, resource.body.clone());
                Ok((Task::Register { api_version, wanted, kind: resource.kind }, None))
            }
            Operation::Approval { target, .. } => {
                let version = ArmId::parse(target)
                    .map(|target| connections_version(&target, Some(self.desired)))
                    .unwrap_or_default();
                let task =
                    approve_task(&resource.operation, version).ok_or_else(|| defect("a broken approval"))?;
                Ok((task, None))
            }
            Operation::Resource => {
                let asked = self.resolved(&resource.body);
                let mut missing = None;
                let mut claim = None;
                token::for_each(&asked, &mut |token| match token {
                    Token::Output { address, pointer } => missing = Some((address.clone(), pointer.clone())),
                    Token::Caller { claim: name } => claim = Some(name.clone()),
                    Token::Reference { .. } | Token::Secret { .. } => {}
                });
                if let Some(claim) = claim {
                    return Err(Failure {
                        message: format!(
                            "it needs the caller's {claim}, and the token says none\nhelp: write the value into the blueprint, or into a parameter"
                        ),
                        code: None,
                    });
                }
                if let Some((address, pointer)) = missing {
                    return Err(Failure {
                        message: format!(
                            "it needs a value that `{address}` does not have: {pointer} is not in what Azure returned\nhelp: check that `{address}` switches on what gives this value"
                        ),
                        code: None,
                    });
                }
                let owned = self.owned(resource, asked.clone());
                let mut body = asked;
                token::substitute(&mut body, &mut |token| match token {
                    Token::Secret { name } => {
                        self.desired.secrets.get(name).map(|secret| secret.expose().into())
                    }
                    _ => None,
                });
                let put = Put {
                    kind: resource.kind,
                    body,
                    changes: step.changes.clone(),
                    unseen: has_unseen(step),
                    arrives: match step.reason {
                        Reason::ArrivesWithParent { .. } => true,
                        Reason::ParentReplaced { .. } => resource.arrival == Arrival::WithParent,
                        _ => false,
                    },
                };
                Ok((Task::Put(Box::new(put)), Some(owned)))
            }
        }
    }

    /// What the ledger holds of a resource that was asked for with `applied`.
    fn owned(&self, resource: &Resource, applied: Value) -> Owned {
        let at = self.desired.by_id.get(&resource.id).copied().unwrap_or_default();
        let depends_on = self
            .desired
            .graph
            .dependencies(at)
            .iter()
            .map(|&at| &self.desired.resources[at])
            .filter(|needed| needed.operation == Operation::Resource)
            .map(|needed| needed.id.clone())
            .collect();
        Owned {
            address: resource.address.clone(),
            arm_type: resource.kind.arm_type.to_owned(),
            api_version: resource.kind.api_version.to_owned(),
            depends_on,
            digests: secret_digests(&applied, resource.kind, &self.desired.secrets, &self.ledger.salt),
            protect: resource.protect,
            delete: resource.kind.delete,
            lanes: lanes(resource, &applied),
            applied,
        }
    }

    /// A body with the outputs put in that are known by now.
    fn resolved(&self, body: &Value) -> Value {
        let mut body = body.clone();
        token::substitute(&mut body, &mut |token| {
            let Token::Output { address, pointer } = token else { return None };
            let &at = self.desired.by_address.get(address)?;
            let live = self.live.get(&self.desired.resources[at].id)?.body()?;
            lookup(live, pointer).filter(|value| !value.is_null()).cloned()
        });
        body
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
                    self.live.insert(step.id.clone(), crate::plan::Observation::Absent);
                } else if let Some(body) = body {
                    let present = crate::plan::Observation::Present { body, etag: None };
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
                    && resource.operation == Operation::Resource
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
            Some(resource) if resource.operation == Operation::Resource => {
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
        let (address, action) = (step.address.clone(), step.action);
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

    fn cleared(&self, at: usize) -> bool {
        let unit = (self.plan.steps.len()..self.units.len()).find(|&unit| self.units[unit] == at);
        unit.is_some_and(|unit| self.states[unit] != State::Waiting)
    }

    /// Saves the ledger and tells how everything ended.
    async fn close(mut self, elapsed: Duration, before: &Ledger) -> Result<Applied, Error> {
        for at in 0..self.plan.steps.len() {
            if self.results[at].is_some() || self.plan.steps[at].action == Action::NoOp {
                continue;
            }
            let step = &self.plan.steps[at];
            let outcome = match self.states[at] {
                State::Running { .. } => Outcome::Unfinished,
                // Its old resource is gone, or going: the next run makes the new one.
                _ if self.cleared(at) => Outcome::Unfinished,
                _ => Outcome::NotStarted,
            };
            self.results[at] = Some(StepResult {
                address: step.address.clone(),
                action: step.action,
                outcome,
                elapsed_ms: 0,
                retries: 0,
                waited_ms: 0,
            });
        }
        self.refresh_unchanged();
        let outputs: BTreeMap<String, OutputValue> = self
            .desired
            .outputs
            .iter()
            .map(|output| {
                let value = self.resolved(&output.value);
                (output.name.clone(), OutputValue { value, secret: output.secret })
            })
            .collect();
        self.ledger.outputs = outputs
            .iter()
            .filter(|(_, output)| !output.secret && !token::any(&output.value, &|_| true))
            .map(|(name, output)| (name.clone(), output.value.clone()))
            .collect();
        let unfinished = self.results.iter().flatten().any(|result| result.outcome == Outcome::Unfinished);
        let changed = self.ledger != *before;
        self.ledger.serial += u64::from(changed);
        // What is still under way stays in the journal, for the next run to follow.
        if !unfinished && (changed || !self.plan.is_empty()) {
            self.engine.store.save(&self.ledger).await?;
        }
        let summary = Summary {
            version: crate::event::VERSION,
            steps: self.results.into_iter().flatten().collect(),
            elapsed_ms: millis(elapsed),
            interrupted: self.engine.interrupt.count() > 0,
        };
        Ok(Applied { ledger: self.ledger, summary, outputs })
    }

    /// What stayed as it is may be called or ordered otherwise by now, or be asked for in more detail.
    fn refresh_unchanged(&mut self) {
        if self.plan.destroy {
            return;
        }
        for step in self.plan.steps.iter().filter(|step| step.action == Action::NoOp) {
            if let Some(resource) = self.resource(step)
                && resource.operation == Operation::Resource
            {
                let owned = self.owned(resource, self.resolved(&resource.body));
                self.ledger.resources.insert(step.id.clone(), owned);
            }
        }
    }
}

/// The units of a plan with their order.
fn units(plan: &Plan, ledger: &Ledger) -> (Vec<usize>, Dag) {
    let steps = plan.steps.len();
    let mut units: Vec<usize> = (0..steps).collect();
    let mut clearing = HashMap::new();
    for (at, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.action == Action::Replace) {
        clearing.insert(&step.id, (units.len(), at));
        units.push(at);
    }
    let mut dag = Dag::new(units.len());
    for (at, step) in plan.steps.iter().enumerate() {
        step.after.iter().for_each(|&before| dag.need(at, before));
    }
    for &(unit, at) in clearing.values() {
        dag.need(at, unit);
        for &before in &plan.steps[at].after {
            if let Some(&(other, _)) = clearing.get(&plan.steps[before].id) {
                dag.need(other, unit);
            }
        }
    }
    // What is deleted for good and used something that is replaced goes before that is cleared away.
    for (at, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.action == Action::Delete) {
        let used =
            ledger.resources.get(&step.id).map(|owned| owned.depends_on.as_slice()).unwrap_or_default();
        for id in used {
            if let Some(&(unit, _)) = clearing.get(id) {
                dag.need(unit, at);
            }
        }
    }
    (units, dag)
}

/// The ids that may not be worked on by two steps at once while this resource is.
fn lanes(resource: &Resource, body: &Value) -> Vec<ArmId> {
    // A target takes one change of its connections at a time.
    let target = match &resource.operation {
        Operation::Approval { target, .. } => ArmId::parse(target).ok(),
        _ => None,
    };
    let mut found: Vec<ArmId> = resource
        .kind
        .lanes
        .iter()
        .filter_map(|lane| match lane {
            Lane::Free => None,
            Lane::Ancestor(arm_type) => resource.id.ancestor_of_type(arm_type),
            Lane::Of(pointer, arm_type) => {
                ArmId::parse(body.pointer(pointer)?.as_str()?).ok()?.ancestor_of_type(arm_type)
            }
        })
        .chain(target)
        .collect();
    found.sort();
    found.dedup();
    found
}
