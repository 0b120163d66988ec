//! Lists that come in pages.

use super::client::{Client, body_of, with_excerpt};
use super::error::{Error, ErrorKind, Result};
use super::send::RetryMode;
use super::transport::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

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
        let most = self.options().max_pages;
        let end = self.pages(path, api_version, query, most, |page| items.extend(page)).await?;
        match end {
            ListEnd::Complete => Ok(items),
            ListEnd::Cut => {
                let url = self.url(path, api_version, query);
                let message = format!("the list has more than {most} pages");
                let mut error = Error::new(ErrorKind::Protocol, Method::Get, &url, message);
                error.remedy = Some("raise the limit with BERTH_MAX_PAGES".to_owned());
                Err(error)
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
        let mut seen = HashSet::new();
        for page in 1..=most {
            seen.insert(<[u8; 32]>::from(Sha256::digest(&url)));
            let response = self.read(url.clone(), RetryMode::Retry).await?;
            let status = response.status;
            let protocol = |message: &str| {
                let mut error = Error::new(ErrorKind::Protocol, Method::Get, &url, message);
                error.status = Some(status);
                error
            };
            let no_list = || with_excerpt("the answer is not a list", &response);
            let (items, next) = match body_of(Method::Get, &url, &response)? {
                None if response.status == 204 => return Ok(ListEnd::Complete),
                Some(Value::Array(items)) => (items, None),
                Some(Value::Object(mut body)) => {
                    let next = body.remove("nextLink");
                    let items = match body.remove("value") {
                        Some(Value::Array(items)) => items,
                        // An empty page may lead on.
                        Some(Value::Null) => Vec::new(),
                        None if body.is_empty() && next.as_ref().is_some_and(Value::is_string) => Vec::new(),
                        _ => return Err(protocol(&no_list())),
                    };
                    (items, next)
                }
                _ => return Err(protocol(&no_list())),
            };
            take(items);
            let next = match next {
                Some(Value::String(next)) if !next.is_empty() => next,
                _ => return Ok(ListEnd::Complete),
            };
            match self.endpoint().resolve(&next) {
                Some(next) if !seen.contains(<[u8; 32]>::from(Sha256::digest(&next)).as_slice()) => {
                    url = next
                }
                Some(_) => {
                    return Err(protocol(&format!(
                        "the list goes in circles: its page {page} leads back to an earlier one"
                    )));
                }
                None => return Err(protocol("the next page is not on ARM's host")),
            }
        }
        Ok(ListEnd::Cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::Options;
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
    async fn a_circle_of_pages_is_seen_at_once_and_a_list_has_a_limit() {
        let page = |at: usize, next: usize| {
            line(&format!("GET /l{at}"), 200, json!({"value": [at], "nextLink": format!("/l{next}")}))
        };
        let (client, script) = Script::client(vec![
            line("GET /l", 200, json!({"value": [0], "nextLink": "/l1"})),
            page(1, 2),
            page(2, 3),
            page(3, 1),
        ]);
        let error = client.list("/l", "1", &[]).await.unwrap_err();
        assert!(error.message.contains("its page 4 leads back"), "{error}");
        assert_eq!(script.times().len(), 4);

        let most = Options::default().max_pages;
        let lines = (0..most).map(|at| page(at, at + 1));
        let (client, script) = Script::client(lines.collect());
        let error = client.list("/l0", "1", &[]).await.unwrap_err();
        assert!(error.to_string().contains(&format!("more than {most} pages")), "{error}");
        assert!(error.hint().unwrap().contains("BERTH_MAX_PAGES"));
        assert_eq!(script.times().len(), most);
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
