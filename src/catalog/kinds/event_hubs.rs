//! Event Hubs namespaces: `Microsoft.EventHub/namespaces`
//! (<https://learn.microsoft.com/azure/templates/microsoft.eventhub/namespaces>).

use super::messaging::{self, API_VERSION, NAME, NetworkRulesSpec, PART};
use super::parts::{identity, members, switch, within};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Lane, Merged, Nested, Preflight, Reference, ResourceType,
};
use crate::value::Rule;
use indexmap::IndexMap;
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
    /// Whether keys sign anybody in; Azure's default (`true`) when absent.
    local_auth: Option<bool>,
    /// The identities with which the namespace acts: `system`, and user-assigned ones. Once given, Azure keeps one.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// Who may reach it on public networks.
    network_rules: Option<NetworkRulesSpec>,
    /// Its hubs.
    #[serde(default)]
    hubs: IndexMap<String, HubSpec>,
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
    /// Groups of readers, besides `$Default`.
    #[serde(default)]
    consumer_groups: Vec<String>,
}

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
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity"),
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

/// A hub.
pub static HUB: ResourceType = ResourceType {
    stateful: true,
    tags: false,
    lanes: &[Lane::Ancestor(NAMESPACES)],
    rules: &[
        Rule::at("location").read_only(),
        Rule::at("properties.partitionCount").immutable(),
        Rule::at("properties.retentionDescription.cleanupPolicy").fold_case(),
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
eventHubs:
  telemetry:
    name: evh-telemetry-${uniqueString(azure.resourceGroup)}
    autoInflateTo: 10
    publicAccess: false
    localAuth: false
    identities: [system]
    hubs:
      devices: { partitions: 8, retentionHours: 72, consumerGroups: [archive] }
  partners:
    name: evh-partners-${uniqueString(azure.resourceGroup)}
    networkRules: { ips: [203.0.113.7] }
";
    const TYPES: &'static [&'static ResourceType] = &[&EVENT_HUBS, &EVENT_HUBS_RULES, &HUB, &CONSUMER_GROUP];
    const NESTED: &'static [Nested] = &[Nested::at("networkRules"), Nested::at("hubs.*")];
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
        for (key, hub) in &spec.hubs {
            let origin = format!("hubs.{key}");
            let name = hub.name.as_deref().unwrap_or(key);
            PART.check(name, &origin, cx);
            within(hub.partitions, 1..=1024, &format!("{origin}.partitions"), cx);
            within(hub.retention_hours, 1..=2160, &format!("{origin}.retentionHours"), cx);
            let kept = hub
                .retention_hours
                .map(|hours| json!({ "cleanupPolicy": "Delete", "retentionTimeInHours": hours }));
            let body = json!({ "properties": members([
                ("partitionCount", Some(hub.partitions.unwrap_or(4).into())),
                ("retentionDescription", kept),
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
        ] {
            assert_eq!(codes(expand("eventHubs", "shop", fields.clone())), [code], "{fields}");
        }
    }
}
