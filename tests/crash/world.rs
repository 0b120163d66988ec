//! An Azure that goes on whatever becomes of berth: the simulator served from this process, which tells of every request.

use crate::support::Berth;
use berth::arm::transport::{Method, Request};
use berth::host::Clock;
use berth::sim::{Counters, Options, SUBSCRIPTION, Serving, Simulator, Time, Tls, serve};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// How much faster than real time berth's own waits are where Azure's time jumps.
const HURRY: &str = "100";

/// Somebody is told of a request, and the answer waits until they drop this.
type Held = Sender<()>;

/// Who is told of which request.
#[derive(Default)]
struct Watch {
    seen: u64,
    at: u64,
    watcher: Option<Sender<Held>>,
    writes: u64,
}

/// A served simulator; it goes with this value.
pub struct World {
    pub simulator: Simulator,
    url: String,
    speed: String,
    authority: Option<String>,
    watch: Arc<Mutex<Watch>>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

/// How a run ended that somebody wanted to kill.
#[derive(Debug, PartialEq)]
pub enum End {
    Killed,
    /// It was over before, with this exit code.
    Over(Option<i32>),
}

impl World {
    /// One whose time jumps, so that nothing waits.
    pub fn new() -> Self {
        Self::with(Time::Jump, HURRY, false)
    }

    /// One behind TLS whose time runs this much faster than Azure's.
    pub fn at_speed(speed: u32) -> Self {
        Self::with(Time::Host(Clock::start(f64::from(speed))), &speed.to_string(), true)
    }

    fn with(time: Time, speed: &str, secure: bool) -> Self {
        let simulator = Simulator::new(Options { time, ..Options::default() });
        let watch = Arc::new(Mutex::new(Watch::default()));
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, started) = channel();
        let (served, told) = (simulator.clone(), watch.clone());
        let server = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let tls = secure.then(|| Tls::new(address.ip(), Clock::start(1.0).now()).unwrap());
                let scheme = if secure { "https" } else { "http" };
                let authority = tls.as_ref().map(|tls| tls.authority_pem().to_owned());
                ready.send((format!("{scheme}://{address}"), authority)).unwrap();
                let recorder = move |_, _, request: &Request, _: &Result<_, _>| tell(&told, request);
                let serving = Serving { tls, recorder: Some(Arc::new(recorder)), ..Serving::default() };
                // A run that was killed may leave a connection open for a while: it is not waited for.
                tokio::select! {
                    ended = serve(served, listener, serving, std::future::pending()) => ended.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        let (url, authority) = started.recv().unwrap();
        let speed = speed.to_owned();
        World { simulator, url, speed, authority, watch, stop: Some(stop), server: Some(server) }
    }

    /// The binary, told where this world is, with what the quickstart needs.
    pub fn command(&self, berth: &Berth, verb: &str, more: &[&str]) -> Command {
        let mut command = berth.command([verb, "blueprint.yaml"]);
        command.args(["--endpoint", &self.url, "--sim-speed", &self.speed]).args(more);
        if let Some(authority) = &self.authority {
            berth.write("ca.pem", authority.as_bytes());
            command.args(["--ca-file", "ca.pem"]);
        }
        command.env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION);
        command.env("WINDOWS_ADMIN_PASSWORD", "Made-up-0!Made-up");
        command
    }

    /// Tells of the request that comes when so many have come from now on; there is one watcher at a time.
    pub fn watch(&self, request: u64) -> Receiver<Held> {
        let (sender, receiver) = channel();
        let mut watch = self.watch.lock().unwrap();
        (watch.seen, watch.at, watch.watcher) = (0, request, Some(sender));
        receiver
    }

    /// How many requests to change something have come.
    pub fn writes(&self) -> u64 {
        self.watch.lock().unwrap().writes
    }

    /// What was counted since the beginning.
    pub fn counters(&self) -> Counters {
        self.simulator.counters()
    }
}

/// Counts a request and tells the watcher, if it is the one; the answer waits for them.
fn tell(watch: &Mutex<Watch>, request: &Request) {
    let mut watch = watch.lock().unwrap();
    watch.seen += 1;
    watch.writes += u64::from(matches!(request.method, Method::Put | Method::Patch | Method::Delete));
    if watch.seen != watch.at {
        return;
    }
    let Some(watcher) = watch.watcher.take() else { return };
    drop(watch);
    let (held, free) = channel();
    if watcher.send(held).is_ok() {
        let _ = free.recv();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Nobody is told any more, so nobody is waited for.
        self.watch.lock().unwrap_or_else(std::sync::PoisonError::into_inner).watcher = None;
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            let ended = server.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}

/// Starts a run whose end nobody reads.
pub fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills a run once the watched request came and `later` passed; the answer of that request never arrives when
/// `later` is zero.
pub fn kill_at(mut child: Child, watched: &Receiver<Held>, later: Duration) -> End {
    let held = loop {
        match watched.recv_timeout(Duration::from_millis(2)) {
            Ok(held) => break held,
            Err(RecvTimeoutError::Disconnected) => return End::Over(child.wait().unwrap().code()),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = child.try_wait().unwrap() {
                    return End::Over(status.code());
                }
            }
        }
    };
    if !later.is_zero() {
        drop(held);
        // Nothing comes any more: this is the wait.
        let _ = watched.recv_timeout(later);
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    match status.code() {
        None => End::Killed,
        code => End::Over(code),
    }
}
