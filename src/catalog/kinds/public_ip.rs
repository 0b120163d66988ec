//! Public IP addresses: `Microsoft.Network/publicIPAddresses`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/publicipaddresses>).

use super::addresses::idle_timeout;
use super::naming::{NETWORK, NameRule, small};
use crate::catalog::{Draft, EntryCx, EntryKind, Facet, Lane, Named, Problem, Reference, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::has_token;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A public IP address.
pub struct PublicIp;

/// A public IP address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// `Standard` or `StandardV2`. Never changes.
    /// A new address is `Standard` when absent.
    sku: Option<Sku>,
    /// `Regional`, or `Global` for load balancers across regions. Never changes.
    /// A new address is `Regional` when absent.
    tier: Option<Tier>,
    /// `IPv4` or `IPv6`. Never changes.
    /// A new address is `IPv4` when absent.
    version: Option<Version>,
    /// How the address is chosen: `Static`, which is all that these SKUs have.
    /// A new address is `Static` when absent.
    allocation: Option<Allocation>,
    /// The zones it lives in, such as `['1', '2', '3']`; Azure's choice when absent. Never changes.
    zones: Option<Vec<String>>,
    /// How long an idle connection is kept, in minutes (4 to 30); Azure's default (4) when absent.
    idle_timeout_minutes: Option<i64>,
    /// A name in the region's DNS: `shop` gives `shop.westeurope.cloudapp.azure.com`.
    dns_label: Option<String>,
    /// The name that a reverse lookup of the address gives.
    reverse_fqdn: Option<String>,
    /// The public IP prefix that the address is taken from. Never changes.
    #[schemars(extend("x-wants" = "public address prefix"))]
    prefix: Option<Reference>,
    /// Tags of the address itself, such as `RoutingPreference: Internet`. Never change.
    #[serde(default)]
    ip_tags: Named<String>,
    /// Whether it is protected against denial of service: `VirtualNetworkInherited`, `Enabled` or `Disabled`.
    ddos_protection: Option<DdosProtection>,
    /// The DDoS protection plan, for `ddosProtection: Enabled`.
    #[schemars(extend("x-wants" = "DDoS protection plan"))]
    ddos_protection_plan: Option<Reference>,
}

/// The SKU of an address.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
pub enum Sku {
    /// Standard.
    #[default]
    Standard,
    /// Standard, zone-redundant by itself; for NAT gateways of that SKU.
    StandardV2,
}

/// How far an address reaches.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
pub enum Tier {
    /// One region.
    #[default]
    Regional,
    /// All regions.
    Global,
}

/// The protocol of an address.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
pub enum Version {
    /// Four bytes.
    #[default]
    IPv4,
    /// Sixteen bytes.
    IPv6,
}

/// How an address is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Allocation {
    /// Once, and kept.
    #[default]
    Static,
    /// Whenever it is attached.
    Dynamic,
}

/// Protection against denial of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum DdosProtection {
    /// As the network of whatever it is attached to.
    VirtualNetworkInherited,
    /// On.
    Enabled,
    /// Off.
    Disabled,
}

pub(super) const ADDRESS: &str = "Microsoft.Network/publicIPAddresses";

/// A public address.
pub static PUBLIC_IP: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(ADDRESS)],
    rules: &[
        Rule::at("sku.name").immutable().fold_case(),
        Rule::at("sku.tier").immutable().fold_case().default("\"Regional\""),
        Rule::at("zones").immutable().set(),
        Rule::at("properties.publicIPAllocationMethod").immutable().fold_case().default("\"Static\""),
        Rule::at("properties.publicIPAddressVersion").immutable().fold_case().default("\"IPv4\""),
        Rule::at("properties.publicIPPrefix").immutable(),
        Rule::at("properties.ipTags").immutable().keyed("ipTagType"),
        Rule::at("properties.idleTimeoutInMinutes").default("4"),
        Rule::at("properties.dnsSettings").whole(),
        Rule::at("properties.dnsSettings.domainNameLabel").fold_case(),
        Rule::at("properties.dnsSettings.fqdn").read_only(),
        Rule::at("properties.ddosSettings").whole(),
        Rule::at("properties.ipAddress").read_only(),
        Rule::at("properties.ipConfiguration").read_only(),
        Rule::at("properties.natGateway").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
    ],
    facets: &[
        Facet::new("ipAddress", "/properties/ipAddress", "the address"),
        Facet::new("fqdn", "/properties/dnsSettings/fqdn", "its name in DNS, when it has a `dnsLabel`"),
    ],
    expected: Duration::from_secs(6),
    ..ResourceType::new(ADDRESS, "2025-05-01", "public IP address")
};

const PUBLIC_IP_NAME: Code = Code {
    name: "public-ip-name",
    why: "The name cannot be that of a public address.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "name: pip-egress",
};

const NAME: NameRule = NameRule { code: &PUBLIC_IP_NAME, what: "a public IP address", ..NETWORK };
const PUBLIC_IP_DNS_LABEL: Code = Code {
    name: "public-ip-dns-label",
    why: "The label becomes part of a public DNS name.",
    remedy: "Use 3 to 63 small letters, digits and `-`, a letter first.",
    example: "dnsLabel: shop",
};

const LABEL: NameRule = NameRule {
    code: &PUBLIC_IP_DNS_LABEL,
    what: "a public IP address in DNS",
    min: 3,
    max: 63,
    first: |c| c.is_ascii_lowercase(),
    inner: |c| small(c) || c == '-',
    last: small,
    says: "3 to 63 small letters, digits and `-`, the first a letter, the last no `-`",
};

const PUBLIC_IP_ALLOCATION: Code = Code {
    name: "public-ip-allocation",
    why: "Addresses of this SKU are always static.",
    remedy: "Leave `allocation` out.",
    example: "publicIps: { egress: { zones: [\"1\"] } }",
};

const PUBLIC_IP_DDOS: Code = Code {
    name: "public-ip-ddos",
    why: "A plan against attacks has an effect only where protection is on.",
    remedy: "Add `ddosProtection: Enabled`, or remove the plan.",
    example: "ddosProtection: Enabled",
};

impl EntryKind for PublicIp {
    const SECTION: &'static str = "publicIps";
    const TITLE: &'static str = "public IP address";
    const ARM_TYPE: &'static str = ADDRESS;
    const TYPES: &'static [&'static ResourceType] = &[&PUBLIC_IP];
    const ABOUT: &'static str = "A public IP address, for NAT gateways, load balancers and clusters.";
    const EXAMPLE: &'static str = "\
publicIps:
  egress:
    name: pip-shop-egress
    zones: ['1', '2', '3']
    dnsLabel: shop-egress
outputs:
  egressAddress: ${publicIps.egress.ipAddress}
";
    const CODES: &'static [&'static [&'static Code]] =
        &[&[&PUBLIC_IP_NAME, &PUBLIC_IP_DNS_LABEL, &PUBLIC_IP_ALLOCATION, &PUBLIC_IP_DDOS, &ZONE]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        idle_timeout(spec.idle_timeout_minutes, 30, "idleTimeoutMinutes", cx);
        check_zones(spec.zones.as_deref(), cx);
        if spec.allocation == Some(Allocation::Dynamic) {
            cx.problem(
                Problem::error(
                    &PUBLIC_IP_ALLOCATION,
                    "allocation",
                    "an address of this SKU is always static",
                )
                .help("leave `allocation` out; the SKU that had dynamic addresses was retired in 2025"),
            );
        }
        if let Some(label) = &spec.dns_label {
            LABEL.check(label, "dnsLabel", cx);
        }
        if spec.ddos_protection_plan.is_some() && spec.ddos_protection != Some(DdosProtection::Enabled) {
            let message = "a DDoS protection plan takes effect only when protection is enabled";
            cx.problem(
                Problem::error(&PUBLIC_IP_DDOS, "ddosProtectionPlan", message)
                    .help("add `ddosProtection: Enabled`, or remove the plan"),
            );
        }
        let tags: Vec<Value> =
            spec.ip_tags.iter().map(|(kind, tag)| json!({ "ipTagType": kind, "tag": tag })).collect();
        let dns: Map<String, Value> =
            [("domainNameLabel", spec.dns_label), ("reverseFqdn", spec.reverse_fqdn)]
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
                .collect();
        let plan = spec.ddos_protection_plan.map(|plan| json!({ "id": plan.id() }));
        let ddos = spec.ddos_protection.map(|mode| {
            let mut settings = json!({ "protectionMode": mode });
            if let Some(plan) = plan {
                settings["ddosProtectionPlan"] = plan;
            }
            settings
        });
        let mut properties = json!({
            "publicIPAllocationMethod": spec.allocation.unwrap_or_default(),
            "publicIPAddressVersion": spec.version.unwrap_or_default(),
        });
        for (name, value) in [
            ("idleTimeoutInMinutes", spec.idle_timeout_minutes.map(Value::from)),
            ("dnsSettings", (!dns.is_empty()).then_some(Value::Object(dns))),
            ("publicIPPrefix", spec.prefix.map(|prefix| json!({ "id": prefix.id() }))),
            ("ipTags", (!tags.is_empty()).then_some(Value::Array(tags))),
            ("ddosSettings", ddos),
        ] {
            if let Some(value) = value {
                properties[name] = value;
            }
        }
        let mut body = cx.tracked(properties);
        body["sku"] = json!({ "name": spec.sku.unwrap_or_default(), "tier": spec.tier.unwrap_or_default() });
        if let Some(zones) = spec.zones {
            body["zones"] = json!(zones);
        }
        let id = cx.id(ADDRESS, &[&name]);
        let unsaid = [
            ("sku.name", spec.sku.is_none()),
            ("sku.tier", spec.tier.is_none()),
            ("properties.publicIPAllocationMethod", spec.allocation.is_none()),
            ("properties.publicIPAddressVersion", spec.version.is_none()),
        ];
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &PUBLIC_IP, body).initially_if(&unsaid));
    }
}

const ZONE: Code = Code {
    name: "zone",
    why: "A region has the zones 1, 2 and 3.",
    remedy: "Write them as texts.",
    example: "zones: [\"1\", \"2\", \"3\"]",
};

/// Reports what is not a zone.
pub(super) fn check_zones(zones: Option<&[String]>, cx: &mut EntryCx<'_>) {
    for zone in zones.unwrap_or_default() {
        if !has_token(zone) && !matches!(zone.as_str(), "1" | "2" | "3") {
            cx.problem(
                Problem::error(&ZONE, "zones", format!("`{zone}` is not an availability zone"))
                    .help("write zones by their numbers, as in `['1', '2', '3']`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand};

    #[test]
    fn the_sku_is_always_said_and_the_body_is_as_azure_answers() {
        let fields =
            json!({ "zones": ["1"], "dnsLabel": "shop", "ipTags": { "RoutingPreference": "Internet" } });
        let (drafts, problems) = expand("publicIps", "egress", fields);
        assert_eq!(problems, []);
        assert_eq!(
            drafts[0].created(),
            json!({
                "location": "westeurope", "sku": { "name": "Standard", "tier": "Regional" }, "zones": ["1"],
                "properties": {
                    "publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4",
                    "dnsSettings": { "domainNameLabel": "shop" },
                    "ipTags": [{ "ipTagType": "RoutingPreference", "tag": "Internet" }],
                },
            })
        );
        let mut live = drafts[0].created();
        live["properties"]["ipAddress"] = "20.1.2.3".into();
        live["properties"]["dnsSettings"]["fqdn"] = "shop.westeurope.cloudapp.azure.com".into();
        live["properties"]["ipConfiguration"] = json!({ "id": "x" });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        live["zones"] = json!(["2"]);
        live["sku"]["name"] = "Basic".into();
        // The blueprint leaves the SKU out, so an address of another one is not a change.
        assert_eq!(changes(&drafts[0], &live), ["zones!"]);
        let (drafts, _) = expand("publicIps", "egress", json!({ "sku": "Standard" }));
        assert_eq!(changes(&drafts[0], &live), ["sku.name!"]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields, code) in [
            (json!({ "allocation": "Dynamic" }), "public-ip-allocation"),
            (json!({ "sku": "Basic" }), "shape"),
            (json!({ "zones": ["west"] }), "zone"),
            (json!({ "idleTimeoutMinutes": 31 }), "idle-timeout"),
            (json!({ "dnsLabel": "Shop" }), "public-ip-dns-label"),
            (json!({ "ddosProtectionPlan": "/subscriptions/s" }), "public-ip-ddos"),
            (json!({ "name": "pip-" }), "public-ip-name"),
        ] {
            assert_eq!(codes(expand("publicIps", "egress", fields.clone())), [code], "{fields}");
        }
    }
}
