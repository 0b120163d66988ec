//! Application gateways with a web application firewall: `Microsoft.Network/applicationGateways`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/applicationgateways>).
//!
//! A PUT replaces a gateway as a whole. Every list of it is told apart by names, and an update carries what others wrote
//! along: with `ingressController: true` that is everything about traffic, of which the first request makes the least that
//! Azure takes, and which is the controller's from then on.

mod body;
mod checks;
mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::Spec;
pub use types::APPLICATION_GATEWAY;

use super::parts::identity;
use crate::catalog::{Draft, EntryCx, EntryKind, Merged, ResourceType};
use crate::diag::Code;
use serde_json::json;
use types::{GATEWAYS, TRAFFIC};

/// An application gateway.
pub struct ApplicationGateway;

impl EntryKind for ApplicationGateway {
    const SECTION: &'static str = "applicationGateways";
    const TITLE: &'static str = "application gateway";
    const ARM_TYPE: &'static str = GATEWAYS;
    const ABOUT: &'static str = "An application gateway with a web application firewall. With `ingressController: true` an \
        ingress controller of a cluster writes what it does with traffic, and that is left alone.";
    const EXAMPLE: &'static str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      gateway: { prefix: 10.20.40.0/24 }
      link: { prefix: 10.20.41.0/27, privateLinkServiceNetworkPolicies: false }
publicIps:
  gateway: { name: pip-gateway, zones: ['1', '2', '3'] }
wafPolicies:
  gateway: { name: waf-gateway, for: applicationGateway }
applicationGateways:
  shop:
    name: agw-shop
    subnet: ${networks.hub.subnets.gateway}
    publicIp: ${publicIps.gateway}
    wafPolicy: ${wafPolicies.gateway}
    zones: ['1', '2', '3']
    autoscale: { min: 2, max: 10 }
    http2: true
    listeners:
      web: { protocol: Http, hostNames: [shop.example.com] }
    backends:
      shop: { addresses: [10.20.0.10, 10.20.0.11], port: 8080, probePath: /health, drainSeconds: 60 }
      images: { addresses: [images.example.com] }
    rewrites:
      safer: { responseHeaders: { Strict-Transport-Security: max-age=31536000 } }
    rules:
      web:
        priority: 100
        listener: web
        backend: shop
        rewrite: safer
        paths: { images: { paths: ['/images/*'], backend: images } }
    privateLink: { subnet: '${networks.hub.subnets.link}' }
";
    const TYPES: &'static [&'static ResourceType] = &[&APPLICATION_GATEWAY];
    const MERGED: &'static [Merged] = &[
        Merged::list("certificates", "properties.sslCertificates"),
        Merged::list("listeners", "properties.frontendPorts"),
        Merged::list("listeners", "properties.httpListeners"),
        Merged::list("backends", "properties.backendAddressPools"),
        Merged::list("backends", "properties.backendHttpSettingsCollection"),
        Merged::list("backends", "properties.probes"),
        Merged::list("rules", "properties.redirectConfigurations"),
        Merged::list("rules", "properties.requestRoutingRules"),
        Merged::list("rules", "properties.urlPathMaps"),
        Merged::list("rewrites", "properties.rewriteRuleSets"),
        Merged::list("privateLink", "properties.privateLinkConfigurations"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        spec.check(&name, cx);
        let id = cx.id(GATEWAYS, &[&name]);
        let mut properties = spec.properties(&id);
        if spec.ingress_controller {
            // What is empty at first is the controller's as well.
            for list in TRAFFIC.iter().filter(|list| properties.get(**list).is_none()).collect::<Vec<_>>() {
                properties[*list] = json!([]);
            }
        }
        let mut body = cx.tracked(properties);
        if !spec.zones.is_empty() {
            body["zones"] = json!(spec.zones);
        }
        if let Some(identity) = identity(&spec.identities, "UserAssigned") {
            body["identity"] = identity;
        }
        let mut draft = Draft::new(cx.address.clone(), id.as_str(), &APPLICATION_GATEWAY, body);
        if spec.ingress_controller {
            for list in TRAFFIC {
                draft = draft.initially(&format!("properties.{list}"));
            }
        }
        cx.main(draft);
    }
}
