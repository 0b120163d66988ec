//! What a blueprint says of a storage account.

use crate::catalog::Reference;
use indexmap::IndexMap;
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
    /// Whether the account's keys sign anybody in; Azure's default (`true`) when absent.
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
    /// Blob containers.
    #[serde(default)]
    pub(super) containers: IndexMap<String, ContainerSpec>,
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
