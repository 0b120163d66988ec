//! Azure's error bodies, in every form they come in.

use super::error::Detail;
use super::members::{member, text};
use super::violation::Violation;
use crate::value::{from_json, token};
use serde_json::Value;
use std::borrow::Cow;

/// How deep wrapped errors are followed; deployments of deployments stay below.
const DEPTH: usize = 8;
/// How many characters are shown of what is not in ARM's form.
const SHOWN: usize = 300;
/// How many bytes of it are looked at: pages have their title near the top.
const LOOKED_AT: usize = 64 * 1024;

/// An error body, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The outermost code.
    pub code: Option<String>,
    /// The outermost message.
    pub message: Option<String>,
    /// The outermost target.
    pub target: Option<String>,
    /// Inner errors, in the order in which they are nested.
    pub details: Vec<Detail>,
    /// The policies that denied the request.
    pub policies: Vec<Violation>,
}

impl Envelope {
    /// Reads the body of an error response.
    pub(super) fn parse(body: &[u8]) -> Self {
        let mut envelope = json(body).map(|value| Self::from_value(&value)).unwrap_or_default();
        if envelope.is_empty() {
            envelope.message = excerpt(body);
        }
        envelope
    }

    /// Reads an error that sits in a document: a response, a status of an operation, a failed resource.
    pub(super) fn from_value(value: &Value) -> Self {
        let mut envelope = Envelope::default();
        let node = find(value);
        let node = node.as_ref();
        envelope.code = text(node, "code").map(str::to_owned);
        envelope.message = text(node, "message").map(str::to_owned);
        envelope.target = text(node, "target").map(str::to_owned);
        envelope.policies(node);
        envelope.inner(node, DEPTH);
        envelope
    }

    /// Whether it says nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.code.is_none() && self.message.is_none() && self.details.is_empty()
    }

    fn inner(&mut self, node: &Value, depth: usize) {
        if depth == 0 {
            return;
        }
        if let Some(wrapped) = text(node, "message").and_then(wrapped) {
            let inner = find(&wrapped);
            self.push(inner.as_ref(), depth);
        }
        for name in ["details", "innererror"] {
            match member(node, name) {
                Some(Value::Array(items)) => {
                    for item in items {
                        self.push(find(item).as_ref(), depth);
                    }
                }
                Some(item @ Value::Object(_)) => self.push(item, depth),
                _ => {}
            }
        }
        if let Some(entity) = member(node, "ErrorEntity") {
            self.push(entity, depth);
        }
    }

    fn push(&mut self, node: &Value, depth: usize) {
        let detail = Detail {
            code: text(node, "code").map(str::to_owned),
            message: text(node, "message").unwrap_or_default().to_owned(),
            target: text(node, "target").map(str::to_owned),
        };
        // Web repeats the outer error in Details, in pieces.
        let repeats = detail.code.as_ref().is_none_or(|c| self.code.as_ref() == Some(c))
            && (detail.message.is_empty() || self.message.as_ref() == Some(&detail.message));
        if !repeats && !self.details.contains(&detail) {
            self.details.push(detail);
        }
        self.policies(node);
        self.inner(node, depth - 1);
    }

    fn policies(&mut self, node: &Value) {
        let Some(Value::Array(items)) = member(node, "additionalInfo") else { return };
        for violation in items.iter().filter_map(Violation::parse) {
            if !self.policies.iter().any(|known| known.policy == violation.policy) {
                self.policies.push(violation);
            }
        }
    }
}

/// What a body says that is not in ARM's form (a page of HTML, a gateway's JSON, plain text): enough of it to recognise
/// who answered.
pub(super) fn excerpt(body: &[u8]) -> Option<String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]);
    let lower = text.to_ascii_lowercase();
    let is_page = ["<html", "<head", "<body", "<!doctype html"].iter().any(|tag| lower.contains(tag));
    let text: Cow<'_, str> = if is_page {
        page(&text, &lower).into()
    } else {
        match json(body) {
            // Nothing is said, in so many words.
            Some(Value::Null) => return None,
            Some(Value::Array(items)) if items.is_empty() => return None,
            Some(Value::Object(members)) if members.is_empty() => return None,
            Some(Value::String(text)) => text.into(),
            _ => text,
        }
    };
    let mut words = text.split_whitespace();
    let mut shown = words.next()?.to_owned();
    let mut length = shown.chars().count();
    for word in words {
        if length > SHOWN {
            break;
        }
        shown.push(' ');
        shown.push_str(word);
        length += 1 + word.chars().count();
    }
    if let Some((end, _)) = shown.char_indices().nth(SHOWN) {
        shown.truncate(end);
        shown.push('…');
    }
    Some(shown)
}

/// The words of a page of HTML. `lower` is the same page in small letters.
fn page(text: &str, lower: &str) -> String {
    let mut words = String::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('<') {
        words.push_str(&text[at..at + open]);
        words.push(' ');
        at += open;
        let ends = [("<!--", "-->"), ("<script", "</script"), ("<style", "</style")];
        let hidden = ends.iter().find(|(start, _)| lower[at..].starts_with(start));
        if let Some((_, end)) = hidden {
            let Some(found) = lower[at..].find(end) else { return words };
            at += found;
        }
        let Some(close) = text[at..].find('>') else { return words };
        at += close + 1;
    }
    words.push_str(&text[at..]);
    for (entity, character) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        words = words.replace(entity, character);
    }
    words
}

/// Parses JSON that may begin with a byte order mark. What would be a token of berth's own, had Azure not sent it, is none.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // As a text that is checked once: its strings are not checked again one by one.
    let text = std::str::from_utf8(body).ok()?;
    let mut value = from_json(text).ok()?;
    token::disarm(text, &mut value);
    Some(value)
}

/// The node of a document that holds `code` and `message`.
fn find(value: &Value) -> Cow<'_, Value> {
    const PLACES: &[&[&str]] = &[
        &["error"],
        &["properties", "error"],
        // Deployments and the activity log.
        &["properties", "statusMessage"],
        // Clusters that failed.
        &["properties", "status", "provisioningError"],
        &["properties", "provisioningError"],
    ];
    for place in PLACES {
        let found = place.iter().try_fold(value, |node, name| member(node, name));
        match found {
            Some(node @ Value::Object(_)) => return Cow::Borrowed(node),
            // Some services send the error as a text of JSON.
            Some(Value::String(text)) => {
                if let Some(inner) = wrapped(text) {
                    return Cow::Owned(find(&inner).into_owned());
                }
            }
            _ => {}
        }
    }
    Cow::Borrowed(value)
}

/// A message that is itself an error document.
fn wrapped(text: &str) -> Option<Value> {
    let text = text.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    serde_json::from_str::<Value>(text).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn azure_sends_no_tokens() {
        for body in [
            "{\"a\u{fdd0}\": \"\u{fdd0}Sec\u{fdd2}password\u{fdd2}\u{fdd1}\"}",
            r#"{"a\ufdd0": "\uFDD0Sec\uFdD2password\ufdd2\uFDD1"}"#,
        ] {
            let value = json(body.as_bytes()).unwrap();
            assert_eq!(value, json!({ "a\u{fffd}": "\u{fffd}Sec\u{fffd}password\u{fffd}\u{fffd}" }));
        }
    }

    fn codes(envelope: &Envelope) -> Vec<&str> {
        envelope
            .code
            .iter()
            .chain(envelope.details.iter().filter_map(|d| d.code.as_ref()))
            .map(|c| &**c)
            .collect()
    }

    #[test]
    fn every_form_yields_its_codes() {
        let table: &[(&str, &str, &[&str])] = &[
            (
                "standard",
                r#"{"error":{"code":"A","message":"m","details":[{"code":"B","message":"n"}]}}"#,
                &["A", "B"],
            ),
            ("flat", r#"{"code":"NotFound","message":"m","subcode":"GetAgentPool_NotFound"}"#, &["NotFound"]),
            (
                "web",
                r#"{"Code":"Conflict","Message":"m","Target":null,"Details":[{"Message":"m"},{"Code":"Conflict"},{"ErrorEntity":{"Code":"Conflict","Message":"m"}}],"Innererror":null}"#,
                &["Conflict"],
            ),
            ("byte order mark", "\u{feff}{\"error\":{\"code\":\"A\",\"message\":\"m\"}}", &["A"]),
            (
                "operation",
                r#"{"status":"Failed","error":{"code":"PreconditionFailed","message":"m"}}"#,
                &["PreconditionFailed"],
            ),
            (
                "deployment",
                r#"{"error":{"code":"DeploymentFailed","message":"m","details":[{"code":"Conflict","message":"{\"error\":{\"code\":\"AnotherOperationInProgress\",\"message\":\"n\"}}"}]}}"#,
                &["DeploymentFailed", "Conflict", "AnotherOperationInProgress"],
            ),
            (
                "innererror",
                r#"{"error":{"code":"Forbidden","message":"m","innererror":{"code":"ForbiddenByRbac"}}}"#,
                &["Forbidden", "ForbiddenByRbac"],
            ),
            (
                "failed cluster",
                r#"{"properties":{"provisioningState":"Failed","status":{"provisioningError":{"code":"Q","message":"m"}}}}"#,
                &["Q"],
            ),
            ("text", "<html>Bad gateway</html>", &[]),
            ("nothing", "", &[]),
        ];
        for (name, body, expected) in table {
            assert_eq!(codes(&Envelope::parse(body.as_bytes())), *expected, "{name}");
        }
    }

    #[test]
    fn what_is_not_in_arms_form_is_shown_and_shortened() {
        let long = "word ".repeat(1000);
        let table: &[(&str, Option<&str>)] = &[
            (
                "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1>\
                 </center><hr><center>nginx</center></body>\r\n</html>",
                Some("502 Bad Gateway 502 Bad Gateway nginx"),
            ),
            (
                "<!DOCTYPE HTML><HTML><HEAD><STYLE>p { color: red }</STYLE><script>if (a < b) { go('/x>') }</script>\
                 </HEAD><!-- <p>not</p> --><BODY><p>Sign&nbsp;in to &quot;Guest&quot; Wi&#45;Fi &amp; agree",
                Some("Sign in to \"Guest\" Wi&#45;Fi & agree"),
            ),
            ("<html><script>never closed", None),
            ("<html><", None),
            (
                "upstream connect error\n  or disconnect\t/reset",
                Some("upstream connect error or disconnect /reset"),
            ),
            (r#"{"error":"not found"}"#, Some(r#"{"error":"not found"}"#)),
            (
                r#"{"statusCode":401,"reason":"no subscription key"}"#,
                Some(r#"{"statusCode":401,"reason":"no subscription key"}"#),
            ),
            (r#"{"statusCode": 404, "message": "Resource not found"}"#, Some("Resource not found")),
            (r#"{"errors":[{"detail":"x"}]}"#, Some(r#"{"errors":[{"detail":"x"}]}"#)),
            (r#"["a"]"#, Some(r#"["a"]"#)),
            (r#""no such route""#, Some("no such route")),
            ("\u{feff}plain", Some("plain")),
            ("", None),
            (" \n", None),
            ("{}", None),
            ("[]", None),
            ("null", None),
        ];
        for (body, expected) in table {
            assert_eq!(Envelope::parse(body.as_bytes()).message.as_deref(), *expected, "{body}");
        }
        for body in [long.clone(), "x".repeat(100_000), "\u{e9}".repeat(100_000), format!("<html>{long}")] {
            let shown = Envelope::parse(body.as_bytes()).message.unwrap();
            assert!(shown.ends_with('…') && shown.chars().count() == SHOWN + 1, "{shown}");
        }
        // Bytes that are not text, and pages that are all tags, cost nothing.
        assert!(Envelope::parse(&[0xff; 100_000]).message.is_some());
        assert_eq!(Envelope::parse("<html>".repeat(1_000_000).as_bytes()).message, None);
    }

    #[test]
    fn names_the_policies_wherever_they_are_nested() {
        let violation = json!([{"type": "PolicyViolation", "info": {
            "policyAssignmentDisplayName": "Allowed locations", "policyAssignmentName": "x"}}]);
        let inner =
            json!({"code": "RequestDisallowedByPolicy", "message": "no", "additionalInfo": violation});
        for body in [
            json!({"error": inner}),
            json!({"error": {"code": "DeploymentFailed", "message": "m", "details": [inner]}}),
        ] {
            let policies = Envelope::from_value(&body).policies;
            assert_eq!(policies.iter().map(|p| p.policy.as_str()).collect::<Vec<_>>(), ["Allowed locations"]);
        }
    }
}
