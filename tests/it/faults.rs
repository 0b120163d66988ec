//! What goes wrong on Azure's side, scripted: berth waits, tries again, goes on without what failed, and converges.

use crate::support::{Rehearsal, quickstart};
use berth::arm::transport::{Method, Request, Response, Transport, TransportError};
use berth::arm::{Client, StaticToken};
use berth::change::{Action, Outcome, Summary};
use berth::plan::{Adoption, Reason};
use berth::sim::{Effect, Fault, Options, SUBSCRIPTION, Simulator, Throttling};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn answer(status: u16, code: &str, retry_after: Option<u64>) -> Effect {
    let (code, message) = (code.to_owned(), "scripted".to_owned());
    Effect::Answer { status, code, message, retry_after: retry_after.map(Duration::from_secs) }
}

/// How the step of an address ended.
#[track_caller]
fn outcome<'s>(summary: &'s Summary, address: &str) -> &'s Outcome {
    let step = summary.steps.iter().find(|step| step.address.as_str() == address);
    &step.unwrap_or_else(|| panic!("{address} is not in {summary:#?}")).outcome
}

/// No resource was created twice, and none deleted.
#[track_caller]
fn created_once(rehearsal: &Rehearsal) {
    let counters = rehearsal.simulator.counters();
    let twice: Vec<_> = counters.creates.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(counters.deletes.is_empty(), "{:?}", counters.deletes);
}

/// Sends a request of somebody else's.
async fn send(
    rehearsal: &Rehearsal,
    method: Method,
    path: &str,
    version: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let mut request =
        Request::new(method, format!("https://management.azure.com{path}?api-version={version}"));
    request.body = body.map(Value::to_string).unwrap_or_default().into();
    let response = rehearsal.simulator.send(request).await.unwrap();
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_stops_what_needs_it_and_nothing_else() {
    let (rehearsal, text) = (Rehearsal::new(), quickstart());
    rehearsal.simulator.fail_next(Fault::once(
        Method::Put,
        "/aks-shop",
        answer(400, "SkuNotAvailable", None),
    ));
    let summary = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap().summary;
    assert!(!summary.is_complete() && !summary.interrupted);
    let Outcome::Failed { code, message, .. } = outcome(&summary, "clusters.aks") else {
        panic!("{summary:#?}")
    };
    assert_eq!(code.as_deref(), Some("SkuNotAvailable"));
    assert!(message.contains("scripted"), "{message}");
    for address in ["clusters.aks.nodePools.winpl", "clusters.aks.addons.flux", "roleAssignments.vaultReader"]
    {
        assert!(matches!(outcome(&summary, address), Outcome::Skipped { .. }), "{address}");
    }
    for address in
        ["networks.hub", "keyVaults.secrets", "privateEndpoints.vault.dns", "roleAssignments.appVaultReader"]
    {
        assert_eq!(outcome(&summary, address), &Outcome::Done, "{address}");
    }
    // The next run takes up what is left, and only that.
    rehearsal.apply(&text).await;
    created_once(&rehearsal);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_fails_at_its_end_is_made_good_by_the_next_run() {
    let (rehearsal, text) = (Rehearsal::new(), quickstart());
    let effect =
        Effect::FailOperation { code: "ReconcileFailed".into(), message: "scripted".into(), after: None };
    rehearsal.simulator.fail_next(Fault::once(Method::Put, "/aks-shop", effect));
    let summary = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap().summary;
    assert!(matches!(outcome(&summary, "clusters.aks"), Outcome::Failed { .. }), "{summary:#?}");
    rehearsal.apply(&text).await;
    created_once(&rehearsal);
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_waited_for() {
    let retryable = |times| (times, answer(429, "TooManyRequests", Some(7)));
    for (method, end, (times, effect)) in [
        (Method::Put, "/aks-shop", (3, answer(409, "AnotherOperationInProgress", None))),
        (Method::Put, "/agentpools/linux", (3, answer(409, "OperationNotAllowed", None))),
        (Method::Put, "/vnet-shop", (2, answer(409, "AnotherOperationInProgress", Some(20)))),
        (Method::Put, "/vnet-shop", retryable(3)),
        (Method::Get, "/aks-shop", retryable(5)),
        (Method::Put, "/vnet-shop", (2, answer(503, "ServiceUnavailable", None))),
        (Method::Put, "", (25, answer(429, "TooManyRequests", Some(1)))),
        (Method::Put, "/vnet-shop", (1, Effect::DropBefore)),
        (Method::Put, "/vnet-shop", (1, Effect::DropAfter)),
        (Method::Put, "/aks-shop", (1, Effect::DropAfter)),
        (Method::Put, "/pe-vault", (1, Effect::DropAfter)),
        (Method::Put, "/id-shop-app", (1, Effect::DropAfter)),
        (Method::Get, "", (40, Effect::DropBefore)),
    ] {
        let rehearsal = Rehearsal::new();
        rehearsal.simulator.fail_next(Fault::once(method, end, effect.clone()).times(times));
        let text = if end == "/vnet-shop" { ENDPOINT.to_owned() } else { quickstart() };
        let planned = rehearsal.try_apply(&text, Adoption::Refused).await;
        let summary = match planned {
            Ok(applied) => applied.summary,
            Err(error) => panic!("{method:?} {end} {effect:?}: {error}"),
        };
        assert!(summary.is_complete(), "{method:?} {end} {effect:?}: {summary:#?}");
        assert!(rehearsal.plan(&text).await.plan.is_empty(), "{method:?} {end} {effect:?}");
        created_once(&rehearsal);
    }
}

#[tokio::test(start_paused = true)]
async fn a_principal_that_is_not_known_everywhere_yet_is_waited_for() {
    // The simulator has the delay by itself; here it takes longer.
    let rehearsal = Rehearsal::new();
    let planned = rehearsal.plan(&quickstart()).await;
    for step in planned.plan.steps.iter().filter(|step| step.arm_type.ends_with("/roleAssignments")) {
        let fault = Fault::once(Method::Put, step.id.name(), answer(400, "PrincipalNotFound", None));
        rehearsal.simulator.fail_next(fault.times(4));
    }
    let applied = rehearsal.apply(&quickstart()).await;
    let retried =
        applied.summary.steps.iter().filter(|step| step.address.as_str().starts_with("roleAssignments."));
    assert!(
        retried.clone().count() == 4 && retried.clone().all(|step| step.retries >= 4),
        "{:#?}",
        applied.summary
    );
    created_once(&rehearsal);
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_a_real_subscription_are_kept() {
    let rehearsal = Rehearsal::with(Options { throttling: Throttling::Azure, ..Options::default() });
    rehearsal.apply(&quickstart()).await;
    created_once(&rehearsal);
    assert_eq!(rehearsal.simulator.counters().throttled, 0);
}

/// A network, a vault and an endpoint that is asked for by hand.
const ENDPOINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { name: vnet-shop, addressSpace: [10.0.0.0/16], subnets: { pe: { prefix: 10.0.0.0/24 } } }
keyVaults:
  v: { name: kv-shop-7, protect: false }
privateEndpoints:
  ours: { target: '${keyVaults.v}', subnet: '${networks.hub.subnets.pe}', manual: true, dns: none }
";

/// The states of the vault's connections, by the endpoint they come from.
fn connections(rehearsal: &Rehearsal) -> Vec<(String, String)> {
    let export = rehearsal.simulator.export();
    let connections =
        export.iter().filter(|r| r["type"] == "Microsoft.KeyVault/vaults/privateEndpointConnections");
    let text =
        |r: &Value, pointer: &str| r.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let state = "/properties/privateLinkServiceConnectionState/status";
    let mut all: Vec<(String, String)> = connections
        .map(|r| {
            let endpoint = text(r, "/properties/privateEndpoint/id");
            (endpoint.rsplit('/').next().unwrap_or_default().to_owned(), text(r, state))
        })
        .collect();
    all.sort();
    all
}

fn pair(endpoint: &str, status: &str) -> (String, String) {
    (endpoint.to_owned(), status.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_connection_asked_for_by_hand_stays_pending_when_the_blueprint_says_so() {
    let rehearsal = Rehearsal::new();
    let text = ENDPOINT.replace("manual: true", "manual: true, approve: false");
    rehearsal.apply(&text).await;
    assert_eq!(connections(&rehearsal), [pair("ours", "Pending")]);
    // Said otherwise, the approval is planned by itself, and done.
    let plan = rehearsal.plan(ENDPOINT).await.plan;
    let steps: Vec<_> = plan.changes().map(|step| (step.action, step.reason.clone())).collect();
    assert_eq!(steps, [(Action::Approve, Reason::Pending)]);
    rehearsal.apply(ENDPOINT).await;
    assert_eq!(connections(&rehearsal), [pair("ours", "Approved")]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_stays_pending_unexpectedly_is_approved_by_the_same_run() {
    let rehearsal = Rehearsal::new();
    let text = ENDPOINT.replace(", manual: true", "");
    rehearsal.simulator.fail_next(Fault::once(Method::Put, "/privateEndpoints/ours", Effect::KeepPending));
    let summary = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap().summary;
    assert!(summary.is_complete(), "{summary:#?}");
    assert_eq!(connections(&rehearsal), [pair("ours", "Approved")]);
    let approved = summary.steps.iter().find(|step| step.action == Action::Approve);
    assert_eq!(approved.map(|step| &step.outcome), Some(&Outcome::Done), "{summary:#?}");
    assert!(rehearsal.plan(&text).await.plan.is_empty());
    // Not when the blueprint leaves the decision to others.
    let rehearsal = Rehearsal::new();
    let text = text.replace("dns: none", "dns: none, approve: false");
    rehearsal.simulator.fail_next(Fault::once(Method::Put, "/privateEndpoints/ours", Effect::KeepPending));
    rehearsal.apply(&text).await;
    assert_eq!(connections(&rehearsal), [pair("ours", "Pending")]);
}

#[tokio::test(start_paused = true)]
async fn a_step_ends_with_its_timeout_and_says_what_went_wrong_before() {
    let rehearsal = Rehearsal::new();
    let text = ENDPOINT.replace("prefix: 10.0.0.0/24 } } }", "prefix: 10.0.0.0/24 } }, timeout: 10m }");
    let busy = answer(409, "AnotherOperationInProgress", Some(45));
    rehearsal.simulator.fail_next(Fault::once(Method::Put, "/vnet-shop", busy).times(100));
    let summary = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap().summary;
    let Outcome::Failed { message, .. } = outcome(&summary, "networks.hub") else { panic!("{summary:#?}") };
    assert!(message.contains("timeout of 10 minutes"), "{message}");
    assert!(
        message.contains("the attempt before that: PUT") && message.contains("AnotherOperationInProgress")
    );
    assert!(summary.elapsed_ms <= 11 * 60_000, "{summary:#?}");
    let step = summary.steps.iter().find(|step| step.address.as_str() == "networks.hub").unwrap();
    assert!(step.retries >= 10 && step.waited_ms >= 400_000, "{step:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_of_somebody_else_is_never_approved() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(ENDPOINT).await;
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers");
    let vault = format!("{group}/Microsoft.KeyVault/vaults/kv-shop-7");
    let connection =
        json!({ "name": "c", "properties": { "privateLinkServiceId": vault, "groupIds": ["vault"] } });
    let subnet = format!("{group}/Microsoft.Network/virtualNetworks/vnet-shop/subnets/pe");
    let properties =
        json!({ "subnet": { "id": subnet }, "manualPrivateLinkServiceConnections": [connection] });
    let body = json!({ "location": "westeurope", "properties": properties });
    let theirs = format!("{group}/Microsoft.Network/privateEndpoints/theirs");
    let (status, answer) = send(&rehearsal, Method::Put, &theirs, "2024-05-01", Some(&body)).await;
    assert!(status < 300, "{answer}");
    rehearsal.session.engine.clock.sleep(Duration::from_secs(600)).await;
    assert_eq!(connections(&rehearsal), [pair("ours", "Approved"), pair("theirs", "Pending")]);
    assert!(rehearsal.plan(ENDPOINT).await.plan.is_empty());
    // Even while berth approves another one of the same vault.
    let text = format!(
        "{ENDPOINT}  more: {{ target: '${{keyVaults.v}}', subnet: '${{networks.hub.subnets.pe}}', manual: true, dns: none }}\n"
    );
    rehearsal.apply(&text).await;
    let wanted = [pair("more", "Approved"), pair("ours", "Approved"), pair("theirs", "Pending")];
    assert_eq!(connections(&rehearsal), wanted);
}

const GROUP: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-shop";

/// A group and an identity that were there before, with these tags.
async fn foreign(tags: Value) -> Rehearsal {
    let rehearsal = Rehearsal::new();
    let identity = format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-shop-app");
    let resources = [
        (GROUP.to_owned(), "Microsoft.Resources/resourceGroups"),
        (identity, "Microsoft.ManagedIdentity/userAssignedIdentities"),
    ];
    let resources = resources.into_iter().map(|(id, kind)| {
        let name = id.rsplit('/').next().unwrap_or_default().to_owned();
        json!({ "id": id, "name": name, "type": kind, "location": "westeurope", "tags": tags, "properties": {} })
    });
    rehearsal.simulator.load(resources.collect()).unwrap();
    rehearsal
}

const IDENTITY: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
identities:
  app: { name: id-shop-app }
";

#[tokio::test(start_paused = true)]
async fn what_was_there_before_is_taken_over_only_when_that_is_said() {
    let rehearsal = foreign(json!({ "team": "other" })).await;
    let before = rehearsal.simulator.export();
    let plan = rehearsal.plan(IDENTITY).await.plan;
    let addresses: Vec<&str> = plan.conflicts.iter().map(|conflict| conflict.address.as_str()).collect();
    assert_eq!(addresses, ["resourceGroup", "identities.app"]);
    assert!(plan.conflicts.iter().all(|conflict| conflict.help.contains("--adopt")), "{:#?}", plan.conflicts);
    let error = rehearsal.try_apply(IDENTITY, Adoption::Refused).await.unwrap_err();
    assert!(matches!(error, berth::ops::Error::Blocked(_)), "{error}");
    assert_eq!(rehearsal.simulator.export(), before, "nothing was touched");
    let applied = rehearsal.try_apply(IDENTITY, Adoption::Allowed).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    assert!(rehearsal.plan(IDENTITY).await.plan.is_empty());
    let after = rehearsal.simulator.export();
    let tags: Vec<&Value> = after.iter().map(|resource| &resource["tags"]).collect();
    assert_eq!(tags, [&json!({ "team": "other", "berth-blueprint": "shop" }); 2], "foreign tags stay");
    assert!(rehearsal.simulator.counters().creates.keys().all(|id| !id.contains("id-shop-app")));
}

#[tokio::test(start_paused = true)]
async fn what_another_blueprint_owns_is_never_taken_over() {
    let rehearsal = foreign(json!({ "berth-blueprint": "bakery" })).await;
    let before = rehearsal.simulator.export();
    for adoption in [Adoption::Refused, Adoption::Allowed] {
        let plan = rehearsal.plan_with(IDENTITY, adoption).await.plan;
        assert_eq!(plan.conflicts.len(), 2, "{:#?}", plan.conflicts);
        assert!(plan.conflicts[0].message.contains("`bakery`"), "{:#?}", plan.conflicts);
        let error = rehearsal.try_apply(IDENTITY, adoption).await.unwrap_err();
        assert!(matches!(error, berth::ops::Error::Blocked(_)), "{error}");
    }
    assert_eq!(rehearsal.simulator.export(), before);
}

/// Sees to it that nothing is sent that names, or stands below, what Azure still works on.
#[derive(Debug)]
struct Patience {
    simulator: Simulator,
    early: Arc<Mutex<Vec<String>>>,
}

#[async_trait::async_trait]
impl Transport for Patience {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method == Method::Put {
            let path = request.path_and_query().split('?').next().unwrap_or_default().to_ascii_lowercase();
            let body = String::from_utf8_lossy(&request.body).to_ascii_lowercase();
            for there in self.simulator.export() {
                let id = there["id"].as_str().unwrap_or_default().to_ascii_lowercase();
                let state = there["properties"]["provisioningState"].as_str().unwrap_or("Succeeded");
                let is_needed = path.starts_with(&format!("{id}/")) || body.contains(&format!("\"{id}\""));
                if is_needed && path != id && state != "Succeeded" {
                    self.early.lock().unwrap().push(format!("{path} while {id} is {state}"));
                }
            }
        }
        self.simulator.send(request).await
    }
}

/// A run dies, and its ledger and journal are lost with it, at many moments. What Azure works on then is not done: the next
/// run watches it, and what needs it waits.
#[tokio::test(start_paused = true)]
async fn what_is_at_work_is_waited_for_although_ledger_and_journal_are_lost() {
    let text = quickstart();
    let mut moving = 0;
    for life in [2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 540] {
        let first = Rehearsal::new();
        let run = first.try_apply(&text, Adoption::Refused);
        let _ = tokio::time::timeout(Duration::from_secs(life), run).await;
        moving += first
            .simulator
            .export()
            .iter()
            .filter(|there| {
                there["properties"]["provisioningState"].as_str().is_some_and(|s| s != "Succeeded")
            })
            .count();
        let mut second = first.without_ledger();
        let early = Arc::new(Mutex::new(Vec::new()));
        let patience = Patience { simulator: first.simulator.clone(), early: early.clone() };
        let token = Arc::new(StaticToken::new("simulator"));
        let clock = second.session.engine.clock.clone();
        second.session.engine.client =
            Client::new(Arc::new(patience), token, clock, berth::arm::Options::default());
        second.apply(&text).await;
        assert_eq!(*early.lock().unwrap(), [""; 0], "after {life} s");
        let twice = |creates: std::collections::BTreeMap<String, u64>| -> Vec<String> {
            creates.into_iter().filter(|(_, times)| *times > 1).map(|(id, _)| id).collect()
        };
        assert_eq!(twice(first.simulator.counters().creates), [""; 0], "after {life} s");
    }
    assert!(moving > 10, "{moving} were at work");
}

/// Shows a network as somebody else's change of a moment ago would: as it is wanted, and still at work for some looks.
#[derive(Debug)]
struct Busy {
    simulator: Simulator,
    /// How often it is shown so; from when the plan is made.
    looks: AtomicUsize,
    early: Arc<Mutex<Vec<String>>>,
}

#[async_trait::async_trait]
impl Transport for Busy {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.path_and_query().split('?').next().unwrap_or_default().to_owned();
        let left = self.looks.load(Ordering::SeqCst);
        if request.method == Method::Put && path.contains("/virtualNetworkLinks/") && left > 0 {
            self.early.lock().unwrap().push(path.clone());
        }
        let mut response = self.simulator.send(request.clone()).await?;
        if request.method == Method::Get && path.ends_with("/virtualNetworks/hub") && left > 0 && left < 100 {
            self.looks.store(left - 1, Ordering::SeqCst);
            let mut body: Value = serde_json::from_slice(&response.body).unwrap();
            body["tags"]["team"] = "two".into();
            body["properties"]["provisioningState"] = "Updating".into();
            response.body = body.to_string().into();
        }
        Ok(response)
    }
}

/// Nothing is left to write, and yet it is not done: what needs it waits until it rests.
#[tokio::test(start_paused = true)]
async fn what_somebody_else_has_just_written_is_waited_for() {
    let text = "blueprint: shop\nazure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }\nnetworks: { hub: { addressSpace: [10.0.0.0/16], tags: { team: one } } }\n";
    let mut rehearsal = Rehearsal::new();
    rehearsal.apply(text).await;
    let text = text.replace("team: one", "team: two")
        + "privateDnsZones: { z: { name: shop.internal, links: { hub: { network: '${networks.hub}' } } } }\n";
    let early = Arc::new(Mutex::new(Vec::new()));
    let simulator = rehearsal.simulator.clone();
    // More than a hundred: nothing is shown otherwise before the plan is agreed to.
    let busy = Arc::new(Busy { simulator, looks: AtomicUsize::new(usize::MAX), early: early.clone() });
    let token = Arc::new(StaticToken::new("simulator"));
    let engine = &mut rehearsal.session.engine;
    engine.client = Client::new(busy.clone(), token, engine.clock.clone(), berth::arm::Options::default());
    let desired = rehearsal.desired(&text);
    let agree = |_: &berth::ops::Planned, _: bool| {
        busy.looks.store(6, Ordering::SeqCst);
        true
    };
    let allowances = berth::approve::Allowances::default();
    let applied =
        berth::ops::apply(&rehearsal.session, &desired, Adoption::Refused, &allowances, agree).await.unwrap();
    let summary = applied.unwrap().summary;
    assert!(summary.is_complete(), "{summary:#?}");
    assert_eq!(busy.looks.load(Ordering::SeqCst), 0, "it was not looked at until it rested");
    assert_eq!(*early.lock().unwrap(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_ledger_is_only_adoption() {
    let (rehearsal, text) = (Rehearsal::new(), quickstart());
    rehearsal.apply(&text).await;
    let before = rehearsal.simulator.export();
    let lost = rehearsal.without_ledger();
    let plan = lost.plan(&text).await.plan;
    assert!(plan.conflicts.is_empty(), "{:#?}", plan.conflicts);
    let others: Vec<_> = plan
        .changes()
        .filter(|step| step.action != Action::Adopt)
        .map(|s| (&s.address, s.action, &s.changes))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    assert!(plan.changes().count() >= 25);
    lost.apply(&text).await;
    assert_eq!(rehearsal.simulator.export(), before, "nothing was sent");
    assert!(lost.drift(&text).await.drifted.is_empty());
    lost.destroy(&text).await;
    assert_eq!(lost.simulator.export(), [] as [Value; 0]);
}
