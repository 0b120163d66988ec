//! What a reviewer reads: plan, apply, drift and destroy of changes that are easily misread, at 80 and 120 columns and in a
//! pipe.

use crate::support::{Berth, Run};
use serde_json::{Value, json};
use std::fmt::Write;

const BLUEPRINT: &str = "\
blueprint: pay
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  resourceGroup: rg-pay
  location: westeurope
parameters:
  password: { type: string, secret: true, env: PASSWORD }
networks:
  main:
    addressSpace: [10.40.0.0/16]
    subnets: { nodes: { prefix: 10.40.0.0/20 } }
identities:
  cluster: { name: id-pay, tags: { team: pay } }
clusters:
  main:
    name: aks-pay
    protect: false
    kubernetesVersion: \"1.34\"
    identity: ${identities.cluster}
    subnet: ${networks.main.subnets.nodes}
    dependsOn: [roleAssignments.net]
    nodePools:
      system: { mode: System, vmSize: Standard_D4s_v5, count: 2 }
      work: { vmSize: Standard_D4s_v5, count: 2 }
keyVaults:
  main:
    name: kv-pay-0001
    protect: false
    secrets:
      db: { value: \"${param.password}\", contentType: text/plain, expires: \"2027-01-31\" }
roleAssignments:
  net: { principal: \"${identities.cluster}\", role: Network Contributor, scope: \"${networks.main}\" }
outputs:
  cluster: ${clusters.main.id}
";

/// What is exchanged in the blueprint, by the name of the change.
const CHANGES: &[(&str, &str, &str)] = &[
    ("rename", "name: aks-pay", "name: aks-payments"),
    (
        "role-on-subscription",
        "roleAssignments:\n",
        "roleAssignments:\n  all: { principal: \"${identities.cluster}\", role: Owner, scope: subscription }\n",
    ),
    ("replaced-pool", "work: { vmSize: Standard_D4s_v5", "work: { vmSize: Standard_D8s_v5"),
    ("dropped-expiry", ", expires: \"2027-01-31\"", ""),
    (
        "adoption",
        "  cluster: { name: id-pay, tags: { team: pay } }",
        "  cluster: { name: id-pay, tags: { team: pay } }\n  app: { name: id-app }",
    ),
];

/// Times of day are those of the run.
fn without_times(text: &str) -> String {
    let mut shown = String::new();
    for line in text.split_inclusive('\n') {
        let is_time = |at: usize| {
            let pattern = "dddd-dd-dd dd:dd";
            line.get(at..at + pattern.len()).is_some_and(|found| {
                found.chars().zip(pattern.chars()).all(|(c, p)| {
                    if p == 'd' { c.is_ascii_digit() } else { c == p || (p == ' ' && c == 'T') }
                })
            })
        };
        match (0..line.len()).find(|&at| line.is_char_boundary(at) && is_time(at)) {
            Some(at) => write!(shown, "{}YYYY-MM-DD hh:mm{}", &line[..at], &line[at + 16..]).unwrap(),
            None => shown.push_str(line),
        }
    }
    shown
}

#[test]
fn a_change_reads_the_same_however_wide_the_terminal_is() {
    for (name, from, to) in CHANGES {
        assert!(BLUEPRINT.contains(from), "{name}");
        for columns in [Some("80"), Some("120"), None] {
            let berth = Berth::new().blueprint(BLUEPRINT);
            let run = |args: &[&str]| {
                let mut command = berth.command(args.iter().copied());
                command.arg("--sim").env_remove("COLUMNS").envs(columns.map(|columns| ("COLUMNS", columns)));
                Run::of(args, command.output().unwrap())
            };
            run(&["apply", "blueprint.yaml", "--auto-approve"]).exits(0);
            if *name == "adoption" {
                let group = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-pay";
                let id = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-app");
                let identity = json!([{ "id": id, "name": "id-app", "location": "westeurope", "tags": { "team": "app" },
                    "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "properties": {} }]);
                berth.write("there.json", identity.to_string().as_bytes());
                berth.run(["sim", "load", "there.json"]).exits(0);
            }
            berth.edit(from, to);
            let mut told = String::new();
            let mut tell =
                |title: &str, text: &str| write!(told, "$ {title}\n\n{}\n", without_times(text)).unwrap();
            let flags: &[&str] = if *name == "adoption" { &["--adopt"] } else { &[] };
            let plan = run(&[&["plan", "blueprint.yaml"], flags].concat()).exits(2);
            tell("berth plan", &plan.stdout);
            tell(
                "berth plan --summary",
                &run(&[&["plan", "blueprint.yaml", "--summary"], flags].concat()).exits(2).stdout,
            );
            let applied = run(&[&["apply", "blueprint.yaml", "--auto-approve"], flags].concat()).exits(0);
            // What is planned has been shown.
            tell("berth apply", applied.stdout.strip_prefix(&plan.stdout).unwrap_or(&applied.stdout));
            let mut found: Vec<Value> = berth.export();
            found.retain(|resource| resource["id"].as_str().unwrap().ends_with("/id-pay"));
            found[0]["tags"]["team"] = json!("them");
            berth.write("changed.json", json!(found).to_string().as_bytes());
            berth.run(["sim", "load", "changed.json"]).exits(0);
            tell("berth drift", &run(&["drift", "blueprint.yaml"]).exits(2).stdout);
            tell("berth plan --destroy", &run(&["plan", "blueprint.yaml", "--destroy"]).exits(2).stdout);
            let destroyed = run(&["destroy", "blueprint.yaml", "--auto-approve"]).exits(0);
            tell("berth destroy", &destroyed.stdout);
            let width = columns.unwrap_or("pipe");
            insta::assert_snapshot!(format!("{name}-{width}"), told);
            // Nothing that people copy is folded: the one output is an id.
            let id = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-pay/providers/Microsoft.ContainerService/managedClusters/aks-pay";
            assert!(applied.stdout.lines().any(|line| line.contains(id)), "{}", applied.stdout);
        }
    }
}

#[test]
fn a_saved_plan_is_shown_as_it_was_and_carried_out_only_when_agreed() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let plan = berth.plan(&["--out", "pay.plan"]).exits(2);
    assert_eq!(berth.run(["show", "pay.plan"]).exits(0).stdout, plan.stdout);
    let json = berth.plan(&["--format", "json"]).exits(2).json();
    let shown = berth.run(["show", "pay.plan", "--format", "json"]).exits(0).json();
    assert_eq!(shown["steps"], json["steps"]);
    berth.run(["show", "pay.plan", "--format", "markdown"]).exits(0).says(&["clusters.main"]);
    berth.run(["show", "pay.plan", "--format", "html"]).exits(0).says(&["<html"]);
    berth.run(["show", "pay.plan", "--summary"]).exits(0).says(&["+ clusters.main aks-pay in rg-pay"]);
    berth.run(["show", "blueprint.yaml"]).exits(1).complains(&["this is not a saved plan", "--out FILE"]);
    berth.run(["apply", "pay.plan", "--sim"]).exits(1).complains(&["--auto-approve"]);
    assert!(berth.export().is_empty());
    let lines =
        berth.run(["apply", "pay.plan", "--sim", "--auto-approve", "--format", "json"]).exits(0).stdout;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.last().unwrap()["format"], "berth-summary");
    assert_eq!(lines.last().unwrap()["complete"], true);
    let started = lines.iter().filter(|line| line["event"] == "step-started").count();
    let finished = lines.iter().filter(|line| line["event"] == "step-finished").count();
    assert!(started > 5 && started == finished, "{started} {finished}");
    assert!(lines.iter().any(|line| line["format"] == "berth-plan"), "{:?}", lines[0]);
    let kept =
        berth.run(["ledger", "history", "blueprint.yaml", "--sim", "--format", "json"]).exits(0).json();
    assert!(kept[0]["resources"].as_u64().unwrap() > 5 && kept[0]["replaced"].is_null(), "{kept}");
}

#[test]
fn several_blueprints_and_standard_input_are_validated() {
    use std::io::Write;
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.write("wrong.yaml", BLUEPRINT.replace("westeurope", "westeuropa").as_bytes());
    let run = berth.run(["validate", "blueprint.yaml", "wrong.yaml"]).exits(1);
    run.says(&["blueprint.yaml is valid"]).complains(&["wrong.yaml:5:13"]);
    let all = berth.run(["validate", "blueprint.yaml", "wrong.yaml", "--format", "json"]).exits(1).json();
    assert_eq!((&all["valid"], &all["files"][0]["valid"]), (&json!(false), &json!(true)), "{all}");
    let one = &all["files"][1]["diagnostics"][0];
    assert_eq!(one["place"], json!({ "file": "wrong.yaml", "line": 5, "column": 13 }), "{all}");
    assert_eq!((&one["code"], &one["severity"]), (&json!("region"), &json!("error")), "{all}");
    let mut command = berth.command(["validate", "-"]);
    let mut child =
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(BLUEPRINT.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Run::of(&["validate", "-"], output).exits(0).says(&["- is valid"]);
}

#[test]
fn the_simulator_is_named_in_one_way_everywhere() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.run(["apply", "blueprint.yaml", "--sim=own.json", "--auto-approve"]).exits(0);
    berth.run(["sim", "show", "--sim=own.json"]).exits(0).says(&["managedClusters/aks-pay"]);
    berth.run(["sim", "export", "--sim=own.json"]).exits(0).says(&["\"aks-pay\""]);
    assert!(berth.export().is_empty());
    for speed in ["0", "-1", "fast", "inf", "NaN"] {
        let speed = format!("--sim-speed={speed}");
        berth
            .run(["plan", "blueprint.yaml", "--sim", &speed])
            .exits_with_one_of(&[1, 2])
            .complains(&["a number above 0"]);
    }
}

#[test]
fn an_address_says_where_it_comes_from() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let why = |address: &str| berth.run(["why", "blueprint.yaml", address, "--sim"]);
    why("clusters.main").exits(0).says(&[
        "written    blueprint.yaml:15:3",
        "needed by  clusters.main.nodePools.system, clusters.main.nodePools.work",
        "the next apply makes it",
    ]);
    berth.apply(&[]).exits(0);
    berth.edit("team: pay", "team: them");
    berth.apply(&[]).exits(0);
    why("clusters.main").exits(0).says(&["ledger     version 1 of", "/managedClusters/aks-pay"]);
    why("identities.cluster").exits(0).says(&["ledger     version 2 of", "/userAssignedIdentities/id-pay"]);
    why("clusters.main.kubernetesVersion").exits(0).says(&["blueprint.yaml:18:5, as \"1.34\""]);
    why("clusters.main.dnsPrefix").exits(0).says(&["not written: `berth explain clusters`"]);
    // A secret stays one.
    why("keyVaults.main.secrets.db.value").exits(0).says(&["${param.password}"]);
    why("clusters.mian")
        .exits(1)
        .complains(&["the blueprint has no `clusters.mian`", "did you mean `clusters.main`?"]);
}
