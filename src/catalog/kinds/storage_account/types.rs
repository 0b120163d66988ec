//! The ARM types of a storage account.

use crate::catalog::kinds::parts::SYSTEM_IDENTITY;
use crate::catalog::{DeleteMode, Facet, Lane, Preflight, ResourceType, UpdateMode};
use crate::value::Rule;
use std::time::Duration;

pub(super) const ACCOUNTS: &str = "Microsoft.Storage/storageAccounts";
const CONTAINERS: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
const API_VERSION: &str = "2025-08-01";

/// The account.
pub static STORAGE_ACCOUNT: ResourceType = ResourceType {
    stateful: true,
    update: UpdateMode::Patch,
    lanes: &[Lane::Ancestor(ACCOUNTS)],
    rules: &[
        Rule::at("kind").fold_case().immutable(),
        // Locally, by zones or by regions is changed in place; the disks below are not.
        Rule::at("sku.name").fold_case(),
        Rule::at("sku.tier").read_only(),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.accessTier").fold_case().default("\"Hot\""),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.allowBlobPublicAccess").default("false"),
        Rule::at("properties.allowSharedKeyAccess").default("true"),
        Rule::at("properties.allowCrossTenantReplication").default("false"),
        Rule::at("properties.minimumTlsVersion").fold_case(),
        Rule::at("properties.supportsHttpsTrafficOnly").default("true"),
        Rule::at("properties.isHnsEnabled").immutable().default("false"),
        Rule::at("properties.encryption.requireInfrastructureEncryption").immutable().default("false"),
        Rule::at("properties.networkAcls.bypass").fold_case().default("\"AzureServices\""),
        Rule::at("properties.networkAcls.defaultAction").fold_case().default("\"Allow\""),
        Rule::at("properties.networkAcls.ipRules").keyed("value"),
        Rule::at("properties.networkAcls.ipRules[].value").cidr(),
        Rule::at("properties.networkAcls.ipRules[].action").fold_case().default("\"Allow\""),
        Rule::at("properties.networkAcls.virtualNetworkRules").keyed("id"),
        Rule::at("properties.networkAcls.virtualNetworkRules[].action").fold_case().default("\"Allow\""),
        Rule::at("properties.networkAcls.virtualNetworkRules[].state").read_only(),
        Rule::at("properties.primaryEndpoints").read_only(),
        Rule::at("properties.secondaryEndpoints").read_only(),
        Rule::at("properties.primaryLocation").read_only(),
        Rule::at("properties.secondaryLocation").read_only(),
        Rule::at("properties.statusOfPrimary").read_only(),
        Rule::at("properties.statusOfSecondary").read_only(),
        Rule::at("properties.creationTime").read_only(),
        Rule::at("properties.keyCreationTime").read_only(),
        Rule::at("properties.accountMigrationInProgress").read_only(),
        Rule::at("properties.blobRestoreStatus").read_only(),
        Rule::at("properties.failoverInProgress").read_only(),
        Rule::at("properties.geoReplicationStats").read_only(),
        Rule::at("properties.isSkuConversionBlocked").read_only(),
        Rule::at("properties.lastGeoFailoverTime").read_only(),
        Rule::at("properties.storageAccountSkuConversionStatus").read_only(),
        Rule::at("properties.encryption.keyvaultproperties.currentVersionedKeyExpirationTimestamp")
            .read_only(),
        Rule::at("properties.encryption.keyvaultproperties.currentVersionedKeyIdentifier").read_only(),
        Rule::at("properties.encryption.keyvaultproperties.lastKeyRotationTimestamp").read_only(),
        Rule::at("properties.encryption.services.*.lastEnabledTime").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[
        Facet::new("blobUri", "/properties/primaryEndpoints/blob", "the URL of its blobs"),
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity")
            .given(&SYSTEM_IDENTITY),
    ],
    cross_check: Some(|around, problems| {
        crate::catalog::kinds::subnets::let_in(
            around,
            &["Microsoft.Storage", "Microsoft.Storage.Global"],
            "",
            problems,
        );
    }),
    preflight: &[Preflight::Name {
        path: "Microsoft.Storage/checkNameAvailability",
        api_version: API_VERSION,
    }],
    expected: Duration::from_secs(30),
    expected_update: Duration::from_secs(10),
    expected_delete: Duration::from_secs(10),
    ..ResourceType::new(ACCOUNTS, API_VERSION, "storage account")
};

/// A blob container.
pub static CONTAINER: ResourceType = ResourceType {
    stateful: true,
    tags: false,
    lanes: &[Lane::Ancestor(ACCOUNTS)],
    rules: &[
        Rule::at("properties.publicAccess").fold_case().default("\"None\""),
        Rule::at("properties.leaseStatus").read_only(),
        Rule::at("properties.leaseState").read_only(),
        Rule::at("properties.leaseDuration").read_only(),
        Rule::at("properties.deletedTime").read_only(),
        Rule::at("properties.immutabilityPolicy").read_only(),
        Rule::at("properties.legalHold").read_only(),
        Rule::at("properties.immutableStorageWithVersioning.migrationState").read_only(),
        Rule::at("properties.immutableStorageWithVersioning.timeStamp").read_only(),
        Rule::at("properties.lastModifiedTime").read_only(),
        Rule::at("properties.hasImmutabilityPolicy").read_only(),
        Rule::at("properties.hasLegalHold").read_only(),
        Rule::at("properties.deleted").read_only(),
        Rule::at("properties.remainingRetentionDays").read_only(),
        Rule::at("properties.version").read_only(),
    ],
    ..ResourceType::new(CONTAINERS, API_VERSION, "blob container")
};

const fn child(arm_type: &'static str, title: &'static str) -> ResourceType {
    ResourceType {
        tags: false,
        lanes: &[Lane::Ancestor(ACCOUNTS)],
        ..ResourceType::new(arm_type, API_VERSION, title)
    }
}

/// How blobs are kept, which every account says.
pub static BLOB_SERVICE: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    rules: &[
        Rule::at("sku").read_only(),
        Rule::at("properties.isVersioningEnabled").default("false"),
        Rule::at("properties.deleteRetentionPolicy.enabled").default("false"),
        Rule::at("properties.deleteRetentionPolicy.allowPermanentDelete").default("false"),
        Rule::at("properties.containerDeleteRetentionPolicy.enabled").default("false"),
        Rule::at("properties.restorePolicy.enabled").default("false"),
        Rule::at("properties.restorePolicy.lastEnabledTime").read_only(),
        Rule::at("properties.restorePolicy.minRestoreTime").read_only(),
        Rule::at("properties.changeFeed.enabled").default("false"),
        Rule::at("properties.lastAccessTimeTrackingPolicy.enable").default("false"),
        Rule::at("properties.lastAccessTimeTrackingPolicy.blobType").set(),
    ],
    ..child("Microsoft.Storage/storageAccounts/blobServices", "blobs of a storage account")
};

/// What becomes of blobs as they grow old.
pub static LIFECYCLE: ResourceType = ResourceType {
    rules: &[
        Rule::at("properties.lastModifiedTime").read_only(),
        Rule::at("properties.policy.rules").keyed("name"),
        Rule::at("properties.policy.rules[].type").fold_case(),
        Rule::at("properties.policy.rules[].enabled").default("true"),
        Rule::at("properties.policy.rules[].definition.actions").whole(),
        Rule::at("properties.policy.rules[].definition.actions.baseBlob").whole(),
        Rule::at("properties.policy.rules[].definition.actions.snapshot").whole(),
        Rule::at("properties.policy.rules[].definition.actions.version").whole(),
        Rule::at("properties.policy.rules[].definition.filters.blobTypes").set(),
        Rule::at("properties.policy.rules[].definition.filters.prefixMatch").set().default("[]"),
    ],
    ..child("Microsoft.Storage/storageAccounts/managementPolicies", "lifecycle of a storage account")
};

/// A file share.
pub static SHARE: ResourceType = ResourceType {
    stateful: true,
    rules: &[
        Rule::at("properties.enabledProtocols").fold_case().immutable().default("\"SMB\""),
        Rule::at("properties.accessTier").fold_case(),
        Rule::at("properties.shareQuota").default("5120"),
        Rule::at("properties.accessTierChangeTime").read_only(),
        Rule::at("properties.accessTierStatus").read_only(),
        Rule::at("properties.deleted").read_only(),
        Rule::at("properties.deletedTime").read_only(),
        Rule::at("properties.lastModifiedTime").read_only(),
        Rule::at("properties.leaseDuration").read_only(),
        Rule::at("properties.leaseState").read_only(),
        Rule::at("properties.leaseStatus").read_only(),
        Rule::at("properties.remainingRetentionDays").read_only(),
        Rule::at("properties.shareUsageBytes").read_only(),
        Rule::at("properties.snapshotTime").read_only(),
        Rule::at("properties.version").read_only(),
        Rule::at("properties.includedBurstIops").read_only(),
        Rule::at("properties.maxBurstCreditsForIops").read_only(),
        Rule::at("properties.nextAllowedProvisionedBandwidthDowngradeTime").read_only(),
        Rule::at("properties.nextAllowedProvisionedIopsDowngradeTime").read_only(),
        Rule::at("properties.nextAllowedQuotaDowngradeTime").read_only(),
    ],
    ..child("Microsoft.Storage/storageAccounts/fileServices/shares", "file share")
};

/// A queue.
pub static STORAGE_QUEUE: ResourceType = ResourceType {
    stateful: true,
    rules: &[Rule::at("properties.approximateMessageCount").read_only()],
    ..child("Microsoft.Storage/storageAccounts/queueServices/queues", "queue of a storage account")
};

/// A table.
pub static TABLE: ResourceType = ResourceType {
    stateful: true,
    rules: &[Rule::at("properties.tableName").read_only()],
    ..child("Microsoft.Storage/storageAccounts/tableServices/tables", "table of a storage account")
};
