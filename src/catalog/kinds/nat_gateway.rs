//! NAT gateways: `Microsoft.Network/natGateways`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/natgateways>).

use super::addresses::idle_timeout;
use super::naming::{NETWORK, NameRule};
use super::public_ip::check_zones;
use crate::catalog::{Draft, EntryCx, EntryKind, Lane, Merged, Problem, Reference, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// A NAT gateway.
pub struct NatGateway;

/// A NAT gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// `Standard`, which lives in one zone, or `StandardV2`, which lives in all of them. A new gateway is `Standard` when
    /// absent. Never changes.
    sku: Option<Sku>,
    /// The zone it lives in, such as `['1']`; Azure's choice when absent. Never changes.
    zones: Option<Vec<String>>,
    /// The public addresses it sends from; of the same SKU and zone.
    #[serde(default)]
    #[schemars(extend("x-wants" = "public address"))]
    public_ips: Vec<Reference>,
    /// The public IP prefixes it sends from.
    #[serde(default)]
    #[schemars(extend("x-wants" = "public address prefix"))]
    public_ip_prefixes: Vec<Reference>,
    /// How long an idle connection is kept, in minutes (4 to 120); Azure's default (4) when absent.
    idle_timeout_minutes: Option<i64>,
}

/// The SKU of a gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Sku {
    /// In one zone.
    #[default]
    Standard,
    /// Across zones.
    StandardV2,
}

pub(super) const GATEWAY: &str = "Microsoft.Network/natGateways";
/// How many addresses a gateway sends from at most
/// (<https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource>).
const MOST_ADDRESSES: usize = 16;

/// A NAT gateway.
pub static NAT_GATEWAY: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(GATEWAY)],
    rules: &[
        Rule::at("sku.name").immutable().fold_case(),
        Rule::at("zones").immutable().set(),
        Rule::at("properties.idleTimeoutInMinutes").default("4"),
        // By id, so that an address that somebody else attached stays.
        Rule::at("properties.publicIpAddresses").keyed("id"),
        Rule::at("properties.publicIpPrefixes").keyed("id"),
        Rule::at("properties.subnets").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
    ],
    expected: Duration::from_secs(20),
    expected_update: Duration::from_secs(10),
    expected_delete: Duration::from_secs(20),
    ..ResourceType::new(GATEWAY, "2025-05-01", "NAT gateway")
};

const NAT_GATEWAY_NAME: Code = Code {
    name: "nat-gateway-name",
    why: "The name cannot be that of a NAT gateway.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "name: ng-shop",
};

const NAME: NameRule = NameRule { code: &NAT_GATEWAY_NAME, what: "a NAT gateway", ..NETWORK };

const NAT_GATEWAY_ADDRESSES: Code = Code {
    name: "nat-gateway-addresses",
    why: "A NAT gateway sends from its public addresses: without one nothing leaves, and more than 16 it cannot have.",
    remedy: "Give it one to sixteen.",
    example: "publicIps: [\"${publicIps.egress}\"]",
};

const NAT_GATEWAY_ZONES: Code = Code {
    name: "nat-gateway-zones",
    why: "A Standard NAT gateway lives in one zone; `StandardV2` in all of them.",
    remedy: "Name one zone, or change the SKU.",
    example: "{ sku: Standard, zones: [\"1\"] }",
};

impl EntryKind for NatGateway {
    const SECTION: &'static str = "natGateways";
    const TITLE: &'static str = "NAT gateway";
    const ARM_TYPE: &'static str = GATEWAY;
    const TYPES: &'static [&'static ResourceType] = &[&NAT_GATEWAY];
    const ABOUT: &'static str =
        "A NAT gateway: what leaves its subnets comes from its public addresses. A subnet names its gateway.";
    const EXAMPLE: &'static str = "\
publicIps:
  egress: { name: pip-shop-egress, zones: ['1'] }
natGateways:
  egress:
    name: ng-shop
    zones: ['1']
    idleTimeoutMinutes: 10
    publicIps: ['${publicIps.egress}']
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20, natGateway: '${natGateways.egress}' }
";
    const MERGED: &'static [Merged] = &[
        Merged::list("publicIps", "properties.publicIpAddresses"),
        Merged::list("publicIpPrefixes", "properties.publicIpPrefixes"),
    ];
    const CODES: &'static [&'static [&'static Code]] =
        &[&[&NAT_GATEWAY_NAME, &NAT_GATEWAY_ADDRESSES, &NAT_GATEWAY_ZONES]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        idle_timeout(spec.idle_timeout_minutes, 120, "idleTimeoutMinutes", cx);
        check_zones(spec.zones.as_deref(), cx);
        if spec.sku.unwrap_or_default() == Sku::Standard
            && spec.zones.as_ref().is_some_and(|zones| zones.len() > 1)
        {
            cx.problem(
                Problem::error(&NAT_GATEWAY_ZONES, "zones", "a Standard NAT gateway lives in one zone")
                    .help("name one zone, or write `sku: StandardV2`, which lives in all of them"),
            );
        }
        match spec.public_ips.len() + spec.public_ip_prefixes.len() {
            0 => cx.problem(
                Problem::warning(&NAT_GATEWAY_ADDRESSES, "", "this NAT gateway has no address to send from")
                    .help("add `publicIps: ['${publicIps.…}']`; its subnets have no way out until then"),
            ),
            _ if spec.public_ips.len() > MOST_ADDRESSES => {
                let message = format!("a NAT gateway has at most {MOST_ADDRESSES} addresses");
                cx.problem(
                    Problem::error(&NAT_GATEWAY_ADDRESSES, "publicIps", message)
                        .help("use a second gateway for some of the subnets"),
                );
            }
            _ => {}
        }
        let ids = |references: &[Reference]| -> Value {
            references.iter().map(|reference| json!({ "id": reference.id() })).collect()
        };
        let mut properties = json!({});
        for (name, references) in
            [("publicIpAddresses", &spec.public_ips), ("publicIpPrefixes", &spec.public_ip_prefixes)]
        {
            if !references.is_empty() {
                properties[name] = ids(references);
            }
        }
        if let Some(minutes) = spec.idle_timeout_minutes {
            properties["idleTimeoutInMinutes"] = minutes.into();
        }
        let mut body = cx.tracked(properties);
        body["sku"] = json!({ "name": spec.sku.unwrap_or_default() });
        if let Some(zones) = spec.zones {
            body["zones"] = json!(zones);
        }
        let id = cx.id(GATEWAY, &[&name]);
        let unsaid = [("sku", spec.sku.is_none())];
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &NAT_GATEWAY, body).initially_if(&unsaid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference, wants};

    #[test]
    fn addresses_are_attached_by_id_and_those_of_others_stay() {
        let fields = json!({ "publicIps": [reference("publicIps.a")], "idleTimeoutMinutes": 10 });
        let (drafts, problems) = expand("natGateways", "egress", fields);
        assert_eq!(problems, []);
        assert_eq!(
            drafts[0].created(),
            json!({
                "location": "westeurope", "sku": { "name": "Standard" },
                "properties": {
                    "publicIpAddresses": [{ "id": wants("publicIps.a", "id") }], "idleTimeoutInMinutes": 10,
                },
            })
        );
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/a";
        let (drafts, _) = expand("natGateways", "egress", json!({ "publicIps": [id] }));
        let live = json!({
            "location": "westeurope", "sku": { "name": "Standard" },
            "properties": { "publicIpAddresses": [{ "id": "/other" }, { "id": id.to_uppercase() }] },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let ids: Vec<String> = (0..17).map(|n| format!("/subscriptions/s/resourceGroups/g{n}")).collect();
        for (fields, code) in [
            (json!({ "zones": ["1", "2"], "publicIps": ["/x"] }), "nat-gateway-zones"),
            (json!({ "idleTimeoutMinutes": 121, "publicIps": ["/x"] }), "idle-timeout"),
            (json!({}), "nat-gateway-addresses"),
            (json!({ "publicIps": ids }), "nat-gateway-addresses"),
            (json!({ "name": "-", "publicIps": ["/x"] }), "nat-gateway-name"),
        ] {
            assert_eq!(codes(expand("natGateways", "egress", fields.clone())), [code], "{fields}");
        }
    }
}
