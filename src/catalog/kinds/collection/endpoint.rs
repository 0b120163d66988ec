//! Collection endpoints: `Microsoft.Insights/dataCollectionEndpoints`
//! (<https://learn.microsoft.com/azure/templates/microsoft.insights/datacollectionendpoints>).

use super::{API_VERSION, ENDPOINT_NAME};
use crate::catalog::kinds::parts::{members, switch};
use crate::catalog::{Draft, EntryCx, EntryKind, Facet, Listing, ResourceType, Severity, Turn, Weight};
use crate::value::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A collection endpoint.
pub struct Endpoint;

/// Where agents fetch what to collect, and send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Whether agents reach it on public networks; `false` leaves private link scopes only. Azure's default (`true`) when
    /// absent.
    public_access: Option<bool>,
    /// The system of the agents, `Linux` or `Windows`, when there is only one.
    kind: Option<Os>,
    /// What it is for.
    description: Option<String>,
}

/// A system of agents.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Os {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
}

pub(super) const ENDPOINTS: &str = "Microsoft.Insights/dataCollectionEndpoints";

/// The endpoint.
pub static ENDPOINT: ResourceType = ResourceType {
    severity: &[Weight::new(
        "properties.networkAcls.publicNetworkAccess",
        Turn::To("Enabled"),
        Severity::High,
        "agents reach it from the internet",
    )],
    rules: &[
        Rule::at("kind").fold_case().immutable(),
        Rule::at("properties.description").default("null"),
        Rule::at("properties.networkAcls.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.immutableId").read_only(),
        Rule::at("properties.configurationAccess").read_only(),
        Rule::at("properties.logsIngestion").read_only(),
        Rule::at("properties.metricsIngestion").read_only(),
        Rule::at("properties.privateLinkScopedResources").read_only(),
        Rule::at("properties.failoverConfiguration").read_only(),
        Rule::at("properties.metadata").read_only(),
    ],
    facets: &[
        Facet::new("logsIngestion", "/properties/logsIngestion/endpoint", "the URL that takes logs"),
        Facet::new("metricsIngestion", "/properties/metricsIngestion/endpoint", "the URL that takes metrics"),
        Facet::new(
            "configurationAccess",
            "/properties/configurationAccess/endpoint",
            "the URL where agents fetch what to collect",
        ),
    ],
    listing: Listing::Subscription,
    ..ResourceType::new(ENDPOINTS, API_VERSION, "collection endpoint")
};

impl EntryKind for Endpoint {
    const SECTION: &'static str = "dataCollectionEndpoints";
    const TITLE: &'static str = "collection endpoint";
    const ARM_TYPE: &'static str = ENDPOINTS;
    const ABOUT: &'static str = "Where agents fetch what to collect, and send it: for Prometheus, and where a private link scope \
        is used. It is in the region of the workspace.";
    const EXAMPLE: &'static str = "\
dataCollectionEndpoints:
  metrics:
    name: dce-metrics
    kind: Linux
    publicAccess: false
";
    const TYPES: &'static [&'static ResourceType] = &[&ENDPOINT];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        ENDPOINT_NAME.check(&name, "name", cx);
        let access = |on: bool| json!({ "publicNetworkAccess": switch(on) });
        let mut body = cx.tracked(members([
            ("description", spec.description.map(Value::from)),
            ("networkAcls", spec.public_access.map(access)),
        ]));
        if let Some(kind) = spec.kind {
            body["kind"] = json!(kind);
        }
        let id = cx.id(ENDPOINTS, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &ENDPOINT, body));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand};

    #[test]
    fn what_azure_answers_is_no_change() {
        let (drafts, problems) = expand("dataCollectionEndpoints", "dce", json!({ "publicAccess": true }));
        assert_eq!(problems, []);
        let live = json!({ "location": "westeurope", "properties": {
            "networkAcls": { "publicNetworkAccess": "Enabled" }, "immutableId": "dce-1",
            "logsIngestion": { "endpoint": "https://x" },
        } });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        assert_eq!(codes(expand("dataCollectionEndpoints", "a_b", json!({}))), ["collection-name"]);
    }
}
