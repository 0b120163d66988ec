//! Private link services: `Microsoft.Network/privateLinkServices`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/privatelinkservices>).

use super::naming::{NETWORK, NameRule};
use super::parts::members;
use super::subnets;
use crate::catalog::{Draft, EntryCx, EntryKind, Facet, Lane, Problem, Reference, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A private link service.
pub struct PrivateLinkService;

/// A private link service: what others reach through private endpoints of theirs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The subnet whose addresses its traffic comes from; with `privateLinkServiceNetworkPolicies: false`.
    #[schemars(extend("x-wants" = "subnet"))]
    subnet: Reference,
    /// How many addresses of the subnet it takes, 1 to 8; 1 when absent. Each serves some thousand connections.
    addresses: Option<usize>,
    /// The frontends of a Standard load balancer that it leads to, by their ids.
    #[serde(default)]
    frontends: Vec<String>,
    /// A private address that it leads to, in place of a load balancer.
    destination: Option<String>,
    /// The subscriptions that can see it, or `['*']`; only those with a role on it when absent.
    #[serde(default)]
    visible_to: Vec<String>,
    /// The subscriptions whose connections are approved as they come, without approval. Better leave it out
    /// and name who may connect in `approvals`.
    #[serde(default)]
    approve_from: Vec<String>,
    /// Whether the target receives the caller's address (the PROXY protocol, version 2); Azure's default (`false`)
    /// when absent.
    proxy_protocol: Option<bool>,
    /// Names under which it is known.
    #[serde(default)]
    fqdns: Vec<String>,
}

const SERVICES: &str = "Microsoft.Network/privateLinkServices";

/// The service.
pub static PRIVATE_LINK_SERVICE: ResourceType = ResourceType {
    lanes: &[
        Lane::Ancestor(SERVICES),
        Lane::Of("Microsoft.Network/virtualNetworks", "/properties/ipConfigurations/0/properties/subnet/id"),
    ],
    rules: &[
        Rule::at("properties.ipConfigurations").keyed("name").alike(),
        Rule::at("properties.ipConfigurations[].id").read_only(),
        Rule::at("properties.ipConfigurations[].type").read_only(),
        Rule::at("properties.ipConfigurations[].etag").read_only(),
        Rule::at("properties.ipConfigurations[].properties.provisioningState").read_only(),
        Rule::at("properties.ipConfigurations[].properties.subnet.id").fold_case().immutable(),
        Rule::at("properties.ipConfigurations[].properties.privateIPAllocationMethod")
            .fold_case()
            .default("\"Dynamic\""),
        Rule::at("properties.ipConfigurations[].properties.privateIPAddressVersion")
            .fold_case()
            .default("\"IPv4\""),
        Rule::at("properties.loadBalancerFrontendIpConfigurations").immutable(),
        Rule::at("properties.loadBalancerFrontendIpConfigurations[].id").fold_case(),
        Rule::at("properties.loadBalancerFrontendIpConfigurations[]").reference(),
        Rule::at("properties.ipConfigurations[].properties.subnet").reference(),
        Rule::at("properties.destinationIPAddress").immutable(),
        Rule::at("properties.visibility.subscriptions").set().fold_case().default("[]"),
        Rule::at("properties.autoApproval.subscriptions").set().fold_case().default("[]"),
        Rule::at("properties.enableProxyProtocol").default("false"),
        Rule::at("properties.fqdns").set().fold_case().default("[]"),
        Rule::at("properties.alias").read_only(),
        Rule::at("properties.networkInterfaces").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
    ],
    cross_check: Some(|around, problems| {
        let pointer = "/properties/ipConfigurations/0/properties/subnet/id";
        subnets::takes_link_services(around, pointer, "subnet", problems);
    }),
    facets: &[Facet::new(
        "alias",
        "/properties/alias",
        "the name by which others name it as the target of an endpoint",
    )],
    expected: Duration::from_secs(15),
    expected_update: Duration::from_secs(10),
    expected_delete: Duration::from_secs(15),
    ..ResourceType::new(SERVICES, "2025-05-01", "private link service")
};

const CODES: &[&Code] =
    &[&PRIVATE_LINK_SERVICE_NAME, &PRIVATE_LINK_SERVICE_TARGET, &PRIVATE_LINK_SERVICE_SUBSCRIPTIONS];

const PRIVATE_LINK_SERVICE_NAME: Code = Code {
    name: "private-link-service-name",
    why: "The name cannot be that of a private link service.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "name: pls-shop",
};

const NAME: NameRule =
    NameRule { code: &PRIVATE_LINK_SERVICE_NAME, what: "a private link service", ..NETWORK };

const PRIVATE_LINK_SERVICE_TARGET: Code = Code {
    name: "private-link-service-target",
    why: "A private link service leads to frontends of a Standard load balancer, or to one private address.",
    remedy: "Write `frontends` or `destination`, not both.",
    example: "privateLinkServices: { shop: { subnet: '${networks.hub.subnets.link}', destination: 10.20.0.10 } }",
};

const PRIVATE_LINK_SERVICE_SUBSCRIPTIONS: Code = Code {
    name: "private-link-service-subscriptions",
    why: "Who sees a service, and whose connections are approved as they come, are subscriptions; the latter see it too.",
    remedy: "Write GUIDs, each of `approveFrom` also in `visibleTo`.",
    example: "visibleTo: [22222222-0000-4000-8000-000000000002]",
};

impl EntryKind for PrivateLinkService {
    const SECTION: &'static str = "privateLinkServices";
    const TITLE: &'static str = "private link service";
    const ARM_TYPE: &'static str = SERVICES;
    const ABOUT: &'static str = "A private link service: what others reach through private endpoints of theirs, also from \
        other tenants, which know it by its alias. Connections wait until an entry of `approvals` names who asks.";
    const EXAMPLE: &'static str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      link: { prefix: 10.20.32.0/27, privateLinkServiceNetworkPolicies: false }
privateLinkServices:
  shop:
    name: pls-shop
    subnet: ${networks.hub.subnets.link}
    destination: 10.20.0.10
    visibleTo: [22222222-0000-4000-8000-000000000002]
";
    const TYPES: &'static [&'static ResourceType] = &[&PRIVATE_LINK_SERVICE];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        spec.check(&name, cx);
        let address = |at: usize| {
            json!({ "name": format!("ip-{}", at + 1), "properties": {
                "primary": at == 0, "privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4",
                "subnet": { "id": spec.subnet.id() },
            } })
        };
        let addresses: Vec<Value> = (0..spec.addresses.unwrap_or(1)).map(address).collect();
        let frontends: Vec<Value> = spec.frontends.iter().map(|id| json!({ "id": id })).collect();
        let list = |all: &[String]| (!all.is_empty()).then(|| json!({ "subscriptions": all }));
        let properties = members([
            ("ipConfigurations", Some(Value::Array(addresses))),
            (
                "loadBalancerFrontendIpConfigurations",
                (!frontends.is_empty()).then_some(Value::Array(frontends)),
            ),
            ("destinationIPAddress", spec.destination.clone().map(Value::from)),
            ("visibility", list(&spec.visible_to)),
            ("autoApproval", list(&spec.approve_from)),
            ("enableProxyProtocol", spec.proxy_protocol.map(Value::from)),
            ("fqdns", (!spec.fqdns.is_empty()).then(|| json!(spec.fqdns))),
        ]);
        let body = cx.tracked(properties);
        let id = cx.id(SERVICES, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &PRIVATE_LINK_SERVICE, body));
    }
}

impl Spec {
    fn check(&self, name: &str, cx: &mut EntryCx<'_>) {
        NAME.check(name, "name", cx);
        super::parts::within(self.addresses.map(|n| n as i64), 1..=8, "addresses", cx);
        if self.frontends.is_empty() == self.destination.is_none() {
            let message = match self.destination {
                None => "the service leads nowhere",
                Some(_) => "the service leads to a load balancer and to an address",
            };
            cx.problem(
                Problem::error(&PRIVATE_LINK_SERVICE_TARGET, "", message)
                    .help("write one of `frontends` and `destination`"),
            );
        }
        if let Some(address) = self.destination.as_deref().filter(|a| !has_token(a))
            && address.parse::<std::net::IpAddr>().is_err()
        {
            let message = format!("`{}` is not an address", display_text(address));
            cx.problem(
                Problem::error(&PRIVATE_LINK_SERVICE_TARGET, "destination", message)
                    .help("write a private address, such as `10.20.0.10`"),
            );
        }
        for (field, all) in [("visibleTo", &self.visible_to), ("approveFrom", &self.approve_from)] {
            for (at, one) in all.iter().enumerate().filter(|(_, one)| !has_token(one)) {
                if one != "*" && uuid::Uuid::try_parse(one).is_err() {
                    let message = format!("`{}` is not the GUID of a subscription", display_text(one));
                    cx.problem(
                        Problem::error(
                            &PRIVATE_LINK_SERVICE_SUBSCRIPTIONS,
                            format!("{field}[{at}]"),
                            message,
                        )
                        .help("write the GUID, or `*` for everybody"),
                    );
                }
            }
        }
        let seen = |one: &String| self.visible_to.iter().any(|v| v == "*" || v.eq_ignore_ascii_case(one));
        for (at, one) in self.approve_from.iter().enumerate() {
            if one == "*" {
                let message = "every subscription in the world would be connected without approval";
                cx.problem(
                    Problem::warning(
                        &PRIVATE_LINK_SERVICE_SUBSCRIPTIONS,
                        format!("approveFrom[{at}]"),
                        message,
                    )
                    .help("name subscriptions, or leave it out and name who may connect in `approvals`"),
                );
            } else if !seen(one) {
                let message =
                    format!("`{}` is to be approved and does not see the service", display_text(one));
                cx.problem(
                    Problem::error(
                        &PRIVATE_LINK_SERVICE_SUBSCRIPTIONS,
                        format!("approveFrom[{at}]"),
                        message,
                    )
                    .help("write it into `visibleTo` too"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference, wants};

    fn fields(more: Value) -> Value {
        let mut fields =
            json!({ "subnet": reference("networks.hub.subnets.link"), "destination": "10.20.0.10" });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    #[test]
    fn what_azure_answers_is_no_change() {
        let (drafts, problems) = expand("privateLinkServices", "shop", fields(json!({ "visibleTo": ["*"] })));
        assert_eq!(problems, []);
        let mut live = drafts[0].body.clone();
        live["properties"]["alias"] = json!("shop.x.westeurope.azure.privatelinkservice");
        live["properties"]["ipConfigurations"][0]["id"] = json!("x");
        live["properties"]["privateEndpointConnections"] = json!([{ "id": "y" }]);
        assert_eq!(
            live["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"],
            wants("networks.hub.subnets.link", "id")
        );
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (more, code) in [
            (json!({ "name": "-a" }), "private-link-service-name"),
            (
                json!({ "frontends": ["/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/loadBalancers/l/frontendIPConfigurations/f"] }),
                "private-link-service-target",
            ),
            (json!({ "destination": "10.20.0.0/24" }), "private-link-service-target"),
            (json!({ "visibleTo": ["shop"] }), "private-link-service-subscriptions"),
            (
                json!({ "approveFrom": ["22222222-0000-4000-8000-000000000002"] }),
                "private-link-service-subscriptions",
            ),
            (json!({ "approveFrom": ["*"] }), "private-link-service-subscriptions"),
            (json!({ "addresses": 9 }), "out-of-range"),
        ] {
            assert_eq!(codes(expand("privateLinkServices", "shop", fields(more.clone()))), [code], "{more}");
        }
    }
}
