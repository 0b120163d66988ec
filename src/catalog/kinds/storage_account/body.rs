//! The bodies of a storage account.

use super::spec::{BlobsSpec, ContainerSpec, LifecycleSpec, NetworkRulesSpec, ShareSpec};
use crate::catalog::kinds::parts::members;
use serde_json::{Value, json};

impl ContainerSpec {
    pub(super) fn name<'a>(&'a self, key: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(key)
    }
}

impl NetworkRulesSpec {
    pub(super) fn body(&self) -> Value {
        // Azure takes no prefix of a single address.
        let alone = |ip: &String| ip.strip_suffix("/32").unwrap_or(ip).to_owned();
        let ips = self.ips.iter().map(|ip| json!({ "value": alone(ip), "action": "Allow" }));
        let subnets = self.subnets.iter().map(|subnet| json!({ "id": subnet.id(), "action": "Allow" }));
        json!({
            "defaultAction": "Deny",
            "bypass": if self.trusted_services { "AzureServices" } else { "None" },
            "ipRules": ips.collect::<Vec<_>>(),
            "virtualNetworkRules": subnets.collect::<Vec<_>>(),
        })
    }
}

/// What is kept for so many days, or not at all.
fn kept(days: Option<i64>) -> Option<Value> {
    days.map(|days| json!({ "enabled": true, "days": days }))
}

impl BlobsSpec {
    pub(super) fn body(&self) -> Value {
        let feed = self.change_feed.map(|on| {
            members([
                ("enabled", Some(on.into())),
                ("retentionInDays", self.change_feed_days.map(Value::from)),
            ])
        });
        let access = self.last_access.map(|on| {
            json!({ "enable": on, "name": "AccessTimeTracking", "trackingGranularityInDays": 1, "blobType": ["blockBlob"] })
        });
        json!({ "properties": members([
            ("isVersioningEnabled", self.versioning.map(Value::from)),
            ("deleteRetentionPolicy", kept(self.deleted_days)),
            ("containerDeleteRetentionPolicy", kept(self.deleted_container_days)),
            ("restorePolicy", kept(self.restore_days)),
            ("changeFeed", feed),
            ("lastAccessTimeTrackingPolicy", access),
        ]) })
    }
}

impl LifecycleSpec {
    pub(super) fn body(&self, name: &str) -> Value {
        let changed =
            |days: Option<i64>| days.map(|days| json!({ "daysAfterModificationGreaterThan": days }));
        let made = |days: Option<i64>| {
            days.map(|days| json!({ "delete": { "daysAfterCreationGreaterThan": days } }))
        };
        let blob = members([
            ("tierToCool", changed(self.cool_after_days)),
            ("tierToCold", changed(self.cold_after_days)),
            ("tierToArchive", changed(self.archive_after_days)),
            ("delete", changed(self.delete_after_days)),
        ]);
        let actions = members([
            ("baseBlob", blob.as_object().is_some_and(|blob| !blob.is_empty()).then_some(blob)),
            ("snapshot", made(self.delete_snapshots_after_days)),
            ("version", made(self.delete_versions_after_days)),
        ]);
        let filters = members([
            ("blobTypes", Some(json!(["blockBlob"]))),
            ("prefixMatch", (!self.prefixes.is_empty()).then(|| json!(self.prefixes))),
        ]);
        json!({
            "name": name, "type": "Lifecycle", "enabled": self.enabled,
            "definition": { "actions": actions, "filters": filters },
        })
    }
}

impl ShareSpec {
    pub(super) fn body(&self) -> Value {
        json!({ "properties": members([
            ("shareQuota", self.quota_gb.map(Value::from)),
            ("enabledProtocols", self.protocol.map(|protocol| json!(protocol))),
            ("accessTier", self.tier.map(|tier| json!(tier))),
        ]) })
    }
}
