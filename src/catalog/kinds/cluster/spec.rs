//! What a person writes of a cluster.

use super::addons::AddonsSpec;
use super::autoscaler::AutoscalerSpec;
use super::extension::{ExtensionSpec, TrustedAccessSpec};
use super::field::{Toggle, Version};
use super::maintenance::MaintenanceSpec;
use super::mesh::MeshSpec;
use super::network::NetworkSpec;
use super::node_pool::PoolSpec;
use super::profiles::{
    BootstrapSpec, HostedSystemSpec, NodeProvisioningSpec, ServicePrincipalSpec, UpgradeOverrideSpec,
};
use super::security::{DefenderSpec, HttpProxySpec, ImageCleanerSpec, KmsSpec};
use super::words::words;
use crate::catalog::{Named, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An AKS cluster with its node pools, its add-ons and what Flux keeps in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The Kubernetes version, at least: `"1.33"` is the newest patch of 1.33, `"1.33.4"` is exactly that one. Azure's
    /// default when absent. A cluster that runs a newer version, because of an automatic upgrade say, is left there.
    pub(super) kubernetes_version: Option<Version>,
    /// The subnet of all node pools that have none of their own. AKS makes a network when absent.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Option<Reference>,
    /// The first part of the API server's name; that of a new cluster is the cluster's name when absent. It cannot be
    /// changed.
    pub(super) dns_prefix: Option<String>,
    /// The part of a private API server's name below your own private DNS zone, in place of `dnsPrefix`.
    pub(super) fqdn_subdomain: Option<String>,
    /// The price and the promises of the control plane.
    pub(super) sku: Option<SkuSpec>,
    /// `AKSLongTermSupport` keeps a Kubernetes version for two years; it needs the tier `Premium`.
    pub(super) support_plan: Option<SupportPlan>,
    /// The resource group that AKS makes for the nodes; `MC_{group}_{name}_{location}` when absent. It must not exist
    /// before and cannot be changed.
    pub(super) node_resource_group: Option<String>,
    /// `ReadOnly` keeps people from changing what AKS has made in that group.
    pub(super) node_resource_group_lock: Option<RestrictionLevel>,
    /// The identity with which the control plane acts on Azure; a new cluster gets one of its own when absent.
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) identity: Option<Reference>,
    /// The identity with which nodes pull images; AKS makes one when absent. It needs `identity`, which needs the role
    /// Managed Identity Operator on it.
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) kubelet_identity: Option<Reference>,
    /// A service principal with which the control plane acts on Azure, in place of an identity, which is the better
    /// way: a secret has to be renewed.
    pub(super) service_principal: Option<ServicePrincipalSpec>,
    /// The account on Linux nodes; none when absent. Its name cannot be changed.
    pub(super) linux: Option<LinuxSpec>,
    /// The account on Windows nodes. Windows node pools need it.
    pub(super) windows: Option<WindowsSpec>,
    /// The cluster's network. A new cluster has Azure CNI when absent.
    #[serde(default)]
    pub(super) network: NetworkSpec,
    /// Sign-in with Microsoft Entra ID.
    pub(super) aad: Option<AadSpec>,
    /// Whether sign-in with the cluster's own certificates is off. It needs `aad`.
    pub(super) disable_local_accounts: Option<bool>,
    /// Whether the cluster issues tokens that other services can check; a new cluster does when absent. It cannot be
    /// switched off again.
    pub(super) oidc_issuer: Option<bool>,
    /// Whether pods can sign in to Azure with federated identities; in a new cluster they can when absent. It needs
    /// `oidcIssuer`.
    pub(super) workload_identity: Option<bool>,
    /// Who reaches the API server, and how.
    pub(super) api_server: Option<ApiServerSpec>,
    /// What Azure upgrades by itself.
    pub(super) auto_upgrade: Option<AutoUpgradeSpec>,
    /// When Azure may work on the cluster by itself.
    pub(super) maintenance: Option<MaintenanceSpec>,
    /// Whether upgrades go through although something in the cluster blocks them.
    pub(super) upgrade_override: Option<UpgradeOverrideSpec>,
    /// How the autoscaler of the node pools behaves.
    pub(super) autoscaler: Option<AutoscalerSpec>,
    /// Removing images from nodes that no pod uses.
    pub(super) image_cleaner: Option<ImageCleanerSpec>,
    /// Microsoft Defender for Containers.
    pub(super) defender: Option<DefenderSpec>,
    /// Encryption of the secrets in etcd with a key of yours.
    pub(super) kms: Option<KmsSpec>,
    /// Certificates of authorities that nodes trust, at most ten, each PEM in base64 (`customCATrustCertificates`).
    pub(super) trusted_certificates: Option<Vec<String>>,
    /// The way of nodes and pods to the internet through a proxy.
    pub(super) http_proxy: Option<HttpProxySpec>,
    /// Nodes that AKS makes as pods need them.
    pub(super) node_provisioning: Option<NodeProvisioningSpec>,
    /// Where nodes get the images of the system from.
    pub(super) bootstrap: Option<BootstrapSpec>,
    /// System pods on nodes that AKS hosts.
    pub(super) hosted_system: Option<HostedSystemSpec>,
    /// Istio as AKS runs it: `true`, or its settings.
    pub(super) service_mesh: Option<Toggle<MeshSpec>>,
    /// The storage drivers in the cluster.
    pub(super) storage: Option<StorageSpec>,
    /// Whether costs are shown by namespace. It needs the tier `Standard` or `Premium`.
    pub(super) cost_analysis: Option<bool>,
    /// The key with which the nodes' disks are encrypted: a disk encryption set. It cannot be changed.
    #[schemars(extend("x-wants" = "disk encryption set"))]
    pub(super) disk_encryption_set: Option<Reference>,
    /// Whether the cluster answers on public networks at all; Azure's default when absent (`publicNetworkAccess`).
    pub(super) public_access: Option<bool>,
    /// Add-ons of the cluster.
    #[serde(default)]
    pub(super) addons: AddonsSpec,
    /// Extensions besides Flux, by their key.
    #[serde(default)]
    pub(super) extensions: Named<ExtensionSpec>,
    /// Services of Azure's that may act in the cluster, by their key (`trustedAccessRoleBindings`).
    #[serde(default)]
    pub(super) trusted_access: Named<TrustedAccessSpec>,
    /// Node pools by their key.
    #[serde(default)]
    pub(super) node_pools: Named<PoolSpec>,
}

fn yes() -> bool {
    true
}

/// The price and the promises of the control plane.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SkuSpec {
    /// `Automatic` lets AKS choose and care for most settings; `Base` when absent.
    pub(super) name: Option<SkuName>,
    /// `Standard` promises an uptime, `Premium` adds long-term support; `Free` when absent.
    pub(super) tier: Option<Tier>,
}

/// The account on Linux nodes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LinuxSpec {
    /// The account's name: a letter, then letters, digits, `-` and `_`.
    pub(super) admin_username: String,
    /// Its public SSH key; Azure takes one.
    pub(super) ssh_keys: Vec<String>,
}

/// The account on Windows nodes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WindowsSpec {
    /// The account's name, at most 20 characters. It cannot be changed.
    pub(super) admin_username: String,
    /// Its password, from a parameter with `secret: true`: 14 to 123 characters, with three of small letters,
    /// capitals, digits and other characters.
    pub(super) admin_password: String,
    /// `Windows_Server` uses licences that you have already; `None` when absent.
    pub(super) license_type: Option<LicenseType>,
    /// Whether Windows pods reach storage drivers through the CSI proxy; yes when absent.
    pub(super) csi_proxy: Option<bool>,
    /// Group managed service accounts: Windows pods that sign in to Active Directory.
    pub(super) gmsa: Option<GmsaSpec>,
}

/// Group managed service accounts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GmsaSpec {
    /// The DNS server of the domain; that of the network when absent.
    pub(super) dns_server: Option<String>,
    /// The domain's root name; that of the network's DNS server when absent.
    pub(super) root_domain: Option<String>,
}

/// Sign-in with Microsoft Entra ID.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AadSpec {
    /// Whether Azure manages the integration; the only kind that is left, so yes when absent.
    #[serde(default = "yes")]
    pub(super) managed: bool,
    /// Object ids of the groups that administer the cluster.
    pub(super) admin_groups: Option<Vec<String>>,
    /// Whether Azure role assignments decide who may do what in the cluster.
    pub(super) azure_rbac: Option<bool>,
    /// The tenant of the people who sign in; the subscription's when absent.
    pub(super) tenant: Option<String>,
}

/// Who reaches the API server, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApiServerSpec {
    /// Addresses and CIDR blocks that reach the public API server; everybody when empty.
    pub(super) authorized_ip_ranges: Option<Vec<String>>,
    /// Whether the API server has a private address only. It cannot be changed.
    pub(super) private_cluster: Option<bool>,
    /// The private DNS zone of a private cluster: `system` (the default), `none`, or a zone of yours, which needs
    /// `identity`.
    #[schemars(extend("x-wants" = "private DNS zone"))]
    pub(super) private_dns_zone: Option<Reference>,
    /// Whether a private cluster has a public name, too.
    pub(super) public_fqdn: Option<bool>,
    /// Whether commands may be run in the cluster through Azure (`az aks command invoke`); yes when absent.
    pub(super) run_command: Option<bool>,
    /// Whether the API server is in a subnet of yours. It cannot be switched off again.
    pub(super) vnet_integration: Option<bool>,
    /// That subnet, delegated to `Microsoft.ContainerService/managedClusters`, /28 or larger.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Option<Reference>,
}

/// What Azure upgrades by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AutoUpgradeSpec {
    /// Which Kubernetes versions the cluster is moved to; `none` when absent.
    pub(super) channel: Option<Channel>,
    /// Which updates of the nodes' images are made.
    pub(super) node_os_channel: Option<NodeOsChannel>,
}

/// The storage drivers in the cluster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct StorageSpec {
    /// Azure disks; on when absent.
    pub(super) disks: Option<bool>,
    /// Azure Files; on when absent.
    pub(super) files: Option<bool>,
    /// Blob storage; off when absent.
    pub(super) blobs: Option<bool>,
    /// Snapshots of volumes; on when absent.
    pub(super) snapshots: Option<bool>,
}

words! {
    /// What a cluster is called by its price.
    SkuName { "Base" => Base, "Automatic" => Automatic, }
    /// The price of the control plane.
    Tier { "Free" => Free, "Standard" => Standard, "Premium" => Premium, }
    /// How long a Kubernetes version is supported.
    SupportPlan { "KubernetesOfficial" => KubernetesOfficial, "AKSLongTermSupport" => LongTerm, }
    /// Who may change what AKS has made.
    RestrictionLevel { "Unrestricted" => Unrestricted, "ReadOnly" => ReadOnly, }
    /// Licences of Windows.
    LicenseType { "None" => None, "Windows_Server" => WindowsServer, }
    /// Kubernetes versions that a cluster is moved to.
    Channel {
        "rapid" => Rapid, "stable" => Stable, "patch" => Patch, "node-image" => NodeImage, "none" => None,
    }
    /// Updates of the nodes' images.
    NodeOsChannel {
        "None" => None, "Unmanaged" => Unmanaged, "NodeImage" => NodeImage, "SecurityPatch" => SecurityPatch,
    }
}

impl Spec {
    /// The node pools, in the order in which they were written.
    pub(super) fn pools(&self) -> impl Iterator<Item = (&str, &PoolSpec)> {
        self.node_pools.iter().map(|(key, pool)| (key.as_str(), pool))
    }
}

impl Spec {
    /// Whether a new cluster issues tokens.
    pub(super) fn issues_tokens(&self) -> bool {
        self.oidc_issuer.unwrap_or(true)
    }

    /// Whether pods of a new cluster sign in with federated identities.
    pub(super) fn has_workload_identity(&self) -> bool {
        self.workload_identity.unwrap_or(true)
    }
}
