//! What to do about the refusals that people meet before anything else: signing in, and rights.

/// What to do about a server's certificate, out of the words in which it is refused.
pub(super) fn certificate(reason: &str) -> &'static str {
    const KNOWN: &[(&str, &str)] = &[
        (
            "CaUsedAsEndEntity",
            "the server shows the certificate of an authority as its own, which TLS does not take: let that \
             authority sign one for the server, or make a certificate that vouches for itself with \
             `openssl req -x509 -addext basicConstraints=critical,CA:FALSE …`, and name it with --ca-file",
        ),
        ("certificate expired", "renew the server's certificate, or set this machine's clock"),
        ("certificate not valid yet", "set this machine's clock, or wait until the certificate is valid"),
        (
            "certificate not valid for name",
            "address the server by a name that its certificate has, or give it one that has this name as a \
             subjectAltName",
        ),
        (
            "EkuError",
            "give the server a certificate that is for servers: one with the extended key usage serverAuth",
        ),
        (
            "InvalidPurpose",
            "give the server a certificate that is for servers: one with the extended key usage serverAuth",
        ),
        ("UnsupportedCertVersion", "give the server a certificate of X.509 version 3"),
        (
            "UnsupportedSignatureAlgorithm",
            "give the server a certificate with an RSA key of at least 2048 bits or an ECDSA key on P-256 or P-384, \
             signed with SHA-256 or better",
        ),
    ];
    KNOWN.iter().find(|(words, _)| reason.contains(words)).map_or(
        "trust the authority that signed the server's certificate with `--ca-file FILE`, a PEM file",
        |(_, help)| help,
    )
}

/// What to do about an answer that is not in ARM's form.
pub(super) const NOT_AZURE: &str =
    "Azure answers in another form: check --endpoint, and the proxy, gateway or sign-in page in between";

/// What to do about a failed sign-in, by Entra's code or what else is known of it.
///
/// The codes: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
pub(super) fn signing_in(reason: &str) -> Option<String> {
    let text = match aadsts(reason) {
        Some(7_000_215) => {
            "set AZURE_CLIENT_SECRET to the secret's value, not its id; \
             `az ad app credential reset --id APP` makes a new one"
        }
        Some(7_000_222) => {
            "make a new secret with `az ad app credential reset --id APP`, and set AZURE_CLIENT_SECRET to it"
        }
        Some(700_016) => "check AZURE_CLIENT_ID, and AZURE_TENANT_ID: the application is not in that tenant",
        Some(90002 | 900_021 | 900_023) => {
            "check AZURE_TENANT_ID, and `--cloud`: each cloud has tenants of its own"
        }
        Some(700_024) => {
            "check this machine's clock, and that the job that writes the federated token still renews it"
        }
        Some(70021 | 700_211 | 700_212 | 700_213) => {
            "give the application a federated credential with exactly this issuer, subject and audience"
        }
        Some(700_027) => "add the certificate to the application, or check AZURE_CLIENT_CERTIFICATE_PATH",
        Some(7_000_112) => "enable the application, or sign in with another one",
        Some(53003 | 530_003 | 530_035) => {
            "a conditional access policy forbids it: sign in from where it allows, or ask for an exception"
        }
        Some(50076 | 50079 | 50173 | 700_082) => "sign in again with `az login`",
        Some(_) | None if reason.contains("invalid peer certificate") => certificate(reason),
        Some(_) | None if reason.contains("az login") => {
            "sign in with `az login`, or choose another `--auth`"
        }
        Some(_) | None => return None,
    };
    Some(text.to_owned())
}

/// The number of Entra's code in a message (`AADSTS7000215: …`).
fn aadsts(text: &str) -> Option<u32> {
    let rest = &text[text.find("AADSTS")? + "AADSTS".len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// What to do about a 403 for want of a role, out of ARM's words: who, which action, and where.
pub(super) fn missing_permission(message: &str) -> Option<String> {
    let who = quoted(message, "with object id '").unwrap_or("OBJECT-ID");
    // Before the `however` stands what is allowed; what is missing is a right on something that the body refers to.
    if let Some((_, missing)) = message.split_once("however") {
        return linked_permission(who, missing);
    }
    let action = quoted(message, "perform action '")?;
    let scope = quoted(message, "over scope '").or_else(|| quoted(message, "on scope '"))?;
    Some(format!(
        "ask somebody who may assign roles to run `{}`; a narrower role does, if it allows `{action}`",
        assign(who, role(action), group(scope))
    ))
}

/// What to do about a missing right on resources that the refused one refers to (`LinkedAuthorizationFailed`).
fn linked_permission(who: &str, missing: &str) -> Option<String> {
    if let Some(subscription) = quoted(missing, "access linked subscription '") {
        return Some(format!(
            "a resource cannot refer to one in the subscription {subscription}, as that belongs to another tenant: \
             name one of the tenant that is signed in to"
        ));
    }
    let action = quoted(missing, "perform action '").or_else(|| quoted(missing, "perform action(s) '"))?;
    let scopes = quoted(missing, "linked scope(s) '").or_else(|| quoted(missing, "linked scope '"))?;
    // Those are somebody else's resources, more often than not: as little as possible, and on them alone.
    let commands: Vec<String> =
        scopes.split(',').map(|scope| assign(who, linked_role(action), scope.trim())).collect();
    let more = if action.to_ascii_lowercase().ends_with("privateendpointconnectionsapproval/action") {
        "; or write `manual: true, approve: false`, and let the owner of the target approve the connection"
    } else {
        ""
    };
    Some(format!(
        "somebody who may give roles there has to run `{}`; another role does, if it allows `{action}`{more}",
        commands.join(" && ")
    ))
}

fn assign(who: &str, role: &str, scope: &str) -> String {
    format!("az role assignment create --assignee-object-id {who} --role '{role}' --scope {scope}")
}

/// A built-in role that allows an action. Contributor may do everything but what decides over rights.
///
/// <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>
fn role(action: &str) -> &'static str {
    const ROLES: &[(&str, &str)] = &[
        ("microsoft.authorization/roleassignments/", "Role Based Access Control Administrator"),
        ("microsoft.authorization/policy", "Resource Policy Contributor"),
        ("microsoft.authorization/locks/", "Locks Contributor"),
        ("microsoft.authorization/", "User Access Administrator"),
    ];
    of_action(ROLES, action).unwrap_or("Contributor")
}

/// A built-in role that allows to refer to a resource, and not much more.
fn linked_role(action: &str) -> &'static str {
    const ROLES: &[(&str, &str)] = &[
        ("microsoft.managedidentity/", "Managed Identity Operator"),
        ("microsoft.network/privatednszones/", "Private DNS Zone Contributor"),
        ("microsoft.network/", "Network Contributor"),
        ("microsoft.operationalinsights/", "Log Analytics Contributor"),
    ];
    of_action(ROLES, action).unwrap_or_else(|| role(action))
}

fn of_action(roles: &[(&str, &'static str)], action: &str) -> Option<&'static str> {
    let action = action.to_ascii_lowercase();
    roles.iter().find(|(start, _)| action.starts_with(start)).map(|(_, role)| *role)
}

/// What to do about a lock, out of ARM's words, which name the scope that it is on.
pub(super) fn locked(message: &str) -> String {
    let Some(scope) = quoted(message, "locked: '").and_then(|scopes| scopes.split(',').next()) else {
        return "remove the management lock, or leave the resource alone".to_owned();
    };
    let parts: Vec<&str> = scope.trim().trim_matches('/').split('/').collect();
    let place = match parts.as_slice() {
        [_, subscription] => format!("--subscription {subscription}"),
        [_, _, _, group] => format!("--resource-group {group}"),
        _ => format!("--resource {scope}"),
    };
    format!("ask who locked {scope}, or remove the lock: `az lock list {place}` shows it")
}

/// What to do about a token of another tenant, out of ARM's words.
pub(super) fn wrong_tenant(message: &str) -> String {
    let after = message.split_once("must match").map_or("", |(_, rest)| rest);
    let tenant =
        quoted(after, "https://sts.windows.net/").map(|rest| rest.split(['/', ',']).next().unwrap_or(rest));
    match tenant {
        Some(tenant) => format!(
            "sign in to the subscription's own tenant: AZURE_TENANT_ID={tenant}, or `az login --tenant {tenant}`"
        ),
        None => "sign in to the tenant that the subscription belongs to".to_owned(),
    }
}

/// What to do about a refusal of a request's contents, by Azure's code. The blueprint's words are used: the fix is there.
const OF_CODES: &[(&[&str], &str)] = &[
    (
        &[
            "VaultAlreadyExists",
            "StorageAccountAlreadyTaken",
            "StorageAccountAlreadyExists",
            "NameAlreadyExists",
            "AlreadyInUse",
        ],
        "choose another `name:`, for instance with `${uniqueString(azure.subscription)}` in it: one name is given once in all of Azure",
    ),
    (
        &[
            "ErrCode_InsufficientVCPUQuota",
            "InsufficientVCPUQuota",
            "InsufficientVCpuQuota",
            "ManagedClusterCountExceedsQuotaLimit",
            "QuotaExceeded",
            "ResourceQuotaExceeded",
        ],
        "ask for more quota (portal: Quotas), or take fewer nodes, another `vmSize` or another region",
    ),
    (
        &[
            "AKSCapacityHeavyUsage",
            "AllocationFailed",
            "OverconstrainedAllocationRequest",
            "ZonalAllocationFailed",
        ],
        "the region is short of machines: try again later, or take another `vmSize`, other `zones` or another region",
    ),
    (
        &["SkuNotAvailable", "LocationNotAvailableForResourceType", "VMSizeNotSupported"],
        "take another size or region: `az vm list-skus --location REGION --all --output table` shows what a region has",
    ),
    (
        &["LocationNotAvailableForResourceGroup", "InvalidResourceGroupLocation", "InvalidResourceLocation"],
        "write the `location:` that it has now; only a new name can be in another region",
    ),
    (
        &["ResourceGroupNotFound"],
        "declare the group under `resourceGroups:` and refer to it, or name one that exists",
    ),
    (
        &["ParentResourceNotFound"],
        "declare the resource that it belongs to in the blueprint, or correct the reference to it",
    ),
    (
        &["NetcfgInvalidSubnet", "NetcfgInvalidIPAddressPrefix", "InvalidCIDRNotation"],
        "choose a `prefix` that lies in the network's `addressSpace` and has no bits behind its length",
    ),
    (&["NetcfgSubnetRangesOverlap"], "choose a `prefix` that no other subnet of the network has"),
    (
        &["InsufficientSubnetSize"],
        "choose a larger `prefix` for the subnet, fewer nodes, or a smaller `maxPods`",
    ),
    (
        &["PrivateEndpointCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled"],
        "write `privateEndpointNetworkPolicies: Disabled` on the subnet",
    ),
    (
        &["RoleAssignmentExists"],
        "run again with `--adopt`, or remove the assignment that exists: it gives the same role",
    ),
    (
        &["RoleAssignmentLimitExceeded"],
        "remove role assignments that nothing needs: a subscription may have 4000",
    ),
    (
        &["RoleDefinitionDoesNotExist"],
        "write the name of a built-in role (`az role definition list` shows them), or the id of one that exists",
    ),
    (
        &["PolicyDefinitionNotFound", "PolicySetDefinitionNotFound"],
        "write the name of a built-in policy (`az policy definition list` shows them), or the id of one that exists",
    ),
    (
        &["PrincipalNotFound"],
        "check the object id: it is not that of an application (client id), and it is of the tenant that is signed in to",
    ),
    (
        &[
            "NoRegisteredProviderFound",
            "InvalidApiVersionParameter",
            "InvalidResourceType",
            "InvalidResourceNamespace",
        ],
        "check `type` and `apiVersion`: `az provider show --namespace NAMESPACE` lists those that Azure knows",
    ),
    (
        &["InvalidResourceName"],
        "write another `name:`; `berth explain SECTION.name` says which characters are possible",
    ),
    (
        &["ObjectIsDeletedButRecoverable"],
        "recover it or purge it with `az keyvault`, or choose another name: Azure keeps what was deleted for some time",
    ),
    (&["DnsRecordInUse"], "choose another `dnsPrefix` or name: the name in DNS belongs to another resource"),
];

/// What to do about a refusal with one of Azure's codes.
pub(super) fn of_code(has_code: impl Fn(&str) -> bool) -> Option<&'static str> {
    OF_CODES.iter().find(|(codes, _)| codes.iter().any(|code| has_code(code))).map(|(_, help)| *help)
}

/// The text between `mark` and the next quote.
fn quoted<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    let rest = &text[text.find(mark)? + mark.len()..];
    rest.split('\'').next().filter(|found| !found.is_empty())
}

/// The resource group of a scope, for roles on single resources are hard to keep an eye on.
fn group(scope: &str) -> &str {
    let mut slashes = scope.match_indices('/').map(|(at, _)| at);
    let is_group = scope.split('/').nth(3).is_some_and(|part| part.eq_ignore_ascii_case("resourceGroups"));
    match slashes.nth(4) {
        Some(end) if is_group => &scope[..end],
        _ => scope,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_403_becomes_a_command() {
        let message = "The client 'a' with object id 'o-1' does not have authorization to perform action \
                       'Microsoft.Network/virtualNetworks/write' over scope \
                       '/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v' or the \
                       scope is invalid. If access was recently granted, please refresh your credentials.";
        let advice = missing_permission(message).unwrap();
        for part in [
            "--assignee-object-id o-1 ",
            "--role 'Contributor'",
            "--scope /subscriptions/s/resourceGroups/rg`;",
            "allows `Microsoft.Network/virtualNetworks/write`",
        ] {
            assert!(advice.contains(part), "{advice}");
        }
        for (action, role) in [
            ("roleAssignments/write", "Role Based Access Control Administrator"),
            ("policyAssignments/write", "Resource Policy Contributor"),
            ("locks/delete", "Locks Contributor"),
        ] {
            let refused =
                message.replace("Network/virtualNetworks/write", &format!("Authorization/{action}"));
            let advice = missing_permission(&refused).unwrap();
            assert!(advice.contains(&format!("--role '{role}'")), "{advice}");
        }
        assert_eq!(missing_permission("no"), None);
    }

    #[test]
    fn a_lock_is_looked_up_where_it_is() {
        let vault = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v";
        for (scope, place) in [
            ("/subscriptions/s".to_owned(), "--subscription s".to_owned()),
            ("/subscriptions/s/resourceGroups/rg".to_owned(), "--resource-group rg".to_owned()),
            (vault.to_owned(), format!("--resource {vault}")),
        ] {
            let message = format!(
                "The scope '{vault}' cannot perform write operation because following scope(s) are locked: \
                 '{scope}'. Please remove the lock and try again."
            );
            let advice = locked(&message);
            assert!(advice.contains(&format!("who locked {scope},")), "{advice}");
            assert!(advice.contains(&format!("`az lock list {place}`")), "{advice}");
        }
        assert!(locked("no").contains("remove the management lock"));
    }

    #[test]
    fn a_right_that_is_missing_elsewhere_is_asked_for_there() {
        let message = |rest: &str| {
            format!(
                "The client 'a' with object id 'o-1' has permission to perform action \
                 'Microsoft.ContainerService/managedClusters/write' on scope '/subscriptions/s/resourceGroups/rg'; \
                 however, {rest}"
            )
        };
        let zone = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/privateDnsZones/z";
        let advice = missing_permission(&message(&format!(
            "it does not have permission to perform action 'Microsoft.Network/privateDnsZones/join/action' on the \
             linked scope(s) '{zone},{zone}2' or the linked scope(s) are invalid."
        )))
        .unwrap();
        for part in [
            format!(
                "--assignee-object-id o-1 --role 'Private DNS Zone Contributor' --scope {zone} && az role"
            ),
            format!("--scope {zone}2`; another role does"),
            "allows `Microsoft.Network/privateDnsZones/join/action`".to_owned(),
        ] {
            assert!(advice.contains(&part), "{part} in {advice}");
        }
        assert!(!advice.contains("managedClusters"), "{advice}");
        let advice = missing_permission(&message(
            "it does not have permission to perform action 'PrivateEndpointConnectionsApproval/action' on the \
             linked scope(s) '/subscriptions/s/v' or the linked scope(s) are invalid.",
        ));
        assert!(advice.unwrap().contains("`manual: true, approve: false`"));
        let advice = missing_permission(&message(
            "the current tenant 't' is not authorized to access linked subscription 's-2'.",
        ));
        assert!(advice.unwrap().contains("the subscription s-2, as that belongs to another tenant"));
        assert_eq!(missing_permission(&message("who knows.")), None);
    }

    #[test]
    fn tenants_are_found_in_what_arm_says() {
        let one = "is from the wrong issuer 'https://sts.windows.net/a/'. It must match the tenant \
                   'https://sts.windows.net/b/' associated";
        let many = "It must match one of the tenants 'https://sts.windows.net/b/,https://sts.windows.net/c/'";
        for message in [one, many] {
            assert!(wrong_tenant(message).contains("AZURE_TENANT_ID=b,"), "{}", wrong_tenant(message));
        }
        assert!(wrong_tenant("?").contains("tenant"));
    }

    #[test]
    fn codes_of_entra_are_known_by_number() {
        assert_eq!(aadsts("x: AADSTS7000215: Invalid"), Some(7_000_215));
        assert_eq!(aadsts("nothing"), None);
        assert!(signing_in("AADSTS90002: Tenant 'x' not found.").unwrap().contains("AZURE_TENANT_ID"));
        assert_eq!(signing_in("AADSTS1: new"), None);
    }
}
