//! Bad input: a clear message with its place and a remedy, exit 1, no panic, nothing lost.
//!
//! The wrong blueprints are in `tests/invalid`; `just regen` writes what berth says of them now beside them.

use crate::support::invalid::{self, Case};
use crate::support::{Berth, regen};
use berth::manual::codes;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What every diagnostic of a report must have.
fn check(case: &Case, report: &str) {
    for (code, text) in case.diagnostics(report) {
        let place = format!("─[{}.yaml:", case.name);
        let line_and_column =
            text.split(&place).nth(1).and_then(|rest| rest.split_once(']')).map(|(at, _)| at);
        let numbers = line_and_column.map(|at| at.split(':').filter_map(|n| n.parse::<u32>().ok()).count());
        assert_eq!(numbers, Some(2), "{case}: {code} has no line and column:\n{report}");
        assert!(text.contains("\n  help: "), "{case}: {code} has no remedy:\n{report}");
        assert!(text.contains("  × ") || text.contains("  ⚠ "), "{case}: {code} says nothing:\n{report}");
    }
    for line in report.lines().filter(|line| line.starts_with("  × ") || line.starts_with("  help: ")) {
        // What people copy is not broken: an id, or what stands between backticks.
        let copied = line.split_once('`').map_or(0, |(_, rest)| rest.chars().count());
        assert!(line.chars().count() <= 80 || copied > 60, "{case}: {line}");
    }
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_remedy() {
    let berth = Berth::new();
    let cases = invalid::cases();
    assert!(cases.len() >= 325, "{} cases", cases.len());
    let said: Vec<(&Case, String)> = cases.iter().map(|case| (case, case.validate(&berth))).collect();
    said.iter().for_each(|(case, report)| check(case, report));
    let changed: Vec<(&Case, String)> =
        said.into_iter().filter(|(case, report)| case.said != *report).collect();
    if regen() {
        return invalid::write(&changed);
    }
    let told: String = changed
        .iter()
        .map(|(case, report)| format!("\n{case}\n--- is written\n{}--- is said now\n{report}", case.said))
        .collect();
    assert!(changed.is_empty(), "other reports than in tests/invalid; `just regen` writes them:\n{told}");
}

#[test]
fn ten_mistakes_are_told_at_once() {
    let cases = invalid::cases();
    let case = cases.iter().find(|case| case.name == "ten-mistakes").unwrap();
    assert_eq!(case.diagnostics(&case.said).len(), 10, "{}", case.said);
    assert!(case.said.contains("10 errors"), "{}", case.said);
}

#[test]
fn every_code_has_a_blueprint_that_raises_it() {
    let mut codes: BTreeSet<&str> = codes().into_iter().map(|code| code.name).collect();
    assert!(codes.len() > 240, "{codes:?}");
    for case in invalid::cases() {
        for (code, _) in case.diagnostics(&case.said) {
            codes.remove(code);
        }
    }
    // A rule that others are made from, a check behind the checks of every name that an id is made of, a file that
    // `robustness` makes, and what `environments` raises: it takes another file, or a flag.
    let elsewhere = ["environment", "environment-name", "unknown-environment", "retirement", "feature"];
    for code in ["network-resource-name", "arm-id", "too-large"].into_iter().chain(elsewhere) {
        codes.remove(code);
    }
    assert!(codes.is_empty(), "no blueprint in tests/invalid raises {codes:?}");
}

#[test]
fn cases_are_read_as_they_are_written() {
    let text = "# Title\n\nWords.\n\n## Two IP ranges\n\n```yaml\na: 1\n```\nwhy\n```text\nb\n\nc\n```\n\n## Empty\n\n\
                ```yaml escaped\na\\xff\\u{2028}\\\\\n```\n\n```text\n```\n";
    let cases = invalid::read(Path::new("x.md"), text);
    let [one, other] = cases.as_slice() else { panic!("{} cases", cases.len()) };
    assert_eq!(
        (one.name.as_str(), one.to_string(), one.said.as_str()),
        ("two-ip-ranges", "x.md:5: Two IP ranges".to_owned(), "b\n\nc\n")
    );
    assert_eq!(one.blueprint, b"a: 1\n");
    assert_eq!((other.said.as_str(), other.blueprint.as_slice()), ("", b"a\xff\xe2\x80\xa8\\\n".as_slice()));
    for wrong in
        ["## A\n", "## A\n```yaml\n```\n## B\n", "```yaml\n```\n", "## A\n```text\n```\n", "## A\n```yaml\n"]
    {
        let read = std::panic::catch_unwind(|| invalid::read(Path::new("x.md"), wrong).len());
        assert!(read.is_err(), "{wrong}");
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let berth = Berth::new();
    berth
        .run(["validate", "missing.yaml"])
        .exits(1)
        .complains(&["missing.yaml: there is no such file", "help:"]);
    berth.write("folder/file", b"");
    berth
        .run(["validate", "folder"])
        .exits(1)
        .complains(&["folder: this is a folder", "help: name a file in it"]);
    berth.run(["apply", "missing.yaml", "--sim"]).exits(1).complains(&["there is no such file", "help:"]);
    let berth = berth.blueprint("blueprint: shop\n");
    berth
        .run(["plan", "blueprint.yaml", "--sim", "-p", "x"])
        .exits(1)
        .complains(&["`-p` gives no name, or no value", "help:"]);
    for (values, wanted) in [("a: [", "values.yaml"), ("- a\n", "it is not a YAML mapping")] {
        berth.write("values.yaml", values.as_bytes());
        berth
            .run(["plan", "blueprint.yaml", "--sim", "--values", "values.yaml"])
            .exits(1)
            .complains(&[wanted, "help:"]);
    }
    let blank = berth.run(["validate", "blueprint.yaml", "--values", "folder"]).exits(1);
    blank.complains(&["folder: this is a folder", "help:"]);
}

const SMALL: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
identities:
  app: { name: id-shop-app }
";

/// A blueprint that was applied, and every file that came of it.
fn applied() -> Berth {
    let berth = Berth::new().blueprint(SMALL);
    berth.apply(&[]).exits(0).says(&["Done."]);
    berth
}

#[test]
fn a_simulator_file_that_cannot_be_used_is_refused_and_kept() {
    for (bytes, wanted) in [
        (&b"{ not json"[..], "cannot be understood"),
        (b"", "cannot be understood"),
        (b"{\"version\": 1, \"time\": 0}", "cannot be understood"),
        (b"{\"version\": 99}", "newer"),
        (b"\xff\xfe", "cannot be understood"),
    ] {
        let berth = applied();
        berth.write(".berth/sim.json", bytes);
        let before = berth.files();
        for run in [berth.plan(&[]), berth.apply(&[]), berth.drift(&[]), berth.destroy(&[])] {
            run.exits(1).complains(&["simulator state .berth/sim.json", wanted]);
        }
        for command in ["export", "show", "reset"] {
            berth.run(["sim", command]).exits(1).complains(&[wanted]);
        }
        assert_eq!(berth.files(), before, "not one byte changed");
    }
}

#[test]
fn a_ledger_that_cannot_be_used_is_refused_and_kept() {
    for (bytes, wanted) in [
        (&b"{ not json"[..], "it is not a ledger"),
        (b"", "it is not a ledger"),
        (b"{\"version\": 1, \"blueprint\": 3}", "it is damaged"),
        (b"{\"version\": 99}", "use the newer berth"),
        (b"{\"version\": 0}", "version 0 was never written"),
        (b"\xff\xfe", "it is not a ledger"),
    ] {
        let berth = applied();
        berth.write(".berth/sim.json.ledgers/shop.json", bytes);
        let ledgers = |berth: &Berth| -> Vec<(PathBuf, Vec<u8>)> {
            let is_lock = |path: &Path| path.extension().is_some_and(|extension| extension == "lock");
            berth.files().into_iter().filter(|(path, _)| !is_lock(path)).collect()
        };
        let before = ledgers(&berth);
        for run in [berth.plan(&[]), berth.apply(&[]), berth.drift(&[]), berth.destroy(&[])] {
            run.exits(1).complains(&["shop.json", wanted, "help: restore"]);
        }
        berth.run(["ledger", "show", "blueprint.yaml", "--sim"]).exits(1).complains(&[wanted, "help:"]);
        berth.run(["output", "blueprint.yaml", "--sim"]).exits(1).complains(&[wanted, "help:"]);
        let after = ledgers(&berth);
        let changed: Vec<&PathBuf> =
            before.iter().zip(&after).filter(|(a, b)| a != b).map(|((path, _), _)| path).collect();
        // The simulator's file has its clock in it, and that went on.
        assert!(changed.iter().all(|path| path.ends_with("sim.json")), "{changed:?}");
        assert_eq!(berth.export().len(), 2, "nothing already made is lost");
    }
}

#[test]
fn a_journal_damaged_in_its_middle_is_refused_and_kept() {
    let berth = applied();
    berth.write(".berth/sim.json.ledgers/shop.journal", b"00000000 {\"broken\"\n00000000 {}\n");
    berth.apply(&[]).exits(1).complains(&["line 1 of the journal is damaged", "help:"]);
    assert!(berth.read(".berth/sim.json.ledgers/shop.journal").starts_with("00000000"));
}

#[test]
fn a_ledger_folder_that_cannot_be_written_stops_the_run_before_it_begins() {
    // A file where the folder should be: not even root can write there.
    let berth = Berth::new().blueprint(SMALL);
    berth.write(".berth/sim.json.ledgers", b"");
    berth.apply(&[]).exits(1).complains(&["the ledger", "help: check that the folder exists"]);
    assert_eq!(berth.export(), [] as [serde_json::Value; 0], "nothing is made that no ledger knows of");
}

#[test]
fn a_simulator_file_that_cannot_be_written_is_told() {
    let berth = Berth::new().blueprint(SMALL);
    berth.write("file", b"");
    let run = berth.run(["plan", "blueprint.yaml", "--sim=file/sim.json"]);
    run.exits(1).complains(&["file/sim.json"]);
    let run = berth.run(["apply", "blueprint.yaml", "--auto-approve", "--sim=file/sim.json"]);
    run.exits(1).complains(&["file/sim.json"]);
}

#[test]
fn a_ledger_in_use_is_not_taken_twice() {
    let berth = applied();
    let lock = std::fs::File::open(berth.path(".berth/sim.json.ledgers/shop.lock")).unwrap();
    lock.lock().unwrap();
    berth.edit("id-shop-app", "id-shop-other");
    berth.apply(&[]).exits(4).complains(&["is in use by", "help: wait for the other run to end"]);
    drop(lock);
    berth.apply(&[]).exits(0).says(&["Done."]);
}
