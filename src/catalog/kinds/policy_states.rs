//! Whether what a policy assignment holds for complies: `Microsoft.PolicyInsights/policyStates`
//! (<https://learn.microsoft.com/rest/api/policyinsights/policy-states>).
//!
//! Azure judges by itself within half an hour of a new assignment and every 24 hours, and at once when it is asked to
//! (<https://learn.microsoft.com/azure/governance/policy/how-to/get-compliance-data#evaluation-triggers>).

use crate::catalog::{Judged, Verdict};
use crate::ident::ArmId;
use serde_json::Value;

/// How the states of an assignment are read.
pub(super) static POLICY_STATES: Judged = Judged {
    api_version: "2019-10-01",
    id: |assignment| assignment.provider("Microsoft.PolicyInsights/policyStates", &["latest"]),
    verdict: |assignment| format!("{}/summarize", states(assignment)),
    tells,
    judge: |assignment| Some(format!("{}/{STATES}/triggerEvaluation", evaluated(assignment)?)),
    judge_needs: "`Microsoft.PolicyInsights/policyStates/triggerEvaluation/action`, which Contributor and Resource Policy \
                  Contributor have",
    offenders: |assignment| format!("{}/queryResults", states(assignment)),
    offenders_query: &[("$filter", "complianceState eq 'NonCompliant'"), ("$top", "100")],
    names,
    written: &["/properties/metadata/updatedOn", "/properties/metadata/createdOn"],
    hours: 24,
};

const STATES: &str = "providers/Microsoft.PolicyInsights/policyStates/latest";

/// How many resources are named that do not comply.
const NAMED: usize = 3;

/// What an evaluation is asked for: a group or a subscription; nothing else can be. Nothing of a management group's.
fn evaluated(assignment: &ArmId) -> Option<ArmId> {
    let scope = scope(assignment);
    scope.group_id().or_else(|| {
        let subscription = format!("/subscriptions/{}", scope.subscription()?);
        ArmId::parse(&subscription).ok()
    })
}

fn scope(assignment: &ArmId) -> ArmId {
    assignment.parent().unwrap_or_else(|| assignment.clone())
}

/// The states of an assignment at a subscription or a group; of one at a resource those of the resource, because its own have
/// no address.
fn states(assignment: &ArmId) -> String {
    let scope = scope(assignment);
    match scope.namespace() {
        "" | "Microsoft.Resources" => format!("{assignment}/{STATES}"),
        _ => format!("{scope}/{STATES}"),
    }
}

fn is_of(assignment: &ArmId, value: &Value) -> bool {
    value["policyAssignmentId"]
        .as_str()
        .and_then(|id| ArmId::parse(id).ok())
        .is_some_and(|id| id == *assignment)
}

fn tells(assignment: &ArmId, answer: &Value) -> Verdict {
    let own = answer["value"].as_array().into_iter().flatten();
    let own = own.filter_map(|summary| summary["policyAssignments"].as_array()).flatten();
    let Some(own) = own.into_iter().find(|one| is_of(assignment, one)) else { return Verdict::None };
    match own["results"]["nonCompliantResources"].as_u64() {
        None => Verdict::None,
        Some(0) => Verdict::Complies,
        Some(1) => Verdict::Amiss("1 resource does not comply".to_owned()),
        Some(number) => Verdict::Amiss(format!("{number} resources do not comply")),
    }
}

/// The first resources that do not comply, each with the policy of an initiative that it breaks.
fn names(assignment: &ArmId, answer: &Value) -> Vec<String> {
    let own = answer["value"].as_array().into_iter().flatten().filter(|state| is_of(assignment, state));
    let mut named: Vec<String> = Vec::new();
    for state in own {
        let Some(resource) = state["resourceId"].as_str() else { continue };
        let within = state["policyDefinitionReferenceId"].as_str().filter(|within| !within.is_empty());
        let text = match within {
            Some(within) => format!("{resource} ({within})"),
            None => resource.to_owned(),
        };
        if !named.contains(&text) {
            named.push(text);
        }
    }
    named.truncate(NAMED);
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GROUP: &str = "/subscriptions/s/resourceGroups/rg";

    fn at(scope: &str) -> ArmId {
        ArmId::parse(&format!("{scope}/providers/Microsoft.Authorization/policyAssignments/a")).unwrap()
    }

    #[test]
    fn each_scope_has_its_addresses() {
        let cluster = format!("{GROUP}/providers/Microsoft.ContainerService/managedClusters/c");
        for (scope, evaluated, asked) in [
            ("/subscriptions/s", Some("/subscriptions/s"), at("/subscriptions/s").to_string()),
            (GROUP, Some(GROUP), at(GROUP).to_string()),
            (&cluster, Some(GROUP), cluster.clone()),
            (
                "/providers/Microsoft.Management/managementGroups/m",
                None,
                "/providers/Microsoft.Management/managementGroups/m".to_owned(),
            ),
        ] {
            let judge = evaluated.map(|scope| format!("{scope}/{STATES}/triggerEvaluation"));
            assert_eq!((POLICY_STATES.judge)(&at(scope)), judge);
            assert_eq!((POLICY_STATES.verdict)(&at(scope)), format!("{asked}/{STATES}/summarize"));
        }
    }

    #[test]
    fn a_verdict_is_that_of_the_assignment_itself() {
        let summary = |id: &str, number: Value| {
            json!({ "value": [{ "results": { "nonCompliantResources": 9 }, "policyAssignments": [
                { "policyAssignmentId": "/subscriptions/s/providers/microsoft.authorization/policyassignments/b",
                  "results": { "nonCompliantResources": 9 } },
                { "policyAssignmentId": id, "results": { "nonCompliantResources": number } },
            ] }] })
        };
        let own = at(GROUP).to_string().to_lowercase();
        assert_eq!(tells(&at(GROUP), &summary(&own, json!(0))), Verdict::Complies);
        let two = Verdict::Amiss("2 resources do not comply".to_owned());
        assert_eq!(tells(&at(GROUP), &summary(&own, json!(2))), two);
        for nothing in [
            json!(null),
            json!({}),
            json!({ "value": [] }),
            summary("x", json!(0)),
            summary(&own, json!("0")),
        ] {
            assert_eq!(tells(&at(GROUP), &nothing), Verdict::None, "{nothing}");
        }
    }

    #[test]
    fn the_first_offenders_are_named_once_each() {
        let state = |id: &str, resource: &str, within: Value| json!({ "policyAssignmentId": id, "resourceId": resource, "policyDefinitionReferenceId": within });
        let own = at(GROUP).to_string();
        let answer = json!({ "value": [
            state("/subscriptions/s/providers/a/b/c", "/other", json!(null)), state(&own, "/1", json!("tls")),
            state(&own, "/1", json!("tls")), state(&own, "/2", json!("")), state(&own, "/3", json!(null)),
            state(&own, "/4", json!(null)),
        ] });
        assert_eq!(names(&at(GROUP), &answer), ["/1 (tls)", "/2", "/3"]);
    }
}
