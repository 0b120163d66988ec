//! What cannot be changed in place: of every type that berth knows, every field that is said to be fixed plans a
//! replacement that names it, and a protected resource is replaced or deleted only when it is named.
//!
//! The table is the registry's own: a new rule is under test as soon as it is written.

use crate::support::{Berth, Rehearsal};
use berth::approve::{Allowances, blocks};
use berth::catalog::{DeleteMode, Kind, ResourceType, UpdateMode, registry};
use berth::change::Action;
use berth::ops::{self, Planned};
use berth::plan::{Adoption, Plan, Reason, plan};
use berth::state::{Desired, Observation};
use berth::value::{Fixed, Flag, Rule};
use serde_json::{Value, json};
use std::sync::Arc;

const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
";

/// What no kind's example makes.
const MORE: &[&str] = &["
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: { nodes: { prefix: 10.20.0.0/20 } }
  spoke: { addressSpace: [10.30.0.0/16], peerings: { hub: { network: '${networks.hub}' } } }
identities: { app: { federatedCredentials: { cicd: { issuer: 'https://example.com', subject: cicd } } } }
"];

/// An example, applied: what it asks for and what is there then.
struct Stage {
    desired: Desired,
    planned: Planned,
}

impl Stage {
    async fn of(example: &str) -> Self {
        let rehearsal = Rehearsal::new();
        let text = format!("{HEAD}{example}");
        rehearsal.apply(&text).await;
        let desired = rehearsal.desired(&text);
        let planned = ops::plan(&rehearsal.session, &desired, Adoption::Refused).await.unwrap();
        Stage { desired, planned }
    }

    /// The plan after some fields were given another value: position of the resource, path, live and wanted value.
    fn plan_with(&self, changes: &[(usize, &Rule, &Value, &Value)], protect: bool) -> Plan {
        let (mut desired, mut observed) = (self.desired.clone(), self.planned.observed.clone());
        for (at, rule, live, wanted) in changes {
            let resource = &mut desired.resources[*at];
            resource.protect = protect;
            put(Arc::make_mut(&mut resource.body), rule.path(), wanted);
            let Some(Observation::Present { body, .. }) = observed.get_mut(&resource.id) else {
                panic!("{} is not there", resource.address)
            };
            put(body, rule.path(), live);
            if let Some(Fixed::Always { unless: Some(switch) }) = rule.fixed() {
                let (above, _) = rule.path().rsplit_once('.').unwrap();
                put(body, &format!("{above}.{switch}"), &json!(false));
            }
        }
        plan(&desired, &self.planned.ledger, &observed, Adoption::Refused)
    }
}

/// Puts a value at a path; a list on the way becomes one of a single element.
fn put(body: &mut Value, path: &str, value: &Value) {
    let (first, rest) = path.split_once('.').map_or((path, ""), |(first, rest)| (first, rest));
    if !body.is_object() {
        *body = json!({});
    }
    let name = first.trim_end_matches("[]");
    let mut next = match rest {
        "" => value.clone(),
        _ => body.get(name).cloned().unwrap_or(Value::Null),
    };
    if rest.is_empty() {
    } else if first.ends_with("[]") {
        let mut element = next.pointer("/0").cloned().unwrap_or(json!({ "name": "one" }));
        put(&mut element, rest, value);
        next = json!([element]);
    } else {
        put(&mut next, rest, value);
    }
    body.as_object_mut().unwrap().insert(name.to_owned(), next);
}

/// Two values of a field that are not the same, the first being one that it can have for good.
fn two(kind: &'static ResourceType, rule: &Rule) -> (Value, Value) {
    let rules = kind.compiled();
    let other = |value: &Value| match value {
        Value::Bool(on) => json!(!on),
        Value::Number(number) => json!(number.as_f64().unwrap() + 7.0),
        Value::Array(_) => json!(["another"]),
        _ => json!("another"),
    };
    let path = rule.path();
    if let Some(Fixed::At(value)) = rule.fixed() {
        let other = other(&value);
        return (value, other);
    }
    if let Some(Fixed::ButFor(_)) = rule.fixed() {
        return (json!("one"), json!("another"));
    }
    match rules.default_of(path) {
        Some(default) => (default.clone(), other(default)),
        None if rules.key(path).is_some() => {
            let keys: Vec<&str> = rules.key(path).unwrap().split('+').collect();
            let element = |text: &str| {
                let mut element = json!({});
                keys.iter().for_each(|key| berth::value::set_path(&mut element, key, text.into()));
                json!([element])
            };
            (element("one"), element("another"))
        }
        None if path == "location" => (json!("westeurope"), json!("northeurope")),
        None if rule.says(Flag::Cidr) && rule.says(Flag::Set) => {
            (json!(["10.0.0.0/24"]), json!(["10.1.0.0/24"]))
        }
        None if rule.says(Flag::Cidr) => (json!("10.0.0.0/24"), json!("10.1.0.0/24")),
        None if rule.says(Flag::Set) => (json!(["one"]), json!(["another"])),
        None if rule.says(Flag::Base64) => (json!("b25l"), json!("YW5vdGhlcg==")),
        None => (json!("one"), json!("another")),
    }
}

/// The fields of a type that are fixed, with the place, which nearly every resource has.
fn fixed(kind: &ResourceType) -> Vec<Rule> {
    let own = kind.rules.iter().filter(|rule| rule.fixed().is_some()).copied();
    own.chain(kind.tags.then_some(Rule::at("location").location().immutable())).collect()
}

#[tokio::test(start_paused = true)]
async fn every_field_that_is_fixed_plans_a_replacement_that_names_it() {
    let (mut wrong, mut seen, mut tried) = (Vec::new(), Vec::new(), 0);
    let examples =
        registry().iter().filter(|kind| !kind.reads).map(|kind| kind.example).chain(MORE.iter().copied());
    for example in examples {
        let stage = Stage::of(example).await;
        for (at, resource) in stage.desired.resources.iter().enumerate() {
            let kind = resource.kind;
            // Azure never changes a key and never deletes one: such a change is refused in the plan.
            let refused = kind.arm_type == "Microsoft.KeyVault/vaults/keys";
            if refused
                || seen.contains(&kind.arm_type)
                || stage.planned.observed[&resource.id].body().is_none()
            {
                continue;
            }
            seen.push(kind.arm_type);
            for rule in fixed(kind) {
                let (live, wanted) = two(kind, &rule);
                let plan = stage.plan_with(&[(at, &rule, &live, &wanted)], true);
                let step = plan.steps.iter().find(|step| step.id == resource.id).unwrap();
                let path = rule.path();
                let stem = path.split("[]").next().unwrap();
                let names = |found: &str| {
                    found == path
                        || found.starts_with(&format!("{path}["))
                        || path.contains("[]") && found.starts_with(stem)
                };
                let named =
                    matches!(&step.reason, Reason::Immutable { paths } if paths.iter().any(|p| names(p)));
                let values = step.changes.iter().find(|change| names(&change.path) && change.forces_replace);
                let whole = |value: &Value| {
                    value.pointer("/0").filter(|first| first.is_object()).unwrap_or(value).clone()
                };
                let told = values.is_some_and(|change| {
                    // Of a list that is a map the element that comes has no value before.
                    (change.before == live || change.path.ends_with(']'))
                        && (change.after == wanted || change.after == whole(&wanted))
                });
                if step.action != Action::Replace || !named || !told {
                    wrong.push(format!(
                        "{} {path}: {:?} {:?} {:?}",
                        kind.arm_type, step.action, step.reason, values
                    ));
                }
                let flag = format!("`--allow-replace {}`", step.address);
                let blocked = blocks(&plan, &Allowances::default());
                if !blocked.iter().any(|block| block.address == step.address && block.help.contains(&flag)) {
                    wrong.push(format!("{} {path}: not blocked: {blocked:?}", kind.arm_type));
                }
                let allow = Allowances { replace: vec![step.address.to_string()], ..Allowances::default() };
                let blocked = blocks(&plan, &allow);
                if blocked.iter().any(|block| block.address == step.address && block.help.contains("--allow"))
                {
                    wrong.push(format!("{} {path}: still blocked: {blocked:?}", kind.arm_type));
                }
                tried += 1;
            }
            if kind.update == UpdateMode::Never {
                let rule = Rule::at("properties.whateverElse");
                let (live, wanted) = (json!("one"), json!("another"));
                let plan = stage.plan_with(&[(at, &rule, &live, &wanted)], true);
                let step = plan.steps.iter().find(|step| step.id == resource.id).unwrap();
                assert_eq!(step.action, Action::Replace, "{}", kind.arm_type);
            }
        }
    }
    // Who is trusted is a resource that no kind makes: `clusters` says so of its own in `tests/invalid`.
    let elsewhere = "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings";
    let unseen = |kind: &&&ResourceType| {
        !fixed(kind).is_empty() && !seen.contains(&kind.arm_type) && kind.arm_type != elsewhere
    };
    let unseen: Vec<&str> =
        registry().iter().flat_map(|kind| kind.types).filter(unseen).map(|kind| kind.arm_type).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(unseen, [] as [&str; 0], "no example makes these");
    assert!(tried > 100, "{tried}");
}

#[tokio::test(start_paused = true)]
async fn of_two_that_are_protected_the_one_that_is_named_goes() {
    let stage = Stage::of(MORE[0]).await;
    let rule = Rule::at("location").location().immutable();
    let at = |address: &str| {
        stage.desired.resources.iter().position(|resource| resource.address.as_str() == address).unwrap()
    };
    let (live, wanted) = (json!("westeurope"), json!("northeurope"));
    let both = [(at("networks.hub"), &rule, &live, &wanted), (at("identities.app"), &rule, &live, &wanted)];
    let plan = stage.plan_with(&both, true);
    let blocked = |allowed: &[&str]| -> Vec<String> {
        let replace = allowed.iter().map(|address| (*address).to_owned()).collect();
        let allow = Allowances { replace, ..Allowances::default() };
        blocks(&plan, &allow).into_iter().map(|block| block.address.to_string()).collect()
    };
    assert_eq!(blocked(&[]), ["identities.app", "networks.hub"]);
    assert_eq!(blocked(&["networks.hub"]), ["identities.app"]);
    assert_eq!(blocked(&["identities.app"]), ["networks.hub"]);
    assert_eq!(blocked(&["networks", "identities.ap", "Networks.Hub"]), ["identities.app", "networks.hub"]);
    assert_eq!(blocked(&["networks.hub", "identities.app"]), [] as [&str; 0]);
}

#[test]
fn every_kind_stops_with_the_flag_that_allows_what_its_protection_forbids() {
    let mut replaced = 0;
    for kind in registry().iter().filter(|kind| !kind.reads) {
        let example: Value = serde_yaml::from_str(&format!("{HEAD}{}", kind.example)).unwrap();
        let key = example[kind.section].as_object().unwrap().keys().next().unwrap().clone();
        let mut protected = example.clone();
        protected[kind.section][&key]["protect"] = json!(true);
        let berth = Berth::new().blueprint(&protected.to_string());
        berth.apply(&["--adopt"]).exits(0);
        let run = |args: &[&str]| {
            let output = berth.command([args, &["blueprint.yaml", "--sim"]].concat()).output().unwrap();
            let text = |bytes: &[u8]| {
                String::from_utf8_lossy(bytes).split_whitespace().collect::<Vec<_>>().join(" ")
            };
            (output.status.code(), text(&output.stdout), text(&output.stderr))
        };

        // In another place, for the kinds whose resources have one.
        let mut moved = protected.clone();
        moved[kind.section][&key]["location"] = json!("uksouth");
        berth.write("blueprint.yaml", moved.to_string().as_bytes());
        let (code, plan, _) = run(&["plan", "--format", "json"]);
        let plan: Value = if code == Some(1) { json!({}) } else { serde_json::from_str(&plan).unwrap() };
        let steps = plan["steps"].as_array().into_iter().flatten();
        let them = steps.filter(|step| step["action"] == "replace" && step["protected"] == true);
        let them: Vec<&str> = them.map(|step| step["address"].as_str().unwrap()).collect();
        let flag = |address: &str| format!("`--allow-replace {address}`");
        if let Some((first, rest)) = them.split_first() {
            let (code, _, told) = run(&["apply", "--auto-approve"]);
            assert!(
                code == Some(4) && them.iter().all(|address| told.contains(&flag(address))),
                "{code:?} {told}"
            );
            let (_, _, told) = run(&["apply", "--auto-approve", "--allow-replace", first]);
            assert!(!told.contains(&flag(first)), "{told}");
            assert!(rest.iter().all(|address| told.contains(&flag(address))), "{told}");
            replaced += 1;
        }
    }
    assert!(replaced > 5, "{replaced}");
}

#[test]
fn every_kind_stays_until_its_deletion_is_allowed_by_name() {
    // A decision is nothing that could be deleted.
    let can_go = |kind: &&Kind| {
        !kind.reads
            && (!kind.types.iter().all(|kind| kind.delete == DeleteMode::Never) || kind.types.is_empty())
    };
    for kind in registry().iter().filter(can_go) {
        let mut example: Value = serde_yaml::from_str(&format!("{HEAD}{}", kind.example)).unwrap();
        for (_, entry) in example[kind.section].as_object_mut().unwrap() {
            entry["protect"] = json!(true);
        }
        let berth = Berth::new().blueprint(&serde_yaml::to_string(&example).unwrap());
        berth.apply(&["--adopt"]).exits(0);
        let keys: Vec<String> = example[kind.section].as_object().unwrap().keys().cloned().collect();
        // An entry that is several resources of one rank is named by each of them.
        let flags: Vec<String> =
            keys.iter().map(|key| format!("`--allow-delete {}.{key}", kind.section)).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        berth.destroy(&[]).exits(4).complains(&flags);
    }
}
