//! Smaller groups of a cluster's settings: upgrades that are forced, nodes that AKS makes by itself, where images of
//! the system come from, system nodes that AKS hosts.

use super::spec::Spec;
use super::words::words;
use crate::catalog::Reference;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An upgrade that goes through although something in the cluster uses what the new version lacks
/// (`upgradeSettings.overrideSettings`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UpgradeOverrideSpec {
    /// Whether upgrades are forced.
    force: bool,
    /// Until when, such as `2026-12-01T13:00:00Z`; three days from now when absent.
    until: Option<String>,
}

/// Nodes that AKS makes as pods need them (Karpenter).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeProvisioningSpec {
    /// `Auto` makes nodes as pods need them, `Manual` (the default) leaves them to node pools.
    pub(super) mode: NodeProvisioning,
    /// Whether AKS makes a first set of its pools: `Auto` (the default) or `None`.
    default_node_pools: Option<DefaultNodePools>,
}

/// Where nodes get the images of the system from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BootstrapSpec {
    /// `Direct` (the default) is Microsoft's registry, `Cache` a registry of yours with a copy of it, for clusters
    /// that do not reach the internet.
    pub(super) artifact_source: ArtifactSource,
    /// That registry; AKS makes one when absent (`containerRegistryId`).
    #[schemars(extend("x-wants" = "registry"))]
    pub(super) registry: Option<Reference>,
}

/// System pods on nodes that AKS hosts outside the cluster, with `sku: { name: Automatic }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HostedSystemSpec {
    /// Whether it is on; yes when absent.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// The subnet of the system nodes (`systemNodeSubnetID`).
    #[schemars(extend("x-wants" = "subnet"))]
    system_subnet: Option<Reference>,
    /// The subnet of the other nodes (`nodeSubnetID`).
    #[schemars(extend("x-wants" = "subnet"))]
    subnet: Option<Reference>,
}

/// A service principal in place of an identity.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServicePrincipalSpec {
    /// Its application (client) id.
    pub(super) client_id: String,
    /// Its secret, from a parameter with `secret: true`.
    pub(super) secret: String,
}

words! {
    /// Who makes nodes.
    NodeProvisioning { "Manual" => Manual, "Auto" => Auto, }
    /// Whether AKS makes a first set of pools.
    DefaultNodePools { "None" => None, "Auto" => Auto, }
    /// Where images of the system come from.
    ArtifactSource { "Direct" => Direct, "Cache" => Cache, }
}

fn yes() -> bool {
    true
}

/// Members of the cluster's `properties`.
pub(super) fn members(spec: &Spec) -> Value {
    json!({
        "servicePrincipalProfile": spec.service_principal.as_ref().map(|principal| {
            json!({ "clientId": principal.client_id, "secret": principal.secret })
        }),
        "upgradeSettings": spec.upgrade_override.as_ref().map(|over| {
            json!({ "overrideSettings": { "forceUpgrade": over.force, "until": over.until } })
        }),
        "nodeProvisioningProfile": spec.node_provisioning.as_ref().map(|nodes| {
            json!({ "mode": nodes.mode, "defaultNodePools": nodes.default_node_pools })
        }),
        "bootstrapProfile": spec.bootstrap.as_ref().map(|bootstrap| {
            json!({
                "artifactSource": bootstrap.artifact_source,
                "containerRegistryId": bootstrap.registry.as_ref().map(Reference::id),
            })
        }),
        "hostedSystemProfile": spec.hosted_system.as_ref().map(|hosted| {
            json!({
                "enabled": hosted.enabled,
                "systemNodeSubnetID": hosted.system_subnet.as_ref().map(Reference::id),
                "nodeSubnetID": hosted.subnet.as_ref().map(Reference::id),
            })
        }),
    })
}
