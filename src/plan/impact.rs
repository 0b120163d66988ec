//! What a change in place disturbs, and how long a step usually takes.

use super::model::Disruption;
use crate::catalog::ResourceType;
use crate::change::Action;
use crate::state::{Desired, DesiredResource, Observation, Observed};
use crate::value::{Change, ChangeKind, Cycles, Disturbance, Rules};

/// What changes disturb, by the words of the type; nothing when they do not.
///
/// Of what is below the resource, that counts which the blueprint wants and which is there.
pub(super) fn disruption(
    resource: &DesiredResource,
    changes: &[Change],
    desired: &Desired,
    observed: &Observed,
) -> Option<Disruption> {
    let disturbances = disturbances(resource.kind.compiled(), changes);
    let mut found = Disruption::default();
    for (path, disturbance) in &disturbances {
        found.fields.push((*path).to_owned());
        if found.what.iter().all(|what| what != disturbance.what) {
            found.what.push(disturbance.what.to_owned());
        }
        match disturbance.cycles {
            Cycles::Nothing => {}
            Cycles::Itself => found.cycles.push(resource.address.clone()),
            Cycles::Below(arm_type) => {
                let standing = desired.resources.iter().filter(|other| {
                    other.kind.arm_type.eq_ignore_ascii_case(arm_type)
                        && other.id.ancestors().any(|id| id == resource.id)
                        && matches!(observed.get(&other.id), Some(Observation::Present { .. }))
                });
                found.cycles.extend(standing.map(|other| other.address.clone()));
            }
        }
    }
    found.cycles.sort();
    found.cycles.dedup();
    let cycling = || disturbances.iter().filter(|(_, disturbance)| disturbance.cycles != Cycles::Nothing);
    found.drained = cycling().next().is_some() && cycling().all(|(_, disturbance)| disturbance.drained);
    (!disturbances.is_empty()).then_some(found)
}

/// What a replacement takes away from those who use the resource.
pub(super) fn lost(resource: &DesiredResource, changes: &[Change]) -> Option<Disruption> {
    let what = resource.kind.lost?;
    let forcing = changes.iter().filter(|change| change.forces_replace);
    Some(Disruption {
        what: vec![what.to_owned()],
        fields: forcing.map(|change| change.path.clone()).collect(),
        ..Disruption::default()
    })
}

/// The changes that disturb, and what.
fn disturbances<'c>(rules: &Rules, changes: &'c [Change]) -> Vec<(&'c str, &'static Disturbance)> {
    let real = changes.iter().filter(|change| change.kind != ChangeKind::Release);
    real.filter_map(|change| Some((change.path.as_str(), rules.disturbance(&change.path)?))).collect()
}

/// How long a step usually takes, in milliseconds.
pub(super) fn expected_ms(
    kind: &'static ResourceType,
    action: Action,
    changes: &[Change],
    disruption: Option<&Disruption>,
) -> u64 {
    let expected = match action {
        Action::NoOp | Action::Adopt | Action::Release | Action::Forget => return 0,
        Action::Update => {
            let longest = match disruption {
                Some(_) => disturbances(kind.compiled(), changes).iter().map(|(_, d)| d.expected).max(),
                None => None,
            };
            kind.expected_update + longest.unwrap_or_default()
        }
        Action::Replace => kind.expected_delete + kind.expected,
        Action::Delete => kind.expected_delete,
        Action::Create | Action::Recover | Action::Register | Action::Approve | Action::Reject => {
            kind.expected
        }
    };
    expected.as_millis() as u64
}
