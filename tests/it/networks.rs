//! Security groups, routes, gateways, addresses, peerings and zones, from a blueprint to Azure and back.

use crate::support::{Berth, Rehearsal};
use berth::arm::transport::{Method, Request, Transport};
use serde_json::{Value, json};

const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
";

const GROUP: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-example/providers";

/// Sends a request as somebody else would.
async fn send(rehearsal: &Rehearsal, method: Method, id: &str, version: &str, body: Option<Value>) -> Value {
    let url = format!("https://management.azure.com{id}?api-version={version}");
    let mut request = Request::new(method, url);
    request.headers.set("authorization", "Bearer somebody");
    if let Some(body) = body {
        request.headers.set("content-type", "application/json");
        request.body = body.to_string().into_bytes().into();
    }
    let response = rehearsal.simulator.send(request).await.unwrap();
    assert!(response.status < 300, "{}: {}", response.status, String::from_utf8_lossy(&response.body));
    serde_json::from_slice(&response.body).unwrap_or_default()
}

async fn get(rehearsal: &Rehearsal, what: &str, version: &str) -> Value {
    send(rehearsal, Method::Get, &format!("{GROUP}/{what}"), version, None).await
}

/// Lets what is under way in the simulator come to its end.
async fn settle() {
    tokio::time::advance(std::time::Duration::from_secs(600)).await;
}

const NRP: &str = "2025-05-01";

#[tokio::test(start_paused = true)]
async fn what_others_put_into_a_group_or_a_table_stays() {
    let blueprint = |priority: u32, hop: &str| {
        format!(
            "{HEAD}networkSecurityGroups:
  nodes:
    rules:
      web: {{ priority: {priority}, direction: Inbound, access: Allow, protocol: Tcp, from: Internet, ports: [80, 443] }}
routeTables:
  egress:
    routes:
      default: {{ prefix: 0.0.0.0/0, {hop} }}
"
        )
    };
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&blueprint(100, "nextHop: VirtualAppliance, nextHopIp: 10.0.0.4")).await;
    for (what, list, element) in [
        (
            "Microsoft.Network/networkSecurityGroups/nodes",
            "securityRules",
            json!({ "name": "theirs", "properties": {
                "priority": 200, "direction": "Inbound", "access": "Deny", "protocol": "*", "sourcePortRange": "*",
                "destinationPortRange": "*", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*",
            } }),
        ),
        (
            "Microsoft.Network/routeTables/egress",
            "routes",
            json!({ "name": "aks-nodepool1", "properties": {
                "addressPrefix": "10.244.0.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.20.0.4",
            } }),
        ),
    ] {
        let mut body = get(&rehearsal, what, NRP).await;
        body["properties"][list].as_array_mut().unwrap().push(element);
        send(&rehearsal, Method::Put, &format!("{GROUP}/{what}"), NRP, Some(body)).await;
    }
    settle().await;
    let first = blueprint(100, "nextHop: VirtualAppliance, nextHopIp: 10.0.0.4");
    assert!(rehearsal.plan(&first).await.plan.is_empty());
    assert!(rehearsal.drift(&first).await.drifted.is_empty());

    rehearsal.apply(&blueprint(110, "nextHop: Internet")).await;
    let group = get(&rehearsal, "Microsoft.Network/networkSecurityGroups/nodes", NRP).await;
    let names: Vec<&str> = group["properties"]["securityRules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["web", "theirs"]);
    let table = get(&rehearsal, "Microsoft.Network/routeTables/egress", NRP).await;
    assert_eq!(table["properties"]["routes"].as_array().unwrap().len(), 2);
    let route = &table["properties"]["routes"][0]["properties"];
    assert_eq!((&route["nextHopType"], route.get("nextHopIpAddress")), (&json!("Internet"), None));

    // A rule that the blueprint drops goes, and only that one.
    let dropped =
        format!("{HEAD}networkSecurityGroups: {{ nodes: {{}} }}\nrouteTables: {{ egress: {{}} }}\n");
    rehearsal.apply(&dropped).await;
    let group = get(&rehearsal, "Microsoft.Network/networkSecurityGroups/nodes", NRP).await;
    assert_eq!(group["properties"]["securityRules"][0]["name"], "theirs");
    assert_eq!(group["properties"]["securityRules"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_somebody_changed_is_drift() {
    let text = format!(
        "{HEAD}networkSecurityGroups:
  nodes:
    rules: {{ web: {{ priority: 100, direction: Inbound, access: Deny, protocol: Tcp, ports: 22 }} }}
"
    );
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text).await;
    let what = "Microsoft.Network/networkSecurityGroups/nodes";
    let mut body = get(&rehearsal, what, NRP).await;
    body["properties"]["securityRules"][0]["properties"]["access"] = "Allow".into();
    send(&rehearsal, Method::Put, &format!("{GROUP}/{what}"), NRP, Some(body)).await;
    settle().await;
    let drift = rehearsal.drift(&text).await;
    assert_eq!(drift.drifted.len(), 1, "{drift:#?}");
    rehearsal.apply(&text).await;
    let group = get(&rehearsal, what, NRP).await;
    assert_eq!(group["properties"]["securityRules"][0]["properties"]["access"], "Deny");
}

#[tokio::test(start_paused = true)]
async fn a_subnet_takes_on_and_lets_go_of_what_it_uses() {
    let text = |uses: &str, rest: &str| {
        format!(
            "{HEAD}networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: {{ nodes: {{ prefix: 10.20.0.0/20{uses} }} }}
{rest}"
        )
    };
    let rest = "networkSecurityGroups: { n: {} }
routeTables: { r: {} }
publicIps: { p: {} }
natGateways: { g: { publicIps: ['${publicIps.p}'] } }
";
    let uses = ", networkSecurityGroup: '${networkSecurityGroups.n}', routeTable: '${routeTables.r}', \
                natGateway: '${natGateways.g}'";
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&text("", "")).await;
    rehearsal.apply(&text(uses, rest)).await;
    let subnet = "Microsoft.Network/virtualNetworks/hub/subnets/nodes";
    let body = get(&rehearsal, subnet, NRP).await;
    for member in ["networkSecurityGroup", "routeTable", "natGateway"] {
        assert!(body["properties"][member]["id"].is_string(), "{body}");
    }
    // All of it goes in one run: the subnet lets go first.
    rehearsal.apply(&text("", "")).await;
    let body = get(&rehearsal, subnet, NRP).await;
    for member in ["networkSecurityGroup", "routeTable", "natGateway"] {
        assert_eq!(body["properties"].get(member), None, "{body}");
    }
    rehearsal.apply(&text(uses, rest)).await;
    rehearsal.destroy(&text(uses, rest)).await;
    assert_eq!(rehearsal.simulator.export(), [] as [Value; 0]);
}

const PEERED: &str = "networks:
  hub:
    addressSpace: [10.20.0.0/16]
    peerings: { spoke: { network: '${networks.spoke}', shareGateway: true } }
  spoke:
    addressSpace: [10.21.0.0/16]
";

#[tokio::test(start_paused = true)]
async fn a_peering_is_made_on_both_networks_and_goes_from_both() {
    let rehearsal = Rehearsal::new();
    let text = format!("{HEAD}{PEERED}");
    rehearsal.apply(&text).await;
    for (peering, gateway) in [
        ("hub/virtualNetworkPeerings/spoke", "allowGatewayTransit"),
        ("spoke/virtualNetworkPeerings/hub", "useRemoteGateways"),
    ] {
        let body = get(&rehearsal, &format!("Microsoft.Network/virtualNetworks/{peering}"), NRP).await;
        assert_eq!(body["properties"]["peeringState"], "Connected", "{body}");
        assert_eq!(body["properties"][gateway], true, "{body}");
    }
    // The network is updated with its peerings in place.
    let wider = text.replace("[10.20.0.0/16]", "[10.20.0.0/16, 10.30.0.0/16]");
    rehearsal.apply(&wider).await;
    let hub = get(&rehearsal, "Microsoft.Network/virtualNetworks/hub", NRP).await;
    assert_eq!(hub["properties"]["virtualNetworkPeerings"].as_array().unwrap().len(), 1, "{hub}");
    rehearsal.destroy(&wider).await;
    assert_eq!(rehearsal.simulator.export(), [] as [Value; 0]);
}

const ENDPOINTS: &str = "networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: { endpoints: { prefix: 10.20.0.0/26 } }
resourceGroups: { dns: { name: rg-dns }, other: { name: rg-other } }
keyVaults:
  a: { name: kv-example-a, protect: false }
  b: { name: kv-example-b, protect: false }
privateEndpoints:
  a: { target: '${keyVaults.a}', subnet: '${networks.hub.subnets.endpoints}', dns: auto }
  b: { target: '${keyVaults.b}', subnet: '${networks.hub.subnets.endpoints}', dns: auto, resourceGroup: rg-other }
";

#[tokio::test(start_paused = true)]
async fn endpoints_of_two_groups_share_one_zone() {
    let rehearsal = Rehearsal::new();
    let text = format!("{HEAD}{ENDPOINTS}");
    let applied = rehearsal.apply(&text).await;
    let zones = applied.ledger.resources.keys().filter(|id| id.resource_type().ends_with("privateDnsZones"));
    assert_eq!(zones.count(), 1);
    rehearsal.destroy(&text).await;
}

#[tokio::test(start_paused = true)]
async fn endpoints_use_the_zone_and_the_link_that_the_blueprint_declares() {
    let rehearsal = Rehearsal::new();
    let text = format!(
        "{HEAD}{ENDPOINTS}privateDnsZones:
  vaults:
    name: privatelink.vaultcore.azure.net
    resourceGroup: rg-dns
    links: {{ main: {{ network: '${{networks.hub}}' }} }}
"
    );
    let applied = rehearsal.apply(&text).await;
    let ids: Vec<String> = applied
        .ledger
        .resources
        .keys()
        .map(ToString::to_string)
        .filter(|id| id.contains("/privateDnsZones/"))
        .collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert!(ids.iter().all(|id| id.contains("/resourceGroups/rg-dns/")), "{ids:?}");
    rehearsal.destroy(&text).await;
}

#[test]
fn the_binary_takes_a_network_through_its_life() {
    let text = format!(
        "{HEAD}networkSecurityGroups:
  nodes: {{ rules: {{ web: {{ priority: 100, direction: Inbound, access: Allow, ports: 443 }} }} }}
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: {{ nodes: {{ prefix: 10.20.0.0/20, networkSecurityGroup: '${{networkSecurityGroups.nodes}}' }} }}
"
    );
    let berth = Berth::new().blueprint(&text);
    berth
        .apply(&[])
        .exits(0)
        .says(&["created networkSecurityGroups.nodes", "created networks.hub.subnets.nodes"]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    let berth = berth.blueprint(&text.replace("ports: 443", "ports: [80, 443]"));
    berth.plan(&[]).exits(2).says(&["networkSecurityGroups.nodes", "destinationPortRanges"]);
    berth.apply(&[]).exits(0).says(&["updated networkSecurityGroups.nodes"]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
}

const IN_STEP: &str = "\
blueprint: peered
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-peered }
networks:
  hub:
    name: vnet-hub
    addressSpace: [10.0.0.0/16]
    subnets: { a: { prefix: 10.0.0.0/24 } }
    peerings: { spoke: { network: '${networks.spoke}' } }
  spoke: { name: vnet-spoke, addressSpace: [10.1.0.0/16], subnets: { a: { prefix: 10.1.0.0/24 } } }
";

/// Ranges that change on one side of a peering are taken over on the other: in the run that changes them, and when somebody else
/// did.
#[tokio::test(start_paused = true)]
async fn peerings_stay_in_step_with_the_ranges_of_both_networks() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(IN_STEP).await;
    let group = format!("/subscriptions/{}/resourceGroups/rg-peered", berth::sim::SUBSCRIPTION);
    let network = |name: &str| format!("{group}/providers/Microsoft.Network/virtualNetworks/{name}");
    let levels = || -> Vec<String> {
        let all = rehearsal.simulator.export();
        let peerings =
            all.iter().filter(|body| body["id"].as_str().unwrap().contains("/virtualNetworkPeerings/"));
        peerings.map(|body| body["properties"]["peeringSyncLevel"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(levels(), ["FullyInSync", "FullyInSync"]);
    for (from, to) in
        [("10.0.0.0/16]", "10.0.0.0/16, 10.8.0.0/16]"), ("10.1.0.0/16]", "10.1.0.0/16, 10.9.0.0/16]")]
    {
        let grown = IN_STEP.replace(from, to);
        let planned = rehearsal.plan(&grown).await;
        let stepped =
            planned.plan.changes().filter(|step| step.reason == berth::plan::Reason::OutOfStep).count();
        assert!(stepped >= 1, "{:#?}", planned.plan.changes().collect::<Vec<_>>());
        rehearsal.apply(&grown).await;
        assert_eq!(levels(), ["FullyInSync", "FullyInSync"]);
        rehearsal.apply(IN_STEP).await;
    }
    // Somebody grows the hub, which the blueprint takes back; until then both sides are told.
    let url = format!("https://management.azure.com{}?api-version=2025-05-01", network("vnet-hub"));
    let mut request = Request::new(Method::Put, url);
    let body = json!({ "location": "westeurope", "tags": { "berth-blueprint": "peered" }, "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16", "10.7.0.0/16"] },
    } });
    request.body = body.to_string().into();
    rehearsal.simulator.send(request).await.unwrap();
    rehearsal.session.engine.clock.sleep(std::time::Duration::from_secs(300)).await;
    let drift = rehearsal.drift(IN_STEP).await;
    let peerings: Vec<&str> = drift
        .drifted
        .iter()
        .filter(|drifted| drifted.fields.iter().any(|field| field.path == "properties.peeringSyncLevel"))
        .map(|drifted| drifted.address.as_str())
        .collect();
    assert_eq!(peerings, ["networks.hub.peerings.spoke", "networks.hub.peerings.spoke.back"]);
    rehearsal.apply(IN_STEP).await;
    assert_eq!(levels(), ["FullyInSync", "FullyInSync"]);
    assert!(rehearsal.drift(IN_STEP).await.drifted.is_empty());
}
