//! Every body that berth sends is what the official ARM schema of its type and API version accepts.

use crate::compare::glob;
use crate::facts;
use crate::session::session;
use async_trait::async_trait;
use berth::apply::Applied;
use berth::approve::Allowances;
use berth::arm::transport::{Method, Request, Response, Transport, TransportError};
use berth::blueprint::{Blueprint, Caller, Inputs, Missing, Source, load, parse_value};
use berth::catalog::{ResourceType, UpdateMode, registry};
use berth::diag::Failure;
use berth::host::{Clock, Timestamp};
use berth::ident::ArmId;
use berth::ops::{self, Session};
use berth::plan::Adoption;
use berth::sim::{self, CALLER_OBJECT_ID, Simulator};
use berth::value::merge;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What schemas do not know or forbid although Azure takes it: type, path or message, reason.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "Microsoft.Resources/resourceGroups",
        ": \"properties\" is a required property",
        "the schema is that of a template; a recorded request has none and is granted",
    ),
    ("Microsoft.Network/privateDnsZones", ": \"properties\" is a required property", "as above"),
    (
        "Microsoft.ContainerService/managedClusters",
        "/properties/networkProfile/loadBalancerProfile/backendPoolType: *",
        "Azure shows the word in another case than its schema has it, and takes it back so",
    ),
    (
        "Microsoft.KeyVault/vaults/privateEndpointConnections",
        "properties.privateEndpoint.id is not in the schema",
        "read-only by the schema; Azure's own clients send it back all the same, as recorded",
    ),
    (
        "Microsoft.ApiManagement/service",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.Cache/redisEnterprise",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.Cache/redisEnterprise/databases",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.DocumentDB/databaseAccounts",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.EventHub/namespaces",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.EventHub/namespaces/eventhubs",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.EventHub/namespaces/eventhubs/consumergroups",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.EventHub/namespaces/networkRuleSets",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.ServiceBus/namespaces",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.ServiceBus/namespaces/networkRuleSets",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.ServiceBus/namespaces/queues",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.ServiceBus/namespaces/topics",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.ServiceBus/namespaces/topics/subscriptions",
        "there is no schema",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.Cdn/profiles/ruleSets/rules",
        "*properties*actions*",
        "the schema's parts exclude each other; the official samples have this form",
    ),
    (
        "Microsoft.Cdn/profiles/securityPolicies",
        "/properties/parameters: Additional properties are not allowed*",
        "as above",
    ),
    (
        "Microsoft.Web/sites/config",
        ": *appsettings* is not valid under any of the schemas*",
        "the schema wants a template's name, which goes from the site on",
    ),
    (
        "Microsoft.ContainerRegistry/registries",
        "properties.creationDate is not in the schema",
        "as below, of a registry among `resources`",
    ),
    (
        "Microsoft.ContainerRegistry/registries",
        "properties.dataEndpointHostNames is not in the schema",
        "as above",
    ),
    ("Microsoft.ContainerRegistry/registries", "sku.tier is not in the schema", "as above"),
    (
        "Microsoft.ContainerRegistry/registries",
        "properties.loginServer is not in the schema",
        "of a type without a section berth knows no read-only members; Azure passes over them",
    ),
];

/// Passes everything on and keeps the bodies of PUTs.
struct Tap {
    simulator: Simulator,
    puts: Mutex<Vec<Put>>,
}

/// A body that was sent.
#[derive(Debug, Clone)]
struct Put {
    id: ArmId,
    api_version: String,
    body: Value,
}

#[async_trait]
impl Transport for Tap {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method == Method::Put {
            let (path, query) = request.path_and_query().split_once('?').unwrap();
            self.puts.lock().unwrap().push(Put {
                id: ArmId::parse(path).unwrap(),
                api_version: query
                    .split("api-version=")
                    .nth(1)
                    .unwrap()
                    .split('&')
                    .next()
                    .unwrap()
                    .to_owned(),
                body: serde_json::from_slice(&request.body).unwrap(),
            });
        }
        self.simulator.send(request).await
    }
}

/// Every blueprint of the repository, those of clusters with everything, and the example of every kind: path, or a name,
/// and text.
fn blueprints() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("blueprints"), root.join("tests/clusters")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
                let text = std::fs::read_to_string(&path).unwrap();
                // A folder may hold values files as well.
                if text.lines().any(|line| line.starts_with("blueprint:")) {
                    all.push((path.display().to_string(), text));
                }
            }
        }
    }
    assert!(!all.is_empty(), "there are no blueprints");
    for kind in registry() {
        let head = "blueprint: example\nazure: { location: westeurope, resourceGroup: rg-example }\n";
        all.push((format!("the example of {}", kind.section), format!("{head}{}", kind.example)));
    }
    all.sort();
    all
}

fn read(name: &str, text: &str, simulator: &Simulator) -> Blueprint {
    let source = Source::parse(name, text.as_bytes()).unwrap_or_else(|d| panic!("{name}: {d:?}"));
    let source = source.with_includes(&|path| std::fs::read(path).map_err(|error| Failure::of(&error, None)));
    let caller = Caller { tenant_id: Some(simulator.tenant()), object_id: Some(CALLER_OBJECT_ID.to_owned()) };
    let inputs = Inputs {
        caller: Some(caller),
        subscription: Some(simulator.subscription()),
        missing: Missing::MakeUp,
        ..Inputs::default()
    };
    load(&source, &inputs).unwrap_or_else(|d| panic!("{name}: {d:?}\n{text}"))
}

async fn apply(session: &Session, blueprint: &Blueprint, name: &str) -> Applied {
    let allowances = Allowances::default();
    let applied = ops::apply(session, &blueprint.desired, Adoption::Allowed, &allowances, |_, _| true).await;
    let applied = applied.unwrap_or_else(|error| panic!("{name}: {error}")).expect("nobody said no");
    assert!(applied.summary.is_complete(), "{name}: {:#?}", applied.summary);
    applied
}

#[tokio::test(start_paused = true)]
async fn every_body_is_what_its_schema_accepts() {
    let Some(dir) = facts::dir("schemas") else { return };
    let mut schemas = Schemas { dir: dir.join("schemas"), known: BTreeMap::new() };
    let (mut applied, mut created, mut updated, mut merged) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for (name, text) in blueprints() {
        let clock = Clock::start_at(Timestamp(1_790_000_000_000), 1.0);
        let options = sim::Options { time: sim::Time::Host(clock.clone()), ..Default::default() };
        let tap = Arc::new(Tap { simulator: Simulator::new(options), puts: Mutex::default() });
        let session = session(tap.clone(), clock);
        let client = session.engine.client.clone();
        let blueprint = read(&name, &text, &tap.simulator);
        apply(&session, &blueprint, &name).await;
        let creates = std::mem::take(&mut *tap.puts.lock().unwrap());
        assert!(!creates.is_empty(), "{name} sends nothing");
        created += creates.len();

        // A further tag changes everything that has tags.
        let mut changed = parse_value(&text).unwrap();
        changed["azure"]["tags"]["conformance"] = "changed".into();
        let blueprint = read(&name, &changed.to_string(), &tap.simulator);
        apply(&session, &blueprint, &name).await;
        let updates = std::mem::take(&mut *tap.puts.lock().unwrap());
        updated += updates.len();

        // What an update of each would send: the live body without what is Azure's, under what was asked for.
        let mut merges = Vec::new();
        for put in &creates {
            let kind = blueprint.desired.by_id.get(&put.id).map(|&at| blueprint.desired.resources[at].kind);
            let Some(kind) = kind.filter(|kind: &&ResourceType| kind.update == UpdateMode::Put) else {
                continue;
            };
            let live = client.get(put.id.as_str(), kind.api_version).await.unwrap().unwrap().body;
            merges.push(Put { body: merge(&live, &put.body, kind.compiled(), &[]), ..put.clone() });
        }
        merged += merges.len();
        applied += 1;

        let all = creates.iter().map(|put| ("create", put));
        let all = all.chain(updates.iter().map(|put| ("update", put)));
        for (when, put) in all.chain(merges.iter().map(|put| ("merge", put))) {
            for finding in schemas.check(put) {
                let arm_type = put.id.resource_type();
                let known = |(of, what, _): &&(&str, &str, &str)| {
                    of.eq_ignore_ascii_case(&arm_type) && glob(what, &finding)
                };
                if KNOWN.iter().find(known).is_none() {
                    wrong.push(format!("{name}: {when} of {arm_type}@{}: {finding}", put.api_version));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    println!(
        "schemas: {applied} blueprints, {created} bodies to create, {updated} to update, {merged} merged, \
         of {} types and versions",
        schemas.known.len()
    );
    assert!(
        wrong.is_empty(),
        "{} bodies are not what Azure's schemas accept:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The official schemas, read when they are needed.
struct Schemas {
    dir: PathBuf,
    known: BTreeMap<(String, String), Option<Schema>>,
}

/// The schema of a type.
struct Schema {
    document: Value,
    validator: jsonschema::Validator,
}

impl Schemas {
    /// What is wrong with a body.
    fn check(&mut self, put: &Put) -> Vec<String> {
        let arm_type = put.id.resource_type();
        let key = (arm_type.to_ascii_lowercase(), put.api_version.clone());
        if !self.known.contains_key(&key) {
            let schema = find(&self.dir.join(&put.api_version), &arm_type).map(Schema::new);
            self.known.insert(key.clone(), schema);
        }
        let Some(schema) = &self.known[&key] else { return vec!["there is no schema".to_owned()] };
        // Templates name what a request has in its address.
        let mut body = put.body.clone();
        body["name"] = put.id.name().into();
        body["apiVersion"] = put.api_version.clone().into();
        if let Some(written) = schema.document.pointer("/properties/type/enum/0") {
            body["type"] = written.clone();
        }
        let mut findings: Vec<String> = schema
            .validator
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        unknown(&schema.document, &schema.document, &body, "", &mut findings);
        findings
    }
}

impl Schema {
    fn new(document: Value) -> Self {
        let validator = jsonschema::draft4::new(&document).unwrap_or_else(|error| panic!("{error}"));
        Schema { document, validator }
    }
}

/// The schema of a type in the files of a version, with the definitions it refers to.
fn find(folder: &Path, arm_type: &str) -> Option<Value> {
    for entry in std::fs::read_dir(folder).ok()? {
        let mut file = facts::json(&entry.unwrap().path());
        let groups = file.as_object()?.iter().filter(|(name, _)| name.ends_with("esourceDefinitions"));
        let found = groups.filter_map(|(_, group)| group.as_object()).flat_map(Map::values).find(|schema| {
            let written = schema.pointer("/properties/type/enum/0").and_then(Value::as_str);
            written.is_some_and(|written| written.eq_ignore_ascii_case(arm_type))
        });
        let mut schema = match found {
            Some(schema) => schema.clone(),
            // Of extension types the schemas have the definitions only.
            None => match extension(&file, arm_type) {
                Some(schema) => schema,
                None => continue,
            },
        };
        schema["definitions"] = file["definitions"].take();
        schema["$schema"] = "http://json-schema.org/draft-04/schema#".into();
        without_expressions(&mut schema);
        return Some(schema);
    }
    None
}

/// Puts together the schema of a type of `Microsoft.KubernetesConfiguration`.
fn extension(file: &Value, arm_type: &str) -> Option<Value> {
    let name = match arm_type.to_ascii_lowercase().as_str() {
        "microsoft.kubernetesconfiguration/extensions" => "ExtensionProperties",
        "microsoft.kubernetesconfiguration/fluxconfigurations" => "FluxConfigurationProperties",
        _ => return None,
    };
    file["definitions"].get(name)?;
    let text = json!({"type": "string"});
    let mut schema = json!({
        "type": "object",
        "properties": {"name": text, "type": text, "apiVersion": text},
        "required": ["properties"],
    });
    for (member, of) in [("properties", name), ("identity", "Identity"), ("plan", "Plan")] {
        if file["definitions"].get(of).is_some() {
            schema["properties"][member] = json!({"$ref": format!("#/definitions/{of}")});
        }
    }
    Some(schema)
}

/// Takes template expressions out: bodies have none, and without them a complaint names its place.
fn without_expressions(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(choices)) = members.get_mut("oneOf") {
                choices.retain(|choice| {
                    let target = choice.get("$ref").and_then(Value::as_str);
                    !target.is_some_and(|target| target.ends_with("definitions.json#/definitions/expression"))
                });
                if choices.len() == 1 {
                    let only = choices.remove(0);
                    *schema = only;
                    return without_expressions(schema);
                }
            }
            members.values_mut().for_each(without_expressions);
        }
        Value::Array(items) => items.iter_mut().for_each(without_expressions),
        _ => {}
    }
}

/// Lists what a body has and the schema does not know: read-only members, which schemas of requests leave out, and
/// members that do not exist.
fn unknown(root: &Value, schema: &Value, body: &Value, path: &str, findings: &mut Vec<String>) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return unknown(
            root,
            target.unwrap_or_else(|| panic!("{schema} leads nowhere")),
            body,
            path,
            findings,
        );
    }
    match body {
        Value::Object(members) => {
            let mut known = Map::new();
            let mut open = schema.get("properties").is_none() && schema.get("allOf").is_none();
            let mut parts = vec![schema];
            while let Some(part) = parts.pop() {
                if let Some(target) = part.get("$ref").and_then(Value::as_str) {
                    parts.extend(target.strip_prefix('#').and_then(|pointer| root.pointer(pointer)));
                }
                for list in ["allOf", "oneOf", "anyOf"] {
                    parts.extend(part.get(list).and_then(Value::as_array).into_iter().flatten());
                }
                if let Some(properties) = part.get("properties").and_then(Value::as_object) {
                    known.extend(properties.clone());
                }
                open |= part.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
            }
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (known.get(name), schema.get("additionalProperties")) {
                    (Some(schema), _) => unknown(root, schema, value, &path, findings),
                    (None, Some(more)) if more.is_object() => unknown(root, more, value, &path, findings),
                    (None, _) if open => {}
                    _ => findings.push(format!("{path} is not in the schema")),
                }
            }
        }
        Value::Array(items) => {
            let Some(of) = schema.get("items") else { return };
            for item in items {
                unknown(root, of, item, &format!("{path}[]"), findings);
            }
        }
        _ => {}
    }
}
