//! What the bodies of some types may hold: the fields, what each holds, and which Azure writes itself. A request with another
//! field, or another word where there are only some, is refused.
//!
//! In our own words, after the types that Azure's API specifications define in the versions that are named below (by way of
//! `Azure/bicep-types-az`), and held against the examples of those specifications. The types here are those for which no
//! other schema is at hand.

use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::Object;
use serde_json::Value;

/// One line a field: its dotted path, `[]` for the elements of a list, and what it holds: `text`, `number`, `switch`, `any`
/// for what is not looked into, or the words that it may be, joined by `|`. A field behind `-` Azure writes itself; it is
/// taken and means nothing.
type Fields = &'static str;

/// What every tracked resource has around its properties.
const AROUND: Fields = "
location text
tags any
identity.type text
identity.userAssignedIdentities any
-identity.principalId text
-identity.tenantId text
-id text
-name text
-type text
-etag text
-systemData any
-properties.provisioningState text
-properties.privateEndpointConnections any
";

struct Type {
    kind: &'static str,
    /// What its provider answers with.
    code: &'static str,
    fields: Fields,
}

const TYPES: &[Type] = &[
    // 2024-05-01
    Type { kind: "microsoft.apimanagement/service", code: "ValidationError", fields: API_MANAGEMENT },
    // 2025-07-01
    Type { kind: "microsoft.cache/redisenterprise", code: "BadRequest", fields: REDIS },
    Type { kind: "microsoft.cache/redisenterprise/databases", code: "BadRequest", fields: REDIS_DATABASE },
    // 2025-10-03
    Type { kind: "microsoft.monitor/accounts", code: "BadRequest", fields: MONITOR_ACCOUNT },
    // 2023-03-01
    Type {
        kind: "microsoft.alertsmanagement/prometheusrulegroups",
        code: "BadRequest",
        fields: PROMETHEUS_RULES,
    },
    // 2025-08-01
    Type { kind: "microsoft.dashboard/grafana", code: "BadRequest", fields: GRAFANA },
    // 2026-03-15
    Type { kind: "microsoft.documentdb/databaseaccounts", code: "BadRequest", fields: COSMOS },
    Type {
        kind: "microsoft.documentdb/databaseaccounts/sqldatabases",
        code: "BadRequest",
        fields: COSMOS_DATABASE,
    },
    Type {
        kind: "microsoft.documentdb/databaseaccounts/sqldatabases/containers",
        code: "BadRequest",
        fields: COSMOS_CONTAINER,
    },
    // 2026-01-01
    Type { kind: "microsoft.servicebus/namespaces", code: "BadRequest", fields: BUS },
    Type {
        kind: "microsoft.servicebus/namespaces/networkrulesets",
        code: "BadRequest",
        fields: NETWORK_RULES,
    },
    Type { kind: "microsoft.servicebus/namespaces/queues", code: "BadRequest", fields: QUEUE },
    Type { kind: "microsoft.servicebus/namespaces/topics", code: "BadRequest", fields: TOPIC },
    Type {
        kind: "microsoft.servicebus/namespaces/topics/subscriptions",
        code: "BadRequest",
        fields: SUBSCRIPTION,
    },
    Type { kind: "microsoft.eventhub/namespaces", code: "BadRequest", fields: HUBS },
    Type { kind: "microsoft.eventhub/namespaces/networkrulesets", code: "BadRequest", fields: NETWORK_RULES },
    Type { kind: "microsoft.eventhub/namespaces/eventhubs", code: "BadRequest", fields: HUB },
    Type {
        kind: "microsoft.eventhub/namespaces/eventhubs/consumergroups",
        code: "BadRequest",
        fields: GROUP,
    },
];

const API_MANAGEMENT: Fields = "
sku.name Developer|Basic|Standard|Premium|Consumption|Isolated|BasicV2|StandardV2|PremiumV2
sku.capacity number
zones[] text
properties.publisherEmail text
properties.publisherName text
properties.notificationSenderEmail text
properties.publicNetworkAccess Enabled|Disabled
properties.virtualNetworkType None|External|Internal
properties.virtualNetworkConfiguration.subnetResourceId text
-properties.virtualNetworkConfiguration.vnetid text
-properties.virtualNetworkConfiguration.subnetname text
properties.publicIpAddressId text
properties.customProperties any
properties.disableGateway switch
properties.enableClientCertificate switch
properties.natGatewayState Enabled|Disabled
properties.restore switch
properties.apiVersionConstraint.minApiVersion text
properties.configurationApi.legacyApi Enabled|Disabled
properties.developerPortalStatus Enabled|Disabled
properties.legacyPortalStatus Enabled|Disabled
properties.certificates[].encodedCertificate text
properties.certificates[].certificatePassword text
properties.certificates[].storeName CertificateAuthority|Root
properties.certificates[].certificate any
properties.hostnameConfigurations[].type Proxy|Portal|Management|Scm|DeveloperPortal|ConfigurationApi
properties.hostnameConfigurations[].hostName text
properties.hostnameConfigurations[].keyVaultId text
properties.hostnameConfigurations[].identityClientId text
properties.hostnameConfigurations[].encodedCertificate text
properties.hostnameConfigurations[].certificatePassword text
properties.hostnameConfigurations[].defaultSslBinding switch
properties.hostnameConfigurations[].negotiateClientCertificate switch
properties.hostnameConfigurations[].certificate any
properties.hostnameConfigurations[].certificateSource Managed|KeyVault|Custom|BuiltIn
properties.hostnameConfigurations[].certificateStatus Completed|Failed|InProgress
properties.additionalLocations[].location text
properties.additionalLocations[].sku.name Developer|Basic|Standard|Premium|Consumption|Isolated|BasicV2|StandardV2|PremiumV2
properties.additionalLocations[].sku.capacity number
properties.additionalLocations[].zones[] text
properties.additionalLocations[].publicIpAddressId text
properties.additionalLocations[].virtualNetworkConfiguration.subnetResourceId text
properties.additionalLocations[].disableGateway switch
properties.additionalLocations[].natGatewayState Enabled|Disabled
-properties.additionalLocations[].gatewayRegionalUrl text
-properties.additionalLocations[].platformVersion text
-properties.additionalLocations[].privateIPAddresses any
-properties.additionalLocations[].publicIPAddresses any
-properties.additionalLocations[].outboundPublicIPAddresses any
-properties.createdAtUtc text
-properties.developerPortalUrl text
-properties.gatewayUrl text
-properties.gatewayRegionalUrl text
-properties.managementApiUrl text
-properties.portalUrl text
-properties.scmUrl text
-properties.platformVersion text
-properties.privateIPAddresses any
-properties.publicIPAddresses any
-properties.outboundPublicIPAddresses any
-properties.targetProvisioningState text
";

const REDIS: Fields = "
sku.name text
sku.capacity number
zones[] text
-kind text
properties.publicNetworkAccess Enabled|Disabled
properties.highAvailability Enabled|Disabled
properties.minimumTlsVersion 1.0|1.1|1.2
properties.encryption.customerManagedKeyEncryption.keyEncryptionKeyUrl text
properties.encryption.customerManagedKeyEncryption.keyEncryptionKeyIdentity.identityType systemAssignedIdentity|userAssignedIdentity
properties.encryption.customerManagedKeyEncryption.keyEncryptionKeyIdentity.userAssignedIdentityResourceId text
-properties.hostName text
-properties.redisVersion text
-properties.redundancyMode text
-properties.resourceState text
";

const REDIS_DATABASE: Fields = "
properties.clientProtocol Encrypted|Plaintext
properties.clusteringPolicy EnterpriseCluster|OSSCluster|NoCluster
properties.evictionPolicy AllKeysLFU|AllKeysLRU|AllKeysRandom|VolatileLRU|VolatileLFU|VolatileTTL|VolatileRandom|NoEviction
properties.port number
properties.accessKeysAuthentication Enabled|Disabled
properties.deferUpgrade Deferred|NotDeferred
properties.modules[].name text
properties.modules[].args text
-properties.modules[].version text
properties.persistence.aofEnabled switch
properties.persistence.aofFrequency 1s|always
properties.persistence.rdbEnabled switch
properties.persistence.rdbFrequency 1h|6h|12h
properties.geoReplication.groupNickname text
properties.geoReplication.linkedDatabases[].id text
-properties.geoReplication.linkedDatabases[].state text
-properties.redisVersion text
-properties.resourceState text
";

const MONITOR_ACCOUNT: Fields = "
properties.publicNetworkAccess Enabled|Disabled
properties.metrics.enableAccessUsingResourcePermissions switch
-properties.metrics.prometheusQueryEndpoint text
-properties.metrics.internalId text
-properties.accountId text
-properties.defaultIngestionSettings any
";

const PROMETHEUS_RULES: Fields = "
properties.description text
properties.clusterName text
properties.enabled switch
properties.interval text
properties.scopes[] text
properties.rules[].record text
properties.rules[].alert text
properties.rules[].enabled switch
properties.rules[].expression text
properties.rules[].severity number
properties.rules[].for text
properties.rules[].labels any
properties.rules[].annotations any
properties.rules[].actions[].actionGroupId text
properties.rules[].actions[].actionProperties any
properties.rules[].resolveConfiguration.autoResolved switch
properties.rules[].resolveConfiguration.timeToResolve text
";

const GRAFANA: Fields = "
sku.name text
sku.size X1|X2
properties.apiKey Enabled|Disabled
properties.autoGeneratedDomainNameLabelScope TenantReuse
properties.creatorCanAdmin Enabled|Disabled
properties.deterministicOutboundIP Enabled|Disabled
properties.enterpriseConfigurations.marketplaceAutoRenew Enabled|Disabled
properties.enterpriseConfigurations.marketplacePlanId text
properties.grafanaConfigurations.security.csrfAlwaysCheck switch
properties.grafanaConfigurations.smtp.enabled switch
properties.grafanaConfigurations.smtp.fromAddress text
properties.grafanaConfigurations.smtp.fromName text
properties.grafanaConfigurations.smtp.host text
properties.grafanaConfigurations.smtp.password text
properties.grafanaConfigurations.smtp.skipVerify switch
properties.grafanaConfigurations.smtp.startTLSPolicy OpportunisticStartTLS|MandatoryStartTLS|NoStartTLS
properties.grafanaConfigurations.smtp.user text
properties.grafanaConfigurations.snapshots.externalEnabled switch
properties.grafanaConfigurations.unifiedAlertingScreenshots.captureEnabled switch
properties.grafanaConfigurations.users.editorsCanAdmin switch
properties.grafanaConfigurations.users.viewersCanEdit switch
properties.grafanaIntegrations.azureMonitorWorkspaceIntegrations[].azureMonitorWorkspaceResourceId text
properties.grafanaMajorVersion text
properties.grafanaPlugins any
properties.publicNetworkAccess Enabled|Disabled
properties.zoneRedundancy Enabled|Disabled
-properties.endpoint text
-properties.grafanaVersion text
-properties.outboundIPs any
";

const COSMOS: Fields = "
kind GlobalDocumentDB|MongoDB|Parse
properties.databaseAccountOfferType Standard
properties.createMode Default|Restore
properties.locations[].locationName text
properties.locations[].failoverPriority number
properties.locations[].isZoneRedundant switch
-properties.locations[].id text
-properties.locations[].documentEndpoint text
-properties.locations[].provisioningState text
properties.consistencyPolicy.defaultConsistencyLevel Eventual|Session|BoundedStaleness|Strong|ConsistentPrefix
properties.consistencyPolicy.maxStalenessPrefix number
properties.consistencyPolicy.maxIntervalInSeconds number
properties.capabilities[].name text
properties.capacity.totalThroughputLimit number
properties.apiProperties.serverVersion text
properties.analyticalStorageConfiguration.schemaType WellDefined|FullFidelity
properties.backupPolicy.type Periodic|Continuous
properties.backupPolicy.periodicModeProperties.backupIntervalInMinutes number
properties.backupPolicy.periodicModeProperties.backupRetentionIntervalInHours number
properties.backupPolicy.periodicModeProperties.backupStorageRedundancy Geo|Local|Zone
properties.backupPolicy.continuousModeProperties.tier Continuous7Days|Continuous30Days
properties.backupPolicy.migrationState any
properties.connectorOffer Small
properties.cors[].allowedOrigins text
properties.cors[].allowedHeaders text
properties.cors[].allowedMethods text
properties.cors[].exposedHeaders text
properties.cors[].maxAgeInSeconds number
properties.customerManagedKeyStatus text
properties.defaultIdentity text
properties.defaultPriorityLevel High|Low
properties.disableKeyBasedMetadataWriteAccess switch
properties.disableLocalAuth switch
properties.enableAnalyticalStorage switch
properties.enableAutomaticFailover switch
properties.enableBurstCapacity switch
properties.enableCassandraConnector switch
properties.enableFreeTier switch
properties.enableMultipleWriteLocations switch
properties.enablePartitionMerge switch
properties.enablePerRegionPerPartitionAutoscale switch
properties.enablePriorityBasedExecution switch
properties.enforceHierarchicalPartitionKeyIdLastLevel switch
properties.ipRules[].ipAddressOrRange text
properties.isVirtualNetworkFilterEnabled switch
properties.virtualNetworkRules[].id text
properties.virtualNetworkRules[].ignoreMissingVNetServiceEndpoint switch
properties.keyVaultKeyUri text
properties.minimalTlsVersion Tls|Tls11|Tls12
properties.networkAclBypass None|AzureServices
properties.networkAclBypassResourceIds[] text
properties.publicNetworkAccess Enabled|Disabled|SecuredByPerimeter
properties.restoreParameters.restoreMode PointInTime
properties.restoreParameters.restoreSource text
properties.restoreParameters.restoreTimestampInUtc text
properties.restoreParameters.restoreWithTtlDisabled switch
properties.restoreParameters.sourceBackupLocation text
properties.restoreParameters.databasesToRestore any
properties.restoreParameters.gremlinDatabasesToRestore any
properties.restoreParameters.tablesToRestore any
-properties.documentEndpoint text
-properties.failoverPolicies any
-properties.instanceId text
-properties.keysMetadata any
-properties.readLocations any
-properties.writeLocations any
";

const COSMOS_DATABASE: Fields = "
properties.resource.id text
properties.resource.createMode Default|Restore
properties.resource.restoreParameters any
-properties.resource._rid text
-properties.resource._ts number
-properties.resource._etag text
-properties.resource._self text
-properties.resource._colls text
-properties.resource._users text
properties.options.throughput number
properties.options.autoscaleSettings.maxThroughput number
";

const COSMOS_CONTAINER: Fields = "
properties.resource.id text
properties.resource.createMode Default|Restore
properties.resource.restoreParameters any
properties.resource.defaultTtl number
properties.resource.analyticalStorageTtl number
properties.resource.partitionKey.paths[] text
properties.resource.partitionKey.kind Hash|Range|MultiHash
properties.resource.partitionKey.version number
-properties.resource.partitionKey.systemKey switch
properties.resource.indexingPolicy.automatic switch
properties.resource.indexingPolicy.indexingMode consistent|lazy|none
properties.resource.indexingPolicy.includedPaths[].path text
properties.resource.indexingPolicy.includedPaths[].indexes[].dataType String|Number|Point|Polygon|LineString|MultiPolygon
properties.resource.indexingPolicy.includedPaths[].indexes[].kind Hash|Range|Spatial
properties.resource.indexingPolicy.includedPaths[].indexes[].precision number
properties.resource.indexingPolicy.excludedPaths[].path text
properties.resource.indexingPolicy.compositeIndexes any
properties.resource.indexingPolicy.spatialIndexes any
properties.resource.indexingPolicy.vectorIndexes[].path text
properties.resource.indexingPolicy.vectorIndexes[].type flat|diskANN|quantizedFlat
properties.resource.indexingPolicy.vectorIndexes[].indexingSearchListSize number
properties.resource.indexingPolicy.vectorIndexes[].quantizationByteSize number
properties.resource.indexingPolicy.vectorIndexes[].vectorIndexShardKey any
properties.resource.indexingPolicy.fullTextIndexes[].path text
properties.resource.uniqueKeyPolicy.uniqueKeys[].paths[] text
properties.resource.conflictResolutionPolicy.mode LastWriterWins|Custom
properties.resource.conflictResolutionPolicy.conflictResolutionPath text
properties.resource.conflictResolutionPolicy.conflictResolutionProcedure text
properties.resource.clientEncryptionPolicy.policyFormatVersion number
properties.resource.clientEncryptionPolicy.includedPaths[].path text
properties.resource.clientEncryptionPolicy.includedPaths[].clientEncryptionKeyId text
properties.resource.clientEncryptionPolicy.includedPaths[].encryptionType text
properties.resource.clientEncryptionPolicy.includedPaths[].encryptionAlgorithm text
properties.resource.computedProperties[].name text
properties.resource.computedProperties[].query text
properties.resource.vectorEmbeddingPolicy.vectorEmbeddings[].path text
properties.resource.vectorEmbeddingPolicy.vectorEmbeddings[].dataType float32|uint8|int8|float16
properties.resource.vectorEmbeddingPolicy.vectorEmbeddings[].distanceFunction euclidean|cosine|dotproduct
properties.resource.vectorEmbeddingPolicy.vectorEmbeddings[].dimensions number
properties.resource.fullTextPolicy.defaultLanguage text
properties.resource.fullTextPolicy.fullTextPaths[].path text
properties.resource.fullTextPolicy.fullTextPaths[].language text
-properties.resource._rid text
-properties.resource._ts number
-properties.resource._etag text
properties.options.throughput number
properties.options.autoscaleSettings.maxThroughput number
";

const BUS: Fields = "
sku.name Basic|Standard|Premium
sku.tier Basic|Standard|Premium
sku.capacity number
properties.alternateName text
properties.disableLocalAuth switch
properties.encryption any
properties.geoDataReplication.maxReplicationLagDurationInSeconds number
properties.geoDataReplication.locations[].locationName text
properties.geoDataReplication.locations[].roleType Primary|Secondary
-properties.geoDataReplication.locations[].clusterArmId text
-properties.geoDataReplication.locations[].replicaState text
properties.ipAddressType IPv4|DualStack
properties.minimumTlsVersion 1.0|1.1|1.2|1.3
properties.platformCapabilities.confidentialCompute.mode Enabled|Disabled
properties.premiumMessagingPartitions number
properties.publicNetworkAccess Enabled|Disabled|SecuredByPerimeter
properties.zoneRedundant switch
-properties.createdAt text
-properties.updatedAt text
-properties.metricId text
-properties.serviceBusEndpoint text
-properties.status text
";

const HUBS: Fields = "
sku.name Basic|Standard|Premium
sku.tier Basic|Standard|Premium
sku.capacity number
properties.alternateName text
properties.clusterArmId text
properties.disableLocalAuth switch
properties.encryption any
properties.geoDataReplication.maxReplicationLagDurationInSeconds number
properties.geoDataReplication.locations[].locationName text
properties.geoDataReplication.locations[].roleType Primary|Secondary
-properties.geoDataReplication.locations[].clusterArmId text
-properties.geoDataReplication.locations[].replicaState text
properties.ipAddressType IPv4|DualStack
properties.isAutoInflateEnabled switch
properties.kafkaEnabled switch
properties.maximumThroughputUnits number
properties.minimumTlsVersion 1.0|1.1|1.2|1.3
properties.platformCapabilities.confidentialCompute.mode Enabled|Disabled
properties.publicNetworkAccess Enabled|Disabled|SecuredByPerimeter
properties.zoneRedundant switch
-properties.createdAt text
-properties.updatedAt text
-properties.metricId text
-properties.serviceBusEndpoint text
-properties.status text
";

const NETWORK_RULES: Fields = "
properties.defaultAction Allow|Deny
properties.publicNetworkAccess Enabled|Disabled|SecuredByPerimeter
properties.trustedServiceAccessEnabled switch
properties.ipRules[].ipMask text
properties.ipRules[].action Allow
properties.virtualNetworkRules[].subnet.id text
properties.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint switch
";

const QUEUE: Fields = "
properties.autoDeleteOnIdle text
properties.deadLetteringOnMessageExpiration switch
properties.defaultMessageTimeToLive text
properties.duplicateDetectionHistoryTimeWindow text
properties.enableBatchedOperations switch
properties.enableExpress switch
properties.enablePartitioning switch
properties.forwardDeadLetteredMessagesTo text
properties.forwardTo text
properties.lockDuration text
properties.maxDeliveryCount number
properties.maxMessageSizeInKilobytes number
properties.maxSizeInMegabytes number
properties.requiresDuplicateDetection switch
properties.requiresSession switch
properties.status Active|Disabled|Restoring|SendDisabled|ReceiveDisabled|Creating|Deleting|Renaming|Unknown
properties.userMetadata text
-properties.accessedAt text
-properties.countDetails any
-properties.createdAt text
-properties.messageCount number
-properties.sizeInBytes number
-properties.updatedAt text
";

const TOPIC: Fields = "
properties.autoDeleteOnIdle text
properties.defaultMessageTimeToLive text
properties.duplicateDetectionHistoryTimeWindow text
properties.enableBatchedOperations switch
properties.enableExpress switch
properties.enablePartitioning switch
properties.maxMessageSizeInKilobytes number
properties.maxSizeInMegabytes number
properties.requiresDuplicateDetection switch
properties.status Active|Disabled|Restoring|SendDisabled|ReceiveDisabled|Creating|Deleting|Renaming|Unknown
properties.supportOrdering switch
properties.userMetadata text
-properties.accessedAt text
-properties.countDetails any
-properties.createdAt text
-properties.sizeInBytes number
-properties.subscriptionCount number
-properties.updatedAt text
";

const SUBSCRIPTION: Fields = "
properties.autoDeleteOnIdle text
properties.clientAffineProperties.clientId text
properties.clientAffineProperties.isDurable switch
properties.clientAffineProperties.isShared switch
properties.deadLetteringOnFilterEvaluationExceptions switch
properties.deadLetteringOnMessageExpiration switch
properties.defaultMessageTimeToLive text
properties.duplicateDetectionHistoryTimeWindow text
properties.enableBatchedOperations switch
properties.forwardDeadLetteredMessagesTo text
properties.forwardTo text
properties.isClientAffine switch
properties.lockDuration text
properties.maxDeliveryCount number
properties.requiresSession switch
properties.status Active|Disabled|Restoring|SendDisabled|ReceiveDisabled|Creating|Deleting|Renaming|Unknown
properties.userMetadata text
-properties.accessedAt text
-properties.countDetails any
-properties.createdAt text
-properties.messageCount number
-properties.updatedAt text
";

const HUB: Fields = "
properties.captureDescription.enabled switch
properties.captureDescription.encoding Avro|AvroDeflate
properties.captureDescription.intervalInSeconds number
properties.captureDescription.sizeLimitInBytes number
properties.captureDescription.skipEmptyArchives switch
properties.captureDescription.destination.name text
properties.captureDescription.destination.identity.type SystemAssigned|UserAssigned
properties.captureDescription.destination.identity.userAssignedIdentity text
properties.captureDescription.destination.properties.archiveNameFormat text
properties.captureDescription.destination.properties.blobContainer text
properties.captureDescription.destination.properties.storageAccountResourceId text
properties.captureDescription.destination.properties.dataLakeAccountName text
properties.captureDescription.destination.properties.dataLakeFolderPath text
properties.captureDescription.destination.properties.dataLakeSubscriptionId text
properties.messageRetentionInDays number
properties.messageTimestampDescription.timestampType Create|LogAppend
properties.partitionCount number
properties.retentionDescription.cleanupPolicy Delete|Compact|DeleteOrCompact
properties.retentionDescription.retentionTimeInHours number
properties.retentionDescription.tombstoneRetentionTimeInHours number
properties.retentionDescription.minCompactionLagTimeInMinutes number
properties.status Active|Disabled|Restoring|SendDisabled|ReceiveDisabled|Creating|Deleting|Renaming|Unknown
properties.userMetadata text
-properties.createdAt text
-properties.partitionIds any
-properties.updatedAt text
";

const GROUP: Fields = "
properties.userMetadata text
-properties.createdAt text
-properties.updatedAt text
";

/// Refuses a body with a field that its type does not have, or with a value that a field cannot hold.
pub(crate) fn check(call: &Call<'_>) -> Result<(), Failure> {
    let Some(known) = TYPES.iter().find(|known| known.kind == call.kind) else { return Ok(()) };
    match wrong(known, &call.body) {
        Some(message) => Err(Failure::bad(known.code, message)),
        None => Ok(()),
    }
}

/// What is wrong with the body of a type (in any case), if the fields of that type are known.
pub(crate) fn wrong_body(arm_type: &str, body: &Object) -> Option<Result<(), String>> {
    let known = TYPES.iter().find(|known| known.kind.eq_ignore_ascii_case(arm_type))?;
    Some(wrong(known, body).map_or(Ok(()), Err))
}

fn wrong(known: &Type, body: &Object) -> Option<String> {
    body.iter().find_map(|(name, value)| wrong_at(known, name.clone(), value))
}

/// What a field holds, by its path.
fn holds(known: &Type, path: &str) -> Option<&'static str> {
    let lines = AROUND.lines().chain(known.fields.lines());
    let mut fields = lines.filter_map(|line| line.trim_start_matches('-').split_once(' '));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(path)).map(|(_, holds)| holds)
}

/// Whether fields stand below a path.
fn is_above(known: &Type, path: &str) -> bool {
    let mut lines = AROUND.lines().chain(known.fields.lines()).map(|line| line.trim_start_matches('-'));
    lines.any(|line| {
        line.get(..path.len()).is_some_and(|start| start.eq_ignore_ascii_case(path))
            && line[path.len()..].starts_with(['.', '['])
    })
}

fn wrong_at(known: &Type, path: String, value: &Value) -> Option<String> {
    match holds(known, &path) {
        Some("any") => return None,
        Some(holds) => return wrong_value(&path, holds, value),
        None if !is_above(known, &path) => {
            return Some(format!("Could not find member '{path}' on object of type '{}'.", known.kind));
        }
        None => {}
    }
    match value {
        Value::Object(members) => {
            members.iter().find_map(|(name, value)| wrong_at(known, format!("{path}.{name}"), value))
        }
        Value::Array(items) => items.iter().find_map(|item| wrong_at(known, format!("{path}[]"), item)),
        Value::Null => None,
        other => Some(format!("Error converting value {other} at '{path}'.")),
    }
}

fn wrong_value(path: &str, holds: &str, value: &Value) -> Option<String> {
    let good = match (holds, value) {
        (_, Value::Null) => true,
        ("text", value) => value.is_string(),
        ("number", value) => value.is_number(),
        ("switch", value) => value.is_boolean(),
        (words, Value::String(word)) => words.split('|').any(|known| known.eq_ignore_ascii_case(word)),
        _ => false,
    };
    (!good).then(|| format!("Error converting value {value} at '{path}': it holds {holds}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json::object;
    use crate::testing::Bench;
    use serde_json::json;

    #[test]
    fn the_tables_are_well_formed() {
        for known in TYPES {
            let mut seen = std::collections::BTreeSet::new();
            for line in AROUND.lines().chain(known.fields.lines()).filter(|line| !line.is_empty()) {
                let (path, holds) = line.trim_start_matches('-').split_once(' ').unwrap();
                assert!(seen.insert(path), "{} has {path} twice", known.kind);
                let plain = matches!(holds, "text" | "number" | "switch" | "any");
                assert!(plain || !holds.contains(' '), "{path} {holds}");
            }
        }
    }

    #[test]
    fn unknown_fields_and_words_are_refused() {
        let told = |arm_type: &str, body: Value| wrong_body(arm_type, &object(body)).unwrap();
        let service = "Microsoft.ApiManagement/service";
        let good = json!({
            "location": "westeurope", "tags": { "a": "b" }, "sku": { "name": "standardV2", "capacity": 1 },
            "properties": { "publisherEmail": "a@b.c", "hostnameConfigurations": [{ "type": "Proxy", "defaultSslBinding": true }] },
        });
        assert_eq!(told(service, good), Ok(()));
        for (body, said) in [
            (json!({ "properties": { "publicAccess": true } }), "'properties.publicAccess'"),
            (json!({ "propertis": {} }), "'propertis'"),
            (json!({ "sku": { "name": "Huge" } }), "\"Huge\""),
            (json!({ "properties": { "disableGateway": "true" } }), "holds switch"),
            (
                json!({ "properties": { "hostnameConfigurations": [{ "host": "a" }] } }),
                "hostnameConfigurations[].host'",
            ),
            (json!({ "properties": 7 }), "at 'properties'"),
        ] {
            let message = told(service, body.clone()).unwrap_err();
            assert!(message.contains(said), "{body}: {message}");
        }
        assert_eq!(wrong_body("Microsoft.Other/things", &Object::new()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_with_another_field_changes_nothing() {
        let bench = Bench::new().await;
        bench.post("/providers/Microsoft.ServiceBus/register").await;
        bench.get("/providers/Microsoft.ServiceBus").await;
        let id = Bench::rid("Microsoft.ServiceBus/namespaces/sb-shape-1");
        let body = json!({ "location": "westeurope", "sku": { "name": "Premium" }, "properties": { "zoneRedundand": true } });
        let seen = bench.put(&id, body).await;
        assert_eq!((seen.status, seen.code()), (400, "BadRequest"));
        assert_eq!(bench.get(&id).await.status, 404);
    }
}
