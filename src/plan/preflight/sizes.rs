//! Whether a region has machines of a size for the subscription, in the zones that are asked for.

use crate::plan::model::{Conflict, Step};
use serde_json::Value;

/// How many sizes are named that would do.
const NAMED: usize = 5;

/// A size in the list of a region, whose names Azure compares without case.
pub(super) fn find<'v>(sizes: &'v Value, name: &str) -> Option<&'v Value> {
    machines(sizes).find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, size)| size)
}

fn machines(sizes: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let is_machine = |size: &&Value| {
        let kind = size.get("resourceType").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case("virtualMachines"))
    };
    let all = sizes.as_array().into_iter().flatten().filter(is_machine);
    all.filter_map(|size| Some((size.get("name")?.as_str()?, size)))
}

/// The quota of a size, and the cores that one machine has.
pub(super) fn cores(size: &Value) -> Option<(String, u64)> {
    let family = size.get("family")?.as_str()?.to_owned();
    let mut capabilities = size.get("capabilities")?.as_array()?.iter();
    let cores = capabilities.find(|one| one.get("name").and_then(Value::as_str) == Some("vCPUs"))?;
    Some((family, cores.get("value")?.as_str()?.parse().ok()?))
}

/// Why Azure would refuse a step's machines in this region.
pub(super) fn missing(
    step: &Step,
    size: &str,
    zones: &str,
    location: &str,
    sizes: &Value,
) -> Option<Conflict> {
    // A list without machines is no answer.
    machines(sizes).next()?;
    let name = step.desired.pointer(size)?.as_str()?;
    let conflict = |message: String, help: String| {
        Some(Conflict { address: step.address.clone(), id: step.id.clone(), message, help })
    };
    let Some(found) = find(sizes, name) else {
        return conflict(
            format!("Azure has no machines of the size `{name}` in {location}"),
            match similar(sizes, name) {
                similar if similar.is_empty() => format!(
                    "take another `vmSize`; the sizes of the region: az vm list-skus -l {location} --resource-type virtualMachines"
                ),
                similar => format!("take another `vmSize`, for instance {}", listed(&similar)),
            },
        );
    };
    if let Some(reason) = restriction(found, "Location").map(reason_of) {
        return conflict(
            format!("the subscription may not have machines of the size `{name}` in {location} ({reason})"),
            match similar(sizes, name) {
                similar if similar.is_empty() => {
                    "take another region, or ask Azure for access: portal, Quotas, Compute".to_owned()
                }
                similar => format!(
                    "take another `vmSize`, for instance {}, or ask Azure for access: portal, Quotas, Compute",
                    listed(&similar)
                ),
            },
        );
    }
    let asked: Vec<&str> =
        step.desired.pointer(zones)?.as_array()?.iter().filter_map(Value::as_str).collect();
    let there = zones_of(found, location);
    let lacking: Vec<&str> = asked.into_iter().filter(|zone| !there.contains(zone)).collect();
    if lacking.is_empty() {
        return None;
    }
    let what = if lacking.len() == 1 { "zone" } else { "zones" };
    conflict(
        format!("there are no machines of the size `{name}` in {what} {} of {location}", lacking.join(", ")),
        match there[..] {
            [] => "leave `zones` out, or take another size or region".to_owned(),
            _ => format!("write `zones: [{}]`, or take another size or region", there.join(", ")),
        },
    )
}

fn restriction<'v>(size: &'v Value, kind: &str) -> Option<&'v Value> {
    let all = size.get("restrictions")?.as_array()?;
    all.iter().find(|one| one.get("type").and_then(Value::as_str) == Some(kind))
}

fn reason_of(restriction: &Value) -> &str {
    restriction.get("reasonCode").and_then(Value::as_str).unwrap_or("NotAvailableForSubscription")
}

/// The zones of a region in which the subscription may have machines of a size.
fn zones_of<'v>(size: &'v Value, location: &str) -> Vec<&'v str> {
    fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
        list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }
    let mut places = size.get("locationInfo").and_then(Value::as_array).into_iter().flatten();
    let place = places.find(|place| {
        let found = place.get("location").and_then(Value::as_str);
        found.is_some_and(|found| found.eq_ignore_ascii_case(location))
    });
    let closed: Vec<&str> = restriction(size, "Zone")
        .map(|one| texts(one.pointer("/restrictionInfo/zones")).collect())
        .unwrap_or_default();
    let mut zones: Vec<&str> =
        texts(place.and_then(|place| place.get("zones"))).filter(|zone| !closed.contains(zone)).collect();
    zones.sort_unstable();
    zones
}

/// Sizes that the subscription may have and whose names begin alike, the most alike first.
fn similar<'v>(sizes: &'v Value, name: &str) -> Vec<&'v str> {
    let alike = |other: &str| {
        let pairs = name.chars().zip(other.chars());
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    // As alike as `Standard_D`.
    let least = name.find('_').map_or(name.len(), |at| at + 2);
    let open = machines(sizes).filter(|(_, size)| restriction(size, "Location").is_none());
    let mut all: Vec<&str> = open.map(|(name, _)| name).filter(|other| alike(other) >= least).collect();
    all.sort_by_key(|other| (std::cmp::Reverse(alike(other)), other.len().abs_diff(name.len()), *other));
    all.truncate(NAMED);
    all
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
