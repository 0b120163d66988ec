//! The ARM types of a network security group.

use crate::catalog::{Lane, ResourceType, Severity, Turn, Weight};
use crate::value::Rule;
use std::time::Duration;

pub(crate) const GROUP: &str = "Microsoft.Network/networkSecurityGroups";

/// The group with its rules.
pub static NETWORK_SECURITY_GROUP: ResourceType = ResourceType {
    severity: &[
        Weight::new(
            "properties.securityRules",
            Turn::Any,
            Severity::High,
            "other connections are let through",
        ),
        Weight::new(
            "properties.securityRules",
            Turn::Where(crate::catalog::severity::opens_to_internet),
            Severity::Critical,
            "opened to the internet",
        ),
    ],
    lanes: &[Lane::Ancestor(GROUP)],
    rules: &[
        Rule::at("properties.flushConnection").default("false"),
        Rule::at("properties.securityRules").keyed("name").alike(),
        Rule::at("properties.securityRules[].id").read_only(),
        Rule::at("properties.securityRules[].type").read_only(),
        // One address and several are in different members, and Azure refuses both: a rule is sent as a whole.
        Rule::at("properties.securityRules[].properties").whole(),
        Rule::at("properties.securityRules[].properties.protocol").fold_case(),
        Rule::at("properties.securityRules[].properties.access").fold_case(),
        Rule::at("properties.securityRules[].properties.direction").fold_case(),
        Rule::at("properties.securityRules[].properties.sourceAddressPrefix").fold_case().cidr(),
        Rule::at("properties.securityRules[].properties.destinationAddressPrefix").fold_case().cidr(),
        Rule::at("properties.securityRules[].properties.sourceAddressPrefixes").set().cidr(),
        Rule::at("properties.securityRules[].properties.destinationAddressPrefixes").set().cidr(),
        Rule::at("properties.securityRules[].properties.sourcePortRanges").set(),
        Rule::at("properties.securityRules[].properties.destinationPortRanges").set(),
        Rule::at("properties.securityRules[].properties.sourceApplicationSecurityGroups").set(),
        Rule::at("properties.securityRules[].properties.destinationApplicationSecurityGroups").set(),
        Rule::at("properties.securityRules[].properties.sourceApplicationSecurityGroups[]").reference(),
        Rule::at("properties.securityRules[].properties.destinationApplicationSecurityGroups[]").reference(),
        Rule::at("properties.defaultSecurityRules").read_only(),
        Rule::at("properties.networkInterfaces").read_only(),
        Rule::at("properties.subnets").read_only(),
        Rule::at("properties.flowLogs").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
    ],
    expected: Duration::from_secs(6),
    ..ResourceType::new(GROUP, "2025-05-01", "network security group")
};
