//! `exclusive`: of every list that others can add to, in every kind, a foreign member stays by itself and goes when the
//! list is the blueprint's alone; and nothing else goes with it.

use crate::support::Rehearsal;
use berth::catalog::{Kind, Members, Nested, registry};
use berth::change::Action;
use berth::ops::{self, Planned};
use berth::plan::{Adoption, Plan, Reason, plan};
use berth::state::{Desired, DesiredResource, Observation};
use berth::value::{get_path, merge, set_path};
use serde_json::{Value, json};

const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
";

/// A kind's example with `exclusive: true` wherever that means something.
fn exclusive(kind: &Kind) -> String {
    let mut example: Value = serde_yaml::from_str(&format!("{HEAD}{}", kind.example)).unwrap();
    let lists = kind.merged.iter().any(|merged| merged.within.is_empty());
    let tags = kind.types.iter().any(|made| made.arm_type == kind.arm_type && made.tags);
    for (_, entry) in example[kind.section].as_object_mut().unwrap() {
        let mut parts: Vec<&str> = kind.merged.iter().map(|merged| merged.within).collect();
        parts.retain(|part| kind.nested.iter().any(|nested: &Nested| nested.path == *part));
        parts.iter().for_each(|part| say(entry, part));
        if lists || tags {
            entry["exclusive"] = json!(true);
        }
    }
    serde_yaml::to_string(&example).unwrap()
}

fn say(value: &mut Value, path: &str) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(members) = value.as_object_mut() else { return };
    for (name, member) in members.iter_mut().filter(|(name, _)| first == "*" || *name == first) {
        match rest {
            "" if member.is_object() => member["exclusive"] = json!(true),
            "" => {}
            rest if name != "exclusive" => say(member, rest),
            _ => {}
        }
    }
}

/// The live world with something foreign in a list of a resource.
fn with_foreign(planned: &Planned, resource: &DesiredResource, path: &str) -> Option<berth::state::Observed> {
    let mut observed = planned.observed.clone();
    let rules = resource.kind.compiled();
    let Some(Observation::Present { body, .. }) = observed.get_mut(&resource.id) else { return None };
    match rules.key(path) {
        Some(key) => {
            let mut theirs = json!({});
            key.split('+').for_each(|part| set_path(&mut theirs, part, "foreign".into()));
            let mut list = get_path(body, path).and_then(Value::as_array).cloned().unwrap_or_default();
            list.push(theirs);
            set_path(body, path, list.into());
        }
        None => {
            let mut map = get_path(body, path).and_then(Value::as_object).cloned().unwrap_or_default();
            map.insert("Foreign".into(), json!({ "enabled": true }));
            set_path(body, path, map.into());
        }
    }
    Some(observed)
}

fn planned_with(desired: &Desired, planned: &Planned, observed: &berth::state::Observed) -> Plan {
    plan(&desired.with_messages(&planned.ledger.salt), &planned.ledger, observed, Adoption::Refused)
}

#[tokio::test(start_paused = true)]
async fn every_list_keeps_what_is_foreign_and_gives_it_up_when_it_is_exclusive() {
    let (mut lists, mut children) = (0, 0);
    let mut unseen = Vec::new();
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let plain = format!("{HEAD}{}", kind.example);
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&plain).await;
        let shared = rehearsal.desired(&plain);
        let alone = rehearsal.desired(&exclusive(kind));
        // With nothing foreign there, the word alone changes nothing.
        let planned = ops::plan(&rehearsal.session, &alone, Adoption::Refused).await.unwrap();
        let told: Vec<_> = planned.plan.changes().map(|step| (&step.address, &step.changes)).collect();
        assert!(told.is_empty(), "{}: {told:?}", kind.section);
        for resource in &alone.resources {
            for path in resource.exclusive_lists() {
                let Some(observed) = with_foreign(&planned, resource, path) else { continue };
                let what = format!("{} {path}", resource.address);
                let plan = planned_with(&shared, &planned, &observed);
                assert!(plan.is_empty(), "{what}");
                // Others write tags and labels as they like; anything else that they add is seen.
                let mut told = plan.left_alone.iter();
                let seen = told.any(|one| one.address == resource.address && one.path.starts_with(path));
                if !seen && !path.ends_with("tags") && !path.ends_with("nodeLabels") {
                    unseen.push(what.clone());
                }
                let plan = planned_with(&alone, &planned, &observed);
                let steps: Vec<_> = plan.changes().collect();
                let [step] = steps.as_slice() else { panic!("{what}: {steps:#?}") };
                let [change] = step.changes.as_slice() else { panic!("{what}: {:#?}", step.changes) };
                assert!(
                    change.foreign && change.path.to_lowercase().contains("foreign"),
                    "{what}: {change:?}"
                );
                assert_eq!((step.action, &step.address), (Action::Update, &resource.address), "{what}");
                let live = observed[&resource.id].body().unwrap();
                let sent = merge(live, &step.desired, resource.kind.compiled(), &step.changes);
                let left = get_path(&sent, path).map(Value::to_string).unwrap_or_default().to_lowercase();
                assert!(!left.contains("foreign") || left.contains("false"), "{what}: {left}");
                lists += 1;
            }
            for (list, child) in resource.exclusive_children() {
                let id = match child.arm_type.strip_prefix(resource.kind.arm_type) {
                    Some(rest) => resource.id.child(rest.trim_start_matches('/'), "foreign"),
                    None => resource.id.provider(child.arm_type, &["foreign"]),
                };
                let mut observed = planned.observed.clone();
                let body = json!({ "id": id.as_str(), "name": "foreign", "properties": {} });
                observed.insert(id.clone(), Observation::Present { body, etag: None });
                let plan = planned_with(&alone, &planned, &observed);
                let steps: Vec<_> = plan.changes().collect();
                let [step] = steps.as_slice() else { panic!("{list}: {steps:#?}") };
                assert_eq!(step.action, Action::Delete);
                assert_eq!(step.address.as_str(), format!("{}.{list}[foreign]", resource.address));
                assert!(matches!(&step.reason, Reason::Foreign { list: of, .. } if of == list));
                let plan = planned_with(&shared, &planned, &observed);
                assert!(plan.is_empty(), "{list}");
                let called = format!("{list}[foreign]");
                if !plan.left_alone.iter().any(|one| one.address == resource.address && one.path == called) {
                    unseen.push(format!("{} {list}", resource.address));
                }
                // Another blueprint's is in the way, and stays.
                let body = json!({ "id": id.as_str(), "tags": { "berth-blueprint": "other" } });
                observed.insert(id, Observation::Present { body, etag: None });
                let plan = planned_with(&alone, &planned, &observed);
                assert!(plan.is_empty() && plan.conflicts.len() == 1, "{list}: {plan:#?}");
                children += 1;
            }
        }
    }
    assert!(lists > 20 && children > 8, "{lists} {children}");
    assert!(unseen.is_empty(), "{unseen:#?}");
}

/// Lists that merge and that `exclusive` cannot name by a word of the blueprint, with the reason.
const NAMELESS: &[(&str, &str)] = &[
    ("properties.subnets", "resources of their own: `subnets`"),
    ("properties.virtualNetworkPeerings", "resources of their own: `peerings`"),
    ("properties.privateDnsZoneConfigs", "policies fill them; the group is not part of its own"),
    ("properties.podIdentityProfile", "no field of the blueprint asks for them"),
    ("properties.serviceMeshProfile", "gateways are switched by name"),
    ("properties.networkProfile", "an address is Azure's or the blueprint's, never both"),
    ("properties.allowedHostPorts", "of one pool, which nobody shares"),
    ("properties.nodePublicIPTags", "fixed once made"),
    ("properties.timeInWeek", "a window is one person's"),
    ("properties.notAllowedTime", "a window is one person's"),
    ("properties.maintenanceWindow", "a window is one person's"),
    ("properties.configurationSettings", "settings that Azure fills"),
    ("identity.userAssignedIdentities", "one identity at a time"),
    ("properties.metadata", "by its path"),
    ("properties.gatewayIPConfigurations", "one subnet, which never changes"),
    ("properties.frontendIPConfigurations", "an address each for `publicIp` and `privateIp`"),
    ("properties.ipConfigurations", "a number of addresses"),
    ("properties.customProperties", "switches, some of which Azure adds itself"),
    ("properties.serviceEndpointPolicies", "references, which the field says whole"),
    ("properties.rotationPolicy", "a key is never changed"),
    ("properties.policy.rules", "the rules of age of an account, which are one resource"),
    ("properties.correlationFilter.properties", "what one rule compares, which nobody shares"),
    ("properties.itsmReceivers", "no field of the blueprint asks for them"),
    ("properties.azureAppPushReceivers", "no field of the blueprint asks for them"),
    ("properties.automationRunbookReceivers", "no field of the blueprint asks for them"),
    ("properties.actions.customProperties", "texts that go along with one alert"),
    ("properties.actions.actionProperties", "texts that go along with one alert"),
    ("properties.localDNSProfile", "settings by zone, some of which Azure adds itself"),
];

#[test]
fn every_list_that_merges_can_be_named_or_there_is_a_reason() {
    let mut missing = Vec::new();
    for kind in registry() {
        for made in kind.types {
            for rule in made.rules {
                let path = rule.path();
                if path.contains(['[', '*']) || !made.compiled().merges(path) {
                    continue;
                }
                let named = registry().iter().flat_map(|kind| kind.merged).any(
                    |merged| matches!(merged.members, Members::At(at) | Members::Beside(_, at) if at == path),
                );
                let reason = NAMELESS.iter().any(|(prefix, _)| path.starts_with(prefix));
                if !named && !reason {
                    missing.push(format!("{} {path}", made.arm_type));
                }
            }
        }
    }
    assert_eq!(missing, [] as [String; 0]);
}
