//! What berth knows of the ARM types of a cluster: the facts, as data.

use super::rules::{CLUSTER_RULES, MAINTENANCE_RULES, POOL_RULES};
use crate::catalog::kinds::identity::IDENTITY;
use crate::catalog::kinds::parts::OTHER_IDENTITY;
use crate::catalog::{
    Facet, Given, KeepsOne, Lane, Listing, Preflight, ResourceType, Severity, Turn, Weight,
};
use crate::value::Rule;
use std::time::Duration;

const API_VERSION: &str = "2026-02-01";

/// The ARM type of a cluster.
pub(super) const MANAGED_CLUSTERS: &str = "Microsoft.ContainerService/managedClusters";

/// AKS runs one operation at a time on a cluster, whatever on it the operation is for.
const LANES: &[Lane] = &[Lane::Ancestor(MANAGED_CLUSTERS)];

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// A cluster.
///
/// AKS returns the keys of `addonProfiles` in the case of whoever enabled the add-on (`omsAgent`), so the pointers of
/// the add-ons' identities are to be resolved without regard to case.
pub static MANAGED_CLUSTER: ResourceType = ResourceType {
    lost: Some(
        "everything that runs in the cluster, and its volumes, is lost; its addresses and its OIDC issuer change",
    ),
    severity: &[
        Weight::new(
            "properties.apiServerAccessProfile.enablePrivateCluster",
            Turn::To("false"),
            Severity::Critical,
            "the API server is opened to the internet",
        ),
        Weight::new(
            "properties.apiServerAccessProfile.authorizedIPRanges",
            Turn::Any,
            Severity::High,
            "others reach the API server",
        ),
        Weight::new(
            "properties.apiServerAccessProfile.authorizedIPRanges",
            Turn::To("[]"),
            Severity::Critical,
            "the API server is opened to the internet",
        ),
        Weight::new(
            "properties.enableRBAC",
            Turn::To("false"),
            Severity::Critical,
            "everybody in the cluster may do everything",
        ),
        Weight::new(
            "properties.disableLocalAccounts",
            Turn::To("false"),
            Severity::High,
            "a certificate gets around Microsoft Entra ID",
        ),
        Weight::new("properties.aadProfile", Turn::Any, Severity::High, "others administer the cluster"),
        Weight::new(
            "properties.addonProfiles.azurepolicy",
            Turn::Any,
            Severity::High,
            "policies are no longer enforced, or others are",
        ),
        Weight::new("properties.securityProfile", Turn::Any, Severity::High, "protection changed"),
        Weight::new(
            "properties.networkProfile.outboundType",
            Turn::Any,
            Severity::High,
            "traffic leaves another way",
        ),
        Weight::new(
            "properties.networkProfile.networkPolicy",
            Turn::Any,
            Severity::High,
            "pods reach what they could not",
        ),
    ],
    cross_check: Some(super::cross::cluster),
    also_needs: Some(super::cross::also_needs),
    obstacle: Some(super::transitions::obstacle),
    lanes: LANES,
    stateful: true,
    rules: CLUSTER_RULES,
    facets: CLUSTER_FACETS,
    listing: Listing::Subscription,
    preflight: &[Preflight::Version {
        version: "/properties/kubernetesVersion",
        support: "/properties/supportPlan",
    }],
    expected: minutes(8),
    expected_update: minutes(3),
    expected_delete: minutes(6),
    timeout: minutes(90),
    conditional: true,
    ..ResourceType::new(MANAGED_CLUSTERS, API_VERSION, "cluster")
};

/// A node pool of it.
pub static AGENT_POOL: ResourceType = ResourceType {
    lanes: LANES,
    tags: false,
    rules: POOL_RULES,
    facets: &[
        Facet::new("kubernetesVersion", "/properties/currentOrchestratorVersion", "the nodes' exact version"),
        Facet::new("nodeImageVersion", "/properties/nodeImageVersion", "the image that the nodes run"),
    ],
    // A profile has the members that a pool's own body has under `properties`.
    listing: Listing::ParentProfiles("/properties/agentPoolProfiles"),
    obstacle: Some(super::transitions::pool_obstacle),
    keeps_one: Some(KeepsOne {
        pointer: "/properties/mode",
        value: "System",
        listed: ("/properties/agentPoolProfiles", "/mode"),
        what: "System pool",
        longest_name: 12,
    }),
    preflight: &[
        Preflight::Machines {
            size: "/properties/vmSize",
            zones: "/properties/availabilityZones",
            count: "/properties/count",
            at_least: "/properties/minCount",
            priority: "/properties/scaleSetPriority",
            surge: ("/properties/upgradeSettings/maxSurge", "/properties/orchestratorVersion"),
        },
        Preflight::Version { version: "/properties/orchestratorVersion", support: "" },
    ],
    expected: minutes(4),
    expected_update: minutes(2),
    expected_delete: minutes(4),
    timeout: minutes(60),
    cross_check: Some(crate::catalog::kinds::ranges::pool),
    lost: Some(
        "its nodes go without being drained: pods on them end, and start elsewhere only where there is room",
    ),
    conditional: true,
    ..ResourceType::new("Microsoft.ContainerService/managedClusters/agentPools", API_VERSION, "node pool")
};

/// A time when Azure may work on it.
pub static MAINTENANCE_CONFIGURATION: ResourceType = ResourceType {
    lanes: LANES,
    tags: false,
    rules: MAINTENANCE_RULES,
    ..ResourceType::new(
        "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
        API_VERSION,
        "maintenance configuration",
    )
};

/// What a service of Azure's may do in it.
pub static TRUSTED_ACCESS: ResourceType = ResourceType {
    lanes: LANES,
    tags: false,
    rules: &[
        Rule::at("properties.sourceResourceId").immutable().fold_case(),
        Rule::at("properties.roles").set().fold_case(),
    ],
    listing: Listing::Collection,
    expected: Duration::from_secs(60),
    expected_update: Duration::from_secs(60),
    expected_delete: Duration::from_secs(60),
    ..ResourceType::new(
        "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings",
        API_VERSION,
        "trusted access binding",
    )
};

/// An extension on it, Flux among them.
pub static EXTENSION: ResourceType = ResourceType {
    lanes: LANES,
    tags: false,
    rules: &[
        Rule::at("properties.extensionType").immutable().fold_case(),
        Rule::at("properties.scope").immutable(),
        Rule::at("properties.releaseTrain").fold_case().default("\"Stable\""),
        Rule::at("properties.autoUpgradeMinorVersion").default("true"),
        // An upgraded extension is ahead of the version that was asked for, and cannot go back.
        Rule::at("properties.version").at_least(),
        Rule::at("properties.configurationSettings").map(),
        Rule::at("properties.configurationSettings.*").fold_case(),
        Rule::at("properties.configurationProtectedSettings").write_only(),
        Rule::at("properties.currentVersion").read_only(),
        Rule::at("properties.errorInfo").read_only(),
        Rule::at("properties.statuses").read_only(),
        Rule::at("properties.installState").read_only(),
        Rule::at("properties.packageUri").read_only(),
        Rule::at("properties.isSystemExtension").read_only(),
        Rule::at("properties.customLocationSettings").read_only(),
        Rule::at("properties.aksAssignedIdentity.principalId").read_only(),
        Rule::at("properties.aksAssignedIdentity.tenantId").read_only(),
    ],
    facets: &[
        Facet::new("version", "/properties/currentVersion", "the version that is installed"),
        Facet::new(
            "principalId",
            "/properties/aksAssignedIdentity/principalId",
            "the object id of the extension's own identity",
        ),
    ],
    expected: minutes(6),
    expected_update: minutes(2),
    expected_delete: minutes(3),
    timeout: minutes(60),
    ..ResourceType::new("Microsoft.KubernetesConfiguration/extensions", "2024-11-01", "cluster extension")
};

/// A Flux configuration on it.
pub static FLUX_CONFIGURATION: ResourceType = ResourceType {
    lanes: LANES,
    tags: false,
    rules: &[
        Rule::at("properties.namespace").immutable(),
        Rule::at("properties.scope").immutable().fold_case().default("\"cluster\""),
        Rule::at("properties.sourceKind").fold_case(),
        Rule::at("properties.suspend").default("false"),
        Rule::at("properties.waitForReconciliation").default("false"),
        // Another kind of source takes the place of the first.
        Rule::at("properties.gitRepository").whole(),
        Rule::at("properties.bucket").whole(),
        Rule::at("properties.azureBlob").whole(),
        Rule::at("properties.ociRepository").whole(),
        Rule::at("properties.gitRepository.timeoutInSeconds").default("600"),
        Rule::at("properties.gitRepository.syncIntervalInSeconds").default("600"),
        Rule::at("properties.gitRepository.provider").fold_case().default("\"Generic\""),
        Rule::at("properties.gitRepository.repositoryRef").whole(),
        Rule::at("properties.bucket.timeoutInSeconds").default("600"),
        Rule::at("properties.bucket.syncIntervalInSeconds").default("600"),
        Rule::at("properties.bucket.insecure").default("false"),
        Rule::at("properties.azureBlob.timeoutInSeconds").default("600"),
        Rule::at("properties.azureBlob.syncIntervalInSeconds").default("600"),
        Rule::at("properties.azureBlob.accountKey").write_only(),
        Rule::at("properties.azureBlob.sasToken").write_only(),
        Rule::at("properties.azureBlob.servicePrincipal.clientSecret").write_only(),
        Rule::at("properties.azureBlob.servicePrincipal.clientCertificate").write_only(),
        Rule::at("properties.azureBlob.servicePrincipal.clientCertificatePassword").write_only(),
        Rule::at("properties.ociRepository.timeoutInSeconds").default("600"),
        Rule::at("properties.ociRepository.syncIntervalInSeconds").default("600"),
        Rule::at("properties.ociRepository.insecure").default("false"),
        Rule::at("properties.ociRepository.useWorkloadIdentity").default("false"),
        Rule::at("properties.ociRepository.repositoryRef").whole(),
        Rule::at("properties.ociRepository.tlsConfig").write_only(),
        Rule::at("properties.kustomizations").map(),
        Rule::at("properties.kustomizations.*.name").read_only(),
        Rule::at("properties.kustomizations.*.path").default("\"\""),
        Rule::at("properties.kustomizations.*.dependsOn").set().default("[]"),
        Rule::at("properties.kustomizations.*.timeoutInSeconds").default("600"),
        Rule::at("properties.kustomizations.*.syncIntervalInSeconds").default("600"),
        Rule::at("properties.kustomizations.*.prune").default("false"),
        Rule::at("properties.kustomizations.*.force").default("false"),
        Rule::at("properties.kustomizations.*.wait").default("true"),
        Rule::at("properties.kustomizations.*.postBuild.substitute").map(),
        Rule::at("properties.kustomizations.*.postBuild.substituteFrom").keyed("kind+name"),
        Rule::at("properties.configurationProtectedSettings").write_only(),
        Rule::at("properties.repositoryPublicKey").read_only(),
        Rule::at("properties.sourceSyncedCommitId").read_only(),
        Rule::at("properties.sourceUpdatedAt").read_only(),
        Rule::at("properties.statusUpdatedAt").read_only(),
        Rule::at("properties.complianceState").read_only(),
        Rule::at("properties.statuses").read_only(),
        Rule::at("properties.errorMessage").read_only(),
    ],
    facets: &[
        Facet::new(
            "repositoryPublicKey",
            "/properties/repositoryPublicKey",
            "the key to allow on a Git server that is reached over SSH",
        ),
        Facet::new("sourceSyncedCommitId", "/properties/sourceSyncedCommitId", "the commit that is in place"),
        Facet::new("complianceState", "/properties/complianceState", "whether the cluster is as Git says"),
    ],
    amiss: Some(super::flux::amiss),
    expected: Duration::from_secs(90),
    expected_update: minutes(1),
    expected_delete: minutes(1),
    timeout: minutes(30),
    ..ResourceType::new(
        "Microsoft.KubernetesConfiguration/fluxConfigurations",
        "2025-04-01",
        "Flux configuration",
    )
};

/// What makes tokens that others can check.
static OIDC_ISSUER: Given = Given {
    pointer: "/properties/oidcIssuerProfile/enabled",
    holds: "true",
    by_default: true,
    unless: None,
    why: "it issues no tokens",
    remedy: "write `oidcIssuer: true` in the cluster, or leave the field out",
};

/// What gives the API server a private name.
static PRIVATE: Given = Given {
    pointer: "/properties/apiServerAccessProfile/enablePrivateCluster",
    holds: "true",
    by_default: false,
    unless: None,
    why: "its API server is not private",
    remedy: "take `fqdn`, or write `apiServer: { privateCluster: true }` in the cluster",
};

/// An add-on that has to be on, so that it has an identity. An automatic cluster switches on some by itself.
const fn addon(pointer: &'static str, remedy: &'static str) -> Given {
    Given {
        pointer,
        holds: "true",
        by_default: false,
        unless: Some(("/sku/name", "Automatic")),
        why: "the add-on is off",
        remedy,
    }
}

static SECRETS_PROVIDER: Given = addon(
    "/properties/addonProfiles/azureKeyvaultSecretsProvider/enabled",
    "switch it on: `addons: { keyVaultSecretsProvider: true }`",
);
static AZURE_POLICY: Given =
    addon("/properties/addonProfiles/azurepolicy/enabled", "switch it on: `addons: { azurePolicy: true }`");
static MONITORING: Given = addon(
    "/properties/addonProfiles/omsagent/enabled",
    "switch it on: `addons: { monitoring: { workspace: \"${logWorkspaces.logs}\" } }`",
);
static WEB_APP_ROUTING: Given = addon(
    "/properties/ingressProfile/webAppRouting/enabled",
    "switch it on: `addons: { webAppRouting: true }`",
);
static APPLICATION_GATEWAY: Given = addon(
    "/properties/addonProfiles/ingressApplicationGateway/enabled",
    "switch it on: `addons: { applicationGateway: { gateway: \"${applicationGateways.shop}\" } }`",
);
static VIRTUAL_NODES: Given = addon(
    "/properties/addonProfiles/aciConnectorLinux/enabled",
    "switch it on: `addons: { virtualNodes: { subnetName: … } }`",
);

const CLUSTER_FACETS: &[Facet] = &[
    Facet::new(
        "oidcIssuerUrl",
        "/properties/oidcIssuerProfile/issuerURL",
        "the issuer of its service account tokens",
    )
    .given(&OIDC_ISSUER),
    Facet::new("fqdn", "/properties/fqdn", "the public name of its API server"),
    Facet::new("privateFqdn", "/properties/privateFQDN", "the private name of its API server")
        .given(&PRIVATE),
    Facet::new("nodeResourceGroup", "/properties/nodeResourceGroup", "the resource group of its nodes"),
    Facet::new(
        "currentKubernetesVersion",
        "/properties/currentKubernetesVersion",
        "the exact version that it runs",
    ),
    Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity")
        .given(&OTHER_IDENTITY),
    Facet::new("tenantId", "/identity/tenantId", "the tenant of its system-assigned identity")
        .given(&OTHER_IDENTITY),
    Facet::new(
        "kubeletIdentity.id",
        "/properties/identityProfile/kubeletidentity/resourceId",
        "the identity with which nodes pull images",
    )
    .gives(IDENTITY),
    Facet::new(
        "kubeletIdentity.principalId",
        "/properties/identityProfile/kubeletidentity/objectId",
        "the object id of the nodes' identity",
    ),
    Facet::new(
        "kubeletIdentity.clientId",
        "/properties/identityProfile/kubeletidentity/clientId",
        "the client id of the nodes' identity",
    ),
    Facet::new(
        "addons.keyVaultSecretsProvider.identity.id",
        "/properties/addonProfiles/azureKeyvaultSecretsProvider/identity/resourceId",
        "the identity with which the add-on reads vaults",
    )
    .gives(IDENTITY)
    .given(&SECRETS_PROVIDER),
    Facet::new(
        "addons.keyVaultSecretsProvider.identity.principalId",
        "/properties/addonProfiles/azureKeyvaultSecretsProvider/identity/objectId",
        "the object id of the add-on's identity",
    )
    .given(&SECRETS_PROVIDER),
    Facet::new(
        "addons.keyVaultSecretsProvider.identity.clientId",
        "/properties/addonProfiles/azureKeyvaultSecretsProvider/identity/clientId",
        "the client id of the add-on's identity",
    )
    .given(&SECRETS_PROVIDER),
    Facet::new(
        "addons.azurePolicy.identity.id",
        "/properties/addonProfiles/azurepolicy/identity/resourceId",
        "the identity of the add-on",
    )
    .gives(IDENTITY)
    .given(&AZURE_POLICY),
    Facet::new(
        "addons.azurePolicy.identity.principalId",
        "/properties/addonProfiles/azurepolicy/identity/objectId",
        "the object id of the add-on's identity",
    )
    .given(&AZURE_POLICY),
    Facet::new(
        "addons.azurePolicy.identity.clientId",
        "/properties/addonProfiles/azurepolicy/identity/clientId",
        "the client id of the add-on's identity",
    )
    .given(&AZURE_POLICY),
    Facet::new(
        "addons.monitoring.identity.id",
        "/properties/addonProfiles/omsagent/identity/resourceId",
        "the identity with which the agent writes",
    )
    .gives(IDENTITY)
    .given(&MONITORING),
    Facet::new(
        "addons.monitoring.identity.principalId",
        "/properties/addonProfiles/omsagent/identity/objectId",
        "the object id of the agent's identity",
    )
    .given(&MONITORING),
    Facet::new(
        "addons.monitoring.identity.clientId",
        "/properties/addonProfiles/omsagent/identity/clientId",
        "the client id of the agent's identity",
    )
    .given(&MONITORING),
    Facet::new(
        "addons.webAppRouting.identity.id",
        "/properties/ingressProfile/webAppRouting/identity/resourceId",
        "the identity with which the add-on writes DNS zones",
    )
    .gives(IDENTITY)
    .given(&WEB_APP_ROUTING),
    Facet::new(
        "addons.webAppRouting.identity.principalId",
        "/properties/ingressProfile/webAppRouting/identity/objectId",
        "the object id of the add-on's identity",
    )
    .given(&WEB_APP_ROUTING),
    Facet::new(
        "addons.webAppRouting.identity.clientId",
        "/properties/ingressProfile/webAppRouting/identity/clientId",
        "the client id of the add-on's identity",
    )
    .given(&WEB_APP_ROUTING),
    Facet::new(
        "addons.applicationGateway.identity.id",
        "/properties/addonProfiles/ingressApplicationGateway/identity/resourceId",
        "the identity with which the add-on configures the gateway",
    )
    .gives(IDENTITY)
    .given(&APPLICATION_GATEWAY),
    Facet::new(
        "addons.applicationGateway.identity.principalId",
        "/properties/addonProfiles/ingressApplicationGateway/identity/objectId",
        "the object id of the add-on's identity",
    )
    .given(&APPLICATION_GATEWAY),
    Facet::new(
        "addons.applicationGateway.identity.clientId",
        "/properties/addonProfiles/ingressApplicationGateway/identity/clientId",
        "the client id of the add-on's identity",
    )
    .given(&APPLICATION_GATEWAY),
    Facet::new(
        "addons.applicationGateway.gatewayId",
        "/properties/addonProfiles/ingressApplicationGateway/config/effectiveApplicationGatewayId",
        "the gateway that the add-on uses",
    )
    .gives("Microsoft.Network/applicationGateways")
    .given(&APPLICATION_GATEWAY),
    Facet::new(
        "addons.virtualNodes.identity.principalId",
        "/properties/addonProfiles/aciConnectorLinux/identity/objectId",
        "the object id of the add-on's identity",
    )
    .given(&VIRTUAL_NODES),
    Facet::new(
        "portalFqdn",
        "/properties/azurePortalFQDN",
        "the name by which the portal reaches its API server",
    ),
    Facet::new(
        "resourceUid",
        "/properties/resourceUID",
        "what tells it from a cluster of the same name before it",
    ),
];
