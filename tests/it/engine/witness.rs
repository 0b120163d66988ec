//! Somebody between berth and the simulator who sees to it that the rules are kept.

use super::blueprint::Entry;
use async_trait::async_trait;
use berth::arm::transport::{Method, Request, Response, Transport, TransportError, path_and_query};
use berth::sim::Simulator;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Mutex;

/// What a scripted refusal says, so that it is told from the simulator's own.
pub const SCRIPTED: &str = "scripted";

/// The states in which nothing is under way.
const ENDS: [&str; 3] = ["Succeeded", "Failed", "Canceled"];

/// Watches which operations are under way on what, and how many requests.
pub struct Witness {
    simulator: Simulator,
    /// What else an endpoint keeps busy, by its name: its network and its target.
    endpoints: HashMap<String, Vec<String>>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Where an operation is asked about, and what it keeps busy.
    busy: HashMap<String, (String, Vec<String>)>,
    running: usize,
    most: usize,
    wrong: Vec<String>,
}

impl Witness {
    /// Nothing seen yet.
    pub fn new(simulator: Simulator, entries: &[Entry]) -> Self {
        let name = |address: &String| {
            entries.iter().find(|entry| entry.address() == *address).map(|entry| lane(&entry.name))
        };
        let endpoints = entries
            .iter()
            .filter(|entry| entry.section == "privateEndpoints")
            .map(|entry| (entry.name.clone(), entry.needs.iter().take(2).filter_map(name).collect()));
        Witness { simulator, endpoints: endpoints.collect(), seen: Mutex::default() }
    }

    /// Another run begins, and knows nothing of what the one before had under way.
    pub fn begin(&self) {
        let mut seen = self.seen.lock().unwrap();
        seen.busy.clear();
    }

    /// No lane was shared, no more requests were under way than allowed, and no limit was run into.
    #[track_caller]
    pub fn check(&self, parallelism: usize) {
        let seen = self.seen.lock().unwrap();
        assert!(seen.wrong.is_empty(), "{:#?}", seen.wrong);
        assert!(seen.most <= parallelism, "{} requests at once, {parallelism} allowed", seen.most);
    }

    /// What a change of this path keeps busy.
    fn lanes(&self, path: &str) -> Vec<String> {
        // An assignment or a lock hangs on something and leaves it alone.
        if path.contains("/providers/Microsoft.Authorization/") {
            return Vec::new();
        }
        let mut parts = path.split('/');
        let mut found = Vec::new();
        while let Some(part) = parts.next() {
            match part {
                "virtualNetworks"
                | "managedClusters"
                | "userAssignedIdentities"
                | "vaults"
                | "storageAccounts" => {
                    found.extend(parts.next().map(lane));
                }
                "registries" => {
                    let name = parts.next();
                    // The registry itself is there before, or stays.
                    found.extend(parts.clone().next().and(name).map(lane));
                }
                "privateEndpoints" => {
                    let name = parts.next().unwrap_or_default();
                    found.push(lane(name));
                    // Its zone groups are its own business.
                    let child = parts.clone().next().is_some();
                    found.extend(self.endpoints.get(name).into_iter().flatten().filter(|_| !child).cloned());
                }
                _ => {}
            }
        }
        found
    }

    fn before(&self, request: &Request) {
        if request.method.is_read() || request.method == Method::Post {
            return;
        }
        let path = path_and_query(&request.url).split('?').next().unwrap_or_default();
        let lanes = self.lanes(path);
        let mut seen = self.seen.lock().unwrap();
        let taken =
            seen.busy.values().find(|(_, busy)| busy.iter().any(|busy| lanes.contains(busy))).cloned();
        if let Some((other, _)) = taken {
            seen.wrong.push(format!("{} {path} while under way: {other}", request.method));
        }
    }

    fn after(&self, request: &Request, response: &Response) {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        let mut seen = self.seen.lock().unwrap();
        if request.method.is_read() {
            let state = body["status"].as_str().unwrap_or("Succeeded");
            let ended = ENDS.contains(&state);
            if ended && response.status != 202 {
                seen.busy.remove(&request.url);
            }
            // Whoever cannot ask about the operation looks at the resource, by itself or in a list.
            for shown in body["value"].as_array().into_iter().flatten().chain([&body]) {
                let state = shown["properties"]["provisioningState"].as_str().unwrap_or("Succeeded");
                let Some(id) = shown["id"].as_str().filter(|_| ENDS.contains(&state)) else { continue };
                seen.busy.retain(|_, (of, _)| !of.to_ascii_lowercase().ends_with(&id.to_ascii_lowercase()));
            }
            return;
        }
        let text = String::from_utf8_lossy(&response.body);
        if response.status == 429 && text.contains("SubscriptionRequestsThrottled") {
            seen.wrong.push(format!("{} {} ran into a limit", request.method, request.url));
        }
        let headers = &response.headers;
        let follow = headers.get("azure-asyncoperation").or_else(|| headers.get("location"));
        if let Some(url) = follow.filter(|_| response.status < 300) {
            let path = path_and_query(&request.url).split('?').next().unwrap_or_default();
            let lanes = self.lanes(path);
            seen.busy.insert(url.to_owned(), (format!("{} {path}", request.method), lanes));
        }
    }
}

/// A request that is under way.
struct Flight<'a>(&'a Mutex<Seen>);

impl<'a> Flight<'a> {
    fn begin(seen: &'a Mutex<Seen>) -> Self {
        let mut now = seen.lock().unwrap();
        now.running += 1;
        now.most = now.most.max(now.running);
        Flight(seen)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().running -= 1;
    }
}

fn lane(name: &str) -> String {
    name.to_ascii_lowercase()
}

#[async_trait]
impl Transport for Witness {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.before(&request);
        let sent = request.clone();
        // A run that dies drops its requests.
        let flight = Flight::begin(&self.seen);
        let answer = self.simulator.send(request).await;
        drop(flight);
        if let Ok(response) = &answer {
            self.after(&sent, response);
        }
        answer
    }
}
