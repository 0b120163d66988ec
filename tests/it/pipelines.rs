//! The pipelines in `examples/`: they are well formed, and every step of theirs runs, as the agent of each system runs it.

use crate::support::{Berth, Server, root};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const SUBSCRIPTION: &str = "5ab5c819-0000-4000-8000-000000000001";

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join("examples").join(path)).unwrap()
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn members(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("not a mapping: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// Checks that a mapping has these keys and no others.
#[track_caller]
fn has_only(value: &Value, keys: &[&str], place: &str) {
    let unknown: Vec<&String> = members(value).keys().filter(|key| !keys.contains(&key.as_str())).collect();
    assert!(unknown.is_empty(), "{place}: {unknown:?} is none of {keys:?}");
}

/// The scripts in a pipeline: what the agent gives to a shell.
fn scripts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, inside) in members {
                match (key.as_str(), inside) {
                    ("bash" | "inlineScript" | "run", Value::String(script)) => found.push(script.clone()),
                    ("script" | "before_script", Value::Array(lines)) => {
                        found.push(lines.iter().map(text).collect::<Vec<_>>().join("\n"));
                    }
                    _ => scripts(inside, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| scripts(item, found)),
        _ => {}
    }
}

const AZURE: [&str; 5] = ["validate.yml", "deploy.yml", "berth.yml", "drift.yml", "approvals.yml"];
const GITHUB: [&str; 4] = ["validate.yml", "deploy.yml", "drift.yml", "approvals.yml"];

/// Every pipeline, by its path below `examples/`.
fn pipelines() -> Vec<String> {
    let azure = AZURE.iter().map(|name| format!("azure-pipelines/{name}"));
    let github = GITHUB.iter().map(|name| format!("github/{name}"));
    azure.chain(github).chain(["gitlab/.gitlab-ci.yml".to_owned()]).collect()
}

#[test]
fn no_pipeline_keeps_a_secret_and_every_script_is_one() {
    for path in pipelines() {
        let all = read(&path).to_lowercase();
        for word in ["client-secret", "client_secret", "password", "${{ secrets.", "account_key", "sas_token"]
        {
            assert!(!all.contains(word), "{path} has {word}");
        }
        let mut found = Vec::new();
        scripts(&yaml(&path), &mut found);
        assert!(!found.is_empty() || path.ends_with("azure-pipelines/deploy.yml"), "{path} runs nothing");
        for script in found {
            let checked = Command::new("bash").args(["-n", "-c", &script]).output().unwrap();
            assert!(
                checked.status.success(),
                "{path}: {}\n{script}",
                String::from_utf8_lossy(&checked.stderr)
            );
            // Azure Pipelines goes on after a line that fails, unless the script says otherwise.
            let one = script.trim().lines().count() == 1;
            assert!(
                one || !path.starts_with("azure") || script.starts_with("set -euo pipefail\n"),
                "{path}:\n{script}"
            );
        }
    }
}

/// Checks the steps of Azure Pipelines, as its schema has them.
fn azure_steps(steps: &Value, place: &str) {
    for step in list(steps) {
        let kinds: Vec<&str> = ["bash", "task", "publish", "download", "checkout"]
            .into_iter()
            .filter(|kind| step.get(kind).is_some())
            .collect();
        assert_eq!(kinds.len(), 1, "{place}: a step is one thing: {step}");
        let more: &[&str] = match kinds[0] {
            "task" => &["inputs"],
            "publish" | "download" => &["artifact"],
            _ => &[],
        };
        let usual = ["name", "displayName", "condition", "env", kinds[0]];
        has_only(step, &[&usual, more].concat(), place);
        if kinds[0] == "task" {
            let (needed, known): (&[&str], &[&str]) = match text(&step["task"]) {
                "AzureCLI@2" => (&["azureSubscription", "scriptType", "scriptLocation", "inlineScript"], &[]),
                "PublishTestResults@2" => (&["testResultsFormat", "testResultsFiles"], &["testRunTitle"]),
                other => panic!("{place}: the task {other} is not known here"),
            };
            has_only(&step["inputs"], &[needed, known].concat(), place);
            needed
                .iter()
                .for_each(|input| assert!(step["inputs"].get(input).is_some(), "{place}: no {input}"));
            // The job's token is how berth signs in, and it has to be handed to the step.
            if text(&step["task"]) == "AzureCLI@2" {
                assert_eq!(step["env"]["SYSTEM_ACCESSTOKEN"], "$(System.AccessToken)", "{place}: {step}");
            }
        }
    }
}

#[test]
fn azure_pipelines_are_as_their_schema_wants_them() {
    for name in ["validate.yml", "drift.yml"] {
        let pipeline = yaml(&format!("azure-pipelines/{name}"));
        has_only(&pipeline, &["trigger", "pr", "schedules", "pool", "variables", "steps"], name);
        azure_steps(&pipeline["steps"], name);
    }
    let approvals = yaml("azure-pipelines/approvals.yml");
    has_only(&approvals, &["parameters", "steps"], "approvals.yml");
    azure_steps(&approvals["steps"], "approvals.yml");
    let template = yaml("azure-pipelines/berth.yml");
    has_only(&template, &["parameters", "stages"], "berth.yml");
    let source = read("azure-pipelines/berth.yml");
    let mut declared = BTreeMap::new();
    for parameter in list(&template["parameters"]) {
        has_only(parameter, &["name", "type", "default"], "berth.yml");
        declared.insert(text(&parameter["name"]), parameter.get("default").is_some());
    }
    let used: BTreeSet<&str> =
        source.split("${{ parameters.").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
    assert_eq!(used, declared.keys().copied().collect(), "each parameter is declared, and used");
    let deploy = yaml("azure-pipelines/deploy.yml");
    has_only(&deploy, &["trigger", "pr", "extends"], "deploy.yml");
    let given = members(&deploy["extends"]["parameters"]);
    assert!(given.keys().all(|name| declared.contains_key(name.as_str())), "{given:?}");
    assert!(declared.iter().all(|(name, default)| *default || given.contains_key(*name)), "{given:?}");
    let stages = list(&template["stages"]);
    for stage in stages {
        has_only(stage, &["stage", "dependsOn", "condition", "jobs"], "berth.yml");
    }
    let plan = &stages[0]["jobs"][0];
    has_only(plan, &["job", "pool", "variables", "steps"], "berth.yml");
    azure_steps(&plan["steps"], "berth.yml");
    let apply = &stages[1]["jobs"][0];
    has_only(apply, &["deployment", "pool", "environment", "variables", "strategy"], "berth.yml");
    azure_steps(&apply["strategy"]["runOnce"]["deploy"]["steps"], "berth.yml");
    // The variable that the second stage asks for is set by that step of that job.
    let (job, step) = (text(&plan["job"]), text(&plan["steps"][0]["name"]));
    assert!(text(&stages[1]["condition"]).contains(&format!("outputs['{job}.{step}.changes']")));
}

#[test]
fn workflows_are_as_their_schema_wants_them() {
    for name in GITHUB {
        let workflow = yaml(&format!("github/{name}"));
        has_only(&workflow, &["name", "on", "permissions", "concurrency", "env", "jobs"], name);
        assert_eq!(workflow["permissions"]["contents"], "read", "{name}: a token that only reads");
        assert_eq!(workflow["permissions"]["id-token"], "write", "{name}: federation needs a token");
        for (job, body) in members(&workflow["jobs"]) {
            let keys = ["needs", "if", "runs-on", "timeout-minutes", "environment", "outputs", "steps"];
            has_only(body, &keys, name);
            assert!(body["timeout-minutes"].is_u64(), "{name} {job}");
            let ids: Vec<&str> = list(&body["steps"]).iter().filter_map(|step| step["id"].as_str()).collect();
            for step in list(&body["steps"]) {
                has_only(step, &["name", "id", "if", "uses", "with", "run", "shell", "env"], name);
                assert!(step.get("uses").is_some() != step.get("run").is_some(), "{name}: {step}");
                if let Some(uses) = step.get("uses").map(text) {
                    let version = uses.split_once("@v").map(|(_, version)| version.parse::<u32>());
                    assert!(version.is_some_and(|version| version.is_ok()), "{name}: {uses} has no version");
                }
                // An expression in a script is put in as text: foreign text would be run.
                let script = step.get("run").map(text).unwrap_or_default();
                assert!(!script.contains("${{"), "{name}: {script}");
            }
            for value in body.get("outputs").map(members).into_iter().flatten().map(|(_, value)| text(value))
            {
                let id = value.split("steps.").nth(1).and_then(|rest| rest.split('.').next()).unwrap();
                assert!(ids.contains(&id), "{name}: no step {id}");
            }
            if let Some(condition) = body.get("if").map(text).filter(|text| text.contains("needs.")) {
                let needed = text(&body["needs"]);
                let output =
                    condition.split(".outputs.").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
                assert!(workflow["jobs"][needed]["outputs"].get(output).is_some(), "{name}: {condition}");
            }
        }
    }
}

#[test]
fn the_gitlab_pipeline_is_as_its_schema_wants_it() {
    let pipeline = yaml("gitlab/.gitlab-ci.yml");
    let stages: Vec<&str> = list(&pipeline["stages"]).iter().map(text).collect();
    for (name, job) in
        members(&pipeline).iter().filter(|(name, _)| !["stages", "variables"].contains(&name.as_str()))
    {
        let keys = [
            "stage",
            "extends",
            "rules",
            "script",
            "before_script",
            "id_tokens",
            "artifacts",
            "needs",
            "environment",
            "resource_group",
            "interruptible",
            "allow_failure",
        ];
        has_only(job, &keys, name);
        if name.starts_with('.') {
            continue;
        }
        assert!(stages.contains(&text(&job["stage"])), "{name}");
        assert!(job.get("script").is_some() && job.get("rules").is_some(), "{name}");
        let named = job.get("needs").map(list).into_iter().flatten().chain(job.get("extends"));
        named.for_each(|other| assert!(pipeline.get(text(other)).is_some(), "{name} names {other}"));
    }
}

/// An agent with a repository, a simulator in Azure's place, and whatever else its steps call.
struct Agent {
    berth: Berth,
    server: Server,
    /// What macros of the system stand for.
    macros: Vec<(String, String)>,
    environment: Vec<(String, String)>,
}

impl Agent {
    fn new(environment: &[(&str, &str)]) -> Self {
        let berth = Berth::new();
        let server = berth.sim_serve();
        std::fs::create_dir_all(berth.path("examples")).unwrap();
        berth.write("examples/shop.yaml", read("shop.yaml").as_bytes());
        ["temporary", "workspace/plan", "artifacts"].iter().for_each(|folder| {
            std::fs::create_dir_all(berth.path(folder)).unwrap();
        });
        let program = env!("CARGO_BIN_EXE_berth");
        let wrapper = format!(
            "#!/bin/sh\nexec {program} \"$@\" --endpoint {} --sim-speed ${{SPEED:-200}}\n",
            server.url
        );
        berth.write("bin/berth", wrapper.as_bytes());
        for other in ["curl", "gh"] {
            let note = format!(
                "#!/bin/sh\nprintf '%s\\n' \"$@\" > {}\n",
                berth.path(&format!("{other}.called")).display()
            );
            berth.write(&format!("bin/{other}"), note.as_bytes());
        }
        for name in ["berth", "curl", "gh"] {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(berth.path("bin").join(name), std::fs::Permissions::from_mode(0o755))
                .unwrap();
        }
        let mut agent = Agent { berth, server, macros: Vec::new(), environment: Vec::new() };
        agent.set(environment);
        agent.set(&[("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)]);
        // The one thing that a pipeline is not given as it is: no storage account is here.
        let ledgers = agent.berth.path("ledgers").display().to_string();
        agent.set(&[("BERTH_LEDGER", &ledgers)]);
        agent
    }

    fn set(&mut self, environment: &[(&str, &str)]) {
        self.environment
            .extend(environment.iter().map(|(name, value)| (name.to_string(), value.to_string())));
    }

    fn path(&self, name: &str) -> String {
        self.berth.path(name).display().to_string()
    }

    fn expanded(&self, text: &str) -> String {
        let text = self.macros.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        assert!(!text.contains("$(System") && !text.contains("${{"), "{text} is not expanded");
        text
    }

    /// A shell with a script, not yet started.
    fn shell(&self, options: &[&str], script: &str, env: Option<&Value>) -> Command {
        let mut command = Command::new("bash");
        command.args(options).args(["-c", script]).env_clear().current_dir(self.berth.path(""));
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("bin"));
        command.env("PATH", path).env("HOME", self.path("")).env("LANG", "C.UTF-8").stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        for (name, value) in env.map(members).into_iter().flatten() {
            command.env(name, self.expanded(text(value)));
        }
        command
    }

    #[track_caller]
    fn exits(&self, mut command: Command, code: i32) -> (String, String) {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert_eq!(status.code(), Some(code), "--- stdout\n{out}\n--- stderr\n{err}");
        (out, err)
    }

    /// Starts a script that applies, stops it with these signals while the vault is made, and returns how it ended.
    fn cancelled(&self, mut command: Command, signals: &[&str]) -> (Option<i32>, String) {
        let mut child =
            command.env("SPEED", "20").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        while !log.contains("keyVaults.secrets creating") {
            assert!(lines.read_line(&mut log).unwrap() > 0, "the vault is begun: {log}");
        }
        for signal in signals {
            let sent = Command::new("kill").args([*signal, &child.id().to_string()]).status().unwrap();
            // The second comes to a process that may have ended by the first.
            assert!(sent.success() || *signal != signals[0]);
        }
        lines.read_to_string(&mut log).unwrap();
        (child.wait().unwrap().code(), log)
    }

    /// Azure holds what the blueprint asks for, and another plan is empty.
    fn is_settled(&self) {
        let plan = self.shell(&["-e"], "berth plan examples/shop.yaml", None);
        let (out, _) = self.exits(plan, 0);
        assert!(out.contains("No changes."), "{out}");
    }
}

/// The agent of Azure Pipelines, as far as these pipelines go.
struct AzurePipelines(Agent);

impl AzurePipelines {
    fn new() -> Self {
        let mut agent =
            Agent::new(&[("TF_BUILD", "True"), ("SYSTEM_TEAMPROJECTID", "p"), ("BUILD_REPOSITORY_ID", "r")]);
        let (temporary, workspace) = (agent.path("temporary"), agent.path("workspace"));
        agent.set(&[("AGENT_TEMPDIRECTORY", &temporary), ("PIPELINE_WORKSPACE", &workspace)]);
        agent.set(&[
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/x/"),
            ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7"),
        ]);
        let deploy = yaml("azure-pipelines/deploy.yml");
        for (name, value) in members(&deploy["extends"]["parameters"]) {
            agent.macros.push((format!("${{{{ parameters.{name} }}}}"), text(value).to_owned()));
        }
        agent.macros.push(("${{ parameters.policies }}".into(), String::new()));
        agent.macros.push(("$(subscriptionId)".into(), SUBSCRIPTION.into()));
        agent.macros.push(("$(System.AccessToken)".into(), "a-token-of-the-job".into()));
        agent.macros.push(("$(Agent.TempDirectory)".into(), temporary));
        AzurePipelines(agent)
    }

    /// A step as a command; nothing for one that runs no script, which is carried out.
    fn step(&self, step: &Value) -> Option<Command> {
        let agent = &self.0;
        let (temporary, artifacts) = (agent.path("temporary"), agent.path("artifacts"));
        if let Some(path) = step.get("publish") {
            let name = format!("{artifacts}/{}", text(&step["artifact"]));
            std::fs::copy(agent.expanded(text(path)), name).unwrap();
        } else if step.get("download").is_some() {
            std::fs::copy(format!("{artifacts}/plan"), agent.berth.path("workspace/plan/berth.plan"))
                .unwrap();
            // Another machine has nothing of the first one.
            std::fs::remove_file(format!("{temporary}/berth.plan")).unwrap();
            let _ = std::fs::remove_file(agent.berth.path("examples/shop.yaml"));
        } else if text(step.get("task").unwrap_or(&Value::String(String::new()))) == "PublishTestResults@2" {
            let file = agent.expanded(text(&step["inputs"]["testResultsFiles"]));
            assert!(std::fs::read_to_string(file).unwrap().contains("<testsuites"));
        } else {
            let script = step.get("bash").or_else(|| step.pointer("/inputs/inlineScript")).map(text).unwrap();
            return Some(agent.shell(&[], script, step.get("env")));
        }
        None
    }

    /// Runs steps; what they wrote.
    #[track_caller]
    fn run(&self, steps: &Value) -> String {
        list(steps).iter().filter_map(|step| self.step(step)).fold(String::new(), |log, command| {
            let (out, err) = self.0.exits(command, 0);
            log + &out + &err
        })
    }
}

#[test]
fn azure_pipelines_plan_wait_and_apply_and_a_cancel_is_gone_on_with() {
    let agent = AzurePipelines::new();
    let validate = yaml("azure-pipelines/validate.yml");
    agent.run(&validate["steps"]);
    let comment: Value = serde_json::from_str(&agent.0.berth.read("temporary/thread.json")).unwrap();
    assert!(text(&comment["comments"][0]["content"]).starts_with("### berth: plan for <code>shop</code>"));
    assert!(agent.0.berth.read("curl.called").contains("/_apis/git/repositories/r/pullRequests/7/threads"));

    let template = yaml("azure-pipelines/berth.yml");
    let plan = &template["stages"][0]["jobs"][0]["steps"];
    let apply = &template["stages"][1]["jobs"][0]["strategy"]["runOnce"]["deploy"]["steps"];
    let changes = |log: &str| {
        let (_, rest) = log.split_once("##vso[task.setvariable variable=changes;isoutput=true]").unwrap();
        rest.lines().next().unwrap() == "true"
    };
    // The agent sends SIGINT, and SIGTERM when that was not enough.
    assert!(changes(&agent.run(plan)));
    assert!(agent.step(&apply[0]).is_none());
    let (code, log) = agent.0.cancelled(agent.step(&apply[1]).unwrap(), &["-INT", "-TERM"]);
    assert_eq!(code, Some(130), "{log}");
    // The next run finishes what was under way, plans what is left, and applies that.
    agent.0.berth.write("examples/shop.yaml", read("shop.yaml").as_bytes());
    assert!(changes(&agent.run(plan)));
    let log = agent.run(apply);
    assert!(log.contains("##vso[task.setvariable variable=appClientId;isoutput=true;]"), "{log}");
    agent.0.berth.write("examples/shop.yaml", read("shop.yaml").as_bytes());
    assert!(!changes(&agent.run(plan)), "nothing is left, and the second stage is skipped");
    // A plan that was carried out is not carried out again.
    agent.step(&apply[0]);
    agent.0.berth.write("examples/shop.yaml", read("shop.yaml").as_bytes());

    let drift = yaml("azure-pipelines/drift.yml");
    agent.run(&drift["steps"]);
    let network = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop-pipeline/providers/Microsoft.Network/virtualNetworks/vnet-shop"
    );
    agent.0.server.write("DELETE", &format!("{network}/subnets/nodes"), "2025-05-01", None);
    let log = agent.run(&drift["steps"]);
    assert!(log.contains("##vso[task.complete result=SucceededWithIssues;]"), "{log}");
    assert!(agent.0.berth.read("temporary/drift.xml").contains("<failure"));
}

#[test]
fn a_stale_plan_fails_the_stage() {
    let agent = AzurePipelines::new();
    let template = yaml("azure-pipelines/berth.yml");
    let plan = &template["stages"][0]["jobs"][0]["steps"];
    let apply = &template["stages"][1]["jobs"][0]["strategy"]["runOnce"]["deploy"]["steps"];
    agent.run(plan);
    agent.run(apply);
    std::fs::copy(agent.0.path("artifacts/plan"), agent.0.path("workspace/plan/berth.plan")).unwrap();
    let (_, err) = agent.0.exits(agent.step(&apply[1]).unwrap(), 4);
    assert!(err.contains("##vso[task.logissue type=error;]") && err.contains("result=Failed;]"), "{err}");
}

/// The runner of GitHub.
struct Workflows(Agent);

impl Workflows {
    fn new() -> Self {
        let mut agent = Agent::new(&[("GITHUB_ACTIONS", "true")]);
        let (temporary, output, summary) =
            (agent.path("temporary"), agent.path("output"), agent.path("summary"));
        agent.set(&[
            ("RUNNER_TEMP", &temporary),
            ("GITHUB_OUTPUT", &output),
            ("GITHUB_STEP_SUMMARY", &summary),
        ]);
        for (name, value) in [
            ("${{ github.token }}", "a-token-of-the-job"),
            ("${{ github.event.pull_request.html_url }}", "https://github.com/x/y/pull/7"),
        ] {
            agent.macros.push((name.into(), value.into()));
        }
        Workflows(agent)
    }

    /// Each script of a job. Actions are GitHub's own; artifacts lie in the folder that both jobs have.
    fn steps(&self, job: &Value) -> Vec<Command> {
        let runs = list(&job["steps"]).iter().filter_map(|step| Some((step, step.get("run").map(text)?)));
        runs.map(|(step, script)| self.0.shell(&["-eo", "pipefail"], script, step.get("env"))).collect()
    }

    #[track_caller]
    fn run(&self, job: &Value) -> String {
        self.0.berth.write("output", b"");
        self.steps(job).into_iter().fold(String::new(), |log, command| {
            let (out, err) = self.0.exits(command, 0);
            log + &out + &err
        })
    }
}

#[test]
fn workflows_plan_wait_and_apply_and_a_cancel_is_gone_on_with() {
    let runner = Workflows::new();
    runner.run(&yaml("github/validate.yml")["jobs"]["plan"]);
    assert!(runner.0.berth.read("gh.called").contains("https://github.com/x/y/pull/7"));
    assert!(runner.0.berth.read("temporary/plan.md").starts_with("### berth: plan for"));
    let deploy = yaml("github/deploy.yml");
    let (plan, apply) = (&deploy["jobs"]["plan"], &deploy["jobs"]["apply"]);
    runner.run(plan);
    assert_eq!(runner.0.berth.read("output"), "changes=true\n");
    let command = runner.steps(apply).remove(0);
    let (code, log) = runner.0.cancelled(command, &["-INT"]);
    assert_eq!(code, Some(130), "{log}");
    runner.run(plan);
    assert_eq!(runner.0.berth.read("output"), "changes=true\n");
    runner.run(apply);
    assert!(runner.0.berth.read("output").starts_with("appClientId<<berth-"));
    runner.run(plan);
    assert_eq!(runner.0.berth.read("output"), "changes=false\n");
    assert!(runner.0.berth.read("summary").contains("### berth: no changes for <code>shop</code>"));
    runner.run(&yaml("github/drift.yml")["jobs"]["drift"]);
    let sarif: Value = serde_json::from_str(&runner.0.berth.read("temporary/drift.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    runner.0.is_settled();
}

/// GitLab's runner: a job is one script.
fn gitlab(agent: &Agent, pipeline: &Value, job: &str) -> Command {
    let job = &pipeline[job];
    let base = job.get("extends").map(|base| &pipeline[text(base)]);
    let before = base.and_then(|base| base.get("before_script")).map(list).unwrap_or_default();
    let lines: Vec<&str> = before.iter().chain(list(&job["script"])).map(text).collect();
    agent.shell(&["-eo", "pipefail"], &lines.join("\n"), None)
}

#[test]
fn the_gitlab_pipeline_plans_and_applies_and_a_cancel_is_gone_on_with() {
    let mut agent = Agent::new(&[("GITLAB_CI", "true"), ("AZURE_ID_TOKEN", "a.token.of-the-job")]);
    let builds = agent.path("temporary");
    agent.set(&[("CI_BUILDS_DIR", &builds)]);
    let pipeline = yaml("gitlab/.gitlab-ci.yml");
    let run = |job: &str| agent.exits(gitlab(&agent, &pipeline, job), 0);
    run("validate");
    run("plan");
    // The runner signals the processes of the job: berth is one of them.
    let script = format!("exec {}", text(&pipeline["apply"]["script"][0]));
    let (code, log) = agent.cancelled(agent.shell(&["-eo", "pipefail"], &script, None), &["-TERM"]);
    assert_eq!(code, Some(130), "{log}");
    run("plan");
    run("apply");
    let outputs: Value = serde_json::from_str(&agent.berth.read("outputs.json")).unwrap();
    assert!(text(&outputs["network"]).ends_with("vnet-shop"));
    run("drift");
    assert!(PathBuf::from(agent.path("drift.html")).exists());
    agent.is_settled();
}

const VAULT: &str = "\
blueprint: vault
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-vault }
keyVaults:
  v: { name: kv-pipelines-7, protect: false }
";

/// The endpoint that may connect, one of the same name that may not, and the vault that both ask for.
struct Asking {
    named: String,
    stranger: String,
    vault: String,
}

impl Asking {
    fn at(agent: &Agent) -> Self {
        agent.berth.write("vault.yaml", VAULT.as_bytes());
        agent.exits(agent.shell(&["-e"], "berth apply vault.yaml --auto-approve", None), 0);
        let endpoint = |subscription: &str| {
            format!(
                "/subscriptions/{subscription}/resourceGroups/x/providers/Microsoft.Network/privateEndpoints/pe-x"
            )
        };
        let asking = Asking {
            named: endpoint("22222222-0000-4000-8000-000000000002"),
            stranger: endpoint("66666666-0000-4000-8000-000000000006"),
            vault: format!(
                "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-vault/providers/Microsoft.KeyVault/vaults/kv-pipelines-7"
            ),
        };
        for path in [&asking.named, &asking.stranger] {
            let body = serde_json::json!({ "location": "westeurope", "properties": { "manualPrivateLinkServiceConnections": [{
                "name": "pe-x",
                "properties": { "privateLinkServiceId": asking.vault, "groupIds": ["vault"], "requestMessage": "please" },
            }] } });
            agent.server.write("PUT", path, "2025-05-01", Some(&body));
        }
        asking
    }

    /// The audit trail has the decision, and only who was named is let in.
    #[track_caller]
    fn is_decided(&self, agent: &Agent, trail: &str) {
        let lines: Vec<Value> =
            agent.berth.read(trail).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let decided: Vec<&str> = lines
            .iter()
            .filter(|line| line["decision"] == "approve" && line["outcome"] == "done")
            .map(|line| text(&line["endpoint"]))
            .collect();
        assert_eq!(decided.len(), 1, "{lines:#?}");
        assert!(decided[0].eq_ignore_ascii_case(&self.named), "{lines:#?}");
        let list = agent.shell(&["-e"], &format!("berth approve list {} --format json", self.vault), None);
        let (out, _) = agent.exits(list, 2);
        let listed: Value = serde_json::from_str(&out).unwrap();
        for connection in connections(&listed["targets"][0]["connections"]) {
            let is_named = text(&connection["endpoint"]).eq_ignore_ascii_case(&self.named);
            assert_eq!(connection["status"], if is_named { "Approved" } else { "Pending" }, "{connection}");
            assert!(is_named || text(&connection["endpoint"]).eq_ignore_ascii_case(&self.stranger));
        }
    }
}

fn connections(value: &Value) -> &[Value] {
    list(value)
}

#[test]
fn the_approval_step_of_azure_pipelines_lets_in_who_is_named() {
    let mut agent = AzurePipelines::new();
    let asking = Asking::at(&agent.0);
    for (name, value) in [("target", &asking.vault), ("endpoint", &asking.named), ("wait", &"2m".to_owned())]
    {
        agent.0.macros.push((format!("${{{{ parameters.{name} }}}}"), value.clone()));
    }
    let steps = &yaml("azure-pipelines/approvals.yml")["steps"];
    let log = agent.run(steps);
    assert!(log.contains("##vso[task.logissue type=warning]connections wait that no rule names"), "{log}");
    asking.is_decided(&agent.0, "artifacts/approvals");
    // A target that is not there stops the pipeline.
    let target = agent.0.macros.iter_mut().find(|(name, _)| name.contains("parameters.target")).unwrap();
    target.1.push_str("-typo");
    let step = agent.step(&list(steps)[0]).unwrap();
    agent.0.exits(step, 1);
}

#[test]
fn the_approval_workflow_lets_in_who_is_named() {
    let mut runner = Workflows::new();
    let asking = Asking::at(&runner.0);
    for (name, value) in [("target", &asking.vault), ("endpoint", &asking.named), ("wait", &"2m".to_owned())]
    {
        runner.0.macros.push((format!("${{{{ inputs.{name} }}}}"), value.clone()));
    }
    let log = runner.run(&yaml("github/approvals.yml")["jobs"]["approve"]);
    assert!(log.contains("::warning::connections wait that no rule names"), "{log}");
    asking.is_decided(&runner.0, "temporary/approvals.jsonl");
}

#[test]
fn the_approval_job_of_gitlab_lets_in_who_is_named() {
    let mut agent = Agent::new(&[("GITLAB_CI", "true"), ("AZURE_ID_TOKEN", "a.token.of-the-job")]);
    let asking = Asking::at(&agent);
    let builds = agent.path("temporary");
    agent.set(&[
        ("CI_BUILDS_DIR", &builds),
        ("APPROVE_TARGET", &asking.vault),
        ("APPROVE_ENDPOINT", &asking.named),
    ]);
    // GitLab takes 2 for a warning: `allow_failure`.
    agent.exits(gitlab(&agent, &yaml("gitlab/.gitlab-ci.yml"), "approve"), 2);
    asking.is_decided(&agent, "approvals.jsonl");
}
