//! The types that private endpoints can connect to, with their groups and zones in the public cloud.

use super::{Group, Target};

const fn target(arm_type: &'static str, api_version: &'static str, groups: &'static [Group]) -> Target {
    Target { arm_type, api_version, groups }
}

const fn group(name: &'static str, zones: &'static [&'static str]) -> Group {
    Group { name, zones }
}

const EVENT_GRID: &[&str] = &["privatelink.eventgrid.azure.net"];
const SERVICE_BUS: &[Group] = &[group("namespace", &["privatelink.servicebus.windows.net"])];
const POSTGRES: &[Group] = &[group("postgresqlServer", &["privatelink.postgres.database.azure.com"])];
const MYSQL: &[Group] = &[group("mysqlServer", &["privatelink.mysql.database.azure.com"])];
const WEB: &[Group] = &[group("sites", &["privatelink.azurewebsites.net"])];

/// Every target that is known.
pub const TARGETS: &[Target] = &[
    target(
        "Microsoft.KeyVault/vaults",
        "2026-02-01",
        &[group("vault", &["privatelink.vaultcore.azure.net"])],
    ),
    target(
        "Microsoft.KeyVault/managedHSMs",
        "2026-02-01",
        &[group("managedhsm", &["privatelink.managedhsm.azure.net"])],
    ),
    target(
        "Microsoft.Storage/storageAccounts",
        "2025-08-01",
        &[
            group("blob", &["privatelink.blob.core.windows.net"]),
            group("file", &["privatelink.file.core.windows.net"]),
            group("queue", &["privatelink.queue.core.windows.net"]),
            group("table", &["privatelink.table.core.windows.net"]),
            group("web", &["privatelink.web.core.windows.net"]),
            group("dfs", &["privatelink.dfs.core.windows.net"]),
            group("blob_secondary", &["privatelink.blob.core.windows.net"]),
            group("file_secondary", &["privatelink.file.core.windows.net"]),
            group("queue_secondary", &["privatelink.queue.core.windows.net"]),
            group("table_secondary", &["privatelink.table.core.windows.net"]),
            group("web_secondary", &["privatelink.web.core.windows.net"]),
            group("dfs_secondary", &["privatelink.dfs.core.windows.net"]),
        ],
    ),
    target(
        "Microsoft.ContainerRegistry/registries",
        "2025-11-01",
        &[group("registry", &["privatelink.azurecr.io"])],
    ),
    target(
        "Microsoft.ContainerService/managedClusters",
        "2026-02-01",
        &[group("management", &["privatelink.{region}.azmk8s.io"])],
    ),
    target(
        "Microsoft.Sql/servers",
        "2025-01-01",
        &[group("sqlServer", &["privatelink.database.windows.net"])],
    ),
    target(
        "Microsoft.Sql/managedInstances",
        "2025-01-01",
        &[group("managedInstance", &["privatelink.{dnsPrefix}.database.windows.net"])],
    ),
    target("Microsoft.Web/sites", "2024-11-01", WEB),
    target("Microsoft.Web/sites/slots", "2024-11-01", WEB),
    target(
        "Microsoft.Web/staticSites",
        "2024-11-01",
        &[group("staticSites", &["privatelink.{partition}.azurestaticapps.net"])],
    ),
    target("Microsoft.DBforPostgreSQL/flexibleServers", "2025-08-01", POSTGRES),
    target("Microsoft.DBforPostgreSQL/servers", "2018-06-01", POSTGRES),
    target("Microsoft.DBforMySQL/flexibleServers", "2024-12-30", MYSQL),
    target("Microsoft.DBforMySQL/servers", "2018-06-01", MYSQL),
    target(
        "Microsoft.DBforMariaDB/servers",
        "2018-06-01",
        &[group("mariadbServer", &["privatelink.mariadb.database.azure.com"])],
    ),
    target(
        "Microsoft.DocumentDB/databaseAccounts",
        "2026-03-15",
        &[
            group("Sql", &["privatelink.documents.azure.com"]),
            group("MongoDB", &["privatelink.mongo.cosmos.azure.com"]),
            group("Cassandra", &["privatelink.cassandra.cosmos.azure.com"]),
            group("Gremlin", &["privatelink.gremlin.cosmos.azure.com"]),
            group("Table", &["privatelink.table.cosmos.azure.com"]),
        ],
    ),
    target(
        "Microsoft.DocumentDB/mongoClusters",
        "2026-06-01",
        &[group("MongoCluster", &["privatelink.mongocluster.cosmos.azure.com"])],
    ),
    target(
        "Microsoft.Cache/redis",
        "2024-11-01",
        &[group("redisCache", &["privatelink.redis.cache.windows.net"])],
    ),
    target(
        "Microsoft.Cache/redisEnterprise",
        "2025-07-01",
        &[group("redisEnterprise", &["privatelink.redis.azure.net"])],
    ),
    target("Microsoft.ServiceBus/namespaces", "2026-01-01", SERVICE_BUS),
    target("Microsoft.EventHub/namespaces", "2026-01-01", SERVICE_BUS),
    target("Microsoft.Relay/namespaces", "2026-01-01", SERVICE_BUS),
    target("Microsoft.EventGrid/topics", "2025-02-15", &[group("topic", EVENT_GRID)]),
    target("Microsoft.EventGrid/domains", "2025-02-15", &[group("domain", EVENT_GRID)]),
    target("Microsoft.EventGrid/partnerNamespaces", "2025-02-15", &[group("partnernamespace", EVENT_GRID)]),
    target(
        "Microsoft.EventGrid/namespaces",
        "2025-02-15",
        &[group("topic", EVENT_GRID), group("topicSpace", &["privatelink.ts.eventgrid.azure.net"])],
    ),
    target(
        "Microsoft.AppConfiguration/configurationStores",
        "2024-06-01",
        &[group("configurationStores", &["privatelink.azconfig.io"])],
    ),
    target(
        "Microsoft.CognitiveServices/accounts",
        "2026-05-01",
        &[group(
            "account",
            &[
                "privatelink.cognitiveservices.azure.com",
                "privatelink.openai.azure.com",
                "privatelink.services.ai.azure.com",
            ],
        )],
    ),
    target(
        "Microsoft.Search/searchServices",
        "2025-05-01",
        &[group("searchService", &["privatelink.search.windows.net"])],
    ),
    target(
        "Microsoft.Insights/privateLinkScopes",
        "2021-09-01",
        &[group(
            "azuremonitor",
            &[
                "privatelink.monitor.azure.com",
                "privatelink.oms.opinsights.azure.com",
                "privatelink.ods.opinsights.azure.com",
                "privatelink.agentsvc.azure-automation.net",
                "privatelink.blob.core.windows.net",
            ],
        )],
    ),
    target(
        "Microsoft.Dashboard/grafana",
        "2025-08-01",
        &[group("grafana", &["privatelink.grafana.azure.com"])],
    ),
    target(
        "Microsoft.SignalRService/signalR",
        "2024-03-01",
        &[group("signalr", &["privatelink.service.signalr.net"])],
    ),
    target(
        "Microsoft.SignalRService/webPubSub",
        "2024-03-01",
        &[group("webpubsub", &["privatelink.webpubsub.azure.com"])],
    ),
    target(
        "Microsoft.MachineLearningServices/workspaces",
        "2026-05-01",
        &[group("amlworkspace", &["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"])],
    ),
    target(
        "Microsoft.Databricks/workspaces",
        "2026-01-01",
        &[
            group("databricks_ui_api", &["privatelink.azuredatabricks.net"]),
            group("browser_authentication", &["privatelink.azuredatabricks.net"]),
        ],
    ),
    target(
        "Microsoft.DataFactory/factories",
        "2018-06-01",
        &[
            group("dataFactory", &["privatelink.datafactory.azure.net"]),
            group("portal", &["privatelink.adf.azure.com"]),
        ],
    ),
    target(
        "Microsoft.Synapse/workspaces",
        "2021-06-01",
        &[
            group("Sql", &["privatelink.sql.azuresynapse.net"]),
            group("SqlOnDemand", &["privatelink.sql.azuresynapse.net"]),
            group("Dev", &["privatelink.dev.azuresynapse.net"]),
        ],
    ),
    target(
        "Microsoft.Synapse/privateLinkHubs",
        "2021-06-01",
        &[group("Web", &["privatelink.azuresynapse.net"])],
    ),
    target(
        "Microsoft.App/managedEnvironments",
        "2026-01-01",
        &[group("managedEnvironments", &["privatelink.{region}.azurecontainerapps.io"])],
    ),
    target(
        "Microsoft.ApiManagement/service",
        "2024-05-01",
        &[group("Gateway", &["privatelink.azure-api.net"])],
    ),
    target(
        "Microsoft.Batch/batchAccounts",
        "2025-06-01",
        &[
            group("batchAccount", &["privatelink.batch.azure.com"]),
            group("nodeManagement", &["privatelink.batch.azure.com"]),
        ],
    ),
    target(
        "Microsoft.RecoveryServices/vaults",
        "2026-05-01",
        &[
            group("AzureBackup", &["privatelink.{regionCode}.backup.windowsazure.com"]),
            group("AzureSiteRecovery", &["privatelink.siterecovery.windowsazure.com"]),
        ],
    ),
    target(
        "Microsoft.Automation/automationAccounts",
        "2024-10-23",
        &[
            group("Webhook", &["privatelink.azure-automation.net"]),
            group("DSCAndHybridWorker", &["privatelink.azure-automation.net"]),
        ],
    ),
    target(
        "Microsoft.Devices/iotHubs",
        "2023-06-30",
        &[group("iotHub", &["privatelink.azure-devices.net", "privatelink.servicebus.windows.net"])],
    ),
    target(
        "Microsoft.Devices/provisioningServices",
        "2022-12-12",
        &[group("iotDps", &["privatelink.azure-devices-provisioning.net"])],
    ),
    target(
        "Microsoft.Kusto/clusters",
        "2025-02-14",
        &[group(
            "cluster",
            &[
                "privatelink.{region}.kusto.windows.net",
                "privatelink.blob.core.windows.net",
                "privatelink.queue.core.windows.net",
                "privatelink.table.core.windows.net",
            ],
        )],
    ),
    target(
        "Microsoft.HDInsight/clusters",
        "2021-06-01",
        &[
            group("gateway", &["privatelink.azurehdinsight.net"]),
            group("headnode", &["privatelink.azurehdinsight.net"]),
        ],
    ),
    target(
        "Microsoft.Compute/diskAccesses",
        "2026-03-02",
        &[group("disks", &["privatelink.blob.core.windows.net"])],
    ),
    target(
        "Microsoft.HealthcareApis/workspaces",
        "2024-03-31",
        &[group(
            "healthcareworkspace",
            &[
                "privatelink.workspace.azurehealthcareapis.com",
                "privatelink.fhir.azurehealthcareapis.com",
                "privatelink.dicom.azurehealthcareapis.com",
            ],
        )],
    ),
    target(
        "Microsoft.DigitalTwins/digitalTwinsInstances",
        "2023-01-31",
        &[group("API", &["privatelink.digitaltwins.azure.net"])],
    ),
    target(
        "Microsoft.Purview/accounts",
        "2021-12-01",
        &[
            group("account", &["privatelink.purview.azure.com"]),
            group("portal", &["privatelink.purviewstudio.azure.com"]),
        ],
    ),
    target(
        "Microsoft.HybridCompute/privateLinkScopes",
        "2026-07-15",
        &[group(
            "hybridcompute",
            &[
                "privatelink.his.arc.azure.com",
                "privatelink.guestconfiguration.azure.com",
                "privatelink.dp.kubernetesconfiguration.azure.com",
            ],
        )],
    ),
    target(
        "Microsoft.StorageSync/storageSyncServices",
        "2022-09-01",
        &[group("afs", &["privatelink.afs.azure.net"])],
    ),
    target("Microsoft.Network/privateLinkServices", "2025-05-01", &[]),
];

/// Further types that have connections, of which berth knows neither groups nor zones, and the API versions of those.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("microsoft.aadiam/privateLinkForAzureAd", "2020-03-01"),
    ("Microsoft.AgFoodPlatform/farmBeats", "2023-06-01-preview"),
    ("Microsoft.Attestation/attestationProviders", "2021-06-01"),
    ("Microsoft.BotService/botServices", "2022-09-15"),
    ("Microsoft.DataReplication/replicationVaults", "2026-05-01"),
    ("Microsoft.DBforPostgreSQL/serverGroupsv2", "2022-11-08"),
    ("Microsoft.DesktopVirtualization/hostPools", "2025-10-10"),
    ("Microsoft.DesktopVirtualization/workspaces", "2025-10-10"),
    ("Microsoft.DeviceUpdate/accounts", "2023-07-01"),
    ("Microsoft.Discovery/bookshelves", "2026-06-01"),
    ("Microsoft.Discovery/workspaces", "2026-06-01"),
    ("Microsoft.DurableTask/schedulers", "2026-02-01"),
    ("Microsoft.ElasticSan/elasticSans", "2025-09-01"),
    ("Microsoft.FileShares/fileShares", "2026-06-01"),
    ("Microsoft.FluidRelay/fluidRelayServers", "2025-06-20-preview"),
    ("Microsoft.HardwareSecurityModules/cloudHsmClusters", "2025-03-31"),
    ("Microsoft.HardwareSecurityModules/paymentHsmClusters", "2025-12-01-preview"),
    ("Microsoft.HealthcareApis/services", "2024-03-31"),
    ("Microsoft.HealthDataAIServices/deidServices", "2024-09-20"),
    ("Microsoft.HorizonDb/clusters", "2026-05-01-preview"),
    ("Microsoft.IoTCentral/iotApps", "2021-11-01-preview"),
    ("Microsoft.KubernetesConfiguration/privateLinkScopes", "2024-11-01-preview"),
    ("Microsoft.M365SecurityAndCompliance/privateLinkServicesForEDMUpload", "2021-03-25-preview"),
    ("Microsoft.M365SecurityAndCompliance/privateLinkServicesForM365ComplianceCenter", "2021-03-25-preview"),
    ("Microsoft.M365SecurityAndCompliance/privateLinkServicesForM365SecurityCenter", "2021-03-25-preview"),
    ("Microsoft.M365SecurityAndCompliance/privateLinkServicesForMIPPolicySync", "2021-03-25-preview"),
    (
        "Microsoft.M365SecurityAndCompliance/privateLinkServicesForO365ManagementActivityAPI",
        "2021-03-25-preview",
    ),
    ("Microsoft.M365SecurityAndCompliance/privateLinkServicesForSCCPowershell", "2021-03-25-preview"),
    ("Microsoft.Maps/accounts", "2025-10-01-preview"),
    ("Microsoft.Migrate/assessmentProjects", "2024-01-15"),
    ("Microsoft.Migrate/migrateProjects", "2023-01-01"),
    ("Microsoft.Network/applicationGateways", "2025-09-01"),
    ("Microsoft.NotificationHubs/namespaces", "2023-09-01"),
    ("Microsoft.OffAzure/masterSites", "2023-06-06"),
    ("Microsoft.OnlineExperimentation/workspaces", "2025-08-01-preview"),
    ("Microsoft.PowerBI/privateLinkServicesForPowerBI", "2020-06-01"),
    ("Microsoft.PowerPlatform/enterprisePolicies", "2020-10-30-preview"),
    ("Microsoft.Security/privateLinks", "2026-01-01"),
    ("Microsoft.SecurityAndCompliance/privateLinkServicesForEDMUpload", "2021-03-08"),
    ("Microsoft.SecurityAndCompliance/privateLinkServicesForM365ComplianceCenter", "2021-03-08"),
    ("Microsoft.SecurityAndCompliance/privateLinkServicesForM365SecurityCenter", "2021-03-08"),
    ("Microsoft.SecurityAndCompliance/privateLinkServicesForMIPPolicySync", "2021-03-08"),
    ("Microsoft.SecurityAndCompliance/privateLinkServicesForO365ManagementActivityAPI", "2021-03-08"),
    ("Microsoft.SecurityAndCompliance/privateLinkServicesForSCCPowershell", "2021-03-08"),
    ("Microsoft.TimeSeriesInsights/environments", "2021-03-31-preview"),
    ("Microsoft.VideoIndexer/accounts", "2025-04-01"),
    ("Microsoft.Web/hostingEnvironments", "2025-03-01"),
];
