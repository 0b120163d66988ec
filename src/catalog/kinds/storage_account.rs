//! Storage accounts and their blob containers: `Microsoft.Storage/storageAccounts`
//! (<https://learn.microsoft.com/azure/templates/microsoft.storage/storageaccounts>).
//!
//! Containers are made through ARM, which works while the account does not answer on public networks.

use super::addresses::public_range;
use super::naming::{NameRule, small};
use super::parts::{identity, members, switch};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Lane, Merged, Nested, Preflight, Problem, Reference, ResourceType,
    UpdateMode,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::has_token;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// A storage account.
pub struct StorageAccount;

/// A storage account with its blob containers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// How data is kept, such as `Standard_LRS`, `Standard_ZRS` or `Standard_GZRS`. A new account has `Standard_ZRS` when
    /// absent.
    sku: Option<String>,
    /// What the account is for; `StorageV2`, for everything, when absent.
    #[serde(default)]
    kind: AccountKind,
    /// `Hot`, `Cool` or `Cold`; Azure's default (`Hot`) when absent.
    access_tier: Option<AccessTier>,
    /// Whether the account answers on public networks; `false` leaves private endpoints only. Azure's default (`true`) when
    /// absent.
    public_access: Option<bool>,
    /// Whether containers can be opened to everybody. A new account allows it not when absent.
    allow_public_blobs: Option<bool>,
    /// Whether the account's keys sign anybody in; Azure's default (`true`) when absent.
    shared_keys: Option<bool>,
    /// The oldest version of TLS that is accepted. A new account takes `TLS1_2` when absent; Azure by itself would take 1.0.
    min_tls: Option<MinTls>,
    /// Whether there are real folders (Data Lake Storage); Azure's default (`false`) when absent. Never changes.
    hierarchical: Option<bool>,
    /// Whether data is encrypted twice; Azure's default (`false`) when absent. Never changes.
    double_encryption: Option<bool>,
    /// The identities with which the account acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// From where on public networks the account may be reached.
    network_rules: Option<NetworkRulesSpec>,
    /// Blob containers.
    #[serde(default)]
    containers: IndexMap<String, ContainerSpec>,
}

/// What an account is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccountKind {
    /// Everything.
    #[default]
    StorageV2,
    /// Premium blobs.
    BlockBlobStorage,
    /// Premium file shares.
    FileStorage,
}

/// How quickly blobs are at hand.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum AccessTier {
    /// At once, and dear to keep.
    Hot,
    /// At once, and dear to read.
    Cool,
    /// The same, more so.
    Cold,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[allow(non_camel_case_types, reason = "the words are Azure's")]
pub enum MinTls {
    /// 1.0.
    TLS1_0,
    /// 1.1.
    TLS1_1,
    /// 1.2.
    #[default]
    TLS1_2,
}

/// From where an account may be reached: what is not allowed here is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkRulesSpec {
    /// Public addresses or CIDR blocks that are let in.
    #[serde(default)]
    ips: Vec<String>,
    /// Subnets that are let in; each needs the service endpoint `Microsoft.Storage`.
    #[serde(default)]
    #[schemars(extend("x-wants" = "subnet"))]
    subnets: Vec<Reference>,
    /// Whether Azure's own services pass all the same; `true` when absent.
    #[serde(default = "yes")]
    trusted_services: bool,
}

fn yes() -> bool {
    true
}

/// A blob container.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContainerSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Who reads it without signing in: `None` (Azure's default), `Blob` or `Container`; the account has to allow it.
    public_access: Option<ContainerAccess>,
}

/// Who reads a container without signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ContainerAccess {
    /// Nobody.
    None,
    /// Everybody who knows a blob's name.
    Blob,
    /// Everybody.
    Container,
}

const ACCOUNTS: &str = "Microsoft.Storage/storageAccounts";
const CONTAINERS: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
const API_VERSION: &str = "2025-08-01";

/// The account.
pub static STORAGE_ACCOUNT: ResourceType = ResourceType {
    stateful: true,
    update: UpdateMode::Patch,
    lanes: &[Lane::Ancestor(ACCOUNTS)],
    rules: &[
        Rule::at("kind").fold_case().immutable(),
        // Locally, by zones or by regions is changed in place; the disks below are not.
        Rule::at("sku.name").fold_case(),
        Rule::at("sku.tier").read_only(),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.accessTier").fold_case().default("\"Hot\""),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.allowBlobPublicAccess").default("false"),
        Rule::at("properties.allowSharedKeyAccess").default("true"),
        Rule::at("properties.allowCrossTenantReplication").default("false"),
        Rule::at("properties.minimumTlsVersion").fold_case(),
        Rule::at("properties.supportsHttpsTrafficOnly").default("true"),
        Rule::at("properties.isHnsEnabled").immutable().default("false"),
        Rule::at("properties.encryption.requireInfrastructureEncryption").immutable().default("false"),
        Rule::at("properties.networkAcls.bypass").fold_case().default("\"AzureServices\""),
        Rule::at("properties.networkAcls.defaultAction").fold_case().default("\"Allow\""),
        Rule::at("properties.networkAcls.ipRules").keyed("value"),
        Rule::at("properties.networkAcls.ipRules[].value").cidr(),
        Rule::at("properties.networkAcls.ipRules[].action").fold_case().default("\"Allow\""),
        Rule::at("properties.networkAcls.virtualNetworkRules").keyed("id"),
        Rule::at("properties.networkAcls.virtualNetworkRules[].action").fold_case().default("\"Allow\""),
        Rule::at("properties.networkAcls.virtualNetworkRules[].state").read_only(),
        Rule::at("properties.primaryEndpoints").read_only(),
        Rule::at("properties.secondaryEndpoints").read_only(),
        Rule::at("properties.primaryLocation").read_only(),
        Rule::at("properties.secondaryLocation").read_only(),
        Rule::at("properties.statusOfPrimary").read_only(),
        Rule::at("properties.statusOfSecondary").read_only(),
        Rule::at("properties.creationTime").read_only(),
        Rule::at("properties.keyCreationTime").read_only(),
        Rule::at("properties.accountMigrationInProgress").read_only(),
        Rule::at("properties.blobRestoreStatus").read_only(),
        Rule::at("properties.failoverInProgress").read_only(),
        Rule::at("properties.geoReplicationStats").read_only(),
        Rule::at("properties.isSkuConversionBlocked").read_only(),
        Rule::at("properties.lastGeoFailoverTime").read_only(),
        Rule::at("properties.storageAccountSkuConversionStatus").read_only(),
        Rule::at("properties.encryption.keyvaultproperties.currentVersionedKeyExpirationTimestamp")
            .read_only(),
        Rule::at("properties.encryption.keyvaultproperties.currentVersionedKeyIdentifier").read_only(),
        Rule::at("properties.encryption.keyvaultproperties.lastKeyRotationTimestamp").read_only(),
        Rule::at("properties.encryption.services.*.lastEnabledTime").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[
        Facet::new("blobUri", "/properties/primaryEndpoints/blob", "the URL of its blobs"),
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity"),
    ],
    preflight: &[Preflight::Name {
        path: "Microsoft.Storage/checkNameAvailability",
        api_version: API_VERSION,
    }],
    expected: Duration::from_secs(30),
    expected_update: Duration::from_secs(10),
    expected_delete: Duration::from_secs(10),
    ..ResourceType::new(ACCOUNTS, API_VERSION, "storage account")
};

/// A blob container.
pub static CONTAINER: ResourceType = ResourceType {
    stateful: true,
    tags: false,
    lanes: &[Lane::Ancestor(ACCOUNTS)],
    rules: &[
        Rule::at("properties.publicAccess").fold_case().default("\"None\""),
        Rule::at("properties.leaseStatus").read_only(),
        Rule::at("properties.leaseState").read_only(),
        Rule::at("properties.leaseDuration").read_only(),
        Rule::at("properties.deletedTime").read_only(),
        Rule::at("properties.immutabilityPolicy").read_only(),
        Rule::at("properties.legalHold").read_only(),
        Rule::at("properties.immutableStorageWithVersioning.migrationState").read_only(),
        Rule::at("properties.immutableStorageWithVersioning.timeStamp").read_only(),
        Rule::at("properties.lastModifiedTime").read_only(),
        Rule::at("properties.hasImmutabilityPolicy").read_only(),
        Rule::at("properties.hasLegalHold").read_only(),
        Rule::at("properties.deleted").read_only(),
        Rule::at("properties.remainingRetentionDays").read_only(),
        Rule::at("properties.version").read_only(),
    ],
    ..ResourceType::new(CONTAINERS, API_VERSION, "blob container")
};

const CODES: &[&Code] = &[&STORAGE_ACCOUNT_NAME, &STORAGE_CONTAINER_NAME, &STORAGE_ACCOUNT_ACCESS];

const STORAGE_ACCOUNT_NAME: Code = Code {
    name: "storage-account-name",
    why: "The name of a storage account is part of a DNS name that all of Azure shares.",
    remedy: "Use 3 to 24 small letters and digits; `uniqueString` keeps it apart from others.",
    example: "name: stshop${uniqueString(azure.resourceGroup)}",
};

const NAME: NameRule = NameRule {
    code: &STORAGE_ACCOUNT_NAME,
    what: "a storage account",
    min: 3,
    max: 24,
    first: small,
    inner: small,
    last: small,
    says: "3 to 24 small letters and digits; names of storage accounts are taken worldwide, so \
           `${uniqueString(azure.resourceGroup)}` helps",
};

const STORAGE_CONTAINER_NAME: Code = Code {
    name: "storage-container-name",
    why: "The name cannot be that of a blob container.",
    remedy: "Use 3 to 63 small letters, digits and single `-`.",
    example: "containers: { orders: {} }",
};

const CONTAINER_NAME: NameRule = NameRule {
    code: &STORAGE_CONTAINER_NAME,
    what: "a blob container",
    min: 3,
    max: 63,
    first: small,
    inner: |c| small(c) || c == '-',
    last: small,
    says: "3 to 63 small letters, digits and `-`, not starting or ending with `-`, and no `--`",
};

const STORAGE_ACCOUNT_ACCESS: Code = Code {
    name: "storage-account-access",
    why: "Rules are about public addresses and have no effect without public access; an open container needs an account that allows it.",
    remedy: "Write it as the message says.",
    example: "storageAccounts: { logs: { name: stlogs, publicAccess: false } }",
};

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
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
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

impl ContainerSpec {
    fn name<'a>(&'a self, key: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(key)
    }
}

impl NetworkRulesSpec {
    fn body(&self) -> Value {
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

impl Spec {
    fn check(&self, cx: &mut EntryCx<'_>) {
        NAME.check(&cx.common.name.clone(), "name", cx);
        for (key, container) in &self.containers {
            let (name, path) = (container.name(key), format!("containers.{key}"));
            if name != "$web" && name != "$root" {
                CONTAINER_NAME.check(name, &path, cx);
            }
            if CONTAINER_NAME.allows(name) && name.contains("--") {
                let message = format!("`{name}` has two `-` in a row");
                cx.problem(
                    Problem::error(&STORAGE_CONTAINER_NAME, &*path, message).help("use one `-` at a time"),
                );
            }
            let open = container.public_access.is_some_and(|access| access != ContainerAccess::None);
            if open && self.allow_public_blobs != Some(true) {
                let message = "the account does not allow reads without a sign-in";
                cx.problem(
                    Problem::error(&STORAGE_ACCOUNT_ACCESS, format!("{path}.publicAccess"), message)
                        .help("write `allowPublicBlobs: true` in the account, or take `publicAccess` out of the container"),
                );
            }
        }
        let Some(rules) = &self.network_rules else { return };
        if self.public_access == Some(false) && !(rules.ips.is_empty() && rules.subnets.is_empty()) {
            let message =
                "with `publicAccess: false` no address and no subnet is let in, whatever the rules say";
            cx.problem(
                Problem::warning(&STORAGE_ACCOUNT_ACCESS, "networkRules", message)
                    .help("drop the rules, or `publicAccess: false`"),
            );
        }
        for (index, ip) in rules.ips.iter().enumerate().filter(|(_, ip)| !has_token(ip)) {
            let wrong = match public_range(ip) {
                Ok(range) if range.prefix_len() == 31 => Some((
                    "Azure takes no range of two addresses".to_owned(),
                    "write both addresses".to_owned(),
                )),
                Ok(_) => None,
                Err(wrong) => Some(wrong),
            };
            if let Some((message, help)) = wrong {
                let path = format!("networkRules.ips[{index}]");
                cx.problem(Problem::error(&STORAGE_ACCOUNT_ACCESS, path, message).help(help));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id};

    #[test]
    fn a_new_account_is_safer_than_azure_by_itself() {
        let fields = json!({ "name": "stlogs", "publicAccess": false, "containers": { "audit": {} } });
        let (drafts, problems) = expand("storageAccounts", "logs", fields);
        assert_eq!(problems, []);
        let created = drafts[0].created();
        assert_eq!(created["properties"]["minimumTlsVersion"], "TLS1_2");
        assert_eq!(created["properties"]["publicNetworkAccess"], "Disabled");
        assert!(id(&drafts[1]).ends_with("/storageAccounts/stlogs/blobServices/default/containers/audit"));
    }

    #[test]
    fn what_azure_answers_is_no_change_and_what_is_left_out_stays() {
        let fields = json!({ "name": "stlogs", "networkRules": { "ips": ["203.0.113.7/32"] } });
        let (drafts, _) = expand("storageAccounts", "logs", fields);
        let live = json!({
            "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS", "tier": "Standard" },
            "properties": {
                "minimumTlsVersion": "TLS1_0", "allowBlobPublicAccess": true, "accessTier": "Hot",
                "networkAcls": {
                    "bypass": "AzureServices", "defaultAction": "Deny", "virtualNetworkRules": [], "ipv6Rules": [],
                    "ipRules": [{ "value": "203.0.113.7", "action": "Allow" }],
                },
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields, code) in [
            (json!({ "name": "st-logs" }), "storage-account-name"),
            (json!({ "name": "stlogs", "containers": { "A": {} } }), "storage-container-name"),
            (json!({ "name": "stlogs", "containers": { "a--b": {} } }), "storage-container-name"),
            (
                json!({ "name": "stlogs", "containers": { "abc": { "publicAccess": "Blob" } } }),
                "storage-account-access",
            ),
            (
                json!({ "name": "stlogs", "networkRules": { "ips": ["203.0.113.0/31"] } }),
                "storage-account-access",
            ),
            (
                json!({ "name": "stlogs", "publicAccess": false, "networkRules": { "ips": ["203.0.113.7"] } }),
                "storage-account-access",
            ),
        ] {
            assert_eq!(codes(expand("storageAccounts", "logs", fields.clone())), [code], "{fields}");
        }
    }
}
