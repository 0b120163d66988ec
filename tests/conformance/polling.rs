//! The client, following recorded operations, ends where the recording ended.

use crate::facts::{self, Answer, Exchange, Recording, Target};
use async_trait::async_trait;
use berth::arm::transport::{Method, Request, Response, Transport, TransportError, path_and_query};
use berth::arm::{
    Client, Conditions, Error, ErrorKind, Finish, Finished, Operation, Options, Poll, Started, StaticToken,
};
use berth::host::{Clock, Timestamp};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long the client waits; recordings that stop in the middle go on for ever.
const DEADLINE: Duration = Duration::from_secs(2 * 3600);

/// A write and what was asked afterwards, up to the next write.
struct Act {
    write: Exchange,
    looks: Vec<Exchange>,
}

/// How an act ended.
#[derive(Debug, PartialEq)]
enum End {
    /// Azure was done, and this is what it shows.
    Succeeded(Value),
    /// The resource is gone.
    Gone,
    /// The operation failed with this code.
    Failed(String),
    /// Someone cancelled it.
    Cancelled,
    /// The recording stops before the end.
    Open,
    /// It was refused at once, with this status.
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

/// Answers what was recorded, each kind of question by itself and in the recorded order; the last answer stays.
struct Player {
    write: Answer,
    id: String,
    operation: Mutex<VecDeque<Answer>>,
    location: Mutex<VecDeque<Answer>>,
    resource: Mutex<VecDeque<Answer>>,
    /// How the recording ends, and how much of it had to be made up.
    end: End,
    made_up: usize,
}

impl Player {
    fn of(act: &Act) -> Self {
        let Act { write, looks } = act;
        let id = write.id().unwrap().to_owned();
        let pick = |wanted: &dyn Fn(&Exchange) -> bool| -> VecDeque<Answer> {
            looks.iter().filter(|look| wanted(look)).map(|look| look.answer.clone()).collect()
        };
        let mut operation = pick(&|look| look.target == Target::AsyncOperation);
        let location = pick(&|look| look.target == Target::Location);
        let mut resource = pick(&|look| look.id().is_some_and(|at| at.eq_ignore_ascii_case(&id)));
        let shown = resource.back().map(|answer| answer.body.clone());
        let rests = shown.as_ref().is_some_and(|body| state(body).is_none_or(is_at_rest));
        let mut made_up = 0;
        let mut make_up = |queue: &mut VecDeque<Answer>, status: u16, body: Value| {
            made_up += 1;
            queue.push_back(Answer { status, headers: Default::default(), body });
        };
        // Of rows of equal polls only the first may be kept, and some clients looked at the resource instead: where
        // the resource came to rest, the operation had ended.
        let ended =
            operation.back().is_some_and(|answer| answer.body["status"].as_str().is_some_and(is_at_rest));
        let deletes = write.method == Method::Delete;
        if write.answer.headers.get("azure-asyncoperation").is_some() && !ended && (rests || deletes) {
            make_up(&mut operation, 200, json!({"status": "Succeeded"}));
        }
        let status = operation.back().and_then(|answer| answer.body["status"].as_str());
        let end = match (write.answer.status, status) {
            (400.., _) => End::Refused(write.answer.status),
            (_, Some("Failed")) => {
                let error = &operation.back().unwrap().body["error"];
                End::Failed(error["code"].as_str().unwrap_or_default().to_owned())
            }
            _ if deletes => {
                if resource.back().is_none_or(|answer| answer.status != 404) {
                    let gone = json!({"error": {"code": "ResourceNotFound", "message": "gone"}});
                    resource.clear();
                    make_up(&mut resource, 404, gone);
                }
                End::Gone
            }
            _ if rests => End::Succeeded(shown.unwrap()),
            (_, Some("Succeeded")) => {
                let mut body = write.answer.body.clone();
                if body.get("id").is_none() {
                    body = json!({"id": id, "properties": {}});
                }
                body["properties"]["provisioningState"] = "Succeeded".into();
                make_up(&mut resource, 200, body.clone());
                End::Succeeded(body)
            }
            _ if state(&write.answer.body).is_none_or(is_at_rest) && write.answer.status < 202 => {
                End::Succeeded(write.answer.body.clone())
            }
            _ => End::Open,
        };
        if end == End::Open && operation.is_empty() {
            make_up(&mut operation, 200, json!({"status": "InProgress"}));
        }
        if resource.is_empty() {
            resource.push_back(write.answer.clone());
        }
        Player {
            write: write.answer.clone(),
            id,
            operation: Mutex::new(operation),
            location: Mutex::new(location),
            resource: Mutex::new(resource),
            end,
            made_up,
        }
    }
}

/// The next answer; the last one stays.
fn next(queue: &Mutex<VecDeque<Answer>>, url: &str) -> Answer {
    let mut queue = queue.lock().unwrap();
    if queue.len() > 1 {
        return queue.pop_front().unwrap();
    }
    queue.front().unwrap_or_else(|| panic!("no answer to {url} is recorded")).clone()
}

#[async_trait]
impl Transport for Player {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let url = &request.url;
        let path = path_and_query(url).split('?').next().unwrap_or_default();
        let is = |name: &str| self.write.headers.get(name) == Some(url);
        let answer = if !request.method.is_read() {
            self.write.clone()
        } else if path.eq_ignore_ascii_case(&self.id) {
            next(&self.resource, url)
        } else if is("azure-asyncoperation") {
            next(&self.operation, url)
        } else {
            next(&self.location, url)
        };
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

fn client(player: Arc<Player>) -> Client {
    let clock = Clock::start_at(Timestamp(0), 1.0);
    Client::new(player, Arc::new(StaticToken::new("t")), clock, Options::default())
}

async fn follow(act: &Act, player: Arc<Player>) -> End {
    let client = client(player);
    let Target::Path(path) = &act.write.target else { panic!("a write goes to a path") };
    let (id, version) = path.split_once("?api-version=").unwrap();
    let body = act.write.body.clone().unwrap_or_default();
    let started = match act.write.method {
        Method::Delete => client.delete(id, version, &[]).await,
        Method::Post => client.post(id, version, None).await,
        _ => client.put(id, version, &body, &Conditions::none()).await,
    };
    let deletes = act.write.method == Method::Delete;
    let finished = match started {
        Ok(Started::Running(operation)) => client.wait(&operation, |_| {}, DEADLINE).await,
        Ok(Started::Done(body)) => Ok(Finished { body, etag: None }),
        Err(error) => return End::Refused(error.status.unwrap_or_default()),
    };
    match finished {
        Ok(_) if deletes => End::Gone,
        Ok(finished) => End::Succeeded(finished.body.unwrap_or_default()),
        Err(error) => ended(&error),
    }
}

fn ended(error: &Error) -> End {
    match error.kind {
        ErrorKind::Cancelled => End::Cancelled,
        ErrorKind::TimedOut => End::Open,
        _ => End::Failed(error.code.clone().unwrap_or_default()),
    }
}

pub async fn operations_end_where_they_ended() {
    let Some(dir) = facts::dir("polling") else { return };
    let (mut followed, mut open, mut made_up) = (0, 0, 0);
    let mut wrong = Vec::new();
    for (name, text) in Recording::all(&dir) {
        let recording = Recording::parse(&name, &text);
        for (at, act) in acts(&recording).iter().enumerate() {
            let player = Arc::new(Player::of(act));
            let end = follow(act, player.clone()).await;
            followed += 1;
            open += usize::from(player.end == End::Open);
            made_up += player.made_up;
            // A write that is done at once shows itself; what is read later may show more.
            let at_once = end == End::Succeeded(act.write.answer.body.clone())
                && act.write.answer.headers.get("azure-asyncoperation").is_none()
                && state(&act.write.answer.body).is_none_or(is_at_rest);
            if end != player.end && !at_once {
                wrong.push(format!("{name}, write {at}: ended as {end:?}, recorded {:?}", player.end));
            }
        }
    }
    println!(
        "polling: {followed} writes followed, {open} of them to where the recording stops; \
         {made_up} answers that no recording kept were made up"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A cluster whose creation somebody aborts: whoever waits for the cluster hears of it, and so does who aborted it.
pub async fn an_aborted_creation_is_cancelled() {
    let Some(dir) = facts::dir("polling") else { return };
    let recordings = Recording::all(&dir);
    let (name, text) = recordings.iter().find(|(name, _)| name == "mc-aborted-create-canceled").unwrap();
    let recording = Recording::parse(name, text);
    let mut write = recording.exchanges[1].clone();
    let url = write.answer.headers.get("location").unwrap().to_owned();
    write.target = recording.main().target.clone();
    let mut player = Player::of(&Act { write, looks: recording.exchanges.clone() });
    // The query of an operation's address may be elided; the address is used as it is all the same.
    player.location = Mutex::new(VecDeque::from([recording.exchanges[1].answer.clone()]));
    let client = client(Arc::new(player));
    let watching = Operation::watching(Method::Put, recording.id(), "2026-02-01");
    let error = client.wait(&watching, |_| {}, DEADLINE).await.unwrap_err();
    assert_eq!(ended(&error), End::Cancelled, "{error}");
    let abort = Operation {
        method: Method::Post,
        poll: Poll::Location { url },
        finish: Finish::LastPoll,
        ..Operation::watching(Method::Post, &format!("{}/abort", recording.id()), "2026-02-01")
    };
    let finished = client.wait(&abort, |_| {}, DEADLINE).await.unwrap();
    assert_eq!(finished, Finished::default());
    println!("polling: an abort and what it cancels followed");
}
