//! What AKS checks of the network before it makes nodes: the sizes of ranges, the way out, who may reach the API server.

use crate::core::cidr::Cidr;
use crate::core::error::Failure;
use crate::core::json::{Object, at, flag, list, text};
use crate::core::path::last;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

fn is(body: &Object, path: &str, wanted: &str) -> bool {
    text(body, path).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
}

/// The most nodes that a pool may come to.
fn nodes(pool: &Object) -> u128 {
    let number = |member: &str| pool.get(member).and_then(Value::as_u64);
    let scaled = flag(pool, "enableAutoScaling") == Some(true);
    u128::from(number("maxCount").filter(|_| scaled).or(number("count")).unwrap_or(1))
}

/// Refuses pools that do not fit into their subnets, or into the range of the pods. `pools` are all of the cluster.
pub(crate) fn check_room(world: &World, cluster: &Object, pools: &[&Object]) -> Result<(), Failure> {
    let kubenet = is(cluster, "properties.networkProfile.networkPlugin", "kubenet");
    let overlay = is(cluster, "properties.networkProfile.networkPluginMode", "overlay");
    let flat = is(cluster, "properties.networkProfile.networkPlugin", "azure") && !overlay;
    if kubenet || overlay {
        let range = text(cluster, "properties.networkProfile.podCidr").unwrap_or_default();
        let needed: u128 = pools.iter().map(|pool| nodes(pool) * 256).sum();
        if let Some(room) = Cidr::parse(range).filter(|range| range.size() < needed) {
            return Err(insufficient(
                needed,
                room.size(),
                range,
                "networkProfile.podCIDR",
                "networkProfile.podCIDR",
            ));
        }
    }
    let mut subnets: Vec<String> = Vec::new();
    for pool in pools {
        let subnet = text(pool, "vnetSubnetID").unwrap_or_default().to_ascii_lowercase();
        if !subnet.is_empty() && !subnets.contains(&subnet) {
            subnets.push(subnet);
        }
    }
    for subnet in subnets {
        let Some(resource) = world.state.resources.get(&subnet) else { continue };
        let Some((room, range)) = room(resource) else { continue };
        let of_node = |pool: &Object| {
            let own = flat && text(pool, "podSubnetID").is_none_or(str::is_empty);
            let pods = pool.get("maxPods").and_then(Value::as_u64).filter(|pods| *pods > 0).unwrap_or(30);
            if own { u128::from(pods) + 1 } else { 1 }
        };
        let here = pools
            .iter()
            .filter(|pool| text(pool, "vnetSubnetID").is_some_and(|id| id.eq_ignore_ascii_case(&subnet)));
        let needed: u128 = here.map(|pool| nodes(pool) * of_node(pool)).sum();
        if needed > room {
            return Err(insufficient(needed, room, &range, last(&resource.id), "agentPoolProfile.count"));
        }
    }
    Ok(())
}

/// The addresses of a subnet without the five that Azure keeps.
fn room(subnet: &Resource) -> Option<(u128, String)> {
    let one = text(&subnet.body, "properties.addressPrefix");
    let first = list(&subnet.body, "properties.addressPrefixes").iter().filter_map(Value::as_str);
    let range = one.into_iter().chain(first).find(|range| !range.contains(':'))?;
    Some((Cidr::parse(range)?.size().saturating_sub(5), range.to_owned()))
}

fn insufficient(needed: u128, room: u128, range: &str, name: &str, target: &str) -> Failure {
    let message = format!(
        "Pre-allocated IPs {needed} exceeds IPs available {room} in Subnet Cidr {range}, Subnet Name {name}. If Autoscaler \
         is enabled, the max-count from each nodepool is counted towards this total (which means that pre-allocated IPs \
         count represents a theoretical max value, not the actual number of IPs requested). \
         http://aka.ms/aks/insufficientsubnetsize"
    );
    Failure::bad("InsufficientSubnetSize", message).target(target).flat()
}

/// Refuses a way out that is not there.
pub(crate) fn check_outbound(world: &World, cluster: &Object, pools: &[&Object]) -> Result<(), Failure> {
    const TARGET: &str = "networkProfile.outboundType";
    let routed = is(cluster, "properties.networkProfile.outboundType", "userDefinedRouting");
    let own_gateway = is(cluster, "properties.networkProfile.outboundType", "userAssignedNATGateway");
    if !is(cluster, "properties.networkProfile.outboundType", "loadBalancer") {
        let profile = "properties.networkProfile.loadBalancerProfile";
        let set = ["managedOutboundIPs", "outboundIPs", "outboundIPPrefixes"]
            .iter()
            .find(|member| at(cluster, &format!("{profile}.{member}")).is_some_and(|value| !value.is_null()));
        if let Some(member) = set {
            let message =
                format!("loadBalancerProfile.{member} is only allowed with outboundType loadBalancer.");
            return Err(Failure::bad("InvalidLoadBalancerProfile", message).target(TARGET).flat());
        }
    }
    for pool in pools {
        let subnet = text(pool, "vnetSubnetID").unwrap_or_default().to_ascii_lowercase();
        let Some(subnet) = world.state.resources.get(&subnet) else {
            if (routed || own_gateway) && subnet.is_empty() {
                let message = format!(
                    "outboundType {} requires agent pools in a subnet of yours.",
                    text(cluster, "properties.networkProfile.outboundType").unwrap_or_default()
                );
                return Err(Failure::bad("InvalidParameter", message).target(TARGET).flat());
            }
            continue;
        };
        if own_gateway && text(&subnet.body, "properties.natGateway.id").is_none() {
            let message = format!(
                "Subnet {} is not associated with a NAT gateway, which outboundType userAssignedNATGateway requires. \
                 Please see https://aka.ms/aks/outboundtype for more details",
                subnet.id
            );
            return Err(Failure::bad("InvalidNATGatewayAssociation", message).target(TARGET).flat());
        }
        if routed {
            check_routes(world, subnet)?;
        }
    }
    Ok(())
}

fn check_routes(world: &World, subnet: &Resource) -> Result<(), Failure> {
    const SEE: &str = "Please see http://aka.ms/aks/outboundtype for more details";
    let table = text(&subnet.body, "properties.routeTable.id").map(str::to_ascii_lowercase);
    let Some(table) = table.and_then(|table| world.state.resources.get(&table)) else {
        let message = format!("Subnet {} is not associated with a route table. {SEE}", subnet.id);
        return Err(Failure::bad("ExistingRouteTableNotAssociatedWithSubnet", message).flat());
    };
    let routes = format!("{}/routes", table.key());
    let below = world.state.resources.members(&routes);
    let below = below.filter_map(|(_, route)| route.body.get("properties").and_then(Value::as_object));
    let inline = list(&table.body, "properties.routes").iter();
    let inline = inline.filter_map(|route| route.get("properties").and_then(Value::as_object));
    let default = inline.chain(below).find(|route| text(route, "addressPrefix") == Some("0.0.0.0/0"));
    let Some(route) = default else {
        let message = format!("Route table {} has no default route 0.0.0.0/0. {SEE}", table.id);
        return Err(Failure::bad("RouteTableMissingDefaultRoute", message).flat());
    };
    let hop = text(route, "nextHopType").unwrap_or_default();
    if !["VirtualAppliance", "VirtualNetworkGateway"].iter().any(|good| good.eq_ignore_ascii_case(hop)) {
        let message = format!(
            "Default route 0.0.0.0/0 has a next hop of {hop} but only next hops of VirtualAppliance or \
             VirtualNetworkGateway are allowed. {SEE}"
        );
        return Err(Failure::bad("RouteTableInvalidNextHop", message).flat());
    }
    Ok(())
}

/// Refuses ranges that may reach the API server and are none, or not public.
pub(crate) fn check_authorized(cluster: &Object) -> Result<(), Failure> {
    const TARGET: &str = "apiServerAccessProfile.authorizedIPRanges";
    for range in list(cluster, "properties.apiServerAccessProfile.authorizedIPRanges") {
        let text = range.as_str().unwrap_or_default();
        let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
        let parsed = address.parse::<Ipv4Addr>().ok().zip(bits.parse::<u8>().ok().filter(|bits| *bits <= 32));
        let Some((address, _)) = parsed else {
            let message = format!("The IP range '{text}' is not a valid IPv4 address or CIDR.");
            return Err(Failure::bad("InvalidAuthorizedIPRanges", message).target(TARGET).flat());
        };
        let shared = address.octets()[0] == 100 && (64..128).contains(&address.octets()[1]);
        if address.is_private() || address.is_loopback() || address.is_link_local() || shared {
            let message = format!(
                "The IP range '{text}' is not public: authorized IP ranges must be public addresses."
            );
            return Err(Failure::bad("InvalidAuthorizedIPRanges", message).target(TARGET).flat());
        }
    }
    Ok(())
}

/// Refuses virtual nodes whose subnet is not there, or not for container instances.
pub(crate) fn check_virtual_nodes(world: &World, cluster: &Object, pools: &[&Object]) -> Result<(), Failure> {
    const SERVICE: &str = "Microsoft.ContainerInstance/containerGroups";
    let addons = at(cluster, "properties.addonProfiles").and_then(Value::as_object);
    let addon = addons.and_then(|addons| {
        addons
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("aciConnectorLinux"))
            .and_then(|(_, addon)| addon.as_object())
    });
    let Some(addon) = addon.filter(|addon| flag(addon, "enabled") == Some(true)) else { return Ok(()) };
    let config = addon.get("config").and_then(Value::as_object);
    let name =
        config.and_then(|config| config.iter().find(|(name, _)| name.eq_ignore_ascii_case("SubnetName")));
    let Some(name) = name.and_then(|(_, name)| name.as_str()) else { return Ok(()) };
    let network = pools.iter().find_map(|pool| text(pool, "vnetSubnetID").filter(|id| !id.is_empty()));
    let Some(network) = network.map(|id| crate::core::path::cut(id, 1)) else { return Ok(()) };
    let id = format!("{network}/{name}");
    let Some(subnet) = world.state.resources.get(&id.to_ascii_lowercase()) else {
        let message = format!("The subnet '{id}' of the addon aciConnectorLinux does not exist.");
        return Err(Failure::bad("SubnetNotFound", message).target("addonProfiles.aciConnectorLinux").flat());
    };
    let service = super::subnet::delegated_to(subnet);
    if !service.is_some_and(|service| service.eq_ignore_ascii_case(SERVICE)) {
        let message =
            format!("The subnet '{id}' of the addon aciConnectorLinux is not delegated to {SERVICE}.");
        return Err(Failure::bad("SubnetNotDelegated", message)
            .target("addonProfiles.aciConnectorLinux")
            .flat());
    }
    Ok(())
}

/// Whether an address is one that the internet does not know.
pub(crate) fn is_private(address: &str) -> bool {
    match address.split('/').next().unwrap_or_default().parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_private() || address.is_loopback() || address.is_link_local(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    async fn refused(network: Value, pool: Value, subnet: Option<&str>) -> (u16, String) {
        let bench = Bench::new().await;
        let mut body = Bench::cluster_body();
        body["properties"]["networkProfile"] = network;
        let profile = &mut body["properties"]["agentPoolProfiles"][0];
        for (name, value) in pool.as_object().unwrap() {
            profile[name] = value.clone();
        }
        if let Some(prefix) = subnet {
            let network = Bench::rid("Microsoft.Network/virtualNetworks/small");
            let space = json!({ "location": "westeurope",
                "properties": { "addressSpace": { "addressPrefixes": ["10.9.0.0/16"] } } });
            bench.make(&network, space).await;
            let id = format!("{network}/subnets/nodes");
            bench.make(&id, json!({ "properties": { "addressPrefix": prefix } })).await;
            profile["vnetSubnetID"] = json!(id);
        }
        let seen = bench.put(&Bench::rid("Microsoft.ContainerService/managedClusters/mc"), body).await;
        (seen.status, seen.body["code"].as_str().unwrap_or_default().to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn nodes_and_pods_need_room_and_a_way_out() {
        let flat = || json!({ "networkPlugin": "azure" });
        let ten = || json!({ "enableAutoScaling": true, "minCount": 1, "maxCount": 10 });
        let small = (400, "InsufficientSubnetSize".to_owned());
        assert_eq!(refused(flat(), ten(), Some("10.9.0.0/26")).await, small);
        assert_eq!(refused(flat(), ten(), Some("10.9.0.0/23")).await.0, 201);
        let overlay = |range: &str| json!({ "networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": range });
        assert_eq!(refused(overlay("10.240.100.0/22"), ten(), Some("10.9.0.0/26")).await, small);
        assert_eq!(refused(overlay("10.240.0.0/20"), ten(), Some("10.9.0.0/26")).await.0, 201);
        for (way, code) in [
            ("userDefinedRouting", "ExistingRouteTableNotAssociatedWithSubnet"),
            ("userAssignedNATGateway", "InvalidNATGatewayAssociation"),
        ] {
            let network = json!({ "networkPlugin": "azure", "outboundType": way });
            let found = refused(network, json!({}), Some("10.9.0.0/20")).await;
            assert_eq!(found, (400, code.to_owned()));
        }
    }

    #[test]
    fn ranges_that_may_reach_the_api_server_are_public() {
        let with = |range: &str| {
            let body =
                json!({ "properties": { "apiServerAccessProfile": { "authorizedIPRanges": [range] } } });
            super::check_authorized(body.as_object().unwrap()).is_ok()
        };
        assert_eq!(["203.0.113.0/24", "198.51.100.7", "0.0.0.0/32"].map(with), [true; 3]);
        assert_eq!(["10.0.0.0/8", "1.2.3.4/33", "office", "100.64.1.1"].map(with), [false; 4]);
    }
}
