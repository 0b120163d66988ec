//! `berth approve`: connections of a blueprint and of anything else, approved when a rule names them and else never.

use crate::support::{Berth, Run};
use serde_json::{Value, json};

/// Two endpoints on one vault that only ask, one of which the blueprint may approve when it is asked to.
const BLUEPRINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { addressSpace: [10.20.0.0/16], subnets: { pe: { prefix: 10.20.16.0/24 } } }
keyVaults:
  v: { name: kv-shop-7, protect: false }
privateEndpoints:
  ours: { target: '${keyVaults.v}', subnet: '${networks.hub.subnets.pe}', manual: true, dns: none, approve: false, requestMessage: please }
  theirs: { target: '${keyVaults.v}', subnet: '${networks.hub.subnets.pe}', manual: true, dns: none, approve: false }
";

const GROUP: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-shop/providers";

fn vault() -> String {
    format!("{GROUP}/Microsoft.KeyVault/vaults/kv-shop-7")
}

fn endpoint(name: &str) -> String {
    format!("{GROUP}/Microsoft.Network/privateEndpoints/{name}")
}

/// A simulator in which both connections wait.
fn waiting() -> Berth {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    berth
}

fn approve(berth: &Berth, command: &str, more: &[&str]) -> Run {
    berth.run([&["approve", command, "--sim"], more].concat())
}

/// The connections of the vault: id, the name of the endpoint behind it, status and verdict.
fn listed(berth: &Berth, code: i32, more: &[&str]) -> Vec<(String, String, String, String)> {
    let vault = vault();
    let list =
        approve(berth, "list", &[&[vault.as_str(), "--format", "json"], more].concat()).exits(code).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |c: &Value| {
        let endpoint = text(&c["endpoint"]);
        let endpoint = endpoint.rsplit('/').next().unwrap().to_owned();
        (text(&c["id"]), endpoint, text(&c["status"]), text(&c["verdict"]))
    };
    let mut all: Vec<_> = list["targets"][0]["connections"].as_array().unwrap().iter().map(of).collect();
    all.sort_by(|a, b| a.1.cmp(&b.1));
    all
}

fn states(berth: &Berth) -> Vec<String> {
    let vault = vault();
    let list = approve(berth, "list", &[&vault, "--format", "json"]).exits_with_one_of(&[0, 2]).json();
    let waits = list.to_string().contains(r#""status":"Pending""#);
    let states = listed(berth, if waits { 2 } else { 0 }, &[]).into_iter();
    states.map(|(_, endpoint, status, _)| format!("{endpoint} {status}")).collect()
}

#[test]
fn without_a_rule_nothing_is_approved() {
    let berth = waiting();
    let vault = vault();
    approve(&berth, "list", &[&vault]).exits(2).says(&[
        &vault,
        "Pending",
        &endpoint("ours"),
        "says please",
        "no rule names it: it stays pending",
    ]);
    // Something waits, whosever it is, and a pipeline sees that.
    approve(&berth, "run", &[&vault, "--auto-approve"]).exits(2).says(&["Nothing to approve."]);
    assert_eq!(states(&berth), ["ours Pending", "theirs Pending"]);
}

#[test]
fn an_endpoint_that_is_named_is_approved_and_no_other() {
    let berth = waiting();
    let (vault, ours) = (vault(), endpoint("OURS"));
    let rule = ["--endpoint-id", ours.as_str()];
    let verdicts = listed(&berth, 2, &rule).into_iter().map(|(.., verdict)| verdict).collect::<Vec<_>>();
    assert_eq!(verdicts, ["approve", "not-named"]);
    // Nobody can be asked here, and so nothing happens.
    approve(&berth, "run", &[&vault, rule[0], rule[1]]).exits(1).complains(&["--auto-approve"]);
    assert_eq!(states(&berth), ["ours Pending", "theirs Pending"]);
    let run = ["--auto-approve", "--description", "ticket 7"];
    approve(&berth, "run", &[&[vault.as_str()], &rule[..], &run[..]].concat()).exits(2).says(&["Approved"]);
    assert_eq!(states(&berth), ["ours Approved", "theirs Pending"]);
    approve(&berth, "list", &[&vault]).exits(2).says(&["says ticket 7"]);
    // A second time there is nothing left.
    approve(&berth, "run", &[&vault, rule[0], rule[1], "--auto-approve"])
        .exits(2)
        .says(&["Nothing to approve."]);
    // What was approved by hand is not drift and needs no plan.
    berth.plan(&[]).exits(0);
}

#[test]
fn a_connection_that_is_named_by_its_id_needs_no_target() {
    let berth = waiting();
    let theirs = listed(&berth, 2, &[]).pop().unwrap().0;
    approve(&berth, "run", &["--id", &theirs, "--auto-approve"])
        .exits(2)
        .says(&[&format!("Approved {theirs}")]);
    assert_eq!(states(&berth), ["ours Pending", "theirs Approved"]);
}

#[test]
fn a_blueprint_names_the_endpoints_that_it_may_approve() {
    let berth = waiting();
    // Now the blueprint says of one of them that berth approves it.
    berth.edit("dns: none, approve: false, requestMessage", "dns: none, requestMessage");
    let blueprint = ["--blueprint", "blueprint.yaml"];
    approve(&berth, "list", &blueprint).exits(2).says(&["named: may be approved", "no rule names it"]);
    approve(&berth, "list", &[&["keyVaults.v"], &blueprint[..]].concat()).exits(2);
    approve(&berth, "run", &[&blueprint[..], &["--auto-approve"]].concat()).exits(2).says(&["Approved"]);
    assert_eq!(states(&berth), ["ours Approved", "theirs Pending"]);
}

#[test]
fn what_cannot_be_meant_is_said() {
    let berth = waiting();
    let (vault, ours) = (vault(), endpoint("ours"));
    let missing = format!("{vault}/privateEndpointConnections/none");
    let nowhere = format!("{vault}-not-there");
    for (command, args, texts) in [
        ("list", vec![], vec!["no resource was named whose connections to look at", "--blueprint FILE"]),
        ("list", vec!["keyVaults.v"], vec!["`keyVaults.v` is not an ARM id", "--blueprint FILE"]),
        ("list", vec!["keyVaults.w", "--blueprint", "blueprint.yaml"], vec!["did you mean `keyVaults.v`?"]),
        ("list", vec!["/nonsense"], vec!["`/nonsense` is not the id of a resource"]),
        ("list", vec!["--id", &vault], vec!["is the id of a Microsoft.KeyVault/vaults"]),
        (
            "list",
            vec![&vault, "--endpoint-id", &vault],
            vec!["an id that ends with `Microsoft.Network/privateEndpoints/NAME`"],
        ),
        ("run", vec!["--id", &missing], vec!["nothing was done", &missing, "berth approve list"]),
        ("run", vec![&nowhere, "--endpoint-id", &ours], vec!["is not there", &nowhere]),
    ] {
        approve(&berth, command, &args).exits(1).complains(&texts);
    }
    approve(&berth, "list", &[&nowhere]).exits(1).says(&["is not there"]).complains(&["is not there"]);
    assert_eq!(states(&berth), ["ours Pending", "theirs Pending"]);
}

#[test]
fn a_rejection_stands_unless_a_person_names_the_connection() {
    let berth = waiting();
    let (vault, ours) = (vault(), endpoint("ours"));
    let id = listed(&berth, 2, &[]).remove(0).0;
    let server = berth.sim_serve();
    let state = json!({ "privateLinkServiceConnectionState": { "status": "Rejected", "description": "no" } });
    server.write("PUT", &id, "2026-02-01", Some(&json!({ "properties": state })));
    server.stop();
    assert_eq!(states(&berth)[0], "ours Rejected");
    approve(&berth, "run", &[&vault, "--endpoint-id", &ours, "--auto-approve"])
        .exits(4)
        .complains(&["is rejected and stays so", "`--id`"]);
    assert_eq!(states(&berth)[0], "ours Rejected");
    approve(&berth, "run", &["--id", &id, "--auto-approve"]).exits(2);
    assert_eq!(states(&berth)[0], "ours Approved");
}

#[test]
fn an_approval_is_tried_again_as_a_step_of_a_plan_is() {
    for fault in [
        "{ throttle: { retryAfter: 3s }, method: PUT, path: \"*/privateEndpointConnections/*\", times: 2 }",
        "{ answer: { status: 500, code: InternalServerError, message: oops }, method: PUT, path: \"*/privateEndpointConnections/*\", times: 2 }",
        "{ answer: { status: 409, code: AnotherOperationInProgress, message: busy }, method: PUT, path: \"*/privateEndpointConnections/*\", times: 2 }",
        "{ drop: after, method: PUT, path: \"*/privateEndpointConnections/*\", times: 1 }",
        "{ drop: before, method: PUT, path: \"*/privateEndpointConnections/*\", times: 2 }",
        "{ answer: { status: 503, code: ServiceUnavailable, message: oops }, method: GET, path: \"*/privateEndpointConnections*\", times: 2 }",
    ] {
        let berth = waiting();
        berth.write("faults.yaml", format!("faults:\n  - {fault}\n").as_bytes());
        let (vault, ours) = (vault(), endpoint("ours"));
        let args = [vault.as_str(), "--endpoint-id", &ours, "--auto-approve", "--faults", "faults.yaml"];
        approve(&berth, "run", &args).exits(2).says(&["Approved"]);
        assert_eq!(states(&berth), ["ours Approved", "theirs Pending"], "{fault}");
    }
    // What is refused for good ends at once, and nothing is said to be done.
    let berth = waiting();
    let refusal = "faults:\n  - { answer: { status: 403, code: AuthorizationFailed, message: no }, method: PUT, path: \"*/privateEndpointConnections/*\" }\n";
    berth.write("faults.yaml", refusal.as_bytes());
    let (vault, ours) = (vault(), endpoint("ours"));
    let args = [vault.as_str(), "--endpoint-id", &ours, "--auto-approve", "--faults", "faults.yaml"];
    approve(&berth, "run", &args).exits(1).complains(&["AuthorizationFailed"]);
    assert_eq!(states(&berth), ["ours Pending", "theirs Pending"]);
}
