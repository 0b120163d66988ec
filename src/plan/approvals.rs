//! What is done about the connections on targets of the blueprint: who is named and waits, who is not named.

use super::model::{Conflict, Reason};
use crate::change::Action;
use crate::ident::ArmId;
use crate::private_link::{self, Connection, NotOurs, Policy, Rule, Task, Verdict, Who, judge};
use crate::state::{Approval, Desired, DesiredResource, Observation, Observed, Provisioning};
use crate::value::{Change, ChangeKind, at_pointer, get_path};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a connection is waited for that the same plan causes, when the blueprint does not say.
const USUAL_WAIT: Duration = Duration::from_secs(600);

/// What the same plan makes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coming {
    /// The target: it has no connections yet.
    pub(super) target: bool,
    /// Who asks through an endpoint of Microsoft's, or what it says.
    pub(super) requester: bool,
}

/// What a person is told of an approval.
pub(super) enum Told {
    /// It may go wrong.
    Warning(Conflict),
    /// It cannot be carried out.
    InTheWay(Conflict),
}

/// What a rule finds on its target.
pub(super) struct Look {
    /// Those that are to be approved, or rejected.
    pub(super) decided: Vec<Connection>,
    /// Those that a rule names and that cannot be approved by it, with the reason.
    held: Vec<(Connection, Verdict)>,
    /// Whether somebody who is named has not asked yet.
    missing: bool,
}

/// The connections of the target of an approval; `None` when the target is not there, or its id is not known.
fn connections(
    observed: &Observed,
    resource: &DesiredResource,
    approval: &Approval,
) -> Option<Vec<Connection>> {
    let listed = observed.get(&resource.id)?.body()?.get("value")?.as_array()?;
    Some(Connection::all(approval.target.as_ref()?, listed))
}

/// Whether somebody whom a rule names individually has no connection.
fn missing(rule: &Rule, found: &[Connection], verdicts: &[Verdict]) -> bool {
    let named = |who: &Who| {
        let only = Rule { who: vec![who.clone()], target: rule.target.clone(), ..Rule::default() };
        let target = rule.target.as_ref();
        target.is_some_and(|target| judge(target, &[only], found).into_iter().any(Verdict::is_named))
    };
    match rule.who.iter().any(|who| matches!(who, Who::Endpoint(_))) {
        true => rule.who.iter().filter(|who| matches!(who, Who::Endpoint(_))).any(|who| !named(who)),
        false => !verdicts.iter().any(|verdict| verdict.is_named()),
    }
}

/// What a rule finds on its target.
pub(super) fn look(
    desired: &Desired,
    observed: &Observed,
    resource: &DesiredResource,
    approval: &Approval,
) -> Option<Look> {
    let (target, policy) = (approval.target.as_ref()?, approval.policy.as_ref()?);
    let found = connections(observed, resource, approval).unwrap_or_default();
    match policy.task {
        Task::Approve => {
            let verdicts = judge(target, std::slice::from_ref(&policy.rule), &found);
            let missing = missing(&policy.rule, &found, &verdicts);
            let (mut decided, mut held) = (Vec::new(), Vec::new());
            for (connection, verdict) in found.into_iter().zip(verdicts) {
                match verdict {
                    Verdict::Approve => decided.push(connection),
                    Verdict::Approved | Verdict::NotNamed => {}
                    held_back => held.push((connection, held_back)),
                }
            }
            Some(Look { decided, held, missing })
        }
        Task::Reject => {
            let verdicts = judge(target, &desired.rules_on(target), &found);
            let unwanted = found.into_iter().zip(verdicts).filter(|(connection, verdict)| {
                connection.status == "Pending" && verdict.is_unwanted() && !is_own(desired, connection)
            });
            let decided = unwanted.map(|(connection, _)| connection).collect();
            Some(Look { decided, held: Vec::new(), missing: false })
        }
    }
}

/// Whether the endpoint behind a connection is one of the blueprint's, approved by it or not.
fn is_own(desired: &Desired, connection: &Connection) -> bool {
    connection.endpoint.as_ref().is_some_and(|endpoint| desired.by_id.contains_key(endpoint))
}

/// What is done about the connections of a target, and what a person is told of it.
pub(super) fn decide(
    desired: &Desired,
    observed: &Observed,
    resource: &DesiredResource,
    approval: &Approval,
    coming: Coming,
) -> (Action, Reason, Vec<Change>, Vec<Told>) {
    let say = |message: String, help: &str| Conflict {
        address: resource.address.clone(),
        id: resource.id.clone(),
        message,
        help: help.to_owned(),
    };
    let nothing = |reason| (Action::NoOp, reason, Vec::new(), Vec::new());
    let own = approval.endpoint.is_some();
    let (Some(target), Some(policy)) = (&approval.target, &approval.policy) else {
        let warning = say(
            "the target or an endpoint is known only after apply".to_owned(),
            "run again afterwards: its connections are decided on then",
        );
        return (Action::NoOp, Reason::NotAskedYet, Vec::new(), vec![Told::Warning(warning)]);
    };
    // Offline nothing was asked. Of an endpoint of the blueprint the endpoint's own step tells what is wrong.
    let asked = !observed.is_empty() && !own;
    if asked && !coming.target && connections(observed, resource, approval).is_none() {
        let conflict = say(
            format!("its target is not there: {target}"),
            "correct the `target`, or take the entry out until the target exists",
        );
        return (Action::NoOp, Reason::Blocked, Vec::new(), vec![Told::InTheWay(conflict)]);
    }
    let Some(look) = look(desired, observed, resource, approval) else { return nothing(Reason::AsWanted) };
    let mut told = Vec::new();
    if policy.task == Task::Reject {
        if rules_unknown(desired) {
            let warning = say(
                "the blueprint has a rule whose ids are known only after apply, so nothing is rejected now"
                    .to_owned(),
                "run again afterwards",
            );
            return (Action::NoOp, Reason::AsWanted, Vec::new(), vec![Told::Warning(warning)]);
        }
        return match look.decided.is_empty() {
            true => nothing(Reason::AsWanted),
            false => (Action::Reject, Reason::NotNamed, changes(&look.decided, policy), told),
        };
    }
    for (connection, verdict) in &look.held {
        let (message, help) = held(connection, *verdict, policy);
        told.push(Told::Warning(say(message, help)));
    }
    let agreed =
        policy.rule.who.iter().any(|who| matches!(who, Who::Text(_))) && approval.requester.is_none();
    let open = |told: &mut Vec<Told>| {
        if agreed {
            told.push(Told::Warning(say(
                "everybody who knows the text of `message` may connect".to_owned(),
                "name the endpoint under `endpoints` once it has asked; keep the text to those who need it",
            )));
        }
    };
    if !look.decided.is_empty() {
        open(&mut told);
        let changes = if own { Vec::new() } else { changes(&look.decided, policy) };
        return (Action::Approve, Reason::Pending, changes, told);
    }
    if own && look.missing && says_pending(observed, approval) {
        return (Action::Approve, Reason::Pending, Vec::new(), told);
    }
    if look.held.iter().any(|(connection, _)| connection.status == "Rejected") {
        return (Action::NoOp, Reason::Rejected, Vec::new(), told);
    }
    if look.missing && !coming.requester && was_approved(desired, observed, resource, approval) {
        return (Action::NoOp, Reason::AsWanted, Vec::new(), told);
    }
    let wait = policy.wait.or(coming.requester.then_some(USUAL_WAIT));
    match (look.missing, wait) {
        (true, Some(wait)) => {
            open(&mut told);
            let minutes = wait.as_secs().div_ceil(60);
            (Action::Approve, Reason::Awaited { minutes }, Vec::new(), told)
        }
        (true, None) if own => nothing(Reason::AsWanted),
        (true, None) => {
            if approval.requester.is_some() && !observed.is_empty() {
                told.push(Told::Warning(say(
                    "no connection on the target says what the requester says".to_owned(),
                    "run again when it has asked, or write `wait:`; if somebody approved it with another text, name its \
                     endpoint under `endpoints`",
                )));
            }
            (Action::NoOp, Reason::NotAskedYet, Vec::new(), told)
        }
        (false, _) => (Action::NoOp, Reason::AsWanted, Vec::new(), told),
    }
}

/// Whether the requester of an approval has a connection already that says what the requester still says: with another
/// text than this ledger's, as when an earlier ledger was lost. Nothing is approved for that.
fn was_approved(
    desired: &Desired,
    observed: &Observed,
    resource: &DesiredResource,
    approval: &Approval,
) -> bool {
    let said = || {
        let id = &approval.requester.as_ref()?.id;
        let path = desired.resources[*desired.by_id.get(id)?].kind.request_message?;
        get_path(observed.get(id)?.body()?, path)?.as_str().filter(|text| !text.is_empty())
    };
    let Some(said) = said() else { return false };
    let all = connections(observed, resource, approval).unwrap_or_default();
    all.iter().any(|connection| connection.status == "Approved" && connection.description == said)
}

/// Whether the blueprint has a rule of which not all ids are known.
fn rules_unknown(desired: &Desired) -> bool {
    desired.resources.iter().any(|resource| match &resource.operation {
        Provisioning::Approval(approval) => approval.target.is_none() || approval.policy.is_none(),
        _ => false,
    })
}

/// Whether the endpoint of an approval says by itself that its connection waits.
fn says_pending(observed: &Observed, approval: &Approval) -> bool {
    let body = approval.endpoint.as_ref().and_then(|id| observed.get(id)?.body());
    ["privateLinkServiceConnections", "manualPrivateLinkServiceConnections"].into_iter().any(|list| {
        let list = body.and_then(|body| body.get("properties")?.get(list)?.as_array());
        list.into_iter().flatten().any(|own| private_link::status(own) == Some("Pending"))
    })
}

/// Each connection that is decided on, as a change of its status.
fn changes(decided: &[Connection], policy: &Policy) -> Vec<Change> {
    let after = match policy.task {
        Task::Approve => "Approved",
        Task::Reject => "Rejected",
    };
    let change = |connection: &Connection| Change {
        path: format!("connections[{}]", connection.id.name()),
        kind: ChangeKind::Set,
        before: describe(connection, policy).into(),
        after: after.into(),
        forces_replace: false,
        foreign: false,
    };
    decided.iter().map(change).collect()
}

/// A connection in a few words: what it is, whose, and what was said. What works like a password is not repeated.
fn describe(connection: &Connection, policy: &Policy) -> String {
    let from =
        connection.endpoint.as_ref().map_or("an endpoint that the target does not tell", ArmId::as_str);
    let decides = policy.rule.who.iter().any(|who| matches!(who, Who::Text(_)));
    match connection.description.as_str() {
        "" => format!("{}, from {from}", connection.status),
        _ if decides => format!("{}, from {from}, with the text of the rule", connection.status),
        said => format!("{}, from {from}, says {said:?}", connection.status),
    }
}

/// Why a connection that a rule names is not approved.
fn held(connection: &Connection, verdict: Verdict, policy: &Policy) -> (String, &'static str) {
    let name = connection.id.name();
    match verdict {
        Verdict::TooMany => (
            format!(
                "more connections ask than the {} that may be approved, among them {name}",
                policy.rule.at_most.unwrap_or_default()
            ),
            "approve the right ones with `berth approve run --id`, reject the others, or raise `atMost`",
        ),
        Verdict::Contradictory => (
            format!("the target lists the connection {name} twice, with different contents"),
            "look at the target; approve it with `berth approve run --id` when it is clear whose it is",
        ),
        Verdict::UnknownGroup => (
            format!("the target does not tell which group the connection {name} is for"),
            "take `group:` out, or approve it with `berth approve run --id`",
        ),
        Verdict::OtherGroup => (
            format!("the connection {name} is for {}", connection.groups.join(", ")),
            "correct `group:`, or leave the connection to its owner",
        ),
        Verdict::OtherMessage => (
            format!("the connection {name} says something else than `message`"),
            "correct `message:`, or leave the connection to its owner",
        ),
        _ if connection.status == "Rejected" => (
            format!("the connection {name} was rejected on the target, and stays so"),
            "the owner of the target decided so; `berth approve run --id` with its id approves it all the same",
        ),
        _ => (
            format!("the connection {name} is {} and cannot be approved", connection.status.to_lowercase()),
            "remove it with `berth approve remove --id`; who needs it makes the endpoint anew",
        ),
    }
}

/// The connections on targets of the blueprint that no rule of it names.
///
/// Targets are those of approvals, and every resource of the blueprint that shows connections in its body.
pub(super) fn not_ours(desired: &Desired, observed: &Observed) -> Vec<NotOurs> {
    // The list of a target tells more than its body.
    let mut targets: BTreeMap<&ArmId, (bool, &[Value])> = BTreeMap::new();
    for resource in &desired.resources {
        let body = observed.get(&resource.id).and_then(Observation::body);
        let list = |pointer: &str| body.and_then(|body| at_pointer(body, pointer)?.as_array());
        let (target, is_list, listed) = match &resource.operation {
            Provisioning::Approval(approval) => (approval.target.as_ref(), true, list("/value")),
            _ => (Some(&resource.id), false, list("/properties/privateEndpointConnections")),
        };
        if let (Some(target), Some(listed)) = (target, listed) {
            let known = targets.entry(target).or_insert((is_list, listed));
            if is_list && !known.0 {
                *known = (true, listed);
            }
        }
    }
    let rules = desired.rules();
    let is_own = |id: &ArmId| desired.by_id.contains_key(id);
    let strangers = targets.into_iter().map(|(target, (_, listed))| {
        let found = Connection::all(target, listed);
        let rules = rules.get(target).map_or(&[][..], Vec::as_slice);
        let address = desired.by_id.get(target).map(|&at| &desired.resources[at].address);
        private_link::not_ours(address, target, rules, &found, is_own)
    });
    strangers.flatten().collect()
}
