//! What Azure takes of a resource only once somebody is connected to it: an API Management service is closed to public
//! networks only when an endpoint of it is approved. The write that comes before leaves it as it is, and a step of its own
//! follows the approvals. Without an approval to come it is left as it is, and a warning says so.

use super::decide::sort;
use super::model::{Conflict, Impact, Plan, Reason, Step};
use crate::catalog::ResourceType;
use crate::change::Action;
use crate::graph::Dag;
use crate::ident::{Address, ArmId};
use crate::private_link::Task;
use crate::state::{Desired, Observation, Observed, Provisioning};
use crate::value::{Change, ChangeKind, get_path, set_path};
use serde_json::Value;

/// Takes such changes out of the steps of a plan, and adds the steps that make them.
pub(super) fn put_off(plan: &mut Plan, desired: &Desired, observed: &Observed) {
    let mut added: Vec<(usize, Vec<usize>, Step)> = Vec::new();
    for at in 0..plan.steps.len() {
        let step = &plan.steps[at];
        let Some(resource) = desired.by_id.get(&step.id).map(|&at| &desired.resources[at]) else { continue };
        let live = observed.get(&step.id).and_then(Observation::body);
        let changes: Vec<Change> = match step.action {
            _ if matches!(step.reason, Reason::OnceConnected { .. }) => continue,
            Action::Create | Action::Replace => early(resource.kind, step),
            Action::Update if live.is_some_and(|live| !is_connected(live)) => early(resource.kind, step),
            _ => continue,
        };
        if changes.is_empty() {
            continue;
        }
        let approvals = approvals(plan, desired, &step.id);
        let step = &mut plan.steps[at];
        for change in &changes {
            set_path(&mut step.desired, &change.path, change.before.clone());
            step.changes.retain(|other| other.path != change.path);
        }
        let later = Step {
            address: Address::new(format!("{}.onceConnected", step.address)),
            action: Action::Update,
            reason: Reason::OnceConnected {
                approvals: approvals.iter().map(|(_, address)| address.clone()).collect(),
            },
            changes,
            desired: (*resource.body).clone(),
            impact: Impact::InPlace,
            disruption: None,
            awaits: None,
            grants: None,
            moved_from: None,
            told_elsewhere: false,
            dates: Vec::new(),
            purge: None,
            protected: false,
            after: Vec::new(),
            expected_ms: resource.kind.expected_update.as_millis() as u64,
            ..step.clone()
        };
        if step.action == Action::Update && step.changes.is_empty() {
            (step.action, step.reason, step.impact) = (Action::NoOp, Reason::AsWanted, Impact::None);
            (step.disruption, step.desired, step.expected_ms) = (None, Value::Null, 0);
        }
        if approvals.is_empty() {
            let (address, id) = (step.address.clone(), step.id.clone());
            plan.warnings.push(stays(resource.kind, address, id, &later.changes));
            continue;
        }
        added.push((at, approvals.into_iter().map(|(at, _)| at).collect(), later));
    }
    if added.is_empty() {
        return;
    }
    let mut steps = std::mem::take(&mut plan.steps);
    let mut edges: Vec<Vec<usize>> = steps.iter().map(|step| step.after.clone()).collect();
    for (at, approvals, step) in added {
        edges.push(approvals.into_iter().chain([at]).collect());
        steps.push(step);
    }
    let mut dag = Dag::new(steps.len());
    for (at, needs) in edges.iter().enumerate() {
        needs.iter().for_each(|&need| dag.need(at, need));
    }
    plan.steps = sort(steps, &dag).0;
}

/// What a step asks for before anybody is connected and Azure takes only afterwards: from what it is until then.
fn early(kind: &ResourceType, step: &Step) -> Vec<Change> {
    let one = |(path, json): &(&'static str, &'static str)| {
        let first: Value = serde_json::from_str(json).ok()?;
        let wanted = get_path(&step.desired, path).filter(|wanted| **wanted != first)?.clone();
        let changes = step.action != Action::Update || step.changes.iter().any(|change| change.path == *path);
        changes.then(|| Change {
            path: (*path).to_owned(),
            kind: ChangeKind::Set,
            before: first,
            after: wanted,
            forces_replace: false,
            foreign: false,
        })
    };
    kind.at_first.iter().filter_map(one).collect()
}

/// Whether an endpoint of a target is approved.
fn is_connected(live: &Value) -> bool {
    let connections = live.pointer("/properties/privateEndpointConnections").and_then(Value::as_array);
    let status = |connection: &Value| {
        let status = connection.pointer("/properties/privateLinkServiceConnectionState/status")?;
        Some(status.as_str()?.eq_ignore_ascii_case("Approved"))
    };
    connections.into_iter().flatten().any(|connection| status(connection) == Some(true))
}

/// The steps that approve a connection on a target, or wait until it is approved.
fn approvals(plan: &Plan, desired: &Desired, target: &ArmId) -> Vec<(usize, Address)> {
    let approves = |step: &Step| {
        let resource = desired.by_id.get(&step.id).map(|&at| &desired.resources[at]);
        let Some(Provisioning::Approval(approval)) = resource.map(|resource| &resource.operation) else {
            return false;
        };
        let task = approval.policy.as_ref().map(|policy| policy.task);
        approval.target.as_ref() == Some(target)
            && task == Some(Task::Approve)
            && (step.action == Action::Approve || step.reason == Reason::ApprovesItself)
    };
    let steps = plan.steps.iter().enumerate().filter(|(_, step)| approves(step));
    steps.map(|(at, step)| (at, step.address.clone())).collect()
}

/// That a resource stays as it is until somebody is connected.
fn stays(kind: &ResourceType, address: Address, id: ArmId, changes: &[Change]) -> Conflict {
    let said: Vec<String> =
        changes.iter().map(|change| format!("{} stays {}", change.path, change.before)).collect();
    Conflict {
        message: format!(
            "{}: Azure takes {} only once a private endpoint of this {} is approved, and no step of this plan approves one",
            said.join(", "),
            changes.iter().map(|change| change.after.to_string()).collect::<Vec<_>>().join(", "),
            kind.title,
        ),
        help: format!(
            "give it one in `privateEndpoints`, or name whose it is in `approvals`; the plan after its approval changes `{address}`"
        ),
        address,
        id,
    }
}
