//! Following an operation to its end.

use super::client::{Client, Resource, Started, Stubbornness, body_of, is_absent, resource};
use super::error::{Error, ErrorKind, Result};
use super::lro::{Finish, Look, Operation, Poll, read_operation, read_resource};
use super::request::Conditions;
use super::retry::retry_after;
use super::transport::{Method, Response};
use crate::host::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// How often an operation or a fresh resource may be missing before that means something.
const MISSING: u32 = 3;
/// How often a status may be refused with 4xx before that means something.
const REFUSED: u32 = 3;
/// How often a status may fail with 5xx before that means something.
const BROKEN: u32 = 10;
/// How often a resource may read as failed while it is being deleted, as it may have been so before.
const STALE: u32 = 3;
/// How often a resource may still be there after its deletion has ended.
const LINGERING: u32 = 12;
/// The shortest pause between looks, whatever Azure says.
const SHORTEST: Duration = Duration::from_secs(1);

/// How an operation is getting on.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The state in Azure's words.
    pub status: String,
    /// How much of it is done, if Azure says.
    pub percent: Option<f64>,
    /// How many looks there were.
    pub looks: u32,
    /// How long this process has been waiting for it.
    pub elapsed: Duration,
    /// How long until the next look.
    pub next: Duration,
    /// Why the last look showed nothing, if so.
    pub trouble: Option<String>,
}

/// The end of an operation that succeeded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finished {
    /// The resource as it now is, or the result of the action; nothing after a DELETE.
    pub body: Option<Value>,
    /// The etag of the resource.
    pub etag: Option<String>,
}

impl From<Resource> for Finished {
    fn from(resource: Resource) -> Self {
        Finished { body: Some(resource.body), etag: resource.etag }
    }
}

impl Client {
    /// Follows an operation to its end, then reads the result.
    ///
    /// `on_progress` is called after every look that does not end it. The deadline counts from now; when it passes
    /// the operation goes on in Azure, and may be waited for again.
    ///
    /// # Errors
    /// When the operation fails, is cancelled, does not end in time, or can no longer be followed.
    pub async fn wait(
        &self,
        operation: &Operation,
        on_progress: impl FnMut(&Progress) + Send,
        deadline: Duration,
    ) -> Result<Finished> {
        let watch = Watch {
            client: self,
            operation,
            on_progress,
            started: self.now(),
            deadline,
            poll: operation.poll.clone(),
            settling: false,
            looks: 0,
            missing: 0,
            refused: 0,
            stale: 0,
            status: "InProgress".to_owned(),
            percent: None,
            trouble: None,
        };
        watch.run().await
    }

    /// Creates or replaces a resource and waits until it is at rest.
    ///
    /// # Errors
    /// As for [`Client::put`] and [`Client::wait`].
    pub async fn put_and_wait(
        &self,
        id: &str,
        api_version: &str,
        body: &Value,
        conditions: &Conditions,
        deadline: Duration,
    ) -> Result<Finished> {
        match self.put(id, api_version, body, conditions).await? {
            Started::Done(Some(body)) => {
                let etag = body.get("etag").and_then(Value::as_str).map(str::to_owned);
                Ok(Finished { body: Some(body), etag })
            }
            Started::Done(None) => {
                Ok(self.get(id, api_version).await?.map(Finished::from).unwrap_or_default())
            }
            Started::Running(operation) => self.wait(&operation, |_| {}, deadline).await,
        }
    }

    /// Removes a resource and waits until it is gone.
    ///
    /// # Errors
    /// As for [`Client::delete`] and [`Client::wait`].
    pub async fn delete_and_wait(&self, id: &str, api_version: &str, deadline: Duration) -> Result<()> {
        match self.delete(id, api_version, &Conditions::none()).await? {
            Started::Done(_) => Ok(()),
            Started::Running(operation) => self.wait(&operation, |_| {}, deadline).await.map(|_| ()),
        }
    }
}

/// One wait.
struct Watch<'a, F> {
    client: &'a Client,
    operation: &'a Operation,
    on_progress: F,
    started: Timestamp,
    deadline: Duration,
    /// Where to look; changes when an operation leads elsewhere or is forgotten.
    poll: Poll,
    /// Whether the operation has ended and only its outcome is looked at.
    settling: bool,
    looks: u32,
    missing: u32,
    refused: u32,
    stale: u32,
    status: String,
    percent: Option<f64>,
    trouble: Option<Error>,
}

/// What to do after a look.
enum Next {
    /// Look again after a pause.
    Pause(Duration),
    /// Look elsewhere at once.
    Now,
    /// The end.
    End(Finished),
}

impl<F: FnMut(&Progress) + Send> Watch<'_, F> {
    async fn run(mut self) -> Result<Finished> {
        let first =
            self.operation.first_look_ms.map_or(self.client.options().poll_default, Duration::from_millis);
        let mut pause = first.max(SHORTEST);
        loop {
            let left = self.deadline.saturating_sub(self.elapsed());
            if left.is_zero() {
                return Err(self.too_late());
            }
            self.client.sleep(pause.min(left)).await;
            // Several looks follow each other at once when an operation has ended.
            loop {
                match self.look().await? {
                    Next::End(finished) => return Ok(finished),
                    Next::Now => {}
                    Next::Pause(next) => {
                        pause = next;
                        break;
                    }
                }
            }
            let progress = Progress {
                status: self.status.clone(),
                percent: self.percent,
                looks: self.looks,
                elapsed: self.elapsed(),
                next: pause,
                trouble: self.trouble.as_ref().map(ToString::to_string),
            };
            (self.on_progress)(&progress);
        }
    }

    fn elapsed(&self) -> Duration {
        self.client.now().since(self.started)
    }

    async fn look(&mut self) -> Result<Next> {
        self.looks += 1;
        let url = match &self.poll {
            Poll::AsyncOperation { url } | Poll::Location { url } => url.clone(),
            Poll::Resource => self.client.url(&self.operation.id, &self.operation.api_version, &[]),
        };
        match self.client.read(url, Stubbornness::Once).await {
            Ok(response) => {
                self.missing = 0;
                self.refused = 0;
                self.trouble = None;
                self.answer(&response)
            }
            Err(error) => self.no_answer(error),
        }
    }

    fn answer(&mut self, response: &Response) -> Result<Next> {
        let operation = self.operation;
        let body = body_of(Method::Get, &operation.id, response)?;
        let pause = retry_after(&response.headers, self.client.now());
        let pause = pause.unwrap_or(self.client.options().poll_default).max(SHORTEST);
        let look = match self.poll {
            Poll::Resource => read_resource(operation.method, body.as_ref()),
            _ => read_operation(response.status, body.as_ref()),
        };
        match look {
            Look::Running { status, percent } => {
                self.status = status;
                self.percent = percent;
                self.follow(response);
                if self.settling && operation.method == Method::Delete {
                    self.stale += 1;
                    if self.stale > LINGERING {
                        // Azure said that the deletion succeeded; what lingers is an index that lags.
                        return Ok(Next::End(Finished::default()));
                    }
                }
                Ok(Next::Pause(pause))
            }
            Look::Succeeded => self.succeeded(response, body),
            Look::Failed(status) => {
                if self.poll == Poll::Resource && operation.method == Method::Delete {
                    self.stale += 1;
                    if self.stale <= STALE {
                        self.status = status;
                        return Ok(Next::Pause(pause));
                    }
                }
                Err(self.ended(response, body.as_ref(), &status, ErrorKind::Invalid))
            }
            Look::Cancelled(status) => {
                Err(self.ended(response, body.as_ref(), &status, ErrorKind::Cancelled))
            }
        }
    }

    /// A result may move while one waits for it.
    fn follow(&mut self, response: &Response) {
        if let Poll::Location { url } = &mut self.poll
            && let Some(moved) =
                response.headers.get("location").and_then(|l| self.client.endpoint().resolve(l))
            && !super::endpoint::same_resource(&moved, &self.operation.id)
        {
            *url = moved;
        }
    }

    fn succeeded(&mut self, response: &Response, body: Option<Value>) -> Result<Next> {
        if self.settling || self.poll == Poll::Resource {
            let found = resource(Method::Get, &self.operation.id, response)?;
            let finished = match body {
                None => Finished::default(),
                Some(_) => found.into(),
            };
            return Ok(Next::End(finished));
        }
        match &self.operation.finish {
            Finish::LastPoll => {
                // A status document wraps the result; a result stands for itself.
                let body = body.and_then(|mut body| match body.get("status") {
                    Some(Value::String(_)) => body.get_mut("properties").map(Value::take),
                    _ => Some(body),
                });
                return Ok(Next::End(Finished { body, etag: None }));
            }
            Finish::Location { url } => self.poll = Poll::Location { url: url.clone() },
            Finish::Resource | Finish::Absence => self.poll = Poll::Resource,
        }
        self.settling = true;
        self.stale = 0;
        Ok(Next::Now)
    }

    fn no_answer(&mut self, mut error: Error) -> Result<Next> {
        let pause = error.retry_after.unwrap_or(self.client.options().poll_default).max(SHORTEST);
        let deleting = self.operation.method == Method::Delete;
        if is_absent(&error) {
            self.missing += 1;
            match self.poll {
                Poll::Resource if deleting => return Ok(Next::End(Finished::default())),
                // Reads may lag behind writes.
                _ if self.missing <= MISSING => {}
                // The record of the operation has expired, or never was: the resource tells as well.
                Poll::AsyncOperation { .. } | Poll::Location { .. }
                    if self.operation.method != Method::Post =>
                {
                    self.poll = Poll::Resource;
                    self.missing = 0;
                    return Ok(Next::Now);
                }
                _ => return Err(self.told(error)),
            }
        } else if self.settling && deleting && error.status == Some(405) {
            // What cannot be read cannot be seen to be gone.
            return Ok(Next::End(Finished::default()));
        } else {
            match error.status {
                // The operation goes on whether or not the line does.
                None if error.kind == ErrorKind::Connection => {}
                None => return Err(self.told(error)),
                Some(408 | 429) => {}
                // The result of a failed operation is its error; a status document never fails so.
                Some(400 | 409 | 412 | 422) if matches!(self.poll, Poll::Location { .. }) => {
                    error.method = self.operation.method;
                    return Err(self.told(error));
                }
                Some(status) => {
                    self.refused += 1;
                    if self.refused > if status >= 500 { BROKEN } else { REFUSED } {
                        return Err(self.told(error));
                    }
                }
            }
        }
        self.trouble = Some(error);
        Ok(Next::Pause(pause))
    }

    /// The error of an operation that ended badly.
    fn ended(&self, response: &Response, body: Option<&Value>, status: &str, otherwise: ErrorKind) -> Error {
        let operation = self.operation;
        let mut error = self.client.failure(operation.method, &operation.id, Some(&response.headers), body);
        if error.code.is_none() && error.details.is_empty() {
            error.kind = otherwise;
            error.message = format!("the operation ended as {status}");
            if let Some(said) = body.and_then(|b| b.get("message")).and_then(Value::as_str) {
                error.message.push_str(": ");
                error.message.push_str(said);
            }
        } else if otherwise == ErrorKind::Cancelled && error.kind == ErrorKind::Invalid {
            error.kind = ErrorKind::Cancelled;
        }
        self.told(error)
    }

    fn too_late(&self) -> Error {
        let operation = self.operation;
        let minutes = self.deadline.as_secs_f64() / 60.0;
        let mut message = format!("still {} after {minutes:.0} min", self.status);
        if let Some(trouble) = &self.trouble {
            message.push_str("; the last look failed: ");
            message.push_str(&trouble.to_string());
        }
        let mut error = Error::new(ErrorKind::TimedOut, operation.method, &operation.id, message);
        error.correlation_id = Some(self.client.correlation_id().to_owned());
        self.told(error)
    }

    fn told(&self, mut error: Error) -> Error {
        error.elapsed = self.elapsed();
        error
    }
}
