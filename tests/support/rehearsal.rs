//! The library against a simulator in this process: faults can be scripted and requests counted.
//!
//! Time is virtual when the test runs on a paused clock: `#[tokio::test(start_paused = true)]`.

use berth::apply::{Applied, Engine};
use berth::approve::Allowances;
use berth::arm::{self, Client, StaticToken};
use berth::blueprint::{Caller, Inputs, Missing};
use berth::diag::Failure;
use berth::drift::DriftReport;
use berth::event::NullListener;
use berth::host::{Clock, Interrupt};
use berth::ledger::Estate;
use berth::ledger::store::MemoryStore;
use berth::ops::{self, Planned, Session};
use berth::plan::Adoption;
use berth::report::Style;
use berth::report::human;
use berth::sim::{CALLER_OBJECT_ID, Options, Simulator, Time};
use berth::state::Desired;
use serde_json::Value;
use std::sync::Arc;

/// A simulator with a ledger beside it.
pub struct Rehearsal {
    /// The simulator.
    pub simulator: Simulator,
    /// The session that talks to it.
    pub session: Session,
    /// What the blueprint takes from outside.
    pub inputs: Inputs,
}

impl Rehearsal {
    /// An empty subscription.
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    /// A subscription that behaves like this; its time is the test's.
    pub fn with(options: Options) -> Self {
        let clock = Clock::start(1.0);
        let simulator = Simulator::new(Options { time: Time::Host(clock.clone()), ..options });
        Self::on(simulator, clock)
    }

    fn on(simulator: Simulator, clock: Clock) -> Self {
        let token = Arc::new(StaticToken::new("simulator"));
        let transport = super::witness::watched(Arc::new(simulator.clone()));
        let client = Client::new(transport, token, clock.clone(), arm::Options::default());
        let engine = Engine {
            client,
            clock,
            store: Arc::new(MemoryStore::new()),
            listener: Arc::new(NullListener),
            interrupt: Interrupt::new(),
            parallelism: 64,
        };
        let caller =
            Caller { tenant_id: Some(simulator.tenant()), object_id: Some(CALLER_OBJECT_ID.to_owned()) };
        let estate =
            Estate { cloud: "simulator".to_owned(), tenant: Some(simulator.tenant()), ..Estate::default() };
        let inputs = Inputs {
            caller: Some(caller),
            subscription: Some(simulator.subscription()),
            missing: Missing::MakeUp,
            ..Inputs::default()
        };
        Rehearsal {
            simulator,
            session: Session {
                engine,
                reads: 64,
                targets: Vec::new(),
                reverts: Vec::new(),
                purge: false,
                environment: None,
                header: None,
                estate,
                move_ledger: false,
            },
            inputs,
        }
    }

    /// The same simulator, the ledger lost.
    pub fn without_ledger(&self) -> Self {
        Self::on(self.simulator.clone(), self.session.engine.clock.clone())
    }

    /// What a blueprint asks for; it must be valid.
    #[track_caller]
    pub fn desired(&self, text: &str) -> Desired {
        // As if it lay among the shipped ones, beside what those include.
        let name = super::root().join("blueprints/blueprint.yaml");
        let source = ops::parse(&name.to_string_lossy(), text.as_bytes()).map(|source| {
            source.with_includes(&|path| std::fs::read(path).map_err(|error| Failure::of(&error, None)))
        });
        match source.and_then(|source| ops::validate_source(&source, &self.inputs)) {
            Ok(blueprint) => blueprint.desired,
            Err(ops::Error::Blueprint(problems)) => {
                panic!("{}", human::diagnostics(&problems, &Style::plain(100)))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Plans.
    pub async fn plan(&self, text: &str) -> Planned {
        self.plan_with(text, Adoption::Refused).await
    }

    /// Plans, and says whether what nobody owns may be taken over.
    pub async fn plan_with(&self, text: &str, adoption: Adoption) -> Planned {
        ops::plan(&self.session, &self.desired(text), adoption).await.unwrap()
    }

    /// Applies, whatever comes of the steps.
    pub async fn try_apply(&self, text: &str, adoption: Adoption) -> Result<Applied, ops::Error> {
        let allowances = Allowances::default();
        let applied =
            ops::apply(&self.session, &self.desired(text), adoption, &allowances, |_, _| true).await?;
        Ok(applied.unwrap())
    }

    /// Applies; every step must succeed, and another plan be empty.
    pub async fn apply(&self, text: &str) -> Applied {
        let applied = self.try_apply(text, Adoption::Refused).await.unwrap();
        assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
        let planned = self.plan(text).await;
        assert!(
            planned.plan.is_empty(),
            "{}",
            human::plan(&planned.plan, &Default::default(), &Style::plain(100))
        );
        applied
    }

    /// Looks for drift.
    pub async fn drift(&self, text: &str) -> DriftReport {
        ops::drift(&self.session, &self.desired(text)).await.unwrap()
    }

    /// Deletes everything, protected or not.
    pub async fn destroy(&self, text: &str) -> Applied {
        let desired = self.desired(text);
        let all = desired.resources.iter().map(|resource| resource.address.to_string()).collect();
        let allowances = Allowances { delete: all, ..Allowances::default() };
        let applied =
            ops::destroy(&self.session, &desired.blueprint, &desired.existing(), &allowances, |_, _| true)
                .await
                .unwrap()
                .unwrap();
        assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
        applied
    }

    /// The ledger as it would be on the disk.
    pub async fn ledger(&self) -> Value {
        serde_json::to_value(self.session.engine.store.load().await.unwrap().ledger).unwrap()
    }
}
