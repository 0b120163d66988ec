//! Azure Managed Redis: `Microsoft.Cache/redisEnterprise`
//! (<https://learn.microsoft.com/azure/templates/microsoft.cache/redisenterprise>).
//!
//! The older Azure Cache for Redis (`Microsoft.Cache/redis`) is retired in 2028 and made for newcomers no more.

use super::naming::{NameRule, alphanumeric};
use super::parts::{identity, is_none_of, members, switch};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Lane, Named, Nested, Problem, Reference, ResourceType,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// An Azure Managed Redis.
pub struct Redis;

/// An Azure Managed Redis with its database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Its size, such as `Balanced_B5`, `MemoryOptimized_M10` or `ComputeOptimized_X5`.
    sku: String,
    /// Whether it answers on public networks; `false` leaves private endpoints only. A new one does so when absent.
    public_access: Option<bool>,
    /// Whether a second machine takes over; Azure's default (`true`) when absent. Never changes.
    high_availability: Option<bool>,
    /// Whether access keys are accepted; Azure's default (`false`) when absent: identities do.
    access_keys: Option<bool>,
    /// How clients see its shards. A new one has `OSSCluster` when absent. A change makes the database anew, and what is in it
    /// is lost.
    clustering: Option<Clustering>,
    /// What goes when it is full, such as `VolatileLRU` or `NoEviction`; Azure's default when absent.
    eviction: Option<String>,
    /// Modules, such as `RediSearch` or `RedisJSON`. A change makes the database anew, and what is in it is lost.
    #[serde(default)]
    modules: Vec<String>,
    /// Keeps what is in it through a failure; nothing is kept when absent.
    persistence: Option<Persistence>,
    /// Who signs in without a key, by name.
    #[serde(default)]
    access: Named<AccessSpec>,
    /// The identities with which it acts; user-assigned ones only.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
}

/// How clients see shards.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Clustering {
    /// As those of a cluster of Redis.
    OSSCluster,
    /// As one machine.
    EnterpriseCluster,
    /// There is one.
    NoCluster,
}

/// How what is in a cache is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Persistence {
    /// Every write is kept within a second.
    EverySecond,
    /// A copy is made each hour.
    Hourly,
    /// A copy is made every six hours.
    SixHourly,
    /// A copy is made every twelve hours.
    TwelveHourly,
}

impl Persistence {
    fn body(self) -> Value {
        let copies = |every: &str| json!({ "aofEnabled": false, "rdbEnabled": true, "rdbFrequency": every });
        match self {
            Persistence::EverySecond => {
                json!({ "aofEnabled": true, "aofFrequency": "1s", "rdbEnabled": false })
            }
            Persistence::Hourly => copies("1h"),
            Persistence::SixHourly => copies("6h"),
            Persistence::TwelveHourly => copies("12h"),
        }
    }
}

/// Who signs in without a key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessSpec {
    /// The Azure name of the assignment; the key when absent. 1 to 60 letters and digits.
    name: Option<String>,
    /// An identity of the blueprint, or an object id.
    #[schemars(extend("x-wants" = "principal"))]
    principal: Reference,
}

const CACHES: &str = "Microsoft.Cache/redisEnterprise";
const DATABASES: &str = "Microsoft.Cache/redisEnterprise/databases";
const API_VERSION: &str = "2025-07-01";

/// The cache.
pub static REDIS: ResourceType = ResourceType {
    stateful: true,
    lanes: &[Lane::Ancestor(CACHES)],
    rules: &[
        Rule::at("kind").read_only(),
        Rule::at("sku.name").fold_case(),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.publicNetworkAccess").fold_case(),
        Rule::at("properties.highAvailability").fold_case().immutable().default("\"Enabled\""),
        Rule::at("properties.minimumTlsVersion").fold_case(),
        Rule::at("properties.hostName").read_only(),
        Rule::at("properties.redundancyMode").read_only(),
        Rule::at("properties.resourceState").read_only(),
        Rule::at("properties.redisVersion").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[Facet::new("hostName", "/properties/hostName", "the host name at which it answers")],
    expected: Duration::from_secs(600),
    expected_update: Duration::from_secs(600),
    expected_delete: Duration::from_secs(600),
    timeout: Duration::from_secs(90 * 60),
    ..ResourceType::new(CACHES, API_VERSION, "Managed Redis")
};

/// What is in it.
pub static REDIS_DATABASE: ResourceType = ResourceType {
    stateful: true,
    tags: false,
    lanes: &[Lane::Ancestor(CACHES)],
    rules: &[
        Rule::at("properties.clientProtocol").fold_case().default("\"Encrypted\""),
        Rule::at("properties.port").default("10000"),
        Rule::at("properties.clusteringPolicy").fold_case().immutable(),
        Rule::at("properties.modules").keyed("name").immutable(),
        Rule::at("properties.modules[].version").read_only(),
        Rule::at("properties.geoReplication.linkedDatabases[].state").read_only(),
        Rule::at("properties.evictionPolicy").fold_case().default("\"VolatileLRU\""),
        Rule::at("properties.persistence.aofEnabled").default("false"),
        Rule::at("properties.persistence.rdbEnabled").default("false"),
        Rule::at("properties.accessKeysAuthentication").fold_case().default("\"Disabled\""),
        Rule::at("properties.redisVersion").read_only(),
        Rule::at("properties.resourceState").read_only(),
    ],
    expected: Duration::from_secs(120),
    expected_update: Duration::from_secs(60),
    ..ResourceType::new(DATABASES, API_VERSION, "database of a Managed Redis")
};

/// Somebody who signs in without a key.
pub static REDIS_ACCESS: ResourceType = ResourceType {
    tags: false,
    lanes: &[Lane::Ancestor(CACHES)],
    rules: &[
        Rule::at("properties.user.objectId").fold_case().immutable(),
        Rule::at("properties.accessPolicyName").immutable(),
    ],
    ..ResourceType::new(
        "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments",
        API_VERSION,
        "access to a Managed Redis",
    )
};

const CODES: &[&Code] = &[&REDIS_NAME, &REDIS_FIELDS];

const REDIS_NAME: Code = Code {
    name: "redis-name",
    why: "The name of a Managed Redis is part of a DNS name.",
    remedy: "Use 1 to 60 letters, digits and `-`; `uniqueString` keeps it apart from others.",
    example: "name: redis-shop-${uniqueString(azure.resourceGroup)}",
};

const NAME: NameRule = NameRule {
    code: &REDIS_NAME,
    what: "a Managed Redis",
    min: 1,
    max: 60,
    first: alphanumeric,
    inner: |c| alphanumeric(c) || c == '-',
    last: alphanumeric,
    says: "1 to 60 letters, digits and `-`, not starting or ending with `-`",
};

const REDIS_FIELDS: Code = Code {
    name: "redis-fields",
    why: "Managed Redis has sizes and rules of its own; those of the older Azure Cache for Redis are not taken.",
    remedy: "Write one that the message names.",
    example: "redis: { sessions: { sku: Balanced_B5, eviction: VolatileLRU } }",
};

impl EntryKind for Redis {
    const SECTION: &'static str = "redis";
    const TITLE: &'static str = "Managed Redis";
    const ARM_TYPE: &'static str = CACHES;
    const ABOUT: &'static str = "An Azure Managed Redis with its database. It holds data: it is deleted or replaced only when \
        somebody names it.";
    const EXAMPLE: &'static str = "\
identities:
  shop: { name: id-shop-web }
redis:
  sessions:
    name: redis-sessions-${uniqueString(azure.resourceGroup)}
    sku: Balanced_B5
    publicAccess: false
    highAvailability: true
    clustering: EnterpriseCluster
    eviction: NoEviction
    modules: [RediSearch]
    persistence: everySecond
    access: { shop: { principal: '${identities.shop}' } }
";
    const TYPES: &'static [&'static ResourceType] = &[&REDIS, &REDIS_DATABASE, &REDIS_ACCESS];
    const NESTED: &'static [Nested] = &[Nested::at("access.*")];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let (name, address) = (cx.common.name.clone(), cx.address.clone());
        spec.check(&name, cx);
        let cache = cx.id(CACHES, &[&name]);
        let mut body = cx.tracked(members([
            // Azure wants it said.
            ("publicNetworkAccess", Some(switch(spec.public_access.unwrap_or(true)))),
            ("highAvailability", spec.high_availability.map(switch)),
            ("minimumTlsVersion", Some("1.2".into())),
        ]));
        body["sku"] = json!({ "name": spec.sku });
        if let Some(identity) = identity(&spec.identities, "SystemAssigned, UserAssigned") {
            body["identity"] = identity;
        }
        let unsaid = [
            ("properties.publicNetworkAccess", spec.public_access.is_none()),
            ("properties.minimumTlsVersion", true),
        ];
        cx.main(Draft::new(address.clone(), cache.as_str(), &REDIS, body).initially_if(&unsaid));
        let modules: Vec<Value> = spec.modules.iter().map(|name| json!({ "name": name })).collect();
        let body = json!({ "properties": members([
            ("clientProtocol", Some("Encrypted".into())),
            ("port", Some(10_000.into())),
            ("clusteringPolicy", Some(json!(spec.clustering.unwrap_or(Clustering::OSSCluster)))),
            ("evictionPolicy", spec.eviction.clone().map(Value::from)),
            ("modules", (!modules.is_empty()).then_some(Value::Array(modules))),
            ("accessKeysAuthentication", spec.access_keys.map(switch)),
            ("persistence", spec.persistence.map(Persistence::body)),
        ]) });
        let id = cache.child("databases", "default");
        let database = address.child("database");
        let draft = Draft::new(database.clone(), id.as_str(), &REDIS_DATABASE, body);
        cx.also(draft.initially_if(&[("properties.clusteringPolicy", spec.clustering.is_none())]));
        for (key, access) in &spec.access {
            let own = address.child("access").child(key);
            let id = id.child("accessPolicyAssignments", access.name.as_ref().unwrap_or(key));
            // Azure has one policy so far, which allows everything.
            let body = json!({ "properties": {
                "accessPolicyName": "default", "user": { "objectId": access.principal.facet("principalId") },
            } });
            let draft = Draft::new(own, id.as_str(), &REDIS_ACCESS, body).needs(database.as_str());
            cx.also(draft.origin(format!("access.{key}")));
        }
    }
}

const ACCESS_NAME: NameRule = NameRule {
    what: "an access policy assignment",
    min: 1,
    max: 60,
    first: alphanumeric,
    inner: alphanumeric,
    last: alphanumeric,
    says: "1 to 60 letters and digits",
    ..NAME
};

impl Spec {
    fn check(&self, name: &str, cx: &mut EntryCx<'_>) {
        NAME.check(name, "name", cx);
        for (key, access) in &self.access {
            ACCESS_NAME.check(access.name.as_ref().unwrap_or(key), &format!("access.{key}"), cx);
        }
        let sizes = ["Balanced_B", "MemoryOptimized_M", "ComputeOptimized_X", "FlashOptimized_A"];
        if !has_token(&self.sku) && !sizes.iter().any(|size| self.sku.starts_with(size)) {
            let message = format!("`{}` is not a size of Azure Managed Redis", display_text(&self.sku));
            cx.problem(
                Problem::error(&REDIS_FIELDS, "sku", message)
                    .help("write one such as `Balanced_B5`, `MemoryOptimized_M10` or `ComputeOptimized_X5`"),
            );
        }
        let policies = [
            "AllKeysLFU",
            "AllKeysLRU",
            "AllKeysRandom",
            "VolatileLRU",
            "VolatileLFU",
            "VolatileTTL",
            "VolatileRandom",
            "NoEviction",
        ];
        if let Some(policy) = self.eviction.as_deref().filter(|policy| is_none_of(policy, &policies)) {
            let message = format!("`{}` is not a policy of eviction", display_text(policy));
            let help = format!("write one of {}", policies.join(", "));
            cx.problem(Problem::error(&REDIS_FIELDS, "eviction", message).help(help));
        }
        if let Some(at) = self.identities.iter().position(|identity| identity.0 == "system") {
            let message = "a Managed Redis has no identity of its own";
            cx.problem(
                Problem::error(&REDIS_FIELDS, format!("identities[{at}]"), message)
                    .help("name user-assigned identities only"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id};

    #[test]
    fn a_cache_comes_with_its_database() {
        let fields = json!({ "sku": "Balanced_B5", "publicAccess": false });
        let (drafts, problems) = expand("redis", "sessions", fields);
        assert_eq!(problems, []);
        assert!(id(&drafts[1]).ends_with("/redisEnterprise/sessions/databases/default"));
        let live = json!({
            "location": "westeurope", "kind": "v2", "sku": { "name": "Balanced_B5" },
            "properties": { "publicNetworkAccess": "Disabled", "highAvailability": "Enabled", "minimumTlsVersion": "1.2", "hostName": "x" },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        assert_eq!(drafts[1].created()["properties"]["clusteringPolicy"], "OSSCluster");
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields, code) in [
            (json!({ "sku": "Balanced_B5", "name": "a_b" }), "redis-name"),
            (json!({ "sku": "Premium" }), "redis-fields"),
            (json!({ "sku": "Balanced_B5", "eviction": "never" }), "redis-fields"),
            (json!({ "sku": "Balanced_B5", "identities": ["system"] }), "redis-fields"),
            (json!({ "sku": "Balanced_B5", "access": { "pay-team": { "principal": "x" } } }), "redis-name"),
        ] {
            assert_eq!(codes(expand("redis", "sessions", fields.clone())), [code], "{fields}");
        }
    }
}
