//! Storage accounts and their blob containers: `Microsoft.Storage/storageAccounts`
//! (<https://learn.microsoft.com/azure/templates/microsoft.storage/storageaccounts>).
//!
//! Containers are made through ARM, which works while the account does not answer on public networks.

mod body;
mod checks;
mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::Spec;
pub use types::{BLOB_SERVICE, CONTAINER, LIFECYCLE, SHARE, STORAGE_ACCOUNT, STORAGE_QUEUE, TABLE};

use super::parts::{identity, members, switch};
use crate::catalog::{Arrival, Draft, EntryCx, EntryKind, Merged, Nested, ResourceType};
use crate::diag::Code;
use serde_json::{Value, json};
use spec::NetworkRulesSpec;
use types::ACCOUNTS;

/// A storage account.
pub struct StorageAccount;

impl EntryKind for StorageAccount {
    const SECTION: &'static str = "storageAccounts";
    const TITLE: &'static str = "storage account";
    const ARM_TYPE: &'static str = ACCOUNTS;
    const ABOUT: &'static str = "A storage account with its blob containers, shares, queues and tables, and what becomes of old \
        blobs. They hold data: they are deleted or replaced only when somebody names them. An endpoint reaches one service of the account: its blobs, unless `group` says otherwise.";
    const EXAMPLE: &'static str = "\
storageAccounts:
  logs:
    name: stlogs${uniqueString(azure.resourceGroup)}
    sku: Standard_ZRS
    publicAccess: false
    sharedKeys: false
    identities: [system]
    containers:
      audit: {}
    blobs: { versioning: true, changeFeed: true, deletedDays: 30, deletedContainerDays: 30, restoreDays: 29 }
    lifecycle:
      old: { prefixes: [audit/], coolAfterDays: 30, deleteAfterDays: 400, deleteVersionsAfterDays: 90 }
    shares:
      reports: { quotaGb: 100, tier: Cool }
    queues: { jobs: {} }
    tables: { sessions: {} }
  media:
    name: stmedia${uniqueString(azure.resourceGroup)}
    networkRules: { ips: [203.0.113.7] }
";
    const TYPES: &'static [&'static ResourceType] =
        &[&STORAGE_ACCOUNT, &BLOB_SERVICE, &CONTAINER, &LIFECYCLE, &SHARE, &STORAGE_QUEUE, &TABLE];
    const NESTED: &'static [Nested] = &[
        Nested::at("blobs"),
        Nested::at("containers.*"),
        Nested::at("shares.*"),
        Nested::at("queues.*"),
        Nested::at("tables.*"),
    ];
    const MERGED: &'static [Merged] = &[
        Merged::list("networkRules.ips", "properties.networkAcls.ipRules"),
        Merged::list("networkRules.subnets", "properties.networkAcls.virtualNetworkRules"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        spec.check(cx);
        let (name, address) = (cx.common.name.clone(), cx.address.clone());
        let account = cx.id(ACCOUNTS, &[&name]);
        let properties = members([
            ("accessTier", spec.access_tier.map(|tier| json!(tier))),
            ("publicNetworkAccess", spec.public_access.map(switch)),
            ("allowBlobPublicAccess", Some(spec.allow_public_blobs.unwrap_or(false).into())),
            ("allowSharedKeyAccess", spec.shared_keys.map(Value::from)),
            ("minimumTlsVersion", Some(json!(spec.min_tls.unwrap_or_default()))),
            ("isHnsEnabled", spec.hierarchical.map(Value::from)),
            (
                "encryption",
                spec.double_encryption.map(
                    |on| json!({ "requireInfrastructureEncryption": on, "keySource": "Microsoft.Storage" }),
                ),
            ),
            ("networkAcls", spec.network_rules.as_ref().map(NetworkRulesSpec::body)),
        ]);
        let mut body = cx.tracked(properties);
        body["sku"] = json!({ "name": spec.sku.as_deref().unwrap_or("Standard_ZRS") });
        body["kind"] = json!(spec.kind);
        if let Some(identity) = identity(&spec.identities, "SystemAssigned,UserAssigned") {
            body["identity"] = identity;
        }
        let unsaid = [
            ("sku", spec.sku.is_none()),
            ("properties.minimumTlsVersion", spec.min_tls.is_none()),
            ("properties.allowBlobPublicAccess", spec.allow_public_blobs.is_none()),
        ];
        cx.main(Draft::new(address.clone(), account.as_str(), &STORAGE_ACCOUNT, body).initially_if(&unsaid));
        if let Some(blobs) = &spec.blobs {
            let id = account.child("blobServices", "default");
            let mut draft = Draft::new(address.child("blobs"), id.as_str(), &BLOB_SERVICE, blobs.body());
            draft.arrival = Arrival::WithParent;
            cx.also(draft.origin("blobs"));
        }
        if !spec.lifecycle.is_empty() {
            let id = account.child("managementPolicies", "default");
            let rules: Vec<Value> = spec.lifecycle.iter().map(|(name, rule)| rule.body(name)).collect();
            let body = json!({ "properties": { "policy": { "rules": rules } } });
            let draft =
                Draft::new(address.child("lifecycle"), id.as_str(), &LIFECYCLE, body).origin("lifecycle");
            // Whether earlier versions are kept is said there.
            let blobs = spec.blobs.as_ref().map(|_| address.child("blobs"));
            cx.also(blobs.iter().fold(draft, |draft, blobs| draft.needs(blobs.as_str())));
        }
        let none = || json!({ "properties": {} });
        let shares = spec
            .shares
            .iter()
            .map(|(key, share)| (key, &share.name, "shares", "fileServices", &SHARE, share.body()));
        let queues = spec
            .queues
            .iter()
            .map(|(key, one)| (key, &one.name, "queues", "queueServices", &STORAGE_QUEUE, none()));
        let tables =
            spec.tables.iter().map(|(key, one)| (key, &one.name, "tables", "tableServices", &TABLE, none()));
        for (key, name, list, service, kind, body) in shares.chain(queues).chain(tables) {
            let id = account.child(service, "default").child(list, name.as_deref().unwrap_or(key));
            let own = address.child(list).child(key);
            cx.also(Draft::new(own, id.as_str(), kind, body).origin(format!("{list}.{key}")));
        }
        for (key, container) in &spec.containers {
            let id = account.child("blobServices", "default").child("containers", container.name(key));
            let body = json!({ "properties": members([
                ("publicAccess", container.public_access.map(|access| json!(access))),
            ]) });
            let own = address.child("containers").child(key);
            cx.also(Draft::new(own, id.as_str(), &CONTAINER, body).origin(format!("containers.{key}")));
        }
    }
}
