//! The machines that regions have: sizes, zones, and how many cores a subscription may have.

use crate::core::behaviour::{Answer, ok, ok_list};
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, text};
use crate::core::locations::{LOCATIONS, is_location, normal_location};
use crate::core::path::quoted;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// The type of what machines belong to.
const POOLS: &str = "microsoft.containerservice/managedclusters/agentpools";
/// The quota of Spot machines.
const SPOT: &str = "lowPriorityCores";

/// Regions without zones.
const WITHOUT_ZONES: &[&str] = &[
    "australiacentral",
    "australiasoutheast",
    "canadaeast",
    "francesouth",
    "germanynorth",
    "koreasouth",
    "northcentralus",
    "norwaywest",
    "southafricawest",
    "southindia",
    "switzerlandwest",
    "uaecentral",
    "ukwest",
    "westcentralus",
    "westindia",
    "westus",
];

/// Regions whose machines are only for those whom Azure lets in.
const RESTRICTED: &[&str] =
    &["francesouth", "germanynorth", "norwaywest", "southafricawest", "switzerlandwest", "uaecentral"];

/// Sizes of one family: the letters before the number of cores, what may follow it, and the end. `family` is how the quota
/// is called; `{}` in it is what follows the number.
struct Series {
    letters: &'static str,
    features: &'static [&'static str],
    end: &'static str,
    family: &'static str,
    cores: &'static [u64],
}

const SMALL: &[u64] = &[2, 4, 8, 16, 32, 48, 64];
const USUAL: &[u64] = &[2, 4, 8, 16, 20, 32, 48, 64, 96];
const LARGE: &[u64] = &[2, 4, 8, 16, 20, 32, 48, 64, 96, 128, 192];
const OLD: &[u64] = &[1, 2, 3, 4, 5, 11, 12, 13, 14, 15];

const fn series(
    letters: &'static str,
    features: &'static [&'static str],
    end: &'static str,
    family: &'static str,
    cores: &'static [u64],
) -> Series {
    Series { letters, features, end, family, cores }
}

#[rustfmt::skip]
const SERIES: &[Series] = &[
    series("A", &["", "m"], "_v2", "standardAv2Family", &[1, 2, 4, 8]),
    series("B", &["ls", "s", "ms"], "", "standardBSFamily", &[1, 2, 4, 8, 12, 16, 20]),
    series("B", &["s", "ls", "ts"], "_v2", "standardBsv2Family", &[2, 4, 8, 16, 32]),
    series("B", &["as", "als", "ats"], "_v2", "standardBasv2Family", &[2, 4, 8, 16, 32]),
    series("B", &["ps", "pls", "pts"], "_v2", "standardBpsv2Family", &[2, 4, 8, 16]),
    series("D", &["", "s"], "_v3", "standardD{}v3Family", SMALL),
    series("D", &["", "s", "d", "ds"], "_v4", "standardD{}v4Family", SMALL),
    series("D", &["a", "as"], "_v4", "standardD{}v4Family", USUAL),
    series("D", &["", "s", "d", "ds", "ls", "lds", "as", "ads"], "_v5", "standardD{}v5Family", USUAL),
    series("D", &["ps", "pds", "pls", "plds"], "_v5", "standardD{}v5Family", SMALL),
    series("D", &["s", "ds", "ls", "lds"], "_v6", "standardD{}v6Family", LARGE),
    series("D", &["as", "ads", "als", "alds", "ps", "pds", "pls", "plds"], "_v6", "standardD{}v6Family", USUAL),
    series("D", &["as", "ads", "als", "alds"], "_v7", "standardD{}v7Family", LARGE),
    series("DC", &["s"], "_v2", "standardDCSv2Family", &[1, 2, 4, 8]),
    series("DC", &["s", "ds"], "_v3", "standardDC{}v3Family", &[1, 2, 4, 8, 16, 24, 32, 48]),
    series("DC", &["as", "ads"], "_v5", "standardDC{}v5Family", USUAL),
    series("DC", &["as", "ads"], "_cc_v5", "standardDC{}ccv5Family", USUAL),
    series("DC", &["es", "eds"], "_v5", "standardDC{}v5Family", USUAL),
    series("DC", &["as", "ads", "es", "eds"], "_v6", "standardDC{}v6Family", USUAL),
    series("E", &["", "s", "i", "is"], "_v3", "standardE{}v3Family", &[2, 4, 8, 16, 20, 32, 48, 64]),
    series("E", &["", "s", "d", "ds", "a", "as", "is", "ids"], "_v4", "standardE{}v4Family", &[2, 4, 8, 16, 20, 32, 48, 64, 80, 96]),
    series("E", &["", "s", "d", "ds", "as", "ads", "bs", "bds", "is", "ids", "ibs", "ibds"], "_v5", "standardE{}v5Family", &[2, 4, 8, 16, 20, 32, 48, 64, 96, 104, 112]),
    series("E", &["ps", "pds"], "_v5", "standardE{}v5Family", &[2, 4, 8, 16, 20, 32]),
    series("E", &["s", "ds", "is", "ids", "as", "ads", "bs", "bds", "ps", "pds"], "_v6", "standardE{}v6Family", LARGE),
    series("E", &["as", "ads"], "_v7", "standardE{}v7Family", LARGE),
    series("EC", &["as", "ads"], "_v5", "standardEC{}v5Family", USUAL),
    series("EC", &["as", "ads"], "_cc_v5", "standardEC{}ccv5Family", USUAL),
    series("EC", &["es", "eds", "as", "ads"], "_v6", "standardEC{}v6Family", USUAL),
    series("F", &["", "s"], "", "standardF{}Family", &[1, 2, 4, 8, 16]),
    series("F", &["s"], "_v2", "standardFSv2Family", &[2, 4, 8, 16, 32, 48, 64, 72]),
    series("F", &["as", "als", "ams", "ads", "alds", "amds"], "_v6", "standardF{}v6Family", &[2, 4, 8, 16, 32, 48, 64]),
    series("F", &["as", "als", "ams", "ads", "alds", "amds"], "_v7", "standardF{}v7Family", &[2, 4, 8, 16, 32, 48, 64, 80]),
    series("FX", &["mds"], "", "standardFXMDVSFamily", &[4, 12, 24, 36, 48]),
    series("FX", &["ms", "mds"], "_v2", "standardFX{}v2Family", &[2, 4, 8, 12, 16, 24, 32, 48, 64, 96]),
    series("L", &["s"], "_v2", "standardLSv2Family", &[8, 16, 32, 48, 64, 80]),
    series("L", &["s", "as"], "_v3", "standardL{}v3Family", &[8, 16, 32, 48, 64, 80]),
    series("L", &["s", "as", "aos"], "_v4", "standardL{}v4Family", &[2, 4, 8, 12, 16, 24, 32, 48, 64, 80, 96]),
    series("M", &["", "m", "s", "ms", "ls", "ts"], "", "standardMSFamily", &[8, 16, 32, 64, 128]),
    series("M", &["s", "ms", "ds", "dms", "is", "ims", "ids", "idms"], "_v2", "standardM{}v2Family", &[32, 64, 128, 192]),
    series("M", &["s_8", "s_6", "ms_8", "ms_6"], "_v2", "standardM{}v2Family", &[208, 416]),
    series("M", &["s_1", "ds_1", "s_2", "ds_2", "s_3", "ds_3", "s_4", "ds_4"], "_v3", "standardM{}v3Family", &[12, 24, 48, 96, 176]),
    series("NC", &["s"], "_v3", "standardNCSv3Family", &[6, 12, 24]),
    series("NC", &["as"], "_T4_v3", "Standard NCASv3_T4 Family", &[4, 8, 16, 64]),
    series("NC", &["ads"], "_A100_v4", "StandardNCADSA100v4Family", &[24, 48, 96]),
    series("NC", &["ads", "adis"], "_H100_v5", "StandardNCadsH100v5Family", &[40, 80]),
    series("ND", &["rs"], "_v2", "standardNDSv2Family", &[40]),
    series("ND", &["asr"], "_v4", "standardNDASv4Family", &[96]),
    series("ND", &["amsr"], "_A100_v4", "StandardNDASv4_A100Family", &[96]),
    series("ND", &["isr"], "_H100_v5", "standardNDSH100v5Family", &[96]),
    series("ND", &["isr"], "_H200_v5", "standardNDISRH200V5Family", &[96]),
    series("NV", &["s"], "_v3", "standardNVSv3Family", &[12, 24, 48]),
    series("NV", &["as"], "_v4", "standardNVSv4Family", &[4, 8, 16, 32]),
    series("NV", &["ads", "adms"], "_A10_v5", "StandardNVADSA10v5Family", &[6, 12, 18, 36, 72]),
    series("NG", &["ads", "adms"], "_V620_v1", "StandardNGADSV620v1Family", &[8, 16, 32]),
    series("HB", &["rs"], "_v2", "standardHBrsv2Family", &[120]),
    series("HB", &["rs"], "_v3", "standardHBv3Family", &[120]),
    series("HB", &["rs"], "_v4", "standardHBv4Family", &[176]),
    series("HC", &["rs"], "", "standardHCSFamily", &[44]),
    series("HX", &["rs"], "", "standardHXFamily", &[176]),
    // Their numbers count sizes, not cores.
    series("D", &[""], "_v2", "standardDv2Family", OLD),
    series("DS", &[""], "_v2", "standardDSv2Family", OLD),
];

/// The cores of the sizes whose numbers count sizes.
fn old_cores(number: u64) -> u64 {
    match number {
        1 => 1,
        2 | 11 => 2,
        3 | 12 => 4,
        4 | 13 => 8,
        5 | 14 => 16,
        _ => 20,
    }
}

/// A size: how it is called, its quota, and the cores of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Size {
    name: String,
    family: String,
    cores: u64,
}

impl Series {
    fn size(&self, number: u64, features: &str) -> Size {
        let old = matches!(self.letters, "D" | "DS") && self.end == "_v2";
        Size {
            name: format!("Standard_{}{number}{features}{}", self.letters, self.end),
            family: self.family.replace("{}", &features.to_ascii_uppercase()),
            cores: if old { old_cores(number) } else { number },
        }
    }
}

impl Series {
    /// What a size of so many cores is also called: `E8-4ds` has eight cores of which four are used, and `_Promo` is a price.
    fn variants(&self, number: u64, features: &str) -> Vec<Size> {
        let plain = self.size(number, features);
        let also = |name: String| Size { name, ..plain.clone() };
        let own = format!("{}{number}", self.letters);
        let mut all = vec![plain.clone()];
        if self.letters == "E" && !features.starts_with(['i', 'b', 'p']) {
            let fewer = [number / 2, number / 4].into_iter().filter(|fewer| *fewer >= 2);
            all.extend(fewer.map(|fewer| also(plain.name.replacen(&own, &format!("{own}-{fewer}"), 1))));
        }
        if self.end == "_v2" && matches!(self.letters, "D" | "DS") {
            all.push(also(format!("{}_Promo", plain.name)));
        }
        all
    }
}

fn sizes() -> impl Iterator<Item = Size> {
    SERIES.iter().flat_map(|series| {
        series.features.iter().flat_map(move |features| {
            series.cores.iter().flat_map(move |number| series.variants(*number, features))
        })
    })
}

/// The size of this name.
fn find(name: &str) -> Option<&'static Size> {
    /// By name, in small letters. There are thousands, and every pool of a subscription asks for its own.
    static BY_NAME: LazyLock<HashMap<String, Size>> = LazyLock::new(|| {
        let mut all = HashMap::new();
        for size in sizes() {
            all.entry(size.name.to_ascii_lowercase()).or_insert(size);
        }
        all
    });
    BY_NAME.get(&name.to_ascii_lowercase())
}

/// The zones of a region.
fn zones(location: &str) -> &'static [&'static str] {
    if WITHOUT_ZONES.contains(&location) { &[] } else { &["1", "2", "3"] }
}

/// `GET /subscriptions/{id}/providers/Microsoft.Compute/skus`.
pub(crate) fn skus(filter: &str) -> Answer {
    let wanted = quoted(filter, "location").map(|location| normal_location(&location));
    let mut value = Vec::new();
    for (location, _) in LOCATIONS.iter().filter(|(name, _)| wanted.as_deref().is_none_or(|w| w == *name)) {
        let zones = zones(location);
        let restrictions = match RESTRICTED.contains(location) {
            true => json!([{
                "type": "Location", "values": [location], "reasonCode": "NotAvailableForSubscription",
                "restrictionInfo": { "locations": [location] },
            }]),
            false => json!([]),
        };
        value.extend(sizes().map(|size| {
            json!({
                "resourceType": "virtualMachines", "name": size.name, "tier": "Standard", "family": size.family,
                "locations": [location], "locationInfo": [{ "location": location, "zones": zones }],
                "capabilities": [{ "name": "vCPUs", "value": size.cores.to_string() }],
                "restrictions": restrictions,
            })
        }));
    }
    ok_list(value)
}

/// Refuses a new pool whose machines the region does not have.
pub(crate) fn check(location: &str, pool: &str, properties: &Object) -> Result<(), Failure> {
    let location = normal_location(location);
    let Some(size) = text(properties, "vmSize").filter(|size| !size.is_empty()) else { return Ok(()) };
    if find(size).is_none() || RESTRICTED.contains(&location.as_str()) {
        let message = format!(
            "The VM size of AgentPoolProfile:{pool} is not allowed in your subscription in location '{location}'. \
             For more details, please visit https://aka.ms/aks/quotas-skus-regions"
        );
        return Err(Failure::bad("BadRequest", message).flat());
    }
    let there = zones(&location);
    let lacking: Vec<&str> = list(properties, "availabilityZones")
        .iter()
        .filter_map(Value::as_str)
        .filter(|zone| !there.contains(zone))
        .collect();
    if !lacking.is_empty() {
        let message = format!(
            "The zone(s) '{}' for resource '{pool}' is not supported. The supported zones for location '{location}' are '{}'.",
            lacking.join(","),
            there.join(","),
        );
        return Err(Failure::bad("AvailabilityZoneNotSupported", message).flat());
    }
    Ok(())
}

/// The quotas that machines of a pool count against, and how many cores.
fn taken(properties: &Object) -> Vec<(&'static str, u64)> {
    let Some(size) = text(properties, "vmSize").and_then(find) else { return Vec::new() };
    let machines = at(properties, "count").and_then(Value::as_u64).unwrap_or_default();
    let cores = machines * size.cores;
    match text(properties, "scaleSetPriority").is_some_and(|priority| priority.eq_ignore_ascii_case("Spot")) {
        true => vec![(SPOT, cores)],
        false => vec![("cores", cores), (&size.family, cores)],
    }
}

fn of_pool(pool: &Resource) -> Vec<(&'static str, u64)> {
    pool.body.get("properties").and_then(Value::as_object).map(taken).unwrap_or_default()
}

/// The cores that the subscription has in a region, by quota, without those of these pools.
fn used(world: &World, location: &str, without: &[String]) -> BTreeMap<&'static str, u64> {
    let mut used = BTreeMap::new();
    for (key, pool) in world.state.resources.of_kind(POOLS) {
        if without.iter().any(|other| other == key) {
            continue;
        }
        let cluster = key.split("/agentpools/").next().and_then(|key| world.state.resources.get(key));
        if cluster.is_none_or(|cluster| normal_location(cluster.location()) != location) {
            continue;
        }
        for (quota, cores) in of_pool(pool) {
            *used.entry(quota).or_default() += cores;
        }
    }
    used
}

/// Refuses pools whose machines are more than the subscription may have. What does not grow is not looked at.
pub(crate) fn check_quota(world: &World, location: &str, pools: &[&Resource]) -> Result<(), Failure> {
    let location = normal_location(location);
    let keys: Vec<String> = pools.iter().map(|pool| pool.key()).collect();
    let sum = |all: &mut dyn Iterator<Item = &Resource>| {
        let mut sum: BTreeMap<&str, u64> = BTreeMap::new();
        for (quota, cores) in all.flat_map(of_pool) {
            *sum.entry(quota).or_default() += cores;
        }
        sum
    };
    let before = sum(&mut keys.iter().filter_map(|key| world.state.resources.get(key)));
    let wanted = sum(&mut pools.iter().copied());
    if wanted.iter().all(|(quota, cores)| before.get(quota).is_some_and(|before| before >= cores)) {
        return Ok(());
    }
    let used = used(world, &location, &keys);
    for (quota, cores) in &wanted {
        let left = world.cores.saturating_sub(used.get(quota).copied().unwrap_or_default());
        if *cores > left && before.get(quota).is_none_or(|before| before < cores) {
            let what = match *quota {
                "cores" => "regional vcpu quota".to_owned(),
                family => format!("vcpu quota for family {family}"),
            };
            let message = format!(
                "Insufficient {what}: requested {cores}, remaining {left} for region {location}. \
                 Surge nodes would also consume vcpu quota."
            );
            return Err(Failure::bad("ErrCode_InsufficientVCPUQuota", message).flat());
        }
    }
    Ok(())
}

/// `GET /subscriptions/{id}/providers/Microsoft.Compute/locations/{location}/usages`.
pub(crate) fn usages(world: &World, location: &str) -> Answer {
    if !is_location(location) {
        let message = format!(
            "The provided location '{location}' is not available for resource type 'locations/usages'."
        );
        return Err(Failure::bad("LocationNotAvailableForResourceType", message));
    }
    let used = used(world, &normal_location(location), &[]);
    let mut families: Vec<String> = sizes().map(|size| size.family).collect();
    families.sort_unstable();
    families.dedup();
    let usage = |name: &str, shown: String| {
        json!({
            "limit": world.cores, "unit": "Count", "currentValue": used.get(name).copied().unwrap_or_default(),
            "name": { "value": name, "localizedValue": shown },
        })
    };
    let mut value = vec![
        usage("cores", "Total Regional vCPUs".to_owned()),
        usage(SPOT, "Total Regional Low-priority vCPUs".to_owned()),
    ];
    value.extend(families.iter().map(|name| {
        let family = name.trim_start_matches("standard").trim_end_matches("Family").to_owned();
        usage(name, format!("Standard {family} Family vCPUs"))
    }));
    ok(&json!({ "value": value }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn sizes_are_found_by_their_names() {
        for (name, expected) in [
            ("Standard_D4s_v5", Some(("standardDSv5Family", 4))),
            ("standard_d4S_V5", Some(("standardDSv5Family", 4))),
            ("Standard_D4ds_v5", Some(("standardDDSv5Family", 4))),
            ("Standard_E8-4ads_v5", Some(("standardEADSv5Family", 8))),
            ("Standard_DS3_v2", Some(("standardDSv2Family", 4))),
            ("Standard_D11_v2_Promo", Some(("standardDv2Family", 2))),
            ("Standard_B2ms", Some(("standardBSFamily", 2))),
            ("Standard_NC4as_T4_v3", Some(("Standard NCASv3_T4 Family", 4))),
            ("Standard_M416s_8_v2", Some(("standardMS_8v2Family", 416))),
            ("Standard_D4sv5", None),
            ("Standard_D5s_v5", None),
            ("Standard_D4s_v9", None),
            ("D4s_v5", None),
        ] {
            let found = find(name);
            assert_eq!(found.as_ref().map(|size| (size.family.as_str(), size.cores)), expected, "{name}");
        }
        let mut names: Vec<String> = sizes().map(|size| size.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "a size stands twice");
    }

    fn pool(size: &str, count: u64, zones: &[&str]) -> Value {
        json!({
            "name": "system", "mode": "System", "count": count, "vmSize": size, "availabilityZones": zones,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_lists_do_not_have_is_refused_when_it_is_made() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.ContainerService/managedClusters/aks");
        for (location, pool, code) in [
            ("westeurope", pool("Standard_D4sv5", 1, &[]), "BadRequest"),
            ("francesouth", pool("Standard_D4s_v5", 1, &[]), "BadRequest"),
            ("westus", pool("Standard_D4s_v5", 1, &["1"]), "AvailabilityZoneNotSupported"),
            ("westeurope", pool("Standard_D96s_v5", 105, &[]), "ErrCode_InsufficientVCPUQuota"),
        ] {
            let body = json!({
                "location": location, "identity": { "type": "SystemAssigned" },
                "properties": { "dnsPrefix": "aks", "agentPoolProfiles": [pool] },
            });
            let seen = bench.put(&id, body).await;
            assert_eq!((seen.status, seen.code()), (400, code), "{}", seen.body);
        }
        let skus = bench.get("/providers/Microsoft.Compute/skus?$filter=location eq 'westus'").await;
        let skus = skus.at("/value").as_array().unwrap();
        assert!(
            skus.iter()
                .all(|sku| sku["locations"] == json!(["westus"])
                    && sku["locationInfo"][0]["zones"] == json!([]))
        );
        assert!(skus.iter().any(|sku| sku["name"] == "Standard_D4s_v5"));
    }

    #[tokio::test(start_paused = true)]
    async fn quotas_tell_what_is_taken() {
        let bench = Bench::new().await;
        let usages = bench.get("/providers/Microsoft.Compute/locations/westeurope/usages").await;
        assert_eq!(usages.at("/value/0/name/value"), &json!("cores"));
        assert_eq!(usages.at("/value/0/currentValue"), &json!(0));
        let nowhere = bench.get("/providers/Microsoft.Compute/locations/atlantis/usages").await;
        assert_eq!(nowhere.status, 400);
    }
}
