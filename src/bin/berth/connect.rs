//! Wiring: a transport, a token, a clock, a ledger and a listener become a session.

use crate::cli::Global;
use crate::settings;
use crate::terminal::{self, Terminal, redactor};
use berth::apply::Engine;
use berth::arm::{self, Client, Exchange, Identity, StaticToken, TokenSource, Trace, Transport};
use berth::blueprint::{Caller, Inputs, Missing};
use berth::diag::Failure;
use berth::event::{Listener, NullListener};
use berth::host::{Clock, Interrupt};
use berth::ident::{Header, Owner};
use berth::ledger::store::{self, Access, Location, Store};
use berth::ops::{self, Session};
use berth::report::{json, progress};
use berth::sim::{self, HistoryDelay, Simulator};
use berth::state::Desired;
use berth::value::redact::Redactor;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A connection with Azure or the simulator.
pub struct Connection {
    client: Client,
    clock: Clock,
    simulator: Option<Simulator>,
    ledgers: (Location, Access),
    /// Who is signed in.
    pub caller: Option<Caller>,
    /// The same in words, when the token says it.
    signed_in: Option<String>,
}

/// Whether time is virtual: a simulator in this process that nobody told a speed.
pub fn is_virtual(global: &Global) -> bool {
    global.sim.is_some() && global.sim_speed.is_none()
}

/// Runs a future where its clock belongs.
pub fn run<T>(global: &Global, future: impl Future<Output = T>) -> T {
    if is_virtual(global) { crate::runtime::virtual_time(future) } else { crate::runtime::real(future) }
}

fn is_loopback(global: &Global) -> bool {
    global.endpoint.as_deref().is_some_and(arm::is_loopback)
}

/// Refuses flags that mean something only for the simulator in a run for Azure.
///
/// # Errors
/// When there is one.
pub fn expect_flags(global: &Global) -> Result<(), Failure> {
    if global.sim.is_some() {
        return Ok(());
    }
    if global.faults.is_some() {
        return Err(Failure::new(
            "`--faults` is for the simulator, and this run is for Azure",
            "add `--sim`, or start `berth sim serve` with it",
        ));
    }
    if global.sim_speed.is_some() && !is_loopback(global) {
        return Err(Failure::new(
            "`--sim-speed` is for the simulator, and this run is for Azure",
            "add `--sim`, or name a simulator on this machine with `--endpoint`",
        ));
    }
    Ok(())
}

/// Connects.
///
/// # Errors
/// When the simulator's file cannot be used, the trace file cannot be made, or signing in fails.
pub async fn connect(global: &Global, inputs: &Inputs) -> Result<Connection, Failure> {
    let clock = Clock::start(global.sim_speed.unwrap_or(1.0));
    let trace = match &global.trace_http {
        Some(path) => Some(Arc::new(TraceFile::create(path, "--trace-http", redactor())?) as Arc<dyn Trace>),
        None => None,
    };
    let settings = settings::auth(global)?;
    let mut options = arm::Options {
        endpoint: settings.cloud.endpoint().to_owned(),
        scope: settings.cloud.scope().to_owned(),
        max_in_flight: global.parallelism,
        trace,
        ..arm::Options::default()
    };
    settings::limit(&mut options)?;
    if let Some(path) = &global.sim {
        let simulator = Simulator::open(
            path,
            sim::Options {
                time: sim::Time::Host(clock.clone()),
                throttling: global.limits.into(),
                // Where nothing waits, the past shows at once too.
                history: if is_virtual(global) { HistoryDelay::None } else { HistoryDelay::Azure },
                ..Default::default()
            },
        )
        .map_err(|error| Failure::of(&error, None))?;
        if let Some(path) = &global.faults {
            simulator.script(settings::faults(path)?);
        }
        let transport: Arc<dyn Transport> = Arc::new(simulator.clone());
        let token: Arc<dyn TokenSource> = Arc::new(StaticToken::new("simulator"));
        let ledgers = settings::ledgers(global, token.clone(), clock.clone())?;
        let client = Client::new(transport, token, clock.clone(), options);
        let caller =
            Caller { tenant_id: Some(simulator.tenant()), object_id: Some(sim::CALLER_OBJECT_ID.to_owned()) };
        return Ok(Connection {
            client,
            clock,
            simulator: Some(simulator),
            ledgers,
            caller: Some(caller),
            signed_in: Some("not needed: the simulator accepts every request".to_owned()),
        });
    }
    expect_flags(global)?;
    let loopback = is_loopback(global);
    if let Some(endpoint) = &global.endpoint {
        options.endpoint = endpoint.trim_end_matches('/').to_owned();
    }
    if !arm::protects_tokens(&options.endpoint) {
        return Err(Failure::new(
            format!("cannot send a token to {}: it would travel unencrypted", options.endpoint),
            "write `--endpoint https://…`, or name an address of this machine",
        ));
    }
    let http = settings::transport(global)?;
    // A simulator on this machine asks for no sign-in, and a real token has no business there.
    let nobody = loopback && settings.method == arm::AuthMethod::Auto && settings.authority.is_none();
    let identity: Arc<dyn TokenSource> = Arc::new(Learning(Identity::new(settings, http.clone())));
    // The ledger's storage is never the simulator's: it takes a real token, and real time, whatever ARM's endpoint is.
    let ledgers = settings::ledgers(global, identity.clone(), Clock::start(1.0))?;
    let token: Arc<dyn TokenSource> = if nobody { Arc::new(StaticToken::new("simulator")) } else { identity };
    // What stays on this machine passes no proxy: it would see the token, and answer in Azure's name.
    let http = if loopback { settings::direct_transport(global)? } else { http };
    let client = Client::new(Arc::new(http), token, clock.clone(), options);
    let chosen = global.chosen.as_ref().and_then(|chosen| chosen.subscription.as_deref());
    let subscription = chosen.or_else(|| inputs.environment.get("AZURE_SUBSCRIPTION_ID").map(String::as_str));
    let caller = match ops::caller(&client, subscription).await {
        // The ledger may be of another subscription than the environment's: that is told first.
        Err(error) if chosen.is_some() && error.status == Some(404) => None,
        found => found.map_err(|error| Failure::of(&error, error.hint()))?,
    };
    // A token without the claim never gets it: the error has to come before anything is made.
    let caller = Some(caller.unwrap_or_default());
    let signed_in = match nobody {
        true => Some("not needed: an endpoint on this machine accepts every request".to_owned()),
        false => ops::signed_in(&client).await,
    };
    Ok(Connection { client, clock, simulator: None, ledgers, caller, signed_in })
}

/// The ledger of a blueprint, without a connection with Azure.
///
/// # Errors
/// When `--ledger` cannot be used.
pub fn ledger(global: &Global, owner: &Owner) -> Result<Arc<dyn Store>, Failure> {
    let token = Arc::new(Learning(Identity::new(settings::auth(global)?, settings::transport(global)?)));
    let (location, access) = settings::ledgers(global, token, Clock::start(1.0))?;
    location.open(&owner.file_stem(), &access).map_err(|error| Failure::of(&error, Some(error.hint())))
}

impl Connection {
    /// What the blueprint may take from this connection.
    pub fn fill(&self, inputs: &mut Inputs) {
        inputs.caller = self.caller.clone();
        if let Some(simulator) = &self.simulator {
            inputs.subscription = Some(simulator.subscription());
            inputs.missing = Missing::MakeUp;
        }
    }

    /// A session for a blueprint.
    ///
    /// # Errors
    /// When the settings of its ledger cannot be used.
    pub fn session(
        &self,
        global: &Global,
        owner: &Owner,
        listener: Arc<dyn Listener>,
    ) -> Result<Session, store::Error> {
        let (location, access) = &self.ledgers;
        let estate = settings::estate(global, self.caller.as_ref());
        let store = ops::sealed(location.open(&owner.file_stem(), access)?, redactor());
        let header = Header {
            blueprint: owner.blueprint.clone(),
            environment: owner.environment.clone(),
            azure: estate.cloud.clone(),
            tenant: estate.tenant.clone(),
            ledger: store.place(),
            caller: self.signed_in.clone(),
            ..Header::default()
        };
        Ok(Session {
            engine: Engine {
                client: self.client.clone(),
                clock: self.clock.clone(),
                store,
                listener,
                interrupt: Interrupt::new(),
                parallelism: global.parallelism,
            },
            reads: global.parallelism,
            targets: Vec::new(),
            reverts: Vec::new(),
            purge: false,
            environment: owner.environment.clone(),
            header: Some(header),
            estate,
            move_ledger: global.move_ledger,
        })
    }

    /// Who shows progress: bars on a terminal, plain lines otherwise, nobody when quiet.
    pub fn listener(&self, global: &Global, terminal: &Terminal) -> Arc<dyn Listener> {
        terminal.listening(self.shown(global, terminal))
    }

    fn shown(&self, global: &Global, terminal: &Terminal) -> Arc<dyn Listener> {
        if terminal.quiet {
            return Arc::new(NullListener);
        }
        if terminal.bars && !is_virtual(global) {
            let clock = self.clock.clone();
            let handle = tokio::runtime::Handle::current();
            let now: progress::Now = Arc::new(move || {
                let _guard = handle.enter();
                clock.now().0
            });
            let bars = Arc::new(progress::Bars::new(progress::target(), terminal.err, now));
            bars.keep_ticking(Duration::from_millis(200));
            return Arc::new(progress::Redacted::new(bars, redactor()));
        }
        let plain = progress::Plain::new(Box::new(terminal::stderr(terminal.err.color)), terminal.err);
        match &terminal.ci {
            Some(ci) => ci.grouped(Arc::new(plain)),
            None => Arc::new(plain),
        }
    }

    /// Has the simulator know the subscriptions of a blueprint: those that its entries name besides its own.
    pub fn know(&self, desired: &Desired) {
        let Some(simulator) = &self.simulator else { return };
        desired
            .resources
            .iter()
            .filter_map(|r| r.id.subscription())
            .for_each(|id| simulator.add_subscription(id));
    }

    /// Writes down what the simulator holds.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn close(&self) -> Result<(), Failure> {
        match &self.simulator {
            Some(simulator) => simulator.save().map_err(|error| Failure::of(&error, None)),
            None => Ok(()),
        }
    }
}

/// A file with every exchange as a line.
pub struct TraceFile {
    file: Mutex<File>,
    /// What it is called in an error.
    place: String,
    redactor: Redactor,
}

impl TraceFile {
    /// Creates the file that a flag names.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path, flag: &str, redactor: &Redactor) -> Result<Self, Failure> {
        let file = berth::host::files::create_private(path)
            .map_err(|error| terminal::unwritable(path, &error, flag))?;
        let place = format!("{} (`{flag}`)", path.display());
        Ok(TraceFile { file: Mutex::new(file), place, redactor: redactor.clone() })
    }
}

impl Trace for TraceFile {
    fn record(&self, exchange: &Exchange) {
        exchange.removed.expose().for_each(|secret| self.redactor.learn(secret));
        let Ok(mut exchange) = serde_json::to_value(exchange) else { return };
        self.redactor.value(&mut exchange);
        if let Ok(mut file) = self.file.lock()
            && let Err(error) = file.write_all(json::to_line(&exchange).as_bytes())
        {
            terminal::unwritten(&self.place, &error);
        }
    }
}

/// Tokens of which the redactor learns as soon as they are there.
struct Learning<S>(S);

#[async_trait::async_trait]
impl<S: TokenSource> TokenSource for Learning<S> {
    async fn token(&self, scope: &str) -> Result<arm::Token, arm::IdentityError> {
        let token = self.0.token(scope).await?;
        redactor().learn(token.secret());
        Ok(token)
    }
}
