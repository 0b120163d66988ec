//! How little is asked of Azure: over TLS, with the limits of a real subscription and answers that take their time.

use crate::support::{Berth, Rehearsal, Run, SECRET, Server, application, root};
use berth::state::Provisioning;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn shipped() -> Vec<PathBuf> {
    let files = std::fs::read_dir(root().join("blueprints")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files
}

/// What an apply over the wire came to.
#[derive(Debug)]
struct Sent {
    /// Requests that change a resource.
    writes: usize,
    /// Resources that the blueprint owns afterwards.
    resources: usize,
    /// Resources that it asks for.
    wanted: usize,
    /// Requests that register a provider or a feature.
    registrations: usize,
    /// Providers and features that were registered.
    registered: usize,
    /// Answers that said it was too much.
    throttled: usize,
}

/// Applies a blueprint over HTTPS to a subscription with Azure's limits, each answer 50 ms late; then nothing is left
/// to do.
fn apply(blueprint: &Path) -> Sent {
    let berth = Berth::new().beside(blueprint);
    let mut serve =
        berth.command(["sim", "serve", "--listen", "127.0.0.1:0", "--tls", "--write-ca", "ca.pem"]);
    serve.args(["--limits", "azure", "--latency", "50", "--record", "record.jsonl"]);
    serve.arg(format!("--sign-in={SECRET}"));
    let server = Server::start(serve);
    let run = |args: &[&str]| {
        let mut command = berth.command(args.iter().copied());
        command.args(["--endpoint", &server.url, "--authority", &server.url, "--ca-file", "ca.pem"]);
        // What Azure sets no pace for, such as a registration, is looked at every ten seconds.
        command.args(["--sim-speed", "50"]);
        application(&mut command).env("AZURE_CLIENT_SECRET", SECRET);
        command.env("AZURE_SUBSCRIPTION_ID", berth::sim::SUBSCRIPTION);
        command.env("WINDOWS_ADMIN_PASSWORD", "Made-up-0!Made-up").env("GIT_TOKEN", "made-up");
        command.env("CHAT_URL", "https://chat.example.com/made-up");
        Run::of(args, command.output().unwrap())
    };
    run(&["apply", "blueprint.yaml", "--auto-approve"]).exits(0).says(&["Done."]);
    let sent = exchanges(&berth);
    run(&["plan", "blueprint.yaml"]).exits(0).says(&["No changes."]);
    let owned = run(&["ledger", "show", "blueprint.yaml", "--format", "json"]).exits(0).json();
    server.stop();
    let paths = |methods: &[&str], end: &str| -> Vec<String> {
        let of_arm = sent.iter().filter(|sent| methods.contains(&sent["method"].as_str().unwrap()));
        let paths = of_arm.map(|sent| sent["url"].as_str().unwrap().split('?').next().unwrap().to_owned());
        paths.filter(|path| path.contains("/subscriptions/") && path.ends_with(end)).collect()
    };
    let registrations = paths(&["POST"], "/register");
    Sent {
        wanted: wanted(blueprint),
        writes: paths(&["PUT", "PATCH", "DELETE"], "").len(),
        resources: owned["resources"].as_object().unwrap().len(),
        registered: registrations.iter().collect::<BTreeSet<_>>().len(),
        registrations: registrations.len(),
        throttled: exchanges(&berth).iter().filter(|exchange| exchange["status"] == 429).count(),
    }
}

/// How many resources a blueprint asks for that a ledger holds.
fn wanted(blueprint: &Path) -> usize {
    let desired = Rehearsal::new().desired(&std::fs::read_to_string(blueprint).unwrap());
    desired.resources.iter().filter(|resource| resource.operation == Provisioning::Resource).count()
}

fn exchanges(berth: &Berth) -> Vec<Value> {
    berth.read("record.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn few_writes_and_no_refusal() {
    let blueprints = shipped();
    assert!(blueprints.len() >= 8);
    // Each waits for answers most of the time.
    let all: Vec<(String, Sent)> = std::thread::scope(|scope| {
        let runs: Vec<_> = blueprints
            .iter()
            .map(|path| (path.display().to_string(), scope.spawn(move || apply(path))))
            .collect();
        runs.into_iter().map(|(name, run)| (name, run.join().unwrap())).collect()
    });
    for (name, sent) in all {
        assert_eq!(sent.resources, sent.wanted, "{name}: {sent:?}");
        // Six for five, where one for each would do if nothing were ever sent again.
        assert!(sent.writes * 5 <= sent.resources * 6, "{name}: {sent:?}");
        assert!(sent.registrations * 5 <= sent.registered * 6, "{name}: {sent:?}");
        assert_eq!(sent.throttled, 0, "{name}: {sent:?}");
    }
}
