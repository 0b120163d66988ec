//! How each type takes a decision on a connection: by which method, what the body has to have, and what comes back.
//!
//! Sources: the operations of Azure's REST specifications (method, whether it is long-running, status codes) and recorded
//! traffic. A type that is not here takes a PUT and answers at once.

/// How a type answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answering {
    /// At once.
    Now,
    /// With this status and the URL of an operation.
    Later(u16),
    /// With 202 and without any URL: only the connection itself tells.
    Quietly,
    /// In a way that only this provider has.
    Own,
}

/// The method of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Put,
    Patch,
}

/// How a type takes decisions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deciding {
    /// The type of the target, in lower case.
    pub(crate) kind: &'static str,
    pub(crate) verb: Verb,
    pub(crate) answering: Answering,
    /// Members that the body has to have.
    pub(crate) demands: &'static [&'static str],
    /// `provisioningState` of a connection at rest; empty when the type has none.
    pub(crate) rest: &'static str,
}

const fn row(
    kind: &'static str,
    verb: Verb,
    answering: Answering,
    demands: &'static [&'static str],
    rest: &'static str,
) -> Deciding {
    Deciding { kind, verb, answering, demands, rest }
}

use Answering::{Later, Now, Own, Quietly};
use Verb::{Patch, Put};

const DESCRIPTION: &str = "properties.privateLinkServiceConnectionState.description";

/// Every type that is known to have connections.
pub(crate) const DECIDING: &[Deciding] = &[
    row("microsoft.aadiam/privatelinkforazuread", Put, Later(201), &[], "Succeeded"),
    row("microsoft.agfoodplatform/farmbeats", Put, Now, &[], "Succeeded"),
    row("microsoft.apimanagement/service", Put, Later(202), &["id"], "Succeeded"),
    row("microsoft.app/managedenvironments", Put, Later(201), &[], "Succeeded"),
    row("microsoft.appconfiguration/configurationstores", Put, Later(201), &[], "Succeeded"),
    row("microsoft.attestation/attestationproviders", Put, Now, &[], "Succeeded"),
    row("microsoft.automation/automationaccounts", Put, Later(202), &[], ""),
    row("microsoft.batch/batchaccounts", Patch, Later(202), &[], "Succeeded"),
    row("microsoft.botservice/botservices", Put, Now, &[], "Succeeded"),
    row("microsoft.cache/redis", Put, Later(201), &[], "Succeeded"),
    row("microsoft.cache/redisenterprise", Put, Later(201), &[], "Succeeded"),
    row("microsoft.cognitiveservices/accounts", Put, Later(202), &[], "Succeeded"),
    row("microsoft.compute/diskaccesses", Put, Later(202), &[], "Succeeded"),
    row("microsoft.containerregistry/registries", Put, Later(201), &[], "Succeeded"),
    row("microsoft.containerservice/managedclusters", Put, Now, &[], "Succeeded"),
    row("microsoft.dashboard/grafana", Put, Later(201), &[], "Succeeded"),
    row("microsoft.databricks/workspaces", Put, Later(202), &[], "Succeeded"),
    row("microsoft.datafactory/factories", Put, Now, &["properties.privateEndpoint.id"], "Succeeded"),
    row("microsoft.datareplication/replicationvaults", Put, Now, &[], "Succeeded"),
    row("microsoft.dbformariadb/servers", Put, Later(202), &[DESCRIPTION], "Ready"),
    row("microsoft.dbformysql/flexibleservers", Put, Later(202), &[], "Succeeded"),
    row("microsoft.dbformysql/servers", Put, Now, &[DESCRIPTION], "Ready"),
    row("microsoft.dbforpostgresql/flexibleservers", Put, Later(202), &[], "Succeeded"),
    row("microsoft.dbforpostgresql/servergroupsv2", Put, Later(201), &[], "Succeeded"),
    row("microsoft.dbforpostgresql/servers", Put, Now, &[DESCRIPTION], "Ready"),
    row("microsoft.desktopvirtualization/hostpools", Put, Now, &[], "Succeeded"),
    row("microsoft.desktopvirtualization/workspaces", Put, Now, &[], "Succeeded"),
    row("microsoft.devices/iothubs", Put, Now, &[DESCRIPTION], ""),
    row("microsoft.devices/provisioningservices", Put, Later(201), &[DESCRIPTION], ""),
    row("microsoft.deviceupdate/accounts", Put, Later(201), &[], "Succeeded"),
    row("microsoft.digitaltwins/digitaltwinsinstances", Put, Later(202), &[DESCRIPTION], "Approved"),
    row("microsoft.discovery/bookshelves", Put, Now, &[], "Succeeded"),
    row("microsoft.discovery/workspaces", Put, Later(201), &[], "Succeeded"),
    row("microsoft.documentdb/databaseaccounts", Put, Later(202), &[], "Succeeded"),
    row("microsoft.documentdb/mongoclusters", Put, Later(202), &[], "Succeeded"),
    row("microsoft.durabletask/schedulers", Put, Now, &[], "Succeeded"),
    row("microsoft.elasticsan/elasticsans", Put, Later(201), &[], "Succeeded"),
    row("microsoft.eventgrid/domains", Put, Later(201), &[], "Succeeded"),
    row("microsoft.eventgrid/namespaces", Put, Later(201), &[], "Succeeded"),
    row("microsoft.eventgrid/partnernamespaces", Put, Later(201), &[], "Succeeded"),
    row("microsoft.eventgrid/topics", Put, Later(201), &[], "Succeeded"),
    row("microsoft.eventhub/namespaces", Put, Quietly, &["properties.privateEndpoint.id"], "Succeeded"),
    row("microsoft.fileshares/fileshares", Put, Now, &[], "Succeeded"),
    row("microsoft.fluidrelay/fluidrelayservers", Put, Now, &[], "Succeeded"),
    row("microsoft.hardwaresecuritymodules/cloudhsmclusters", Put, Now, &[], "Succeeded"),
    row("microsoft.hardwaresecuritymodules/paymenthsmclusters", Put, Now, &[], "Succeeded"),
    row("microsoft.hdinsight/clusters", Put, Later(201), &[], "Succeeded"),
    row("microsoft.healthcareapis/services", Put, Now, &[], "Succeeded"),
    row("microsoft.healthcareapis/workspaces", Put, Later(200), &[], "Succeeded"),
    row("microsoft.healthdataaiservices/deidservices", Put, Now, &[], "Succeeded"),
    row("microsoft.horizondb/clusters", Put, Now, &[], "Succeeded"),
    row("microsoft.hybridcompute/privatelinkscopes", Put, Later(202), &[DESCRIPTION], "Succeeded"),
    row("microsoft.insights/privatelinkscopes", Put, Later(202), &[], "Succeeded"),
    row("microsoft.iotcentral/iotapps", Put, Later(200), &[], "Succeeded"),
    row("microsoft.keyvault/managedhsms", Put, Now, &[], "Succeeded"),
    row("microsoft.keyvault/vaults", Put, Own, &[], "Succeeded"),
    row("microsoft.kubernetesconfiguration/privatelinkscopes", Put, Now, &[], "Succeeded"),
    row("microsoft.kusto/clusters", Put, Later(201), &[], "Succeeded"),
    row("microsoft.m365securityandcompliance/privatelinkservicesforedmupload", Put, Now, &[], "Succeeded"),
    row(
        "microsoft.m365securityandcompliance/privatelinkservicesform365compliancecenter",
        Put,
        Now,
        &[],
        "Succeeded",
    ),
    row(
        "microsoft.m365securityandcompliance/privatelinkservicesform365securitycenter",
        Put,
        Now,
        &[],
        "Succeeded",
    ),
    row(
        "microsoft.m365securityandcompliance/privatelinkservicesformippolicysync",
        Put,
        Now,
        &[],
        "Succeeded",
    ),
    row(
        "microsoft.m365securityandcompliance/privatelinkservicesforo365managementactivityapi",
        Put,
        Now,
        &[],
        "Succeeded",
    ),
    row(
        "microsoft.m365securityandcompliance/privatelinkservicesforsccpowershell",
        Put,
        Now,
        &[],
        "Succeeded",
    ),
    row("microsoft.machinelearningservices/workspaces", Put, Now, &[], "Succeeded"),
    row("microsoft.maps/accounts", Put, Now, &[], "Succeeded"),
    row("microsoft.migrate/assessmentprojects", Put, Now, &[], "Succeeded"),
    row("microsoft.migrate/migrateprojects", Put, Now, &[], "Succeeded"),
    row("microsoft.network/applicationgateways", Put, Later(202), &["name"], "Succeeded"),
    row("microsoft.network/privatelinkservices", Put, Now, &["name"], "Succeeded"),
    row("microsoft.notificationhubs/namespaces", Put, Later(201), &[], "Succeeded"),
    row("microsoft.offazure/mastersites", Put, Now, &[], "Succeeded"),
    row("microsoft.onlineexperimentation/workspaces", Put, Now, &[], "Succeeded"),
    row("microsoft.powerbi/privatelinkservicesforpowerbi", Put, Now, &[], "Succeeded"),
    row("microsoft.powerplatform/enterprisepolicies", Put, Now, &[], "Succeeded"),
    row("microsoft.purview/accounts", Put, Later(201), &[], "Succeeded"),
    row(
        "microsoft.recoveryservices/vaults",
        Put,
        Later(201),
        &["properties.privateEndpoint.id"],
        "Succeeded",
    ),
    row("microsoft.relay/namespaces", Put, Quietly, &["properties.privateEndpoint.id"], "Succeeded"),
    row("microsoft.search/searchservices", Put, Now, &[], "Succeeded"),
    row("microsoft.security/privatelinks", Put, Now, &[], "Succeeded"),
    row("microsoft.securityandcompliance/privatelinkservicesforedmupload", Put, Now, &[], "Succeeded"),
    row(
        "microsoft.securityandcompliance/privatelinkservicesform365compliancecenter",
        Put,
        Now,
        &[],
        "Succeeded",
    ),
    row(
        "microsoft.securityandcompliance/privatelinkservicesform365securitycenter",
        Put,
        Now,
        &[],
        "Succeeded",
    ),
    row("microsoft.securityandcompliance/privatelinkservicesformippolicysync", Put, Now, &[], "Succeeded"),
    row(
        "microsoft.securityandcompliance/privatelinkservicesforo365managementactivityapi",
        Put,
        Now,
        &[],
        "Succeeded",
    ),
    row("microsoft.securityandcompliance/privatelinkservicesforsccpowershell", Put, Now, &[], "Succeeded"),
    row("microsoft.servicebus/namespaces", Put, Quietly, &["properties.privateEndpoint.id"], "Succeeded"),
    row("microsoft.signalrservice/signalr", Put, Now, &[], "Succeeded"),
    row("microsoft.signalrservice/webpubsub", Put, Now, &[], "Succeeded"),
    row("microsoft.sql/managedinstances", Put, Now, &[DESCRIPTION], "Ready"),
    row("microsoft.sql/servers", Put, Later(202), &[DESCRIPTION], "Ready"),
    row("microsoft.storage/storageaccounts", Put, Now, &[], "Succeeded"),
    row("microsoft.storagesync/storagesyncservices", Put, Later(202), &[], "Succeeded"),
    row("microsoft.synapse/workspaces", Put, Later(201), &[], "Succeeded"),
    row("microsoft.timeseriesinsights/environments", Put, Now, &[], "Succeeded"),
    row("microsoft.videoindexer/accounts", Put, Later(201), &[], "Succeeded"),
    row("microsoft.web/hostingenvironments", Put, Own, &[], "Succeeded"),
    row("microsoft.web/sites", Put, Own, &[], "Succeeded"),
    row("microsoft.web/sites/slots", Put, Own, &[], "Succeeded"),
    row("microsoft.web/staticsites", Put, Own, &[], "Succeeded"),
];

/// How this type takes decisions.
pub(crate) fn deciding(kind: &str) -> Deciding {
    DECIDING.iter().find(|row| row.kind == kind).copied().unwrap_or(row("", Put, Now, &[], "Succeeded"))
}
