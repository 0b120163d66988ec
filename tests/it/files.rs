//! Files that berth writes and reads for a person: what is there stays what it is, and what is wrong is said.

use crate::support::Berth;
use std::process::{Command, Stdio};

const BLUEPRINT: &str = "\
blueprint: shop
# ${env.NEVER_READ} and env.ALSO_NOT are comments
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: ${env.REGION}
  resourceGroup: rg-shop
identities:
  app: {}
";

fn berth() -> Berth {
    Berth::new().blueprint(BLUEPRINT)
}

fn plan(berth: &Berth, out: &str) -> std::process::Output {
    let mut command = berth.command(["plan", "blueprint.yaml", "--sim", "--quiet", "--out", out]);
    command.env("REGION", "westeurope").env("NEVER_READ", "HUSH-1").env("ALSO_NOT", "HUSH-2");
    command.output().unwrap()
}

#[test]
fn a_saved_plan_holds_what_was_read_and_nothing_else_of_the_environment() {
    let berth = berth();
    assert_eq!(plan(&berth, "a.plan").status.code(), Some(2));
    let saved: serde_json::Value = serde_json::from_str(&berth.read("a.plan")).unwrap();
    assert_eq!(saved["environment"], serde_json::json!({ "REGION": "westeurope" }));
    assert!(!berth.read("a.plan").contains("HUSH"));
}

#[cfg(unix)]
#[test]
fn devices_links_and_modes_stay_what_they_are() {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
    let berth = berth();
    // A device takes what is written and stays a device.
    assert_eq!(plan(&berth, "/dev/null").status.code(), Some(2));
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let full = plan(&berth, "/dev/full");
    assert_eq!(full.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&full.stderr).contains("/dev/full"));
    // A plan is its owner's alone; one that is there keeps its mode.
    plan(&berth, "new.plan");
    let mode = |name: &str| std::fs::metadata(berth.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("new.plan"), 0o600);
    std::fs::set_permissions(berth.path("new.plan"), std::fs::Permissions::from_mode(0o640)).unwrap();
    plan(&berth, "new.plan");
    assert_eq!(mode("new.plan"), 0o640);
    // A link is followed.
    berth.write("target.plan", b"old");
    symlink(berth.path("target.plan"), berth.path("link.plan")).unwrap();
    plan(&berth, "link.plan");
    assert!(std::fs::symlink_metadata(berth.path("link.plan")).unwrap().is_symlink());
    assert!(berth.read("target.plan").contains("berth-saved-plan"));
    assert!(std::fs::metadata(berth.path("target.plan")).unwrap().size() > 100);
    // No folder is made by itself.
    let nowhere = plan(&berth, "no/such/folder/a.plan");
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(!berth.path("no").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_reader_that_went_away_is_none() {
    let berth = berth();
    for args in [&["schema"][..], &["explain", "networks"], &["completions", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output =
            berth.command(args.iter().copied()).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be written"), "{args:?}");
        let shell = format!(
            "exec {} {} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}",
            env!("CARGO_BIN_EXE_berth"),
            args.join(" ")
        );
        let output = Command::new("bash").args(["-c", &shell]).output().unwrap();
        assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_module_reads_no_environment() {
    let berth = Berth::new().blueprint(&format!("{BLUEPRINT}modules:\n  a: {{ include: ./a.yaml }}\n"));
    berth.write("a.yaml", b"identities:\n  x: { tags: { a: \"${env.REGION}\" } }\n");
    let mut command = berth.command(["validate", "blueprint.yaml"]);
    let output = command.env("REGION", "westeurope").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("a module reads no environment"), "{said}");
}

#[test]
fn expressions_and_policies_have_limits() {
    let berth = berth();
    for expression in [
        "'x' | indent(9999999999)",
        "'x\\ny' | indent(100000)",
        "'x' * 999999999",
        "[1] * 999999999",
        "range(1, 1000000000)",
        "[1] | batch(999999999, 'x')",
        "[1] | slice(999999999)",
        "'%999999999s' | format('x')",
    ] {
        let text = BLUEPRINT.replace("app: {}", &format!("app: {{ tags: {{ a: \"${{{expression}}}\" }} }}"));
        berth.write("blueprint.yaml", text.as_bytes());
        let mut command = berth.command(["validate", "blueprint.yaml"]);
        let output = command.env("REGION", "westeurope").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{expression}");
    }
    berth.write("blueprint.yaml", BLUEPRINT.as_bytes());
    berth.write(
        "p.rego",
        b"package main\ndeny contains msg if { x := numbers.range(1, 300000000); count(x) > 5; msg := \"no\" }\n",
    );
    let mut command = berth.command(["plan", "blueprint.yaml", "--sim", "--policy", "p.rego"]);
    let output = command.env("REGION", "westeurope").env("BERTH_POLICY_MIB", "64").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("BERTH_POLICY_MIB"));
}
