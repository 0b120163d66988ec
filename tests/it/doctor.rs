//! `berth doctor`: retirements, with their dates and sources, and what else is wrong with the set-up.

use crate::support::{Berth, root};

/// Everything that is old at once.
const OLD: &str = "tests/doctor/old.yaml";

#[test]
fn every_blueprint_of_the_repository_is_clean() {
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join("blueprints")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let berth = Berth::new().beside(&path);
        let run = berth.run(["doctor", "blueprint.yaml", "--offline", "--until", "2027-02"]);
        run.exits(0).says(&["nothing is wrong"]);
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn what_is_old_is_listed_with_its_date_and_its_source() {
    let berth = Berth::new().blueprint(&std::fs::read_to_string(root().join(OLD)).unwrap());
    let run = berth.run(["doctor", "blueprint.yaml", "--offline", "--until", "2030-12"]).exits(2);
    // Nothing of the calendar is missing but what no two of which can be in one blueprint.
    for row in [
        "Kubernetes 1.32",
        "Windows Server 2019",
        "pod identity",
        "asm-1-27",
        "Key Vault",
        "Application Gateway v1",
        "Redis",
        "Basic public IP",
        "kubelet-serving",
        "Open Service Mesh",
    ] {
        assert!(run.stdout.contains(row), "{row}: {}", run.stdout);
    }
    let places = run.stdout.matches("blueprint.yaml:").count();
    let rows = run.stdout.matches("retirement\n").count();
    assert_eq!(places, rows, "{}", run.stdout);
}

#[test]
fn how_far_is_looked_ahead_is_asked_for() {
    let berth = Berth::new().blueprint(&std::fs::read_to_string(root().join(OLD)).unwrap());
    let rows = |until: &str, code: i32| {
        let run = berth.run(["doctor", "blueprint.yaml", "--offline", "--format", "json", "--until", until]);
        run.exits(code).json()["retirements"].as_array().unwrap().len()
    };
    assert_eq!(rows("2025-01", 0), 0);
    assert!(rows("2026-06", 2) < rows("2027-06", 2));
    berth.run(["doctor", "blueprint.yaml", "--offline", "--until", "soon"]).exits(1).complains(&["2027-06"]);
}

#[test]
fn the_set_up_is_looked_at_too() {
    let berth = Berth::quickstart();
    let run = berth.run(["doctor", "blueprint.yaml", "--sim", "--until", "2027-02"]).exits(0);
    for line in ["Signed in ", "Ledger ", "Registered ", "nothing is wrong"] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    assert!(berth.export().is_empty());
}
