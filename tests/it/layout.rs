//! `berth fmt` never changes what a blueprint says, and `berth console` what is secret.

use crate::support::{Berth, Run, invalid, root};
use berth::blueprint::{Unlaid, layout};
use std::io::Write;
use std::process::Stdio;

/// Every blueprint and values file of the repository.
fn files() -> Vec<(String, String)> {
    let mut open = vec![root().join("blueprints"), root().join("examples"), root().join("tests")];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|end| end.to_str()) {
                _ if path.is_dir() => open.push(path),
                Some("yaml" | "yml") => {
                    found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
                }
                _ => {}
            }
        }
    }
    let cases = invalid::cases().into_iter();
    found.extend(cases.map(|case| (case.to_string(), String::from_utf8_lossy(&case.blueprint).into_owned())));
    found.sort();
    found
}

/// The lines of a text that are comments, without their indentation, and what stands behind `#` in others.
fn comments(text: &str) -> usize {
    text.lines().filter(|line| line.trim_start().starts_with('#')).count()
}

#[test]
fn every_file_says_the_same_after_it_was_laid_out_and_stays_laid_out() {
    let (mut laid_out, mut refused) = (0, Vec::new());
    for (name, text) in files() {
        match layout(&name, &text) {
            Ok(laid) => {
                let again = layout(&name, &laid).unwrap();
                assert_eq!(again, laid, "{name}");
                assert_eq!(comments(&laid), comments(&text), "{name}");
                laid_out += 1;
            }
            // What is wrong as YAML has no layout.
            Err(Unlaid::Unreadable(_)) => {}
            Err(Unlaid::Unsafe) => refused.push(name),
        }
    }
    assert!(laid_out > 100, "{laid_out}");
    assert!(refused.len() * 20 < laid_out, "{laid_out} and not {refused:?}");
}

#[test]
fn a_blueprint_is_drawn_and_planned_as_before() {
    let berth = Berth::quickstart();
    let shown = |berth: &Berth| {
        let graph = berth.run(["graph", "blueprint.yaml"]).exits(0).stdout;
        let plan = berth.plan(&["--format", "json"]).exits(2).json();
        (graph, plan["resources"].to_string(), plan["steps"].to_string())
    };
    let before = shown(&berth);
    let text = berth.read("blueprint.yaml");
    let wild: String = text
        .lines()
        .map(|line| {
            let deep = line.len() - line.trim_start().len();
            format!("{}{}   \n", " ".repeat(deep * 2), line.trim_start().replace(": {", ":   {  "))
        })
        .collect();
    berth.write("blueprint.yaml", wild.as_bytes());
    berth.run(["fmt", "blueprint.yaml", "--check"]).exits(2).says(&["blueprint.yaml"]);
    assert_eq!(berth.read("blueprint.yaml"), wild);
    berth.run(["fmt", "blueprint.yaml"]).exits(0).complains(&["laid out blueprint.yaml"]);
    berth.run(["fmt", "blueprint.yaml", "--check"]).exits(0);
    assert_eq!(shown(&berth), before);
    berth.write("broken.yaml", b"a: [\n");
    berth.run(["fmt", "broken.yaml"]).exits(1);
    assert_eq!(berth.read("broken.yaml"), "a: [\n");
}

fn given(berth: &Berth, args: &[&str], text: &str) -> Run {
    let mut command = berth.command(args.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Run::of(args, child.wait_with_output().unwrap())
}

#[test]
fn standard_input_goes_to_standard_output() {
    let berth = Berth::new();
    let run = given(&berth, &["fmt", "-"], "a:   {b: 1}  # c\n").exits(0);
    assert_eq!(run.stdout, "a: { b: 1 }  # c\n");
    let run = given(&berth, &["fmt", "-"], "a: 1\n").exits(0);
    assert_eq!(run.stdout, "a: 1\n");
}

#[test]
fn expressions_are_worth_what_the_blueprint_says_and_secrets_are_not_shown() {
    let berth = Berth::new().blueprint(
        "\
blueprint: shop
parameters:
  size: { type: int, default: 3 }
  password: { type: string, secret: true, env: PASSWORD }
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }
identities: { app: {} }
networks: { hub: { addressSpace: [10.20.0.0/16] } }
",
    );
    let lines = "\
param.size + 1
${azure.resourceGroup}-x
# nothing

identities.app.principalId
networks.hub.id
param.password
x-${param.password}
networks.hub.addressSpace
networks.hubb.id
upper(azure.location)
";
    let mut command = berth.command(["console", "blueprint.yaml"]);
    command.env("PASSWORD", "hunter2-and-more");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let run = Run::of(&["console"], child.wait_with_output().unwrap()).exits(1);
    let said: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(said[..2], ["4", "rg-shop-x"], "{said:?}");
    assert!(said[2].contains("known after apply"), "{said:?}");
    assert!(said[3].ends_with("/virtualNetworks/hub"), "{said:?}");
    assert_eq!(said[4..6], ["(secret)", "(secret)"], "{said:?}");
    assert!(run.stdout.contains("10.20.0.0/16") && run.stdout.contains("WESTEUROPE"), "{said:?}");
    assert!(!run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"));
    run.complains(&["did you mean `hub`"]);
}

#[test]
fn a_lone_dash_is_standard_output() {
    let berth = Berth::quickstart();
    let planned = berth.plan(&["--out", "-"]).exits(2).complains(&["Plan for shop"]);
    assert!(planned.stdout.starts_with('{'), "{}", planned.stdout);
    berth.write("shop.plan", planned.stdout.as_bytes());
    berth.run(["apply", "shop.plan", "--sim", "--auto-approve"]).exits(0);
    let drift = berth.drift(&["--report", "json=-"]).exits(0);
    assert!(drift.json()["drifted"].is_array(), "{}", drift.stdout);
}
