//! Traces of runs over OTLP: where they go, what is in them, and what is not.

use crate::support::{Berth, Run};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

const BLUEPRINT: &str = "\
blueprint: traced
parameters: { hush: { type: string, secret: true, env: HUSH } }
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-traced }
identities:
  app: { name: id-app }
keyVaults:
  secrets: { name: kv-traced-1, protect: false, secrets: { one: { value: '${param.hush}' } } }
";

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f0672200000207-01";
const SECRET: &str = "correct-horse-battery";

/// Takes one request, and answers it with a status: its head and its body.
fn collector(status: u16) -> (String, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
        (head, String::from_utf8(body).unwrap())
    });
    (url, taken)
}

fn apply(berth: &Berth, variables: &[(&str, &str)]) -> Run {
    let args = ["apply", "blueprint.yaml", "--sim", "--auto-approve"];
    let mut command = berth.command(args);
    command.env("HUSH", SECRET).envs(variables.iter().copied());
    Run::of(&args, command.output().unwrap())
}

#[test]
fn a_run_is_a_trace_within_that_of_the_pipeline() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let (url, taken) = collector(200);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hush-hush-hush-1"),
        ("TRACEPARENT", PARENT),
    ];
    apply(&berth, &variables).exits(0).hides(&["hush-hush", SECRET]);
    let (head, body) = taken.join().unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1") && head.contains("hush-hush-hush-1"), "{head}");
    assert!(!body.contains(SECRET) && !body.contains("hush-hush"), "{body}");
    let trace: Value = serde_json::from_str(&body).unwrap();
    let spans = trace.pointer("/resourceSpans/0/scopeSpans/0/spans").unwrap().as_array().unwrap();
    assert_eq!(spans[0]["name"], "berth apply");
    assert_eq!(spans[0]["parentSpanId"], "00f0672200000207");
    assert!(spans.iter().all(|span| span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736"));
    let named = |name: &str| spans.iter().find(|span| span["name"] == name);
    let vault = named("create keyVaults.secrets").unwrap();
    let time = |member: &str| vault[member].as_str().unwrap().parse::<u128>().unwrap();
    assert!(time("endTimeUnixNano") > time("startTimeUnixNano"), "{vault}");
    assert_eq!(vault["status"]["code"], 1);
    assert!(named("create identities.app").is_some(), "{body}");
}

#[test]
fn nobodys_run_fails_because_of_its_trace() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let (url, taken) = collector(503);
    apply(&berth, &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &format!("{url}/traces"))])
        .exits(0)
        .complains(&["note: the trace of this run was not handed over: it was refused with 503"]);
    assert!(taken.join().unwrap().0.starts_with("POST /traces "));
    // A key would be read by whoever is on the way; what nobody records, and what is off, goes nowhere.
    let remote = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.invalid:4318");
    apply(&berth, &[remote, ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hush-hush-hush-1")])
        .exits(0)
        .complains(&["would travel unencrypted"]);
    for off in [("TRACEPARENT", PARENT.trim_end_matches('1')), ("OTEL_SDK_DISABLED", "true")] {
        let off =
            if off.0 == "TRACEPARENT" { (off.0, format!("{}0", off.1)) } else { (off.0, off.1.to_owned()) };
        apply(&berth, &[remote, (off.0, &off.1)]).exits(0).hides(&["the trace of this run"]);
    }
}
