//! What services need of the subnets that they use: a service endpoint, a delegation, no policies for their addresses.

use crate::catalog::{CheckContext, Problem};
use crate::diag::Code;
use crate::ident::ArmId;
use serde_json::Value;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&SERVICE_ENDPOINT, &SUBNET_DELEGATION, &SUBNET_LINK_POLICIES];

const SERVICE_ENDPOINT: Code = Code {
    name: "service-endpoint",
    why: "A rule for a subnet works by the subnet's service endpoint: without one, Azure refuses the rule.",
    remedy: "Add the endpoint to the subnet, or reach the service by a private endpoint.",
    example: "subnets: { nodes: { prefix: 10.20.0.0/20, serviceEndpoints: [Microsoft.KeyVault] } }",
};

const SUBNET_DELEGATION: Code = Code {
    name: "subnet-delegation",
    why: "The service puts its own resources into the subnet, and Azure allows that only when the subnet is delegated to it.",
    remedy: "Delegate the subnet to the service that the message names, or choose one that is.",
    example: "subnets: { web: { prefix: 10.20.32.0/26, delegation: Microsoft.Web/serverFarms } }",
};

const SUBNET_LINK_POLICIES: Code = Code {
    name: "subnet-link-policies",
    why: "Azure refuses a private link service in a subnet that applies network policies to such services, as subnets do by default.",
    remedy: "Switch the policies off in the subnet, or choose another one.",
    example: "subnets: { links: { prefix: 10.20.32.0/27, privateLinkServiceNetworkPolicies: false } }",
};

/// Reports subnets of the blueprint that a firewall lets in and that have none of these service endpoints. `instead` is
/// what can be written in place of the endpoint.
pub(super) fn let_in(
    around: &CheckContext<'_>,
    services: &[&str],
    instead: &str,
    problems: &mut Vec<Problem>,
) {
    let rules =
        around.this.body.pointer("/properties/networkAcls/virtualNetworkRules").and_then(Value::as_array);
    for (at, rule) in rules.into_iter().flatten().enumerate() {
        if rule.get("ignoreMissingVnetServiceEndpoint").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        let id = rule.get("id").and_then(Value::as_str).and_then(|id| ArmId::parse(id).ok());
        let Some(subnet) = id.and_then(|id| around.find(&id)) else { continue };
        let endpoints = subnet.body.pointer("/properties/serviceEndpoints").and_then(Value::as_array);
        let has = endpoints.into_iter().flatten().any(|endpoint| {
            let service = endpoint.get("service").and_then(Value::as_str).unwrap_or_default();
            services.iter().any(|wanted| wanted.eq_ignore_ascii_case(service))
        });
        if !has {
            let (address, service) = (subnet.address, services[0]);
            let message = format!(
                "`{address}` has no service endpoint `{service}`, by which this rule would let it in"
            );
            problems.push(
                Problem::error(&SERVICE_ENDPOINT, format!("networkRules.subnets[{at}]"), message)
                    .help(format!("write `serviceEndpoints: [{service}]` in `{address}`{instead}")),
            );
        }
    }
}

/// Reports a subnet of the blueprint that is not delegated to a service that moves into it.
pub(super) fn delegated(
    around: &CheckContext<'_>,
    pointer: &str,
    path: &str,
    service: &str,
    problems: &mut Vec<Problem>,
) {
    let Some(subnet) = around.at(pointer) else { return };
    let delegations = subnet.body.pointer("/properties/delegations").and_then(Value::as_array);
    let is = delegations.into_iter().flatten().any(|delegation| {
        let to = delegation.pointer("/properties/serviceName").and_then(Value::as_str);
        to.is_some_and(|to| to.eq_ignore_ascii_case(service))
    });
    if !is {
        let address = subnet.address;
        problems.push(
            Problem::error(&SUBNET_DELEGATION, path, format!("`{address}` is not delegated to `{service}`"))
                .help(format!("write `delegation: {service}` in `{address}`")),
        );
    }
}

/// Reports a subnet of the blueprint whose network policies keep private link services out.
pub(super) fn takes_link_services(
    around: &CheckContext<'_>,
    pointer: &str,
    path: &str,
    problems: &mut Vec<Problem>,
) {
    let Some(subnet) = around.at(pointer) else { return };
    if subnet.text("/properties/privateLinkServiceNetworkPolicies") != Some("Disabled") {
        let address = subnet.address;
        let message = format!("`{address}` applies its network policies to private link services");
        problems.push(
            Problem::error(&SUBNET_LINK_POLICIES, path, message)
                .help(format!("write `privateLinkServiceNetworkPolicies: false` in `{address}`")),
        );
    }
}
