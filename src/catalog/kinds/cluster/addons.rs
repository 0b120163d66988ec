//! Add-ons of a cluster.

use super::field::{Interval, Settings, Toggle};
use super::flux::FluxSpec;
use super::pod_identity::PodIdentitySpec;
use crate::catalog::{Reference, model};
use azure_mgmt_containerservice::package_preview_2023_01::models::ManagedClusterAddonProfile;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Add-ons of the cluster. One that is absent is left as it is; `false` switches it off.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AddonsSpec {
    /// Azure Policy: `true`, or its settings.
    pub(super) azure_policy: Option<Toggle<AzurePolicySpec>>,
    /// Secrets, keys and certificates of vaults as volumes of pods: `true`, or its settings.
    pub(super) key_vault_secrets_provider: Option<Toggle<KeyVaultSpec>>,
    /// Container insights: the workspace that logs go to.
    pub(super) monitoring: Option<Toggle<MonitoringSpec>>,
    /// Managed NGINX ingress: `true`, or its settings.
    pub(super) web_app_routing: Option<Toggle<WebAppRoutingSpec>>,
    /// Scaling by events (KEDA).
    pub(super) keda: Option<bool>,
    /// Sizing pods by what they use.
    pub(super) vertical_pod_autoscaler: Option<bool>,
    /// Identities that pods get by their labels. Deprecated: use workload identity instead.
    pub(super) pod_identity: Option<PodIdentitySpec>,
    /// What is kept in the cluster as it is in Git.
    pub(super) flux: Option<FluxSpec>,
}

/// Azure Policy.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AzurePolicySpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
}

/// Secrets, keys and certificates of vaults as volumes of pods.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyVaultSpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
    /// Whether volumes follow new versions of what they hold; no when absent.
    pub(super) rotation: Option<bool>,
    /// How often new versions are looked for; `2m` when absent.
    pub(super) rotation_poll_interval: Option<Interval>,
}

/// Container insights.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MonitoringSpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
    /// The Log Analytics workspace that logs go to.
    pub(super) workspace: Option<Reference>,
    /// Whether the agent signs in with its identity. It then writes what data collection rules of yours ask for.
    pub(super) aad_auth: Option<bool>,
}

/// Managed NGINX ingress.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WebAppRoutingSpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
    /// DNS zones that get a record for each host; its identity needs the role DNS Zone Contributor on them.
    dns_zones: Option<Vec<Reference>>,
}

impl Settings for AzurePolicySpec {
    fn enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }
}

impl Settings for KeyVaultSpec {
    fn enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }
}

impl Settings for MonitoringSpec {
    fn enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }
}

impl Settings for WebAppRoutingSpec {
    fn enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }
}

impl AddonsSpec {
    /// The provider namespaces that the add-ons need besides AKS's own.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = &'static &'static str> {
        let on = |on: bool, namespaces: &'static [&'static str]| if on { namespaces } else { &[] };
        let policy = self.azure_policy.as_ref().is_some_and(|addon| addon.on().is_some());
        let monitoring = self.monitoring.as_ref().is_some_and(|addon| addon.on().is_some());
        on(policy, &["Microsoft.PolicyInsights"])
            .iter()
            .chain(on(monitoring, &["Microsoft.OperationsManagement", "Microsoft.OperationalInsights"]))
    }

    /// `addonProfiles`: what was said, and nothing of what was not.
    pub(super) fn profiles(&self) -> Option<Value> {
        let mut profiles = Map::new();
        if let Some(addon) = &self.azure_policy {
            profiles.insert("azurepolicy".into(), profile(addon, |_| json!({ "version": "v2" })));
        }
        if let Some(addon) = &self.key_vault_secrets_provider {
            let config = |settings: &KeyVaultSpec| {
                json!({
                    "enableSecretRotation": settings.rotation.map(|on| on.to_string()),
                    "rotationPollInterval": settings.rotation_poll_interval.as_ref().map(Interval::text),
                })
            };
            profiles.insert("azureKeyvaultSecretsProvider".into(), profile(addon, config));
        }
        if let Some(addon) = &self.monitoring {
            let config = |settings: &MonitoringSpec| {
                json!({
                    "logAnalyticsWorkspaceResourceID": settings.workspace.as_ref().map(Reference::id),
                    "useAADAuth": settings.aad_auth.map(|on| on.to_string()),
                })
            };
            profiles.insert("omsagent".into(), profile(addon, config));
        }
        (!profiles.is_empty()).then_some(Value::Object(profiles))
    }

    /// `ingressProfile`.
    pub(super) fn ingress(&self) -> Option<Value> {
        let routing = match self.web_app_routing.as_ref()? {
            Toggle::Off => json!({ "enabled": false }),
            Toggle::On(settings) => {
                let zones = |zones: &Vec<Reference>| zones.iter().map(Reference::id).collect::<Vec<_>>();
                json!({ "enabled": true, "dnsZoneResourceIds": settings.dns_zones.as_ref().map(zones) })
            }
        };
        Some(model(&json!({ "webAppRouting": routing })))
    }

    /// `workloadAutoScalerProfile`.
    pub(super) fn workload_autoscaler(&self) -> Option<Value> {
        let on = |part: Option<bool>| part.map(|enabled| json!({ "enabled": enabled }));
        let profile = model(&json!({
            "keda": on(self.keda),
            "verticalPodAutoscaler": on(self.vertical_pod_autoscaler),
        }));
        profile.as_object().is_some_and(|parts| !parts.is_empty()).then_some(profile)
    }
}

fn profile<T>(addon: &Toggle<T>, config: impl FnOnce(&T) -> Value) -> Value {
    let config = addon.on().map(|settings| model(&config(settings)));
    let config = config.filter(|config| config.as_object().is_some_and(|settings| !settings.is_empty()));
    model(&ManagedClusterAddonProfile { enabled: addon.on().is_some(), config, identity: None })
}
