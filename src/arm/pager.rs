//! Lists that come in pages.

use super::client::{Client, body_of, with_excerpt};
use super::error::{Error, ErrorKind, Result};
use super::send::RetryMode;
use super::transport::Method;
use serde_json::Value;

/// More pages than any list of ARM has: a list this long goes in circles.
const PAGES: usize = 10_000;

/// How the reading of a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListEnd {
    /// Every page was read.
    Complete,
    /// There are more pages than were wanted.
    Cut,
}

impl Client {
    /// Reads a list to its end, following `nextLink`.
    ///
    /// # Errors
    /// When a page cannot be read, or what comes is not a list.
    pub async fn list(&self, path: &str, api_version: &str, query: &[(&str, &str)]) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let end = self.pages(path, api_version, query, PAGES, |page| items.extend(page)).await?;
        match end {
            ListEnd::Complete => Ok(items),
            ListEnd::Cut => {
                let url = self.url(path, api_version, query);
                Err(Error::new(ErrorKind::Protocol, Method::Get, &url, "the list goes in circles"))
            }
        }
    }

    /// Reads at most `most` pages of a list, following `nextLink`; `take` is given the items of each as it comes, so
    /// that a long list is never held whole.
    ///
    /// # Errors
    /// When a page cannot be read, or what comes is not a list.
    pub async fn pages(
        &self,
        path: &str,
        api_version: &str,
        query: &[(&str, &str)],
        most: usize,
        mut take: impl FnMut(Vec<Value>),
    ) -> Result<ListEnd> {
        let mut url = self.url(path, api_version, query);
        for _ in 0..most {
            let response = self.read(url.clone(), RetryMode::Retry).await?;
            let status = response.status;
            let protocol = |message: &str| {
                let mut error = Error::new(ErrorKind::Protocol, Method::Get, &url, message);
                error.status = Some(status);
                error
            };
            let no_list = || with_excerpt("the answer is not a list", &response);
            let (page, next) = match body_of(Method::Get, &url, &response)? {
                None if response.status == 204 => return Ok(ListEnd::Complete),
                Some(Value::Array(page)) => (page, None),
                Some(Value::Object(mut body)) => {
                    let next = body.remove("nextLink");
                    let page = match body.remove("value") {
                        Some(Value::Array(page)) => page,
                        // An empty page may lead on.
                        Some(Value::Null) => Vec::new(),
                        None if body.is_empty() && next.as_ref().is_some_and(Value::is_string) => Vec::new(),
                        _ => return Err(protocol(&no_list())),
                    };
                    (page, next)
                }
                _ => return Err(protocol(&no_list())),
            };
            take(page);
            let next = match next {
                Some(Value::String(next)) if !next.is_empty() => next,
                _ => return Ok(ListEnd::Complete),
            };
            match self.endpoint().resolve(&next) {
                Some(next) if next != url => url = next,
                Some(_) => return Err(protocol("the list goes in circles")),
                None => return Err(protocol("the next page is not on ARM's host")),
            }
        }
        Ok(ListEnd::Cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::scripted::{Script, line};
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn pages_are_followed_even_when_empty() {
        let next = "https://management.azure.com:443/next?$skiptoken=a%2Bb";
        let (client, script) = Script::client(vec![
            line("GET /subscriptions/s/resources", 200, json!({"value": [1], "nextLink": next})),
            line("GET /next", 200, json!({"value": [], "nextLink": "/last?api-version=1"})),
            line("GET /last", 200, json!({"value": [2, 3], "nextLink": null})),
        ]);
        let query = [("$filter", "a eq 'b'")];
        assert_eq!(client.list("/subscriptions/s/resources", "1", &query).await.unwrap(), [1, 2, 3]);
        assert_eq!(script.times(), [0, 0, 0]);
        assert_eq!(script.sent.lock().unwrap()[1].1.url, next);
    }

    #[tokio::test(start_paused = true)]
    async fn lists_lead_nowhere_else_and_not_in_circles() {
        for next in ["https://evil.example/x", "https://management.azure.com/l?api-version=1"] {
            let (client, _) =
                Script::client(vec![line("GET /l", 200, json!({"value": [], "nextLink": next}))]);
            assert_eq!(client.list("/l", "1", &[]).await.unwrap_err().kind, ErrorKind::Protocol);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_list_of_arms_is_not_an_empty_one() {
        for answer in
            [json!({"id": "not a list"}), json!({}), Value::Null, json!("ok"), json!({"nextLink": null})]
        {
            let (client, _) = Script::client(vec![line("GET /l", 200, answer.clone())]);
            let error = client.list("/l", "1", &[]).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Protocol, "{answer}");
        }
        for answer in [json!({"value": []}), json!({"value": null}), json!([])] {
            let (client, _) = Script::client(vec![line("GET /l", 200, answer.clone())]);
            assert_eq!(client.list("/l", "1", &[]).await.unwrap(), Vec::<Value>::new(), "{answer}");
        }
    }
}
