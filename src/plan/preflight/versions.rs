//! Whether a region has the version of Kubernetes that is asked for.

use crate::plan::model::{Conflict, Step};
use serde_json::Value;

/// Why Azure would refuse the version that a step asks for. A minor version (`1.34`) is asked for as well as a patch.
pub(super) fn missing(
    step: &Step,
    version: &str,
    support: &str,
    location: &str,
    answer: &Value,
) -> Option<Conflict> {
    let asked = step.desired.pointer(version)?.as_str()?;
    let minors: Vec<&Value> = answer.get("values")?.as_array()?.iter().collect();
    let name = |minor: &Value| minor.get("version").and_then(Value::as_str).unwrap_or_default().to_owned();
    let field = version.rsplit('/').next().unwrap_or_default();
    // A pool's field is called as the cluster's is in a blueprint.
    let field = if field == "orchestratorVersion" { "kubernetesVersion" } else { field };
    let conflict = |message: String, help: String| {
        Some(Conflict { address: step.address.clone(), id: step.id.clone(), message, help })
    };
    let wanted: Vec<&str> = asked.split('.').collect();
    let [major, minor, ..] = wanted[..] else { return None };
    let own = format!("{major}.{minor}");
    let Some(found) = minors.iter().find(|one| name(one) == own) else {
        let offered: Vec<String> = minors.iter().map(|one| format!("\"{}\"", name(one))).collect();
        return conflict(
            format!("{location} does not have Kubernetes {asked}"),
            format!("write one of these as `{field}`: {}", offered.join(", ")),
        );
    };
    let patches = found.get("patchVersions").and_then(Value::as_object);
    if let (3, Some(patches)) = (wanted.len(), patches)
        && !patches.is_empty()
        && !patches.contains_key(asked)
    {
        let offered: Vec<String> = patches.keys().map(|patch| format!("\"{patch}\"")).collect();
        return conflict(
            format!("{location} does not have Kubernetes {asked}"),
            format!("write `{field}: \"{own}\"`, or a patch that it has: {}", offered.join(", ")),
        );
    }
    let plans = found.pointer("/capabilities/supportPlan").and_then(Value::as_array)?;
    let plan = step.desired.pointer(support).and_then(Value::as_str).unwrap_or("KubernetesOfficial");
    let has = plans.iter().filter_map(Value::as_str).any(|one| one.eq_ignore_ascii_case(plan));
    if has || plans.is_empty() || support.is_empty() {
        return None;
    }
    conflict(
        format!("{location} has Kubernetes {own} with long-term support only"),
        "write `supportPlan: AKSLongTermSupport` and `sku: { tier: Premium }`, or take a newer version"
            .to_owned(),
    )
}
