//! Virtual networks and their subnets: `Microsoft.Network/virtualNetworks`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/virtualnetworks>).
//!
//! Subnets are resources of their own: a PUT of the network without `subnets` keeps those that exist (since API
//! version 2023-09-01), so subnets that someone else made are never lost, and each subnet has an address and a plan line.

use super::naming::{NETWORK, NameRule};
use crate::catalog::{
    DeleteMode, Draft, EntryCx, EntryKind, Facet, Lane, Problem, Reference, Listing, ResourceType, model,
};
use crate::value::Rule;
use azure_mgmt_network::package_2024_03::models;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
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
    private_endpoint_network_policies: Option<String>,
}

const API_VERSION: &str = "2025-05-01";
const VNET: &str = "Microsoft.Network/virtualNetworks";

const NETWORK_NAME: NameRule = NameRule {
    code: "network-name",
    what: "a virtual network",
    min: 2,
    max: 64,
    says: "2 to 64 letters, digits, `_`, `.` and `-`, the first a letter or digit, the last not `.` or `-`",
    ..NETWORK
};

const SUBNET_NAME: NameRule = NameRule { code: "subnet-name", what: "a subnet", ..NETWORK };

/// The network itself.
pub static VIRTUAL_NETWORK: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(VNET)],
    rules: &[
        Rule::at("properties.subnets[].properties.delegations[].properties.actions").read_only(),
        Rule::at("properties.addressSpace.addressPrefixes").set().cidr(),
        Rule::at("properties.subnets").keyed("name"),
        Rule::at("properties.subnets[].type").read_only(),
        Rule::at("properties.subnets[].properties.ipConfigurations").read_only(),
        Rule::at("properties.subnets[].properties.privateEndpoints").read_only(),
        Rule::at("properties.subnets[].properties.serviceAssociationLinks").read_only(),
        Rule::at("properties.subnets[].properties.resourceNavigationLinks").read_only(),
        Rule::at("properties.subnets[].properties.purpose").read_only(),
        Rule::at("properties.virtualNetworkPeerings").keyed("name"),
        Rule::at("properties.resourceGuid").read_only(),
        Rule::at("properties.flowLogs").read_only(),
        Rule::at("properties.defaultPublicNatGateway").read_only(),
        Rule::at("properties.flowTimeoutInMinutes").default("4"),
    ],
    listing: Listing::Subscription,
    usual: Duration::from_secs(6),
    ..ResourceType::new(VNET, API_VERSION, "virtual network")
};

/// A subnet of it.
pub static SUBNET: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(VNET)],
    delete: DeleteMode::Own,
    tags: false,
    rules: &[
        Rule::at("properties.addressPrefix").cidr(),
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
    usual: Duration::from_secs(4),
    ..ResourceType::new("Microsoft.Network/virtualNetworks/subnets", API_VERSION, "subnet")
};

impl EntryKind for Network {
    const SECTION: &'static str = "networks";
    const TITLE: &'static str = "virtual network";
    const ARM_TYPE: &'static str = VNET;
    const ABOUT: &'static str = "A virtual network with its subnets.";
    const EXAMPLE: &'static str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
      endpoints: { prefix: 10.20.16.0/26 }
";
    const TYPES: &'static [&'static ResourceType] = &[&VIRTUAL_NETWORK, &SUBNET];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        if spec.address_space.is_empty() {
            cx.problem(
                Problem::error("network-address-space", "addressSpace", "a network needs an address range")
                    .help("write a CIDR block, such as `addressSpace: [10.20.0.0/16]`"),
            );
        }
        let properties = models::VirtualNetworkPropertiesFormat {
            address_space: Some(models::AddressSpace { address_prefixes: spec.address_space }),
            dhcp_options: spec.dns_servers.map(|dns_servers| models::DhcpOptions { dns_servers }),
            flow_timeout_in_minutes: spec.flow_timeout_minutes,
            ..Default::default()
        };
        NETWORK_NAME.check(&cx.common.name.clone(), "name", cx);
        let vnet = cx.id(VNET, &[&cx.common.name]);
        let body = cx.tracked(model(&properties));
        cx.main(Draft::new(cx.address.clone(), vnet.as_str(), &VIRTUAL_NETWORK, body));
        for (key, subnet) in spec.subnets {
            let address = cx.address.child("subnets").child(&key);
            let name = subnet.name.as_deref().unwrap_or(&key);
            SUBNET_NAME.check(name, &format!("subnets.{key}.name"), cx);
            let id = vnet.child("subnets", name);
            let body = subnet.into_body();
            cx.also(Draft::new(address, id.as_str(), &SUBNET, body).origin(format!("subnets.{key}")));
        }
    }
}

impl SubnetSpec {
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
        properties["privateEndpointNetworkPolicies"] =
            self.private_endpoint_network_policies.unwrap_or_else(|| "Disabled".to_owned()).into();
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
