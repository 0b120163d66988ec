//! Azure SQL servers and their databases: `Microsoft.Sql/servers`
//! (<https://learn.microsoft.com/azure/templates/microsoft.sql/servers>).
//!
//! A server takes its Entra administrator in the body of its create, so that it never has a password that nobody wants; what
//! changes later is changed at resources of their own, which Azure makes with the server.

mod body;
mod checks;
mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::Spec;
pub use types::{
    ADMINISTRATOR, AUDITING, DATABASE, ELASTIC_POOL, ENTRA_ONLY, FAILOVER_GROUP, FIREWALL_RULE,
    LONG_RETENTION, NETWORK_RULE, SHORT_RETENTION, SQL_SERVER,
};

use super::parts::{identity, members, switch};
use crate::catalog::{Arrival, Draft, EntryCx, EntryKind, Members, Merged, Nested, ResourceType};
use crate::diag::Code;
use serde_json::{Value, json};
use types::SERVERS;

/// An Azure SQL server.
pub struct SqlServer;

impl EntryKind for SqlServer {
    const SECTION: &'static str = "sqlServers";
    const TITLE: &'static str = "SQL server";
    const ARM_TYPE: &'static str = SERVERS;
    const ABOUT: &'static str = "An Azure SQL server with its databases and their backups, its administrators and who may reach it. Server and \
        databases hold data: they are deleted or replaced only with `--allow-delete` or `--allow-replace`.";
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
      orders:
        sku: GP_S_Gen5
        capacity: 2
        minCapacity: 0.5
        autoPauseMinutes: 60
        maxSizeGb: 32
        backupRedundancy: Zone
        backups: { days: 14, differentialHours: 12, weekly: P4W, yearly: P5Y, weekOfYear: 2 }
      reports: { elasticPool: shared }
    elasticPools:
      shared: { sku: GP_Gen5, capacity: 4, maxPerDatabase: 2 }
    auditing: { monitor: true }
    failoverGroups:
      orders:
        name: fog-orders-${uniqueString(azure.resourceGroup)}
        partner: ${sqlServers.second}
        databases: [orders]
        automaticAfterMinutes: 60
  second:
    name: sql-second-${uniqueString(azure.resourceGroup)}
    location: northeurope
    entraAdmin: { login: id-sql-admin, principal: '${identities.admin}', principalType: Application, only: true }
  legacy:
    name: sql-legacy-${uniqueString(azure.resourceGroup)}
    adminLogin: sqladmin
    adminPassword: ${param.sqlPassword}
    firewallRules:
      office: { from: 203.0.113.1, to: 203.0.113.14 }
    networkRules:
      nodes: { subnet: '${networks.hub.subnets.nodes}' }
";
    const TYPES: &'static [&'static ResourceType] = &[
        &SQL_SERVER,
        &ADMINISTRATOR,
        &ENTRA_ONLY,
        &AUDITING,
        &ELASTIC_POOL,
        &DATABASE,
        &SHORT_RETENTION,
        &LONG_RETENTION,
        &FAILOVER_GROUP,
        &FIREWALL_RULE,
        &NETWORK_RULE,
    ];
    // What others let in opens the server: a list of it may be the blueprint's alone. Databases hold data, and are not.
    const MERGED: &'static [Merged] = &[
        Merged { within: "", name: "firewallRules", members: Members::Children(&[&FIREWALL_RULE]) },
        Merged { within: "", name: "networkRules", members: Members::Children(&[&NETWORK_RULE]) },
        Merged::list("identities", "identity.userAssignedIdentities"),
    ];
    const NESTED: &'static [Nested] = &[
        Nested::at("auditing"),
        Nested::at("elasticPools.*"),
        Nested::at("failoverGroups.*"),
        Nested::at("databases.*"),
        Nested::at("firewallRules.*"),
        Nested::at("networkRules.*"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES];
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
        if let Some(auditing) = &spec.auditing {
            let id = server.child("auditingSettings", "default");
            let mut draft = Draft::new(address.child("auditing"), id.as_str(), &AUDITING, auditing.body());
            draft.arrival = Arrival::WithParent;
            cx.also(draft.origin("auditing"));
        }
        for (key, pool) in &spec.elastic_pools {
            let id = server.child("elasticPools", pool.name.as_deref().unwrap_or(key));
            let own = address.child("elasticPools").child(key);
            let body = pool.body(cx);
            cx.also(Draft::new(own, id.as_str(), &ELASTIC_POOL, body).origin(format!("elasticPools.{key}")));
        }
        for (key, database) in &spec.databases {
            let id = server.child("databases", database.name.as_deref().unwrap_or(key));
            let pool = database.elastic_pool.as_ref().and_then(|at| Some((at, spec.elastic_pools.get(at)?)));
            let pool_id =
                pool.map(|(at, pool)| server.child("elasticPools", pool.name.as_deref().unwrap_or(at)));
            let body = database.body(pool_id.as_ref(), cx);
            let own = address.child("databases").child(key);
            let draft =
                Draft::new(own.clone(), id.as_str(), &DATABASE, body).origin(format!("databases.{key}"));
            let needed = pool.map(|(at, _)| address.child("elasticPools").child(at));
            cx.also(needed.iter().fold(draft, |draft, pool| draft.needs(pool.as_str())));
            let backups = database.backups.as_ref();
            let short = backups.and_then(|backups| {
                Some((backups.short()?, &SHORT_RETENTION, "backupShortTermRetentionPolicies", "backups"))
            });
            let long = backups.and_then(|backups| {
                Some((backups.long()?, &LONG_RETENTION, "backupLongTermRetentionPolicies", "keptBackups"))
            });
            for (body, kind, list, name) in short.into_iter().chain(long) {
                let id = id.child(list, "default");
                let mut draft = Draft::new(own.child(name), id.as_str(), kind, body);
                draft.arrival = Arrival::WithParent;
                cx.also(draft.needs(own.as_str()).origin(format!("databases.{key}.backups")));
            }
        }
        for (key, group) in &spec.failover_groups {
            let id = server.child("failoverGroups", group.name.as_deref().unwrap_or(key));
            let databases = group.databases.iter().filter_map(|at| Some((at, spec.databases.get(at)?)));
            let ids: Vec<_> = databases
                .clone()
                .map(|(at, one)| server.child("databases", one.name.as_deref().unwrap_or(at)))
                .collect();
            let own = address.child("failoverGroups").child(key);
            let draft = Draft::new(own, id.as_str(), &FAILOVER_GROUP, group.body(&ids));
            let needed = databases.map(|(at, _)| address.child("databases").child(at));
            let draft = needed.fold(draft, |draft, database| draft.needs(database.as_str()));
            cx.also(draft.origin(format!("failoverGroups.{key}")));
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
