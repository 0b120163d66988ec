//! Files of faults: what each rule does, and every shipped blueprint in rough weather.

use crate::support::{Berth, Rehearsal, Run, Server, root};
use berth::blueprint::side_file;
use berth::change::Outcome;
use berth::plan::Adoption;
use berth::sim::FaultScript;
use std::time::Duration;

const DOCS: &str = "docs/reference/faults.md";

fn script(text: &str) -> FaultScript {
    side_file("faults.yaml", text.as_bytes()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

fn weather(seed: u64) -> FaultScript {
    script(&format!(
        "seed: {seed}
faults:
  - {{ name: every second operation on a cluster finds it busy, busy: true,
      type: Microsoft.ContainerService/managedClusters, method: [PUT, PATCH, DELETE, POST], every: 2 }}
  - {{ name: every second operation on a pool finds it busy, busy: true,
      type: Microsoft.ContainerService/managedClusters/agentPools, method: [PUT, PATCH, DELETE, POST], every: 2 }}
  - {{ throttle: {{ retryAfter: 3s }}, probability: 0.3 }}
  - {{ answer: {{ status: 503, code: ServiceUnavailable }}, probability: 0.03 }}
  - {{ answer: {{ status: 500, code: InternalServerError }}, probability: 0.03 }}
  - {{ drop: before, probability: 0.02 }}
  - {{ drop: after, probability: 0.02 }}
"
    ))
}

#[tokio::test(start_paused = true)]
async fn every_blueprint_gets_through_rough_weather() {
    let folder = root().join("blueprints");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    assert!(files.len() >= 5);
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for seed in 1..=3 {
            let rehearsal = Rehearsal::new();
            rehearsal.simulator.script(weather(seed));
            let at = format!("{} with seed {seed}", path.display());
            let applied = match rehearsal.try_apply(&text, Adoption::Refused).await {
                Ok(applied) => applied,
                Err(error) => panic!("{at}: {error}"),
            };
            assert!(applied.summary.is_complete(), "{at}: {:#?}", applied.summary);
            let counters = rehearsal.simulator.counters();
            // Three of ten on average: a small blueprint sends few requests.
            let sent: u64 = counters.requests.values().sum();
            assert!(
                counters.throttled * 8 >= sent && sent > 10,
                "{at}: {} of {sent} were throttled",
                counters.throttled
            );
            // One write that took effect for each resource, however often it was sent.
            assert!(counters.creates.values().all(|&times| times == 1), "{at}: {:#?}", counters.creates);
            // A connection is there before it is approved: to approve it is an update.
            let approved =
                |(id, times): (&String, &u64)| id.contains("/privateendpointconnections/") && *times == 1;
            assert!(counters.updates.iter().all(approved), "{at}: {:#?}", counters.updates);
            assert!(counters.deletes.is_empty(), "{at}: {:#?}", counters.deletes);
            assert!(rehearsal.plan(&text).await.plan.is_empty(), "{at}");
        }
    }
}

const IDENTITY: &str = "\
blueprint: small
azure: { subscription: \"${env.AZURE_SUBSCRIPTION_ID}\", location: westeurope, resourceGroup: rg-small }
identities:
  one: { name: id-one }
networks:
  hub: { name: vnet-small, addressSpace: [10.0.0.0/16], subnets: { a: { prefix: 10.0.0.0/24 } } }
";

/// What became of an address under a script.
async fn outcome(text: &str, address: &str) -> (Rehearsal, Outcome) {
    let rehearsal = Rehearsal::new();
    rehearsal.simulator.script(script(text));
    let applied = rehearsal.try_apply(IDENTITY, Adoption::Refused).await.unwrap();
    let step = applied.summary.steps.iter().find(|step| step.address.as_str() == address);
    let outcome = step.unwrap_or_else(|| panic!("{:#?}", applied.summary)).outcome.clone();
    (rehearsal, outcome)
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_waited_for() {
    for rule in [
        "{ stale: 30s, method: PUT }",
        "{ stall: 20s }",
        "{ busy: true, type: Microsoft.Network/virtualNetworks, times: 3 }",
        "{ throttle: { retryAfter: 7s }, timesPerResource: 1 }",
        "{ drop: after, method: PUT, timesPerResource: 1 }",
    ] {
        let (rehearsal, outcome) = outcome(&format!("faults: [{rule}]"), "networks.hub").await;
        assert!(matches!(outcome, Outcome::Done), "{rule}: {outcome:?}");
        let counters = rehearsal.simulator.counters();
        assert!(counters.creates.values().all(|&times| times == 1), "{rule}: {:?}", counters.creates);
        rehearsal.session.engine.clock.sleep(Duration::from_secs(60)).await;
        assert!(rehearsal.plan(IDENTITY).await.plan.is_empty(), "{rule}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_fails_in_azures_words() {
    for (rule, code, words) in [
        (
            "{ deny: { policy: no-networks }, type: Microsoft.Network/virtualNetworks }",
            "RequestDisallowedByPolicy",
            "no-networks",
        ),
        (
            "{ failOperation: { code: SkuNotAvailable, message: sold out, after: 2s }, path: '*/vnet-small', method: PUT }",
            "SkuNotAvailable",
            "sold out",
        ),
        (
            "{ answer: { status: 400, code: Odd, message: no reason }, path: '*/VNET-small', method: put }",
            "Odd",
            "no reason",
        ),
    ] {
        let (_, outcome) = outcome(&format!("faults: [{rule}]"), "networks.hub").await;
        let Outcome::Failed { code: seen, message, .. } = outcome else { panic!("{rule}: {outcome:?}") };
        assert_eq!(seen.as_deref(), Some(code), "{rule}: {message}");
        assert!(message.contains(words), "{rule}: {message}");
    }
}

const VAULT: &str = "\
blueprint: small
azure: { subscription: \"${env.AZURE_SUBSCRIPTION_ID}\", location: westeurope, resourceGroup: rg-small }
networks:
  hub: { name: vnet-small, addressSpace: [10.0.0.0/16], subnets: { a: { prefix: 10.0.0.0/24 } } }
keyVaults:
  v: { name: kv-small-7, protect: false }
privateEndpoints:
  ours: { name: pe-ours, target: \"${keyVaults.v}\", subnet: \"${networks.hub.subnets.a}\", dns: none }
";

/// Runs commands against a simulator that is served, with more arguments for it.
fn served(berth: &Berth, more: &[&str], commands: &[(&[&str], i32, &[&str])]) {
    let serve = ["sim", "serve", "--listen", "127.0.0.1:0", "--state", "sim.json"];
    let server = Server::start(berth.command([&serve, more].concat()));
    for (args, code, says) in commands {
        let mut command = berth.command(args.iter().copied());
        command.args(["--endpoint", &server.url, "--sim-speed", "100"]);
        command.env("AZURE_SUBSCRIPTION_ID", berth::sim::SUBSCRIPTION);
        Run::of(args, command.output().unwrap()).exits(*code).says(says);
    }
    server.stop();
}

/// Applies a small blueprint over HTTP to a simulator with a script, and then to one without.
fn applied_over_http(rule: &str, code: i32, says: &[&str]) {
    let berth = Berth::new().blueprint(VAULT);
    berth.write("faults.yaml", format!("faults: [{rule}]").as_bytes());
    let apply = &["apply", "blueprint.yaml", "--auto-approve"][..];
    served(&berth, &["--faults", "faults.yaml"], &[(apply, code, says)]);
    // Whatever went wrong, without it the rest is done, and then nothing is left.
    let plan = &["plan", "blueprint.yaml"][..];
    served(&berth, &[], &[(apply, 0, &[]), (plan, 0, &["No changes."])]);
}

#[test]
fn every_kind_of_fault_strikes_over_http() {
    let network = "path: '*/vnet-small', method: PUT";
    let rules: Vec<(String, i32, &[&str])> = vec![
        (format!("{{ throttle: {{ retryAfter: 2s }}, {network}, times: 2 }}"), 0, &["Done."]),
        (format!("{{ busy: true, {network}, times: 2 }}"), 0, &["Done."]),
        (
            format!("{{ answer: {{ status: 400, code: Odd, message: no reason }}, {network} }}"),
            3,
            &["400 Odd", "no reason"],
        ),
        (
            format!("{{ deny: {{ policy: no-networks }}, {network} }}"),
            3,
            &["RequestDisallowedByPolicy", "no-networks"],
        ),
        (
            format!(
                "{{ failOperation: {{ code: SkuNotAvailable, message: sold out, after: 2s }}, {network} }}"
            ),
            3,
            &["SkuNotAvailable", "sold out"],
        ),
        ("{ drop: before, probability: 0.2 }".to_owned(), 0, &["Done."]),
        ("{ drop: after, method: PUT, timesPerResource: 1 }".to_owned(), 0, &["Done."]),
        (format!("{{ stall: 300ms, {network} }}"), 0, &["Done."]),
        ("{ stale: 30s, method: PUT, type: Microsoft.Network/virtualNetworks }".to_owned(), 0, &["Done."]),
        (
            "{ keepPending: true, type: Microsoft.Network/privateEndpoints }".to_owned(),
            0,
            &["approved", "privateEndpoints.ours"],
        ),
    ];
    std::thread::scope(|scope| {
        for (rule, code, says) in &rules {
            scope.spawn(move || applied_over_http(rule, *code, says));
        }
    });
}

#[test]
fn the_examples_of_the_page_are_read() {
    let page = std::fs::read_to_string(root().join(DOCS)).unwrap();
    let examples: Vec<&str> =
        page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 8, "{}", examples.len());
    for example in examples {
        assert!(!script(example).faults.is_empty(), "{example}");
    }
}

#[test]
fn a_file_of_faults_is_given_on_the_command_line() {
    let berth = Berth::new().blueprint(IDENTITY);
    berth.write(
        "faults.yaml",
        b"faults:\n  - { deny: { policy: no-identities }, path: '*/userAssignedIdentities/*' }\n",
    );
    let ended = berth.apply(&["--faults", "faults.yaml"]).exits(3);
    ended.says(&["RequestDisallowedByPolicy", "no-identities"]);
    berth.apply(&[]).exits(0);
    berth.write("faults.yaml", b"faults:\n  - { deny: no-identities }\n  - { busy: true }\n");
    berth.plan(&["--faults", "faults.yaml"]).exits(1).complains(&["faults.yaml:2", "expected a mapping"]);
    berth.run(["plan", "blueprint.yaml", "--faults", "faults.yaml"]).exits(1).complains(&["add `--sim`"]);
}
