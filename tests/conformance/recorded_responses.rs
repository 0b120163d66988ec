//! With what Azure answered in place, a blueprint that asks for what the recorded request asked changes nothing.

use crate::facts::{self, Recording};
use crate::stage::SUBSCRIPTION;
use berth::arm::transport::Method;
use berth::blueprint::{Caller, Inputs, Missing, Source, load};
use berth::catalog::ResourceType;
use berth::catalog::kinds::{
    cluster, identity, key_vault, log_workspace, network, private_dns, private_endpoint, resource_group,
    role_assignment,
};
use berth::change::Action;
use berth::ident::ArmId;
use berth::ledger::Ledger;
use berth::plan::{Adoption, plan};
use berth::state::{OWNER_TAG, Observation, Observed};
use berth::value::{Comparison, Rules, diff};
use serde_json::Value;
use std::path::Path;

/// Recordings without a request that asks for a body and is granted, with the reason.
const NOT_COMPARED: &[(&str, &str)] = &[
    ("error-agent-pool-not-found", "nothing is asked for"),
    ("error-compute-invalid-parameter", "the request is refused"),
    ("lro-failed-private-dns-zone-exists", "the request is refused; the zone is another recording's"),
    ("mc-aborted-create-canceled", "what was asked for is not recorded"),
    ("pec-sql-list-get-delete", "nothing is asked for"),
    ("provider-register", "nothing is asked for"),
];

/// Fields that Azure does not give as they were asked for, with the reason why that does no harm.
const NOT_SO: &[(&str, &str, &str)] = &[
    ("agent-pool-windows", "properties.osDiskSizeGB", "0 lets Azure choose; berth says so by leaving it out"),
    (
        "log-analytics-workspace",
        "properties.sku.name",
        "a tier of old, for which Azure takes another; berth has no word for it",
    ),
    (
        "pec-webapp-approve",
        "properties.ipAddresses",
        "read-only, and sent back as it was read before the approval",
    ),
];

fn kind(arm_type: &str) -> Option<&'static ResourceType> {
    [
        &resource_group::RESOURCE_GROUP,
        &network::VIRTUAL_NETWORK,
        &network::SUBNET,
        &identity::USER_ASSIGNED_IDENTITY,
        &identity::FEDERATED_CREDENTIAL,
        &key_vault::KEY_VAULT,
        &log_workspace::LOG_WORKSPACE,
        &private_dns::PRIVATE_DNS_ZONE,
        &private_dns::ZONE_LINK,
        &private_endpoint::PRIVATE_ENDPOINT,
        &private_endpoint::ZONE_GROUP,
        &role_assignment::ROLE_ASSIGNMENT,
        &cluster::MANAGED_CLUSTER,
        &cluster::AGENT_POOL,
        &cluster::EXTENSION,
        &cluster::FLUX_CONFIGURATION,
    ]
    .into_iter()
    .find(|kind| kind.arm_type.eq_ignore_ascii_case(arm_type))
}

fn recordings(dir: &Path, suite: &str) -> Vec<Recording> {
    let all = Recording::all(dir).into_iter().map(|(name, text)| Recording::parse(&name, &text));
    let (not, compared): (Vec<_>, Vec<_>) =
        all.partition(|recording| NOT_COMPARED.iter().any(|(name, _)| *name == recording.name));
    for recording in &not {
        let reason = NOT_COMPARED.iter().find(|(name, _)| *name == recording.name).unwrap().1;
        println!("{suite}: {} is not compared: {reason}", recording.name);
    }
    assert_eq!(not.len(), NOT_COMPARED.len(), "a recording that is listed does not exist");
    compared
}

pub async fn what_was_asked_for_and_granted_is_no_change() {
    let Some(dir) = facts::dir("recorded_responses") else { return };
    let nothing: &'static Rules = Box::leak(Box::new(Rules::new(&[])));
    let (mut bodies, mut foreign) = (0, 0);
    let mut wrong = Vec::new();
    for recording in recordings(&dir, "recorded_responses") {
        let main = recording.main();
        assert_eq!(main.method, Method::Put, "{}", recording.name);
        let asked = main.body.as_ref().unwrap();
        let arm_type = ArmId::parse(recording.id()).unwrap().resource_type();
        let kind = kind(&arm_type);
        foreign += usize::from(kind.is_none());
        let rules = kind.map_or(nothing, ResourceType::compiled);
        let Some(live) = recording.last_body() else { panic!("{}: no body", recording.name) };
        bodies += 1;
        let comparison = Comparison { rules, applied: Some(asked), secret_changed: &|_, _| false };
        for change in diff(asked, live, &comparison) {
            let known = NOT_SO.iter().any(|(name, path, _)| *name == recording.name && *path == change.path);
            if !known {
                let (before, after) = (change.before, change.after);
                wrong.push(format!("{}: {}: {before} -> {after}", recording.name, change.path));
            }
        }
    }
    println!(
        "recorded_responses: {bodies} bodies, {foreign} of them of types that berth knows only generically"
    );
    assert!(wrong.is_empty(), "{} false differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// Blueprints that ask for what a recorded request asked. `$name`, `$location` and pieces of the request by their
/// pointer (`$/properties/…`) are filled in.
const BLUEPRINTS: &[(&str, &str)] = &[
    ("resource-group-tags-added-by-policy", "resourceGroups: { it: { name: $name, location: $location } }"),
    (
        "vnet-with-subnet",
        "networks: { it: { name: $name, addressSpace: [$/properties/addressSpace/addressPrefixes/0], subnets: { s: {
            name: $/properties/subnets/0/name, prefix: $/properties/subnets/0/properties/addressPrefix } } } }",
    ),
    (
        "subnet-create",
        "networks: { it: { name: $parent, addressSpace: [10.0.0.0/8], subnets: { s: {
            name: $name, prefix: $/properties/addressPrefix } } } }",
    ),
    ("user-assigned-identity", "identities: { it: { name: $name } }"),
    (
        "federated-credential-create",
        "identities: { it: { name: $parent, federatedCredentials: { it: { name: $name,
            issuer: $/properties/issuer, subject: $/properties/subject } } } }",
    ),
    (
        "role-assignment-principal-not-found-then-created",
        "roleAssignments: { it: { name: $name, principal: $/properties/principalId,
            principalType: ServicePrincipal, role: Contributor, scope: $scope } }",
    ),
    ("key-vault-rbac", "keyVaults: { it: { name: $name, sku: premium, authorization: rbac } }"),
    (
        "key-vault-access-policies",
        "keyVaults: { it: { name: $name, authorization: accessPolicies, accessPolicies: { someone: {
            principal: $/properties/accessPolicies/0/objectId,
            applicationId: $/properties/accessPolicies/0/applicationId,
            secrets: [get], keys: [get], certificates: [get], storage: [get] } } } }",
    ),
    ("log-analytics-workspace", "logWorkspaces: { it: { name: $name } }"),
    (
        "private-endpoint-auto-approved",
        "privateEndpoints: { it: { name: $name, dns: none, subnet: $/properties/subnet/id, group: blob, target:
            $/properties/privateLinkServiceConnections/0/properties/privateLinkServiceId } }",
    ),
    (
        "private-endpoint-newest-api-version",
        "privateEndpoints: { it: { name: $name, dns: none, subnet: $/properties/subnet/id, group: blob, target:
            $/properties/privateLinkServiceConnections/0/properties/privateLinkServiceId } }",
    ),
    (
        "private-endpoint-manual-pending",
        "privateEndpoints: { it: { name: $name, dns: none, subnet: $/properties/subnet/id, group: sites,
            manual: true, target:
            $/properties/manualPrivateLinkServiceConnections/0/properties/privateLinkServiceId } }",
    ),
    (
        "mc-minimal",
        "clusters: { it: { name: $name, dnsPrefix: aso, oidcIssuer: false, workloadIdentity: false, network: { plugin: kubenet },
            linux: { adminUsername: adminUser, sshKeys: [$/properties/linuxProfile/ssh/publicKeys/0/keyData] },
            nodePools: { ap1: { mode: System, count: 1, vmSize: Standard_DS2_v2 } } } }",
    ),
    (
        "mc-newest-api-version-oidc",
        "clusters: { it: { name: $name, dnsPrefix: aso, oidcIssuer: true, workloadIdentity: false,
            nodePools: { ap1: { mode: System, count: 1, vmSize: Standard_DS2_v2 } } } }",
    ),
    (
        "mc-addon-keyvault-secrets-provider",
        "clusters: { it: { name: $name, dnsPrefix: $/properties/dnsPrefix, oidcIssuer: false, workloadIdentity: false,
            network: { plugin: kubenet, podCidr: 10.244.0.0/16, serviceCidr: 10.0.0.0/16, dnsServiceIp: 10.0.0.10,
                outboundType: loadBalancer, loadBalancerSku: standard },
            disableLocalAccounts: false,
            addons: { keyVaultSecretsProvider: { rotation: true, rotationPollInterval: 30m } },
            nodePools: { nodepool1: { mode: System, count: 3, vmSize: Standard_DS2_v2 } } } }",
    ),
    (
        "mc-authorized-ip-ranges",
        "clusters: { it: { name: $name, dnsPrefix: $/properties/dnsPrefix, oidcIssuer: false, workloadIdentity: false,
            network: { plugin: kubenet, serviceCidr: 10.0.0.0/16, dnsServiceIp: 10.0.0.10 },
            apiServer: { authorizedIpRanges: [1.2.3.4/32] },
            nodePools: { nodepool1: { mode: System, count: 1, vmSize: Standard_DS2_v2 } } } }",
    ),
    (
        "mc-windows-profile",
        "clusters: { it: { name: $name, dnsPrefix: $/properties/dnsPrefix, oidcIssuer: false, workloadIdentity: false,
            kubernetesVersion: $/properties/kubernetesVersion, network: { plugin: azure },
            windows: { adminUsername: azureuser1, adminPassword: \"${param.password}\" },
            nodePools: { nodepool1: { mode: System, count: 1, vmSize: Standard_DS2_v2 } } } }",
    ),
    (
        "agent-pool-windows",
        "clusters: { it: { name: $parent, windows: { adminUsername: azureuser, adminPassword: \"${param.password}\" },
            nodePools: { system: { mode: System, count: 1, vmSize: Standard_DS2_v2 },
                npwin: { os: Windows, osSku: Windows2022, count: 1, vmSize: Standard_D2s_v3 } } } }",
    ),
];

/// What a blueprint asks for beyond the recorded request, as it writes every entry in full: recording, path, reason.
const BEYOND: &[(&str, &str, &str)] = &[(
    "mc-authorized-ip-ranges",
    "identity.type",
    "the recorded cluster has a service principal; berth's have managed identities only",
)];

pub async fn a_blueprint_that_asks_for_the_same_plans_nothing() {
    let Some(dir) = facts::dir("recorded_responses") else { return };
    let mut planned = 0;
    let mut wrong = Vec::new();
    for recording in recordings(&dir, "recorded_responses (blueprints)") {
        let Some((_, template)) = BLUEPRINTS.iter().find(|(name, _)| *name == recording.name) else {
            continue;
        };
        planned += 1;
        let asked = recording.main().body.clone().unwrap();
        let id = ArmId::parse(recording.id()).unwrap();
        let mut live = recording.last_body().unwrap().clone();
        if kind(&id.resource_type()).unwrap().tags {
            // The one tag that berth adds.
            live["tags"][OWNER_TAG] = "conformance".into();
        }
        for list in ["privateLinkServiceConnections", "manualPrivateLinkServiceConnections"] {
            // berth names a connection after its endpoint; the recordings have names of their own.
            if let Some(connection) = live.pointer_mut(&format!("/properties/{list}/0")) {
                connection["name"] = id.name().into();
            }
        }
        let text = fill(template, &recording, &asked, &live);
        let source =
            Source::parse(&recording.name, text.as_bytes()).unwrap_or_else(|d| panic!("{d:?}\n{text}"));
        let caller = Caller { tenant_id: tenant(&asked), object_id: Some(SUBSCRIPTION.to_owned()) };
        let inputs = Inputs {
            caller: Some(caller),
            subscription: Some(SUBSCRIPTION.to_owned()),
            missing: Missing::MakeUp,
            ..Inputs::default()
        };
        let blueprint =
            load(&source, &inputs).unwrap_or_else(|d| panic!("{}: {d:?}\n{text}", recording.name));
        let observed =
            Observed::from([(id.clone(), Observation::Present { body: live.clone(), etag: None })]);
        let ledger = Ledger::new("conformance", "salt");
        let plan = plan(&blueprint.desired, &ledger, &observed, Adoption::Allowed);
        let step = plan.steps.iter().find(|step| step.id == id);
        let step = step.unwrap_or_else(|| panic!("{}: the blueprint has no {id}", recording.name));
        let changes: Vec<String> = step
            .changes
            .iter()
            .filter(|change| {
                !BEYOND.iter().any(|(name, path, _)| *name == recording.name && *path == change.path)
            })
            .map(|change| {
                format!("{}: {}: {} -> {}", recording.name, change.path, change.before, change.after)
            })
            .collect();
        if changes.is_empty() && !BEYOND.iter().any(|(name, ..)| *name == recording.name) {
            assert!(matches!(step.action, Action::Adopt | Action::NoOp), "{}: {:?}", recording.name, step);
        }
        wrong.extend(changes);
    }
    println!("recorded_responses: {planned} blueprints planned");
    assert_eq!(planned, BLUEPRINTS.len());
    assert!(wrong.is_empty(), "{} changes planned:\n{}", wrong.len(), wrong.join("\n"));
}

fn tenant(asked: &Value) -> Option<String> {
    let tenant = asked.pointer("/properties/tenantId").and_then(Value::as_str);
    Some(tenant.unwrap_or(SUBSCRIPTION).to_owned())
}

/// Fills a template in and puts the head of a blueprint before it.
fn fill(template: &str, recording: &Recording, asked: &Value, live: &Value) -> String {
    let segments: Vec<&str> = recording.id().split('/').collect();
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let location = live["location"].as_str().or(asked["location"].as_str()).unwrap_or("westus2");
    let group = segments.get(4).copied().unwrap_or_default();
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let word = &rest[at + 1..];
        let end = word.find(|c: char| !c.is_alphanumeric() && c != '/').unwrap_or(word.len());
        let value = match &word[..end] {
            "name" => segments[segments.len() - 1].to_owned(),
            "parent" => segments[segments.len() - 3].to_owned(),
            "location" => location.to_owned(),
            "scope" => segments[..5].join("/"),
            // An expression of the blueprint.
            "" => "$".to_owned(),
            pointer => asked
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("{pointer}"))
                .to_owned(),
        };
        out.push_str(&if value == "$" { value } else { quoted(&value) });
        rest = &word[end..];
    }
    out.push_str(rest);
    let out = out.replace('\n', " ");
    format!(
        "blueprint: conformance\nparameters: {{ password: {{ type: string, secret: true }} }}\nazure: {{ location: {}, resourceGroup: {} }}\n{out}\n",
        quoted(location),
        quoted(if group.is_empty() { "rg" } else { group }),
    )
}
