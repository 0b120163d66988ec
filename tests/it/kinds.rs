//! The suite of every kind: its example works, a second plan is empty, nothing stays behind, no secret gets out.

use crate::support::{Berth, Rehearsal};
use berth::catalog::{Kind, registry};
use berth::event::Action;

/// What stands before an example.
const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
";

fn example(kind: &Kind) -> String {
    format!("{HEAD}{}", kind.example)
}

#[tokio::test(start_paused = true)]
async fn every_example_is_made_stays_as_it_is_and_goes() {
    for kind in registry() {
        let text = example(kind);
        let rehearsal = Rehearsal::new();
        let applied = rehearsal.apply(&text).await;
        assert!(!applied.ledger.resources.is_empty(), "{}", kind.section);
        let drift = rehearsal.drift(&text).await;
        assert!(drift.drifted.is_empty(), "{}: {drift:#?}", kind.section);
        for (id, times) in rehearsal.simulator.counters().creates {
            assert_eq!(times, 1, "{}: {id} was created {times} times", kind.section);
        }
        rehearsal.destroy(&text).await;
        assert_eq!(rehearsal.simulator.export(), [] as [serde_json::Value; 0], "{}", kind.section);
        assert_eq!(rehearsal.ledger().await["resources"], serde_json::json!({}), "{}", kind.section);
        // What was there before can be made again, soft-deleted or not.
        rehearsal.apply(&text).await;
    }
}

#[test]
fn every_example_can_be_drawn_and_planned_by_the_binary() {
    for kind in registry() {
        let berth = Berth::new().blueprint(&example(kind));
        berth.validate().exits(0).says(&["is valid"]);
        berth.plan(&[]).exits(2).says(&["Plan for example"]);
        berth.run(["graph", "blueprint.yaml"]).exits(0).says(&["digraph"]);
        berth.run(["graph", "blueprint.yaml", "--format", "mermaid"]).exits(0);
    }
}

/// For each kind a change that cannot be made in place: the section, what stands in the example, what then, and
/// the address that is replaced. `""` in place of a text adds the second one at the end.
const REPLACES: &[(&str, &str, &str, &str)] = &[
    ("resourceGroups", "location: northeurope", "location: uksouth", "resourceGroups.dns"),
    ("networks", "addressSpace:", "location: northeurope\n    addressSpace:", "networks.hub"),
    (
        "identities",
        "name: id-shop-deploy",
        "name: id-shop-deploy\n    location: northeurope",
        "identities.deploy",
    ),
    (
        "keyVaults",
        "purgeProtection: true",
        "purgeProtection: true\n    softDeleteRetentionDays: 30",
        "keyVaults.secrets",
    ),
    ("clusters", "name: aks-shop", "name: aks-shop\n    dnsPrefix: another", "clusters.aks"),
    (
        "clusters",
        "winpl: { os: Windows,",
        "winpl: { os: Windows, vmSize: Standard_D8s_v5,",
        "clusters.aks.nodePools.winpl",
    ),
    (
        "privateEndpoints",
        "name: pe-shop-vault",
        "name: pe-shop-vault\n    customNicName: nic-shop",
        "privateEndpoints.vault",
    ),
    ("publicIps", "zones: ['1', '2', '3']", "zones: ['1']", "publicIps.egress"),
    ("natGateways", "zones: ['1']\n    idle", "zones: ['2']\n    idle", "natGateways.egress"),
    (
        "policyAssignments",
        "policy: podSecurityBaseline",
        "policy: podSecurityRestricted",
        "policyAssignments.podSecurity",
    ),
    ("logWorkspaces", "name: log-shop", "name: log-shop\n    location: northeurope", "logWorkspaces.logs"),
    (
        "resources",
        "apiVersion: '2025-11-01'",
        "apiVersion: '2025-11-01'\n    immutable: [properties.adminUserEnabled]",
        "",
    ),
];

#[tokio::test(start_paused = true)]
async fn a_change_that_azure_refuses_in_place_plans_a_replacement() {
    for (section, from, to, address) in REPLACES {
        let kind = registry().iter().find(|kind| kind.section == *section).unwrap();
        let text = example(kind);
        assert!(text.contains(from), "the example of {section} has no {from:?}");
        let (before, after, address) = match *address {
            // The generic kind says itself what is immutable.
            "" => {
                let before = text.replace(from, to);
                let after = before.replace("adminUserEnabled: false", "adminUserEnabled: true");
                (before, after, "resources.registry")
            }
            address => (text.clone(), text.replace(from, to), address),
        };
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&before).await;
        let plan = rehearsal.plan(&after).await.plan;
        let step = plan.steps.iter().find(|step| step.address.as_str() == address).unwrap();
        assert_eq!(step.action, Action::Replace, "{address}: {:?} {:#?}", step.action, step.changes);
        assert!(step.changes.iter().any(|change| change.forces_replace), "{address}: {:#?}", step.changes);
    }
}

/// Text that nobody writes by chance, and that Azure takes for a password.
const CANARY: &str = "Canary-7f3e9b-Hush!";

/// Every place that takes a secret.
const SECRETS: &str = "\
parameters:
  canary: { type: string, secret: true }
  fromEnvironment: { type: string, secret: true, env: CANARY }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: { nodes: { prefix: 10.20.0.0/20 } }
keyVaults:
  secrets:
    name: kv-example-1
    protect: false
    secrets:
      one: { value: '${param.canary}' }
      two: { value: '${param.fromEnvironment}' }
      three: { value: 'before-${param.canary}-after' }
clusters:
  aks:
    name: aks-example
    protect: false
    subnet: ${networks.hub.subnets.nodes}
    windows: { adminUsername: azureuser, adminPassword: '${param.canary}' }
    addons:
      flux:
        configurations:
          https: { namespace: a, git: { url: 'https://example.com/a', branch: main, httpsUser: u, httpsKey: '${param.canary}' }, kustomizations: { k: {} } }
          ssh: { namespace: b, git: { url: 'ssh://git@example.com/b', branch: main, sshPrivateKey: '${param.canary}' }, kustomizations: { k: {} } }
          bucket: { namespace: c, bucket: { url: 'https://example.com', name: b, accessKey: id, secretKey: '${param.canary}' }, kustomizations: { k: {} } }
    nodePools:
      system: { mode: System, count: 1 }
resources:
  generic:
    name: sql-example
    type: Microsoft.Sql/servers
    apiVersion: '2023-08-01'
    writeOnly: [properties.administratorLoginPassword]
    body:
      location: westeurope
      properties: { administratorLogin: boss, administratorLoginPassword: '${param.canary}' }
outputs:
  password: ${param.canary}
";

/// The text in base64, wherever it begins in a longer one.
fn encodings(text: &str) -> Vec<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |bytes: &[u8]| -> String {
        let bits: Vec<u8> =
            bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let sextets = bits.chunks_exact(6);
        sextets
            .map(|six| char::from(ALPHABET[six.iter().fold(0, |n, bit| n << 1 | usize::from(*bit))]))
            .collect()
    };
    let bytes = text.as_bytes();
    let mut all = vec![text.to_owned()];
    // Only whole triples are the same whatever stands beside the text.
    for skip in 0..3 {
        let rest = &bytes[skip..];
        all.push(encode(&rest[..rest.len() / 3 * 3]));
    }
    all
}

#[test]
fn no_secret_gets_out() {
    let berth = Berth::new().blueprint(&format!("{HEAD}{SECRETS}"));
    let param = format!("canary={CANARY}");
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut run = |args: &[&str], code: i32| {
        let common = ["--sim", "-p", &param, "-v", "-v", "-v", "--trace-http", "trace.jsonl"];
        let all: Vec<&str> = args.iter().chain(&common).copied().collect();
        let output = berth.command(all.iter().copied()).env("CANARY", CANARY).output().unwrap();
        let text = format!(
            "{}{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            std::fs::read_to_string(berth.path("trace.jsonl")).unwrap_or_default()
        );
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        seen.push((args.join(" "), text));
    };
    let b = "blueprint.yaml";
    run(&["validate", b], 0);
    run(&["graph", b], 0);
    for format in ["human", "json", "markdown", "html"] {
        run(&["plan", b, "--format", format], 2);
    }
    run(&["apply", b, "--auto-approve"], 0);
    for format in ["human", "json", "markdown", "html"] {
        run(&["plan", b, "--format", format], 0);
        run(&["drift", b, "--format", format], 0);
    }
    run(&["output", b], 0);
    run(&["output", b, "--format", "json"], 0);
    run(&["ledger", "show", b, "--format", "json"], 0);
    // With another secret everything that holds it is to change, and nothing says what.
    let other = format!("canary={CANARY}2");
    let changed =
        berth.command(["plan", b, "--sim", "--format", "json", "-p", &other]).env("CANARY", CANARY).output();
    let changed = String::from_utf8(changed.unwrap().stdout).unwrap();
    assert!(changed.contains("\"secret\": [\n"), "{changed}");
    seen.push(("plan with another secret".to_owned(), changed));
    for (path, bytes) in berth.files() {
        seen.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
    }
    seen.push(("sim export".to_owned(), serde_json::to_string(&berth.export()).unwrap()));
    for (place, text) in &seen {
        for secret in encodings(CANARY) {
            assert!(!text.contains(&secret), "{place} has {secret}: {text}");
        }
    }
    assert!(seen.iter().any(|(place, _)| place.ends_with("trace.jsonl")));
    assert!(berth.ledger().to_string().contains("digests"));
}

#[test]
fn a_secret_that_changes_is_sent_again_and_only_then() {
    let text = format!(
        "{HEAD}parameters:\n  s: {{ type: string, secret: true }}\nkeyVaults:\n  v:\n    name: kv-example-2\n    protect: false\n    secrets: {{ one: {{ value: '${{param.s}}' }} }}\n"
    );
    let berth = Berth::new().blueprint(&text);
    berth.apply(&["-p", "s=first"]).exits(0).says(&["created keyVaults.v.secrets.one"]);
    berth.plan(&["-p", "s=first"]).exits(0).says(&["No changes."]);
    berth.plan(&["-p", "s=second"]).exits(2).says(&["keyVaults.v.secrets.one", "(secret, new value)"]);
    berth.apply(&["-p", "s=second"]).exits(0).says(&["updated keyVaults.v.secrets.one"]);
    berth.plan(&["-p", "s=second"]).exits(0).says(&["No changes."]);
}

#[test]
fn base64_is_found_wherever_it_begins() {
    // `printf 'xxCanary-7f3e9b-Hush!' | base64`
    let whole = "eHhDYW5hcnktN2YzZTliLUh1c2gh";
    assert!(encodings(CANARY).iter().any(|secret| whole.contains(secret)));
}

#[test]
fn what_azure_answers_with_is_an_output_of_a_resource_of_any_type() {
    let berth = Berth::new().blueprint(
        "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
logWorkspaces: { logs: { name: log-shop } }
resources:
  collection:
    type: Microsoft.Insights/dataCollectionRules
    apiVersion: '2023-03-11'
    keys: { properties.destinations.logAnalytics: name }
    body:
      location: westeurope
      properties:
        destinations: { logAnalytics: [{ name: logs, workspaceResourceId: '${logWorkspaces.logs}' }] }
        dataFlows: [{ streams: [Microsoft-ContainerInsights-Group-Default], destinations: [logs] }]
  copy:
    type: Microsoft.Insights/dataCollectionRules
    apiVersion: '2023-03-11'
    body:
      location: '${resources.collection.location}'
      properties: { description: 'after ${resources.collection.properties.dataFlows[0].destinations[0]}' }
outputs:
  stream: ${resources.collection.properties.dataFlows[0].streams[0]}
  state: ${resources.collection.properties.provisioningState}
",
    );
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth.plan(&[]).exits(0);
    let outputs = berth.run(["output", "blueprint.yaml", "--sim", "--format", "json"]).exits(0).json();
    assert_eq!(outputs["stream"], "Microsoft-ContainerInsights-Group-Default", "{outputs}");
    assert_eq!(outputs["state"], "Succeeded", "{outputs}");
    let copy = berth.export().into_iter().find(|one| one["name"] == "copy").unwrap();
    assert_eq!(copy["properties"]["description"], "after logs");
    assert_eq!(copy["location"], "westeurope");
    berth.edit("collection.properties.provisioningState", "collection.loginServer");
    berth
        .validate()
        .exits(1)
        .complains(&["has no `loginServer`", "resources.collection.properties.provisioningState"]);
}
