//! A pipeline that is cancelled: the Azure DevOps agent sends SIGINT, waits 7.5 s, sends SIGTERM, waits 2.5 s, and kills.
//! Source: <https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Agent.Sdk/ProcessInvoker.cs>
//!
//! The windows are shorter here, so that whoever keeps inside these keeps inside those.

use crate::support::{Berth, Run};
use crate::world::World;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Half an hour of Azure's time, most of it for the cluster, and something that could begin at any time.
const BLUEPRINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { name: vnet-shop, addressSpace: [10.0.0.0/16], subnets: { nodes: { prefix: 10.0.0.0/20 } } }
identities:
  app: { name: id-shop-app }
clusters:
  aks:
    name: aks-shop
    protect: false
    subnet: '${networks.hub.subnets.nodes}'
    nodePools: { system: { mode: System, count: 1 }, more: { count: 1 } }
";

const JOURNAL: &str = ".berth/ledgers/shop.journal";

/// How soon after SIGINT nothing new starts any more.
const SOON: Duration = Duration::from_secs(1);

struct Cancelled {
    world: World,
    berth: Berth,
    child: Child,
    lines: Receiver<String>,
}

impl Cancelled {
    /// An apply that waits for the cluster.
    fn at_work() -> Self {
        let world = World::at_speed(100);
        let berth = Berth::new().blueprint(BLUEPRINT);
        let mut command = world.command(&berth, "apply", &["--auto-approve"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let run = Cancelled { world, berth, child, lines };
        assert!(run.lines.iter().any(|line| line.contains("clusters.aks creating")), "the cluster is begun");
        run
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// What is said within a while; less when berth ends before.
    #[expect(clippy::disallowed_methods, reason = "another process has no clock of ours")]
    fn hears(&self, window: Duration) -> Vec<String> {
        let end = Instant::now() + window;
        let next = || self.lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok();
        std::iter::from_fn(next).collect()
    }

    /// The ids that the journal says something of, by the name of the record.
    fn journal(&self, record: &str) -> Vec<String> {
        let text = self.berth.read(JOURNAL);
        let records =
            text.lines().map(|line| serde_json::from_str::<Value>(line.split_once(' ').unwrap().1).unwrap());
        let of = records.filter(|json| json["record"] == record);
        of.map(|json| json["id"].as_str().unwrap().to_ascii_lowercase()).collect()
    }

    /// SIGINT, and what must be true within a second of it.
    fn is_interrupted(&self) -> Vec<String> {
        self.signal(Signal::SIGINT);
        let said = self.hears(SOON);
        assert!(said.iter().any(|line| line.contains("Stopping: nothing new starts")), "{said:#?}");
        let (begun, writes) = (self.journal("intent"), self.world.writes());
        for id in self.world.counters().creates.keys() {
            // What Azure makes by itself, like the group of the nodes, nobody asked for.
            let asked = !id.contains("/resourcegroups/mc_");
            assert!(!asked || begun.contains(id), "the journal does not know {id}");
        }
        let more = self.hears(SOON);
        assert!(!more.iter().any(|line| line.contains(" creating")), "something was begun: {more:#?}");
        assert_eq!(self.journal("intent"), begun, "something was begun");
        assert_eq!(self.world.writes(), writes, "something was sent");
        let accepted = self.journal("accepted");
        assert!(accepted.iter().any(|id| id.ends_with("/managedclusters/aks-shop")), "{accepted:?}");
        begun
    }

    /// The next run goes on with the cluster that Azure has been working on all the while.
    fn goes_on(self) {
        let berth = &self.berth;
        berth
            .run(["ledger", "show", "blueprint.yaml"])
            .exits(0)
            .says(&["under way when a run died: create clusters.aks"]);
        let output = self.world.command(berth, "apply", &["--auto-approve"]).output().unwrap();
        Run::of(&["apply"], output).exits(0).says(&["Done."]);
        let output = self.world.command(berth, "plan", &[]).output().unwrap();
        Run::of(&["plan"], output).exits(0).says(&["No changes."]);
        let creates = self.world.counters().creates;
        assert!(creates.values().all(|times| *times == 1), "{creates:#?}");
    }
}

#[test]
fn an_agent_that_cancels_finds_berth_gone_before_it_kills() {
    let mut run = Cancelled::at_work();
    run.is_interrupted();
    run.signal(Signal::SIGTERM);
    let said = run.hears(SOON);
    assert!(said.iter().any(|line| line.contains("Stopping at once")), "{said:#?}");
    // It has ended by itself: the signal that cannot be caught meets nobody.
    assert_eq!(run.child.wait().unwrap().code(), Some(130), "{said:#?}");
    run.goes_on();
}

#[test]
fn an_agent_that_kills_at_once_loses_nothing() {
    let mut run = Cancelled::at_work();
    run.is_interrupted();
    run.signal(Signal::SIGKILL);
    assert_eq!(run.child.wait().unwrap().code(), None);
    run.goes_on();
}
