//! The same where the ledger is in an object store, when there is one: the lock of the dead ends by itself.

use crate::support::{Berth, ObjectStore, Run, until};
use crate::world::World;
use std::process::Command;

const BLUEPRINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { name: vnet-shop, addressSpace: [10.0.0.0/16], subnets: { nodes: { prefix: 10.0.0.0/20 } } }
identities:
  app: { name: id-shop-app }
";

struct Case<'a> {
    world: World,
    berth: Berth,
    store: &'a ObjectStore,
    name: String,
}

impl Case<'_> {
    fn command(&self, verb: &str) -> Command {
        let place = format!("{}/{}", self.store.ledger, self.name);
        let mut more = vec!["--ledger", &place, "--ledger-lease", "6"];
        if verb != "plan" {
            more.push("--auto-approve");
        }
        let mut command = self.world.command(&self.berth, verb, &more);
        command.envs(self.store.environment.iter().cloned());
        command
    }

    /// Dies at a moment; whether it did.
    fn dies(&self, verb: &str, moment: u64) -> bool {
        let mut command = self.command(verb);
        let output = command.env("BERTH_CRASH_AT", moment.to_string()).output().unwrap();
        let status = output.status;
        assert!(status.success() || status.code().is_none(), "{verb} with moment {moment}: {output:?}");
        status.code().is_none()
    }

    /// Runs a verb as soon as the lock of the dead has ended.
    fn run(&self, verb: &str) -> Run {
        let output = until("the lock of the dead ends", || {
            let output = self.command(verb).output().unwrap();
            (output.status.code() != Some(4)).then_some(output)
        });
        Run::of(&[&self.name, verb], output)
    }
}

#[test]
fn dying_around_writes_to_an_object_store_loses_nothing() {
    for store in &ObjectStore::all() {
        let moments = std::sync::Mutex::new([2, 5, 12, 22, 36].into_iter());
        let next = || moments.lock().unwrap().next();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| std::iter::from_fn(next).for_each(|moment| dies_at_moment(store, moment)));
            }
        });
    }
}

fn dies_at_moment(store: &ObjectStore, moment: u64) {
    let (world, berth) = (World::new(), Berth::new().blueprint(BLUEPRINT));
    let case = Case { world, berth, store, name: format!("moment-{moment}") };
    let died = case.dies("apply", moment);
    assert!(died || moment > 20, "no run has {moment} moments any more");
    case.run("apply").exits(0);
    case.run("plan").exits(0).says(&["No changes."]);
    let creates = case.world.counters().creates;
    assert!(creates.values().all(|times| *times == 1), "{creates:#?}");
    case.dies("destroy", moment);
    case.run("destroy").exits(0);
    assert!(case.world.simulator.export().is_empty());
}
