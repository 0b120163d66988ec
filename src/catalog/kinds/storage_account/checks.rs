//! What can be wrong with a storage account, and is known offline.

use super::spec::{AccountKind, BlobsSpec, ContainerAccess, LifecycleSpec, ShareProtocol, Spec};
use crate::catalog::kinds::addresses::public_range;
use crate::catalog::kinds::naming::{NameRule, alphanumeric, small};
use crate::catalog::kinds::parts::{is_none_of, within};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::{display_text, has_token};

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] =
    &[&STORAGE_ACCOUNT_NAME, &STORAGE_CONTAINER_NAME, &STORAGE_ACCOUNT_ACCESS, &STORAGE_ACCOUNT_DATA];

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
    why: "The name cannot be that of a blob container, a share, a queue or a table.",
    remedy: "Use 3 to 63 small letters, digits and single `-`; for a table letters and digits.",
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

/// The same for shares and queues.
const PART_NAME: NameRule = NameRule { what: "a share or a queue", ..CONTAINER_NAME };

const TABLE_NAME: NameRule = NameRule {
    what: "a table",
    first: |c| c.is_ascii_alphabetic(),
    inner: alphanumeric,
    last: alphanumeric,
    says: "3 to 63 letters and digits, starting with a letter",
    ..CONTAINER_NAME
};

/// How data can be kept (<https://learn.microsoft.com/rest/api/storagerp/srp_sku_types>).
const SKUS: &[&str] = &[
    "Standard_LRS",
    "Standard_ZRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "StandardV2_LRS",
    "StandardV2_ZRS",
    "StandardV2_GRS",
    "StandardV2_GZRS",
    "PremiumV2_LRS",
    "PremiumV2_ZRS",
];

const STORAGE_ACCOUNT_DATA: Code = Code {
    name: "storage-account-data",
    why: "What is kept of blobs builds on each other, and shares and rules of age are for some kinds of account only.",
    remedy: "Write it as the message says.",
    example: "blobs: { versioning: true, changeFeed: true, deletedDays: 30, restoreDays: 29 }",
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
        self.check_data(cx);
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

impl Spec {
    fn check_data(&self, cx: &mut EntryCx<'_>) {
        if let Some(sku) = self.sku.as_ref().filter(|sku| is_none_of(sku, SKUS)) {
            let message = format!("`{}` is not a way in which Azure keeps data", display_text(sku));
            cx.problem(
                Problem::error(&STORAGE_ACCOUNT_DATA, "sku", message)
                    .help(format!("write one of {}", SKUS.join(", "))),
            );
        }
        if let Some(blobs) = &self.blobs {
            blobs.check(cx);
        }
        for (key, rule) in &self.lifecycle {
            rule.check(&format!("lifecycle.{key}"), cx);
        }
        let blobs = self.blobs.is_some() || !self.lifecycle.is_empty() || !self.containers.is_empty();
        let others = !self.queues.is_empty() || !self.tables.is_empty();
        let wrong = match self.kind {
            AccountKind::FileStorage if blobs || others => {
                Some("an account of the kind `FileStorage` has shares only")
            }
            AccountKind::BlockBlobStorage if others || !self.shares.is_empty() => {
                Some("an account of the kind `BlockBlobStorage` has blobs only")
            }
            _ => None,
        };
        if let Some(message) = wrong {
            cx.problem(
                Problem::error(&STORAGE_ACCOUNT_DATA, "kind", message)
                    .help("write `kind: StorageV2`, or take the rest out"),
            );
        }
        for (key, share) in &self.shares {
            let path = format!("shares.{key}");
            PART_NAME.check(share.name.as_deref().unwrap_or(key), &path, cx);
            within(share.quota_gb, 1..=102_400, &format!("{path}.quotaGb"), cx);
            if share.protocol == Some(ShareProtocol::Nfs) && self.kind != AccountKind::FileStorage {
                let message = "a share that is mounted by NFS is in an account of the kind `FileStorage`";
                cx.problem(
                    Problem::error(&STORAGE_ACCOUNT_DATA, format!("{path}.protocol"), message)
                        .help("write `kind: FileStorage` in the account, or `protocol: SMB`"),
                );
            }
        }
        for (key, queue) in &self.queues {
            PART_NAME.check(queue.name.as_deref().unwrap_or(key), &format!("queues.{key}"), cx);
        }
        for (key, table) in &self.tables {
            TABLE_NAME.check(table.name.as_deref().unwrap_or(key), &format!("tables.{key}"), cx);
        }
    }
}

impl BlobsSpec {
    fn check(&self, cx: &mut EntryCx<'_>) {
        within(self.deleted_days, 1..=365, "blobs.deletedDays", cx);
        within(self.deleted_container_days, 1..=365, "blobs.deletedContainerDays", cx);
        within(self.restore_days, 1..=364, "blobs.restoreDays", cx);
        within(self.change_feed_days, 1..=146_000, "blobs.changeFeedDays", cx);
        let on = |said: Option<bool>| said == Some(true);
        let longer = self.restore_days.zip(self.deleted_days).is_some_and(|(back, kept)| back < kept);
        if self.restore_days.is_some() && !(on(self.versioning) && on(self.change_feed) && longer) {
            let message = "blobs can be brought back only with versions, a record of changes, and a longer time for what is deleted";
            cx.problem(
                Problem::error(&STORAGE_ACCOUNT_DATA, "blobs.restoreDays", message).help(
                    "write `versioning: true`, `changeFeed: true`, and `deletedDays` above `restoreDays`",
                ),
            );
        }
        if self.change_feed_days.is_some() && !on(self.change_feed) {
            let message = "there is no record of changes that could be kept";
            cx.problem(
                Problem::error(&STORAGE_ACCOUNT_DATA, "blobs.changeFeedDays", message)
                    .help("write `changeFeed: true`"),
            );
        }
    }
}

impl LifecycleSpec {
    fn check(&self, path: &str, cx: &mut EntryCx<'_>) {
        let all = [
            ("coolAfterDays", self.cool_after_days),
            ("coldAfterDays", self.cold_after_days),
            ("archiveAfterDays", self.archive_after_days),
            ("deleteAfterDays", self.delete_after_days),
            ("deleteSnapshotsAfterDays", self.delete_snapshots_after_days),
            ("deleteVersionsAfterDays", self.delete_versions_after_days),
        ];
        for (field, days) in all {
            within(days, 0..=99_999, &format!("{path}.{field}"), cx);
        }
        if all.iter().all(|(_, days)| days.is_none()) {
            let message = "the rule does nothing";
            cx.problem(
                Problem::error(&STORAGE_ACCOUNT_DATA, path, message)
                    .help("write one of the fields that end in `AfterDays`"),
            );
        }
    }
}
