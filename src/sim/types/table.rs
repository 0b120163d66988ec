//! Which ARM type has which behaviour.

use super::cluster::Cluster;
use super::cluster_offers::Offers;
use super::connection::Connection;
use super::flux::{Extension, FluxConfiguration};
use super::generic::Generic;
use super::identity::{FederatedCredential, Identity};
use super::interface::Interface;
use super::key::Key;
use super::key_vault::{AccessPolicies, Vault};
use super::maintenance::Maintenance;
use super::network::VirtualNetwork;
use super::network_item::NetworkItem;
use super::node_pool::NodePool;
use super::policy::{Lock, PolicyAssignment, PolicyDefinition, PolicyExemption};
use super::policy_states::PolicyStates;
use super::private_dns::{Link, RecordSet, Zone};
use super::private_endpoint::PrivateEndpoint;
use super::private_link::LinkResources;
use super::requester::Requester;
use super::resource_group::Group;
use super::role::{RoleAssignment, RoleDefinition};
use super::secret::Secret;
use super::sql::SqlServer;
use super::stacks::Stacks;
use super::storage::{BlobService, Part};
use super::subnet::{Peering, Subnet};
use super::vault_bin::DeletedVault;
use super::web::{Site, SiteConfig};
use super::zone_group::ZoneGroup;
use crate::core::api_versions;
use crate::core::behaviour::Behaviour;
use crate::core::error::Failure;
use crate::core::namespaces::canonical_namespace;
use crate::core::path::ResourcePath;

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// The type as the provider spells it in ids; empty when the client's spelling stands.
    name: &'static str,
    /// Whether it has a location.
    pub(crate) tracked: bool,
    /// Whether it looks at entity tags itself.
    pub(crate) own_etag: bool,
    pub(crate) behaviour: &'static dyn Behaviour,
}

const fn tracked(name: &'static str, behaviour: &'static dyn Behaviour) -> Entry {
    Entry { name, tracked: true, own_etag: false, behaviour }
}

const fn proxy(name: &'static str, behaviour: &'static dyn Behaviour) -> Entry {
    Entry { name, tracked: false, own_etag: false, behaviour }
}

const TYPES: &[Entry] = &[
    tracked("Microsoft.ContainerService/managedClusters", &Cluster),
    proxy("Microsoft.ContainerService/managedClusters/agentPools", &NodePool),
    proxy("Microsoft.ContainerService/managedClusters/maintenanceConfigurations", &Maintenance),
    proxy("Microsoft.ContainerService/managedClusters/agentPools/upgradeProfiles", &Offers),
    proxy("Microsoft.ContainerService/managedClusters/availableAgentPoolVersions", &Offers),
    proxy("Microsoft.ContainerService/managedClusters/commandResults", &Offers),
    proxy("Microsoft.ContainerService/managedClusters/upgradeProfiles", &Offers),
    proxy("Microsoft.KubernetesConfiguration/extensions", &Extension),
    proxy("Microsoft.KubernetesConfiguration/fluxConfigurations", &FluxConfiguration),
    tracked("Microsoft.Network/virtualNetworks", &VirtualNetwork),
    proxy("Microsoft.Network/virtualNetworks/subnets", &Subnet),
    proxy("Microsoft.Network/virtualNetworks/virtualNetworkPeerings", &Peering),
    tracked("Microsoft.Network/networkSecurityGroups", &NetworkItem),
    tracked("Microsoft.Network/routeTables", &NetworkItem),
    tracked("Microsoft.Network/natGateways", &NetworkItem),
    tracked("Microsoft.Network/publicIPAddresses", &NetworkItem),
    tracked("Microsoft.Network/applicationGateways", &NetworkItem),
    tracked("Microsoft.Network/privateLinkServices", &NetworkItem),
    tracked("Microsoft.Network/loadBalancers", &NetworkItem),
    tracked("Microsoft.Network/publicIPPrefixes", &NetworkItem),
    tracked("Microsoft.Network/networkInterfaces", &Interface),
    tracked("Microsoft.Network/applicationSecurityGroups", &NetworkItem),
    tracked("Microsoft.Network/privateEndpoints", &PrivateEndpoint),
    proxy("Microsoft.Network/privateEndpoints/privateDnsZoneGroups", &ZoneGroup),
    Entry { own_etag: true, ..tracked("Microsoft.Network/privateDnsZones", &Zone) },
    tracked("Microsoft.Network/privateDnsZones/virtualNetworkLinks", &Link),
    proxy("Microsoft.Network/privateDnsZones/A", &RecordSet),
    proxy("Microsoft.Network/privateDnsZones/AAAA", &RecordSet),
    proxy("Microsoft.Network/privateDnsZones/ALL", &RecordSet),
    proxy("Microsoft.Network/privateDnsZones/CNAME", &RecordSet),
    proxy("Microsoft.Network/privateDnsZones/MX", &RecordSet),
    proxy("Microsoft.Network/privateDnsZones/PTR", &RecordSet),
    proxy("Microsoft.Network/privateDnsZones/SOA", &RecordSet),
    proxy("Microsoft.Network/privateDnsZones/SRV", &RecordSet),
    proxy("Microsoft.Network/privateDnsZones/TXT", &RecordSet),
    tracked("Microsoft.ManagedIdentity/userAssignedIdentities", &Identity),
    proxy(
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        &FederatedCredential,
    ),
    proxy("Microsoft.Authorization/roleAssignments", &RoleAssignment),
    proxy("Microsoft.Authorization/roleDefinitions", &RoleDefinition),
    proxy("Microsoft.Authorization/policyAssignments", &PolicyAssignment),
    proxy("Microsoft.Authorization/policyDefinitions", &PolicyDefinition),
    proxy("Microsoft.Authorization/policySetDefinitions", &PolicyDefinition),
    proxy("Microsoft.Authorization/policyExemptions", &PolicyExemption),
    proxy("Microsoft.PolicyInsights/policyStates", &PolicyStates),
    proxy("Microsoft.Authorization/locks", &Lock),
    tracked("Microsoft.KeyVault/vaults", &Vault),
    proxy("Microsoft.KeyVault/vaults/accessPolicies", &AccessPolicies),
    proxy("Microsoft.KeyVault/vaults/secrets", &Secret),
    proxy("Microsoft.KeyVault/locations/deletedVaults", &DeletedVault),
    proxy("Microsoft.KeyVault/deletedVaults", &DeletedVault),
    tracked("Microsoft.KeyVault/managedHSMs", &Generic),
    tracked("Microsoft.Cdn/profiles", &Generic),
    tracked("Microsoft.Cdn/profiles/afdEndpoints", &Generic),
    proxy("Microsoft.Cdn/profiles/afdEndpoints/routes", &Generic),
    proxy("Microsoft.Cdn/profiles/customDomains", &Generic),
    proxy("Microsoft.Cdn/profiles/originGroups", &Generic),
    proxy("Microsoft.Cdn/profiles/originGroups/origins", &Requester),
    proxy("Microsoft.Cdn/profiles/ruleSets", &Generic),
    proxy("Microsoft.Cdn/profiles/ruleSets/rules", &Generic),
    proxy("Microsoft.Cdn/profiles/secrets", &Generic),
    proxy("Microsoft.Cdn/profiles/securityPolicies", &Generic),
    tracked("Microsoft.Network/FrontDoorWebApplicationFirewallPolicies", &Generic),
    tracked("Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies", &Generic),
    tracked("Microsoft.ContainerRegistry/registries", &Generic),
    tracked("Microsoft.ContainerRegistry/registries/replications", &Generic),
    tracked("Microsoft.Sql/servers", &SqlServer),
    tracked("Microsoft.Sql/servers/databases", &Generic),
    tracked("Microsoft.Sql/servers/elasticPools", &Generic),
    proxy("Microsoft.Sql/servers/auditingSettings", &Generic),
    proxy("Microsoft.Sql/servers/databases/backupLongTermRetentionPolicies", &Generic),
    proxy("Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies", &Generic),
    proxy("Microsoft.Sql/servers/failoverGroups", &Generic),
    proxy("Microsoft.Sql/servers/administrators", &Generic),
    proxy("Microsoft.Sql/servers/azureADOnlyAuthentications", &Generic),
    proxy("Microsoft.Sql/servers/firewallRules", &Generic),
    proxy("Microsoft.Sql/servers/virtualNetworkRules", &Generic),
    tracked("Microsoft.Storage/storageAccounts", &Generic),
    proxy("Microsoft.Storage/storageAccounts/blobServices", &BlobService),
    proxy("Microsoft.Storage/storageAccounts/fileServices/shares", &Generic),
    proxy("Microsoft.Storage/storageAccounts/managementPolicies", &Generic),
    proxy("Microsoft.Storage/storageAccounts/queueServices/queues", &Part),
    proxy("Microsoft.Storage/storageAccounts/tableServices/tables", &Part),
    proxy("Microsoft.Storage/storageAccounts/blobServices/containers", &Generic),
    tracked("Microsoft.ApiManagement/service", &Generic),
    tracked("Microsoft.Cache/redisEnterprise", &Generic),
    proxy("Microsoft.Cache/redisEnterprise/databases", &Generic),
    proxy("Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments", &Generic),
    proxy("Microsoft.ContainerRegistry/registries/cacheRules", &Generic),
    proxy("Microsoft.ContainerRegistry/registries/scopeMaps", &Generic),
    proxy("Microsoft.ContainerRegistry/registries/tokens", &Generic),
    tracked("Microsoft.ContainerRegistry/registries/webhooks", &Generic),
    proxy("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/throughputSettings", &Generic),
    proxy("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/throughputSettings", &Generic),
    proxy("Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments", &Generic),
    tracked("Microsoft.DocumentDB/databaseAccounts", &Generic),
    proxy("Microsoft.DocumentDB/databaseAccounts/sqlDatabases", &Generic),
    proxy("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers", &Generic),
    tracked("Microsoft.EventHub/namespaces", &Generic),
    proxy("Microsoft.EventHub/namespaces/eventhubs", &Generic),
    proxy("Microsoft.EventHub/namespaces/eventhubs/consumergroups", &Generic),
    proxy("Microsoft.EventHub/namespaces/networkRuleSets", &Generic),
    tracked("Microsoft.ServiceBus/namespaces", &Generic),
    proxy("Microsoft.ServiceBus/namespaces/networkRuleSets", &Generic),
    proxy("Microsoft.EventHub/namespaces/authorizationRules", &Generic),
    proxy("Microsoft.ServiceBus/namespaces/AuthorizationRules", &Generic),
    proxy("Microsoft.ServiceBus/namespaces/topics/subscriptions/rules", &Generic),
    proxy("Microsoft.ServiceBus/namespaces/queues", &Generic),
    proxy("Microsoft.ServiceBus/namespaces/topics", &Generic),
    proxy("Microsoft.ServiceBus/namespaces/topics/subscriptions", &Generic),
    tracked("Microsoft.Web/serverfarms", &Generic),
    proxy("Microsoft.Web/locations/webAppStacks", &Stacks),
    proxy("Microsoft.Web/webAppStacks", &Stacks),
    tracked("Microsoft.Web/sites", &Site),
    tracked("Microsoft.Web/sites/slots", &Site),
    proxy("Microsoft.Web/sites/config", &SiteConfig),
    proxy("Microsoft.Web/sites/slots/config", &SiteConfig),
    proxy("Microsoft.Search/searchServices/sharedPrivateLinkResources", &Requester),
    proxy("Microsoft.SignalRService/signalR/sharedPrivateLinkResources", &Requester),
    proxy("Microsoft.SignalRService/webPubSub/sharedPrivateLinkResources", &Requester),
    proxy("Microsoft.Kusto/clusters/managedPrivateEndpoints", &Requester),
    tracked("Microsoft.Insights/actionGroups", &Generic),
    tracked("Microsoft.Insights/dataCollectionEndpoints", &Generic),
    proxy("Microsoft.Insights/dataCollectionRuleAssociations", &Generic),
    tracked("Microsoft.Insights/dataCollectionRules", &Generic),
    proxy("Microsoft.Insights/diagnosticSettings", &Generic),
    tracked("Microsoft.Insights/metricAlerts", &Generic),
    tracked("Microsoft.Insights/scheduledQueryRules", &Generic),
    tracked("Microsoft.AlertsManagement/prometheusRuleGroups", &Generic),
    tracked("Microsoft.Monitor/accounts", &Generic),
    tracked("Microsoft.Dashboard/grafana", &Generic),
    tracked("Microsoft.Dashboard/grafana/managedPrivateEndpoints", &Requester),
    proxy("Microsoft.KeyVault/vaults/keys", &Key),
    tracked("Microsoft.ContainerService/fleets", &Generic),
    proxy("Microsoft.ContainerService/fleets/autoUpgradeProfiles", &Generic),
    proxy("Microsoft.ContainerService/fleets/members", &Generic),
    proxy("Microsoft.ContainerService/fleets/updateStrategies", &Generic),
    tracked("Microsoft.ContainerService/managedClusters/managedNamespaces", &Generic),
    proxy("Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings", &Generic),
    tracked("Microsoft.ContainerService/snapshots", &Generic),
    tracked("Microsoft.Resources/deploymentScripts", &Generic),
    tracked("Microsoft.Resources/templateSpecs", &Generic),
    tracked("Microsoft.Resources/templateSpecs/versions", &Generic),
    proxy("Microsoft.Resources/resourceGroups", &Group),
];

// Whoever decides on a connection can set no condition: `If-Match` is passed over.
const CONNECTION: Entry = Entry { own_etag: true, ..proxy("", &Connection) };
const LINK_RESOURCES: Entry = proxy("", &LinkResources);
const GENERIC: Entry = proxy("", &Generic);

/// Namespaces modelled so closely that a type missing from the table is a mistake.
const CLOSED: &[&str] = &[
    "microsoft.containerservice",
    "microsoft.kubernetesconfiguration",
    "microsoft.managedidentity",
    "microsoft.authorization",
    "microsoft.keyvault",
    "microsoft.resources",
];

fn row(kind: &str) -> Option<Entry> {
    if kind.ends_with("/privateendpointconnections") {
        return Some(CONNECTION);
    }
    if kind.ends_with("/privatelinkresources") {
        return Some(LINK_RESOURCES);
    }
    TYPES.iter().find(|e| e.name.eq_ignore_ascii_case(kind)).copied()
}

/// The row of a type, or ARM's refusal of a type that does not exist.
pub(crate) fn find(path: &ResourcePath) -> Result<Entry, Failure> {
    let kind = path.kind();
    if let Some(row) = row(&kind) {
        return Ok(row);
    }
    let namespace = &path.namespace;
    if canonical_namespace(namespace).is_none() {
        let message = format!("The resource namespace '{namespace}' is invalid.");
        return Err(Failure::new(404, "InvalidResourceNamespace", message));
    }
    let listed = api_versions::is_unknown_type(&kind) && !kind.contains("/locations/");
    if listed || CLOSED.contains(&namespace.to_ascii_lowercase().as_str()) {
        let message = format!(
            "The resource type '{}' could not be found in the namespace '{namespace}'.",
            path.types.join("/"),
        );
        return Err(Failure::new(404, "InvalidResourceType", message));
    }
    Ok(GENERIC)
}

/// The type as the provider spells it.
pub(crate) fn type_name(entry: &Entry, path: &ResourcePath) -> String {
    if !entry.name.is_empty() {
        return entry.name.to_owned();
    }
    let namespace = canonical_namespace(&path.namespace).unwrap_or(&path.namespace);
    let owner = &path.types[..path.types.len() - 1];
    let known = row(&path.kind()[..path.kind().rfind('/').unwrap_or_default()]).filter(|_| !owner.is_empty());
    match known.map(|k| k.name).filter(|n| !n.is_empty()) {
        Some(target) => format!("{target}/{}", path.types.last().map_or("", String::as_str)),
        None => format!("{namespace}/{}", path.types.join("/")),
    }
}

/// The behaviour of a type that is in the store already.
pub(crate) fn behaviour(kind: &str) -> &'static dyn Behaviour {
    row(kind).unwrap_or(GENERIC).behaviour
}

/// Whether a type is known to be no more than a part of another resource; ARM's index does not list those.
pub(crate) fn is_proxy(kind: &str) -> bool {
    row(kind).is_some_and(|row| !row.tracked)
}

/// Whether an ancestor needs not exist as a resource of its own.
pub(crate) fn is_virtual(key: &str) -> bool {
    key.contains("/locations/") || key.ends_with("services/default") || key.ends_with("/config")
}

/// The types of a namespace, for the provider's description.
pub(crate) fn types_of(namespace: &str) -> impl Iterator<Item = &'static str> {
    TYPES.iter().filter_map(move |e| {
        let (ns, kind) = e.name.split_once('/')?;
        ns.eq_ignore_ascii_case(namespace).then_some(kind)
    })
}
