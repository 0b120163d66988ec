//! Whether what a cluster's add-ons collect goes anywhere.

use crate::catalog::{CheckContext, Problem};
use crate::diag::Code;
use serde_json::Value;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&PROMETHEUS_NOWHERE];

const PROMETHEUS_NOWHERE: Code = Code {
    name: "prometheus-nowhere",
    why: "Managed Prometheus takes in what a collection rule of the cluster sends to an Azure Monitor workspace. Without one the agents run, and nothing is kept.",
    remedy: "Name the workspace, or join the cluster to a rule of yours.",
    example: "addons: { prometheus: { workspace: \"${monitorWorkspaces.metrics}\" } }",
};

pub(super) fn check(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let on = around.this.body.pointer("/properties/azureMonitorProfile/metrics/enabled");
    let mut joined = around.all.of_type("Microsoft.Insights/dataCollectionRuleAssociations");
    if on != Some(&Value::Bool(true)) || joined.any(|one| one.id.parent().as_ref() == Some(around.this.id)) {
        return;
    }
    let message = "the add-on collects metrics, and nothing in the blueprint says where they go";
    let help = "write `prometheus: { workspace: \"${monitorWorkspaces.…}\" }`, or associate a collection rule with the cluster";
    problems.push(Problem::warning(&PROMETHEUS_NOWHERE, "addons.prometheus", message).help(help));
}
