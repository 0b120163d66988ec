//! The ARM types of a SQL server.

use crate::catalog::kinds::parts::SYSTEM_IDENTITY;
use crate::catalog::{DeleteMode, Facet, Lane, Preflight, ResourceType};
use crate::value::Rule;
use std::time::Duration;

pub(super) const SERVERS: &str = "Microsoft.Sql/servers";
const API_VERSION: &str = "2025-01-01";

/// The server.
pub static SQL_SERVER: ResourceType = ResourceType {
    stateful: true,
    lanes: &[Lane::Ancestor(SERVERS)],
    rules: &[
        Rule::at("kind").read_only(),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.administratorLogin").immutable(),
        Rule::at("properties.administratorLoginPassword").write_only(),
        // Heard on creation only; what changes later is changed beside it.
        Rule::at("properties.administrators").create_only(),
        Rule::at("properties.version").create_only(),
        Rule::at("properties.minimalTlsVersion").fold_case().default("\"1.2\""),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.restrictOutboundNetworkAccess").fold_case().default("\"Disabled\""),
        Rule::at("properties.primaryUserAssignedIdentityId").fold_case(),
        Rule::at("properties.state").read_only(),
        Rule::at("properties.fullyQualifiedDomainName").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
        Rule::at("properties.workspaceFeature").read_only(),
        Rule::at("properties.externalGovernanceStatus").read_only(),
    ],
    facets: &[
        Facet::new("hostName", "/properties/fullyQualifiedDomainName", "the host name at which it answers"),
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity")
            .given(&SYSTEM_IDENTITY),
    ],
    preflight: &[Preflight::Name { path: "Microsoft.Sql/checkNameAvailability", api_version: API_VERSION }],
    expected: Duration::from_secs(120),
    expected_update: Duration::from_secs(60),
    expected_delete: Duration::from_secs(60),
    ..ResourceType::new(SERVERS, API_VERSION, "SQL server")
};

const fn child(arm_type: &'static str, title: &'static str) -> ResourceType {
    ResourceType {
        tags: false,
        lanes: &[Lane::Ancestor(SERVERS)],
        ..ResourceType::new(arm_type, API_VERSION, title)
    }
}

/// The administrator from Entra.
pub static ADMINISTRATOR: ResourceType = ResourceType {
    rules: &[
        Rule::at("properties.administratorType").fold_case(),
        Rule::at("properties.sid").fold_case(),
        Rule::at("properties.tenantId").fold_case(),
        Rule::at("properties.azureADOnlyAuthentication").read_only(),
        // Said of the server's own administrator only.
        Rule::at("properties.principalType").read_only(),
    ],
    ..child("Microsoft.Sql/servers/administrators", "Entra administrator")
};

/// Whether nobody signs in with a password.
pub static ENTRA_ONLY: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    rules: &[Rule::at("properties.azureADOnlyAuthentication").default("false")],
    ..child("Microsoft.Sql/servers/azureADOnlyAuthentications", "sign-in without passwords")
};

/// A database.
pub static DATABASE: ResourceType = ResourceType {
    tags: true,
    stateful: true,
    rules: &[
        Rule::at("kind").read_only(),
        Rule::at("managedBy").read_only(),
        Rule::at("sku.name").fold_case(),
        Rule::at("sku.tier").read_only(),
        Rule::at("sku.size").read_only(),
        Rule::at("sku.family").read_only(),
        Rule::at("properties.collation").immutable().fold_case(),
        Rule::at("properties.elasticPoolId").fold_case(),
        Rule::at("properties.requestedBackupStorageRedundancy").fold_case().default("\"Geo\""),
        Rule::at("properties.zoneRedundant").default("false"),
        Rule::at("properties.readScale").fold_case(),
        Rule::at("properties.status").read_only(),
        Rule::at("properties.databaseId").read_only(),
        Rule::at("properties.creationDate").read_only(),
        Rule::at("properties.currentServiceObjectiveName").read_only(),
        Rule::at("properties.requestedServiceObjectiveName").read_only(),
        Rule::at("properties.defaultSecondaryLocation").read_only(),
        Rule::at("properties.currentSku").read_only(),
        Rule::at("properties.currentBackupStorageRedundancy").read_only(),
        Rule::at("properties.earliestRestoreDate").read_only(),
        Rule::at("properties.maxLogSizeBytes").read_only(),
        Rule::at("properties.isInfraEncryptionEnabled").read_only(),
        Rule::at("properties.failoverGroupId").read_only(),
        Rule::at("properties.pausedDate").read_only(),
        Rule::at("properties.resumedDate").read_only(),
        Rule::at("properties.createMode").create_only(),
        Rule::at("properties.sampleName").create_only(),
        Rule::at("properties.sourceDatabaseId").create_only(),
        Rule::at("properties.sourceResourceId").create_only(),
        Rule::at("properties.restorePointInTime").create_only(),
        Rule::at("properties.sourceDatabaseDeletionDate").create_only(),
        Rule::at("properties.recoveryServicesRecoveryPointId").create_only(),
        Rule::at("properties.recoverableDatabaseId").create_only(),
        Rule::at("properties.restorableDroppedDatabaseId").create_only(),
        Rule::at("properties.longTermRetentionBackupResourceId").create_only(),
        Rule::at("properties.keys.*.creationDate").read_only(),
        Rule::at("properties.keys.*.keyVersion").read_only(),
        Rule::at("properties.keys.*.subregion").read_only(),
        Rule::at("properties.keys.*.thumbprint").read_only(),
        Rule::at("properties.keys.*.type").read_only(),
    ],
    expected: Duration::from_secs(120),
    expected_update: Duration::from_secs(120),
    expected_delete: Duration::from_secs(20),
    ..child("Microsoft.Sql/servers/databases", "SQL database")
};

/// A range of addresses that is let in.
pub static FIREWALL_RULE: ResourceType =
    child("Microsoft.Sql/servers/firewallRules", "firewall rule of a SQL server");

/// A subnet that is let in.
pub static NETWORK_RULE: ResourceType = ResourceType {
    rules: &[
        Rule::at("properties.virtualNetworkSubnetId").fold_case(),
        Rule::at("properties.ignoreMissingVnetServiceEndpoint").default("false"),
        Rule::at("properties.state").read_only(),
    ],
    ..child("Microsoft.Sql/servers/virtualNetworkRules", "network rule of a SQL server")
};

/// A pool that databases share.
pub static ELASTIC_POOL: ResourceType = ResourceType {
    tags: true,
    rules: &[
        Rule::at("kind").read_only(),
        Rule::at("sku.name").fold_case(),
        Rule::at("sku.tier").read_only(),
        Rule::at("sku.size").read_only(),
        Rule::at("sku.family").read_only(),
        Rule::at("properties.zoneRedundant").default("false"),
        Rule::at("properties.perDatabaseSettings").whole(),
        Rule::at("properties.creationDate").read_only(),
        Rule::at("properties.state").read_only(),
    ],
    expected: Duration::from_secs(90),
    expected_update: Duration::from_secs(90),
    expected_delete: Duration::from_secs(20),
    ..child("Microsoft.Sql/servers/elasticPools", "elastic pool")
};

/// How far back a database can be brought.
pub static SHORT_RETENTION: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    rules: &[Rule::at("properties.retentionDays").default("7")],
    ..child("Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies", "backups of a database")
};

/// Which backups of a database are kept for longer.
pub static LONG_RETENTION: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    rules: &[
        Rule::at("properties.weeklyRetention").fold_case().default("\"PT0S\""),
        Rule::at("properties.monthlyRetention").fold_case().default("\"PT0S\""),
        Rule::at("properties.yearlyRetention").fold_case().default("\"PT0S\""),
        Rule::at("properties.weekOfYear").default("0"),
    ],
    ..child("Microsoft.Sql/servers/databases/backupLongTermRetentionPolicies", "kept backups of a database")
};

/// A record of who did what.
pub static AUDITING: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    rules: &[
        Rule::at("properties.state").fold_case().default("\"Disabled\""),
        Rule::at("properties.storageAccountAccessKey").write_only(),
        Rule::at("properties.storageEndpoint").fold_case(),
        Rule::at("properties.retentionDays").default("0"),
        Rule::at("properties.isAzureMonitorTargetEnabled").default("false"),
        Rule::at("properties.isManagedIdentityInUse").default("false"),
        Rule::at("properties.isStorageSecondaryKeyInUse").default("false"),
        Rule::at("properties.auditActionsAndGroups").set(),
    ],
    ..child("Microsoft.Sql/servers/auditingSettings", "auditing of a SQL server")
};

/// Copies of databases on another server.
pub static FAILOVER_GROUP: ResourceType = ResourceType {
    rules: &[
        Rule::at("location").read_only(),
        Rule::at("properties.databases").set().fold_case(),
        Rule::at("properties.partnerServers").keyed("id").immutable(),
        Rule::at("properties.partnerServers[].location").read_only(),
        Rule::at("properties.partnerServers[].replicationRole").read_only(),
        Rule::at("properties.readWriteEndpoint").whole(),
        Rule::at("properties.readWriteEndpoint.failoverPolicy").fold_case(),
        Rule::at("properties.readOnlyEndpoint.failoverPolicy").fold_case().default("\"Disabled\""),
        Rule::at("properties.replicationRole").read_only(),
        Rule::at("properties.replicationState").read_only(),
    ],
    expected: Duration::from_secs(120),
    expected_update: Duration::from_secs(60),
    expected_delete: Duration::from_secs(30),
    ..child("Microsoft.Sql/servers/failoverGroups", "failover group")
};
