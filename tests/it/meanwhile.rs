//! Somebody else writes between a plan and what comes of it: nothing of theirs is overwritten or deleted.

use crate::support::{Meanwhile, Rehearsal};
use berth::approve::Allowances;
use berth::arm::Conditions;
use berth::arm::transport::Method;
use berth::catalog::{Arrival, registry};
use berth::change::{Action, Outcome};
use berth::ops;
use berth::plan::Adoption;
use berth::sim::{Effect, Fault};
use berth::state::{DesiredResource, Provisioning, owner_of};
use serde_json::{Value, json};
use std::time::Duration;

const GROUPS: &str = "Microsoft.Resources/resourceGroups";

const HEAD: &str = "\
blueprint: meanwhile
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-meanwhile
";

/// A resource as somebody else makes it: without our tag, with one of theirs.
fn theirs(body: &Value, tagged: bool) -> Value {
    let mut body = body.clone();
    if tagged {
        body["tags"] = json!({ "team": "theirs" });
    }
    body
}

fn url(resource: &DesiredResource) -> String {
    format!("{}?api-version={}", resource.id, resource.kind.api_version)
}

fn refusal(path: &str) -> Fault {
    let effect = Effect::Answer {
        status: 403,
        code: "RequestDisallowedByPolicy".into(),
        message: "refused for now".into(),
        retry_after: None,
    };
    Fault::once(Method::Put, path, effect)
}

/// What an example makes by a PUT of its own.
fn made(text: &str) -> Vec<DesiredResource> {
    let all = Rehearsal::new().desired(text).resources;
    let own = |one: &DesiredResource| {
        matches!(one.operation, Provisioning::Resource) && one.arrival != Arrival::WithParent
    };
    all.into_iter().filter(own).collect()
}

#[tokio::test(start_paused = true)]
async fn what_appears_after_the_plan_is_not_overwritten_whatever_its_type() {
    let mut wrong = Vec::new();
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let text = format!("{HEAD}{}", kind.example);
        for resource in made(&text) {
            // What is made in a plan whole has only berth's; a group is filled by others as soon as it is there.
            let in_group = resource.id.parent().is_none_or(|above| above.resource_type() == GROUPS);
            for alone in [true, false].into_iter().filter(|alone| *alone || in_group) {
                if let Some(told) = appears(&text, &resource, alone).await {
                    wrong.push(format!("{} {} alone={alone}: {told}", kind.section, resource.kind.arm_type));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Has somebody else make a resource just before berth does: all of the example is new, or the resource alone.
async fn appears(text: &str, resource: &DesiredResource, alone: bool) -> Option<String> {
    let mut rehearsal = Rehearsal::new();
    let meanwhile = Meanwhile::on(&mut rehearsal);
    rehearsal.simulator.fail_next(refusal(resource.id.as_str()));
    let _ = rehearsal.try_apply(text, Adoption::Refused).await;
    let sent = meanwhile.writes(&resource.id);
    let Some((_, body, 403)) = sent.first() else {
        return Some(format!("it was never refused: {sent:?}"));
    };
    let body = body.clone();
    if !alone {
        rehearsal = Rehearsal::new();
    }
    let meanwhile = Meanwhile::on(&mut rehearsal);
    let foreign = vec![(Method::Put, url(resource), Some(theirs(&body, resource.kind.tags)))];
    let desired = rehearsal.desired(text);
    let allowances = Allowances::default();
    let applied = ops::apply(&rehearsal.session, &desired, Adoption::Refused, &allowances, |_, _| {
        meanwhile.forget();
        meanwhile.before(&[Method::Get, Method::Put], &resource.id, foreign);
        true
    });
    let applied = match applied.await {
        Ok(applied) => applied.unwrap(),
        Err(error) => return Some(error.to_string()),
    };
    if meanwhile.is_waiting() {
        return Some("berth never came there".into());
    }
    let client = &rehearsal.session.engine.client;
    let live = client.get(resource.id.as_str(), resource.kind.api_version).await.unwrap().unwrap().body;
    let sent = meanwhile.writes(&resource.id);
    // Of a private DNS zone only the operation tells that the condition was not met.
    let accepted = sent.iter().any(|(.., status)| *status < 300);
    if accepted && !resource.kind.arm_type.contains("/privateDnsZones") || owner_of(&live).is_some() {
        let statuses: Vec<_> = sent.iter().map(|(method, _, status)| (method, status)).collect();
        return Some(format!("overwritten: {statuses:?}"));
    }
    let step = applied.summary.steps.iter().find(|step| step.address == resource.address);
    match step.map(|step| &step.outcome) {
        Some(Outcome::Failed { message, .. }) if message.contains("somebody else has made it since") => {}
        other => return Some(format!("{other:?}")),
    }
    if !resource.kind.tags {
        return None;
    }
    // Nor does the next run take it for its own.
    let planned = rehearsal.plan(text).await;
    let mut told = planned.plan.conflicts.iter();
    let told = told.any(|one| one.address == resource.address && one.help.contains("--adopt"));
    (!told).then(|| format!("the next plan: {:?}", planned.plan.conflicts))
}

/// What berth sent to make a resource, as somebody else sends it.
fn anew(meanwhile: &Meanwhile, resource: &DesiredResource) -> Option<Value> {
    let (_, body, _) =
        meanwhile.writes(&resource.id).into_iter().find(|(method, ..)| *method == Method::Put)?;
    Some(theirs(&body, true))
}

#[tokio::test(start_paused = true)]
async fn what_changes_hands_after_the_plan_is_not_deleted_whatever_its_type() {
    let mut wrong = Vec::new();
    let mut tried = std::collections::BTreeSet::new();
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let text = format!("{HEAD}{}", kind.example);
        for resource in made(&text).into_iter().filter(|resource| resource.kind.tags) {
            if !tried.insert(resource.kind.arm_type) {
                continue;
            }
            let mut rehearsal = Rehearsal::new();
            let meanwhile = Meanwhile::on(&mut rehearsal);
            rehearsal.apply(&text).await;
            let body = anew(&meanwhile, &resource).unwrap();
            let desired = rehearsal.desired(&text);
            let all = desired.resources.iter().map(|resource| resource.address.to_string()).collect();
            let allowances = Allowances { delete: all, ..Allowances::default() };
            let foreign = vec![(Method::Put, url(&resource), Some(body))];
            let applied = ops::destroy(&rehearsal.session, &desired.blueprint, &[], &allowances, |_, _| {
                meanwhile.before(&[Method::Get, Method::Delete], &resource.id, foreign);
                meanwhile.forget();
                true
            });
            let applied = applied.await.unwrap().unwrap();
            let step = applied.summary.steps.iter().find(|step| step.address == resource.address).unwrap();
            // What goes along with something else is not deleted by itself.
            if meanwhile.is_waiting() {
                tried.remove(resource.kind.arm_type);
                continue;
            }
            let told = format!("{:?}", step.outcome);
            let sent = meanwhile.writes(&resource.id);
            if !sent.is_empty() || !told.contains("has changed hands since") {
                wrong.push(format!("{}: {sent:?} {told}", resource.kind.arm_type));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried.len() > 25, "{tried:?}");
}

#[tokio::test(start_paused = true)]
async fn what_changes_hands_after_the_plan_is_not_written() {
    for tags in [json!({ "team": "theirs" }), json!({ "berth-blueprint": "another" })] {
        let text = format!(
            "{HEAD}identities: {{ app: {{}} }}\nkeyVaults: {{ kv: {{ name: kv-hands-1, protect: false }} }}\n"
        );
        let mut rehearsal = Rehearsal::new();
        let meanwhile = Meanwhile::on(&mut rehearsal);
        rehearsal.apply(&text).await;
        let after = text.replace("protect: false", "protect: false, tags: { stage: two }");
        let desired = rehearsal.desired(&after);
        let vault = desired.resources.iter().find(|one| one.address.as_str() == "keyVaults.kv").unwrap();
        let mut body = anew(&meanwhile, vault).unwrap();
        body["tags"] = tags.clone();
        let foreign = vec![(Method::Put, url(vault), Some(body))];
        let allowances = Allowances::default();
        let applied = ops::apply(&rehearsal.session, &desired, Adoption::Refused, &allowances, |_, _| {
            meanwhile.before(&[Method::Get], &vault.id, foreign);
            meanwhile.forget();
            true
        });
        let applied = applied.await.unwrap().unwrap();
        let told = format!("{:?}", applied.summary);
        assert!(told.contains("has changed hands since"), "{told}");
        assert!(meanwhile.writes(&vault.id).is_empty());
        let live = rehearsal.session.engine.client.get(vault.id.as_str(), vault.kind.api_version).await;
        assert_eq!(live.unwrap().unwrap().body["tags"], tags);
    }
}

const NETWORK: &str =
    "networks: { hub: { addressSpace: [10.20.0.0/16], subnets: { a: { prefix: 10.20.0.0/24 } } } }\n";

/// A part without tags belongs to whom the whole belongs: a subnet to the owner of its network.
#[tokio::test(start_paused = true)]
async fn parts_of_what_another_blueprint_took_over_stay_as_they_are() {
    for (tag, forgotten) in
        [(json!({ "berth-blueprint": "another" }), true), (json!({ "team": "theirs" }), false)]
    {
        let text = format!("{HEAD}{NETWORK}");
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&text).await;
        let id = |name: &str| {
            let desired = rehearsal.desired(&text);
            let found = desired.resources.iter().find(|one| one.address.as_str() == name).unwrap();
            (found.id.clone(), found.kind.api_version)
        };
        let (network, version) = id("networks.hub");
        let (subnet, _) = id("networks.hub.subnets.a");
        let client = &rehearsal.session.engine.client;
        let mut body = client.get(network.as_str(), version).await.unwrap().unwrap().body;
        body["tags"] = tag;
        client.put(network.as_str(), version, &body, &Conditions::none()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(600)).await;

        // Changing the part is in the way when somebody else has the whole.
        let planned = rehearsal.plan(&text.replace("10.20.0.0/24", "10.20.1.0/24")).await.plan;
        let told: Vec<_> = planned.conflicts.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(told.contains(&"networks.hub.subnets.a"), forgotten, "{told:?}");
        let planned = ops::plan_destroy(&rehearsal.session, "meanwhile", &[]).await.unwrap().plan;
        let step = planned.steps.iter().find(|step| step.id == subnet).unwrap();
        match forgotten {
            true => assert_eq!(step.action, Action::Forget),
            false => {
                assert!(step.protected && planned.warnings.iter().any(|one| one.id == subnet), "{step:?}")
            }
        }
        let allowances = Allowances::default();
        let ended = ops::destroy(&rehearsal.session, "meanwhile", &[], &allowances, |_, _| true).await;
        assert_eq!(ended.is_ok(), forgotten);
        assert!(client.get(subnet.as_str(), version).await.unwrap().is_some());
    }
}

/// Without its ledger a blueprint finds what it made by the tag, in every kind: nothing is in the way, made or deleted.
#[tokio::test(start_paused = true)]
async fn a_lost_ledger_is_found_again_in_every_kind() {
    let mut wrong = Vec::new();
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let text = format!("{HEAD}{}", kind.example);
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&text).await;
        let lost = rehearsal.without_ledger();
        let plan = lost.plan(&text).await.plan;
        let in_the_way = plan.conflicts.iter().map(|one| format!("{}: {}", one.address, one.message));
        wrong.extend(in_the_way);
        let harm = plan.steps.iter().filter(|step| {
            matches!(step.action, Action::Create | Action::Replace | Action::Delete | Action::Recover)
        });
        wrong.extend(harm.map(|step| format!("{} {:?} {:?}", step.address, step.action, step.reason)));
        // Nor is anything told as gone or as well, or deleted, by a run that knows nothing.
        let desired = rehearsal.desired(&text);
        assert!(ops::drift(&lost.session, &desired).await.is_err(), "{}", kind.section);
        assert!(ops::plan_destroy(&lost.session, "meanwhile", &[]).await.is_err(), "{}", kind.section);
        let applied = lost.try_apply(&text, Adoption::Refused).await.unwrap();
        let failed = applied.summary.steps.iter().filter(|step| step.outcome != Outcome::Done);
        wrong.extend(failed.map(|step| format!("{}: {:?} {:?}", step.address, step.action, step.outcome)));
        if !applied.summary.is_complete() {
            continue;
        }
        // What an origin of Front Door says when it asks follows from the ledger: the next plan shows the new text.
        if kind.section != "frontDoors" {
            let again = lost.plan(&text).await.plan;
            wrong.extend(again.changes().map(|step| format!("{}: again {:?}", step.address, step.action)));
            let drifted = lost.drift(&text).await.drifted;
            wrong.extend(drifted.into_iter().map(|one| format!("{}: {:?}", one.address, one)));
        }
        lost.destroy(&text).await;
        let left: Vec<String> = lost.simulator.export().iter().map(|one| one["id"].to_string()).collect();
        wrong.extend(left.into_iter().map(|id| format!("{}: left {id}", kind.section)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Two writers at one time, where Azure has a condition: what the other wrote between our read and our write stays.
#[tokio::test(start_paused = true)]
async fn what_others_write_between_a_read_and_a_write_is_kept() {
    let text = format!(
        "{HEAD}privateDnsZones: {{ z: {{ name: a.internal, links: {{ hub: {{ network: '${{networks.hub}}' }} }} }} }}\n{NETWORK}"
    );
    let after = text.replace("name: a.internal,", "name: a.internal, tags: { stage: two },");
    let mut rehearsal = Rehearsal::new();
    let meanwhile = Meanwhile::on(&mut rehearsal);
    rehearsal.apply(&text).await;
    let desired = rehearsal.desired(&after);
    let changed = desired.resources.iter().filter(|one| one.kind.conditional && one.kind.tags);
    let mut tried = 0;
    for resource in changed {
        let client = &rehearsal.session.engine.client;
        let mut body =
            client.get(resource.id.as_str(), resource.kind.api_version).await.unwrap().unwrap().body;
        body["tags"]["theirs"] = json!("kept");
        body.as_object_mut()
            .unwrap()
            .retain(|name, _| name == "tags" || name == "location" || name == "properties");
        let foreign = vec![(Method::Put, url(resource), Some(body))];
        let before = rehearsal.plan(&after).await.plan;
        if !before.steps.iter().any(|step| step.id == resource.id && step.action == Action::Update) {
            continue;
        }
        let allowances = Allowances::default();
        let applied = ops::apply(&rehearsal.session, &desired, Adoption::Refused, &allowances, |_, _| {
            meanwhile.before(&[Method::Put], &resource.id, foreign);
            true
        });
        let applied = applied.await.unwrap().unwrap();
        assert!(applied.summary.is_complete() && !meanwhile.is_waiting(), "{:#?}", applied.summary);
        let live = client.get(resource.id.as_str(), resource.kind.api_version).await.unwrap().unwrap().body;
        assert_eq!((&live["tags"]["theirs"], &live["tags"]["stage"]), (&json!("kept"), &json!("two")));
        tried += 1;
    }
    assert!(tried > 0);
}

/// What a replacement has cleared away may be made again by others at once: by a policy, by another tool.
#[tokio::test(start_paused = true)]
async fn what_others_make_in_place_of_what_was_cleared_stays_theirs() {
    let text = format!("{HEAD}identities: {{ app: {{}} }}\n");
    let mut rehearsal = Rehearsal::new();
    let meanwhile = Meanwhile::on(&mut rehearsal);
    rehearsal.apply(&text).await;
    let after = text.replace("app: {}", "app: { location: northeurope }");
    let desired = rehearsal.desired(&after);
    let identity = desired.resources.iter().find(|one| one.address.as_str() == "identities.app").unwrap();
    let foreign = vec![(Method::Put, url(identity), Some(anew(&meanwhile, identity).unwrap()))];
    let allowances = Allowances { replace: vec!["identities.app".into()], ..Allowances::default() };
    let applied = ops::apply(&rehearsal.session, &desired, Adoption::Refused, &allowances, |_, _| {
        meanwhile.once_deleted(&identity.id, foreign);
        true
    });
    let applied = applied.await.unwrap().unwrap();
    let step = applied.summary.steps.iter().find(|step| step.address == identity.address).unwrap();
    assert!(format!("{:?}", step.outcome).contains("somebody else has made it since"), "{step:?}");
    assert!(step.deleted);
    let client = &rehearsal.session.engine.client;
    let live = client.get(identity.id.as_str(), identity.kind.api_version).await.unwrap().unwrap().body;
    assert_eq!((owner_of(&live), &live["location"]), (None, &json!("westeurope")));
    // Nor does the next run take it for its own.
    let plan = rehearsal.plan(&after).await.plan;
    assert!(plan.conflicts.iter().any(|one| one.help.contains("--adopt")), "{:?}", plan.conflicts);
}
