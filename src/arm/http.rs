//! The transport that goes out over HTTP, by azure_core's client.

use super::transport::{Method, Request, Response, Transport, TransportError};
use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::{self, HttpClient, Url};
use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::Arc;

/// Sends requests over HTTP. It follows no redirect, so a token cannot be led astray.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Arc<dyn HttpClient>,
}

impl HttpTransport {
    /// A transport with connections of its own.
    pub fn new() -> Self {
        HttpTransport { client: http::new_http_client(None) }
    }

    async fn exchange(&self, request: &http::Request) -> azure_core::Result<Response> {
        let answer = self.client.execute_request(request).await?.try_into_raw_response().await?;
        let mut response = Response::new(u16::from(answer.status()), answer.body().as_ref().to_vec());
        for (name, value) in answer.headers().iter() {
            response.headers.set(name.as_str(), value.as_str());
        }
        Ok(response)
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
        self.exchange(&outgoing).await.map_err(|error| {
            let retryable = matches!(error.kind(), ErrorKind::Connection | ErrorKind::Io);
            // The layers below quote the URL, and the queries of operation URLs are signed.
            failed(chain(&error).replace(&request.url, super::error::without_query(&request.url)), retryable)
        })
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
fn chain(error: &azure_core::Error) -> String {
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
