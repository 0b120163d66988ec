//! Whether a cluster's way out is there
//! (<https://learn.microsoft.com/azure/aks/egress-outboundtype>).

use crate::catalog::{CheckContext, LinkedResource, Problem};
use crate::diag::Code;
use serde_json::Value;
use std::collections::BTreeSet;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&OUTBOUND_ROUTE, &OUTBOUND_GATEWAY];

const OUTBOUND_ROUTE: Code = Code {
    name: "outbound-route",
    why: "With `userDefinedRouting` AKS makes no way out: the subnet of the nodes has a route table, and its route for 0.0.0.0/0 leads to a firewall or a gateway. Azure refuses the cluster otherwise.",
    remedy: "Add the table and the route, or leave `outboundType` out.",
    example: "routes: { out: { prefix: 0.0.0.0/0, nextHop: VirtualAppliance, nextHopIp: 10.20.200.4 } }",
};

const OUTBOUND_GATEWAY: Code = Code {
    name: "outbound-gateway",
    why: "With `userAssignedNATGateway` nodes leave through the NAT gateway of their subnet, which has to be there before the cluster.",
    remedy: "Give the subnet a NAT gateway.",
    example: "subnets: { nodes: { prefix: 10.20.0.0/20, natGateway: \"${natGateways.egress}\" } }",
};

const PATH: &str = "network.outboundType";

/// The subnets of the blueprint that nodes of a cluster are in.
fn node_subnets<'a>(around: &CheckContext<'a>) -> Vec<LinkedResource<'a>> {
    let pools = around.this.body.pointer("/properties/agentPoolProfiles").and_then(Value::as_array);
    let ids = pools.into_iter().flatten().filter_map(|pool| pool.get("vnetSubnetID")?.as_str());
    let ids: BTreeSet<&str> = ids.collect();
    ids.into_iter().filter_map(|id| around.find(&crate::ident::ArmId::parse(id).ok()?)).collect()
}

pub(super) fn check(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let outbound = around.this.text("/properties/networkProfile/outboundType").unwrap_or_default();
    for subnet in node_subnets(around) {
        if outbound.eq_ignore_ascii_case("userDefinedRouting") {
            routed(around, subnet, problems);
        }
        if outbound.eq_ignore_ascii_case("userAssignedNATGateway")
            && subnet.body.pointer("/properties/natGateway/id").is_none()
        {
            problems.push(
                Problem::error(
                    &OUTBOUND_GATEWAY,
                    PATH,
                    format!("`{}` has no NAT gateway through which its nodes could leave", subnet.address),
                )
                .help(format!(
                    "write `natGateway: ${{natGateways.…}}` in `{}`, or another `outboundType`",
                    subnet.address
                )),
            );
        }
    }
}

fn routed(around: &CheckContext<'_>, subnet: LinkedResource<'_>, problems: &mut Vec<Problem>) {
    let Some(table) = subnet.body.pointer("/properties/routeTable/id") else {
        problems.push(
            Problem::error(
                &OUTBOUND_ROUTE,
                PATH,
                format!("`{}` has no route table, so its nodes have no way out", subnet.address),
            )
            .help(format!(
                "write `routeTable: ${{routeTables.…}}` in `{}`, with a route for `0.0.0.0/0` to a firewall or gateway",
                subnet.address
            )),
        );
        return;
    };
    let id = table.as_str().and_then(|id| crate::ident::ArmId::parse(id).ok());
    let Some(table) = id.and_then(|id| around.find(&id)) else { return };
    let inline = table.body.pointer("/properties/routes").and_then(Value::as_array).into_iter().flatten();
    let inline = inline.filter_map(|route| route.get("properties"));
    let below = around.all.of_type("Microsoft.Network/routeTables/routes");
    let below = below.filter(|route| route.id.parent().as_ref() == Some(table.id));
    let mut routes = inline.chain(below.filter_map(|route| route.body.get("properties")));
    let text = |route: &Value, member: &str| {
        route.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let default = routes.find(|route| text(route, "addressPrefix") == "0.0.0.0/0");
    let hop = default.map(|route| text(route, "nextHopType"));
    let leads = |hop: &str| {
        ["VirtualAppliance", "VirtualNetworkGateway"].iter().any(|good| good.eq_ignore_ascii_case(hop))
    };
    let message = match hop.as_deref() {
        None => format!(
            "`{}`, the route table of `{}`, has no route for `0.0.0.0/0`",
            table.address, subnet.address
        ),
        Some(hop) if !leads(hop) => format!(
            "the default route of `{}`, the route table of `{}`, has the next hop `{hop}`; Azure takes `VirtualAppliance` \
             and `VirtualNetworkGateway` only",
            table.address, subnet.address
        ),
        Some(_) => return,
    };
    problems.push(Problem::error(&OUTBOUND_ROUTE, PATH, message).help(format!(
        "write in `{}`: `routes: {{ out: {{ prefix: 0.0.0.0/0, nextHop: VirtualAppliance, nextHopIp: <address of the \
         firewall> }} }}`, or leave `outboundType` out",
        table.address
    )));
}
