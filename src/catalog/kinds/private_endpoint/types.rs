//! The ARM types of a private endpoint.

use crate::catalog::{
    DeleteMode, Facet, Keeps, Kept, Lane, Listing, NamesPart, ResourceType, Scarce, Severity, Turn, Weight,
};
use crate::ident::ArmId;
use crate::value::Rule;
use serde_json::Value;
use std::time::Duration;

pub(super) const API_VERSION: &str = "2025-05-01";

pub(super) const ENDPOINT: &str = "Microsoft.Network/privateEndpoints";

pub(super) const VNET: &str = "Microsoft.Network/virtualNetworks";

pub(super) const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";

pub(super) const SITES: &str = "Microsoft.Web/sites";

pub(super) const SLOTS: &str = "Microsoft.Web/sites/slots";

pub(super) const GATEWAYS: &str = "Microsoft.Network/applicationGateways";

pub(super) const AUTO_TARGET: &str =
    "/properties/privateLinkServiceConnections/0/properties/privateLinkServiceId";

pub(super) const MANUAL_TARGET: &str =
    "/properties/manualPrivateLinkServiceConnections/0/properties/privateLinkServiceId";

/// What a connection of an endpoint is to: one endpoint has one to a group of a target.
const CONNECTS: &[&str] = &["properties.privateLinkServiceId", "properties.groupIds"];

/// The group of an endpoint to a gateway is the name of a frontend of that.
const FRONTENDS: &[NamesPart] = &[
    NamesPart {
        of: AUTO_TARGET,
        at: "/properties/privateLinkServiceConnections/0/properties/groupIds/0",
        list: "frontendIPConfigurations",
    },
    NamesPart {
        of: MANUAL_TARGET,
        at: "/properties/manualPrivateLinkServiceConnections/0/properties/groupIds/0",
        list: "frontendIPConfigurations",
    },
];

/// The endpoint itself.
pub static PRIVATE_ENDPOINT: ResourceType = ResourceType {
    lost: Some("connections through it break, and its address may be another afterwards"),
    cross_check: Some(super::checks::around),
    names_part: FRONTENDS,
    lanes: &[
        Lane::Of("/properties/subnet/id", VNET),
        // These accept one change of their connections at a time.
        Lane::Of(AUTO_TARGET, "Microsoft.KeyVault/vaults"),
        Lane::Of(MANUAL_TARGET, "Microsoft.KeyVault/vaults"),
        Lane::Of(AUTO_TARGET, "Microsoft.Storage/storageAccounts"),
        Lane::Of(MANUAL_TARGET, "Microsoft.Storage/storageAccounts"),
        Lane::Of(AUTO_TARGET, "Microsoft.DocumentDB/databaseAccounts"),
        Lane::Of(MANUAL_TARGET, "Microsoft.DocumentDB/databaseAccounts"),
    ],
    rules: &[
        Rule::at("properties.subnet.id").immutable().fold_case(),
        Rule::at("properties.subnet.properties").write_only(),
        // To turn a connection from automatic to manual is to ask for a new one, so the lists cannot change either.
        Rule::at("properties.privateLinkServiceConnections")
            .keyed("name")
            .immutable()
            .alike_in(CONNECTS)
            .or_in("manualPrivateLinkServiceConnections"),
        Rule::at("properties.privateLinkServiceConnections[].id").read_only(),
        Rule::at("properties.privateLinkServiceConnections[].type").read_only(),
        Rule::at("properties.privateLinkServiceConnections[].properties.privateLinkServiceId").fold_case(),
        Rule::at("properties.privateLinkServiceConnections[].properties.groupIds").set().fold_case(),
        Rule::at("properties.privateLinkServiceConnections[].properties.requestMessage").create_only(),
        Rule::at("properties.privateLinkServiceConnections[].properties.privateLinkServiceConnectionState")
            .read_only(),
        Rule::at("properties.manualPrivateLinkServiceConnections")
            .keyed("name")
            .immutable()
            .alike_in(CONNECTS)
            .or_in("privateLinkServiceConnections"),
        Rule::at("properties.manualPrivateLinkServiceConnections[].id").read_only(),
        Rule::at("properties.manualPrivateLinkServiceConnections[].type").read_only(),
        Rule::at("properties.manualPrivateLinkServiceConnections[].properties.privateLinkServiceId")
            .fold_case(),
        Rule::at("properties.manualPrivateLinkServiceConnections[].properties.groupIds").set().fold_case(),
        Rule::at("properties.manualPrivateLinkServiceConnections[].properties.requestMessage").create_only(),
        Rule::at(
            "properties.manualPrivateLinkServiceConnections[].properties.privateLinkServiceConnectionState",
        )
        .read_only(),
        Rule::at("properties.ipConfigurations").keyed("name").immutable().alike(),
        Rule::at("properties.ipConfigurations[].type").read_only(),
        Rule::at("properties.ipConfigurations[].properties.groupId").fold_case(),
        Rule::at("properties.ipConfigurations[].properties.memberName").fold_case(),
        Rule::at("properties.applicationSecurityGroups").keyed("id"),
        Rule::at("properties.applicationSecurityGroups[]").reference(),
        Rule::at("properties.customNetworkInterfaceName").immutable().fold_case(),
        Rule::at("properties.ipVersionType").immutable().default("\"IPv4\""),
        Rule::at("extendedLocation").immutable(),
        Rule::at("properties.networkInterfaces").read_only(),
        Rule::at("properties.customDnsConfigs").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
    ],
    facets: &[
        Facet::new("networkInterfaceId", "/properties/networkInterfaces/0/id", "its network interface")
            .gives("Microsoft.Network/networkInterfaces"),
        Facet::new("ipAddress", "/properties/customDnsConfigs/0/ipAddresses/0", "its address in the subnet"),
    ],
    scarce: &[Scarce::Addresses {
        list: "/properties/ipConfigurations",
        address: "/properties/privateIPAddress",
        subnet: "/properties/subnet/id",
    }],
    listing: Listing::Subscription,
    // Its interface may be there for a while when it is gone itself.
    brings: &["/properties/networkInterfaces"],
    connections: &[
        "/properties/privateLinkServiceConnections",
        "/properties/manualPrivateLinkServiceConnections",
    ],
    expected: Duration::from_secs(60),
    expected_update: Duration::from_secs(30),
    expected_delete: Duration::from_secs(30),
    ..ResourceType::new(ENDPOINT, API_VERSION, "private endpoint")
};

/// What becomes of the endpoint's request on the target. It is never written here, see `Provisioning::Approval` of the room `state`.
pub static CONNECTION: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    tags: false,
    rules: &[Rule::at("properties.privateLinkServiceConnectionState.status").fold_case()],
    expected: Duration::from_secs(15),
    ..ResourceType::new(
        "Microsoft.Network/privateEndpoints/privateLinkServiceConnections",
        API_VERSION,
        "private endpoint connection",
    )
};

/// The zones whose records the endpoint keeps.
pub static ZONE_GROUP: ResourceType = ResourceType {
    tags: false,
    rules: &[
        Rule::at("properties.privateDnsZoneConfigs").keyed("name").alike_in(&["properties.privateDnsZoneId"]),
        Rule::at("properties.privateDnsZoneConfigs[].id").read_only(),
        Rule::at("properties.privateDnsZoneConfigs[].type").read_only(),
        Rule::at("properties.privateDnsZoneConfigs[].properties.privateDnsZoneId").immutable().fold_case(),
        Rule::at("properties.privateDnsZoneConfigs[].properties.recordSets").read_only(),
    ],
    expected: Duration::from_secs(15),
    keeps: Some(Keeps {
        api_version: "2024-06-01",
        kept: records,
        says: addresses,
        other_writer: other_endpoint,
    }),
    severity: &[Weight::new(
        "properties.privateDnsZoneConfigs",
        Turn::Any,
        Severity::High,
        "names lead somewhere else, or nowhere",
    )],
    scarce: &[Scarce::Place {
        help: "Azure Policy makes zone groups: write `dns: none` in this endpoint, and its records stay with that one; or have \
               that one deleted, and the endpoint excluded from the policy",
    }],
    ..ResourceType::new(
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        API_VERSION,
        "private DNS zone group",
    )
};

/// The records that a zone group says it wrote.
fn records(group: &Value) -> Vec<Kept> {
    let list = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let text = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut all = Vec::new();
    for config in list(group, "/properties/privateDnsZoneConfigs") {
        let Ok(zone) = ArmId::parse(&text(&config, "/properties/privateDnsZoneId")) else { continue };
        for set in list(&config, "/properties/recordSets") {
            let (kind, name) = (text(&set, "/recordType"), text(&set, "/recordSetName"));
            let is_name = !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*' | '@'));
            let addresses = list(&set, "/ipAddresses");
            // What Azure is still writing is there in a moment.
            let written = matches!(text(&set, "/provisioningState").as_str(), "" | "Succeeded");
            if !is_name || addresses.is_empty() || !written || !matches!(kind.as_str(), "A" | "AAAA") {
                continue;
            }
            let place = text(&config, "/name");
            all.push(Kept {
                id: zone.child(&kind, &name),
                path: format!("properties.privateDnsZoneConfigs[{place}].properties.recordSets[{name}]"),
                says: sorted(addresses),
            });
        }
    }
    all
}

/// The addresses in a record.
fn addresses(record: &Value) -> Value {
    let of = |list: &str, member: &str| {
        let items = record.pointer(list).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| item.get(member).cloned()).collect::<Vec<_>>()
    };
    let mut all = of("/properties/aRecords", "ipv4Address");
    all.extend(of("/properties/aaaaRecords", "ipv6Address"));
    sorted(all)
}

fn sorted(mut addresses: Vec<Value>) -> Value {
    addresses.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Value::Array(addresses)
}

/// The endpoint that a record says it is of, when that is another one than the group's.
fn other_endpoint(group: &ArmId, record: &Value) -> Option<String> {
    let creator = record.pointer("/properties/metadata/creator")?.as_str()?;
    let rest = creator.strip_prefix("created by private endpoint ")?;
    let name = rest.split(' ').next()?;
    let own = group.parent()?;
    (!own.name().eq_ignore_ascii_case(name)).then(|| name.to_owned())
}
