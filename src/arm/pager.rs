//! Lists that come in pages.

use super::client::{Client, Stubbornness, body_of};
use super::error::{Error, ErrorKind, Result};
use super::transport::Method;
use serde_json::Value;

/// More pages than any list of ARM has: a list this long goes in circles.
const PAGES: usize = 10_000;

impl Client {
    /// Reads a list to its end, following `nextLink`.
    ///
    /// # Errors
    /// When a page cannot be read, or what comes is not a list.
    pub async fn list(&self, path: &str, api_version: &str, query: &[(&str, &str)]) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut url = self.url(path, api_version, query);
        for _ in 0..PAGES {
            let response = self.read(url.clone(), Stubbornness::Retry).await?;
            let protocol = |message: &str| Error::new(ErrorKind::Protocol, Method::Get, &url, message);
            let (page, next) = match body_of(Method::Get, &url, &response)? {
                None => return Ok(items),
                Some(Value::Array(page)) => (page, None),
                Some(Value::Object(mut body)) => {
                    let next = body.remove("nextLink");
                    let page = match body.remove("value") {
                        Some(Value::Array(page)) => page,
                        // An empty page may lead on.
                        None | Some(Value::Null) if body.is_empty() => Vec::new(),
                        _ => return Err(protocol("the answer is not a list")),
                    };
                    (page, next)
                }
                Some(_) => return Err(protocol("the answer is not a list")),
            };
            if items.is_empty() {
                items = page;
            } else {
                items.extend(page);
            }
            let next = match next {
                Some(Value::String(next)) if !next.is_empty() => next,
                _ => return Ok(items),
            };
            match self.endpoint().resolve(&next) {
                Some(next) if next != url => url = next,
                Some(_) => return Err(protocol("the list goes in circles")),
                None => return Err(protocol("the next page is not on ARM's host")),
            }
        }
        Err(Error::new(ErrorKind::Protocol, Method::Get, &url, "the list goes in circles"))
    }
}
