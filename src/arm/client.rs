//! The client: verbs, and the one path every exchange takes.

use super::codes::{Evidence, classify};
use super::endpoint::Endpoint;
use super::envelope::{Envelope, json};
use super::error::{Error, ErrorKind, Result};
use super::lro::{Answer, Operation, Verdict, begin};
use super::request::{Conditions, subscription, url};
use super::retry::{Attempt, RetryOptions, retry_after};
use super::throttle::{Headroom, OperationClass, Permit, Throttle};
use super::token::{Bearer, Caller, TokenCache, TokenSource};
use super::trace::{Exchange, Trace};
use super::transport::{Headers, Method, Request, Response, Transport};
use crate::host::{Clock, Timestamp};
use bytes::Bytes;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// How the client behaves.
#[derive(Clone)]
pub struct Options {
    /// Where ARM listens (`https://management.azure.com`).
    pub endpoint: String,
    /// The scope of the tokens to send.
    pub scope: String,
    /// How many requests may be under way at once.
    pub max_in_flight: usize,
    /// How stubbornly requests are repeated.
    pub retry: RetryOptions,
    /// How long to wait between looks at an operation when Azure does not say.
    pub poll_default: Duration,
    /// What the client calls itself.
    pub user_agent: String,
    /// The id that groups all calls of one run in the activity log; a UUID.
    pub correlation_id: String,
    /// Told of every exchange.
    pub trace: Option<Arc<dyn Trace>>,
}

impl Default for Options {
    fn default() -> Self {
        let cloud = super::cloud::Cloud::Public;
        Options {
            endpoint: cloud.endpoint().to_owned(),
            scope: cloud.scope().to_owned(),
            max_in_flight: 32,
            retry: RetryOptions::default(),
            poll_default: Duration::from_secs(10),
            user_agent: concat!("berth/", env!("CARGO_PKG_VERSION")).to_owned(),
            correlation_id: Uuid::new_v4().to_string(),
            trace: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("endpoint", &self.endpoint)
            .field("max_in_flight", &self.max_in_flight)
            .field("correlation_id", &self.correlation_id)
            .finish_non_exhaustive()
    }
}

/// A resource as Azure holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The whole body.
    pub body: Value,
    /// Its etag, from the header or else from the body.
    pub etag: Option<String>,
}

/// How a write began.
#[derive(Debug, Clone, PartialEq)]
pub enum Started {
    /// It is done; this is what Azure answered.
    Done(Option<Value>),
    /// Azure works on it.
    Running(Operation),
}

/// Talks to ARM. Clones share the connection, the token and the request budget.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Arc<dyn Transport>,
    tokens: TokenCache,
    clock: Clock,
    endpoint: Endpoint,
    throttle: Throttle,
    options: Options,
    /// Request ids are made from the run's id and a count, so that a rehearsal repeats itself exactly.
    run: Uuid,
    count: AtomicU64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

/// One request to make, as often as it takes.
pub(super) struct Call<'a> {
    pub method: Method,
    pub url: String,
    pub body: Bytes,
    pub conditions: &'a Conditions,
    pub stubbornness: Stubbornness,
}

/// Whether a request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stubbornness {
    /// As the options say.
    Retry,
    /// Sent once: the caller has a rhythm of its own.
    Once,
}

const UNCONDITIONAL: &Conditions = &Conditions::none();

impl Client {
    /// A client that sends through `transport` and tells time by `clock`.
    pub fn new(
        transport: Arc<dyn Transport>,
        token: Arc<dyn TokenSource>,
        clock: Clock,
        options: Options,
    ) -> Self {
        let run = Uuid::try_parse(&options.correlation_id)
            .unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, options.correlation_id.as_bytes()));
        let inner = Inner {
            transport,
            tokens: TokenCache::new(token, options.scope.clone(), clock.clone()),
            endpoint: Endpoint::new(&options.endpoint),
            throttle: Throttle::new(clock.clone(), options.max_in_flight),
            clock,
            options,
            run,
            count: AtomicU64::new(0),
        };
        Client { inner: Arc::new(inner) }
    }

    /// Reads a resource; `None` when it, its parent or its group does not exist.
    ///
    /// # Errors
    /// When the resource cannot be read, or its type or subscription does not exist.
    pub async fn get(&self, id: &str, api_version: &str) -> Result<Option<Resource>> {
        let url = self.url(id, api_version, &[]);
        match self.read(url, Stubbornness::Retry).await {
            Ok(response) => Ok(Some(resource(Method::Get, id, &response)?)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates or replaces a resource.
    ///
    /// # Errors
    /// When Azure refuses, or the outcome stays unknown.
    pub async fn put(
        &self,
        id: &str,
        api_version: &str,
        body: &Value,
        conditions: &Conditions,
    ) -> Result<Started> {
        self.write(Method::Put, id, api_version, Some(body), conditions).await
    }

    /// Changes a resource in part.
    ///
    /// # Errors
    /// When Azure refuses, or the outcome stays unknown.
    pub async fn patch(
        &self,
        id: &str,
        api_version: &str,
        body: &Value,
        conditions: &Conditions,
    ) -> Result<Started> {
        self.write(Method::Patch, id, api_version, Some(body), conditions).await
    }

    /// Removes a resource; one that does not exist is as good as removed.
    ///
    /// # Errors
    /// When Azure refuses, or the outcome stays unknown.
    pub async fn delete(&self, id: &str, api_version: &str, conditions: &Conditions) -> Result<Started> {
        match self.write(Method::Delete, id, api_version, None, conditions).await {
            Err(error) if is_absent(&error) => Ok(Started::Done(None)),
            outcome => outcome,
        }
    }

    /// Carries out an action. It is not repeated when its outcome is unknown.
    ///
    /// # Errors
    /// When Azure refuses, or the outcome stays unknown.
    pub async fn post(&self, path: &str, api_version: &str, body: Option<&Value>) -> Result<Started> {
        self.write(Method::Post, path, api_version, body, UNCONDITIONAL).await
    }

    /// How much room there is for requests of a class to a subscription.
    pub fn headroom(&self, subscription: &str, class: OperationClass) -> Headroom {
        self.inner.throttle.headroom(subscription, class)
    }

    /// Whom requests are made for, as far as the token says.
    ///
    /// # Errors
    /// When there is no token to be had.
    pub async fn caller(&self) -> Result<Option<Caller>> {
        self.inner.tokens.caller().await.map_err(|error| {
            Error::new(
                ErrorKind::AuthenticationFailed,
                Method::Get,
                self.inner.endpoint.base(),
                error.to_string(),
            )
        })
    }

    /// The id that groups the calls of this client in the activity log.
    pub fn correlation_id(&self) -> &str {
        &self.inner.options.correlation_id
    }

    async fn write(
        &self,
        method: Method,
        id: &str,
        api_version: &str,
        body: Option<&Value>,
        conditions: &Conditions,
    ) -> Result<Started> {
        let url = self.url(id, api_version, &[]);
        let body = match body.map(serde_json::to_vec) {
            None => Bytes::new(),
            Some(Ok(bytes)) => Bytes::from(bytes),
            Some(Err(error)) => return Err(Error::new(ErrorKind::Invalid, method, &url, error.to_string())),
        };
        let call = Call { method, url, body, conditions, stubbornness: Stubbornness::Retry };
        let response = self.send(call).await?;
        let body = body_of(method, id, &response)?;
        let answer = Answer {
            status: response.status,
            headers: &response.headers,
            body: body.as_ref(),
            retry_after: retry_after(&response.headers, self.now()),
        };
        match begin(&self.inner.endpoint, method, id, api_version, &answer) {
            Verdict::Done => Ok(Started::Done(body)),
            Verdict::Running(operation) => Ok(Started::Running(operation)),
            Verdict::Failed => Err(self.failure(method, id, None, body.as_ref())),
        }
    }

    pub(super) fn url(&self, path: &str, api_version: &str, query: &[(&str, &str)]) -> String {
        url(self.inner.endpoint.base(), path, api_version, query)
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    pub(super) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        self.inner.clock.sleep(duration).await;
    }

    /// Reads a URL of ARM.
    pub(super) async fn read(&self, url: String, stubbornness: Stubbornness) -> Result<Response> {
        let call =
            Call { method: Method::Get, url, body: Bytes::new(), conditions: UNCONDITIONAL, stubbornness };
        self.send(call).await
    }

    /// Sends a request until it succeeds, must not be repeated, or has been repeated often enough.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Response> {
        let inner = &*self.inner;
        if !inner.endpoint.owns(&call.url) || !inner.endpoint.protects_tokens() {
            let message = "a token may only be sent to ARM itself, encrypted or to this machine";
            return Err(Error::new(ErrorKind::Protocol, call.method, &call.url, message));
        }
        let started = inner.clock.now();
        let sequence = inner.count.fetch_add(1, Ordering::Relaxed);
        let request_id = Uuid::new_v5(&inner.run, &sequence.to_be_bytes());
        let mut number = 0;
        let mut refused = false;
        let mut acted_maybe = false;
        loop {
            number += 1;
            let (mut error, bearer, permit) = match self.once(&call, &request_id, number).await? {
                Once::Answer(response) => return Ok(response),
                Once::Failure(error, bearer, permit) => (error, bearer, permit),
            };
            let ambiguous = error.status.is_none_or(|status| status >= 500 || status == 408);
            if error.status == Some(412) && acted_maybe {
                // The condition may have been broken by our own earlier attempt, whose answer was lost.
                error.kind = ErrorKind::Busy;
            }
            acted_maybe |= ambiguous;
            error.attempts = number;
            error.elapsed = inner.clock.now().since(started);
            error.correlation_id.get_or_insert_with(|| inner.options.correlation_id.clone());
            if call.stubbornness == Stubbornness::Once {
                return Err(error);
            }
            // A token can be withdrawn before its time; a fresh one deserves one try.
            if error.status == Some(401) && !refused {
                refused = true;
                inner.tokens.refuse(&bearer);
                continue;
            }
            let attempt = Attempt {
                method: call.method,
                number,
                status: error.status,
                kind: &error.kind,
                retry_after: error.retry_after,
                seed: request_id.as_u64_pair().0,
            };
            let Some(pause) = inner.options.retry.pause(&attempt) else { return Err(error) };
            tracing::debug!(method = %call.method, url = %error.url, attempt = number, ?pause, "repeating");
            drop(permit);
            inner.clock.sleep(pause).await;
        }
    }

    async fn once(&self, call: &Call<'_>, request_id: &Uuid, number: u32) -> Result<Once> {
        let inner = &*self.inner;
        let bearer = match inner.tokens.bearer().await {
            Ok(bearer) => bearer,
            Err(error) => {
                let kind = ErrorKind::AuthenticationFailed;
                return Err(Error::new(kind, call.method, &call.url, error.to_string()));
            }
        };
        let class = OperationClass::of(call.method);
        let permit = inner.throttle.acquire(subscription(&call.url), class).await;
        let request = self.request(call, &bearer, request_id);
        let sent = inner.clock.now();
        let copy = inner.options.trace.is_some().then(|| request.clone());
        let outcome = inner.transport.send(request).await;
        if let (Some(trace), Some(request)) = (&inner.options.trace, copy) {
            trace.record(&Exchange::new(sent, inner.clock.now().since(sent), number, &request, &outcome));
        }
        match outcome {
            Ok(response) if response.is_success() => {
                permit.learn(&response.headers);
                Ok(Once::Answer(response))
            }
            Ok(response) => {
                permit.learn(&response.headers);
                let error = self.refusal(call, &response);
                if error.kind == ErrorKind::Throttled && is_arms_own(&response, &error) {
                    permit.hold(error.retry_after.unwrap_or(inner.options.retry.first));
                }
                Ok(Once::Failure(error, bearer, permit))
            }
            Err(lost) => {
                let kind = if lost.retryable { ErrorKind::Connection } else { ErrorKind::Protocol };
                let error = Error::new(kind, call.method, &call.url, lost.reason);
                Ok(Once::Failure(error, bearer, permit))
            }
        }
    }

    fn request(&self, call: &Call<'_>, bearer: &Bearer, request_id: &Uuid) -> Request {
        let options = &self.inner.options;
        let mut request = Request::new(call.method, call.url.clone());
        let headers = &mut request.headers;
        headers.set("authorization", &*bearer.header);
        headers.set("accept", "application/json");
        headers.set("user-agent", options.user_agent.as_str());
        headers.set("x-ms-client-request-id", request_id.as_hyphenated().to_string());
        headers.set("x-ms-correlation-request-id", options.correlation_id.as_str());
        call.conditions.apply(headers);
        if !call.body.is_empty() {
            headers.set("content-type", "application/json");
            request.body = call.body.clone();
        }
        request
    }

    /// The error that a response is.
    fn refusal(&self, call: &Call<'_>, response: &Response) -> Error {
        let envelope = Envelope::parse(&response.body);
        let wish = retry_after(&response.headers, self.now());
        let kind = if response.status < 400 {
            ErrorKind::Protocol
        } else {
            classify(&Evidence {
                status: Some(response.status),
                url: &call.url,
                envelope: &envelope,
                retry_after: wish.is_some(),
            })
        };
        let mut error = Error::new(kind, call.method, &call.url, "");
        fill(&mut error, envelope, Some(&response.headers));
        error.status = Some(response.status);
        error.retry_after = wish;
        error
    }

    /// The error that a failed operation or resource is.
    pub(super) fn failure(
        &self,
        method: Method,
        url: &str,
        headers: Option<&Headers>,
        body: Option<&Value>,
    ) -> Error {
        let envelope = body.map(Envelope::from_value).unwrap_or_default();
        let kind = classify(&Evidence { status: None, url, envelope: &envelope, retry_after: false });
        let mut error = Error::new(kind, method, url, "");
        fill(&mut error, envelope, headers);
        error.correlation_id.get_or_insert_with(|| self.inner.options.correlation_id.clone());
        error
    }
}

enum Once {
    Answer(Response),
    Failure(Error, Bearer, Permit),
}

fn fill(error: &mut Error, envelope: Envelope, headers: Option<&Headers>) {
    error.code = envelope.code;
    error.message = envelope.message.unwrap_or_default();
    error.target = envelope.target;
    error.details = envelope.details;
    error.policies = envelope.policies;
    let header = |name| headers.and_then(|h: &Headers| h.get(name)).map(str::to_owned);
    error.request_id = header("x-ms-request-id");
    error.correlation_id = header("x-ms-correlation-request-id");
}

/// Whether ARM itself refused, not the provider behind it.
fn is_arms_own(response: &Response, error: &Error) -> bool {
    response.headers.get("x-ms-failure-cause").is_some_and(|cause| cause.eq_ignore_ascii_case("gateway"))
        || error.has_code("SubscriptionRequestsThrottled")
}

/// Whether an error says that the resource addressed does not exist.
pub(super) fn is_absent(error: &Error) -> bool {
    matches!(error.status, Some(404 | 410)) && error.kind == ErrorKind::Gone
}

/// The body of a success, if it has one.
pub(super) fn body_of(method: Method, url: &str, response: &Response) -> Result<Option<Value>> {
    if response.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    match json(&response.body) {
        Some(body) => Ok(Some(body)),
        // A status without content is as good as none; some services send text with a 202.
        None if response.status != 200 => Ok(None),
        None => {
            let mut error = Error::new(ErrorKind::Protocol, method, url, "the answer is not JSON");
            error.status = Some(response.status);
            Err(error)
        }
    }
}

/// The resource that a response holds.
pub(super) fn resource(method: Method, url: &str, response: &Response) -> Result<Resource> {
    let body = body_of(method, url, response)?.unwrap_or_default();
    let etag = etag(&response.headers, &body);
    Ok(Resource { body, etag })
}

fn etag(headers: &Headers, body: &Value) -> Option<String> {
    let named = |name| body.get(name).and_then(Value::as_str);
    headers.get("etag").or_else(|| named("etag")).or_else(|| named("eTag")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::error::Denial;
    use crate::arm::scripted::{ID, Script, line, lost};
    use crate::arm::token::StaticToken;
    use crate::arm::transport::TransportError;
    use async_trait::async_trait;
    use serde_json::json;
    use std::sync::Mutex;

    fn error(code: &str) -> Value {
        json!({"error": {"code": code, "message": "m"}})
    }

    #[tokio::test(start_paused = true)]
    async fn absence_is_an_answer_and_a_wrong_address_is_not() {
        for code in ["ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound", "NotFound"] {
            let (client, _) = Script::client(vec![line("GET ID", 404, error(code))]);
            assert_eq!(client.get(ID, "1").await.unwrap(), None, "{code}");
        }
        for (code, kind) in [
            ("InvalidResourceType", ErrorKind::Invalid),
            ("SubscriptionNotFound", ErrorKind::Denied(Denial::Other)),
        ] {
            let (client, _) = Script::client(vec![line("GET ID", 404, error(code))]);
            assert_eq!(client.get(ID, "1").await.unwrap_err().kind, kind, "{code}");
        }
        let (client, _) = Script::client(vec![line("DELETE ID", 404, error("ResourceGroupNotFound"))]);
        assert_eq!(client.delete(ID, "1", UNCONDITIONAL).await.unwrap(), Started::Done(None));
    }

    #[tokio::test(start_paused = true)]
    async fn etags_come_from_the_header_or_the_body() {
        let (client, script) = Script::client(vec![
            line("GET ID", 200, json!({"etag": "body"})).with("ETag", "header"),
            line("GET ID", 200, json!({"etag": "body"})),
            line("PUT ID", 200, json!({})),
        ]);
        assert_eq!(client.get(ID, "1").await.unwrap().unwrap().etag.as_deref(), Some("header"));
        assert_eq!(client.get(ID, "1").await.unwrap().unwrap().etag.as_deref(), Some("body"));
        client.put(ID, "2", &json!({"a": 1}), &Conditions::matches("body")).await.unwrap();
        let sent = script.sent.lock().unwrap();
        let put = &sent[2].1;
        assert_eq!(put.url, format!("https://management.azure.com{ID}?api-version=2"));
        assert_eq!(&put.body[..], br#"{"a":1}"#);
        for (name, value) in [
            ("authorization", "Bearer t"),
            ("if-match", "body"),
            ("content-type", "application/json"),
            ("x-ms-correlation-request-id", "00000000-0000-0000-0000-00000000c0de"),
        ] {
            assert_eq!(put.headers.get(name), Some(value));
        }
        assert_eq!(sent[0].1.headers.get("content-type"), None);
        assert_ne!(
            sent[0].1.headers.get("x-ms-client-request-id"),
            sent[1].1.headers.get("x-ms-client-request-id")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn stumbles_are_repeated_and_remembered() {
        let (client, script) = Script::client(vec![
            lost("GET ID"),
            line("GET ID", 503, Value::Null).with("Retry-After", "20"),
            line("GET ID", 200, json!({})),
        ]);
        assert!(client.get(ID, "1").await.unwrap().is_some());
        let times = script.times();
        assert!(times[1] <= 1 && (20..=24).contains(&times[2]), "{times:?}");

        let (client, script) = Script::client((0..6).map(|_| line("GET ID", 500, Value::Null)).collect());
        let error = client.get(ID, "1").await.unwrap_err();
        assert_eq!((error.kind.clone(), error.attempts), (ErrorKind::Transient, 6));
        assert!(error.elapsed > Duration::from_secs(20), "{:?}", error.elapsed);
        assert_eq!(script.times().len(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_busy_is_not_repeated_and_what_is_throttled_is() {
        let body = &json!({});
        for (status, code) in [(409, "AnotherOperationInProgress"), (429, "RetryableError")] {
            let (client, _) =
                Script::client(vec![line("PUT ID", status, error(code)).with("Retry-After", "5")]);
            let error = client.put(ID, "1", body, UNCONDITIONAL).await.unwrap_err();
            assert_eq!((error.kind.clone(), error.attempts), (ErrorKind::Busy, 1), "{code}");
            assert_eq!(error.retry_after, Some(Duration::from_secs(5)));
        }
        let (client, script) = Script::client(vec![
            line("PUT ID", 429, error("SubscriptionRequestsThrottled")).with("Retry-After", "17"),
            line("PUT ID", 200, json!({})),
        ]);
        client.put(ID, "1", body, UNCONDITIONAL).await.unwrap();
        assert!((17..=19).contains(&script.times()[1]));
    }

    #[tokio::test(start_paused = true)]
    async fn actions_are_not_repeated_when_their_outcome_is_unknown() {
        let (client, _) = Script::client(vec![lost("POST ID/purge")]);
        let error = client.post(&format!("{ID}/purge"), "1", None).await.unwrap_err();
        assert_eq!((error.kind.clone(), error.attempts), (ErrorKind::Connection, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_condition_broken_by_a_lost_attempt_is_not_a_conflict() {
        let failed = || line("PUT ID", 412, error("PreconditionFailed"));
        let (client, _) = Script::client(vec![failed()]);
        let error = client.put(ID, "1", &json!({}), &Conditions::absent()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict);
        let (client, _) = Script::client(vec![lost("PUT ID"), failed()]);
        let error = client.put(ID, "1", &json!({}), &Conditions::absent()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Busy);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_replaced_once() {
        let refusal = || line("GET ID", 401, error("ExpiredAuthenticationToken"));
        let (client, _) = Script::client(vec![refusal(), line("GET ID", 200, json!({}))]);
        assert!(client.get(ID, "1").await.unwrap().is_some());
        let (client, script) = Script::client(vec![refusal(), refusal()]);
        assert_eq!(client.get(ID, "1").await.unwrap_err().kind, ErrorKind::AuthenticationFailed);
        assert_eq!(script.times(), [0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_resource_that_failed_at_once_is_a_failure() {
        let body = json!({"properties": {"provisioningState": "Failed", "provisioningError": {
            "code": "QuotaExceeded", "message": "no cores left"}}});
        let (client, _) = Script::client(vec![line("PUT ID", 200, body)]);
        let error = client.put(ID, "1", &json!({}), UNCONDITIONAL).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.to_string().contains("QuotaExceeded"), "{error}");
    }

    struct Always;

    #[async_trait]
    impl Transport for Always {
        async fn send(&self, _request: Request) -> Result<Response, TransportError> {
            Ok(Response::new(200, &br#"{"id":"x","properties":{"provisioningState":"Succeeded"}}"#[..]))
        }
    }

    fn client(endpoint: &str, trace: Option<Arc<dyn Trace>>) -> Client {
        let options = Options { endpoint: endpoint.to_owned(), trace, ..Options::default() };
        let clock = Clock::start_at(Timestamp(0), 1.0);
        Client::new(Arc::new(Always), Arc::new(StaticToken::new("t")), clock, options)
    }

    #[tokio::test]
    async fn tokens_do_not_travel_in_the_clear() {
        assert!(client("http://127.0.0.1:8080", None).get(ID, "1").await.is_ok());
        let error = client("http://sim.example:8080", None).get(ID, "1").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(client("nonsense", None).get(ID, "1").await.is_err());
    }

    #[tokio::test]
    async fn every_exchange_is_traced_without_the_token() {
        struct Lines(Mutex<Vec<String>>);
        impl Trace for Lines {
            fn record(&self, exchange: &Exchange) {
                self.0.lock().unwrap().push(serde_json::to_string(exchange).unwrap());
            }
        }
        let lines = Arc::new(Lines(Mutex::default()));
        client("https://management.azure.com", Some(lines.clone())).get(ID, "1").await.unwrap();
        let lines = lines.0.lock().unwrap();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains(r#""authorization":"(removed)""#), "{}", lines[0]);
    }

    /// A plan reads thousands of resources; the client must not be what it waits for.
    #[tokio::test]
    #[ignore = "measures: cargo test --release --lib arm::client -- --ignored --nocapture"]
    async fn ten_thousand_reads() {
        let client = client("https://management.azure.com", None);
        let clock = Clock::start(1.0);
        for _ in 0..10_000 {
            client.get(ID, "1").await.unwrap();
        }
        assert!(clock.elapsed() < Duration::from_millis(150), "{:?}", clock.elapsed());
    }
}
