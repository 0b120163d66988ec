//! A transport that plays a script, for the tests of this room.

use super::client::Client;
use super::options::Options;
use super::token::StaticToken;
use super::transport::{Method, Request, Response, Transport, TransportError};
use crate::host::{Clock, Timestamp};
use async_trait::async_trait;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// ARM's address, for URLs in scripts.
pub(super) const ARM: &str = "https://management.azure.com";
/// A resource.
pub(super) const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.X/things/t";

/// One line of a script: what must be asked, and what is answered.
pub(super) struct Line {
    ask: String,
    reply: Option<Response>,
}

/// Expects `METHOD path` (without the query) and answers with a status and a body.
pub(super) fn line(ask: &str, status: u16, body: Value) -> Line {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Line { ask: ask.replace("ID", ID), reply: Some(Response::new(status, body)) }
}

/// Expects `METHOD path` and breaks the line.
pub(super) fn lost(ask: &str) -> Line {
    Line { ask: ask.replace("ID", ID), reply: None }
}

impl Line {
    /// Answers with a text that need not be JSON.
    pub(super) fn replace_body(&mut self, body: &str) {
        if let Some(reply) = &mut self.reply {
            reply.body = body.to_owned().into();
        }
    }

    /// Adds a header to the answer, whatever it says.
    pub(super) fn verbatim(mut self, name: &str, value: &str) -> Self {
        if let Some(reply) = &mut self.reply {
            reply.headers.set(name, value);
        }
        self
    }

    /// Adds a header to the answer; a leading `/` stands for a URL of ARM.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let value = if value.starts_with('/') { format!("{ARM}{value}") } else { value.to_owned() };
        if let Some(reply) = &mut self.reply {
            reply.headers.set(name, value);
        }
        self
    }
}

/// Plays a script and remembers what was sent, and when.
pub(super) struct Script {
    lines: Mutex<VecDeque<Line>>,
    clock: Clock,
    pub(super) sent: Mutex<Vec<(u64, Request)>>,
}

impl Script {
    /// A client at the instant 0 that speaks to a script.
    pub(super) fn client(lines: Vec<Line>) -> (Client, Arc<Script>) {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let script = Arc::new(Script {
            lines: Mutex::new(lines.into()),
            clock: clock.clone(),
            sent: Mutex::default(),
        });
        let options =
            Options { correlation_id: "00000000-0000-0000-0000-00000000c0de".into(), ..Options::default() };
        let client = Client::new(script.clone(), Arc::new(StaticToken::new("t")), clock, options);
        (client, script)
    }

    /// The seconds at which requests were sent; every line must have been played.
    pub(super) fn times(&self) -> Vec<u64> {
        assert!(self.lines.lock().unwrap().is_empty(), "the script was not played to its end");
        self.sent.lock().unwrap().iter().map(|(at, _)| at / 1000).collect()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = super::error::without_query(request.path_and_query()).to_owned();
        let ask = format!("{} {path}", request.method);
        self.sent.lock().unwrap().push((self.clock.now().0, request.clone()));
        let line = self.lines.lock().unwrap().pop_front();
        let line = line.unwrap_or_else(|| panic!("not in the script: {ask}"));
        assert_eq!(ask, line.ask);
        line.reply.ok_or_else(|| TransportError {
            method: Method::Get,
            url: path,
            reason: "connection reset".into(),
            retryable: true,
        })
    }
}
