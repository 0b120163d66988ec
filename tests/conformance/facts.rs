//! The recorded exchanges, read.

use berth::arm::transport::{Headers, Method, path_and_query};
use serde_json::Value;
use std::path::PathBuf;

/// Where the facts are; `None`, and a line about it, when nobody says.
#[expect(clippy::disallowed_methods, reason = "a suite is told by its environment where the facts are")]
pub fn dir(suite: &str) -> Option<PathBuf> {
    match std::env::var_os("BERTH_AZURE_FACTS") {
        Some(dir) => Some(PathBuf::from(dir)),
        None => {
            println!("{suite}: skipped, as BERTH_AZURE_FACTS names no directory with facts about Azure");
            None
        }
    }
}

/// A recording: exchanges in the order of time.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The file's name without its ending.
    pub name: String,
    /// The exchanges.
    pub exchanges: Vec<Exchange>,
    /// Which of them is the one that the recording is about.
    pub main: usize,
}

/// Where a request went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A path with its query.
    Path(String),
    /// What `Azure-AsyncOperation` of the last write said.
    AsyncOperation,
    /// What `Location` of the last write said.
    Location,
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: Method,
    pub target: Target,
    pub headers: Headers,
    pub body: Option<Value>,
    /// What the recording says about it besides.
    pub note: String,
    pub answer: Answer,
}

/// What Azure answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Headers,
    /// Null when there was none.
    pub body: Value,
}

impl Exchange {
    /// The path without its query, when it went to one.
    pub fn id(&self) -> Option<&str> {
        match &self.target {
            Target::Path(path) => path.split('?').next(),
            _ => None,
        }
    }

    /// `METHOD where`, for messages.
    pub fn ask(&self) -> String {
        let target = match &self.target {
            Target::Path(path) => path.split('/').rev().take(2).collect::<Vec<_>>(),
            Target::AsyncOperation => vec!["azure-asyncoperation"],
            Target::Location => vec!["location"],
        };
        format!("{} {}", self.method, target.into_iter().rev().collect::<Vec<_>>().join("/"))
    }

    /// Whether the answer shows something that goes on: a moving state, or a poll that has to be repeated.
    pub fn is_moving(&self) -> bool {
        let state = match &self.target {
            Target::Path(_) => self.answer.body.pointer("/properties/provisioningState"),
            _ => self.answer.body.get("status"),
        };
        let state = state.or_else(|| self.answer.body.get("registrationState"));
        match state.and_then(Value::as_str) {
            Some(state) => !["Succeeded", "Failed", "Canceled", "Ready", "Registered"].contains(&state),
            None => self.target != Target::AsyncOperation && self.answer.status == 202,
        }
    }
}

impl Recording {
    /// Every recording, by name.
    pub fn all(facts: &std::path::Path) -> Vec<(String, String)> {
        let folder = facts.join("recorded");
        let all = Recording::within(&folder);
        assert!(all.len() >= 37, "recordings are missing from {}", folder.display());
        all
    }

    /// Every recording of a folder, by name.
    pub fn within(folder: &std::path::Path) -> Vec<(String, String)> {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut all: Vec<(String, String)> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .map(|path| {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                (name, std::fs::read_to_string(&path).unwrap())
            })
            .collect();
        all.sort();
        all
    }

    /// Reads a recording from its text.
    pub fn parse(name: &str, text: &str) -> Self {
        let file: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let request = &file["request"];
        let body = Some(request["body"].clone()).filter(|body| !body.is_null());
        let responses = file["responses"].as_array().unwrap();
        let conditional = responses.iter().any(|one| one["body"]["error"]["code"] == "PreconditionFailed");
        let mut exchanges = Vec::new();
        let mut main = None;
        for response in responses {
            let (method, target, note) = match response["of"].as_str() {
                Some(of) => read_ask(of),
                None => {
                    main = Some(exchanges.len());
                    let path = request["path"].as_str().unwrap().to_owned();
                    (method(request["method"].as_str().unwrap()), Target::Path(path), String::new())
                }
            };
            let mut headers = Headers::new();
            // What failed for a condition had one: headers of requests are not recorded.
            if method == Method::Put && conditional {
                headers.set("if-none-match", "*");
            }
            let mut answered = Headers::new();
            for (name, value) in response["headers"].as_object().unwrap() {
                answered.set(name, value.as_str().unwrap());
            }
            exchanges.push(Exchange {
                method,
                target,
                headers,
                body: body.clone().filter(|_| matches!(method, Method::Put | Method::Post | Method::Patch)),
                note,
                answer: Answer {
                    status: response["status"].as_u64().unwrap() as u16,
                    headers: answered,
                    body: response["body"].clone(),
                },
            });
        }
        Recording { name: name.to_owned(), exchanges, main: main.expect("a recording answers its request") }
    }

    /// The exchange that the recording is about.
    pub fn main(&self) -> &Exchange {
        &self.exchanges[self.main]
    }

    /// The id that the recording is about.
    pub fn id(&self) -> &str {
        self.main().id().expect("the main request goes to a path")
    }

    /// The last answer that shows the resource of the main request.
    pub fn last_body(&self) -> Option<&Value> {
        let of_id = |e: &&Exchange| {
            e.id().is_some_and(|id| id.eq_ignore_ascii_case(self.id()))
                && e.answer.status < 300
                && e.answer.body.get("id").is_some()
        };
        self.exchanges.iter().rev().find(of_id).map(|e| &e.answer.body)
    }
}

fn method(text: &str) -> Method {
    Method::parse(text).unwrap_or_else(|| panic!("unknown method {text}"))
}

/// Reads `GET azure-asyncoperation`, `GET URL (note)`, `PUT /path?query with words`.
fn read_ask(of: &str) -> (Method, Target, String) {
    let (verb, rest) = of.split_once(' ').unwrap();
    let (target, note) = rest.split_once(' ').unwrap_or((rest, ""));
    let folded = target.to_ascii_lowercase();
    let target = match target {
        "azure-asyncoperation" => Target::AsyncOperation,
        "location" => Target::Location,
        _ if folded.contains("/operations/") => Target::AsyncOperation,
        _ if folded.contains("operationstatuses/") => Target::AsyncOperation,
        // Front Door's status has an address that elsewhere is that of a result.
        _ if folded.contains("microsoft.cdn/operationresults/") => Target::AsyncOperation,
        _ if folded.contains("operationresults/") => Target::Location,
        _ => Target::Path(path_and_query(target).to_owned()),
    };
    (method(verb), target, note.to_owned())
}
