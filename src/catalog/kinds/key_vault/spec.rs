//! What a blueprint says of a key vault.

use crate::catalog::kinds::key_vault_key::KeySpec;
use crate::catalog::kinds::key_vault_secret::SecretSpec;
use crate::catalog::{Named, Reference};
use schemars::JsonSchema;
use serde::Deserialize;

/// A key vault with its secrets and keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Who may use what is in the vault: by Azure roles (`rbac`) or by `accessPolicies`. A new vault goes by roles when
    /// absent.
    pub(super) authorization: Option<Authorization>,
    /// Whether the vault answers on public networks; `false` leaves private endpoints only. Azure's default (`true`)
    /// when absent.
    pub(super) public_access: Option<bool>,
    /// `standard`, or `premium` for keys in hardware. A new vault is `standard` when absent.
    pub(super) sku: Option<Sku>,
    /// How many days a deleted vault can be recovered, 7 to 90; Azure's default (90) when absent. Never changes.
    pub(super) soft_delete_retention_days: Option<i32>,
    /// Whether a deleted vault is kept until its retention ends, and cannot be purged before. Once on it stays on, so
    /// `false` is the same as leaving it out.
    #[serde(default)]
    pub(super) purge_protection: bool,
    /// Who may do what, by key; for `authorization: accessPolicies`.
    #[serde(default)]
    pub(super) access_policies: Named<PolicySpec>,
    /// From where on public networks the vault may be reached.
    pub(super) network_rules: Option<NetworkRulesSpec>,
    /// Whether virtual machines may fetch certificates that are stored as secrets.
    pub(super) enabled_for_deployment: Option<bool>,
    /// Whether Azure Disk Encryption may fetch secrets and unwrap keys.
    pub(super) enabled_for_disk_encryption: Option<bool>,
    /// Whether Azure Resource Manager may fetch secrets for templates.
    pub(super) enabled_for_template_deployment: Option<bool>,
    /// Secrets in the vault, by key. One that is dropped here stays in the vault, which is all that ARM allows.
    #[serde(default)]
    pub(super) secrets: Named<SecretSpec>,
    /// Keys in the vault, by key. Azure makes them and never changes them; one that is dropped here stays in the vault.
    #[serde(default)]
    pub(super) keys: Named<KeySpec>,
}

/// Who decides about access to what is in a vault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Authorization {
    /// Azure roles on the vault.
    #[default]
    Rbac,
    /// The vault's own access policies.
    AccessPolicies,
}

/// The edition of a vault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Sku {
    /// Keys are protected by software.
    #[default]
    Standard,
    /// Keys can be kept in hardware security modules.
    Premium,
}

/// What a principal may do with what is in the vault.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PolicySpec {
    /// Who: an identity of the blueprint, or the object id of a user, group or service principal.
    #[schemars(extend("x-wants" = "principal"))]
    pub(super) principal: Reference,
    /// The application that must act for the principal; any when absent.
    pub(super) application_id: Option<String>,
    /// What may be done with secrets, such as `[get, list]`.
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    /// What may be done with keys, such as `[get, wrapKey, unwrapKey]`.
    #[serde(default)]
    pub(super) keys: Vec<String>,
    /// What may be done with certificates, such as `[get, import]`.
    #[serde(default)]
    pub(super) certificates: Vec<String>,
    /// What may be done with managed storage accounts.
    #[serde(default)]
    pub(super) storage: Vec<String>,
}

/// The firewall of a vault: what is not allowed here is refused, unless `defaultAction` says otherwise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkRulesSpec {
    /// What happens to everybody else; `Deny` when absent.
    #[serde(default)]
    pub(super) default_action: DefaultAction,
    /// Who passes whatever the rules say: `AzureServices` (the default) or `None`.
    #[serde(default)]
    pub(super) bypass: Bypass,
    /// Public addresses or CIDR blocks that are let in.
    #[serde(default)]
    pub(super) ips: Vec<String>,
    /// Subnets that are let in; each needs the service endpoint `Microsoft.KeyVault`.
    #[serde(default)]
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnets: Vec<Reference>,
    /// Whether subnets without that service endpoint are accepted all the same.
    #[serde(default)]
    pub(super) ignore_missing_service_endpoint: bool,
}

/// What a firewall does with those it has no rule for.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub enum DefaultAction {
    /// They are refused.
    #[default]
    Deny,
    /// They are let in.
    Allow,
}

/// Who need not pass a firewall.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub enum Bypass {
    /// The services of Azure that Microsoft trusts.
    #[default]
    AzureServices,
    /// Nobody.
    None,
}
