//! What says that a resource is not there, and what only sounds like it.

use crate::support::{Berth, Rehearsal, always};
use berth::host::transport::Method;
use berth::plan::Adoption;
use berth::report::{Style, human};
use berth::sim::{Effect, Fault};

const BLUEPRINT: &str = "\
blueprint: shop
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-shop
identities:
  app: {}
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
";

#[test]
fn a_server_that_is_not_arms_costs_nobody_a_resource() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let azure = berth.sim_serve();
    berth
        .run([&["apply", "blueprint.yaml", "--auto-approve", "--quiet"][..], &azure.client()].concat())
        .exits(0);
    let ledger = || berth.run(["ledger", "show", "blueprint.yaml", "--format", "json"]).exits(0).json();
    let before = ledger();
    for answer in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 28\r\n\r\n<html><h1>not found</h1>\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n{\"message\":\"not found\"}",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ] {
        let url = always(answer);
        let fast = ["--endpoint", &url, "--sim-speed", "200", "--auto-approve", "--quiet"];
        berth.run([&["destroy", "blueprint.yaml"][..], &fast].concat()).exits(1);
        assert_eq!(ledger(), before, "{answer}");
    }
    let url = always("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    for command in ["plan", "apply", "drift"] {
        berth.run([command, "blueprint.yaml", "--endpoint", &url, "--sim-speed", "200"]).exits(1);
    }
    assert_eq!(ledger(), before);
    azure.stop();
}

/// The answer to a read of one resource.
fn refuse(rehearsal: &Rehearsal, path: &str, status: u16, code: &str) {
    let answer = Effect::Answer {
        status,
        code: code.to_owned(),
        message: "so says Azure".to_owned(),
        retry_after: None,
    };
    rehearsal.simulator.fail_next(Fault::once(Method::Get, path, answer).times(1000));
}

#[tokio::test(start_paused = true)]
async fn a_refused_read_stops_its_resource_and_what_needs_it() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(BLUEPRINT).await;
    let text =
        BLUEPRINT.replace("10.20.0.0/20", "10.20.0.0/21").replace("app: {}", "app: { tags: { a: b } }");
    refuse(&rehearsal, "/virtualNetworks/hub", 403, "AuthorizationFailed");
    let planned = rehearsal.plan(&text).await;
    let conflicts: Vec<&str> = planned.plan.conflicts.iter().map(|c| c.address.as_str()).collect();
    assert!(conflicts.contains(&"networks.hub"), "{conflicts:?}");
    let shown = human::plan(&planned.plan, &Default::default(), &Style::plain(200));
    assert!(shown.contains("it cannot be read"), "{shown}");
    // The rest of the plan is there.
    let action = |address: &str| {
        planned.plan.steps.iter().find(|step| step.address.as_str() == address).unwrap().action.word()
    };
    assert_eq!(
        (action("identities.app"), action("networks.hub"), action("networks.hub.subnets.nodes")),
        ("update", "no-op", "no-op")
    );
    assert!(rehearsal.try_apply(&text, Adoption::Refused).await.is_err());
    // No report calls it steady or missing.
    let desired = rehearsal.desired(&text);
    let drift = berth::ops::drift(&rehearsal.session, &desired).await.unwrap_err();
    assert!(drift.to_string().contains("networks.hub"), "{drift}");
    // And it is not forgotten when it is no longer wanted.
    let ledger = rehearsal.ledger().await;
    let without = &BLUEPRINT[..BLUEPRINT.find("networks:").unwrap()];
    assert!(rehearsal.try_apply(without, Adoption::Refused).await.is_err());
    assert_eq!(rehearsal.ledger().await, ledger);
}
