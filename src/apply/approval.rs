//! Approving a private-endpoint connection: the one place where berth does it.
//!
//! The target's list says which connections there are; each that is to be approved is read again by its id just before,
//! because a list may be old and a name may be taken by somebody else in between. A decision that somebody made on the
//! target since then stands.

use super::failure::{Failure, Stop};
use super::reattempt::Reattempts;
use super::worker::Worker;
use crate::arm::{Client, Conditions, Operation, Started};
use crate::host::Clock;
use crate::ident::ArmId;
use crate::observe;
use crate::plan::Approve;
use crate::private_link::{self, Connection, Decision, Verb, caused_by};
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;

/// How long berth waits between two looks at a target.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// How long a connection may take to appear, and to say that it is approved.
const DEADLINE: Duration = Duration::from_secs(600);

/// Which connections are approved.
#[derive(Debug, Clone, PartialEq)]
pub enum Whose {
    /// Those that this endpoint caused.
    Endpoint(ArmId),
    /// This one, which a rule or a person named, as it was read: its id and the endpoint that it then had.
    Connection(ArmId, Option<ArmId>),
}

/// An approval that is to be carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Approving {
    /// The resource that the connections are on.
    pub target: ArmId,
    /// In which API version the target shows its connections.
    pub api_version: String,
    /// Which connections.
    pub whose: Whose,
    /// The text shown on the target.
    pub description: String,
    /// Whether a rejection that is there now is taken back. One that comes later stands in any case.
    pub overrules: bool,
    /// How long it may take.
    pub deadline: Duration,
}

/// How far an approval is.
#[derive(Debug, Clone, Copy)]
pub enum Approach<'a> {
    /// Azure accepted it and works on it.
    Accepted(&'a Operation),
    /// The target is looked at from time to time.
    Watching,
}

impl Approving {
    /// Approves, and waits until the target says so; the connection then.
    ///
    /// # Errors
    /// When Azure refuses, when the connection was rejected or cut off, or when it never comes.
    pub async fn run(
        &self,
        client: &Client,
        clock: &Clock,
        tell: &(dyn Fn(Approach<'_>) + Sync),
    ) -> Result<Value, Stop> {
        let started = clock.elapsed();
        let mut sent: HashSet<ArmId> = HashSet::new();
        let mut first = true;
        loop {
            // Only a rejection that the first look finds can be one that the plan or the person has seen.
            let overrules = std::mem::replace(&mut first, false) && self.overrules;
            let connections = self.look(client).await?;
            let alive: Vec<&Connection> =
                connections.iter().filter(|connection| connection.status != "Disconnected").collect();
            for connection in &alive {
                let waits = connection.status == "Pending" || connection.status == "Rejected" && overrules;
                if waits && !sent.contains(&connection.id) && self.decide(client, connection, tell).await? {
                    sent.insert(connection.id.clone());
                }
            }
            match &alive[..] {
                [] if !connections.is_empty() => return Err(cut_off(&connections[0]).into()),
                [] => {}
                alive if alive.iter().all(|connection| connection.status == "Approved") => {
                    return Ok(alive[0].body.clone());
                }
                alive => {
                    let rejected = |connection: &&&Connection| {
                        connection.status == "Rejected" && !(overrules && sent.contains(&connection.id))
                    };
                    if let Some(rejected) = alive.iter().find(rejected) {
                        return Err(rejected_by_owner(rejected).into());
                    }
                }
            }
            if clock.elapsed().saturating_sub(started) > self.deadline.min(DEADLINE) {
                return Err(self.too_late(&alive).into());
            }
            tell(Approach::Watching);
            clock.sleep(POLL_INTERVAL).await;
        }
    }

    /// The same, repeated as often as a step of a plan is.
    ///
    /// # Errors
    /// As [`Approving::run`].
    pub async fn run_to_the_end(&self, client: &Client, clock: &Clock) -> Result<Value, Failure> {
        let mut reattempts = Reattempts::default();
        loop {
            match self.run(client, clock, &|_| {}).await {
                Ok(body) => return Ok(body),
                Err(Stop::Failed(failure) | Stop::Refused(failure)) => return Err(failure),
                Err(Stop::Error(error)) => match reattempts.after(&error, self.deadline) {
                    Some(again) => clock.sleep(again.wait).await,
                    None => return Err(error.into()),
                },
            }
        }
    }

    /// The connections on the target that are meant.
    async fn look(&self, client: &Client) -> Result<Vec<Connection>, Stop> {
        let listed = observe::connections(client, &self.target, &self.api_version).await?;
        Ok(match &self.whose {
            Whose::Endpoint(endpoint) => caused_by(endpoint, &self.target, &listed).collect(),
            Whose::Connection(id, endpoint) => listed
                .iter()
                .filter_map(Connection::read)
                .filter(|connection| connection.id == *id && connection.endpoint == *endpoint)
                .filter(|connection| connection.is_on(&self.target))
                .collect(),
        })
    }

    /// Reads a connection by its id, and approves it if it is still what the list said. Whether it was sent.
    async fn decide(
        &self,
        client: &Client,
        listed: &Connection,
        tell: &(dyn Fn(Approach<'_>) + Sync),
    ) -> Result<bool, Stop> {
        let id = listed.id.as_str();
        let read = client.get(id, &self.api_version).await?;
        let Some(now) = read.and_then(|resource| Connection::read(&resource.body)) else { return Ok(false) };
        if now.id != listed.id || now.endpoint != listed.endpoint || now.status != listed.status {
            return Ok(false);
        }
        let Decision { verb, body } = private_link::approval(&self.target, &now, &self.description);
        let none = Conditions::none();
        let answer = match verb {
            Verb::Put => client.put(id, &self.api_version, &body, &none).await?,
            Verb::Patch => client.patch(id, &self.api_version, &body, &none).await?,
        };
        if let Started::Running(operation) = answer {
            tell(Approach::Accepted(&operation));
            client.wait(&operation, |_| {}, self.deadline).await?;
        }
        Ok(true)
    }

    fn too_late(&self, alive: &[&Connection]) -> Failure {
        let target = &self.target;
        let message = match (alive, &self.whose) {
            ([waiting, ..], _) => {
                format!("the connection {} still says {} on {target}", waiting.id, waiting.status)
            }
            ([], Whose::Endpoint(endpoint)) => {
                format!("no approved connection of {} appeared on {target}", endpoint.name())
            }
            ([], Whose::Connection(id, _)) => format!("the connection {id} is no longer on {target}"),
        };
        Failure::new(message, "look at the target's private endpoint connections, then run this again")
    }
}

fn rejected_by_owner(connection: &Connection) -> Failure {
    Failure::new(
        format!("the connection {} is rejected", connection.id),
        "the target's owner decided so; talk to them, or remove the endpoint",
    )
}

fn cut_off(connection: &Connection) -> Failure {
    Failure::new(
        format!("the connection {} is disconnected", connection.id),
        "such a connection never connects again: remove the endpoint, or have it made anew",
    )
}

impl Worker {
    pub(super) async fn approve(&self, approve: &Approve) -> Result<Value, Stop> {
        let (Some(endpoint), Some(target)) = (&approve.endpoint, &approve.target) else {
            return Err(Stop::Failed(Failure::new(
                "the id of the endpoint or of its target was not known when the plan was made",
                "run again: it is known now",
            )));
        };
        let approving = Approving {
            target: target.clone(),
            api_version: approve.api_version.clone(),
            whose: Whose::Endpoint(endpoint.clone()),
            description: approve.description.clone(),
            overrules: approve.overrules,
            deadline: self.timeout,
        };
        let tell = |approach: Approach<'_>| match approach {
            Approach::Accepted(operation) => self.accepted(operation),
            Approach::Watching => self.watching(),
        };
        approving.run(&self.client, &self.clock, &tell).await
    }
}
