//! `ignore`: of every kind, what a blueprint gives away is set when a resource is made, and whatever others make of it
//! then is neither a change nor drift.

use crate::support::{Berth, Rehearsal};
use berth::catalog::registry;
use berth::change::Action;
use berth::drift;
use berth::plan::{Adoption, plan};
use berth::state::{Observation, Observed};
use berth::value::{Comparison, LeftAloneReason, diff, merge};
use serde_json::{Value, json};

const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
";

/// The value as somebody else would have it.
fn changed(value: &Value) -> Value {
    match value {
        Value::Bool(on) => (!on).into(),
        Value::Number(number) => (number.as_i64().unwrap_or(0) + 7).into(),
        Value::String(_) => "theirs".into(),
        Value::Array(_) => json!([]),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), changed(member)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Null => Value::Null,
    }
}

#[tokio::test(start_paused = true)]
async fn what_every_kind_gives_away_is_set_once_and_left_alone() {
    let mut fields = 0;
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let plain = format!("{HEAD}{}", kind.example);
        let rehearsal = Rehearsal::new();
        let desired = rehearsal.desired(&plain);
        let mut example: Value = serde_yaml::from_str(&plain).unwrap();
        for (key, entry) in example[kind.section].as_object_mut().unwrap() {
            let address = format!("{}.{key}", kind.section);
            let found = desired.resources.iter().find(|resource| resource.address.as_str() == address);
            // An approval has no body.
            let Some(resource) = found.filter(|resource| resource.body["properties"].is_object()) else {
                continue;
            };
            let names = resource.body["properties"].as_object().unwrap().keys();
            let paths: Vec<String> = names.map(|name| format!("properties.{name}")).collect();
            if !paths.is_empty() {
                entry["ignore"] = json!(paths);
            }
        }
        let text = serde_yaml::to_string(&example).unwrap();
        let given_away = rehearsal.desired(&text);
        // A new one gets everything all the same.
        for (before, after) in desired.resources.iter().zip(&given_away.resources) {
            assert_eq!(
                before.for_creation(&before.body),
                after.for_creation(&after.body),
                "{}",
                before.address
            );
        }
        rehearsal.apply(&text).await;
        let planned = rehearsal.plan(&text).await;
        let mut observed: Observed = planned.observed.clone();
        for resource in &given_away.resources {
            let Some(Observation::Present { body, .. }) = observed.get_mut(&resource.id) else { continue };
            for path in &resource.ignore {
                let Some(value) = path.get(body).map(changed) else { continue };
                path.put(body, value);
                fields += 1;
            }
        }
        // With what requesters say to the owners of their targets, which follows from the ledger.
        let settled = given_away.with_messages(&planned.ledger.salt);
        let after = plan(&settled, &planned.ledger, &observed, Adoption::Refused);
        let told: Vec<_> = after.changes().map(|step| (&step.address, &step.changes)).collect();
        assert!(told.is_empty(), "{}: {told:#?}", kind.section);
        // An update of something else takes over what is there.
        for resource in given_away.resources.iter().filter(|resource| !resource.ignore.is_empty()) {
            let Some(live) = observed[&resource.id].body() else { continue };
            let rules = resource.kind.compiled();
            let sent = merge(live, &resource.body, rules, &[]);
            let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| false };
            for path in &resource.ignore {
                let (Some(sent), Some(there)) = (path.get(&sent), path.get(live)) else { continue };
                assert_eq!(diff(sent, there, &comparison), [], "{} {path}", resource.address);
            }
        }
        // What an earlier blueprint asked for is not drift any more.
        let ledger = {
            let earlier = Rehearsal::new();
            earlier.apply(&plain).await;
            earlier.plan(&plain).await.ledger
        };
        let of = |id: &_| given_away.by_id.get(id).map(|&at| &given_away.resources[at]);
        let report = drift::detect(
            &ledger,
            |id| observed.get(id).and_then(Observation::body),
            |id| of(id).map(|resource| resource.kind),
            |_| false,
            |id| of(id).map_or(&[], |resource| resource.ignore.as_slice()),
            |_| Vec::new(),
        );
        let outputs = |field: &drift::FieldDrift| {
            field.path.contains("principalId") || field.path.contains("objectId") || field.path.contains("Id")
        };
        for drifted in &report.drifted {
            let own = drifted.fields.iter().filter(|field| {
                of(&drifted.id)
                    .is_some_and(|resource| resource.ignore.iter().any(|path| path.covers(&field.path)))
                    && !outputs(field)
            });
            assert_eq!(own.count(), 0, "{}: {:#?}", kind.section, drifted.fields);
        }
    }
    assert!(fields > 30, "{fields}");
}

const POOL: &str = "\
blueprint: scaled
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-scaled, tags: { team: a, cost: unknown } }
clusters:
  aks:
    protect: false
    ignore: [tags.cost]
    nodePools:
      system: { mode: System, count: 1, vmSize: Standard_D4s_v5 }
      work: { count: 2, vmSize: Standard_D4s_v5, ignore: [count] }
";

#[test]
fn what_a_scaler_and_a_policy_change_is_shown_and_stays() {
    let berth = Berth::new().blueprint(POOL);
    berth.plan(&[]).exits(2).says(&["Left alone:", "clusters.aks.nodePools.work  count is set to 2 now"]);
    berth.apply(&[]).exits(0);
    let mut found = berth.export();
    found.retain(|resource| {
        let id = resource["id"].as_str().unwrap();
        id.ends_with("/agentPools/work") || id.ends_with("/managedClusters/aks")
    });
    assert_eq!(found.len(), 2);
    for resource in &mut found {
        if resource["id"].as_str().unwrap().ends_with("/aks") {
            resource["tags"]["cost"] = json!("4711");
        } else {
            resource["properties"]["count"] = json!(5);
        }
    }
    berth.write("changed.json", json!(found).to_string().as_bytes());
    berth.run(["sim", "load", "changed.json"]).exits(0);
    berth.drift(&[]).exits(0).says(&["No drift."]);
    berth.plan(&[]).exits(0).says(&[
        "No changes.",
        "clusters.aks.nodePools.work  count is 5 (the blueprint has 2)",
        "clusters.aks  tags.cost is \"4711\" (the blueprint has \"unknown\")",
    ]);
    let json = berth.plan(&["--format", "json"]).exits(0).json();
    let left: Vec<&Value> = json["leftAlone"].as_array().unwrap().iter().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.iter().all(|one| one["reason"] == "ignored"));
    // Another change keeps it.
    berth.edit("team: a", "team: b");
    berth.plan(&["--format", "json"]).exits(2);
    berth.apply(&[]).exits(0);
    let found = berth.export();
    let of =
        |end: &str| found.iter().find(|resource| resource["id"].as_str().unwrap().ends_with(end)).unwrap();
    assert_eq!(of("/agentPools/work")["properties"]["count"], json!(5));
    assert_eq!(of("/managedClusters/aks")["tags"]["cost"], json!("4711"));
    // Taken back, it is the blueprint's again.
    berth.edit(", ignore: [count]", "");
    let json = berth.plan(&["--format", "json"]).exits(2).json();
    let steps = json["steps"].as_array().unwrap();
    let updates: Vec<&Value> = steps.iter().filter(|step| step["action"] == "update").collect();
    assert_eq!(updates.len(), 1, "{updates:#?}");
}

#[tokio::test(start_paused = true)]
async fn giving_a_field_away_later_changes_nothing() {
    let rehearsal = Rehearsal::new();
    let text = POOL.replace("${env.AZURE_SUBSCRIPTION_ID}", "5ab5c819-0000-4000-8000-000000000001");
    let whole = text.replace(", ignore: [count]", "").replace("    ignore: [tags.cost]\n", "");
    rehearsal.apply(&whole).await;
    let planned = rehearsal.plan(&text).await;
    assert!(planned.plan.changes().all(|step| step.action == Action::NoOp), "{:#?}", planned.plan.steps);
    assert!(planned.plan.left_alone.iter().all(|one| one.reason == LeftAloneReason::Ignored));
    assert_eq!(rehearsal.drift(&text).await.drifted, []);
}
