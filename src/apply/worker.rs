//! One step, from its first request to its end.

use super::reattempt::Reattempts;
use crate::arm::{
    Client, Conditions, Error, ErrorKind, Operation as ArmOperation, Started, transport::Method,
};
use crate::catalog::{Provisioning, ResourceType, UpdateMode};
use crate::change::Action;
use crate::host::Clock;
use crate::ident::ArmId;
use crate::observe;
use crate::plan::Step;
use crate::private_link::{approval, caused_by};
use crate::value::{
    Change, ChangeKind, Comparison, Flag, changed_members, diff, merge, set_path, strip_read_only, without,
};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// What a worker tells the scheduler on the way.
#[derive(Debug)]
pub(super) enum Message {
    /// Azure accepted a request and works on it.
    Accepted { step: usize, operation: Value },
    /// The step waits and tries again.
    Waiting { step: usize, reason: String, attempt: u32, wait: Duration },
}

/// How a step ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) step: usize,
    pub(super) result: Result<Option<Value>, Failure>,
    pub(super) retries: u32,
    pub(super) waited: Duration,
}

/// Why a step did not work.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) code: Option<String>,
}

/// How much longer than its timeout a step may take that waits for an answer.
const GRACE: Duration = Duration::from_secs(60);

impl Failure {
    /// With what went wrong the time before, so that a timeout is never mute.
    fn after(mut self, last: Option<String>) -> Self {
        if let Some(last) = last {
            let (what, help) = match self.message.split_once("\nhelp: ") {
                Some((what, help)) => (what, format!("\nhelp: {help}")),
                None => (self.message.as_str(), String::new()),
            };
            self.message = format!("{what}\nthe attempt before that: {last}{help}");
        }
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut message = error.to_string();
        if let Some(hint) = error.hint() {
            message.push_str("\nhelp: ");
            message.push_str(&hint);
        }
        Failure { message, code: error.code.clone() }
    }
}

/// Everything that one step needs, taken along so that it shares nothing.
pub(super) struct Worker {
    pub(super) at: usize,
    pub(super) client: Client,
    pub(super) clock: Clock,
    pub(super) messages: UnboundedSender<Message>,
    pub(super) action: Action,
    pub(super) id: ArmId,
    pub(super) task: Task,
    pub(super) timeout: Duration,
}

/// What is to be done, in the words of the wire.
pub(super) enum Task {
    /// A resource is brought to what is asked for.
    Put(Box<Put>),
    /// A resource is deleted.
    Delete {
        api_version: String,
        /// For a resource group: what may still be in it, because this run deletes it. `None` for everything else.
        expected: Option<Arc<HashSet<ArmId>>>,
        /// Where it is purged once it is deleted: a path.
        purge: Option<String>,
    },
    /// A provider or feature is registered.
    Register { api_version: &'static str, wanted: Value, kind: &'static ResourceType },
    /// A pending connection is approved.
    Approve { endpoint: ArmId, target: ArmId, description: String, api_version: String },
}

/// A resource and what is asked for.
pub(super) struct Put {
    pub(super) kind: &'static ResourceType,
    /// With every value put in, secrets among them: it goes to Azure and nowhere else.
    pub(super) body: Value,
    pub(super) changes: Vec<Change>,
    /// Whether a secret or write-only value is to be sent although nothing that can be read differs.
    pub(super) unseen: bool,
    /// It comes with its parent's create, so it is probably there already.
    pub(super) arrives: bool,
}

impl Put {
    /// Whether anything is left to be sent.
    fn differs_from(&self, live: &Value) -> bool {
        let rules = self.kind.compiled();
        let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| self.unseen };
        !diff(&self.body, live, &comparison).is_empty()
            || self.changes.iter().any(|change| {
                matches!(change.kind, ChangeKind::Remove | ChangeKind::Reset)
                    || change.path == "properties.provisioningState"
            })
    }
}

impl Worker {
    /// Carries the step out, as often as its errors say.
    pub(super) async fn run(self) -> Ended {
        let mut reattempts = Reattempts::default();
        let started = self.clock.elapsed();
        let mut last = None;
        let mut sent_maybe = false;
        let result = loop {
            let left = (started + self.timeout).saturating_sub(self.clock.elapsed());
            let attempt = tokio::select! {
                biased;
                attempt = self.attempt(left, sent_maybe) => attempt,
                // What waits by itself ends in time by itself; this is for an answer that never comes.
                () = self.clock.sleep(left + GRACE) => Err(Stop::Failed(self.too_late())),
            };
            match attempt {
                Ok(body) => break Ok(body),
                Err(Stop::Failed(failure)) => break Err(failure.after(last)),
                Err(Stop::Error(error)) => match reattempts.after(&error, self.timeout) {
                    Some(again)
                        if again.wait < (started + self.timeout).saturating_sub(self.clock.elapsed()) =>
                    {
                        last = Some(error.to_string());
                        sent_maybe |= may_have_acted(&error);
                        let (reason, attempt, wait) = (again.reason, again.attempt, again.wait);
                        // The scheduler lives as long as its workers; when it does not, nobody is left to tell.
                        let _ = self.messages.send(Message::Waiting { step: self.at, reason, attempt, wait });
                        self.clock.sleep(wait).await;
                    }
                    Some(_) => break Err(self.too_late().after(Some(error.to_string()))),
                    None if error.kind == ErrorKind::TimedOut => break Err(Failure::from(error).after(last)),
                    None => break Err(Failure::from(error)),
                },
            }
        };
        Ended { step: self.at, result, retries: reattempts.count(), waited: reattempts.waited() }
    }

    fn too_late(&self) -> Failure {
        Failure {
            message: format!(
                "it did not end within its timeout of {} minutes\nhelp: run again to go on with it; or raise the entry's `timeout`",
                self.timeout.as_secs().div_ceil(60)
            ),
            code: None,
        }
    }

    /// `sent_maybe`: whether an earlier attempt may have been carried out although its answer was lost.
    async fn attempt(&self, left: Duration, sent_maybe: bool) -> Result<Option<Value>, Stop> {
        match &self.task {
            Task::Put(put) if sent_maybe => self.look_again(put, left).await,
            Task::Put(put) => match self.action {
                Action::Recover => self.recover(put, left).await,
                Action::Create | Action::Replace if !put.arrives => self.create(put, left).await,
                _ => self.update(put, left).await,
            },
            Task::Delete { api_version, expected, purge } => {
                self.delete(api_version, expected.as_deref(), left).await?;
                if let Some(path) = purge {
                    self.purge(path, api_version, left).await?;
                }
                Ok(None)
            }
            Task::Register { api_version, wanted, kind } => self.register(api_version, wanted, kind).await,
            Task::Approve { endpoint, target, description, api_version } => {
                self.approve(endpoint, target, description, api_version).await
            }
        }
    }

    async fn finish(
        &self,
        started: Started,
        api_version: &str,
        left: Duration,
    ) -> Result<Option<Value>, Stop> {
        match started {
            Started::Done(Some(body)) if is_settled(&body) => Ok(Some(body)),
            Started::Done(_) => {
                let found = self.client.get(self.id.as_str(), api_version).await?;
                Ok(found.map(|resource| resource.body))
            }
            Started::Running(operation) => {
                self.accepted(&operation);
                let finished = self.client.wait(&operation, |_| {}, left).await?;
                match finished.body {
                    Some(body) => Ok(Some(body)),
                    None if operation.method == Method::Delete => Ok(None),
                    None => {
                        let found = self.client.get(self.id.as_str(), api_version).await?;
                        Ok(found.map(|resource| resource.body))
                    }
                }
            }
        }
    }

    fn accepted(&self, operation: &ArmOperation) {
        if let Ok(operation) = serde_json::to_value(operation) {
            let _ = self.messages.send(Message::Accepted { step: self.at, operation });
        }
    }

    async fn create(&self, put: &Put, left: Duration) -> Result<Option<Value>, Stop> {
        let version = put.kind.api_version;
        let started = self.client.put(self.id.as_str(), version, &put.body, &Conditions::none()).await?;
        self.finish(started, version, left).await
    }

    /// After a write whose answer was lost: what it did is seen before it is sent again.
    async fn look_again(&self, put: &Put, left: Duration) -> Result<Option<Value>, Stop> {
        let version = put.kind.api_version;
        let Some(live) = self.client.get(self.id.as_str(), version).await? else {
            return match self.action {
                Action::Recover => self.recover(put, left).await,
                _ => self.create(put, left).await,
            };
        };
        if !is_settled(&live.body) {
            let operation = ArmOperation::watching(Method::Put, self.id.as_str(), version);
            self.accepted(&operation);
            self.client.wait(&operation, |_| {}, left).await?;
        }
        self.update(put, left).await
    }

    /// Reads, merges, writes: only if something still differs.
    async fn update(&self, put: &Put, left: Duration) -> Result<Option<Value>, Stop> {
        let version = put.kind.api_version;
        let Some(live) = self.client.get(self.id.as_str(), version).await? else {
            return self.create(put, left).await;
        };
        let rules = put.kind.compiled();
        let differs = put.differs_from(&live.body);
        if !differs {
            return Ok(Some(live.body));
        }
        // Only a whole PUT takes up what failed: a PATCH has nothing to say when nothing differs.
        let repairs = put.changes.iter().any(|change| change.path == "properties.provisioningState");
        let mode = if repairs { UpdateMode::Put } else { put.kind.update };
        let merged = match mode {
            // What cannot be read would always look changed; a PATCH sends it only when it is.
            UpdateMode::Patch if !put.unseen => {
                merge(&live.body, &without(&put.body, rules, Flag::WriteOnly), rules, &put.changes)
            }
            _ => merge(&live.body, &put.body, rules, &put.changes),
        };
        let conditions = live.etag.as_deref().map_or_else(Conditions::none, Conditions::matches);
        let started = match mode {
            UpdateMode::Patch => {
                let mut before = live.body;
                strip_read_only(&mut before, rules);
                let mut patch = changed_members(&before, &merged);
                // A PATCH replaces the tags as a whole.
                if patch.get("tags").is_some()
                    && let Some(tags) = merged.get("tags")
                {
                    set_path(&mut patch, "tags", tags.clone());
                }
                self.client.patch(self.id.as_str(), version, &patch, &Conditions::none()).await?
            }
            _ => match self.client.put(self.id.as_str(), version, &merged, &conditions).await {
                // Somebody wrote between the read and this: what they wrote is read and kept.
                Err(error) if error.status == Some(412) => {
                    return Err(Stop::Error(Error::new(
                        ErrorKind::Busy,
                        Method::Put,
                        self.id.as_str(),
                        error.message.clone(),
                    )));
                }
                other => other?,
            },
        };
        self.finish(started, version, left).await
    }

    async fn recover(&self, put: &Put, left: Duration) -> Result<Option<Value>, Stop> {
        let mut body = put.body.clone();
        set_path(&mut body, "properties.createMode", "recover".into());
        let version = put.kind.api_version;
        let started = self.client.put(self.id.as_str(), version, &body, &Conditions::none()).await?;
        self.finish(started, version, left).await?;
        // A recover ignores everything else that the body asks for.
        self.update(put, left).await
    }

    async fn delete(
        &self,
        version: &str,
        expected: Option<&HashSet<ArmId>>,
        left: Duration,
    ) -> Result<(), Stop> {
        if let Some(expected) = expected {
            let inside = self.client.list(&format!("{}/resources", self.id), "2021-04-01", &[]).await;
            let inside = match inside {
                Err(error) if error.status == Some(404) => return Ok(()),
                other => other?,
            };
            let foreign: Vec<&str> = inside
                .iter()
                .filter_map(|resource| resource.get("id").and_then(Value::as_str))
                .filter(|id| ArmId::parse(id).map_or(true, |id| !expected.contains(&id)))
                .collect();
            if !foreign.is_empty() {
                let list = foreign.join("\n  ");
                return Err(Stop::Failed(Failure {
                    message: format!(
                        "the resource group holds {} resource(s) that berth did not make:\n  {list}\nhelp: move or delete them, then run this again",
                        foreign.len()
                    ),
                    code: None,
                }));
            }
        }
        let started = self.client.delete(self.id.as_str(), version, &Conditions::none()).await?;
        if let Started::Running(operation) = started {
            self.accepted(&operation);
            self.client.wait(&operation, |_| {}, left).await?;
        }
        Ok(())
    }

    /// Has a soft-deleted resource deleted for good.
    ///
    /// For some time after the delete Azure may not find it among the deleted yet, or refuse the purge in the very words
    /// in which it refuses one of what has purge protection; so a few refusals are no answer.
    async fn purge(&self, path: &str, version: &str, left: Duration) -> Result<(), Stop> {
        const LOOKS: u32 = 4;
        const BETWEEN: Duration = Duration::from_secs(5);
        for look in 1.. {
            match self.client.post(&format!("{path}/purge"), version, None).await {
                Ok(Started::Running(operation)) => {
                    self.client.wait(&operation, |_| {}, left).await?;
                    return Ok(());
                }
                Ok(Started::Done(_)) => return Ok(()),
                Err(error) if error.status == Some(404) && look == LOOKS => return Ok(()),
                Err(error) if look < LOOKS && is_not_yet(&error) => self.clock.sleep(BETWEEN).await,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn register(
        &self,
        version: &str,
        wanted: &Value,
        kind: &'static ResourceType,
    ) -> Result<Option<Value>, Stop> {
        let path = format!("{}/register", self.id);
        self.client.post(&path, version, None).await?;
        let started = self.clock.elapsed();
        loop {
            let live = self.client.get(self.id.as_str(), version).await?;
            if let Some(live) = live
                && is_registered(wanted, &live.body, kind)
            {
                if self.id.as_str().contains("/providers/Microsoft.Features/") {
                    // A feature takes effect once its provider is registered again.
                    let subscription = self.id.subscription().unwrap_or_default();
                    let provider =
                        format!("/subscriptions/{subscription}/providers/{}/register", self.id.namespace());
                    self.client.post(&provider, "2021-04-01", None).await?;
                }
                return Ok(Some(live.body));
            }
            if self.clock.elapsed().saturating_sub(started) > self.timeout {
                return Err(Stop::Failed(Failure {
                    message: format!(
                        "registering {} did not end within {} minutes\nhelp: a feature may need Microsoft's approval; run again once it says Registered",
                        self.id.name(),
                        self.timeout.as_secs() / 60
                    ),
                    code: None,
                }));
            }
            self.clock.sleep(Duration::from_secs(10)).await;
        }
    }

    async fn approve(
        &self,
        endpoint: &ArmId,
        target: &ArmId,
        description: &str,
        version: &str,
    ) -> Result<Option<Value>, Stop> {
        let started = self.clock.elapsed();
        let mut sent = false;
        let mut first = true;
        loop {
            // A rejection that the plan has seen is taken back; one of a moment ago is somebody's word.
            let looking_first = std::mem::replace(&mut first, false);
            let connections = observe::connections(&self.client, target, version).await?;
            match caused_by(endpoint, &connections) {
                Some(caused) if caused.status == "Approved" => return Ok(Some(caused.body)),
                Some(caused)
                    if !sent
                        && (caused.status == "Pending" || caused.status == "Rejected" && looking_first) =>
                {
                    let body = approval(&caused, description);
                    let answer =
                        self.client.put(caused.id.as_str(), version, &body, &Conditions::none()).await?;
                    if let Started::Running(operation) = answer {
                        self.accepted(&operation);
                        self.client.wait(&operation, |_| {}, self.timeout).await?;
                    }
                    sent = true;
                }
                Some(caused) if matches!(caused.status.as_str(), "Rejected" | "Disconnected") => {
                    return Err(Stop::Failed(Failure {
                        message: format!(
                            "the connection {} is {}\nhelp: who owns the target decided so; talk to them, or remove the endpoint",
                            caused.id,
                            caused.status.to_lowercase()
                        ),
                        code: None,
                    }));
                }
                _ => {}
            }
            // The connection shows up on the target some seconds after the endpoint, sometimes later.
            if self.clock.elapsed().saturating_sub(started) > self.timeout.min(Duration::from_secs(600)) {
                return Err(Stop::Failed(Failure {
                    message: format!(
                        "no approved connection of {} appeared on {target}\nhelp: look at the target's private endpoint connections, then run this again",
                        endpoint.name()
                    ),
                    code: None,
                }));
            }
            self.clock.sleep(Duration::from_secs(5)).await;
        }
    }
}

/// Why an attempt ended.
enum Stop {
    /// Azure's error: it may be tried again.
    Error(Error),
    /// It makes no sense to try again.
    Failed(Failure),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

/// Whether a purge is refused as Azure also refuses one that comes too early (MethodNotAllowed, or not found).
fn is_not_yet(error: &Error) -> bool {
    error.status == Some(404) || error.code.as_deref() == Some("MethodNotAllowed")
}

fn is_registered(wanted: &Value, live: &Value, kind: &'static ResourceType) -> bool {
    let comparison = Comparison { rules: kind.compiled(), applied: None, secret_changed: &|_, _| false };
    diff(wanted, live, &comparison).is_empty()
}

/// Whether a body says that nothing is going on any more.
fn may_have_acted(error: &Error) -> bool {
    matches!(error.method, Method::Put | Method::Patch)
        && error.status.is_none_or(|status| status >= 500 || status == 408)
}

fn is_settled(body: &Value) -> bool {
    let state = body.pointer("/properties/provisioningState").and_then(Value::as_str);
    state.is_none_or(|state| ["Succeeded", "Ready"].iter().any(|s| s.eq_ignore_ascii_case(state)))
        && body.get("id").is_some()
}

/// What a step's resource is to be, in the words of the wire.
pub(super) fn approve_task(operation: &Provisioning, version: String) -> Option<Task> {
    let Provisioning::Approval { endpoint, target, description } = operation else { return None };
    Some(Task::Approve {
        endpoint: ArmId::parse(endpoint).ok()?,
        target: ArmId::parse(target).ok()?,
        description: description.clone(),
        api_version: version,
    })
}

/// Whether a step has a change that only a digest can show.
pub(super) fn has_unseen(step: &Step) -> bool {
    step.changes.iter().any(|change| change.kind == ChangeKind::Set && change.before.is_null())
}

/// A body that asks for nothing.
pub(super) fn nothing() -> Value {
    json!({})
}
