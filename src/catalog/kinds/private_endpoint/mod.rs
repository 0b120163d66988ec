//! Private endpoints with their DNS, and the approval of their connection: `Microsoft.Network/privateEndpoints`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/privateendpoints>).
//!
//! One entry is up to five kinds of resource. With `dns: auto` it brings the zones that answer for its target, which
//! endpoints of the same zone share, a link from each zone to the endpoint's network, and the zone group that keeps
//! the records. The connection that it causes on its target may arrive there as *Pending*, whoever makes it; then it
//! is approved by a draft of its own, which has nothing to do when Azure has approved the connection by itself.
//! Zones and links are in `private_dns`.

mod body;
mod checks;
mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::{Dns, IpSpec, Spec};
pub use types::{CONNECTION, PRIVATE_ENDPOINT, ZONE_GROUP};

use crate::catalog::{Approval, Draft, EntryCx, EntryKind, Merged, Provisioning, ResourceType, model};
use crate::diag::Code;
use crate::models::network as models;
use body::{Choice, given_zone, own_zones};
use serde_json::json;
use types::ENDPOINT;

/// A private endpoint.
pub struct PrivateEndpoint;

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
    const TYPES: &'static [&'static ResourceType] = &[&PRIVATE_ENDPOINT, &CONNECTION, &ZONE_GROUP];
    const MERGED: &'static [Merged] =
        &[Merged::list("applicationSecurityGroups", "properties.applicationSecurityGroups")];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        spec.check(cx);
        let choice = Choice::of(&spec, cx);
        let arrives = choice.as_ref().map_or_else(|| spec.target.id(), |choice| choice.arrives(&spec));
        let endpoint = cx.id(ENDPOINT, &[&name]);
        let body = cx.tracked(spec.properties(&name, choice.as_ref()));
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
            let draft = draft.any_name(true);
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
            let operation = Provisioning::Approval(Box::new(Approval {
                endpoints: vec![endpoint.as_str().to_owned()],
                target: arrives,
                description: format!("Approved by berth for {}", cx.address),
                own: true,
                api_version: spec.api_version.clone(),
                ..Approval::default()
            }));
            cx.also(Draft { operation, ..draft.origin("approve") });
        }
    }
}
