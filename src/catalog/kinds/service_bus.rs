//! Service Bus namespaces: `Microsoft.ServiceBus/namespaces`
//! (<https://learn.microsoft.com/azure/templates/microsoft.servicebus/namespaces>).

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

/// A Service Bus namespace.
pub struct ServiceBus;

/// A Service Bus namespace with its queues and topics.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// `Basic`, `Standard`, or `Premium`, which private endpoints and rules about networks need; `Premium` when absent.
    /// Premium and the others never become each other.
    #[serde(default)]
    sku: Sku,
    /// How many messaging units a Premium namespace has: 1, 2, 4, 8 or 16; 1 for a new one when absent.
    capacity: Option<i64>,
    /// Over how many partitions a Premium namespace is spread: 1, 2 or 4; Azure's default (1) when absent. Never changes.
    partitions: Option<i64>,
    /// Whether the namespace answers on public networks; `false` leaves private endpoints only. Azure's default (`true`) when
    /// absent.
    public_access: Option<bool>,
    /// Whether keys sign anybody in; Azure's default (`true`) when absent.
    local_auth: Option<bool>,
    /// The identities with which the namespace acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// Who may reach it on public networks.
    network_rules: Option<NetworkRulesSpec>,
    /// Its queues.
    #[serde(default)]
    queues: IndexMap<String, QueueSpec>,
    /// Its topics.
    #[serde(default)]
    topics: IndexMap<String, TopicSpec>,
}

/// The edition of a namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Sku {
    /// Queues only.
    Basic,
    /// Queues and topics.
    Standard,
    /// Machines of one's own, and private link.
    #[default]
    Premium,
}

/// A queue.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct QueueSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// How often a message is tried before it is put aside; Azure's default (10) when absent.
    max_delivery_count: Option<i64>,
    /// Whether messages belong to sessions; Azure's default (`false`) when absent. Never changes.
    sessions: Option<bool>,
    /// Whether a message that comes twice is dropped; Azure's default (`false`) when absent. Never changes.
    detect_duplicates: Option<bool>,
}

/// A topic with its subscriptions.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TopicSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Whether a message that comes twice is dropped; Azure's default (`false`) when absent. Never changes.
    detect_duplicates: Option<bool>,
    /// Who gets a copy of each message.
    #[serde(default)]
    subscriptions: IndexMap<String, QueueSpec>,
}

const NAMESPACES: &str = "Microsoft.ServiceBus/namespaces";

/// The namespace.
pub static SERVICE_BUS: ResourceType = ResourceType {
    stateful: true,
    lanes: &[Lane::Ancestor(NAMESPACES)],
    rules: &[
        Rule::at("sku.name").fold_case().steps(&[("Basic", "Standard"), ("Standard", "Basic")]),
        Rule::at("sku.tier").fold_case().steps(&[("Basic", "Standard"), ("Standard", "Basic")]),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.premiumMessagingPartitions").immutable(),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.disableLocalAuth").default("false"),
        Rule::at("properties.minimumTlsVersion").fold_case(),
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
        path: "Microsoft.ServiceBus/checkNameAvailability",
        api_version: API_VERSION,
    }],
    expected: Duration::from_secs(90),
    expected_update: Duration::from_secs(20),
    expected_delete: Duration::from_secs(60),
    ..ResourceType::new(NAMESPACES, API_VERSION, "Service Bus namespace")
};

/// Who may reach it.
pub static SERVICE_BUS_RULES: ResourceType = messaging::network_rules(
    "Microsoft.ServiceBus/namespaces/networkRuleSets",
    &[Lane::Ancestor(NAMESPACES)],
);

const ENTITY_RULES: &[Rule] = &[
    Rule::at("location").read_only(),
    Rule::at("properties.maxDeliveryCount").default("10"),
    Rule::at("properties.requiresSession").immutable().default("false"),
    Rule::at("properties.requiresDuplicateDetection").immutable().default("false"),
    Rule::at("properties.countDetails").read_only(),
    Rule::at("properties.createdAt").read_only(),
    Rule::at("properties.updatedAt").read_only(),
    Rule::at("properties.accessedAt").read_only(),
    Rule::at("properties.sizeInBytes").read_only(),
    Rule::at("properties.messageCount").read_only(),
    Rule::at("properties.subscriptionCount").read_only(),
];

const fn entity(arm_type: &'static str, title: &'static str) -> ResourceType {
    ResourceType {
        stateful: true,
        tags: false,
        lanes: &[Lane::Ancestor(NAMESPACES)],
        rules: ENTITY_RULES,
        ..ResourceType::new(arm_type, API_VERSION, title)
    }
}

/// A queue.
pub static QUEUE: ResourceType = entity("Microsoft.ServiceBus/namespaces/queues", "queue");
/// A topic.
pub static TOPIC: ResourceType = entity("Microsoft.ServiceBus/namespaces/topics", "topic");
/// A subscription of a topic.
pub static TOPIC_SUBSCRIPTION: ResourceType =
    entity("Microsoft.ServiceBus/namespaces/topics/subscriptions", "subscription of a topic");

impl EntryKind for ServiceBus {
    const SECTION: &'static str = "serviceBus";
    const TITLE: &'static str = "Service Bus namespace";
    const ARM_TYPE: &'static str = NAMESPACES;
    const ABOUT: &'static str = "A Service Bus namespace with its queues and topics. They hold messages: they are deleted or \
        replaced only when somebody names them.";
    const EXAMPLE: &'static str = "\
serviceBus:
  orders:
    name: sb-orders-${uniqueString(azure.resourceGroup)}
    capacity: 1
    partitions: 1
    publicAccess: false
    localAuth: false
    queues:
      incoming: { maxDeliveryCount: 5, sessions: true }
    topics:
      shipped:
        detectDuplicates: true
        subscriptions:
          invoices: {}
  partners:
    name: sb-partners-${uniqueString(azure.resourceGroup)}
    networkRules: { ips: [203.0.113.0/24] }
";
    const TYPES: &'static [&'static ResourceType] =
        &[&SERVICE_BUS, &SERVICE_BUS_RULES, &QUEUE, &TOPIC, &TOPIC_SUBSCRIPTION];
    const NESTED: &'static [Nested] = &[
        Nested::at("networkRules"),
        Nested::at("queues.*"),
        Nested::at("topics.*"),
        Nested::at("topics.*.subscriptions.*"),
    ];
    const MERGED: &'static [Merged] = messaging::MERGED;
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let (name, address) = (cx.common.name.clone(), cx.address.clone());
        let premium = spec.sku == Sku::Premium;
        NAME.check(&name, "name", cx);
        let takes = (premium, "write `sku: Premium`, or take it out");
        messaging::check(spec.network_rules.as_ref(), spec.public_access, takes, cx);
        within(spec.capacity, 1..=16, "capacity", cx);
        within(spec.partitions, 1..=4, "partitions", cx);
        let namespace = cx.id(NAMESPACES, &[&name]);
        let mut body = cx.tracked(members([
            ("premiumMessagingPartitions", spec.partitions.map(Value::from)),
            ("publicNetworkAccess", spec.public_access.map(switch)),
            ("disableLocalAuth", spec.local_auth.map(|on| (!on).into())),
            ("minimumTlsVersion", Some("1.2".into())),
        ]));
        let capacity = spec.capacity.or(premium.then_some(1)).map(Value::from);
        body["sku"] = members([
            ("name", Some(json!(spec.sku))),
            ("tier", Some(json!(spec.sku))),
            ("capacity", capacity),
        ]);
        if let Some(identity) = identity(&spec.identities, "SystemAssigned, UserAssigned") {
            body["identity"] = identity;
        }
        let unsaid = [("sku.capacity", spec.capacity.is_none()), ("properties.minimumTlsVersion", true)];
        cx.main(Draft::new(address.clone(), namespace.as_str(), &SERVICE_BUS, body).initially_if(&unsaid));
        if let Some(rules) = &spec.network_rules {
            cx.also(rules.draft(&address, &namespace, &SERVICE_BUS_RULES));
        }
        for (key, queue) in &spec.queues {
            let name = queue.name.as_deref().unwrap_or(key);
            PART.check(name, &format!("queues.{key}"), cx);
            let own = address.child("queues").child(key);
            let id = namespace.child("queues", name);
            cx.also(Draft::new(own, id.as_str(), &QUEUE, queue.body()).origin(format!("queues.{key}")));
        }
        for (key, topic) in &spec.topics {
            let name = topic.name.as_deref().unwrap_or(key);
            PART.check(name, &format!("topics.{key}"), cx);
            let own = address.child("topics").child(key);
            let id = namespace.child("topics", name);
            let duplicates = topic.detect_duplicates.map(Value::from);
            let body = json!({ "properties": members([("requiresDuplicateDetection", duplicates)]) });
            cx.also(Draft::new(own.clone(), id.as_str(), &TOPIC, body).origin(format!("topics.{key}")));
            for (at, subscription) in &topic.subscriptions {
                let origin = format!("topics.{key}.subscriptions.{at}");
                let name = subscription.name.as_deref().unwrap_or(at);
                PART.check(name, &origin, cx);
                let id = id.child("subscriptions", name);
                let address = own.child("subscriptions").child(at);
                let draft = Draft::new(address, id.as_str(), &TOPIC_SUBSCRIPTION, subscription.body());
                cx.also(draft.needs(own.as_str()).origin(origin));
            }
        }
    }
}

impl QueueSpec {
    fn body(&self) -> Value {
        json!({ "properties": members([
            ("maxDeliveryCount", self.max_delivery_count.map(Value::from)),
            ("requiresSession", self.sessions.map(Value::from)),
            ("requiresDuplicateDetection", self.detect_duplicates.map(Value::from)),
        ]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand};

    #[test]
    fn what_azure_answers_is_no_change() {
        let fields =
            json!({ "name": "sb-shop", "publicAccess": false, "queues": { "q": { "sessions": true } } });
        let (drafts, problems) = expand("serviceBus", "shop", fields);
        assert_eq!(problems, []);
        let live = json!({
            "location": "westeurope", "sku": { "name": "Premium", "tier": "Premium", "capacity": 4 },
            "properties": {
                "publicNetworkAccess": "Disabled", "disableLocalAuth": false, "minimumTlsVersion": "1.2",
                "zoneRedundant": true, "status": "Active", "serviceBusEndpoint": "https://sb-shop.servicebus.windows.net:443/",
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        let mut standard = live;
        standard["sku"] = json!({ "name": "Standard", "tier": "Standard" });
        assert_eq!(changes(&drafts[0], &standard), ["sku.name!", "sku.tier!"]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields, code) in [
            (json!({ "name": "sb" }), "namespace-name"),
            (json!({ "name": "sb-shop", "sku": "Standard", "publicAccess": false }), "namespace-access"),
            (json!({ "name": "sb-shop", "networkRules": {} }), "namespace-access"),
            (json!({ "name": "sb-shop", "networkRules": { "ips": ["10.0.0.1"] } }), "namespace-access"),
            (
                json!({ "name": "sb-shop", "publicAccess": false, "networkRules": { "ips": ["203.0.113.7"] } }),
                "namespace-access",
            ),
            (json!({ "name": "sb-shop", "queues": { "-": {} } }), "namespace-name"),
            (json!({ "name": "sb-shop", "capacity": 0 }), "out-of-range"),
        ] {
            assert_eq!(codes(expand("serviceBus", "shop", fields.clone())), [code], "{fields}");
        }
    }
}
