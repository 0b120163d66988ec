//! The fields that the simulator knows of types without a schema hold everything that the official samples of those types say.

use crate::facts;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many samples of each such type there are, so that none goes unseen.
const SAMPLES: &[(&str, usize)] = &[
    ("Microsoft.AlertsManagement/prometheusRuleGroups", 2),
    ("Microsoft.ApiManagement/service", 13),
    ("Microsoft.Cache/redisEnterprise", 1),
    ("Microsoft.Cache/redisEnterprise/databases", 3),
    ("Microsoft.Dashboard/grafana", 1),
    ("Microsoft.DocumentDB/databaseAccounts", 3),
    ("Microsoft.DocumentDB/databaseAccounts/sqlDatabases", 1),
    ("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers", 1),
    ("Microsoft.EventHub/namespaces", 3),
    ("Microsoft.EventHub/namespaces/eventhubs", 4),
    ("Microsoft.EventHub/namespaces/eventhubs/consumergroups", 1),
    ("Microsoft.EventHub/namespaces/networkRuleSets", 1),
    ("Microsoft.Monitor/accounts", 1),
    ("Microsoft.ServiceBus/namespaces", 2),
    ("Microsoft.ServiceBus/namespaces/networkRuleSets", 1),
    ("Microsoft.ServiceBus/namespaces/queues", 1),
    ("Microsoft.ServiceBus/namespaces/topics", 1),
    ("Microsoft.ServiceBus/namespaces/topics/subscriptions", 1),
];

pub async fn official_samples_hold_only_fields_that_the_simulator_takes() {
    let Some(dir) = facts::dir("fields") else { return };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(dir.join("samples")).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let samples: Value = serde_json::from_slice(&text).unwrap();
        for sample in samples.as_array().unwrap() {
            let text = |member: &str| sample[member].as_str().unwrap_or_default().to_owned();
            let (arm_type, body) = (text("type"), &sample["body"]);
            let Some(told) = berth::sim::check_fields(&arm_type, body) else { continue };
            *seen.entry(arm_type.clone()).or_default() += 1;
            wrong.extend(told.err().map(|error| format!("{arm_type} {}: {error}", text("about"))));
        }
    }
    assert_eq!(wrong, [] as [String; 0]);
    for (arm_type, least) in SAMPLES {
        assert!(seen.get(*arm_type).is_some_and(|seen| seen >= least), "{arm_type}: {seen:?}");
    }
    println!("fields: {} samples of {} types", seen.values().sum::<usize>(), seen.len());
}

/// A body that no type takes is refused, whatever the type: the witness does look.
pub async fn every_type_refuses_a_field_that_it_does_not_have() {
    for (arm_type, _) in SAMPLES {
        for body in
            [r#"{"properties":{"berth":1}}"#, r#"{"berth":1}"#, r#"{"properties":{"provisioningState":1}}"#]
        {
            let body: Value = serde_json::from_str(body).unwrap();
            let told = berth::sim::check_fields(arm_type, &body);
            assert!(matches!(told, Some(Err(_))), "{arm_type} takes {body}");
        }
    }
}
