//! What guards a cluster: Defender, the key of its secrets, certificate authorities, the way through a proxy.

use super::spec::Spec;
use super::words::words;
use crate::catalog::{Reference, model};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Removing images from nodes that no pod uses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ImageCleanerSpec {
    /// Whether it is on; yes when absent.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// How often it runs, in hours: 24 to 2160; 168 when absent.
    pub(super) interval_hours: Option<i32>,
}

/// Microsoft Defender for Containers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DefenderSpec {
    /// Whether it is on; yes when absent.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// The Log Analytics workspace that it writes to.
    #[schemars(extend("x-wants" = "workspace"))]
    pub(super) workspace: Option<Reference>,
}

/// Encryption of the secrets in etcd with a key of yours (`azureKeyVaultKms`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KmsSpec {
    /// Whether it is on; yes when absent.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// A key of `keyVaults`, or a key with its version: `https://{vault}.vault.azure.net/keys/{name}/{version}` (`keyId`).
    #[schemars(extend("x-wants" = "vault key"))]
    pub(super) key: Option<Reference>,
    /// How the vault is reached: `Public` (the default), or `Private` by its private endpoint, which needs `vault` and
    /// `apiServer: { vnetIntegration: true }`.
    pub(super) network_access: Option<KmsAccess>,
    /// The vault of the key, with `networkAccess: Private` (`keyVaultResourceId`).
    #[schemars(extend("x-wants" = "key vault"))]
    pub(super) vault: Option<Reference>,
}

/// The way of nodes and pods to the internet through a proxy. A change makes all nodes anew.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HttpProxySpec {
    /// Whether it is used; yes when absent.
    pub(super) enabled: Option<bool>,
    /// The proxy for `http`, such as `http://proxy.shop.local:3128` (`httpProxy`).
    pub(super) http: Option<String>,
    /// The proxy for `https`; `http` serves both when absent (`httpsProxy`).
    pub(super) https: Option<String>,
    /// Hosts, domains and CIDR blocks that are reached without it. Azure adds those that a cluster needs.
    pub(super) no_proxy: Option<Vec<String>>,
    /// The certificate of another authority to trust, PEM in base64 (`trustedCa`).
    pub(super) trusted_ca: Option<String>,
}

words! {
    /// How a vault is reached.
    KmsAccess { "Public" => Public, "Private" => Private, }
}

fn yes() -> bool {
    true
}

impl KmsSpec {
    fn profile(&self) -> Value {
        if !self.enabled {
            // The key is left behind: Azure refuses one while the encryption is off.
            return json!({ "enabled": false });
        }
        json!({
            "enabled": true,
            "keyId": self.key.as_ref().map(|key| key.facet("versionedUri")),
            "keyVaultNetworkAccess": self.network_access,
            "keyVaultResourceId": self.vault.as_ref().map(Reference::id),
        })
    }
}

impl HttpProxySpec {
    /// `httpProxyConfig`.
    pub(super) fn config(&self) -> Value {
        json!({
            "enabled": self.enabled,
            "httpProxy": self.http,
            "httpsProxy": self.https,
            "noProxy": self.no_proxy,
            "trustedCa": self.trusted_ca,
        })
    }
}

/// `securityProfile`.
pub(super) fn profile(spec: &Spec) -> Value {
    model(&json!({
        "workloadIdentity": { "enabled": spec.has_workload_identity() },
        "imageCleaner": spec.image_cleaner.as_ref().map(|cleaner| {
            json!({ "enabled": cleaner.enabled, "intervalHours": cleaner.interval_hours })
        }),
        "defender": spec.defender.as_ref().map(|defender| {
            json!({
                "logAnalyticsWorkspaceResourceId": defender.workspace.as_ref().map(Reference::id),
                "securityMonitoring": { "enabled": defender.enabled },
            })
        }),
        "azureKeyVaultKms": spec.kms.as_ref().map(KmsSpec::profile),
        "customCATrustCertificates": spec.trusted_certificates,
    }))
}
