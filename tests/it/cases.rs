//! Situations that people reported of other tools, each as a blueprint of the folder that BERTH_CASES names,
//! and what becomes of it: without the folder nothing is played. Most are
//! two states of one file, the second planned on what the first made.
//!
//! A case stands for a kind of fault. What a kind has more of is tested where the kind is.

use crate::support::Rehearsal;
use berth::approve::Allowances;
use berth::arm::transport::Method;
use berth::change::Action;
use berth::diag::Severity;
use berth::ops;
use berth::plan::{Adoption, Plan};
use berth::report::{Style, human};
use berth::sim::{Effect, Fault};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What becomes of a case.
enum Right {
    /// It is refused offline, for these reasons.
    Refused(&'static [&'static str]),
    /// It is valid with these warnings, applies, and plans nothing afterwards.
    Converges(&'static [&'static str]),
    /// After its first state the second plans exactly this, applies, and plans nothing afterwards.
    Plans(&'static str, &'static [(&'static str, Action)]),
    /// After its first state the second is in the way, and the plan says how to go on.
    Blocked(&'static str, &'static str),
}

use Right::{Blocked, Converges, Plans, Refused};

/// The cases with a test of their own, for which more than a blueprint is needed.
const ELSEWHERE: &[(&str, &str)] = &[
    ("connection-late", "cases::a_connection_that_comes_late_is_one_answer_everywhere"),
    ("exclusive-and-notscopes", "others::what_others_added_is_told_alike_by_plan_and_drift_and_stays"),
    ("last-system-pool-size", "detours::the_only_system_pool_is_replaced_by_way_of_another_one"),
    ("managed-endpoint", "approvals::"),
    ("owner-on-subscription", "cases::a_role_is_said_in_words_and_marked_when_it_reaches_far"),
    ("role-given-by-hand", "others::a_role_that_somebody_gave_is_found_whatever_its_name"),
    ("takeover-kubenet", "cases::a_cluster_of_old_defaults_is_taken_over_without_a_change"),
    ("unknown-principal", "faults::a_principal_that_is_not_known_everywhere_yet_is_waited_for"),
    ("unknown-target-type", "cases::a_target_of_an_unknown_type_says_what_is_missing"),
    ("zone-group-by-policy", "others::a_zone_group_that_a_policy_made_is_seen_before_anything_is_made"),
];

#[rustfmt::skip]
const CASES: &[(&str, Right)] = &[
    ("authorized-ranges", Refused(&["cidr", "cidr"])),
    ("cilium-policy-left-out.after", Blocked("cni-with-policy.before", "two operations")),
    ("cluster-needs-roles", Converges(&[])),
    ("cluster-renamed.after", Plans("replace-needs-failed.before", &[
        ("clusters.main", Action::Replace),
        ("clusters.main.nodePools.system", Action::Replace),
        ("clusters.main.nodePools.win", Action::Replace),
        ("identities.app.federatedCredentials.api", Action::Update),
    ])),
    ("custom-initiative", Converges(&[])),
    ("custom-policy", Converges(&[])),
    ("custom-role", Converges(&[])),
    ("dual-stack", Converges(&[])),
    ("endpoint-member", Refused(&["private-endpoint-member"])),
    ("endpoint-to-raw-type", Converges(&[])),
    ("enum-case", Converges(&[])),
    ("facet-ids", Refused(&["service-endpoint"])),
    ("facet-kubelet", Converges(&[])),
    ("facet-principal", Converges(&[])),
    ("for-each-on-parts", Converges(&[])),
    ("hyphen", Converges(&[])),
    ("kms-in-one-file", Converges(&[])),
    ("nat-gateway-back.after", Plans("nat-gateway-back.before", &[
        ("clusters.aks", Action::Update),
        ("natGateways.nat", Action::Delete),
        ("networks.hub.subnets.nodes", Action::Update),
        ("publicIps.nat", Action::Delete),
    ])),
    ("network-moves.after", Blocked("network-moves.before", "three runs")),
    ("node-resource-group", Converges(&[])),
    ("one-principal-two-policies", Refused(&["key-vault-principal-twice"])),
    ("overlay-with-policy.after", Blocked("cni-with-policy.before", "`policy: none`")),
    ("preview-feature", Converges(&[])),
    ("private-link-service", Converges(&[])),
    ("raw-type-groups", Converges(&[])),
    ("replace-needs-failed.after", Plans("replace-needs-failed.before", &[
        ("clusters.main.nodePools.system", Action::Replace),
        ("clusters.main.nodePools.system.standIn", Action::Create),
        ("clusters.main.nodePools.system.standIn", Action::Delete),
        ("clusters.main.nodePools.win", Action::Replace),
        ("networks.main.subnets.nodes2", Action::Create),
    ])),
    ("role-condition.after", Plans("role-condition.before", &[("roleAssignments.x", Action::Update)])),
    ("secret-expiry-dropped.after", Plans("secret-expiry-dropped.before", &[("keyVaults.kv.secrets.db", Action::Update)])),
    ("secret-expiry-null", Converges(&[])),
    ("spot-drain", Converges(&[])),
    ("ssh-key.after", Plans("ssh-key.before", &[("clusters.aks", Action::Update)])),
    ("subnet-renamed.after", Plans("replace-needs-failed.before", &[
        ("networks.main.subnets.endpoints", Action::Replace),
        ("privateEndpoints.vault", Action::Replace),
        ("privateEndpoints.vault.dns", Action::Replace),
    ])),
    ("subnet-too-small", Refused(&["subnet-too-small", "pod-range-too-small"])),
    ("subnets-swap.after", Blocked("subnets-swap.before", "two runs")),
    ("user-defined-routing", Refused(&["outbound-route", "outbound-route", "outbound-route", "outbound-gateway"])),
    ("virtual-nodes", Refused(&["virtual-nodes-subnet"])),
    ("windows-later.after", Plans("windows-later.before", &[("clusters.aks", Action::Update), ("clusters.aks.nodePools.win", Action::Create)])),
];

/// Where the blueprints are, when the environment names it: they are not a part of the project.
#[expect(clippy::disallowed_methods, reason = "a test's folder is not a setting of berth")]
fn folder() -> Option<PathBuf> {
    std::env::var_os("BERTH_CASES").map(PathBuf::from)
}

/// What Azure refuses in a blueprint that is about something else: the case, what it says, and what it says here.
const COMPLETED: &[(&str, &str, &str)] = &[
    (
        "raw-type-groups",
        "apiVersion: \"2023-08-01\", body: { location: westeurope, properties: {} }",
        "apiVersion: \"2023-08-01\", body: { location: westeurope, properties: { administrators: { administratorType: ActiveDirectory, principalType: Group, login: dba, sid: 44444444-4444-4444-4444-444444444444, tenantId: \"${caller.tenantId}\", azureADOnlyAuthentication: true } } }",
    ),
    (
        "raw-type-groups",
        "apiVersion: \"2024-11-15\", body: { location: westeurope, properties: {} }",
        "apiVersion: \"2024-11-15\", body: { location: westeurope, properties: { databaseAccountOfferType: Standard, locations: [{ locationName: westeurope, failoverPriority: 0 }] } }",
    ),
    (
        "private-link-service",
        "prefix: 10.20.0.0/24 }",
        "prefix: 10.20.0.0/24, privateLinkServiceNetworkPolicies: false }",
    ),
];

fn text(name: &str) -> String {
    let mut text = std::fs::read_to_string(folder().unwrap().join(format!("{name}.yaml"))).unwrap();
    for (_, from, to) in COMPLETED.iter().filter(|(case, ..)| *case == name) {
        assert!(text.contains(from), "{name}: no `{from}`");
        text = text.replace(from, to);
    }
    text
}

/// The codes of errors and of warnings, in the order of the file.
fn told(rehearsal: &Rehearsal, text: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    let problems = match ops::parse("case.yaml", text.as_bytes())
        .and_then(|source| ops::validate_source(&source, &rehearsal.inputs))
    {
        Ok(blueprint) => blueprint.warnings,
        Err(ops::Error::Blueprint(problems)) => problems,
        Err(error) => panic!("{error}"),
    };
    let of = |errors: bool| {
        problems
            .iter()
            .filter(|one| (one.severity == Severity::Error) == errors)
            .map(|one| one.code.name)
            .collect()
    };
    (of(true), of(false))
}

fn steps(plan: &Plan) -> Vec<(&str, Action)> {
    let mut found: Vec<(&str, Action)> = plan
        .changes()
        .filter(|step| !step.told_elsewhere)
        .map(|step| (step.address.as_str(), step.action))
        .collect();
    found.sort_by_key(|(address, action)| (*address, *action == Action::Delete));
    found
}

/// Applies, with everything allowed that is protected.
async fn apply(rehearsal: &Rehearsal, name: &str, text: &str) {
    let desired = rehearsal.desired(text);
    let all: Vec<String> = desired.resources.iter().map(|resource| resource.address.to_string()).collect();
    let allowances = Allowances { replace: all.clone(), delete: all };
    let applied = ops::apply(&rehearsal.session, &desired, Adoption::Refused, &allowances, |_, _| true)
        .await
        .unwrap()
        .unwrap();
    assert!(applied.summary.is_complete(), "{name}: {:#?}", applied.summary);
    let plan = rehearsal.plan(text).await.plan;
    let changes: Vec<_> = plan.changes().flat_map(|step| &step.changes).collect();
    assert!(plan.is_empty(), "{name}: {:?} {changes:#?}", steps(&plan));
    assert!(rehearsal.drift(text).await.drifted.is_empty(), "{name}");
}

#[tokio::test(start_paused = true)]
async fn every_case_ends_as_it_should() {
    if folder().is_none() {
        return;
    }
    for (name, right) in CASES {
        let rehearsal = Rehearsal::new();
        let after = text(name);
        match right {
            Refused(codes) => assert_eq!(told(&rehearsal, &after).0, *codes, "{name}"),
            Converges(warnings) => {
                assert_eq!(told(&rehearsal, &after), (vec![], warnings.to_vec()), "{name}");
                apply(&rehearsal, name, &after).await;
            }
            Plans(before, wanted) => {
                apply(&rehearsal, before, &text(before)).await;
                assert_eq!(steps(&rehearsal.plan(&after).await.plan), *wanted, "{name}");
                apply(&rehearsal, name, &after).await;
            }
            Blocked(before, way_on) => {
                apply(&rehearsal, before, &text(before)).await;
                let plan = rehearsal.plan(&after).await.plan;
                let helps: Vec<&str> =
                    plan.conflicts.iter().flat_map(|one| [one.message.as_str(), one.help.as_str()]).collect();
                assert!(helps.iter().any(|help| help.contains(way_on)), "{name}: {helps:?}");
            }
        }
    }
}

#[test]
fn every_file_has_its_test() {
    let Some(folder) = folder() else { return };
    let mut named: BTreeSet<&str> = CASES.iter().map(|(name, _)| *name).collect();
    for (_, right) in CASES {
        if let Plans(before, _) | Blocked(before, _) = right {
            named.insert(before);
        }
    }
    named.extend(ELSEWHERE.iter().map(|(name, _)| *name));
    let files = std::fs::read_dir(folder).unwrap();
    let files: BTreeSet<String> = files
        .filter_map(|file| {
            Some(file.unwrap().file_name().to_string_lossy().strip_suffix(".yaml")?.to_owned())
        })
        .filter(|name| !name.ends_with(".faults"))
        .collect();
    let files: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(files, named);
}

#[tokio::test(start_paused = true)]
async fn a_role_is_said_in_words_and_marked_when_it_reaches_far() {
    if folder().is_none() {
        return;
    }
    let rehearsal = Rehearsal::new();
    let plan = rehearsal.plan(&text("owner-on-subscription")).await.plan;
    let shown = human::plan(&plan, &Default::default(), &Style::plain(200));
    let subscription = rehearsal.simulator.subscription();
    let words = format!("(Owner for identities.app on the subscription {subscription})");
    assert!(shown.contains(&words), "{shown}");
    assert!(
        shown.contains(&format!(
            "! identities.app can then assign any role to anyone on the subscription {subscription}"
        )),
        "{shown}"
    );
    assert!(
        shown.contains("(Network Contributor for identities.cluster on the virtual network main)"),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_of_an_unknown_type_says_what_is_missing() {
    if folder().is_none() {
        return;
    }
    let text = text("unknown-target-type");
    let rehearsal = Rehearsal::new();
    let plan = rehearsal.plan(&text).await.plan;
    let told: Vec<String> =
        plan.conflicts.iter().map(|one| format!("{}: {} {}", one.address, one.message, one.help)).collect();
    assert!(
        told.len() == 1
            && told[0].starts_with("privateEndpoints.v.connection: its target is not there: /subscriptions/")
            && told[0].contains("elasticSans/s"),
        "{told:?}"
    );
    // A version that Azure does not take stops this endpoint and not the plan.
    let refused = Effect::Answer {
        status: 400,
        code: "NoRegisteredProviderFound".into(),
        message: "scripted".into(),
        retry_after: None,
    };
    rehearsal.simulator.fail_next(Fault::once(
        Method::Get,
        "/elasticSans/s/privateEndpointConnections",
        refused.clone(),
    ));
    rehearsal.simulator.fail_next(Fault::once(Method::Get, "/elasticSans/s", refused));
    let plan = rehearsal.plan(&text).await.plan;
    let told: Vec<&str> = plan.conflicts.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(told, ["privateEndpoints.v.connection"]);
    assert!(plan.changes().any(|step| step.address.as_str() == "networks.hub"));
    assert_eq!(rehearsal.simulator.export().len(), 0);
}

/// A cluster that was made long ago, when Azure chose kubenet and no issuer.
#[tokio::test(start_paused = true)]
async fn a_cluster_of_old_defaults_is_taken_over_without_a_change() {
    if folder().is_none() {
        return;
    }
    let rehearsal = Rehearsal::new();
    let group = format!("/subscriptions/{}/resourceGroups/rg-old", rehearsal.simulator.subscription());
    let id = format!("{group}/providers/Microsoft.ContainerService/managedClusters/aks-old");
    let pool = json!({
        "name": "ap1", "count": 1, "vmSize": "Standard_DS2_v2", "mode": "System", "osType": "Linux", "type": "VirtualMachineScaleSets",
        "orchestratorVersion": "1.33.2", "provisioningState": "Succeeded", "enableAutoScaling": false, "maxPods": 110,
    });
    let cluster = json!({
        "id": id, "name": "aks-old", "type": "Microsoft.ContainerService/managedClusters", "location": "westus3",
        "sku": { "name": "Base", "tier": "Free" }, "identity": { "type": "SystemAssigned" },
        "properties": {
            "provisioningState": "Succeeded", "kubernetesVersion": "1.33", "dnsPrefix": "aso", "enableRBAC": true,
            "networkProfile": { "networkPlugin": "kubenet", "podCidr": "10.244.0.0/16", "serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.0.0.10", "outboundType": "loadBalancer", "loadBalancerSku": "standard" },
            "oidcIssuerProfile": { "enabled": false }, "agentPoolProfiles": [pool], "nodeResourceGroup": "MC_old",
        },
    });
    let resources = vec![
        json!({ "id": group, "name": "rg-old", "type": "Microsoft.Resources/resourceGroups", "location": "westus3", "properties": {} }),
        cluster,
    ];
    rehearsal.simulator.load(resources).unwrap();
    let text = text("takeover-kubenet");
    let plan = rehearsal.plan_with(&text, Adoption::Allowed).await.plan;
    for step in plan.changes().filter(|step| step.action != Action::Register) {
        let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
        let only_tag = step.action == Action::Adopt || paths == ["tags.berth-blueprint"];
        assert!(only_tag, "{}: {:?} {paths:?}", step.address, step.action);
    }
    let applied = rehearsal.try_apply(&text, Adoption::Allowed).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    let after = rehearsal.plan(&text).await.plan;
    assert!(after.is_empty(), "{:?}", steps(&after));
}

/// The endpoint's connection does not show on the target's list while the run waits for it.
#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_late_is_one_answer_everywhere() {
    if folder().is_none() {
        return;
    }
    let rehearsal = Rehearsal::new();
    let group = format!("/subscriptions/{}/resourceGroups/rg-own", rehearsal.simulator.subscription());
    let vault = format!("{group}/providers/Microsoft.KeyVault/vaults/kvown777");
    let tenant = rehearsal.simulator.tenant();
    let resources = vec![
        json!({ "id": group, "name": "rg-own", "type": "Microsoft.Resources/resourceGroups", "location": "westeurope", "properties": {} }),
        json!({ "id": vault, "name": "kvown777", "type": "Microsoft.KeyVault/vaults", "location": "westeurope", "properties": {
            "tenantId": tenant, "sku": { "family": "A", "name": "standard" }, "enableRbacAuthorization": true, "provisioningState": "Succeeded",
        } }),
    ];
    rehearsal.simulator.load(resources).unwrap();
    let text = text("connection-late");
    let late = Effect::Answer {
        status: 404,
        code: "ResourceNotFound".into(),
        message: "scripted".into(),
        retry_after: None,
    };
    let late = Fault::once(Method::Get, "/kvown777/privateEndpointConnections", late).times(2_000);
    rehearsal.simulator.fail_next(late);
    // What cannot be read is in the way: nothing is made whose connection nobody could see.
    let blocked = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap_err();
    assert!(format!("{blocked:?}").contains("privateEndpoints.v.connection"), "{blocked:?}");
    let list = format!("{vault}/privateEndpointConnections");
    let client = &rehearsal.session.engine.client;
    while client.list(&list, "2026-02-01", &[]).await.is_err() {}
    // The run that asks is refused the approval: from then on plan and drift say the same.
    let refused = Effect::Answer {
        status: 403,
        code: "AuthorizationFailed".into(),
        message: "scripted".into(),
        retry_after: None,
    };
    rehearsal.simulator.fail_next(
        Fault::new(refused).methods([Method::Put]).path("*/privateEndpointConnections/*").unwrap().times(1),
    );
    let applied = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap();
    assert!(!applied.summary.is_complete(), "{:#?}", applied.summary);
    let plan = rehearsal.plan(&text).await.plan;
    assert_eq!(steps(&plan), [("privateEndpoints.v.connection", Action::Approve)]);
    let drift = rehearsal.drift(&text).await;
    assert_eq!(drift.drifted.len(), 1, "{drift:#?}");
    apply(&rehearsal, "connection-late", &text).await;
}
