//! Long-running operations: what they are, and how each provider reports on them.

use super::call::Call;
use super::json::Object;
use super::locations::display_name;
use super::path::{cut, last};
use super::world::World;
use crate::host::Timestamp;
use crate::host::transport::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// How a provider reports on its operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Style {
    /// `Microsoft.Network`: a bare status.
    Network,
    /// Private DNS: 202 and `{}` first, and 202 for as long as it runs.
    PrivateDns,
    /// AKS: a status with name and times, and no `Retry-After`.
    Cluster,
    /// Flux and extensions: the status below the resource, and a `Location` that is of no use.
    Configuration,
    /// Resource groups and purges: a `Location` only.
    Location,
    /// Web apps: both headers, with one address.
    Site,
    /// SQL: both headers, below the resource group.
    Sql,
    /// Everybody else: a status below the namespace.
    Provider,
    /// No header at all: only the resource itself tells.
    Silent,
}

/// What an operation does to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Act {
    Create,
    Update,
    Delete,
    Start,
    Stop,
    Purge,
}

/// How an operation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    Running,
    Succeeded(Timestamp),
    Failed(Timestamp, String, String),
}

/// One operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) style: Style,
    pub(crate) act: Act,
    /// Key of the resource it works on.
    pub(crate) target: String,
    /// The target's id as the provider spells it.
    pub(crate) target_id: String,
    pub(crate) location: String,
    pub(crate) started: Timestamp,
    pub(crate) due: Timestamp,
    /// Keys that nobody else may write to meanwhile.
    pub(crate) locks: Vec<String>,
    /// The error it will end with.
    pub(crate) fails: Option<(String, String)>,
    pub(crate) progress: Progress,
}

/// Work about to start.
#[derive(Debug)]
pub(crate) struct Work<'w> {
    pub(crate) style: Style,
    pub(crate) act: Act,
    pub(crate) key: &'w str,
    pub(crate) locks: Vec<String>,
}

impl<'w> Work<'w> {
    /// Work that locks its own target.
    pub(crate) fn on(style: Style, act: Act, key: &'w str) -> Self {
        Work { style, act, key, locks: vec![key.to_owned()] }
    }

    /// Locks these as well.
    pub(crate) fn locking(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.locks.extend(keys);
        self
    }
}

pub(crate) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// How long an operation takes whose type says nothing else.
pub(crate) const USUAL: Duration = seconds(5);
/// How long it takes to purge what was deleted.
const PURGE: Duration = seconds(30);

/// The operations that run, by what is asked of them: when they end, what they lock, what they work on.
#[derive(Debug, Default)]
pub(crate) struct Running {
    by_end: BTreeSet<Place>,
    by_lock: HashMap<String, BTreeSet<Place>>,
    by_target: HashMap<String, BTreeSet<Place>>,
}

/// When an operation ends, and its id.
type Place = (Timestamp, String);

impl Running {
    pub(crate) fn insert(&mut self, operation: &Operation) {
        let place = (operation.due, operation.id.clone());
        for lock in &operation.locks {
            self.by_lock.entry(lock.clone()).or_default().insert(place.clone());
        }
        self.by_target.entry(operation.target.clone()).or_default().insert(place.clone());
        self.by_end.insert(place);
    }

    fn remove(&mut self, operation: &Operation) {
        let place = (operation.due, operation.id.clone());
        let keys = operation.locks.iter().map(|lock| (lock, true)).chain([(&operation.target, false)]);
        for (key, is_lock) in keys {
            let index = if is_lock { &mut self.by_lock } else { &mut self.by_target };
            if let Some(places) = index.get_mut(key) {
                places.remove(&place);
                if places.is_empty() {
                    index.remove(key);
                }
            }
        }
        self.by_end.remove(&place);
    }

    /// All of them, the first to end first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.by_end.iter()
    }

    pub(crate) fn first(&self) -> Option<&Place> {
        self.by_end.first()
    }

    /// None runs any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl<'o> FromIterator<&'o Operation> for Running {
    fn from_iter<I: IntoIterator<Item = &'o Operation>>(operations: I) -> Self {
        let mut running = Running::default();
        operations.into_iter().for_each(|operation| running.insert(operation));
        running
    }
}

impl World {
    /// Starts an operation; it ends when its time has come.
    pub(crate) fn start(&mut self, call: &Call<'_>, work: Work<'_>) -> Operation {
        let (id, location, took) = match self.state.resources.get(work.key) {
            Some(r) => {
                let took = self.providers.duration(&r.kind, work.act, &r.body);
                (r.id.clone(), r.location().to_owned(), took)
            }
            None => (call.path.id.clone(), String::new(), USUAL),
        };
        let took = if work.act == Act::Purge { PURGE } else { took };
        let fails_after = call.bent.fails.as_ref().and_then(|failing| failing.after);
        let ends_after = fails_after.map_or(took, |after| after.min(took));
        let location = if location.is_empty() { self.location_near(work.key) } else { location };
        let serial = self.next_serial();
        let operation = Operation {
            id: self.uuid(work.key, &format!("operation {serial}")),
            style: work.style,
            act: work.act,
            target: work.key.to_owned(),
            target_id: id,
            location,
            started: self.now.now(),
            due: self.now.now().plus(ends_after),
            locks: work.locks,
            fails: call.bent.fails.as_ref().map(|failing| (failing.code.clone(), failing.message.clone())),
            progress: Progress::Running,
        };
        self.running.insert(&operation);
        self.state.operations.insert(operation.id.clone(), operation.clone());
        operation
    }

    /// The location of the nearest ancestor that has one.
    fn location_near(&self, key: &str) -> String {
        let mut key = key;
        while !key.is_empty() {
            if let Some(resource) = self.state.resources.get(key)
                && !resource.location().is_empty()
            {
                return resource.location().to_owned();
            }
            key = cut(key, 1);
        }
        "global".to_owned()
    }

    /// The operation that keeps others from writing to this key.
    pub(crate) fn busy(&self, key: &str) -> Option<&Operation> {
        let (_, id) = self.running.by_lock.get(key)?.first()?;
        self.state.operations.get(id)
    }

    /// The running operation on this very resource.
    pub(crate) fn running_on(&self, key: &str) -> Option<&Operation> {
        let (_, id) = self.running.by_target.get(key)?.first()?;
        self.state.operations.get(id)
    }

    /// Ends every operation whose time has come.
    pub(crate) fn advance(&mut self) {
        while let Some((due, id)) = self.running.first().cloned() {
            if due > self.now.now() {
                return;
            }
            self.running.by_end.remove(&(due, id.clone()));
            let Some(operation) = self.state.operations.get_mut(&id) else { continue };
            self.running.remove(operation);
            operation.progress = match &operation.fails {
                Some((code, message)) => Progress::Failed(due, code.clone(), message.clone()),
                None => Progress::Succeeded(due),
            };
            let operation = operation.clone();
            // It may end while a request on another subscription is answered.
            let before = self.state.enter(&operation.target);
            self.providers.complete(self, &operation);
            self.state.leave(before);
            self.dirty = true;
            self.forget_old_operations();
        }
    }

    fn forget_old_operations(&mut self) {
        const KEPT: usize = 4000;
        if self.state.operations.len() <= KEPT {
            return;
        }
        let mut ended: Vec<(Timestamp, String)> = self
            .state
            .operations
            .values()
            .filter(|o| o.progress != Progress::Running)
            .map(|o| (o.due, o.id.clone()))
            .collect();
        ended.sort();
        for (_, id) in ended.into_iter().take(KEPT / 4) {
            self.state.operations.remove(&id);
        }
    }

    /// Adds the headers that lead to an operation.
    pub(crate) fn follow(&self, call: &Call<'_>, operation: &Operation, response: &mut Response) {
        let (origin, id) = (call.origin, &operation.id);
        let subscription = format!("{origin}/subscriptions/{}", self.state.subscription);
        let version = call.query.get("api-version").unwrap_or_default();
        let location = &operation.location;
        let headers = &mut response.headers;
        match operation.style {
            Style::Network => {
                let base = format!("{subscription}/providers/Microsoft.Network/locations/{location}");
                headers.set("azure-asyncoperation", format!("{base}/operations/{id}?api-version={version}"));
                if operation.act == Act::Delete {
                    headers.set("location", format!("{base}/operationResults/{id}?api-version={version}"));
                }
                headers.set(
                    "retry-after",
                    if operation.due.since(operation.started) > seconds(30) { "10" } else { "3" },
                );
            }
            Style::PrivateDns => {
                let group = super::path::group_of(&operation.target_id).unwrap_or_default();
                let base = format!("{origin}{group}/providers/Microsoft.Network");
                let statuses = format!("{base}/privateDnsOperationStatuses/{id}?api-version={version}");
                headers.set("azure-asyncoperation", statuses);
                headers
                    .set("location", format!("{base}/privateDnsOperationResults/{id}?api-version={version}"));
                headers.set("retry-after", "3");
            }
            Style::Cluster => {
                let base =
                    format!("{subscription}/providers/Microsoft.ContainerService/locations/{location}");
                headers.set("azure-asyncoperation", format!("{base}/operations/{id}?api-version=2016-03-30"));
                if matches!(operation.act, Act::Delete | Act::Start | Act::Stop) {
                    headers.set("location", format!("{base}/operationresults/{id}?api-version=2016-03-30"));
                }
            }
            Style::Configuration => {
                let target = operation.target_id.replace("/managedClusters/", "/ManagedClusters/");
                headers.set(
                    "azure-asyncoperation",
                    format!("{origin}{target}/operations/{id}?api-version={version}"),
                );
                headers.set("location", format!("{origin}{target}"));
            }
            Style::Location => {
                headers
                    .set("location", format!("{subscription}/operationresults/{id}?api-version={version}"));
                headers.set("retry-after", "15");
            }
            Style::Site => {
                let place = display_name(location).replace(' ', "%20");
                let base = format!("{subscription}/providers/Microsoft.Web/locations/{place}");
                let url = format!("{base}/operationResults/{id}?api-version={version}");
                headers.set("azure-asyncoperation", url.clone());
                headers.set("location", url);
            }
            Style::Sql => {
                let group = super::path::group_of(&operation.target_id).unwrap_or_default();
                let base = format!("{origin}{group}/providers/Microsoft.Sql/locations/{location}");
                for (header, word) in
                    [("azure-asyncoperation", "AzureAsyncOperation"), ("location", "OperationResults")]
                {
                    let url = format!("{base}/privateEndpointConnection{word}/{id}?api-version={version}");
                    headers.set(header, url);
                }
            }
            Style::Provider => {
                let namespace = operation.target_id.rsplit("/providers/").next().unwrap_or_default();
                let namespace = namespace.split('/').next().unwrap_or_default();
                let base = format!("{subscription}/providers/{namespace}/locations/{location}");
                headers.set(
                    "azure-asyncoperation",
                    format!("{base}/operationStatuses/{id}?api-version={version}"),
                );
                headers.set("retry-after", "5");
            }
            Style::Silent => {}
        }
    }

    /// Answers a poll; `None` when the path is not an operation's.
    pub(crate) fn poll(&mut self, call: &Call<'_>, key: &str) -> Option<Response> {
        let word = last(cut(key, 1));
        let result = match word {
            "operations"
            | "privatednsoperationstatuses"
            | "operationstatuses"
            | "privateendpointconnectionazureasyncoperation" => false,
            "operationresults"
            | "privatednsoperationresults"
            | "privateendpointconnectionoperationresults" => true,
            _ => return None,
        };
        let Some(operation) = self.state.operations.get(last(key)).cloned() else {
            return (word != "operations").then(|| {
                let message = format!("The operation '{}' was not found.", last(key));
                super::error::Failure::new(404, "OperationNotFound", message).response()
            });
        };
        let mut response = if result { self.poll_result(&operation) } else { poll_status(&operation) };
        if operation.progress == Progress::Running {
            if matches!(operation.style, Style::PrivateDns | Style::Location) || result {
                self.follow(call, &operation, &mut response);
            } else if operation.style == Style::Network {
                response.headers.set("retry-after", "10");
            }
            if self.now.jumps() {
                self.now.reach(operation.due);
            }
        }
        Some(response)
    }

    /// What a `Location` answers: nothing yet, then what the call itself would have.
    fn poll_result(&mut self, operation: &Operation) -> Response {
        match &operation.progress {
            Progress::Running => Response::new(202, ""),
            Progress::Failed(_, code, message) => super::error::Failure::new(409, code, message).response(),
            Progress::Succeeded(_) => match self.show(&operation.target) {
                Some(body) if operation.act != Act::Delete => Response::new(200, body),
                _ if operation.style == Style::Location => Response::new(200, ""),
                _ => Response::new(204, ""),
            },
        }
    }
}

/// What an `Azure-AsyncOperation` answers.
fn poll_status(operation: &Operation) -> Response {
    let (word, ended, error) = match &operation.progress {
        Progress::Running if operation.style == Style::Configuration => match operation.act {
            Act::Create => ("Creating", None, None),
            Act::Delete => ("Deleting", None, None),
            _ => ("Updating", None, None),
        },
        Progress::Running => ("InProgress", None, None),
        Progress::Succeeded(at) => ("Succeeded", Some(at), None),
        Progress::Failed(at, code, message) => {
            ("Failed", Some(at), Some(json!({"code": code, "message": message})))
        }
    };
    let mut body = Object::new();
    match operation.style {
        Style::Cluster => {
            body.insert("name".into(), json!(operation.id));
            body.insert("status".into(), json!(word));
            body.insert("startTime".into(), json!(operation.started.to_string()));
            if let Some(at) = ended {
                body.insert("endTime".into(), json!(at.to_string()));
            }
        }
        Style::Configuration => {
            let target = operation.target_id.replace("/managedClusters/", "/ManagedClusters/");
            body.insert("id".into(), json!(format!("{target}/operations/{}", operation.id)));
            body.insert("name".into(), json!(operation.id));
            body.insert("status".into(), json!(word));
        }
        _ => {
            body.insert("status".into(), json!(word));
        }
    }
    if let Some(error) = error {
        body.insert("error".into(), error);
    }
    let waiting = operation.progress == Progress::Running && operation.style == Style::PrivateDns;
    Response::new(if waiting { 202 } else { 200 }, Value::Object(body).to_string())
}
