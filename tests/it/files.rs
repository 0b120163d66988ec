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

/// Every command that writes a file under a path of the person's, with `@` for the path.
#[cfg(unix)]
const WRITERS: &[&[&str]] = &[
    &["plan", "blueprint.yaml", "--sim", "--quiet", "--out", "@"],
    &["plan", "blueprint.yaml", "--sim", "--quiet", "--trace-http", "@"],
    &["drift", "blueprint.yaml", "--sim", "--quiet", "--report", "json=@"],
    &["drift", "blueprint.yaml", "--sim", "--quiet", "--report", "sarif=@"],
    &["drift", "blueprint.yaml", "--sim", "--quiet", "--report", "junit=@"],
    &["drift", "blueprint.yaml", "--sim", "--quiet", "--report", "markdown=@"],
    &["drift", "blueprint.yaml", "--sim", "--quiet", "--report", "html=@"],
];

/// Runs a writer with a path: its exit code and what it said.
#[cfg(unix)]
fn writes(berth: &Berth, line: &[&str], path: &str) -> (Option<i32>, String) {
    let line: Vec<String> = line.iter().map(|word| word.replace('@', path)).collect();
    said(berth, &line.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A device, a pipe, a link, a mode, a folder that is missing or closed, and a disk that is full, for every file that
/// somebody may ask for.
#[cfg(target_os = "linux")]
#[test]
fn whatever_is_in_the_place_of_a_file_stays_what_it_is() {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown, symlink};
    let berth = berth();
    assert_eq!(said(&berth, &["apply", "blueprint.yaml", "--sim", "--auto-approve"]).0, Some(0));
    let privileged = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    for line in WRITERS {
        let fails = |path: &str, word: &str| {
            let (code, text) = writes(&berth, line, path);
            assert!(code == Some(1) && text.contains(word), "{line:?} {path}: {code:?} {text}");
        };
        let goes = |path: &str| {
            let (code, text) = writes(&berth, line, path);
            assert!(code == Some(0), "{line:?} {path}: {code:?} {text}");
        };
        // Devices, by themselves and by links of the system's.
        for device in ["/dev/null", "/dev/stdout", "/dev/stderr"] {
            goes(device);
            assert!(!std::fs::metadata(device).unwrap().is_dir());
        }
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        fails("/dev/full", "/dev/full");
        // A pipe, to somebody who reads.
        let pipe = berth.path("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).unwrap().len()
        });
        goes("pipe");
        assert!(reader.join().unwrap() > 2);
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
        std::fs::remove_file(&pipe).unwrap();
        // Folders.
        fails("no/such/file", "no/such/file");
        assert!(!berth.path("no").exists());
        std::fs::create_dir_all(berth.path("folder")).unwrap();
        fails("folder", "folder");
        assert!(berth.path("folder").is_dir());
        if !privileged {
            std::fs::set_permissions(berth.path("folder"), std::fs::Permissions::from_mode(0o500)).unwrap();
            fails("folder/file", "folder/file");
            std::fs::set_permissions(berth.path("folder"), std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        // Modes.
        let private = line.contains(&"--out") || line.contains(&"--trace-http");
        goes("file");
        let mode = || std::fs::metadata(berth.path("file")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), if private { 0o600 } else { 0o644 }, "{line:?}");
        std::fs::set_permissions(berth.path("file"), std::fs::Permissions::from_mode(0o440)).unwrap();
        if privileged || !line.contains(&"--trace-http") {
            goes("file");
            assert_eq!(mode(), if line.contains(&"--trace-http") { 0o600 } else { 0o440 }, "{line:?}");
        }
        let written = std::fs::read(berth.path("file")).unwrap();
        std::fs::remove_file(berth.path("file")).unwrap();
        // Links: one of ours is followed, one of somebody else's or to nothing is not.
        berth.write("elsewhere", b"precious");
        symlink("elsewhere", berth.path("link")).unwrap();
        if privileged {
            lchown(berth.path("link"), Some(4711), Some(4711)).unwrap();
            fails("link", "somebody else owns");
            assert_eq!(berth.read("elsewhere"), "precious");
            lchown(berth.path("link"), Some(0), Some(0)).unwrap();
        }
        goes("link");
        assert!(std::fs::symlink_metadata(berth.path("link")).unwrap().is_symlink());
        assert_eq!(berth.read("elsewhere").is_empty(), written.is_empty());
        assert_ne!(berth.read("elsewhere"), "precious");
        for name in ["link", "elsewhere"] {
            std::fs::remove_file(berth.path(name)).unwrap();
        }
        symlink("nothing", berth.path("link")).unwrap();
        fails("link", "link");
        assert!(!berth.path("nothing").exists());
        std::fs::remove_file(berth.path("link")).unwrap();
    }
}

/// What the simulator's server writes, and where it keeps its state.
#[cfg(target_os = "linux")]
#[test]
fn what_is_served_writes_like_everything_else() {
    use crate::support::Server;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    let berth = berth();
    let serve = |more: &[&str]| {
        let state: &[&str] = if more.contains(&"--state") { &[] } else { &["--state", "sim.json"] };
        berth.command([&["sim", "serve", "--listen", "127.0.0.1:0"], state, more].concat())
    };
    for (more, word) in [
        (&["--record", "no/such/file"][..], "--record"),
        (&["--tls", "--write-ca", "no/such/ca.pem"], "--write-ca"),
        (&["--tls", "--write-ca", "/dev/full"], "--write-ca"),
        (&["--state", "/dev/null"], "/dev/null"),
    ] {
        let output = serve(more).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && text.contains(word), "{more:?}: {text}");
    }
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert!(!std::path::Path::new("/dev/null.lock").exists());
    assert!(!berth.path("no").exists());
    // A record is its owner's alone, and one that cannot be written is told of.
    berth.write("record.jsonl", b"old");
    std::fs::set_permissions(berth.path("record.jsonl"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let server = Server::start(serve(&["--record", "record.jsonl", "--tls", "--write-ca", "ca.pem"]));
    server.stop();
    let mode = |name: &str| std::fs::metadata(berth.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("record.jsonl"), mode("sim.json.lock"), mode("ca.pem")], [0o600, 0o600, 0o644]);
    // Locks and states are opened without following links.
    symlink("elsewhere", berth.path("other.json.lock")).unwrap();
    let output = serve(&["--state", "other.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!berth.path("elsewhere").exists());
}

/// A ledger's own files: never by a link of somebody's, closed to others, and nothing of a killed run stays.
#[cfg(unix)]
#[test]
fn a_ledgers_files_follow_no_link_and_what_a_killed_run_left_goes() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let berth = berth();
    let apply = ["apply", "blueprint.yaml", "--sim", "--auto-approve"];
    let (code, text) = said(&berth, &apply);
    assert_eq!(code, Some(0), "{text}");
    let ledger = berth.path(".berth/sim.json.ledgers/shop.json");
    let beside = |extension: &str| ledger.with_extension(extension);
    for path in
        [ledger.clone(), beside("lock"), berth.path(".berth/sim.json"), berth.path(".berth/sim.json.lock")]
    {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
    let precious = berth.path("precious");
    berth.write("precious", b"");
    let mut count = 0;
    for extension in ["lock", "journal"] {
        let _ = std::fs::remove_file(beside(extension));
        for target in [precious.clone(), berth.path("nothing"), "/dev/null".into()] {
            symlink(&target, beside(extension)).unwrap();
            berth.edit("app: {}", &format!("app: {{}}\n  other{count}: {{}}"));
            count += 1;
            let (code, text) = said(&berth, &apply);
            // In place of a journal it is taken away where an empty journal would be.
            assert!(code == Some(1) || (code == Some(0) && extension == "journal"), "{extension}: {text}");
            assert!(!berth.path("nothing").exists());
            assert_eq!(berth.read("precious"), "");
            let _ = std::fs::remove_file(beside(extension));
        }
    }
    // What was being written when a run was killed.
    let folder = ledger.parent().unwrap().to_owned();
    for name in [".berth-Ab12Cd.tmp", ".berth-zz99ZZ.tmp"] {
        std::fs::File::create(folder.join(name)).unwrap();
        std::fs::File::create(berth.path(".berth").join(name)).unwrap();
    }
    std::fs::File::create(folder.join(".berth-mine")).unwrap();
    berth.edit("app: {}", "app: {}\n  other: {}");
    let (code, text) = said(&berth, &apply);
    assert_eq!(code, Some(0), "{text}");
    let mut left: Vec<_> = berth.files().into_iter().map(|(path, _)| path).collect();
    left.retain(|path| path.to_str().unwrap().contains(".berth-"));
    assert_eq!(left, [folder.join(".berth-mine")]);
}

/// A template is written as a whole or not at all, and over nothing.
#[cfg(unix)]
#[test]
fn a_template_goes_over_nothing_and_is_whole() {
    use std::os::unix::fs::symlink;
    let berth = berth();
    let (_, list) = said(&berth, &["init", "--list"]);
    let template = list.split_whitespace().next().unwrap().to_owned();
    let name = format!("{template}.yaml");
    std::fs::create_dir_all(berth.path("d")).unwrap();
    for target in ["nothing", "/dev/null", "blueprint.yaml"] {
        symlink(target, berth.path("d").join(&name)).unwrap();
        let names = || std::fs::read_dir(berth.path("d")).unwrap().count();
        let before = names();
        let (code, text) = said(&berth, &["init", "d", "--template", &template]);
        assert_eq!(code, Some(1), "{target}: {text}");
        assert_eq!(names(), before);
        std::fs::remove_file(berth.path("d").join(&name)).unwrap();
    }
    assert!(!berth.path("nothing").exists());
    assert_eq!(berth.read("blueprint.yaml"), BLUEPRINT);
}

/// Every command that shows a result says so when it cannot be written.
#[cfg(target_os = "linux")]
#[test]
fn no_result_is_lost_on_a_full_disk_without_a_word() {
    let berth = berth().blueprint(&format!("{BLUEPRINT}outputs: {{ a: hello }}\n"));
    assert_eq!(said(&berth, &["apply", "blueprint.yaml", "--sim", "--auto-approve"]).0, Some(0));
    for args in [
        &["output", "blueprint.yaml", "--sim"][..],
        &["output", "blueprint.yaml", "--sim", "a"],
        &["output", "blueprint.yaml", "--sim", "--format", "json"],
        &["plan", "blueprint.yaml", "--sim"],
        &["plan", "blueprint.yaml", "--sim", "--format", "html"],
        &["drift", "blueprint.yaml", "--sim", "--format", "markdown"],
        &["graph", "blueprint.yaml"],
        &["graph", "blueprint.yaml", "--format", "mermaid"],
        &["ledger", "show", "blueprint.yaml", "--sim"],
        &["ledger", "show", "blueprint.yaml", "--sim", "--format", "json"],
        &["ledger", "history", "blueprint.yaml", "--sim"],
        &["sim", "show"],
        &["sim", "export"],
        &["schema"],
        &["explain"],
        &["init", "--list"],
        &["init", "fresh"],
        &["validate", "blueprint.yaml"],
        &["--help"],
        &["--version"],
        &["destroy", "blueprint.yaml", "--sim", "--auto-approve"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = berth.command(args.iter().copied());
        let output = command.env("REGION", "westeurope").stdout(full).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert!(text.contains("cannot be written"), "{args:?}: {text}");
        assert!(!text.contains("panicked") && !text.contains("defect"), "{args:?}: {text}");
    }
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
    // What names a limit says so, and none of it takes the process down.
    let long = |part: &str, end: &str| format!("{}{end}", part.repeat(20_000));
    for (expression, word) in [
        ("('x' * 100000) | replace('x', 'y' * 100000)".to_owned(), "1 MiB"),
        ("replace('x' * 100000, 'x', 'y' * 100000)".to_owned(), "1 MiB"),
        ("range(100000) | join('y' * 100000)".to_owned(), "1 MiB"),
        ("join(range(100000), 'y' * 100000)".to_owned(), "1 MiB"),
        ("'x' * 2000000".to_owned(), "1 MiB"),
        ("'x' | indent(201)".to_owned(), "indented by at most 200"),
        ("range(1, 1000000000)".to_owned(), "too many elements"),
        ("'x' * 999999999".to_owned(), "too large"),
        ("[1] * 999999999".to_owned(), "too large"),
        (long("not ", "true"), "250 operators"),
        (long("-", "1"), "250 operators"),
        (long("1+", "1"), "250 operators"),
        (long("1 if 1 else ", "1"), "250 operators"),
        (long("1 and ", "1"), "250 operators"),
        (format!("1{}", " | int".repeat(20_000)), "250 operators"),
        (format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)), "operators"),
    ] {
        let text = BLUEPRINT.replace("app: {}", &format!("app: {{ tags: {{ a: \"${{{expression}}}\" }} }}"));
        berth.write("blueprint.yaml", text.as_bytes());
        let (code, text) = said(&berth, &["validate", "blueprint.yaml"]);
        assert_eq!(code, Some(1), "{expression:.60}: {text}");
        assert!(text.contains(word) || text.contains("too deep"), "{expression:.60}: {text}");
        assert!(is_fixed(&text), "{expression:.60}: {text}");
    }
    // Modules in modules multiply, and so do files.
    let each = "forEach: \"${range(1000)}\"";
    berth.write("m.yaml", format!("modules: {{ n: {{ include: n.yaml, {each} }} }}\n").as_bytes());
    berth.write("n.yaml", format!("identities: {{ abc: {{ {each} }} }}\n").as_bytes());
    berth.write(
        "blueprint.yaml",
        format!("{BLUEPRINT}modules: {{ m: {{ include: m.yaml, {each} }} }}\n").as_bytes(),
    );
    let (code, text) = said(&berth, &["validate", "blueprint.yaml"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("more than 100000 instances") && is_fixed(&text), "{text:.600}");
    // Memory itself has a limit where the system tells of it.
    if cfg!(target_os = "linux") {
        let list = BLUEPRINT.replace("app: {}", "app: { tags: { a: \"${(['y' * 1000000] * 2000) ~ ''}\" } }");
        berth.write("blueprint.yaml", list.as_bytes());
        let mut command = berth.command(["validate", "blueprint.yaml"]);
        let output = command.env("REGION", "westeurope").env("BERTH_BLUEPRINT_MIB", "256").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("BERTH_BLUEPRINT_MIB") || said.contains("1 MiB"), "{said:.600}");
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

/// Whether an error says that nothing raises its limit; lines are broken anywhere.
fn is_fixed(text: &str) -> bool {
    text.split_whitespace().collect::<Vec<_>>().join(" ").contains("this limit is fixed")
}

fn said(berth: &Berth, args: &[&str]) -> (Option<i32>, String) {
    let mut command = berth.command(args.iter().copied());
    let output = command.env("REGION", "westeurope").output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    (output.status.code(), text)
}

/// A module reads what really lies below its folder; the root file includes what its author says.
#[cfg(unix)]
#[test]
fn no_link_leads_a_module_out_of_its_folder() {
    use std::os::unix::fs::symlink;
    let berth = Berth::new().blueprint(&format!("{BLUEPRINT}modules:\n  a: {{ include: mod/a.yaml }}\n"));
    berth.write("outside/x.yaml", b"outputs: { a: HUSH, b: [ }\n");
    berth.write("mod/in/y.yaml", b"outputs: { a: fine }\n");
    berth.write("mod/a.yaml", b"");
    symlink("../outside/x.yaml", berth.path("mod/file.yaml")).unwrap();
    symlink("../outside", berth.path("mod/folder")).unwrap();
    symlink("mod/file.yaml", berth.path("twice.yaml")).unwrap();
    symlink("../twice.yaml", berth.path("mod/twice.yaml")).unwrap();
    symlink("in/y.yaml", berth.path("mod/inside.yaml")).unwrap();
    symlink(berth.path("mod/in"), berth.path("mod/absolute")).unwrap();
    symlink("self.yaml", berth.path("mod/self.yaml")).unwrap();
    symlink("/dev/zero", berth.path("mod/device.yaml")).unwrap();
    for (include, fits) in [
        ("file.yaml", false),
        ("folder/x.yaml", false),
        ("twice.yaml", false),
        ("self.yaml", false),
        ("device.yaml", false),
        ("in", false),
        ("inside.yaml", true),
        ("absolute/y.yaml", true),
        ("in/y.yaml", true),
    ] {
        berth.write("mod/a.yaml", format!("modules: {{ x: {{ include: {include} }} }}\n").as_bytes());
        let (code, text) = said(&berth, &["validate", "blueprint.yaml"]);
        assert_eq!(code, Some(if fits { 0 } else { 1 }), "{include}: {text}");
        assert!(!text.contains("HUSH"), "{include}: {text}");
    }
    // A file that the root includes is not a key to it for a module.
    berth.write("mod/a.yaml", b"modules: { x: { include: file.yaml } }\n");
    berth.write(
        "blueprint.yaml",
        format!("{BLUEPRINT}modules:\n  z: {{ include: mod/file.yaml }}\n  a: {{ include: mod/a.yaml }}\n")
            .as_bytes(),
    );
    berth.write("outside/x.yaml", b"outputs: { a: HUSH }\n");
    let (code, text) = said(&berth, &["validate", "blueprint.yaml"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("leads out of the folder"), "{text}");
}

/// A link that is exchanged while berth looks at it: the file that was opened counts, not the one that was looked at.
#[cfg(unix)]
#[test]
fn a_link_that_is_exchanged_meanwhile_leads_nowhere() {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};
    let berth = Berth::new().blueprint(&format!("{BLUEPRINT}modules:\n  a: {{ include: mod/a.yaml }}\n"));
    berth.write("outside/x.yaml", b"HUSH_unknown_section: {}\n");
    berth.write("mod/in/x.yaml", b"outputs: { a: fine }\n");
    berth.write("mod/a.yaml", b"modules: { x: { include: way/x.yaml } }\n");
    symlink("in", berth.path("mod/way")).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut outside = false;
            while !done.load(Ordering::Relaxed) {
                outside = !outside;
                symlink(if outside { "../outside" } else { "in" }, berth.path("mod/next")).unwrap();
                std::fs::rename(berth.path("mod/next"), berth.path("mod/way")).unwrap();
            }
        });
        for _ in 0..40 {
            let (_, text) = said(&berth, &["validate", "blueprint.yaml"]);
            assert!(!text.contains("HUSH"), "{text}");
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// A file that is not a blueprint shows nothing of itself, by whatever way it is named.
#[test]
fn no_line_of_another_file_is_shown() {
    let berth = berth();
    for (name, text) in [
        ("shadow", "root:$y$j9T$HUSH:19000:0:99999:7:::\ndaemon:*:1\n"),
        ("text", "HUSH\n"),
        ("list.yaml", "- HUSH\n- password: HUSH\n"),
        ("dotenv", "DB_PASSWORD=HUSH\nURL=postgres://u:HUSH@h/x\n"),
        ("key.pem", "-----BEGIN KEY-----\nHUSH\n-----END KEY-----\n"),
        ("config.json", "{\"auths\": {\"r\": {\"auth\": \"HUSH\"}}}\n"),
        ("broken.json", "{\"auths\": {\"r\": {\"auth\": \"HUSH\"}}\n"),
        ("kube.yaml", "apiVersion: v1\nusers:\n- name: a\n  user: { token: HUSH }\n"),
        ("twice.yaml", "password: HUSH\npassword: HUSH\n"),
        ("latin", "password: HUSH \u{1}\n"),
        ("values.yaml", "password: HUSH\nother: [\n"),
    ] {
        berth.write(name, text.as_bytes());
        for args in [
            &["validate", name][..],
            &["plan", name, "--sim"],
            &["apply", name, "--sim"],
            &["graph", name],
            &["drift", name, "--sim"],
            &["output", name, "--sim"],
            &["destroy", name, "--sim", "--auto-approve"],
            &["ledger", "show", name, "--sim"],
            &["ledger", "forget", name, "a.b", "--sim"],
            &["validate", "blueprint.yaml", "--values", name],
            &["plan", "blueprint.yaml", "--sim", "--faults", name],
            &["validate", "blueprint.yaml", "--policy", name],
            &["plan", "blueprint.yaml", "--endpoint", "https://127.0.0.1:1", "--ca-file", name],
            &["approve", "list", "--blueprint", name, "--sim"],
            &["sim", "load", name],
        ] {
            let (code, text) = said(&berth, args);
            assert_ne!(code, None, "{args:?}");
            assert!(!text.contains("HUSH"), "{args:?}: {text}");
        }
        berth.write(
            "includes.yaml",
            format!("{BLUEPRINT}modules: {{ m: {{ include: {name} }} }}\n").as_bytes(),
        );
        let (code, text) = said(&berth, &["validate", "includes.yaml"]);
        assert_eq!(code, Some(1));
        assert!(!text.contains("HUSH"), "{name}: {text}");
    }
}
