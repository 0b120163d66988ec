//! Others write to the same subscription: what they made under another name, and what they added.

use crate::support::Rehearsal;
use berth::arm::Conditions;
use berth::change::Action;
use berth::ident::ArmId;
use berth::plan::{Adoption, Plan, Reason};
use berth::value::LeftAloneReason;
use serde_json::{Value, json};
use std::time::Duration;

const GROUP: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-o";

fn blueprint(text: &str) -> String {
    format!(
        "blueprint: others\nazure: {{ subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-o }}\n{text}"
    )
}

/// Writes as somebody else does.
async fn write(rehearsal: &Rehearsal, id: &str, version: &str, body: Value) {
    rehearsal.session.engine.client.put(id, version, &body, &Conditions::none()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
}

async fn read(rehearsal: &Rehearsal, id: &str, version: &str) -> Option<Value> {
    rehearsal.session.engine.client.get(id, version).await.unwrap().map(|found| found.body)
}

/// What is in the way of a plan: addresses, messages and remedies.
fn in_the_way(plan: &Plan) -> Vec<String> {
    let all = plan.conflicts.iter();
    all.map(|one| format!("{}: {}; {}", one.address, one.message, one.help)).collect()
}

const APP: &str = "identities: { app: {} }\n";
const READER: &str =
    "roleAssignments: { read: { principal: '${identities.app}', role: Reader, description: from git } }\n";
const BY_HAND: &str = "99999999-0000-4000-8000-000000000009";

/// Gives the role of [`READER`] under a name of its own.
async fn give_by_hand(rehearsal: &Rehearsal) -> String {
    let identity = format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app");
    let identity = read(rehearsal, &identity, "2024-11-30").await.unwrap();
    let id = format!("{GROUP}/providers/Microsoft.Authorization/roleAssignments/{BY_HAND}");
    let body = json!({ "properties": {
        // Without the subscription, as a definition may be named too.
        "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "principalId": identity["properties"]["principalId"], "principalType": "ServicePrincipal",
    } });
    write(rehearsal, &id, "2022-04-01", body).await;
    id
}

#[tokio::test(start_paused = true)]
async fn a_role_that_somebody_gave_is_found_whatever_its_name() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&blueprint(APP)).await;
    let by_hand = give_by_hand(&rehearsal).await;
    let text = blueprint(&format!("{APP}{READER}"));
    let plan = rehearsal.plan(&text).await.plan;
    let told = in_the_way(&plan);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(BY_HAND) && told[0].contains("--adopt"), "{told:?}");

    // It is taken over as it is: there is no tag to write, so nothing is written.
    let before = read(&rehearsal, &by_hand, "2022-04-01").await;
    let applied = rehearsal.try_apply(&text, Adoption::Allowed).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    assert_eq!(read(&rehearsal, &by_hand, "2022-04-01").await, before);
    assert!(rehearsal.ledger().await.to_string().contains(BY_HAND));

    // From now on it is the blueprint's, under its name: what differs is the next plan's, and drift sees what changes.
    rehearsal.apply(&text).await;
    let body = read(&rehearsal, &by_hand, "2022-04-01").await.unwrap();
    assert_eq!(body["properties"]["description"], "from git");
    assert!(rehearsal.drift(&text).await.drifted.is_empty());
    rehearsal.destroy(&text).await;
    assert_eq!(read(&rehearsal, &by_hand, "2022-04-01").await, None);
}

#[tokio::test(start_paused = true)]
async fn an_entry_may_say_that_it_takes_the_role_over() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&blueprint(APP)).await;
    give_by_hand(&rehearsal).await;
    let text = blueprint(&format!("{APP}{}", READER.replace("role: Reader", "adopt: true, role: Reader")));
    let step = rehearsal
        .plan(&text)
        .await
        .plan
        .steps
        .into_iter()
        .find(|step| step.address.as_str() == "roleAssignments.read");
    let step = step.unwrap();
    assert_eq!((step.action, step.reason), (Action::Adopt, Reason::TakenOver));
    assert_eq!(step.id.name(), BY_HAND);
    // A name that the blueprint chose is meant, and no other.
    let named = READER.replace("role: Reader", "name: 88888888-0000-4000-8000-000000000008, role: Reader");
    let plan = rehearsal.plan_with(&blueprint(&format!("{APP}{named}")), Adoption::Allowed).await.plan;
    let told = in_the_way(&plan);
    assert!(told[0].contains(&format!("write `name: {BY_HAND}`")), "{told:?}");
}

const ENDPOINT: &str = "\
networks: { hub: { addressSpace: [10.20.0.0/16], subnets: { pe: { prefix: 10.20.16.0/26 } } } }
keyVaults: { kv: { name: kv-others-777, protect: false, publicAccess: false } }
privateEndpoints: { kv: { target: '${keyVaults.kv}', subnet: '${networks.hub.subnets.pe}'DNS } }
";

#[tokio::test(start_paused = true)]
async fn a_zone_group_that_a_policy_made_is_seen_before_anything_is_made() {
    let rehearsal = Rehearsal::new();
    let none = blueprint(&ENDPOINT.replace("DNS", ", dns: none"));
    rehearsal.apply(&none).await;
    let zone = format!("{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net");
    write(&rehearsal, &zone, "2024-06-01", json!({ "location": "global", "tags": { "team": "dns" } })).await;
    let endpoint = format!("{GROUP}/providers/Microsoft.Network/privateEndpoints/kv");
    let configs = json!([{ "name": "x", "properties": { "privateDnsZoneId": zone } }]);
    let group = format!("{endpoint}/privateDnsZoneGroups/deployedByPolicy");
    write(&rehearsal, &group, "2025-05-01", json!({ "properties": { "privateDnsZoneConfigs": configs } }))
        .await;

    let told = in_the_way(&rehearsal.plan(&blueprint(&ENDPOINT.replace("DNS", ""))).await.plan);
    assert!(
        told.iter().any(|one| one.starts_with("privateEndpoints.kv.dns: ") && one.contains("`dns: none`")),
        "{told:?}"
    );
    assert!(rehearsal.plan(&none).await.plan.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_only_one_can_have_is_seen_in_every_kind_that_has_such() {
    let rehearsal = Rehearsal::new();
    let base = "networks: { hub: { addressSpace: [10.20.0.0/16] }, spoke: { addressSpace: [10.21.0.0/16] } }\n\
                privateDnsZones: { z: { name: a.internal } }\nidentities: { app: {} }\n";
    rehearsal.apply(&blueprint(base)).await;
    let network = |name: &str| format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}");
    let hub = json!({ "id": network("hub") });
    write(
        &rehearsal,
        &format!("{}/subnets/theirs", network("hub")),
        "2025-05-01",
        json!({ "properties": { "addressPrefix": "10.20.1.0/24" } }),
    )
    .await;
    let link =
        format!("{GROUP}/providers/Microsoft.Network/privateDnsZones/a.internal/virtualNetworkLinks/theirs");
    write(&rehearsal, &link, "2024-06-01", json!({ "location": "global", "properties": { "virtualNetwork": hub, "registrationEnabled": false } })).await;
    let peering = format!("{}/virtualNetworkPeerings/theirs", network("spoke"));
    write(&rehearsal, &peering, "2025-05-01", json!({ "properties": { "remoteVirtualNetwork": hub } })).await;
    let credential = format!(
        "{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app/federatedIdentityCredentials/theirs"
    );
    let trust = json!({ "issuer": "https://issuer.example", "subject": "s", "audiences": ["api://AzureADTokenExchange"] });
    write(&rehearsal, &credential, "2024-11-30", json!({ "properties": trust })).await;

    let text = "networks:\n  hub: { addressSpace: [10.20.0.0/16], subnets: { a: { prefix: 10.20.0.0/22 }, b: { prefix: 10.20.4.0/24 } } }\n  \
                spoke: { addressSpace: [10.21.0.0/16], peerings: { hub: { network: '${networks.hub}', bothWays: false } } }\n\
                privateDnsZones: { z: { name: a.internal, links: { hub: { network: '${networks.hub}' } } } }\n\
                identities: { app: { federatedCredentials: { web: { issuer: 'https://issuer.example', subject: s } } } }\n";
    let told = in_the_way(&rehearsal.plan(&blueprint(text)).await.plan);
    let blocked = [
        "networks.hub.subnets.a: ",
        "networks.spoke.peerings.hub: ",
        "privateDnsZones.z.links.hub: ",
        "identities.app.federatedCredentials.web: ",
    ];
    for address in blocked {
        assert!(
            told.iter().any(|one| one.starts_with(address) && one.contains("`theirs`")),
            "{address}: {told:#?}"
        );
    }
    assert_eq!(told.len(), blocked.len(), "{told:#?}");
    assert!(ArmId::parse(&link).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_subnet_takes_a_range_of_each_family_and_gives_one_back() {
    let rehearsal = Rehearsal::new();
    let both = "networks: { hub: { addressSpace: [10.20.0.0/16, 'fd00:db8:dead::/48'], subnets: { a: { prefix: [10.20.0.0/24, 'fd00:db8:dead:1::/64'] } } } }\n";
    let one = both.replace("[10.20.0.0/24, 'fd00:db8:dead:1::/64']", "10.20.0.0/24");
    for text in [both, &one, both] {
        rehearsal.apply(&blueprint(text)).await;
        let id = format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets/a");
        let body = read(&rehearsal, &id, "2025-05-01").await.unwrap();
        let two = body["properties"]["addressPrefixes"].as_array().map_or(0, Vec::len);
        assert_eq!(two == 2, text == both, "{body:#}");
        assert!(rehearsal.drift(&blueprint(text)).await.drifted.is_empty());
    }
}

/// What a plan and a drift report say that others added; both must say the same.
async fn added(rehearsal: &Rehearsal, text: &str) -> Vec<String> {
    let plan = rehearsal.plan(text).await.plan;
    assert!(plan.is_empty(), "{:#?}", plan.steps);
    let drift = rehearsal.drift(text).await;
    assert!(drift.drifted.is_empty(), "{:#?}", drift.drifted);
    assert_eq!(plan.left_alone, drift.left_alone);
    let told = plan.left_alone.iter().filter(|one| one.reason == LeftAloneReason::Added);
    told.map(|one| format!("{} {}", one.address, one.path)).collect()
}

const SHARED: &str = "\
networks: { hub: { addressSpace: [10.20.0.0/16], subnets: { nodes: { prefix: 10.20.0.0/22 } } }, spoke: { addressSpace: [10.21.0.0/16] } }
identities: { app: { federatedCredentials: { web: { issuer: 'https://issuer.example', subject: ours } } } }
keyVaults: { kv: { name: kv-others-778, protect: false, authorization: accessPolicies, accessPolicies: { me: { principal: 44444444-4444-4444-4444-444444444444, secrets: [get] } } } }
policyAssignments: { a: { policy: noPrivilegedContainers, effect: deny } }
clusters: { aks: { protect: false, subnet: '${networks.hub.subnets.nodes}', nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } } } }
";

#[tokio::test(start_paused = true)]
async fn what_others_added_is_told_alike_by_plan_and_drift_and_stays() {
    let rehearsal = Rehearsal::new();
    let text = blueprint(SHARED);
    rehearsal.apply(&text).await;
    assert_eq!(added(&rehearsal, &text).await, Vec::<String>::new());

    let network = |name: &str| format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}");
    let subnet = json!({ "properties": { "addressPrefix": "10.20.64.0/24" } });
    write(&rehearsal, &format!("{}/subnets/theirs", network("hub")), "2025-05-01", subnet).await;
    let peering = json!({ "properties": { "remoteVirtualNetwork": { "id": network("spoke") } } });
    write(&rehearsal, &format!("{}/virtualNetworkPeerings/theirs", network("hub")), "2025-05-01", peering)
        .await;
    let credential = format!(
        "{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app/federatedIdentityCredentials/theirs"
    );
    let trust = json!({ "issuer": "https://issuer.example", "subject": "theirs", "audiences": ["api://AzureADTokenExchange"] });
    write(&rehearsal, &credential, "2024-11-30", json!({ "properties": trust })).await;
    let pool = format!("{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks/agentPools/theirs");
    let nodes = format!("{}/subnets/nodes", network("hub"));
    let wanted = json!({ "count": 1, "vmSize": "Standard_D4s_v5", "mode": "User", "osType": "Linux", "vnetSubnetID": nodes, "type": "VirtualMachineScaleSets" });
    write(&rehearsal, &pool, "2026-02-01", json!({ "properties": wanted })).await;
    for (id, version, list, theirs) in [
        (
            format!("{GROUP}/providers/Microsoft.KeyVault/vaults/kv-others-778"),
            "2026-02-01",
            "accessPolicies",
            json!({ "tenantId": rehearsal.simulator.tenant(), "objectId": "55555555-5555-5555-5555-555555555555", "permissions": { "secrets": ["get"] } }),
        ),
        (
            format!("{GROUP}/providers/Microsoft.Authorization/policyAssignments/a"),
            "2025-11-01",
            "notScopes",
            json!(format!("{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks")),
        ),
    ] {
        let mut body = read(&rehearsal, &id, version).await.unwrap();
        let mut all = body["properties"][list].as_array().cloned().unwrap_or_default();
        all.push(theirs);
        body["properties"][list] = all.into();
        write(&rehearsal, &id, version, body).await;
    }

    let told = added(&rehearsal, &text).await;
    assert_eq!(
        told,
        [
            "clusters.aks nodePools[theirs]".to_owned(),
            "identities.app federatedCredentials[theirs]".to_owned(),
            format!(
                "keyVaults.kv properties.accessPolicies[{},55555555-5555-5555-5555-555555555555,]",
                rehearsal.simulator.tenant()
            ),
            "networks.hub peerings[theirs]".to_owned(),
            "networks.hub subnets[theirs]".to_owned(),
            "policyAssignments.a properties.notScopes".to_owned(),
        ]
    );

    // Where the list is the blueprint's alone it is a change and drift, and not told twice.
    let alone = text.replace("name: kv-others-778,", "name: kv-others-778, exclusive: [accessPolicies],");
    let plan = rehearsal.plan(&alone).await.plan;
    assert_eq!(plan.changes().map(|step| step.address.as_str()).collect::<Vec<_>>(), ["keyVaults.kv"]);
    assert!(!plan.left_alone.iter().any(|one| one.address.as_str() == "keyVaults.kv"));
    assert_eq!(rehearsal.drift(&alone).await.drifted.len(), 1);
    // An empty list of exclusions says that there are none.
    let none = text.replace("effect: deny }", "effect: deny, excludeScopes: [] }");
    let plan = rehearsal.plan(&none).await.plan;
    assert_eq!(plan.changes().map(|step| step.address.as_str()).collect::<Vec<_>>(), ["policyAssignments.a"]);
    // Nothing of it was touched.
    rehearsal.apply(&none).await;
    assert_eq!(added(&rehearsal, &none).await.len(), told.len() - 1);
}

#[tokio::test(start_paused = true)]
async fn exemptions_from_our_assignments_are_told_wherever_they_stand() {
    let rehearsal = Rehearsal::new();
    let text = blueprint(SHARED);
    rehearsal.apply(&text).await;
    let assignment = format!("{GROUP}/providers/Microsoft.Authorization/policyAssignments/a");
    let exemption =
        |about: &str| json!({ "properties": { "policyAssignmentId": about, "exemptionCategory": "Waiver" } });
    let cluster = format!("{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks");
    let at = |scope: &str, name: &str| {
        format!("{scope}/providers/Microsoft.Authorization/policyExemptions/{name}")
    };
    write(&rehearsal, &at(GROUP, "whole"), "2026-01-01-preview", exemption(&assignment)).await;
    write(
        &rehearsal,
        &at(&cluster, "one"),
        "2026-01-01-preview",
        exemption(&assignment.to_uppercase().replace("/SUBSCRIPTIONS/", "/subscriptions/")),
    )
    .await;
    // One of somebody else's assignments says nothing about ours.
    let theirs = "/providers/Microsoft.Management/managementGroups/top/providers/Microsoft.Authorization/policyAssignments/a";
    write(&rehearsal, &at(GROUP, "theirs"), "2026-01-01-preview", exemption(theirs)).await;
    assert_eq!(
        added(&rehearsal, &text).await,
        ["policyAssignments.a exemptions[one]", "policyAssignments.a exemptions[whole]"]
    );
    // One that the blueprint makes is not somebody else's.
    let ours = format!(
        "{text}resources: {{ mine: {{ type: Microsoft.Authorization/policyExemptions, apiVersion: 2026-01-01-preview, name: mine, body: {{ properties: {{ policyAssignmentId: '${{policyAssignments.a}}', exemptionCategory: Mitigated }} }} }} }}\n"
    );
    rehearsal.apply(&ours).await;
    assert_eq!(added(&rehearsal, &ours).await.len(), 2);
}

/// Azure never shows a secret, and says which version it has.
#[tokio::test(start_paused = true)]
async fn a_secret_that_somebody_replaced_is_drift_and_is_written_again() {
    let rehearsal = Rehearsal::new();
    let text = blueprint(
        "parameters: { db: { secret: true, default: s3cr3t-enough } }\n\
         keyVaults: { kv: { name: kv-others-779, protect: false, secrets: { db: { value: '${param.db}' } } } }\n",
    );
    rehearsal.apply(&text).await;
    // A tag of theirs, or a later run, is no other version.
    assert!(rehearsal.drift(&text).await.drifted.is_empty());
    let secret =
        |name: &str| format!("{GROUP}/providers/Microsoft.KeyVault/vaults/kv-others-779/secrets/{name}");
    for name in ["db"] {
        write(
            &rehearsal,
            &secret(name),
            "2026-02-01",
            json!({ "properties": { "value": "theirs-and-another" } }),
        )
        .await;
    }
    let drift = rehearsal.drift(&text).await;
    let told: Vec<_> = drift
        .drifted
        .iter()
        .flat_map(|one| one.fields.iter().map(|field| format!("{} {}", one.address, field.path)))
        .collect();
    assert_eq!(told, ["keyVaults.kv.secrets.db properties.value"]);
    let shown = serde_json::to_string(&drift).unwrap();
    assert!(!shown.contains("theirs-and-another") && !shown.contains("s3cr3t-enough"), "{shown}");
    let plan = rehearsal.plan(&text).await.plan;
    let changes: Vec<_> = plan.changes().map(|step| (step.address.as_str(), step.changes.len())).collect();
    assert_eq!(changes, [("keyVaults.kv.secrets.db", 1)]);
    rehearsal.apply(&text).await;
    assert!(rehearsal.drift(&text).await.drifted.is_empty());
}

const GATEWAY: &str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      gateway: { prefix: 10.20.40.0/24 }
      link: { prefix: 10.20.41.0/27, privateLinkServiceNetworkPolicies: false }
      pe: { prefix: 10.20.42.0/27 }
publicIps: { gateway: { zones: ['1', '2', '3'] } }
wafPolicies: { gateway: { for: applicationGateway } }
";

const BEHIND: &str = "\
applicationGateways:
  shop:
    subnet: '${networks.hub.subnets.gateway}'
    publicIp: '${publicIps.gateway}'
    wafPolicy: '${wafPolicies.gateway}'
    listeners: { web: { protocol: Http } }
    backends: { shop: { addresses: [10.20.0.10] } }
    rules: { web: { priority: 100, listener: web, backend: shop } }
    privateLink: { subnet: '${networks.hub.subnets.link}' }
privateEndpoints:
  gateway: { target: '${applicationGateways.shop}', subnet: '${networks.hub.subnets.pe}', dns: none }
";

/// The body that berth made something with, as somebody else made it: other names, and no tag of ours.
fn by_others(exported: &[Value], arm_type: &str) -> (String, Value) {
    let found = exported.iter().find(|one| one["type"] == arm_type).unwrap();
    let body = &mut found["body"].clone();
    let body = if body.is_null() { &mut found.clone() } else { body };
    body["tags"] = json!({ "team": "edge" });
    let text = body.to_string();
    let text =
        text.replace("frontendIPConfigurations/public", "frontendIPConfigurations/appGwPublicFrontendIp");
    let text = text.replace("\"name\":\"public\"", "\"name\":\"appGwPublicFrontendIp\"");
    let text = text.replace("[\"public\"]", "[\"appGwPublicFrontendIp\"]");
    let text =
        text.replace("privateLinkConfigurations/public", "privateLinkConfigurations/appGwPublicFrontendIp");
    (found["id"].as_str().unwrap().to_owned(), serde_json::from_str(&text).unwrap())
}

/// An endpoint names a frontend of its gateway by name: by the one that the frontend has, which others may have chosen.
#[tokio::test(start_paused = true)]
async fn the_endpoint_of_a_gateway_that_others_made_is_not_replaced() {
    let whole = blueprint(&format!("{GATEWAY}{BEHIND}"));
    let model = Rehearsal::new();
    model.apply(&whole).await;
    let exported = model.simulator.export();
    for endpoint_too in [true, false] {
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&blueprint(GATEWAY)).await;
        let mut theirs = vec!["Microsoft.Network/applicationGateways"];
        theirs.extend(endpoint_too.then_some("Microsoft.Network/privateEndpoints"));
        for arm_type in theirs {
            let (id, body) = by_others(&exported, arm_type);
            write(&rehearsal, &id, "2025-05-01", body).await;
        }
        let adopted = rehearsal.try_apply(&whole, Adoption::Allowed).await.unwrap();
        assert!(adopted.summary.is_complete(), "{:#?}", adopted.summary);
        let plan = rehearsal.plan(&whole).await.plan;
        let steps: Vec<_> = plan.steps.iter().filter(|step| step.action != Action::NoOp).collect();
        assert!(steps.is_empty() && plan.conflicts.is_empty(), "{steps:#?} {:#?}", plan.conflicts);
        assert!(rehearsal.drift(&whole).await.drifted.is_empty());
        let endpoint = format!("{GROUP}/providers/Microsoft.Network/privateEndpoints/gateway");
        let live = read(&rehearsal, &endpoint, "2025-05-01").await.unwrap();
        let connection = &live["properties"]["privateLinkServiceConnections"][0]["properties"];
        assert_eq!(connection["groupIds"], json!(["appGwPublicFrontendIp"]));
    }
}
