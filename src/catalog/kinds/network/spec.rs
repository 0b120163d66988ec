//! What a blueprint says of a virtual network.

use crate::catalog::kinds::addresses::Texts;
use crate::catalog::kinds::network_peering::PeeringSpec;
use crate::catalog::{Named, Reference};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A virtual network with its subnets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The network's address ranges, as CIDR blocks.
    pub(super) address_space: Vec<String>,
    /// Subnets by their key.
    #[serde(default)]
    pub(super) subnets: Named<SubnetSpec>,
    /// DNS servers, in the order in which they are asked; Azure's own when absent.
    pub(super) dns_servers: Option<Vec<String>>,
    /// How long an idle flow is kept, in minutes (4 to 30).
    pub(super) flow_timeout_minutes: Option<i32>,
    /// Peerings with other networks, by their key. Peerings that others made stay.
    #[serde(default)]
    pub(super) peerings: Named<PeeringSpec>,
    /// The DDoS protection plan that protects the network.
    #[schemars(extend("x-wants" = "DDoS protection plan"))]
    pub(super) ddos_protection_plan: Option<Reference>,
    /// Whether traffic between virtual machines is encrypted, and what becomes of what cannot be: `AllowUnencrypted` or
    /// `DropUnencrypted`. It is not when absent.
    pub(super) encryption: Option<Encryption>,
    /// The BGP community that the network's routes are sent with over ExpressRoute: `12076:20000` to `12076:65534`.
    #[schemars(example = &"12076:20000")]
    pub(super) bgp_community: Option<String>,
    /// `Basic` lets private endpoints be more than a thousand in the network; `Disabled` when absent
    /// (`privateEndpointVNetPolicies`).
    pub(super) private_endpoint_policies: Option<NetworkEndpointPolicies>,
}

/// A subnet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SubnetSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// The subnet's range, a CIDR block inside the network's address space; with IPv6 beside it, a list of both.
    #[schemars(schema_with = "ranges")]
    pub(super) prefix: Texts,
    /// The service that the subnet is delegated to, such as `Microsoft.ContainerService/managedClusters`.
    pub(super) delegation: Option<String>,
    /// Services reachable over the backbone from here, such as `Microsoft.KeyVault`.
    #[serde(default)]
    pub(super) service_endpoints: Vec<String>,
    /// The network security group of the subnet.
    #[schemars(extend("x-wants" = "network security group"))]
    pub(super) network_security_group: Option<Reference>,
    /// The route table of the subnet.
    #[schemars(extend("x-wants" = "route table"))]
    pub(super) route_table: Option<Reference>,
    /// The NAT gateway of the subnet.
    #[schemars(extend("x-wants" = "NAT gateway"))]
    pub(super) nat_gateway: Option<Reference>,
    /// Whether virtual machines get an implicit outbound address; Azure's default when absent.
    pub(super) default_outbound_access: Option<bool>,
    /// Whether network policies apply to private endpoints here: `Disabled`, `Enabled`, `NetworkSecurityGroupEnabled` or
    /// `RouteTableEnabled`. In a new subnet they are `Disabled` when absent.
    pub(super) private_endpoint_network_policies: Option<EndpointPolicies>,
    /// Whether network policies apply to private link services here; Azure's default (`true`) when absent. Must be
    /// `false` for a subnet that takes the address of such a service.
    pub(super) private_link_service_network_policies: Option<bool>,
    /// Which resources behind its service endpoints may be reached: policies of service endpoints.
    #[serde(default)]
    #[schemars(extend("x-wants" = "service endpoint policy"))]
    pub(super) service_endpoint_policies: Vec<Reference>,
    /// Who besides this subscription may use the subnet: `Tenant`, or `DelegatedServices`. Needs
    /// `defaultOutboundAccess: false`.
    pub(super) sharing_scope: Option<SharingScope>,
}

/// What becomes of traffic that cannot be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Encryption {
    /// It passes.
    AllowUnencrypted,
    /// It is dropped.
    DropUnencrypted,
}

/// How many private endpoints a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum NetworkEndpointPolicies {
    /// A thousand.
    Disabled,
    /// More.
    Basic,
}

/// Who may use a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SharingScope {
    /// Everybody in the tenant.
    Tenant,
    /// Services that it is delegated to.
    DelegatedServices,
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

/// A range, or one of each family.
fn ranges(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
}
