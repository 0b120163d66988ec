//! What people connect to or through: endpoints find the way by themselves, and what is closed stays open to berth.

use crate::support::{Berth, Rehearsal, root};
use berth::arm::transport::{Method, Request, Transport};
use berth::plan::Adoption;
use berth::sim::{Effect, Fault, SUBSCRIPTION, Simulator};
use serde_json::{Value, json};

const HEAD: &str = "\
blueprint: example
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-example }
networks:
  net: { addressSpace: [10.20.0.0/16], subnets: { pe: { prefix: 10.20.16.0/24 } } }
";

/// What endpoints lead to: an entry, its section, the group that is taken and the zone that answers.
const TARGETS: &[(&str, &str, &str, &str)] = &[
    (
        "keyVaults: { t: { name: kv-target-1, protect: false, publicAccess: false } }",
        "keyVaults",
        "vault",
        "privatelink.vaultcore.azure.net",
    ),
    (
        "appServicePlans: { p: { sku: P0v3 } }\nwebApps: { t: { name: app-target-1, plan: '${appServicePlans.p}', publicAccess: false } }",
        "webApps",
        "sites",
        "privatelink.azurewebsites.net",
    ),
    (
        "identities: { a: { name: id-a } }\nsqlServers: { t: { name: sql-target-1, protect: false, publicAccess: false, entraAdmin: { login: a, principal: '${identities.a}', only: true } } }",
        "sqlServers",
        "sqlServer",
        "privatelink.database.windows.net",
    ),
    (
        "containerRegistries: { t: { name: crtarget1, protect: false, publicAccess: false } }",
        "containerRegistries",
        "registry",
        "privatelink.azurecr.io",
    ),
    (
        "storageAccounts: { t: { name: sttarget1, protect: false, publicAccess: false } }",
        "storageAccounts",
        "blob",
        "privatelink.blob.core.windows.net",
    ),
    (
        "cosmosAccounts: { t: { name: cosmos-target-1, protect: false, publicAccess: false } }",
        "cosmosAccounts",
        "Sql",
        "privatelink.documents.azure.com",
    ),
    (
        "serviceBus: { t: { name: sb-target-1, protect: false, publicAccess: false } }",
        "serviceBus",
        "namespace",
        "privatelink.servicebus.windows.net",
    ),
    (
        "eventHubs: { t: { name: evh-target-1, protect: false, publicAccess: false } }",
        "eventHubs",
        "namespace",
        "privatelink.servicebus.windows.net",
    ),
    (
        "redis: { t: { name: redis-target-1, protect: false, sku: Balanced_B5, publicAccess: false } }",
        "redis",
        "redisEnterprise",
        "privatelink.redis.azure.net",
    ),
    (
        "apiManagement: { t: { name: apim-target-1, protect: false, sku: StandardV2, publisherEmail: a@example.com, publisherName: a } }",
        "apiManagement",
        "Gateway",
        "privatelink.azure-api.net",
    ),
];

async fn read(simulator: &Simulator, path: &str) -> Value {
    let version = berth::sim::newest_api_version(path).unwrap();
    let url = format!("https://management.azure.com{path}?api-version={version}");
    let response = simulator.send(Request::new(Method::Get, url)).await.unwrap();
    serde_json::from_slice(&response.body).unwrap_or(Value::Null)
}

fn at(rest: &str, group: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{rest}")
}

#[tokio::test(start_paused = true)]
async fn endpoints_take_every_kind_without_a_group_and_without_zones() {
    for (entry, section, group, zone) in TARGETS {
        let endpoint = format!(
            "privateEndpoints: {{ e: {{ name: pe, target: '${{{section}.t}}', subnet: '${{networks.net.subnets.pe}}' }} }}\n"
        );
        let text = format!("{HEAD}{entry}\n{endpoint}");
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&text).await;
        let made =
            read(&rehearsal.simulator, &at("Microsoft.Network/privateEndpoints/pe", "rg-example")).await;
        let connection = &made["properties"]["privateLinkServiceConnections"][0]["properties"];
        assert_eq!(connection["groupIds"], json!([group]), "{section}");
        assert_eq!(connection["privateLinkServiceConnectionState"]["status"], "Approved", "{section}");
        let records = read(
            &rehearsal.simulator,
            &at(&format!("Microsoft.Network/privateDnsZones/{zone}/A"), "rg-example"),
        )
        .await;
        assert!(records["value"].as_array().is_some_and(|all| !all.is_empty()), "{section}: {records}");
        let drift = rehearsal.drift(&text).await;
        assert!(drift.drifted.is_empty() && drift.not_ours.is_empty(), "{section}: {drift:#?}");
        rehearsal.destroy(&text).await;
        assert_eq!(rehearsal.simulator.export(), [] as [Value; 0], "{section}");
    }
}

/// An endpoint of a slot names the web app, and the slot in its group; its connection arrives on the slot.
#[tokio::test(start_paused = true)]
async fn an_endpoint_leads_to_a_slot() {
    let app = "\
appServicePlans: { p: { sku: P0v3 } }
webApps: { t: { name: app-target-1, plan: '${appServicePlans.p}', publicAccess: false, slots: { blue: { name: next } } } }
";
    for target in ["target: '${webApps.t.slots.blue}'", "target: '${webApps.t}', group: sites-next"] {
        let endpoint = format!(
            "privateEndpoints: {{ e: {{ name: pe, {target}, subnet: '${{networks.net.subnets.pe}}', manual: true }} }}\n"
        );
        let order = "dependsOn: ['webApps.t.slots.blue']";
        let endpoint = endpoint.replace("manual: true", &format!("manual: true, {order}"));
        let text = format!("{HEAD}{app}{endpoint}");
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&text).await;
        let made =
            read(&rehearsal.simulator, &at("Microsoft.Network/privateEndpoints/pe", "rg-example")).await;
        let connection = &made["properties"]["manualPrivateLinkServiceConnections"][0]["properties"];
        let site = at("Microsoft.Web/sites/app-target-1", "rg-example");
        assert_eq!(connection["privateLinkServiceId"], site, "{target}");
        assert_eq!(connection["groupIds"], json!(["sites-next"]), "{target}");
        assert_eq!(connection["privateLinkServiceConnectionState"]["status"], "Approved", "{target}");
        let arrived =
            read(&rehearsal.simulator, &format!("{site}/slots/next/privateEndpointConnections")).await;
        let status = arrived.pointer("/value/0/properties/privateLinkServiceConnectionState/status");
        assert_eq!(status, Some(&json!("Approved")), "{target}: {arrived}");
        let names = at("Microsoft.Network/privateDnsZones/privatelink.azurewebsites.net/A", "rg-example");
        let names = read(&rehearsal.simulator, &names).await.to_string();
        assert!(names.contains("app-target-1-next"), "{names}");
        assert!(rehearsal.plan(&text).await.plan.is_empty());
        rehearsal.destroy(&text).await;
    }
}

const GATEWAY: &str = "  hub:
    addressSpace: [10.40.0.0/16]
    subnets: { gateway: { prefix: 10.40.0.0/24 }, link: { prefix: 10.40.1.0/27, privateLinkServiceNetworkPolicies: false } }
publicIps: { gateway: { name: pip-gateway } }
wafPolicies: { gateway: { name: waf-gateway, for: applicationGateway } }
applicationGateways:
  t:
    name: agw-shop
    subnet: '${networks.hub.subnets.gateway}'
    publicIp: '${publicIps.gateway}'
    wafPolicy: '${wafPolicies.gateway}'
    listeners: { web: {} }
    backends: { shop: { addresses: [10.20.0.10] } }
    rules: { web: { priority: 100, listener: web, backend: shop } }
";

/// The group of a gateway is the frontend of which it offers private link; without one there is nothing to lead to.
#[tokio::test(start_paused = true)]
async fn an_endpoint_finds_the_frontend_of_a_gateway() {
    let offered = format!("{HEAD}{GATEWAY}    privateLink: {{ subnet: '${{networks.hub.subnets.link}}' }}\n");
    let endpoint = "privateEndpoints: { e: { name: pe, target: '${applicationGateways.t}', subnet: '${networks.net.subnets.pe}' } }\n";
    let text = format!("{offered}{endpoint}");
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text).await;
    let made = read(&rehearsal.simulator, &at("Microsoft.Network/privateEndpoints/pe", "rg-example")).await;
    let connection = &made["properties"]["privateLinkServiceConnections"][0]["properties"];
    assert_eq!(connection["groupIds"], json!(["public"]));
    assert_eq!(connection["privateLinkServiceConnectionState"]["status"], "Approved");
    assert!(rehearsal.plan(&text).await.plan.is_empty());
    rehearsal.destroy(&text).await;
    let refused = |text: &str| {
        let found = berth::ops::validate("blueprint.yaml", text.as_bytes(), &Rehearsal::new().inputs);
        format!("{:?}", found.err().map(|problems| format!("{problems:?}")))
    };
    let none = refused(&format!("{HEAD}{GATEWAY}{endpoint}"));
    assert!(none.contains("offers no private link"), "{none}");
    let other = refused(&text.replace("target: '${app", "group: private, target: '${app"));
    assert!(other.contains("no frontend `private` with private link"), "{other}");
}

#[tokio::test(start_paused = true)]
async fn what_was_open_is_closed_and_opened_again_by_one_word() {
    for (entry, section, ..) in TARGETS.iter().filter(|(entry, ..)| entry.contains("publicAccess: false")) {
        let rehearsal = Rehearsal::new();
        let closed = format!("{HEAD}{entry}\n");
        let open = closed.replace("publicAccess: false", "publicAccess: true");
        rehearsal.apply(&open).await;
        let planned = rehearsal.plan(&closed).await;
        let changed = planned.plan.steps.iter().filter(|step| !step.changes.is_empty()).count();
        assert_eq!(changed, 1, "{section}: {:#?}", planned.plan.steps);
        rehearsal.apply(&closed).await;
        rehearsal.apply(&open).await;
    }
}

/// Azure closes a service only once an endpoint of it is approved: one apply makes it open, connects it, and closes it.
#[tokio::test(start_paused = true)]
async fn api_management_is_closed_once_its_endpoint_is_approved() {
    let service = at("Microsoft.ApiManagement/service/apim-target-1", "rg-example");
    let access = async |rehearsal: &Rehearsal| {
        read(&rehearsal.simulator, &service).await["properties"]["publicNetworkAccess"].clone()
    };
    let entry = TARGETS.last().unwrap().0;
    let closed = entry.replace("sku: StandardV2", "sku: StandardV2, publicAccess: false");
    let endpoint = "privateEndpoints: { e: { name: pe, target: '${apiManagement.t}', subnet: '${networks.net.subnets.pe}' } }\n";
    let text = format!("{HEAD}{closed}\n{endpoint}");
    let rehearsal = Rehearsal::new();
    let planned = rehearsal.plan(&text).await;
    let position =
        |address: &str| planned.plan.steps.iter().position(|step| step.address.as_str() == address);
    let (made, last) =
        (position("apiManagement.t").unwrap(), position("apiManagement.t.onceConnected").unwrap());
    let step = &planned.plan.steps[last];
    assert!(
        step.after.contains(&made)
            && step.after.contains(&position("privateEndpoints.e.connection").unwrap())
    );
    assert_eq!(planned.plan.steps[made].desired["properties"]["publicNetworkAccess"], "Enabled");
    let [change] = &step.changes[..] else { panic!("{step:#?}") };
    assert_eq!((&change.before, &change.after), (&json!("Enabled"), &json!("Disabled")));
    assert!(berth::plan::check(&planned.plan).is_empty());
    rehearsal.apply(&text).await;
    assert_eq!(access(&rehearsal).await, "Disabled");
    assert!(rehearsal.drift(&text).await.drifted.is_empty());
    rehearsal.destroy(&text).await;

    // One that is open gets its endpoint, and other words, in the run that closes it.
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&format!("{HEAD}{entry}\n")).await;
    let renamed = text.replace("publisherName: a", "publisherName: b");
    let planned = rehearsal.plan(&renamed).await;
    let told: Vec<_> = planned.plan.changes().map(|step| step.address.as_str()).collect();
    assert!(told.contains(&"apiManagement.t") && told.contains(&"apiManagement.t.onceConnected"), "{told:?}");
    rehearsal.apply(&renamed).await;
    assert_eq!(access(&rehearsal).await, "Disabled");
    // And one whose endpoint is there already is closed at once.
    let open = renamed.replace("publicAccess: false", "publicAccess: true");
    rehearsal.apply(&open).await;
    assert_eq!(access(&rehearsal).await, "Enabled");
    let planned = rehearsal.plan(&renamed).await;
    let told: Vec<_> = planned.plan.changes().map(|step| step.address.as_str()).collect();
    assert_eq!(told, ["apiManagement.t"]);
    rehearsal.apply(&renamed).await;
    assert_eq!(access(&rehearsal).await, "Disabled");

    // Without an endpoint it stays open, and every plan says so.
    let alone = format!("{HEAD}{closed}\n");
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&alone).await;
    let planned = rehearsal.plan(&alone).await;
    let [warning] = &planned.plan.warnings[..] else { panic!("{:#?}", planned.plan.warnings) };
    assert!(warning.message.contains("publicNetworkAccess stays \"Enabled\""), "{warning:?}");
    assert_eq!(rehearsal.drift(&alone).await.drifted.len(), 1, "it is open although it should not be");
    let two = alone.replace("publisherName: a", "publisherName: b");
    rehearsal.apply(&two).await;
    assert_eq!(access(&rehearsal).await, "Enabled");
    // Somebody else's endpoint is approved by a rule, which the closing waits for.
    let asking = strangers_endpoint("pe-apis");
    ask(&rehearsal.simulator, &asking, &service, Some("Gateway"), "please").await;
    let named = format!(
        "{two}approvals: {{ theirs: {{ target: '${{apiManagement.t}}', endpoints: ['{asking}'] }} }}\n"
    );
    rehearsal.apply(&named).await;
    assert_eq!(access(&rehearsal).await, "Disabled");
}

const ENDPOINT: &str = "keyVaults: { t: { name: kv-target-1, protect: false, publicAccess: false } }
privateEndpoints: { e: { name: pe, target: '${keyVaults.t}', subnet: '${networks.net.subnets.pe}' } }
";

/// Sends a request of somebody else.
async fn meddle(simulator: &Simulator, method: Method, path: &str, version: &str, body: Value) -> u16 {
    let url = format!("https://management.azure.com{path}?api-version={version}");
    let mut request = Request::new(method, url);
    request.body = if body.is_null() { Default::default() } else { body.to_string().into() };
    simulator.send(request).await.unwrap().status
}

/// The record of an endpoint is gone, leads somewhere else, or has a second address: drift says so, and the plan writes it anew.
#[tokio::test(start_paused = true)]
async fn the_records_of_an_endpoint_are_watched_in_their_zone() {
    let text = format!("{HEAD}{ENDPOINT}");
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text).await;
    let record =
        at("Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net/A/kv-target-1", "rg-example");
    let says = async || {
        let body = read(&rehearsal.simulator, &record).await;
        let list = body["properties"]["aRecords"].as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["ipv4Address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let own = says().await;
    assert_eq!(own, ["10.20.16.4"]);
    let other = |addresses: &[&str]| {
        let list: Vec<Value> = addresses.iter().map(|address| json!({ "ipv4Address": address })).collect();
        json!({ "properties": { "ttl": 3600, "aRecords": list } })
    };
    for (method, body, actual) in [
        (Method::Delete, Value::Null, Value::Null),
        (Method::Put, other(&["6.6.6.6"]), json!(["6.6.6.6"])),
        (Method::Put, other(&["10.20.16.4", "6.6.6.6"]), json!(["10.20.16.4", "6.6.6.6"])),
    ] {
        meddle(&rehearsal.simulator, method, &record, "2024-06-01", body).await;
        let drift = rehearsal.drift(&text).await;
        let [drifted] = &drift.drifted[..] else { panic!("{drift:#?}") };
        assert_eq!(drifted.address.as_str(), "privateEndpoints.e.dns");
        assert_eq!(drifted.severity, berth::drift::Severity::High);
        let [field] = &drifted.fields[..] else { panic!("{drifted:#?}") };
        assert_eq!(
            field.path,
            "properties.privateDnsZoneConfigs[privatelink-vaultcore-azure-net].properties.recordSets[kv-target-1]"
        );
        assert_eq!((&field.expected, &field.actual), (&json!(own), &actual));
        assert_eq!(field.subject.as_ref().map(|id| id.as_str()), Some(record.as_str()));
        let planned = rehearsal.plan(&text).await;
        let changed: Vec<_> =
            planned.plan.changes().map(|step| (step.address.as_str(), &step.reason)).collect();
        assert_eq!(changed, [("privateEndpoints.e.dns", &berth::plan::Reason::KeepsNoMore)]);
        rehearsal.apply(&text).await;
        assert_eq!(says().await, own);
        assert!(rehearsal.drift(&text).await.drifted.is_empty());
    }
}

/// No source says that a zone group that is sent again writes its records again. When it does not, it is made anew.
#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_written_again_has_its_group_made_anew() {
    let text = format!("{HEAD}{ENDPOINT}");
    let mut rehearsal = Rehearsal::new();
    rehearsal.apply(&text).await;
    let record =
        at("Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net/A/kv-target-1", "rg-example");
    assert_eq!(meddle(&rehearsal.simulator, Method::Delete, &record, "2024-06-01", Value::Null).await, 200);
    // Until the group is deleted, its records do not come back.
    let (mut anew, url) = (false, format!("https://management.azure.com{record}?api-version=2024-06-01"));
    let watched = crate::approvals::meddle(&mut rehearsal, move |request| {
        anew |= request.method == Method::Delete && request.url.contains("/privateDnsZoneGroups/");
        let looks = request.method == Method::Get && request.url.contains("/A/kv-target-1");
        if looks && !anew { vec![Request::new(Method::Delete, url.clone())] } else { Vec::new() }
    });
    rehearsal.apply(&text).await;
    drop(watched);
    let written = read(&rehearsal.simulator, &record).await;
    assert_eq!(
        written.pointer("/properties/aRecords/0/ipv4Address"),
        Some(&json!("10.20.16.4")),
        "{written}"
    );
    assert!(rehearsal.drift(&text).await.drifted.is_empty());
}

/// Another endpoint wrote the record: to write it again would start a quarrel, so it is only told.
#[tokio::test(start_paused = true)]
async fn a_record_that_another_endpoint_wrote_is_told_and_left() {
    let text = format!("{HEAD}{ENDPOINT}");
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text).await;
    let record =
        at("Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net/A/kv-target-1", "rg-example");
    let theirs = json!({ "properties": {
        "ttl": 10, "aRecords": [{ "ipv4Address": "10.9.0.4" }],
        "metadata": { "creator": "created by private endpoint pe-theirs with resource guid 1" },
    } });
    meddle(&rehearsal.simulator, Method::Put, &record, "2024-06-01", theirs).await;
    let planned = rehearsal.plan(&text).await;
    assert!(planned.plan.is_empty());
    let [warning] = &planned.plan.warnings[..] else { panic!("{:#?}", planned.plan.warnings) };
    assert!(warning.message.contains("`pe-theirs`") && warning.message.contains("10.9.0.4"), "{warning:?}");
    assert_eq!(rehearsal.drift(&text).await.drifted.len(), 1);
}

/// A zone in which the caller may not read: nothing is known of the records, and nothing is said of them.
#[tokio::test(start_paused = true)]
async fn records_that_nobody_may_read_are_no_drift() {
    let text = format!("{HEAD}{ENDPOINT}");
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text).await;
    let refusal = Effect::Answer {
        status: 403,
        code: "AuthorizationFailed".to_owned(),
        message: "The client does not have authorization.".to_owned(),
        retry_after: None,
    };
    let refused = Fault::new(refusal).methods([Method::Get]).arm_type("Microsoft.Network/privateDnsZones/A");
    rehearsal.simulator.fail_next(refused.times(1000));
    assert!(rehearsal.drift(&text).await.drifted.is_empty());
    assert!(rehearsal.plan(&text).await.plan.is_empty());
}

/// Two endpoints in two subscriptions share one automatic zone; and a zone of another group and subscription that the blueprint
/// declares is the one that both use.
#[tokio::test(start_paused = true)]
async fn endpoints_in_two_subscriptions_share_a_zone() {
    const FAR: &str = "77777777-0000-4000-8000-000000000007";
    let text = format!(
        "blueprint: example
azure: {{ subscription: '${{env.AZURE_SUBSCRIPTION_ID}}', location: westeurope, resourceGroup: rg-example }}
resourceGroups: {{ far: {{ name: rg-far, subscription: {FAR} }} }}
networks:
  near: {{ addressSpace: [10.20.0.0/16], subnets: {{ pe: {{ prefix: 10.20.16.0/24 }} }} }}
  far: {{ subscription: {FAR}, resourceGroup: rg-far, addressSpace: [10.30.0.0/16], subnets: {{ pe: {{ prefix: 10.30.16.0/24 }} }} }}
keyVaults:
  one: {{ name: kv-target-1, protect: false, publicAccess: false }}
  two: {{ name: kv-target-2, protect: false, publicAccess: false }}
privateEndpoints:
  one: {{ name: pe-one, target: '${{keyVaults.one}}', subnet: '${{networks.near.subnets.pe}}' }}
  two: {{ name: pe-two, subscription: {FAR}, resourceGroup: rg-far, target: '${{keyVaults.two}}', subnet: '${{networks.far.subnets.pe}}' }}
"
    );
    let declared = format!(
        "{text}privateDnsZones: {{ vaults: {{ name: privatelink.vaultcore.azure.net, subscription: {FAR}, resourceGroup: rg-far }} }}\n"
    );
    let zone = "Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net";
    let there = format!("/subscriptions/{FAR}/resourceGroups/rg-far/providers/{zone}");
    for (text, zone) in [(&text, at(zone, "rg-example")), (&declared, there)] {
        let rehearsal = Rehearsal::new();
        rehearsal.simulator.add_subscription(FAR);
        rehearsal.apply(text).await;
        for (name, address) in [("kv-target-1", "10.20.16.4"), ("kv-target-2", "10.30.16.4")] {
            let record = read(&rehearsal.simulator, &format!("{zone}/A/{name}")).await;
            assert_eq!(record["properties"]["aRecords"][0]["ipv4Address"], address, "{record}");
        }
        let links = read(&rehearsal.simulator, &format!("{zone}/virtualNetworkLinks")).await;
        assert_eq!(links["value"].as_array().map(Vec::len), Some(2), "{links}");
        // A link that is gone is drift, and comes back.
        let link = links["value"][0]["id"].as_str().unwrap();
        meddle(&rehearsal.simulator, Method::Delete, link, "2024-06-01", Value::Null).await;
        rehearsal.session.engine.clock.sleep(std::time::Duration::from_secs(300)).await;
        let drift = rehearsal.drift(text).await;
        assert_eq!(drift.count(berth::drift::DriftKind::Missing), 1, "{drift:#?}");
        rehearsal.apply(text).await;
        assert!(rehearsal.drift(text).await.drifted.is_empty());
        rehearsal.destroy(text).await;
        assert_eq!(rehearsal.simulator.export(), [] as [Value; 0]);
    }
}

/// The zone is a hub's: in another subscription, and named by its id.
#[tokio::test(start_paused = true)]
async fn the_zone_of_a_hub_in_another_subscription_is_used_and_watched() {
    const HUB: &str = "77777777-0000-4000-8000-000000000007";
    let hub = format!(
        "blueprint: hub\nazure: {{ subscription: {HUB}, location: westeurope, resourceGroup: rg-dns }}\n\
         privateDnsZones: {{ vaults: {{ name: privatelink.vaultcore.azure.net }} }}\n"
    );
    let rehearsal = Rehearsal::new();
    rehearsal.simulator.add_subscription(HUB);
    let mut of_the_hub = rehearsal.without_ledger();
    of_the_hub.inputs.subscription = None;
    of_the_hub.apply(&hub).await;
    let zone = format!(
        "/subscriptions/{HUB}/resourceGroups/rg-dns/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net"
    );
    let existing = format!("existing: {{ zone: {{ id: '{zone}' }} }}\n");
    for (dns, more, vault) in
        [(zone.as_str(), "", "kv-target-1"), ("${existing.zone}", existing.as_str(), "kv-target-2")]
    {
        let text = format!("{HEAD}{more}{ENDPOINT}").replace("kv-target-1", vault).replace(
            "'${networks.net.subnets.pe}'",
            &format!("'${{networks.net.subnets.pe}}', dns: ['{dns}']"),
        );
        rehearsal.apply(&text).await;
        let record = format!("{zone}/A/{vault}");
        let body = read(&rehearsal.simulator, &record).await;
        assert_eq!(body["properties"]["aRecords"][0]["ipv4Address"], "10.20.16.4", "{body}");
        meddle(&rehearsal.simulator, Method::Delete, &record, "2024-06-01", Value::Null).await;
        let drift = rehearsal.drift(&text).await;
        assert_eq!(drift.drifted.len(), 1, "{drift:#?}");
        rehearsal.apply(&text).await;
        rehearsal.destroy(&text).await;
        assert_eq!(read(&rehearsal.simulator, &record).await["properties"], Value::Null);
    }
    // The hub keeps its zone, and nothing of the spoke is in it.
    assert!(of_the_hub.drift(&hub).await.drifted.is_empty());
}

fn shipped(name: &str) -> String {
    std::fs::read_to_string(root().join(format!("blueprints/{name}.yaml"))).unwrap()
}

/// A private endpoint of somebody else, who asks for a target.
async fn ask(simulator: &Simulator, path: &str, target: &str, group: Option<&str>, message: &str) {
    let name = path.rsplit('/').next().unwrap();
    let groups: Vec<&str> = group.into_iter().collect();
    let body = json!({ "location": "westeurope", "properties": { "manualPrivateLinkServiceConnections": [{
        "name": name,
        "properties": { "privateLinkServiceId": target, "groupIds": groups, "requestMessage": message },
    }] } });
    let url = format!("https://management.azure.com{path}?api-version=2025-05-01");
    let mut request = Request::new(Method::Put, url);
    request.body = body.to_string().into();
    let response = simulator.send(request).await.unwrap();
    assert_eq!(response.status, 201, "{:?}", response.body);
}

fn strangers_endpoint(name: &str) -> String {
    format!(
        "/subscriptions/66666666-0000-4000-8000-000000000006/resourceGroups/rg-checkout/providers/Microsoft.Network/privateEndpoints/{name}"
    )
}

/// Every connection on a target: its endpoint, and its status.
async fn connections(simulator: &Simulator, target: &str) -> Vec<(String, String)> {
    let list = read(simulator, &format!("{target}/privateEndpointConnections")).await;
    let of =
        |c: &Value, pointer: &str| c.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let all = list["value"].as_array().cloned().unwrap_or_default();
    let pair = |c: &Value| {
        let status = of(c, "/properties/privateLinkServiceConnectionState/status");
        (of(c, "/properties/privateEndpoint/id").to_lowercase(), status)
    };
    all.iter().map(pair).collect()
}

#[tokio::test(start_paused = true)]
async fn two_teams_meet_at_a_private_link_service() {
    let approver = Rehearsal::new();
    let theirs = shipped("cross-subscription-approver");
    approver.apply(&theirs).await;
    let service = at("Microsoft.Network/privateLinkServices/pls-payments", "rg-payments");
    let alias = read(&approver.simulator, &service).await["properties"]["alias"].as_str().unwrap().to_owned();
    let requester = approver.without_ledger();
    let ours = shipped("cross-subscription-requester");
    let start = ours.find("pls-payments.").unwrap();
    let end = start + ours[start..].find(" }").unwrap();
    let ours = format!("{}{alias}{}", &ours[..start], &ours[end..]);
    requester.apply(&ours).await;
    // Somebody else calls an endpoint the same, in a group of the same name.
    let stranger = strangers_endpoint("pe-payments");
    ask(&approver.simulator, &stranger, &service, None, "checkout asks for payments").await;
    let status = |all: &[(String, String)], endpoint: &str| {
        all.iter().find(|(id, _)| *id == endpoint.to_lowercase()).map(|(_, status)| status.clone())
    };
    let own = at("Microsoft.Network/privateEndpoints/pe-payments", "rg-checkout");
    let before = connections(&approver.simulator, &service).await;
    assert_eq!(status(&before, &own).as_deref(), Some("Pending"), "{before:?}");
    let applied = approver.try_apply(&theirs, Adoption::Refused).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    let after = connections(&approver.simulator, &service).await;
    assert_eq!(status(&after, &own).as_deref(), Some("Approved"), "{after:?}");
    assert_eq!(status(&after, &stranger).as_deref(), Some("Pending"), "{after:?}");
    let drift = approver.drift(&theirs).await;
    assert!(drift.drifted.is_empty(), "{drift:#?}");
    let listed: Vec<_> = drift.not_ours.iter().flat_map(|seen| &seen.endpoint).collect();
    assert_eq!(listed.len(), 1, "{drift:#?}");
    // The requester sees it by itself, and has nothing left to do.
    let endpoint = read(&requester.simulator, &own).await;
    let state = "/properties/manualPrivateLinkServiceConnections/0/properties/privateLinkServiceConnectionState/status";
    assert_eq!(endpoint.pointer(state), Some(&json!("Approved")));
    assert!(requester.plan(&ours).await.plan.is_empty());
    assert!(requester.drift(&ours).await.drifted.is_empty());
    requester.destroy(&ours).await;
    let mut gone = Request::new(
        Method::Delete,
        format!("https://management.azure.com{stranger}?api-version=2025-05-01"),
    );
    gone.body = Default::default();
    approver.simulator.send(gone).await.unwrap();
    approver.destroy(&theirs).await;
    assert_eq!(approver.simulator.export(), [] as [Value; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_front_door_is_let_in_by_its_nonce_and_nobody_who_calls_himself_so() {
    let rehearsal = Rehearsal::new();
    let text = shipped("web-app-behind-front-door");
    rehearsal.apply(&text).await;
    let all = rehearsal.simulator.export();
    let of = |kind: &str| {
        let found =
            all.iter().find(|body| body["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(kind)));
        found.unwrap_or_else(|| panic!("there is no {kind}")).clone()
    };
    let site = of("Microsoft.Web/sites")["id"].as_str().unwrap().to_owned();
    let seen = connections(&rehearsal.simulator, &site).await;
    let [(endpoint, status)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(status, "Approved");
    assert!(!endpoint.contains(SUBSCRIPTION), "{endpoint}");
    let origin = of("Microsoft.Cdn/profiles/originGroups/origins");
    let nonce =
        origin["properties"]["sharedPrivateLinkResource"]["requestMessage"].as_str().unwrap().to_owned();
    assert_eq!(
        of("Microsoft.Cdn/profiles/afdEndpoints/routes")["properties"]["linkToDefaultDomain"],
        "Enabled"
    );
    // They know the name of the origin, and even what it says.
    for (name, message) in [("shop", "berth"), ("shop", nonce.as_str()), ("SHOP", &nonce.to_uppercase())] {
        ask(&rehearsal.simulator, &strangers_endpoint(name), &site, Some("sites"), message).await;
        // Where two say the same, neither is let in.
        rehearsal.try_apply(&text, Adoption::Refused).await.unwrap();
        let seen = connections(&rehearsal.simulator, &site).await;
        let strangers: Vec<_> = seen.iter().filter(|(id, _)| id.contains("66666666")).collect();
        assert!(!strangers.is_empty() && strangers.iter().all(|(_, status)| status == "Pending"), "{seen:?}");
    }
}

/// Two origins in two groups that lead to the same: Azure makes one endpoint for both, and who asks first asks for both.
#[tokio::test(start_paused = true)]
async fn origins_that_share_an_endpoint_say_the_same_and_are_let_in_together() {
    let one = shipped("web-app-behind-front-door");
    let two = one
        .replace("    origins:\n", "      api: {}\n    origins:\n      api:\n        group: api\n        hostName: ${webApps.shop.hostName}\n        privateLink: { target: \"${webApps.shop}\" }\n")
        .replace("      shop:\n        hostName:", "      shop:\n        group: web\n        hostName:")
        .replace("all: { ruleSets", "all: { originGroup: web, ruleSets");
    for named in ["shop", "api"] {
        let text = two.replace("origins.shop}", &format!("origins.{named}}}"));
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&text).await;
        let all = rehearsal.simulator.export();
        let of = |kind: &str| -> Vec<Value> {
            all.iter()
                .filter(|body| body["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(kind)))
                .cloned()
                .collect()
        };
        let messages: Vec<Value> = of("Microsoft.Cdn/profiles/originGroups/origins")
            .iter()
            .map(|origin| origin["properties"]["sharedPrivateLinkResource"]["requestMessage"].clone())
            .collect();
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(
            messages[0].as_str().is_some_and(|text| text.starts_with("berth ")) && messages[0] == messages[1]
        );
        let site = of("Microsoft.Web/sites")[0]["id"].as_str().unwrap().to_owned();
        let seen = connections(&rehearsal.simulator, &site).await;
        assert!(matches!(&seen[..], [(_, status)] if status == "Approved"), "{named}: {seen:?}");
        // The other one goes, and what both asked through stays.
        let other = if named == "shop" { "api" } else { "shop" };
        if other == "api" {
            rehearsal.apply(&one).await;
            assert_eq!(connections(&rehearsal.simulator, &site).await, seen);
        }
        assert!(rehearsal.drift(&text).await.not_ours.is_empty());
    }
    // One of them says what anybody could repeat.
    let own = two.replacen(
        "privateLink: { target: \"${webApps.shop}\" }",
        "privateLink: { target: \"${webApps.shop}\", message: hello }",
        1,
    );
    let source = berth::ops::parse("b.yaml", own.as_bytes()).unwrap();
    let told = berth::ops::validate_source(&source, &Rehearsal::new().inputs).unwrap_err();
    assert!(format!("{told:?}").contains("a request message of its own"), "{told:?}");
}

/// Two endpoints with fixed addresses in one subnet.
const FIXED: &str = "\
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { name: vnet-shop, addressSpace: [10.20.0.0/16], subnets: { a: { prefix: 10.20.1.0/24 } } }
keyVaults:
  main: { name: kv-shop-7d1e, publicAccess: false, protect: false }
privateEndpoints:
  one: { name: pe-one, target: '${keyVaults.main}', subnet: '${networks.hub.subnets.a}', dns: none, ipConfigurations: { x: { member: default, address: 10.20.1.10 } } }
  two: { name: pe-two, target: '${keyVaults.main}', subnet: '${networks.hub.subnets.a}', dns: none, ipConfigurations: { x: { member: default, address: 10.20.1.11 } } }
";

#[test]
fn fixed_addresses_change_hands_when_they_are_free_and_not_before() {
    for (one, two) in [("10.20.1.11", "10.20.1.10"), ("10.20.1.11", "10.20.1.12")] {
        let after = FIXED.replace("10.20.1.11", "TWO").replace("10.20.1.10", one).replace("TWO", two);
        let berth = Berth::new().blueprint(FIXED);
        berth.apply(&[]).exits(0);
        berth.write("blueprint.yaml", after.as_bytes());
        berth.apply(&[]).exits(0);
        berth.plan(&[]).exits(0);
        // What cannot be cleared away keeps its address, and the other one stays where it is.
        let berth = Berth::new().blueprint(FIXED);
        berth.apply(&[]).exits(0);
        berth.write("blueprint.yaml", after.as_bytes());
        let faults = "faults:\n  - { answer: { status: 403, code: AuthorizationFailed }, method: [DELETE], type: Microsoft.Network/privateEndpoints }\n";
        berth.write("faults.yaml", faults.as_bytes());
        berth.apply(&["--faults", "faults.yaml"]).exits_with_one_of(&[1, 3]);
        let there = berth.export();
        let endpoints = there
            .iter()
            .filter(|one| one["type"].as_str().is_some_and(|kind| kind.ends_with("/privateEndpoints")));
        assert_eq!(endpoints.count(), 2);
    }
}

#[test]
fn an_address_that_another_endpoint_has_is_in_the_way_and_refused() {
    let berth = Berth::new().blueprint(FIXED);
    berth.apply(&[]).exits(0);
    let other = "\
blueprint: other
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope }
existing:
  hub: { type: Microsoft.Network/virtualNetworks, name: vnet-shop, resourceGroup: rg-shop }
  a: { type: Microsoft.Network/virtualNetworks/subnets, parent: '${existing.hub}', name: a }
keyVaults:
  main: { name: kv-other-7d1e, resourceGroup: rg-shop, publicAccess: false, protect: false }
privateEndpoints:
  mine: { name: pe-mine, resourceGroup: rg-shop, target: '${keyVaults.main}', subnet: '${existing.a}', dns: none, ipConfigurations: { x: { member: default, address: 10.20.1.10 } } }
";
    berth.write("other.yaml", other.as_bytes());
    berth.run(["plan", "other.yaml", "--sim"]).exits(2).says(&[
        "privateEndpoints.mine",
        "the private endpoint `pe-one`, which somebody else made, has an address of it",
    ]);
}
