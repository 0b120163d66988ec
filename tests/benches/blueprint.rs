//! How long berth takes over large blueprints, and how much memory: `cargo bench`.
//!
//! Blueprints of 100, 1,000, 10,000 and 50,000 resources, about two references each, are made up, always the same ones. Each
//! command is measured as a person runs it, a whole process from start to exit: wall time as the median of five runs,
//! and the most memory that it held at once. The simulator in the process answers without delay.
//!
//! Then the simulator answers after 50 ms each, in virtual time, and says how often it was asked for a plan without a
//! change: that time over 50 ms is the number of round trips that a plan takes.
//!
//! Last, applies in simulated time within Azure's limits: how long they take beside what no schedule can beat, and beside
//! ten workers that take what comes first (`makespan`).
//!
//! `cargo bench -- 500 2000` measures other sizes, `cargo bench -- makespan` the simulated time alone. Blueprints and states stay in `target/tmp/bench`, to be profiled.

#[path = "../support/estate.rs"]
mod estate;
#[path = "makespan.rs"]
mod makespan;

use berth::apply::Engine;
use berth::arm::{self, Client, StaticToken};
use berth::blueprint::{Caller, Inputs, Missing};
use berth::event::NullListener;
use berth::host::{Clock, Interrupt};
use berth::ledger::store::{FileStore, Store};
use berth::ops::{self, Session};
use berth::plan::Adoption;
use berth::sim::{self, Simulator, Time};
use estate::blueprint;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How often each command is run; an apply, which is not idempotent, once.
const RUNS: usize = 5;

/// What another tool took for the same on a machine with two cores, told for scale.
const SCALE: &str = "\
For scale: Terraform 1.11 on a two-core machine takes 20 s and 1.7 GB to plan no change over 10,000 of its built-in
data resources, 18 s to draw their graph, and 10 s over 500 azapi resources on a local server.
Aims: start-up in 5 ms and 8 MB; no change over 10,000 resources in 0.4 s of processor time and 150 MB, 50,000 in 5.5
times that; validate 10,000 in 0.12 s; apply 10,000 in 2 s of processor time, with at most 1.2 requests a step; at most
1.05 times the bound in simulated time, and 2.5 times ahead of ten workers on the 50 clusters.";

#[expect(clippy::print_stdout, reason = "a benchmark says what it found")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [first, command @ ..] = arguments.as_slice()
        && first == "--measure"
    {
        println!("{}", measured(command));
        return ExitCode::SUCCESS;
    }
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let only_makespan = arguments.iter().any(|argument| argument == "makespan");
    if sizes.is_empty() && !only_makespan {
        sizes = vec![100, 1_000, 10_000, 50_000];
        match start_up() {
            Ok(line) => println!("{line}\n"),
            Err(error) => {
                println!("start-up: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    let played = sizes.len() > 3 || only_makespan;
    if !sizes.is_empty() {
        println!("{:>9}  {:<16} {:>10} {:>10} {:>10}", "resources", "command", "wall", "cpu", "memory");
    }
    for size in sizes {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench").join(size.to_string());
        if let Err(error) = bench(&folder, size) {
            println!("{size}: {error}");
            return ExitCode::FAILURE;
        }
    }
    if played && let Err(error) = makespans() {
        println!("{error}");
        return ExitCode::FAILURE;
    }
    println!("\n{SCALE}");
    ExitCode::SUCCESS
}

/// How long berth takes to do nothing, and what it holds: the size of the program is for scale.
fn start_up() -> std::io::Result<String> {
    let mut figures =
        (0..RUNS * 5).map(|_| run(&["--version"])).collect::<std::io::Result<Vec<Figures>>>()?;
    figures.sort_by_key(|figures| figures.wall);
    let Figures { wall, memory, .. } = figures[figures.len() / 2];
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_berth"))?.len();
    let (wall, memory, size) = (milliseconds(wall), memory as f64 / 1e6, size as f64 / 1e6);
    Ok(format!("start-up: {wall} ms, {memory:.1} MB; the program as it is built here: {size:.1} MB"))
}

/// Plays every blueprint in simulated time.
#[expect(clippy::print_stdout, reason = "a benchmark says what it found")]
fn makespans() -> Result<(), String> {
    println!(
        "\n{:<24} {:>6} {:>10} {:>10} {:>7} {:>10} {:>16} {:>9}",
        "apply, simulated time", "steps", "takes", "bound", "ratio", "plan said", "ten workers", "requests"
    );
    for (name, text) in makespan::blueprints().map_err(|error| error.to_string())? {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let played = runtime.map_err(|error| error.to_string())?.block_on(makespan::play(&name, &text));
        let played = played.map_err(|error| format!("{name}: {error}"))?;
        let seconds = |milliseconds: u64| format!("{:.0} s", milliseconds as f64 / 1000.0);
        let ratio = |of: u64, to: u64| of as f64 / to.max(1) as f64;
        println!(
            "{:<24} {:>6} {:>10} {:>10} {:>7.3} {:>10} {:>16} {:>9.2}",
            played.name,
            played.steps,
            seconds(played.makespan),
            seconds(played.bound),
            ratio(played.makespan, played.bound),
            seconds(played.estimate),
            format!("{} ({:.1} x)", seconds(played.first_come), ratio(played.first_come, played.makespan)),
            played.requests,
        );
    }
    Ok(())
}

/// Makes a blueprint up and measures every command on it.
#[expect(clippy::print_stdout, reason = "a benchmark says what it found")]
#[expect(clippy::disallowed_methods, reason = "a file of a benchmark may be torn")]
fn bench(folder: &Path, size: usize) -> std::io::Result<()> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    let path = folder.join("blueprint.yaml");
    std::fs::write(&path, blueprint(size))?;
    let path = path.display().to_string();
    let sim = format!("--sim={}", folder.join("sim.json").display());
    let commands: [(&str, usize, Vec<&str>); 4] = [
        ("validate", RUNS, vec!["validate", &path]),
        ("graph", RUNS, vec!["graph", &path]),
        ("apply, all new", 1, vec!["apply", &path, &sim, "--auto-approve", "-q"]),
        ("plan, no change", RUNS, vec!["plan", &path, &sim, "-q"]),
    ];
    for (name, runs, arguments) in commands {
        let mut figures = (0..runs).map(|_| run(&arguments)).collect::<std::io::Result<Vec<Figures>>>()?;
        figures.sort_by_key(|figures| figures.wall);
        let Figures { wall, cpu, memory } = figures[runs / 2];
        let (wall, cpu) = (milliseconds(wall), milliseconds(cpu));
        println!("{size:>9}  {name:<16} {wall:>7} ms {cpu:>7} ms {:>7} MB", memory / 1_000_000);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let (requests, waited) = runtime.block_on(asked(folder)).map_err(std::io::Error::other)?;
    let trips = waited.as_secs_f64() / LATENCY.as_secs_f64();
    println!("{size:>9}  plan at {} ms: {requests} requests in {trips:.0} round trips", LATENCY.as_millis());
    Ok(())
}

/// How long an answer takes when round trips are counted.
const LATENCY: Duration = Duration::from_millis(50);

/// A session with a simulator in this process, as the program makes it by default.
fn session(simulator: &Simulator, clock: &Clock, store: Arc<dyn Store>) -> Session {
    const AT_ONCE: usize = 64;
    let options = arm::Options { max_in_flight: AT_ONCE, ..arm::Options::default() };
    let token = Arc::new(StaticToken::new("simulator"));
    let client = Client::new(Arc::new(simulator.clone()), token, clock.clone(), options);
    let (listener, interrupt) = (Arc::new(NullListener), Interrupt::new());
    let engine = Engine { client, clock: clock.clone(), store, listener, interrupt, parallelism: AT_ONCE };
    Session {
        engine,
        reads: AT_ONCE,
        targets: Vec::new(),
        reverts: Vec::new(),
        purge: false,
        environment: None,
        header: None,
        estate: berth::ledger::Estate { cloud: "simulator".to_owned(), ..Default::default() },
        move_ledger: false,
    }
}

/// Plans what was applied in a folder: how many requests that took, and how long it waited for them.
async fn asked(folder: &Path) -> Result<(u64, Duration), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let clock = Clock::start(1.0);
    let options =
        sim::Options { time: Time::Host(clock.clone()), latency: LATENCY, ..sim::Options::default() };
    let state = folder.join("sim.json");
    let simulator = Simulator::peek(&state, options).map_err(|error| told(&error))?;
    let object_id = Some(sim::CALLER_OBJECT_ID.to_owned());
    let inputs = Inputs {
        caller: Some(Caller { tenant_id: Some(simulator.tenant()), object_id }),
        subscription: Some(simulator.subscription()),
        missing: Missing::MakeUp,
        ..Inputs::default()
    };
    let text = std::fs::read(folder.join("blueprint.yaml")).map_err(|error| told(&error))?;
    let blueprint = ops::validate("blueprint.yaml", &text, &inputs).map_err(|error| told(&error))?;
    let mut ledgers = state.into_os_string();
    ledgers.push(".ledgers");
    let store = FileStore::new(&PathBuf::from(ledgers), &blueprint.desired.blueprint);
    let session = session(&simulator, &clock, Arc::new(store));
    let started = clock.elapsed();
    let planned = ops::plan(&session, &blueprint.desired, Adoption::Refused).await;
    let planned = planned.map_err(|error| told(&error))?;
    if !planned.plan.is_empty() {
        return Err("the plan is not empty".to_owned());
    }
    Ok((simulator.counters().requests.values().sum(), clock.elapsed() - started))
}

/// What a process took.
#[derive(Debug, Clone, Copy)]
struct Figures {
    wall: Duration,
    /// Processor time, the system's included.
    cpu: Duration,
    /// Most bytes in memory at once.
    memory: u64,
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1000.0)
}

/// Measures berth from a process of its own: what the system says of children is told of all of them together.
fn run(arguments: &[&str]) -> std::io::Result<Figures> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--measure")
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    match [numbers.next(), numbers.next(), numbers.next(), numbers.next()] {
        [Some(Ok(0)), Some(Ok(wall)), Some(Ok(cpu)), Some(Ok(memory))] => {
            Ok(Figures { wall: Duration::from_micros(wall), cpu: Duration::from_micros(cpu), memory })
        }
        _ => Err(std::io::Error::other(format!("berth {} did not end well: {text}", arguments.join(" ")))),
    }
}

/// Runs berth once: its exit status, microseconds of wall and processor time, bytes of memory.
#[expect(clippy::disallowed_methods, reason = "the time that is measured is the real one")]
fn measured(arguments: &[String]) -> String {
    let started = std::time::Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_berth"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    let wall = started.elapsed().as_micros();
    match status {
        Ok(status) => {
            let (cpu, memory) = usage();
            format!("{} {wall} {cpu} {memory}", status.code().unwrap_or(-1))
        }
        Err(error) => error.to_string(),
    }
}

/// Microseconds of processor time and most bytes of memory of the children of this process.
#[cfg(unix)]
fn usage() -> (u128, u64) {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return (0, 0) };
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    (cpu.unsigned_abs().into(), usage.max_rss().unsigned_abs() * unit)
}

#[cfg(not(unix))]
fn usage() -> (u128, u64) {
    (0, 0)
}
