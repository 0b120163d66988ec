//! `approvals:`: who is named is let in, and no stranger is, whatever it calls itself and whenever it comes.

use crate::support::{Berth, Rehearsal};
use berth::apply::Approving;
use berth::arm::transport::{Method, Request, Response, Transport, TransportError};
use berth::arm::{self, Client, StaticToken};
use berth::catalog::connection_types;
use berth::change::Action;
use berth::ident::ArmId;
use berth::ops::{Approvals, Verb, Wishes};
use berth::plan::{Adoption, Reason};
use berth::private_link::{NotOurs, Policy, Rule, Task};
use berth::sim::{SUBSCRIPTION, Simulator};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

const TRUSTED: &str = "22222222-0000-4000-8000-000000000002";
const ANALYTICS: &str = "33333333-0000-4000-8000-000000000003";
const VERSION: &str = "2026-02-01";

const BLUEPRINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { addressSpace: [10.20.0.0/16], subnets: { pe: { prefix: 10.20.16.0/24 } } }
keyVaults:
  v: { name: kv-shop-7, protect: false }
privateEndpoints:
  ours: { target: '${keyVaults.v}', subnet: '${networks.hub.subnets.pe}', manual: true, dns: none }
resources:
  search:
    name: search-shop
    type: Microsoft.Search/searchServices
    apiVersion: '2025-05-01'
    body: { location: westeurope, sku: { name: standard }, properties: {} }
  link:
    name: vault
    parent: '${resources.search}'
    type: Microsoft.Search/searchServices/sharedPrivateLinkResources
    apiVersion: '2025-05-01'
    body: { properties: { privateLinkResourceId: '${keyVaults.v.id}', groupId: vault } }
approvals:
  link: { target: '${keyVaults.v}', from: '${resources.link}' }
  partner: { target: '${keyVaults.v}', subscriptions: [22222222-0000-4000-8000-000000000002], message: 'ticket OPS-*', atMost: 2 }
  analytics:
    target: '${keyVaults.v}'
    endpoints: [/subscriptions/33333333-0000-4000-8000-000000000003/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/pe-shop]
";

fn group() -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers")
}

fn vault() -> String {
    format!("{}/Microsoft.KeyVault/vaults/kv-shop-7", group())
}

fn endpoint(subscription: &str, group: &str, name: &str) -> String {
    format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/privateEndpoints/{name}"
    )
}

/// What a private endpoint of somebody else sends.
fn asking(path: &str, target: &str, message: &str) -> Request {
    let name = path.rsplit('/').next().unwrap();
    let body = json!({ "location": "westeurope", "properties": { "manualPrivateLinkServiceConnections": [{
        "name": name,
        "properties": { "privateLinkServiceId": target, "groupIds": ["vault"], "requestMessage": message },
    }] } });
    let url = format!("https://management.azure.com{path}?api-version=2025-05-01");
    let mut request = Request::new(Method::Put, url);
    request.body = body.to_string().into();
    request
}

async fn ask(simulator: &Simulator, path: &str, message: &str) {
    let response = simulator.send(asking(path, &vault(), message)).await.unwrap();
    assert_eq!(response.status, 201, "{:?}", response.body);
}

async fn read(simulator: &Simulator, path: &str, version: &str) -> Value {
    let url = format!("https://management.azure.com{path}?api-version={version}");
    let response = simulator.send(Request::new(Method::Get, url)).await.unwrap();
    serde_json::from_slice(&response.body).unwrap()
}

/// The connections of the vault: endpoint, lower case, and status.
async fn states(simulator: &Simulator) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut path = format!("{}/privateEndpointConnections?api-version={VERSION}", vault());
    loop {
        let request = Request::new(Method::Get, format!("https://management.azure.com{path}"));
        let page: Value = serde_json::from_slice(&simulator.send(request).await.unwrap().body).unwrap();
        for connection in page["value"].as_array().unwrap() {
            let properties = &connection["properties"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let status = text(&properties["privateLinkServiceConnectionState"]["status"]);
            all.push((text(&properties["privateEndpoint"]["id"]).to_lowercase(), status));
        }
        match page["nextLink"].as_str() {
            Some(next) => path = next.trim_start_matches("https://management.azure.com").to_owned(),
            None => return all,
        }
    }
}

async fn status(simulator: &Simulator, endpoint: &str) -> Option<String> {
    let endpoint = endpoint.to_lowercase();
    states(simulator).await.into_iter().find(|(id, _)| *id == endpoint).map(|(_, status)| status)
}

fn endpoints(not_ours: &[NotOurs]) -> BTreeSet<String> {
    not_ours
        .iter()
        .map(|c| c.endpoint.as_ref().map_or_else(String::new, |id| id.as_str().to_lowercase()))
        .collect()
}

/// Strangers: endpoint and message. `secret` is what the requester of the blueprint says, where they know nearly that.
fn strangers(secret: &str, wave: usize) -> Vec<(String, String)> {
    let foreign = format!("66666666-0000-4000-8000-00000000000{wave}");
    // One digit is another than in a subscription that is named.
    let near = format!("22222222-0000-4000-8000-0000000000{wave}3");
    let other = format!("33333333-0000-4000-8000-0000000000{wave}2");
    let short = &secret[..secret.len() - 1];
    let messages = [
        String::new(),
        "ticket OPS-1".to_owned(),
        short.to_owned(),
        format!("{short}x"),
        secret.to_uppercase(),
        format!("{secret} "),
        format!(" {secret}"),
        secret.replace('e', "\u{435}"),
        format!("{secret}\u{200b}"),
        "berth".to_owned(),
        "*".to_owned(),
        secret.chars().rev().collect(),
    ];
    let names = ["ours", "OURS", "pe-shop", "vault"];
    let mut all = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        for (subscription, turn) in [(&foreign, 0), (&near, 1), (&other, 2)] {
            let name = names[(at + turn) % names.len()];
            all.push((endpoint(subscription, &format!("net{at}"), name), message.clone()));
        }
    }
    all
}

/// A transport that lets somebody else act before a request goes out.
pub struct Meddler<F> {
    simulator: Simulator,
    /// Called with each request; what it answers is sent to the simulator first.
    before: Mutex<F>,
    sent: Mutex<Vec<String>>,
}

impl<F> std::fmt::Debug for Meddler<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meddler")
    }
}

#[async_trait::async_trait]
impl<F: FnMut(&Request) -> Vec<Request> + Send> Transport for Meddler<F> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let first = (self.before.lock().unwrap())(&request);
        let line = format!("{:?} {}", request.method, request.path_and_query());
        self.sent.lock().unwrap().push(line);
        for stranger in first {
            self.simulator.send(stranger).await?;
        }
        self.simulator.send(request).await
    }
}

/// Has berth's requests go past somebody who meddles.
pub fn meddle<F: FnMut(&Request) -> Vec<Request> + Send + 'static>(
    rehearsal: &mut Rehearsal,
    before: F,
) -> Arc<Meddler<F>> {
    let simulator = rehearsal.simulator.clone();
    let meddler = Arc::new(Meddler { simulator, before: Mutex::new(before), sent: Mutex::default() });
    let clock = rehearsal.session.engine.clock.clone();
    let token = Arc::new(StaticToken::new("simulator"));
    rehearsal.session.engine.client = Client::new(meddler.clone(), token, clock, arm::Options::default());
    meddler
}

/// No stranger is approved, and each is seen by plan and drift.
async fn unharmed(rehearsal: &Rehearsal, strangers: &[(String, String)]) {
    let found = states(&rehearsal.simulator).await;
    let all: BTreeSet<String> = strangers.iter().map(|(id, _)| id.to_lowercase()).collect();
    for (id, _) in strangers {
        let state = found.iter().find(|(found, _)| *found == id.to_lowercase());
        assert_eq!(state.map(|(_, status)| status.as_str()), Some("Pending"), "{id}");
    }
    let planned = rehearsal.plan(BLUEPRINT).await;
    assert_eq!(endpoints(&planned.plan.not_ours), all);
    assert!(
        planned.plan.steps.iter().all(|step| step.action != Action::Approve),
        "{:#?}",
        planned.plan.steps
    );
    let drift = rehearsal.drift(BLUEPRINT).await;
    assert_eq!(endpoints(&drift.not_ours), all);
    assert_eq!(drift.drifted, []);
}

#[tokio::test(start_paused = true)]
async fn strangers_before_during_and_after_apply_stay_out_and_are_listed() {
    let mut rehearsal = Rehearsal::new();
    let own = endpoint(SUBSCRIPTION, "rg-shop", "ours");
    // Before: the vault is there, and nothing of the rules.
    let (only_vault, _) = BLUEPRINT.split_once("privateEndpoints:").unwrap();
    rehearsal.apply(only_vault).await;
    let guess = "berth 0f8fad5bd9cb469fa165d0de4b9a1c77";
    let mut all = strangers(guess, 1);
    for (path, message) in &all {
        ask(&rehearsal.simulator, path, message).await;
    }
    // During: one more whenever berth looks at, reads or decides on connections.
    let late = strangers(guess, 2);
    let mut waiting = late.clone();
    let meddler = meddle(&mut rehearsal, move |request| {
        let about = request.path_and_query().to_lowercase().contains("privateendpointconnections");
        let next = about.then(|| waiting.split_off(waiting.len().saturating_sub(6)));
        next.into_iter().flatten().map(|(path, message)| asking(&path, &vault(), &message)).collect()
    });
    let applied = rehearsal.try_apply(BLUEPRINT, Adoption::Refused).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    assert_eq!(status(&rehearsal.simulator, &own).await.as_deref(), Some("Approved"));
    drop(meddler);
    // Those that nobody looked for yet come now.
    let there: BTreeSet<String> = states(&rehearsal.simulator).await.into_iter().map(|(id, _)| id).collect();
    for (path, message) in late.iter().filter(|(path, _)| !there.contains(&path.to_lowercase())) {
        ask(&rehearsal.simulator, path, message).await;
    }
    all.extend(late);
    unharmed(&rehearsal, &all).await;
    // After: they know nearly everything that the requester says.
    let link =
        format!("{}/Microsoft.Search/searchServices/search-shop/sharedPrivateLinkResources/vault", group());
    let link = read(&rehearsal.simulator, &link, "2025-05-01").await;
    assert_eq!(link["properties"]["status"], "Approved");
    let secret = link["properties"]["requestMessage"].as_str().unwrap().to_owned();
    assert!(secret.len() > 30 && secret != guess, "{secret}");
    for (path, message) in strangers(&secret, 3) {
        ask(&rehearsal.simulator, &path, &message).await;
        all.push((path, message));
    }
    assert!(all.len() >= 100, "{}", all.len());
    unharmed(&rehearsal, &all).await;
    rehearsal.try_apply(BLUEPRINT, Adoption::Refused).await.unwrap();
    unharmed(&rehearsal, &all).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_named_is_shown_in_the_plan_and_let_in() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(BLUEPRINT).await;
    let (partner, analytics) = (endpoint(TRUSTED, "x", "pe-a"), endpoint(ANALYTICS, "net", "PE-shop"));
    ask(&rehearsal.simulator, &partner, "ticket OPS-7").await;
    ask(&rehearsal.simulator, &endpoint(TRUSTED, "x", "pe-b"), "hello").await;
    ask(&rehearsal.simulator, &analytics, "").await;
    let planned = rehearsal.plan(BLUEPRINT).await;
    let steps: Vec<_> = planned.plan.changes().map(|step| (step.address.as_str(), &step.reason)).collect();
    assert_eq!(steps, [("approvals.partner", &Reason::Pending), ("approvals.analytics", &Reason::Pending)]);
    let change = &planned.plan.changes().next().unwrap().changes[0];
    let before = change.before.as_str().unwrap();
    assert!(
        before.contains("Pending") && before.contains(&partner) && before.contains("ticket OPS-7"),
        "{before}"
    );
    assert_eq!(change.after, "Approved");
    // The same is drift, with what the rule names and the message does not fit.
    let drift = rehearsal.drift(BLUEPRINT).await;
    let fields: Vec<usize> = drift.drifted.iter().map(|drift| drift.fields.len()).collect();
    assert_eq!(fields, [1, 2]);
    let applied = rehearsal.try_apply(BLUEPRINT, Adoption::Refused).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    for (endpoint, expected) in
        [(&partner, "Approved"), (&analytics, "Approved"), (&endpoint(TRUSTED, "x", "pe-b"), "Pending")]
    {
        assert_eq!(status(&rehearsal.simulator, endpoint).await.as_deref(), Some(expected), "{endpoint}");
    }
    assert!(rehearsal.plan(BLUEPRINT).await.plan.is_empty());
    // A third is one too many, and then none of those that wait is let in.
    ask(&rehearsal.simulator, &endpoint(TRUSTED, "x", "pe-c"), "ticket OPS-8").await;
    ask(&rehearsal.simulator, &endpoint(TRUSTED, "x", "pe-d"), "ticket OPS-9").await;
    let planned = rehearsal.plan(BLUEPRINT).await;
    assert!(planned.plan.is_empty());
    assert!(planned.plan.warnings.iter().any(|w| w.message.contains("more connections ask than the 2")));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_replaced_between_list_and_approval_is_left_alone() {
    // What is sent, and what becomes of who took the place: where the tag of the connection tells, nothing; where nothing
    // tells, the answer does, and it is rejected at once.
    for (at, tagged, sent, expected) in [
        (Method::Get, true, 0, "Pending"),
        (Method::Put, true, 1, "Pending"),
        (Method::Put, false, 2, "Rejected"),
    ] {
        let mut rehearsal = Rehearsal::new();
        rehearsal.apply(BLUEPRINT).await;
        let analytics = endpoint(ANALYTICS, "net", "pe-shop");
        ask(&rehearsal.simulator, &analytics, "").await;
        let list =
            read(&rehearsal.simulator, &format!("{}/privateEndpointConnections", vault()), VERSION).await;
        let mine = list["value"]
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["properties"]["privateEndpoint"]["id"].as_str().unwrap().contains(ANALYTICS));
        let mut replaced = mine.unwrap().clone();
        let id = replaced["id"].as_str().unwrap().to_owned();
        let thief = endpoint("66666666-0000-4000-8000-000000000006", "net", "pe-shop");
        replaced["properties"]["privateEndpoint"]["id"] = thief.clone().into();
        if tagged {
            replaced["etag"] = "another".into();
        }
        let (simulator, path) = (rehearsal.simulator.clone(), id.clone());
        let meddler = meddle(&mut rehearsal, move |request| {
            // Just before berth reads it again, or just before it decides.
            if request.method == at && request.path_and_query().starts_with(&path) {
                simulator.load(vec![replaced.clone()]).unwrap();
            }
            Vec::new()
        });
        let applied = rehearsal.try_apply(BLUEPRINT, Adoption::Refused).await.unwrap();
        assert!(!applied.summary.is_complete());
        assert_eq!(status(&rehearsal.simulator, &thief).await.as_deref(), Some(expected), "{at:?}");
        let puts = meddler
            .sent
            .lock()
            .unwrap()
            .iter()
            .filter(|line| line.starts_with("Put") && line.contains(&id))
            .count();
        assert_eq!(puts, sent, "{at:?} {tagged}");
    }
}

/// A rejection that comes between berth's look and its decision is the owner's, and stands.
#[tokio::test(start_paused = true)]
async fn a_rejection_just_before_the_decision_stands() {
    let mut rehearsal = Rehearsal::new();
    rehearsal.apply(BLUEPRINT).await;
    let analytics = endpoint(ANALYTICS, "net", "pe-shop");
    ask(&rehearsal.simulator, &analytics, "").await;
    let mut done = false;
    meddle(&mut rehearsal, move |request| {
        let decides = request.method == Method::Put && request.url.contains("/privateEndpointConnections/");
        if !decides || std::mem::replace(&mut done, true) {
            return Vec::new();
        }
        let state = json!({ "status": "Rejected", "description": "not now" });
        let mut rejection = Request::new(Method::Put, request.url.clone());
        rejection.body =
            json!({ "properties": { "privateLinkServiceConnectionState": state } }).to_string().into();
        vec![rejection]
    });
    let applied = rehearsal.try_apply(BLUEPRINT, Adoption::Refused).await.unwrap();
    let summary = format!("{:?}", applied.summary);
    assert!(!applied.summary.is_complete() && summary.contains("rejected"), "{summary}");
    assert_eq!(status(&rehearsal.simulator, &analytics).await.as_deref(), Some("Rejected"));
}

/// A decision is never sent a second time on the strength of what was read before the first: in between there may be
/// another behind the same id, where a type has no entity tags.
#[tokio::test(start_paused = true)]
async fn before_a_decision_is_sent_again_the_target_is_listed_again() {
    for (status, retry_after) in [(429, Some(3)), (500, None), (503, None)] {
        let mut rehearsal = Rehearsal::new();
        rehearsal.apply(BLUEPRINT).await;
        let analytics = endpoint(ANALYTICS, "net", "pe-shop");
        ask(&rehearsal.simulator, &analytics, "").await;
        let answer = berth::sim::Effect::Answer {
            status,
            code: "ServerBusy".into(),
            message: "scripted".into(),
            retry_after: retry_after.map(std::time::Duration::from_secs),
        };
        let fault = berth::sim::Fault::new(answer).methods([Method::Put]).times(3);
        rehearsal.simulator.fail_next(fault.path("*/privateEndpointConnections/*").unwrap());
        let meddler = meddle(&mut rehearsal, |_| Vec::new());
        let applied = rehearsal.try_apply(BLUEPRINT, Adoption::Refused).await.unwrap();
        assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
        let sent = meddler.sent.lock().unwrap();
        let about: Vec<&str> = sent
            .iter()
            .filter(|line| line.contains("/privateEndpointConnections"))
            .map(|line| match line.split_once(' ').unwrap() {
                ("Put", _) => "decide",
                (_, path) if path.contains("/privateEndpointConnections?") => "list",
                _ => "read",
            })
            .collect();
        let decisions: Vec<usize> = (0..about.len()).filter(|at| about[*at] == "decide").collect();
        assert_eq!(decisions.len(), 4, "{status}: {about:?}");
        for at in decisions {
            assert_eq!(&about[at - 2..=at], ["list", "read", "decide"], "{status}: {about:?}");
        }
    }
}

/// What the target's owner decides after the plan stands, at every moment until berth's own decision is there.
#[tokio::test(start_paused = true)]
async fn a_rejection_that_comes_after_the_plan_is_never_overruled() {
    for at in ["list", "read"] {
        let mut rehearsal = Rehearsal::new();
        rehearsal.apply(BLUEPRINT).await;
        let analytics = endpoint(ANALYTICS, "net", "pe-shop");
        ask(&rehearsal.simulator, &analytics, "").await;
        let planned = rehearsal.plan(BLUEPRINT).await;
        let list =
            read(&rehearsal.simulator, &format!("{}/privateEndpointConnections", vault()), VERSION).await;
        let all = list["value"].as_array().unwrap();
        let mut rejected = all.iter().find(|c| c.to_string().contains(ANALYTICS)).unwrap().clone();
        let id = rejected["id"].as_str().unwrap().to_owned();
        rejected["properties"]["privateLinkServiceConnectionState"] =
            json!({ "status": "Rejected", "description": "not you" });
        rejected["etag"] = "another".into();
        let simulator = rehearsal.simulator.clone();
        let mut lists = 0;
        meddle(&mut rehearsal, move |request| {
            let path = request.path_and_query();
            let is_list = path.contains("/privateEndpointConnections?");
            lists += usize::from(is_list);
            let now = match at {
                // The plan of this run has listed it once.
                "list" => is_list && lists == 2,
                _ => request.method == Method::Get && path.starts_with(&id),
            };
            if now {
                simulator.load(vec![rejected.clone()]).unwrap();
            }
            Vec::new()
        });
        assert_eq!(planned.plan.changes().count(), 1);
        let applied = rehearsal.try_apply(BLUEPRINT, Adoption::Refused).await.unwrap();
        assert!(!applied.summary.is_complete(), "{at}");
        assert_eq!(status(&rehearsal.simulator, &analytics).await.as_deref(), Some("Rejected"), "{at}");
    }
}

/// The same for who decides by hand: they saw a connection that waits, whatever they named it by.
#[tokio::test(start_paused = true)]
async fn what_was_decided_after_a_person_looked_stands() {
    for (verb, by_id, decided) in [
        (Verb::Approve, false, "Rejected"),
        (Verb::Approve, true, "Rejected"),
        (Verb::Reject, false, "Approved"),
        (Verb::Reject, true, "Approved"),
    ] {
        let rehearsal = Rehearsal::new();
        rehearsal.apply(BLUEPRINT).await;
        let stranger = endpoint(ANALYTICS, "net", "somebody");
        ask(&rehearsal.simulator, &stranger, "please").await;
        let list =
            read(&rehearsal.simulator, &format!("{}/privateEndpointConnections", vault()), VERSION).await;
        let all = list["value"].as_array().unwrap();
        let mut body = all.iter().find(|c| c.to_string().contains("/somebody\"")).unwrap().clone();
        let id = body["id"].as_str().unwrap().to_owned();
        let vault = vec![vault()];
        let (ids, endpoints) = match by_id {
            true => (vec![id], vec![]),
            false => (vec![], vec![stranger.clone()]),
        };
        let wishes = Wishes { targets: &vault, ids: &ids, endpoints: &endpoints, ..Wishes::default() };
        let approvals = Approvals::read(None, &wishes).unwrap();
        let found = berth::ops::connections(&rehearsal.session, None, &approvals, None).await.unwrap();
        let seen = found[0].connections.iter().find(|c| c.body.to_string().contains("/somebody\"")).unwrap();
        assert_eq!(seen.status, "Pending");
        body["properties"]["privateLinkServiceConnectionState"]["status"] = decided.into();
        rehearsal.simulator.load(vec![body]).unwrap();
        let place = (&found[0].target, seen);
        // Whether this is an error is another matter: nothing is changed.
        let _ = berth::ops::decide(&rehearsal.session, None, &approvals, verb, place, "x", None).await;
        let now = status(&rehearsal.simulator, &stranger).await;
        assert_eq!(now.as_deref(), Some(decided), "{verb:?} by id: {by_id}");
    }
}

/// An endpoint may have several connections, in both of its lists; that one of them is approved says nothing of the others.
#[tokio::test(start_paused = true)]
async fn every_connection_of_an_endpoint_is_looked_at() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(BLUEPRINT).await;
    let id = |text: &str| ArmId::parse(text).unwrap();
    let own = endpoint(SUBSCRIPTION, "rg-shop", "ours");
    let approving = Approving {
        target: id(&vault()),
        api_version: VERSION.to_owned(),
        policy: Policy {
            task: Task::Approve,
            rule: Rule::endpoints([id(&own)]).on(id(&vault())),
            wait: None,
            description: "x".to_owned(),
            keeps_words: false,
        },
        seen: Vec::new(),
        awaits: true,
        endpoint: Some(id(&own)),
        deadline: std::time::Duration::from_secs(600),
    };
    let (client, clock) = (&rehearsal.session.engine.client, &rehearsal.session.engine.clock);
    approving.run_to_the_end(client, clock).await.unwrap();
    let body = read(&rehearsal.simulator, &own, "2025-05-01").await;
    let approved = &body["properties"]["manualPrivateLinkServiceConnections"][0];
    for (list, at_front) in [
        ("manualPrivateLinkServiceConnections", false),
        ("manualPrivateLinkServiceConnections", true),
        ("privateLinkServiceConnections", true),
    ] {
        let (mut changed, mut second) = (body.clone(), approved.clone());
        second["name"] = "second".into();
        second["properties"]["privateLinkServiceConnectionState"]["status"] = "Pending".into();
        let all = changed["properties"][list].as_array_mut().unwrap();
        all.insert(if at_front { 0 } else { all.len() }, second);
        rehearsal.simulator.load(vec![changed]).unwrap();
        let failure = approving.run_to_the_end(client, clock).await.unwrap_err();
        assert!(failure.message.contains("still says Pending"), "{list}: {}", failure.message);
    }
    // One that was cut off never connects again, whatever the target says: nothing is waited for.
    let mut cut_off = body.clone();
    cut_off["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]["privateLinkServiceConnectionState"]
        ["status"] = "Disconnected".into();
    rehearsal.simulator.load(vec![cut_off]).unwrap();
    let started = clock.elapsed();
    let failure = approving.run_to_the_end(client, clock).await.unwrap_err();
    assert!(failure.message.contains(&format!("{own} is disconnected")), "{}", failure.message);
    assert!((clock.elapsed() - started).as_secs() < 60);
}

#[tokio::test(start_paused = true)]
async fn what_is_named_is_found_on_a_later_page() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(BLUEPRINT).await;
    let mut all = Vec::new();
    for at in 0..260 {
        let path = endpoint("66666666-0000-4000-8000-000000000006", &format!("g{at}"), "pe-shop");
        ask(&rehearsal.simulator, &path, "ticket OPS-1").await;
        all.push((path, String::new()));
    }
    let analytics = endpoint(ANALYTICS, "net", "pe-shop");
    ask(&rehearsal.simulator, &analytics, "").await;
    rehearsal.try_apply(BLUEPRINT, Adoption::Refused).await.unwrap();
    assert_eq!(status(&rehearsal.simulator, &analytics).await.as_deref(), Some("Approved"));
    unharmed(&rehearsal, &all).await;
}

#[tokio::test(start_paused = true)]
async fn otherwise_rejects_what_waits_and_nothing_that_is_approved() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(BLUEPRINT).await;
    let strict = format!("{BLUEPRINT}  rest: {{ target: '${{keyVaults.v}}', otherwise: reject }}\n");
    let (stranger, guest) = (endpoint(ANALYTICS, "net", "other"), endpoint(ANALYTICS, "net", "guest"));
    ask(&rehearsal.simulator, &stranger, "please").await;
    ask(&rehearsal.simulator, &guest, "").await;
    // Somebody let the guest in by hand.
    let list = read(&rehearsal.simulator, &format!("{}/privateEndpointConnections", vault()), VERSION).await;
    let mut guests = list["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c.to_string().contains("/guest\""))
        .unwrap()
        .clone();
    guests["properties"]["privateLinkServiceConnectionState"]["status"] = "Approved".into();
    rehearsal.simulator.load(vec![guests]).unwrap();
    let partner = endpoint(TRUSTED, "x", "pe-a");
    ask(&rehearsal.simulator, &partner, "ticket OPS-7").await;
    let planned = rehearsal.plan(&strict).await;
    let actions: Vec<_> = planned.plan.changes().map(|step| (step.address.as_str(), step.action)).collect();
    assert_eq!(actions, [("approvals.partner", Action::Approve), ("approvals.rest", Action::Reject)]);
    rehearsal.apply(&strict).await;
    for (endpoint, expected) in [(&stranger, "Rejected"), (&guest, "Approved"), (&partner, "Approved")] {
        assert_eq!(status(&rehearsal.simulator, endpoint).await.as_deref(), Some(expected), "{endpoint}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_late_is_waited_for_as_told() {
    let text = BLUEPRINT.replace("    endpoints: [/sub", "    wait: 30m\n    endpoints: [/sub");
    let mut rehearsal = Rehearsal::new();
    rehearsal.apply(BLUEPRINT).await;
    let analytics = endpoint(ANALYTICS, "net", "pe-shop");
    let planned = rehearsal.plan(&text).await;
    let steps: Vec<_> =
        planned.plan.changes().map(|step| (step.address.as_str(), step.reason.clone())).collect();
    assert_eq!(steps, [("approvals.analytics", Reason::Awaited { minutes: 30 })]);
    let (mut looks, path) = (0, analytics.clone());
    meddle(&mut rehearsal, move |request| {
        let about = request.path_and_query().contains("/privateEndpointConnections?");
        looks += usize::from(about);
        if about && looks == 100 { vec![asking(&path, &vault(), "")] } else { vec![] }
    });
    let applied = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    assert_eq!(status(&rehearsal.simulator, &analytics).await.as_deref(), Some("Approved"));
    // One that never comes is told in words, when its time is over.
    let text = text.replace("pe-shop]", "pe-shop, /subscriptions/33333333-0000-4000-8000-000000000003/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/never]");
    let started = rehearsal.session.engine.clock.elapsed();
    let applied = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap();
    let summary = format!("{:?}", applied.summary);
    assert!(!applied.summary.is_complete() && summary.contains("no approved connection of"), "{summary}");
    let took = rehearsal.session.engine.clock.elapsed() - started;
    assert!(took.as_secs() >= 1_800 && took.as_secs() < 2_400, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_cannot_be_read_or_is_not_there_is_in_the_way() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(BLUEPRINT).await;
    let text = format!("{BLUEPRINT}  gone: {{ target: '{}-gone', subscriptions: [{TRUSTED}] }}\n", vault());
    let planned = rehearsal.plan(&text).await;
    let conflicts: Vec<_> =
        planned.plan.conflicts.iter().map(|c| (c.address.as_str(), c.message.as_str())).collect();
    assert_eq!(conflicts.len(), 1, "{conflicts:?}");
    assert!(conflicts[0].1.contains("its target is not there"), "{conflicts:?}");
    let refused = berth::sim::Fault::once(
        Method::Get,
        "/privateEndpointConnections",
        berth::sim::Effect::Answer {
            status: 403,
            code: "AuthorizationFailed".into(),
            message: "scripted".into(),
            retry_after: None,
        },
    );
    let other = Rehearsal::new();
    let bare = BLUEPRINT.replace("  ours: { target", "  # { target").replace("privateEndpoints:\n", "");
    let (before, approvals) = bare.split_once("approvals:").unwrap();
    let before = before.split_once("resources:").unwrap().0.to_owned();
    other.apply(&before).await;
    other.simulator.fail_next(refused);
    let approvals = approvals.split_once("partner:").unwrap().1;
    let planned = other.plan(&format!("{before}approvals:\n  partner:{approvals}")).await;
    assert!(
        planned.plan.conflicts.iter().any(|c| c.message.contains("cannot be read")),
        "{:#?}",
        planned.plan.conflicts
    );
}

#[tokio::test(start_paused = true)]
async fn every_type_takes_its_own_method_style_and_body() {
    let rehearsal = Rehearsal::new();
    let mut blueprint = String::from(
        "blueprint: all\nazure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-all }\napprovals:\n",
    );
    let (mut targets, mut own) = (Vec::new(), Vec::new());
    for (at, (arm_type, version)) in connection_types().enumerate() {
        let (namespace, types) = arm_type.split_once('/').unwrap();
        let mut id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-all/providers/{namespace}");
        for (depth, part) in types.split('/').enumerate() {
            id.push_str(&format!("/{part}/t{at}x{depth}"));
            let kind: Vec<&str> = types.split('/').take(depth + 1).collect();
            targets.push(json!({
                "id": id, "name": format!("t{at}x{depth}"), "type": format!("{namespace}/{}", kind.join("/")),
                "location": "westeurope", "properties": { "provisioningState": "Succeeded" },
            }));
        }
        blueprint.push_str(&format!("  t{at}: {{ target: '{id}', subscriptions: [{TRUSTED}] }}\n"));
        own.push((arm_type, version, id, endpoint(TRUSTED, "net", &format!("pe{at}"))));
    }
    assert!(own.len() > 100, "{}", own.len());
    rehearsal.simulator.load(targets).unwrap();
    for (arm_type, _, id, endpoint) in &own {
        let response = rehearsal.simulator.send(asking(endpoint, id, "please")).await.unwrap();
        assert_eq!(response.status, 201, "{arm_type} {:?}", response.body);
    }
    rehearsal.apply(&blueprint).await;
    for (arm_type, version, id, endpoint) in &own {
        let list = read(&rehearsal.simulator, &format!("{id}/privateEndpointConnections"), version).await;
        let status = list.pointer("/value/0/properties/privateLinkServiceConnectionState/status");
        assert_eq!(status, Some(&json!("Approved")), "{arm_type}");
        // The endpoint has heard of it by itself.
        let endpoint = read(&rehearsal.simulator, endpoint, "2025-05-01").await;
        let state = "/properties/manualPrivateLinkServiceConnections/0/properties/privateLinkServiceConnectionState/status";
        assert_eq!(endpoint.pointer(state), Some(&json!("Approved")), "{arm_type}");
    }
}

/// A simulator behind the program, with the blueprint applied and these strangers waiting.
fn served(strangers: &[(String, &str)]) -> Berth {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    let server = berth.sim_serve();
    for (path, message) in strangers {
        let body: Value = serde_json::from_slice(&asking(path, &vault(), message).body).unwrap();
        server.write("PUT", path, "2025-05-01", Some(&body));
    }
    server.stop();
    berth
}

#[test]
fn a_pipeline_step_decides_by_rules_and_leaves_an_audit_trail() {
    let (a, b) = (endpoint(TRUSTED, "x", "pe-a"), endpoint(TRUSTED, "x", "pe-b"));
    let stranger = endpoint("66666666-0000-4000-8000-000000000006", "x", "pe-a");
    let berth =
        served(&[(a.clone(), "ticket OPS-1"), (b.clone(), "hello"), (stranger.clone(), "ticket OPS-1")]);
    let vault = vault();
    let approve = |args: &[&str]| berth.run([&["approve"], args, &["--sim"]].concat());
    // A message alone names nobody, and anybody only with a limit.
    approve(&["run", &vault, "--message", "ticket OPS-*"])
        .exits(1)
        .complains(&["no option names who may connect"]);
    approve(&["run", &vault, "--any"]).exits(1).complains(&["--at-most"]);
    let rule = ["--from-subscription", TRUSTED, "--message", "ticket OPS-*"];
    let dry = approve(&[&["run", &vault], &rule[..], &["--dry-run", "--format", "json"]].concat()).exits(2);
    let line = dry.json();
    assert_eq!((&line["outcome"], &line["endpoint"]), (&json!("planned"), &json!(a)));
    assert_eq!(line["rule"], format!("--from-subscription {TRUSTED} --message ticket OPS-*"));
    let run = approve(&[&["run", &vault], &rule[..], &["--auto-approve"]].concat()).exits(2);
    run.says(&["Approved", &a, "ticket OPS-1", "named by --from-subscription"]);
    // All of a group, by a rule that more meet than may.
    let group = ["--resource-group", "rg-shop", "--subscription", SUBSCRIPTION];
    let args = [&["run"], &group[..], &["--any", "--at-most", "3", "--auto-approve"]].concat();
    approve(&args).exits(4).complains(&["more ask than"]);
    approve(&["list", "--resource-group", "rg-none", "--subscription", SUBSCRIPTION]).exits(1);
    approve(&["reject", &vault, "--from-endpoint", &stranger, "--auto-approve"])
        .exits(2)
        .says(&["Rejected", &stranger]);
    let listed = approve(&["list", &vault, "--format", "json"]).exits(2).json();
    let of = |endpoint: &str| {
        let mut all = listed["targets"][0]["connections"].as_array().unwrap().iter();
        all.find(|c| c["endpoint"].as_str().unwrap().eq_ignore_ascii_case(endpoint)).unwrap().clone()
    };
    assert_eq!((&of(&a)["status"], &of(&b)["status"]), (&json!("Approved"), &json!("Pending")));
    let gone = of(&stranger)["id"].as_str().unwrap().to_owned();
    approve(&["remove", "--id", &gone, "--auto-approve"]).exits(2).says(&["Removed", &gone]);
    approve(&["remove", "--id", &gone, "--auto-approve"]).exits(1).complains(&["there is no connection"]);
    // What its own id names may be taken away although it is approved.
    let own = of(&a)["id"].as_str().unwrap().to_owned();
    approve(&["reject", &vault, "--from-endpoint", &a, "--auto-approve"])
        .exits(2)
        .says(&["Nothing to reject."]);
    approve(&["reject", "--id", &own, "--auto-approve"]).exits(2).says(&["Rejected", &own]);
    approve(&["run", &vault, "--from-endpoint", &a, "--auto-approve"]).exits(4).complains(&["stays so"]);
}

#[test]
fn approve_run_tries_again_as_apply_does() {
    let a = endpoint(TRUSTED, "x", "pe-a");
    let berth = served(&[(a.clone(), "")]);
    let faults = "faults:
  - { throttle: { retryAfter: 3s }, method: PUT, path: '*/privateEndpointConnections/*', times: 1 }
  - { answer: { status: 500, code: InternalServerError, message: oops }, method: PUT, path: '*/privateEndpointConnections/*', times: 1 }
  - { drop: after, method: PUT, path: '*/privateEndpointConnections/*', times: 1 }
";
    berth.write("faults.yaml", faults.as_bytes());
    let vault = vault();
    let args = [
        "approve",
        "run",
        "--sim",
        "--faults",
        "faults.yaml",
        &vault,
        "--from-endpoint",
        &a,
        "--auto-approve",
    ];
    berth.run(args).exits(0).says(&["Approved", &a]);
}
