//! The ARM types of a storage account.

use crate::catalog::{Facet, Lane, Preflight, ResourceType, UpdateMode};
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
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity"),
    ],
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
