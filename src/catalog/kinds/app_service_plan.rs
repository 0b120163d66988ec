//! App Service plans: `Microsoft.Web/serverfarms`
//! (<https://learn.microsoft.com/azure/templates/microsoft.web/serverfarms>).

use super::naming::NameRule;
use super::parts::{members, within};
use crate::catalog::{Draft, EntryCx, EntryKind, Lane, Problem, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// An App Service plan.
pub struct AppServicePlan;

/// An App Service plan: the machines that web apps run on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The size of the machines, such as `P0v3` or `B1`. Virtual network integration and private endpoints need `B1` or
    /// more, slots a Standard or Premium one.
    sku: String,
    /// The operating system of the machines; `Linux` when absent. Never changes.
    #[serde(default)]
    os: Os,
    /// How many machines; Azure's default (1) when absent.
    instances: Option<i64>,
    /// Whether the machines are spread over availability zones, for which there have to be 2 at least; Azure's default
    /// (`false`) when absent.
    zone_redundant: Option<bool>,
    /// Whether each web app says itself on how many of the machines it runs; Azure's default (`false`) when absent.
    per_site_scaling: Option<bool>,
    /// Up to how many machines a plan grows by itself, for elastic SKUs.
    elastic_max_instances: Option<i64>,
}

/// The operating system of machines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Os {
    /// Linux.
    #[default]
    Linux,
    /// Windows.
    Windows,
}

pub(super) const PLAN: &str = "Microsoft.Web/serverfarms";
pub(super) const API_VERSION: &str = "2024-11-01";

/// The plan.
pub static APP_SERVICE_PLAN: ResourceType = ResourceType {
    // Plans of a group and region share what they run on; Azure refuses to make two at once.
    lanes: &[Lane::Ancestor("Microsoft.Resources/resourceGroups")],
    rules: &[
        // Azure writes it in words of its own: `linux` comes back as `app,linux`.
        Rule::at("kind").create_only(),
        Rule::at("sku.name").fold_case(),
        Rule::at("sku.capacity").default("1"),
        Rule::at("sku.tier").read_only(),
        Rule::at("sku.size").read_only(),
        Rule::at("sku.family").read_only(),
        Rule::at("properties.reserved").immutable().default("false"),
        Rule::at("properties.zoneRedundant").default("false"),
        Rule::at("properties.perSiteScaling").default("false"),
        Rule::at("properties.maximumElasticWorkerCount").default("1"),
        Rule::at("properties.geoRegion").read_only(),
        Rule::at("properties.numberOfSites").read_only(),
        Rule::at("properties.numberOfWorkers").read_only(),
        Rule::at("properties.maximumNumberOfWorkers").read_only(),
        Rule::at("properties.resourceGroup").read_only(),
        Rule::at("properties.status").read_only(),
        Rule::at("properties.hostingEnvironmentProfile.name").read_only(),
        Rule::at("properties.hostingEnvironmentProfile.type").read_only(),
        Rule::at("properties.kubeEnvironmentProfile.name").read_only(),
        Rule::at("properties.kubeEnvironmentProfile.type").read_only(),
        Rule::at("extendedLocation.type").read_only(),
        Rule::at("properties.subscription").read_only(),
    ],
    expected: Duration::from_secs(15),
    expected_update: Duration::from_secs(15),
    ..ResourceType::new(PLAN, API_VERSION, "App Service plan")
};

/// The diagnostics of this file.
const CODES: &[&Code] = &[&APP_SERVICE_PLAN_NAME, &APP_SERVICE_PLAN_ZONES];

const APP_SERVICE_PLAN_NAME: Code = Code {
    name: "app-service-plan-name",
    why: "The name cannot be that of an App Service plan.",
    remedy: "Use 1 to 60 letters, digits, `-` and `_`.",
    example: "name: asp-shop",
};

const NAME: NameRule = NameRule {
    code: &APP_SERVICE_PLAN_NAME,
    what: "an App Service plan",
    min: 1,
    max: 60,
    first: inner,
    inner,
    last: inner,
    says: "1 to 60 letters, digits, `-` and `_`",
};

fn inner(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

const APP_SERVICE_PLAN_ZONES: Code = Code {
    name: "app-service-plan-zones",
    why: "A plan that is spread over availability zones needs a machine in more than one of them.",
    remedy: "Write `instances: 2` or more.",
    example: "appServicePlans: { shop: { sku: P0v3, instances: 2, zoneRedundant: true } }",
};

impl EntryKind for AppServicePlan {
    const SECTION: &'static str = "appServicePlans";
    const TITLE: &'static str = "App Service plan";
    const ARM_TYPE: &'static str = PLAN;
    const ABOUT: &'static str = "An App Service plan: the machines that web apps run on.";
    const EXAMPLE: &'static str = "\
appServicePlans:
  shop:
    name: asp-shop
    sku: P0v3
    instances: 2
    zoneRedundant: true
";
    const TYPES: &'static [&'static ResourceType] = &[&APP_SERVICE_PLAN];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        within(spec.instances, 1..=100, "instances", cx);
        within(spec.elastic_max_instances, 1..=100, "elasticMaxInstances", cx);
        if spec.zone_redundant == Some(true) && spec.instances.unwrap_or(1) < 2 {
            let message = "a plan of one machine cannot be spread over availability zones";
            cx.problem(
                Problem::error(&APP_SERVICE_PLAN_ZONES, "zoneRedundant", message)
                    .help("write `instances: 2` or more, or `zoneRedundant: false`"),
            );
        }
        let linux = spec.os == Os::Linux;
        let properties = members([
            ("reserved", Some(Value::from(linux))),
            ("zoneRedundant", spec.zone_redundant.map(Value::from)),
            ("perSiteScaling", spec.per_site_scaling.map(Value::from)),
            ("maximumElasticWorkerCount", spec.elastic_max_instances.map(Value::from)),
        ]);
        let mut body = cx.tracked(properties);
        body["kind"] = json!(if linux { "linux" } else { "app" });
        body["sku"] =
            members([("name", Some(spec.sku.into())), ("capacity", spec.instances.map(Value::from))]);
        let id = cx.id(PLAN, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &APP_SERVICE_PLAN, body));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand};

    #[test]
    fn what_azure_answers_is_no_change() {
        let fields = json!({ "sku": "P0v3", "instances": 2 });
        let (drafts, problems) = expand("appServicePlans", "shop", fields);
        assert_eq!(problems, []);
        let live = json!({
            "location": "West Europe", "kind": "linux",
            "sku": { "name": "P0v3", "tier": "Premium0V3", "size": "P0v3", "family": "Pv3", "capacity": 2 },
            "properties": {
                "reserved": true, "zoneRedundant": false, "perSiteScaling": false, "geoRegion": "West Europe",
                "maximumElasticWorkerCount": 1, "numberOfSites": 3, "status": "Ready",
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        let mut windows = live;
        windows["properties"]["reserved"] = json!(false);
        windows["sku"]["capacity"] = json!(5);
        assert_eq!(changes(&drafts[0], &windows), ["properties.reserved!", "sku.capacity"]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields, code) in [
            (json!({ "sku": "B1", "name": "a b" }), "app-service-plan-name"),
            (json!({ "sku": "P0v3", "zoneRedundant": true }), "app-service-plan-zones"),
            (json!({ "sku": "P0v3", "instances": 0 }), "out-of-range"),
        ] {
            assert_eq!(codes(expand("appServicePlans", "shop", fields.clone())), [code], "{fields}");
        }
    }
}
