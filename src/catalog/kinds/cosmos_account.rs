//! Cosmos DB accounts: `Microsoft.DocumentDB/databaseAccounts`
//! (<https://learn.microsoft.com/azure/templates/microsoft.documentdb/databaseaccounts>).

use super::addresses::public_range;
use super::naming::{NameRule, small};
use super::parts::{SYSTEM_IDENTITY, identity, known_part, members, switch, within};
use crate::catalog::{
    Arrival, DeleteMode, Draft, EntryCx, EntryKind, Facet, Lane, Merged, Named, Nested, Problem, Reference,
    ResourceType,
};
use crate::diag::Code;
use crate::ident::{Address, ArmId};
use crate::value::Rule;
use crate::value::token::has_token;
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
    /// Whether access keys are accepted; Azure's default (`true`) when absent.
    local_auth: Option<bool>,
    /// Public addresses and CIDR blocks that are let in; with any in it, everybody else is refused.
    #[serde(default)]
    allowed_ips: Vec<String>,
    /// The identities with which the account acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// How data can be brought back; Azure's default (periodic copies) when absent.
    backup: Option<BackupSpec>,
    /// Who reads and writes the data of the `Sql` API without a key, by name.
    #[serde(default)]
    access: Named<AccessSpec>,
    /// Databases of the `Sql` API.
    #[serde(default)]
    databases: Named<DatabaseSpec>,
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

/// How data can be brought back: by `continuousDays`, or by copies that are made from time to time.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BackupSpec {
    /// To any moment of so many days: 7 or 30. An account never goes back to copies.
    continuous_days: Option<i64>,
    /// A copy is made every so many minutes: 60 to 1440; Azure's default (240) when absent.
    every_minutes: Option<i64>,
    /// How many hours a copy is kept: 8 to 720; Azure's default (8) when absent.
    keep_hours: Option<i64>,
    /// Where copies are kept; Azure's default (`Geo`) when absent.
    redundancy: Option<Redundancy>,
}

/// Where copies are kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Redundancy {
    /// In another region too.
    Geo,
    /// In one place.
    Local,
    /// In several zones.
    Zone,
}

/// Who reads and writes data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessSpec {
    /// An identity of the blueprint, or an object id.
    #[schemars(extend("x-wants" = "principal"))]
    principal: Reference,
    /// `Reader`, or `Contributor` to write as well.
    role: DataRole,
    /// The key of the database that it is about; all of them when absent.
    database: Option<String>,
}

/// What somebody may do with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum DataRole {
    /// Read.
    Reader,
    /// Read and write.
    Contributor,
}

/// A database.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DatabaseSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// How many request units a second it has at hand, for all containers without a number of their own: 400 or more, in
    /// hundreds.
    throughput: Option<i64>,
    /// Up to how many request units a second it grows by itself, in place of `throughput`: 1000 or more, in thousands. Azure
    /// takes no change from one to the other.
    autoscale_to: Option<i64>,
    /// Its containers.
    #[serde(default)]
    containers: Named<ContainerSpec>,
}

/// A container.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContainerSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The path that spreads its items, such as `/customerId`. Never changes.
    partition_key: String,
    /// How many request units a second it has at hand; as in the database.
    throughput: Option<i64>,
    /// Up to how many request units a second it grows by itself, in place of `throughput`; as in the database.
    autoscale_to: Option<i64>,
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
        // Azure takes the step to continuous backups, and none back.
        Rule::at("properties.backupPolicy.type").fold_case().steps(&[("Periodic", "Continuous")]),
        Rule::at("properties.backupPolicy.migrationState").read_only(),
        Rule::at("properties.backupPolicy.periodicModeProperties.backupIntervalInMinutes").default("240"),
        Rule::at("properties.backupPolicy.periodicModeProperties.backupRetentionIntervalInHours")
            .default("8"),
        Rule::at("properties.backupPolicy.periodicModeProperties.backupStorageRedundancy")
            .fold_case()
            .default("\"Geo\""),
        Rule::at("properties.backupPolicy.continuousModeProperties.tier").fold_case(),
        Rule::at("properties.documentEndpoint").read_only(),
        Rule::at("properties.instanceId").read_only(),
        Rule::at("properties.keysMetadata").read_only(),
        Rule::at("properties.keyVaultKeyUriVersion").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[
        Facet::new("endpoint", "/properties/documentEndpoint", "the URL at which it answers"),
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity")
            .given(&SYSTEM_IDENTITY),
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

const UNITS: &[Rule] = &[
    Rule::at("location").read_only(),
    Rule::at("properties.resource._rid").read_only(),
    Rule::at("properties.resource._ts").read_only(),
    Rule::at("properties.resource._etag").read_only(),
    Rule::at("properties.resource.instantMaximumThroughput").read_only(),
    Rule::at("properties.resource.minimumThroughput").read_only(),
    Rule::at("properties.resource.offerReplacePending").read_only(),
    Rule::at("properties.resource.softAllowedMaximumThroughput").read_only(),
];

const fn throughput(arm_type: &'static str) -> ResourceType {
    ResourceType {
        delete: DeleteMode::WithParent,
        tags: false,
        lanes: &[Lane::Ancestor(ACCOUNTS)],
        rules: UNITS,
        ..ResourceType::new(arm_type, API_VERSION, "request units of Cosmos DB")
    }
}

/// The request units of a database.
pub static COSMOS_DATABASE_UNITS: ResourceType =
    throughput("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/throughputSettings");

/// The request units of a container.
pub static COSMOS_CONTAINER_UNITS: ResourceType =
    throughput("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/throughputSettings");

/// Somebody who reads or writes data without a key.
pub static COSMOS_ACCESS: ResourceType = ResourceType {
    tags: false,
    lanes: &[Lane::Ancestor(ACCOUNTS)],
    rules: &[
        Rule::at("properties.roleDefinitionId").fold_case(),
        Rule::at("properties.principalId").fold_case().immutable(),
        Rule::at("properties.scope").fold_case(),
        Rule::at("properties.provisioningState").read_only(),
    ],
    expected: Duration::from_secs(15),
    ..ResourceType::new(
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments",
        API_VERSION,
        "access to the data of Cosmos DB",
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
identities:
  shop: { name: id-shop-web }
cosmosAccounts:
  shop:
    name: cosmos-shop-${uniqueString(azure.resourceGroup)}
    regions: [northeurope]
    automaticFailover: true
    publicAccess: false
    localAuth: false
    backup: { continuousDays: 7 }
    access:
      shop: { principal: '${identities.shop}', role: Contributor, database: shop }
    databases:
      shop:
        throughput: 400
        containers:
          orders: { partitionKey: /customerId, ttlSeconds: -1, autoscaleTo: 4000 }
";
    const TYPES: &'static [&'static ResourceType] = &[
        &COSMOS_ACCOUNT,
        &COSMOS_DATABASE,
        &COSMOS_DATABASE_UNITS,
        &COSMOS_CONTAINER,
        &COSMOS_CONTAINER_UNITS,
        &COSMOS_ACCESS,
    ];
    const NESTED: &'static [Nested] =
        &[Nested::at("access.*"), Nested::at("databases.*"), Nested::at("databases.*.containers.*")];
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
            ("backupPolicy", spec.backup.as_ref().map(BackupSpec::body)),
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
            let units = Units { throughput: database.throughput, autoscale_to: database.autoscale_to };
            let body = json!({ "properties": { "resource": { "id": named }, "options": units.options() } });
            cx.also(Draft::new(own.clone(), id.as_str(), &COSMOS_DATABASE, body).origin(origin.clone()));
            units.draft(&own, &id, &COSMOS_DATABASE_UNITS, &origin, cx);
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
                let units = Units { throughput: container.throughput, autoscale_to: container.autoscale_to };
                let body = json!({ "properties": { "resource": resource, "options": units.options() } });
                let address = own.child("containers").child(key);
                let id = id.child("containers", name);
                let draft = Draft::new(address.clone(), id.as_str(), &COSMOS_CONTAINER, body);
                let origin = format!("{origin}.containers.{key}");
                cx.also(draft.needs(own.as_str()).origin(origin.clone()));
                units.draft(&address, &id, &COSMOS_CONTAINER_UNITS, &origin, cx);
            }
        }
        for (key, access) in &spec.access {
            // Its name is a GUID that follows from the account and the key.
            let seed = format!("{}|{key}", account.as_str().to_ascii_lowercase());
            let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, seed.as_bytes());
            let role = match access.role {
                DataRole::Reader => "00000000-0000-0000-0000-000000000001",
                DataRole::Contributor => "00000000-0000-0000-0000-000000000002",
            };
            let database = access.database.as_ref().and_then(|at| Some((at, spec.databases.get(at)?)));
            let scope = match database {
                Some((at, database)) => format!("{account}/dbs/{}", database.name.as_deref().unwrap_or(at)),
                None => account.to_string(),
            };
            let body = json!({ "properties": {
                "roleDefinitionId": account.child("sqlRoleDefinitions", role).as_str(),
                "principalId": access.principal.facet("principalId"), "scope": scope,
            } });
            let id = account.child("sqlRoleAssignments", &name.to_string());
            let draft = Draft::new(address.child("access").child(key), id.as_str(), &COSMOS_ACCESS, body);
            let needed = database.map(|(at, _)| address.child("databases").child(at));
            let draft = needed.iter().fold(draft, |draft, database| draft.needs(database.as_str()));
            cx.also(draft.origin(format!("access.{key}")));
        }
    }
}

/// How many request units a second there are.
struct Units {
    throughput: Option<i64>,
    autoscale_to: Option<i64>,
}

impl Units {
    /// What is said when it is made.
    fn options(&self) -> Value {
        members([
            ("throughput", self.throughput.map(Value::from)),
            ("autoscaleSettings", self.autoscale_to.map(|most| json!({ "maxThroughput": most }))),
        ])
    }

    /// What changes later is changed beside it.
    fn draft(
        &self,
        address: &Address,
        of: &ArmId,
        kind: &'static ResourceType,
        origin: &str,
        cx: &mut EntryCx<'_>,
    ) {
        if self.throughput.is_none() && self.autoscale_to.is_none() {
            return;
        }
        let id = of.child("throughputSettings", "default");
        let body = json!({ "properties": { "resource": self.options() } });
        let mut draft = Draft::new(address.child("throughput"), id.as_str(), kind, body);
        draft.arrival = Arrival::WithParent;
        cx.also(draft.needs(address.as_str()).origin(origin));
    }

    fn check(&self, path: &str, serverless: bool, cx: &mut EntryCx<'_>) {
        within(self.throughput, 400..=10_000_000, &format!("{path}.throughput"), cx);
        within(self.autoscale_to, 1_000..=10_000_000, &format!("{path}.autoscaleTo"), cx);
        let odd = self.throughput.is_some_and(|units| units % 100 != 0)
            || self.autoscale_to.is_some_and(|units| units % 1_000 != 0);
        let both = self.throughput.is_some() && self.autoscale_to.is_some();
        let some = self.throughput.is_some() || self.autoscale_to.is_some();
        let wrong = match (both, odd, serverless && some) {
            (true, ..) => Some((
                "it has a number of request units, and grows by itself",
                "write `throughput` or `autoscaleTo`",
            )),
            (_, true, _) => Some((
                "the number of request units is not a round one",
                "write hundreds, with `autoscaleTo` thousands",
            )),
            (.., true) => Some((
                "a serverless account keeps no request units at hand",
                "drop the number, or `serverless: true`",
            )),
            _ => None,
        };
        if let Some((message, help)) = wrong {
            cx.problem(Problem::error(&COSMOS_PARTS, path, message).help(help));
        }
    }
}

impl BackupSpec {
    fn body(&self) -> Value {
        match self.continuous_days {
            Some(days) => {
                let tier = format!("Continuous{days}Days");
                json!({ "type": "Continuous", "continuousModeProperties": { "tier": tier } })
            }
            None => json!({ "type": "Periodic", "periodicModeProperties": members([
                ("backupIntervalInMinutes", self.every_minutes.map(Value::from)),
                ("backupRetentionIntervalInHours", self.keep_hours.map(Value::from)),
                ("backupStorageRedundancy", self.redundancy.map(|place| json!(place))),
            ]) }),
        }
    }

    fn check(&self, cx: &mut EntryCx<'_>) {
        within(self.every_minutes, 60..=1_440, "backup.everyMinutes", cx);
        within(self.keep_hours, 8..=720, "backup.keepHours", cx);
        let copies = self.every_minutes.is_some() || self.keep_hours.is_some() || self.redundancy.is_some();
        let wrong = match self.continuous_days {
            Some(days) if days != 7 && days != 30 => {
                Some(("continuousDays", "Azure keeps 7 days or 30", "write 7 or 30"))
            }
            Some(_) if copies => Some((
                "continuousDays",
                "continuous backups make no copies from time to time",
                "drop it, or the other fields",
            )),
            _ => None,
        };
        if let Some((field, message, help)) = wrong {
            cx.problem(Problem::error(&COSMOS_PARTS, format!("backup.{field}"), message).help(help));
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
        if let Some(backup) = &self.backup {
            backup.check(cx);
        }
        for (key, access) in &self.access {
            if let Some(database) = &access.database {
                known_part(
                    database,
                    self.databases.keys(),
                    &format!("access.{key}.database"),
                    "database",
                    cx,
                );
            }
        }
        let serverless = self.serverless == Some(true);
        for (key, database) in &self.databases {
            let units = Units { throughput: database.throughput, autoscale_to: database.autoscale_to };
            units.check(&format!("databases.{key}"), serverless, cx);
            for (name, container) in &database.containers {
                let units = Units { throughput: container.throughput, autoscale_to: container.autoscale_to };
                units.check(&format!("databases.{key}.containers.{name}"), serverless, cx);
            }
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
