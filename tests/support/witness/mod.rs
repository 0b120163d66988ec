//! A witness of what is sent: every request is an operation that Azure has, every body is what the official schema of
//! its type accepts, and every answer has a status that the operation has.
//!
//! What it compares with is not in the project: `BERTH_AZURE_FACTS` names the folder, and without it nothing is watched.

mod flags;
mod known;
mod operations;
mod schemas;

use async_trait::async_trait;
use berth::arm::transport::{Headers, Method, Request, Response, Transport, TransportError, path_and_query};
use berth::ident::ArmId;
use flags::Flags;
use operations::Operations;
use schemas::{RECASED, Schemas};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// What is known of Azure, read once.
#[derive(Debug)]
pub struct Facts {
    operations: Operations,
    schemas: Schemas,
    flags: Flags,
    /// Which of the known differences were seen.
    seen: BTreeSet<usize>,
    /// Types without a schema that were written to.
    bare: BTreeSet<String>,
}

#[expect(clippy::disallowed_methods, reason = "a test's folder is not a setting of berth")]
static FACTS: LazyLock<Option<Mutex<Facts>>> = LazyLock::new(|| {
    let folder = PathBuf::from(std::env::var_os("BERTH_AZURE_FACTS")?);
    Some(Mutex::new(Facts {
        operations: Operations::read(&folder),
        schemas: Schemas::of(&folder),
        flags: Flags::of(&folder),
        seen: BTreeSet::new(),
        bare: BTreeSet::new(),
    }))
});

/// What is known of Azure; `None` when no folder is named.
pub fn facts() -> Option<MutexGuard<'static, Facts>> {
    FACTS.as_ref().map(|facts| facts.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Passes everything on and watches it. Dropped, it fails the test when something was wrong.
pub struct Witness {
    inner: Arc<dyn Transport>,
    kept: Mutex<Kept>,
    strict: bool,
}

#[derive(Default)]
struct Kept {
    /// URLs that the server gave, to be used as they are.
    given: BTreeSet<String>,
    wrong: BTreeSet<String>,
    requests: usize,
    bodies: usize,
    /// The last body that was put to each id.
    put: BTreeMap<ArmId, Written>,
    /// Every body that was sent, in order.
    written: Vec<Written>,
}

/// A transport that is watched when there is something to compare with.
pub fn watched(inner: Arc<dyn Transport>) -> Arc<dyn Transport> {
    match FACTS.is_some() {
        true => Arc::new(Witness { inner, kept: Mutex::default(), strict: true }),
        false => inner,
    }
}

impl Witness {
    /// One that is asked for what it saw.
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Witness { inner, kept: Mutex::default(), strict: false }
    }

    /// What was wrong, and how many requests and bodies there were.
    pub fn told(&self) -> (Vec<String>, usize, usize) {
        let kept = self.kept();
        (kept.wrong.iter().cloned().collect(), kept.requests, kept.bodies)
    }

    /// The last body that was put to each id.
    pub fn put(&self) -> Vec<Written> {
        self.kept().put.values().cloned().collect()
    }

    /// Every body that was sent to a resource, in order.
    pub fn written(&self) -> Vec<Written> {
        self.kept().written.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, request: &Request, response: &Response) {
        let mut kept = self.kept();
        kept.requests += 1;
        let Some(mut facts) = facts() else {
            kept.written.extend(Written::of(request));
            return;
        };
        let given = request.method.is_read() && kept.given.contains(&request.url);
        for name in ["location", "azure-asyncoperation"] {
            kept.given.extend(response.headers.get(name).map(str::to_owned));
        }
        if request.method == Method::Get
            && let Ok(answer) = serde_json::from_slice::<Value>(&response.body)
            && let Some(next) = answer["nextLink"].as_str()
        {
            kept.given.insert(next.to_owned());
        }
        if given || !is_arm(&request.url) {
            return;
        }
        let subject = subject(request);
        let mut found =
            facts.operations.faults(request.method, &request.url, &request.headers, response.status);
        if let Some(written) = Written::of(request) {
            kept.bodies += 1;
            found.extend(facts.body_faults(&written));
            if written.method == Method::Put {
                kept.put.insert(written.id.clone(), written.clone());
            }
            kept.written.push(written);
        }
        let chosen = self.strict && is_chosen(&request.url);
        for fault in found {
            // A version that a blueprint chose for a type is its own affair, and so is the case of its words.
            let own_affair =
                chosen && fault.starts_with("version ") || self.strict && fault.ends_with(RECASED);
            if !own_affair && !facts.is_known(&subject, &fault) {
                kept.wrong.insert(format!("{subject}: {fault}"));
            }
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let (wrong, ..) = self.told();
        if self.strict && !wrong.is_empty() && !std::thread::panicking() {
            panic!("Azure has no such requests, bodies or answers:\n{}", wrong.join("\n"));
        }
    }
}

#[async_trait]
impl Transport for Witness {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let sent = request.clone();
        let response = self.inner.send(request).await?;
        self.look(&sent, &response);
        Ok(response)
    }
}

/// A body on its way.
#[derive(Debug, Clone)]
pub struct Written {
    /// How.
    pub method: Method,
    /// Where to.
    pub id: ArmId,
    /// In which version.
    pub api_version: String,
    /// What.
    pub body: Value,
}

impl Written {
    fn of(request: &Request) -> Option<Self> {
        if !matches!(request.method, Method::Put | Method::Patch) {
            return None;
        }
        let (path, query) = request.path_and_query().split_once('?')?;
        let version = query.split('&').find_map(|part| part.strip_prefix("api-version="))?;
        Some(Written {
            method: request.method,
            id: ArmId::parse(path).ok()?,
            api_version: version.to_owned(),
            body: serde_json::from_slice(&request.body).ok()?,
        })
    }
}

impl Facts {
    /// What is wrong with a body.
    pub fn body_faults(&mut self, written: &Written) -> Vec<String> {
        let Written { method, id, api_version, body } = written;
        let arm_type = id.resource_type();
        let mut found = self.schemas.faults(*method, id, api_version, body);
        let read_only = self.flags.sent(&arm_type, api_version, body);
        found.extend(read_only.into_iter().map(|path| format!("{path} is read-only")));
        if *method == Method::Put {
            let mut nulls = Vec::new();
            null_paths(body, "", &mut nulls);
            found.extend(nulls.into_iter().map(|path| format!("{path} is null")));
        }
        if found.iter().any(|fault| fault == "there is no schema") {
            found.retain(|fault| fault != "there is no schema");
            // In a version that a blueprint chose there may be none.
            let known = berth::catalog::resource_type(&arm_type);
            if known.is_none_or(|known| known.api_version == api_version) {
                self.bare.insert(arm_type);
            }
        }
        found
    }

    /// Whether a difference is one that is known.
    pub fn is_known(&mut self, subject: &str, fault: &str) -> bool {
        let known = known::KNOWN.iter().position(|(of, what, _)| {
            glob(&of.to_ascii_lowercase(), &subject.to_ascii_lowercase()) && glob(what, fault)
        });
        self.seen.extend(known);
        known.is_some()
    }

    /// What is wrong with a status.
    pub fn status_faults(&self, method: Method, url: &str, status: u16) -> Vec<String> {
        self.operations.faults(method, url, &Headers::new(), status)
    }

    /// Known differences that nothing showed any more.
    pub fn needless(&self) -> Vec<String> {
        let unseen = known::KNOWN.iter().enumerate().filter(|(at, _)| !self.seen.contains(at));
        unseen.map(|(_, (of, what, _))| format!("{of}: {what}: listed as known, and no longer so")).collect()
    }

    /// Types that were written to and have no schema, each with the reason why.
    pub fn without_schema(&self) -> Vec<(&str, Option<&'static str>)> {
        let reason = |arm_type: &String| {
            let listed = known::NO_SCHEMA.iter().find(|(of, _)| of.eq_ignore_ascii_case(arm_type));
            listed.map(|(_, reason)| *reason)
        };
        self.bare.iter().map(|arm_type| (arm_type.as_str(), reason(arm_type))).collect()
    }

    /// Of how many types there was a schema.
    pub fn schemas(&self) -> usize {
        self.schemas.len()
    }
}

/// Answers that say all that Azure could: every read-only property, wherever its resource is shown.
pub struct Generous {
    inner: Arc<dyn Transport>,
    /// How many bodies of a type were completed.
    pub completed: Mutex<BTreeMap<String, usize>>,
}

impl Generous {
    /// A proxy.
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Generous { inner, completed: Mutex::default() }
    }

    fn complete(&self, body: &mut Value, api_version: &str) {
        if let Some(Value::Array(items)) = body.get_mut("value") {
            items.iter_mut().for_each(|item| self.complete(item, api_version));
            return;
        }
        let (Some(arm_type), Some(mut facts)) = (body["type"].as_str().map(str::to_owned), facts()) else {
            return;
        };
        if body["id"].is_string() && facts.flags.has(&arm_type, api_version) {
            facts.flags.complete(&arm_type, api_version, body);
            *self.completed.lock().unwrap().entry(arm_type.to_ascii_lowercase()).or_default() += 1;
        }
    }
}

#[async_trait]
impl Transport for Generous {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (method, query) = (request.method, request.path_and_query().to_owned());
        let mut response = self.inner.send(request).await?;
        let version = query.split(['?', '&']).find_map(|part| part.strip_prefix("api-version="));
        if method == Method::Get
            && response.status == 200
            && let Some(version) = version
            && let Ok(mut body) = serde_json::from_slice::<Value>(&response.body)
            && body.is_object()
        {
            self.complete(&mut body, version);
            response.body = body.to_string().into();
        }
        Ok(response)
    }
}

/// Whether a resource is asked for in another version than that in which berth speaks of its type: then a blueprint, or
/// the table of connections, says so.
fn is_chosen(url: &str) -> bool {
    let Some((path, query)) = path_and_query(url).split_once('?') else { return false };
    let version = query.split('&').find_map(|part| part.strip_prefix("api-version="));
    path.to_ascii_lowercase().starts_with("/subscriptions/")
        && ArmId::parse(path).is_ok_and(|id| {
            let known = berth::catalog::resource_type(&id.resource_type());
            known.is_none_or(|known| Some(known.api_version) != version)
        })
}

fn null_paths(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(path.to_owned()),
        Value::Array(items) => items.iter().for_each(|item| null_paths(item, &format!("{path}[]"), found)),
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                null_paths(value, &path, found);
            }
        }
        _ => {}
    }
}

/// Whether a URL is ARM's, and not that of a vault or of the directory.
fn is_arm(url: &str) -> bool {
    url.starts_with('/') || url.contains("://management.") || url.contains("://127.0.0.1")
}

/// Method and type, or what stands for one: `PUT Microsoft.Network/virtualNetworks/subnets`.
fn subject(request: &Request) -> String {
    let path = path_and_query(&request.url).split('?').next().unwrap_or_default();
    let (scope, tail) = match path.rfind("/providers/") {
        Some(at) => (&path[..at], &path[at + 11..]),
        None => ("", path.trim_start_matches('/')),
    };
    let mut parts = tail.split('/');
    let namespace = parts.next().filter(|_| !tail.is_empty() && path.contains("/providers/"));
    let mut words: Vec<&str> = namespace.into_iter().collect();
    let rest: Vec<&str> = match namespace {
        Some(_) => parts.collect(),
        None => tail.split('/').collect(),
    };
    words.extend(rest.iter().step_by(2));
    // What a provider is asked to do has no type: `Microsoft.Network/register`.
    let what = words.join("/");
    let scope = if scope.is_empty() && path.starts_with("/providers/") { "/" } else { "" };
    format!("{} {scope}{what}", request.method)
}

/// Whether a text fits a pattern in which `*` stands for anything.
pub fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.is_char_boundary(at) && glob(rest, &tail[at..]))
        }),
    }
}
