//! A run that is stopped, kindly or not: the next one goes on where it was, and nothing is made twice.

use crate::support::{Berth, until};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A network, a vault and a cluster: half an hour of Azure's time, told apart by what waits for what.
const BLUEPRINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { name: vnet-shop, addressSpace: [10.0.0.0/16], subnets: { nodes: { prefix: 10.0.0.0/20 }, pe: { prefix: 10.0.16.0/24 } } }
identities:
  app: { name: id-shop-app }
keyVaults:
  v: { name: kv-shop-7, protect: false }
clusters:
  aks:
    name: aks-shop
    protect: false
    subnet: ${networks.hub.subnets.nodes}
    nodePools: { system: { mode: System, count: 1 }, more: { count: 1 } }
privateEndpoints:
  vault: { target: '${keyVaults.v}', subnet: '${networks.hub.subnets.pe}' }
roleAssignments:
  reader: { principal: '${identities.app}', role: Key Vault Secrets User, scope: '${keyVaults.v}' }
";

const JOURNAL: &str = ".berth/sim.json.ledgers/shop.journal";

/// Begins an apply whose time runs this much faster than Azure's.
fn begin(berth: &Berth, speed: &str) -> Child {
    let args = ["apply", "blueprint.yaml", "--sim", "--sim-speed", speed, "--auto-approve"];
    berth.command(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// What was created, by id, as the simulator counted it: its `generations` go up with every create.
fn created(berth: &Berth) -> Vec<(String, u64)> {
    let state: Value = serde_json::from_str(&berth.read(".berth/sim.json")).unwrap();
    let generations = state["state"]["generations"].as_object().unwrap();
    generations.iter().map(|(id, times)| (id.clone(), times.as_u64().unwrap())).collect()
}

/// The next run takes up everything, and nothing was made twice.
#[track_caller]
fn converges(berth: &Berth) {
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.drift(&[]).exits(0).says(&["No drift."]);
    let twice: Vec<_> = created(berth).into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    berth.destroy(&[]).exits(0).says(&["Done."]);
    assert_eq!(berth.export(), [] as [Value; 0]);
}

#[test]
fn a_killed_run_is_gone_on_with() {
    // Killed as soon as the journal has this many lines, in the middle of whatever goes on then.
    for lines in [1, 2, 4, 8, 16, 24] {
        let berth = Berth::new().blueprint(BLUEPRINT);
        let mut child = begin(&berth, "400");
        let journal = berth.path(JOURNAL);
        until("the journal grows, or the run ends", || {
            let length =
                std::fs::read_to_string(&journal).map(|text| text.lines().count()).unwrap_or_default();
            (length >= lines || child.try_wait().unwrap().is_some()).then_some(())
        });
        child.kill().unwrap();
        child.wait().unwrap();
        converges(&berth);
    }
}

/// The blueprint without its cluster, which would be under way for eight minutes; the vault takes a second.
fn small() -> Berth {
    let (before, after) = BLUEPRINT.split_once("clusters:").unwrap();
    let (_, after) = after.split_once("privateEndpoints:").unwrap();
    Berth::new().blueprint(&format!("{before}privateEndpoints:{after}"))
}

/// Waits until the vault is begun; the lines that come after that.
fn begun(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.contains("keyVaults.v creating")), "the vault is begun");
    lines
}

/// Whether this process, and so what it starts, ignores SIGHUP.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| mask.trim().ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']))
}

/// Ctrl-C, the end that a build server sends, and a terminal that is closed.
#[test]
fn the_first_signal_finishes_what_is_under_way() {
    for name in ["-INT", "-TERM", "-HUP"] {
        if name != "-HUP" || !ignores_hangup() {
            stops_kindly(name);
        }
    }
}

#[test]
fn a_run_under_nohup_outlives_its_terminal() {
    let berth = small();
    let apply = ["apply", "blueprint.yaml", "--sim", "--sim-speed", "20", "--auto-approve"];
    let plain = berth.command(apply);
    let mut command = Command::new("nohup");
    command.arg(plain.get_program()).args(plain.get_args()).current_dir(berth.path("")).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = begun(&mut child);
    signal(&child, "-HUP");
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:#?}");
    assert!(!rest.iter().any(|line| line.contains("Stopping")), "{rest:#?}");
    berth.plan(&[]).exits(0).says(&["No changes."]);
}

fn stops_kindly(name: &str) {
    let berth = small();
    let mut child = begin(&berth, "20");
    let lines = begun(&mut child);
    signal(&child, name);
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains("keyVaults.v created")), "{rest:#?}");
    let ledger = berth.ledger();
    let owned: Vec<&str> =
        ledger["resources"].as_object().unwrap().values().filter_map(|r| r["address"].as_str()).collect();
    assert!(owned.contains(&"keyVaults.v") && !owned.contains(&"privateEndpoints.vault"), "{owned:?}");
    assert!(!berth.path(JOURNAL).exists(), "nothing is left under way");
    converges(&berth);
}

#[test]
fn the_second_ctrl_c_stops_waiting_and_forgets_nothing() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let mut child = begin(&berth, "100");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut wait_for = |text: &str| {
        let found = lines.by_ref().map(Result::unwrap).any(|line| line.contains(text));
        assert!(found, "{text} never comes");
    };
    wait_for("clusters.aks creating");
    signal(&child, "-INT");
    wait_for("Stopping: nothing new starts");
    signal(&child, "-INT");
    wait_for("Stopping at once: what is under way goes on in Azure");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let shown = berth.run(["ledger", "show", "blueprint.yaml", "--sim"]).exits(0);
    shown.says(&["under way when a run died: create clusters.aks"]);
    converges(&berth);
}

#[test]
fn a_run_that_died_is_told_of_until_somebody_goes_on() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let mut child = begin(&berth, "20");
    let journal = berth.path(JOURNAL);
    until("something is under way", || {
        let text = std::fs::read_to_string(&journal).unwrap_or_default();
        text.contains("accepted").then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    berth.run(["ledger", "show", "blueprint.yaml", "--sim"]).exits(0).says(&["under way when a run died:"]);
    berth.plan(&[]).exits(2).complains(&["note: an earlier run began to", "`berth apply` goes on with it"]);
    converges(&berth);
}
