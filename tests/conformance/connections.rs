//! Every type whose connections are decided on: by the method, in the version, with the body and to the answers that
//! Azure's specifications say of it, once to approve and once to reject.

use crate::facts;
use crate::session::session;
use async_trait::async_trait;
use berth::approve::Allowances;
use berth::arm::transport::{Method, Request, Response, Transport, TransportError};
use berth::blueprint::{Inputs, Source, load};
use berth::catalog::connection_types;
use berth::host::{Clock, Timestamp};
use berth::ident::ArmId;
use berth::ops;
use berth::plan::Adoption;
use berth::sim::{self, SUBSCRIPTION, Simulator};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const TRUSTED: &str = "22222222-0000-4000-8000-000000000002";
const FOREIGN: &str = "66666666-0000-4000-8000-000000000006";

/// What is known of a type.
struct Row {
    arm_type: String,
    /// Its newest version that is not a preview, when it has one.
    stable: Option<String>,
    /// `PUT`, `PATCH`, or something that says that the specification has none.
    verb: String,
    /// Whether an operation is followed.
    later: Option<bool>,
    codes: Vec<u16>,
    /// Whether the endpoint may be sent back.
    endpoint: bool,
}

fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let at = |name: &str| head.iter().position(|column| *column == name).unwrap();
    let (arm_type, ga, verb, style, codes, endpoint) =
        (at("type"), at("ga"), at("verb"), at("style"), at("codes"), at("privateEndpoint"));
    let row = |line: Vec<&str>| Row {
        arm_type: line[arm_type].to_owned(),
        stable: (line[ga] != "-").then(|| line[ga].to_owned()),
        verb: line[verb].to_owned(),
        later: match line[style] {
            "LRO" => Some(true),
            "sync" => Some(false),
            _ => None,
        },
        codes: line[codes].trim_matches(['[', ']']).split(',').filter_map(|code| code.parse().ok()).collect(),
        endpoint: line[endpoint] == "rw",
    };
    lines.map(row).collect()
}

/// What differs from the table although it is right: type, and reason.
const KNOWN: &[(&str, &str)] = &[(
    "Microsoft.KeyVault/vaults: an operation",
    "recorded: Azure answers 200 and names an operation, though its specification has none",
)];

/// A decision that was sent, and what came back.
struct Decided {
    method: Method,
    version: String,
    body: Value,
    status: u16,
    followed: bool,
}

/// Passes everything on and keeps what decides on connections.
struct Tap {
    simulator: Simulator,
    decided: Mutex<BTreeMap<String, Vec<Decided>>>,
}

#[async_trait]
impl Transport for Tap {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (method, bytes) = (request.method, request.body.clone());
        let whole = request.path_and_query().to_owned();
        let response = self.simulator.send(request).await?;
        let (path, query) = whole.split_once('?').unwrap_or((&whole, ""));
        let decides =
            method != Method::Get && path.to_ascii_lowercase().contains("/privateendpointconnections/");
        if decides {
            let target = ArmId::parse(path).unwrap().parent().unwrap().resource_type().to_ascii_lowercase();
            let version = query.split('&').find_map(|part| part.strip_prefix("api-version="));
            let headers = ["azure-asyncoperation", "location"];
            self.decided.lock().unwrap().entry(target).or_default().push(Decided {
                method,
                version: version.unwrap_or_default().to_owned(),
                body: serde_json::from_slice(&bytes).unwrap(),
                status: response.status,
                followed: headers.iter().any(|name| response.headers.get(name).is_some()),
            });
        }
        Ok(response)
    }
}

/// What is wrong with a decision, by the row of its type.
fn faults(row: &Row, decided: &Decided) -> Vec<String> {
    let mut found = Vec::new();
    let mut wrong = |what: String| found.push(format!("{}: {what}", row.arm_type));
    let method = format!("{:?}", decided.method).to_uppercase();
    if matches!(row.verb.as_str(), "PUT" | "PATCH") && method != row.verb {
        wrong(format!("method {method}"));
    }
    match &row.stable {
        Some(_) if decided.version.ends_with("-preview") => wrong(format!("version {}", decided.version)),
        Some(newest) if decided.version > *newest => {
            wrong(format!("version {} of {newest}", decided.version))
        }
        _ => {}
    }
    if !row.codes.is_empty() && !row.codes.contains(&decided.status) {
        wrong(format!("status {}", decided.status));
    }
    if row.later == Some(false) && decided.followed {
        wrong("an operation".to_owned());
    }
    if row.later == Some(true) && !decided.followed {
        wrong("no operation".to_owned());
    }
    let properties = decided.body["properties"].as_object().unwrap();
    if !row.endpoint && properties.contains_key("privateEndpoint") {
        wrong("the endpoint".to_owned());
    }
    let state = properties["privateLinkServiceConnectionState"].as_object().unwrap();
    let more = state.keys().find(|name| !["status", "description"].contains(&name.as_str()));
    let more = more.or_else(|| properties.keys().find(|name| name.as_str() == "provisioningState"));
    if let Some(more) = more {
        wrong(format!("`{more}` is sent back"));
    }
    found
}

pub async fn every_type_is_decided_on_as_its_specification_says() {
    let Some(dir) = facts::dir("connections") else { return };
    let rows = rows(&std::fs::read_to_string(dir.join("private-link-types.tsv")).unwrap());
    let clock = Clock::start_at(Timestamp(1_790_000_000_000), 1.0);
    let options = sim::Options { time: sim::Time::Host(clock.clone()), ..Default::default() };
    let tap = Arc::new(Tap { simulator: Simulator::new(options), decided: Mutex::default() });
    let mut text = String::from(
        "blueprint: all\nazure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg }\napprovals:\n",
    )
    .replace("${env.AZURE_SUBSCRIPTION_ID}", SUBSCRIPTION);
    let mut targets = Vec::new();
    let mut asking = Vec::new();
    let mut unknown = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if row.verb == "no PUT" {
            // Nobody approves its connections.
            continue;
        }
        if !connection_types().any(|(known, _)| known.eq_ignore_ascii_case(&row.arm_type)) {
            unknown.push(&row.arm_type);
            continue;
        }
        let (namespace, types) = row.arm_type.split_once('/').unwrap();
        let mut id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/{namespace}");
        let mut kind = namespace.to_owned();
        for part in types.split('/') {
            id.push_str(&format!("/{part}/t{at}"));
            kind.push_str(&format!("/{part}"));
            targets.push(json!({
                "id": id, "name": format!("t{at}"), "type": kind, "location": "westeurope",
                "properties": { "provisioningState": "Succeeded" },
            }));
        }
        text.push_str(&format!(
            "  t{at}: {{ target: '{id}', subscriptions: [{TRUSTED}], otherwise: reject }}\n"
        ));
        for subscription in [TRUSTED, FOREIGN] {
            let endpoint = format!(
                "/subscriptions/{subscription}/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/pe{at}"
            );
            let body = json!({ "properties": { "manualPrivateLinkServiceConnections": [{ "name": "pe", "properties": {
                "privateLinkServiceId": id, "groupIds": ["g"], "requestMessage": "please",
            } }] } });
            let url = format!("https://management.azure.com{endpoint}?api-version=2025-05-01");
            let mut request = Request::new(Method::Put, url);
            request.body = body.to_string().into();
            asking.push(request);
        }
    }
    assert_eq!(unknown, [] as [&String; 0]);
    tap.simulator.load(targets).unwrap();
    for request in asking {
        assert_eq!(tap.simulator.send(request).await.unwrap().status, 201);
    }
    let session = session(tap.clone(), clock);
    let source = Source::parse("all.yaml", text.as_bytes()).unwrap();
    let desired = load(&source, &Inputs::default()).unwrap_or_else(|told| panic!("{told:?}")).desired;
    let applied =
        ops::apply(&session, &desired, Adoption::Refused, &Allowances::default(), |_, _| true).await;
    let applied = applied.unwrap().expect("nobody said no");
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    let again = ops::plan(&session, &desired, Adoption::Refused).await.unwrap();
    assert!(again.plan.is_empty(), "{:#?}", again.plan.changes().collect::<Vec<_>>());
    let decided = tap.decided.lock().unwrap();
    let (mut wrong, mut approved, mut rejected) = (Vec::new(), 0, 0);
    for row in rows.iter().filter(|row| row.verb != "no PUT") {
        let none = Vec::new();
        let all = decided.get(&row.arm_type.to_ascii_lowercase()).unwrap_or(&none);
        let status = |one: &Decided| {
            one.body["properties"]["privateLinkServiceConnectionState"]["status"].as_str().unwrap().to_owned()
        };
        let mut states: Vec<String> = all.iter().map(status).collect();
        states.sort();
        // Each is decided on once: Azure refuses a second approval of some.
        if states != ["Approved", "Rejected"] {
            wrong.push(format!("{}: sent {states:?}", row.arm_type));
        }
        approved += states.iter().filter(|state| *state == "Approved").count();
        rejected += states.iter().filter(|state| *state == "Rejected").count();
        wrong.extend(all.iter().flat_map(|one| faults(row, one)));
    }
    println!("connections: {} types, {approved} approved, {rejected} rejected", rows.len());
    wrong.sort();
    wrong.dedup();
    let needless = KNOWN.iter().filter(|(known, _)| !wrong.iter().any(|what| what == known));
    let needless: Vec<_> =
        needless.map(|(known, _)| format!("{known} is as the specification has it")).collect();
    wrong.retain(|what| !KNOWN.iter().any(|(known, _)| known == what));
    wrong.extend(needless);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
