//! The bodies of a SQL server.

use super::spec::{DatabaseSpec, EntraAdminSpec};
use crate::catalog::EntryCx;
use crate::catalog::kinds::parts::{members, switch};
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
    pub(super) fn body(&self, cx: &EntryCx<'_>) -> Value {
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
