//! Virtual networks and their subnets: `Microsoft.Network/virtualNetworks`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/virtualnetworks>).
//!
//! Subnets are resources of their own: a PUT of the network without `subnets` keeps those that exist (since API
//! version 2023-09-01), so subnets that someone else made are never lost, and each subnet has an address and a plan line.

mod body;
mod checks;
mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::Spec;
pub(super) use types::VNET;
pub use types::{SUBNET, VIRTUAL_NETWORK};

use crate::catalog::kinds::network_peering;
use crate::catalog::kinds::network_peering::PEERING;
use crate::catalog::{Draft, EntryCx, EntryKind, Members, Merged, Nested, ResourceType, merge_over, model};
use crate::diag::Code;
use crate::models::network as models;
use serde_json::json;

/// A virtual network.
pub struct Network;

impl EntryKind for Network {
    const SECTION: &'static str = "networks";
    const TITLE: &'static str = "virtual network";
    const ARM_TYPE: &'static str = VNET;
    const ABOUT: &'static str = "A virtual network with its subnets, and its peerings with other networks.";
    const EXAMPLE: &'static str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
      endpoints: { prefix: 10.20.16.0/26 }
";
    const TYPES: &'static [&'static ResourceType] = &[&VIRTUAL_NETWORK, &SUBNET, &PEERING];
    const NESTED: &'static [Nested] = &[Nested::at("subnets.*"), Nested::at("peerings.*")];
    const MERGED: &'static [Merged] = &[
        Merged { within: "", name: "subnets", members: Members::Children(&[&SUBNET]) },
        Merged { within: "", name: "peerings", members: Members::Children(&[&PEERING]) },
        Merged::list("serviceEndpoints", "properties.serviceEndpoints").within("subnets.*"),
        Merged::list("delegation", "properties.delegations").within("subnets.*"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES, network_peering::CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        checks::check(&spec, cx);
        let plan = spec.ddos_protection_plan;
        let properties = models::VirtualNetworkPropertiesFormat {
            enable_ddos_protection: plan.as_ref().map(|_| true),
            address_space: Some(models::AddressSpace { address_prefixes: spec.address_space }),
            dhcp_options: spec.dns_servers.map(|dns_servers| models::DhcpOptions { dns_servers }),
            flow_timeout_in_minutes: spec.flow_timeout_minutes,
            ..Default::default()
        };
        let vnet = cx.id(VNET, &[&cx.common.name]);
        let mut body = cx.tracked(model(&properties));
        if let Some(plan) = plan {
            body["properties"]["ddosProtectionPlan"] = json!({ "id": plan.id() });
        }
        let further = json!({
            "encryption": spec.encryption.map(|enforcement| json!({ "enabled": true, "enforcement": enforcement })),
            "bgpCommunities": spec.bgp_community.map(|community| json!({ "virtualNetworkCommunity": community })),
            "privateEndpointVNetPolicies": spec.private_endpoint_policies,
        });
        merge_over(&mut body["properties"], &model(&further));
        cx.main(Draft::new(cx.address.clone(), vnet.as_str(), &VIRTUAL_NETWORK, body));
        for (key, subnet) in spec.subnets {
            let address = cx.address.child("subnets").child(&key);
            let name = subnet.name.as_deref().unwrap_or(&key);
            let id = vnet.child("subnets", name);
            let unsaid = subnet.private_endpoint_network_policies.is_none();
            let draft = Draft::new(address, id.as_str(), &SUBNET, subnet.into_body())
                .initially_if(&[("properties.privateEndpointNetworkPolicies", unsaid)]);
            cx.also(draft.origin(format!("subnets.{key}")));
        }
        for (key, peering) in spec.peerings {
            peering.expand(&key, &vnet, cx);
        }
    }
}
