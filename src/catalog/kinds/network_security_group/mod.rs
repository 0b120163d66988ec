//! Network security groups: `Microsoft.Network/networkSecurityGroups`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/networksecuritygroups>).
//!
//! A PUT of a group replaces all of its rules. Rules are therefore told apart by name, and an update carries those that
//! somebody else made along.

mod body;
mod checks;
mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::Spec;
pub(super) use types::GROUP;
pub use types::NETWORK_SECURITY_GROUP;

use crate::catalog::{Draft, EntryCx, EntryKind, Merged, Problem, ResourceType};
use crate::diag::Code;
use checks::{NAME, RULE_NAME, SECURITY_RULE_PRIORITY};
use serde_json::json;
use spec::Direction;
use std::collections::HashMap;

/// A network security group.
pub struct NetworkSecurityGroup;

impl EntryKind for NetworkSecurityGroup {
    const SECTION: &'static str = "networkSecurityGroups";
    const TITLE: &'static str = "network security group";
    const ARM_TYPE: &'static str = GROUP;
    const TYPES: &'static [&'static ResourceType] = &[&NETWORK_SECURITY_GROUP];
    const ABOUT: &'static str = "A network security group: the rules about who may talk to whom. A subnet names the \
        group that holds for it. Rules that others put into the group stay.";
    const EXAMPLE: &'static str = "\
networkSecurityGroups:
  nodes:
    name: nsg-shop-nodes
    rules:
      allowHttps:
        { priority: 100, direction: Inbound, access: Allow, protocol: Tcp, from: Internet, ports: [80, 443] }
      denySsh:
        { priority: 4000, direction: Inbound, access: Deny, protocol: Tcp, from: [192.0.2.0/24, 198.51.100.7], ports: 22 }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20, networkSecurityGroup: '${networkSecurityGroups.nodes}' }
";
    const MERGED: &'static [Merged] = &[Merged::list("rules", "properties.securityRules")];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        let mut taken: HashMap<(Direction, i64), String> = HashMap::new();
        let mut rules = Vec::new();
        for (key, rule) in spec.rules {
            let path = format!("rules.{key}");
            RULE_NAME.check(&key, &path, cx);
            if let Some(other) = taken.insert((rule.direction, rule.priority), key.clone()) {
                let message = format!("the rules `{other}` and `{key}` have the same priority and direction");
                cx.problem(
                    Problem::error(&SECURITY_RULE_PRIORITY, format!("{path}.priority"), message)
                        .help("give one of them a priority of its own"),
                );
            }
            rules.push(json!({ "name": key, "properties": rule.into_properties(&path, cx) }));
        }
        let mut properties = json!({ "securityRules": rules });
        if let Some(flush) = spec.flush_connection {
            properties["flushConnection"] = flush.into();
        }
        let body = cx.tracked(properties);
        let id = cx.id(GROUP, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &NETWORK_SECURITY_GROUP, body));
    }
}
