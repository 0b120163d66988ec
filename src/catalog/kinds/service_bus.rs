//! Service Bus namespaces: `Microsoft.ServiceBus/namespaces`
//! (<https://learn.microsoft.com/azure/templates/microsoft.servicebus/namespaces>).

use super::messaging::{
    self, API_VERSION, AccessKeySpec, NAME, NAMESPACE_PART, NetworkRulesSpec, PART, access_keys, lasting,
};
use super::parts::{SYSTEM_IDENTITY, identity, known_part, members, switch, within};
use crate::catalog::{
    Arrival, Draft, EntryCx, EntryKind, Facet, Lane, Merged, Named, Nested, Preflight, Problem, Reference,
    ResourceType,
};
use crate::ident::Address;
use crate::value::Rule;
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
    /// Whether access keys are accepted; Azure's default (`true`) when absent.
    local_auth: Option<bool>,
    /// The identities with which the namespace acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// Who may reach it on public networks.
    network_rules: Option<NetworkRulesSpec>,
    /// Pairs of keys that sign in to the namespace, besides Azure's own. berth reads none of them.
    #[serde(default)]
    access_keys: Named<AccessKeySpec>,
    /// Its queues.
    #[serde(default)]
    queues: Named<QueueSpec>,
    /// Its topics.
    #[serde(default)]
    topics: Named<TopicSpec>,
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

/// A queue. Durations are those of ISO 8601, such as `P14D` or `PT1M`.
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
    /// For how long a message that comes again is one that comes twice; Azure's default (`PT10M`) when absent.
    duplicate_window: Option<String>,
    /// For how long a message is kept from others while somebody works on it, at most `PT5M`; Azure's default (`PT1M`) when
    /// absent.
    lock: Option<String>,
    /// How long a message is kept that says nothing of that itself; Azure's default when absent.
    time_to_live: Option<String>,
    /// Whether a message whose time is over is put aside rather than dropped; Azure's default (`false`) when absent.
    dead_letter_expired: Option<bool>,
    /// How many megabytes it holds: 1024 to 5120, or up to 81920 in a Premium namespace; Azure's default (1024) when absent.
    max_size_mb: Option<i64>,
    /// The key of the queue or topic that its messages are passed on to.
    forward_to: Option<String>,
    /// The key of the queue or topic that messages go to that are put aside.
    forward_dead_letters_to: Option<String>,
    /// After how long without a message or a receiver it deletes itself, at least `PT5M`; never when absent.
    delete_when_idle: Option<String>,
}

/// A topic with its subscriptions. Durations are those of ISO 8601, such as `P14D` or `PT1M`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TopicSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Whether a message that comes twice is dropped; Azure's default (`false`) when absent. Never changes.
    detect_duplicates: Option<bool>,
    /// For how long a message that comes again is one that comes twice; Azure's default (`PT10M`) when absent.
    duplicate_window: Option<String>,
    /// How long a message is kept that says nothing of that itself; Azure's default when absent.
    time_to_live: Option<String>,
    /// How many megabytes it holds: 1024 to 5120, or up to 81920 in a Premium namespace; Azure's default (1024) when absent.
    max_size_mb: Option<i64>,
    /// Whether subscriptions get messages in the order in which they came; Azure's default (`false`) when absent.
    ordered: Option<bool>,
    /// Who gets a copy of each message.
    #[serde(default)]
    subscriptions: Named<SubscriptionSpec>,
}

/// A subscription of a topic. Durations are those of ISO 8601, such as `P14D` or `PT1M`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SubscriptionSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// How often a message is tried before it is put aside; Azure's default (10) when absent.
    max_delivery_count: Option<i64>,
    /// Whether messages belong to sessions; Azure's default (`false`) when absent. Never changes.
    sessions: Option<bool>,
    /// For how long a message is kept from others while somebody works on it, at most `PT5M`; Azure's default (`PT1M`) when
    /// absent.
    lock: Option<String>,
    /// How long a message is kept that says nothing of that itself; Azure's default when absent.
    time_to_live: Option<String>,
    /// Whether a message whose time is over is put aside rather than dropped; Azure's default (`false`) when absent.
    dead_letter_expired: Option<bool>,
    /// The key of the queue or topic that its messages are passed on to.
    forward_to: Option<String>,
    /// The key of the queue or topic that messages go to that are put aside.
    forward_dead_letters_to: Option<String>,
    /// Which messages it gets: those for which one of the rules holds. Azure makes a rule `$Default` with each subscription,
    /// which holds for every message: give one of yours `name: $Default` to replace it.
    #[serde(default)]
    rules: Named<RuleSpec>,
}

/// Which messages a subscription gets: by a SQL expression, or by what their properties say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// An expression, such as `priority > 3`.
    sql: Option<String>,
    /// The subject that a message has (its label).
    subject: Option<String>,
    /// The correlation id that a message has.
    correlation_id: Option<String>,
    /// Properties of the sender's own, and what they say.
    #[serde(default)]
    values: Named<String>,
    /// What is done with a message that passes, such as `SET seen = 1`.
    action: Option<String>,
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
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity")
            .given(&SYSTEM_IDENTITY),
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

/// Keys that sign in to it.
pub static SERVICE_BUS_KEYS: ResourceType = messaging::access_key(
    "Microsoft.ServiceBus/namespaces/AuthorizationRules",
    &[Lane::Ancestor(NAMESPACES)],
);

/// How Azure writes that something lasts for good.
const FOR_GOOD: &str = "\"P10675199DT2H48M5.4775807S\"";

const ENTITY_RULES: &[Rule] = &[
    Rule::at("location").read_only(),
    Rule::at("properties.lockDuration").duration().default("\"PT1M\""),
    Rule::at("properties.defaultMessageTimeToLive").duration().default(FOR_GOOD),
    Rule::at("properties.duplicateDetectionHistoryTimeWindow").duration().default("\"PT10M\""),
    Rule::at("properties.autoDeleteOnIdle").duration().default(FOR_GOOD),
    Rule::at("properties.deadLetteringOnMessageExpiration").default("false"),
    Rule::at("properties.maxSizeInMegabytes").default("1024"),
    Rule::at("properties.supportOrdering").default("false"),
    Rule::at("properties.forwardTo").fold_case().default("null"),
    Rule::at("properties.forwardDeadLetteredMessagesTo").fold_case().default("null"),
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

/// Which messages a subscription gets.
pub static SUBSCRIPTION_RULE: ResourceType = ResourceType {
    tags: false,
    lanes: &[Lane::Ancestor(NAMESPACES)],
    rules: &[
        Rule::at("location").read_only(),
        Rule::at("properties.filterType").fold_case(),
        Rule::at("properties.sqlFilter").whole(),
        Rule::at("properties.correlationFilter").whole(),
        Rule::at("properties.action").whole(),
        Rule::at("properties.sqlFilter.compatibilityLevel").read_only(),
        Rule::at("properties.sqlFilter.requiresPreprocessing").read_only(),
        Rule::at("properties.correlationFilter.requiresPreprocessing").read_only(),
        Rule::at("properties.correlationFilter.properties").map(),
        Rule::at("properties.action.compatibilityLevel").read_only(),
        Rule::at("properties.action.requiresPreprocessing").read_only(),
    ],
    ..ResourceType::new(
        "Microsoft.ServiceBus/namespaces/topics/subscriptions/rules",
        API_VERSION,
        "rule of a subscription",
    )
};

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
      incoming: { maxDeliveryCount: 5, sessions: true, lock: PT2M, deadLetterExpired: true, timeToLive: P14D }
      failed: {}
    topics:
      shipped:
        detectDuplicates: true
        subscriptions:
          invoices: { forwardDeadLettersTo: failed }
          urgent:
            rules:
              all: { name: $Default, sql: priority > 3 }
              express: { subject: express, values: { region: north } }
  partners:
    name: sb-partners-${uniqueString(azure.resourceGroup)}
    networkRules: { ips: [203.0.113.0/24] }
    accessKeys: { partner: { rights: [Send] } }
";
    const TYPES: &'static [&'static ResourceType] = &[
        &SERVICE_BUS,
        &SERVICE_BUS_RULES,
        &SERVICE_BUS_KEYS,
        &QUEUE,
        &TOPIC,
        &TOPIC_SUBSCRIPTION,
        &SUBSCRIPTION_RULE,
    ];
    const NESTED: &'static [Nested] = &[
        Nested::at("networkRules"),
        Nested::at("accessKeys.*"),
        Nested::at("queues.*"),
        Nested::at("topics.*"),
        Nested::at("topics.*.subscriptions.*"),
        Nested::at("topics.*.subscriptions.*.rules.*"),
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
        let list = "AuthorizationRules";
        access_keys(&spec.access_keys, spec.local_auth, (&namespace, list), &SERVICE_BUS_KEYS, cx);
        let most = if premium { 81_920 } else { 5_120 };
        for (key, queue) in &spec.queues {
            let origin = format!("queues.{key}");
            let name = queue.name.as_deref().unwrap_or(key);
            PART.check(name, &origin, cx);
            lasting(queue.lock.as_ref(), &format!("{origin}.lock"), cx);
            lasting(queue.time_to_live.as_ref(), &format!("{origin}.timeToLive"), cx);
            lasting(queue.duplicate_window.as_ref(), &format!("{origin}.duplicateWindow"), cx);
            lasting(queue.delete_when_idle.as_ref(), &format!("{origin}.deleteWhenIdle"), cx);
            within(queue.max_size_mb, 1_024..=most, &format!("{origin}.maxSizeMb"), cx);
            let forwards =
                spec.forwards([&queue.forward_to, &queue.forward_dead_letters_to], &origin, key, cx);
            let own = address.child("queues").child(key);
            let id = namespace.child("queues", name);
            let draft = Draft::new(own, id.as_str(), &QUEUE, queue.body(&forwards)).origin(origin);
            cx.also(forwards.needed(draft));
        }
        for (key, topic) in &spec.topics {
            let origin = format!("topics.{key}");
            let name = topic.name.as_deref().unwrap_or(key);
            PART.check(name, &origin, cx);
            lasting(topic.time_to_live.as_ref(), &format!("{origin}.timeToLive"), cx);
            lasting(topic.duplicate_window.as_ref(), &format!("{origin}.duplicateWindow"), cx);
            within(topic.max_size_mb, 1_024..=most, &format!("{origin}.maxSizeMb"), cx);
            let own = address.child("topics").child(key);
            let id = namespace.child("topics", name);
            cx.also(Draft::new(own.clone(), id.as_str(), &TOPIC, topic.body()).origin(origin));
            for (at, subscription) in &topic.subscriptions {
                let origin = format!("topics.{key}.subscriptions.{at}");
                let name = subscription.name.as_deref().unwrap_or(at);
                PART.check(name, &origin, cx);
                lasting(subscription.lock.as_ref(), &format!("{origin}.lock"), cx);
                lasting(subscription.time_to_live.as_ref(), &format!("{origin}.timeToLive"), cx);
                let names = [&subscription.forward_to, &subscription.forward_dead_letters_to];
                let forwards = spec.forwards(names, &origin, "", cx);
                let id = id.child("subscriptions", name);
                let address = own.child("subscriptions").child(at);
                let body = subscription.body(&forwards);
                let draft = Draft::new(address.clone(), id.as_str(), &TOPIC_SUBSCRIPTION, body);
                cx.also(forwards.needed(draft.needs(own.as_str()).origin(origin.clone())));
                subscription.rules(&origin, &id, &address, cx);
            }
        }
    }
}

/// Where messages are passed on to.
struct Forwards {
    /// The names of the entities: of messages, and of those that are put aside.
    names: [Option<String>; 2],
    /// Their addresses.
    addresses: Vec<Address>,
}

impl Forwards {
    fn name(&self, at: usize) -> Option<Value> {
        self.names[at].clone().map(Value::from)
    }

    fn needed(&self, draft: Draft) -> Draft {
        self.addresses.iter().fold(draft, |draft, address| draft.needs(address.as_str()))
    }
}

impl Spec {
    /// What queues and subscriptions are passed on to, by keys of the entry.
    fn forwards(
        &self,
        keys: [&Option<String>; 2],
        origin: &str,
        own: &str,
        cx: &mut EntryCx<'_>,
    ) -> Forwards {
        let mut found = Forwards { names: [None, None], addresses: Vec::new() };
        for (at, field) in ["forwardTo", "forwardDeadLettersTo"].into_iter().enumerate() {
            let Some(key) = keys[at] else { continue };
            let path = format!("{origin}.{field}");
            known_part(key, self.queues.keys().chain(self.topics.keys()), &path, "queue or topic", cx);
            if key == own {
                let message = "a queue passes nothing on to itself";
                cx.problem(
                    Problem::error(&NAMESPACE_PART, path, message).help("name another queue or topic"),
                );
                continue;
            }
            let queue = self.queues.get(key).map(|queue| ("queues", queue.name.as_ref()));
            let topic = self.topics.get(key).map(|topic| ("topics", topic.name.as_ref()));
            if let Some((list, name)) = queue.or(topic) {
                found.names[at] = Some(name.unwrap_or(key).clone());
                found.addresses.push(cx.address.child(list).child(key));
            }
        }
        found
    }
}

impl QueueSpec {
    fn body(&self, forwards: &Forwards) -> Value {
        json!({ "properties": members([
            ("maxDeliveryCount", self.max_delivery_count.map(Value::from)),
            ("requiresSession", self.sessions.map(Value::from)),
            ("requiresDuplicateDetection", self.detect_duplicates.map(Value::from)),
            ("duplicateDetectionHistoryTimeWindow", self.duplicate_window.clone().map(Value::from)),
            ("lockDuration", self.lock.clone().map(Value::from)),
            ("defaultMessageTimeToLive", self.time_to_live.clone().map(Value::from)),
            ("deadLetteringOnMessageExpiration", self.dead_letter_expired.map(Value::from)),
            ("maxSizeInMegabytes", self.max_size_mb.map(Value::from)),
            ("forwardTo", forwards.name(0)),
            ("forwardDeadLetteredMessagesTo", forwards.name(1)),
            ("autoDeleteOnIdle", self.delete_when_idle.clone().map(Value::from)),
        ]) })
    }
}

impl TopicSpec {
    fn body(&self) -> Value {
        json!({ "properties": members([
            ("requiresDuplicateDetection", self.detect_duplicates.map(Value::from)),
            ("duplicateDetectionHistoryTimeWindow", self.duplicate_window.clone().map(Value::from)),
            ("defaultMessageTimeToLive", self.time_to_live.clone().map(Value::from)),
            ("maxSizeInMegabytes", self.max_size_mb.map(Value::from)),
            ("supportOrdering", self.ordered.map(Value::from)),
        ]) })
    }
}

/// The rule that Azure makes with each subscription.
const DEFAULT_RULE: &str = "$Default";

impl SubscriptionSpec {
    fn body(&self, forwards: &Forwards) -> Value {
        json!({ "properties": members([
            ("maxDeliveryCount", self.max_delivery_count.map(Value::from)),
            ("requiresSession", self.sessions.map(Value::from)),
            ("lockDuration", self.lock.clone().map(Value::from)),
            ("defaultMessageTimeToLive", self.time_to_live.clone().map(Value::from)),
            ("deadLetteringOnMessageExpiration", self.dead_letter_expired.map(Value::from)),
            ("forwardTo", forwards.name(0)),
            ("forwardDeadLetteredMessagesTo", forwards.name(1)),
        ]) })
    }

    fn rules(&self, origin: &str, id: &crate::ident::ArmId, address: &Address, cx: &mut EntryCx<'_>) {
        let name = |key: &String, rule: &RuleSpec| rule.name.as_ref().unwrap_or(key).clone();
        let replaced = self.rules.iter().any(|(key, rule)| name(key, rule) == DEFAULT_RULE);
        if !self.rules.is_empty() && !replaced {
            let message =
                "the rule `$Default` that Azure makes holds for every message, so these rules keep none away";
            cx.problem(
                Problem::warning(&NAMESPACE_PART, format!("{origin}.rules"), message)
                    .help("give one of them `name: $Default`, which replaces that rule"),
            );
        }
        for (key, rule) in &self.rules {
            let (path, name) = (format!("{origin}.rules.{key}"), name(key, rule));
            if name != DEFAULT_RULE {
                PART.check(&name, &path, cx);
            }
            let correlates =
                rule.subject.is_some() || rule.correlation_id.is_some() || !rule.values.is_empty();
            if rule.sql.is_some() == correlates {
                let message = "a rule is either an expression or compares properties";
                cx.problem(
                    Problem::error(&NAMESPACE_PART, path.clone(), message)
                        .help("write `sql:`, or some of `subject`, `correlationId` and `values`"),
                );
            }
            let mut draft = Draft::new(
                address.child("rules").child(key),
                id.child("rules", &name).as_str(),
                &SUBSCRIPTION_RULE,
                rule.body(),
            );
            if name == DEFAULT_RULE {
                draft.arrival = Arrival::WithParent;
            }
            cx.also(draft.needs(address.as_str()).origin(path));
        }
    }
}

impl RuleSpec {
    fn body(&self) -> Value {
        let correlation = || {
            members([
                ("label", self.subject.clone().map(Value::from)),
                ("correlationId", self.correlation_id.clone().map(Value::from)),
                ("properties", (!self.values.is_empty()).then(|| json!(self.values))),
            ])
        };
        let kind = if self.sql.is_some() { "SqlFilter" } else { "CorrelationFilter" };
        json!({ "properties": members([
            ("filterType", Some(kind.into())),
            ("sqlFilter", self.sql.as_ref().map(|sql| json!({ "sqlExpression": sql }))),
            ("correlationFilter", self.sql.is_none().then(correlation)),
            ("action", self.action.as_ref().map(|action| json!({ "sqlExpression": action }))),
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
            (json!({ "name": "sb-shop", "queues": { "q": { "lock": "1m" } } }), "namespace-part"),
            (json!({ "name": "sb-shop", "queues": { "q": { "forwardTo": "q" } } }), "namespace-part"),
            (json!({ "name": "sb-shop", "queues": { "q": { "forwardTo": "r" } } }), "unknown-part"),
            (json!({ "name": "sb-shop", "accessKeys": { "k": { "rights": ["Manage"] } } }), "namespace-part"),
            (
                json!({ "name": "sb-shop", "topics": { "t": { "subscriptions": { "s": { "rules": { "r": { "sql": "1=1" } } } } } } }),
                "namespace-part",
            ),
        ] {
            assert_eq!(codes(expand("serviceBus", "shop", fields.clone())), [code], "{fields}");
        }
    }
}
