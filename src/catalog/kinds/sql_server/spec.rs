//! What a blueprint says of a SQL server.

use crate::catalog::Reference;
use indexmap::IndexMap;
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
    /// The databases.
    #[serde(default)]
    pub(super) databases: IndexMap<String, DatabaseSpec>,
    /// Public addresses that are let in.
    #[serde(default)]
    pub(super) firewall_rules: IndexMap<String, FirewallRuleSpec>,
    /// Subnets that are let in.
    #[serde(default)]
    pub(super) network_rules: IndexMap<String, NetworkRuleSpec>,
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
    /// Whether nobody signs in with a password; Azure's default (`false`) when absent.
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

/// A database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DatabaseSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// Its service objective, such as `S0`, `GP_S_Gen5` or `HS_Gen5`; Azure's default when absent.
    pub(super) sku: Option<String>,
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
