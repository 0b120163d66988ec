//! Whether a type is to be had in the region that a resource is to be in.
//!
//! A provider's own description tells it. That of a provider that a plan registers, or looks whether it is, was read with
//! everything else; others are asked.

use crate::change::Action;
use crate::ident::{ArmId, normalize_location};
use crate::plan::model::{Conflict, Plan, Step};
use crate::state::{Answers, Observation, Observed, Query};
use serde_json::Value;
use std::collections::BTreeSet;

/// How many regions are named that would do.
const NAMED: usize = 6;
/// How many letters at the start or the end make one region near another: `west`, `india`.
const ALIKE: usize = 4;

/// The steps that make something in a region: with that, and with the type as its provider names it.
fn placed(plan: &Plan) -> impl Iterator<Item = (&Step, String, &str, &str)> {
    let makes = |step: &&Step| matches!(step.action, Action::Create | Action::Replace);
    plan.changes().filter(makes).filter_map(|step| {
        let location = step.desired.get("location")?.as_str().filter(|location| !location.is_empty())?;
        let (namespace, kind) = match step.arm_type.split_once('/')? {
            ("Microsoft.Resources", kind) if kind.eq_ignore_ascii_case("subscriptions/resourceGroups") => {
                ("Microsoft.Resources", "resourceGroups")
            }
            split => split,
        };
        Some((step, normalize_location(location), namespace, kind))
    })
}

fn provider(step: &Step, namespace: &str) -> Option<ArmId> {
    ArmId::parse(&format!("/subscriptions/{}/providers/{namespace}", step.id.subscription()?)).ok()
}

fn known<'o>(step: &Step, namespace: &str, observed: &'o Observed) -> Option<&'o Value> {
    observed.get(&provider(step, namespace)?).and_then(Observation::body)
}

fn query(step: &Step, namespace: &str) -> Option<Query> {
    let subscription = step.id.subscription()?.to_owned();
    Some(Query::Provider { subscription, namespace: namespace.to_owned() })
}

/// The providers that nothing else has read.
pub(super) fn queries(plan: &Plan, observed: &Observed) -> BTreeSet<Query> {
    let unknown = placed(plan).filter(|(step, _, namespace, _)| known(step, namespace, observed).is_none());
    unknown.filter_map(|(step, _, namespace, _)| query(step, namespace)).collect()
}

/// The steps whose type is not to be had where they are to be.
pub(super) fn missing(plan: &Plan, observed: &Observed, answers: &Answers) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for (step, location, namespace, kind) in placed(plan) {
        let asked = || answers.get(&query(step, namespace)?);
        let Some(provider) = known(step, namespace, observed).or_else(asked) else { continue };
        let mut types = provider.get("resourceTypes").and_then(Value::as_array).into_iter().flatten();
        let found = types.find(|one| {
            let name = one.get("resourceType").and_then(Value::as_str);
            name.is_some_and(|name| name.eq_ignore_ascii_case(kind))
        });
        let regions = found.and_then(|found| found.get("locations")?.as_array());
        let Some(regions) = regions.filter(|regions| !regions.is_empty()) else { continue };
        let regions: Vec<String> = regions.iter().filter_map(Value::as_str).map(normalize_location).collect();
        if regions.contains(&location) {
            continue;
        }
        let near = near(&regions, &location);
        conflicts.push(Conflict {
            address: step.address.clone(),
            id: step.id.clone(),
            message: format!("Azure has no {} in `{location}`", step.arm_type),
            help: match near[..] {
                [] if regions == ["global"] => "it is in no region: write `location: global`".to_owned(),
                [] => format!(
                    "take another `location`; the regions of the type: az provider show -n {namespace} --query \"resourceTypes[?resourceType=='{kind}'].locations\""
                ),
                _ => format!("take another `location`, for instance {}", near.join(", ")),
            },
        });
    }
    conflicts
}

/// Regions whose names share something with what was asked for, else the first.
fn near(regions: &[String], asked: &str) -> Vec<String> {
    let alike = |region: &str| {
        let from_start = region.bytes().zip(asked.bytes()).take_while(|(a, b)| a == b).count();
        let from_end = region.bytes().rev().zip(asked.bytes().rev()).take_while(|(a, b)| a == b).count();
        from_start.max(from_end)
    };
    let is_near = |region: &&String| *region != "global" && alike(region) >= ALIKE;
    let mut all: Vec<&String> = regions.iter().filter(is_near).collect();
    all.sort_by_key(|region| (std::cmp::Reverse(alike(region)), region.as_str()));
    all.into_iter().take(NAMED).map(|region| format!("`{region}`")).collect()
}
