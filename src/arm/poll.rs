//! Following an operation to its end.

use super::client::{Client, Resource, Started, body_of, has_id, is_absent, no_resource, resource};
use super::error::{Error, ErrorKind, Result};
use super::lro::{Finish, Look, Operation, Poll, read_operation, read_resource};
use super::request::Conditions;
use super::retry::{FINEST, SHORTEST, next_look};
use super::send::RetryMode;
use super::transport::{Method, Response};
use crate::host::Timestamp;
use crate::value::is_at_work;
use serde_json::Value;
use std::time::Duration;

/// How often an operation may be missing before that means something.
const FORGOTTEN: u32 = 3;
/// How often a fresh resource may be missing before that means something.
const LAGGING: u32 = 6;
/// How often a status may be refused with 4xx before that means something.
const REFUSED: u32 = 3;
/// How often a status may fail with 5xx before that means something.
const BROKEN: u32 = 10;
/// How often a resource may read as failed while it is being deleted, as it may have been so before.
const STALE: u32 = 3;
/// How often a resource may still be there after its deletion has ended.
const LINGERING: u32 = 12;

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
            verdict: None,
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
        match self.delete(id, api_version, &[]).await? {
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
    /// How the operation ended badly, while Azure may still be at work on the resource.
    verdict: Option<Error>,
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
        let mut pause = first.max(FINEST);
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
        match self.client.read(url, RetryMode::Once).await {
            Ok(response) => match body_of(Method::Get, &self.operation.id, &response) {
                // Nor is a page the resource that is not: what has no id says nothing of whether it rests.
                Ok(body)
                    if self.poll == Poll::Resource && response.status == 200 && !has_id(body.as_ref()) =>
                {
                    self.no_answer(no_resource(&self.operation.id, &response))
                }
                Ok(body) => {
                    self.missing = 0;
                    self.refused = 0;
                    self.trouble = None;
                    self.answer(&response, body)
                }
                // A proxy's page in place of an answer: the operation goes on behind it.
                Err(error) => self.no_answer(error),
            },
            Err(error) => self.no_answer(error),
        }
    }

    fn answer(&mut self, response: &Response, body: Option<Value>) -> Result<Next> {
        let operation = self.operation;
        let pause = next_look(&response.headers, self.client.now());
        let pause = pause.unwrap_or(self.client.options().poll_default);
        // At rest, and the operation has said how it ended.
        if self.poll == Poll::Resource
            && !body.as_ref().is_some_and(is_at_work)
            && let Some(verdict) = self.verdict.take()
        {
            return Err(verdict);
        }
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
            if self.poll == Poll::Resource
                && let Some(verdict) = self.verdict.take()
            {
                return Err(verdict);
            }
            match self.poll {
                Poll::Resource if deleting => return Ok(Next::End(Finished::default())),
                // Reads may lag behind writes.
                Poll::Resource if self.missing <= LAGGING => {}
                Poll::AsyncOperation { .. } | Poll::Location { .. }
                    if self.missing <= if deleting { 1 } else { FORGOTTEN } => {}
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
                // Nor does it end because the token service cannot be reached just now.
                None if error.kind == ErrorKind::AuthenticationFailed && self.refused < BROKEN => {
                    self.refused += 1;
                }
                None => return self.watch_the_resource(error),
                Some(408 | 429) => {}
                // The result of a failed operation is its error; a status document never fails so. Azure may still be at
                // work on the resource all the same: nothing that needs it goes on before it rests.
                Some(400 | 409 | 412 | 422) if matches!(self.poll, Poll::Location { .. }) => {
                    error.method = self.operation.method;
                    let error = self.told(error);
                    if self.operation.method == Method::Post {
                        return Err(error);
                    }
                    self.verdict = Some(error);
                    self.poll = Poll::Resource;
                    return Ok(Next::Now);
                }
                Some(status) => {
                    self.refused += 1;
                    if self.refused > if status >= 500 { BROKEN } else { REFUSED } {
                        return self.watch_the_resource(error);
                    }
                }
            }
        }
        self.trouble = Some(error);
        Ok(Next::Pause(pause))
    }

    /// What an operation no longer tells, its resource does: whether Azure is still at work on it.
    fn watch_the_resource(&mut self, error: Error) -> Result<Next> {
        if self.operation.method == Method::Post || self.poll == Poll::Resource {
            let error = self.verdict.take().unwrap_or(error);
            return Err(self.told(error));
        }
        self.poll = Poll::Resource;
        (self.refused, self.missing) = (0, 0);
        self.trouble = Some(error);
        Ok(Next::Now)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::scripted::{ARM, ID, Line, Script, line, lost};
    use serde_json::json;

    const HOUR: Duration = Duration::from_secs(3600);

    fn status(status: &str) -> Value {
        json!({"status": status})
    }

    fn state(state: &str) -> Value {
        json!({"id": ID, "properties": {"provisioningState": state}})
    }

    fn operation(method: Method, poll: Poll, finish: Finish) -> Operation {
        Operation { method, id: ID.into(), api_version: "1".into(), poll, finish, first_look_ms: None }
    }

    fn creation() -> Operation {
        let url = format!("{ARM}/op?t=1&s=signed");
        operation(Method::Put, Poll::AsyncOperation { url }, Finish::Resource)
    }

    fn at(path: &str) -> Poll {
        Poll::Location { url: format!("{ARM}{path}") }
    }

    /// Waits for an operation and says what came of it, and when requests were sent.
    async fn follow(operation: &Operation, lines: Vec<Line>) -> (Result<Option<Value>>, Vec<u64>) {
        let (client, script) = Script::client(lines);
        let outcome = client.wait(operation, |_| {}, HOUR).await;
        (outcome.map(|finished| finished.body), script.times())
    }

    #[test]
    fn waiting_may_move_between_threads() {
        fn movable<T: Send>(_: T) {}
        let operation = creation();
        movable(async move {
            let (client, _) = Script::client(Vec::new());
            let _ = client.wait(&operation, |_| {}, HOUR).await;
            let _ = client.put_and_wait(ID, "1", &json!({}), &Conditions::none(), HOUR).await;
            let _ = client.list(ID, "1", &[]).await;
        });
    }

    #[tokio::test(start_paused = true)]
    async fn operations_are_followed_at_azures_pace_and_the_resource_is_read() {
        let (client, script) = Script::client(vec![
            line("PUT ID", 201, state("Creating"))
                .with("azure-asyncoperation", "/op?t=1")
                .with("retry-after", "3"),
            line("GET /op", 200, json!({"status": "InProgress", "percentComplete": 40.0}))
                .with("retry-after", "20"),
            line("GET /op", 200, status("Creating")),
            line("GET /op", 200, json!({"status": "Succeeded", "error": {"code": "None", "message": null}})),
            line("GET ID", 200, state("Updating")).with("retry-after", "2"),
            line("GET ID", 200, json!({"id": ID, "etag": "e"})),
        ]);
        let Started::Running(operation) = client.put(ID, "1", &json!({}), &Conditions::none()).await.unwrap()
        else {
            panic!("it should be running");
        };
        let mut seen = Vec::new();
        let finished =
            client.wait(&operation, |p| seen.push((p.status.clone(), p.percent)), HOUR).await.unwrap();
        assert_eq!(finished.etag.as_deref(), Some("e"));
        assert_eq!(script.times(), [0, 3, 23, 33, 33, 35]);
        assert_eq!(
            seen,
            [("InProgress".into(), Some(40.0)), ("Creating".into(), None), ("Updating".into(), None)]
        );
        assert!(
            script.sent.lock().unwrap()[1].1.url.ends_with("/op?t=1"),
            "operation URLs are used as they are"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn storage_and_groups_use_location() {
        let put = operation(Method::Put, at("/res"), Finish::Resource);
        let (outcome, times) = follow(
            &put,
            vec![
                line("GET /res", 202, Value::Null).with("location", "/moved").with("retry-after", "17"),
                line("GET /moved", 200, state("Succeeded")),
                line("GET ID", 200, json!({"id": ID})),
            ],
        )
        .await;
        assert_eq!(outcome.unwrap(), Some(json!({"id": ID})));
        assert_eq!(times, [10, 27, 27]);

        let delete = operation(Method::Delete, at("/res"), Finish::Absence);
        let (outcome, _) = follow(
            &delete,
            vec![
                line("GET /res", 202, Value::Null),
                line("GET /res", 200, Value::Null),
                line("GET ID", 200, state("Deleting")),
                line("GET ID", 404, json!({"error": {"code": "ResourceNotFound"}})),
            ],
        )
        .await;
        assert_eq!(outcome.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn actions_find_their_result() {
        let cases = [
            (
                operation(Method::Post, at("/res"), Finish::LastPoll),
                vec![line("GET /res", 200, json!({"a": 1}))],
            ),
            (
                operation(Method::Post, Poll::AsyncOperation { url: format!("{ARM}/op") }, Finish::LastPoll),
                vec![line("GET /op", 200, json!({"status": "Succeeded", "properties": {"a": 1}}))],
            ),
            (
                operation(
                    Method::Post,
                    Poll::AsyncOperation { url: format!("{ARM}/op") },
                    Finish::Location { url: format!("{ARM}/res") },
                ),
                vec![line("GET /op", 200, status("succeeded")), line("GET /res", 200, json!({"a": 1}))],
            ),
        ];
        for (operation, lines) in cases {
            assert_eq!(follow(&operation, lines).await.0.unwrap(), Some(json!({"a": 1})));
        }
        let abort = operation(Method::Post, at("/res"), Finish::LastPoll);
        assert_eq!(follow(&abort, vec![line("GET /res", 204, Value::Null)]).await.0.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_told_apart() {
        let failed = |code: &str| json!({"status": "Failed", "error": {"code": code, "message": "m"}});
        for (status, body, kind) in [
            (200, failed("PreconditionFailed"), ErrorKind::Conflict),
            (200, failed("QuotaExceeded"), ErrorKind::Invalid),
            (200, failed("InternalServerError"), ErrorKind::Transient),
            (200, failed("AnotherOperationInProgress"), ErrorKind::Busy),
            (200, json!({"status": "Failed"}), ErrorKind::Invalid),
            (200, json!({"status": "Canceled"}), ErrorKind::Cancelled),
            (
                200,
                json!({"status": "cancelled", "error": {"code": "OperationPreempted", "message": "m"}}),
                ErrorKind::Cancelled,
            ),
        ] {
            let error = follow(&creation(), vec![line("GET /op", status, body.clone())]).await.0.unwrap_err();
            assert_eq!(error.kind, kind, "{body}");
            assert_eq!((error.method, &*error.url, error.elapsed.as_secs()), (Method::Put, ID, 10));
        }
        let conflict = json!({"error": {"code": "ScopeLocked", "message": "m"}});
        let delete = operation(Method::Delete, at("/res"), Finish::Absence);
        let rests = line("GET ID", 200, state("Succeeded"));
        let error = follow(&delete, vec![line("GET /res", 409, conflict), rests]).await.0.unwrap_err();
        assert_eq!(
            (error.kind.clone(), error.method),
            (ErrorKind::Denied(super::super::Denial::Lock), Method::Delete)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_status_that_cannot_be_read_is_not_a_failed_operation() {
        let mut lines = vec![
            line("GET /op", 404, json!({"error": {"code": "NotFound"}})),
            lost("GET /op"),
            line("GET /op", 500, Value::Null),
            line("GET /op", 429, Value::Null).with("retry-after", "30"),
            line("GET /op", 403, Value::Null),
            line("GET /op", 401, Value::Null),
        ];
        lines.push(line("GET /op", 200, status("Succeeded")));
        lines.push(line("GET ID", 200, json!({"id": ID})));
        let (outcome, times) = follow(&creation(), lines).await;
        assert_eq!(outcome.unwrap(), Some(json!({"id": ID})));
        assert_eq!(times, [10, 20, 30, 40, 70, 80, 80, 80]);

        let looks = |ask: &'static str| (0..4).map(move |_| line(ask, 403, Value::Null));
        let lines = looks("GET /op").chain(looks("GET ID")).collect();
        let error = follow(&creation(), lines).await.0.unwrap_err();
        assert_eq!(error.status, Some(403));
    }

    #[tokio::test(start_paused = true)]
    async fn a_forgotten_operation_is_told_by_the_resource() {
        let forgotten = || line("GET /op", 404, json!({"error": {"code": "OperationNotFound"}}));
        let mut lines: Vec<_> = (0..4).map(|_| forgotten()).collect();
        lines.push(line("GET ID", 200, state("Creating")));
        lines.push(line("GET ID", 200, state("Succeeded")));
        let (outcome, times) = follow(&creation(), lines).await;
        assert_eq!(outcome.unwrap(), Some(state("Succeeded")));
        assert_eq!(times, [10, 20, 30, 40, 40, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_no_longer_tells_leaves_the_resource_to_be_watched() {
        for (status, refusals) in [(400, 4), (401, 4), (403, 4), (500, 11), (503, 11)] {
            let code = json!({"error": {"code": "Broken", "message": "m"}});
            let mut lines: Vec<Line> = (0..refusals).map(|_| line("GET /op", status, code.clone())).collect();
            if status == 401 {
                // A refused token is replaced once at every look.
                lines = (0..2 * refusals).map(|_| line("GET /op", status, code.clone())).collect();
            }
            lines.push(line("GET ID", 200, state("Updating")));
            lines.push(line("GET ID", 200, state("Updating")));
            lines.push(line("GET ID", 200, state("Succeeded")));
            let (outcome, _) = follow(&creation(), lines).await;
            assert!(outcome.unwrap().is_some(), "{status}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_result_that_is_an_error_is_told_when_the_resource_rests() {
        for status in [400, 409, 412, 422] {
            let change = operation(Method::Put, at("/op"), Finish::Resource);
            let refused = json!({"error": {"code": "QuotaExceeded", "message": "m"}});
            let (outcome, _) = follow(
                &change,
                vec![
                    line("GET /op", status, refused),
                    line("GET ID", 200, state("Updating")),
                    line("GET ID", 200, state("Succeeded")),
                ],
            )
            .await;
            assert_eq!(outcome.unwrap_err().code.as_deref(), Some("QuotaExceeded"), "{status}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_in_place_of_a_status_is_looked_past() {
        let page = || {
            let mut page = line("GET /op", 200, Value::Null);
            page.replace_body("<html>one moment</html>");
            page
        };
        let (outcome, _) = follow(
            &creation(),
            vec![page(), line("GET /op", 200, status("Succeeded")), line("GET ID", 200, state("Succeeded"))],
        )
        .await;
        assert!(outcome.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_the_resource_does_not_say_that_it_rests() {
        for body in [json!({}), json!({"message": "one moment"}), json!([]), Value::Null] {
            let (outcome, _) = follow(
                &operation(Method::Put, Poll::Resource, Finish::Resource),
                vec![
                    line("GET ID", 200, body.clone()),
                    line("GET ID", 200, state("Updating")),
                    line("GET ID", 200, state("Succeeded")),
                ],
            )
            .await;
            assert_eq!(outcome.unwrap(), Some(state("Succeeded")), "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn deletion_by_reading_ends_with_absence() {
        let delete = operation(Method::Delete, Poll::Resource, Finish::Absence);
        let (outcome, _) = follow(
            &delete,
            vec![
                // It had failed before it was deleted.
                line("GET ID", 200, state("Failed")),
                line("GET ID", 200, state("Deleting")),
                line("GET ID", 404, json!({"error": {"code": "NotFound"}})),
            ],
        )
        .await;
        assert_eq!(outcome.unwrap(), None);
        let stuck = (0..4).map(|_| line("GET ID", 200, state("Failed"))).collect();
        assert!(follow(&delete, stuck).await.0.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn time_runs_out_with_a_reason() {
        let (client, script) = Script::client(vec![
            line("GET /op", 200, status("Creating")).with("retry-after", "100"),
            lost("GET /op"),
        ]);
        let error = client.wait(&creation(), |_| {}, Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(script.times(), [10, 60]);
        assert_eq!(error.kind, ErrorKind::TimedOut);
        let text = error.to_string();
        assert!(text.contains("still Creating after 1 min") && text.contains("connection reset"), "{text}");
        assert!(!text.contains("signed"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_written_down_operation_is_followed_by_another_client() {
        let kept = serde_json::to_string(&creation()).unwrap();
        let resumed: Operation = serde_json::from_str(&kept).unwrap();
        let lines = vec![line("GET /op", 200, status("Succeeded")), line("GET ID", 200, json!({"id": ID}))];
        assert_eq!(follow(&resumed, lines).await.0.unwrap(), Some(json!({"id": ID})));
    }
}
