//! The one path that every exchange takes.

use super::client::{Client, UNCONDITIONAL};
use super::codes::{Evidence, classify};
use super::envelope::Envelope;
use super::error::{Error, ErrorKind, Result};
use super::request::{Conditions, subscription};
use super::retry::{Attempt, mix, retry_after};
use super::throttle::{OperationClass, Permit, Urgency};
use super::token::Bearer;
use super::trace::Exchange;
use super::transport::{Headers, Method, Request, Response};
use bytes::Bytes;
use serde_json::Value;
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// One request to make, as often as it takes.
pub(super) struct Call<'a> {
    pub method: Method,
    pub url: String,
    pub body: Bytes,
    pub conditions: &'a Conditions,
    pub retry_mode: RetryMode,
}

impl Call<'_> {
    /// The method whose rules for repeating and counting hold.
    const fn repeats_as(&self) -> Method {
        match self.retry_mode {
            RetryMode::Query => Method::Get,
            RetryMode::Retry | RetryMode::Once => self.method,
        }
    }
}

/// Whether a request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryMode {
    /// As the options say.
    Retry,
    /// Sent once: the caller has a rhythm of its own.
    Once,
    /// A POST that only asks: repeated as a read is, and counted as one.
    Query,
}

impl Client {
    /// Reads a URL of ARM.
    pub(super) async fn read(&self, url: String, retry_mode: RetryMode) -> Result<Response> {
        let call =
            Call { method: Method::Get, url, body: Bytes::new(), conditions: UNCONDITIONAL, retry_mode };
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
        let announced = self.writes.filter(|_| !matches!(call.method, Method::Get | Method::Head));
        let request_id = announced.unwrap_or_else(|| self.next_request_id());
        let mut number = 0;
        let mut refused = false;
        // Being told to wait does not count against the patience with failures.
        let (mut throttled, mut stumbled) = (0, 0);
        loop {
            number += 1;
            let (mut error, bearer, permit) = match self.once(&call, &request_id, number).await? {
                Once::Answer(response) => return Ok(response),
                Once::Failure(error, bearer, permit) => (error, bearer, permit),
            };
            error.attempts = number;
            error.elapsed = inner.clock.now().since(started);
            error.correlation_id.get_or_insert_with(|| inner.options.correlation_id.clone());
            // A token can be withdrawn before its time; a fresh one deserves one try.
            if error.status == Some(401) && !refused {
                refused = true;
                inner.tokens.refuse(&bearer);
                continue;
            }
            let alike = if error.kind == ErrorKind::Throttled { &mut throttled } else { &mut stumbled };
            *alike += 1;
            let attempt = Attempt {
                method: call.repeats_as(),
                number: *alike,
                status: error.status,
                kind: &error.kind,
                retry_after: error.retry_after,
                seed: request_id.as_u64_pair().0,
            };
            let repeats = call.retry_mode != RetryMode::Once;
            let Some(pause) = inner.options.retry.pause(&attempt).filter(|_| repeats) else {
                if inner.options.retry.asks_too_much(&attempt) {
                    let asked = error.retry_after.unwrap_or_default().as_secs();
                    let limit = inner.options.retry.longest_retry_after.as_secs();
                    error.remedy = Some(format!(
                        "Azure asks to wait {asked} s, and berth waits {limit} s at most: run again later, or raise \
                         the limit with BERTH_MAX_WAIT_SECONDS"
                    ));
                }
                return Err(error);
            };
            tracing::debug!(method = %call.method, url = %error.url, attempt = number, ?pause, "repeating");
            drop(permit);
            inner.clock.sleep(pause).await;
        }
    }

    async fn once(&self, call: &Call<'_>, request_id: &Uuid, number: u32) -> Result<Once> {
        let inner = &*self.inner;
        let bearer = match inner.tokens.bearer().await {
            Ok(bearer) => bearer,
            Err(error) => return Err(Error::signing_in(call.method, &call.url, &error)),
        };
        let class = OperationClass::of(call.repeats_as());
        // What is read in a rhythm of its own is an operation that is looked at.
        let urgency = match (call.retry_mode, call.method) {
            (RetryMode::Once, Method::Get) => Urgency::Patient,
            _ => Urgency::Usual,
        };
        let permit = inner.throttle.acquire(subscription(&call.url), class, urgency).await;
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
                    let retry = &inner.options.retry;
                    permit.hold(error.retry_after.unwrap_or(retry.first).min(retry.longest_retry_after));
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

    pub(super) fn next_request_id(&self) -> Uuid {
        request_id(&self.inner.run, self.inner.count.fetch_add(1, Ordering::Relaxed))
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
        } else if matches!(call.method, Method::Post | Method::Put | Method::Patch) {
            // Azure's front end answers 411 over HTTP/1.1 to a write that does not say how long it is.
            headers.set("content-length", "0");
        }
        request
    }

    /// The error that a response is.
    fn refusal(&self, call: &Call<'_>, response: &Response) -> Error {
        let envelope = Envelope::parse(&response.body);
        let asked = retry_after(&response.headers, self.now());
        let kind = if response.status < 400 {
            ErrorKind::Protocol
        } else {
            classify(&Evidence {
                status: Some(response.status),
                url: &call.url,
                envelope: &envelope,
                retry_after: asked.is_some(),
            })
        };
        let mut error = Error::new(kind, call.method, &call.url, "");
        fill(&mut error, envelope, Some(&response.headers));
        if response.status < 400 {
            error.message = redirect(response.headers.get("location"));
        }
        error.status = Some(response.status);
        error.retry_after = asked;
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

/// What is said of a redirect: where it leads, without what may be secret there.
fn redirect(location: Option<&str>) -> String {
    let place = location.and_then(|url| url::Url::parse(url).ok()).filter(url::Url::has_host);
    match place {
        Some(url) => {
            let host = url.host_str().unwrap_or_default();
            format!("berth follows no redirects: {}://{host}{}", url.scheme(), url.path())
        }
        None => "berth follows no redirects".to_owned(),
    }
}

/// Whether ARM itself refused, not the provider behind it.
fn is_arms_own(response: &Response, error: &Error) -> bool {
    response.headers.get("x-ms-failure-cause").is_some_and(|cause| cause.eq_ignore_ascii_case("gateway"))
        || error.has_code("SubscriptionRequestsThrottled")
}

/// The id of a request: the run's id and a count, so that a rehearsal repeats itself exactly.
fn request_id(run: &Uuid, sequence: u64) -> Uuid {
    let (high, low) = run.as_u64_pair();
    let pair = Uuid::from_u64_pair(mix(high ^ mix(sequence)), mix(low.wrapping_add(sequence)));
    uuid::Builder::from_random_bytes(pair.into_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::scripted::{ID, Script, line, lost};
    use serde_json::json;
    use std::time::Duration;

    fn error(code: &str) -> Value {
        json!({"error": {"code": code, "message": "m"}})
    }

    #[tokio::test(start_paused = true)]
    async fn stumbles_are_repeated_and_remembered() {
        let (client, script) = Script::client(vec![
            lost("GET ID"),
            line("GET ID", 503, Value::Null).with("Retry-After", "20"),
            line("GET ID", 200, json!({"id": ID})),
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
    async fn a_wait_without_end_is_not_waited_and_holds_nobody_else_back_for_longer() {
        let years = "999999999";
        for status in [429, 503] {
            let (client, script) = Script::client(vec![
                line("GET ID", status, error("SubscriptionRequestsThrottled")).with("Retry-After", years),
                line("GET ID", 200, json!({"id": ID})),
            ]);
            let error = client.get(ID, "1").await.unwrap_err();
            assert_eq!((error.attempts, error.status), (1, Some(status)));
            let told = error.hint().unwrap();
            assert!(told.contains(years) && told.contains("BERTH_MAX_WAIT_SECONDS"), "{told}");
            client.get(ID, "1").await.unwrap();
            assert!(script.times()[1] <= 600, "{:?}", script.times());
        }
        // What would not be repeated anyway does not blame the wait.
        let (client, _) =
            Script::client(vec![line("PUT ID", 409, error("Conflict")).with("Retry-After", years)]);
        let error = client.put(ID, "1", &json!({}), UNCONDITIONAL).await.unwrap_err();
        assert!(!error.hint().unwrap_or_default().contains("BERTH_MAX_WAIT"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn actions_are_not_repeated_when_their_outcome_is_unknown() {
        let (client, _) = Script::client(vec![lost("POST ID/purge")]);
        let error = client.post(&format!("{ID}/purge"), "1", None).await.unwrap_err();
        assert_eq!((error.kind.clone(), error.attempts), (ErrorKind::Connection, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_replaced_once() {
        let refusal = || line("GET ID", 401, error("ExpiredAuthenticationToken"));
        let (client, _) = Script::client(vec![refusal(), line("GET ID", 200, json!({"id": ID}))]);
        assert!(client.get(ID, "1").await.unwrap().is_some());
        let (client, script) = Script::client(vec![refusal(), refusal()]);
        assert_eq!(client.get(ID, "1").await.unwrap_err().kind, ErrorKind::AuthenticationFailed);
        assert_eq!(script.times(), [0, 0]);
    }

    #[test]
    fn request_ids_differ_and_repeat() {
        let run = Uuid::from_u64_pair(1, 2);
        let ids: std::collections::HashSet<_> = (0..1000).map(|n| request_id(&run, n)).collect();
        assert_eq!(ids.len(), 1000);
        assert_eq!(request_id(&run, 7), request_id(&run, 7));
        assert_eq!(request_id(&run, 7).get_version_num(), 4);
    }
}
