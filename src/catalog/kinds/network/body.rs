//! The bodies of a virtual network.

use super::spec::SubnetSpec;
use crate::catalog::kinds::addresses::Texts;
use crate::catalog::{Reference, model};
use crate::models::network as models;
use serde_json::json;

impl SubnetSpec {
    pub(super) fn into_body(self) -> serde_json::Value {
        let sub_resource = |reference: Option<Reference>| reference.map(|r| json!({ "id": r.id() }));
        // Azure takes one range in a field of its own, and several in another.
        let Texts(mut prefixes) = self.prefix;
        let address_prefix = if prefixes.len() == 1 { prefixes.pop() } else { None };
        let properties = models::SubnetPropertiesFormat {
            address_prefix,
            address_prefixes: prefixes,
            delegations: Vec::from_iter(self.delegation.map(|service| models::Delegation {
                name: Some(service.replace('/', ".")),
                properties: Some(models::ServiceDelegationPropertiesFormat {
                    service_name: Some(service),
                    ..Default::default()
                }),
                ..Default::default()
            })),
            service_endpoints: self
                .service_endpoints
                .into_iter()
                .map(|service| models::ServiceEndpointPropertiesFormat {
                    service: Some(service),
                    ..Default::default()
                })
                .collect(),
            default_outbound_access: self.default_outbound_access,
            ..Default::default()
        };
        let mut properties = model(&properties);
        // The default differs between API versions, so it is always said (fact sheet of subnets).
        properties["privateEndpointNetworkPolicies"] =
            json!(self.private_endpoint_network_policies.unwrap_or_default());
        if let Some(apply) = self.private_link_service_network_policies {
            properties["privateLinkServiceNetworkPolicies"] =
                if apply { "Enabled" } else { "Disabled" }.into();
        }
        for (name, value) in [
            ("networkSecurityGroup", sub_resource(self.network_security_group)),
            ("routeTable", sub_resource(self.route_table)),
            ("natGateway", sub_resource(self.nat_gateway)),
        ] {
            if let Some(value) = value {
                properties[name] = value;
            }
        }
        if !self.service_endpoint_policies.is_empty() {
            properties["serviceEndpointPolicies"] =
                self.service_endpoint_policies.iter().map(|policy| json!({ "id": policy.id() })).collect();
        }
        if let Some(scope) = self.sharing_scope {
            properties["sharingScope"] = json!(scope);
        }
        json!({ "properties": properties })
    }
}
