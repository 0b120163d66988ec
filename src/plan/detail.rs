//! What is known of each step beyond what is done: for saved plans, policies and machines that read plans.
//!
//! The planner does not need it, so it is made only when somebody asks.

use super::model::{Plan, Step};
use crate::change::Action;
use crate::ledger::Ledger;
use crate::state::{Desired, DesiredResource, Observation, Observed};
use crate::value::lookup;
use crate::value::token::{self, Token};
use crate::value::{Flag, Rules, conceal, managed, without};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What holds of a resource whose type nobody knows any more.
static COMMON: LazyLock<Rules> = LazyLock::new(|| Rules::new(&[]));

/// What is known of the resource of a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Detail {
    /// What a person calls its type (`key vault`); nothing for one that only the ledger knows.
    pub kind: Option<String>,
    /// Where it is, as Azure or the blueprint spells it.
    pub location: Option<String>,
    /// What is asked for, also when nothing is to be done; tokens in place of what is unknown or secret; null for a
    /// resource that is not wanted.
    pub wanted: Value,
    /// The fields of the live body that the blueprint manages, or did last time; null when it is not there.
    pub live: Value,
    /// Fields that are write-only and whose text stands in the blueprint as it is: paths.
    pub literal: Vec<String>,
}

/// The details of every step, in the order of the plan.
pub fn details(plan: &Plan, desired: &Desired, ledger: &Ledger, observed: &Observed) -> Vec<Detail> {
    let actions: HashMap<&str, Action> =
        plan.steps.iter().map(|step| (step.address.as_str(), step.action)).collect();
    plan.steps
        .iter()
        .map(|step| {
            // What is there under another name than the blueprint's is known by its address.
            let by_address =
                || desired.by_address.get(&step.address).filter(|_| step.action != Action::Delete);
            let at = desired.by_id.get(&step.id).or_else(by_address);
            let resource = at.map(|&at| &desired.resources[at]);
            let rules = rules_of(resource);
            let mut wanted = wanted(step, resource, desired, observed, &actions);
            let literal = conceal(&mut wanted, rules);
            let applied = ledger.resources.get(&step.id).map(|owned| &owned.applied);
            let mentions: Vec<&Value> = resource.map(|_| &wanted).into_iter().chain(applied).collect();
            let body = observed.get(&step.id).and_then(Observation::body);
            let live = body.and_then(|body| managed(&mentions, body, rules)).unwrap_or(Value::Null);
            let text = |body: &Value| body.get("location").and_then(Value::as_str).map(str::to_owned);
            Detail {
                kind: resource.map(|resource| resource.kind.title.to_owned()),
                location: text(&wanted).or_else(|| body.and_then(text)),
                wanted,
                live,
                literal,
            }
        })
        .collect()
}

/// The rules of the type of a resource; of one that is no longer wanted, those that hold for all.
pub(super) fn rules_of(resource: Option<&DesiredResource>) -> &'static Rules {
    resource.map_or(&*COMMON, |resource| resource.kind.compiled())
}

fn wanted(
    step: &Step,
    resource: Option<&DesiredResource>,
    desired: &Desired,
    observed: &Observed,
    actions: &HashMap<&str, Action>,
) -> Value {
    let Some(resource) = resource.filter(|_| step.desired.is_null()) else { return step.desired.clone() };
    let mut body = without(&resource.body, resource.kind.compiled(), Flag::CreateOnly);
    token::substitute(&mut body, &mut |token| {
        let Token::Output { address, pointer } = token else { return None };
        if matches!(actions.get(address.as_str()), Some(Action::Create | Action::Replace | Action::Recover)) {
            return None;
        }
        let &at = desired.by_address.get(address)?;
        let live = observed.get(&desired.resources[at].id)?.body()?;
        lookup(live, pointer).filter(|value| !value.is_null()).cloned()
    });
    body
}
