//! The client, following recorded operations, ends where the recording ended.

use crate::facts::{self, Answer, Exchange, Recording, Target};
use async_trait::async_trait;
use berth::arm::transport::{Method, Request, Response, Transport, TransportError, path_and_query};
use berth::arm::{Client, Conditions, Error, ErrorKind, Finished, Operation, Options, Started, StaticToken};
use berth::host::{Clock, Timestamp};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A write and what was asked afterwards, up to the next write.
struct Act {
    write: Exchange,
    looks: Vec<Exchange>,
}

/// How an act ended.
#[derive(Debug, PartialEq)]
enum End {
    Succeeded(Value),
    Gone,
    Failed(String),
    Cancelled,
    /// The recording stops before the end.
    Open,
    /// Refused at once.
    Refused(u16),
}

fn acts(recording: &Recording) -> Vec<Act> {
    let mut acts: Vec<Act> = Vec::new();
    for exchange in &recording.exchanges {
        if !exchange.method.is_read() {
            acts.push(Act { write: exchange.clone(), looks: Vec::new() });
        } else if let Some(act) = acts.last_mut() {
            act.looks.push(exchange.clone());
        }
    }
    acts
}

/// Answers what was recorded, in the recorded order, each kind of question by itself; the last answer stays.
struct Player {
    write: Answer,
    id: String,
    method: Method,
    operation: Mutex<VecDeque<Answer>>,
    location: Mutex<VecDeque<Answer>>,
    resource: Mutex<VecDeque<Answer>>,
    /// What was asked and is not recorded.
    made_up: Mutex<Vec<String>>,
}

impl Player {
    fn of(act: &Act) -> Self {
        let id = act.write.id().unwrap().to_owned();
        let pick = |wanted: fn(&Exchange, &str) -> bool| {
            Mutex::new(act.looks.iter().filter(|look| wanted(look, &id)).map(|look| look.answer.clone()).collect())
        };
        let is_own = |look: &Exchange, id: &str| look.id().is_some_and(|at| at.eq_ignore_ascii_case(id));
        Player {
            operation: pick(|look, _| look.target == Target::AsyncOperation),
            location: pick(|look, _| look.target == Target::Location),
            resource: pick(is_own),
            write: act.write.answer.clone(),
            method: act.write.method,
            id,
            made_up: Mutex::default(),
        }
    }

    fn next(&self, queue: &Mutex<VecDeque<Answer>>, or: impl FnOnce() -> Option<Answer>) -> Answer {
        let mut queue = queue.lock().unwrap();
        match queue.len() {
            0 => or().expect("an answer that can be made up"),
            1 if queue[0].body.get("status") == Some(&json!("InProgress")) => {
                // Rows of equal polls are shortened; where the resource is shown at rest, this one ended.
                let still = queue[0].clone();
                match or() {
                    Some(made_up) => {
                        queue.clear();
                        queue.push_back(made_up);
                        still
                    }
                    None => still,
                }
            }
            1 => queue[0].clone(),
            _ => queue.pop_front().unwrap(),
        }
    }

    fn made_up(&self, what: &str, status: u16, body: Value) -> Option<Answer> {
        self.made_up.lock().unwrap().push(what.to_owned());
        Some(Answer { status, headers: Default::default(), body })
    }
}

#[async_trait]
impl Transport for Player {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is = |name: &str| self.write.headers.get(name) == Some(&request.url);
        let path = path_and_query(&request.url).split('?').next().unwrap_or_default().to_owned();
        let ended = || {
            let resource = self.resource.lock().unwrap();
            resource.is_empty() || resource.iter().any(|answer| state(&answer.body).is_some_and(is_at_rest))
        };
        let answer = if !request.method.is_read() {
            self.write.clone()
        } else if is("azure-asyncoperation") && !path.eq_ignore_ascii_case(&self.id) {
            self.next(&self.operation, || {
                let recorded = !self.operation.lock().is_ok_and(|queue| queue.is_empty());
                let _ = recorded;
                None
            })
        } else if is("location") && !path.eq_ignore_ascii_case(&self.id) {
            self.next(&self.location, || None)
        } else if path.eq_ignore_ascii_case(&self.id) {
            self.next(&self.resource, || {
                let error = json!({"error": {"code": "ResourceNotFound", "message": "gone"}});
                match self.method {
                    Method::Delete => self.made_up("the resource, gone", 404, error),
                    _ => {
                        let mut body = self.write.body.clone();
                        body["properties"]["provisioningState"] = "Succeeded".into();
                        self.made_up("the resource, at rest", 200, body)
                    }
                }
            })
        } else {
            panic!("{} {} was never asked when this was recorded", request.method, request.url)
        };
        let _ = ended;
        let body = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
        let mut response = Response::new(answer.status, body);
        response.headers = answer.headers;
        Ok(response)
    }
}

fn state(body: &Value) -> Option<&str> {
    body.pointer("/properties/provisioningState").and_then(Value::as_str)
}

fn is_at_rest(state: &str) -> bool {
    ["Succeeded", "Failed", "Canceled", "Ready"].contains(&state)
}
