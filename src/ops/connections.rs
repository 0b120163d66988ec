//! Private endpoint connections on any resource: whose there are, and deciding on those that rules name.

use super::{Error, Session};
use crate::apply::{Approving, Failure, remove};
use crate::catalog::connection_types;
use crate::diag::did_you_mean;
use crate::ident::ArmId;
use crate::observe;
use crate::plan::Seen;
use crate::private_link::{Connection, Found, Policy, Rule, Task, Who};
use crate::state::{Desired, Provisioning};
use futures::StreamExt;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a decision may take until the connection says so.
const DEADLINE: Duration = Duration::from_secs(600);
/// How long berth waits between two looks at targets whose connections have not come yet.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// Something that a person wrote and that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unclear {
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
}

fn unclear(message: impl Into<String>, help: impl Into<String>) -> Unclear {
    Unclear { message: message.into(), help: help.into() }
}

/// What a person wrote of targets and rules.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes<'a> {
    /// Targets: ARM ids, or addresses of the blueprint.
    pub targets: &'a [String],
    /// Private endpoints that are named.
    pub endpoints: &'a [String],
    /// Subscriptions whose private endpoints are named.
    pub subscriptions: &'a [String],
    /// Connections that are named one by one.
    pub ids: &'a [String],
    /// Narrows to a group.
    pub group: Option<&'a str>,
    /// Narrows to what the request says.
    pub message: Option<&'a str>,
    /// How many connections are approved at most.
    pub at_most: Option<usize>,
    /// Whether anyone is named.
    pub any: bool,
    /// The group whose resources are looked at.
    pub resource_group: Option<&'a str>,
    /// The subscription whose resources are looked at, or that has the group.
    pub subscription: Option<&'a str>,
}

/// Which resources are looked at, and which of their connections may be decided on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Approvals {
    /// The targets, each once.
    pub targets: Vec<ArmId>,
    /// The scope whose resources are looked at besides.
    pub scope: Option<String>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What each rule is called.
    pub labels: Vec<String>,
    /// Whether a rule reads what requests say, which then stays on the target.
    pub keeps_words: bool,
    /// The API versions that the blueprint gives to targets.
    versions: BTreeMap<ArmId, String>,
}

impl Approvals {
    /// From what a person wrote, and from what the blueprint lets berth approve.
    ///
    /// # Errors
    /// A sentence with its remedy: a text that is not an id or address, or nothing to look at.
    pub fn read(desired: Option<&Desired>, wishes: &Wishes<'_>) -> Result<Self, Unclear> {
        let mut all = Approvals { scope: scope(wishes)?, ..Approvals::default() };
        for text in wishes.targets {
            all.look_at(target(desired, text)?);
        }
        all.add_wished(wishes)?;
        for resource in desired.iter().flat_map(|desired| &desired.resources) {
            let Provisioning::Approval(approval) = &resource.operation else { continue };
            // An id that is not known yet is known after apply, and applying decides then.
            let (Some(policy), Some(target)) = (&approval.policy, &approval.target) else { continue };
            if wishes.targets.is_empty() && wishes.ids.is_empty() && all.scope.is_none() {
                all.look_at(target.clone());
            }
            if let Some(version) = &approval.api_version {
                all.versions.insert(target.clone(), version.clone());
            }
            if policy.task == Task::Approve {
                all.keeps_words |= policy.keeps_words;
                all.rules.push(policy.rule.clone());
                all.labels.push(resource.address.to_string());
            }
        }
        if all.targets.is_empty() && all.scope.is_none() && desired.is_none() {
            return Err(unclear(
                "no resource was named whose connections to look at",
                "name a resource by its ARM id, a connection with `--id`, a `--resource-group` or a `--subscription`, or a \
                 blueprint with `--blueprint FILE`",
            ));
        }
        Ok(all)
    }

    fn add_wished(&mut self, wishes: &Wishes<'_>) -> Result<(), Unclear> {
        let mut rule = Rule {
            group: wishes.group.map(str::to_owned),
            message: wishes.message.map(str::to_owned),
            at_most: wishes.at_most,
            ..Rule::default()
        };
        let mut label = Vec::new();
        for id in wishes.endpoints {
            label.push(format!("--from-endpoint {id}"));
            rule.who.push(Who::Endpoint(of_type(id, "Microsoft.Network/privateEndpoints")?));
        }
        for id in wishes.subscriptions {
            if uuid::Uuid::try_parse(id).is_err() || id.len() != 36 {
                return Err(unclear(
                    format!("`{id}` is not the id of a subscription"),
                    "write the GUID that `az account show` tells",
                ));
            }
            label.push(format!("--from-subscription {id}"));
            rule.who.push(Who::Subscription(id.clone()));
        }
        if wishes.any {
            if wishes.at_most.is_none() {
                return Err(unclear(
                    "`--any` accepts requests from every tenant, and there is no limit",
                    "write `--at-most N` with the number of connections that you expect; when more ask, none is approved",
                ));
            }
            label.push("--any".to_owned());
            rule.who.push(Who::Anyone);
        }
        let narrows = wishes.group.is_some() || wishes.message.is_some() || wishes.at_most.is_some();
        if rule.who.is_empty() && narrows {
            return Err(unclear(
                "`--message`, `--group` and `--at-most` only narrow a rule, and no option names who may connect",
                "name who asks with `--from-endpoint` or `--from-subscription`; everybody can write any message",
            ));
        }
        self.keeps_words |= wishes.message.is_some();
        if !rule.who.is_empty() {
            let more = [("--group", wishes.group), ("--message", wishes.message)];
            label.extend(more.into_iter().filter_map(|(flag, text)| Some(format!("{flag} {}", text?))));
            label.extend(wishes.at_most.map(|most| format!("--at-most {most}")));
            self.rules.push(rule);
            self.labels.push(label.join(" "));
        }
        for text in wishes.ids {
            let id = of_type(text, "privateEndpointConnections")?;
            let target = id
                .parent()
                .ok_or_else(|| unclear(format!("`{text}` has no parent resource"), "write the whole id"))?;
            self.look_at(target);
            self.rules.push(Rule { who: vec![Who::Connection(id)], ..Rule::default() });
            self.labels.push(format!("--id {text}"));
        }
        Ok(())
    }

    fn look_at(&mut self, target: ArmId) {
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }

    /// What a person named by an id and what is nowhere.
    pub fn unmatched<'a>(&'a self, found: &'a [Found]) -> impl Iterator<Item = &'a ArmId> {
        let all = move || found.iter().flat_map(|found| &found.connections);
        let named = self.rules.iter().filter(|rule| rule.target.is_none()).flat_map(|rule| &rule.who);
        named.filter_map(move |who| match who {
            Who::Endpoint(id) => (!all().any(|c| c.endpoint.as_ref() == Some(id))).then_some(id),
            Who::Connection(id) => (!all().any(|c| c.id == *id)).then_some(id),
            _ => None,
        })
    }

    /// What the rule is called that names a connection.
    pub fn label(&self, target: &ArmId, connection: &Connection) -> &str {
        let names = |rule: &Rule| {
            let alone = Rule { at_most: None, ..rule.clone() };
            let only = std::slice::from_ref(connection);
            crate::private_link::judge(target, &[alone], only)[0].is_named()
        };
        let at = self.rules.iter().position(names);
        at.and_then(|at| self.labels.get(at)).map_or("", String::as_str)
    }
}

/// The scope whose resources are looked at.
fn scope(wishes: &Wishes<'_>) -> Result<Option<String>, Unclear> {
    match (wishes.subscription, wishes.resource_group) {
        (Some(subscription), Some(group)) => {
            Ok(Some(format!("/subscriptions/{subscription}/resourceGroups/{group}")))
        }
        (Some(subscription), None) => Ok(Some(format!("/subscriptions/{subscription}"))),
        (None, Some(_)) => Err(unclear(
            "it is not said in which subscription the resource group is",
            "write `--subscription ID`, or set AZURE_SUBSCRIPTION_ID",
        )),
        (None, None) => Ok(None),
    }
}

fn target(desired: Option<&Desired>, text: &str) -> Result<ArmId, Unclear> {
    if text.starts_with('/') {
        let id = ArmId::parse(text)
            .map_err(|error| unclear(format!("`{text}` is not an ARM id: {error}"), "copy the whole id"))?;
        return match id.as_str().contains("/providers/") && id.subscription().is_some() {
            false => Err(unclear(
                format!("`{text}` is not the id of a resource"),
                "write `/subscriptions/…/resourceGroups/…/providers/…`",
            )),
            true => Ok(id),
        };
    }
    let Some(desired) = desired else {
        return Err(unclear(
            format!("`{text}` is not an ARM id"),
            "an id starts with `/subscriptions/`; an address of a blueprint needs `--blueprint FILE`",
        ));
    };
    let found = desired.resources.iter().find(|resource| resource.address.as_str() == text);
    let found = found.map(|resource| match &resource.operation {
        Provisioning::Approval(approval) => approval.target.clone().unwrap_or_else(|| resource.id.clone()),
        _ => resource.id.clone(),
    });
    found.ok_or_else(|| {
        let known = desired.resources.iter().map(|resource| resource.address.as_str());
        let help = match did_you_mean(text, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`berth graph` shows the addresses".to_owned(),
        };
        unclear(format!("the blueprint has no `{text}`"), help)
    })
}

/// An id whose type is, or ends with, what it has to.
fn of_type(text: &str, wanted: &str) -> Result<ArmId, Unclear> {
    let id = ArmId::parse(text)
        .map_err(|error| unclear(format!("`{text}` is not an ARM id: {error}"), "copy the whole id"))?;
    let (found, end) = (id.resource_type().to_ascii_lowercase(), wanted.to_ascii_lowercase());
    match found == end || found.ends_with(&format!("/{end}")) {
        true => Ok(id),
        false => Err(unclear(
            format!("`{text}` is the id of a {}", id.resource_type()),
            format!("an id that ends with `{wanted}/NAME` is meant here"),
        )),
    }
}

/// A blueprint with what its requesters say, which only the ledger knows.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn with_messages(session: &Session, desired: &Desired) -> Result<Desired, Error> {
    let (ledger, _) = session.ledger(&desired.owner(), Some(desired)).await?;
    Ok(desired.with_messages(&ledger.salt).into_owned())
}

/// Reads the connections of targets. `version` is the targets' API version, where berth does not know it.
///
/// # Errors
/// When Azure cannot be asked at all. A target that is not there, or that Azure does not show, says so in its result.
pub async fn connections(
    session: &Session,
    desired: Option<&Desired>,
    approvals: &Approvals,
    version: Option<&str>,
) -> Result<Vec<Found>, Error> {
    let client = &session.engine.client;
    let mut targets = approvals.targets.clone();
    if let Some(scope) = &approvals.scope {
        let listed = client.list(&format!("{scope}/resources"), "2025-04-01", &[]).await?;
        let ids =
            listed.iter().filter_map(|found| ArmId::parse(found.get("id").and_then(Value::as_str)?).ok());
        let known = |id: &ArmId| {
            let arm_type = id.resource_type();
            connection_types().any(|(known, _)| known.eq_ignore_ascii_case(&arm_type))
        };
        targets.extend(ids.filter(known));
        targets.sort();
        targets.dedup();
    }
    let read = |target: ArmId| async move {
        let Some(version) = version_of(approvals, desired, &target, version) else {
            let problem = format!(
                "berth does not know in which API version a {} shows its connections; write `--api-version DATE`",
                target.resource_type()
            );
            return Ok(Found { target, exists: true, problem: Some(problem), connections: Vec::new() });
        };
        let (exists, problem, list) = match observe::connections(client, &target, &version).await {
            Ok(Some(list)) => (true, None, list),
            Ok(None) => (false, None, Vec::new()),
            Err(error) if error.status.is_some() && error.is_arms() => {
                (true, Some(format!("cannot be read: {error}")), Vec::new())
            }
            Err(error) => return Err(error),
        };
        let connections = Connection::all(&target, &list);
        Ok(Found { target, exists, problem, connections })
    };
    let all = futures::stream::iter(targets.into_iter().map(read)).buffered(session.reads.max(1));
    Ok(all.collect::<Vec<_>>().await.into_iter().collect::<Result<_, crate::arm::Error>>()?)
}

/// The same, looking again until `come` says that what is waited for is there, or the time is over.
///
/// # Errors
/// As [`connections`].
pub async fn awaited_connections(
    session: &Session,
    desired: Option<&Desired>,
    approvals: &Approvals,
    version: Option<&str>,
    wait: Duration,
    come: impl Fn(&[Found]) -> bool,
) -> Result<Vec<Found>, Error> {
    let clock = &session.engine.clock;
    let started = clock.elapsed();
    loop {
        let found = connections(session, desired, approvals, version).await?;
        let spent = clock.elapsed().saturating_sub(started);
        if come(&found) || spent >= wait {
            return Ok(found);
        }
        clock.sleep(POLL_INTERVAL.min(wait.saturating_sub(spent))).await;
    }
}

fn version_of(
    approvals: &Approvals,
    desired: Option<&Desired>,
    target: &ArmId,
    version: Option<&str>,
) -> Option<String> {
    let own = || approvals.versions.get(target).cloned();
    version.map(str::to_owned).or_else(own).or_else(|| observe::connections_version(target, desired))
}

/// What is done with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// It is let in.
    Approve,
    /// It is turned away.
    Reject,
    /// It is taken off the target.
    Remove,
}

impl Verb {
    /// `approve`.
    pub const fn word(self) -> &'static str {
        match self {
            Verb::Approve => "approve",
            Verb::Reject => "reject",
            Verb::Remove => "remove",
        }
    }

    /// `Approved`.
    pub const fn done(self) -> &'static str {
        match self {
            Verb::Approve => "Approved",
            Verb::Reject => "Rejected",
            Verb::Remove => "Removed",
        }
    }
}

/// Decides on a connection and waits until the target says so.
///
/// # Errors
/// When Azure refuses, when its owner decided otherwise, or when it does not come to an end.
pub async fn decide(
    session: &Session,
    desired: Option<&Desired>,
    approvals: &Approvals,
    verb: Verb,
    (target, connection): (&ArmId, &Connection),
    description: &str,
    version: Option<&str>,
) -> Result<(), Failure> {
    let engine = &session.engine;
    let seen = Seen {
        id: connection.id.clone(),
        endpoint: connection.endpoint.clone(),
        status: connection.status.clone(),
    };
    let api_version = version_of(approvals, desired, target, version).unwrap_or_default();
    let task = match verb {
        Verb::Approve => Task::Approve,
        Verb::Reject => Task::Reject,
        Verb::Remove => return remove(&engine.client, &engine.clock, &api_version, &seen).await,
    };
    let policy = Policy {
        task,
        // The rules have named it, and nothing else is meant.
        rule: Rule { who: vec![Who::Connection(connection.id.clone())], ..Rule::default() },
        wait: None,
        description: description.to_owned(),
        keeps_words: approvals.keeps_words && task == Task::Approve,
    };
    let approving = Approving {
        target: target.clone(),
        api_version,
        policy,
        seen: vec![seen],
        awaits: false,
        endpoint: None,
        deadline: DEADLINE,
    };
    approving.run_to_the_end(&engine.client, &engine.clock).await.map(|_| ())
}
