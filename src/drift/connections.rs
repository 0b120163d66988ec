//! Connections on targets of the blueprint: those that its rules name and that are not as they should be, and those that no
//! rule names.

use super::model::{Drift, DriftKind, FieldDrift};
use crate::ident::{Address, ArmId};
use crate::private_link::{Connection, NotOurs, Policy, Rule, Task, Verdict, judge, not_ours};
use serde_json::Value;

/// A rule of the blueprint, and what its target shows.
#[derive(Debug)]
pub struct Watched<'a> {
    /// The entry.
    pub address: &'a Address,
    /// Its id.
    pub id: &'a ArmId,
    /// Its type.
    pub arm_type: &'a str,
    /// The target.
    pub target: &'a ArmId,
    /// Who is named, and what is done.
    pub policy: &'a Policy,
    /// Every rule for the target.
    pub rules: &'a [Rule],
    /// Whether it is an endpoint of the blueprint, of which the endpoint itself tells.
    pub own: bool,
    /// The target's connections; `None` when the target is not there.
    pub connections: Option<&'a [Value]>,
}

/// The connections that a resource of the blueprint shows.
#[derive(Debug)]
pub struct Shown<'a> {
    /// What the blueprint calls it; `None` for a target that is not in it.
    pub address: Option<&'a Address>,
    /// The resource.
    pub target: &'a ArmId,
    /// Every rule for it.
    pub rules: &'a [Rule],
    /// The connections.
    pub connections: &'a [Value],
}

/// What drifted of the rules, and the connections that no rule names. `is_own` tells the blueprint's own endpoints.
pub fn connections(
    watched: &[Watched<'_>],
    shown: &[Shown<'_>],
    is_own: impl Fn(&ArmId) -> bool,
) -> (Vec<Drift>, Vec<NotOurs>) {
    let (mut drifted, mut strangers): (Vec<Drift>, Vec<NotOurs>) = (Vec::new(), Vec::new());
    let foreign = |c: &Connection| !c.endpoint.as_ref().is_some_and(&is_own);
    for shown in shown {
        let found = Connection::all(shown.target, shown.connections);
        strangers.extend(not_ours(shown.address, shown.target, shown.rules, &found, &is_own));
    }
    for watched in watched {
        let Some(listed) = watched.connections else { continue };
        let found = Connection::all(watched.target, listed);
        let all = judge(watched.target, watched.rules, &found);
        let wrong: Vec<(&Connection, &str)> = match watched.policy.task {
            Task::Approve if watched.own => Vec::new(),
            Task::Approve => {
                let verdicts = judge(watched.target, std::slice::from_ref(&watched.policy.rule), &found);
                let open = |verdict: &Verdict| verdict.is_named() && *verdict != Verdict::Approved;
                found
                    .iter()
                    .zip(verdicts)
                    .filter(|(_, verdict)| open(verdict))
                    .map(|(c, _)| (c, "Approved"))
                    .collect()
            }
            Task::Reject => {
                let unwanted = found.iter().zip(&all).filter(|(connection, verdict)| {
                    connection.status == "Pending" && verdict.is_unwanted() && foreign(connection)
                });
                unwanted.map(|(connection, _)| (connection, "Rejected")).collect()
            }
        };
        if wrong.is_empty() {
            continue;
        }
        let field = |(connection, expected): (&Connection, &str)| {
            let path = format!("connections[{}].status", connection.id.name());
            let field = FieldDrift::new(path, expected.into(), connection.status.as_str().into());
            FieldDrift { subject: Some(connection.id.clone()), ..field }
        };
        let fields = wrong.into_iter().map(field).collect();
        let (address, id) = (watched.address.clone(), watched.id.clone());
        drifted.push(Drift::new(address, id, watched.arm_type, DriftKind::Changed, fields));
    }
    (drifted, strangers)
}
