//! Names and ids as an attacker writes them: in every field of every kind and in every flag that takes one. They are
//! refused, or what is sent is what the plan shows, and goes nowhere else.

use crate::support::Berth;
use berth::blueprint::{Inputs, Missing, Source, load};
use berth::catalog::registry;
use serde_json::Value;

const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  tenant: 5ab5c819-0000-4000-8000-000000000002
  location: westeurope
  resourceGroup: rg-example
";

const GROUP: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg";

/// What leads elsewhere in a path, or would once somebody took an escape away.
const TRICKS: &[&str] = &[
    "..",
    ".",
    "a/../../b",
    "a/./b",
    "a//b",
    "a\\b",
    "a\\..\\b",
    "a%2Fb",
    "a%2fb",
    "%2e%2e",
    "a%5Cb",
    "a%00b",
    "a?b=c",
    "a#b",
    "a\tb",
    "a\nb",
    "a\u{7f}b",
    "a\u{202e}b",
    "a\u{200b}b",
    "a%252Fb",
    "a;b/../c",
    "a/",
];

/// Which tricks a place is tried with: some, other ones at the next place, or all of them for the stage `attacks`
/// (`BERTH_ATTACKS=all`).
struct Choice {
    at: usize,
    all: bool,
}

/// How many tricks a place is tried with when not all are asked for.
const SOME: usize = 3;

impl Choice {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "how the long form is asked for")]
        let all = std::env::var("BERTH_ATTACKS").is_ok_and(|asked| asked == "all");
        Self { at: 0, all }
    }

    fn next(&mut self) -> impl Iterator<Item = &'static str> + use<> {
        let (from, count) = if self.all { (0, TRICKS.len()) } else { (self.at, SOME) };
        self.at += SOME;
        TRICKS.iter().copied().cycle().skip(from % TRICKS.len()).take(count)
    }

    /// How many tries there are at least, when all of them are so many.
    fn least(&self, all: usize) -> usize {
        if self.all { all } else { all * SOME / TRICKS.len() }
    }
}

/// Calls `each` with every text in a tree, by its pointer.
fn texts(value: &Value, at: &str, each: &mut dyn FnMut(&str)) {
    match value {
        Value::String(_) => each(at),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| texts(item, &format!("{at}/{n}"), each));
        }
        Value::Object(members) => members
            .iter()
            .for_each(|(name, member)| texts(member, &format!("{at}/{}", name.replace('/', "~1")), each)),
        _ => {}
    }
}

fn is_hostile(segment: &str) -> bool {
    let lower = segment.to_ascii_lowercase();
    let escapes = lower
        .as_bytes()
        .windows(3)
        .any(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit());
    matches!(segment, "" | "." | "..")
        || escapes
        || segment.contains(['\\', '?', '#', '\t', '\n', '\u{7f}', '\u{202e}', '\u{200b}'])
}

#[test]
#[expect(clippy::print_stdout, reason = "the stage `attacks` tells what was tried")]
fn no_field_of_any_kind_takes_an_id_that_leads_elsewhere() {
    let (mut tried, mut choice) = (0, Choice::new());
    let mut taken = Vec::new();
    for kind in registry() {
        let text = format!("{HEAD}{}", kind.example);
        let tree = Source::parse("b.yaml", text.as_bytes()).unwrap().tree;
        let mut places = Vec::new();
        texts(&tree[kind.section], &format!("/{}", kind.section), &mut |at| places.push(at.to_owned()));
        for place in places {
            for trick in choice.next() {
                for hostile in [
                    trick.to_owned(),
                    format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/{trick}/subnets/s"),
                    format!("{GROUP}/{trick}"),
                ] {
                    let mut tree = tree.clone();
                    *tree.pointer_mut(&place).unwrap() = hostile.as_str().into();
                    let source = Source::parse("b.yaml", tree.to_string().as_bytes());
                    let Ok(source) = source else { continue };
                    tried += 1;
                    let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
                    let Ok(blueprint) = load(&source, &inputs) else { continue };
                    for resource in &blueprint.desired.resources {
                        if resource.id.as_str().split('/').skip(1).any(is_hostile) {
                            taken.push(format!("{place}: {hostile:?} is in {}", resource.id));
                        }
                        let mut bad = Vec::new();
                        texts(&resource.body, "", &mut |at| {
                            let text = resource.body.pointer(at).and_then(Value::as_str).unwrap_or_default();
                            let is_id = text.to_ascii_lowercase().starts_with("/subscriptions/");
                            let of_id = at.split('/').any(|name| {
                                let name = name.to_ascii_lowercase();
                                name.ends_with("id") || name.ends_with("scope") || name.ends_with("ids")
                            });
                            if is_id && of_id && text.trim_end_matches('/').split('/').skip(1).any(is_hostile)
                            {
                                bad.push(format!(
                                    "{place}: {hostile:?} is in the body of {} at {at}",
                                    resource.address
                                ));
                            }
                        });
                        taken.extend(bad);
                    }
                }
            }
        }
    }
    assert!(taken.is_empty(), "{} of {tried}:\n{}", taken.len(), taken[..taken.len().min(40)].join("\n"));
    assert!(tried > choice.least(5_000), "{tried}");
    println!("attacks: {tried} hostile ids and names in fields: none leads elsewhere");
}

/// What every entry has, and the blueprint itself: where its resources are, and whose they are.
#[test]
#[expect(clippy::print_stdout, reason = "the stage `attacks` tells what was tried")]
fn no_field_that_says_where_something_is_leads_elsewhere() {
    let entries = [
        "identities: { app: {} }",
        "networks: { app: { addressSpace: [10.0.0.0/16], subnets: { s: { prefix: 10.0.0.0/24 } } } }",
        "resources: { app: { type: Microsoft.Web/sites, apiVersion: '2023-12-01', body: {} } }",
        "resourceGroups: { app: {} }",
    ];
    let fields = [
        "subscription",
        "resourceGroup",
        "location",
        "name",
        "timeout",
        "dependsOn",
        "type",
        "apiVersion",
        "parent",
    ];
    let (mut tried, mut taken, mut choice) = (0, Vec::new(), Choice::new());
    for entry in entries {
        let tree = Source::parse("b.yaml", format!("{HEAD}{entry}\n").as_bytes()).unwrap().tree;
        let section = entry.split(':').next().unwrap();
        let own = fields.iter().map(|field| format!("/{section}/app/{field}"));
        let head =
            ["subscription", "tenant", "location", "resourceGroup"].map(|field| format!("/azure/{field}"));
        let places = own.chain(head).chain(["/blueprint".to_owned()]);
        let tries = places.flat_map(|place| choice.next().map(move |trick| (place.clone(), trick)));
        for (place, trick) in tries.collect::<Vec<_>>() {
            for hostile in [
                trick.to_owned(),
                format!("5ab5c819-0000-4000-8000-000000000001/{trick}"),
                format!("rg/providers/Microsoft.Web/sites/{trick}"),
                format!("{GROUP}/{trick}"),
                format!("Microsoft.Web/{trick}"),
            ] {
                let mut tree = tree.clone();
                let (parent, field) = place.rsplit_once('/').unwrap();
                tree.pointer_mut(parent).unwrap()[field] = hostile.as_str().into();
                let Ok(source) = Source::parse("b.yaml", tree.to_string().as_bytes()) else { continue };
                tried += 1;
                let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
                let Ok(blueprint) = load(&source, &inputs) else { continue };
                for resource in &blueprint.desired.resources {
                    let version = resource.kind.api_version;
                    let id = resource.id.as_str();
                    // A group's name is one segment, and the subscription another.
                    let whole = id.split('/').skip(1).any(is_hostile)
                        || !version.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                        || !blueprint
                            .desired
                            .blueprint
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                        || id.matches("/providers/").count() > 1 && !id.contains("Microsoft.Authorization");
                    if whole {
                        taken.push(format!("{place}: {hostile:?} is in {id} ({version})"));
                    }
                }
            }
        }
    }
    assert!(taken.is_empty(), "{} of {tried}:\n{}", taken.len(), taken[..taken.len().min(40)].join("\n"));
    assert!(tried > choice.least(4_000), "{tried}");
    println!("attacks: {tried} hostile places in what every entry has: none leads elsewhere");
}

/// Every flag that takes an id or a name. What it names is looked for nowhere else than where it stands.
#[test]
#[expect(clippy::print_stdout, reason = "the stage `attacks` tells what was tried")]
fn no_flag_takes_an_id_or_a_name_that_leads_elsewhere() {
    let berth = Berth::new().blueprint(&format!("{HEAD}identities: {{ app: {{}} }}\n"));
    berth.write("outside/.keep", b"");
    assert_eq!(
        berth.command(["apply", "blueprint.yaml", "--sim", "--auto-approve"]).output().unwrap().status.code(),
        Some(0)
    );
    let before = berth.files().into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    let (mut tried, choice) = (0, Choice::new());
    let paths = ["", "../outside/x", "/etc/x", "~", "a:b", "C:\\x", "nul", "-x"];
    let tricks: Vec<&str> = TRICKS.iter().copied().chain(paths).collect();
    for (round, trick) in tricks.iter().copied().enumerate() {
        let ids = [
            format!("{GROUP}/providers/Microsoft.KeyVault/vaults/{trick}/privateEndpointConnections/x"),
            format!("{GROUP}/{trick}/providers/Microsoft.Network/privateEndpoints/x"),
        ];
        let target = format!("{GROUP}/providers/Microsoft.KeyVault/vaults/{trick}");
        let trick = trick.replace('\0', "");
        let lines: Vec<Vec<String>> = [
            vec!["destroy", "--name", &trick, "--sim", "--auto-approve"],
            vec!["ledger", "show", "--name", &trick, "--sim"],
            vec!["ledger", "history", "--name", &trick, "--sim"],
            vec!["ledger", "unlock", "--name", &trick, "--sim"],
            vec!["ledger", "forget", "--name", &trick, "--sim", "a.b"],
            vec!["ledger", "forget", "blueprint.yaml", "--sim", &trick],
            vec!["plan", "blueprint.yaml", "--sim", "--target", &trick],
            vec!["output", "blueprint.yaml", &trick, "--sim"],
            vec!["init", "new", "--template", &trick],
            vec!["approve", "list", &target, "--sim"],
            vec!["approve", "run", &target, "--sim", "--id", &ids[0]],
            vec!["approve", "run", &target, "--sim", "--endpoint-id", &ids[1]],
            vec!["approve", "list", &trick, "--blueprint", "blueprint.yaml", "--sim"],
        ]
        .into_iter()
        .map(|line| line.into_iter().map(str::to_owned).collect())
        .collect();
        // Each trick is tried with some of the flags, and each flag with some of the tricks.
        let some = lines.into_iter().enumerate().filter(|(at, _)| choice.all || (at + round) % 4 == 0);
        for (_, line) in some {
            tried += 1;
            let output = berth.command(line.iter().map(String::as_str)).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let code = output.status.code();
            assert!(code.is_some_and(|code| code != 101), "{line:?}: {said}");
            // A name with `;` or a space at its end may be a vault's; what is not there is told of.
            let odd = ["a;b/../c", "nul", "a:b", "~", "a/"].contains(&trick.as_str())
                || trick.is_empty()
                || trick.starts_with('-');
            assert!(code != Some(0) || odd, "{line:?} succeeded: {said}");
        }
    }
    let after = berth.files().into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    assert_eq!(before, after, "files were made");
    assert!(tried > if choice.all { 300 } else { 80 }, "{tried}");
    println!("attacks: {tried} hostile ids and names in flags: none leads elsewhere");
}
