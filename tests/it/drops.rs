//! What a blueprint drops: for every field of every kind, the plan says what becomes of it, exactly that is sent, and
//! the plan after it is empty.

use crate::support::Rehearsal;
use berth::catalog::registry;
use berth::change::Action;
use berth::ops;
use berth::plan::Adoption;
use berth::value::{ChangeKind, Comparison, diff, merge};
use serde_json::{Value, json};

/// Every place of an object below `value`, as keys and positions.
fn places(value: &Value, trail: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut below = |name: String, value: &Value, is_field: bool| {
        trail.push(name);
        if is_field {
            found.push(trail.clone());
        }
        places(value, trail, found);
        trail.pop();
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| below(name.clone(), value, true)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| below(at.to_string(), value, false));
        }
        _ => {}
    }
}

/// A copy without the member at a place.
fn without(tree: &Value, place: &[String]) -> Value {
    let mut copy = tree.clone();
    let (last, above) = place.split_last().unwrap();
    let mut at = &mut copy;
    for name in above {
        at = match at {
            Value::Array(items) => &mut items[name.parse::<usize>().unwrap()],
            other => &mut other[name.as_str()],
        };
    }
    at.as_object_mut().unwrap().remove(last);
    copy
}

/// What came of one drop, or nothing when the blueprint is not valid without the field.
async fn drop_one(before: &str, after: &str) -> Option<Vec<String>> {
    let rehearsal = Rehearsal::new();
    let source = ops::parse("blueprint.yaml", after.as_bytes()).ok()?;
    let desired = ops::validate_source(&source, &rehearsal.inputs).ok()?.desired;
    rehearsal
        .try_apply(before, Adoption::Refused)
        .await
        .ok()
        .filter(|applied| applied.summary.is_complete())?;
    let planned = ops::plan(&rehearsal.session, &desired, Adoption::Refused).await.ok()?;
    if !planned.plan.conflicts.is_empty() {
        return Some(Vec::new());
    }
    let released: Vec<String> = planned
        .plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Release)
        .flat_map(|step| step.changes.iter().map(|change| format!("{} {}", step.arm_type, change.path)))
        .collect();
    let counts = planned.plan.counts();
    if counts.replace + counts.delete > 0 {
        return None;
    }
    let writes = |methods: &[&str]| {
        let requests = rehearsal.simulator.counters().requests;
        methods.iter().filter_map(|method| requests.get(*method)).sum::<u64>()
    };
    let sent = ["PUT", "PATCH"];
    let already = writes(&sent);
    let applied = rehearsal.try_apply(after, Adoption::Refused).await.unwrap();
    let mut faults = Vec::new();
    if !applied.summary.is_complete() {
        faults.push(format!("fault: the apply failed: {:?}", applied.summary));
    }
    let told = counts.update as u64;
    let was_sent = writes(&sent) - already;
    if counts.replace + counts.create == 0 && told != was_sent {
        faults.push(format!("fault: {told} updates were told and {was_sent} writes sent"));
    }
    let again = ops::plan(&rehearsal.session, &desired, Adoption::Refused).await.unwrap().plan;
    if !again.is_empty() {
        faults.push(format!(
            "fault: the plan after it is not empty: {:?}",
            again.changes().collect::<Vec<_>>()
        ));
    }
    Some(faults.into_iter().chain(released).collect())
}

/// What stays when the blueprint drops it, and why Azure leaves no other way: in the order of their names.
const STAYS: &[&str] = &[
    // A service keeps its address until another one is given: what it has without one is not documented.
    "Microsoft.ApiManagement/service properties.publicIpAddressId",
    // A lock has a level, and Azure has no default: what a new one gets is berth's choice.
    "Microsoft.Authorization/locks properties.level",
    // Required since 2025-07-01, without a default.
    "Microsoft.Cache/redisEnterprise properties.publicNetworkAccess",
    // Decided when the database is made.
    "Microsoft.Cache/redisEnterprise/databases properties.clusteringPolicy",
    // berth's choice for a new registry, where Azure wants a word.
    "Microsoft.ContainerRegistry/registries sku.name",
    // AKS keeps the channel that it has when a body says none.
    "Microsoft.ContainerService/managedClusters properties.autoUpgradeProfile.nodeOSUpgradeChannel",
    // There is no way back to an older version, and none to no version.
    "Microsoft.ContainerService/managedClusters properties.kubernetesVersion",
    // A pool has a number of nodes and a mode: a body without them keeps what it has.
    "Microsoft.ContainerService/managedClusters/agentPools properties.count",
    "Microsoft.ContainerService/managedClusters/agentPools properties.mode",
    "Microsoft.ContainerService/managedClusters/agentPools properties.orchestratorVersion",
    // Decided when the pool is made (the image within Linux's but for a change that is asked for).
    "Microsoft.ContainerService/managedClusters/agentPools properties.osSKU",
    "Microsoft.ContainerService/managedClusters/agentPools properties.vmSize",
    "Microsoft.ContainerService/managedClusters/agentPools properties.vnetSubnetID",
    // Azure runs newer versions by itself, and no older one than it has.
    "Microsoft.Dashboard/grafana properties.grafanaMajorVersion",
    // Continuous backups never go back to copies.
    "Microsoft.DocumentDB/databaseAccounts properties.backupPolicy.continuousModeProperties.tier",
    "Microsoft.DocumentDB/databaseAccounts properties.backupPolicy.type",
    // Azure chooses them by the edition; partitions are decided when the event hub is made.
    "Microsoft.EventHub/namespaces/eventhubs properties.partitionCount",
    "Microsoft.EventHub/namespaces/eventhubs properties.retentionDescription.retentionTimeInHours",
    // Decided when they are made.
    "Microsoft.Insights/dataCollectionEndpoints kind",
    "Microsoft.Insights/dataCollectionRules kind",
    // An alert has them, without a default of Azure's: what a new one gets is berth's choice.
    "Microsoft.Insights/metricAlerts properties.evaluationFrequency",
    "Microsoft.Insights/metricAlerts properties.severity",
    "Microsoft.Insights/metricAlerts properties.windowSize",
    "Microsoft.Insights/scheduledQueryRules properties.evaluationFrequency",
    "Microsoft.Insights/scheduledQueryRules properties.severity",
    "Microsoft.Insights/scheduledQueryRules properties.windowSize",
    // Once on, it is never off again.
    "Microsoft.KeyVault/vaults properties.enablePurgeProtection",
    // Azure makes a key and never changes it.
    "Microsoft.KeyVault/vaults/keys properties.keySize",
    "Microsoft.KeyVault/vaults/keys properties.rotationPolicy.attributes.expiryTime",
    // Decided when it is made.
    "Microsoft.Network/applicationGateways zones",
    "Microsoft.Network/natGateways zones",
    "Microsoft.Network/publicIPAddresses zones",
    "Microsoft.ServiceBus/namespaces properties.premiumMessagingPartitions",
    // The edition wants a number, and has none of its own to go back to.
    "Microsoft.ServiceBus/namespaces sku.capacity",
    // Azure chooses them by the edition and the size of a database.
    "Microsoft.Sql/servers/databases properties.autoPauseDelay",
    // A database leaves its pool when it is given a service objective.
    "Microsoft.Sql/servers/databases properties.elasticPoolId",
    "Microsoft.Sql/servers/databases properties.maxSizeBytes",
    "Microsoft.Sql/servers/databases properties.minCapacity",
    "Microsoft.Sql/servers/databases sku.capacity",
    "Microsoft.Sql/servers/databases sku.name",
    // Azure chooses it by the edition.
    "Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies properties.diffBackupIntervalInHours",
    // Azure wants one, without a default: what a new account gets is berth's choice.
    "Microsoft.Storage/storageAccounts sku.name",
    // Azure chooses it by the kind of the account.
    "Microsoft.Storage/storageAccounts/fileServices/shares properties.accessTier",
    // An app leaves its network by a request of its own (`DELETE …/networkConfig/virtualNetwork`), not by an update without it.
    "Microsoft.Web/sites properties.virtualNetworkSubnetId",
    // There is no app without a runtime.
    "Microsoft.Web/sites/config properties.linuxFxVersion",
    "Microsoft.Web/sites/slots/config properties.linuxFxVersion",
];

#[tokio::test(start_paused = true)]
async fn what_is_dropped_goes_or_is_told_to_stay() {
    let mut told = std::collections::BTreeSet::new();
    let mut tried = 0;
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let head = "blueprint: example\nazure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-example }\n";
        let text = format!("{head}{}", kind.example);
        let tree = ops::parse("blueprint.yaml", text.as_bytes()).unwrap().tree;
        let mut found = Vec::new();
        places(&json!({ kind.section: tree[kind.section] }), &mut Vec::new(), &mut found);
        for place in found.iter().filter(|place| place.len() > 2) {
            let after = without(&tree, place).to_string();
            if let Some(said) = drop_one(&text, &after).await {
                tried += 1;
                told.extend(said);
            }
        }
    }
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert!(tried > 60, "{tried}");
    assert_eq!(told, STAYS);
}

#[test]
fn a_password_is_sent_when_it_is_new_or_changed_and_not_otherwise() {
    let rules =
        berth::catalog::resource_type("Microsoft.ContainerService/managedClusters").unwrap().compiled();
    let body = |tag: &str, password: Option<&str>| {
        let mut body = json!({
            "location": "westeurope", "tags": { "a": tag },
            "properties": {
                "windowsProfile": { "adminUsername": "azureuser" },
                "servicePrincipalProfile": { "clientId": "msi" },
            },
        });
        if let Some(password) = password {
            body["properties"]["windowsProfile"]["adminPassword"] = password.into();
            body["properties"]["servicePrincipalProfile"]["secret"] = password.into();
        }
        body
    };
    let live = body("1", None);
    let wanted = body("2", Some("hush"));
    for (changed, sent) in [(false, body("2", None)), (true, wanted.clone())] {
        let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| changed };
        let changes = diff(&wanted, &live, &comparison);
        assert_eq!(merge(&live, &wanted, rules, &changes), sent, "{changed}");
    }
}

/// A blueprint with a vault and a secret in it.
fn vault(fields: &str) -> String {
    format!(
        "blueprint: drops\nazure: {{ subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, \
         resourceGroup: rg-drops }}\nparameters: {{ db: {{ secret: true, default: s3cr3t-enough }} }}\nkeyVaults:\n  \
         kv: {{ name: kv-drops-1, protect: false, secrets: {{ db: {{ value: '${{param.db}}'{fields} }} }} }}\n"
    )
}

#[tokio::test(start_paused = true)]
async fn a_dropped_expiry_goes_by_a_new_version() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&vault(", expires: 2030-01-01, notBefore: 2026-01-01, contentType: text/plain")).await;
    let planned = rehearsal.plan(&vault("")).await;
    let step = planned.plan.changes().next().unwrap();
    assert_eq!(step.action, Action::Update);
    assert!(step.changes.iter().all(|change| change.kind == ChangeKind::Remove), "{:?}", step.changes);
    rehearsal.apply(&vault("")).await;
    let world = rehearsal.simulator.export();
    let secret = world.iter().find(|body| body["type"] == "Microsoft.KeyVault/vaults/secrets").unwrap();
    assert_eq!(secret["properties"]["attributes"].get("exp"), None);
    assert_eq!(secret["properties"].get("contentType"), None);
}
