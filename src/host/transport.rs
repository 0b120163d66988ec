//! The port between berth and whatever speaks ARM: plain requests and responses, no policy.

use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;

/// The HTTP methods that ARM uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Asks whether something exists.
    Head,
    /// Creates or replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Acts.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// The method as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }

    /// Parses a method as it stands on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "POST" => Method::Post,
            "DELETE" => Method::Delete,
            _ => return None,
        })
    }

    /// Whether the method leaves the server as it was.
    pub const fn is_read(self) -> bool {
        matches!(self, Method::Get | Method::Head)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Header fields; names are kept in lower case, order as added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// No header at all.
    pub const fn new() -> Self {
        Headers(Vec::new())
    }

    /// The first value of a header; `name` in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Sets a header, replacing what had that name.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let name = name.to_ascii_lowercase();
        self.0.retain(|(n, _)| *n != name);
        self.0.push((name, value.into()));
    }

    /// Every header in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// One request. The URL is absolute (`https://management.azure.com/subscriptions/…?api-version=…`).
#[derive(Debug, Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// Absolute URL with its query, verbatim.
    pub url: String,
    /// Header fields.
    pub headers: Headers,
    /// JSON text, or empty.
    pub body: Bytes,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Request { method, url: url.into(), headers: Headers::new(), body: Bytes::new() }
    }

    /// The path and query of the URL (`/subscriptions/…?api-version=…`).
    pub fn path_and_query(&self) -> &str {
        path_and_query(&self.url)
    }
}

/// The path and query of an absolute URL; a text that starts with `/` is returned as it is.
pub fn path_and_query(url: &str) -> &str {
    match url.find("://") {
        Some(at) => match url[at + 3..].find('/') {
            Some(slash) => &url[at + 3 + slash..],
            None => "/",
        },
        None => url,
    }
}

/// One response.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// Body, possibly empty.
    pub body: Bytes,
}

impl Response {
    /// A response without headers.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Response { status, headers: Headers::new(), body: body.into() }
    }

    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// Why no response came back. Whether the server acted is unknown.
#[derive(Debug, thiserror::Error)]
#[error("{method} {url}: {reason}")]
pub struct TransportError {
    /// What was attempted.
    pub method: Method,
    /// Where, without its query.
    pub url: String,
    /// What went wrong, in the words of the layer that failed.
    pub reason: String,
    /// Whether the same request may be sent again.
    pub retryable: bool,
}

/// Sends one request and returns one response. It neither retries nor follows operations.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request.
    ///
    /// # Errors
    /// When no response came back; the server may have acted all the same.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_in_any_case_and_replaced() {
        let mut headers = Headers::new();
        headers.set("Retry-After", "3");
        headers.set("retry-after", "4");
        assert_eq!(headers.get("RETRY-AFTER"), Some("4"));
        assert_eq!(headers.iter().count(), 1);
    }

    #[test]
    fn path_and_query_drops_scheme_and_host() {
        assert_eq!(path_and_query("https://h:443/a/b?c=d"), "/a/b?c=d");
        assert_eq!(path_and_query("https://h"), "/");
        assert_eq!(path_and_query("/a?b"), "/a?b");
    }
}
