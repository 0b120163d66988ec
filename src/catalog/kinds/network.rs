//! Virtual networks and their subnets: `Microsoft.Network/virtualNetworks`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/virtualnetworks>).
//!
//! Subnets are resources of their own: a PUT of the network without `subnets` keeps those that exist (since API
//! version 2023-09-01), so subnets that someone else made are never lost, and each subnet has an address and a plan line.

use super::addresses::{cidr, overlap};
use super::naming::{NETWORK, NameRule, did_you_mean};
use super::nat_gateway::GATEWAY;
use super::network_peering;
use super::network_peering::{PEERING, PeeringSpec};
use super::network_security_group::GROUP;
use super::route_table::TABLE;
use crate::catalog::{
    DeleteMode, Draft, EntryCx, EntryKind, Facet, Lane, Listing, Members, Merged, Nested, Problem, Reference,
    ResourceType, model,
};
use crate::catalog::{Scarce, Within};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::has_token;
use azure_mgmt_network::package_2024_03::models;
use indexmap::IndexMap;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;

/// A virtual network.
pub struct Network;

/// A virtual network with its subnets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The network's address ranges, as CIDR blocks.
    address_space: Vec<String>,
    /// Subnets by their key.
    #[serde(default)]
    subnets: IndexMap<String, SubnetSpec>,
    /// DNS servers, in the order in which they are asked; Azure's own when absent.
    dns_servers: Option<Vec<String>>,
    /// How long an idle flow is kept, in minutes (4 to 30).
    flow_timeout_minutes: Option<i32>,
    /// Peerings with other networks, by their key. Peerings that others made stay.
    #[serde(default)]
    peerings: IndexMap<String, PeeringSpec>,
    /// The DDoS protection plan that protects the network.
    ddos_protection_plan: Option<Reference>,
}

/// A subnet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SubnetSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The subnet's range, a CIDR block inside the network's address space.
    prefix: String,
    /// The service that the subnet is delegated to, such as `Microsoft.ContainerService/managedClusters`.
    delegation: Option<String>,
    /// Services reachable over the backbone from here, such as `Microsoft.KeyVault`.
    #[serde(default)]
    service_endpoints: Vec<String>,
    /// The network security group of the subnet.
    network_security_group: Option<Reference>,
    /// The route table of the subnet.
    route_table: Option<Reference>,
    /// The NAT gateway of the subnet.
    nat_gateway: Option<Reference>,
    /// Whether virtual machines get an implicit outbound address; Azure's default when absent.
    default_outbound_access: Option<bool>,
    /// Whether network policies apply to private endpoints here: `Disabled` (the default), `Enabled`,
    /// `NetworkSecurityGroupEnabled` or `RouteTableEnabled`.
    #[serde(default)]
    private_endpoint_network_policies: EndpointPolicies,
    /// Whether network policies apply to private link services here; Azure's default (`true`) when absent. Must be
    /// `false` for a subnet that takes the address of such a service.
    private_link_service_network_policies: Option<bool>,
}

/// Which network policies hold for private endpoints.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
pub enum EndpointPolicies {
    /// None.
    #[default]
    Disabled,
    /// Security groups and route tables.
    Enabled,
    /// Security groups.
    NetworkSecurityGroupEnabled,
    /// Route tables.
    RouteTableEnabled,
}

const API_VERSION: &str = "2025-05-01";
pub(super) const VNET: &str = "Microsoft.Network/virtualNetworks";

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

/// The network itself.
pub static VIRTUAL_NETWORK: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(VNET)],
    rules: &[
        Rule::at("extendedLocation").immutable(),
        Rule::at("properties.subnets[].properties.delegations[].properties.actions").read_only(),
        Rule::at("properties.addressSpace.addressPrefixes").set().cidr(),
        Rule::at("properties.subnets").keyed("name"),
        Rule::at("properties.subnets[].type").read_only(),
        Rule::at("properties.subnets[].properties.ipConfigurations").read_only(),
        Rule::at("properties.subnets[].properties.privateEndpoints").read_only(),
        Rule::at("properties.subnets[].properties.serviceAssociationLinks").read_only(),
        Rule::at("properties.subnets[].properties.resourceNavigationLinks").read_only(),
        Rule::at("properties.subnets[].properties.purpose").read_only(),
        // Peerings are resources of their own; what Azure shows of them here is sent back as it is.
        Rule::at("properties.virtualNetworkPeerings").keyed("name"),
        Rule::at("properties.virtualNetworkPeerings[].type").read_only(),
        Rule::at("properties.virtualNetworkPeerings[].properties.resourceGuid").read_only(),
        Rule::at("properties.virtualNetworkPeerings[].properties.remoteVirtualNetworkEncryption").read_only(),
        Rule::at("properties.dhcpOptions.dnsServers").default("[]"),
        Rule::at("properties.ddosProtectionPlan").whole(),
        Rule::at("properties.enableDdosProtection").default("false"),
        Rule::at("properties.resourceGuid").read_only(),
        Rule::at("properties.flowLogs").read_only(),
        Rule::at("properties.defaultPublicNatGateway").read_only(),
        Rule::at("properties.flowTimeoutInMinutes").default("4"),
    ],
    listing: Listing::Subscription,
    expected: Duration::from_secs(6),
    ..ResourceType::new(VNET, API_VERSION, "virtual network")
};

/// A subnet of it.
pub static SUBNET: ResourceType = ResourceType {
    // Attaching a group, a table or a gateway writes to it as well.
    lanes: &[
        Lane::Ancestor(VNET),
        Lane::Of("/properties/networkSecurityGroup/id", GROUP),
        Lane::Of("/properties/routeTable/id", TABLE),
        Lane::Of("/properties/natGateway/id", GATEWAY),
    ],
    delete: DeleteMode::Own,
    tags: false,
    rules: &[
        Rule::at("properties.addressPrefix").cidr(),
        Rule::at("properties.networkSecurityGroup").whole(),
        Rule::at("properties.routeTable").whole(),
        Rule::at("properties.natGateway").whole(),
        Rule::at("properties.delegations").keyed("name"),
        Rule::at("properties.delegations[].properties.serviceName").fold_case(),
        Rule::at("properties.delegations[].properties.actions").read_only(),
        Rule::at("properties.serviceEndpoints").keyed("service"),
        Rule::at("properties.serviceEndpoints[].provisioningState").read_only(),
        Rule::at("properties.privateEndpointNetworkPolicies").default("\"Disabled\""),
        Rule::at("properties.privateLinkServiceNetworkPolicies").default("\"Enabled\""),
        Rule::at("properties.ipConfigurations").read_only(),
        Rule::at("properties.privateEndpoints").read_only(),
        Rule::at("properties.serviceAssociationLinks").read_only(),
        Rule::at("properties.resourceNavigationLinks").read_only(),
        Rule::at("properties.purpose").read_only(),
    ],
    facets: &[Facet::new("prefix", "/properties/addressPrefix", "the subnet's range")],
    listing: Listing::Parent("/properties/subnets"),
    expected: Duration::from_secs(4),
    scarce: &[Scarce::Ranges(&["/properties/addressPrefix", "/properties/addressPrefixes"])],
    within: Some(Within {
        own: &["/properties/addressPrefix", "/properties/addressPrefixes"],
        parent: "/properties/addressSpace/addressPrefixes",
    }),
    ..ResourceType::new("Microsoft.Network/virtualNetworks/subnets", API_VERSION, "subnet")
};

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

impl EntryKind for Network {
    const SECTION: &'static str = "networks";
    const TITLE: &'static str = "virtual network";
    const ARM_TYPE: &'static str = VNET;
    const ABOUT: &'static str = "A virtual network with its subnets, and its peerings with other networks.";
    const EXAMPLE: &'static str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
      endpoints: { prefix: 10.20.16.0/26 }
";
    const TYPES: &'static [&'static ResourceType] = &[&VIRTUAL_NETWORK, &SUBNET];
    const NESTED: &'static [Nested] = &[Nested::at("subnets.*"), Nested::at("peerings.*")];
    const MERGED: &'static [Merged] = &[
        Merged { within: "", name: "subnets", members: Members::Children(&[&SUBNET]) },
        Merged { within: "", name: "peerings", members: Members::Children(&[&PEERING]) },
        Merged::list("serviceEndpoints", "properties.serviceEndpoints").within("subnets.*"),
        Merged::list("delegation", "properties.delegations").within("subnets.*"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[
        &[
            &NETWORK_NAME,
            &SUBNET_NAME,
            &DNS_SERVER,
            &FLOW_TIMEOUT,
            &NETWORK_ADDRESS_SPACE,
            &NETWORK_OVERLAP,
            &SUBNET_OVERLAP,
            &SUBNET_RANGE,
            &SUBNET_SIZE,
            &SUBNET_SERVICE,
        ],
        network_peering::CODES,
    ];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        if spec.address_space.is_empty() {
            cx.problem(
                Problem::error(&NETWORK_ADDRESS_SPACE, "addressSpace", "a network needs an address range")
                    .help("write a CIDR block, such as `addressSpace: [10.20.0.0/16]`"),
            );
        }
        check_ranges(&spec, cx);
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
        if let Some(minutes) = spec.flow_timeout_minutes.filter(|minutes| !(4..=30).contains(minutes)) {
            let message = format!("an idle flow cannot be kept for {minutes} minutes");
            cx.problem(
                Problem::error(&FLOW_TIMEOUT, "flowTimeoutMinutes", message)
                    .help("write 4 to 30, or leave it out"),
            );
        }
        let plan = spec.ddos_protection_plan;
        let properties = models::VirtualNetworkPropertiesFormat {
            enable_ddos_protection: plan.as_ref().map(|_| true),
            address_space: Some(models::AddressSpace { address_prefixes: spec.address_space }),
            dhcp_options: spec.dns_servers.map(|dns_servers| models::DhcpOptions { dns_servers }),
            flow_timeout_in_minutes: spec.flow_timeout_minutes,
            ..Default::default()
        };
        NETWORK_NAMES.check(&cx.common.name.clone(), "name", cx);
        let vnet = cx.id(VNET, &[&cx.common.name]);
        let mut body = cx.tracked(model(&properties));
        if let Some(plan) = plan {
            body["properties"]["ddosProtectionPlan"] = json!({ "id": plan.id() });
        }
        cx.main(Draft::new(cx.address.clone(), vnet.as_str(), &VIRTUAL_NETWORK, body));
        for (key, subnet) in spec.subnets {
            let address = cx.address.child("subnets").child(&key);
            let name = subnet.name.as_deref().unwrap_or(&key);
            SUBNET_NAMES.check(name, &format!("subnets.{key}.name"), cx);
            let id = vnet.child("subnets", name);
            let body = subnet.into_body();
            cx.also(Draft::new(address, id.as_str(), &SUBNET, body).origin(format!("subnets.{key}")));
        }
        for (key, peering) in spec.peerings {
            peering.expand(&key, &vnet, cx);
        }
    }
}

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
        let Some(range) = cidr(&subnet.prefix, &path, cx) else { continue };
        let text = &subnet.prefix;
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
            cx.problem(
                Problem::error(&SUBNET_SIZE, &path, message)
                    .help("write a /29 or larger, of which Azure keeps five addresses; an IPv6 one is a /64"),
            );
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
                Problem::error(&SUBNET_SIZE, &path, message).help(format!("write a /{longest} or larger")),
            );
        }
        if let Some((other, _)) = subnets.iter().find(|(_, other)| overlap(other, &range)) {
            let message = format!("the subnets `{other}` and `{key}` share addresses");
            cx.problem(
                Problem::error(&SUBNET_OVERLAP, &path, message).help("give each subnet a range of its own"),
            );
        }
        subnets.push((key, range));
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
            let message = format!("`{service}` is no service that berth knows");
            let help = help.unwrap_or_else(|| format!("write its whole name, such as `{}`", known[0]));
            let path = format!("subnets.{key}.{field}");
            cx.problem(Problem::warning(&SUBNET_SERVICE, path, message).help(help));
        }
    }

    fn into_body(self) -> serde_json::Value {
        let sub_resource = |reference: Option<Reference>| reference.map(|r| json!({ "id": r.id() }));
        let properties = models::SubnetPropertiesFormat {
            address_prefix: Some(self.prefix),
            delegations: Vec::from_iter(self.delegation.map(|service| models::Delegation {
                name: Some(service.replace('/', ".")),
                properties: Some(models::ServiceDelegationPropertiesFormat {
                    service_name: Some(service),
                    ..Default::default()
                }),
                ..Default::default()
            })),
            service_endpoints: self
                .service_endpoints
                .into_iter()
                .map(|service| models::ServiceEndpointPropertiesFormat {
                    service: Some(service),
                    ..Default::default()
                })
                .collect(),
            default_outbound_access: self.default_outbound_access,
            ..Default::default()
        };
        let mut properties = model(&properties);
        // The default differs between API versions, so it is always said (fact sheet of subnets).
        properties["privateEndpointNetworkPolicies"] = json!(self.private_endpoint_network_policies);
        if let Some(apply) = self.private_link_service_network_policies {
            properties["privateLinkServiceNetworkPolicies"] =
                if apply { "Enabled" } else { "Disabled" }.into();
        }
        for (name, value) in [
            ("networkSecurityGroup", sub_resource(self.network_security_group)),
            ("routeTable", sub_resource(self.route_table)),
            ("natGateway", sub_resource(self.nat_gateway)),
        ] {
            if let Some(value) = value {
                properties[name] = value;
            }
        }
        json!({ "properties": properties })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference, wants};

    #[test]
    fn a_subnet_says_what_it_uses_and_lets_go_of_what_it_drops() {
        let fields = json!({
            "addressSpace": ["10.0.0.0/16"],
            "subnets": { "a": {
                "prefix": "10.0.0.0/24", "networkSecurityGroup": reference("networkSecurityGroups.n"),
                "privateLinkServiceNetworkPolicies": false, "serviceEndpoints": ["Microsoft.Storage"],
            } },
        });
        let (drafts, problems) = expand("networks", "hub", fields);
        assert_eq!(problems, []);
        assert_eq!(
            drafts[1].body["properties"],
            json!({
                "addressPrefix": "10.0.0.0/24", "serviceEndpoints": [{ "service": "Microsoft.Storage" }],
                "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Disabled",
                "networkSecurityGroup": { "id": wants("networkSecurityGroups.n", "id") },
            })
        );
    }

    #[test]
    fn what_azure_answers_is_no_change() {
        let (drafts, _) = expand("networks", "hub", json!({ "addressSpace": ["10.0.0.0/16"] }));
        let live = json!({ "location": "westeurope", "properties": {
            "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": [{ "name": "foreign" }],
            "enableDdosProtection": false, "virtualNetworkPeerings": [{ "name": "foreign" }],
        } });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let network = |more: serde_json::Value| {
            let mut fields = json!({ "addressSpace": ["10.0.0.0/16"] });
            crate::catalog::merge_over(&mut fields, &more);
            codes(expand("networks", "hub", fields))
        };
        let subnet = |more: serde_json::Value| {
            let mut fields = json!({ "prefix": "10.0.0.0/24" });
            crate::catalog::merge_over(&mut fields, &more);
            network(json!({ "subnets": { "a": fields } }))
        };
        for (more, code) in [
            (json!({ "addressSpace": ["10.0.0.0/16", "10.0.1.0/24"] }), "network-overlap"),
            (json!({ "addressSpace": ["10.0.0.1/16"] }), "cidr"),
            (json!({ "dnsServers": ["dns"] }), "dns-server"),
            (json!({ "flowTimeoutMinutes": 3 }), "flow-timeout"),
            (
                json!({ "subnets": { "a": { "prefix": "10.0.0.0/24" }, "b": { "prefix": "10.0.0.128/25" } } }),
                "subnet-overlap",
            ),
        ] {
            assert_eq!(network(more.clone()), [code], "{more}");
        }
        for (more, code) in [
            (json!({ "prefix": "10.1.0.0/24" }), "subnet-range"),
            (json!({ "prefix": "10.0.0.0/30" }), "subnet-size"),
            (json!({ "name": "AzureBastionSubnet", "prefix": "10.0.0.0/27" }), "subnet-size"),
            (json!({ "prefix": "10.0.0.4/24" }), "cidr"),
            (json!({ "serviceEndpoints": ["Microsoft.Storag"] }), "subnet-service"),
            (json!({ "delegation": "managedClusters" }), "subnet-service"),
            (json!({ "privateEndpointNetworkPolicies": "On" }), "shape"),
        ] {
            assert_eq!(subnet(more.clone()), [code], "{more}");
        }
    }
}
