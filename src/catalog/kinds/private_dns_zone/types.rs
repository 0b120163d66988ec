//! The ARM types of a private DNS zone.

use crate::catalog::kinds::private_dns::ZONE;
use crate::catalog::{Lane, ResourceType};
use crate::value::Rule;
use std::time::Duration;

pub(super) const API_VERSION: &str = "2024-06-01";

pub(super) const RECORD_RULES: &[Rule] = &[
    Rule::at("properties.ttl").default("3600"),
    Rule::at("properties.metadata").map(),
    Rule::at("properties.aRecords").set(),
    Rule::at("properties.aaaaRecords").set(),
    Rule::at("properties.txtRecords").set(),
    Rule::at("properties.cnameRecord.cname").fold_case(),
    Rule::at("properties.fqdn").read_only(),
    Rule::at("properties.isAutoRegistered").read_only(),
];

/// What the types of records have in common. They go with their zone.
pub(super) const fn record(arm_type: &'static str) -> ResourceType {
    ResourceType {
        lanes: &[Lane::Ancestor(ZONE)],
        tags: false,
        rules: RECORD_RULES,
        // Those of machines in linked networks, and those of private endpoints.
        azure_managed: &["/properties/isAutoRegistered", "/properties/metadata/creator"],
        expected: Duration::from_secs(2),
        conditional: true,
        ..ResourceType::new(arm_type, API_VERSION, "DNS record")
    }
}

/// Records with IPv4 addresses.
pub static RECORD_A: ResourceType = record("Microsoft.Network/privateDnsZones/A");

/// Records with IPv6 addresses.
pub static RECORD_AAAA: ResourceType = record("Microsoft.Network/privateDnsZones/AAAA");

/// Records with another name.
pub static RECORD_CNAME: ResourceType = record("Microsoft.Network/privateDnsZones/CNAME");

/// Records with texts.
pub static RECORD_TXT: ResourceType = record("Microsoft.Network/privateDnsZones/TXT");
