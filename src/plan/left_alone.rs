//! What a plan sees and leaves as it is: fields that the blueprint gives away (`ignore`).

use crate::change::Action;
use crate::state::{Desired, DesiredResource, Observation, Observed};
use crate::value::{Comparison, LeftAlone, LeftAloneReason, diff};
use serde_json::Value;

/// What differs from the blueprint and stays. `resolved` puts the outputs in that are known.
pub(super) fn left_alone(
    desired: &Desired,
    observed: &Observed,
    actions: &[Action],
    resolved: &dyn Fn(&Value) -> Value,
) -> Vec<LeftAlone> {
    let mut found = Vec::new();
    for (resource, action) in desired.resources.iter().zip(actions) {
        if resource.ignore.is_empty() {
            continue;
        }
        let given_away = resolved(&given_away(resource));
        let live = observed.get(&resource.id).and_then(Observation::body);
        match (action, live) {
            (Action::Create | Action::Replace | Action::Recover, _) => {
                let set = resource.ignore.iter().filter_map(|path| Some((path, path.get(&given_away)?)));
                found.extend(set.map(|(path, value)| LeftAlone {
                    address: resource.address.clone(),
                    path: path.to_string(),
                    reason: LeftAloneReason::SetOnce,
                    blueprint: value.clone(),
                    azure: Value::Null,
                }));
            }
            (_, Some(live)) => {
                let rules = resource.kind.compiled();
                let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| false };
                found.extend(diff(&given_away, live, &comparison).into_iter().map(|change| LeftAlone {
                    address: resource.address.clone(),
                    path: change.path,
                    reason: LeftAloneReason::Ignored,
                    blueprint: change.after,
                    azure: change.before,
                }));
            }
            (_, None) => {}
        }
    }
    found
}

/// What a blueprint says of the fields that it gives away.
fn given_away(resource: &DesiredResource) -> Value {
    let mut body = Value::Object(Default::default());
    for path in &resource.ignore {
        if let Some(value) = path.get(&resource.initial) {
            path.put(&mut body, value.clone());
        }
    }
    body
}
