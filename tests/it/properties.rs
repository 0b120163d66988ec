//! What holds of every kind, whatever its fields say: a second plan is empty, one change plans that change and no
//! other, taking it back plans empty again, and neither spelling nor what others added is ever a difference.
//!
//! The blueprints are the kinds' examples with one field changed; the fields come from the kinds' own schemas, so a
//! new field is under test as soon as it can be written. `cargo test` takes some of them, always the same; with
//! `BERTH_PROPERTIES=all` it takes them all, with `keyVaults` those of that section, with `keyVaults.networkRules` those
//! of them that have this in their path.

use crate::support::Rehearsal;
use crate::support::generate::{Edit, edits};
use berth::approve::Allowances;
use berth::catalog::{Kind, ResourceType, registry};
use berth::change::{Action, Outcome};
use berth::ops;
use berth::plan::{Adoption, Plan, Reason, Step};
use berth::state::{Desired, Observation, Provisioning};
use berth::value::{ChangeKind, Flag, Rules, merge, token, without};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What stands beside an example, for fields that want another resource.
const SPARES: &str = "
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
parameters:
  spare: { type: string, secret: true }
identities: { spare: {} }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: { nodes: { prefix: 10.20.0.0/20, serviceEndpoints: [Microsoft.KeyVault] } }
routeTables: { spare: {} }
networkSecurityGroups: { spare: {} }
publicIps: { spare: {} }
natGateways: { spare: {} }
logWorkspaces: { spare: { name: log-spare } }
keyVaults: { spare: { name: kv-spare-0, protect: false } }
privateDnsZones: { spare: { name: spare.internal } }
";

/// A kind's example, with those spares beside it that a value mentions.
pub(crate) fn example(kind: &Kind, value: &Value) -> Value {
    let mut base: Value = serde_yaml::from_str(SPARES).unwrap();
    let own: Value = serde_yaml::from_str(kind.example).unwrap();
    let text = value.to_string();
    base.as_object_mut().unwrap().retain(|section, _| {
        matches!(section.as_str(), "blueprint" | "azure")
            || text.contains(&format!("{section}."))
            || section == "parameters" && text.contains("param.")
    });
    for (section, entries) in own.as_object().unwrap() {
        let known = base.as_object_mut().unwrap().entry(section.clone()).or_insert(json!({}));
        for (key, entry) in entries.as_object().unwrap() {
            known.as_object_mut().unwrap().insert(key.clone(), entry.clone());
        }
    }
    base
}

/// The edits of every entry of the kind in its example.
pub(crate) fn edits_of(kind: &Kind, base: &Value) -> Vec<Edit> {
    let mut generator = schemars::SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator).to_value();
    let definitions = generator.definitions().clone();
    let own: Value = serde_yaml::from_str(kind.example).unwrap();
    let entries = own[kind.section].as_object().unwrap();
    let of = |key: &String| {
        let path = [kind.section.to_owned(), key.clone()];
        edits(&schema, &definitions, &base[kind.section][key], &path)
    };
    entries.keys().flat_map(of).collect()
}

fn validated(rehearsal: &Rehearsal, blueprint: &Value) -> Option<Desired> {
    let text = blueprint.to_string();
    ops::validate("blueprint.yaml", text.as_bytes(), &rehearsal.inputs).ok().map(|valid| valid.desired)
}

/// What each resource is asked for, by its id, without what is only said when it is made.
fn bodies(desired: &Desired) -> BTreeMap<String, Value> {
    let body = |resource: &berth::state::DesiredResource| {
        let rules = resource.kind.compiled();
        let body = without(&resource.body, rules, Flag::CreateOnly);
        (resource.id.to_string().to_ascii_lowercase(), without(&body, rules, Flag::ReadOnly))
    };
    desired.resources.iter().map(body).collect()
}

/// The fields, down to the first list, in which two bodies are not the same.
fn differing(before: &Value, after: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                let here = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let null = &Value::Null;
                differing(before.get(name).unwrap_or(null), after.get(name).unwrap_or(null), &here, found);
            }
        }
        (before, after) if before == after => {}
        // A group without members asks for nothing.
        (Value::Object(members), Value::Null) | (Value::Null, Value::Object(members))
            if members.is_empty() =>
        {
            drop(found.insert(path.to_owned(), json!({})));
        }
        (Value::Object(members), Value::Null) | (Value::Null, Value::Object(members))
            if !members.is_empty() =>
        {
            for (name, value) in members {
                let here = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match after {
                    Value::Null => differing(value, &Value::Null, &here, found),
                    _ => differing(&Value::Null, value, &here, found),
                }
            }
        }
        _ => drop(found.insert(path.to_owned(), after.clone())),
    }
}

/// The part of a path before its first list or quoted key.
fn stem(path: &str) -> &str {
    path.split('[').next().unwrap_or_default()
}

fn related(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    a == b || a.starts_with(&format!("{b}.")) || b.starts_with(&format!("{a}."))
}

/// Whether a live body has a value already: as it is, as its default, as a higher version; or it cannot be seen.
fn is_so(live: Option<&Value>, path: &str, value: &Value, rules: &Rules) -> bool {
    let says_nothing = |value: &Value| {
        matches!(value, Value::Null)
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(Map::is_empty)
            || value.as_str() == Some("")
    };
    if *value == json!({}) || token::any(value, &|token| matches!(token, token::Token::Secret { .. })) {
        return true;
    }
    let there = path.split('.').try_fold(live.unwrap_or(&Value::Null), |at, name| at.get(name));
    let default = rules.default_of(path);
    let there = there.filter(|there| !says_nothing(there)).or(default).unwrap_or(&Value::Null);
    let value = if says_nothing(value) { default.unwrap_or(&Value::Null) } else { value };
    if rules.says(path, Flag::AtLeast) || default == Some(&Value::Null) && says_nothing(value) {
        return true;
    }
    match (&bare(there), &bare(value)) {
        (there, value) if says_nothing(there) => says_nothing(value) || value == &Value::Bool(false),
        (Value::String(there), Value::String(value)) => value.eq_ignore_ascii_case(there),
        (there, value) => there == value,
    }
}

/// A value whose addresses are not written as the blocks of one address that Azure makes of them.
fn bare(value: &Value) -> Value {
    match value {
        Value::String(text) => text.strip_suffix("/32").unwrap_or(text).into(),
        Value::Array(items) => items.iter().map(bare).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), bare(value))).collect(),
        other => other.clone(),
    }
}

/// Whether reading found nothing.
fn is_absent(planned: &ops::Planned, step: Option<&Step>) -> bool {
    step.is_none_or(|step| planned.observed.get(&step.id).and_then(|seen| seen.body()).is_none())
}

/// What is wrong with a plan that is to do exactly what two blueprints differ in.
fn verdict(from: &Desired, to: &Desired, planned: &ops::Planned) -> Vec<String> {
    let kinds: BTreeMap<String, &ResourceType> = from
        .resources
        .iter()
        .chain(&to.resources)
        .map(|resource| (resource.id.to_string().to_ascii_lowercase(), resource.kind))
        .collect();
    let plan = &planned.plan;
    // What asks anew has to be approved anew, though the approval itself says what it said.
    let asks_anew: BTreeSet<String> = to
        .resources
        .iter()
        .filter(|resource| match &resource.operation {
            Provisioning::Approval(approval) => approval.requester.as_ref().is_some_and(|requester| {
                let anew = |step: &Step| matches!(step.action, Action::Create | Action::Replace);
                plan.steps.iter().any(|step| step.id == requester.id && anew(step))
            }),
            _ => false,
        })
        .map(|resource| resource.id.to_string().to_ascii_lowercase())
        .collect();
    let (from, to) = (bodies(from), bodies(to));
    let mut wrong = Vec::new();
    let by_id: BTreeMap<String, &Step> =
        plan.steps.iter().map(|step| (step.id.to_string().to_ascii_lowercase(), step)).collect();
    let replaces = plan.steps.iter().any(|step| step.action == Action::Replace);
    for id in from.keys().chain(to.keys()).collect::<BTreeSet<_>>() {
        let step = by_id.get(id);
        let action = step.map_or(Action::NoOp, |step| step.action);
        match (from.get(id), to.get(id)) {
            (Some(before), Some(after)) => {
                let mut expected = BTreeMap::new();
                differing(before, after, "", &mut expected);
                let Some(step) = step else { continue };
                let follows = replaces
                    && (matches!(step.reason, Reason::ParentReplaced { .. })
                        || step
                            .changes
                            .iter()
                            .any(|c| c.path == "id" || c.after.to_string().contains('\u{fdd0}')));
                for change in &step.changes {
                    if !follows && !expected.keys().any(|path| related(path, stem(&change.path))) {
                        wrong.push(format!("false: {} {} {:?}", step.address, change.path, change.kind));
                    }
                }
                let approves = action == Action::Approve && asks_anew.contains(id);
                if expected.is_empty() && action != Action::NoOp && !follows && !approves {
                    wrong.push(format!("false: {} {:?}", step.address, action));
                }
                for (path, value) in &expected {
                    let told = step.changes.iter().any(|change| related(path, stem(&change.path)));
                    let live = planned.observed.get(&step.id).and_then(|seen| seen.body());
                    let rules = kinds[id].compiled();
                    let settled = is_so(live, path, value, rules);
                    if !told && action != Action::Replace && !settled {
                        wrong.push(format!("silent: {} {path} = {value}", step.address));
                    }
                }
            }
            // What was never taken away is there still: a registration, an approval, a secret.
            (None, Some(_)) if action == Action::NoOp && is_absent(planned, step.copied()) => {
                wrong.push(format!("not made: {id} {action:?}"));
            }
            (Some(_), None) if !matches!(action, Action::Delete | Action::Forget | Action::NoOp) => {
                wrong.push(format!("not gone: {id} {action:?}"));
            }
            _ => {}
        }
    }
    wrong
}

/// What came of one edit.
#[derive(Debug, Default)]
struct Found {
    wrong: Vec<String>,
    /// What the simulator would not have, as Azure would not.
    refused: Vec<String>,
    /// How many changes went there and back.
    held: usize,
    /// What plans left behind, because nothing is known of its default.
    released: BTreeSet<String>,
    /// Whether nothing stays behind that the first blueprint does not ask for.
    clean: bool,
}

async fn go(rehearsal: &Rehearsal, desired: &Desired, allow: &Allowances) -> Result<(), String> {
    let applied = ops::apply(&rehearsal.session, desired, Adoption::Allowed, allow, |_, _| true).await;
    match applied {
        Err(error) => Err(format!("{error}")),
        Ok(None) => Err("not agreed".into()),
        Ok(Some(applied)) if !applied.summary.is_complete() => {
            let failed = applied.summary.steps.iter().filter_map(|step| match &step.outcome {
                Outcome::Failed { message, .. } => Some(format!("{}: {message}", step.address)),
                _ => None,
            });
            Err(failed.collect::<Vec<_>>().join("; "))
        }
        Ok(Some(_)) => Ok(()),
    }
}

fn writes(rehearsal: &Rehearsal) -> u64 {
    let requests = rehearsal.simulator.counters().requests;
    ["PUT", "PATCH", "DELETE", "POST"].iter().filter_map(|method| requests.get(*method)).sum()
}

fn told(plan: &Plan) -> String {
    let step = |step: &Step| {
        let changes: Vec<String> = step
            .changes
            .iter()
            .map(|c| {
                format!("{} {:?} {} -> {}", c.path, c.kind, c.before, c.after).chars().take(300).collect()
            })
            .collect();
        format!("{} {:?} {changes:?}", step.address, step.action)
    };
    plan.changes().map(step).collect::<Vec<_>>().join("; ")
}

async fn there_and_back(rehearsal: &Rehearsal, base: &Desired, changed: &Desired) -> Found {
    let mut outcome = Found { clean: true, ..Found::default() };
    let all: Vec<String> =
        base.resources.iter().chain(&changed.resources).map(|r| r.address.to_string()).collect();
    let allow = Allowances { replace: all.clone(), delete: all };
    if rehearsal.simulator.is_empty()
        && let Err(error) = go(rehearsal, base, &allow).await
    {
        outcome.refused.push(format!("at first: {error}"));
        outcome.clean = false;
        return outcome;
    }
    for (way, from, to) in [("there", base, changed), ("back", changed, base)] {
        let planned = match ops::plan(&rehearsal.session, to, Adoption::Allowed).await {
            Ok(planned) => planned,
            Err(error) => {
                outcome.refused.push(format!("{way}: {error}"));
                outcome.clean = false;
                return outcome;
            }
        };
        outcome.wrong.extend(verdict(from, to, &planned).into_iter().map(|text| format!("{way}: {text}")));
        let (_, lost) = respelt(to, &planned);
        outcome.wrong.extend(lost.into_iter().map(|text| format!("{way}: lost: {text}")));
        if let Err(error) = go(rehearsal, to, &allow).await {
            outcome.refused.push(format!("{way}: {error}"));
            outcome.clean = false;
            return outcome;
        }
        // Some reading is a POST too: settings that Azure lists only to who may see secrets.
        let before = writes(rehearsal);
        let again = ops::plan(&rehearsal.session, to, Adoption::Allowed).await.unwrap();
        let reading = writes(rehearsal) - before;
        if !again.plan.is_empty() {
            outcome.wrong.push(format!("{way}: second plan: {}", told(&again.plan)));
        }
        let (respelt, _) = respelt(to, &again);
        if !respelt.is_empty() {
            outcome.wrong.push(format!("{way}: respelt: {}", told(&respelt)));
        }
        for step in &planned.plan.steps {
            let left = step.changes.iter().filter(|change| change.kind == ChangeKind::Release);
            outcome.released.extend(left.map(|change| format!("{} {}", step.arm_type, change.path)));
        }
        outcome.clean &= outcome.released.is_empty() && outcome.wrong.is_empty();
        let before = writes(rehearsal);
        if let Err(error) = go(rehearsal, to, &allow).await {
            outcome.refused.push(format!("{way}, again: {error}"));
            outcome.clean = false;
            return outcome;
        }
        if writes(rehearsal) - before != reading {
            outcome.wrong.push(format!("{way}: the second apply wrote"));
        }
    }
    outcome
}

/// A live body as Azure may just as well spell it: members and elements in another order, ids and locations in another
/// case, members that nobody here knows, and more of what others may add to.
struct Respelling<'a> {
    rules: &'a Rules,
    /// The paths and names of what was added.
    foreign: Vec<(String, String)>,
}

/// Lists of which the order says something.
const ORDERED: &[&str] = &[
    "properties.dhcpOptions.dnsServers",
    "properties.actions",
    "properties.customRules.rules[].matchConditions[].transforms",
];

impl Respelling<'_> {
    fn of(&mut self, value: &Value, path: &str) -> Value {
        match value {
            Value::Object(members) => {
                let mut other: Map<String, Value> = Map::new();
                for (name, value) in members.iter().rev() {
                    let here = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    let value = match (name.as_str(), value.as_str()) {
                        ("location", Some("westeurope")) => "West Europe".into(),
                        ("location", Some(text)) => text.to_uppercase().into(),
                        _ => self.of(value, &here),
                    };
                    let name = if name.starts_with('/') { name.to_lowercase() } else { name.clone() };
                    other.insert(name, value);
                }
                let open = self.rules.says(path, Flag::Map);
                if path == "tags" {
                    other.insert("Somebody-Else".into(), "theirs".into());
                    self.foreign.push((path.to_owned(), "Somebody-Else".to_owned()));
                } else if !open {
                    other.insert("newerThanBerth".into(), json!({ "a": [1, 2] }));
                    other.insert("nothing".into(), Value::Null);
                }
                Value::Object(other)
            }
            Value::Array(items) => {
                let below = format!("{path}[]");
                let mut other: Vec<Value> = items.iter().map(|item| self.of(item, &below)).collect();
                if let Some(key) = self.rules.key(path).filter(|_| !self.rules.says(path, Flag::Immutable)) {
                    let mut foreign = Value::Object(Map::new());
                    for part in key.split('+') {
                        berth::value::set_path(&mut foreign, part, "foreign".into());
                    }
                    self.foreign.push((path.to_owned(), "\"foreign\"".to_owned()));
                    other.push(foreign);
                }
                if !ORDERED.contains(&path) {
                    other.reverse();
                }
                Value::Array(other)
            }
            Value::String(text) if text.starts_with("/subscriptions/") => text.to_uppercase().into(),
            other => other.clone(),
        }
    }
}

/// What a respelt world makes of a plan: the plan, and the foreign things that its updates would lose.
fn respelt(desired: &Desired, planned: &ops::Planned) -> (Plan, Vec<String>) {
    let mut observed = planned.observed.clone();
    let mut foreign: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for resource in &desired.resources {
        let Some(Observation::Present { body, .. }) = observed.get_mut(&resource.id) else { continue };
        let mut respelling = Respelling { rules: resource.kind.compiled(), foreign: Vec::new() };
        *body = respelling.of(body, "");
        foreign.insert(resource.id.to_string(), respelling.foreign);
    }
    // With what requesters say to the owners of their targets, which follows from the ledger.
    let settled = desired.with_messages(&planned.ledger.salt);
    let plan = berth::plan::plan(&settled, &planned.ledger, &observed, Adoption::Allowed);
    let mut lost = Vec::new();
    for step in plan.steps.iter().filter(|step| step.action == Action::Update) {
        let Some(resource) = desired.resources.iter().find(|resource| resource.id == step.id) else {
            continue;
        };
        let rules = resource.kind.compiled();
        let live = observed.get(&step.id).and_then(Observation::body).unwrap_or(&Value::Null);
        let sent = merge(live, &step.desired, rules, &step.changes);
        for (path, name) in foreign.get(&step.id.to_string()).into_iter().flatten() {
            // What is not sent at all is not changed: pools inside a cluster, what only Azure writes.
            let hidden = [Flag::ReadOnly, Flag::CreateOnly].into_iter().any(|flag| {
                path.match_indices('.')
                    .map(|(at, _)| &path[..at])
                    .chain([path.as_str()])
                    .any(|up| rules.says(up, flag))
            });
            let there = get_list(&sent, path);
            if !hidden && !path.contains("[]") && !there.is_some_and(|list| list.to_string().contains(name)) {
                lost.push(format!(
                    "{} {path} {:?}",
                    step.address,
                    sent.to_string().chars().take(300).collect::<String>()
                ));
            }
        }
    }
    (plan, lost)
}

fn get_list<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(body, |value, name| value.get(name))
}

/// How many fields of a kind `cargo test` takes.
const SOME: usize = 8;

/// Puts the edits of a kind to the test; what is wrong, and what the simulator refused.
async fn examine(kind: &Kind, edits: &[Edit], values: usize) -> Found {
    let mut all = Found::default();
    let judge = Rehearsal::new();
    let mut stage: Option<(Value, Rehearsal)> = None;
    for edit in edits {
        let mut taken = 0;
        for value in &edit.values {
            let base = example(kind, value);
            let before = validated(&judge, &base).unwrap();
            let Some(changed) = edit.on(&base, value) else { continue };
            let Some(after) = validated(&judge, &changed) else { continue };
            if bodies(&before) == bodies(&after) {
                continue;
            }
            let rehearsal = match stage.take() {
                Some((known, rehearsal)) if known == base => rehearsal,
                _ => Rehearsal::new(),
            };
            let outcome = there_and_back(&rehearsal, &before, &after).await;
            let what: String = format!("{} = {value}", edit.name()).chars().take(200).collect();
            all.wrong.extend(outcome.wrong.iter().map(|text| format!("{what}: {text}")));
            all.refused.extend(outcome.refused.iter().map(|text| format!("{what}: {text}")));
            all.released.extend(outcome.released);
            all.held += usize::from(outcome.refused.is_empty());
            if outcome.clean {
                stage = Some((base, rehearsal));
            }
            taken += 1;
            if taken == values {
                break;
            }
        }
    }
    all
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "what the long form found, for whoever asked for it")]
async fn one_change_plans_that_change_and_no_other() {
    #[expect(clippy::disallowed_methods, reason = "how the long form is asked for")]
    let asked = std::env::var("BERTH_PROPERTIES").unwrap_or_default();
    let mut found = Found::default();
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let (section, field) = asked.split_once('.').unwrap_or((asked.as_str(), ""));
        if !matches!(section, "" | "all") && section != kind.section {
            continue;
        }
        let mut all = edits_of(kind, &example(kind, &Value::Null));
        all.retain(|edit| edit.name().contains(field));
        let (edits, values) = match asked.as_str() {
            // Some of them, from everywhere in the schema, and always the same.
            "" => (all.iter().step_by(all.len().div_ceil(SOME)).cloned().collect(), 1),
            _ => (all, 3),
        };
        let outcome = examine(kind, &edits, values).await;
        found.held += outcome.held;
        found.wrong.extend(outcome.wrong);
        found.refused.extend(outcome.refused);
        found.released.extend(outcome.released);
    }
    // Seen with `--nocapture`, and when something is wrong.
    println!(
        "{} changes held; {} were refused:\n{}",
        found.held,
        found.refused.len(),
        found.refused.join("\n")
    );
    println!("left behind:\n{}", found.released.iter().cloned().collect::<Vec<_>>().join("\n"));
    assert!(found.held > 1, "nothing could be applied");
    assert!(found.wrong.is_empty(), "{}", found.wrong.join("\n"));
}
