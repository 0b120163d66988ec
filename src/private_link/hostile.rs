//! What a stranger could try so that its connection is taken for one that a rule names.
//!
//! Short in `cargo test`; `BERTH_APPROVAL_CASES=100000` is the long form.

use super::{AGREED_LENGTH, Connection, Rule, Verdict, Who, judge};
use crate::ident::ArmId;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::cell::Cell;

const TRUSTED: &str = "22222222-0000-4000-8000-000000000002";
const FOREIGN: &str = "66666666-0000-4000-8000-000000000006";
const NONCE: &str = "berth 0f8fad5bd9cb469fa165d0de4b9a1c77";

fn target() -> ArmId {
    ArmId::resource_group("s", "g").provider("Microsoft.KeyVault/vaults", &["k"])
}

fn ours() -> String {
    format!(
        "/subscriptions/{TRUSTED}/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/pe-shop"
    )
}

fn connection(name: &str, from: Value, status: &str, description: &Value, groups: &Value) -> Value {
    json!({
        "id": format!("{}/privateEndpointConnections/{name}", target()),
        "name": name,
        "properties": {
            "privateEndpoint": from,
            "groupIds": groups,
            "privateLinkServiceConnectionState": { "status": status, "description": description },
        },
    })
}

/// Texts of a pattern, which is read once: as a strategy of its own it would be read for every text.
fn texts(pattern: &str) -> impl Strategy<Value = String> + use<> {
    prop::string::string_regex(pattern).unwrap()
}

/// Texts that look like `text` and are not it.
fn lookalike(text: &'static str) -> impl Strategy<Value = String> {
    let confuse = |text: &str, at: usize, with: &str| {
        let mut chars: Vec<String> = text.chars().map(String::from).collect();
        let at = at % chars.len();
        chars[at] = with.to_owned();
        chars.concat()
    };
    prop_oneof![
        // Another letter in one place, or one that looks the same, or none.
        (
            any::<usize>(),
            prop::sample::select(vec!["\u{212A}", "\u{0430}", "%65", "\u{200B}", "", "x", "/", "\u{0}"])
        )
            .prop_map(move |(at, with)| confuse(text, at, with)),
        prop::sample::select(vec![" ", "/", "2", "\u{FEFF}", "/x/y", "?a", "#", "%00", "\n"])
            .prop_map(move |more| format!("{text}{more}")),
        prop::sample::select(vec![" ", "/", "x", "\u{202E}"]).prop_map(move |more| format!("{more}{text}")),
        Just(text.chars().rev().collect::<String>()),
        (1..text.len()).prop_map(move |end| text[..end].to_owned()),
        Just(String::new()),
        texts("\\PC{0,40}"),
    ]
    .prop_filter("it is the text itself", move |made| made != text)
}

/// Endpoints that are not ours, and not in the trusted subscription.
fn foreign_endpoint() -> impl Strategy<Value = Value> {
    let name = "Microsoft.Network/privateEndpoints/pe-shop";
    let texts = prop_oneof![
        Just(format!("/subscriptions/{FOREIGN}/resourceGroups/net/providers/{name}")),
        // The trusted subscription stands in it, elsewhere.
        Just(format!("/subscriptions/{FOREIGN}/resourceGroups/{TRUSTED}/providers/{name}")),
        Just(format!("/subscriptions/{FOREIGN}/subscriptions/{TRUSTED}/resourceGroups/net/providers/{name}")),
        Just(format!(
            "/subscriptions/{FOREIGN}/resourceGroups/net/providers/Microsoft.X/y/subscriptions/{TRUSTED}/{name}"
        )),
        Just(format!(
            "/subscriptions/{TRUSTED}/resourceGroups/net/providers/Microsoft.X/privateEndpoints/pe-shop"
        )),
        Just(format!(
            "/subscriptions/{TRUSTED}/resourceGroups/net/providers/Microsoft.X/y/z/providers/{name}"
        )),
        Just(format!("subscriptions/{TRUSTED}/resourceGroups/net/providers/{name}")),
        Just(format!("/subscriptions/{TRUSTED}%2F/resourceGroups/net/providers/{name}")),
        lookalike(TRUSTED)
            .prop_filter("a separator makes it the subscription again", |text| {
                !text.trim_end_matches('/').eq_ignore_ascii_case(TRUSTED)
            })
            .prop_map(move |subscription| {
                format!("/subscriptions/{subscription}/resourceGroups/net/providers/{name}")
            }),
    ];
    prop_oneof![
        texts.prop_map(|id| json!({ "id": id })),
        Just(Value::Null),
        Just(json!({})),
        Just(json!({ "id": null })),
        Just(json!({ "id": ["x"] })),
        Just(json!("x")),
    ]
}

fn strangers() -> impl Strategy<Value = Vec<Value>> {
    let name = prop_oneof![Just("pe-shop".to_owned()), Just("PE-SHOP".to_owned()), texts("[a-z]{1,8}")];
    let status =
        prop::sample::select(vec!["Pending", "Approving", "Rejected", "Disconnected", "pending", ""]);
    let says = prop_oneof![lookalike(NONCE).prop_map(Value::from), Just(Value::Null), Just(json!([NONCE]))];
    let groups = prop_oneof![Just(json!(["vault"])), Just(Value::Null)];
    let one = (name, foreign_endpoint(), status, says, groups)
        .prop_map(|(name, from, status, says, groups)| connection(&name, from, status, &says, &groups));
    // Many short lists rather than fewer long ones, when there are many.
    let most = if cases().cases > 10_000 { 8 } else { 24 };
    prop::collection::vec(one, 0..most)
}

fn rules() -> Vec<Rule> {
    let endpoint = ArmId::parse(&ours()).unwrap();
    vec![
        Rule::endpoints([endpoint]),
        Rule { who: vec![Who::Subscription(TRUSTED.to_owned())], ..Rule::default() },
        Rule { who: vec![Who::Text(NONCE.to_owned())], at_most: Some(1), ..Rule::default() },
        // Whatever these narrow, they name nobody.
        Rule { message: Some("*".to_owned()), ..Rule::default() },
        Rule { group: Some("vault".to_owned()), message: Some("*".to_owned()), ..Rule::default() },
        Rule { who: vec![Who::Text(String::new()), Who::Text("please".to_owned())], ..Rule::default() },
        // And this is for something else.
        Rule { target: Some(ArmId::resource_group("s", "other")), who: vec![Who::Anyone], ..Rule::default() },
    ]
}

fn cases() -> Config {
    #[expect(
        clippy::disallowed_methods,
        reason = "the long form is asked for from outside, as of the engine's suite"
    )]
    let cases = std::env::var("BERTH_APPROVAL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    Config { cases, failure_persistence: None, ..Config::default() }
}

#[test]
#[expect(clippy::print_stdout, reason = "the stages `attacks` and `approvals` tell what was tried")]
fn no_stranger_is_named_whatever_it_calls_itself() {
    let tried = Cell::new(0);
    TestRunner::new(cases())
        .run(&strangers(), |listed| {
            let found = Connection::all(&target(), &listed);
            tried.set(tried.get() + found.len());
            for (connection, verdict) in found.iter().zip(judge(&target(), &rules(), &found)) {
                prop_assert_eq!(verdict, Verdict::NotNamed, "{:?}", connection);
            }
            Ok(())
        })
        .unwrap();
    assert!(tried.get() > 1_000, "{}", tried.get());
    println!("attacks: {} strangers' connections under {} rules: none approved", tried.get(), rules().len());
}

#[test]
fn strangers_change_nothing_for_who_is_named() {
    let inserted = (strangers(), any::<prop::sample::Index>());
    TestRunner::new(cases())
        .run(&inserted, |(mut listed, at)| {
            let own = connection(
                "mine",
                json!({ "id": ours().to_uppercase() }),
                "Pending",
                &Value::Null,
                &Value::Null,
            );
            let at = at.index(listed.len() + 1);
            listed.insert(at, own.clone());
            let found = Connection::all(&target(), &listed);
            let verdicts = judge(&target(), &rules(), &found);
            let approved: Vec<&str> = found
                .iter()
                .zip(&verdicts)
                .filter(|(_, verdict)| **verdict == Verdict::Approve)
                .map(|(connection, _)| connection.id.name())
                .collect();
            // A stranger under the same id only makes the list contradictory: then nobody is approved.
            let same = found.iter().filter(|c| c.id.name().eq_ignore_ascii_case("mine")).count();
            let expected: Vec<&str> = if same == 1 { vec!["mine"] } else { vec![] };
            prop_assert_eq!(approved, expected);
            Ok(())
        })
        .unwrap();
}

#[test]
fn limits_hold_however_many_ask() {
    let known = (0usize..6, 0usize..6, 0usize..5);
    TestRunner::new(cases())
        .run(&known, |(pending, approved, at_most)| {
            let from = || json!({ "id": ours() });
            let one = |at: usize, status: &str| {
                connection(&format!("c{at}"), from(), status, &Value::Null, &Value::Null)
            };
            let listed: Vec<Value> = (0..pending)
                .map(|at| one(at, "Pending"))
                .chain((0..approved).map(|at| one(100 + at, "Approved")))
                .collect();
            let rule = Rule {
                who: vec![Who::Subscription(TRUSTED.to_owned())],
                at_most: Some(at_most),
                ..Rule::default()
            };
            let found = Connection::all(&target(), &listed);
            let verdicts = judge(&target(), &[rule], &found);
            let let_in = verdicts.iter().filter(|&&verdict| verdict == Verdict::Approve).count();
            prop_assert!(let_in == 0 || let_in == pending && pending + approved <= at_most);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_rule_says_who_and_messages_only_narrow() {
    let find = |rule: &Rule, from: &str, status: &str, says: &str, groups: Value| {
        let listed = [connection("c", json!({ "id": from }), status, &says.into(), &groups)];
        judge(&target(), std::slice::from_ref(rule), &Connection::all(&target(), &listed))[0]
    };
    let rule = Rule {
        who: vec![Who::Subscription(TRUSTED.to_uppercase())],
        group: Some("Vault".to_owned()),
        message: Some("ticket OPS-*".to_owned()),
        ..Rule::default()
    };
    let ours = ours();
    let foreign = ours.replace(TRUSTED, FOREIGN);
    let vault = json!(["vault"]);
    for (from, status, says, groups, expected) in [
        (&ours, "Pending", "ticket OPS-1", vault.clone(), Verdict::Approve),
        (&ours, "Approving", "ticket OPS-1", vault.clone(), Verdict::Approve),
        (&ours, "Pending", "ticket ops-1", vault.clone(), Verdict::OtherMessage),
        (&ours, "Pending", "ticket OPS-1", json!(["blob"]), Verdict::OtherGroup),
        (&ours, "Pending", "ticket OPS-1", json!([]), Verdict::UnknownGroup),
        // What is let in is named, whatever its description is by now.
        (&ours, "Approved", "by az", json!([]), Verdict::Approved),
        (&ours, "Rejected", "ticket OPS-1", vault.clone(), Verdict::Refused),
        (&ours, "Disconnected", "ticket OPS-1", vault.clone(), Verdict::Refused),
        (&ours, "Timeout", "ticket OPS-1", vault.clone(), Verdict::Refused),
        (&foreign, "Pending", "ticket OPS-1", vault.clone(), Verdict::NotNamed),
    ] {
        assert_eq!(find(&rule, from, status, says, groups), expected, "{from} {status} {says}");
    }
    let text = Rule { who: vec![Who::Text(NONCE.to_owned())], at_most: Some(1), ..Rule::default() };
    assert_eq!(find(&text, &foreign, "Pending", NONCE, Value::Null), Verdict::Approve);
    assert_eq!(find(&text, &foreign, "Pending", &NONCE.to_uppercase(), Value::Null), Verdict::NotNamed);
    assert!(NONCE.len() >= AGREED_LENGTH);
    let person = Rule {
        who: vec![Who::Connection(
            ArmId::parse(&format!("{}/privateEndpointConnections/C", target())).unwrap(),
        )],
        ..Rule::default()
    };
    assert_eq!(find(&person, &foreign, "Rejected", "", Value::Null), Verdict::Approve);
    assert_eq!(find(&person, &foreign, "Disconnected", "", Value::Null), Verdict::Refused);
}

#[test]
fn what_a_list_places_elsewhere_is_not_looked_at() {
    for id in [
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/other/privateEndpointConnections/c",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k/secrets/c",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k/privateEndpointConnections/c/more/d",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k/privateEndpointConnections/../../other",
    ] {
        let mut elsewhere = connection("c", json!({ "id": ours() }), "Pending", &Value::Null, &Value::Null);
        elsewhere["id"] = id.into();
        assert_eq!(Connection::all(&target(), &[elsewhere]), [], "{id}");
    }
}

#[test]
fn one_id_with_two_contents_is_approved_as_neither() {
    let own = connection("c", json!({ "id": ours() }), "Pending", &Value::Null, &Value::Null);
    let mut other = own.clone();
    other["properties"]["privateEndpoint"]["id"] = ours().replace(TRUSTED, FOREIGN).into();
    let found = Connection::all(&target(), &[own.clone(), other, own]);
    assert_eq!(found.len(), 2);
    assert_eq!(judge(&target(), &rules(), &found), [Verdict::Contradictory, Verdict::NotNamed]);
}
