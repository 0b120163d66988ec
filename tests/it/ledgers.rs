//! Ledger stores: what holds of every one, who may write, and what a fault leaves behind.

use crate::support::stores::{Fault, Faulty, contract, done, intent, ledger, objects};
use crate::support::{Berth, Run, Server, root, until};
use berth::host::Clock;
use berth::ledger::store::objects::Objects;
use berth::ledger::store::{ErrorKind, FileStore, Holder, LEASE, RemoteStore, Store};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

fn remote(objects: Arc<dyn Objects>, clock: &Clock, host: &str) -> RemoteStore {
    RemoteStore::new(objects, "shop", clock.clone(), Holder::this(host, Some("tim".into()), None), LEASE)
}

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    contract(&|| Arc::new(FileStore::new(&folder.path().join("deep/er"), "shop"))).await;
}

#[tokio::test(start_paused = true)]
async fn objects_keep_the_contract() {
    let (objects, clock) = objects();
    contract(&|| Arc::new(remote(Faulty::new(&objects), &clock, "here"))).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_alive_keeps_the_lock_however_long_it_takes() {
    let (objects, clock) = objects();
    let (first, second) =
        (remote(Faulty::new(&objects), &clock, "one"), remote(Faulty::new(&objects), &clock, "two"));
    first.lock().await.unwrap();
    for _ in 0..100 {
        clock.sleep(Duration::from_secs(37)).await;
        let refused = second.lock().await.unwrap_err();
        assert!(refused.to_string().contains("is in use by tim on one (process"), "{refused}");
    }
    first.save(&ledger(1, &[])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_lock_of_the_dead_ends_by_itself_and_the_next_run_says_whose_it_was() {
    let (objects, clock) = objects();
    let first = remote(Faulty::new(&objects), &clock, "one");
    first.lock().await.unwrap();
    first.save(&ledger(1, &[])).await.unwrap();
    first.append(&intent("a")).await.unwrap();
    drop(first);
    let second = remote(Faulty::new(&objects), &clock, "two");
    let died = clock.now();
    assert!(second.lock().await.unwrap_err().hint().contains("ends by itself"));
    let from = loop {
        match second.lock().await {
            Ok(taken) => break taken.from.unwrap(),
            Err(_) => clock.sleep(Duration::from_secs(1)).await,
        }
    };
    assert!(from.starts_with("tim on one (process"), "{from}");
    let waited = clock.now().since(died);
    assert!(waited > LEASE && waited < Duration::from_secs(120), "{waited:?}");
    assert_eq!(second.load().await.unwrap().in_flight.len(), 1);
}

/// Somebody whose network was cut, and who comes back after another run took over.
#[tokio::test(start_paused = true)]
async fn who_lost_the_lock_cannot_write() {
    for (finished, saves) in [(false, false), (false, true), (true, false), (true, true)] {
        let (objects, clock) = objects();
        let network = Faulty::new(&objects);
        let first = remote(network.clone(), &clock, "one");
        first.lock().await.unwrap();
        first.save(&ledger(1, &[])).await.unwrap();
        first.append(&intent("a")).await.unwrap();
        network.cut(true);
        clock.sleep(Duration::from_secs(90)).await;
        let second = remote(Faulty::new(&objects), &clock, "two");
        assert!(second.lock().await.unwrap().from.is_some());
        assert_eq!(second.load().await.unwrap().in_flight.len(), 1);
        if finished {
            second.save(&ledger(2, &["a"])).await.unwrap();
            second.append(&intent("b")).await.unwrap();
            second.save(&ledger(3, &["a", "b"])).await.unwrap();
            second.unlock().await;
        }
        let before = second.load().await.unwrap();
        network.cut(false);
        let error = match saves {
            true => first.save(&ledger(9, &["wrong"])).await.unwrap_err(),
            false => first.append(&intent("wrong")).await.unwrap_err(),
        };
        assert!(matches!(error.kind, ErrorKind::Lost(_)), "{error}");
        assert_eq!(error.to_string().contains("tim on two"), !finished, "{error}");
        assert!(matches!(first.lost().await.kind, ErrorKind::Lost(_)), "and the run is told");
        first.unlock().await;
        assert_eq!(second.load().await.unwrap(), before, "it left no trace");
        if !finished {
            second.append(&intent("c")).await.unwrap();
            assert!(matches!(first.lock().await.unwrap_err().kind, ErrorKind::Locked(_)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_lost_the_lock_is_told_by_the_next_sign_of_life() {
    let (objects, clock) = objects();
    let network = Faulty::new(&objects);
    let first = remote(network.clone(), &clock, "one");
    first.lock().await.unwrap();
    network.cut(true);
    clock.sleep(Duration::from_secs(90)).await;
    remote(Faulty::new(&objects), &clock, "two").lock().await.unwrap();
    network.cut(false);
    // Nothing is written: only the lock's renewal finds out.
    let error = tokio::time::timeout(LEASE, first.lost()).await.unwrap();
    assert!(error.to_string().contains("was taken over by tim on two"), "{error}");
}

/// Each write of a run goes wrong once, with or without effect; what was written down before is known afterwards.
#[tokio::test(start_paused = true)]
async fn no_fault_loses_what_was_written_down() {
    for fault in [Fault::Before, Fault::After] {
        let mut at = 0;
        loop {
            let (objects, clock) = objects();
            let first = remote(Faulty::failing(&objects, Some((at, fault))), &clock, "one");
            let mut known: Vec<&str> = Vec::new();
            let run = async {
                first.lock().await?;
                first.save(&ledger(1, &[])).await?;
                for name in ["a", "b", "c"] {
                    first.append(&intent(name)).await?;
                    known.push(name);
                    first.append(&done(name)).await?;
                }
                first.save(&ledger(2, &["a", "b", "c"])).await
            };
            let failed = run.await.is_err();
            drop(first);
            clock.sleep(Duration::from_secs(90)).await;
            let second = remote(Faulty::new(&objects), &clock, "two");
            second.lock().await.unwrap();
            let found = second.load().await.unwrap().ledger;
            let found: Vec<String> = found
                .iter()
                .flat_map(|ledger| ledger.resources.keys())
                .map(|id| id.name().to_owned())
                .collect();
            for name in &known {
                assert!(found.iter().any(|found| found == name), "{name} is lost: write {at} {fault:?}");
            }
            second.save(&ledger(3, &[])).await.unwrap();
            if !failed {
                break;
            }
            at += 1;
        }
        assert!(at >= 8, "every write of the run was hit: {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn damage_is_refused_and_named() {
    for (path, content, complaint) in [
        (
            "shop/journal/0000000001/0000000001",
            Some("nonsense\n"),
            "first line of this piece of the journal is damaged",
        ),
        ("shop/journal/0000000001/0000000001", None, "this piece of the journal is missing"),
        ("shop/ledger.json", Some("{"), "it is not a ledger"),
        ("shop/ledger.json", Some("{\"version\":2}"), "use the newer berth"),
        ("shop/ledger.json", None, "it is missing, and a journal that belongs to it is there"),
    ] {
        let (objects, clock) = objects();
        let store = remote(Arc::new(objects.clone()), &clock, "one");
        store.lock().await.unwrap();
        store.save(&ledger(1, &[])).await.unwrap();
        store.append(&intent("a")).await.unwrap();
        store.append(&intent("b")).await.unwrap();
        objects.delete(path).await.unwrap();
        if let Some(content) = content {
            use berth::ledger::store::objects::When;
            objects.put(path, content.to_owned().into(), When::Always).await.unwrap();
        }
        let error = store.load().await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Damaged(_)), "{error}");
        assert!(error.to_string().contains(complaint) && error.to_string().contains(path), "{error}");
    }
}

/// A cut at any byte of a piece of journal, and any bit of it bent, is refused: a piece is written whole or not at all.
#[tokio::test(start_paused = true)]
async fn a_bent_piece_of_journal_is_never_believed() {
    use berth::ledger::store::objects::When;
    let (objects, clock) = objects();
    let store = remote(Arc::new(objects.clone()), &clock, "one");
    store.lock().await.unwrap();
    store.save(&ledger(1, &[])).await.unwrap();
    store.append_all(&[intent("a"), done("a")]).await.unwrap();
    let path = "shop/journal/0000000001/0000000001";
    let whole = objects.get(path).await.unwrap().unwrap().bytes;
    let truth = store.load().await.unwrap();
    for at in 0..whole.len() {
        let mut bent = whole.to_vec();
        bent[at] ^= 1;
        for bytes in [whole[..at].to_vec(), bent] {
            objects.put(path, bytes.into(), When::Always).await.unwrap();
            if let Ok(loaded) = store.load().await {
                assert_eq!(loaded, truth, "at {at}");
            }
        }
    }
}

#[tokio::test]
async fn files_that_are_deleted_in_the_middle_of_a_run_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("ledgers");
    let store = FileStore::new(&below, "shop");
    store.lock().await.unwrap();
    store.save(&ledger(1, &["kept"])).await.unwrap();
    store.append(&intent("a")).await.unwrap();
    std::fs::remove_dir_all(&below).unwrap();
    store.append(&intent("b")).await.unwrap();
    let loaded = FileStore::new(&below, "shop").load().await.unwrap();
    assert_eq!(loaded.ledger.unwrap().resources.len(), 3);
    assert_eq!(loaded.in_flight.len(), 2);
}

/// `tests/ledgers` has a ledger of every version that a berth ever wrote. None of them is ever changed.
#[tokio::test]
async fn ledgers_of_every_version_are_read() {
    for version in 1..=berth::ledger::VERSION {
        let folder = tempfile::tempdir().unwrap();
        let golden = root().join(format!("tests/ledgers/v{version}.json"));
        std::fs::copy(&golden, folder.path().join("shop.json")).unwrap();
        let store = FileStore::new(folder.path(), "shop");
        let ledger = store.load().await.unwrap().ledger.unwrap();
        assert_eq!((ledger.version, ledger.serial), (berth::ledger::VERSION, 3));
        let addresses: Vec<&str> = ledger.resources.values().map(|owned| owned.address.as_str()).collect();
        assert_eq!(addresses, ["resourceGroup", "keyVaults.v"]);
        let vault = &ledger.resources[1];
        assert_eq!((vault.protect, vault.depends_on.len(), vault.digests.len()), (true, 1, 1));
        assert_eq!(ledger.outputs["vault"], "https://kv-shop.vault.azure.net/");
        store.lock().await.unwrap();
        store.save(&ledger).await.unwrap();
        assert_eq!(FileStore::new(folder.path(), "shop").load().await.unwrap().ledger, Some(ledger));
    }
    let newer = br#"{"version":99,"unheardOf":{}}"#;
    let folder = tempfile::tempdir().unwrap();
    berth::host::files::write_atomic(&folder.path().join("shop.json"), newer).unwrap();
    let error = FileStore::new(folder.path(), "shop").load().await.unwrap_err().to_string();
    assert!(error.contains("version 99") && error.contains("use the newer berth"), "{error}");
}

/// The simulator's.
const SUBSCRIPTION: &str = "5ab5c819-0000-4000-8000-000000000001";

const BLUEPRINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { name: vnet-shop, addressSpace: [10.0.0.0/16], subnets: { nodes: { prefix: 10.0.0.0/20 } } }
clusters:
  aks: { name: aks-shop, protect: false, subnet: '${networks.hub.subnets.nodes}', nodePools: { system: { mode: System, count: 1 } } }
identities:
  app: { name: id-shop-app }
";

/// A simulator behind HTTP whose time runs this much faster than Azure's.
fn serve(berth: &Berth, speed: &str) -> Server {
    let state = berth.path(".berth/sim.json");
    let args =
        ["sim", "serve", "--listen", "127.0.0.1:0", "--speed", speed, "--state", state.to_str().unwrap()];
    Server::start(berth.command(args))
}

#[test]
fn two_applies_at_once_and_the_death_of_the_first() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let server = serve(&berth, "60");
    let apply = || {
        let mut command =
            berth.command([&["apply", "blueprint.yaml", "--auto-approve"][..], &server.client()].concat());
        command.env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let applies = || Run::of(&["apply"], apply().output().unwrap());
    let mut first = apply().spawn().unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("clusters.aks creating")), "the first is at work");
    // Azure takes the cluster a moment later.
    until("Azure works on the cluster", || {
        berth.read(".berth/ledgers/shop.journal").contains("accepted").then_some(())
    });
    let who = format!("(process {}, run ", first.id());
    applies().exits(4).complains(&["is in use by", &who, "help: wait for the other run to end"]);
    berth.run(["ledger", "unlock", "blueprint.yaml"]).exits(4).complains(&["is in use by", &who]);
    let show = || berth.run(["ledger", "show", "blueprint.yaml"]).exits(0);
    show().says(&["under way: create clusters.aks", "in use by", &who]);
    first.kill().unwrap();
    first.wait().unwrap();
    show().says(&[
        "under way when a run died: create clusters.aks",
        "client request id",
        "which is dead: the next run takes its lock",
    ]);
    applies().exits(0).says(&["Done."]).complains(&["Took the ledger's lock from a run that died", &who]);
    berth.run(["ledger", "unlock", "blueprint.yaml"]).exits(0).complains(&["The ledger was not locked."]);
    applies().exits(0).says(&["No changes."]);
}

#[test]
fn earlier_versions_can_be_looked_at_and_resources_forgotten() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    berth.run(["ledger", "forget", "blueprint.yaml", "clusters.none", "--sim"]).exits(1).complains(&[
        "the ledger does not own clusters.none; nothing was forgotten",
        "help: `berth ledger show` lists what it owns",
    ]);
    // What requesters say to the owners of their targets follows from the salt.
    let kept: serde_json::Value =
        serde_json::from_str(&berth.read(".berth/sim.json.ledgers/shop.json")).unwrap();
    let salt = kept["salt"].as_str().unwrap();
    for format in ["human", "json"] {
        berth
            .run(["ledger", "show", "blueprint.yaml", "--sim", "--format", format])
            .exits(0)
            .says(&["identities.app"])
            .hides(&[salt]);
    }
    let before = berth.export();
    berth
        .run(["ledger", "forget", "blueprint.yaml", "identities.app", "--sim"])
        .exits(0)
        .says(&["forgotten: identities.app", "/userAssignedIdentities/id-shop-app"]);
    assert_eq!(berth.export(), before, "Azure is as it was");
    let history = berth.run(["ledger", "history", "blueprint.yaml", "--sim"]).exits(0);
    let lines: Vec<&str> = history.stdout.lines().collect();
    assert!(lines[0].trim().starts_with('2') && lines[0].ends_with("now"), "{lines:?}");
    assert!(lines[1].trim().starts_with('1') && lines[1].contains("until 20"), "{lines:?}");
    let at = |serial: &str| {
        let args = ["ledger", "show", "blueprint.yaml", "--sim", "--at", serial];
        berth.run(args).exits(0).stdout.contains("identities.app")
    };
    assert!(at("1") && !at("2"));
    berth
        .run(["ledger", "show", "blueprint.yaml", "--sim", "--at", "7"])
        .exits(1)
        .complains(&["has no version 7", "berth ledger history"]);
}

#[test]
fn a_ledger_that_cannot_be_named_is_refused() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    for (ledger, complaint) in [
        (
            "http://somewhere",
            "this kind of URL is not known; write a folder, azblob://ACCOUNT/CONTAINER/PREFIX",
        ),
        ("azblob://account", "it names no container"),
    ] {
        let run = berth.run(["output", "blueprint.yaml", "--ledger", ledger]);
        run.exits(1).complains(&["--ledger cannot be used", complaint]);
    }
    let mut command = berth.command(["output", "blueprint.yaml"]);
    let output = command.env("BERTH_LEDGER", "ftp://x").output().unwrap();
    Run::of(&["output"], output).exits(1).complains(&["BERTH_LEDGER cannot be used"]);
}

/// Runs an apply under a shell that sets a limit first.
#[cfg(unix)]
fn limited(berth: &Berth, server: &Server, limit: &str) -> Run {
    let script = format!(
        "{limit}; exec \"$0\" apply blueprint.yaml --auto-approve --endpoint \"$URL\" --sim-speed 200"
    );
    let inner = berth.command([] as [&str; 0]);
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(inner.get_program()).env_clear().env("COLUMNS", "80");
    command.env("URL", &server.url).env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION);
    command.current_dir(berth.path("")).stdin(Stdio::null());
    Run::of(&["apply"], command.output().unwrap())
}

#[test]
#[cfg(unix)]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let server = berth.sim_serve();
    // No file may be larger than eight blocks: the journal is in the middle of the run.
    limited(&berth, &server, "trap '' XFSZ; ulimit -f 8").exits(3).complains(&[
        "shop.journal: cannot be written: File too large",
        "help: check that the folder exists",
    ]);
    limited(&berth, &server, "true").exits(0).says(&["Done."]);
    limited(&berth, &server, "true").exits(0).says(&["No changes."]);
}

#[test]
fn a_folder_that_is_a_file_is_refused_before_anything_is_done() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.write(".berth/sim.json.ledgers", b"in the way");
    berth.apply(&[]).exits(1).complains(&["cannot be written", "name another with `--ledger`"]);
    assert_eq!(berth.export().len(), 0);
    std::fs::remove_file(berth.path(".berth/sim.json.ledgers")).unwrap();
    berth.apply(&[]).exits(0);
}

/// Stores of the clouds, on this machine.
mod stores {
    use super::*;
    use crate::support::{Azurite, ObjectStore};
    use berth::arm::{Cloud, StaticToken};
    use berth::ledger::store::{Access, Location};

    fn access(store: &ObjectStore) -> Access {
        Access {
            token: Arc::new(StaticToken::new("nobody")),
            cloud: Cloud::Public,
            environment: store.environment.iter().cloned().collect(),
            clock: Clock::start(1.0),
            holder: Holder::this("here", None, None),
            lease: LEASE,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_store_keeps_the_contract() {
        for store in ObjectStore::all() {
            let location: Location = store.ledger.parse().unwrap();
            contract(&|| location.open("shop", &access(&store)).unwrap()).await;
            // Google's server does not tell a bucket that is not there from an object.
            if store.name != "fake-gcs-server" {
                let other: Location = store.nowhere.parse().unwrap();
                let error = other.open("shop", &access(&store)).unwrap().load().await.unwrap_err();
                assert!(error.hint().contains("create the "), "{}: {error}\n{}", store.name, error.hint());
            }
        }
    }

    fn apply(berth: &Berth, server: &Server, ledger: &str, environment: &[(String, String)]) -> Command {
        let args = ["--auto-approve", "--endpoint", &server.url, "--ledger", ledger, "--ledger-lease", "3"];
        let mut command = berth.command(["apply", "blueprint.yaml"]);
        command.args(args).envs(environment.iter().cloned());
        command.env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[test]
    fn two_applies_at_once_and_the_death_of_the_first() {
        for store in ObjectStore::all() {
            let berth = Berth::new().blueprint(BLUEPRINT);
            let server = serve(&berth, "30");
            let apply = || apply(&berth, &server, &store.ledger, &store.environment);
            let mut first = apply().spawn().unwrap();
            let mut lines = BufReader::new(first.stderr.take().unwrap()).lines().map(Result::unwrap);
            assert!(
                lines.any(|line| line.contains("clusters.aks creating")),
                "{}: the first is at work",
                store.name
            );
            let who = format!("(process {}, run ", first.id());
            let second = apply().output().unwrap();
            Run::of(&["apply"], second).exits(4).complains(&[
                "is in use by",
                &who,
                "should that run be dead",
            ]);
            first.kill().unwrap();
            first.wait().unwrap();
            let third = until("the lock of the dead ends", || {
                let output = apply().output().unwrap();
                (output.status.code() != Some(4)).then_some(output)
            });
            let third = Run::of(&["apply"], third).exits(0).says(&["Done."]);
            third.complains(&["Took the ledger's lock from a run that died", &who]);
            let again = apply().output().unwrap();
            Run::of(&["apply"], again).exits(0).says(&["No changes."]);
        }
    }

    #[test]
    fn azurite_stops_in_the_middle_of_a_run() {
        let Some(mut azurite) = Azurite::start() else { return };
        let berth = Berth::new().blueprint(BLUEPRINT);
        let server = serve(&berth, "60");
        let ledger = azurite.ledger();
        let apply = |azurite: &Azurite| {
            let said = ("AZURE_STORAGE_CONNECTION_STRING".to_owned(), azurite.connection_string());
            apply(&berth, &server, &ledger, &[said])
        };
        let mut first = apply(&azurite).spawn().unwrap();
        let mut lines = BufReader::new(first.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("clusters.aks creating")), "the first is at work");
        azurite.stop();
        let rest: Vec<String> = lines.collect();
        assert_eq!(first.wait().unwrap().code(), Some(3), "{rest:#?}");
        let rest = rest.join(" ");
        assert!(rest.contains("cannot be reached") && rest.contains("goes on with it"), "{rest}");
        azurite.start_again();
        let second = until("the lock of the first ends", || {
            let output = apply(&azurite).output().unwrap();
            (output.status.code() != Some(4)).then_some(output)
        });
        Run::of(&["apply"], second).exits(0).says(&["Done."]);
        let again = apply(&azurite).output().unwrap();
        Run::of(&["apply"], again).exits(0).says(&["No changes."]);
    }
}
