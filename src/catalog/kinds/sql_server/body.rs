//! The bodies of a SQL server.

use super::spec::{AuditingSpec, BackupsSpec, DatabaseSpec, EntraAdminSpec, FailoverGroupSpec, PoolSpec};
use crate::catalog::EntryCx;
use crate::catalog::kinds::parts::{members, switch};
use crate::ident::ArmId;
use serde_json::{Value, json};

impl EntraAdminSpec {
    pub(super) fn body(&self, tenant: &str) -> Value {
        members([
            ("administratorType", Some("ActiveDirectory".into())),
            ("login", Some(self.login.clone().into())),
            ("sid", Some(self.principal.facet("principalId").into())),
            ("tenantId", Some(self.tenant.as_deref().unwrap_or(tenant).into())),
        ])
    }
}

impl DatabaseSpec {
    pub(super) fn body(&self, pool: Option<&ArmId>, cx: &EntryCx<'_>) -> Value {
        let bytes = self.max_size_gb.map(|size| size * 1024 * 1024 * 1024);
        let mut body = cx.tracked(members([
            ("elasticPoolId", pool.map(|pool| pool.as_str().into())),
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

impl PoolSpec {
    pub(super) fn body(&self, cx: &EntryCx<'_>) -> Value {
        let each = members([
            ("minCapacity", self.min_per_database.map(Value::from)),
            ("maxCapacity", self.max_per_database.map(Value::from)),
        ]);
        let mut body = cx.tracked(members([
            ("maxSizeBytes", self.max_size_gb.map(|size| (size * 1024 * 1024 * 1024).into())),
            ("perDatabaseSettings", each.as_object().is_some_and(|each| !each.is_empty()).then_some(each)),
            ("zoneRedundant", self.zone_redundant.map(Value::from)),
        ]));
        body["sku"] = json!({ "name": self.sku, "capacity": self.capacity });
        body
    }
}

impl BackupsSpec {
    /// How far back a database can be brought; `None` when nothing is said of it.
    pub(super) fn short(&self) -> Option<Value> {
        (self.days.is_some() || self.differential_hours.is_some()).then(|| {
            json!({ "properties": members([
                ("retentionDays", self.days.map(Value::from)),
                ("diffBackupIntervalInHours", self.differential_hours.map(Value::from)),
            ]) })
        })
    }

    /// Which backups are kept for longer; `None` when nothing is said of it.
    pub(super) fn long(&self) -> Option<Value> {
        let said = self.weekly.is_some() || self.monthly.is_some() || self.yearly.is_some();
        said.then(|| {
            let week = self.yearly.as_ref().map(|_| self.week_of_year.unwrap_or(1).into());
            json!({ "properties": members([
                ("weeklyRetention", self.weekly.clone().map(Value::from)),
                ("monthlyRetention", self.monthly.clone().map(Value::from)),
                ("yearlyRetention", self.yearly.clone().map(Value::from)),
                ("weekOfYear", week),
            ]) })
        })
    }
}

impl AuditingSpec {
    pub(super) fn body(&self) -> Value {
        json!({ "properties": members([
            ("state", Some("Enabled".into())),
            ("isAzureMonitorTargetEnabled", Some(self.monitor.into())),
            ("storageEndpoint", self.storage.as_ref().map(|storage| storage.facet("blobUri").into())),
            ("isManagedIdentityInUse", self.storage.as_ref().map(|_| true.into())),
            ("retentionDays", self.days.map(Value::from)),
            ("auditActionsAndGroups", (!self.groups.is_empty()).then(|| json!(self.groups))),
        ]) })
    }
}

impl FailoverGroupSpec {
    pub(super) fn body(&self, databases: &[ArmId]) -> Value {
        let writes = members([
            (
                "failoverPolicy",
                Some(if self.automatic_after_minutes.is_some() { "Automatic" } else { "Manual" }.into()),
            ),
            ("failoverWithDataLossGracePeriodMinutes", self.automatic_after_minutes.map(Value::from)),
        ]);
        json!({ "properties": members([
            ("partnerServers", Some(json!([{ "id": self.partner.id() }]))),
            ("databases", Some(json!(databases))),
            ("readWriteEndpoint", Some(writes)),
            ("readOnlyEndpoint", self.read_only_failover.map(|on| json!({ "failoverPolicy": switch(on) }))),
        ]) })
    }
}
