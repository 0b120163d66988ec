//! Canaries in every field of every kind: the places come from the registry, so that no kind and no field is forgotten.
//!
//! A kind's example gets every field that its schema has and that fits the others. Each text, number and key of it is
//! then replaced by a secret parameter. Where berth takes that, the place can
//! hold a secret, and a secret of its own is looked for in every sink; where it does not, the refusal may not show it.
//! The short form plays the examples as they are, and two sinks.

use crate::canaries::Watch;
use crate::properties::{edits_of, example};
use crate::support::Berth;
use berth::blueprint::{Inputs, Missing, Source, load};
use berth::catalog::{Kind, registry};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Where in a section something stands: a JSON pointer, and whether its last key is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    pointer: String,
    is_key: bool,
}

fn places(value: &Value, at: &str, found: &mut Vec<Place>) {
    let mut add = |is_key| found.push(Place { pointer: at.to_owned(), is_key });
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| places(item, &format!("{at}/{n}"), found));
        }
        Value::Object(members) => {
            for (name, member) in members {
                let below = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                found.push(Place { pointer: below.clone(), is_key: true });
                places(member, &below, found);
            }
        }
        Value::Null => {}
        _ => add(false),
    }
}

/// Puts an expression into a place.
fn put(tree: &mut Value, place: &Place, expression: &str) {
    if !place.is_key {
        *tree.pointer_mut(&place.pointer).unwrap() = expression.into();
        return;
    }
    let (parent, key) = place.pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    let members = tree.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    *members = std::mem::take(members)
        .into_iter()
        .map(|(name, value)| (if name == key { expression.to_owned() } else { name }, value))
        .collect();
}

/// The fields of a kind that go together, in an example of it.
fn full(kind: &Kind) -> Value {
    let takes = |tree: &Value| {
        let source = Source::parse("b.yaml", tree.to_string().as_bytes());
        let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
        source.is_ok_and(|source| load(&source, &inputs).is_ok())
    };
    let mut base = example(kind, &Value::Null);
    // What an added field has below it is found by the second round.
    for _ in 0..2 {
        for edit in edits_of(kind, &base) {
            let pointer = format!("/{}", edit.path.join("/"));
            if base.pointer(&pointer).is_some() {
                continue;
            }
            for value in edit.values.iter().filter(|value| !value.is_null()).take(4) {
                let Some(changed) = edit.on(&base, value) else { continue };
                // What mentions something else needs that beside it.
                let mut changed = changed;
                for (section, spare) in example(kind, value).as_object().unwrap() {
                    let known = changed.as_object_mut().unwrap().entry(section.clone()).or_insert(json!({}));
                    for (key, entry) in spare.as_object().into_iter().flatten() {
                        known.as_object_mut().unwrap().entry(key.clone()).or_insert(entry.clone());
                    }
                }
                if takes(&changed) {
                    base = changed;
                    break;
                }
            }
        }
    }
    base
}

/// A blueprint with secret parameters in these places, as JSON, which is YAML.
fn blueprint(base: &Value, places: &[(Place, usize)]) -> String {
    let mut tree = base.clone();
    let mut parameters = serde_json::Map::new();
    // Keys last and the deepest first: a key that is replaced changes the paths below it.
    let mut all: Vec<_> = places.iter().collect();
    all.sort_by_key(|(place, _)| (place.is_key, std::cmp::Reverse(place.pointer.matches('/').count())));
    for (place, at) in all {
        parameters.insert(format!("s{at}"), json!({ "type": "string", "secret": true }));
        put(&mut tree, place, &format!("${{param.s{at}}}"));
    }
    let own = tree.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    tree["parameters"] = own.into_iter().chain(parameters).collect::<serde_json::Map<_, _>>().into();
    tree.to_string()
}

/// A secret for a place: unlike all others, and a word that many fields would take.
fn secret(at: usize) -> String {
    format!("Ca{at:03}-hush7f3e9b")
}

/// What a blueprint with these places comes to: whether it is taken, and everything that is said of it.
fn tried(base: &Value, places: &[(Place, usize)]) -> (bool, String) {
    let source = match Source::parse("b.yaml", blueprint(base, places).as_bytes()) {
        Ok(source) => source,
        Err(problems) => return (false, format!("{problems:?}")),
    };
    let parameters = places.iter().map(|(_, at)| (format!("s{at}"), json!(secret(*at)))).collect();
    let inputs = Inputs { parameters, missing: Missing::MakeUp, ..Inputs::default() };
    match load(&source, &inputs) {
        Ok(blueprint) => (true, format!("{:?}", blueprint.desired)),
        Err(problems) => (false, format!("{problems:?}")),
    }
}

/// The places of a kind that take a secret together, each with a number; and how many were tried.
fn of_kind(kind: &Kind, base: &Value, watch: &mut Watch) -> (Vec<(Place, usize)>, usize) {
    let (mut all, mut taken) = (Vec::new(), Vec::new());
    places(&base[kind.section], &format!("/{}", kind.section), &mut all);
    for (at, place) in all.iter().enumerate() {
        let (takes, said) = tried(base, &[(place.clone(), at)]);
        watch.look("validate", said.as_bytes());
        taken.push((place.clone(), at));
        if !takes || !tried(base, &taken).0 {
            taken.pop();
        }
    }
    (taken, all.len())
}

/// A sink: its name, and the command.
type Sink = (&'static str, &'static [&'static str]);

const SHORT: &[Sink] = &[
    ("plan in JSON", &["plan", "b.yaml", "--sim", "--format", "json", "--policy", "tell.rego"]),
    (
        "apply: progress",
        &["apply", "b.yaml", "--sim", "--auto-approve", "-vvv", "--trace-http", "trace.jsonl"],
    ),
];

const BEFORE: &[Sink] = &[
    ("validate with a policy", &["validate", "b.yaml", "--policy", "tell.rego"]),
    ("graph for Graphviz", &["graph", "b.yaml", "--sim"]),
    ("graph in Mermaid", &["graph", "b.yaml", "--sim", "--format", "mermaid"]),
    ("plan for people", &["plan", "b.yaml", "--sim"]),
    ("plan in Markdown", &["plan", "b.yaml", "--sim", "--format", "markdown"]),
    ("plan in HTML", &["plan", "b.yaml", "--sim", "--format", "html"]),
    ("saved plan", &["plan", "b.yaml", "--sim", "--out", "saved.plan"]),
];

const AFTER: &[Sink] = &[
    ("apply: summary", &["apply", "b.yaml", "--sim", "--auto-approve"]),
    ("plan that changes", &["plan", "b.yaml", "--sim", "--format", "json"]),
    (
        "drift for people",
        &["drift", "b.yaml", "--sim", "--report", "junit=d.xml", "--report", "sarif=d.sarif"],
    ),
    ("drift in JSON", &["drift", "b.yaml", "--sim", "--format", "json"]),
    ("drift in Markdown", &["drift", "b.yaml", "--sim", "--format", "markdown"]),
    ("drift in HTML", &["drift", "b.yaml", "--sim", "--format", "html"]),
    ("ledger show", &["ledger", "show", "b.yaml", "--sim", "--format", "json"]),
    ("ledger history", &["ledger", "history", "b.yaml", "--sim"]),
    ("output in JSON", &["output", "b.yaml", "--sim", "--format", "json"]),
    ("destroy", &["destroy", "b.yaml", "--sim", "--auto-approve"]),
];

/// Plays the sinks for a kind with a secret in each of its places.
fn play(kind: &Kind, base: &Value, taken: &[(Place, usize)], sinks: &[&[Sink]], watch: &mut Watch) {
    let berth = Berth::new();
    berth.write("b.yaml", blueprint(base, taken).as_bytes());
    berth.write("tell.rego", b"package tell\nwarn contains msg if { msg := json.marshal(input) }\n");
    let values: BTreeMap<String, String> =
        taken.iter().map(|(_, at)| (format!("s{at}"), secret(*at))).collect();
    berth.write("values.yaml", json!(values).to_string().as_bytes());
    for (sink, args) in sinks.iter().copied().flatten() {
        let mut command = berth.command(args.iter().copied());
        let output = command.args(["--values", "values.yaml"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        // What Azure makes of a secret where a SKU belongs is its own business: nothing else is wrong.
        assert!(
            code.is_some_and(|code| (0..=4).contains(&code)),
            "{} {args:?}: {code:?} {said}",
            kind.section
        );
        watch.look(sink, &output.stdout);
        watch.look(sink, &output.stderr);
        for (path, bytes) in berth.files() {
            let name = path.file_name().unwrap().to_str().unwrap();
            if !["b.yaml", "values.yaml", "sim.json"].contains(&name) {
                watch.look(
                    if name.ends_with(".plan") { "saved plan" } else { "ledger and its history" },
                    &bytes,
                );
            }
        }
    }
}

/// Plays all kinds; how many places were tried, how many take a secret, and what was found.
fn all(base_of: fn(&Kind) -> Value, sinks: &[&[Sink]]) -> (usize, usize, Vec<String>) {
    let kinds = Mutex::new(registry().iter());
    let total = Mutex::new((0, 0, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(kind) = kinds.lock().unwrap().next() else { break };
                    let names: Vec<(String, String)> =
                        (0..999).map(|at| (format!("{} s{at}", kind.section), secret(at))).collect();
                    let mut watch = Watch::new(names.iter().map(|(name, secret)| (name, secret)));
                    let base = base_of(kind);
                    let (taken, tried) = of_kind(kind, &base, &mut watch);
                    assert!(tried < 999);
                    play(kind, &base, &taken, sinks, &mut watch);
                    let mut total = total.lock().unwrap();
                    let at = |found: &String| {
                        let number = found.split(" ").nth(1).and_then(|s| s[1..].parse::<usize>().ok());
                        let place = taken.iter().find(|(_, at)| Some(*at) == number);
                        format!("{} {found}", place.map_or("refused", |(place, _)| place.pointer.as_str()))
                    };
                    total.0 += tried;
                    total.1 += taken.len();
                    total.2.extend(watch.found.iter().map(at));
                }
            });
        }
    });
    total.into_inner().unwrap()
}

#[test]
fn no_secret_gets_out_of_any_field_of_any_kind() {
    let (tried, taken, found) = all(|kind| example(kind, &Value::Null), &[SHORT]);
    assert!(found.is_empty(), "{} found:\n{}", found.len(), found.join("\n"));
    assert!(tried > 500 && taken > 100, "{tried} tried, {taken} take a secret");
}

/// The long form: every sink.
#[test]
#[ignore = "minutes: `.ci/run canaries`"]
#[expect(clippy::print_stdout, reason = "the stage tells what was looked at")]
fn no_secret_gets_out_of_any_field_of_any_kind_by_any_sink() {
    let (tried, taken, found) = all(full, &[BEFORE, SHORT, AFTER]);
    assert!(found.is_empty(), "{} found:\n{}", found.len(), found.join("\n"));
    assert!(tried > 1_500 && taken > 300, "{tried} tried, {taken} take a secret");
    let sinks = BEFORE.len() + SHORT.len() + AFTER.len();
    println!("fields of all kinds: {tried} tried, {taken} take a secret × {sinks} sinks: 0 found");
}
