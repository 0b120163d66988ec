//! ARM's error answers.

use crate::host::transport::Response;
use serde_json::{Value, json};

/// How an error is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Envelope {
    /// `{"error": {…}}`, the form of ARM itself and of most providers.
    #[default]
    Wrapped,
    /// Code and message at the top level, as AKS does.
    Flat,
}

/// A request that is refused.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    /// Whether the same request would succeed later: then time moves on under `Time::Jump`.
    pub(crate) passing: bool,
    pub(crate) code: String,
    pub(crate) message: String,
    // Boxed, because every step returns a failure by value and few have any of this.
    more: Box<More>,
}

#[derive(Debug, Clone, Default)]
struct More {
    target: Option<String>,
    subcode: Option<String>,
    details: Vec<Value>,
    additional: Option<Value>,
    envelope: Envelope,
    retry_after: Option<u64>,
}

impl Failure {
    /// A refusal in the usual envelope.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_owned(), message.into());
        Failure { status, passing: false, code, message, more: Box::default() }
    }

    /// A 400.
    pub(crate) fn bad(code: &str, message: impl Into<String>) -> Self {
        Failure::new(400, code, message)
    }

    /// Names what the error is about.
    pub(crate) fn target(mut self, target: impl Into<String>) -> Self {
        self.more.target = Some(target.into());
        self
    }

    /// Adds one inner error.
    pub(crate) fn detail(mut self, detail: Value) -> Self {
        self.more.details.push(detail);
        self
    }

    /// Adds what a policy tells about itself.
    pub(crate) fn additional(mut self, info: Value) -> Self {
        self.more.additional = Some(info);
        self
    }

    /// The finer code of AKS.
    pub(crate) fn subcode(mut self, subcode: &str) -> Self {
        self.more.subcode = Some(subcode.to_owned());
        self.flat()
    }

    /// Drops the envelope.
    pub(crate) fn flat(mut self) -> Self {
        self.more.envelope = Envelope::Flat;
        self
    }

    /// Says when to come back.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.more.retry_after = Some(seconds);
        self.passing()
    }

    /// Marks a refusal that time alone will lift.
    pub(crate) fn passing(mut self) -> Self {
        self.passing = true;
        self
    }

    /// The answer on the wire.
    pub(crate) fn response(&self) -> Response {
        let mut body = json!({"code": self.code, "message": self.message});
        if let Some(target) = &self.more.target {
            body["target"] = json!(target);
        }
        match self.more.envelope {
            Envelope::Flat => {
                body["details"] =
                    if self.more.details.is_empty() { Value::Null } else { json!(self.more.details) };
                body["subcode"] = json!(self.more.subcode.as_deref().unwrap_or_default());
            }
            Envelope::Wrapped => {
                if let Some(info) = &self.more.additional {
                    body["additionalInfo"] = json!([info]);
                }
                if !self.more.details.is_empty() {
                    body["details"] = json!(self.more.details);
                }
                body = json!({"error": body});
            }
        }
        let mut response = Response::new(self.status, body.to_string());
        response.headers.set("content-type", "application/json; charset=utf-8");
        if let Some(seconds) = self.more.retry_after {
            response.headers.set("retry-after", seconds.to_string());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_or_not() {
        let failure = Failure::bad("A", "b").target("t").retry_after(3);
        let response = failure.response();
        assert_eq!(response.headers.get("retry-after"), Some("3"));
        assert_eq!(&response.body[..], br#"{"error":{"code":"A","message":"b","target":"t"}}"#);
        let flat = Failure::new(409, "A", "b").flat().response();
        assert_eq!(&flat.body[..], br#"{"code":"A","message":"b","details":null,"subcode":""}"#);
    }
}
