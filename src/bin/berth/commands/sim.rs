//! `berth sim`

use crate::cli::{Global, SimCommand, SimState};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::host::Clock;
use berth::sim::{self, Simulator, Time};
use serde_json::Value;
use std::io::Read;
use std::time::Duration;

/// Serves the simulator, or looks into its store.
pub fn run(global: &Global, terminal: &Terminal, command: SimCommand) -> Exit {
    match carry_out(global, terminal, command) {
        Ok(()) => Exit::Done,
        Err(message) => terminal.fail(&message),
    }
}

fn open(state: &SimState, options: sim::Options) -> Result<Simulator, String> {
    Simulator::open(&state.state, options).map_err(|error| error.to_string())
}

fn peek(state: &SimState) -> Result<Simulator, String> {
    Simulator::peek(&state.state, sim::Options::default()).map_err(|error| error.to_string())
}

fn carry_out(global: &Global, terminal: &Terminal, command: SimCommand) -> Result<(), String> {
    match command {
        SimCommand::Serve { listen, speed, latency, state } => {
            crate::runtime::real(serve(global, terminal, listen, speed, latency, &state))
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
                std::io::stdin().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
                bytes
            } else {
                settings::read(&file)?
            };
            let resources: Vec<Value> = serde_json::from_slice(&bytes)
                .map_err(|error| format!("{}: it is no JSON list of resources: {error}", file.display()))?;
            let count = resources.len();
            let simulator = open(&state, sim::Options::default())?;
            simulator.load(resources).and_then(|()| simulator.save()).map_err(|error| error.to_string())?;
            terminal.say(&format!("Loaded {count} resources."));
            Ok(())
        }
        SimCommand::Reset { state } => {
            let simulator = open(&state, sim::Options::default())?;
            simulator.reset();
            simulator.save().map_err(|error| error.to_string())
        }
    }
}

async fn serve(
    global: &Global,
    terminal: &Terminal,
    listen: std::net::SocketAddr,
    speed: Option<f64>,
    latency: u64,
    state: &SimState,
) -> Result<(), String> {
    if !listen.ip().is_loopback() {
        return Err(format!(
            "{listen} can be reached from other machines, and the simulator asks nobody who they are\n\
             help: listen on 127.0.0.1"
        ));
    }
    let time = speed.map_or(Time::Jump, |speed| Time::Host(Clock::start(speed)));
    let options = sim::Options { time, latency: Duration::from_millis(latency), ..sim::Options::default() };
    let simulator = open(state, options)?;
    if let Some(path) = &global.faults {
        simulator.script(settings::faults(path)?);
    }
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}\nhelp: name another with `--listen`"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    // The address is the result: with port 0 nobody knows it otherwise.
    terminal.print(&format!("http://{address}\n"));
    terminal.say(&format!(
        "Subscription {} in tenant {}; state in {}. Ctrl-C ends.",
        simulator.subscription(),
        simulator.tenant(),
        state.state.display()
    ));
    let interrupt = berth::host::Interrupt::new();
    interrupt.listen();
    let shutdown = async move { interrupt.raised(1).await };
    sim::serve(simulator, listener, shutdown).await.map_err(|error| error.to_string())
}
