use super::*;
use crate::plan::{Impact, Reason, VERSION};
use serde_json::json;

const SUB: &str = "/subscriptions/s";

fn step(action: Action, address: &str, id: &str, desired: Value) -> Step {
    let id = ArmId::parse(id).unwrap();
    Step {
        address: Address::new(address),
        arm_type: id.resource_type(),
        id,
        action,
        reason: Reason::Missing,
        changes: vec![],
        desired,
        impact: Impact::None,
        disruption: None,
        awaits: None,
        grants: None,
        moved_from: None,
        told_elsewhere: false,
        dates: Vec::new(),
        kept_back: Vec::new(),
        purge: None,
        protected: false,
        after: vec![],
        expected_ms: 0,
    }
}

fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        version: VERSION,
        blueprint: "shop".into(),
        environment: None,
        header: None,
        ledger_serial: 0,
        destroy: false,
        steps,
        outputs: BTreeMap::new(),
        conflicts: vec![],
        targets: vec![],
        left_out: vec![],
        reverts: Vec::new(),
        not_ours: Vec::new(),
        left_alone: Vec::new(),
        program: Default::default(),
        warnings: vec![],
    }
}

fn id(rest: &str) -> String {
    format!("{SUB}/resourceGroups/rg/providers/{rest}")
}

/// Judges a plan with one answer to every question of its kind.
fn judged(plan: &Plan, answer: impl Fn(&Query) -> Option<Value>) -> (Vec<String>, Vec<String>) {
    let (desired, observed) = (Desired::default(), Observed::default());
    let queries = queries(plan, &desired, &observed);
    let answers = queries.into_iter().filter_map(|query| Some((query.clone(), answer(&query)?))).collect();
    let (conflicts, warnings) = judge(plan, &desired, &observed, &answers);
    let told =
        |list: Vec<Conflict>| list.into_iter().map(|c| format!("{}: {}", c.address, c.message)).collect();
    (told(conflicts), told(warnings))
}

#[test]
fn a_plan_that_writes_nothing_asks_nothing() {
    let vault = id("Microsoft.KeyVault/vaults/kv");
    let steps = vec![
        step(Action::NoOp, "keyVaults.a", &vault, Value::Null),
        step(Action::Adopt, "keyVaults.b", &vault, json!({ "location": "westeurope" })),
    ];
    assert_eq!(queries(&plan(steps), &Desired::default(), &Observed::default()), BTreeSet::new());
}

#[test]
fn a_name_that_is_taken_is_in_the_way_and_an_unanswered_question_is_not() {
    let plan =
        plan(vec![step(Action::Create, "keyVaults.a", &id("Microsoft.KeyVault/vaults/kv"), json!({}))]);
    let answer = |body: Value| move |query: &Query| matches!(query, Query::Name { .. }).then(|| body.clone());
    let taken = judged(&plan, answer(json!({ "nameAvailable": false, "reason": "AlreadyExists" }))).0;
    assert_eq!(
        taken,
        ["keyVaults.a: the name `kv` is taken: there is one key vault of a name in all of Azure"]
    );
    let invalid =
        answer(json!({ "nameAvailable": false, "reason": "AccountNameInvalid", "message": "Too short." }));
    assert_eq!(
        judged(&plan, invalid).0,
        ["keyVaults.a: Azure does not take `kv` as the name of a key vault: Too short"]
    );
    assert_eq!(judged(&plan, answer(json!({ "nameAvailable": true }))).0, [""; 0]);
    assert_eq!(judged(&plan, |_| None), (vec![], vec![]));
}

#[test]
fn locks_forbid_what_azure_would_refuse_and_nothing_else() {
    let lock = |scope: &str, level: &str| {
        json!([{
            "id": format!("{scope}/providers/Microsoft.Authorization/locks/keep"),
            "properties": { "level": level },
        }])
    };
    let vault = id("Microsoft.KeyVault/vaults/kv");
    let group = format!("{SUB}/resourceGroups/rg");
    for (action, scope, level, forbidden) in [
        (Action::Delete, group.as_str(), "CanNotDelete", true),
        (Action::Delete, &vault.to_uppercase().replace("/SUBSCRIPTIONS/S", SUB), "CanNotDelete", true),
        (Action::Delete, &format!("{vault}/secrets/x"), "CanNotDelete", true),
        (Action::Delete, &format!("{vault}2"), "CanNotDelete", false),
        (Action::Update, &group, "CanNotDelete", false),
        (Action::Update, &group, "ReadOnly", true),
        (Action::Create, SUB, "ReadOnly", true),
        (Action::Create, &format!("{vault}/secrets/x"), "ReadOnly", false),
        (Action::Adopt, &group, "ReadOnly", false),
    ] {
        let mut steps = vec![step(action, "keyVaults.a", &vault, json!({}))];
        // Something else that is written raises the question.
        steps.push(step(Action::Create, "other", "/subscriptions/s/resourceGroups/zz", json!({})));
        let answer = |query: &Query| matches!(query, Query::Locks { .. }).then(|| lock(scope, level));
        let found = judged(&plan(steps), answer).0;
        assert_eq!(
            found.iter().any(|text| text.starts_with("keyVaults.a: the lock `keep`")),
            forbidden,
            "{action:?} {scope} {level}: {found:?}"
        );
    }
}

#[test]
fn missing_rights_are_told_once_for_all_role_assignments() {
    let role = |n: u32| {
        let name = format!("Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-00000000000{n}");
        step(Action::Create, &format!("roleAssignments.r{n}"), &id(&name), json!({}))
    };
    let plan = plan(vec![role(1), role(2), role(3)]);
    let answer = |permissions: Value| {
        move |query: &Query| matches!(query, Query::Permissions { .. }).then(|| permissions.clone())
    };
    let contributor = json!([{ "actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"] }]);
    let found = judged(&plan, answer(contributor.clone())).1;
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("Azure will refuse roleAssignments.r1, and 2 more"), "{found:?}");
    // A second role makes up for what the first leaves out.
    let mut both = contributor;
    both.as_array_mut().unwrap().push(json!({ "actions": ["Microsoft.Authorization/roleAssignments/*"] }));
    assert_eq!(judged(&plan, answer(both)).1, [""; 0]);
}

#[test]
fn cores_of_all_pools_count_together() {
    let pool = |name: &str, body: Value| {
        let id = id(&format!("Microsoft.ContainerService/managedClusters/aks/agentPools/{name}"));
        let mut body = json!({ "location": "West Europe", "properties": body });
        body["properties"]["vmSize"] = json!("Standard_D8s_v5");
        step(Action::Create, &format!("pools.{name}"), &id, body)
    };
    let usage = |name: &str, used: u64, limit: u64| json!({ "name": { "value": name, "localizedValue": name }, "currentValue": used, "limit": limit });
    let usages = json!([usage("cores", 10, 1000), usage("standardDSv5Family", 80, 100)]);
    let answer = |query: &Query| matches!(query, Query::Usages { .. }).then(|| usages.clone());
    let plan_of = |steps| plan(steps);
    let fits = plan_of(vec![pool("a", json!({ "count": 1 })), pool("b", json!({ "minCount": 1 }))]);
    assert_eq!(judged(&fits, answer).1, [""; 0]);
    let short =
        plan_of(vec![pool("a", json!({ "count": 1 })), pool("b", json!({ "minCount": 2, "count": 1 }))]);
    assert_eq!(
        judged(&short, answer).1,
        ["pools.a: this plan takes 24 vCPUs of `standardDSv5Family` in westeurope, and 20 of 100 are free"]
    );
    // Spot machines have a quota of their own.
    let spot = plan_of(vec![pool("a", json!({ "count": 9, "scaleSetPriority": "Spot" }))]);
    assert_eq!(judged(&spot, answer).1, [""; 0]);
}
