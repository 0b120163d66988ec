//! What to do about the refusals that people meet before anything else: signing in, and rights.

/// What to do about a server whose certificate nobody vouches for.
pub(super) const UNTRUSTED: &str =
    "trust the authority that signed the server's certificate with `--ca-file FILE`, a PEM file";

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
            "check this machine's clock, and that whoever writes the federated token still renews it"
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
        Some(_) | None if reason.contains("invalid peer certificate") => UNTRUSTED,
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
    let action = quoted(message, "perform action '")?;
    let scope = quoted(message, "over scope '").or_else(|| quoted(message, "on scope '"))?;
    let who = quoted(message, "with object id '");
    // Contributor may do everything but give roles away.
    let role = if action.to_ascii_lowercase().starts_with("microsoft.authorization/roleassignments/") {
        "Role Based Access Control Administrator"
    } else {
        "Contributor"
    };
    let scope = group(scope);
    Some(format!(
        "somebody who may give roles has to run: az role assignment create --assignee-object-id {} --role '{role}' \
         --scope {scope}; a narrower role does, if it allows {action}",
        who.unwrap_or("OBJECT-ID")
    ))
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
            "--scope /subscriptions/s/resourceGroups/rg;",
            "allows Microsoft.Network/virtualNetworks/write",
        ] {
            assert!(advice.contains(part), "{advice}");
        }
        let roles = message.replace("Network/virtualNetworks/write", "Authorization/roleAssignments/write");
        assert!(missing_permission(&roles).unwrap().contains("Role Based Access Control Administrator"));
        assert_eq!(missing_permission("no"), None);
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
