//! What a vault's firewall rules need of the subnets that they let in.

use crate::catalog::{CheckContext, Problem};
use crate::diag::Code;
use crate::ident::ArmId;
use serde_json::Value;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&SERVICE_ENDPOINT];

const SERVICE_ENDPOINT: Code = Code {
    name: "service-endpoint",
    why: "A rule for a subnet works by the subnet's service endpoint: without one, Azure refuses the rule.",
    remedy: "Add the endpoint to the subnet, or reach the service by a private endpoint.",
    example: "subnets: { nodes: { prefix: 10.20.0.0/20, serviceEndpoints: [Microsoft.KeyVault] } }",
};

/// Reports subnets of the blueprint without the service endpoint that a rule for them needs.
pub(super) fn check(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    const SERVICE: &str = "Microsoft.KeyVault";
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
            let service = endpoint.get("service").and_then(Value::as_str);
            service.is_some_and(|service| service.eq_ignore_ascii_case(SERVICE))
        });
        if !has {
            problems.push(
                Problem::error(
                    &SERVICE_ENDPOINT,
                    format!("networkRules.subnets[{at}]"),
                    format!(
                        "`{}` has no service endpoint `{SERVICE}`, by which this rule would let it in",
                        subnet.address
                    ),
                )
                .help(format!(
                    "write `serviceEndpoints: [{SERVICE}]` in `{}`, or `ignoreMissingServiceEndpoint: true`",
                    subnet.address
                )),
            );
        }
    }
}
