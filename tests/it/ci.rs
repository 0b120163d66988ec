//! berth in a pipeline: what the agent of each build server makes of its output.

use crate::support::{Berth, Run};
use std::process::Output;

/// The systems, with the environment that their agents set.
const SYSTEMS: [(&str, &[(&str, &str)]); 3] = [
    ("azure-devops", &[("TF_BUILD", "True")]),
    ("github", &[("GITHUB_ACTIONS", "true")]),
    ("gitlab", &[("GITLAB_CI", "true")]),
];

/// A command that an agent finds in a log: its name, and all of it.
type Command = (String, String);

/// The commands that the agent of a system finds, as the agents look for them.
fn commands(system: &str, log: &str) -> Vec<Command> {
    let breaks: &[char] = if system == "gitlab" { &['\n'] } else { &['\n', '\r'] };
    let find = |line: &str| {
        let lower = line.to_ascii_lowercase();
        let after = |at: usize, ends: &[char]| {
            let rest = &line[at..];
            let end = rest.find(ends).unwrap_or(rest.len());
            Some((rest[..end].to_owned(), line.to_owned()))
        };
        match system {
            "azure-devops" => match (lower.find("##vso["), lower.find("##[")) {
                (Some(at), _) => after(at + 6, &[' ', ']']),
                (None, Some(at)) => after(at + 3, &[']']),
                (None, None) => None,
            },
            "github" => match (line.trim_start().strip_prefix("::"), lower.find("##[")) {
                (Some(rest), _) if rest.contains("::") => after(line.len() - rest.len(), &[' ', ':']),
                (_, Some(at)) => after(at + 3, &[']']),
                _ => None,
            },
            _ => line.find("\u{1b}[0K").and_then(|at| after(at + 4, &[':'])),
        }
    };
    log.split(breaks).filter_map(find).collect()
}

/// Runs berth as a step of a pipeline.
fn step(berth: &Berth, system: &str, args: &[&str]) -> Output {
    let (_, environment) = SYSTEMS.iter().find(|(name, _)| *name == system).unwrap();
    let mut command = berth.command(args.iter().copied());
    command.envs(environment.iter().copied()).env("AGENT_TEMPDIRECTORY", berth.path("temporary"));
    command.env("BUILD_SOURCESDIRECTORY", berth.path("")).env("GITHUB_WORKSPACE", berth.path(""));
    if system == "github" {
        command.env("GITHUB_OUTPUT", berth.path("outputs")).env("GITHUB_STEP_SUMMARY", berth.path("summary"));
    }
    std::fs::create_dir_all(berth.path("temporary")).unwrap();
    command.output().unwrap()
}

fn names(commands: &[Command]) -> Vec<&str> {
    commands.iter().map(|(name, _)| name.as_str()).collect()
}

const BLUEPRINT: &str = "\
blueprint: shop
parameters:
  password: { type: string, secret: true, default: 'Pa55-w0rd-of-the-shop' }
  flag: { type: string, secret: true, default: 'true' }
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { name: vnet-shop, addressSpace: [10.0.0.0/16], subnets: { nodes: { prefix: 10.0.0.0/20 } } }
identities:
  app: { name: id-shop-app }
outputs:
  network: ${networks.hub.id}
  client: ${identities.app.clientId}
  text: \"it's\\na 100% sure\\tthing\"
  password: ${param.password}
  flag: ${param.flag}
";

#[test]
fn an_apply_is_a_group_and_its_outputs_are_variables() {
    let apply = ["apply", "blueprint.yaml", "--sim", "--auto-approve"];
    let berth = Berth::new().blueprint(BLUEPRINT);
    let ended = Run::of(&apply, step(&berth, "azure-devops", &apply)).exits(0);
    let ended = ended.complains(&["secret outputs are not handed on: flag, password"]);
    assert_eq!(commands("azure-devops", &ended.stdout), []);
    let found = commands("azure-devops", &ended.stderr);
    let kinds = names(&found);
    assert_eq!((kinds[0], kinds.iter().filter(|name| **name == "endgroup").count()), ("group", 1));
    assert!(ended.stderr.contains("##vso[task.setprogress value=100;]"), "{ended:?}");
    let text = "##vso[task.setvariable variable=text;isoutput=true;]it's%0Aa 100%AZP25 sure\tthing\n";
    assert!(ended.stderr.contains(text), "{ended:?}");
    let (_, summary) = ended.stderr.split_once("##vso[task.uploadsummary]").unwrap();
    let page = std::fs::read_to_string(summary.lines().next().unwrap()).unwrap();
    assert!(page.starts_with("### berth: applied <code>shop</code>"), "{page}");
    assert!(!kinds.contains(&"task.complete"), "{ended:?}");

    let berth = Berth::new().blueprint(BLUEPRINT);
    let secret = [&apply[..], &["--secret-outputs"]].concat();
    let ended = Run::of(&secret, step(&berth, "github", &secret)).exits(0);
    assert_eq!(names(&commands("github", &ended.stderr)), ["group", "endgroup", "add-mask"], "{ended:?}");
    let ended = ended.complains(&["output flag is not handed on"]);
    assert!(ended.stderr.contains("::add-mask::Pa55-w0rd-of-the-shop\n"), "{ended:?}");
    let outputs = berth.read("outputs");
    let values = github_outputs(&outputs);
    assert_eq!(values["text"], "it's\na 100% sure\tthing");
    assert_eq!(values["password"], "Pa55-w0rd-of-the-shop");
    assert!(!values.contains_key("flag") && values["client"].len() == 36, "{outputs}");
    assert!(berth.read("summary").starts_with("### berth: applied"));

    let berth = Berth::new().blueprint(BLUEPRINT);
    let output = step(&berth, "gitlab", &apply);
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(names(&commands("gitlab", &log)), ["section_start", "section_end"], "{log}");
    let none = [&apply[..], &["--ci", "none"]].concat();
    let ended = Run::of(&none, step(&berth, "azure-devops", &none)).exits(0);
    assert_eq!(commands("azure-devops", &ended.stderr), []);
}

/// What GitHub reads from a file of outputs.
fn github_outputs(text: &str) -> std::collections::BTreeMap<String, String> {
    let mut found = std::collections::BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").unwrap();
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        found.insert(name.to_owned(), value.join("\n"));
    }
    found
}

#[test]
fn outputs_come_in_every_form() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    let output = |more: &[&str]| berth.run([&["output", "blueprint.yaml", "--sim"], more].concat());
    let env = output(&["--format", "env"]).exits(0).hides(&["Pa55"]);
    let script = format!("{}printf '%s|%s' \"$text\" \"$password\"", env.stdout);
    let shell = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&shell.stdout), "it's\na 100% sure\tthing|");
    let secret = output(&["--format", "env", "--secret-outputs"]).exits(0);
    assert!(secret.stdout.contains("export password='Pa55-w0rd-of-the-shop'\n"), "{secret:?}");
    assert!(secret.stdout.contains("export flag='true'\n"), "{secret:?}");
    let json = output(&["--format", "json", "--secret-outputs"]).exits(0).json();
    assert_eq!(json["password"], "Pa55-w0rd-of-the-shop");
    let json = output(&["--format", "json"]).exits(0).json();
    assert_eq!(json.get("password"), None);
    output(&["text", "--format", "azure-devops"])
        .exits(0)
        .says(&["##vso[task.setvariable variable=text;isoutput=true;]it's%0Aa 100%AZP25 sure thing"]);
    let github = output(&["--format", "github"]).exits(0);
    assert_eq!(github_outputs(&github.stdout)["text"], "it's\na 100% sure\tthing");
    // What cannot be masked is not written, and that is an error.
    output(&["--format", "github", "--secret-outputs"])
        .exits(1)
        .complains(&["flag: it is secret and like ordinary text"]);
    output(&["--secret-outputs"]).exits(1).complains(&["add `--format env`"]);
}

#[test]
fn what_is_wrong_stands_beside_its_line() {
    let berth = Berth::new();
    let many: String = (0..14).map(|n| format!("  n{n}: {{ addressSpaces: [] }}\n")).collect();
    berth.write("deploy/shop.yaml", format!("blueprint: shop\nnetworks:\n{many}").as_bytes());
    let validate = ["validate", "deploy/shop.yaml"];
    let ended = Run::of(&validate, step(&berth, "github", &validate)).exits(1);
    let errors: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(errors.len(), 10, "{ended:?}");
    assert!(errors[1].starts_with("::error file=deploy/shop.yaml,line="), "{errors:#?}");
    assert!(errors[9].contains("more: the log has all of them"), "{errors:#?}");
    let ended = Run::of(&validate, step(&berth, "azure-devops", &validate)).exits(1);
    let found = commands("azure-devops", &ended.stderr);
    assert_eq!(found.iter().filter(|(name, _)| name == "task.logissue").count(), 10);
    assert_eq!(found.last().unwrap().1, "##vso[task.complete result=Failed;]");
    assert!(
        found[1].1.starts_with("##vso[task.logissue type=error;sourcepath=deploy/shop.yaml;linenumber="),
        "{found:#?}"
    );
}

#[test]
fn a_failed_step_and_drift_stand_beside_their_lines() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.write("faults.yaml", b"faults: [{ answer: { status: 400, code: NoGood, message: 'no; 100% no]' }, type: Microsoft.Network/virtualNetworks, method: PUT }]");
    let apply = ["apply", "blueprint.yaml", "--sim", "--auto-approve", "--faults", "faults.yaml"];
    let ended = Run::of(&apply, step(&berth, "azure-devops", &apply)).exits(3);
    let found = commands("azure-devops", &ended.stderr);
    let issue = &found.iter().find(|(name, _)| name == "task.logissue").unwrap().1;
    let head =
        "##vso[task.logissue type=error;sourcepath=blueprint.yaml;linenumber=7;columnnumber=3;code=NoGood;]";
    assert!(issue.starts_with(head) && issue.contains("no; 100%AZP25 no]"), "{issue}");
    assert_eq!(found.last().unwrap().1, "##vso[task.complete result=Failed;]");
    assert!(!ended.stderr.contains("task.setvariable"), "a run in part sets no variables: {ended:?}");

    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    let mut resources = berth.export();
    for resource in &mut resources {
        if resource["name"] == "vnet-shop" {
            resource["properties"]["addressSpace"]["addressPrefixes"] =
                serde_json::json!(["10.0.0.0/16", "10.9.0.0/16"]);
        }
    }
    berth.write("changed.json", serde_json::Value::from(resources).to_string().as_bytes());
    berth.run(["sim", "load", "changed.json"]).exits(0);
    let drift = ["drift", "blueprint.yaml", "--sim"];
    let ended = Run::of(&drift, step(&berth, "azure-devops", &drift)).exits(2);
    let found = commands("azure-devops", &ended.stderr);
    assert_eq!(names(&found), ["task.uploadsummary", "task.logissue", "task.complete"], "{found:#?}");
    assert!(
        found[1].1.starts_with("##vso[task.logissue type=warning;sourcepath=blueprint.yaml;linenumber=7;"),
        "{found:#?}"
    );
    assert_eq!(found[2].1, "##vso[task.complete result=SucceededWithIssues;]");
}

/// What somebody else may have called something: every way into an agent.
const PAYLOADS: &[&str] = &[
    "##vso[evil.command variable=x]y",
    "x\n##vso[evil.command]y",
    "x\r##VSO[evil.command]y",
    "##[evil]x",
    "\n::evil::x",
    "\r\n  ::evil name=x::y",
    "\u{1b}[0Kevil:1:x\r\u{1b}[0K",
    "]##vso[evil.command]",
    ";result=Failed;]##vso[evil.command]x",
    "%0A##vso[evil.command]x%0D::evil::y",
];

/// The commands that berth has a use for.
const OWN: &[&str] = &[
    "group",
    "endgroup",
    "task.setprogress",
    "task.logissue",
    "task.uploadsummary",
    "task.setvariable",
    "task.setsecret",
    "add-mask",
    "task.complete",
    "error",
    "warning",
    "section_start",
    "section_end",
];

#[test]
fn foreign_text_commands_no_agent_through_any_command() {
    let mut looked_at = 0;
    for (at, payload) in PAYLOADS.iter().enumerate() {
        let quoted = serde_json::to_string(payload).unwrap();
        let hidden = serde_json::to_string(&format!("Hush-7f3e{payload}")).unwrap();
        let berth = Berth::new().blueprint(&format!(
            "blueprint: shop\nparameters:\n  secret: {{ type: string, secret: true, default: {hidden} }}\n\
             azure: {{ subscription: '${{env.AZURE_SUBSCRIPTION_ID}}', location: westeurope, resourceGroup: rg-shop, tags: {{ team: {quoted} }} }}\n\
             networks:\n  hub: {{ name: vnet-shop, addressSpace: [10.0.0.0/16], tags: {{ {quoted}: x }}, subnets: {{ a: {{ prefix: 10.0.0.0/20 }} }} }}\n\
             identities:\n  app: {{ name: id-shop }}\n\
             resources:\n  any: {{ type: Microsoft.Insights/actionGroups, apiVersion: 2023-01-01, name: ag, body: {{ location: Global, properties: {{ enabled: true, groupShortName: {quoted} }} }} }}\n\
             outputs:\n  text: {quoted}\n  hidden: ${{param.secret}}\n"
        ));
        let faults = serde_json::json!({ "faults": [
            { "answer": { "status": 400, "code": format!("Bad{payload}"), "message": payload }, "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "method": "PUT" },
        ]});
        berth.write("faults.json", faults.to_string().as_bytes());
        berth.write(
            "wrong.yaml",
            format!("blueprint: shop\n{quoted}: 1\nnetworks: {{ {quoted}: {quoted} }}\n").as_bytes(),
        );
        berth.write("deny.rego", format!("package berth.x\nimport rego.v1\ndeny contains {quoted} if true\nwarn contains {quoted} if true\n").as_bytes());
        let value = format!("secret={payload}");
        let with = |more: &[&'static str]| [more, &["--sim"]].concat();
        let mut steps: Vec<Vec<&str>> = vec![
            vec!["validate", "blueprint.yaml"],
            vec!["validate", "wrong.yaml"],
            vec!["validate", payload],
            vec!["validate", "blueprint.yaml", "--policy", "deny.rego"],
            vec!["graph", "blueprint.yaml"],
            vec!["explain", payload],
            vec!["plan", "blueprint.yaml", "--sim", "-e", payload],
            vec!["plan", "blueprint.yaml", "--sim", "--target", payload],
            vec!["plan", "blueprint.yaml", "--sim", "-p", payload],
            vec!["plan", "blueprint.yaml", "--sim", "--ledger", payload],
            with(&["plan", "blueprint.yaml", "--policy", "deny.rego"]),
            with(&["plan", "blueprint.yaml", "--out", "plan.json"]),
            with(&["apply", "blueprint.yaml", "--auto-approve", "--faults", "faults.json"]),
            vec!["apply", "blueprint.yaml", "--sim", "--auto-approve", "--secret-outputs", "-p", &value],
        ];
        for format in ["human", "markdown", "html", "json"] {
            steps.push(vec!["plan", "blueprint.yaml", "--sim", "--format", format]);
            steps.push(vec!["drift", "blueprint.yaml", "--sim", "--format", format]);
        }
        for format in ["human", "json", "env", "azure-devops", "github"] {
            steps.push(vec!["output", "blueprint.yaml", "--sim", "--format", format]);
        }
        steps.extend([
            vec!["output", "blueprint.yaml", "--sim", payload],
            with(&["ledger", "show", "blueprint.yaml"]),
            with(&["ledger", "history", "blueprint.yaml"]),
            vec!["ledger", "forget", "blueprint.yaml", payload, "--sim"],
            with(&["approve", "list", "--blueprint", "blueprint.yaml"]),
            vec!["approve", "list", payload, "--sim"],
            vec!["sim", "show"],
            vec!["sim", "export"],
            vec!["init", "--template", payload],
            with(&["destroy", "blueprint.yaml", "--auto-approve"]),
        ]);
        let (system, _) = SYSTEMS[at % SYSTEMS.len()];
        // Texts may lie in wait for another agent than the one of this run.
        for args in steps {
            let output = step(&berth, system, &args);
            let log = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            looked_at += 1;
            for (reader, _) in SYSTEMS {
                // The value of a variable is exact, and only one agent reads it.
                let own = |line: &str| reader == system || !line.contains("task.setvariable");
                let found = commands(reader, &log).into_iter().filter(|(_, line)| own(line));
                let evil: Vec<Command> = found.filter(|(name, _)| !OWN.contains(&name.as_str())).collect();
                assert_eq!(evil, [], "{payload:?} through {args:?} for {reader}:\n{log}");
            }
            if system != "gitlab" {
                assert!(!log.contains('\u{1b}'), "{payload:?} through {args:?}: {log}");
            }
        }
        // Not even in what is written for the page of the run.
        for (path, bytes) in berth.files() {
            if path.to_string_lossy().contains("summary") {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                for (reader, _) in SYSTEMS {
                    assert_eq!(commands(reader, &text), [], "{}", path.display());
                }
            }
        }
    }
    assert!(looked_at > 300, "{looked_at} runs");
}
