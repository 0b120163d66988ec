//! Cosmos DB accounts: `Microsoft.DocumentDB/databaseAccounts`
//! (<https://learn.microsoft.com/azure/templates/microsoft.documentdb/databaseaccounts>).

use super::addresses::public_range;
use super::naming::{NameRule, small};
use super::parts::{identity, members, switch, within};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Lane, Merged, Nested, Problem, Reference, ResourceType,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::has_token;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// A Cosmos DB account.
pub struct CosmosAccount;

/// A Cosmos DB account with its databases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// `Sql` (the default) or `MongoDB`. Never changes.
    #[serde(default)]
    api: Api,
    /// Whether requests are paid for one by one, in place of capacity kept ready; Azure's default (`false`) when absent. Never
    /// changes.
    serverless: Option<bool>,
    /// Further regions that hold the data, in the order in which they take over; the entry's location is the first.
    #[serde(default)]
    regions: Vec<String>,
    /// Whether the regions are spread over availability zones; Azure's default (`false`) when absent. Of a region that is
    /// there it never changes.
    zone_redundant: Option<bool>,
    /// How far reads may lag behind writes; Azure's default (`Session`) when absent.
    consistency: Option<Consistency>,
    /// Whether another region takes over by itself; Azure's default (`false`) when absent.
    automatic_failover: Option<bool>,
    /// Whether the account answers on public networks; `false` leaves private endpoints only. Azure's default (`true`) when
    /// absent.
    public_access: Option<bool>,
    /// Whether keys sign anybody in; Azure's default (`true`) when absent.
    local_auth: Option<bool>,
    /// Public addresses and CIDR blocks that are let in; with any in it, everybody else is refused.
    #[serde(default)]
    allowed_ips: Vec<String>,
    /// The identities with which the account acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// Databases of the `Sql` API.
    #[serde(default)]
    databases: IndexMap<String, DatabaseSpec>,
}

/// How an account is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Api {
    /// Cosmos DB's own.
    #[default]
    Sql,
    /// That of MongoDB.
    MongoDB,
}

/// How far reads may lag behind writes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Consistency {
    /// In the end they are the same.
    Eventual,
    /// In the order of writes.
    ConsistentPrefix,
    /// One's own writes are seen.
    Session,
    /// By so much and no more.
    BoundedStaleness,
    /// Not at all.
    Strong,
}

/// A database.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DatabaseSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Its containers.
    #[serde(default)]
    containers: IndexMap<String, ContainerSpec>,
}

/// A container.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContainerSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The path that spreads its items, such as `/customerId`. Never changes.
    partition_key: String,
    /// After how many seconds an item goes; `-1` for never unless the item says so; nothing goes when absent.
    ttl_seconds: Option<i64>,
}

const ACCOUNTS: &str = "Microsoft.DocumentDB/databaseAccounts";
const API_VERSION: &str = "2026-03-15";

/// The account.
pub static COSMOS_ACCOUNT: ResourceType = ResourceType {
    stateful: true,
    lanes: &[Lane::Ancestor(ACCOUNTS)],
    rules: &[
        Rule::at("kind").fold_case().immutable().default("\"GlobalDocumentDB\""),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.capabilities").keyed("name").immutable(),
        Rule::at("properties.locations").keyed("failoverPriority"),
        Rule::at("properties.locations[].locationName").location(),
        Rule::at("properties.locations[].isZoneRedundant").default("false"),
        Rule::at("properties.locations[].id").read_only(),
        Rule::at("properties.locations[].documentEndpoint").read_only(),
        Rule::at("properties.locations[].provisioningState").read_only(),
        Rule::at("properties.readLocations").read_only(),
        Rule::at("properties.writeLocations").read_only(),
        Rule::at("properties.failoverPolicies").read_only(),
        Rule::at("properties.consistencyPolicy.defaultConsistencyLevel").fold_case().default("\"Session\""),
        Rule::at("properties.enableAutomaticFailover").default("false"),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.disableLocalAuth").default("false"),
        Rule::at("properties.minimalTlsVersion").fold_case(),
        Rule::at("properties.ipRules").keyed("ipAddressOrRange"),
        Rule::at("properties.documentEndpoint").read_only(),
        Rule::at("properties.instanceId").read_only(),
        Rule::at("properties.keysMetadata").read_only(),
        Rule::at("properties.keyVaultKeyUriVersion").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[
        Facet::new("endpoint", "/properties/documentEndpoint", "the URL at which it answers"),
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity"),
    ],
    expected: Duration::from_secs(300),
    expected_update: Duration::from_secs(120),
    expected_delete: Duration::from_secs(300),
    timeout: Duration::from_secs(3 * 60 * 60),
    ..ResourceType::new(ACCOUNTS, API_VERSION, "Cosmos DB account")
};

/// A database.
pub static COSMOS_DATABASE: ResourceType = ResourceType {
    stateful: true,
    tags: false,
    lanes: &[Lane::Ancestor(ACCOUNTS)],
    rules: &[
        Rule::at("location").read_only(),
        Rule::at("properties.resource._colls").read_only(),
        Rule::at("properties.resource._users").read_only(),
        Rule::at("properties.resource._rid").read_only(),
        Rule::at("properties.resource._ts").read_only(),
        Rule::at("properties.resource._etag").read_only(),
        Rule::at("properties.options").create_only(),
    ],
    expected: Duration::from_secs(15),
    ..ResourceType::new(
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases",
        API_VERSION,
        "Cosmos DB database",
    )
};

/// A container.
pub static COSMOS_CONTAINER: ResourceType = ResourceType {
    stateful: true,
    tags: false,
    lanes: &[Lane::Ancestor(ACCOUNTS)],
    rules: &[
        Rule::at("location").read_only(),
        Rule::at("properties.resource.partitionKey.paths").immutable(),
        Rule::at("properties.resource.partitionKey.kind").fold_case().default("\"Hash\""),
        Rule::at("properties.resource.defaultTtl").default("null"),
        Rule::at("properties.resource.partitionKey.systemKey").read_only(),
        Rule::at("properties.resource._rid").read_only(),
        Rule::at("properties.resource._ts").read_only(),
        Rule::at("properties.resource._etag").read_only(),
        Rule::at("properties.options").create_only(),
    ],
    expected: Duration::from_secs(15),
    ..ResourceType::new(
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers",
        API_VERSION,
        "Cosmos DB container",
    )
};

const CODES: &[&Code] = &[&COSMOS_NAME, &COSMOS_PARTS];

const COSMOS_NAME: Code = Code {
    name: "cosmos-name",
    why: "The name of a Cosmos DB account is part of a DNS name that all of Azure shares; its databases have names of their own.",
    remedy: "Use 3 to 44 small letters, digits and `-`; `uniqueString` keeps it apart from others.",
    example: "name: cosmos-shop-${uniqueString(azure.resourceGroup)}",
};

const NAME: NameRule = NameRule {
    code: &COSMOS_NAME,
    what: "a Cosmos DB account",
    min: 3,
    max: 44,
    first: small,
    inner: |c| small(c) || c == '-',
    last: small,
    says: "3 to 44 small letters, digits and `-`, not starting or ending with `-`; names of accounts are taken worldwide, \
           so `${uniqueString(azure.resourceGroup)}` helps",
};

const PART: NameRule = NameRule {
    code: &COSMOS_NAME,
    what: "a database or container",
    min: 1,
    max: 255,
    first: part,
    inner: part,
    last: |c| part(c) && c != ' ',
    says: "1 to 255 characters without `/`, `\\`, `#` and `?`, not ending with a space",
};

fn part(c: char) -> bool {
    !c.is_control() && !"/\\#?%&<>:".contains(c)
}

const COSMOS_PARTS: Code = Code {
    name: "cosmos-parts",
    why: "Databases here are those of the Sql API, partition keys are paths, and rules are about public addresses.",
    remedy: "Write it as the message says.",
    example: "databases: { shop: { containers: { orders: { partitionKey: /customerId } } } }",
};

impl EntryKind for CosmosAccount {
    const SECTION: &'static str = "cosmosAccounts";
    const TITLE: &'static str = "Cosmos DB account";
    const ARM_TYPE: &'static str = ACCOUNTS;
    const ABOUT: &'static str = "A Cosmos DB account with its databases and containers. They hold data: they are deleted or \
        replaced only when somebody names them. Azure changes regions and other things in separate updates: change \
        one, apply, then the other.";
    const EXAMPLE: &'static str = "\
cosmosAccounts:
  shop:
    name: cosmos-shop-${uniqueString(azure.resourceGroup)}
    regions: [northeurope]
    automaticFailover: true
    publicAccess: false
    localAuth: false
    databases:
      shop:
        containers:
          orders: { partitionKey: /customerId, ttlSeconds: -1 }
";
    const TYPES: &'static [&'static ResourceType] = &[&COSMOS_ACCOUNT, &COSMOS_DATABASE, &COSMOS_CONTAINER];
    const NESTED: &'static [Nested] = &[Nested::at("databases.*"), Nested::at("databases.*.containers.*")];
    const MERGED: &'static [Merged] =
        &[Merged::list("regions", "properties.locations"), Merged::list("allowedIps", "properties.ipRules")];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        spec.check(cx);
        let (name, address) = (cx.common.name.clone(), cx.address.clone());
        let account = cx.id(ACCOUNTS, &[&name]);
        let regions = std::iter::once(&cx.common.location).chain(&spec.regions).enumerate();
        let regions: Vec<Value> = regions
            .map(|(order, region)| {
                members([
                    ("locationName", Some(region.as_str().into())),
                    ("failoverPriority", Some(order.into())),
                    ("isZoneRedundant", spec.zone_redundant.map(Value::from)),
                ])
            })
            .collect();
        let ips: Vec<Value> = spec.allowed_ips.iter().map(|ip| json!({ "ipAddressOrRange": ip })).collect();
        let serverless = spec.serverless.filter(|on| *on).map(|_| json!([{ "name": "EnableServerless" }]));
        let properties = members([
            ("databaseAccountOfferType", Some("Standard".into())),
            ("locations", Some(Value::Array(regions))),
            ("capabilities", serverless),
            ("consistencyPolicy", spec.consistency.map(|level| json!({ "defaultConsistencyLevel": level }))),
            ("enableAutomaticFailover", spec.automatic_failover.map(Value::from)),
            ("publicNetworkAccess", spec.public_access.map(switch)),
            ("disableLocalAuth", spec.local_auth.map(|on| (!on).into())),
            ("ipRules", (!ips.is_empty()).then_some(Value::Array(ips))),
        ]);
        let mut body = cx.tracked(properties);
        body["kind"] = json!(if spec.api == Api::MongoDB { "MongoDB" } else { "GlobalDocumentDB" });
        if let Some(identity) = identity(&spec.identities, "SystemAssigned,UserAssigned") {
            body["identity"] = identity;
        }
        cx.main(Draft::new(address.clone(), account.as_str(), &COSMOS_ACCOUNT, body));
        for (key, database) in &spec.databases {
            let origin = format!("databases.{key}");
            let named = database.name.as_deref().unwrap_or(key);
            let (own, id) = (address.child("databases").child(key), account.child("sqlDatabases", named));
            let body = json!({ "properties": { "resource": { "id": named }, "options": {} } });
            cx.also(Draft::new(own.clone(), id.as_str(), &COSMOS_DATABASE, body).origin(origin.clone()));
            for (key, container) in &database.containers {
                let name = container.name.as_deref().unwrap_or(key);
                let resource = members([
                    ("id", Some(name.into())),
                    (
                        "partitionKey",
                        Some(json!({ "paths": [container.partition_key], "kind": "Hash", "version": 2 })),
                    ),
                    ("defaultTtl", container.ttl_seconds.map(Value::from)),
                ]);
                let body = json!({ "properties": { "resource": resource, "options": {} } });
                let address = own.child("containers").child(key);
                let id = id.child("containers", name);
                let draft = Draft::new(address, id.as_str(), &COSMOS_CONTAINER, body);
                cx.also(draft.needs(own.as_str()).origin(format!("{origin}.containers.{key}")));
            }
        }
    }
}

impl Spec {
    fn check(&self, cx: &mut EntryCx<'_>) {
        NAME.check(&cx.common.name.clone(), "name", cx);
        if self.api != Api::Sql && !self.databases.is_empty() {
            let message = "databases of the MongoDB API are made by those who speak it";
            cx.problem(
                Problem::error(&COSMOS_PARTS, "databases", message)
                    .help("take `databases` out, or write `api: Sql`"),
            );
        }
        for (key, database) in &self.databases {
            PART.check(database.name.as_ref().unwrap_or(key), &format!("databases.{key}"), cx);
            for (name, container) in &database.containers {
                let path = format!("databases.{key}.containers.{name}");
                PART.check(container.name.as_ref().unwrap_or(name), &path, cx);
                within(container.ttl_seconds, -1..=2_147_483_647, &format!("{path}.ttlSeconds"), cx);
                if !container.partition_key.starts_with('/') && !has_token(&container.partition_key) {
                    let message = "a partition key is a path into the items";
                    let help = format!("write `/{}`", container.partition_key);
                    cx.problem(
                        Problem::error(&COSMOS_PARTS, format!("{path}.partitionKey"), message).help(help),
                    );
                }
            }
        }
        for (index, ip) in self.allowed_ips.iter().enumerate().filter(|(_, ip)| !has_token(ip)) {
            if let Err((message, help)) = public_range(ip) {
                cx.problem(Problem::error(&COSMOS_PARTS, format!("allowedIps[{index}]"), message).help(help));
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
        let fields = json!({ "name": "cosmos-shop", "regions": ["northeurope"], "publicAccess": false });
        let (drafts, problems) = expand("cosmosAccounts", "shop", fields);
        assert_eq!(problems, []);
        let region = |name: &str, order: u64| json!({ "id": name, "locationName": name, "failoverPriority": order, "isZoneRedundant": false });
        let live = json!({
            "location": "West Europe", "kind": "GlobalDocumentDB",
            "properties": {
                "databaseAccountOfferType": "Standard", "publicNetworkAccess": "Disabled", "disableLocalAuth": false,
                "locations": [region("West Europe", 0), region("North Europe", 1)], "readLocations": [],
                "consistencyPolicy": { "defaultConsistencyLevel": "Session" }, "capabilities": [], "ipRules": [],
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let container =
            |key: &str| json!({ "shop": { "containers": { "orders": { "partitionKey": key } } } });
        for (fields, code) in [
            (json!({ "name": "Cosmos" }), "cosmos-name"),
            (json!({ "name": "cosmos", "databases": { "a/b": {} } }), "cosmos-name"),
            (json!({ "name": "cosmos", "databases": container("customerId") }), "cosmos-parts"),
            (json!({ "name": "cosmos", "api": "MongoDB", "databases": { "a": {} } }), "cosmos-parts"),
            (json!({ "name": "cosmos", "allowedIps": ["10.0.0.1"] }), "cosmos-parts"),
        ] {
            assert_eq!(codes(expand("cosmosAccounts", "shop", fields.clone())), [code], "{fields}");
        }
    }
}
