//! Deciding on private-endpoint connections: the one place where berth approves or rejects.
//!
//! The target's list says which connections there are; each that is to be decided on is read again by its id just before,
//! because a list may be old and a name may be taken by somebody else in between. A decision that somebody made on the
//! target since then stands.

use super::failure::{Failure, Stop};
use super::reattempt::Reattempts;
use super::worker::Worker;
use crate::arm::{Client, Conditions, Error, ErrorKind, Operation, Started};
use crate::host::Clock;
use crate::ident::ArmId;
use crate::observe;
use crate::plan::{Approve, Seen};
use crate::private_link::{self, Connection, Decision, Policy, Task, Verb, Verdict, Who, judge};
use crate::value::{Rest, provisioning_state};
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;

/// How long berth waits between two looks at a target.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// How long a connection may take to appear, and to say that it is decided on.
const DEADLINE: Duration = Duration::from_secs(600);
/// The API version in which endpoints are read.
const ENDPOINT_VERSION: &str = "2025-05-01";
/// Where an endpoint has its own connection.
const OWN_CONNECTIONS: [&str; 2] = ["privateLinkServiceConnections", "manualPrivateLinkServiceConnections"];

/// A decision that is to be carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Approving {
    /// The resource that the connections are on.
    pub target: ArmId,
    /// In which API version the target shows its connections.
    pub api_version: String,
    /// Who is named, and what is done.
    pub policy: Policy,
    /// The connections that a person, or a plan, has seen.
    pub seen: Vec<Seen>,
    /// Whether connections are waited for, and decided on, that nobody has seen yet.
    pub awaits: bool,
    /// The endpoint of the blueprint that is asked too.
    pub endpoint: Option<ArmId>,
    /// How long it may take.
    pub deadline: Duration,
}

/// How far a decision is.
#[derive(Debug, Clone, Copy)]
pub enum Approach<'a> {
    /// Azure accepted it and works on it.
    Accepted(&'a Operation),
    /// The target is looked at from time to time.
    Watching,
}

/// What a look at the target came to.
enum Progress {
    /// Everything is as it is to be; the connection, when there is one.
    Done(Value),
    /// It is not there yet, or not at rest; in words.
    Waiting(String),
}

impl Approving {
    /// Decides, and waits until the target says so, and the endpoint where berth knows it; the connection then.
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
        let limit = self.policy.wait.filter(|_| self.awaits).unwrap_or(DEADLINE).min(self.deadline);
        let mut sent: HashSet<ArmId> = HashSet::new();
        loop {
            let progress = match self.policy.task {
                Task::Approve => self.approve(client, &mut sent, tell).await?,
                Task::Reject => self.reject(client, &mut sent, tell).await?,
            };
            let waiting = match progress {
                Progress::Done(body) => match self.endpoint_waits(client).await? {
                    None => return Ok(body),
                    Some(waiting) => waiting,
                },
                Progress::Waiting(waiting) => waiting,
            };
            let spent = clock.elapsed().saturating_sub(started);
            // What was sent needs its time to be seen, also when it came late.
            let more = if sent.is_empty() { Duration::ZERO } else { DEADLINE };
            if spent > limit.saturating_add(more).min(self.deadline.max(limit)) {
                return Err(Stop::Failed(Failure::new(
                    waiting,
                    "look at the target's private endpoint connections, then run this again",
                )));
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

    /// The connections on the target.
    async fn look(&self, client: &Client) -> Result<Vec<Connection>, Stop> {
        match observe::connections(client, &self.target, &self.api_version).await {
            Ok(Some(listed)) => Ok(Connection::all(&self.target, &listed)),
            Ok(None) => Err(Stop::Failed(Failure::new(
                format!("the target {} is not there", self.target),
                "make it first, or correct the entry",
            ))),
            // The list of a target that was made a moment ago may come later than the target.
            Err(error) if error.is_absence() && self.awaits => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn was_seen(&self, connection: &Connection) -> bool {
        self.seen.iter().any(|seen| seen.id == connection.id && seen.endpoint == connection.endpoint)
    }

    /// Whether it was shown as decided on in this way. A decision of its owner's that came later stands, also for who
    /// named that very connection: they did not see it.
    fn was_seen_as(&self, connection: &Connection, status: &str) -> bool {
        self.seen.iter().any(|seen| seen.id == connection.id && seen.status == status)
    }

    async fn approve(
        &self,
        client: &Client,
        sent: &mut HashSet<ArmId>,
        tell: &(dyn Fn(Approach<'_>) + Sync),
    ) -> Result<Progress, Stop> {
        let mut found = self.look(client).await?;
        // What came since the plan is in no plan, unless that says that it waits; and it changes nothing for the others.
        found
            .retain(|connection| self.awaits || self.was_seen(connection) || connection.status == "Approved");
        let verdicts = judge(&self.target, std::slice::from_ref(&self.policy.rule), &found);
        let mut named: Vec<(&Connection, Verdict)> =
            found.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_named()).collect();
        for (connection, verdict) in &named {
            let waits = match connection.status.as_str() {
                "Pending" => true,
                "Rejected" if *verdict == Verdict::Approve && !self.was_seen_as(connection, "Rejected") => {
                    return Err(rejected_since(connection).into());
                }
                "Rejected" => true,
                _ => false,
            };
            if *verdict == Verdict::Approve
                && waits
                && !sent.contains(&connection.id)
                && self.decide(client, connection, tell).await?
            {
                sent.insert(connection.id.clone());
            }
        }
        // One that lost its endpoint is in nobody's way when the same endpoint has another.
        if named.iter().any(|(connection, _)| connection.status != "Disconnected") {
            named.retain(|(connection, _)| connection.status != "Disconnected");
        }
        if let Some(seen) = self.seen.iter().find(|seen| !found.iter().any(|c| c.id == seen.id)) {
            return Err(Stop::Failed(Failure::new(
                format!("the connection {} is no longer there, or is another endpoint's by now", seen.id),
                "nothing was approved in its place; plan again to see who asks now",
            )));
        }
        let refused = |(connection, verdict): &&(&Connection, Verdict)| {
            *verdict == Verdict::Refused && (self.was_seen(connection) || named.len() == 1)
        };
        if let Some((connection, _)) = named.iter().find(refused) {
            return Err(match connection.status.as_str() {
                "Rejected" => rejected_by_owner(connection).into(),
                _ => cut_off(connection).into(),
            });
        }
        let Some((first, _)) = named.first() else {
            return Ok(Progress::Waiting(format!(
                "no connection that the rule names is on {} yet",
                self.target
            )));
        };
        let is_let_in = |(_, verdict): &&(&Connection, Verdict)| *verdict == Verdict::Approve;
        let let_in = named.iter().any(|(_, verdict)| *verdict == Verdict::Approved);
        // Of those that the rule does not let in there is nothing to wait for when it lets in others.
        let waiting = named.iter().find(is_let_in).or_else(|| named.first().filter(|_| !let_in));
        if let Some((waiting, verdict)) = waiting {
            let why = match verdict {
                Verdict::TooMany => ": more ask than may be approved",
                Verdict::Contradictory => ": the target lists it twice",
                Verdict::UnknownGroup => ": the target does not tell its group",
                Verdict::OtherGroup | Verdict::OtherMessage => ": the rule does not let it in",
                _ => "",
            };
            return Ok(Progress::Waiting(format!(
                "the connection {} still says {} on {}{why}",
                waiting.id, waiting.status, self.target
            )));
        }
        if let Some(missing) = self.missing(&named).filter(|_| self.awaits) {
            let message = format!("no approved connection of {missing} appeared on {}", self.target);
            return Ok(Progress::Waiting(message));
        }
        for (connection, _) in named.iter().filter(|(_, verdict)| *verdict == Verdict::Approved) {
            match provisioning_state(&connection.body).map_or(Rest::Succeeded, Rest::of) {
                Rest::Succeeded => {}
                Rest::Moving => {
                    let message = format!("the target is still at work on the connection {}", connection.id);
                    return Ok(Progress::Waiting(message));
                }
                Rest::Failed | Rest::Cancelled => {
                    return Err(Stop::Failed(Failure::new(
                        format!("the target could not carry out the approval of {}", connection.id),
                        "look at the connection on the target; remove it and have the endpoint made anew",
                    )));
                }
            }
        }
        Ok(Progress::Done(first.body.clone()))
    }

    /// An endpoint that the rule names and that has no approved connection.
    fn missing(&self, named: &[(&Connection, Verdict)]) -> Option<&ArmId> {
        self.policy.rule.who.iter().find_map(|who| match who {
            Who::Endpoint(endpoint) => {
                let has = named.iter().any(|(connection, verdict)| {
                    *verdict == Verdict::Approved && connection.endpoint.as_ref() == Some(endpoint)
                });
                (!has).then_some(endpoint)
            }
            _ => None,
        })
    }

    /// Rejects what was seen and still waits. What somebody else decided on in between is left alone.
    async fn reject(
        &self,
        client: &Client,
        sent: &mut HashSet<ArmId>,
        tell: &(dyn Fn(Approach<'_>) + Sync),
    ) -> Result<Progress, Stop> {
        let mut last = Value::Null;
        for connection in self.look(client).await?.iter().filter(|connection| self.was_seen(connection)) {
            last = connection.body.clone();
            // What is approved carries traffic: only who names that very connection takes that away.
            let by_id = |who: &Who| matches!(who, Who::Connection(id) if *id == connection.id);
            let named = self.policy.rule.who.iter().any(by_id);
            let named = named && self.was_seen_as(connection, "Approved");
            let open = connection.status == "Pending" || named && connection.status == "Approved";
            if open && !sent.contains(&connection.id) && self.decide(client, connection, tell).await? {
                sent.insert(connection.id.clone());
            }
            if open || connection.status == "Rejecting" {
                let message = format!("the connection {} still says {}", connection.id, connection.status);
                return Ok(Progress::Waiting(message));
            }
        }
        Ok(Progress::Done(last))
    }

    /// Reads a connection by its id, and decides on it if it is still what the list said. Whether it was sent.
    async fn decide(
        &self,
        client: &Client,
        listed: &Connection,
        tell: &(dyn Fn(Approach<'_>) + Sync),
    ) -> Result<bool, Stop> {
        let id = listed.id.as_str();
        let Some(read) = client.get(id, &self.api_version).await? else { return Ok(false) };
        let Some(now) = Connection::read(&read.body) else { return Ok(false) };
        let same = now.id == listed.id
            && now.endpoint == listed.endpoint
            && now.status == listed.status
            && now.description == listed.description;
        if !same {
            return Ok(false);
        }
        let words = match (&self.policy.description, now.description.as_str()) {
            (own, "") => own.as_str(),
            (_, said) if self.policy.keeps_words => said,
            (own, _) => own.as_str(),
        };
        let Decision { verb, body } = match self.policy.task {
            Task::Approve => private_link::approval(&self.target, &now, words),
            Task::Reject => private_link::rejection(&self.target, &now, words),
        };
        let sent = self.send(client, id, Decision { verb, body }).await;
        let after = match sent {
            Ok(Started::Running(operation)) => {
                tell(Approach::Accepted(&operation));
                client.wait(&operation, |_| {}, self.deadline).await?.body
            }
            Ok(Started::Done(body)) => body,
            Err(error) => return self.refused(client, &now, error).await,
        };
        self.is_still(client, &now, after.as_ref()).await?;
        Ok(true)
    }

    /// Sends a decision once: before it is sent again the target is listed again, because much may happen meanwhile.
    /// No operation of Azure's that decides on a connection knows a condition; where its body has a tag, that is sent back.
    async fn send(&self, client: &Client, id: &str, decision: Decision) -> Result<Started, Error> {
        let (once, condition) = (client.unrepeated(), Conditions::none());
        match decision.verb {
            Verb::Put => once.put(id, &self.api_version, &decision.body, &condition).await,
            Verb::Patch => once.patch(id, &self.api_version, &decision.body, &condition).await,
        }
    }

    /// Rejects what was approved, when Azure answers that another endpoint is behind the connection by now.
    async fn is_still(&self, client: &Client, sent: &Connection, after: Option<&Value>) -> Result<(), Stop> {
        let Some(other) = after.and_then(Connection::read).filter(|after| {
            self.policy.task == Task::Approve && after.endpoint.is_some() && after.endpoint != sent.endpoint
        }) else {
            return Ok(());
        };
        let mut rejection = private_link::rejection(&self.target, &other, "Approved by mistake");
        // Whatever its tag is by now.
        rejection.body.as_object_mut().map(|members| members.shift_remove("etag"));
        let rejected = self.send(client, sent.id.as_str(), rejection).await;
        if let Ok(Started::Running(operation)) = &rejected {
            client.wait(operation, |_| {}, self.deadline).await?;
        }
        let end = match rejected {
            Ok(_) => "it was approved and rejected at once",
            Err(_) => "it is approved, and rejecting it failed",
        };
        let endpoint = other.endpoint.as_ref().map_or("", ArmId::as_str);
        Err(Stop::Refused(Failure::new(
            format!("the connection {} became that of {endpoint} while it was decided on: {end}", sent.id),
            "look at the target's private endpoint connections, then run this again",
        )))
    }

    /// Some types refuse a decision that was taken already, perhaps by a request whose answer was lost.
    async fn refused(&self, client: &Client, sent: &Connection, error: Error) -> Result<bool, Stop> {
        // Somebody wrote since it was read: what they decided is looked at first.
        if error.status == Some(412) {
            return Ok(false);
        }
        if !matches!(error.kind, ErrorKind::Invalid | ErrorKind::Conflict) {
            return Err(error.into());
        }
        let wanted = match self.policy.task {
            Task::Approve => "Approved",
            Task::Reject => "Rejected",
        };
        let now = client.get(sent.id.as_str(), &self.api_version).await?;
        let now = now.and_then(|read| Connection::read(&read.body));
        match now {
            Some(now) if now.status == wanted && now.endpoint == sent.endpoint => Ok(true),
            _ => Err(error.into()),
        }
    }

    /// What the endpoint of the blueprint still says other than that it is approved, in words.
    async fn endpoint_waits(&self, client: &Client) -> Result<Option<String>, Stop> {
        let Some(endpoint) = self.endpoint.as_ref().filter(|_| self.policy.task == Task::Approve) else {
            return Ok(None);
        };
        let Some(read) = client.get(endpoint.as_str(), ENDPOINT_VERSION).await? else { return Ok(None) };
        let own = OWN_CONNECTIONS
            .into_iter()
            .filter_map(|list| read.body.get("properties")?.get(list)?.as_array())
            .flatten()
            .filter_map(private_link::status)
            .find(|status| *status != "Approved");
        match own {
            None => Ok(None),
            Some("Disconnected") => Err(Stop::Failed(Failure::new(
                format!("the endpoint {endpoint} is disconnected"),
                "such an endpoint never connects again: plan again, which makes it anew",
            ))),
            Some(status) => {
                Ok(Some(format!("the target has approved, and the endpoint {endpoint} still says {status}")))
            }
        }
    }
}

/// Removes a connection, if it is still the endpoint's that was seen behind it, and waits until it is gone.
///
/// # Errors
/// When Azure refuses, when it is another endpoint's by now, or when it does not come to an end.
pub async fn remove(client: &Client, clock: &Clock, api_version: &str, seen: &Seen) -> Result<(), Failure> {
    let mut reattempts = Reattempts::default();
    let started = clock.elapsed();
    loop {
        let attempt = remove_once(client, api_version, seen).await;
        match attempt {
            Ok(true) => return Ok(()),
            Ok(false) if clock.elapsed().saturating_sub(started) > DEADLINE => {
                return Err(Failure::new(
                    format!("the connection {} is still there", seen.id),
                    "look at the target's private endpoint connections, then run this again",
                ));
            }
            Ok(false) => clock.sleep(POLL_INTERVAL).await,
            Err(Stop::Failed(failure) | Stop::Refused(failure)) => return Err(failure),
            Err(Stop::Error(error)) => match reattempts.after(&error, DEADLINE) {
                Some(again) => clock.sleep(again.wait).await,
                None => return Err(error.into()),
            },
        }
    }
}

/// Whether it is gone.
async fn remove_once(client: &Client, api_version: &str, seen: &Seen) -> Result<bool, Stop> {
    let id = seen.id.as_str();
    let Some(read) = client.get(id, api_version).await? else { return Ok(true) };
    match Connection::read(&read.body) {
        Some(now) if now.id == seen.id && now.endpoint == seen.endpoint => {}
        _ => {
            return Err(Stop::Failed(Failure::new(
                format!("the connection {} is another endpoint's by now", seen.id),
                "nothing was removed; list the connections again to see who asks now",
            )));
        }
    }
    if let Started::Running(operation) = client.unrepeated().delete(id, api_version, &[]).await? {
        client.wait(&operation, |_| {}, DEADLINE).await?;
    }
    Ok(client.get(id, api_version).await?.is_none())
}

fn rejected_by_owner(connection: &Connection) -> Failure {
    Failure::new(
        format!("the connection {} is rejected", connection.id),
        "the target's owner decided so: talk to them; `berth approve run --id` with its id approves it all the same",
    )
}

fn rejected_since(connection: &Connection) -> Failure {
    Failure::new(
        format!("the connection {} was rejected since it was listed", connection.id),
        "the target's owner decided so meanwhile: talk to them, or list the connections and name it once more",
    )
}

fn cut_off(connection: &Connection) -> Failure {
    let status = connection.status.to_lowercase();
    Failure::new(
        format!("the connection {} is {status}", connection.id),
        "such a connection never connects again: remove the endpoint, or have it made anew",
    )
}

impl Worker {
    pub(super) async fn approve(&self, approve: &Approve) -> Result<Value, Stop> {
        let (Some(policy), Some(target)) = (&approve.policy, &approve.target) else {
            return Err(Stop::Failed(Failure::new(
                "the id of the endpoint or of its target was not known when the plan was made",
                "run again: it is known now",
            )));
        };
        let approving = Approving {
            target: target.clone(),
            api_version: approve.api_version.clone(),
            policy: policy.clone(),
            // A plan that waits for its own endpoint has nothing else in sight.
            seen: if approve.endpoint.is_some() { Vec::new() } else { approve.seen.clone() },
            awaits: approve.awaits,
            endpoint: approve.endpoint.clone(),
            deadline: self.timeout,
        };
        let tell = |approach: Approach<'_>| match approach {
            Approach::Accepted(operation) => self.accepted(operation),
            Approach::Watching => self.watching(),
        };
        approving.run(&self.client, &self.clock, &tell).await
    }
}
