//! Whether the cores that a subscription may have suffice for machines that are to be made.
//!
//! Azure counts cores in each region altogether and by family (`standardDSv5Family`). A size says its family and how
//! many cores it has (`Standard_D4ds_v5`: family `DDSv5`, 4 cores) but for the oldest series, whose numbers mean
//! something else; those raise no question.

use crate::ident::{Address, ArmId};
use crate::plan::model::{Conflict, Step};
use serde_json::Value;
use std::collections::BTreeMap;

/// The cores that a step takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    address: Address,
    id: ArmId,
    /// The quotas that they count against, as Azure names them.
    quotas: Vec<String>,
    cores: u64,
}

impl Need {
    /// What so many machines of a size take; nothing when the size does not say.
    pub(super) fn of(step: &Step, size: &str, machines: u64, spot: bool) -> Option<Self> {
        let (family, cores) = family(size)?;
        // Spot machines of any family share one quota.
        let quotas =
            if spot { vec!["lowPriorityCores".to_owned()] } else { vec!["cores".to_owned(), family] };
        Some(Need { address: step.address.clone(), id: step.id.clone(), quotas, cores: cores * machines })
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
    let mut wanted: BTreeMap<&str, Vec<&Need>> = BTreeMap::new();
    for need in needs {
        need.quotas.iter().for_each(|quota| wanted.entry(quota).or_default().push(need));
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
        let cores: u64 = needs.iter().map(|need| need.cores).sum();
        let free = limit.saturating_sub(used);
        if cores <= free {
            return None;
        }
        let shown = usage.pointer("/name/localizedValue").and_then(Value::as_str).unwrap_or(quota);
        Some(Conflict {
            address: needs[0].address.clone(),
            id: needs[0].id.clone(),
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
