//! Azure Managed Redis.

use super::data::bad;
use super::defaults::{Asked, Defaults, Ends, Made, quick};
use crate::core::error::Failure;
use crate::core::json::{Object, at, set, set_default, text};

const REDIS: &str = "microsoft.cache/redisenterprise";

pub(super) const KNOWN: &[Defaults] = &[
    quick(REDIS, fill_redis).refuses(check_redis).takes(Ends::Followed(201, 0), 600),
    quick("microsoft.cache/redisenterprise/databases", fill_redis_database)
        .refuses(check_redis_database)
        .takes(Ends::Followed(201, 0), 120),
    quick("microsoft.cache/redisenterprise/databases/accesspolicyassignments", |_, _| {})
        .refuses(check_access)
        .takes(Ends::Followed(201, 0), 10),
];

fn check_redis(asked: &Asked<'_>) -> Result<(), Failure> {
    let alnum = |c: char| c.is_ascii_alphanumeric();
    asked.named(1..=60, alnum, |c| c.is_ascii_alphanumeric() || c == '-', "BadRequest")?;
    asked.alone_in_the_world(REDIS, "NameNotAvailable")?;
    asked.needs("sku.name")?;
    let sku = text(asked.body, "sku.name").unwrap_or_default();
    let managed = ["Balanced_B", "MemoryOptimized_M", "ComputeOptimized_X", "FlashOptimized_A"];
    let managed = managed.iter().any(|start| sku.starts_with(start));
    if !managed && !sku.starts_with("Enterprise") {
        return Err(bad(format!("The SKU '{sku}' is not supported.")));
    }
    if managed && at(asked.body, "sku.capacity").is_some() {
        return Err(bad("A SKU of Azure Managed Redis has no capacity."));
    }
    if managed {
        asked.needs("properties.publicNetworkAccess")?;
    }
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled"])?;
    asked.keeps("properties.highAvailability", "BadRequest")
}

fn fill_redis(made: &Made<'_>, body: &mut Object) {
    let place = text(body, "location").unwrap_or_default().to_owned();
    set_default(body, "properties.hostName", format!("{}.{place}.redis.azure.net", made.name));
    set_default(body, "properties.highAvailability", "Enabled");
    set_default(body, "properties.minimumTlsVersion", "1.2");
    set_default(body, "properties.redundancyMode", "ZR");
    set(body, "properties.resourceState", "Running");
    set(body, "kind", "v2");
}

fn check_redis_database(asked: &Asked<'_>) -> Result<(), Failure> {
    if !asked.name.eq_ignore_ascii_case("default") {
        return Err(bad("The name of the database is 'default'."));
    }
    for fixed in ["clusteringPolicy", "modules", "port"] {
        asked.keeps(&format!("properties.{fixed}"), "BadRequest")?;
    }
    let on = |what: &str| at(asked.body, &format!("properties.persistence.{what}")) == Some(&true.into());
    if on("aofEnabled") && on("rdbEnabled") {
        return Err(bad("Only one kind of persistence can be enabled."));
    }
    asked.one_of("properties.persistence.aofFrequency", &["1s", "always"])?;
    asked.one_of("properties.persistence.rdbFrequency", &["1h", "6h", "12h"])?;
    asked.one_of("properties.clusteringPolicy", &["OSSCluster", "EnterpriseCluster", "NoCluster"])
}

fn fill_redis_database(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.clientProtocol", "Encrypted");
    set_default(body, "properties.port", 10_000);
    set_default(body, "properties.clusteringPolicy", "OSSCluster");
    set_default(body, "properties.evictionPolicy", "VolatileLRU");
    set_default(body, "properties.accessKeysAuthentication", "Disabled");
    set_default(body, "properties.deferUpgrade", "NotDeferred");
    set(body, "properties.resourceState", "Running");
    set_default(body, "properties.redisVersion", "7.4");
}

fn check_access(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.keeps("properties.user.objectId", "BadRequest")?;
    asked.keeps("properties.accessPolicyName", "BadRequest")?;
    let who = text(asked.body, "properties.user.objectId").unwrap_or_default();
    if who.is_empty() || text(asked.body, "properties.accessPolicyName") != Some("default") {
        return Err(bad("The assignment names the policy 'default' and the object id of a user."));
    }
    Ok(())
}
