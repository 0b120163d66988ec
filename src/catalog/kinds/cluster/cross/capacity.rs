//! Whether the ranges of addresses suffice for the nodes and pods that a cluster may come to
//! (<https://learn.microsoft.com/azure/aks/azure-cni-overview>). Azure refuses with `InsufficientSubnetSize`.

use crate::catalog::kinds::cluster::types::MANAGED_CLUSTERS;
use crate::catalog::{CheckContext, LinkedResource, Problem};
use crate::diag::Code;
use ipnet::IpNet;
use serde_json::Value;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &SUBNET_TOO_SMALL,
    &SUBNET_TIGHT,
    &POD_RANGE_TOO_SMALL,
    &POD_RANGE_TIGHT,
    &KUBENET_NODES,
    &API_SERVER_SUBNET,
];

const SUBNET_TOO_SMALL: Code = Code {
    name: "subnet-too-small",
    why: "Azure counts the most nodes that the pools of a subnet may come to, and with Azure CNI an address for each of their pods; of each subnet it keeps five addresses itself. A cluster or pool that does not fit is refused.",
    remedy: "Give the subnet a larger range, or let pods have addresses of their own with `mode: overlay`.",
    example: "subnets: { nodes: { prefix: 10.20.0.0/20 } }",
};

const SUBNET_TIGHT: Code = Code {
    name: "subnet-tight",
    why: "The nodes fit, and those that an upgrade adds meanwhile (`maxSurge`) do not: the upgrade would fail midway.",
    remedy: "Give the subnet a larger range, or upgrade with fewer nodes more.",
    example: "upgrade: { maxSurge: 1 }",
};

const POD_RANGE_TOO_SMALL: Code = Code {
    name: "pod-range-too-small",
    why: "With the overlay and with kubenet, each node takes a /24 of the range of the pods, however few pods it runs.",
    remedy: "Choose a larger `podCidr`; it cannot be changed later.",
    example: "network: { mode: overlay, podCidr: 10.244.0.0/16 }",
};

const POD_RANGE_TIGHT: Code = Code {
    name: "pod-range-tight",
    why: "The nodes fit into the range of the pods, and those that an upgrade adds meanwhile do not.",
    remedy: "Choose a larger `podCidr`; it cannot be changed later.",
    example: "network: { mode: overlay, podCidr: 10.244.0.0/16 }",
};

const KUBENET_NODES: Code = Code {
    name: "kubenet-nodes",
    why: "kubenet writes a route for each node, and a route table holds 400.",
    remedy: "Use the overlay, which takes 5000 nodes.",
    example: "network: { mode: overlay }",
};

const API_SERVER_SUBNET: Code = Code {
    name: "api-server-subnet",
    why: "The API server takes nine addresses or more of a subnet that is delegated to it.",
    remedy: "Make it a /28 or larger, with the delegation.",
    example: "subnets: { api: { prefix: 10.20.32.0/28, delegation: Microsoft.ContainerService/managedClusters } }",
};

/// How many addresses Azure keeps of each subnet.
const KEPT: u64 = 5;
/// The addresses of the range of the pods that each node takes: a /24.
const FOR_EACH_NODE: u64 = 256;
/// Addresses of a pod subnet come to a node by so many.
const BLOCK: u64 = 16;
/// How many routes a route table holds.
const ROUTES: u64 = 400;

/// How pods get their addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pods {
    /// From the subnet of the nodes.
    Subnet,
    /// From a range of their own, a /24 a node.
    Range,
    /// From a plugin that Azure knows nothing of.
    Elsewhere,
}

impl Pods {
    fn of(cluster: LinkedResource<'_>) -> Self {
        let is = |pointer: &str, word: &str| {
            cluster.text(pointer).is_some_and(|text| text.eq_ignore_ascii_case(word))
        };
        let automatic = is("/sku/name", "Automatic");
        if automatic || is("/properties/networkProfile/networkPluginMode", "overlay") || is_kubenet(cluster) {
            Pods::Range
        } else if is("/properties/networkProfile/networkPlugin", "none") {
            Pods::Elsewhere
        } else {
            Pods::Subnet
        }
    }
}

fn is_kubenet(cluster: LinkedResource<'_>) -> bool {
    let plugin = cluster.text("/properties/networkProfile/networkPlugin");
    plugin.is_some_and(|plugin| plugin.eq_ignore_ascii_case("kubenet"))
}

/// A node pool as it may be at its largest.
struct Pool<'a> {
    cluster: LinkedResource<'a>,
    body: &'a Value,
    name: &'a str,
    nodes: u64,
    surge: u64,
    max_pods: Option<u64>,
}

impl<'a> Pool<'a> {
    fn all(cluster: LinkedResource<'a>) -> impl Iterator<Item = Pool<'a>> {
        let pools = cluster.body.pointer("/properties/agentPoolProfiles").and_then(Value::as_array);
        pools.into_iter().flatten().map(move |body| {
            let number = |member: &str| body.get(member).and_then(Value::as_u64);
            let nodes = number("maxCount").or(number("count")).unwrap_or(1);
            let spot = body.get("scaleSetPriority").and_then(Value::as_str);
            let surge = match spot.is_some_and(|priority| priority.eq_ignore_ascii_case("Spot")) {
                true => 0,
                false => surge(body.pointer("/upgradeSettings/maxSurge"), nodes),
            };
            let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
            Pool { cluster, body, name, nodes, surge, max_pods: number("maxPods") }
        })
    }

    fn is_in(&self, member: &str, subnet: LinkedResource<'_>) -> bool {
        let id = self.body.get(member).and_then(Value::as_str);
        id.is_some_and(|id| id.eq_ignore_ascii_case(subnet.id.as_str()))
    }

    fn text(&self, member: &str) -> Option<&'a str> {
        self.body.get(member).and_then(Value::as_str)
    }

    /// What a node takes of the subnet that it is in.
    fn of_node_subnet(&self) -> (u64, String) {
        if Pods::of(self.cluster) != Pods::Subnet || self.text("podSubnetID").is_some() {
            return (1, "1".to_owned());
        }
        let pods = self.max_pods.unwrap_or(30);
        (1 + pods, format!("{} (itself and {pods} pods)", 1 + pods))
    }

    /// What a node takes of the subnet of its pods at least.
    fn of_pod_subnet(&self) -> (u64, String) {
        let fixed =
            self.text("podIPAllocationMode").is_some_and(|mode| mode.eq_ignore_ascii_case("StaticBlock"));
        if !fixed {
            return (BLOCK, format!("{BLOCK}, the block it begins with"));
        }
        let pods = self.max_pods.unwrap_or(30);
        let blocks = pods.div_ceil(BLOCK).max(1);
        (blocks * BLOCK, format!("{} ({blocks} blocks of {BLOCK} for {pods} pods)", blocks * BLOCK))
    }
}

/// How many nodes an upgrade adds meanwhile: a number, or a percentage that is rounded up; 10 % when nothing is said.
fn surge(said: Option<&Value>, nodes: u64) -> u64 {
    let text = match said {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "10%".to_owned(),
    };
    match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<u64>().map_or(1, |percent| (nodes * percent).div_ceil(100)),
        None => text.trim().parse().unwrap_or(1),
    }
}

/// The IPv4 addresses of ranges.
fn size<'r>(ranges: impl IntoIterator<Item = &'r str>) -> Option<(u64, String)> {
    let mut seen: Vec<IpNet> = Vec::new();
    for text in ranges {
        let range: IpNet = text.parse().ok()?;
        if range.addr().is_ipv4() && !seen.contains(&range) {
            seen.push(range);
        }
    }
    let shown = seen.iter().map(|range| format!("`{range}`")).collect::<Vec<_>>().join(" and ");
    let all: u64 = seen.iter().map(|range| 1_u64 << (32 - u32::from(range.prefix_len()))).sum();
    (!seen.is_empty()).then_some((all, shown))
}

/// The prefix length of the smallest range that holds so many addresses.
fn prefix_for(addresses: u64) -> u32 {
    32 - addresses.next_power_of_two().trailing_zeros().min(32)
}

/// Reports a subnet that does not hold the nodes and pods which pools of the blueprint may come to.
pub(crate) fn subnet(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let subnet = around.this;
    let ranges = subnet.texts(&["/properties/addressPrefix", "/properties/addressPrefixes"]);
    let Some((all, shown)) = size(ranges) else { return };
    let kept = KEPT * shown.matches(" and ").count() as u64 + KEPT;
    let free = all.saturating_sub(kept);
    let users = || around.all.naming(subnet.id);
    let clusters = || users().filter(|other| other.is(MANAGED_CLUSTERS));
    let mut nodes = Vec::new();
    let mut pods = Vec::new();
    for pool in clusters().flat_map(Pool::all) {
        if pool.is_in("vnetSubnetID", subnet) {
            let (each, words) = pool.of_node_subnet();
            nodes.push((pool, each, words));
        } else if pool.is_in("podSubnetID", subnet) {
            let (each, words) = pool.of_pod_subnet();
            pods.push((pool, each, words));
        }
    }
    let endpoints = users().filter(|other| {
        other.is("Microsoft.Network/privateEndpoints")
            && other
                .text("/properties/subnet/id")
                .is_some_and(|id| id.eq_ignore_ascii_case(subnet.id.as_str()))
    });
    let endpoints = endpoints.count() as u64;
    for (pools, of_nodes) in [(nodes, true), (pods, false)] {
        if pools.is_empty() {
            continue;
        }
        let fixed = if of_nodes { endpoints } else { 0 };
        let most: u64 = fixed + pools.iter().map(|(pool, each, _)| pool.nodes * each).sum::<u64>();
        let surged: u64 = pools.iter().map(|(pool, each, _)| pool.surge * each).sum();
        let mut parts: Vec<String> = pools
            .iter()
            .map(|(pool, _, words)| {
                format!("{} nodes × {words} in `{}` of `{}`", pool.nodes, pool.name, pool.cluster.address)
            })
            .collect();
        if fixed > 0 {
            parts.push(format!("{fixed} private endpoints"));
        }
        let sum = parts.join(" + ");
        let flat = of_nodes && pools.iter().any(|(_, each, _)| *each > 1);
        let (code, needed, what) = match (most > free, most + surged > free) {
            (true, _) => (&SUBNET_TOO_SMALL, most, format!("may take {most}: {sum}")),
            (false, true) => (
                &SUBNET_TIGHT,
                most + surged,
                format!(
                    "take {} while they are upgraded: {sum}, and {surged} more for the nodes of `maxSurge`",
                    most + surged
                ),
            ),
            _ => continue,
        };
        let larger = prefix_for(needed + KEPT);
        let other = match (flat, code.name == SUBNET_TIGHT.name) {
            (true, false) => {
                ", lower `autoscale: { max: … }` or `maxPods`, or write `network: { mode: overlay }`, where only nodes take addresses of the subnet"
            }
            (_, true) => ", or lower `upgrade: { maxSurge: … }`",
            (false, false) => ", or lower the number of nodes",
        };
        let message = format!(
            "{shown} has {free} addresses ({all} without the {kept} that Azure keeps), and its pools {what}"
        );
        let problem = match code.name == SUBNET_TOO_SMALL.name {
            true => Problem::error(code, ".prefix", message),
            false => Problem::warning(code, ".prefix", message),
        };
        problems.push(problem.help(format!("make it a /{larger} or larger{other}")));
    }
}

/// Reports a range for pods that does not hold a /24 for each node.
pub(super) fn pods(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let cluster = around.this;
    if Pods::of(cluster) != Pods::Range {
        return;
    }
    let nodes: u64 = Pool::all(cluster).map(|pool| pool.nodes).sum();
    let surged: u64 = Pool::all(cluster).map(|pool| pool.surge).sum();
    if is_kubenet(cluster) && nodes > ROUTES {
        problems.push(
            Problem::error(
                &KUBENET_NODES,
                "network.plugin",
                format!("kubenet takes {ROUTES} nodes, one for each route of a table, and the pools may have {nodes}"),
            )
            .help("write `network: { plugin: azure, mode: overlay }`"),
        );
    }
    let said = cluster
        .texts(&["/properties/networkProfile/podCidr", "/properties/networkProfile/podCidrs"])
        .into_iter()
        .find(|text| text.parse::<IpNet>().is_ok_and(|range| range.addr().is_ipv4()));
    let one = "/properties/networkProfile/podCidr";
    let path = match cluster.text(one).is_some() {
        true => "network.podCidr",
        false => "network.podCidrs",
    };
    let (range, path) = match said {
        Some(range) => (range, path),
        None if cluster.texts(&["/properties/networkProfile/podCidrs", one]).is_empty() => {
            ("10.244.0.0/16", "")
        }
        None => return,
    };
    let Some((all, shown)) = size([range]) else { return };
    let room = all / FOR_EACH_NODE;
    let (code, needed, what) = match (nodes > room, nodes + surged > room) {
        (true, _) => (&POD_RANGE_TOO_SMALL, nodes, format!("the pools may have {nodes}")),
        (false, true) => (
            &POD_RANGE_TIGHT,
            nodes + surged,
            format!("the pools have {} while they are upgraded ({surged} of `maxSurge`)", nodes + surged),
        ),
        _ => return,
    };
    let message = format!(
        "{shown} has room for {room} nodes, each of which takes a /24 for its pods, and {what}: {needed} × \
         {FOR_EACH_NODE} = {} addresses of {all}",
        needed * FOR_EACH_NODE
    );
    // What is not said was perhaps said when the cluster was made.
    let problem = match code.name == POD_RANGE_TOO_SMALL.name && said.is_some() {
        true => Problem::error(code, path, message),
        false => Problem::warning(code, path, message),
    };
    let larger = prefix_for(needed * FOR_EACH_NODE);
    problems.push(
        problem.help(format!("write a `podCidr` of /{larger} or larger, or let the pools have fewer nodes")),
    );
}

/// Reports a subnet that does not take the API server.
pub(super) fn api_server(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    const DELEGATION: &str = "Microsoft.ContainerService/managedClusters";
    let integrated = around.this.body.pointer("/properties/apiServerAccessProfile/enableVnetIntegration");
    if integrated.and_then(Value::as_bool) != Some(true) {
        // Without integration no subnet is taken, and that is told.
        return;
    }
    let Some(subnet) = around.at("/properties/apiServerAccessProfile/subnetId") else { return };
    let ranges = subnet.texts(&["/properties/addressPrefix", "/properties/addressPrefixes"]);
    if let Some((all, shown)) = size(ranges)
        && all < 16
    {
        let free = all.saturating_sub(KEPT);
        problems.push(
            Problem::error(
                &API_SERVER_SUBNET,
                "apiServer.subnet",
                format!(
                    "`{}` ({shown}) has {free} addresses, and an API server takes 9 or more",
                    subnet.address
                ),
            )
            .help("make it a /28 or larger"),
        );
    }
    let service = subnet.text("/properties/delegations/0/properties/serviceName");
    if !service.is_some_and(|service| service.eq_ignore_ascii_case(DELEGATION)) {
        problems.push(
            Problem::error(
                &API_SERVER_SUBNET,
                "apiServer.subnet",
                format!("`{}` is not delegated to `{DELEGATION}`", subnet.address),
            )
            .help(format!("write `delegation: {DELEGATION}` in the subnet")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{prefix_for, size, surge};
    use serde_json::json;

    #[test]
    fn surge_is_a_number_or_a_share_that_is_rounded_up() {
        for (said, nodes, expected) in [
            (None, 10, 1),
            (None, 11, 2),
            (Some(json!("33%")), 10, 4),
            (Some(json!("3")), 10, 3),
            (Some(json!(2)), 10, 2),
            (Some(json!("0%")), 10, 0),
        ] {
            assert_eq!(surge(said.as_ref(), nodes), expected, "{said:?} of {nodes}");
        }
    }

    #[test]
    fn ranges_have_sizes_and_sizes_have_ranges() {
        assert_eq!(size(["10.0.0.0/26", "10.0.0.0/26"]), Some((64, "`10.0.0.0/26`".to_owned())));
        assert_eq!(size(["10.0.0.0/26", "fd00::/64"]).unwrap().0, 64);
        assert_eq!(size(["x"]), None);
        assert_eq!([59, 64, 65, 315].map(prefix_for), [26, 26, 25, 23]);
    }
}
