//! A recorded request, sent to the simulator, is answered as Azure answered it.

use crate::compare::{Difference, Finding, compare, glob, mask};
use crate::facts::{self, Answer, Exchange, Recording};
use crate::stage::Stage;
use berth::value::get_path;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is not played, with the reason.
const NOT_PLAYED: &[(&str, &str)] = &[
    (
        "afd-origin-create",
        "berth has no section for Front Door; the simulator keeps its types as it keeps any",
    ),
    (
        "error-compute-invalid-parameter",
        "berth has no section for scale sets; the recording shows the form of an error",
    ),
];

/// Answers of which only a part is compared: recording, exchange, pointer, reason.
const IN_PART: &[(&str, usize, &str, &str)] = &[(
    "pec-webapp-approve",
    3,
    "/properties/privateEndpointConnections",
    "berth has no section for web apps",
)];

/// What is knowingly different: recording, place, reason. `*` stands for anything.
const KNOWN: &[(&str, &str, &str)] = &[
    ("flux-configuration", "properties.complianceState", "the recorded repository did not suit its cluster"),
    (
        "flux-configuration",
        "properties.statuses",
        "the simulator has no cluster in which objects could have states",
    ),
    (
        "key-vault-rbac",
        "properties.vaultUri",
        "recorded in Azure's own test environment, with hosts of its own",
    ),
    ("log-analytics-workspace", "properties.retentionInDays", "a remnant of the tier `Standalone`"),
    ("mc-*", "properties.kubernetesVersion", "what is new at the time"),
    ("mc-*", "properties.agentPoolProfiles[*].orchestratorVersion", "what is new at the time"),
    ("mc-*", "properties.servicePrincipalProfile.clientId", "`msi`, which the recorder replaced"),
    ("mc-*", "properties.oidcIssuerProfile.enabled", "on by itself since Kubernetes 1.34"),
    (
        "mc-*",
        "properties.networkProfile.loadBalancerSku",
        "older API versions show it in another case after a while",
    ),
    ("mc-*", "sku.name", "`Basic` is what older API versions call `Base`"),
    (
        "mc-a*",
        "properties.agentPoolProfiles[*].nodeLabels",
        "empty; some API versions show it, and some only at first",
    ),
    ("mc-minimal", "properties.networkProfile.networkPlugin", "since 2025 a new cluster has the overlay"),
    ("mc-minimal", "properties.networkProfile.dockerBridgeCidr", "gone from newer API versions"),
    ("mc-minimal", "properties.agentPoolProfiles[*].maxPods", "that of the overlay"),
    (
        "mc-newest-*",
        "properties.agentPoolProfiles[*].securityProfile.*",
        "an image that starts trusted by itself",
    ),
    ("mc-automatic-*", "properties.agentPoolProfiles[*].vmSize", "Azure chooses by what the region has"),
    ("mc-automatic-*", "properties.agentPoolProfiles[*].osDisk*", "follows the size that Azure chooses"),
    (
        "mc-automatic-*",
        "properties.agentPoolProfiles[*].availabilityZones",
        "Azure chooses by what the region has",
    ),
    (
        "mc-automatic-*",
        "properties.agentPoolProfiles[*].nodeTaints",
        "berth cannot ask for AKS Automatic's pools",
    ),
    ("mc-automatic-*", "properties.agentPoolProfiles[*].osSKU", "berth cannot ask for AKS Automatic's pools"),
    ("mc-automatic-*", "properties.networkProfile.natGatewayProfile.effectiveOutboundIPs", "not simulated"),
    ("mc-aborted-*", "", "berth aborts nothing, and the simulator knows no abort"),
    ("mc-aborted-*", "(status)", "as above"),
    ("mc-aborted-*", "(location)", "as above"),
    ("mc-aborted-*", "*provisioningState", "as above"),
    ("metric-alert-create", "id", "of a type without a section the namespace is spelled alike everywhere"),
    ("metric-alert-create", "type", "as above"),
    ("metric-alert-create", "properties.actions", "empty; a type without a section adds nothing"),
    (
        "pec-storage-reject",
        "properties.primaryEndpoints.web",
        "the host holds the number of a storage cluster",
    ),
    ("private-endpoint-*", "(retry-after)", "Azure sends it at times, and the simulator always"),
    ("vnet-with-subnet", "(retry-after)", "as above"),
    ("resource-group-*", "(retry-after)", "the recorder lost it"),
    ("resource-group-*", "tags", "a policy of the recorded subscription adds them"),
    (
        "provider-register",
        "authorization",
        "who the provider is in the directory; the simulator has no such principals",
    ),
    ("provider-register", "resourceTypes*", "another provider is asked for"),
    ("storage-account-create", "(location)", "an address that clients use as it is"),
    ("vnet-with-subnet", "*.privateEndpointNetworkPolicies", "newer API versions have it off"),
    ("vnet-with-subnet", "properties.enableVmProtection", "gone from newer API versions"),
];

#[tokio::test(start_paused = true)]
async fn the_simulator_answers_as_azure_did() {
    let Some(dir) = facts::dir("recorded_requests") else { return };
    let (mut played, mut all, mut fields, mut newer) = (0, 0, 0, 0);
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, text) in Recording::all(&dir) {
        if let Some((_, reason)) = NOT_PLAYED.iter().find(|(not, _)| *not == name) {
            let count = Recording::parse(&name, &text).exchanges.len();
            println!("recorded_requests: {count} exchanges of {name} are not played: {reason}");
            all += count;
            continue;
        }
        let mut stage = Stage::set(&name, &text).await;
        for (at, exchange) in stage.recording.exchanges.clone().into_iter().enumerate() {
            let mut answer = stage.play(&exchange).await;
            let mut exchange = exchange;
            if let Some((_, _, part, _)) = IN_PART.iter().find(|(of, index, ..)| *of == name && *index == at)
            {
                for body in [&mut exchange.answer.body, &mut answer.body] {
                    *body = body.pointer(part).cloned().unwrap_or_default();
                }
            }
            all += 1;
            played += 1;
            fields += leaves(&exchange.answer.body);
            for finding in differences(&exchange, &answer) {
                if finding.difference == Difference::Extra {
                    // The simulator has one body for every API version, with what the newest of them shows.
                    newer += 1;
                    continue;
                }
                let known = KNOWN
                    .iter()
                    .position(|(recording, path, _)| glob(recording, &name) && glob(path, &finding.path));
                match known.filter(|_| !is_as_asked(&exchange, &finding)) {
                    Some(known) => drop(used.insert(known)),
                    None => wrong.push(format!("{name} #{at} {}: {finding}", exchange.ask())),
                }
            }
        }
    }
    for (at, (recording, path, _)) in KNOWN.iter().enumerate() {
        if !used.contains(&at) {
            wrong.push(format!("listed as known, and no longer so: {recording}: {path}"));
        }
    }
    println!(
        "recorded_requests: {played} of {all} exchanges, {fields} fields ({newer} more are those of newer API versions); \
         {} kinds of known differences",
        KNOWN.len()
    );
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(played * 100 >= all * 95, "only {played} of {all} exchanges were played");
}

/// Everything in which two answers differ: status, operation headers, body.
fn differences(exchange: &Exchange, ours: &Answer) -> Vec<Finding> {
    let azure = &exchange.answer;
    let mut findings = compare(&azure.body, &ours.body);
    let mut found = |path: &str, azure: Value, ours: Value| {
        let path = path.to_owned();
        findings.push(Finding { path, difference: Difference::Value, azure, ours });
    };
    if azure.status != ours.status {
        found("(status)", json!(azure.status), json!(ours.status));
    }
    for name in ["azure-asyncoperation", "location", "retry-after"] {
        let shown = |answer: &Answer| {
            answer.headers.get(name).map(|value| match name {
                "retry-after" => "seconds".to_owned(),
                _ => place(value),
            })
        };
        if shown(azure) != shown(ours) {
            found(&format!("({name})"), json!(shown(azure)), json!(shown(ours)));
        }
    }
    findings
}

/// Whether Azure has just what the request asked for there: then there is no excuse.
fn is_as_asked(exchange: &Exchange, finding: &Finding) -> bool {
    let asked = exchange.body.as_ref().and_then(|body| get_path(body, &finding.path));
    asked.is_some_and(|asked| *asked == finding.azure)
}

/// An operation's address without what tells operations apart.
fn place(url: &str) -> String {
    let path = berth::arm::transport::path_and_query(url).split('?').next().unwrap_or_default();
    let folded = mask(path).to_ascii_lowercase();
    match folded.rsplit_once('/') {
        Some((start, last)) if folded.contains("operation") && last != "<guid>" => format!("{start}/<guid>"),
        _ => folded,
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(leaves).sum(),
        Value::Array(items) => items.iter().map(leaves).sum(),
        _ => 1,
    }
}
