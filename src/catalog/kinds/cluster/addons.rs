//! Add-ons of a cluster.

use super::field::{Settings, Toggle};
use super::flux::FluxSpec;
use super::pod_identity::PodIdentitySpec;
use super::words::words;
use crate::catalog::kinds::interval::Interval;
use crate::catalog::{Reference, model};
use crate::models::container_service::ManagedClusterAddonProfile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
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
    /// Managed Prometheus: `true`, or its settings, such as the workspace that metrics go to.
    pub(super) prometheus: Option<Toggle<PrometheusSpec>>,
    /// Whether applications are watched without a change to them (`appMonitoring.autoInstrumentation`).
    pub(super) app_monitoring: Option<bool>,
    /// Ingress by an Application Gateway: `false`, or its settings.
    pub(super) application_gateway: Option<Toggle<ApplicationGatewaySpec>>,
    /// The Gateway API of Kubernetes, installed by AKS (`ingressProfile.gatewayAPI`).
    pub(super) gateway_api: Option<bool>,
    /// Pods on container instances: `false`, or the subnet of theirs.
    pub(super) virtual_nodes: Option<Toggle<VirtualNodesSpec>>,
    /// Nodes with enclaves for confidential computing: `true`, or the settings.
    pub(super) confidential_computing: Option<Toggle<ConfidentialSpec>>,
    /// Whether AKS runs open models on nodes with graphics cards (KAITO).
    pub(super) ai_toolchain_operator: Option<bool>,
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
    #[schemars(extend("x-wants" = "workspace"))]
    pub(super) workspace: Option<Reference>,
    /// Whether the agent signs in with its identity. What it collects is then said by a collection rule, which berth makes
    /// and joins to the cluster.
    pub(super) aad_auth: Option<bool>,
    /// The collection rule of the agent, in place of the one that berth makes, with `aadAuth: true`; `none` when the cluster
    /// is joined to one elsewhere.
    #[schemars(extend("x-wants" = "collection rule"))]
    pub(super) rule: Option<Reference>,
}

/// Managed NGINX ingress.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WebAppRoutingSpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
    /// DNS zones that get a record for each host; its identity needs the role DNS Zone Contributor on them.
    #[schemars(extend("x-wants" = "DNS zone"))]
    dns_zones: Option<Vec<Reference>>,
    /// What the first ingress controller is: `AnnotationControlled` (the default), `External`, `Internal` or `None`
    /// (`nginx.defaultIngressControllerType`).
    default_controller: Option<IngressController>,
    /// Whether Gateways are served by Istio; needs `gatewayApi` (`gatewayAPIImplementations.appRoutingIstio`).
    pub(super) istio: Option<bool>,
}

/// Managed Prometheus.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PrometheusSpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
    /// The Azure Monitor workspace that metrics go to. berth makes the collection endpoint and the collection rule for it,
    /// and joins them to the cluster; without a workspace nothing is taken in, unless a rule of yours says where it goes.
    #[schemars(extend("x-wants" = "monitor workspace"))]
    workspace: Option<Reference>,
    /// Labels of Kubernetes resources that become labels of metrics: `namespaces=[team],pods=[*]`.
    label_allow_list: Option<String>,
    /// Annotations of Kubernetes resources that become labels of metrics.
    annotation_allow_list: Option<String>,
}

/// Ingress by an Application Gateway: one that is there (`gateway`), or one that AKS makes (`name` and a subnet).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApplicationGatewaySpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
    /// A gateway that is there; the add-on's identity needs the role Contributor on it.
    #[schemars(extend("x-wants" = "application gateway"))]
    pub(super) gateway: Option<Reference>,
    /// The name of the gateway that AKS makes in the group of the nodes.
    pub(super) name: Option<String>,
    /// The subnet of the gateway that AKS makes.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Option<Reference>,
    /// The range of a new subnet for the gateway that AKS makes, in the network that AKS makes.
    pub(super) subnet_cidr: Option<String>,
    /// The only Kubernetes namespace that it watches; all when absent.
    watch_namespace: Option<String>,
}

/// Pods on container instances.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VirtualNodesSpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
    /// The name of a subnet in the cluster's network, delegated to `Microsoft.ContainerInstance/containerGroups`.
    pub(super) subnet_name: Option<String>,
}

/// Nodes with enclaves.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConfidentialSpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
    /// Whether a helper on each node proves to others what runs in its enclaves.
    quote_helper: Option<bool>,
}

words! {
    /// What the first ingress controller is.
    IngressController {
        "AnnotationControlled" => AnnotationControlled,
        "External" => External,
        "Internal" => Internal,
        "None" => None,
    }
}

macro_rules! switched {
    ($($name:ident)+) => {$(
        impl Settings for $name {
            fn enabled(&self) -> bool {
                self.enabled.unwrap_or(true)
            }
        }
    )+};
}
switched! {
    AzurePolicySpec KeyVaultSpec MonitoringSpec WebAppRoutingSpec PrometheusSpec ApplicationGatewaySpec
    VirtualNodesSpec ConfidentialSpec
}

impl AddonsSpec {
    /// The provider namespaces that the add-ons need besides AKS's own.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = &'static &'static str> {
        let on = |on: bool, namespaces: &'static [&'static str]| if on { namespaces } else { &[] };
        let policy = self.azure_policy.as_ref().is_some_and(|addon| addon.on().is_some());
        let monitoring = self.monitoring.as_ref().is_some_and(|addon| addon.on().is_some());
        let instances = self.virtual_nodes.as_ref().is_some_and(|addon| addon.on().is_some());
        let metrics = self.prometheus.as_ref().is_some_and(|addon| addon.on().is_some());
        on(policy, &["Microsoft.PolicyInsights"])
            .iter()
            .chain(on(instances, &["Microsoft.ContainerInstance"]))
            .chain(on(metrics, &["Microsoft.Insights", "Microsoft.Monitor", "Microsoft.AlertsManagement"]))
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
        if let Some(addon) = &self.application_gateway {
            let config = |settings: &ApplicationGatewaySpec| {
                json!({
                    "applicationGatewayId": settings.gateway.as_ref().map(Reference::id),
                    "applicationGatewayName": settings.name,
                    "subnetId": settings.subnet.as_ref().map(Reference::id),
                    "subnetCIDR": settings.subnet_cidr,
                    "watchNamespace": settings.watch_namespace,
                })
            };
            profiles.insert("ingressApplicationGateway".into(), profile(addon, config));
        }
        if let Some(addon) = &self.virtual_nodes {
            let config = |settings: &VirtualNodesSpec| json!({ "SubnetName": settings.subnet_name });
            profiles.insert("aciConnectorLinux".into(), profile(addon, config));
        }
        if let Some(addon) = &self.confidential_computing {
            let helper = |settings: &ConfidentialSpec| settings.quote_helper.map(|on| on.to_string());
            let config =
                |settings: &ConfidentialSpec| json!({ "ACCSGXQuoteHelperEnabled": helper(settings) });
            profiles.insert("ACCSGXDevicePlugin".into(), profile(addon, config));
        }
        (!profiles.is_empty()).then_some(Value::Object(profiles))
    }

    /// `ingressProfile`.
    pub(super) fn ingress(&self) -> Option<Value> {
        if self.web_app_routing.is_none() && self.gateway_api.is_none() {
            return None;
        }
        let routing = self.web_app_routing.as_ref().map(|addon| match addon {
            Toggle::Off => json!({ "enabled": false }),
            Toggle::On(settings) => {
                let zones = |zones: &Vec<Reference>| zones.iter().map(Reference::id).collect::<Vec<_>>();
                let nginx = |kind| json!({ "defaultIngressControllerType": kind });
                let mode = |on: bool| json!({ "appRoutingIstio": { "mode": if on { "Enabled" } else { "Disabled" } } });
                json!({
                    "enabled": true,
                    "dnsZoneResourceIds": settings.dns_zones.as_ref().map(zones),
                    "nginx": settings.default_controller.map(nginx),
                    "gatewayAPIImplementations": settings.istio.map(mode),
                })
            }
        });
        let installation = |on: bool| json!({ "installation": if on { "Standard" } else { "Disabled" } });
        Some(model(&json!({ "webAppRouting": routing, "gatewayAPI": self.gateway_api.map(installation) })))
    }

    /// `azureMonitorProfile`.
    pub(super) fn monitor(&self) -> Option<Value> {
        let metrics = self.prometheus.as_ref().map(|addon| match addon {
            Toggle::Off => json!({ "enabled": false }),
            Toggle::On(settings) => {
                let lists = model(&json!({
                    "metricLabelsAllowlist": settings.label_allow_list,
                    "metricAnnotationsAllowList": settings.annotation_allow_list,
                }));
                let said = lists.as_object().is_some_and(|lists| !lists.is_empty());
                json!({ "enabled": true, "kubeStateMetrics": said.then_some(lists) })
            }
        });
        let app = self.app_monitoring.map(|enabled| json!({ "autoInstrumentation": { "enabled": enabled } }));
        let said = metrics.is_some() || app.is_some();
        said.then(|| json!({ "metrics": metrics, "appMonitoring": app }))
    }

    /// The workspace of an agent that signs in with its identity, and the rule that the blueprint has for it.
    pub(super) fn insights(&self) -> Option<(&Reference, Option<&Reference>)> {
        let settings = self.monitoring.as_ref()?.on()?;
        let is_none = settings.rule.as_ref().is_some_and(|rule| rule.0 == "none");
        (settings.aad_auth == Some(true) && !is_none)
            .then_some((settings.workspace.as_ref()?, settings.rule.as_ref()))
    }

    /// The workspace that metrics go to.
    pub(super) fn metrics(&self) -> Option<&Reference> {
        self.prometheus.as_ref()?.on()?.workspace.as_ref()
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
