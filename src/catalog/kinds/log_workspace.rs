//! Log Analytics workspaces: `Microsoft.OperationalInsights/workspaces`
//! (<https://learn.microsoft.com/azure/templates/microsoft.operationalinsights/workspaces>).
//!
//! A deleted workspace keeps its data for two weeks, and one made under the same name in the same group has it back.

use super::naming::{NameRule, alphanumeric};
use crate::catalog::{Draft, EntryCx, EntryKind, Facet, Listing, Problem, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A Log Analytics workspace.
pub struct LogWorkspace;

/// A Log Analytics workspace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// How the workspace is paid for; Azure's default (`PerGB2018`) when absent.
    sku: Option<Sku>,
    /// How many days data is kept, 30 to 730; Azure's default (30) when absent.
    retention_days: Option<i32>,
    /// How many gigabytes a day are taken in, `-1` for any number; Azure's default (`-1`) when absent.
    daily_quota_gb: Option<f64>,
    /// Whether data is taken in from public networks; Azure's default (`true`) when absent.
    public_ingestion: Option<bool>,
    /// Whether data can be asked for from public networks; Azure's default (`true`) when absent.
    public_query: Option<bool>,
}

/// How a workspace is paid for.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
pub enum Sku {
    /// By the gigabyte.
    PerGB2018,
    /// By gigabytes a day that are paid for in advance.
    CapacityReservation,
    /// By the gigabyte, of old.
    Standalone,
    /// By the node, with System Center's licences.
    PerNode,
    /// As the cluster of workspaces is that it belongs to.
    LACluster,
    /// An old way of paying, which Azure keeps for subscriptions that have it.
    Free,
    /// An old way of paying, which Azure keeps for subscriptions that have it.
    Standard,
    /// An old way of paying, which Azure keeps for subscriptions that have it.
    Premium,
}

const WORKSPACE: &str = "Microsoft.OperationalInsights/workspaces";

/// The workspace.
pub static LOG_WORKSPACE: ResourceType = ResourceType {
    stateful: true,
    rules: &[
        Rule::at("properties.sku.name").fold_case().default("\"PerGB2018\""),
        Rule::at("properties.sku.lastSkuUpdate").read_only(),
        Rule::at("properties.retentionInDays").default("30"),
        Rule::at("properties.workspaceCapping.dailyQuotaGb").default("-1"),
        Rule::at("properties.workspaceCapping.quotaNextResetTime").read_only(),
        Rule::at("properties.workspaceCapping.dataIngestionStatus").read_only(),
        Rule::at("properties.publicNetworkAccessForIngestion").fold_case().default("\"Enabled\""),
        Rule::at("properties.publicNetworkAccessForQuery").fold_case().default("\"Enabled\""),
        Rule::at("properties.customerId").read_only(),
        Rule::at("properties.createdDate").read_only(),
        Rule::at("properties.modifiedDate").read_only(),
        Rule::at("properties.failover.lastModifiedDate").read_only(),
        Rule::at("properties.failover.state").read_only(),
        Rule::at("properties.replication.createdDate").read_only(),
        Rule::at("properties.replication.lastModifiedDate").read_only(),
        Rule::at("properties.features.legacy").read_only(),
        Rule::at("properties.features.searchVersion").read_only(),
        Rule::at("properties.features.associations").read_only(),
        Rule::at("properties.features.unifiedSentinelBillingOnly").read_only(),
        Rule::at("properties.privateLinkScopedResources").read_only(),
    ],
    facets: &[
        Facet::new("location", "/location", "the region that it is in"),
        Facet::new("workspaceId", "/properties/customerId", "the GUID by which agents and queries know it"),
    ],
    listing: Listing::Subscription,
    expected: Duration::from_secs(15),
    expected_update: Duration::from_secs(6),
    expected_delete: Duration::from_secs(10),
    ..ResourceType::new(WORKSPACE, "2025-07-01", "log workspace")
};

const LOG_WORKSPACE_NAME: Code = Code {
    name: "log-workspace-name",
    why: "The name cannot be that of a workspace.",
    remedy: "Use 4 to 63 letters, digits and `-`, a letter or digit at both ends.",
    example: "name: log-shop",
};

const NAME: NameRule = NameRule {
    code: &LOG_WORKSPACE_NAME,
    what: "a log workspace",
    min: 4,
    max: 63,
    first: alphanumeric,
    inner: |c| alphanumeric(c) || c == '-',
    last: alphanumeric,
    says: "4 to 63 letters, digits and `-`, not starting or ending with `-`",
};

const LOG_WORKSPACE_RETENTION: Code = Code {
    name: "log-workspace-retention",
    why: "Azure keeps logs for 30 to 730 days, or 7 with some plans.",
    remedy: "Write a number within.",
    example: "retentionDays: 30",
};

impl EntryKind for LogWorkspace {
    const SECTION: &'static str = "logWorkspaces";
    const TITLE: &'static str = "log workspace";
    const ARM_TYPE: &'static str = WORKSPACE;
    const ABOUT: &'static str = "A Log Analytics workspace, where clusters send their logs.";
    const EXAMPLE: &'static str = "\
logWorkspaces:
  logs:
    name: log-shop
    retentionDays: 90
";
    const TYPES: &'static [&'static ResourceType] = &[&LOG_WORKSPACE];
    const CODES: &'static [&'static [&'static Code]] = &[&[&LOG_WORKSPACE_NAME, &LOG_WORKSPACE_RETENTION]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        if let Some(days) = spec.retention_days.filter(|days| !(30..=730).contains(days)) {
            cx.problem(
                Problem::error(
                    &LOG_WORKSPACE_RETENTION,
                    "retentionDays",
                    format!("a workspace cannot keep data for {days} days"),
                )
                .help("write 30 to 730, or leave it out for 30"),
            );
        }
        let access = |public: bool| Value::from(if public { "Enabled" } else { "Disabled" });
        let properties: Map<String, Value> = [
            ("sku", spec.sku.map(|sku| json!({ "name": sku }))),
            ("retentionInDays", spec.retention_days.map(Value::from)),
            ("workspaceCapping", spec.daily_quota_gb.map(|quota| json!({ "dailyQuotaGb": quota }))),
            ("publicNetworkAccessForIngestion", spec.public_ingestion.map(access)),
            ("publicNetworkAccessForQuery", spec.public_query.map(access)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
        let body = cx.tracked(Value::Object(properties));
        let id = cx.id(WORKSPACE, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &LOG_WORKSPACE, body));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id};

    #[test]
    fn an_entry_is_one_workspace() {
        let fields = json!({ "retentionDays": 90, "dailyQuotaGb": 1.5, "publicQuery": false });
        let (drafts, problems) = expand("logWorkspaces", "logs", fields);
        assert_eq!(problems, []);
        assert_eq!(
            id(&drafts[0]),
            "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/logs"
        );
        assert_eq!(
            drafts[0].body["properties"],
            json!({
                "retentionInDays": 90, "workspaceCapping": { "dailyQuotaGb": 1.5 },
                "publicNetworkAccessForQuery": "Disabled",
            })
        );
    }

    #[test]
    fn what_azure_answers_is_no_change() {
        let fields =
            json!({ "retentionDays": 30, "dailyQuotaGb": -1, "sku": "PerGB2018", "publicIngestion": true });
        let (drafts, _) = expand("logWorkspaces", "logs", fields);
        let live = json!({
            "location": "westeurope", "etag": "x",
            "id": "/subscriptions/sub/resourcegroups/rg/providers/microsoft.operationalinsights/workspaces/logs",
            "properties": {
                "customerId": "c", "provisioningState": "Succeeded", "retentionInDays": 30,
                "sku": { "name": "pergb2018", "lastSkuUpdate": "2001-02-03T04:05:06Z" },
                "features": { "legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": true },
                "workspaceCapping": { "dailyQuotaGb": -1.0, "dataIngestionStatus": "RespectQuota" },
                "publicNetworkAccessForIngestion": "Enabled", "publicNetworkAccessForQuery": "Enabled",
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields, code) in [
            (json!({ "name": "log" }), "log-workspace-name"),
            (json!({ "name": "log_shop" }), "log-workspace-name"),
            (json!({ "retentionDays": 7 }), "log-workspace-retention"),
        ] {
            assert_eq!(codes(expand("logWorkspaces", "logs", fields.clone())), [code], "{fields}");
        }
    }
}
