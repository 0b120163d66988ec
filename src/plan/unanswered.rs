//! Values that the blueprint takes from a resource which is there, stays as it is, and does not have them.
//!
//! The step that needs such a value would fail when it is its turn; here it is told before anything is written.

use super::model::Conflict;
use crate::change::Action;
use crate::state::{Desired, DesiredResource, Observation, Observed, Provisioning};
use crate::value::lookup;
use crate::value::token::{self, Token};
use serde_json::Value;

/// What is in the way of the steps that these actions are.
pub(super) fn conflicts(desired: &Desired, observed: &Observed, actions: &[Action]) -> Vec<Conflict> {
    let mut found: Vec<Conflict> = Vec::new();
    for (resource, action) in desired.resources.iter().zip(actions) {
        if !matches!(action, Action::Create | Action::Replace | Action::Recover | Action::Update) {
            continue;
        }
        token::for_each(&resource.body, &mut |token| {
            let Token::Output { address, pointer } = token else { return };
            let Some(&at) = desired.by_address.get(address) else { return };
            let source = &desired.resources[at];
            let live = observed.get(&source.id).and_then(Observation::body);
            let lacks = live.is_some_and(|live| lookup(live, pointer).is_none_or(Value::is_null));
            if actions[at] == Action::NoOp && lacks {
                let conflict = conflict(resource, source, pointer);
                if !found.contains(&conflict) {
                    found.push(conflict);
                }
            }
        });
    }
    found
}

fn conflict(resource: &DesiredResource, source: &DesiredResource, pointer: &str) -> Conflict {
    let facet = source.kind.facets.iter().find(|facet| facet.pointer == pointer);
    let name = facet
        .map_or_else(|| pointer.trim_start_matches('/').replace('/', "."), |facet| facet.name.to_owned());
    let from = &source.address;
    let help = match source.operation {
        Provisioning::Existing => {
            format!("refer to a resource that has one, or have the owner of {} add it", source.id)
        }
        _ => format!("switch on in `{from}` what gives it this value"),
    };
    Conflict {
        address: resource.address.clone(),
        id: resource.id.clone(),
        message: format!("it needs `{name}` of `{from}`, which has none in Azure"),
        help,
    }
}
