//! The subnet of virtual nodes, which a cluster names by text
//! (<https://learn.microsoft.com/azure/aks/virtual-nodes-cli>).

use crate::catalog::{CheckContext, Problem};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::value::token::has_token;
use serde_json::Value;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&VIRTUAL_NODES_SUBNET];

const VIRTUAL_NODES_SUBNET: Code = Code {
    name: "virtual-nodes-subnet",
    why: "Virtual nodes are in a subnet of the cluster's network that is delegated to container instances.",
    remedy: "Name such a subnet, with the delegation.",
    example: "subnets: { instances: { prefix: 10.20.16.0/24, delegation: Microsoft.ContainerInstance/containerGroups } }",
};

const PATH: &str = "addons.virtualNodes.subnetName";
const DELEGATION: &str = "Microsoft.ContainerInstance/containerGroups";

/// The network of the nodes and the subnet in it that is named.
fn named(around: &CheckContext<'_>) -> Option<(ArmId, ArmId)> {
    let addon = around.this.body.pointer("/properties/addonProfiles/aciConnectorLinux")?;
    if addon.get("enabled").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    let name = addon.pointer("/config/SubnetName")?.as_str().filter(|name| !has_token(name))?;
    let pools = around.this.body.pointer("/properties/agentPoolProfiles")?.as_array()?;
    let subnet = pools.iter().find_map(|pool| pool.get("vnetSubnetID")?.as_str())?;
    let network = ArmId::parse(subnet).ok()?.parent()?;
    let subnet = network.child("subnets", name);
    Some((network, subnet))
}

/// The subnet that is named by text.
pub(in crate::catalog::kinds::cluster) fn also_needs(around: &CheckContext<'_>) -> Vec<ArmId> {
    Vec::from_iter(named(around).map(|(_, subnet)| subnet))
}

pub(super) fn check(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let Some((network, subnet)) = named(around) else { return };
    let Some(network) = around.find(&network) else { return };
    let Some(subnet) = around.find(&subnet) else {
        problems.push(
            Problem::warning(
                &VIRTUAL_NODES_SUBNET,
                PATH,
                format!(
                    "`{}`, the network of the nodes, has no subnet `{}` in this blueprint",
                    network.address,
                    subnet.name()
                ),
            )
            .help(format!(
                "add it to `{}`, with `delegation: {DELEGATION}`, or name another",
                network.address
            )),
        );
        return;
    };
    let service = subnet.text("/properties/delegations/0/properties/serviceName");
    if !service.is_some_and(|service| service.eq_ignore_ascii_case(DELEGATION)) {
        problems.push(
            Problem::error(
                &VIRTUAL_NODES_SUBNET,
                PATH,
                format!(
                    "`{}` is not delegated to `{DELEGATION}`, so it takes no virtual nodes",
                    subnet.address
                ),
            )
            .help(format!("write `delegation: {DELEGATION}` in `{}`", subnet.address)),
        );
    }
}
