//! Every request that berth sends is an operation that Azure has, every body what the official schema of its type and
//! version accepts, and every answer of the simulator has a status of the operation: while everything is made,
//! changed and taken down, through a proxy that answers with every read-only property that Azure could show.

use crate::facts;
use crate::session::session;
use crate::witness::{self, Generous, Witness, Written};
use berth::apply::Applied;
use berth::approve::Allowances;
use berth::arm::transport::{Headers, Method, Request, Transport};
use berth::blueprint::{Blueprint, Caller, Inputs, Missing, Source, load, parse_value};
use berth::catalog::{ResourceType, UpdateMode, registry};
use berth::diag::Failure;
use berth::host::{Clock, Timestamp};
use berth::ops::{self, Session};
use berth::plan::Adoption;
use berth::sim::{self, CALLER_OBJECT_ID, Simulator};
use berth::value::merge;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Every blueprint of the repository, those of clusters with everything, and the example of every kind: path, or a name,
/// and text.
fn blueprints() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("blueprints"), root.join("tests/clusters")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
                let text = std::fs::read_to_string(&path).unwrap();
                // A folder may hold values files as well.
                if text.lines().any(|line| line.starts_with("blueprint:")) {
                    all.push((path.display().to_string(), text));
                }
            }
        }
    }
    assert!(!all.is_empty(), "there are no blueprints");
    // What others made is only read, and is in no simulator that is new.
    for kind in registry().iter().filter(|kind| kind.section != "existing") {
        let head = "blueprint: example\nazure: { location: westeurope, resourceGroup: rg-example }\n";
        all.push((format!("the example of {}", kind.section), format!("{head}{}", kind.example)));
    }
    all.sort();
    all
}

pub fn read(name: &str, text: &str, simulator: &Simulator) -> Blueprint {
    let source = Source::parse(name, text.as_bytes()).unwrap_or_else(|d| panic!("{name}: {d:?}"));
    let source = source.with_includes(&|path| std::fs::read(path).map_err(|error| Failure::of(&error, None)));
    let caller = Caller { tenant_id: Some(simulator.tenant()), object_id: Some(CALLER_OBJECT_ID.to_owned()) };
    let inputs = Inputs {
        caller: Some(caller),
        subscription: Some(simulator.subscription()),
        missing: Missing::MakeUp,
        ..Inputs::default()
    };
    load(&source, &inputs).unwrap_or_else(|d| panic!("{name}: {d:?}\n{text}"))
}

fn everything(blueprint: &Blueprint) -> Allowances {
    let all: Vec<String> = blueprint.desired.resources.iter().map(|one| one.address.to_string()).collect();
    Allowances { replace: all.clone(), delete: all }
}

pub async fn apply(session: &Session, blueprint: &Blueprint, name: &str) -> Applied {
    let allowances = everything(blueprint);
    let applied = ops::apply(session, &blueprint.desired, Adoption::Allowed, &allowances, |_, _| true).await;
    let applied = applied.unwrap_or_else(|error| panic!("{name}: {error}")).expect("nobody said no");
    assert!(applied.summary.is_complete(), "{name}: {:#?}", applied.summary);
    applied
}

pub async fn every_request_is_an_operation_of_azures() {
    if facts::dir("requests").is_none() {
        return;
    }
    let (mut applied, mut requests, mut bodies, mut merged) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    let mut completed = std::collections::BTreeMap::<String, usize>::new();
    for (name, text) in blueprints() {
        let clock = Clock::start_at(Timestamp(1_790_000_000_000), 1.0);
        let options = sim::Options { time: sim::Time::Host(clock.clone()), ..Default::default() };
        let simulator = Simulator::new(options);
        let generous = Arc::new(Generous::new(Arc::new(simulator.clone())));
        let watch = Arc::new(Witness::new(generous.clone()));
        let session = session(watch.clone(), clock);
        let blueprint = read(&name, &text, &simulator);
        apply(&session, &blueprint, &name).await;
        let again = ops::plan(&session, &blueprint.desired, Adoption::Refused).await.unwrap().plan;
        for step in again.changes() {
            let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
            wrong.push(format!("{name}: planned again: {:?} of {}: {paths:?}", step.action, step.address));
        }

        // A further tag changes everything that has tags.
        let mut changed = parse_value(&text).unwrap();
        changed["azure"]["tags"]["conformance"] = "changed".into();
        let blueprint = read(&name, &changed.to_string(), &simulator);
        apply(&session, &blueprint, &name).await;

        // What an update of each would send: the live body without what is Azure's, under what was asked for.
        for put in watch.put() {
            let kind = blueprint.desired.by_id.get(&put.id).map(|&at| blueprint.desired.resources[at].kind);
            let Some(kind) = kind.filter(|kind: &&ResourceType| kind.update == UpdateMode::Put) else {
                continue;
            };
            let live = session.engine.client.get(put.id.as_str(), kind.api_version).await.unwrap().unwrap();
            let written = Written { body: merge(&live.body, &put.body, kind.compiled(), &[]), ..put };
            merged += 1;
            let subject = format!("PUT {}", written.id.resource_type());
            let mut facts = witness::facts().unwrap();
            for fault in facts.body_faults(&written) {
                if !facts.is_known(&subject, &fault) {
                    wrong.push(format!("{subject}: merged: {fault}"));
                }
            }
        }

        let all = everything(&blueprint);
        let gone = ops::destroy(&session, &blueprint.desired.blueprint, &[], &all, |_, _| true);
        let gone = gone.await.unwrap_or_else(|error| panic!("{name}: {error}")).expect("nobody said no");
        assert!(gone.summary.is_complete(), "{name}: {:#?}", gone.summary);

        let (found, asked, sent) = watch.told();
        wrong.extend(found);
        for (arm_type, count) in generous.completed.lock().unwrap().iter() {
            *completed.entry(arm_type.clone()).or_default() += count;
        }
        applied += 1;
        requests += asked;
        bodies += sent;
    }
    wrong.sort();
    wrong.dedup();
    let facts = witness::facts().unwrap();
    println!(
        "requests: {applied} blueprints made, changed and taken down; {requests} requests, {bodies} bodies of {} types and \
         versions, {merged} merged; {} answers of {} types had every read-only property",
        facts.schemas(),
        completed.values().sum::<usize>(),
        completed.len(),
    );
    for (bare, reason) in facts.without_schema() {
        match reason {
            Some(reason) => println!("requests: only the operations hold {bare}: {reason}"),
            None => wrong.push(format!("{bare} has no schema, and is not listed with the reason")),
        }
    }
    assert!(wrong.is_empty(), "{} are not as Azure has it:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(facts.needless(), [] as [String; 0]);
}

/// Requests that Azure does not have are found: each is one that it has, and one thing of it is changed.
pub async fn planted_faults_are_found() {
    if facts::dir("requests").is_none() {
        return;
    }
    let simulator = Simulator::new(sim::Options::default());
    let group = format!("/subscriptions/{}/resourceGroups/rg", simulator.subscription());
    let table = format!("{group}/providers/Microsoft.Network/routeTables/rt");
    let zone = format!("{group}/providers/Microsoft.Network/privateDnsZones/a.internal");
    let good = json!({ "location": "westeurope", "properties": { "routes": [
        { "name": "r", "properties": { "addressPrefix": "0.0.0.0/0", "nextHopType": "Internet" } },
    ] } });
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    };
    let none = || Headers::new();
    let header = |name: &str, value: &str| {
        let mut headers = Headers::new();
        headers.set(name, value);
        headers
    };
    let in_group = json!({ "location": "westeurope" });
    let zone_body = json!({ "location": "global", "properties": {} });
    let put = Method::Put;
    let rows = [
        (put, format!("{group}?api-version=2025-04-01"), none(), in_group.clone(), ""),
        (put, format!("{table}?api-version=2025-05-01"), none(), good.clone(), ""),
        (Method::Get, format!("{table}?api-version=2025-05-01"), none(), Value::Null, ""),
        (put, format!("{zone}?api-version=2024-06-01"), header("if-none-match", "*"), zone_body.clone(), ""),
        (put, format!("{table}?api-version=2020-01-01"), none(), good.clone(), "version"),
        (put, format!("{table}?api-version=2025-05-01&force=true"), none(), good.clone(), "in the query"),
        (put, format!("{table}?api-version=2025-05-01"), header("if-match", "*"), good.clone(), "the header"),
        (
            put,
            format!("{zone}?api-version=2024-06-01"),
            header("if-match", "W/\"1\""),
            zone_body,
            "weak ETag",
        ),
        (
            Method::Patch,
            format!("{table}/routes/r?api-version=2025-05-01"),
            none(),
            json!({}),
            "no such operation",
        ),
        (
            put,
            format!("{table}?api-version=2025-05-01"),
            none(),
            with("/properties/subnets", json!([])),
            "read-only",
        ),
        (
            put,
            format!("{table}?api-version=2025-05-01"),
            none(),
            with("/properties/routez", json!([])),
            "not in the schema",
        ),
        (
            put,
            format!("{table}?api-version=2025-05-01"),
            none(),
            with("/properties/routes/0/properties/nextHopType", json!("Moon")),
            "nextHopType",
        ),
        (
            put,
            format!("{table}?api-version=2025-05-01"),
            none(),
            with("/properties/disableBgpRoutePropagation", Value::Null),
            "is null",
        ),
        (
            put,
            format!("{table}?api-version=2025-05-01"),
            none(),
            with("/properties/disableBgpRoutePropagation", json!("yes")),
            "disableBgp",
        ),
    ];
    for (method, path, headers, body, expected) in rows {
        let watch = Witness::new(Arc::new(simulator.clone()));
        let mut request = Request::new(method, format!("https://management.azure.com{path}"));
        request.headers = headers;
        if !body.is_null() {
            request.body = body.to_string().into();
        }
        watch.send(request).await.unwrap();
        let (found, ..) = watch.told();
        match expected {
            "" => assert_eq!(found, [] as [String; 0], "{method} {path}"),
            _ => assert!(found.iter().any(|fault| fault.contains(expected)), "{method} {path}: {found:?}"),
        }
    }
    // A status that the operation has not.
    let facts = witness::facts().unwrap();
    let url = format!("https://management.azure.com{table}?api-version=2025-05-01");
    assert_eq!(facts.status_faults(Method::Put, &url, 201), [] as [String; 0]);
    assert_eq!(facts.status_faults(Method::Put, &url, 202).len(), 1);
    assert_eq!(facts.status_faults(Method::Put, &url, 409), [] as [String; 0]);
    println!("requests: planted faults are found");
}
