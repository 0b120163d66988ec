//! A recorded request, sent to the simulator, is answered as Azure answered it.

use crate::compare::{Difference, Finding, compare, mask};
use crate::facts::{self, Answer, Exchange, Recording};
use crate::stage::Stage;
use crate::witness::glob;
use berth::arm::transport::Method;
use berth::ident::ArmId;
use berth::value::get_path;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is not played: the start of a type, and the reason.
const NOT_PLAYED: &[(&str, &str)] =
    &[("microsoft.compute/", "berth has no section for machines; the simulator has none of its own")];

/// What is knowingly different: type of what a recording is about, place, reason. `*` stands for anything.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "microsoft.kubernetesconfiguration/fluxconfigurations",
        "properties.complianceState",
        "the simulator has no cluster in which a repository could not suit",
    ),
    (
        "microsoft.kubernetesconfiguration/fluxconfigurations",
        "properties.statuses",
        "the simulator has no cluster in which objects could have states",
    ),
    ("microsoft.keyvault/vaults", "properties.vaultUri", "hosts of Azure's own test environments"),
    (
        "microsoft.operationalinsights/workspaces",
        "properties.retentionInDays",
        "a remnant of the tier `Standalone`",
    ),
    ("microsoft.cdn/*", "id", "the simulator spells ids of Front Door as they were asked for"),
    ("microsoft.cdn/*", "type", "as above"),
    ("microsoft.cdn/*", "properties.sharedPrivateLinkResource", "null, and left out"),
    ("microsoft.cdn/*", "(azure-asyncoperation)", "an address that clients use as it is"),
    ("microsoft.cdn/*", "(retry-after)", "Azure sends none, and the simulator always"),
    ("microsoft.cdn/*", "error", "`None`, although nothing failed"),
    (CLUSTER, "properties.kubernetesVersion", "what is new at the time"),
    (CLUSTER, "properties.agentPoolProfiles[*].orchestratorVersion", "what is new at the time"),
    (CLUSTER, "properties.servicePrincipalProfile.clientId", "`msi`, which recorders replace"),
    (CLUSTER, "properties.oidcIssuerProfile.enabled", "on by itself since Kubernetes 1.34"),
    (
        CLUSTER,
        "properties.networkProfile.loadBalancerSku",
        "older API versions show it in another case after a while",
    ),
    (CLUSTER, "sku.name", "`Basic` is what older API versions call `Base`"),
    (
        CLUSTER,
        "properties.agentPoolProfiles[*].nodeLabels",
        "empty; some API versions show it, and some only at first",
    ),
    (CLUSTER, "properties.networkProfile.networkPlugin", "since 2025 a new cluster has the overlay"),
    (CLUSTER, "properties.networkProfile.dockerBridgeCidr", "gone from newer API versions"),
    (CLUSTER, "properties.agentPoolProfiles[*].maxPods", "that of the overlay"),
    (CLUSTER, "properties.agentPoolProfiles[*].securityProfile.*", "an image that starts trusted by itself"),
    (CLUSTER, "properties.agentPoolProfiles[*].vmSize", "Azure chooses by what the region has"),
    (CLUSTER, "properties.agentPoolProfiles[*].osDisk*", "follows the size that Azure chooses"),
    (CLUSTER, "properties.agentPoolProfiles[*].availabilityZones", "Azure chooses by what the region has"),
    (CLUSTER, "properties.agentPoolProfiles[*].nodeTaints", "berth cannot ask for AKS Automatic's pools"),
    (CLUSTER, "properties.agentPoolProfiles[*].osSKU", "berth cannot ask for AKS Automatic's pools"),
    (CLUSTER, "properties.networkProfile.natGatewayProfile.effectiveOutboundIPs", "not simulated"),
    (CLUSTER, "(aborted)*", "berth aborts nothing, and the simulator knows no abort"),
    ("microsoft.network/*", "(retry-after)", "Azure sends it at times, and the simulator always"),
    ("microsoft.resources/resourcegroups", "(retry-after)", "recorders lose it"),
    ("microsoft.resources/resourcegroups", "tags", "policies of a subscription add them"),
    (
        "microsoft.resources/providers",
        "authorization",
        "who the provider is in the directory; the simulator has no such principals",
    ),
    ("microsoft.resources/providers", "resourceTypes*", "another provider is asked for"),
    ("microsoft.storage/storageaccounts", "(location)", "an address that clients use as it is"),
    (NETWORK, "*.privateEndpointNetworkPolicies", "newer API versions have it off"),
    (NETWORK, "properties.enableVmProtection", "gone from newer API versions"),
];

const CLUSTER: &str = "microsoft.containerservice/managedclusters";
const NETWORK: &str = "microsoft.network/virtualnetworks";

/// How far the simulator answered a recording as Azure did.
pub struct Agreement {
    name: String,
    /// Exchanges that were played, and all.
    pub played: usize,
    pub all: usize,
    /// Fields of Azure's answers, and those of them that were answered alike.
    pub fields: usize,
    pub alike: usize,
    /// Members that only the simulator shows.
    newer: usize,
    /// Differences that are known, with the reason; by the place in the list.
    known: BTreeMap<usize, usize>,
    /// What differs and is not known.
    pub wrong: Vec<String>,
    /// What of the stage could not be made.
    notes: Vec<String>,
    /// Why it was not played.
    not: Option<&'static str>,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Agreement { name, played, all, fields, alike, .. } = self;
        if let Some(reason) = self.not {
            return write!(f, "{name}: not played: {reason}");
        }
        let share = share(*alike, *fields);
        write!(f, "{name}: {played} of {all} exchanges, {alike} of {fields} fields alike ({share} %)")?;
        for (at, count) in &self.known {
            let (_, path, reason) = KNOWN[*at];
            write!(f, "\n    known, {count} times: {path}: {reason}")?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n    stage: {note}"))?;
        self.wrong.iter().try_for_each(|wrong| write!(f, "\n    differs: {wrong}"))
    }
}

/// How many of a hundred; what is nearly all is not all.
pub fn share(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(100)
}

/// Plays a recording on a stage that is made of it.
pub async fn play(name: &str, text: &str) -> Agreement {
    let recording = Recording::parse(name, text);
    let kind = kind_of(&recording);
    let all = recording.exchanges.len();
    let mut agreement = Agreement {
        name: name.to_owned(),
        played: 0,
        all,
        fields: 0,
        alike: 0,
        newer: 0,
        known: BTreeMap::new(),
        wrong: Vec::new(),
        notes: Vec::new(),
        not: None,
    };
    if let Some((_, reason)) = NOT_PLAYED.iter().find(|(not, _)| kind.starts_with(not)) {
        agreement.not = Some(reason);
        return agreement;
    }
    let mut stage = Stage::set(name, text).await;
    // What somebody aborts ends as nothing in the simulator does.
    let aborted = stage
        .recording
        .exchanges
        .iter()
        .any(|one| one.answer.body.pointer("/properties/provisioningState") == Some(&json!("Canceled")));
    for (at, exchange) in stage.recording.exchanges.clone().into_iter().enumerate() {
        let answer = stage.play(&exchange).await;
        agreement.played += 1;
        // The status counts as a field of its own.
        let (mut fields, mut differ) = (1 + leaves(&exchange.answer.body), 0);
        for finding in differences(&exchange, &answer) {
            if finding.difference == Difference::Extra {
                // The simulator has one body for every API version, with what the newest of them shows.
                agreement.newer += 1;
                continue;
            }
            let path = if aborted { format!("(aborted){}", finding.path) } else { finding.path.clone() };
            let fits = |(of, place, _): &(&str, &str, &str)| glob(of, &kind) && glob(place, &path);
            let known = KNOWN.iter().position(fits).filter(|_| aborted || !is_as_asked(&exchange, &finding));
            let lost = leaves(&finding.azure).max(1);
            match known {
                Some(known) => {
                    *agreement.known.entry(known).or_default() += 1;
                    fields = fields.saturating_sub(lost);
                }
                None => {
                    differ += lost;
                    agreement.wrong.push(format!("#{at} {}: {finding}", exchange.ask()));
                }
            }
        }
        agreement.fields += fields;
        agreement.alike += fields.saturating_sub(differ);
    }
    agreement.notes = stage.notes;
    agreement
}

/// The type of what a recording is about, in lower case.
fn kind_of(recording: &Recording) -> String {
    let id = recording.id();
    let parts: Vec<&str> = id.trim_matches('/').split('/').collect();
    match parts[..] {
        [_, _, "resourceGroups" | "resourcegroups", _] => "microsoft.resources/resourcegroups".to_owned(),
        [_, _, "providers", _, ..] if parts.len() <= 5 => "microsoft.resources/providers".to_owned(),
        _ => {
            // A collection is of the type that it lists.
            let whole = match recording.main().method {
                Method::Get if parts.len() % 2 == 1 => format!("{id}/one"),
                _ => id.to_owned(),
            };
            ArmId::parse(&whole).map(|id| id.resource_type().to_ascii_lowercase()).unwrap_or_default()
        }
    }
}

pub async fn the_simulator_answers_as_azure_did() {
    let Some(dir) = facts::dir("recorded_requests") else { return };
    let (mut played, mut all, mut fields, mut newer) = (0, 0, 0, 0);
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, text) in Recording::all(&dir) {
        let agreement = play(&name, &text).await;
        println!("recorded_requests: {}", agreement.to_string().lines().next().unwrap_or_default());
        played += agreement.played;
        all += agreement.all;
        fields += agreement.fields;
        newer += agreement.newer;
        used.extend(agreement.known.keys().copied());
        wrong.extend(agreement.wrong.iter().map(|wrong| format!("{name} {wrong}")));
    }
    for (at, (of, path, _)) in KNOWN.iter().enumerate() {
        if !used.contains(&at) {
            wrong.push(format!("listed as known, and no longer so: {of}: {path}"));
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
