//! The right ledger, or nothing: one of another blueprint, cloud, tenant or subscription is not acted on.

use crate::support::{Berth, Server};
use serde_json::Value;

const BLUEPRINT: &str = "\
blueprint: shop
azure:
  subscription: ${env.AZURE_SUBSCRIPTION_ID}
  location: westeurope
  resourceGroup: rg-shop
identities:
  app: {}
";

const SUBSCRIPTION: &str = "5ab5c819-0000-4000-8000-000000000001";
const OTHER: &str = "5ab5c819-0000-4000-8000-00000000000b";

fn command(berth: &Berth, subscription: &str, args: &[&str]) -> std::process::Command {
    let mut command = berth.command(args.iter().copied());
    command.env("AZURE_SUBSCRIPTION_ID", subscription);
    command
}

fn run(berth: &Berth, subscription: &str, args: &[&str]) -> crate::support::Run {
    let output = command(berth, subscription, args).output().unwrap();
    crate::support::Run::of(args, output)
}

#[test]
fn a_ledger_of_something_else_stops_every_command_and_stays_as_it_is() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let azure = berth.sim_serve();
    let endpoint = azure.client();
    let all = |args: &[&'static str]| -> Vec<&str> { [args, &endpoint[..]].concat() };
    run(&berth, SUBSCRIPTION, &all(&["apply", "blueprint.yaml", "--auto-approve", "--quiet"])).exits(0);
    let file = ".berth/ledgers/shop.json";
    let ledger = || berth.read(file);
    let written: Value = serde_json::from_str(&ledger()).unwrap();
    assert_eq!(written["estate"]["subscription"], SUBSCRIPTION);
    assert_eq!(written["estate"]["cloud"], "loopback");
    let before = ledger();
    // Another blueprint's ledger under this one's name, or with its cloud or tenant changed.
    for (from, to) in [
        ("\"blueprint\": \"shop\"", "\"blueprint\": \"bank\""),
        ("\"cloud\": \"loopback\"", "\"cloud\": \"public\""),
        ("\"blueprint\": \"shop\"", "\"blueprint\": \"shop\",\n  \"environment\": \"prod\""),
        (SUBSCRIPTION, OTHER),
    ] {
        let forged = before.replace(from, to);
        assert_ne!(forged, before);
        berth.write(file, forged.as_bytes());
        for args in [
            &["plan", "blueprint.yaml"][..],
            &["apply", "blueprint.yaml", "--auto-approve"],
            &["destroy", "blueprint.yaml", "--auto-approve"],
            &["drift", "blueprint.yaml"],
        ] {
            run(&berth, SUBSCRIPTION, &all(args))
                .exits(4)
                .complains(&["is not the one of this run", "--move-ledger"]);
            assert_eq!(ledger(), forged, "{args:?}");
        }
    }
    // A person may say that the blueprint has moved.
    berth.write(file, before.replace("\"cloud\": \"loopback\"", "\"cloud\": \"public\"").as_bytes());
    run(&berth, SUBSCRIPTION, &all(&["apply", "blueprint.yaml", "--auto-approve", "--move-ledger"])).exits(0);
    azure.stop();
}

#[test]
fn ids_and_serials_that_no_berth_wrote_are_refused() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let azure = berth.sim_serve();
    let endpoint = azure.client();
    let all = |args: &[&'static str]| -> Vec<&str> { [args, &endpoint[..]].concat() };
    run(&berth, SUBSCRIPTION, &all(&["apply", "blueprint.yaml", "--auto-approve", "--quiet"])).exits(0);
    let file = ".berth/ledgers/shop.json";
    let before = berth.read(file);
    let serial = format!("\"serial\": {}", serde_json::from_str::<Value>(&before).unwrap()["serial"]);
    for (from, to) in [
        ("/resourceGroups/rg-shop/", "/resourceGroups/../x/"),
        ("/resourceGroups/rg-shop/", "/resourceGroups/a\\\\b/"),
        ("/resourceGroups/rg-shop/", "/resourceGroups/a%2fb/"),
        (serial.as_str(), "\"serial\": 18446744073709551615"),
        (serial.as_str(), "\"serial\": 10000000000"),
        ("\"address\": \"identities.app\"", "\"address\": \"../../x\""),
        (
            "\"type\": \"Microsoft.ManagedIdentity/userAssignedIdentities\"",
            "\"type\": \"Microsoft.Network/virtualNetworks/subnets\"",
        ),
        // Another subscription's resource, which the ledger does not note as such.
        (
            &format!("\"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers"),
            &format!("\"/subscriptions/{OTHER}/resourceGroups/rg-shop/providers"),
        ),
    ] {
        let forged = before.replacen(from, to, 1);
        assert_ne!(forged, before, "{from}");
        berth.write(file, forged.as_bytes());
        for args in [&["plan", "blueprint.yaml"][..], &["destroy", "blueprint.yaml", "--auto-approve"]] {
            run(&berth, SUBSCRIPTION, &all(args)).exits(1).complains(&["damaged"]);
            assert_eq!(berth.read(file), forged);
        }
    }
    azure.stop();
}

/// Somebody else gives the identity of the blueprint these tags.
fn tag_app(azure: &Server, tags: Value) {
    let id = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app"
    );
    let body = serde_json::json!({ "location": "westeurope", "tags": tags });
    azure.write("PUT", &id, "2024-11-30", Some(&body));
}

/// A ledger that claims to have been moved here from another blueprint, with that one's resource in it.
#[test]
fn a_ledger_that_claims_to_have_been_someone_elses_deletes_only_by_name() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let azure = berth.sim_serve();
    let endpoint = azure.client();
    let all = |args: &[&'static str]| -> Vec<&str> { [args, &endpoint[..]].concat() };
    run(&berth, SUBSCRIPTION, &all(&["apply", "blueprint.yaml", "--auto-approve", "--quiet"])).exits(0);
    tag_app(&azure, serde_json::json!({ "berth-blueprint": "bank" }));
    let file = ".berth/ledgers/shop.json";
    let mut ledger: Value = serde_json::from_str(&berth.read(file)).unwrap();
    ledger["formerly"] = serde_json::json!(["bank"]);
    berth.write(file, ledger.to_string().as_bytes());
    let without = format!("{}networks: {{}}\n", BLUEPRINT.split("identities:").next().unwrap());
    berth.write("blueprint.yaml", without.as_bytes());
    for command in ["destroy", "apply"] {
        run(&berth, SUBSCRIPTION, &all(&[command, "blueprint.yaml", "--auto-approve"]))
            .exits(4)
            .complains(&["--allow-delete identities.app"]);
    }
    // What no berth writes there is refused.
    for (member, value) in [("formerly", "../bank"), ("formerly", "bank/a/b"), ("formerly", "##vso[x]")] {
        let mut forged = ledger.clone();
        forged[member] = serde_json::json!([value]);
        berth.write(file, forged.to_string().as_bytes());
        run(&berth, SUBSCRIPTION, &all(&["plan", "blueprint.yaml"])).exits(1).complains(&["damaged"]);
    }
    azure.stop();
}

#[test]
fn no_ledger_is_no_good_news() {
    let berth = Berth::new().blueprint(&BLUEPRINT.replace("${env.AZURE_SUBSCRIPTION_ID}", SUBSCRIPTION));
    berth.drift(&[]).exits(1).complains(&["holds nothing of `shop`"]);
    berth.destroy(&[]).exits(1).complains(&["holds nothing of `shop`"]);
    berth
        .run(["output", "blueprint.yaml", "--sim"])
        .exits(1)
        .complains(&["no outputs: the ledger", "does not exist"]);
    berth.apply(&[]).exits(0);
    berth.drift(&[]).exits(0);
    berth.run(["output", "blueprint.yaml", "--sim"]).exits(0);
    berth.destroy(&[]).exits(0);
    // What was destroyed is destroyed.
    berth.destroy(&[]).exits(0).says(&["Nothing to destroy."]);
}

#[test]
fn what_lost_its_tag_is_deleted_only_by_name() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let azure = berth.sim_serve();
    let endpoint = azure.client();
    let all = |args: &[&'static str]| -> Vec<&str> { [args, &endpoint[..]].concat() };
    run(&berth, SUBSCRIPTION, &all(&["apply", "blueprint.yaml", "--auto-approve", "--quiet"])).exits(0);
    tag_app(&azure, serde_json::json!({}));
    run(&berth, SUBSCRIPTION, &all(&["destroy", "blueprint.yaml", "--auto-approve"]))
        .exits(4)
        .says(&["does not carry the tag"])
        .complains(&["--allow-delete identities.app"]);
    let named = ["destroy", "blueprint.yaml", "--auto-approve", "--allow-delete", "identities.app"];
    run(&berth, SUBSCRIPTION, &all(&named)).exits(0);
    azure.stop();
}
