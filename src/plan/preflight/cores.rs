//! Whether the cores that a subscription may have suffice for machines that are to be made.
//!
//! Azure counts cores in each region altogether and by family (`standardDSv5Family`). The list of sizes tells family and
//! cores. Who may not read it has the size's name, which says both (`Standard_D4ds_v5`: family `DDSv5`, 4 cores) but for
//! the oldest series, whose numbers mean something else; those raise no question then.

use super::sizes;
use crate::catalog::Preflight;
use crate::change::Action;
use crate::ident::{Address, ArmId};
use crate::plan::model::{Conflict, Step};
use serde_json::Value;
use std::collections::BTreeMap;

/// The cores that a step takes more than are taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    address: Address,
    id: ArmId,
    /// The quotas that they count against, as Azure names them, and how many.
    quotas: Vec<(String, u64)>,
}

/// What is known of machines that a step makes.
pub(super) struct Machines<'a> {
    /// Where a body says what they are.
    pub(super) preflight: &'a Preflight,
    /// The sizes of the region, when Azure told them.
    pub(super) sizes: Option<&'a Value>,
}

impl Machines<'_> {
    /// What a step takes beyond what `before` has now; nothing when its size is not known.
    pub(super) fn need(&self, step: &Step, before: Option<&Value>) -> Option<Need> {
        let Preflight::Machines { surge, .. } = self.preflight else { return None };
        let (family, cores, number) = self.of(&step.desired)?;
        // Spot machines of any family share one quota, which is not the region's.
        let quotas = |family: &str| match family {
            SPOT => vec![SPOT.to_owned()],
            family => vec!["cores".to_owned(), family.to_owned()],
        };
        let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
        let surged =
            step.action == Action::Update && step.changes.iter().any(|one| is_at(&one.path, surge.1));
        let machines = number + if surged { more(step.desired.pointer(surge.0), number) } else { 0 };
        for quota in quotas(&family) {
            wanted.insert(quota, cores * machines);
        }
        // What is changed, or made anew where it was, gives back what it has.
        let stays = matches!(step.action, Action::Update | Action::Replace) && step.moved_from.is_none();
        if let Some((family, cores, number)) = before.filter(|_| stays).and_then(|before| self.of(before)) {
            for quota in quotas(&family) {
                wanted.entry(quota).and_modify(|wanted| *wanted = wanted.saturating_sub(cores * number));
            }
        }
        let quotas: Vec<_> = wanted.into_iter().filter(|(_, cores)| *cores > 0).collect();
        (!quotas.is_empty()).then(|| Need { address: step.address.clone(), id: step.id.clone(), quotas })
    }

    /// The quota, the cores of one machine, and how many machines there are.
    fn of(&self, body: &Value) -> Option<(String, u64, u64)> {
        let Preflight::Machines { size, count, at_least, priority, .. } = self.preflight else { return None };
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let number = |pointer: &str| body.pointer(pointer).and_then(Value::as_u64);
        let size = text(size)?;
        let told = self.sizes.and_then(|sizes| sizes::find(sizes, size)).and_then(sizes::cores);
        let (family, cores) = told.or_else(|| family(size))?;
        let spot = text(priority).is_some_and(|priority| priority.eq_ignore_ascii_case("Spot"));
        let family = if spot { SPOT.to_owned() } else { family };
        Some((family, cores, number(count).max(number(at_least)).unwrap_or(1)))
    }
}

/// Whether a dotted path of a change is a JSON pointer's place.
pub(super) fn is_at(path: &str, pointer: &str) -> bool {
    path.split('.').eq(pointer.trim_start_matches('/').split('/'))
}

/// The quota of Spot machines.
const SPOT: &str = "lowPriorityCores";

/// How many machines a surge adds: a number, or a share of those that there are, rounded up. Azure's own choice is a tenth.
fn more(surge: Option<&Value>, machines: u64) -> u64 {
    let text = surge.and_then(Value::as_str).unwrap_or("10%");
    match text.strip_suffix('%').map(str::parse::<u64>) {
        Some(Ok(share)) => (machines * share).div_ceil(100),
        Some(Err(_)) => 0,
        None => text.parse().unwrap_or_default(),
    }
}

/// The family of a size, as its quota is named, and how many cores one has.
fn family(size: &str) -> Option<(String, u64)> {
    let (tier, rest) = size.split_once('_')?;
    if !tier.eq_ignore_ascii_case("Standard") {
        return None;
    }
    let mut parts = rest.split('_');
    let (machine, version) = (parts.next()?, parts.next_back().unwrap_or_default());
    let first = machine.find(|c: char| c.is_ascii_digit())?;
    let (series, sized) = machine.split_at(first);
    let digits: String = sized.chars().take_while(char::is_ascii_digit).collect();
    // `E8-4ds` has eight cores of which four are used: all eight count.
    let features = sized[digits.len()..].trim_start_matches(|c: char| c == '-' || c.is_ascii_digit());
    let version = version.strip_prefix(['v', 'V']).filter(|v| v.chars().all(|c| c.is_ascii_digit()));
    let version: u32 = version.and_then(|version| version.parse().ok()).unwrap_or(1);
    let old = version < 3 && ["A", "D", "DS", "G", "GS"].iter().any(|old| series.eq_ignore_ascii_case(old));
    let cores: u64 = digits.parse().ok()?;
    if old || series.is_empty() || cores == 0 {
        return None;
    }
    let shown = if version > 1 { format!("v{version}") } else { String::new() };
    // All burstable sizes of the first version share one quota, whatever their memory.
    let features = if series.eq_ignore_ascii_case("B") && version == 1 { "s" } else { features };
    let name = format!("{}{}", series.to_ascii_uppercase(), features.to_ascii_uppercase());
    Some((format!("standard{name}{shown}Family"), cores))
}

/// The quotas that do not suffice for all needs together.
pub(super) fn short(location: &str, needs: &[Need], usages: &Value) -> Vec<Conflict> {
    let mut wanted: BTreeMap<&str, Vec<(&Need, u64)>> = BTreeMap::new();
    for need in needs {
        for (quota, cores) in &need.quotas {
            wanted.entry(quota).or_default().push((need, *cores));
        }
    }
    let usage = |quota: &str| {
        let all = usages.as_array()?;
        all.iter().find(|usage| {
            let name = usage.pointer("/name/value").and_then(Value::as_str);
            name.is_some_and(|name| name.eq_ignore_ascii_case(quota))
        })
    };
    let short = wanted.into_iter().filter_map(|(quota, needs)| {
        let usage = usage(quota)?;
        let number = |member: &str| usage.get(member).and_then(Value::as_u64);
        let (used, limit) = (number("currentValue")?, number("limit")?);
        let cores: u64 = needs.iter().map(|(_, cores)| cores).sum();
        let free = limit.saturating_sub(used);
        if cores <= free {
            return None;
        }
        let shown = usage.pointer("/name/localizedValue").and_then(Value::as_str).unwrap_or(quota);
        Some(Conflict {
            address: needs[0].0.address.clone(),
            id: needs[0].0.id.clone(),
            message: format!(
                "this plan takes {cores} vCPUs of `{shown}` in {location}, and {free} of {limit} are free"
            ),
            help: "ask for more (portal: Quotas, Compute), take another size or region, or fewer nodes"
                .to_owned(),
        })
    });
    short.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_says_its_family_and_cores() {
        for (size, expected) in [
            ("Standard_D4s_v5", Some(("standardDSv5Family", 4))),
            ("Standard_D4ds_v5", Some(("standardDDSv5Family", 4))),
            ("Standard_E8-4ads_v5", Some(("standardEADSv5Family", 8))),
            ("Standard_F16s_v2", Some(("standardFSv2Family", 16))),
            ("Standard_NC6s_v3", Some(("standardNCSv3Family", 6))),
            ("Standard_B2ms", Some(("standardBSFamily", 2))),
            ("Standard_DS2_v2", None),
            ("Basic_A1", None),
            ("large", None),
        ] {
            let found = family(size);
            assert_eq!(found.as_ref().map(|(name, cores)| (name.as_str(), *cores)), expected, "{size}");
        }
    }
}
