//! Pod identity: identities that pods get by their labels.
//!
//! The feature never left preview and its open-source half is archived; it is here for clusters that have it.

use crate::catalog::model;
use crate::catalog::{Named, Reference};
use crate::models::container_service::{
    ManagedClusterPodIdentity, ManagedClusterPodIdentityException, ManagedClusterPodIdentityProfile,
    UserAssignedIdentity,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Identities that pods get by their labels. Deprecated: workload identity is the way on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PodIdentitySpec {
    /// Whether it is on; yes when absent.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// Whether it runs with `plugin: kubenet`, where pods can take each other's addresses.
    pub(super) allow_kubenet: Option<bool>,
    /// Identities by their name in the cluster.
    #[serde(default)]
    pub(super) identities: Named<PodIdentityEntry>,
    /// Pods that are left alone, by the exception's name in the cluster.
    #[serde(default)]
    pub(super) exceptions: Named<PodExceptionEntry>,
}

fn yes() -> bool {
    true
}

/// An identity for pods.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PodIdentityEntry {
    /// The Kubernetes namespace of the pods.
    pub(super) namespace: String,
    /// The user-assigned identity. The cluster's `identity` needs the role Managed Identity Operator on it, which an
    /// entry in `roleAssignments` gives.
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) identity: Reference,
    /// What the label `aadpodidbinding` of the pods says; the name when absent.
    pub(super) binding_selector: Option<String>,
}

/// Pods that are left alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PodExceptionEntry {
    /// The Kubernetes namespace of the pods.
    pub(super) namespace: String,
    /// The labels of the pods.
    pub(super) pod_labels: Named<String>,
}

impl PodIdentitySpec {
    /// The `podIdentityProfile` of a request.
    pub(super) fn profile(&self) -> Value {
        let identities = self.identities.iter().map(|(name, entry)| ManagedClusterPodIdentity {
            binding_selector: entry.binding_selector.clone(),
            ..ManagedClusterPodIdentity::new(
                name.clone(),
                entry.namespace.clone(),
                // The id alone is not enough: AKS asks for all three.
                UserAssignedIdentity {
                    resource_id: Some(entry.identity.id()),
                    client_id: Some(entry.identity.facet("clientId")),
                    object_id: Some(entry.identity.facet("principalId")),
                },
            )
        });
        let exceptions = self.exceptions.iter().map(|(name, entry)| {
            ManagedClusterPodIdentityException::new(
                name.clone(),
                entry.namespace.clone(),
                json!(entry.pod_labels),
            )
        });
        model(&ManagedClusterPodIdentityProfile {
            enabled: Some(self.enabled),
            allow_network_plugin_kubenet: self.allow_kubenet,
            user_assigned_identities: identities.collect(),
            user_assigned_identity_exceptions: exceptions.collect(),
        })
    }
}
