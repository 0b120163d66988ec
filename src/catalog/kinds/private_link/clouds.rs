//! What zones are called in other clouds and in each region.

use crate::ident::{RegionCloud, normalize_location};

/// What zones of the public cloud are called in that of the US government and in that of China; `-` where that cloud does
/// not have what they answer for, `?` where no source says. A zone that is not here is not known there.
pub(super) const ELSEWHERE: &[(&str, &str, &str)] = &[
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
    ("privatelink.search.windows.net", "privatelink.search.azure.us", "privatelink.search.azure.cn"),
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
