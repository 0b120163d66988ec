//! The HTTP door: plain or TLS, with a directory to sign in to.

use super::Simulator;
use super::directory::{Directory, SignIn};
use super::tls::Tls;
use crate::host::transport::{Method, Request, Response, Transport, TransportError};
use crate::host::{Clock, Timestamp};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The largest body that is read; ARM takes 4 MB.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// Told of every exchange: when the request came, how long it took, what it was and what was answered.
pub type Recorder =
    Arc<dyn Fn(Timestamp, Duration, &Request, &Result<Response, TransportError>) + Send + Sync>;

/// How the simulator is served.
#[derive(Clone, Default)]
pub struct Serving {
    /// HTTPS with this certificate instead of plain HTTP.
    pub tls: Option<Tls>,
    /// How those who sign in are treated.
    pub sign_in: SignIn,
    /// How much later each answer is given, in the world's time.
    pub latency: Duration,
    /// Told of every exchange.
    pub recorder: Option<Recorder>,
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("tls", &self.tls)
            .field("sign_in", &self.sign_in)
            .field("latency", &self.latency)
            .finish_non_exhaustive()
    }
}

struct Door {
    simulator: Simulator,
    serving: Serving,
    directory: Directory,
    clock: Clock,
}

/// Serves the simulator until `shutdown` ends, then saves its state.
///
/// # Errors
/// When the listener fails, or the state cannot be written.
pub async fn serve(
    simulator: Simulator,
    listener: TcpListener,
    serving: Serving,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let clock = Clock::start(1.0);
    let directory = Directory::new(simulator.tenant(), serving.sign_in.clone(), clock.clone());
    let door = Door { simulator: simulator.clone(), serving, directory, clock };
    let tls = door.serving.tls.clone();
    let router = Router::new().fallback(answer).with_state(Arc::new(door));
    match tls {
        Some(tls) => axum::serve(tls.listen(listener)?, router).with_graceful_shutdown(shutdown).await?,
        None => axum::serve(listener, router).with_graceful_shutdown(shutdown).await?,
    }
    simulator.save().map_err(io::Error::other)
}

async fn answer(State(door): State<Arc<Door>>, request: axum::extract::Request) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let Some(method) = Method::parse(parts.method.as_str()) else {
        return plain(StatusCode::METHOD_NOT_ALLOWED);
    };
    let writes = matches!(method, Method::Post | Method::Put | Method::Patch);
    let measured =
        parts.headers.contains_key("content-length") || parts.headers.contains_key("transfer-encoding");
    // As Azure's front end does, also where no body is needed.
    if writes && !measured && parts.version <= axum::http::Version::HTTP_11 {
        return plain(StatusCode::LENGTH_REQUIRED);
    }
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let scheme = if door.serving.tls.is_some() { "https" } else { "http" };
    let mut request = Request::new(method, absolute(scheme, &parts.uri, &parts.headers));
    request.body = body;
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            request.headers.set(name.as_str(), value);
        }
    }
    let came = door.clock.now();
    if !door.serving.latency.is_zero() {
        door.clock.sleep(door.serving.latency).await;
    }
    let outcome = door.answer(request.clone()).await;
    if let Some(record) = &door.serving.recorder {
        record(came, door.clock.now().since(came), &request, &outcome);
    }
    match outcome {
        Ok(response) => wire(response),
        Err(_) => broken(),
    }
}

impl Door {
    async fn answer(&self, request: Request) -> Result<Response, TransportError> {
        if let Some(response) = self.directory.answer(&request) {
            return Ok(response);
        }
        if let Err(refusal) = self.directory.admit(&request) {
            return Ok(refusal);
        }
        let mut response = self.simulator.send(request).await?;
        if response.status < 400 && self.simulator.jumps() {
            // Waiting would not bring the end of an operation nearer: asking does. Clients that know the finer header
            // ask at once. Others take a zero for nothing said and wait half a minute, so they are told a second.
            response.headers.set("retry-after-ms", "0");
            response.headers.set("retry-after", "1");
        }
        Ok(response)
    }
}

/// The URL as the client sees it: operation URLs are made from it.
fn absolute(scheme: &str, uri: &axum::http::Uri, headers: &HeaderMap) -> String {
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let scheme = text("x-forwarded-proto").unwrap_or(scheme);
    let host = uri.authority().map(|a| a.as_str()).or_else(|| text("host")).unwrap_or("localhost");
    format!("{scheme}://{host}{path}")
}

fn wire(response: crate::host::transport::Response) -> axum::response::Response {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut out = axum::response::Response::new(Body::from(response.body));
    *out.status_mut() = status;
    for (name, value) in response.headers.iter() {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            out.headers_mut().insert(name, value);
        }
    }
    out
}

fn plain(status: StatusCode) -> axum::response::Response {
    let mut out = axum::response::Response::new(Body::empty());
    *out.status_mut() = status;
    out
}

/// A response whose body fails at once: the server closes the connection in the middle of it.
fn broken() -> axum::response::Response {
    let reset = io::Error::new(io::ErrorKind::ConnectionReset, "scripted fault");
    let stream = futures::stream::once(async move { Err::<Bytes, io::Error>(reset) });
    axum::response::Response::new(Body::from_stream(stream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, Fault, Options, SUBSCRIPTION};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn exchange(address: std::net::SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn speaks_http_and_leads_back_to_the_host_that_was_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let simulator = Simulator::new(Options::default());
        let serving = Serving::default();
        let door =
            serve(simulator.clone(), listener, serving, async move { stopped.await.unwrap_or_default() });
        let door = tokio::spawn(door);
        let group = format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/rg?api-version=2025-04-01");
        let body = r#"{"location":"westeurope"}"#;
        let head = format!("Host: {address}\r\nConnection: close\r\n");
        let put = format!("PUT {group} HTTP/1.1\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len());
        assert!(exchange(address, &put).await.starts_with("HTTP/1.1 201"));
        let register = format!(
            "POST /subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/register?api-version=2021-04-01 HTTP/1.1\r\n{head}"
        );
        assert!(exchange(address, &format!("{register}\r\n")).await.starts_with("HTTP/1.1 411"));
        let said = format!("{register}Content-Length: 0\r\n\r\n");
        assert!(exchange(address, &said).await.starts_with("HTTP/1.1 200"));
        simulator.fail_next(Fault::once(Method::Get, "/rg", Effect::DropAfter));
        let get = format!("GET {group} HTTP/1.1\r\n{head}\r\n");
        assert!(!exchange(address, &get).await.contains("westeurope"));
        assert!(exchange(address, &get).await.contains("westeurope"));
        let deleted = exchange(address, &format!("DELETE {group} HTTP/1.1\r\n{head}\r\n")).await;
        assert!(deleted.contains(&format!("location: http://{address}/subscriptions/")), "{deleted}");
        stop.send(()).unwrap();
        door.await.unwrap().unwrap();
    }
}
