//! A disk that is full, a folder that cannot be written, a ledger that somebody deletes: once it is over, nothing is lost.

use crate::support::Run;
use crate::truth::{Case, ledger_of, uninterrupted};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs an apply that cannot make a file larger than so many blocks of 512 bytes.
fn apply_with_room_for(case: &Case, blocks: u64) -> Run {
    let inner = case.world.command(&case.berth, "apply", &["--auto-approve"]);
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(inner.get_program()).args(inner.get_args()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(case.berth.path("")).stdin(Stdio::null());
    Run::of(&["apply"], command.output().unwrap())
}

fn is_full_at(blocks: u64) {
    let case = Case::new(format!("room for {blocks} blocks"));
    // Whether a step was done by then depends on the room.
    apply_with_room_for(&case, blocks).exits_with_one_of(&[1, 3]).complains(&[
        "cannot be written: File too large",
        "help: check that the folder exists, is writable and has room",
    ]);
    case.converges();
}

#[test]
fn a_disk_that_is_full_at_some_point_loses_nothing() {
    for blocks in [0, 9] {
        is_full_at(blocks);
    }
}

#[test]
#[ignore = "takes a while: `.ci/run crash`"]
fn a_disk_that_is_full_at_any_point_loses_nothing() {
    for blocks in [1, 2, 3, 5, 8, 13, 21, 34, 45, 55] {
        is_full_at(blocks);
    }
}

/// Lets something happen to the folder of the ledgers in the middle of an apply, then has the run go on to its end.
fn meanwhile(case: &Case, request: u64, happens: impl FnOnce()) -> Run {
    let watched = case.world.watch(request);
    let mut command = case.world.command(&case.berth, "apply", &["--auto-approve"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let held = watched.recv_timeout(Duration::from_secs(120)).unwrap();
    happens();
    drop(held);
    Run::of(&["apply"], child.wait_with_output().unwrap())
}

#[test]
fn a_ledger_that_is_deleted_in_the_middle_of_a_run_comes_back() {
    for share in [2, 3] {
        let request = uninterrupted().apply * share / 4;
        let case = Case::new(format!("deleted at request {request}"));
        let ledgers = case.berth.path(".berth/ledgers");
        // The run writes meanwhile, and what it writes then is deleted too.
        let delete = || while std::fs::remove_dir_all(&ledgers).is_err() {};
        meanwhile(&case, request, delete).exits(0).says(&["Done."]);
        case.is_whole();
        assert_eq!(ledger_of(&case.berth), uninterrupted().ledger);
    }
}

#[test]
fn a_folder_that_is_gone_for_a_while_loses_nothing() {
    let case = Case::new("gone for a while".to_owned());
    let (ledgers, away) = (case.berth.path(".berth/ledgers"), case.berth.path(".berth/away"));
    let gone = || {
        std::fs::rename(&ledgers, &away).unwrap();
        case.berth.write(".berth/ledgers", b"a file is in its place");
    };
    meanwhile(&case, uninterrupted().apply * 2 / 3, gone)
        .exits(3)
        .says(&["Not started", "Applied in part", "run the same command again"])
        .complains(&["cannot be written", "help: check that the folder exists"]);
    std::fs::remove_file(&ledgers).unwrap();
    std::fs::rename(&away, &ledgers).unwrap();
    case.converges();
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_anything_is_done() {
    let case = Case::new("read-only".to_owned());
    let folder = case.berth.path("closed");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o555)).unwrap();
    // Whoever is root may write everywhere, but not here.
    let place = match tempfile::tempfile_in(&folder) {
        Err(_) => folder.to_str().unwrap(),
        Ok(_) => "/proc/self",
    };
    let apply = ["--auto-approve", "--ledger", place];
    let output = case.world.command(&case.berth, "apply", &apply).output().unwrap();
    Run::of(&["apply"], output).exits(1).complains(&["cannot be written", "name another with `--ledger`"]);
    assert!(case.world.counters().creates.is_empty());
    case.converges();
}
