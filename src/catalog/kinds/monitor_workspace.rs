//! Azure Monitor workspaces, where Prometheus metrics are kept: `Microsoft.Monitor/accounts`
//! (<https://learn.microsoft.com/azure/templates/microsoft.monitor/accounts>).
//!
//! Azure makes a group of its own for each, with a collection rule and an endpoint that anybody may use.

use super::naming::{NameRule, alphanumeric};
use super::parts::{members, switch};
use crate::catalog::{Draft, EntryCx, EntryKind, Facet, Listing, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// An Azure Monitor workspace.
pub struct MonitorWorkspace;

/// An Azure Monitor workspace, where Prometheus metrics are kept for 18 months.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Whether metrics can be asked for from public networks; Azure's default (`true`) when absent.
    public_access: Option<bool>,
    /// Whether whoever may read a cluster may read its metrics too; Azure's default when absent.
    access_by_resource: Option<bool>,
}

const ACCOUNTS: &str = "Microsoft.Monitor/accounts";

/// The workspace.
pub static MONITOR_WORKSPACE: ResourceType = ResourceType {
    stateful: true,
    rules: &[
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.metrics.enableAccessUsingResourcePermissions").default("false"),
        Rule::at("properties.metrics.prometheusQueryEndpoint").read_only(),
        Rule::at("properties.metrics.internalId").read_only(),
        Rule::at("properties.accountId").read_only(),
        Rule::at("properties.defaultIngestionSettings").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[
        Facet::new("location", "/location", "the region that it is in"),
        Facet::new(
            "queryEndpoint",
            "/properties/metrics/prometheusQueryEndpoint",
            "the URL at which it answers queries",
        ),
        Facet::new(
            "defaultRule.id",
            "/properties/defaultIngestionSettings/dataCollectionRuleResourceId",
            "the collection rule that Azure made with it",
        )
        .gives("Microsoft.Insights/dataCollectionRules"),
        Facet::new(
            "defaultEndpoint.id",
            "/properties/defaultIngestionSettings/dataCollectionEndpointResourceId",
            "the collection endpoint that Azure made with it",
        )
        .gives("Microsoft.Insights/dataCollectionEndpoints"),
    ],
    listing: Listing::Subscription,
    expected: Duration::from_secs(20),
    expected_update: Duration::from_secs(5),
    expected_delete: Duration::from_secs(60),
    ..ResourceType::new(ACCOUNTS, "2025-10-03", "Azure Monitor workspace")
};

const CODES: &[&Code] = &[&MONITOR_WORKSPACE_NAME];

const MONITOR_WORKSPACE_NAME: Code = Code {
    name: "monitor-workspace-name",
    why: "The name cannot be that of an Azure Monitor workspace.",
    remedy: "Use letters, digits and `-`, a letter or digit at both ends.",
    example: "name: amw-shop",
};

const NAME: NameRule = NameRule {
    code: &MONITOR_WORKSPACE_NAME,
    what: "an Azure Monitor workspace",
    min: 2,
    max: 63,
    first: alphanumeric,
    inner: |c| alphanumeric(c) || c == '-',
    last: alphanumeric,
    says: "2 to 63 letters, digits and `-`, not starting or ending with `-`",
};

impl EntryKind for MonitorWorkspace {
    const SECTION: &'static str = "monitorWorkspaces";
    const TITLE: &'static str = "Azure Monitor workspace";
    const ARM_TYPE: &'static str = ACCOUNTS;
    const ABOUT: &'static str = "An Azure Monitor workspace, where managed Prometheus keeps the metrics of clusters. It holds \
        data: it is deleted or replaced only when somebody names it.";
    const EXAMPLE: &'static str = "\
monitorWorkspaces:
  metrics:
    name: amw-shop
    publicAccess: false
";
    const TYPES: &'static [&'static ResourceType] = &[&MONITOR_WORKSPACE];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        let by_resource = |on: bool| json!({ "enableAccessUsingResourcePermissions": on });
        let body = cx.tracked(members([
            ("publicNetworkAccess", spec.public_access.map(switch)),
            ("metrics", spec.access_by_resource.map(by_resource)),
        ]));
        let id = cx.id(ACCOUNTS, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &MONITOR_WORKSPACE, body));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id};

    #[test]
    fn what_azure_answers_is_no_change() {
        let (drafts, problems) = expand("monitorWorkspaces", "metrics", json!({ "publicAccess": true }));
        assert_eq!(problems, []);
        assert!(id(&drafts[0]).ends_with("/providers/Microsoft.Monitor/accounts/metrics"));
        let live = json!({
            "location": "westeurope",
            "properties": {
                "accountId": "x", "publicNetworkAccess": "Enabled", "provisioningState": "Succeeded",
                "metrics": { "prometheusQueryEndpoint": "https://x", "internalId": "mac_x" },
                "defaultIngestionSettings": { "dataCollectionRuleImmutableId": "dcr-x" },
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        assert_eq!(codes(expand("monitorWorkspaces", "a_b", json!({}))), ["monitor-workspace-name"]);
    }
}
