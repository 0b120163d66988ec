//! What a blueprint says of a SQL server.

use crate::catalog::{Named, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An Azure SQL server with its databases, and who may reach it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The name of the administrator that has a password. Never changes; leave it out with `entraAdmin: { only: true }`.
    pub(super) admin_login: Option<String>,
    /// That administrator's password: a parameter with `secret: true`.
    pub(super) admin_password: Option<String>,
    /// The administrator from Microsoft Entra.
    pub(super) entra_admin: Option<EntraAdminSpec>,
    /// Whether the server answers on public networks; `false` leaves private endpoints only. Azure's default (`true`) when
    /// absent.
    pub(super) public_access: Option<bool>,
    /// The oldest version of TLS that is accepted: `1.2` or `1.3`; Azure's default when absent.
    pub(super) min_tls: Option<String>,
    /// Whether the server itself may call only what is allowed; Azure's default (`false`) when absent.
    pub(super) restrict_outbound: Option<bool>,
    /// The identities with which the server acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) identities: Vec<Reference>,
    /// Which of the user-assigned ones it acts with where one has to be chosen.
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) primary_identity: Option<Reference>,
    /// A record of who did what in the databases.
    pub(super) auditing: Option<AuditingSpec>,
    /// Pools of cores and memory that several databases share.
    #[serde(default)]
    pub(super) elastic_pools: Named<PoolSpec>,
    /// Copies of databases on a server in another region, which takes over when this one fails.
    #[serde(default)]
    pub(super) failover_groups: Named<FailoverGroupSpec>,
    /// The databases.
    #[serde(default)]
    pub(super) databases: Named<DatabaseSpec>,
    /// Public addresses that are let in.
    #[serde(default)]
    pub(super) firewall_rules: Named<FirewallRuleSpec>,
    /// Subnets that are let in.
    #[serde(default)]
    pub(super) network_rules: Named<NetworkRuleSpec>,
}

/// The administrator from Microsoft Entra.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EntraAdminSpec {
    /// The name that is shown: that of the group, the user's address, or the identity's name.
    pub(super) login: String,
    /// Who: an identity of the blueprint, or an object id.
    #[schemars(extend("x-wants" = "principal"))]
    pub(super) principal: Reference,
    /// What the principal is.
    pub(super) principal_type: Option<EntraPrincipal>,
    /// The tenant; the caller's when absent.
    pub(super) tenant: Option<String>,
    /// Whether sign-in with a password is off; Azure's default (`false`) when absent.
    pub(super) only: Option<bool>,
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

/// A record of who did what in the databases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AuditingSpec {
    /// Whether it goes to Azure Monitor, from where a diagnostic setting of the database `master` takes it; `true` when
    /// absent.
    #[serde(default = "yes")]
    pub(super) monitor: bool,
    /// A storage account that it goes to as well. An identity of the server writes it, with the role Storage Blob Data
    /// Contributor there.
    #[schemars(extend("x-wants" = "storage account"))]
    pub(super) storage: Option<Reference>,
    /// How many days it is kept in the storage account; for good when absent.
    pub(super) days: Option<i64>,
    /// What is recorded, such as `BATCH_COMPLETED_GROUP`; Azure's default when absent.
    #[serde(default)]
    pub(super) groups: Vec<String>,
}

fn yes() -> bool {
    true
}

/// A pool that several databases share.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PoolSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// Its service objective, such as `StandardPool`, `GP_Gen5` or `BC_Gen5`.
    pub(super) sku: String,
    /// How many cores or units it has.
    pub(super) capacity: i64,
    /// How many gigabytes its databases may hold together; Azure's default when absent.
    pub(super) max_size_gb: Option<i64>,
    /// How many cores or units each database has for certain; Azure's default (0) when absent.
    pub(super) min_per_database: Option<f64>,
    /// How many cores or units a database may have; Azure's default (all) when absent.
    pub(super) max_per_database: Option<f64>,
    /// Whether it is spread over availability zones; Azure's default (`false`) when absent.
    pub(super) zone_redundant: Option<bool>,
}

/// Copies of databases on another server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FailoverGroupSpec {
    /// The Azure name, part of a host name that all of Azure shares; the key when absent.
    pub(super) name: Option<String>,
    /// The server in another region.
    #[schemars(extend("x-wants" = "SQL server"))]
    pub(super) partner: Reference,
    /// Keys of the databases that are copied there.
    pub(super) databases: Vec<String>,
    /// After how many minutes Azure fails over by itself, although data may be lost: 60 or more; only a person fails over when
    /// absent.
    pub(super) automatic_after_minutes: Option<i64>,
    /// Whether the host name for reading fails over too; Azure's default (`false`) when absent.
    pub(super) read_only_failover: Option<bool>,
}

/// How long backups are kept. Durations are those of ISO 8601, such as `P4W`, `P12M` or `P10Y`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BackupsSpec {
    /// How many days the database can be brought back to any moment: 1 to 35; Azure's default (7) when absent.
    pub(super) days: Option<i64>,
    /// How many hours lie between two differential backups: 12 or 24; Azure's default when absent.
    pub(super) differential_hours: Option<i64>,
    /// How long one backup of each week is kept; not at all when absent.
    pub(super) weekly: Option<String>,
    /// How long the first backup of each month is kept; not at all when absent.
    pub(super) monthly: Option<String>,
    /// How long one backup of each year is kept; not at all when absent.
    pub(super) yearly: Option<String>,
    /// The week of the year whose backup that is: 1 to 52; 1 when absent.
    pub(super) week_of_year: Option<i64>,
}

/// A database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DatabaseSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// Its service objective, such as `S0`, `GP_S_Gen5` or `HS_Gen5`; Azure's default when absent.
    pub(super) sku: Option<String>,
    /// The key of the pool that it is in, in place of a service objective of its own.
    pub(super) elastic_pool: Option<String>,
    /// How long its backups are kept.
    pub(super) backups: Option<BackupsSpec>,
    /// How many cores or units, for SKUs that leave it open.
    pub(super) capacity: Option<i64>,
    /// How many gigabytes it may hold; Azure's default when absent.
    pub(super) max_size_gb: Option<i64>,
    /// The least number of cores of a serverless database.
    pub(super) min_capacity: Option<f64>,
    /// After how many idle minutes a serverless database pauses; `-1` for never.
    pub(super) auto_pause_minutes: Option<i64>,
    /// Whether it is spread over availability zones; Azure's default (`false`) when absent.
    pub(super) zone_redundant: Option<bool>,
    /// Where backups are kept: `Local`, `Zone`, `Geo` or `GeoZone`; Azure's default (`Geo`) when absent.
    pub(super) backup_redundancy: Option<BackupRedundancy>,
    /// How texts are compared and sorted; Azure's default when absent. Never changes.
    pub(super) collation: Option<String>,
    /// Whether read-only sessions go to a replica of their own; Azure's default when absent.
    pub(super) read_scale: Option<bool>,
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
    pub(super) name: Option<String>,
    /// Its first address. `0.0.0.0` as first and last lets in everything that runs in Azure, other people's too.
    pub(super) from: String,
    /// Its last address; that of `from` when absent.
    pub(super) to: Option<String>,
}

/// A subnet that is let in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkRuleSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// The subnet; it needs the service endpoint `Microsoft.Sql`.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Reference,
    /// Whether a subnet without that service endpoint is accepted all the same.
    #[serde(default)]
    pub(super) ignore_missing_service_endpoint: bool,
}
