//! A cross check of role assignments: a role that means one service gives nothing on a resource of another.

use super::builtin_roles::BUILTIN_ROLES;
use crate::catalog::{CheckContext, Problem, resource_type};
use crate::diag::Code;
use uuid::Uuid;

/// How the names of roles for one service begin, and the namespace of that service
/// (<https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>).
const SERVICES: &[(&str, &str)] = &[
    ("Acr", "Microsoft.ContainerRegistry"),
    ("App Configuration ", "Microsoft.AppConfiguration"),
    ("Azure Event Hubs ", "Microsoft.EventHub"),
    ("Azure Kubernetes Service ", "Microsoft.ContainerService"),
    ("Azure Service Bus ", "Microsoft.ServiceBus"),
    ("Container Registry ", "Microsoft.ContainerRegistry"),
    ("DNS Zone Contributor", "Microsoft.Network"),
    ("Grafana ", "Microsoft.Dashboard"),
    ("Key Vault ", "Microsoft.KeyVault"),
    ("Monitoring Data Reader", "Microsoft.Monitor"),
    ("Network Contributor", "Microsoft.Network"),
    ("Private DNS Zone Contributor", "Microsoft.Network"),
    ("Storage ", "Microsoft.Storage"),
];

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&ROLE_SCOPE, &ROLE_VAULT];

const ROLE_SCOPE: Code = Code {
    name: "role-scope",
    why: "The role's permissions are all about another service: assigned here, it gives nothing.",
    remedy: "Choose the scope or the role that fits the other.",
    example: "{ role: Key Vault Secrets User, scope: \"${keyVaults.secrets}\" }",
};

const ROLE_VAULT: Code = Code {
    name: "role-vault",
    why: "The vault uses its own access policies, so Azure roles for what is in it have no effect.",
    remedy: "Let it go by roles, or write an access policy.",
    example: "authorization: rbac",
};

/// Warns of a role that gives nothing where it is assigned: Azure takes it, and nobody is the wiser.
pub(super) fn cross_check(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let Some(role) = around.this.texts(&["/properties/roleDefinitionId"]).pop().and_then(role_name) else {
        return;
    };
    let Some(scope) = around.this.id.parent() else { return };
    let scope_type = scope.resource_type();
    let namespace = scope.namespace();
    // A subscription or a group holds resources of every service.
    if namespace.is_empty() || namespace.eq_ignore_ascii_case("Microsoft.Resources") {
        return;
    }
    let service = SERVICES.iter().find(|(start, _)| role.starts_with(start)).map(|(_, service)| *service);
    if let Some(service) = service.filter(|service| !service.eq_ignore_ascii_case(namespace)) {
        let what = resource_type(&scope_type).map_or(scope_type.as_str(), |known| known.title);
        problems.push(
            Problem::warning(&ROLE_SCOPE, "role", format!("`{role}` gives nothing on a {what}"))
                .help(format!("name a resource of `{service}` as `scope`, or another role")),
        );
        return;
    }
    let vault = around.find(&scope).filter(|_| scope_type.eq_ignore_ascii_case("Microsoft.KeyVault/vaults"));
    let policies = vault.and_then(|vault| vault.body.pointer("/properties/enableRbacAuthorization").cloned());
    // These two are about the vault, the others about what is in it.
    let inside =
        role.starts_with("Key Vault ") && !["Key Vault Contributor", "Key Vault Reader"].contains(&role);
    if inside && policies == Some(false.into()) {
        problems.push(
            Problem::warning(&ROLE_VAULT, "role", format!("`{role}` has no effect: the vault uses access policies"))
                .help("leave `authorization: accessPolicies` out of the vault, or write an access policy in place of the role"),
        );
    }
}

fn role_name(definition: &str) -> Option<&'static str> {
    let guid: Uuid = definition.rsplit('/').next()?.parse().ok()?;
    BUILTIN_ROLES.iter().find(|(_, known)| *known == guid).map(|(name, _)| *name)
}
