//! Container registries and their replications.

use super::data::{bad, is_disabled, server};
use super::defaults::{Asked, Defaults, Ends, Made, quick};
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, set, set_default, text};
use crate::core::store::Resource;
use serde_json::{Value, json};

const REGISTRY: &str = "microsoft.containerregistry/registries";

pub(super) const KNOWN: &[Defaults] = &[
    quick(REGISTRY, fill_registry).refuses(check_registry).takes(Ends::Followed(201, 0), 15),
    quick("microsoft.containerregistry/registries/replications", fill_replication)
        .refuses(check_replication)
        .takes(Ends::Followed(201, 1), 60),
    quick("microsoft.containerregistry/registries/cacherules", fill_part)
        .refuses(check_cache_rule)
        .takes(Ends::Followed(201, 0), 5),
    quick("microsoft.containerregistry/registries/webhooks", fill_webhook)
        .refuses(check_webhook)
        .takes(Ends::Followed(201, 0), 5),
    quick("microsoft.containerregistry/registries/scopemaps", fill_part)
        .refuses(check_scope_map)
        .takes(Ends::Followed(201, 0), 5),
    quick("microsoft.containerregistry/registries/tokens", fill_token)
        .refuses(check_token)
        .takes(Ends::Followed(201, 0), 5),
];

fn check_registry(asked: &Asked<'_>) -> Result<(), Failure> {
    let (body, alnum) = (asked.body, |c: char| c.is_ascii_alphanumeric());
    asked.named(5..=50, alnum, alnum, "InvalidRegistryName")?;
    asked.alone_in_the_world(REGISTRY, "AlreadyInUse")?;
    asked.needs("sku.name")?;
    asked.one_of("sku.name", &["Basic", "Standard", "Premium"])?;
    asked.keeps("properties.zoneRedundancy", "ZoneRedundancyCannotBeChanged")?;
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled"])?;
    let premium = text(body, "sku.name").is_some_and(|sku| sku.eq_ignore_ascii_case("Premium"));
    let disabled = |path: &str| text(body, path).is_some_and(|t| t.eq_ignore_ascii_case("disabled"));
    let enabled = |path: &str| text(body, path).is_some_and(|t| t.eq_ignore_ascii_case("enabled"));
    let only_premium = is_disabled(body)
        || enabled("properties.zoneRedundancy")
        || at(body, "properties.dataEndpointEnabled") == Some(&json!(true))
        || at(body, "properties.networkRuleSet").is_some()
        || enabled("properties.policies.retentionPolicy.status")
        || disabled("properties.policies.exportPolicy.status");
    if !premium && only_premium {
        let message = "The operation is not supported for the SKU of the registry. Upgrade it to Premium.";
        return Err(Failure::bad("NotSupportedForSku", message));
    }
    if disabled("properties.policies.exportPolicy.status") && !is_disabled(body) {
        let message = "The export policy can be disabled only while public network access is disabled.";
        return Err(Failure::bad("ExportPolicyStatusInvalid", message));
    }
    let copies = asked.world.state.resources.members(&format!("{}/replications", asked.key)).next().is_some();
    if !premium && copies {
        return Err(bad("A registry with replications cannot be downgraded."));
    }
    Ok(())
}

fn fill_registry(made: &Made<'_>, body: &mut Object) {
    let Made { name, world, key } = made;
    let tier = text(body, "sku.name").unwrap_or_default().to_owned();
    set(body, "sku.tier", tier.clone());
    set_default(body, "properties.loginServer", format!("{name}.azurecr.io"));
    set_default(body, "properties.creationDate", world.time());
    set_default(body, "properties.adminUserEnabled", false);
    set_default(body, "properties.anonymousPullEnabled", false);
    set_default(body, "properties.publicNetworkAccess", "Enabled");
    set_default(body, "properties.networkRuleBypassOptions", "AzureServices");
    set_default(body, "properties.zoneRedundancy", "Disabled");
    set_default(body, "properties.dataEndpointEnabled", false);
    set_default(body, "properties.dataEndpointHostNames", json!([]));
    set_default(body, "properties.roleAssignmentMode", "LegacyRegistryPermissions");
    set_default(body, "properties.encryption.status", "disabled");
    set_default(body, "properties.privateEndpointConnections", json!([]));
    let _ = key;
    if tier.eq_ignore_ascii_case("Premium") {
        set_default(body, "properties.policies.quarantinePolicy.status", "disabled");
        set_default(body, "properties.policies.trustPolicy", json!({"type": "Notary", "status": "disabled"}));
        set_default(body, "properties.policies.retentionPolicy.days", 7);
        set_default(body, "properties.policies.retentionPolicy.status", "disabled");
        set_default(body, "properties.policies.exportPolicy.status", "enabled");
        set_default(body, "properties.networkRuleSet.defaultAction", "Allow");
        let rules: Vec<Value> = list(body, "properties.networkRuleSet.ipRules")
            .iter()
            .cloned()
            .map(|mut rule| {
                if let Some(alone) = rule["value"].as_str().and_then(|v| v.strip_suffix("/32")) {
                    rule["value"] = json!(alone);
                }
                rule
            })
            .collect();
        set(body, "properties.networkRuleSet.ipRules", rules);
    }
}

fn check_replication(asked: &Asked<'_>) -> Result<(), Failure> {
    let sku = server(asked).and_then(|registry| text(&registry.body, "sku.name")).unwrap_or_default();
    if !sku.eq_ignore_ascii_case("Premium") {
        return Err(Failure::bad(
            "NotSupportedForSku",
            "Replications are supported only by Premium registries.",
        ));
    }
    let home = server(asked).map(Resource::location).unwrap_or_default();
    if text(asked.body, "location").is_some_and(|place| place.eq_ignore_ascii_case(home)) {
        return Err(bad("The replication is in the home region of the registry."));
    }
    asked.keeps("properties.zoneRedundancy", "ZoneRedundancyCannotBeChanged")
}

fn fill_replication(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.regionEndpointEnabled", true);
    set_default(body, "properties.zoneRedundancy", "Disabled");
    set(body, "properties.status", json!({"displayStatus": "Ready"}));
}

fn check_part(asked: &Asked<'_>) -> Result<(), Failure> {
    let alnum = |c: char| c.is_ascii_alphanumeric();
    asked.named(5..=50, alnum, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_', "InvalidName")
}

fn check_cache_rule(asked: &Asked<'_>) -> Result<(), Failure> {
    check_part(asked)?;
    asked.keeps("properties.sourceRepository", "CacheRulePropertyCannotBeChanged")?;
    asked.keeps("properties.targetRepository", "CacheRulePropertyCannotBeChanged")?;
    asked.needs("properties.sourceRepository")?;
    asked.needs("properties.targetRepository")
}

fn check_webhook(asked: &Asked<'_>) -> Result<(), Failure> {
    let alnum = |c: char| c.is_ascii_alphanumeric();
    asked.named(5..=50, alnum, alnum, "InvalidName")?;
    if asked.before.is_none() {
        asked.needs("properties.serviceUri")?;
    }
    match list(asked.body, "properties.actions").is_empty() {
        true => Err(bad("The webhook has no actions.")),
        false => asked.one_of("properties.status", &["enabled", "disabled"]),
    }
}

/// Whom it calls is shown to nobody.
fn fill_webhook(_: &Made<'_>, body: &mut Object) {
    for secret in ["properties.serviceUri", "properties.customHeaders"] {
        crate::core::json::remove(body, secret);
    }
    set_default(body, "properties.status", "enabled");
    set_default(body, "properties.scope", "");
}

fn check_scope_map(asked: &Asked<'_>) -> Result<(), Failure> {
    check_part(asked)?;
    match list(asked.body, "properties.actions").is_empty() {
        true => Err(bad("The scope map has no actions.")),
        false => Ok(()),
    }
}

fn check_token(asked: &Asked<'_>) -> Result<(), Failure> {
    check_part(asked)?;
    asked.one_of("properties.status", &["enabled", "disabled"])?;
    match text(asked.body, "properties.scopeMapId") {
        Some(map) => asked
            .refers(map, "microsoft.containerregistry/registries/scopemaps", "ScopeMapNotFound")
            .map(drop),
        None => Ok(()),
    }
}

fn fill_part(made: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.creationDate", made.world.time());
}

fn fill_token(made: &Made<'_>, body: &mut Object) {
    fill_part(made, body);
    set_default(body, "properties.status", "enabled");
}
