//! What a field wants of a reference: the word that its schema has as `x-wants`, and the types that it means.

use crate::ident::ArmId;

/// What a field that takes a reference wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// The word of the schema: `subnet`.
    pub word: &'static str,
    /// What it is called in a sentence: `a subnet`.
    pub what: &'static str,
    /// The ARM types that it may be; empty for a resource of any type.
    pub types: &'static [&'static str],
    /// What is taken of the resource: `id`, or an output such as `principalId`.
    pub facet: &'static str,
    /// Words that a blueprint may write instead of a reference.
    pub words: &'static [&'static str],
    /// Types that it cannot be, where any other will do.
    pub but: &'static [&'static str],
    /// How one is written.
    pub example: &'static str,
}

impl Wants {
    const fn a(
        word: &'static str,
        what: &'static str,
        types: &'static [&'static str],
        example: &'static str,
    ) -> Self {
        Wants { word, what, types, facet: "id", words: &[], but: &[], example }
    }

    const fn but(self, but: &'static [&'static str]) -> Self {
        Wants { but, ..self }
    }

    const fn words(self, words: &'static [&'static str]) -> Self {
        Wants { words, ..self }
    }

    /// What the word of a schema means.
    pub fn of(word: &str) -> Option<&'static Wants> {
        ALL.iter().find(|wants| wants.word == word)
    }

    /// Whether a resource of a type will do.
    pub fn takes(&self, arm_type: &str) -> bool {
        let among = |types: &[&str]| types.iter().any(|wanted| wanted.eq_ignore_ascii_case(arm_type));
        !among(self.but) && (self.types.is_empty() || among(self.types))
    }

    /// Whether an id is one of what is wanted.
    pub fn takes_id(&self, id: &ArmId) -> bool {
        self.takes(&id.resource_type())
    }
}

/// What no private endpoint reaches, and what is mistaken for a target.
const NO_TARGETS: &[&str] = &[
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Resources/subscriptions",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/virtualNetworks/subnets",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/privateDnsZones",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Insights/dataCollectionRules",
    "Microsoft.Insights/dataCollectionEndpoints",
];

const ALL: &[Wants] = &[
    // Settings are written and listed, but are not resources that anything could be assigned at.
    Wants::a("scope", "a resource", &[], "${keyVaults.secrets}")
        .words(&["subscription", "resourceGroup"])
        .but(&["Microsoft.Web/sites/config", "Microsoft.Web/sites/slots/config"]),
    // A target that is not an id is the alias of a private link service; its kind looks at that.
    Wants::a("target", "a resource that private endpoints reach", &[], "${keyVaults.secrets}")
        .but(NO_TARGETS),
    // Microsoft Learn, "Secure your origin with Private Link in Azure Front Door Premium", has the types.
    Wants::a(
        "origin",
        "something that Front Door connects to privately: an app, a storage account, an API Management service, a \
         Container Apps environment, an application gateway or a private link service",
        &[
            "Microsoft.Web/sites",
            "Microsoft.Storage/storageAccounts",
            "Microsoft.ApiManagement/service",
            "Microsoft.App/managedEnvironments",
            "Microsoft.Network/applicationGateways",
            "Microsoft.Network/privateLinkServices",
        ],
        "${webApps.shop}",
    ),
    Wants::a(
        "requester",
        "a resource that makes private endpoints of its own",
        &[],
        "${frontDoors.edge.origins.shop}",
    ),
    Wants::a(
        "private endpoint",
        "a private endpoint",
        &["Microsoft.Network/privateEndpoints"],
        "${privateEndpoints.vault}",
    ),
    Wants {
        facet: "principalId",
        ..Wants::a(
            "principal",
            "something that acts by itself, such as an identity",
            &[],
            "${identities.app}",
        )
    },
    Wants::a("network", "a virtual network", &["Microsoft.Network/virtualNetworks"], "${networks.hub}"),
    Wants::a(
        "subnet",
        "a subnet",
        &["Microsoft.Network/virtualNetworks/subnets"],
        "${networks.hub.subnets.nodes}",
    ),
    Wants::a(
        "identity",
        "a user-assigned identity",
        &["Microsoft.ManagedIdentity/userAssignedIdentities"],
        "${identities.app}",
    )
    .words(&["system"]),
    Wants::a(
        "workspace",
        "a Log Analytics workspace",
        &["Microsoft.OperationalInsights/workspaces"],
        "${logWorkspaces.logs}",
    ),
    Wants::a(
        "monitor workspace",
        "an Azure Monitor workspace",
        &["Microsoft.Monitor/accounts"],
        "${monitorWorkspaces.metrics}",
    ),
    Wants::a(
        "collection rule",
        "a collection rule",
        &["Microsoft.Insights/dataCollectionRules"],
        "${dataCollectionRules.logs}",
    )
    .words(&["none"]),
    Wants::a(
        "collection endpoint",
        "a collection endpoint",
        &["Microsoft.Insights/dataCollectionEndpoints"],
        "${dataCollectionEndpoints.metrics}",
    ),
    Wants::a(
        "action group",
        "an action group",
        &["Microsoft.Insights/actionGroups"],
        "${actionGroups.oncall}",
    ),
    Wants::a(
        "storage account",
        "a storage account",
        &["Microsoft.Storage/storageAccounts"],
        "${storageAccounts.logs}",
    ),
    Wants::a(
        "Event Hubs namespace",
        "an Event Hubs namespace",
        &["Microsoft.EventHub/namespaces"],
        "${eventHubs.telemetry}",
    ),
    Wants::a("web app", "an app of App Service", &["Microsoft.Web/sites"], "${webApps.shop}"),
    Wants::a("logic app", "a logic app", &["Microsoft.Logic/workflows"], "${resources.workflow}"),
    Wants::a(
        "key vault",
        "a key vault",
        &["Microsoft.KeyVault/vaults", "Microsoft.KeyVault/managedHSMs"],
        "${keyVaults.secrets}",
    ),
    Wants {
        facet: "versionedUri",
        ..Wants::a(
            "vault key",
            "a key in a vault",
            &["Microsoft.KeyVault/vaults/keys"],
            "${keyVaults.secrets.keys.etcd}",
        )
    },
    Wants::a(
        "private DNS zone",
        "a private DNS zone",
        &["Microsoft.Network/privateDnsZones"],
        "${privateDnsZones.cluster}",
    )
    .words(&["system", "none", "auto"]),
    Wants::a(
        "DNS zone",
        "a DNS zone",
        &["Microsoft.Network/dnsZones", "Microsoft.Network/privateDnsZones"],
        "${privateDnsZones.web}",
    ),
    Wants::a(
        "public address",
        "a public IP address",
        &["Microsoft.Network/publicIPAddresses"],
        "${publicIps.out}",
    ),
    Wants::a(
        "public address prefix",
        "a public IP prefix",
        &["Microsoft.Network/publicIPPrefixes"],
        "${resources.prefix}",
    ),
    Wants::a("NAT gateway", "a NAT gateway", &["Microsoft.Network/natGateways"], "${natGateways.out}"),
    Wants::a("route table", "a route table", &["Microsoft.Network/routeTables"], "${routeTables.nodes}"),
    Wants::a(
        "network security group",
        "a network security group",
        &["Microsoft.Network/networkSecurityGroups"],
        "${networkSecurityGroups.nodes}",
    ),
    Wants::a(
        "service endpoint policy",
        "a policy of service endpoints",
        &["Microsoft.Network/serviceEndpointPolicies"],
        "${resources.policy}",
    ),
    Wants::a(
        "application security group",
        "an application security group",
        &["Microsoft.Network/applicationSecurityGroups"],
        "${resources.web}",
    ),
    Wants::a(
        "DDoS protection plan",
        "a DDoS protection plan",
        &["Microsoft.Network/ddosProtectionPlans"],
        "${resources.plan}",
    ),
    Wants::a(
        "application gateway",
        "an application gateway",
        &["Microsoft.Network/applicationGateways"],
        "${applicationGateways.shop}",
    ),
    Wants::a(
        "disk encryption set",
        "a disk encryption set",
        &["Microsoft.Compute/diskEncryptionSets"],
        "${resources.disks}",
    ),
    Wants::a("host group", "a dedicated host group", &["Microsoft.Compute/hostGroups"], "${resources.hosts}"),
    Wants::a(
        "capacity reservation group",
        "a capacity reservation group",
        &["Microsoft.Compute/capacityReservationGroups"],
        "${resources.reserved}",
    ),
    Wants::a(
        "node pool snapshot",
        "a snapshot of a node pool",
        &["Microsoft.ContainerService/snapshots"],
        "${resources.snapshot}",
    ),
    Wants::a(
        "proximity placement group",
        "a proximity placement group",
        &["Microsoft.Compute/proximityPlacementGroups"],
        "${resources.near}",
    ),
    Wants::a(
        "app service plan",
        "an App Service plan",
        &["Microsoft.Web/serverfarms"],
        "${appServicePlans.web}",
    ),
    Wants {
        facet: "frontDoorId",
        ..Wants::a("front door", "a Front Door", &["Microsoft.Cdn/profiles"], "${frontDoors.edge}")
    },
    Wants::a(
        "Front Door WAF policy",
        "a WAF policy for Front Door",
        &["Microsoft.Network/FrontDoorWebApplicationFirewallPolicies"],
        "${wafPolicies.edge}",
    ),
    Wants::a(
        "gateway WAF policy",
        "a WAF policy for application gateways",
        &["Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies"],
        "${wafPolicies.gateway}",
    ),
    Wants::a(
        "registry",
        "a container registry",
        &["Microsoft.ContainerRegistry/registries"],
        "${containerRegistries.shop}",
    ),
    Wants::a("SQL server", "a SQL server", &["Microsoft.Sql/servers"], "${sqlServers.orders}"),
    Wants::a("cluster", "a cluster", &["Microsoft.ContainerService/managedClusters"], "${clusters.aks}"),
];
