//! The body of a cluster.

use super::field::as_model;
use super::spec::{AadSpec, ApiServerSpec, LinuxSpec, Spec, StorageSpec, WindowsSpec};
use super::{mesh, profiles, security};
use crate::catalog::{EntryCx, Reference, merge_over, model};
use crate::models::container_service as models;
use serde_json::{Map, Value, json};

/// The request body of the cluster, without its pools.
pub(super) fn cluster(spec: &Spec, cx: &EntryCx<'_>) -> Value {
    let properties = models::ManagedClusterProperties {
        kubernetes_version: spec.kubernetes_version.as_ref().map(|version| version.0.clone()),
        dns_prefix: dns_prefix(spec, cx),
        fqdn_subdomain: spec.fqdn_subdomain.clone(),
        linux_profile: spec.linux.as_ref().map(linux),
        windows_profile: spec.windows.as_ref().map(windows),
        addon_profiles: spec.addons.profiles(),
        oidc_issuer_profile: as_model(&json!({ "enabled": spec.issues_tokens() })),
        node_resource_group: spec.node_resource_group.clone(),
        node_resource_group_profile: spec
            .node_resource_group_lock
            .and_then(|level| as_model(&json!({ "restrictionLevel": level }))),
        enable_rbac: Some(true),
        auto_upgrade_profile: spec.auto_upgrade.as_ref().and_then(|upgrade| {
            as_model(&json!({
                "upgradeChannel": upgrade.channel,
                "nodeOSUpgradeChannel": upgrade.node_os_channel,
            }))
        }),
        disk_encryption_set_id: spec.disk_encryption_set.as_ref().map(Reference::id),
        identity_profile: spec.kubelet_identity.as_ref().map(|identity| {
            json!({ "kubeletidentity": {
                "resourceId": identity.id(),
                "clientId": identity.facet("clientId"),
                "objectId": identity.facet("principalId"),
            } })
        }),
        disable_local_accounts: spec.disable_local_accounts,
        storage_profile: spec.storage.as_ref().and_then(storage),
        ..Default::default()
    };
    let mut properties = model(&properties);
    // What the models do not know, or know under other names.
    let newer = json!({
        "networkProfile": spec.network.profile(),
        "aadProfile": spec.aad.as_ref().map(aad),
        "podIdentityProfile": spec.addons.pod_identity.as_ref().map(|pods| pods.profile()),
        "apiServerAccessProfile": spec.api_server.as_ref().map(api_server),
        "autoScalerProfile": spec.autoscaler,
        "securityProfile": security::profile(spec),
        "httpProxyConfig": spec.http_proxy.as_ref().map(|proxy| proxy.config()),
        "serviceMeshProfile": spec.service_mesh.as_ref().map(mesh::profile),
        "azureMonitorProfile": spec.addons.monitor(),
        "aiToolchainOperatorProfile": spec.addons.ai_toolchain_operator.map(|enabled| json!({ "enabled": enabled })),
        "supportPlan": spec.support_plan,
        "publicNetworkAccess": spec.public_access.map(|on| if on { "Enabled" } else { "Disabled" }),
        "ingressProfile": spec.addons.ingress(),
        "workloadAutoScalerProfile": spec.addons.workload_autoscaler(),
        "metricsProfile": spec.cost_analysis.map(|enabled| json!({ "costAnalysis": { "enabled": enabled } })),
    });
    merge_over(&mut properties, &model(&newer));
    merge_over(&mut properties, &model(&profiles::members(spec)));

    let mut body = cx.tracked(properties);
    if spec.service_principal.is_none() {
        body["identity"] = identity(spec.identity.as_ref());
    }
    if let Some(sku) = &spec.sku {
        body["sku"] = model(&json!({ "name": sku.name, "tier": sku.tier }));
    }
    body
}

/// What the blueprint leaves out and a new cluster is given all the same: paths in its body.
pub(super) fn unsaid(spec: &Spec) -> Vec<&'static str> {
    let choices = [
        ("identity", spec.identity.is_none()),
        ("properties.enableRBAC", true),
        ("properties.dnsPrefix", spec.dns_prefix.is_none()),
        ("properties.networkProfile.networkPlugin", !spec.network.says_plugin()),
        ("properties.oidcIssuerProfile", spec.oidc_issuer.is_none()),
        ("properties.securityProfile.workloadIdentity", spec.workload_identity.is_none()),
    ];
    choices.into_iter().filter(|(_, unsaid)| *unsaid).map(|(path, _)| path).collect()
}

/// The first part of the API server's name, unless a subdomain stands for it.
pub(super) fn dns_prefix(spec: &Spec, cx: &EntryCx<'_>) -> Option<String> {
    if spec.fqdn_subdomain.is_some() {
        return spec.dns_prefix.clone();
    }
    // A cluster's name may have underscores, which no host name has.
    Some(spec.dns_prefix.clone().unwrap_or_else(|| {
        let name = &cx.common.name;
        if crate::value::token::has_token(name) { name.clone() } else { name.replace('_', "-") }
    }))
}

fn identity(identity: Option<&Reference>) -> Value {
    let model_of = |kind, identities: Option<Value>| models::ManagedClusterIdentity {
        type_: Some(kind),
        user_assigned_identities: identities,
        ..Default::default()
    };
    model(&match identity {
        None => model_of(models::managed_cluster_identity::Type::SystemAssigned, None),
        Some(identity) => {
            let identities = Map::from_iter([(identity.id(), json!({}))]);
            model_of(models::managed_cluster_identity::Type::UserAssigned, Some(identities.into()))
        }
    })
}

fn linux(linux: &LinuxSpec) -> models::ContainerServiceLinuxProfile {
    let keys = linux.ssh_keys.iter().cloned().map(models::ContainerServiceSshPublicKey::new);
    models::ContainerServiceLinuxProfile::new(
        linux.admin_username.clone(),
        models::ContainerServiceSshConfiguration::new(keys.collect()),
    )
}

fn windows(windows: &WindowsSpec) -> models::ManagedClusterWindowsProfile {
    models::ManagedClusterWindowsProfile {
        admin_password: Some(windows.admin_password.clone()),
        license_type: as_model(&windows.license_type),
        enable_csi_proxy: windows.csi_proxy,
        gmsa_profile: windows.gmsa.as_ref().map(|gmsa| models::WindowsGmsaProfile {
            enabled: Some(true),
            dns_server: gmsa.dns_server.clone(),
            root_domain_name: gmsa.root_domain.clone(),
        }),
        ..models::ManagedClusterWindowsProfile::new(windows.admin_username.clone())
    }
}

fn aad(aad: &AadSpec) -> Value {
    let mut profile = model(&models::ManagedClusterAadProfile {
        managed: Some(aad.managed),
        enable_azure_rbac: aad.azure_rbac,
        tenant_id: aad.tenant.clone(),
        ..Default::default()
    });
    // The models leave an empty list out, which would keep the groups that are there.
    if let Some(groups) = &aad.admin_groups {
        profile["adminGroupObjectIDs"] = json!(groups);
    }
    profile
}

fn api_server(api: &ApiServerSpec) -> Value {
    let mut profile = model(&models::ManagedClusterApiServerAccessProfile {
        enable_private_cluster: api.private_cluster,
        private_dns_zone: api.private_dns_zone.as_ref().map(Reference::id),
        enable_private_cluster_public_fqdn: api.public_fqdn,
        disable_run_command: api.run_command.map(|allowed| !allowed),
        enable_vnet_integration: api.vnet_integration,
        subnet_id: api.subnet.as_ref().map(Reference::id),
        ..Default::default()
    });
    // An empty list opens the API server to everybody, which is not the same as saying nothing.
    if let Some(ranges) = &api.authorized_ip_ranges {
        profile["authorizedIPRanges"] = json!(ranges);
    }
    profile
}

fn storage(storage: &StorageSpec) -> Option<models::ManagedClusterStorageProfile> {
    let driver = |on: Option<bool>| on.map(|enabled| json!({ "enabled": enabled }));
    as_model(&json!({
        "diskCSIDriver": driver(storage.disks),
        "fileCSIDriver": driver(storage.files),
        "blobCSIDriver": driver(storage.blobs),
        "snapshotController": driver(storage.snapshots),
    }))
}
