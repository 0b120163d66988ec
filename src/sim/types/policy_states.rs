//! What Azure Policy finds: whether resources comply with the assignments that hold for them.
//!
//! Shapes and addresses are those of <https://learn.microsoft.com/rest/api/policyinsights/policy-states>. Two built-in
//! policies are judged as they are, *Allowed locations* and *Require a tag on resources*; with every other one all complies.

use crate::core::behaviour::{Answer, Behaviour, ok, unknown_action};
use crate::core::call::{Call, not_found};
use crate::core::error::Failure;
use crate::core::json::{at, text};
use crate::core::locations::normal_location;
use crate::core::operation::{Act, Progress, Style, Work};
use crate::core::path::{group_of, last};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::Timestamp;
use crate::host::transport::Response;
use serde_json::{Value, json};

/// `Microsoft.PolicyInsights/policyStates`.
#[derive(Debug)]
pub(crate) struct PolicyStates;

const ASSIGNMENTS: &str = "microsoft.authorization/policyassignments";
const STATES: &str = "/providers/microsoft.policyinsights/policystates/latest";
const ALLOWED_LOCATIONS: &str = "e56962a6-4747-49cd-b67b-bf8b01975c4c";
const REQUIRE_TAG: &str = "871b6d14-10aa-478d-b590-94f262ecfa99";

/// How long after an assignment was written Azure has judged by itself: about half an hour, says its documentation.
const BY_ITSELF: u64 = 30 * 60 * 1000;

impl Behaviour for PolicyStates {
    fn put(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        Err(Failure::new(405, "MethodNotAllowed", format!("'{}' cannot be written.", call.type_name)))
    }

    fn act(&self, world: &mut World, call: &Call<'_>, action: &str) -> Answer {
        let scope = &call.path.scope;
        if !call.path.name().eq_ignore_ascii_case("latest") {
            return Err(unknown_action(call, action));
        }
        if !world.exists(scope) {
            return Err(not_found(&call.path.id[..scope.len()]));
        }
        match action.to_ascii_lowercase().as_str() {
            "triggerevaluation" => {
                let whole = scope.matches('/').count() == 2 || group_of(scope) == Some(scope);
                if !whole {
                    return Err(unknown_action(call, action));
                }
                let operation = world.start(call, Work::on(Style::Location, Act::Update, &call.path.key));
                let mut response = Response::new(202, "");
                world.follow(call, &operation, &mut response);
                Ok(response)
            }
            "summarize" => {
                let found = states(world, scope);
                let mut own: Vec<&str> =
                    found.iter().filter_map(|state| state["policyAssignmentId"].as_str()).collect();
                own.dedup();
                let assignments: Vec<Value> = own
                    .into_iter()
                    .map(|id| {
                        let of: Vec<&Value> =
                            found.iter().filter(|state| state["policyAssignmentId"] == id).collect();
                        json!({
                            "policyAssignmentId": id, "policySetDefinitionId": "", "results": results(&of),
                            "policyDefinitions": [], "policyGroups": [],
                        })
                    })
                    .collect();
                let all: Vec<&Value> = found.iter().collect();
                ok(&json!({ "@odata.count": 1, "value": [{
                    "@odata.id": null, "@odata.context": null, "results": results(&all),
                    "policyAssignments": assignments,
                }] }))
            }
            "queryresults" => {
                let wanted = match call.query.get("$filter") {
                    None => None,
                    Some(filter) => match filter.split_once(" eq ") {
                        Some((field, value)) if field.trim().eq_ignore_ascii_case("complianceState") => {
                            Some(value.trim().trim_matches('\'').to_owned())
                        }
                        _ => {
                            let message = format!("The simulator does not know the filter '{filter}'.");
                            return Err(Failure::bad("InvalidFilterInQueryString", message));
                        }
                    },
                };
                let most = call.query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(1000);
                let mut found = states(world, scope);
                found.retain(|state| {
                    wanted.as_deref().is_none_or(|wanted| state["complianceState"] == wanted)
                });
                found.truncate(most);
                ok(&json!({ "@odata.nextLink": null, "@odata.count": found.len(), "value": found }))
            }
            _ => Err(unknown_action(call, action)),
        }
    }
}

fn results(states: &[&Value]) -> Value {
    let number = |state: &str| states.iter().filter(|one| one["complianceState"] == state).count();
    let details: Vec<Value> = ["Compliant", "NonCompliant", "Exempt"]
        .iter()
        .map(|state| json!({ "complianceState": state.to_ascii_lowercase(), "count": number(state) }))
        .collect();
    json!({
        "queryResultsUri": null,
        "nonCompliantResources": number("NonCompliant"),
        "nonCompliantPolicies": usize::from(number("NonCompliant") > 0),
        "resourceDetails": details,
    })
}

/// What was found about a scope: an assignment, or what lies below anything else.
fn states(world: &World, asked: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for (key, assignment) in world.state.resources.of_kind(ASSIGNMENTS) {
        let Some(scope) = key.rfind("/providers/").map(|at| &key[..at]) else { continue };
        let one = asked == key;
        if !one && !is_within(asked, scope) && !is_within(scope, asked)
            || !is_judged(world, scope, assignment)
        {
            continue;
        }
        let resources = world
            .state
            .resources
            .below(scope)
            .chain(world.state.resources.get(scope).map(|resource| (scope, resource)));
        for (at, resource) in resources {
            if (one || is_within(at, asked)) && applies(assignment, at, resource) {
                found.push(state(world, assignment, at, resource));
            }
        }
    }
    found
}

fn is_within(key: &str, scope: &str) -> bool {
    key.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether Azure has judged since the assignment was written: by itself, or because somebody had it do so.
fn is_judged(world: &World, scope: &str, assignment: &Resource) -> bool {
    let written = ["properties.metadata.updatedOn", "properties.metadata.createdOn"]
        .iter()
        .find_map(|path| text(&assignment.body, path))
        .unwrap_or_default();
    let lately = Timestamp(world.now.now().0.saturating_sub(BY_ITSELF)).to_string();
    // All times are written alike.
    let asked = world.state.operations.values().any(|operation| {
        operation.target.strip_suffix(STATES).is_some_and(|of| is_within(scope, of))
            && matches!(operation.progress, Progress::Succeeded(_))
            && operation.started.to_string().as_str() >= written
    });
    asked || written <= lately.as_str()
}

/// Policies are about what has a place: resources, not groups and not what hangs on something else.
fn applies(assignment: &Resource, key: &str, resource: &Resource) -> bool {
    let left_out = at(&assignment.body, "properties.notScopes").and_then(Value::as_array);
    let left_out = left_out.into_iter().flatten().filter_map(Value::as_str);
    let place = resource.location();
    !place.is_empty()
        && !place.eq_ignore_ascii_case("global")
        && resource.kind != ASSIGNMENTS
        && group_of(key) != Some(key)
        && !left_out.map(str::to_ascii_lowercase).any(|scope| is_within(key, &scope))
}

fn state(world: &World, assignment: &Resource, key: &str, resource: &Resource) -> Value {
    let exempt =
        world.state.resources.of_kind("microsoft.authorization/policyexemptions").any(|(at, one)| {
            let of = text(&one.body, "properties.policyAssignmentId").unwrap_or_default();
            let scope = at.rfind("/providers/").map_or("", |end| &at[..end]);
            of.eq_ignore_ascii_case(&assignment.id) && is_within(key, scope)
        });
    let definition = text(&assignment.body, "properties.policyDefinitionId").unwrap_or_default();
    let found = match (exempt, breaks(assignment, &definition.to_ascii_lowercase(), resource)) {
        (true, _) => "Exempt",
        (false, true) => "NonCompliant",
        (false, false) => "Compliant",
    };
    json!({
        "timestamp": world.time(), "resourceId": resource.id, "policyAssignmentId": assignment.id.to_ascii_lowercase(),
        "policyDefinitionId": definition, "policyDefinitionReferenceId": "", "complianceState": found,
        "isCompliant": found != "NonCompliant", "resourceLocation": resource.location(),
    })
}

fn breaks(assignment: &Resource, definition: &str, resource: &Resource) -> bool {
    let parameter = |name: &str| at(&assignment.body, &format!("properties.parameters.{name}.value"));
    match last(definition) {
        ALLOWED_LOCATIONS => {
            let allowed = parameter("listOfAllowedLocations").and_then(Value::as_array);
            let mut allowed = allowed.into_iter().flatten().filter_map(Value::as_str);
            let place = normal_location(resource.location());
            !allowed.any(|allowed| normal_location(allowed) == place)
        }
        REQUIRE_TAG => {
            let name = parameter("tagName").and_then(Value::as_str).unwrap_or_default();
            let tags = resource.body.get("tags").and_then(Value::as_object);
            !tags.is_some_and(|tags| tags.keys().any(|tag| tag.eq_ignore_ascii_case(name)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn an_assignment_is_judged_when_that_is_asked_for() {
        let bench = Bench::new().await;
        let (group, version) = (Bench::id("/resourceGroups/rg"), "api-version=2019-10-01");
        let place = |name: &str| format!("{group}/providers/Microsoft.Network/routeTables/{name}");
        bench.make(&place("a"), json!({ "location": "westeurope" })).await;
        let assignment = format!("{group}/providers/Microsoft.Authorization/policyAssignments/p");
        let definition =
            "/providers/Microsoft.Authorization/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c";
        let body = json!({ "properties": { "policyDefinitionId": definition,
            "parameters": { "listOfAllowedLocations": { "value": ["northeurope"] } } } });
        assert_eq!(bench.put(&assignment, body).await.status, 201);
        let states = format!("{assignment}/providers/Microsoft.PolicyInsights/policyStates/latest");
        let summary = async || bench.post(&format!("{states}/summarize?{version}")).await;
        assert_eq!(summary().await.at("/value/0/policyAssignments"), &json!([]));
        let whole = format!("{group}/providers/Microsoft.PolicyInsights/policyStates/latest");
        assert_eq!(bench.post(&format!("{states}/triggerEvaluation?{version}")).await.status, 404);
        let asked = bench.post(&format!("{whole}/triggerEvaluation?{version}")).await;
        assert_eq!((asked.status, bench.settle(&asked).await.as_str()), (202, "Succeeded"));
        let own = "/value/0/policyAssignments/0/results/nonCompliantResources";
        assert_eq!(summary().await.at(own), &json!(1));
        let named = bench.post(&format!("{states}/queryResults?{version}")).await;
        assert_eq!(named.at("/value/0/resourceId"), &json!(place("a")));
    }
}
