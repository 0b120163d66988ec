//! `berth sim`

use crate::cli::{Door, Global, SimCommand, SimState};
use crate::connect::TraceFile;
use crate::exit::Exit;
use crate::settings;
use crate::terminal::{Terminal, redactor, unwritable};
use berth::arm::{Exchange, Trace};
use berth::diag::Failure;
use berth::host::Clock;
use berth::host::files::write_output;
use berth::sim::{self, Recorder, Serving, SignIn, Simulator, Time, Tls};
use serde_json::Value;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// Serves the simulator, or looks into its store.
pub fn run(global: &Global, terminal: &Terminal, command: SimCommand) -> Exit {
    match carry_out(global, terminal, command) {
        Ok(()) => Exit::Done,
        Err(failure) => terminal.fail(&failure),
    }
}

/// An error that says all there is to say.
fn plain(error: impl std::fmt::Display) -> Failure {
    Failure::of(&error, None)
}

fn open(state: &SimState, options: sim::Options) -> Result<Simulator, Failure> {
    Simulator::open(&state.state, options).map_err(plain)
}

fn peek(state: &SimState) -> Result<Simulator, Failure> {
    Simulator::peek(&state.state, sim::Options::default()).map_err(plain)
}

fn carry_out(global: &Global, terminal: &Terminal, mut command: SimCommand) -> Result<(), Failure> {
    let (SimCommand::Serve { state, .. }
    | SimCommand::Show { state }
    | SimCommand::Export { state }
    | SimCommand::Load { state, .. }
    | SimCommand::Reset { state }) = &mut command;
    if let Some(file) = &global.sim {
        state.state.clone_from(file);
    }
    match command {
        SimCommand::Serve { listen, speed, door, state } => {
            crate::runtime::real(serve(global, terminal, listen, speed, door, &state))
        }
        SimCommand::Show { state } => {
            for resource in peek(&state)?.export() {
                let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
                terminal.print(&format!("{}\n", text("id")));
            }
            Ok(())
        }
        SimCommand::Export { state } => {
            let all = Value::Array(peek(&state)?.export());
            terminal.print(&berth::report::json::to_text(&all));
            Ok(())
        }
        SimCommand::Load { file, state } => {
            let bytes = if file.as_os_str() == "-" {
                let mut bytes = Vec::new();
                std::io::stdin().read_to_end(&mut bytes).map_err(plain)?;
                bytes
            } else {
                settings::read(&file)?
            };
            let resources: Vec<Value> = serde_json::from_slice(&bytes).map_err(|error| {
                let message = format!("{}: not a JSON list of resources: {error}", file.display());
                Failure::new(message, "`berth sim export` writes such a list")
            })?;
            let count = resources.len();
            let simulator = open(&state, sim::Options::default())?;
            simulator.load(resources).and_then(|()| simulator.save()).map_err(plain)?;
            terminal.say(&format!("Loaded {count} resources."));
            Ok(())
        }
        SimCommand::Reset { state } => {
            let simulator = open(&state, sim::Options::default())?;
            simulator.reset();
            simulator.save().map_err(plain)
        }
    }
}

async fn serve(
    global: &Global,
    terminal: &Terminal,
    listen: std::net::SocketAddr,
    speed: Option<f64>,
    door: Door,
    state: &SimState,
) -> Result<(), Failure> {
    if !listen.ip().is_loopback() {
        return Err(Failure::new(
            format!("the simulator does not authenticate callers, and other machines can reach {listen}"),
            "listen on 127.0.0.1",
        ));
    }
    let time = speed.map_or(Time::Jump, |speed| Time::Host(Clock::start(speed)));
    let options = sim::Options { time, throttling: global.limits.into(), ..sim::Options::default() };
    let simulator = open(state, options)?;
    simulator.read_only(door.reader);
    if let Some(path) = &global.faults {
        simulator.script(settings::faults(path)?);
    }
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(|error| {
        Failure::new(
            format!("cannot listen on {listen}: {error}"),
            "name another address or port with `--listen`",
        )
    })?;
    let address = listener.local_addr().map_err(plain)?;
    let serving = serving(&door, address.ip())?;
    let interrupt = berth::host::Interrupt::new();
    interrupt.listen();
    // The address is the result: with port 0 nobody knows it otherwise.
    let scheme = if door.tls { "https" } else { "http" };
    terminal.print(&format!("{scheme}://{address}\n"));
    terminal.say(&format!(
        "Subscription {} in tenant {}; state in {}. Ctrl-C ends.",
        simulator.subscription(),
        simulator.tenant(),
        state.state.display()
    ));
    if let Some(path) = &door.write_ca {
        terminal.say(&format!("Clients trust it by {}.", path.display()));
    }
    let shutdown = async move { interrupt.raised(1).await };
    sim::serve(simulator, listener, serving, shutdown).await.map_err(plain)
}

/// What the flags say about the door.
fn serving(door: &Door, listen: std::net::IpAddr) -> Result<Serving, Failure> {
    let tls = match door.tls {
        true => Some(Tls::new(listen, Clock::start(1.0).now()).map_err(plain)?),
        false => None,
    };
    if let (Some(tls), Some(path)) = (&tls, &door.write_ca) {
        write_output(path, tls.authority_pem().as_bytes())
            .map_err(|error| unwritable(path, &error, "--write-ca"))?;
    }
    door.sign_in.iter().flatten().for_each(|secret| redactor().learn(secret));
    settings::learn_named(&door.redact_env)?;
    let recorder = match &door.record {
        Some(path) => {
            let file = TraceFile::create(path, "--record", redactor())?;
            let record: Recorder = Arc::new(move |came, took, request, outcome| {
                file.record(&Exchange::new(came, took, 1, request, outcome));
            });
            Some(record)
        }
        None => None,
    };
    let sign_in = SignIn {
        required: door.sign_in.is_some(),
        secret: door.sign_in.clone().flatten(),
        lifetime: Duration::from_secs(door.token_lifetime),
        ..SignIn::default()
    };
    Ok(Serving { tls, sign_in, latency: Duration::from_millis(door.latency), recorder })
}
