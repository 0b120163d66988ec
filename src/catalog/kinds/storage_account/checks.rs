//! What can be wrong with a storage account, and is known offline.

use super::spec::{ContainerAccess, Spec};
use crate::catalog::kinds::addresses::public_range;
use crate::catalog::kinds::naming::{NameRule, small};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&STORAGE_ACCOUNT_NAME, &STORAGE_CONTAINER_NAME, &STORAGE_ACCOUNT_ACCESS];

const STORAGE_ACCOUNT_NAME: Code = Code {
    name: "storage-account-name",
    why: "The name of a storage account is part of a DNS name that all of Azure shares.",
    remedy: "Use 3 to 24 small letters and digits; `uniqueString` keeps it apart from others.",
    example: "name: stshop${uniqueString(azure.resourceGroup)}",
};

const NAME: NameRule = NameRule {
    code: &STORAGE_ACCOUNT_NAME,
    what: "a storage account",
    min: 3,
    max: 24,
    first: small,
    inner: small,
    last: small,
    says: "3 to 24 small letters and digits; names of storage accounts are taken worldwide, so \
           `${uniqueString(azure.resourceGroup)}` helps",
};

const STORAGE_CONTAINER_NAME: Code = Code {
    name: "storage-container-name",
    why: "The name cannot be that of a blob container.",
    remedy: "Use 3 to 63 small letters, digits and single `-`.",
    example: "containers: { orders: {} }",
};

const CONTAINER_NAME: NameRule = NameRule {
    code: &STORAGE_CONTAINER_NAME,
    what: "a blob container",
    min: 3,
    max: 63,
    first: small,
    inner: |c| small(c) || c == '-',
    last: small,
    says: "3 to 63 small letters, digits and `-`, not starting or ending with `-`, and no `--`",
};

const STORAGE_ACCOUNT_ACCESS: Code = Code {
    name: "storage-account-access",
    why: "Rules are about public addresses and have no effect without public access; an open container needs an account that allows it.",
    remedy: "Write it as the message says.",
    example: "storageAccounts: { logs: { name: stlogs, publicAccess: false } }",
};

impl Spec {
    pub(super) fn check(&self, cx: &mut EntryCx<'_>) {
        NAME.check(&cx.common.name.clone(), "name", cx);
        for (key, container) in &self.containers {
            let (name, path) = (container.name(key), format!("containers.{key}"));
            if name != "$web" && name != "$root" {
                CONTAINER_NAME.check(name, &path, cx);
            }
            if CONTAINER_NAME.allows(name) && name.contains("--") {
                let message = format!("`{name}` has two `-` in a row");
                cx.problem(
                    Problem::error(&STORAGE_CONTAINER_NAME, &*path, message).help("use one `-` at a time"),
                );
            }
            let open = container.public_access.is_some_and(|access| access != ContainerAccess::None);
            if open && self.allow_public_blobs != Some(true) {
                let message = "the account does not allow reads without a sign-in";
                cx.problem(
                    Problem::error(&STORAGE_ACCOUNT_ACCESS, format!("{path}.publicAccess"), message)
                        .help("write `allowPublicBlobs: true` in the account, or take `publicAccess` out of the container"),
                );
            }
        }
        let Some(rules) = &self.network_rules else { return };
        if self.public_access == Some(false) && !(rules.ips.is_empty() && rules.subnets.is_empty()) {
            let message =
                "with `publicAccess: false` no address and no subnet is let in, whatever the rules say";
            cx.problem(
                Problem::warning(&STORAGE_ACCOUNT_ACCESS, "networkRules", message)
                    .help("drop the rules, or `publicAccess: false`"),
            );
        }
        for (index, ip) in rules.ips.iter().enumerate().filter(|(_, ip)| !has_token(ip)) {
            let wrong = match public_range(ip) {
                Ok(range) if range.prefix_len() == 31 => Some((
                    "Azure takes no range of two addresses".to_owned(),
                    "write both addresses".to_owned(),
                )),
                Ok(_) => None,
                Err(wrong) => Some(wrong),
            };
            if let Some((message, help)) = wrong {
                let path = format!("networkRules.ips[{index}]");
                cx.problem(Problem::error(&STORAGE_ACCOUNT_ACCESS, path, message).help(help));
            }
        }
    }
}
