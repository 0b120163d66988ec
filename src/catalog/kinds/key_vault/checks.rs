//! What can be wrong with a key vault, and is known offline.

use super::spec::{Authorization, PolicySpec, Spec};
use crate::catalog::kinds::addresses::public_range;
use crate::catalog::kinds::naming::{NameRule, alphanumeric, did_you_mean};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::{display_text, has_token};

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &KEY_VAULT_NAME,
    &KEY_VAULT_IP,
    &KEY_VAULT_POLICIES_UNUSED,
    &KEY_VAULT_RETENTION,
    &KEY_VAULT_RULES_UNUSED,
    &KEY_VAULT_PERMISSION,
    &KEY_VAULT_PRINCIPAL,
    &KEY_VAULT_PRINCIPAL_TWICE,
];

const KEY_VAULT_NAME: Code = Code {
    name: "key-vault-name",
    why: "Vault names are part of a DNS name that all of Azure shares.",
    remedy: "Use 3 to 24 letters, digits and `-`; `uniqueString` keeps it apart from others.",
    example: "name: kv-shop-${uniqueString(azure.subscription)}",
};

const NAME: NameRule = NameRule {
    code: &KEY_VAULT_NAME,
    what: "a key vault",
    min: 3,
    max: 24,
    first: |c| c.is_ascii_alphabetic(),
    inner: |c| alphanumeric(c) || c == '-',
    last: alphanumeric,
    says: "3 to 24 letters, digits and `-`, starting with a letter, not ending with `-`, and no `--`; \
           vault names are taken worldwide, so `${uniqueString(azure.resourceGroup)}` helps",
};

/// What can be permitted, by what it is permitted on.
pub(super) const PERMISSIONS: [(&str, &[&str]); 4] = [
    ("secrets", &["all", "get", "list", "set", "delete", "backup", "restore", "recover", "purge"]),
    (
        "keys",
        &[
            "all",
            "encrypt",
            "decrypt",
            "wrapKey",
            "unwrapKey",
            "sign",
            "verify",
            "get",
            "list",
            "create",
            "update",
            "import",
            "delete",
            "backup",
            "restore",
            "recover",
            "purge",
            "release",
            "rotate",
            "getrotationpolicy",
            "setrotationpolicy",
        ],
    ),
    (
        "certificates",
        &[
            "all",
            "get",
            "list",
            "delete",
            "create",
            "import",
            "update",
            "managecontacts",
            "getissuers",
            "listissuers",
            "setissuers",
            "deleteissuers",
            "manageissuers",
            "recover",
            "purge",
            "backup",
            "restore",
        ],
    ),
    (
        "storage",
        &[
            "all",
            "get",
            "list",
            "delete",
            "set",
            "update",
            "regeneratekey",
            "recover",
            "purge",
            "backup",
            "restore",
            "setsas",
            "listsas",
            "getsas",
            "deletesas",
        ],
    ),
];

const KEY_VAULT_IP: Code = Code {
    name: "key-vault-ip",
    why: "A vault's rules take public IPv4 addresses and ranges; private ones come through endpoints.",
    remedy: "Write a public address or range.",
    example: "networkRules: { ips: [203.0.113.0/24] }",
};

const KEY_VAULT_POLICIES_UNUSED: Code = Code {
    name: "key-vault-policies-unused",
    why: "A vault uses Azure roles or its own access policies: with roles, policies have no effect.",
    remedy: "Write `authorization: accessPolicies`, or use roleAssignments.",
    example: "authorization: rbac",
};

const KEY_VAULT_RETENTION: Code = Code {
    name: "key-vault-retention",
    why: "A deleted vault is kept for 7 to 90 days, which cannot be changed later.",
    remedy: "Write a number within.",
    example: "softDeleteRetentionDays: 90",
};

const KEY_VAULT_RULES_UNUSED: Code = Code {
    name: "key-vault-rules-unused",
    why: "Without public access firewall rules have no effect: only private endpoints reach the vault.",
    remedy: "Drop the rules, or `publicAccess: false`.",
    example: "publicAccess: false",
};

const KEY_VAULT_PRINCIPAL_TWICE: Code = Code {
    name: "key-vault-principal-twice",
    why: "A vault has one access policy for a principal (and the application that acts for it); of two, the second takes the place of the first, and every plan would change them.",
    remedy: "Put both into one entry.",
    example: "accessPolicies: { app: { principal: \"${identities.app}\", secrets: [get], certificates: [get] } }",
};

impl Spec {
    pub(super) fn check(&self, cx: &mut EntryCx<'_>) {
        let name = &cx.common.name.clone();
        NAME.check(name, "name", cx);
        if NAME.allows(name) && name.contains("--") {
            cx.problem(
                Problem::error(NAME.code, "name", format!("`{}` has two `-` in a row", display_text(name)))
                    .help("use one `-` at a time"),
            );
        }
        if let Some(days) = self.soft_delete_retention_days.filter(|days| !(7..=90).contains(days)) {
            cx.problem(
                Problem::error(
                    &KEY_VAULT_RETENTION,
                    "softDeleteRetentionDays",
                    format!("a deleted vault cannot be kept for {days} days"),
                )
                .help("write 7 to 90, or leave it out for 90"),
            );
        }
        if self.authorization() == Authorization::Rbac && !self.access_policies.is_empty() {
            cx.problem(
                Problem::warning(
                    &KEY_VAULT_POLICIES_UNUSED,
                    "accessPolicies",
                    "the vault uses Azure roles, so its access policies have no effect",
                )
                .help("write `authorization: accessPolicies`, or roleAssignments in place of the policies"),
            );
        }
        let mut principals: Vec<(String, &str)> = Vec::new();
        for (key, policy) in &self.access_policies {
            policy.check(key, cx);
            let application = policy.application_id.as_deref().unwrap_or_default();
            let who = format!("{}|{application}", policy.principal.facet("principalId")).to_ascii_lowercase();
            if let Some((_, other)) = principals.iter().find(|(known, _)| *known == who) {
                cx.problem(
                    Problem::error(
                        &KEY_VAULT_PRINCIPAL_TWICE,
                        format!("accessPolicies.{key}.principal"),
                        format!("`{other}` and `{key}` are for the same principal, of which a vault keeps one policy"),
                    )
                    .help(format!("write what `{key}` permits into `{other}`, and remove `{key}`")),
                );
            }
            principals.push((who, key));
        }
        let Some(rules) = &self.network_rules else { return };
        if self.public_access == Some(false) && !(rules.ips.is_empty() && rules.subnets.is_empty()) {
            cx.problem(
                Problem::warning(
                    &KEY_VAULT_RULES_UNUSED,
                    "networkRules",
                    "with `publicAccess: false` no address and no subnet is let in, whatever the rules say",
                )
                .help("drop the rules, or `publicAccess: false`"),
            );
        }
        for (at, ip) in rules.ips.iter().enumerate().filter(|(_, ip)| !has_token(ip)) {
            let (message, help) = match public_range(ip) {
                Ok(range) if range.addr().is_ipv4() => continue,
                Ok(_) => (
                    format!("`{ip}` is an IPv6 address, and a vault's rules are for IPv4"),
                    "write a public IPv4 address or a CIDR block, such as `203.0.113.0/24`".to_owned(),
                ),
                Err(wrong) => wrong,
            };
            cx.problem(Problem::error(&KEY_VAULT_IP, format!("networkRules.ips[{at}]"), message).help(help));
        }
    }
}

const KEY_VAULT_PERMISSION: Code = Code {
    name: "key-vault-permission",
    why: "The permission is not one that this kind of object has.",
    remedy: "Take one that the message lists.",
    example: "accessPolicies: { app: { principal: \"${identities.app}\", secrets: [get, list] } }",
};

const KEY_VAULT_PRINCIPAL: Code = Code {
    name: "key-vault-principal",
    why: "An access policy is for a principal, named by its object id.",
    remedy: "Refer to an identity, or write the GUID.",
    example: "principal: ${identities.app}",
};

impl PolicySpec {
    pub(super) fn permissions(&self) -> [&[String]; 4] {
        [&self.secrets, &self.keys, &self.certificates, &self.storage]
    }

    pub(super) fn check(&self, key: &str, cx: &mut EntryCx<'_>) {
        if self.principal.path().is_none()
            && !has_token(&self.principal.0)
            && uuid::Uuid::try_parse(&self.principal.0).is_err()
        {
            cx.problem(
                Problem::error(
                    &KEY_VAULT_PRINCIPAL,
                    format!("accessPolicies.{key}.principal"),
                    format!("`{}` is not a principal", self.principal.0),
                )
                .help("write a reference such as `${identities.app}`, or the object id, which is a GUID"),
            );
        }
        for ((on, known), written) in PERMISSIONS.iter().zip(self.permissions()) {
            for (at, permission) in written.iter().enumerate() {
                if has_token(permission) || known.iter().any(|known| known.eq_ignore_ascii_case(permission)) {
                    continue;
                }
                let path = format!("accessPolicies.{key}.{on}[{at}]");
                let message = format!("`{permission}` is nothing that can be permitted on {on}");
                let help = did_you_mean(permission, known.iter().copied());
                let help = help.unwrap_or_else(|| format!("write some of {}", known.join(", ")));
                cx.problem(Problem::error(&KEY_VAULT_PERMISSION, path, message).help(help));
            }
        }
    }
}
