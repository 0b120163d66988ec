//! Checks of the network and of the API server.

use super::super::network::{
    Acceleration, AdvancedPolicies, Dataplane, Encryption, LoadBalancerSku, NetworkSpec, OutboundType,
    Plugin, PluginMode, Policy,
};
use super::super::node_pool::Os;
use super::super::profiles::ArtifactSource;
use super::super::spec::Spec;
use crate::catalog::kinds::addresses::IDLE_TIMEOUT;
use crate::catalog::kinds::addresses::{CIDR, not_a_block, public_range};
use crate::catalog::kinds::scope::written_id;
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;
use std::net::Ipv4Addr;

pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    plugins(spec, cx);
    outbound(spec, cx);
    advanced(&spec.network, cx);
    families(&spec.network, cx);
    ranges(spec, cx);
    api_server(spec, cx);
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &CILIUM_PLUGIN,
    &CILIUM_POLICY,
    &POLICY_PLUGIN,
    &OVERLAY_POLICY,
    &KUBENET_RETIRES,
    &BASIC_LOAD_BALANCER,
    &LOAD_BALANCER,
    &OVERLAY_PLUGIN,
    &WINDOWS_CILIUM,
    &WINDOWS_NETWORK,
    &NAT_GATEWAY,
    &OUTBOUND_NETWORK,
    &OUTBOUND_NONE,
    &PREVIEW_FEATURE,
    &ADVANCED_NETWORK,
    &IP_FAMILIES,
    &CIDR_OVERLAP,
    &DNS_SERVICE_IP,
    &FQDN_SUBDOMAIN,
    &IP_RANGES,
    &PRIVATE_DNS_ZONE,
    &PRIVATE_IP_RANGES,
    &PUBLIC_FQDN,
    &VNET_INTEGRATION,
];

const CILIUM_PLUGIN: Code = Code {
    name: "cilium-plugin",
    why: "The Cilium data plane works with Azure CNI only.",
    remedy: "Write `plugin: azure` beside it.",
    example: "network: { plugin: azure, dataplane: cilium }",
};

const CILIUM_POLICY: Code = Code {
    name: "cilium-policy",
    why: "The Cilium data plane enforces network policies itself.",
    remedy: "Write `policy: cilium`, or leave `policy` out.",
    example: "network: { plugin: azure, dataplane: cilium, policy: cilium }",
};

const LOAD_BALANCER: Code = Code {
    name: "load-balancer",
    why: "Addresses of the load balancer are made by AKS, or named by you, in one way.",
    remedy: "Keep one of `managedIps`, `ips` and `ipPrefixes`, within Azure's limits.",
    example: "network: { loadBalancer: { managedIps: 2 } }",
};

const OVERLAY_PLUGIN: Code = Code {
    name: "overlay-plugin",
    why: "The overlay is a mode of Azure CNI.",
    remedy: "Write `plugin: azure`.",
    example: "network: { plugin: azure, mode: overlay }",
};

const WINDOWS_CILIUM: Code = Code {
    name: "windows-cilium",
    why: "The Cilium data plane does not run on Windows nodes.",
    remedy: "Use another data plane, or leave the Windows pools out.",
    example: "network: { plugin: azure, policy: azure }",
};

const WINDOWS_NETWORK: Code = Code {
    name: "windows-network",
    why: "Windows nodes need Azure CNI. It cannot be changed later without replacing the cluster.",
    remedy: "Write `plugin: azure`.",
    example: "network: { plugin: azure }",
};

const POLICY_PLUGIN: Code = Code {
    name: "policy-plugin",
    why: "Azure's policy engine needs Azure CNI; Calico works with kubenet, too; with a plugin of yours AKS runs none.",
    remedy: "Choose an engine that the plugin has.",
    example: "network: { plugin: azure, policy: calico }",
};

const OVERLAY_POLICY: Code = Code {
    name: "overlay-policy",
    why: "A cluster that is there is moved to the overlay only while no policy engine is on.",
    remedy: "Go in steps: engine off, overlay, engine on.",
    example: "network: { mode: overlay, dataplane: cilium }",
};

const KUBENET_RETIRES: Code = Code {
    name: "kubenet-retires",
    why: "kubenet is retired on 31 March 2028; clusters with it are moved to the overlay of Azure CNI.",
    remedy: "Use the overlay.",
    example: "network: { plugin: azure, mode: overlay }",
};

const BASIC_LOAD_BALANCER: Code = Code {
    name: "basic-load-balancer",
    why: "Basic load balancers were retired on 30 September 2025.",
    remedy: "Use the standard one, which is what a new cluster has.",
    example: "network: { loadBalancerSku: standard }",
};

fn plugins(spec: &Spec, cx: &mut EntryCx<'_>) {
    let network = &spec.network;
    let windows = spec.windows.is_some() || spec.pools().any(|(_, pool)| pool.os() == Os::Windows);
    if windows && network.plugin() != Plugin::Azure {
        cx.problem(
            Problem::error(
                &WINDOWS_NETWORK,
                "network.plugin",
                "Windows nodes need the network plugin `azure`",
            )
            .help("write `plugin: azure`, or leave it out"),
        );
    }
    let cilium = network.dataplane == Some(Dataplane::Cilium);
    if cilium && spec.pools().any(|(_, pool)| pool.os() == Os::Windows) {
        cx.problem(
            Problem::error(&WINDOWS_CILIUM, "network.dataplane", "Cilium does not run on Windows nodes")
                .help("leave `dataplane: cilium` out, or the Windows pools"),
        );
    }
    if network.policy == Some(Policy::Cilium) && !cilium {
        cx.problem(
            Problem::error(&CILIUM_POLICY, "network.policy", "Cilium policies need the Cilium data plane")
                .help("add `dataplane: cilium`"),
        );
    }
    let engine = match network.policy {
        Some(Policy::Azure) => Some(("azure", network.plugin() == Plugin::Azure)),
        Some(Policy::Calico) => Some(("calico", network.plugin() != Plugin::None)),
        _ => None,
    };
    if let Some((engine, false)) = engine {
        cx.problem(
            Problem::error(
                &POLICY_PLUGIN,
                "network.policy",
                format!("AKS does not run the policy engine `{engine}` with this plugin"),
            )
            .help("write `plugin: azure`, or leave `policy` out"),
        );
    }
    if cilium && network.policy.is_some_and(|policy| !matches!(policy, Policy::Cilium | Policy::None)) {
        cx.problem(
            Problem::error(
                &CILIUM_POLICY,
                "network.policy",
                "the Cilium data plane enforces policies itself",
            )
            .help("write `policy: cilium`, or leave it out"),
        );
    }
    if let (Some((engine, true)), Some(PluginMode::Overlay)) = (engine, network.mode) {
        cx.problem(
            Problem::warning(
                &OVERLAY_POLICY,
                "network.policy",
                format!("Azure does not move a cluster that is there to the overlay while it has the policy engine `{engine}`"),
            )
            .help(format!(
                "nothing to do for a new cluster; one that is there goes in this order: `policy: none` without `mode`, apply; \
                 `mode: overlay`, apply; `policy: {engine}`, apply"
            )),
        );
    }
    if network.plugin == Some(Plugin::Kubenet) {
        cx.problem(
            Problem::warning(&KUBENET_RETIRES, "network.plugin", "kubenet is retired on 31 March 2028")
                .help("write `plugin: azure, mode: overlay`; a cluster that is there is moved in place"),
        );
    }
    if network.load_balancer_sku == Some(LoadBalancerSku::Basic) {
        cx.problem(
            Problem::error(
                &BASIC_LOAD_BALANCER,
                "network.loadBalancerSku",
                "Azure retired basic load balancers on 30 September 2025 and makes none any more",
            )
            .help("leave `loadBalancerSku` out, or write `standard`"),
        );
    }
    if cilium && network.plugin() != Plugin::Azure {
        cx.problem(
            Problem::error(
                &CILIUM_PLUGIN,
                "network.plugin",
                "the Cilium data plane needs the plugin `azure`",
            )
            .help("write `plugin: azure`, or leave it out"),
        );
    }
    if network.mode.is_some() && network.plugin() != Plugin::Azure {
        cx.problem(
            Problem::error(&OVERLAY_PLUGIN, "network.mode", "`overlay` is a mode of the plugin `azure`")
                .help("write `plugin: azure`, or leave `mode` out"),
        );
    }
    if let Some(balancer) = &network.load_balancer {
        let sources =
            [balancer.managed_ips.is_some(), balancer.ips.is_some(), balancer.ip_prefixes.is_some()];
        let path = "network.loadBalancer";
        if sources.into_iter().filter(|said| *said).count() > 1 {
            cx.problem(
                Problem::error(
                    &LOAD_BALANCER,
                    path,
                    "`managedIps`, `ips` and `ipPrefixes` exclude each other",
                )
                .help("keep one of them"),
            );
        }
        let none = |list: &Option<Vec<_>>| list.as_ref().is_some_and(Vec::is_empty);
        if none(&balancer.ips) || none(&balancer.ip_prefixes) {
            cx.problem(
                Problem::error(&LOAD_BALANCER, path, "Azure refuses an empty list of addresses")
                    .help("leave the list out to go back to an address that AKS makes"),
            );
        }
    }
}

const NAT_GATEWAY: Code = Code {
    name: "nat-gateway",
    why: "These are settings of the NAT gateway that AKS makes, which has 1 to 16 addresses.",
    remedy: "Choose it as the way out, or leave the settings out.",
    example: "network: { outboundType: managedNATGateway, natGateway: { managedIps: 2 } }",
};

const OUTBOUND_NETWORK: Code = Code {
    name: "outbound-network",
    why: "How nodes reach the internet depends on whose network they are in: AKS makes a NAT gateway in its own network only, and uses yours only in a subnet of yours.",
    remedy: "Follow the message: another `outboundType`, or a subnet.",
    example: "network: { outboundType: userAssignedNATGateway }",
};

const OUTBOUND_NONE: Code = Code {
    name: "outbound-none",
    why: "Nodes that do not reach the internet cannot pull the images of the system from Microsoft.",
    remedy: "Name a registry of yours that caches them.",
    example: "bootstrap: { artifactSource: Cache, registry: \"${resources.registry}\" }",
};

const PREVIEW_FEATURE: Code = Code {
    name: "preview-feature",
    why: "This works with a preview version of Azure's API only; berth speaks the stable ones.",
    remedy: "Write what the message offers in its place.",
    example: "network: { outboundType: none }",
};

fn outbound(spec: &Spec, cx: &mut EntryCx<'_>) {
    let network = &spec.network;
    let path = "network.outboundType";
    let own = spec.subnet.is_some() || spec.pools().any(|(_, pool)| pool.subnet.is_some());
    let cached = spec.bootstrap.as_ref().is_some_and(|b| b.artifact_source == ArtifactSource::Cache);
    let mut problem = |code: &'static Code, path: &str, message: &str, help: &str| {
        cx.problem(Problem::error(code, path, message).help(help));
    };
    match network.outbound_type {
        Some(OutboundType::ManagedNatGateway) if own => problem(
            &OUTBOUND_NETWORK,
            path,
            "AKS makes its NAT gateway in a network that it makes itself only",
            "give the subnet a NAT gateway of yours and write `outboundType: userAssignedNATGateway`",
        ),
        Some(OutboundType::UserAssignedNatGateway | OutboundType::UserDefinedRouting) if !own => problem(
            &OUTBOUND_NETWORK,
            path,
            "a NAT gateway or routes of yours need a subnet of yours",
            "add `subnet: ${networks.….subnets.…}` to the cluster, with a NAT gateway or a route table",
        ),
        Some(OutboundType::Block) => problem(
            &PREVIEW_FEATURE,
            path,
            "`block` is a preview feature, and the stable API version that berth speaks does not have it",
            "write `outboundType: none` with `bootstrap: { artifactSource: Cache }`",
        ),
        Some(OutboundType::None) if !cached => problem(
            &OUTBOUND_NONE,
            path,
            "nodes that do not reach the internet get the images of the system from a registry of yours",
            "add `bootstrap: { artifactSource: Cache, registry: <id of the registry> }`",
        ),
        _ => {}
    }
    if let Some(nat) = &network.nat_gateway {
        if network.outbound_type != Some(OutboundType::ManagedNatGateway) {
            problem(
                &NAT_GATEWAY,
                "network.natGateway",
                "these are settings of the NAT gateway that AKS makes, and it makes none",
                "write `outboundType: managedNATGateway`, or leave `natGateway` out",
            );
        }
        if nat.managed_ips.is_some_and(|count| !(1..=16).contains(&count)) {
            problem(
                &NAT_GATEWAY,
                "network.natGateway.managedIps",
                "a NAT gateway has 1 to 16 addresses",
                "write 1 to 16",
            );
        }
    }
    let balanced = network.outbound_type.is_none_or(|way| way == OutboundType::LoadBalancer);
    if let Some(balancer) = network.load_balancer.as_ref().filter(|_| !balanced) {
        let settings = [
            ("managedIps", balancer.managed_ips.is_some()),
            ("managedIpv6s", balancer.managed_ipv6s.is_some()),
            ("ips", balancer.ips.is_some()),
            ("ipPrefixes", balancer.ip_prefixes.is_some()),
            ("allocatedPorts", balancer.allocated_ports.is_some()),
            ("idleTimeoutMinutes", balancer.idle_timeout_minutes.is_some()),
        ];
        for (field, _) in settings.iter().filter(|(_, said)| *said) {
            problem(
                &LOAD_BALANCER,
                &format!("network.loadBalancer.{field}"),
                "this is how the load balancer leads out, and another `outboundType` does",
                "leave it out, or write `outboundType: loadBalancer`",
            );
        }
    }
    let idle = [
        (
            "network.natGateway.idleTimeoutMinutes",
            network.nat_gateway.as_ref().and_then(|nat| nat.idle_timeout_minutes),
        ),
        (
            "network.loadBalancer.idleTimeoutMinutes",
            network.load_balancer.as_ref().and_then(|balancer| balancer.idle_timeout_minutes),
        ),
    ];
    for (path, minutes) in idle {
        if minutes.is_some_and(|minutes| !(4..=120).contains(&minutes)) {
            problem(&IDLE_TIMEOUT, path, "an idle flow is kept for 4 to 120 minutes", "write 4 to 120");
        }
    }
    if let Some(balancer) = &network.load_balancer {
        if balancer.managed_ips.is_some_and(|count| !(1..=100).contains(&count)) {
            problem(
                &LOAD_BALANCER,
                "network.loadBalancer.managedIps",
                "AKS makes 1 to 100 addresses",
                "write 1 to 100",
            );
        }
        if balancer.allocated_ports.is_some_and(|ports| !(0..=64_000).contains(&ports) || ports % 8 != 0) {
            problem(
                &LOAD_BALANCER,
                "network.loadBalancer.allocatedPorts",
                "ports are given to nodes by eights, up to 64000",
                "write a multiple of 8, or 0 to let Azure choose",
            );
        }
    }
}

const ADVANCED_NETWORK: Code = Code {
    name: "advanced-network",
    why: "Observability and security of advanced networking are done by the Cilium data plane, and have to be on before their parts can be.",
    remedy: "Choose the data plane `cilium`, and turn on the part that the message names.",
    example: "network: { plugin: azure, dataplane: cilium, advanced: { security: true } }",
};

fn advanced(network: &NetworkSpec, cx: &mut EntryCx<'_>) {
    let Some(advanced) = &network.advanced else { return };
    let secured = advanced.security == Some(true);
    let fast = advanced.acceleration.is_some_and(|mode| mode != Acceleration::None);
    if network.dataplane != Some(Dataplane::Cilium) {
        for (field, on) in [("security", secured), ("acceleration", fast)] {
            if on {
                cx.problem(
                    Problem::error(
                        &ADVANCED_NETWORK,
                        format!("network.advanced.{field}"),
                        "this part of advanced networking needs the Cilium data plane",
                    )
                    .help("add `dataplane: cilium`"),
                );
            }
        }
    }
    let policies = advanced.policies.is_some_and(|policies| policies != AdvancedPolicies::None);
    let encrypted = advanced.encryption.is_some_and(|kind| kind != Encryption::None);
    for (field, on) in [("policies", policies), ("encryption", encrypted)] {
        if on && !secured {
            cx.problem(
                Problem::error(
                    &ADVANCED_NETWORK,
                    format!("network.advanced.{field}"),
                    "this is part of the security of advanced networking, which is not on",
                )
                .help("add `security: true`"),
            );
        }
    }
}

const IP_FAMILIES: Code = Code {
    name: "ip-families",
    why: "A cluster speaks IPv4, or both: then each range is given once for each family.",
    remedy: "Say two families and two ranges, or neither.",
    example: "network: { mode: overlay, ipFamilies: [IPv4, IPv6] }",
};

fn families(network: &NetworkSpec, cx: &mut EntryCx<'_>) {
    let families = network.ip_families.as_deref().unwrap_or_default();
    for (at, family) in families.iter().enumerate() {
        if !has_token(family) && !matches!(family.as_str(), "IPv4" | "IPv6") {
            cx.problem(
                Problem::error(
                    &IP_FAMILIES,
                    format!("network.ipFamilies[{at}]"),
                    format!("`{family}` is not a family of addresses"),
                )
                .help("write `IPv4` or `IPv6`"),
            );
        }
    }
    let dual = families.len() == 2;
    let overlay = network.mode == Some(PluginMode::Overlay) || network.plugin() != Plugin::Azure;
    if dual && !overlay {
        cx.problem(
            Problem::error(&IP_FAMILIES, "network.ipFamilies", "dual stack needs the overlay")
                .help("add `mode: overlay`"),
        );
    }
    for (field, one, many) in [
        ("podCidrs", network.pod_cidr.is_some(), network.pod_cidrs.as_ref()),
        ("serviceCidrs", network.service_cidr.is_some(), network.service_cidrs.as_ref()),
    ] {
        let Some(many) = many else { continue };
        let singular = field.trim_end_matches('s');
        if one && many.len() < 2 {
            cx.problem(
                Problem::error(
                    &IP_FAMILIES,
                    format!("network.{field}"),
                    format!("`{singular}` says the same"),
                )
                .help(format!("keep `{singular}`, or write one range of each family")),
            );
        }
        if many.len() != families.len().max(1) {
            cx.problem(
                Problem::error(
                    &IP_FAMILIES,
                    format!("network.{field}"),
                    "there is one range for each family of addresses",
                )
                .help("write `ipFamilies: [IPv4, IPv6]` and two ranges, or neither"),
            );
        }
        for (at, range) in many.iter().enumerate().filter(|(_, range)| !has_token(range)) {
            let good = range.parse::<ipnet::IpNet>().is_ok();
            if !good {
                let (message, help) = not_a_block(range, "fd12:3456:789a::/64");
                cx.problem(Problem::error(&CIDR, format!("network.{field}[{at}]"), message).help(help));
            }
        }
    }
}

/// An IPv4 range.
struct Range {
    first: u32,
    mask: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address: Ipv4Addr = address.parse().ok()?;
        let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        Some(Range { first: u32::from(address) & mask, mask })
    }

    fn holds(&self, address: u32) -> bool {
        address & self.mask == self.first
    }

    fn overlaps(&self, other: &Range) -> bool {
        self.holds(other.first) || other.holds(self.first)
    }
}

const CIDR_OVERLAP: Code = Code {
    name: "cidr-overlap",
    why: "Pods, services and subnets need addresses of their own. Where two ranges overlap, packets go to the wrong place; Azure refuses the cluster.",
    remedy: "Choose ranges that do not meet, and do not meet those of peered networks.",
    example: "network: { serviceCidr: 10.30.0.0/16, podCidr: 10.244.0.0/16 }",
};

const DNS_SERVICE_IP: Code = Code {
    name: "dns-service-ip",
    why: "The cluster's DNS server has an address of the services' range, but not its first, which is the API server's.",
    remedy: "Take the tenth of the range, and write both together.",
    example: "network: { serviceCidr: 10.30.0.0/16, dnsServiceIp: 10.30.0.10 }",
};

fn ranges(spec: &Spec, cx: &mut EntryCx<'_>) {
    let network = &spec.network;
    let mut read = |field: &str, text: &Option<String>| {
        let text = text.as_deref().filter(|text| !has_token(text))?;
        let range = Range::parse(text);
        if range.is_none() {
            let (message, help) = not_a_block(text, "10.0.0.0/16");
            cx.problem(Problem::error(&CIDR, format!("network.{field}"), message).help(help));
        }
        range
    };
    let services = read("serviceCidr", &network.service_cidr);
    let pods = read("podCidr", &network.pod_cidr);
    if let (Some(services), Some(pods)) = (&services, &pods)
        && services.overlaps(pods)
    {
        cx.problem(
            Problem::error(&CIDR_OVERLAP, "network.podCidr", "pods and services would share addresses")
                .help("choose a `podCidr` outside `serviceCidr`"),
        );
    }
    let path = "network.dnsServiceIp";
    match (&network.service_cidr, &network.dns_service_ip) {
        (None, Some(_)) if network.service_cidrs.is_some() => {}
        (Some(_), None) | (None, Some(_)) => cx.problem(
            Problem::error(&DNS_SERVICE_IP, path, "`serviceCidr` and `dnsServiceIp` go together")
                .help("write both, such as `serviceCidr: 10.0.0.0/16, dnsServiceIp: 10.0.0.10`, or none"),
        ),
        (Some(cidr), Some(address)) if !has_token(address) => {
            let parsed = address.parse::<Ipv4Addr>().ok().map(u32::from);
            let inside = match (&services, parsed) {
                (Some(services), Some(address)) => services.holds(address) && address != services.first,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            if !inside {
                cx.problem(
                    Problem::error(
                        &DNS_SERVICE_IP,
                        path,
                        format!("`{address}` is not an address inside `{cidr}`"),
                    )
                    .help("take one of its addresses but the first, usually the one that ends in `.10`"),
                );
            }
        }
        _ => {}
    }
}

const FQDN_SUBDOMAIN: Code = Code {
    name: "fqdn-subdomain",
    why: "A subdomain of your own needs a private DNS zone of your own.",
    remedy: "Name the zone, or use `dnsPrefix`.",
    example: "apiServer: { privateCluster: true, privateDnsZone: \"${privateDnsZones.aks}\" }",
};

const IP_RANGES: Code = Code {
    name: "ip-ranges",
    why: "The list of addresses that may reach the API server has a limit.",
    remedy: "Join neighbouring ranges.",
    example: "apiServer: { authorizedIpRanges: [203.0.113.0/24] }",
};

const PRIVATE_DNS_ZONE: Code = Code {
    name: "private-dns-zone",
    why: "A private cluster's zone has the name that Azure prescribes for the region, or `system` or `none`.",
    remedy: "Use such a zone, and an identity that may write into it.",
    example: "apiServer: { privateCluster: true, privateDnsZone: system }",
};

const PRIVATE_IP_RANGES: Code = Code {
    name: "private-ip-ranges",
    why: "A private cluster has no public address that ranges could be allowed on.",
    remedy: "Leave `authorizedIpRanges` out, or `privateCluster`.",
    example: "apiServer: { privateCluster: true }",
};

const PUBLIC_FQDN: Code = Code {
    name: "public-fqdn",
    why: "The name of a public API server is public anyway.",
    remedy: "Leave `publicFqdn` out.",
    example: "apiServer: { privateCluster: true, publicFqdn: false }",
};

const VNET_INTEGRATION: Code = Code {
    name: "vnet-integration",
    why: "With VNet integration the API server is in a subnet of yours, delegated to it.",
    remedy: "Say both, or neither.",
    example: "apiServer: { vnetIntegration: true, subnet: \"${networks.hub.subnets.api}\" }",
};

fn api_server(spec: &Spec, cx: &mut EntryCx<'_>) {
    let Some(api) = &spec.api_server else { return };
    let private = api.private_cluster == Some(true);
    let integrated = api.vnet_integration == Some(true);
    let ranges = api.authorized_ip_ranges.as_deref().unwrap_or_default();
    if private && !ranges.is_empty() && !integrated {
        cx.problem(
            Problem::error(
                &PRIVATE_IP_RANGES,
                "apiServer.authorizedIpRanges",
                "a private cluster has no public address that ranges could be allowed on",
            )
            .help("leave `authorizedIpRanges` out, or `privateCluster`"),
        );
    }
    if ranges.len() > 200 {
        cx.problem(
            Problem::error(&IP_RANGES, "apiServer.authorizedIpRanges", "Azure takes at most 200 ranges")
                .help("join neighbouring ranges"),
        );
    }
    for (at, range) in ranges.iter().enumerate().filter(|(_, range)| !has_token(range)) {
        let path = format!("apiServer.authorizedIpRanges[{at}]");
        match public_range(range) {
            // Alone, this one opens the API server to nothing but the cluster's own way out.
            Ok(_) if *range == "0.0.0.0/32" && ranges.len() > 1 => cx.problem(
                Problem::warning(
                    &IP_RANGES,
                    path,
                    "`0.0.0.0/32` says that no range is authorized, beside others",
                )
                .help("keep it alone, or leave it out"),
            ),
            Ok(range) if range.addr().is_ipv6() => cx.problem(
                Problem::error(
                    &CIDR,
                    path,
                    format!("`{range}` is an IPv6 range, and an API server is reached over IPv4"),
                )
                .help("write the IPv4 address that callers leave from"),
            ),
            Ok(_) => {}
            Err((message, help)) => cx.problem(Problem::error(&CIDR, path, message).help(help)),
        }
    }
    if let Some(zone) = &api.private_dns_zone {
        let path = "apiServer.privateDnsZone";
        let (system, none) = (zone.0.eq_ignore_ascii_case("system"), zone.0.eq_ignore_ascii_case("none"));
        if !private {
            cx.problem(
                Problem::error(&PRIVATE_DNS_ZONE, path, "only a private cluster has a private DNS zone")
                    .help("add `privateCluster: true`"),
            );
        }
        if !system && !none && spec.identity.is_none() {
            cx.problem(
                Problem::error(&PRIVATE_DNS_ZONE, path, "a zone of yours needs an identity that may write to it")
                    .help("add `identity: ${identities.…}` and give it the role Private DNS Zone Contributor on the zone"),
            );
        }
        if none && api.public_fqdn == Some(false) {
            cx.problem(
                Problem::error(
                    &PRIVATE_DNS_ZONE,
                    "apiServer.publicFqdn",
                    "without any zone the name must be public",
                )
                .help("leave `publicFqdn` out"),
            );
        }
    }
    if let Some(zone) = api.private_dns_zone.as_ref().and_then(|zone| written_id(zone, cx)) {
        zone_name(zone.name(), cx);
    }
    if api.subnet.is_some() && !integrated {
        cx.problem(
            Problem::error(
                &VNET_INTEGRATION,
                "apiServer.subnet",
                "the API server takes a subnet only with VNet integration",
            )
            .help("add `vnetIntegration: true`"),
        );
    }
    if integrated && api.subnet.is_none() && spec.subnet.is_some() {
        cx.problem(
            Problem::error(&VNET_INTEGRATION, "apiServer.vnetIntegration", "beside nodes in a subnet of yours, the API server needs one, too")
                .help("add `subnet: ${networks.….subnets.…}`, delegated to `Microsoft.ContainerService/managedClusters`"),
        );
    }
    if api.public_fqdn.is_some() && !private {
        cx.problem(
            Problem::error(
                &PUBLIC_FQDN,
                "apiServer.publicFqdn",
                "the name of a public API server is public anyway",
            )
            .help("leave `publicFqdn` out, or add `privateCluster: true`"),
        );
    }
    let named = |zone: &crate::catalog::Reference| {
        !zone.0.eq_ignore_ascii_case("system") && !zone.0.eq_ignore_ascii_case("none")
    };
    if spec.fqdn_subdomain.is_some() && !api.private_dns_zone.as_ref().is_some_and(named) {
        cx.problem(
            Problem::error(&FQDN_SUBDOMAIN, "fqdnSubdomain", "a subdomain needs a private DNS zone of yours")
                .help("add `apiServer: { privateCluster: true, privateDnsZone: <id of the zone> }`, or use `dnsPrefix`"),
        );
    }
}

/// Reports a zone whose name is not one that a private cluster takes.
fn zone_name(name: &str, cx: &mut EntryCx<'_>) {
    let location = crate::ident::normalize_location(&cx.common.location);
    if has_token(name) || has_token(&location) {
        return;
    }
    let name = name.to_ascii_lowercase();
    let good = [format!("privatelink.{location}.azmk8s.io"), format!("{location}.azmk8s.io")];
    if !good.iter().any(|good| name == *good || name.ends_with(&format!(".{good}"))) {
        cx.problem(
            Problem::error(
                &PRIVATE_DNS_ZONE,
                "apiServer.privateDnsZone",
                format!("`{name}` is not a zone of private clusters in `{location}`"),
            )
            .help(format!("use a zone `privatelink.{location}.azmk8s.io`, or one below it")),
        );
    }
}
