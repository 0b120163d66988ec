//! Azure's own examples: the simulator takes each as Azure does, what it answers is as the example asks, and as an entry
//! among `resources:` it applies and plans nothing afterwards.

use crate::facts;
use crate::session::session;
use crate::stage::Stage;
use crate::witness::glob;
use berth::approve::Allowances;
use berth::arm::transport::{Method, Request, Transport};
use berth::blueprint::{Caller, Inputs, Missing, Source, load};
use berth::catalog::{ResourceType, resource_type};
use berth::ident::ArmId;
use berth::ops;
use berth::plan::Adoption;
use berth::sim::{CALLER_OBJECT_ID, Simulator};
use berth::value::{Comparison, Rules, diff};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The subscription in which examples are made.
const SUBSCRIPTION: &str = "5ab5c819-0000-4000-8000-000000000001";

/// What Azure would not take either as it is written: type, what the example shows, code of the answer, reason.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("Microsoft.Authorization/roleDefinitions", "*", "InvalidRoleDefinition", "a role has a name"),
    ("Microsoft.Cdn/profiles/afdEndpoints/routes", "*", "BadRequest", "the origin group has no origin yet"),
    (
        "Microsoft.ContainerRegistry/registries",
        "RegistryCreateZoneRedundant",
        "NotSupportedForSku",
        "zones are for Premium, and the example asks for Standard",
    ),
    (
        "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
        "*",
        "InvalidParameter",
        "the first day of the example has passed",
    ),
    (
        "Microsoft.ContainerService/managedClusters",
        "Create Managed Cluster with Dedicated Host Group",
        "InvalidParameter",
        "a cluster has a System pool",
    ),
    (
        "Microsoft.ContainerService/managedClusters",
        "Create Managed Cluster with Security Profile configured",
        "InvalidParameter",
        "a cluster has an identity or a service principal",
    ),
    (
        "Microsoft.ContainerService/managedClusters",
        "Create Managed Cluster with Web App Routing*",
        "InvalidParameter",
        "a cluster has an identity or a service principal",
    ),
    (
        "Microsoft.ContainerService/managedClusters",
        "Create Managed Cluster with user-assigned NAT gateway*",
        "InvalidParameter",
        "a NAT gateway of one's own is on a subnet of one's own",
    ),
    (
        "Microsoft.Web/sites/slots",
        "Clone web app slot",
        "Conflict",
        "an app without a plan of its own has no slots",
    ),
    (
        "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies",
        "*",
        "LocationNotAvailableForResourceType",
        "a policy of Front Door is in no region",
    ),
    (
        "Microsoft.Insights/dataCollectionRuleAssociations",
        "*data collection endpoint",
        "InvalidPayload",
        "an association with an endpoint has one name, and the suite gives it another",
    ),
    (
        "Microsoft.Insights/dataCollectionRules",
        "*embedded ingestion endpoints",
        "InvalidPayload",
        "its flow goes to `myworkspace`, and its destination is called `centralWorkspace`",
    ),
    ("Microsoft.Network/privateEndpoints", "*", "InvalidRequestFormat", "a connection has a name"),
    ("Microsoft.Sql/servers", "*", "PasswordNotComplex", "the example hides the password"),
    (
        "Microsoft.Sql/servers/failoverGroups",
        "*",
        "FailoverGroupPartnerServerInvalid",
        "the stage makes all servers in one region",
    ),
    (
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments",
        "*",
        "BadRequest",
        "the example names a role of another account",
    ),
    (
        "Microsoft.Storage/storageAccounts/fileServices/shares",
        "Create NFS Shares",
        "InvalidValuesForRequestParameters",
        "the account of the stage is not one of files",
    ),
];

/// What does not come to rest as an entry: type, what the example shows, reason.
const NOT_ENTRIES: &[(&str, &str, &str)] = &[
    ("Microsoft.Resources/resourceGroups", "*", "groups have a section of their own"),
    ("Microsoft.KeyVault/vaults/accessPolicies", "*", "an action, and nothing that can be read"),
    (
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "*",
        "a configuration is told from others by its name, which the example leaves out",
    ),
    ("Microsoft.Dashboard/grafana", "Grafana_Create", "the example has a password, which nobody can compare"),
    ("Microsoft.Network/applicationGateways", "*", "the example names a pool of another gateway"),
    ("Microsoft.Web/sites/config", "Update Auth*", "Azure shows it to a POST only"),
    ("Microsoft.Web/sites/config", "Update Azure Storage*", "Azure shows it to a POST only"),
];

/// Where the answer is not as the example asks: type, path, reason.
const NOT_SO: &[(&str, &str, &str)] = &[
    (
        "Microsoft.ContainerService/managedClusters/agentPools",
        "properties.nodeTaints",
        "AKS taints the nodes of Spot pools by itself; the section writes that taint too",
    ),
    (
        "Microsoft.Dashboard/grafana",
        "properties.grafanaConfigurations.smtp.password",
        "a secret, which Azure does not show",
    ),
    (
        "Microsoft.Network/applicationGateways",
        "properties.backendAddressPools[*].id",
        "the example names a pool of another gateway",
    ),
    (
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "properties.privateDnsZoneConfigs[0]",
        "a configuration is told from others by its name, which the example leaves out",
    ),
];

/// An example.
struct Sample {
    arm_type: String,
    api_version: String,
    about: String,
    body: Value,
}

/// Every example whose type the simulator has a row for.
fn samples(facts: &Path, known: &BTreeSet<String>) -> Vec<Sample> {
    let folder = facts.join("samples");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let listed: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for one in listed.as_array().unwrap() {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            if known.contains(&text("type").to_ascii_lowercase()) {
                all.push(Sample {
                    arm_type: text("type"),
                    api_version: text("apiVersion"),
                    about: text("about"),
                    body: at_home(&one["body"]),
                });
            }
        }
    }
    all
}

/// The types that the simulator has a row for.
async fn known_types() -> BTreeSet<String> {
    let simulator = Simulator::new(berth::sim::Options::default());
    let url =
        format!("https://management.azure.com/subscriptions/{SUBSCRIPTION}/providers?api-version=2025-04-01");
    let response = simulator.send(Request::new(Method::Get, url)).await.unwrap();
    let listed: Value = serde_json::from_slice(&response.body).unwrap();
    let mut known = BTreeSet::new();
    for provider in listed["value"].as_array().unwrap() {
        for kind in provider["resourceTypes"].as_array().unwrap() {
            let whole = format!(
                "{}/{}",
                provider["namespace"].as_str().unwrap(),
                kind["resourceType"].as_str().unwrap()
            );
            known.insert(whole.to_ascii_lowercase());
        }
    }
    assert!(known.len() > 90, "{known:?}");
    known
}

/// An example with its ids in the subscription of the stage: examples write all sorts of placeholders.
fn at_home(value: &Value) -> Value {
    match value {
        // What examples call a region, where they name none.
        Value::String(text) if text == "location1" => "westus2".into(),
        Value::String(text) => id_at_home(text).unwrap_or_else(|| text.clone()).into(),
        Value::Array(items) => items.iter().map(at_home).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (id_at_home(name).unwrap_or_else(|| name.clone()), at_home(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn id_at_home(text: &str) -> Option<String> {
    let from = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
    let mut parts: Vec<String> = from.split('/').map(str::to_owned).collect();
    if parts.len() < 3 || !parts[1].eq_ignore_ascii_case("subscriptions") {
        return None;
    }
    parts[1] = "subscriptions".to_owned();
    parts[2] = SUBSCRIPTION.to_owned();
    for part in &mut parts {
        // `{resource group}` is a name too.
        *part = part.chars().filter(|c| !"{}<> ".contains(*c)).collect();
    }
    Some(parts.join("/"))
}

/// Where an example is made: the id.
fn place(sample: &Sample) -> String {
    let (namespace, types) = sample.arm_type.split_once('/').unwrap();
    let parts: Vec<&str> = types.split('/').collect();
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/samples");
    let kind = sample.arm_type.to_ascii_lowercase();
    let cluster = format!("{group}/providers/Microsoft.ContainerService/managedClusters/sample1");
    let scope = match kind.as_str() {
        "microsoft.resources/resourcegroups" => {
            return format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/sample1");
        }
        "microsoft.authorization/policydefinitions"
        | "microsoft.authorization/policysetdefinitions"
        | "microsoft.authorization/roledefinitions" => format!("/subscriptions/{SUBSCRIPTION}"),
        "microsoft.kubernetesconfiguration/extensions"
        | "microsoft.kubernetesconfiguration/fluxconfigurations" => cluster,
        _ => group,
    };
    let mut id = format!("{scope}/providers/{namespace}");
    let last = parts.len() - 1;
    for (at, part) in parts.iter().enumerate() {
        let name = match (part.to_ascii_lowercase().as_str(), at == last) {
            (
                "blobservices"
                | "fileservices"
                | "queueservices"
                | "tableservices"
                | "networkrulesets"
                | "azureadonlyauthentications"
                | "auditingsettings"
                | "managementpolicies"
                | "backupshorttermretentionpolicies"
                | "throughputsettings"
                | "backuplongtermretentionpolicies",
                _,
            ) => "default",
            ("administrators", true) => "ActiveDirectory",
            ("accesspolicies", true) => "add",
            ("databases", true) if kind.starts_with("microsoft.cache/") => "default",
            ("roleassignments" | "roledefinitions" | "sqlroleassignments", true) => {
                "6f1f5a7c-6f7a-4dc1-9d38-3f8f4c1a0001"
            }
            ("privatednszones", _) => "sample1.internal",
            ("maintenanceconfigurations", true) => "default",
            ("replications", true) => sample.body["location"].as_str().unwrap_or("eastus"),
            ("soa", true) => "@",
            ("ptr", true) => "1",
            ("agentpools", true) => "pool1",
            ("versions", true) => "v1",
            ("config", true) => config(sample),
            ("sqldatabases" | "containers", true)
                if sample.body.pointer("/properties/resource/id").is_some() =>
            {
                sample.body.pointer("/properties/resource/id").and_then(Value::as_str).unwrap()
            }
            _ => "sample1",
        };
        id.push_str(&format!("/{part}/{}", name.replace(' ', "")));
    }
    id
}

/// Which configuration of an app an example is of.
fn config(sample: &Sample) -> &'static str {
    let about = sample.about.to_ascii_lowercase();
    let properties = &sample.body["properties"];
    match () {
        () if about.contains("application settings") || about.contains("app settings") => "appsettings",
        () if about.contains("connection string") => "connectionstrings",
        () if about.contains("auth settings v2") || about.contains("authsettingsv2") => "authsettingsV2",
        () if about.contains("auth settings") => "authsettings",
        () if about.contains("backup") => "backup",
        () if about.contains("logs") || properties["applicationLogs"].is_object() => "logs",
        () if about.contains("slot config") => "slotConfigNames",
        () if about.contains("metadata") => "metadata",
        () if about.contains("azure storage") => "azurestorageaccounts",
        () if about.contains("push") => "pushsettings",
        () => "web",
    }
}

/// A recording of nothing but the request.
fn recording(sample: &Sample, id: &str) -> String {
    let path = format!("{id}?api-version={}", sample.api_version);
    json!({
        "request": { "method": "PUT", "path": path, "body": sample.body },
        "responses": [{ "status": 201, "headers": {}, "body": null }],
    })
    .to_string()
}

fn changes(asked: &Value, live: &Value, rules: &'static Rules) -> Vec<String> {
    let comparison = Comparison { rules, applied: Some(asked), secret_changed: &|_, _| false };
    diff(asked, live, &comparison)
        .into_iter()
        .map(|change| format!("{}: {} -> {}", change.path, change.before, change.after))
        .collect()
}

pub async fn examples_are_taken_and_answered_as_they_ask() {
    let Some(dir) = facts::dir("samples") else { return };
    let known = known_types().await;
    let nothing: &'static Rules = Box::leak(Box::new(Rules::new(&[])));
    let (mut taken, mut refused, mut compared) = (0, 0, 0);
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    let all = samples(&dir, &known);
    for sample in &all {
        let id = place(sample);
        let label = format!("{} ({})", sample.arm_type, sample.about);
        let mut stage = Stage::set("sample", &recording(sample, &id)).await;
        let exchange = stage.recording.main().clone();
        let answer = stage.play(&exchange).await;
        if answer.status >= 400 {
            let error = answer.body.get("error").unwrap_or(&answer.body);
            let code = error["code"].as_str().unwrap_or_default();
            let listed = REFUSED.iter().position(|(of, about, with, _)| {
                of.eq_ignore_ascii_case(&sample.arm_type) && glob(about, &sample.about) && *with == code
            });
            refused += 1;
            match listed {
                Some(at) => drop(used.insert(("refused", at))),
                None => wrong.push(format!("{label}: {} {code}: {}", answer.status, error["message"])),
            }
            continue;
        }
        taken += 1;
        let live = stage.read(&id, &sample.api_version).await;
        // What is no resource of its own is only answered.
        let live = if live["id"].is_string() { live } else { answer.body.clone() };
        let kind = resource_type(&sample.arm_type);
        let rules = kind.map_or(nothing, ResourceType::compiled);
        let asked = exchange.body.clone().unwrap();
        compared += usize::from(kind.is_some());
        for change in changes(&asked, &live, rules) {
            let listed = NOT_SO.iter().position(|(of, path, _)| {
                glob(&of.to_ascii_lowercase(), &sample.arm_type.to_ascii_lowercase())
                    && glob(path, change.split(": ").next().unwrap())
            });
            match listed {
                Some(at) => drop(used.insert(("so", at))),
                None => wrong.push(format!("{label}: {change}")),
            }
        }
    }
    for (at, (of, about, code, _)) in REFUSED.iter().enumerate() {
        if !used.contains(&("refused", at)) {
            wrong.push(format!("listed as refused, and no longer so: {of}: {about}: {code}"));
        }
    }
    for (at, (of, path, _)) in NOT_SO.iter().enumerate() {
        if !used.contains(&("so", at)) {
            wrong.push(format!("listed as different, and no longer so: {of}: {path}"));
        }
    }
    println!(
        "samples: {} examples of types that the simulator knows: {taken} taken, {refused} refused as Azure does; \
         {compared} through the rules of their kind",
        all.len()
    );
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The blueprint with nothing but an example in it.
fn blueprint(sample: &Sample, id: &str, body: &Value, place: &str) -> String {
    let parsed = ArmId::parse(id).unwrap();
    let mut entry = json!({
        "type": sample.arm_type, "apiVersion": sample.api_version, "name": parsed.name(), "protect": false,
    });
    let mut body = body.clone();
    for name in ["id", "name", "type"] {
        body.as_object_mut().map(|members| members.shift_remove(name));
    }
    // Texts of examples are no expressions.
    entry["body"] = serde_json::from_str(&body.to_string().replace("${", "$${")).unwrap();
    let own = format!("/providers/{}", sample.arm_type.split('/').next().unwrap());
    let at = id.to_ascii_lowercase().rfind(&own.to_ascii_lowercase()).unwrap_or(id.len());
    if sample.arm_type.matches('/').count() > 1 {
        entry["parent"] = parsed.parent().unwrap().as_str().into();
    } else if id[..at].split('/').count() == 3 {
        entry["parent"] = "subscription".into();
    } else if id[..at].contains("/providers/") {
        entry["parent"] = id[..at].into();
    }
    json!({
        "blueprint": "sample",
        "azure": { "subscription": SUBSCRIPTION, "location": place, "resourceGroup": "samples" },
        "resources": { "it": entry },
    })
    .to_string()
}

pub async fn examples_apply_as_entries_and_plan_nothing_afterwards() {
    let Some(dir) = facts::dir("samples (entries)") else { return };
    let known = known_types().await;
    let (mut applied, mut skipped) = (0, BTreeMap::<&str, usize>::new());
    let mut wrong = Vec::new();
    for sample in &samples(&dir, &known) {
        let id = place(sample);
        let label = format!("{} ({})", sample.arm_type, sample.about);
        let is =
            |of: &str, about: &str| of.eq_ignore_ascii_case(&sample.arm_type) && glob(about, &sample.about);
        if let Some((.., reason)) = NOT_ENTRIES.iter().find(|(of, about, _)| is(of, about)) {
            *skipped.entry(reason).or_default() += 1;
            continue;
        }
        let stage = Stage::set("sample", &recording(sample, &id)).await;
        let exchange = stage.recording.main().clone();
        if REFUSED.iter().any(|(of, about, ..)| is(of, about)) {
            *skipped.entry("refused").or_default() += 1;
            continue;
        }
        let (simulator, clock) = stage.simulator();
        let caller =
            Caller { tenant_id: Some(simulator.tenant()), object_id: Some(CALLER_OBJECT_ID.to_owned()) };
        let inputs = Inputs { caller: Some(caller), missing: Missing::MakeUp, ..Inputs::default() };
        let text = blueprint(sample, &id, exchange.body.as_ref().unwrap(), &stage.place());
        let source =
            Source::parse("sample.yaml", text.as_bytes()).unwrap_or_else(|told| panic!("{label}: {told:?}"));
        let desired = match load(&source, &inputs) {
            Ok(blueprint) => blueprint.desired,
            Err(told) => {
                let told: Vec<String> = told.iter().map(|one| one.message.clone()).collect();
                wrong.push(format!("{label}: {told:?}"));
                continue;
            }
        };
        let session = session(Arc::new(simulator.clone()), clock);
        let allowances = Allowances::default();
        // What is there already is taken over as it is first.
        let _ = ops::apply(&session, &desired, Adoption::Allowed, &allowances, |_, _| true).await;
        let done = ops::apply(&session, &desired, Adoption::Allowed, &allowances, |_, _| true).await;
        match done {
            Ok(Some(done)) if done.summary.is_complete() => {}
            other => {
                let told = format!("{:?}", other.map(|done| done.map(|done| done.summary)));
                let from = told.find("message").unwrap_or(0);
                wrong.push(format!("{label}: {}", told[from..].chars().take(300).collect::<String>()));
                continue;
            }
        }
        applied += 1;
        let again = ops::plan(&session, &desired, Adoption::Refused).await.unwrap().plan;
        for step in again.changes() {
            let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
            wrong.push(format!("{label}: planned again: {:?} of {}: {paths:?}", step.action, step.address));
        }
    }
    println!("samples: {applied} examples applied as entries and planned again; left out: {skipped:?}");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
