//! Event Hubs namespaces: `Microsoft.EventHub/namespaces`
//! (<https://learn.microsoft.com/azure/templates/microsoft.eventhub/namespaces>).

use super::messaging::{
    self, API_VERSION, AccessKeySpec, NAME, NAMESPACE_PART, NetworkRulesSpec, PART, access_keys,
};
use super::parts::{SYSTEM_IDENTITY, identity, members, switch, within};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Lane, Merged, Named, Nested, Preflight, Problem, Reference,
    ResourceType,
};
use crate::value::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// An Event Hubs namespace.
pub struct EventHubs;

/// An Event Hubs namespace with its hubs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// `Basic`, `Standard`, or `Premium`; private endpoints need `Standard` or more. `Standard` when absent. Premium and the
    /// others never become each other.
    #[serde(default)]
    sku: Sku,
    /// How many throughput or processing units; 1 for a new namespace when absent.
    capacity: Option<i64>,
    /// Up to how many throughput units it grows by itself, 1 to 40; not at all when absent.
    auto_inflate_to: Option<i64>,
    /// Whether the namespace answers on public networks; `false` leaves private endpoints only. Azure's default (`true`) when
    /// absent.
    public_access: Option<bool>,
    /// Whether access keys are accepted; Azure's default (`true`) when absent.
    local_auth: Option<bool>,
    /// The identities with which the namespace acts: `system`, and user-assigned ones. Once given, Azure keeps one.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// Who may reach it on public networks.
    network_rules: Option<NetworkRulesSpec>,
    /// Pairs of keys that sign in to the namespace, besides Azure's own. berth reads none of them.
    #[serde(default)]
    access_keys: Named<AccessKeySpec>,
    /// Its hubs.
    #[serde(default)]
    hubs: Named<HubSpec>,
}

/// The edition of a namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Sku {
    /// The smallest.
    Basic,
    /// Also consumer groups, Kafka and private link.
    #[default]
    Standard,
    /// Machines of one's own.
    Premium,
}

/// A hub.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HubSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Over how many partitions events are spread; 4 for a new hub when absent. Never changes, but of Premium.
    partitions: Option<i64>,
    /// How many hours events are kept; Azure's default when absent.
    retention_hours: Option<i64>,
    /// What goes when there is too much: old events (`Delete`, Azure's default), or all but the last of a key (`Compact`).
    cleanup: Option<Cleanup>,
    /// Writes the events to a storage account as well.
    capture: Option<CaptureSpec>,
    /// Groups of readers, besides `$Default`.
    #[serde(default)]
    consumer_groups: Vec<String>,
}

/// What goes when there is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Cleanup {
    /// Old events.
    Delete,
    /// All but the last event of a key.
    Compact,
}

/// Where events are written to as well.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CaptureSpec {
    /// The storage account.
    #[schemars(extend("x-wants" = "storage account"))]
    storage: Reference,
    /// The name of its blob container.
    container: String,
    /// The identity that writes: `system`, or a user-assigned one of the namespace; a key of the account when absent.
    #[schemars(extend("x-wants" = "identity"))]
    identity: Option<Reference>,
    /// After how many seconds a file is written: 60 to 900; Azure's default (300) when absent.
    seconds: Option<i64>,
    /// After how many megabytes a file is written: 10 to 500; Azure's default (300) when absent.
    megabytes: Option<i64>,
    /// How files are called; Azure's way when absent. It names `{Namespace}`, `{EventHub}`, `{PartitionId}` and all parts of
    /// the time, down to `{Second}`.
    file_names: Option<String>,
    /// Whether no file is written when there was no event; Azure's default (`false`) when absent.
    skip_empty: Option<bool>,
    /// Whether it is on; `true` when absent.
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

/// How files are called by Azure.
const FILE_NAMES: &str = "{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}";

const NAMESPACES: &str = "Microsoft.EventHub/namespaces";

/// The namespace.
pub static EVENT_HUBS: ResourceType = ResourceType {
    stateful: true,
    lanes: &[Lane::Ancestor(NAMESPACES)],
    rules: &[
        Rule::at("sku.name").fold_case().steps(&[("Basic", "Standard"), ("Standard", "Basic")]),
        Rule::at("sku.tier").fold_case().steps(&[("Basic", "Standard"), ("Standard", "Basic")]),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.isAutoInflateEnabled").default("false"),
        Rule::at("properties.maximumThroughputUnits").default("0"),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.disableLocalAuth").default("false"),
        Rule::at("properties.minimumTlsVersion").fold_case(),
        Rule::at("properties.kafkaEnabled").read_only(),
        Rule::at("properties.zoneRedundant").read_only(),
        Rule::at("properties.metricId").read_only(),
        Rule::at("properties.status").read_only(),
        Rule::at("properties.createdAt").read_only(),
        Rule::at("properties.updatedAt").read_only(),
        Rule::at("properties.serviceBusEndpoint").read_only(),
        Rule::at("properties.geoDataReplication.locations[].replicaState").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[
        Facet::new("endpoint", "/properties/serviceBusEndpoint", "the URL at which it answers"),
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity")
            .given(&SYSTEM_IDENTITY),
    ],
    preflight: &[Preflight::Name {
        path: "Microsoft.EventHub/checkNameAvailability",
        api_version: API_VERSION,
    }],
    expected: Duration::from_secs(90),
    expected_update: Duration::from_secs(20),
    expected_delete: Duration::from_secs(60),
    ..ResourceType::new(NAMESPACES, API_VERSION, "Event Hubs namespace")
};

/// Who may reach it.
pub static EVENT_HUBS_RULES: ResourceType =
    messaging::network_rules("Microsoft.EventHub/namespaces/networkRuleSets", &[Lane::Ancestor(NAMESPACES)]);

/// Keys that sign in to it.
pub static EVENT_HUBS_KEYS: ResourceType =
    messaging::access_key("Microsoft.EventHub/namespaces/authorizationRules", &[Lane::Ancestor(NAMESPACES)]);

/// A hub.
pub static HUB: ResourceType = ResourceType {
    stateful: true,
    tags: false,
    lanes: &[Lane::Ancestor(NAMESPACES)],
    rules: &[
        Rule::at("location").read_only(),
        Rule::at("properties.partitionCount").immutable(),
        Rule::at("properties.retentionDescription.cleanupPolicy").fold_case().default("\"Delete\""),
        Rule::at("properties.captureDescription").whole(),
        Rule::at("properties.captureDescription.destination.identity").whole(),
        Rule::at("properties.captureDescription.encoding").fold_case(),
        Rule::at("properties.captureDescription.intervalInSeconds").default("300"),
        Rule::at("properties.captureDescription.sizeLimitInBytes").default("314572800"),
        Rule::at("properties.captureDescription.skipEmptyArchives").default("false"),
        Rule::at("properties.captureDescription.destination.properties.storageAccountResourceId").fold_case(),
        Rule::at("properties.captureDescription.destination.identity.type").fold_case(),
        Rule::at("properties.captureDescription.destination.identity.userAssignedIdentity").fold_case(),
        Rule::at("properties.messageRetentionInDays").read_only(),
        Rule::at("properties.partitionIds").read_only(),
        Rule::at("properties.identifier").read_only(),
        Rule::at("properties.createdAt").read_only(),
        Rule::at("properties.updatedAt").read_only(),
    ],
    ..ResourceType::new("Microsoft.EventHub/namespaces/eventhubs", API_VERSION, "event hub")
};

/// A group of readers.
pub static CONSUMER_GROUP: ResourceType = ResourceType {
    tags: false,
    lanes: &[Lane::Ancestor(NAMESPACES)],
    rules: &[
        Rule::at("location").read_only(),
        Rule::at("properties.createdAt").read_only(),
        Rule::at("properties.updatedAt").read_only(),
    ],
    ..ResourceType::new(
        "Microsoft.EventHub/namespaces/eventhubs/consumergroups",
        API_VERSION,
        "consumer group",
    )
};

impl EntryKind for EventHubs {
    const SECTION: &'static str = "eventHubs";
    const TITLE: &'static str = "Event Hubs namespace";
    const ARM_TYPE: &'static str = NAMESPACES;
    const ABOUT: &'static str = "An Event Hubs namespace with its hubs. They hold events: they are deleted or replaced only \
        when somebody names them.";
    const EXAMPLE: &'static str = "\
storageAccounts:
  archive: { name: 'starchive${uniqueString(azure.resourceGroup)}', containers: { events: {} } }
eventHubs:
  telemetry:
    name: evh-telemetry-${uniqueString(azure.resourceGroup)}
    autoInflateTo: 10
    publicAccess: false
    localAuth: false
    identities: [system]
    hubs:
      devices:
        partitions: 8
        retentionHours: 72
        consumerGroups: [archive]
        capture: { storage: '${storageAccounts.archive}', container: events, identity: system, skipEmpty: true }
  partners:
    name: evh-partners-${uniqueString(azure.resourceGroup)}
    networkRules: { ips: [203.0.113.7] }
    accessKeys: { partner: { rights: [Send] } }
";
    const TYPES: &'static [&'static ResourceType] =
        &[&EVENT_HUBS, &EVENT_HUBS_RULES, &EVENT_HUBS_KEYS, &HUB, &CONSUMER_GROUP];
    const NESTED: &'static [Nested] =
        &[Nested::at("networkRules"), Nested::at("accessKeys.*"), Nested::at("hubs.*")];
    const MERGED: &'static [Merged] = messaging::MERGED;
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let (name, address) = (cx.common.name.clone(), cx.address.clone());
        NAME.check(&name, "name", cx);
        let takes = (spec.sku != Sku::Basic, "write `sku: Standard`, or take it out");
        messaging::check(spec.network_rules.as_ref(), spec.public_access, takes, cx);
        within(spec.capacity, 1..=40, "capacity", cx);
        within(spec.auto_inflate_to, 1..=40, "autoInflateTo", cx);
        let namespace = cx.id(NAMESPACES, &[&name]);
        let mut body = cx.tracked(members([
            ("isAutoInflateEnabled", spec.auto_inflate_to.map(|_| true.into())),
            ("maximumThroughputUnits", spec.auto_inflate_to.map(Value::from)),
            ("publicNetworkAccess", spec.public_access.map(switch)),
            ("disableLocalAuth", spec.local_auth.map(|on| (!on).into())),
            ("minimumTlsVersion", Some("1.2".into())),
        ]));
        body["sku"] = json!({ "name": spec.sku, "tier": spec.sku, "capacity": spec.capacity.unwrap_or(1) });
        if let Some(identity) = identity(&spec.identities, "SystemAssigned, UserAssigned") {
            body["identity"] = identity;
        }
        // What grows by itself is not taken back.
        let grows = spec.capacity.is_none() || spec.auto_inflate_to.is_some();
        let unsaid = [("sku.capacity", grows), ("properties.minimumTlsVersion", true)];
        cx.main(Draft::new(address.clone(), namespace.as_str(), &EVENT_HUBS, body).initially_if(&unsaid));
        if let Some(rules) = &spec.network_rules {
            cx.also(rules.draft(&address, &namespace, &EVENT_HUBS_RULES));
        }
        let list = "authorizationRules";
        access_keys(&spec.access_keys, spec.local_auth, (&namespace, list), &EVENT_HUBS_KEYS, cx);
        for (key, hub) in &spec.hubs {
            let origin = format!("hubs.{key}");
            let name = hub.name.as_deref().unwrap_or(key);
            PART.check(name, &origin, cx);
            within(hub.partitions, 1..=1024, &format!("{origin}.partitions"), cx);
            within(hub.retention_hours, 1..=2160, &format!("{origin}.retentionHours"), cx);
            let cleanup = hub.cleanup.or(hub.retention_hours.map(|_| Cleanup::Delete));
            let kept = cleanup.map(|cleanup| {
                members([
                    ("cleanupPolicy", Some(json!(cleanup))),
                    ("retentionTimeInHours", hub.retention_hours.map(Value::from)),
                ])
            });
            if hub.cleanup == Some(Cleanup::Compact) && hub.retention_hours.is_some() {
                let message = "what is compacted keeps the last event of each key for good";
                cx.problem(
                    Problem::error(&NAMESPACE_PART, format!("{origin}.retentionHours"), message)
                        .help("drop `retentionHours`, or write `cleanup: Delete`"),
                );
            }
            if let Some(capture) = &hub.capture {
                capture.check(&format!("{origin}.capture"), spec.sku, cx);
            }
            let body = json!({ "properties": members([
                ("partitionCount", Some(hub.partitions.unwrap_or(4).into())),
                ("retentionDescription", kept),
                ("captureDescription", hub.capture.as_ref().map(CaptureSpec::body)),
            ]) });
            let own = address.child("hubs").child(key);
            let id = namespace.child("eventhubs", name);
            let draft = Draft::new(own.clone(), id.as_str(), &HUB, body);
            let unsaid = [("properties.partitionCount", hub.partitions.is_none())];
            cx.also(draft.initially_if(&unsaid).origin(origin.clone()));
            for (index, group) in hub.consumer_groups.iter().enumerate() {
                let path = format!("{origin}.consumerGroups[{index}]");
                PART.check(group, &path, cx);
                let id = id.child("consumergroups", group);
                let draft = Draft::new(
                    own.child("consumerGroups").child(group),
                    id.as_str(),
                    &CONSUMER_GROUP,
                    json!({ "properties": {} }),
                );
                cx.also(draft.needs(own.as_str()).origin(path));
            }
        }
    }
}

impl CaptureSpec {
    fn check(&self, path: &str, sku: Sku, cx: &mut EntryCx<'_>) {
        within(self.seconds, 60..=900, &format!("{path}.seconds"), cx);
        within(self.megabytes, 10..=500, &format!("{path}.megabytes"), cx);
        if sku == Sku::Basic {
            let message = "`capture` is not for the SKU of this namespace";
            cx.problem(
                Problem::error(&NAMESPACE_PART, path, message).help("write `sku: Standard`, or take it out"),
            );
        }
        let parts = FILE_NAMES.split('/');
        let missing =
            self.file_names.as_ref().and_then(|names| parts.clone().find(|part| !names.contains(part)));
        if let Some(missing) = missing {
            let message = format!("the names of files leave `{missing}` out");
            cx.problem(
                Problem::error(&NAMESPACE_PART, format!("{path}.fileNames"), message)
                    .help(format!("write all of `{FILE_NAMES}`, in any order")),
            );
        }
    }

    fn body(&self) -> Value {
        let identity = self.identity.as_ref().map(|identity| match identity.0.as_str() {
            "system" => json!({ "type": "SystemAssigned" }),
            _ => json!({ "type": "UserAssigned", "userAssignedIdentity": identity.id() }),
        });
        let destination = members([
            ("name", Some("EventHubArchive.AzureBlockBlob".into())),
            ("identity", identity),
            (
                "properties",
                Some(json!({
                    "storageAccountResourceId": self.storage.id(), "blobContainer": self.container,
                    "archiveNameFormat": self.file_names.as_deref().unwrap_or(FILE_NAMES),
                })),
            ),
        ]);
        members([
            ("enabled", Some(self.enabled.into())),
            ("encoding", Some("Avro".into())),
            ("intervalInSeconds", self.seconds.map(Value::from)),
            ("sizeLimitInBytes", self.megabytes.map(|size| (size * 1024 * 1024).into())),
            ("skipEmptyArchives", self.skip_empty.map(Value::from)),
            ("destination", Some(destination)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand};

    #[test]
    fn what_azure_answers_is_no_change() {
        let fields =
            json!({ "name": "evh-shop", "autoInflateTo": 10, "hubs": { "h": { "retentionHours": 72 } } });
        let (drafts, problems) = expand("eventHubs", "shop", fields);
        assert_eq!(problems, []);
        let live = json!({
            "location": "westeurope", "sku": { "name": "Standard", "tier": "Standard", "capacity": 7 },
            "properties": {
                "isAutoInflateEnabled": true, "maximumThroughputUnits": 10, "kafkaEnabled": true, "zoneRedundant": true,
                "publicNetworkAccess": "Enabled", "disableLocalAuth": false,
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        let hub = json!({ "properties": {
            "partitionCount": 4, "messageRetentionInDays": 3, "partitionIds": ["0"],
            "retentionDescription": { "cleanupPolicy": "Delete", "retentionTimeInHours": 72 },
        } });
        assert_eq!(changes(&drafts[1], &hub), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields, code) in [
            (json!({ "name": "evh" }), "namespace-name"),
            (json!({ "name": "evh-shop", "sku": "Basic", "publicAccess": false }), "namespace-access"),
            (json!({ "name": "evh-shop", "autoInflateTo": 41 }), "out-of-range"),
            (json!({ "name": "evh-shop", "hubs": { "h": { "partitions": 0 } } }), "out-of-range"),
            (
                json!({ "name": "evh-shop", "hubs": { "h": { "cleanup": "Compact", "retentionHours": 1 } } }),
                "namespace-part",
            ),
            (
                json!({ "name": "evh-shop", "sku": "Basic", "hubs": { "h": { "capture": {
                    "storage": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
                    "container": "c",
                } } } }),
                "namespace-part",
            ),
        ] {
            assert_eq!(codes(expand("eventHubs", "shop", fields.clone())), [code], "{fields}");
        }
    }
}
