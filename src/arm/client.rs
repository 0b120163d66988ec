//! The client and its verbs.

use super::endpoint::Endpoint;
use super::envelope::{excerpt, json};
use super::error::{Error, ErrorKind, Result};
use super::lro::{Answer, Operation, Verdict, begin};
use super::options::Options;
use super::request::{Conditions, url};
use super::retry::next_look;
use super::send::{Call, RetryMode};
use super::throttle::{Headroom, OperationClass, Throttle};
use super::token::{Caller, TokenCache, TokenSource};
use super::transport::{Headers, Method, Response, Transport};
use crate::host::{Clock, Timestamp};
use bytes::Bytes;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use uuid::Uuid;

/// A resource as Azure holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The whole body.
    pub body: Value,
    /// Its etag, from the header or else from the body.
    pub etag: Option<String>,
}

impl Resource {
    /// A resource as an item of a list: its etag is in the body or nowhere.
    pub fn listed(body: Value) -> Self {
        let named = |name| body.get(name).and_then(Value::as_str).map(str::to_owned);
        Resource { etag: named("etag").or_else(|| named("eTag")), body }
    }
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
    pub(super) inner: Arc<Inner>,
    /// Client request id for all writes, set by `announced`.
    pub(super) writes: Option<Uuid>,
    /// Whether a write is repeated.
    pub(super) retry_mode: RetryMode,
}

/// What all clones share.
pub(super) struct Inner {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) tokens: TokenCache,
    pub(super) clock: Clock,
    pub(super) endpoint: Endpoint,
    pub(super) throttle: Throttle,
    pub(super) options: Options,
    /// Request ids are made from the run's id and a count, so that a rehearsal repeats itself exactly.
    pub(super) run: Uuid,
    pub(super) count: AtomicU64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

pub(super) const UNCONDITIONAL: &Conditions = &Conditions::none();

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
        Client { inner: Arc::new(inner), writes: None, retry_mode: RetryMode::Retry }
    }

    /// This client, all of whose writes go by one `x-ms-client-request-id`, and that id: so that it can be written down
    /// before anything is sent. Azure's support finds a request by it.
    pub fn announced(&self) -> (Self, Uuid) {
        let id = self.next_request_id();
        (Client { writes: Some(id), ..self.clone() }, id)
    }

    /// This client, which sends every write once: who calls it looks again at what it is about before it does so again.
    pub fn unrepeated(&self) -> Self {
        Client { retry_mode: RetryMode::Once, ..self.clone() }
    }

    /// Reads a resource; `None` when it, its parent or its group does not exist.
    ///
    /// # Errors
    /// When the resource cannot be read, or its type or subscription does not exist.
    pub async fn get(&self, id: &str, api_version: &str) -> Result<Option<Resource>> {
        let answer = match shown_to_a_post(id) {
            true => self.asked(self.url(&format!("{id}/list"), api_version, &[])).await,
            false => self.read(self.url(id, api_version, &[]), RetryMode::Retry).await,
        };
        match answer {
            Ok(response) => Ok(Some(identified(id, &response)?)),
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

    /// The same, with what the request says besides its API version.
    ///
    /// # Errors
    /// When Azure refuses, or the outcome stays unknown.
    pub async fn put_saying(
        &self,
        id: &str,
        versioned: (&str, &[(&str, &str)]),
        body: &Value,
        conditions: &Conditions,
    ) -> Result<Started> {
        self.write_saying(Method::Put, id, versioned, Some(body), conditions).await
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

    /// Removes a resource; one that does not exist is as good as removed. `query` is what the request says besides its API
    /// version.
    ///
    /// # Errors
    /// When Azure refuses, or the outcome stays unknown.
    pub async fn delete(&self, id: &str, api_version: &str, query: &[(&str, &str)]) -> Result<Started> {
        match self.write_saying(Method::Delete, id, (api_version, query), None, UNCONDITIONAL).await {
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

    /// Reads what is neither a resource nor a list of items, such as the Kubernetes versions of a region.
    ///
    /// # Errors
    /// When Azure refuses, or answers something that is not JSON.
    pub async fn look_up(&self, path: &str, api_version: &str) -> Result<Option<Value>> {
        let url = self.url(path, api_version, &[]);
        let response = self.read(url.clone(), RetryMode::Retry).await?;
        body_of(Method::Get, &url, &response)
    }

    /// Asks for what Azure shows to a POST only. It changes nothing, so it is repeated as a read is.
    ///
    /// # Errors
    /// When Azure refuses.
    pub async fn ask(&self, path: &str, api_version: &str, query: &[(&str, &str)]) -> Result<Option<Value>> {
        let url = self.url(path, api_version, query);
        let response = self.asked(url.clone()).await?;
        body_of(Method::Post, &url, &response)
    }

    async fn asked(&self, url: String) -> Result<Response> {
        let call = Call {
            method: Method::Post,
            url,
            body: Bytes::new(),
            conditions: UNCONDITIONAL,
            retry_mode: RetryMode::Query,
        };
        self.send(call).await
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
        self.inner
            .tokens
            .caller()
            .await
            .map_err(|error| Error::signing_in(Method::Get, self.inner.endpoint.base(), &error))
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
        self.write_saying(method, id, (api_version, &[]), body, conditions).await
    }

    async fn write_saying(
        &self,
        method: Method,
        id: &str,
        (api_version, query): (&str, &[(&str, &str)]),
        body: Option<&Value>,
        conditions: &Conditions,
    ) -> Result<Started> {
        let url = self.url(id, api_version, query);
        let body = match body.map(serde_json::to_vec) {
            None => Bytes::new(),
            Some(Ok(bytes)) => Bytes::from(bytes),
            Some(Err(error)) => return Err(Error::new(ErrorKind::Invalid, method, &url, error.to_string())),
        };
        let call = Call { method, url, body, conditions, retry_mode: self.retry_mode };
        let response = self.send(call).await?;
        let body = body_of(method, id, &response)?;
        let answer = Answer {
            status: response.status,
            headers: &response.headers,
            body: body.as_ref(),
            next_look: next_look(&response.headers, self.now()),
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

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        self.inner.clock.sleep(duration).await;
    }
}

/// Whether a resource is shown to a POST of `list` only: ARM takes whoever may read for somebody who may not see secrets.
fn shown_to_a_post(id: &str) -> bool {
    const ENDS: [&str; 2] = ["/config/appsettings", "/config/connectionstrings"];
    ENDS.iter().any(|end| {
        let from = id.len().checked_sub(end.len());
        from.and_then(|from| id.get(from..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    })
}

/// Whether an error says that the resource addressed does not exist.
pub(super) fn is_absent(error: &Error) -> bool {
    error.is_absence()
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
            let message = with_excerpt("the answer is not JSON", response);
            let mut error = Error::new(ErrorKind::Protocol, method, url, message);
            error.status = Some(response.status);
            Err(error)
        }
    }
}

/// The resource that a response to a read holds. One without an id is nothing of ARM's: a proxy's page, another server.
fn identified(id: &str, response: &Response) -> Result<Resource> {
    let found = resource(Method::Get, id, response)?;
    if has_id(Some(&found.body)) { Ok(found) } else { Err(no_resource(id, response)) }
}

/// What is wrong with an answer, and enough of the answer to recognise who gave it.
pub(super) fn with_excerpt(wrong: &str, response: &Response) -> String {
    match excerpt(&response.body) {
        Some(said) => format!("{wrong}: {said}"),
        None => wrong.to_owned(),
    }
}

/// Whether a body is a resource's.
pub(super) fn has_id(body: Option<&Value>) -> bool {
    body.and_then(|body| body.get("id")).is_some_and(Value::is_string)
}

/// The error of an answer to a read that is not the resource.
pub(super) fn no_resource(id: &str, response: &Response) -> Error {
    let message = with_excerpt("the answer is not a resource: it has no `id`", response);
    let mut error = Error::new(ErrorKind::Protocol, Method::Get, id, message);
    error.status = Some(response.status);
    error
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
    use crate::arm::scripted::{ID, Script, line, lost};
    use crate::arm::token::StaticToken;
    use crate::arm::trace::{Exchange, Trace};
    use crate::arm::transport::{Request, TransportError};
    use async_trait::async_trait;
    use serde_json::json;
    use std::sync::Mutex;

    fn error(code: &str) -> Value {
        json!({"error": {"code": code, "message": "m"}})
    }

    #[tokio::test(start_paused = true)]
    async fn a_404_of_arms_means_absence_whatever_its_code() {
        for code in [
            "ResourceNotFound",
            "ResourceGroupNotFound",
            "ParentResourceNotFound",
            "NotFound",
            "PolicyDefinitionNotFound",
            "PolicySetDefinitionNotFound",
            "PolicyAssignmentNotFound",
            "RoleDefinitionDoesNotExist",
            "RoleAssignmentNotFound",
            "LockNotFound",
            "VaultNotFound",
            "EntityNotFound",
            "NeverHeardOfNotFound",
        ] {
            let (client, _) = Script::client(vec![line("GET ID", 404, error(code))]);
            assert_eq!(client.get(ID, "1").await.unwrap(), None, "{code}");
            let (client, _) = Script::client(vec![line("DELETE ID", 404, error(code))]);
            assert_eq!(client.delete(ID, "1", &[]).await.unwrap(), Started::Done(None), "{code}");
        }
        // AKS writes its errors without the outer member.
        let (client, _) =
            Script::client(vec![line("GET ID", 404, json!({"code": "NotFound", "message": "no such pool"}))]);
        assert_eq!(client.get(ID, "1").await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_404_about_something_else_or_of_another_server_is_an_error() {
        let answers = [
            error("SubscriptionNotFound"),
            error("InvalidSubscriptionId"),
            error("InvalidResourceType"),
            error("InvalidResourceNamespace"),
            error("NoRegisteredProviderFound"),
            error("MissingSubscriptionRegistration"),
            error("InvalidApiVersionParameter"),
            json!({"error": {"code": "NotFound", "message": "m", "details": [{"code": "SubscriptionNotFound", "message": "n"}]}}),
            error("not_found"),
            error("404"),
            Value::Null,
            json!("not found"),
            json!({}),
            json!({"statusCode": 404, "message": "Resource not found"}),
            json!({"message": "no Route matched with those values"}),
            json!({"error": "not found"}),
            json!({"error": {"message": "not found"}}),
            json!({"error": {"code": 404, "message": "not found"}}),
            json!({"error": {"code": "NotFound", "message": "No HTTP resource was found that matches the request URI"}}),
            json!({"timestamp": "2026", "status": 404, "error": "Not Found", "path": "/"}),
        ];
        for answer in answers {
            let (client, _) = Script::client(vec![line("GET ID", 404, answer.clone())]);
            assert!(client.get(ID, "1").await.is_err(), "{answer}");
            let (client, _) = Script::client(vec![line("DELETE ID", 404, answer.clone())]);
            assert!(client.delete(ID, "1", &[]).await.is_err(), "{answer}");
        }
    }

    /// What is shown to a POST only is read, and a read is repeated when its answer is lost.
    #[tokio::test(start_paused = true)]
    async fn a_post_that_only_asks_is_repeated_as_a_read_is() {
        let settings = format!("{ID}/config/appsettings");
        let ask = "POST ID/config/appsettings/list";
        let shown = json!({ "id": settings, "properties": {} });
        let lines = vec![lost(ask), line(ask, 503, Value::Null), line(ask, 200, shown.clone())];
        let (client, script) = Script::client(lines);
        assert_eq!(client.get(&settings, "1").await.unwrap().unwrap().body, shown);
        assert_eq!(script.times().len(), 3);
        let ask = "POST ID/listClusterUserCredential";
        let (client, script) = Script::client(vec![lost(ask), line(ask, 200, json!({ "kubeconfigs": [] }))]);
        let path = format!("{ID}/listClusterUserCredential");
        assert!(client.ask(&path, "1", &[("format", "exec")]).await.unwrap().is_some());
        assert_eq!(script.times().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_an_id_is_no_resource() {
        for answer in
            [Value::Null, json!({}), json!([]), json!("ok"), json!({"id": 5}), json!({"status": "up"})]
        {
            let (client, _) = Script::client(vec![line("GET ID", 200, answer.clone())]);
            assert_eq!(client.get(ID, "1").await.unwrap_err().kind, ErrorKind::Protocol, "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_server_says_is_shown_with_what_to_do() {
        let page = "<html><title>Sign in to the guest network</title></html>";
        let json = r#"{"error":"no route for this host"}"#;
        for (status, body, said) in [
            (200, page, "Sign in to the guest network"),
            (200, json, "no route for this host"),
            (404, page, "Sign in to the guest network"),
            (404, json, "no route for this host"),
            (400, "plain words", "plain words"),
            (302, page, "berth follows no redirects: https://login.corp.example/start"),
        ] {
            let mut answer = line("GET ID", status, Value::Null)
                .verbatim("location", "https://login.corp.example/start?token=HUSH#HUSH");
            answer.replace_body(body);
            let (client, _) = Script::client(vec![answer]);
            let error = client.get(ID, "1").await.unwrap_err();
            assert!(error.to_string().contains(said), "{status}: {error}");
            assert!(error.hint().unwrap().contains("--endpoint"), "{status}: {error}");
            assert!(!format!("{error:?}").contains("HUSH"), "{error:?}");
        }
        // What Azure itself says asks nobody to look for a proxy.
        let (client, _) = Script::client(vec![line("GET ID", 400, error("BadRequest"))]);
        assert_eq!(client.get(ID, "1").await.unwrap_err().hint(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn etags_come_from_the_header_or_the_body() {
        let (client, script) = Script::client(vec![
            line("GET ID", 200, json!({"id": ID, "etag": "body"})).with("ETag", "header"),
            line("GET ID", 200, json!({"id": ID, "etag": "body"})),
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
    async fn writes_can_be_announced_and_reads_keep_ids_of_their_own() {
        let line = |request| line(request, 200, json!({"id": ID}));
        let (client, script) = Script::client(vec![line("PUT ID"), line("GET ID"), line("DELETE ID")]);
        let (client, id) = client.announced();
        client.put(ID, "1", &json!({}), &Conditions::none()).await.unwrap();
        client.get(ID, "1").await.unwrap();
        client.delete(ID, "1", &[]).await.unwrap();
        let sent = script.sent.lock().unwrap();
        let as_announced = sent.iter().map(|(_, request)| {
            request.headers.get("x-ms-client-request-id") == Some(&id.as_hyphenated().to_string())
        });
        assert_eq!(as_announced.collect::<Vec<_>>(), [true, false, true]);
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
