//! Checks of the network and of the API server.

use super::super::network::{Dataplane, Plugin, Policy};
use super::super::node_pool::Os;
use super::super::spec::Spec;
use crate::catalog::{EntryCx, Problem};
use crate::value::token::has_token;
use std::net::{IpAddr, Ipv4Addr};

pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    plugins(spec, cx);
    ranges(spec, cx);
    api_server(spec, cx);
}

fn plugins(spec: &Spec, cx: &mut EntryCx<'_>) {
    let network = &spec.network;
    let windows = spec.windows.is_some() || spec.pools().any(|(_, pool)| pool.os == Os::Windows);
    if windows && network.plugin != Plugin::Azure {
        cx.problem(
            Problem::error("windows-network", "network.plugin", "Windows nodes need the network plugin `azure`")
                .help("write `plugin: azure`, or leave it out"),
        );
    }
    let cilium = network.dataplane == Some(Dataplane::Cilium);
    if cilium && spec.pools().any(|(_, pool)| pool.os == Os::Windows) {
        cx.problem(
            Problem::error("windows-cilium", "network.dataplane", "Cilium does not run on Windows nodes")
                .help("leave `dataplane: cilium` out, or the Windows pools"),
        );
    }
    if network.policy == Some(Policy::Cilium) && !cilium {
        cx.problem(
            Problem::error("cilium-policy", "network.policy", "Cilium policies need the Cilium data plane")
                .help("add `dataplane: cilium`"),
        );
    }
    if cilium && network.plugin != Plugin::Azure {
        cx.problem(
            Problem::error("cilium-plugin", "network.plugin", "the Cilium data plane needs the plugin `azure`")
                .help("write `plugin: azure`, or leave it out"),
        );
    }
    if network.mode.is_some() && network.plugin != Plugin::Azure {
        cx.problem(
            Problem::error("overlay-plugin", "network.mode", "`overlay` is a mode of the plugin `azure`")
                .help("write `plugin: azure`, or leave `mode` out"),
        );
    }
    if let Some(balancer) = &network.load_balancer {
        let sources =
            [balancer.managed_ips.is_some(), balancer.ips.is_some(), balancer.ip_prefixes.is_some()];
        let path = "network.loadBalancer";
        if sources.into_iter().filter(|said| *said).count() > 1 {
            cx.problem(
                Problem::error("load-balancer", path, "`managedIps`, `ips` and `ipPrefixes` exclude each other")
                    .help("keep one of them"),
            );
        }
        let none = |list: &Option<Vec<_>>| list.as_ref().is_some_and(Vec::is_empty);
        if none(&balancer.ips) || none(&balancer.ip_prefixes) {
            cx.problem(
                Problem::error("load-balancer", path, "Azure refuses an empty list of addresses")
                    .help("leave the list out to go back to an address that AKS makes"),
            );
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

fn ranges(spec: &Spec, cx: &mut EntryCx<'_>) {
    let network = &spec.network;
    let mut read = |field: &str, text: &Option<String>| {
        let text = text.as_deref().filter(|text| !has_token(text))?;
        let range = Range::parse(text);
        if range.is_none() {
            let message = format!("`{text}` is not a range of addresses");
            cx.problem(
                Problem::error("cidr", format!("network.{field}"), message)
                    .help("write a CIDR block, such as `10.0.0.0/16`"),
            );
        }
        range
    };
    let services = read("serviceCidr", &network.service_cidr);
    let pods = read("podCidr", &network.pod_cidr);
    if let (Some(services), Some(pods)) = (&services, &pods)
        && services.overlaps(pods)
    {
        cx.problem(
            Problem::error("cidr-overlap", "network.podCidr", "pods and services would share addresses")
                .help("choose a `podCidr` outside `serviceCidr`"),
        );
    }
    let path = "network.dnsServiceIp";
    match (&network.service_cidr, &network.dns_service_ip) {
        (Some(_), None) | (None, Some(_)) => cx.problem(
            Problem::error("dns-service-ip", path, "`serviceCidr` and `dnsServiceIp` go together")
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
                    Problem::error("dns-service-ip", path, format!("`{address}` is not an address inside `{cidr}`"))
                        .help("take one of its addresses but the first, usually the one that ends in `.10`"),
                );
            }
        }
        _ => {}
    }
}

fn api_server(spec: &Spec, cx: &mut EntryCx<'_>) {
    let Some(api) = &spec.api_server else { return };
    let private = api.private_cluster == Some(true);
    let integrated = api.vnet_integration == Some(true);
    let ranges = api.authorized_ip_ranges.as_deref().unwrap_or_default();
    if private && !ranges.is_empty() && !integrated {
        cx.problem(
            Problem::error(
                "private-ip-ranges",
                "apiServer.authorizedIpRanges",
                "a private cluster has no public address that ranges could be allowed on",
            )
            .help("leave `authorizedIpRanges` out, or `privateCluster`"),
        );
    }
    if ranges.len() > 200 {
        cx.problem(
            Problem::error("ip-ranges", "apiServer.authorizedIpRanges", "Azure takes at most 200 ranges")
                .help("join neighbouring ranges"),
        );
    }
    for (at, range) in ranges.iter().enumerate().filter(|(_, range)| !has_token(range)) {
        let (address, bits) = range.split_once('/').unwrap_or((range, "32"));
        let good = address.parse::<IpAddr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 128);
        if !good {
            let path = format!("apiServer.authorizedIpRanges[{at}]");
            cx.problem(
                Problem::error("cidr", path, format!("`{range}` is not an address or a range of addresses"))
                    .help("write `203.0.113.7` or `203.0.113.0/24`"),
            );
        }
    }
    if let Some(zone) = &api.private_dns_zone {
        let path = "apiServer.privateDnsZone";
        let (system, none) = (zone.0.eq_ignore_ascii_case("system"), zone.0.eq_ignore_ascii_case("none"));
        if !private {
            cx.problem(
                Problem::error("private-dns-zone", path, "only a private cluster has a private DNS zone")
                    .help("add `privateCluster: true`"),
            );
        }
        if !system && !none && spec.identity.is_none() {
            cx.problem(
                Problem::error("private-dns-zone", path, "a zone of yours needs an identity that may write to it")
                    .help("add `identity: ${identities.…}` and give it the role Private DNS Zone Contributor on the zone"),
            );
        }
        if none && api.public_fqdn == Some(false) {
            cx.problem(
                Problem::error("private-dns-zone", "apiServer.publicFqdn", "without any zone the name must be public")
                    .help("leave `publicFqdn` out"),
            );
        }
    }
    if spec.fqdn_subdomain.is_some() && api.private_dns_zone.is_none() {
        cx.problem(
            Problem::error("fqdn-subdomain", "fqdnSubdomain", "a subdomain needs a private DNS zone of yours")
                .help("add `apiServer: { privateCluster: true, privateDnsZone: <id of the zone> }`, or use `dnsPrefix`"),
        );
    }
}
