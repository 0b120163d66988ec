//! Connections as a person looks at them, and the rules that say which may be approved: pure functions.

use super::text::fits;
use crate::ident::{Address, ArmId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How many characters a text has at least that two teams agreed on.
pub const AGREED_LENGTH: usize = 20;

/// A connection on a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Its id.
    pub id: ArmId,
    /// The private endpoint that caused it; `None` when the target does not say.
    pub endpoint: Option<ArmId>,
    /// `Pending`, `Approved`, `Rejected`, `Disconnected`, or a state between them such as `Approving`; `Unknown` when
    /// the target shows none.
    pub status: String,
    /// What was said when it was asked for, or decided on.
    pub description: String,
    /// The groups of the target that it is for, where the target says.
    pub groups: Vec<String>,
    /// The connection as it was read.
    #[serde(skip)]
    pub body: Value,
}

impl Connection {
    /// Reads a connection from a target's list; `None` when it has no id.
    pub fn read(body: &Value) -> Option<Self> {
        let state = body.pointer("/properties/privateLinkServiceConnectionState");
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let groups = body.pointer("/properties/groupIds").and_then(Value::as_array);
        let group = body.pointer("/properties/groupId");
        let status = state.and_then(|state| state.get("status")?.as_str());
        Some(Connection {
            id: ArmId::parse(body.get("id")?.as_str()?).ok()?,
            endpoint: body
                .pointer("/properties/privateEndpoint/id")
                .and_then(Value::as_str)
                .and_then(|id| ArmId::parse(id).ok()),
            status: status.unwrap_or("Unknown").to_owned(),
            description: text(state.and_then(|state| state.get("description"))),
            groups: groups
                .into_iter()
                .flatten()
                .chain(group)
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            body: body.clone(),
        })
    }

    /// Those of a list that lie on the target, each once: a page may repeat what the page before had.
    pub fn all(target: &ArmId, listed: &[Value]) -> Vec<Self> {
        let mut found: Vec<Connection> = Vec::with_capacity(listed.len());
        for connection in listed.iter().filter_map(Connection::read).filter(|c| c.is_on(target)) {
            let again = |other: &Connection| {
                other.id == connection.id
                    && other.endpoint == connection.endpoint
                    && other.status == connection.status
                    && other.description == connection.description
            };
            if !found.iter().any(again) {
                found.push(connection);
            }
        }
        found
    }

    /// Whether it lies on a target: a list may name any id, and a decision is sent to the id.
    pub fn is_on(&self, target: &ArmId) -> bool {
        let last = self.id.resource_type();
        self.id.parent().as_ref() == Some(target)
            && last
                .rsplit('/')
                .next()
                .is_some_and(|last| last.eq_ignore_ascii_case("privateEndpointConnections"))
    }

    /// Whether it waits for a decision, or for the end of an approval that was given.
    pub fn waits(&self) -> bool {
        matches!(self.status.as_str(), "Pending" | "Approving")
    }
}

/// What was found on a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The target.
    pub target: ArmId,
    /// Whether it is there.
    pub exists: bool,
    /// Why its connections are not known, if so.
    pub problem: Option<String>,
    /// Its connections, in Azure's order.
    pub connections: Vec<Connection>,
}

/// A private endpoint connection that no rule of the blueprint names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotOurs {
    /// What the blueprint calls its target; null for one that is not in it.
    pub address: Option<Address>,
    /// The connection.
    pub id: ArmId,
    /// The private endpoint behind it; null when the target does not tell.
    pub endpoint: Option<ArmId>,
    /// `Pending`, `Approved`, `Rejected`, `Disconnected`, or a state between them.
    pub status: String,
    /// What was said when it was asked for, or decided on.
    pub description: String,
}

impl NotOurs {
    fn of(address: Option<&Address>, connection: &Connection) -> Self {
        NotOurs {
            address: address.cloned(),
            id: connection.id.clone(),
            endpoint: connection.endpoint.clone(),
            status: connection.status.clone(),
            description: connection.description.clone(),
        }
    }
}

/// The connections of a target that no rule names; `is_own` tells the endpoints of the blueprint, approved by it or not.
pub fn not_ours(
    address: Option<&Address>,
    target: &ArmId,
    rules: &[Rule],
    found: &[Connection],
    is_own: impl Fn(&ArmId) -> bool,
) -> Vec<NotOurs> {
    let foreign = |connection: &Connection| !connection.endpoint.as_ref().is_some_and(&is_own);
    let judged = found.iter().zip(judge(target, rules, found));
    let strangers = judged.filter(|(connection, verdict)| !verdict.is_named() && foreign(connection));
    strangers.map(|(connection, _)| NotOurs::of(address, connection)).collect()
}

/// Who may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// This private endpoint.
    Endpoint(ArmId),
    /// Any private endpoint in this subscription.
    Subscription(String),
    /// Who says exactly this text: one that berth made up for a requester of its own, or that two teams agreed on.
    Text(String),
    /// This connection, which a person named.
    Connection(ArmId),
    /// Anyone: only the command line can say so, with a limit.
    Anyone,
}

/// A rule that names connections which may be approved. What no rule names is never approved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// The target that it is for; any that is looked at when absent.
    pub target: Option<ArmId>,
    /// Who may connect: any of these. Without any, nobody.
    pub who: Vec<Who>,
    /// Narrows: the connection is for this group of the target, and the target says so.
    pub group: Option<String>,
    /// Narrows: what the request says, `*` for anything between.
    pub message: Option<String>,
    /// How many connections it approves at most, with those that are approved already.
    pub at_most: Option<usize>,
}

/// What the rules say of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It waits, and a rule names it.
    Approve,
    /// A rule names it, and it is approved already.
    Approved,
    /// Rules name more connections that wait than they let in: a person has to say which.
    TooMany,
    /// The list shows one id twice, with different contents.
    Contradictory,
    /// A rule names who asks, and wants a group that the target does not tell.
    UnknownGroup,
    /// A rule names who asks, but the connection is for another group.
    OtherGroup,
    /// A rule names who asks, but the request says something else.
    OtherMessage,
    /// A rule names it, but its state does not let it be approved by that rule.
    Refused,
    /// No rule names it.
    NotNamed,
}

impl Verdict {
    /// Whether a rule names who asks.
    pub fn is_named(self) -> bool {
        self != Verdict::NotNamed
    }

    /// Whether `otherwise: reject` is about it: no rule lets it in, however many or few there are.
    pub fn is_unwanted(self) -> bool {
        matches!(self, Verdict::NotNamed | Verdict::OtherGroup | Verdict::OtherMessage)
    }
}

/// Whether an id is that of a private endpoint in a resource group, and of nothing that only contains such words.
fn is_endpoint(id: &ArmId) -> bool {
    let segments: Vec<&str> = id.as_str().split('/').skip(1).collect();
    let at = |index: usize, word: &str| {
        segments.get(index).is_some_and(|segment: &&str| segment.eq_ignore_ascii_case(word))
    };
    segments.len() == 8
        && at(0, "subscriptions")
        && at(2, "resourceGroups")
        && at(4, "providers")
        && at(5, "Microsoft.Network")
        && at(6, "privateEndpoints")
}

impl Who {
    fn is(&self, connection: &Connection) -> bool {
        let from = connection.endpoint.as_ref();
        match self {
            Who::Endpoint(endpoint) => from == Some(endpoint),
            Who::Subscription(subscription) => from.is_some_and(|from| {
                let own = from.subscription();
                is_endpoint(from) && own.is_some_and(|own| own.eq_ignore_ascii_case(subscription))
            }),
            // Compared whole, byte by byte. A short text is guessed, so it names nobody.
            Who::Text(text) => text.chars().count() >= AGREED_LENGTH && connection.description == *text,
            Who::Connection(id) => connection.id == *id,
            Who::Anyone => true,
        }
    }
}

impl Rule {
    /// A rule for endpoints, and nothing else.
    pub fn endpoints(endpoints: impl IntoIterator<Item = ArmId>) -> Self {
        Rule { who: endpoints.into_iter().map(Who::Endpoint).collect(), ..Rule::default() }
    }

    /// For a target.
    pub fn on(self, target: ArmId) -> Self {
        Rule { target: Some(target), ..self }
    }

    fn is_for(&self, target: &ArmId) -> bool {
        self.target.as_ref().is_none_or(|own| own == target)
    }

    /// What it says of a connection by itself, without regard to how many there are.
    fn names(&self, connection: &Connection) -> Verdict {
        let mut who = self.who.iter().filter(|who| who.is(connection)).peekable();
        if who.peek().is_none() {
            return Verdict::NotNamed;
        }
        let by_id = who.any(|who| matches!(who, Who::Connection(_)));
        match connection.status.as_str() {
            // What its owner let in is not questioned again: its description is the owner's by now.
            "Approved" => return Verdict::Approved,
            // A rejection is somebody's decision: only a person who names that very connection overrules it.
            "Rejected" if !by_id => return Verdict::Refused,
            "Pending" | "Approving" | "Rejected" => {}
            _ => return Verdict::Refused,
        }
        if let Some(group) = &self.group
            && !connection.groups.iter().any(|own| own.eq_ignore_ascii_case(group))
        {
            return if connection.groups.is_empty() { Verdict::UnknownGroup } else { Verdict::OtherGroup };
        }
        if let Some(message) = &self.message
            && !fits(message, &connection.description)
        {
            return Verdict::OtherMessage;
        }
        Verdict::Approve
    }
}

/// What the rules say of each connection of a target, in the same order.
///
/// A rule with a limit that more connections ask for than it has room left approves none of them: the order in which they
/// came says nothing of whom is meant.
pub fn judge(target: &ArmId, rules: &[Rule], connections: &[Connection]) -> Vec<Verdict> {
    let mut verdicts = vec![Verdict::NotNamed; connections.len()];
    for rule in rules.iter().filter(|rule| rule.is_for(target)) {
        let mut own: Vec<Verdict> = connections.iter().map(|connection| rule.names(connection)).collect();
        if let Some(at_most) = rule.at_most {
            let count = |wanted| own.iter().filter(|&&verdict| verdict == wanted).count();
            if count(Verdict::Approve) > at_most.saturating_sub(count(Verdict::Approved)) {
                own.iter_mut().filter(|verdict| **verdict == Verdict::Approve).for_each(|verdict| {
                    *verdict = Verdict::TooMany;
                });
            }
        }
        verdicts.iter_mut().zip(own).for_each(|(verdict, own)| *verdict = own.min(*verdict));
    }
    for (at, connection) in connections.iter().enumerate() {
        let twice = connections.iter().enumerate().any(|(other, c)| other != at && c.id == connection.id);
        if twice && verdicts[at].is_named() {
            verdicts[at] = Verdict::Contradictory;
        }
    }
    verdicts
}

/// Whether connections are approved or rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Those that the rule names are approved.
    Approve,
    /// Those that wait and that no rule of the target lets in are rejected.
    Reject,
}

/// What a blueprint says of who may connect to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What is done.
    pub task: Task,
    /// Who is named.
    pub rule: Rule,
    /// How long a connection is waited for that is not there yet; `None` is not at all.
    pub wait: Option<Duration>,
    /// The text shown on the target.
    pub description: String,
    /// Whether what the request says stays on the target instead of it: what tells who asks has to be seen again.
    pub keeps_words: bool,
}
