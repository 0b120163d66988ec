//! A served simulator, an az that is signed in to it, and berth beside them.

use crate::support::{APPLICATION, Berth, Run, SECRET, Server, application};
use berth::sim::{SUBSCRIPTION, TENANT};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// One of each.
pub struct Session {
    az: PathBuf,
    server: Server,
    /// The folder of this session: az keeps its configuration there, berth its ledger.
    pub berth: Berth,
}

impl Session {
    /// Serves a simulator and signs az in; `None`, and a line about it, when nobody says where az is.
    #[expect(clippy::disallowed_methods, reason = "a suite is told by its environment where az is")]
    pub fn start(test: &str) -> Option<Self> {
        let Some(az) = std::env::var_os("BERTH_AZ") else {
            println!("{test}: skipped, as BERTH_AZ names no Azure CLI");
            return None;
        };
        let berth = Berth::new();
        let serve = ["sim", "serve", "--listen", "127.0.0.1:0", "--tls", "--write-ca", "ca.pem"];
        let sign_in = format!("--sign-in={SECRET}");
        let server = Server::start(berth.command(serve.into_iter().chain([sign_in.as_str()])));
        let session = Session { az: az.into(), server, berth };
        let url = session.server.url.clone();
        session.az(&format!("cloud register --name berth --endpoint-resource-manager {url}"));
        session.az("cloud set --name berth");
        session.login(APPLICATION, SECRET).succeeds("login");
        Some(session)
    }

    /// `az login` as an application.
    pub fn login(&self, application: &str, secret: &str) -> Told {
        let words = ["login", "--service-principal", "--username", application, "--password", secret];
        let words: Vec<String> = words.into_iter().chain(["--tenant", TENANT]).map(str::to_owned).collect();
        Told(self.command(&words).output().unwrap())
    }

    /// Runs az, which must succeed: its JSON, or null when it says nothing. Words are parted by spaces, unless quoted.
    #[track_caller]
    pub fn az(&self, line: &str) -> Value {
        let words = words(line);
        Told(self.command(&words).output().unwrap()).succeeds(line)
    }

    /// Registers providers. Asking about one brings the end of its registration about.
    #[track_caller]
    pub fn register(&self, namespaces: &[&str]) {
        for namespace in namespaces {
            self.az(&format!("provider register --namespace {namespace}"));
            self.az(&format!("provider show --namespace {namespace}"));
        }
    }

    /// Runs az, which must end with this exit code: what it complains about.
    #[track_caller]
    pub fn az_fails(&self, code: i32, line: &str) -> String {
        let words = words(line);
        Told(self.command(&words).output().unwrap()).fails(code, line)
    }

    /// Runs berth, signed in as the same application.
    pub fn run(&self, args: &[&str]) -> Run {
        let mut command = self.berth.command(args.iter().copied());
        command.args(["--endpoint", &self.server.url, "--authority", &self.server.url]);
        command.args(["--ca-file", "ca.pem"]);
        command.env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION).env("WINDOWS_ADMIN_PASSWORD", "Made-up-0!Made-up");
        application(&mut command).env("AZURE_CLIENT_SECRET", SECRET);
        Run::of(args, command.output().unwrap())
    }

    /// Runs berth, signed in as az is.
    pub fn run_as_az(&self, args: &[&str]) -> Run {
        let mut command = self.berth.command(args.iter().copied());
        command.args(["--endpoint", &self.server.url, "--ca-file", "ca.pem", "--auth", "azure-cli"]);
        let folder = self.az.parent().unwrap_or(Path::new("/usr/bin")).display().to_string();
        command.env("PATH", format!("{folder}:/usr/bin:/bin"));
        command.env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION).env("WINDOWS_ADMIN_PASSWORD", "Made-up-0!Made-up");
        self.settings(&mut command);
        Run::of(args, command.output().unwrap())
    }

    fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(&self.az);
        command.args(words).env_clear().stdin(Stdio::null());
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.berth.path("."));
        command.current_dir(self.berth.path("."));
        self.settings(&mut command);
        command
    }

    /// What az is told by its environment.
    fn settings(&self, command: &mut Command) {
        command.env("AZURE_CONFIG_DIR", self.berth.path("az"));
        command.env("REQUESTS_CA_BUNDLE", self.berth.path("ca.pem"));
        command.env("AZURE_CORE_INSTANCE_DISCOVERY", "false");
        command.env("AZURE_CORE_COLLECT_TELEMETRY", "false").env("AZURE_CORE_SURVEY_MESSAGE", "false");
        command.env("AZURE_CORE_ONLY_SHOW_ERRORS", "true").env("AZURE_CORE_NO_COLOR", "true");
        command.env("AZURE_EXTENSION_USE_DYNAMIC_INSTALL", "no");
    }
}

/// What az said.
pub struct Told(Output);

impl Told {
    #[track_caller]
    pub fn succeeds(self, line: &str) -> Value {
        let Output { status, stdout, stderr } = self.0;
        assert!(status.success(), "az {line}: {status}\n{}", String::from_utf8_lossy(&stderr));
        match stdout.trim_ascii() {
            b"" => Value::Null,
            text => serde_json::from_slice(text).unwrap_or_else(|error| panic!("az {line}: {error}")),
        }
    }

    #[track_caller]
    pub fn fails(self, code: i32, line: &str) -> String {
        let Output { status, stdout, stderr } = self.0;
        let complaint = String::from_utf8_lossy(&stderr).into_owned();
        let said = String::from_utf8_lossy(&stdout);
        assert_eq!(status.code(), Some(code), "az {line}: {said}{complaint}");
        complaint
    }
}

/// Words as a shell would part them, with single quotes only.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Checks values by JSON pointer.
#[track_caller]
pub fn has(found: &Value, expected: &[(&str, Value)]) {
    for (pointer, value) in expected {
        assert_eq!(found.pointer(pointer), Some(value), "{pointer} of {found:#}");
    }
}

/// The text at a JSON pointer.
#[track_caller]
pub fn text<'v>(found: &'v Value, pointer: &str) -> &'v str {
    found.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} of {found:#}"))
}

/// The names in a list, sorted.
#[track_caller]
pub fn names(found: &Value) -> Vec<&str> {
    let items = found.as_array().unwrap_or_else(|| panic!("no list: {found:#}"));
    let mut names: Vec<&str> = items.iter().map(|item| text(item, "/name")).collect();
    names.sort_unstable();
    names
}
