//! The roles that a cluster's identity needs on what the cluster refers to
//! (<https://learn.microsoft.com/azure/aks/use-managed-identity>). A cluster waits for those that the blueprint gives;
//! those that nothing in it gives are warned about.

use crate::catalog::kinds::builtin_roles::BUILTIN_ROLES;
use crate::catalog::{CheckContext, LinkedResource, Problem, covers, principal_of};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::value::token::Token;
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&CLUSTER_ROLE];

const CLUSTER_ROLE: Code = Code {
    name: "cluster-role",
    why: "A cluster acts on subnets, zones, keys and identities with an identity of yours, which needs a role on each. Azure refuses the cluster, or its load balancers and volumes, without; nothing in the blueprint gives it.",
    remedy: "Add the role assignment that the message names; the cluster then waits for it. If it is given elsewhere, for instance on the subscription, nothing is missing.",
    example: "roleAssignments: { nodes: { principal: \"${identities.plane}\", role: Network Contributor, scope: \"${networks.hub}\" } }",
};

const NETWORK: &[&str] = &["Network Contributor", "Contributor", "Owner"];
const ZONE: &[&str] = &["Private DNS Zone Contributor", "Network Contributor", "Contributor", "Owner"];
const IDENTITY: &[&str] =
    &["Managed Identity Operator", "Managed Identity Contributor", "Contributor", "Owner"];
const KEYS: &[&str] = &[
    "Key Vault Crypto User",
    "Key Vault Crypto Service Encryption User",
    "Key Vault Crypto Officer",
    "Key Vault Administrator",
];

/// Something that an identity needs a role on.
struct Need {
    on: ArmId,
    /// The first is the one to give.
    roles: &'static [&'static str],
    path: String,
    why: &'static str,
}

pub(super) fn check(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let cluster = around.this;
    let own = cluster.body.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
    let plane = own.and_then(|own| own.keys().next()).map(|id| ArmId::parse(id).ok());
    let (principal, shown) = match plane {
        Some(id) => {
            let Some(identity) = id.and_then(|id| around.find(&id)) else { return };
            (principal_of(identity.address), identity.address.to_string())
        }
        None if cluster.body.pointer("/properties/servicePrincipalProfile").is_some() => return,
        None => {
            let pointer = "/identity/principalId".to_owned();
            (Token::Output { address: cluster.address.clone(), pointer }, cluster.address.to_string())
        }
    };
    let mut told = BTreeSet::new();
    for need in needs(around, own.is_some()) {
        let vault = around.find(&need.on).filter(|vault| vault.is("Microsoft.KeyVault/vaults"));
        let (granted, by_policy) = match vault.filter(|vault| by_policies(*vault)) {
            Some(vault) => (has_policy(vault, &principal), true),
            None => (is_granted(around, &principal, &need), false),
        };
        if granted || !told.insert((need.on.clone(), need.roles[0])) {
            continue;
        }
        let target = around
            .find(&need.on)
            .map_or_else(|| need.on.as_str().to_owned(), |target| target.address.to_string());
        let scope = match around.find(&need.on) {
            Some(_) => format!("${{{target}}}"),
            None => target.clone(),
        };
        let (missing, help) = match by_policy {
            true => (
                "an access policy".to_owned(),
                format!(
                    "add to `{target}`: `accessPolicies: {{ kms: {{ principal: '${{{shown}}}', keys: [encrypt, decrypt] }} }}`"
                ),
            ),
            false => (
                format!("the role `{}`", need.roles[0]),
                format!(
                    "add `roleAssignments: {{ …: {{ principal: '${{{shown}}}', role: {}, scope: '{scope}' }} }}`, for which the cluster then waits",
                    need.roles[0]
                ),
            ),
        };
        problems.push(
            Problem::warning(
                &CLUSTER_ROLE,
                need.path,
                format!("nothing in this blueprint gives `{shown}` {missing} on `{target}`: {}", need.why),
            )
            .help(help),
        );
    }
}

fn needs(around: &CheckContext<'_>, own_identity: bool) -> Vec<Need> {
    let cluster = around.this;
    let id = |text: &str| ArmId::parse(text).ok();
    let mut needs = Vec::new();
    let pods = cluster.body.pointer("/properties/podIdentityProfile/userAssignedIdentities");
    for pod in pods.and_then(Value::as_array).into_iter().flatten() {
        let on = pod.pointer("/identity/resourceId").and_then(Value::as_str).and_then(id);
        let name = pod.get("name").and_then(Value::as_str).unwrap_or_default();
        needs.extend(on.map(|on| Need {
            on,
            roles: IDENTITY,
            path: format!("addons.podIdentity.identities.{name}.identity"),
            why: "Azure does not let the cluster hand it to pods",
        }));
    }
    // What the cluster's own identity needs is given once the cluster is there, which has one before.
    if !own_identity {
        return needs;
    }
    let kubelet = cluster.text("/properties/identityProfile/kubeletidentity/resourceId").and_then(id);
    needs.extend(kubelet.map(|on| Need {
        on,
        roles: IDENTITY,
        path: "kubeletIdentity".to_owned(),
        why: "Azure refuses the cluster, which cannot give it to its nodes",
    }));
    let pools = cluster.body.pointer("/properties/agentPoolProfiles").and_then(Value::as_array);
    let mut subnets = BTreeSet::new();
    for pool in pools.into_iter().flatten() {
        for member in ["vnetSubnetID", "podSubnetID"] {
            subnets.extend(pool.get(member).and_then(Value::as_str).and_then(id));
        }
    }
    let plain = |pointer: &str| cluster.text(pointer).unwrap_or_default();
    let api = cluster.text("/properties/apiServerAccessProfile/subnetId").and_then(id);
    needs.extend(api.map(|on| Need {
        on,
        roles: NETWORK,
        path: "apiServer.subnet".to_owned(),
        why: "Azure refuses the cluster, whose API server cannot join it",
    }));
    let routed = plain("/properties/networkProfile/outboundType").eq_ignore_ascii_case("userDefinedRouting")
        || plain("/properties/networkProfile/networkPlugin").eq_ignore_ascii_case("kubenet");
    for subnet in subnets {
        let table =
            around.find(&subnet).and_then(|subnet| subnet.text("/properties/routeTable/id")).and_then(id);
        needs.push(Need {
            on: subnet,
            roles: NETWORK,
            path: "subnet".to_owned(),
            why: "its load balancers and nodes cannot join the subnet",
        });
        needs.extend(table.filter(|_| routed).map(|on| Need {
            on,
            roles: NETWORK,
            path: "network.outboundType".to_owned(),
            why: "Azure refuses the cluster, which cannot read and write its routes",
        }));
    }
    let zone = cluster.text("/properties/apiServerAccessProfile/privateDNSZone").and_then(id);
    needs.extend(zone.map(|on| Need {
        on,
        roles: ZONE,
        path: "apiServer.privateDnsZone".to_owned(),
        why: "Azure refuses the cluster, which cannot write the API server's name",
    }));
    for list in ["outboundIPs/publicIPs", "outboundIPPrefixes/publicIPPrefixes"] {
        let pointer = format!("/properties/networkProfile/loadBalancerProfile/{list}");
        let all = cluster.body.pointer(&pointer).and_then(Value::as_array);
        for address in all.into_iter().flatten() {
            needs.extend(address.get("id").and_then(Value::as_str).and_then(id).map(|on| Need {
                on,
                roles: NETWORK,
                path: "network.loadBalancer".to_owned(),
                why: "its load balancer cannot use the address",
            }));
        }
    }
    needs.extend(key_vault(around).map(|on| Need {
        on,
        roles: KEYS,
        path: "kms.key".to_owned(),
        why: "Azure refuses the cluster, which cannot encrypt with the key",
    }));
    needs
}

/// The vault of the key that secrets in etcd are encrypted with, when the blueprint has it.
fn key_vault(around: &CheckContext<'_>) -> Option<ArmId> {
    const KEY: &str = "/properties/securityProfile/azureKeyVaultKms/keyId";
    let text = around.this.text(KEY)?;
    let vaults = || around.all.of_type("Microsoft.KeyVault/vaults");
    if let Some(Token::Output { address, .. }) = Token::exactly(text) {
        let of = around.all.iter().find(|other| *other.address == address)?;
        return vaults().find(|vault| covers(vault.id, of.id)).map(|vault| vault.id.clone());
    }
    let host = text.strip_prefix("https://")?.split('/').next()?;
    let name = host.split_once(".vault.")?.0;
    vaults().find(|vault| vault.id.name().eq_ignore_ascii_case(name)).map(|vault| vault.id.clone())
}

fn by_policies(vault: LinkedResource<'_>) -> bool {
    vault.body.pointer("/properties/enableRbacAuthorization") == Some(&Value::Bool(false))
}

fn has_policy(vault: LinkedResource<'_>, principal: &Token) -> bool {
    let policies = vault.body.pointer("/properties/accessPolicies").and_then(Value::as_array);
    policies.into_iter().flatten().any(|policy| {
        let keys = policy.pointer("/permissions/keys").and_then(Value::as_array);
        let may = |wanted: &str| {
            keys.into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .any(|key| key.eq_ignore_ascii_case(wanted) || key.eq_ignore_ascii_case("all"))
        };
        let who = policy.get("objectId").and_then(Value::as_str).and_then(Token::exactly);
        who.as_ref() == Some(principal) && may("encrypt") && may("decrypt")
    })
}

/// Whether a role of the blueprint gives what is needed. What a role of your own gives is not known here.
fn is_granted(around: &CheckContext<'_>, principal: &Token, need: &Need) -> bool {
    around.roles_of(principal).any(|role| {
        let on = role.id.parent().is_some_and(|scope| covers(&scope, &need.on));
        let name = role
            .text("/properties/roleDefinitionId")
            .and_then(|id| id.rsplit('/').next()?.parse::<Uuid>().ok());
        let name = name.and_then(|guid| BUILTIN_ROLES.iter().find(|(_, known)| *known == guid));
        on && name.is_none_or(|(name, _)| need.roles.contains(name))
    })
}
