//! Queries of Resource Graph: POSTs that only ask, with a budget of their own.

use super::client::{Client, UNCONDITIONAL, body_of, with_excerpt};
use super::error::{Error, ErrorKind, Result};
use super::retry::quota_reset;
use super::send::{Call, RetryMode};
use super::transport::Method;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// Where queries go.
const PATH: &str = "/providers/Microsoft.ResourceGraph/resources";
const API_VERSION: &str = "2021-03-01";
/// The most rows that a page can have.
const ROWS: usize = 1_000;

/// A page of what a query found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GraphPage {
    /// The rows.
    pub rows: Vec<Value>,
    /// What the next page is asked with; `None` after the last.
    pub next: Option<String>,
    /// How long to wait before another query: the caller's budget is used up.
    pub pause: Duration,
}

impl Client {
    /// Asks Resource Graph, in all of these subscriptions at once. A Reader may: the permission for it is one to read.
    ///
    /// # Errors
    /// When it is refused, or what comes is not a page.
    pub async fn query(
        &self,
        subscriptions: &[String],
        query: &str,
        next: Option<&str>,
    ) -> Result<GraphPage> {
        let mut options = json!({ "$top": ROWS, "resultFormat": "objectArray" });
        if let Some(next) = next {
            options["$skipToken"] = json!(next);
        }
        let body = json!({ "subscriptions": subscriptions, "query": query, "options": options });
        let url = self.url(PATH, API_VERSION, &[]);
        let call = Call {
            method: Method::Post,
            url: url.clone(),
            body: Bytes::from(body.to_string()),
            conditions: UNCONDITIONAL,
            retry_mode: RetryMode::Query,
        };
        let response = self.send(call).await?;
        let body = body_of(Method::Post, &url, &response)?.unwrap_or_default();
        let Some(rows) = body.get("data").and_then(Value::as_array) else {
            let message = with_excerpt("the answer is not a page of Resource Graph", &response);
            let mut error = Error::new(ErrorKind::Protocol, Method::Post, &url, message);
            error.status = Some(response.status);
            return Err(error);
        };
        let next = body.get("$skipToken").and_then(Value::as_str).filter(|token| !token.is_empty());
        Ok(GraphPage {
            rows: rows.clone(),
            next: next.map(str::to_owned),
            pause: quota_reset(&response.headers).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::scripted::{Script, line, lost};

    const LINE: &str = "POST /providers/Microsoft.ResourceGraph/resources";

    #[tokio::test(start_paused = true)]
    async fn a_query_is_repeated_as_a_read_is() {
        let throttled = json!({ "error": { "code": "RateLimiting", "message": "m" } });
        let page = json!({ "data": [{ "id": "/a" }], "$skipToken": "t", "resultTruncated": "false" });
        let (client, script) =
            Script::client(vec![lost(LINE), line(LINE, 429, throttled), line(LINE, 200, page)]);
        let found = client.query(&["s".to_owned()], "resourcechanges", None).await.unwrap();
        assert_eq!((found.rows, found.next.as_deref()), (vec![json!({ "id": "/a" })], Some("t")));
        let sent = script.sent.lock().unwrap();
        let body: Value = serde_json::from_slice(&sent[0].1.body).unwrap();
        assert_eq!((&body["subscriptions"], &body["options"]["$top"]), (&json!(["s"]), &json!(1000)));
        assert_eq!(sent.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_a_page_is_an_error() {
        let (client, _) = Script::client(vec![line(LINE, 200, json!({ "value": [] }))]);
        let error = client.query(&[], "resourcechanges", None).await.unwrap_err();
        assert!(error.message.contains("not a page of Resource Graph"), "{error}");
    }
}
