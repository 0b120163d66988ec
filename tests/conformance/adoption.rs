//! What another client made, under other names and with other defaults, is taken over by its tags and nothing else.

use crate::requests::{apply, read};
use crate::session::session;
use crate::witness::{Witness, Written, glob};
use berth::approve::Allowances;
use berth::arm::transport::{Method, Request, Transport};
use berth::catalog::{Kind, registry, resource_type};
use berth::change::Action;
use berth::host::{Clock, Timestamp};
use berth::ident::ArmId;
use berth::ops;
use berth::plan::Adoption;
use berth::sim::{Options, Simulator, Time};
use berth::value::{get_path, set_path};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Kinds of which an example cannot be made by another client alone, with the reason.
const NOT_TAKEN: &[(&str, &str)] = &[
    ("approvals", "a decision, and no resource"),
    ("existing", "others' resources, which are only read"),
    ("frontDoors", "its approval knows a request by the message that berth itself gives it"),
    ("resources", "a type that berth knows nothing of has no defaults to tell apart"),
];

/// What the next plan changes all the same: section, field, reason.
const AFTERWARDS: &[(&str, &str, &str)] = &[
    ("keyVaults", "properties.value", "a secret that nobody can compare"),
    ("clusters", "properties.windowsProfile.adminPassword", "a secret that nobody can compare"),
    ("actionGroups", "properties.webhookReceivers[*].serviceUri", "a secret that nobody can compare"),
    ("webApps", "properties.API_KEY", "a secret that nobody can compare"),
    ("containerRegistries", "properties.serviceUri", "a secret that nobody can compare"),
    ("sqlServers", "properties.administratorLoginPassword", "a secret that nobody can compare"),
];

fn simulator(clock: &Clock) -> Simulator {
    Simulator::new(Options { time: Time::Host(clock.clone()), ..Options::default() })
}

fn clock() -> Clock {
    Clock::start_at(Timestamp(1_790_000_000_000), 1.0)
}

/// What the other client does otherwise: fields that the blueprint leaves out, each with another value than berth would
/// expect there.
fn otherwise(put: &Written) -> Vec<(&'static str, Value)> {
    let Some(kind) = resource_type(&put.id.resource_type()) else { return Vec::new() };
    let mut found = Vec::new();
    for rule in kind.rules {
        let path = rule.path();
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let within = parent.is_empty() || get_path(&put.body, parent).is_some_and(Value::is_object);
        if path.contains(['[', '*']) || !within || get_path(&put.body, path).is_some() {
            continue;
        }
        match rule.default_value() {
            Some(Value::Bool(usual)) => found.push((path, json!(!usual))),
            Some(Value::Number(usual)) => {
                let more = usual.as_i64().map(|usual| json!(usual + 1));
                found.extend(more.map(|more| (path, more)));
            }
            _ => {}
        }
    }
    found
}

/// Other names for the parts of a body that a client names as it likes: the connection of an endpoint, the ports of a
/// gateway. What refers to one by its id follows.
fn renamed(put: &Written, body: &mut Value) -> usize {
    let mut count = 0;
    let Some(kind) = resource_type(&put.id.resource_type()) else { return count };
    for rule in kind.rules.iter().filter(|rule| rule.has_alike()) {
        let Some((_, list)) = rule.path().rsplit_once('.') else { continue };
        let pointer = format!("/{}", rule.path().replace('.', "/"));
        let names: Vec<String> = body
            .pointer(&pointer)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|part| part["name"].as_str().map(str::to_owned))
            .collect();
        count += names.len();
        for (at, name) in names.iter().enumerate() {
            let other = format!("hand{at}");
            body.pointer_mut(&pointer).unwrap()[at]["name"] = other.as_str().into();
            let id = |name: &str| format!("\"{}/{list}/{name}\"", put.id);
            *body = serde_json::from_str(&body.to_string().replace(&id(name), &id(&other))).unwrap();
        }
    }
    count
}

/// The types whose names a blueprint can leave to berth, and what Azure lets there be once.
const BY_CONTENT: &[&str] = &[
    "/federatedIdentityCredentials/",
    "/virtualNetworkLinks/",
    "/virtualNetworkPeerings/",
    "/privateDnsZoneGroups/",
];

/// Another name for what is named by chance: a role assignment, the link of a zone to a network.
fn place(id: &ArmId) -> String {
    let id = id.as_str();
    if id.to_ascii_lowercase().contains("/roleassignments/") {
        return format!("{}{}", &id[..id.len() - 12], "0123456789ab");
    }
    match id.rsplit_once('/') {
        Some((above, name)) if BY_CONTENT.iter().any(|part| id.contains(part)) => {
            format!("{above}/by-hand-{name}")
        }
        _ => id.to_owned(),
    }
}

async fn send(simulator: &Simulator, clock: &Clock, put: &Written, body: &Value) -> Result<(), String> {
    let url = format!("https://management.azure.com{}?api-version={}", place(&put.id), put.api_version);
    let mut request = Request::new(put.method, url);
    request.body = body.to_string().into();
    let answer = simulator.send(request).await.unwrap();
    clock.sleep(Duration::from_secs(3600)).await;
    match answer.status {
        200..300 => Ok(()),
        status => Err(format!("{} {status}: {}", put.id, String::from_utf8_lossy(&answer.body))),
    }
}

/// What there is, by id, without tags and what every write changes.
fn state(simulator: &Simulator) -> BTreeMap<String, Value> {
    fn without(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|name, _| {
                    !matches!(
                        name.as_str(),
                        "etag"
                            | "eTag"
                            | "_etag"
                            | "_ts"
                            | "systemData"
                            | "provisioningState"
                            | "modifiedDate"
                            | "updatedAt"
                            | "updatedOn"
                            | "updatedBy"
                            | "lastModifiedTimeUtc"
                            | "tags"
                            | "numberOfSites"
                            | "creationDate"
                            | "createdAtUtc"
                            | "changedTime"
                            | "lastModifiedTime"
                    )
                });
                members.values_mut().for_each(without);
            }
            Value::Array(items) => items.iter_mut().for_each(without),
            _ => {}
        }
    }
    let all = simulator.export().into_iter().filter_map(|mut body| {
        let id = body["id"].as_str()?.to_ascii_lowercase();
        without(&mut body);
        Some((id, body))
    });
    all.collect()
}

/// Makes a kind's example as another client would; how many fields were made otherwise, and how many names.
async fn made_by_hand(
    simulator: &Simulator,
    clock: &Clock,
    all: &[Written],
) -> Result<(usize, usize), String> {
    let (mut changed, mut names) = (0, 0);
    let mut made: Vec<ArmId> = Vec::new();
    for put in all {
        let mut body = put.body.clone();
        if let Some(tags) = body.get_mut("tags").and_then(Value::as_object_mut) {
            tags.retain(|name, _| !name.starts_with("berth"));
            tags.insert("made-by".to_owned(), "hand".into());
        }
        names += renamed(put, &mut body) + usize::from(place(&put.id) != put.id.as_str());
        let others = match made.contains(&put.id) || put.method != Method::Put {
            true => Vec::new(),
            false => otherwise(put),
        };
        let mut wanted = body.clone();
        for (path, value) in &others {
            set_path(&mut wanted, path, value.clone());
        }
        if send(simulator, clock, put, &wanted).await.is_ok() {
            changed += others.len();
        } else {
            // Not all of them go together: each that does.
            send(simulator, clock, put, &body).await?;
            for (path, value) in others {
                let mut one = body.clone();
                set_path(&mut one, path, value);
                if send(simulator, clock, put, &one).await.is_ok() {
                    body = one;
                    changed += 1;
                }
            }
        }
        made.push(put.id.clone());
    }
    Ok((changed, names))
}

async fn examine(kind: &Kind) -> Result<(usize, usize), String> {
    let head = "blueprint: example\nazure: { location: westeurope, resourceGroup: rg-example }\n";
    let (name, text) = (kind.section, format!("{head}{}", kind.example));
    // How berth makes it.
    let first = clock();
    let ours = simulator(&first);
    let watch = Arc::new(Witness::new(Arc::new(ours.clone())));
    let blueprint = read(name, &text, &ours);
    apply(&session(watch.clone(), first), &blueprint, name).await;
    // How somebody else does.
    let second = clock();
    let theirs = simulator(&second);
    let written = watch.written();
    for namespace in written.iter().map(|put| put.id.resource_type()) {
        let namespace = namespace.split('/').next().unwrap_or_default().to_owned();
        let url = format!(
            "https://management.azure.com/subscriptions/{}/providers/{namespace}/register?api-version=2025-04-01",
            theirs.subscription()
        );
        theirs.send(Request::new(Method::Post, url)).await.unwrap();
    }
    second.sleep(Duration::from_secs(3600)).await;
    let changed = made_by_hand(&theirs, &second, &written).await?;
    second.sleep(Duration::from_secs(3600)).await;
    let before = state(&theirs);
    // And berth comes upon it.
    let session = session(Arc::new(theirs.clone()), second);
    let blueprint = read(name, &text, &theirs);
    let allowances = Allowances::default();
    let done = ops::apply(&session, &blueprint.desired, Adoption::Allowed, &allowances, |_, _| true).await;
    let done = done.map_err(|error| error.to_string())?.ok_or("nobody said no")?;
    if !done.summary.is_complete() {
        let all = format!("{:#?}", done.summary);
        let told = all.split("StepResult").filter(|step| !step.contains("outcome: Done"));
        return Err(told.collect::<String>().chars().take(1500).collect());
    }
    let after = state(&theirs);
    let mut told = Vec::new();
    for (id, body) in &after {
        match before.get(id) {
            None => told.push(format!("{id} was made")),
            Some(old) if old != body => told.push(format!("{id}: {old} became {body}")),
            Some(_) => {}
        }
    }
    told.extend(before.keys().filter(|id| !after.contains_key(*id)).map(|id| format!("{id} went")));
    let again =
        ops::plan(&session, &blueprint.desired, Adoption::Allowed).await.map_err(|e| e.to_string())?.plan;
    for step in again.changes() {
        let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
        // Only an update that a person is asked about, and never a replacement or a deletion.
        let known = step.action == Action::Update
            && !paths.is_empty()
            && paths.iter().all(|path| {
                AFTERWARDS.iter().any(|(section, field, _)| *section == kind.section && glob(field, path))
            });
        if !known {
            told.push(format!("planned again: {:?} of {}: {paths:?}", step.action, step.address));
        }
    }
    if told.is_empty() { Ok(changed) } else { Err(told.join("\n    ")) }
}

pub async fn what_another_client_made_is_taken_over_by_its_tags_alone() {
    let (mut taken, mut fields, mut names) = (0, 0, 0);
    let mut wrong = Vec::new();
    for kind in registry() {
        if let Some((_, reason)) = NOT_TAKEN.iter().find(|(section, _)| *section == kind.section) {
            println!("adoption: {} is not taken over: {reason}", kind.section);
            continue;
        }
        match examine(kind).await {
            Ok((changed, renamed)) => {
                taken += 1;
                fields += changed;
                names += renamed;
            }
            Err(told) => wrong.push(format!("{}: {told}", kind.section)),
        }
    }
    println!(
        "adoption: {taken} examples taken over, {fields} fields of them with other values than berth gives, {names} names"
    );
    assert!(names > 20, "too few names are others' own to say that they are kept: {names}");
    assert!(
        wrong.is_empty(),
        "{} are not taken over by their tags alone:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
