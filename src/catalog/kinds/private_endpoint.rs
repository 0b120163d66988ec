//! Private endpoints with their DNS, and the approval of their connection: `Microsoft.Network/privateEndpoints`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/privateendpoints>).
//!
//! One entry is up to five kinds of resource. With `dns: auto` it brings the zones that answer for its target, which
//! endpoints of the same zone share, a link from each zone to the endpoint's network, and the zone group that keeps
//! the records. The connection that it causes on its target may arrive there as *Pending*, whoever makes it; then it
//! is approved by a draft of its own, which has nothing to do when Azure has approved the connection by itself.
//!
//! The file is long because a third of it is tests and a sixth descriptors; zones and links are in `private_dns`.

use super::naming::{NETWORK, NameRule, did_you_mean};
use super::private_dns::{dashed, linked_zone};
use super::private_link::{Group, Target};
use super::scope::type_of;
use crate::catalog::{
    DeleteMode, Draft, EntryCx, EntryKind, Facet, Lane, Listing, Merged, Problem, Provisioning, Reference,
    ResourceType, model,
};
use crate::diag::Code;
use crate::ident::{Address, normalize_location};
use crate::value::Rule;
use crate::value::token::{Token, display_text};
use azure_mgmt_network::package_2024_03::models;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A private endpoint.
pub struct PrivateEndpoint;

/// A private endpoint: an address in a subnet behind which a resource answers.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The resource to connect to; with `manual: true` it can also be the alias of a private link service.
    target: Reference,
    /// The subnet that the endpoint's address is taken from.
    subnet: Reference,
    /// What of the target to connect to, such as `vault` or `blob`; its only or most usual group when absent.
    group: Option<String>,
    /// How the target's name is answered in the network: `auto` (the default) makes the private DNS zones of the
    /// target, shared with other endpoints, and links them to the endpoint's network; `none` leaves names alone; a
    /// list names zones that exist already and are linked.
    dns: Option<Dns>,
    /// Whether the connection is only asked for, and approved on the target: for targets of another team or tenant.
    #[serde(default)]
    manual: bool,
    /// What the target's owner reads beside the request, at most 140 characters. It is sent when the endpoint is
    /// made; a later change of it alone does nothing.
    request_message: Option<String>,
    /// Whether the connection is approved on the target when it is pending there; `true` when absent.
    #[serde(default = "yes")]
    approve: bool,
    /// The name of the endpoint's network interface; Azure makes one up when absent.
    custom_nic_name: Option<String>,
    /// Fixed addresses of the endpoint, by key; Azure picks from the subnet when absent.
    #[serde(default)]
    ip_configurations: IndexMap<String, IpSpec>,
    /// Application security groups that the endpoint's address belongs to.
    #[serde(default)]
    application_security_groups: Vec<Reference>,
}

/// A fixed address of an endpoint.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IpSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The address, out of the subnet.
    address: String,
    /// Which member of the group gets it, such as `default` for a vault or `blob` for blobs.
    member: Option<String>,
}

/// How names are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dns {
    /// With zones that berth makes and shares.
    Auto,
    /// Not at all.
    None,
    /// With these zones.
    Zones(Vec<Reference>),
}

impl<'de> Deserialize<'de> for Dns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DnsVisitor;
        impl<'de> Visitor<'de> for DnsVisitor {
            type Value = Dns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`auto`, `none` or a list of private DNS zones")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dns, E> {
                let zone = Reference(text.to_owned());
                match text {
                    "auto" => Ok(Dns::Auto),
                    "none" => Ok(Dns::None),
                    _ if zone.path().is_some() || zone.literal_id().is_some() => Ok(Dns::Zones(vec![zone])),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Dns, A::Error> {
                let mut zones = Vec::new();
                while let Some(zone) = items.next_element()? {
                    zones.push(zone);
                }
                Ok(Dns::Zones(zones))
            }
        }
        deserializer.deserialize_any(DnsVisitor)
    }
}

impl JsonSchema for Dns {
    fn schema_name() -> Cow<'static, str> {
        "Dns".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let zone = generator.subschema_for::<Reference>();
        json_schema!({
            "description": "`auto`, `none`, or the private DNS zones to write the names into.",
            "anyOf": [
                { "const": "auto", "description": "Zones that berth makes, shares between endpoints and links." },
                { "const": "none", "description": "Names are left alone." },
                { "type": "array", "items": zone, "maxItems": MOST_ZONES },
                zone,
            ],
        })
    }
}

const API_VERSION: &str = "2025-05-01";
const ENDPOINT: &str = "Microsoft.Network/privateEndpoints";
const VNET: &str = "Microsoft.Network/virtualNetworks";
const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
/// How many zones a zone group can hold.
const MOST_ZONES: usize = 5;
const LONGEST_MESSAGE: usize = 140;

const AUTO_TARGET: &str = "/properties/privateLinkServiceConnections/0/properties/privateLinkServiceId";
const MANUAL_TARGET: &str =
    "/properties/manualPrivateLinkServiceConnections/0/properties/privateLinkServiceId";

/// The endpoint itself.
pub static PRIVATE_ENDPOINT: ResourceType = ResourceType {
    cross_check: Some(super::ranges::private_endpoint),
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
        Rule::at("properties.privateLinkServiceConnections").keyed("name").immutable(),
        Rule::at("properties.privateLinkServiceConnections[].id").read_only(),
        Rule::at("properties.privateLinkServiceConnections[].type").read_only(),
        Rule::at("properties.privateLinkServiceConnections[].properties.privateLinkServiceId").fold_case(),
        Rule::at("properties.privateLinkServiceConnections[].properties.groupIds").set().fold_case(),
        Rule::at("properties.privateLinkServiceConnections[].properties.requestMessage").create_only(),
        Rule::at("properties.privateLinkServiceConnections[].properties.privateLinkServiceConnectionState")
            .read_only(),
        Rule::at("properties.manualPrivateLinkServiceConnections").keyed("name").immutable(),
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
        Rule::at("properties.ipConfigurations").keyed("name").immutable(),
        Rule::at("properties.ipConfigurations[].type").read_only(),
        Rule::at("properties.ipConfigurations[].properties.groupId").fold_case(),
        Rule::at("properties.ipConfigurations[].properties.memberName").fold_case(),
        Rule::at("properties.applicationSecurityGroups").keyed("id"),
        Rule::at("properties.customNetworkInterfaceName").immutable().fold_case(),
        Rule::at("properties.ipVersionType").immutable().default("\"IPv4\""),
        Rule::at("extendedLocation").immutable(),
        Rule::at("properties.networkInterfaces").read_only(),
        Rule::at("properties.customDnsConfigs").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
    ],
    facets: &[
        Facet::new("networkInterfaceId", "/properties/networkInterfaces/0/id", "its network interface"),
        Facet::new("ipAddress", "/properties/customDnsConfigs/0/ipAddresses/0", "its address in the subnet"),
    ],
    listing: Listing::Subscription,
    connections: &[
        "/properties/privateLinkServiceConnections",
        "/properties/manualPrivateLinkServiceConnections",
    ],
    expected: Duration::from_secs(60),
    expected_update: Duration::from_secs(30),
    expected_delete: Duration::from_secs(30),
    ..ResourceType::new(ENDPOINT, API_VERSION, "private endpoint")
};

/// What becomes of the endpoint's request on the target. It is never written here, see [`Provisioning::Approval`].
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
        Rule::at("properties.privateDnsZoneConfigs").keyed("name"),
        Rule::at("properties.privateDnsZoneConfigs[].id").read_only(),
        Rule::at("properties.privateDnsZoneConfigs[].type").read_only(),
        Rule::at("properties.privateDnsZoneConfigs[].properties.privateDnsZoneId").immutable().fold_case(),
        Rule::at("properties.privateDnsZoneConfigs[].properties.recordSets").read_only(),
    ],
    expected: Duration::from_secs(15),
    ..ResourceType::new(
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        API_VERSION,
        "private DNS zone group",
    )
};

const PRIVATE_ENDPOINT_NAME: Code = Code {
    name: "private-endpoint-name",
    why: "The name cannot be that of a private endpoint.",
    remedy: "Use 2 to 64 letters, digits, `_`, `.` and `-`.",
    example: "name: pe-vault",
};

const NAME: NameRule = NameRule { code: &PRIVATE_ENDPOINT_NAME, what: "a private endpoint", ..NETWORK };

impl EntryKind for PrivateEndpoint {
    const SECTION: &'static str = "privateEndpoints";
    const TITLE: &'static str = "private endpoint";
    const ARM_TYPE: &'static str = ENDPOINT;
    const ABOUT: &'static str = "An address in a subnet behind which a resource answers, the private DNS zones that \
        lead its name there, and the approval of the connection on the resource.";
    const EXAMPLE: &'static str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      endpoints: { prefix: 10.20.16.0/26 }
keyVaults:
  secrets:
    name: kv-shop-${uniqueString(azure.resourceGroup)}
    publicAccess: false
privateEndpoints:
  vault:
    name: pe-shop-vault
    target: ${keyVaults.secrets}
    subnet: ${networks.hub.subnets.endpoints}
    dns: auto
";
    const TYPES: &'static [&'static ResourceType] = &[
        &PRIVATE_ENDPOINT,
        &CONNECTION,
        &ZONE_GROUP,
        &super::private_dns::PRIVATE_DNS_ZONE,
        &super::private_dns::ZONE_LINK,
    ];
    const MERGED: &'static [Merged] =
        &[Merged::list("applicationSecurityGroups", "properties.applicationSecurityGroups")];
    const CODES: &'static [&'static [&'static Code]] = &[&[
        &PRIVATE_ENDPOINT_NAME,
        &PRIVATE_ENDPOINT_GROUP,
        &PRIVATE_ENDPOINT_TARGET,
        &PRIVATE_ENDPOINT_ALIAS,
        &PRIVATE_ENDPOINT_MESSAGE,
        &PRIVATE_ENDPOINT_SUBNET,
        &PRIVATE_ENDPOINT_ZONE,
        &PRIVATE_ENDPOINT_DNS,
        &PRIVATE_ENDPOINT_NETWORK,
    ]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        spec.check(cx);
        let choice = Choice::of(&spec, cx);
        let group = choice.as_ref().and_then(|choice| choice.group.as_deref());
        let endpoint = cx.id(ENDPOINT, &[&name]);
        let body = cx.tracked(spec.properties(&name, group));
        cx.main(Draft::new(cx.address.clone(), endpoint.as_str(), &PRIVATE_ENDPOINT, body));

        let configs = match &spec.dns {
            Some(Dns::None) => Vec::new(),
            Some(Dns::Zones(zones)) => zones.iter().map(given_zone).collect(),
            // Whoever does not know what to connect to has heard of it already.
            Some(Dns::Auto) | None => choice.map_or(Vec::new(), |choice| own_zones(&spec, choice.zones, cx)),
        };
        if !configs.is_empty() {
            let zone_configs = configs.iter().map(|config| models::PrivateDnsZoneConfig {
                name: Some(config.name.clone()),
                properties: Some(models::PrivateDnsZonePropertiesFormat {
                    private_dns_zone_id: Some(config.zone.clone()),
                    ..Default::default()
                }),
            });
            let group = models::PrivateDnsZoneGroupPropertiesFormat {
                private_dns_zone_configs: zone_configs.collect(),
                ..Default::default()
            };
            let id = endpoint.child("privateDnsZoneGroups", "default");
            let body = json!({ "properties": model(&group) });
            let draft = Draft::new(cx.address.child("dns"), id.as_str(), &ZONE_GROUP, body).origin("dns");
            let needed = configs.into_iter().filter_map(|config| config.needs);
            cx.also(needed.fold(draft, |draft, address| draft.needs(address.as_str())));
        }

        // Who is behind an alias is nobody's business here, least of all the right to approve.
        if spec.approve && !spec.is_alias() {
            // The element of the endpoint's body that tells of the connection has an id of its own, which is unique
            // and cannot be written; the one on the target is named by Azure and not known beforehand.
            let list = if spec.manual {
                "manualPrivateLinkServiceConnections"
            } else {
                "privateLinkServiceConnections"
            };
            let id = endpoint.child(list, &name);
            let status =
                json!({ "properties": { "privateLinkServiceConnectionState": { "status": "Approved" } } });
            let draft = Draft::new(cx.address.child("connection"), id.as_str(), &CONNECTION, status);
            let operation = Provisioning::Approval {
                endpoint: endpoint.as_str().to_owned(),
                target: spec.target.id(),
                description: format!("Approved by berth for {}", cx.address),
            };
            cx.also(Draft { operation, ..draft.origin("approve") });
        }
    }
}

/// A zone to keep records in.
struct ZoneConfig {
    /// The name of the zone's place in the zone group.
    name: String,
    /// The zone's id.
    zone: String,
    /// The zone's address, when it is a draft of this entry: a plain id in a body is no dependency.
    needs: Option<Address>,
}

/// What of the target is connected to, and the zones that answer for it, when they are known.
struct Choice {
    group: Option<String>,
    zones: Option<&'static [&'static str]>,
}

const PRIVATE_ENDPOINT_GROUP: Code = Code {
    name: "private-endpoint-group",
    why: "A target offers its parts as groups: `vault`, `blob`, `registry`.",
    remedy: "`az network private-link-resource list` shows them.",
    example: "group: blob",
};

const PRIVATE_ENDPOINT_TARGET: Code = Code {
    name: "private-endpoint-target",
    why: "The target is not something that private endpoints lead to.",
    remedy: "Refer to a vault, a cluster, a registry, or write an id.",
    example: "target: ${keyVaults.secrets}",
};

impl Choice {
    /// The choice, or `None` after a problem was reported.
    fn of(spec: &Spec, cx: &mut EntryCx<'_>) -> Option<Choice> {
        if spec.is_alias() {
            return Some(Choice { group: None, zones: Some(&[]) });
        }
        if !is_resource(&spec.target) {
            let message = format!("`{}` is no resource", display_text(&spec.target.0));
            cx.problem(
                Problem::error(&PRIVATE_ENDPOINT_TARGET, "target", message)
                    .help("write a reference such as `${keyVaults.secrets}`, or an ARM id"),
            );
            return None;
        }
        let arm_type = type_of(&spec.target);
        let target = arm_type.as_deref().and_then(Target::of);
        let (written, target) = match (&spec.group, target) {
            (None, Some(target)) => {
                let first = target.groups.first();
                return Some(Choice {
                    group: first.map(|group| group.name.to_owned()),
                    zones: Some(first.map_or(&[][..], |group| group.zones)),
                });
            }
            (None, None) => {
                let what = arm_type.map_or("this target".to_owned(), |arm_type| format!("a {arm_type}"));
                cx.problem(
                    Problem::error(
                        &PRIVATE_ENDPOINT_GROUP,
                        "group",
                        format!("berth knows no group of {what}"),
                    )
                    .help(
                        "write `group:`; `az network private-link-resource list` shows what a resource has",
                    ),
                );
                return None;
            }
            (Some(written), target) => (written, target),
        };
        let found = match target {
            Some(target) => target.group(written),
            // Of some other type, or of one that is not known offline: the name may tell enough.
            None => Group::unambiguous(written),
        };
        if let (None, Some(target)) = (found, target) {
            let known = || target.groups.iter().map(|group| group.name);
            let help = did_you_mean(written, known());
            let help = help.unwrap_or_else(|| match target.groups {
                [] => "leave `group` out".to_owned(),
                _ => format!("its groups are {}", known().collect::<Vec<_>>().join(", ")),
            });
            cx.problem(
                Problem::warning(
                    &PRIVATE_ENDPOINT_GROUP,
                    "group",
                    format!("a {} has no group `{written}` that berth knows", target.arm_type),
                )
                .help(help),
            );
        }
        // In Azure's spelling; the group of a slot is named after the slot.
        let spelt = found.map(|group| group.name).filter(|name| name.eq_ignore_ascii_case(written));
        let zones = found.map(|group| group.zones);
        Some(Choice { group: Some(spelt.unwrap_or(written).to_owned()), zones })
    }
}

const PRIVATE_ENDPOINT_ALIAS: Code = Code {
    name: "private-endpoint-alias",
    why: "A target named by an alias belongs to somebody else, who has to approve.",
    remedy: "Write `manual: true`.",
    example: "manual: true",
};

const PRIVATE_ENDPOINT_MESSAGE: Code = Code {
    name: "private-endpoint-message",
    why: "The message to who approves has a limit, and is for `manual: true`.",
    remedy: "Use at most 140 characters.",
    example: "requestMessage: shop asks for the vault",
};

const PRIVATE_ENDPOINT_SUBNET: Code = Code {
    name: "private-endpoint-subnet",
    why: "An endpoint has an address of a subnet.",
    remedy: "Refer to a subnet.",
    example: "subnet: ${networks.hub.subnets.endpoints}",
};

const PRIVATE_ENDPOINT_ZONE: Code = Code {
    name: "private-endpoint-zone",
    why: "The names of an endpoint are written into zones that fit its target.",
    remedy: "Write `dns: auto`, or name zones.",
    example: "dns: auto",
};

impl Spec {
    /// Whether the target is the alias of a private link service (`{name}.{guid}.{region}.azure.privatelinkservice`).
    fn is_alias(&self) -> bool {
        self.target.0.to_ascii_lowercase().ends_with(".azure.privatelinkservice")
    }

    fn check(&self, cx: &mut EntryCx<'_>) {
        if self.is_alias() && !self.manual {
            let message = "a connection to the alias of a private link service can only be asked for";
            cx.problem(
                Problem::error(&PRIVATE_ENDPOINT_ALIAS, "manual", message).help("write `manual: true`"),
            );
        }
        let literal = self.subnet.literal_id();
        let other = literal.as_ref().is_some_and(|id| !id.resource_type().eq_ignore_ascii_case(SUBNET));
        if !is_resource(&self.subnet) || other {
            let message = format!("`{}` is no subnet", display_text(&self.subnet.0));
            cx.problem(
                Problem::error(&PRIVATE_ENDPOINT_SUBNET, "subnet", message).help(
                    "write a reference such as `${networks.hub.subnets.endpoints}`, or a subnet's ARM id",
                ),
            );
        }
        let length = self.request_message.as_deref().map_or(0, |message| message.chars().count());
        if length > LONGEST_MESSAGE {
            cx.problem(
                Problem::error(
                    &PRIVATE_ENDPOINT_MESSAGE,
                    "requestMessage",
                    format!("the message has {length} characters"),
                )
                .help(format!("say it in {LONGEST_MESSAGE}")),
            );
        }
        if let Some(Dns::Zones(zones)) = &self.dns {
            for (at, zone) in zones.iter().enumerate().filter(|(_, zone)| !is_resource(zone)) {
                let message = format!("`{}` is no private DNS zone", display_text(&zone.0));
                cx.problem(
                    Problem::error(&PRIVATE_ENDPOINT_ZONE, format!("dns[{at}]"), message)
                        .help("write a reference such as `${resources.zone}`, or a zone's ARM id"),
                );
            }
            if zones.len() > MOST_ZONES {
                let message = format!("an endpoint keeps records in {MOST_ZONES} zones at most");
                let help = "take out those that the target's name is not answered in";
                cx.problem(Problem::error(&PRIVATE_ENDPOINT_ZONE, "dns", message).help(help));
            }
        }
    }

    fn properties(&self, name: &str, group: Option<&str>) -> Value {
        let connection = models::PrivateLinkServiceConnection {
            name: Some(name.to_owned()),
            properties: Some(models::PrivateLinkServiceConnectionProperties {
                private_link_service_id: Some(self.target.id()),
                group_ids: Vec::from_iter(group.map(str::to_owned)),
                request_message: self.request_message.clone(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let (automatic, manual) =
            if self.manual { (vec![], vec![connection]) } else { (vec![connection], vec![]) };
        let ip_configurations =
            self.ip_configurations.iter().map(|(key, ip)| models::PrivateEndpointIpConfiguration {
                name: Some(ip.name.as_ref().unwrap_or(key).clone()),
                properties: Some(models::PrivateEndpointIpConfigurationProperties {
                    group_id: group.map(str::to_owned),
                    member_name: ip.member.clone(),
                    private_ip_address: Some(ip.address.clone()),
                }),
                ..Default::default()
            });
        let security_groups =
            self.application_security_groups.iter().map(|group| models::ApplicationSecurityGroup {
                resource: models::Resource { id: Some(group.id()), ..Default::default() },
                ..Default::default()
            });
        model(&models::PrivateEndpointProperties {
            subnet: Some(models::Subnet {
                sub_resource: models::SubResource { id: Some(self.subnet.id()) },
                ..Default::default()
            }),
            private_link_service_connections: automatic,
            manual_private_link_service_connections: manual,
            application_security_groups: security_groups.collect(),
            ip_configurations: ip_configurations.collect(),
            custom_network_interface_name: self.custom_nic_name.clone(),
            ..Default::default()
        })
    }

    /// The virtual network of the subnet: its key or name for addresses and names, and its id.
    fn network(&self) -> Option<(String, String)> {
        if let Some(path) = self.subnet.path() {
            let (network, _) = path.rsplit_once(".subnets.")?;
            let (_, key) = network.split_once('.')?;
            let id = Token::Reference { path: network.to_owned(), facet: "id".to_owned() }.encode();
            return Some((key.to_owned(), id));
        }
        let id = self.subnet.literal_id()?.ancestor_of_type(VNET)?;
        // Networks of one name in two groups are two networks.
        let digest = Sha256::digest(id.as_str().to_ascii_lowercase());
        let short: String = digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
        Some((format!("{}-{short}", id.name()), id.as_str().to_owned()))
    }
}

/// Whether a reference names something at all.
fn is_resource(reference: &Reference) -> bool {
    reference.path().is_some() || reference.literal_id().is_some()
}

/// The place of a zone that the blueprint names.
fn given_zone(zone: &Reference) -> ZoneConfig {
    let name = match (zone.path(), zone.literal_id()) {
        (Some(path), _) => path.rsplit('.').next().unwrap_or_default().to_owned(),
        (None, Some(id)) => id.name().to_owned(),
        (None, None) => zone.0.clone(),
    };
    ZoneConfig { name: dashed(&name), zone: zone.id(), needs: None }
}

const PRIVATE_ENDPOINT_DNS: Code = Code {
    name: "private-endpoint-dns",
    why: "berth knows the DNS zones of many services, and not those of this target.",
    remedy: "Name the zones, or leave names alone.",
    example: "dns: none",
};

const PRIVATE_ENDPOINT_NETWORK: Code = Code {
    name: "private-endpoint-network",
    why: "Zones that berth makes are linked to the endpoint's network, so it has to know which that is.",
    remedy: "Refer to a subnet of the blueprint, or write its id.",
    example: "subnet: ${networks.hub.subnets.endpoints}",
};

/// Makes the zones of the target and links them to the endpoint's network.
fn own_zones(spec: &Spec, zones: Option<&[&str]>, cx: &mut EntryCx<'_>) -> Vec<ZoneConfig> {
    // The target may lie in another region than the endpoint; offline there is nothing better to go by.
    let region = normalize_location(&cx.common.location);
    let zones: Option<Vec<String>> =
        zones.map(|zones| zones.iter().map(|zone| zone.replace("{region}", &region)).collect());
    let zones = zones.filter(|zones| zones.iter().all(|zone| !zone.contains('{')));
    let asked = spec.dns.is_some();
    let zones = match zones {
        Some(zones) if !zones.is_empty() => zones,
        Some(_) if !asked => return Vec::new(),
        _ => {
            let message = "berth does not know which private DNS zones answer for this target";
            let problem = if asked { Problem::error } else { Problem::warning };
            cx.problem(
                problem(&PRIVATE_ENDPOINT_DNS, "dns", message.to_owned())
                    .help("name the zones, as in `dns: ['${resources.zone}']`, or write `dns: none`"),
            );
            return Vec::new();
        }
    };
    let Some((network, network_id)) = spec.network() else {
        // A subnet that is none at all has its own problem already.
        if spec.subnet.path().is_some() {
            let message = "berth cannot tell which virtual network this subnet belongs to";
            cx.problem(
                Problem::error(&PRIVATE_ENDPOINT_NETWORK, "subnet", message)
                    .help("refer to a subnet in `networks`, write its ARM id, or name the zones in `dns`"),
            );
        }
        return Vec::new();
    };
    let config = |zone: String| {
        let (id, address) = linked_zone(&zone, &network, &network_id, cx);
        ZoneConfig { name: dashed(&zone), zone: id, needs: Some(address) }
    };
    zones.into_iter().map(config).collect()
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};

    const GROUP: &str = "/subscriptions/sub/resourceGroups/rg/providers";
    const NONE: [&str; 0] = [];

    fn fields(more: Value) -> Value {
        let mut fields = json!({
            "target": reference("keyVaults.secrets"),
            "subnet": reference("networks.hub.subnets.endpoints"),
        });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    fn addresses(drafts: &[Draft]) -> Vec<&str> {
        drafts.iter().map(|draft| draft.address.as_str()).collect()
    }

    #[test]
    fn an_entry_is_endpoint_zone_link_zone_group_and_approval() {
        let (drafts, problems) =
            expand("privateEndpoints", "vault", fields(json!({ "dns": "auto", "tags": { "team": "a" } })));
        assert_eq!(problems, []);
        let [endpoint, zone, link, group, approval] = &drafts[..] else { panic!("{drafts:#?}") };
        assert_eq!(
            addresses(&drafts),
            [
                "privateEndpoints.vault",
                "privateDns.privatelink.vaultcore.azure.net",
                "privateDns.privatelink.vaultcore.azure.net.links.hub",
                "privateEndpoints.vault.dns",
                "privateEndpoints.vault.connection",
            ]
        );
        assert_eq!(id(endpoint), format!("{GROUP}/Microsoft.Network/privateEndpoints/vault"));
        assert_eq!(
            endpoint.body,
            json!({ "location": "westeurope", "tags": { "team": "a" }, "properties": {
                "subnet": { "id": wants("networks.hub.subnets.endpoints", "id") },
                "privateLinkServiceConnections": [{
                    "name": "vault",
                    "properties": { "privateLinkServiceId": wants("keyVaults.secrets", "id"), "groupIds": ["vault"] },
                }],
            } })
        );
        let zone_id = format!("{GROUP}/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net");
        assert_eq!((id(zone), zone.shared), (zone_id.as_str(), true));
        assert_eq!(zone.body, json!({ "location": "global", "tags": { "team": "a" } }));
        let zone_id = wants("privateDns.privatelink.vaultcore.azure.net", "id");
        assert_eq!(id(link), format!("{zone_id}/virtualNetworkLinks/link-hub"));
        assert!(link.shared);
        assert_eq!(
            link.body["properties"],
            json!({ "virtualNetwork": { "id": wants("networks.hub", "id") }, "registrationEnabled": false })
        );
        assert_eq!(id(group), format!("{}/privateDnsZoneGroups/default", id(endpoint)));
        assert_eq!(
            group.body,
            json!({ "properties": { "privateDnsZoneConfigs": [{
                "name": "privatelink-vaultcore-azure-net", "properties": { "privateDnsZoneId": zone_id },
            }] } })
        );
        assert_eq!(group.depends_on, ["privateDns.privatelink.vaultcore.azure.net"]);
        assert_eq!(id(approval), format!("{}/privateLinkServiceConnections/vault", id(endpoint)));
        assert_eq!(
            approval.operation,
            Provisioning::Approval {
                endpoint: id(endpoint).to_owned(),
                target: wants("keyVaults.secrets", "id"),
                description: "Approved by berth for privateEndpoints.vault".to_owned(),
            }
        );
    }

    #[test]
    fn a_manual_connection_is_asked_for() {
        let more =
            json!({ "manual": true, "requestMessage": "please", "dns": "none", "customNicName": "nic" });
        let (drafts, problems) = expand("privateEndpoints", "vault", fields(more));
        assert_eq!(problems, []);
        assert_eq!(addresses(&drafts), ["privateEndpoints.vault", "privateEndpoints.vault.connection"]);
        let properties = &drafts[0].body["properties"];
        assert_eq!(properties.get("privateLinkServiceConnections"), None);
        assert_eq!(
            properties["manualPrivateLinkServiceConnections"][0]["properties"]["requestMessage"],
            "please"
        );
        assert_eq!(properties["customNetworkInterfaceName"], "nic");
        assert_eq!(id(&drafts[1]), format!("{}/manualPrivateLinkServiceConnections/vault", id(&drafts[0])));
        let (drafts, _) =
            expand("privateEndpoints", "vault", fields(json!({ "approve": false, "dns": "none" })));
        assert_eq!(addresses(&drafts), ["privateEndpoints.vault"]);
    }

    #[test]
    fn literal_ids_do_as_well_as_references() {
        let subnet = format!("{GROUP}/Microsoft.Network/virtualNetworks/Hub/subnets/pe");
        let storage = format!("{GROUP}/Microsoft.Storage/storageAccounts/shop");
        let more = json!({ "target": storage, "subnet": subnet, "group": "FILE" });
        let (drafts, problems) = expand("privateEndpoints", "files", fields(more));
        assert_eq!(problems, []);
        let connection = &drafts[0].body["properties"]["privateLinkServiceConnections"][0];
        assert_eq!(connection["properties"]["groupIds"], json!(["file"]));
        let link = &drafts[2];
        assert!(id(link).contains("/virtualNetworkLinks/link-Hub-"));
        assert_eq!(
            link.body["properties"]["virtualNetwork"]["id"],
            format!("{GROUP}/Microsoft.Network/virtualNetworks/Hub")
        );
    }

    #[test]
    fn zones_can_be_given() {
        let zone = format!("{GROUP}/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net");
        let more = json!({ "dns": [zone, reference("resources.own_zone")], "approve": false });
        let (drafts, problems) = expand("privateEndpoints", "vault", fields(more));
        assert_eq!(problems, []);
        assert_eq!(addresses(&drafts), ["privateEndpoints.vault", "privateEndpoints.vault.dns"]);
        assert_eq!(
            drafts[1].body["properties"]["privateDnsZoneConfigs"],
            json!([
                { "name": "privatelink-vaultcore-azure-net", "properties": { "privateDnsZoneId": zone } },
                { "name": "own_zone", "properties": { "privateDnsZoneId": wants("resources.own_zone", "id") } },
            ])
        );
    }

    #[test]
    fn a_zone_may_be_named_after_its_region() {
        let target = format!("{GROUP}/Microsoft.ContainerService/managedClusters/aks");
        let more = json!({ "target": target, "location": "West Europe" });
        let (drafts, problems) = expand("privateEndpoints", "api", fields(more));
        assert_eq!(problems, []);
        assert_eq!(drafts[1].address.as_str(), "privateDns.privatelink.westeurope.azmk8s.io");
    }

    #[test]
    fn addresses_can_be_fixed() {
        let more = json!({
            "ipConfigurations": { "main": { "address": "10.20.16.5", "member": "default" } },
            "applicationSecurityGroups": [reference("resources.asg")],
        });
        let (drafts, _) = expand("privateEndpoints", "vault", fields(more));
        let properties = &drafts[0].body["properties"];
        assert_eq!(
            properties["ipConfigurations"],
            json!([{ "name": "main", "properties": {
                "groupId": "vault", "memberName": "default", "privateIPAddress": "10.20.16.5",
            } }])
        );
        assert_eq!(properties["applicationSecurityGroups"], json!([{ "id": wants("resources.asg", "id") }]));
    }

    fn live(manual: bool) -> Value {
        let connection = json!({
            "name": "vault", "etag": "W/\"1\"", "type": "Microsoft.Network/privateEndpoints/privateLinkServiceConnections",
            "id": format!("{GROUP}/Microsoft.Network/privateEndpoints/vault/privateLinkServiceConnections/vault"),
            "properties": {
                "provisioningState": "Succeeded", "groupIds": ["vault"],
                "privateLinkServiceId": format!("{GROUP}/microsoft.keyvault/Vaults/kv"),
                "privateLinkServiceConnectionState": {
                    "status": "Approved", "description": "Auto-Approved", "actionsRequired": "None",
                },
            },
        });
        let (automatic, manual) =
            if manual { (json!([]), json!([connection])) } else { (json!([connection]), json!([])) };
        json!({
            "name": "vault", "id": format!("{GROUP}/Microsoft.Network/privateEndpoints/vault"), "etag": "W/\"1\"",
            "type": "Microsoft.Network/privateEndpoints", "location": "westeurope",
            "properties": {
                "provisioningState": "Succeeded", "resourceGuid": "g",
                "privateLinkServiceConnections": automatic, "manualPrivateLinkServiceConnections": manual,
                "customNetworkInterfaceName": "", "ipConfigurations": [],
                "subnet": { "id": format!("{GROUP}/Microsoft.Network/virtualNetworks/hub/subnets/pe") },
                "networkInterfaces": [{ "id": "n" }],
                "customDnsConfigs": [{ "fqdn": "kv.vault.azure.net", "ipAddresses": ["10.0.0.4"] }],
            },
        })
    }

    #[test]
    fn what_azure_answers_is_no_change_and_a_new_target_replaces() {
        let with = |more: Value| {
            let mut all = fields(json!({
                "target": format!("{GROUP}/Microsoft.KeyVault/vaults/kv"),
                "subnet": format!("{GROUP}/Microsoft.Network/virtualNetworks/hub/subnets/pe"),
            }));
            crate::catalog::merge_over(&mut all, &more);
            expand("privateEndpoints", "vault", all).0
        };
        let drafts = with(json!({ "requestMessage": "hello" }));
        assert_eq!(changes(&drafts[0], &live(false)), NONE);
        let other = json!({ "target": format!("{GROUP}/Microsoft.KeyVault/vaults/other") });
        assert_eq!(
            changes(&with(other)[0], &live(false)),
            ["properties.privateLinkServiceConnections[vault].properties.privateLinkServiceId!"]
        );
        assert_eq!(
            changes(&with(json!({ "manual": true }))[0], &live(false)),
            ["properties.manualPrivateLinkServiceConnections[vault]!"]
        );
        assert_eq!(changes(&with(json!({ "manual": true }))[0], &live(true)), NONE);

        let [_, zone, link, group, approval] = &drafts[..] else { panic!("{drafts:#?}") };
        let mut group = group.clone();
        // What linking puts in place of the reference.
        group.body["properties"]["privateDnsZoneConfigs"][0]["properties"]["privateDnsZoneId"] =
            id(zone).into();
        let group = &group;
        let live_zone = json!({
            "location": "global", "etag": "x",
            "properties": { "numberOfRecordSets": 1, "maxNumberOfRecordSets": 25000, "provisioningState": "Succeeded" },
        });
        assert_eq!(changes(zone, &live_zone), NONE);
        let live_link = |network: &str| {
            json!({ "location": "global", "properties": {
            "virtualNetwork": { "id": format!("{GROUP}/Microsoft.Network/virtualNetworks/{network}") },
            "registrationEnabled": false, "resolutionPolicy": "Default", "virtualNetworkLinkState": "Completed",
        } })
        };
        assert_eq!(changes(link, &live_link("HUB")), NONE);
        assert_eq!(changes(link, &live_link("other")), ["properties.virtualNetwork.id!"]);
        let live_group = |zone: &str| {
            json!({ "properties": { "privateDnsZoneConfigs": [{
            "name": "privatelink-vaultcore-azure-net", "id": "x", "etag": "W/\"1\"",
            "properties": {
                "privateDnsZoneId": format!("{GROUP}/Microsoft.Network/privateDnsZones/{zone}"),
                "recordSets": [{ "recordType": "A", "ttl": 10 }],
            },
        }] } })
        };
        assert_eq!(changes(group, &live_group("PrivateLink.vaultcore.azure.net")), NONE);
        assert_eq!(changes(group, &live_group("other")).len(), 1);
        assert!(changes(group, &live_group("other"))[0].ends_with('!'));
        let state = |status: &str| json!({ "properties": { "privateLinkServiceConnectionState": { "status": status } } });
        assert_eq!(changes(approval, &state("Approved")), NONE);
        assert_eq!(changes(approval, &state("Pending")).len(), 1);
    }

    #[test]
    fn says_what_cannot_be() {
        let alias = "pls.0c2e8f9b-0000-0000-0000-000000000000.westeurope.azure.privatelinkservice";
        let instance = format!("{GROUP}/Microsoft.Sql/managedInstances/mi");
        for (more, expected) in [
            (json!({ "target": "vault" }), vec!["private-endpoint-target"]),
            (json!({ "target": alias }), vec!["private-endpoint-alias"]),
            (json!({ "target": alias, "manual": true }), vec![]),
            (json!({ "target": instance }), vec!["private-endpoint-dns"]),
            (json!({ "target": reference("resources.registry") }), vec!["private-endpoint-group"]),
            (json!({ "target": reference("resources.registry"), "group": "registry" }), vec![]),
            (json!({ "target": reference("resources.x"), "group": "x" }), vec!["private-endpoint-dns"]),
            (json!({ "target": reference("resources.x"), "group": "x", "dns": "none" }), vec![]),
            (json!({ "group": "valut", "dns": "none" }), vec!["private-endpoint-group"]),
            (json!({ "subnet": "pe" }), vec!["private-endpoint-subnet"]),
            (
                json!({ "subnet": format!("{GROUP}/Microsoft.Network/virtualNetworks/hub") }),
                vec!["private-endpoint-subnet"],
            ),
            (json!({ "subnet": reference("resources.subnet") }), vec!["private-endpoint-network"]),
            (json!({ "subnet": reference("resources.subnet"), "dns": "none" }), vec![]),
            (json!({ "requestMessage": "x".repeat(141) }), vec!["private-endpoint-message"]),
            (json!({ "dns": ["zone"] }), vec!["private-endpoint-zone"]),
            (json!({ "dns": "automatic" }), vec!["shape"]),
            (json!({ "name": "pe-" }), vec!["private-endpoint-name"]),
        ] {
            assert_eq!(codes(expand("privateEndpoints", "vault", fields(more.clone()))), expected, "{more}");
        }
    }

    #[test]
    fn two_endpoints_ask_for_the_same_zone_and_link() {
        let zones = |key: &str| {
            let drafts = expand("privateEndpoints", key, fields(json!({}))).0;
            drafts.iter().filter(|draft| draft.shared).map(|draft| id(draft).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(zones("one"), zones("two"));
        assert_eq!(zones("one").len(), 2);
    }
}
