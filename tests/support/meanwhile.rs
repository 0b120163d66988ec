//! Somebody else who writes at the worst moment: just before a request of berth's.

use super::Rehearsal;
use async_trait::async_trait;
use berth::arm::transport::{Method, Request, Response, Transport, TransportError, path_and_query};
use berth::arm::{self, Client, StaticToken};
use berth::ident::ArmId;
use berth::sim::Simulator;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as others send it: method, id with a version, body.
pub type Foreign = (Method, String, Option<Value>);

/// What others send just before a request with one of the methods on a path.
type Strike = (Vec<Method>, String, Vec<Foreign>);

/// Between berth and the simulator: writes down what is sent, and lets others write just before it.
pub struct Meanwhile {
    simulator: Simulator,
    log: Mutex<Vec<(Method, String, Value, u16)>>,
    strike: Mutex<Option<Strike>>,
    /// What others send just after a deletion of a resource.
    filled: Mutex<Option<(String, Vec<Foreign>)>>,
}

impl Meanwhile {
    /// Puts itself between a rehearsal and its simulator.
    pub fn on(rehearsal: &mut Rehearsal) -> Arc<Self> {
        let own = Arc::new(Meanwhile {
            simulator: rehearsal.simulator.clone(),
            log: Mutex::default(),
            strike: Mutex::default(),
            filled: Mutex::default(),
        });
        let engine = &mut rehearsal.session.engine;
        let token = Arc::new(StaticToken::new("simulator"));
        let transport = super::witness::watched(own.clone());
        engine.client = Client::new(transport, token, engine.clock.clone(), arm::Options::default());
        own
    }

    /// Has others send these just before the next request with one of these methods on this resource.
    pub fn before(&self, methods: &[Method], id: &ArmId, foreign: Vec<Foreign>) {
        let path = id.as_str().to_ascii_lowercase();
        *self.strike.lock().unwrap() = Some((methods.to_vec(), path, foreign));
    }

    /// Has others send these as soon as this resource is deleted.
    pub fn once_deleted(&self, id: &ArmId, foreign: Vec<Foreign>) {
        *self.filled.lock().unwrap() = Some((id.as_str().to_ascii_lowercase(), foreign));
    }

    /// Whether what was announced has not happened yet.
    pub fn is_waiting(&self) -> bool {
        self.strike.lock().unwrap().is_some()
    }

    /// Forgets what was sent.
    pub fn forget(&self) {
        self.log.lock().unwrap().clear();
    }

    /// What berth sent to a resource other than reads, with the status of the answer.
    pub fn writes(&self, id: &ArmId) -> Vec<(Method, Value, u16)> {
        let path = id.as_str().to_ascii_lowercase();
        let log = self.log.lock().unwrap();
        let own = log.iter().filter(|(method, sent, ..)| *sent == path && !method.is_read());
        own.map(|(method, _, body, status)| (*method, body.clone(), *status)).collect()
    }

    /// Sends what others send, and waits until it is done.
    async fn others(&self, foreign: Vec<Foreign>) {
        for (method, url, body) in foreign {
            let mut request = Request::new(method, format!("https://management.azure.com{url}"));
            if let Some(body) = body {
                request.body = body.to_string().into();
            }
            let response = self.simulator.send(request).await.unwrap();
            let text = String::from_utf8_lossy(&response.body).into_owned();
            assert!(response.status < 300, "{method} {url}: {} {text}", response.status);
            tokio::time::sleep(Duration::from_secs(300)).await;
        }
    }
}

#[async_trait]
impl Transport for Meanwhile {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = path_and_query(&request.url).split('?').next().unwrap_or_default().to_ascii_lowercase();
        let method = request.method;
        let foreign = {
            let mut strike = self.strike.lock().unwrap();
            let strikes =
                strike.as_ref().is_some_and(|(methods, at, _)| methods.contains(&method) && *at == path);
            if strikes { strike.take() } else { None }
        };
        if let Some((_, _, foreign)) = foreign {
            self.others(foreign).await;
        }
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        let answer = self.simulator.send(request).await;
        let status = answer.as_ref().map_or(0, |response| response.status);
        let foreign = {
            let mut filled = self.filled.lock().unwrap();
            let is_it = method == Method::Delete && filled.as_ref().is_some_and(|(at, _)| *at == path);
            if is_it { filled.take() } else { None }
        };
        self.log.lock().unwrap().push((method, path, body, status));
        if let Some((_, foreign)) = foreign {
            self.others(foreign).await;
        }
        answer
    }
}
