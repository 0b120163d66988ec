//! What people connect to or through: endpoints find the way by themselves, and what is closed stays open to berth.

use crate::support::{Rehearsal, root};
use berth::arm::transport::{Method, Request, Transport};
use berth::plan::Adoption;
use berth::sim::{SUBSCRIPTION, Simulator};
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
    let url = format!("https://management.azure.com{path}?api-version=2025-05-01");
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

#[tokio::test(start_paused = true)]
async fn api_management_is_closed_once_its_endpoint_is_approved() {
    let text = format!(
        "{HEAD}{}\nprivateEndpoints: {{ e: {{ name: pe, target: '${{apiManagement.t}}', subnet: '${{networks.net.subnets.pe}}' }} }}\n",
        TARGETS.last().unwrap().0.replace("sku: StandardV2", "sku: StandardV2, publicAccess: false")
    );
    let rehearsal = Rehearsal::new();
    let applied = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    let service = at("Microsoft.ApiManagement/service/apim-target-1", "rg-example");
    let access = |body: Value| body["properties"]["publicNetworkAccess"].clone();
    // Azure closes none that has no approved endpoint.
    assert_eq!(access(read(&rehearsal.simulator, &service).await), "Enabled");
    rehearsal.apply(&text).await;
    assert_eq!(access(read(&rehearsal.simulator, &service).await), "Disabled");
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
