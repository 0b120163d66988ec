//! Changes of a cluster that Azure makes one after the other only.

use serde_json::Value;

fn text<'v>(body: &'v Value, pointer: &str) -> &'v str {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Why Azure would refuse to lead a cluster from what it is to what is wanted, and the way on.
pub(super) fn obstacle(live: &Value, wanted: &Value, replaces: bool) -> Option<(String, String)> {
    // A new one begins with what is asked for.
    if replaces {
        return None;
    }
    versions(live, wanted).or_else(|| overlay(live, wanted))
}

/// Why Azure would refuse to lead a pool from what it is to what is wanted, and the way on.
pub(super) fn pool_obstacle(live: &Value, wanted: &Value, replaces: bool) -> Option<(String, String)> {
    const SUBNET: &str = "/properties/vnetSubnetID";
    let network = |body: &Value| {
        let subnet = text(body, SUBNET).to_ascii_lowercase();
        subnet.split_once("/subnets/").map(|(network, _)| network.to_owned())
    };
    let (old, new) = (network(live)?, network(wanted)?);
    (replaces && old != new).then(|| {
        (
            "Azure keeps all pools of a cluster in one virtual network, and its new subnet is in another one".to_owned(),
            "give the cluster another `name:`: a new cluster is then made in the new network, and the old one goes \
             afterwards"
                .to_owned(),
        )
    })
}

/// Control planes go one minor version at a time
/// (<https://learn.microsoft.com/azure/aks/upgrade-aks-control-plane>).
fn versions(live: &Value, wanted: &Value) -> Option<(String, String)> {
    let minor = |version: &str| {
        let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
        Some((parts.next()??, parts.next()??))
    };
    let running =
        [text(live, "/properties/currentKubernetesVersion"), text(live, "/properties/kubernetesVersion")]
            .into_iter()
            .find_map(minor)?;
    let asked = minor(text(wanted, "/properties/kubernetesVersion"))?;
    let next = running.1 + 1;
    (asked.0 == running.0 && asked.1 > next).then(|| {
        let (major, to) = asked;
        let steps: Vec<String> = (next..=to).map(|minor| format!("\"{major}.{minor}\"")).collect();
        (
            format!(
                "Azure upgrades a control plane one minor version at a time: it runs {major}.{}, and {major}.{to} is \
                 {} further",
                running.1,
                to - running.1
            ),
            format!(
                "write `kubernetesVersion: {}` and apply; then, one after the other, {}",
                steps[0],
                steps[1..].join(", ")
            ),
        )
    })
}

/// A cluster is moved to the overlay by itself, while nothing enforces network policies but Cilium
/// (<https://learn.microsoft.com/azure/aks/upgrade-aks-ipam-and-dataplane>).
fn overlay(live: &Value, wanted: &Value) -> Option<(String, String)> {
    const MODE: &str = "/properties/networkProfile/networkPluginMode";
    const POLICY: &str = "/properties/networkProfile/networkPolicy";
    const DATAPLANE: &str = "/properties/networkProfile/networkDataplane";
    let is = |body: &Value, pointer: &str, word: &str| text(body, pointer).eq_ignore_ascii_case(word);
    if !is(wanted, MODE, "overlay") || is(live, MODE, "overlay") {
        return None;
    }
    let policy = text(live, POLICY).to_ascii_lowercase();
    let engine = matches!(policy.as_str(), "azure" | "calico");
    let cilium = is(wanted, DATAPLANE, "cilium") && !is(live, DATAPLANE, "cilium");
    match (engine, cilium) {
        (_, true) => Some((
            "Azure changes the data plane and moves to the overlay in two operations, not in one".to_owned(),
            "leave `mode` and `podCidr` out and apply: Cilium comes, and takes the place of another policy engine; then \
             write `mode: overlay` again and apply"
                .to_owned(),
        )),
        (true, false) => Some((
            format!("Azure moves a cluster to the overlay only while no policy engine is on, and `{policy}` is"),
            format!(
                "first write `policy: none`, without `mode: overlay`, and apply; then `mode: overlay`, and apply; then \
                 `policy: {policy}` again if it is to stay. Or go to `dataplane: cilium` first, which brings its own \
                 policies"
            ),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::obstacle;
    use serde_json::{Value, json};

    fn network(profile: Value) -> Value {
        json!({ "properties": { "networkProfile": profile } })
    }

    #[test]
    fn a_control_plane_goes_one_minor_version_at_a_time() {
        let live =
            json!({ "properties": { "kubernetesVersion": "1.32", "currentKubernetesVersion": "1.33.5" } });
        let to = |version: &str| {
            obstacle(&live, &json!({ "properties": { "kubernetesVersion": version } }), false)
        };
        assert_eq!(to("1.33"), None);
        assert_eq!(to("1.34.1"), None);
        let (message, help) = to("1.36").unwrap();
        assert!(message.contains("it runs 1.33, and 1.36 is 3 further"), "{message}");
        assert!(
            help.contains("`kubernetesVersion: \"1.34\"`") && help.ends_with("\"1.35\", \"1.36\""),
            "{help}"
        );
        assert_eq!(
            obstacle(&json!({}), &json!({ "properties": { "kubernetesVersion": "1.36" } }), false),
            None
        );
    }

    #[test]
    fn the_overlay_comes_by_itself_and_without_a_policy_engine() {
        let flat = network(json!({ "networkPlugin": "azure", "networkPolicy": "azure" }));
        let overlay = network(json!({ "networkPluginMode": "overlay" }));
        assert!(obstacle(&flat, &overlay, false).unwrap().1.contains("`policy: none`"));
        let none = network(json!({ "networkPlugin": "azure", "networkPolicy": "none" }));
        assert_eq!(obstacle(&none, &overlay, false), None);
        let both = network(json!({ "networkPluginMode": "Overlay", "networkDataplane": "cilium" }));
        assert!(obstacle(&none, &both, false).unwrap().0.contains("two operations"));
        let cilium = network(json!({ "networkDataplane": "cilium", "networkPolicy": "cilium" }));
        assert_eq!(obstacle(&cilium, &both, false), None);
        assert_eq!(obstacle(&flat, &cilium, false), None);
        assert_eq!(obstacle(&both, &both, false), None);
    }
}
