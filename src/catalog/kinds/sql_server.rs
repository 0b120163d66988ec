//! Azure SQL servers and their databases: `Microsoft.Sql/servers`
//! (<https://learn.microsoft.com/azure/templates/microsoft.sql/servers>).
//!
//! A server takes its Entra administrator in the body of its create, so that it never has a password that nobody wants; what
//! changes later is changed at resources of their own, which Azure makes with the server.

use super::addresses::is_address;
use super::key_vault_secret::SECRET_IN_CLEAR;
use super::naming::{NameRule, small};
use super::parts::{identity, is_none_of, members, switch, within};
use crate::catalog::{
    Arrival, DeleteMode, Draft, EntryCx, EntryKind, Facet, Lane, Members, Merged, Nested, Preflight, Problem,
    Reference, ResourceType,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// An Azure SQL server.
pub struct SqlServer;

/// An Azure SQL server with its databases, and who may reach it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The name of the administrator that has a password. Never changes; leave it out with `entraAdmin: { only: true }`.
    admin_login: Option<String>,
    /// That administrator's password: a parameter with `secret: true`.
    admin_password: Option<String>,
    /// The administrator from Microsoft Entra.
    entra_admin: Option<EntraAdminSpec>,
    /// Whether the server answers on public networks; `false` leaves private endpoints only. Azure's default (`true`) when
    /// absent.
    public_access: Option<bool>,
    /// The oldest version of TLS that is accepted: `1.2` or `1.3`; Azure's default when absent.
    min_tls: Option<String>,
    /// Whether the server itself may call only what is allowed; Azure's default (`false`) when absent.
    restrict_outbound: Option<bool>,
    /// The identities with which the server acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// Which of the user-assigned ones it acts with where one has to be chosen.
    #[schemars(extend("x-wants" = "identity"))]
    primary_identity: Option<Reference>,
    /// The databases.
    #[serde(default)]
    databases: IndexMap<String, DatabaseSpec>,
    /// Public addresses that are let in.
    #[serde(default)]
    firewall_rules: IndexMap<String, FirewallRuleSpec>,
    /// Subnets that are let in.
    #[serde(default)]
    network_rules: IndexMap<String, NetworkRuleSpec>,
}

/// The administrator from Microsoft Entra.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EntraAdminSpec {
    /// The name that is shown: that of the group, the user's address, or the identity's name.
    login: String,
    /// Who: an identity of the blueprint, or an object id.
    #[schemars(extend("x-wants" = "principal"))]
    principal: Reference,
    /// What the principal is.
    principal_type: Option<EntraPrincipal>,
    /// The tenant; the caller's when absent.
    tenant: Option<String>,
    /// Whether nobody signs in with a password; Azure's default (`false`) when absent.
    only: Option<bool>,
}

/// What an administrator is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum EntraPrincipal {
    /// A person.
    User,
    /// A group.
    Group,
    /// An application or a managed identity.
    Application,
}

/// A database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DatabaseSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Its service objective, such as `S0`, `GP_S_Gen5` or `HS_Gen5`; Azure's default when absent.
    sku: Option<String>,
    /// How many cores or units, for SKUs that leave it open.
    capacity: Option<i64>,
    /// How many gigabytes it may hold; Azure's default when absent.
    max_size_gb: Option<i64>,
    /// The least number of cores of a serverless database.
    min_capacity: Option<f64>,
    /// After how many idle minutes a serverless database pauses; `-1` for never.
    auto_pause_minutes: Option<i64>,
    /// Whether it is spread over availability zones; Azure's default (`false`) when absent.
    zone_redundant: Option<bool>,
    /// Where backups are kept: `Local`, `Zone`, `Geo` or `GeoZone`; Azure's default (`Geo`) when absent.
    backup_redundancy: Option<BackupRedundancy>,
    /// How texts are compared and sorted; Azure's default when absent. Never changes.
    collation: Option<String>,
    /// Whether read-only sessions go to a replica of their own; Azure's default when absent.
    read_scale: Option<bool>,
}

/// Where backups are kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum BackupRedundancy {
    /// In one place.
    Local,
    /// In several zones.
    Zone,
    /// In another region too.
    Geo,
    /// In several zones and another region.
    GeoZone,
}

/// A range of public addresses that is let in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FirewallRuleSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Its first address. `0.0.0.0` as first and last lets in everything that runs in Azure, other people's too.
    from: String,
    /// Its last address; that of `from` when absent.
    to: Option<String>,
}

/// A subnet that is let in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkRuleSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The subnet; it needs the service endpoint `Microsoft.Sql`.
    #[schemars(extend("x-wants" = "subnet"))]
    subnet: Reference,
    /// Whether a subnet without that service endpoint is accepted all the same.
    #[serde(default)]
    ignore_missing_service_endpoint: bool,
}

const SERVERS: &str = "Microsoft.Sql/servers";
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
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity"),
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

const CODES: &[&Code] = &[&SQL_SERVER_NAME, &SQL_SERVER_ADMIN, &SQL_SERVER_RULES, &SQL_DATABASE_NAME];

const SQL_SERVER_NAME: Code = Code {
    name: "sql-server-name",
    why: "The name of a SQL server is part of a DNS name that all of Azure shares.",
    remedy: "Use 1 to 63 small letters, digits and `-`; `uniqueString` keeps it apart from others.",
    example: "name: sql-shop-${uniqueString(azure.resourceGroup)}",
};

const NAME: NameRule = NameRule {
    code: &SQL_SERVER_NAME,
    what: "a SQL server",
    min: 1,
    max: 63,
    first: small,
    inner: |c| small(c) || c == '-',
    last: small,
    says: "1 to 63 small letters, digits and `-`, not starting or ending with `-`; names of SQL servers are taken \
           worldwide, so `${uniqueString(azure.resourceGroup)}` helps",
};

const SQL_DATABASE_NAME: Code = Code {
    name: "sql-database-name",
    why: "The name cannot be that of a database or of a rule of a SQL server.",
    remedy: "Use 1 to 128 characters without `<>*%&:\\/?`, not ending with a dot or a space.",
    example: "databases: { orders: { sku: S0 } }",
};

const PART_NAME: NameRule = NameRule {
    code: &SQL_DATABASE_NAME,
    what: "a part of a SQL server",
    min: 1,
    max: 128,
    first: part,
    inner: part,
    last: |c| part(c) && c != '.' && c != ' ',
    says: "1 to 128 characters without `<>*%&:\\/?`, not ending with `.` or a space",
};

fn part(c: char) -> bool {
    !c.is_control() && !"<>*%&:\\/?".contains(c)
}

const SQL_SERVER_ADMIN: Code = Code {
    name: "sql-server-admin",
    why: "A server has an administrator: one with a password, one from Entra, or both; without passwords only the latter.",
    remedy: "Write `adminLogin` and `adminPassword`, or `entraAdmin` with `only: true`.",
    example: "entraAdmin: { login: sql-admins, principal: '${identities.admin}', only: true }",
};

const SQL_SERVER_RULES: Code = Code {
    name: "sql-server-rules",
    why: "Azure refuses rules about public networks while the server does not answer on them, and rules that are not addresses.",
    remedy: "Drop the rules, or `publicAccess: false`; write addresses of IPv4.",
    example: "firewallRules: { office: { from: 203.0.113.1, to: 203.0.113.14 } }",
};

impl EntryKind for SqlServer {
    const SECTION: &'static str = "sqlServers";
    const TITLE: &'static str = "SQL server";
    const ARM_TYPE: &'static str = SERVERS;
    const ABOUT: &'static str = "An Azure SQL server with its databases, its administrators and who may reach it. Server and \
        databases hold data: they are deleted or replaced only when somebody names them.";
    const EXAMPLE: &'static str = "\
parameters:
  sqlPassword: { type: string, secret: true }
identities:
  admin: { name: id-sql-admin }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20, serviceEndpoints: [Microsoft.Sql] }
sqlServers:
  orders:
    name: sql-orders-${uniqueString(azure.resourceGroup)}
    publicAccess: false
    minTls: '1.2'
    identities: [system]
    entraAdmin: { login: id-sql-admin, principal: '${identities.admin}', principalType: Application, only: true }
    databases:
      orders: { sku: GP_S_Gen5, capacity: 2, minCapacity: 0.5, autoPauseMinutes: 60, maxSizeGb: 32, backupRedundancy: Zone }
  legacy:
    name: sql-legacy-${uniqueString(azure.resourceGroup)}
    adminLogin: sqladmin
    adminPassword: ${param.sqlPassword}
    firewallRules:
      office: { from: 203.0.113.1, to: 203.0.113.14 }
    networkRules:
      nodes: { subnet: '${networks.hub.subnets.nodes}' }
";
    const TYPES: &'static [&'static ResourceType] =
        &[&SQL_SERVER, &ADMINISTRATOR, &ENTRA_ONLY, &DATABASE, &FIREWALL_RULE, &NETWORK_RULE];
    // What others let in opens the server: a list of it may be the blueprint's alone. Databases hold data, and are not.
    const MERGED: &'static [Merged] = &[
        Merged { within: "", name: "firewallRules", members: Members::Children(&[&FIREWALL_RULE]) },
        Merged { within: "", name: "networkRules", members: Members::Children(&[&NETWORK_RULE]) },
        Merged::list("identities", "identity.userAssignedIdentities"),
    ];
    const NESTED: &'static [Nested] =
        &[Nested::at("databases.*"), Nested::at("firewallRules.*"), Nested::at("networkRules.*")];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        spec.check(cx);
        let (name, address) = (cx.common.name.clone(), cx.address.clone());
        let server = cx.id(SERVERS, &[&name]);
        let admin = spec.entra_admin.as_ref().map(|admin| admin.body(&cx.common.tenant));
        let at_first = admin.clone().map(|mut body| {
            if let Some(only) = spec.entra_admin.as_ref().and_then(|admin| admin.only) {
                body["azureADOnlyAuthentication"] = only.into();
            }
            if let Some(kind) = spec.entra_admin.as_ref().and_then(|admin| admin.principal_type) {
                body["principalType"] = json!(kind);
            }
            body
        });
        let properties = members([
            ("administratorLogin", spec.admin_login.clone().map(Value::from)),
            ("administratorLoginPassword", spec.admin_password.clone().map(Value::from)),
            ("administrators", at_first),
            ("version", Some("12.0".into())),
            ("minimalTlsVersion", spec.min_tls.clone().map(Value::from)),
            ("publicNetworkAccess", spec.public_access.map(switch)),
            ("restrictOutboundNetworkAccess", spec.restrict_outbound.map(switch)),
            (
                "primaryUserAssignedIdentityId",
                spec.primary_identity.as_ref().map(|identity| identity.id().into()),
            ),
        ]);
        let mut body = cx.tracked(properties);
        if let Some(identity) = identity(&spec.identities, "SystemAssigned,UserAssigned") {
            body["identity"] = identity;
        }
        cx.main(Draft::new(address.clone(), server.as_str(), &SQL_SERVER, body));
        if let (Some(spec), Some(admin)) = (&spec.entra_admin, admin) {
            let id = server.child("administrators", "ActiveDirectory");
            let own = address.child("entraAdmin");
            let mut draft =
                Draft::new(own.clone(), id.as_str(), &ADMINISTRATOR, json!({ "properties": admin }));
            draft.arrival = Arrival::WithParent;
            cx.also(draft.origin("entraAdmin"));
            if let Some(only) = spec.only {
                let id = server.child("azureADOnlyAuthentications", "Default");
                let body = json!({ "properties": { "azureADOnlyAuthentication": only } });
                let mut draft = Draft::new(own.child("only"), id.as_str(), &ENTRA_ONLY, body);
                draft.arrival = Arrival::WithParent;
                cx.also(draft.needs(own.as_str()).origin("entraAdmin.only"));
            }
        }
        for (key, database) in &spec.databases {
            let id = server.child("databases", database.name.as_deref().unwrap_or(key));
            let body = database.body(cx);
            let own = address.child("databases").child(key);
            cx.also(Draft::new(own, id.as_str(), &DATABASE, body).origin(format!("databases.{key}")));
        }
        for (key, rule) in &spec.firewall_rules {
            let to = rule.to.as_ref().unwrap_or(&rule.from);
            let body = json!({ "properties": { "startIpAddress": rule.from, "endIpAddress": to } });
            let own = address.child("firewallRules").child(key);
            let id = server.child("firewallRules", rule.name.as_deref().unwrap_or(key));
            cx.also(
                Draft::new(own, id.as_str(), &FIREWALL_RULE, body).origin(format!("firewallRules.{key}")),
            );
        }
        for (key, rule) in &spec.network_rules {
            let ignore = rule.ignore_missing_service_endpoint;
            let body = json!({ "properties": {
                "virtualNetworkSubnetId": rule.subnet.id(), "ignoreMissingVnetServiceEndpoint": ignore,
            } });
            let own = address.child("networkRules").child(key);
            let id = server.child("virtualNetworkRules", rule.name.as_deref().unwrap_or(key));
            cx.also(Draft::new(own, id.as_str(), &NETWORK_RULE, body).origin(format!("networkRules.{key}")));
        }
    }
}

impl Spec {
    fn check(&self, cx: &mut EntryCx<'_>) {
        NAME.check(&cx.common.name.clone(), "name", cx);
        let only = self.entra_admin.as_ref().and_then(|admin| admin.only) == Some(true);
        let wrong = match (&self.admin_login, &self.admin_password, &self.entra_admin) {
            (Some(_), None, _) => {
                Some(("adminLogin", "the administrator has no password", "write `adminPassword:` too"))
            }
            (None, Some(_), _) => {
                Some(("adminPassword", "the password is for no administrator", "write `adminLogin:` too"))
            }
            (None, None, None) => {
                Some(("", "the server has no administrator", "write `entraAdmin:` with `only: true`"))
            }
            (None, None, Some(_)) if !only => Some((
                "entraAdmin",
                "passwords are accepted, and there is no administrator who has one",
                "write `only: true`, or `adminLogin` and `adminPassword`",
            )),
            _ => None,
        };
        if let Some((path, message, help)) = wrong {
            cx.problem(Problem::error(&SQL_SERVER_ADMIN, path, message).help(help));
        }
        if self.admin_password.as_ref().is_some_and(|password| !has_token(password)) {
            let message = "the password of this server stands in the blueprint in clear text";
            cx.problem(
                Problem::error(&SECRET_IN_CLEAR, "adminPassword", message)
                    .help("use a parameter with `secret: true`, as in `adminPassword: ${param.sqlPassword}`"),
            );
        }
        if let Some(version) = self.min_tls.as_deref().filter(|version| is_none_of(version, &["1.2", "1.3"]))
        {
            let message =
                format!("`{}` is not a version of TLS that Azure SQL still takes", display_text(version));
            cx.problem(
                Problem::error(&SQL_SERVER_RULES, "minTls", message).help("write `1.2` or `1.3` in quotes"),
            );
        }
        for (key, database) in &self.databases {
            let at = format!("databases.{key}");
            PART_NAME.check(database.name.as_deref().unwrap_or(key), &at, cx);
            within(database.max_size_gb, 1..=131_072, &format!("{at}.maxSizeGb"), cx);
            within(database.capacity, 1..=4000, &format!("{at}.capacity"), cx);
        }
        let closed = self.public_access == Some(false);
        let firewall = self.firewall_rules.iter().map(|(key, rule)| (key, &rule.name));
        let network = self.network_rules.iter().map(|(key, rule)| (key, &rule.name));
        for (field, rules) in
            [("firewallRules", firewall.collect::<Vec<_>>()), ("networkRules", network.collect())]
        {
            for (key, name) in &rules {
                let at =
                    name.as_ref().map_or_else(|| format!("{field}.{key}"), |_| format!("{field}.{key}.name"));
                PART_NAME.check(name.as_ref().unwrap_or(key), &at, cx);
            }
            if closed && !rules.is_empty() {
                let message = "with `publicAccess: false` Azure takes no rules about public networks";
                cx.problem(
                    Problem::error(&SQL_SERVER_RULES, field, message)
                        .help("drop the rules, or `publicAccess: false`"),
                );
            }
        }
        for (key, rule) in &self.firewall_rules {
            let ends = [("from", Some(&rule.from)), ("to", rule.to.as_ref())];
            for (field, address) in ends.into_iter().filter_map(|(field, address)| Some((field, address?))) {
                if !has_token(address)
                    && (!is_address(address) || address.parse::<std::net::Ipv4Addr>().is_err())
                {
                    let message = format!("`{}` is not an IPv4 address", display_text(address));
                    cx.problem(
                        Problem::error(&SQL_SERVER_RULES, format!("firewallRules.{key}.{field}"), message)
                            .help("write one address, such as `203.0.113.1`"),
                    );
                }
            }
        }
    }
}

impl EntraAdminSpec {
    fn body(&self, tenant: &str) -> Value {
        members([
            ("administratorType", Some("ActiveDirectory".into())),
            ("login", Some(self.login.clone().into())),
            ("sid", Some(self.principal.facet("principalId").into())),
            ("tenantId", Some(self.tenant.as_deref().unwrap_or(tenant).into())),
        ])
    }
}

impl DatabaseSpec {
    fn body(&self, cx: &EntryCx<'_>) -> Value {
        let bytes = self.max_size_gb.map(|size| size * 1024 * 1024 * 1024);
        let mut body = cx.tracked(members([
            ("collation", self.collation.clone().map(Value::from)),
            ("maxSizeBytes", bytes.map(Value::from)),
            ("minCapacity", self.min_capacity.map(Value::from)),
            ("autoPauseDelay", self.auto_pause_minutes.map(Value::from)),
            ("zoneRedundant", self.zone_redundant.map(Value::from)),
            ("requestedBackupStorageRedundancy", self.backup_redundancy.map(|kept| json!(kept))),
            ("readScale", self.read_scale.map(switch)),
        ]));
        if let Some(sku) = &self.sku {
            body["sku"] =
                members([("name", Some(sku.clone().into())), ("capacity", self.capacity.map(Value::from))]);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, secret};

    fn fields(more: Value) -> Value {
        let admin = json!({ "login": "admins", "principal": reference("identities.admin"), "only": true });
        let mut fields = json!({ "entraAdmin": admin });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    #[test]
    fn a_server_comes_with_its_administrator_and_without_passwords() {
        let more = json!({ "databases": { "orders": { "sku": "S0" } }, "publicAccess": false });
        let (drafts, problems) = expand("sqlServers", "orders", fields(more));
        assert_eq!(problems, []);
        let server = &drafts[0].body["properties"];
        assert_eq!(server["administrators"]["azureADOnlyAuthentication"], true);
        assert_eq!(
            (&server["administratorLogin"], &server["publicNetworkAccess"]),
            (&Value::Null, &json!("Disabled"))
        );
        let ids: Vec<&str> =
            drafts.iter().map(|draft| id(draft).split("/servers/").last().unwrap()).collect();
        assert_eq!(
            ids,
            [
                "orders",
                "orders/administrators/ActiveDirectory",
                "orders/azureADOnlyAuthentications/Default",
                "orders/databases/orders"
            ]
        );
        assert!(drafts[1..3].iter().all(|draft| draft.arrival == Arrival::WithParent));
    }

    #[test]
    fn what_azure_answers_is_no_change() {
        let (drafts, _) = expand("sqlServers", "orders", fields(json!({})));
        let live = json!({
            "location": "westeurope", "kind": "v12.0",
            "properties": {
                "administratorLogin": "CloudSA1a2b3c4d", "version": "12.0", "state": "Ready",
                "administrators": { "login": "others" }, "publicNetworkAccess": "Enabled",
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields_, code) in [
            (fields(json!({ "name": "SQL" })), "sql-server-name"),
            (fields(json!({ "entraAdmin": { "only": false } })), "sql-server-admin"),
            (json!({}), "sql-server-admin"),
            (json!({ "adminLogin": "a" }), "sql-server-admin"),
            (json!({ "adminPassword": secret("p") }), "sql-server-admin"),
            (json!({ "adminLogin": "a", "adminPassword": "Passw0rd!" }), "secret-in-clear"),
            (fields(json!({ "minTls": "1.0" })), "sql-server-rules"),
            (fields(json!({ "databases": { "a:b": {} } })), "sql-database-name"),
            (
                fields(json!({ "publicAccess": false, "firewallRules": { "a": { "from": "1.2.3.4" } } })),
                "sql-server-rules",
            ),
            (fields(json!({ "firewallRules": { "a": { "from": "1.2.3.0/24" } } })), "sql-server-rules"),
        ] {
            assert_eq!(codes(expand("sqlServers", "orders", fields_.clone())), [code], "{fields_}");
        }
    }
}
