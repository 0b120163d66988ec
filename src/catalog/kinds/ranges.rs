//! Laws about networks: which ranges keep apart, and which subnets take a private endpoint or nodes.

use super::addresses::overlap;
use crate::catalog::{CheckContext, LinkedResource, Problem};
use crate::diag::Code;
use crate::ident::normalize_location;
use ipnet::IpNet;

/// What AKS takes for services and, with an overlay or kubenet, for pods, when nothing is said.
const SERVICES: &str = "10.0.0.0/16";
const PODS: &str = "10.244.0.0/16";

fn ranges(of: LinkedResource<'_>, pointers: &[&str]) -> Vec<IpNet> {
    of.texts(pointers).into_iter().filter_map(|text| text.parse().ok()).collect()
}

fn first_shared(ours: &[IpNet], theirs: &[IpNet]) -> Option<(IpNet, IpNet)> {
    ours.iter().find_map(|a| theirs.iter().find(|b| overlap(a, b)).map(|b| (*a, *b)))
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &PEERING_OVERLAP,
    &POOL_SUBNET,
    &PRIVATE_ENDPOINT_PLACE,
    &SERVICE_CIDR_DEFAULT,
    &SERVICE_CIDR_OVERLAP,
    &POD_CIDR_DEFAULT,
    &POD_CIDR_OVERLAP,
];

const PEERING_OVERLAP: Code = Code {
    name: "peering-overlap",
    why: "Peered networks are one network to what is in them: with the same addresses in both, Azure refuses the peering.",
    remedy: "Give each network an address space of its own.",
    example: "networks: { hub: { addressSpace: [10.20.0.0/16] }, spoke: { addressSpace: [10.21.0.0/16] } }",
};

/// Peered networks share no addresses: Azure refuses with `VnetAddressSpacesOverlap`.
pub(super) fn peering(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    const SPACE: &[&str] = &["/properties/addressSpace/addressPrefixes"];
    // The way back says the same of the same two networks.
    if around.this.address.as_str().ends_with(".back") {
        return;
    }
    let Some(here) = around.parent_of(around.this.id) else { return };
    let Some(there) = around.at("/properties/remoteVirtualNetwork/id") else { return };
    if let Some((a, b)) = first_shared(&ranges(here, SPACE), &ranges(there, SPACE)) {
        let both = match a == b {
            true => format!("both have `{a}`"),
            false => {
                format!("`{a}` of `{}` shares addresses with `{b}` of `{}`", here.address, there.address)
            }
        };
        problems.push(
            Problem::error(
                &PEERING_OVERLAP,
                "",
                format!("`{}` and `{}` cannot be peered: {both}", here.address, there.address),
            )
            .help("give each network an `addressSpace` of its own"),
        );
    }
}

const POOL_SUBNET: Code = Code {
    name: "pool-subnet",
    why: "Azure keeps some subnets for one service, by name or by delegation: nodes cannot be in them.",
    remedy: "Choose a subnet for nodes.",
    example: "subnet: ${networks.hub.subnets.nodes}",
};

/// Services and pods with addresses of their own keep out of the subnets of the nodes: Azure refuses with
/// `ServiceCidrOverlapExistingSubnetsCidr`. The whole network is meant, as nodes would not reach the rest of it.
pub(super) fn pool(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let Some(cluster) = around.parent_of(around.this.id) else { return };
    for pointer in ["/properties/vnetSubnetID", "/properties/podSubnetID"] {
        let Some(subnet) = around.at(pointer) else { continue };
        let taken = ranges(subnet, &["/properties/addressPrefix", "/properties/addressPrefixes"]);
        let what = Guest { noun: "nodes", place: "cluster", code: &POOL_SUBNET };
        // Pods may have a subnet that is delegated to AKS itself.
        what.check(around, cluster, subnet, pointer.ends_with("podSubnetID"), problems);
        services(cluster, subnet, &taken, problems);
        pods(cluster, subnet, &taken, problems);
    }
}

const PRIVATE_ENDPOINT_PLACE: Code = Code {
    name: "private-endpoint-place",
    why: "Azure keeps some subnets for one service, by name or by delegation: nothing else can be in them.",
    remedy: "Choose a subnet for endpoints.",
    example: "subnet: ${networks.hub.subnets.endpoints}",
};

/// A private endpoint is in the region of its network, in a subnet that no service has for itself.
pub(super) fn private_endpoint(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let Some(subnet) = around.at("/properties/subnet/id") else { return };
    let what = Guest { noun: "private endpoints", place: "private endpoint", code: &PRIVATE_ENDPOINT_PLACE };
    what.check(around, around.this, subnet, false, problems);
}

/// Subnets that Azure keeps for one service, by their names.
const RESERVED: &[&str] = &[
    "AzureBastionSubnet",
    "AzureFirewallManagementSubnet",
    "AzureFirewallSubnet",
    "GatewaySubnet",
    "RouteServerSubnet",
];

/// Something that takes addresses in a subnet.
struct Guest {
    noun: &'static str,
    place: &'static str,
    code: &'static Code,
}

impl Guest {
    fn check(
        &self,
        around: &CheckContext<'_>,
        of: LinkedResource<'_>,
        subnet: LinkedResource<'_>,
        delegated: bool,
        problems: &mut Vec<Problem>,
    ) {
        let Guest { noun, place, code } = self;
        let mut problem =
            |message: String, help: String| problems.push(Problem::error(code, "", message).help(help));
        let service = subnet.body.pointer("/properties/delegations/0/properties/serviceName");
        if let (Some(service), false) = (service.and_then(|service| service.as_str()), delegated) {
            problem(
                format!("`{}` is delegated to `{service}`, and takes no {noun}", subnet.address),
                "name a subnet without `delegation`".to_owned(),
            );
        }
        if let Some(name) = RESERVED.iter().find(|name| name.eq_ignore_ascii_case(subnet.id.name())) {
            problem(
                format!("Azure keeps a subnet of the name `{name}` for one service; it takes no {noun}"),
                "name another subnet".to_owned(),
            );
        }
        let network = around.parent_of(subnet.id).and_then(|network| network.texts(&["/location"]).pop());
        if let (Some(there), Some(here)) = (network, of.texts(&["/location"]).pop())
            && !crate::value::token::has_token(here)
            && !crate::value::token::has_token(there)
            && normalize_location(here) != normalize_location(there)
        {
            problem(
                format!("the {place} is in `{here}`, and the network of `{}` in `{there}`", subnet.address),
                format!("write `location: {there}`, or name a subnet of a network in `{here}`"),
            );
        }
    }
}

const SERVICE_CIDR_DEFAULT: Code = Code {
    name: "service-cidr-default",
    why: "The cluster names no range for its services, and the one that Azure takes then is used by a network that its nodes reach.",
    remedy: "Choose a range that no network uses, with the DNS service's address in it.",
    example: "network: { serviceCidr: 172.16.0.0/16, dnsServiceIp: 172.16.0.10 }",
};

const SERVICE_CIDR_OVERLAP: Code = Code {
    name: "service-cidr-overlap",
    why: "The range of the services has addresses that a subnet has, too: packets to them go to the wrong place.",
    remedy: "Choose a range that no network uses, with the DNS service's address in it.",
    example: "network: { serviceCidr: 172.16.0.0/16, dnsServiceIp: 172.16.0.10 }",
};

fn services(
    cluster: LinkedResource<'_>,
    subnet: LinkedResource<'_>,
    taken: &[IpNet],
    problems: &mut Vec<Problem>,
) {
    const PROFILE: &[&str] =
        &["/properties/networkProfile/serviceCidr", "/properties/networkProfile/serviceCidrs"];
    let said = ranges(cluster, PROFILE);
    if let Some((services, nodes)) = first_shared(&said, taken) {
        problems.push(
            Problem::error(
                &SERVICE_CIDR_OVERLAP,
                "network.serviceCidr",
                format!("`{services}` shares addresses with `{nodes}`, the subnet `{}`", subnet.address),
            )
            .help("choose a `serviceCidr` that no network uses, with a `dnsServiceIp` inside it"),
        );
    }
    let unsaid = cluster.texts(PROFILE).is_empty();
    if let (true, Some(nodes)) = (unsaid, taken_by(SERVICES, taken)) {
        problems.push(
            Problem::warning(
                &SERVICE_CIDR_DEFAULT,
                "",
                format!("a new cluster takes `{SERVICES}` for its services, and `{}` uses `{nodes}`", subnet.address),
            )
            .help("add `network: { serviceCidr: 172.16.0.0/16, dnsServiceIp: 172.16.0.10 }`, or any range that no network uses"),
        );
    }
}

const POD_CIDR_DEFAULT: Code = Code {
    name: "pod-cidr-default",
    why: "The cluster names no range for its pods, and the one that Azure takes then is used by a network that its nodes reach.",
    remedy: "Choose a range that no network uses.",
    example: "network: { podCidr: 192.168.0.0/16 }",
};

const POD_CIDR_OVERLAP: Code = Code {
    name: "pod-cidr-overlap",
    why: "The range of the pods has addresses that a subnet has, too: packets to them go to the wrong place.",
    remedy: "Choose a range that no network uses.",
    example: "network: { podCidr: 192.168.0.0/16 }",
};

fn pods(
    cluster: LinkedResource<'_>,
    subnet: LinkedResource<'_>,
    taken: &[IpNet],
    problems: &mut Vec<Problem>,
) {
    const PROFILE: &[&str] = &["/properties/networkProfile/podCidr", "/properties/networkProfile/podCidrs"];
    let said = ranges(cluster, PROFILE);
    if let Some((pods, nodes)) = first_shared(&said, taken) {
        problems.push(
            Problem::error(
                &POD_CIDR_OVERLAP,
                "network.podCidr",
                format!("`{pods}` shares addresses with `{nodes}`, the subnet `{}`", subnet.address),
            )
            .help("choose a `podCidr` that no network uses"),
        );
    }
    let profile = |member: &str, wanted: &str| {
        cluster.texts(&[member]).first().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    };
    let own = profile("/properties/networkProfile/networkPluginMode", "overlay")
        || profile("/properties/networkProfile/networkPlugin", "kubenet");
    let unsaid = own && cluster.texts(PROFILE).is_empty();
    if let (true, Some(nodes)) = (unsaid, taken_by(PODS, taken)) {
        problems.push(
            Problem::warning(
                &POD_CIDR_DEFAULT,
                "",
                format!("a new cluster takes `{PODS}` for its pods, and `{}` uses `{nodes}`", subnet.address),
            )
            .help("add `network: { podCidr: 192.168.0.0/16 }`, or any range that no network uses"),
        );
    }
}

/// The range that shares addresses with one that is taken when nothing is said.
fn taken_by(default: &str, taken: &[IpNet]) -> Option<IpNet> {
    let default: IpNet = default.parse().ok()?;
    taken.iter().copied().find(|range| overlap(range, &default))
}
