//! API Management services: `Microsoft.ApiManagement/service`
//! (<https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service>).
//!
//! A deleted service keeps its name for two days. Azure closes a service to public networks only once a private endpoint of
//! it is approved, so a new one is open at first, and a step after the approval closes it.

use super::naming::{NameRule, alphanumeric};
use super::parts::{SYSTEM_IDENTITY, identity, members, switch, within};
use crate::catalog::{Draft, EntryCx, EntryKind, Facet, Lane, Preflight, Problem, Reference, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// An API Management service.
pub struct ApiManagement;

/// An API Management service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Its edition. One of version 2 and the others never become each other.
    sku: Sku,
    /// How many units; 1 (of `Consumption`: 0) when absent.
    capacity: Option<i64>,
    /// The address that is shown as the publisher's, at most 100 characters.
    publisher_email: String,
    /// The name that is shown as the publisher's, at most 100 characters.
    publisher_name: String,
    /// Whether the service answers on public networks. Azure closes only a service that has an approved private endpoint. With
    /// `false` a new one is open until its endpoint in `privateEndpoints`, or the one that `approvals` names, is approved; a
    /// step after that closes it. Without such an endpoint it stays open, and the plan warns.
    public_access: Option<bool>,
    /// How it is in a virtual network; not at all when absent.
    virtual_network: Option<VirtualNetworkSpec>,
    /// The availability zones of a Premium service. Azure chooses when absent.
    #[serde(default)]
    zones: Vec<String>,
    /// The identities with which it acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// Switches that Azure knows by long names, such as
    /// `Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10: "false"`. Those that are left out stay.
    #[serde(default)]
    custom_properties: BTreeMap<String, String>,
}

/// The edition of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Sku {
    /// Paid for by the call; no network and no private endpoint.
    Consumption,
    /// For trying out.
    Developer,
    /// The smallest.
    Basic,
    /// More of everything.
    Standard,
    /// Also zones, regions and networks.
    Premium,
    /// The smallest of version 2; no private endpoint.
    BasicV2,
    /// Version 2, with networks.
    StandardV2,
    /// Version 2, with everything.
    PremiumV2,
}

/// How a service is in a virtual network.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VirtualNetworkSpec {
    /// `Internal`: it answers in the network only. `External`: also on public networks, and it calls others from the network.
    #[serde(rename = "type")]
    kind: NetworkKind,
    /// Its subnet: of its own and not delegated, for the classic editions; delegated to `Microsoft.Web/serverFarms` for
    /// `StandardV2`.
    #[schemars(extend("x-wants" = "subnet"))]
    subnet: Reference,
    /// A Standard public address with a DNS label, through which Azure manages it.
    #[schemars(extend("x-wants" = "public address"))]
    public_ip: Option<Reference>,
}

/// Where a service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NetworkKind {
    /// On public networks too.
    External,
    /// In the network only.
    Internal,
}

const SERVICES: &str = "Microsoft.ApiManagement/service";
const API_VERSION: &str = "2024-05-01";

/// The service.
pub static API_MANAGEMENT: ResourceType = ResourceType {
    stateful: true,
    lanes: &[Lane::Ancestor(SERVICES)],
    at_first: &[("properties.publicNetworkAccess", "\"Enabled\"")],
    rules: &[
        Rule::at("sku.name").fold_case().steps(&[
            ("Developer|Basic|Standard|Premium", "Developer|Basic|Standard|Premium"),
            ("BasicV2|StandardV2|PremiumV2", "BasicV2|StandardV2|PremiumV2"),
        ]),
        Rule::at("zones").set(),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        // Into a network at any time, out of it and into another never.
        Rule::at("properties.virtualNetworkType")
            .fold_case()
            .steps(&[("None", "External|Internal")])
            .default("\"None\""),
        Rule::at("properties.virtualNetworkConfiguration.subnetResourceId").fold_case(),
        Rule::at("properties.virtualNetworkConfiguration.vnetid").read_only(),
        Rule::at("properties.virtualNetworkConfiguration.subnetname").read_only(),
        Rule::at("properties.publicIpAddressId").fold_case(),
        Rule::at("properties.customProperties").map(),
        Rule::at("properties.customProperties.*").fold_case().default("\"False\""),
        Rule::at("properties.hostnameConfigurations").read_only(),
        Rule::at("properties.gatewayUrl").read_only(),
        Rule::at("properties.gatewayRegionalUrl").read_only(),
        Rule::at("properties.managementApiUrl").read_only(),
        Rule::at("properties.developerPortalUrl").read_only(),
        Rule::at("properties.portalUrl").read_only(),
        Rule::at("properties.scmUrl").read_only(),
        Rule::at("properties.publicIPAddresses").read_only(),
        Rule::at("properties.privateIPAddresses").read_only(),
        Rule::at("properties.outboundPublicIPAddresses").read_only(),
        Rule::at("properties.additionalLocations[].gatewayRegionalUrl").read_only(),
        Rule::at("properties.additionalLocations[].outboundPublicIPAddresses").read_only(),
        Rule::at("properties.additionalLocations[].platformVersion").read_only(),
        Rule::at("properties.additionalLocations[].privateIPAddresses").read_only(),
        Rule::at("properties.additionalLocations[].publicIPAddresses").read_only(),
        Rule::at("properties.additionalLocations[].virtualNetworkConfiguration.subnetname").read_only(),
        Rule::at("properties.additionalLocations[].virtualNetworkConfiguration.vnetid").read_only(),
        Rule::at("properties.platformVersion").read_only(),
        Rule::at("properties.createdAtUtc").read_only(),
        Rule::at("properties.targetProvisioningState").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[
        Facet::new("gatewayUrl", "/properties/gatewayUrl", "the URL at which its APIs answer"),
        Facet::new("portalUrl", "/properties/developerPortalUrl", "the URL of its developer portal"),
        Facet::new("privateIp", "/properties/privateIPAddresses/0", "its address in the virtual network"),
        Facet::new("publicIp", "/properties/publicIPAddresses/0", "its public address"),
        Facet::new(
            "outboundIp",
            "/properties/outboundPublicIPAddresses/0",
            "the address that it calls others from",
        ),
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity")
            .given(&SYSTEM_IDENTITY),
    ],
    preflight: &[Preflight::Name {
        path: "Microsoft.ApiManagement/checkNameAvailability",
        api_version: API_VERSION,
    }],
    expected: Duration::from_secs(40 * 60),
    expected_update: Duration::from_secs(20 * 60),
    expected_delete: Duration::from_secs(20 * 60),
    timeout: Duration::from_secs(3 * 60 * 60),
    ..ResourceType::new(SERVICES, API_VERSION, "API Management service")
};

const CODES: &[&Code] = &[&API_MANAGEMENT_NAME, &API_MANAGEMENT_NETWORK, &API_MANAGEMENT_PUBLISHER];

const API_MANAGEMENT_NAME: Code = Code {
    name: "api-management-name",
    why: "The name of an API Management service is part of a DNS name that all of Azure shares.",
    remedy: "Use 1 to 50 letters, digits and `-`, starting with a letter; `uniqueString` keeps it apart from others.",
    example: "name: apim-shop-${uniqueString(azure.resourceGroup)}",
};

const NAME: NameRule = NameRule {
    code: &API_MANAGEMENT_NAME,
    what: "an API Management service",
    min: 1,
    max: 50,
    first: |c| c.is_ascii_alphabetic(),
    inner: |c| alphanumeric(c) || c == '-',
    last: alphanumeric,
    says: "1 to 50 letters, digits and `-`, starting with a letter, not ending with `-`; names of services are taken \
           worldwide, so `${uniqueString(azure.resourceGroup)}` helps",
};

const API_MANAGEMENT_NETWORK: Code = Code {
    name: "api-management-network",
    why: "Networks, zones and private endpoints are for some editions only, and a classic service in a network has no private endpoint.",
    remedy: "Choose another `sku`, or take the field out.",
    example: "apiManagement: { shop: { sku: Premium } }",
};

const API_MANAGEMENT_PUBLISHER: Code = Code {
    name: "api-management-publisher",
    why: "Azure wants a publisher's name and address, of at most 100 characters.",
    remedy: "Write a name, and an address with `@` in it.",
    example: "publisherEmail: apis@example.com",
};

impl EntryKind for ApiManagement {
    const SECTION: &'static str = "apiManagement";
    const TITLE: &'static str = "API Management service";
    const ARM_TYPE: &'static str = SERVICES;
    const ABOUT: &'static str = "An API Management service, its edition and its network. APIs and products are written by those \
        who publish them, and left alone. It is deleted or replaced only with `--allow-delete` or `--allow-replace`.";
    const EXAMPLE: &'static str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      apis: { prefix: 10.20.48.0/27 }
publicIps:
  apis: { name: pip-apis, dnsLabel: apim-shop }
apiManagement:
  shop:
    name: apim-shop-${uniqueString(azure.resourceGroup)}
    sku: Developer
    publisherEmail: apis@example.com
    publisherName: Shop
    identities: [system]
    virtualNetwork:
      type: Internal
      subnet: ${networks.hub.subnets.apis}
      publicIp: ${publicIps.apis}
    customProperties:
      Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2: 'true'
";
    const TYPES: &'static [&'static ResourceType] = &[&API_MANAGEMENT];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        spec.check(&name, cx);
        let network = spec.virtual_network.as_ref();
        let mut body = cx.tracked(members([
            ("publisherEmail", Some(spec.publisher_email.clone().into())),
            ("publisherName", Some(spec.publisher_name.clone().into())),
            ("publicNetworkAccess", spec.public_access.map(switch)),
            ("virtualNetworkType", network.map(|network| json!(network.kind))),
            (
                "virtualNetworkConfiguration",
                network.map(|network| json!({ "subnetResourceId": network.subnet.id() })),
            ),
            (
                "publicIpAddressId",
                network.and_then(|network| network.public_ip.as_ref()).map(|ip| ip.id().into()),
            ),
            ("customProperties", (!spec.custom_properties.is_empty()).then(|| json!(spec.custom_properties))),
        ]));
        let usual = i64::from(spec.sku != Sku::Consumption);
        body["sku"] = json!({ "name": spec.sku, "capacity": spec.capacity.unwrap_or(usual) });
        if !spec.zones.is_empty() {
            body["zones"] = json!(spec.zones);
        }
        if let Some(identity) = identity(&spec.identities, "SystemAssigned, UserAssigned") {
            body["identity"] = identity;
        }
        let id = cx.id(SERVICES, &[&name]);
        let draft = Draft::new(cx.address.clone(), id.as_str(), &API_MANAGEMENT, body);
        cx.main(draft.initially_if(&[("sku.capacity", spec.capacity.is_none())]));
    }
}

impl Spec {
    fn check(&self, name: &str, cx: &mut EntryCx<'_>) {
        NAME.check(name, "name", cx);
        if NAME.allows(name) && name.contains("--") {
            let message = format!("`{}` has two `-` in a row", display_text(name));
            cx.problem(Problem::error(&API_MANAGEMENT_NAME, "name", message).help("use one `-` at a time"));
        }
        let most = if self.sku == Sku::Consumption { 0..=0 } else { 1..=31 };
        within(self.capacity, most, "capacity", cx);
        let texts = [("publisherEmail", &self.publisher_email), ("publisherName", &self.publisher_name)];
        for (field, text) in texts.into_iter().filter(|(_, text)| !has_token(text)) {
            let no_address = field == "publisherEmail" && !text.contains('@');
            if text.is_empty() || text.chars().count() > 100 || no_address {
                let message = format!("`{}` cannot be the publisher's", display_text(text));
                cx.problem(
                    Problem::error(&API_MANAGEMENT_PUBLISHER, field, message)
                        .help("write at most 100 characters, and an address with `@` in it"),
                );
            }
        }
        let mut wrong = |path: &str, message: String, help: &str| {
            cx.problem(Problem::error(&API_MANAGEMENT_NETWORK, path, message).help(help));
        };
        let sku = self.sku;
        if !self.zones.is_empty() && !matches!(sku, Sku::Premium | Sku::PremiumV2) {
            wrong(
                "zones",
                "only a Premium service is in several zones".into(),
                "write `sku: Premium`, or take it out",
            );
        }
        if self.public_access == Some(false) && matches!(sku, Sku::Consumption | Sku::BasicV2) {
            let message = format!(
                "a service of the edition {sku:?} has no private endpoint, and so it would answer nowhere"
            );
            wrong("publicAccess", message, "choose another `sku`, or take it out");
        }
        let Some(network) = &self.virtual_network else { return };
        if !matches!(sku, Sku::Developer | Sku::Premium | Sku::StandardV2 | Sku::PremiumV2) {
            let message = format!("a service of the edition {sku:?} is in no virtual network");
            wrong(
                "virtualNetwork",
                message,
                "write `sku: Developer`, `Premium`, `StandardV2` or `PremiumV2`",
            );
        }
        if sku == Sku::StandardV2 && network.kind == NetworkKind::Internal {
            let message = "a StandardV2 service only calls others from the network".to_owned();
            wrong("virtualNetwork.type", message, "write `type: External`, or `sku: PremiumV2`");
        }
        if self.public_access == Some(false) && matches!(sku, Sku::Developer | Sku::Premium) {
            let message = "a classic service in a virtual network has no private endpoint".to_owned();
            wrong("publicAccess", message, "take it out: `type: Internal` keeps public networks out already");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference};
    use serde_json::Value;

    fn fields(more: Value) -> Value {
        let mut fields =
            json!({ "sku": "Developer", "publisherEmail": "apis@example.com", "publisherName": "Shop" });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    #[test]
    fn what_azure_answers_is_no_change() {
        let tls = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10";
        let (drafts, problems) =
            expand("apiManagement", "shop", fields(json!({ "customProperties": { tls: "false" } })));
        assert_eq!(problems, []);
        let live = json!({
            "location": "West Europe", "sku": { "name": "Developer", "capacity": 1 },
            "properties": {
                "publisherEmail": "apis@example.com", "publisherName": "Shop", "gatewayUrl": "https://shop.azure-api.net",
                "virtualNetworkType": "None", "publicNetworkAccess": "Enabled",
                "customProperties": { tls: "false", "Microsoft.WindowsAzure.Other": "true" },
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        let network = json!({ "type": "Internal", "subnet": reference("networks.hub.subnets.apis") });
        let (drafts, _) = expand("apiManagement", "shop", fields(json!({ "virtualNetwork": network })));
        let mut moved = live;
        assert!(changes(&drafts[0], &moved).contains(&"properties.virtualNetworkType".to_owned()));
        moved["properties"]["virtualNetworkType"] = json!("External");
        assert!(changes(&drafts[0], &moved).contains(&"properties.virtualNetworkType!".to_owned()));
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let network = |kind: &str| json!({ "type": kind, "subnet": reference("networks.hub.subnets.apis") });
        for (more, code) in [
            (json!({ "name": "1a" }), "api-management-name"),
            (json!({ "publisherEmail": "shop" }), "api-management-publisher"),
            (json!({ "zones": ["1"] }), "api-management-network"),
            (json!({ "sku": "BasicV2", "publicAccess": false }), "api-management-network"),
            (json!({ "sku": "Standard", "virtualNetwork": network("Internal") }), "api-management-network"),
            (json!({ "sku": "StandardV2", "virtualNetwork": network("Internal") }), "api-management-network"),
            (
                json!({ "publicAccess": false, "virtualNetwork": network("Internal") }),
                "api-management-network",
            ),
            (json!({ "capacity": 40 }), "out-of-range"),
        ] {
            assert_eq!(codes(expand("apiManagement", "shop", fields(more.clone()))), [code], "{more}");
        }
    }
}
