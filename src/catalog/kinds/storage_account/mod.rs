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
pub use types::{CONTAINER, STORAGE_ACCOUNT};

use super::parts::{identity, members, switch};
use crate::catalog::{Draft, EntryCx, EntryKind, Merged, Nested, ResourceType};
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
    const ABOUT: &'static str = "A storage account and its blob containers. Both hold data: they are deleted or replaced only \
        when somebody names them. An endpoint reaches one service of the account: its blobs, unless `group` says otherwise.";
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
  media:
    name: stmedia${uniqueString(azure.resourceGroup)}
    networkRules: { ips: [203.0.113.7] }
";
    const TYPES: &'static [&'static ResourceType] = &[&STORAGE_ACCOUNT, &CONTAINER];
    const NESTED: &'static [Nested] = &[Nested::at("containers.*")];
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
