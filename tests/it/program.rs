//! What planning compiles, action by action: a unit a line, with what it waits for.

use crate::support::Rehearsal;
use berth::change::{Action, Outcome};
use berth::host::transport::Method;
use berth::ops::Planned;
use berth::plan::{Adoption, Mode, Plan, Work};
use berth::sim::{Effect, Fault};
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
    let shown =
        berth::report::human::summary(&applied.summary, &applied.outputs, &berth::report::Style::plain(100));
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
