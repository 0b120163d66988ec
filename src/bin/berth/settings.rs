//! What comes from the environment and from files that arguments name. The only place that reads the environment.

use crate::ci::{Ci, Places};
use crate::cli::{CiChoice, Global};
use crate::terminal::redactor;
use berth::arm::{AuthMethod, AuthSettings, Cloud, HttpTransport, Limits, Options, Proxies, TokenSource};
use berth::blueprint::{Caller, Environment, Inputs, Opened, Source, side_file};
use berth::diag::{Diagnostics, Failure};
use berth::host::Clock;
use berth::host::files::read_if_exists;
use berth::ledger::Estate;
use berth::ledger::store::{Access, Holder, Location};
use berth::report::ci::System;
use berth::report::{Style, human};
use berth::sim::FaultScript;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// A file that is larger is not a blueprint.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Where the trace of a run goes.
#[cfg(feature = "otlp")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceTarget {
    /// The URL that takes it.
    pub url: String,
    /// What goes along, such as a key.
    pub headers: Vec<(String, String)>,
    /// The trace that the run is within: `TRACEPARENT`.
    pub parent: Option<String>,
}

/// Where the trace of a run goes, as OpenTelemetry's variables say; nowhere when they do not.
#[cfg(feature = "otlp")]
pub fn traces() -> Option<TraceTarget> {
    let environment = environment();
    let said = |name: &str| environment.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let is_off = said("OTEL_SDK_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true"))
        || said("OTEL_TRACES_EXPORTER") == Some("none");
    if is_off {
        return None;
    }
    let url = match said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        Some(url) => url.to_owned(),
        None => format!("{}/v1/traces", said("OTEL_EXPORTER_OTLP_ENDPOINT")?.trim_end_matches('/')),
    };
    let headers = said("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or(said("OTEL_EXPORTER_OTLP_HEADERS"));
    let headers = headers.unwrap_or_default().split(',').filter_map(|pair| pair.split_once('='));
    let headers = headers.map(|(name, value)| {
        redactor().learn(value.trim());
        (name.trim().to_ascii_lowercase(), value.trim().replace("%20", " "))
    });
    let headers = headers.filter(|(name, _)| !name.is_empty()).collect();
    Some(TraceTarget { url, headers, parent: said("TRACEPARENT").map(str::to_owned) })
}

/// The environment, as far as it is text.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Learns what the environment says and is secret by its name or its shape: sign-in, keys of ledgers, passwords of
/// proxies.
pub fn learn_environment() {
    const WORDS: &[&str] =
        &["secret", "password", "accesstoken", "access_key", "account_key", "sas_token", "connection_string"];
    const SAFE: &[&str] = &["_file", "_path", "_id", "_url", "_uri"];
    for (name, value) in environment() {
        let name = name.to_ascii_lowercase();
        let berths = ["azure_", "aws_", "google_", "system_", "berth_", "identity_", "actions_", "arm_"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let secret = WORDS.iter().any(|word| name.contains(word))
            || name.ends_with("_token")
            || name.ends_with("_header");
        if berths && secret && !SAFE.iter().any(|end| name.ends_with(end)) {
            redactor().learn(&value);
        }
        redactor().learn_urls(&Value::String(value));
    }
}

/// Learns the values of environment variables that a person names.
///
/// # Errors
/// When there is no such variable.
pub fn learn_named(names: &[String]) -> Result<(), Failure> {
    let environment = environment();
    for name in names {
        match environment.get(name) {
            Some(value) => redactor().learn(value),
            None => {
                return Err(Failure::new(
                    format!("the environment has no variable `{name}`, which `--redact-env` names"),
                    "set it to the secret that is to be kept out of the record",
                ));
            }
        }
    }
    Ok(())
}

/// Arms the process to die, when a test of berth asks for that.
///
/// Only in builds for development: no variable makes a release die.
pub fn crash() {
    if cfg!(debug_assertions) {
        let at = environment().get("BERTH_CRASH_AT").and_then(|at| at.parse().ok());
        berth::host::crash::arm(at.unwrap_or(0));
    }
}

/// The build server, as `--ci` and the environment say.
pub fn ci(choice: CiChoice) -> Option<Ci> {
    let environment = environment();
    let path = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let system = match choice {
        CiChoice::Auto => System::detect(&environment)?,
        CiChoice::AzureDevops => System::AzureDevops,
        CiChoice::Github => System::Github,
        CiChoice::Gitlab => System::Gitlab,
        CiChoice::None => return None,
    };
    let root = match system {
        System::AzureDevops => "BUILD_SOURCESDIRECTORY",
        System::Github => "GITHUB_WORKSPACE",
        System::Gitlab => "CI_PROJECT_DIR",
    };
    let places = Places {
        root: path(root),
        temporary: path("AGENT_TEMPDIRECTORY").unwrap_or_else(std::env::temp_dir),
        outputs: path("GITHUB_OUTPUT"),
        summary: path("GITHUB_STEP_SUMMARY"),
    };
    Some(Ci::new(system, places))
}

/// Sends the log of what happens inside to standard error, coloured or not.
pub fn log(verbose: u8, color: bool) {
    let targets = match verbose {
        0 => return,
        1 => Targets::new().with_target("berth", Level::INFO),
        2 => Targets::new().with_target("berth", Level::DEBUG),
        _ => Targets::new().with_default(Level::TRACE),
    };
    let log = tracing_subscriber::fmt::layer().with_ansi(color);
    let log = log.with_writer(move || crate::terminal::stderr(color));
    tracing_subscriber::registry().with(log.with_filter(targets)).init();
}

/// Reads a file; a pipe does as well.
///
/// # Errors
/// When there is no such file, or it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    match path.as_os_str() == "-" {
        true => read_all(path, std::io::stdin().lock(), 0),
        false => read_file(path),
    }
}

/// [`read`] of a file and nothing else.
fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |why: &str, help: &str| Err(Failure::new(format!("{}: {why}", path.display()), help));
    if path.is_dir() {
        return fail("this is a folder", "name a file in it");
    }
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return fail("there is no such file", "check the path");
        }
        Err(error) => return fail(&error.to_string(), "check the path and its permissions"),
    };
    content(path, file)
}

fn content(path: &Path, file: std::fs::File) -> Result<Vec<u8>, Failure> {
    // What is not a file of the disk says nothing of its length.
    let length = file.metadata().map_or(0, |metadata| metadata.len().min(LARGEST));
    read_all(path, file, length)
}

fn read_all(path: &Path, from: impl Read, length: u64) -> Result<Vec<u8>, Failure> {
    let fail = |why: &str, help: &str| Err(Failure::new(format!("{}: {why}", path.display()), help));
    // What grows by doubling would be copied, and hold twice as much.
    let mut bytes = Vec::with_capacity(length as usize + 1);
    match from.take(LARGEST + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 <= LARGEST => Ok(bytes),
        Ok(_) => {
            fail("it is larger than 256 MiB", "this limit is fixed: name a smaller file, or split this one")
        }
        Err(error) => fail(&error.to_string(), "check the path and its permissions"),
    }
}

/// Reads a file that a blueprint or, with a folder that it must lie below, a module includes.
///
/// What counts is the file that was opened: it is looked up again afterwards, so that no link that is exchanged meanwhile
/// leads elsewhere.
///
/// # Errors
/// When there is no such file, it cannot be read, or it lies elsewhere.
pub fn open_include(path: &Path, within: Option<&Path>) -> Result<Opened, Failure> {
    let fail = |why: &str, help: &str| Err(Failure::new(format!("{}: {why}", path.display()), help));
    let Some(within) = within else {
        let bytes = read_file(path)?;
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        return Ok(Opened { bytes, folder: real.parent().unwrap_or(Path::new("")).to_owned() });
    };
    // A pipe would be waited for.
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return fail("it is not a file", "a module includes files"),
        Ok(_) => {}
        Err(_) => return read(path).and_then(|_| fail("it came while berth looked for it", "run again")),
    }
    let opened = std::fs::File::open(path).and_then(|file| Ok((std::fs::canonicalize(path)?, file)));
    let (real, file) = match opened {
        Ok(opened) => opened,
        Err(error) => return fail(&error.to_string(), "check the path and its permissions"),
    };
    if !real.starts_with(within) {
        return fail(
            "it is a link that leads out of the folder of the module that includes it",
            "a module includes only what really lies below its own folder: put a copy of the file there",
        );
    }
    match is_at(&file, &real) {
        true => Ok(Opened {
            bytes: content(path, file)?,
            folder: real.parent().unwrap_or(Path::new("")).to_owned(),
        }),
        false => fail("it was exchanged while berth read it", "run again when nothing writes there any more"),
    }
}

/// Whether an open file is the one at a path.
fn is_at(file: &std::fs::File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (Ok(open), Ok(there)) = (file.metadata(), std::fs::symlink_metadata(path)) else { return false };
        open.is_file() && (open.dev(), open.ino()) == (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        file.metadata().is_ok_and(|open| open.is_file())
    }
}

/// Reads a file of scripted faults.
///
/// # Errors
/// What is wrong with it, rendered without colour.
pub fn faults(path: &Path) -> Result<FaultScript, Failure> {
    let bytes = read(path)?;
    side_file(&path.display().to_string(), &bytes).map_err(|problems| {
        let all = human::diagnostics(&problems, &Style::plain(100));
        Failure::bare(format!("the faults cannot be used\n\n{}", all.trim_end()))
    })
}

/// The names of the files in a folder; none when it cannot be read.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The options of a run for a blueprint, with what the file of its environment says.
///
/// # Errors
/// That there is no such environment, or what is wrong with its file or beside it.
pub fn with_environment(global: &Global, blueprint: &Path) -> Result<Global, Diagnostics> {
    let Some(name) = &global.environment else { return Ok(global.clone()) };
    let read = |path: &Path| match read_if_exists(path) {
        Ok(Some(bytes)) if bytes.len() as u64 > LARGEST => {
            Err(std::io::Error::other("it is larger than 256 MiB, a limit that is fixed"))
        }
        other => other,
    };
    let chosen = Environment::find(blueprint, name, read, names_in)?;
    within(global, chosen)
}

/// The same for an environment that was read already.
///
/// # Errors
/// When a flag says something else than the environment.
pub fn within(global: &Global, chosen: Environment) -> Result<Global, Diagnostics> {
    if let (Some(given), Some(own)) = (&global.cloud, &chosen.cloud)
        && !given.eq_ignore_ascii_case(own)
        && global.sim.is_none()
    {
        return Err(chosen
            .other("cloud", own, given, "leave out `--cloud`, or name another environment")
            .into());
    }
    Ok(Global { environment: Some(chosen.name.clone()), chosen: Some(Arc::new(chosen)), ..global.clone() })
}

/// The names of the environments beside a blueprint.
pub fn environments_beside(blueprint: &Path) -> Vec<String> {
    Environment::beside(blueprint, names_in)
}

/// Parameters and environment for a blueprint.
///
/// # Errors
/// When an argument or a values file cannot be used.
pub fn inputs(global: &Global) -> Result<Inputs, Failure> {
    let mut parameters = BTreeMap::new();
    let mut values = Vec::new();
    for path in &global.values {
        let name = path.display().to_string();
        let file = match Source::parse(&name, &read(path)?) {
            Ok(file) => file,
            Err(problem) if *problem.code == berth::blueprint::EMPTY => continue,
            Err(problem) => {
                let place = problem.span.map_or(name, |span| span.to_string());
                let help = problem.help.unwrap_or_else(|| "write `name: value` lines".to_owned());
                return Err(Failure::new(format!("{place}: {}", problem.message), help));
            }
        };
        if !file.tree.is_object() {
            return Err(Failure::new(
                format!("{name}: it is not a YAML mapping"),
                "write `name: value` lines",
            ));
        }
        values.push(Arc::new(file.without_excerpts()));
    }
    for param in &global.params {
        let Some((name, value)) = param.split_once('=') else {
            // What it says may be the value, and that a secret.
            return Err(Failure::new("`-p` gives no name, or no value", "write `-p NAME=VALUE`"));
        };
        parameters.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    Ok(Inputs {
        parameters,
        values,
        environment: environment(),
        chosen: global.chosen.clone(),
        redactor: redactor().clone(),
        ..Inputs::default()
    })
}

/// Where the ledgers are, and what opening them takes.
///
/// # Errors
/// When `--ledger` or `BERTH_LEDGER` names no place.
pub fn ledgers(
    global: &Global,
    token: Arc<dyn TokenSource>,
    clock: Clock,
) -> Result<(Location, Access), Failure> {
    let environment = environment();
    let get = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
    let location = match &global.sim {
        // The simulator has ledgers of its own: a rehearsal never touches the real ones.
        Some(path) => {
            let mut ledgers = path.clone().into_os_string();
            ledgers.push(".ledgers");
            Location::Rehearsal(PathBuf::from(ledgers))
        }
        None => {
            let chosen = global.chosen.as_ref().and_then(|chosen| chosen.ledger.clone());
            let said = [("--ledger", global.ledger.clone()), ("the environment's ledger", chosen)];
            let said = said.into_iter().chain([("BERTH_LEDGER", get("BERTH_LEDGER"))]);
            match said.into_iter().find_map(|(name, text)| Some((name, text?))) {
                Some((name, text)) => parse_location(name, &text)?,
                None => Location::Folder(PathBuf::from(".berth/ledgers")),
            }
        }
    };
    let host = get("HOSTNAME").or_else(|| get("COMPUTERNAME")).or_else(|| {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        Some(name.trim().to_owned())
    });
    let job = get("BUILD_BUILDNUMBER")
        .map(|number| format!("Azure Pipelines run {number}"))
        .or_else(|| get("GITHUB_RUN_ID").map(|id| format!("GitHub Actions run {id}")));
    let user = get("USER").or_else(|| get("USERNAME"));
    let holder = Holder::this(host.unwrap_or_else(|| "an unnamed machine".to_owned()), user, job);
    let cloud = auth(global)?.cloud;
    let lease = Duration::from_secs(global.ledger_lease);
    Ok((location, Access { token, cloud, environment, clock, holder, lease }))
}

fn parse_location(name: &str, text: &str) -> Result<Location, Failure> {
    text.parse().map_err(|error| Failure::bare(format!("{name} cannot be used: {error}")))
}

/// How to sign in.
///
/// # Errors
/// When a cloud or a way to sign in has another name than the one given.
pub fn auth(global: &Global) -> Result<AuthSettings, Failure> {
    let cloud = Cloud::from_str(global.cloud()).map_err(|error| {
        let known: Vec<&str> = Cloud::ALL.iter().map(|cloud| cloud.as_str()).collect();
        Failure::new(error.to_string(), format!("there are: {}", known.join(", ")))
    })?;
    let method = AuthMethod::from_str(&global.auth).map_err(|error| {
        let known: Vec<&str> = AuthMethod::ALL.iter().map(|method| method.as_str()).collect();
        Failure::new(error.to_string(), format!("there are: {}", known.join(", ")))
    })?;
    let environment = environment();
    let get = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
    let authority = global.authority.clone().or_else(|| get("AZURE_AUTHORITY_HOST"));
    if let Some(authority) = &authority
        && !authority.to_ascii_lowercase().starts_with("https://")
    {
        return Err(Failure::new(
            format!("cannot sign in at {authority}: secrets travel by HTTPS only"),
            "write `--authority https://…`, or correct AZURE_AUTHORITY_HOST",
        ));
    }
    Ok(AuthSettings {
        method,
        cloud,
        authority,
        tenant_id: get("AZURE_TENANT_ID").or_else(|| get("AZURESUBSCRIPTION_TENANT_ID")),
        client_id: get("AZURE_CLIENT_ID").or_else(|| get("AZURESUBSCRIPTION_CLIENT_ID")),
        client_secret: get("AZURE_CLIENT_SECRET").map(Into::into),
        client_certificate: get("AZURE_CLIENT_CERTIFICATE_PATH").map(Into::into),
        service_connection_id: get("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"),
        system_access_token: get("SYSTEM_ACCESSTOKEN").map(Into::into),
        oidc_request_uri: get("SYSTEM_OIDCREQUESTURI"),
        federated_token_file: get("AZURE_FEDERATED_TOKEN_FILE").map(Into::into),
        managed_identity_endpoint: get("IDENTITY_ENDPOINT"),
        subscription: get("AZURE_SUBSCRIPTION_ID"),
    })
}

/// HTTP that trusts the machine's authorities and those of `--ca-file` and `BERTH_CA_FILE`.
///
/// # Errors
/// When a file holds no certificates, or this machine cannot speak HTTPS.
pub fn transport(global: &Global) -> Result<HttpTransport, Failure> {
    transport_by(global, Proxies::Environment)
}

/// The same for an address of this machine: past every proxy.
///
/// # Errors
/// As [`transport`].
pub fn direct_transport(global: &Global) -> Result<HttpTransport, Failure> {
    transport_by(global, Proxies::None)
}

/// How much memory policies may take, in bytes: `BERTH_POLICY_MIB`.
pub fn policy_memory() -> Result<u64, Failure> {
    Ok(u64::from(number("BERTH_POLICY_MIB")?.unwrap_or(512)) << 20)
}

/// How much memory reading and evaluating a blueprint may take, in bytes: `BERTH_BLUEPRINT_MIB`.
pub fn blueprint_memory() -> Result<u64, Failure> {
    Ok(u64::from(number("BERTH_BLUEPRINT_MIB")?.unwrap_or(4096)) << 20)
}

/// Which Azure a run is for: a cloud, the simulator, or the host of an endpoint that was named.
pub fn target(global: &Global) -> String {
    match (&global.sim, &global.endpoint) {
        (Some(_), _) => "simulator".to_owned(),
        (None, Some(endpoint)) if berth::arm::is_loopback(endpoint) => "loopback".to_owned(),
        (None, Some(endpoint)) => {
            let rest = endpoint.split("://").last().unwrap_or_default();
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            // What is before the host may be a password.
            authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase()
        }
        (None, None) => global.cloud().to_ascii_lowercase(),
    }
}

/// Where a run works. The subscription is the environment's; a blueprint has its own.
pub fn estate(global: &Global, caller: Option<&Caller>) -> Estate {
    let chosen = global.chosen.as_ref().filter(|_| global.sim.is_none());
    Estate {
        cloud: target(global),
        tenant: caller.and_then(|caller| caller.tenant_id.clone()),
        subscription: chosen.and_then(|chosen| chosen.subscription.clone()),
        ..Estate::default()
    }
}

/// A whole number above 0 out of a variable.
fn number(name: &str) -> Result<Option<u32>, Failure> {
    match environment().get(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => match text.parse::<u32>() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(Failure::new(format!("{name} is `{text}`"), "write a whole number above 0")),
        },
    }
}

/// How much of an answer is taken: `BERTH_MAX_ANSWER_MIB`, `BERTH_MAX_ANSWER_SECONDS`.
fn limits() -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    if let Some(mebibytes) = number("BERTH_MAX_ANSWER_MIB")? {
        limits.bytes = (mebibytes as usize) << 20;
    }
    if let Some(seconds) = number("BERTH_MAX_ANSWER_SECONDS")? {
        limits.time = Duration::from_secs(seconds.into());
    }
    Ok(limits)
}

/// How long lists may be and how long Azure may ask to wait: `BERTH_MAX_PAGES`, `BERTH_MAX_WAIT_SECONDS`.
///
/// # Errors
/// When one of them is not a number.
pub fn limit(options: &mut Options) -> Result<(), Failure> {
    if let Some(pages) = number("BERTH_MAX_PAGES")? {
        options.max_pages = pages as usize;
    }
    if let Some(seconds) = number("BERTH_MAX_WAIT_SECONDS")? {
        options.retry.longest_retry_after = Duration::from_secs(seconds.into());
    }
    Ok(())
}

fn transport_by(global: &Global, proxies: Proxies) -> Result<HttpTransport, Failure> {
    let mut paths = global.ca_file.clone();
    if let Some(list) = environment().get("BERTH_CA_FILE").filter(|list| !list.is_empty()) {
        paths.extend(std::env::split_paths(list));
    }
    let mut files = Vec::new();
    for path in &paths {
        let bytes = read(path)?;
        // Alone, so that the error knows which file it is about.
        HttpTransport::check_authorities(&bytes).map_err(|error| {
            Failure::new(
                format!("{}: {error}", path.display()),
                "name a PEM file (`-----BEGIN CERTIFICATE-----`) with `--ca-file`",
            )
        })?;
        files.push(bytes);
    }
    HttpTransport::trusting(&files, proxies, limits()?).map_err(|error| {
        Failure::new(
            error.to_string(),
            "install the machine's CA certificates, or name some with `--ca-file`",
        )
    })
}
