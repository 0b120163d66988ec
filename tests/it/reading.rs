//! How much is asked of Azure to know what is there: counted by the simulator, timed in virtual time.

use crate::support::{Rehearsal, estate};
use berth::arm::transport::Method;
use berth::change::Action;
use berth::sim::{Effect, Fault, Options, SUBSCRIPTION};
use serde_json::json;
use std::time::Duration;

const LATENCY: Duration = Duration::from_millis(50);

/// Requests so far.
fn requests(rehearsal: &Rehearsal) -> u64 {
    rehearsal.simulator.counters().requests.values().sum()
}

/// An estate of this size, made, on a simulator that takes its time.
async fn made(size: usize) -> (Rehearsal, String) {
    let mut rehearsal = Rehearsal::with(Options { latency: LATENCY, ..Options::default() });
    rehearsal.session.reads = 64;
    let text = estate::blueprint(size);
    rehearsal.apply(&text).await;
    (rehearsal, text)
}

fn id(group: &str, rest: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{rest}")
}

async fn delete(rehearsal: &Rehearsal, path: &str, version: &str) {
    rehearsal.session.engine.client.delete(path, version, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_thousand_resources_that_are_as_asked_cost_two_round_trips() {
    let (rehearsal, text) = made(1_000).await;
    let desired = rehearsal.desired(&text);
    assert_eq!(desired.resources.len(), 1_000);
    for owned_only in [false, true] {
        let (before, clock) = (requests(&rehearsal), &rehearsal.session.engine.clock);
        let started = clock.elapsed();
        if owned_only {
            assert_eq!(rehearsal.drift(&text).await.drifted.len(), 0);
        } else {
            assert!(rehearsal.plan(&text).await.plan.is_empty());
        }
        let (asked, took) = (requests(&rehearsal) - before, clock.elapsed() - started);
        assert!(asked <= 20, "{asked} requests");
        assert!(took <= LATENCY * 2, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn lists_that_are_refused_are_done_without() {
    let (rehearsal, text) = made(200).await;
    let refused = Effect::Answer {
        status: 403,
        code: "AuthorizationFailed".into(),
        message: "scripted".into(),
        retry_after: None,
    };
    for list in
        ["/roleAssignments", "/vaults", "/userAssignedIdentities", "/resourceGroups", "/managedClusters"]
    {
        rehearsal.simulator.fail_next(Fault::once(Method::Get, list, refused.clone()).times(1_000));
    }
    assert!(rehearsal.plan(&text).await.plan.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_found_out_on_every_kind_of_list() {
    let (rehearsal, text) = made(200).await;
    let desired = rehearsal.desired(&text);
    let address = |path: &str| {
        let found = desired.resources.iter().find(|r| r.id.as_str().eq_ignore_ascii_case(path));
        found.unwrap_or_else(|| panic!("{path} is not asked for")).address.to_string()
    };
    let identity = id("rg-team-1", "Microsoft.ManagedIdentity/userAssignedIdentities/id-build-1");
    let subnet = id("rg-team-2", "Microsoft.Network/virtualNetworks/vnet-0-2/subnets/data");
    let role = desired.resources.iter().find(|r| r.address.as_str() == "roleAssignments.appShared1").unwrap();
    delete(&rehearsal, &identity, "2024-11-30").await;
    delete(&rehearsal, &subnet, "2024-05-01").await;
    delete(&rehearsal, role.id.as_str(), "2022-04-01").await;
    rehearsal.session.engine.clock.sleep(Duration::from_secs(60)).await;
    let planned = rehearsal.plan(&text).await;
    let mut created: Vec<String> = planned
        .plan
        .changes()
        .filter(|step| step.action == Action::Create)
        .map(|step| step.address.to_string())
        .collect();
    created.sort();
    for gone in [address(&identity), address(&subnet), role.address.to_string()] {
        assert!(created.contains(&gone), "{gone} is not in {created:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_gone_is_asked_after_once() {
    let (rehearsal, text) = made(200).await;
    delete(&rehearsal, &format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-team-3"), "2021-04-01")
        .await;
    rehearsal.session.engine.clock.sleep(Duration::from_secs(3_600)).await;
    let before = requests(&rehearsal);
    let planned = rehearsal.plan(&text).await;
    let creates = planned.plan.changes().filter(|step| step.action == Action::Create).count();
    assert!(creates >= 20, "{creates}");
    let asked = requests(&rehearsal) - before;
    assert!(asked <= 20, "{asked} requests");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_full_of_others_is_not_read_to_its_end() {
    let (rehearsal, text) = made(200).await;
    let kind = "Microsoft.ManagedIdentity/userAssignedIdentities";
    let foreign = (0..5_000).map(|at| {
        let name = format!("id-{at}");
        json!({ "id": id("a-foreign-group", &format!("{kind}/{name}")), "name": name, "type": kind,
                "location": "westeurope", "properties": {} })
    });
    rehearsal.simulator.load(foreign.collect()).unwrap();
    let before = requests(&rehearsal);
    assert!(rehearsal.plan(&text).await.plan.is_empty());
    let asked = requests(&rehearsal) - before;
    // 20 pages of 250 would be foreign ones only.
    assert!(asked <= 30, "{asked} requests");
}
