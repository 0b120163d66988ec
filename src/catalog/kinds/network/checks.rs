//! What can be wrong with a virtual network, and is known offline.

use super::spec::{Spec, SubnetSpec};
use crate::catalog::kinds::addresses::{cidr, overlap};
use crate::catalog::kinds::naming::{NETWORK, NameRule, did_you_mean};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::{display_text, has_token};
use ipnet::IpNet;
use std::net::IpAddr;

/// Services with endpoints in subnets, for telling a misspelt one (fact sheet of subnets).
const ENDPOINT_SERVICES: &[&str] = &[
    "Microsoft.AzureActiveDirectory",
    "Microsoft.AzureCosmosDB",
    "Microsoft.CognitiveServices",
    "Microsoft.ContainerRegistry",
    "Microsoft.EventHub",
    "Microsoft.KeyVault",
    "Microsoft.ServiceBus",
    "Microsoft.Sql",
    "Microsoft.Storage",
    "Microsoft.Storage.Global",
    "Microsoft.Web",
];

/// Services that subnets are delegated to, for telling a misspelt one.
const DELEGATIONS: &[&str] = &[
    "Microsoft.ApiManagement/service",
    "Microsoft.App/environments",
    "Microsoft.Batch/batchAccounts",
    "Microsoft.ContainerInstance/containerGroups",
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.DBforMySQL/flexibleServers",
    "Microsoft.DBforPostgreSQL/flexibleServers",
    "Microsoft.Databricks/workspaces",
    "Microsoft.DevOpsInfrastructure/pools",
    "Microsoft.Kusto/clusters",
    "Microsoft.MachineLearningServices/workspaces",
    "Microsoft.Netapp/volumes",
    "Microsoft.Network/applicationGateways",
    "Microsoft.Network/dnsResolvers",
    "Microsoft.ServiceNetworking/trafficControllers",
    "Microsoft.Sql/managedInstances",
    "Microsoft.StreamAnalytics/streamingJobs",
    "Microsoft.Synapse/workspaces",
    "Microsoft.Web/serverFarms",
];

/// Subnets that Azure's own gateways live in: their names, and the longest prefix that they take.
const RESERVED: &[(&str, u8)] = &[
    ("GatewaySubnet", 29),
    ("AzureFirewallSubnet", 26),
    ("AzureFirewallManagementSubnet", 26),
    ("AzureBastionSubnet", 26),
    ("RouteServerSubnet", 27),
];

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &NETWORK_NAME,
    &SUBNET_NAME,
    &DNS_SERVER,
    &FLOW_TIMEOUT,
    &BGP_COMMUNITY,
    &SHARED_SUBNET,
    &NETWORK_ADDRESS_SPACE,
    &NETWORK_OVERLAP,
    &SUBNET_OVERLAP,
    &SUBNET_RANGE,
    &SUBNET_SIZE,
    &SUBNET_SERVICE,
];

const BGP_COMMUNITY: Code = Code {
    name: "bgp-community",
    why: "The community of a network has the number of Microsoft's autonomous system before the colon and one of your choice behind it.",
    remedy: "Write `12076:` and a number from 20000 to 65534.",
    example: "bgpCommunity: 12076:20000",
};

const SHARED_SUBNET: Code = Code {
    name: "shared-subnet",
    why: "A subnet that others use has no implicit way out.",
    remedy: "Write `defaultOutboundAccess: false` beside `sharingScope`.",
    example: "subnets: { shared: { prefix: 10.20.0.0/24, defaultOutboundAccess: false, sharingScope: Tenant } }",
};

const NETWORK_NAME: Code = Code {
    name: "network-name",
    why: "The name cannot be that of a virtual network.",
    remedy: "Use 2 to 64 letters, digits, `_`, `.` and `-`.",
    example: "name: vnet-shop",
};

const NETWORK_NAMES: NameRule = NameRule {
    code: &NETWORK_NAME,
    what: "a virtual network",
    min: 2,
    max: 64,
    says: "2 to 64 letters, digits, `_`, `.` and `-`, the first a letter or digit, the last not `.` or `-`",
    ..NETWORK
};

const SUBNET_NAME: Code = Code {
    name: "subnet-name",
    why: "The name cannot be that of a subnet.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "subnets: { nodes: { prefix: 10.20.0.0/20 } }",
};

const SUBNET_NAMES: NameRule = NameRule { code: &SUBNET_NAME, what: "a subnet", ..NETWORK };

const DNS_SERVER: Code = Code {
    name: "dns-server",
    why: "A network asks DNS servers by address.",
    remedy: "Write addresses.",
    example: "dnsServers: [10.20.0.4]",
};

const FLOW_TIMEOUT: Code = Code {
    name: "flow-timeout",
    why: "Azure keeps idle flows for 4 to 30 minutes.",
    remedy: "Write a number within.",
    example: "flowTimeoutMinutes: 10",
};

const NETWORK_ADDRESS_SPACE: Code = Code {
    name: "network-address-space",
    why: "A network needs at least one range of addresses.",
    remedy: "Say it.",
    example: "addressSpace: [10.20.0.0/16]",
};

const NETWORK_OVERLAP: Code = Code {
    name: "network-overlap",
    why: "Ranges of one network, or of networks that are peered, overlap: packets could go to either.",
    remedy: "Choose ranges that do not meet.",
    example: "addressSpace: [10.20.0.0/16, 10.21.0.0/16]",
};

const SUBNET_OVERLAP: Code = Code {
    name: "subnet-overlap",
    why: "Two subnets of a network have addresses in common.",
    remedy: "Choose ranges that do not meet; `cidrSubnet` cuts them.",
    example: "prefix: ${cidrSubnet('10.20.0.0/16', 20, 1)}",
};

const SUBNET_RANGE: Code = Code {
    name: "subnet-range",
    why: "A subnet lies within the address space of its network.",
    remedy: "Choose a range within, or add to `addressSpace`.",
    example: "{ addressSpace: [10.20.0.0/16], subnets: { nodes: { prefix: 10.20.0.0/20 } } }",
};

const SUBNET_SIZE: Code = Code {
    name: "subnet-size",
    why: "Azure keeps five addresses of each subnet: a smaller one than /29 holds nothing. Gateways and firewalls need more.",
    remedy: "Choose a larger range.",
    example: "subnets: { endpoints: { prefix: 10.20.16.0/26 } }",
};

/// Reports everything that is wrong with a network and can be told offline.
pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    NETWORK_NAMES.check(&cx.common.name.clone(), "name", cx);
    for (key, subnet) in &spec.subnets {
        let name = subnet.name.as_deref().unwrap_or(key);
        SUBNET_NAMES.check(name, &format!("subnets.{key}.name"), cx);
        if subnet.sharing_scope.is_some() && subnet.default_outbound_access != Some(false) {
            let message = "Azure shares only subnets without an implicit way out";
            cx.problem(
                Problem::error(&SHARED_SUBNET, format!("subnets.{key}.sharingScope"), message)
                    .help("add `defaultOutboundAccess: false`"),
            );
        }
    }
    if spec.address_space.is_empty() {
        cx.problem(
            Problem::error(&NETWORK_ADDRESS_SPACE, "addressSpace", "a network needs an address range")
                .help("write a CIDR block, such as `addressSpace: [10.20.0.0/16]`"),
        );
    }
    check_ranges(spec, cx);
    for (at, server) in spec.dns_servers.iter().flatten().enumerate() {
        if !has_token(server) && server.parse::<IpAddr>().is_err() {
            cx.problem(
                Problem::error(
                    &DNS_SERVER,
                    format!("dnsServers[{at}]"),
                    format!("`{server}` is not an address"),
                )
                .help("write the address of a DNS server, such as `10.20.0.4`"),
            );
        }
    }
    if let Some(community) = spec.bgp_community.as_deref().filter(|text| !has_token(text)) {
        let number = community.strip_prefix("12076:").and_then(|number| number.parse::<u32>().ok());
        if !number.is_some_and(|number| (20_000..=65_534).contains(&number)) {
            let message = format!("`{}` is not a community of a network", display_text(community));
            cx.problem(
                Problem::error(&BGP_COMMUNITY, "bgpCommunity", message)
                    .help("write `12076:` and a number from 20000 to 65534, such as `12076:20000`"),
            );
        }
    }
    if let Some(minutes) = spec.flow_timeout_minutes.filter(|minutes| !(4..=30).contains(minutes)) {
        let message = format!("an idle flow cannot be kept for {minutes} minutes");
        cx.problem(
            Problem::error(&FLOW_TIMEOUT, "flowTimeoutMinutes", message)
                .help("write 4 to 30, or leave it out"),
        );
    }
}

/// What can be said about the ranges of a network and of its subnets without asking Azure.
fn check_ranges(spec: &Spec, cx: &mut EntryCx<'_>) {
    let mut space: Vec<IpNet> = Vec::new();
    let mut all_known = true;
    for (at, text) in spec.address_space.iter().enumerate() {
        let path = format!("addressSpace[{at}]");
        let Some(range) = cidr(text, &path, cx) else {
            all_known = false;
            continue;
        };
        if let Some(other) = space.iter().find(|other| overlap(other, &range)) {
            let message = format!("`{text}` shares addresses with `{other}`");
            cx.problem(
                Problem::error(&NETWORK_OVERLAP, path, message)
                    .help("remove one of the two, or make them disjoint"),
            );
        }
        space.push(range);
    }
    let mut subnets: Vec<(&str, IpNet)> = Vec::new();
    for (key, subnet) in &spec.subnets {
        subnet.check_services(key, cx);
        let path = format!("subnets.{key}.prefix");
        if subnet.prefix.0.is_empty() {
            cx.problem(
                Problem::error(&SUBNET_RANGE, &path, format!("the subnet `{key}` has no range"))
                    .help("write a range inside the network's `addressSpace`"),
            );
        }
        for text in &subnet.prefix.0 {
            let Some(range) = cidr(text, &path, cx) else { continue };
            if all_known && !space.is_empty() && !space.iter().any(|space| space.contains(&range)) {
                let message = format!("`{text}` does not lie in the network's `addressSpace`");
                let space = spec.address_space.join(", ");
                cx.problem(
                    Problem::error(&SUBNET_RANGE, &path, message)
                        .help(format!("choose a range inside {space}, or add one to `addressSpace`")),
                );
            }
            // Azure keeps five addresses of each subnet; IPv6 subnets are exactly /64.
            let fits = match range {
                IpNet::V4(range) => range.prefix_len() <= 29,
                IpNet::V6(range) => range.prefix_len() == 64,
            };
            if !fits {
                let message = format!("`{text}` has the wrong size for a subnet");
                cx.problem(Problem::error(&SUBNET_SIZE, &path, message).help(
                    "write a /29 or larger, of which Azure keeps five addresses; an IPv6 one is a /64",
                ));
            }
            let name = subnet.name.as_deref().unwrap_or(key);
            if let Some((name, longest)) =
                RESERVED.iter().find(|(reserved, _)| reserved.eq_ignore_ascii_case(name))
                && fits
                && range.prefix_len() > *longest
                && matches!(range, IpNet::V4(_))
            {
                let message = format!("`{text}` is too small for `{name}`");
                cx.problem(
                    Problem::error(&SUBNET_SIZE, &path, message)
                        .help(format!("write a /{longest} or larger")),
                );
            }
            if let Some((other, _)) = subnets.iter().find(|(_, other)| overlap(other, &range)) {
                let message = match other == key {
                    true => format!("the ranges of the subnet `{key}` share addresses"),
                    false => format!("the subnets `{other}` and `{key}` share addresses"),
                };
                cx.problem(
                    Problem::error(&SUBNET_OVERLAP, &path, message)
                        .help("give each subnet a range of its own"),
                );
            }
            subnets.push((key, range));
        }
    }
}

const SUBNET_SERVICE: Code = Code {
    name: "subnet-service",
    why: "Service endpoints and delegations are named by ARM namespace or type.",
    remedy: "Write such a name.",
    example: "serviceEndpoints: [Microsoft.KeyVault]",
};

impl SubnetSpec {
    /// Tells misspelt services. Azure adds services, so others are let through.
    fn check_services(&self, key: &str, cx: &mut EntryCx<'_>) {
        let endpoints = self
            .service_endpoints
            .iter()
            .enumerate()
            .map(|(at, service)| (service, format!("serviceEndpoints[{at}]"), ENDPOINT_SERVICES));
        let delegation =
            self.delegation.iter().map(|service| (service, "delegation".to_owned(), DELEGATIONS));
        for (service, field, known) in endpoints.chain(delegation) {
            if has_token(service) || known.iter().any(|known| known.eq_ignore_ascii_case(service)) {
                continue;
            }
            let help = did_you_mean(service, known.iter().copied());
            if service.contains('.') && help.is_none() {
                continue;
            }
            let message = format!("`{service}` is not a service that berth knows");
            let help = help.unwrap_or_else(|| format!("write its whole name, such as `{}`", known[0]));
            let path = format!("subnets.{key}.{field}");
            cx.problem(Problem::warning(&SUBNET_SERVICE, path, message).help(help));
        }
    }
}
