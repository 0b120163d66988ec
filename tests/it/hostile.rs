//! Foreign text through the program: whatever somebody else called something, no output of any command obeys it.

use crate::support::hostile::{CORPUS, Form, harm};
use crate::support::{Berth, always};
use serde_json::json;
use std::collections::BTreeSet;

const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  tenant: 5ab5c819-0000-4000-8000-000000000002
  location: westeurope
  resourceGroup: rg-example
";

const OWN_SCRIPT: &str = concat!("<script>", include_str!("../../src/report/drift_page.js"), "</script>");

/// A text for YAML, with everything escaped that YAML may not hold.
fn quoted(text: &str) -> String {
    let plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    let escaped = |c: char| if plain(c) { c.to_string() } else { format!("\\U{:08x}", u32::from(c)) };
    let text = text.replace("${", "$${");
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// A blueprint that says all of it wherever any text may stand, and asks for resources that others say it of.
fn blueprint() -> String {
    let all = CORPUS.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let keyed = CORPUS.iter().map(|text| format!("{0}: {0}", quoted(text))).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "{HEAD}networks: {{ hub: {{ addressSpace: [10.0.0.0/16], subnets: {{ a: {{ prefix: 10.0.0.0/20 }} }} }} }}\n\
         keyVaults: {{ vault: {{ name: kv-example-1, protect: false }} }}\n\
         outputs: {{ all: [{all}], keyed: {{ {keyed} }} }}\nresources:\n"
    );
    for (at, payload) in CORPUS.iter().enumerate() {
        let value = quoted(payload);
        text.push_str(&format!(
            "  r{at}: {{ name: app-{at}, type: Microsoft.Web/sites, apiVersion: '2023-12-01', \
             body: {{ location: westeurope, properties: {{ note: {value}, {value}: [{value}] }} }} }}\n"
        ));
    }
    text
}

/// What was looked at.
struct Watch {
    harms: Vec<String>,
    sinks: BTreeSet<String>,
}

impl Watch {
    fn look(&mut self, sink: &str, form: Form, bytes: &[u8]) {
        // The page of a drift report has one script and one picture of berth's own.
        let text = String::from_utf8_lossy(bytes).replacen(OWN_SCRIPT, "", 1);
        let text = text.replacen("<svg width=\"", "<p title=\"", 1);
        self.sinks.insert(sink.to_owned());
        self.harms.extend(harm(form, &text).map(|harm| format!("{sink} {harm:.300}")));
    }

    fn run(&mut self, berth: &Berth, sink: &str, form: Form, args: &[&str], codes: &[i32]) -> String {
        let output = berth.command(args.iter().copied()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| codes.contains(&code)), "{args:?}: {said:.2000}");
        self.look(sink, form, &output.stdout);
        self.look(&format!("{sink}: messages"), Form::Plain, &output.stderr);
        String::from_utf8_lossy(&output.stdout).into_owned() + &said
    }
}

/// Azure refuses, and says each of it; a part of the resources is made first.
fn faults() -> String {
    let mut faults = String::from("faults:\n");
    for (at, payload) in CORPUS.iter().enumerate().filter(|(at, _)| at % 2 == 0) {
        let (message, code) = (quoted(&format!("{payload}\n{payload} x {payload}")), quoted(payload));
        faults.push_str(&format!(
            "  - {{ method: PUT, path: '*/app-{at}', answer: {{ status: 400, code: {code}, message: {message} }} }}\n"
        ));
    }
    faults
}

#[test]
#[expect(clippy::print_stdout, reason = "the stage `attacks` tells what was tried")]
fn nothing_that_somebody_else_wrote_commands_who_reads_it() {
    let b = "blueprint.yaml";
    let berth = Berth::new().blueprint(&blueprint());
    berth.write("faults.yaml", faults().as_bytes());
    berth.write("tell.rego", b"package tell\nwarn contains msg if { msg := json.marshal(input) }\n");
    let lines: String = CORPUS
        .iter()
        .map(|text| format!("deny contains {} if {{ true }}\n", json!(format!("{text} {text}"))))
        .collect();
    berth.write("deny.rego", format!("package deny\n{lines}").as_bytes());
    let mut w = Watch { harms: Vec::new(), sinks: BTreeSet::new() };
    let forms =
        [("human", Form::Plain), ("json", Form::Json), ("markdown", Form::Markdown), ("html", Form::Html)];
    w.run(&berth, "validate", Form::Plain, &["validate", b], &[0]);
    w.run(&berth, "graph", Form::Plain, &["graph", b], &[0]);
    for (name, form) in forms {
        w.run(&berth, &format!("plan in {name}"), form, &["plan", b, "--sim", "--format", name], &[2]);
        let args = ["plan", b, "--sim", "--format", name, "--policy", "tell.rego", "--policy", "deny.rego"];
        w.run(&berth, &format!("policies in {name}"), form, &args, &[4]);
    }
    let faulty = [
        "apply",
        b,
        "--sim",
        "--auto-approve",
        "--faults",
        "faults.yaml",
        "-vvv",
        "--trace-http",
        "trace.jsonl",
    ];
    let told = w.run(&berth, "apply that fails", Form::Plain, &faulty, &[3]);
    assert!(told.contains("\\u{202e}"), "nothing of it was shown");
    w.look("trace", Form::Json, &std::fs::read(berth.path("trace.jsonl")).unwrap());
    w.run(&berth, "apply", Form::Plain, &["apply", b, "--sim", "--auto-approve", "-vvv"], &[0]);
    w.run(&berth, "output", Form::Plain, &["output", b, "--sim"], &[0]);
    w.run(&berth, "one output", Form::Plain, &["output", b, "--sim", "all"], &[0]);
    w.run(&berth, "output in JSON", Form::Json, &["output", b, "--sim", "--format", "json"], &[0]);
    w.run(&berth, "ledger show", Form::Plain, &["ledger", "show", b, "--sim"], &[0]);
    w.run(
        &berth,
        "ledger show in JSON",
        Form::Json,
        &["ledger", "show", b, "--sim", "--format", "json"],
        &[0],
    );
    w.run(&berth, "sim export", Form::Json, &["sim", "export"], &[0]);
    // Somebody changes what is there, and calls themselves anything.
    let server = berth.sim_serve();
    for (at, payload) in CORPUS.iter().enumerate() {
        let id = format!(
            "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-example/providers/Microsoft.Web/sites/app-{at}"
        );
        let body = json!({ "location": "westeurope", "properties": { "note": format!("not {payload}"), "kind": payload } });
        server.write("PUT", &id, "2023-12-01", Some(&body));
    }
    server.stop();
    let reports = [
        "--report",
        "junit=d.xml",
        "--report",
        "sarif=d.sarif",
        "--report",
        "markdown=d.md",
        "--report",
        "html=d.html",
        "--report",
        "markdown-azure-repos=d.repos.md",
        "--report",
        "markdown-gitlab=d.gitlab.md",
        "--report",
        "markdown-bitbucket=d.bitbucket.md",
        "--report",
        "markdown-summary=d.summary.md",
        "--report",
        "gitlab=d.gitlab.json",
        "--report",
        "prometheus=d.prom",
        "--report",
        "card=d.card.json",
        "--report",
        "text=d.txt",
        "--report",
        "json=d.json",
    ];
    for (name, form) in forms {
        let args = [&["drift", b, "--sim", "--format", name][..], &reports].concat();
        w.run(&berth, &format!("drift in {name}"), form, &args, &[2]);
        w.run(
            &berth,
            &format!("plan of changes in {name}"),
            form,
            &["plan", b, "--sim", "--format", name],
            &[2],
        );
    }
    for (file, form) in [
        ("d.xml", Form::Xml),
        ("d.sarif", Form::Json),
        ("d.md", Form::Markdown),
        ("d.html", Form::Html),
        ("d.repos.md", Form::Markdown),
        ("d.gitlab.md", Form::Markdown),
        ("d.bitbucket.md", Form::Markdown),
        ("d.summary.md", Form::Markdown),
        ("d.gitlab.json", Form::Json),
        ("d.prom", Form::Plain),
        ("d.card.json", Form::Json),
        ("d.txt", Form::Plain),
        ("d.json", Form::Json),
    ] {
        w.look(&format!("report {file}"), form, &std::fs::read(berth.path(file)).unwrap());
    }
    w.run(&berth, "destroy", Form::Plain, &["destroy", b, "--sim", "--auto-approve"], &[4]);
    asked(&mut w);
    named(&mut w);
    assert!(w.harms.is_empty(), "{} harms:\n{}", w.harms.len(), w.harms.join("\n"));
    assert!(w.sinks.len() >= 60, "{}", w.sinks.len());
    println!(
        "attacks: {} foreign texts in {} sinks of the program: none commands",
        CORPUS.len(),
        w.sinks.len()
    );
}

/// A server in Azure's place that answers with it: in errors of its own form, in pages, in headers.
fn asked(w: &mut Watch) {
    let berth = Berth::new().blueprint(&format!("{HEAD}identities: {{ app: {{}} }}\n"));
    let all = CORPUS.join("\n");
    for (name, status, body) in [
        ("an error", 403, json!({ "error": { "code": all, "message": all, "target": all, "details": [{ "code": all, "message": all }] } }).to_string()),
        ("a page", 502, format!("<html>{all}</html>")),
        ("a text", 400, all.clone()),
        ("a list", 200, json!([all]).to_string()),
        ("a resource", 200, json!({ "id": all, "name": all, "tags": { all.as_str(): all }, "properties": { "provisioningState": all } }).to_string()),
    ] {
        let head = format!("HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        let url = always(head + &body);
        let args = ["plan", "blueprint.yaml", "-vvv", "--trace-http", "t.jsonl", "--endpoint", &url, "--sim-speed", "2000"];
        w.run(&berth, &format!("plan against {name}"), Form::Plain, &args, &[0, 1, 2, 4]);
        w.look(&format!("trace against {name}"), Form::Json, &std::fs::read(berth.path("t.jsonl")).unwrap());
    }
}

/// Files, flags and parameters that are called so.
fn named(w: &mut Watch) {
    let berth = Berth::new();
    let wrong = |text: &str| {
        let value = quoted(text);
        format!(
            "{HEAD}parameters: {{ p: {{ type: string, allowed: [{value}] }} }}\nnetworks: {{ {value}: {{ {value}: {value} }} }}\n# {}\n",
            text.replace(['\n', '\r'], " ")
        )
    };
    for payload in CORPUS {
        let name: String = payload.chars().filter(|c| !matches!(c, '/' | '\0')).collect();
        for (kind, args) in [
            ("a missing file", &["validate", &name][..]),
            ("a file's name", &["validate", &format!("{name}.yaml")]),
            ("an unknown flag", &["plan", &format!("--{}", name.trim_start_matches('-'))]),
            ("a value", &["plan", "--parallelism", &name]),
            ("a command", &[&name]),
            ("a parameter", &["validate", &format!("{name}.yaml"), "-p", &format!("{name}={name}")]),
            ("a subject", &["explain", &name]),
            ("a template", &["init", "--template", &name]),
            ("a name", &["ledger", "show", "--name", &name, "--sim"]),
            ("an endpoint", &["plan", &format!("{name}.yaml"), "--endpoint", &name]),
            ("an environment", &["validate", &format!("{name}.yaml"), "-e", &name]),
        ] {
            // One process for each would take a minute: a part of the payloads suits every kind.
            if kind != "a file's name" && (payload.len() + kind.len()) % 4 != 0 {
                continue;
            }
            if !name.is_empty() && name != "." {
                berth.write(&format!("{name}.yaml"), wrong(payload).as_bytes());
            }
            let output = berth.command(args.iter().copied()).output().unwrap();
            let sink = format!("messages about {kind}");
            w.look(&sink, Form::Plain, &output.stderr);
            w.look(&sink, Form::Plain, &output.stdout);
        }
    }
}
