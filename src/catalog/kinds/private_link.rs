//! Which Azure resources can be reached through a private endpoint: their groups and DNS zones
//! (<https://learn.microsoft.com/azure/private-link/private-endpoint-dns>).
//!
//! A private endpoint connects to one *group* of its target (`vault`, `blob`). The names of that group are answered
//! privately by one or more zones. The table has their names in the public cloud; [`zones_in`] says what they are called in
//! the region of an endpoint. Of a `{…}` in a zone's name, `{region}` and `{regionCode}` can be told offline; any other
//! depends on the resource.

use crate::ident::{ArmId, RegionCloud, normalize_location};

/// An ARM type that private endpoints can connect to.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The full ARM type.
    pub arm_type: &'static str,
    /// The API version in which its endpoint connections are read, approved and removed.
    pub api_version: &'static str,
    /// What can be connected to, the most usual first. Empty when an endpoint names no group.
    pub groups: &'static [Group],
}

/// Something of a target that an endpoint connects to.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The group's id, as Azure writes it.
    pub name: &'static str,
    /// The private DNS zones that answer for it; none when the names are the owner's own.
    pub zones: &'static [&'static str],
}

impl Target {
    /// The target of an ARM type, in any case.
    pub fn of(arm_type: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.arm_type.eq_ignore_ascii_case(arm_type))
    }

    /// A group by its name, in any case. A slot of a web app is a group of its own, `sites-{slot}`.
    pub fn group(&self, name: &str) -> Option<&'static Group> {
        let same = |group: &&'static Group| {
            let slot = group.name == "sites" && name.to_ascii_lowercase().starts_with("sites-");
            slot || group.name.eq_ignore_ascii_case(name)
        };
        self.groups.iter().find(same)
    }
}

impl Group {
    /// The group of this name, when every target that has one of this name gives it the same zones.
    pub fn unambiguous(name: &str) -> Option<&'static Group> {
        let mut all = TARGETS.iter().filter_map(|target| target.group(name));
        let first = all.next()?;
        all.all(|group| group.zones == first.zones).then_some(first)
    }
}

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

/// What zones of the public cloud are called in that of the US government and in that of China; `-` where that cloud does
/// not have what they answer for, `?` where no source says. A zone that is not here is not known there.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "privatelink.vaultcore.azure.net",
        "privatelink.vaultcore.usgovcloudapi.net",
        "privatelink.vaultcore.azure.cn",
    ),
    (
        "privatelink.blob.core.windows.net",
        "privatelink.blob.core.usgovcloudapi.net",
        "privatelink.blob.core.chinacloudapi.cn",
    ),
    (
        "privatelink.file.core.windows.net",
        "privatelink.file.core.usgovcloudapi.net",
        "privatelink.file.core.chinacloudapi.cn",
    ),
    (
        "privatelink.queue.core.windows.net",
        "privatelink.queue.core.usgovcloudapi.net",
        "privatelink.queue.core.chinacloudapi.cn",
    ),
    (
        "privatelink.table.core.windows.net",
        "privatelink.table.core.usgovcloudapi.net",
        "privatelink.table.core.chinacloudapi.cn",
    ),
    (
        "privatelink.web.core.windows.net",
        "privatelink.web.core.usgovcloudapi.net",
        "privatelink.web.core.chinacloudapi.cn",
    ),
    (
        "privatelink.dfs.core.windows.net",
        "privatelink.dfs.core.usgovcloudapi.net",
        "privatelink.dfs.core.chinacloudapi.cn",
    ),
    ("privatelink.azurecr.io", "privatelink.azurecr.us", "privatelink.azurecr.cn"),
    (
        "privatelink.{region}.azmk8s.io",
        "privatelink.{region}.cx.aks.containerservice.azure.us",
        "privatelink.{region}.cx.prod.service.azk8s.cn",
    ),
    (
        "privatelink.database.windows.net",
        "privatelink.database.usgovcloudapi.net",
        "privatelink.database.chinacloudapi.cn",
    ),
    (
        "privatelink.{dnsPrefix}.database.windows.net",
        "privatelink.{dnsPrefix}.database.usgovcloudapi.net",
        "privatelink.{dnsPrefix}.database.chinacloudapi.cn",
    ),
    ("privatelink.azurewebsites.net", "privatelink.azurewebsites.us", "privatelink.chinacloudsites.cn"),
    (
        "privatelink.postgres.database.azure.com",
        "privatelink.postgres.database.usgovcloudapi.net",
        "privatelink.postgres.database.chinacloudapi.cn",
    ),
    (
        "privatelink.mysql.database.azure.com",
        "privatelink.mysql.database.usgovcloudapi.net",
        "privatelink.mysql.database.chinacloudapi.cn",
    ),
    (
        "privatelink.mariadb.database.azure.com",
        "privatelink.mariadb.database.usgovcloudapi.net",
        "privatelink.mariadb.database.chinacloudapi.cn",
    ),
    ("privatelink.documents.azure.com", "privatelink.documents.azure.us", "privatelink.documents.azure.cn"),
    (
        "privatelink.mongo.cosmos.azure.com",
        "privatelink.mongo.cosmos.azure.us",
        "privatelink.mongo.cosmos.azure.cn",
    ),
    (
        "privatelink.cassandra.cosmos.azure.com",
        "privatelink.cassandra.cosmos.azure.us",
        "privatelink.cassandra.cosmos.azure.cn",
    ),
    (
        "privatelink.gremlin.cosmos.azure.com",
        "privatelink.gremlin.cosmos.azure.us",
        "privatelink.gremlin.cosmos.azure.cn",
    ),
    (
        "privatelink.table.cosmos.azure.com",
        "privatelink.table.cosmos.azure.us",
        "privatelink.table.cosmos.azure.cn",
    ),
    (
        "privatelink.redis.cache.windows.net",
        "privatelink.redis.cache.usgovcloudapi.net",
        "privatelink.redis.cache.chinacloudapi.cn",
    ),
    (
        "privatelink.servicebus.windows.net",
        "privatelink.servicebus.usgovcloudapi.net",
        "privatelink.servicebus.chinacloudapi.cn",
    ),
    ("privatelink.eventgrid.azure.net", "privatelink.eventgrid.azure.us", "privatelink.eventgrid.azure.cn"),
    ("privatelink.azconfig.io", "privatelink.azconfig.azure.us", "?"),
    (
        "privatelink.cognitiveservices.azure.com",
        "privatelink.cognitiveservices.azure.us",
        "privatelink.cognitiveservices.azure.cn",
    ),
    ("privatelink.openai.azure.com", "privatelink.openai.azure.us", "-"),
    ("privatelink.services.ai.azure.com", "-", "-"),
    ("privatelink.search.windows.net", "privatelink.search.azure.us", "?"),
    ("privatelink.monitor.azure.com", "privatelink.monitor.azure.us", "?"),
    ("privatelink.oms.opinsights.azure.com", "privatelink.oms.opinsights.azure.us", "?"),
    ("privatelink.ods.opinsights.azure.com", "privatelink.ods.opinsights.azure.us", "?"),
    ("privatelink.agentsvc.azure-automation.net", "privatelink.agentsvc.azure-automation.us", "?"),
    ("privatelink.service.signalr.net", "privatelink.signalr.azure.us", "privatelink.signalr.azure.cn"),
    ("privatelink.api.azureml.ms", "privatelink.api.ml.azure.us", "privatelink.api.ml.azure.cn"),
    (
        "privatelink.notebooks.azure.net",
        "privatelink.notebooks.usgovcloudapi.net",
        "privatelink.notebooks.chinacloudapi.cn",
    ),
    ("privatelink.azuredatabricks.net", "privatelink.databricks.azure.us", "privatelink.databricks.azure.cn"),
    (
        "privatelink.datafactory.azure.net",
        "privatelink.datafactory.azure.us",
        "privatelink.datafactory.azure.cn",
    ),
    ("privatelink.adf.azure.com", "privatelink.adf.azure.us", "privatelink.adf.azure.cn"),
    (
        "privatelink.sql.azuresynapse.net",
        "privatelink.sql.azuresynapse.usgovcloudapi.net",
        "privatelink.sql.azuresynapse.azure.cn",
    ),
    (
        "privatelink.dev.azuresynapse.net",
        "privatelink.dev.azuresynapse.usgovcloudapi.net",
        "privatelink.dev.azuresynapse.azure.cn",
    ),
    (
        "privatelink.azuresynapse.net",
        "privatelink.azuresynapse.usgovcloudapi.net",
        "privatelink.azuresynapse.azure.cn",
    ),
    (
        "privatelink.batch.azure.com",
        "privatelink.batch.usgovcloudapi.net",
        "privatelink.batch.chinacloudapi.cn",
    ),
    (
        "privatelink.{regionCode}.backup.windowsazure.com",
        "privatelink.{regionCode}.backup.windowsazure.us",
        "privatelink.{regionCode}.backup.windowsazure.cn",
    ),
    ("privatelink.siterecovery.windowsazure.com", "privatelink.siterecovery.windowsazure.us", "?"),
    (
        "privatelink.azure-automation.net",
        "privatelink.azure-automation.us",
        "privatelink.azure-automation.cn",
    ),
    ("privatelink.azure-devices.net", "privatelink.azure-devices.us", "privatelink.azure-devices.cn"),
    (
        "privatelink.azure-devices-provisioning.net",
        "privatelink.azure-devices-provisioning.us",
        "privatelink.azure-devices-provisioning.cn",
    ),
    (
        "privatelink.{region}.kusto.windows.net",
        "privatelink.{region}.kusto.usgovcloudapi.net",
        "privatelink.{region}.kusto.windows.cn",
    ),
    ("privatelink.azurehdinsight.net", "privatelink.azurehdinsight.us", "privatelink.azurehdinsight.cn"),
    ("privatelink.purview.azure.com", "privatelink.purview.azure.us", "-"),
    ("privatelink.purviewstudio.azure.com", "privatelink.purviewstudio.azure.us", "-"),
    ("privatelink.afs.azure.net", "privatelink.afs.azure.us", "privatelink.afs.azure.cn"),
];

/// The short names of regions in the zones of backup vaults.
const REGION_CODES: &[(&str, &str)] = &[
    ("australiacentral", "acl"),
    ("australiacentral2", "acl2"),
    ("australiaeast", "ae"),
    ("australiasoutheast", "ase"),
    ("brazilsouth", "brs"),
    ("brazilsoutheast", "bse"),
    ("canadacentral", "cnc"),
    ("canadaeast", "cne"),
    ("centralindia", "inc"),
    ("centralus", "cus"),
    ("chinaeast", "sha"),
    ("chinaeast2", "sha2"),
    ("chinaeast3", "sha3"),
    ("chinanorth", "bjb"),
    ("chinanorth2", "bjb2"),
    ("chinanorth3", "bjb3"),
    ("eastasia", "ea"),
    ("eastus", "eus"),
    ("eastus2", "eus2"),
    ("francecentral", "frc"),
    ("francesouth", "frs"),
    ("germanynorth", "gn"),
    ("germanywestcentral", "gwc"),
    ("israelcentral", "ilc"),
    ("italynorth", "itn"),
    ("japaneast", "jpe"),
    ("japanwest", "jpw"),
    ("jioindiacentral", "jic"),
    ("jioindiawest", "jiw"),
    ("koreacentral", "krc"),
    ("koreasouth", "krs"),
    ("northcentralus", "ncus"),
    ("northeurope", "ne"),
    ("norwayeast", "nwe"),
    ("norwaywest", "nww"),
    ("polandcentral", "plc"),
    ("qatarcentral", "qac"),
    ("southafricanorth", "san"),
    ("southafricawest", "saw"),
    ("southcentralus", "scus"),
    ("southeastasia", "sea"),
    ("southindia", "ins"),
    ("spaincentral", "spc"),
    ("swedencentral", "sdc"),
    ("swedensouth", "sds"),
    ("switzerlandnorth", "szn"),
    ("switzerlandwest", "szw"),
    ("uaecentral", "uac"),
    ("uaenorth", "uan"),
    ("uksouth", "uks"),
    ("ukwest", "ukw"),
    ("usdodcentral", "udc"),
    ("usdodeast", "ude"),
    ("usgovarizona", "uga"),
    ("usgovtexas", "ugt"),
    ("usgovvirginia", "ugv"),
    ("westcentralus", "wcus"),
    ("westeurope", "we"),
    ("westindia", "inw"),
    ("westus", "wus"),
    ("westus2", "wus2"),
    ("westus3", "wus3"),
];

/// What zones of the table are called in a region and its cloud. `None` when the name of one cannot be told.
pub fn zones_in(zones: &[&str], location: &str) -> Option<Vec<String>> {
    let (region, cloud) = (normalize_location(location), RegionCloud::of(location));
    let mut named = Vec::with_capacity(zones.len());
    for zone in zones {
        let row = || ELSEWHERE.iter().find(|(public, ..)| public == zone);
        let own = match cloud {
            RegionCloud::Public => *zone,
            RegionCloud::UsGov => row()?.1,
            RegionCloud::China => row()?.2,
        };
        match own {
            "-" => continue,
            "?" => return None,
            _ => {}
        }
        let code = REGION_CODES.iter().find(|(name, _)| *name == region).map(|(_, code)| *code);
        let mut own = own.replace("{region}", &region);
        if let Some(code) = code {
            own = own.replace("{regionCode}", code);
        }
        if own.contains('{') {
            return None;
        }
        named.push(own);
    }
    // Where the cloud has none of them, it does not have the service.
    (!named.is_empty() || zones.is_empty()).then_some(named)
}

/// Further types that have connections, of which berth knows neither groups nor zones, and the API versions of those.
const OTHERS: &[(&str, &str)] = &[
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

/// Every type whose connections berth reads, with the API version in which it does.
pub fn connection_types() -> impl Iterator<Item = (&'static str, &'static str)> {
    TARGETS.iter().map(|target| (target.arm_type, target.api_version)).chain(OTHERS.iter().copied())
}

/// The API version in which the connections of a target are read; `own` is the one that the blueprint speaks to it. `None`
/// is a type that berth does not know: a version that is only guessed is refused, or shows what has another form.
pub fn connections_version(target: &ArmId, own: Option<&str>) -> Option<String> {
    let arm_type = target.resource_type();
    let known = connection_types().find(|(known, _)| known.eq_ignore_ascii_case(&arm_type));
    known.map(|(_, version)| version).or(own).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_well_formed() {
        let mut seen = BTreeSet::new();
        for target in TARGETS {
            assert!(seen.insert(target.arm_type.to_ascii_lowercase()), "{} stands twice", target.arm_type);
            for group in target.groups {
                // A DNS zone group holds five zones at most.
                assert!((1..=5).contains(&group.zones.len()), "{} {}", target.arm_type, group.name);
                for zone in group.zones {
                    assert!(zone.starts_with("privatelink."), "{zone}");
                    assert!(!zone.ends_with('.'), "{zone}");
                }
            }
        }
    }

    #[test]
    fn groups_are_found_in_any_case_and_for_slots() {
        let zones = |arm_type: &str, name: &str| {
            Target::of(arm_type).and_then(|target| target.group(name)).map(|group| group.zones)
        };
        assert_eq!(
            zones("microsoft.keyvault/Vaults", "Vault"),
            Some(&["privatelink.vaultcore.azure.net"][..])
        );
        assert_eq!(zones("Microsoft.Web/sites", "sites-blue"), Some(&["privatelink.azurewebsites.net"][..]));
        assert_eq!(zones("Microsoft.KeyVault/vaults", "blob"), None);
        assert!(Target::of("Microsoft.Network/virtualNetworks").is_none());
    }

    #[test]
    fn zones_are_called_after_the_cloud_and_the_region() {
        let zones = |arm_type: &str, group: &str, location: &str| {
            zones_in(Target::of(arm_type).unwrap().group(group).unwrap().zones, location)
        };
        for (arm_type, group, location, expected) in [
            ("Microsoft.KeyVault/vaults", "vault", "westeurope", "privatelink.vaultcore.azure.net"),
            ("Microsoft.KeyVault/vaults", "vault", "China North 3", "privatelink.vaultcore.azure.cn"),
            (
                "Microsoft.KeyVault/vaults",
                "vault",
                "usgovvirginia",
                "privatelink.vaultcore.usgovcloudapi.net",
            ),
            (
                "Microsoft.Storage/storageAccounts",
                "dfs_secondary",
                "chinaeast2",
                "privatelink.dfs.core.chinacloudapi.cn",
            ),
            (
                "Microsoft.Storage/storageAccounts",
                "blob",
                "usdodeast",
                "privatelink.blob.core.usgovcloudapi.net",
            ),
            ("Microsoft.Web/sites", "sites-blue", "chinanorth3", "privatelink.chinacloudsites.cn"),
            (
                "Microsoft.ContainerService/managedClusters",
                "management",
                "usgovarizona",
                "privatelink.usgovarizona.cx.aks.containerservice.azure.us",
            ),
            (
                "Microsoft.RecoveryServices/vaults",
                "AzureBackup",
                "North Europe",
                "privatelink.ne.backup.windowsazure.com",
            ),
            (
                "Microsoft.RecoveryServices/vaults",
                "AzureBackup",
                "usgovtexas",
                "privatelink.ugt.backup.windowsazure.us",
            ),
            (
                "Microsoft.ServiceBus/namespaces",
                "namespace",
                "chinanorth3",
                "privatelink.servicebus.chinacloudapi.cn",
            ),
        ] {
            let found = zones(arm_type, group, location);
            assert_eq!(found, Some(vec![expected.to_owned()]), "{arm_type} in {location}");
        }
        let assistants = zones("Microsoft.CognitiveServices/accounts", "account", "usgovvirginia").unwrap();
        assert_eq!(assistants, ["privatelink.cognitiveservices.azure.us", "privatelink.openai.azure.us"]);
        // Neither guessed nor left out in silence.
        assert_eq!(zones("Microsoft.Sql/managedInstances", "managedInstance", "westeurope"), None);
        assert_eq!(zones("Microsoft.Purview/accounts", "account", "chinanorth3"), None);
        assert_eq!(zones("Microsoft.Dashboard/grafana", "grafana", "usgovvirginia"), None);
    }

    #[test]
    fn the_names_elsewhere_are_well_formed() {
        let zones = || TARGETS.iter().flat_map(|target| target.groups).flat_map(|group| group.zones);
        let mut seen = BTreeSet::new();
        for (public, gov, china) in ELSEWHERE {
            assert!(seen.insert(*public), "{public} stands twice");
            assert!(zones().any(|zone| zone == public), "{public} is no zone of the table");
            for (zone, ends) in [(gov, &[".us", ".usgovcloudapi.net"][..]), (china, &[".cn"])] {
                let named = !matches!(*zone, "-" | "?");
                assert!(!named || ends.iter().any(|end| zone.ends_with(end)), "{zone}");
                let places = |zone: &str| zone.matches('{').count();
                assert!(!named || places(zone) == places(public), "{zone}");
            }
        }
    }

    #[test]
    fn a_group_name_alone_tells_only_what_is_unambiguous() {
        assert_eq!(
            Group::unambiguous("registry").map(|group| group.zones),
            Some(&["privatelink.azurecr.io"][..])
        );
        assert!(Group::unambiguous("Sql").is_none(), "Cosmos DB and Synapse have one each");
        assert!(Group::unambiguous("account").is_none());
    }
}
