//! Files that nobody writes by hand, or nobody should: refused in no time with a place and a remedy, or read as they are.

use crate::support::{Berth, Ended, Run};
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

const HEAD: &str = "blueprint: shop\nazure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }\n";

/// What `validate` says of these bytes after the head of a blueprint, and that it took no longer than a moment.
#[track_caller]
fn refused(more: impl AsRef<[u8]>, says: &[&str]) -> Ended {
    whole([HEAD.as_bytes(), more.as_ref()].concat(), says)
}

#[expect(clippy::disallowed_methods, reason = "how long a real parser takes")]
#[track_caller]
fn whole(bytes: impl AsRef<[u8]>, says: &[&str]) -> Ended {
    let berth = Berth::new();
    berth.write("blueprint.yaml", bytes.as_ref());
    let started = Instant::now();
    let ended = berth.validate().exits(1).complains(says).complains(&["[blueprint.yaml:", "help: "]);
    // Wide enough for a slow machine, and far below what an unlimited parser takes.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(ended.stderr.len() < 50_000, "{} bytes of messages", ended.stderr.len());
    ended
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    whole(
        "# a comment\n".repeat(4_200_000),
        &["too-large", "48.1 MiB", "up to 16", "this limit is fixed", "modules"],
    );
    let long = format!("identities: {{ app: {{ name: {} }} }}\n", "a".repeat(1_000_000));
    refused(long, &["identity-name", "3 to 128 letters", "blueprint.yaml:3:28", "…"]);
}

#[test]
fn thousands_of_mistakes_are_told_in_part() {
    let many: String =
        (0..3_000).map(|n| format!("  app{n}: {{ nme: id-shop-{n}, tags: {{ of: team-{n} }} }}\n")).collect();
    refused(format!("identities:\n{many}"), &["did you mean `name`?", "… and 2900 more", "3000 errors"]);
}

#[test]
fn nesting_ends_somewhere() {
    for unit in ["[", "{a: ", "- ", "? ", "[&a "] {
        refused(
            format!("identities:\n {}", unit.repeat(100_000)),
            &["more than 1000 lists and mappings", "this limit is fixed", "nest less"],
        );
    }
    let steps: String = (1..1_500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    refused(
        format!("identities:\n{steps}"),
        &["nested too deep", "more than 128", "this limit is fixed", "nest less"],
    );
    refused("identities: &a { app: *a }\n", &["nested too deep", "an alias cannot be in what it repeats"]);
    let expression = format!("outputs: {{ a: \"${{{}1{}}}\" }}\n", "(".repeat(50_000), ")".repeat(50_000));
    refused(expression, &["blueprint.yaml:3:15", "more than 250 operators", "this limit is fixed"]);
}

#[test]
fn aliases_repeat_only_so_much() {
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for pair in "abcdefghij".as_bytes().windows(2) {
        let (of, name) = (char::from(pair[0]), char::from(pair[1]));
        let list = vec![format!("*{of}"); 9].join(", ");
        laughs.push_str(&format!("{name}: &{name} [{list}]\n"));
    }
    refused(laughs, &["the aliases (`*name`) of this file repeat too much", "this limit is fixed"]);
    let text = format!("x: &x {}\ny: [{}]\n", "y".repeat(100_000), vec!["*x"; 100_000].join(","));
    refused(text, &["blueprint.yaml:3:4", "repeat too much", "`forEach` and `modules`"]);
    let fair = "x: &x { team: shop }\n";
    let entries: String = (0..200).map(|n| format!("  app{n}: {{ tags: *x }}\n")).collect();
    let ended = refused(format!("{fair}identities:\n{entries}"), &["there is no section `x`", "1 error"]);
    assert_eq!(ended.stderr.matches("── here").count(), 1);
}

#[test]
fn every_encoding_but_utf8_is_named() {
    refused(b"identities:\n  app: { name: \xc3\xa4b\xff }\n", &["not-utf8", "[blueprint.yaml:4:18]"]);
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(HEAD.bytes().flat_map(|byte| [byte, 0])).collect();
    whole(&utf16, &["the file is UTF-16", "iconv"]);
    whole(&utf16[2..], &["control-character", "UTF-16"]);
    whole(b"\x89PNG\r\n\x1a\n\0\0", &["not-utf8"]);
    whole(b"\0\0\0\0", &["control-character", "[blueprint.yaml:1:1]"]);
    refused("identities:\n  app: { name: a\0b }\n", &["control-character", "[blueprint.yaml:4:17]"]);
    refused("identities:\n  app: { name: a\u{1b}b }\n", &["U+001B", "[blueprint.yaml:4:17]"]);
}

#[test]
fn marks_and_line_ends_move_no_place() {
    let text = "identities:\n  app: { tags: { größe: 'ü' }, nme: x }\n  b: y\n";
    for (before, end) in [("", "\n"), ("\u{feff}", "\n"), ("", "\r\n"), ("\u{feff}", "\r\n")] {
        let all = format!("{before}{}", format!("{HEAD}{text}").replace('\n', end));
        let ended = whole(all, &["[blueprint.yaml:4:32]", "[blueprint.yaml:5:6]", "2 errors"]);
        assert!(ended.stderr.contains("app: { tags: { größe: 'ü' }, nme: x }\n"), "{ended:?}");
    }
    whole("\u{feff}blueprnt: shop\n", &["[blueprint.yaml:1:1]", "did you mean `blueprint`?"]);
    whole(HEAD.replace('\n', "\r"), &["a carriage return alone", "[blueprint.yaml:1:16]"]);
}

#[test]
fn keys_are_there_once_wherever_they_are() {
    for (text, key, place) in [
        ("identities: {}\nidentities: {}\n", "identities", "4:1"),
        ("identities:\n  app: {}\n  b: {}\n  app: {}\n", "app", "6:3"),
        ("identities: { app: {}, app: {} }\n", "app", "3:24"),
        ("identities: { app: { tags: { a: 1, \"a\": 2 } } }\n", "a", "3:36"),
        ("networks: { hub: { subnets: { n: { prefix: x, prefix: y } } } }\n", "prefix", "3:47"),
    ] {
        let (key, place) = (format!("the key `{key}` is here twice"), format!("[blueprint.yaml:{place}]"));
        refused(text, &["duplicate-key", &key, &place, "keep one of the two"]);
    }
}

#[test]
fn one_document_and_something_in_it() {
    for nothing in ["", "\n\n", "# only\n# comments\n", "---\n", "---\n...\n", "~\n", "\u{feff}"] {
        whole(nothing, &["empty", "the file says nothing", "[blueprint.yaml:1:1]"]);
    }
    refused(format!("# next\n---\n{HEAD}"), &["more than one document", "[blueprint.yaml:4:1]"]);
    whole(
        format!("%YAML 1.2\n---\n{HEAD}...\n---\na: b\n"),
        &["more than one document", "[blueprint.yaml:6:1]"],
    );
    for one in
        [format!("---\n{HEAD}"), format!("{HEAD}...\n"), format!("%YAML 1.2\n--- # head\n{HEAD}...\n# end\n")]
    {
        let berth = Berth::new().blueprint(&one);
        berth.validate().exits(0).says(&["is valid"]);
    }
}

#[cfg(unix)]
#[test]
fn pipes_are_read_as_files_are() {
    let berth = Berth::new();
    let text = format!("{HEAD}identities:\n  app: {{ nme: x }}\n");
    for args in [&["validate", "/dev/stdin"][..], &["plan", "/dev/stdin", "--sim"]] {
        let mut command = berth.command(args.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Run::of(args, child.wait_with_output().unwrap())
            .exits(1)
            .complains(&["[/dev/stdin:4:10]", "did you mean"]);
    }
    berth.run(["validate", "/dev/null"]).exits(1).complains(&["[/dev/null:1:1]", "the file says nothing"]);
    berth.run(["validate", "-"]).exits(1).complains(&["[-:1:1]", "the file says nothing"]);
    // A named pipe has no size and can be read once.
    let made = std::process::Command::new("mkfifo").arg(berth.path("pipe")).status().unwrap();
    assert!(made.success());
    let child =
        berth.command(["validate", "pipe"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = std::fs::OpenOptions::new().write(true).open(berth.path("pipe")).unwrap();
    pipe.write_all(text.as_bytes()).unwrap();
    drop(pipe);
    Run::of(&["validate", "pipe"], child.wait_with_output().unwrap()).exits(1).complains(&["[pipe:4:10]"]);
    berth.write("folder/file", b"");
    for command in ["validate", "plan", "graph", "drift", "destroy"] {
        let sim: &[&str] = if matches!(command, "validate" | "graph") { &[] } else { &["--sim"] };
        berth.run([&[command, "folder"], sim].concat()).exits(1).complains(&["folder: this is a folder"]);
    }
}
