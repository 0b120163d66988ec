//! App Service plans.

use super::defaults::{Asked, Defaults, Made, quick};
use super::web::SITE;
use crate::core::error::Failure;
use crate::core::json::{Object, at, set, set_default, text};
use crate::core::locations::display_name;
use crate::core::path::last;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};

pub(super) const PLAN: &str = "microsoft.web/serverfarms";

pub(super) const KNOWN: &[Defaults] =
    &[quick(PLAN, fill_plan).refuses(check_plan).stays(plan_is_used).plain()];

pub(super) fn alphanumeric(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// What is said of a size of machines: its tier, and whether it takes networks and slots.
pub(super) fn tier(sku: &str) -> Option<(&'static str, bool)> {
    let sku = sku.to_ascii_uppercase();
    let known: &[(&str, &str, bool)] = &[
        ("F1", "Free", false),
        ("D1", "Shared", false),
        ("Y1", "Dynamic", false),
        ("FC1", "FlexConsumption", true),
        ("B1 B2 B3", "Basic", true),
        ("S1 S2 S3", "Standard", true),
        ("P1 P2 P3", "Premium", false),
        ("P1V2 P2V2 P3V2", "PremiumV2", true),
        ("P0V3 P1V3 P2V3 P3V3 P1MV3 P2MV3 P3MV3 P4MV3 P5MV3", "Premium0V3", true),
        ("P0V4 P1V4 P2V4 P3V4 P1MV4 P2MV4 P3MV4 P4MV4 P5MV4", "PremiumV4", true),
        ("EP1 EP2 EP3", "ElasticPremium", true),
        ("I1 I2 I3", "Isolated", true),
        ("I1V2 I2V2 I3V2 I4V2 I5V2 I6V2", "IsolatedV2", true),
        ("WS1 WS2 WS3", "WorkflowStandard", true),
    ];
    let (_, tier, networks) = known.iter().find(|(names, ..)| names.split(' ').any(|name| name == sku))?;
    Some((tier, *networks))
}

fn check_plan(asked: &Asked<'_>) -> Result<(), Failure> {
    let inner = |c: char| alphanumeric(c) || c == '-' || c == '_';
    asked.named(1..=60, inner, inner, "InvalidResourceName")?;
    asked.keeps("properties.reserved", "BadRequest")?;
    asked.keeps("properties.hyperV", "BadRequest")?;
    let sku = text(asked.body, "sku.name").unwrap_or("F1");
    if tier(sku).is_none() {
        return Err(Failure::bad(
            "BadRequest",
            format!("The sku '{sku}' of the App Service plan is not valid."),
        ));
    }
    let capacity = at(asked.body, "sku.capacity").and_then(Value::as_u64).unwrap_or(1);
    if at(asked.body, "properties.zoneRedundant") == Some(&json!(true)) && capacity < 2 {
        let message = "Zone redundancy needs a plan with at least 2 instances.";
        return Err(Failure::bad("BadRequest", message));
    }
    Ok(())
}

fn fill_plan(made: &Made<'_>, body: &mut Object) {
    let sku = text(body, "sku.name").unwrap_or("F1").to_owned();
    set(body, "sku.name", sku.clone());
    set(body, "sku.size", sku.clone());
    set(
        body,
        "sku.family",
        sku.trim_end_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(|c: char| c.is_ascii_digit()),
    );
    set(body, "sku.tier", tier(&sku).map_or("", |(tier, _)| tier));
    set_default(body, "sku.capacity", 1);
    let linux = at(body, "properties.reserved") == Some(&json!(true));
    set(body, "kind", if linux { "linux" } else { "app" });
    set_default(body, "properties.reserved", false);
    set_default(body, "properties.zoneRedundant", false);
    set_default(body, "properties.perSiteScaling", false);
    set_default(body, "properties.elasticScaleEnabled", false);
    set_default(body, "properties.maximumElasticWorkerCount", 1);
    set_default(body, "properties.hyperV", false);
    set_default(body, "properties.isXenon", false);
    set(body, "properties.status", "Ready");
    let group = made.world.group_id(made.key).map_or("", last).to_owned();
    set(body, "properties.resourceGroup", group);
    let place = display_name(text(body, "location").unwrap_or_default()).to_owned();
    set(body, "properties.geoRegion", place.clone());
    set(body, "location", place);
    let sites = sites_of(made.world, made.key).count();
    set(body, "properties.numberOfSites", sites);
}

/// The sites of a plan.
pub(super) fn sites_of<'w>(world: &'w World, plan: &'w str) -> impl Iterator<Item = &'w Resource> {
    let on_it = move |r: &&Resource| {
        r.kind.starts_with(SITE)
            && text(&r.body, "properties.serverFarmId").is_some_and(|id| id.eq_ignore_ascii_case(plan))
    };
    world.state.resources.iter().map(|(_, r)| r).filter(on_it)
}

fn plan_is_used(world: &World, plan: &Resource) -> Result<(), Failure> {
    let key = plan.key();
    let names: Vec<&str> = sites_of(world, &key).map(|site| last(&site.id)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Server farm '{}' cannot be deleted because it has web app(s) {} assigned to it.",
        last(&plan.id),
        names.join(", ")
    );
    Err(Failure::new(409, "Conflict", message))
}
