//! The transport that goes out over HTTP, by azure_core's client.

use super::transport::{Method, Request, Response, Transport, TransportError};
use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::{self, HttpClient, Url};
use futures::StreamExt;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an answer may keep silent.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// How much of an answer is taken, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest body, in bytes.
    pub bytes: usize,
    /// The longest time from the request to the end of the answer.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        // A page of ARM's has at most a few megabytes, and comes within a minute.
        Limits { bytes: 64 << 20, time: Duration::from_secs(300) }
    }
}

/// Whether the proxies of the environment are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proxies {
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are heeded.
    #[default]
    Environment,
    /// Requests go straight to where they are addressed to: to this machine's own addresses.
    None,
}

/// Sends requests over HTTP. It follows no redirect, so a token cannot be led astray.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Arc<dyn HttpClient>,
    limits: Limits,
}

/// HTTPS cannot be spoken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpsError {
    /// A file that should hold certificates holds none.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// The machine has no certificates to trust, or something else is amiss.
    #[error("HTTPS cannot be set up on this machine: {0}")]
    Unusable(String),
}

impl HttpTransport {
    /// A transport with connections of its own. It heeds `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    pub fn new() -> Self {
        use_ring();
        HttpTransport { client: http::new_http_client(None), limits: Limits::default() }
    }

    /// A transport that trusts the authorities of these PEM files as well as the machine's own.
    ///
    /// # Errors
    /// When there is no certificate in a file, or the machine has none to trust.
    pub fn trusting(files: &[Vec<u8>], proxies: Proxies, limits: Limits) -> Result<Self, HttpsError> {
        let mut trusted = Vec::new();
        for file in files {
            trusted.extend(authorities(file)?);
        }
        use_ring();
        let builder = || {
            // As azure_core sets up its own: redirects are never followed.
            let builder = reqwest::Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(READ_TIMEOUT)
                .redirect(reqwest::redirect::Policy::none());
            match proxies {
                Proxies::Environment => builder,
                Proxies::None => builder.no_proxy(),
            }
        };
        let client = match builder().tls_certs_merge(trusted.clone()).build() {
            Ok(client) => client,
            // A container without any certificates of its own: what was named is all there is.
            Err(_) if !trusted.is_empty() => builder()
                .tls_certs_only(trusted)
                .build()
                .map_err(|error| HttpsError::Unusable(causes(&error)))?,
            Err(error) => return Err(HttpsError::Unusable(causes(&error))),
        };
        Ok(HttpTransport { client: Arc::new(client), limits })
    }

    /// Whether a file holds certificates to trust.
    ///
    /// # Errors
    /// When it holds none.
    pub fn check_authorities(file: &[u8]) -> Result<(), HttpsError> {
        authorities(file).map(drop)
    }

    /// The client of azure_core, for credentials: with the same limits.
    pub(super) fn client(&self) -> Arc<dyn HttpClient> {
        Arc::new(Limited(self.clone()))
    }

    /// How much of an answer is taken, and for how long.
    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Sends a request and reads its answer to the end, within the limits.
    async fn exchange(&self, request: &http::Request) -> Result<Answer, Lost> {
        let read = async {
            let answer = self.client.execute_request(request).await?;
            let (status, headers, mut body) = answer.deconstruct();
            let mut bytes = Vec::new();
            while let Some(chunk) = body.next().await {
                bytes.extend_from_slice(&chunk?);
                if bytes.len() > self.limits.bytes {
                    return Err(Lost::TooLong(self.limits.bytes));
                }
            }
            Ok((status, headers, bytes))
        };
        let in_time = tokio::time::timeout(self.limits.time, read).await;
        in_time.unwrap_or(Err(Lost::TooSlow(self.limits.time)))
    }
}

type Answer = (http::StatusCode, http::headers::Headers, Vec<u8>);

/// Why an answer did not come.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Failed(#[from] azure_core::Error),
    #[error("the answer is longer than {} MiB: BERTH_MAX_ANSWER_MIB raises the limit", .0 >> 20)]
    TooLong(usize),
    #[error("the answer took longer than {} s: BERTH_MAX_ANSWER_SECONDS raises the limit", .0.as_secs())]
    TooSlow(Duration),
}

/// The transport as a client of azure_core.
#[derive(Debug)]
struct Limited(HttpTransport);

#[async_trait]
impl HttpClient for Limited {
    async fn execute_request(&self, request: &http::Request) -> azure_core::Result<http::AsyncRawResponse> {
        match self.0.exchange(request).await {
            Ok((status, headers, bytes)) => Ok(http::AsyncRawResponse::from_bytes(status, headers, bytes)),
            Err(Lost::Failed(error)) => Err(error),
            Err(limit) => Err(azure_core::Error::with_message(ErrorKind::Other, limit.to_string())),
        }
    }
}

/// Every TLS connection of this process uses ring, also those of libraries that ask for the process's default.
pub(crate) fn use_ring() {
    // The answer says whether there was a default already, which then is the same.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
}

fn authorities(file: &[u8]) -> Result<Vec<reqwest::Certificate>, HttpsError> {
    match reqwest::Certificate::from_pem_bundle(file) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(HttpsError::NoCertificate),
    }
}

impl Default for HttpTransport {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let failed = |reason: String, retryable| TransportError {
            method: request.method,
            url: super::error::without_query(&request.url).to_owned(),
            reason,
            retryable,
        };
        let url = Url::parse(&request.url).map_err(|error| failed(error.to_string(), false))?;
        let mut outgoing = http::Request::new(url, method(request.method));
        for (name, value) in request.headers.iter() {
            outgoing.insert_header(name.to_owned(), value.to_owned());
        }
        outgoing.set_body(request.body.clone());
        let lost = match self.exchange(&outgoing).await {
            Ok((status, headers, bytes)) => {
                let mut response = Response::new(u16::from(status), bytes);
                for (name, value) in headers.iter() {
                    response.headers.set(name.as_str(), value.as_str());
                }
                return Ok(response);
            }
            Err(Lost::Failed(error)) => error,
            Err(limit) => return Err(failed(limit.to_string(), matches!(limit, Lost::TooSlow(_)))),
        };
        let said = chain(&lost);
        // A server that cannot be trusted now cannot be in a minute.
        let retryable = matches!(lost.kind(), ErrorKind::Connection | ErrorKind::Io)
            && !said.contains("invalid peer certificate");
        // The layers below quote the URL, and the queries of operation URLs are signed.
        Err(failed(said.replace(&request.url, super::error::without_query(&request.url)), retryable))
    }
}

const fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::Get,
        Method::Head => http::Method::Head,
        Method::Put => http::Method::Put,
        Method::Patch => http::Method::Patch,
        Method::Post => http::Method::Post,
        Method::Delete => http::Method::Delete,
    }
}

/// An error with its causes in one line; only the innermost usually says what happened.
pub(super) fn chain(error: &azure_core::Error) -> String {
    causes(error)
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            let _ = write!(text, ": {said}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn what_is_sent_arrives_and_what_is_answered_returns() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut received = Vec::new();
            while !received.ends_with(b"{\"a\":1}") {
                let mut chunk = [0; 1024];
                let count = stream.read(&mut chunk).await.unwrap();
                received.extend_from_slice(&chunk[..count]);
            }
            let answer =
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(received).unwrap().to_ascii_lowercase()
        });
        let mut request = Request::new(Method::Put, format!("http://{address}/x%20y?t=a%2Bb&api-version=1"));
        request.headers.set("If-Match", "\"e\"");
        request.body = "{\"a\":1}".into();
        let response = HttpTransport::new().send(request).await.unwrap();
        // Redirects are shown, not followed.
        assert_eq!((response.status, response.headers.get("location")), (307, Some("/elsewhere")));
        assert_eq!(&response.body[..], b"{}");
        let received = server.await.unwrap();
        assert!(received.starts_with("put /x%20y?t=a%2bb&api-version=1 http/1.1\r\n"), "{received}");
        assert!(received.contains("if-match: \"e\""), "{received}");
    }

    /// Azure's front end answers 411 over HTTP/1.1 to a write that does not say how long it is. Seen on the wire, behind
    /// everything that could add or drop a header.
    #[tokio::test]
    async fn a_write_without_a_body_says_that_it_has_none() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let mut heads = Vec::new();
            while heads.len() < 4 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).await.unwrap();
                    head.push(byte[0]);
                }
                heads.push(String::from_utf8(head).unwrap().to_ascii_lowercase());
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
                stream.write_all(answer).await.unwrap();
            }
            heads
        });
        let token = Arc::new(crate::arm::StaticToken::new("t"));
        let options = crate::arm::Options { endpoint: url, ..crate::arm::Options::default() };
        let transport = Arc::new(HttpTransport::trusting(&[], Proxies::None, Limits::default()).unwrap());
        let client = crate::arm::Client::new(transport, token, crate::host::Clock::start(1.0), options);
        let id = "/subscriptions/s/providers/Microsoft.KeyVault";
        // A registration, a purge; and a delete and a read, which have no body by nature.
        client.post(&format!("{id}/register"), "1", None).await.unwrap();
        client.post(&format!("{id}/locations/l/deletedVaults/v/purge"), "1", None).await.unwrap();
        client.delete(&format!("{id}/vaults/v"), "1", &[]).await.unwrap();
        let _ = client.get(&format!("{id}/vaults/v"), "1").await;
        let heads = server.await.unwrap();
        for head in &heads[..2] {
            assert!(head.starts_with("post ") && head.contains("\r\ncontent-length: 0\r\n"), "{head}");
            assert!(!head.contains("transfer-encoding"), "{head}");
        }
        for head in &heads[2..] {
            assert!(!head.contains("transfer-encoding"), "{head}");
        }
    }

    /// A server that answers whatever comes with the head of an answer and then with `x` as long as somebody listens.
    async fn endless() -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
                    let _ = stream.write_all(head).await;
                    while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn an_answer_ends_at_its_limits_for_arm_and_for_signing_in() {
        let url = format!("http://{}/x", endless().await);
        let day = Duration::from_secs(86_400);
        for (limits, name) in [
            (Limits { bytes: 1 << 20, time: day }, "BERTH_MAX_ANSWER_MIB"),
            (Limits { bytes: usize::MAX, time: Duration::from_millis(50) }, "BERTH_MAX_ANSWER_SECONDS"),
        ] {
            let transport = HttpTransport::trusting(&[], Proxies::None, limits).unwrap();
            let error = transport.send(Request::new(Method::Get, url.clone())).await.unwrap_err();
            assert!(error.reason.contains(name), "{error}");
            let request = http::Request::new(Url::parse(&url).unwrap(), http::Method::Get);
            let error = transport.client().execute_request(&request).await.unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[tokio::test]
    async fn a_closed_door_may_be_tried_again_and_signatures_stay_secret() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let request = Request::new(Method::Get, format!("http://{address}/x?s=HUSH"));
        let error = HttpTransport::new().send(request).await.unwrap_err();
        assert!(error.retryable, "{error}");
        assert!(!format!("{error} {error:?}").contains("HUSH"), "{error:?}");
    }
}

/// Servers whose certificates are wrong in one way each.
#[cfg(test)]
mod certificates {
    use super::*;
    use crate::arm::Error;
    use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    /// Sends a request to a server with this certificate, trusting what `trusted` says of the server's own PEM.
    async fn ask(
        params: CertificateParams,
        trusted: impl FnOnce(String) -> Vec<Vec<u8>>,
    ) -> Result<Response, Error> {
        use_ring();
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n").await;
            }
        });
        let files = trusted(certificate.pem());
        let transport = HttpTransport::trusting(&files, Proxies::None, Limits::default()).unwrap();
        let url = format!("https://{address}/x");
        let sent = transport.send(Request::new(Method::Get, url.clone())).await;
        sent.map_err(|lost| {
            assert!(!lost.retryable, "{lost}");
            Error::new(crate::arm::ErrorKind::Protocol, Method::Get, &url, lost.reason)
        })
    }

    fn own(pem: String) -> Vec<Vec<u8>> {
        vec![pem.into_bytes()]
    }

    fn certificate(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        params
    }

    const AUTHORITY: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

    #[tokio::test]
    async fn a_server_may_vouch_for_itself() {
        for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
            let params = certificate(&["127.0.0.1"], |params| params.is_ca = is_ca);
            assert_eq!(ask(params, own).await.unwrap().status, 204);
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_certificate_is_told_with_what_to_do() {
        let here = &["127.0.0.1"][..];
        let client = vec![ExtendedKeyUsagePurpose::ClientAuth];
        for (params, trusted, help) in [
            (certificate(here, |_| {}), false, "--ca-file"),
            (
                certificate(here, |params| params.is_ca = AUTHORITY),
                true,
                "basicConstraints=critical,CA:FALSE",
            ),
            (
                certificate(here, |params| params.is_ca = AUTHORITY),
                false,
                "basicConstraints=critical,CA:FALSE",
            ),
            (certificate(here, |params| params.not_after = date_time_ymd(2020, 1, 1)), true, "renew"),
            (certificate(here, |params| params.not_before = date_time_ymd(2090, 1, 1)), true, "clock"),
            (certificate(&["other.example"], |_| {}), true, "subjectAltName"),
            (certificate(&[], |_| {}), true, "subjectAltName"),
            (certificate(here, |params| params.extended_key_usages = client), true, "serverAuth"),
        ] {
            let error = ask(params, |pem| if trusted { own(pem) } else { Vec::new() }).await.unwrap_err();
            let told = error.hint().unwrap_or_default();
            assert!(told.contains(help), "{error}: {told}");
            // Naming the file again helps only against an authority that is not known.
            assert_eq!(told.contains("with `--ca-file FILE`, a PEM file"), help == "--ca-file", "{told}");
        }
    }
}
