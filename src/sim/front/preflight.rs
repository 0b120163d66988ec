//! What can be asked before anything is made: quotas of compute, and what the caller may do.

use crate::core::behaviour::{Answer, ok};
use crate::core::error::Failure;
use crate::core::json::{at, text};
use crate::core::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many vCPUs a new subscription may have in a region, altogether and of each family.
const REGION: u64 = 350;
const FAMILY: u64 = 350;

/// `GET /subscriptions/{id}/providers/Microsoft.Compute/locations/{location}/usages`.
pub(crate) fn usages(world: &World, location: &str) -> Answer {
    if !crate::core::locations::is_location(location) {
        let message = format!(
            "The provided location '{location}' is not available for resource type 'locations/usages'."
        );
        return Err(Failure::bad("LocationNotAvailableForResourceType", message));
    }
    let mut used: BTreeMap<String, u64> = BTreeMap::new();
    let mut all = 0;
    for (key, pool) in world.state.resources.below("/subscriptions") {
        if pool.kind != "microsoft.containerservice/managedclusters/agentpools" {
            continue;
        }
        let cluster = key.split("/agentpools/").next().and_then(|key| world.state.resources.get(key));
        if cluster.is_none_or(|cluster| !cluster.location().eq_ignore_ascii_case(location)) {
            continue;
        }
        let machines = at(&pool.body, "properties.count").and_then(Value::as_u64).unwrap_or_default();
        let Some((family, cores)) = text(&pool.body, "properties.vmSize").and_then(family) else { continue };
        *used.entry(family).or_default() += machines * cores;
        all += machines * cores;
    }
    let usage = |name: &str, shown: String, used: u64, limit: u64| {
        json!({
            "limit": limit, "unit": "Count", "currentValue": used,
            "name": { "value": name, "localizedValue": shown },
        })
    };
    for family in ["DSv5", "DASv5", "DDSv5", "ESv5", "FSv2"] {
        used.entry(format!("standard{family}Family")).or_default();
    }
    let mut value = vec![
        usage("cores", "Total Regional vCPUs".to_owned(), all, REGION),
        usage("lowPriorityCores", "Total Regional Low-priority vCPUs".to_owned(), 0, REGION),
    ];
    value.extend(used.into_iter().map(|(name, used)| {
        let family = name.trim_start_matches("standard").trim_end_matches("Family").to_owned();
        usage(&name, format!("Standard {family} Family vCPUs"), used, FAMILY)
    }));
    ok(&json!({ "value": value }))
}

/// The family of sizes like `Standard_D4s_v5`, and the cores of one.
fn family(size: &str) -> Option<(String, u64)> {
    let mut parts = size.strip_prefix("Standard_")?.split('_');
    let (machine, version) = (parts.next()?, parts.next()?);
    let series: String = machine.chars().take_while(char::is_ascii_alphabetic).collect();
    let cores: String = machine[series.len()..].chars().take_while(char::is_ascii_digit).collect();
    let features = machine[series.len() + cores.len()..].to_ascii_uppercase();
    Some((format!("standard{series}{features}{version}Family"), cores.parse().ok()?))
}

/// `GET {scope}/providers/Microsoft.Authorization/permissions`: the caller is the owner of everything here.
pub(crate) fn permissions() -> Answer {
    let owner = json!({ "actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": [] });
    ok(&json!({ "value": [owner] }))
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn quotas_and_permissions_are_told() {
        let bench = Bench::new().await;
        let usages = bench.get("/providers/Microsoft.Compute/locations/westeurope/usages").await;
        assert_eq!(usages.at("/value/0/name/value"), &json!("cores"));
        assert_eq!(usages.at("/value/0/currentValue"), &json!(0));
        let nowhere = bench.get("/providers/Microsoft.Compute/locations/atlantis/usages").await;
        assert_eq!(nowhere.status, 400);
        let permissions = bench.get("/providers/Microsoft.Authorization/permissions").await;
        assert_eq!(permissions.at("/value/0/actions"), &json!(["*"]));
    }
}
