//! Every kind's reference in every field that takes one: it is right, or it is one error at its place with what to write
//! instead; and what is right can be applied.
//!
//! The fields are found in the schemas of the kinds (`x-wants`), the references in an estate with an entry of every section
//! (`tests/support/references.yaml`): entries, parts, outputs, `resources:`, `existing:`, ids as text, and values that are no
//! text. Valid combinations are put into one blueprint as long as it stays valid, and that is applied.
//!
//! `cargo test` tries some combinations, always the same; `BERTH_REFERENCES=all` tries all of them, `=7`
//! every seventh, and `=clusters` or `=clusters.aks.kms` those in the fields whose path begins so.

use crate::support::Rehearsal;
use berth::apply::Applied;
use berth::approve::Allowances;
use berth::blueprint::entry_schema;
use berth::catalog::{Wants, registry};
use berth::change::Outcome;
use berth::diag::Severity;
use berth::ops;
use berth::plan::Adoption;
use berth::state::{Desired, Provisioning};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const ESTATE: &str = include_str!("../support/references.yaml");

/// What stands at the place in question while its line is looked for.
const MARK: &str = "the place in question";

/// A field that takes a reference.
#[derive(Debug, Clone)]
struct Field {
    /// From the top of the blueprint; `*` is any key and `[]` an element.
    path: Vec<String>,
    /// The word of its schema.
    wants: Option<String>,
}

impl Field {
    fn name(&self) -> String {
        self.path.join(".")
    }
}

/// Walks a schema; what it finds has the given path as its beginning.
fn walk(
    schema: &Value,
    shared: &Map<String, Value>,
    path: &[String],
    wants: Option<&str>,
    found: &mut Vec<Field>,
) {
    if path.len() > 16 {
        return;
    }
    let wants = schema["x-wants"].as_str().or(wants);
    match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        Some("Reference") => {
            let field = Field { path: path.to_vec(), wants: wants.map(str::to_owned) };
            if found.iter().all(|known| known.path != field.path) {
                found.push(field);
            }
        }
        Some(name) => walk(&shared[name], shared, path, wants, found),
        None => {}
    }
    let below = |step: &str| path.iter().cloned().chain([step.to_owned()]).collect::<Vec<_>>();
    for several in ["anyOf", "allOf", "oneOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            walk(one, shared, path, wants, found);
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        walk(member, shared, &below(name), None, found);
    }
    for (inner, step) in [("additionalProperties", "*"), ("items", "[]")] {
        if schema[inner].is_object() {
            walk(&schema[inner], shared, &below(step), wants, found);
        }
    }
}

/// Every field of every section that takes a reference, each in the one entry that the estate has of the section.
fn fields(estate: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    for kind in registry() {
        let schema = entry_schema(kind);
        let shared = schema["definitions"].as_object().cloned().unwrap_or_default();
        let (key, _) = estate[kind.section].as_object().unwrap().iter().next().unwrap();
        walk(&schema, &shared, &[kind.section.to_owned(), key.clone()], None, &mut found);
    }
    found.retain(|field| !OTHERWISE.iter().any(|other| field.name().contains(other)));
    found
}

/// What a part that the estate does not have needs besides the field in question.
const NEEDS: &[(&str, &str)] = &[
    ("accessRestrictions", r#"{ "priority": 100 }"#),
    ("customDomains", r#"{ "hostName": "shop.example.org" }"#),
];

/// Fields that want more than one other field beside them, or exclude one that the estate has.
const OTHERWISE: &[&str] =
    &[".hostedSystem.", ".kms.vault", "diagnosticSettings.vault.targets", "prometheusRuleGroups.nodes.rules"];

/// Puts a value where a path of a schema leads, of whatever is in `name`.
fn put(value: &mut Value, name: &str, path: &[String], new: &Value) {
    let Some((step, rest)) = path.split_first() else {
        *value = new.clone();
        return;
    };
    if step == "[]" {
        let mut item = Value::Null;
        put(&mut item, name, rest, new);
        *value = Value::Array(vec![item]);
        return;
    }
    if !value.is_object() {
        *value = json!({});
    }
    let Some(members) = value.as_object_mut() else { return };
    match step.as_str() {
        "*" => {
            let key = members.keys().next().cloned().unwrap_or_else(|| "one".to_owned());
            let needs =
                NEEDS.iter().find(|(of, _)| *of == name).map(|(_, json)| serde_json::from_str(json).unwrap());
            put(members.entry(key).or_insert(needs.unwrap_or_default()), name, rest, new);
        }
        step => {
            let needs = NEEDS.iter().find(|(of, _)| *of == step && !rest.is_empty() && rest[0] != "*");
            let needs = needs.map(|(_, json)| serde_json::from_str(json).unwrap());
            put(members.entry(step).or_insert(needs.unwrap_or_default()), step, rest, new);
        }
    }
}

fn with(tree: &Value, field: &Field, value: &Value) -> Value {
    let mut tree = tree.clone();
    put(&mut tree, "", &field.path, value);
    tree
}

/// What is wrong with a blueprint: whether on the line asked for, what, and whether it says what to write.
struct Told {
    here: bool,
    message: String,
    helps: bool,
}

fn validated(rehearsal: &Rehearsal, text: &str, line: u32) -> Result<Desired, Vec<Told>> {
    match ops::validate("blueprint.yaml", text.as_bytes(), &rehearsal.inputs) {
        Ok(blueprint) => Ok(blueprint.desired),
        Err(ops::Error::Blueprint(problems)) => Err(problems
            .iter()
            .filter(|one| one.severity == Severity::Error)
            .map(|one| Told {
                // The first element of a list is on the next line.
                here: one.span.as_ref().is_some_and(|span| (line..line + 2).contains(&(span.line as u32))),
                message: one.message.clone(),
                helps: one.help.is_some(),
            })
            .collect()),
        Err(error) => panic!("{error}"),
    }
}

/// What a blueprint has besides entries.
const HEAD: &[&str] = &["blueprint", "azure", "parameters"];

/// The entries of the estate that these are, and those that they refer to: a blueprint of a hundred entries is read for long.
fn only(estate: &Value, roots: &[String]) -> Value {
    let entries = || {
        let sections = estate.as_object().unwrap().iter().filter(|(name, _)| !HEAD.contains(&name.as_str()));
        sections.flat_map(|(section, entries)| {
            let entries = entries.as_object().unwrap().iter();
            entries.map(move |(key, entry)| (section, key, format!("{section}.{key}"), entry))
        })
    };
    let is_named = |text: &str, name: &str| {
        text.match_indices(name).any(|(at, _)| {
            text[..at].ends_with("${") && !text[at + name.len()..].starts_with(|c: char| c.is_alphanumeric())
        })
    };
    let mut texts: Vec<String> = roots.to_vec();
    let mut kept = BTreeSet::new();
    while let Some(text) = texts.pop() {
        for (_, _, name, entry) in entries() {
            if (text == name || is_named(&text, &name)) && kept.insert(name) {
                texts.push(entry.to_string());
            }
        }
    }
    let mut tree = json!({});
    for name in HEAD {
        tree[name] = estate[name].clone();
    }
    for (section, key, name, entry) in entries().filter(|(_, _, name, _)| kept.contains(name)) {
        tree[section.as_str()][key.as_str()] = entry.clone();
        drop(name);
    }
    tree
}

fn text_of(tree: &Value) -> String {
    serde_json::to_string_pretty(tree).unwrap()
}

/// One reference in one field.
#[derive(Debug, Clone)]
struct Try {
    field: Field,
    value: Value,
}

impl Try {
    /// The entry with the field, and what the reference leads to.
    fn roots(&self) -> Vec<String> {
        vec![self.field.path[..2].join("."), self.value.to_string()]
    }

    fn name(&self) -> String {
        format!("{}: {}", self.field.name(), self.value)
    }
}

/// Types that fields want and no section makes, as they are found in Azure.
const OTHERS: &[&str] = &[
    "Microsoft.Compute/capacityReservationGroups",
    "Microsoft.Compute/diskEncryptionSets",
    "Microsoft.Compute/hostGroups",
    "Microsoft.Compute/proximityPlacementGroups",
    "Microsoft.ContainerService/snapshots",
    "Microsoft.Network/applicationSecurityGroups",
    "Microsoft.Network/ddosProtectionPlans",
    "Microsoft.Network/dnsZones",
    "Microsoft.Network/publicIPPrefixes",
    "Microsoft.Network/serviceEndpointPolicies",
];

const GROUP: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-there";

/// An Azure in which somebody else has one resource of every type; and the ids of those.
async fn others() -> (Vec<Value>, Vec<(String, String)>) {
    let text = ESTATE
        .replace("blueprint: shop", "blueprint: there")
        .replace("resourceGroup: rg-shop", "resourceGroup: rg-there")
        .replace("rg-other", "rg-there-too")
        .replace("shop.internal", "there.internal")
        .replace("a1", "z9")
        .replace("b1", "y9");
    let rehearsal = Rehearsal::new();
    let mut tree: Value = serde_yaml::from_str(&text).unwrap();
    // What is assigned at a scope would be found there, and belong to others.
    for section in ["existing", "locks", "policyAssignments", "roleAssignments", "approvals"] {
        tree.as_object_mut().unwrap().shift_remove(section);
    }
    let text = tree.to_string();
    let desired = rehearsal.desired(&text);
    let applied = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    let mut ids: Vec<(String, String)> = Vec::new();
    for resource in &desired.resources {
        let arm_type = resource.kind.arm_type;
        if resource.operation == Provisioning::Resource && ids.iter().all(|(known, _)| known != arm_type) {
            ids.push((arm_type.to_owned(), resource.id.to_string()));
        }
    }
    let mut all = rehearsal.simulator.export();
    // What others made is not marked as ours.
    for tags in all.iter_mut().filter_map(|one| one.get_mut("tags")?.as_object_mut()) {
        tags.retain(|name, _| !name.starts_with("berth"));
    }
    for arm_type in OTHERS {
        let id = format!("{GROUP}/providers/{arm_type}/there");
        let name = if arm_type.ends_with("dnsZones") { "there.example.org" } else { "there" };
        let id = id.replace("/there", &format!("/{name}"));
        all.push(
            json!({ "id": id, "name": name, "type": arm_type, "location": "westeurope", "properties": {} }),
        );
        ids.push(((*arm_type).to_owned(), id));
    }
    (all, ids)
}

/// The estate with an `existing:` entry for each id.
fn with_existing(ids: &[(String, String)]) -> Value {
    let mut estate: Value = serde_yaml::from_str(ESTATE).unwrap();
    let existing = estate["existing"].as_object_mut().unwrap();
    existing.clear();
    existing.insert(
        "shared".into(),
        json!({ "type": "Microsoft.Network/virtualNetworks", "name": "hub", "resourceGroup": "rg-there" }),
    );
    for (at, (_, id)) in ids.iter().enumerate() {
        existing.insert(format!("there{at}"), json!({ "id": id }));
    }
    estate
}

/// Everything that somebody could write into a field that takes a reference.
fn references(desired: &Desired, ids: &[(String, String)]) -> Vec<Value> {
    let mut all: Vec<String> = Vec::new();
    let mut types = BTreeSet::new();
    for resource in &desired.resources {
        let made = matches!(resource.operation, Provisioning::Resource | Provisioning::Existing);
        let address = resource.address.as_str();
        if !made || !desired_is_written(address) || address.contains('[') {
            continue;
        }
        all.push(format!("${{{address}}}"));
        if types.insert(resource.kind.arm_type) {
            all.push(format!("${{{address}.id}}"));
            all.push(format!("${{{address}.name}}"));
            all.extend(resource.kind.facets.iter().map(|facet| format!("${{{address}.{}}}", facet.name)));
        }
    }
    all.extend(ids.iter().map(|(_, id)| id.clone()));
    all.extend(
        [
            "${networks.hub.id}/x",
            "${networks.hub.id}/subnets/nodes",
            "nodes",
            "hub/nodes",
            "",
            "system",
            "none",
            "subscription",
            "5ab5c819-0000-4000-8000-00000000000f",
            "/subscriptions/5ab5c819-0000-4000-8000-000000000001",
            "https://kv-shop-a1.vault.azure.net/keys/etcd/0123456789abcdef0123456789abcdef",
            "${azure.resourceGroup}",
            "${param.s}",
            "${networks.hub.addressSpace}",
        ]
        .map(str::to_owned),
    );
    let mut all: Vec<Value> = all.into_iter().map(Value::from).collect();
    all.extend([json!(7), json!(true), json!(["${networks.hub}"]), json!({ "id": "${networks.hub}" })]);
    all
}

/// Whether an address is one that an expression can name.
fn desired_is_written(address: &str) -> bool {
    registry().iter().any(|kind| address.starts_with(&format!("{}.", kind.section)))
}

/// What came of all the tries.
#[derive(Default)]
struct Found {
    wrong: Vec<String>,
    valid: Vec<Try>,
    tried: usize,
}

fn judge(rehearsal: &Rehearsal, estate: &Value, tries: &[Try]) -> Found {
    let mut found = Found::default();
    let mut by_field: Vec<(&Try, Vec<Told>)> = Vec::new();
    for one in tries {
        let estate = only(estate, &one.roots());
        let marked = text_of(&with(&estate, &one.field, &MARK.into()));
        let line = marked.lines().position(|line| line.contains(MARK)).unwrap() as u32 + 1;
        let text = text_of(&with(&estate, &one.field, &one.value));
        found.tried += 1;
        match validated(rehearsal, &text, line) {
            Ok(_) => found.valid.push(one.clone()),
            Err(told) => by_field.push((one, told)),
        }
    }
    // A field may need others beside it, which the estate does not have: that is told whatever the reference is. So is what
    // a part needs that is there for its one field only.
    let of_field = |field: &Field, message: &str| {
        let of = by_field.iter().filter(|(one, _)| one.field.path == field.path);
        let all = tries.iter().filter(|one| one.field.path == field.path).count();
        let with = of.filter(|(_, told)| told.iter().any(|one| one.message == message)).count();
        all > 3 && with * 2 > all
    };
    for (one, told) in &by_field {
        let skeleton = |told: &Told| told.message.starts_with('`') && told.message.contains("` needs `");
        let told = told.iter().filter(|told| !of_field(&one.field, &told.message) && !skeleton(told));
        let mut told: Vec<&Told> = told.collect();
        told.dedup_by(|a, b| a.message == b.message);
        match &told[..] {
            [] => {}
            [only] if only.message.starts_with("these need each other") => {}
            [only] if !only.here => found.wrong.push(format!("{}: elsewhere: {}", one.name(), only.message)),
            [only] if !only.helps => found.wrong.push(format!("{}: no help: {}", one.name(), only.message)),
            [_] => {}
            several => {
                let told: Vec<&str> = several.iter().map(|one| one.message.as_str()).collect();
                found.wrong.push(format!("{}: {} errors: {told:#?}", one.name(), told.len()));
            }
        }
    }
    found
}

/// Applies a blueprint where the others' resources are; what failed, by address.
async fn applied(there: &[Value], tree: &Value) -> Vec<(String, String)> {
    let rehearsal = Rehearsal::new();
    rehearsal.simulator.load(there.to_vec()).unwrap();
    let text = text_of(tree);
    let desired = match validated(&rehearsal, &text, 0) {
        Ok(desired) => desired,
        Err(told) => return told.into_iter().map(|one| (String::new(), one.message)).collect(),
    };
    let allow = Allowances::default();
    let applied: Result<Option<Applied>, _> =
        ops::apply(&rehearsal.session, &desired, Adoption::Refused, &allow, |_, _| true).await;
    match applied {
        // That a resource of others lacks a value is told before anything is written.
        Err(ops::Error::Blocked(blocked))
            if blocked.iter().all(|one| one.message.contains("which has none in Azure")) =>
        {
            Vec::new()
        }
        Err(error) => vec![(String::new(), format!("{error:#?}"))],
        Ok(None) => vec![(String::new(), "not agreed".to_owned())],
        Ok(Some(applied)) => {
            let failed = applied.summary.steps.iter().filter_map(|step| match &step.outcome {
                Outcome::Failed { message, .. } => Some((step.address.to_string(), message.clone())),
                _ => None,
            });
            let mut failed: Vec<_> = failed.collect();
            if failed.is_empty() && !applied.summary.is_complete() {
                failed.push((String::new(), format!("{:#?}", applied.summary)));
            }
            failed
        }
    }
}

/// Fields that want more of a resource of others than its type, which only Azure can tell: that it is there, that a subnet is
/// delegated or has an endpoint.
const TOLD_BY_AZURE: &[&str] = &[
    "dataCollectionRules.logs.associations.*.target",
    "diagnosticSettings.vault.target",
    "existing.shared.parent",
    "webApps.shop.subnet",
    "webApps.shop.slots.*.subnet",
    "storageAccounts.logs.networkRules.subnets.[]",
    "keyVaults.secrets.networkRules.subnets.[]",
    "privateLinkServices.shop.subnet",
    "applicationGateways.shop.privateLink.subnet",
];

/// A blueprint with all of these.
fn all_of(estate: &Value, tries: &[Try]) -> Value {
    let roots: Vec<String> = tries.iter().flat_map(Try::roots).collect();
    tries.iter().fold(only(estate, &roots), |tree, one| with(&tree, &one.field, &one.value))
}

/// How many tries of a batch may not fit in, before it is applied: each costs a look at the whole blueprint.
const MISFITS: usize = 12;

/// Puts as many tries into one blueprint as it takes, applies it, and goes on with the rest. What fails is tried alone.
async fn apply_all(
    rehearsal: &Rehearsal,
    there: &[Value],
    estate: &Value,
    valid: Vec<Try>,
) -> (usize, Vec<String>) {
    let (mut rest, mut batches, mut wrong) = (valid, 0, Vec::new());
    while !rest.is_empty() {
        let (mut taken, mut later): (Vec<Try>, Vec<Try>) = (Vec::new(), Vec::new());
        let mut misfits = 0;
        for one in rest {
            let clash = |other: &Try| {
                let (a, b) = (&other.field.path, &one.field.path);
                a.starts_with(b) || b.starts_with(a)
            };
            // What excludes others would be tried with each of them.
            if misfits > MISFITS || taken.iter().any(clash) {
                later.push(one);
                continue;
            }
            taken.push(one);
            if validated(rehearsal, &text_of(&all_of(estate, &taken)), 0).is_err() {
                misfits += 1;
                later.extend(taken.pop());
            }
        }
        assert!(!taken.is_empty(), "{}", later[0].name());
        batches += 1;
        if !applied(there, &all_of(estate, &taken)).await.is_empty() {
            for one in &taken {
                let failed = applied(there, &all_of(estate, std::slice::from_ref(one))).await;
                if let Some((address, message)) = failed.first() {
                    wrong.push(format!("{}: fails at {address}: {message}", one.name()));
                }
            }
        }
        rest = later;
    }
    (batches, wrong)
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "what the long form tried, for whoever asked for it")]
async fn every_reference_in_every_field_is_right_or_one_error() {
    #[expect(clippy::disallowed_methods, reason = "how the long form is asked for")]
    let asked = std::env::var("BERTH_REFERENCES").unwrap_or_default();
    let (there, ids) = others().await;
    let estate = with_existing(&ids);
    assert_eq!(applied(&there, &estate).await, [], "the estate itself");
    let rehearsal = Rehearsal::new();
    let desired = match validated(&rehearsal, &text_of(&estate), 0) {
        Ok(desired) => desired,
        Err(told) => panic!("{:#?}", told.iter().map(|one| &one.message).collect::<Vec<_>>()),
    };
    let references = references(&desired, &ids);
    let fields = fields(&estate);
    assert!(fields.len() > 50 && references.len() > 100, "{} {}", fields.len(), references.len());
    let stride = asked.parse::<usize>().ok();
    let of_field = |field: &Field| match asked.as_str() {
        "" | "all" => true,
        _ if stride.is_some() => true,
        section => field.name().starts_with(section),
    };
    let mut tries: Vec<Try> = Vec::new();
    for field in fields.iter().filter(|field| of_field(field)) {
        // The parts of an entry that has a mistake are not there: only the entry itself is tried in its own fields.
        let own = format!("${{{}.", field.path[..2].join("."));
        let others =
            references.iter().filter(|value| !value.as_str().is_some_and(|text| text.starts_with(&own)));
        tries.extend(others.map(|value| Try { field: field.clone(), value: value.clone() }));
    }
    if asked.is_empty() || stride.is_some() {
        let stride = stride.unwrap_or(tries.len() / SOME + 1);
        tries = tries.into_iter().step_by(stride | 1).collect();
    }
    let Found { mut wrong, valid, tried } = judge(&rehearsal, &estate, &tries);
    let right = valid.len();
    let mut valid = valid;
    valid.retain(|one| {
        let (value, field) = (one.value.to_string(), one.field.name());
        let of_others =
            !value.contains("${") || value.contains("${existing.") || field == "existing.shared.parent";
        !(of_others && TOLD_BY_AZURE.contains(&field.as_str()))
    });
    let (batches, failed) = apply_all(&rehearsal, &there, &estate, valid).await;
    wrong.extend(failed);
    println!(
        "{tried} references in {} fields: {right} are right, applied in {batches} blueprints",
        fields.len()
    );
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

/// How many `cargo test` tries.
const SOME: usize = 300;

#[test]
fn every_field_that_takes_a_reference_says_what_it_wants() {
    let estate: Value = serde_yaml::from_str(ESTATE).unwrap();
    let fields = fields(&estate);
    let unsaid: Vec<String> = fields
        .iter()
        .filter(|field| field.wants.as_deref().and_then(Wants::of).is_none())
        .map(Field::name)
        .collect();
    assert_eq!(unsaid, [] as [&str; 0]);
    assert!(fields.len() > 50, "{}", fields.len());
}
