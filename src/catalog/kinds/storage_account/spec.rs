//! What a blueprint says of a storage account.

use crate::catalog::{Named, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A storage account with its blob containers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// How data is kept, such as `Standard_LRS`, `Standard_ZRS` or `Standard_GZRS`. A new account has `Standard_ZRS` when
    /// absent.
    pub(super) sku: Option<String>,
    /// What the account is for; `StorageV2`, for everything, when absent.
    #[serde(default)]
    pub(super) kind: AccountKind,
    /// `Hot`, `Cool` or `Cold`; Azure's default (`Hot`) when absent.
    pub(super) access_tier: Option<AccessTier>,
    /// Whether the account answers on public networks; `false` leaves private endpoints only. Azure's default (`true`) when
    /// absent.
    pub(super) public_access: Option<bool>,
    /// Whether containers can be opened to everybody. A new account allows it not when absent.
    pub(super) allow_public_blobs: Option<bool>,
    /// Whether the account's access keys are accepted; Azure's default (`true`) when absent.
    pub(super) shared_keys: Option<bool>,
    /// The oldest version of TLS that is accepted. A new account takes `TLS1_2` when absent; Azure by itself would take 1.0.
    pub(super) min_tls: Option<MinTls>,
    /// Whether there are real folders (Data Lake Storage); Azure's default (`false`) when absent. Never changes.
    pub(super) hierarchical: Option<bool>,
    /// Whether data is encrypted twice; Azure's default (`false`) when absent. Never changes.
    pub(super) double_encryption: Option<bool>,
    /// The identities with which the account acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) identities: Vec<Reference>,
    /// From where on public networks the account may be reached.
    pub(super) network_rules: Option<NetworkRulesSpec>,
    /// How blobs that are changed or deleted are kept.
    pub(super) blobs: Option<BlobsSpec>,
    /// What becomes of blobs as they grow old, by name.
    #[serde(default)]
    pub(super) lifecycle: Named<LifecycleSpec>,
    /// File shares.
    #[serde(default)]
    pub(super) shares: Named<ShareSpec>,
    /// Queues.
    #[serde(default)]
    pub(super) queues: Named<PartSpec>,
    /// Tables.
    #[serde(default)]
    pub(super) tables: Named<PartSpec>,
    /// Blob containers.
    #[serde(default)]
    pub(super) containers: Named<ContainerSpec>,
}

/// What an account is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccountKind {
    /// Everything.
    #[default]
    StorageV2,
    /// Premium blobs.
    BlockBlobStorage,
    /// Premium file shares.
    FileStorage,
}

/// How quickly blobs are at hand.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum AccessTier {
    /// At once, and dear to keep.
    Hot,
    /// At once, and dear to read.
    Cool,
    /// The same, more so.
    Cold,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[allow(non_camel_case_types, reason = "the words are Azure's")]
pub enum MinTls {
    /// 1.0.
    TLS1_0,
    /// 1.1.
    TLS1_1,
    /// 1.2.
    #[default]
    TLS1_2,
}

/// From where an account may be reached: what is not allowed here is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkRulesSpec {
    /// Public addresses or CIDR blocks that are let in.
    #[serde(default)]
    pub(super) ips: Vec<String>,
    /// Subnets that are let in; each needs the service endpoint `Microsoft.Storage`.
    #[serde(default)]
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnets: Vec<Reference>,
    /// Whether Azure's own services pass all the same; `true` when absent.
    #[serde(default = "yes")]
    pub(super) trusted_services: bool,
}

fn yes() -> bool {
    true
}

/// A blob container.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContainerSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// Who reads it without signing in: `None` (Azure's default), `Blob` or `Container`; the account has to allow it.
    pub(super) public_access: Option<ContainerAccess>,
}

/// Who reads a container without signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ContainerAccess {
    /// Nobody.
    None,
    /// Everybody who knows a blob's name.
    Blob,
    /// Everybody.
    Container,
}

/// How blobs that are changed or deleted are kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BlobsSpec {
    /// Whether every change keeps the blob as it was; Azure's default (`false`) when absent.
    pub(super) versioning: Option<bool>,
    /// How many days a deleted blob can be brought back: 1 to 365; not at all when absent.
    pub(super) deleted_days: Option<i64>,
    /// How many days a deleted container can be brought back: 1 to 365; not at all when absent.
    pub(super) deleted_container_days: Option<i64>,
    /// To how many days back all blobs can be brought: 1 to 364, fewer than `deletedDays`. Needs `versioning` and
    /// `changeFeed`. Not at all when absent.
    pub(super) restore_days: Option<i64>,
    /// Whether there is a record of every change; Azure's default (`false`) when absent.
    pub(super) change_feed: Option<bool>,
    /// How many days that record is kept: 1 to 146000; for good when absent.
    pub(super) change_feed_days: Option<i64>,
    /// Whether Azure notes when a blob was last read; Azure's default (`false`) when absent.
    pub(super) last_access: Option<bool>,
}

/// What becomes of blobs as they grow old.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LifecycleSpec {
    /// Containers, and starts of names in them, such as `audit/2025`; all blobs when absent.
    #[serde(default)]
    pub(super) prefixes: Vec<String>,
    /// After how many days without a change a blob is moved to the tier `Cool`.
    pub(super) cool_after_days: Option<i64>,
    /// After how many days without a change a blob is moved to the tier `Cold`.
    pub(super) cold_after_days: Option<i64>,
    /// After how many days without a change a blob is moved to the archive, from where it takes hours to come back.
    pub(super) archive_after_days: Option<i64>,
    /// After how many days without a change a blob is deleted.
    pub(super) delete_after_days: Option<i64>,
    /// After how many days a snapshot is deleted.
    pub(super) delete_snapshots_after_days: Option<i64>,
    /// After how many days an earlier version of a blob is deleted.
    pub(super) delete_versions_after_days: Option<i64>,
    /// Whether it is on; `true` when absent.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
}

/// A file share.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ShareSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// How many gigabytes it holds: 1 to 102400; Azure's default (5120) when absent.
    pub(super) quota_gb: Option<i64>,
    /// How it is mounted: `SMB` (Azure's default), or `NFS`, which needs an account of the kind `FileStorage`. Never changes.
    pub(super) protocol: Option<ShareProtocol>,
    /// How it is paid for; Azure's default when absent.
    pub(super) tier: Option<ShareTier>,
}

/// How a share is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ShareProtocol {
    /// By Windows and everything else.
    Smb,
    /// By Linux, from networks that the account lets in.
    Nfs,
}

/// How a share is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ShareTier {
    /// Cheap to use, dear to keep.
    TransactionOptimized,
    /// In between.
    Hot,
    /// Cheap to keep, dear to use.
    Cool,
    /// By what is reserved; of an account of the kind `FileStorage`.
    Premium,
}

/// A queue or a table.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PartSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
}
