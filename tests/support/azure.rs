//! An Azure of its own for a test: the simulator behind HTTPS, in this process, with a directory to sign in to.
//!
//! Faults can be scripted and exchanges are kept; what runs against it is the binary.

use super::Berth;
use berth::arm::transport::{Request, Response};
use berth::host::Clock;
use berth::sim::{Options, Serving, SignIn, Simulator, TENANT, Tls, serve};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The secret that applications sign in with.
pub const SECRET: &str = "the-secret";
/// The application that signs in.
pub const APPLICATION: &str = "a9911ca7-0000-4000-8000-000000000004";

/// The paths of the requests, and the bodies of those that asked for a token.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// A served simulator; it goes with this value.
pub struct Azure {
    /// The simulator, to script faults.
    pub simulator: Simulator,
    /// `https://127.0.0.1:PORT`.
    pub url: String,
    authority_pem: String,
    seen: Seen,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl Azure {
    /// One that takes one secret only.
    pub fn new() -> Self {
        Self::with(SignIn::default())
    }

    /// One whose directory behaves like this, except that it always asks for tokens.
    pub fn with(sign_in: SignIn) -> Self {
        let simulator = Simulator::new(Options::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, started) = std::sync::mpsc::channel();
        let seen = Seen::default();
        let (served, record) = (simulator.clone(), seen.clone());
        let server = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let tls = Tls::new(address.ip(), Clock::start(1.0).now()).unwrap();
                ready.send((address, tls.authority_pem().to_owned())).unwrap();
                let recorder = move |_, _, request: &Request, _: &Result<Response, _>| {
                    let path = request.path_and_query().split('?').next().unwrap().to_owned();
                    let body = String::from_utf8_lossy(&request.body).into_owned();
                    record.lock().unwrap().push((path, body));
                };
                let secret = sign_in.secret.clone().or_else(|| Some(SECRET.to_owned()));
                let sign_in = SignIn { required: true, secret, ..sign_in };
                let serving = Serving {
                    tls: Some(tls),
                    sign_in,
                    recorder: Some(Arc::new(recorder)),
                    ..Serving::default()
                };
                serve(served, listener, serving, async move { stopped.await.unwrap_or_default() })
                    .await
                    .unwrap();
            });
        });
        let (address, authority_pem) = started.recv().unwrap();
        let url = format!("https://{address}");
        Azure { simulator, url, authority_pem, seen, stop: Some(stop), server: Some(server) }
    }

    /// The bodies of the requests for tokens so far.
    pub fn token_requests(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(path, _)| path.ends_with("/token")).map(|(_, body)| body.clone()).collect()
    }

    /// The binary, told where this Azure is and whom to trust, with what the quickstart needs; nobody signs in yet.
    pub fn command<'a>(&self, berth: &Berth, args: impl IntoIterator<Item = &'a str>) -> Command {
        berth.write("ca.pem", self.authority_pem.as_bytes());
        let mut command = berth.command(args);
        command.args(["--endpoint", &self.url, "--authority", &self.url, "--ca-file", "ca.pem"]);
        command.env("AZURE_SUBSCRIPTION_ID", self.simulator.subscription());
        command.env("WINDOWS_ADMIN_PASSWORD", "Made-up-0!Made-up");
        command
    }

    /// The same, signed in as the application with its secret.
    pub fn signed_in<'a>(&self, berth: &Berth, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command(berth, args);
        application(&mut command).env("AZURE_CLIENT_SECRET", SECRET);
        command
    }
}

/// Tells a command who the application is.
pub fn application(command: &mut Command) -> &mut Command {
    command.env("AZURE_TENANT_ID", TENANT).env("AZURE_CLIENT_ID", APPLICATION)
}

impl Drop for Azure {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            let ended = server.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}
