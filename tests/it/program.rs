//! What planning compiles, action by action: a unit a line, with what it waits for.

use crate::support::Rehearsal;
use berth::change::{Action, Outcome};
use berth::host::transport::{Method, Request, Transport};
use berth::ops::Planned;
use berth::plan::{Adoption, Mode, Plan, Work};
use berth::private_link::Task;
use berth::sim::{Effect, Fault, SUBSCRIPTION};
use serde_json::json;
use std::collections::BTreeSet;

const HEAD: &str = "\
blueprint: shop
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-shop
";

/// Something small that has the group made.
const SMALL: &str = "identities:\n  app: {}\nrouteTables:\n  out: {}\n";

fn word(work: &Work) -> Option<&'static str> {
    Some(match work {
        Work::Idle => return None,
        Work::Watch { .. } => "watch",
        Work::Record => "record",
        Work::Forget => "forget",
        Work::Put(put) => match put.mode {
            Mode::Create => "create",
            Mode::Arrive => "arrive",
            Mode::Update => "update",
            Mode::Repair => "repair",
            Mode::Recover => "recover",
        },
        Work::Delete(delete) if delete.purge.is_some() => "purge",
        Work::Delete(_) => "delete",
        Work::Register(_) => "register",
        Work::Approve(approve)
            if approve.policy.as_ref().is_some_and(|policy| policy.task == Task::Reject) =>
        {
            "reject"
        }
        Work::Approve(_) => "approve",
    })
}

/// The units that do something, in the order of the plan: `verb address < what it waits for`; without registrations,
/// which everything waits for.
fn lines(plan: &Plan) -> Vec<String> {
    let all = all_lines(plan).into_iter().filter(|line| !line.starts_with("register "));
    all.map(|line| {
        let (name, needs) = line.split_once(" < ").unwrap_or((&line, ""));
        let needs: Vec<&str> =
            needs.split(", ").filter(|need| !need.is_empty() && !need.starts_with("register ")).collect();
        if needs.is_empty() { name.to_owned() } else { format!("{name} < {}", needs.join(", ")) }
    })
    .collect()
}

fn all_lines(plan: &Plan) -> Vec<String> {
    let units = &plan.program.units;
    let name = |at: usize| {
        let verb = word(&units[at].work).unwrap_or("idle");
        format!("{verb} {}", plan.steps[units[at].step].address)
    };
    let needs = |at: usize| {
        let (mut found, mut stack) = (BTreeSet::new(), units[at].after.clone());
        while let Some(need) = stack.pop() {
            match word(&units[need].work) {
                Some(_) => {
                    found.insert(name(need));
                }
                None => stack.extend(&units[need].after),
            }
        }
        found
    };
    let mut lines = Vec::new();
    for at in (0..units.len()).filter(|&at| word(&units[at].work).is_some()) {
        let needs = needs(at).into_iter().collect::<Vec<_>>().join(", ");
        lines.push(if needs.is_empty() { name(at) } else { format!("{} < {needs}", name(at)) });
    }
    lines
}

#[track_caller]
fn is(planned: &Planned, wanted: &[&str]) {
    assert_eq!(lines(&planned.plan), wanted, "{:#?}", lines(&planned.plan));
}

fn text(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

const NETWORK: &str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
";

#[tokio::test(start_paused = true)]
async fn create_update_delete_and_nothing() {
    let rehearsal = Rehearsal::new();
    let network = text(NETWORK);
    is(
        &rehearsal.plan(&network).await,
        &[
            "create resourceGroup",
            "create networks.hub < create resourceGroup",
            "create networks.hub.subnets.nodes < create networks.hub",
        ],
    );
    rehearsal.apply(&network).await;
    is(&rehearsal.plan(&network).await, &[]);
    let wider = network.replace("10.20.0.0/20", "10.20.0.0/19");
    is(&rehearsal.plan(&wider).await, &["update networks.hub.subnets.nodes"]);
    let second = format!("{network}      more: {{ prefix: 10.20.64.0/20 }}\n");
    rehearsal.apply(&second).await;
    is(&rehearsal.plan(&network).await, &["delete networks.hub.subnets.more"]);
    // What goes with its parent sends nothing of its own.
    is(
        &rehearsal.plan(&text("")).await,
        &[
            "delete networks.hub",
            "delete resourceGroup < delete networks.hub",
            "forget networks.hub.subnets.nodes < delete networks.hub",
            "forget networks.hub.subnets.more < delete networks.hub",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn register_adopt_record_forget_and_repair() {
    let rehearsal = Rehearsal::new();
    let app = text(SMALL);
    let lines = all_lines(&rehearsal.plan(&app).await.plan);
    assert!(lines.iter().any(|line| line.starts_with("register providers.")), "{lines:?}");
    rehearsal.apply(&app).await;
    // A lost ledger: what carries the tag is taken in, and nothing is sent.
    is(
        &rehearsal.without_ledger().plan(&app).await,
        &[
            "record resourceGroup",
            "record identities.app < record resourceGroup",
            "record routeTables.out < record resourceGroup",
        ],
    );
    // An operation that failed leaves a resource that is sent again.
    let id = "/virtualNetworks/hub";
    rehearsal.simulator.fail_next(Fault::once(
        Method::Put,
        id,
        Effect::FailOperation {
            code: "InternalServerError".to_owned(),
            message: "m".to_owned(),
            after: None,
        },
    ));
    let network = text(NETWORK);
    let applied = rehearsal.try_apply(&network, Adoption::Refused).await.unwrap();
    assert!(!applied.summary.is_complete());
    let repaired = self::lines(&rehearsal.plan(&network).await.plan);
    assert!(repaired.iter().any(|line| line.starts_with("repair networks.hub")), "{repaired:?}");
}

const VAULT: &str = "\
keyVaults:
  v: { name: kv-shop-7, protect: false, purgeProtection: false }
";

#[tokio::test(start_paused = true)]
async fn recover_and_purge() {
    let mut rehearsal = Rehearsal::new();
    let vault = text(VAULT);
    rehearsal.apply(&vault).await;
    rehearsal.session.purge = true;
    is(
        &rehearsal.plan(&text(SMALL)).await,
        &["create identities.app", "create routeTables.out", "purge keyVaults.v"],
    );
    rehearsal.session.purge = false;
    rehearsal.destroy(&vault).await;
    is(
        &rehearsal.plan(&vault).await,
        &["create resourceGroup", "recover keyVaults.v < create resourceGroup"],
    );
}

const STRANGER: &str = "/subscriptions/33333333-0000-4000-8000-000000000003/resourceGroups/net/providers/Microsoft.Network/\
    privateEndpoints/pe-shop";

#[tokio::test(start_paused = true)]
async fn approve_and_reject() {
    let rehearsal = Rehearsal::new();
    let named = text(&format!(
        "{VAULT}approvals:\n  analytics: {{ target: '${{keyVaults.v}}', endpoints: [{STRANGER}] }}\n"
    ));
    is(
        &rehearsal.plan(&named.replace("] }\n", "], wait: 10m }\n")).await,
        &[
            "create resourceGroup",
            "create keyVaults.v < create resourceGroup",
            "approve approvals.analytics < create keyVaults.v",
        ],
    );
    rehearsal.apply(&text(VAULT)).await;
    let mut request =
        Request::new(Method::Put, format!("https://management.azure.com{STRANGER}?api-version=2025-05-01"));
    let vault = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.KeyVault/vaults/kv-shop-7"
    );
    let asked = json!({ "privateLinkServiceId": vault, "groupIds": ["vault"], "requestMessage": "please" });
    let asked = json!([{ "name": "pe-shop", "properties": asked }]);
    let body =
        json!({ "location": "westeurope", "properties": { "manualPrivateLinkServiceConnections": asked } });
    request.body = body.to_string().into();
    assert_eq!(rehearsal.simulator.send(request).await.unwrap().status, 201);
    is(&rehearsal.plan(&named).await, &["approve approvals.analytics"]);
    let strict =
        text(&format!("{VAULT}approvals:\n  none: {{ target: '${{keyVaults.v}}', otherwise: reject }}\n"));
    is(&rehearsal.plan(&strict).await, &["reject approvals.none"]);
    rehearsal.apply(&strict).await;
    is(&rehearsal.plan(&strict).await, &[]);
}

/// What others are at work on is watched, and what uses it waits for that.
#[tokio::test(start_paused = true)]
async fn watch() {
    let rehearsal = Rehearsal::new();
    let network = text(NETWORK);
    rehearsal.apply(&network).await;
    let id = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Network/virtualNetworks/hub"
    );
    let url = format!("https://management.azure.com{id}?api-version=2025-05-01");
    let answer = rehearsal.simulator.send(Request::new(Method::Get, url)).await.unwrap();
    let mut hub: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    hub["properties"]["provisioningState"] = "Updating".into();
    rehearsal.simulator.load(vec![hub]).unwrap();
    is(&rehearsal.plan(&network).await, &[]);
    let more = format!("{network}      more: {{ prefix: 10.20.64.0/20 }}\n");
    is(
        &rehearsal.plan(&more).await,
        &["watch networks.hub", "create networks.hub.subnets.more < watch networks.hub"],
    );
}

const POOLS: &str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
      nodes2: { prefix: 10.20.16.0/20 }
clusters:
  aks:
    subnet: ${networks.hub.subnets.nodes}
    nodePools:
      system: { mode: System, count: 1, vmSize: Standard_D4s_v5 }
      user: { count: 1, vmSize: Standard_D4s_v5, subnet: \"${networks.hub.subnets.nodes}\" }
";

/// A pool that moves to a subnet that is new.
fn moved() -> (String, String) {
    let before = text(POOLS).replace("      nodes2: { prefix: 10.20.16.0/20 }\n", "");
    let after = text(POOLS).replace(
        "user: { count: 1, vmSize: Standard_D4s_v5, subnet: \"${networks.hub.subnets.nodes}\" }",
        "user: { count: 1, vmSize: Standard_D4s_v5, subnet: \"${networks.hub.subnets.nodes2}\" }",
    );
    (before, after)
}

#[tokio::test(start_paused = true)]
async fn a_replaced_resource_is_cleared_after_what_its_successor_needs() {
    let rehearsal = Rehearsal::new();
    let (before, after) = moved();
    rehearsal.apply(&before).await;
    is(
        &rehearsal.plan(&after).await,
        &[
            "create networks.hub.subnets.nodes2",
            "create clusters.aks.nodePools.user < create networks.hub.subnets.nodes2, delete clusters.aks.nodePools.user",
            "delete clusters.aks.nodePools.user < create networks.hub.subnets.nodes2",
        ],
    );
}

fn refusal(path: &str) -> Fault {
    let effect = Effect::Answer {
        status: 403,
        code: "AuthorizationFailed".to_owned(),
        message: "no".to_owned(),
        retry_after: None,
    };
    Fault::once(Method::Put, path, effect)
}

fn outcome<'s>(summary: &'s berth::change::Summary, address: &str) -> &'s berth::change::StepResult {
    summary.steps.iter().find(|step| step.address.as_str() == address).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_need_that_fails_leaves_the_old_resource_alone() {
    let rehearsal = Rehearsal::new();
    let (before, after) = moved();
    rehearsal.apply(&before).await;
    rehearsal.simulator.fail_next(refusal("/subnets/nodes2"));
    let applied = rehearsal.try_apply(&after, Adoption::Refused).await.unwrap();
    let pool = outcome(&applied.summary, "clusters.aks.nodePools.user");
    assert!(matches!(pool.outcome, Outcome::Skipped { .. }) && !pool.deleted, "{pool:?}");
    // It is there, as it was, and still owned.
    assert!(rehearsal.plan(&before).await.plan.steps.iter().all(|step| step.action != Action::Create));
}

#[tokio::test(start_paused = true)]
async fn what_was_cleared_and_not_made_again_is_told_so_and_made_by_the_next_run() {
    let rehearsal = Rehearsal::new();
    let (before, after) = moved();
    rehearsal.apply(&before).await;
    rehearsal.simulator.fail_next(refusal("/agentPools/user"));
    let applied = rehearsal.try_apply(&after, Adoption::Refused).await.unwrap();
    let pool = outcome(&applied.summary, "clusters.aks.nodePools.user");
    assert!(matches!(pool.outcome, Outcome::Failed { .. }) && pool.deleted, "{pool:?}");
    let shown = berth::report::human::summary(
        &applied.summary,
        &applied.outputs,
        &Default::default(),
        &berth::report::Style::plain(100),
    );
    assert!(shown.contains("Deleted, not made again"), "{shown}");
    rehearsal.apply(&after).await;
}

#[tokio::test(start_paused = true)]
async fn a_create_overwrites_nothing_that_appeared_since_the_plan() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text(SMALL)).await;
    let network = text(&format!("{SMALL}{NETWORK}"));
    // Somebody else makes one of the same name while a person looks at the plan.
    let desired = rehearsal.desired(&network);
    let theirs = serde_json::json!({
        "location": "westeurope",
        "properties": { "addressSpace": { "addressPrefixes": ["10.99.0.0/16"] } },
    });
    let id = desired.resources[desired.by_address[&berth::ident::Address::new("networks.hub")]].id.clone();
    let planned = rehearsal.plan(&network).await;
    let client = &rehearsal.session.engine.client;
    let minute = std::time::Duration::from_secs(60);
    let none = berth::arm::Conditions::none();
    client.put_and_wait(id.as_str(), "2024-05-01", &theirs, &none, minute).await.unwrap();
    let plan = berth::approve::approve(planned.plan, &Default::default()).unwrap();
    let (ledger, observed) = (planned.ledger, planned.observed);
    let applied = berth::apply::apply(&rehearsal.session.engine, &plan, &desired.secrets, ledger, observed)
        .await
        .unwrap();
    let Outcome::Failed { message, .. } = &outcome(&applied.summary, "networks.hub").outcome else {
        panic!("{:?}", applied.summary)
    };
    assert!(message.contains("somebody else has made it since"), "{message}");
    assert!(!applied.ledger.resources.contains_key(&id));
    let live = client.get(id.as_str(), "2024-05-01").await.unwrap().unwrap().body;
    assert_eq!(live["properties"]["addressSpace"]["addressPrefixes"][0], "10.99.0.0/16");
}

#[tokio::test(start_paused = true)]
async fn a_create_that_azure_refused_is_not_owned() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text(SMALL)).await;
    rehearsal.simulator.fail_next(refusal("/virtualNetworks/hub"));
    let applied = rehearsal.try_apply(&text(&format!("{SMALL}{NETWORK}")), Adoption::Refused).await.unwrap();
    assert!(matches!(outcome(&applied.summary, "networks.hub").outcome, Outcome::Failed { .. }));
    let mut owned: Vec<&str> =
        applied.ledger.resources.values().map(|owned| owned.address.as_str()).collect();
    owned.sort_unstable_by_key(|address| (*address != "resourceGroup", *address));
    assert_eq!(owned, ["resourceGroup", "identities.app", "routeTables.out"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_name_is_one_replacement_that_is_made_before_the_old_one_goes() {
    let rehearsal = Rehearsal::new();
    let named =
        |name: &str| text(&format!("identities:\n  app: {{ name: {name} }}\nrouteTables:\n  out: {{}}\n"));
    rehearsal.apply(&named("id-a")).await;
    let planned = rehearsal.plan(&named("id-b")).await;
    is(&planned, &["create identities.app", "delete identities.app < create identities.app"]);
    let counts = planned.plan.counts();
    assert_eq!((counts.replace, counts.create, counts.delete), (1, 0, 0));
    let shown =
        berth::report::human::plan(&planned.plan, &Default::default(), &berth::report::Style::plain(100));
    assert!(
        shown.contains("name: \"id-a\" -> \"id-b\"") || shown.contains("name: \"id-a\" → \"id-b\""),
        "{shown}"
    );
    assert_eq!(shown.matches("identities.app").count(), 1, "{shown}");
    // The new one is refused: the old one stays.
    rehearsal.simulator.fail_next(refusal("/userAssignedIdentities/id-b"));
    let applied = rehearsal.try_apply(&named("id-b"), Adoption::Refused).await.unwrap();
    let step = outcome(&applied.summary, "identities.app");
    assert!(matches!(step.outcome, Outcome::Failed { .. }) && !step.deleted, "{step:?}");
    assert_eq!(applied.summary.steps.len(), 1);
    assert!(rehearsal.simulator.export().iter().any(|r| r["name"] == "id-a"));
    rehearsal.apply(&named("id-b")).await;
    let names: Vec<_> = rehearsal.simulator.export().into_iter().map(|r| r["name"].clone()).collect();
    assert!(names.contains(&"id-b".into()) && !names.contains(&"id-a".into()), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn a_renamed_cluster_takes_its_pools_along() {
    let rehearsal = Rehearsal::new();
    let named = |name: &str| text(POOLS).replace("  aks:\n", &format!("  aks:\n    name: {name}\n"));
    rehearsal.apply(&named("aks-a")).await;
    let planned = rehearsal.plan(&named("aks-b")).await;
    assert_eq!(planned.plan.counts().replace, 3, "{:#?}", lines(&planned.plan));
    let blocked = rehearsal.try_apply(&named("aks-b"), Adoption::Refused).await.unwrap_err();
    assert!(matches!(blocked, berth::ops::Error::Blocked(_)));
    let allowances =
        berth::approve::Allowances { replace: vec!["clusters.aks".to_owned()], ..Default::default() };
    let desired = rehearsal.desired(&named("aks-b"));
    let applied =
        berth::ops::apply(&rehearsal.session, &desired, Adoption::Refused, &allowances, |_, _| true)
            .await
            .unwrap()
            .unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    assert!(rehearsal.plan(&named("aks-b")).await.plan.is_empty());
    assert!(!rehearsal.simulator.export().iter().any(|r| r["name"] == "aks-a"));
}

fn subnets(space: &str, a: &str, b: &str) -> String {
    text(&format!(
        "networks:\n  hub:\n    addressSpace: {space}\n    subnets:\n      a: {{ prefix: {a} }}\n      b: {{ prefix: {b} }}\n"
    ))
}

#[tokio::test(start_paused = true)]
async fn ranges_go_in_the_order_that_azure_allows_or_are_refused_in_the_plan() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&subnets("[10.20.0.0/16]", "10.20.0.0/24", "10.20.1.0/24")).await;
    let conflicts = async |text: &str| -> Vec<String> {
        rehearsal.plan(text).await.plan.conflicts.iter().map(|conflict| conflict.message.clone()).collect()
    };
    // A swap.
    let swapped = conflicts(&subnets("[10.20.0.0/16]", "10.20.1.0/24", "10.20.0.0/24")).await;
    assert!(swapped.iter().any(|message| message.contains("can give up only afterwards")), "{swapped:?}");
    // A network that moves from under its subnets.
    let moved = conflicts(&subnets("[10.21.0.0/16]", "10.21.0.0/24", "10.21.1.0/24")).await;
    assert!(moved.iter().any(|message| message.contains("gives up the range")), "{moved:?}");
    // A chain: `b` moves away, then `a` takes what it had.
    let chain = subnets("[10.20.0.0/16]", "10.20.1.0/24", "10.20.2.0/24");
    is(
        &rehearsal.plan(&chain).await,
        &["update networks.hub.subnets.a < update networks.hub.subnets.b", "update networks.hub.subnets.b"],
    );
    rehearsal.apply(&chain).await;
    // By way of a union of ranges the network moves too.
    rehearsal.apply(&subnets("[10.20.0.0/16, 10.21.0.0/16]", "10.20.1.0/24", "10.20.2.0/24")).await;
    rehearsal.apply(&subnets("[10.20.0.0/16, 10.21.0.0/16]", "10.21.1.0/24", "10.21.2.0/24")).await;
    rehearsal.apply(&subnets("[10.21.0.0/16]", "10.21.1.0/24", "10.21.2.0/24")).await;
    // Another key with the same range: the old one goes first.
    let renamed = subnets("[10.21.0.0/16]", "10.21.1.0/24", "10.21.2.0/24").replace("      b:", "      c:");
    is(
        &rehearsal.plan(&renamed).await,
        &["create networks.hub.subnets.c < delete networks.hub.subnets.b", "delete networks.hub.subnets.b"],
    );
    rehearsal.apply(&renamed).await;
}

const ENDPOINT: &str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      endpoints: { name: NAME, prefix: 10.20.16.0/26 }
keyVaults:
  main:
    name: kv-program-1
privateEndpoints:
  vault:
    target: ${keyVaults.main}
    subnet: ${networks.hub.subnets.endpoints}
";

#[tokio::test(start_paused = true)]
async fn a_subnet_under_an_endpoint_gets_a_new_name_by_way_of_the_endpoint() {
    let rehearsal = Rehearsal::new();
    let named = |name: &str| text(ENDPOINT).replace("NAME", name);
    rehearsal.apply(&named("pe")).await;
    let planned = rehearsal.plan(&named("endpoints")).await;
    let lines = lines(&planned.plan);
    assert!(planned.plan.conflicts.is_empty(), "{lines:#?} {:?}", planned.plan.conflicts);
    let applied = rehearsal.try_apply(&named("endpoints"), Adoption::Refused).await.unwrap();
    assert!(applied.summary.is_complete(), "{lines:#?} {:#?}", applied.summary);
    assert!(rehearsal.plan(&named("endpoints")).await.plan.is_empty());
}

#[tokio::test(start_paused = true)]
async fn taking_over_writes_the_tag_and_nothing_else() {
    let rehearsal = Rehearsal::new();
    rehearsal
        .apply(&text(&format!("{SMALL}keyVaults:\n  other: {{ name: kv-other-1, protect: false }}\n")))
        .await;
    let blueprint = text(&format!("{SMALL}{NETWORK}"))
        .replace("nodes: {", "extra: { prefix: 10.20.32.0/20 }\n      nodes: {");
    let desired = rehearsal.desired(&blueprint);
    let id = desired.resources[desired.by_address[&berth::ident::Address::new("networks.hub")]].id.clone();
    let theirs = serde_json::json!({
        "location": "westeurope",
        "tags": { "team": "theirs" },
        "properties": {
            "addressSpace": { "addressPrefixes": ["10.20.0.0/16", "10.30.0.0/16"] },
            "subnets": [{ "name": "nodes", "properties": { "addressPrefix": "10.20.64.0/20" } }],
        },
    });
    let client = &rehearsal.session.engine.client;
    let minute = std::time::Duration::from_secs(60);
    let none = berth::arm::Conditions::none();
    client.put_and_wait(id.as_str(), "2024-05-01", &theirs, &none, minute).await.unwrap();
    let planned = rehearsal.plan_with(&blueprint, Adoption::Allowed).await;
    let hub = planned.plan.steps.iter().find(|step| step.address.as_str() == "networks.hub").unwrap();
    let paths: Vec<&str> = hub.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!((hub.action, paths), (Action::Update, vec!["tags.berth-blueprint"]));
    assert!(planned.plan.warnings.iter().any(|warning| warning.message.contains("taken over as it is")));
    let applied = rehearsal.try_apply(&blueprint, Adoption::Allowed).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    let live = client.get(id.as_str(), "2024-05-01").await.unwrap().unwrap().body;
    assert_eq!(live["tags"], serde_json::json!({ "team": "theirs", "berth-blueprint": "shop" }));
    assert_eq!(
        live["properties"]["addressSpace"]["addressPrefixes"],
        serde_json::json!(["10.20.0.0/16", "10.30.0.0/16"])
    );
    let nodes = live["properties"]["subnets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|subnet| subnet["name"] == "nodes")
        .unwrap();
    assert_eq!(nodes["properties"]["addressPrefix"], "10.20.64.0/20");
    // What differs is the next plan's, where a person sees it.
    let next = rehearsal.plan(&blueprint).await;
    let action =
        |address: &str| next.plan.steps.iter().find(|step| step.address.as_str() == address).unwrap().action;
    assert_eq!(
        (action("networks.hub"), action("networks.hub.subnets.nodes")),
        (Action::Update, Action::Update)
    );
}

#[tokio::test(start_paused = true)]
async fn what_this_run_did_not_make_is_not_waited_for_for_long() {
    let rehearsal = Rehearsal::new();
    let blueprint = text(
        "roleAssignments:\n  a: { principal: 11111111-2222-4333-8444-555555555555, principalType: User, role: Reader }\n",
    );
    let desired = rehearsal.desired(&blueprint);
    let at = desired.by_address[&berth::ident::Address::new("roleAssignments.a")];
    let path = format!("/roleAssignments/{}", desired.resources[at].id.name());
    rehearsal.simulator.fail_next(
        Fault::once(
            Method::Put,
            &path,
            Effect::Answer {
                status: 400,
                code: "PrincipalNotFound".to_owned(),
                message: "no such principal".to_owned(),
                retry_after: None,
            },
        )
        .times(1000),
    );
    let applied = rehearsal.try_apply(&blueprint, Adoption::Refused).await.unwrap();
    let step = outcome(&applied.summary, "roleAssignments.a");
    assert!(matches!(step.outcome, Outcome::Failed { .. }) && step.retries <= 6, "{step:?}");
}
