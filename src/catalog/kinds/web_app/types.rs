//! The ARM types of a web app.

use crate::catalog::kinds::app_service_plan::API_VERSION;
use crate::catalog::kinds::parts::SYSTEM_IDENTITY;
use crate::catalog::kinds::subnets;
use crate::catalog::{CheckContext, DeleteMode, Facet, Lane, Preflight, Problem, ResourceType, UpdateMode};
use crate::value::Rule;
use std::time::Duration;

pub(super) const SITES: &str = "Microsoft.Web/sites";
const SLOTS: &str = "Microsoft.Web/sites/slots";

const RULES: &[Rule] = &[
    // Azure writes it in words of its own.
    Rule::at("kind").create_only(),
    Rule::at("identity.type").fold_case().default("\"None\""),
    Rule::at("identity.userAssignedIdentities").map(),
    Rule::at("properties.reserved").immutable().default("false"),
    Rule::at("properties.serverFarmId").fold_case(),
    Rule::at("properties.virtualNetworkSubnetId").fold_case(),
    Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
    Rule::at("properties.httpsOnly").default("false"),
    Rule::at("properties.clientAffinityEnabled").default("true"),
    Rule::at("properties.outboundVnetRouting.allTraffic").default("false"),
    Rule::at("properties.keyVaultReferenceIdentity").fold_case().default("\"SystemAssigned\""),
    Rule::at("properties.state").read_only(),
    Rule::at("properties.hostNames").read_only(),
    Rule::at("properties.enabledHostNames").read_only(),
    Rule::at("properties.repositorySiteName").read_only(),
    Rule::at("properties.usageState").read_only(),
    Rule::at("properties.availabilityState").read_only(),
    Rule::at("properties.defaultHostName").read_only(),
    Rule::at("properties.outboundIpAddresses").read_only(),
    Rule::at("properties.possibleOutboundIpAddresses").read_only(),
    Rule::at("properties.inboundIpAddress").read_only(),
    Rule::at("properties.lastModifiedTimeUtc").read_only(),
    Rule::at("properties.siteConfig.appSettings").write_only(),
    Rule::at("properties.siteConfig.connectionStrings").write_only(),
    Rule::at("properties.siteConfig.metadata").write_only(),
    Rule::at("properties.cloningInfo").create_only(),
    Rule::at("properties.inProgressOperationId").read_only(),
    Rule::at("properties.isDefaultContainer").read_only(),
    Rule::at("properties.maxNumberOfWorkers").read_only(),
    Rule::at("properties.resourceGroup").read_only(),
    Rule::at("properties.siteConfig.machineKey").read_only(),
    Rule::at("properties.sku").read_only(),
    Rule::at("properties.slotSwapStatus").read_only(),
    Rule::at("properties.suspendedTill").read_only(),
    Rule::at("properties.targetSwapSlot").read_only(),
    Rule::at("properties.trafficManagerHostNames").read_only(),
    Rule::at("extendedLocation.type").read_only(),
    Rule::at("properties.hostingEnvironmentProfile.name").read_only(),
    Rule::at("properties.hostingEnvironmentProfile.type").read_only(),
    Rule::at("properties.dnsConfiguration.dnsLegacySortOrder").read_only(),
    Rule::at("properties.siteConfig.azureStorageAccounts.*.state").read_only(),
    Rule::at("properties.siteConfig.push.id").read_only(),
    Rule::at("properties.siteConfig.push.name").read_only(),
    Rule::at("properties.siteConfig.push.type").read_only(),
    Rule::at("properties.privateEndpointConnections").read_only(),
];

const FACETS: &[Facet] = &[
    Facet::new("hostName", "/properties/defaultHostName", "the host name at which it answers"),
    Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity")
        .given(&SYSTEM_IDENTITY),
    Facet::new(
        "outboundAddresses",
        "/properties/outboundIpAddresses",
        "the addresses that it calls others from",
    ),
    Facet::new(
        "verificationId",
        "/properties/customDomainVerificationId",
        "what a DNS record says to prove that a custom domain is the owner's",
    ),
];

/// What an app or a slot needs of its subnet.
fn around(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let pointer = "/properties/virtualNetworkSubnetId";
    subnets::delegated(around, pointer, ".subnet", "Microsoft.Web/serverFarms", problems);
}

/// The web app.
pub static SITE: ResourceType = ResourceType {
    rules: RULES,
    cross_check: Some(around),
    facets: FACETS,
    lanes: &[Lane::Ancestor(SITES)],
    // Unless it is told not to, Azure deletes the plan along with the last app on it.
    delete_query: &[("deleteMetrics", "true"), ("deleteEmptyServerFarm", "false")],
    preflight: &[Preflight::Name { path: "Microsoft.Web/checknameavailability", api_version: API_VERSION }],
    expected: Duration::from_secs(30),
    expected_update: Duration::from_secs(15),
    expected_delete: Duration::from_secs(15),
    ..ResourceType::new(SITES, API_VERSION, "web app")
};

/// A slot.
pub static SLOT: ResourceType = ResourceType {
    rules: RULES,
    cross_check: Some(around),
    facets: FACETS,
    lanes: &[Lane::Ancestor(SITES)],
    delete_query: &[("deleteMetrics", "true"), ("deleteEmptyServerFarm", "false")],
    expected: Duration::from_secs(30),
    expected_update: Duration::from_secs(15),
    expected_delete: Duration::from_secs(15),
    ..ResourceType::new(SLOTS, API_VERSION, "slot of a web app")
};

const CONFIG_RULES: &[Rule] = &[
    Rule::at("location").read_only(),
    Rule::at("properties.linuxFxVersion").fold_case(),
    Rule::at("properties.windowsFxVersion").fold_case(),
    Rule::at("properties.appCommandLine").default("\"\""),
    Rule::at("properties.healthCheckPath").default("\"\""),
    Rule::at("properties.alwaysOn").default("false"),
    Rule::at("properties.http20Enabled").default("false"),
    Rule::at("properties.webSocketsEnabled").default("false"),
    Rule::at("properties.minTlsVersion").default("\"1.2\""),
    Rule::at("properties.ftpsState").fold_case().default("\"FtpsOnly\""),
    Rule::at("properties.acrUseManagedIdentityCreds").default("false"),
    Rule::at("properties.cors.allowedOrigins").set().default("[]"),
    Rule::at("properties.cors.supportCredentials").default("false"),
    Rule::at("properties.numberOfWorkers").default("1"),
    Rule::at("properties.scmMinTlsVersion").default("\"1.2\""),
    // Azure adds the rule about everybody else by itself: the last of all.
    Rule::at("properties.ipSecurityRestrictions").keyed("name").azures("priority", "2147483647").alike(),
    Rule::at("properties.ipSecurityRestrictions[].ipAddress").cidr().fold_case(),
    Rule::at("properties.ipSecurityRestrictions[].vnetSubnetResourceId").fold_case(),
    Rule::at("properties.ipSecurityRestrictions[].action").fold_case().default("\"Allow\""),
    Rule::at("properties.ipSecurityRestrictions[].tag").fold_case().default("\"Default\""),
    Rule::at("properties.publishingUsername").read_only(),
    Rule::at("properties.machineKey").read_only(),
    Rule::at("properties.azureStorageAccounts.*.state").read_only(),
    Rule::at("properties.push.id").read_only(),
    Rule::at("properties.push.name").read_only(),
    Rule::at("properties.push.type").read_only(),
];

/// What is configured in a web app.
pub static SITE_CONFIG: ResourceType = ResourceType {
    update: UpdateMode::Patch,
    delete: DeleteMode::WithParent,
    tags: false,
    rules: CONFIG_RULES,
    lanes: &[Lane::Ancestor(SITES)],
    ..ResourceType::new("Microsoft.Web/sites/config", API_VERSION, "configuration of a web app")
};

/// The settings of a web app, which Azure shows only to who may see secrets.
pub static SITE_SETTINGS: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    tags: false,
    rules: SETTINGS_RULES,
    lanes: &[Lane::Ancestor(SITES)],
    ..ResourceType::new("Microsoft.Web/sites/config", API_VERSION, "settings of a web app")
};

/// The settings of a slot.
pub static SLOT_SETTINGS: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    tags: false,
    rules: SETTINGS_RULES,
    lanes: &[Lane::Ancestor(SITES)],
    ..ResourceType::new("Microsoft.Web/sites/slots/config", API_VERSION, "settings of a slot")
};

/// The names of settings that stay with their slot.
pub static SITE_STICKY: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    tags: false,
    rules: &[
        Rule::at("location").read_only(),
        Rule::at("properties.appSettingNames").set().default("[]"),
        Rule::at("properties.connectionStringNames").set(),
    ],
    lanes: &[Lane::Ancestor(SITES)],
    ..ResourceType::new("Microsoft.Web/sites/config", API_VERSION, "sticky settings of a web app")
};

/// What an app writes down.
pub static SITE_LOGS: ResourceType = ResourceType {
    delete: DeleteMode::WithParent,
    tags: false,
    rules: &[
        Rule::at("location").read_only(),
        Rule::at("properties.applicationLogs.fileSystem.level").fold_case().default("\"Off\""),
        Rule::at("properties.httpLogs.fileSystem.enabled").default("false"),
        Rule::at("properties.httpLogs.fileSystem.retentionInMb").default("35"),
        Rule::at("properties.detailedErrorMessages.enabled").default("false"),
        Rule::at("properties.failedRequestsTracing.enabled").default("false"),
    ],
    lanes: &[Lane::Ancestor(SITES)],
    ..ResourceType::new("Microsoft.Web/sites/config", API_VERSION, "logs of a web app")
};

/// Settings of others stay: Azure itself adds some.
const SETTINGS_RULES: &[Rule] = &[Rule::at("location").read_only(), Rule::at("properties").map()];

/// What is configured in a slot.
pub static SLOT_CONFIG: ResourceType = ResourceType {
    update: UpdateMode::Patch,
    delete: DeleteMode::WithParent,
    tags: false,
    rules: CONFIG_RULES,
    lanes: &[Lane::Ancestor(SITES)],
    ..ResourceType::new("Microsoft.Web/sites/slots/config", API_VERSION, "configuration of a slot")
};
