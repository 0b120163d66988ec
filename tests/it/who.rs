//! Who changed it: every actor, by every way that Azure remembers, in every report, with few requests and a Reader's rights.

use crate::support::{Berth, Rehearsal, Server};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use berth::drift::{ActorKind, DriftKind, DriftReport, Source, Who};
use berth::host::transport::{Method, Request, Transport};
use berth::sim::{Effect, Fault};
use serde_json::{Value, json};
use std::time::Duration;

const BLUEPRINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub:
    name: vnet-hub
    addressSpace: [10.20.0.0/16]
    flowTimeoutMinutes: 10
    exclusive: [subnets]
    tags: { team: platform, cost: '42' }
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
      endpoints: { prefix: 10.20.16.0/26 }
identities:
  app: { name: id-app, tags: { team: platform } }
  gone: { name: id-gone }
keyVaults:
  secrets: { name: kv-shop-7d1e, publicAccess: false }
privateEndpoints:
  vault: { name: pe-vault, target: '${keyVaults.secrets}', subnet: '${networks.hub.subnets.endpoints}', dns: none }
";

const GROUP: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-shop";
const VNET: &str = "Microsoft.Network/virtualNetworks/vnet-hub";
const VAULT: &str = "Microsoft.KeyVault/vaults/kv-shop-7d1e";

fn id(rest: &str) -> String {
    format!("{GROUP}/providers/{rest}")
}

/// The tokens of four callers, with the claims that Microsoft Entra puts into them.
fn person() -> Value {
    json!({
        "upn": "ada@example.com", "name": "Ada", "oid": "aaaaaaaa-0000-4000-8000-000000000001", "idtyp": "user",
        "appid": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    })
}

fn service_principal() -> Value {
    json!({ "oid": "bbbbbbbb-0000-4000-8000-000000000002", "appid": "bbbbbbbb-0000-4000-8000-00000000000b", "idtyp": "app" })
}

fn managed_identity() -> Value {
    json!({
        "oid": "cccccccc-0000-4000-8000-000000000003", "appid": "cccccccc-0000-4000-8000-00000000000c", "idtyp": "app",
        "xms_mirid": id("Microsoft.ManagedIdentity/userAssignedIdentities/id-night-job"),
    })
}

fn policy() -> Value {
    json!({
        "oid": "dddddddd-0000-4000-8000-000000000004", "appid": "dddddddd-0000-4000-8000-00000000000d", "idtyp": "app",
        "xms_mirid": "/subscriptions/5ab5c819-0000-4000-8000-000000000001/providers/Microsoft.Authorization/policyAssignments/inherit-tags",
    })
}

/// Eight changes by four actors.
fn eight_changes(server: &Server) {
    let read = |path: &str, version: &str| {
        let (status, body) = server.send("GET", &format!("{}?api-version={version}", id(path)), None);
        assert_eq!(status, 200, "{body}");
        body
    };
    let network = "2024-05-01";
    let change = |who: &Value, path: &str, version: &str, edit: &dyn Fn(&mut Value)| {
        let mut body = read(path, version);
        edit(&mut body);
        server.write_as(Some(who), "PUT", &id(path), version, Some(&body));
    };
    let (ada, bot, job, policy) = (person(), service_principal(), managed_identity(), policy());
    // 1 and 2: a person changes a tag, and deletes an identity.
    change(&ada, VNET, network, &|body| body["tags"]["team"] = json!("ada's"));
    let gone = id("Microsoft.ManagedIdentity/userAssignedIdentities/id-gone");
    let (status, _) = server.send_as(Some(&ada), "DELETE", &format!("{gone}?api-version=2023-01-31"), None);
    assert_eq!(status, 200);
    // 3 and 4: an application opens a vault, and makes a subnet.
    change(&bot, VAULT, "2023-07-01", &|body| body["properties"]["publicNetworkAccess"] = json!("Enabled"));
    let subnet = json!({ "properties": { "addressPrefix": "10.20.64.0/24" } });
    server.write_as(Some(&bot), "PUT", &id(&format!("{VNET}/subnets/scratch")), network, Some(&subnet));
    // 5 and 6: the identity of a job changes a subnet, and the network's timeout.
    change(&job, &format!("{VNET}/subnets/nodes"), network, &|body| {
        body["properties"]["privateEndpointNetworkPolicies"] = json!("Disabled");
        body["properties"]["addressPrefix"] = json!("10.20.0.0/21");
        if let Some(own) = body["properties"].as_object_mut() {
            own.remove("addressPrefixes");
        }
    });
    change(&job, VNET, network, &|body| body["properties"]["flowTimeoutInMinutes"] = json!(4));
    // 7: a policy writes a tag that the blueprint has otherwise.
    let app = "Microsoft.ManagedIdentity/userAssignedIdentities/id-app";
    change(&policy, app, "2023-01-31", &|body| body["tags"]["team"] = json!("finance"));
    // 8: and cuts a connection off.
    let listed = read(VAULT, "2023-07-01");
    let connection =
        listed.pointer("/properties/privateEndpointConnections/0/id").and_then(Value::as_str).unwrap();
    let rejected = json!({ "properties": { "privateLinkServiceConnectionState": { "status": "Rejected", "description": "no" } } });
    server.write_as(Some(&policy), "PUT", connection, "2023-07-01", Some(&rejected));
}

/// What each change is expected to be attributed to: address, field, actor.
const EXPECTED: &[(&str, &str, ActorKind, &str)] = &[
    ("networks.hub", "tags.team", ActorKind::Person, "ada@example.com"),
    ("identities.gone", "", ActorKind::Person, "ada@example.com"),
    (
        "keyVaults.secrets",
        "properties.publicNetworkAccess",
        ActorKind::ServicePrincipal,
        "bbbbbbbb-0000-4000-8000-000000000002",
    ),
    (
        "networks.hub.subnets[scratch]",
        "",
        ActorKind::ServicePrincipal,
        "bbbbbbbb-0000-4000-8000-000000000002",
    ),
    ("networks.hub.subnets.nodes", "properties.addressPrefix", ActorKind::ManagedIdentity, "id-night-job"),
    ("networks.hub", "properties.flowTimeoutInMinutes", ActorKind::ManagedIdentity, "id-night-job"),
    ("identities.app", "tags.team", ActorKind::Policy, "inherit-tags"),
    ("privateEndpoints.vault", "privateLinkServiceConnectionState.status", ActorKind::Policy, "inherit-tags"),
];

#[test]
fn eight_changes_by_four_actors_are_found_and_attributed_in_every_format() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    let server = berth.sim_serve();
    eight_changes(&server);
    server.stop();
    let formats = [
        "junit",
        "sarif",
        "json",
        "markdown",
        "markdown-bitbucket",
        "html",
        "card",
        "text",
        "prometheus",
        "gitlab",
    ];
    let reports = formats.map(|format| format!("--report={format}=out.{format}"));
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    let shown = berth.drift(&reports).exits(2);
    crate::reports::keep("who.sarif", &berth.read("out.sarif"));
    crate::reports::keep("who.xml", &berth.read("out.junit"));
    let json: Value = serde_json::from_str(&berth.read("out.json")).unwrap();
    let drifted = json["drifted"].as_array().unwrap();
    for (address, field, kind, name) in EXPECTED {
        let drift = drifted.iter().find(|drift| drift["address"] == *address);
        let drift = drift.unwrap_or_else(|| panic!("{address} did not drift: {json:#}"));
        let by = drift["changedBy"].as_array().unwrap().iter().find(|by| {
            let mut fields = by["fields"].as_array().unwrap().iter().filter_map(Value::as_str);
            field.is_empty() || fields.any(|path| path.ends_with(field))
        });
        let by = by.unwrap_or_else(|| panic!("{address} {field}: {drift:#}"));
        assert_eq!(by["actor"]["kind"], json!(kind), "{address} {field}: {by:#}");
        assert_eq!(by["actor"]["name"], *name, "{address} {field}");
        for text in [
            &shown.stdout,
            &berth.read("out.junit"),
            &berth.read("out.sarif"),
            &berth.read("out.html"),
            &berth.read("out.text"),
            &berth.read("out.card"),
        ] {
            let plain: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(plain.contains(name), "{name} is not in {text}");
        }
        let entities = name.replace('@', "&#64;");
        for file in ["out.markdown", "out.markdown-bitbucket"] {
            assert!(berth.read(file).contains(&entities), "{}", berth.read(file));
        }
    }
    assert!(
        drifted.iter().flat_map(|d| d["changedBy"].as_array().unwrap()).all(|by| by.get("unknown").is_none()),
        "{json:#}"
    );
}

/// Carries out a write on a simulator in this process.
async fn write(rehearsal: &Rehearsal, who: &Value, method: Method, path: &str, version: &str, body: Value) {
    let url = format!("https://management.azure.com{path}?api-version={version}");
    let mut request = Request::new(method, url);
    let part = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
    request.headers.set("authorization", format!("Bearer {}.{}.x", part("{}".into()), part(who.to_string())));
    if !body.is_null() {
        request.body = body.to_string().into();
    }
    let response = rehearsal.simulator.send(request).await.unwrap();
    assert!(response.status < 300, "{}", String::from_utf8_lossy(&response.body));
}

async fn wait(rehearsal: &Rehearsal, minutes: u64) {
    rehearsal.session.engine.clock.sleep(Duration::from_secs(minutes * 60)).await;
}

/// A blueprint of many identities.
fn many(count: usize) -> String {
    let mut text = "\
blueprint: many
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
identities:
"
    .to_owned();
    for at in 0..count {
        text.push_str(&format!("  i{at}: {{ name: id-{at}, tags: {{ team: platform }} }}\n"));
    }
    text
}

fn total(rehearsal: &Rehearsal) -> u64 {
    rehearsal.simulator.counters().requests.values().sum()
}

async fn retag(rehearsal: &Rehearsal, at: usize, who: &Value) {
    let path = id(&format!("Microsoft.ManagedIdentity/userAssignedIdentities/id-{at}"));
    let body = json!({ "location": "westeurope", "tags": { "team": "theirs" } });
    write(rehearsal, who, Method::Put, &path, "2023-01-31", body).await;
}

fn known(report: &DriftReport) -> Vec<(ActorKind, Source)> {
    let all = report.drifted.iter().flat_map(|drift| &drift.changed_by);
    all.filter_map(|by| match &by.who {
        Who::Known(known) => Some((known.actor.kind, known.source)),
        Who::Unknown(_) => None,
    })
    .collect()
}

#[tokio::test(start_paused = true)]
async fn fifty_changes_cost_three_requests_at_most() {
    let rehearsal = Rehearsal::new();
    let text = many(50);
    rehearsal.apply(&text).await;
    let calm = {
        let before = total(&rehearsal);
        assert!(rehearsal.drift(&text).await.drifted.is_empty());
        total(&rehearsal) - before
    };
    for at in 0..50 {
        retag(&rehearsal, at, &[person(), managed_identity()][at % 2]).await;
    }
    wait(&rehearsal, 10).await;
    let before = total(&rehearsal);
    let report = rehearsal.drift(&text).await;
    let cost = total(&rehearsal) - before - calm;
    let known = known(&report);
    assert_eq!(known.len(), 50);
    assert_eq!(known.iter().filter(|(kind, _)| *kind == ActorKind::ManagedIdentity).count(), 25);
    assert!(cost <= 3, "attribution took {cost} requests");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_unchanged_resources_cost_no_more_than_a_plan() {
    let rehearsal = Rehearsal::new();
    let text = many(1000);
    rehearsal.apply(&text).await;
    let before = total(&rehearsal);
    rehearsal.plan(&text).await;
    let plan = total(&rehearsal) - before;
    let before = total(&rehearsal);
    assert!(rehearsal.drift(&text).await.drifted.is_empty());
    let drift = total(&rehearsal) - before;
    assert!(drift <= plan, "drift took {drift} requests, the plan {plan}");
    let posts = rehearsal.simulator.counters().requests.get("POST").copied();
    rehearsal.drift(&text).await;
    assert_eq!(rehearsal.simulator.counters().requests.get("POST").copied(), posts);
}

#[tokio::test(start_paused = true)]
async fn a_reader_suffices() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(BLUEPRINT).await;
    let path = id(VNET);
    let body = json!({ "tags": { "team": "theirs" } });
    write(&rehearsal, &person(), Method::Patch, &path, "2024-05-01", body).await;
    write(
        &rehearsal,
        &managed_identity(),
        Method::Delete,
        &id(&format!("{VNET}/subnets/nodes")),
        "2024-05-01",
        Value::Null,
    )
    .await;
    wait(&rehearsal, 10).await;
    rehearsal.simulator.read_only(true);
    let before = rehearsal.simulator.counters();
    let report = rehearsal.drift(BLUEPRINT).await;
    let kinds: Vec<(&str, DriftKind)> =
        report.drifted.iter().map(|drift| (drift.address.as_str(), drift.kind)).collect();
    assert_eq!(
        kinds,
        [("networks.hub", DriftKind::Changed), ("networks.hub.subnets.nodes", DriftKind::Missing)]
    );
    assert_eq!(
        known(&report),
        [(ActorKind::Person, Source::ResourceGraph), (ActorKind::ManagedIdentity, Source::ActivityLog)]
    );
    // Reads, and the one POST that a Reader may send.
    let after = rehearsal.simulator.counters();
    let sent = |method: &str| {
        let of = |counters: &berth::sim::Counters| counters.requests.get(method).copied().unwrap_or_default();
        of(&after) - of(&before)
    };
    assert_eq!((sent("POST"), sent("PUT"), sent("PATCH"), sent("DELETE")), (1, 0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_azure_no_longer_knows_is_unknown_with_the_reason() {
    let rehearsal = Rehearsal::new();
    let text = many(1);
    rehearsal.apply(&text).await;
    retag(&rehearsal, 0, &person()).await;
    let reason = async || match &rehearsal.drift(&text).await.drifted[0].changed_by[0].who {
        Who::Unknown(reason) => reason.clone(),
        Who::Known(known) => format!("{:?}", known.source),
    };
    assert!(reason().await.contains("is not shown yet"), "{}", reason().await);
    wait(&rehearsal, 3).await;
    assert_eq!(reason().await, "ResourceGraph");
    wait(&rehearsal, 15 * 24 * 60).await;
    assert_eq!(reason().await, "ActivityLog");
    wait(&rehearsal, 76 * 24 * 60).await;
    assert!(reason().await.contains("no write in the last 90"), "{}", reason().await);
}

#[tokio::test(start_paused = true)]
async fn drift_is_reported_also_when_nobody_may_be_named() {
    let text = many(1);
    for (paths, expected) in [
        (vec!["*/Microsoft.ResourceGraph/*"], "ActivityLog"),
        (
            vec!["*/Microsoft.ResourceGraph/*", "*/eventtypes/*"],
            "Resource Graph cannot be read (AuthorizationFailed)",
        ),
    ] {
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&text).await;
        retag(&rehearsal, 0, &person()).await;
        wait(&rehearsal, 10).await;
        let script = paths.iter().map(|path| {
            format!("  - {{ answer: {{ status: 403, code: AuthorizationFailed, message: you may not }}, path: '{path}' }}\n")
        });
        let script = format!("faults:\n{}", script.collect::<String>());
        let script = berth::blueprint::side_file("faults.yaml", script.as_bytes()).unwrap();
        rehearsal.simulator.script(script);
        let report = rehearsal.drift(&text).await;
        assert_eq!(report.drifted.len(), 1);
        let told = match &report.drifted[0].changed_by[0].who {
            Who::Unknown(reason) => reason.clone(),
            Who::Known(known) => format!("{:?}", known.source),
        };
        assert!(told.starts_with(expected), "{told}");
    }
    // A line that breaks, and a budget that is used up, are waited out.
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text).await;
    retag(&rehearsal, 0, &person()).await;
    wait(&rehearsal, 10).await;
    let busy =
        Effect::Answer { status: 429, code: "RateLimiting".into(), message: "m".into(), retry_after: None };
    for effect in [busy, Effect::DropBefore] {
        rehearsal.simulator.fail_next(Fault::once(Method::Post, "/resources", effect));
    }
    assert_eq!(known(&rehearsal.drift(&text).await), [(ActorKind::Person, Source::ResourceGraph)]);
}
