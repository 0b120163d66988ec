//! Clusters with their add-ons and node pools: `Microsoft.ContainerService/managedClusters`
//! (<https://learn.microsoft.com/azure/templates/microsoft.containerservice/managedclusters>).
//!
//! One entry is several resources: the cluster; each of its node pools, which come into being in the body of the
//! cluster's create, all at once, and are changed by themselves afterwards; its maintenance
//! windows; the Flux extension and its configurations.
//! AKS runs one operation at a time on a cluster, so all of them share its lane.

mod addons;
mod autoscaler;
mod body;
mod checks;
mod cross;
mod disturbance;
mod extension;
mod field;
mod flux;
mod flux_source;
mod local_dns;
mod maintenance;
mod mesh;
mod network;
mod node_config;
mod node_pool;
mod passwords;
mod pod_identity;
mod profiles;
mod rules;
mod security;
mod spec;
#[cfg(test)]
mod tests;
mod transitions;
mod types;
mod words;

pub(crate) use cross::subnet as subnet_size;
pub use spec::Spec;
pub use types::{AGENT_POOL, EXTENSION, FLUX_CONFIGURATION, MAINTENANCE_CONFIGURATION, MANAGED_CLUSTER};

use super::{collection, registration};
use crate::catalog::{Arrival, Common, Draft, EntryCx, EntryKind, Members, Merged, Nested};
use crate::diag::Code;
use crate::value::token::has_token;
use serde_json::{Value, json};
use types::MANAGED_CLUSTERS;

/// A cluster.
pub struct Cluster;

/// The namespaces whose resources AKS makes on the cluster's behalf.
const NAMESPACES: &[&str] =
    &["Microsoft.Compute", "Microsoft.Network", "Microsoft.Storage", "Microsoft.ManagedIdentity"];

impl EntryKind for Cluster {
    const SECTION: &'static str = "clusters";
    const TITLE: &'static str = "cluster";
    const ARM_TYPE: &'static str = MANAGED_CLUSTERS;
    const ABOUT: &'static str = "An AKS cluster with its node pools, its add-ons and what Flux keeps in it.";
    const EXAMPLE: &'static str = "\
parameters:
  adminPassword: { type: string, secret: true, env: WINDOWS_ADMIN_PASSWORD }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
clusters:
  aks:
    name: aks-shop
    kubernetesVersion: \"1.33\"
    subnet: ${networks.hub.subnets.nodes}
    windows:
      adminUsername: azureuser
      adminPassword: ${param.adminPassword}
    autoUpgrade: { channel: patch, nodeOsChannel: NodeImage }
    maintenance:
      upgrades: { weekly: { day: Sunday }, start: \"02:00\", hours: 6, utcOffset: \"+01:00\" }
    addons:
      azurePolicy: true
      keyVaultSecretsProvider: { rotation: true, rotationPollInterval: 2m }
      flux:
        configurations:
          cluster-config:
            git: { url: \"https://github.com/example/gitops\", branch: main }
            kustomizations:
              infra: { path: ./infrastructure, prune: true }
              apps: { path: ./apps/staging, prune: true, dependsOn: [infra] }
    nodePools:
      system: { mode: System, count: 2, vmSize: Standard_D4s_v5 }
      winpl: { os: Windows, osSku: Windows2022, count: 1 }
";
    const TYPES: &'static [&'static crate::catalog::ResourceType] = &[
        &types::MANAGED_CLUSTER,
        &types::AGENT_POOL,
        &types::MAINTENANCE_CONFIGURATION,
        &types::EXTENSION,
        &types::FLUX_CONFIGURATION,
        &types::TRUSTED_ACCESS,
    ];
    const NESTED: &'static [Nested] = &[
        Nested::at("nodePools.*").reads_properties(),
        Nested::at("maintenance.*"),
        Nested::at("addons.flux"),
        Nested::at("extensions.*"),
        Nested::at("trustedAccess.*"),
        Nested::at("addons.flux.configurations.*").reads_properties(),
    ];
    const MERGED: &'static [Merged] = &[
        Merged { within: "", name: "nodePools", members: Members::Children(&[&types::AGENT_POOL]) },
        Merged {
            within: "",
            name: "maintenance",
            members: Members::Children(&[&types::MAINTENANCE_CONFIGURATION]),
        },
        Merged {
            within: "",
            name: "addons.flux.configurations",
            members: Members::Children(&[&types::FLUX_CONFIGURATION]),
        },
        Merged::list("addons", "properties.addonProfiles"),
        Merged::list("addons.podIdentity.identities", "properties.podIdentityProfile.userAssignedIdentities"),
        Merged::list("labels", "properties.nodeLabels").within("nodePools.*"),
        Merged::list("tags", "properties.tags").within("nodePools.*"),
        Merged::list("kustomizations", "properties.kustomizations").within("addons.flux.configurations.*"),
    ];
    const CODES: &'static [&'static [&'static Code]] = checks::CODES;
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        checks::check(&spec, cx);
        let cluster = cx.id(MANAGED_CLUSTERS, &[&cx.common.name]);
        let pools: Vec<(String, String, Value, Vec<&str>)> = spec
            .pools()
            .map(|(key, pool)| {
                (key.to_owned(), pool.name(key).to_owned(), pool.properties(key, &spec), pool.unsaid())
            })
            .collect();
        let mut body = body::cluster(&spec, cx);
        body["properties"]["agentPoolProfiles"] =
            pools.iter().map(|(_, name, pool, _)| inline(name, pool)).collect();

        let registrations = registrations(&spec, &cx.common);
        let mut main = Draft::new(cx.address.clone(), cluster.as_str(), &MANAGED_CLUSTER, body);
        for path in body::unsaid(&spec) {
            main = main.initially(path);
        }
        for registration in &registrations {
            main = main.needs(registration.address.as_str());
        }
        // Azure's own rule for the group of the nodes; one that the entry says is in the body.
        let Common { resource_group, name, location, .. } = &cx.common;
        let nodes = format!("MC_{resource_group}_{name}_{location}");
        if spec.node_resource_group.is_none() && !has_token(&nodes) {
            main = main.knows("nodeResourceGroup", nodes);
        }
        cx.main(main);
        for registration in registrations {
            cx.also(registration);
        }
        for (key, name, properties, unsaid) in pools {
            let address = cx.address.child("nodePools").child(&key);
            let id = cluster.child("agentPools", &name);
            let mut draft =
                Draft::new(address, id.as_str(), &AGENT_POOL, json!({ "properties": properties }))
                    .origin(format!("nodePools.{key}"));
            draft.arrival = Arrival::WithParent;
            for path in unsaid {
                draft = draft.initially(&format!("properties.{path}"));
            }
            cx.also(draft);
        }
        if let Some(maintenance) = &spec.maintenance {
            maintenance.expand(&cluster, cx);
        }
        extension::extensions(&spec.extensions, spec.addons.flux.is_some(), &cluster, cx);
        extension::trusted_access(&spec.trusted_access, &cluster, cx);
        if let Some((workspace, rule)) = spec.addons.insights() {
            collection::container_insights(&cluster, workspace, rule, cx);
        }
        if let Some(workspace) = spec.addons.metrics() {
            collection::prometheus(&cluster, workspace, cx);
        }
        if let Some(flux) = spec.addons.flux {
            flux.expand(&cluster, cx);
        }
    }
}

/// A pool as it is in the body of the cluster's create.
fn inline(name: &str, properties: &Value) -> Value {
    let mut profile = properties.clone();
    profile["name"] = name.into();
    profile
}

/// What must be registered before the cluster is made, besides the namespaces of the resources themselves.
fn registrations(spec: &Spec, common: &Common) -> Vec<Draft> {
    let subscription = common.subscription.as_str();
    let mut drafts: Vec<Draft> = NAMESPACES
        .iter()
        .chain(spec.addons.namespaces())
        .map(|namespace| registration::provider(subscription, namespace))
        .collect();
    if spec.addons.pod_identity.as_ref().is_some_and(|pods| pods.enabled) {
        drafts.push(registration::feature(
            subscription,
            "Microsoft.ContainerService",
            "EnablePodIdentityPreview",
        ));
    }
    if common.elsewhere {
        drafts = drafts.into_iter().map(|draft| draft.elsewhere(subscription)).collect();
    }
    drafts
}
