//! The ARM types of a virtual network.

use crate::catalog::kinds::nat_gateway::GATEWAY;
use crate::catalog::kinds::network_security_group::GROUP;
use crate::catalog::kinds::route_table::TABLE;
use crate::catalog::{
    DeleteMode, Facet, Lane, Listing, ResourceType, Scarce, Severity, Turn, Weight, Within,
};
use crate::value::Rule;
use std::time::Duration;

pub(super) const API_VERSION: &str = "2025-05-01";

pub(crate) const VNET: &str = "Microsoft.Network/virtualNetworks";

/// The network itself.
pub static VIRTUAL_NETWORK: ResourceType = ResourceType {
    severity: &[
        Weight::new("properties.addressSpace", Turn::Any, Severity::High, "other addresses are routed"),
        Weight::new("properties.dhcpOptions", Turn::Any, Severity::High, "names are resolved elsewhere"),
    ],
    lanes: &[Lane::Ancestor(VNET)],
    rules: &[
        Rule::at("extendedLocation").immutable(),
        Rule::at("properties.subnets[].properties.delegations[].properties.actions").read_only(),
        Rule::at("properties.addressSpace.addressPrefixes").set().cidr(),
        Rule::at("properties.subnets").keyed("name"),
        Rule::at("properties.subnets[].type").read_only(),
        Rule::at("properties.subnets[].properties.ipConfigurations").read_only(),
        Rule::at("properties.subnets[].properties.ipConfigurationProfiles").read_only(),
        Rule::at("properties.subnets[].properties.privateEndpoints").read_only(),
        Rule::at("properties.subnets[].properties.serviceAssociationLinks").read_only(),
        Rule::at("properties.subnets[].properties.resourceNavigationLinks").read_only(),
        Rule::at("properties.subnets[].properties.purpose").read_only(),
        Rule::at("properties.subnets[].properties.networkSecurityGroup").reference(),
        Rule::at("properties.subnets[].properties.routeTable").reference(),
        Rule::at("properties.subnets[].properties.natGateway").reference(),
        Rule::at("properties.subnets[].properties.serviceEndpointPolicies[]").reference(),
        Rule::at("properties.subnets[].properties.ipamPoolPrefixAllocations[].allocatedAddressPrefixes")
            .read_only(),
        Rule::at("properties.subnets[].properties.applicationGatewayIPConfigurations[].type").read_only(),
        Rule::at("properties.addressSpace.ipamPoolPrefixAllocations[].allocatedAddressPrefixes").read_only(),
        // Peerings are resources of their own; what Azure shows of them here is sent back as it is.
        Rule::at("properties.virtualNetworkPeerings").keyed("name"),
        Rule::at("properties.virtualNetworkPeerings[].type").read_only(),
        Rule::at("properties.virtualNetworkPeerings[].properties.resourceGuid").read_only(),
        Rule::at("properties.virtualNetworkPeerings[].properties.remoteVirtualNetworkEncryption").read_only(),
        Rule::at("properties.dhcpOptions.dnsServers").default("[]"),
        Rule::at("properties.ddosProtectionPlan").whole(),
        Rule::at("properties.enableDdosProtection").default("false"),
        Rule::at("properties.encryption").default("{\"enabled\":false}"),
        Rule::at("properties.encryption.enforcement").fold_case(),
        Rule::at("properties.bgpCommunities").default("null"),
        Rule::at("properties.bgpCommunities.regionalCommunity").read_only(),
        Rule::at("properties.privateEndpointVNetPolicies").fold_case().default("\"Disabled\""),
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
    severity: &[
        Weight::new(
            "properties.networkSecurityGroup",
            Turn::Any,
            Severity::High,
            "other connections are let through",
        ),
        Weight::new("properties.routeTable", Turn::Any, Severity::High, "traffic takes another way"),
        Weight::new("properties.natGateway", Turn::Any, Severity::High, "traffic leaves by another address"),
    ],
    cross_check: Some(crate::catalog::kinds::cluster::subnet_size),
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
        Rule::at("properties.addressPrefix").cidr().default("null"),
        Rule::at("properties.addressPrefixes").set().cidr().default("null"),
        Rule::at("properties.networkSecurityGroup").whole().reference(),
        Rule::at("properties.routeTable").whole().reference(),
        Rule::at("properties.natGateway").whole().reference(),
        Rule::at("properties.serviceEndpointPolicies").keyed("id").default("[]"),
        Rule::at("properties.sharingScope").fold_case().default("null"),
        Rule::at("properties.delegations").keyed("name").alike_in(&["properties.serviceName"]),
        Rule::at("properties.delegations[].properties.serviceName").fold_case(),
        Rule::at("properties.delegations[].properties.actions").read_only(),
        Rule::at("properties.serviceEndpoints").keyed("service"),
        Rule::at("properties.serviceEndpoints[].provisioningState").read_only(),
        Rule::at("properties.privateEndpointNetworkPolicies").default("\"Disabled\""),
        Rule::at("properties.privateLinkServiceNetworkPolicies").default("\"Enabled\""),
        Rule::at("properties.ipConfigurations").read_only(),
        Rule::at("properties.ipConfigurationProfiles").read_only(),
        Rule::at("properties.privateEndpoints").read_only(),
        Rule::at("properties.serviceAssociationLinks").read_only(),
        Rule::at("properties.resourceNavigationLinks").read_only(),
        Rule::at("properties.purpose").read_only(),
        Rule::at("properties.serviceEndpointPolicies[]").reference(),
        Rule::at("properties.ipamPoolPrefixAllocations[].allocatedAddressPrefixes").read_only(),
        Rule::at("properties.applicationGatewayIPConfigurations[].type").read_only(),
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
